/* brute_mapper.c -- a problem, a machine and a constraint go in; the best mapping for each objective
 * comes out, because every mapping of the space was costed. Written from docs/mapper.md and rule 8
 * of docs/cost-model.md alone; only what a mapping costs is asked of others.
 *
 * All splits of each dimension are listed; then every combination of them, every set of operands
 * kept by each level and every order of the loops in time of each level is a mapping. A partial
 * combination is given up only where it is illegal whatever follows: tiles and units never shrink
 * when another dimension is split. What anything costs gives up nothing. */
#include "brute_mapper.h"
#include "nest_executor.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIMS = 8, SUBSETS = 1 << MOST_DIMS, KEEPS = 1 << MAX_OPERANDS, TRIED_FOR_ONE = 8 };

/* Where one dimension runs. Loops of one step do not exist. */
struct split {
	int64_t inside[MAX_LEVELS + 1]; /* what is left of it at each level, and to the MACs: 1 */
	int64_t time_tile
		[MAX_LEVELS];      /* what its loop in time leaves; inside[l] if there is none */
	int64_t units[MAX_LEVELS]; /* steps of its loop in space */
	int axis[MAX_LEVELS];      /* of that loop */
	bool imperfect;
};

struct order {
	int dim[MOST_DIMS]; /* outermost first */
	int64_t times;      /* orders of its class */
};

/* Of the loops in time that a level has; one order for each class. */
struct orders {
	bool listed;
	int count;
	struct order *order;
};

struct walk {
	const struct problem *problem;
	const struct hierarchy *machine;
	struct search_options options;
	struct constraint constraint;
	bool every_order;
	int splits[MOST_DIMS];
	struct split *split[MOST_DIMS];
	struct orders orders[MAX_LEVELS][SUBSETS];
	/* The combination so far. */
	const struct split *chosen[MOST_DIMS];
	unsigned looped[MAX_LEVELS]; /* bit per dimension with a loop in time at the level */
	int keeps[MAX_LEVELS];
	unsigned keep[MAX_LEVELS][KEEPS];
	struct mapping mapping;
	struct brute_result *result; /* NULL: mappings are counted alone, */
	int64_t counted, most;       /* and no more than so many, */
	int64_t tried;               /* nor among many more combinations */
};

static void *new_array(int64_t count, size_t size)
{
	void *memory = calloc((size_t)count + 1, size);
	if (!memory)
		abort();
	return memory;
}

static int64_t parts(int64_t whole, int64_t part)
{
	return (whole + part - 1) / part;
}

/* Values and ties. */

bool brute_same(double a, double b)
{
	return fabs(a - b) <= BRUTE_SAME * fmax(fabs(a), fabs(b));
}

double brute_value(enum objective objective, const struct cost *cost)
{
	double cycles = (double)cost->cycles;
	if (objective == OBJECTIVE_CYCLES)
		return cycles;
	return objective == OBJECTIVE_EDP ? cost->energy * cycles : cost->energy;
}

double brute_tie(enum objective objective, const struct cost *cost)
{
	return objective == OBJECTIVE_ENERGY ? (double)cost->cycles : cost->energy;
}

static bool is_less(double a, double b)
{
	return a < b && !brute_same(a, b);
}

void brute_cost(const struct mapping *mapping, struct cost *cost)
{
	int64_t left[MAX_DIMS];
	bool perfect = true;
	memcpy(left, mapping->problem->extent, sizeof left);
	for (int i = 0; i < mapping->loops; i++) {
		const struct mapped_loop *loop = &mapping->loop[i];
		perfect &= left[loop->dim] % loop->tile == 0;
		left[loop->dim] = loop->tile;
	}
	if (!perfect)
		execute_mapping(mapping, cost);
	else if (!mapping_cost(mapping, cost))
		abort();
}

/* Room and constraint. */

