/* onnx_pointwise.c -- operators that work element by element, each one call of the library or a few. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

#define ID(name) ONNX__TENSOR_PROTO__DATA_TYPE__##name

/* From float to integer the fraction is dropped. */
static struct tensor *cast_to(struct onnx *o, const struct onnx_node *n, struct tensor *x,
			      enum type type)
{
	if (!x || x->type == type)
		return x;
	if (type_info(x->type)->is_float && !type_info(type)->is_float)
		x = call_one(o, n, "truncate", x);
	return call_one(o, n, arena_printf(o->arena, "cast_%s", type_info(type)->name), x);
}

/* ---- One tensor -------------------------------------------------------------------------------------- */

struct value import_pointwise(struct onnx *o, struct onnx_node *n)
{
	return value_of(call_one(o, n, n->op->library, onnx_tensor(o, n, 0, ROLE_CONSTANT)));
}

struct value import_elu(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_number(&call, "alpha", onnx_number(n, "alpha", 1));
	return call_run(&call, "elu");
}

struct value import_leaky_relu(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_number(&call, "slope", onnx_number(n, "alpha", 0.01F));
	return call_run(&call, "leaky_relu");
}

/* The slope broadcasts, unlike that of prelu in the library: max(x, 0) - slope * max(-x, 0). */
struct value import_prelu(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct tensor *slope = onnx_tensor(o, n, 1, ROLE_PARAM);
	if (slope && x && o->opset < 7 && slope->rank == 1 && x->rank > 1) {
		int64_t extent[MAX_RANK] = {slope->extent[0], 1, 1, 1, 1, 1, 1, 1};
		slope = onnx_view(o, n, slope, x->rank - 1, extent);
	}
	struct tensor *below = call_one(o, n, "relu", call_one(o, n, "neg", x));
	return value_of(call_two(o, n, "sub", call_one(o, n, "relu", x),
				 call_two(o, n, "mul", below, slope)));
}

struct value import_hard_sigmoid(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_number(&call, "alpha", onnx_number(n, "alpha", 0.2F));
	call_number(&call, "beta", onnx_number(n, "beta", 0.5));
	return call_run(&call, "hard_sigmoid");
}

struct value import_gelu(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_string(&call, "approximate", onnx_string(o, n, "approximate", "none"));
	return call_run(&call, "gelu");
}

/* A bound of Clip: an attribute before operator set 11, an input since. */
static bool bound(struct onnx *o, const struct onnx_node *n, const char *name, int input,
		  double *value)
{
	const struct constant *c = onnx_constant(o, n, input);
	*value = onnx_number(n, name, *value);
	if (!onnx_given(n, input))
		return true;
	if (!c || c->count != 1)
		return false;
	*value = constant_number(c, 0);
	return true;
}

struct value import_clip(struct onnx *o, struct onnx_node *n)
{
	double low = -(double)INFINITY, high = (double)INFINITY;
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	bool known = bound(o, n, "min", 1, &low) & bound(o, n, "max", 2, &high);
	if (!known || low > high) { /* then the bounds are tensors, or the greater wins */
		if (onnx_given(n, 1))
			x = call_two(o, n, "max", x, onnx_tensor(o, n, 1, ROLE_CONSTANT));
		if (onnx_given(n, 2))
			x = call_two(o, n, "min", x, onnx_tensor(o, n, 2, ROLE_CONSTANT));
		return value_of(x);
	}
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	if (isfinite(low))
		call_number(&call, "low", low);
	if (isfinite(high))
		call_number(&call, "high", high);
	return call_run(&call, "clip");
}

