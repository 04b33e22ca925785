/* bound.c -- MAPPER's backward pass over the lattice of tiles. */
#include "mapper/search/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The operand's link from a tile at `level` to a parent, and how many units may share what the parent serves. */
struct way {
	bool exists;
	double fill, hop, update, read; /* energy of a word */
	double sharing;                 /* units of the arrays between */
	double first_in, first_out;     /* copies of first visits, at most: not filled, not read */
};

static struct way way_of(const struct terms *t, const struct word_cost cost[][MAX_OPERANDS],
			 int level, int operand, int parent)
{
	const struct word_cost *outer = &cost[parent][operand];
	struct way w = {.exists = t->constraint.may_keep[parent] >> operand & 1,
			.fill = cost[level][operand].fill,
			.hop = outer->hop,
			.update = outer->update,
			.read = outer->read,
			.sharing = t->fanout[level] / t->fanout[parent]};

	for (int l = parent + 1; l < level; l++)
		w.exists &= !(t->constraint.must_keep[l] >> operand & 1);
	if (operand == t->output) {
		w.first_in = t->outputs * t->fanout[level];
		w.first_out = t->outputs * t->fanout[parent];
	}
	return w;
}

static double above_zero(double x)
{
	return x > 0 ? x : 0;
}

static double cost_of(const struct way *w, double words, double served)
{
	return words * w->hop + above_zero(words - w->first_in) * w->fill + served * w->update +
	       above_zero(served - w->first_out) * w->read;
}

/* The least part that halos leave of the words, where one of the loops `dims` ends the run. */
static double halo_of(const struct terms *t, int level, int operand, int32_t state, unsigned dims)
{
	double least = 1;

	dims &= t->sliding[operand];
	for (int d = 0; dims >> d; d++) {
		int64_t extent = lattice_extent(&t->lattice, state, d);
		int64_t steps = t->problem->extent[d] / extent;
		if (!(dims >> d & 1) || steps == 1)
			continue;
		double part = terms_halo(t, level, operand, state, d, extent, (double)steps);
		least = part < least ? part : least;
	}
	return least;
}

static unsigned dims_of(const struct terms *t, unsigned pattern)
{
	unsigned dims = 0;

	for (int d = 0; d < t->problem->dims; d++) {
		unsigned own = 0;
		for (int o = 0; o < t->operands; o++)
			if (!(t->problem->operand[o].relevant >> d & 1))
				own |= 1u << o;
		dims |= own == pattern ? 1u << d : 0;
	}
	return dims;
}

struct pass {
	const struct terms *t;
	struct bounds *b;
	int level;
	unsigned dims[MAX_DIMS];                  /* of each pattern */
	struct way way[MAX_OPERANDS][MAX_LEVELS]; /* by parent */
};

/* The least cost of the operand at the tile under a pattern of the innermost loop outside: [1] where the next level
 * outward is the parent, [0] where it is one further out. */
static void quote(const struct pass *p, int operand, int32_t state, int pattern, double cost[2])
{
	const struct terms *t = p->t;
	bool runs = t->pattern[pattern] >> operand & 1;
	double words = t->visits[state] * t->words[operand][state],
	       reuse = t->reuse[operand][state];
	double overlap = t->overlap[operand][state];

	if (t->sliding[operand])
		words *= halo_of(t, p->level, operand, state, runs ? ~0u : p->dims[pattern]);
	cost[0] = cost[1] = INFINITY;
	for (int parent = 0; parent < p->level; parent++) {
		const struct way *w = &p->way[operand][parent];
		double run = runs ? reuse : 1, most = overlap * (runs ? 1 : reuse);
		double sharing = w->sharing < most ? w->sharing : most;
		double own = w->exists ? cost_of(w, words / run, words / run / sharing) : INFINITY;
		if (parent < p->level - 1)
			own += bounds_alone(p->b, parent, operand, state);
		double *least = &cost[parent == p->level - 1];
		*least = own < *least ? own : *least;
	}
}

/* Of the operand by itself, where the level keeps the tile. */
static double least_alone(const struct pass *p, int operand, int32_t state,
			  double cost[][MAX_OPERANDS][2])
{
	double next = bounds_alone(p->b, p->level - 1, operand, state), least = INFINITY;

	if (!terms_fit(p->t, p->level, 1u << operand, state))
		return INFINITY;
	for (int g = 0; g < p->t->patterns; g++) {
		const double *own = cost[g][operand];
		double either = own[0] < own[1] + next ? own[0] : own[1] + next;
		least = either < least ? either : least;
	}
	return least;
}

/* All sets kept here against all sets kept at the next level outward. */
static void fill_state(const struct pass *p, int32_t state)
{
	const struct terms *t = p->t;
	struct bounds *b = p->b;
	double cost[MAX_DIMS][MAX_OPERANDS][2];

	for (int g = 0; g < t->patterns; g++)
		for (int o = 0; o < t->operands; o++)
			if (t->constraint.may_keep[p->level] >> o & 1)
				quote(p, o, state, g, cost[g][o]);
	for (int o = 0; o < t->operands; o++)
		if (b->alone[p->level][o])
			b->alone[p->level][o][state] = least_alone(p, o, state, cost);
	for (int m = 0; m < b->masks[p->level]; m++) {
		unsigned kept = b->mask[p->level][m];
		bool fits = terms_fit(t, p->level, kept, state);
		for (int k = 0; k < b->masks[p->level - 1]; k++) {
			unsigned outer = b->mask[p->level - 1][k];
			double rest = p->level == 1 ? 0 : b->any[p->level - 1][k][state];
			double least = INFINITY;
			for (int g = 0; g < t->patterns && fits; g++) {
				double sum = rest;
				for (int o = 0; o < t->operands; o++)
					if (kept >> o & 1)
						sum += cost[g][o][outer >> o & 1];
				least = sum < least ? sum : least;
			}
			b->above[p->level][m][k][state] = least;
		}
	}
}

