/* layer.h -- a layer on the array as its instructions say it, checked: nothing in it can lead outside of a tensor, a memory or
 * the structure itself. docs/accelerator.md sections 2 to 4 say what it means.
 *
 * depth       a number of loops in time, the outermost first
 * chain       the levels that keep an operand, outermost first; the MACs are its end
 * coordinate  along a rank of an operand: the sum of coef * position over the dimensions */
#ifndef RUNTIME_SIMULATOR_LAYER_H
#define RUNTIME_SIMULATOR_LAYER_H

#include "runtime/array.h"
#include "runtime/isa.h"
#include "runtime/simulator/hierarchy.h"
#include "runtime/simulator/tensors.h"

enum { LAYER_DIMS = 16, LAYER_LOOPS = 64, LAYER_OPERANDS = 4, LAYER_SEQUENCERS = 2 * MAX_LEVELS * LAYER_OPERANDS + 1,
       LAYER_SEMAPHORES = 3 * MAX_LEVELS * LAYER_OPERANDS, SEQUENCER_MEETINGS = 4 * LAYER_OPERANDS };

struct layer_loop {
	bool in_space;
	int level, axis, dim;
	int64_t tile;
};

struct layer_rank {
	int axis; /* of the tensor */
	int64_t scale;
	int64_t coef[LAYER_DIMS];
	int64_t least, length; /* of the coordinates of the whole nest */
};

/* A place for the tiles of an operand in each instance of a memory. */
struct layer_keep {
	int64_t base, words; /* of one buffer */
	int buffers;
	enum halo halo;
	int depth;                /* of the loop in whose steps the tile is moved */
	int64_t length[MAX_RANK]; /* of the largest tile along each rank */
};

struct layer_operand {
	int tensor;
	enum tensor_class class;
	bool is_zero_outside;
	int64_t offset[MAX_RANK]; /* of each axis of the tensor */
	int ranks;
	struct layer_rank rank[MAX_RANK];
	unsigned relevant; /* bit per dimension */
	int links;         /* of the chain: its levels, without the MACs */
	int chain[MAX_LEVELS];
	struct layer_keep keep[MAX_LEVELS]; /* by level; of those of the chain but the outermost */
};

enum task { TASK_FILL, TASK_DRAIN, TASK_COMPUTE };

/* A token taken before, or given after, each step of the loop at a depth. */
struct meeting {
	int semaphore, depth;
};

struct sequencer {
	enum task task;
	int level, operand; /* COMPUTE: the level of the MACs, and none */
	int depth;
	int waits, signals;
	struct meeting wait[SEQUENCER_MEETINGS], signal[SEQUENCER_MEETINGS]; /* by their depth, the least first */
	int place;          /* of its instruction in the program */
};

struct layer_expectation {
	int counter, level, operand;
	int64_t value;
};

struct sim_layer {
	const char *name; /* of the code that it was read from */
	const struct hierarchy *machine;
	int dims, loops, operands, sequencers, semaphores, expectations;
	const char *dim[LAYER_DIMS];
	int64_t extent[LAYER_DIMS];
	struct layer_loop loop[LAYER_LOOPS];   /* outermost first; sorted by level, at each level those in time first */
	int depths, time[LAYER_LOOPS];         /* the loops in time */
	int64_t steps[LAYER_LOOPS];            /* of each loop in its first run, which is the fullest */
	bool is_whole;                         /* every step of every loop is whole, so that all runs are alike */
	int64_t used[MAX_LEVELS][MAX_AXES];    /* units along each axis of the array inside a level that ever work */
	int64_t instances[MAX_LEVELS + 1];     /* of each level that ever work, that of the MACs last */
	struct layer_operand operand[LAYER_OPERANDS]; /* the output last */
	struct sequencer sequencer[LAYER_SEQUENCERS];
	int64_t tokens[LAYER_SEMAPHORES];
	struct layer_expectation *expectation; /* owned */
};

/* Reads the layer that begins at *place of the program, which then is the place behind it. NULL, or a sentence (malloc'd). */
char *layer_read(struct sim_layer *, const struct code *, int *place, const struct hierarchy *,
		 const struct tensors *);
void layer_free(struct sim_layer *);

/* The level that brings an operand to this one; that of the MACs is brought all. */
int layer_parent(const struct layer_operand *, int level);
/* The deepest loop at which a sequencer meets others. */
int layer_meets(const struct sequencer *);

#endif
