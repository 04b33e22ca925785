/* onnx_reduce.c -- reductions, softmax and the normalisations that keep their parameters. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

/* ---- Reductions -------------------------------------------------------------------------------------- */

/* The library reduces neighbouring axes at once: runs of marked axes, the last first so that the places of the
 * others stay. */
static struct tensor *reduce(struct onnx *o, const struct onnx_node *n, struct tensor *x,
			     const char *op, const bool marked[], bool keep)
{
	int rank = x ? x->rank : 0;
	for (int end = rank; end > 0 && x; end--) {
		int first = end;
		while (first > 0 && marked[first - 1])
			first--;
		if (first == end)
			continue;
		struct onnx_call call = onnx_call(o, n);
		call_tensor(&call, NULL, x);
		call_number(&call, "axis", first);
		call_number(&call, "count", end - first);
		call_number(&call, "keep", keep);
		x = call_result(&call, op);
		end = first + 1;
	}
	return x;
}

struct value import_reduce(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct integers axes;
	bool marked[MAX_RANK];
	if (!x || !onnx_list(o, n, "axes", 1, &axes) ||
	    !onnx_marked_axes(o, n, axes, x->rank, marked))
		return value_poison();
	bool all = axes.count <= 0 && !onnx_integer(n, "noop_with_empty_axes", 0);
	for (int i = 0; all && i < x->rank; i++)
		marked[i] = true;
	if (!strcmp(n->op->name, "ReduceL1"))
		x = call_one(o, n, "abs", x);
	if (!strcmp(n->op->name, "ReduceL2") || !strcmp(n->op->name, "ReduceSumSquare"))
		x = call_two(o, n, "mul", x, x);
	x = reduce(o, n, x, n->op->library, marked, onnx_integer(n, "keepdims", 1) != 0);
	if (!strcmp(n->op->name, "ReduceL2"))
		x = call_one(o, n, "sqrt", x);
	return value_of(x);
}

/* ---- Softmax ----------------------------------------------------------------------------------------- */

/* Until operator set 12 over all axes from the given one on, since 13 over that one alone. */
struct value import_softmax(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	bool joined = o->opset < 13;
	int64_t given = onnx_integer(n, "axis", joined ? 1 : -1);
	int axis = !x                           ? -1
		   : joined && given == x->rank ? (int)given
						: onnx_axis(o, n, given, x->rank);
	if (axis < 0)
		return value_poison();
	int rank = x->rank;
	int64_t extent[MAX_RANK], two[2] = {1, 1};
	memcpy(extent, x->extent, sizeof extent);
	for (int i = 0; i < rank; i++)
		two[i >= axis] *= extent[i];
	joined &= axis != rank - 1;
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, joined ? onnx_view(o, n, x, 2, two) : x);
	call_number(&call, "axis", joined ? 1 : axis);
	struct tensor *y = call_result(&call, n->op->library);
	return value_of(joined ? onnx_view(o, n, y, rank, extent) : y);
}

/* ---- Normalisations ---------------------------------------------------------------------------------- */

struct value import_lrn(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_number(&call, "size", (double)onnx_integer(n, "size", 0));
	call_number(&call, "alpha", onnx_number(n, "alpha", 0.0001F));
	call_number(&call, "beta", onnx_number(n, "beta", 0.75));
	call_number(&call, "bias", onnx_number(n, "bias", 1));
	return call_run(&call, "lrn");
}

struct value import_instance_norm(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_input(&call, "scale", 1, ROLE_PARAM);
	call_input(&call, "bias", 2, ROLE_PARAM);
	call_number(&call, "epsilon", onnx_number(n, "epsilon", 1e-5F));
	return call_run(&call, "instance_norm");
}

struct value import_layer_norm(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	int axis = x ? onnx_axis(o, n, onnx_integer(n, "axis", -1), x->rank) : -1;
	if (axis < 0)
		return value_poison();
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	call_number(&call, "axis", axis);
	call_number(&call, "epsilon", onnx_number(n, "epsilon", 1e-5F));
	call_input(&call, "scale", 1, ROLE_PARAM);
	if (onnx_given(n, 2)) {
		call_input(&call, "bias", 2, ROLE_PARAM);
	} else {
		int32_t type = x->type == TYPE_F64 ? ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE
						   : ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
		struct constant *zero = constant_made(o, n, type, x->rank - axis, x->extent + axis);
		const char *name = arena_printf(o->arena, "%s.bias", n->layer);
		call_tensor(&call, "bias",
			    zero ? constant_tensor(o, n, name, zero, ROLE_PARAM) : NULL);
	}
	return call_run(&call, "layer_norm");
}
