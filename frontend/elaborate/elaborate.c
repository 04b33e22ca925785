/* elaborate.c -- the two ways into the elaborator, a network of a program and an importer's calls, and what both
 * end with: the statements that the outputs need, in order. */
#include <string.h>
#include "frontend/elaborate/elab.h"
#include "runtime/array_print.h"

/* ---- Saying what is wrong ------------------------------------------------------------------------------ */

static bool is_library(struct span span)
{
	return span.source && span.source->is_library;
}

struct span elab_user_span(const struct frame *frame, struct span span)
{
	for (; frame && (is_library(span) || !span.source); frame = frame->caller)
		span = frame->call;
	return span;
}

void elab_error(struct elaborator *e, const struct frame *frame, const char *code, struct span span,
		const char *format, ...)
{
	struct span shown = elab_user_span(frame, span);
	va_list arguments;

	va_start(arguments, format);
	diag_error_list(e->diag, code, shown, format, arguments);
	va_end(arguments);
	if (!shown.source && e->place)
		diag_place(e->diag, "%s", e->place);
	if (is_library(span) && frame && frame->item && frame->caller)
		diag_note(e->diag, span, "in operator '%s', here", frame->item->name);
	else if (span.source && !is_library(span) && frame && frame->caller && frame->call.source)
		diag_note(e->diag, elab_user_span(frame->caller, frame->call),
			  "in this call of '%s'", frame->item->name);
}

const char *elab_shape_text(struct elaborator *e, const struct tensor *tensor)
{
	struct shape_text shape = shape_text(tensor->type, tensor->rank, tensor->extent);

	return arena_copy(e->arena, shape.text, strlen(shape.text));
}

void elab_note_shape(struct elaborator *e, const struct frame *frame, const struct tensor *tensor)
{
	struct span span = elab_user_span(frame, tensor->origin);

	if (span.source)
		diag_note(e->diag, span, "'%s' is %s, from here", tensor->name,
			  elab_shape_text(e, tensor));
}

bool elab_enter(struct elaborator *e, const struct frame *frame, struct span span)
{
	if (e->nesting >= MAX_NESTING) {
		elab_error(e, frame, "too-deep", span,
			   "expressions and calls within each other are more than %d deep",
			   MAX_NESTING);
		return false;
	}
	e->nesting++;
	return true;
}

bool elab_step(struct elaborator *e, const struct frame *frame, struct span span, int64_t count)
{
	bool is_large =
		e->network->tensor_count > MAX_TENSORS || e->network->statement_count > MAX_TENSORS;

	e->steps += count;
	if (e->steps <= MAX_STEPS && !is_large)
		return true;
	if (!e->gave_up && is_large)
		elab_error(e, frame, "too-long", span,
			   "a network has at most %d tensors and as many statements", MAX_TENSORS);
	else if (!e->gave_up)
		elab_error(e, frame, "too-long", span,
			   "building the network takes more than %d steps", MAX_STEPS);
	e->gave_up = true;
	return false;
}

/* ---- What the outputs need ------------------------------------------------------------------------------ */

static void need_reads(const struct scalar *scalar, bool needed[])
{
	if (scalar->kind == SCALAR_READ) {
		needed[scalar->access->tensor->id] = true;
		needed[tensor_storage(scalar->access->tensor)->id] = true;
	}
	for (int i = 0; scalar->kind == SCALAR_APPLY && i < scalar_fn_info(scalar->fn)->arity; i++)
		need_reads(scalar->arg[i], needed);
}

