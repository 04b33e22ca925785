/* program.h -- from a quantised network and its mappings to a program for the accelerator. */
#ifndef BACKEND_ACCELERATOR_PROGRAM_H
#define BACKEND_ACCELERATOR_PROGRAM_H

#include "mapper/network/network_map.h"
#include "runtime/dnx.h"

/* The parts of a program that the network's statements became. */
struct program_parts {
	int layers, statements;
};

/* What is multiplied and accumulated in integers and has a mapping runs on the array, all else by statements. Tensors get their places in the
 * outermost memory, constants first. False when memory is out; in any case the dnx is the caller's to free. */
bool program_write(struct dnx *, const struct network *, const struct network_mapping *, const char *file,
		   struct program_parts *);

#endif
