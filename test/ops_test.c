/* ops_test.c -- convolutions, dense layers and pooling of the operator library, run by the interpreter, against
 * loops written here from the textbook's definitions. */
#include "ops_fixture.h"

/* ---- Convolution: O[n,k,p,q] = B[k] + sum of W[k,d,r,s] * I[n, g(k)*c/G + d, p*u + r*v - pad, ...] -------- */

struct window {
	int n, c, h, w, filters, kernel[2], stride[2], pad[4], dilation[2], group, extra;
};

static const struct window conv_row[] = {
	{1, 1, 4, 4, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1, 1}, /* 1 x 1 */
	{2, 3, 6, 5, 4, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1, 1}, /* same size */
	{1,
	 2,
	 7,
	 8,
	 3,
	 {3, 2},
	 {2, 1},
	 {0, 0, 0, 0},
	 {1, 1},
	 1,
	 0}, /* kernel not square, no bias */
	{1, 2, 5, 6, 2, {3, 3}, {2, 2}, {0, 1, 2, 3}, {1, 1}, 1, 1}, /* pads all different */
	{1, 2, 9, 9, 2, {2, 2}, {3, 4}, {0, 0, 0, 0}, {1, 1}, 1, 1}, /* stride > kernel */
	{1, 1, 8, 9, 2, {3, 3}, {1, 2}, {2, 2, 2, 2}, {2, 3}, 1, 1}, /* dilated */
	{2, 4, 5, 5, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2, 1}, /* two groups */
	{1, 4, 5, 5, 4, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 4, 0}, /* depthwise */
	{1, 3, 4, 4, 6, {2, 2}, {1, 1}, {1, 0, 0, 1}, {2, 1}, 3, 1}, /* two filters a channel */
	{1,
	 1,
	 2,
	 2,
	 1,
	 {5, 5},
	 {1, 1},
	 {3, 3, 3, 3},
	 {1, 1},
	 1,
	 1}, /* kernel larger than the input */
};

static double conv_at(const struct run *run, const struct window *v, int n, int k, int p, int q)
{
	int inputs = v->c / v->group, outputs = v->filters / v->group;
	double sum = v->extra ? AT(param(run, "y.B"), k) : 0;
	for (int d = 0; d < inputs; d++)
		for (int r = 0; r < v->kernel[0]; r++)
			for (int s = 0; s < v->kernel[1]; s++)
				sum += AT(param(run, "y.W"), k, d, r, s) *
				       AT_OR(run->input[0], 0, n, k / outputs * inputs + d,
					     p * v->stride[0] + r * v->dilation[0] - v->pad[0],
					     q * v->stride[1] + s * v->dilation[1] - v->pad[1]);
	return sum;
}

Test(ops, conv)
{
	for (size_t row = 0; row < sizeof conv_row / sizeof *conv_row; row++) {
		const struct window *v = &conv_row[row];
		struct run run = {0};
		run_network(
			&run,
			"network t(x: f32[%d, %d, %d, %d]) {\n y = conv(x, %d, kernel = (%d, %d), "
			"stride = (%d, %d), pad = (%d, %d, %d, %d), dilation = (%d, %d), group = "
			"%d, "
			"bias = %d)\n return y\n}",
			v->n, v->c, v->h, v->w, v->filters, v->kernel[0], v->kernel[1],
			v->stride[0], v->stride[1], v->pad[0], v->pad[1], v->pad[2], v->pad[3],
			v->dilation[0], v->dilation[1], v->group, v->extra);
		int rows = (v->h + v->pad[0] + v->pad[2] - v->dilation[0] * (v->kernel[0] - 1) -
			    1) / v->stride[0] +
			   1;
		int columns = (v->w + v->pad[1] + v->pad[3] - v->dilation[1] * (v->kernel[1] - 1) -
			       1) / v->stride[1] +
			      1;
		EXPECT_SHAPE(run.output[0], (int)row, v->n, v->filters, rows, columns);
		for (int n = 0; n < v->n; n++)
			for (int k = 0; k < v->filters; k++)
				for (int p = 0; p < rows; p++)
					for (int q = 0; q < columns; q++)
						cr_expect_eq(AT(run.output[0], n, k, p, q),
							     conv_at(&run, v, n, k, p, q),
							     "row %zu at %d %d %d %d", row, n, k, p,
							     q);
		run_free(&run);
	}
}

