/* tile.h -- a block of vectors by a tile of iterations: the results that are in registers at
 * once. */
#ifndef BACKEND_CPU_TILE_H
#define BACKEND_CPU_TILE_H

#include "backend/cpu/place.h"

struct tile {
	const struct nest *nest;
	int64_t block; /* lanes of the block at hand; 0 outside of the vector loop */
	int pieces, width[NEST_MAX_VECTORS]; /* its vectors */
	int rows;                            /* iterations of the tile at hand */
	LLVMValueRef stage;                  /* memory for a tile; NULL: vectors reach the target */
	LLVMValueRef result[NEST_MAX_TILE * NEST_MAX_VECTORS]; /* by row and piece */
};

struct part tile_part(const struct tile *, int row, int piece);
LLVMValueRef *tile_result(struct tile *, int row, int piece);

/* Makes the stage where it is needed; at a function's begin. */
void tile_begin(struct emitter *, struct tile *, const struct place *target);
void tile_load(struct emitter *, struct tile *, const struct place *target);
void tile_store(struct emitter *, struct tile *, const struct place *target);

#endif
