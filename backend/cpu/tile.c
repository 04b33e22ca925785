/* tile.c -- results between memory and registers.
 *
 * Where lanes are neighbours in the target, a vector is loaded and stored at once. Where they
 * are not, all vectors of the tile go through a stage on the stack: a loop over the lanes moves
 * one element of each. That is as fast as moving each lane by instructions of its own, and a
 * sixteenth of the code. */
#include "backend/cpu/tile.h"
#include "backend/cpu/counted.h"

struct part tile_part(const struct tile *t, int row, int piece)
{
	return (struct part){.nest = t->nest,
			     .block = t->block,
			     .row = row,
			     .lane = piece * t->nest->lanes,
			     .width = t->width[piece]};
}

LLVMValueRef *tile_result(struct tile *t, int row, int piece)
{
	return &t->result[row * t->pieces + piece];
}

static enum type type_of(const struct place *target)
{
	return target->access->access->tensor->type;
}

void tile_begin(struct emitter *e, struct tile *t, const struct place *target)
{
	const struct nest *n = t->nest;
	int64_t step;
	place_lane_step(target, n, &step);
	if (n->vector_loop < 0 || n->lanes == 1 || step == 1)
		return;
	int64_t count = (int64_t)n->lanes * n->vectors * n->tile;
	LLVMValueRef elements = emit_integer(e, count);
	t->stage = LLVMBuildArrayAlloca(e->builder, emit_type(e, type_of(target), 1), elements,
					"stage");
	LLVMSetAlignment(t->stage, 64);
}

/* Where lane 0 of the result, plus a moving lane, is in the stage. */
static LLVMValueRef staged(struct emitter *e, const struct tile *t, const struct place *target,
			   int row, int piece, LLVMValueRef lane)
{
	const struct nest *n = t->nest;
	LLVMValueRef at = emit_integer(e, ((int64_t)row * n->vectors + piece) * n->lanes);
	if (lane)
		at = LLVMBuildAdd(e->builder, lane, at, "");
	return LLVMBuildGEP2(e->builder, emit_type(e, type_of(target), 1), t->stage, &at, 1, "");
}

/* One element of each result, at the lane that the loop is at. */
static void move_lane(struct emitter *e, struct tile *t, const struct place *target, int piece,
		      LLVMValueRef lane, bool is_load)
{
	struct place at = *target;
	int64_t step;
	place_lane_step(target, t->nest, &step);
	offset_advance(e, &at.linear, (struct offset){lane, 0}, step);
	for (int row = 0; row < t->rows; row++) {
		struct part part = tile_part(t, row, piece);
		LLVMValueRef there = staged(e, t, target, row, piece, lane);
		part.width = 1;
		if (is_load)
			LLVMBuildStore(e->builder, place_load_target(e, &at, part), there);
		else
			place_store(e, &at, part,
				    LLVMBuildLoad2(e->builder, emit_type(e, type_of(target), 1),
						   there, ""));
	}
}

/* A loop over the lanes for the whole pieces, and one for a narrower last one. */
static void move_lanes(struct emitter *e, struct tile *t, const struct place *target, bool is_load)
{
	for (int piece = 0, next; piece < t->pieces; piece = next) {
		struct counted loop;
		for (next = piece; next < t->pieces && t->width[next] == t->width[piece];)
			next++;
		counted_begin(e, &loop, "lane", NULL, 0);
		for (int i = piece; i < next; i++)
			move_lane(e, t, target, i, loop.index, is_load);
		counted_end(e, &loop, 1, t->width[piece], NULL);
	}
}

void tile_load(struct emitter *e, struct tile *t, const struct place *target)
{
	enum type type = type_of(target);
	if (t->stage)
		move_lanes(e, t, target, true);
	for (int piece = 0; piece < t->pieces; piece++)
		for (int row = 0; row < t->rows; row++) {
			LLVMTypeRef vector = emit_type(e, type, t->width[piece]);
			LLVMValueRef *result = tile_result(t, row, piece);
			if (t->stage) {
				*result =
					LLVMBuildLoad2(e->builder, vector,
						       staged(e, t, target, row, piece, NULL), "");
				LLVMSetAlignment(*result, (unsigned)type_info(type)->bytes);
			} else {
				*result = place_load_target(e, target, tile_part(t, row, piece));
			}
		}
}

void tile_store(struct emitter *e, struct tile *t, const struct place *target)
{
	unsigned bytes = (unsigned)type_info(type_of(target))->bytes;
	for (int piece = 0; piece < t->pieces; piece++)
		for (int row = 0; row < t->rows; row++) {
			LLVMValueRef result = *tile_result(t, row, piece);
			if (t->stage)
				LLVMSetAlignment(
					LLVMBuildStore(e->builder, result,
						       staged(e, t, target, row, piece, NULL)),
					bytes);
			else
				place_store(e, target, tile_part(t, row, piece), result);
		}
	if (t->stage)
		move_lanes(e, t, target, false);
}
