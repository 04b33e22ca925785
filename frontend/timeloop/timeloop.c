/* timeloop.c -- files of Timeloop, their names and their numbers. */
#include "frontend/timeloop/timeloop_read.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/parse.h"
#include "runtime/file.h"

enum { MAX_BYTES = 16 << 20 };

bool timeloop_is_file(const char *path)
{
	return path && (file_has_ending(path, ".yaml") || file_has_ending(path, ".yml"));
}

/* ---- Files -------------------------------------------------------------------------------------------------- */

const struct yaml *timeloop_load(struct program *program, const char *path)
{
	struct source *source = ARENA_NEW(program->arena, struct source);
	int errors = program->diag->errors, files = program->file_count;
	char *text;
	size_t size;
	char *error = file_read(path, &text, &size);

	if (error)
		return diag_fail(program->diag, "unreadable-file", error), NULL;
	if (size > MAX_BYTES) {
		free(text);
		diag_error(program->diag, "file-too-large", (struct span){0},
			   "%s: has %zu bytes; a file of Timeloop may have %d", path, size,
			   MAX_BYTES);
		return NULL;
	}
	*source = (struct source){.name = path, .size = (uint32_t)size};
	source->text = arena_copy(program->arena, text, size);
	free(text);
	ARENA_APPEND(program->arena, program->file, program->file_count, path);
	ARENA_APPEND(program->arena, program->real_path, files, NULL);
	const struct yaml *root = yaml_parse(program->arena, program->diag, source);
	if (root && root->kind == YAML_MAP)
		return root;
	if (program->diag->errors == errors)
		diag_error(program->diag, "timeloop", (struct span){.source = source},
			   "this is no file of Timeloop: it holds no map with 'problem' or "
			   "'architecture'");
	return NULL;
}

static const struct yaml *architecture_of(const struct yaml *root)
{
	const struct yaml *arch = yaml_find(root, "architecture");

	return arch ? arch : yaml_find(root, "arch");
}

static void lacks(struct timeloop *t, const struct yaml *root, const char *what)
{
	diag_error(t->diag, "timeloop", (struct span){.source = root->span.source},
		   "this file has no '%s'", what);
}

void timeloop_read(struct program *program, const char *problem, const char *architecture)
{
	struct timeloop t = {.program = program, .arena = program->arena, .diag = program->diag};
	const struct yaml *first = problem ? timeloop_load(program, problem) : NULL;
	const struct yaml *second = first;

	if (first && yaml_find(first, "problem"))
		timeloop_problem(&t, yaml_find(first, "problem"));
	else if (first)
		lacks(&t, first, "problem");
	if (architecture && (!problem || strcmp(problem, architecture) != 0))
		second = timeloop_load(program, architecture);
	if (second && architecture_of(second))
		timeloop_machine(&t, second);
	else if (second && architecture)
		lacks(&t, second, "architecture");
}

void timeloop_add(struct timeloop *t, const struct yaml *from, const char *ending, const char *text,
		  size_t size)
{
	const char *name = arena_printf(t->arena, "%s as %s", from->span.source->name, ending);

	program_add(t->program, name, arena_copy(t->arena, text, size), size);
}

/* ---- Names -------------------------------------------------------------------------------------------------- */

const char *timeloop_name(struct arena *arena, const char *text)
{
	size_t length = strnlen(text, PARSE_MAX_NAME - 2);
	char *name = arena_alloc(arena, length + 3);
	size_t at = 0;

	if (length == 0 || isdigit((unsigned char)text[0]))
		name[at++] = '_';
	for (size_t i = 0; i < length; i++)
		name[at++] = isalnum((unsigned char)text[i]) && (unsigned char)text[i] < 128
				     ? text[i]
				     : '_';
	if (!scan_is_plain_path(name) || syntax_is_word(name, at))
		name[at] = '_';
	return name;
}

unsigned timeloop_space(struct timeloop *t, const struct yaml *name)
{
	static const char *const usual[] = {"Inputs", "Weights", "Outputs"};
	const char *const *known = t->spaces ? t->space : usual;
	int count = t->spaces ? t->spaces : 3;

	for (int i = 0; i < count && name->kind == YAML_SCALAR; i++)
		if (strcmp(name->text, known[i]) == 0)
			return t->spaces ? t->called[i] : 1u << i;
	diag_error(t->diag, "unknown-name", name->span, "there is no data space '%s'%s",
		   name->kind == YAML_SCALAR ? name->text : "",
		   diag_suggestion(t->diag, name->kind == YAML_SCALAR ? name->text : "", known,
				   count));
	if (!t->spaces)
		diag_note(
			t->diag, name->span,
			"without a problem beside it an architecture may speak of Inputs, Weights "
			"and Outputs");
	return 0;
}

unsigned timeloop_spaces(struct timeloop *t, const struct yaml *names)
{
	unsigned called = 0;

	if (!names || (names->kind == YAML_SCALAR && !*names->text))
		return 0;
	if (names->kind == YAML_SCALAR)
		return timeloop_space(t, names);
	for (const struct yaml *name = names->first; name; name = name->next)
		called |= timeloop_space(t, name);
	return called;
}

/* ---- Numbers ------------------------------------------------------------------------------------------------ */

static const char *excerpt(struct arena *arena, const struct yaml *y)
{
	if (y->kind != YAML_SCALAR)
		return y->kind == YAML_LIST ? "a list" : "a map";
	return arena_printf(arena, "'%.40s'", y->text);
}

bool timeloop_number(struct timeloop *t, const struct yaml *y, double *value)
{
	char *end = NULL;

	if (y->kind == YAML_SCALAR && strspn(y->text, "+-.0123456789eE") == strlen(y->text))
		*value = strtod(y->text, &end);
	if (end && end != y->text && !*end && isfinite(*value))
		return true;
	diag_error(t->diag, "not-a-number", y->span, "'%s' is a number, and this is %s",
		   y->key ? y->key : "it", excerpt(t->arena, y));
	diag_note(t->diag, y->span, "expressions and names are not evaluated: write their value");
	return false;
}

bool timeloop_whole(struct diag *diag, const struct yaml *y, int64_t least, int64_t most,
		    int64_t *value)
{
	char *end = NULL;
	intmax_t number = 0;

	errno = 0;
	if (y->kind == YAML_SCALAR && strspn(y->text, "+-0123456789") == strlen(y->text))
		number = strtoimax(y->text, &end, 10);
	if (!end || end == y->text || *end) {
		diag_error(diag, "not-an-integer", y->span,
			   "'%s' is a whole number, and this is %s", y->key ? y->key : "it",
			   excerpt(diag->arena, y));
		diag_note(diag, y->span,
			  "expressions and names are not evaluated: write their value");
		return false;
	}
	if (errno == 0 && number >= least && number <= most) {
		*value = number;
		return true;
	}
	diag_error(diag, "out-of-range", y->span,
		   "'%s' is a number from %" PRId64 " to %" PRId64 ", and this is %s",
		   y->key ? y->key : "it", least, most, excerpt(diag->arena, y));
	return false;
}

bool timeloop_is_on(const struct yaml *y)
{
	static const char *const words[] = {"true", "True", "TRUE", "yes", "Yes", "on", "1"};

	for (size_t i = 0; y && y->kind == YAML_SCALAR && i < sizeof words / sizeof *words; i++)
		if (strcmp(y->text, words[i]) == 0)
			return true;
	return false;
}
