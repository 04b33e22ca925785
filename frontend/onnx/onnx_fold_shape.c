/* onnx_fold_shape.c -- constants made of constants by moving elements: the arithmetic of shapes that exporters
 * write before Reshape, Resize and Slice. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

enum { INT64 = ONNX__TENSOR_PROTO__DATA_TYPE__INT64, FLOAT = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT };

/* The product of extents first .. last-1. */
static int64_t product(const int64_t extent[], int first, int last)
{
	int64_t count = 1;
	for (int i = first; i < last; i++)
		count *= extent[i];
	return count;
}

struct constant *fold_concat(struct onnx *o, struct onnx_node *n)
{
	const struct constant *first = onnx_constant(o, n, 0);
	int axis = onnx_axis(o, n, onnx_integer(n, "axis", 1), first->rank);
	int64_t extent[MAX_RANK];
	if (axis < 0)
		return NULL;
	memcpy(extent, first->extent, sizeof extent);
	extent[axis] = 0;
	for (int i = 0; i < n->input_count; i++) {
		const struct constant *c = onnx_constant(o, n, i);
		bool fits = c && c->rank == first->rank && c->onnx_type == first->onnx_type;
		for (int k = 0; fits && k < c->rank; k++)
			fits = k == axis || c->extent[k] == first->extent[k];
		if (!fits || __builtin_add_overflow(extent[axis], c->extent[axis], &extent[axis])) {
			onnx_error(o, n, "input %d does not fit input 0", i);
			return NULL;
		}
	}
	struct constant *c = constant_made(o, n, first->onnx_type, first->rank, extent);
	int64_t outer = product(extent, 0, axis), inner = product(extent, axis + 1, first->rank);
	int64_t at = 0;
	for (int64_t row = 0; c && c->count && row < outer; row++)
		for (int i = 0; i < n->input_count; i++) {
			const struct constant *from = onnx_constant(o, n, i);
			int64_t run = from->extent[axis] * inner;
			for (int64_t k = 0; k < run; k++)
				constant_copy(c, at++, from, row * run + k);
		}
	return c;
}

/* Result[outer, index..., inner] = data[outer, indices[index...], inner]. */
struct constant *fold_gather(struct onnx *o, struct onnx_node *n)
{
	const struct constant *data = onnx_constant(o, n, 0), *indices = onnx_constant(o, n, 1);
	int axis = onnx_axis(o, n, onnx_integer(n, "axis", 0), data->rank);
	int rank = data->rank - 1 + indices->rank;
	int64_t extent[2 * MAX_RANK];
	if (axis < 0)
		return NULL;
	memcpy(extent, data->extent, (size_t)axis * sizeof *extent);
	memcpy(extent + axis, indices->extent, (size_t)indices->rank * sizeof *extent);
	memcpy(extent + axis + indices->rank, data->extent + axis + 1,
	       (size_t)(data->rank - axis - 1) * sizeof *extent);
	int64_t inner = product(data->extent, axis + 1, data->rank);
	struct constant *c = constant_made(o, n, data->onnx_type, rank, extent);
	for (int64_t i = 0; c && i < c->count; i++) {
		int64_t row = i / inner / indices->count;
		int64_t index = constant_integer(indices, i / inner % indices->count);
		if (index < -data->extent[axis] || index >= data->extent[axis]) {
			onnx_error(o, n, "index %lld into %lld elements", (long long)index,
				   (long long)data->extent[axis]);
			return NULL;
		}
		index += index < 0 ? data->extent[axis] : 0;
		constant_copy(c, i, data, (row * data->extent[axis] + index) * inner + i % inner);
	}
	return c;
}

