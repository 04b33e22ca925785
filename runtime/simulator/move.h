/* move.h -- the memories of a layer while it runs, and what sequencers do with them: bring a tile, send one, multiply and accumulate.
 *
 * visit   a tile in a memory, from when it is filled until the next one is; numbered from 0 in the layer
 * sum     of the output: where sums are brought down they leave the parent, and are added to it when they come back, so that a
 *         word is in one place at any time
 * boxes   what each instance gets or gives in a step, whether it is moved or only counted */
#ifndef RUNTIME_SIMULATOR_MOVE_H
#define RUNTIME_SIMULATOR_MOVE_H

#include "runtime/simulator/counters.h"
#include "runtime/simulator/nest.h"

struct memories {
	const struct sim_layer *layer;
	const struct tensors *tensors;
	int64_t room[MAX_LEVELS];              /* words of one instance that the layer uses */
	bool have_words;                       /* else nothing is moved, but only counted */
	int64_t *word[MAX_LEVELS];             /* of all instances, one after the other */
	struct box *held[MAX_LEVELS][LAYER_OPERANDS]; /* the tile of each instance's last visit, where that level keeps the operand */
	struct box *sent, *next; /* of each instance: what it gets or gives in a step; the tile of the step after */
	struct counters *counters;
	struct multiplier *multiplier; /* where all runs are alike and words are moved; else NULL */
};

/* Where a sequencer is. */
struct place_of_loops {
	int64_t step[LAYER_LOOPS];
	int64_t visit[LAYER_LOOPS + 1]; /* at each depth: steps begun, so that the tile of this depth is that number - 1 */
	int moved;                      /* depth of the outermost loop that has just stepped; 0 in the beginning */
};

/* Without words, if they are only counted. False when memory is out; then, too, they are to be freed. */
bool memories_make(struct memories *, const struct sim_layer *, const struct tensors *, struct counters *,
		   bool have_words);
void memories_free(struct memories *);

/* So many steps, as the one at which the sequencer is. */
void move_fill(struct memories *, const struct sequencer *, const struct place_of_loops *, int64_t times);
void move_drain(struct memories *, const struct sequencer *, const struct place_of_loops *, int64_t times);
void move_compute(struct memories *, const struct place_of_loops *, int64_t times);
/* Once all steps are done: counts that follow from their number. */
void move_end(struct memories *);

#endif
