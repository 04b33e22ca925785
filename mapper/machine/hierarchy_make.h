/* hierarchy_make.h -- what the two halves of hierarchy_of share: hierarchy.c walks the blocks of a machine,
 * hierarchy_value.c turns one quantity into words, words per cycle, cycles or energy. */
#ifndef MAPPER_HIERARCHY_MAKE_H
#define MAPPER_HIERARCHY_MAKE_H

#include "mapper/machine/hierarchy.h"

struct maker {
	struct program *program;
	struct hierarchy *machine;
	int word;                      /* bits, of the machine */
	const struct tree_block *last; /* the array or mac that nothing may stand behind, or NULL */
	const struct tree_expr *energy; /* the first energy that is not 0: all are of its kind */
};

/* The property of this name that stands first in the block, or NULL. */
const struct tree_property *make_property(const struct tree_block *, const char *word);

/* Each takes a checked value; after an error in diag it gives 1. `word` is in bits. */
int64_t make_words(struct maker *, const struct tree_expr *, int word);
double make_rate(struct maker *, const struct tree_expr *, int word); /* words per cycle */
double make_cycles(struct maker *, const struct tree_expr *);
double make_energy(struct maker *, const struct tree_expr *);  /* of one access */
double make_leakage(struct maker *, const struct tree_expr *); /* of one cycle */
double make_number(struct maker *, const struct tree_expr *);

#endif
