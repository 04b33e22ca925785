/* file.c -- a path in, all its bytes out; and the other way, whole or not at all.
 * Every system call's result is looked at: a full disk may show itself only in fsync or close. */
#include "file.h"
#include "sentence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_ROOM = 64 * 1024 };                    /* for a file that does not tell its size */
static const size_t STREAM_LIMIT = (size_t)1 << 28; /* a device may never end */

/* Not strerror, whose words depend on the locale. */
static const char *reason(int error)
{
	const char *words = strerrordesc_np(error);
	return words ? words : "an unknown error";
}

/* Doubles the room, or makes the first; false leaves the text as it was. */
static bool grow(char **text, size_t *room, size_t first)
{
	size_t wanted = *room ? 2 * *room : first;
	char *larger = wanted > *room ? realloc(*text, wanted) : NULL;
	if (!larger)
		return false;
	*text = larger;
	*room = wanted;
	return true;
}

/* On an error too, *text is the caller's to free. */
static char *read_all(int fd, const char *path, char **text, size_t *used)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return sentence("%s: cannot be read: %s", path, reason(errno));
	if (S_ISDIR(st.st_mode))
		return sentence("%s: is a directory, where a file is wanted", path);
	bool regular = S_ISREG(st.st_mode);
	/* One byte more to meet the end of the file in, one for the NUL. */
	size_t first = regular && st.st_size > 0 ? (size_t)st.st_size + 2 : FIRST_ROOM;
	size_t room = 0;
	for (;;) {
		if (*used + 2 > room && !grow(text, &room, first))
			return sentence("%s: is larger than the memory left", path);
		ssize_t got = read(fd, *text + *used, room - *used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return sentence("%s: cannot be read: %s", path, reason(errno));
		if (got == 0)
			return NULL;
		*used += (size_t)got;
		if (!regular && *used > STREAM_LIMIT)
			return sentence("%s: has not ended after %zu bytes; store it in a file and "
					"name that",
					path, STREAM_LIMIT);
	}
}

char *file_read(const char *path, char **data, size_t *size)
{
	char *text = NULL;
	size_t used = 0;
	*data = NULL;
	*size = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return sentence("%s: cannot be opened: %s", path, reason(errno));
	char *error = read_all(fd, path, &text, &used);
	close(fd);
	char *exact = error ? NULL : realloc(text, used + 1);
	if (!exact) {
		free(text);
		return error ? error : sentence("%s: is larger than the memory left", path);
	}
	exact[used] = '\0';
	*data = exact;
	*size = used;
	return NULL;
}

static bool write_all(int fd, const char *at, size_t left)
{
	while (left > 0) {
		ssize_t done = write(fd, at, left);
		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = EIO;
		if (done <= 0)
			return false;
		at += done;
		left -= (size_t)done;
	}
	return true;
}

/* Pipes, terminals and some file systems have nothing to sync, and say so by EINVAL or its like. */
static bool flush(int fd)
{
	return fsync(fd) == 0 || errno == EINVAL || errno == EROFS || errno == ENOTSUP;
}

/* Is it the file that standard output goes to, under whatever name? */
static bool is_stdout(const struct stat *st)
{
	struct stat out;
	return fstat(STDOUT_FILENO, &out) == 0 && out.st_dev == st->st_dev &&
	       out.st_ino == st->st_ino;
}

/* Standard output is written through its own descriptor: what stands there already stays, and what
 * others print after us goes after us. */
static char *write_directly(const char *path, const struct stat *st, const void *data, size_t size)
{
	int fd = is_stdout(st) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			       : open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return sentence("%s: cannot be opened for writing: %s", path, reason(errno));
	int cause = write_all(fd, data, size) && flush(fd) ? 0 : errno;
	if (close(fd) != 0 && !cause)
		cause = errno;
	return cause ? sentence("%s: cannot be written: %s", path, reason(cause)) : NULL;
}

/* The length of the path up to and including its last slash. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (int)(slash + 1 - path) : 0;
}

/* A new file in the folder of path, open for writing; -1 and errno on failure, else *temp is its
 * path, to be freed. The name does not hold the target's, which may be as long as names can be. */
static int create_beside(const char *path, mode_t mode, char **temp)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		if (asprintf(temp, "%.*s.dnnc-%ld-%d.tmp", folder_length(path), path,
			     (long)getpid(), attempt) < 0) {
			errno = ENOMEM;
			return -1;
		}
		int fd = open(*temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0)
			return fd;
		int cause = errno;
		free(*temp);
		errno = cause;
		if (cause != EEXIST)
			break;
	}
	return -1;
}

/* Makes the renaming last. A folder that may be written but not read cannot be synced by us. */
static bool flush_folder(const char *path)
{
	int length = folder_length(path);
	char *folder = length ? strndup(path, (size_t)length) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool done = fd >= 0 ? flush(fd) : errno == EACCES;
	int cause = errno;
	if (fd >= 0)
		close(fd);
	free(folder);
	errno = cause;
	return done;
}

