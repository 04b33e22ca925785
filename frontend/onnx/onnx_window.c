/* onnx_window.c -- operators that move a window over rows and columns: convolution and pooling.
 * The library's are in two dimensions; one dimension is a picture with a single row. Automatic pads are
 * resolved to numbers here. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

/* In the library's order: rows, columns; pads top, left, bottom, right. */
struct window {
	int axes; /* of the model: 1 or 2 */
	int64_t input[2], kernel[2], stride[2], dilation[2], pad[4];
	const char *auto_pad;
};

/* ---- The window of a node ---------------------------------------------------------------------------- */

/* Reads a list with one positive number for each axis (or, twice as many, pads of at least 0). */
static bool axes_list(struct onnx *o, const struct onnx_node *n, const char *name, int axes,
		      int sides, int64_t least, int64_t to[])
{
	struct integers list = onnx_integers(n, name);
	if (list.count < 0)
		return true;
	if (list.count != axes * sides) {
		onnx_error(o, n, "attribute '%s' has %d numbers; %d are needed", name, list.count,
			   axes * sides);
		return false;
	}
	for (int i = 0; i < list.count; i++) {
		int side = i / axes, axis = i % axes + 2 - axes;
		if (list.item[i] < least || list.item[i] > INT32_MAX) {
			onnx_error(o, n, "attribute '%s' holds %lld; it must be at least %lld",
				   name, (long long)list.item[i], (long long)least);
			return false;
		}
		to[2 * side + axis] = list.item[i];
	}
	return true;
}

/* SAME pads so that the output has input / stride elements, rounded up. */
static void pad_same(struct window *w)
{
	bool upper = !strcmp(w->auto_pad, "SAME_UPPER");
	for (int i = 0; i < 2; i++) {
		int64_t outputs = (w->input[i] + w->stride[i] - 1) / w->stride[i];
		int64_t total = (outputs - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] +
				1 - w->input[i];
		total = total < 0 ? 0 : total;
		w->pad[i] = upper ? total / 2 : total - total / 2;
		w->pad[2 + i] = total - w->pad[i];
	}
}

/* kernel: the extents of a weight, or NULL where the attribute must say. */
static bool window_of(struct onnx *o, const struct onnx_node *n, const struct tensor *x,
		      const int64_t kernel[], struct window *w)
{
	*w = (struct window){.axes = x->rank - 2,
			     .input = {1, 1},
			     .kernel = {1, 1},
			     .stride = {1, 1},
			     .dilation = {1, 1},
			     .auto_pad = onnx_string(o, n, "auto_pad", "NOTSET")};
	if (w->axes != 1 && w->axes != 2) {
		onnx_unsupported(o, n, "a tensor of %d dimensions; 3 and 4 are supported", x->rank);
		return false;
	}
	if (!kernel && !onnx_attribute(n, "kernel_shape")) {
		onnx_error(o, n, "attribute 'kernel_shape' is missing");
		return false;
	}
	if (!axes_list(o, n, "kernel_shape", w->axes, 1, 1, w->kernel) ||
	    !axes_list(o, n, "strides", w->axes, 1, 1, w->stride) ||
	    !axes_list(o, n, "dilations", w->axes, 1, 1, w->dilation) ||
	    !axes_list(o, n, "pads", w->axes, 2, 0, w->pad))
		return false;
	for (int i = 0; i < w->axes; i++) {
		int axis = i + 2 - w->axes;
		w->input[axis] = x->extent[2 + i];
		if (kernel && onnx_attribute(n, "kernel_shape") && w->kernel[axis] != kernel[i]) {
			onnx_error(o, n, "kernel_shape says %lld, the weight has %lld",
				   (long long)w->kernel[axis], (long long)kernel[i]);
			return false;
		}
		if (kernel)
			w->kernel[axis] = kernel[i];
		if (w->kernel[axis] > INT32_MAX) {
			onnx_error(o, n, "a kernel of %lld elements", (long long)w->kernel[axis]);
			return false;
		}
	}
	bool same = !strcmp(w->auto_pad, "SAME_UPPER") || !strcmp(w->auto_pad, "SAME_LOWER");
	if (same && strcmp(n->op->name, "ConvTranspose") != 0)
		pad_same(w);
	else if (!strcmp(w->auto_pad, "VALID"))
		memset(w->pad, 0, sizeof w->pad);
	else if (!same && strcmp(w->auto_pad, "NOTSET") != 0)
		onnx_error(o, n, "auto_pad is '%s'", onnx_shown(o->arena, w->auto_pad));
	return same || !strcmp(w->auto_pad, "NOTSET") || !strcmp(w->auto_pad, "VALID");
}