static int64_t words_of(const struct problem *problem, int operand, const int64_t extent[MAX_DIMS])
{
	const struct operand *o = &problem->operand[operand];
	int64_t words = 1;
	for (int r = 0; r < o->ranks; r++) {
		int64_t length = 1;
		for (int d = 0; d < problem->dims; d++)
			length += llabs(o->coef[r][d]) * (extent[d] - 1);
		words *= length;
	}
	return words;
}

/* Rule 8: all together in the memory, those of a class with room of its own in that. */
static bool has_room(const struct problem *problem, const struct level *level, unsigned keep,
		     const int64_t extent[MAX_DIMS])
{
	int64_t all = 0, class_words[CLASSES] = {0};
	for (int o = 0; o < problem->operands; o++)
		if (keep >> o & 1) {
			int64_t words = words_of(problem, o, extent);
			all += words;
			class_words[problem->operand[o].class] += words;
		}
	for (int c = 0; c < CLASSES; c++)
		if (level->class_words[c] &&
		    class_words[c] * level->buffers > level->class_words[c])
			return false;
	return level->words == 0 || all * level->buffers <= level->words;
}

static bool allows(int64_t demanded, int64_t steps)
{
	return demanded == 0 || demanded == steps;
}

/* May the loops in time of a level stand so? Loops that are not named stand outside of those that
 * are, and loops that index what is stationary outside of those that do not. */
static bool allows_order(const struct constraint *constraint, const struct problem *problem,
			 int level, int count, const int dim[])
{
	int operand = constraint->stationary[level], named = -1, free_loop = false;
	for (int i = 0; i < count; i++) {
		int place = -1;
		for (int k = 0; k < constraint->order_count[level]; k++)
			if (constraint->order[level][k] == dim[i])
				place = k;
		if (place < named)
			return false;
		named = place;
		if (operand < 0)
			continue;
		if (!(problem->operand[operand].relevant >> dim[i] & 1))
			free_loop = true;
		else if (free_loop)
			return false;
	}
	return true;
}

/* Orders of the loops in time. */

static bool same_class(const struct walk *walk, int count, const int a[], const int b[])
{
	for (int o = 0; o < walk->problem->operands; o++) {
		unsigned relevant = walk->problem->operand[o].relevant, free_a = 0, free_b = 0;
		int i = count - 1, k = count - 1;
		while (i >= 0 && !(relevant >> a[i] & 1))
			free_a |= 1u << a[i--];
		while (k >= 0 && !(relevant >> b[k] & 1))
			free_b |= 1u << b[k--];
		if (free_a != free_b || (i >= 0 && a[i] != b[k]))
			return false;
	}
	return true;
}

/* Rules 1 and 2 see of an order, for each operand, the innermost loop that indexes it and the set of
 * loops inside of that one, no more. (What units with less to do share, they do not say: with
 * imperfect factors each order is its own class.) */
static void add_order(struct walk *walk, int level, struct orders *orders, int count,
		      const int dim[])
{
	if (!allows_order(&walk->constraint, walk->problem, level, count, dim))
		return;
	for (int i = 0; i < orders->count && !walk->every_order; i++)
		if (same_class(walk, count, orders->order[i].dim, dim)) {
			orders->order[i].times++;
			return;
		}
	if ((orders->count & (orders->count + 1)) == 0) {
		size_t room = 2 * (size_t)orders->count + 1;
		orders->order = realloc(orders->order, room * sizeof *orders->order);
		if (!orders->order)
			abort();
	}
	struct order *order = &orders->order[orders->count++];
	order->times = 1;
	memcpy(order->dim, dim, (size_t)count * sizeof *dim);
}

static void list_orders(struct walk *walk, int level, struct orders *orders, unsigned left,
			int count, int dim[])
{
	if (left == 0)
		add_order(walk, level, orders, count, dim);
	for (int d = 0; left >> d; d++)
		if (left >> d & 1) {
			dim[count] = d;
			list_orders(walk, level, orders, left & ~(1u << d), count + 1, dim);
		}
}

