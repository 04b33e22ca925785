/* parser_test.c -- text to tree and back: docs/language.md, sections 1 to 5. */
#include <dirent.h>
#include "frontend/syntax/unit.h"
#include "parser_fixture.h"
#include "parser_sample.h"

Test(parser, a_tree_holds_all_of_its_text)
{
	struct reading reading;
	read_text(&reading, sample);
	for (int i = 0; i < reading.diag.count; i++)
		cr_expect_fail("%s", reading.diag.finding[i].message);
	char *text = printed(reading.tree);
	cr_expect_str_eq(text, sample, "printed:\n%s", text);
	free(text);
	done(&reading);
}

/* Ways of writing the same. */
static const struct {
	const char *written, *printed;
} same[] = {
	{"", ""},
	{"\n\n;;\n// nothing\n/* at\nall */", ""},
	{"\xef\xbb\xbfimport \"a\"", "import \"a\"\n"},
	{"import \"a\"\r\nimport \"b\"; import \"c\"",
	 "import \"a\"\n\nimport \"b\"\n\nimport \"c\"\n"},
	{"train t { a = 1; b = 2 }", "train t {\n\ta = 1\n\tb = 2\n}\n"},
	{"train t\n{\n}", NULL}, /* a brace stands on the line of its head */
	{"train t { a = 1 // one\n b = /* two */ 2 /* ends\n the line */ c = 3 }",
	 "train t {\n\ta = 1\n\tb = 2\n\tc = 3\n}\n"},
	{"train t { a = f(1,\n\n2\n,\n3\n)\nb = 1 +\n2\nc =\n3 }",
	 "train t {\n\ta = f(1, 2, 3)\n\tb = 1 + 2\n\tc = 3\n}\n"},
	{"train t { a = (b ?\n c :\n not\n d) }", "train t {\n\ta = b ? c : not d\n}\n"},
	{"train t { a = f(1, b = 2,) ; b = (1, 2,); c = ((((3)))); d = (4,) }",
	 "train t {\n\ta = f(1, b = 2)\n\tb = (1, 2)\n\tc = 3\n\td = (4,)\n}\n"},
	{"train t { max = 1; max=2; a = f(max=3); b = max==4; c = max(1, 2) }",
	 "train t {\n\tmax = 1\n\tmax = 2\n\ta = f(max = 3)\n\tb = max == 4\n\tc = max(1, 2)\n}\n"},
	{"train t { memory = 1; step = 2; by = 3; keep = 4; size = KiB; clamp = 5; type = 6 }",
	 "train t {\n\tmemory = 1\n\tstep = 2\n\tby = 3\n\tkeep = 4\n\tsize = KiB\n\tclamp = "
	 "5\n\ttype = 6\n}\n"},
	{"op f(X[n]) { if a { b = 1 } else { b = 2 } return b }",
	 "op f(X[n]) {\n\tif a {\n\t\tb = 1\n\t} else {\n\t\tb = 2\n\t}\n\treturn b\n}\n"},
	{"op f(X[n]) { if a { } else { if b { } } }",
	 "op f(X[n]) {\n\tif a {\n\t} else if b {\n\t}\n}\n"},
	{"op f(X[n]) { param A[n], B: f32[2] = one(); index p < 2, q < 3; return a, b }",
	 "op f(X[n]) {\n\tparam A[n]\n\tparam B: f32[2] = one()\n\tindex p < 2\n\tindex q < "
	 "3\n\treturn (a, b)\n}\n"},
	{"machine m{size 12words cost 3 keeps I,O,\nport O 4 words,port I 1 word}",
	 "machine m {\n\tsize 12 words\n\tcost 3\n\tkeeps I, O\n\tport O 4 words\n\tport I 1 "
	 "word\n}\n"},
	{"machine size { array pe[12 / 4, size] { mac { } } }",
	 "machine size {\n\tarray pe[12 / 4, size] {\n\t\tmac {\n\t\t}\n\t}\n}\n"},
	{"machine m { bandwidth 1e3 B/s // comment\ncost 8 B/**/ }",
	 "machine m {\n\tbandwidth 1000 B/s\n\tcost 8 B\n}\n"},
	{"map a on m { g: for\n k\n }", NULL},
	{"map a on m { g:\n for k in\n 3 step\n 4 }", NULL},
	{"map a on m { g:\n for k in 3 }", "map a on m {\n\tg: for k in 3\n}\n"},
	{"map for1 . 2 on m { order: order order, step1 }",
	 "map for1.2 on m {\n\torder: order order, step1\n}\n"},
};

Test(parser, lines_brackets_and_words_mean_what_they_should)
{
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		struct reading reading;
		read_text(&reading, same[i].written);
		if (!same[i].printed) {
			cr_expect_gt(reading.diag.errors, 0, "an error in: %s", same[i].written);
			done(&reading);
			continue;
		}
		cr_expect_eq(reading.diag.errors, 0, "%s: %s", same[i].written,
			     reading.diag.count ? reading.diag.finding[0].message : "");
		char *text = printed(reading.tree);
		cr_expect_str_eq(text, same[i].printed, "%s\n->\n%s", same[i].written, text);
		free(text);
		done(&reading);
	}
}