/* Drops the statements and tensors that no output needs; inputs stay. */
static void sweep(struct elaborator *e)
{
	struct network *net = e->network;
	bool *needed = ARENA_ARRAY(e->arena, net->tensor_count + 1, bool);
	bool *kept = ARENA_ARRAY(e->arena, net->statement_count + 1, bool);
	int statements = 0, tensors = 0;

	for (int i = 0; i < net->output_count; i++)
		needed[net->output[i]->id] = needed[tensor_storage(net->output[i])->id] = true;
	for (int i = net->statement_count - 1; i >= 0; i--) {
		kept[i] = needed[net->statement[i]->target.tensor->id];
		if (kept[i])
			need_reads(net->statement[i]->value, needed);
	}
	for (int i = 0; i < net->statement_count; i++)
		if (kept[i])
			net->statement[statements++] = net->statement[i];
	for (int i = 0; i < net->tensor_count; i++) {
		if (needed[i] || net->tensor[i]->role == ROLE_INPUT) {
			net->tensor[tensors++] = net->tensor[i];
		} else {
			array_free(net->tensor[i]->data);
			net->tensor[i]->data = NULL;
			net->tensor[i]->id = -1;
		}
	}
	net->statement_count = statements;
	net->tensor_count = tensors;
	for (int i = 0; i < statements; i++)
		net->statement[i]->id = i;
	for (int i = 0; i < tensors; i++)
		net->tensor[i]->id = i;
}

static void add_output(struct elaborator *e, const char *name, struct tensor *tensor)
{
	struct network *net = e->network;
	int names = net->output_count;

	tensor->is_output = true;
	ARENA_APPEND(e->arena, net->output, net->output_count, tensor);
	ARENA_APPEND(e->arena, net->output_name, names, name);
}

static struct network *finish(struct elaborator *e)
{
	if (e->diag->errors > e->first_error) {
		network_free(e->network);
		return NULL;
	}
	sweep(e);
	return e->network;
}

static void start(struct elaborator *e, struct program *program, const char *name,
		  const struct elaborate_options *options)
{
	*e = (struct elaborator){.arena = program->arena,
				 .diag = program->diag,
				 .program = program,
				 .options = options,
				 .first_error = program->diag->errors};
	e->network = ARENA_NEW(e->arena, struct network);
	e->network->arena = e->arena;
	e->network->name = name;
	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_OP || item->kind == ITEM_NETWORK)
				ARENA_APPEND(e->arena, e->op_names, e->op_name_count, item->name);
}

/* ---- A network of a program -------------------------------------------------------------------------------- */

static const struct tree_item *choose(struct program *program, const char *name)
{
	const struct tree_item *chosen = NULL;
	const char **candidate = NULL;
	int count = 0;

	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item;
		     item = item->next) {
			if (item->kind != ITEM_NETWORK)
				continue;
			ARENA_APPEND(program->arena, candidate, count, item->name);
			if (!name || strcmp(item->name, name) == 0)
				chosen = item;
		}
	if (chosen || program->diag->errors)
		return chosen;
	diag_error(program->diag, "no-network", (struct span){0},
		   name ? "no network is called '%s'%s" : "there is no network in this file", name,
		   name ? diag_suggestion(program->diag, name, candidate, count) : "");
	if (program->file_count)
		diag_place(program->diag, "%s", program->file[0]);
	return NULL;
}

/* The extent of one dimension of an input: a number, or a name that -dim gives. */
static bool input_extent(struct elaborator *e, struct frame *frame, const struct tree_expr *dim,
			 bool used[], int64_t *extent, const char **name)
{
	const struct elaborate_options *o = e->options;
	struct binding *bound;

	*name = NULL;
	if (dim->kind == EXPR_NAME) {
		*name = dim->name;
		*extent = 1;
		bound = elab_find(frame, dim->name);
		if (bound && bound->kind == BIND_VALUE)
			return elab_integer(e, frame, dim, "an extent", 1, INT64_C(1) << 53,
					    extent);
		for (int i = 0; o && i < o->dim_count; i++)
			if (strcmp(o->dim[i].name, dim->name) == 0) {
				*extent = o->dim[i].extent;
				used[i] = true;
			}
		if (!bound) {
			bound = elab_bind(e, frame, dim->name, BIND_DIM, dim->span);
			bound->extent = *extent;
		}
		return true;
	}
	if (dim->kind == EXPR_ELLIPSIS) {
		elab_error(e, frame, "bad-pattern", dim->span,
			   "the inputs of a network have a fixed number of dimensions");
		return false;
	}
	return dim->kind != EXPR_ERROR &&
	       elab_integer(e, frame, dim, "an extent", 1, INT64_C(1) << 53, extent);
}

