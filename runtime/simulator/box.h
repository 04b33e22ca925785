/* box.h -- words of an operand: the coordinates between two bounds along each of its ranks. */
#ifndef RUNTIME_SIMULATOR_BOX_H
#define RUNTIME_SIMULATOR_BOX_H

#include "runtime/array.h"

#include <string.h>

/* Ranks that the operand does not have are one word long. An extent of 0: no words. */
struct box {
	int64_t first[MAX_RANK], extent[MAX_RANK];
};

static inline int64_t box_words(const struct box *b)
{
	int64_t words = 1;
	for (int r = 0; r < MAX_RANK; r++)
		words *= b->extent[r] > 0 ? b->extent[r] : 0;
	return words;
}

static inline bool box_equal(const struct box *a, const struct box *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* Goes on to the next word of a box, the last rank fastest; false behind the last. Begins at `first`. */
static inline bool box_next(const struct box *b, int64_t coordinate[MAX_RANK])
{
	for (int r = MAX_RANK - 1; r >= 0; r--) {
		if (++coordinate[r] < b->first[r] + b->extent[r])
			return true;
		coordinate[r] = b->first[r];
	}
	return false;
}

#endif
