/* network_test.c -- what network.h promises: counts, ranges, first weights, the printed form, and a
 * checker that notices each broken promise. */
#include "network_fixture.h"

#include <criterion/criterion.h>
#include <math.h>

/* image[4, 4] convolved with w[2, 3, 3] under relu, put out flat. */
struct example {
	struct network *net;
	struct tensor *image, *w, *sum, *out, *flat;
	struct statement *zero, *conv, *relu;
};

static struct example example(void)
{
	struct example e = {.net = fixture("example")};
	struct network *net = e.net;
	e.image = tensor(net, "image", TYPE_F32, ROLE_INPUT, 2, 4, 4);
	e.w = tensor(net, "c1.W", TYPE_F32, ROLE_PARAM, 3, 2, 3, 3);
	e.sum = tensor(net, "c1.O", TYPE_F32, ROLE_LOCAL, 3, 2, 4, 4);
	e.out = tensor(net, "c1", TYPE_F32, ROLE_LOCAL, 3, 2, 4, 4);
	e.flat = tensor(net, "flat", TYPE_F32, ROLE_LOCAL, 1, 32);
	e.flat->view_of = e.out;
	e.zero = fill(net, e.sum, 0);
	e.conv = statement(net, REDUCE_SUM, 5, 3, 2, 4, 4, 3, 3);
	e.conv->target = ACCESS(net, e.sum, SUB(0, [0] = 1), SUB(0, [1] = 1), SUB(0, [2] = 1));
	e.conv->value = apply(
		net, FN_MUL, TYPE_F32,
		read_of(net, outside(ACCESS(net, e.image, SUB(-1, [1] = 1, [3] = 1),
					    SUB(-1, [2] = 1, [4] = 1)),
				     OUTSIDE_VALUE, 0)),
		read_of(net, ACCESS(net, e.w, SUB(0, [0] = 1), SUB(0, [3] = 1), SUB(0, [4] = 1))),
		NULL);
	e.relu = statement(net, REDUCE_NONE, 3, 3, 2, 4, 4);
	e.relu->target = ACCESS(net, e.out, SUB(0, [0] = 1), SUB(0, [1] = 1), SUB(0, [2] = 1));
	e.relu->value = apply(
		net, FN_MAX, TYPE_F32,
		read_of(net, ACCESS(net, e.sum, SUB(0, [0] = 1), SUB(0, [1] = 1), SUB(0, [2] = 1))),
		constant(net, TYPE_F32, 0), NULL);
	output(net, e.flat);
	return e;
}

/* ---- Counts and ranges ----------------------------------------------------------------------- */

Test(network, counts_points_macs_and_elements)
{
	struct example e = example();
	cr_expect_eq(statement_points(e.conv), 2 * 4 * 4 * 3 * 3, "points of the convolution");
	cr_expect_eq(statement_macs(e.conv), 2 * 4 * 4 * 3 * 3, "MACs of the convolution");
	cr_expect_eq(statement_macs(e.relu), 0, "a maximum has no MACs");
	cr_expect_eq(tensor_count(e.sum), 32, "elements of the sum");
	e.conv->value->arg[1] = e.conv->value->arg[0];
	cr_expect_eq(statement_macs(e.conv), 0,
		     "a square is no multiply-accumulate of two tensors");
	for (int i = 0; i < 5; i++)
		e.conv->loop[i].extent = INT64_C(1) << 16;
	cr_expect_eq(statement_points(e.conv), INT64_MAX, "a product of 2^80 stops at the end");
	fixture_free(e.net);
}

Test(network, ranges_of_subscripts)
{
	static const struct {
		int64_t a, b, offset, divisor, least, greatest;
	} rows[] = {
		/* a * i + b * j + offset, i in 0 .. 4, j in 0 .. 6 */
		{1, 0, 0, 1, 0, 3},
		{1, 1, -1, 1, -1, 7},
		{2, -3, 0, 1, -15, 6},
		{1, 0, -3, 2, -2, 0},
		{0, -1, 0, 3, -2, 0},
		{INT64_MAX, 0, 0, 1, 0, INT64_MAX},
		{0, INT64_MIN, -5, 1, INT64_MIN, -5},
		{0, 0, INT64_MIN, 2, INT64_MIN / 2, INT64_MIN / 2},
	};
	struct network *net = fixture("ranges");
	struct statement *s = statement(net, REDUCE_NONE, 2, 2, 4, 6);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct subscript sub =
			SUB_DIV(rows[i].divisor, rows[i].offset, rows[i].a, rows[i].b);
		int64_t least, greatest;
		subscript_range(s, &sub, &least, &greatest);
		cr_expect(least == rows[i].least && greatest == rows[i].greatest,
			  "row %zu: %lld .. %lld", i, (long long)least, (long long)greatest);
	}
	fixture_free(net);
}

