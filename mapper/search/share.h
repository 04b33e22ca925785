/* share.h -- sharing among units whose tiles overlap in more than one dimension. */
#ifndef MAPPER_SHARE_H
#define MAPPER_SHARE_H

#include "mapper/cost/sums.h"
#include "mapper/search/terms.h"

struct unit_loop {
	int level, dim;
	int64_t units, tile; /* that one unit holds of the dimension */
	int is_merged;       /* the network serves these units together: 0 or 1 */
	int axis;
};

/* Does the network of the array inside a level serve units along an axis together? */
bool share_is_merged(const struct terms *, int level, int operand, int axis);
/* How far apart the tiles of the units along each loop lie: places as one number. */
void share_places(const struct operand *, int count, const struct unit_loop[], struct shift[]);
/* What units need together, loop by loop from the innermost array outward. False: no memory. */
bool share_inside(int count, const struct unit_loop[], const struct shift[], struct places *);

/* Words that come from outside for each that the units receive, or the reverse for the output. Loops from the innermost
 * array outward. -1: no memory. */
double share_ratio(const struct operand *, int count, struct unit_loop[]);

#endif
