/* runtime_files_test.c -- file.h, npy.h and safetensors.h: what is read, what is written, and that
 * every malformed file is answered by a sentence. */
#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

/* Each test is a process of its own, and works in a folder of its own. */
static char folder[] = "/tmp/dnnc-files-XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(folder), "a folder for the test");
	cr_assert_eq(chdir(folder), 0, "into it");
	umask(022);
}

static int entries(void)
{
	int count = 0;
	DIR *d = opendir(".");
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.' || strlen(e->d_name) > 2;
	closedir(d);
	return count;
}

static void leave(void)
{
	DIR *d = opendir(folder);
	for (struct dirent *e; (e = readdir(d));)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(folder);
}

TestSuite(file, .init = enter, .fini = leave);
TestSuite(npy, .init = enter, .fini = leave);
TestSuite(safetensors, .init = enter, .fini = leave);

static void succeeds(char *error)
{
	cr_expect_null(error, "%s", error);
	free(error);
}

/* The sentence names the file first and holds the words. */
static void fails(char *error, const char *file, const char *words)
{
	cr_expect_not_null(error, "%s: '%s' is expected", file, words);
	if (!error)
		return;
	cr_expect(strncmp(error, file, strlen(file)) == 0, "'%s' names %s first", error, file);
	cr_expect_not_null(strstr(error, words), "'%s' says '%s'", error, words);
	free(error);
}

/* A malformed file's sentence says also what would do. */
static void advises(char *error, const char *file, const char *words)
{
	cr_expect(!error || strstr(error, "; "), "'%s' says what would do", error);
	fails(error, file, words);
}

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

/* ---- file.h ---- */

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

/* ---- npy.h ---- */

/* As numpy.save writes numpy.array([[1, 2, -1]], '<f4'). */
static const char numpy_file[] =
	"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }"
	"                                                          \n"
	"\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x80\xbf";

enum { NUMPY_FILE = sizeof numpy_file - 1 };

/* The parser is given a block of the very size, so that a byte read beyond it is noticed. */
static char *parse_npy(const void *bytes, size_t size, struct array **array)
{
	void *block = malloc(size);
	memcpy(block, bytes, size);
	char *error = npy_parse("x.npy", block, size, array);
	free(block);
	cr_expect_eq(error == NULL, *array != NULL, "an array or an error");
	return error;
}

/* A file of a header and so many bytes of zeros. */
static char *parse_npy_header(int version, const char *header, size_t zeros, struct array **array)
{
	static char file[4096];
	uint32_t length = (uint32_t)strlen(header);
	size_t width = version == 1 ? 2 : 4;
	memset(file, 0, sizeof file);
	memcpy(file, "\x93NUMPY", 6);
	file[6] = (char)version;
	memcpy(file + 8, &length, width);
	memcpy(file + 8 + width, header, length);
	return parse_npy(file, 8 + width + length + zeros, array);
}

Test(npy, a_file_of_numpy_is_read)
{
	struct array *a;
	cr_assert_eq(NUMPY_FILE, 128 + 12, "the elements begin at byte 128");
	succeeds(parse_npy(numpy_file, NUMPY_FILE, &a));
	cr_assert_not_null(a, "read");
	cr_expect(a->type == TYPE_F32 && a->rank == 2, "type and rank");
	cr_expect(a->extent[0] == 1 && a->extent[1] == 3, "shape");
	cr_expect(array_get(a, 0) == 1 && array_get(a, 1) == 2 && array_get(a, 2) == -1, "values");
	array_free(a);
}

Test(npy, a_file_is_written_as_by_numpy)
{
	struct array *a;
	char *data;
	size_t size;
	succeeds(parse_npy(numpy_file, NUMPY_FILE, &a));
	succeeds(npy_write("a.npy", a));
	succeeds(file_read("a.npy", &data, &size));
	cr_expect(size == NUMPY_FILE && memcmp(data, numpy_file, size) == 0, "byte for byte");
	free(data);
	array_free(a);
}

static const int64_t long_shape[MAX_RANK] = {1, 2, 1, 3, 1, 2, 1, 2};