Test(network, every_function_has_a_row)
{
	cr_expect_str_eq(scalar_fn_info(FN_MUL)->name, "*", "the name of MUL");
	cr_expect_eq(scalar_fn_info(FN_SELECT)->arity, 3, "the operands of select");
	cr_expect(scalar_fn_info(FN_LE)->is_comparison, "<= is a comparison");
	cr_expect(scalar_fn_info(FN_EXP)->is_float, "exp is computed in floats");
	cr_expect_not(scalar_fn_info(FN_ADD)->is_float, "+ is computed in integers too");
}

/* ---- First weights --------------------------------------------------------------------------- */

static struct array *weights(const char *name, struct init init, enum type type, uint64_t seed)
{
	struct network *net = fixture("weights");
	struct tensor *other = tensor(net, "other", TYPE_F32, ROLE_PARAM, 1, 5);
	struct tensor *w = tensor(net, name, type, ROLE_PARAM, 4, 32, 8, 3, 5);
	w->init = init;
	cr_assert(network_initialise(net, seed), "no memory");
	cr_assert_not_null(other->data, "a parameter was left without data");
	struct array *data = w->data;
	w->data = NULL;
	fixture_free(net);
	return data;
}

static double moment(const struct array *a, int power)
{
	double sum = 0;
	for (int64_t i = 0; i < array_count(a); i++)
		sum += pow(array_get(a, i), power);
	return sum / (double)array_count(a);
}

static double greatest(const struct array *a)
{
	double most = 0;
	for (int64_t i = 0; i < array_count(a); i++)
		most = fmax(most, fabs(array_get(a, i)));
	return most;
}

/* 3840 elements, fan in 8 * 15, fan out 32 * 15: moments within four standard errors. */
Test(network, he_and_glorot_have_their_variance)
{
	const double count = 32 * 8 * 15, he = 2.0 / 120, glorot = 2.0 / (120 + 480);
	struct array *a = weights("w", (struct init){INIT_HE, 0}, TYPE_F32, 1);
	cr_expect_float_eq(moment(a, 1), 0, 4 * sqrt(he / count), "mean %g", moment(a, 1));
	cr_expect_float_eq(moment(a, 2), he, 4 * he * sqrt(2 / count), "variance %g", moment(a, 2));
	cr_expect_gt(greatest(a), 3 * sqrt(he), "a normal reaches beyond three deviations");
	array_free(a);

	a = weights("w", (struct init){INIT_GLOROT, 0}, TYPE_F32, 1);
	cr_expect_float_eq(moment(a, 1), 0, 4 * sqrt(glorot / count), "mean %g", moment(a, 1));
	cr_expect_float_eq(moment(a, 2), glorot, 4 * glorot * sqrt(0.8 / count), "variance %g",
			   moment(a, 2));
	cr_expect_leq(greatest(a), sqrt(6.0 / 600), "outside the bound");
	array_free(a);

	a = weights("w", (struct init){INIT_UNIFORM, 100}, TYPE_I8, 1);
	cr_expect_float_eq(moment(a, 1), 0, 4 * 100 / sqrt(3 * count), "mean %g", moment(a, 1));
	cr_expect(greatest(a) > 95 && greatest(a) <= 100, "uniform in 100 reaches %g", greatest(a));
	array_free(a);

	a = weights("w", (struct init){INIT_CONSTANT, 0.25}, TYPE_F64, 1);
	cr_expect(moment(a, 1) == 0.25 && greatest(a) == 0.25, "constant 0.25");
	array_free(a);
}

Test(network, first_weights_depend_on_seed_and_name_alone)
{
	const struct init he = {INIT_HE, 0};
	struct array *a = weights("w", he, TYPE_F32, 1), *again = weights("w", he, TYPE_F32, 1);
	struct array *name = weights("v", he, TYPE_F32, 1), *seed = weights("w", he, TYPE_F32, 2);
	size_t bytes = (size_t)array_bytes(a);
	cr_expect_eq(memcmp(a->data, again->data, bytes), 0, "the same seed and name differ");
	cr_expect_neq(memcmp(a->data, name->data, bytes), 0, "another name is the same");
	cr_expect_neq(memcmp(a->data, seed->data, bytes), 0, "another seed is the same");
	array_free(a);
	array_free(again);
	array_free(name);
	array_free(seed);
}

