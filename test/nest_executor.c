/* nest_executor.c -- a mapping goes in, its counts come out, by walking the whole nest: every step
 * of the loops in time as it runs and, in each step, every unit of the arrays. Nothing is
 * multiplied out that could be counted.
 *
 * part     the ranges of the dimensions that are left to one unit in one step
 * box      the words of an operand that a part indexes
 * link     an operand between two neighbours of its chain, parent and child; the MACs are the last
 *          child
 * exchange what moves over a link in one step: a box to or from each unit of the child
 *
 * The rules are those of docs/cost-model.md. Where it leaves room we read it so:
 *  - A loop exists if it has more than one step in its first run, which is the fullest. So the
 *    innermost relevant loop is a property of the nest: in a run where that loop happens to have a
 *    single step, a step of a loop around it still brings the whole tile.
 *  - Units step together. A loop in time takes the steps of the first unit, which never has less
 *    left than another; a unit with nothing left is idle for the rest: it asks for nothing and
 *    sends what it held.
 *  - The new part of a tile is what the unit did not hold before the step, the last, smaller step
 *    included. A loop moves a tile along the ranks where its dimension has a coefficient. Whether
 *    the new part is enough says the memory that holds the tile, the child.
 *  - Units share if what is sent to them in the step is the same box. With perfect factors that is
 *    the same as tiles at one place; with imperfect ones equal tiles may follow unequal ones.
 *  - Each array merges by its own network, whether its level keeps the operand or not: behind one
 *    that does not, each unit needs its words for itself; one outside of it that does merges, word
 *    by word, what its own units need. Between units along an axis that is set apart nothing is
 *    merged.
 *  - Deliveries belong to the parent, at the price of a hop in its array. For the output they are
 *    the words that leave the units, before any are summed; what is read down is not counted again.
 *  - Distinct words are those that came: where the output is indexed by a sum or with a coefficient
 *    above 1, the union of the boxes, not the box around them; from MACs single words.
 *  - Sums from MACs are merged too (rules 4 and 6): updates are the sums that arrive, reads =
 *    updates - distinct words of the instance.
 *  - What goes through the outer end of an array's network in a step is what its crate holds. A sum
 *    comes back through it if this array has sent its word before.
 *  - On a mesh links are told by the unit that they lead to: routes come from one port and never
 *    part again once they have met, so each unit is entered by one link. What a lane carries several
 *    times goes, the i-th time, to those of its units that need it i times or more.
 *  - Along a link of the array the memory that is read for the next unit is the first one there that
 *    holds the word. What is passed on several times is read each time.
 *  - A tile is reported at its largest. Instances and units are those that are ever busy. Through a
 *    port goes what all operands of one instance move, the busiest one. Of equal bounds the first
 *    counts: arithmetic, then from the outermost level the read, write and shared port, the ports
 *    of classes and the network of the array inside.
 * Not walked, as the rules do not speak of it: latency. */
#include "nest_executor.h"
#include "nest_words.h"

#include <math.h>

struct part {
	int64_t first[MAX_DIMS], extent[MAX_DIMS];
};

struct link {
	int operand;
	bool is_output;
	int parent, child; /* levels; the level after the last is that of the MACs */
	int innermost;    /* relevant loop in time outside of the child; NO_LOOP if there is none */
	int moved_rank;   /* the one that this loop moves the tile along, or MANY_RANKS */
	struct box *held; /* by each unit of the child; none for MACs */
	struct box *in, *out;   /* of each unit, in the step */
	struct word_set *begun; /* output: by each unit of the child */
	/* output: what has come to each instance of a level, the parent or one between it and the child */
	struct word_set *summed[MAX_LEVELS];
};

enum { ROW, COLUMN }; /* axes */
enum { NO_LOOP = -1, MANY_RANKS = -1, LINKS = MAX_LEVELS * MAX_OPERANDS };

