/* interpret_test.c -- docs/language.md 3.3, run: each test is a network of one or two
 * statements. */
#include "frontend/network/interpret.h"
#include "runtime/random.h"
#include "network_fixture.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

/* Runs a network of one output on these inputs and frees the inputs. */
static struct array *run(const struct network *net, struct array *a, struct array *b)
{
	struct array *input[] = {a, b}, *result = NULL;
	char *error = interpret(net, input, &result);
	cr_assert_null(error, "%s", error);
	array_free(a);
	array_free(b);
	return result;
}

/* Same value and same sign of zero; NaN equals NaN. */
static bool same(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

/* Checks the elements of a result and frees it and the network. */
static void expect(struct network *net, struct array *result, int64_t count, const double wanted[])
{
	cr_assert_eq(array_count(result), count, "%lld elements", (long long)array_count(result));
	for (int64_t i = 0; i < count; i++)
		cr_expect(same(array_get(result, i), wanted[i]),
			  "%s: element %lld is %.17g, not %.17g", net->name, (long long)i,
			  array_get(result, i), wanted[i]);
	array_free(result);
	fixture_free(net);
}

/* out[i] = fn(x[i], y[i]), all in one type; y only for functions of two operands. */
static struct array *map(enum scalar_fn fn, enum type type, enum type in, int count,
			 const double x[], const double y[])
{
	struct network *net = fixture("map");
	struct tensor *a = tensor(net, "x", in, ROLE_INPUT, 1, count);
	struct tensor *b = tensor(net, "y", in, ROLE_INPUT, 1, count);
	struct tensor *out = tensor(net, "out", type, ROLE_LOCAL, 1, count);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, count);
	s->target = ACCESS(net, out, SUB(0, [0] = 1));
	s->value = apply(net, fn, type, read_of(net, ACCESS(net, a, SUB(0, [0] = 1))),
			 read_of(net, ACCESS(net, b, SUB(0, [0] = 1))), NULL);
	output(net, out);
	struct array *result = run(net, array_of(a, x), array_of(b, y ? y : x));
	fixture_free(net);
	return result;
}

static void expect_map(enum scalar_fn fn, enum type type, enum type in, int count, const double x[],
		       const double y[], const double wanted[])
{
	struct array *result = map(fn, type, in, count, x, y);
	for (int i = 0; i < count; i++)
		cr_expect(same(array_get(result, i), wanted[i]),
			  "%s in %s of %.9g, %.9g is %.9g, not %.9g", scalar_fn_info(fn)->name,
			  type_info(type)->name, x[i], y ? y[i] : 0, array_get(result, i),
			  wanted[i]);
	array_free(result);
}

/* ---- Accesses -------------------------------------------------------------------------------- */

/* 3x3 image, 3x3 kernel, pad 1. */
Test(interpret, convolution_reads_zero_outside)
{
	struct network *net = fixture("conv");
	struct tensor *image = tensor(net, "image", TYPE_F32, ROLE_INPUT, 2, 3, 3);
	struct tensor *w = tensor(net, "w", TYPE_F32, ROLE_INPUT, 2, 3, 3);
	struct tensor *out = tensor(net, "out", TYPE_F32, ROLE_LOCAL, 2, 3, 3);
	fill(net, out, 100);
	struct statement *s = statement(net, REDUCE_SUM, 4, 2, 3, 3, 3, 3);
	struct access pixel =
		ACCESS(net, image, SUB(-1, [0] = 1, [2] = 1), SUB(-1, [1] = 1, [3] = 1));
	s->target = ACCESS(net, out, SUB(0, [0] = 1), SUB(0, [1] = 1));
	s->value = apply(net, FN_MUL, TYPE_F32, read_of(net, outside(pixel, OUTSIDE_VALUE, 0)),
			 read_of(net, ACCESS(net, w, SUB(0, [2] = 1), SUB(0, [3] = 1))), NULL);
	output(net, out);
	struct array *result = run(net, array_of(image, VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9)),
				   array_of(w, VALUES(1, 1, 1, 1, 1, 1, 1, 1, 2)));
	expect(net, result, 9, VALUES(117, 127, 116, 135, 154, 133, 124, 139, 128));
}

