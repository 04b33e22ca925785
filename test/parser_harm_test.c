/* parser_harm_test.c -- text that nobody would write: huge, deep, cut off, with bytes changed. The parser ends, in few
 * words, and what it accepts prints and reads again. */
#include "parser_fixture.h"
#include "parser_sample.h"

static char *repeated(const char *begin, const char *part, int times, const char *end)
{
	size_t size = strlen(part);
	char *text = malloc(strlen(begin) + size * (size_t)times + strlen(end) + 1),
	     *to = stpcpy(text, begin);
	for (int i = 0; i < times; i++, to += size)
		memcpy(to, part, size);
	strcpy(to, end);
	return text;
}

#define OP "op f(X[n]) {\n\ty = "

/* Begin, a part 100,000 times, end; how many errors at most, and the code of the first (NULL: no error). */
static const struct {
	const char *begin, *part, *end;
	int most;
	const char *code;
} huge[] = {
	{OP, "(", "", 1, "too-nested"},
	{OP, "f(", "", 1, "too-nested"},
	{OP, "a[", "", 1, "too-nested"},
	{OP, "[(", "", 2, "syntax"},
	{OP, "a + ", "a\n}", 1, "too-nested"},
	{OP, "a * ", "a\n}", 1, "too-nested"},
	{OP, "a ^ ", "a\n}", 1, "too-nested"},
	{OP, "-", "a\n}", 1, "too-nested"},
	{OP, "not ", "a\n}", 1, "too-nested"},
	{OP, "a ? ", "a\n}", 1, "too-nested"},
	{OP, "a ? b : ", "a\n}", 1, "too-nested"},
	{OP, "I[a] else -", "a\n}", 1, "syntax"},
	{"op f(X[n]) {\n", "if a {", "", 1, "too-nested"},
	{"op f(X[n]) {\n", "for a in b {\n", "", 1, "too-nested"},
	{"op f(X[n]) {\nif a { }", " else if a { }", "\n}", 1, "too-nested"},
	{"op f(X[n]) {\n", "{", "", 250, "syntax"},
	{"machine m {\n", "array a {", "", 1, "too-nested"},
	{"machine m {\n", "keeps (", "", 2, "syntax"},
	{"machine m {\n", "word ", "\n}", 0, NULL},
	{"", "}", "", 100000, "syntax"},
	{"", "x", "", 2, "name-too-long"},
	{OP, "a", "\n}", 1, "name-too-long"},
	{OP, "9", "\n}", 1, "bad-number"},
	{OP, "$", "\n}", 1, "bad-character"},
	{"import \"", "a\xff", "", 10, "bad-character"},
	{"import \"", "a", "", 1, "unterminated-string"},
	{"/*", "*", "", 1, "unterminated-comment"},
	{"//", "/*\xff", "", 0, NULL},
	{"", "\r", "", 1, "bad-character"},
	{"", "op f(\n", "", 100000, "syntax"},
	{"", "x $ y\n", "", 100000, "syntax"},
	{OP "f(", "a, ", "a)\n}", 0, NULL},
	{OP "f(", "a = 1, ", ")\n}", 0, NULL},
	{"op f(X[n]) {\n", "y = 1\n", "}", 0, NULL},
	{"op f(X[n]) {", " y = 1;", "}", 0, NULL},
};

Test(parser_harm, huge_and_deep_texts_end_in_few_words, .timeout = 120)
{
	for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
		char *text = repeated(huge[i].begin, huge[i].part, 100000, huge[i].end);
		struct reading reading;
		read_text(&reading, text);
		cr_expect_leq(reading.diag.errors, huge[i].most, "%d errors for '%s'",
			      reading.diag.errors, huge[i].part);
		cr_expect_eq(reading.diag.errors > 0, huge[i].code != NULL, "errors for '%s': %d",
			     huge[i].part, reading.diag.errors);
		if (huge[i].code && reading.diag.count)
			cr_expect_str_eq(reading.diag.finding[0].code, huge[i].code, "for '%s'",
					 huge[i].part);
		for (int j = 0; j < reading.diag.count; j++)
			cr_expect_lt(strlen(reading.diag.finding[j].message), 300,
				     "a short message for '%s'", huge[i].part);
		if (reading.diag.errors == 0)
			expect_stable(&reading, huge[i].part);
		done(&reading);
		free(text);
	}
}

