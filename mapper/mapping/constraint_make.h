/* constraint_make.h -- what the parts of constraint_read share: constraint_read.c takes clauses, constraint_loops.c those
 * that speak of loops, constraint_order.c how loops stand, constraint_check.c what all of them leave. */
#ifndef MAPPER_CONSTRAINT_MAKE_H
#define MAPPER_CONSTRAINT_MAKE_H

#include "mapper/mapping/clause.h"
#include "mapper/mapping/constraint.h"

/* Which clause says that one loop stands outside of another: first the outer. */
struct standing {
	struct span said[MAX_DIMS][MAX_DIMS];
};

struct maker {
	struct scope scope; /* of the item that is read */
	const struct machine *machine;
	bool imperfect;
	struct constraint *c;
	struct constraint_origin *origin;
	struct standing *standing; /* of each level */
	int stay[MAX_LEVELS]; /* the memory where the operand that is stationary at a level stays */
};

#define OTHERWISE "this line says otherwise"

/* What the item that is read has said so far. */
struct reading {
	struct maker *m;
	bool is_dataflow;
	unsigned kept[MAX_LEVELS], bypassed[MAX_LEVELS]; /* bit per operand */
	/* which clause names a loop, and which one says that a loop may stand there at all */
	const struct tree_clause *time[MAX_LEVELS][MAX_DIMS], *time_closed[MAX_LEVELS];
	const struct tree_clause *space[MAX_LEVELS][MAX_AXES][MAX_DIMS],
		*space_closed[MAX_LEVELS][MAX_AXES];
};

/* One of the places where a loop can stand. */
struct slot {
	enum loop_kind kind;
	int level, axis, dim;
};

/* The dimension of the i-th name of a clause; negative where the layer has none of more than one step. */
int reading_dim(struct reading *, const struct tree_clause *, int i);
/* Bit per level that a clause speaks of; for an operand, or NULL. */
unsigned reading_levels(struct reading *, const struct tree_clause *, const struct operand *);

int64_t *steps_at(struct maker *, struct slot);
struct span *origin_at(struct maker *, struct slot);
const struct tree_clause **naming_at(struct reading *, struct slot);
const char *slot_name(struct maker *, struct slot);
/* So many steps, 1: no loop, 0: there may be one. */
void fix_steps(struct maker *, struct slot, int64_t steps, struct span);

void take_loops(struct reading *, const struct tree_clause *);
void take_orders(struct reading *, const struct tree_clause *);
/* No loops at a level where others may stand. */
void close_places(struct reading *, int level);

/* Of two places the one that is told as the error, for it was read later; the other gets the note. */
bool is_later(const struct maker *, struct span, struct span than);
/* A note at the block of the machine with this name, or at its property. */
void note_machine(const struct maker *, const char *block, const char *property);

/* The one stands outside of the other at a level, says a clause. */
void say_order(struct maker *, int level, int outer, int inner, struct span);
/* From what stands where to the order of the innermost loops. */
void make_orders(struct maker *);

/* A warning where an operand cannot stay in a memory, whatever the order of loops, though a clause says that it does and
 * there are mappings. */
void check_stay(struct maker *, int level, int operand, struct span clause);

/* The machine's dataflow, which machine_check found, and the property that names it; NULL where there is none. */
const struct tree_item *constraint_dataflow(struct program *, const struct machine *, struct span *caller);
/* constraint_read of a dataflow and a map as they are given here; either may be NULL. */
bool constraint_read_items(struct program *, const struct machine *, const struct tree_item *dataflow,
			   const struct tree_item *map, const struct problem *, const struct hierarchy *,
			   bool imperfect, struct constraint *, struct constraint_origin *);

/* Steps that do not multiply to extents, units that no axis has; places that nothing is left for get no loop. */
void check_axes(struct maker *);
void check_dims(struct maker *);

#endif
