/* constraint_loops.c -- clauses that speak of loops go in: which may stand at a place, of how many steps, and in which order. */
#include <inttypes.h>
#include <string.h>

#include "mapper/mapping/constraint_make.h"

/* ---- Loops ------------------------------------------------------------------------------------------------------ */

int64_t *steps_at(struct maker *m, struct slot s)
{
	return s.kind == LOOP_TIME ? &m->c->time[s.level][s.dim]
				   : &m->c->space[s.level][s.axis][s.dim];
}

struct span *origin_at(struct maker *m, struct slot s)
{
	return s.kind == LOOP_TIME ? &m->origin->time[s.level][s.dim]
				   : &m->origin->space[s.level][s.axis][s.dim];
}

const struct tree_clause **naming_at(struct reading *r, struct slot s)
{
	return s.kind == LOOP_TIME ? &r->time[s.level][s.dim] : &r->space[s.level][s.axis][s.dim];
}

const char *slot_name(struct maker *m, struct slot s)
{
	const struct level *l = &m->scope.machine->level[s.level];

	if (s.kind == LOOP_TIME)
		return arena_printf(m->scope.program->arena, "at memory '%s'", l->name);
	return arena_printf(m->scope.program->arena, "over %s of array '%s'", l->axis[s.axis],
			    l->array);
}

static void slot_conflict(struct maker *m, struct slot s, int64_t steps, struct span span)
{
	int64_t said = *steps_at(m, s);
	const char *dim = m->scope.problem->dim[s.dim];

	if (said == 1)
		scope_error(&m->scope, "bad-mapping", span, "no loop over %s may stand %s", dim,
			    slot_name(m, s));
	else if (steps == 1)
		scope_error(&m->scope, "bad-mapping", span,
			    "this leaves no loop over %s %s, which has %" PRId64 " steps", dim,
			    slot_name(m, s), said);
	else
		scope_error(&m->scope, "bad-mapping", span,
			    "a loop over %s %s cannot have %" PRId64 " steps and %" PRId64, dim,
			    slot_name(m, s), said, steps);
	scope_note_line(&m->scope, *origin_at(m, s), OTHERWISE);
}

void fix_steps(struct maker *m, struct slot s, int64_t steps, struct span span)
{
	int64_t *said = steps_at(m, s);

	if (*said == 0 && steps != 0) {
		*said = steps;
		*origin_at(m, s) = span;
	} else if (*said != steps && (steps != 0 || *said == 1)) {
		slot_conflict(m, s, steps, span);
	}
}

/* ---- Numbers of loops ------------------------------------------------------------------------------------------------ */

/* What the loops outside of a place leave of its dimension; 0 where they are not all said. */
static int64_t left_at(struct maker *m, struct slot s)
{
	int64_t left = m->scope.problem->extent[s.dim];

	for (int l = 0; l <= s.level; l++) {
		int64_t steps = m->c->time[l][s.dim];
		if (l == s.level && s.kind == LOOP_TIME)
			break;
		if (steps == 0 || left % steps != 0)
			return 0;
		left /= steps;
		for (int a = 0; l < s.level && a < MAX_AXES; a++) {
			steps = m->c->space[l][a][s.dim];
			if (steps == 0)
				return 0;
			left = left / steps + (left % steps > 0);
		}
	}
	return left;
}

struct numbers {
	int64_t in, step; /* 0: not said */
};

static bool numbers_of(struct reading *r, const struct tree_clause *c, struct numbers *n)
{
	*n = (struct numbers){0};
	return (!c->extent || clause_number(&r->m->scope, c->extent, &n->in)) &&
	       (!c->step || clause_number(&r->m->scope, c->step, &n->step));
}

static bool bad_number(struct reading *r, const struct tree_expr *at, const char *why)
{
	scope_error(&r->m->scope, "bad-mapping", at->span, "%s", why);
	return false;
}

/* Steps of a loop in time: `in 96 step 16` are 6, `in 4` are 4, `step 16` as many as what is left needs. */
static bool time_steps(struct reading *r, const struct tree_clause *c, struct slot s,
		       struct numbers n, int64_t *steps)
{
	int64_t left = left_at(r->m, s), walked = n.in ? n.in : left;
	struct arena *arena = r->m->scope.program->arena;
	const char *dim = r->m->scope.problem->dim[s.dim];

