/* place.c -- the instructions of one access.
 *
 * Lanes that lie side by side are one vector load; two apart, two loads and a shuffle; elsewhere
 * a load for each. A subscript that is divided or guarded is computed for every lane that it
 * depends on: a read outside the tensor is masked, or reads a place inside and is replaced. */
#include "backend/cpu/place.h"

void offset_advance(struct emitter *e, struct offset *o, struct offset index, int64_t coef)
{
	o->fixed += index.fixed * coef;
	if (!index.moving || coef == 0)
		return;
	LLVMValueRef step = index.moving;
	if (coef != 1)
		step = LLVMBuildMul(e->builder, step, emit_integer(e, coef), "");
	o->moving = o->moving ? LLVMBuildAdd(e->builder, o->moving, step, "") : step;
}

LLVMValueRef offset_value(struct emitter *e, struct offset o)
{
	LLVMValueRef fixed = emit_integer(e, o.fixed);
	if (!o.moving)
		return fixed;
	return o.fixed ? LLVMBuildAdd(e->builder, o.moving, fixed, "") : o.moving;
}

/* ---- How an access moves -------------------------------------------------------------------- */

static int64_t coef_of(const struct place *p, const struct nest *n, int loop, int64_t block)
{
	if (p->access->form == NEST_PANEL)
		return nest_panel_coef(n, p->access, loop, block);
	return p->access->coef[loop];
}

static bool special_depends(const struct place *p, int loop)
{
	for (int i = 0; i < p->access->specials; i++)
		if (p->access->special[i].subscript.coef[loop] != 0)
			return true;
	return false;
}

bool place_depends(const struct place *p, int loop)
{
	return loop >= 0 && (p->access->coef[loop] != 0 || special_depends(p, loop));
}

bool place_lane_step(const struct place *p, const struct nest *n, int64_t *step)
{
	*step = 0;
	if (n->vector_loop < 0)
		return false;
	*step = p->access->coef[n->vector_loop];
	if (p->access->form == NEST_PANEL && *step != 0)
		*step = 1;
	return special_depends(p, n->vector_loop);
}

void place_enter(struct emitter *e, struct place *p, const struct nest *n, int loop,
		 struct offset index, int64_t block)
{
	offset_advance(e, &p->linear, index, coef_of(p, n, loop, block));
	for (int i = 0; i < p->access->specials; i++)
		offset_advance(e, &p->special[i], index,
			       p->access->special[i].subscript.coef[loop]);
}

/* The place of the part's first lane. */
static struct place place_of_part(const struct place *p, struct part part)
{
	const struct nest *n = part.nest;
	struct place at = *p;
	int64_t step;
	place_lane_step(p, n, &step);
	at.linear.fixed += step * part.lane;
	if (n->tile_loop >= 0)
		at.linear.fixed += coef_of(p, n, n->tile_loop, part.block) * part.row;
	for (int i = 0; i < p->access->specials; i++) {
		const int64_t *coef = p->access->special[i].subscript.coef;
		if (n->vector_loop >= 0)
			at.special[i].fixed += coef[n->vector_loop] * part.lane;
		if (n->tile_loop >= 0)
			at.special[i].fixed += coef[n->tile_loop] * part.row;
	}
	return at;
}

/* ---- Loads of lanes at equal steps ---------------------------------------------------------- */

static enum type type_of(const struct place *p)
{
	return p->access->access->tensor->type;
}

static LLVMValueRef pointer(struct emitter *e, const struct place *p, LLVMValueRef offset)
{
	return LLVMBuildGEP2(e->builder, emit_type(e, type_of(p), 1), p->base, &offset, 1, "");
}

/* So many neighbours from the offset on. */
static LLVMValueRef load_neighbours(struct emitter *e, const struct place *p, struct offset from,
				    int width)
{
	LLVMValueRef at = pointer(e, p, offset_value(e, from));
	LLVMValueRef value = LLVMBuildLoad2(e->builder, emit_type(e, type_of(p), width), at, "");
	LLVMSetAlignment(value, (unsigned)type_info(type_of(p))->bytes);
	return value;
}

/* Every other element: the first half out of the vector that begins at the first of them, the
 * rest out of the one that ends with the last; nothing beyond is touched. */
static LLVMValueRef load_every_other(struct emitter *e, const struct place *p, struct offset from,
				     int width)
{
	LLVMValueRef lane[64], low, high;
	struct offset middle = {from.moving, from.fixed + width - 1};
	if (width > 64)
		return NULL;
	low = load_neighbours(e, p, from, width);
	high = load_neighbours(e, p, middle, width);
	for (int i = 0; i < width; i++) {
		unsigned source = (unsigned)(2 * i < width ? 2 * i : width + 2 * i - (width - 1));
		lane[i] = LLVMConstInt(LLVMInt32TypeInContext(e->context), source, false);
	}
	return LLVMBuildShuffleVector(e->builder, low, high, LLVMConstVector(lane, (unsigned)width),
				      "");
}

