/* elab_ellipsis.c -- `...` among the subscripts of a tensor statement: one loop for each dimension that it stands
 * for. Without a name it broadcasts over all accesses of the statement, aligned at the right, as in NumPy;
 * with a name it stands for the dimensions that a pattern took. */
#include <string.h>
#include "frontend/elaborate/elab.h"

static const struct tensor *tensor_named(const struct nest *nest, const char *name)
{
	struct binding *bound = elab_find(nest->frame, name);

	return bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_TENSOR
		       ? bound->value.tensor
		       : NULL;
}

/* ---- Ellipses -------------------------------------------------------------------------------------------- */

/* How many dimensions an ellipsis among the subscripts takes; tensor is NULL for a new target. -1 after an error. */
int nest_ellipsis_count(struct elaborator *e, const struct nest *nest,
			const struct tree_expr *access, const struct tree_expr *at,
			const struct tensor *tensor)
{
	int others = 0;

	if (at->name) {
		struct binding *bound = elab_find(nest->frame, at->name);
		if (bound && bound->kind == BIND_ELLIPSIS)
			return bound->dim_count;
		elab_error(e, nest->frame, "unknown-ellipsis", at->span,
			   "no pattern bound an ellipsis named '%s'", at->name);
		return -1;
	}
	for (int i = 0; i < access->arg_count; i++) {
		const struct tree_expr *sub = access->arg[i];
		if (sub->kind == EXPR_ELLIPSIS && !sub->name && sub != at) {
			elab_error(e, nest->frame, "two-ellipses", sub->span,
				   "an access has one ellipsis without a name");
			return -1;
		}
		if (tensor && sub->kind == EXPR_ELLIPSIS && sub->name) {
			int count = nest_ellipsis_count(e, nest, access, sub, tensor);
			if (count < 0)
				return -1;
			others += count;
		} else if (sub->kind != EXPR_ELLIPSIS) {
			others++;
		}
	}
	return tensor ? tensor->rank - others : nest->broadcast_count;
}

static bool error_broadcast(struct elaborator *e, struct nest *nest, const struct tree_expr *access,
			    const struct tensor *tensor, const struct tensor *other, int64_t extent,
			    int64_t other_extent)
{
	elab_error(e, nest->frame, "shape", access->span,
		   "'%s' is %s and '%s' is %s: %lld and %lld do not broadcast", other->name,
		   elab_shape_text(e, other), tensor->name, elab_shape_text(e, tensor),
		   (long long)other_extent, (long long)extent);
	elab_note_shape(e, nest->frame, other);
	elab_note_shape(e, nest->frame, tensor);
	return false;
}

/* Widens the dimensions of the anonymous ellipsis by those of one more access, aligned at the right. */
static bool broadcast(struct elaborator *e, struct nest *nest, const struct tree_expr *access,
		      const struct tensor *tensor)
{
	int axis = 0, count = -1;

	for (int i = 0; i < access->arg_count && count < 0; i++) {
		const struct tree_expr *sub = access->arg[i];
		if (sub->kind != EXPR_ELLIPSIS) {
			axis++;
			continue;
		}
		int taken = nest_ellipsis_count(e, nest, access, sub, tensor);
		if (taken < 0)
			return false;
		if (sub->name)
			axis += taken;
		else
			count = taken;
	}
	while (nest->broadcast_count < count && nest->broadcast_count < MAX_RANK) {
		size_t kept = (size_t)nest->broadcast_count++;
		memmove(nest->broadcast + 1, nest->broadcast, kept * sizeof *nest->broadcast);
		memmove(nest->broadcast_from + 1, nest->broadcast_from,
			kept * sizeof *nest->broadcast_from);
		nest->broadcast[0] = (struct dim){NULL, 1};
		nest->broadcast_from[0] = NULL;
	}
	for (int i = 0; i < count; i++) {
		int at = nest->broadcast_count - count + i;
		struct dim *dim = &nest->broadcast[at];
		int64_t extent = tensor->extent[axis + i];

		if (dim->extent != 1 && extent != 1 && dim->extent != extent)
			return error_broadcast(e, nest, access, tensor, nest->broadcast_from[at],
					       extent, dim->extent);
		if (!dim->name || (dim->extent == 1 && extent != 1)) {
			*dim = (struct dim){tensor->dim[axis + i], extent};
			nest->broadcast_from[at] = tensor;
		}
	}
	return true;
}

