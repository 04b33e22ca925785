/* cost.c -- a mapping goes in, every count comes out, without walking the nest.
 *
 * An operand has a chain of memories that keep it, outermost first. Between two neighbours of the chain, parent
 * and child, words move when a loop in time outside of the child steps; the loops that do not index the operand and
 * stand innermost above the child are free. What one instance of the child receives, times the groups of
 * instances that need different words, is what the parent reads. For the output the same words travel the other
 * way, and partial sums meet instead of being served. */
#include "mapper/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One operand of one mapping, and what of it does not depend on the level. */
struct view {
	const struct mapping *m;
	const struct operand *operand;
};

/* ---- Tiles ------------------------------------------------------------------------------------------------ */

/* Steps of a loop: what is left by the next loop outside of it over the same dimension, in tiles. */
static int64_t bound_of(const struct mapping *m, int loop)
{
	int64_t extent = m->problem->extent[m->loop[loop].dim];

	for (int i = 0; i < loop; i++)
		if (m->loop[i].dim == m->loop[loop].dim)
			extent = m->loop[i].tile;
	return (extent + m->loop[loop].tile - 1) / m->loop[loop].tile;
}

/* The box that the loops from `first` on walk: what the last loop outside left of each dimension. */
static void box(const struct mapping *m, int first, int64_t extent[MAX_DIMS])
{
	memcpy(extent, m->problem->extent, sizeof m->problem->extent);
	for (int i = 0; i < first; i++)
		extent[m->loop[i].dim] = m->loop[i].tile;
}

/* Words of the operand in a box: per rank 1 + sum of coef * (extent - 1). Rule 1. */
static int64_t volume(const struct operand *o, int dims, const int64_t extent[MAX_DIMS])
{
	int64_t words = 1;

	for (int r = 0; r < o->ranks; r++) {
		int64_t length = 1;
		for (int d = 0; d < dims; d++)
			length += llabs(o->coef[r][d]) * (extent[d] - 1);
		words *= length;
	}
	return words;
}

/* ---- What one instance of a child receives -------------------------------------------------------------------- */

/* Elements of the tile that the step of one loop leaves in place; 0 where it moves several ranks. */
static int64_t overlap(const struct operand *o, int dims, const int64_t extent[MAX_DIMS], int dim,
		       int64_t step)
{
	int64_t words = 1;
	int moved = 0;

	for (int r = 0; r < o->ranks; r++) {
		int64_t length = 1, shift = llabs(o->coef[r][dim]) * step;
		for (int d = 0; d < dims; d++)
			length += llabs(o->coef[r][d]) * (extent[d] - 1);
		moved += shift > 0;
		words *= length > shift ? length - shift : 0;
	}
	return moved == 1 ? words : 0;
}

/* Words that arrive at one instance of a child whose loops begin at `first`: rules 1 and 2. With halo delta the steps of
 * the innermost relevant loop bring what is new, all other steps the whole tile. */
static int64_t words_moved(const struct view *v, int first, enum halo halo)
{
	const struct mapping *m = v->m;
	int64_t extent[MAX_DIMS], tile, fresh, outside = 1, steps = 1;
	int inner = first - 1;

	box(m, first, extent);
	tile = fresh = volume(v->operand, m->problem->dims, extent);
	while (inner >= 0 && (m->loop[inner].kind == LOOP_SPACE || bound_of(m, inner) == 1 ||
			      !(v->operand->relevant >> m->loop[inner].dim & 1)))
		inner--;
	if (inner < 0)
		return tile;
	steps = bound_of(m, inner);
	if (halo == HALO_DELTA)
		fresh -= overlap(v->operand, m->problem->dims, extent, m->loop[inner].dim,
				 m->loop[inner].tile);
	for (int i = 0; i < inner; i++)
		if (m->loop[i].kind == LOOP_TIME)
			outside *= bound_of(m, i);
	return outside * (tile + (steps - 1) * fresh);
}

/* ---- Who shares ----------------------------------------------------------------------------------------------- */

/* One loop in space moves the tile by `step` at each of `bound` positions. */
struct shift {
	int64_t step, bound;
};

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int by_step(const void *a, const void *b)
{
	return by_value(&((const struct shift *)a)->step, &((const struct shift *)b)->step);
}

/* Sorts and drops what stands twice; how many are left. */
static int64_t unique(int64_t *value, int64_t count)
{
	int64_t kept = 0;

	qsort(value, (size_t)count, sizeof *value, by_value);
	for (int64_t i = 0; i < count; i++)
		if (kept == 0 || value[kept - 1] != value[i])
			value[kept++] = value[i];
	return kept;
}

