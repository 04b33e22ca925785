/* describe.h -- what a kernel's code depends on, as bytes: equal bytes, equal code. */
#ifndef BACKEND_CPU_DESCRIBE_H
#define BACKEND_CPU_DESCRIBE_H

#include "mapper/nest/nest.h"

/* In the arena. */
const char *describe_nest(struct arena *, const struct nest *, size_t *length);

#endif
