/* counters.h -- what a layer has counted while it ran: docs/cost-model.md sections 2 and 3, found by doing.
 *
 * boundary  between a level that keeps an operand, the child, and the next one outward that does, the parent; the MACs are the last child
 * sending   what one network carries once: a box of words, for all units that share it */
#ifndef RUNTIME_SIMULATOR_COUNTERS_H
#define RUNTIME_SIMULATOR_COUNTERS_H

#include "runtime/simulator/box.h"
#include "runtime/simulator/layer.h"

/* In the order of the words of isa.def. Accesses follow the kinds of access. */
enum counter {
	COUNTER_MACS,
	COUNTER_UNITS,
	COUNTER_STEPS,
	COUNTER_CYCLES,
	COUNTER_INSTANCES,
	COUNTER_TILE,
	COUNTER_READS,
	COUNTER_FILLS,
	COUNTER_UPDATES,
	COUNTER_READ_ACCESSES,
	COUNTER_FILL_ACCESSES,
	COUNTER_UPDATE_ACCESSES,
	COUNTER_DELIVERIES,
	COUNTER_HOPS,
	COUNTER_NETWORK,
	COUNTERS
};

struct counters {
	const struct sim_layer *layer;
	int64_t macs, steps;
	bool *worked; /* of each MAC unit: ever */
	/* Of each instance of a level: words of an operand, and those at the outer end of the array inside. */
	int64_t *words[MAX_LEVELS][LAYER_OPERANDS][ACCESS_KINDS], *network[MAX_LEVELS][LAYER_OPERANDS];
	int64_t tile[MAX_LEVELS][LAYER_OPERANDS];
	int64_t deliveries[MAX_LEVELS][LAYER_OPERANDS], hops[MAX_LEVELS][LAYER_OPERANDS];
	struct came *came; /* of the boundary inside of each level that keeps the output */
	struct sender *sender;
	bool is_out_of_memory;
};

/* For the layer, which is to outlive it. Words of the output that come will be marked one by one; or, where all runs are alike, are
 * told from the loops. NULL when memory is out. */
struct counters *counters_new(const struct sim_layer *, bool are_marked);
void counters_free(struct counters *);

/* So many steps in each of which every instance of the child gets (of the output: gives) a box. */
void counters_send(struct counters *, int operand, int child, const struct box sent[], int64_t times);
/* Where words are marked: those of the output that instances of the child give. */
void counters_mark(struct counters *, int child, const struct box sent[]);

/* Has each MAC unit the memory that it reads the operand from (adds sums to) for itself? Then each of its accesses is one of that memory. */
bool counters_are_single(const struct counters *, int operand);
/* So many accesses of MACs that are single, which were counted at their memories: what else they are. */
void counters_deliver(struct counters *, int operand, int64_t accesses);

/* requires all to be sent. Level and operand are 0 where the counter has none. */
int64_t counters_value(const struct counters *, enum counter, int level, int operand);

#endif
