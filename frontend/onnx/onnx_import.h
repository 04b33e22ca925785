/* onnx_import.h -- what the files of the ONNX importer share; nobody else includes it.
 *
 * model      the decoded file: a graph and the version of the operator set it was written for
 * node       one call of an ONNX operator; the table onnx_ops.def says which are known
 * value      what a name of the graph stands for: a tensor of the network, a constant, or both
 * constant   elements known while importing: initialisers, and what was computed from them
 * folding    computing a node while importing because all it reads is constant
 *
 * An error is reported where it is found; what depended on it becomes poison and says nothing more. */
#ifndef FRONTEND_ONNX_IMPORT_H
#define FRONTEND_ONNX_IMPORT_H

#include "frontend/onnx/onnx.h"
#include "onnx/onnx.pb-c.h"

/* Operator sets of the default domain that the importer was written against. */
enum { ONNX_FIRST_OPSET = 1, ONNX_LAST_OPSET = 23 };

struct constant {
	int32_t onnx_type; /* Onnx__TensorProto__DataType as in the model: BOOL, FLOAT16, ... */
	enum type type;    /* that of the array: narrow or unsigned types are widened */
	int rank;
	int64_t extent[MAX_RANK]; /* may be 0, unlike those of an array */
	int64_t count;
	struct array *array; /* NULL if and only if count is 0 */
	struct tensor
		*tensor; /* of the network, which has the array now; NULL: the import has it */
	struct constant *next; /* of all constants of the import */
};

struct onnx_node;

struct onnx_value {
	const char *name;
	const Onnx__TensorProto *initializer; /* not yet decoded, or NULL */
	const Onnx__ValueInfoProto *input;    /* of the graph, or NULL */
	struct onnx_node *writer;             /* or NULL */
	struct onnx_node *reader;             /* one of those that read it */
	int reads;                            /* by needed nodes, and as outputs of the graph */
	bool is_output;
	bool poison; /* what made it was reported as wrong */
	struct constant *constant;
	struct tensor *tensor;
};

struct onnx;

/* Makes the node's outputs out of its inputs: a tensor, a list, nothing (VALUE_NONE) when the function has set
 * the outputs itself, or poison. */
typedef struct value onnx_handler(struct onnx *, struct onnx_node *);
/* Computes the node's first output; NULL when it cannot, and then the node is imported instead. */
typedef struct constant *onnx_folder(struct onnx *, struct onnx_node *);

/* A row of onnx_ops.def. */
struct onnx_op {
	const char *name;
	int first, last;        /* operator sets in which it means what the handler does */
	int least, most;        /* inputs */
	int outputs;            /* the first so many outputs may be used */
	const char *attributes; /* "axis:i epsilon:f"; ! after a name: must be given */
	const char *library;    /* operator of ops.dnn, where one call does it */
	onnx_handler *import;
	onnx_folder *fold; /* or NULL */
};

struct onnx_node {
	const Onnx__NodeProto *proto;
	int index;                /* position in the graph */
	const struct onnx_op *op; /* NULL if unknown */
	const char *op_name;      /* printable; "ai.onnx.ml.Scaler" outside the default domain */
	const char *place;        /* "model.onnx: node 'Conv_3' (Conv)" */
	const char *layer;        /* names what it makes */
	int input_count, output_count;
	struct onnx_value **input; /* NULL where the model leaves one out */
	struct onnx_value **output;
	bool needed;   /* an output of the graph depends on it */
	bool reported; /* as unknown */
	bool done;     /* an earlier node has taken it over */
};

struct onnx {
	struct program *program;
	struct arena *arena;
	struct diag *diag;
	const struct elaborate_options *options;
	const char *path;
	Onnx__ModelProto *model;
	Onnx__GraphProto *graph;
	int opset;
	int value_count;
	struct onnx_value *value; /* sorted by name */
	int node_count;
	struct onnx_node *node;    /* in the graph's order */
	struct constant *constant; /* all of them */
	int64_t file_size;         /* bytes */
	int64_t folded;            /* elements that folding has made */
	struct build *build;
};