static const struct orders *orders_of(struct walk *walk, int level)
{
	struct orders *orders = &walk->orders[level][walk->looped[level]];
	int dim[MOST_DIMS];
	if (!orders->listed)
		list_orders(walk, level, orders, walk->looped[level], 0, dim);
	orders->listed = true;
	return orders;
}

/* Splits of a dimension. */

static void add_split(struct walk *walk, int dim, const struct split *split)
{
	int count = walk->splits[dim]++;
	if ((count & (count + 1)) == 0) {
		size_t room = 2 * (size_t)count + 1;
		walk->split[dim] = realloc(walk->split[dim], room * sizeof *split);
		if (!walk->split[dim])
			abort();
	}
	walk->split[dim][count] = *split;
}

static void split_level(struct walk *walk, int dim, int level, struct split *split);

/* May a dimension have so many steps along this axis, and none along the others? */
static bool allows_space(const struct walk *walk, int dim, int level, int axis, int64_t steps)
{
	bool allowed = true;
	for (int a = 0; a < walk->machine->level[level].axes; a++)
		allowed &= allows(walk->constraint.space[level][a][dim], a == axis ? steps : 1);
	return allowed;
}

static void split_space(struct walk *walk, int dim, int level, struct split *split)
{
	const struct level *array = &walk->machine->level[level];
	int64_t left = split->time_tile[level];
	bool was_imperfect = split->imperfect;
	split->units[level] = 1;
	split->inside[level + 1] = left;
	if (allows_space(walk, dim, level, 0, 1))
		split_level(walk, dim, level + 1, split);
	for (int a = 0; a < array->axes; a++)
		for (int64_t n = 2; n <= array->fanout[a] && n <= left; n++) {
			int64_t tile = parts(left, n);
			bool imperfect = left % n != 0;
			/* where fewer than n units are busy, it is met as that number */
			if (parts(left, tile) != n || !allows_space(walk, dim, level, a, n) ||
			    (imperfect && (!walk->options.imperfect || was_imperfect)))
				continue;
			split->units[level] = n;
			split->axis[level] = a;
			split->inside[level + 1] = tile;
			split->imperfect = was_imperfect || imperfect;
			split_level(walk, dim, level + 1, split);
		}
	split->imperfect = was_imperfect;
}

static void split_level(struct walk *walk, int dim, int level, struct split *split)
{
	if (level == walk->machine->levels) {
		if (split->inside[level] == 1)
			add_split(walk, dim, split);
		return;
	}
	int64_t left = split->inside[level];
	for (int64_t steps = 1; steps <= left; steps++) {
		if (left % steps != 0 || !allows(walk->constraint.time[level][dim], steps) ||
		    (steps > 1 && !walk->machine->level[level].is_memory))
			continue;
		split->time_tile[level] = left / steps;
		split_space(walk, dim, level, split);
	}
}

/* Mappings of one combination of splits. */

static void offer(struct brute_best *best, bool first, enum objective objective,
		  const struct mapping *mapping, const struct cost *cost)
{
	double value = brute_value(objective, cost), tie = brute_tie(objective, cost);
	if (!first && (is_less(best->value, value) ||
		       (brute_same(best->value, value) && !is_less(tie, best->tie))))
		return;
	*best = (struct brute_best){value, tie, *mapping, *cost};
}

/* The front stands by growing energy and falling cycles. */
static void add_point(struct brute_result *result, double energy, int64_t cycles)
{
	int at = 0, kept = 0;
	for (int i = 0; i < result->points; i++)
		if (result->point[i].cycles <= cycles && !is_less(energy, result->point[i].energy))
			return;
	for (int i = 0; i < result->points; i++) {
		struct brute_point point = result->point[i];
		if (cycles <= point.cycles && !is_less(point.energy, energy))
			continue;
		result->point[kept++] = point;
		at += point.cycles > cycles;
	}
	result->point = realloc(result->point, (size_t)(kept + 1) * sizeof *result->point);
	if (!result->point)
		abort();
	memmove(&result->point[at + 1], &result->point[at],
		(size_t)(kept - at) * sizeof *result->point);
	result->point[at] = (struct brute_point){energy, cycles};
	result->points = kept + 1;
}

