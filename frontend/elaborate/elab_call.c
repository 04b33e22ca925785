/* elab_call.c -- calls: an operator's name and arguments go in, its body runs in a frame of its own, its result
 * comes out. Arguments find their formals by position or name; dimension patterns bind the extents of tensors. */
#include <string.h>
#include "frontend/elaborate/elab.h"

/* ---- Dimension patterns ------------------------------------------------------------------------------ */

static void error_rank(struct elaborator *e, struct frame *frame, const char *formal,
		       const struct tensor *tensor, struct span argument, int least, bool open)
{
	elab_error(e, frame->caller, "rank", argument,
		   "%s '%s' takes %s%d dimension%s as '%s', and '%s' has %d: it is %s",
		   frame->item->kind == ITEM_NETWORK ? "network" : "operator", frame->item->name,
		   open ? "at least " : "", least, least == 1 ? "" : "s", formal, tensor->name,
		   tensor->rank, elab_shape_text(e, tensor));
	elab_note_shape(e, frame->caller, tensor);
}

/* A name that stands for a dimension: bound for the first time, or equal to what it is bound to. */
static bool match_name(struct elaborator *e, struct frame *frame, const char *formal,
		       const struct tree_expr *pattern, const struct tensor *tensor, int axis,
		       struct span argument)
{
	struct binding *bound = elab_find(frame, pattern->name);
	int64_t extent = tensor->extent[axis];

	if (!bound) {
		bound = elab_bind(e, frame, pattern->name, BIND_DIM, pattern->span);
		bound->extent = extent;
		bound->from = tensor;
		bound->loop_level = frame->loop_level;
		return true;
	}
	if (bound->kind == BIND_DIM && bound->extent == extent)
		return true;
	if (bound->kind == BIND_VALUE && bound->value.kind == VALUE_NUMBER &&
	    bound->value.number == (double)extent)
		return true;
	if (bound->kind == BIND_DIM && bound->from) {
		elab_error(e, frame->caller, "shape", argument,
			   "'%s' needs one extent '%s': it is %lld in '%s', which is %s, but %lld "
			   "in '%s', which is %s",
			   frame->item->name, pattern->name, (long long)bound->extent,
			   bound->from->name, elab_shape_text(e, bound->from), (long long)extent,
			   tensor->name, elab_shape_text(e, tensor));
		elab_note_shape(e, frame->caller, bound->from);
	} else if (bound->kind == BIND_VALUE && bound->value.kind == VALUE_NUMBER) {
		elab_error(e, frame->caller, "shape", argument,
			   "dimension '%s' of '%s' must be %.15g, and '%s' is %s", pattern->name,
			   formal, bound->value.number, tensor->name, elab_shape_text(e, tensor));
	} else {
		elab_error(e, frame, "redefinition", pattern->span,
			   "'%s' already has another meaning here", pattern->name);
	}
	elab_note_shape(e, frame->caller, tensor);
	return false;
}

/* An ellipsis with a name: so many dimensions, remembered under it. */
static bool match_ellipsis(struct elaborator *e, struct frame *frame, const char *formal,
			   const struct tree_expr *pattern, const struct tensor *tensor, int axis,
			   int count, struct span argument)
{
	struct binding *bound = elab_find(frame, pattern->name);
	bool same = bound && bound->kind == BIND_ELLIPSIS && bound->dim_count == count;

	if (!bound) {
		bound = elab_bind(e, frame, pattern->name, BIND_ELLIPSIS, pattern->span);
		bound->dim = ARENA_ARRAY(e->arena, count + 1, struct dim);
		bound->dim_count = count;
		bound->from = tensor;
		bound->loop_level = frame->loop_level;
		for (int i = 0; i < count; i++)
			bound->dim[i] =
				(struct dim){tensor->dim[axis + i], tensor->extent[axis + i]};
		return true;
	}
	for (int i = 0; same && i < count; i++)
		same = bound->dim[i].extent == tensor->extent[axis + i];
	if (same)
		return true;
	if (bound->kind != BIND_ELLIPSIS || !bound->from) {
		elab_error(e, frame, "redefinition", pattern->span,
			   "'%s' already has another meaning here", pattern->name);
		return false;
	}
	elab_error(e, frame->caller, "shape", argument,
		   "'%s' needs '%s' to agree with '%s' in dimensions '%s': they are %s and %s",
		   frame->item->name, formal, bound->from->name, pattern->name,
		   elab_shape_text(e, tensor), elab_shape_text(e, bound->from));
	elab_note_shape(e, frame->caller, bound->from);
	elab_note_shape(e, frame->caller, tensor);
	return false;
}

