/* constraint_stay.c -- can a tensor that is said to be stationary stay? Its words come to a unit once if the boxes that it
 * holds one after the other have none in common, or if they slide: one loop, innermost of those that index the tensor, moves
 * the box along one rank, and brings only what is new (docs/cost-model.md, rule 2).
 *
 * Loops that index one rank together, as p and r of an input, are what hinders it: where both stand in time outside of the
 * memory, words that were there come again. So each of them is tried in time, inside of the memory, and in space alone. */
#include <inttypes.h>
#include <stdlib.h>

#include "mapper/cost/sums.h"
#include "mapper/mapping/constraint_make.h"
#include "mapper/mapping/dataflow.h"
#include "mapper/mapping/feasible.h"
#include "mapper/mapping/tile.h"

enum where { IN_TIME, INSIDE, IN_SPACE, WHERES };

struct stay {
	const struct maker *m;
	const struct operand *operand;
	int index, level; /* of the operand; the memory where it is to stay */
	unsigned shared;  /* ranks that several loops index, with words in common; */
	unsigned dims;    /* and those loops */
	enum where where[MAX_DIMS];
	bool can;
	int64_t least; /* words that the memory would need for it; INT64_MAX: no room is enough */
};

static bool indexes(const struct stay *s, int rank, int dim)
{
	return s->operand->coef[rank][dim] != 0 && s->m->scope.problem->extent[dim] > 1;
}

/* Do positions of the loops that index this rank, together, have words in common? */
static bool is_shared(const struct stay *s, int rank)
{
	struct shift shift[MAX_DIMS];
	int64_t points = 1;
	int count = 0;

	for (int d = 0; d < s->m->scope.problem->dims; d++)
		if (indexes(s, rank, d)) {
			int64_t extent = s->m->scope.problem->extent[d];
			shift[count++] = (struct shift){llabs(s->operand->coef[rank][d]), extent};
			if (__builtin_mul_overflow(points, extent, &points))
				return true;
		}
	return sums_distinct(count, shift) != points;
}

/* ---- Where loops stand ------------------------------------------------------------------------------------------------ */

/* The length of a rank that the loops inside walk. */
static int64_t length_inside(const struct stay *s, int rank)
{
	int64_t extent[MAX_DIMS];

	for (int d = 0; d < MAX_DIMS; d++)
		extent[d] = s->where[d] == INSIDE && d < s->m->scope.problem->dims
				    ? s->m->scope.problem->extent[d]
				    : 1;
	return tile_length(s->operand, rank, s->m->scope.problem->dims, extent);
}

/* The loop whose steps bring words again that were there; -1: there is none; -2: there are several. */
static int slider_of(const struct stay *s, int rank)
{
	struct shift shift[MAX_DIMS];
	int64_t length = length_inside(s, rank), words = length;
	int count = 0, slider = -1;

	for (int d = 0; d < s->m->scope.problem->dims; d++)
		if (indexes(s, rank, d) && s->where[d] == IN_TIME) {
			int64_t extent = s->m->scope.problem->extent[d];
			shift[count++] = (struct shift){llabs(s->operand->coef[rank][d]), extent};
			words *= extent;
			slider = d;
		}
	if (sums_cover(count, shift, length) == words)
		return -1;
	return count > 1 ? -2 : slider;
}

static bool forbid(struct constraint *c, int level, int dim)
{
	if (c->time[level][dim] > 1)
		return false;
	c->time[level][dim] = 1;
	return true;
}

/* Leaves the loops where they are to be, and no others. */
static bool put(const struct stay *s, struct constraint *c)
{
	const struct hierarchy *h = s->m->scope.machine;
	bool can = true;

	for (int d = 0; d < s->m->scope.problem->dims; d++) {
		if (!(s->dims >> d & 1) || s->where[d] == IN_TIME)
			continue;
		for (int l = 0; l < (s->where[d] == INSIDE ? s->level : h->levels); l++)
			can &= forbid(c, l, d);
		for (int l = s->level; s->where[d] == IN_SPACE && l < h->levels; l++)
			for (int a = 0; a < h->level[l].axes; a++) {
				can &= c->space[l][a][d] <= 1;
				c->space[l][a][d] = 1;
			}
	}
	return can;
}

/* How far inside a loop stands by the order that is said. */
static int place_in_order(const struct constraint *c, int level, int dim)
{
	for (int i = 0; i < c->order_count[level]; i++)
		if (c->order[level][i] == dim)
			return i;
	return -1;
}

/* Must a loop of this level stand inside of the slider? */
static bool is_inside(const struct stay *s, const struct constraint *c, int level, int dim,
		      int slider)
{
	int o = c->stationary[level];
	unsigned outer = o < 0 ? 0 : s->m->scope.problem->operand[o].relevant;

	return place_in_order(c, level, dim) > place_in_order(c, level, slider) ||
	       ((outer >> slider & 1) && !(outer >> dim & 1));
}

