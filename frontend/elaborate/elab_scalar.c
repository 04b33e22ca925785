/* elab_scalar.c -- the expression at each point of a nest: a tree of reads, positions, numbers and functions,
 * each with the type in which it is computed. What is known at compile time becomes a number; a number takes the type
 * of what it meets (until then it is flexible: its type is TYPE_COUNT). */
#include <string.h>
#include "frontend/elaborate/elab.h"

static const struct scalar_fn_info *fn_info(enum scalar_fn fn)
{
	return scalar_fn_info(fn);
}

static struct scalar *new_scalar(struct elaborator *e, enum scalar_kind kind, enum type type)
{
	struct scalar *scalar = ARENA_NEW(e->arena, struct scalar);

	scalar->kind = kind;
	scalar->type = type;
	return scalar;
}

/* ---- Types --------------------------------------------------------------------------------------------- */

static bool is_flexible(const struct scalar *scalar)
{
	return scalar->type == TYPE_COUNT;
}

/* Can a flexible expression be computed in 32-bit integers? */
static bool fits_integer(const struct scalar *scalar)
{
	if (scalar->kind == SCALAR_CONSTANT)
		return elab_is_integer(scalar->constant) && scalar->constant >= INT32_MIN &&
		       scalar->constant <= INT32_MAX;
	for (int i = 0; scalar->kind == SCALAR_APPLY && i < fn_info(scalar->fn)->arity; i++)
		if (scalar->arg[i] && is_flexible(scalar->arg[i]) && !fits_integer(scalar->arg[i]))
			return false;
	return true;
}

enum type nest_number_type(const struct scalar *scalar, enum type beside)
{
	bool is_fraction = is_flexible(scalar) && !fits_integer(scalar);

	return is_fraction && !type_info(beside)->is_float ? TYPE_F32 : beside;
}

struct scalar *nest_typed(struct scalar *scalar, enum type type)
{
	if (!is_flexible(scalar))
		return scalar;
	if (!type_info(type)->is_float && !fits_integer(scalar))
		type = TYPE_F32;
	if (scalar->kind == SCALAR_APPLY) {
		type = type_common(type, type);
		for (int i = 0; i < fn_info(scalar->fn)->arity; i++)
			scalar->arg[i] = nest_typed(scalar->arg[i], type);
	}
	scalar->type = type;
	return scalar;
}

/* The type in which it is computed, but narrow integers stay as narrow as their tensors: the sum of two i8 is an i8.
 * Numbers and positions have no type of their own. */
enum type nest_result_type(const struct scalar *s)
{
	enum type result = TYPE_COUNT;

	if (s->kind == SCALAR_READ || s->type == TYPE_COUNT)
		return s->type;
	if (s->kind != SCALAR_APPLY)
		return TYPE_COUNT;
	if (type_info(s->type)->is_float || fn_info(s->fn)->is_comparison)
		return s->type;
	for (int i = s->fn == FN_SELECT; i < fn_info(s->fn)->arity; i++) {
		enum type type = nest_result_type(s->arg[i]);

		if (result == TYPE_COUNT ||
		    (type != TYPE_COUNT && type_info(type)->bytes > type_info(result)->bytes))
			result = type;
	}
	return result;
}

/* The type in which operands meet; TYPE_COUNT while all are flexible. */
static enum type meet(struct scalar *const arg[], int first, int count)
{
	enum type type = TYPE_COUNT;

	for (int i = first; i < count; i++)
		if (!is_flexible(arg[i]))
			type = type == TYPE_COUNT ? type_common(arg[i]->type, arg[i]->type)
						  : type_common(type, arg[i]->type);
	for (int i = first; i < count && type != TYPE_COUNT; i++)
		if (is_flexible(arg[i]) && !type_info(type)->is_float && !fits_integer(arg[i]))
			type = TYPE_F32;
	return type;
}

/* Applies a function to operands: finds the type, gives it to the flexible ones. */
static struct scalar *apply(struct elaborator *e, enum scalar_fn fn, struct scalar *a,
			    struct scalar *b, struct scalar *c)
{
	const struct scalar_fn_info *info = fn_info(fn);
	struct scalar *s = new_scalar(e, SCALAR_APPLY, TYPE_F32), *arg[3] = {a, b, c};
	int first = fn == FN_SELECT;
	enum type type;

