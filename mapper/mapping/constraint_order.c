/* constraint_order.c -- what clauses say of two loops at a time, "this outside of that", goes in; the order of the innermost
 * loops of each level comes out, or a circle, which no loops can stand in. */
#include "mapper/mapping/constraint_make.h"

#include <string.h>

void say_order(struct maker *m, int level, int outer, int inner, struct span span)
{
	struct span *said = &m->standing[level].said[outer][inner];

	if (!said->source)
		*said = span;
}

/* The loops of one level: bit per dimension. */
struct loops {
	struct maker *m;
	int level;
	unsigned there; /* those that may stand here */
	unsigned
		inside[MAX_DIMS]; /* those that must stand inside of each, directly or by others; */
	unsigned ordered[MAX_DIMS]; /* and without what is said of a stationary tensor */
};

static unsigned relevant_of(const struct loops *l)
{
	int o = l->m->c->stationary[l->level];

	return o < 0 ? 0 : l->m->scope.problem->operand[o].relevant & l->there;
}

static void close_chains(unsigned inside[MAX_DIMS])
{
	for (int via = 0; via < MAX_DIMS; via++)
		for (int d = 0; d < MAX_DIMS; d++)
			if (inside[d] >> via & 1)
				inside[d] |= inside[via];
}

static void find_inside(struct loops *l)
{
	int dims = l->m->scope.problem->dims;
	unsigned relevant;

	for (int d = 0; d < dims; d++)
		l->there |= l->m->c->time[l->level][d] != 1 ? 1u << d : 0;
	relevant = relevant_of(l);
	for (int outer = 0; outer < dims; outer++) {
		if (!(l->there >> outer & 1))
			continue;
		for (int inner = 0; inner < dims; inner++)
			if ((l->there >> inner & 1) &&
			    l->m->standing[l->level].said[outer][inner].source)
				l->ordered[outer] |= 1u << inner;
		l->inside[outer] = l->ordered[outer];
		if (l->m->c->stationary[l->level] >= 0 && (relevant >> outer & 1))
			l->inside[outer] |= l->there & ~relevant;
	}
	close_chains(l->inside);
	close_chains(l->ordered);
}

/* Who says that the one stands outside of the other. */
static struct span saying(const struct loops *l, int outer, int inner)
{
	struct span said = l->m->standing[l->level].said[outer][inner];

	return said.source ? said : l->m->origin->stationary[l->level];
}

static bool says(const struct loops *l, int outer, int inner)
{
	unsigned relevant = relevant_of(l);

	return l->m->standing[l->level].said[outer][inner].source ||
	       (l->m->c->stationary[l->level] >= 0 && (relevant >> outer & 1) &&
		!(relevant >> inner & 1));
}

/* Tells a loop that stands outside of itself by two clauses; false where there is none. */
static bool find_circle(const struct loops *l)
{
	int outer = 0, inner = 0, next = 0, dims = l->m->scope.problem->dims;
	struct span one, two;

	while (outer < dims && !(l->inside[outer] >> outer & 1))
		outer++;
	if (outer == dims)
		return false;
	while (!(l->there >> inner & 1) || !says(l, outer, inner) ||
	       !(l->inside[inner] >> outer & 1))
		inner++;
	/* the other way: at once where there is one */
	if (says(l, inner, outer))
		next = outer;
	else
		while (!(l->there >> next & 1) || !says(l, inner, next) ||
		       !(l->inside[next] >> outer & 1))
			next++;
	one = saying(l, outer, inner);
	two = saying(l, inner, next);
	scope_error(&l->m->scope, "bad-mapping", is_later(l->m, one, two) ? one : two,
		    "the loops over %s and %s at memory '%s' cannot stand as these lines say",
		    l->m->scope.problem->dim[outer], l->m->scope.problem->dim[inner],
		    l->m->scope.machine->level[l->level].name);
	scope_note_line(&l->m->scope, is_later(l->m, one, two) ? two : one,
			"this line says otherwise");
	return true;
}

/* The loop that all others of these stand outside of, or -1. */
static int innermost_of(const struct loops *l, unsigned loops)
{
	for (int d = 0; d < MAX_DIMS; d++) {
		bool is_innermost = loops >> d & 1;
		for (int other = 0; is_innermost && other < MAX_DIMS; other++)
			if (other != d && (loops >> other & 1))
				is_innermost = l->ordered[other] >> d & 1;
		if (is_innermost)
			return d;
	}
	return -1;
}

/* What is left has no innermost loop, so nothing may be said of its order. */
static void check_rest(const struct loops *l, unsigned rest)
{
	for (int outer = 0; outer < MAX_DIMS; outer++)
		for (int inner = 0; (rest >> outer & 1) && inner < MAX_DIMS; inner++) {
			if (!(rest & l->ordered[outer] & 1u << inner) || !says(l, outer, inner))
				continue;
			scope_error(&l->m->scope, "bad-mapping", saying(l, outer, inner),
				    "loops in any order stand outside of those in a said one: at "
				    "memory "
				    "'%s' the line of several is the first",
				    l->m->scope.machine->level[l->level].name);
			return;
		}
}

static void make_order(const struct loops *l)
{
	struct constraint *c = l->m->c;
	unsigned rest = l->there;
	int chain[MAX_DIMS], count = 0, d;

	while (rest & (rest - 1) && (d = innermost_of(l, rest)) >= 0) {
		chain[count++] = d;
		rest &= ~(1u << d);
	}
	if (rest & (rest - 1))
		check_rest(l, rest);
	c->order_count[l->level] = count;
	for (int i = 0; i < count; i++)
		c->order[l->level][i] = chain[count - 1 - i];
	for (int outer = 0; count > 0 && outer < MAX_DIMS; outer++) {
		struct span said = l->m->standing[l->level].said[outer][chain[0]];
		if (outer != chain[0] && (l->there >> outer & 1) && said.source)
			l->m->origin->order[l->level] = said;
	}
}

void make_orders(struct maker *m)
{
	for (int level = 0; level < m->scope.machine->levels; level++) {
		struct loops l = {.m = m, .level = level};
		find_inside(&l);
		if (!find_circle(&l))
			make_order(&l);
	}
}