struct constant *fold_slice(struct onnx *o, struct onnx_node *n)
{
	const struct constant *data = onnx_constant(o, n, 0);
	struct cut cut[MAX_RANK];
	int64_t extent[MAX_RANK];
	if (!onnx_cuts(o, n, data->rank, data->extent, cut))
		return NULL;
	for (int i = 0; i < data->rank; i++)
		extent[i] = cut[i].count;
	struct constant *c = constant_made(o, n, data->onnx_type, data->rank, extent);
	for (int64_t i = 0; c && i < c->count; i++) {
		int64_t from = 0, stride = 1, at = i;
		for (int k = data->rank - 1; k >= 0; k--) {
			from += (cut[k].start + at % extent[k] * cut[k].step) * stride;
			at /= extent[k];
			stride *= data->extent[k];
		}
		constant_copy(c, i, data, from);
	}
	return c;
}

struct constant *fold_transpose(struct onnx *o, struct onnx_node *n)
{
	const struct constant *data = onnx_constant(o, n, 0);
	int64_t perm[MAX_RANK], extent[MAX_RANK], stride[MAX_RANK];
	if (!onnx_permutation(o, n, data->rank, perm))
		return NULL;
	for (int i = 0; i < data->rank; i++) {
		extent[i] = data->extent[perm[i]];
		stride[i] = product(data->extent, (int)perm[i] + 1, data->rank);
	}
	struct constant *c = constant_made(o, n, data->onnx_type, data->rank, extent);
	for (int64_t i = 0; c && i < c->count; i++) {
		int64_t from = 0, at = i;
		for (int k = data->rank - 1; k >= 0; k--) {
			from += at % extent[k] * stride[k];
			at /= extent[k];
		}
		constant_copy(c, i, data, from);
	}
	return c;
}

/* Over all elements, as in counting those of a shape. */
struct constant *fold_reduce_prod(struct onnx *o, struct onnx_node *n)
{
	const struct constant *data = onnx_constant(o, n, 0);
	static const int64_t ones[MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
	if (data->rank > 1)
		return NULL;
	struct constant *c = constant_made(o, n, data->onnx_type,
					   onnx_integer(n, "keepdims", 1) ? data->rank : 0, ones);
	uint64_t whole = 1;
	double number = 1;
	for (int64_t i = 0; c && i < data->count; i++) {
		whole *= (uint64_t)constant_integer(data, i);
		number *= constant_number(data, i);
	}
	if (c && constant_is_integer(c))
		constant_set_integer(c, 0, (int64_t)whole);
	else if (c)
		constant_set_number(c, 0, number);
	return c;
}

struct constant *fold_constant_of_shape(struct onnx *o, struct onnx_node *n)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, "value");
	const struct constant *value = a ? onnx_tensor_decode(o, n, a->t) : NULL;
	struct integers shape;
	if (!onnx_known(o, n, 0, "shape", &shape) || (a && !value))
		return NULL;
	if (value && value->count != 1) {
		onnx_error(o, n, "its value has %lld elements", (long long)value->count);
		return NULL;
	}
	struct constant *c =
		constant_made(o, n, value ? value->onnx_type : FLOAT, shape.count, shape.item);
	for (int64_t i = 0; c && value && i < c->count; i++)
		constant_copy(c, i, value, 0);
	return c;
}

struct constant *fold_range(struct onnx *o, struct onnx_node *n)
{
	const struct constant *end[3];
	for (int i = 0; i < 3; i++) {
		end[i] = onnx_constant(o, n, i);
		if (end[i]->count != 1) {
			onnx_error(o, n, "input %d has %lld elements, not one", i,
				   (long long)end[i]->count);
			return NULL;
		}
	}
	double start = constant_number(end[0], 0), step = constant_number(end[2], 0);
	double length = ceil((constant_number(end[1], 0) - start) / step);
	if (step == 0 || !(length < 0x1p53)) {
		onnx_error(o, n, "a range of no length");
		return NULL;
	}
	int64_t count = length > 0 ? (int64_t)length : 0;
	struct constant *c = constant_made(o, n, end[0]->onnx_type, 1, &count);
	for (int64_t i = 0; c && i < count; i++)
		constant_set_number(c, i, start + (double)i * step);
	return c;
}
