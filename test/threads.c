/* threads.c -- the library keeps no state of its own: several threads that compile and run a network at once get what
 * one alone gets. A plain program, since Criterion's processes do not start under the thread sanitizer; that one
 * watches here for memory that two threads share.
 *
 *     threads NETWORK.dnn MACHINE.hw */
#include "backend/cpu/cpu.h"
#include "frontend/elaborate/elaborate.h"
#include "frontend/network/interpret.h"
#include "frontend/machine/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, RUNS = 3 };

struct work {
	const char *network_file, *machine_file;
	const char *failed; /* what did not work, or NULL */
	char *output;       /* of the network; malloc'd */
	size_t output_size;
	char *object; /* its native code; malloc'd */
	size_t object_size;
};

static void out_of_memory(void *context)
{
	(void)context;
	fputs("threads: out of memory\n", stderr);
	exit(2);
}

/* An input whose elements count up. */
static struct array *input_of(const struct network *network)
{
	const struct tensor *wanted = network->input[0];
	struct array *input = array_new(wanted->type, wanted->rank, wanted->extent);
	for (int64_t i = 0; input && i < array_count(input); i++)
		((float *)input->data)[i] = (float)(i % 17) / 17;
	return input;
}

/* NULL or what failed. */
static const char *interpret_once(const struct network *network, struct work *work)
{
	struct array *input = input_of(network), *output = NULL;
	char *error = interpret(network, &input, &output);
	array_free(input);
	if (error) {
		free(error);
		return "interpretation";
	}
	work->output_size = (size_t)array_bytes(output);
	work->output = malloc(work->output_size);
	memcpy(work->output, output->data, work->output_size);
	array_free(output);
	return NULL;
}

/* Without sanitizers: code is emitted in a forked process, which may not allocate under gcc 12's sanitizers when
 * another thread of the parent did so at that moment. */
static const char *emit_once(const struct network *network, struct work *work)
{
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
	(void)network, (void)work;
	return NULL;
#else
	struct cpu_target here = {0};
	char *note = NULL;
	char *error =
		cpu_emit(network, &here, CPU_OBJECT, &work->object, &work->object_size, &note);
	free(note);
	free(error);
	return error ? "native code" : NULL;
#endif
}

/* Code made, linked and run in this process, while other threads of it do the same: a copy of the process that is
 * made while a thread holds a lock of LLVM would wait for ever. */
static const char *run_native(const struct network *network, struct work *work)
{
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
	(void)network, (void)work;
	return NULL;
#else
	bool is_same = true;
	for (int i = 0; i < RUNS && is_same; i++) {
		struct array *input = input_of(network), *output = NULL;
		struct cpu_program *program;
		char *error = cpu_compile(network, NULL, &program);
		if (!error)
			error = cpu_run(program, &input, &output);
		is_same = !error && memcmp(output->data, work->output, work->output_size) == 0;
		free(error);
		array_free(input);
		array_free(output);
		cpu_program_free(program);
	}
	return is_same ? NULL : "native code in memory";
#endif
}

static void *compile(void *argument)
{
	struct work *work = argument;
	struct arena *arena = arena_new(out_of_memory, NULL);
	struct diag diag = {.arena = arena};
	struct elaborate_options options = {0};
	struct program *program = program_new(arena, &diag);
	program_read(program, work->network_file);
	program_read(program, work->machine_file);
	if (!machine_check(program, NULL))
		work->failed = "the machine";
	struct network *network = elaborate(program, NULL, &options);
	if (!network || !network_initialise(network, 0) || network_check(network))
		work->failed = "elaboration";
	if (!work->failed)
		work->failed = interpret_once(network, work);
	if (!work->failed)
		work->failed = emit_once(network, work);
	if (!work->failed)
		work->failed = run_native(network, work);
	if (network)
		network_free(network);
	arena_free(arena);
	return NULL;
}

static bool is_same(const struct work *a, const struct work *b)
{
	return a->output_size == b->output_size && a->object_size == b->object_size &&
	       memcmp(a->output, b->output, a->output_size) == 0 &&
	       (a->object_size == 0 || memcmp(a->object, b->object, a->object_size) == 0);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: threads NETWORK.dnn MACHINE.hw\n", stderr);
		return 2;
	}
	struct work work[THREADS + 1];
	pthread_t thread[THREADS + 1];
	int wrong = 0;
	for (int i = 0; i <= THREADS; i++)
		work[i] = (struct work){.network_file = argv[1], .machine_file = argv[2]};
	compile(&work[0]); /* alone */
	for (int i = 1; i <= THREADS; i++)
		if (pthread_create(&thread[i], NULL, compile, &work[i]) != 0)
			out_of_memory(NULL);
	for (int i = 1; i <= THREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i <= THREADS; i++) {
		if (work[i].failed) {
			printf("thread %d: %s failed\n", i, work[i].failed);
			wrong = 1;
		} else if (!is_same(&work[0], &work[i])) {
			printf("thread %d: other bytes than one thread alone\n", i);
			wrong = 1;
		}
	}
	for (int i = 0; i <= THREADS; i++) {
		free(work[i].output);
		free(work[i].object);
	}
	return wrong;
}
