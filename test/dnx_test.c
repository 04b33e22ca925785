/* dnx_test.c -- programs as files: what is written comes back, and nothing else is taken. */
#include "runtime/dnx.h"
#include "runtime/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct draws {
	uint64_t number, count;
};

static uint64_t draw(struct draws *d)
{
	uint32_t words[4];
	random_words(7, d->number, d->count++, words);
	return (uint64_t)words[0] << 32 | words[1];
}

static const char *draw_text(struct draws *d, struct code *code)
{
	static const char *const texts[] = {"",      "c1",  "a \"quoted\" name", "back\\slash",
					    "größe", "日本"};
	return code_text(code, texts[draw(d) % (sizeof texts / sizeof *texts)]);
}

/* Small numbers, and some at the ends of their range. */
static int64_t draw_whole(struct draws *d, bool is_signed)
{
	int64_t value =
		draw(d) % 4 ? (int64_t)(draw(d) % 300) : (int64_t)(draw(d) >> (1 + draw(d) % 63));
	return is_signed && draw(d) % 2 ? -value - (int64_t)(draw(d) % 2) : value;
}

static void draw_field(struct draws *d, struct code *code, const struct field_info *info,
		       union field *f)
{
	static const double reals[] = {0,    -0.0,   1, 0.1, 1e-300, 1.7976931348623157e308,
				       -3.5, 1.0 / 3};
	switch (info->form) {
	case FORM_COUNT:
		f->whole = draw_whole(d, false);
		break;
	case FORM_NUMBER:
		f->whole = draw_whole(d, true);
		break;
	case FORM_REAL:
		f->real = reals[draw(d) % (sizeof reals / sizeof *reals)];
		break;
	case FORM_TEXT:
		f->text = draw_text(d, code);
		break;
	case FORM_WORDS:
		f->whole = (int64_t)(draw(d) % (uint64_t)isa_words(info->words));
		break;
	}
}

static void draw_code(struct draws *d, struct code *code, enum isa_section section, int count)
{
	while (count > 0) {
		enum opcode op = (enum opcode)(draw(d) % OP_COUNT);
		const struct instruction_info *info = isa_info(op);
		if (info->section != section)
			continue;
		union field *f = code_add(code, op);
		for (int k = 0; k < info->fields; k++)
			draw_field(d, code, &info->field[k], &f[k]);
		count--;
	}
}

static void draw_dnx(struct dnx *dnx, uint64_t number)
{
	struct draws d = {number, 0};
	*dnx = (struct dnx){0};
	for (int i = 0; i < ISA_SECTIONS; i++)
		draw_code(&d, &dnx->code[i], (enum isa_section)i, (int)(draw(&d) % 12));
	dnx->constant_bytes = draw(&d) % 200;
	dnx->constants = aligned_alloc(64, 256);
	for (size_t i = 0; i < dnx->constant_bytes; i++)
		dnx->constants[i] = (uint8_t)draw(&d);
}

Test(dnx, what_is_written_comes_back_byte_for_byte)
{
	for (uint64_t number = 0; number < 500; number++) {
		struct dnx dnx, again;
		size_t size, size_again;
		draw_dnx(&dnx, number);
		uint8_t *file = dnx_encode(&dnx, &size);
		char *error = dnx_decode(&again, file, size);
		cr_assert_null(error, "%" PRIu64 ": %s", number, error);
		uint8_t *file_again = dnx_encode(&again, &size_again);
		cr_assert(size == size_again && memcmp(file, file_again, size) == 0, "%" PRIu64,
			  number);
		free(file);
		free(file_again);
		dnx_free(&dnx);
		dnx_free(&again);
	}
}

static bool is_taken(const uint8_t *file, size_t size)
{
	struct dnx dnx;
	char *error = dnx_decode(&dnx, file, size);
	bool is_taken = !error;
	cr_assert(is_taken || strlen(error) > 10);
	free(error);
	dnx_free(&dnx);
	return is_taken;
}

