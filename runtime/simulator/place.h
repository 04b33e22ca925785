/* place.h -- where the word of given coordinates lies: in a ring of a memory, or in the tensor. docs/accelerator.md section 2. */
#ifndef RUNTIME_SIMULATOR_PLACE_H
#define RUNTIME_SIMULATOR_PLACE_H

#include "runtime/simulator/layer.h"

/* In one instance of a level that keeps the operand. */
int64_t place_in_memory(const struct layer_operand *, int level, int buffer,
			const int64_t coordinate[]);
/* The number of the element of the tensor, or -1 outside of it. */
int64_t place_in_tensor(const struct layer_operand *, const struct sim_tensor *,
			const int64_t coordinate[]);

#endif
