/* prove.h -- that no mapping of a problem onto a machine is better than a value: a proof that knows nothing of the search.
 * docs/mapper.md section 5 says how it is made; the space of mappings is that of section 1, with perfect factors.
 *
 * subspace   all mappings in which the same dimensions run over the units of the innermost array (of a machine without
 *            arrays: all). Subspaces do not overlap and cover the space.
 * bound      of a subspace: none of its mappings has a value below it */
#ifndef MAPPER_PROVE_H
#define MAPPER_PROVE_H

#include <signal.h>

#include "mapper/cost/objective.h"
#include "mapper/mapping/constraint.h"

struct proof_goal {
	enum objective objective;
	double value;        /* which nothing is to be below */
	int64_t most_cycles; /* mappings of more cycles are none; 0: no limit */
	double most_energy, most_edp; /* the same; 0: no limit */
};

struct subspace {
	unsigned dims;   /* bit per dimension that runs over units of the innermost array */
	int64_t spreads; /* ways to choose how many units each has */
	double bound;    /* INFINITY: no mapping is in it */
};

enum proof_status {
	PROOF_DONE,      /* every bound is at least the value, but for 1 part in 10^12 */
	PROOF_FAILED,    /* one of them is below it */
	PROOF_CUT,       /* stopped by a limit or a signal */
	PROOF_TOO_MANY,  /* tiles */
	PROOF_NO_MEMORY
};

struct proof_limits {
	int64_t looked;              /* partial mappings; 0: none */
	double seconds;              /* 0: none */
	volatile sig_atomic_t *stop; /* not 0: stop soon; or NULL */
};

struct proof {
	enum proof_status status;
	int subspaces;
	struct subspace *subspace; /* in the arena, in the order of `dims` */
	double bound;              /* the least */
	bool is_exact;             /* the bound is a value of some mapping, where it is below the goal */
	int64_t looked;            /* partial mappings looked at */
};

/* What is parted unevenly, and what becomes of mappings: the goal may be lowered while they come. */
struct part;
struct proof_space {
	const struct part *part; /* of each dimension, or NULL: all factors are perfect */
	bool keeps_all; /* every mapping that may be below the goal is met: of those alike, too, which takes long, and costed by itself */
	/* A mapping that may be below the goal: its value is no less than this, and where is_exact or keeps_all, the same. */
	void (*take)(void *context, const struct mapping *, double value); /* or NULL */
	void *context;
};

/* The same for a part of the space. */
void prove_space(struct arena *, const struct problem *, const struct hierarchy *, const struct constraint *,
		 const struct proof_space *, const struct proof_goal *, const struct proof_limits *, struct proof *);
/* Of the whole; where what labels count is too little for a proof, once more with keeps_all, as far as that is not too much. */
void prove(struct arena *, const struct problem *, const struct hierarchy *, const struct constraint *,
	   const struct proof_goal *, const struct proof_limits *, struct proof *);

/* Two values are the same where they differ by less than this part. */
#define PROOF_ROUNDING 1e-12

#endif
