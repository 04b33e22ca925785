/* ops_shape_test.c -- reductions, reshaping, joining, cutting, padding and resizing of the operator library, and what
 * its operators require of their callers. */
#include "ops_fixture.h"

/* ---- Reductions of x[2, 3, 4] over `count` axes from `axis` on ----------------------------------------------- */

static const struct {
	int axis, count;
	int outer, middle, inner; /* products of extents before, in, after */
} reduce_row[] = {
	{-1, 1, 6, 4, 1}, {0, 1, 1, 2, 12}, {1, 1, 2, 3, 4},
	{1, 2, 2, 12, 1}, {0, 3, 1, 24, 1}, {-2, 1, 2, 3, 4},
};

Test(ops_shape, reductions)
{
	for (int row = 0; row < (int)(sizeof reduce_row / sizeof *reduce_row); row++) {
		int axis = reduce_row[row].axis, count = reduce_row[row].count;
		int middle = reduce_row[row].middle, inner = reduce_row[row].inner;
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[2, 3, 4]) {\n"
			    " return (reduce_sum(x, axis = %d, count = %d), reduce_mean(x, axis = "
			    "%d, count = %d),\n"
			    "  reduce_max(x, axis = %d, count = %d), reduce_min(x, axis = %d, "
			    "count = %d, keep = 1))\n}",
			    axis, count, axis, count, axis, count, axis, count);
		cr_assert_eq(run.output[0]->rank, 3 - count, "row %d", row);
		cr_assert_eq(run.output[3]->rank, 3, "row %d: keep", row);
		for (int i = 0; i < reduce_row[row].outer * inner; i++) {
			double sum = 0, most = -INFINITY, least = INFINITY;
			for (int j = 0; j < middle; j++) {
				double x = array_get(run.input[0],
						     (i / inner * middle + j) * inner + i % inner);
				sum += x;
				most = fmax(most, x);
				least = fmin(least, x);
			}
			cr_expect_eq(array_get(run.output[0], i), sum, "sum, row %d at %d", row, i);
			cr_expect(is_near(array_get(run.output[1], i), sum / middle, 1e-6),
				  "row %d", row);
			cr_expect_eq(array_get(run.output[2], i), most, "max, row %d at %d", row,
				     i);
			cr_expect_eq(array_get(run.output[3], i), least, "min, row %d at %d", row,
				     i);
		}
		run_free(&run);
	}
}

/* ---- The same elements in another shape ------------------------------------------------------------------------- */

static const struct {
	const char *call;
	int rank;
	int64_t extent[4];
} view_row[] = {
	{"flatten(x)", 2, {2, 12}},
	{"flatten(x, axis = 2)", 2, {6, 4}},
	{"flatten(x, axis = 0)", 2, {1, 24}},
	{"flatten(x, axis = -1)", 2, {6, 4}},
	{"reshape(x, shape = (4, -1))", 2, {4, 6}},
	{"reshape(x, (24,))", 1, {24}},
	{"unsqueeze(x, 0)", 4, {1, 2, 3, 4}},
	{"unsqueeze(x, 3)", 4, {2, 3, 4, 1}},
	{"squeeze(unsqueeze(x, 1), 1)", 3, {2, 3, 4}},
};

Test(ops_shape, views)
{
	for (int row = 0; row < (int)(sizeof view_row / sizeof *view_row); row++) {
		struct run run = {0};
		run_network(&run, "network t(x: f32[2, 3, 4]) {\n return %s + 0\n}",
			    view_row[row].call);
		expect_shape(run.output[0], view_row[row].rank, view_row[row].extent, row);
		for (int i = 0; i < 24; i++)
			cr_expect_eq(array_get(run.output[0], i), array_get(run.input[0], i),
				     "%s at %d", view_row[row].call, i);
		run_free(&run);
	}
}

Test(ops_shape, transpose_and_expand)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[2, 3, 4], y: f32[3, 1]) {\n"
			  " return (transpose(x, (2, 0, 1)), expand(y, (2, 3, 4)))\n}");
	EXPECT_SHAPE(run.output[0], 0, 4, 2, 3);
	EXPECT_SHAPE(run.output[1], 1, 2, 3, 4);
	for (int i = 0; i < 24; i++) {
		int a = i / 12, b = i / 4 % 3, c = i % 4;
		cr_expect_eq(AT(run.output[0], c, a, b), AT(run.input[0], a, b, c),
			     "transpose at %d", i);
		cr_expect_eq(AT(run.output[1], a, b, c), AT(run.input[1], b, 0), "expand at %d", i);
	}
	run_free(&run);
}

