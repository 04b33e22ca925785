/* files.c -- the files of native code: which forms of it a path asks for, each written whole or not at all. */
#include "backend/cpu/files.h"

#include <stdlib.h>
#include <string.h>
#include "frontend/source/file_name.h"
#include "runtime/file.h"

/* Writes what cpu_emit or cpu_header made, and frees it; error is theirs. */
static bool write_made(char *error, const char *path, char *data, size_t size, struct diag *diag)
{
	if (error)
		return diag_fail(diag, "code-generation", error);
	error = file_write(path, data, size);
	free(data);
	return !error || diag_fail(diag, "unwritable-file", error);
}

static bool write_form(const struct network *network, const struct cpu_target *target,
		       enum cpu_form form, const char *path, struct diag *diag, char **note)
{
	char *data = NULL;
	size_t size = 0;
	char *error = cpu_emit(network, target, form, &data, &size, note);
	return write_made(error, path, data, size, diag);
}

/* stem.o and stem.h beside it. */
static bool write_object(const struct network *network, const struct cpu_target *target,
			 const char *stem, struct diag *diag, char **note)
{
	const char *slash = strrchr(stem, '/');
	char *data = NULL;
	size_t size = 0;
	if (!write_form(network, target, CPU_OBJECT, arena_printf(diag->arena, "%s.o", stem), diag,
			note))
		return false;
	char *error = cpu_header(network, slash ? slash + 1 : stem, &data, &size);
	return write_made(error, arena_printf(diag->arena, "%s.h", stem), data, size, diag);
}

bool cpu_write(const struct network *network, const struct cpu_target *target, const char *path,
	       struct diag *diag, char **note)
{
	*note = NULL;
	if (file_has_ending(path, ".ll"))
		return write_form(network, target, CPU_IR, path, diag, note);
	if (file_has_ending(path, ".s"))
		return write_form(network, target, CPU_ASSEMBLY, path, diag, note);
	if (file_has_ending(path, ".o")) {
		const char *stem = arena_copy(diag->arena, path, strlen(path) - strlen(".o"));
		return write_object(network, target, stem, diag, note);
	}
	char *error = file_make_folder(path);
	if (error)
		return diag_fail(diag, "unwritable-file", error);
	const char *name = file_name(diag->arena, network->name);
	return write_object(network, target, arena_printf(diag->arena, "%s/%s", path, name), diag,
			    note);
}

bool cpu_print(const struct network *network, const struct cpu_target *target, enum cpu_form form,
	       FILE *out, struct diag *diag, char **note)
{
	char *data = NULL;
	size_t size = 0;
	*note = NULL;
	char *error = cpu_emit(network, target, form, &data, &size, note);
	if (error)
		return diag_fail(diag, "code-generation", error);
	fwrite(data, 1, size, out);
	free(data);
	return true;
}
