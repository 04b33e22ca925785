/* elab_names.c -- names of tensors, each once in a network: the second `c1.W` becomes `c1.W.2`.
 *
 * A table says of each name whether a tensor has it and which numbers behind it are gone, so that naming many
 * thousand tensors takes as many steps, also where all of them are made by one line. Names are interned:
 * their address is the key. */
#include <string.h>
#include "frontend/elab.h"

enum { FIRST_NAMES = 64 };

struct elab_name {
	const char *text;
	bool is_taken;
	int next;               /* text.2 .. text.(next-1) are taken */
	int next_call;          /* the same for calls: c1.2.W .. where this is c1.W */
	struct elab_name *base; /* this is base.number; NULL where that was never asked */
	int number;
};

static size_t slot_of(const struct name_table *table, const char *text)
{
	size_t mask = table->slots - 1, i = ((uintptr_t)text >> 4) * 0x9e3779b9 & mask;

	while (table->slot[i] && table->slot[i]->text != text)
		i = (i + 1) & mask;
	return i;
}

static void widen(struct elaborator *e, struct name_table *table)
{
	struct name_table wider = {.slots = table->slots ? 2 * table->slots : FIRST_NAMES,
				   .used = table->used};

	wider.slot = ARENA_ARRAY(e->arena, wider.slots, struct elab_name *);
	for (size_t i = 0; i < table->slots; i++)
		if (table->slot[i])
			wider.slot[slot_of(&wider, table->slot[i]->text)] = table->slot[i];
	*table = wider;
}

/* What is known of a name, which need not be taken. */
static struct elab_name *name_of(struct elaborator *e, const char *text)
{
	struct name_table *table = &e->names;
	struct elab_name **slot;

	if (2 * (table->used + 1) > table->slots)
		widen(e, table);
	text = arena_intern_string(e->arena, text);
	slot = &table->slot[slot_of(table, text)];
	if (!*slot) {
		*slot = ARENA_NEW(e->arena, struct elab_name);
		**slot = (struct elab_name){.text = text, .next = 2, .next_call = 2};
		table->used++;
	}
	return *slot;
}

/* This name, or the first of name.2, name.3, ... that is free. */
static struct elab_name *free_name(struct elaborator *e, const char *text)
{
	struct elab_name *base = name_of(e, text), *name = base;

	for (; name->is_taken; base->next++) {
		name = name_of(e, arena_printf(e->arena, "%s.%d", text, base->next));
		name->base = base;
		name->number = base->next;
		if (!name->is_taken)
			break;
	}
	return name;
}

void elab_rename(struct elaborator *e, struct tensor *tensor, const char *wanted)
{
	struct elab_name *name = free_name(e, wanted);

	if (tensor->name) {
		struct elab_name *old = name_of(e, tensor->name);
		old->is_taken = false;
		if (old->base && old->number < old->base->next)
			old->base->next = old->number;
	}
	name->is_taken = true;
	tensor->name = name->text;
}

const char *elab_param_path(struct elaborator *e, const char *path, const char *name)
{
	const char *candidate = path;
	struct elab_name *first = name_of(e, arena_printf(e->arena, "%s.%s", path, name)),
			 *full = first;

	for (; full->is_taken; first->next_call++) {
		candidate = arena_printf(e->arena, "%s.%d", path, first->next_call);
		full = name_of(e, arena_printf(e->arena, "%s.%s", candidate, name));
		if (!full->is_taken)
			break;
	}
	return candidate;
}
