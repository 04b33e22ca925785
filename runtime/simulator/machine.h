/* machine.h -- the machine of a .dnx file: a hierarchy as instructions, and back. */
#ifndef RUNTIME_SIMULATOR_MACHINE_H
#define RUNTIME_SIMULATOR_MACHINE_H

#include "runtime/isa.h"
#include "runtime/simulator/hierarchy.h"

/* False when memory is out. */
bool machine_write(struct code *, const struct hierarchy *);
/* Every value is checked; names are those of the code. NULL, or a sentence (malloc'd). */
char *machine_read(const struct code *, struct hierarchy *);

#endif
