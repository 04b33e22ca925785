/* layers.c -- the speed of single layers: for each shape that the well-known networks hold,
 * GFLOP/s of the native code and the share of what the FMA units of this core can do, measured
 * in the same run. One thread.
 *
 *     layers [WORD]     only the layers whose text holds WORD
 *
 * A line that ends with '*' is a convolution or dense layer below 1/20 of the peak; then the
 * exit code is 1. */
#include "backend/cpu/cpu.h"
#include "frontend/elaborate/elaborate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double ENOUGH = 0.15, LEAST_SHARE = 1.0 / 20; /* seconds of runs of one layer */

#if defined __AVX512F__
typedef float vector __attribute__((vector_size(64)));
#elif defined __AVX__
typedef float vector __attribute__((vector_size(32)));
#else
typedef float vector __attribute__((vector_size(16)));
#endif

static const char *const layers[] = {
	"x: f32[1, 3, 227, 227] alexnet conv(x, 96, kernel = 11, stride = 4)",
	"x: f32[1, 96, 27, 27] alexnet conv(x, 256, kernel = 5, pad = 2, group = 2)",
	"x: f32[1, 256, 13, 13] alexnet conv(x, 384, kernel = 3, pad = 1)",
	"x: f32[1, 384, 13, 13] alexnet conv(x, 384, kernel = 3, pad = 1, group = 2)",
	"x: f32[1, 9216] alexnet dense(x, 4096)",
	"x: f32[1, 4096] alexnet dense(x, 1000)",
	"x: f32[1, 3, 224, 224] vgg conv(x, 64, kernel = 3, pad = 1)",
	"x: f32[1, 64, 224, 224] vgg conv(x, 64, kernel = 3, pad = 1)",
	"x: f32[1, 128, 112, 112] vgg conv(x, 128, kernel = 3, pad = 1)",
	"x: f32[1, 256, 56, 56] vgg conv(x, 256, kernel = 3, pad = 1)",
	"x: f32[1, 512, 28, 28] vgg conv(x, 512, kernel = 3, pad = 1)",
	"x: f32[1, 512, 14, 14] vgg conv(x, 512, kernel = 3, pad = 1)",
	"x: f32[1, 3, 224, 224] resnet conv(x, 64, kernel = 7, stride = 2, pad = 3)",
	"x: f32[1, 64, 56, 56] resnet conv(x, 64, kernel = 1)",
	"x: f32[1, 64, 56, 56] resnet conv(x, 256, kernel = 1)",
	"x: f32[1, 128, 56, 56] resnet conv(x, 128, kernel = 3, stride = 2, pad = 1)",
	"x: f32[1, 256, 56, 56] resnet conv(x, 512, kernel = 1, stride = 2)",
	"x: f32[1, 512, 7, 7] resnet conv(x, 512, kernel = 3, pad = 1)",
	"x: f32[1, 512, 7, 7] resnet conv(x, 2048, kernel = 1)",
	"x: f32[1, 2048, 7, 7] resnet conv(x, 512, kernel = 1)",
	"x: f32[1, 2048] resnet dense(x, 1000)",
	"x: f32[32, 2048] batch dense(x, 1000)",
	"x: f32[1, 32, 112, 112] mobilenet conv(x, 32, kernel = 3, pad = 1, group = 32)",
	"x: f32[1, 64, 112, 112] mobilenet conv(x, 64, kernel = 3, stride = 2, pad = 1, group = "
	"64)",
	"x: f32[1, 1024, 7, 7] mobilenet conv(x, 1024, kernel = 3, pad = 1, group = 1024)",
	"x: f32[1, 32, 112, 112] mobilenet conv(x, 64, kernel = 1)",
	"x: f32[1, 1, 28, 28] lenet conv(x, 6, kernel = 5, pad = 2)",
	"x: f32[1, 6, 14, 14] lenet conv(x, 16, kernel = 5)",
	"x: f32[1, 400] lenet dense(x, 120)",
	"x: f32[1, 84] lenet dense(x, 10)",
	"x: f32[1, 12, 128, 64], z: f32[1, 12, 64, 128] attention matmul(x, z)",
	"x: f32[1, 12, 128, 64] attention attention(x, x, x)",
	"x: f32[1, 128, 768] transformer linear(x, 3072)",
	"x: f32[1, 128, 768] transformer layer_norm(x)",
	"x: f32[1, 64, 112, 112] pool maxpool(x, kernel = 3, stride = 2, pad = 1)",
	"x: f32[1, 64, 224, 224] pool maxpool(x, kernel = 2, stride = 2)",
	"x: f32[1, 512, 7, 7] pool global_avgpool(x)",
	"x: f32[1, 64, 112, 112] pointwise relu(x)",
	"x: f32[1, 64, 112, 112], z: f32[1, 64, 112, 112] pointwise x + z",
	"x: f32[1, 64, 112, 112] pointwise batch_norm(x)",
	"x: f32[1, 96, 55, 55] pointwise lrn(x, size = 5)",
	"x: f32[1, 64, 56, 56] pointwise sigmoid(x)",
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* GFLOP/s of twelve independent chains of multiply-adds; the empty assembly keeps every step.
 * The best of many short runs, since others may use the core. */
static double peak(void)
{
	enum { STEPS = 20000, RUNS = 300 };
	vector factor = {0}, step = {0};
	vector a = step, b = step, c = step, d = step, e = step, f = step;
	vector g = step, h = step, i = step, j = step, k = step, l = step;
	double least = 1e9;
	for (int run = 0; run < RUNS; run++) {
		double start = now();
		for (int n = 0; n < STEPS; n++) {
			a = a * factor + step, b = b * factor + step, c = c * factor + step;
			d = d * factor + step, e = e * factor + step, f = f * factor + step;
			g = g * factor + step, h = h * factor + step, i = i * factor + step;
			j = j * factor + step, k = k * factor + step, l = l * factor + step;
			__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f));
			__asm__ volatile("" : "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l));
		}
		double time = now() - start;
		least = time < least ? time : least;
	}
	return 2.0 * 12 * (sizeof(vector) / sizeof(float)) * STEPS / least / 1e9;
}

