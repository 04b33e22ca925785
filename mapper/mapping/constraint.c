/* constraint.c -- the constraint that leaves everything open, and whether a mapping obeys one. */
#include "mapper/mapping/constraint.h"

#include <inttypes.h>
#include <string.h>

#include "mapper/mapping/tile.h"

/* ---- All that the machine allows ---------------------------------------------------------------------------- */

void constraint_free(struct constraint *c, const struct problem *p, const struct hierarchy *h)
{
	memset(c, 0, sizeof *c);
	for (int l = 0; l < h->levels; l++) {
		const struct level *level = &h->level[l];
		c->stationary[l] = -1;
		for (int o = 0; o < p->operands; o++) {
			enum tensor_class class = p->operand[o].class;
			if (l == 0 || (level->must_keep >> class & 1))
				c->must_keep[l] |= 1u << o;
			if (l == 0 || (level->may_keep >> class & 1))
				c->may_keep[l] |= 1u << o;
		}
		for (int d = 0; d < p->dims; d++) {
			c->time[l][d] = level->is_memory ? 0 : 1;
			for (int a = 0; a < MAX_AXES; a++)
				c->space[l][a][d] = a < level->axes ? 0 : 1;
		}
	}
}

/* ---- Does a mapping obey? --------------------------------------------------------------------------------------- */

struct check {
	struct arena *arena;
	const struct constraint *c;
	const struct mapping *m;
	const char *why;
};

static const char *level_name(const struct check *k, int level)
{
	return k->m->machine->level[level].name;
}

static bool keeps_as_said(struct check *k, int level)
{
	unsigned kept = k->m->keep[level];

	for (int o = 0; o < k->m->problem->operands; o++) {
		bool is_kept = kept >> o & 1;
		if (is_kept ? k->c->may_keep[level] >> o & 1 : !(k->c->must_keep[level] >> o & 1))
			continue;
		k->why = arena_printf(k->arena, "'%s' %s %s", level_name(k, level),
				      is_kept ? "may not keep" : "must keep",
				      operand_name(k->m->problem, o));
		return false;
	}
	return true;
}

/* Steps of the one loop of this kind, level, axis and dimension; 1: there is none. */
static int64_t steps_of(const struct mapping *m, enum loop_kind kind, int level, int axis, int dim)
{
	int64_t steps = 1;

	for (int i = tile_first_loop(m, level); i < m->loops && m->loop[i].level == level; i++)
		if (m->loop[i].kind == kind && m->loop[i].dim == dim &&
		    (kind == LOOP_TIME || m->loop[i].axis == axis))
			steps *= tile_steps(m, i);
	return steps;
}

static bool has_steps(struct check *k, int64_t steps, int64_t said, int dim, const char *where)
{
	if (said == 0 || steps == said)
		return true;
	k->why =
		arena_printf(k->arena, "%s has %" PRId64 " steps at '%s', and %" PRId64 " are said",
			     k->m->problem->dim[dim], steps, where, said);
	return false;
}

static bool loops_as_said(struct check *k, int level)
{
	const struct level *l = &k->m->machine->level[level];

	for (int d = 0; d < k->m->problem->dims; d++) {
		if (!has_steps(k, steps_of(k->m, LOOP_TIME, level, 0, d), k->c->time[level][d], d,
			       l->name))
			return false;
		for (int a = 0; a < MAX_AXES; a++)
			if (!has_steps(k, steps_of(k->m, LOOP_SPACE, level, a, d),
				       k->c->space[level][a][d], d, l->array ? l->array : l->name))
				return false;
	}
	return true;
}

/* Where a loop may stand among those of its level, the outermost lowest. */
static int rank_of(const struct check *k, int level, int dim)
{
	for (int i = 0; i < k->c->order_count[level]; i++)
		if (k->c->order[level][i] == dim)
			return i + 1;
	return 0;
}

static bool is_inner(const struct check *k, int level, int dim)
{
	int o = k->c->stationary[level];

	return o >= 0 && !(k->m->problem->operand[o].relevant >> dim & 1);
}

static bool stands_as_said(struct check *k, int level)
{
	const struct mapping *m = k->m;
	int outer = -1;

	for (int i = tile_first_loop(m, level); i < m->loops && m->loop[i].level == level; i++) {
		int dim = m->loop[i].dim;
		if (m->loop[i].kind != LOOP_TIME || tile_steps(m, i) == 1)
			continue;
		if (outer >= 0 && (rank_of(k, level, outer) > rank_of(k, level, dim) ||
				   (is_inner(k, level, outer) && !is_inner(k, level, dim)))) {
			k->why = arena_printf(k->arena, "%s stands outside of %s at '%s'",
					      m->problem->dim[outer], m->problem->dim[dim],
					      level_name(k, level));
			return false;
		}
		outer = dim;
	}
	return true;
}

bool constraint_allows(struct arena *arena, const struct constraint *c, const struct mapping *m,
		       const char **why)
{
	struct check k = {.arena = arena, .c = c, .m = m};
	bool obeys = true;

	for (int level = 0; obeys && level < m->machine->levels; level++)
		obeys = keeps_as_said(&k, level) && loops_as_said(&k, level) &&
			stands_as_said(&k, level);
	*why = k.why;
	return obeys;
}
