/* route.h -- which of a network's modes an operand uses, which follows from the loops in space over its array: docs/cost-model.md
 * section 2, rule 4. */
#ifndef RUNTIME_SIMULATOR_ROUTE_H
#define RUNTIME_SIMULATOR_ROUTE_H

#include "runtime/simulator/layer.h"

/* Who shares what goes once: in the order of the words of isa.def. */
enum route_mode { ROUTE_UNICAST, ROUTE_ROW, ROUTE_COLUMN, ROUTE_GROUP, ROUTE_BROADCAST };

/* requires the loops and the operand. Of the array inside the level. */
enum route_mode route_mode(const struct sim_layer *, int level, int operand);

#endif
