/* exit_code_test.c -- how the command ends (docs/command.md), and what files are called. */
#include "frontend/command/exit_code.h"
#include "frontend/source/file_name.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

Test(exit_code, the_worst_error_decides)
{
	struct diag diag = {.arena = arena_new(out_of_memory, NULL)};
	struct source source = {.name = "net.dnn", .text = "x", .size = 1};
	cr_expect_eq(exit_code_of(&diag), EXIT_DONE);
	diag_warning(&diag, "unused-result", (struct span){0}, "a warning");
	cr_expect_eq(exit_code_of(&diag), EXIT_DONE, "a warning is no error");
	diag_error(&diag, "unreadable-file", (struct span){&source, 0, 1}, "an import");
	cr_expect_eq(exit_code_of(&diag), EXIT_WRONG_INPUT,
		     "a text names a file that is not there");
	diag_error(&diag, "no-mapping", (struct span){&source, 0, 1}, "told at the layer's call");
	cr_expect_eq(exit_code_of(&diag), EXIT_NO_MAPPING);
	diag.count = 0;
	diag_error(&diag, "input-count", (struct span){0}, "two");
	cr_expect_eq(exit_code_of(&diag), EXIT_WRONG_USAGE);
	diag_error(&diag, "unreadable-file", (struct span){0}, "net.dnn: cannot be opened");
	cr_expect_eq(exit_code_of(&diag), EXIT_SYSTEM_REFUSED);
	diag_error(&diag, "syntax", (struct span){0}, "another");
	cr_expect_eq(exit_code_of(&diag), EXIT_SYSTEM_REFUSED, "the worst, not the latest");
	diag_error(&diag, "internal", (struct span){0}, "a broken promise");
	cr_expect_eq(exit_code_of(&diag), EXIT_OUR_FAULT);
	arena_free(diag.arena);
}

Test(exit_code, every_code_with_one_of_its_own_is_a_code)
{
	static const char *const codes[] = {"no-machine",        "machine-kind",    "input-count",
					    "unreadable-file",   "unwritable-file", "execution",
					    "too-little-memory", "internal"};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct diag diag = {.arena = arena_new(out_of_memory, NULL)};
		diag_error(&diag, codes[i], (struct span){0}, "text");
		cr_expect_gt(exit_code_of(&diag), EXIT_WRONG_INPUT, "%s", codes[i]);
		cr_expect_not_null(diag_explanation(codes[i]), "%s is not in diag.def", codes[i]);
		arena_free(diag.arena);
	}
}

Test(file_name, no_name_leaves_its_folder_or_hides)
{
	static const char *const row[][2] = {
		{"logits", "logits"},
		{"../../etc/passwd", "_._.._etc_passwd"},
		{"", "_"},
		{".hidden", "_hidden"},
		{"-rf", "_rf"},
		{"a b\nc\033[1m", "a_b_c__1m"},
		{"\xc3\xa9", "__"},
	};
	struct arena *arena = arena_new(out_of_memory, NULL);
	char name[201] = "";
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		cr_expect_str_eq(file_name(arena, row[i][0]), row[i][1], "%s", row[i][0]);
	memset(name, 'a', 200);
	cr_expect_eq(strlen(file_name(arena, name)), 100, "what every file system takes");
	arena_free(arena);
}

Test(file_name, names_that_become_one_get_numbers)
{
	static const char *const name[] = {"y", "y", "y.2", "y", "z/", "z_"};
	static const char *const file[] = {"y", "y.2", "y.2.2", "y.3", "z_", "z_.2"};
	struct arena *arena = arena_new(out_of_memory, NULL);
	const char **got = file_names(arena, name, 6);
	for (int i = 0; i < 6; i++)
		cr_expect_str_eq(got[i], file[i], "%d: %s", i, got[i]);
	arena_free(arena);
}