/* ---- onnx.c ---- */
/* node NULL: the model as a whole. */
void onnx_error(struct onnx *, const struct onnx_node *, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for what is in order, but beyond this importer. */
void onnx_unsupported(struct onnx *, const struct onnx_node *, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Inputs, outputs and attributes are as its row of the table wants them; false after errors. */
bool onnx_node_check(struct onnx *, const struct onnx_node *);
/* Notes a file for dependency lists. */
void onnx_file_read(struct program *, const char *path);
/* A name of the model as messages show it: shortened, "" for NULL. */
const char *onnx_shown(struct arena *, const char *name);

/* ---- onnx_wire.c: the file's bytes ---- */
/* What keeps the bytes from being a message of this type, as a sentence in the arena; NULL if nothing does. */
const char *onnx_wire_check(struct arena *, const ProtobufCMessageDescriptor *, const uint8_t *,
			    size_t);

/* ---- onnx_graph.c: names and order ---- */
/* Fills value and node, checks every name; false after errors. */
bool onnx_graph_read(struct onnx *);
struct onnx_value *onnx_value_find(const struct onnx *, const char *name);
const struct onnx_op *onnx_op_find(const char *name);

/* ---- onnx_input.c ---- */
/* Makes the graph's inputs inputs of the network; false after errors. */
bool onnx_inputs_open(struct onnx *);

/* ---- onnx_attribute.c ---- */
/* Every attribute is known to the operator, of the right kind, and given once; false after errors. */
bool onnx_attributes_check(struct onnx *, const struct onnx_node *);
const Onnx__AttributeProto *onnx_attribute(const struct onnx_node *, const char *name);
int64_t onnx_integer(const struct onnx_node *, const char *name, int64_t otherwise);
double onnx_number(const struct onnx_node *, const char *name, double otherwise);
const char *onnx_string(struct onnx *, const struct onnx_node *, const char *name,
			const char *otherwise);

/* Integers of an attribute or of a constant input. */
enum { ONNX_MAX_INTEGERS = 100000 };
struct integers {
	int count; /* -1: not given */
	const int64_t *item;
};
struct integers onnx_integers(const struct onnx_node *, const char *name);
/* An axis brought into 0 .. rank-1; -1 after an error. */
int onnx_axis(struct onnx *, const struct onnx_node *, int64_t axis, int rank);

/* ---- onnx_tensor.c: constants ---- */
/* The type in which elements of the model's type are kept; false when there is none. */
bool onnx_type_of(int32_t onnx_type, enum type *);
/* The same, and it is not widened. */
bool onnx_type_is_native(int32_t onnx_type, enum type *);
const char *onnx_type_name(int32_t onnx_type);
/* NULL after an error, said for the node or, node NULL, for the tensor's own name. */
struct constant *onnx_tensor_decode(struct onnx *, const struct onnx_node *,
				    const Onnx__TensorProto *);
/* All elements zero; NULL after an error. */
struct constant *constant_new(struct onnx *, const struct onnx_node *, int32_t onnx_type, int rank,
			      const int64_t extent[]);
/* The same for a result of folding, of which there is a limit. */
struct constant *constant_made(struct onnx *, const struct onnx_node *, int32_t onnx_type, int rank,
			       const int64_t extent[]);
bool constant_is_integer(const struct constant *);
int64_t constant_integer(const struct constant *, int64_t i); /* saturates */
double constant_number(const struct constant *, int64_t i);
void constant_set_integer(struct constant *, int64_t i, int64_t);
void constant_set_number(struct constant *, int64_t i, double);
/* The lowest bits, as many as the type of the model has. */
void constant_set_bits(struct constant *, int64_t i, uint64_t);

/* Element i becomes element k of the other, converted. */
void constant_copy(struct constant *, int64_t i, const struct constant *from, int64_t k);

/* ---- onnx_fold.c, onnx_reshape.c ---- */
/* Makes the shape the one to which both broadcast, NumPy's way; false where they do not. */
bool shape_broadcast(int *rank, int64_t extent[], int other_rank, const int64_t other[]);
/* A list that is an attribute in older operator sets and input i in newer ones; count -1 where it is neither. */
bool onnx_list(struct onnx *, const struct onnx_node *, const char *name, int i, struct integers *);
/* Marks each of the axes, which may be negative but not repeated; false after an error. */
bool onnx_marked_axes(struct onnx *, const struct onnx_node *, struct integers axes, int rank,
		      bool marked[MAX_RANK]);

/* ---- onnx_slice.c ---- */
struct cut { /* one axis of a Slice: start, start + step, ..., count elements */
	int64_t start, count, step;
};
/* One for each of the axes of a shape; false after an error. */
bool onnx_cuts(struct onnx *, const struct onnx_node *, int rank, const int64_t extent[],
	       struct cut cuts[]);

/* ---- onnx_arrange.c ---- */
/* The permutation of a Transpose; the reverse order where it gives none. */
bool onnx_permutation(struct onnx *, const struct onnx_node *, int rank, int64_t perm[]);

/* ---- onnx_batch_norm.c: what is folded into the layer before ---- */
struct affine { /* y = scale[k] * x + shift[k] for each channel k */
	double *scale, *shift;
	struct onnx_node *node; /* the normalisation */
};
/* The normalisation that alone reads the node's result, if it can be folded into it. */
bool onnx_affine_after(struct onnx *, const struct onnx_node *, int64_t channels, struct affine *);
/* scale * bias + shift, of the weights' type; bias NULL is 0. */
struct constant *onnx_affine_bias(struct onnx *, const struct onnx_node *,
				  const struct constant *weights, const struct constant *bias,
				  int64_t channels, const struct affine *);
/* The result of the layer takes the place of the normalisation's; NULL after an error. */
void onnx_affine_done(const struct affine *, struct tensor *result);

/* ---- onnx_value.c: inputs of a node ---- */
/* The constant behind input i, or NULL: not given, not constant, or poison. */
struct constant *onnx_constant(struct onnx *, const struct onnx_node *, int i);
/* Input i as a tensor of the network; a constant becomes a tensor of this role. NULL after an error. */
struct tensor *onnx_tensor(struct onnx *, const struct onnx_node *, int i, enum role);
/* Integers of constant input i; false after an error, among them that they are not known. */
bool onnx_known(struct onnx *, const struct onnx_node *, int i, const char *what,
		struct integers *);
bool onnx_given(const struct onnx_node *, int i);
/* Rank and extents of input i, constant or not; false if it is poison. */
bool onnx_shape(struct onnx *, const struct onnx_node *, int i, int *rank, int64_t extent[]);

/* A call of a library operator in the making. Arguments without a name go by position. */
struct onnx_call {
	struct onnx *onnx;
	const struct onnx_node *node;
	bool failed; /* an argument is missing: said already, the call gives poison */
	int count;
	struct argument *argument;
};
struct onnx_call onnx_call(struct onnx *, const struct onnx_node *);
void call_tensor(struct onnx_call *, const char *name, struct tensor *); /* NULL fails the call */
void call_input(struct onnx_call *, const char *name, int i, enum role);
void call_number(struct onnx_call *, const char *name, double);
void call_string(struct onnx_call *, const char *name, const char *);
void call_integers(struct onnx_call *, const char *name, int count, const int64_t *);
struct value call_run(struct onnx_call *, const char *op);
struct tensor *call_result(struct onnx_call *, const char *op); /* NULL after an error */
/* Operators of tensors alone; NULL after an error, and where a tensor is NULL. */
struct tensor *call_one(struct onnx *, const struct onnx_node *, const char *op, struct tensor *);
struct tensor *call_two(struct onnx *, const struct onnx_node *, const char *op, struct tensor *,
			struct tensor *);

struct value value_poison(void);
struct value value_of(struct tensor *); /* poison for NULL */
/* A constant as a tensor of the network; NULL after an error. */
struct tensor *constant_tensor(struct onnx *, const struct onnx_node *, const char *name,
			       struct constant *, enum role);
/* The same elements under another shape; NULL for NULL and after an error. */
struct tensor *onnx_view(struct onnx *, const struct onnx_node *, struct tensor *, int rank,
			 const int64_t extent[]);

/* ---- Handlers and folders named in onnx_ops.def ---- */
#define ONNX_OP(name, first, last, least, most, outputs, attributes, library, import, fold)        \
	onnx_handler import_##import;                                                              \
	onnx_folder fold_##fold;
#include "frontend/onnx/onnx_ops.def"
#undef ONNX_OP

#endif
