/* name_index.c -- a number for each interned name, in a table at most half full; with it, where names stand first. */
#include "frontend/source/name_index.h"

#include <stdint.h>

enum { FIRST_SLOTS = 64 };

struct name_slot {
	const char *name; /* NULL: empty */
	int number;
};

/* The slot of this name, or the empty one where it belongs. */
static struct name_slot *find(const struct name_index *index, const char *name)
{
	size_t mask = index->slots - 1, i = ((uintptr_t)name >> 4) * 0x9e3779b9 & mask;
	while (index->slot[i].name && index->slot[i].name != name)
		i = (i + 1) & mask;
	return &index->slot[i];
}

static void widen(struct arena *arena, struct name_index *index)
{
	struct name_index wider = {.slots = index->slots ? 2 * index->slots : FIRST_SLOTS,
				   .used = index->used};
	wider.slot = ARENA_ARRAY(arena, wider.slots, struct name_slot);
	for (size_t i = 0; i < index->slots; i++)
		if (index->slot[i].name)
			*find(&wider, index->slot[i].name) = index->slot[i];
	*index = wider;
}

int *name_index_at(struct arena *arena, struct name_index *index, const char *name)
{
	if (2 * (index->used + 1) > index->slots)
		widen(arena, index);
	struct name_slot *slot = find(index, name);
	index->used += !slot->name;
	slot->name = name;
	return &slot->number;
}

const struct span *name_stood(struct arena *arena, struct name_places *places, const char *name,
			      struct span here)
{
	int *number = name_index_at(arena, &places->index, name);
	if (*number > 0)
		return &places->place[*number - 1];
	ARENA_APPEND(arena, places->place, places->count, here);
	*number = places->count;
	return NULL;
}
