/* elab_tensor.c -- new tensors: their shapes, types, first values, and views of them. */
#include <math.h>
#include <string.h>
#include "frontend/elaborate/elab.h"

struct tensor *elab_tensor_new(struct elaborator *e, const char *name, enum type type,
			       enum role role, int rank, const int64_t extent[],
			       const char *const dim[], struct span origin)
{
	struct tensor *tensor = ARENA_NEW(e->arena, struct tensor);
	struct tensor_state state = {0};

	elab_rename(e, tensor, name);
	tensor->id = e->network->tensor_count;
	tensor->type = type;
	tensor->role = role;
	tensor->rank = rank;
	tensor->layer = "";
	tensor->origin = origin;
	for (int i = 0; i < rank; i++) {
		tensor->extent[i] = extent[i];
		tensor->dim[i] = dim && dim[i] ? dim[i] : arena_printf(e->arena, "d%d", i);
	}
	ARENA_APPEND(e->arena, e->network->tensor, e->network->tensor_count, tensor);
	ARENA_APPEND(e->arena, e->state, e->state_count, state);
	return tensor;
}

/* The type of a number beside tensors of this type: that type if it holds the number, else one that does. */
static enum type number_type(enum type type, double number)
{
	double limit = ldexp(1, 8 * type_info(type)->bytes - 1);

	if (type_info(type)->is_float)
		return type;
	if (!elab_is_integer(number))
		return TYPE_F32;
	if (number >= -limit && number < limit)
		return type;
	return number >= -0x1p31 && number < 0x1p31 ? TYPE_I32 : TYPE_I64;
}

struct tensor *elab_number_tensor(struct elaborator *e, enum type beside, double number)
{
	enum type type = number_type(beside, number);
	struct tensor *tensor =
		elab_tensor_new(e, "number", type, ROLE_CONSTANT, 0, NULL, NULL, (struct span){0});

	tensor->data = array_new(type, 0, NULL);
	if (!tensor->data)
		arena_fail(e->arena);
	array_set(tensor->data, 0, number);
	return tensor;
}

/* ---- Types ----------------------------------------------------------------------------------------------- */

/* The tensor that a name stands for; of a list, the first. */
static const struct tensor *named_tensor(const struct frame *frame, const char *name)
{
	struct binding *bound = elab_find(frame, name);
	struct value value = {.kind = VALUE_NONE};

	if (bound && bound->kind == BIND_VALUE)
		value = bound->value;
	if (value.kind == VALUE_LIST && value.count > 0)
		value = value.item[0];
	return value.kind == VALUE_TENSOR ? value.tensor : NULL;
}

bool elab_type(struct elaborator *e, struct frame *frame, const struct tree_type *type,
	       enum type fallback, enum type *out)
{
	const struct tensor *of;
	struct binding *bound;

	*out = type->form == TYPE_NAMED ? type->type : fallback;
	if (type->form == TYPE_UNSAID || type->form == TYPE_NAMED)
		return true;
	of = named_tensor(frame, type->name);
	if (of) {
		*out = type->form == TYPE_ACCUMULATOR ? type_info(of->type)->accumulator : of->type;
		return true;
	}
	bound = elab_find(frame, type->name);
	if (!bound || bound->kind != BIND_VALUE || bound->value.kind != VALUE_POISON)
		elab_error(e, frame, "not-a-tensor", type->span, "'%s' is not a tensor here",
			   type->name);
	return false;
}

/* ---- Declarations ------------------------------------------------------------------------------------------ */

/* he(), glorot(), constant(1), uniform(0.1) */
static bool initialiser(struct elaborator *e, struct frame *frame, const struct tree_expr *expr,
			struct init *init)
{
	static const struct {
		const char *name;
		enum init_kind kind;
		int args;
	} known[] = {{"he", INIT_HE, 0},
		     {"glorot", INIT_GLOROT, 0},
		     {"constant", INIT_CONSTANT, 1},
		     {"uniform", INIT_UNIFORM, 1}};
	static const char *const names[] = {"he", "glorot", "constant", "uniform"};

	for (size_t i = 0; expr->kind == EXPR_CALL && i < sizeof known / sizeof *known; i++) {
		struct value value = {.kind = VALUE_NUMBER};

		if (strcmp(expr->name, known[i].name) != 0 || expr->arg_count != known[i].args ||
		    expr->named)
			continue;
		if (expr->arg_count == 1)
			value = elab_eval(e, frame, expr->arg[0]);
		if (value.kind == VALUE_POISON)
			return false;
		if (value.kind != VALUE_NUMBER)
			break;
		*init = (struct init){known[i].kind, value.number};
		return true;
	}
	if (expr->kind == EXPR_ERROR)
		return false;
	elab_error(e, frame, "bad-initialiser", expr->span,
		   "an initialiser is he(), glorot(), constant(value) or uniform(bound)%s",
		   expr->kind == EXPR_CALL ? diag_suggestion(e->diag, expr->name, names, 4) : "");
	return false;
}

