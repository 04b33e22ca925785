/* isa_text.c -- instructions as lines of text, and back; and the document that lists them. */
#include "runtime/isa.h"
#include "runtime/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- To text ----------------------------------------------------------------------------------------------------------------- */

static void print_text(const char *text, FILE *file)
{
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		putc(*text, file);
	}
	putc('"', file);
}

/* Whole numbers as they are; others by their bits in hexadecimal, 0x1.8p+1, without the point that a locale may change. */
static void print_real(double value, FILE *file)
{
	int exponent;
	if (isinf(value)) {
		fputs(value < 0 ? "-inf" : "inf", file);
	} else if (value == rint(value) && fabs(value) < 0x1p53) {
		fprintf(file, "%s%lld", signbit(value) ? "-" : "", (long long)fabs(value));
	} else {
		double mantissa = frexp(fabs(value), &exponent);
		fprintf(file, "%s0x%llxp%d", signbit(value) ? "-" : "",
			(long long)ldexp(mantissa, 53), exponent - 53);
	}
}

static void print_field(const struct field_info *info, union field f, FILE *file)
{
	size_t length;
	const char *word;
	fprintf(file, " %s=", info->word);
	switch (info->form) {
	case FORM_COUNT:
	case FORM_NUMBER:
		fprintf(file, "%lld", (long long)f.whole);
		break;
	case FORM_REAL:
		print_real(f.real, file);
		break;
	case FORM_TEXT:
		print_text(f.text, file);
		break;
	case FORM_WORDS:
		word = isa_word(info->words, f.whole, &length);
		fprintf(file, "%.*s", (int)length, word);
		break;
	}
}

void code_print(const struct code *code, FILE *file)
{
	for (int i = 0; i < code->count; i++) {
		const struct instruction_info *info = isa_info(code->at[i].op);
		fputs(info->word, file);
		for (int k = 0; k < info->fields; k++)
			print_field(&info->field[k], code->at[i].field[k], file);
		putc('\n', file);
	}
}

/* ---- From text --------------------------------------------------------------------------------------------------------------- */

struct scanner {
	const char *begin, *at, *end;
	struct code *code;
	char *error;
};