/* More channels than a block has points, windows that do not divide it: equal to plain loops. */
Test(interpret, blocks_keep_the_order_of_the_loops)
{
	enum { K = 3, C = 61, P = 5, Q = 6, R = 3, S = 2 };
	struct network *net = fixture("blocks");
	struct tensor *image = tensor(net, "image", TYPE_F32, ROLE_INPUT, 3, C, P, Q);
	struct tensor *w = tensor(net, "w", TYPE_F32, ROLE_PARAM, 4, K, C, R, S);
	struct tensor *out = tensor(net, "out", TYPE_F32, ROLE_LOCAL, 3, K, P, Q);
	fill(net, out, 0);
	struct statement *s = statement(net, REDUCE_SUM, 6, 3, K, P, Q, C, R, S);
	struct access pixel = ACCESS(net, image, SUB(0, [3] = 1), SUB(-1, [1] = 1, [4] = 1),
				     SUB(0, [2] = 1, [5] = 1));
	s->target = ACCESS(net, out, SUB(0, [0] = 1), SUB(0, [1] = 1), SUB(0, [2] = 1));
	s->value = apply(net, FN_MUL, TYPE_F32, read_of(net, outside(pixel, OUTSIDE_VALUE, 0.5)),
			 read_of(net, ACCESS(net, w, SUB(0, [0] = 1), SUB(0, [3] = 1),
					     SUB(0, [4] = 1), SUB(0, [5] = 1))),
			 NULL);
	output(net, out);
	cr_assert(network_initialise(net, 7), "no memory");
	struct array *input = array_new(TYPE_F32, 3, image->extent);
	for (int i = 0; i < C * P * Q; i++)
		array_set(input, i, random_uniform(1, 2, (uint64_t)i));
	const float *x = input->data, *weight = w->data->data;
	double wanted[K * P * Q];
	for (int k = 0; k < K; k++)
		for (int p = 0; p < P; p++)
			for (int q = 0; q < Q; q++) {
				float sum = 0;
				for (int i = 0; i < C * R * S; i++) {
					int c = i / (R * S), y = p + i / S % R - 1, col = q + i % S;
					bool is_inside = y >= 0 && y < P && col < Q;
					float v = is_inside ? x[(c * P + y) * Q + col] : 0.5f;
					sum = fmaf(v, weight[k * C * R * S + i], sum);
				}
				wanted[(k * P + p) * Q + q] = sum;
			}
	expect(net, run(net, input, NULL), K * P * Q, wanted);
}

/* out[2*p + r - 1] else drop += x[p] * w[r], windows that overlap and hang over both ends. */
Test(interpret, transposed_convolution_drops_writes_outside)
{
	struct network *net = fixture("transposed");
	struct tensor *x = tensor(net, "x", TYPE_I32, ROLE_INPUT, 1, 3);
	struct tensor *w = tensor(net, "w", TYPE_I32, ROLE_INPUT, 1, 3);
	struct tensor *out = tensor(net, "out", TYPE_I32, ROLE_LOCAL, 1, 5);
	fill(net, out, 0);
	struct statement *s = statement(net, REDUCE_SUM, 2, 2, 3, 3);
	s->target = outside(ACCESS(net, out, SUB(-1, [0] = 2, [1] = 1)), OUTSIDE_DROP, 0);
	s->value = apply(net, FN_MUL, TYPE_I32, read_of(net, ACCESS(net, x, SUB(0, [0] = 1))),
			 read_of(net, ACCESS(net, w, SUB(0, [1] = 1))), NULL);
	output(net, out);
	struct array *result =
		run(net, array_of(x, VALUES(1, 10, 100)), array_of(w, VALUES(1, 2, 3)));
	expect(net, result, 5, VALUES(2, 13, 20, 130, 200));
}

/* Nearest resize with an odd start: floor((i - 3) / 2) for i in 0 .. 9 is -2 -1 -1 0 0 1 1 2 2. */
Test(interpret, division_rounds_down_and_clamp_takes_the_nearest)
{
	struct network *net = fixture("clamp");
	struct tensor *x = tensor(net, "x", TYPE_F64, ROLE_INPUT, 1, 2);
	struct tensor *y = tensor(net, "y", TYPE_F64, ROLE_LOCAL, 1, 9);
	struct tensor *z = tensor(net, "z", TYPE_F64, ROLE_LOCAL, 1, 9);
	struct access at = ACCESS(net, x, SUB_DIV(2, -3, [0] = 1));
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 9);
	s->target = ACCESS(net, y, SUB(0, [0] = 1));
	s->value = read_of(net, outside(at, OUTSIDE_CLAMP, 0));
	s = statement(net, REDUCE_NONE, 1, 1, 9);
	s->target = ACCESS(net, z, SUB(8, [0] = -1));
	s->value = apply(net, FN_SUB, TYPE_F64, read_of(net, outside(at, OUTSIDE_VALUE, -1)),
			 read_of(net, ACCESS(net, y, SUB(0, [0] = 1))), NULL);
	output(net, z);
	struct array *result = run(net, array_of(x, VALUES(5, 7)), NULL);
	expect(net, result, 9, VALUES(-8, -8, 0, 0, 0, 0, -6, -6, -6));
}

