/* dnx.c -- sections one after the other, each with its checksum, below a table that has one as well. */
#include "runtime/dnx.h"
#include "runtime/sentence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	MAGIC = 8,
	VERSION = 1,
	HEAD = MAGIC + 8,
	ENTRY = 32,
	SUM = 8,
	ALIGNMENT = 64,
	TABLE = HEAD + DNX_SECTIONS * ENTRY + SUM
};

static const char magic[MAGIC + 1] = "dnnc.dnx";
static const char *const section_name[DNX_SECTIONS] = {"machine", "tensors", "program", "debug",
						       "constants"};

static void put(uint8_t *to, int bytes, uint64_t value)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *from, int bytes)
{
	uint64_t value = 0;
	for (int i = bytes - 1; i >= 0; i--)
		value = value << 8 | from[i];
	return value;
}

static size_t aligned(size_t size)
{
	return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

uint64_t dnx_machine_hash(const struct code *machine)
{
	size_t size;
	uint8_t *bytes = code_encode(machine, &size);
	uint64_t hash = bytes ? XXH3_64bits(bytes, size) : 0;
	free(bytes);
	return hash;
}

/* ---- To bytes ---------------------------------------------------------------------------------------------------------------- */

/* Whatever is not written is zero. */
static uint8_t *join(uint8_t *const part[], const size_t size[], size_t *total)
{
	*total = aligned(TABLE);
	for (int i = 0; i < DNX_SECTIONS; i++)
		*total += aligned(size[i]);
	uint8_t *file = calloc(*total, 1);
	if (!file)
		return NULL;
	memcpy(file, magic, MAGIC);
	put(file + MAGIC, 4, VERSION);
	put(file + MAGIC + 4, 4, DNX_SECTIONS);
	size_t at = aligned(TABLE);
	for (int i = 0; i < DNX_SECTIONS; i++) {
		uint8_t *entry = file + HEAD + i * ENTRY;
		memcpy(file + at, part[i], size[i]);
		put(entry, 4, (uint64_t)i);
		put(entry + 8, 8, at);
		put(entry + 16, 8, size[i]);
		put(entry + 24, 8, XXH3_64bits(part[i], size[i]));
		at += aligned(size[i]);
	}
	put(file + TABLE - SUM, 8, XXH3_64bits(file, TABLE - SUM));
	return file;
}

uint8_t *dnx_encode(const struct dnx *d, size_t *total)
{
	static const uint8_t nothing = 0;
	uint8_t *part[DNX_SECTIONS], *file = NULL;
	size_t size[DNX_SECTIONS];
	bool is_whole = true;
	for (int i = 0; i < ISA_SECTIONS; i++) {
		part[i] = code_encode(&d->code[i], &size[i]);
		is_whole &= part[i] != NULL;
	}
	part[DNX_CONSTANTS] = d->constants ? d->constants : (uint8_t *)&nothing;
	size[DNX_CONSTANTS] = d->constant_bytes;
	if (is_whole)
		file = join(part, size, total);
	for (int i = 0; i < ISA_SECTIONS; i++)
		free(part[i]);
	return file;
}

/* ---- From bytes -------------------------------------------------------------------------------------------------------------- */

static char *check_head(const uint8_t *file, size_t size)
{
	if (size < MAGIC || memcmp(file, magic, MAGIC) != 0)
		return sentence("it is no program for an accelerator: it does not begin with '%s'",
				magic);
	if (size < HEAD)
		return sentence(
			"it ends after %zu bytes, inside of its head: the file is not whole", size);
	if (get(file + MAGIC, 4) != VERSION)
		return sentence("it is of version %" PRIu64
				", and this program reads version %d: make it "
				"anew with the dnnc that belongs to it",
				get(file + MAGIC, 4), VERSION);
	if (size < aligned(TABLE))
		return sentence(
			"it ends after %zu bytes, inside of its head: the file is not whole", size);
	if (get(file + MAGIC + 4, 4) != DNX_SECTIONS ||
	    get(file + TABLE - SUM, 8) != XXH3_64bits(file, TABLE - SUM))
		return sentence("its head is damaged: the checksum is another");
	return NULL;
}

static bool are_zeros(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at == 0)
		at++;
	return at == end;
}

/* A section, which is to begin at *at, which then is the place behind it. */
static char *find_section(const uint8_t *file, size_t size, int section, size_t *at, size_t *bytes)
{
	const uint8_t *entry = file + HEAD + section * ENTRY;
	*bytes = get(entry + 16, 8);
	if (get(entry, 4) != (uint64_t)section || get(entry + 4, 4) != 0 ||
	    get(entry + 8, 8) != *at)
		return sentence("section %s is not where it belongs", section_name[section]);
	if (*bytes > size - *at || aligned(*bytes) > size - *at)
		return sentence(
			"it ends after %zu bytes, inside of section %s: the file is not whole",
			size, section_name[section]);
	if (get(entry + 24, 8) != XXH3_64bits(file + *at, *bytes) ||
	    !are_zeros(file + *at + *bytes, file + *at + aligned(*bytes)))
		return sentence("section %s is damaged: the checksum is another",
				section_name[section]);
	*at += aligned(*bytes);
	return NULL;
}

static char *take_section(struct dnx *d, int section, const uint8_t *bytes, size_t size)
{
	if (section == DNX_CONSTANTS) {
		d->constant_bytes = size;
		d->constants = aligned_alloc(ALIGNMENT, aligned(size) + ALIGNMENT);
		if (d->constants)
			memcpy(d->constants, bytes, size);
		return d->constants ? NULL : sentence("no memory for %zu bytes of constants", size);
	}
	char *error = code_decode(&d->code[section], (enum isa_section)section, bytes, size);
	char *text = error ? sentence("section %s: %s", section_name[section], error) : NULL;
	free(error);
	return text;
}

char *dnx_decode(struct dnx *d, const uint8_t *file, size_t size)
{
	size_t at = aligned(TABLE), bytes;
	*d = (struct dnx){0};
	char *error = check_head(file, size);
	if (!error && !are_zeros(file + TABLE, file + aligned(TABLE)))
		error = sentence("its head is damaged: what should be zero is not");
	for (int i = 0; i < DNX_SECTIONS && !error; i++) {
		size_t begin = at;
		error = find_section(file, size, i, &at, &bytes);
		if (!error)
			error = take_section(d, i, file + begin, bytes);
	}
	if (!error && at != size)
		error = sentence("it goes on for %zu bytes behind its last section", size - at);
	return error;
}

void dnx_free(struct dnx *d)
{
	for (int i = 0; i < ISA_SECTIONS; i++)
		code_free(&d->code[i]);
	free(d->constants);
	*d = (struct dnx){0};
}