static bool fail(struct scanner *s, char *why)
{
	int line = 1, column = 1;
	for (const char *c = s->begin; c < s->at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	if (!s->error)
		s->error = sentence("%d:%d: %s", line, column, why ? why : "no memory");
	free(why);
	return false;
}

static bool is_at(const struct scanner *s, char c)
{
	return s->at < s->end && *s->at == c;
}

static void skip_blanks(struct scanner *s)
{
	while (is_at(s, ' ') || is_at(s, '\t'))
		s->at++;
	if (is_at(s, ';'))
		while (s->at < s->end && *s->at != '\n')
			s->at++;
}

/* Up to a blank, an '=' or the end of the line. */
static size_t word_length(const struct scanner *s, const char *stops)
{
	size_t length = 0;
	while (s->at + length < s->end && !strchr(stops, s->at[length]))
		length++;
	return length;
}

static bool is_word(const char *word, const char *text, size_t length)
{
	return strlen(word) == length && memcmp(word, text, length) == 0;
}

/* Digits of the base into *value; how many characters, 0 if there is none or they are too many. */
static size_t digits(const char *text, size_t length, int base, uint64_t *value)
{
	static const char all[] = "0123456789abcdef";
	size_t i = 0;
	*value = 0;
	for (; i < length; i++) {
		const char *digit = memchr(all, text[i], (size_t)base);
		if (!digit)
			break;
		if (__builtin_mul_overflow(*value, (uint64_t)base, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(digit - all), value))
			return 0;
	}
	return i;
}

static bool scan_whole(struct scanner *s, size_t length, bool is_signed, int64_t *whole)
{
	bool is_negative = is_signed && length > 0 && *s->at == '-';
	uint64_t value, most = is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	const char *text = s->at + is_negative;
	length -= is_negative;
	if (length == 0 || digits(text, length, 10, &value) != length || value > most)
		return fail(s, sentence("'%.*s' is no whole number of 63 bits%s", (int)length, text,
					is_signed ? "" : " that is at least 0"));
	*whole = (int64_t)(is_negative ? 0 - value : value);
	return true;
}

/* As print_real writes it. */
static bool scan_real(struct scanner *s, size_t length, double *real)
{
	const char *text = s->at, *end = s->at + length;
	bool is_negative = length > 0 && *text == '-';
	uint64_t mantissa, exponent = 0;
	text += is_negative;
	if (is_word("inf", text, (size_t)(end - text))) {
		*real = is_negative ? -INFINITY : INFINITY;
		return true;
	}
	bool is_hexadecimal = end - text > 2 && text[0] == '0' && text[1] == 'x';
	text += is_hexadecimal ? 2 : 0;
	size_t count = digits(text, (size_t)(end - text), is_hexadecimal ? 16 : 10, &mantissa);
	bool is_right = count > 0 && mantissa <= (uint64_t)1 << 53;
	text += count;
	bool is_small = false;
	if (is_right && is_hexadecimal) {
		is_right = text < end && *text++ == 'p';
		is_small = text < end && *text == '-';
		text += is_small;
		count = is_right ? digits(text, (size_t)(end - text), 10, &exponent) : 0;
		is_right = count > 0 && exponent < 2000;
		text += count;
	}
	if (!is_right || text != end)
		return fail(
			s,
			sentence("'%.*s' is no number: whole, or 0x, digits, p and a power of two",
				 (int)length, s->at));
	double value = ldexp((double)mantissa, is_small ? -(int)exponent : (int)exponent);
	*real = is_negative ? -value : value;
	return true;
}

static bool scan_text(struct scanner *s, const char **text)
{
	char *copy = malloc((size_t)(s->end - s->at) + 1), *to = copy;
	if (!copy)
		return fail(s, NULL);
	bool is_open = is_at(s, '"');
	s->at += is_open;
	while (is_open && s->at < s->end && (unsigned char)*s->at >= ' ') {
		is_open = *s->at != '"';
		s->at += *s->at == '\\' && s->at + 1 < s->end;
		if (is_open)
			*to++ = *s->at;
		s->at++;
	}
	*to = '\0';
	*text = is_open || s->at[-1] != '"' ? NULL : code_text(s->code, copy);
	bool is_whole = !is_open && *text;
	free(copy);
	return is_whole || fail(s, sentence("a text stands in double quotes, on one line"));
}

static bool scan_words(struct scanner *s, size_t length, const char *words, int64_t *place)
{
	for (*place = 0; *place < isa_words(words); ++*place) {
		size_t own;
		const char *word = isa_word(words, *place, &own);
		if (own == length && memcmp(word, s->at, length) == 0)
			return true;
	}
	return fail(s, sentence("'%.*s' is none of: %s", (int)length, s->at, words));
}

static bool scan_value(struct scanner *s, const struct field_info *info, union field *f)
{
	size_t length = word_length(s, " \t\n;");
	bool is_right = false;
	switch (info->form) {
	case FORM_COUNT:
	case FORM_NUMBER:
		is_right = scan_whole(s, length, info->form == FORM_NUMBER, &f->whole);
		break;
	case FORM_REAL:
		is_right = scan_real(s, length, &f->real);
		break;
	case FORM_TEXT:
		return scan_text(s, &f->text);
	case FORM_WORDS:
		is_right = scan_words(s, length, info->words, &f->whole);
		break;
	}
	s->at += length;
	return is_right;
}

static bool scan_field(struct scanner *s, const struct instruction_info *info, int k,
		       union field *f)
{
	skip_blanks(s);
	size_t length = word_length(s, " \t\n;=");
	if (!is_word(info->field[k].word, s->at, length) || !(s->at + length < s->end) ||
	    s->at[length] != '=')
		return fail(s, sentence("'%s' goes on with %s=, not '%.*s'", info->word,
					info->field[k].word, (int)length, s->at));
	s->at += length + 1;
	return scan_value(s, &info->field[k], f);
}

static bool scan_instruction(struct scanner *s)
{
	size_t length = word_length(s, " \t\n;=");
	union field field[ISA_MAX_FIELDS] = {{0}};
	int op = 0;
	while (op < OP_COUNT && !is_word(isa_info((enum opcode)op)->word, s->at, length))
		op++;
	if (op == OP_COUNT)
		return fail(s, sentence("'%.*s' is no instruction", (int)length, s->at));
	s->at += length;
	const struct instruction_info *info = isa_info((enum opcode)op);
	for (int k = 0; k < info->fields; k++)
		if (!scan_field(s, info, k, &field[k]))
			return false;
	union field *f = code_add(s->code, (enum opcode)op);
	if (!f)
		return fail(s, NULL);
	memcpy(f, field, sizeof field);
	return true;
}

char *code_parse(struct code *code, const char *text, size_t size)
{
	struct scanner s = {.begin = text, .at = text, .end = text + size, .code = code};
	while (!s.error && s.at < s.end) {
		skip_blanks(&s);
		if (s.at < s.end && *s.at != '\n')
			scan_instruction(&s);
		skip_blanks(&s);
		if (!s.error && s.at < s.end && *s.at++ != '\n') {
			s.at--;
			fail(&s, sentence("an instruction ends with its line"));
		}
	}
	return s.error;
}

/* ---- The document ------------------------------------------------------------------------------------------------------------ */

static const char *const section_text[ISA_SECTIONS] = {"The machine", "Tensors", "The program",
						       "Where it comes from"};
static const char *const form_text[] = {"count", "number", "real", "text", "word"};

static void print_fields(const struct instruction_info *info, FILE *file)
{
	for (int k = 0; k < info->fields; k++) {
		const struct field_info *f = &info->field[k];
		fprintf(file, "- `%s`, a %s", f->word, form_text[f->form]);
		if (f->form == FORM_WORDS)
			fprintf(file, " of `%s`", f->words);
		fprintf(file, "%s%s\n", *f->text ? ": " : "", f->text);
	}
}

void isa_print_document(FILE *file)
{
	fputs("# The instructions of a .dnx file\n\n"
	      "Made from `runtime/isa.def`; `build/dev/test/isa_document > docs/isa.md` makes it "
	      "anew. What "
	      "instructions do together is told in [accelerator.md](accelerator.md).\n\n"
	      "In a file an instruction is its opcode as one byte, then its fields: a count as a "
	      "varint (seven bits a "
	      "byte, the lowest first, the top bit set where more follow), a number as the varint "
	      "of 2n, or of "
	      "-2n - 1 below 0, a real as the eight bytes of a double, a text as its length and "
	      "its bytes, a word as "
	      "its place in the list. As text it is one line: its word, then `field=value` for "
	      "each field, in this order; "
	      "what follows `;` is a remark.\n",
	      file);
	for (int section = 0; section < ISA_SECTIONS; section++) {
		fprintf(file, "\n## %s\n", section_text[section]);
		for (int op = 0; op < OP_COUNT; op++) {
			const struct instruction_info *info = isa_info((enum opcode)op);
			if (info->section != (enum isa_section)section)
				continue;
			fprintf(file, "\n**%d `%s`** %s\n\n", op, info->word, info->text);
			print_fields(info, file);
		}
	}
}