/* From n, c, w to n, c, 1, w and back; nothing in two dimensions. */
static struct tensor *with_row(struct onnx *o, const struct onnx_node *n, struct tensor *x)
{
	if (!x || x->rank != 3)
		return x;
	int64_t extent[4] = {x->extent[0], x->extent[1], 1, x->extent[2]};
	return onnx_view(o, n, x, 4, extent);
}

static struct tensor *without_row(struct onnx *o, const struct onnx_node *n, const struct window *w,
				  struct tensor *y)
{
	if (!y || w->axes == 2)
		return y;
	int64_t extent[3] = {y->extent[0], y->extent[1], y->extent[3]};
	return onnx_view(o, n, y, 3, extent);
}

static void call_window(struct onnx_call *call, const struct window *w)
{
	call_integers(call, "kernel", 2, w->kernel);
	call_integers(call, "stride", 2, w->stride);
	call_integers(call, "pad", 4, w->pad);
}

/* ---- Convolution ------------------------------------------------------------------------------------- */

/* Which filter element i of a weight belongs to: of [filters, ...], or transposed of [c, filters / group, ...]. */
static int64_t filter_of(const struct constant *w, int64_t i, bool transposed, int64_t group)
{
	int64_t of_one = w->count / w->extent[0];
	if (!transposed)
		return i / of_one;
	int64_t channel = i / of_one, within = i % of_one / (of_one / w->extent[1]);
	return channel / (w->extent[0] / group) * w->extent[1] + within;
}

/* Weight and bias as tensors; a normalisation after the node is folded into them where all is known. */
struct weights {
	struct tensor *weight, *bias; /* bias NULL: none */
	bool failed, folded;
	struct affine affine;
};

static struct weights weights_of(struct onnx *o, const struct onnx_node *n, int64_t filters,
				 int64_t group)
{
	bool transposed = !strcmp(n->op->name, "ConvTranspose");
	const struct constant *w = onnx_constant(o, n, 1), *b = onnx_constant(o, n, 2);
	struct weights result = {0};
	bool known = w && w->count && !constant_is_integer(w) &&
		     (onnx_given(n, 2) ? b && b->count == filters : true);
	result.folded = known && onnx_affine_after(o, n, filters, &result.affine);
	if (!result.folded) {
		result.weight = onnx_tensor(o, n, 1, ROLE_PARAM);
		result.bias = onnx_given(n, 2) ? onnx_tensor(o, n, 2, ROLE_PARAM) : NULL;
		result.failed = !result.weight || (onnx_given(n, 2) && !result.bias);
		return result;
	}
	struct constant *scaled = constant_made(o, n, w->onnx_type, w->rank, w->extent);
	for (int64_t i = 0; scaled && i < w->count; i++)
		constant_set_number(scaled, i,
				    result.affine.scale[filter_of(w, i, transposed, group)] *
					    constant_number(w, i));
	struct constant *bias = onnx_affine_bias(o, n, w, b, filters, &result.affine);
	result.failed = !scaled || !bias;
	if (result.failed)
		return result;
	result.weight =
		constant_tensor(o, n, arena_printf(o->arena, "%s.W", n->layer), scaled, ROLE_PARAM);
	result.bias =
		constant_tensor(o, n, arena_printf(o->arena, "%s.B", n->layer), bias, ROLE_PARAM);
	result.failed = !result.weight || !result.bias;
	return result;
}

/* The number of filters and groups; false where the weight cannot be one of this input. */
static bool check_weight(struct onnx *o, const struct onnx_node *n, const struct tensor *x,
			 int64_t extent[], int64_t *filters, int64_t *group)
{
	bool transposed = !strcmp(n->op->name, "ConvTranspose");
	int rank;
	if (!onnx_shape(o, n, 1, &rank, extent))
		return false;
	*group = onnx_integer(n, "group", 1);
	bool fits = rank == x->rank && *group >= 1 && *group <= x->extent[1] &&
		    x->extent[1] % *group == 0;
	for (int i = 0; i < rank; i++)
		fits &= extent[i] > 0;
	*filters = !fits ? 0 : transposed ? extent[1] * *group : extent[0];
	fits = fits && *filters % *group == 0 &&
	       (transposed ? extent[0] == x->extent[1] : extent[1] == x->extent[1] / *group);
	if (!fits)
		onnx_error(o, n,
			   "a weight of %d dimensions, [%lld, %lld, ...], does not fit an input of "
			   "%d dimensions with %lld channels in %lld groups",
			   rank, rank > 0 ? (long long)extent[0] : 0,
			   rank > 1 ? (long long)extent[1] : 0, x->rank, (long long)x->extent[1],
			   (long long)*group);
	return fits;
}

