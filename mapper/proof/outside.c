/* outside.c -- the least that the memories outside of a box cost, for all boxes at once, from the outermost level inward.
 *
 * The loop that stands innermost outside of a tile is one for all operands: those that it does not index may keep their tiles
 * through all loops that do not index them, the others refill at its first step. A halo may make that cheaper by
 * what it leaves at least. */
#include "mapper/proof/facts.h"

#include <math.h>
#include <stdlib.h>

/* Positions of the tiles of a box along a dimension. */
static double tiles_along(const struct facts *f, int32_t box, int dim)
{
	const struct side *s = &f->boxes.side[dim];
	int64_t length = box_length(&f->boxes, box, dim), inside = 1;

	if (s->part.units && length <= s->part.tile) {
		inside = s->part.units * (s->part.tile / length);
		length = s->part.left;
	}
	return (double)(f->problem->extent[dim] / length * inside);
}

double outputs_of(const struct facts *f, int level, int32_t box)
{
	double words;

	if (!f->is_scattered)
		return f->outputs;
	words = f->words[f->output][box];
	for (int d = 0; d < f->problem->dims; d++)
		if (f->problem->operand[f->output].relevant >> d & 1)
			words *= tiles_along(f, box, d);
	return f->has_array_outside[level] ? words : fmin(words, f->output_words);
}

double outputs_most(const struct facts *f, int level, int32_t box)
{
	return outputs_of(f, level, box) * f->most_irrelevant[level];
}

double parent_cost(const struct facts *f, const struct quantity *q, int operand, int32_t box,
		   int level, int top, double words, double served, bool has_crossed)
{
	const struct rate *r = &q->rate[level][operand];
	double there = served * f->least_share[has_crossed][level][top][operand];
	double all = r->serve * there - r->first_serve * outputs_most(f, level, box);
	double route = q->is_energy ? served * f->least_route[has_crossed][level][top][operand] : 0;

	return fmax(all, (r->serve - r->first_serve) * there) + r->hop * words + route;
}

double parent_least(const struct facts *f, const struct quantity *q, int operand, int32_t box,
		    int level, int top, double words, double served, bool has_crossed)
{
	double least = INFINITY;

	for (int p = level; p >= 0; p--) {
		bool may = p == 0 || (f->constraint->may_keep[p] >> operand & 1);
		bool must = p == 0 || (f->constraint->must_keep[p] >> operand & 1);
		if (may && f->machine->level[p].is_memory)
			least = fmin(least, parent_cost(f, q, operand, box, p, top, words, served,
							has_crossed));
		if (must && f->machine->level[p].is_memory)
			break;
	}
	return least;
}

/* ---- One level, one box --------------------------------------------------------------------------------------------- */

enum run {
	RUN_FREE,
	RUN_NONE,
	RUNS
}; /* all loops that do not index the operand cost nothing; the first ends it */

/* Of one operand, for either run: its fills, and what its parent costs where that is the next level, or one outside of it. */
struct side_costs {
	double fill[RUNS], next[RUNS], beyond[RUNS];
};

static void operand_costs(const struct facts *f, const struct quantity *q, int level, int operand,
			  int32_t box, struct side_costs *c)
{
	const struct rate *r = &q->rate[level][operand];
	double none = f->words[operand][box] * f->steps[box] * uneven_part(f, operand, box) *
		      halo_least(f, level, operand, box);
	double words[RUNS] = {none / f->again[operand][box], none};

	for (int run = 0; run < RUNS; run++) {
		double w = words[run];
		c->fill[run] = fmax(0, r->fill * w - r->first_fill * outputs_most(f, level, box));
		c->next[run] = parent_cost(f, q, operand, box, level - 1, level, w, w, false);
		c->beyond[run] =
			level > 1 ? parent_least(f, q, operand, box, level - 2, level, w, w, false)
				  : INFINITY;
	}
}

/* Of all operands kept, with the loop outside of them that is best for all together. */
static double links_least(const struct facts *f, const struct side_costs c[], unsigned kept,
			  unsigned kept_next, unsigned left)
{
	double least = INFINITY;

	for (int i = 0; i < f->patterns || (i == 0 && left == 0); i++) {
		unsigned is_free = left ? f->pattern[i] : ~0u;
		double sum = 0;
		if (left && !(left >> i & 1))
			continue;
		for (int o = 0; o < f->operands; o++) {
			int run = is_free >> o & 1 ? RUN_FREE : RUN_NONE;
			if (kept >> o & 1)
				sum += c[o].fill[run] +
				       (kept_next >> o & 1 ? c[o].next[run] : c[o].beyond[run]);
		}
		least = fmin(least, sum);
	}
	return least;
}

