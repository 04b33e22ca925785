/* links.h -- the way that one sending takes through an array: the links of a mesh or torus, and the units that pass it on. */
#ifndef RUNTIME_SIMULATOR_LINKS_H
#define RUNTIME_SIMULATOR_LINKS_H

#include "runtime/simulator/sender.h"

/* Links of all routes together; mesh and torus. */
int64_t links_taken(const struct sim_layer *, enum topology, const struct sending *);
/* For each unit but the first of each chain, calls `pass` with the unit before it. */
void links_pass_on(const struct sim_layer *, unsigned linked, const struct sending *,
		   void (*pass)(void *, const struct sending *, int64_t unit), void *context);

#endif
