/* why.c -- the smallest tile of each level is what the constraint leaves no other place for (feasible.h). Where that does
 * not fit, the memory is too small; else a demand cannot be met. */
#include "mapper/search/why.h"

#include <inttypes.h>

#include "mapper/mapping/feasible.h"
#include "mapper/mapping/tile.h"

static const char *tiles_text(const struct terms *t, unsigned operands, const int64_t extent[])
{
	const char *text = "";

	for (int o = 0; o < t->operands; o++) {
		int64_t words = tile_words(&t->problem->operand[o], t->problem->dims, extent);
		if (operands >> o & 1)
			text = arena_printf(t->arena, "%s%s%" PRId64 " word%s of %s", text,
					    *text ? " + " : "", words, words == 1 ? "" : "s",
					    operand_name(t->problem, o));
	}
	return text;
}

/* The operands of a room that are too many for it, or NULL. */
static const char *room_text(const struct terms *t, int level, unsigned operands, int64_t words)
{
	const struct level *l = &t->machine->level[level];
	int64_t extent[MAX_DIMS], needed = 0;

	feasible_least(&t->constraint, t->problem, t->machine, level, extent);
	for (int o = 0; o < t->operands; o++)
		if (operands >> o & 1)
			needed += tile_words(&t->problem->operand[o], t->problem->dims, extent);
	if (words == 0 || needed <= words / l->buffers)
		return NULL;
	return arena_printf(
		t->arena, "memory '%s' must keep at least %s, and there is room for %" PRId64 "%s",
		l->name, tiles_text(t, operands, extent), words / l->buffers,
		l->buffers > 1 ? " in each of two buffers" : "");
}

static const char *level_text(const struct terms *t, int level)
{
	const struct level *l = &t->machine->level[level];
	unsigned must = t->constraint.must_keep[level];
	const char *text;

	if (must & ~t->constraint.may_keep[level])
		return arena_printf(
			t->arena, "memory '%s' must keep %s and may not", l->name,
			operand_name(t->problem,
				     __builtin_ctz(must & ~t->constraint.may_keep[level])));
	for (int c = 0; c < CLASSES; c++) {
		unsigned operands = 0;
		for (int o = 0; o < t->operands; o++)
			if ((must >> o & 1) && (int)t->problem->operand[o].class == c)
				operands |= 1u << o;
		if ((text = room_text(t, level, operands, l->class_words[c])))
			return text;
	}
	return room_text(t, level, must, l->words);
}

/* May the dimension have steps anywhere? */
static bool has_place(const struct terms *t, int dim)
{
	for (int l = 0; l < t->levels; l++)
		if ((t->machine->level[l].is_memory && t->constraint.time[l][dim] != 1) ||
		    (t->spread_dims[l] >> dim & 1))
			return true;
	return false;
}

const char *why_infeasible(const struct terms *t, int64_t most_cycles, double least_cycles)
{
	const char *text;

	for (int l = 0; l < t->levels; l++) {
		if ((text = level_text(t, l)))
			return text;
		if (t->spreads[l] == 0)
			return arena_printf(
				t->arena,
				"the units that are demanded of array '%s' do not fit it or the "
				"dimensions",
				t->machine->level[l].array);
	}
	for (int d = 0; d < t->problem->dims; d++)
		if (!has_place(t, d))
			return arena_printf(
				t->arena,
				"no level may have a loop over %s, whose extent is %" PRId64,
				t->problem->dim[d], t->problem->extent[d]);
	if (most_cycles > 0)
		return arena_printf(
			t->arena,
			"no mapping takes at most %" PRId64
			" cycles; the arithmetic and the words that must move alone take %.0f",
			most_cycles, least_cycles);
	return "the loops that the constraint demands leave no mapping that fits the memories";
}