	*steps = n.in;
	if (!n.step)
		return true;
	if (!walked)
		return bad_number(r, c->step,
				  arena_printf(arena,
					       "how much is left of %s here is not said: say 'in'",
					       dim));
	if (n.in && left && n.in != left)
		return bad_number(r, c->extent,
				  arena_printf(arena,
					       "this loop walks %" PRId64 " of %s, and %" PRId64
					       " are left of it here",
					       n.in, dim, left));
	if (walked % n.step != 0)
		return bad_number(r, c->step,
				  arena_printf(arena,
					       "%" PRId64 " of %s in steps of %" PRId64
					       " are not whole steps",
					       walked, dim, n.step));
	*steps = walked / n.step;
	return true;
}

/* Units of a loop in space: `in 3` are 3; without `in` as many as shares of `step`. */
static bool space_steps(struct reading *r, const struct tree_clause *c, struct slot s,
			struct numbers n, int64_t *units)
{
	int64_t left = left_at(r->m, s);
	struct arena *arena = r->m->scope.program->arena;
	const char *dim = r->m->scope.problem->dim[s.dim];

	*units = n.in;
	if (!n.step)
		return true;
	if (!n.in && !left)
		return bad_number(r, c->step,
				  arena_printf(arena,
					       "how much is left of %s here is not said: say 'in'",
					       dim));
	if (!n.in)
		*units = left / n.step + (left % n.step > 0);
	if (left && left / *units + (left % *units > 0) != n.step)
		return bad_number(r, c->step,
				  arena_printf(arena,
					       "%" PRId64 " of %s among %" PRId64
					       " units are not shares of %" PRId64,
					       left, dim, *units, n.step));
	return true;
}

/* More steps than there is of the dimension, or than units. */
static bool check_steps(struct reading *r, const struct tree_clause *c, struct slot s,
			int64_t steps)
{
	const struct level *l = &r->m->scope.machine->level[s.level];
	int64_t extent = r->m->scope.problem->extent[s.dim];
	struct span span = c->extent ? c->extent->span : c->span;
	const char *dim = r->m->scope.problem->dim[s.dim];

	if (steps > extent) {
		scope_error(&r->m->scope, "out-of-range", span,
			    "%" PRId64 " is more than %s has: %" PRId64, steps, dim, extent);
		return false;
	}
	if (s.kind == LOOP_SPACE && steps > l->fanout[s.axis]) {
		scope_error(&r->m->scope, "does-not-fit", span,
			    "%" PRId64 " units over %s do not fit array '%s', which has %" PRId64,
			    steps, l->axis[s.axis], l->array, l->fanout[s.axis]);
		note_machine(r->m, l->array, NULL);
		return false;
	}
	return true;
}

static void take_slot(struct reading *r, const struct tree_clause *c, int i, struct slot s)
{
	const struct tree_clause **naming = naming_at(r, s);
	struct numbers n;
	int64_t steps;

	if (*naming) {
		scope_error(&r->m->scope, "repeated-name", c->name_spans[i],
			    "%s is named %s already", c->name[i], slot_name(r->m, s));
		scope_note_line(&r->m->scope, (*naming)->span, OTHERWISE);
		return;
	}
	*naming = c;
	if (!numbers_of(r, c, &n) ||
	    !(s.kind == LOOP_TIME ? time_steps : space_steps)(r, c, s, n, &steps))
		return;
	if (check_steps(r, c, s, steps))
		fix_steps(r->m, s, steps, c->span);
}

/* `in 1` says that there is no loop; all else that there may be one. */
static bool forbids(struct reading *r, const struct tree_clause *c)
{
	struct numbers n;

	return numbers_of(r, c, &n) && n.in == 1;
}

static void take_time(struct reading *r, const struct tree_clause *c, int level)
{
	for (int i = 0; i < c->name_count; i++) {
		int d = reading_dim(r, c, i);
		if (d < 0)
			continue;
		/* what was named before stands outside */
		for (int outer = 0; outer < MAX_DIMS; outer++)
			if (r->time[level][outer] && r->time[level][outer] != c)
				say_order(r->m, level, outer, d, c->span);
		take_slot(r, c, i, (struct slot){LOOP_TIME, level, 0, d});
	}
	if (!r->time_closed[level] && !forbids(r, c))
		r->time_closed[level] = c;
}

