/* safetensors.c -- .safetensors bytes in, named arrays out, and back.
 *
 * A file is the header's length in 8 bytes, the header, and the data. The header is a JSON object,
 *     {"conv1.W": {"dtype": "F32", "shape": [6, 1, 5, 5], "data_offsets": [0, 600]}, ...}
 * with offsets from the beginning of the data, which the tensors cover without overlap or gap;
 * "__metadata__" is text for people. Nothing is allocated for a tensor before its shape agrees with
 * its place, so that no file takes much more memory than it is long.
 * Source: the format's description in the safetensors repository, README.md. */
#include "safetensors.h"
#include "file.h"
#include "sentence.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files' byte order is the host's");

static const char METADATA[] = "__metadata__";
static const uint64_t HEADER_LIMIT = 100000000; /* bytes, as in the format's own reader */

/* What the header says of one tensor. */
struct entry {
	const char *name; /* the JSON object's */
	enum type type;
	int rank;
	int64_t extent[MAX_RANK];
	int64_t begin, end; /* bytes of the data */
};

struct header {
	const char *file; /* for messages */
	json_t *json;
	const char *data;
	int64_t bytes; /* of the data */
	size_t count;
	struct entry *entry;
};

static const char *const dtypes[] = {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator) [TYPE_##id] = #id,
#include "type.def"
#undef TYPE
};

static char *read_type(const struct header *h, struct entry *e, json_t *dtype)
{
	if (!json_is_string(dtype))
		return sentence("%s: tensor '%.80s' has no \"dtype\" in quotes; give it one like "
				"\"F32\"",
				h->file, e->name);
	for (e->type = 0; e->type < TYPE_COUNT; e->type++)
		if (strcmp(json_string_value(dtype), dtypes[e->type]) == 0)
			return NULL;
	return sentence(
		"%s: the elements of tensor '%.80s' are of type '%.20s', and those that can "
		"be read are"
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator) " " #id
#include "type.def"
#undef TYPE
		"; convert the tensor",
		h->file, e->name, json_string_value(dtype));
}

static char *read_shape(const struct header *h, struct entry *e, json_t *shape)
{
	int64_t count;
	size_t i;
	json_t *extent;
	if (!json_is_array(shape))
		return sentence("%s: tensor '%.80s' has no \"shape\" in brackets; give it one like "
				"[3, 4]",
				h->file, e->name);
	if (json_array_size(shape) > MAX_RANK)
		return sentence("%s: tensor '%.80s' has %zu dimensions; reshape it to %d at most",
				h->file, e->name, json_array_size(shape), MAX_RANK);
	e->rank = (int)json_array_size(shape);
	json_array_foreach(shape, i, extent)
	{
		e->extent[i] = json_integer_value(extent);
		if (!json_is_integer(extent) || e->extent[i] < 1)
			return sentence(
				"%s: extent %zu of tensor '%.80s' is no whole number from 1; "
				"store a tensor with elements",
				h->file, i, e->name);
	}
	if (!shape_count(e->rank, e->extent, &count))
		return sentence("%s: the shape of tensor '%.80s' is larger than any memory; "
				"store the shape it has",
				h->file, e->name);
	return NULL;
}

/* requires the type and the shape */
static char *read_place(const struct header *h, struct entry *e, json_t *offsets)
{
	json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
	if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
		return sentence("%s: tensor '%.80s' has no \"data_offsets\" of two whole numbers; "
				"give it some like [0, 48]",
				h->file, e->name);
	e->begin = json_integer_value(begin);
	e->end = json_integer_value(end);
	if (e->begin < 0 || e->end < e->begin || e->end > h->bytes)
		return sentence("%s: tensor '%.80s' lies at bytes %" PRId64 " to %" PRId64
				" of data that has %" PRId64 "; copy the file again",
				h->file, e->name, e->begin, e->end, h->bytes);
	int64_t wanted;
	shape_count(e->rank, e->extent, &wanted);
	wanted *= type_info(e->type)->bytes;
	if (e->end - e->begin != wanted)
		return sentence("%s: tensor '%.80s' has %" PRId64
				" bytes by its type and shape, and "
				"%" PRId64 " by its \"data_offsets\"; store it again",
				h->file, e->name, wanted, e->end - e->begin);
	return NULL;
}

static char *read_entry(const struct header *h, struct entry *e, json_t *value)
{
	if (!json_is_object(value))
		return sentence("%s: tensor '%.80s' is not described by an object; give it "
				"\"dtype\", \"shape\" and \"data_offsets\"",
				h->file, e->name);
	char *error = read_type(h, e, json_object_get(value, "dtype"));
	if (!error)
		error = read_shape(h, e, json_object_get(value, "shape"));
	if (!error)
		error = read_place(h, e, json_object_get(value, "data_offsets"));
	return error;
}

