/* bound.c -- MAPPER's backward pass over the lattice of tiles. */
#include "mapper/search/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The operand's link from a tile at `level` to a parent, and what part of its words the parent must serve. */
struct way {
	bool exists;
	double fill, hop, update, read; /* energy of a word */
	double unit;                    /* one of those of the arrays between */
	double first_in, first_out;     /* copies of first visits, at most: not filled, not read */
};

static struct way way_of(const struct terms *t, const struct word_cost cost[][MAX_OPERANDS],
			 int level, int operand, int parent)
{
	const struct word_cost *outer = &cost[parent][operand];
	struct way w = {.exists = t->constraint.may_keep[parent] >> operand & 1,
			.fill = cost[level][operand].fill,
			.hop = outer->hop + terms_route(t, cost, level, parent, operand),
			.update = outer->update,
			.read = outer->read,
			.unit = t->unit[level][parent]};

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
	unsigned
		moving; /* dims in which the level's tile may be larger than what stands inside of it */
	unsigned moving_inside;  /* or than what stands inside of any level inside of it */
	unsigned dims[MAX_DIMS]; /* of each pattern */
	struct way way[MAX_OPERANDS][MAX_LEVELS]; /* by parent */
};

/* The least cost of the operand at the tile under a pattern of the innermost loop outside: [1] where the next level
 * outward is the parent, [0] where it is one further out. */
static void quote(const struct pass *p, int operand, int32_t state, int pattern, double cost[2])
{
	const struct terms *t = p->t;
	bool runs = t->pattern[pattern] >> operand & 1;
	const struct tile_terms *tile = &t->tile[state];
	double words = tile->visits * tile->words[operand] * (runs ? tile->left[operand] : 1);
	double apart = tile->apart[operand] * (runs ? 1 : tile->left[operand]);

	if (t->sliding[operand])
		words *= halo_of(t, p->level, operand, state, runs ? ~0u : p->dims[pattern]);
	cost[0] = cost[1] = INFINITY;
	for (int parent = 0; parent < p->level; parent++) {
		const struct way *w = &p->way[operand][parent];
		double part = w->unit > apart ? w->unit : apart;
		double own = w->exists ? cost_of(w, words, words * part) : INFINITY;
		if (parent < p->level - 1)
			own += bounds_alone(p->b, parent, operand, state);
		double *least = &cost[parent == p->level - 1];
		*least = own < *least ? own : *least;
	}
}

/* Of each operand by itself, where the level keeps the tile and need not. */
static void fill_alone(const struct pass *p, int32_t state, unsigned fitting,
		       double cost[][MAX_OPERANDS][2])
{
	const struct constraint *c = &p->t->constraint;
	double *alone = p->b->alone[p->level] + (size_t)state * MAX_OPERANDS;

	for (int o = 0; o < MAX_OPERANDS; o++) {
		double next = bounds_alone(p->b, p->level - 1, o, state);
		alone[o] = 0;
		if (o >= p->t->operands || !(c->may_keep[p->level] >> o & 1) ||
		    (c->must_keep[p->level] >> o & 1))
			continue;
		alone[o] = INFINITY;
		for (int g = 0; g < p->t->patterns && (fitting >> o & 1); g++) {
			const double *own = cost[g][o];
			double either = own[0] < own[1] + next ? own[0] : own[1] + next;
			alone[o] = either < alone[o] ? either : alone[o];
		}
	}
}

/* What one set kept here costs for each set of parents at the next level. */
static void cost_of_set(const struct pass *p, unsigned kept, double cost[][MAX_OPERANDS][2],
			double least[MAX_MASKS])
{
	unsigned parents = kept;

	do {
		least[parents] = INFINITY;
		for (int g = 0; g < p->t->patterns; g++) {
			double sum = 0;
			for (int o = 0; o < p->t->operands; o++)
				if (kept >> o & 1)
					sum += cost[g][o][parents >> o & 1];
			least[parents] = sum < least[parents] ? sum : least[parents];
		}
		parents = (parents - 1) & kept;
	} while (parents != kept);
}