static void make_input(struct elaborator *e, struct frame *frame, const struct tree_formal *formal,
		       bool used[])
{
	int64_t extent[MAX_RANK], count;
	const char *dim[MAX_RANK];
	struct tensor *tensor;
	enum type type;
	bool ok = !formal->is_each && formal->dim_count <= MAX_RANK &&
		  elab_type(e, frame, &formal->type, TYPE_F32, &type);
	struct value value = elab_poison();

	if (formal->is_each || formal->dim_count > MAX_RANK)
		elab_error(e, frame, "bad-pattern", formal->span,
			   formal->is_each ? "a network has single tensors as inputs"
					   : "a tensor has at most %d dimensions",
			   MAX_RANK);
	for (int i = 0; i < formal->dim_count && ok; i++)
		ok = input_extent(e, frame, formal->dim[i], used, &extent[i], &dim[i]);
	if (ok && !shape_count(formal->dim_count, extent, &count)) {
		elab_error(e, frame, "too-large", formal->span,
			   "a tensor of this shape has more than 2^63 bytes");
		ok = false;
	}
	if (ok) {
		tensor = elab_tensor_new(e, formal->name, type, ROLE_INPUT, formal->dim_count,
					 extent, dim, formal->span);
		ARENA_APPEND(e->arena, e->network->input, e->network->input_count, tensor);
		if (!frame->first)
			frame->first = tensor;
		value = value_tensor(tensor);
	}
	elab_bind(e, frame, formal->name, BIND_VALUE, formal->name_span)->value = value;
}

static void make_attribute(struct elaborator *e, struct frame *frame,
			   const struct tree_formal *formal)
{
	struct value value = elab_poison();

	if (formal->value)
		value = elab_eval(e, frame, formal->value);
	else
		elab_error(e, frame, "missing-argument", formal->span,
			   "attribute '%s' of the network to be compiled needs a default",
			   formal->name);
	elab_bind(e, frame, formal->name, BIND_VALUE, formal->name_span)->value = value;
}

static void check_dims_used(struct elaborator *e, const struct frame *frame, const bool used[])
{
	for (int i = 0; e->options && i < e->options->dim_count; i++)
		if (!used[i])
			elab_error(e, frame, "unknown-dim", frame->item->name_span,
				   "network '%s' has no symbolic extent '%s' (from -dim %s=%lld)",
				   frame->item->name, e->options->dim[i].name,
				   e->options->dim[i].name, (long long)e->options->dim[i].extent);
}

static void take_outputs(struct elaborator *e, struct frame *frame)
{
	struct value result = frame->result, *item = &result;
	int count = 1;

	if (result.kind == VALUE_POISON || e->diag->errors > e->first_error)
		return;
	if (result.kind == VALUE_LIST) {
		item = result.item;
		count = result.count;
	}
	if (!frame->returned && frame->skipped)
		return;
	if (!frame->returned || count == 0) {
		elab_error(e, frame, "no-result", frame->item->name_span,
			   "network '%s' returns nothing", frame->item->name);
		return;
	}
	for (int i = 0; i < count; i++) {
		struct tensor *tensor = item[i].tensor;

		if (item[i].kind != VALUE_TENSOR) {
			elab_error(e, frame, "bad-result",
				   item[i].span.source ? item[i].span : frame->item->name_span,
				   "a network returns tensors, and this is %s",
				   elab_value_text(e, item[i]));
			return;
		}
		if (!e->state[tensor->id].is_named && tensor->role == ROLE_LOCAL &&
		    !tensor->is_output) {
			elab_rename(e, tensor,
				    count == 1 ? "output" : arena_printf(e->arena, "output%d", i));
			e->state[tensor->id].is_named = true;
		}
		add_output(e, tensor->name, tensor);
	}
}

static bool is_given(const struct elaborate_options *o, const char *dim)
{
	for (int i = 0; o && i < o->dim_count; i++)
		if (strcmp(o->dim[i].name, dim) == 0)
			return true;
	return false;
}

/* Below the errors: extents that are 1 for want of another, perhaps the cause of them. A batch of 1 is none. */
static void note_open_extents(const struct elaborator *e, const struct frame *frame)
{
	for (const struct tree_formal *f = frame->item->formal; f; f = f->next)
		for (int i = 1; i < f->dim_count && e->diag->errors > e->first_error; i++) {
			const struct binding *b = f->dim[i]->kind == EXPR_NAME
							  ? elab_find(frame, f->dim[i]->name)
							  : NULL;
			if (b && b->kind == BIND_DIM && b->span.begin == f->dim[i]->span.begin &&
			    !is_given(e->options, b->name))
				diag_note(e->diag, b->span,
					  "'%s' is 1, since -dim %s=EXTENT is not given", b->name,
					  b->name);
		}
}

