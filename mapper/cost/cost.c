/* cost.c -- a mapping goes in, every count comes out, without walking the nest; the counts of whole steps (others are
 * imperfect.c's), then energy and cycles of all.
 *
 * An operand has a chain of memories that keep it, outermost first. Between two neighbours of the chain, parent
 * and child, words move when a loop in time outside of the child steps; the loops that do not index the operand and
 * stand innermost above the child are free. What one instance of the child receives, times the groups of
 * instances that need different words, is what the parent reads. For the output the same words travel the other
 * way, and partial sums meet instead of being served. */
#include "mapper/cost/count.h"
#include "mapper/cost/sums.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static bool is_relevant(const struct view *v, int loop)
{
	return v->operand->relevant >> v->outline->m->loop[loop].dim & 1;
}

/* ---- What one instance of a child receives -------------------------------------------------------------------- */

/* Words of the tile that are new after a step of a loop; all of them where it moves several ranks. */
static int64_t fresh(const struct view *v, int child, int loop, int64_t tile)
{
	const struct mapped_loop *l = &v->outline->m->loop[loop];
	int moved = -1;

	for (int r = 0; r < v->operand->ranks; r++)
		if (v->operand->coef[r][l->dim]) {
			if (moved >= 0)
				return tile;
			moved = r;
		}
	int64_t length = view_length(v, moved, v->outline->box[child]);
	int64_t shift = llabs(v->operand->coef[moved][l->dim]) * l->tile;
	return shift < length ? tile / length * shift : tile;
}

/* Words that arrive at one instance of a child: rules 1 and 2. With halo delta the steps of the innermost relevant loop
 * bring what is new, all other steps the whole tile. */
static int64_t words_moved(const struct view *v, int child, int64_t tile)
{
	const struct outline *n = v->outline;
	int64_t new = tile;
	int inner = n->first[child] - 1;

	while (inner >= 0 && (n->m->loop[inner].kind == LOOP_SPACE || n->steps[inner] == 1 ||
			      !is_relevant(v, inner)))
		inner--;
	if (inner < 0)
		return tile;
	if (n->m->machine->level[child].halo == HALO_DELTA)
		new = fresh(v, child, inner, tile);
	return n->turns[inner] * (tile + (n->steps[inner] - 1) * new);
}

/* ---- Who shares ---------------------------------------------------------------------------------------------- */

static int64_t units_of(const struct outline *n, int first, int last)
{
	int64_t units = 1;

	for (int i = first; i < last; i++)
		if (n->m->loop[i].kind == LOOP_SPACE)
			units *= n->steps[i];
	return units;
}

/* The loops in space between `first` and `last` as shifts of one number that stands for the place of the tile: the
 * ranks are digits, so far apart that no sum carries. loop[] is filled with the loops, outermost first. */
static int shifts_of(const struct view *v, int first, int last, struct shift shift[], int loop[])
{
	const struct mapping *m = v->outline->m;
	int64_t digit = 1;
	int count = 0;

	for (int i = first; i < last; i++)
		if (m->loop[i].kind == LOOP_SPACE) {
			loop[count] = i;
			shift[count++] = (struct shift){0, v->outline->steps[i]};
		}
	for (int r = 0; r < v->operand->ranks; r++) {
		int64_t reach = 0;
		for (int k = 0; k < count; k++) {
			const struct mapped_loop *l = &m->loop[loop[k]];
			int64_t step = llabs(v->operand->coef[r][l->dim]) * l->tile;
			shift[k].step += step * digit;
			reach += step * (shift[k].bound - 1);
		}
		digit *= reach + 1;
	}
	return count;
}

/* From the inside out: each loop spreads what the units inside of it ask for; in one array the loops that merge lie
 * inside of those set apart. */
static int64_t spread(const struct view *v, int count, const struct shift shift[], const int loop[])
{
	const struct mapping *m = v->outline->m;
	struct places places;
	int64_t total;

	if (!places_start(&places))
		return -1;
	for (int last = count; last > 0;) {
		int first = last, level = m->loop[loop[last - 1]].level;
		while (first > 0 && m->loop[loop[first - 1]].level == level)
			first--;
		for (int merged = 1; merged >= 0; merged--)
			for (int k = first; k < last; k++)
				if (view_merges(v, loop[k]) == merged &&
				    !places_spread(&places, shift[k], merged))
					return -1;
		last = first;
	}
	total = places_total(&places);
	places_free(&places);
	return total;
}

