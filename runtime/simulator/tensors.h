/* tensors.h -- the tensors of a program and the outermost memory that they lie in, as bytes. */
#ifndef RUNTIME_SIMULATOR_TENSORS_H
#define RUNTIME_SIMULATOR_TENSORS_H

#include "runtime/array.h"
#include "runtime/isa.h"

/* In the order of the words of isa.def. */
enum sim_role { SIM_LOCAL, SIM_CONSTANT, SIM_VIEW };

struct sim_tensor {
	const char *name; /* of the code */
	enum type type;
	enum sim_role role;
	int rank;
	int64_t extent[MAX_RANK];
	int64_t address; /* of the first byte; 64-byte aligned */
	int64_t count;   /* elements */
};

/* What a program is given, or computes. */
struct sim_port {
	const char *name; /* of the code */
	int tensor;
};

enum { SIM_PORTS = 64 };

struct tensors {
	int count, inputs, outputs;
	struct sim_tensor *tensor; /* owned */
	struct sim_port input[SIM_PORTS], output[SIM_PORTS];
	uint8_t *image;            /* the memory; 64-byte aligned, owned */
	size_t bytes;
};

/* Checks that no two lie in one place but views, which have that of another tensor, and that constants lie in those of the file. The
 * memory begins with the constants and zeros. NULL, or a sentence (malloc'd); what was read is to be freed in any case. */
char *tensors_read(struct tensors *, const struct code *, const uint8_t *constants, size_t size);
void tensors_free(struct tensors *);

/* An element of an integer tensor; a value is cut to the bits of the type. */
int64_t tensor_word(const struct tensors *, const struct sim_tensor *, int64_t element);
void tensor_set_word(const struct tensors *, const struct sim_tensor *, int64_t element, int64_t);

#endif
