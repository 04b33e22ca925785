/* array.c -- arrays: a checked size, aligned storage, elements read and written as doubles. */
#include "array.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, WIDEST = 8 /* bytes of the widest element type */ };

#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	_Static_assert(bytes <= WIDEST, "array.c: " name " is wider than WIDEST");
#include "type.def"
#undef TYPE

bool shape_count(int rank, const int64_t extent[], int64_t *count)
{
	int64_t product = 1;
	if (rank < 0 || rank > MAX_RANK)
		return false;
	for (int i = 0; i < rank; i++) {
		if (extent[i] < 1 || extent[i] > INT64_MAX / WIDEST / product)
			return false;
		product *= extent[i];
	}
	*count = product;
	return true;
}

int64_t array_count(const struct array *a)
{
	int64_t count = 0;
	bool fits = shape_count(a->rank, a->extent, &count);
	assert(fits);
	(void)fits;
	return count;
}

int64_t array_bytes(const struct array *a)
{
	return array_count(a) * type_info(a->type)->bytes;
}

/* The elements are left as they come. */
static struct array *allocate(enum type type, int rank, const int64_t extent[])
{
	int64_t count;
	if (!shape_count(rank, extent, &count))
		return NULL;
	size_t bytes = (size_t)count * (size_t)type_info(type)->bytes;
	size_t whole_lines = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct array *a = calloc(1, sizeof *a);
	void *data = a ? aligned_alloc(ALIGNMENT, whole_lines) : NULL;
	if (!data) {
		free(a);
		return NULL;
	}
	a->type = type;
	a->rank = rank;
	for (int i = 0; i < rank; i++)
		a->extent[i] = extent[i];
	a->data = data;
	return a;
}

struct array *array_new(enum type type, int rank, const int64_t extent[])
{
	struct array *a = allocate(type, rank, extent);
	if (a)
		memset(a->data, 0, (size_t)array_bytes(a));
	return a;
}

struct array *array_copy(const struct array *from)
{
	struct array *a = allocate(from->type, from->rank, from->extent);
	if (a)
		memcpy(a->data, from->data, (size_t)array_bytes(a));
	return a;
}

void array_free(struct array *a)
{
	if (!a)
		return;
	free(a->data);
	free(a);
}

double array_get(const struct array *a, int64_t i)
{
	assert(i >= 0 && i < array_count(a));
	switch (a->type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id:                                                                            \
		return (double)((const ctype *)a->data)[i];
#include "type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
	return 0;
}

/* The nearest integer of so many bytes, ties to even. The limit is a power of two, exact in a
 * double where the greatest int64_t is not. */
static int64_t saturate(double value, int bytes)
{
	double limit = ldexp(1, 8 * bytes - 1);
	double nearest = nearbyint(value);
	if (isnan(value))
		return 0;
	if (nearest >= limit)
		return INT64_MAX >> (64 - 8 * bytes);
	if (nearest < -limit)
		return INT64_MIN >> (64 - 8 * bytes);
	return (int64_t)nearest;
}

void array_set(struct array *a, int64_t i, double value)
{
	assert(i >= 0 && i < array_count(a));
	switch (a->type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id:                                                                            \
		((ctype *)a->data)[i] = is_float ? (ctype)value : (ctype)saturate(value, bytes);   \
		break;
#include "type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
}
