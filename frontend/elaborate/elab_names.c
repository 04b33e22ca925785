/* elab_names.c -- names of tensors, each once in a network: the second `c1.W` becomes `c1.W.2`.
 *
 * Of each name is known whether a tensor has it and which numbers behind it are gone, so that naming many
 * thousand tensors takes as many steps, also where all of them are made by one line. */
#include <string.h>
#include "frontend/elaborate/elab.h"

struct elab_name {
	const char *text;
	bool is_taken;
	int next;               /* text.2 .. text.(next-1) are taken */
	int next_call;          /* the same for calls: c1.2.W .. where this is c1.W */
	struct elab_name *base; /* this is base.number; NULL where that was never asked */
	int number;
};

/* What is known of a name, which need not be taken. */
static struct elab_name *name_of(struct elaborator *e, const char *text)
{
	text = arena_intern_string(e->arena, text);
	int *number = name_index_at(e->arena, &e->name_index, text);
	if (*number == 0) {
		struct elab_name *name = ARENA_NEW(e->arena, struct elab_name);
		*name = (struct elab_name){.text = text, .next = 2, .next_call = 2};
		ARENA_APPEND(e->arena, e->name, e->name_count, name);
		*number = e->name_count;
	}
	return e->name[*number - 1];
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