static bool is_same_cost(const struct cost *a, const struct cost *b)
{
	return brute_same(a->energy, b->energy) && a->cycles == b->cycles;
}

/* The closed form may not be the only one to say what a mapping costs: some all over the space are walked as well. */
static void walk_some(const struct mapping *mapping, const struct cost *cost,
		      struct brute_result *result)
{
	enum { FIRST = 8, ONE_IN = 199 };
	struct cost walked;
	if (result->evaluations > FIRST && result->evaluations % ONE_IN != 0)
		return;
	execute_mapping(mapping, &walked);
	result->miscounted += !is_same_cost(cost, &walked);
}

/* And those that are best: what counts too little for some mapping makes it seem so. */
static void walk_best(struct brute_result *result)
{
	for (int i = 0; i < OBJECTIVES && result->mappings > 0; i++) {
		struct cost walked;
		execute_mapping(&result->best[i].mapping, &walked);
		result->miscounted += !is_same_cost(&result->best[i].cost, &walked);
	}
}

static void evaluate(struct walk *walk, bool imperfect, int64_t times)
{
	struct brute_result *result = walk->result;
	struct cost cost;
	result->evaluations++;
	result->imperfect += imperfect;
	brute_cost(&walk->mapping, &cost);
	walk_some(&walk->mapping, &cost, result);
	if (walk->options.most_cycles && cost.cycles > walk->options.most_cycles)
		return;
	for (int i = 0; i < OBJECTIVES; i++)
		offer(&result->best[i], result->mappings == 0, (enum objective)i, &walk->mapping,
		      &cost);
	add_point(result, cost.energy, cost.cycles);
	result->mappings += times;
	result->energy += (double)times * cost.energy;
	result->cycles += (double)(times * cost.cycles);
}

static void append(struct mapping *mapping, enum loop_kind kind, int level, int axis, int dim,
		   int64_t tile)
{
	assert(mapping->loops < MAX_MAPPED_LOOPS);
	mapping->loop[mapping->loops++] = (struct mapped_loop){kind, level, axis, dim, tile};
}

/* On a mesh a unit's place is made of the steps over it, and loops in space along one axis stand in several orders: rule 2. */
static bool has_mesh(const struct hierarchy *machine, const struct problem *problem, int level)
{
	const struct level *l = &machine->level[level];
	bool has = false;
	for (int o = 0; o < problem->operands; o++)
		has |= l->topology[problem->operand[o].class] != TOPOLOGY_BUS;
	return has && l->axes > 0 && l->hop_cost > 0 && l->fanout[0] * l->fanout[1] <= 256;
}

/* The set of operands that a dimension indexes. */
static unsigned indexed(const struct problem *problem, int dim)
{
	unsigned set = 0;
	for (int o = 0; o < problem->operands; o++)
		if (problem->operand[o].relevant & 1u << dim)
			set |= 1u << o;
	return set;
}

static bool runs_along(const struct walk *walk, int level, int axis, int dim)
{
	return walk->chosen[dim]->units[level] > 1 && walk->chosen[dim]->axis[level] == axis;
}

/* The sets of operands that dimensions along an axis index, each once, by their number. */
static int sets_along(const struct walk *walk, int level, int axis, unsigned set[MAX_DIMS])
{
	int count = 0;
	for (int d = 0; d < walk->problem->dims; d++) {
		bool is_new = runs_along(walk, level, axis, d);
		for (int i = 0; i < count; i++)
			is_new &= set[i] != indexed(walk->problem, d);
		if (is_new)
			set[count++] = indexed(walk->problem, d);
	}
	return count;
}

