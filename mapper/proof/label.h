/* label.h -- mappings as they are made from the MACs outward: all that agree in what still matters.
 *
 * open link   no loop in time outside of its child has indexed its operand yet: what loops come makes it cheaper
 * free label  one that is in a block of loops in time and has no open link: loops that come cost nothing
 * alike       two labels with the same box and the same links, open or not: whatever comes outside costs either by the same
 *             rules, so that one which is no worse in all that is counted serves for the other */
#ifndef MAPPER_LABEL_OF_PROOF_H
#define MAPPER_LABEL_OF_PROOF_H

#include <stddef.h>

#include "mapper/proof/facts.h"

enum { MOST_LINKS = 40, MOST_CROSSINGS = 4, NO_CHILD = -1, NO_PARENT = -1 };

struct link {
	signed char operand;
	signed char child;  /* level; NO_CHILD: the MACs */
	signed char parent; /* level; NO_PARENT: not reached yet */
	bool is_open;
	int32_t box; /* the child's tile */
	double words, share;
	double halo;      /* the least part of the words that a halo can leave, while open */
	int32_t sliding;  /* the child's tile, along the dimensions that a halo depends on */
	double child_copies, parent_copies; /* of either in all that is there */
	int crossings; /* arrays between child and parent so far, the inner first */
	struct crossing crossing[MOST_CROSSINGS];
};

struct label {
	struct label *next;
	int32_t box;
	unsigned grows; /* dimensions along which the tile of a free label may still grow */
	double units;  /* MACs at work */
	int links;
	struct link *link; /* sorted by operand, the inner child first */
	double *sum;       /* of each quantity, first visits included; through a port, of one instance */
	double *first;     /* first visits, which are not paid, for one copy of all that lies outside */
};

/* A label to work on. */
struct draft {
	struct label label;
	struct link link[MOST_LINKS];
	double sum[MAX_QUANTITIES], first[MAX_QUANTITIES];
};

struct chunk;

/* Labels by box, none of which another makes needless. */
struct shelf {
	struct label **list;
	int32_t *touched; /* boxes whose list is not empty */
	int32_t touches;
};

struct prover {
	const struct facts *f;
	const struct proof_goal *goal;
	const struct proof_limits *limits;
	struct chunk *chunk;          /* labels: a stack */
	struct shelf shelf, free; /* of the level that grows: its labels, and the free ones */
	double bound; /* the least of all that was given up, or is whole */
	int64_t looked;
	double deadline; /* of the monotonic clock; 0: none */
	bool is_cut, no_memory;
};

/* How far a label is, as its bound sees it. */
struct stage {
	int level;   /* that has no loops yet, or whose loops are being made */
	int top;     /* arrays inside levels below this one are still to come */
	int set;     /* that the level keeps, by number; -1: not chosen */
};

void draft_copy(const struct prover *, struct draft *, const struct label *);
/* On the stack of labels; NULL without memory, and the prover knows. */
struct label *draft_store(struct prover *, const struct draft *);
/* A mark of the stack of labels, and back to it. */
struct mark {
	struct chunk *chunk;
	size_t used;
};
struct mark prover_mark(const struct prover *);
void prover_release(struct prover *, struct mark);
void prover_free(struct prover *);

/* A new link; its words so far are those that no reuse leaves. */
void draft_begin_link(const struct prover *, struct draft *, int operand, int child);
/* The links of the operands that the level keeps have found their parent. */
void draft_reach(const struct prover *, struct draft *, int level, unsigned kept);
/* A loop in time around all that is there. True where it has closed a link. */
bool draft_step(const struct prover *, struct draft *, int dim, int place);
/* All loops are there: what is still open stays as it is. */
void draft_close_all(const struct prover *, struct draft *);

/* Is nothing of the label below the goal? Then the bound knows what it could have been. */
bool draft_is_lost(struct prover *, const struct draft *, struct stage);
/* The same at a glance, before the label is spread over the array inside a level, to a box. */
bool label_is_lost_across(struct prover *, const struct label *, int level, const struct spread *, int32_t box);
/* A whole mapping's value goes into the bound. */
void draft_conclude(struct prover *, const struct draft *);
/* Puts the label onto a shelf of the level unless one alike serves for it; takes out those that it serves for. */
void draft_keep(struct prover *, const struct draft *, struct shelf *, int level);
/* An array of so many units inside the level lies around all that is there; `irrelevant` of them hold the same outputs. */
void draft_copies(const struct prover *, struct draft *, int level, double units, double irrelevant);
/* Seconds of the monotonic clock. */
double prover_now(void);
/* By a limit, a signal, or for lack of memory. */
bool prover_is_stopped(struct prover *);
/* All labels of a shelf, which is empty afterwards. */
struct label *shelf_take(struct shelf *);

#endif
