/* label.h -- a mapping that is made from the MACs outward, as far as it is made: which tile it has reached, what it has
 * cost, and which links still wait for loops further out.
 *
 * open link   no loop outside of its child has indexed its operand yet: loops that do not index it make it cheaper
 * block       the loops in time of one level
 * run         the innermost loops of a block, whose order matters; the others stand outside of them in any order
 * free        a label in whose block no link is open: its tile may grow without cost */
#ifndef MAPPER_LABEL_H
#define MAPPER_LABEL_H

#include "mapper/search/bound.h"
#include "mapper/search/search.h"

/* Of each operand one link at most for each level that it begins at: the MACs' has its parent, and is gone, when the next begins. */
enum { MAX_LINKS = MAX_OPERANDS * MAX_LEVELS, NO_LEVEL = -1, UNKNOWN_PARENT = -1 };

struct link {
	double words, ratio;  /* terms.h */
	double route;         /* of an open link: what each word costs in the arrays that it has passed, hops and what is passed on; */
	double gives;         /* so many the busiest instance of the child passes on for each of its own */
	double halo;          /* the least part that a halo can leave of the words */
	int32_t tile;         /* the child's */
	signed char operand;
	signed char child;    /* level; NO_LEVEL: the MACs */
	signed char parent;   /* level, or UNKNOWN_PARENT */
	bool is_open;
};

struct run_loop {
	unsigned char dim, place; /* of its steps among the dimension's divisors */
};

struct label {
	const struct label *inner;   /* that this one grew from */
	struct label *next;
	const struct spread *spread; /* the array's units, where it grew by them; NULL: by a block */
	int32_t state;
	int level;
	unsigned kept, kept_inside;  /* operands, by this level; by any level inside of it */
	unsigned grows;              /* dims along which the tile of a free label may grow */
	bool must_grow;              /* it is no tile of its own, only a way to larger ones */
	int runs;
	struct run_loop run[MAX_DIMS];
	double energy;
	double first; /* energy of first visits, counted in `energy`, that is not spent, for one copy outside */
	double units; /* MACs at work */
	double promise; /* of what is sought so much at least, whatever lies outside */
	/* Bit per level: the output is read from it, comes back into it, back through the network inside of it. */
	unsigned reads_back, fills_back, passes_back;
	int links;
	struct link *link;
	double *port;    /* words of one instance through each port of terms.h, first visits included; where words count */
	double *outputs, *instances; /* of each level: distinct outputs of one instance; how many there are so far */
};

/* A label with room for all that it may become. */
struct scratch {
	struct label label;
	struct link link[MAX_LINKS];
	double port[MAX_PORTS], outputs[MAX_LEVELS], instances[MAX_LEVELS];
};

/* What is counted of words: energy, or the words through a port of the outermost memory, where most of all mappings
 * wait. */
struct measure {
	const struct word_cost (*cost)[MAX_OPERANDS];
	const struct bounds *b;
	double bandwidth; /* of the port */
};

/* What was found unit by unit: it depends on the spread and, to a common factor, on the tiles of the dimensions that slide. */
struct memo {
	const struct spread *spread; /* NULL: nothing yet */
	int operand;
	int64_t tile[MAX_DIMS];
	struct route route;
};

enum { MEMOS = 1 << 14 };

enum { MAX_NARROWS = 3, MAX_CROWD = 2048 };

struct engine {
	const struct terms *t;
	const struct bounds *b;
	struct measure energy, narrow[MAX_NARROWS];
	int narrows;
	/* What is sought: less of `first`, and for as much of it less of `second`; within limits. */
	enum objective first, second;
	double energy_limit, edp_limit, cycles_limit;
	bool counts_cycles, counts_energy; /* in what labels are compared by */
	bool counts_words; /* of each port: for the cycles, or for the accesses */
	double least_cycles; /* that any mapping takes */
	/* The best so far; at first the threshold under which a mapping is looked for, and best_second is -infinity. */
	double best_first, best_second;
	double proven; /* of what is sought first no mapping has less, by what a pass over all has seen so far */
	bool is_uncosted; /* it is known by what its label counts: so much without leakage, */
	double counted_energy, counted_cycles;
	bool found;       /* under the threshold */
	bool has_mapping; /* of any pass */
	struct mapping mapping;
	struct cost cost;
	/* Labels of a pass. */
	struct chunk *chunks;
	struct label **terminal, **free; /* of a block: lists by state */
	int beam; /* of a quick pass for a first mapping: labels that go on from each level; 0: all */
	/* The best promises, so many as may go on, of the labels that are made for one level: a heap, the worst on top. */
	double crowd[MAX_CROWD];
	int crowded, room; /* room 0: for all */
	int64_t evaluations, most_evaluations;
	struct memo *memo; /* of routes; NULL where words only pass */
	bool is_rough; /* some instance of a child may be busier than labels count: units slide, and pass words on */
	int64_t *looked, most_looked; /* how often it was asked what a label can become, and the most; 0: no limit */
	double deadline; /* seconds of the monotonic clock, 0: none */
	volatile sig_atomic_t *stop;
	bool is_cut, no_memory;
};

