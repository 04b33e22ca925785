/* brute_mapper.h -- the oracle of mapper/search/search.h: every mapping of the space of docs/mapper.md, one by one.
 *
 * split   of a dimension: the steps of all its loops, in time and in space, that together walk it
 * class   of orders: loops in time of one level in orders that cost the same
 * front   the energy-latency Pareto set, from the least energy on */
#ifndef TEST_BRUTE_MAPPER_H
#define TEST_BRUTE_MAPPER_H

#include "mapper/search/search.h"

/* Doubles that differ by less are the same: docs/mapper.md section 1. */
#define BRUTE_SAME 1e-12

struct brute_best {
	double value, tie;      /* the objective, and what breaks its ties */
	struct mapping mapping; /* the first that has both */
	struct cost cost;       /* of it */
};

struct brute_point {
	double energy;
	int64_t cycles;
};

struct brute_result {
	/* Said by the caller. */
	bool every_order; /* the orders of one class too, one by one */
	/* The answer. Of the options the objective is not read: all are answered at once. */
	int64_t mappings;    /* in the space; 0: infeasible, and nothing below is set */
	int64_t evaluations; /* how many of them were costed */
	int64_t imperfect;   /* how many of those have a step that is not whole */
	/* Of some of those, the best among them, that were walked as well: how many cost another sum. Must be 0. */
	int64_t miscounted;
	double energy, cycles; /* of all mappings, added up */
	struct brute_best best[OBJECTIVES];
	int points; /* of the front */
	struct brute_point *point;
};

/* Reads every_order, fills the rest; brute_release gives its memory back. */
void brute_search(const struct problem *, const struct hierarchy *, const struct search_options *,
		  struct brute_result *);
void brute_release(struct brute_result *);

/* How many mappings brute_search would cost, were there no limit on the cycles; more than `most` is most + 1. */
int64_t brute_evaluations(const struct problem *, const struct hierarchy *, const struct search_options *,
			  int64_t most);

/* Does the mapping belong to the space? If not, why. The limit on the cycles is not asked. */
bool brute_legal(const struct mapping *, const struct search_options *, const char **why);

/* What any mapping costs: in closed form if all factors are perfect, else by walking it. */
void brute_cost(const struct mapping *, struct cost *);

double brute_value(enum objective, const struct cost *);
double brute_tie(enum objective, const struct cost *);
bool brute_same(double, double);

#endif
