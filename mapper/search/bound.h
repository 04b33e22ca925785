/* bound.h -- the least energy that the memories outside of a tile can cost, for all tiles at once.
 *
 * From the outermost level inward: what a level pays for its own tile, with the longest run that any one order could give,
 * plus the least that any larger tile of the next level outward costs. The latter is one pass over the lattice, from
 * the largest tile down, each tile taking the least of those one prime factor larger. */
#ifndef MAPPER_BOUND_H
#define MAPPER_BOUND_H

#include "mapper/search/terms.h"

enum { MAX_MASKS = 1 << MAX_OPERANDS };

struct bounds {
	int masks[MAX_LEVELS]; /* sets of operands that a level may keep */
	unsigned mask[MAX_LEVELS][MAX_MASKS];
	/* For each level, the set that it keeps, and the set that the next level outward keeps: by state, the least energy of
	 * the links whose child is this level or one outside of it, where the level's tile is the state or contains it;
	 * infinite where none fits. Below level 1 stands one outer set: all. */
	double *above[MAX_LEVELS][MAX_MASKS][MAX_MASKS];
	double *any[MAX_LEVELS][MAX_MASKS];   /* the least over all outer sets */
	double *least[MAX_LEVELS];            /* and over all of its own */
	/* For each level and operand: the least energy of the operand's own links whose child is this level or one outside of
	 * it, up to the first level that must keep it (from there on they are in the tables above, whatever sets those have
	 * chosen); what a level costs that is the parent of a link and stands beyond the next one outward. */
	double *alone[MAX_LEVELS][MAX_OPERANDS];
	double *at[MAX_MASKS];                /* of level 1, where its tile is the state itself */
};

static inline double bounds_alone(const struct bounds *b, int level, int operand, int32_t state)
{
	return b->alone[level][operand] ? b->alone[level][operand][state] : 0;
}

/* By a cost of each level and operand. False: no memory; then free as well. */
bool bounds_make(struct bounds *, const struct terms *, const struct word_cost cost[][MAX_OPERANDS]);
void bounds_free(struct bounds *);

#endif
