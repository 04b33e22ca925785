/* first_mapping.c -- a constraint goes in, a mapping that obeys it comes out, seldom the best. Which loops run in space,
 * and how often they are parted, is settled first, and that is most of what a search has to choose: as many units as a
 * constraint lets work at once, or where no mapping has so many none but those that it asks for. */
#include "mapper/network/first_mapping.h"

#include "runtime/clock.h"

/* ---- One way to part loops among units ----------------------------------------------------------------------------- */

/* A constraint that is narrowed. */
struct narrowing {
	struct constraint *c;
	const struct problem *problem;
	const struct hierarchy *machine;
	int64_t left
		[MAX_DIMS]; /* what the loops that are said leave of each dimension; 1 where they are not whole */
};

static void divide(int64_t *left, int64_t steps)
{
	if (steps > 1)
		*left = *left % steps == 0 ? *left / steps : 1;
}

static void find_left(struct narrowing *n)
{
	for (int d = 0; d < n->problem->dims; d++) {
		n->left[d] = n->problem->extent[d];
		for (int l = 0; l < n->machine->levels; l++) {
			divide(&n->left[d], n->c->time[l][d]);
			for (int a = 0; a < MAX_AXES; a++)
				divide(&n->left[d], n->c->space[l][a][d]);
		}
	}
}

/* Units along an axis for each of those that loops already take. */
static int64_t room_along(const struct narrowing *n, int level, int axis)
{
	int64_t room = n->machine->level[level].fanout[axis];

	for (int d = 0; d < n->problem->dims; d++)
		if (n->c->space[level][axis][d] > 1)
			room /= n->c->space[level][axis][d];
	return room;
}

static int64_t largest_part(int64_t extent, int64_t most)
{
	int64_t part = extent < most ? extent : most;

	while (part > 1 && extent % part != 0)
		part--;
	return part;
}

/* A dimension runs along one axis of an array. */
static bool may_run_along_another(const struct narrowing *n, int level, int axis, int dim)
{
	for (int a = 0; a < n->machine->level[level].axes; a++)
		if (a != axis && n->c->space[level][a][dim] != 1)
			return true;
	return false;
}

static void settle(struct narrowing *n, int level, int axis, int dim)
{
	int64_t *units = &n->c->space[level][axis][dim];

	*units = largest_part(n->left[dim], room_along(n, level, axis));
	divide(&n->left[dim], *units);
	for (int a = 0; *units > 1 && a < MAX_AXES; a++)
		if (a != axis)
			n->c->space[level][a][dim] = 1;
}

/* First the dimensions that have no other axis to run along. */
static void fill(struct narrowing *n, int level)
{
	for (int others = 0; others < 2; others++)
		for (int a = 0; a < n->machine->level[level].axes; a++)
			for (int d = 0; d < n->problem->dims; d++)
				if (n->c->space[level][a][d] == 0 &&
				    may_run_along_another(n, level, a, d) == others)
					settle(n, level, a, d);
}

/* The steps of all loops over a dimension that are said. */
static int64_t steps_over(const struct constraint *c, int levels, int dim)
{
	int64_t steps = 1;

	for (int l = 0; l < levels; l++) {
		steps *= c->time[l][dim] > 1 ? c->time[l][dim] : 1;
		for (int a = 0; a < MAX_AXES; a++)
			steps *= c->space[l][a][dim] > 1 ? c->space[l][a][dim] : 1;
	}
	return steps;
}

/* No other loops in space, nor in time over what loops in space walk to the end. */
static void close_rest(struct narrowing *n)
{
	for (int d = 0; d < n->problem->dims; d++) {
		bool is_walked = steps_over(n->c, n->machine->levels, d) == n->problem->extent[d];
		for (int l = 0; l < n->machine->levels; l++) {
			if (is_walked && n->c->time[l][d] == 0)
				n->c->time[l][d] = 1;
			for (int a = 0; a < MAX_AXES; a++)
				if (n->c->space[l][a][d] == 0)
					n->c->space[l][a][d] = 1;
		}
	}
}

static void narrow(struct constraint *c, const struct problem *p, const struct hierarchy *h,
		   bool is_wide)
{
	struct narrowing n = {.c = c, .problem = p, .machine = h};

	find_left(&n);
	for (int l = h->levels - 1; is_wide && l >= 0; l--)
		fill(&n, l);
	close_rest(&n);
}

/* ---- The best of it ------------------------------------------------------------------------------------------------- */

/* Takes what a search has spent from what another may; false where nothing is left. */
static bool spend(struct search_options *o, int64_t evaluations, double end)
{
	if ((o->stop && *o->stop) || (o->evaluations > 0 && o->evaluations <= evaluations))
		return false;
	if (o->evaluations > 0)
		o->evaluations -= evaluations;
	return end == 0 || (o->seconds = end - clock_seconds()) > 0;
}

void first_mapping(struct arena *arena, const struct problem *p, const struct hierarchy *h,
		   const struct search_options *options, struct search_result *r)
{
	struct constraint *c = ARENA_NEW(arena, struct constraint);
	struct search_options o = *options;
	double end = o.seconds > 0 ? clock_seconds() + o.seconds : 0;
	int64_t evaluations = 0;

	o.constraint = c;
	o.imperfect = false;
	for (int wide = 1; wide >= 0; wide--) {
		if (options->constraint)
			*c = *options->constraint;
		else
			constraint_free(c, p, h);
		narrow(c, p, h, wide);
		search(arena, p, h, &o, r);
		evaluations += r->evaluations;
		if (r->has_mapping || r->status == SEARCH_NO_MEMORY ||
		    !spend(&o, r->evaluations, end))
			break;
	}
	r->evaluations = evaluations;
	r->bound = r->root = 0;
	r->why = NULL;
	if (r->status != SEARCH_NO_MEMORY)
		r->status = SEARCH_CUT;
}
