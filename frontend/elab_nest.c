/* elab_nest.c -- tensor statements: the tree of `O[n, k] += I[n, c] * W[k, c]` goes in, a statement of the
 * network comes out. The indices are found in the brackets, target first; an index that stands alone in a
 * subscript takes the range of that dimension, and every dimension where it stands alone must agree. */
#include <string.h>
#include "frontend/elab.h"

static const struct tensor *tensor_named(const struct nest *nest, const char *name)
{
	struct binding *bound = elab_find(nest->frame, name);

	return bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_TENSOR
		       ? bound->value.tensor
		       : NULL;
}

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

static void loop_set(struct nest *nest, int loop, int64_t extent, bool exact,
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
		loop_set(nest, loop, bound->extent, bound->kind == BIND_DIM, bound->from);
	return loop;
}

static int loop_for_ellipsis(struct elaborator *e, struct nest *nest, const struct dim *dim,
			     struct span span)
{
	int loop = loop_add(e, nest, dim->name, span);

	if (loop >= 0) {
		loop_set(nest, loop, dim->extent, true, NULL);
		nest->is_ellipsis[loop] = true;
	}
	return loop;
}

/* An index stands alone in a dimension of a tensor: it runs over it. */
static bool unify(struct elaborator *e, struct nest *nest, int loop, const struct tensor *tensor,
		  int axis, bool may_leave, struct span span)
{
	int64_t extent = tensor->extent[axis];

	if (!nest->known[loop]) {
		loop_set(nest, loop, extent, true, tensor);
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

static bool affine(struct elaborator *, struct nest *, const struct tree_expr *,
		   struct subscript *);

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
	if (!affine(e, nest, expr->arg[0], sub) || !affine(e, nest, expr->arg[1], &right))
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
	if (!affine(e, nest, arg->arg[0], sub) ||
	    !elab_integer(e, nest->frame, arg->arg[1], "the divisor in a subscript", 1,
			  INT64_C(1) << 31, &divisor))
		return false;
	if (sub->divisor != 1)
		return error_affine(e, nest, expr);
	sub->divisor = divisor;
	return true;
}

static bool affine(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
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
		if (!affine(e, nest, expr->arg[0], &negated))
			return false;
		if (negated.divisor != 1)
			return error_affine(e, nest, expr);
		return combine(sub, 1, &negated, -1);
	default:
		return affine_constant(e, nest, expr, sub);
	}
}

/* ---- Ellipses -------------------------------------------------------------------------------------------- */

/* How many dimensions an ellipsis among the subscripts takes; tensor is NULL for a new target. -1 after an error. */
static int ellipsis_count(struct elaborator *e, const struct nest *nest,
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
	if (!tensor)
		return nest->broadcast_count;
	for (int i = 0; i < access->arg_count; i++) {
		const struct tree_expr *sub = access->arg[i];
		if (sub->kind == EXPR_ELLIPSIS && !sub->name && sub != at) {
			elab_error(e, nest->frame, "two-ellipses", sub->span,
				   "an access has one ellipsis without a name");
			return -1;
		}
		if (sub->kind == EXPR_ELLIPSIS && sub->name) {
			int count = ellipsis_count(e, nest, access, sub, tensor);
			if (count < 0)
				return -1;
			others += count;
		} else if (sub->kind != EXPR_ELLIPSIS) {
			others++;
		}
	}
	return tensor->rank - others;
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
		int taken = ellipsis_count(e, nest, access, sub, tensor);
		if (taken < 0)
			return false;
		if (sub->name)
			axis += taken;
		else
			count = taken;
	}
	while (nest->broadcast_count < count && nest->broadcast_count < MAX_RANK) {
		memmove(nest->broadcast + 1, nest->broadcast,
			(size_t)nest->broadcast_count * sizeof *nest->broadcast);
		nest->broadcast[0] = (struct dim){NULL, 1};
		nest->broadcast_count++;
	}
	for (int i = 0; i < count; i++) {
		struct dim *dim = &nest->broadcast[nest->broadcast_count - count + i];
		int64_t extent = tensor->extent[axis + i];

		if (dim->extent != 1 && extent != 1 && dim->extent != extent) {
			elab_error(e, nest->frame, "shape", access->span,
				   "extents %lld and %lld do not broadcast: '%s' is %s",
				   (long long)dim->extent, (long long)extent, tensor->name,
				   elab_shape_text(e, tensor));
			elab_note_shape(e, nest->frame, tensor);
			for (int k = 0; k < nest->access_count; k++)
				if (nest->access[k]->tensor != tensor)
					elab_note_shape(e, nest->frame, nest->access[k]->tensor);
			return false;
		}
		if (!dim->name || (dim->extent == 1 && extent != 1))
			*dim = (struct dim){tensor->dim[axis + i], extent};
	}
	return true;
}

