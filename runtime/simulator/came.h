/* came.h -- which words of the output have come, to each instance of a level, through one boundary: first visits are not read. */
#ifndef RUNTIME_SIMULATOR_CAME_H
#define RUNTIME_SIMULATOR_CAME_H

#include "runtime/simulator/box.h"
#include "runtime/simulator/layer.h"

/* Of one boundary: the levels from its parent to its child have a set of words for each instance. */
struct came {
	int64_t *count[MAX_LEVELS + 1]; /* words that have come to each instance; NULL: of no interest */
	uint64_t *bit[MAX_LEVELS + 1];  /* a bit for each word of the output, instance after instance; NULL: they are not marked */
	int64_t words;                  /* of the output, rounded up to whole 64 */
};

/* Of the levels whose bit is set. False when memory is out; then, too, it is to be freed. */
bool came_make(struct came *, const struct sim_layer *, unsigned levels, bool are_marked);
/* requires that all runs are alike. The counts in the end, from the loops: along each rank, the coordinates that any step and unit reach.
 * False when memory is out. */
bool came_tell(struct came *, const struct sim_layer *, int child);
void came_free(struct came *);
/* Words came to an instance of a level, the child or one around it. */
void came_add(struct came *, const struct sim_layer *, int level, int64_t instance, const struct box *);

#endif