/* Do two of these dimensions move one rank of an operand whose network is a mesh or torus? */
static bool slide_on_mesh(const struct hierarchy *machine, const struct problem *problem, int level,
			  unsigned dims)
{
	for (int o = 0; o < problem->operands; o++) {
		const struct operand *operand = &problem->operand[o];
		if (machine->level[level].topology[operand->class] == TOPOLOGY_BUS)
			continue;
		for (int r = 0; r < operand->ranks; r++) {
			int moving = 0;
			for (int d = 0; d < problem->dims; d++)
				moving += (dims & 1u << d) && operand->coef[r][d] != 0;
			if (moving > 1)
				return true;
		}
	}
	return false;
}

/* Are there several orders? */
static bool has_orders(const struct walk *walk, int level)
{
	unsigned dims = 0;
	for (int d = 0; d < walk->problem->dims; d++)
		dims |= (unsigned)(walk->chosen[d]->units[level] > 1) << d;
	return has_mesh(walk->machine, walk->problem, level) &&
	       !slide_on_mesh(walk->machine, walk->problem, level, dims);
}

/* How many orders there are of the loops in space, and more: some are none, see append_space. */
static int space_orders(const struct walk *walk, int level)
{
	unsigned set[MAX_DIMS];
	int orders = 1;
	if (!has_orders(walk, level))
		return 1;
	for (int a = 0; a < walk->machine->level[level].axes; a++)
		for (int n = sets_along(walk, level, a, set); n > 1; n--)
			orders *= n;
	return orders;
}

/* Dimensions along an axis that index these operands, or, without a mesh, all. */
static void append_set(struct walk *walk, int level, int axis, bool all, unsigned set)
{
	for (int d = 0; d < walk->problem->dims; d++)
		if (runs_along(walk, level, axis, d) && (all || indexed(walk->problem, d) == set))
			append(&walk->mapping, LOOP_SPACE, level, axis, d,
			       walk->chosen[d]->inside[level + 1]);
}

static bool is_within(unsigned set, unsigned other)
{
	return set != other && (set | other) == other;
}

/* The loops in space in the order of this number; false where a set would stand outside of one that it is a part of. */
static bool append_space(struct walk *walk, int level, int number)
{
	bool is_order = true;
	for (int a = 0; a < walk->machine->level[level].axes; a++) {
		unsigned set[MAX_DIMS];
		int count = sets_along(walk, level, a, set);
		if (!has_orders(walk, level)) {
			append_set(walk, level, a, true, 0);
			continue;
		}
		for (; count > 0; count--) {
			int pick = number % count;
			for (int i = 0; i < count; i++)
				is_order &= !is_within(set[pick], set[i]);
			append_set(walk, level, a, false, set[pick]);
			number /= count;
			memmove(&set[pick], &set[pick + 1],
				(size_t)(count - pick - 1) * sizeof *set);
		}
	}
	return is_order;
}

static bool append_level(struct walk *walk, int level, const struct order *order, int space)
{
	for (int i = 0; i < __builtin_popcount(walk->looped[level]); i++)
		append(&walk->mapping, LOOP_TIME, level, 0, order->dim[i],
		       walk->chosen[order->dim[i]]->time_tile[level]);
	return append_space(walk, level, space);
}

/* Every set kept by this level, every order of its loops, and so on for the levels inside. */
static void walk_level(struct walk *walk, int level, bool imperfect, int64_t times)
{
	const struct orders *orders;
	int loops = walk->mapping.loops;
	if (level == walk->machine->levels) {
		evaluate(walk, imperfect, times);
		return;
	}
	orders = orders_of(walk, level);
	int spaces = space_orders(walk, level);
	for (int i = 0; i < orders->count * spaces; i++) {
		const struct order *order = &orders->order[i / spaces];
		bool is_order = append_level(walk, level, order, i % spaces);
		for (int k = 0; k < walk->keeps[level] && is_order; k++) {
			walk->mapping.keep[level] = walk->keep[level][k];
			walk_level(walk, level + 1, imperfect, times * order->times);
		}
		walk->mapping.loops = loops;
	}
}

