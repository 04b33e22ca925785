/* tree_stmt.c -- makes formals, statements, blocks of machines, clauses and items of the syntax tree. */
#include <string.h>

#include "frontend/syntax/tree_build.h"

struct tree_formal *build_formal(struct parse *parse, struct word word, bool is_tensor,
				 struct span span)
{
	struct tree_formal *formal = ARENA_NEW(parse->arena, struct tree_formal);
	formal->name = word.name;
	formal->name_span = word.span;
	formal->span = span;
	formal->is_tensor = is_tensor;
	return formal;
}

struct formal_list append_formal(struct formal_list list, struct tree_formal *formal)
{
	return join_formals(list, (struct formal_list){formal, formal});
}

struct formal_list join_formals(struct formal_list a, struct formal_list b)
{
	if (!a.first)
		return b;
	if (!b.first)
		return a;
	a.last->next = b.first;
	a.last = b.last;
	return a;
}

/* ---- Statements ----------------------------------------------------------------------------------- */

static struct tree_stmt *new_stmt(struct parse *parse, enum stmt_kind kind, struct word word,
				  struct span span)
{
	struct tree_stmt *stmt = ARENA_NEW(parse->arena, struct tree_stmt);
	stmt->kind = kind;
	stmt->span = span;
	stmt->name = word.name;
	stmt->name_span = word.span;
	stmt->type.span = span;
	stmt->depth = 1;
	return stmt;
}

static struct stmt_list alone(struct tree_stmt *stmt)
{
	return (struct stmt_list){stmt, stmt, stmt->depth};
}

struct stmt_list append_stmts(struct stmt_list a, struct stmt_list b)
{
	if (!a.first)
		return b;
	if (!b.first)
		return a;
	a.last->next = b.first;
	a.last = b.last;
	if (b.depth > a.depth)
		a.depth = b.depth;
	return a;
}

struct stmt_list build_bind(struct parse *parse, struct word word, struct tree_expr *value,
			    struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_BIND, word, span);
	stmt->value = value;
	return alone(stmt);
}

struct stmt_list build_tensor(struct parse *parse, struct tree_expr *target, struct tree_type type,
			      enum reduce reduce, struct tree_expr *value, struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_TENSOR, (struct word){NULL, span}, span);
	stmt->target = target;
	stmt->type = type;
	stmt->reduce = reduce;
	stmt->value = value;
	return alone(stmt);
}

struct stmt_list build_declaration(struct parse *parse, struct word word, struct tree_type type,
				   struct expr_list extents, struct tree_expr *initial,
				   struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_DECLARE, word, span);
	stmt->type = type;
	stmt->extent = extents.item;
	stmt->extent_count = extents.count;
	stmt->init = initial;
	return alone(stmt);
}

/* The word before a list of declarations says what all of them are; the first begins with it. */
struct stmt_list declare_all(struct stmt_list list, enum declare declare, struct span span)
{
	list.first->span.begin = span.begin;
	for (struct tree_stmt *stmt = list.first; stmt; stmt = stmt->next)
		stmt->declare = declare;
	return list;
}

struct stmt_list build_index_range(struct parse *parse, struct word word, struct tree_expr *extent,
				   struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_RANGE, word, span);
	stmt->value = extent;
	return alone(stmt);
}

struct stmt_list build_require(struct parse *parse, struct tree_expr *condition,
			       struct tree_expr *message, struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_REQUIRE, (struct word){NULL, span}, span);
	stmt->value = condition;
	stmt->init = message;
	return alone(stmt);
}

/* A statement that holds others; too deep, it holds nothing. */
static struct stmt_list hold_bodies(struct parse *parse, struct tree_stmt *stmt,
				    struct stmt_list body, struct stmt_list orelse)
{
	stmt->depth = 1 + (body.depth > orelse.depth ? body.depth : orelse.depth);
	if (stmt->depth > TREE_MAX_DEPTH) {
		syntax_too_deep(parse, stmt->span, "statements nest");
		return build_skipped(parse, stmt->span);
	}
	stmt->body = body.first;
	stmt->orelse = orelse.first;
	return alone(stmt);
}

struct stmt_list build_if(struct parse *parse, struct tree_expr *condition, struct stmt_list body,
			  struct stmt_list orelse, struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_IF, (struct word){NULL, span}, span);
	stmt->value = condition;
	return hold_bodies(parse, stmt, body, orelse);
}

struct stmt_list build_for(struct parse *parse, struct word word, struct tree_expr *pattern,
			   struct tree_expr *list, struct stmt_list body, struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_FOR, word, span);
	stmt->target = pattern;
	stmt->value = list;
	return hold_bodies(parse, stmt, body, (struct stmt_list){0});
}

struct stmt_list build_skipped(struct parse *parse, struct span span)
{
	return alone(new_stmt(parse, STMT_ERROR, (struct word){NULL, span}, span));
}

struct stmt_list build_return(struct parse *parse, struct expr_list values, struct span of_values,
			      struct span span)
{
	struct tree_stmt *stmt = new_stmt(parse, STMT_RETURN, (struct word){NULL, span}, span);
	stmt->value = values.count == 1 ? values.item[0] : build_list(parse, values, of_values);
	return alone(stmt);
}

/* ---- Machines and mappings ------------------------------------------------------------------------ */