Test(network, given_weights_are_kept)
{
	struct example e = example();
	e.w->data = array_new(TYPE_F32, 3, e.w->extent);
	array_set(e.w->data, 3, 42);
	cr_assert(network_initialise(e.net, 1), "no memory");
	cr_expect_eq(array_get(e.w->data, 3), 42, "loaded weights were drawn again");
	cr_expect_null(e.image->data, "an input was given weights");
	fixture_free(e.net);
}

/* ---- The printed form ------------------------------------------------------------------------ */

static void expect_text(const struct network *net, const char *wanted)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	cr_assert_not_null(out, "no memory");
	network_print(net, out);
	fclose(out);
	cr_expect_str_eq(text, wanted, "printed:\n%s\nwanted:\n%s", text, wanted);
	free(text);
}

Test(network, prints_as_a_person_would_write)
{
	struct example e = example();
	expect_text(e.net,
		    "network example(image) -> (flat: flat)\n"
		    "\n"
		    "input image: f32[a 4, b 4]\n"
		    "param c1.W: f32[a 2, b 3, c 3] = he()\n"
		    "local c1.O: f32[a 2, b 4, c 4]\n"
		    "local c1: f32[a 2, b 4, c 4]\n"
		    "view flat: f32[a 32] of c1, output\n"
		    "\n"
		    "layer: for a in 2, b in 4, c in 4:\n"
		    "    c1.O[a, b, c] = 0\n"
		    "\n"
		    "layer: for i in 2, j in 4, k in 4, l in 3, m in 3:\n"
		    "    c1.O[i, j, k] += image[j + l - 1, k + m - 1] else 0 * c1.W[i, l, m]\n"
		    "\n"
		    "layer: for i in 2, j in 4, k in 4:\n"
		    "    c1[i, j, k] = max(c1.O[i, j, k], 0)\n");
	fixture_free(e.net);
}

Test(network, prints_brackets_where_grouping_needs_them)
{
	struct network *net = fixture("brackets");
	struct tensor *t = tensor(net, "t", TYPE_F32, ROLE_STATE, 0);
	struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 1, 9);
	struct tensor *y = tensor(net, "y", TYPE_F32, ROLE_LOCAL, 1, 9);
	t->init = (struct init){INIT_UNIFORM, 0.1};
	const enum type f32 = TYPE_F32, i32 = TYPE_I32;
	struct scalar *c = constant(net, f32, 0.1), *p = position(net, i32, 0);
	struct scalar *r = read_of(net, SCALAR_ACCESS(net, t));
	struct scalar *difference = apply(net, FN_SUB, f32, c, r, NULL);
	struct scalar *less = apply(net, FN_LT, i32, difference, p, NULL);
	struct scalar *negative = apply(net, FN_NEG, f32, difference, NULL, NULL);
	struct scalar *values[] = {
		apply(net, FN_SUB, f32, c, difference, NULL),
		apply(net, FN_SUB, f32, difference, c, NULL),
		apply(net, FN_MUL, f32, difference, negative, NULL),
		apply(net, FN_SELECT, f32, less, difference,
		      apply(net, FN_EXP, f32, c, NULL, NULL)),
		apply(net, FN_NOT, i32, apply(net, FN_AND, i32, less, p, NULL), NULL, NULL),
		apply(net, FN_EQ, i32, less, constant(net, f32, -INFINITY), NULL),
	};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct statement *s = statement(net, REDUCE_MAX, 1, 1, 9);
		s->target = outside(ACCESS(net, y, SUB_DIV(4, -1, [0] = -2)), OUTSIDE_DROP, 0);
		s->value = values[i];
	}
	struct statement *s = statement(net, REDUCE_NONE, 0, 0);
	s->target = ACCESS(net, y, SUB(0));
	s->value = read_of(net, outside(ACCESS(net, x, SUB(-3)), OUTSIDE_CLAMP, 0));
	expect_text(
		net,
		"network brackets(x) -> ()\n"
		"\n"
		"state t: f32[] = uniform(0.1)\n"
		"input x: f32[a 9]\n"
		"local y: f32[a 9]\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= 0.1 - (0.1 - t[])\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= 0.1 - t[] - 0.1\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= (0.1 - t[]) * -(0.1 - t[])\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= 0.1 - t[] < i ? 0.1 - t[] : exp(0.1)\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= not (0.1 - t[] < i and i)\n"
		"\n"
		"layer: for i in 9:\n"
		"    y[floor((-2*i - 1) / 4)] else drop max= (0.1 - t[] < i) == -infinity\n"
		"\n"
		"layer:\n"
		"    y[0] = x[-3] else clamp\n");
	fixture_free(net);
}

