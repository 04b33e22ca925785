/* simulate.h -- executes a layer on the array, each word moved and each product made one by one: docs/accelerator.md section 4.
 *
 * turn    what a sequencer does at once: takes its tokens, does one step, gives tokens
 * seed    of the order in which sequencers that can go on take their turns; any order gives the same */
#ifndef RUNTIME_SIMULATOR_SIMULATE_H
#define RUNTIME_SIMULATOR_SIMULATE_H

#include "runtime/simulator/layer.h"
#include "runtime/simulator/counters.h"

struct simulation_options {
	bool is_shuffled; /* turns in a random order, else each sequencer goes on as far as it can */
	uint64_t seed;
};

/* Executes the layer on the tensors, of which the output is added to, and counts. NULL, or a sentence (malloc'd) where it is dead-locked
 * or memory is out. */
char *simulate_layer(const struct layer *, const struct tensors *, const struct simulation_options *,
		     struct counters *);

#endif
