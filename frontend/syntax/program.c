/* program.c -- source files with what they import, each read once, and their items found by name.
 *
 * A file is known by its real path, so that two ways of naming it are one file. While a file's imports are
 * followed it stands in a chain; an import of a file in the chain is a cycle, told step by step. */
#include "frontend/syntax/program.h"

#include <stdlib.h>
#include <string.h>
#include "runtime/file.h"

extern const char ops_text[];
extern const unsigned ops_text_size;

enum { MAX_IMPORT_DEPTH = 200, MAX_SOURCE_BYTES = 1 << 30 };

/* A file whose imports are being followed, the innermost first. */
struct program_step {
	const char *real_path; /* interned, or NULL for a text in memory */
	const char *name;
	const struct tree_item *import; /* the import followed at the moment */
	int depth;
	struct program_step *outer;
};

static void follow_imports(struct program *, const struct tree *, const char *real_path);

static struct tree *add_text(struct program *program, struct source source)
{
	struct source *kept = ARENA_NEW(program->arena, struct source);
	*kept = source;
	struct tree *tree = tree_parse(program->arena, program->diag, kept);
	ARENA_APPEND(program->arena, program->tree, program->tree_count, tree);
	return tree;
}

struct program *program_new(struct arena *arena, struct diag *diag)
{
	struct program *program = ARENA_NEW(arena, struct program);
	program->arena = arena;
	program->diag = diag;
	add_text(program, (struct source){"ops.dnn", ops_text, ops_text_size, true});
	return program;
}

/* The path without links and dots, interned; NULL where the file cannot be reached. */
static const char *real_path_of(struct program *program, const char *path)
{
	char *real = realpath(path, NULL);
	if (!real)
		return NULL;
	const char *interned = arena_intern_string(program->arena, real);
	free(real);
	return interned;
}

static bool is_read(const struct program *program, const char *real_path)
{
	for (int i = 0; i < program->file_count; i++)
		if (program->real_path[i] == real_path)
			return true;
	return false;
}

/* Reads the file unless it was read before; at is the import that names it. */
static void read_file(struct program *program, const char *path, struct span at)
{
	const char *real_path = real_path_of(program, path);
	if (real_path && is_read(program, real_path))
		return;
	char *text;
	size_t size;
	char *error = file_read(path, &text, &size);
	if (error) {
		diag_error(program->diag, "unreadable-file", at, "%s", error);
		free(error);
		return;
	}
	if (size > MAX_SOURCE_BYTES) {
		diag_error(program->diag, "file-too-large", at,
			   "%s: has %zu bytes; a source file may have 1 GiB", path, size);
		free(text);
		return;
	}
	struct source source = {.name = path, .size = (uint32_t)size};
	source.text = arena_copy(program->arena, text, size);
	free(text);
	int other = program->file_count;
	ARENA_APPEND(program->arena, program->file, program->file_count, path);
	ARENA_APPEND(program->arena, program->real_path, other, real_path);
	follow_imports(program, add_text(program, source), real_path);
}

/* A path in an import is relative to the file that holds it. */
static const char *beside(struct arena *arena, const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	if (path[0] == '/' || !slash)
		return path;
	return arena_printf(arena, "%.*s%s", (int)(slash + 1 - file), file, path);
}

/* Tells how the file at the outermost of these steps came to be imported from the innermost. */
static void note_steps(struct program *program, const struct program_step *step,
		       const char *first_path)
{
	if (step->real_path != first_path && step->outer)
		note_steps(program, step->outer, first_path);
	diag_note(program->diag, step->import->name_span, "'%s' imports '%s' here", step->name,
		  step->import->name);
}

/* Reports an import of a file in the chain; false when it is none of these. */
static bool is_cycle(struct program *program, const char *real_path)
{
	const struct program_step *innermost = program->step, *step = innermost;
	while (step && (!real_path || step->real_path != real_path))
		step = step->outer;
	if (!step)
		return false;
	diag_error(program->diag, "import-cycle", innermost->import->name_span,
		   "this import closes a cycle: '%s' is being read already", step->name);
	diag_label(program->diag, "move what both files need into a third");
	if (step != innermost)
		note_steps(program, innermost->outer, real_path);
	return true;
}

static void follow_imports(struct program *program, const struct tree *tree, const char *real_path)
{
	struct program_step step = {
		.real_path = real_path,
		.name = tree->source->name,
		.depth = program->step ? program->step->depth + 1 : 1,
		.outer = program->step,
	};
	program->step = &step;
	for (const struct tree_item *item = tree->item; item; item = item->next) {
		if (item->kind != ITEM_IMPORT || !item->name)
			continue;
		step.import = item;
		const char *path = beside(program->arena, step.name, item->name);
		if (is_cycle(program, real_path_of(program, path)))
			continue;
		if (step.depth >= MAX_IMPORT_DEPTH)
			diag_error(program->diag, "import-depth", item->name_span,
				   "imports nest deeper than %d files", (int)MAX_IMPORT_DEPTH);
		else
			read_file(program, path, item->name_span);
	}
	program->step = step.outer;
}

void program_read(struct program *program, const char *path)
{
	const char *kept = arena_copy(program->arena, path, strlen(path));
	read_file(program, kept, (struct span){0});
}

void program_add(struct program *program, const char *name, const char *text, size_t size)
{
	if (size > MAX_SOURCE_BYTES) {
		diag_error(program->diag, "file-too-large", (struct span){0},
			   "%s: has %zu bytes; a source text may have 1 GiB", name, size);
		return;
	}
	struct source source = {.name = name, .text = text, .size = (uint32_t)size};
	follow_imports(program, add_text(program, source), NULL);
}

const struct tree_item *program_find(const struct program *program, enum item_kind kind,
				     const char *name)
{
	const char *interned = arena_intern_string(program->arena, name);
	for (int i = 1; i <= program->tree_count; i++) {
		const struct tree *tree = program->tree[i % program->tree_count];
		for (const struct tree_item *item = tree->item; item; item = item->next)
			if (item->kind == kind && item->name == interned)
				return item;
	}
	return NULL;
}

bool program_has(const struct program *program, enum item_kind kind)
{
	for (int i = 1; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (item->kind == kind)
				return true;
	return false;
}
