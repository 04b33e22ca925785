/* nest_choice.h -- the second half of nest_choose: from loops and accesses to lanes, registers
 * and an order. */
#ifndef MAPPER_NEST_CHOICE_H
#define MAPPER_NEST_CHOICE_H

#include "mapper/nest/nest.h"

/* requires loops and accesses; fills order, vector_loop, lanes, vectors, tile_loop, tile and
 * turns constants into panels */
void nest_choice(struct nest *, const struct nest_machine *);

#endif
