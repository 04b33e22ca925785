/* write.h -- mappings as files that timeloop-model evaluates: docs/timeloop.md. */
#ifndef BACKEND_TIMELOOP_WRITE_H
#define BACKEND_TIMELOOP_WRITE_H

#include <stdio.h>

#include "mapper/mapping/mapping.h"

/* One YAML document for each mapping: its problem, its machine with an energy table, itself. What Timeloop counts in another
 * way is an error in diag, and then what was written is of no use; what it does not know at all is a warning. */
bool timeloop_write(const struct mapping *const maps[], int count, FILE *, struct arena *, struct diag *);

/* The same as a file, whole or not at all. */
bool timeloop_write_file(const struct mapping *const maps[], int count, const char *path, struct arena *,
			 struct diag *);

#endif
