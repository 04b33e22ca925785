/* feasible.c -- steps that a constraint says are set; what is left of a dimension goes as far out as it may, for a loop
 * outside of a memory takes none of its room.
 *
 * The outermost level that leaves a loop in time free takes all of it: no tile further inside can be smaller, and those
 * further out hold it in any case. Only arrays outside of that level, or all arrays where there is none, can take a part
 * before it, and there dimensions compete for the axes: so these are tried. */
#include "mapper/mapping/feasible.h"

#include "mapper/mapping/tile.h"

enum { MOST_TRIES = 1000000 };

/* Where a level may have a loop over a dimension: in time, and along each axis. */
enum { PLACES = 1 + MAX_AXES };

/* Steps that are said, 1 where none are. */
static int64_t said_at(const struct constraint *c, int level, int place, int dim)
{
	int64_t said = place == 0 ? c->time[level][dim] : c->space[level][place - 1][dim];

	return said > 1 ? said : 1;
}

/* The outermost level where a loop in time over the dimension is free; h->levels: there is none. */
static int open_level(const struct constraint *c, const struct hierarchy *h, int dim)
{
	int level = 0;

	while (level < h->levels && c->time[level][dim] != 0)
		level++;
	return level;
}

/* May the dimension have units along this axis that no clause counts? One axis of an array is all that it takes. */
static bool is_open_axis(const struct constraint *c, const struct hierarchy *h, int level, int axis,
			 int dim)
{
	for (int a = 0; a < h->level[level].axes; a++)
		if (c->space[level][a][dim] > 1)
			return false;
	return axis < h->level[level].axes && c->space[level][axis][dim] == 0;
}

/* ---- The smallest box ------------------------------------------------------------------------------------------ */

/* Steps that are said of a dimension at the levels from `first` to `end`, at most the extent. */
static int64_t said_steps(const struct constraint *c, int first, int end, int dim, int64_t extent)
{
	int64_t steps = 1;

	for (int l = first; l < end; l++)
		for (int i = 0; i < PLACES; i++)
			if (__builtin_mul_overflow(steps, said_at(c, l, i, dim), &steps) ||
			    steps > extent)
				return extent;
	return steps;
}

/* The most that the arrays outside of a level can take. */
static int64_t most_units(const struct constraint *c, const struct hierarchy *h, int level, int dim,
			  int64_t left)
{
	int64_t units = 1;

	for (int l = 0; l < level; l++) {
		int64_t most = 1;
		for (int a = 0; a < h->level[l].axes; a++)
			if (is_open_axis(c, h, l, a, dim) && h->level[l].fanout[a] > most)
				most = h->level[l].fanout[a];
		if (__builtin_mul_overflow(units, most, &units) || units > left)
			return left;
	}
	return units;
}

void feasible_least(const struct constraint *c, const struct problem *p, const struct hierarchy *h,
		    int level, int64_t extent[MAX_DIMS])
{
	for (int d = 0; d < p->dims; d++) {
		int64_t whole = p->extent[d], inside;
		int64_t left = whole / said_steps(c, 0, h->levels, d, whole), rest = 1;
		inside = said_steps(c, level, h->levels, d, whole);
		if (open_level(c, h, d) >= level)
			rest = (left - 1) / most_units(c, h, level, d, left) + 1;
		while (left % rest != 0)
			rest++;
		extent[d] = level == 0 ? whole : inside * rest;
	}
}

/* ---- Is there one? ------------------------------------------------------------------------------------------------ */

struct plan {
	const struct constraint *c;
	const struct problem *p;
	const struct hierarchy *h;
	int64_t steps[MAX_LEVELS][MAX_DIMS]; /* at a level, in time and over its array */
	int64_t left[MAX_DIMS];              /* of an extent, that no level has yet */
	int64_t room[MAX_LEVELS][MAX_AXES];  /* units that no dimension has yet */
	int tries;
};

/* The units that clauses say; false where they are more than an axis has, or along two. */
static bool plan_axes(struct plan *plan, int level)
{
	const struct level *l = &plan->h->level[level];

	for (int a = 0; a < l->axes; a++) {
		plan->room[level][a] = l->fanout[a];
		for (int d = 0; d < plan->p->dims; d++)
			plan->room[level][a] /= said_at(plan->c, level, 1 + a, d);
		if (plan->room[level][a] == 0)
			return false;
	}
	for (int d = 0; d < plan->p->dims; d++)
		if (plan->c->space[level][0][d] > 1 && plan->c->space[level][1][d] > 1)
			return false;
	return true;
}

