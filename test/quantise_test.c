/* quantise_test.c -- docs/accelerator.md, section 1: numbers by hand, which contractions become integers and which
 * scales they have, and how far the result may be from that in f32. */
#include <criterion/criterion.h>
#include <glob.h>
#include <math.h>

#include "files_fixture.h"
#include "frontend/elaborate/elaborate.h"
#include "frontend/network/calibrate.h"
#include "frontend/network/interpret.h"
#include "mapper/network/workload.h"
#include "runtime/npy.h"
#include "runtime/random.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct desk {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	struct network *net;
	struct ranges ranges;
};

static struct desk desk_new(void)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};
	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	return d;
}

static void elaborate_last(struct desk *d)
{
	d->net = elaborate(d->program, NULL, &(struct elaborate_options){0});
	cr_assert(d->net && d->diag->errors == 0, "%s",
		  d->diag->count ? d->diag->finding[0].message : "");
	d->ranges = ranges_new(d->net);
}

static struct desk desk_of(const char *text)
{
	struct desk d = desk_new();
	program_add(d.program, "test.dnn", text, strlen(text));
	elaborate_last(&d);
	return d;
}

static void desk_free(struct desk *d)
{
	network_free(d->net);
	arena_free(d->arena);
}

static struct tensor *find(const struct network *net, const char *name)
{
	for (int i = 0; i < net->tensor_count; i++)
		if (strcmp(net->tensor[i]->name, name) == 0)
			return net->tensor[i];
	return NULL;
}