/* A pool over values below zero starts from the lowest value, and NaN goes through it. */
Test(interpret, max_starts_from_the_lowest_value)
{
	struct network *net = fixture("pool");
	struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 2, 2, 3);
	struct tensor *out = tensor(net, "out", TYPE_F32, ROLE_LOCAL, 1, 3);
	fill(net, out, -INFINITY);
	struct statement *s = statement(net, REDUCE_MAX, 3, 1, 3, 2, 2);
	struct access at = ACCESS(net, x, SUB(0, [1] = 1), SUB(0, [0] = 1, [2] = 1));
	s->target = ACCESS(net, out, SUB(0, [0] = 1));
	s->value = read_of(net, outside(at, OUTSIDE_VALUE, -INFINITY));
	output(net, out);
	struct array *result = run(net, array_of(x, VALUES(-5, -7, NAN, -6, -8, -9)), NULL);
	expect(net, result, 3, VALUES(-5, NAN, NAN));

	net = fixture("pool i16");
	x = tensor(net, "x", TYPE_I16, ROLE_INPUT, 1, 2);
	out = tensor(net, "out", TYPE_I16, ROLE_LOCAL, 0);
	fill(net, out, -INFINITY);
	s = statement(net, REDUCE_MAX, 1, 0, 2);
	s->target = SCALAR_ACCESS(net, out);
	s->value = read_of(net, ACCESS(net, x, SUB(0, [0] = 1)));
	output(net, out);
	expect(net, run(net, array_of(x, VALUES(-32768, -32767)), NULL), 1, VALUES(-32767));
}

/* ---- Sums ------------------------------------------------------------------------------------ */

static struct array *sum_of(enum type type, enum type in, int count, const double x[], double start)
{
	struct network *net = fixture("sum");
	struct tensor *a = tensor(net, "x", in, ROLE_INPUT, 1, count);
	struct tensor *out = tensor(net, "out", type, ROLE_LOCAL, 0);
	fill(net, out, start);
	struct statement *s = statement(net, REDUCE_SUM, 1, 0, count);
	s->target = SCALAR_ACCESS(net, out);
	s->value = read_of(net, ACCESS(net, a, SUB(0, [0] = 1)));
	output(net, out);
	struct array *result = run(net, array_of(a, x), NULL);
	fixture_free(net);
	return result;
}

static void expect_sum(enum type type, enum type in, int count, const double x[], double start,
		       double wanted)
{
	struct array *result = sum_of(type, in, count, x, start);
	cr_expect_eq(array_get(result, 0), wanted, "a sum of %s in %s is %.17g, not %.17g",
		     type_info(in)->name, type_info(type)->name, array_get(result, 0), wanted);
	array_free(result);
}

Test(interpret, sums_are_taken_in_order_in_the_targets_type)
{
	expect_sum(TYPE_F32, TYPE_F32, 3, VALUES(1e8, 1, -1e8), 0, 0);
	expect_sum(TYPE_F32, TYPE_F32, 3, VALUES(1e8, -1e8, 1), 0, 1);
	expect_sum(TYPE_F64, TYPE_F32, 3, VALUES(1e8, 1, -1e8), 0, 1);
	expect_sum(TYPE_I32, TYPE_I8, 3, VALUES(127, 127, 127), 0, 381);
	expect_sum(TYPE_I32, TYPE_I32, 2, VALUES(INT32_MAX, 1), 0, INT32_MIN);
	expect_sum(TYPE_I8, TYPE_I8, 3, VALUES(100, 100, -50), 0, 77);
	expect_sum(TYPE_I8, TYPE_I32, 2, VALUES(1000, -1), 0, 126);
	expect_sum(TYPE_I32, TYPE_F32, 3, VALUES(0.5, 1.5, 2.5), 0, 0 + 2 + 2);
	expect_sum(TYPE_I16, TYPE_F64, 2, VALUES(NAN, 3), 0, 3);
}