static void walk_combination(struct walk *walk)
{
	int64_t mappings = 1;
	bool imperfect = false;
	for (int d = 0; d < walk->problem->dims; d++)
		imperfect |= walk->chosen[d]->imperfect;
	for (int l = 0; l < walk->machine->levels; l++) {
		unsigned must = walk->constraint.must_keep[l], may = walk->constraint.may_keep[l];
		int64_t extent[MAX_DIMS] = {0};
		walk->looped[l] = 0;
		walk->keeps[l] = 0;
		for (int d = 0; d < walk->problem->dims; d++) {
			extent[d] = walk->chosen[d]->inside[l];
			if (walk->chosen[d]->time_tile[l] < extent[d])
				walk->looped[l] |= 1u << d;
		}
		for (unsigned keep = 0; keep <= may; keep++)
			if (!(must & ~keep) && !(keep & ~may) &&
			    has_room(walk->problem, &walk->machine->level[l], keep, extent))
				walk->keep[l][walk->keeps[l]++] = keep;
		mappings *= walk->keeps[l] * (int64_t)orders_of(walk, l)->count;
	}
	if (walk->result)
		walk_level(walk, 0, imperfect, 1);
	walk->counted += mappings;
}

/* Can the dimensions up to `dim` be split as chosen, if the others take no room and no units? */
static bool may_go_on(const struct walk *walk, int dim)
{
	for (int l = 0; l < walk->machine->levels; l++) {
		const struct level *level = &walk->machine->level[l];
		int64_t units[MAX_AXES] = {1, 1}, extent[MAX_DIMS];
		for (int d = 0; d < walk->problem->dims; d++)
			extent[d] = d <= dim ? walk->chosen[d]->inside[l] : 1;
		for (int d = 0; d <= dim; d++)
			if (walk->chosen[d]->units[l] > 1)
				units[walk->chosen[d]->axis[l]] *= walk->chosen[d]->units[l];
		for (int a = 0; a < level->axes; a++)
			if (units[a] > level->fanout[a])
				return false;
		if (!has_room(walk->problem, level, walk->constraint.must_keep[l], extent))
			return false;
	}
	return true;
}

static void choose_split(struct walk *walk, int dim)
{
	if (dim == walk->problem->dims) {
		walk_combination(walk);
		return;
	}
	for (int i = 0; i < walk->splits[dim]; i++) {
		walk->chosen[dim] = &walk->split[dim][i];
		if (!walk->result &&
		    (walk->counted > walk->most || walk->tried++ > TRIED_FOR_ONE * walk->most))
			return;
		if (may_go_on(walk, dim))
			choose_split(walk, dim + 1);
	}
}

static void take_constraint(struct constraint *constraint, const struct problem *problem,
			    const struct hierarchy *machine, const struct search_options *options)
{
	if (options->constraint)
		*constraint = *options->constraint;
	else
		constraint_free(constraint, problem, machine);
}

static void walk_all(struct walk *walk)
{
	assert(walk->problem->dims <= MOST_DIMS);
	take_constraint(&walk->constraint, walk->problem, walk->machine, &walk->options);
	for (int d = 0; d < walk->problem->dims; d++) {
		struct split split = {.inside = {walk->problem->extent[d]}};
		split_level(walk, d, 0, &split);
	}
	choose_split(walk, 0);
	for (int d = 0; d < walk->problem->dims; d++)
		free(walk->split[d]);
	for (int l = 0; l < walk->machine->levels; l++)
		for (int i = 0; i < SUBSETS; i++)
			free(walk->orders[l][i].order);
}

void brute_search(const struct problem *problem, const struct hierarchy *machine,
		  const struct search_options *options, struct brute_result *result)
{
	struct walk *walk = new_array(1, sizeof *walk);
	*result = (struct brute_result){.every_order = result->every_order};
	walk->problem = walk->mapping.problem = problem;
	walk->machine = walk->mapping.machine = machine;
	walk->options = *options;
	walk->every_order = result->every_order || options->imperfect;
	walk->result = result;
	walk_all(walk);
	walk_best(result);
	free(walk);
}