static struct tensor *tensor(const struct desk *d, const char *name)
{
	struct tensor *t = find(d->net, name);
	cr_assert_not_null(t, "there is no tensor %s", name);
	return t;
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

static struct array *array_of(const struct tensor *t, const double value[])
{
	struct array *a = array_new(t->type, t->rank, t->extent);
	for (int64_t i = 0; i < array_count(a); i++)
		array_set(a, i, value[i]);
	return a;
}

static void give(struct desk *d, const char *name, const double value[])
{
	struct tensor *t = tensor(d, name);
	t->data = array_of(t, value);
}

static void give_range(struct desk *d, const char *name, float greatest)
{
	d->ranges.greatest[tensor(d, name)->id] = greatest;
}

static void quantise(struct desk *d, enum number number)
{
	network_quantise(d->net, number, &d->ranges, d->diag);
	const char *broken = network_check(d->net);
	cr_assert_null(broken, "%s", broken);
}

static void holds(const struct array *a, int64_t count, const double wanted[], const char *what)
{
	cr_assert_eq(array_count(a), count, "%s: %d elements", what, (int)array_count(a));
	for (int64_t i = 0; i < count; i++)
		cr_expect_eq(array_get(a, i), wanted[i], "%s: element %d is %.17g, not %.17g", what,
			     (int)i, array_get(a, i), wanted[i]);
}

/* The only output, of inputs a and b, which it frees. */
static struct array *run(const struct desk *d, struct array *a, struct array *b)
{
	struct array *input[] = {a, b}, *result = NULL;
	char *error = interpret(d->net, input, &result);
	cr_assert_null(error, "%s", error);
	array_free(a);
	array_free(b);
	return result;
}

static void gives(const struct desk *d, const double x[], int64_t count, const double wanted[])
{
	struct array *result = run(d, array_of(d->net->input[0], x), NULL);
	holds(result, count, wanted, "the result");
	array_free(result);
}

static int integers(const struct network *net)
{
	int count = 0;
	for (int i = 0; i < net->statement_count; i++)
		count += statement_macs(net->statement[i]) > 0 &&
			 !type_info(net->statement[i]->target.tensor->type)->is_float;
	return count;
}

/* ---- Numbers by hand --------------------------------------------------------------------------------------------- */

/* Scales are 1 (x), 1 and 2 (W). Ties go to even: 2.5, -3.5, -63.5, 31.5; 200 is more than 127, -200 less than -127, and
 * no -128 comes about. */
Test(quantise, dense_in_i8)
{
	struct desk d = desk_of("network net(x: f32[2, 4]) {\n\ty = dense(x, 2)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(127, 64, -1, 0, 254, -127, 63, 1));
	give(&d, "y.B", VALUES(0.5, 0.25));
	give_range(&d, "x", 127);
	quantise(&d, NUMBER_I8);
	cr_expect_null(find(d.net, "y.W"), "nobody reads it");
	cr_expect_eq(tensor(&d, "y.W_q")->type, TYPE_I8);
	cr_expect_eq(tensor(&d, "y.W_q")->role, ROLE_CONSTANT);
	cr_expect_eq(tensor(&d, "y_acc")->type, TYPE_I32);
	holds(tensor(&d, "y.W_q")->data, 8, VALUES(127, 64, -1, 0, 127, -64, 32, 0), "W_q");
	holds(tensor(&d, "y.W_s")->data, 2, VALUES(1, 2), "W_s");
	gives(&d, VALUES(1, 2.5, -3.5, 200, -200, 0.5, 1.5, NAN), 4,
	      VALUES(127 + 128 + 4 + 0.5, 2 * (127 - 128 - 128) + 0.25, /* of 1 2 -4 127 */
		     -16129 - 2 + 0.5, 2 * (-16129 + 64) + 0.25));      /* of -127 0 2 0 */
	desk_free(&d);
}

/* A sum of more than 32 bits; the scale of x is 0.5, of W 1, and 1 where all of a channel is 0. */
Test(quantise, dense_in_i16)
{
	struct desk d = desk_of("network net(x: f32[1, 4]) {\n\ty = dense(x, 2)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(32767, 32767, 32767, -1.5, 0, 0, 0, 0));
	give(&d, "y.B", VALUES(1, -1));
	give_range(&d, "x", 16383.5);
	quantise(&d, NUMBER_I16);
	cr_expect_eq(tensor(&d, "y.W_q")->type, TYPE_I16);
	cr_expect_eq(tensor(&d, "y_acc")->type, TYPE_I64);
	holds(tensor(&d, "y.W_q")->data, 8, VALUES(32767, 32767, 32767, -2, 0, 0, 0, 0), "W_q");
	holds(tensor(&d, "y.W_s")->data, 2, VALUES(1, 1), "W_s");
	int64_t sum = INT64_C(3) * 32767 * 32767 - 2 * 32767;
	cr_assert_gt(sum, INT32_MAX);
	gives(&d, VALUES(16383.5, 16383.5, 16383.5, 1e30), 2,
	      VALUES((double)fmaf((float)sum, 0.5f, 1), -1));
	desk_free(&d);
}

/* 1.5 / 32767 lies just above 2^-15, 2 / 32767 just above 2^-14; 32767 * 2^-15 is a power of two already. */
Test(quantise, fixed_point_has_powers_of_two)
{
	struct desk d = desk_of("network net(x: f32[1, 3]) {\n\ty = dense(x, 2)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(2, 0x1p-14, 0x3p-14, 0x7fffp-15, 0x1p-15, 0));
	give(&d, "y.B", VALUES(0, 0));
	give_range(&d, "x", 1.5);
	quantise(&d, NUMBER_FIXED16);
	holds(tensor(&d, "y.W_s")->data, 2, VALUES(0x1p-13, 0x1p-15), "W_s");
	holds(tensor(&d, "y.W_q")->data, 6, VALUES(16384, 0, 2, 32767, 1, 0), "W_q");
	gives(&d, VALUES(1.5, 1.5, 1.5), 2,
	      VALUES(24576 * (16384 + 2) * 0x1p-27, 24576.0 * 32768 * 0x1p-29));
	desk_free(&d);
}

Test(quantise, words_of_machines)
{
	static const struct {
		int bits;
		enum number number;
	} row[] = {{1, NUMBER_I8},   {8, NUMBER_I8},   {9, NUMBER_I16},
		   {16, NUMBER_I16}, {32, NUMBER_I16}, {4096, NUMBER_I16}};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		cr_expect_eq(number_of_word(row[i].bits), row[i].number, "%d bits", row[i].bits);
}

/* The sum times the scale of x is rounded, that times W's is not before it is added. */
Test(quantise, scales_are_multiplied_in_order)
{
	struct desk d = desk_of("network net(x: f32[1, 1]) {\n\ty = dense(x, 1)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(0.1));
	give(&d, "y.B", VALUES(0.1));
	give_range(&d, "x", 2);
	quantise(&d, NUMBER_I8);
	float x = 2.0f / 127, w = 0.1f / 127, sum = 122 * 127;
	float wanted = fmaf(sum * x, w, 0.1f);
	float product = sum * x * w; /* rounded */
	cr_assert_neq(wanted, fmaf(sum * w, x, 0.1f));
	cr_assert_neq(wanted, fmaf(sum, x * w, 0.1f));
	cr_assert_neq(wanted, product + 0.1f);
	gives(&d, VALUES(122 * 2 / 127.0), 1, VALUES((double)wanted));
	desk_free(&d);
}

/* A scale whose inverse is no number is 1, as that of 0 is. */
Test(quantise, what_is_all_but_zero)
{
	struct desk d = desk_of("network net(x: f32[1, 2]) {\n\ty = dense(x, 2)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(0x1p-140, 0, 0x1p-100, 0));
	give(&d, "y.B", VALUES(3, 4));
	give_range(&d, "x", 127);
	quantise(&d, NUMBER_I8);
	holds(tensor(&d, "y.W_q")->data, 4, VALUES(0, 0, 127, 0), "W_q");
	cr_expect_eq(array_get(tensor(&d, "y.W_s")->data, 0), 1);
	gives(&d, VALUES(1, 1), 2, VALUES(3, 4));
	desk_free(&d);
}

/* 127 * 127 * 133144 is 2147479576, below 2^31; one more product passes it. */
Test(quantise, very_long_sums_of_bytes_have_64_bits)
{
	static const struct {
		int products;
		enum type type;
	} row[] = {{133144, TYPE_I32}, {133145, TYPE_I64}};
	for (int i = 0; i < 2; i++) {
		char text[200];
		snprintf(text, sizeof text,
			 "network net(a: f32[2, %d], b: f32[3, %d]) {\n"
			 "\ty[n, k] += a[n, c] * b[k, c]\n\treturn y\n}\n",
			 row[i].products, row[i].products);
		struct desk d = desk_of(text);
		give_range(&d, "a", 1);
		give_range(&d, "b", 1);
		quantise(&d, NUMBER_I8);
		cr_expect_eq(tensor(&d, "y_acc")->type, row[i].type, "%d", row[i].products);
		desk_free(&d);
	}
}

/* (i, j) of y is of a = i and b = j - i alone, and has as many products as there are c: more than fit 32 bits. */
Test(quantise, long_sums_where_one_loop_indexes_the_target_twice)
{
	struct desk d = desk_of("network net(u: f32[4, 133145], v: f32[2, 133145]) {\n"
				"\ty[a, a + b] += u[a, c] * v[b, c]\n\treturn y\n}\n");
	give_range(&d, "u", 1);
	give_range(&d, "v", 1);
	quantise(&d, NUMBER_I8);
	cr_expect_eq(tensor(&d, "y_acc")->type, TYPE_I64);
	desk_free(&d);
}

/* ---- Scales and views -------------------------------------------------------------------------------------------- */

Test(quantise, groups_have_a_scale_for_each_channel)
{
	struct desk d =
		desk_of("network net(x: f32[1, 2, 2, 1]) {\n"
			"\ty = conv(x, filters = 4, kernel = 1, group = 2)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(127, 1270, -254, 12.7));
	give(&d, "y.B", VALUES(0, 0, 0, 0));
	give_range(&d, "x", 127);
	quantise(&d, NUMBER_I8);
	holds(tensor(&d, "y.W_s")->data, 4, VALUES(1, 10, 2, (double)(12.7f / 127)), "W_s");
	holds(tensor(&d, "y.W_q")->data, 4, VALUES(127, 127, -127, 127), "W_q");
	cr_expect_eq(integers(d.net), 1);
	gives(&d, VALUES(1, 2, 3, 4), 8,
	      VALUES(127, 254, 1270, 2540, -254 * 3, -254 * 4, (double)(381 * (12.7f / 127)),
		     (double)(508 * (12.7f / 127))));
	desk_free(&d);
}

/* Both are computed: a scale for each as a whole. sa = 2, sb = 0.5. */
Test(quantise, attention_multiplies_what_is_computed)
{
	struct desk d = desk_of("network net(a: f32[2, 2], b: f32[2, 2]) {\n"
				"\ts[i, j] += a[i, d] * b[j, d]\n\treturn s\n}\n");
	give_range(&d, "a", 254);
	give_range(&d, "b", 63.5);
	quantise(&d, NUMBER_I8);
	struct array *s = run(&d, array_of(d.net->input[0], VALUES(2, 5, -300, 1)),
			      array_of(d.net->input[1], VALUES(0.5, 1, 0.25, 63.5)));
	/* a: 1 2 -127 0   b: 1 2 0 127 */
	holds(s, 4, VALUES(5, 254, -127, 0), "s");
	array_free(s);
	desk_free(&d);
}

/* Where the first index of W is none of Y's, or Y is longer along it, W has one scale: 1270 / 127. Y sums X * W as in f32. */
Test(quantise, weights_have_one_scale_where_channels_are_not_those_of_the_target)
{
	static const struct {
		int extent; /* of Y */
		const char *sum;
		double wanted[4];
	} row[] = {
		{2, "Y[n, k + 1] else drop += X[n, c] * W[k, c]", {0, 10}},
		{3, "Y[n, j] += X[n, c] * W[j, c]", {10, 1270}},
		{2, "Y[n, j] += X[n, c] * W[floor(j / 2), c]", {10, 10}},
		{2, "Y[n, j] += X[n, c] * W[1, c]", {1270, 1270}},
		{4, "V = view(W, (4, 1))\n\tY[n, m] += X[n, 0] * V[m, 0]", {10, 0, 1270, 1270}},
	};
	for (size_t r = 0; r < sizeof row / sizeof row[0]; r++) {
		char text[400];
		snprintf(text, sizeof text,
			 "op sum(X[n, c]) {\n\tparam W[2, c]\n\tindex j < 2\n\tindex m < 4\n"
			 "\ttensor Y[n, %d]\n\t%s\n\treturn Y\n}\n"
			 "network net(x: f32[1, 2]) {\n\ty = sum(x)\n\treturn y\n}\n",
			 row[r].extent, row[r].sum);
		struct desk d = desk_of(text);
		give(&d, "y.W", VALUES(10, 0, 1270, 1270));
		give_range(&d, "x", 127);
		quantise(&d, NUMBER_I8);
		cr_expect_eq(integers(d.net), 1, "%s", row[r].sum);
		cr_expect_null(find(d.net, "y.W_s"), "%s", row[r].sum);
		gives(&d, VALUES(1, 0), row[r].extent, row[r].wanted);
		desk_free(&d);
	}
}

static int named(const struct network *net, const char *ending)
{
	int count = 0;
	for (int i = 0; i < net->tensor_count; i++)
		count += file_has_ending(net->tensor[i]->name, ending);
	return count;
}

/* a is read by three contractions, twice through a view: its integers are stored once. */
Test(quantise, a_tensor_is_quantised_once)
{
	struct desk d = desk_of("network net(a: f32[1, 2, 2, 1]) {\n"
				"\tb = conv(a, filters = 2, kernel = 1, bias = 0)\n"
				"\tf = flatten(a)\n"
				"\tc = dense(f, 4, bias = 0)\n\td = dense(f, 4, bias = 0)\n"
				"\te[k] = b[0, floor(k / 2), 0, 0] + c[0, k] * d[0, k]\n"
				"\treturn e\n}\n");
	static const double unit[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
	give(&d, "b.W", VALUES(1, 1, 1, -1));
	give(&d, "c.W", unit);
	give(&d, "d.W", unit);
	give_range(&d, "a", 127);
	quantise(&d, NUMBER_I8);
	cr_expect_eq(integers(d.net), 3);
	cr_expect_eq(named(d.net, "_q"), 3 + 2, "three weights, a and its view");
	const struct tensor *view = NULL;
	for (int i = 0; i < d.net->tensor_count; i++)
		if (d.net->tensor[i]->view_of == tensor(&d, "a_q"))
			view = d.net->tensor[i];
	cr_assert_not_null(view);
	cr_expect_eq(named(d.net, "_q2"), 0, "one view, too");
	cr_expect(view->rank == 2 && view->extent[1] == 4 && view->type == TYPE_I8);
	struct array *e = run(&d, array_of(d.net->input[0], VALUES(1, 2, 3, 4.4)), NULL);
	double wanted[] = {4 + 1, 4 + 4, -2 + 9, -2 + 16};
	for (int i = 0; i < 4; i++)
		cr_expect_float_eq(array_get(e, i), wanted[i], 1e-5, "%g", array_get(e, i));
	array_free(e);
	desk_free(&d);
}

/* The first index of W is one of H's and none of Y's. */
Test(quantise, tied_weights_are_quantised_in_both_ways)
{
	struct desk d = desk_of("op tied(X[n, c]) {\n\tparam W[2, c]\n"
				"\tH[n, k] += X[n, c] * W[k, c]\n\tY[n, c] += H[n, k] * W[k, c]\n"
				"\treturn Y\n}\n"
				"network net(x: f32[1, 2]) {\n\ty = tied(x)\n\treturn y\n}\n");
	give(&d, "y.W", VALUES(127, 127, 254, 127));
	give_range(&d, "x", 127);
	give_range(&d, "y.H", 127 * 8);
	quantise(&d, NUMBER_I8);
	holds(tensor(&d, "y.W_q")->data, 4, VALUES(127, 127, 127, 64), "by channel");
	holds(tensor(&d, "y.W_q2")->data, 4, VALUES(64, 64, 127, 64), "whole");
	cr_expect_null(find(d.net, "y.W_s2"));
	/* H is 127 * 2, 2 * 191; its integers 254 / 8 = 31.75, 382 / 8 = 47.75. */
	gives(&d, VALUES(1, 1), 2, VALUES((32 * 64 + 48 * 127) * 16, (32 * 64 + 48 * 64) * 16));
	desk_free(&d);
}

Test(quantise, names_that_are_taken)
{
	struct desk d = desk_of("network net(x: f32[1, 2]) {\n\tx_q[n, c] = x[n, c]\n"
				"\ty = dense(x_q, 2)\n\tz = dense(x, 2)\n\treturn y, z\n}\n");
	cr_assert(network_initialise(d.net, 0));
	give_range(&d, "x", 1);
	give_range(&d, "x_q", 1);
	quantise(&d, NUMBER_I8);
	cr_expect(find(d.net, "x_q") && find(d.net, "x_q2") && find(d.net, "x_q_q"));
	desk_free(&d);
}

/* ---- What stays in f32 ------------------------------------------------------------------------------------------- */

Test(quantise, what_stays_as_it_is)
{
	static const struct {
		const char *text, *why; /* NULL: needs no word */
	} row[] = {
		{"network net(x: f32[1, 2], y: f32[1, 2]) {\n\ts[n] += x[n, c] * x[n, c]\n"
		 "\treturn s\n}\n",
		 NULL},
		{"network net(x: i8[1, 2], y: i8[1, 2]) {\n\ts[n] += x[n, c] * y[n, c]\n"
		 "\treturn s\n}\n",
		 NULL},
		{"network net(x: f32[1, 2], y: f64[1, 2]) {\n\ts[n] += x[n, c] * y[n, c]\n"
		 "\treturn s\n}\n",
		 NULL},
		{"network net(x: f32[1, 2], y: f32[1, 2]) {\n\tindex i < 3\n"
		 "\ts[n] += (x[n, i] else 1) * (y[n, i] else 0)\n\treturn s\n}\n",
		 "'s' stays in f32: it reads 'x', which is not 0 outside of its extents"},
		{"op late(X[n, c], Y[n, c]) {\n\tT[n, c] = X[n, c]\n\tS[n] += T[n, c] * Y[n, c]\n"
		 "\tT[n, c] += S[n]\n\treturn T\n}\n"
		 "network net(x: f32[1, 2], y: f32[1, 2]) {\n\ts = late(x, y)\n\treturn s\n}\n",
		 "'s' stays in f32: it reads 's', which is written again afterwards"},
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct desk d = desk_of(row[i].text);
		int before = d.net->statement_count;
		give_range(&d, "x", 1);
		give_range(&d, "y", 1);
		quantise(&d, NUMBER_I8);
		cr_expect_eq(d.net->statement_count, before, "row %d", (int)i);
		cr_expect_eq(d.diag->warnings, row[i].why != NULL, "row %d", (int)i);
		if (row[i].why)
			cr_expect_str_eq(d.diag->finding[0].message, row[i].why);
		desk_free(&d);
	}
}

Test(quantise, what_is_not_finite_stays)
{
	for (int i = 0; i < 2; i++) {
		struct desk d =
			desk_of("network net(x: f32[1, 2]) {\n\ty = dense(x, 1)\n\treturn y\n}\n");
		give(&d, "y.W", VALUES(1, i == 0 ? INFINITY : 1));
		give(&d, "y.B", VALUES(1));
		give_range(&d, "x", i == 1 ? NAN : 1);
		quantise(&d, NUMBER_I8);
		cr_expect_eq(integers(d.net), 0);
		cr_expect_eq(d.diag->warnings, 1);
		cr_expect(strstr(d.diag->finding[0].message, "not finite") != NULL);
		desk_free(&d);
	}
}

/* ---- The examples ------------------------------------------------------------------------------------------------ */

static const char *const machine_text = "machine m { clock 1 GHz  memory dram { }\n"
					"memory buf { size 64 words  keeps I, O }\n"
					"array pe[4, 2] { memory r { size 8 words  keeps W } "
					"mac { } } }";

/* What is mapped has the names and problems that it had in f32. */
Test(quantise, examples_are_the_same_work)
{
	glob_t files;
	cr_assert_eq(glob(SOURCE_DIR "/examples/*.dnn", 0, NULL, &files), 0);
	for (size_t f = 0; f < files.gl_pathc; f++) {
		struct desk d = desk_new();
		program_add(d.program, "test.hw", machine_text, strlen(machine_text));
		struct hierarchy *machine = hierarchy_of(d.program, machine_check(d.program, NULL));
		cr_assert_not_null(machine);
		program_read(d.program, files.gl_pathv[f]);
		elaborate_last(&d);
		const struct workload *before = workload_of(d.arena, d.net, machine, false);
		for (int i = 0; i < d.net->tensor_count; i++) {
			struct tensor *t = d.net->tensor[i];
			d.ranges.greatest[i] = 1;
			if (tensor_takes_weights(t))
				t->data = array_new(t->type, t->rank, t->extent);
		}
		quantise(&d, NUMBER_I8);
		const struct workload *after = workload_of(d.arena, d.net, machine, false);
		cr_assert_eq(before->layers, after->layers, "%s", files.gl_pathv[f]);
		cr_expect_eq(integers(d.net), after->layers, "%s", files.gl_pathv[f]);
		for (int i = 0; i < after->layers; i++) {
			cr_expect_str_eq(before->layer[i].name, after->layer[i].name);
			cr_expect(problem_equal(before->layer[i].problem, after->layer[i].problem),
				  "%s: %s", files.gl_pathv[f], after->layer[i].name);
		}
		desk_free(&d);
	}
	cr_expect_gt(files.gl_pathc, 9);
	globfree(&files);
}

/* A state is no weight to the mapper, and its integers are none. */
Test(quantise, a_state_stays_what_it_was)
{
	struct desk d = desk_of("op mixed(X[n, c]) {\n\tstate S[2, c]\n"
				"\tY[n, k] += S[k, c] * X[n, c]\n\treturn Y\n}\n"
				"network net(x: f32[3, 2]) {\n\ty = mixed(x)\n\treturn y\n}\n");
	const struct problem *before = NULL, *after = NULL;
	give(&d, "y.S", VALUES(1, 2, 3, 4));
	give_range(&d, "x", 1);
	for (int i = 0; i < d.net->statement_count; i++)
		if (statement_macs(d.net->statement[i]) > 0)
			before = problem_of(d.arena, d.net->statement[i]);
	quantise(&d, NUMBER_I8);
	for (int i = 0; i < d.net->statement_count; i++)
		if (statement_macs(d.net->statement[i]) > 0)
			after = problem_of(d.arena, d.net->statement[i]);
	cr_assert(before && after && integers(d.net) == 1);
	cr_expect_eq(before->operand[0].class, CLASS_I);
	cr_expect(problem_equal(before, after));
	desk_free(&d);
}

/* ---- How far from f32 -------------------------------------------------------------------------------------------- */

static const double most_of[NUMBERS] = {0, 127, 32767, 32767};

/* How far an integer of a range may lie from what it stands for, as a part of the range: half a scale. That of fixed16
 * is rounded up to a power of two, to less than twice. */
static double half_scale(enum number number)
{
	return (number == NUMBER_FIXED16 ? 2 : 1) / most_of[number] / 2;
}

static char *interpret_for(void *context, const struct network *net, struct array *const input[],
			   struct array *output[])
{
	++*(int *)context;
	return interpret(net, input, output);
}

static void add_noise(struct array *a, uint64_t stream)
{
	for (int64_t i = 0; i < array_count(a); i++)
		array_set(a, i, random_normal(7, stream, (uint64_t)i));
}

static double greatest_in(const struct array *a)
{
	double greatest = 0;
	for (int64_t i = 0; i < array_count(a); i++)
		greatest = fmax(greatest, fabs(array_get(a, i)));
	return greatest;
}

/* With factors of at most a and b, off by at most h a and h b, a product is off by at most a b (2 h + h^2). The sum of K of
 * them in f32 is rounded K times, by at most 2^-24 of K a b, the integers' when they are scaled and added: 4 times. */
Test(quantise, one_contraction_stays_within_the_bound)
{
	static const struct {
		const char *layer; /* of x and y */
		int products;
	} row[] = {
		{"dense(flatten(x), 7)", 6 * 9 * 8},
		{"conv(x, filters = 4, kernel = 3, pad = 1)", 6 * 9},
		{"conv(x, filters = 4, kernel = (3, 2), stride = 2, dilation = 2, pad = 1)", 36},
		{"conv(x, filters = 6, kernel = 3, group = 3)", 2 * 9},
		{"conv(x, filters = 6, kernel = 3, group = 6, pad = 1)", 9},
		{"conv_transpose(x, filters = 4, kernel = 3, stride = 2, pad = 1)", 6 * 9},
		{"conv_transpose(x, filters = 6, kernel = 3, stride = 2, group = 2)", 3 * 9},
		{"matmul(x, y)", 8},
	};
	for (size_t r = 0; r < sizeof row / sizeof row[0]; r++) {
		for (enum number number = NUMBER_I8; number < NUMBERS; number++) {
			char text[300];
			snprintf(text, sizeof text,
				 "network net(x: f32[1, 6, 9, 8], y: f32[1, 6, 8, 5]) {\n"
				 "\tz = %s\n\treturn z\n}\n",
				 row[r].layer);
			struct desk d = desk_of(text);
			struct array *input[2];
			cr_assert(network_initialise(d.net, 3));
			for (int i = 0; i < 2; i++) {
				struct tensor *t = d.net->input[i];
				input[i] = array_new(t->type, t->rank, t->extent);
				add_noise(input[i], (uint64_t)i);
				d.ranges.greatest[t->id] = (float)greatest_in(input[i]);
			}
			const struct tensor *w = find(d.net, "z.W");
			double a = greatest_in(input[0]), b = greatest_in(w ? w->data : input[1]);
			double k = row[r].products, h = half_scale(number), worst = 0;
			double bound = k * a * b * (2 * h + h * h + (k + 4) * 0x1p-24);
			struct array *wanted = run(&d, array_copy(input[0]), array_copy(input[1]));
			quantise(&d, number);
			cr_expect_eq(integers(d.net), 1, "%s", row[r].layer);
			struct array *got = run(&d, input[0], input[1]);
			for (int64_t i = 0; i < array_count(got); i++)
				worst = fmax(worst, fabs(array_get(got, i) - array_get(wanted, i)));
			cr_log_info("%s in %s: %g of %g", row[r].layer, number_name[number], worst,
				    bound);
			cr_expect_leq(worst, bound, "%s in %s: off by %g, not %g", row[r].layer,
				      number_name[number], worst, bound);
			cr_expect_gt(worst, bound / 1000, "%s in %s: is it quantised at all?",
				     row[r].layer, number_name[number]);
			array_free(got);
			array_free(wanted);
			desk_free(&d);
		}
	}
}

/* A stroke of a pen, 28 x 28, values from 0 to 1. */
static struct array *digit(const struct tensor *image, int seed)
{
	struct array *a = array_new(image->type, image->rank, image->extent);
	double x = 14, y = 4, way = 0;
	for (int step = 0; step < 60; step++) {
		way += random_uniform((uint64_t)seed, 0, (uint64_t)step) - 0.5;
		x = fmin(fmax(x + sin(way), 3), 24);
		y = fmin(fmax(y + cos(way), 3), 24);
		for (int i = 0; i < 9; i++) {
			int64_t at = ((int64_t)y + i / 3 - 1) * 28 + (int64_t)x + i % 3 - 1;
			array_set(a, at, fmin(1, array_get(a, at) + (i == 4 ? 0.6 : 0.15)));
		}
	}
	return a;
}

/* The greatest sum of squares of a row. */
static double greatest_row(const struct array *w)
{
	int64_t columns = array_count(w) / w->extent[0];
	double greatest = 0;
	for (int64_t r = 0; r < w->extent[0]; r++) {
		double sum = 0;
		for (int64_t c = 0; c < columns; c++)
			sum += pow(array_get(w, r * columns + c), 2);
		greatest = fmax(greatest, sum);
	}
	return greatest;
}

/* The standard deviation of the outputs of a chain of layers T = W * A + B with relu and maxpool between them, where
 * each rounding is taken for independent noise, uniform between plus and minus half a scale (variance: a third of the
 * square of that): through a sum of K products go the variance of A's elements, weighed with W squared, and that of W's
 * with A squared, at most the range's square. Worst cases of five layers add up to 10^5 times as much. */
static double error_deviation(const struct desk *d, enum number number)
{
	double variance = 0, h = half_scale(number);
	for (int i = 0; i < d->net->statement_count; i++) {
		const struct statement *s = d->net->statement[i];
		if (!statement_is_contraction(s))
			continue;
		const struct tensor *x = tensor_storage(s->value->arg[0]->access->tensor),
				    *w = tensor_storage(s->value->arg[1]->access->tensor);
		if (w->role != ROLE_PARAM) {
			const struct tensor *swap = x;
			x = w;
			w = swap;
		}
		double a = d->ranges.greatest[x->id], b = greatest_in(w->data);
		double count = (double)tensor_count(w) / (double)w->extent[0];
		variance = greatest_row(w->data) * (variance + pow(a * h, 2) / 3) +
			   count * pow(a * b * h, 2) / 3;
	}
	return sqrt(variance);
}

static int64_t greatest_of(const struct array *a)
{
	int64_t at = 0;
	for (int64_t i = 1; i < array_count(a); i++)
		if (array_get(a, i) > array_get(a, at))
			at = i;
	return at;
}

Test(quantise, lenet_stays_close)
{
	enum { DIGITS = 20 };
	for (enum number number = NUMBER_I8; number < NUMBERS; number++) {
		struct desk d = desk_new();
		int runs = 0, alike = 0;
		double worst = 0;
		struct executor by = {interpret_for, &runs};
		struct array *wanted[DIGITS], *input[DIGITS];
		program_read(d.program, SOURCE_DIR "/examples/lenet5.dnn");
		elaborate_last(&d);
		cr_assert(network_initialise(d.net, 1));
		for (int i = 0; i < DIGITS; i++) {
			input[i] = digit(d.net->input[0], i);
			char *error = ranges_widen(&d.ranges, d.net, &input[i], &by);
			cr_assert_null(error, "%s", error);
			wanted[i] = run(&d, array_copy(input[i]), NULL);
		}
		cr_expect_eq(runs, DIGITS);
		double deviation = error_deviation(&d, number);
		quantise(&d, number);
		cr_expect_eq(integers(d.net), 5);
		for (int i = 0; i < DIGITS; i++) {
			struct array *got = run(&d, input[i], NULL);
			alike += greatest_of(got) == greatest_of(wanted[i]);
			for (int k = 0; k < 10; k++)
				worst = fmax(worst,
					     fabs(array_get(got, k) - array_get(wanted[i], k)));
			array_free(got);
			array_free(wanted[i]);
		}
		cr_log_info("%s: off by %g, deviation %g, %d alike", number_name[number], worst,
			    deviation, alike);
		/* The greatest of 200: three deviations. */
		cr_expect_leq(worst, 3 * deviation, "%s: off by %g, deviation %g",
			      number_name[number], worst, deviation);
		cr_expect_gt(worst, deviation / 30, "%s: is it quantised at all?",
			     number_name[number]);
		if (number != NUMBER_I8)
			cr_expect_eq(alike, DIGITS, "%s: %d alike", number_name[number], alike);
		desk_free(&d);
	}
}

/* ---- Samples ----------------------------------------------------------------------------------------------------- */

static void write_array(const char *path, enum type type, int rank, const int64_t extent[],
			const double value[])
{
	struct array *a = array_new(type, rank, extent);
	for (int64_t i = 0; i < array_count(a); i++)
		array_set(a, i, value[i]);
	succeeds(npy_write(path, a));
	array_free(a);
}

#define EXTENTS(...) ((const int64_t[]){__VA_ARGS__})

static const char *const two_inputs = "network net(x: f32[1, 2], y: f32[2, 1]) {\n"
				      "\ts[k] += x[0, k] * y[k, 0]\n\tt[i, k] = x[i, k] - 8\n"
				      "\tu[i] += t[i, k] * y[k, 0]\n\treturn s, u\n}\n";

/* Three samples of each, y's of two rows. t is computed: x - 8. */
Test(quantise, ranges_of_samples, .init = enter, .fini = leave)
{
	struct desk d = desk_of(two_inputs);
	int runs = 0;
	struct executor by = {interpret_for, &runs};
	write_array("x.npy", TYPE_F32, 2, EXTENTS(3, 2), VALUES(1, 2, -3, 1, 0, 0));
	write_array("y.npy", TYPE_F32, 2, EXTENTS(6, 1), VALUES(1, 2, 3, 4, 5, -6));
	cr_assert(calibrate(d.net, (const char *const[]){"x.npy", "y.npy"}, 2, &by, &d.ranges,
			    d.diag),
		  "%s", d.diag->count ? d.diag->finding[0].message : "");
	cr_expect_eq(runs, 3);
	cr_expect_eq(d.ranges.greatest[tensor(&d, "x")->id], 3);
	cr_expect_eq(d.ranges.greatest[tensor(&d, "y")->id], 6);
	cr_expect_eq(d.ranges.greatest[tensor(&d, "t")->id], 11);
	cr_expect_not(tensor(&d, "t")->is_output, "only while the ranges were looked for");
	cr_expect_eq(d.net->output_count, 2);
	quantise(&d, NUMBER_I8);
	cr_expect_eq(integers(d.net), 2);
	desk_free(&d);
}

Test(quantise, samples_that_do_not_fit, .init = enter, .fini = leave)
{
	static const struct {
		const char *x, *y, *code, *words;
	} row[] = {
		{"none.npy", "y.npy", "unreadable-file", "none.npy: cannot be opened"},
		{"text.npy", "y.npy", "bad-input", "text.npy"},
		{"wide.npy", "y.npy", "bad-input",
		 "wide.npy: is f32[1, 3], and a sample of input 'x' is f32[1, 2], or several of "
		 "these"},
		{"flat.npy", "y.npy", "bad-input", "flat.npy: is f32[2], and a sample"},
		{"f64.npy", "y.npy", "bad-input", "f64.npy: is f64[1, 2], and a sample"},
		{"x.npy", "odd.npy", "bad-input", "odd.npy: is f32[3, 1], and a sample"},
		{"x.npy", "four.npy", "bad-input", "four.npy: holds 2 samples, and x.npy holds 1"},
		{"nan.npy", "four.npy", "bad-input",
		 "nan.npy: a sample to find ranges with is finite, and this holds NaN at [1, ...]"},
		{"infinite.npy", "y.npy", "bad-input", "this holds infinity at [0, ...]"},
		{"x.npy", NULL, "input-count",
		 "network 'net' has 2 inputs, and -calibrate gives 1 file"},
	};
	write_array("x.npy", TYPE_F32, 2, EXTENTS(1, 2), VALUES(1, 2));
	write_array("y.npy", TYPE_F32, 2, EXTENTS(2, 1), VALUES(1, 2));
	write_array("wide.npy", TYPE_F32, 2, EXTENTS(1, 3), VALUES(1, 2, 3));
	write_array("flat.npy", TYPE_F32, 1, EXTENTS(2), VALUES(1, 2));
	write_array("f64.npy", TYPE_F64, 2, EXTENTS(1, 2), VALUES(1, 2));
	write_array("odd.npy", TYPE_F32, 2, EXTENTS(3, 1), VALUES(1, 2, 3));
	write_array("four.npy", TYPE_F32, 2, EXTENTS(4, 1), VALUES(1, 2, 3, 4));
	write_array("nan.npy", TYPE_F32, 2, EXTENTS(2, 2), VALUES(1, 2, 3, NAN));
	write_array("infinite.npy", TYPE_F32, 2, EXTENTS(1, 2), VALUES(-INFINITY, 2));
	FILE *text = fopen("text.npy", "w");
	cr_assert_not_null(text);
	fputs("1 2\n", text);
	fclose(text);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct desk d = desk_of(two_inputs);
		int runs = 0;
		struct executor by = {interpret_for, &runs};
		const char *path[] = {row[i].x, row[i].y};
		cr_expect_not(calibrate(d.net, path, row[i].y ? 2 : 1, &by, &d.ranges, d.diag));
		cr_expect_eq(runs, 0, "nothing is executed before all is read");
		cr_assert_eq(d.diag->errors, 1, "row %d: %d errors", (int)i, d.diag->errors);
		cr_expect_str_eq(d.diag->finding[0].code, row[i].code, "row %d", (int)i);
		cr_expect_not_null(strstr(d.diag->finding[0].message, row[i].words), "row %d: %s",
				   (int)i, d.diag->finding[0].message);
		desk_free(&d);
	}
}

Test(quantise, ranges_of_noise_follow_from_the_seed)
{
	float greatest[3];
	for (int i = 0; i < 3; i++) {
		struct desk d = desk_of(two_inputs);
		int runs = 0;
		struct executor by = {interpret_for, &runs};
		cr_assert(calibrate_random(d.net, i == 2, &by, &d.ranges, d.diag));
		greatest[i] = d.ranges.greatest[tensor(&d, "t")->id];
		desk_free(&d);
	}
	cr_expect_eq(greatest[0], greatest[1]);
	cr_expect_neq(greatest[0], greatest[2]);
	cr_expect_gt(greatest[0], 4);
}

/* A failure to execute is told, and leaves nothing behind. */
static char *refuse(void *context, const struct network *net, struct array *const input[],
		    struct array *output[])
{
	(void)context, (void)input;
	for (int i = 0; i < net->output_count; i++)
		output[i] = NULL;
	return strdup("no");
}

Test(quantise, an_executor_that_refuses)
{
	struct desk d = desk_of(two_inputs);
	struct executor by = {refuse, NULL};
	cr_expect_not(calibrate_random(d.net, 0, &by, &d.ranges, d.diag));
	cr_expect_str_eq(d.diag->finding[0].message, "no");
	cr_expect_not(tensor(&d, "t")->is_output);
	desk_free(&d);
}
