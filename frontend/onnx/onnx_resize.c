/* onnx_resize.c -- Resize and Upsample.
 * Two ways. Pictures resized by the exact ratio of their extents take the library's resize operators. All else
 * (other axes, scales that do not give whole extents, cubic) is separable and linear: each axis is multiplied
 * by a constant matrix whose row p holds the weights of the input elements for output element p. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

struct resize {
	const char *mode, *coordinates, *rounding;
	bool by_direction; /* before operator set 11: nearest rounds down, but up where an axis shrinks */
	double cubic; /* the coefficient a of the cubic kernel */
	bool exclude_outside;
	int rank;
	int64_t input[MAX_RANK], output[MAX_RANK];
	double scale[MAX_RANK];
};

/* ---- What is asked ----------------------------------------------------------------------------------- */

/* Which dimension entry i of scales and sizes is about. */
static bool axis_list(struct onnx *o, const struct onnx_node *n, int rank, int axis[], int *count)
{
	struct integers axes = onnx_integers(n, "axes");
	bool marked[MAX_RANK];
	if (!onnx_marked_axes(o, n, axes, rank, marked))
		return false;
	*count = axes.count < 0 ? rank : axes.count;
	for (int i = 0; i < *count; i++)
		axis[i] = axes.count < 0 ? i : onnx_axis(o, n, axes.item[i], rank);
	return true;
}

static bool set_scale(struct onnx *o, const struct onnx_node *n, struct resize *r, int axis,
		      double scale)
{
	double output = floor((double)r->input[axis] * scale);
	if (!(scale > 0) || !(output >= 1) || !(output < 0x1p40)) {
		onnx_error(o, n, "a scale of %g for %lld elements", scale,
			   (long long)r->input[axis]);
		return false;
	}
	r->scale[axis] = scale;
	r->output[axis] = (int64_t)output;
	return true;
}

static bool read_sizes(struct onnx *o, const struct onnx_node *n, struct resize *r,
		       const int axis[], int count)
{
	struct integers sizes;
	if (!onnx_known(o, n, 3, "sizes", &sizes))
		return false;
	if (strcmp(onnx_string(o, n, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0) {
		onnx_unsupported(o, n, "keep_aspect_ratio_policy is not supported");
		return false;
	}
	for (int i = 0; i < count && sizes.count == count; i++) {
		r->output[axis[i]] = sizes.item[i];
		r->scale[axis[i]] = (double)sizes.item[i] / (double)r->input[axis[i]];
		if (sizes.item[i] < 1 || sizes.item[i] > (int64_t)1 << 40)
			sizes.count = -1;
	}
	if (sizes.count != count)
		onnx_error(o, n, "its sizes do not fit %d axes", count);
	return sizes.count == count;
}

static bool read_scales(struct onnx *o, const struct onnx_node *n, struct resize *r, int input,
			const int axis[], int count)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, "scales");
	const struct constant *c = a ? NULL : onnx_constant(o, n, input);
	if (!a && !c) {
		onnx_unsupported(o, n, "its scales are not known while compiling");
		return false;
	}
	int64_t given = a ? (int64_t)a->n_floats : c->count;
	if (given != count) {
		onnx_error(o, n, "%lld scales for %d axes", (long long)given, count);
		return false;
	}
	for (int i = 0; i < count; i++)
		if (!set_scale(o, n, r, axis[i], a ? (double)a->floats[i] : constant_number(c, i)))
			return false;
	return true;
}

static bool read_resize(struct onnx *o, const struct onnx_node *n, struct resize *r)
{
	bool old = o->opset < 11;
	int axis[MAX_RANK], count;
	r->mode = onnx_string(o, n, "mode", "nearest");
	r->coordinates = old ? "asymmetric"
			     : onnx_string(o, n, "coordinate_transformation_mode", "half_pixel");
	r->rounding = onnx_string(o, n, "nearest_mode", "round_prefer_floor");
	r->by_direction = old;
	r->cubic = onnx_number(n, "cubic_coeff_a", -0.75);
	r->exclude_outside = onnx_integer(n, "exclude_outside", 0) != 0;
	for (int i = 0; i < r->rank; i++) {
		r->output[i] = r->input[i];
		r->scale[i] = 1;
	}
	if (onnx_integer(n, "antialias", 0)) {
		onnx_unsupported(o, n, "antialias = 1 is not supported");
		return false;
	}
	if (!axis_list(o, n, r->rank, axis, &count))
		return false;
	if (onnx_given(n, 3))
		return read_sizes(o, n, r, axis, count);
	return read_scales(o, n, r, old ? 1 : 2, axis, count);
}