void brute_release(struct brute_result *result)
{
	free(result->point);
	result->point = NULL;
}

int64_t brute_evaluations(const struct problem *problem, const struct hierarchy *machine,
			  const struct search_options *options, int64_t most)
{
	struct walk *walk = new_array(1, sizeof *walk);
	walk->problem = problem;
	walk->machine = machine;
	walk->options = *options;
	walk->every_order = options->imperfect;
	walk->most = most;
	walk_all(walk);
	bool more = walk->counted > most || walk->tried > TRIED_FOR_ONE * most;
	int64_t counted = more ? most + 1 : walk->counted;
	free(walk);
	return counted;
}

/* Does a mapping belong to the space? */

/* The loops of a mapping, read again. */
struct reading {
	const struct mapping *mapping;
	int64_t left[MAX_DIMS];
	bool imperfect[MAX_DIMS];
	int64_t inside[MAX_LEVELS][MAX_DIMS], time[MAX_LEVELS][MAX_DIMS],
		space[MAX_LEVELS][MAX_AXES][MAX_DIMS];
	int dim[MAX_LEVELS][MAX_DIMS], dims[MAX_LEVELS]; /* of the loops in time, outermost first */
};

/* Along its axis, behind another loop: by dimension, or on a mesh by runs that index the same operands. */
static bool stands_well(const struct mapping *mapping, int i)
{
	const struct mapped_loop *loop = &mapping->loop[i], *before = loop - 1;
	const struct problem *p = mapping->problem;
	unsigned dims = 0;
	for (int k = 0; k < mapping->loops; k++)
		if (mapping->loop[k].level == loop->level && mapping->loop[k].kind == LOOP_SPACE)
			dims |= 1u << mapping->loop[k].dim;
	if (!has_mesh(mapping->machine, p, loop->level) ||
	    slide_on_mesh(mapping->machine, p, loop->level, dims))
		return before->dim < loop->dim;
	if (indexed(p, before->dim) == indexed(p, loop->dim))
		return before->dim < loop->dim;
	for (int k = 0; k < i; k++) {
		const struct mapped_loop *other = &mapping->loop[k];
		if (other->level == loop->level && other->kind == LOOP_SPACE &&
		    other->axis == loop->axis &&
		    (indexed(p, other->dim) == indexed(p, loop->dim) || /* its run has ended */
		     ((indexed(p, other->dim) | indexed(p, loop->dim)) == indexed(p, loop->dim))))
			return false;
	}
	return true;
}

/* Rules 1 and 2 */
static const char *misplaced(const struct mapping *mapping, int i)
{
	const struct mapped_loop *loop = &mapping->loop[i], *before = loop - 1;
	if (loop->level < 0 || loop->level >= mapping->machine->levels || loop->dim < 0 ||
	    loop->dim >= mapping->problem->dims)
		return "a loop over nothing, or nowhere";
	const struct level *level = &mapping->machine->level[loop->level];
	if (loop->kind == LOOP_TIME && !level->is_memory)
		return "a loop in time where no memory is";
	if (loop->kind == LOOP_SPACE && (loop->axis < 0 || loop->axis >= level->axes))
		return "a loop in space along no axis";
	for (int k = 0; k < i; k++) {
		const struct mapped_loop *other = &mapping->loop[k];
		if (other->level == loop->level && other->kind == loop->kind &&
		    other->dim == loop->dim)
			return "two loops of one dimension";
	}
	if (i == 0 || before->level < loop->level)
		return NULL;
	if (before->level > loop->level || before->kind > loop->kind)
		return "loops that are not sorted";
	if (before->kind != LOOP_SPACE || before->axis < loop->axis)
		return NULL;
	if (before->axis > loop->axis || !stands_well(mapping, i))
		return "loops in space that are not sorted";
	return NULL;
}

