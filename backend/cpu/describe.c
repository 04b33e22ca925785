/* describe.c -- a nest as a list of numbers: loops, choice, accesses and expression, but neither
 * names nor which tensors they are. Each list that may vary in length begins with its length. */
#include "backend/cpu/describe.h"

#include <string.h>

struct list {
	struct arena *arena;
	const struct nest *nest;
	int64_t *number;
	int count;
};

static void add(struct list *l, int64_t value)
{
	ARENA_APPEND(l->arena, l->number, l->count, value);
}

static void add_real(struct list *l, double value)
{
	int64_t bits;
	memcpy(&bits, &value, sizeof bits);
	add(l, bits);
}

static void add_access(struct list *l, const struct nest_access *a)
{
	add(l, a->form);
	add(l, a->access->tensor->type);
	add(l, a->access->outside);
	add_real(l, a->access->value);
	add(l, a->offset);
	for (int i = 0; i < l->nest->loops; i++)
		add(l, a->coef[i]);
	add(l, a->specials);
	for (int s = 0; s < a->specials; s++) {
		const struct nest_special *special = &a->special[s];
		add(l, special->stride);
		add(l, special->extent);
		add(l, special->guarded);
		add(l, special->subscript.offset);
		add(l, special->subscript.divisor);
		for (int i = 0; i < l->nest->loops; i++)
			add(l, special->subscript.coef[i]);
	}
}

static void add_scalar(struct list *l, const struct scalar *s)
{
	add(l, s->kind);
	add(l, s->type);
	if (s->kind == SCALAR_CONSTANT)
		add_real(l, s->constant);
	if (s->kind == SCALAR_POSITION)
		add(l, l->nest->position[s->loop]);
	if (s->kind != SCALAR_APPLY)
		return;
	add(l, s->fn);
	for (int i = 0; i < scalar_fn_info(s->fn)->arity; i++)
		add_scalar(l, s->arg[i]);
}

const char *describe_nest(struct arena *arena, const struct nest *n, size_t *length)
{
	struct list l = {.arena = arena, .nest = n};
	int choice[] = {n->loops,   n->free,      n->bound, n->vector_loop, n->lanes,
			n->vectors, n->tile_loop, n->tile,  n->reads,       n->statement->reduce};
	for (size_t i = 0; i < sizeof choice / sizeof *choice; i++)
		add(&l, choice[i]);
	for (int i = 0; i < n->loops; i++)
		add(&l, n->loop[i].extent);
	for (int i = 0; i < n->free; i++)
		add(&l, n->order[i]);
	add_access(&l, &n->target);
	for (int i = 0; i < n->reads; i++)
		add_access(&l, &n->read[i]);
	add_scalar(&l, n->statement->value);
	*length = (size_t)l.count * sizeof *l.number;
	return (const char *)l.number;
}
