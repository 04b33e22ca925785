/* diag_source.c -- from a byte offset to the line and column that people count.
 * Lines end with \n; a byte-order mark at the beginning and the \r of a \r\n belong to no line. */
#include "frontend/source/diag.h"

#include <string.h>

static uint32_t first_byte(const struct source *source)
{
	return source->size >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

struct source_line source_line(const struct source *source, uint32_t offset)
{
	struct source_line line = {.begin = first_byte(source), .number = 1};
	if (offset > source->size)
		offset = source->size;
	const char *newline;
	while (line.begin < offset &&
	       (newline = memchr(source->text + line.begin, '\n', offset - line.begin))) {
		line.begin = (uint32_t)(newline - source->text) + 1;
		line.number++;
	}
	line.text = source->text + line.begin;
	newline = memchr(line.text, '\n', source->size - line.begin);
	line.size = newline ? (uint32_t)(newline - line.text) : source->size - line.begin;
	if (newline && line.size > 0 && line.text[line.size - 1] == '\r')
		line.size--;
	return line;
}

void source_position(const struct source *source, uint32_t offset, int *line, int *column)
{
	struct source_line found = source_line(source, offset);
	if (offset > source->size)
		offset = source->size;
	*line = found.number;
	*column = offset > found.begin ? (int)(offset - found.begin) + 1 : 1;
}
