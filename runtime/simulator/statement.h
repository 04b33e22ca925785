/* statement.h -- a statement of a program, checked and executed: what the array does not do. Its meaning is that of docs/language.md
 * section 3.3, bit for bit. */
#ifndef RUNTIME_SIMULATOR_STATEMENT_H
#define RUNTIME_SIMULATOR_STATEMENT_H

#include "runtime/simulator/tensors.h"

/* Executes the statement that begins at *place of the program, which then is the place behind it. NULL, or a sentence (malloc'd) of what is
 * wrong with it; then nothing has been executed. */
char *statement_run(const struct code *, int *place, const struct tensors *);

#endif
