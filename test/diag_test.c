/* diag_test.c -- findings as people and editors see them. Every expectation is the whole rendering. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/source/diag.h"
#include "frontend/source/utf8.h"

static void must_not_happen(void *context)
{
	(void)context;
	cr_assert_fail("memory is out");
}

/* A source and a list of findings about it. */
struct scene {
	struct arena *arena;
	struct source source;
	struct diag diag;
};

static struct scene scene_of(const char *text, size_t size)
{
	struct scene scene = {.arena = arena_new(must_not_happen, NULL)};
	scene.source = (struct source){.name = "net.dnn", .text = text, .size = (uint32_t)size};
	scene.diag.arena = scene.arena;
	return scene;
}

static struct scene scene_of_string(const char *text)
{
	return scene_of(text, strlen(text));
}

/* The place of the first occurrence of a word in the source. */
static struct span at(const struct scene *scene, const char *word)
{
	const char *found = memmem(scene->source.text, scene->source.size, word, strlen(word));
	cr_assert_not_null(found, "'%s' stands in the text", word);
	uint32_t begin = (uint32_t)(found - scene->source.text);
	return (struct span){&scene->source, begin, begin + (uint32_t)strlen(word)};
}

static char *text_of(const struct scene *scene, bool colour)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	diag_print_text(&scene->diag, out, colour);
	fclose(out);
	return text;
}

static void expect_text(struct scene *scene, const char *expected)
{
	char *text = text_of(scene, false);
	cr_expect_str_eq(text, expected, "rendered:\n%s\nexpected:\n%s", text, expected);
	free(text);
	arena_free(scene->arena);
}

Test(diag_text, error_with_label_and_note)
{
	struct scene scene = scene_of_string("network n(x: f32[1, 2]) {\n\ty = rellu(x)\n}\n");
	diag_error(&scene.diag, "unknown-name", at(&scene, "rellu"), "no operator '%s'", "rellu");
	diag_label(&scene.diag, "did you mean 'relu'?");
	diag_note(&scene.diag, at(&scene, "x: f32[1, 2]"), "'x' is f32[1, 2]");
	diag_warning(&scene.diag, "unused", at(&scene, "y"), "'y' is not used");
	cr_expect(scene.diag.errors == 1 && scene.diag.warnings == 1, "counted by severity");
	expect_text(&scene, "net.dnn:2:6: error: no operator 'rellu'\n"
			    "    2 |         y = rellu(x)\n"
			    "      |             ^~~~~ did you mean 'relu'?\n"
			    "net.dnn:1:11: note: 'x' is f32[1, 2]\n"
			    "    1 | network n(x: f32[1, 2]) {\n"
			    "      |           ^~~~~~~~~~~~\n"
			    "net.dnn:2:2: warning: 'y' is not used\n"
			    "    2 |         y = rellu(x)\n"
			    "      |         ^\n");
}

Test(diag_text, colours_of_clang)
{
	struct scene scene = scene_of_string("a = 1\n");
	diag_error(&scene.diag, "x", at(&scene, "a"), "no");
	char *text = text_of(&scene, true);
	cr_expect_str_eq(text,
			 "\033[1mnet.dnn:1:1: \033[0m\033[1;31merror: \033[0m\033[1mno\033[0m\n"
			 "    1 | a = 1\n"
			 "      | \033[1;32m^\033[0m\n");
	free(text);
	arena_free(scene.arena);
}

Test(diag_text, tabs_utf8_and_bad_bytes_keep_the_caret_in_place)
{
	struct scene scene = scene_of_string("\xef\xbb\xbf"
					     "a\tb = \"\xc3\xa9\xe2\x82\xac\" c\r\n"
					     "\xff\x01\xe2\x80\xae here\n");
	diag_error(&scene.diag, "x", at(&scene, "b"), "after a tab");
	diag_error(&scene.diag, "x", at(&scene, "c"), "after two characters of five bytes");
	diag_error(&scene.diag, "x", at(&scene, "here"), "after \x1b[2Jbytes \xfe not shown");
	diag_error(&scene.diag, "x", at(&scene, "\x01"), "a control byte");
	expect_text(&scene, "net.dnn:1:3: error: after a tab\n"
			    "    1 | a       b = \"\xc3\xa9\xe2\x82\xac\" c\n"
			    "      |         ^\n"
			    "net.dnn:1:15: error: after two characters of five bytes\n"
			    "    1 | a       b = \"\xc3\xa9\xe2\x82\xac\" c\n"
			    "      |                  ^\n"
			    "net.dnn:2:7: error: after <U+001B>[2Jbytes <FE> not shown\n"
			    "    2 | <FF><U+0001><U+202E> here\n"
			    "      |                      ^~~~\n"
			    "net.dnn:2:2: error: a control byte\n"
			    "    2 | <FF><U+0001><U+202E> here\n"
			    "      |     ^~~~~~~~\n");
}