struct walk {
	const struct mapping *mapping;
	const struct problem *problem;
	const struct hierarchy *machine;
	int64_t step[MAX_MAPPED_LOOPS];    /* where the loops in time are; 0 for those in space */
	int64_t steps[MAX_MAPPED_LOOPS];   /* of the first run of each loop */
	int64_t instances[MAX_LEVELS + 1]; /* of each level, that of the MACs last */
	bool *busy[MAX_LEVELS + 1];        /* each instance: ever */
	int64_t (*count[MAX_LEVELS])[MAX_OPERANDS][ACCESS_KINDS]; /* each instance */
	int64_t *network_words[MAX_LEVELS]; /* of the array in each instance */
	struct crate crate[MAX_LEVELS + 1];
	int64_t sendings;            /* on meshes, so far */
	int64_t *passed[MAX_LEVELS]; /* of each unit of an array: the last sending that came by */
	int links;
	struct link link[LINKS];
	struct cost *cost;
	struct executed *executed;
};

/* The nest. */

static struct box box_of(const struct operand *operand, int dims, const struct part *part)
{
	struct box box = {0};
	for (int r = 0; r < MAX_RANK; r++) {
		box.extent[r] = 1;
		for (int d = 0; r < operand->ranks && d < dims; d++) {
			int64_t coef = operand->coef[r][d];
			int64_t length = coef * (part->extent[d] - 1);
			box.first[r] += coef * part->first[d] + (length < 0 ? length : 0);
			box.extent[r] += length < 0 ? -length : length;
		}
	}
	return box;
}

/* Loops 0 .. are those at the levels outside of this one. */
static int loops_outside(const struct walk *walk, int level)
{
	int i = 0;
	while (i < walk->mapping->loops && walk->mapping->loop[i].level < level)
		i++;
	return i;
}

static void enter(struct part *part, const struct mapped_loop *loop, int64_t step)
{
	int64_t *extent = &part->extent[loop->dim];
	*extent -= step * loop->tile;
	if (*extent > loop->tile)
		*extent = loop->tile;
	part->first[loop->dim] += step * loop->tile;
}

static struct part whole_problem(const struct walk *walk)
{
	struct part part = {0};
	memcpy(part.extent, walk->problem->extent, sizeof part.extent);
	return part;
}

/* What an instance of a level works on in this step; false if it is idle. Instances are numbered by
 * the steps of the loops in space outside of the level, the innermost fastest. */
static bool part_of(const struct walk *walk, int level, int64_t instance, struct part *part)
{
	const struct mapped_loop *loop = walk->mapping->loop;
	int64_t step[MAX_MAPPED_LOOPS];
	int loops = loops_outside(walk, level);
	for (int i = loops - 1; i >= 0; i--) {
		step[i] = walk->step[i];
		if (loop[i].kind == LOOP_SPACE) {
			step[i] = instance % walk->steps[i];
			instance /= walk->steps[i];
		}
	}
	*part = whole_problem(walk);
	for (int i = 0; i < loops; i++) {
		enter(part, &loop[i], step[i]);
		if (part->extent[loop[i].dim] <= 0)
			return false;
	}
	return true;
}

/* Takes the next step in time; the loop that took it (those inside of it begin again), or NO_LOOP
 * at the end. */
static int advance(struct walk *walk)
{
	const struct mapped_loop *loop = walk->mapping->loop;
	for (int i = walk->mapping->loops - 1; i >= 0; i--) {
		if (loop[i].kind != LOOP_TIME)
			continue;
		struct part part = whole_problem(walk);
		for (int outer = 0; outer < i; outer++)
			enter(&part, &loop[outer], walk->step[outer]);
		if ((walk->step[i] + 1) * loop[i].tile < part.extent[loop[i].dim]) {
			walk->step[i]++;
			return i;
		}
		walk->step[i] = 0;
	}
	return NO_LOOP;
}

/* Movement. */

/* On which lane unit k of the array inside a level is served: one for all that share, else its
 * own. */
