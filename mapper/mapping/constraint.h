/* constraint.h -- what a dataflow or a partial mapping leaves open: docs/mapper.md section 2. */
#ifndef MAPPER_CONSTRAINT_H
#define MAPPER_CONSTRAINT_H

#include "mapper/mapping/mapping.h"

struct constraint {
	unsigned must_keep[MAX_LEVELS], may_keep[MAX_LEVELS]; /* bit per operand; those of the machine, narrowed */
	/* Steps of the loop in time over a dimension at a level, of that in space along an axis of its array: exactly so
	 * many; 1: no such loop; 0: free. */
	int64_t time[MAX_LEVELS][MAX_DIMS];
	int64_t space[MAX_LEVELS][MAX_AXES][MAX_DIMS];
	/* The innermost loops in time of a level, the outer first: those that are there stand so, inside of all that are
	 * not named. */
	int order_count[MAX_LEVELS];
	int order[MAX_LEVELS][MAX_DIMS];
	/* An operand, or -1: of the loops in time at this level those that do not index it stand inside of those that do. */
	int stationary[MAX_LEVELS];
};

/* Which clause says each part of a constraint; where the machine does, or nobody, a span without source. Spans in the
 * library's dataflows are those of the machine's property that names one. */
struct constraint_origin {
	struct span keep[MAX_LEVELS][MAX_OPERANDS];
	struct span time[MAX_LEVELS][MAX_DIMS];
	struct span space[MAX_LEVELS][MAX_AXES][MAX_DIMS];
	struct span order[MAX_LEVELS], stationary[MAX_LEVELS];
};

/* All that the machine allows. */
void constraint_free(struct constraint *, const struct problem *, const struct hierarchy *);

/* Does a mapping of the space (docs/mapper.md section 1) obey? If not, `why` is a sentence in the arena. */
bool constraint_allows(struct arena *, const struct constraint *, const struct mapping *,
		       const char **why);

/* The constraint of the machine's dataflow and of a map of one layer (NULL: none), on top of what the machine allows;
 * `imperfect` as the search has it. False after errors, which are in the program's diag: unknown names, and what cannot
 * hold together. docs/language.md section 5.2. */
bool constraint_read(struct program *, const struct machine *, const struct tree_item *map,
		     const struct problem *, const struct hierarchy *, bool imperfect,
		     struct constraint *, struct constraint_origin *);

/* Of a layer that no mapping serves: notes, to the error before, at the clauses without which there is one; each alone, or
 * where none is enough, the fewest found that are together. None where the machine is too small in any case. */
void constraint_note_relaxed(struct program *, const struct machine *, const struct tree_item *map,
			     const struct problem *, const struct hierarchy *);

#endif
