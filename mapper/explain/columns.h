/* columns.h -- rows of cells printed in columns as wide as their widest cell, and numbers that fit them. */
#ifndef MAPPER_COLUMNS_H
#define MAPPER_COLUMNS_H

#include <stdio.h>

#include "frontend/source/diag.h"

enum { MAX_COLUMNS = 16 };

struct columns {
	struct arena *arena;
	int columns;
	const char *layout; /* one letter a column: l stands left, r right */
	int rows;
	const char *(*row)[MAX_COLUMNS];
	int filled; /* cells of the last row */
};

/* The layout has a letter for each column: "lrr". */
struct columns columns_new(struct arena *, const char *layout);
/* The next cell of the row; a row is full when it has its columns, and then the next begins. */
void columns_add(struct columns *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Fills the row with empty cells. */
void columns_end_row(struct columns *);
void columns_print(const struct columns *, FILE *);

/* Three digits, a prefix and the unit: "1.81 G", "724 M", "0.60", "5.85 ms". A unit may be "". */
struct short_number {
	char text[48];
};
struct short_number short_number(double, const char *unit);
/* With so many digits, 3 or more, where it is not whole. */
struct short_number long_number(double, const char *unit, int digits);

#endif