static char *read_entries(struct header *h)
{
	const char *name;
	json_t *value;
	h->entry = calloc(json_object_size(h->json) + 1, sizeof *h->entry);
	if (!h->entry)
		return sentence("%s: memory is out for the header", h->file);
	json_object_foreach(h->json, name, value)
	{
		struct entry *e = &h->entry[h->count];
		e->name = name;
		if (strcmp(name, METADATA) == 0)
			continue;
		char *error = read_entry(h, e, value);
		if (error)
			return error;
		h->count++;
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) : by_name(a, b);
}

/* No byte of the data belongs to two tensors, or to none. */
static char *check_cover(struct header *h)
{
	int64_t covered = 0;
	qsort(h->entry, h->count, sizeof *h->entry, by_place);
	for (size_t i = 0; i < h->count; i++) {
		const struct entry *e = &h->entry[i];
		if (e->begin < covered)
			return sentence("%s: tensor '%.80s' begins at byte %" PRId64
					", within tensor "
					"'%.80s' that ends at %" PRId64 "; store them apart",
					h->file, e->name, e->begin, h->entry[i - 1].name, covered);
		if (e->begin > covered)
			break;
		covered = e->end;
	}
	if (covered == h->bytes)
		return NULL;
	return sentence("%s: the data from byte %" PRId64 " of %" PRId64
			" on belongs to no tensor; "
			"store the tensors without gaps",
			h->file, covered, h->bytes);
}

/* Fills all of the header but the entries. */
static char *find_header(struct header *h, const char *file, size_t size)
{
	uint64_t length;
	json_error_t wrong;
	if (size < sizeof length)
		return sentence(
			"%s: is no .safetensors file, for it has %zu bytes and the header's "
			"length alone takes 8; copy the file again",
			h->file, size);
	memcpy(&length, file, sizeof length);
	bool is_cut = length > size - sizeof length;
	if (is_cut && size > sizeof length && file[sizeof length] != '{')
		return sentence("%s: is no .safetensors file, whose ninth byte is a '{'; write one "
				"with save_file of Python's safetensors",
				h->file);
	if (is_cut)
		return sentence("%s: the .safetensors header has %" PRIu64 " bytes by its length, "
				"and the file %zu after it; copy the file again",
				h->file, length, size - sizeof length);
	if (length > HEADER_LIMIT)
		return sentence("%s: the .safetensors header has %" PRIu64 " bytes, more than the "
				"%" PRIu64
				" that the format allows; store fewer tensors in one file",
				h->file, length, HEADER_LIMIT);
	h->data = file + sizeof length + length;
	h->bytes = (int64_t)(size - sizeof length - length);
	h->json = json_loadb(file + sizeof length, length, JSON_REJECT_DUPLICATES, &wrong);
	if (!h->json)
		return sentence("%s: byte %d of the .safetensors header: %s; store the file again",
				h->file, wrong.position,
				*wrong.text ? wrong.text : "memory is out");
	json_t *metadata = json_object_get(h->json, METADATA);
	if (!json_is_object(h->json) || (metadata && !json_is_object(metadata)))
		return sentence("%s: the .safetensors header%s is no JSON object; store the file "
				"again",
				h->file, metadata ? "'s \"__metadata__\"" : "");
	return NULL;
}

/* requires entries that passed every check; sorted, they become the set */
static char *load(struct header *h, struct array_set *set)
{
	qsort(h->entry, h->count, sizeof *h->entry, by_name);
	set->item = calloc(h->count + 1, sizeof *set->item);
	for (size_t i = 0; set->item && i < h->count; i++) {
		const struct entry *e = &h->entry[i];
		struct named_array *item = &set->item[set->count++];
		item->name = strdup(e->name);
		item->array = array_new(e->type, e->rank, e->extent);
		if (!item->name || !item->array)
			return sentence("%s: memory is out for tensor '%.80s'", h->file, e->name);
		memcpy(item->array->data, h->data + e->begin, (size_t)(e->end - e->begin));
	}
	return set->item ? NULL : sentence("%s: memory is out for the tensors", h->file);
}

char *safetensors_parse(const char *name, const void *data, size_t size, struct array_set *set)
{
	struct header h = {.file = name};
	*set = (struct array_set){0};
	char *error = find_header(&h, data, size);
	if (!error)
		error = read_entries(&h);
	if (!error)
		error = check_cover(&h);
	if (!error)
		error = load(&h, set);
	if (error)
		array_set_free(set);
	free(h.entry);
	json_decref(h.json);
	return error;
}