/* The sums of the shifts, one by one, without duplicates: the slow way, always right. -1: no memory. */
static int64_t count_sums(int count, const struct shift shift[])
{
	int64_t room = 1, sums = 1, *value;

	for (int i = 0; i < count; i++)
		room *= shift[i].bound;
	value = malloc((size_t)room * sizeof *value);
	if (!value)
		return -1;
	value[0] = 0;
	for (int i = 0; i < count; i++) {
		int64_t before = sums;
		for (int64_t k = 1; k < shift[i].bound; k++)
			for (int64_t j = 0; j < before; j++)
				value[sums++] = value[j] + k * shift[i].step;
		sums = unique(value, sums);
	}
	free(value);
	return sums;
}

/* How many different sums step[i] * x[i], 0 <= x[i] < bound[i], there are. From the smallest step on: a step beyond all
 * that the smaller ones reach multiplies the sums; while they fill an interval, a step within it lengthens it. */
static int64_t distinct_sums(int count, struct shift shift[])
{
	int64_t sums = 1, reach = 1; /* the sums so far lie in 0 .. reach - 1 */

	qsort(shift, (size_t)count, sizeof *shift, by_step);
	for (int i = 0; i < count; i++) {
		if (shift[i].step >= reach)
			sums *= shift[i].bound;
		else if (sums == reach)
			sums += shift[i].step * (shift[i].bound - 1);
		else
			return count_sums(count, shift);
		reach += shift[i].step * (shift[i].bound - 1);
	}
	return sums;
}

/* The loops in space between `first` and `last`, as shifts of one number that stands for the place of the tile:
 * the ranks are digits, so far apart that no sum carries. Loops that move nothing are left out. */
static int shifts_of(const struct view *v, int first, int last, struct shift shift[])
{
	const struct mapping *m = v->m;
	int64_t digit = 1;
	int count = 0;

	for (int i = first; i < last; i++)
		if (m->loop[i].kind == LOOP_SPACE && (v->operand->relevant >> m->loop[i].dim & 1))
			shift[count++] = (struct shift){0, bound_of(m, i)};
	for (int r = 0; r < v->operand->ranks; r++) {
		int64_t reach = 0;
		int k = 0;
		for (int i = first; i < last; i++) {
			const struct mapped_loop *l = &m->loop[i];
			if (l->kind != LOOP_SPACE || !(v->operand->relevant >> l->dim & 1))
				continue;
			int64_t step = llabs(v->operand->coef[r][l->dim]) * l->tile;
			shift[k].step += step * digit;
			reach += step * (shift[k++].bound - 1);
		}
		digit *= reach + 1;
	}
	return count;
}

/* Units that the loops in space between `first` and `last` make; they fall into groups that need the same words:
 * those whose tiles lie at one place (rule 4). */
static int64_t groups_of(const struct view *v, int first, int last)
{
	struct shift shift[MAX_MAPPED_LOOPS];

	return distinct_sums(shifts_of(v, first, last, shift), shift);
}

static int64_t units_of(const struct mapping *m, int first, int last)
{
	int64_t units = 1;

	for (int i = first; i < last; i++)
		if (m->loop[i].kind == LOOP_SPACE)
			units *= bound_of(m, i);
	return units;
}

/* ---- Counts ------------------------------------------------------------------------------------------------------- */

/* The first loop that lies inside the memory of a level: those in space at the level lie inside it as well. */
static int inside(const struct mapping *m, int level)
{
	int i = 0;

	while (i < m->loops && (m->loop[i].level < level))
		i++;
	return i;
}

static int64_t steps_of(const struct mapping *m)
{
	int64_t steps = 1;

	for (int i = 0; i < m->loops; i++)
		if (m->loop[i].kind == LOOP_TIME)
			steps *= bound_of(m, i);
	return steps;
}

/* Different words of the operand that one instance of a level sees in the whole run: the box of all loops but those
 * in space outside of the level. */
static int64_t distinct_of(const struct view *v, int first)
{
	const struct mapping *m = v->m;
	int64_t extent[MAX_DIMS];

	for (int d = 0; d < m->problem->dims; d++)
		extent[d] = 1;
	for (int i = 0; i < m->loops; i++)
		if (i >= first || m->loop[i].kind == LOOP_TIME)
			extent[m->loop[i].dim] *= bound_of(m, i);
	return volume(v->operand, m->problem->dims, extent);
}