static bool error_axis(struct elaborator *e, struct frame *frame, const struct tensor *tensor,
		       struct span argument, int64_t axis)
{
	elab_error(e, frame->caller, "bad-axis", argument, "'%s' is %s and has no axis %lld",
		   tensor->name, elab_shape_text(e, tensor), (long long)axis);
	return false;
}

/* How many dimensions each ellipsis of a pattern takes; false after an error. */
static bool count_ellipses(struct elaborator *e, struct frame *frame, const char *formal,
			   int dim_count, struct tree_expr *const dim[],
			   const struct tensor *tensor, struct span argument, int count[])
{
	int fixed = 0, open = -1, rest;
	int64_t axis = -1;

	for (int i = 0; i < dim_count; i++) {
		count[i] = 1;
		if (dim[i]->kind == EXPR_ELLIPSIS && dim[i]->arg_count > 0) {
			if (!elab_integer(e, frame, dim[i]->arg[0],
					  "the number of dimensions of an ellipsis", -MAX_RANK,
					  MAX_RANK, &axis))
				return false;
			count[i] = (int)(axis < 0 ? axis + tensor->rank : axis);
			if (count[i] < 0 || count[i] > tensor->rank)
				return error_axis(e, frame, tensor, argument, axis);
		} else if (dim[i]->kind == EXPR_ELLIPSIS) {
			if (open >= 0) {
				elab_error(e, frame, "two-ellipses", dim[i]->span,
					   "a pattern can have one ellipsis of open length");
				return false;
			}
			open = i;
			count[i] = 0;
		}
		fixed += count[i];
	}
	rest = tensor->rank - fixed;
	if (rest < 0 && axis >= 0)
		return error_axis(e, frame, tensor, argument, axis);
	if (rest < 0 || (rest > 0 && open < 0)) {
		error_rank(e, frame, formal, tensor, argument, fixed, open >= 0);
		return false;
	}
	if (open >= 0)
		count[open] = rest;
	return true;
}

bool elab_match(struct elaborator *e, struct frame *frame, const char *formal, int dim_count,
		struct tree_expr *const dim[], const struct tensor *tensor, struct span argument)
{
	int *count = ARENA_ARRAY(e->arena, dim_count + 1, int);
	bool ok = true;

	if (!count_ellipses(e, frame, formal, dim_count, dim, tensor, argument, count))
		return false;
	for (int i = 0, axis = 0; i < dim_count; axis += count[i], i++) {
		const struct tree_expr *pattern = dim[i];

		if (pattern->kind == EXPR_ELLIPSIS) {
			if (pattern->name)
				ok &= match_ellipsis(e, frame, formal, pattern, tensor, axis,
						     count[i], argument);
		} else if (pattern->kind == EXPR_NAME && strcmp(pattern->name, "_") == 0) {
			continue;
		} else if (pattern->kind == EXPR_NAME) {
			ok &= match_name(e, frame, formal, pattern, tensor, axis, argument);
		} else if (pattern->kind == EXPR_NUMBER) {
			if (pattern->number == (double)tensor->extent[axis])
				continue;
			elab_error(e, frame->caller, "shape", argument,
				   "dimension %d of '%s' must be %.15g, and '%s' is %s", axis,
				   formal, pattern->number, tensor->name,
				   elab_shape_text(e, tensor));
			elab_note_shape(e, frame->caller, tensor);
			ok = false;
		} else if (pattern->kind != EXPR_ERROR) {
			elab_error(e, frame, "bad-pattern", pattern->span,
				   "a dimension pattern is a name, a number or an ellipsis");
			ok = false;
		}
	}
	return ok;
}

/* ---- Arguments ------------------------------------------------------------------------------------------ */

/* Is there a parameter of this name in the body, perhaps under an `if`? */
static bool declares(const struct tree_stmt *stmt, const char *name)
{
	for (; stmt; stmt = stmt->next) {
		if (stmt->kind == STMT_DECLARE && stmt->declare != DECLARE_TENSOR &&
		    strcmp(stmt->name, name) == 0)
			return true;
		if (declares(stmt->body, name) || declares(stmt->orelse, name))
			return true;
	}
	return false;
}