char *safetensors_read(const char *path, struct array_set *set)
{
	char *data;
	size_t size;
	*set = (struct array_set){0};
	char *error = file_read(path, &data, &size);
	if (!error)
		error = safetensors_parse(path, data, size, set);
	free(data);
	return error;
}

/* The items in the order of their data: wide elements first, so that every element is aligned. */
static const struct named_array **data_order(const struct array_set *set)
{
	size_t used = 0;
	const struct named_array **order = calloc(set->count + 1, sizeof *order);
	for (int width = 8; order && width > 0; width /= 2)
		for (size_t i = 0; i < set->count; i++)
			if (type_info(set->item[i].array->type)->bytes == width)
				order[used++] = &set->item[i];
	return order;
}

/* NULL when memory is out. */
static json_t *describe(const struct array *a, int64_t begin)
{
	json_t *shape = json_array();
	for (int i = 0; i < a->rank; i++)
		if (json_array_append_new(shape, json_integer(a->extent[i])) != 0) {
			json_decref(shape);
			return NULL;
		}
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[a->type], "shape", shape,
			 "data_offsets", (json_int_t)begin, (json_int_t)(begin + array_bytes(a)));
}

/* Adds the item, whose data begins at byte *bytes, to the header. */
static char *write_entry(const char *path, const struct named_array *item, json_t *header,
			 int64_t *bytes)
{
	if (strcmp(item->name, METADATA) == 0)
		return sentence("%s: cannot hold a tensor named '%s', which the format keeps for "
				"itself; rename the tensor",
				path, METADATA);
	json_t *entry = describe(item->array, *bytes);
	*bytes += array_bytes(item->array);
	if (!entry)
		return sentence("%s: memory is out for the header", path);
	if (json_object_set_new(header, item->name, entry) != 0)
		return sentence("%s: cannot hold a tensor named '%.80s', which is not UTF-8 or too "
				"long for the memory; rename the tensor",
				path, item->name);
	return NULL;
}

/* The text, malloc'd; NULL when memory is out. Not json_dumps: where its buffer cannot grow,
 * jansson 2.14 drops a part of the text and reports success. */
static char *dump(const json_t *header)
{
	size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
	char *text = length ? malloc(length + 1) : NULL;
	if (!text || json_dumpb(header, text, length, JSON_COMPACT) != length) {
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

/* The JSON header, malloc'd, and the bytes of data that it describes. */
static char *write_header(const char *path, const struct named_array *const order[], char **text,
			  int64_t *bytes)
{
	char *error = NULL;
	json_t *header = json_object();
	*bytes = 0;
	for (; *order && !error; order++)
		error = write_entry(path, *order, header, bytes);
	*text = error ? NULL : dump(header);
	json_decref(header);
	if (!error && !*text)
		error = sentence("%s: memory is out for the header", path);
	return error;
}

static char *write_file(const char *path, const struct named_array *const order[], const char *text,
			int64_t bytes)
{
	uint64_t length = (strlen(text) + 7) / 8 * 8;
	size_t size = sizeof length + length + (size_t)bytes;
	char *file = malloc(size);
	if (!file)
		return sentence("%s: memory is out for a file of %zu bytes", path, size);
	char *at = file;
	memcpy(at, &length, sizeof length);
	at += sizeof length;
	memset(at, ' ', length);
	memcpy(at, text, strlen(text));
	at += length;
	for (; *order; order++) {
		size_t part = (size_t)array_bytes((*order)->array);
		memcpy(at, (*order)->array->data, part);
		at += part;
	}
	char *error = file_write(path, file, size);
	free(file);
	return error;
}

char *safetensors_write(const char *path, const struct array_set *set)
{
	char *text = NULL;
	int64_t bytes;
	for (size_t i = 1; i < set->count; i++)
		assert(strcmp(set->item[i - 1].name, set->item[i].name) < 0);
	const struct named_array **order = data_order(set);
	if (!order)
		return sentence("%s: memory is out for the header", path);
	char *error = write_header(path, order, &text, &bytes);
	if (!error)
		error = write_file(path, order, text, bytes);
	free(text);
	free(order);
	return error;
}

static int name_order(const void *name, const void *item)
{
	return strcmp(name, ((const struct named_array *)item)->name);
}

struct named_array *array_set_item(const struct array_set *set, const char *name)
{
	if (set->count == 0)
		return NULL;
	return bsearch(name, set->item, set->count, sizeof *set->item, name_order);
}

struct array *array_set_find(const struct array_set *set, const char *name)
{
	const struct named_array *item = array_set_item(set, name);
	return item ? item->array : NULL;
}

void array_set_free(struct array_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->item[i].name);
		array_free(set->item[i].array);
	}
	free(set->item);
	*set = (struct array_set){0};
}
