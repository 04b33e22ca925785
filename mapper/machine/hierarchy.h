/* hierarchy.h -- from a machine description to the machine as the mapper counts it, runtime/simulator/hierarchy.h. */
#ifndef MAPPER_HIERARCHY_H
#define MAPPER_HIERARCHY_H

#include "frontend/machine/machine.h"
#include "runtime/simulator/hierarchy.h"

/* The hierarchy of an accelerator, of a program without errors; errors (no line, too many levels) in diag, then NULL. */
struct hierarchy *hierarchy_of(struct program *, const struct machine *);
/* The bits of its word, where a memory has no other. */
int machine_word(struct program *, const struct machine *);
/* MAC units of the whole machine; INT64_MAX where they are more. */
int64_t hierarchy_units(const struct hierarchy *);

#endif
