/* grow.h -- one level outward: labels get the units of an array, and the loops of a level. */
#ifndef MAPPER_GROW_H
#define MAPPER_GROW_H

#include "mapper/proof/label.h"

/* Puts the label, spread over the array inside a level, on the shelf, unless it is no box of the problem or lost. */
void grow_spread(struct prover *, const struct label *, int level, const struct spread *);
/* Every set that a level may keep and every block of loops in time, around all labels; what remains is on the level's shelf, at
 * level 0 in the bound. */
void grow_level(struct prover *, const struct label *, int level);
/* Of the innermost tiles: the MACs, before anything is there. */
void grow_begin(const struct prover *, struct draft *);

#endif
