/* mapping_timeloop.h -- a mapping in Timeloop's YAML: docs/timeloop.md. */
#ifndef MAPPER_MAPPING_TIMELOOP_H
#define MAPPER_MAPPING_TIMELOOP_H

#include "frontend/timeloop/yaml.h"
#include "mapper/mapping/mapping.h"

/* The list 'mapping' of a document (timeloop_load), for this problem and machine. NULL after errors, which are in the
 * program's diag; without a document there are such. */
struct mapping *mapping_timeloop(struct program *, const struct yaml *document, const struct problem *,
				 const struct hierarchy *);

#endif