static LLVMValueRef load_steps(struct emitter *e, const struct place *p, struct offset from,
			       int width, int64_t step)
{
	LLVMValueRef value = NULL;
	if (step == 1 || width == 1)
		return load_neighbours(e, p, from, width);
	if (step == 2)
		value = load_every_other(e, p, from, width);
	if (value)
		return value;
	value = LLVMGetPoison(emit_type(e, type_of(p), width));
	for (int i = 0; i < width; i++) {
		LLVMValueRef element = load_neighbours(e, p, from, 1);
		value = emit_with_lane(e, value, element, i, width);
		from.fixed += step;
	}
	return value;
}

/* ---- Special subscripts --------------------------------------------------------------------- */

/* Toward minus infinity. A power of two is a shift. */
static LLVMValueRef floor_divide(struct emitter *e, LLVMValueRef value, int64_t divisor, int width)
{
	LLVMValueRef by = emit_splat(e, emit_integer(e, divisor), width);
	if ((divisor & (divisor - 1)) == 0) {
		LLVMValueRef shift = emit_integer(e, __builtin_ctzll((uint64_t)divisor));
		return LLVMBuildAShr(e->builder, value, emit_splat(e, shift, width), "");
	}
	LLVMValueRef quotient = LLVMBuildSDiv(e->builder, value, by, "");
	LLVMValueRef whole = LLVMBuildMul(e->builder, quotient, by, "");
	LLVMValueRef rounded_up = LLVMBuildICmp(e->builder, LLVMIntSLT, value, whole, "");
	LLVMValueRef one = LLVMBuildZExt(e->builder, rounded_up, LLVMTypeOf(value), "");
	return LLVMBuildSub(e->builder, quotient, one, "");
}

/* The position in one special dimension, for so many lanes; `exists`, when not NULL, is and-ed
 * with whether it lies inside, and the position is then 0 where it does not. */
static LLVMValueRef position(struct emitter *e, const struct nest_special *s, enum outside outside,
			     LLVMValueRef sum, int width, LLVMValueRef *exists)
{
	LLVMBuilderRef b = e->builder;
	LLVMValueRef at =
		s->subscript.divisor == 1 ? sum : floor_divide(e, sum, s->subscript.divisor, width);
	LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(at));
	if (!s->guarded)
		return at;
	if (outside == OUTSIDE_CLAMP) {
		LLVMValueRef last = emit_splat(e, emit_integer(e, s->extent - 1), width);
		LLVMTypeRef type = LLVMTypeOf(at);
		at = emit_intrinsic(e, "llvm.smax", &type, 1, (LLVMValueRef[]){at, zero}, 2);
		return emit_intrinsic(e, "llvm.smin", &type, 1, (LLVMValueRef[]){at, last}, 2);
	}
	LLVMValueRef extent = emit_splat(e, emit_integer(e, s->extent), width);
	LLVMValueRef inside = LLVMBuildICmp(b, LLVMIntULT, at, extent, "");
	*exists = *exists ? LLVMBuildAnd(b, *exists, inside, "") : inside;
	return LLVMBuildSelect(b, inside, at, zero, "");
}

static LLVMValueRef scaled(struct emitter *e, LLVMValueRef value, int64_t factor, int width)
{
	LLVMValueRef by = emit_splat(e, emit_integer(e, factor), width);
	return factor == 1 ? value : LLVMBuildMul(e->builder, value, by, "");
}

/* The special dimension as scalars: adds it to the linear part. */
static void settle_one(struct emitter *e, struct place *p, int i, LLVMValueRef *exists)
{
	const struct nest_special *s = &p->access->special[i];
	LLVMValueRef sum = offset_value(e, p->special[i]);
	LLVMValueRef at = position(e, s, p->access->access->outside, sum, 1, exists);
	offset_advance(e, &p->linear, (struct offset){at, 0}, s->stride);
}

LLVMValueRef place_settle(struct emitter *e, struct place *p)
{
	LLVMValueRef exists = NULL;
	for (int i = 0; i < p->access->specials; i++)
		settle_one(e, p, i, &exists);
	return exists;
}

/* 0, step, 2*step, ... */
static LLVMValueRef ramp(struct emitter *e, int64_t step, int width)
{
	LLVMValueRef lane[64];
	for (int i = 0; i < width; i++)
		lane[i] = emit_integer(e, i * step);
	return LLVMConstVector(lane, (unsigned)width);
}

static LLVMValueRef with_ramp(struct emitter *e, struct offset first, int64_t step, int width)
{
	LLVMValueRef start = emit_splat(e, offset_value(e, first), width);
	return LLVMBuildAdd(e->builder, start, ramp(e, step, width), "");
}

/* ---- Loads of lanes at special subscripts --------------------------------------------------- */

/* The one special dimension whose lanes are neighbours behind a guard, or -1. */
static int guarded_neighbours(const struct place *p, const struct nest *n)
{
	int found = -1;
	for (int i = 0; i < p->access->specials; i++) {
		const struct nest_special *s = &p->access->special[i];
		int64_t coef = s->subscript.coef[n->vector_loop];
		if (coef == 0)
			continue;
		bool neighbours =
			coef == 1 && s->stride == 1 && s->subscript.divisor == 1 && s->guarded;
		if (found >= 0 || !neighbours || p->access->access->outside != OUTSIDE_VALUE)
			return -1;
		found = i;
	}
	return p->access->coef[n->vector_loop] == 0 ? found : -1;
}

