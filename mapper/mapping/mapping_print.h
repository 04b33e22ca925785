/* mapping_print.h -- a mapping as text, and back: docs/language.md section 5. What is printed is read back to the same
 * mapping, and printed to the same text. */
#ifndef MAPPER_MAPPING_PRINT_H
#define MAPPER_MAPPING_PRINT_H

#include <stdio.h>

#include "mapper/mapping/mapping.h"

/* `map c1 on eyeriss { ... }`: for each memory what it keeps, with the words of the tiles as a comment, then its loops. */
void mapping_print(const struct mapping *, FILE *);

/* The whole mapping of an ITEM_MAPPING: each loop and each step is said. NULL after errors, which are in the
 * program's diag: unknown names, steps that cannot be, dimensions that no loop walks, tiles that do not fit. */
struct mapping *mapping_read(struct program *, const struct tree_item *, const struct problem *,
			     const struct hierarchy *);

#endif