/* (1 + e)(1 - e) - 1 is -e*e exactly, and 0 where the product is rounded first. */
Test(interpret, sum_of_a_product_is_rounded_once)
{
	const double e32 = FLT_EPSILON, e64 = DBL_EPSILON;
	static const enum type types[] = {TYPE_F32, TYPE_F64};
	for (int i = 0; i < 2; i++) {
		double e = i == 0 ? e32 : e64;
		for (int is_negated = 0; is_negated < 2; is_negated++) {
			struct network *net = fixture("fma");
			struct tensor *a = tensor(net, "a", types[i], ROLE_INPUT, 0);
			struct tensor *b = tensor(net, "b", types[i], ROLE_INPUT, 0);
			struct tensor *out = tensor(net, "out", types[i], ROLE_LOCAL, 0);
			fill(net, out, is_negated ? 1 : -1);
			struct statement *s = statement(net, REDUCE_SUM, 0, 0);
			s->target = SCALAR_ACCESS(net, out);
			s->value = apply(net, FN_MUL, types[i], read_of(net, SCALAR_ACCESS(net, a)),
					 read_of(net, SCALAR_ACCESS(net, b)), NULL);
			if (is_negated)
				s->value = apply(net, FN_NEG, types[i], s->value, NULL, NULL);
			output(net, out);
			struct array *result =
				run(net, array_of(a, VALUES(1 + e)), array_of(b, VALUES(1 - e)));
			expect(net, result, 1, VALUES(is_negated ? 0.0 : -e * e));
		}
	}
}

/* i8 times i8 is an i32 product; a product of another type than the target's is rounded first. */
Test(interpret, products_are_computed_in_their_own_type)
{
	struct network *net = fixture("i8");
	struct tensor *a = tensor(net, "a", TYPE_I8, ROLE_INPUT, 1, 3);
	struct tensor *b = tensor(net, "b", TYPE_I8, ROLE_INPUT, 1, 3);
	struct tensor *out = tensor(net, "out", TYPE_I32, ROLE_LOCAL, 0);
	fill(net, out, 5);
	struct statement *s = statement(net, REDUCE_SUM, 1, 0, 3);
	s->target = SCALAR_ACCESS(net, out);
	s->value = apply(net, FN_MUL, TYPE_I32, read_of(net, ACCESS(net, a, SUB(0, [0] = 1))),
			 read_of(net, ACCESS(net, b, SUB(0, [0] = 1))), NULL);
	output(net, out);
	struct array *result =
		run(net, array_of(a, VALUES(-128, 127, 3)), array_of(b, VALUES(-128, -128, 2)));
	expect(net, result, 1, VALUES(5 + 16384 - 16256 + 6));

	net = fixture("f32 into f64");
	a = tensor(net, "a", TYPE_F32, ROLE_INPUT, 0);
	b = tensor(net, "b", TYPE_F32, ROLE_INPUT, 0);
	out = tensor(net, "out", TYPE_F64, ROLE_LOCAL, 0);
	fill(net, out, -1);
	s = statement(net, REDUCE_SUM, 0, 0);
	s->target = SCALAR_ACCESS(net, out);
	s->value = apply(net, FN_MUL, TYPE_F32, read_of(net, SCALAR_ACCESS(net, a)),
			 read_of(net, SCALAR_ACCESS(net, b)), NULL);
	output(net, out);
	const double e = FLT_EPSILON;
	expect(net, run(net, array_of(a, VALUES(1 + e)), array_of(b, VALUES(1 - e))), 1, VALUES(0));
}

/* ---- Functions ------------------------------------------------------------------------------- */

