/* interpret.h -- the reference interpreter: every statement as naive loops, one point after the other.
 * It is the ground truth for the values of every backend. */
#ifndef FRONTEND_INTERPRET_H
#define FRONTEND_INTERPRET_H

#include "frontend/network.h"

/* input[i] has the type and shape of network->input[i]; output[i] is allocated for the caller (array_free).
 * Every parameter has data. Returns NULL, or a sentence (malloc'd, freed by the caller). */
char *interpret(const struct network *, struct array *const input[], struct array *output[]);

#endif
