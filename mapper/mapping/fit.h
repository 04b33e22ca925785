/* fit.h -- does a mapping fit its machine? Rule 8 of docs/cost-model.md section 2, and where it is broken, by what and
 * how much. `mapping_fits` of cost.h says it in a sentence. */
#ifndef MAPPER_FIT_H
#define MAPPER_FIT_H

#include "mapper/mapping/mapping.h"

enum misfit_kind { MISFIT_ROOM, MISFIT_FANOUT };

struct misfit {
	enum misfit_kind kind;
	int level;             /* the memory, or the one whose array is too small */
	unsigned operands;     /* ROOM: bit per operand that counts */
	int64_t needed, there; /* words of one buffer, or units */
	int loop;              /* FANOUT: the loop in space that is too much, */
	int axis;              /* and its axis */
	int dim;               /* shortening it helps; -1: no single dimension does */
	int64_t largest; /* of this dimension in the tile, or of units of the loop, that fits */
};

/* The first rule that a mapping breaks at a level; false where it breaks none. */
bool level_misfit(const struct mapping *, int level, struct misfit *);
/* "a tile of 96x27x27 = 69984 words of O does not fit memory 'glb' (55296 words)" */
const char *misfit_sentence(struct arena *, const struct mapping *, const struct misfit *);
/* "the largest that fits is m = 75", or NULL. */
const char *misfit_remedy(struct arena *, const struct mapping *, const struct misfit *);

#endif