/* Before anything else: what the anonymous ellipsis stands for, from all accesses of the statement. */
static bool broadcast_all(struct elaborator *e, struct nest *nest, const struct tree_expr *expr)
{
	const struct tensor *tensor;
	bool ok = true;

	if (expr->kind == EXPR_INDEX && (tensor = tensor_named(nest, expr->name))) {
		struct access *seen = ARENA_NEW(e->arena, struct access);

		ok = broadcast(e, nest, expr, tensor);
		seen->tensor = (struct tensor *)tensor;
		ARENA_APPEND(e->arena, nest->access, nest->access_count, seen);
		return ok;
	}
	for (int i = 0; i < expr->arg_count && ok; i++)
		ok = broadcast_all(e, nest, expr->arg[i]);
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
		int loop = loop_for_ellipsis(e, nest, &bound->dim[i], at->span);
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
static int expand(struct elaborator *e, struct nest *nest, const struct tree_expr *access,
		  const struct tree_expr *at, const struct tensor *tensor, bool is_target, int axis,
		  struct subscript sub[])
{
	int count = ellipsis_count(e, nest, access, at, tensor), perm[MAX_RANK];
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
			*loop = loop_for_ellipsis(e, nest, &nest->broadcast[shift + perm[i]],
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

/* ---- Accesses --------------------------------------------------------------------------------------------- */

/* Is the subscript one loop and nothing else? */
static int single_loop(const struct subscript *sub)
{
	int loop = -1;

	if (sub->divisor != 1 || sub->offset != 0)
		return -1;
	for (int i = 0; i < MAX_LOOPS; i++) {
		if (sub->coef[i] == 0)
			continue;
		if (loop >= 0 || sub->coef[i] != 1)
			return -1;
		loop = i;
	}
	return loop;
}

/* Fills sub[] and returns how many, or -1 after an error. tensor is NULL for a new target. */
static int subscripts(struct elaborator *e, struct nest *nest, const struct tree_expr *access,
		      const struct tensor *tensor, bool is_target, struct subscript sub[MAX_RANK])
{
	int axis = 0;

	for (int i = 0; i < access->arg_count; i++) {
		const struct tree_expr *at = access->arg[i];

		if (at->kind == EXPR_ERROR)
			return -1;
		if (at->kind == EXPR_ELLIPSIS) {
			int count = tensor && ellipsis_count(e, nest, access, at, tensor) < 0
					    ? -2
					    : expand(e, nest, access, at, tensor, is_target, axis,
						     sub + axis);
			if (count == -2)
				break;
			if (count < 0)
				return -1;
			axis += count;
			continue;
		}
		if (axis >= MAX_RANK || (tensor && axis >= tensor->rank)) {
			axis = MAX_RANK + 1;
			break;
		}
		if (!affine(e, nest, at, &sub[axis]))
			return -1;
		if (tensor && single_loop(&sub[axis]) >= 0 && at->kind == EXPR_NAME &&
		    !unify(e, nest, single_loop(&sub[axis]), tensor, axis,
			   access->outside != OUTSIDE_ERROR, at->span))
			return -1;
		axis++;
	}
	if (axis > MAX_RANK || (tensor && axis != tensor->rank)) {
		elab_error(
			e, nest->frame, "rank", access->span, "'%s' is %s and takes %d subscript%s",
			access->name, tensor ? elab_shape_text(e, tensor) : "new",
			tensor ? tensor->rank : MAX_RANK, tensor && tensor->rank == 1 ? "" : "s");
		if (tensor)
			elab_note_shape(e, nest->frame, tensor);
		return -1;
	}
	return axis;
}

struct access *nest_access(struct elaborator *e, struct nest *nest, const struct tree_expr *expr,
			   struct tensor *tensor)
{
	struct access *access = ARENA_NEW(e->arena, struct access);
	struct subscript sub[MAX_RANK];
	struct value value;

	if (subscripts(e, nest, expr, tensor, false, sub) < 0)
		return NULL;
	access->tensor = tensor;
	access->span = expr->span;
	access->outside = expr->outside;
	access->subscript = ARENA_ARRAY(e->arena, tensor->rank + 1, struct subscript);
	memcpy(access->subscript, sub, (size_t)tensor->rank * sizeof *sub);
	if (expr->outside == OUTSIDE_DROP) {
		elab_error(
			e, nest->frame, "bad-else", expr->span,
			"only a write can be dropped; a read takes `else value` or `else clamp`");
		return NULL;
	}
	if (expr->outside == OUTSIDE_VALUE) {
		value = elab_eval(e, nest->frame, expr->outside_value);
		if (value.kind != VALUE_NUMBER) {
			if (value.kind != VALUE_POISON)
				elab_error(e, nest->frame, "bad-else", expr->outside_value->span,
					   "the value outside is a number");
			return NULL;
		}
		access->value = value.number;
	}
	if (nest->read_type == TYPE_COUNT)
		nest->read_type = tensor->type;
	else if (nest->read_type != tensor->type)
		nest->read_type = type_common(nest->read_type, tensor->type);
	ARENA_APPEND(e->arena, nest->access, nest->access_count, access);
	return access;
}

/* Proves an access inside, now that all ranges are known; one that never leaves needs no rule for outside. */
static bool prove(struct elaborator *e, struct nest *nest, struct access *access, bool is_target)
{
	bool leaves = false;

	for (int i = 0; i < access->tensor->rank; i++) {
		int64_t least, greatest;

		subscript_range(nest->statement, &access->subscript[i], &least, &greatest);
		if (least >= 0 && greatest < access->tensor->extent[i])
			continue;
		leaves = true;
		if (access->outside != OUTSIDE_ERROR)
			continue;
		elab_error(e, nest->frame, "outside", access->span,
			   "subscript %d of '%s' reaches %lld .. %lld, and the dimension is 0 .. "
			   "%lld; %s",
			   i, access->tensor->name, (long long)least, (long long)greatest,
			   (long long)access->tensor->extent[i] - 1,
			   is_target ? "write `else drop` if that is meant"
				     : "write `else 0` or `else clamp` if that is meant");
		elab_note_shape(e, nest->frame, access->tensor);
		return false;
	}
	if (!leaves)
		access->outside = OUTSIDE_ERROR;
	return true;
}

/* ---- The target ---------------------------------------------------------------------------------------------- */

static bool all_known(struct elaborator *e, struct nest *nest)
{
	bool ok = true;

	for (int i = 0; i < nest->statement->loops; i++) {
		const char *name = nest->statement->loop[i].name, *nearest;
		const char **candidate =
			ARENA_ARRAY(e->arena, nest->frame->binding_count + 1, const char *);

		if (nest->known[i])
			continue;
		for (int k = 0; k < nest->frame->binding_count; k++)
			candidate[k] = nest->frame->binding[k].name;
		nearest = diag_nearest(name, candidate, nest->frame->binding_count);
		elab_error(e, nest->frame, "unknown-range", nest->where[i],
			   "the range of index '%s' is not known: it stands alone in no "
			   "dimension%s%s%s",
			   name, nearest ? "; did you mean '" : "", nearest ? nearest : "",
			   nearest ? "'?" : "");
		diag_note(e->diag, (struct span){0}, "a range can be declared: index %s < extent",
			  name);
		ok = false;
	}
	return ok;
}

/* The shape of a new target: one more than the greatest value of each subscript. */
static struct tensor *new_target(struct elaborator *e, struct nest *nest, int rank,
				 const struct subscript sub[])
{
	const struct tree_stmt *tree = nest->tree;
	const struct frame *frame = nest->frame;
	const char *dim[MAX_RANK] = {NULL}, *path = frame->path, *name = tree->target->name;
	bool is_library = frame->item->span.source && frame->item->span.source->is_library;
	int64_t extent[MAX_RANK] = {0}, least, count;
	struct tensor *tensor;
	enum type type = nest->read_type;

	for (int i = 0; i < rank; i++) {
		subscript_range(nest->statement, &sub[i], &least, &extent[i]);
		if (least < 0) {
			elab_error(e, frame, "outside", tree->target->span,
				   "subscript %d of the new tensor '%s' reaches %lld, below 0", i,
				   name, (long long)least);
			return NULL;
		}
		extent[i]++;
		for (int k = 0; k < nest->statement->loops; k++)
			if (sub[i].coef[k])
				dim[i] = nest->statement->loop[k].name;
	}
	if (!shape_count(rank, extent, &count)) {
		elab_error(e, frame, "too-large", tree->target->span,
			   "a tensor of this shape has more than 2^63 bytes");
		return NULL;
	}
	if (type == TYPE_COUNT)
		type = frame->first ? frame->first->type : TYPE_F32;
	if (tree->reduce == REDUCE_SUM)
		type = type_info(type)->accumulator;
	if (!elab_type(e, nest->frame, &tree->type, type, &type))
		return NULL;
	tensor = elab_tensor_new(
		e,
		is_library ? arena_printf(e->arena, "%s%s%s.%s", path, path[0] ? "." : "",
					  frame->item->name, name)
			   : arena_printf(e->arena, "%s%s%s", path, path[0] ? "." : "", name),
		type, ROLE_LOCAL, rank, extent, dim, elab_user_span(frame, tree->target->span));
	tensor->layer = path;
	e->state[tensor->id].owner = frame;
	elab_bind(e, nest->frame, name, BIND_VALUE, tree->target->name_span)->value =
		value_tensor(tensor);
	return tensor;
}

/* May this frame write the tensor? */
static bool writable(struct elaborator *e, struct nest *nest, const struct tensor *tensor)
{
	const struct tree_expr *target = nest->tree->target;

	if (e->state[tensor->id].owner == nest->frame && !tensor->view_of)
		return true;
	elab_error(e, nest->frame, "not-writable", target->name_span,
		   "'%s' is complete and cannot be written: %s", target->name,
		   tensor->view_of ? "it is a view"
				   : "it was given, computed elsewhere, or a view of it was taken");
	return false;
}

/* Unreduced statements write each element once; a reduced index must not be in a `=`. */
static bool check_combine(struct elaborator *e, struct nest *nest)
{
	struct statement *s = nest->statement;

	if (s->reduce != REDUCE_NONE)
		return true;
	if (s->loops > s->outer) {
		elab_error(e, nest->frame, "not-in-target", nest->where[s->outer],
			   "index '%s' is not in the target, so its values would overwrite each "
			   "other; use += or max= to combine them",
			   s->loop[s->outer].name);
		return false;
	}
	if (statement_is_injective(s))
		return true;
	elab_error(e, nest->frame, "written-twice", nest->tree->target->span,
		   "this writes an element of '%s' more than once", nest->tree->target->name);
	return false;
}

static bool covers(const struct statement *s)
{
	return s->reduce == REDUCE_NONE && s->target.outside == OUTSIDE_ERROR &&
	       statement_points(s) == tensor_count(s->target.tensor);
}

static double lowest(enum type type)
{
	int bits = type_info(type)->bytes * 8;

	return type_info(type)->is_float ? -__builtin_inf()
	       : bits == 64              ? -9223372036854775808.0
					 : -(double)(INT64_C(1) << (bits - 1));
}

/* Loops of one name get numbers: people read them. */
static void name_loops(struct elaborator *e, struct statement *s)
{
	for (int i = 0; i < s->loops; i++)
		for (int k = 0, number = 2; k < i; k++)
			if (strcmp(s->loop[i].name, s->loop[k].name) == 0) {
				s->loop[i].name =
					arena_printf(e->arena, "%s%d", s->loop[k].name, number++);
				k = -1;
			}
}

/* A `= 0` over a whole tensor that nobody has read is superseded by another `=` over the whole of it. */
static void drop_superseded_fill(struct elaborator *e, const struct statement *s)
{
	struct network *net = e->network;
	struct statement *last =
		net->statement_count ? net->statement[net->statement_count - 1] : NULL;

	if (last && covers(s) && covers(last) && last->target.tensor == s->target.tensor)
		net->statement_count--;
}

/* Subscripts of the target, then the value, then ranges, shape and proofs. */
static bool build(struct elaborator *e, struct nest *nest, struct tensor *target)
{
	struct statement *s = nest->statement;
	struct subscript sub[MAX_RANK];
	bool is_new = !target;
	int rank;

	if (!broadcast_all(e, nest, nest->tree->target) ||
	    !broadcast_all(e, nest, nest->tree->value))
		return false;
	nest->access_count = 0;
	rank = subscripts(e, nest, nest->tree->target, target, true, sub);
	if (rank < 0)
		return false;
	s->outer = s->loops;
	s->value = nest_scalar(e, nest, nest->tree->value);
	if (!s->value || !all_known(e, nest))
		return false;
	if (statement_points(s) == INT64_MAX) {
		elab_error(e, nest->frame, "too-large", nest->tree->span,
			   "this statement has more than 2^63 points");
		return false;
	}
	if (is_new && !(target = new_target(e, nest, rank, sub)))
		return false;
	s->target = (struct access){target, ARENA_ARRAY(e->arena, rank + 1, struct subscript),
				    nest->tree->target->outside, 0, nest->tree->target->span};
	memcpy(s->target.subscript, sub, (size_t)rank * sizeof *sub);
	if (s->target.outside == OUTSIDE_VALUE || s->target.outside == OUTSIDE_CLAMP) {
		elab_error(e, nest->frame, "bad-else", s->target.span,
			   "a write outside can only be dropped: `else drop`");
		return false;
	}
	s->value = nest_typed(s->value, target->type);
	for (int i = 0; i < nest->access_count; i++) {
		const struct tensor *read = nest->access[i]->tensor;
		if ((read->view_of ? read->view_of : read) == target) {
			elab_error(e, nest->frame, "reads-target", nest->access[i]->span,
				   "a statement cannot read the tensor that it writes");
			return false;
		}
		if (!prove(e, nest, nest->access[i], false))
			return false;
	}
	if (!prove(e, nest, &s->target, true) || !check_combine(e, nest))
		return false;
	if (is_new && !covers(s))
		elab_fill(e, nest->frame, target,
			  s->reduce == REDUCE_MAX ? lowest(target->type) : 0, nest->tree->span);
	else
		drop_superseded_fill(e, s);
	name_loops(e, s);
	elab_statement_append(e, s);
	return true;
}

void elab_tensor_statement(struct elaborator *e, struct frame *frame, const struct tree_stmt *tree)
{
	struct nest nest = {.frame = frame, .tree = tree, .read_type = TYPE_COUNT};
	struct binding *bound = elab_find(frame, tree->target->name);
	struct dim broadcast_dim[MAX_RANK] = {{0}};
	struct tensor *target = NULL;
	bool ok = true;

	if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_POISON)
		return;
	if (bound && (bound->kind != BIND_VALUE || bound->value.kind != VALUE_TENSOR)) {
		elab_error(e, frame, "not-a-tensor", tree->target->name_span,
			   "'%s' is not a tensor and cannot be written", tree->target->name);
		diag_note(e->diag, bound->span, "it is defined here");
		return;
	}
	if (bound)
		target = bound->value.tensor;
	nest.statement = elab_statement_new(e, frame, tree->span);
	nest.statement->reduce = tree->reduce;
	nest.broadcast = broadcast_dim;
	for (int i = 0; i < MAX_RANK; i++)
		nest.broadcast_loop[i] = -1;
	ok = !target || writable(e, &nest, target);
	ok = ok && build(e, &nest, target);
	if (ok)
		return;
	bound = elab_find(frame, tree->target->name);
	if (!bound)
		bound = elab_bind(e, frame, tree->target->name, BIND_VALUE,
				  tree->target->name_span);
	bound->value = elab_poison();
	frame->result = elab_poison();
}
