/* route.h -- what an array makes of the words that pass it on their way to its units: hops where it is a mesh or a torus, and
 * words that units read for their neighbours along links. docs/cost-model.md section 2, rule 4. */
#ifndef MAPPER_ROUTE_H
#define MAPPER_ROUTE_H

#include "mapper/search/share.h"
#include "mapper/search/terms.h"

/* Does the array inside a level count its links for the operand's words; do its units pass them on? */
bool route_is_meshed(const struct terms *, int level, int operand);
bool route_is_linked(const struct terms *, int level, int operand);
/* Of units that do not slide: they share along the dimensions that do not index the operand, whatever lies inside. */
void route_plain(const struct terms *, int level, const struct spread *, int operand, struct route *);
/* Links for each word that a unit needs, at least, of units that slide and that no others lie inside of. */
double route_least(const struct terms *, int level, const struct spread *, int operand);
/* Unit by unit; loops from the innermost array outward, those of this array last. False: no memory. */
bool route_units(const struct terms *, int level, int operand, int count, struct unit_loop[], struct route *);

#endif