/* Rule 3 */
static const char *wrong_factor(struct reading *reading, const struct mapped_loop *loop,
				bool imperfect_allowed)
{
	int64_t left = reading->left[loop->dim];
	if (loop->tile < 1 || loop->tile >= left)
		return "a loop of one step, or a tile that is none";
	if (left % loop->tile == 0)
		return NULL;
	if (loop->kind == LOOP_TIME || !imperfect_allowed)
		return "a factor that is not perfect";
	if (reading->imperfect[loop->dim])
		return "two imperfect factors of one dimension";
	reading->imperfect[loop->dim] = true;
	return loop->tile == parts(left, parts(left, loop->tile)) ? NULL
								  : "units with uneven parts";
}

static const char *read_loops(struct reading *reading, const struct mapping *mapping,
			      bool imperfect_allowed)
{
	*reading = (struct reading){.mapping = mapping};
	memcpy(reading->left, mapping->problem->extent, sizeof reading->left);
	for (int l = 0, i = 0; l < mapping->machine->levels; l++) {
		memcpy(reading->inside[l], reading->left, sizeof reading->left);
		for (int d = 0; d < mapping->problem->dims; d++)
			reading->time[l][d] = reading->space[l][0][d] = reading->space[l][1][d] = 1;
		for (; i < mapping->loops && mapping->loop[i].level == l; i++) {
			const struct mapped_loop *loop = &mapping->loop[i];
			const char *why = misplaced(mapping, i);
			if (!why)
				why = wrong_factor(reading, loop, imperfect_allowed);
			if (why)
				return why;
			int64_t steps = parts(reading->left[loop->dim], loop->tile);
			if (loop->kind == LOOP_SPACE)
				reading->space[l][loop->axis][loop->dim] = steps;
			else
				reading->time[l][loop->dim] = steps;
			if (loop->kind == LOOP_TIME)
				reading->dim[l][reading->dims[l]++] = loop->dim;
			reading->left[loop->dim] = loop->tile;
		}
		if (l == mapping->machine->levels - 1 && i < mapping->loops)
			return "loops that are not sorted";
	}
	for (int d = 0; d < mapping->problem->dims; d++)
		if (reading->left[d] != 1)
			return "a dimension that is not walked to its end";
	return NULL;
}

/* Rules 4 and 5, and the constraint. */
static const char *wrong_level(const struct reading *reading, const struct constraint *constraint,
			       int l)
{
	const struct problem *problem = reading->mapping->problem;
	const struct level *level = &reading->mapping->machine->level[l];
	unsigned keep = reading->mapping->keep[l];
	if ((constraint->must_keep[l] & ~keep) || (keep & ~constraint->may_keep[l]))
		return "operands kept that may not be, or not kept that must";
	if (!has_room(problem, level, keep, reading->inside[l]))
		return "tiles that do not fit";
	for (int a = 0; a < level->axes; a++) {
		int64_t units = 1;
		for (int d = 0; d < problem->dims; d++) {
			units *= reading->space[l][a][d];
			if (!allows(constraint->space[l][a][d], reading->space[l][a][d]))
				return "units that the constraint says otherwise";
		}
		if (units > level->fanout[a])
			return "more units than the axis has";
	}
	for (int d = 0; d < problem->dims; d++)
		if (!allows(constraint->time[l][d], reading->time[l][d]))
			return "steps that the constraint says otherwise";
	if (!allows_order(constraint, problem, l, reading->dims[l], reading->dim[l]))
		return "loops in time in an order that the constraint says otherwise";
	return NULL;
}

bool brute_legal(const struct mapping *mapping, const struct search_options *options,
		 const char **why)
{
	struct reading reading;
	struct constraint constraint;
	take_constraint(&constraint, mapping->problem, mapping->machine, options);
	*why = read_loops(&reading, mapping, options->imperfect);
	for (int l = 0; l < mapping->machine->levels && !*why; l++)
		*why = wrong_level(&reading, &constraint, l);
	return !*why;
}
