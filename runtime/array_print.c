/* array_print.c -- arrays and shapes as people read them. */
#include "array_print.h"

#include <inttypes.h>
#include <math.h>

enum { ROWS_SHOWN = 8, COLUMNS_SHOWN = 10, INDENT = 4 };

struct shape_text shape_text(enum type type, int rank, const int64_t extent[])
{
	struct shape_text shape;
	size_t room = sizeof shape.text;
	int used = snprintf(shape.text, room, "%s[", type_info(type)->name);
	for (int i = 0; i < rank; i++)
		used += snprintf(shape.text + used, room - (size_t)used, "%s%" PRId64,
				 i ? ", " : "", extent[i]);
	snprintf(shape.text + used, room - (size_t)used, "]");
	return shape;
}

/* Integers whole, even where a double would not hold them. The sign of NaN says nothing. */
static void print_element(FILE *out, const struct array *array, int64_t i)
{
	if (array->type == TYPE_I64)
		fprintf(out, "%" PRId64, ((const int64_t *)array->data)[i]);
	else if (isnan(array_get(array, i)))
		fputs("nan", out);
	else if (type_info(array->type)->is_float)
		fprintf(out, "%.6g", array_get(array, i));
	else
		fprintf(out, "%.0f", array_get(array, i));
}

void array_print(FILE *out, const struct array *array)
{
	int64_t count = array_count(array);
	int64_t columns = array->rank > 0 ? array->extent[array->rank - 1] : 1;
	int64_t rows = count / columns;
	int64_t columns_shown = columns < COLUMNS_SHOWN ? columns : COLUMNS_SHOWN;
	int64_t rows_shown = rows < ROWS_SHOWN ? rows : ROWS_SHOWN;
	for (int64_t row = 0; row < rows_shown; row++) {
		fprintf(out, "%*s", INDENT - 1, "");
		for (int64_t column = 0; column < columns_shown; column++) {
			fputc(' ', out);
			print_element(out, array, row * columns + column);
		}
		fputs(columns_shown < columns ? " ...\n" : "\n", out);
	}
	if (rows_shown < rows)
		fprintf(out, "%*s...\n", INDENT, "");
}
