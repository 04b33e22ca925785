/* mapping.h -- where every loop of a statement runs: in time at a level, in an order, or in space over an axis of
 * the array inside a level; and which tensors each level keeps.
 *
 * A loop over dimension d splits what the loops outside left of d into steps; `tile` is what one step leaves to
 * the inside. The innermost loop of a dimension leaves 1. With perfect factors every step is whole; else the last
 * step of a loop is what remains (COST_MODEL section 2, rule 7). */
#ifndef MAPPER_MAPPING_H
#define MAPPER_MAPPING_H

#include "frontend/network/network.h"
#include "mapper/machine/hierarchy.h"

enum { MAX_DIMS = MAX_LOOPS, MAX_OPERANDS = 4, MAX_MAPPED_LOOPS = 64 };

/* A statement as the mapper sees it: dimensions and, for each operand, the ranks that they index. */
struct operand {
	const char *name; /* of the tensor */
	enum tensor_class class;
	int ranks;
	int64_t coef[MAX_RANK][MAX_DIMS]; /* index of rank r = sum of coef[r][d] * position of d */
	unsigned relevant;                /* bit per dimension that indexes it */
	int axis[MAX_RANK];               /* of the tensor, along which a rank moves; two ranks may move along one, */
	int64_t scale[MAX_RANK];          /* by so many elements for a step */
};

struct problem {
	const char *name;
	int dims;
	const char *dim[MAX_DIMS]; /* "n", "k", ... */
	int64_t extent[MAX_DIMS];
	int ones; /* loops of one step: none of the dimensions, but mappings may name them */
	const char *one[MAX_DIMS];
	int operands; /* the inputs, then the output last */
	struct operand operand[MAX_OPERANDS];
};

/* Why a statement cannot be mapped, as half a sentence; NULL where it can. */
const char *problem_obstacle(const struct statement *);
/* Dimensions of extent 1 are left out; the name is the layer's. NULL where there is an obstacle. */
struct problem *problem_of(struct arena *, const struct statement *);
/* The same work: the same loops by name and extent, indexing operands alike, whatever the tensors are called. */
bool problem_equal(const struct problem *, const struct problem *);

enum loop_kind { LOOP_TIME, LOOP_SPACE };

struct mapped_loop {
	enum loop_kind kind;
	int level; /* time: of the memory whose refills it orders; space: of the array inside this level */
	int axis; /* SPACE */
	int dim;
	int64_t tile; /* >= 1: what one step leaves to the inside */
};

/* Loops outermost first, sorted by level; at one level the loops in time stand before those in space. */
struct mapping {
	const struct problem *problem;
	const struct hierarchy *machine;
	unsigned keep[MAX_LEVELS]; /* bit per operand */
	int loops;
	struct mapped_loop loop[MAX_MAPPED_LOOPS];
};

#endif