/* Integers: the sum of i8 products is kept in i32, and is exact. */
Test(ops, conv_in_integers)
{
	struct run run = {0};
	run.input[0] = array_new(TYPE_I8, 4, (const int64_t[]){1, 2, 3, 3});
	for (int i = 0; i < 18; i++)
		array_set(run.input[0], i, 127 - 30 * (i % 9));
	run_network(&run, "network t(x: i8[1, 2, 3, 3]) {\n param K: i8[1, 2, 3, 3]\n"
			  " y = conv(x, 1, kernel = 3, W = K, bias = 0)\n return y\n}");
	struct array *kernel = param(&run, "K");
	int64_t sum = 0;
	cr_assert_eq(run.output[0]->type, TYPE_I32);
	for (int i = 0; i < 18; i++)
		sum += (int64_t)array_get(kernel, i) * (int64_t)array_get(run.input[0], i);
	cr_expect_eq(array_get(run.output[0], 0), (double)sum);
	run_free(&run);
}

/* ---- Transposed convolution: the output element gathers what the scatter of the definition brings to it --- */

static const struct window transpose_row[] = {
	{1, 1, 3, 3, 1, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1, 0},
	{2, 3, 3, 4, 2, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1, 1}, /* extra: rows of output_pad */
	{1, 2, 4, 3, 3, {4, 2}, {2, 3}, {1, 0, 2, 1}, {1, 1}, 1, 0}, /* pads all different */
	{1, 2, 3, 3, 2, {3, 2}, {1, 2}, {0, 0, 0, 0}, {2, 3}, 1, 0}, /* dilated */
	{1, 4, 3, 3, 6, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 2, 1}, /* groups */
	{1, 1, 2, 2, 1, {1, 1}, {3, 3}, {0, 0, 0, 0}, {1, 1}, 1, 2}, /* holes */
};

static double transpose_at(const struct run *run, const struct window *v, int n, int k, int y,
			   int x)
{
	int inputs = v->c / v->group, outputs = v->filters / v->group, g = k / outputs;
	double sum = AT(param(run, "y.B"), k);
	for (int d = 0; d < inputs; d++)
		for (int h = 0; h < v->h; h++)
			for (int w = 0; w < v->w; w++) {
				int r = y + v->pad[0] - h * v->stride[0];
				int s = x + v->pad[1] - w * v->stride[1];
				if (r % v->dilation[0] || s % v->dilation[1])
					continue;
				sum += AT(run->input[0], n, g * inputs + d, h, w) *
				       AT_OR(param(run, "y.W"), 0, g * inputs + d, k % outputs,
					     r / v->dilation[0], s / v->dilation[1]);
			}
	return sum;
}

Test(ops, conv_transpose)
{
	for (size_t row = 0; row < sizeof transpose_row / sizeof *transpose_row; row++) {
		const struct window *v = &transpose_row[row];
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[%d, %d, %d, %d]) {\n y = conv_transpose(x, %d, "
			    "kernel = (%d, "
			    "%d), stride = (%d, %d), pad = (%d, %d, %d, %d), dilation = (%d, %d), "
			    "group = "
			    "%d, output_pad = (%d, 0))\n return y\n}",
			    v->n, v->c, v->h, v->w, v->filters, v->kernel[0], v->kernel[1],
			    v->stride[0], v->stride[1], v->pad[0], v->pad[1], v->pad[2], v->pad[3],
			    v->dilation[0], v->dilation[1], v->group, v->extra);
		int rows = (v->h - 1) * v->stride[0] + v->dilation[0] * (v->kernel[0] - 1) + 1 +
			   v->extra - v->pad[0] - v->pad[2];
		int columns = (v->w - 1) * v->stride[1] + v->dilation[1] * (v->kernel[1] - 1) + 1 -
			      v->pad[1] - v->pad[3];
		EXPECT_SHAPE(run.output[0], (int)row, v->n, v->filters, rows, columns);
		for (int n = 0; n < v->n; n++)
			for (int k = 0; k < v->filters; k++)
				for (int p = 0; p < rows; p++)
					for (int q = 0; q < columns; q++)
						cr_expect_eq(AT(run.output[0], n, k, p, q),
							     transpose_at(&run, v, n, k, p, q),
							     "row %zu at %d %d %d %d", row, n, k, p,
							     q);
		run_free(&run);
	}
}

