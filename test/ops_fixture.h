/* ops_fixture.h -- runs operators of the library on small numbers, for tests that compute the same from a textbook's
 * definition.
 *
 *     struct run run = {0};
 *     run_network(&run, "network t(x: f32[1, 2, 5, 5]) { y = conv(x, 4, kernel = 3); return y }");
 *     ... AT(run.output[0], n, k, p, q), AT(run.input[0], ...), AT(param(&run, "y.W"), ...)
 *     run_free(&run);
 *
 * Inputs and parameters are multiples of 1/8 between -1 and 1: sums of a few hundred products of them are exact in
 * f32, so that convolutions and sums can be compared for equality. */
#ifndef TEST_OPS_FIXTURE_H
#define TEST_OPS_FIXTURE_H

#include "frontend/elaborate/elaborate.h"
#include "frontend/network/interpret.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_MAX_TENSORS = 8 };

struct run {
	struct arena *arena;
	struct diag diag;
	struct network *network;
	struct array *input[RUN_MAX_TENSORS]; /* given before, or filled by run_network */
	struct array *output[RUN_MAX_TENSORS];
	bool training;
};

static inline void run_out_of_memory(void *context)
{
	(void)context;
	abort();
}

static inline void fill(struct array *array, int seed)
{
	for (int64_t i = 0; i < array_count(array); i++)
		array_set(array, i, (double)((i * 7 + i / 17 + seed * 5) % 17 - 8) / 8);
}

static inline struct array *filled(struct array *array, int count, const double value[])
{
	for (int i = 0; i < count; i++)
		array_set(array, i, value[i]);
	return array;
}

/* An input of rank 1 with these values, to put into run.input before run_network; view it in the network. */
#define VALUES(...)                                                                                \
	filled(array_new(TYPE_F32, 1,                                                              \
			 (const int64_t[]){sizeof(double[]){__VA_ARGS__} / sizeof(double)}),       \
	       sizeof(double[]){__VA_ARGS__} / sizeof(double), (const double[]){__VA_ARGS__})

/* Parses and elaborates; run->network stays NULL after errors, which are in run->diag. */
static inline void run_elaborate(struct run *run, const char *text)
{
	run->arena = arena_new(run_out_of_memory, NULL);
	run->diag.arena = run->arena;
	struct program *program = program_new(run->arena, &run->diag);
	struct elaborate_options options = {.training = run->training};
	program_add(program, "test.dnn", text, strlen(text));
	if (run->diag.errors == 0)
		run->network = elaborate(program, NULL, &options);
}

static inline void fill_parameters(struct network *network)
{
	for (int i = 0; i < network->tensor_count; i++) {
		struct tensor *tensor = network->tensor[i];
		size_t length = strlen(tensor->name);
		if (tensor->role != ROLE_PARAM && tensor->role != ROLE_STATE)
			continue;
		tensor->data = array_new(tensor->type, tensor->rank, tensor->extent);
		cr_assert_not_null(tensor->data);
		fill(tensor->data, i + 3);
		for (int64_t k = 0; length > 4 && strcmp(tensor->name + length - 4, ".var") == 0 &&
				    k < tensor_count(tensor);
		     k++)
			array_set(tensor->data, k, fabs(array_get(tensor->data, k)) + 0.5);
	}
}

static inline void run_network(struct run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void run_network(struct run *run, const char *format, ...)
{
	char text[2000];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	cr_assert(length > 0 && (size_t)length < sizeof text);
	run_elaborate(run, text);
	if (!run->network)
		diag_print_text(&run->diag, stderr, false);
	cr_assert_not_null(run->network, "no network from: %s", text);
	const char *broken = network_check(run->network);
	cr_assert_null(broken, "%s: %s", text, broken);
	fill_parameters(run->network);
	for (int i = 0; i < run->network->input_count; i++) {
		const struct tensor *tensor = run->network->input[i];
		if (run->input[i])
			continue;
		run->input[i] = array_new(tensor->type, tensor->rank, tensor->extent);
		fill(run->input[i], i + 1);
	}
	char *error = interpret(run->network, run->input, run->output);
	cr_assert_null(error, "%s: %s", text, error);
}

static inline void run_free(struct run *run)
{
	for (int i = 0; i < RUN_MAX_TENSORS; i++) {
		array_free(run->input[i]);
		array_free(run->output[i]);
	}
	if (run->network)
		network_free(run->network);
	arena_free(run->arena);
	*run = (struct run){0};
}

static inline struct array *param(const struct run *run, const char *name)
{
	for (int i = 0; i < run->network->tensor_count; i++)
		if (strcmp(run->network->tensor[i]->name, name) == 0)
			return run->network->tensor[i]->data;
	cr_assert_fail("no parameter '%s'", name);
	return NULL;
}

/* The element, or `outside` where a subscript is outside. */
static inline double element(const struct array *array, double outside, const int64_t at[])
{
	int64_t offset = 0;
	for (int i = 0; i < array->rank; i++) {
		if (at[i] < 0 || at[i] >= array->extent[i])
			return outside;
		offset = offset * array->extent[i] + at[i];
	}
	return array_get(array, offset);
}

#define AT(array, ...) element(array, NAN, (const int64_t[]){__VA_ARGS__})
#define AT_OR(array, outside, ...) element(array, outside, (const int64_t[]){__VA_ARGS__})

static inline bool is_near(double found, double wanted, double tolerance)
{
	return found == wanted || fabs(found - wanted) <= tolerance * (1 + fabs(wanted));
}

static inline void expect_shape(const struct array *array, int rank, const int64_t extent[],
				int row)
{
	cr_assert_eq(array->rank, rank, "row %d: rank is %d, not %d", row, array->rank, rank);
	for (int i = 0; i < rank; i++)
		cr_assert_eq(array->extent[i], extent[i], "row %d: extent %d is %lld, not %lld",
			     row, i, (long long)array->extent[i], (long long)extent[i]);
}

#define EXPECT_SHAPE(array, row, ...)                                                              \
	expect_shape(array, sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t),                      \
		     (const int64_t[]){__VA_ARGS__}, row)

#endif
