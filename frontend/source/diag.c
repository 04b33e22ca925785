/* diag.c -- collects what is said about source texts, in the order in which it is said.
 *
 * Beyond the limit errors and warnings are counted but not kept, with their notes; and the same thing said
 * twice about the same place (a loop of operator text that runs ten times) is kept once. */
#include "frontend/source/diag.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LIMIT = 100, LONGEST_NAME = 255 };

struct span span_join(struct span first, struct span last)
{
	if (!first.source)
		return last;
	if (first.source != last.source)
		return first;
	if (last.begin < first.begin)
		first.begin = last.begin;
	if (last.end > first.end)
		first.end = last.end;
	return first;
}

int diag_limit(const struct diag *diag)
{
	return diag->limit > 0 ? diag->limit : DEFAULT_LIMIT;
}

const char *diag_explanation(const char *code)
{
	static const struct {
		const char *code, *explanation;
	} row[] = {
#define DIAG(code, explanation) {code, explanation},
#include "frontend/source/diag.def"
#undef DIAG
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		if (strcmp(row[i].code, code) == 0)
			return row[i].explanation;
	return NULL;
}

/* What is compared of a message. */
enum { MESSAGE_BEGIN = 1024 };

/* Has the same been said of the same place? */
static bool is_repeated(const struct diag *diag, const struct finding *fresh, const char *format,
			va_list arguments)
{
	char begin[MESSAGE_BEGIN];
	if (!fresh->span.source)
		return false;
	vsnprintf(begin, sizeof begin, format, arguments);
	for (int i = 0; i < diag->count; i++) {
		const struct finding *old = &diag->finding[i];
		if (old->severity == fresh->severity && old->span.source == fresh->span.source &&
		    old->span.begin == fresh->span.begin && old->span.end == fresh->span.end &&
		    strcmp(old->code, fresh->code) == 0 &&
		    strncmp(old->message, begin, sizeof begin - 1) == 0)
			return true;
	}
	return false;
}

static void append(struct diag *diag, struct finding finding)
{
	ARENA_APPEND(diag->arena, diag->finding, diag->count, finding);
}

/* An error or a warning; *counter is how many of its severity there are. */
static void report(struct diag *diag, enum severity severity, const char *code, struct span span,
		   const char *format, va_list arguments)
{
	int *counter = severity == SEVERITY_ERROR ? &diag->errors : &diag->warnings;
	diag->is_dropping = true;
	if (*counter >= diag_limit(diag)) {
		++*counter;
		return;
	}
	struct finding finding = {.severity = severity, .code = code, .span = span};
	va_list again;
	va_copy(again, arguments);
	bool is_old = is_repeated(diag, &finding, format, again);
	va_end(again);
	if (is_old)
		return;
	finding.message = arena_vprintf(diag->arena, format, arguments);
	++*counter;
	diag->is_dropping = false;
	append(diag, finding);
}

void diag_error_list(struct diag *diag, const char *code, struct span span, const char *format,
		     va_list arguments)
{
	report(diag, SEVERITY_ERROR, code, span, format, arguments);
}

void diag_error(struct diag *diag, const char *code, struct span span, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	diag_error_list(diag, code, span, format, arguments);
	va_end(arguments);
}

bool diag_fail(struct diag *diag, const char *code, char *sentence)
{
	if (!sentence)
		arena_fail(diag->arena);
	diag_error(diag, code, (struct span){0}, "%s", sentence);
	free(sentence);
	return false;
}

void diag_warning(struct diag *diag, const char *code, struct span span, const char *format, ...)
{
	if (diag->warnings_are_hidden) {
		diag->is_dropping = true;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	report(diag, diag->warnings_are_errors ? SEVERITY_ERROR : SEVERITY_WARNING, code, span,
	       format, arguments);
	va_end(arguments);
}

void diag_note(struct diag *diag, struct span span, const char *format, ...)
{
	if (diag->is_dropping)
		return;
	va_list arguments;
	va_start(arguments, format);
	struct finding finding = {.severity = SEVERITY_NOTE, .span = span};
	finding.message = arena_vprintf(diag->arena, format, arguments);
	va_end(arguments);
	append(diag, finding);
}

void diag_label(struct diag *diag, const char *format, ...)
{
	if (diag->is_dropping || diag->count == 0)
		return;
	va_list arguments;
	va_start(arguments, format);
	diag->finding[diag->count - 1].label = arena_vprintf(diag->arena, format, arguments);
	va_end(arguments);
}

void diag_place(struct diag *diag, const char *format, ...)
{
	if (diag->is_dropping || diag->count == 0)
		return;
	va_list arguments;
	va_start(arguments, format);
	diag->finding[diag->count - 1].place = arena_vprintf(diag->arena, format, arguments);
	va_end(arguments);
}

/* ---- Names that are near ------------------------------------------------------------------------------ */

/* More edits than these are no slip of the hand, however long the name. */
enum { MOST_EDITS = 6 };

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits (insert, delete, replace, swap neighbours) that turn a into b, letters compared without their case:
 * Damerau-Levenshtein in its form of optimal string alignment. Both are at most LONGEST_NAME bytes. */
static int count_edits(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int row[3][LONGEST_NAME + 1];
	int *before = row[0], *last = row[1], *here = row[2];
	for (size_t j = 0; j <= b_size; j++)
		last[j] = (int)j;
	for (size_t i = 1; i <= a_size; i++) {
		int least = here[0] = (int)i;
		for (size_t j = 1; j <= b_size; j++) {
			int best = last[j - 1] + !same_letter(a[i - 1], b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (here[j - 1] + 1 < best)
				best = here[j - 1] + 1;
			bool is_swap = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
				       same_letter(a[i - 2], b[j - 1]);
			if (is_swap && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			here[j] = best;
			least = best < least ? best : least;
		}
		if (least > MOST_EDITS + 1) /* a swap reaches back two rows */
			return least;
		int *free = before;
		before = last, last = here, here = free;
	}
	return last[b_size];
}

/* The same; what both begin and end with needs no edit, and is most of two long names that are near. */
static int distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	for (; a_size > 0 && b_size > 0 && same_letter(*a, *b); a++, b++)
		a_size--, b_size--;
	while (a_size > 0 && b_size > 0 && same_letter(a[a_size - 1], b[b_size - 1]))
		a_size--, b_size--;
	return count_edits(a, a_size, b, b_size);
}

enum { LEAST_PREFIX = 3 };

/* The longest candidate that begins what was written, or that it begins: kernel for kernel_size, epsilon for eps. */
static const char *same_beginning(const char *written, const char *const candidates[], int count)
{
	const char *found = NULL;
	size_t size = strnlen(written, LONGEST_NAME + 1), longest = LEAST_PREFIX - 1;
	for (int i = 0; i < count; i++) {
		size_t candidate_size =
			candidates[i] ? strnlen(candidates[i], LONGEST_NAME + 1) : 0;
		size_t shorter = candidate_size < size ? candidate_size : size;
		if (shorter <= longest || candidate_size == size ||
		    strncmp(written, candidates[i], shorter) != 0)
			continue;
		longest = shorter;
		found = candidates[i];
	}
	return found;
}

const char *diag_nearest(const char *written, const char *const candidates[], int count)
{
	size_t size = strnlen(written, LONGEST_NAME + 1);
	if (size > LONGEST_NAME)
		return NULL;
	int least = (int)(size + 1) / 3 + 1;
	least = least < MOST_EDITS ? least : MOST_EDITS;
	const char *nearest = NULL;
	for (int i = 0; i < count; i++) {
		const char *candidate = candidates[i];
		if (!candidate || strcmp(candidate, written) == 0)
			continue;
		size_t candidate_size = strnlen(candidate, LONGEST_NAME + 1);
		size_t longer = candidate_size > size ? candidate_size : size;
		size_t shorter = candidate_size > size ? size : candidate_size;
		if (candidate_size > LONGEST_NAME || longer - shorter >= (size_t)least)
			continue;
		int edits = distance(written, size, candidate, candidate_size);
		if (edits < least) {
			least = edits;
			nearest = candidate;
		}
	}
	return nearest ? nearest : same_beginning(written, candidates, count);
}

const char *diag_suggestion(const struct diag *diag, const char *written,
			    const char *const candidates[], int count)
{
	if (diag->errors >= diag_limit(diag))
		return "";
	const char *nearest = diag_nearest(written, candidates, count);
	return nearest ? arena_printf(diag->arena, "; did you mean '%s'?", nearest) : "";
}
