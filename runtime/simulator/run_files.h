/* run_files.h -- the .npy files of a program that is executed. Errors are sentences (malloc'd) or NULL. */
#ifndef RUNTIME_SIMULATOR_RUN_FILES_H
#define RUNTIME_SIMULATOR_RUN_FILES_H

#include "runtime/simulator/run.h"

/* A file for each input, in their order. The arrays are the caller's, after an error too. */
char *run_read_inputs(const struct run *, const char *const path[], int count, struct array *input[]);
/* Could the outputs be written there? Asked before the work. */
char *run_may_write(const struct run *, const char *path);
/* Into the file of this path if it ends in .npy, else each into a file of its name in the folder of this path. */
char *run_write_outputs(const struct run *, struct array *const output[], const char *path);
void run_print_outputs(const struct run *, struct array *const output[], FILE *);

#endif
