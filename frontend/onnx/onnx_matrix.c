/* onnx_matrix.c -- Gemm and MatMul. A Gemm with a known weight is a dense layer: its weight is kept as
 * [units, inputs] and a normalisation after it is folded in. */
#include "frontend/onnx/onnx_import.h"

/* ---- Gemm -------------------------------------------------------------------------------------------- */

/* The weight as [units, inputs], row k times scale[k]; a copy unless it is right already. */
static struct tensor *dense_weight(struct onnx *o, const struct onnx_node *n, bool is_transposed,
				   const struct affine *affine)
{
	const struct constant *w = onnx_constant(o, n, 1);
	if (is_transposed && !affine)
		return onnx_tensor(o, n, 1, ROLE_PARAM);
	int64_t units = w->extent[!is_transposed], inputs = w->extent[is_transposed];
	int64_t extent[2] = {units, inputs};
	struct constant *c = constant_made(o, n, w->onnx_type, 2, extent);
	for (int64_t k = 0; c && k < units; k++)
		for (int64_t i = 0; i < inputs; i++) {
			int64_t from = is_transposed ? k * inputs + i : i * units + k;
			constant_set_number(c, k * inputs + i,
					    constant_number(w, from) *
						    (affine ? affine->scale[k] : 1));
		}
	const char *name = arena_printf(o->arena, "%s.W", n->layer);
	return c ? constant_tensor(o, n, name, c, ROLE_PARAM) : NULL;
}

/* The bias as one number for each unit. */
static struct tensor *dense_bias(struct onnx *o, const struct onnx_node *n, int64_t units,
				 const struct affine *affine)
{
	if (!affine)
		return onnx_view(o, n, onnx_tensor(o, n, 2, ROLE_PARAM), 1, &units);
	struct constant *c = onnx_affine_bias(o, n, onnx_constant(o, n, 1), onnx_constant(o, n, 2),
					      units, affine);
	const char *name = arena_printf(o->arena, "%s.B", n->layer);
	return c ? constant_tensor(o, n, name, c, ROLE_PARAM) : NULL;
}

static bool is_dense(struct onnx *o, const struct onnx_node *n, const struct tensor *a)
{
	const struct constant *w = onnx_constant(o, n, 1), *bias = onnx_constant(o, n, 2);
	if (!w || w->rank != 2 || !w->count || constant_is_integer(w) || a->rank != 2 ||
	    onnx_integer(n, "transA", 0) || onnx_number(n, "alpha", 1) != 1)
		return false;
	int64_t units = w->extent[onnx_integer(n, "transB", 0) == 0];
	if (!onnx_given(n, 2))
		return true;
	return bias && onnx_number(n, "beta", 1) == 1 && bias->count == units && bias->rank >= 1 &&
	       bias->rank <= 2 && bias->extent[bias->rank - 1] == units;
}

static struct value dense(struct onnx *o, const struct onnx_node *n, struct tensor *a)
{
	const struct constant *w = onnx_constant(o, n, 1);
	bool is_transposed = onnx_integer(n, "transB", 0) != 0;
	int64_t units = w->extent[!is_transposed];
	struct affine found;
	const struct affine *affine = onnx_affine_after(o, n, units, &found) ? &found : NULL;
	bool has_bias = onnx_given(n, 2) || affine;
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, a);
	call_tensor(&call, "W", dense_weight(o, n, is_transposed, affine));
	if (has_bias)
		call_tensor(&call, "B", dense_bias(o, n, units, affine));
	call_number(&call, "units", (double)units);
	call_number(&call, "bias", has_bias);
	struct tensor *y = call_result(&call, "dense");
	if (affine)
		onnx_affine_done(affine, y);
	return value_of(y);
}

/* alpha A' B' + beta C, as it is written. */
struct value import_gemm(struct onnx *o, struct onnx_node *n)
{
	struct tensor *a = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	if (a && is_dense(o, n, a))
		return dense(o, n, a);
	double beta = onnx_number(n, "beta", 1);
	struct onnx_call product = onnx_call(o, n);
	call_tensor(&product, NULL, a);
	call_input(&product, NULL, 1, ROLE_PARAM);
	call_number(&product, "alpha", onnx_number(n, "alpha", 1));
	call_number(&product, "transpose_a", onnx_integer(n, "transA", 0) != 0);
	call_number(&product, "transpose_b", onnx_integer(n, "transB", 0) != 0);
	struct tensor *y = call_result(&product, "gemm");
	if (!onnx_given(n, 2) || beta == 0)
		return value_of(y);
	struct onnx_call scaled = onnx_call(o, n);
	call_input(&scaled, NULL, 2, ROLE_PARAM);
	call_number(&scaled, "factor", beta);
	struct onnx_call sum = onnx_call(o, n);
	call_tensor(&sum, NULL, y);
	if (beta == 1)
		call_input(&sum, NULL, 2, ROLE_PARAM);
	else
		call_tensor(&sum, NULL, call_result(&scaled, "scale"));
	return call_run(&sum, "add");
}

/* ---- MatMul ------------------------------------------------------------------------------------------ */

/* A vector is a row on the left and a column on the right; the result loses that dimension again. */
struct value import_matmul(struct onnx *o, struct onnx_node *n)
{
	struct tensor *a = onnx_tensor(o, n, 0, ROLE_PARAM), *b = onnx_tensor(o, n, 1, ROLE_PARAM);
	if (!a || !b || a->rank < 1 || b->rank < 1) {
		if (a && b)
			onnx_error(o, n, "a product with a tensor of no dimension");
		return value_poison();
	}
	int64_t row[2] = {1, a->extent[0]}, column[2] = {b->extent[0], 1}, extent[MAX_RANK];
	bool is_row = a->rank == 1, is_column = b->rank == 1;
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, is_row ? onnx_view(o, n, a, 2, row) : a);
	call_tensor(&call, NULL, is_column ? onnx_view(o, n, b, 2, column) : b);
	struct tensor *y = call_result(&call, "matmul");
	if (!y || (!is_row && !is_column))
		return value_of(y);
	int rank = 0;
	for (int i = 0; i < y->rank; i++)
		if (!(is_row && i == y->rank - 2) && !(is_column && i == y->rank - 1))
			extent[rank++] = y->extent[i];
	return value_of(onnx_view(o, n, y, rank, extent));
}
