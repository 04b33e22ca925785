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
	double *at[MAX_MASKS];                /* of level 1, where its tile is the state itself */
};

/* By a cost of each level and operand. False: no memory; then free as well. */
bool bounds_make(struct bounds *, const struct terms *, const struct word_cost cost[][MAX_OPERANDS]);
void bounds_free(struct bounds *);

#endif
