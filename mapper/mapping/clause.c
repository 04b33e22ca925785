/* clause.c -- the words of a clause go in, levels, dimensions, operands, axes and numbers come out, or what is wrong. */
#include "mapper/mapping/clause.h"

#include <string.h>

#include "mapper/mapping/tile.h"

/* ---- What is said ------------------------------------------------------------------------------------------- */

void scope_error(const struct scope *s, const char *code, struct span span, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	if (span.source && span.source->is_library)
		span = s->caller;
	diag_error_list(s->program->diag, code, span, format, list);
	va_end(list);
}

void scope_note_line(const struct scope *s, struct span span, const char *words)
{
	if (span.source->is_library)
		diag_note(s->program->diag, s->caller, "this dataflow says '%.*s'",
			  (int)(span.end - span.begin), span.source->text + span.begin);
	else
		diag_note(s->program->diag, span, "%s", words);
}

static void error_unknown(const struct scope *s, struct span span, const char *what,
			  const char *name, const char *const candidates[], int count)
{
	const char *nearest = diag_nearest(name, candidates, count);

	scope_error(s, "unknown-name", span, "there is no %s '%s'%s%s%s", what, name,
		    nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
	if (nearest || count == 0 || span.source->is_library)
		return;
	const char *list = candidates[0];
	for (int i = 1; i < count; i++)
		list = arena_printf(s->program->arena, "%s%s%s", list,
				    i + 1 < count ? ", " : " and ", candidates[i]);
	diag_note(s->program->diag, span, "there %s %s", count == 1 ? "is" : "are", list);
}

void scope_check_machine(const struct scope *s)
{
	if (s->item->kind == ITEM_MAPPING && strcmp(s->item->machine, s->machine->name) != 0)
		scope_error(s, "bad-mapping", s->item->machine_span,
			    "this mapping is onto '%s', and the machine is '%s'", s->item->machine,
			    s->machine->name);
}

/* ---- Names ---------------------------------------------------------------------------------------------------- */

/* The level whose array or memory has this name, or -1. */
static int level_of(const struct scope *s, const char *name, bool is_array)
{
	for (int i = 0; i < s->machine->levels; i++) {
		const struct level *l = &s->machine->level[i];
		const char *own = is_array ? l->array : l->is_memory ? l->name : NULL;
		if (own && strcmp(own, name) == 0)
			return i;
	}
	return -1;
}

int clause_level(const struct scope *s, const struct tree_clause *clause)
{
	bool is_array = clause->kind == CLAUSE_PARALLEL;
	int level = level_of(s, clause->level, is_array), count = 0;
	const char *name[2 * MAX_LEVELS];

	if (level >= 0)
		return level;
	if (level_of(s, clause->level, !is_array) >= 0) {
		scope_error(
			s, "bad-mapping", clause->level_span,
			is_array ? "'%s' is a memory, and loops run in parallel over an array"
				 : "'%s' is an array: its loops are parallel, and it keeps nothing",
			clause->level);
		return -1;
	}
	for (int i = 0; i < s->machine->levels; i++) {
		if (is_array && s->machine->level[i].array)
			name[count++] = s->machine->level[i].array;
		if (!is_array && s->machine->level[i].is_memory)
			name[count++] = s->machine->level[i].name;
	}
	error_unknown(s, clause->level_span,
		      arena_printf(s->program->arena, "%s of machine '%s' called",
				   is_array ? "array" : "memory", s->machine->name),
		      clause->level, name, count);
	return -1;
}

int problem_dim(const struct problem *p, const char *name)
{
	for (int d = 0; d < p->dims; d++)
		if (strcmp(p->dim[d], name) == 0)
			return d;
	for (int d = 0; d < p->ones; d++)
		if (strcmp(p->one[d], name) == 0)
			return DIM_ONE;
	return DIM_UNKNOWN;
}

int clause_dim(const struct scope *s, const struct tree_clause *clause, int i)
{
	const struct problem *p = s->problem;
	int dim = problem_dim(p, clause->name[i]), count = 0;
	const char *name[2 * MAX_DIMS];

	if (dim != DIM_UNKNOWN)
		return dim;
	for (int d = 0; d < p->dims; d++)
		name[count++] = p->dim[d];
	for (int d = 0; d < p->ones; d++)
		name[count++] = p->one[d];
	error_unknown(s, clause->name_spans[i],
		      arena_printf(s->program->arena, "loop of '%s' called", p->name),
		      clause->name[i], name, count);
	return DIM_UNKNOWN;
}

int problem_operand(const struct problem *p, const char *name)
{
	for (int o = 0; o < p->operands; o++)
		if (strcmp(operand_name(p, o), name) == 0)
			return o;
	return -1;
}

int clause_operand(const struct scope *s, const struct tree_clause *clause, int i)
{
	const char *name[MAX_OPERANDS];
	int operand = problem_operand(s->problem, clause->name[i]);

	if (operand >= 0)
		return operand;
	for (int o = 0; o < s->problem->operands; o++)
		name[o] = operand_name(s->problem, o);
	error_unknown(s, clause->name_spans[i],
		      arena_printf(s->program->arena, "tensor of '%s' called", s->problem->name),
		      clause->name[i], name, s->problem->operands);
	return -1;
}

int clause_axis(const struct scope *s, const struct tree_clause *clause, int level)
{
	const struct level *l = &s->machine->level[level];

	for (int a = 0; clause->axis && a < l->axes; a++)
		if (strcmp(l->axis[a], clause->axis) == 0)
			return a;
	if (clause->axis) {
		error_unknown(
			s, clause->axis_span,
			arena_printf(s->program->arena, "axis of array '%s' called", l->array),
			clause->axis, l->axis, l->axes);
		return -1;
	}
	if (l->axes == 1)
		return 0;
	scope_error(s, "bad-mapping", clause->span,
		    "array '%s' has two axes: say 'over %s' or 'over %s'", l->array, l->axis[0],
		    l->axis[1]);
	return -1;
}

/* ---- Numbers -------------------------------------------------------------------------------------------------- */

static bool combine(enum expr_op op, int64_t a, int64_t b, int64_t *value)
{
	switch (op) {
	case OP_ADD:
		return !__builtin_add_overflow(a, b, value);
	case OP_SUB:
		return !__builtin_sub_overflow(a, b, value);
	case OP_MUL:
		return !__builtin_mul_overflow(a, b, value);
	case OP_DIV:
		if (b <= 0 || a % b != 0)
			return false;
		*value = a / b;
		return true;
	default:
		return false;
	}
}

/* A whole number, and sums, products and quotients of such. */
static bool evaluate(const struct tree_expr *expr, int64_t *value)
{
	int64_t a, b;

	if (expr->kind == EXPR_NUMBER && expr->is_integer) {
		*value = (int64_t)expr->number;
		return true;
	}
	if (expr->kind == EXPR_UNARY && expr->op == OP_NEG && evaluate(expr->arg[0], &a)) {
		*value = -a;
		return a != INT64_MIN;
	}
	return expr->kind == EXPR_BINARY && evaluate(expr->arg[0], &a) &&
	       evaluate(expr->arg[1], &b) && combine(expr->op, a, b, value);
}

bool clause_number(const struct scope *s, const struct tree_expr *expr, int64_t *value)
{
	if (expr->kind == EXPR_ERROR)
		return false;
	if (!evaluate(expr, value)) {
		scope_error(s, "not-an-integer", expr->span,
			    "a loop of a mapping takes whole numbers");
		return false;
	}
	if (*value >= 1)
		return true;
	scope_error(s, "out-of-range", expr->span, "a loop of a mapping takes numbers from 1");
	return false;
}
