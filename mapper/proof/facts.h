/* facts.h -- what the prover knows before it begins: the words of every box, what a word costs wherever it moves, the ways to
 * spread dimensions over each array, and the least that all memories outside of a box can cost.
 *
 * link       an operand's traffic between a memory that keeps it, the child, and the next one outward that does, the
 *            parent; the innermost child are the MACs
 * words      of a link: what arrives at (of the output: leaves) all instances of the child in the whole run
 * share      of a link: words that the parent serves for each of them; below 1 where a network merges
 * quantity   what a link's words are counted in: the energy, or the words through one port or network
 * route      of a link: what the arrays cost that it has crossed; see route.c */
#ifndef MAPPER_FACTS_H
#define MAPPER_FACTS_H

#include "mapper/proof/box.h"
#include "mapper/proof/prove.h"

enum { MAX_QUANTITIES = 1 + 7 * MAX_LEVELS, MAX_SETS = 1 << MAX_OPERANDS, MAX_PATTERNS = 32 };
/* Arrays that a link's words are followed across, and units of which each is looked at. */
enum { MOST_CROSSINGS = 4, MOST_NEEDS = 1 << 20 };

/* One word of a link. Of the output, first visits are no fills of the child and no reads of the parent: so much less for each
 * distinct word. */
struct rate {
	double fill, first_fill;
	double serve, first_serve; /* read, or updated and read back; a word that the parent serves */
	double hop;                /* to each receiver, on a bus */
};

struct quantity {
	bool is_energy;
	bool is_network;  /* of the array inside the level, at its outer end; the outermost is as a port of its level */
	int level;        /* of the port */
	double bandwidth; /* of one instance */
	struct rate rate[MAX_LEVELS][MAX_OPERANDS];
	/* By level, by the number of the set that the level keeps, by box: the least of all links whose child is the level or one
	 * outside of it, where the level's tile is the box or contains it. INFINITY: none fits. NULL: not known, 0 */
	double **outside[MAX_LEVELS];
	double *outside_any[MAX_LEVELS]; /* the least over all sets */
	/* The least that any parent, this level or one outside of it, asks for a word that it serves, and for one that arrives. */
	double least_serve[MAX_LEVELS][MAX_OPERANDS], least_hop[MAX_LEVELS][MAX_OPERANDS];
};

/* What the network of one array does for each word that the units get for themselves or for what is inside. */
struct route {
	double links;  /* of a mesh that are taken */
	double passed; /* on from unit to unit */
	double handed; /* of a word of one child: how often the child that hands on most does */
};

/* How many units of an array each dimension has. */
struct spread {
	unsigned dims;
	short factor[MAX_DIMS];     /* number of the units among the factors of the dimension's side */
	signed char axis[MAX_DIMS];    /* along which */
	signed char turn[MAX_DIMS];    /* all dimensions, in the order in which their loops along one axis stand, the outermost first */
	double units;      /* by which the units together do more than the first one */
	double irrelevant; /* how many of them hold sums of the same outputs, */
	double alike;      /* and by how much these do more than one */
	double share[MAX_OPERANDS]; /* the least, whatever the box */
	struct route route[MAX_OPERANDS]; /* where each rank is moved by one dimension at most */
};

struct spreads {
	int count;
	struct spread *spread; /* sorted by dims */
	double most, most_irrelevant;
	double least_share[2][MAX_OPERANDS]; /* [1]: where the words cross another array as well */
};

/* A spread of the array inside a level over a box. */
struct crossing {
	const struct spread *spread;
	int32_t box;
	int level;
};

struct facts {
	struct arena *arena;
	const struct problem *problem;
	const struct hierarchy *machine;
	const struct constraint *constraint;
	struct boxes boxes;
	int levels, operands, output; /* the output is the last operand */
	double points; /* of the problem: its MACs */
	double leakage;
	double outputs; /* positions of the dimensions that index the output */
	double output_words;
	bool is_scattered; /* tiles of the output may overlap, or have holes: distinct words are known from above only */
	bool counts_energy, counts_cycles;
	bool is_exact; /* no dimension that is parted unevenly moves a rank that another moves, too, or may run over
			* an array inside as well, and the output is not scattered: nothing is rounded down */
	bool is_uneven; /* some dimension is parted unevenly */
	unsigned tangled[MAX_OPERANDS]; /* dimensions that move a rank which another moves, too */

	/* Accesses of several words are so many whole ones in each instance, and of each of these counts it is known which words they
	 * are. Elsewhere as if a part of an access moved its part of the words. */
	bool is_rounded[MAX_LEVELS][MAX_OPERANDS][ACCESS_KINDS];
	bool has_rounded;

