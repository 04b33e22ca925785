/* kernel.c -- one nest in, one function out.
 *
 *     for free loops, in the nest's order, the vector loop by blocks and the tile loop by tiles
 *         for bound loops
 *             load the results of the block by the tile into registers
 *             for reduced loops
 *                 combine the expression into each result
 *             store the results
 *
 * What is left over at the end of the vector loop or the tile loop is the same code again for
 * fewer lanes or iterations. Every loop has at least one iteration and is closed by the test at
 * its end. */
#include "backend/cpu/counted.h"
#include "backend/cpu/tile.h"

#include <string.h>

/* A reduction of short loops is written out, as long as the body stays below so many operations. */
enum { UNROLL_OPERATIONS = 96, UNROLL_EXTENT = 8 };

struct kernel {
	struct emitter *e;
	const struct nest *nest;
	LLVMValueRef function;
	int places; /* the target, then the reads */
	struct place *place;
	struct offset index[MAX_LOOPS]; /* of each loop; the first of the block or tile at hand */
	struct tile tile;
	int unrolled;         /* the reduced loops from here on are written out */
	LLVMValueRef *loaded; /* reads of the body at hand, by read, row and piece */
	int next_read;
};

/* ---- Where the accesses are ------------------------------------------------------------------ */

static struct place *save_places(struct kernel *k)
{
	struct place *saved = ARENA_ARRAY(k->e->arena, k->places, struct place);
	memcpy(saved, k->place, (size_t)k->places * sizeof *saved);
	return saved;
}

static void restore_places(struct kernel *k, const struct place *saved)
{
	memcpy(k->place, saved, (size_t)k->places * sizeof *saved);
}

static void enter(struct kernel *k, int loop, struct offset index)
{
	k->index[loop] = index;
	for (int i = 0; i < k->places; i++)
		place_enter(k->e, &k->place[i], k->nest, loop, index, k->tile.block);
}

/* ---- The expression ------------------------------------------------------------------------- */

/* Rows and pieces that read the same elements share one load. */
static LLVMValueRef read_value(struct kernel *k, int read, int row, int piece)
{
	const struct nest *n = k->nest;
	const struct place *p = &k->place[1 + read];
	bool is_shared;
	if (!place_depends(p, n->tile_loop))
		row = 0;
	struct part part = tile_part(&k->tile, row, piece);
	if (!place_depends(p, n->vector_loop))
		piece = 0;
	LLVMValueRef *loaded = &k->loaded[(read * NEST_MAX_TILE + row) * NEST_MAX_VECTORS + piece];
	if (!*loaded)
		*loaded = place_load(k->e, p, part, &is_shared);
	bool is_vector = LLVMGetTypeKind(LLVMTypeOf(*loaded)) == LLVMVectorTypeKind;
	return is_vector ? *loaded : emit_splat(k->e, *loaded, part.width);
}

static LLVMValueRef position_value(struct kernel *k, const struct scalar *s, int row, int piece)
{
	struct emitter *e = k->e;
	int loop = k->nest->position[s->loop], width = k->tile.width[piece];
	struct offset at = {NULL, 0};
	LLVMValueRef lane[64];
	if (loop >= 0)
		at = k->index[loop];
	if (loop >= 0 && loop == k->nest->tile_loop)
		at.fixed += row;
	LLVMValueRef value = emit_splat(e, offset_value(e, at), width);
	if (loop >= 0 && loop == k->nest->vector_loop) {
		for (int i = 0; i < width; i++)
			lane[i] = emit_integer(e, piece * k->nest->lanes + i);
		LLVMValueRef ramp = width == 1 ? lane[0] : LLVMConstVector(lane, (unsigned)width);
		value = LLVMBuildAdd(e->builder, value, ramp, "");
	}
	return emit_convert(e, value, TYPE_I64, s->type, width);
}

static LLVMValueRef evaluate(struct kernel *k, const struct scalar *s, int row, int piece)
{
	int width = k->tile.width[piece];
	LLVMValueRef operand[3];
	enum type of[3];
	switch (s->kind) {
	case SCALAR_CONSTANT:
		return emit_constant(k->e, s->type, s->constant, width);
	case SCALAR_POSITION:
		return position_value(k, s, row, piece);
	case SCALAR_READ:
		return read_value(k, k->next_read++, row, piece);
	case SCALAR_APPLY:
		break;
	}
	for (int i = 0; i < scalar_fn_info(s->fn)->arity; i++) {
		operand[i] = evaluate(k, s->arg[i], row, piece);
		of[i] = s->arg[i]->type;
	}
	return emit_apply(k->e, s->fn, s->type, operand, of, width);
}

/* `+=` of a product in floats is one rounding. */
static bool is_fused(const struct statement *s)
{
	const struct scalar *v = s->value;
	return s->reduce == REDUCE_SUM && v->kind == SCALAR_APPLY && v->fn == FN_MUL &&
	       type_info(v->type)->is_float && v->type == s->target.tensor->type;
}