Test(npy, every_type_and_rank_survives)
{
	for (enum type t = 0; t < TYPE_COUNT; t++)
		for (int rank = 0; rank <= MAX_RANK; rank++) {
			struct array *a = array_new(t, rank, long_shape), *b;
			for (int64_t i = 0; i < array_count(a); i++)
				array_set(a, i, (double)(i * 37 % 101) - 50);
			succeeds(npy_write("a.npy", a));
			succeeds(npy_read("a.npy", &b));
			cr_assert_not_null(b, "%s of rank %d", type_info(t)->name, rank);
			cr_expect(b->type == t && b->rank == rank, "%s of rank %d",
				  type_info(t)->name, rank);
			cr_expect(memcmp(a->extent, b->extent, sizeof a->extent) == 0, "extents");
			cr_expect(memcmp(a->data, b->data, (size_t)array_bytes(a)) == 0, "%s data",
				  type_info(t)->name);
			array_free(a);
			array_free(b);
		}
}

/* Each describes 3 elements of i8. */
static const char *const good_npy[] = {
	"{'descr': '|i1', 'fortran_order': False, 'shape': (3,), }\n",
	"{'shape':(3,),'fortran_order':False,'descr':'|i1'}",
	"{\"descr\": \"|i1\", \"fortran_order\": False, \"shape\": (3,)}",
	" { 'descr' : '|i1' , 'fortran_order' : False , 'shape' : ( 3 , ) , } \n",
	"{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3, 1)}\n\n\n",
};

Test(npy, the_dictionary_may_be_written_in_other_ways)
{
	for (int version = 1; version <= 2; version++)
		for (size_t i = 0; i < sizeof good_npy / sizeof good_npy[0]; i++) {
			struct array *a;
			succeeds(parse_npy_header(version, good_npy[i], 3, &a));
			cr_assert_not_null(a, "version %d: %s", version, good_npy[i]);
			cr_expect(array_count(a) == 3 && a->type == TYPE_I8, "%s", good_npy[i]);
			array_free(a);
		}
}

#define SHAPE(text) "{'descr': '|i1', 'fortran_order': False, 'shape': " text ", }\n"
#define DESCR(text) "{'descr': " text ", 'fortran_order': False, 'shape': (3,), }\n"
#define ORDER(text) "{'descr': '|i1', 'fortran_order': " text ", 'shape': (3,), }\n"

