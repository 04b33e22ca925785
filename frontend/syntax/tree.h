/* tree.h -- the syntax tree of .dnn, .hw and .map files, as the parser builds it; every node knows its place.
 *
 * A file is a list of items: imports, operators and networks (both are `op`s with a body), train blocks,
 * machines and their blocks, dataflows, mappings. All nodes live in one arena. Names are interned. */
#ifndef FRONTEND_TREE_H
#define FRONTEND_TREE_H

#include "frontend/source/diag.h"
#include "runtime/type.h"

enum { TREE_MAX_DEPTH = 200 };  /* nesting of expressions and blocks; deeper is an error */

/* ---- Expressions ---------------------------------------------------------------------------------- */

enum expr_kind {
	EXPR_NUMBER,    /* 3, 0.5, 1e-3; number, is_integer */
	EXPR_QUANTITY,  /* 108 KiB, 200 MHz: number in the unit's base, name = unit as written */
	EXPR_STRING,    /* "text"; name */
	EXPR_NAME,      /* stride; name */
	EXPR_LIST,      /* (1, 2); args. (x) alone is no list but x itself; (x,) is a list of one */
	EXPR_CALL,      /* conv(x, filters = 6) ; name, args, named args */
	EXPR_INDEX,     /* I[n, c, p*2] else 0 ; name, args are the subscripts */
	EXPR_ELLIPSIS,  /* ... or outer... or `... by perm`, only among subscripts; name or NULL, args[0] = perm */
	EXPR_UNARY,     /* -a, not a ; op */
	EXPR_BINARY,    /* a + b ; op */
	EXPR_TERNARY,   /* c ? a : b ; args[0..2] */
	EXPR_RANGE,     /* 64 KiB .. 512 KiB step x2 ; args: first, last, step (or NULL); step_multiplies */
	EXPR_ERROR      /* stands where the parser found no expression: said already, says nothing more */
};

enum expr_op {
	OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_POW,
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_AND, OP_OR,
	OP_NEG, OP_NOT
};

/* What a subscripted read outside the tensor gives, or a write outside does. */
enum outside {
	OUTSIDE_ERROR,  /* nothing written: every access must be provably inside */
	OUTSIDE_VALUE,  /* else 0: reads give this value */
	OUTSIDE_CLAMP,  /* else clamp: reads take the nearest element inside */
	OUTSIDE_DROP    /* else drop: writes are dropped */
};

struct tree_expr {
	enum expr_kind kind;
	enum expr_op op;
	struct span span;             /* the whole expression */
	struct span name_span;        /* the name alone, where there is one */
	const char *name;
	double number;
	bool is_integer;              /* EXPR_NUMBER written without point or exponent, |number| < 2^53 */
	bool step_multiplies;         /* EXPR_RANGE: step x2 */
	const struct unit *unit;      /* EXPR_QUANTITY */
	enum outside outside;         /* EXPR_INDEX */
	struct tree_expr *outside_value;
	int arg_count;
	struct tree_expr **arg;
	struct tree_named *named;     /* EXPR_CALL: filters = 6, ... in order, or NULL */
	int depth;                    /* 1 + the deepest child's */
};

struct tree_named {
	const char *name;
	struct span name_span;
	struct tree_expr *value;
	struct tree_named *next;
};

/* ---- Bodies of operators, networks and train blocks ----------------------------------------------- */

enum reduce { REDUCE_NONE, REDUCE_SUM, REDUCE_MAX };  /* =, +=, max= */

enum stmt_kind {
	STMT_BIND,      /* name = expr : a number, list, string or tensor */
	STMT_TENSOR,    /* O[n, k] += expr : a tensor statement; target is an EXPR_INDEX */
	STMT_DECLARE,   /* param|state|tensor W: type [extents] = init, one declaration each */
	STMT_RANGE,     /* index p < extent, one each */
	STMT_REQUIRE,   /* require condition, "message" */
	STMT_IF,        /* if condition { body } else { orelse } */
	STMT_FOR,       /* for x in list { body }, for x[a..., c] in list, for i in 0 .. n */
	STMT_RETURN,    /* return expr {, expr} as a list */
	STMT_ERROR      /* the parser skipped something here */
};

enum declare { DECLARE_PARAM, DECLARE_STATE, DECLARE_TENSOR };

enum type_form { TYPE_UNSAID, TYPE_NAMED, TYPE_OF, TYPE_ACCUMULATOR };  /* none, f32, type(I), accumulator(I) */

struct tree_type {
	enum type_form form;
	enum type type;       /* TYPE_NAMED */
	const char *name;     /* TYPE_OF, TYPE_ACCUMULATOR: whose */
	struct span span;
};