static void take_axis(struct reading *r, const struct tree_clause *c, int level, int axis)
{
	for (int i = 0; i < c->name_count; i++) {
		int d = reading_dim(r, c, i);
		if (d >= 0)
			take_slot(r, c, i, (struct slot){LOOP_SPACE, level, axis, d});
	}
	if (!r->space_closed[level][axis] && !forbids(r, c))
		r->space_closed[level][axis] = c;
}

/* Without `over`, along any axis; but so many units are along one. */
static void take_space(struct reading *r, const struct tree_clause *c, int level)
{
	int first = 0, last = r->m->scope.machine->level[level].axes - 1;
	bool is_counted = (c->extent || c->step) && !forbids(r, c);

	if (c->axis || is_counted)
		first = last = clause_axis(&r->m->scope, c, level);
	for (int a = first; first >= 0 && a <= last; a++)
		take_axis(r, c, level, a);
}

/* Numbers are of one loop; of a loop of one step, in a map, they are 1. */
static bool check_numbers(struct reading *r, const struct tree_clause *c)
{
	struct numbers n;

	if (!numbers_of(r, c, &n))
		return false;
	if (c->name_count > 1 && (n.in > 1 || n.step)) {
		scope_error(&r->m->scope, "bad-mapping", c->span,
			    "a line with numbers is of one loop; of several it says that they may "
			    "stand "
			    "here, or with 'in 1' that they do not");
		return false;
	}
	if (r->is_dataflow || (n.in <= 1 && n.step <= 1) ||
	    problem_dim(r->m->scope.problem, c->name[0]) != DIM_ONE)
		return true;
	scope_error(&r->m->scope, "out-of-range", (n.in > 1 ? c->extent : c->step)->span,
		    "%s of this layer is 1", c->name[0]);
	return false;
}

void take_loops(struct reading *r, const struct tree_clause *c)
{
	unsigned levels = reading_levels(r, c, NULL);

	if (!check_numbers(r, c))
		return;
	for (int l = 0; levels >> l; l++) {
		if (!(levels >> l & 1))
			continue;
		if (c->kind == CLAUSE_FOR)
			take_time(r, c, l);
		else
			take_space(r, c, l);
	}
}

void close_places(struct reading *r, int level)
{
	struct maker *m = r->m;

	for (int d = 0; d < m->scope.problem->dims; d++) {
		if (r->time_closed[level] && !r->time[level][d])
			fix_steps(m, (struct slot){LOOP_TIME, level, 0, d}, 1,
				  r->time_closed[level]->span);
		for (int a = 0; a < MAX_AXES; a++)
			if (r->space_closed[level][a] && !r->space[level][a][d])
				fix_steps(m, (struct slot){LOOP_SPACE, level, a, d}, 1,
					  r->space_closed[level][a]->span);
	}
}

/* ---- How loops stand ------------------------------------------------------------------------------------------------ */

/* `order s, c`: s outside of c, and all others outside of both. */
static void take_order(struct reading *r, const struct tree_clause *c, int level)
{
	unsigned outside = (1u << r->m->scope.problem->dims) - 1;
	int dim[MAX_DIMS], count = 0;

	for (int i = 0; i < c->name_count; i++) {
		int d = reading_dim(r, c, i);
		if (d < 0)
			continue;
		dim[count++] = d;
		outside &= ~(1u << d);
	}
	for (int i = 0; i < count; i++) {
		for (int outer = 0; outside >> outer; outer++)
			if (outside >> outer & 1)
				say_order(r->m, level, outer, dim[i], c->span);
		outside |= 1u << dim[i];
	}
}

void take_orders(struct reading *r, const struct tree_clause *c)
{
	unsigned levels = reading_levels(r, c, NULL);

	for (int i = 0; i < c->name_count; i++)
		for (int k = 0; k < i; k++)
			if (strcmp(c->name[i], c->name[k]) == 0) {
				scope_error(&r->m->scope, "repeated-name", c->name_spans[i],
					    "'%s' stands twice in this order", c->name[i]);
				return;
			}
	for (int l = 0; levels >> l; l++)
		if (levels >> l & 1)
			take_order(r, c, l);
}