static int64_t lane_of(const struct walk *walk, const struct link *link, int level, int64_t k)
{
	const struct level *array = &walk->machine->level[level];
	enum tensor_class class = walk->problem->operand[link->operand].class;
	unsigned shares = link->is_output ? array->reduce : array->multicast;
	if (!(shares >> class & 1))
		return k;
	int64_t lane = 0, place = 1;
	for (int i = loops_outside(walk, level + 1) - 1; i >= loops_outside(walk, level); i--) {
		const struct mapped_loop *loop = &walk->mapping->loop[i];
		if (loop->kind != LOOP_SPACE)
			continue;
		if (array->apart[class] >> loop->axis & 1)
			lane += place * (k % walk->steps[i]);
		k /= walk->steps[i];
		place *= walk->steps[i];
	}
	return lane;
}

/* Where unit k of the array inside a level stands: along an axis, the innermost loop is fastest. */
static void place_of(const struct walk *walk, int level, int64_t k, int64_t place[MAX_AXES])
{
	int64_t size[MAX_AXES];
	for (int a = 0; a < MAX_AXES; a++) {
		place[a] = 0;
		size[a] = 1;
	}
	for (int i = loops_outside(walk, level + 1) - 1; i >= loops_outside(walk, level); i--) {
		const struct mapped_loop *loop = &walk->mapping->loop[i];
		if (loop->kind != LOOP_SPACE)
			continue;
		place[loop->axis] += k % walk->steps[i] * size[loop->axis];
		size[loop->axis] *= walk->steps[i];
		k /= walk->steps[i];
	}
}

/* The place before this one, above 0, on the way along an axis from 0: the shorter way round where there is one. */
static int64_t before(int64_t place, int64_t length, enum topology topology)
{
	if (topology == TOPOLOGY_TORUS && 2 * place > length)
		return (place + 1) % length;
	return place - 1;
}

/* Follows the route to unit k back to the port at the first unit: the links on it that this sending did not use before. */
static int64_t new_links(struct walk *walk, int level, enum topology topology, int64_t k)
{
	const int64_t *length = walk->machine->level[level].fanout;
	int64_t at[MAX_AXES], links = 0;
	place_of(walk, level, k, at);
	for (;;) {
		int64_t *passed = &walk->passed[level][at[ROW] * length[COLUMN] + at[COLUMN]];
		if (*passed == walk->sendings)
			return links;
		*passed = walk->sendings;
		links++;
		int axis = at[ROW] > 0 ? ROW : COLUMN;
		if (at[axis] == 0)
			return links;
		at[axis] = before(at[axis], length[axis], topology);
	}
}

/* A crate's entry goes out for the i-th time: to those who need it so often. */
struct sending {
	int level;
	int64_t entry, time;
};

static bool goes_to(const struct sending *sending, const struct stop *stop)
{
	return stop->entry == sending->entry && stop->times >= sending->time;
}

/* On a mesh it takes the links of all routes together. */
static void take_routes(struct walk *walk, const struct link *link, const struct sending *sending)
{
	const struct crate *crate = &walk->crate[sending->level];
	const struct level *array = &walk->machine->level[sending->level];
	enum topology topology = array->topology[walk->problem->operand[link->operand].class];
	int64_t words = volume(&crate->entry[sending->entry].box), links = 0;
	if (topology == TOPOLOGY_BUS)
		return;
	walk->sendings++;
	for (int64_t s = 0; s < crate->stops; s++)
		if (goes_to(sending, &crate->stop[s]))
			links += new_links(walk, sending->level, topology, crate->stop[s].unit);
	walk->executed->hops[sending->level][link->operand] += words * links;
}

/* Whether what a unit at `from` passes on gets to one at `place`: along its row or its column, if they are linked; if
 * both are, also to the rows after it. */
static bool reaches(const int64_t from[MAX_AXES], const int64_t place[MAX_AXES], unsigned linked)
{
	if (from[ROW] == place[ROW])
		return linked >> COLUMN & 1 && from[COLUMN] < place[COLUMN];
	return linked >> ROW & 1 && from[ROW] < place[ROW] &&
	       (linked >> COLUMN & 1 || from[COLUMN] == place[COLUMN]);
}