/* What the user bound to a name and no output needs was dropped: perhaps another name was meant. */
static void warn_unused(const struct elaborator *e, const struct frame *frame)
{
	for (int i = 0; i < frame->binding_count; i++) {
		const struct binding *b = &frame->binding[i];
		if (b->kind == BIND_VALUE && b->value.kind == VALUE_TENSOR &&
		    tensor_storage(b->value.tensor)->id < 0)
			diag_warning(e->diag, "unused-result", b->span,
				     "no output needs '%s'; it is left out", b->name);
	}
}

struct network *elaborate(struct program *program, const char *name,
			  const struct elaborate_options *options)
{
	struct elaborator e;
	struct frame frame = {.path = ""};
	bool *used = ARENA_ARRAY(program->arena, (options ? options->dim_count : 0) + 1, bool);

	frame.item = choose(program, name);
	if (!frame.item)
		return NULL;
	start(&e, program, frame.item->name, options);
	frame.call = frame.item->name_span;
	for (const struct tree_formal *f = frame.item->formal; f; f = f->next)
		if (!f->is_tensor)
			make_attribute(&e, &frame, f);
	for (const struct tree_formal *f = frame.item->formal; f; f = f->next)
		if (f->is_tensor)
			make_input(&e, &frame, f, used);
	check_dims_used(&e, &frame, used);
	elab_run(&e, &frame, frame.item->body);
	elab_complete(&e, &frame);
	take_outputs(&e, &frame);
	note_open_extents(&e, &frame);
	struct network *network = finish(&e);
	if (network)
		warn_unused(&e, &frame);
	return network;
}

/* ---- An importer's way in ------------------------------------------------------------------------------------ */

struct build {
	struct elaborator e;
	struct frame frame;
	struct tree_item item; /* stands for the network that is being imported */
};

struct build *build_new(struct program *program, const char *name,
			const struct elaborate_options *options)
{
	struct build *b = ARENA_NEW(program->arena, struct build);

	start(&b->e, program, name, options);
	b->item.kind = ITEM_NETWORK;
	b->item.name = name;
	b->frame.item = &b->item;
	b->frame.path = "";
	return b;
}

void build_place(struct build *b, const char *place)
{
	b->e.place = place;
}

struct tensor *build_input(struct build *b, const char *name, enum type type, int rank,
			   const int64_t extent[], const char *const dim[])
{
	struct tensor *tensor =
		elab_tensor_new(&b->e, name, type, ROLE_INPUT, rank, extent, dim, (struct span){0});

	ARENA_APPEND(b->e.arena, b->e.network->input, b->e.network->input_count, tensor);
	return tensor;
}

struct tensor *build_array(struct build *b, const char *name, enum role role, struct array *array)
{
	struct tensor *tensor = elab_tensor_new(&b->e, name, array->type, role, array->rank,
						array->extent, NULL, (struct span){0});

	tensor->data = array;
	return tensor;
}

struct value build_call(struct build *b, const char *layer, const char *op,
			const struct argument given[], int count)
{
	struct argument *arg = ARENA_ARRAY(b->e.arena, count + 1, struct argument);
	struct value result;

	memcpy(arg, given, (size_t)count * sizeof *arg);
	result = elab_call(&b->e, &b->frame, op, (struct span){0}, (struct span){0}, layer, arg,
			   count);
	if (result.kind == VALUE_TENSOR && result.tensor->role == ROLE_LOCAL &&
	    !b->e.state[result.tensor->id].is_named) {
		b->e.state[result.tensor->id].is_named = true;
		elab_rename(&b->e, result.tensor, layer);
	}
	return result;
}

void build_output(struct build *b, const char *name, struct tensor *tensor)
{
	add_output(&b->e, name, tensor);
}

struct network *build_end(struct build *b)
{
	return finish(&b->e);
}
