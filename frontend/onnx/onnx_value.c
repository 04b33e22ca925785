/* onnx_value.c -- what a handler asks of its node's inputs, and how it calls the library.
 * An input is a constant, a tensor of the network, or poison. A constant becomes a tensor when an operator of
 * the library has to read it: then its array goes over to the network. Several names may stand for
 * one constant (Identity), which makes one tensor. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

struct value value_poison(void)
{
	return (struct value){.kind = VALUE_POISON};
}

bool onnx_given(const struct onnx_node *n, int i)
{
	return i < n->input_count && n->input[i];
}

struct constant *onnx_constant(struct onnx *o, const struct onnx_node *n, int i)
{
	struct onnx_value *v = onnx_given(n, i) ? n->input[i] : NULL;
	if (!v || v->poison)
		return NULL;
	if (!v->constant && v->initializer) {
		v->constant = onnx_tensor_decode(o, NULL, v->initializer);
		v->poison = !v->constant;
	}
	return v->constant;
}

bool onnx_shape(struct onnx *o, const struct onnx_node *n, int i, int *rank, int64_t extent[])
{
	const struct constant *c = onnx_constant(o, n, i);
	const struct onnx_value *v = onnx_given(n, i) ? n->input[i] : NULL;
	if (!v || v->poison || (!c && !v->tensor))
		return false;
	*rank = c ? c->rank : v->tensor->rank;
	memcpy(extent, c ? c->extent : v->tensor->extent, (size_t)*rank * sizeof *extent);
	return true;
}

struct tensor *constant_tensor(struct onnx *o, const struct onnx_node *n, const char *name,
			       struct constant *c, enum role role)
{
	if (!c->count) {
		onnx_unsupported(o, n, "'%s' has no elements: empty tensors are not supported",
				 onnx_shown(o->arena, name));
		return NULL;
	}
	if (!c->tensor)
		c->tensor = build_array(o->build, name, role, c->array);
	return c->tensor;
}

struct tensor *onnx_tensor(struct onnx *o, const struct onnx_node *n, int i, enum role role)
{
	struct onnx_value *v = onnx_given(n, i) ? n->input[i] : NULL;
	if (!v)
		return NULL;
	struct constant *c = onnx_constant(o, n, i);
	if (v->poison)
		return NULL;
	if (!v->tensor && c) {
		v->tensor = constant_tensor(o, n, v->name, c, role);
		v->poison = !v->tensor;
	}
	return v->tensor;
}

bool onnx_known(struct onnx *o, const struct onnx_node *n, int i, const char *what,
		struct integers *integers)
{
	const struct constant *c = onnx_constant(o, n, i);
	*integers = (struct integers){-1, NULL};
	if (!onnx_given(n, i))
		return true;
	if (n->input[i]->poison)
		return false;
	if (!c) {
		onnx_unsupported(o, n,
				 "its %s '%s' is computed from input values; it must be known "
				 "while compiling",
				 what, onnx_shown(o->arena, n->input[i]->name));
		return false;
	}
	if (!constant_is_integer(c) || c->rank > 1 || c->count > ONNX_MAX_INTEGERS) {
		onnx_error(o, n, "its %s '%s' is not a list of integers", what,
			   onnx_shown(o->arena, n->input[i]->name));
		return false;
	}
	int64_t *item = ARENA_ARRAY(o->arena, (size_t)c->count + 1, int64_t);
	for (int64_t k = 0; k < c->count; k++)
		item[k] = constant_integer(c, k);
	*integers = (struct integers){(int)c->count, item};
	return true;
}

/* ---- Calls of the library ---------------------------------------------------------------------------- */

struct onnx_call onnx_call(struct onnx *o, const struct onnx_node *n)
{
	return (struct onnx_call){.onnx = o, .node = n};
}

static void add(struct onnx_call *call, const char *name, struct value value)
{
	struct argument argument = {.value = value};
	if (name)
		argument.name = arena_intern_string(call->onnx->arena, name);
	ARENA_APPEND(call->onnx->arena, call->argument, call->count, argument);
}

void call_tensor(struct onnx_call *call, const char *name, struct tensor *tensor)
{
	call->failed |= !tensor;
	if (tensor)
		add(call, name, value_tensor(tensor));
}

void call_input(struct onnx_call *call, const char *name, int i, enum role role)
{
	call_tensor(call, name, onnx_tensor(call->onnx, call->node, i, role));
}

void call_number(struct onnx_call *call, const char *name, double number)
{
	add(call, name, value_number(number));
}

void call_string(struct onnx_call *call, const char *name, const char *string)
{
	add(call, name,
	    (struct value){.kind = VALUE_STRING,
			   .string = arena_intern_string(call->onnx->arena, string)});
}

void call_integers(struct onnx_call *call, const char *name, int count, const int64_t *item)
{
	add(call, name, value_integers(call->onnx->arena, count, item));
}

struct value call_run(struct onnx_call *call, const char *op)
{
	if (call->failed)
		return value_poison();
	return build_call(call->onnx->build, call->node->layer, op, call->argument, call->count);
}

struct tensor *call_result(struct onnx_call *call, const char *op)
{
	struct value value = call_run(call, op);
	return value.kind == VALUE_TENSOR ? value.tensor : NULL;
}

struct tensor *call_one(struct onnx *o, const struct onnx_node *n, const char *op, struct tensor *x)
{
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	return call_result(&call, op);
}

struct tensor *call_two(struct onnx *o, const struct onnx_node *n, const char *op, struct tensor *a,
			struct tensor *b)
{
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, a);
	call_tensor(&call, NULL, b);
	return call_result(&call, op);
}

struct value value_of(struct tensor *tensor)
{
	return tensor ? value_tensor(tensor) : value_poison();
}

struct tensor *onnx_view(struct onnx *o, const struct onnx_node *n, struct tensor *tensor, int rank,
			 const int64_t extent[])
{
	if (tensor && tensor->rank == rank &&
	    !memcmp(tensor->extent, extent, (size_t)rank * sizeof *extent))
		return tensor;
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, tensor);
	call_integers(&call, "shape", rank, extent);
	return call_result(&call, "reshape");
}