/* What passes between a parent and its child, or between the innermost memory and the MACs (child < 0). */
static void pass(const struct view *v, int parent, int child, struct cost *cost)
{
	const struct mapping *m = v->m;
	const struct level *outer = &m->machine->level[parent];
	int operand = (int)(v->operand - m->problem->operand);
	int from = inside(m, parent), to = child < 0 ? m->loops : inside(m, child);
	int64_t instances = cost->instances[parent], units = units_of(m, from, to);
	int64_t each = child < 0 ? cost->steps : words_moved(v, to, m->machine->level[child].halo);
	struct traffic *up = &cost->traffic[parent][operand];
	bool is_output = v->operand->class == CLASS_O;
	bool merges = (is_output ? outer->reduce : outer->multicast) >> v->operand->class & 1;
	int64_t words = each * (merges ? groups_of(v, from, to) : units);

	up->deliveries += each * units * instances;
	if (!is_output) {
		up->per_instance[ACCESS_READ] += words;
	} else {
		up->per_instance[ACCESS_UPDATE] += words;
		up->per_instance[ACCESS_READ] += words - distinct_of(v, from);
	}
	if (child >= 0)
		cost->traffic[child][operand].per_instance[ACCESS_FILL] +=
			is_output ? each - distinct_of(v, to) : each;
}

static void count_operand(const struct view *v, struct cost *cost)
{
	const struct mapping *m = v->m;
	int operand = (int)(v->operand - m->problem->operand), parent = 0;
	int64_t extent[MAX_DIMS];

	for (int level = 0; level < m->machine->levels; level++) {
		struct traffic *t = &cost->traffic[level][operand];

		if (!(m->keep[level] >> operand & 1))
			continue;
		box(m, inside(m, level), extent);
		t->tile = volume(v->operand, m->problem->dims, extent);
		if (level > 0)
			pass(v, parent, level, cost);
		parent = level;
	}
	pass(v, parent, -1, cost);
	for (int level = 0; level < m->machine->levels; level++)
		for (int k = 0; k < ACCESS_KINDS; k++)
			cost->traffic[level][operand].count[k] =
				cost->traffic[level][operand].per_instance[k] *
				cost->instances[level];
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
			const struct traffic *t = &cost->traffic[level][o];
			for (int k = 0; k < ACCESS_KINDS; k++)
				cost->energy_level[level] += (double)t->count[k] * l->cost[k];
			network += (double)t->deliveries * l->hop_cost;
		}
		cost->energy_network += network;
		cost->energy += cost->energy_level[level] + network;
	}
}

/* Time of so many words through a port; ports without limit take none. */
static int64_t port_cycles(int64_t words, double bandwidth)
{
	return bandwidth > 0 ? (int64_t)ceil((double)words / bandwidth) : 0;
}

static void take_longer(struct cost *cost, int64_t cycles, enum bound_kind bound, int level)
{
	if (cycles <= cost->cycles)
		return;
	cost->cycles = cycles;
	cost->bound = bound;
	cost->bound_level = level;
}

static void add_cycles(const struct mapping *m, struct cost *cost)
{
	cost->cycles = cost->steps;
	cost->bound = BOUND_COMPUTE;
	for (int level = 0; level < m->machine->levels; level++) {
		const struct level *l = &m->machine->level[level];
		int64_t reads = 0, writes = 0;

		for (int o = 0; o < m->problem->operands; o++) {
			const int64_t *count = cost->traffic[level][o].per_instance;
			reads += count[ACCESS_READ];
			writes += count[ACCESS_FILL] + count[ACCESS_UPDATE];
		}
		take_longer(cost, port_cycles(reads, l->read_bandwidth), BOUND_READ, level);
		take_longer(cost, port_cycles(writes, l->write_bandwidth), BOUND_WRITE, level);
		take_longer(cost, port_cycles(reads + writes, l->shared_bandwidth), BOUND_SHARED,
			    level);
	}
}

void mapping_cost(const struct mapping *m, struct cost *cost)
{
	memset(cost, 0, sizeof *cost);
	cost->macs = 1;
	for (int d = 0; d < m->problem->dims; d++)
		cost->macs *= m->problem->extent[d];
	cost->steps = steps_of(m);
	cost->units = units_of(m, 0, m->loops);
	for (int level = 0; level < m->machine->levels; level++)
		cost->instances[level] = units_of(m, 0, inside(m, level));
	for (int o = 0; o < m->problem->operands; o++)
		count_operand(&(struct view){m, &m->problem->operand[o]}, cost);
	add_energy(m, cost);
	add_cycles(m, cost);
}
