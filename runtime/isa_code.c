/* isa_code.c -- instructions as bytes: an opcode, then its fields, each in the form that isa.def says. */
#include "runtime/isa.h"
#include "runtime/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 4096 };

/* ---- To bytes ---------------------------------------------------------------------------------------------------------------- */

struct sink {
	uint8_t *data;
	size_t size, room;
	bool is_out_of_memory;
};

static void put(struct sink *s, const void *bytes, size_t size)
{
	if (s->room - s->size < size && !s->is_out_of_memory) {
		size_t room = 2 * s->room + size + 256;
		uint8_t *grown = realloc(s->data, room);
		s->is_out_of_memory = !grown;
		if (grown) {
			s->data = grown;
			s->room = room;
		}
	}
	if (s->is_out_of_memory)
		return;
	memcpy(s->data + s->size, bytes, size);
	s->size += size;
}

static void put_varint(struct sink *s, uint64_t value)
{
	uint8_t bytes[10];
	size_t size = 0;
	for (; value >= 0x80; value >>= 7)
		bytes[size++] = (uint8_t)(value | 0x80);
	bytes[size++] = (uint8_t)value;
	put(s, bytes, size);
}

static void put_real(struct sink *s, double value)
{
	uint64_t bits;
	uint8_t bytes[8];
	memcpy(&bits, &value, sizeof bits);
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	put(s, bytes, sizeof bytes);
}

static void put_field(struct sink *s, enum isa_form form, union field f)
{
	size_t length;
	switch (form) {
	case FORM_COUNT:
	case FORM_WORDS:
		put_varint(s, (uint64_t)f.whole);
		break;
	case FORM_NUMBER:
		put_varint(s, (uint64_t)f.whole << 1 ^ (f.whole < 0 ? UINT64_MAX : 0));
		break;
	case FORM_REAL:
		put_real(s, f.real);
		break;
	case FORM_TEXT:
		length = strlen(f.text);
		put_varint(s, length);
		put(s, f.text, length);
		break;
	}
}

uint8_t *code_encode(const struct code *code, size_t *size)
{
	struct sink s = {.data = malloc(1), .room = 1};
	s.is_out_of_memory = !s.data;
	for (int i = 0; i < code->count; i++) {
		const struct instruction_info *info = isa_info(code->at[i].op);
		uint8_t op = (uint8_t)code->at[i].op;
		put(&s, &op, 1);
		for (int k = 0; k < info->fields; k++)
			put_field(&s, info->field[k].form, code->at[i].field[k]);
	}
	if (s.is_out_of_memory) {
		free(s.data);
		return NULL;
	}
	*size = s.size;
	return s.data;
}

/* ---- From bytes -------------------------------------------------------------------------------------------------------------- */

struct source {
	const uint8_t *data;
	size_t size, at;
	const char *wrong; /* what is wrong at that place */
};

static bool fail(struct source *s, const char *wrong)
{
	s->wrong = wrong;
	return false;
}

/* The one encoding of each value. */
static bool get_varint(struct source *s, uint64_t *value)
{
	*value = 0;
	for (int shift = 0; shift < 64; shift += 7) {
		if (s->at == s->size)
			return fail(s, "it ends inside of a number");
		uint8_t byte = s->data[s->at++];
		if (shift == 63 && byte > 1)
			return fail(s, "a number is too large");
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (byte != 0 || shift == 0) ||
			       fail(s, "a number is longer than it need be");
	}
	return fail(s, "a number is too large");
}

static bool get_count(struct source *s, int64_t *value)
{
	uint64_t bits;
	if (!get_varint(s, &bits))
		return false;
	*value = (int64_t)bits;
	return bits <= INT64_MAX || fail(s, "a number is too large");
}

static bool get_number(struct source *s, int64_t *value)
{
	uint64_t bits;
	if (!get_varint(s, &bits))
		return false;
	*value = (int64_t)(bits >> 1 ^ (bits & 1 ? UINT64_MAX : 0));
	return true;
}