/* ---- Joining and cutting -------------------------------------------------------------------------------------------- */

Test(ops_shape, concat)
{
	static const int extent[3] = {1, 4, 2};
	for (int axis = 0; axis < 3; axis++) {
		struct run run = {0};
		int64_t shape[3][3];
		for (int t = 0; t < 3; t++)
			for (int i = 0; i < 3; i++)
				shape[t][i] = i == axis ? extent[t] : 2 + i;
		run_network(
			&run,
			"network t(a: f32[%d, %d, %d], b: f32[%d, %d, %d], c: f32[%d, %d, %d]) {\n"
			" return concat(a, b, c, axis = %d)\n}",
			(int)shape[0][0], (int)shape[0][1], (int)shape[0][2], (int)shape[1][0],
			(int)shape[1][1], (int)shape[1][2], (int)shape[2][0], (int)shape[2][1],
			(int)shape[2][2], axis);
		cr_assert_eq(run.output[0]->extent[axis], 7, "axis %d", axis);
		for (int64_t i = 0; i < array_count(run.output[0]); i++) {
			const struct array *out = run.output[0];
			int64_t at[3] = {i / out->extent[2] / out->extent[1],
					 i / out->extent[2] % out->extent[1], i % out->extent[2]};
			int t = 0;
			while (at[axis] >= extent[t])
				at[axis] -= extent[t++];
			cr_expect_eq(array_get(out, i), element(run.input[t], NAN, at),
				     "axis %d at %lld", axis, (long long)i);
		}
		run_free(&run);
	}
}

Test(ops_shape, slices)
{
	static const struct {
		int axis, start, count, step;
		int first; /* the start, counted from 0 */
	} row[] = {{0, 0, 1, 1, 0},
		   {1, 1, 3, 2, 1},
		   {1, -1, 6, -1, 5},
		   {2, -3, 2, 1, 1},
		   {-1, 3, 2, -3, 3}};
	for (int r = 0; r < (int)(sizeof row / sizeof *row); r++) {
		struct run run = {0};
		int axis = row[r].axis < 0 ? row[r].axis + 3 : row[r].axis;
		run_network(&run,
			    "network t(x: f32[2, 6, 4]) {\n return slice(x, axis = %d, start = %d, "
			    "count = %d, step = %d)\n}",
			    row[r].axis, row[r].start, row[r].count, row[r].step);
		cr_assert_eq(run.output[0]->extent[axis], row[r].count, "row %d", r);
		for (int64_t i = 0; i < array_count(run.output[0]); i++) {
			const struct array *out = run.output[0];
			int64_t at[3] = {i / out->extent[2] / out->extent[1],
					 i / out->extent[2] % out->extent[1], i % out->extent[2]};
			at[axis] = row[r].first + at[axis] * row[r].step;
			cr_expect_eq(array_get(out, i), element(run.input[0], NAN, at),
				     "row %d at %lld", r, (long long)i);
		}
		run_free(&run);
	}
}

Test(ops_shape, split_into_sizes)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[2, 6]) {\n parts = split(x, (1, 3, 2), axis = 1)\n"
			  " return (parts[0], parts[1], parts[-1])\n}");
	EXPECT_SHAPE(run.output[1], 0, 2, 3);
	for (int i = 0; i < 12; i++) {
		int row = i / 6, column = i % 6;
		double found = column < 1   ? AT(run.output[0], row, column)
			       : column < 4 ? AT(run.output[1], row, column - 1)
					    : AT(run.output[2], row, column - 4);
		cr_expect_eq(found, array_get(run.input[0], i), "at %d", i);
	}
	run_free(&run);
}

/* What stands at j - before outside of 0 .. 4, of x[5]: a constant, the outermost, or the mirrored element. */
static double pad_at(const struct array *x, int n, int j, const char *mode)
{
	if (j >= 0 && j < 5)
		return AT(x, n, j);
	if (strcmp(mode, "constant") == 0)
		return 7;
	if (strcmp(mode, "edge") == 0)
		return AT(x, n, j < 0 ? 0 : 4);
	return AT(x, n, j < 0 ? -j : 8 - j);
}

