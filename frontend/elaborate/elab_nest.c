/* elab_nest.c -- tensor statements: the tree of `O[n, k] += I[n, c] * W[k, c]` goes in, a statement of the
 * network comes out. The indices are found in the brackets, target first; an index that stands alone in a
 * subscript takes the range of that dimension, and every dimension where it stands alone must agree. */
#include <string.h>
#include "frontend/elaborate/elab.h"

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
			int count = tensor && nest_ellipsis_count(e, nest, access, at, tensor) < 0
					    ? -2
					    : nest_expand(e, nest, access, at, tensor, is_target,
							  axis, sub + axis);
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
		if (!nest_affine(e, nest, at, &sub[axis]))
			return -1;
		if (tensor && single_loop(&sub[axis]) >= 0 && at->kind == EXPR_NAME &&
		    !nest_unify(e, nest, single_loop(&sub[axis]), tensor, axis,
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
	ARENA_APPEND(e->arena, nest->access, nest->access_count, access);
	return access;
}

static const struct tree_expr *access_at(const struct tree_expr *expr, struct span span)
{
	const struct tree_expr *found = NULL;

	if (expr->kind == EXPR_INDEX && expr->span.begin == span.begin)
		return expr;
	for (int i = 0; i < expr->arg_count && !found; i++)
		found = access_at(expr->arg[i], span);
	return found;
}

/* A number stands where an index is usual: perhaps the name was meant to be one. */
static void note_number(struct elaborator *e, struct nest *nest, const struct access *access)
{
	const struct tree_expr *expr = access_at(nest->tree->target, access->span);

	if (!expr)
		expr = access_at(nest->tree->value, access->span);
	for (int i = 0; expr && i < expr->arg_count; i++) {
		const struct tree_expr *at = expr->arg[i];
		const struct binding *bound =
			at->kind == EXPR_NAME ? elab_find(nest->frame, at->name) : NULL;

		if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_NUMBER)
			diag_note(e->diag, at->span,
				  "'%s' is the number %.15g here; an index needs a name of its own",
				  at->name, bound->value.number);
	}
}

/* Proves an access inside, now that all ranges are known; one that never leaves needs no rule for outside. */
static bool prove(struct elaborator *e, struct nest *nest, struct access *access, bool is_target)
{
	bool leaves = false;

	for (int i = 0; i < access->tensor->rank; i++) {
		int64_t least, greatest;

		if (!subscript_fits(nest->statement, &access->subscript[i])) {
			elab_error(e, nest->frame, "too-large", access->span,
				   "subscript %d of '%s' does not fit a 64-bit integer", i,
				   access->tensor->name);
			return false;
		}
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
		note_number(e, nest, access);
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
		const char *name = nest->statement->loop[i].name;

		if (nest->known[i])
			continue;
		elab_error(e, nest->frame, "unknown-range", nest->where[i],
			   "the range of index '%s' is not known: it stands alone in no "
			   "dimension%s",
			   name, elab_suggestion(e, nest->frame, name));
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
	int64_t extent[MAX_RANK] = {0}, least, count;
	struct tensor *tensor;
	enum type type = nest_result_type(nest->statement->value);

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
		type = nest_number_type(nest->statement->value,
					frame->first ? frame->first->type : TYPE_F32);
	if (tree->reduce == REDUCE_SUM)
		type = type_info(type)->accumulator;
	if (!elab_type(e, nest->frame, &tree->type, type, &type))
		return NULL;
	tensor = elab_tensor_new(
		e,
		elab_is_library(frame)
			? arena_printf(e->arena, "%s%s%s.%s", path, path[0] ? "." : "",
				       frame->item->name, name)
			: arena_printf(e->arena, "%s%s%s", path, path[0] ? "." : "", name),
		type, ROLE_LOCAL, rank, extent, dim, elab_user_span(frame, tree->target->span));
	tensor->layer = path;
	e->state[tensor->id].owner = frame;
	e->state[tensor->id].is_named = !frame->caller;
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

/* `O[k + 0*c]` names an index that the target does not have. */
static bool check_outer(struct elaborator *e, struct nest *nest, int rank,
			const struct subscript sub[])
{
	struct statement *s = nest->statement;

	for (int i = 0; i < s->outer; i++) {
		bool is_used = s->loop[i].extent == 1;
		for (int dim = 0; dim < rank; dim++)
			is_used |= sub[dim].coef[i] != 0;
		if (is_used)
			continue;
		elab_error(e, nest->frame, "not-in-target", nest->where[i],
			   "index '%s' is multiplied by 0 in the target; leave it out there",
			   s->loop[i].name);
		return false;
	}
	return true;
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

/* Subscripts of the target, then the value, then ranges, shape and proofs. */
static bool build(struct elaborator *e, struct nest *nest, struct tensor *target)
{
	struct statement *s = nest->statement;
	struct subscript sub[MAX_RANK];
	bool is_new = !target;
	int rank;

	if (!nest_broadcast(e, nest, nest->tree->target) ||
	    !nest_broadcast(e, nest, nest->tree->value))
		return false;
	rank = subscripts(e, nest, nest->tree->target, target, true, sub);
	if (rank < 0)
		return false;
	s->outer = s->loops;
	s->value = nest_scalar(e, nest, nest->tree->value);
	if (!s->value || !all_known(e, nest) || !check_outer(e, nest, rank, sub))
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
		if (tensor_storage(nest->access[i]->tensor) == target) {
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
	elab_statement_append(e, s);
	return true;
}

void elab_tensor_statement(struct elaborator *e, struct frame *frame, const struct tree_stmt *tree)
{
	struct nest nest = {.frame = frame, .tree = tree};
	struct binding *bound = elab_find(frame, tree->target->name);
	struct dim broadcast_dim[MAX_RANK] = {{0}};
	struct tensor *target = NULL;

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
	if (target && !writable(e, &nest, target)) {
		frame->result = elab_poison();
		return;
	}
	if (build(e, &nest, target))
		return;
	bound = elab_find(frame, tree->target->name);
	if (!bound)
		bound = elab_bind(e, frame, tree->target->name, BIND_VALUE,
				  tree->target->name_span);
	bound->value = elab_poison();
	frame->result = elab_poison();
}
