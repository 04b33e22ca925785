/* nest.h -- how a CPU walks one statement: which loop runs over the lanes of a vector, which is
 * unrolled into registers, in which order the others run, and how each operand is laid out for
 * that.
 *
 * free loop   distinct values lead to distinct elements of the target: any order, lanes and
 *             registers are allowed
 * bound loop  several values may meet in one element (transposed convolution): keeps the
 *             statement's order
 * lane        one element of a vector; a vector runs over `vector_loop`
 * piece       a vector of the block: a block is `vectors` of them side by side
 * tile        iterations of `tile_loop` whose results are held in registers at once
 * panel       a constant operand copied so that a block's lanes are neighbours and blocks
 *             follow one another
 * halo        the elements around a tensor that a read outside it gives
 *
 * Every element of the target is summed in the order of the statement's reduction loops whatever
 * is chosen here, so that the choice changes the time and never the value. */
#ifndef MAPPER_NEST_H
#define MAPPER_NEST_H

#include "frontend/network/network.h"

enum { NEST_MAX_TILE = 16, NEST_MAX_VECTORS = 8 };

struct nest_machine {
	int vector_bytes; /* of one register; >= 8 */
	int registers;    /* vector registers */
};

enum nest_form {
	NEST_DIRECT, /* the tensor as it lies in memory */
	NEST_PADDED, /* a copy with its halo, made before the nest runs */
	NEST_PANEL   /* a constant, laid out anew while compiling */
};

/* A dimension whose subscript is divided or guarded, and therefore no part of the linear offset. */
struct nest_special {
	struct subscript subscript; /* over the nest's loops */
	int64_t stride;             /* elements from one position to the next */
	int64_t extent;
	bool guarded; /* may lie outside: access->outside says what then */
};

struct nest_access {
	const struct access *access;
	enum nest_form form;
	int64_t coef[MAX_LOOPS]; /* elements that one step of each loop moves */
	int64_t offset;          /* elements from the tensor's first, or from the padded copy's */
	int specials;
	struct nest_special special[MAX_RANK];
	int64_t low[MAX_RANK]; /* PADDED: the copy holds positions low .. low + extent - 1 */
	int64_t extent[MAX_RANK];
};

struct nest_loop {
	const char *name;
	int64_t extent; /* >= 2 */
};

struct nest {
	const struct statement *statement;
	int free, bound, loops; /* [0, free) are free, [free, bound) bound, the rest reduced */
	struct nest_loop loop[MAX_LOOPS];
	int position[MAX_LOOPS]; /* where each loop of the statement is here; -1: nowhere */
	int order[MAX_LOOPS];    /* the free loops, outermost first */
	int vector_loop;         /* or -1: scalars */
	int lanes, vectors;      /* 1, 1 for scalars */
	int tile_loop;           /* or -1 */
	int tile;
	struct nest_access target;
	int reads;
	struct nest_access *read; /* in the order in which the expression is written */
};

/* The nest with the least estimated cost; lives in the arena, and points into the statement. */
struct nest *nest_choose(struct arena *, const struct statement *, const struct nest_machine *);

/* Iterations of a panel's loops; the elements of the panel. */
int64_t nest_panel_count(const struct nest *, const struct nest_access *);
/* Elements of a padded copy. */
int64_t nest_padded_count(const struct nest_access *);
/* Elements that a step of the loop moves in a panel, where the block at hand has so many lanes
 * in all. */
int64_t nest_panel_coef(const struct nest *, const struct nest_access *, int loop, int64_t block);
/* Is the loop inside of the one that runs over the lanes? */
bool nest_is_inside(const struct nest *, int loop);

/* The tensor that holds the elements: the one viewed, for a view. */
struct tensor *nest_storage(const struct tensor *);

#endif
