/* cpu.h -- native code: the statements of a network as LLVM IR, then an object file or code in
 * memory.
 *
 * Emitted interface, for a network `lenet` with input `image` and output `out` (names made valid
 * C names):
 *
 *     #define LENET_SCRATCH_BYTES 12544
 *     struct lenet_inputs  { const float *image; };   // f32[1, 1, 28, 28], row-major
 *     struct lenet_outputs { float *out; };           // f32[1, 10]
 *     void lenet_run(const struct lenet_inputs *, const struct lenet_outputs *, void *scratch);
 *
 * Pointers are aligned to their elements; outputs overlap neither each other nor the inputs.
 * The function allocates nothing, keeps no state and may run in many threads at once, each with
 * its own scratch (64-byte aligned, LENET_SCRATCH_BYTES bytes; NULL is allowed where that is 0).
 * Weights lie inside the object. The only functions it calls are those of the C library (memcpy,
 * memset) and libm (expf, ...). Values equal the reference interpreter's bit for bit: sums are
 * taken in the same order. */
#ifndef BACKEND_CPU_CPU_H
#define BACKEND_CPU_CPU_H

#include "frontend/network/network.h"

struct cpu_target {
	const char *triple;   /* NULL = this machine's */
	const char *cpu;      /* NULL = this machine's; "generic" when the triple is another's */
	const char *features; /* NULL = this machine's or the cpu's own */
	const char *triple_from, *cpu_from; /* who names it, for messages; NULL = -mtriple, -mcpu */
};

enum cpu_form { CPU_OBJECT, CPU_ASSEMBLY, CPU_IR };

/* The bytes of the file in *data (malloc'd, freed by the caller). *note, when not NULL, is a
 * sentence the user should see (fell back to generic code). Returns NULL or a sentence with
 * cause and remedy (malloc'd). */
char *cpu_emit(const struct network *, const struct cpu_target *, enum cpu_form, char **data,
	       size_t *size, char **note);

/* The C header for the object; name is the file's, for the include guard. */
char *cpu_header(const struct network *, const char *name, char **data, size_t *size);

/* Compiled in memory, ready to run. */
struct cpu_program;
char *cpu_compile(const struct network *, const struct cpu_target *, struct cpu_program **);
char *cpu_run(const struct cpu_program *, struct array *const input[], struct array *output[]);
void cpu_program_free(struct cpu_program *);

#endif
