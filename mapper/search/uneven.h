/* uneven.h -- the search with loops in space that do not part evenly: docs/mapper.md section 1, rule 3. */
#ifndef MAPPER_UNEVEN_H
#define MAPPER_UNEVEN_H

#include "mapper/search/search.h"

/* Of a result whose search knew perfect factors alone makes that of the whole space. */
void search_uneven(struct arena *, const struct problem *, const struct hierarchy *, const struct search_options *,
		   struct search_result *);

#endif
