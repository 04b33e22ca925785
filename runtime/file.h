/* file.h -- whole files: read at once, written whole or not at all.
 * Errors come back as a sentence (malloc'd, to be freed by the caller) or NULL for success. */
#ifndef RUNTIME_FILE_H
#define RUNTIME_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The bytes of the file and one NUL after them; *data is malloc'd, the caller frees it. */
char *file_read(const char *path, char **data, size_t *size);

/* Writes beside the target, syncs, then renames over it: the file at path is the old one or the
 * whole new one. Special files (/dev/stdout, pipes) are written directly and flushed. */
char *file_write(const char *path, const void *data, size_t size);

/* Whether file_write could write there, and file_make_folder make the folder or leave one that can be written to: asked before long
 * work, and nothing is changed. */
char *file_may_write(const char *path);
char *file_may_make_folder(const char *path);

/* Makes the folder, unless there is one already; those that it is to lie in must be there. */
char *file_make_folder(const char *path);

/* Writes out what the stream holds back; an error when any of what was printed is lost. */
char *file_flush(FILE *, const char *name);

/* Where the caller closed one of the three standard streams, a file of ours would be opened in its place, and what
 * is meant for the stream would go there. Puts a descriptor there that cannot be written. */
void file_occupy_standard(void);

/* Does the path end so, with something before it? */
bool file_has_ending(const char *path, const char *ending);

#endif