/* In the own row the last is nearest, else the first of the last row. */
static bool is_nearer(const int64_t from[MAX_AXES], const int64_t than[MAX_AXES],
		      const int64_t place[MAX_AXES])
{
	if (from[ROW] != than[ROW])
		return from[ROW] > than[ROW];
	return (from[COLUMN] > than[COLUMN]) == (from[ROW] == place[ROW]);
}

/* The nearest unit that passes on to a stop what the sending brings; NULL if it is served from outside. */
static const struct stop *giver(const struct walk *walk, const struct sending *sending,
				const struct stop *to, unsigned linked)
{
	const struct crate *crate = &walk->crate[sending->level];
	const struct stop *best = NULL;
	int64_t place[MAX_AXES], from[MAX_AXES], nearest[MAX_AXES];
	place_of(walk, sending->level, to->unit, place);
	for (int64_t s = 0; s < crate->stops; s++) {
		place_of(walk, sending->level, crate->stop[s].unit, from);
		if (!goes_to(sending, &crate->stop[s]) || !reaches(from, place, linked))
			continue;
		if (best && !is_nearer(from, nearest, place))
			continue;
		best = &crate->stop[s];
		memcpy(nearest, from, sizeof nearest);
	}
	return best;
}

/* Along a link, units pass words on that they hold; sums are added to theirs on the way, and no memory is read. */
static void pass_on(struct walk *walk, const struct link *link, const struct sending *sending)
{
	const struct crate *crate = &walk->crate[sending->level];
	const struct level *array = &walk->machine->level[sending->level];
	unsigned linked = array->linked[walk->problem->operand[link->operand].class];
	if (linked == 0 || link->is_output || link->child == walk->machine->levels)
		return;
	for (int64_t s = 0; s < crate->stops; s++) {
		if (!goes_to(sending, &crate->stop[s]))
			continue;
		const struct stop *from = giver(walk, sending, &crate->stop[s], linked);
		if (from)
			walk->count[link->child][from->holder][link->operand][ACCESS_READ] +=
				volume(&crate->entry[sending->entry].box);
	}
}

static void send(struct walk *walk, const struct link *link, int level)
{
	const struct crate *crate = &walk->crate[level];
	struct sending sending = {.level = level};
	for (; sending.entry < crate->entries; sending.entry++)
		for (sending.time = 1; sending.time <= crate->entry[sending.entry].times;
		     sending.time++) {
			take_routes(walk, link, &sending);
			pass_on(walk, link, &sending);
		}
}

/* Words at the outer end of an array; those of the output come out of it, and some go back in. */
struct flow {
	int64_t words, back;
};

/* What the crate of a level holds passes the outer end of the array inside one of its instances. A
 * sum for a word that has come out before is one that had to be sent back in. */
static struct flow pass(struct walk *walk, const struct link *link, int level, int64_t instance)
{
	const struct crate *crate = &walk->crate[level];
	struct flow flow = {0};
	for (int64_t i = 0; i < crate->entries; i++) {
		const struct entry *entry = &crate->entry[i];
		int64_t words = entry->times * volume(&entry->box);
		flow.words += words;
		if (link->is_output)
			flow.back += words - see(&link->summed[level][instance], &entry->box);
	}
	walk->network_words[level][instance] += flow.words + flow.back;
	return flow;
}

/* Puts in the level's crate what units of the child, those behind one instance of the level, need
 * in the step: `box` is what each of them takes or gives. What passes the array of the instance.
 * Sums that are sent back in take no hops. */