static const struct {
	const char *header;
	size_t zeros;
	const char *words;
} bad_npy[] = {
	{SHAPE("(-3,)"), 3, "extent 0 of the shape is negative"},
	{SHAPE("(1, 0)"), 0, "extent 1 of the shape is 0"},
	{SHAPE("(9223372036854775808,)"), 3, "extent 0 of the shape does not fit 64 bits"},
	{SHAPE("(99999999999999999999999999999999,)"), 3, "does not fit 64 bits"},
	{SHAPE("(9223372036854775807,)"), 3, "larger than any memory"},
	{SHAPE("(4294967296, 4294967296)"), 0, "shape (4294967296, 4294967296) is larger than any"},
	{SHAPE("(1099511627776,)"), 3, "has 1099511627776 bytes, and the file has 3"},
	{SHAPE("(1,1,1,1,1,1,1,1,1)"), 1, "more than 8 dimensions"},
	{SHAPE("(3 3)"), 9, "',' or ')' is wanted"},
	{SHAPE("(,)"), 1, "an extent is wanted"},
	{SHAPE("(3.0,)"), 3, "',' or ')' is wanted"},
	{SHAPE("(0x3,)"), 3, "extent 0 of the shape is 0"},
	{SHAPE("(True,)"), 3, "an extent is wanted"},
	{SHAPE("(3,"), 3, "an extent is wanted"},
	{SHAPE("[3]"), 3, "a shape like (3, 4) is wanted"},
	{SHAPE("3"), 3, "a shape like (3, 4) is wanted"},
	{SHAPE("(3,)"), 2, "has 3 bytes, and the file has 2"},
	{SHAPE("(3,)"), 4, "has 3 bytes, and the file has 4"},
	{SHAPE("()"), 0, "has 1 bytes, and the file has 0"},
	{DESCR("'>f4'"), 12, "type '>f4'"},
	{DESCR("'|O'"), 24, "type '|O'"},
	{DESCR("'<c8'"), 24, "type '<c8'"},
	{DESCR("'<U99999999999999999999999999999'"), 24, "type '<U9999999999999999999999'"},
	{DESCR("''"), 3, "type ''"},
	{DESCR("'\x1b[2J'"), 3, "type '?[2J'"},
	{DESCR("[('a', '<f4')]"), 12, "an element type like '<f4' is wanted"},
	{DESCR("3"), 3, "an element type like '<f4' is wanted"},
	{DESCR("'<f4"), 12, "type '<f4, '"},
	{ORDER("True"), 3, "Fortran order"},
	{ORDER("0"), 3, "False or True is wanted"},
	{ORDER("'False'"), 3, "False or True is wanted"},
	{ORDER("False, 'shape': (3,)"), 3, "the key 'shape' twice"},
	{ORDER("False, 'x': 1"), 3, "a key 'x'"},
	{ORDER("False, 3: 1"), 3, "a key in quotes is wanted"},
	{ORDER("False, 'shape"), 3, "a key 'shape, '"},
	{ORDER("False,"), 3, "a key in quotes is wanted"},
	{"{'descr': '|i1', 'shape': (3,)}\n", 3, "lacks the key 'fortran_order'"},
	{"{'descr': '|i1', 'fortran_order': False}\n", 3, "lacks the key 'shape'"},
	{"{'fortran_order': False, 'shape': (3,)}\n", 3, "lacks the key 'descr'"},
	{"{}\n", 3, "lacks the key 'descr'"},
	{"{'descr' '|i1'}\n", 3, "':' is wanted"},
	{"{'descr': '|i1' 'shape': (3,)}\n", 3, "',' or '}' is wanted"},
	{"{'descr': '|i1'", 3, "',' or '}' is wanted"},
	{"{'descr':", 0, "an element type like '<f4' is wanted"},
	{"{'descr", 0, "a key in quotes is wanted"},
	{"{", 0, "a key in quotes is wanted"},
	{"", 0, "'{' is wanted"},
	{"\n", 0, "'{' is wanted"},
	{"[]", 0, "'{' is wanted"},
	{"{'descr': '|i1', 'fortran_order': False, 'shape': (3,), } {}\n", 3, "the end"},
};

Test(npy, malformed_headers_are_told)
{
	for (size_t i = 0; i < sizeof bad_npy / sizeof bad_npy[0]; i++)
		for (int version = 1; version <= 2; version++) {
			struct array *a;
			advises(parse_npy_header(version, bad_npy[i].header, bad_npy[i].zeros, &a),
				"x.npy: ", bad_npy[i].words);
			array_free(a);
		}
}

static const struct {
	const char *bytes;
	size_t size;
	const char *words;
} bad_npy_files[] = {
	{"", 0, "is no .npy file"},
	{"\x93NUMPY", 6, "is no .npy file"},
	{"\x93NUMPX\1\0\0\0", 10, "is no .npy file"},
	{"PK\3\4........", 12, "is no .npy file"},
	{"\x93NUMPY\0\0\0\0\0\0", 12, "version 0"},
	{"\x93NUMPY\3\0\0\0\0\0", 12, "version 3"},
	{"\x93NUMPY\xff\0\0\0\0\0", 12, "version 255"},
	{"\x93NUMPY\1\0", 8, "ends within the .npy header's length"},
	{"\x93NUMPY\1\0\0", 9, "ends within the .npy header's length"},
	{"\x93NUMPY\2\0\0\0\0", 11, "ends within the .npy header's length"},
	{"\x93NUMPY\1\0\1\0", 10, "has 1 bytes by its length, and the file 0"},
	{"\x93NUMPY\1\0\xff\xff{", 11, "has 65535 bytes by its length, and the file 1"},
	{"\x93NUMPY\2\0\xff\xff\xff\xff{}", 14, "has 4294967295 bytes by its length"},
	{"\x93NUMPY\1\0\3\0{\0}", 13, "a key in quotes is wanted"},
	{"\x93NUMPY\1\0\7\0{'de\0':", 17, "a key 'de'"},
};

