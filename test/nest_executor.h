/* nest_executor.h -- the second opinion on mapper/cost/cost.h: the same counters, found by walking the
 * nest. */
#ifndef TEST_NEST_EXECUTOR_H
#define TEST_NEST_EXECUTOR_H

#include "mapper/cost/cost.h"

/* Counters that are not compared by their place in struct cost. */
struct executed {
	int64_t accesses[MAX_LEVELS][MAX_OPERANDS][ACCESS_KINDS]; /* each moves a width of words */
	int64_t network_words[MAX_LEVELS]; /* at the outer end of one array's network, the busiest */
	/* Of all arrays inside a level: deliveries on buses, words times links on meshes. */
	int64_t hops[MAX_LEVELS][MAX_OPERANDS];
};

/* requires a mapping whose innermost loop of each dimension leaves 1; fills cost. Whether it fits
 * is not asked. */
void execute_mapping(const struct mapping *, struct cost *);
/* As execute_mapping; fills both. */
void execute_and_count(const struct mapping *, struct cost *, struct executed *);

#endif
