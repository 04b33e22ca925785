/* runtime_safetensors_test.c -- safetensors.h: sets of arrays by name, and every malformed file answered by a sentence. */
#include "files_fixture.h"
#include "runtime/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>

TestSuite(safetensors, .init = enter, .fini = leave);

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