/* One extent, or those that an ellipsis stands for: the dimensions that a pattern took, or a list of numbers. */
static int extents_of(struct elaborator *e, struct frame *frame, const struct tree_expr *expr,
		      int room, int64_t extent[], const char *dim[])
{
	const struct binding *bound =
		expr->kind == EXPR_ELLIPSIS && expr->name ? elab_find(frame, expr->name) : NULL;

	if (expr->kind != EXPR_ELLIPSIS) {
		if (room < 1 ||
		    !elab_integer(e, frame, expr, "an extent", 1, INT64_C(1) << 53, extent))
			return room < 1 ? MAX_RANK + 1 : -1;
		*dim = expr->kind == EXPR_NAME || expr->kind == EXPR_INDEX ? expr->name : NULL;
		return 1;
	}
	if (bound && bound->kind == BIND_ELLIPSIS) {
		for (int k = 0; k < bound->dim_count && k < room; k++) {
			extent[k] = bound->dim[k].extent;
			dim[k] = bound->dim[k].name;
		}
		return bound->dim_count;
	}
	if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_LIST) {
		for (int k = 0; k < bound->value.count && k < room; k++) {
			struct value item = bound->value.item[k];
			if (item.kind != VALUE_NUMBER || !elab_is_integer(item.number) ||
			    item.number < 1) {
				elab_error(e, frame, "not-an-integer", expr->span,
					   "an extent is an integer from 1, and element %d of '%s' "
					   "is %s",
					   k, expr->name, elab_value_text(e, item));
				return -1;
			}
			extent[k] = (int64_t)item.number;
		}
		return bound->value.count;
	}
	if (!bound || bound->kind != BIND_VALUE || bound->value.kind != VALUE_POISON)
		elab_error(e, frame, "unknown-ellipsis", expr->span,
			   "this ellipsis is not one of a pattern, and not a list of extents");
	return -1;
}

/* The extents of a declaration; how many, or -1 after an error. */
static int extents(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt,
		   int64_t extent[MAX_RANK], const char *dim[MAX_RANK])
{
	int rank = 0;

	for (int i = 0; i < stmt->extent_count; i++) {
		int count = stmt->extent[i]->kind == EXPR_ERROR
				    ? -1
				    : extents_of(e, frame, stmt->extent[i], MAX_RANK - rank,
						 extent + rank, dim + rank);
		if (count < 0)
			return -1;
		rank += count;
		if (rank > MAX_RANK) {
			elab_error(e, frame, "rank", stmt->span,
				   "a tensor has at most %d dimensions", MAX_RANK);
			return -1;
		}
	}
	return rank;
}

/* The tensor given for a parameter in the call, checked; NULL if none is, or after an error. */
static struct tensor *given(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt,
			    enum type type, int rank, const int64_t extent[], bool *is_given)
{
	for (int i = 0; i < frame->given_count; i++) {
		struct value value = frame->given[i].value;

		if (strcmp(frame->given[i].name, stmt->name) != 0)
			continue;
		*is_given = true;
		frame->given_used[i] = true;
		if (value.kind != VALUE_TENSOR) {
			elab_error(e, frame->caller, "bad-argument", value.span,
				   "parameter '%s' of '%s' is a tensor, and this is %s", stmt->name,
				   frame->item->name, elab_value_text(e, value));
			return NULL;
		}
		struct tensor wanted = {.type = type, .rank = rank};
		memcpy(wanted.extent, extent, sizeof wanted.extent);
		if (value.tensor->rank == rank && value.tensor->type == type &&
		    memcmp(value.tensor->extent, extent, (size_t)rank * sizeof *extent) == 0)
			return value.tensor;
		elab_error(e, frame->caller, "shape", value.span,
			   "parameter '%s' of '%s' is %s here, and '%s' is %s", stmt->name,
			   frame->item->name, elab_shape_text(e, &wanted), value.tensor->name,
			   elab_shape_text(e, value.tensor));
		elab_note_shape(e, frame->caller, value.tensor);
		return NULL;
	}
	return NULL;
}

/* Where parameters of one binding would clash, those of the later call get a number: c1.W, c1.2.W. */
static const char *param_name(struct elaborator *e, struct frame *frame, const char *name)
{
	const char *path = frame->path[0] ? frame->path : frame->item->name;

	if (frame->caller == NULL)
		return name;
	if (!frame->param_path)
		frame->param_path = elab_param_path(e, path, name);
	return arena_printf(e->arena, "%s.%s", frame->param_path, name);
}