Test(diag_text, spans_at_the_edges)
{
	struct scene scene = scene_of_string("one (\n  two)\n\nend");
	struct source *source = &scene.source;
	diag_error(&scene.diag, "x", at(&scene, "(\n  two)"), "over two lines");
	diag_error(&scene.diag, "x", (struct span){source, 13, 13}, "an empty line");
	diag_error(&scene.diag, "x", (struct span){source, 17, 17}, "the end");
	diag_error(&scene.diag, "x", (struct span){source, 4000000000u, 4000000001u}, "past it");
	expect_text(&scene, "net.dnn:1:5: error: over two lines\n"
			    "    1 | one (\n"
			    "      |     ^\n"
			    "net.dnn:3:1: error: an empty line\n"
			    "    3 |\n"
			    "      | ^\n"
			    "net.dnn:4:4: error: the end\n"
			    "    4 | end\n"
			    "      |    ^\n"
			    "net.dnn:4:4: error: past it\n"
			    "    4 | end\n"
			    "      |    ^\n");
}

/* A line of a megabyte is shown as a window of it. */
Test(diag_text, long_lines_are_cut)
{
	size_t size = 1 << 20;
	char *text = malloc(size + 1);
	memset(text, 'a', size);
	text[size] = '\0';
	memcpy(text + 500000, "!here", 5);
	struct scene scene = scene_of(text, size);
	diag_error(&scene.diag, "x", at(&scene, "!here"), "%s", text);
	diag_error(&scene.diag, "x", (struct span){&scene.source, 0, (uint32_t)size}, "all");
	char *shown = text_of(&scene, false);
	cr_expect(strlen(shown) < 6000, "%zu bytes", strlen(shown));
	cr_expect_not_null(strstr(shown, "aaa...\n    1 |"), "the message is cut");
	const char *line = strstr(shown, "    1 | ..."), *caret = strstr(shown, "^~~~~\n");
	cr_assert(line && caret, "the line and the caret are there");
	const char *here = strstr(line, "!here"),
		   *below = memrchr(shown, '\n', (size_t)(caret - shown));
	cr_expect_eq(here - line, caret - below - 1, "the caret stands below the word");
	cr_expect_not_null(strstr(line, "aaa...\n"), "what is left out is marked");
	free(shown);
	free(text);
	arena_free(scene.arena);
}

Test(diag_text, places_in_words_and_no_place)
{
	struct scene scene = scene_of_string("x");
	diag_error(&scene.diag, "x", (struct span){0}, "not known");
	diag_place(&scene.diag, "model.onnx: node '%s'", "Conv_3\n");
	diag_note(&scene.diag, (struct span){0}, "and no more");
	expect_text(&scene, "model.onnx: node 'Conv_3<U+000A>': error: not known\n"
			    "note: and no more\n");
}

Test(diag, limit_counts_but_does_not_keep)
{
	struct scene scene = scene_of_string("abc");
	scene.diag.limit = 2;
	for (uint32_t i = 0; i < 3; i++) {
		diag_error(&scene.diag, "x", (struct span){&scene.source, i, i + 1}, "error %u", i);
		diag_label(&scene.diag, "label %u", i);
		diag_note(&scene.diag, (struct span){0}, "note %u", i);
	}
	cr_expect_eq(scene.diag.errors, 3);
	expect_text(&scene, "net.dnn:1:1: error: error 0\n"
			    "    1 | abc\n"
			    "      | ^ label 0\n"
			    "note: note 0\n"
			    "net.dnn:1:2: error: error 1\n"
			    "    1 | abc\n"
			    "      |  ^ label 1\n"
			    "note: note 1\n"
			    "... and 1 more error\n");
}

Test(diag, the_same_is_said_once)
{
	struct scene scene = scene_of_string("abc");
	struct span here = at(&scene, "b");
	diag_error(&scene.diag, "x", here, "wrong");
	diag_error(&scene.diag, "x", here, "wrong");
	diag_note(&scene.diag, here, "a note of the second");
	diag_error(&scene.diag, "x", here, "wrong in another way");
	diag_error(&scene.diag, "x", (struct span){0}, "no place");
	diag_error(&scene.diag, "x", (struct span){0}, "no place");
	cr_expect_eq(scene.diag.errors, 4, "%d: those without a place may differ in words",
		     scene.diag.errors);
	cr_expect_eq(scene.diag.count, 4, "the note went with its error");
	arena_free(scene.arena);
}

