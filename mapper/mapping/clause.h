/* clause.h -- what the names and numbers of a clause mean for a layer and a machine: shared by those who read whole
 * mappings (mapping_read.c) and constraints (constraint_read.c). */
#ifndef MAPPER_CLAUSE_H
#define MAPPER_CLAUSE_H

#include "mapper/mapping/mapping.h"

struct scope {
	struct program *program;
	const struct tree_item *item; /* the map or dataflow whose clauses are read */
	const struct problem *problem;
	const struct hierarchy *machine;
	struct span caller; /* where the machine names a dataflow: errors in the library's are told there */
};

enum { DIM_ONE = -1, DIM_UNKNOWN = -2 };

/* In the library's dataflows no user can look: what is said there is said at `caller`. */
void scope_error(const struct scope *, const char *code, struct span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Words at a clause; of a library's the clause itself is told. */
void scope_note_line(const struct scope *, struct span, const char *words);

/* The item is a mapping onto this machine, or a dataflow. */
void scope_check_machine(const struct scope *);
/* The level of a clause: an array's for parallel loops, a memory's for all else; -1 after an error. */
int clause_level(const struct scope *, const struct tree_clause *);
/* The dimension of the i-th name; DIM_ONE for a loop of one step, DIM_UNKNOWN after an error. */
int clause_dim(const struct scope *, const struct tree_clause *, int i);
/* The operand of the i-th name, or -1 after an error. */
int clause_operand(const struct scope *, const struct tree_clause *, int i);
/* The axis of the array of a level that a clause names; the only one where it names none; -1 after an error. */
int clause_axis(const struct scope *, const struct tree_clause *, int level);
/* A whole number from 1 on; false after an error. */
bool clause_number(const struct scope *, const struct tree_expr *, int64_t *value);

/* The dimension of this name; DIM_ONE, or DIM_UNKNOWN where the layer has none. */
int problem_dim(const struct problem *, const char *name);
/* The operand called so, "I" or "W2"; -1 where the layer has none. */
int problem_operand(const struct problem *, const char *name);

#endif