/* ---- Pooling --------------------------------------------------------------------------------------------- */

struct pool {
	int h, w, kernel[2], stride[2], pad[4], dilation[2], ceil_mode, include_pad;
	int rows, columns; /* wanted, by hand */
};

static const struct pool pool_row[] = {
	{4, 4, {2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 0, 0, 2, 2},
	{5, 5, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 0, 0, 5, 5},
	{5, 6, {3, 2}, {2, 2}, {0, 1, 2, 0}, {1, 1}, 0, 1, 3, 3}, /* (5+2-3)/2+1, (6+1-2)/2+1 */
	{6, 6, {3, 3}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1, 0, 3, 3}, /* ceil(3/2)+1 */
	{6, 6, {3, 3}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 0, 0, 2, 2},
	{6,
	 6,
	 {3, 3},
	 {2, 2},
	 {0, 0, 0, 0},
	 {1, 1},
	 1,
	 1,
	 3,
	 3}, /* beyond the pad counts as nothing */
	{4,
	 4,
	 {2, 2},
	 {3, 3},
	 {1, 1, 1, 1},
	 {1, 1},
	 1,
	 1,
	 2,
	 2}, /* a third window would lie in the pad */
	{3,
	 3,
	 {2, 2},
	 {2, 2},
	 {0, 0, 1, 1},
	 {1, 1},
	 1,
	 0,
	 2,
	 2}, /* pads below and at the right alone */
	{7, 7, {2, 2}, {1, 3}, {0, 0, 0, 0}, {3, 2}, 0, 0, 4, 2}, /* dilated: maximum only */
	{5, 5, {1, 1}, {3, 3}, {0, 0, 0, 0}, {1, 1}, 0, 0, 2, 2}, /* stride > kernel */
};

/* The maximum, or sum and count, of the elements of a window that lie inside. */
static void window_at(const struct array *x, const struct pool *v, int c, int p, int q,
		      double *most, double *sum, double *count)
{
	*most = -INFINITY;
	*sum = *count = 0;
	for (int r = 0; r < v->kernel[0]; r++)
		for (int s = 0; s < v->kernel[1]; s++) {
			int row = p * v->stride[0] + r * v->dilation[0] - v->pad[0];
			int column = q * v->stride[1] + s * v->dilation[1] - v->pad[1];
			double value = AT(x, 0, c, row, column);
			bool in_pad = row < v->h + v->pad[2] && column < v->w + v->pad[3];
			if (!isnan(value)) {
				*most = fmax(*most, value);
				*sum += value;
			}
			*count += v->include_pad ? in_pad : !isnan(value);
		}
}

static void expect_pool(int row, bool is_max)
{
	const struct pool *v = &pool_row[row];
	struct run run = {0};
	char extra[80];
	snprintf(extra, sizeof extra, is_max ? "dilation = (%d, %d)" : "count_include_pad = %d",
		 is_max ? v->dilation[0] : v->include_pad, v->dilation[1]);
	run_network(&run,
		    "network t(x: f32[1, 2, %d, %d]) {\n return %s(x, kernel = (%d, %d), stride = "
		    "(%d, %d), pad = "
		    "(%d, %d, %d, %d), ceil_mode = %d, %s)\n}",
		    v->h, v->w, is_max ? "maxpool" : "avgpool", v->kernel[0], v->kernel[1],
		    v->stride[0], v->stride[1], v->pad[0], v->pad[1], v->pad[2], v->pad[3],
		    v->ceil_mode, extra);
	EXPECT_SHAPE(run.output[0], row, 1, 2, v->rows, v->columns);
	for (int c = 0; c < 2; c++)
		for (int p = 0; p < v->rows; p++)
			for (int q = 0; q < v->columns; q++) {
				double most, sum, count, found = AT(run.output[0], 0, c, p, q);
				window_at(run.input[0], v, c, p, q, &most, &sum, &count);
				cr_expect(is_near(found, is_max ? most : sum / count, 1e-6),
					  "%s row %d at %d %d %d: %g", is_max ? "max" : "average",
					  row, c, p, q, found);
			}
	run_free(&run);
}

Test(ops, pooling)
{
	for (int row = 0; row < (int)(sizeof pool_row / sizeof *pool_row); row++) {
		expect_pool(row, true);
		if (pool_row[row].dilation[0] == 1)
			expect_pool(row, false);
	}
}

Test(ops, global_pooling)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[2, 3, 4, 5]) {\n return (global_avgpool(x), "
			  "global_maxpool(x))\n}");
	for (int n = 0; n < 2; n++)
		for (int c = 0; c < 3; c++) {
			double sum = 0, most = -INFINITY;
			for (int i = 0; i < 20; i++) {
				double value = AT(run.input[0], n, c, i / 5, i % 5);
				sum += value;
				most = fmax(most, value);
			}
			cr_expect(is_near(AT(run.output[0], n, c, 0, 0), sum / 20, 1e-6));
			cr_expect_eq(AT(run.output[1], n, c, 0, 0), most);
		}
	EXPECT_SHAPE(run.output[0], 0, 2, 3, 1, 1);
	EXPECT_SHAPE(run.output[1], 1, 2, 3, 1, 1);
	run_free(&run);
}

