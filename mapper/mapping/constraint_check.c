/* constraint_check.c -- what all clauses together leave: their steps must be parts of the extents and their units fit the
 * axes; where the loops that are said walk all of a dimension, no others over it are left. */
#include <inttypes.h>

#include "mapper/mapping/constraint_make.h"

enum { MOST_SLOTS = MAX_LEVELS * (1 + MAX_AXES) };

/* The places of one dimension, the outermost first, or of one axis. */
struct slots {
	int count;
	int64_t *steps[MOST_SLOTS];
	struct span *origin[MOST_SLOTS];
	bool is_space[MOST_SLOTS];
};

static void add_slot(struct slots *s, int64_t *steps, struct span *origin, bool is_space)
{
	s->steps[s->count] = steps;
	s->origin[s->count] = origin;
	s->is_space[s->count++] = is_space;
}

/* The clause that stands last, of those that say so many steps or more. */
static int last_said(const struct maker *m, const struct slots *s, int64_t least)
{
	int last = -1;

	for (int i = 0; i < s->count; i++)
		if (*s->steps[i] >= least && s->origin[i]->source &&
		    (last < 0 || is_later(m, *s->origin[i], *s->origin[last])))
			last = i;
	return last;
}

static void note_others(struct maker *m, const struct slots *s, int last)
{
	for (int i = 0; i < s->count; i++) {
		bool is_told = i == last || *s->steps[i] <= 1;
		for (int k = 0; k < i && !is_told; k++)
			is_told = k != last && s->origin[k]->begin == s->origin[i]->begin &&
				  s->origin[k]->source == s->origin[i]->source;
		if (!is_told)
			scope_note_line(&m->scope, *s->origin[i],
					arena_printf(m->scope.program->arena,
						     "beside the %" PRId64 " of this line",
						     *s->steps[i]));
	}
}

/* ---- Axes --------------------------------------------------------------------------------------------------- */

static void check_axis(struct maker *m, int level, int axis)
{
	const struct level *l = &m->scope.machine->level[level];
	struct slots s = {0};
	int64_t units = 1;
	int last;

	for (int d = 0; d < m->scope.problem->dims; d++) {
		int64_t *steps = &m->c->space[level][axis][d];
		if (*steps <= 1)
			continue;
		add_slot(&s, steps, &m->origin->space[level][axis][d], true);
		if (__builtin_mul_overflow(units, *steps, &units))
			units = INT64_MAX;
	}
	if (units <= l->fanout[axis])
		return;
	last = last_said(m, &s, 2);
	scope_error(&m->scope, "does-not-fit", *s.origin[last],
		    "%" PRId64 " units over %s do not fit array '%s', which has %" PRId64, units,
		    l->axis[axis], l->array, l->fanout[axis]);
	note_others(m, &s, last);
	note_machine(m, l->array, NULL);
}

/* One dimension runs along one axis of an array. */
static void check_both(struct maker *m, int level, int dim)
{
	int64_t *one = &m->c->space[level][0][dim], *two = &m->c->space[level][1][dim];
	struct span *at_one = &m->origin->space[level][0][dim],
		    *at_two = &m->origin->space[level][1][dim];
	bool later = *one > 1 && *two > 1 && is_later(m, *at_one, *at_two);

	if (*one > 1 && *two > 1) {
		scope_error(&m->scope, "bad-mapping", later ? *at_one : *at_two,
			    "%s runs along one axis of array '%s', not along both",
			    m->scope.problem->dim[dim], m->scope.machine->level[level].array);
		scope_note_line(&m->scope, later ? *at_two : *at_one, "this line says otherwise");
	} else if (*one > 1 && *two == 0) {
		*two = 1;
		*at_two = *at_one;
	} else if (*two > 1 && *one == 0) {
		*one = 1;
		*at_one = *at_two;
	}
}

void check_axes(struct maker *m)
{
	for (int level = 0; level < m->scope.machine->levels; level++) {
		for (int d = 0; d < m->scope.problem->dims; d++)
			check_both(m, level, d);
		for (int a = 0; a < m->scope.machine->level[level].axes; a++)
			check_axis(m, level, a);
	}
}

/* ---- Dimensions ------------------------------------------------------------------------------------------------ */

