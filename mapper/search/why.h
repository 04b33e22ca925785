/* why.h -- why no mapping obeys the rules. */
#ifndef MAPPER_WHY_H
#define MAPPER_WHY_H

#include "mapper/search/terms.h"

/* A sentence in the arena for a problem without a mapping: the memory, the tensors, the words that they need at least and
 * those there; or the demand of the constraint that cannot be met. `most_cycles`: the limit, or 0. */
const char *why_infeasible(const struct terms *, int64_t most_cycles, double least_cycles);

#endif
