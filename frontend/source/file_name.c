/* file_name.c -- names from a source text or a model as names of files: a model may call its output "../out". */
#include "frontend/source/file_name.h"

#include <string.h>
#include "frontend/source/name_index.h"

enum { LONGEST = 100 };

const char *file_name(struct arena *arena, const char *name)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
	char *file =
		*name ? arena_copy(arena, name, strnlen(name, LONGEST)) : arena_copy(arena, "_", 1);
	for (char *c = file; *c; c++)
		if (!strchr(plain, *c))
			*c = '_';
	if (file[0] == '.' || file[0] == '-')
		file[0] = '_';
	return file;
}

const char **file_names(struct arena *arena, const char *const name[], int count)
{
	const char **file = ARENA_ARRAY(arena, (size_t)count, const char *);
	struct name_index taken = {
		0}; /* the number behind the latest of this name; 0 = the name is free */
	for (int i = 0; i < count; i++) {
		const char *base = arena_intern_string(arena, file_name(arena, name[i]));
		file[i] = base;
		while (*name_index_at(arena, &taken, file[i])) {
			int number = ++*name_index_at(arena, &taken, base);
			file[i] = arena_intern_string(arena,
						      arena_printf(arena, "%s.%d", base, number));
		}
		*name_index_at(arena, &taken, file[i]) = 1;
	}
	return file;
}