static char *load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	cr_assert_not_null(file, "%s can be read", path);
	char *text = calloc(1, 1 << 20);
	*size = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static void expect_file(const char *path)
{
	size_t size;
	char *text = load(path, &size);
	struct reading reading;
	read_bytes(&reading, text, size);
	cr_expect_eq(reading.diag.errors, 0, "%s: %s", path,
		     reading.diag.count ? reading.diag.finding[0].message : "");
	expect_stable(&reading, path);
	done(&reading);
	free(text);
}

Test(parser, every_example_reads_and_prints_the_same_again)
{
	const char *folder = SOURCE_DIR "/examples";
	DIR *dir = opendir(folder);
	cr_assert_not_null(dir);
	int count = 0;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || (strcmp(dot, ".dnn") && strcmp(dot, ".hw") && strcmp(dot, ".map")))
			continue;
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		expect_file(path);
		count++;
	}
	closedir(dir);
	cr_expect_gt(count, 10, "examples were found");
	expect_file(SOURCE_DIR "/frontend/elaborate/ops.dnn");
}

/* The examples of the reference that are whole files; docs.test tries them all. */
Test(parser, every_example_of_the_reference_is_read)
{
	size_t size;
	char *text = load(SOURCE_DIR "/docs/language.md", &size), *end = text;
	int count = 0;
	for (char *begin; (begin = strstr(end, "\n```")); count++) {
		begin += 4;
		char *body = strchr(begin, '\n') + 1;
		end = strstr(body, "\n```");
		cr_assert_not_null(end, "a block of the reference has an end");
		bool is_file = strncmp(begin, "dnn\n", 4) == 0 || strncmp(begin, "hw\n", 3) == 0 ||
			       strncmp(begin, "map\n", 4) == 0;
		*end = '\0';
		struct reading reading;
		read_text(&reading, is_file ? body : "");
		cr_expect_eq(reading.diag.errors, 0, "%s\n%s", body,
			     reading.diag.count ? reading.diag.finding[0].message : "");
		expect_stable(&reading, "the reference");
		done(&reading);
		*end = '\n';
		end += 4;
	}
	cr_expect_gt(count, 3, "blocks were found");
	free(text);
}

/* ---- Values and places ---------------------------------------------------------------------------- */

Test(parser, quantities_are_in_base_units_and_print_exactly)
{
	struct reading reading;
	read_text(&reading,
		  "machine m { size 108 KiB cost 0.1 us bandwidth 3.3 GB/s word 7.7 pJ }");
	const struct tree_property *size = reading.tree->item->block->property;
	cr_expect_eq(size->value[0]->kind, EXPR_QUANTITY);
	cr_expect_eq(size->value[0]->number, 108.0 * 1024 * 8, "data is counted in bits");
	cr_expect_str_eq(size->value[0]->name, "KiB");
	cr_expect_eq(size->value[0]->unit->measure, MEASURE_DATA);
	cr_expect_eq(size->next->value[0]->number, 0.1 * 1e-6);
	char *text = printed(reading.tree);
	cr_expect_str_eq(text, "machine m {\n\tsize 108 KiB\n\tcost 0.1 us\n\tbandwidth 3.3 "
			       "GB/s\n\tword 7.7 pJ\n}\n");
	free(text);
	done(&reading);
}

static void expect_span(struct span span, const char *text, const char *what)
{
	char found[200];
	snprintf(found, sizeof found, "%.*s", (int)(span.end - span.begin),
		 span.source->text + span.begin);
	cr_expect_str_eq(found, text, "the place of %s is '%s'", what, found);
}

Test(parser, nodes_know_their_places)
{
	struct reading reading;
	read_text(&reading, "op f(X[n, outer...]; k[2] = 1) {\n  y = (a + bb) * c // z\n  O[n] += "
			    "X[n - 1] else 0\n}\n");
	const struct tree_item *item = reading.tree->item;
	expect_span(item->name_span, "f", "the operator");
	expect_span(item->formal->span, "X[n, outer...]", "a formal");
	expect_span(item->formal->dim[1]->span, "outer...", "a dimension");
	expect_span(item->formal->next->span, "k[2] = 1", "an attribute");
	expect_span(item->body->span, "y = (a + bb) * c", "a statement");
	expect_span(item->body->value->span, "(a + bb) * c", "an expression");
	expect_span(item->body->value->arg[0]->arg[1]->span, "bb", "an operand");
	expect_span(item->body->next->target->span, "O[n]", "a target");
	expect_span(item->body->next->value->span, "X[n - 1] else 0", "an access");
	expect_span(item->body->next->value->name_span, "X", "an access's name");
	cr_expect_eq(item->body->value->depth, 3, "(a + bb) * c is three deep");
	cr_expect(item->formal->next->value->is_integer);
	done(&reading);
}
