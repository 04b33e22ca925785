/* accelerator.h -- a quantised network that is mapped onto an accelerator becomes a program, which is written to a file or executed on
 * the simulated machine. What is wrong is in diag, and the result false. */
#ifndef BACKEND_ACCELERATOR_H
#define BACKEND_ACCELERATOR_H

#include "mapper/network/network_map.h"

/* What a program is made of. Layers that are given no mapping are statements; `source` is the network's file. */
struct accelerator_job {
	const struct network *network;
	const struct network_mapping *mapped;
	const char *source;
};

/* A .dnx file, or into the folder of this path under the network's name. *note is a sentence about it (in diag's arena). */
bool accelerator_write(const char *path, const struct accelerator_job *, struct diag *, const char **note);
/* Arrays are those of the network's inputs; those of its outputs are the caller's to free. Counters that are not the model's are an
 * error, with a table of them. */
bool accelerator_run(const struct accelerator_job *, struct array *const input[], struct array *output[],
		     struct diag *, const char **note);

/* Executes a .dnx file on .npy files, and writes or (out is NULL) prints what it computes. Where a machine is given, the program is for
 * that one. */
bool accelerator_run_file(const char *path, const struct hierarchy *, const char *const input[], int inputs,
			  const char *out, FILE *, struct diag *);

#endif
