/* files_fixture.h -- a folder for each test of files, and what a sentence about a file must say. */
#ifndef TEST_FILES_FIXTURE_H
#define TEST_FILES_FIXTURE_H

#include "runtime/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test is a process of its own, and works in a folder of its own. */
static char folder[] = "/tmp/dnnc-files-XXXXXX";

static inline void enter(void)
{
	cr_assert_not_null(mkdtemp(folder), "a folder for the test");
	cr_assert_eq(chdir(folder), 0, "into it");
	umask(022);
}

static inline int entries(void)
{
	int count = 0;
	DIR *d = opendir(".");
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	closedir(d);
	return count;
}

static inline void leave(void)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(folder);
}

static inline void succeeds(char *error)
{
	cr_expect_null(error, "%s", error);
	free(error);
}

/* The sentence names the file first and holds the words. */
static inline void fails(char *error, const char *file, const char *words)
{
	cr_expect_not_null(error, "%s: '%s' is expected", file, words);
	if (!error)
		return;
	cr_expect(strncmp(error, file, strlen(file)) == 0, "'%s' names %s first", error, file);
	cr_expect_not_null(strstr(error, words), "'%s' says '%s'", error, words);
	free(error);
}

/* A malformed file's sentence says also what would do. */
static inline void advises(char *error, const char *file, const char *words)
{
	cr_expect(!error || strstr(error, "; "), "'%s' says what would do", error);
	fails(error, file, words);
}

#endif
