/* runtime_npy_test.c -- npy.h: arrays as numpy writes them, and every malformed file answered by a sentence. */
#include "files_fixture.h"
#include "runtime/npy.h"

#include <inttypes.h>

TestSuite(npy, .init = enter, .fini = leave);

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