Test(npy, malformed_files_are_told)
{
	for (size_t i = 0; i < sizeof bad_npy_files / sizeof bad_npy_files[0]; i++) {
		struct array *a;
		advises(parse_npy(bad_npy_files[i].bytes, bad_npy_files[i].size, &a),
			"x.npy: ", bad_npy_files[i].words);
	}
}

Test(npy, no_truncation_is_accepted)
{
	for (size_t size = 0; size < NUMPY_FILE; size++) {
		struct array *a;
		advises(parse_npy(numpy_file, size, &a), "x.npy: ", "");
	}
}

Test(npy, any_byte_may_be_anything)
{
	char file[NUMPY_FILE];
	for (size_t at = 0; at < NUMPY_FILE; at++)
		for (int byte = 0; byte < 256; byte++) {
			struct array *a;
			memcpy(file, numpy_file, NUMPY_FILE);
			file[at] = (char)byte;
			free(parse_npy(file, NUMPY_FILE, &a));
			array_free(a);
		}
}

Test(npy, read_names_the_missing_file)
{
	struct array *a;
	fails(npy_read("none.npy", &a), "none.npy", "No such file or directory");
	cr_expect_null(a, "and there is no array");
}

/* ---- safetensors.h ---- */

static char *parse_safetensors(const void *bytes, size_t size, struct array_set *set)
{
	void *block = malloc(size);
	memcpy(block, bytes, size);
	char *error = safetensors_parse("x.st", block, size, set);
	free(block);
	cr_expect(!error || (set->count == 0 && !set->item), "a set or an error");
	return error;
}

/* A file of a header and bytes 0, 1, 2, ... of data. */
static size_t build(char *file, const char *header, size_t bytes)
{
	uint64_t length = strlen(header);
	memcpy(file, &length, sizeof length);
	memcpy(file + sizeof length, header, length);
	for (size_t i = 0; i < bytes; i++)
		file[sizeof length + length + i] = (char)i;
	return sizeof length + length + bytes;
}

#define TWO_TENSORS                                                                                \
	"{\"__metadata__\":{\"format\":\"pt\"},"                                                   \
	"\"b.W\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[3,7]},"                      \
	"\"a\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[0,3]}}  "

Test(safetensors, tensors_are_found_by_name)
{
	char file[1024];
	struct array_set set;
	succeeds(parse_safetensors(file, build(file, TWO_TENSORS, 7), &set));
	cr_assert_eq(set.count, 2, "%zu tensors", set.count);
	cr_expect_str_eq(set.item[0].name, "a", "sorted by name");
	cr_expect_str_eq(set.item[1].name, "b.W", "sorted by name");
	const struct array *a = array_set_find(&set, "a"), *b = array_set_find(&set, "b.W");
	cr_assert(a && b, "both are found");
	cr_expect(a->type == TYPE_I8 && a->rank == 1 && a->extent[0] == 3, "a[3]");
	cr_expect(b->type == TYPE_I16 && b->rank == 2 && b->extent[0] == 2, "b.W[2, 1]");
	cr_expect(array_get(a, 0) == 0 && array_get(a, 2) == 2, "a's data");
	cr_expect(array_get(b, 0) == 0x0403 && array_get(b, 1) == 0x0605, "b.W's data, unaligned");
	cr_expect_null(array_set_find(&set, "b"), "no such name");
	cr_expect_null(array_set_find(&set, "__metadata__"), "no tensor");
	array_set_free(&set);
	cr_expect_null(array_set_find(&set, "a"), "an empty set holds nothing");
}

