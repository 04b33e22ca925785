/* interpret.h -- the reference interpreter: every statement as naive loops, one point after the other.
 * It is the ground truth for the values of every backend.
 *
 * What docs/language.md 3.3 leaves to be said (every backend does the same):
 * - A node is computed in its type, its operands converted to it first: each operation is rounded once,
 *   libm's functions are those of the type's width (expf, exp). Comparisons, and, or are computed in the
 *   common type of their operands; the condition of select in its own; uniform takes an i64.
 * - A value is converted to the target's type before it is combined. `+=` of a MUL whose type is a
 *   float type and the target's is fma(a, b, target); any other `+=` is an addition in the target's type:
 *   i32 and i64 wrap, i8 and i16 saturate. `max=` gives NaN if either is, and -0 < +0.
 * - What `else value` gives is the value converted to the tensor's type, as a store converts. */
#ifndef FRONTEND_INTERPRET_H
#define FRONTEND_INTERPRET_H

#include "frontend/network/network.h"

/* input[i] has the type and shape of network->input[i]; output[i] is allocated for the caller (array_free).
 * Every parameter has data. Returns NULL, or a sentence (malloc'd, freed by the caller). */
char *interpret(const struct network *, struct array *const input[], struct array *output[]);

#endif
