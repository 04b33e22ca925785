/* elab_frame.c -- the names of a running operator or network, and what they are bound to.
 *
 * Bindings stand in the order in which they were made; the latest of a name counts. A chain for each hash leads
 * from the latest binding back, so that a network of many thousand layers finds its names at once. Bindings are
 * ended from the latest back, and only ever so: a chain loses its beginning. */
#include "frontend/elaborate/elab.h"

enum { FIRST_ROOM = 8 };

/* Names are interned: their address is the key. */
static int *chain_of(const struct frame *frame, const char *name)
{
	return &frame->chain[((uintptr_t)name >> 4) * 0x9e3779b9 & (size_t)(frame->room - 1)];
}

struct binding *elab_find(const struct frame *frame, const char *name)
{
	if (frame->binding_count == 0)
		return NULL;
	for (int i = *chain_of(frame, name); i >= 0; i = frame->binding[i].before)
		if (frame->binding[i].name == name)
			return &frame->binding[i];
	return NULL;
}

/* Puts the binding at i, behind which there is none yet, in front of its chain. */
static void link(struct frame *frame, int i)
{
	int *chain = chain_of(frame, frame->binding[i].name);
	frame->binding[i].before = *chain;
	*chain = i;
}

static void widen(struct elaborator *e, struct frame *frame)
{
	int count = frame->binding_count;
	const struct binding *binding = frame->binding;
	const char *const *bound = frame->bound;
	frame->room = frame->room ? 2 * frame->room : FIRST_ROOM;
	frame->binding = ARENA_ARRAY(e->arena, (size_t)frame->room, struct binding);
	frame->bound = ARENA_ARRAY(e->arena, (size_t)frame->room, const char *);
	frame->chain = ARENA_ARRAY(e->arena, (size_t)frame->room, int);
	for (int i = 0; i < frame->room; i++)
		frame->chain[i] = -1;
	for (int i = 0; i < count; i++) {
		frame->binding[i] = binding[i];
		frame->bound[i] = bound[i];
		link(frame, i);
	}
}

struct binding *elab_bind(struct elaborator *e, struct frame *frame, const char *name,
			  enum binding_kind kind, struct span span)
{
	if (frame->binding_count == frame->room)
		widen(e, frame);
	int i = frame->binding_count++;
	frame->binding[i] = (struct binding){.name = name, .kind = kind, .span = span};
	frame->bound[i] = name;
	link(frame, i);
	return &frame->binding[i];
}

void elab_unbind(struct frame *frame, int first, int level)
{
	int kept = first;
	for (int i = frame->binding_count - 1; i >= first; i--)
		*chain_of(frame, frame->binding[i].name) = frame->binding[i].before;
	for (int i = first; i < frame->binding_count; i++) {
		if (frame->binding[i].loop_level >= level)
			continue;
		frame->binding[kept] = frame->binding[i];
		frame->bound[kept] = frame->bound[i];
		link(frame, kept++);
	}
	frame->binding_count = kept;
}

const char *elab_suggestion(const struct elaborator *e, const struct frame *frame,
			    const char *written)
{
	return diag_suggestion(e->diag, written, frame->bound, frame->binding_count);
}

bool elab_is_library(const struct frame *frame)
{
	const struct source *source = frame->item ? frame->item->span.source : NULL;
	return source && source->is_library;
}

/* In a network, and in an operator of the user's that composes others, the binding's name; `return` has none. */
const char *elab_layer(struct elaborator *e, const struct frame *frame, const char *op)
{
	const char *last = frame->naming;
	if (!last)
		return frame->path[0] ? frame->path : op;
	return frame->path[0] ? arena_printf(e->arena, "%s.%s", frame->path, last) : last;
}