Test(interpret, integers_wrap_and_divide_toward_zero)
{
	const double low = INT32_MIN, high = INT32_MAX;
	expect_map(FN_ADD, TYPE_I32, TYPE_I32, 2, VALUES(high, 3), VALUES(1, 4), VALUES(low, 7));
	expect_map(FN_SUB, TYPE_I32, TYPE_I32, 1, VALUES(low), VALUES(1), VALUES(high));
	expect_map(FN_MUL, TYPE_I32, TYPE_I32, 1, VALUES(65536), VALUES(65537), VALUES(65536));
	expect_map(FN_ADD, TYPE_I32, TYPE_I8, 1, VALUES(127), VALUES(127), VALUES(254));
	expect_map(FN_DIV, TYPE_I32, TYPE_I32, 5, VALUES(-7, 7, 7, low, low),
		   VALUES(2, -2, 0, -1, 1), VALUES(-3, -3, 0, low, low));
	expect_map(FN_DIV, TYPE_I64, TYPE_I64, 3, VALUES(-0x1p63, 9, -9), VALUES(-1, 0, 4),
		   VALUES(-0x1p63, 0, -2));
	expect_map(FN_MUL, TYPE_I64, TYPE_I64, 1, VALUES(0x1p62), VALUES(2), VALUES(-0x1p63));
	expect_map(FN_ABS, TYPE_I32, TYPE_I32, 2, VALUES(low, -4), NULL, VALUES(low, 4));
	expect_map(FN_NEG, TYPE_I32, TYPE_I32, 2, VALUES(low, 4), NULL, VALUES(low, -4));
	expect_map(FN_MIN, TYPE_I32, TYPE_I16, 2, VALUES(-3, 9), VALUES(2, 8), VALUES(-3, 8));
	expect_map(FN_MAX, TYPE_I32, TYPE_I16, 2, VALUES(-3, 9), VALUES(2, 8), VALUES(2, 9));
}

Test(interpret, nan_goes_through_min_and_max_and_compares_unequal)
{
	const double a[] = {NAN, 1, -0.0, 0.0, 2}, b[] = {1, NAN, 0.0, -0.0, 3};
	static const enum type types[] = {TYPE_F32, TYPE_F64};
	for (int i = 0; i < 2; i++) {
		enum type t = types[i];
		expect_map(FN_MIN, t, t, 5, a, b, VALUES(NAN, NAN, -0.0, -0.0, 2));
		expect_map(FN_MAX, t, t, 5, a, b, VALUES(NAN, NAN, 0.0, 0.0, 3));
		expect_map(FN_EQ, TYPE_I32, t, 5, a, b, VALUES(0, 0, 1, 1, 0));
		expect_map(FN_NE, TYPE_I32, t, 5, a, b, VALUES(1, 1, 0, 0, 1));
		expect_map(FN_LT, TYPE_I32, t, 5, a, b, VALUES(0, 0, 0, 0, 1));
		expect_map(FN_LE, TYPE_I32, t, 5, a, b, VALUES(0, 0, 1, 1, 1));
		expect_map(FN_AND, TYPE_I32, t, 5, a, b, VALUES(1, 1, 0, 0, 1));
		expect_map(FN_NOT, TYPE_I32, t, 5, a, NULL, VALUES(0, 0, 1, 1, 0));
	}
	expect_map(FN_OR, TYPE_I32, TYPE_I8, 3, VALUES(0, 0, -1), VALUES(0, 5, 0), VALUES(0, 1, 1));
}

/* The width of a function is that of its node: an f32 result is libm's float result. */
Test(interpret, floats_are_rounded_to_their_nodes_type)
{
	const double third = 1.0 / 3, x[] = {0.1f, 0.7f, 1.3f};
	expect_map(FN_DIV, TYPE_F32, TYPE_F32, 1, VALUES(1), VALUES(3), VALUES((float)third));
	expect_map(FN_DIV, TYPE_F64, TYPE_F64, 1, VALUES(1), VALUES(3), VALUES(third));
	expect_map(FN_EXP, TYPE_F32, TYPE_F32, 3, x, NULL,
		   VALUES(expf(0.1f), expf(0.7f), expf(1.3f)));
	expect_map(FN_EXP, TYPE_F64, TYPE_F64, 1, VALUES(0.1), NULL, VALUES(exp(0.1)));
	expect_map(FN_LOG, TYPE_F32, TYPE_F32, 2, VALUES(0, -1), NULL, VALUES(-INFINITY, NAN));
	expect_map(FN_TANH, TYPE_F32, TYPE_F32, 1, x, NULL, VALUES(tanhf(0.1f)));
	expect_map(FN_ERF, TYPE_F32, TYPE_F32, 1, x, NULL, VALUES(erff(0.1f)));
	expect_map(FN_SIN, TYPE_F32, TYPE_F32, 1, x, NULL, VALUES(sinf(0.1f)));
	expect_map(FN_COS, TYPE_F32, TYPE_F32, 1, x, NULL, VALUES(cosf(0.1f)));
	expect_map(FN_POW, TYPE_F32, TYPE_F32, 1, x, VALUES(2.5), VALUES(powf(0.1f, 2.5f)));
	expect_map(FN_SQRT, TYPE_F32, TYPE_I32, 1, VALUES(2), NULL, VALUES(sqrtf(2)));
	expect_map(FN_ROUND, TYPE_F32, TYPE_F32, 4, VALUES(0.5, 1.5, 2.5, -0.5), NULL,
		   VALUES(0, 2, 2, -0.0));
	expect_map(FN_FLOOR, TYPE_F64, TYPE_F64, 2, VALUES(-0.5, 1.5), NULL, VALUES(-1, 1));
	expect_map(FN_CEIL, TYPE_F64, TYPE_F64, 2, VALUES(-0.5, 1.5), NULL, VALUES(-0.0, 2));
	expect_map(FN_ADD, TYPE_F32, TYPE_I32, 1, VALUES(16777217), VALUES(1), VALUES(16777216));
}