Test(diag, warnings_as_errors_and_hidden)
{
	struct scene scene = scene_of_string("abc");
	scene.diag.warnings_are_errors = true;
	diag_warning(&scene.diag, "x", at(&scene, "a"), "careful");
	cr_expect(scene.diag.errors == 1 && scene.diag.warnings == 0);
	scene.diag.warnings_are_hidden = true;
	diag_warning(&scene.diag, "x", at(&scene, "b"), "hidden");
	diag_note(&scene.diag, at(&scene, "b"), "hidden too");
	cr_expect(scene.diag.count == 1 && scene.diag.errors == 1);
	arena_free(scene.arena);
}

static char *json_of(const struct scene *scene)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	diag_print_json(&scene->diag, out);
	fclose(out);
	return text;
}

Test(diag_json, golden)
{
	struct scene scene = scene_of_string("a\nbad \xff\n");
	scene.diag.limit = 1;
	diag_error(&scene.diag, "unknown-name", at(&scene, "bad"), "a \"quote\" and \xff");
	diag_label(&scene.diag, "here");
	diag_note(&scene.diag, at(&scene, "a"), "there");
	diag_warning(&scene.diag, "unused", (struct span){0}, "w");
	diag_place(&scene.diag, "m.onnx");
	diag_error(&scene.diag, "unknown-name", at(&scene, "a"), "one more");
	char *json = json_of(&scene);
	cr_expect_str_eq(
		json,
		"[\n"
		"{\"severity\":\"error\",\"code\":\"unknown-name\",\"file\":\"net.dnn\","
		"\"line\":2,\"column\":1,\"endLine\":2,\"endColumn\":4,\"place\":null,"
		"\"message\":\"a \\\"quote\\\" and \xef\xbf\xbd\",\"label\":\"here\","
		"\"notes\":[{\"severity\":\"note\",\"file\":\"net.dnn\",\"line\":1,\"column\":1,"
		"\"endLine\":1,\"endColumn\":2,\"place\":null,\"message\":\"there\","
		"\"label\":null}]},\n"
		"{\"severity\":\"warning\",\"code\":\"unused\",\"file\":null,\"line\":null,"
		"\"column\":null,\"endLine\":null,\"endColumn\":null,\"place\":\"m.onnx\","
		"\"message\":\"w\",\"label\":null,\"notes\":[]},\n"
		"{\"severity\":\"error\",\"code\":\"too-many-errors\",\"file\":null,"
		"\"line\":null,\"column\":null,\"endLine\":null,\"endColumn\":null,"
		"\"place\":null,\"message\":\"1 more error\",\"label\":null,\"notes\":[]}\n"
		"]\n",
		"%s", json);
	json_error_t error;
	json_t *parsed = json_loads(json, 0, &error);
	cr_expect_eq(json_array_size(parsed), 3, "it parses: %s", error.text);
	json_decref(parsed);
	free(json);
	arena_free(scene.arena);
}

Test(diag_json, nothing_is_an_empty_array)
{
	struct scene scene = scene_of_string("");
	char *json = json_of(&scene);
	cr_expect_str_eq(json, "[\n]\n");
	free(json);
	arena_free(scene.arena);
}

Test(diag, nearest_name)
{
	static const char *const names[] = {"conv", "maxpool", "relu", "kernel", "stride", "N"};
	static const struct {
		const char *written, *nearest;
	} row[] = {
		{"relo", "relu"},
		{"RELU", "relu"},
		{"rleu", "relu"},
		{"kernal", "kernel"},
		{"max_pool", "maxpool"},
		{"strdie", "stride"},
		{"n", "N"},
		{"x", NULL},
		{"softmax", NULL},
		{"", NULL},
		{"conv", NULL},
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		const char *nearest = diag_nearest(row[i].written, names, 6);
		bool same = nearest == row[i].nearest ||
			    (nearest && row[i].nearest && strcmp(nearest, row[i].nearest) == 0);
		cr_expect(same, "'%s' is near '%s', not '%s'", row[i].written,
			  row[i].nearest ? row[i].nearest : "none", nearest ? nearest : "none");
	}
	char *long_name = calloc(1, 1 << 20);
	memset(long_name, 'a', (1 << 20) - 1);
	cr_expect_null(diag_nearest(long_name, names, 6), "a megabyte is near nothing");
	cr_expect_null(diag_nearest("conv", (const char *const[]){long_name}, 1));
	/* As long as names may be, and near but for a few letters in the middle. */
	char *near = strndup(long_name, 255), *other = strndup(long_name, 255);
	memcpy(near + 100, "xyz", 3);
	cr_expect_eq(diag_nearest(near, (const char *const[]){other}, 1), other, "three edits");
	memcpy(near + 100, "xyzuvw", 6);
	cr_expect_null(diag_nearest(near, (const char *const[]){other}, 1), "six edits");
	free(near);
	free(other);
	free(long_name);
}