static bool get_real(struct source *s, double *value)
{
	uint64_t bits = 0;
	if (s->size - s->at < 8)
		return fail(s, "it ends inside of a real number");
	for (int i = 0; i < 8; i++)
		bits |= (uint64_t)s->data[s->at + (size_t)i] << (8 * i);
	s->at += 8;
	memcpy(value, &bits, sizeof *value);
	return !isnan(*value) || fail(s, "a real number is none");
}

/* UTF-8 in its shortest form, without surrogates and control characters. */
static bool is_text(const uint8_t *t, size_t size)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	for (size_t i = 0; i < size;) {
		int more = t[i] < 0x80                   ? 0
			   : t[i] >= 0xc2 && t[i] < 0xe0 ? 1
			   : (t[i] & 0xf0) == 0xe0       ? 2
			   : t[i] >= 0xf0 && t[i] < 0xf5 ? 3
							 : -1;
		uint32_t point = more == 0 ? t[i] : more > 0 ? t[i] & (0x3fu >> more) : 0;
		if (more < 0 || size - i <= (size_t)more)
			return false;
		for (int k = 1; k <= more; k++) {
			if ((t[i + (size_t)k] & 0xc0) != 0x80)
				return false;
			point = point << 6 | (t[i + (size_t)k] & 0x3f);
		}
		if (point < least[more] || point > 0x10ffff ||
		    (point >= 0xd800 && point < 0xe000) || point < 0x20 ||
		    (point >= 0x7f && point < 0xa0))
			return false;
		i += (size_t)more + 1;
	}
	return true;
}

static bool get_text(struct source *s, struct code *code, const char **text)
{
	char copy[MOST_TEXT + 1];
	uint64_t length;
	if (!get_varint(s, &length))
		return false;
	if (length > MOST_TEXT)
		return fail(s, "a text is too long");
	if (length > s->size - s->at)
		return fail(s, "it ends inside of a text");
	if (!is_text(s->data + s->at, length))
		return fail(s, "a text is none");
	memcpy(copy, s->data + s->at, length);
	copy[length] = '\0';
	s->at += length;
	*text = code_text(code, copy);
	return *text != NULL || fail(s, "no memory");
}

static bool get_field(struct source *s, struct code *code, const struct field_info *info,
		      union field *f)
{
	switch (info->form) {
	case FORM_COUNT:
		return get_count(s, &f->whole);
	case FORM_NUMBER:
		return get_number(s, &f->whole);
	case FORM_REAL:
		return get_real(s, &f->real);
	case FORM_TEXT:
		return get_text(s, code, &f->text);
	case FORM_WORDS:
		return get_count(s, &f->whole) &&
		       (f->whole < isa_words(info->words) || fail(s, "a word is not in its list"));
	}
	return false;
}

static bool get_instruction(struct source *s, struct code *code, enum isa_section section)
{
	uint8_t op = s->data[s->at++];
	union field field[ISA_MAX_FIELDS] = {{0}};
	if (op >= OP_COUNT || isa_info(op)->section != section)
		return fail(s, "no instruction of this section begins so");
	const struct instruction_info *info = isa_info(op);
	for (int k = 0; k < info->fields; k++)
		if (!get_field(s, code, &info->field[k], &field[k]))
			return false;
	union field *f = code_add(code, op);
	if (!f)
		return fail(s, "no memory");
	memcpy(f, field, sizeof field);
	return true;
}

char *code_decode(struct code *code, enum isa_section section, const uint8_t *data, size_t size)
{
	struct source s = {.data = data, .size = size};
	while (s.at < s.size) {
		size_t begin = s.at;
		if (!get_instruction(&s, code, section))
			return sentence("instruction %d, at byte %zu: %s (byte %zu)", code->count,
					begin, s.wrong, s.at);
	}
	return NULL;
}
