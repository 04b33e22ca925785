/* scan.c -- the values of tokens: names and reserved words, numbers, quantities, strings; and what
 * is said about bytes that begin no token.
 *
 * Which names are reserved depends on where they stand: `step` is a word of mappings and
 * machines, `memory` one of machines outside of brackets, `by` follows `...`. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/tree_build.h"
#include "frontend/syntax/unit.h"
#include "frontend/source/utf8.h"
#include "parser.h"

/* Where findings go: inside a body that is skipped, nowhere. */
static struct diag *voice(struct parse *parse)
{
	return parse->skip_depth > 0 ? &parse->unheard : parse->diag;
}

struct reserved {
	const char *name;
	int token;
};

/* Reserved everywhere but among the words of a machine; in alphabetical order. */
static const struct reserved reserved[] = {
	{"and", T_AND},       {"cluster", T_CLUSTER},
	{"cpu", T_CPU},       {"dataflow", T_DATAFLOW},
	{"each", T_EACH},     {"else", T_ELSE},
	{"for", T_FOR},       {"if", T_IF},
	{"import", T_IMPORT}, {"in", T_IN},
	{"index", T_INDEX},   {"machine", T_MACHINE},
	{"map", T_MAP},       {"network", T_NETWORK},
	{"not", T_NOT},       {"on", T_ON},
	{"op", T_OP},         {"or", T_OR},
	{"param", T_PARAM},   {"require", T_REQUIRE},
	{"return", T_RETURN}, {"state", T_STATE},
	{"tensor", T_TENSOR}, {"train", T_TRAIN},
};

/* Words of a clause in a mapping, after the colon. */
static const struct reserved clause_words[] = {
	{"bypass", T_BYPASS},         {"keep", T_KEEP},
	{"order", T_ORDER},           {"parallel", T_PARALLEL},
	{"stationary", T_STATIONARY},
};

#define FIND(table, text, length) find(table, sizeof(table) / sizeof((table)[0]), text, length)

static int find(const struct reserved *table, size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(table[i].name, text, length) == 0 && !table[i].name[length])
			return table[i].token;
	return 0;
}

/* The token of a word where it stands, or 0 for a name. */
static int reserved_token(const struct parse *parse, const char *text, size_t length)
{
	if (length > 16) /* longer than any word of a table */
		return 0;
	bool is_step = length == 4 && memcmp(text, "step", 4) == 0;
	if (parse->mode == MODE_MACHINE && parse->depth > 0 && parse->parens == 0) {
		if (is_step)
			return T_STEP;
		if (syntax_is_word(text, length))
			return T_WORD;
	}
	if (parse->mode == MODE_MAPPING && parse->depth > 0) {
		int token = parse->previous == ':' ? FIND(clause_words, text, length) : 0;
		if (token)
			return token;
		if (is_step)
			return T_STEP;
		if (length == 4 && memcmp(text, "over", 4) == 0)
			return T_OVER;
	}
	if (parse->previous == T_ELLIPSIS && length == 2 && memcmp(text, "by", 2) == 0)
		return T_BY;
	return FIND(reserved, text, length);
}

bool scan_is_plain_path(const char *path)
{
	static const char digits[] = "0123456789";
	static const char letters[] =
		"0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (const char *name = path;; name++) {
		size_t length = strspn(name, letters);
		bool is_number = length > 0 && strspn(name, digits) == length;
		if (length == 0 || length > PARSE_MAX_NAME || FIND(reserved, name, length))
			return false;
		if (is_number ? name == path : isdigit((unsigned char)*name) != 0)
			return false;
		name += length;
		if (*name != '.')
			return *name == '\0';
	}
}

int scan_name(struct parse *parse, PARSER_STYPE *value, const char *text, size_t length,
	      struct span span)
{
	int token = reserved_token(parse, text, length);
	if (length > PARSE_MAX_NAME) {
		diag_error(voice(parse), "name-too-long", span,
			   "the name '%.32s...' has %zu bytes; at most %d are allowed", text,
			   length, PARSE_MAX_NAME);
		length = PARSE_MAX_NAME;
	}
	value->T_NAME = (struct word){arena_intern(parse->arena, text, length), span};
	return token ? token : T_NAME;
}

/* A number node from digits; says what is wrong with them. */
static struct tree_expr *number(struct parse *parse, const char *text, size_t length,
				struct span span)
{
	char digits[PARSE_MAX_NUMBER + 1];
	struct tree_expr *expr = build_expr(parse, EXPR_NUMBER, span);
	if (length > PARSE_MAX_NUMBER) {
		diag_error(voice(parse), "bad-number", span, "a number of %zu digits is too long",
			   length);
		return build_expr(parse, EXPR_ERROR, span);
	}
	memcpy(digits, text, length);
	digits[length] = '\0';
	expr->number = strtod(digits, NULL);
	expr->is_integer = strspn(digits, "0123456789") == length;
	if (!isfinite(expr->number)) {
		diag_error(voice(parse), "bad-number", span, "the number %s is too large", digits);
		return build_expr(parse, EXPR_ERROR, span);
	}
	if (expr->is_integer && expr->number >= 0x1p53) {
		diag_error(voice(parse), "bad-number", span,
			   "the integer %s is too large: the greatest is 9007199254740991", digits);
		return build_expr(parse, EXPR_ERROR, span);
	}
	return expr;
}