/* Units between `first` and `last` in groups that are served together: those whose tiles lie at one place (rule 4).
 * -1: no memory. */
static int64_t groups_of(const struct view *v, int first, int last)
{
	const struct outline *n = v->outline;
	struct shift shift[MAX_MAPPED_LOOPS];
	int loop[MAX_MAPPED_LOOPS], spaces = 0, merging = 0;
	int64_t groups = 1;
	unsigned moving = 0;

	for (int i = first; i < last; i++) {
		if (n->m->loop[i].kind == LOOP_TIME)
			continue;
		bool moves = is_relevant(v, i), merged = view_merges(v, i);
		spaces++;
		merging += merged;
		if (moves && n->steps[i] > 1)
			moving |= 1u << n->m->loop[i].dim;
		if (moves || !merged)
			groups *= n->steps[i];
	}
	if (merging == 0 || v->is_plain || !view_meets(v, moving))
		return groups;
	shifts_of(v, first, last, shift, loop);
	return merging == spaces ? sums_distinct(spaces, shift) : spread(v, spaces, shift, loop);
}

/* ---- Counts -------------------------------------------------------------------------------------------------- */

/* Words of a rank that several dimensions index in the whole run, as below. */
static int64_t covered(const struct view *v, int rank, int first, int level)
{
	const struct outline *n = v->outline;
	struct shift shift[MAX_MAPPED_LOOPS];
	int count = 0;

	for (int i = 0; i < n->first[level]; i++) {
		const struct mapped_loop *l = &n->m->loop[i];
		int64_t coef = llabs(v->operand->coef[rank][l->dim]);
		if (coef && (i >= first || l->kind == LOOP_TIME))
			shift[count++] = (struct shift){coef * l->tile, n->steps[i]};
	}
	return sums_cover(count, shift, view_length(v, rank, n->box[level]));
}

/* Words of the output that come to one instance in the whole run (rule 3): the union of the boxes of a level, over all
 * loops outside of it but those in space outside of the instance, which begins at `first`. Those of one dimension never
 * overlap. -1: no memory. */
static int64_t distinct_of(const struct view *v, int first, int level)
{
	const struct outline *n = v->outline;
	int64_t words = 1;

	if (v->is_plain) {
		words = view_words(v, n->box[level]);
		for (int i = 0; i < n->first[level]; i++)
			if ((i >= first || n->m->loop[i].kind == LOOP_TIME) && is_relevant(v, i))
				words *= n->steps[i];
		return words;
	}
	for (int r = 0; r < v->operand->ranks && words > 0; r++)
		words *= covered(v, r, first, level);
	return words;
}

/* What passes the arrays with a limited network between a parent and its child: of the output all that comes out, and what is
 * sent back in. */
static bool pass_networks(const struct view *v, int parent, int child, int64_t each,
			  struct moved one[MAX_LEVELS][MAX_OPERANDS])
{
	const struct outline *n = v->outline;
	bool ok = true;

	for (int level = parent; level < child; level++) {
		if (n->m->machine->level[level].network_bandwidth <= 0)
			continue;
		int64_t groups = groups_of(v, n->first[level], n->first[child]), first_visits = 0;
		one[level][v->number].network = each * groups;
		if (v->operand->class == CLASS_O) {
			first_visits = distinct_of(v, n->first[level], child);
			one[level][v->number].network += each * groups - first_visits;
		}
		ok &= groups > 0 && first_visits >= 0;
	}
	return ok;
}

/* What passes between a parent and its child; below the last level those are the MACs. */
static bool pass(const struct view *v, int parent, int child, struct cost *cost,
		 struct moved one[MAX_LEVELS][MAX_OPERANDS])
{
	const struct outline *n = v->outline;
	int operand = v->number;
	int from = n->first[parent], to = n->first[child];
	bool is_mac = child == n->m->machine->levels;
	int64_t each =
		is_mac ? cost->steps : words_moved(v, child, cost->traffic[child][operand].tile);
	int64_t groups = groups_of(v, from, to), first_visits, arrived;
	int64_t *up = one[parent][operand].words;
	bool ok = pass_networks(v, parent, child, each, one);

