/* tree_build.h -- makes the nodes of the syntax tree for the grammar. A node deeper than TREE_MAX_DEPTH is
 * reported once and becomes EXPR_ERROR: who walks a tree may recurse. */
#ifndef FRONTEND_TREE_BUILD_H
#define FRONTEND_TREE_BUILD_H

#include "frontend/syntax/parse.h"

/* A name and where it stands. */
struct word {
	const char *name;
	struct span span;
};

/* Expressions in a row: subscripts, values, dimensions. */
struct expr_list {
	struct tree_expr **item;
	int count;
};

/* Arguments of a call: those by position, then those by name. */
struct arg_list {
	struct expr_list by_position;
	struct tree_named *named, *last_named;
};

struct name_list {
	const char **name;
	struct span *span;
	int count, span_count;
};

/* Linked lists under construction. */
struct stmt_list {
	struct tree_stmt *first, *last;
	int depth; /* of the deepest statement */
};
struct formal_list {
	struct tree_formal *first, *last;
};
struct clause_list {
	struct tree_clause *first, *last;
};
struct entry_list {
	struct tree_property *property, *last_property;
	struct tree_block *block, *last_block;
};

/* ---- Expressions ---------------------------------------------------------------------------------- */

struct tree_expr *build_expr(struct parse *, enum expr_kind, struct span);
struct tree_expr *build_name(struct parse *, struct word, struct span);
struct tree_expr *build_unary(struct parse *, enum expr_op, struct tree_expr *, struct span);
struct tree_expr *build_binary(struct parse *, enum expr_op, struct tree_expr *, struct tree_expr *,
			       struct span);
struct tree_expr *build_ternary(struct parse *, struct tree_expr *, struct tree_expr *,
				struct tree_expr *, struct span);
struct tree_expr *build_list(struct parse *, struct expr_list, struct span);
struct tree_expr *build_call_of(struct parse *, struct word, struct arg_list, struct span);
struct tree_expr *build_index(struct parse *, struct word, struct expr_list, struct span);
/* inner: how many dimensions, or the permutation after `by`; NULL where nothing is said. */
struct tree_expr *build_ellipsis(struct parse *, struct word, struct tree_expr *inner, struct span);
/* step: NULL, a value, or the name x2 for "times two". */
struct tree_expr *build_range(struct parse *, struct tree_expr *, struct tree_expr *,
			      struct tree_expr *step, struct span);
/* fallback: clamp and drop are words here; anything else is a value. */
struct tree_expr *build_outside(struct parse *, struct tree_expr *access,
				struct tree_expr *fallback, struct span);

struct expr_list append_expr(struct parse *, struct expr_list, struct tree_expr *);
struct expr_list prepend_expr(struct parse *, struct tree_expr *, struct expr_list);
struct arg_list append_arg(struct parse *, struct arg_list, struct tree_expr *);
struct arg_list append_named(struct parse *, struct arg_list, struct word, struct tree_expr *);
struct name_list append_name(struct parse *, struct name_list, struct word);

/* ---- Types, formals, statements ------------------------------------------------------------------- */

struct tree_type build_type(struct parse *, struct word);
struct tree_type build_type_of(struct parse *, struct word form, struct word of, struct span);

struct tree_formal *build_formal(struct parse *, struct word, bool is_tensor, struct span);
struct formal_list append_formal(struct formal_list, struct tree_formal *);
struct formal_list join_formals(struct formal_list, struct formal_list);

struct stmt_list build_bind(struct parse *, struct word, struct tree_expr *, struct span);
struct stmt_list build_tensor(struct parse *, struct tree_expr *target, struct tree_type,
			      enum reduce, struct tree_expr *value, struct span);
struct stmt_list build_declaration(struct parse *, struct word, struct tree_type,
				   struct expr_list extents, struct tree_expr *initial,
				   struct span);
struct stmt_list declare_all(struct stmt_list, enum declare, struct span);
struct stmt_list build_index_range(struct parse *, struct word, struct tree_expr *extent,
				   struct span);
struct stmt_list build_require(struct parse *, struct tree_expr *, struct tree_expr *message,
			       struct span);
struct stmt_list build_if(struct parse *, struct tree_expr *condition, struct stmt_list body,
			  struct stmt_list orelse, struct span);
struct stmt_list build_for(struct parse *, struct word, struct tree_expr *pattern,
			   struct tree_expr *list, struct stmt_list body, struct span);
/* Stands where statements were skipped after an error. */
struct stmt_list build_skipped(struct parse *, struct span);
struct stmt_list build_return(struct parse *, struct expr_list, struct span values, struct span);
struct stmt_list append_stmts(struct stmt_list, struct stmt_list);

/* ---- Machines and mappings ------------------------------------------------------------------------ */

struct entry_list build_property(struct parse *, struct word, struct expr_list, struct span);
/* head: the block's name, with its shape, as the values that stand before its body. */
struct entry_list build_block(struct parse *, struct word kind, struct expr_list head,
			      struct entry_list body, struct span);
struct entry_list append_entries(struct entry_list, struct entry_list);

struct tree_clause *build_clause(struct parse *, enum clause_kind, struct word level,
				 struct name_list, struct span);
struct clause_list append_clause(struct clause_list, struct tree_clause *);

/* ---- Items ---------------------------------------------------------------------------------------- */

struct tree_item *build_item(struct parse *, enum item_kind, struct word, struct span);
struct tree_item *build_op(struct parse *, enum item_kind, struct word, struct formal_list,
			   struct stmt_list, struct span);
struct tree_item *build_machine(struct parse *, struct word kind, struct word name,
				struct entry_list, struct span);
/* A dataflow where no machine is named. */
struct tree_item *build_mapping(struct parse *, struct word, struct word machine,
				struct clause_list, struct span);
/* b1.left, a layer within a layer. */
struct word build_dotted(struct parse *, struct word, struct span last, struct span);
/* Adds an item to the tree; NULL is one with an error, left out. */
void append_item(struct parse *, struct tree_item *);

#endif