static struct flow gather(struct walk *walk, const struct link *link, const struct box *box,
			  int level, int64_t instance)
{
	struct crate *crate = &walk->crate[level];
	crate->entries = crate->stops = 0;
	if (level == link->child) {
		if (volume(&box[instance]) > 0)
			put(crate, &box[instance], 0,
			    (struct stop){.times = 1, .holder = instance});
		return (struct flow){0};
	}
	int64_t fanout = walk->instances[level + 1] / walk->instances[level];
	const struct crate *inner = &walk->crate[level + 1];
	for (int64_t k = 0; k < fanout; k++) {
		gather(walk, link, box, level + 1, instance * fanout + k);
		int64_t lane = lane_of(walk, link, level, k);
		for (int64_t i = 0; i < inner->entries; i++) {
			const struct entry *entry = &inner->entry[i];
			put(crate, &entry->box, lane,
			    (struct stop){k, entry->times, entry->holder, 0});
		}
	}
	if (walk->machine->level[level].axes > 0)
		send(walk, link, level);
	join_lanes(crate);
	return pass(walk, link, level, instance);
}

/* The parent's side: what it reads for its units, or the sums that reach it and those that it sends
 * back down. `box` is what each unit of the child takes or gives. */
static void at_parent(struct walk *walk, struct link *link, const struct box *box)
{
	for (int64_t p = 0; p < walk->instances[link->parent]; p++) {
		int64_t *count = walk->count[link->parent][p][link->operand];
		struct flow flow = gather(walk, link, box, link->parent, p);
		count[ACCESS_UPDATE] += link->is_output ? flow.words : 0;
		count[ACCESS_READ] += link->is_output ? flow.back : flow.words;
	}
	int64_t words = 0;
	for (int64_t u = 0; u < walk->instances[link->child]; u++)
		words += volume(&box[u]);
	walk->cost->traffic[link->parent][link->operand].deliveries += words;
	enum tensor_class class = walk->problem->operand[link->operand].class;
	if (walk->machine->level[link->parent].topology[class] == TOPOLOGY_BUS)
		walk->executed->hops[link->parent][link->operand] += words;
}

/* The child's side: a word of the output that an instance has not seen begins there at zero. */
static void at_child(struct walk *walk, struct link *link, const struct box *box)
{
	struct traffic *traffic = &walk->cost->traffic[link->child][link->operand];
	for (int64_t u = 0; u < walk->instances[link->child]; u++) {
		int64_t words = volume(&box[u]);
		if (link->is_output)
			words -= see(&link->begun[u], &box[u]);
		walk->count[link->child][u][link->operand][ACCESS_FILL] += words;
		int64_t tile = volume(&link->held[u]);
		if (traffic->tile < tile)
			traffic->tile = tile;
	}
}

static struct box box_of_unit(const struct walk *walk, const struct link *link, int64_t unit)
{
	struct part part;
	if (!part_of(walk, link->child, unit, &part))
		return (struct box){0};
	return box_of(&walk->problem->operand[link->operand], walk->problem->dims, &part);
}

/* Every MAC takes or gives its word in every step. */
static void exchange_words(struct walk *walk, struct link *link)
{
	for (int64_t u = 0; u < walk->instances[link->child]; u++)
		link->in[u] = box_of_unit(walk, link, u);
	at_parent(walk, link, link->in);
}

/* The units change tiles; `loop` took the step, or the walk begins. */
static void exchange_tiles(struct walk *walk, struct link *link, int loop)
{
	if (loop >= loops_outside(walk, link->child) || loop > link->innermost)
		return; /* stationary */
	bool delta = loop != NO_LOOP && loop == link->innermost && link->moved_rank != MANY_RANKS &&
		     walk->machine->level[link->child].halo == HALO_DELTA;
	for (int64_t u = 0; u < walk->instances[link->child]; u++) {
		struct box old = link->held[u], next = box_of_unit(walk, link, u);
		link->in[u] = delta ? without(next, &old, link->moved_rank) : next;
		link->out[u] = delta ? without(old, &next, link->moved_rank) : old;
		link->held[u] = next;
	}
	at_parent(walk, link, link->is_output ? link->out : link->in);
	at_child(walk, link, link->in);
}

static void exchange(struct walk *walk, int loop)
{
	for (int i = 0; i < walk->links; i++) {
		struct link *link = &walk->link[i];
		if (link->child == walk->machine->levels)
			exchange_words(walk, link);
		else
			exchange_tiles(walk, link, loop);
	}
}

