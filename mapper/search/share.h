/* share.h -- sharing among units whose tiles overlap in more than one dimension. */
#ifndef MAPPER_SHARE_H
#define MAPPER_SHARE_H

#include "mapper/mapping/mapping.h"

struct unit_loop {
	int level, dim;
	int64_t units, tile; /* that one unit holds of the dimension */
	int is_merged;       /* the network serves these units together: 0 or 1 */
};

/* Words that come from outside for each that the units receive, or the reverse for the output. Loops from the innermost
 * array outward. -1: no memory. */
double share_ratio(const struct operand *, int count, struct unit_loop[]);

#endif