static LLVMValueRef next_result(struct kernel *k, LLVMValueRef held, int row, int piece)
{
	const struct statement *s = k->nest->statement;
	const struct scalar *v = s->value;
	enum type type = s->target.tensor->type;
	int width = k->tile.width[piece];
	k->next_read = 0;
	if (is_fused(s)) {
		LLVMValueRef a = evaluate(k, v->arg[0], row, piece);
		LLVMValueRef b = evaluate(k, v->arg[1], row, piece);
		a = emit_convert(k->e, a, v->arg[0]->type, type, width);
		b = emit_convert(k->e, b, v->arg[1]->type, type, width);
		return emit_fma(k->e, a, b, held);
	}
	LLVMValueRef value = evaluate(k, v, row, piece);
	value = emit_convert(k->e, value, v->type, type, width);
	return emit_combine(k->e, s->reduce, type, held, value, width);
}

/* ---- From the inside out -------------------------------------------------------------------- */

static void emit_body(struct kernel *k)
{
	size_t slots = (size_t)k->nest->reads * NEST_MAX_TILE * NEST_MAX_VECTORS;
	memset(k->loaded, 0, slots * sizeof(LLVMValueRef));
	for (int piece = 0; piece < k->tile.pieces; piece++)
		for (int row = 0; row < k->tile.rows; row++) {
			LLVMValueRef *result = tile_result(&k->tile, row, piece);
			*result = next_result(k, *result, row, piece);
		}
}

static void emit_reduction(struct kernel *k, int loop)
{
	const struct nest *n = k->nest;
	struct counted code;
	if (loop == n->loops) {
		emit_body(k);
		return;
	}
	struct place *saved = save_places(k);
	if (loop >= k->unrolled) {
		for (int64_t i = 0; i < n->loop[loop].extent; i++) {
			enter(k, loop, (struct offset){NULL, i});
			emit_reduction(k, loop + 1);
			restore_places(k, saved);
		}
		return;
	}
	counted_begin(k->e, &code, n->loop[loop].name, k->tile.result,
		      k->tile.rows * k->tile.pieces);
	enter(k, loop, (struct offset){code.index, 0});
	emit_reduction(k, loop + 1);
	counted_end(k->e, &code, 1, n->loop[loop].extent, k->tile.result);
	restore_places(k, saved);
}

/* The first of the innermost reduced loops that are written out together. */
static int first_unrolled(const struct kernel *k)
{
	const struct nest *n = k->nest;
	int64_t operations = (int64_t)k->tile.rows * k->tile.pieces;
	int loop = n->loops;
	while (loop > n->bound && n->loop[loop - 1].extent <= UNROLL_EXTENT &&
	       operations * n->loop[loop - 1].extent <= UNROLL_OPERATIONS)
		operations *= n->loop[--loop].extent;
	return loop;
}

/* Where nothing is combined, what the target holds does not matter. */
static void load_results(struct kernel *k)
{
	const struct statement *s = k->nest->statement;
	if (s->reduce != REDUCE_NONE) {
		tile_load(k->e, &k->tile, &k->place[0]);
		return;
	}
	for (int piece = 0; piece < k->tile.pieces; piece++)
		for (int row = 0; row < k->tile.rows; row++)
			*tile_result(&k->tile, row, piece) = LLVMGetPoison(
				emit_type(k->e, s->target.tensor->type, k->tile.width[piece]));
}

/* One block by one tile; where the target may not exist, all is skipped. */
static void emit_points(struct kernel *k)
{
	struct emitter *e = k->e;
	LLVMBasicBlockRef after = NULL;
	LLVMValueRef exists = place_settle(e, &k->place[0]);
	if (exists) {
		LLVMBasicBlockRef inside =
			LLVMAppendBasicBlockInContext(e->context, k->function, "inside");
		after = LLVMAppendBasicBlockInContext(e->context, k->function, "outside");
		LLVMBuildCondBr(e->builder, exists, inside, after);
		LLVMPositionBuilderAtEnd(e->builder, inside);
	}
	load_results(k);
	k->unrolled = first_unrolled(k);
	emit_reduction(k, k->nest->bound);
	tile_store(k->e, &k->tile, &k->place[0]);
	if (after) {
		LLVMBuildBr(e->builder, after);
		LLVMPositionBuilderAtEnd(e->builder, after);
	}
}

static void emit_bound(struct kernel *k, int loop)
{
	const struct nest *n = k->nest;
	struct counted code;
	struct place *saved = save_places(k);
	if (loop == n->bound) {
		emit_points(k);
	} else {
		counted_begin(k->e, &code, n->loop[loop].name, NULL, 0);
		enter(k, loop, (struct offset){code.index, 0});
		emit_bound(k, loop + 1);
		counted_end(k->e, &code, 1, n->loop[loop].extent, NULL);
	}
	restore_places(k, saved);
}