Test(diag, no_suggestion_for_an_error_that_is_dropped)
{
	static const char *const names[] = {"relu"};
	struct diag diag = {.arena = arena_new(must_not_happen, NULL), .limit = 1};
	cr_expect_str_eq(diag_suggestion(&diag, "relo", names, 1), "; did you mean 'relu'?");
	cr_expect_str_eq(diag_suggestion(&diag, "softmax", names, 1), "");
	diag_error(&diag, "unknown-name", (struct span){0}, "one");
	cr_expect_str_eq(diag_suggestion(&diag, "relo", names, 1), "", "the limit is reached");
	arena_free(diag.arena);
}

Test(diag, span_join)
{
	struct source a = {.name = "a"}, b = {.name = "b"};
	struct span both = span_join((struct span){&a, 5, 7}, (struct span){&a, 1, 2});
	cr_expect(both.begin == 1 && both.end == 7);
	cr_expect_eq(span_join((struct span){0}, (struct span){&b, 1, 2}).source, &b);
	cr_expect_eq(span_join((struct span){&a, 1, 2}, (struct span){&b, 1, 9}).end, 2);
}

Test(utf8, what_is_and_what_is_not)
{
	static const struct {
		const char *text;
		int bytes;
		uint32_t character;
	} row[] = {
		{"a", 1, 'a'},
		{"\xc3\xa9", 2, 0xe9},
		{"\xe2\x82\xac", 3, 0x20ac},
		{"\xf0\x9f\x98\x80", 4, 0x1f600},
		{"\x80", 0, 0},             /* a continuation alone */
		{"\xc3", 0, 0},             /* cut short */
		{"\xc0\xaf", 0, 0},         /* overlong '/' */
		{"\xe0\x80\xaf", 0, 0},     /* overlong too */
		{"\xed\xa0\x80", 0, 0},     /* a surrogate */
		{"\xf4\x90\x80\x80", 0, 0}, /* past U+10FFFF */
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		uint32_t character = 0;
		int bytes = utf8_decode(row[i].text, strlen(row[i].text), &character);
		cr_expect_eq(bytes, row[i].bytes, "row %zu: %d bytes", i, bytes);
		cr_expect(bytes == 0 || character == row[i].character, "row %zu", i);
	}
	cr_expect_eq(utf8_decode("", 0, &(uint32_t){0}), 0);
}

static void leave(void *context)
{
	longjmp(*(jmp_buf *)context, 1);
}

Test(arena, interning_growing_and_running_out)
{
	jmp_buf out;
	struct arena *arena = arena_new(leave, &out);
	volatile int reached = 0;
	if (setjmp(out) == 0) {
		const char *first = arena_intern_string(arena, "name 7");
		for (int i = 0; i < 1000; i++) {
			char *name = arena_printf(arena, "name %d", i);
			const char *interned = arena_intern_string(arena, name);
			cr_assert_str_eq(interned, name);
			cr_assert_eq(interned == first, i == 7, "equal text, equal pointer");
		}
		int *item = NULL, count = 0;
		for (int i = 0; i < 1000; i++)
			ARENA_APPEND(arena, item, count, i);
		for (int i = 0; i < 1000; i++)
			cr_assert_eq(item[i], i, "element %d survives growing", i);
		char *large = arena_alloc(arena, 1 << 20);
		for (int i = 0; i < 1 << 20; i++)
			cr_assert_eq(large[i], 0, "zeroed");
		reached = 1;
		arena_array(arena, SIZE_MAX / 4, 8);
		reached = 2;
	}
	cr_expect_eq(reached, 1, "an overflowing product goes to the handler");
	arena_free(arena);
}

Test(diag, explanations)
{
	cr_expect_not_null(diag_explanation("import-cycle"));
	cr_expect_null(diag_explanation("no-such-code"));
}