/* Bytes of the number at text: digits, a fraction, an exponent. */
static size_t number_length(const char *text, size_t length)
{
	size_t i = 0;
	while (i < length && isdigit((unsigned char)text[i]))
		i++;
	if (i + 1 < length && text[i] == '.' && isdigit((unsigned char)text[i + 1]))
		for (i++; i < length && isdigit((unsigned char)text[i]); i++)
			;
	if (i < length && (text[i] == 'e' || text[i] == 'E')) {
		size_t j = i + 1;
		if (j < length && (text[j] == '+' || text[j] == '-'))
			j++;
		if (j < length && isdigit((unsigned char)text[j]))
			for (i = j; i < length && isdigit((unsigned char)text[i]); i++)
				;
	}
	return i;
}

static struct span part(struct span span, size_t begin, size_t end)
{
	return (struct span){span.source, span.begin + (uint32_t)begin, span.begin + (uint32_t)end};
}

int scan_number(struct parse *parse, PARSER_STYPE *value, const char *text, size_t length,
		struct span span)
{
	size_t digits = number_length(text, length);
	if (digits < length) {
		const char *rest = syntax_excerpt(parse, part(span, digits, length));
		struct span place = part(span, digits, length);
		diag_error(voice(parse), "bad-number", place,
			   "a number is followed by '%s' without a blank", rest);
		if (unit_find(text + digits, length - digits))
			diag_note(voice(parse), place, "units stand in machine descriptions only");
		value->T_NUMBER = build_expr(parse, EXPR_ERROR, span);
		return T_NUMBER;
	}
	value->T_NUMBER = number(parse, text, length, span);
	return T_NUMBER;
}

/* `lanes 8 word 32 bit`: where a unit is also a word of machines, a number behind it makes it the word. */
static bool begins_property(const struct parse *parse, const char *word, size_t length, size_t end)
{
	const struct source *source = parse->source;
	while (end < source->size && (source->text[end] == ' ' || source->text[end] == '\t'))
		end++;
	return syntax_is_word(word, length) && end < source->size &&
	       isdigit((unsigned char)source->text[end]);
}

/* `cost read 6 write 7`: the words of what is done to a memory are no units. */
static bool is_access(const char *word, size_t length)
{
	static const char *const words[] = {"read", "write", "fill", "update"};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strncmp(words[i], word, length) == 0 && !words[i][length])
			return true;
	return false;
}

static bool ends_quantity(const struct parse *parse, const char *word, size_t length)
{
	return syntax_is_word(word, length) || is_access(word, length) ||
	       reserved_token(parse, word, length);
}

int scan_quantity(struct parse *parse, PARSER_STYPE *value, const char *text, size_t *length,
		  struct span span)
{
	size_t digits = number_length(text, *length);
	size_t begin = digits + strspn(text + digits, " \t");
	const char *word = text + begin;
	const char *slash = memchr(word, '/', *length - begin);
	size_t word_length = slash ? (size_t)(slash - word) : *length - begin;
	const struct unit *unit = unit_find(word, *length - begin);
	if (begins_property(parse, word, word_length, span.end))
		unit = NULL;
	if (!unit && ends_quantity(parse, word, word_length)) {
		*length = digits;
		return scan_number(parse, value, text, digits, part(span, 0, digits));
	}
	value->T_QUANTITY = number(parse, text, digits, span);
	if (!unit) {
		struct span place = part(span, begin, *length);
		const char *written = syntax_excerpt(parse, place);
		const char *nearest = unit_nearest(written);
		diag_error(voice(parse), "unknown-unit", place, "unknown unit '%s'%s%s%s", written,
			   nearest ? "; did you mean '" : "", nearest ? nearest : "",
			   nearest ? "'?" : "");
		value->T_QUANTITY = build_expr(parse, EXPR_ERROR, span);
		return T_QUANTITY;
	}
	struct tree_expr *quantity = value->T_QUANTITY;
	if (quantity->kind == EXPR_ERROR)
		return T_QUANTITY;
	quantity->kind = EXPR_QUANTITY;
	quantity->is_integer = false;
	quantity->unit = unit;
	quantity->name = unit->name;
	quantity->name_span = part(span, begin, *length);
	quantity->number *= unit->factor;
	if (!isfinite(quantity->number)) {
		diag_error(voice(parse), "bad-number", span, "the quantity %s is too large",
			   syntax_excerpt(parse, span));
		value->T_QUANTITY = build_expr(parse, EXPR_ERROR, span);
	}
	return T_QUANTITY;
}

