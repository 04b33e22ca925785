/* simulate.h -- executes a layer on the array: docs/accelerator.md section 4.
 *
 * turn        what a sequencer does at once: takes its tokens, does one step, gives tokens
 * functional  sequencers take all their turns, but words are not moved: what each step moves is counted from its descriptor, and the
 *             values are found by one kernel for the layer
 * stepped     each word is moved and each product made one by one, in memories of the machine's size */
#ifndef RUNTIME_SIMULATOR_SIMULATE_H
#define RUNTIME_SIMULATOR_SIMULATE_H

#include "runtime/simulator/layer.h"
#include "runtime/simulator/counters.h"

struct simulation_options {
	bool is_stepped;  /* else functional */
	bool is_shuffled; /* turns in a random order, which changes nothing; else each sequencer goes on as far as it can */
	uint64_t seed;    /* of that order */
};

/* Executes the layer on the tensors, of which the output is added to, and counts. NULL, or a sentence (malloc'd): of a deadlock, of a tile
 * that is used before it is there or overwritten while it is used, or where memory is out. */
char *simulate_layer(const struct sim_layer *, const struct tensors *, const struct simulation_options *,
		     struct counters *);
/* The counters that it needs. NULL when memory is out. */
struct counters *simulate_counters(const struct sim_layer *, const struct simulation_options *);

#endif
