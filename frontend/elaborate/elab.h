/* elab.h -- what the files of the elaborator share: frames, bindings, and saying what is wrong.
 *
 * elaborate.c   networks and the importer's way in
 * elab_call.c   calls: arguments to formals, dimension patterns
 * elab_frame.c  the names of one running operator
 * elab_body.c   statements of a body: bindings, declarations, if, for, return
 * elab_value.c  compile-time expressions
 * elab_nest.c   tensor statements: accesses, proofs, the target
 * elab_subscript.c, elab_ellipsis.c   indices, their ranges, subscripts
 * elab_scalar.c the scalar expression at each point of a nest
 * elab_tensor.c new tensors, views, first fills
 * elab_names.c  each tensor's name once */
#ifndef FRONTEND_ELAB_H
#define FRONTEND_ELAB_H

#include "frontend/elaborate/elaborate.h"
#include "frontend/source/name_index.h"

/* A network that needs more was not written by a person who wants it: loops without end, calls that double. */
enum {
	MAX_CALL_DEPTH = 64,
	MAX_NESTING = 2000,
	MAX_STEPS = 2000000,
	MAX_RANGE = 1000000,
	MAX_TENSORS = 50000
};

enum binding_kind { BIND_VALUE, BIND_DIM, BIND_INDEX, BIND_ELLIPSIS };

struct dim { /* one dimension as a pattern met it */
	const char *name;
	int64_t extent;
};

struct binding {
	const char *name;
	enum binding_kind kind;
	struct span span;          /* where it was bound */
	struct value value;        /* VALUE */
	int64_t extent;            /* DIM, INDEX */
	const struct tensor *from; /* DIM: the tensor whose dimension it is, for messages */
	int dim_count;             /* ELLIPSIS */
	struct dim *dim;
	int before;     /* the latest binding before it with the same hash; -1 = none */
	int loop_level; /* bound by the pattern of that many enclosing `for`s: ends with the turn; 0 = stays */
};

/* One running operator or network. */
struct frame {
	struct frame *caller; /* NULL for a network */
	const struct tree_item *item;
	struct span call;        /* the call, in the caller's text */
	struct binding *binding; /* the latest last */
	const char **bound;      /* their names, for did-you-mean */
	int binding_count;
	int *chain; /* for each hash of a name its latest binding, or -1 */
	int room;   /* for so many bindings, and so many chains: a power of two, or 0 */
	const char *
		path; /* layer that its parameters and tensors belong to: "c1", "b1.left"; "" in a network */
	const char *
		param_path; /* path, or path with a number where names would clash; NULL until needed */
	const char *naming; /* name being bound by the statement that runs, or NULL */
	const struct tensor
		*first;         /* first tensor argument: its type is the default for new tensors */
	struct argument *given; /* parameters given by name in the call */
	int given_count;
	bool *given_used;
	int first_tensor; /* tensors of the network before it began; it owns none of these */
	int loop_level;   /* enclosing `for`s that run */
	bool returned;
	bool skipped; /* the parser skipped a statement: a missing name may be its */
	struct value result;
};

/* What the elaborator knows of a tensor beyond the network: by tensor id. */
struct tensor_state {
	const struct frame *owner; /* may still write it; NULL = complete */
	bool is_named;          /* has the name that the user gave it in a network or a binding */
	struct statement *fill; /* gives it its first value, if what follows does not */
};

struct elaborator {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	struct network *network;
	const struct elaborate_options *options;
	struct tensor_state *state;
	int state_count;
	const char *place;     /* an importer's place in words, or NULL */
	const char **op_names; /* for did-you-mean */
	int op_name_count;
	struct name_index name_index; /* of each name that a tensor has or had: 1 + its position ... */
	struct elab_name **name;      /* ... here */
	int name_count;
	int depth;       /* calls within calls */
	int nesting;     /* the same of expressions and bodies, whichever calls they are in */
	int64_t steps;   /* evaluations so far */
	bool gave_up;    /* a limit was met, and that was said */
	int first_error; /* diag->errors at the start */
};

