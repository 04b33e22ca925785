/* reach.h -- how far routes along one axis of an array reach, to either side of the port: docs/cost-model.md section 2, rule 4. */
#ifndef MAPPER_REACH_H
#define MAPPER_REACH_H

#include "mapper/machine/hierarchy.h"

struct reach {
	int64_t up, down; /* links */
};

/* One more place is to be reached, of so many in the machine: on a torus the shorter way round, of equal ones upward. */
static inline void reach_to(struct reach *r, int64_t place, int64_t length, enum topology topology)
{
	if (topology == TOPOLOGY_TORUS && 2 * place > length) {
		if (r->down < length - place)
			r->down = length - place;
	} else if (r->up < place) {
		r->up = place;
	}
}

#endif