/* out[i] = x[i] <= 1 ? 10 : i, and the positions are those of the nest. */
Test(interpret, select_and_positions)
{
	enum { COUNT = 600 };
	struct network *net = fixture("select");
	struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 2, 2, COUNT / 2);
	struct tensor *out = tensor(net, "out", TYPE_F64, ROLE_LOCAL, 2, 2, COUNT / 2);
	struct statement *s = statement(net, REDUCE_NONE, 2, 2, 2, COUNT / 2);
	struct scalar *sum = apply(net, FN_ADD, TYPE_I32, position(net, TYPE_I32, 0),
				   position(net, TYPE_I32, 1), NULL);
	struct scalar *is_small =
		apply(net, FN_LE, TYPE_I32,
		      read_of(net, ACCESS(net, x, SUB(0, [0] = 1), SUB(0, [1] = 1))),
		      constant(net, TYPE_I32, 1), NULL);
	s->target = ACCESS(net, out, SUB(0, [0] = 1), SUB(0, [1] = 1));
	s->value = apply(net, FN_SELECT, TYPE_F64, is_small, constant(net, TYPE_F32, 0.1), sum);
	output(net, out);
	double values[COUNT], wanted[COUNT];
	for (int i = 0; i < COUNT; i++) {
		values[i] = i % 3 ? i : NAN;
		wanted[i] = i == 1 ? (double)0.1f : i / (COUNT / 2) + i % (COUNT / 2);
	}
	expect(net, run(net, array_of(x, values), NULL), COUNT, wanted);
}

/* A condition is true when it is not zero, in its own type: a half is not rounded away. */
Test(interpret, select_looks_at_its_condition_unrounded)
{
	struct network *net = fixture("condition");
	struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 1, 4);
	struct tensor *out = tensor(net, "out", TYPE_I32, ROLE_LOCAL, 1, 4);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 4);
	s->target = ACCESS(net, out, SUB(0, [0] = 1));
	s->value = apply(net, FN_SELECT, TYPE_I32, read_of(net, ACCESS(net, x, SUB(0, [0] = 1))),
			 constant(net, TYPE_I8, 7), constant(net, TYPE_I32, 8));
	output(net, out);
	struct array *result = run(net, array_of(x, VALUES(0.25, -0.0, NAN, 1e-40)), NULL);
	expect(net, result, 4, VALUES(7, 8, 7, 7));
}

Test(interpret, uniform_depends_on_the_position_alone)
{
	struct network *net = fixture("uniform");
	struct tensor *out = tensor(net, "out", TYPE_F32, ROLE_LOCAL, 1, 300);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 300);
	s->target = ACCESS(net, out, SUB(299, [0] = -1));
	s->value = apply(net, FN_UNIFORM, TYPE_F32, position(net, TYPE_I32, 0), NULL, NULL);
	output(net, out);
	double wanted[300];
	for (int i = 0; i < 300; i++)
		wanted[299 - i] = random_uniform(0, 0, (uint64_t)i);
	expect(net, run(net, NULL, NULL), 300, wanted);
}

/* ---- Stores, views, scalars ------------------------------------------------------------------ */

/* out = x, from one type to another. */
static void expect_store(enum type to, enum type from, int count, const double x[],
			 const double wanted[])
{
	struct network *net = fixture(type_info(to)->name);
	struct tensor *a = tensor(net, "x", from, ROLE_INPUT, 1, count);
	struct tensor *out = tensor(net, "out", to, ROLE_LOCAL, 1, count);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, count);
	s->target = ACCESS(net, out, SUB(0, [0] = 1));
	s->value = read_of(net, ACCESS(net, a, SUB(0, [0] = 1)));
	output(net, out);
	expect(net, run(net, array_of(a, x), NULL), count, wanted);
}