static struct value convolve(struct onnx *o, struct onnx_node *n, struct tensor *x,
			     const struct window *w, int64_t filters, int64_t group,
			     const int64_t output_pad[])
{
	struct weights weights = weights_of(o, n, filters, group);
	struct onnx_call call = onnx_call(o, n);
	call.failed = weights.failed;
	call_tensor(&call, NULL, with_row(o, n, x));
	call_tensor(&call, "W", with_row(o, n, weights.weight));
	if (weights.bias)
		call_tensor(&call, "B", weights.bias);
	call_number(&call, "bias", weights.bias != NULL);
	call_number(&call, "filters", (double)filters);
	call_number(&call, "group", (double)group);
	call_window(&call, w);
	call_integers(&call, "dilation", 2, w->dilation);
	if (output_pad)
		call_integers(&call, "output_pad", 2, output_pad);
	struct tensor *y = without_row(o, n, w, call_result(&call, n->op->library));
	if (weights.folded)
		onnx_affine_done(&weights.affine, y);
	return value_of(y);
}

struct value import_conv(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	int64_t extent[MAX_RANK], filters, group;
	struct window w;
	if (!x || x->rank < 3 || !check_weight(o, n, x, extent, &filters, &group)) {
		if (x && x->rank < 3)
			onnx_error(o, n, "an input of %d dimensions", x->rank);
		return value_poison();
	}
	if (!window_of(o, n, x, extent + 2, &w))
		return value_poison();
	return convolve(o, n, x, &w, filters, group, NULL);
}

/* The pads that give the output the asked shape; what is missing is added at its end. */
static bool pads_for_output(struct onnx *o, const struct onnx_node *n, struct window *w,
			    int64_t output_pad[])
{
	int64_t output[2] = {0, 0};
	bool same = !strncmp(w->auto_pad, "SAME", 4), upper = !strcmp(w->auto_pad, "SAME_UPPER");
	for (int i = 2 - w->axes; i < 2; i++)
		output[i] = w->input[i] * w->stride[i];
	if (!axes_list(o, n, "output_shape", w->axes, 1, 1, output))
		return false;
	if (!same && !onnx_attribute(n, "output_shape"))
		return true;
	for (int i = 2 - w->axes; i < 2; i++) {
		int64_t whole = w->stride[i] * (w->input[i] - 1) + output_pad[i] +
				(w->kernel[i] - 1) * w->dilation[i] + 1;
		int64_t total = whole - output[i];
		output_pad[i] += total < 0 ? -total : 0;
		total = total < 0 ? 0 : total;
		w->pad[i] = upper ? total / 2 : total - total / 2;
		w->pad[2 + i] = total - w->pad[i];
	}
	return true;
}

struct value import_conv_transpose(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	int64_t extent[MAX_RANK], filters, group, output_pad[2] = {0, 0};
	struct window w;
	if (!x || x->rank < 3 || !check_weight(o, n, x, extent, &filters, &group)) {
		if (x && x->rank < 3)
			onnx_error(o, n, "an input of %d dimensions", x->rank);
		return value_poison();
	}
	if (!window_of(o, n, x, extent + 2, &w) ||
	    !axes_list(o, n, "output_padding", w.axes, 1, 0, output_pad) ||
	    !pads_for_output(o, n, &w, output_pad))
		return value_poison();
	return convolve(o, n, x, &w, filters, group, output_pad);
}

/* ---- Pooling ----------------------------------------------------------------------------------------- */

struct value import_pool(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	bool average = !strcmp(n->op->name, "AveragePool");
	struct window w;
	if (!x || !window_of(o, n, x, NULL, &w))
		return value_poison();
	if (average && (w.dilation[0] != 1 || w.dilation[1] != 1)) {
		onnx_unsupported(o, n, "dilations of an average are not supported");
		return value_poison();
	}
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, with_row(o, n, x));
	call_window(&call, &w);
	call_number(&call, "ceil_mode", onnx_integer(n, "ceil_mode", 0) != 0);
	if (average)
		call_number(&call, "count_include_pad",
			    onnx_integer(n, "count_include_pad", 0) != 0);
	else
		call_integers(&call, "dilation", 2, w.dilation);
	return value_of(without_row(o, n, &w, call_result(&call, n->op->library)));
}