static unsigned moving_dims(const struct terms *t, int level)
{
	unsigned dims = t->spread_dims[level];

	for (int d = 0; d < t->problem->dims; d++)
		if (t->machine->level[level].is_memory && t->constraint.time[level][d] != 1)
			dims |= 1u << d;
	return dims;
}

/* Each tile takes the least of itself and those one prime factor larger. */
static void spread_down(const struct terms *t, int level, double *above)
{
	unsigned dims = moving_dims(t, level);

	for (int32_t s = t->lattice.states - 1; s >= 0; s--) {
		double least = above[s];
		for (int d = 0; d < t->lattice.dims; d++) {
			const struct axis_of_lattice *a = &t->lattice.dim[d];
			int place = s / a->stride % a->count;
			for (int i = 0; (dims >> d & 1) && i < a->steps[place]; i++) {
				double other = above[s + (a->step[place][i] - place) * a->stride];
				least = other < least ? other : least;
			}
		}
		above[s] = least;
	}
}

static void take_least(const struct terms *t, double *least, const double *other)
{
	for (int32_t s = 0; s < t->lattice.states; s++)
		least[s] = other[s] < least[s] ? other[s] : least[s];
}

static void find_masks(struct bounds *b, const struct terms *t)
{
	for (int l = 0; l < t->levels; l++) {
		unsigned must = t->constraint.must_keep[l], may = t->constraint.may_keep[l];
		for (unsigned m = 0; m <= t->all; m++)
			if ((m & must) == must && (m & ~may) == 0)
				b->mask[l][b->masks[l]++] = m;
	}
}

static bool allocate(struct bounds *b, const struct terms *t)
{
	size_t size = (size_t)t->lattice.states * sizeof(double);
	bool ok = true;

	for (int l = 1; l < t->levels; l++) {
		ok &= (b->least[l] = malloc(size)) != NULL;
		for (int o = 0; o < t->operands; o++)
			if ((t->constraint.may_keep[l] & ~t->constraint.must_keep[l]) >> o & 1)
				ok &= (b->alone[l][o] = malloc(size)) != NULL;
		for (int m = 0; m < b->masks[l]; m++) {
			ok &= (b->any[l][m] = malloc(size)) != NULL;
			if (l == 1)
				ok &= (b->at[m] = malloc(size)) != NULL;
			for (int k = 0; k < b->masks[l - 1]; k++)
				ok &= (b->above[l][m][k] = malloc(size)) != NULL;
		}
	}
	return ok;
}

static void fill_level(struct bounds *b, const struct terms *t,
		       const struct word_cost cost[][MAX_OPERANDS], int level)
{
	size_t size = (size_t)t->lattice.states * sizeof(double);
	struct pass p = {.t = t, .b = b, .level = level};

	for (int g = 0; g < t->patterns; g++)
		p.dims[g] = dims_of(t, t->pattern[g]);
	for (int o = 0; o < t->operands; o++)
		for (int parent = 0; parent < level; parent++)
			p.way[o][parent] = way_of(t, cost, level, o, parent);
	for (int32_t s = 0; s < t->lattice.states; s++)
		fill_state(&p, s);
	for (int o = 0; o < t->operands; o++)
		if (b->alone[level][o])
			spread_down(t, level, b->alone[level][o]);
	for (int m = 0; m < b->masks[level]; m++) {
		if (level == 1)
			memcpy(b->at[m], b->above[level][m][0], size);
		for (int k = 0; k < b->masks[level - 1]; k++) {
			spread_down(t, level, b->above[level][m][k]);
			if (k == 0)
				memcpy(b->any[level][m], b->above[level][m][k], size);
			take_least(t, b->any[level][m], b->above[level][m][k]);
		}
		if (m == 0)
			memcpy(b->least[level], b->any[level][m], size);
		take_least(t, b->least[level], b->any[level][m]);
	}
}

bool bounds_make(struct bounds *b, const struct terms *t,
		 const struct word_cost cost[][MAX_OPERANDS])
{
	memset(b, 0, sizeof *b);
	find_masks(b, t);
	if (!allocate(b, t))
		return false;
	for (int l = 1; l < t->levels; l++)
		fill_level(b, t, cost, l);
	return true;
}

void bounds_free(struct bounds *b)
{
	for (int m = 0; m < MAX_MASKS; m++)
		free(b->at[m]);
	for (int l = 0; l < MAX_LEVELS; l++) {
		free(b->least[l]);
		for (int o = 0; o < MAX_OPERANDS; o++)
			free(b->alone[l][o]);
		for (int m = 0; m < MAX_MASKS; m++) {
			free(b->any[l][m]);
			for (int k = 0; k < MAX_MASKS; k++)
				free(b->above[l][m][k]);
		}
	}
}