/* At the end of the walk, what units still hold of the output leaves them. */
static void drain(struct walk *walk)
{
	for (int i = 0; i < walk->links; i++) {
		struct link *link = &walk->link[i];
		if (link->is_output && link->child < walk->machine->levels)
			at_parent(walk, link, link->held);
	}
}

static void work(struct walk *walk)
{
	struct part part;
	for (int l = 0; l <= walk->machine->levels; l++)
		for (int64_t i = 0; i < walk->instances[l]; i++) {
			if (!part_of(walk, l, i, &part))
				continue;
			walk->busy[l][i] = true;
			if (l == walk->machine->levels)
				walk->cost->macs++;
		}
	walk->cost->steps++;
}

/* The beginning. */

static void measure_loops(struct walk *walk)
{
	struct part part = whole_problem(walk);
	for (int i = 0; i < walk->mapping->loops; i++) {
		const struct mapped_loop *loop = &walk->mapping->loop[i];
		walk->steps[i] = (part.extent[loop->dim] + loop->tile - 1) / loop->tile;
		enter(&part, loop, 0);
	}
	for (int d = 0; d < walk->problem->dims; d++)
		assert(part.extent[d] == 1);
	for (int l = 0; l <= walk->machine->levels; l++) {
		walk->instances[l] = 1;
		for (int i = 0; i < loops_outside(walk, l); i++)
			if (walk->mapping->loop[i].kind == LOOP_SPACE)
				walk->instances[l] *= walk->steps[i];
	}
}

static void find_innermost(const struct walk *walk, struct link *link)
{
	const struct operand *operand = &walk->problem->operand[link->operand];
	link->innermost = NO_LOOP;
	link->moved_rank = MANY_RANKS;
	for (int i = 0; i < loops_outside(walk, link->child); i++) {
		const struct mapped_loop *loop = &walk->mapping->loop[i];
		if (loop->kind == LOOP_TIME && walk->steps[i] > 1 &&
		    (operand->relevant >> loop->dim & 1))
			link->innermost = i;
	}
	if (link->innermost == NO_LOOP)
		return;
	int dim = walk->mapping->loop[link->innermost].dim, ranks = 0;
	for (int r = 0; r < operand->ranks; r++)
		if (operand->coef[r][dim] != 0) {
			link->moved_rank = r;
			ranks++;
		}
	if (ranks != 1)
		link->moved_rank = MANY_RANKS;
}

static void add_link(struct walk *walk, int operand, int parent, int child)
{
	struct link *link = &walk->link[walk->links++];
	struct part all = whole_problem(walk);
	struct box whole = box_of(&walk->problem->operand[operand], walk->problem->dims, &all);
	int64_t units = walk->instances[child];
	*link = (struct link){.operand = operand, .parent = parent, .child = child};
	link->is_output = operand == walk->problem->operands - 1;
	link->held = new_array(units, sizeof *link->held);
	link->in = new_array(units, sizeof *link->in);
	link->out = new_array(units, sizeof *link->out);
	if (link->is_output) {
		link->begun = new_sets(units, &whole);
		for (int l = parent; l < child; l++)
			link->summed[l] = new_sets(walk->instances[l], &whole);
	}
	find_innermost(walk, link);
	if (parent == 0)
		walk->cost->traffic[0][operand].tile = volume(&whole);
}