Test(safetensors, a_set_is_written_with_the_widest_elements_first)
{
	static const char header[] =
		"{\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
		"\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
		"\"c\":{\"dtype\":\"I32\",\"shape\":[1,1],\"data_offsets\":[16,20]},"
		"\"a\":{\"dtype\":\"I8\",\"shape\":[3],\"data_offsets\":[20,23]}}";
	struct named_array items[] = {
		{(char *)"a", array_new(TYPE_I8, 1, (int64_t[]){3})},
		{(char *)"b", array_new(TYPE_F32, 1, (int64_t[]){2})},
		{(char *)"c", array_new(TYPE_I32, 2, (int64_t[]){1, 1})},
		{(char *)"d", array_new(TYPE_F64, 0, NULL)},
	};
	struct array_set set = {4, items}, again;
	char *data;
	size_t size;
	uint64_t length;
	for (size_t i = 0; i < 4; i++)
		array_set(items[i].array, 0, 1.0 + (double)i);
	succeeds(safetensors_write("w.st", &set));
	succeeds(file_read("w.st", &data, &size));
	memcpy(&length, data, sizeof length);
	cr_expect_eq(length % 8, 0, "data begins on a multiple of 8");
	cr_expect(strncmp(data + 8, header, strlen(header)) == 0, "%s", data + 8);
	cr_expect_eq(size, 8 + length + 23, "size %zu", size);
	free(data);
	succeeds(safetensors_read("w.st", &again));
	cr_assert_eq(again.count, 4, "%zu tensors", again.count);
	for (size_t i = 0; i < 4; i++) {
		const struct array *a = items[i].array, *b = again.item[i].array;
		cr_expect_str_eq(again.item[i].name, items[i].name, "item %zu", i);
		cr_expect(a->type == b->type && a->rank == b->rank, "item %zu", i);
		cr_expect(memcmp(a->extent, b->extent, sizeof a->extent) == 0, "item %zu", i);
		cr_expect(memcmp(a->data, b->data, (size_t)array_bytes(a)) == 0, "item %zu", i);
		array_free(items[i].array);
	}
	array_set_free(&again);
}

Test(safetensors, an_empty_set_survives)
{
	struct array_set set = {0};
	succeeds(safetensors_write("w.st", &set));
	succeeds(safetensors_read("w.st", &set));
	cr_expect_eq(set.count, 0, "%zu tensors", set.count);
	array_set_free(&set);
}

Test(safetensors, a_name_that_the_format_cannot_hold_is_told)
{
	static const char *const names[] = {"__metadata__", "\xff\xfe"};
	for (size_t i = 0; i < 2; i++) {
		struct named_array item = {(char *)names[i], array_new(TYPE_I8, 0, NULL)};
		struct array_set set = {1, &item};
		advises(safetensors_write("w.st", &set), "w.st: ", names[i]);
		cr_expect_eq(entries(), 0, "nothing is written");
		array_free(item.array);
	}
}

static int allocations_left; /* before the one that fails */

static void *allocate(size_t size)
{
	return allocations_left-- != 0 ? malloc(size) : NULL;
}

/* json_dumps of jansson 2.14 drops text when memory is out, and tells nobody. */
Test(safetensors, memory_out_in_the_header_leaves_no_wrong_file)
{
	struct array *a = array_new(TYPE_F32, 2, (int64_t[]){2, 3});
	struct named_array items[] = {{(char *)"a", a}, {(char *)"b", a}};
	struct array_set set = {2, items}, again;
	json_set_alloc_funcs(allocate, free);
	for (int n = 0; n < 100; n++) {
		allocations_left = n;
		char *error = safetensors_write("w.st", &set);
		allocations_left = INT_MAX;
		if (error) {
			fails(error, "w.st: ", "memory");
			cr_expect_eq(entries(), 0, "no file after %d allocations", n);
			continue;
		}
		succeeds(safetensors_read("w.st", &again));
		cr_expect_eq(again.count, 2, "a whole file after %d allocations", n);
		array_set_free(&again);
		unlink("w.st");
	}
	array_free(a);
}

#define A(text) "{\"a\":" text "}"
#define TENSOR(dtype, shape, offsets)                                                              \
	"{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define I8(from, to) TENSOR("\"I8\"", "[3]", "[" #from "," #to "]")

