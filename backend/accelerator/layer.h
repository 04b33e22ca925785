/* layer.h -- from a mapping to the instructions of a layer. */
#ifndef BACKEND_ACCELERATOR_LAYER_H
#define BACKEND_ACCELERATOR_LAYER_H

#include "mapper/cost/cost.h"
#include "runtime/isa.h"

/* Why the array cannot do the statement, as half a sentence; NULL where it can: it sums products of integers. */
const char *layer_obstacle(const struct statement *);

/* The file's number of a tensor, and where its words stand in the places of the layer's subscripts. */
struct layer_tensor {
	int number;
	bool is_zero_outside;
	int axes;
	int64_t offset[MAX_RANK];
};

/* Appends the layer: its nest, its places, its sequencers, and, where they are given, the counters that it must end with. Tensors in
 * the order of the problem's operands. False when memory is out. */
bool layer_write(struct code *, const char *name, const struct mapping *,
		 const struct layer_tensor tensor[], const struct cost *);
/* The tensors of a statement, numbered by their id. */
void layer_tensors_of(const struct statement *, struct layer_tensor[MAX_OPERANDS]);

#endif
