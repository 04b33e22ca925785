/* machine.h -- the machine as the compiler knows it, from the blocks of a .hw file.
 *
 * A machine is a tree of blocks: memories, arrays of processing elements, networks, nodes. The table machine.def
 * says which block may stand where, which properties it has, and which measure each value has; this
 * header gives them as values in base units. Later chapters (mapper, partitioner) read them from here. */
#ifndef FRONTEND_MACHINE_H
#define FRONTEND_MACHINE_H

#include "frontend/syntax/program.h"

enum machine_kind { MACHINE_CPU, MACHINE_ACCELERATOR, MACHINE_CLUSTER };

struct machine {
	const char *name;
	enum machine_kind kind;
	bool native;        /* cpu: properties left out are this host's */
	const char *cpu;    /* cpu: LLVM's name, or NULL */
	const char *triple; /* cpu: or NULL */
	/* Checked: every property is known, in place, of the right measure. */
	const struct tree_block *block;
};

/* Checks the machine of this name; NULL as a name means the last that is not a node of another. NULL after errors. */
struct machine *machine_check(struct program *, const char *name);
/* Its text, as it was understood. */
void machine_print(const struct machine *, FILE *);

#endif
