/* npy.c -- .npy bytes in, an array out, and back.
 *
 * A file is 6 bytes of magic, 2 of format version, the header's length in 2 bytes (version 1) or 4
 * (version 2), the header, and the elements in row-major order. The header is a Python dictionary,
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 * ended by blanks and a newline. It is read by hand: the three keys in any order, and no other
 * Python; nothing is allocated before the shape agrees with the size of the file. */
#include "npy.h"
#include "file.h"
#include "sentence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' byte order is the host's");

static const char MAGIC[] = "\x93NUMPY";
enum {
	VERSION_AT = 6,
	LENGTH_AT = 8,
	ALIGNMENT = 64,                 /* of the first element in the file */
	SHAPE_TEXT = 3 + 21 * MAX_RANK, /* "(4, 4)" of the longest shape, and a NUL */
	HEADER_TEXT = 64 + SHAPE_TEXT,  /* the dictionary, and a NUL */
	QUOTE = 24                      /* bytes of a header that a message quotes */
};

struct header {
	const char *file;             /* for messages */
	const char *begin, *at, *end; /* of the text; at: not read yet */
	unsigned seen;                /* one bit for each row of keys[] */
	enum type type;
	int rank;
	int64_t extent[MAX_RANK];
};

static int quote(size_t length)
{
	return length < QUOTE ? (int)length : QUOTE;
}

static char *malformed(const struct header *h, const char *wanted)
{
	return sentence("%s: byte %td of the .npy header is '%.*s' where %s is wanted; "
			"write the file with numpy.save",
			h->file, h->at - h->begin, quote((size_t)(h->end - h->at)), h->at, wanted);
}

static void skip_blanks(struct header *h)
{
	while (h->at < h->end && (*h->at == ' ' || *h->at == '\t' || *h->at == '\n'))
		h->at++;
}

static bool take(struct header *h, char wanted)
{
	skip_blanks(h);
	if (h->at == h->end || *h->at != wanted)
		return false;
	h->at++;
	return true;
}

static bool take_word(struct header *h, const char *word)
{
	size_t length = strlen(word);
	skip_blanks(h);
	if ((size_t)(h->end - h->at) < length || memcmp(h->at, word, length) != 0)
		return false;
	h->at += length;
	return true;
}

/* A string in either kind of quotes; the text is in the header, without a NUL. */
static bool take_string(struct header *h, const char **text, size_t *length)
{
	skip_blanks(h);
	if (h->at == h->end || (*h->at != '\'' && *h->at != '"'))
		return false;
	const char *close = memchr(h->at + 1, *h->at, (size_t)(h->end - h->at - 1));
	if (!close)
		return false;
	*text = h->at + 1;
	*length = (size_t)(close - *text);
	h->at = close + 1;
	return true;
}

static char *read_type(struct header *h)
{
	const char *text;
	size_t length;
	if (!take_string(h, &text, &length))
		return malformed(h, "an element type like '<f4'");
	for (h->type = 0; h->type < TYPE_COUNT; h->type++) {
		const char *npy = type_info(h->type)->npy;
		if (strlen(npy) == length && memcmp(npy, text, length) == 0)
			return NULL;
	}
	return sentence("%s: the elements are of type '%.*s', and those that can be read are"
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator) " '" npy "'"
#include "type.def"
#undef TYPE
			"; convert the array with astype",
			h->file, quote(length), text);
}

static char *read_order(struct header *h)
{
	if (take_word(h, "False"))
		return NULL;
	if (take_word(h, "True"))
		return sentence("%s: the elements are in Fortran order; "
				"store numpy.ascontiguousarray of the array",
				h->file);
	return malformed(h, "False or True");
}

static bool is_digit(const struct header *h)
{
	return h->at < h->end && *h->at >= '0' && *h->at <= '9';
}

static char *read_extent(struct header *h, int64_t *extent)
{
	int64_t value = 0;
	if (take(h, '-'))
		return sentence("%s: extent %d of the shape is negative; "
				"write the file with numpy.save",
				h->file, h->rank);
	if (!is_digit(h))
		return malformed(h, "an extent");
	for (; is_digit(h); h->at++) {
		int digit = *h->at - '0';
		if (value > (INT64_MAX - digit) / 10)
			return sentence("%s: extent %d of the shape does not fit 64 bits; "
					"write the file with numpy.save",
					h->file, h->rank);
		value = 10 * value + digit;
	}
	if (value == 0)
		return sentence("%s: extent %d of the shape is 0, so there is nothing to compute; "
				"store an array with elements",
				h->file, h->rank);
	*extent = value;
	return NULL;
}

static char *read_shape(struct header *h)
{
	bool more = true;
	if (!take(h, '('))
		return malformed(h, "a shape like (3, 4)");
	while (!take(h, ')')) {
		if (!more)
			return malformed(h, "',' or ')'");
		if (h->rank == MAX_RANK)
			return sentence("%s: the shape has more than %d dimensions; "
					"join some with numpy.reshape",
					h->file, MAX_RANK);
		char *error = read_extent(h, &h->extent[h->rank]);
		if (error)
			return error;
		h->rank++;
		more = take(h, ',');
	}
	return NULL;
}

static const struct {
	const char *name;
	char *(*read)(struct header *);
} keys[] = {{"descr", read_type}, {"fortran_order", read_order}, {"shape", read_shape}};

enum { KEYS = sizeof keys / sizeof keys[0] };