	/* Of the array inside a level. */
	double mesh_hop[MAX_LEVELS][MAX_OPERANDS]; /* energy of a word over one link; 0 on a bus */
	bool is_linked[MAX_LEVELS][MAX_OPERANDS];  /* units pass on what is read */
	int links;       /* arrays and operands of which that is so */
	bool has_routes; /* any of these, or the bandwidth of a network */
	/* May the words outside of a level cost more for where the arrays inside of it have put its units? */
	bool asks_where[MAX_LEVELS][MAX_OPERANDS];

	/* By box. */
	double *words[MAX_OPERANDS];
	double *again[MAX_OPERANDS]; /* steps of all loops outside that do not index the operand */
	double *steps;               /* of all loops outside */

	int sets[MAX_LEVELS];        /* that a level may keep */
	unsigned set[MAX_LEVELS][MAX_SETS];
	int patterns;                /* sets of operands that some dimension does not index */
	unsigned pattern[MAX_PATTERNS];
	int pattern_of[MAX_DIMS];

	int quantities;
	struct quantity *quantity;
	struct spreads spreads[MAX_LEVELS]; /* of the array inside each level; one that spreads nothing where there is none */
	/* [.][p][q]: of the arrays inside levels p .. q - 1 together; [1]: where the words have crossed another as well. */
	double least_share[2][MAX_LEVELS + 1][MAX_LEVELS + 1][MAX_OPERANDS];
	double least_route[2][MAX_LEVELS + 1][MAX_LEVELS + 1][MAX_OPERANDS]; /* the same: energy of the links of meshes */
	double most_irrelevant[MAX_LEVELS + 1]; /* [q]: of the arrays inside levels 0 .. q - 1 */
	double most_units[MAX_LEVELS + 1];
	bool has_array_outside[MAX_LEVELS]; /* of the level */
};

/* DONE, TOO_MANY or NO_MEMORY. What is large is freed by facts_free. */
enum proof_status facts_make(struct facts *, struct arena *, const struct problem *, const struct hierarchy *,
			     const struct constraint *, const struct part part[], const struct proof_goal *);
void facts_free(struct facts *);

/* Do the tiles of these operands, together and by class, fit the level? */
bool box_fits(const struct facts *, int level, unsigned kept, int32_t box);
/* Tiles further apart than they are long have the fewer words the smaller the last one is: no less than this part is left. */
double uneven_part(const struct facts *, int operand, int32_t box);
/* The part that is left of a link's words where the innermost loop that indexes the operand makes `steps` steps along `dim`,
 * each of which moves the child's box by `shift`: 1 without halo. */
double halo_part(const struct facts *, int child, int operand, int32_t box, int dim, int64_t shift, int64_t steps);
/* The least that halos can leave, whatever the loop. */
double halo_least(const struct facts *, int child, int operand, int32_t box);
/* The box along the dimensions that the operand's halos depend on; equal for boxes whose halos are alike. */
int32_t box_sliding(const struct facts *, int operand, int32_t box);
/* The patterns of which a dimension has steps left outside of the box, as bits. */
unsigned patterns_left(const struct facts *, int32_t box);

/* spread.c */
bool spreads_make(struct facts *, int level);
/* Are units along the dimension served together where they need the same? */
bool spread_merges(const struct facts *, int level, const struct spread *, int operand, int dim);
/* Words that come from outside of arrays for each word of the even part of what their units get; the inner array first, `arrays` > 0.
 * `inner`: the box around which the loops stand that repeat the words. */
double spread_share(const struct facts *, int operand, int arrays, const struct crossing[], int32_t inner);

/* route.c */
/* Fills the routes of a spread. */
void spread_routes(const struct facts *, int level, struct spread *);
/* Of the outermost of these arrays, for each word of a link; the inner array first. `share`: what comes into its units of each. Less
 * than there is, where a dimension is parted unevenly. */
void route_across(const struct facts *, int operand, int arrays, const struct crossing[], double share, struct route *);

/* outside.c */
/* Distinct words in tiles of the output of this box, in all instances of a level that hold different outputs. Of a scattered output
 * no fewer than there are. */
double outputs_of(const struct facts *, int level, int32_t box);
/* The same for all instances together, at most. */
double outputs_most(const struct facts *, int level, int32_t box);
bool outside_make(struct facts *);
/* The least that a parent at `level` can cost for the words of a link, whose child's tile is the box; arrays inside levels below `top`
 * are still to come. First visits are no reads, but all else is paid. `served`: of the words, what has come so far. */
double parent_cost(const struct facts *, const struct quantity *, int operand, int32_t box,
		   int level, int top, double words, double served, bool has_crossed);
/* The same of a parent at `level` or outside of it. */
double parent_least(const struct facts *, const struct quantity *, int operand, int32_t box, int level, int top,
		    double words, double served, bool has_crossed);

#endif
