/* bench.c -- times one emitted network: compiled with -include of its header, -DNET(part)=name##part,
 * -DSCRATCH=bytes and -march=native. Prints the median and the least time of one run in milliseconds, and the
 * peak of this core in GFLOP/s, measured in the same process between the runs so that both see the same clock.
 *
 * A network of one input and one output is expected; the buffers are larger than those of any example. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BUFFER_BYTES = 16 << 20, MOST_RUNS = 1001, LEAST_RUNS = 5, CHAINS = 12 };

static const double ENOUGH = 1.0; /* seconds of runs, after which their number suffices */

#if defined __AVX512F__
typedef float vector __attribute__((vector_size(64)));
#elif defined __AVX__
typedef float vector __attribute__((vector_size(32)));
#else
typedef float vector __attribute__((vector_size(16)));
#endif

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* GFLOP/s of independent chains of multiply-adds, as many as hide their latency. The empty assembly keeps every step
 * of every chain; the chains have names since an array of them would live in memory. */
static double peak(void)
{
	enum { STEPS = 2000000 };
	vector factor = {0}, step = {0};
	vector a = step, b = step, c = step, d = step, e = step, f = step;
	vector g = step, h = step, i = step, j = step, k = step, l = step;
	__asm__("" : "+x"(factor), "+x"(step));
	double start = now();
	for (int n = 0; n < STEPS; n++) {
		a = a * factor + step, b = b * factor + step, c = c * factor + step;
		d = d * factor + step, e = e * factor + step, f = f * factor + step;
		g = g * factor + step, h = h * factor + step, i = i * factor + step;
		j = j * factor + step, k = k * factor + step, l = l * factor + step;
		__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(f));
		__asm__ volatile("" : "+x"(g), "+x"(h), "+x"(i), "+x"(j), "+x"(k), "+x"(l));
	}
	double seconds = now() - start;
	return 2.0 * STEPS * CHAINS * (sizeof(vector) / sizeof(float)) / seconds * 1e-9;
}

int main(void)
{
	static double seconds[MOST_RUNS];
	float *input = aligned_alloc(64, BUFFER_BYTES), *output = aligned_alloc(64, BUFFER_BYTES);
	void *scratch = aligned_alloc(64, ((size_t)SCRATCH + 64) / 64 * 64);
	if (input == NULL || output == NULL || scratch == NULL) {
		fprintf(stderr, "bench: out of memory\n");
		return 1;
	}
	for (size_t i = 0; i < BUFFER_BYTES / sizeof(float); i++)
		input[i] = (float)(i * 2654435761u % 1000) / 500 - 1;

	struct NET(_inputs) in = {input};
	struct NET(_outputs) out = {output};
	NET(_run)(&in, &out, scratch);
	double best_peak = peak(), spent = 0;
	int runs = 0;
	while (runs < MOST_RUNS && (runs < LEAST_RUNS || spent < ENOUGH)) {
		double start = now();
		NET(_run)(&in, &out, scratch);
		spent += seconds[runs++] = now() - start;
	}
	double again = peak();
	best_peak = again > best_peak ? again : best_peak;
	qsort(seconds, (size_t)runs, sizeof *seconds, compare);
	printf("%d %.9g %.9g %.9g\n", runs, seconds[runs / 2] * 1e3, seconds[0] * 1e3, best_peak);
	free(input);
	free(output);
	free(scratch);
	return 0;
}
