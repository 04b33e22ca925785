/* driver.c -- runs an emitted network on inputs from a file and compares its outputs with a file of expected ones.
 *
 *     driver INPUTS EXPECTED TOLERANCE
 *
 * Built once per network, with -include of its header and these macros:
 *     NET(part)    the network's name and the part joined: lenet##part
 *     SCRATCH      bytes of scratch memory that one run needs
 *     IN, OUT      elements of the one input and the one output
 * The error of an element is |ours - expected| / |expected|, and the greatest over all elements and inputs counts;
 * a tolerance of 0 asks for equal bits. All inputs are run by two threads at once as well, in opposite orders and each
 * with its own scratch: they must give the same bits as one thread alone. Plain C11 that is C++11 too. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static float *input, *expected; /* all inputs and their expected outputs, one after the other */
static long inputs;

struct worker {
	float *output; /* inputs * OUT */
	int backwards;
	int failed;
};

/* A whole file of floats; *count is how many. */
static float *read_floats(const char *path, long *count)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		return NULL;
	long size = ftell(file);
	float *data = (float *)malloc((size_t)size + 1);
	rewind(file);
	if (data == NULL || fread(data, 1, (size_t)size, file) != (size_t)size)
		return NULL;
	fclose(file);
	*count = size / (long)sizeof *data;
	return data;
}

static void *work(void *argument)
{
	struct worker *worker = (struct worker *)argument;
	void *scratch = NULL;
	if (SCRATCH > 0 && posix_memalign(&scratch, 64, SCRATCH) != 0) {
		worker->failed = 1;
		return NULL;
	}
	for (long i = 0; i < inputs; i++) {
		long at = worker->backwards ? inputs - 1 - i : i;
		struct NET(_inputs) in = {input + at * IN};
		struct NET(_outputs) out = {worker->output + at * OUT};
		NET(_run)(&in, &out, scratch);
	}
	free(scratch);
	return NULL;
}

/* The greatest relative error; infinity where one value is no number and the other is. */
static double greatest_error(const float *ours)
{
	double worst = 0;
	for (long i = 0; i < inputs * OUT; i++) {
		if (memcmp(&ours[i], &expected[i], sizeof ours[i]) == 0)
			continue;
		double error = fabs((double)ours[i] - expected[i]) / fabs((double)expected[i]);
		if (!(error <= worst))
			worst = error == error ? error : INFINITY;
	}
	return worst;
}

static int two_threads_agree(const float *alone)
{
	struct worker worker[2] = {{NULL, 0, 0}, {NULL, 1, 0}};
	pthread_t thread[2];
	size_t bytes = (size_t)inputs * OUT * sizeof(float);
	int agree = 1;
	for (int i = 0; i < 2; i++) {
		worker[i].output = (float *)calloc(1, bytes);
		if (worker[i].output == NULL ||
		    pthread_create(&thread[i], NULL, work, &worker[i]) != 0)
			return 0;
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		agree = agree && !worker[i].failed && memcmp(alone, worker[i].output, bytes) == 0;
		free(worker[i].output);
	}
	return agree;
}

int main(int argc, char **argv)
{
	long in_count, out_count;
	if (argc != 4 || (input = read_floats(argv[1], &in_count)) == NULL ||
	    (expected = read_floats(argv[2], &out_count)) == NULL) {
		fprintf(stderr, "usage: driver INPUTS EXPECTED TOLERANCE\n");
		return 2;
	}
	inputs = in_count / IN;
	if (inputs == 0 || inputs * IN != in_count || inputs * OUT != out_count) {
		fprintf(stderr, "%s and %s do not hold inputs of %d and outputs of %d floats\n",
			argv[1], argv[2], IN, OUT);
		return 2;
	}
	struct worker alone = {(float *)malloc((size_t)inputs * OUT * sizeof(float)), 0, 0};
	if (alone.output == NULL || (work(&alone), alone.failed)) {
		fprintf(stderr, "out of memory\n");
		return 2;
	}
	double error = greatest_error(alone.output);
	int agree = two_threads_agree(alone.output);
	printf("%ld inputs, greatest relative error %.2g%s\n", inputs, error,
	       agree ? "" : ", but two threads at once give other values");
	free(alone.output);
	free(input);
	free(expected);
	return error <= strtod(argv[3], NULL) && agree ? 0 : 1;
}