Test(dnx, a_file_that_is_cut_or_has_one_wrong_bit_is_refused)
{
	struct dnx dnx;
	size_t size;
	draw_dnx(&dnx, 3);
	uint8_t *file = dnx_encode(&dnx, &size);
	cr_assert(is_taken(file, size));
	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *copy = malloc(
			cut + 1); /* so that what lies behind it is seen to be not looked at */
		memcpy(copy, file, cut);
		cr_assert_not(is_taken(copy, cut), "cut after %zu bytes", cut);
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * size; bit++) {
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_not(is_taken(file, size), "bit %zu", bit);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(file);
	dnx_free(&dnx);
}

static char *print(const struct code *code, size_t *size)
{
	char *text;
	FILE *file = open_memstream(&text, size);
	code_print(code, file);
	fclose(file);
	return text;
}

Test(dnx, text_and_bytes_say_the_same)
{
	for (uint64_t number = 0; number < 300; number++) {
		struct dnx dnx;
		draw_dnx(&dnx, number);
		for (int i = 0; i < ISA_SECTIONS; i++) {
			struct code again = {0};
			size_t size, bytes, bytes_again, size_again;
			char *text = print(&dnx.code[i], &size);
			char *error = code_parse(&again, text, size);
			cr_assert_null(error, "%" PRIu64 ": %s in\n%s", number, error, text);
			char *text_again = print(&again, &size_again);
			uint8_t *encoded = code_encode(&dnx.code[i], &bytes);
			uint8_t *encoded_again = code_encode(&again, &bytes_again);
			cr_assert_str_eq(text, text_again);
			cr_assert(bytes == bytes_again &&
				  memcmp(encoded, encoded_again, bytes) == 0);
			free(text);
			free(text_again);
			free(encoded);
			free(encoded_again);
			code_free(&again);
		}
		dnx_free(&dnx);
	}
}

Test(dnx, wrong_lines_are_told_with_their_place)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"extent count=3\n  extnt count=1\n", "2:3: 'extnt' is no instruction"},
		{"extent\n", "1:7: 'extent' goes on with count=, not ''"},
		{"extent count=-1\n",
		 "1:14: '-1' is no whole number of 63 bits that is at least 0"},
		{"extent count=9223372036854775808\n",
		 "1:14: '9223372036854775808' is no whole number of 63 bits that is at least 0"},
		{"extent count=1 count=2\n", "1:16: an instruction ends with its line"},
		{"file name=x\n", "1:11: a text stands in double quotes, on one line"},
		{"file name=\"x\n", "1:13: a text stands in double quotes, on one line"},
		{"position type=f16 loop=0\n", "1:15: 'f16' is none of: f32 f64 i8 i16 i32 i64"},
		{"constant type=f32 value=0x1\n",
		 "1:25: '0x1' is no number: whole, or 0x, digits, p and a power of two"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct code code = {0};
		char *error = code_parse(&code, cases[i].text, strlen(cases[i].text));
		cr_assert_str_eq(error ? error : "no error", cases[i].error);
		free(error);
		code_free(&code);
	}
}

/* Checksums are no protection from a file that was made on purpose. */
Test(dnx, any_bytes_are_instructions_or_an_error)
{
	for (uint64_t number = 0; number < 100000; number++) {
		struct draws d = {number, 0};
		struct code code = {0};
		size_t size = draw(&d) % 40, again;
		uint8_t bytes[40];
		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)(draw(&d) % (draw(&d) % 2 ? 256 : OP_COUNT));
		char *error =
			code_decode(&code, (enum isa_section)(number % ISA_SECTIONS), bytes, size);
		if (!error) {
			uint8_t *encoded = code_encode(&code, &again);
			cr_assert(again == size && memcmp(encoded, bytes, size) == 0,
				  "%" PRIu64 ": another encoding is taken", number);
			free(encoded);
		}
		free(error);
		code_free(&code);
	}
}