/* ---- The checker ----------------------------------------------------------------------------- */

Test(network, check_accepts_the_example)
{
	struct example e = example();
	const char *broken = network_check(e.net);
	cr_expect_null(broken, "%s", broken);
	fixture_free(e.net);
}

static void duplicate_name(struct example *e)
{
	e->sum->name = "c1";
}
static void wrong_id(struct example *e)
{
	e->w->id = 0;
}
static void no_extent(struct example *e)
{
	e->w->extent[1] = 0;
}
static void too_many_elements(struct example *e)
{
	e->image->extent[0] = e->image->extent[1] = INT64_C(1) << 32;
}
static void rank_too_high(struct example *e)
{
	e->image->rank = MAX_RANK + 1;
}
static void invalid_type(struct example *e)
{
	e->w->type = TYPE_COUNT;
}
static void view_of_view(struct example *e)
{
	e->out->view_of = e->sum;
}
static void view_of_other_count(struct example *e)
{
	e->flat->extent[0] = 33;
}
static void view_of_other_type(struct example *e)
{
	e->flat->type = TYPE_I32;
}
static void data_of_other_shape(struct example *e)
{
	e->w->data = array_new(TYPE_F32, 1, (int64_t[]){18});
}
static void local_with_data(struct example *e)
{
	e->sum->data = array_new(TYPE_F32, 3, e->sum->extent);
}
static void constant_without_data(struct example *e)
{
	e->w->role = ROLE_CONSTANT;
}
static void input_not_listed(struct example *e)
{
	e->net->input_count = 0;
}
static void output_not_marked(struct example *e)
{
	e->flat->is_output = false;
}
static void output_never_written(struct example *e)
{
	e->net->statement_count = 2;
}
static void too_many_loops(struct example *e)
{
	e->conv->loops = MAX_LOOPS + 1;
}
static void empty_loop(struct example *e)
{
	e->conv->loop[4].extent = 0;
}
static void too_many_points(struct example *e)
{
	struct statement *s = statement(e->net, REDUCE_SUM, 5, 0);
	for (int i = 0; i < 5; i++)
		s->loop[i] = (struct loop){"z", INT64_C(1) << 13};
	struct tensor *t = tensor(e->net, "t", TYPE_F32, ROLE_LOCAL, 0);
	s->target = SCALAR_ACCESS(e->net, t);
	s->value = constant(e->net, TYPE_F32, 1);
}
static void read_outside(struct example *e)
{
	e->conv->value->arg[0]->access->outside = OUTSIDE_ERROR;
}
static void read_below(struct example *e)
{
	e->conv->value->arg[1]->access->subscript[1].offset = -1;
}
static void read_dropped(struct example *e)
{
	e->conv->value->arg[0]->access->outside = OUTSIDE_DROP;
}
static void target_outside(struct example *e)
{
	e->conv->target.subscript[2].coef[2] = 2;
}
static void target_clamped(struct example *e)
{
	e->conv->target.outside = OUTSIDE_CLAMP;
}
static void target_by_reduction_loop(struct example *e)
{
	e->conv->outer = 2;
}
static void outer_loop_not_in_target(struct example *e)
{
	e->conv->outer = 4;
}
static void target_is_view(struct example *e)
{
	e->relu->target = ACCESS(e->net, e->flat, SUB(0, [0] = 16, [1] = 4, [2] = 1));
}
static void target_is_param(struct example *e)
{
	e->relu->target.tensor->role = ROLE_PARAM;
}
static void huge_subscript(struct example *e)
{
	e->conv->value->arg[0]->access->subscript[0].coef[0] = INT64_MAX;
}
static void huge_negative_subscript(struct example *e)
{
	e->conv->value->arg[0]->access->subscript[0].coef[0] = INT64_MIN;
}
static void zero_divisor(struct example *e)
{
	e->conv->value->arg[0]->access->subscript[0].divisor = 0;
}
static void no_subscripts(struct example *e)
{
	e->conv->value->arg[0]->access->subscript = NULL;
}
static void stores_twice(struct example *e)
{
	e->relu->target.subscript[1].coef[2] = 1;
	e->relu->target.subscript[2].coef[1] = 1;
	e->relu->target.outside = OUTSIDE_DROP;
}
static void stores_reduction(struct example *e)
{
	e->conv->reduce = REDUCE_NONE;
}
static void stores_divided(struct example *e)
{
	e->relu->target.subscript[2].divisor = 2;
}
static void not_initialised(struct example *e)
{
	e->net->statement[0] = e->conv;
	e->net->statement[1] = e->relu;
	e->conv->id = 0;
	e->relu->id = 1;
	e->net->statement_count = 2;
}
static void partly_initialised(struct example *e)
{
	e->zero->loop[1].extent = 3;
}
static void read_before_written(struct example *e)
{
	e->conv->value->arg[1] = read_of(e->net, ACCESS(e->net, e->flat, SUB(0, [3] = 3, [4] = 1)));
}
static void reads_what_it_writes(struct example *e)
{
	e->conv->value->arg[1] = read_of(
		e->net, ACCESS(e->net, e->sum, SUB(0, [0] = 1), SUB(0, [3] = 1), SUB(0, [4] = 1)));
}
static void reads_other_type(struct example *e)
{
	e->conv->value->arg[1]->type = TYPE_F64;
}
static void narrow_arithmetic(struct example *e)
{
	e->conv->value->type = TYPE_I8;
}
static void integer_of_floats(struct example *e)
{
	e->conv->value->type = TYPE_I32;
}
static void comparison_in_floats(struct example *e)
{
	e->relu->value->fn = FN_LT;
}
static void exp_in_integers(struct example *e)
{
	e->relu->value = apply(e->net, FN_EXP, TYPE_I32, constant(e->net, TYPE_I32, 0), NULL, NULL);
}
static void missing_operand(struct example *e)
{
	e->relu->value->arg[1] = NULL;
}
static void unknown_loop(struct example *e)
{
	e->relu->value = position(e->net, TYPE_I32, 3);
}