static void emit_free(struct kernel *k, int depth);

/* Lanes of the vector loop or rows of the tile loop from here on; others have one. */
static void set_block(struct kernel *k, int loop, int64_t count)
{
	int lanes = k->nest->lanes;
	if (loop == k->nest->tile_loop)
		k->tile.rows = (int)count;
	if (loop != k->nest->vector_loop)
		return;
	k->tile.block = count;
	k->tile.pieces = (int)((count + lanes - 1) / lanes);
	for (int i = 0; i < k->tile.pieces; i++)
		k->tile.width[i] = (int)(count - i * lanes < lanes ? count - i * lanes : lanes);
}

/* The iterations first .. last-1 of a loop, so many at once; last - first is a multiple of that. */
static void emit_span(struct kernel *k, int depth, int64_t first, int64_t last, int64_t at_once)
{
	int loop = k->nest->order[depth];
	struct counted code;
	struct place *saved = save_places(k);
	set_block(k, loop, at_once);
	if (last - first == at_once) {
		enter(k, loop, (struct offset){NULL, first});
		emit_free(k, depth + 1);
	} else {
		counted_begin(k->e, &code, k->nest->loop[loop].name, NULL, 0);
		enter(k, loop, (struct offset){code.index, first});
		emit_free(k, depth + 1);
		counted_end(k->e, &code, at_once, last - first, NULL);
	}
	restore_places(k, saved);
}

static void emit_free(struct kernel *k, int depth)
{
	const struct nest *n = k->nest;
	if (depth == n->free) {
		emit_bound(k, n->free);
		return;
	}
	int loop = n->order[depth];
	int64_t at_once = 1, extent = n->loop[loop].extent;
	if (loop == n->vector_loop)
		at_once = (int64_t)n->lanes * n->vectors;
	if (loop == n->tile_loop)
		at_once = n->tile;
	int64_t whole = extent / at_once * at_once;
	if (whole > 0)
		emit_span(k, depth, 0, whole, at_once);
	if (whole < extent)
		emit_span(k, depth, whole, extent, extent - whole);
	if (loop == n->vector_loop)
		k->tile.block = 0;
}

/* ---- The function --------------------------------------------------------------------------- */

static void begin_places(struct kernel *k)
{
	k->places = 1 + k->nest->reads;
	k->place = ARENA_ARRAY(k->e->arena, k->places, struct place);
	for (int i = 0; i < k->places; i++) {
		struct place *p = &k->place[i];
		p->access = i == 0 ? &k->nest->target : &k->nest->read[i - 1];
		p->base = LLVMGetParam(k->function, (unsigned)i);
		p->linear.fixed = p->access->form == NEST_PANEL ? 0 : p->access->offset;
		for (int s = 0; s < p->access->specials; s++)
			p->special[s].fixed = p->access->special[s].subscript.offset;
	}
}

static void add_attribute(struct emitter *e, LLVMValueRef function, unsigned where,
			  const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
	LLVMAddAttributeAtIndex(function, where, LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* No statement reads what it writes, so that the target is apart from all else. */
static void describe(struct emitter *e, LLVMValueRef function, int places)
{
	add_attribute(e, function, (unsigned)LLVMAttributeFunctionIndex, "nounwind");
	add_attribute(e, function, 1, "noalias");
	for (int i = 1; i < places; i++)
		add_attribute(e, function, (unsigned)i + 1, "readonly");
}

LLVMValueRef emit_kernel(struct emitter *e, const struct nest *n)
{
	struct kernel k = {
		.e = e, .nest = n, .tile = {.nest = n, .pieces = 1, .width = {1}, .rows = 1}};
	unsigned places = 1 + (unsigned)n->reads;
	LLVMTypeRef *parameter = ARENA_ARRAY(e->arena, places, LLVMTypeRef);
	for (unsigned i = 0; i < places; i++)
		parameter[i] = LLVMPointerTypeInContext(e->context, 0);
	LLVMTypeRef type =
		LLVMFunctionType(LLVMVoidTypeInContext(e->context), parameter, places, false);
	k.function = LLVMAddFunction(e->module,
				     arena_printf(e->arena, "kernel.%s", n->statement->op), type);
	LLVMSetLinkage(k.function, LLVMInternalLinkage);
	describe(e, k.function, (int)places);
	LLVMBasicBlockRef entry = LLVMAppendBasicBlockInContext(e->context, k.function, "");
	LLVMPositionBuilderAtEnd(e->builder, entry);
	begin_places(&k);
	tile_begin(e, &k.tile, &k.place[0]);
	size_t slots = (size_t)n->reads * NEST_MAX_TILE * NEST_MAX_VECTORS;
	k.loaded = ARENA_ARRAY(e->arena, slots, LLVMValueRef);
	emit_free(&k, 0);
	LLVMBuildRetVoid(e->builder);
	return k.function;
}
