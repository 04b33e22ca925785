/* elab_subscript.c -- indices and subscripts of a tensor statement. An index becomes a loop at its first use; a
 * subscript is a sum of integer multiples of loops, perhaps divided and rounded down. */
#include <string.h>
#include "frontend/elaborate/elab.h"

/* ---- Loops -------------------------------------------------------------------------------------------- */

static int loop_add(struct elaborator *e, struct nest *nest, const char *name, struct span span)
{
	struct statement *s = nest->statement;

	if (s->loops == MAX_LOOPS) {
		elab_error(e, nest->frame, "too-many-indices", span,
			   "a statement has at most %d indices", MAX_LOOPS);
		return -1;
	}
	s->loop[s->loops] = (struct loop){name, 1};
	nest->where[s->loops] = span;
	return s->loops++;
}

static void set_range(struct nest *nest, int loop, int64_t extent, bool exact,
		      const struct tensor *from)
{
	nest->statement->loop[loop].extent = extent;
	nest->known[loop] = true;
	nest->exact[loop] = exact;
	nest->from[loop] = from;
}

int nest_loop(struct elaborator *e, struct nest *nest, const char *name, struct span span)
{
	struct binding *bound = elab_find(nest->frame, name);
	int loop;

	for (int i = 0; i < nest->statement->loops; i++)
		if (!nest->is_ellipsis[i] && strcmp(nest->statement->loop[i].name, name) == 0)
			return i;
	loop = loop_add(e, nest, name, span);
	if (loop >= 0 && bound && (bound->kind == BIND_DIM || bound->kind == BIND_INDEX))
		set_range(nest, loop, bound->extent, bound->kind == BIND_DIM, bound->from);
	return loop;
}

int nest_ellipsis_loop(struct elaborator *e, struct nest *nest, const struct dim *dim,
		       struct span span)
{
	int loop = loop_add(e, nest, dim->name, span);

	if (loop >= 0) {
		set_range(nest, loop, dim->extent, true, NULL);
		nest->is_ellipsis[loop] = true;
	}
	return loop;
}

/* An index stands alone in a dimension of a tensor: it runs over it. */
bool nest_unify(struct elaborator *e, struct nest *nest, int loop, const struct tensor *tensor,
		int axis, bool may_leave, struct span span)
{
	int64_t extent = tensor->extent[axis];

	if (!nest->known[loop]) {
		set_range(nest, loop, extent, true, tensor);
		return true;
	}
	if (!nest->exact[loop] || may_leave || nest->statement->loop[loop].extent == extent)
		return true;
	elab_error(e, nest->frame, "shape", span,
		   "index '%s' runs over %lld%s%s%s, but dimension %d of '%s' is %lld: it is %s",
		   nest->statement->loop[loop].name, (long long)nest->statement->loop[loop].extent,
		   nest->from[loop] ? " in '" : "", nest->from[loop] ? nest->from[loop]->name : "",
		   nest->from[loop] ? "'" : "", axis, tensor->name, (long long)extent,
		   elab_shape_text(e, tensor));
	if (nest->from[loop])
		elab_note_shape(e, nest->frame, nest->from[loop]);
	elab_note_shape(e, nest->frame, tensor);
	return false;
}

/* ---- Subscripts: sums of multiples of loops, perhaps divided and rounded down ------------------------------ */

static bool error_affine(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	elab_error(e, nest->frame, "not-affine", expr->span,
		   "a subscript is a sum of integer multiples of indices, or floor(such a sum / "
		   "integer)");
	return false;
}

static bool has_loop(const struct subscript *sub)
{
	for (int i = 0; i < MAX_LOOPS; i++)
		if (sub->coef[i])
			return true;
	return sub->divisor != 1;
}

/* *a = *a * factor + *b * other, in integers that must not overflow. */
static bool combine(struct subscript *a, int64_t factor, const struct subscript *b, int64_t other)
{
	int64_t x, y;
	bool over = __builtin_mul_overflow(a->offset, factor, &x) |
		    __builtin_mul_overflow(b->offset, other, &y) |
		    __builtin_add_overflow(x, y, &a->offset);

	for (int i = 0; i < MAX_LOOPS; i++)
		over |= __builtin_mul_overflow(a->coef[i], factor, &x) |
			__builtin_mul_overflow(b->coef[i], other, &y) |
			__builtin_add_overflow(x, y, &a->coef[i]);
	return !over;
}

