/* problem.c -- a tensor statement as the mapper sees it: its loops as dimensions, its accesses as operands. */
#include "mapper/mapping/mapping.h"

#include <string.h>

/* The nest's loops longer than 1, as dimensions: dimension_of[loop] is the dimension, or -1. The others by name. */
static void take_dimensions(struct problem *p, const struct statement *s, int dimension_of[])
{
	for (int i = 0; i < s->loops; i++) {
		dimension_of[i] = -1;
		if (s->loop[i].extent == 1) {
			p->one[p->ones++] = s->loop[i].name;
			continue;
		}
		p->dim[p->dims] = s->loop[i].name;
		p->extent[p->dims] = s->loop[i].extent;
		dimension_of[i] = p->dims++;
	}
}

/* Ranks that no dimension moves are one word wide and are left out. Divided subscripts are none of the mapper's. */
static bool take_operand(struct problem *p, const struct statement *s, const struct access *access,
			 enum tensor_class class, const int dimension_of[])
{
	struct operand *o;

	if (p->operands == MAX_OPERANDS)
		return false;
	o = &p->operand[p->operands++];
	o->name = access->tensor->name;
	o->class = class;
	for (int r = 0; r < access->tensor->rank; r++) {
		const struct subscript *sub = &access->subscript[r];
		bool moves = false;

		if (sub->divisor != 1)
			return false;
		for (int i = 0; i < s->loops; i++) {
			if (dimension_of[i] < 0 || sub->coef[i] == 0)
				continue;
			o->coef[o->ranks][dimension_of[i]] = sub->coef[i];
			o->relevant |= 1u << dimension_of[i];
			moves = true;
		}
		o->ranks += moves;
	}
	return true;
}

static bool has_class(const struct problem *p, enum tensor_class class)
{
	for (int o = 0; o < p->operands; o++)
		if (p->operand[o].class == class)
			return true;
	return false;
}

/* Parameters are weights; of two tensors that are none, the second read takes their part. */
static bool take_reads(struct problem *p, const struct statement *s, const struct scalar *e,
		       const int dimension_of[])
{
	if (e->kind == SCALAR_READ) {
		enum role role = e->access->tensor->role;
		bool is_weight = role == ROLE_PARAM || role == ROLE_CONSTANT;
		return take_operand(p, s, e->access,
				    is_weight || has_class(p, CLASS_I) ? CLASS_W : CLASS_I,
				    dimension_of);
	}
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		if (!take_reads(p, s, e->arg[i], dimension_of))
			return false;
	return true;
}

/* One dimension in two ranks of the output, as in O[i, i]: its words are no product over the ranks. */
static bool is_twisted(const struct operand *o, int dims)
{
	for (int d = 0; d < dims; d++) {
		int ranks = 0;
		for (int r = 0; r < o->ranks; r++)
			ranks += o->coef[r][d] != 0;
		if (ranks > 1)
			return true;
	}
	return false;
}

struct problem *problem_of(struct arena *arena, const struct statement *s)
{
	struct problem *p = ARENA_NEW(arena, struct problem);
	int dimension_of[MAX_LOOPS];

	p->name = s->layer;
	take_dimensions(p, s, dimension_of);
	if (!take_reads(p, s, s->value, dimension_of) ||
	    !take_operand(p, s, &s->target, CLASS_O, dimension_of))
		return NULL;
	if (is_twisted(&p->operand[p->operands - 1], p->dims))
		return NULL;
	return p;
}