Test(interpret, stores_round_to_even_and_saturate)
{
	expect_store(TYPE_I8, TYPE_F32, 7, VALUES(0.5, 1.5, -2.5, 127.5, -1e9, NAN, INFINITY),
		     VALUES(0, 2, -2, 127, -128, 0, 127));
	expect_store(TYPE_I8, TYPE_I32, 3, VALUES(128, -129, 5), VALUES(127, -128, 5));
	expect_store(TYPE_I16, TYPE_I64, 2, VALUES(0x1p40, -0x1p40), VALUES(32767, -32768));
	expect_store(TYPE_I32, TYPE_F64, 3, VALUES(2147483646.5, 2147483647.5, -0x1p63),
		     VALUES(2147483646, 2147483647, INT32_MIN));
	expect_store(TYPE_I64, TYPE_F64, 2, VALUES(0x1p63, -0x1p64), VALUES(0x1p63, -0x1p63));
	expect_store(TYPE_F32, TYPE_F64, 3, VALUES(0.1, 1e300, NAN),
		     VALUES((double)0.1f, INFINITY, NAN));
	expect_store(TYPE_F32, TYPE_I32, 1, VALUES(16777219), VALUES(16777220));
	expect_store(TYPE_F64, TYPE_I8, 1, VALUES(-128), VALUES(-128));
}

/* x[2, 3] is written, read as a view of 6, and put out as a view of [3, 2]. */
Test(interpret, views_are_the_same_elements)
{
	struct network *net = fixture("view");
	struct tensor *x = tensor(net, "x", TYPE_I16, ROLE_INPUT, 2, 2, 3);
	struct tensor *flat_x = tensor(net, "flat_x", TYPE_I16, ROLE_LOCAL, 1, 6);
	struct tensor *y = tensor(net, "y", TYPE_I16, ROLE_LOCAL, 1, 6);
	struct tensor *tall_y = tensor(net, "tall_y", TYPE_I16, ROLE_LOCAL, 2, 3, 2);
	flat_x->view_of = x;
	tall_y->view_of = y;
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 6);
	s->target = ACCESS(net, y, SUB(5, [0] = -1));
	s->value = read_of(net, ACCESS(net, flat_x, SUB(0, [0] = 1)));
	output(net, tall_y);
	struct array *result = run(net, array_of(x, VALUES(1, 2, 3, 4, 5, 6)), NULL);
	cr_expect_eq(result->rank, 2, "rank %d", result->rank);
	cr_expect_eq(result->extent[0], 3, "%lld rows", (long long)result->extent[0]);
	expect(net, result, 6, VALUES(6, 5, 4, 3, 2, 1));
}

/* out[i + 2*j] of a 3 x 2 nest: an inside that other loops reach too, partial `=` leaves the
 * rest. */
Test(interpret, a_partial_store_leaves_the_rest)
{
	struct network *net = fixture("concat");
	struct tensor *x = tensor(net, "x", TYPE_I8, ROLE_INPUT, 1, 2);
	struct tensor *out = tensor(net, "out", TYPE_I8, ROLE_LOCAL, 1, 5);
	fill(net, out, 9);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 2);
	s->target = ACCESS(net, out, SUB(1, [0] = 2));
	s->value = read_of(net, ACCESS(net, x, SUB(0, [0] = 1)));
	output(net, out);
	expect(net, run(net, array_of(x, VALUES(1, 2)), NULL), 5, VALUES(9, 1, 9, 2, 9));
}

/* ---- Blocks against points ------------------------------------------------------------------- */

/* A number below `limit`, the next of a fixed sequence. */
static int draw(uint64_t *counter, int limit)
{
	uint32_t words[4];
	random_words(3, 5, (*counter)++, words);
	return (int)(words[0] % (uint32_t)limit);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return (int64_t)floor((double)a / (double)b);
}

/* Reads x at the loops' values, subscript by subscript. */
static double read_point(const struct access *a, const struct array *x, const int64_t index[])
{
	int64_t element = 0;
	for (int dim = 0; dim < a->tensor->rank; dim++) {
		const struct subscript *sub = &a->subscript[dim];
		int64_t at = sub->offset, extent = a->tensor->extent[dim];
		for (int i = 0; i < MAX_LOOPS; i++)
			at += sub->coef[i] * index[i];
		at = floor_divide(at, sub->divisor);
		bool is_outside = at < 0 || at >= extent;
		if (is_outside && a->outside == OUTSIDE_VALUE)
			return a->value;
		element = element * extent + (at < 0 ? 0 : at >= extent ? extent - 1 : at);
	}
	return array_get(x, element);
}

