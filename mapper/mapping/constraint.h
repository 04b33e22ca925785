/* constraint.h -- what a dataflow or a partial mapping leaves open: docs/mapper.md section 2. */
#ifndef MAPPER_CONSTRAINT_H
#define MAPPER_CONSTRAINT_H

#include "mapper/mapping/mapping.h"

struct constraint {
	unsigned must_keep[MAX_LEVELS], may_keep[MAX_LEVELS]; /* bit per operand; those of the machine, narrowed */
	/* Steps of the loop in time over a dimension at a level, of that in space along an axis of its array: exactly so
	 * many; 1: no such loop; 0: free. */
	int64_t time[MAX_LEVELS][MAX_DIMS];
	int64_t space[MAX_LEVELS][MAX_AXES][MAX_DIMS];
	/* The innermost loops in time of a level, the outer first: those that are there stand so, inside of all that are
	 * not named. */
	int order_count[MAX_LEVELS];
	int order[MAX_LEVELS][MAX_DIMS];
	/* An operand, or -1: of the loops in time at this level those that do not index it stand inside of those that do. */
	int stationary[MAX_LEVELS];
};

/* All that the machine allows. */
void constraint_free(struct constraint *, const struct problem *, const struct hierarchy *);

#endif
