/* search.h -- the best mapping of a problem onto a machine, and the proof that there is none better.
 * The space, the objectives and their ties are those of docs/mapper.md section 1. */
#ifndef MAPPER_SEARCH_H
#define MAPPER_SEARCH_H

#include <signal.h>

#include "mapper/cost/objective.h"
#include "mapper/mapping/constraint.h"

enum search_status {
	SEARCH_PROVEN,     /* the mapping is optimal */
	SEARCH_CUT,        /* budget or signal: `bound` says how far the mapping may be from the optimum */
	SEARCH_INFEASIBLE, /* no mapping obeys the rules: `why` */
	SEARCH_NO_MEMORY
};

struct search_options {
	enum objective objective;
	bool imperfect;                    /* imperfect spatial factors as well */
	int64_t most_cycles;               /* mappings of more cycles are none; 0: no limit */
	const struct constraint *constraint; /* NULL: what the machine allows */
	double seconds;                    /* budget; 0: none */
	int64_t evaluations;               /* budget, partial mappings looked at; 0: none */
	volatile sig_atomic_t *stop;       /* not 0: stop soon; or NULL */
};

struct search_result {
	enum search_status status;
	struct mapping mapping; /* PROVEN, and CUT where has_mapping */
	struct cost cost;       /* of it */
	bool has_mapping;
	double value;           /* the objective: energy, energy * cycles, or cycles */
	double bound;           /* no mapping has less; equals value where proven */
	double root;            /* the bound before anything was searched */
	int64_t evaluations;    /* partial mappings looked at */
	const char *why;        /* INFEASIBLE: a sentence in the arena */
};

/* The arena holds what `why` says, and nothing else of the search remains. */
void search(struct arena *, const struct problem *, const struct hierarchy *, const struct search_options *,
	    struct search_result *);

#endif
