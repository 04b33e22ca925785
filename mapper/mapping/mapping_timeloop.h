/* mapping_timeloop.h -- a mapping in Timeloop's YAML: docs/timeloop.md. */
#ifndef MAPPER_MAPPING_TIMELOOP_H
#define MAPPER_MAPPING_TIMELOOP_H

#include "mapper/mapping/mapping.h"

/* The list 'mapping' of a file, for this problem and machine. NULL after errors, which are in the program's diag. */
struct mapping *mapping_timeloop(struct program *, const char *path, const struct problem *,
				 const struct hierarchy *);

#endif
