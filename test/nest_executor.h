/* nest_executor.h -- the second opinion on mapper/cost/cost.h: the same counters, found by walking the
 * nest. */
#ifndef TEST_NEST_EXECUTOR_H
#define TEST_NEST_EXECUTOR_H

#include "mapper/cost/cost.h"

/* requires a mapping whose innermost loop of each dimension leaves 1; fills cost. Whether it fits
 * is not asked. */
void execute_mapping(const struct mapping *, struct cost *);

#endif
