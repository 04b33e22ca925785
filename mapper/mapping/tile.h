/* tile.h -- how much of each operand lies at each level: the box that the loops at a level or inside of it walk, and its
 * words. docs/cost-model.md section 1. */
#ifndef MAPPER_TILE_H
#define MAPPER_TILE_H

#include "mapper/mapping/mapping.h"

/* What the loops outside of this loop leave of its dimension. */
int64_t tile_left(const struct mapping *, int loop);
/* Steps of a loop, the last of which may be a part. */
int64_t tile_steps(const struct mapping *, int loop);
/* The first loop that lies at this level or inside of it; m->loops where there is none. */
int tile_first_loop(const struct mapping *, int level);
/* The greatest box that the loops from `first` on walk. */
void tile_box(const struct mapping *, int first, int64_t extent[MAX_DIMS]);
/* Length of one rank of an operand in a box, and words of all ranks; INT64_MAX where they are more. */
int64_t tile_length(const struct operand *, int rank, int dims, const int64_t extent[MAX_DIMS]);
int64_t tile_words(const struct operand *, int dims, const int64_t extent[MAX_DIMS]);

/* How a mapping calls an operand: "I", "W", "O"; the second of a class "W2". */
const char *operand_name(const struct problem *, int operand);

#endif