/* ---- Dense layers and products ------------------------------------------------------------------------------ */

Test(ops, dense_and_linear)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[3, 5], z: f32[2, 3, 5]) {\n a = dense(x, 4)\n b = "
			  "dense(x, 4, bias = 0)\n"
			  " d = linear(z, 2)\n return (a, b, d)\n}");
	for (int n = 0; n < 3; n++)
		for (int k = 0; k < 4; k++) {
			double with = AT(param(&run, "a.B"), k), without = 0;
			for (int c = 0; c < 5; c++) {
				with += AT(run.input[0], n, c) * AT(param(&run, "a.W"), k, c);
				without += AT(run.input[0], n, c) * AT(param(&run, "b.W"), k, c);
			}
			cr_expect_eq(AT(run.output[0], n, k), with, "dense at %d %d", n, k);
			cr_expect_eq(AT(run.output[1], n, k), without,
				     "dense without bias at %d %d", n, k);
		}
	for (int i = 0; i < 12; i++) {
		int a = i / 6, b = i / 2 % 3, k = i % 2;
		double sum = AT(param(&run, "d.B"), k);
		for (int c = 0; c < 5; c++)
			sum += AT(run.input[1], a, b, c) * AT(param(&run, "d.W"), k, c);
		cr_expect_eq(AT(run.output[2], a, b, k), sum, "linear at %d %d %d", a, b, k);
	}
	run_free(&run);
}

/* Batch dimensions (2, 1) and (3) broadcast to (2, 3). */
Test(ops, matmul_broadcasts_its_batch)
{
	struct run run = {0};
	run_network(&run,
		    "network t(a: f32[2, 1, 4, 5], b: f32[3, 5, 2]) {\n return matmul(a, b)\n}");
	EXPECT_SHAPE(run.output[0], 0, 2, 3, 4, 2);
	for (int i = 0; i < 48; i++) {
		int u = i / 24, v = i / 8 % 3, m = i / 2 % 4, n = i % 2;
		double sum = 0;
		for (int k = 0; k < 5; k++)
			sum += AT(run.input[0], u, 0, m, k) * AT(run.input[1], v, k, n);
		cr_expect_eq(AT(run.output[0], u, v, m, n), sum, "at %d %d %d %d", u, v, m, n);
	}
	run_free(&run);
}

Test(ops, gemm_transposes)
{
	for (int flags = 0; flags < 4; flags++) {
		int left = flags & 1, right = flags >> 1;
		struct run run = {0};
		run_network(&run,
			    "network t(a: f32[%d, %d], b: f32[%d, %d]) {\n return gemm(a, b, alpha "
			    "= 0.5, transpose_a = %d, "
			    "transpose_b = %d)\n}",
			    left ? 3 : 2, left ? 2 : 3, right ? 4 : 3, right ? 3 : 4, left, right);
		EXPECT_SHAPE(run.output[0], flags, 2, 4);
		for (int m = 0; m < 2; m++)
			for (int n = 0; n < 4; n++) {
				double sum = 0;
				for (int k = 0; k < 3; k++)
					sum += (left ? AT(run.input[0], k, m)
						     : AT(run.input[0], m, k)) *
					       (right ? AT(run.input[1], n, k)
						      : AT(run.input[1], k, n));
				cr_expect_eq(AT(run.output[0], m, n), 0.5 * sum, "flags %d", flags);
			}
		run_free(&run);
	}
}