/* What a declaration says of its tensor. */
struct declared {
	enum type type;
	int rank;
	int64_t extent[MAX_RANK];
	const char *dim[MAX_RANK];
};

static bool read_declared(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt,
			  struct declared *d)
{
	enum type fallback = frame->first ? frame->first->type : TYPE_F32;
	bool has_type = elab_type(e, frame, &stmt->type, fallback, &d->type);
	int64_t count;

	d->rank = extents(e, frame, stmt, d->extent, d->dim);
	if (d->rank >= 0 && !shape_count(d->rank, d->extent, &count)) {
		elab_error(e, frame, "too-large", stmt->span,
			   "a tensor of this shape has more than 2^63 bytes");
		return false;
	}
	return has_type && d->rank >= 0;
}

/* param or state: the tensor that the call gives, else a new one; NULL after an error. */
static struct tensor *declare_param(struct elaborator *e, struct frame *frame,
				    const struct tree_stmt *stmt, const struct declared *d)
{
	struct init init = {d->rank >= 2 ? INIT_HE : INIT_CONSTANT, 0};
	struct tensor *tensor;
	bool is_given = false;

	if (stmt->init && !initialiser(e, frame, stmt->init, &init))
		return NULL;
	tensor = given(e, frame, stmt, d->type, d->rank, d->extent, &is_given);
	if (is_given)
		return tensor;
	tensor = elab_tensor_new(e, param_name(e, frame, stmt->name), d->type,
				 stmt->declare == DECLARE_STATE ? ROLE_STATE : ROLE_PARAM, d->rank,
				 d->extent, d->dim, elab_user_span(frame, stmt->span));
	tensor->init = init;
	tensor->layer = frame->path;
	return tensor;
}

/* A tensor that the statements which follow write. */
static struct tensor *declare_local(struct elaborator *e, struct frame *frame,
				    const struct tree_stmt *stmt, const struct declared *d)
{
	const char *name = arena_printf(e->arena, "%s%s%s", frame->path, frame->path[0] ? "." : "",
					stmt->name);
	struct tensor *tensor = elab_tensor_new(e, name, d->type, ROLE_LOCAL, d->rank, d->extent,
						d->dim, elab_user_span(frame, stmt->span));

	tensor->layer = frame->path;
	e->state[tensor->id].owner = frame;
	e->state[tensor->id].is_named = !frame->caller;
	elab_fill(e, frame, tensor, 0, stmt->span);
	return tensor;
}

void elab_declare(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct binding *previous = elab_find(frame, stmt->name);
	struct declared declared = {0};
	struct tensor *tensor = NULL;
	struct value value = elab_poison();

	if (previous && frame->loop_level == 0) {
		elab_error(e, frame, "redefinition", stmt->name_span, "'%s' is already defined",
			   stmt->name);
		diag_note(e->diag, previous->span, "the previous definition is here");
		return;
	}
	if (read_declared(e, frame, stmt, &declared))
		tensor = stmt->declare == DECLARE_TENSOR ? declare_local(e, frame, stmt, &declared)
							 : declare_param(e, frame, stmt, &declared);
	if (tensor)
		value = value_tensor(tensor);
	else
		frame->result = value;
	elab_bind(e, frame, stmt->name, BIND_VALUE, stmt->name_span)->value = value;
}

/* ---- Fills and views ------------------------------------------------------------------------------------------ */

struct statement *elab_statement_new(struct elaborator *e, const struct frame *frame,
				     struct span span)
{
	struct statement *s = ARENA_NEW(e->arena, struct statement);
	const struct frame *user = frame;

	s->op = frame->item ? frame->item->name : "";
	s->span = span;
	s->call = elab_user_span(frame, span);
	while (user->caller && user->caller->caller && elab_is_library(user) &&
	       elab_is_library(user->caller))
		user = user->caller;
	s->layer = user->path;
	return s;
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

void elab_statement_append(struct elaborator *e, struct statement *s)
{
	name_loops(e, s);
	s->id = e->network->statement_count;
	ARENA_APPEND(e->arena, e->network->statement, e->network->statement_count, s);
}

void elab_fill(struct elaborator *e, struct frame *frame, struct tensor *tensor, double value,
	       struct span span)
{
	struct statement *s = elab_statement_new(e, frame, span);

