/* place.c -- coordinates to addresses. */
#include "runtime/simulator/place.h"

static int64_t modulo(int64_t a, int64_t n)
{
	int64_t rest = a % n;
	return rest < 0 ? rest + n : rest;
}

int64_t place_in_memory(const struct layer_operand *o, int level, int buffer,
			const int64_t coordinate[])
{
	const struct layer_keep *keep = &o->keep[level];
	int64_t word = 0;
	for (int r = 0; r < o->ranks; r++)
		word = word * keep->length[r] + modulo(coordinate[r], keep->length[r]);
	return keep->base + buffer * keep->words + word;
}

int64_t place_in_tensor(const struct layer_operand *o, const struct sim_tensor *t,
			const int64_t coordinate[])
{
	int64_t index[MAX_RANK], element = 0;
	for (int axis = 0; axis < t->rank; axis++)
		index[axis] = o->offset[axis];
	for (int r = 0; r < o->ranks; r++)
		index[o->rank[r].axis] += o->rank[r].scale * coordinate[r];
	for (int axis = 0; axis < t->rank; axis++) {
		if (index[axis] < 0 || index[axis] >= t->extent[axis])
			return -1;
		element = element * t->extent[axis] + index[axis];
	}
	return element;
}
