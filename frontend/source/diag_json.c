/* diag_json.c -- findings as a JSON array, for editors and scripts: always valid JSON in valid UTF-8.
 *
 * Each error or warning is an object {severity, code, file, line, column, endLine, endColumn, place, message,
 * label, notes}; notes are the same without code and notes. Lines and columns count from 1, a column counts
 * bytes, the end is the place after the last byte; what is not known is null. */
#include "frontend/source/diag.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/source/utf8.h"

/* A string with every byte that is not UTF-8 replaced by U+FFFD; null for NULL. */
static json_t *safe_string(struct arena *arena, const char *text)
{
	if (!text)
		return json_null();
	size_t size = strlen(text), used = 0;
	char *safe = arena_array(arena, size, 3);
	for (size_t at = 0; at < size;) {
		uint32_t character;
		int bytes = utf8_decode(text + at, size - at, &character);
		memcpy(safe + used, bytes ? text + at : "\xef\xbf\xbd", bytes ? (size_t)bytes : 3);
		used += bytes ? (size_t)bytes : 3;
		at += bytes ? (size_t)bytes : 1;
	}
	return json_stringn(safe, used);
}

static void set_position(json_t *object, const struct source *source, uint32_t offset,
			 const char *line_key, const char *column_key)
{
	int line, column;
	if (source)
		source_position(source, offset, &line, &column);
	json_object_set_new(object, line_key, source ? json_integer(line) : json_null());
	json_object_set_new(object, column_key, source ? json_integer(column) : json_null());
}

static json_t *object_of(struct arena *arena, const struct finding *finding)
{
	static const char *const word[] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_NOTE] = "note",
	};
	const struct source *source = finding->span.source;
	json_t *object = json_object();
	json_object_set_new(object, "severity", json_string(word[finding->severity]));
	if (finding->severity != SEVERITY_NOTE)
		json_object_set_new(object, "code", safe_string(arena, finding->code));
	json_object_set_new(object, "file", safe_string(arena, source ? source->name : NULL));
	set_position(object, source, finding->span.begin, "line", "column");
	set_position(object, source, finding->span.end, "endLine", "endColumn");
	json_object_set_new(object, "place", safe_string(arena, finding->place));
	json_object_set_new(object, "message", safe_string(arena, finding->message));
	json_object_set_new(object, "label", safe_string(arena, finding->label));
	return object;
}

/* The finding at i with the notes that follow it; *next is the finding after these. */
static json_t *with_notes(const struct diag *diag, int i, int *next)
{
	json_t *object = object_of(diag->arena, &diag->finding[i]);
	json_t *notes = json_array();
	for (i++; i < diag->count && diag->finding[i].severity == SEVERITY_NOTE; i++)
		json_array_append_new(notes, object_of(diag->arena, &diag->finding[i]));
	json_object_set_new(object, "notes", notes);
	*next = i;
	return object;
}

static void print_object(const struct diag *diag, FILE *out, json_t *object, bool is_first)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	if (!text)
		arena_fail(diag->arena);
	fprintf(out, "%s\n%s", is_first ? "" : ",", text);
	free(text);
}

/* Says how many were counted beyond the limit. */
static void print_more(const struct diag *diag, FILE *out, enum severity severity, int count,
		       const char *what)
{
	int more = count - diag_limit(diag);
	if (more <= 0)
		return;
	struct finding finding = {
		.severity = severity,
		.code = "too-many-errors",
		.message =
			arena_printf(diag->arena, "%d more %s%s", more, what, more == 1 ? "" : "s"),
	};
	json_t *object = object_of(diag->arena, &finding);
	json_object_set_new(object, "notes", json_array());
	print_object(diag, out, object, false);
}

void diag_print_json(const struct diag *diag, FILE *out)
{
	fputc('[', out);
	for (int i = 0, next; i < diag->count; i = next)
		print_object(diag, out, with_notes(diag, i, &next), i == 0);
	print_more(diag, out, SEVERITY_ERROR, diag->errors, "error");
	print_more(diag, out, SEVERITY_WARNING, diag->warnings, "warning");
	fputs("\n]\n", out);
}