/* To a narrower integer, as the lowest bits: by way of i32 where it is a long one. */
static struct tensor *narrowed(struct onnx *o, const struct onnx_node *n, struct tensor *x,
			       enum type type)
{
	while (x && type_info(type)->bytes < type_info(x->type)->bytes) {
		bool is_long = x->type == TYPE_I64;
		enum type next = is_long ? TYPE_I32 : type;
		int dropped = (is_long ? 64 : 32) - 8 * type_info(next)->bytes;
		struct onnx_call call = onnx_call(o, n);
		call_tensor(&call, NULL, x);
		call_number(&call, "root", ldexp(1, dropped / 2));
		x = cast_to(o, n, call_result(&call, "wrap"), next);
	}
	return x;
}

/* Bool is 0 or 1 in i32; from float to integer the fraction is dropped. */
struct value import_cast(struct onnx *o, struct onnx_node *n)
{
	int64_t to = onnx_integer(n, "to", 0);
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	enum type type;
	if (!x)
		return value_poison();
	if (to < 0 || to > 100 || !onnx_type_of((int32_t)to, &type) ||
	    (!onnx_type_is_native((int32_t)to, &type) && to != ID(BOOL))) {
		onnx_unsupported(o, n, "a cast to %s is not supported",
				 onnx_type_name((int32_t)to));
		return value_poison();
	}
	if (to == ID(BOOL))
		return value_of(call_one(o, n, "logical_not", call_one(o, n, "logical_not", x)));
	if (!type_info(x->type)->is_float && !type_info(type)->is_float)
		x = narrowed(o, n, x, type);
	return value_of(cast_to(o, n, x, type));
}

/* ---- Two and more tensors ---------------------------------------------------------------------------- */

/* Before operator set 7 the second operand could start at an axis of the first: it gets trailing ones. */
static struct tensor *second_operand(struct onnx *o, const struct onnx_node *n, struct tensor *a)
{
	struct tensor *b = onnx_tensor(o, n, 1, ROLE_CONSTANT);
	int64_t extent[MAX_RANK];
	if (!a || !b || o->opset >= 7 || !onnx_attribute(n, "axis"))
		return b;
	int axis = onnx_axis(o, n, onnx_integer(n, "axis", 0), a->rank);
	if (axis < 0 || axis + b->rank > a->rank)
		return NULL;
	for (int i = axis; i < a->rank; i++)
		extent[i - axis] = i - axis < b->rank ? b->extent[i - axis] : 1;
	return onnx_view(o, n, b, a->rank - axis, extent);
}

struct value import_binary(struct onnx *o, struct onnx_node *n)
{
	struct tensor *a = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	return value_of(call_two(o, n, n->op->library, a, second_operand(o, n, a)));
}

/* Squares are more exact, and much cheaper, as what they are. The result has the base's type. */
struct value import_pow(struct onnx *o, struct onnx_node *n)
{
	const struct constant *power = onnx_constant(o, n, 1);
	struct tensor *a = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	bool is_number = a && power && power->count == 1 && power->rank <= a->rank;
	double value = is_number ? constant_number(power, 0) : 0;
	if (is_number && value == 1)
		return value_of(a);
	if (is_number && value == 2)
		return value_of(call_two(o, n, "mul", a, a));
	struct tensor *y = call_two(o, n, "pow", a, second_operand(o, n, a));
	return value_of(y ? cast_to(o, n, y, a->type) : NULL);
}

/* a op b op c ...; Mean divides by their number. */
struct value import_chain(struct onnx *o, struct onnx_node *n)
{
	struct tensor *sum = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	for (int i = 1; i < n->input_count && sum; i++)
		sum = call_two(o, n, n->op->library, sum, onnx_tensor(o, n, i, ROLE_CONSTANT));
	if (strcmp(n->op->name, "Mean") != 0)
		return value_of(sum);
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, sum);
	call_number(&call, "factor", 1.0 / n->input_count);
	return call_run(&call, "scale");
}

struct value import_where(struct onnx *o, struct onnx_node *n)
{
	struct onnx_call call = onnx_call(o, n);
	for (int i = 0; i < 3; i++)
		call_input(&call, NULL, i, ROLE_CONSTANT);
	return call_run(&call, "where");
}
