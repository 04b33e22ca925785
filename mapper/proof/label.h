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

enum { MOST_LINKS = 40, MOST_ROUNDINGS = MAX_LEVELS * MAX_OPERANDS * ACCESS_KINDS, NO_CHILD = -1, NO_PARENT = -1 };

struct link {
	signed char operand;
	signed char child;  /* level; NO_CHILD: the MACs */
	signed char parent; /* level; NO_PARENT: not reached yet */
	bool is_open;
	int32_t box; /* the child's tile */
	double words;     /* of the even part: as if a part of a step moved that part of the words */
	double excess;    /* by which the words are more, known when it closes or crosses an array */
	double share;     /* of the even part: what the parent serves, once it has crossed an array */
	unsigned spread;  /* dimensions that run over arrays around the child */
	int32_t inner;    /* the box when it closed: around it stand the loops that repeat its words */
	double halo;      /* the least part of the words that a halo can leave, while open */
	int32_t sliding;  /* the child's tile, along the dimensions that a halo depends on */
	double child_copies, parent_copies; /* of either in all that is there */
	int crossings; /* arrays between child and parent so far, the inner first */
	struct crossing crossing[MOST_CROSSINGS];
	/* Of the arrays that it has crossed while open, for each word; paid when it closes. */
	double route;   /* energy */
	double handing; /* what one child, the one that does most, reads for others of each of its words */
	int flows;      /* networks whose bandwidth is limited */
	signed char flow_level[MOST_CROSSINGS];
	double flow[MOST_CROSSINGS]; /* words at the outer end of one of the arrays inside that level */
};

/* Words of an operand in accesses of one kind at one level, each of which moves several words. They are in the sum of the energy as if
 * parts of accesses could be; when it is known how many instances there are, each has a whole number. */
struct rounding {
	signed char level, operand, kind;
	double words, first; /* of all instances that are there; first visits, which are none */
	double copies;       /* instances */
};

/* How a label came to be: around another one lies an array, or a level with what it keeps and its loops. */
struct growth {
	const struct label *inside;  /* NULL: around the MACs */
	const struct spread *spread; /* of the array inside the level, or NULL: */
	int level, set;              /* number of the set that the level keeps */
	int runs;                    /* loops whose order matters, the innermost first; the others stand outside of them */
	struct {
		signed char dim;
		short factor;
	} run[MAX_DIMS];
};

struct label {
	struct label *next;
	struct growth growth;
	int32_t box;
	unsigned grows; /* dimensions along which the tile of a free label may still grow */
	double units;  /* MACs at work */
	int links;
	struct link *link; /* sorted by operand, the inner child first */
	int roundings;
	struct rounding *rounding; /* that wait for arrays further out */
	double *sum;       /* of each quantity, first visits included; through a port, of one instance */
	double *first;     /* first visits, which are not paid, for one copy of all that lies outside */
};

/* A label to work on. */
struct draft {
	struct label label;
	struct link link[MOST_LINKS];
	struct rounding rounding[MOST_ROUNDINGS];
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
	int chunks;
	struct shelf shelf, free; /* of the level that grows: its labels, and the free ones */
	double bound; /* the least of all that was given up, or is whole */
	bool keeps_all; /* no label serves for another */
	void (*take)(void *context, const struct mapping *, double value); /* or NULL */
	void *context;
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

/* What so many words of a link add to a quantity at its child, and at its parent: of a port, at the busiest instance, whose steps
 * are all whole. */
double link_at_child(const struct quantity *, const struct link *, double words);
double link_at_parent(const struct quantity *, const struct link *, double words);
/* round.c */
/* First visits of one instance of a level for each in all that is there. */
double label_irrelevant(const struct label *, int level);
/* So many words of a link are charged at its child, at its parent. */
void draft_round_child(const struct prover *, struct draft *, const struct link *);
void draft_round_parent(const struct prover *, struct draft *, const struct link *);
/* The array inside a level lies around all that is there. */
void draft_round_across(const struct prover *, struct draft *, int level, const struct spread *);
/* What roundings can add to the energy of the one label that they do not add to that of the other, at most; they are alike. */
double rounding_excess(const struct prover *, const struct label *, const struct label *, int level);
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
/* The value that a whole mapping has at least goes into the bound; where it is below the goal, the mapping to `take`. */
void draft_conclude(struct prover *, const struct draft *);
/* The mapping that a whole label is. */
void label_trace(const struct prover *, const struct label *, struct mapping *);
/* Puts the label onto a shelf of the level unless one alike serves for it; takes out those that it serves for. */
void draft_keep(struct prover *, const struct draft *, struct shelf *, int level);
/* The array inside the level lies around all that is there; the box is still that of one unit. */
void draft_cross(const struct prover *, struct draft *, int level, const struct spread *);
/* By a limit, a signal, or for lack of memory. */
bool prover_is_stopped(struct prover *);
/* All labels of a shelf, which is empty afterwards. */
struct label *shelf_take(struct shelf *);

#endif