static struct slots slots_of(struct maker *m, int dim)
{
	struct slots s = {0};

	for (int l = 0; l < m->scope.machine->levels; l++) {
		add_slot(&s, &m->c->time[l][dim], &m->origin->time[l][dim], false);
		for (int a = 0; a < MAX_AXES; a++)
			add_slot(&s, &m->c->space[l][a][dim], &m->origin->space[l][a][dim], true);
	}
	return s;
}

/* What the loops that are said leave of an extent; 0 where a step is not whole. One loop in space may part it unevenly where
 * factors may be imperfect. */
static int64_t left_of(const struct slots *s, int64_t left, bool imperfect)
{
	for (int i = 0; i < s->count && left > 0; i++) {
		int64_t steps = *s->steps[i];
		int64_t tile = steps > 1 ? left / steps + (left % steps > 0) : left;
		if (steps <= 1)
			continue;
		if (left % steps != 0) {
			bool parts = s->is_space[i] && imperfect &&
				     left / tile + (left % tile > 0) == steps;
			imperfect = false;
			tile = parts ? tile : 0;
		}
		left = tile;
	}
	return left;
}

/* Whether more steps are said in time than there are. */
static bool exceeds(const struct slots *s, int64_t extent)
{
	int64_t steps = 1;

	for (int i = 0; i < s->count; i++)
		if (!s->is_space[i] && *s->steps[i] > 1 &&
		    __builtin_mul_overflow(steps, *s->steps[i], &steps))
			return true;
	return steps > extent;
}

static bool has_free(const struct slots *s, bool in_space)
{
	for (int i = 0; i < s->count; i++)
		if (*s->steps[i] == 0 || (in_space && s->is_space[i] && *s->steps[i] > 1))
			return true;
	return false;
}

static void tell_not_whole(struct maker *m, const struct slots *s, int dim)
{
	int last = last_said(m, s, 2);

	scope_error(&m->scope, "bad-mapping", *s->origin[last],
		    "%" PRId64 " steps do not divide what %s has, %" PRId64, *s->steps[last],
		    m->scope.problem->dim[dim], m->scope.problem->extent[dim]);
	note_others(m, s, last);
}

/* Of the lines of one file the one that says too few steps is to be changed, not one that allows none. */
static int too_few_said(const struct maker *m, const struct slots *s)
{
	int last = last_said(m, s, 1), few = last_said(m, s, 2);

	return few >= 0 && s->origin[few]->source == s->origin[last]->source ? few : last;
}

static void tell_not_walked(struct maker *m, const struct slots *s, int dim, int64_t left)
{
	int last = too_few_said(m, s);

	scope_error(&m->scope, "bad-mapping", *s->origin[last],
		    "this leaves no place for a loop over the last %" PRId64
		    " of %s, which is %" PRId64,
		    left, m->scope.problem->dim[dim], m->scope.problem->extent[dim]);
	for (int i = 0; i < s->count; i++)
		if (s->origin[i]->source && i != last &&
		    (s->origin[i]->begin != s->origin[last]->begin ||
		     s->origin[i]->source != s->origin[last]->source)) {
			scope_note_line(&m->scope, *s->origin[i], "nor does this line");
			return;
		}
}

static void check_dim(struct maker *m, int dim)
{
	struct slots s = slots_of(m, dim);
	int64_t extent = m->scope.problem->extent[dim], left = left_of(&s, extent, m->imperfect);
	int last = last_said(m, &s, 2);

	/* a loop before it may yet make a step whole */
	if (m->imperfect && has_free(&s, false) && has_free(&s, true) && left == 0) {
		if (exceeds(&s, extent))
			tell_not_whole(m, &s, dim);
		return;
	}
	if (left == 0)
		tell_not_whole(m, &s, dim);
	else if (left > 1 && !has_free(&s, false))
		tell_not_walked(m, &s, dim, left);
	for (int i = 0; left == 1 && i < s.count; i++)
		if (*s.steps[i] == 0) {
			*s.steps[i] = 1;
			*s.origin[i] = *s.origin[last];
		}
}

void check_dims(struct maker *m)
{
	for (int d = 0; d < m->scope.problem->dims; d++)
		check_dim(m, d);
}