/* Before anything else: what the anonymous ellipsis stands for, from all accesses of the statement. */
bool nest_broadcast(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	const struct tensor *tensor;
	bool ok = true;

	if (expr->kind == EXPR_INDEX && (tensor = tensor_named(nest, expr->name)))
		return broadcast(e, nest, expr, tensor);
	for (int i = 0; i < expr->arg_count && ok; i++)
		ok = nest_broadcast(e, nest, expr->arg[i]);
	return ok;
}

/* The loops of a named ellipsis, made at its first use. */
static const int *named_loops(struct elaborator *e, struct nest *nest, const struct tree_expr *at)
{
	const struct binding *bound = elab_find(nest->frame, at->name);

	for (int i = 0; i < nest->named_count; i++)
		if (strcmp(nest->named[i].name, at->name) == 0)
			return nest->named[i].loop;
	if (nest->named_count == sizeof nest->named / sizeof *nest->named) {
		elab_error(e, nest->frame, "too-many-indices", at->span,
			   "a statement has at most %d ellipses", nest->named_count);
		return NULL;
	}
	nest->named[nest->named_count].name = at->name;
	for (int i = 0; i < bound->dim_count; i++) {
		int loop = nest_ellipsis_loop(e, nest, &bound->dim[i], at->span);
		if (loop < 0)
			return NULL;
		nest->named[nest->named_count].loop[i] = loop;
	}
	return nest->named[nest->named_count++].loop;
}

/* `... by perm`: the positions, checked to be a permutation; without `by`, 0, 1, 2, ... */
static bool permutation(struct elaborator *e, struct nest *nest, const struct tree_expr *at,
			int count, int perm[])
{
	struct value list;
	uint32_t seen = 0;

	for (int i = 0; i < count; i++)
		perm[i] = i;
	if (at->arg_count == 0)
		return true;
	list = elab_eval(e, nest->frame, at->arg[0]);
	if (list.kind == VALUE_POISON)
		return false;
	for (int i = 0; list.kind == VALUE_LIST && list.count == count && i < count; i++) {
		double number = list.item[i].kind == VALUE_NUMBER ? list.item[i].number : -1;
		number = number < 0 ? number + count : number;
		if (!elab_is_integer(number) || number < 0 || number >= count)
			break;
		perm[i] = (int)number;
		seen |= 1u << perm[i];
	}
	if (seen == (1u << count) - 1 && list.count == count)
		return true;
	elab_error(e, nest->frame, "not-a-permutation", at->arg[0]->span,
		   "this must be a list of the %d axes 0 .. %d in some order", count, count - 1);
	return false;
}

/* The subscripts that an ellipsis stands for, from `axis` on; how many, or -1 after an error. */
int nest_expand(struct elaborator *e, struct nest *nest, const struct tree_expr *access,
		const struct tree_expr *at, const struct tensor *tensor, bool is_target, int axis,
		struct subscript sub[])
{
	int count = nest_ellipsis_count(e, nest, access, at, tensor), perm[MAX_RANK];
	int shift = nest->broadcast_count - count;
	const int *loops = NULL;

	if (count < 0 || axis + count > MAX_RANK || (tensor && axis + count > tensor->rank) ||
	    !permutation(e, nest, at, count, perm))
		return -1;
	if (at->name && !(loops = named_loops(e, nest, at)))
		return -1;
	for (int i = 0; i < count; i++) {
		int *loop = loops ? (int *)&loops[perm[i]] : &nest->broadcast_loop[shift + perm[i]];

		if (*loop < 0)
			*loop = nest_ellipsis_loop(e, nest, &nest->broadcast[shift + perm[i]],
						   at->span);
		if (*loop < 0)
			return -1;
		sub[i] = (struct subscript){.divisor = 1};
		if (tensor && tensor->extent[axis + i] != nest->statement->loop[*loop].extent) {
			if (!at->name && tensor->extent[axis + i] == 1 && !is_target)
				continue;
			elab_error(e, nest->frame, "shape", at->span,
				   "this ellipsis is %lld at dimension %d of '%s', which is %s",
				   (long long)nest->statement->loop[*loop].extent, axis + i,
				   tensor->name, elab_shape_text(e, tensor));
			elab_note_shape(e, nest->frame, tensor);
			return -1;
		}
		sub[i].coef[*loop] = 1;
	}
	return count;
}
