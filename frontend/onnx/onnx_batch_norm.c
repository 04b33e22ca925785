/* onnx_batch_norm.c -- BatchNormalization, on its own or folded into the layer before it.
 * Outside of training it is a scale and a shift for each channel, and so is part of a convolution or a dense
 * layer whose result nobody else reads:
 *     y = s * (W x + b - mean) + bias  with  s = scale / sqrt(var + epsilon)
 *       = (s W) x + (s (b - mean) + bias). */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

/* The normalisation that alone reads the node's result, with parameters known for all its channels; or NULL. */
static struct onnx_node *follower(struct onnx *o, const struct onnx_node *n, int64_t channels)
{
	const struct onnx_value *result = n->output_count ? n->output[0] : NULL;
	struct onnx_node *next = result && result->reads == 1 ? result->reader : NULL;
	bool training = o->options && o->options->training;
	if (!next || training || !next->op || strcmp(next->op->name, "BatchNormalization") != 0 ||
	    next->input[0] != result || !onnx_node_check(o, next) ||
	    onnx_integer(next, "training_mode", 0) || onnx_integer(next, "spatial", 1) != 1)
		return NULL;
	for (int i = 1; i < 5; i++) {
		const struct constant *c = onnx_constant(o, next, i);
		if (!c || c->rank != 1 || c->count != channels || constant_is_integer(c))
			return NULL;
	}
	return next;
}

bool onnx_affine_after(struct onnx *o, const struct onnx_node *n, int64_t channels,
		       struct affine *affine)
{
	struct onnx_node *next = follower(o, n, channels);
	if (!next)
		return false;
	double epsilon = onnx_number(next, "epsilon", 1e-5F);
	affine->node = next;
	affine->scale = ARENA_ARRAY(o->arena, (size_t)channels, double);
	affine->shift = ARENA_ARRAY(o->arena, (size_t)channels, double);
	for (int64_t k = 0; k < channels; k++) {
		double variance = constant_number(onnx_constant(o, next, 4), k);
		affine->scale[k] =
			constant_number(onnx_constant(o, next, 1), k) / sqrt(variance + epsilon);
		affine->shift[k] = constant_number(onnx_constant(o, next, 2), k) -
				   affine->scale[k] * constant_number(onnx_constant(o, next, 3), k);
	}
	return true;
}

struct constant *onnx_affine_bias(struct onnx *o, const struct onnx_node *n,
				  const struct constant *weights, const struct constant *bias,
				  int64_t channels, const struct affine *affine)
{
	struct constant *folded = constant_made(o, n, weights->onnx_type, 1, &channels);
	for (int64_t k = 0; folded && k < channels; k++) {
		double b = bias ? constant_number(bias, k) : 0;
		constant_set_number(folded, k, affine->scale[k] * b + affine->shift[k]);
	}
	return folded;
}

void onnx_affine_done(const struct affine *affine, struct tensor *result)
{
	affine->node->done = true;
	affine->node->output[0]->tensor = result;
	affine->node->output[0]->poison = !result;
}

struct value import_batch_norm(struct onnx *o, struct onnx_node *n)
{
	if (onnx_integer(n, "training_mode", 0) || onnx_integer(n, "spatial", 1) != 1) {
		onnx_unsupported(
			o, n,
			"training_mode = 1 and spatial = 0 are not supported; export the model "
			"for inference");
		return value_poison();
	}
	struct onnx_call call = onnx_call(o, n);
	call_input(&call, NULL, 0, ROLE_CONSTANT);
	call_input(&call, "scale", 1, ROLE_PARAM);
	call_input(&call, "bias", 2, ROLE_PARAM);
	call_input(&call, "mean", 3, ROLE_STATE);
	call_input(&call, "var", 4, ROLE_STATE);
	call_number(&call, "epsilon", onnx_number(n, "epsilon", 1e-5F));
	return call_run(&call, "batch_norm");
}
