/* writer.h -- what the parts of the writer share: write.c prints problem and mapping, write_machine.c the machine with its
 * energies, write_check.c says what Timeloop would count in another way. */
#ifndef BACKEND_TIMELOOP_WRITER_H
#define BACKEND_TIMELOOP_WRITER_H

#include <stdio.h>

#include "mapper/mapping/mapping.h"

enum { AXIS_X, AXIS_Y };

struct writer {
	const struct mapping *m;
	const struct problem *p;
	const struct hierarchy *h;
	FILE *file;
	struct arena *arena;
	struct diag *diag;
	char letter[MAX_DIMS + 1];       /* of each dimension, and of one of a single step */
	bool has_one;                    /* which is needed */
	const char *space[MAX_OPERANDS]; /* "Inputs" */
	int64_t mesh[MAX_LEVELS + 1][2]; /* units of each level and of the MAC, along X and Y */
	double unit;                     /* of an energy, in pJ or as the machine counts */
};

/* The fewest digits that are read back as the same. */
void writer_number(struct writer *, double);
/* ", keep: [Inputs, Outputs]"; nothing for none, which Timeloop may not take for a list. */
void writer_list(struct writer *, const char *key, unsigned operands);
/* The axis of Timeloop that an axis of an array is. */
int writer_axis(const struct level *, int axis);
/* Units of the array inside a level. */
int64_t writer_fanout(const struct writer *, int level);

/* "architecture", what its memories keep, and "ERT". */
void writer_machine(struct writer *);
/* Errors and warnings of a machine, and of a mapping onto it. */
void writer_check_machine(struct writer *);
void writer_check_mapping(struct writer *);

#endif
