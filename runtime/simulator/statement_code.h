/* statement_code.h -- a statement as its instructions say it, checked: between statement_read.c and statement.c. */
#ifndef RUNTIME_SIMULATOR_STATEMENT_CODE_H
#define RUNTIME_SIMULATOR_STATEMENT_CODE_H

#include "runtime/scalar.h"
#include "runtime/simulator/tensors.h"

/* Expressions of a network are at most 1000 deep. */
enum { STATEMENT_LOOPS = 16, STATEMENT_ACCESSES = 256, STATEMENT_STEPS = 8192, STATEMENT_DEPTH = 1024 };

/* In the order of the words of isa.def. */
enum reduction { REDUCTION_STORE, REDUCTION_SUM, REDUCTION_MAX };
enum beyond_tensor { BEYOND_NONE, BEYOND_VALUE, BEYOND_CLAMP, BEYOND_DROP };

struct affine {
	int64_t offset, divisor;
	int64_t coef[STATEMENT_LOOPS];
};

/* Division that rounds down. */
static inline int64_t affine_divide(int64_t sum, int64_t divisor)
{
	return sum / divisor - (sum % divisor < 0);
}

struct statement_access {
	int tensor;
	enum beyond_tensor beyond;
	double value;
	int axes;
	struct affine axis[MAX_RANK];
};

/* One push onto the stack: a constant, a position, a read, or a function of what is on top. */
struct statement_step {
	enum opcode op;
	enum type type;
	double value;
	int index; /* of the loop, or of the access */
	enum scalar_fn fn;
};

struct statement_code {
	enum reduction reduction;
	int loops, accesses, steps;
	int64_t extent[STATEMENT_LOOPS];
	struct statement_access access[STATEMENT_ACCESSES]; /* the target first */
	struct statement_step step[STATEMENT_STEPS];
	enum type type; /* of the value */
};

/* As statement_run; nothing is executed. */
char *statement_read(struct statement_code *, const struct code *, int *place, const struct tensors *);

#endif
