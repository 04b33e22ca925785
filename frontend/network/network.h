/* network.h -- the network as the compiler knows it: a list of tensor statements over named dimensions.
 *
 * tensor     a named value with element type and extents; rank 0 is a scalar
 * statement  a perfect loop nest that assigns, sums or maximises one tensor from others
 * loop       an index of a statement and its range 0 .. extent-1
 * access     a tensor with one subscript for each of its dimensions
 * subscript  floor((sum of coef * loop + offset) / divisor)
 * scalar     the expression evaluated at each point of the nest
 *
 * Meaning of a statement: for every point of the loops in order (loop[0] outermost), compute the expression
 * and combine it into the target: `=` stores, `+=` adds, `max=` keeps the greater. The loops of the target
 * come first; those after them are the reduction's. Statements run in the order of the list; every tensor
 * but inputs and constants is wholly written before it is read, by one `=` or by several that write disjoint
 * boxes: the frontend inserts explicit initial statements (`O[...] = 0`). docs/language.md section 3.3 defines the arithmetic.
 * Everything lives in the network's arena, array data excepted (freed by network_free). */
#ifndef FRONTEND_NETWORK_H
#define FRONTEND_NETWORK_H

#include "frontend/syntax/tree.h"
#include "runtime/array.h"
#include "runtime/scalar.h"

enum { MAX_LOOPS = 16 };

enum role {
	ROLE_INPUT,     /* given by the caller */
	ROLE_PARAM,     /* trained; data is NULL until weights are loaded or initialised */
	ROLE_STATE,     /* running statistics; like a parameter, but no gradient */
	ROLE_CONSTANT,  /* known while compiling; data is never NULL */
	ROLE_LOCAL      /* written by statements */
};

enum init_kind { INIT_HE, INIT_GLOROT, INIT_CONSTANT, INIT_UNIFORM };

/* How a parameter gets its first values, when no weights are given. He: N(0, 2/fan_in); Glorot: U(+-sqrt(6/(in+out))). */
struct init {
	enum init_kind kind;
	double value;              /* INIT_CONSTANT: the value; INIT_UNIFORM: the bound, U(-value, value) */
};

struct tensor {
	const char *name;          /* unique in the network: "c1", "c1.W", "c1.conv.O" */
	int id;                    /* position in network.tensor */
	enum type type;
	enum role role;
	int rank;
	int64_t extent[MAX_RANK];
	const char *dim[MAX_RANK]; /* names of the dimensions, for people: "n"; never NULL */
	struct tensor *view_of;    /* the same elements under another shape: written and read there; never a view itself */
	const struct tensor *in_place_of; /* what quantise.h made it from; else NULL */
	struct array *data;        /* PARAM, STATE, CONSTANT; owned by the network */
	struct init init;          /* PARAM, STATE */
	bool is_output;
	const char *layer;         /* the binding it belongs to: "c1"; "" for none */
	struct span origin;        /* where its shape came from */
};

struct subscript {
	int64_t coef[MAX_LOOPS];   /* one for each loop of the statement */
	int64_t offset;
	int64_t divisor;           /* >= 1; floor division of the whole sum */
};

struct access {
	struct tensor *tensor;
	struct subscript *subscript;  /* tensor->rank of them */
	enum outside outside;         /* OUTSIDE_ERROR: proven inside */
	double value;                 /* OUTSIDE_VALUE */
	struct span span;
};

enum scalar_kind { SCALAR_CONSTANT, SCALAR_POSITION, SCALAR_READ, SCALAR_APPLY };

struct scalar {
	enum scalar_kind kind;
	enum type type;            /* in which it is computed: never i8 or i16 for APPLY; comparisons are i32, their operands
	                            * are compared in type_common of both */
	double constant;           /* CONSTANT */
	int loop;                  /* POSITION: the value of this loop */
	struct access *access;     /* READ; the type is the tensor's */
	enum scalar_fn fn;         /* APPLY */
	struct scalar *arg[3];
};

struct loop {
	const char *name;          /* "k" */
	int64_t extent;            /* >= 1 */
};

struct statement {
	int id;                    /* position in network.statement */
	int loops;                 /* how many; <= MAX_LOOPS */
	int outer;                 /* the first so many index the target; the others are reduced */
	struct loop loop[MAX_LOOPS];
	struct access target;      /* outside is ERROR or DROP */
	enum reduce reduce;
	struct scalar *value;
	const char *op;            /* the operator whose text it comes from: "conv" */
	const char *layer;         /* the user's binding: "c1" */
	struct span span;          /* the statement's text */
	struct span call;          /* the user's call that led to it */
};

struct network {
	const char *name;
	struct arena *arena;       /* not owned */
	int tensor_count, statement_count, input_count, output_count;
	struct tensor **tensor;
	struct statement **statement;
	struct tensor **input;     /* in the order of the formals */
	struct tensor **output;    /* in the order of `return`; output_name[i] is how people call it */
	const char **output_name;
};

/* Iterations of the nest; every statement of a checked network has a product that fits (saturates at INT64_MAX). */
int64_t statement_points(const struct statement *);
/* Multiply-accumulates: the points of a `+=` whose expression is a product of reads of two different tensors, else 0. */
int64_t statement_macs(const struct statement *);
int64_t tensor_count(const struct tensor *);
/* The tensor whose elements it shows: that of which it is a view, or itself. */
struct tensor *tensor_storage(const struct tensor *);
/* Has the array the type and shape of the tensor? */
bool tensor_takes(const struct tensor *, const struct array *);
/* Is it a parameter or a state, whose values are loaded or drawn at random? A view shows those of another. */
bool tensor_takes_weights(const struct tensor *);
/* Proven that no two points write one element; sufficient, not necessary (mixed radix, see network_check.c). */
bool statement_is_injective(const struct statement *);

/* Elements of a tensor whose subscripts lie between two bounds in each dimension, both included. */
struct index_box {
	int64_t least[MAX_RANK], greatest[MAX_RANK];
};
/* Does the statement assign each element of a box of its target once? */
bool statement_box(const struct statement *, struct index_box *);
bool boxes_meet(const struct index_box *, const struct index_box *, int rank);

/* The least and greatest value of a subscript over the statement's loops. */
void subscript_range(const struct statement *, const struct subscript *, int64_t *least, int64_t *greatest);
/* Division that rounds down, of what a subscript sums up. */
int64_t subscript_divide(int64_t, int64_t divisor);
/* Does its sum, before it is divided, fit 63 bits at every point? Then so does every partial sum. */
bool subscript_fits(const struct statement *, const struct subscript *);

/* How many parameters and states have no data. */
int network_missing(const struct network *);
/* Gives every parameter without data its initial values: random numbers that depend on (seed, name, position).
 * False when memory is out. */
bool network_initialise(struct network *, uint64_t seed);
void network_free(struct network *);  /* the data of its tensors; the rest goes with the arena */
void network_print(const struct network *, FILE *);

/* Proves what the comment at the top promises; the first broken promise as a sentence in the arena, or NULL. */
const char *network_check(const struct network *);

#endif
