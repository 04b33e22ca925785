/* elaborate.h -- from the syntax tree to the network: runs operator text at compile time and collects the
 * tensor statements that it writes.
 *
 * Two ways in: `elaborate` runs a network of a program; `build_*` lets an importer call operators of the
 * library one by one. Both end with a network that network_check accepts, or with errors in diag and NULL. */
#ifndef FRONTEND_ELABORATE_H
#define FRONTEND_ELABORATE_H

#include "frontend/network/network.h"
#include "frontend/syntax/program.h"

enum value_kind { VALUE_NONE, VALUE_NUMBER, VALUE_STRING, VALUE_LIST, VALUE_TENSOR, VALUE_POISON };

/* What an expression gives at compile time. Poison stands for something already reported as wrong. */
struct value {
	enum value_kind kind;
	double number; /* integers are exact up to 2^53 */
	const char *string;
	struct tensor *tensor;
	int count; /* of a list */
	struct value *item;
	struct span span; /* where it was written, for messages */
};

struct value value_number(double);
struct value value_tensor(struct tensor *);
struct value value_integers(struct arena *, int count, const int64_t *);

struct dim_binding { /* -dim N=4 */
	const char *name;
	int64_t extent;
};

struct elaborate_options {
	const struct dim_binding *dim;
	int dim_count;
	bool training;
};

/* The network of this name; NULL as a name means the only network of the user's files, or the last.
 * Symbolic extents not given are 1. */
struct network *elaborate(struct program *, const char *network, const struct elaborate_options *);

/* ---- For importers -------------------------------------------------------------------------------- */

struct build;

struct argument {
	const char *name; /* attribute, tensor or parameter; NULL = the next by position */
	struct value value;
	struct span name_span; /* of the name, where there is a text */
};

struct build *build_new(struct program *, const char *network_name,
			const struct elaborate_options *);
/* Errors from here on are shown at this place in words: "model.onnx: node 'Conv_3' (Conv)". */
void build_place(struct build *, const char *place);
struct tensor *build_input(struct build *, const char *name, enum type, int rank,
			   const int64_t extent[],
			   const char *const dim[] /* NULL, or a name or NULL for each */);
/* PARAM, STATE or CONSTANT; the array becomes the network's. */
struct tensor *build_array(struct build *, const char *name, enum role, struct array *);
/* Runs an operator. layer names the tensors and parameters that it makes. The result is a tensor, a list of tensors,
 * or poison after an error. */
struct value build_call(struct build *, const char *layer, const char *op, const struct argument[],
			int count);
void build_output(struct build *, const char *name, struct tensor *);
/* Ends the build: tensors that no output needs are dropped. NULL after errors. */
struct network *build_end(struct build *);

#endif
