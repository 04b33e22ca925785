/* train.c -- holds the train blocks of a program against the table train.def. */
#include "frontend/syntax/train.h"

#include <string.h>

enum value_form { CALL_OF_OPERATOR, CALL_OF_TABLE, POSITIVE_INTEGER, INTEGER };

static const struct key {
	const char *name;
	enum value_form form;
} keys[] = {
#define KEY(name, form) {name, form},
#define FUNCTION(...)
#include "frontend/syntax/train.def"
#undef KEY
#undef FUNCTION
};

static const struct function {
	const char *key, *name;
	const char *attribute[6]; /* ends with NULL */
} functions[] = {
#define KEY(...)
#define FUNCTION(key, name, ...) {key, name, {__VA_ARGS__}},
#include "frontend/syntax/train.def"
#undef KEY
#undef FUNCTION
};

enum { KEYS = sizeof keys / sizeof *keys, FUNCTIONS = sizeof functions / sizeof *functions };

static void check_number(struct program *p, const struct key *key, const struct tree_expr *value)
{
	if (value->kind == EXPR_ERROR)
		return;
	if (value->kind == EXPR_NUMBER && value->is_integer &&
	    (key->form == INTEGER || value->number >= 1))
		return;
	diag_error(p->diag, "not-an-integer", value->span, "'%s' is an integer%s", key->name,
		   key->form == INTEGER ? "" : " of at least 1");
}

/* optimizer = sgd(rate = 0.01, momentum = 0.9): the function and its attributes are in the table. */
static void check_function(struct program *p, const struct key *key, const struct tree_expr *value)
{
	const char *names[FUNCTIONS];
	const struct function *found = NULL;
	int count = 0, attributes = 0;

	for (int i = 0; i < FUNCTIONS; i++) {
		if (strcmp(functions[i].key, key->name) != 0)
			continue;
		names[count++] = functions[i].name;
		if (value->kind == EXPR_CALL && strcmp(functions[i].name, value->name) == 0)
			found = &functions[i];
	}
	if (value->kind != EXPR_CALL || !found) {
		diag_error(p->diag, "unknown-function", value->span, "no %s is called like this%s",
			   key->name,
			   value->name ? diag_suggestion(p->diag, value->name, names, count) : "");
		return;
	}
	while (found->attribute[attributes])
		attributes++;
	for (int i = 0; i < value->arg_count; i++)
		diag_error(p->diag, "unknown-argument", value->arg[i]->span,
			   "the attributes of '%s' are given by name, as in %s = 0.01", found->name,
			   found->attribute[0]);
	for (const struct tree_named *n = value->named; n; n = n->next) {
		bool known = false;
		for (int i = 0; i < attributes; i++)
			known |= strcmp(found->attribute[i], n->name) == 0;
		if (!known)
			diag_error(p->diag, "unknown-argument", n->name_span,
				   "'%s' has no attribute '%s'%s", found->name, n->name,
				   diag_suggestion(p->diag, n->name, found->attribute, attributes));
	}
}

/* loss = cross_entropy(lenet(image), label): every call is of an operator or network. */
static void check_operators(struct program *p, const struct tree_expr *value)
{
	if (value->kind == EXPR_CALL && !program_find(p, ITEM_OP, value->name) &&
	    !program_find(p, ITEM_NETWORK, value->name)) {
		const char **names = NULL;
		int count = 0;
		for (int i = 0; i < p->tree_count; i++)
			for (const struct tree_item *t = p->tree[i]->item; t; t = t->next)
				if (t->kind == ITEM_OP || t->kind == ITEM_NETWORK)
					ARENA_APPEND(p->arena, names, count, t->name);
		diag_error(p->diag, "unknown-operator", value->name_span,
			   "no operator or network is called '%s'%s", value->name,
			   diag_suggestion(p->diag, value->name, names, count));
	}
	for (int i = 0; i < value->arg_count; i++)
		check_operators(p, value->arg[i]);
	for (const struct tree_named *n = value->named; n; n = n->next)
		check_operators(p, n->value);
}

static void check_statement(struct program *p, const struct tree_stmt *stmt, struct span seen[])
{
	const char *names[KEYS];

	for (int i = 0; i < KEYS; i++)
		names[i] = keys[i].name;
	if (stmt->kind != STMT_BIND) /* the parser said so */
		return;
	for (int i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].name, stmt->name) != 0)
			continue;
		if (seen[i].source) {
			diag_error(p->diag, "repeated-key", stmt->name_span, "'%s' is given twice",
				   stmt->name);
			diag_note(p->diag, seen[i], "the first is here");
		}
		seen[i] = stmt->name_span;
		if (keys[i].form == CALL_OF_TABLE)
			check_function(p, &keys[i], stmt->value);
		else if (keys[i].form == CALL_OF_OPERATOR)
			check_operators(p, stmt->value);
		else
			check_number(p, &keys[i], stmt->value);
		return;
	}
	diag_error(p->diag, "unknown-key", stmt->name_span, "a train block has no key '%s'%s",
		   stmt->name, diag_suggestion(p->diag, stmt->name, names, KEYS));
}

static void check_block(struct program *p, const struct tree_item *item)
{
	struct span seen[KEYS] = {{0}};
	const char **names = NULL;
	int count = 0;

	for (int i = 0; i < p->tree_count; i++)
		for (const struct tree_item *t = p->tree[i]->item; t; t = t->next)
			if (t->kind == ITEM_NETWORK)
				ARENA_APPEND(p->arena, names, count, t->name);
	if (!program_find(p, ITEM_NETWORK, item->name))
		diag_error(p->diag, "no-network", item->name_span, "no network is called '%s'%s",
			   item->name, diag_suggestion(p->diag, item->name, names, count));
	for (const struct tree_stmt *stmt = item->body; stmt; stmt = stmt->next)
		check_statement(p, stmt, seen);
	if (!seen[0].source && p->diag->errors == 0)
		diag_error(p->diag, "missing-key", item->name_span,
			   "a train block needs a loss, as in loss = "
			   "cross_entropy(net(image), label)");
}

void train_check(struct program *p)
{
	for (int i = 0; i < p->tree_count; i++)
		for (const struct tree_item *item = p->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_TRAIN)
				check_block(p, item);
}