static void begin(struct walk *walk, const struct mapping *mapping, struct cost *cost,
		  struct executed *executed)
{
	*cost = (struct cost){0};
	*executed = (struct executed){0};
	*walk = (struct walk){.mapping = mapping,
			      .problem = mapping->problem,
			      .machine = mapping->machine,
			      .cost = cost,
			      .executed = executed};
	measure_loops(walk);
	int levels = walk->machine->levels;
	int64_t units = walk->instances[levels];
	for (int l = 0; l <= levels; l++) {
		walk->busy[l] = new_array(walk->instances[l], sizeof *walk->busy[l]);
		walk->crate[l].entry = new_array(units, sizeof *walk->crate[l].entry);
		walk->crate[l].stop = new_array(units, sizeof *walk->crate[l].stop);
		if (l == levels)
			break;
		walk->count[l] = new_array(walk->instances[l], sizeof *walk->count[l]);
		walk->network_words[l] = new_array(walk->instances[l], sizeof(int64_t));
		const int64_t *fanout = walk->machine->level[l].fanout;
		walk->passed[l] = new_array(fanout[0] * fanout[1], sizeof(int64_t));
	}
	for (int o = 0; o < walk->problem->operands; o++) {
		int parent = 0;
		for (int l = 1; l < levels; l++)
			if (mapping->keep[l] >> o & 1) {
				add_link(walk, o, parent, l);
				parent = l;
			}
		add_link(walk, o, parent, levels);
	}
}

/* The end. */

/* An access moves a width of words of one operand; what is left over at the end of the run takes one more. */
static int64_t accesses_of(const struct level *level, int64_t words)
{
	int64_t width = level->width > 1 ? level->width : 1;
	return (words + width - 1) / width;
}

static void sum_instance(struct walk *walk, int l, int64_t instance)
{
	for (int o = 0; o < walk->problem->operands; o++)
		for (int k = 0; k < ACCESS_KINDS; k++) {
			struct traffic *traffic = &walk->cost->traffic[l][o];
			int64_t words = walk->count[l][instance][o][k];
			traffic->count[k] += words;
			if (traffic->per_instance[k] < words)
				traffic->per_instance[k] = words;
			walk->executed->accesses[l][o][k] +=
				accesses_of(&walk->machine->level[l], words);
		}
}

static void sum_counts(struct walk *walk)
{
	for (int l = 0; l < walk->machine->levels; l++)
		for (int64_t i = 0; i < walk->instances[l]; i++) {
			int64_t *busiest = &walk->executed->network_words[l];
			sum_instance(walk, l, i);
			if (*busiest < walk->network_words[l][i])
				*busiest = walk->network_words[l][i];
		}
}

static int64_t count_busy(const struct walk *walk, int level)
{
	int64_t busy = 0;
	for (int64_t i = 0; i < walk->instances[level]; i++)
		busy += walk->busy[level][i];
	return busy;
}

static void sum_energy(const struct walk *walk)
{
	struct cost *cost = walk->cost;
	cost->energy_mac = (double)cost->macs * walk->machine->mac_cost;
	cost->energy = cost->energy_mac;
	for (int l = 0; l < walk->machine->levels; l++) {
		const struct level *level = &walk->machine->level[l];
		for (int o = 0; o < walk->problem->operands; o++) {
			for (int k = 0; k < ACCESS_KINDS; k++)
				cost->energy_level[l] +=
					(double)walk->executed->accesses[l][o][k] * level->cost[k];
			cost->energy_network +=
				(double)walk->executed->hops[l][o] * level->hop_cost;
		}
		cost->energy += cost->energy_level[l];
	}
	cost->energy += cost->energy_network;
}

/* Words through a port of the busiest instance; kinds is a bit per kind of access. The port is that of a class, or
 * (class < 0) of all operands whose class has none of its own. */
static int64_t busiest(const struct walk *walk, int level, unsigned kinds, int class)
{
	int64_t most = 0;
	for (int64_t i = 0; i < walk->instances[level]; i++) {
		int64_t words = 0;
		for (int o = 0; o < walk->problem->operands; o++) {
			int own = (int)walk->problem->operand[o].class;
			bool apart = walk->machine->level[level].class_bandwidth[own] > 0;
			if (apart ? own != class : class >= 0)
				continue;
			for (int k = 0; k < ACCESS_KINDS; k++)
				if (kinds >> k & 1)
					words += walk->count[level][i][o][k];
		}
		if (most < words)
			most = words;
	}
	return most;
}

