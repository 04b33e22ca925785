/* feasible.h -- whether any mapping obeys a constraint, without a search for a good one: where a loop stands matters little
 * then, only how small the tiles can be. Factors are perfect. */
#ifndef MAPPER_FEASIBLE_H
#define MAPPER_FEASIBLE_H

#include "mapper/mapping/constraint.h"

/* Extents of the box that the loops at a level and inside of it walk: no mapping that obeys has less of a dimension. */
void feasible_least(const struct constraint *, const struct problem *, const struct hierarchy *, int level,
		    int64_t extent[MAX_DIMS]);

/* Is there a mapping that obeys? Where a million tries to part dimensions among arrays find none, the answer is no. */
bool feasible(const struct constraint *, const struct problem *, const struct hierarchy *);

#endif