/* What clauses say; false where it contradicts extents or axes. */
static bool plan_said(struct plan *plan)
{
	for (int d = 0; d < plan->p->dims; d++)
		plan->left[d] = plan->p->extent[d];
	for (int l = 0; l < plan->h->levels; l++) {
		if (!plan_axes(plan, l))
			return false;
		for (int d = 0; d < plan->p->dims; d++) {
			plan->steps[l][d] = 1;
			for (int i = 0; i < PLACES; i++) {
				int64_t said = said_at(plan->c, l, i, d);
				if (plan->left[d] % said != 0)
					return false;
				plan->left[d] /= said;
				plan->steps[l][d] *= said;
			}
		}
	}
	return true;
}

static bool room_holds(const struct plan *plan, unsigned operands, const int64_t extent[],
		       int64_t words)
{
	int64_t left = words;

	for (int o = 0; words >= 0 && o < plan->p->operands; o++)
		if (operands >> o & 1) {
			int64_t tile = tile_words(&plan->p->operand[o], plan->p->dims, extent);
			if (tile > left)
				return false;
			left -= tile;
		}
	return true;
}

/* Docs/cost-model.md, rule 8, of what a level must keep. */
static bool level_holds(const struct plan *plan, int level, const int64_t extent[])
{
	const struct level *l = &plan->h->level[level];
	unsigned must = plan->c->must_keep[level];

	for (int c = 0; c < CLASSES; c++) {
		unsigned of_class = 0;
		for (int o = 0; o < plan->p->operands; o++)
			if ((int)plan->p->operand[o].class == c)
				of_class |= 1u << o;
		if (l->class_words[c] > 0 &&
		    !room_holds(plan, must & of_class, extent, l->class_words[c] / l->buffers))
			return false;
	}
	return (must & ~plan->c->may_keep[level]) == 0 &&
	       room_holds(plan, must, extent, l->words > 0 ? l->words / l->buffers : -1);
}

static bool fits(const struct plan *plan)
{
	int64_t extent[MAX_DIMS];

	for (int d = 0; d < plan->p->dims; d++)
		extent[d] = 1;
	for (int level = plan->h->levels - 1; level >= 0; level--) {
		for (int d = 0; d < plan->p->dims; d++)
			extent[d] *= plan->steps[level][d];
		if (!level_holds(plan, level, extent))
			return false;
	}
	return true;
}

static bool place(struct plan *, int dim, int level);

/* So many steps here, and what is left of the dimension at the places from `next` on. */
static bool place_steps(struct plan *plan, int dim, int level, int64_t steps, int next)
{
	bool found;

	plan->steps[level][dim] *= steps;
	plan->left[dim] /= steps;
	found = place(plan, dim, next);
	plan->left[dim] *= steps;
	plan->steps[level][dim] /= steps;
	return found;
}

static bool place_units(struct plan *plan, int dim, int level, int axis)
{
	int64_t *room = &plan->room[level][axis], whole = *room;
	int64_t units = plan->left[dim] < whole ? plan->left[dim] : whole;
	bool found = false;

	for (; !found && units > 1; units--) {
		if (plan->left[dim] % units != 0)
			continue;
		*room = whole / units;
		found = place_steps(plan, dim, level, units, level + 1);
		*room = whole;
	}
	return found;
}

/* What is left of a dimension, and of all that come after it, at the places from a level on. */
static bool place(struct plan *plan, int dim, int level)
{
	if (++plan->tries > MOST_TRIES)
		return false;
	if (dim == plan->p->dims)
		return fits(plan);
	if (plan->left[dim] == 1)
		return place(plan, dim + 1, 0);
	if (level == plan->h->levels)
		return false;
	if (plan->c->time[level][dim] == 0)
		return place_steps(plan, dim, level, plan->left[dim], level);
	for (int a = 0; a < plan->h->level[level].axes; a++)
		if (is_open_axis(plan->c, plan->h, level, a, dim) &&
		    place_units(plan, dim, level, a))
			return true;
	return place(plan, dim, level + 1);
}

bool feasible(const struct constraint *c, const struct problem *p, const struct hierarchy *h)
{
	struct plan plan = {.c = c, .p = p, .h = h};

	return plan_said(&plan) && place(&plan, 0, 0);
}
