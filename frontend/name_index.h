/* name_index.h -- a number for each name. Names are interned (arena.h): their address is the key. */
#ifndef FRONTEND_NAME_INDEX_H
#define FRONTEND_NAME_INDEX_H

#include "frontend/arena.h"

/* All zero is an empty one. */
struct name_index {
	struct name_slot *slot; /* open addressing; slots is a power of two, or 0 */
	size_t slots, used;
};

/* Where the number of this name stands, 0 until one is stored there; valid until the next call. */
int *name_index_at(struct arena *, struct name_index *, const char *name);

#endif