/* The bound that so many words through something of so much bandwidth set, if it is above those before. */
static void raise_bound(struct cost *cost, int level, int kind, int64_t words, double bandwidth)
{
	if (bandwidth <= 0)
		return;
	int64_t cycles = (int64_t)ceil((double)words / bandwidth);
	if (cycles <= cost->cycles)
		return;
	cost->cycles = cycles;
	cost->bound = (enum bound_kind)kind;
	cost->bound_level = level;
}

static void find_bound(const struct walk *walk)
{
	enum { READ = 1 << ACCESS_READ, WRITE = 1 << ACCESS_FILL | 1 << ACCESS_UPDATE };
	struct cost *cost = walk->cost;
	cost->cycles = cost->steps;
	cost->bound = BOUND_COMPUTE;
	for (int l = 0; l < walk->machine->levels; l++) {
		const struct level *level = &walk->machine->level[l];
		raise_bound(cost, l, BOUND_READ, busiest(walk, l, READ, -1), level->read_bandwidth);
		raise_bound(cost, l, BOUND_WRITE, busiest(walk, l, WRITE, -1),
			    level->write_bandwidth);
		raise_bound(cost, l, BOUND_SHARED, busiest(walk, l, READ | WRITE, -1),
			    level->shared_bandwidth);
		for (int class = 0; class < CLASSES; class ++) {
			int64_t cycles = cost->cycles;
			raise_bound(cost, l, BOUND_CLASS, busiest(walk, l, READ | WRITE, class),
				    level->class_bandwidth[class]);
			if (cost->cycles > cycles)
				cost->bound_class = (enum tensor_class) class;
		}
		raise_bound(cost, l, BOUND_NETWORK, walk->executed->network_words[l],
			    level->network_bandwidth);
	}
}

/* Each cycle, everything that is there leaks: the machine, its memories unit by unit, its MACs. */
static void sum_leakage(const struct walk *walk)
{
	const struct hierarchy *machine = walk->machine;
	int64_t there[MAX_LEVELS + 1] = {1};
	double leakage = machine->leakage;
	for (int l = 0; l < machine->levels; l++) {
		const struct level *level = &machine->level[l];
		there[l + 1] = there[l];
		if (level->axes > 0)
			there[l + 1] *= level->fanout[0];
		if (level->axes > 1)
			there[l + 1] *= level->fanout[1];
		leakage += (double)there[l] * level->leakage;
	}
	leakage += (double)there[machine->levels] * machine->mac_leakage;
	walk->cost->energy_leakage = leakage * (double)walk->cost->cycles;
	walk->cost->energy += walk->cost->energy_leakage;
}

static void release(struct walk *walk)
{
	for (int i = 0; i < walk->links; i++) {
		struct link *link = &walk->link[i];
		release_sets(link->begun, walk->instances[link->child]);
		for (int l = 0; l < walk->machine->levels; l++)
			release_sets(link->summed[l], walk->instances[l]);
		free(link->held);
		free(link->in);
		free(link->out);
	}
	for (int l = 0; l <= walk->machine->levels; l++) {
		free(walk->busy[l]);
		free(walk->crate[l].entry);
		free(walk->crate[l].stop);
		if (l == walk->machine->levels)
			break;
		free(walk->count[l]);
		free(walk->network_words[l]);
		free(walk->passed[l]);
	}
}

void execute_mapping(const struct mapping *mapping, struct cost *cost)
{
	struct executed executed;
	execute_and_count(mapping, cost, &executed);
}

void execute_and_count(const struct mapping *mapping, struct cost *cost, struct executed *executed)
{
	struct walk *walk = new_array(1, sizeof *walk);
	int loop = NO_LOOP;
	begin(walk, mapping, cost, executed);
	do {
		work(walk);
		exchange(walk, loop);
		loop = advance(walk);
	} while (loop != NO_LOOP);
	drain(walk);

	sum_counts(walk);
	for (int l = 0; l < walk->machine->levels; l++)
		cost->instances[l] = count_busy(walk, l);
	cost->units = count_busy(walk, walk->machine->levels);
	sum_energy(walk);
	find_bound(walk);
	sum_leakage(walk);
	release(walk);
	free(walk);
}