	cost->traffic[parent][operand].deliveries =
		each * units_of(n, from, to) * cost->instances[parent];
	if (v->operand->class != CLASS_O) {
		up[ACCESS_READ] = each * groups;
		if (!is_mac)
			one[child][operand].words[ACCESS_FILL] = each;
		return ok && groups > 0;
	}
	first_visits = distinct_of(v, from, child);
	arrived = is_mac ? 1 : distinct_of(v, to, child);
	up[ACCESS_UPDATE] = each * groups;
	up[ACCESS_READ] = each * groups - first_visits;
	if (!is_mac)
		one[child][operand].words[ACCESS_FILL] = each - arrived;
	return ok && groups > 0 && first_visits > 0 && arrived > 0;
}

static bool count_operand(const struct view *v, struct cost *cost,
			  struct moved one[MAX_LEVELS][MAX_OPERANDS])
{
	const struct mapping *m = v->outline->m;
	int operand = v->number, parent = 0;
	bool ok = true;

	for (int level = 0; level < m->machine->levels; level++) {
		if (!(m->keep[level] >> operand & 1))
			continue;
		if (level > 0)
			ok &= pass(v, parent, level, cost, one);
		parent = level;
	}
	return pass(v, parent, m->machine->levels, cost, one) && ok;
}

static bool perfect_count(const struct outline *n, const struct view view[],
			  const struct passed *passed, struct cost *cost,
			  struct load load[MAX_LEVELS])
{
	const struct mapping *m = n->m;
	struct moved one[MAX_LEVELS][MAX_OPERANDS];
	bool ok = true;

	cost->steps = n->turns[m->loops];
	cost->units = units_of(n, 0, m->loops);
	for (int level = 0; level < m->machine->levels; level++)
		cost->instances[level] = units_of(n, 0, n->first[level]);
	memset(one, 0, (size_t)m->machine->levels * sizeof *one);
	for (int o = 0; o < m->problem->operands; o++)
		ok &= count_operand(&view[o], cost, one);
	for (int level = 0; level < m->machine->levels; level++) {
		if (!passed->any[level])
			take_instances(m, level, one[level], cost->instances[level], cost,
				       &load[level]);
		else
			for (int64_t i = 0; i < cost->instances[level]; i++)
				take_instance(m, level, one[level], passed, i, cost, &load[level]);
	}
	return ok;
}

/* ---- Energy and cycles (section 3) ---------------------------------------------------------------------------------- */

static void add_energy(const struct mapping *m, struct cost *cost)
{
	cost->energy_mac = (double)cost->macs * m->machine->mac_cost;
	cost->energy = cost->energy_mac;
	for (int level = 0; level < m->machine->levels; level++) {
		const struct level *l = &m->machine->level[level];
		double network = 0;

		for (int o = 0; o < m->problem->operands; o++) {
			struct traffic *t = &cost->traffic[level][o];
			if (l->topology[m->problem->operand[o].class] == TOPOLOGY_BUS)
				t->hops = t->deliveries;
			for (int k = 0; k < ACCESS_KINDS; k++)
				cost->energy_level[level] += (double)t->accesses[k] * l->cost[k];
			network += (double)t->hops * l->hop_cost;
		}
		cost->energy_network += network;
		cost->energy += cost->energy_level[level] + network;
	}
}

/* Every instance that the machine has leaks in every cycle, at work or not. */
static void add_leakage(const struct mapping *m, struct cost *cost)
{
	double copies = 1, each_cycle = m->machine->leakage;

	for (int level = 0; level < m->machine->levels; level++) {
		const struct level *l = &m->machine->level[level];
		each_cycle += l->leakage * copies;
		for (int a = 0; a < l->axes; a++)
			copies *= (double)l->fanout[a];
	}
	each_cycle += m->machine->mac_leakage * copies;
	cost->energy_leakage = each_cycle * (double)cost->cycles;
	cost->energy += cost->energy_leakage;
}

/* Time of so many words through a port; ports without limit take none. */
static int64_t port_cycles(int64_t words, double bandwidth)
{
	return bandwidth > 0 ? (int64_t)ceil((double)words / bandwidth) : 0;
}