	for (int i = 0; i < info->arity; i++)
		if (!arg[i])
			return NULL;
	s->fn = fn;
	type = meet(arg, first, info->arity);
	if (info->is_float && (type == TYPE_COUNT || !type_info(type)->is_float))
		type = TYPE_F32;
	if (info->is_comparison && type == TYPE_COUNT)
		type = TYPE_F32;
	if (first)
		arg[0] = nest_typed(arg[0], TYPE_I32);
	for (int i = first; i < info->arity && type != TYPE_COUNT; i++)
		arg[i] = nest_typed(arg[i], type);
	memcpy(s->arg, arg, sizeof s->arg);
	s->type = info->is_comparison ? TYPE_I32 : type;
	return s;
}

/* ---- What is known at compile time ------------------------------------------------------------------------ */

static bool looks_at_tensor(const char *name)
{
	return strcmp(name, "size") == 0 || strcmp(name, "rank") == 0;
}

/* Does the expression depend on no element and no position? */
static bool is_static(const struct nest *nest, const struct tree_expr *expr)
{
	const struct binding *bound = expr->name ? elab_find(nest->frame, expr->name) : NULL;
	bool is_tensor = bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_TENSOR;

	if (expr->kind == EXPR_NAME)
		return !is_tensor && !(bound && bound->kind == BIND_INDEX);
	if (expr->kind == EXPR_INDEX && (is_tensor || !bound))
		return false;
	if (expr->kind == EXPR_CALL && (!elab_gives_number(expr->name) || expr->named))
		return false;
	for (int i = expr->kind == EXPR_CALL && looks_at_tensor(expr->name); i < expr->arg_count;
	     i++)
		if (!is_static(nest, expr->arg[i]))
			return false;
	return true;
}

static struct scalar *constant(struct elaborator *e, struct nest *nest,
			       const struct tree_expr *expr)
{
	struct value value = elab_eval(e, nest->frame, expr);
	struct scalar *scalar;

	if (value.kind == VALUE_POISON)
		return NULL;
	if (value.kind != VALUE_NUMBER) {
		elab_error(e, nest->frame, "not-a-number", expr->span,
			   "this must be a number at each point, and it is %s",
			   elab_value_text(e, value));
		return NULL;
	}
	scalar = new_scalar(e, SCALAR_CONSTANT, TYPE_COUNT);
	scalar->constant = value.number;
	return scalar;
}

/* ---- Forms of expressions ------------------------------------------------------------------------------------ */

static struct scalar *read(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	const struct binding *bound = elab_find(nest->frame, expr->name);
	struct scalar *scalar;
	struct access *access;

	if (!bound || bound->kind != BIND_VALUE || bound->value.kind != VALUE_TENSOR) {
		if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_POISON)
			return NULL;
		elab_error(e, nest->frame, "not-a-tensor", expr->name_span,
			   "no tensor is called '%s' here%s", expr->name,
			   elab_suggestion(e, nest->frame, expr->name));
		return NULL;
	}
	access = nest_access(e, nest, expr, bound->value.tensor);
	if (!access)
		return NULL;
	scalar = new_scalar(e, SCALAR_READ, access->tensor->type);
	scalar->access = access;
	return scalar;
}

/* A name outside brackets that is not known at compile time: the position of an index, or a scalar tensor. */
static struct scalar *name(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	const struct binding *bound = elab_find(nest->frame, expr->name);
	struct scalar *scalar;

	if (bound->kind == BIND_INDEX) {
		int loop = nest_loop(e, nest, expr->name, expr->span);
		if (loop < 0)
			return NULL;
		scalar = new_scalar(e, SCALAR_POSITION, TYPE_I64);
		scalar->loop = loop;
		return scalar;
	}
	if (bound->value.tensor->rank == 0) {
		struct tree_expr access = *expr;
		access.kind = EXPR_INDEX;
		return read(e, nest, &access);
	}
	elab_error(e, nest->frame, "no-subscripts", expr->span,
		   "in a tensor statement '%s' needs its %d subscript%s: %s[...]", expr->name,
		   bound->value.tensor->rank, bound->value.tensor->rank == 1 ? "" : "s",
		   expr->name);
	return NULL;
}

