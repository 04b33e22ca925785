/* elab_body.c -- runs the statements of an operator or network, one after the other, at compile time.
 * A statement that goes wrong is reported, its name is bound to poison, and the next one runs: so one file
 * shows all its independent errors at once. */
#include <string.h>
#include "frontend/elaborate/elab.h"

static void error_redefinition(struct elaborator *e, struct frame *frame, const char *name,
			       struct span span, const struct binding *previous)
{
	elab_error(e, frame, "redefinition", span, "'%s' is already defined", name);
	if (previous->span.source)
		diag_note(e->diag, previous->span, "the previous definition is here");
}

/* Gives a tensor that has no name of the user's yet the name of its binding. */
static void name_tensor(struct elaborator *e, const struct frame *frame, struct value value)
{
	const char *name = elab_layer(e, frame, "");
	struct tensor_state *state;

	if (value.kind != VALUE_TENSOR || elab_is_library(frame))
		return;
	state = &e->state[value.tensor->id];
	if (state->is_named || value.tensor->role != ROLE_LOCAL)
		return;
	state->is_named = true;
	elab_rename(e, value.tensor, name);
}

/* ---- Statements ---------------------------------------------------------------------------------------- */

static void bind(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct binding *previous = elab_find(frame, stmt->name);
	bool again = previous && previous->kind == BIND_VALUE &&
		     (frame->loop_level > 0 || previous->value.kind != VALUE_TENSOR);
	struct value value;

	frame->naming = stmt->name;
	value = elab_eval(e, frame, stmt->value);
	frame->naming = stmt->name;
	name_tensor(e, frame, value);
	frame->naming = NULL;
	previous = elab_find(frame, stmt->name);
	if (previous && !again) {
		if (value.kind != VALUE_POISON)
			error_redefinition(e, frame, stmt->name, stmt->name_span, previous);
		return;
	}
	if (!previous)
		previous = elab_bind(e, frame, stmt->name, BIND_VALUE, stmt->name_span);
	previous->value = value;
}

static void declare_index(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct binding *previous = elab_find(frame, stmt->name);
	int64_t extent = 1;
	bool ok = elab_integer(e, frame, stmt->value, "the range of an index", 1, INT64_C(1) << 53,
			       &extent);

	if (previous && (frame->loop_level == 0 || previous->kind != BIND_INDEX)) {
		error_redefinition(e, frame, stmt->name, stmt->name_span, previous);
		return;
	}
	if (!previous)
		previous = elab_bind(e, frame, stmt->name, BIND_INDEX, stmt->name_span);
	previous->extent = ok ? extent : 1;
}

static void require(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct value text = {.kind = VALUE_NONE};
	bool truth, is_condition = elab_condition(e, frame, stmt->value, &truth);

	if (!is_condition)
		frame->result = elab_poison();
	if (!is_condition || truth)
		return;
	if (stmt->init)
		text = elab_eval(e, frame, stmt->init);
	elab_error(e, frame->caller ? frame->caller : frame, "requirement",
		   frame->caller ? frame->call : stmt->value->span, "%s",
		   text.kind == VALUE_STRING
			   ? text.string
			   : arena_printf(e->arena, "a requirement of '%s' is not met",
					  frame->item->name));
	diag_note(e->diag, stmt->value->span, "'%s' requires this", frame->item->name);
	for (int i = 0; i < frame->binding_count; i++)
		if (frame->binding[i].kind == BIND_VALUE &&
		    frame->binding[i].value.kind == VALUE_TENSOR)
			elab_note_shape(e, frame->caller ? frame->caller : frame,
					frame->binding[i].value.tensor);
	frame->result = elab_poison();
	frame->returned = true;
}

static void run_for(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct value list = elab_eval(e, frame, stmt->value);
	struct binding *previous = elab_find(frame, stmt->name);

	if (list.kind == VALUE_POISON)
		return;
	if (list.kind != VALUE_LIST) {
		elab_error(e, frame, "not-a-list", stmt->value->span,
			   "`for` runs over a list or a range, and this is %s",
			   elab_value_text(e, list));
		return;
	}
	if (previous) {
		error_redefinition(e, frame, stmt->name, stmt->name_span, previous);
		return;
	}
	for (int i = 0; i < list.count && !frame->returned && frame->result.kind != VALUE_POISON;
	     i++) {
		struct value item = list.item[i];
		int first = frame->binding_count;
		bool ok = true;

		frame->loop_level++;
		previous = elab_bind(e, frame, stmt->name, BIND_VALUE, stmt->name_span);
		previous->value = item;
		previous->loop_level = frame->loop_level;
		if (stmt->target && item.kind == VALUE_TENSOR)
			ok = elab_match(e, frame, stmt->name, stmt->target->arg_count,
					stmt->target->arg, item.tensor,
					item.span.source ? item.span : frame->call);
		else if (stmt->target) {
			elab_error(e, frame, "bad-pattern", stmt->target->span,
				   "only a tensor has a dimension pattern, and this is %s",
				   elab_value_text(e, item));
			ok = false;
		}
		if (ok)
			elab_run(e, frame, stmt->body);
		else
			frame->result = elab_poison();
		elab_unbind(frame, first, frame->loop_level);
		frame->loop_level--;
	}
}

static void run_return(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	struct value value = elab_eval(e, frame, stmt->value);

	frame->returned = true;
	frame->result = value;
}

static void run_if(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	bool truth;

	if (elab_condition(e, frame, stmt->value, &truth))
		elab_run(e, frame, truth ? stmt->body : stmt->orelse);
}

static void run_one(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	switch (stmt->kind) {
	case STMT_BIND:
		bind(e, frame, stmt);
		break;
	case STMT_TENSOR:
		elab_tensor_statement(e, frame, stmt);
		break;
	case STMT_DECLARE:
		elab_declare(e, frame, stmt);
		break;
	case STMT_RANGE:
		declare_index(e, frame, stmt);
		break;
	case STMT_REQUIRE:
		require(e, frame, stmt);
		break;
	case STMT_IF:
		run_if(e, frame, stmt);
		break;
	case STMT_FOR:
		run_for(e, frame, stmt);
		break;
	case STMT_RETURN:
		run_return(e, frame, stmt);
		break;
	case STMT_ERROR:
		frame->skipped = true;
		break;
	}
}

void elab_run(struct elaborator *e, struct frame *frame, const struct tree_stmt *stmt)
{
	for (; stmt && !frame->returned; stmt = stmt->next) {
		if (!elab_step(e, frame, stmt->span, 1) || !elab_enter(e, frame, stmt->span)) {
			frame->returned = true;
			frame->result = elab_poison();
			return;
		}
		run_one(e, frame, stmt);
		e->nesting--;
	}
}
