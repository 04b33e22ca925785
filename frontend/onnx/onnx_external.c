/* onnx_external.c -- reads tensor data from a file beside the model, and from nowhere else.
 * The entry `location` is a path relative to the model's folder, `offset` and `length` count bytes. A path that
 * is absolute, steps up, or leads outside through a symbolic link is refused. */
#include "frontend/onnx/onnx_external.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *entry(const Onnx__TensorProto *t, const char *key)
{
	for (size_t i = 0; i < t->n_external_data; i++)
		if (t->external_data[i]->key && !strcmp(t->external_data[i]->key, key))
			return t->external_data[i]->value;
	return NULL;
}

/* A number of bytes in decimal; false if it is anything else. */
static bool byte_count(const char *text, int64_t *count)
{
	*count = 0;
	if (!*text)
		return false;
	for (; *text; text++)
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(*count, 10, count) ||
		    __builtin_add_overflow(*count, *text - '0', count))
			return false;
	return true;
}

static bool steps_up(const char *path)
{
	for (const char *at = path; *at;) {
		size_t length = strcspn(at, "/");
		if (length == 2 && at[0] == '.' && at[1] == '.')
			return true;
		at += length + (at[length] == '/');
	}
	return false;
}

static const char *folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	return slash == path ? "/" : arena_copy(arena, path, (size_t)(slash - path));
}

/* The file's real path in *real (malloc'd) if it lies inside the model's folder. */
static const char *confine(struct arena *arena, const char *model_path, const char *location,
			   char **real)
{
	*real = NULL;
	if (!*location || *location == '/' || steps_up(location))
		return arena_printf(
			arena, "its data file '%.200s' is not a path inside the model's folder",
			location);
	const char *folder = folder_of(arena, model_path);
	char *root = realpath(folder, NULL);
	*real = root ? realpath(arena_printf(arena, "%s/%s", folder, location), NULL) : NULL;
	const char *wrong = NULL;
	if (!*real) {
		wrong = arena_printf(arena, "its data file '%.200s': %s", location,
				     strerror(errno));
	} else {
		size_t length = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(*real, root, length) != 0 ||
		    ((*real)[length] && (*real)[length] != '/'))
			wrong = arena_printf(
				arena, "its data file '%.200s' leads outside the model's folder",
				location);
	}
	free(root);
	return wrong;
}

static bool read_all(int file, uint8_t *bytes, int64_t size, int64_t offset)
{
	while (size > 0) {
		ssize_t got = pread(file, bytes, (size_t)size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		bytes += got;
		size -= got;
		offset += got;
	}
	return true;
}

/* Reads size bytes at offset of a regular file that is long enough. */
static const char *read_part(struct arena *arena, const char *path, const char *location,
			     int64_t offset, int64_t size, uint8_t **bytes)
{
	struct stat info;
	const char *wrong = NULL;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return arena_printf(arena, "its data file '%.200s': %s", location, strerror(errno));
	if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode))
		wrong = arena_printf(arena, "its data file '%.200s' is not a regular file",
				     location);
	else if (offset > info.st_size || size > info.st_size - offset)
		wrong = arena_printf(
			arena,
			"its data file '%.200s' has %lld bytes, but %lld are needed at offset %lld",
			location, (long long)info.st_size, (long long)size, (long long)offset);
	else if (!(*bytes = malloc(size ? (size_t)size : 1)))
		wrong = arena_printf(arena, "no memory for %lld bytes of data", (long long)size);
	else if (!read_all(file, *bytes, size, offset))
		wrong = arena_printf(arena, "its data file '%.200s' cannot be read", location);
	close(file);
	if (wrong) {
		free(*bytes);
		*bytes = NULL;
	}
	return wrong;
}

const char *onnx_external_read(struct arena *arena, const char *model_path,
			       const Onnx__TensorProto *t, int64_t size, uint8_t **bytes,
			       const char **path)
{
	const char *location = entry(t, "location");
	const char *offset_text = entry(t, "offset");
	const char *length_text = entry(t, "length");
	int64_t offset = 0, length = size;
	char *real;
	*bytes = NULL;
	if (!location)
		return "its data lie in another file, which the model does not name";
	if (offset_text && !byte_count(offset_text, &offset))
		return arena_printf(arena, "'%.40s' is no offset into a data file", offset_text);
	if (length_text && !byte_count(length_text, &length))
		return arena_printf(arena, "'%.40s' is no length of data", length_text);
	if (length != size)
		return arena_printf(arena, "its shape needs %lld bytes, its data have %lld",
				    (long long)size, (long long)length);
	*path = arena_printf(arena, "%s/%s", folder_of(arena, model_path), location);
	const char *wrong = confine(arena, model_path, location, &real);
	if (!wrong)
		wrong = read_part(arena, real, location, offset, size, bytes);
	free(real);
	return wrong;
}

void onnx_external_free(uint8_t *bytes)
{
	free(bytes);
}
