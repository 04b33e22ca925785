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

/* ---- Groups -------------------------------------------------------------------------------------------------- */

/* In a rank with other loops, does one step of this loop go just as far as all of theirs together: 48 * g + d, with d
 * below 48? Then no word belongs to two of its steps. */
static bool is_digit(const struct statement *s, const struct subscript *sub, int loop)
{
	int64_t reach = 1;

	for (int i = 0; i < s->loops; i++) {
		if (i == loop || sub->coef[i] == 0 || s->loop[i].extent == 1)
			continue;
		if (sub->coef[i] < 0)
			return false;
		reach += sub->coef[i] * (s->loop[i].extent - 1);
	}
	return reach == 1 || sub->coef[loop] == reach;
}

static bool is_apart_in(const struct statement *s, const struct access *access, int loop)
{
	bool moves = false;

	for (int r = 0; r < access->tensor->rank; r++) {
		if (access->subscript[r].coef[loop] == 0)
			continue;
		if (!is_digit(s, &access->subscript[r], loop))
			return false;
		moves = true;
	}
	return moves && access->tensor->rank < MAX_RANK;
}

static bool is_apart_in_reads(const struct statement *s, const struct scalar *e, int loop)
{
	if (e->kind == SCALAR_READ && !is_apart_in(s, e->access, loop))
		return false;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		if (!is_apart_in_reads(s, e->arg[i], loop))
			return false;
	return true;
}

/* The loop over the groups of a grouped convolution, or -1: one whose steps have no word of any operand in common. It is
 * a rank of its own in each, although the tensors have one rank for groups and what is in them. */
static int group_of(const struct statement *s)
{
	for (int i = 0; i < s->loops; i++)
		if (s->loop[i].extent > 1 && is_apart_in(s, &s->target, i) &&
		    is_apart_in_reads(s, s->value, i))
			for (int r = 0; r < s->target.tensor->rank; r++)
				if (s->target.subscript[r].coef[i] > 1)
					return i;
	return -1;
}

/* ---- Operands ------------------------------------------------------------------------------------------------ */

static void index_rank(struct operand *o, int dim, int64_t coef)
{
	o->coef[o->ranks][dim] = coef;
	o->relevant |= 1u << dim;
}

static void end_rank(struct operand *o, int axis, int64_t scale)
{
	o->axis[o->ranks] = axis;
	o->scale[o->ranks++] = scale;
}

/* Ranks that no dimension moves are one word wide and are left out. */
static void take_operand(struct problem *p, const struct statement *s, const struct access *access,
			 enum tensor_class class, const int dimension_of[])
{
	struct operand *o = &p->operand[p->operands++];
	int group = group_of(s);

	o->name =
		(access->tensor->in_place_of ? access->tensor->in_place_of : access->tensor)->name;
	o->class = class;
	for (int r = 0; r < access->tensor->rank; r++) {
		const struct subscript *sub = &access->subscript[r];
		bool moves = false;

		if (group >= 0 && sub->coef[group] != 0) {
			index_rank(o, dimension_of[group], 1);
			end_rank(o, r, sub->coef[group]);
		}
		for (int i = 0; i < s->loops; i++) {
			if (dimension_of[i] < 0 || sub->coef[i] == 0 || i == group)
				continue;
			index_rank(o, dimension_of[i], sub->coef[i]);
			moves = true;
		}
		if (moves)
			end_rank(o, r, 1);
	}
}

static bool has_class(const struct problem *p, enum tensor_class class)
{
	for (int o = 0; o < p->operands; o++)
		if (p->operand[o].class == class)
			return true;
	return false;
}

/* Parameters are weights; of two tensors that are none, the second read takes their part. */
static enum tensor_class class_of(const struct problem *p, const struct tensor *tensor)
{
	enum role role = tensor_storage(tensor)->role;
	bool is_weight = role == ROLE_PARAM || role == ROLE_CONSTANT;

	return is_weight || has_class(p, CLASS_I) ? CLASS_W : CLASS_I;
}