/* out[i, j] = the f64 sum over the other loops of a read with drawn subscripts, summed here
 * point by point. */
static void check_drawn(uint64_t *counter)
{
	static const int extents[] = {1, 2, 3, 5, 17, 300};
	int loops = 2 + draw(counter, 4), points = 1, extent[5] = {1, 1, 1, 1, 1};
	for (int i = 0; i < loops; i++) {
		int drawn = extents[draw(counter, 6)];
		extent[i] = points * drawn < 20000 ? drawn : 1;
		points *= extent[i];
	}
	struct network *net = fixture("drawn");
	struct tensor *x = tensor(net, "x", TYPE_F64, ROLE_INPUT, 3, 4, 5, 6);
	struct tensor *out = tensor(net, "out", TYPE_F64, ROLE_LOCAL, 2, extent[0], extent[1]);
	fill(net, out, 0);
	struct statement *s = statement(net, REDUCE_SUM, 5, 2, extent[0], extent[1], extent[2],
					extent[3], extent[4]);
	s->loops = loops;
	struct access a = ACCESS(net, x, SUB(0), SUB(0), SUB(0));
	for (int dim = 0; dim < 3; dim++) {
		struct subscript *sub = &a.subscript[dim];
		for (int i = 0; i < loops; i++)
			sub->coef[i] = draw(counter, 3) ? 0 : draw(counter, 5) - 2;
		sub->offset = draw(counter, 9) - 2;
		sub->divisor = draw(counter, 4) ? 1 : 2 + draw(counter, 3);
	}
	a = outside(a, draw(counter, 2) ? OUTSIDE_CLAMP : OUTSIDE_VALUE, 1e9);
	s->target = ACCESS(net, out, SUB(0, [0] = 1), SUB(0, [1] = 1));
	s->value = read_of(net, a);
	output(net, out);

	struct array *input = array_new(TYPE_F64, 3, x->extent);
	for (int i = 0; i < 120; i++)
		array_set(input, i, 1.0 / (1 + i));
	double *wanted = calloc((size_t)tensor_count(out), sizeof(double));
	for (int point = 0; point < points; point++) {
		int64_t index[MAX_LOOPS] = {0}, rest = point;
		for (int i = loops - 1; i >= 0; i--) {
			index[i] = rest % s->loop[i].extent;
			rest /= s->loop[i].extent;
		}
		wanted[index[0] * out->extent[1] + index[1]] += read_point(&a, input, index);
	}
	expect(net, run(net, input, NULL), tensor_count(out), wanted);
	free(wanted);
}

Test(interpret, blocks_give_what_single_points_give)
{
	uint64_t counter = 0;
	for (int i = 0; i < 400; i++)
		check_drawn(&counter);
}

/* ---- What is refused ------------------------------------------------------------------------- */

Test(interpret, wrong_inputs_and_networks_are_sentences)
{
	struct network *net = fixture("refused");
	struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 1, 2);
	struct tensor *w = tensor(net, "w", TYPE_F32, ROLE_PARAM, 1, 2);
	struct tensor *out = tensor(net, "out", TYPE_F32, ROLE_LOCAL, 1, 2);
	struct statement *s = statement(net, REDUCE_NONE, 1, 1, 2);
	s->target = ACCESS(net, out, SUB(0, [0] = 1));
	s->value = read_of(net, ACCESS(net, w, SUB(0, [0] = 1)));
	output(net, out);
	struct array *input[] = {array_of(x, VALUES(1, 2))}, *result;
	char *error = interpret(net, input, &result);
	cr_assert_not_null(error, "ran without values for w");
	cr_expect_str_eq(error, "parameter w has no values", "%s", error);
	free(error);
	input[0]->type = TYPE_I32;
	error = interpret(net, input, &result);
	cr_assert_not_null(error, "took integers for floats");
	cr_expect_str_eq(error, "input x has not the type and shape it needs", "%s", error);
	free(error);
	s->loop[0].extent = 3;
	error = interpret(net, input, &result);
	cr_assert_not_null(error, "ran a network that reads outside");
	cr_expect(strstr(error, "reaches 0 .. 2 but the extent is 2"), "%s", error);
	free(error);
	cr_expect_null(result, "left a result");
	array_free(input[0]);
	fixture_free(net);
}