/* name is the path as the user gave it; old is what stands at path now, or NULL. */
static char *replace(const char *name, const char *path, const struct stat *old, const void *data,
		     size_t size)
{
	char *temp;
	mode_t mode = old ? old->st_mode & 0777 : 0666;
	int fd = create_beside(path, mode, &temp);
	if (fd < 0 && errno == ENOENT && folder_length(path) > 0)
		return sentence("%s: cannot be written: there is no folder %.*s", name,
				folder_length(path), path);
	if (fd < 0)
		return sentence("%s: cannot be written: no file can be made beside it: %s", name,
				reason(errno));
	bool filled = (!old || fchmod(fd, mode) == 0) && write_all(fd, data, size) && flush(fd);
	int cause = filled ? 0 : errno;
	if (close(fd) != 0 && !cause)
		cause = errno;
	if (!cause && rename(temp, path) != 0)
		cause = errno;
	if (cause)
		unlink(temp);
	free(temp);
	if (cause)
		return sentence("%s: cannot be written: %s", name, reason(cause));
	if (!flush_folder(path))
		return sentence("%s: is written, but its folder cannot be synced: %s", name,
				reason(errno));
	return NULL;
}

char *file_write(const char *path, const void *data, size_t size)
{
	struct stat st;
	if (stat(path, &st) != 0) {
		if (errno != ENOENT)
			return sentence("%s: cannot be written: %s", path, reason(errno));
		return replace(path, path, NULL, data, size);
	}
	if (!S_ISREG(st.st_mode) || is_stdout(&st))
		return write_directly(path, &st, data, size);
	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		return sentence("%s: cannot be written: %s", path, reason(errno));
	char *target = realpath(path, NULL); /* a link stays, what it leads to is replaced */
	if (!target)
		return sentence("%s: cannot be written: %s", path, reason(errno));
	char *error = replace(path, target, &st, data, size);
	free(target);
	return error;
}

/* What cannot be done there, and why not. */
static char *refusal(const char *path, const char *what, int cause)
{
	if (cause == ENOENT && folder_length(path) > 0)
		return sentence("%s: %s: there is no folder %.*s", path, what, folder_length(path),
				path);
	return sentence("%s: %s: %s", path, what, reason(cause));
}

/* May we make something beside the path, which may be that of a folder and end in slashes? 0, or why not. */
static int may_make_beside(const char *path)
{
	char *folder = strdup(path);
	size_t length = folder ? strlen(folder) : 0;
	int cause = 0;
	if (!folder)
		return ENOMEM;
	while (length > 0 && folder[length - 1] == '/')
		length--;
	while (length > 0 && folder[length - 1] != '/')
		length--;
	folder[length] = '\0';
	if (faccessat(AT_FDCWD, length ? folder : ".", W_OK | X_OK, AT_EACCESS) != 0)
		cause = errno;
	free(folder);
	return cause;
}

char *file_may_write(const char *path)
{
	struct stat st;
	int cause = 0;
	if (stat(path, &st) != 0)
		cause = errno == ENOENT && *path ? may_make_beside(path) : errno;
	else if (S_ISDIR(st.st_mode))
		cause = EISDIR;
	else if (!is_stdout(&st) && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
		cause = errno;
	return cause ? refusal(path, "cannot be written", cause) : NULL;
}

char *file_may_make_folder(const char *path)
{
	struct stat there;
	int cause;
	if (stat(path, &there) == 0)
		cause = !S_ISDIR(there.st_mode)                                   ? EEXIST
			: faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0 ? 0
										  : errno;
	else
		cause = errno == ENOENT && *path ? may_make_beside(path) : errno;
	return cause ? refusal(path, "no folder can be made there", cause) : NULL;
}

char *file_make_folder(const char *path)
{
	struct stat there;
	if (mkdir(path, 0777) == 0)
		return NULL;
	int cause = errno;
	if (stat(path, &there) == 0 && S_ISDIR(there.st_mode))
		return NULL;
	return refusal(path, "no folder can be made there", cause);
}

char *file_flush(FILE *stream, const char *name)
{
	bool is_lost = ferror(stream); /* by an earlier write, whose cause is not known any more */
	if (fflush(stream) != 0)
		return sentence("%s cannot be written: %s", name, reason(errno));
	return is_lost ? sentence("%s cannot be written", name) : NULL;
}

void file_occupy_standard(void)
{
	int fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY);
	close(fd);
}

bool file_has_ending(const char *path, const char *ending)
{
	size_t length = strlen(path), wanted = strlen(ending);
	return length > wanted && strcmp(path + length - wanted, ending) == 0;
}
