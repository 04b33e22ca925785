/* name_index.h -- a number, or a place in a text, for each name. Names are interned (arena.h): their address is the key. */
#ifndef FRONTEND_NAME_INDEX_H
#define FRONTEND_NAME_INDEX_H

#include "frontend/source/diag.h"

/* All zero is an empty one. */
struct name_index {
	struct name_slot *slot; /* open addressing; slots is a power of two, or 0 */
	size_t slots, used;
};

/* Where the number of this name stands, 0 until one is stored there; valid until the next call. */
int *name_index_at(struct arena *, struct name_index *, const char *name);
/* Where names that may stand once stand. All zero is empty. */
struct name_places {
	struct name_index index; /* 1 + the position in place */
	struct span *place;
	int count;
};

/* The place where the name stood before; NULL where it did not, and then it stands here. */
const struct span *name_stood(struct arena *, struct name_places *, const char *name, struct span here);

#endif
