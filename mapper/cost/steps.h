/* steps.h -- steps of loops that need not be whole, without walking the nest.
 *
 * A loop leaves its tile to the inside, and in its last step what is left; so however many steps it has, the loops of a
 * dimension leave few different extents, at most one more for each loop.
 *
 * selection  which steps are looked at: of each loop all or one
 * part       an extent of one dimension that these steps leave to the tile, and how often
 * run        steps of a loop, one after the other, in which all that is inside does alike
 * sent       a box of words that a unit takes or gives in a step */
#ifndef MAPPER_STEPS_H
#define MAPPER_STEPS_H

#include "mapper/cost/count.h"

enum {
	ALL = -1,
	NO_LOOP = -1,
	MOST_PARTS = 4 * MAX_MAPPED_LOOPS,
	MOST_RUNS = 8 * MAX_MAPPED_LOOPS
};

struct selection {
	const struct outline *outline;
	const struct mapping *m;
	const struct view *view; /* of an operand, where words are asked for */
	int to;                  /* the tile is what the loops from here on walk */
	int inner; /* the loop whose steps bring only what is new (rule 2); NO_LOOP: all bring the tile */
	int64_t step[MAX_MAPPED_LOOPS]; /* of each loop outside of the tile, or ALL */
};

struct part {
	int64_t extent;
	int64_t before; /* extent of the tile that the unit held one step of the inner loop before; 0: none */
	int64_t times;
};

struct parts {
	int count;
	struct part part[MOST_PARTS]; /* all different, none empty */
};

struct run {
	int64_t first, count;
};

struct sent {
	int64_t unit; /* those that remain to be told apart */
	int64_t first[MAX_RANK], extent[MAX_RANK];
	int64_t times;
};

/* What a step of a loop of this tile leaves of an extent. */
int64_t steps_left(int64_t extent, int64_t step, int64_t tile);
/* One step or all of the loops in time, and of those in space, as far as a tile. */
struct selection steps_select(const struct outline *, int64_t time, int64_t space, int to);
/* What an operand moves between its child, at a level or (machine->levels) the MACs, and units around it as selected;
 * the loops in space from `from` on lie between the two, and where they merge one unit stands for all. */
struct selection steps_of_link(const struct selection *units, const struct view *, int from, int child);
/* The next level inward that keeps the operand; machine->levels are the MACs. */
int steps_child(const struct mapping *, int operand, int level);

/* What the selected steps of the loops before `to` leave of a dimension. */
void steps_parts(const struct selection *, int dim, int to, struct parts *);
/* How often the selected steps leave something. */
int64_t steps_times(const struct selection *);
/* The runs of a loop's steps, the loops outside of it as selected. */
int steps_runs(const struct selection *, int loop, struct run[MOST_RUNS]);
/* What a unit takes in the step or, of the output, gives after it, along some dimensions; of all their loops one step is
 * selected. False where it has no part. */
bool steps_sent(struct selection *, unsigned dims, struct sent *);

#endif
