/* bound.h -- the least energy that the memories outside of a tile can cost, for all tiles at once.
 *
 * From the outermost level inward: what a level pays for its own tile, with the longest run that any one order could give,
 * plus the least that any larger tile of the next level outward costs. The latter is one pass over the lattice, from
 * the largest tile down, each tile taking the least of those one prime factor larger. */
#ifndef MAPPER_BOUND_H
#define MAPPER_BOUND_H

#include <math.h>

#include "mapper/search/terms.h"

enum { MAX_MASKS = 1 << MAX_OPERANDS };

struct bounds {
	int masks[MAX_LEVELS]; /* sets of operands that a level may keep */
	unsigned mask[MAX_LEVELS][MAX_MASKS];
	/* For each state, the set that a level keeps (own), and the set that the next level outward keeps (outer): the least
	 * energy of the links whose child is this level or one outside of it, where the level's tile is the state or contains
	 * it; infinite where none fits. Below level 1 stands one outer set: all. */
	double *above[MAX_LEVELS]; /* [(state * own sets + own) * outer sets + outer] */
	double *any[MAX_LEVELS];   /* the least over all outer sets: [state * own sets + own] */
	double *least[MAX_LEVELS]; /* and over all of its own: [state] */
	double *at;                /* `any` of level 1, where its tile is the state itself */
	/* For each state and operand that a level may keep and need not: the least energy of the operand's own links whose
	 * child is this level or one outside of it, up to the first level that must keep it (from there on they are in the
	 * tables above, whatever sets those have chosen); what it costs that a parent stands at this level, beyond the next
	 * one outward of the child. 0 for other operands. */
	double *alone[MAX_LEVELS]; /* [state * MAX_OPERANDS + operand] */
};

/* By outer set. */
static inline double *bounds_above(const struct bounds *b, int level, int own, int32_t state)
{
	size_t row = (size_t)state * (size_t)b->masks[level] + (size_t)own;

	return b->above[level] + row * (size_t)b->masks[level - 1];
}

/* By own set. */
static inline double *bounds_any(const struct bounds *b, int level, int32_t state)
{
	return b->any[level] + (size_t)state * (size_t)b->masks[level];
}

static inline double bounds_alone(const struct bounds *b, int level, int operand, int32_t state)
{
	return b->alone[level] ? b->alone[level][(size_t)state * MAX_OPERANDS + (size_t)operand] : 0;
}

/* The least over the first so many sets of a level: what each operand costs, [1] where the level keeps it, and what lies
 * outside. */
static inline double bounds_least(const struct bounds *b, int level, int sets, int operands,
				  const double cost[][2], const double *outside)
{
	double sum[MAX_MASKS] = {0}, least = INFINITY;

	for (int o = 0; o < operands; o++)
		for (int m = 0; m < 1 << o; m++) {
			sum[m | 1 << o] = sum[m] + cost[o][1];
			sum[m] += cost[o][0];
		}
	for (int m = 0; m < sets; m++) {
		double own = sum[b->mask[level][m]] + (outside ? outside[m] : 0);
		least = own < least ? own : least;
	}
	return least;
}

/* By a cost of each level and operand. False: no memory; then free as well. */
bool bounds_make(struct bounds *, const struct terms *, const struct word_cost cost[][MAX_OPERANDS]);
void bounds_free(struct bounds *);

#endif