static const struct {
	const char *header;
	size_t bytes;
	const char *words;
} bad_safetensors[] = {
	/* JSON */
	{"", 0, "byte 0 of the .safetensors header: "},
	{"{", 0, "of the .safetensors header: "},
	{"{}}", 0, "of the .safetensors header: end of file expected"},
	{"{\"a\":\"\xff\"}", 0, "unable to decode byte 0xff"},
	{"{\"a\\u0000b\":1}", 0, "NUL"},
	{"{\"a\":99999999999999999999}", 0, "too big integer"},
	{"{\"a\":1e999}", 0, "real number overflow"},
	{"[]", 0, "is no JSON object"},
	{"{\"a\":" I8(0, 3) ",\"a\":" I8(3, 6) "}", 6, "duplicate object key"},
	{A("{\"dtype\":\"I8\",\"dtype\":\"F64\"}"), 0, "duplicate object key"},
	{"{\"__metadata__\":3}", 0, "\"__metadata__\" is no JSON object"},
	/* types */
	{A("3"), 0, "tensor 'a' is not described by an object"},
	{A("null"), 0, "tensor 'a' is not described by an object"},
	{A("{}"), 0, "tensor 'a' has no \"dtype\""},
	{A(TENSOR("3", "[3]", "[0,3]")), 3, "tensor 'a' has no \"dtype\""},
	{A(TENSOR("\"BF16\"", "[3]", "[0,6]")), 6, "type 'BF16'"},
	{A(TENSOR("\"i8\"", "[3]", "[0,3]")), 3, "type 'i8'"},
	{A(TENSOR("\"\\u001b[2J\"", "[3]", "[0,3]")), 3, "type '?[2J'"},
	/* shapes */
	{A("{\"dtype\":\"I8\"}"), 0, "tensor 'a' has no \"shape\""},
	{A(TENSOR("\"I8\"", "3", "[0,3]")), 3, "tensor 'a' has no \"shape\""},
	{A(TENSOR("\"I8\"", "[-3]", "[0,3]")), 3, "extent 0 of tensor 'a'"},
	{A(TENSOR("\"I8\"", "[1,0]", "[0,0]")), 0, "extent 1 of tensor 'a'"},
	{A(TENSOR("\"I8\"", "[3.0]", "[0,3]")), 3, "extent 0 of tensor 'a'"},
	{A(TENSOR("\"I8\"", "[true]", "[0,1]")), 1, "extent 0 of tensor 'a'"},
	{A(TENSOR("\"I8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]")), 1, "has 9 dimensions"},
	{A(TENSOR("\"I8\"", "[9223372036854775807]", "[0,3]")), 3, "larger than any memory"},
	{A(TENSOR("\"I8\"", "[4294967296,4294967296]", "[0,0]")), 0, "larger than any memory"},
	/* places */
	{A("{\"dtype\":\"I8\",\"shape\":[3]}"), 3, "no \"data_offsets\""},
	{A(TENSOR("\"I8\"", "[3]", "3")), 3, "no \"data_offsets\""},
	{A(TENSOR("\"I8\"", "[3]", "[0]")), 3, "no \"data_offsets\""},
	{A(TENSOR("\"I8\"", "[3]", "[0,3,3]")), 3, "no \"data_offsets\""},
	{A(TENSOR("\"I8\"", "[3]", "[0,\"3\"]")), 3, "no \"data_offsets\""},
	{A(TENSOR("\"I8\"", "[3]", "[0.0,3.0]")), 3, "no \"data_offsets\""},
	{A(I8(0, 3)), 2, "lies at bytes 0 to 3 of data that has 2"},
	{A(I8(-3, 0)), 3, "lies at bytes -3 to 0"},
	{A(I8(3, 0)), 3, "lies at bytes 3 to 0"},
	{A(I8(-9223372036854775808, 9223372036854775807)), 3, "lies at bytes -9223372036854775808"},
	{A(I8(9223372036854775804, 9223372036854775807)), 3, "of data that has 3"},
	{A(I8(0, 4)), 4, "has 3 bytes by its type and shape, and 4"},
	{A(I8(0, 2)), 3, "has 3 bytes by its type and shape, and 2"},
	{A(TENSOR("\"F32\"", "[1099511627776]", "[0,3]")), 3,
	 "has 4398046511104 bytes by its type"},
	{A(I8(0, 3)), 4, "from byte 3 of 4 on belongs to no tensor"},
	{A(I8(1, 4)), 4, "from byte 0 of 4 on belongs to no tensor"},
	{"{\"a\":" I8(0, 3) ",\"b\":" I8(4, 7) "}", 7, "from byte 3 of 7 on belongs to no tensor"},
	{"{\"a\":" I8(2, 5) ",\"b\":" I8(0, 3) "}", 5, "'a' begins at byte 2, within tensor 'b'"},
	{"{\"b\":" I8(0, 3) ",\"a\":" I8(0, 3) "}", 3, "'b' begins at byte 0, within tensor 'a'"},
	{"{}", 1, "from byte 0 of 1 on belongs to no tensor"},
};