static struct scalar *binary(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	static const enum scalar_fn fn[] = {
		[OP_ADD] = FN_ADD,   [OP_SUB] = FN_SUB, [OP_MUL] = FN_MUL, [OP_DIV] = FN_DIV,
		[OP_MOD] = FN_COUNT, [OP_POW] = FN_POW, [OP_EQ] = FN_EQ,   [OP_NE] = FN_NE,
		[OP_LT] = FN_LT,     [OP_LE] = FN_LE,   [OP_GT] = FN_LT,   [OP_GE] = FN_LE,
		[OP_AND] = FN_AND,   [OP_OR] = FN_OR};
	struct scalar *a = nest_scalar(e, nest, expr->arg[0]);
	struct scalar *b = a ? nest_scalar(e, nest, expr->arg[1]) : NULL;

	if (!b)
		return NULL;
	if (expr->op == OP_MOD) {
		elab_error(e, nest->frame, "bad-operands", expr->span,
			   "'%%' works at compile time only");
		return NULL;
	}
	if (expr->op == OP_GT || expr->op == OP_GE)
		return apply(e, fn[expr->op], b, a, NULL);
	return apply(e, fn[expr->op], a, b, NULL);
}

static struct scalar *call(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	const char *candidate[FN_COUNT];
	struct scalar *arg[3] = {NULL};
	int candidates = 0;

	for (int fn = 0; fn < FN_COUNT; fn++) {
		const struct scalar_fn_info *info = fn_info(fn);
		bool is_word = (info->name[0] >= 'a' && info->name[0] <= 'z');

		if (is_word)
			candidate[candidates++] = info->name;
		if (!is_word || strcmp(info->name, expr->name) != 0)
			continue;
		if (expr->arg_count != info->arity || expr->named) {
			elab_error(e, nest->frame, "argument-count", expr->span,
				   "%s takes %d argument%s", info->name, info->arity,
				   info->arity == 1 ? "" : "s");
			return NULL;
		}
		for (int i = 0; i < info->arity; i++)
			if (!(arg[i] = nest_scalar(e, nest, expr->arg[i])))
				return NULL;
		return apply(e, fn, arg[0], arg[1], arg[2]);
	}
	if (program_find(e->program, ITEM_OP, expr->name))
		elab_error(
			e, nest->frame, "unknown-function", expr->name_span,
			"'%s' is an operator on whole tensors; bind its result first: y = %s(...)",
			expr->name, expr->name);
	else
		elab_error(e, nest->frame, "unknown-function", expr->name_span,
			   "no scalar function is called '%s'%s", expr->name,
			   diag_suggestion(e->diag, expr->name, candidate, candidates));
	return NULL;
}

static struct scalar *ternary(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	struct scalar *arg[3];
	bool truth;

	if (is_static(nest, expr->arg[0]))
		return elab_condition(e, nest->frame, expr->arg[0], &truth)
			       ? nest_scalar(e, nest, expr->arg[truth ? 1 : 2])
			       : NULL;
	for (int i = 0; i < 3; i++)
		if (!(arg[i] = nest_scalar(e, nest, expr->arg[i])))
			return NULL;
	return apply(e, FN_SELECT, arg[0], arg[1], arg[2]);
}

struct scalar *nest_scalar(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	struct scalar *a;

	if (!elab_step(e, nest->frame, expr->span, 1))
		return NULL;
	if (is_static(nest, expr))
		return constant(e, nest, expr);
	switch (expr->kind) {
	case EXPR_INDEX:
		return read(e, nest, expr);
	case EXPR_NAME:
		return name(e, nest, expr);
	case EXPR_BINARY:
		return binary(e, nest, expr);
	case EXPR_CALL:
		return call(e, nest, expr);
	case EXPR_TERNARY:
		return ternary(e, nest, expr);
	case EXPR_UNARY:
		a = nest_scalar(e, nest, expr->arg[0]);
		return a ? apply(e, expr->op == OP_NOT ? FN_NOT : FN_NEG, a, NULL, NULL) : NULL;
	default:
		elab_error(e, nest->frame, "misplaced", expr->span,
			   "this has no meaning at a point of a tensor statement");
		return NULL;
	}
}
