/* count.h -- what the two halves of the cost model share: cost.c counts mappings of whole steps, imperfect.c all. */
#ifndef MAPPER_COUNT_H
#define MAPPER_COUNT_H

#include "mapper/cost/cost.h"

/* What is asked of a mapping again and again. The level after the last is that of the MACs. */
struct outline {
	const struct mapping *m;
	int64_t steps[MAX_MAPPED_LOOPS];      /* of the first run of each loop */
	int64_t turns[MAX_MAPPED_LOOPS + 1];  /* steps of all loops in time before this one */
	int first[MAX_LEVELS + 1];            /* loop at this level or inside of it */
	int64_t box[MAX_LEVELS + 1][MAX_DIMS]; /* the greatest that the loops from there on walk */
};

/* One operand, rank by rank. */
struct view {
	const struct outline *outline;
	const struct operand *operand;
	int number;     /* of the operand */
	bool is_plain;  /* no rank is indexed by several dimensions */
	struct rank {
		unsigned dims; /* bit per dimension that indexes it */
		int terms;
		struct term { int dim; int64_t coef; } term[MAX_DIMS]; /* coef > 0 */
	} rank[MAX_RANK];
};

/* Fills the outline; is every step whole? */
bool outline_of(const struct mapping *, struct outline *);
void view_of(const struct outline *, int operand, struct view *);
/* Length of a rank, and words, of a box. */
int64_t view_length(const struct view *, int rank, const int64_t extent[MAX_DIMS]);
int64_t view_words(const struct view *, const int64_t extent[MAX_DIMS]);
/* Is there a rank along which several of these dimensions move a tile, so that steps may come to one place? */
bool view_meets(const struct view *, unsigned dims);
/* Are units along this loop in space served together by the network of its array, sums added there? Rule 4. */
bool view_merges(const struct view *, int loop);

/* Words through the ports of the instance of a level that moves most through each. */
struct load {
	int64_t read, write, shared; /* of the operands whose class has no port of its own */
	int64_t own[CLASSES];
	int64_t network; /* at the outer end of the array inside, where that is limited */
};

/* Words that one instance of a level moves of one operand: through its ports, and through the outer end of the array inside. */
struct moved {
	int64_t words[ACCESS_KINDS];
	int64_t network;
};

/* Words that each instance of a level reads to pass them on to a neighbour, in all; NULL: none. */
struct passed {
	bool any[MAX_LEVELS + 1];
	int64_t *words[MAX_LEVELS + 1][MAX_OPERANDS];
};

/* Fills the hops of arrays that are meshes, and what is passed on along links. False where memory is out. */
bool routes_count(const struct outline *, const struct view[], struct cost *, struct passed *);
void passed_free(struct passed *);

/* Takes what one instance moves of each operand, and so many do alike, into the traffic of the level and into its load. */
void take_instances(const struct mapping *, int level, const struct moved[MAX_OPERANDS],
		    int64_t instances, struct cost *, struct load *);
/* The same of one instance, that of this number, which passes words on as well. */
void take_instance(const struct mapping *, int level, const struct moved[MAX_OPERANDS],
		   const struct passed *, int64_t instance, struct cost *, struct load *);

/* Steps whole or not: fills the traffic but for the tiles and hops, instances, units and steps, and the load of each level, all of
 * which are 0 before. False where memory is out. */
bool imperfect_count(const struct outline *, const struct view[], const struct passed *, struct cost *,
		     struct load[MAX_LEVELS]);

#endif
