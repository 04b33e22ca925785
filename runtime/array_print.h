/* array_print.h -- arrays and shapes as people read them. */
#ifndef RUNTIME_ARRAY_PRINT_H
#define RUNTIME_ARRAY_PRINT_H

#include <stdio.h>
#include "array.h"

struct shape_text {
	char text[224]; /* "f32[1, 28, 28]"; "f32[]" for a scalar */
};
struct shape_text shape_text(enum type, int rank, const int64_t extent[]);

/* The elements, one line for each row along the last dimension; of many the first, then an ellipsis. */
void array_print(FILE *, const struct array *);

#endif