static void collect_declared(struct elaborator *e, const struct tree_stmt *stmt, const char ***name,
			     int *count)
{
	for (; stmt; stmt = stmt->next) {
		if (stmt->kind == STMT_DECLARE && stmt->declare != DECLARE_TENSOR)
			ARENA_APPEND(e->arena, *name, *count, stmt->name);
		collect_declared(e, stmt->body, name, count);
		collect_declared(e, stmt->orelse, name, count);
	}
}

static void error_argument_name(struct elaborator *e, struct frame *frame,
				const struct argument *arg)
{
	const char **candidate = NULL;
	int count = 0;

	for (const struct tree_formal *f = frame->item->formal; f; f = f->next)
		ARENA_APPEND(e->arena, candidate, count, f->name);
	collect_declared(e, frame->item->body, &candidate, &count);
	elab_error(e, frame->caller, "unknown-argument", arg->name_span,
		   "'%s' has no attribute or parameter '%s'%s", frame->item->name, arg->name,
		   diag_suggestion(e->diag, arg->name, candidate, count));
	diag_note(e->diag, frame->item->name_span, "'%s' is described here", frame->item->name);
}

/* Arguments that have a name: value[i] and is_given[i] are those of the i-th formal; parameters go to frame->given. */
static bool place_named(struct elaborator *e, struct frame *frame, const struct argument *arg,
			struct value value[], bool is_given[])
{
	const struct tree_formal *formal = frame->item->formal;
	int i = 0;

	for (; formal && strcmp(formal->name, arg->name) != 0; formal = formal->next)
		i++;
	if (formal && is_given[i]) {
		elab_error(e, frame->caller, "repeated-argument", arg->value.span,
			   "'%s' is given twice", arg->name);
		return false;
	}
	if (formal) {
		value[i] = arg->value;
		is_given[i] = true;
		return true;
	}
	if (!declares(frame->item->body, arg->name)) {
		error_argument_name(e, frame, arg);
		return false;
	}
	ARENA_APPEND(e->arena, frame->given, frame->given_count, *arg);
	return true;
}

/* One more tensor, or several, of a formal that takes `each`. */
static void add_each(struct elaborator *e, struct value *list, const struct value *given)
{
	const struct value *item = given->kind == VALUE_LIST ? given->item : given;
	int count = given->kind == VALUE_LIST ? given->count : 1;

	list->kind = VALUE_LIST;
	for (int i = 0; i < count; i++)
		ARENA_APPEND(e->arena, list->item, list->count, item[i]);
}

static bool is_for_each(const struct value *value)
{
	return value->kind == VALUE_TENSOR || value->kind == VALUE_LIST;
}

/* Arguments without a name take the formals that no name took, in order; `each` takes all tensors that follow. */
static bool place_others(struct elaborator *e, struct frame *frame, const struct argument arg[],
			 int count, struct value value[], bool is_given[])
{
	const struct tree_formal *formal = frame->item->formal;
	int at = 0;
	bool is_open = false; /* an `each` that took some already and may take more */

	for (int i = 0; i < count; i++) {
		if (arg[i].name)
			continue;
		while (formal && ((is_given[at] && !is_open) ||
				  (formal->is_each && !is_for_each(&arg[i].value)))) {
			formal = formal->next;
			is_open = false;
			at++;
		}
		if (!formal) {
			elab_error(e, frame->caller, "too-many-arguments", arg[i].value.span,
				   "'%s' takes no further argument", frame->item->name);
			return false;
		}
		is_open = formal->is_each;
		if (is_open)
			add_each(e, &value[at], &arg[i].value);
		else
			value[at] = arg[i].value;
		is_given[at] = true;
	}
	return true;
}

static bool sort_arguments(struct elaborator *e, struct frame *frame, const struct argument arg[],
			   int count, struct value value[], bool is_given[])
{
	bool ok = true;

	for (int i = 0; i < count; i++)
		if (arg[i].name)
			ok &= place_named(e, frame, &arg[i], value, is_given);
	return place_others(e, frame, arg, count, value, is_given) && ok;
}

/* An attribute with a length: a list whose elements are repeated to that length. */
static bool spread(struct elaborator *e, struct frame *frame, const struct tree_formal *formal,
		   struct value *value)
{
	struct value from = *value;
	int64_t length;

