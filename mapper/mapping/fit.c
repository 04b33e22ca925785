/* fit.c -- does a mapping fit? The tiles kept by one instance of a memory are held against its words, the loops in space
 * against the axes of their array; what does not fit is told with the dimension that, shortened least, would. */
#include "mapper/mapping/fit.h"

#include <inttypes.h>

#include "mapper/cost/cost.h"
#include "mapper/mapping/tile.h"

/* ---- Room -------------------------------------------------------------------------------------------------- */

static int64_t words_of(const struct mapping *m, unsigned operands, const int64_t extent[])
{
	int64_t words = 0;

	for (int o = 0; o < m->problem->operands; o++)
		if ((operands >> o & 1) &&
		    __builtin_add_overflow(
			    words, tile_words(&m->problem->operand[o], m->problem->dims, extent),
			    &words))
			return INT64_MAX;
	return words;
}

static bool is_relevant(const struct mapping *m, unsigned operands, int dim)
{
	for (int o = 0; o < m->problem->operands; o++)
		if ((operands >> o & 1) && (m->problem->operand[o].relevant >> dim & 1))
			return true;
	return false;
}

/* The greatest extent of a dimension with which the tiles fit, all others as they are; 0: none. */
static int64_t largest_of(const struct mapping *m, const struct misfit *f, int64_t extent[],
			  int dim)
{
	int64_t fits = 0, fails = extent[dim], whole = extent[dim];

	while (fails - fits > 1) {
		extent[dim] = fits + (fails - fits) / 2;
		if (words_of(m, f->operands, extent) <= f->there)
			fits = extent[dim];
		else
			fails = extent[dim];
	}
	extent[dim] = whole;
	return fits;
}

/* The dimension that keeps the greatest part of itself. */
static void find_remedy(const struct mapping *m, struct misfit *f, int64_t extent[])
{
	double best = 0;

	f->dim = -1;
	for (int d = 0; d < m->problem->dims; d++) {
		int64_t largest;
		if (extent[d] == 1 || !is_relevant(m, f->operands, d))
			continue;
		largest = largest_of(m, f, extent, d);
		if ((double)largest / (double)extent[d] <= best)
			continue;
		best = (double)largest / (double)extent[d];
		f->dim = d;
		f->largest = largest;
	}
}

/* Do these operands, kept at a level, fit so many words? */
static bool exceeds(const struct mapping *m, int level, unsigned operands, int64_t words,
		    struct misfit *f)
{
	int64_t extent[MAX_DIMS];

	if (words == 0)
		return false;
	tile_box(m, tile_first_loop(m, level), extent);
	*f = (struct misfit){.kind = MISFIT_ROOM, .level = level, .operands = operands};
	f->needed = words_of(m, operands, extent);
	f->there = words / m->machine->level[level].buffers;
	if (f->needed <= f->there)
		return false;
	find_remedy(m, f, extent);
	return true;
}

static unsigned of_class(const struct mapping *m, enum tensor_class class)
{
	unsigned operands = 0;

	for (int o = 0; o < m->problem->operands; o++)
		operands |= m->problem->operand[o].class == class ? 1u << o : 0;
	return operands;
}

static bool room_misfit(const struct mapping *m, int level, struct misfit *f)
{
	const struct level *l = &m->machine->level[level];

	for (int c = 0; c < CLASSES; c++)
		if (exceeds(m, level, m->keep[level] & of_class(m, (enum tensor_class)c),
			    l->class_words[c], f))
			return true;
	return exceeds(m, level, m->keep[level], l->words, f);
}

/* ---- Fan-out --------------------------------------------------------------------------------------------------- */