static const char *rounding_of(const struct resize *r, int axis)
{
	return !r->by_direction ? r->rounding : r->scale[axis] < 1 ? "ceil" : "floor";
}

/* ---- By the library ---------------------------------------------------------------------------------- */

static bool is_plain(const struct resize *r)
{
	bool half = !strcmp(r->coordinates, "half_pixel") ||
		    !strcmp(r->coordinates, "pytorch_half_pixel");
	bool known = half || !strcmp(r->coordinates, "asymmetric") ||
		     !strcmp(r->coordinates, "align_corners");
	bool mode = !strcmp(r->mode, "nearest") || !strcmp(r->mode, "linear") ||
		    !strcmp(r->mode, "bilinear");
	if (!known || !mode || r->rank != 4 || r->input[0] != r->output[0] ||
	    r->input[1] != r->output[1] || strcmp(rounding_of(r, 2), rounding_of(r, 3)) != 0)
		return false;
	for (int i = 2; i < 4; i++) {
		if ((double)r->input[i] * r->scale[i] != (double)r->output[i] &&
		    r->scale[i] != (double)r->output[i] / (double)r->input[i])
			return false;
		if (r->output[i] == 1 && strcmp(r->coordinates, "asymmetric") != 0)
			return false;
	}
	return true;
}

static struct value resize_picture(struct onnx *o, const struct onnx_node *n, struct tensor *x,
				   const struct resize *r)
{
	bool nearest = !strcmp(r->mode, "nearest");
	bool pytorch = !strcmp(r->coordinates, "pytorch_half_pixel");
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, x);
	call_integers(&call, "size", 2, r->output + 2);
	call_string(&call, "coordinates", pytorch ? "half_pixel" : r->coordinates);
	if (nearest)
		call_string(&call, "rounding", rounding_of(r, 2));
	return call_run(&call, nearest ? "resize_nearest" : "resize_bilinear");
}

/* ---- By matrices ------------------------------------------------------------------------------------- */

/* By the corners, with the width before it is rounded, as ONNX's reference has it. */
static double between_corners(const struct resize *r, int axis, int64_t p)
{
	double in = (double)r->input[axis], out = (double)r->output[axis],
	       exact = in * r->scale[axis];
	out = fabs(exact - out) < 1e-6 * out ? out : exact;
	return out == 1 ? 0 : (double)p * (in - 1) / (out - 1);
}

/* Where output element p lies among the input's elements of this axis. In single precision, as ONNX Runtime has it:
 * nearest elements depend on the last bit. */
static double position(const struct resize *r, int axis, int64_t p)
{
	float in = (float)r->input[axis], out = (float)r->output[axis],
	      scale = (float)r->scale[axis];
	const char *how = r->coordinates;
	float center = ((float)p + 0.5F) / scale;
	if (!strcmp(how, "asymmetric"))
		return (float)p / scale;
	if (!strcmp(how, "align_corners"))
		return between_corners(r, axis, p);
	if (!strcmp(how, "pytorch_half_pixel") && out <= 1)
		return 0;
	if (!strcmp(how, "tf_half_pixel_for_nn"))
		return center;
	if (!strcmp(how, "half_pixel_symmetric"))
		return in / 2 * (1 - out / (scale * in)) + center - 0.5F;
	return center - 0.5F;
}

static double rounded(const char *how, double x)
{
	if (!strcmp(how, "floor"))
		return floor(x);
	if (!strcmp(how, "ceil"))
		return ceil(x);
	return !strcmp(how, "round_prefer_ceil") ? floor(x + 0.5) : ceil(x - 0.5);
}