Test(parser_harm, the_deepest_text_that_is_allowed_is_read)
{
	for (int times = 198; times <= 201; times++) {
		char *text = repeated(OP, "-", times, "a\n}");
		struct reading reading;
		read_text(&reading, text);
		cr_expect_eq(reading.diag.errors, times < TREE_MAX_DEPTH ? 0 : 1,
			     "%d signs and a name", times);
		done(&reading);
		free(text);
	}
}

Test(parser_harm, a_file_with_a_nul_byte_is_not_read)
{
	static const char text[] = "op f() {\n\0 x = 1\0\n y = = 2\n}\n\0";
	struct reading reading;
	read_bytes(&reading, text, sizeof text - 1);
	cr_expect_eq(reading.diag.errors, 1, "the NUL and nothing behind it");
	cr_expect_str_eq(finding_text(&reading, 0),
			 "2:1 bad-character: a NUL byte: this is not a text file; networks are "
			 "read from .dnn texts and .onnx models");
	done(&reading);
}

/* ---- Mutation ------------------------------------------------------------------------------------- */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Deletes, doubles, flips or moves a few bytes. */
static size_t mutate(char *text, size_t size, uint64_t *state)
{
	static const char signs[] = "(){}[];,:=\"\n+-.$@?<\\/*0a";
	int changes = 1 + (int)(next_random(state) % 4);
	for (int i = 0; i < changes && size > 16; i++) {
		size_t at = next_random(state) % (size - 8), length = 1 + next_random(state) % 8;
		switch (next_random(state) % 5) {
		case 0:
			memmove(text + at, text + at + length, size - at - length);
			size -= length;
			break;
		case 1:
			memmove(text + at + length, text + at, size - at);
			size += length;
			break;
		case 2:
			text[at] = (char)(text[at] ^ (1 << next_random(state) % 8));
			break;
		case 3:
			text[at] = signs[next_random(state) % (sizeof signs - 1)];
			break;
		default:
			memmove(text + at, text + next_random(state) % (size - 8),
				length > 7 ? 7 : length);
			break;
		}
	}
	return size;
}

static void expect_sane(const char *text, size_t size, const char *what, int number)
{
	struct reading reading;
	read_bytes(&reading, text, size);
	int kept = 0;
	for (int i = 0; i < reading.diag.count; i++) {
		const struct span *span = &reading.diag.finding[i].span;
		cr_assert(span->begin <= span->end && span->end <= size,
			  "%s %d: a span within the text", what, number);
		kept += reading.diag.finding[i].severity == SEVERITY_ERROR;
	}
	cr_assert(reading.diag.errors >= kept, "%s %d", what, number);
	if (reading.diag.errors == 0)
		expect_stable(&reading, what);
	done(&reading);
}

Test(parser_harm, no_mutation_of_the_sample_does_harm, .timeout = 300)
{
	uint64_t state = 1;
	char text[2 * sizeof sample];
	for (int i = 0; i < 3000; i++) {
		memcpy(text, sample, sizeof sample);
		size_t size = mutate(text, sizeof sample - 1, &state);
		text[size] = '\0';
		expect_sane(text, size, "mutation", i);
	}
}

Test(parser_harm, every_beginning_of_the_sample_can_be_read, .timeout = 300)
{
	char text[sizeof sample];
	for (size_t size = 0; size < sizeof sample; size += 3) {
		memcpy(text, sample, size);
		text[size] = '\0';
		expect_sane(text, size, "beginning", (int)size);
	}
}
