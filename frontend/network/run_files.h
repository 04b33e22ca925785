/* run_files.h -- the .npy files of a run: the inputs of a network are read, its outputs written. What is wrong is in
 * diag, and the result false. */
#ifndef FRONTEND_RUN_FILES_H
#define FRONTEND_RUN_FILES_H

#include "frontend/network/network.h"

/* The array of one file; the caller's. */
bool array_read(const char *path, struct array **, struct diag *);
/* A file for each input of the network, in their order. The arrays are the caller's, after an error too. */
bool inputs_read(const struct network *, const char *const path[], int count,
		 struct array *input[], struct diag *);
/* Into the file of this path if it ends in .npy, and then the first output alone; else each into a file of its name
 * in the folder of this path. */
bool outputs_write(const struct network *, struct array *const output[], const char *path,
		   struct diag *);
void outputs_print(const struct network *, struct array *const output[], FILE *);

#endif
