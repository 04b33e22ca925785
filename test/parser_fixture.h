/* parser_fixture.h -- a text, its tree and what was said of it, for the tests of the parser. */
#ifndef TEST_PARSER_FIXTURE_H
#define TEST_PARSER_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/syntax/tree.h"

static inline void must_not_happen(void *context)
{
	(void)context;
	cr_assert_fail("memory is out");
}

/* A text, its tree and what was said of it. */
struct reading {
	struct arena *arena;
	struct source source;
	struct diag diag;
	struct tree *tree;
};

static inline void read_bytes(struct reading *reading, const char *text, size_t size)
{
	*reading = (struct reading){.arena = arena_new(must_not_happen, NULL)};
	reading->source = (struct source){.name = "t.dnn", .text = text, .size = (uint32_t)size};
	reading->diag.arena = reading->arena;
	reading->tree = tree_parse(reading->arena, &reading->diag, &reading->source);
}

static inline void read_text(struct reading *reading, const char *text)
{
	read_bytes(reading, text, strlen(text));
}

static inline char *printed(const struct tree *tree)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	tree_print(tree, out);
	fclose(out);
	return text;
}

static inline void done(struct reading *reading)
{
	arena_free(reading->arena);
}

/* Prints, parses, prints: the second print must equal the first. */
static inline void expect_stable(struct reading *reading, const char *what)
{
	char *first = printed(reading->tree);
	struct reading again;
	read_text(&again, first);
	cr_expect_eq(again.diag.errors, 0, "%s: printed text has errors: %s\n%s", what,
		     again.diag.count ? again.diag.finding[0].message : "", first);
	char *second = printed(again.tree);
	cr_expect_str_eq(second, first, "%s: the second print differs", what);
	free(first);
	free(second);
	done(&again);
}

/* "line:column code: message" */
static inline char *finding_text(struct reading *reading, int i)
{
	const struct finding *finding = &reading->diag.finding[i];
	int line, column;
	source_position(&reading->source, finding->span.begin, &line, &column);
	return arena_printf(reading->arena, "%d:%d %s: %s", line, column,
			    finding->severity == SEVERITY_NOTE ? "note" : finding->code,
			    finding->message);
}

#endif