struct entry_list build_property(struct parse *parse, struct word word, struct expr_list values,
				 struct span span)
{
	syntax_check_entry(parse, word.name, word.span, false);
	struct tree_property *property = ARENA_NEW(parse->arena, struct tree_property);
	property->name = word.name;
	property->name_span = word.span;
	property->span = span;
	property->value = values.item;
	property->value_count = values.count;
	return (struct entry_list){.property = property, .last_property = property};
}

struct entry_list build_block(struct parse *parse, struct word kind, struct expr_list head,
			      struct entry_list body, struct span span)
{
	syntax_check_entry(parse, kind.name, kind.span, true);
	struct tree_block *block = ARENA_NEW(parse->arena, struct tree_block);
	block->kind = kind.name;
	block->kind_span = kind.span;
	block->span = span;
	block->name_span = kind.span;
	block->property = body.property;
	block->block = body.block;
	if (head.count > 0) {
		struct tree_expr *name = head.item[0];
		if (name->kind == EXPR_NAME || name->kind == EXPR_INDEX) {
			block->name = name->name;
			block->name_span = name->name_span;
			block->shape = name->arg;
			block->shape_count = name->arg_count;
		} else if (name->kind != EXPR_ERROR) {
			diag_error(parse->diag, "syntax", name->span,
				   "expected a name for this %s%s", kind.name,
				   name->kind == EXPR_CALL ? "; its shape stands in [ ]" : "");
		}
		if (head.count > 1)
			diag_error(parse->diag, "syntax", head.item[1]->span,
				   "expected '{' behind the name of this %s", kind.name);
	}
	return (struct entry_list){.block = block, .last_block = block};
}

struct entry_list append_entries(struct entry_list a, struct entry_list b)
{
	if (!a.property)
		a.property = b.property;
	else
		a.last_property->next = b.property;
	if (!a.block)
		a.block = b.block;
	else
		a.last_block->next = b.block;
	a.last_property = b.last_property ? b.last_property : a.last_property;
	a.last_block = b.last_block ? b.last_block : a.last_block;
	return a;
}

struct tree_clause *build_clause(struct parse *parse, enum clause_kind kind, struct word level,
				 struct name_list names, struct span span)
{
	struct tree_clause *clause = ARENA_NEW(parse->arena, struct tree_clause);
	clause->kind = kind;
	clause->span = span;
	clause->level = level.name;
	clause->level_span = level.span;
	clause->name = names.name;
	clause->name_spans = names.span;
	clause->name_count = names.count;
	return clause;
}

struct clause_list append_clause(struct clause_list list, struct tree_clause *clause)
{
	if (list.last)
		list.last->next = clause;
	else
		list.first = clause;
	list.last = clause;
	return list;
}

/* ---- Items ---------------------------------------------------------------------------------------- */

struct tree_item *build_item(struct parse *parse, enum item_kind kind, struct word word,
			     struct span span)
{
	struct tree_item *item = ARENA_NEW(parse->arena, struct tree_item);
	item->kind = kind;
	item->name = word.name;
	item->name_span = word.span;
	item->span = span;
	return item;
}

static void check_train(struct parse *parse, const struct tree_stmt *body)
{
	for (const struct tree_stmt *stmt = body; stmt; stmt = stmt->next)
		if (stmt->kind != STMT_BIND && stmt->kind != STMT_ERROR)
			diag_error(parse->diag, "syntax", stmt->span,
				   "a train block holds only lines of 'key = value'");
}

struct tree_item *build_op(struct parse *parse, enum item_kind kind, struct word word,
			   struct formal_list formals, struct stmt_list body, struct span span)
{
	struct tree_item *item = build_item(parse, kind, word, span);
	item->formal = formals.first;
	item->body = body.first;
	if (kind == ITEM_TRAIN)
		check_train(parse, body.first);
	return item;
}

struct tree_item *build_machine(struct parse *parse, struct word kind, struct word name,
				struct entry_list entries, struct span span)
{
	struct tree_item *item = build_item(parse, ITEM_BLOCK, name, span);
	struct tree_block *block = ARENA_NEW(parse->arena, struct tree_block);
	block->kind = arena_intern_string(parse->arena, kind.name);
	block->kind_span = kind.span;
	block->name = name.name;
	block->name_span = name.span;
	block->span = span;
	block->property = entries.property;
	block->block = entries.block;
	item->block = block;
	return item;
}

struct tree_item *build_mapping(struct parse *parse, struct word word, struct word machine,
				struct clause_list clauses, struct span span)
{
	struct tree_item *item =
		build_item(parse, machine.name ? ITEM_MAPPING : ITEM_DATAFLOW, word, span);
	item->machine = machine.name;
	item->machine_span = machine.span;
	item->clause = clauses.first;
	return item;
}

struct word build_dotted(struct parse *parse, struct word first, struct span last, struct span span)
{
	const char *text =
		arena_printf(parse->arena, "%s.%.*s", first.name, (int)(last.end - last.begin),
			     parse->source->text + last.begin);
	return (struct word){arena_intern_string(parse->arena, text), span};
}

void append_item(struct parse *parse, struct tree_item *item)
{
	if (!item)
		return;
	*parse->last_item = item;
	parse->last_item = &item->next;
}
