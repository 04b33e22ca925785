/* array.h -- values in memory: an element type, a shape and the elements in row-major order.
 * Weights, inputs and outputs travel between files, the interpreter and emitted code as arrays. */
#ifndef RUNTIME_ARRAY_H
#define RUNTIME_ARRAY_H

#include "type.h"

enum { MAX_RANK = 8 };

struct array {
	enum type type;
	int rank;                  /* 0 .. MAX_RANK; a scalar has rank 0 */
	int64_t extent[MAX_RANK];  /* elements along each dimension, >= 1 */
	void *data;                /* count elements, row-major, 64-byte aligned, owned */
};

/* Stores the product of the extents; false (and *count untouched) when it or the bytes of any
 * element type would not fit in an int64_t. */
bool shape_count(int rank, const int64_t extent[], int64_t *count);

int64_t array_count(const struct array *);
int64_t array_bytes(const struct array *);

/* All elements zero. NULL when the size overflows or memory is out. Free with array_free. */
struct array *array_new(enum type, int rank, const int64_t extent[]);
struct array *array_copy(const struct array *);
void array_free(struct array *);  /* NULL is accepted */

/* Element i in row-major order, converted; a store to an integer type rounds to nearest even and
 * saturates, NaN becomes 0. */
double array_get(const struct array *, int64_t i);
void array_set(struct array *, int64_t i, double value);

#endif
