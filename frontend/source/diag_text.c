/* diag_text.c -- findings as text: place, message, and the source line with a caret below it.
 *
 *     net.dnn:12:14: error: a sentence
 *        12 |     glb: for m in 96
 *           |              ^~~~~~~ label
 *
 * The line is cut into glyphs, each a number of columns wide: a tab reaches to the next multiple of eight, a
 * character is one wide, and what is no UTF-8 or would not show is written as <FF> or <U+202E>, so that no
 * input can play tricks on a terminal. Of a long line a window around the caret is shown. */
#include "frontend/source/diag.h"

#include <inttypes.h>
#include <string.h>
#include "frontend/source/utf8.h"

enum {
	TAB = 8,
	WINDOW = 100,       /* columns of a source line shown */
	BEFORE_CARET = 40,  /* of these before the caret, where the line is cut */
	LONGEST_TEXT = 4000 /* bytes of a message, name or label shown */
};

/* The codes of a terminal (ECMA-48, SGR), all empty when colour is off. */
struct palette {
	const char *bold, *error, *warning, *note, *caret, *end;
};

static const struct palette plain = {"", "", "", "", "", ""};
static const struct palette coloured = {"\033[1m",    "\033[1;31m", "\033[1;35m",
					"\033[1;36m", "\033[1;32m", "\033[0m"};

/* One character as shown: its bytes in the source, what stands for it, and the columns it takes. */
struct glyph {
	uint32_t bytes;
	int columns;
	char shown[16];
};

static struct glyph glyph_at(const char *text, size_t left, int column)
{
	struct glyph glyph = {0};
	uint32_t character;
	glyph.bytes = (uint32_t)utf8_decode(text, left, &character);
	if (glyph.bytes == 0) {
		glyph.bytes = 1;
		glyph.columns = snprintf(glyph.shown, sizeof glyph.shown, "<%02X>",
					 (unsigned)(unsigned char)*text);
	} else if (character == '\t') {
		glyph.columns = TAB - column % TAB;
		memset(glyph.shown, ' ', (size_t)glyph.columns);
	} else if (utf8_is_shown(character)) {
		memcpy(glyph.shown, text, glyph.bytes);
		glyph.columns = 1;
	} else {
		glyph.columns =
			snprintf(glyph.shown, sizeof glyph.shown, "<U+%04" PRIX32 ">", character);
	}
	return glyph;
}

/* A message, name or label: as the source line, but on one line. */
static void print_safely(FILE *out, const char *text)
{
	size_t size = strlen(text), at = 0;
	while (at < size && at < LONGEST_TEXT) {
		struct glyph glyph = glyph_at(text + at, size - at, TAB - 1);
		fputs(glyph.shown, out);
		at += glyph.bytes;
	}
	if (at < size)
		fputs("...", out);
}

static void print_place(FILE *out, const struct finding *finding)
{
	if (finding->place) {
		print_safely(out, finding->place);
	} else if (finding->span.source) {
		int line, column;
		source_position(finding->span.source, finding->span.begin, &line, &column);
		print_safely(out, finding->span.source->name);
		fprintf(out, ":%d:%d", line, column);
	} else {
		return;
	}
	fputs(": ", out);
}

/* Where in the line its window begins: at 0, or some characters before the caret of a long line. */
static uint32_t window_begin(const struct source_line *line, uint32_t caret)
{
	if (caret < WINDOW - BEFORE_CARET / 2)
		return 0;
	uint32_t begin = caret;
	for (int back = 0; back < BEFORE_CARET && begin > 0; back++)
		do
			begin--;
		while (begin > 0 && ((unsigned char)line->text[begin] & 0xc0) == 0x80 &&
		       caret - begin < 4 * BEFORE_CARET);
	return begin;
}

/* What is known of the window after the source line was printed. */
struct window {
	int caret; /* columns before the caret */
	int width; /* columns underlined, at least 1 */
};

