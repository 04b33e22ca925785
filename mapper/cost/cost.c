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
#include "mapper/mapping/tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One operand of one mapping, and what of it does not depend on the level. */
struct view {
	const struct mapping *m;
	const struct operand *operand;
};

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

	tile_box(m, first, extent);
	tile = fresh = tile_words(v->operand, m->problem->dims, extent);
	while (inner >= 0 && (m->loop[inner].kind == LOOP_SPACE || tile_steps(m, inner) == 1 ||
			      !(v->operand->relevant >> m->loop[inner].dim & 1)))
		inner--;
	if (inner < 0)
		return tile;
	steps = tile_steps(m, inner);
	if (halo == HALO_DELTA)
		fresh -= overlap(v->operand, m->problem->dims, extent, m->loop[inner].dim,
				 m->loop[inner].tile);
	for (int i = 0; i < inner; i++)
		if (m->loop[i].kind == LOOP_TIME)
			outside *= tile_steps(m, i);
	return outside * (tile + (steps - 1) * fresh);
}

/* ---- Who shares ---------------------------------------------------------------------------------------------- */

static int64_t units_of(const struct mapping *m, int first, int last)
{
	int64_t units = 1;

	for (int i = first; i < last; i++)
		if (m->loop[i].kind == LOOP_SPACE)
			units *= tile_steps(m, i);
	return units;
}

bool is_merged(const struct mapping *m, const struct operand *operand, int loop)
{
	const struct mapped_loop *l = &m->loop[loop];
	const struct level *level = &m->machine->level[l->level];
	enum tensor_class class = operand->class;
	unsigned merging = class == CLASS_O ? level->reduce : level->multicast;

	return (merging >> class & 1) && !(level->apart[class] >> l->axis & 1);
}

/* The loops in space between `first` and `last` as shifts of one number that stands for the place of the tile: the
 * ranks are digits, so far apart that no sum carries. loop[] is filled with the loops, outermost first. */