struct tree_stmt {
	enum stmt_kind kind;
	struct span span;
	struct span name_span;
	const char *name;              /* BIND, DECLARE, RANGE, FOR */
	enum reduce reduce;            /* TENSOR */
	enum declare declare;          /* DECLARE */
	struct tree_type type;         /* DECLARE; TENSOR with a typed target */
	struct tree_expr *target;      /* TENSOR: an EXPR_INDEX; FOR: the pattern x[a..., c] or NULL */
	struct tree_expr *value;       /* the right-hand side, extent, condition, list or result */
	int extent_count;              /* DECLARE */
	struct tree_expr **extent;
	struct tree_expr *init;        /* DECLARE: initialiser call (he(), constant(1)) or NULL; REQUIRE: message */
	struct tree_stmt *body;        /* IF, FOR */
	struct tree_stmt *orelse;      /* IF */
	int depth;                     /* 1 + the deepest statement's below it */
	struct tree_stmt *next;
};

/* One formal of an operator: a tensor with its pattern of dimensions, or an attribute with its default. */
struct tree_formal {
	const char *name;
	struct span span, name_span;
	bool is_tensor;
	bool is_each;                  /* X[...] each : all remaining tensor arguments, as a list */
	struct tree_type type;         /* tensor: declared type or TYPE_UNSAID */
	int dim_count;                 /* tensor: names, numbers, ellipses `outer... : axis` */
	struct tree_expr **dim;        /* EXPR_NAME, EXPR_NUMBER or EXPR_ELLIPSIS (arg[0] = how many dims, or none) */
	struct tree_expr *length;      /* attribute stride[2]: how many elements, or NULL for a single value */
	struct tree_expr *value;       /* attribute: default, or NULL = must be given */
	struct tree_formal *next;
};

/* ---- Properties and blocks of .hw files, and clauses of mappings ---------------------------------- */

/* `size 12 words`, `network multicast(row, column)`, `port O 4 words`: a word and its values. */
struct tree_property {
	const char *name;
	struct span span, name_span;
	int value_count;
	struct tree_expr **value;      /* QUANTITY, NUMBER, NAME, CALL, RANGE, STRING; `8 B @ 60 MHz` is BINARY OP_MUL */
	struct tree_property *next;
};

/* `memory glb { ... }`, `array pe[12, 14] { ... }`, `machine eyeriss { ... }`: a kind, a name, properties and
 * inner blocks, in the order written. */
struct tree_block {
	const char *kind;              /* "machine", "cpu", "cluster", "memory", "array", "mac", "node", ... */
	const char *name;              /* or NULL */
	struct span span, kind_span, name_span;
	int shape_count;               /* array pe[12, 14] */
	struct tree_expr **shape;
	struct tree_property *property;
	struct tree_block *block;
	struct tree_block *next;
};

/* One line of a mapping or dataflow: `glb: for k in 96 step 16`, `pe: parallel r over row in 3`, `glb: keep I, O`. */
enum clause_kind { CLAUSE_FOR, CLAUSE_PARALLEL, CLAUSE_KEEP, CLAUSE_BYPASS, CLAUSE_ORDER, CLAUSE_STATIONARY };

struct tree_clause {
	enum clause_kind kind;
	struct span span;
	const char *level;             /* the memory or array before the colon */
	struct span level_span;
	int name_count;                /* FOR, PARALLEL: loops; KEEP, BYPASS, STATIONARY: tensors; ORDER: loops, outer first */
	const char **name;
	struct span *name_spans;
	const char *axis;              /* PARALLEL: over row, or NULL */
	struct span axis_span;
	struct tree_expr *extent;      /* FOR, PARALLEL: in 96, or NULL = free */
	struct tree_expr *step;        /* FOR, PARALLEL: step 16, the tile that one trip leaves to the inside, or NULL */
	struct tree_clause *next;
};

/* ---- Items and files ------------------------------------------------------------------------------ */

enum item_kind { ITEM_IMPORT, ITEM_OP, ITEM_NETWORK, ITEM_TRAIN, ITEM_BLOCK, ITEM_DATAFLOW, ITEM_MAPPING };

struct tree_item {
	enum item_kind kind;
	const char *name;              /* op, network, block, dataflow; the network of a train block; the layer of a
	                                * mapping; the path of an import */
	const char *machine;           /* MAPPING: map c1 on eyeriss */
	struct span span, name_span, machine_span;
	struct tree_formal *formal;    /* OP, NETWORK */
	struct tree_stmt *body;        /* OP, NETWORK, TRAIN */
	struct tree_block *block;      /* BLOCK */
	struct tree_clause *clause;    /* DATAFLOW, MAPPING */
	struct tree_item *next;
};

struct tree {
	const struct source *source;
	struct tree_item *item;
};

/* Never NULL; what could not be parsed is in diag. Does not follow imports. */
struct tree *tree_parse(struct arena *, struct diag *, const struct source *);

/* Prints a tree as source text that parses to the same tree again. */
void tree_print(const struct tree *, FILE *);
void tree_print_expr(const struct tree_expr *, FILE *);

#endif