	s->loops = s->outer = tensor->rank;
	s->target.tensor = tensor;
	s->target.span = span;
	s->target.subscript = ARENA_ARRAY(e->arena, tensor->rank + 1, struct subscript);
	for (int i = 0; i < tensor->rank; i++) {
		s->loop[i] = (struct loop){tensor->dim[i], tensor->extent[i]};
		s->target.subscript[i].coef[i] = 1;
		s->target.subscript[i].divisor = 1;
	}
	s->value = ARENA_NEW(e->arena, struct scalar);
	s->value->kind = SCALAR_CONSTANT;
	s->value->type = tensor->type;
	s->value->constant = value;
	elab_statement_append(e, s);
	e->state[tensor->id].fill = s;
}

static bool reads(const struct scalar *scalar, const struct tensor *tensor)
{
	if (scalar->kind == SCALAR_READ)
		return tensor_storage(scalar->access->tensor) == tensor;
	for (int i = 0; scalar->kind == SCALAR_APPLY && i < scalar_fn_info(scalar->fn)->arity; i++)
		if (reads(scalar->arg[i], tensor))
			return true;
	return false;
}

enum { MAX_BOXES = 64 };

/* After its fill, do assignments to disjoint boxes give every element a value before anything reads it? */
static bool is_assigned(const struct network *net, const struct statement *fill)
{
	const struct tensor *tensor = fill->target.tensor;
	struct index_box box[MAX_BOXES];
	int64_t missing = tensor_count(tensor);
	int boxes = 0;

	for (int i = fill->id + 1; i < net->statement_count && missing > 0; i++) {
		const struct statement *s = net->statement[i];

		if (reads(s->value, tensor))
			return false;
		if (s->target.tensor != tensor)
			continue;
		if (boxes == MAX_BOXES || !statement_box(s, &box[boxes]))
			return false;
		for (int b = 0; b < boxes; b++)
			if (boxes_meet(&box[b], &box[boxes], tensor->rank))
				return false;
		missing -= statement_points(s);
		boxes++;
	}
	return missing == 0;
}

static void drop(struct network *net, const struct statement *dropped)
{
	memmove(net->statement + dropped->id, net->statement + dropped->id + 1,
		(size_t)(net->statement_count - dropped->id - 1) * sizeof *net->statement);
	net->statement_count--;
	for (int i = dropped->id; i < net->statement_count; i++)
		net->statement[i]->id = i;
}

void elab_complete(struct elaborator *e, const struct frame *frame)
{
	for (int i = frame->first_tensor; i < e->state_count; i++) {
		struct tensor_state *state = &e->state[i];

		if (state->owner != frame)
			continue;
		state->owner = NULL;
		if (state->fill && is_assigned(e->network, state->fill))
			drop(e->network, state->fill);
		state->fill = NULL;
	}
}

/* The extents of a view's shape, and in *open which of them is -1, or -1; that one becomes 1. False after an error. */
static bool view_extents(struct elaborator *e, struct frame *frame, struct value shape,
			 struct span span, int64_t extent[], int *open)
{
	*open = -1;
	if (shape.kind != VALUE_LIST || shape.count > MAX_RANK) {
		elab_error(e, frame, "bad-shape-list", span,
			   "a shape is a list of at most %d integers", MAX_RANK);
		return false;
	}
	for (int i = 0; i < shape.count; i++) {
		double number = shape.item[i].kind == VALUE_NUMBER ? shape.item[i].number : 0.5;

		if (!elab_is_integer(number) || (number < 1 && (number != -1 || *open >= 0))) {
			elab_error(
				e, frame, "bad-shape-list", span,
				"extents are integers from 1, and one may be -1; element %d is %s",
				i, elab_value_text(e, shape.item[i]));
			return false;
		}
		extent[i] = number == -1 ? 1 : (int64_t)number;
		if (number == -1)
			*open = i;
	}
	return true;
}

struct value elab_view(struct elaborator *e, struct frame *frame, struct tensor *of,
		       struct value shape, struct span span)
{
	int64_t extent[MAX_RANK], count = tensor_count(of), known = 1;
	struct tensor *view;
	int open;

	if (!view_extents(e, frame, shape, span, extent, &open))
		return elab_poison();
	if (!shape_count(shape.count, extent, &known))
		known = INT64_MAX;
	if (open >= 0 && count % known == 0) {
		extent[open] = count / known;
		known = count;
	}
	if (known != count) {
		struct tensor wanted = {.type = of->type, .rank = shape.count};
		memcpy(wanted.extent, extent, sizeof extent);
		elab_error(
			e, frame, "shape", span,
			"'%s' is %s, which has %lld elements, and does not fit %s, which has %lld",
			of->name, elab_shape_text(e, of), (long long)count,
			elab_shape_text(e, &wanted), (long long)known);
		elab_note_shape(e, frame, of);
		return elab_poison();
	}
	view = elab_tensor_new(e, arena_printf(e->arena, "%s.%s", of->name, "view"), of->type,
			       ROLE_LOCAL, shape.count, extent, NULL, elab_user_span(frame, span));
	view->view_of = tensor_storage(of);
	view->layer = frame->path;
	e->state[of->id].owner = NULL;
	e->state[view->view_of->id].owner = NULL;
	return value_tensor(view);
}