static void fill_box(const struct facts *f, struct quantity *q, int level, int32_t box)
{
	struct side_costs c[MAX_OPERANDS];
	unsigned left = patterns_left(f, box);

	for (int o = 0; o < f->operands; o++)
		operand_costs(f, q, level, o, box, &c[o]);
	for (int s = 0; s < f->sets[level]; s++) {
		unsigned kept = f->set[level][s];
		double least = INFINITY;
		for (int n = 0; n < f->sets[level - 1] && box_fits(f, level, kept, box); n++)
			least = fmin(least, links_least(f, c, kept, f->set[level - 1][n], left) +
						    q->outside[level - 1][n][box]);
		q->outside[level][s][box] = least;
	}
}

/* ---- All boxes ----------------------------------------------------------------------------------------------------- */

/* Each box takes the least of the boxes that contain it. */
static void spread_inward(const struct boxes *b, double *value)
{
	for (int32_t box = b->count - 1; box >= 0; box--)
		for (int d = 0; d < b->dims; d++)
			for (int i = 0; i <= b->side[d].primes; i++) {
				const struct side *s = &b->side[d];
				int factor = i < s->primes ? s->prime[i] : s->uneven;
				int32_t larger =
					factor == NO_FACTOR ? -1 : box_times(b, box, d, factor);
				if (larger >= 0)
					value[box] = fmin(value[box], value[larger]);
			}
}

/* What a link whose parent is not known costs at least, whichever it is. */
static void find_least_parents(const struct facts *f, struct quantity *q)
{
	for (int l = 0; l < f->levels; l++)
		for (int o = 0; o < f->operands; o++) {
			q->least_serve[l][o] = q->least_hop[l][o] = INFINITY;
			for (int p = l; p >= 0; p--) {
				const struct rate *r = &q->rate[p][o];
				if (!f->machine->level[p].is_memory ||
				    (p > 0 && !(f->constraint->may_keep[p] >> o & 1)))
					continue;
				q->least_serve[l][o] = fmin(q->least_serve[l][o],
							    (r->serve - r->first_serve) *
								    f->least_share[1][p][l][o]);
				q->least_hop[l][o] = fmin(q->least_hop[l][o], r->hop);
			}
		}
}

static bool find_any(const struct facts *f, struct quantity *q, int level)
{
	q->outside_any[level] = malloc((size_t)f->boxes.count * sizeof(double));
	if (!q->outside_any[level])
		return false;
	for (int32_t box = 0; box < f->boxes.count; box++) {
		q->outside_any[level][box] = INFINITY;
		for (int s = 0; s < f->sets[level]; s++)
			q->outside_any[level][box] =
				fmin(q->outside_any[level][box], q->outside[level][s][box]);
	}
	return true;
}

static bool fill_tables(struct facts *f, struct quantity *q)
{
	for (int l = 0; l < f->levels; l++) {
		q->outside[l] = ARENA_ARRAY(f->arena, (size_t)f->sets[l], double *);
		for (int s = 0; s < f->sets[l]; s++)
			if (!(q->outside[l][s] = calloc((size_t)f->boxes.count, sizeof(double))))
				return false;
		if (l == 0)
			continue;
		for (int32_t box = 0; box < f->boxes.count; box++)
			fill_box(f, q, l, box);
		for (int s = 0; s < f->sets[l]; s++)
			spread_inward(&f->boxes, q->outside[l][s]);
	}
	find_least_parents(f, q);
	for (int l = 0; l < f->levels; l++)
		if (!find_any(f, q, l))
			return false;
	return true;
}

/* Of the energy, and of the ports of the outermost memory, where most of all mappings wait. */
bool outside_make(struct facts *f)
{
	for (int i = 0; i < f->quantities; i++) {
		struct quantity *q = &f->quantity[i];
		if ((q->is_energy || q->level == 0) && !fill_tables(f, q))
			return false;
	}
	return true;
}