/* Where the tile is the state itself: all sets kept here against all sets kept at the next level outward. */
static void fill_state(const struct pass *p, int32_t state, unsigned fitting)
{
	const struct terms *t = p->t;
	const struct bounds *b = p->b;
	int outers = b->masks[p->level - 1];
	double *above = bounds_above(b, p->level, 0, state);
	const double *rest = p->level == 1 ? NULL : bounds_any(b, p->level - 1, state);
	double cost[MAX_DIMS][MAX_OPERANDS][2], least[MAX_MASKS];

	for (int g = 0; g < t->patterns; g++)
		for (int o = 0; o < t->operands; o++)
			if (fitting >> o & 1)
				quote(p, o, state, g, cost[g][o]);
	fill_alone(p, state, fitting, cost);
	for (int m = 0; m < b->masks[p->level]; m++, above += outers) {
		unsigned kept = b->mask[p->level][m];
		bool fits = (kept & ~fitting) == 0 && terms_fit(t, p->level, kept, state);
		if (fits)
			cost_of_set(p, kept, cost, least);
		for (int k = 0; k < outers; k++)
			above[k] =
				fits ? least[kept & b->mask[p->level - 1][k]] + (rest ? rest[k] : 0)
				     : INFINITY;
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

static void take_least(double *least, const double *other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		least[i] = other[i] < least[i] ? other[i] : least[i];
}

/* The least of the tile and of those one prime factor larger, which have theirs. */
static void take_larger(const struct pass *p, unsigned dims, int32_t state, double *table,
			size_t count)
{
	const struct lattice *l = &p->t->lattice;

	for (int d = 0; d < l->dims; d++) {
		const struct axis_of_lattice *a = &l->dim[d];
		int place = state / a->stride % a->count;
		for (int i = 0; (dims >> d & 1) && i < a->steps[place]; i++) {
			int32_t larger = state + (a->step[place][i] - place) * a->stride;
			take_least(table + (size_t)state * count, table + (size_t)larger * count,
				   count);
		}
	}
}

static double least_of(const double *from, size_t count)
{
	double least = INFINITY;

	for (size_t i = 0; i < count; i++)
		least = from[i] < least ? from[i] : least;
	return least;
}

static void fill_level(const struct pass *p)
{
	struct bounds *b = p->b;
	size_t own = (size_t)b->masks[p->level], outer = (size_t)b->masks[p->level - 1];

	for (int32_t s = p->t->lattice.states - 1; s >= 0; s--) {
		unsigned fitting = 0;
		double *any = bounds_any(b, p->level, s);
		for (int o = 0; o < p->t->operands; o++)
			if ((p->t->constraint.may_keep[p->level] >> o & 1) &&
			    terms_fit(p->t, p->level, 1u << o, s))
				fitting |= 1u << o;
		fill_state(p, s, fitting);
		if (p->level == 1)
			memcpy(b->at + (size_t)s * own, b->above[1] + (size_t)s * own,
			       own * sizeof *b->at);
		take_larger(p, p->moving, s, b->above[p->level], own * outer);
		take_larger(p, p->moving_inside, s, b->alone[p->level], MAX_OPERANDS);
		for (size_t m = 0; m < own; m++)
			any[m] = least_of(bounds_above(b, p->level, (int)m, s), outer);
		b->least[p->level][s] = least_of(any, own);
	}
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

static double *table(const struct terms *t, int count)
{
	return malloc((size_t)t->lattice.states * (size_t)count * sizeof(double));
}

static bool allocate(struct bounds *b, const struct terms *t)
{
	bool ok = true;

	for (int l = 1; l < t->levels; l++) {
		if (l == 1)
			ok &= (b->at = table(t, b->masks[1])) != NULL;
		ok &= (b->above[l] = table(t, b->masks[l] * b->masks[l - 1])) != NULL;
		ok &= (b->any[l] = table(t, b->masks[l])) != NULL;
		ok &= (b->least[l] = table(t, 1)) != NULL;
		ok &= (b->alone[l] = table(t, MAX_OPERANDS)) != NULL;
	}
	return ok;
}

bool bounds_make(struct bounds *b, const struct terms *t,
		 const struct word_cost cost[][MAX_OPERANDS])
{
	memset(b, 0, sizeof *b);
	find_masks(b, t);
	if (!allocate(b, t))
		return false;
	for (int l = 1; l < t->levels; l++) {
		struct pass p = {.t = t, .b = b, .level = l, .moving = moving_dims(t, l)};
		for (int inside = l; inside < t->levels; inside++)
			p.moving_inside |= moving_dims(t, inside);
		for (int g = 0; g < t->patterns; g++)
			p.dims[g] = dims_of(t, t->pattern[g]);
		for (int o = 0; o < t->operands; o++)
			for (int parent = 0; parent < l; parent++)
				p.way[o][parent] = way_of(t, cost, l, o, parent);
		fill_level(&p);
	}
	return true;
}

void bounds_free(struct bounds *b)
{
	free(b->at);
	for (int l = 0; l < MAX_LEVELS; l++) {
		free(b->above[l]);
		free(b->any[l]);
		free(b->least[l]);
		free(b->alone[l]);
	}
}
