/* count.h -- what the two halves of the cost model share: cost.c counts mappings of whole steps, imperfect.c all. */
#ifndef MAPPER_COUNT_H
#define MAPPER_COUNT_H

#include "mapper/cost/cost.h"

/* Words through the ports of the instance of a level that moves most through each. */
struct load {
	int64_t read, write, shared; /* of the operands whose class has no port of its own */
	int64_t own[CLASSES];
};

/* Takes what one instance moves into the load of its level. */
void load_take(struct load *, const struct mapping *, int level,
	       int64_t words[MAX_OPERANDS][ACCESS_KINDS]);

/* Are units along this loop in space served together by the network of its array, sums added there? Rule 4. */
bool is_merged(const struct mapping *, const struct operand *, int loop);

/* Steps whole or not: fills the traffic but for the tiles, instances, units and steps, and the load of each level, all of
 * which are 0 before. False where memory is out. */
bool imperfect_count(const struct mapping *, struct cost *, struct load[MAX_LEVELS]);

#endif