/* Sums of doubles in another order differ by less than this part (docs/mapper.md section 1). */
#define ROUNDING 1e-12

/* ---- label_store.c: where labels are kept ---- */

void scratch_copy(const struct engine *, struct scratch *, const struct label *);
/* NULL without memory, and then the engine knows. */
struct label *label_store(struct engine *, const struct scratch *);
void labels_free(struct engine *);
bool engine_is_stopped(struct engine *);

/* ---- label.c: what a label is, and has cost ---- */

int links_open(const struct label *);
/* What an operand's words put on the network of the array that the label has just been spread over, and cost there. `route`:
 * NULL where words only pass; `before`: the ratio inside of the array. */
void link_cross(const struct engine *, struct label *, struct link *, const struct route *, double before);
/* Closes a link with what is left of its words; removes it where its parent is known. True where it was removed. */
bool link_close(const struct engine *, struct scratch *, int link, double part);
/* The level takes part as parent of all links of the operands that it keeps. */
void links_reach(const struct engine *, struct scratch *, int level, unsigned kept);
/* Links from the tile that has been reached inward from this level, kept by it. */
void links_begin(const struct engine *, struct scratch *, int level, unsigned kept);
/* The next label inward, or this one, that has units of an array. */
const struct label *label_last_units(const struct label *);
/* The same that was spread over an array with a limited network, which the link passes. */
const struct label *label_last_network(const struct engine *, const struct label *, const struct link *);
/* Words that the parent serves for each of the link inside of the array that the label was spread over: the ratio there. */
double label_ratio_behind(const struct label *, int operand);
/* Words through a port without first visits, of which there are so many copies. */
double label_port_words(const struct engine *, const struct label *, int port, double copies);
/* The least cycles, with the units of arrays outside of the level still to come. */
double label_cycles(const struct engine *, const struct label *, int level);
/* Of a whole mapping: whole ones. */
double label_whole_cycles(const struct engine *, const struct label *);

/* ---- promise.c: what it can become at best ---- */

/* Can nothing come of the label that is better than the best, or than those that crowd it out? Before a level has its
 * loops in time, or in the block of a level that keeps a set: what lies outside is bounded for each set that the next level
 * may keep. `arrays`: those inside of levels outside of this one are still to come. The first finds the promise as well. */
bool label_is_lost_before(const struct engine *, struct label *, int arrays, int level);
bool label_is_lost_within(const struct engine *, const struct label *, int level, int mask);
/* What an operand's link to one parent comes to at least, whatever the spread of a label over the array inside a level: so
 * much, and so much for each part of what the units share. */
struct offer {
	double fixed;
	struct share rate;
	double links, links_apart; /* so much for each link that a word takes in the array, of all units and of each */
};

/* Of all links, without what lies outside: for each pattern of the innermost loop outside, where it matters, or for one
 * that all links may run on. */
struct outlook {
	int cases;
	struct {
		double known; /* what does not depend on the spread */
		int outer[MAX_OPERANDS];
		struct offer inside[MAX_OPERANDS], outside[MAX_OPERANDS][MAX_LEVELS]; /* with the level as parent, or one outside of it */
	} of[MAX_DIMS];
	double first; /* not spent, for each unit that holds partial sums of the same outputs */
};
void label_outlook(const struct engine *, const struct measure *, const struct label *, int level,
		   struct outlook *);
/* Can this be no better than the best? The energy without leakage. */
bool is_hopeless(const struct engine *, double moving, double cycles);
/* The same of a label in the making, which others of its level may crowd out. */
bool is_lost(const struct engine *, double moving, double cycles);

/* ---- dominance.c ---- */

/* Is there, among labels of one state and level, one that is as good in all respects? Stores it where not. */
bool label_keep(struct engine *, struct label **list, const struct scratch *);

/* ---- crowd.c: the labels of a level ---- */

/* Keeps a label that its level is done with. */
void label_end(struct engine *, const struct scratch *);

/* Appends the lists that labels were kept in, by state, and empties them. */
void labels_take(struct engine *, struct label **out);
/* From here on labels crowd out others of the next list; 0: they do not. */
void labels_crowd(struct engine *, int room);
/* Leaves the most promising labels of a list, so many as have room, the best first. */
void labels_trim(struct engine *, struct label **list);

/* ---- space.c, block.c: one level outward ---- */

/* Every way to spread the labels over the array inside the level. */
void grow_space(struct engine *, const struct label *inside, int level, struct label **out);
/* Every block of the level, for the set kept that has this number. Appends labels whose tile is the level's. */
void grow_block(struct engine *, const struct label *inside, int level, int mask, struct label **out);

/* ---- finish.c: the outermost level ---- */

void finish_block(struct engine *, const struct label *);
/* A free label of level 1, where the bound says exactly what is outside. */
void finish_free(struct engine *, const struct scratch *, int mask);
void label_mapping(const struct engine *, const struct label *, struct mapping *);
/* Costs the best mapping where that was left. */
void finish_cost(struct engine *);

#endif
