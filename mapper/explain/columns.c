/* columns.c -- rows of cells go in, lines of equal columns come out. */
#include "mapper/explain/columns.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

struct columns columns_new(struct arena *arena, const char *layout)
{
	return (struct columns){.arena = arena, .columns = (int)strlen(layout), .layout = layout};
}

static const char **cell_of_next(struct columns *c)
{
	static const char *const none[MAX_COLUMNS] = {0};

	if (c->rows == 0 || c->filled == c->columns) {
		c->row = arena_room(c->arena, c->row, (size_t)c->rows, sizeof *c->row);
		memcpy(c->row[c->rows++], none, sizeof none);
		c->filled = 0;
	}
	return &c->row[c->rows - 1][c->filled++];
}

void columns_add(struct columns *c, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	*cell_of_next(c) = arena_vprintf(c->arena, format, list);
	va_end(list);
}

void columns_end_row(struct columns *c)
{
	if (c->rows > 0)
		c->filled = c->columns;
}

/* Characters, not bytes: those that continue one are 10xxxxxx. */
static int width_of(const char *text)
{
	int width = 0;

	for (; text && *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

void columns_print(const struct columns *c, FILE *out)
{
	int width[MAX_COLUMNS] = {0};

	for (int r = 0; r < c->rows; r++)
		for (int i = 0; i < c->columns; i++)
			if (width_of(c->row[r][i]) > width[i])
				width[i] = width_of(c->row[r][i]);
	for (int r = 0; r < c->rows; r++) {
		int blanks = 0; /* before the next text, none at the end of a line */
		for (int i = 0; i < c->columns; i++) {
			const char *text = c->row[r][i] ? c->row[r][i] : "";
			int rest = width[i] - width_of(text);
			bool is_right = c->layout[i] == 'r';
			if (*text)
				fprintf(out, "%*s%s", blanks + (is_right ? rest : 0), "", text);
			blanks = *text ? (is_right ? 0 : rest) + 2 : blanks + width[i] + 2;
		}
		putc('\n', out);
	}
}

struct short_number short_number(double value, const char *unit)
{
	return long_number(value, unit, 3);
}

struct short_number long_number(double value, const char *unit, int digits)
{
	static const char *const prefix[] = {"a", "f", "p", "n", "u", "m", "", "k",
					     "M", "G", "T", "P", "E", "Z", "Y"};
	enum { ONE = 6, LAST = sizeof prefix / sizeof prefix[0] - 1 };
	struct short_number s;
	/* What is no measure has no thousandths: 0.60 and not 600 m. */
	double least = *unit ? 0.9995 : 0.00995;
	int at = ONE;

	/* 999.5 is written as 1000, which is 1 of the next. */
	for (; fabs(value) >= 999.5 && at < LAST; at++)
		value /= 1000;
	for (; value != 0 && fabs(value) < (at == ONE ? least : 0.9995) && at > 0; at--)
		value *= 1000;
	bool is_whole = value == floor(value) && at == ONE;
	int before = fabs(value) >= 99.95 ? 3 : fabs(value) >= 9.995 ? 2 : 1;
	snprintf(s.text, sizeof s.text, "%.*f%s%s%.8s", is_whole ? 0 : digits - before, value,
		 at == ONE && !*unit ? "" : " ", prefix[at], unit);
	return s;
}
