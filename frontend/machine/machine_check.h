/* machine_check.h -- what the two halves of the machine check share: machine.c walks the blocks, machine_value.c
 * looks at the values of one property. */
#ifndef FRONTEND_MACHINE_CHECK_H
#define FRONTEND_MACHINE_CHECK_H

#include "frontend/machine/machine.h"

/* What a property's values may be. */
enum form {
	FORM_FLAG,      /* nothing: native */
	FORM_WHOLE,     /* a whole number from 1 */
	FORM_FREQUENCY, /* > 0 */
	FORM_BITS,      /* > 0 data */
	FORM_BYTES,     /* > 0 data */
	FORM_SIZE,      /* > 0 data or words */
	FORM_TIME,      /* >= 0 time or cycles */
	FORM_COST,      /* >= 0 a plain number or energy */
	FORM_LEAKAGE,   /* >= 0 a plain number or energy a cycle, or power */
	FORM_RATE,      /* > 0 data per second, data or words per cycle, or data @ frequency */
	FORM_SIZES,     /* a size for all tensors together, or a tensor and a size: I 12 words */
	FORM_COSTS,     /* one cost, or a cost for each kind of access: read 6 write 7 */
	FORM_RATES,     /* one rate, or one for reads and one for writes */
	FORM_TEXT,      /* a string */
	FORM_TENSORS,   /* names of tensors, each once */
	FORM_PORT,      /* a tensor and a size: O 4 words */
	FORM_LINK,      /* a tensor and directions: O vertical */
	FORM_NETWORK,   /* bus, mesh, ... ; multicast(row, column) */
	FORM_HALO,
	FORM_OVERLAP,
	FORM_ROLE,
	FORM_DATAFLOW, /* of the program, or built in */
	FORM_MACHINE,  /* a machine or cpu of the program */
	FORM_COUNT
};

/* Checks the values of one property; what is wrong is in the program's diag. */
void machine_value_check(struct program *, const struct tree_property *, enum form);

/* The item that describes the machine, cpu or cluster of this name, or NULL; without a name, the last one that is
 * not a node of another. */
const struct tree_item *machine_find(const struct program *, const char *name);
/* Names of the machines of the program: how many; *names lives in the program's arena. */
int machine_names(const struct program *, const char ***names);

#endif