Test(ops_shape, pads)
{
	static const char *const mode[] = {"constant", "edge", "reflect"};
	static const struct {
		int before, after;
	} row[] = {{2, 3}, {0, 4}, {1, 0}, {0, 0}, {-1, 2}};
	for (int m = 0; m < 3; m++)
		for (int r = 0; r < 5 - (m == 2); r++) {
			struct run run = {0};
			run_network(&run,
				    "network t(x: f32[2, 5]) {\n return pad(x, axis = 1, before = "
				    "%d, after = %d, "
				    "value = 7, mode = \"%s\")\n}",
				    row[r].before, row[r].after, mode[m]);
			EXPECT_SHAPE(run.output[0], r, 2, 5 + row[r].before + row[r].after);
			for (int n = 0; n < 2; n++)
				for (int j = 0; j < run.output[0]->extent[1]; j++)
					cr_expect_eq(
						AT(run.output[0], n, j),
						pad_at(run.input[0], n, j - row[r].before, mode[m]),
						"%s row %d at %d %d", mode[m], r, n, j);
			run_free(&run);
		}
}

/* ---- Resizing -------------------------------------------------------------------------------------------------------- */

/* The place in the input of an element of the output, by ONNX's formulas. */
static double place(const char *coordinates, int at, int in, int out)
{
	if (strcmp(coordinates, "half_pixel") == 0)
		return (at + 0.5) * in / out - 0.5;
	if (strcmp(coordinates, "asymmetric") == 0)
		return (double)at * in / out;
	return out > 1 ? (double)at * (in - 1) / (out - 1) : 0;
}

static double rounded(const char *rounding, double x)
{
	if (strcmp(rounding, "floor") == 0)
		return floor(x);
	if (strcmp(rounding, "ceil") == 0)
		return ceil(x);
	return strcmp(rounding, "round_prefer_floor") == 0 ? ceil(x - 0.5) : floor(x + 0.5);
}

static int clamped(double at, int extent)
{
	return at < 0 ? 0 : at > extent - 1 ? extent - 1 : (int)at;
}

static const char *const coordinates[] = {"half_pixel", "asymmetric", "align_corners"};
static const int size_row[][4] = {
	{2, 3, 4, 6}, {4, 4, 2, 3}, {3, 5, 3, 5}, {5, 2, 7, 1}, {1, 1, 3, 2}};

Test(ops_shape, resize_nearest)
{
	static const char *const rounding[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
					       "ceil"};
	for (int i = 0; i < 5 * 3 * 4; i++) {
		const int *size = size_row[i / 12];
		const char *place_name = coordinates[i / 4 % 3], *rounding_name = rounding[i % 4];
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[1, 2, %d, %d]) {\n return resize_nearest(x, size = "
			    "(%d, %d), coordinates = "
			    "\"%s\", rounding = \"%s\")\n}",
			    size[0], size[1], size[2], size[3], place_name, rounding_name);
		EXPECT_SHAPE(run.output[0], i, 1, 2, size[2], size[3]);
		for (int k = 0; k < 2 * size[2] * size[3]; k++) {
			int p = k / size[3] % size[2], q = k % size[3];
			double row = rounded(rounding_name, place(place_name, p, size[0], size[2]));
			double column =
				rounded(rounding_name, place(place_name, q, size[1], size[3]));
			cr_expect_eq(array_get(run.output[0], k),
				     AT(run.input[0], 0, k / (size[2] * size[3]),
					clamped(row, size[0]), clamped(column, size[1])),
				     "%s %s size %d at %d %d", place_name, rounding_name, i / 12, p,
				     q);
		}
		run_free(&run);
	}
}

