/* onnx_arrange.c -- operators that put elements elsewhere: Transpose, Concat, Expand, Tile, Pad. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

bool onnx_permutation(struct onnx *o, const struct onnx_node *n, int rank, int64_t perm[])
{
	struct integers given = onnx_integers(n, "perm");
	bool marked[MAX_RANK];
	if (given.count >= 0 && given.count != rank) {
		onnx_error(o, n, "a permutation of %d axes for a tensor of %d dimensions",
			   given.count, rank);
		return false;
	}
	if (!onnx_marked_axes(o, n, given, rank, marked))
		return false;
	for (int i = 0; i < rank; i++)
		perm[i] = given.count < 0 ? rank - 1 - i : onnx_axis(o, n, given.item[i], rank);
	return true;
}

struct value import_transpose(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	int64_t perm[MAX_RANK];
	if (!x || !onnx_permutation(o, n, x->rank, perm))
		return value_poison();
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	call_integers(&call, "perm", x->rank, perm);
	return call_run(&call, "transpose");
}

/* Inputs without elements add nothing. */
struct value import_concat(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	int rank = 0;
	for (int i = 0; i < n->input_count; i++) {
		const struct constant *c = onnx_constant(o, n, i);
		if (c && !c->count)
			continue;
		struct tensor *x = onnx_tensor(o, n, i, ROLE_CONSTANT);
		call_tensor(&call, NULL, x);
		rank = x ? x->rank : rank;
	}
	int axis = call.failed ? -1 : onnx_axis(o, n, onnx_integer(n, "axis", 1), rank);
	if (axis < 0)
		return value_poison();
	call_number(&call, "axis", axis);
	return call_run(&call, "concat");
}

static struct tensor *expand_to(struct onnx *o, const struct onnx_node *n, struct tensor *x,
				int rank, const int64_t extent[])
{
	int64_t count;
	if (!shape_count(rank, extent, &count)) {
		onnx_error(o, n, "its result has no elements, or more than 64 bits can count");
		return NULL;
	}
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	call_integers(&call, "shape", rank, extent);
	return call_result(&call, "expand");
}

struct value import_expand(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct integers shape;
	int64_t extent[MAX_RANK];
	if (!x || !onnx_known(o, n, 1, "shape", &shape))
		return value_poison();
	int rank = x->rank;
	memcpy(extent, x->extent, sizeof extent);
	if (shape.count > MAX_RANK || !shape_broadcast(&rank, extent, shape.count, shape.item)) {
		onnx_error(o, n, "its input cannot be expanded to its shape");
		return value_poison();
	}
	if (rank == x->rank && !memcmp(extent, x->extent, (size_t)rank * sizeof *extent))
		return value_of(x);
	return value_of(expand_to(o, n, x, rank, extent));
}

/* Repeats[i] copies along axis i: each is an Expand of a new dimension before the axis, then joined with it. */
struct value import_tile(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct integers repeats;
	if (!x || !onnx_known(o, n, 1, "repeats", &repeats))
		return value_poison();
	if (repeats.count != x->rank) {
		onnx_error(o, n, "%d repeats for a tensor of %d dimensions", repeats.count,
			   x->rank);
		return value_poison();
	}
	for (int i = 0; x && i < repeats.count; i++) {
		int64_t extent[MAX_RANK + 2], joined[MAX_RANK], times = repeats.item[i];
		int rank = x->rank;
		if (times == 1)
			continue;
		if (rank == MAX_RANK || times < 1 ||
		    __builtin_mul_overflow(x->extent[i], times, &joined[i])) {
			onnx_unsupported(
				o, n, "%lld repeats of %lld elements in a tensor of %d dimensions",
				(long long)times, (long long)x->extent[i], rank);
			return value_poison();
		}
		memcpy(extent, x->extent, (size_t)i * sizeof *extent);
		extent[i] = 1;
		memcpy(extent + i + 1, x->extent + i, (size_t)(rank - i) * sizeof *extent);
		int64_t copies = joined[i];
		memcpy(joined, x->extent, sizeof joined);
		joined[i] = copies;
		x = onnx_view(o, n, x, rank + 1, extent);
		extent[i] = times;
		x = x ? expand_to(o, n, x, rank + 1, extent) : NULL;
		x = onnx_view(o, n, x, rank, joined);
	}
	return value_of(x);
}

/* ---- Pad --------------------------------------------------------------------------------------------- */

struct pad {
	const char *mode;
	double value;
	int64_t before[MAX_RANK], after[MAX_RANK];
};

/* The list holds the beginnings of all axes, then their ends; since operator set 18 perhaps of some axes only. */
static bool pads_of(struct onnx *o, const struct onnx_node *n, int rank, struct pad *pad)
{
	struct integers pads, axes;
	bool marked[MAX_RANK];
	if (!onnx_list(o, n, onnx_attribute(n, "paddings") ? "paddings" : "pads", 1, &pads) ||
	    !onnx_known(o, n, 3, "axes", &axes) || !onnx_marked_axes(o, n, axes, rank, marked))
		return false;
	int count = axes.count < 0 ? rank : axes.count;
	if (pads.count != 2 * count) {
		onnx_error(o, n, "%d pads for %d axes; each needs two",
			   pads.count < 0 ? 0 : pads.count, count);
		return false;
	}
	for (int i = 0; i < count; i++) {
		int axis = axes.count < 0 ? i : onnx_axis(o, n, axes.item[i], rank);
		pad->before[axis] = pads.item[i];
		pad->after[axis] = pads.item[count + i];
		if (pads.item[i] > INT32_MAX || pads.item[i] < -INT32_MAX ||
		    pads.item[count + i] > INT32_MAX || pads.item[count + i] < -INT32_MAX) {
			onnx_error(o, n, "a pad of %lld and %lld elements", (long long)pads.item[i],
				   (long long)pads.item[count + i]);
			return false;
		}
	}
	return true;
}

static bool pad_value(struct onnx *o, const struct onnx_node *n, double *value)
{
	const struct constant *c = onnx_constant(o, n, 2);
	*value = c && c->count ? constant_number(c, 0) : onnx_number(n, "value", 0);
	if (onnx_given(n, 2) && !c)
		onnx_unsupported(
			o, n,
			"its value is computed from inputs; it must be known while compiling");
	return c || !onnx_given(n, 2);
}

struct value import_pad(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct pad pad = {.mode = onnx_string(o, n, "mode", "constant")};
	if (!x || !pads_of(o, n, x->rank, &pad) || !pad_value(o, n, &pad.value))
		return value_poison();
	if (strcmp(pad.mode, "constant") && strcmp(pad.mode, "edge") &&
	    strcmp(pad.mode, "reflect")) {
		onnx_unsupported(o, n,
				 "mode '%s' is not supported; known are constant, edge and reflect",
				 onnx_shown(o->arena, pad.mode));
		return value_poison();
	}
	int rank = x->rank;
	for (int i = 0; i < rank && x; i++) {
		if (!pad.before[i] && !pad.after[i])
			continue;
		struct onnx_call call = onnx_call(o, n);
		call_tensor(&call, NULL, x);
		call_number(&call, "axis", i);
		call_number(&call, "before", (double)pad.before[i]);
		call_number(&call, "after", (double)pad.after[i]);
		call_number(&call, "value", pad.value);
		call_string(&call, "mode", pad.mode);
		x = call_result(&call, "pad");
	}
	return value_of(x);
}