/* Prints the source line from the window's begin; caret and end are offsets in the line. */
static struct window print_line(FILE *out, const struct source_line *line, uint32_t caret,
				uint32_t end)
{
	uint32_t at = window_begin(line, caret);
	int column = 0, caret_column = -1, end_column = -1;
	fprintf(out, "%5d |", line->number);
	if (line->size > 0)
		fputc(' ', out);
	if (at > 0)
		column += fprintf(out, "...");
	while (at < line->size && column < WINDOW) {
		if (at >= caret && caret_column < 0)
			caret_column = column;
		if (at >= end && end_column < 0)
			end_column = column;
		struct glyph glyph = glyph_at(line->text + at, line->size - at, column);
		fputs(glyph.shown, out);
		column += glyph.columns;
		at += glyph.bytes;
	}
	fputs(at < line->size ? "...\n" : "\n", out);
	caret_column = caret_column < 0 ? column : caret_column;
	end_column = end_column < 0 ? column : end_column;
	int width = end_column > caret_column ? end_column - caret_column : 1;
	return (struct window){caret_column, width};
}

static void print_source(FILE *out, const struct finding *finding, const struct palette *palette)
{
	const struct span *span = &finding->span;
	struct source_line line = source_line(span->source, span->begin);
	uint32_t caret = span->begin > line.begin ? span->begin - line.begin : 0;
	uint32_t end = span->end > line.begin ? span->end - line.begin : 0;
	caret = caret < line.size ? caret : line.size;
	end = end < line.size ? end : line.size;
	while (end > caret && (line.text[end - 1] == ' ' || line.text[end - 1] == '\t'))
		end--;
	struct window window = print_line(out, &line, caret, end);
	fprintf(out, "      | %*s%s^", window.caret, "", palette->caret);
	for (int i = 1; i < window.width; i++)
		fputc('~', out);
	if (finding->label) {
		fputc(' ', out);
		print_safely(out, finding->label);
	}
	fprintf(out, "%s\n", palette->end);
}

static void print_finding(FILE *out, const struct finding *finding, const struct palette *palette)
{
	const struct {
		const char *colour, *word;
	} look[] = {
		[SEVERITY_ERROR] = {palette->error, "error: "},
		[SEVERITY_WARNING] = {palette->warning, "warning: "},
		[SEVERITY_NOTE] = {palette->note, "note: "},
	};
	fputs(palette->bold, out);
	print_place(out, finding);
	fprintf(out, "%s%s%s%s", palette->end, look[finding->severity].colour,
		look[finding->severity].word, palette->end);
	bool is_note = finding->severity == SEVERITY_NOTE;
	fputs(is_note ? "" : palette->bold, out);
	print_safely(out, finding->message);
	fprintf(out, "%s\n", is_note ? "" : palette->end);
	if (finding->span.source && !finding->place)
		print_source(out, finding, palette);
}

void diag_print_text(const struct diag *diag, FILE *out, bool colour)
{
	const struct palette *palette = colour ? &coloured : &plain;
	for (int i = 0; i < diag->count; i++)
		print_finding(out, &diag->finding[i], palette);
	int errors = diag->errors - diag_limit(diag), warnings = diag->warnings - diag_limit(diag);
	if (errors > 0)
		fprintf(out, "... and %d more error%s\n", errors, errors == 1 ? "" : "s");
	if (warnings > 0)
		fprintf(out, "... and %d more warning%s\n", warnings, warnings == 1 ? "" : "s");
}

void diag_print_totals(const struct diag *diag, FILE *out)
{
	if (diag->errors > 0)
		fprintf(out, "%d error%s", diag->errors, diag->errors == 1 ? "" : "s");
	if (diag->errors > 0 && diag->warnings > 0)
		fputs(" and ", out);
	if (diag->warnings > 0)
		fprintf(out, "%d warning%s", diag->warnings, diag->warnings == 1 ? "" : "s");
	if (diag->errors + diag->warnings > 0)
		fputc('\n', out);
}
