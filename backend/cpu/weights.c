/* weights.c -- constants of the network as bytes of the object, or of the pool when the code
 * runs here.
 *
 * A panel holds, for one block of lanes after the other, what the block reads in the order in
 * which it reads it. Blocks are whole but for the last, which is as narrow as what is left, so
 * that a panel has no gaps. */
#include "backend/cpu/emit.h"

#include <stdlib.h>
#include <string.h>

/* Fills size bytes at `to`; context says from what. */
struct filler {
	const struct nest *nest;
	const struct nest_access *access; /* NULL: the tensor as it is */
	const struct tensor *tensor;
	bool swaps_bytes;
};

/* ---- Filling -------------------------------------------------------------------------------- */

static void reverse(char *element, int bytes)
{
	for (int i = 0; i < bytes / 2; i++) {
		char first = element[i];
		element[i] = element[bytes - 1 - i];
		element[bytes - 1 - i] = first;
	}
}

static void copy_lanes(char *to, const char *from, int64_t step, int64_t lanes, int bytes)
{
	for (int64_t i = 0; i < lanes; i++)
		memcpy(to + i * bytes, from + i * step * bytes, (size_t)bytes);
}

static bool has_other(const struct filler *f, int loop)
{
	return loop != f->nest->vector_loop && f->access->coef[loop] != 0;
}

/* One block of the panel: all values of the other loops. */
static void fill_block(const struct filler *f, int64_t first, int64_t lanes, char *to,
		       const char *from)
{
	const struct nest *n = f->nest;
	const struct nest_access *a = f->access;
	int64_t index[MAX_LOOPS] = {0}, coef[MAX_LOOPS] = {0};
	int v = n->vector_loop, bytes = type_info(f->tensor->type)->bytes, l;
	for (l = 0; l < n->loops; l++)
		coef[l] = nest_panel_coef(n, a, l, lanes);
	do {
		int64_t target = first * coef[v], source = a->offset + first * a->coef[v];
		for (l = 0; l < n->loops; l++) {
			target += l == v ? 0 : index[l] * coef[l];
			source += l == v ? 0 : index[l] * a->coef[l];
		}
		copy_lanes(to + target * bytes, from + source * bytes, a->coef[v], lanes, bytes);
		for (l = n->loops - 1; l >= 0; l--) {
			if (has_other(f, l) && ++index[l] < n->loop[l].extent)
				break;
			index[l] = 0;
		}
	} while (l >= 0);
}

static void fill(const struct filler *f, char *to, size_t size)
{
	const char *from = f->tensor->data->data;
	int bytes = type_info(f->tensor->type)->bytes;
	if (!f->access) {
		memcpy(to, from, size);
	} else {
		const struct nest *n = f->nest;
		int64_t block = (int64_t)n->lanes * n->vectors,
			extent = n->loop[n->vector_loop].extent;
		for (int64_t at = 0; at < extent; at += block)
			fill_block(f, at, extent - at < block ? extent - at : block, to, from);
	}
	for (size_t i = 0; f->swaps_bytes && i < size; i += (size_t)bytes)
		reverse(to + i, bytes);
}

/* ---- Placing -------------------------------------------------------------------------------- */

static char *take(struct emitter *e, size_t size)
{
	struct pool *pool = e->pool;
	size_t whole = (size + 63) / 64 * 64;
	if (whole > pool->size - pool->used)
		arena_fail(e->arena);
	pool->used += whole;
	return pool->base + pool->used - whole;
}

static LLVMValueRef in_pool(struct emitter *e, const struct filler *f, size_t size)
{
	char *to = take(e, size);
	fill(f, to, size);
	return LLVMConstIntToPtr(emit_integer(e, (int64_t)(intptr_t)to),
				 LLVMPointerTypeInContext(e->context, 0));
}

static LLVMValueRef in_module(struct emitter *e, const struct filler *f, size_t size)
{
	char *bytes = malloc(size);
	if (!bytes)
		arena_fail(e->arena);
	fill(f, bytes, size);
	LLVMValueRef data = LLVMConstStringInContext2(e->context, bytes, size, true);
	free(bytes);
	const char *name = arena_printf(e->arena, "weights.%s", f->tensor->name);
	LLVMValueRef global = LLVMAddGlobal(e->module, LLVMTypeOf(data), name);
	LLVMSetInitializer(global, data);
	LLVMSetGlobalConstant(global, true);
	LLVMSetLinkage(global, LLVMPrivateLinkage);
	LLVMSetUnnamedAddress(global, LLVMGlobalUnnamedAddr);
	LLVMSetAlignment(global, 64);
	return global;
}

static LLVMValueRef place(struct emitter *e, const struct filler *f, size_t size,
			  const int64_t key[], int count)
{
	size_t length = (size_t)count * sizeof *key;
	LLVMValueRef there = cached_find(e->weight, (const char *)key, length);
	if (there)
		return there;
	LLVMValueRef made = e->pool ? in_pool(e, f, size) : in_module(e, f, size);
	cached_add(e->arena, &e->weight, arena_copy(e->arena, (const char *)key, length), length,
		   made);
	return made;
}

LLVMValueRef emit_tensor_data(struct emitter *e, const struct tensor *t)
{
	struct filler f = {.tensor = t, .swaps_bytes = e->swaps_bytes};
	int64_t key[] = {t->id};
	return place(e, &f, (size_t)array_bytes(t->data), key, 1);
}

LLVMValueRef emit_weights(struct emitter *e, const struct nest *n, const struct nest_access *a)
{
	const struct tensor *t = nest_storage(a->access->tensor);
	struct filler f = {n, a, t, e->swaps_bytes};
	int64_t key[5 + 3 * MAX_LOOPS];
	int count = 0;
	if (a->form != NEST_PANEL)
		return emit_tensor_data(e, t);
	key[count++] = t->id;
	key[count++] = a->offset;
	key[count++] = (int64_t)n->lanes * n->vectors;
	key[count++] = a->coef[n->vector_loop];
	key[count++] = n->loop[n->vector_loop].extent;
	for (int l = 0; l < n->loops; l++) {
		if (!has_other(&f, l))
			continue;
		key[count++] = n->loop[l].extent;
		key[count++] = a->coef[l];
		key[count++] = nest_panel_coef(n, a, l, 1);
	}
	size_t size = (size_t)nest_panel_count(n, a) * (size_t)type_info(t->type)->bytes;
	return place(e, &f, size, key, count);
}