	if (!formal->length)
		return true;
	if (!elab_integer(e, frame, formal->length, "the length of a list", 1, 64, &length))
		return false;
	if (from.kind == VALUE_NUMBER) {
		from.item = value;
		from.count = 1;
	}
	if ((from.kind != VALUE_LIST && from.kind != VALUE_NUMBER) || from.count == 0 ||
	    length % from.count != 0) {
		elab_error(e, frame->caller, "list-length", value->span,
			   "'%s' of '%s' is a list of %lld, and this has %d element%s",
			   formal->name, frame->item->name, (long long)length,
			   from.kind == VALUE_LIST ? from.count : 0,
			   from.kind == VALUE_LIST && from.count == 1 ? "" : "s");
		return false;
	}
	struct value *item = ARENA_ARRAY(e->arena, length, struct value);
	for (int i = 0; i < length; i++)
		item[i] = from.item[i % from.count];
	value->kind = VALUE_LIST;
	value->item = item;
	value->count = (int)length;
	return true;
}

static bool bind_attribute(struct elaborator *e, struct frame *frame,
			   const struct tree_formal *formal, struct value value, bool is_given)
{
	if (!is_given && formal->value) {
		value = elab_eval(e, frame, formal->value);
		value.span = formal->value->span;
	} else if (!is_given) {
		elab_error(e, frame->caller, "missing-argument", frame->call,
			   "'%s' needs the attribute '%s'", frame->item->name, formal->name);
		diag_note(e->diag, formal->span, "'%s' is described here", formal->name);
		return false;
	}
	if (value.kind == VALUE_POISON)
		return false;
	if (value.kind == VALUE_TENSOR) {
		elab_error(e, frame->caller, "bad-argument", value.span,
			   "attribute '%s' of '%s' is a number, a string or a list, not %s",
			   formal->name, frame->item->name, elab_value_text(e, value));
		return false;
	}
	if (!spread(e, frame, formal, &value))
		return false;
	elab_bind(e, frame, formal->name, BIND_VALUE, formal->name_span)->value = value;
	return true;
}

/* The element type a formal demands, against the tensor's. */
static bool check_type(struct elaborator *e, struct frame *frame, const struct tree_formal *formal,
		       const struct tensor *tensor, struct span argument)
{
	enum type wanted;

	if (formal->type.form == TYPE_UNSAID)
		return true;
	if (!elab_type(e, frame, &formal->type, tensor->type, &wanted))
		return false;
	if (wanted == tensor->type)
		return true;
	elab_error(e, frame->caller, "type", argument, "'%s' takes %s as '%s', and '%s' is %s",
		   frame->item->name, type_info(wanted)->name, formal->name, tensor->name,
		   elab_shape_text(e, tensor));
	elab_note_shape(e, frame->caller, tensor);
	return false;
}

static bool bind_tensor(struct elaborator *e, struct frame *frame, const struct tree_formal *formal,
			struct value value, bool is_given, enum type number_type)
{
	if (!is_given && formal->value) {
		value = elab_eval(e, frame, formal->value);
		value.span = formal->value->span;
		if (value.kind == VALUE_POISON)
			return false;
	} else if (!is_given) {
		elab_error(e, frame->caller, "missing-argument", frame->call,
			   "'%s' needs the tensor '%s'", frame->item->name, formal->name);
		diag_note(e->diag, formal->span, "'%s' is described here", formal->name);
		return false;
	}
	if (value.kind == VALUE_NUMBER)
		value.tensor = elab_number_tensor(e, number_type, value.number);
	else if (value.kind != VALUE_TENSOR) {
		elab_error(e, frame->caller, "bad-argument", value.span,
			   "'%s' of '%s' is a tensor, and this is %s", formal->name,
			   frame->item->name, elab_value_text(e, value));
		return false;
	}
	value.kind = VALUE_TENSOR;
	if (!frame->first)
		frame->first = value.tensor;
	elab_bind(e, frame, formal->name, BIND_VALUE, formal->name_span)->value = value;
	return check_type(e, frame, formal, value.tensor, value.span) &
	       elab_match(e, frame, formal->name, formal->dim_count, formal->dim, value.tensor,
			  value.span);
}

