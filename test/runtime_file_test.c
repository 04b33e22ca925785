/* runtime_file_test.c -- file.h: what is read and written, whole or not at all, and what is told of the rest. */
#include "files_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

TestSuite(file, .init = enter, .fini = leave);

static void holds(const char *path, const char *text)
{
	char *data;
	size_t size;
	succeeds(file_read(path, &data, &size));
	cr_assert_not_null(data, "%s is read", path);
	cr_expect(size == strlen(text) && memcmp(data, text, size) == 0, "%s holds '%s'", path,
		  data);
	free(data);
}

static mode_t mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

Test(file, what_is_written_is_read)
{
	enum { SIZE = 3 * 1000 * 1000 };
	static char bytes[SIZE];
	static const size_t sizes[] = {0, 1, 2, 4095, 4096, 65534, 65535, 65536, SIZE};
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *data;
		size_t size;
		succeeds(file_write("f", bytes, sizes[i]));
		succeeds(file_read("f", &data, &size));
		cr_assert_not_null(data, "%zu bytes", sizes[i]);
		cr_expect_eq(size, sizes[i], "%zu of %zu bytes", size, sizes[i]);
		cr_expect(memcmp(data, bytes, size) == 0, "%zu bytes", size);
		cr_expect_eq(data[size], '\0', "a NUL after %zu bytes", size);
		free(data);
	}
	cr_expect_eq(entries(), 1, "nothing but the file is left");
}

Test(file, nothing_to_write_may_be_null)
{
	succeeds(file_write("f", NULL, 0));
	holds("f", "");
}

Test(file, a_file_whose_size_is_not_told_is_read_whole)
{
	char *data;
	size_t size;
	succeeds(file_read("/proc/self/status", &data, &size));
	cr_expect(size > 0 && strlen(data) == size, "%zu bytes", size);
	free(data);
	succeeds(file_read("/dev/null", &data, &size));
	cr_expect(data && size == 0, "/dev/null is empty");
	free(data);
}

Test(file, a_pipe_is_read_to_its_end)
{
	int ends[2];
	char path[32], *data;
	size_t size;
	cr_assert_eq(pipe(ends), 0, "a pipe");
	pid_t child = fork();
	if (child == 0) {
		char block[1000];
		memset(block, 'x', sizeof block);
		for (int i = 0; i < 300; i++)
			if (write(ends[1], block, sizeof block) < 0)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	succeeds(file_read(path, &data, &size));
	cr_expect_eq(size, 300000, "%zu bytes", size);
	free(data);
	close(ends[0]);
	waitpid(child, NULL, 0);
}

Test(file, what_cannot_be_read_is_told)
{
	char *data = (char *)"";
	size_t size = 1;
	fails(file_read("none", &data, &size), "none", "No such file or directory");
	cr_expect(!data && size == 0, "and nothing is returned");
	fails(file_read(".", &data, &size), ".", "is a directory");
	fails(file_read("", &data, &size), "", "No such file or directory");
	fails(file_read("a\nb\x1b[2J", &data, &size), "a?b?[2J", "No such file or directory");
}

Test(file, a_device_without_end_is_refused)
{
	char *data;
	size_t size;
	fails(file_read("/dev/zero", &data, &size), "/dev/zero", "has not ended");
	cr_expect_null(data, "and nothing is returned");
}

Test(file, mode_is_kept_or_follows_the_umask)
{
	umask(027);
	succeeds(file_write("new", "x", 1));
	cr_expect_eq(mode_of("new"), 0640, "0666 & ~umask, not %o", mode_of("new"));
	chmod("new", 0606);
	succeeds(file_write("new", "y", 1));
	cr_expect_eq(mode_of("new"), 0606, "kept, not %o", mode_of("new"));
	holds("new", "y");
}

Test(file, a_link_stays_and_its_target_is_replaced)
{
	struct stat st;
	succeeds(file_write("target", "old", 3));
	cr_assert_eq(symlink("target", "link"), 0, "a link");
	succeeds(file_write("link", "new", 3));
	cr_expect(lstat("link", &st) == 0 && S_ISLNK(st.st_mode), "still a link");
	holds("target", "new");
}

Test(file, a_name_may_be_as_long_as_names_can_be)
{
	char name[256] = {0};
	memset(name, 'n', 255);
	succeeds(file_write(name, "x", 1));
	holds(name, "x");
}

Test(file, a_temporary_of_the_same_name_is_not_touched)
{
	char name[64];
	snprintf(name, sizeof name, ".dnnc-%ld-0.tmp", (long)getpid());
	succeeds(file_write(name, "other", 5));
	succeeds(file_write("f", "x", 1));
	holds(name, "other");
	cr_expect_eq(entries(), 2, "the other's and ours");
}

Test(file, an_unfinished_write_leaves_the_old_file)
{
	static char bytes[100000];
	struct rlimit limit;
	succeeds(file_write("f", "old", 3));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &limit);
	fails(file_write("f", bytes, sizeof bytes), "f", "File too large");
	fails(file_write("g", bytes, sizeof bytes), "g", "File too large");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	holds("f", "old");
	cr_expect_eq(entries(), 1, "no temporary and no g");
}