/* Leaves the slider at one level, and inside of it nothing that indexes the tensor. */
static bool slide(const struct stay *s, struct constraint *c, int slider, int at)
{
	bool can = c->time[at][slider] != 1;

	for (int l = 0; l < s->level; l++)
		for (int d = 0; d < s->m->scope.problem->dims; d++) {
			bool is_in = l > at || (l == at && is_inside(s, c, l, d, slider));
			if (d == slider ? l != at : is_in && (s->operand->relevant >> d & 1))
				can &= forbid(c, l, d);
		}
	return can;
}

/* ---- Is there a mapping? ------------------------------------------------------------------------------------------ */

static int64_t words_needed(const struct stay *s, const struct constraint *c)
{
	const struct problem *p = s->m->scope.problem;
	struct hierarchy roomy = *s->m->scope.machine;
	int64_t extent[MAX_DIMS];

	roomy.level[s->level].words = 0;
	roomy.level[s->level].class_words[s->operand->class] = 0;
	if (!feasible(c, p, &roomy))
		return INT64_MAX;
	feasible_least(c, p, &roomy, s->level, extent);
	return tile_words(s->operand, p->dims, extent);
}

static void try_mapping(struct stay *s, const struct constraint *c)
{
	int64_t words;

	s->can = feasible(c, s->m->scope.problem, s->m->scope.machine);
	if (s->can)
		return;
	words = words_needed(s, c);
	s->least = words < s->least ? words : s->least;
}

static void try_places(struct stay *s)
{
	struct constraint c = *s->m->c;
	bool brings_all = s->m->scope.machine->level[s->level].halo == HALO_FULL;
	int slider = -1;

	for (int r = 0; r < s->operand->ranks; r++) {
		int slides = s->shared >> r & 1 ? slider_of(s, r) : -1;
		if (slides == -2 || (slides >= 0 && (slider >= 0 || brings_all)))
			return;
		slider = slides >= 0 ? slides : slider;
	}
	if (!put(s, &c))
		return;
	if (slider < 0)
		try_mapping(s, &c);
	for (int at = 0; slider >= 0 && at < s->level && !s->can; at++) {
		struct constraint sliding = c;
		if (slide(s, &sliding, slider, at))
			try_mapping(s, &sliding);
	}
}

static void try_dim(struct stay *s, int dim)
{
	if (dim == s->m->scope.problem->dims) {
		try_places(s);
		return;
	}
	for (int w = IN_TIME; w < WHERES && !s->can; w++) {
		s->where[dim] = (enum where)w;
		try_dim(s, dim + 1);
		if (!(s->dims >> dim & 1))
			return;
	}
}

/* ---- What is said --------------------------------------------------------------------------------------------------- */

static const char *loops_text(const struct stay *s)
{
	const struct problem *p = s->m->scope.problem;
	const char *text = "";

	for (int r = 0; r < s->operand->ranks && !*text; r++)
		for (int d = 0; s->shared >> r & 1 && d < p->dims; d++)
			if (indexes(s, r, d))
				text = arena_printf(s->m->scope.program->arena, "%s%s%s", text,
						    *text ? " and " : "", p->dim[d]);
	return text;
}

static void tell(const struct stay *s, struct span span)
{
	struct diag *diag = s->m->scope.program->diag;
	const char *name = operand_name(s->m->scope.problem, s->index);
	const char *memory = s->m->scope.machine->level[s->level].name;

	if (span.source->is_library)
		span = s->m->scope.caller;
	diag_warning(diag, "not-stationary", span,
		     "%s cannot stay in memory '%s': %s index it together, and in any order of "
		     "loops "
		     "words of it come again",
		     name, memory, loops_text(s));
	if (s->least < INT64_MAX)
		diag_note(diag, span,
			  "with room for %" PRId64 " words of %s there it can stay, while one of "
			  "these loops runs inside",
			  s->least, name);
	else
		diag_note(diag, span,
			  "it can stay where the statement has a loop over its elements: "
			  "docs/cost-model.md, section 5");
}

void check_stay(struct maker *m, int level, int operand, struct span span)
{
	struct stay s = {.m = m,
			 .operand = &m->scope.problem->operand[operand],
			 .index = operand,
			 .level = level,
			 .least = INT64_MAX};

	/* feasible knows perfect factors alone */
	for (int r = 0; r < s.operand->ranks && !m->imperfect; r++)
		if (is_shared(&s, r))
			s.shared |= 1u << r;
	for (int r = 0; r < s.operand->ranks; r++)
		for (int d = 0; s.shared >> r & 1 && d < m->scope.problem->dims; d++)
			s.dims |= indexes(&s, r, d) ? 1u << d : 0;
	if (s.shared == 0 || !feasible(m->c, m->scope.problem, m->scope.machine))
		return;
	try_dim(&s, 0);
	if (!s.can)
		tell(&s, span);
}