/* ---- Saying what is wrong (elaborate.c) ----------------------------------------------------------- */

/* An error at a place; where that is library text, at the user's call with a note at the text. */
void elab_error(struct elaborator *, const struct frame *, const char *code, struct span,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "'x' is f32[1, 6, 28, 28], from here": a note at the origin of the tensor's shape. */
void elab_note_shape(struct elaborator *, const struct frame *, const struct tensor *);
/* The place nearest to span that the user wrote. */
struct span elab_user_span(const struct frame *, struct span);
const char *elab_shape_text(struct elaborator *, const struct tensor *);
struct value elab_poison(void);
/* One level deeper, to be left by e->nesting--; false with an error where the stack has no room for it. */
bool elab_enter(struct elaborator *, const struct frame *, struct span);
/* So many steps more; false, once with an error, when the network takes too many or grows too large. */
bool elab_step(struct elaborator *, const struct frame *, struct span, int64_t count);

/* ---- Frames and names (elab_frame.c) ---------------------------------------------------------------- */

struct binding *elab_find(const struct frame *, const char *name);
struct binding *elab_bind(struct elaborator *, struct frame *, const char *name, enum binding_kind,
			  struct span);
/* Ends the bindings from `first` on that a `for` of this level made for one turn. */
void elab_unbind(struct frame *, int first, int level);
/* As diag_suggestion, among the names of the frame. */
const char *elab_suggestion(const struct elaborator *, const struct frame *, const char *written);
/* Does its text belong to the library? */
bool elab_is_library(const struct frame *);
/* The layer that a call in this frame belongs to. */
const char *elab_layer(struct elaborator *, const struct frame *, const char *op);

/* ---- Bodies (elab_body.c) ------------------------------------------------------------------------------ */

void elab_run(struct elaborator *, struct frame *, const struct tree_stmt *);

/* ---- Calls (elab_call.c) ------------------------------------------------------------------------------ */

struct value elab_call(struct elaborator *, struct frame *caller, const char *op, struct span call,
		       struct span name_span, const char *layer, struct argument *, int count);
/* Binds the names of a dimension pattern to a tensor's extents; false after an error. */
bool elab_match(struct elaborator *, struct frame *, const char *formal, int dim_count,
		struct tree_expr *const dim[], const struct tensor *, struct span argument);

/* ---- Compile-time expressions (elab_value.c) ---------------------------------------------------------- */

struct value elab_eval(struct elaborator *, struct frame *, const struct tree_expr *);
/* An integer in least .. most; false after an error, which calls it `what`. */
bool elab_integer(struct elaborator *, struct frame *, const struct tree_expr *, const char *what,
		  int64_t least, int64_t most, int64_t *);
bool elab_is_integer(double);
/* Is this a function of numbers, lists or tensors whose result is a number? */
bool elab_gives_number(const char *function);
/* A condition must be a number; false after an error. */
bool elab_condition(struct elaborator *, struct frame *, const struct tree_expr *, bool *truth);
const char *elab_value_text(struct elaborator *, struct value);

/* ---- Tensors (elab_tensor.c) ------------------------------------------------------------------------------ */

struct tensor *elab_tensor_new(struct elaborator *, const char *name, enum type, enum role,
			       int rank, const int64_t extent[], const char *const dim[],
			       struct span origin);
bool elab_type(struct elaborator *, struct frame *, const struct tree_type *, enum type fallback,
	       enum type *);
void elab_declare(struct elaborator *, struct frame *, const struct tree_stmt *);
struct value elab_view(struct elaborator *, struct frame *, struct tensor *, struct value shape,
		       struct span);
struct tensor *elab_number_tensor(struct elaborator *, enum type, double);
/* The frame may write these tensors no more; drops fills of tensors that its statements wholly assign. */
void elab_complete(struct elaborator *, const struct frame *);
/* Appends `t[...] = value`, over the whole tensor. */
void elab_fill(struct elaborator *, struct frame *, struct tensor *, double value, struct span);
struct statement *elab_statement_new(struct elaborator *, const struct frame *, struct span);
void elab_statement_append(struct elaborator *, struct statement *);

/* ---- Names of tensors (elab_names.c) ----------------------------------------------------------------------- */

/* Gives the tensor this name, or name.2, name.3, ... where that is taken; its old name is free then. */
void elab_rename(struct elaborator *, struct tensor *, const char *name);
/* path, or path.2, path.3, ... such that a parameter of this name below it is new. */
const char *elab_param_path(struct elaborator *, const char *path, const char *name);

/* ---- Tensor statements (elab_nest.c, elab_scalar.c) ------------------------------------------------------- */

void elab_tensor_statement(struct elaborator *, struct frame *, const struct tree_stmt *);

/* A tensor statement while its indices are being found. */
struct nest {
	struct frame *frame;
	const struct tree_stmt *tree;
	struct statement *statement;
	bool known[MAX_LOOPS]; /* the extent of this loop is known */
	bool exact[MAX_LOOPS]; /* and must equal the dimension where the index stands alone */
	const struct tensor *from[MAX_LOOPS]; /* whose dimension gave the extent, for messages */
	struct span where[MAX_LOOPS];         /* where the index was first met */
	struct dim *broadcast; /* the anonymous ellipsis: the dimensions of all accesses together */
	const struct tensor *broadcast_from[MAX_RANK]; /* whose extent it is, for messages */
	int broadcast_count;
	int broadcast_loop[MAX_RANK]; /* their loops; -1 = not yet met */
	struct {
		const char *name;
		int count;
		int loop[MAX_RANK];
	} named[4];
	int named_count;
	bool is_ellipsis[MAX_LOOPS]; /* made by an ellipsis: not found by name */
	struct access **access;      /* what the expression reads */
	int access_count;
};

/* The loop of an index by name, made where it is new; -1 after an error. */
int nest_loop(struct elaborator *, struct nest *, const char *name, struct span);
/* A loop of its own for one dimension of an ellipsis; -1 after an error. */
int nest_ellipsis_loop(struct elaborator *, struct nest *, const struct dim *, struct span);
/* An index stands alone in a dimension of a tensor: it runs over it; false when that disagrees. */
bool nest_unify(struct elaborator *, struct nest *, int loop, const struct tensor *, int axis,
		bool may_leave, struct span);
bool nest_affine(struct elaborator *, struct nest *, const struct tree_expr *, struct subscript *);
/* How many dimensions an ellipsis of an access takes; tensor is NULL for a new target. -1 after an error. */
int nest_ellipsis_count(struct elaborator *, const struct nest *, const struct tree_expr *access,
			const struct tree_expr *ellipsis, const struct tensor *);
/* Before any access: widens what the anonymous ellipsis stands for by all accesses in the expression. */
bool nest_broadcast(struct elaborator *, struct nest *, const struct tree_expr *);
/* The subscripts that an ellipsis stands for, from `axis` on; how many, or -1 after an error. */
int nest_expand(struct elaborator *, struct nest *, const struct tree_expr *access,
		const struct tree_expr *ellipsis, const struct tensor *, bool is_target, int axis,
		struct subscript[]);
/* The access for an EXPR_INDEX of a tensor, its subscripts resolved; NULL after an error. */
struct access *nest_access(struct elaborator *, struct nest *, const struct tree_expr *,
			   struct tensor *);
struct scalar *nest_scalar(struct elaborator *, struct nest *, const struct tree_expr *);
/* Gives a flexible constant its type and makes all types final. */
struct scalar *nest_typed(struct scalar *, enum type);
/* The element type of a new tensor that takes the expression; TYPE_COUNT where it has none of its own. */
enum type nest_result_type(const struct scalar *);
/* The type of one that has none of its own, beside tensors of a type: that one, or f32 for a fraction. */
enum type nest_number_type(const struct scalar *, enum type beside);

#endif