static int shifts_of(const struct view *v, int first, int last, struct shift shift[], int loop[])
{
	const struct mapping *m = v->m;
	int64_t digit = 1;
	int count = 0;

	for (int i = first; i < last; i++)
		if (m->loop[i].kind == LOOP_SPACE) {
			loop[count] = i;
			shift[count++] = (struct shift){0, tile_steps(m, i)};
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
	struct places places;
	int64_t total;

	if (!places_start(&places))
		return -1;
	for (int last = count; last > 0;) {
		int first = last, level = v->m->loop[loop[last - 1]].level;
		while (first > 0 && v->m->loop[loop[first - 1]].level == level)
			first--;
		for (int merged = 1; merged >= 0; merged--)
			for (int k = first; k < last; k++)
				if (is_merged(v->m, v->operand, loop[k]) == merged &&
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
	struct shift shift[MAX_MAPPED_LOOPS];
	int loop[MAX_MAPPED_LOOPS], count = shifts_of(v, first, last, shift, loop), merged = 0;

	for (int k = 0; k < count; k++)
		merged += is_merged(v->m, v->operand, loop[k]);
	if (merged == 0)
		return units_of(v->m, first, last);
	return merged == count ? sums_distinct(count, shift) : spread(v, count, shift, loop);
}

/* ---- Counts -------------------------------------------------------------------------------------------------- */

static int64_t steps_of(const struct mapping *m)
{
	int64_t steps = 1;

	for (int i = 0; i < m->loops; i++)
		if (m->loop[i].kind == LOOP_TIME)
			steps *= tile_steps(m, i);
	return steps;
}

/* Words of the output that come to one instance in the whole run (rule 3): the union of the boxes that the loops
 * from `tile` on walk, over all loops outside of them but those in space outside of the instance, which begins at
 * `first`. -1: no memory. */
static int64_t distinct_of(const struct view *v, int first, int tile)
{
	const struct mapping *m = v->m;
	int64_t extent[MAX_DIMS], words = 1;

	tile_box(m, tile, extent);
	for (int r = 0; r < v->operand->ranks && words > 0; r++) {
		struct shift shift[MAX_MAPPED_LOOPS];
		int count = 0;

		for (int i = 0; i < tile; i++) {
			const struct mapped_loop *l = &m->loop[i];
			int64_t coef = llabs(v->operand->coef[r][l->dim]);
			if (coef && (i >= first || l->kind == LOOP_TIME))
				shift[count++] = (struct shift){coef * l->tile, tile_steps(m, i)};
		}
		words *= sums_cover(count, shift,
				    tile_length(v->operand, r, m->problem->dims, extent));
	}
	return words;
}

/* What passes between a parent and its child, or between the innermost memory and the MACs (child < 0). */
static bool pass(const struct view *v, int parent, int child, struct cost *cost)
{
	const struct mapping *m = v->m;
	int operand = (int)(v->operand - m->problem->operand);
	int from = tile_first_loop(m, parent),
	    to = child < 0 ? m->loops : tile_first_loop(m, child);
	int64_t each = child < 0 ? cost->steps : words_moved(v, to, m->machine->level[child].halo);
	int64_t groups = groups_of(v, from, to), first_visits, arrived;
	struct traffic *up = &cost->traffic[parent][operand];

	up->deliveries += each * units_of(m, from, to) * cost->instances[parent];
	if (v->operand->class != CLASS_O) {
		up->per_instance[ACCESS_READ] += each * groups;
		if (child >= 0)
			cost->traffic[child][operand].per_instance[ACCESS_FILL] += each;
		return groups > 0;
	}
	first_visits = distinct_of(v, from, to);
	arrived = distinct_of(v, to, to);
	up->per_instance[ACCESS_UPDATE] += each * groups;
	up->per_instance[ACCESS_READ] += each * groups - first_visits;
	if (child >= 0)
		cost->traffic[child][operand].per_instance[ACCESS_FILL] += each - arrived;
	return groups > 0 && first_visits > 0 && arrived > 0;
}

static bool count_operand(const struct view *v, struct cost *cost)
{
	const struct mapping *m = v->m;
	int operand = (int)(v->operand - m->problem->operand), parent = 0;
	bool ok = true;

	for (int level = 0; level < m->machine->levels; level++) {
		if (!(m->keep[level] >> operand & 1))
			continue;
		if (level > 0)
			ok &= pass(v, parent, level, cost);
		parent = level;
	}
	ok &= pass(v, parent, -1, cost);
	for (int level = 0; level < m->machine->levels; level++)
		for (int k = 0; k < ACCESS_KINDS; k++)
			cost->traffic[level][operand].count[k] =
				cost->traffic[level][operand].per_instance[k] *
				cost->instances[level];
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
			const struct traffic *t = &cost->traffic[level][o];
			for (int k = 0; k < ACCESS_KINDS; k++)
				cost->energy_level[level] += (double)t->count[k] * l->cost[k];
			network += (double)t->deliveries * l->hop_cost;
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

void load_take(struct load *load, const struct mapping *m, int level,
	       int64_t words[MAX_OPERANDS][ACCESS_KINDS])
{
	struct load now = {0};

	for (int o = 0; o < m->problem->operands; o++) {
		int64_t read = words[o][ACCESS_READ];
		int64_t written = words[o][ACCESS_FILL] + words[o][ACCESS_UPDATE];
		enum tensor_class class = m->problem->operand[o].class;
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
	for (int c = 0; c < CLASSES; c++)
		load->own[c] = greater(load->own[c], now.own[c]);
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
	}
}

/* Is every step of every loop whole? */
static bool is_perfect(const struct mapping *m)
{
	for (int i = 0; i < m->loops; i++)
		if (tile_left(m, i) % m->loop[i].tile != 0)
			return false;
	return true;
}

static bool perfect_count(const struct mapping *m, struct cost *cost, struct load load[MAX_LEVELS])
{
	bool ok = true;

	cost->steps = steps_of(m);
	cost->units = units_of(m, 0, m->loops);
	for (int level = 0; level < m->machine->levels; level++)
		cost->instances[level] = units_of(m, 0, tile_first_loop(m, level));
	for (int o = 0; o < m->problem->operands; o++)
		ok &= count_operand(&(struct view){m, &m->problem->operand[o]}, cost);
	for (int level = 0; level < m->machine->levels; level++) {
		int64_t words[MAX_OPERANDS][ACCESS_KINDS];
		for (int o = 0; o < m->problem->operands; o++)
			memcpy(words[o], cost->traffic[level][o].per_instance, sizeof words[o]);
		load_take(&load[level], m, level, words);
	}
	return ok;
}

/* The greatest tile is that of the first step. */
static void add_tiles(const struct mapping *m, struct cost *cost)
{
	int64_t extent[MAX_DIMS];

	for (int level = 0; level < m->machine->levels; level++) {
		tile_box(m, tile_first_loop(m, level), extent);
		for (int o = 0; o < m->problem->operands; o++)
			if (m->keep[level] >> o & 1)
				cost->traffic[level][o].tile = tile_words(&m->problem->operand[o],
									  m->problem->dims, extent);
	}
}

bool mapping_cost(const struct mapping *m, struct cost *cost)
{
	struct load load[MAX_LEVELS] = {0};
	bool ok;

	memset(cost, 0, sizeof *cost);
	cost->macs = 1;
	for (int d = 0; d < m->problem->dims; d++)
		cost->macs *= m->problem->extent[d];
	add_tiles(m, cost);
	ok = is_perfect(m) ? perfect_count(m, cost, load) : imperfect_count(m, cost, load);
	add_energy(m, cost);
	add_cycles(m, load, cost);
	add_leakage(m, cost);
	return ok;
}