static LLVMValueRef alignment(struct emitter *e, const struct place *p)
{
	unsigned bytes = (unsigned)type_info(type_of(p))->bytes;
	return LLVMConstInt(LLVMInt32TypeInContext(e->context), bytes, false);
}

static LLVMValueRef else_value(struct emitter *e, const struct place *p, int width)
{
	return emit_constant(e, type_of(p), p->access->access->value, width);
}

/* exists: of the other dimensions, a scalar or NULL. */
static LLVMValueRef load_masked(struct emitter *e, struct place *at, int special, int width,
				LLVMValueRef exists)
{
	LLVMValueRef index = with_ramp(e, at->special[special], 1, width);
	LLVMValueRef extent =
		emit_splat(e, emit_integer(e, at->access->special[special].extent), width);
	LLVMValueRef mask = LLVMBuildICmp(e->builder, LLVMIntULT, index, extent, "");
	if (exists)
		mask = LLVMBuildAnd(e->builder, mask, emit_splat(e, exists, width), "");
	offset_advance(e, &at->linear, at->special[special], 1);
	LLVMValueRef argument[] = {pointer(e, at, offset_value(e, at->linear)), alignment(e, at),
				   mask, else_value(e, at, width)};
	LLVMTypeRef types[] = {emit_type(e, type_of(at), width), LLVMTypeOf(argument[0])};
	return emit_intrinsic(e, "llvm.masked.load", types, 2, argument, 4);
}

static LLVMValueRef load_gathered(struct emitter *e, struct place *at, const struct nest *n,
				  int width)
{
	LLVMValueRef exists = NULL,
		     offset = with_ramp(e, at->linear, at->access->coef[n->vector_loop], width);
	for (int i = 0; i < at->access->specials; i++) {
		const struct nest_special *s = &at->access->special[i];
		LLVMValueRef sum =
			with_ramp(e, at->special[i], s->subscript.coef[n->vector_loop], width);
		LLVMValueRef where =
			position(e, s, at->access->access->outside, sum, width, &exists);
		offset = LLVMBuildAdd(e->builder, offset, scaled(e, where, s->stride, width), "");
	}
	LLVMTypeRef lanes = LLVMVectorType(LLVMInt1TypeInContext(e->context), (unsigned)width);
	LLVMValueRef argument[] = {pointer(e, at, offset), alignment(e, at),
				   exists ? exists : LLVMConstAllOnes(lanes),
				   else_value(e, at, width)};
	LLVMTypeRef types[] = {emit_type(e, type_of(at), width), LLVMTypeOf(argument[0])};
	return emit_intrinsic(e, "llvm.masked.gather", types, 2, argument, 4);
}

/* The special dimensions do not depend on the lanes: all of them exist, or none. */
static LLVMValueRef load_replaced(struct emitter *e, struct place *at, int width, int64_t step)
{
	LLVMValueRef exists = place_settle(e, at);
	LLVMValueRef value = load_steps(e, at, at->linear, width, step);
	if (!exists)
		return value;
	return LLVMBuildSelect(e->builder, exists, value, else_value(e, at, width), "");
}

LLVMValueRef place_load(struct emitter *e, const struct place *p, struct part part, bool *is_shared)
{
	struct place at = place_of_part(p, part);
	int64_t step;
	bool is_special = place_lane_step(p, part.nest, &step);
	*is_shared = part.width == 1 || (step == 0 && !is_special);
	if (*is_shared)
		return load_replaced(e, &at, 1, 0);
	if (!is_special)
		return load_replaced(e, &at, part.width, step);
	int neighbours = guarded_neighbours(p, part.nest);
	if (neighbours < 0)
		return load_gathered(e, &at, part.nest, part.width);
	LLVMValueRef exists = NULL;
	for (int i = 0; i < at.access->specials; i++)
		if (i != neighbours)
			settle_one(e, &at, i, &exists);
	return load_masked(e, &at, neighbours, part.width, exists);
}

/* ---- Targets -------------------------------------------------------------------------------- */

LLVMValueRef place_load_target(struct emitter *e, const struct place *p, struct part part)
{
	struct place at = place_of_part(p, part);
	int64_t step;
	place_lane_step(p, part.nest, &step);
	return load_steps(e, &at, at.linear, part.width, step);
}

void place_store(struct emitter *e, const struct place *p, struct part part, LLVMValueRef value)
{
	struct place at = place_of_part(p, part);
	int64_t step;
	place_lane_step(p, part.nest, &step);
	bool is_whole = step == 1 || part.width == 1;
	for (int i = 0; i < (is_whole ? 1 : part.width); i++) {
		LLVMValueRef element = is_whole ? value : emit_lane(e, value, i, part.width);
		LLVMValueRef to = pointer(e, &at, offset_value(e, at.linear));
		LLVMSetAlignment(LLVMBuildStore(e->builder, element, to),
				 (unsigned)type_info(type_of(p))->bytes);
		at.linear.fixed += step;
	}
}