Test(file, a_reader_sees_the_old_or_the_new_file)
{
	enum { SIZE = 200000, ROUNDS = 50 };
	static char bytes[SIZE];
	memset(bytes, 'a', SIZE);
	succeeds(file_write("f", bytes, SIZE));
	pid_t child = fork();
	if (child == 0) {
		for (int i = 0; i < ROUNDS; i++) {
			memset(bytes, 'a' + i % 2, SIZE);
			if (file_write("f", bytes, SIZE))
				_exit(1);
		}
		_exit(0);
	}
	int status;
	while (waitpid(child, &status, WNOHANG) == 0) {
		char *data;
		size_t size;
		succeeds(file_read("f", &data, &size));
		cr_assert(data && size == SIZE, "whole: %zu bytes", size);
		cr_assert(memchr(data, data[0] ^ 'a' ^ 'b', SIZE) == NULL, "of one piece");
		free(data);
	}
	cr_expect_eq(status, 0, "the writer succeeded");
}

Test(file, what_could_be_written_is_told_before)
{
	succeeds(file_may_write("new"));
	succeeds(file_may_make_folder("new"));
	succeeds(file_may_make_folder("new//"));
	succeeds(file_may_write("/dev/stdout"));
	fails(file_may_write("none/f"), "none/f", "there is no folder none/");
	fails(file_may_write("."), ".", "directory");
	fails(file_may_write(""), "", "No such file or directory");
	fails(file_may_make_folder("none/f"), "none/f", "there is no folder none/");
	fails(file_may_make_folder(""), "", "No such file or directory");
	cr_expect_eq(entries(), 0, "nothing was made");
	succeeds(file_write("f", "x", 1));
	succeeds(file_may_write("f"));
	succeeds(file_may_make_folder("."));
	fails(file_may_make_folder("f"), "f", "File exists");
	fails(file_may_write("f/g"), "f/g", "Not a directory");
}

Test(file, what_cannot_be_written_is_told)
{
	fails(file_write("none/f", "x", 1), "none/f", "there is no folder none/");
	fails(file_write(".", "x", 1), ".", "directory");
	fails(file_write("", "x", 1), "", "No such file or directory");
	succeeds(file_write("f", "x", 1));
	fails(file_write("f/g", "x", 1), "f/g", "Not a directory");
	fails(file_write("new/", "x", 1), "new/", "there is no folder new/");
	fails(file_write("/dev/full", "x", 1), "/dev/full", "No space left on device");
	cr_expect_eq(entries(), 1, "only f is there");
}

Test(file, a_write_protected_file_stays)
{
	succeeds(file_write("f", "old", 3));
	chmod(".", 0777);
	chmod("f", 0444);
	if (geteuid() == 0)
		cr_assert_eq(seteuid(NOBODY), 0, "root may write anything");
	fails(file_write("f", "new", 3), "f", "Permission denied");
	holds("f", "old");
	chmod(".", 0555);
	if (getuid() == 0) {
		cr_assert_eq(seteuid(0), 0, "root again");
		chmod(".", 0755);
		cr_assert_eq(seteuid(NOBODY), 0, "and not");
	}
	fails(file_write("g", "new", 3), "g", "Permission denied");
	cr_assert_eq(seteuid(getuid()), 0, "back");
	chmod(".", 0755);
	cr_expect_eq(entries(), 1, "only f is there");
}

Test(file, a_folder_that_cannot_be_read_is_written)
{
	chmod(".", 0333);
	if (geteuid() == 0)
		cr_assert_eq(chown(".", NOBODY, (gid_t)-1) || seteuid(NOBODY), 0, "not root");
	succeeds(file_write("f", "x", 1));
	cr_assert_eq(seteuid(getuid()), 0, "back");
	chmod(".", 0755);
	holds("f", "x");
	cr_expect_eq(entries(), 1, "only f is there");
}

Test(file, special_files_are_written_directly)
{
	char text[4] = {0};
	struct stat st;
	succeeds(file_write("/dev/null", "x", 1));
	cr_assert_eq(mkfifo("fifo", 0600), 0, "a pipe with a name");
	int end = open("fifo", O_RDONLY | O_NONBLOCK);
	succeeds(file_write("fifo", "abc", 3));
	cr_expect_eq(read(end, text, 3), 3, "the bytes come out");
	cr_expect_str_eq(text, "abc", "as they went in");
	cr_expect(stat("fifo", &st) == 0 && S_ISFIFO(st.st_mode), "still a pipe");
	close(end);
	cr_expect_eq(entries(), 1, "only the pipe is there");
}

Test(file, standard_output_is_appended_to)
{
	pid_t child = fork();
	if (child == 0) {
		int fd = open("out", O_WRONLY | O_CREAT, 0666);
		bool done = dup2(fd, STDOUT_FILENO) >= 0 && write(STDOUT_FILENO, "a", 1) == 1 &&
			    !file_write("/dev/stdout", "b", 1) && write(STDOUT_FILENO, "c", 1) == 1;
		_exit(!done);
	}
	int status;
	waitpid(child, &status, 0);
	cr_expect_eq(status, 0, "written");
	holds("out", "abc");
}