static void out_of_memory(void *context)
{
	(void)context;
	fputs("layers: out of memory\n", stderr);
	exit(5);
}

static void check(const char *layer, char *error)
{
	if (!error)
		return;
	fprintf(stderr, "layers: %s: %s\n", layer, error);
	exit(1);
}

/* `inputs name expression` becomes a network. */
static struct network *build(struct arena *arena, struct diag *diag, const char *layer)
{
	const char *bracket = strrchr(layer, ']') + 2, *space = strchr(bracket, ' ');
	const char *text = arena_printf(arena, "network layer(%.*s) { y = %s; return y }",
					(int)(bracket - 1 - layer), layer, space + 1);
	struct program *program = program_new(arena, diag);
	struct elaborate_options options = {0};
	program_add(program, "layer", text, strlen(text));
	return diag->errors ? NULL : elaborate(program, NULL, &options);
}

static double seconds_of_a_run(const char *layer, const struct cpu_program *program,
			       struct array **input)
{
	double least = 1e9, spent = 0;
	for (int runs = 0; spent < ENOUGH || runs < 3; runs++) {
		struct array *output[8];
		double start = now();
		check(layer, cpu_run(program, input, output));
		double time = now() - start;
		least = time < least ? time : least;
		spent += time;
		array_free(output[0]);
	}
	return least;
}

/* Prints one line; false when a layer of multiply-accumulates is too slow. */
static bool measure(const char *layer, double fma_peak)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	struct diag diag = {.arena = arena};
	struct network *net = build(arena, &diag, layer);
	struct cpu_program *program;
	struct array *input[2];
	double macs = 0, points = 0;
	if (!net) {
		diag_print_text(&diag, stderr, false);
		exit(1);
	}
	for (int i = 0; i < net->statement_count; i++) {
		macs += (double)statement_macs(net->statement[i]);
		points += (double)statement_points(net->statement[i]);
	}
	network_initialise(net, 1);
	for (int i = 0; i < net->input_count; i++) {
		input[i] = array_new(TYPE_F32, net->input[i]->rank, net->input[i]->extent);
		for (int64_t j = 0; j < array_count(input[i]); j++)
			array_set(input[i], j, (double)(j % 17) / 17);
	}
	double start = now();
	check(layer, cpu_compile(net, NULL, &program));
	double compiled = now() - start, seconds = seconds_of_a_run(layer, program, input);
	double rate = (macs > 0 ? 2 * macs : points) / seconds / 1e9;
	bool is_slow = macs > 0 && rate < LEAST_SHARE * fma_peak;
	printf("%9.3f %9.2f %6.1f%% %6.2f  %s%s\n", seconds * 1e3, rate, 100 * rate / fma_peak,
	       compiled, layer, is_slow ? "  *" : "");
	for (int i = 0; i < net->input_count; i++)
		array_free(input[i]);
	cpu_program_free(program);
	network_free(net);
	arena_free(arena);
	return !is_slow;
}

int main(int argc, char **argv)
{
	double fma_peak = peak();
	bool fast = true;
	printf("peak %.1f GFLOP/s\n%9s %9s %7s %6s  layer\n", fma_peak, "ms", "GFLOP/s", "of peak",
	       "compile");
	for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
		if (argc < 2 || strstr(layers[i], argv[1]))
			fast &= measure(layers[i], fma_peak);
	return fast ? 0 : 1;
}
