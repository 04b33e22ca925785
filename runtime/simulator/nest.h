/* nest.h -- where the loops of a layer are, and what is left to each instance of a level there: docs/accelerator.md section 3.
 *
 * step      of each loop in time, by its depth - 1; those that are not walked stand at 0
 * part      the positions that are left to one instance: from `first`, `extent` of them
 * instance  of a level, numbered by the units of the arrays outside of it, the outermost first, in each array row by row */
#ifndef RUNTIME_SIMULATOR_NEST_H
#define RUNTIME_SIMULATOR_NEST_H

#include "runtime/simulator/layer.h"
#include "runtime/simulator/box.h"

struct part {
	int64_t first[LAYER_DIMS], extent[LAYER_DIMS];
};

/* Calls `each` for every instance of a level that has something left. */
void nest_each(const struct sim_layer *, int level, const int64_t step[],
	       void (*each)(void *context, int64_t instance, const struct part *), void *context);
/* Steps of the loop at this depth (1 ..), where the ones outside of it are: those of the first unit. */
int64_t nest_steps(const struct sim_layer *, int depth, const int64_t step[]);
/* The coordinates of an operand that a part reaches. */
struct box nest_box(const struct sim_layer *, int operand, const struct part *);

#endif
