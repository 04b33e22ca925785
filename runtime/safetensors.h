/* safetensors.h -- named arrays in one file: 8 bytes of header length, a JSON header, the data.
 * Errors come back as a sentence (malloc'd, freed by the caller) or NULL for success. */
#ifndef RUNTIME_SAFETENSORS_H
#define RUNTIME_SAFETENSORS_H

#include "array.h"

struct named_array {
	char *name;
	struct array *array;
};

struct array_set {
	size_t count;
	struct named_array *item;  /* sorted by name */
};

char *safetensors_parse(const char *name, const void *data, size_t size, struct array_set *);
char *safetensors_read(const char *path, struct array_set *);
char *safetensors_write(const char *path, const struct array_set *);
/* The item of this name, and its array; NULL where there is none. */
struct named_array *array_set_item(const struct array_set *, const char *name);
struct array *array_set_find(const struct array_set *, const char *name);
void array_set_free(struct array_set *);

#endif