Test(safetensors, malformed_headers_are_told)
{
	static char file[1024];
	for (size_t i = 0; i < sizeof bad_safetensors / sizeof bad_safetensors[0]; i++) {
		struct array_set set;
		size_t size = build(file, bad_safetensors[i].header, bad_safetensors[i].bytes);
		advises(parse_safetensors(file, size, &set), "x.st: ", bad_safetensors[i].words);
	}
}

static const struct {
	const char *bytes;
	size_t size;
	const char *words;
} bad_safetensors_files[] = {
	{"", 0, "has 0 bytes"},
	{"\2\0\0\0\0\0\0", 7, "has 7 bytes"},
	{"\2\0\0\0\0\0\0\0", 8, "has 2 bytes by its length, and the file 0"},
	{"\3\0\0\0\0\0\0\0{}", 10, "has 3 bytes by its length, and the file 2"},
	{"\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "has 18446744073709551615 bytes"},
	{"\xf8\xff\xff\xff\xff\xff\xff\xff{}", 10, "has 18446744073709551608 bytes"},
	{"\0\0\0\0\0\0\0\0{}", 10, "byte 0 of the .safetensors header"},
	{"\3\0\0\0\0\0\0\0[]", 10, "is no .safetensors file"},
	{"\x93NUMPY\1\0v\0", 10, "is no .safetensors file"},
	{"\4\0\0\0\0\0\0\0{}\0\0", 12, "of the .safetensors header"},
	{"\4\0\0\0\0\0\0\0\0{} ", 12, "of the .safetensors header"},
	{"\7\0\0\0\0\0\0\0{\"\0\":1}", 15, "of the .safetensors header"},
};

Test(safetensors, malformed_files_are_told)
{
	for (size_t i = 0; i < sizeof bad_safetensors_files / sizeof bad_safetensors_files[0];
	     i++) {
		struct array_set set;
		advises(parse_safetensors(bad_safetensors_files[i].bytes,
					  bad_safetensors_files[i].size, &set),
			"x.st: ", bad_safetensors_files[i].words);
	}
}

Test(safetensors, a_header_beyond_the_limit_of_the_format_is_told)
{
	enum { LENGTH = 100000001 };
	uint64_t length = LENGTH;
	struct array_set set;
	char *file = calloc(1, sizeof length + LENGTH);
	memcpy(file, &length, sizeof length);
	advises(safetensors_parse("x.st", file, sizeof length + LENGTH, &set), "x.st: ", "allows");
	free(file);
}

Test(safetensors, no_depth_of_brackets_exhausts_the_stack)
{
	enum { LENGTH = 1000000 };
	uint64_t length = LENGTH;
	struct array_set set;
	char *file = malloc(sizeof length + LENGTH);
	memcpy(file, &length, sizeof length);
	memset(file + sizeof length, '[', LENGTH);
	advises(safetensors_parse("x.st", file, sizeof length + LENGTH, &set), "x.st: ", "depth");
	free(file);
}

Test(safetensors, no_truncation_is_accepted)
{
	char file[1024];
	size_t size = build(file, TWO_TENSORS, 7);
	for (size_t less = 0; less < size; less++) {
		struct array_set set;
		advises(parse_safetensors(file, less, &set), "x.st: ", "");
	}
}

Test(safetensors, any_byte_may_be_anything)
{
	char file[1024];
	size_t size = build(file, TWO_TENSORS, 7);
	for (size_t at = 0; at < size; at++) {
		char kept = file[at];
		for (int byte = 0; byte < 256; byte++) {
			struct array_set set;
			file[at] = (char)byte;
			free(parse_safetensors(file, size, &set));
			array_set_free(&set);
		}
		file[at] = kept;
	}
}

Test(safetensors, read_names_the_missing_file)
{
	struct array_set set;
	fails(safetensors_read("none.st", &set), "none.st", "No such file or directory");
	cr_expect(set.count == 0 && !set.item, "and there is no set");
}
