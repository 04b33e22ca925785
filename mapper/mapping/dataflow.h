/* dataflow.h -- dataflows by name, and the words for places that every machine has: docs/language.md section 5.3. */
#ifndef MAPPER_DATAFLOW_H
#define MAPPER_DATAFLOW_H

#include "mapper/mapping/mapping.h"

/* The user's dataflow of this name, or the library's; NULL if there is none. */
const struct tree_item *dataflow_find(struct program *, const char *name);

/* The level whose array the words speak of: the innermost array that is not the lanes of a mac, or -1. */
int dataflow_array(const struct hierarchy *, int inside_of);
/* The innermost memory outside of a level, this level included. */
int dataflow_memory(const struct hierarchy *, int level);

enum place { PLACE_NONE, PLACE_ARRAY, PLACE_INSIDE, PLACE_OUTSIDE, PLACE_AROUND, PLACE_INNERMOST };

/* What a word before a colon stands for; PLACE_NONE where it is none, or the name of a block of the machine. */
enum place dataflow_place(const struct hierarchy *, const char *word);
/* Bit per level. INNERMOST depends on the operand, which the others do not look at. */
unsigned dataflow_levels(const struct hierarchy *, enum place, const struct operand *);

#endif