static void take_reads(struct problem *p, const struct statement *s, const struct scalar *e,
		       const int dimension_of[])
{
	if (e->kind == SCALAR_READ)
		take_operand(p, s, e->access, class_of(p, e->access->tensor), dimension_of);
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		take_reads(p, s, e->arg[i], dimension_of);
}

/* ---- What cannot be mapped --------------------------------------------------------------------------------- */

static int count_reads(const struct scalar *e)
{
	int reads = e->kind == SCALAR_READ;

	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		reads += count_reads(e->arg[i]);
	return reads;
}

static bool is_divided(const struct access *access)
{
	for (int r = 0; r < access->tensor->rank; r++)
		if (access->subscript[r].divisor != 1)
			return true;
	return false;
}

static bool reads_divided(const struct scalar *e)
{
	if (e->kind == SCALAR_READ && is_divided(e->access))
		return true;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		if (reads_divided(e->arg[i]))
			return true;
	return false;
}

/* One loop in two ranks of the output, as in O[i, i]: its words are no product over the ranks. */
static bool is_twisted(const struct statement *s)
{
	for (int i = 0; i < s->loops; i++) {
		int ranks = 0;
		for (int r = 0; r < s->target.tensor->rank; r++)
			ranks += s->loop[i].extent > 1 && s->target.subscript[r].coef[i] != 0;
		if (ranks > 1)
			return true;
	}
	return false;
}

/* Does one loop move some rank of a tensor forward and another one back, as i in I[i, 3 - i]? Where two such tiles meet follows from
 * no product over ranks. */
static bool is_turned(const struct statement *s, const struct access *access)
{
	for (int i = 0; i < s->loops; i++) {
		bool forward = false, back = false;
		for (int r = 0; r < access->tensor->rank && s->loop[i].extent > 1; r++) {
			forward |= access->subscript[r].coef[i] > 0;
			back |= access->subscript[r].coef[i] < 0;
		}
		if (forward && back)
			return true;
	}
	return false;
}

static bool reads_turned(const struct statement *s, const struct scalar *e)
{
	if (e->kind == SCALAR_READ && is_turned(s, e->access))
		return true;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		if (reads_turned(s, e->arg[i]))
			return true;
	return false;
}

const char *problem_obstacle(const struct statement *s)
{
	if (count_reads(s->value) >= MAX_OPERANDS)
		return "it reads more than three tensors";
	if (is_divided(&s->target) || reads_divided(s->value))
		return "a subscript is divided, and places then move unevenly";
	if (is_twisted(s))
		return "one loop indexes its output twice";
	if (reads_turned(s, s->value))
		return "one loop moves a tensor forward along one rank and back along another";
	return NULL;
}

struct problem *problem_of(struct arena *arena, const struct statement *s)
{
	struct problem *p;
	int dimension_of[MAX_LOOPS];

	if (problem_obstacle(s))
		return NULL;
	p = ARENA_NEW(arena, struct problem);
	p->name = s->layer;
	take_dimensions(p, s, dimension_of);
	take_reads(p, s, s->value, dimension_of);
	take_operand(p, s, &s->target, CLASS_O, dimension_of);
	return p;
}

/* ---- The same work ------------------------------------------------------------------------------------------- */

static bool is_same_operand(const struct operand *a, const struct operand *b)
{
	return a->class == b->class && a->ranks == b->ranks && a->relevant == b->relevant &&
	       memcmp(a->coef, b->coef, sizeof a->coef) == 0;
}

bool problem_equal(const struct problem *a, const struct problem *b)
{
	if (a->dims != b->dims || a->operands != b->operands)
		return false;
	for (int d = 0; d < a->dims; d++)
		if (a->extent[d] != b->extent[d] || strcmp(a->dim[d], b->dim[d]) != 0)
			return false;
	for (int o = 0; o < a->operands; o++)
		if (!is_same_operand(&a->operand[o], &b->operand[o]))
			return false;
	return true;
}
