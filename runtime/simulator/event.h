/* event.h -- when things happen: a layer's sequencers with the time that each step takes, in cycles. docs/accelerator.md, section 6.
 *
 * job       a turn of a sequencer: a transfer, or the arithmetic of the loops that no token belongs to
 * resource  a port of a memory, or the network of an array; one job at a time has it
 * stall     cycles in which no arithmetic is done, by what it waited for */
#ifndef RUNTIME_SIMULATOR_EVENT_H
#define RUNTIME_SIMULATOR_EVENT_H

#include "runtime/simulator/layer.h"

enum stall { STALL_TILE, STALL_PORT, STALL_RATE, STALL_END, STALLS };

/* One job that was done. */
struct event {
	int sequencer;
	int64_t start, cycles;
};

struct event_options {
	void (*tell)(void *context, const struct event *); /* or NULL */
	void *context;
};

struct event_result {
	int64_t cycles; /* busy and all stalls */
	int64_t busy;   /* steps of the arithmetic */
	/* TILE: for a tile of the operand in its innermost memory; PORT: for a port that others had; RATE: for words of the innermost memories, while
	 * it went on; END: for the last sums. */
	int64_t tile[LAYER_OPERANDS];
	int64_t stall[STALLS];
};

/* requires that every step of every loop is whole. NULL, or a sentence (malloc'd). */
char *event_run(const struct sim_layer *, const struct tensors *, const struct event_options *,
		struct event_result *);

#endif