Test(ops_shape, resize_bilinear)
{
	for (int i = 0; i < 5 * 3; i++) {
		const int *size = size_row[i / 3];
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[1, 2, %d, %d]) {\n"
			    " return resize_bilinear(x, size = (%d, %d), coordinates = \"%s\")\n}",
			    size[0], size[1], size[2], size[3], coordinates[i % 3]);
		for (int k = 0; k < 2 * size[2] * size[3]; k++) {
			double y =
				place(coordinates[i % 3], k / size[3] % size[2], size[0], size[2]);
			double x = place(coordinates[i % 3], k % size[3], size[1], size[3]);
			double wanted = 0;
			for (int corner = 0; corner < 4; corner++) {
				double row = floor(y) + corner / 2, column = floor(x) + corner % 2;
				wanted += (1 - fabs(y - row)) * (1 - fabs(x - column)) *
					  AT(run.input[0], 0, k / (size[2] * size[3]),
					     clamped(row, size[0]), clamped(column, size[1]));
			}
			cr_expect(is_near(array_get(run.output[0], k), wanted, 1e-6),
				  "%s size %d at %d: %g, not %g", coordinates[i % 3], i / 3, k,
				  array_get(run.output[0], k), wanted);
		}
		run_free(&run);
	}
}

/* ---- What operators require -------------------------------------------------------------------------------------------- */

static const struct {
	const char *call, *message;
} require_row[] = {
	{"conv(x, 0, kernel = 3)", "conv needs at least one filter"},
	{"conv(x, 4, kernel = 0)", "conv needs a kernel of at least 1 x 1"},
	{"conv(x, 4, kernel = 3, stride = 0)", "conv needs a stride of at least 1"},
	{"conv(x, 4, kernel = 3, stride = -1)", "conv needs a stride of at least 1"},
	{"conv(x, 4, kernel = 3, dilation = 0)", "conv needs a dilation of at least 1"},
	{"conv(x, 4, kernel = 3, pad = -1)", "conv cannot have a negative pad"},
	{"conv(x, 4, kernel = 3, group = 3)",
	 "the input channels of conv must divide into its groups"},
	{"conv(x, 3, kernel = 3, group = 2)", "the filters of conv must divide into its groups"},
	{"conv(x, 4, kernel = 9)", "the kernel of conv is larger than its padded input"},
	{"maxpool(x, kernel = 2, pad = 2)", "the pad of maxpool must be smaller than its kernel"},
	{"avgpool(x, kernel = 6)", "the kernel of avgpool is larger than its padded input"},
	{"dense(flatten(x), 0)", "dense needs at least one unit"},
	{"clip(x, 1, 0)", "clip needs low <= high"},
	{"gelu(x, approximate = \"no\")", "gelu takes approximate"},
	{"slice(x, 1, 0, 5)", "slice reaches outside its tensor"},
	{"slice(x, 1, 0, 2, step = 0)", "slice needs a step other than 0"},
	{"split(x, (1, 1), axis = 1)", "the sizes of split must add up to the extent of its axis"},
	{"pad(x, axis = 2, before = 5, mode = \"reflect\")", "pad can reflect at most"},
	{"dropout(x, rate = 1)", "dropout needs a rate of at least 0 and less than 1"},
	{"transpose(x, (0, 1))", "transpose needs one number in perm for each dimension"},
	{"resize_nearest(x, size = 0)", "resize_nearest needs a size of at least 1 x 1"},
	{"matmul(x, x)", "'k'"},
	{"squeeze(x, 0)", "must be 1"},
	{"concat(x, flatten(x))", "concat"},
};

Test(ops_shape, requirements_are_told_at_the_call)
{
	for (size_t row = 0; row < sizeof require_row / sizeof *require_row; row++) {
		struct run run = {0};
		char text[300];
		bool is_found = false;
		snprintf(text, sizeof text,
			 "network t(x: f32[2, 4, 5, 6]) {\n y = %s\n return y\n}",
			 require_row[row].call);
		run_elaborate(&run, text);
		cr_expect_null(run.network, "%s is accepted", require_row[row].call);
		for (int i = 0; i < run.diag.count; i++) {
			const struct finding *f = &run.diag.finding[i];
			is_found |= f->severity == SEVERITY_ERROR &&
				    strstr(f->message, require_row[row].message) &&
				    f->span.source && strcmp(f->span.source->name, "test.dnn") == 0;
		}
		cr_expect(is_found, "%s: no error says '%s'; the first says '%s'",
			  require_row[row].call, require_row[row].message,
			  run.diag.count ? run.diag.finding[0].message : "nothing");
		run_free(&run);
	}
}