/* Keys' cubic kernel at distance x. */
static double cubic(double a, double x)
{
	x = fabs(x);
	if (x <= 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/* Adds the weight of input element i, or of the nearest one there is, to a row. */
static void weigh(const struct resize *r, int axis, struct constant *m, int64_t p, double i,
		  double weight)
{
	double last = (double)r->input[axis] - 1;
	int64_t at = p * r->input[axis] + (int64_t)(i < 0 ? 0 : i > last ? last : i);
	if (!(r->exclude_outside && (i < 0 || i > last)))
		constant_set_number(m, at, constant_number(m, at) + weight);
}

static void fill_row(const struct resize *r, int axis, struct constant *m, int64_t p)
{
	double x = position(r, axis, p), base = floor(x), sum = 0;
	if (!strcmp(r->mode, "nearest")) {
		weigh(r, axis, m, p, rounded(rounding_of(r, axis), x), 1);
		return;
	}
	bool is_cubic = !strcmp(r->mode, "cubic");
	for (int k = is_cubic ? -1 : 0; k <= (is_cubic ? 2 : 1); k++) {
		double distance = x - (base + k);
		weigh(r, axis, m, p, base + k,
		      is_cubic ? cubic(r->cubic, distance) : 1 - fabs(distance));
	}
	int64_t inputs = r->input[axis];
	for (int64_t i = 0; i < inputs; i++)
		sum += constant_number(m, p * inputs + i);
	for (int64_t i = 0; r->exclude_outside && sum != 0 && i < inputs; i++)
		constant_set_number(m, p * inputs + i, constant_number(m, p * inputs + i) / sum);
}

/* X as [outer, in, inner] times the matrix gives [outer, out, inner]. */
static struct tensor *resize_axis(struct onnx *o, const struct onnx_node *n, struct tensor *x,
				  const struct resize *r, int axis)
{
	int64_t matrix[2] = {r->output[axis], r->input[axis]}, folded[3] = {1, 1, 1},
		extent[MAX_RANK];
	struct constant *m = constant_made(o, n, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 2, matrix);
	for (int64_t p = 0; m && p < matrix[0]; p++)
		fill_row(r, axis, m, p);
	if (!m || !x)
		return NULL;
	for (int i = 0; i < x->rank; i++)
		folded[i < axis ? 0 : i == axis ? 1 : 2] *= x->extent[i];
	memcpy(extent, x->extent, sizeof extent);
	extent[axis] = r->output[axis];
	const char *name = arena_printf(o->arena, "%s.resize%d", n->layer, axis);
	struct onnx_call call = onnx_call(o, n);
	call_tensor(&call, NULL, constant_tensor(o, n, name, m, ROLE_CONSTANT));
	call_tensor(&call, NULL, onnx_view(o, n, x, 3, folded));
	int rank = x->rank;
	return onnx_view(o, n, call_result(&call, "matmul"), rank, extent);
}

static bool is_known_mode(struct onnx *o, const struct onnx_node *n, const struct resize *r)
{
	static const char *const mode[] = {"nearest", "linear", "bilinear", "cubic", NULL};
	static const char *const coordinates[] = {"half_pixel",
						  "asymmetric",
						  "align_corners",
						  "pytorch_half_pixel",
						  "tf_half_pixel_for_nn",
						  "half_pixel_symmetric",
						  NULL};
	static const char *const rounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
					       "ceil", NULL};
	const struct {
		const char *what, *given;
		const char *const *known;
	} choice[] = {{"mode", r->mode, mode},
		      {"coordinate_transformation_mode", r->coordinates, coordinates},
		      {"nearest_mode", r->rounding, rounding}};
	for (int i = 0; i < 3; i++) {
		const char *const *known = choice[i].known;
		while (*known && strcmp(*known, choice[i].given) != 0)
			known++;
		if (!*known) {
			onnx_unsupported(o, n, "%s '%s' is not supported", choice[i].what,
					 onnx_shown(o->arena, choice[i].given));
			return false;
		}
	}
	return true;
}

struct value import_resize(struct onnx *o, struct onnx_node *n)
{
	struct tensor *x = onnx_tensor(o, n, 0, ROLE_CONSTANT);
	struct resize r = {.rank = x ? x->rank : 0};
	if (!x)
		return value_poison();
	memcpy(r.input, x->extent, sizeof r.input);
	if (!read_resize(o, n, &r) || !is_known_mode(o, n, &r))
		return value_poison();
	if (is_plain(&r))
		return resize_picture(o, n, x, &r);
	if (x->type != TYPE_F32) {
		onnx_unsupported(o, n, "this way of resizing is supported for float alone");
		return value_poison();
	}
	for (int i = 0; i < r.rank && x; i++)
		if (r.output[i] != r.input[i] || r.scale[i] != 1)
			x = resize_axis(o, n, x, &r, i);
	return value_of(x);
}
