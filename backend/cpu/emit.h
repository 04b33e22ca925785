/* emit.h -- inside the CPU backend: what its parts share while one module of LLVM IR is made.
 *
 * kernel  the function of one statement; statements of equal nests, shapes and types share it
 * width   elements computed at once: 1 is a scalar, more a vector
 * place   where an access stands while the nest advances
 * pool    memory that outlives the emission and holds the weights of a program that runs here
 *
 * Memory is the emitter's arena. LLVM aborts or exits where it gives up; apart.h keeps that from
 * us. */
#ifndef BACKEND_CPU_EMIT_H
#define BACKEND_CPU_EMIT_H

#include "mapper/nest/nest.h"

#include <llvm-c/Core.h>

struct pool {
	char *base; /* 64-byte aligned */
	size_t size, used;
};

struct emitter {
	struct arena *arena;
	const struct network *net;
	struct nest_machine machine;
	const char *cpu, *features; /* for the attributes of functions */
	bool swaps_bytes;           /* the target is big-endian */
	struct pool *pool;          /* or NULL: weights lie in the module */
	LLVMContextRef context;
	LLVMModuleRef module;
	LLVMBuilderRef builder;
	struct cached *kernel; /* functions made so far, by description */
	struct cached *weight; /* constants made so far */
};

/* A list with few entries, searched from its head. */
struct cached {
	const char *key;
	size_t length;
	LLVMValueRef value;
	struct cached *next;
};
LLVMValueRef cached_find(const struct cached *, const char *key, size_t length);
void cached_add(struct arena *, struct cached **, const char *key, size_t length, LLVMValueRef);

/* ---- value.c: arithmetic of docs/language.md 3.3 on scalars and vectors --------------------- */

LLVMTypeRef emit_type(struct emitter *, enum type, int width);
LLVMValueRef emit_integer(struct emitter *, int64_t); /* i64 */
LLVMValueRef emit_constant(struct emitter *, enum type, double,
			   int width); /* converted as a store does */
LLVMValueRef emit_splat(struct emitter *, LLVMValueRef, int width);
LLVMValueRef emit_lane(struct emitter *, LLVMValueRef, int lane, int width);
LLVMValueRef emit_with_lane(struct emitter *, LLVMValueRef, LLVMValueRef element, int lane,
			    int width);
/* An intrinsic whose overloaded types are those given. */
LLVMValueRef emit_intrinsic(struct emitter *, const char *name, LLVMTypeRef overloaded[], int types,
			    LLVMValueRef argument[], int arguments);
LLVMValueRef emit_convert(struct emitter *, LLVMValueRef, enum type from, enum type to, int width);
/* operand[i] holds of[i]; the result is computed in `type`. */
LLVMValueRef emit_apply(struct emitter *, enum scalar_fn, enum type, LLVMValueRef operand[],
			const enum type of[], int width);
/* value combined into what the target holds, both in the target's type. */
LLVMValueRef emit_combine(struct emitter *, enum reduce, enum type, LLVMValueRef held,
			  LLVMValueRef value, int width);
LLVMValueRef emit_fma(struct emitter *, LLVMValueRef, LLVMValueRef, LLVMValueRef);

/* ---- library.c: functions that emitted code calls ------------------------------------------- */

/* The C library's function of this scalar function in f32 or f64, called for each lane. */
LLVMValueRef emit_call(struct emitter *, enum scalar_fn, enum type, LLVMValueRef operand[],
		       int width);
/* random_uniform of runtime/random.h with seed 0 and stream 0; position is an i64, the result an
 * f32. */
LLVMValueRef emit_uniform(struct emitter *, LLVMValueRef position, int width);

/* ---- kernel.c ------------------------------------------------------------------------------- */

/* void kernel(target, read 0, read 1, ...) */
LLVMValueRef emit_kernel(struct emitter *, const struct nest *);

/* ---- weights.c ------------------------------------------------------------------------------ */

/* A pointer to the elements of a constant, or of the panel of it that the access reads. */
LLVMValueRef emit_weights(struct emitter *, const struct nest *, const struct nest_access *);
LLVMValueRef emit_tensor_data(struct emitter *, const struct tensor *);

/* ---- module.c ------------------------------------------------------------------------------- */

/* The name of the function where the weights lie in a pool, whatever the network is called. */
#define EMIT_POOL_SYMBOL "network_run"

/* The whole network; scratch is what the caller of the emitted function must provide. */
void emit_network(struct emitter *, int64_t *scratch);
/* The bytes of that scratch, which are the same for every target; negative: they do not fit. */
int64_t emit_scratch(struct arena *, const struct network *);

#endif