static const struct {
	void (*breaks)(struct example *);
	const char *says;
} promises[] = {
	{duplicate_name, "two tensors have the name c1"},
	{wrong_id, "tensor 1 has no name or layer, or not its own position"},
	{no_extent, "tensor c1.W has a bad rank or extent"},
	{too_many_elements, "tensor image has a bad rank or extent, or too many elements"},
	{rank_too_high, "tensor image has a bad rank"},
	{invalid_type, "tensor c1.W has no valid type"},
	{view_of_view, "is a view of no tensor of the network, or of a view"},
	{view_of_other_count, "tensor flat is a view of c1 but differs"},
	{view_of_other_type, "tensor flat is a view of c1 but differs"},
	{data_of_other_shape, "the data of tensor c1.W has another type or shape"},
	{local_with_data, "tensor c1.O has data but is no parameter"},
	{constant_without_data, "constant c1.W has no data"},
	{input_not_listed, "1 tensors are inputs but 0 are listed"},
	{output_not_marked, "output 0 is no output tensor"},
	{output_never_written, "output flat is never written"},
	{too_many_loops, "statement 1 (layer): has 17 loops"},
	{empty_loop, "loop 4 has no name or an extent below 1"},
	{too_many_points, "has more points than 64 bits can count"},
	{read_outside, "subscript 0 of image reaches -1 .. 4 but the extent is 4"},
	{read_below, "subscript 1 of c1.W reaches -1 .. 1 but the extent is 3"},
	{read_dropped, "a read of image has no rule for outside"},
	{target_outside, "subscript 2 of c1.O reaches 0 .. 6 but the extent is 4"},
	{target_clamped, "the target c1.O has no rule for outside"},
	{target_by_reduction_loop, "loop k does not stand on its side of the first 2"},
	{outer_loop_not_in_target, "loop l does not stand on its side of the first 4"},
	{target_is_view, "writes flat, which is a view"},
	{target_is_param, "writes c1, which is a view or no local tensor"},
	{huge_subscript, "subscript 0 of image does not fit"},
	{huge_negative_subscript, "subscript 0 of image does not fit"},
	{zero_divisor, "a subscript of image divides by 0"},
	{no_subscripts, "an access of image lacks subscripts"},
	{stores_twice, "`=` may write an element of c1 twice"},
	{stores_reduction, "`=` may write an element of c1.O twice"},
	{stores_divided, "`=` may write an element of c1 twice"},
	{not_initialised, "the first writes to c1.O do not give every element a value"},
	{partly_initialised, "the first writes to c1.O do not give every element a value"},
	{read_before_written, "reads flat before all its elements are written"},
	{reads_what_it_writes, "reads c1.O, which it writes"},
	{reads_other_type, "a read of c1.W has another type"},
	{narrow_arithmetic, "* is computed in i8"},
	{integer_of_floats, "* in i32 has an operand in f32"},
	{comparison_in_floats, "< gives f32, not i32"},
	{exp_in_integers, "exp is computed in i32"},
	{missing_operand, "an expression is missing"},
	{unknown_loop, "an expression uses loop 3 of 3"},
};