static int64_t greater(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void take_longer(struct cost *cost, int64_t cycles, enum bound_kind bound, int level)
{
	if (cycles <= cost->cycles)
		return;
	cost->cycles = cycles;
	cost->bound = bound;
	cost->bound_level = level;
}

static void load_take(const struct mapping *m, int level, const struct moved one[MAX_OPERANDS],
		      struct load *load)
{
	struct load now = {0};

	for (int o = 0; o < m->problem->operands; o++) {
		const int64_t *words = one[o].words;
		int64_t read = words[ACCESS_READ];
		int64_t written = words[ACCESS_FILL] + words[ACCESS_UPDATE];
		enum tensor_class class = m->problem->operand[o].class;
		now.network += one[o].network;
		if (m->machine->level[level].class_bandwidth[class] > 0) {
			now.own[class] += read + written;
			continue;
		}
		now.read += read;
		now.write += written;
		now.shared += read + written;
	}
	load->read = greater(load->read, now.read);
	load->write = greater(load->write, now.write);
	load->shared = greater(load->shared, now.shared);
	load->network = greater(load->network, now.network);
	for (int c = 0; c < CLASSES; c++)
		load->own[c] = greater(load->own[c], now.own[c]);
}

void take_instances(const struct mapping *m, int level, const struct moved one[MAX_OPERANDS],
		    int64_t instances, struct cost *cost, struct load *load)
{
	int64_t width = m->machine->level[level].width;

	for (int o = 0; o < m->problem->operands; o++) {
		struct traffic *all = &cost->traffic[level][o];
		for (int k = 0; k < ACCESS_KINDS; k++) {
			int64_t words = one[o].words[k];
			int64_t accesses = width > 1 ? (words + width - 1) / width : words;
			all->count[k] += words * instances;
			all->accesses[k] += accesses * instances;
			all->per_instance[k] = greater(all->per_instance[k], words);
		}
		all->network = greater(all->network, one[o].network);
	}
	load_take(m, level, one, load);
}

void take_instance(const struct mapping *m, int level, const struct moved one[MAX_OPERANDS],
		   const struct passed *passed, int64_t instance, struct cost *cost,
		   struct load *load)
{
	struct moved own[MAX_OPERANDS];

	for (int o = 0; o < m->problem->operands; o++) {
		own[o] = one[o];
		if (passed->words[level][o])
			own[o].words[ACCESS_READ] += passed->words[level][o][instance];
	}
	take_instances(m, level, own, 1, cost, load);
}

static void add_cycles(const struct mapping *m, const struct load load[], struct cost *cost)
{
	cost->cycles = cost->steps;
	cost->bound = BOUND_COMPUTE;
	for (int level = 0; level < m->machine->levels; level++) {
		const struct level *l = &m->machine->level[level];
		const struct load *most = &load[level];

		take_longer(cost, port_cycles(most->read, l->read_bandwidth), BOUND_READ, level);
		take_longer(cost, port_cycles(most->write, l->write_bandwidth), BOUND_WRITE, level);
		take_longer(cost, port_cycles(most->shared, l->shared_bandwidth), BOUND_SHARED,
			    level);
		for (int c = 0; c < CLASSES; c++) {
			int64_t before = cost->cycles;
			take_longer(cost, port_cycles(most->own[c], l->class_bandwidth[c]),
				    BOUND_CLASS, level);
			if (cost->cycles > before)
				cost->bound_class = (enum tensor_class)c;
		}
		cost->network_words[level] = most->network;
		take_longer(cost, port_cycles(most->network, l->network_bandwidth), BOUND_NETWORK,
			    level);
	}
}

/* Rows of levels that there are not are left as they are. */
static void clear(struct cost *cost, int levels)
{
	size_t rest = offsetof(struct cost, instances);

	memset(cost->traffic, 0, (size_t)levels * sizeof *cost->traffic);
	memset((char *)cost + rest, 0, sizeof *cost - rest);
}

bool mapping_cost(const struct mapping *m, struct cost *cost)
{
	struct load load[MAX_LEVELS] = {0};
	struct view view[MAX_OPERANDS];
	struct passed passed = {0};
	struct outline n;
	bool is_perfect = outline_of(m, &n), ok;

	clear(cost, m->machine->levels);
	cost->macs = 1;
	for (int d = 0; d < m->problem->dims; d++)
		cost->macs *= m->problem->extent[d];
	for (int o = 0; o < m->problem->operands; o++) {
		view_of(&n, o, &view[o]);
		for (int level = 0; level < m->machine->levels; level++)
			if (m->keep[level] >> o & 1)
				cost->traffic[level][o].tile = view_words(&view[o], n.box[level]);
	}
	ok = routes_count(&n, view, cost, &passed);
	if (ok)
		ok = is_perfect ? perfect_count(&n, view, &passed, cost, load)
				: imperfect_count(&n, view, &passed, cost, load);
	passed_free(&passed);
	add_energy(m, cost);
	add_cycles(m, load, cost);
	add_leakage(m, cost);
	return ok;
}