static char *read_entry(struct header *h)
{
	const char *name;
	size_t length;
	unsigned i = 0;
	if (!take_string(h, &name, &length))
		return malformed(h, "a key in quotes");
	while (i < KEYS && (strlen(keys[i].name) != length || memcmp(keys[i].name, name, length)))
		i++;
	if (i == KEYS)
		return sentence("%s: the .npy header has a key '%.*s' besides 'descr', "
				"'fortran_order' and 'shape'; write the file with numpy.save",
				h->file, quote(length), name);
	if (h->seen & 1u << i)
		return sentence("%s: the .npy header has the key '%s' twice; keep one", h->file,
				keys[i].name);
	h->seen |= 1u << i;
	return take(h, ':') ? keys[i].read(h) : malformed(h, "':'");
}

static char *read_header(struct header *h)
{
	bool more = true;
	if (!take(h, '{'))
		return malformed(h, "'{'");
	while (!take(h, '}')) {
		char *error = more ? read_entry(h) : malformed(h, "',' or '}'");
		if (error)
			return error;
		more = take(h, ',');
	}
	skip_blanks(h);
	if (h->at < h->end)
		return malformed(h, "the end of the header");
	for (unsigned i = 0; i < KEYS; i++)
		if (!(h->seen & 1u << i))
			return sentence("%s: the .npy header lacks the key '%s'; "
					"write the file with numpy.save",
					h->file, keys[i].name);
	return NULL;
}

/* Finds the header's text; what lies after its end is the elements. */
static char *find_header(struct header *h, const char *file, size_t size)
{
	uint32_t length = 0;
	size_t width;
	if (size < LENGTH_AT || memcmp(file, MAGIC, VERSION_AT) != 0)
		return sentence("%s: is no .npy file, for it does not begin with \\x93NUMPY and a "
				"version; write it with numpy.save",
				h->file);
	int version = (unsigned char)file[VERSION_AT];
	if (version != 1 && version != 2)
		return sentence(
			"%s: is of .npy version %d, and those that can be read are 1 and 2; "
			"write it with numpy.lib.format.write_array(version=(1, 0))",
			h->file, version);
	width = version == 1 ? 2 : 4;
	if (size < LENGTH_AT + width)
		return sentence("%s: ends within the .npy header's length; copy the file again",
				h->file);
	memcpy(&length, file + LENGTH_AT, width);
	h->begin = h->at = file + LENGTH_AT + width;
	if (length > size - LENGTH_AT - width)
		return sentence("%s: the .npy header has %" PRIu32 " bytes by its length, and the "
				"file %zu after it; copy the file again",
				h->file, length, size - LENGTH_AT - width);
	h->end = h->begin + length;
	return NULL;
}

/* The shape as Python writes it: (), (3,), (3, 4). */
static void write_shape(char text[SHAPE_TEXT], int rank, const int64_t extent[])
{
	int used = snprintf(text, SHAPE_TEXT, "(");
	for (int i = 0; i < rank; i++)
		used += snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s%" PRId64,
				 i ? ", " : "", extent[i]);
	snprintf(text + used, (size_t)(SHAPE_TEXT - used), rank == 1 ? ",)" : ")");
}

char *npy_parse(const char *name, const void *data, size_t size, struct array **array)
{
	struct header h = {.file = name};
	char shape[SHAPE_TEXT];
	int64_t count;
	*array = NULL;
	char *error = find_header(&h, data, size);
	if (!error)
		error = read_header(&h);
	if (error)
		return error;
	write_shape(shape, h.rank, h.extent);
	if (!shape_count(h.rank, h.extent, &count))
		return sentence("%s: an array of shape %s is larger than any memory; "
				"write the file with numpy.save",
				name, shape);
	size_t wanted = (size_t)count * (size_t)type_info(h.type)->bytes;
	size_t found = size - (size_t)(h.end - (const char *)data);
	if (found != wanted)
		return sentence("%s: an array of shape %s and type '%s' has %zu bytes, and the "
				"file has %zu after the header; %s",
				name, shape, type_info(h.type)->npy, wanted, found,
				found < wanted ? "copy the file again" : "store one array in it");
	*array = array_new(h.type, h.rank, h.extent);
	if (!*array)
		return sentence("%s: memory is out for an array of %zu bytes", name, wanted);
	memcpy((*array)->data, h.end, wanted);
	return NULL;
}

char *npy_read(const char *path, struct array **array)
{
	char *data;
	size_t size;
	*array = NULL;
	char *error = file_read(path, &data, &size);
	if (!error)
		error = npy_parse(path, data, size, array);
	free(data);
	return error;
}

char *npy_write(const char *path, const struct array *array)
{
	char shape[SHAPE_TEXT], text[HEADER_TEXT];
	write_shape(shape, array->rank, array->extent);
	size_t length = (size_t)snprintf(text, sizeof text,
					 "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
					 type_info(array->type)->npy, shape);
	size_t begin = LENGTH_AT + sizeof(uint16_t);
	size_t end = (begin + length + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	uint16_t padded = (uint16_t)(end - begin);
	size_t bytes = (size_t)array_bytes(array);
	char *file = malloc(end + bytes);
	if (!file)
		return sentence("%s: memory is out for a file of %zu bytes", path, end + bytes);
	memset(file, ' ', end);
	memcpy(file, MAGIC, VERSION_AT);
	file[VERSION_AT] = 1;
	file[VERSION_AT + 1] = 0;
	memcpy(file + LENGTH_AT, &padded, sizeof padded);
	memcpy(file + begin, text, length);
	file[end - 1] = '\n';
	memcpy(file + end, array->data, bytes);
	char *error = file_write(path, file, end + bytes);
	free(file);
	return error;
}