/* ---- Attention -------------------------------------------------------------------------------------------- */

/* O = softmax(Q K' / sqrt(d)) V for one batch element and one head, in double. */
static double attention_at(const double *q, const double *k, const double *v, int l, int s, int d,
			   int e, int row, int column, bool causal)
{
	double total = 0, mixed = 0;
	int last = causal && row + 1 < s ? row + 1 : s;
	(void)l;
	for (int j = 0; j < last; j++) {
		double score = 0;
		for (int i = 0; i < d; i++)
			score += q[row * d + i] * k[j * d + i];
		total += exp(score / sqrt(d));
		mixed += exp(score / sqrt(d)) * v[j * e + column];
	}
	return mixed / total;
}

static void doubles(const struct array *array, double out[])
{
	for (int64_t i = 0; i < array_count(array); i++)
		out[i] = array_get(array, i);
}

Test(ops, attention)
{
	for (int causal = 0; causal < 2; causal++) {
		struct run run = {0};
		double q[2 * 3 * 4], k[2 * 5 * 4], v[2 * 5 * 2];
		run_network(&run,
			    "network t(q: f32[2, 3, 4], k: f32[2, 5, 4], v: f32[2, 5, 2]) {\n"
			    " return attention(q, k, v, causal = %d)\n}",
			    causal);
		EXPECT_SHAPE(run.output[0], causal, 2, 3, 2);
		doubles(run.input[0], q);
		doubles(run.input[1], k);
		doubles(run.input[2], v);
		for (int i = 0; i < 12; i++) {
			int n = i / 6, row = i / 2 % 3, column = i % 2;
			double wanted = attention_at(q + n * 12, k + n * 20, v + n * 10, 3, 5, 4, 2,
						     row, column, causal);
			cr_expect(is_near(AT(run.output[0], n, row, column), wanted, 1e-5),
				  "causal %d at %d: %g, not %g", causal, i,
				  AT(run.output[0], n, row, column), wanted);
		}
		run_free(&run);
	}
}

/* y[t, :] = W x[t, :] + b */
static void project(const struct run *run, const char *layer, int tokens, int d, const double *x,
		    double *y)
{
	char name[40];
	snprintf(name, sizeof name, "%s.W", layer);
	const struct array *weight = param(run, name);
	snprintf(name, sizeof name, "%s.B", layer);
	const struct array *bias = param(run, name);
	for (int t = 0; t < tokens; t++)
		for (int k = 0; k < d; k++) {
			y[t * d + k] = AT(bias, k);
			for (int c = 0; c < d; c++)
				y[t * d + k] += AT(weight, k, c) * x[t * d + c];
		}
}

Test(ops, multi_head_attention)
{
	enum { T = 3, D = 4, HEADS = 2, E = D / HEADS };
	struct run run = {0};
	double x[T * D], q[T * D], k[T * D], v[T * D], mixed[T * D], wanted[T * D];
	run_network(&run, "network t(x: f32[1, 3, 4]) {\n y = multi_head_attention(x, heads = 2)\n "
			  "return y\n}");
	EXPECT_SHAPE(run.output[0], 0, 1, T, D);
	doubles(run.input[0], x);
	project(&run, "y.query", T, D, x, q);
	project(&run, "y.key", T, D, x, k);
	project(&run, "y.value", T, D, x, v);
	for (int head = 0; head < HEADS; head++) {
		double part[3][T * E];
		for (int i = 0; i < T * E; i++) {
			int from = i / E * D + head * E + i % E;
			part[0][i] = q[from];
			part[1][i] = k[from];
			part[2][i] = v[from];
		}
		for (int i = 0; i < T * E; i++)
			mixed[i / E * D + head * E + i % E] = attention_at(
				part[0], part[1], part[2], T, T, E, E, i / E, i % E, false);
	}
	project(&run, "y.out", T, D, mixed, wanted);
	for (int i = 0; i < T * D; i++)
		cr_expect(is_near(array_get(run.output[0], i), wanted[i], 1e-5),
			  "at %d: %g, not %g", i, array_get(run.output[0], i), wanted[i]);
	run_free(&run);
}