static bool affine_constant(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
			    struct subscript *sub)
{
	return elab_integer(e, nest->frame, expr, "a number in a subscript", -(INT64_C(1) << 52),
			    INT64_C(1) << 52, &sub->offset);
}

static bool affine_name(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
			struct subscript *sub)
{
	struct binding *bound = elab_find(nest->frame, expr->name);
	int loop;

	if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_TENSOR) {
		elab_error(e, nest->frame, "tensor-subscript", expr->span,
			   "'%s' is a tensor; a subscript is made of indices and numbers",
			   expr->name);
		return false;
	}
	if (bound && (bound->kind == BIND_VALUE || bound->kind == BIND_ELLIPSIS))
		return affine_constant(e, nest, expr, sub);
	loop = nest_loop(e, nest, expr->name, expr->span);
	if (loop >= 0)
		sub->coef[loop] = 1;
	return loop >= 0;
}

static bool affine_binary(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
			  struct subscript *sub)
{
	static const struct subscript zero = {.divisor = 1};
	struct subscript right = zero;
	bool fits;

	if (expr->op != OP_ADD && expr->op != OP_SUB && expr->op != OP_MUL)
		return affine_constant(e, nest, expr, sub);
	if (!nest_affine(e, nest, expr->arg[0], sub) || !nest_affine(e, nest, expr->arg[1], &right))
		return false;
	if (expr->op == OP_MUL) {
		if (has_loop(sub) && has_loop(&right))
			return error_affine(e, nest, expr);
		if (has_loop(&right)) {
			struct subscript swap = *sub;
			*sub = right;
			right = swap;
		}
		if (sub->divisor != 1)
			return error_affine(e, nest, expr);
		fits = combine(sub, right.offset, &zero, 0);
	} else {
		/* floor(x / d) + c is floor((x + c * d) / d) */
		int64_t divisor = sub->divisor != 1 ? sub->divisor : right.divisor;

		if ((sub->divisor != 1 && has_loop(&right)) ||
		    (right.divisor != 1 && (has_loop(sub) || expr->op == OP_SUB)))
			return error_affine(e, nest, expr);
		fits = combine(sub, sub->divisor != divisor ? divisor : 1, &right,
			       (right.divisor != divisor ? divisor : 1) *
				       (expr->op == OP_SUB ? -1 : 1));
		sub->divisor = divisor;
	}
	if (!fits)
		elab_error(e, nest->frame, "too-large", expr->span,
			   "this subscript does not fit a 64-bit integer");
	return fits;
}

/* floor(x / 3) of indices, or any function of numbers. */
static bool affine_call(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
			struct subscript *sub)
{
	const struct tree_expr *arg = expr->arg_count == 1 && !expr->named ? expr->arg[0] : NULL;
	int64_t divisor;

	if (strcmp(expr->name, "floor") != 0 || !arg || arg->kind != EXPR_BINARY ||
	    arg->op != OP_DIV)
		return affine_constant(e, nest, expr, sub);
	if (!nest_affine(e, nest, arg->arg[0], sub) ||
	    !elab_integer(e, nest->frame, arg->arg[1], "the divisor in a subscript", 1,
			  INT64_C(1) << 31, &divisor))
		return false;
	if (sub->divisor != 1)
		return error_affine(e, nest, expr);
	sub->divisor = divisor;
	return true;
}

bool nest_affine(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
		 struct subscript *sub)
{
	static const struct subscript zero = {.divisor = 1};
	struct subscript negated = zero;

	*sub = zero;
	switch (expr->kind) {
	case EXPR_NAME:
		return affine_name(e, nest, expr, sub);
	case EXPR_BINARY:
		return affine_binary(e, nest, expr, sub);
	case EXPR_CALL:
		return affine_call(e, nest, expr, sub);
	case EXPR_UNARY:
		if (expr->op != OP_NEG)
			return error_affine(e, nest, expr);
		if (!nest_affine(e, nest, expr->arg[0], &negated))
			return false;
		if (negated.divisor != 1)
			return error_affine(e, nest, expr);
		return combine(sub, 1, &negated, -1);
	default:
		return affine_constant(e, nest, expr, sub);
	}
}