Test(network, check_notices_each_broken_promise)
{
	for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
		struct example e = example();
		promises[i].breaks(&e);
		const char *broken = network_check(e.net);
		cr_expect(broken && strstr(broken, promises[i].says), "wanted \"%s\", got \"%s\"",
			  promises[i].says, broken ? broken : "nothing");
		fixture_free(e.net);
	}
}

/* Targets that are proven to meet every element once, though their loops do not stand alone. */
Test(network, check_proves_stores_injective)
{
	static const struct {
		int extent[3], shape[2];
		int64_t coef[2][3], offset[2];
	} rows[] = {
		{{3, 2, 2}, {6, 2}, {{2, 1, 0}, {0, 0, 1}}, {0, 0}},   /* depth to space */
		{{2, 3, 4}, {1, 24}, {{0, 0, 0}, {12, 4, 1}}, {0, 0}}, /* flatten */
		{{3, 4, 1}, {3, 4}, {{-1, 0, 0}, {0, -1, 0}}, {2, 3}}, /* flipped */
		{{2, 2, 3}, {2, 6}, {{1, 0, 0}, {0, -1, 2}}, {0, 1}},  /* interleaved backwards */
		{{4, 1, 3},
		 {4, 3},
		 {{1, 5, 0}, {0, 9, 1}},
		 {0, 0}}, /* a loop of one may stand anywhere */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct network *net = fixture("injective");
		struct tensor *t = tensor(net, "t", TYPE_F32, ROLE_LOCAL, 2, rows[i].shape[0],
					  rows[i].shape[1]);
		const int *extent = rows[i].extent;
		struct statement *s =
			statement(net, REDUCE_NONE, 3, 3, extent[0], extent[1], extent[2]);
		s->target = ACCESS(net, t, SUB(rows[i].offset[0]), SUB(rows[i].offset[1]));
		for (int dim = 0; dim < 2; dim++)
			memcpy(s->target.subscript[dim].coef, rows[i].coef[dim],
			       sizeof rows[i].coef[dim]);
		s->value = constant(net, TYPE_F32, 1);
		output(net, t);
		const char *broken = network_check(net);
		cr_expect_null(broken, "row %zu: %s", i, broken);
		fixture_free(net);
	}
}

/* Three stores of rows of t[4, 3], the first rows 0 and 1: written whole when they tile it. */
Test(network, check_accepts_boxes_that_tile_a_tensor)
{
	static const struct {
		int row[2];
		const char *says;
	} rows[] = {
		{{2, 3}, NULL},
		{{3, 2}, NULL},
		{{2, 2}, "the first writes to t do not give every element a value"},
		{{1, 3}, "the first writes to t do not give every element a value"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct network *net = fixture("tiles");
		struct tensor *t = tensor(net, "t", TYPE_F32, ROLE_LOCAL, 2, 4, 3);
		for (int part = 0; part < 3; part++) {
			struct statement *s = statement(net, REDUCE_NONE, 2, 2, part ? 1 : 2, 3);
			int first = part ? rows[i].row[part - 1] : 0;
			s->target = ACCESS(net, t, SUB(first, [0] = 1), SUB(0, [1] = 1));
			s->value = constant(net, TYPE_F32, part);
		}
		output(net, t);
		const char *broken = network_check(net);
		cr_expect(rows[i].says ? broken && strstr(broken, rows[i].says) : !broken,
			  "row %zu: %s", i, broken ? broken : "accepted");
		net->statement_count = 2;
		broken = network_check(net);
		cr_expect(broken, "row %zu: two of three boxes pass for the whole", i);
		fixture_free(net);
	}
}