/* Copies the character or escape at text[i]; returns the bytes it takes. */
static size_t string_character(struct parse *parse, const char *text, size_t left,
			       struct span place, char **to)
{
	static const char escapes[] = "n\nt\t\"\"\\\\";
	uint32_t character;
	if (text[0] == '\\' && left > 1) {
		for (const char *escape = escapes; *escape; escape += 2)
			if (text[1] == escape[0]) {
				*(*to)++ = escape[1];
				return 2;
			}
		place.end = place.begin + 2;
		diag_error(voice(parse), "unknown-escape", place,
			   "unknown escape in a string: known are \\n \\t \\\" \\\\");
		return 1;
	}
	int bytes = utf8_decode(text, left, &character);
	place.end = place.begin + (uint32_t)(bytes ? bytes : 1);
	if (!bytes)
		diag_error(voice(parse), "bad-character", place,
			   "byte 0x%02x of a string is not UTF-8", (unsigned char)text[0]);
	else if ((character < 32 && character != '\t') || character == 127)
		diag_error(voice(parse), "bad-character", place,
			   "a string cannot hold the control character 0x%02x",
			   (unsigned)character);
	else
		for (int i = 0; i < bytes; i++)
			*(*to)++ = text[i];
	return bytes ? (size_t)bytes : 1;
}

int scan_string(struct parse *parse, PARSER_STYPE *value, const char *text, size_t length,
		struct span span)
{
	size_t i = 1;
	char *copy = arena_alloc(parse->arena, length + 1), *to = copy;
	int errors = voice(parse)->errors;
	while (i < length && text[i] != '"') {
		if (text[i] == '\r' || (text[i] == '\\' && i + 1 == length))
			break;
		if (voice(parse)->errors > errors + 3) /* not a text at all */
			break;
		i += string_character(parse, text + i, length - i, part(span, i, i), &to);
	}
	if (text[length - 1] != '"' || length == 1 ||
	    (i < length && text[i] != '"' && voice(parse)->errors == errors))
		diag_error(voice(parse), "unterminated-string", span,
			   "a string is not closed: expected '\"' before the end of the line");
	value->T_STRING = build_expr(parse, EXPR_STRING, span);
	value->T_STRING->name = arena_intern(parse->arena, copy, (size_t)(to - copy));
	return T_STRING;
}

/* Characters that stand for another one in other programs. */
struct lookalike {
	uint32_t character;
	const char *instead;
};

static const struct lookalike lookalikes[] = {
	{'#', "comments begin with '//'"},
	{'\'', "strings stand in double quotes"},
	{'`', "strings stand in double quotes"},
	{'&', "the operator is written 'and'"},
	{'|', "the operator is written 'or'"},
	{0x2018, "strings stand in double quotes '\"'"},
	{0x2019, "strings stand in double quotes '\"'"},
	{0x201c, "strings stand in straight quotes '\"'"},
	{0x201d, "strings stand in straight quotes '\"'"},
	{0x00d7, "write '*'"},
	{0x00f7, "write '/'"},
	{0x00b7, "write '*'"},
	{0x2212, "write '-'"},
	{0x2013, "write '-'"},
	{0x2264, "write '<='"},
	{0x2265, "write '>='"},
	{0x2260, "write '!='"},
	{0x2026, "write three points '...'"},
	{0x00a0, "this is a no-break space: write a plain one"},
	{0x200b, "an invisible space"},
	{0xfeff, "a byte-order mark stands at the very beginning of a file only"},
};

static const char *lookalike_of(uint32_t character)
{
	for (size_t i = 0; i < sizeof lookalikes / sizeof lookalikes[0]; i++)
		if (lookalikes[i].character == character)
			return lookalikes[i].instead;
	return NULL;
}

size_t scan_bad_length(const char *text, size_t length)
{
	uint32_t character;
	int bytes = utf8_decode(text, length, &character);
	return bytes ? (size_t)bytes : 1;
}

void scan_bad(struct parse *parse, struct span span)
{
	const char *text = parse->source->text + span.begin;
	uint32_t character = 0;
	int bytes = utf8_decode(text, span.end - span.begin, &character);
	const char *instead = lookalike_of(character);
	if (parse->quiet)
		return;
	parse->quiet = true;
	if (!bytes)
		diag_error(parse->diag, "bad-character", span, "byte 0x%02x is not UTF-8",
			   (unsigned char)text[0]);
	else if (!utf8_is_shown(character) || character == 0xa0)
		diag_error(parse->diag, "bad-character", span,
			   "character U+%04X cannot stand here%s%s", (unsigned)character,
			   instead ? ": " : "", instead ? instead : "");
	else
		diag_error(parse->diag, "bad-character", span, "'%.*s' cannot stand here%s%s",
			   bytes, text, instead ? ": " : "", instead ? instead : "");
}

void scan_foreign(struct parse *parse, struct span span, const char *instead)
{
	if (!parse->quiet)
		diag_error(voice(parse), "foreign-operator", span, "'%s' is written '%s'",
			   syntax_excerpt(parse, span), instead);
}