/* All remaining tensors, as a list; the pattern's names are bound by the first and must hold for all. */
static bool bind_each(struct elaborator *e, struct frame *frame, const struct tree_formal *formal,
		      struct value value, enum type number_type)
{
	if (value.count == 0) {
		elab_error(e, frame->caller, "missing-argument", frame->call,
			   "'%s' needs at least one tensor '%s'", frame->item->name, formal->name);
		return false;
	}
	for (int i = 0; i < value.count; i++) {
		struct value *item = &value.item[i];

		if (item->kind == VALUE_NUMBER)
			*item = value_tensor(elab_number_tensor(e, number_type, item->number));
		if (item->kind != VALUE_TENSOR) {
			elab_error(e, frame->caller, "bad-argument",
				   item->span.source ? item->span : frame->call,
				   "'%s' of '%s' are tensors, and this is %s", formal->name,
				   frame->item->name, elab_value_text(e, *item));
			return false;
		}
		if (!item->span.source)
			item->span = frame->call;
		if (!frame->first)
			frame->first = item->tensor;
		if (!elab_match(e, frame, formal->name, formal->dim_count, formal->dim,
				item->tensor, item->span))
			return false;
	}
	elab_bind(e, frame, formal->name, BIND_VALUE, formal->name_span)->value = value;
	return true;
}

static bool bind_arguments(struct elaborator *e, struct frame *frame, struct argument *arg,
			   int count)
{
	int formals = 0, k = 0;
	struct value *value;
	bool *is_given, ok;
	enum type number_type = TYPE_F32;

	for (const struct tree_formal *f = frame->item->formal; f; f = f->next)
		formals++;
	value = ARENA_ARRAY(e->arena, formals + 1, struct value);
	is_given = ARENA_ARRAY(e->arena, formals + 1, bool);
	for (int i = count - 1; i >= 0; i--)
		if (arg[i].value.kind == VALUE_TENSOR)
			number_type = arg[i].value.tensor->type;
	ok = sort_arguments(e, frame, arg, count, value, is_given);
	for (const struct tree_formal *f = frame->item->formal; f && ok; f = f->next, k++)
		if (!f->is_tensor)
			ok &= bind_attribute(e, frame, f, value[k], is_given[k]);
	k = 0;
	for (const struct tree_formal *f = frame->item->formal; f && ok; f = f->next, k++) {
		if (f->is_each)
			ok &= bind_each(e, frame, f, value[k], number_type);
		else if (f->is_tensor)
			ok &= bind_tensor(e, frame, f, value[k], is_given[k], number_type);
	}
	frame->given_used = ARENA_ARRAY(e->arena, frame->given_count + 1, bool);
	return ok;
}

/* ---- The call --------------------------------------------------------------------------------------------- */

static const struct tree_item *find_operator(struct elaborator *e, struct frame *caller,
					     const char *op, struct span name_span)
{
	const struct tree_item *item = program_find(e->program, ITEM_OP, op);

	if (!item)
		item = program_find(e->program, ITEM_NETWORK, op);
	if (item)
		return item;
	elab_error(e, caller, "unknown-operator", name_span, "no operator is called '%s'%s", op,
		   diag_suggestion(e->diag, op, e->op_names, e->op_name_count));
	return NULL;
}

struct value elab_call(struct elaborator *e, struct frame *caller, const char *op, struct span call,
		       struct span name_span, const char *layer, struct argument *arg, int count)
{
	struct frame frame = {
		.caller = caller, .call = call, .first_tensor = e->network->tensor_count};

	frame.item = find_operator(e, caller, op, name_span);
	if (!frame.item)
		return elab_poison();
	if (e->depth >= MAX_CALL_DEPTH) {
		elab_error(e, caller, "too-deep", call,
			   "operators call each other more than %d deep", MAX_CALL_DEPTH);
		return elab_poison();
	}
	frame.path = layer ? layer : elab_layer(e, caller, op);
	for (int i = 0; i < count; i++)
		if (!arg[i].value.span.source)
			arg[i].value.span = call;
	if (!bind_arguments(e, &frame, arg, count))
		return elab_poison();
	e->depth++;
	elab_run(e, &frame, frame.item->body);
	e->depth--;
	for (int i = 0; i < frame.given_count && frame.result.kind != VALUE_POISON; i++)
		if (!frame.given_used[i])
			elab_error(e, caller, "unused-parameter", frame.given[i].value.span,
				   "this call of '%s' has no parameter '%s' (its attributes switch "
				   "it off)",
				   op, frame.given[i].name);
	if (!frame.returned && frame.skipped)
		return elab_poison();
	if (!frame.returned && frame.result.kind != VALUE_POISON) {
		elab_error(e, caller, "no-result", call, "'%s' returned nothing", op);
		return elab_poison();
	}
	elab_complete(e, &frame);
	return frame.result;
}
