/* file.h -- whole files: read at once, written whole or not at all.
 * Errors come back as a sentence (malloc'd, to be freed by the caller) or NULL for success. */
#ifndef RUNTIME_FILE_H
#define RUNTIME_FILE_H

#include <stddef.h>

/* The bytes of the file and one NUL after them; *data is malloc'd, the caller frees it. */
char *file_read(const char *path, char **data, size_t *size);

/* Writes beside the target, syncs, then renames over it: the file at path is the old one or the
 * whole new one. Special files (/dev/stdout, pipes) are written directly and flushed. */
char *file_write(const char *path, const void *data, size_t size);

#endif
