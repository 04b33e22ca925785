/* rest.h -- what the first search leaves: the space of perfect factors, where it took too long, and those in which loops in space do
 * not part evenly (docs/mapper.md section 1, rule 3). */
#ifndef MAPPER_REST_H
#define MAPPER_REST_H

#include "mapper/search/search.h"

/* Of a result that knows a part of the space makes that of the whole: with `perfect` nothing was proven of perfect factors
 * yet. */
void search_rest(struct arena *, const struct problem *, const struct hierarchy *, const struct search_options *, bool perfect,
		 struct search_result *);

#endif
