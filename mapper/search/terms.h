/* terms.h -- what the search knows of a problem on a machine before it begins: the words of every tile, and what moving a
 * word costs at every level.
 *
 * link     the traffic of one operand between a memory that keeps it, the child, and the next one outward that does,
 *          the parent; the innermost link ends at the MACs
 * words    of a link: what arrives at (of the output: leaves) all instances of the child in the whole run
 * ratio    of a link: words that the parent serves for each word of the child; less than 1 where a network shares
 * reuse    of an operand outside of a tile: the steps of all loops that do not index it; its words are refilled at most
 *          that many times less often than its relevant loops step */
#ifndef MAPPER_TERMS_H
#define MAPPER_TERMS_H

#include "mapper/mapping/constraint.h"
#include "mapper/search/lattice.h"

enum { MAX_PORTS = (7 + ACCESS_KINDS * MAX_OPERANDS) * MAX_LEVELS };

/* One port of the instances of a memory, or the network of the array inside: what passes through it takes time. What one
 * instance moves of an operand, by kind, is counted alike where accesses are of several words: its port takes no time. */
struct port {
	int level;
	unsigned operands; /* bit per operand that uses it */
	bool reads, fills, updates, is_network;
	double bandwidth;
};

/* What one word of an operand costs at a level: energy, or its way through one port. */
struct word_cost {
	double fill;   /* that arrives at a child; first visits of the output do not */
	double read;   /* that a parent serves; first visits are not read */
	double update; /* that a parent takes back: of the output alone */
	double hop;    /* on its way from a parent, over the bus of its array */
	double link;   /* over each link of the array inside the level, where that is a mesh */
};

/* What an array makes of the words of one operand (route.h). */
struct route {
	double hops;   /* links for each word that a unit needs: of units that slide, of a spread, no more than that */
	double passes; /* reads of the child for each word that a unit needs, to pass it on along links of units */
	double gives;  /* of each word of its own the first instance of the child passes on so many, */
	double most;   /* and any instance no more */
};

/* What units share of the words of one operand: the least part of what they need that comes from outside (whatever the
 * tile and the arrays inside), the units along dimensions that do not index it, and both multiplied. */
struct share {
	double ratio, units, both;
};

/* One way to spread dimensions over the array inside a level. */
struct spread {
	int number; /* in the order in which they were made */
	int count; /* of dimensions with more than one unit */
	struct {
		int dim, axis, place; /* of the factor among the dimension's divisors */
		int64_t units;
	} over[MAX_DIMS];
	double units;                /* product */
	double ratio[MAX_OPERANDS];  /* words that come from outside for each that is delivered */
	struct share least[MAX_OPERANDS];
	unsigned slides;             /* operands whose ratio depends on the tile */
	struct route *route;         /* by operand, if they do not slide; NULL where words only pass */
};

/* Spreads that share, and take links of a mesh, about alike, to a factor of 2: they stand together in the list. */
struct alike {
	int first, count;
	struct share least[MAX_OPERANDS]; /* of any */
	struct route *route;              /* the fewest hops of any; NULL where words only pass */
	double units, sums;               /* the most of any: units, and those that hold sums of the same outputs */
};

/* What is known of a tile. */
struct tile_terms {
	double visits;              /* tiles in the whole problem: macs / points of the tile */
	double words[MAX_OPERANDS]; /* of the tile */
	double left[MAX_OPERANDS];  /* 1 / reuse: the part of the words that the longest run leaves */
	double apart[MAX_OPERANDS]; /* 1 / units at most that need one word though a dimension that indexes it tells them apart */
};

struct terms {
	struct arena *arena;
	const struct problem *problem;
	const struct hierarchy *machine;
	struct constraint constraint;
	struct lattice lattice;
	int levels, operands, output; /* the output is the last operand */
	int arrays; /* levels with one */
	unsigned all; /* operands */
	double macs, outputs; /* words of the output */

	struct tile_terms *tile; /* of each state */

	unsigned sliding[MAX_OPERANDS]; /* dims along which consecutive tiles may overlap */
	unsigned tangled[MAX_OPERANDS]; /* dims that share a rank with others: units along them may need the same words */
	struct word_cost cost[MAX_LEVELS][MAX_OPERANDS]; /* energy */
	double fanout[MAX_LEVELS + 1]; /* units of all arrays inside of levels outside of this one */
	/* What one unit of the arrays inside of levels outside of this one is of all below one instance of a level: [array][level] */
	double unit[MAX_LEVELS + 1][MAX_LEVELS];
	double first[MAX_LEVELS][MAX_OPERANDS]; /* first visits of all instances, which are not read; of the output alone */
	/* Levels that may be the parent of a link whose child stands inside of this level: bit per level. */
	unsigned parents[MAX_LEVELS][MAX_OPERANDS];

	int patterns;                      /* sets of operands that one dimension does not index */
	unsigned pattern[MAX_DIMS];
	int ports, tallies; /* those from `ports` on take no time */
	/* Bit per level whose accesses are of several words. Of one instance: `rounded`, and its labels count whole accesses. Where
	 * arrays lie outside: `wide`; there labels count parts of accesses, in all instances less than `slack` in energy too low. */
	unsigned rounded, wide;
	double slack;
	unsigned networks; /* bit per level whose array has a limited network */
	struct port port[MAX_PORTS];
	double leakage; /* energy of the whole machine in one cycle */
	int spreads[MAX_LEVELS];
	struct spread *spread[MAX_LEVELS];
	int alikes[MAX_LEVELS];
	struct alike *alike[MAX_LEVELS];
	/* Of the array inside each level: what the ratios of all operands can be at once. Each spread has all of them no
	 * less than one of these. */
	int sharings[MAX_LEVELS];
	double (*sharing[MAX_LEVELS])[MAX_OPERANDS];
	/* Bit per operand: the array inside the level is a mesh for it; its units pass it on. */
	unsigned meshed[MAX_LEVELS], linked[MAX_LEVELS];
	unsigned linked_outside[MAX_LEVELS + 1]; /* in the array inside any level outside of this one */
	int links; /* operands and arrays of them */
	bool has_meshes;
	/* Energy of links that each word costs at least from a parent to a unit of the arrays inside of levels outside of this
	 * one: each unit that needs it is entered by a link of its own. [array][parent] */
	double route[MAX_LEVELS + 1][MAX_LEVELS][MAX_OPERANDS];
	unsigned spread_dims[MAX_LEVELS];  /* dims that some spread uses */
	bool is_tail_exact; /* what the bound says of the outermost level is what it costs */
};

enum terms_status { TERMS_DONE, TERMS_TOO_MANY, TERMS_NO_MEMORY };

/* The tables live until terms_free; everything else in the arena. */
enum terms_status terms_make(struct terms *, struct arena *, const struct problem *, const struct hierarchy *,
			     const struct constraint *);
void terms_free(struct terms *);

/* Do the tiles of these operands fit a level? */
bool terms_fit(const struct terms *, int level, unsigned kept, int32_t state);
/* The part of the words of a link that remains when a loop over `dim` of `steps` ends its run: 1 but for halos.
 * `tile` is the child's, `step` the elements of the dimension that one step of the loop moves. */
double terms_halo(const struct terms *, int child, int operand, int32_t tile, int dim, int64_t step, double steps);

/* Energy of links, as `route` of the terms, by costs of words. */
double terms_route(const struct terms *, const struct word_cost cost[][MAX_OPERANDS], int array, int parent, int operand);

/* Fills spread[] of every level, alike[] and sharing[]. */
enum terms_status spread_make(struct terms *);

#endif
