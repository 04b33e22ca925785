/* cpu_test.c -- native code against the reference interpreter, bit for bit; names, targets and
 * scratch. */
#include "backend/cpu/cpu.h"
#include "test/ops_fixture.h"

#include <stdint.h>

TestSuite(cpu, .timeout = 240);

static bool is_nan_at(const struct array *a, int64_t i)
{
	return type_info(a->type)->is_float && isnan(array_get(a, i));
}

/* The same bits; a NaN is a NaN. */
static bool same_element(const struct array *a, const struct array *b, int64_t i)
{
	size_t bytes = (size_t)type_info(a->type)->bytes;
	const char *x = a->data, *y = b->data;
	return memcmp(x + (size_t)i * bytes, y + (size_t)i * bytes, bytes) == 0 ||
	       (is_nan_at(a, i) && is_nan_at(b, i));
}

/* Values with all bits of the mantissa in use, so that another order of summation shows. */
static void fill_random(struct array *a, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + 1;
	for (int64_t i = 0; i < array_count(a); i++) {
		state = state * 1664525u + 1013904223u;
		double unit = (double)(state >> 8) / (1 << 24) * 2 - 1;
		array_set(a, i, type_info(a->type)->is_float ? unit : unit * 100);
	}
}

static void expect_same_values(struct run *run, const char *text)
{
	struct array *found[RUN_MAX_TENSORS] = {NULL};
	struct cpu_program *program;
	char *error = cpu_compile(run->network, NULL, &program);
	cr_assert_null(error, "%s: %s", text, error);
	error = cpu_run(program, run->input, found);
	cr_assert_null(error, "%s: %s", text, error);
	for (int o = 0; o < run->network->output_count; o++) {
		const struct array *wanted = run->output[o];
		for (int64_t i = 0; i < array_count(wanted); i++)
			cr_assert(same_element(wanted, found[o], i),
				  "%s: output %d, element %lld is %.9g, not %.9g", text, o,
				  (long long)i, array_get(found[o], i), array_get(wanted, i));
		array_free(found[o]);
	}
	cpu_program_free(program);
}

/* Interprets and compiles; random inputs and weights. */
static void expect_same(const char *text)
{
	struct run run = {0};
	run_elaborate(&run, text);
	if (!run.network)
		diag_print_text(&run.diag, stderr, false);
	cr_assert_not_null(run.network, "no network from: %s", text);
	fill_parameters(run.network);
	for (int i = 0; i < run.network->tensor_count; i++)
		if (run.network->tensor[i]->role == ROLE_PARAM)
			fill_random(run.network->tensor[i]->data, (uint32_t)i + 7);
	for (int i = 0; i < run.network->input_count; i++) {
		const struct tensor *t = run.network->input[i];
		run.input[i] = array_new(t->type, t->rank, t->extent);
		fill_random(run.input[i], (uint32_t)i + 1);
	}
	char *error = interpret(run.network, run.input, run.output);
	cr_assert_null(error, "%s: %s", text, error);
	expect_same_values(&run, text);
	run_free(&run);
}

static const char *const networks[] = {
	"network t(x: f32[2, 3, 9, 11]) { y = conv(x, 5, kernel = 3, pad = 1); return y }",
	"network t(x: f32[1, 8, 14, 14]) { y = conv(x, 40, kernel = 3, pad = 1); return y }",
	"network t(x: f32[1, 8, 15, 15]) { y = conv(x, 33, kernel = 3, stride = 2, pad = 1); "
	"return y }",
	"network t(x: f32[1, 8, 7, 7]) { y = conv(x, 24, kernel = 1); return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 16, kernel = 3, pad = 1, group = 16); return "
	"y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 16, kernel = 3, pad = 1, group = 16, stride "
	"= 2); return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 8, kernel = 3, group = 4, dilation = 2); "
	"return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 64, kernel = (5, 1), pad = (2, 0, 2, 0), "
	"group = 2); return y }",
	"network t(x: f32[1, 4, 5, 6]) { y = conv_transpose(x, 19, kernel = 3, stride = 2, pad = "
	"1); return y }",
	"network t(x: f32[1, 4, 5, 6]) { y = conv_transpose(x, 4, kernel = 4, stride = 2, pad = 1, "
	"group = 2); return y }",
	"network t(x: f32[1, 30]) { y = dense(x, 101); return y }",
	"network t(x: f32[5, 30]) { y = dense(x, 7); return softmax(y) }",
	"network t(x: f32[1, 3, 13, 17]) { y = maxpool(x, kernel = 3, stride = 2, pad = 1); return "
	"y }",
	"network t(x: f32[1, 3, 33, 35]) { y = maxpool(x, kernel = 2, stride = 2); return y }",
	"network t(x: f32[1, 20, 9, 9]) { y = lrn(x, size = 5); return y }",
	"network t(x: f32[3, 20, 9]) { y = layer_norm(x); return gelu(y) }",
	"network t(x: f32[2, 6, 32]) { y = multi_head_attention(x, heads = 4, causal = 1); return "
	"y }",
	"network t(x: f32[1, 3, 5, 7]) { y = resize_nearest(x, size = (11, 13)); return y }",
	"network t(x: f32[1, 3, 5, 7]) { y = resize_bilinear(x, size = (11, 13)); return y }",
	"network t(x: f32[1, 3, 5, 37]) { y = pad(x, axis = 3, before = 3, after = 5, value = "
	"2.5); return y }",
	"network t(x: f32[1, 3, 5, 37]) { y = pad(x, axis = 2, before = 3, after = 5, mode = "
	"\"edge\"); return y }",
	"network t(x: f32[2, 3, 19], z: f32[3, 1]) { return (x * z, transpose(x, (2, 0, 1)), x / "
	"z) }",
	"network t(x: f32[2, 3, 19]) { return (x, x, relu(x), reshape(x, (6, 19)), "
	"flatten(relu(x))) }",
	"network t(x: f32[40]) { return (exp(x), log(x), sqrt(x), tanh(x), erf(x), sin(x), cos(x), "
	"abs(x)) }",
	"network t(x: i8[1, 4, 9, 9]) { y = conv(x, 20, kernel = 3, pad = 1); return y }",
};

Test(cpu, operators_equal_the_interpreter)
{
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
		expect_same(networks[i]);
}
