/* run.h -- executes a program for an accelerator from beginning to end: its layers on the simulated array, its statements on the unit
 * behind it or the host, in their order, on tensors in one outermost memory. */
#ifndef RUNTIME_SIMULATOR_RUN_H
#define RUNTIME_SIMULATOR_RUN_H

#include "runtime/array.h"
#include "runtime/dnx.h"
#include "runtime/simulator/event.h"
#include "runtime/simulator/simulate.h"

/* What a layer counted, and what it was expected to count; 0 where a counter has no such level or operand. */
struct layer_counts {
	const char *layer; /* of the program */
	int64_t found[COUNTERS][MAX_LEVELS][LAYER_OPERANDS], expected[COUNTERS][MAX_LEVELS][LAYER_OPERANDS];
};

struct run {
	struct dnx dnx;               /* owned */
	struct hierarchy machine;     /* its names are of the dnx */
	struct tensors tensors;       /* owned */
	int layers, statements;       /* executed */
	struct layer_counts *counted; /* of each layer; owned */
};

/* Takes the contents of a file, all of which is checked but the layers and statements. NULL, or a sentence (malloc'd). */
char *run_open(struct run *, const uint8_t *, size_t);
void run_close(struct run *);

/* Has the array the type and shape of the tensor? */
bool run_takes(const struct sim_tensor *, const struct array *);

/* requires an array for each input; fills an array for each output (array_free). NULL, or a sentence: of an input of another type or
 * shape, of a program that is wrong or cannot go on. Counters that are not the expected ones are no error, see counted. */
char *run_execute(struct run *, struct array *const input[], struct array *output[],
		  const struct simulation_options *);
/* Counters that differ from the expected ones. */
int64_t run_differences(const struct run *);
/* A table of them. */
void run_print_differences(const struct run *, FILE *);
/* What of a program in time is looked at. */
struct event_window {
	const char *layer; /* NULL: all layers */
	int64_t from, to;  /* cycles of each, for the trace */
};

/* When each layer does what: a table of its cycles, and of those in which no arithmetic is done, by cause. Into `trace` (NULL: nowhere) what
 * Perfetto and chrome://tracing show. NULL, or a sentence. */
char *run_print_events(const struct run *, const struct event_window *, FILE *table, FILE *trace);
/* A table of all counters of each layer. */
void run_print_counters(const struct run *, FILE *);

#endif