static bool fanout_misfit(const struct mapping *m, int level, struct misfit *f)
{
	const struct level *l = &m->machine->level[level];
	int64_t units[MAX_AXES] = {1, 1};

	for (int i = tile_first_loop(m, level); i < m->loops && m->loop[i].level == level; i++) {
		int axis = m->loop[i].axis;
		int64_t there = axis < l->axes ? l->fanout[axis] : 1;
		int64_t before = units[axis];

		if (m->loop[i].kind != LOOP_SPACE)
			continue;
		if (__builtin_mul_overflow(before, tile_steps(m, i), &units[axis]))
			units[axis] = INT64_MAX;
		if (units[axis] <= there)
			continue;
		*f = (struct misfit){.kind = MISFIT_FANOUT, .level = level, .axis = axis};
		f->loop = i;
		f->dim = m->loop[i].dim;
		f->needed = units[axis];
		f->there = there;
		f->largest = there / before;
		return true;
	}
	return false;
}

bool level_misfit(const struct mapping *m, int level, struct misfit *f)
{
	return room_misfit(m, level, f) || fanout_misfit(m, level, f);
}

/* ---- Sentences ---------------------------------------------------------------------------------------------------- */

/* "96x27x27 = 69984 words of O"; a tile of one rank is its words alone. */
static const char *tile_words_text(struct arena *arena, const struct mapping *m, int operand,
				   const int64_t extent[])
{
	const struct operand *o = &m->problem->operand[operand];
	const char *text = "";
	int lengths = 0;

	for (int r = 0; r < o->ranks; r++) {
		int64_t length = tile_length(o, r, m->problem->dims, extent);
		if (length > 1)
			text = arena_printf(arena, "%s%s%" PRId64, text, lengths++ ? "x" : "",
					    length);
	}
	return arena_printf(arena, "%s%s%" PRId64 " words of %s", lengths > 1 ? text : "",
			    lengths > 1 ? " = " : "", tile_words(o, m->problem->dims, extent),
			    operand_name(m->problem, operand));
}

static int count_of(unsigned bits)
{
	return __builtin_popcount(bits);
}

static const char *room_sentence(struct arena *arena, const struct mapping *m,
				 const struct misfit *f)
{
	const struct level *l = &m->machine->level[f->level];
	bool is_one = count_of(f->operands) == 1;
	int64_t extent[MAX_DIMS];
	const char *tiles = "";
	int told = 0;

	tile_box(m, tile_first_loop(m, f->level), extent);
	for (int o = 0; o < m->problem->operands; o++)
		if (f->operands >> o & 1)
			tiles = arena_printf(arena, "%s%s%s", tiles, told++ ? ", " : "",
					     tile_words_text(arena, m, o, extent));
	if (!is_one)
		tiles = arena_printf(arena, "%s, %" PRId64 " in all,", tiles, f->needed);
	return arena_printf(arena, "%s of %s %s memory '%s' (%" PRId64 " words%s)",
			    is_one ? "a tile" : "tiles", tiles,
			    is_one ? "does not fit" : "do not fit", l->name, f->there,
			    l->buffers > 1 ? " in each of two buffers" : "");
}

const char *misfit_sentence(struct arena *arena, const struct mapping *m, const struct misfit *f)
{
	const struct level *l = &m->machine->level[f->level];

	if (f->kind == MISFIT_ROOM)
		return room_sentence(arena, m, f);
	if (f->axis >= l->axes)
		return arena_printf(arena,
				    "%" PRId64 " units do not fit inside '%s', which has no "
				    "array there",
				    f->needed, l->name);
	return arena_printf(arena,
			    "%" PRId64 " units over %s do not fit array '%s', which has %" PRId64,
			    f->needed, l->axis[f->axis], l->array, f->there);
}

const char *misfit_remedy(struct arena *arena, const struct mapping *m, const struct misfit *f)
{
	if (f->dim < 0 || f->largest == 0)
		return NULL;
	return arena_printf(arena, "the largest that fits is %s = %" PRId64,
			    m->problem->dim[f->dim], f->largest);
}

bool mapping_fits(struct arena *arena, const struct mapping *m, const char **why)
{
	for (int level = 0; level < m->machine->levels; level++) {
		struct misfit f;
		const char *remedy;
		if (!level_misfit(m, level, &f))
			continue;
		remedy = misfit_remedy(arena, m, &f);
		*why = arena_printf(arena, "%s%s%s", misfit_sentence(arena, m, &f),
				    remedy ? "; " : "", remedy ? remedy : "");
		return false;
	}
	return true;
}
