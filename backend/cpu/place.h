/* place.h -- where an access stands while its nest advances, and the instructions that read and
 * write there.
 *
 * An offset is the sum of an LLVM value, which changes with the loops, and a number known while
 * compiling, so that unrolled iterations differ by displacements alone. */
#ifndef BACKEND_CPU_PLACE_H
#define BACKEND_CPU_PLACE_H

#include "backend/cpu/emit.h"

struct offset {
	LLVMValueRef moving; /* i64, or NULL for nothing */
	int64_t fixed;
};

/* index times coef more. */
void offset_advance(struct emitter *, struct offset *, struct offset index, int64_t coef);
LLVMValueRef offset_value(struct emitter *, struct offset);

struct place {
	const struct nest_access *access;
	LLVMValueRef base;               /* pointer to element 0 */
	struct offset linear;            /* elements */
	struct offset special[MAX_RANK]; /* sums of the special subscripts, not yet divided */
};

/* A part of a block: so many lanes of the vector loop, `lane` after the block's first, in
 * iteration `row` of the tile. */
struct part {
	const struct nest *nest;
	int64_t block; /* lanes in the whole block, for panels */
	int row, lane, width;
};

/* Elements between neighbouring lanes, where only the linear part moves; true when a special one
 * does too. */
bool place_lane_step(const struct place *, const struct nest *, int64_t *step);
bool place_depends(const struct place *, int loop);

/* The loop takes the value index: block is what struct part says, 0 outside of the vector loop. */
void place_enter(struct emitter *, struct place *, const struct nest *, int loop,
		 struct offset index, int64_t block);

/* A vector where the lanes read different elements, else the one scalar they share. */
LLVMValueRef place_load(struct emitter *, const struct place *, struct part, bool *is_shared);

/* For targets, whose special subscripts depend on neither lanes nor tile: adds them to the
 * linear part. The result is an i1, whether the element exists, or NULL when it always does. */
LLVMValueRef place_settle(struct emitter *, struct place *);
LLVMValueRef place_load_target(struct emitter *, const struct place *, struct part);
void place_store(struct emitter *, const struct place *, struct part, LLVMValueRef);

#endif
