/* first_mapping.h -- some mapping for little, where a budget may end before the search has one. */
#ifndef MAPPER_FIRST_MAPPING_H
#define MAPPER_FIRST_MAPPING_H

#include "mapper/search/search.h"

/* The best of the mappings that part loops among units in one way, within the options' budget; CUT, for of all others
 * nothing is known: bound and root are 0. */
void first_mapping(struct arena *, const struct problem *, const struct hierarchy *,
		   const struct search_options *, struct search_result *);

#endif
