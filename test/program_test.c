/* program_test.c -- files and their imports. docs/language.md, section 2: "A path in `import` is relative to the
 * file that holds it. Importing a file twice reads it once; a cycle is an error." */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frontend/syntax/program.h"

static void must_not_happen(void *context)
{
	(void)context;
	cr_assert_fail("memory is out");
}

/* A program that is read in a new folder, which is the working directory meanwhile. */
struct scene {
	struct arena *arena;
	struct diag diag;
	struct program *program;
	char folder[32];
};

struct file {
	const char *path, *text;
};

static void open_scene(struct scene *scene, const struct file file[], int count)
{
	*scene = (struct scene){.arena = arena_new(must_not_happen, NULL)};
	scene->diag.arena = scene->arena;
	strcpy(scene->folder, "/tmp/program-test-XXXXXX");
	cr_assert_not_null(mkdtemp(scene->folder));
	cr_assert_eq(chdir(scene->folder), 0);
	cr_assert_eq(mkdir("parts", 0777), 0);
	for (int i = 0; i < count; i++) {
		FILE *out = fopen(file[i].path, "w");
		cr_assert_not_null(out, "%s", file[i].path);
		fputs(file[i].text, out);
		fclose(out);
	}
	scene->program = program_new(scene->arena, &scene->diag);
	cr_assert_eq(scene->diag.errors, 0, "the operator library parses");
}

static void close_scene(struct scene *scene)
{
	char command[64];
	snprintf(command, sizeof command, "rm -r %s", scene->folder);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
	arena_free(scene->arena);
}

static void expect_findings(const struct scene *scene, const char *expected)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	diag_print_text(&scene->diag, out, false);
	fclose(out);
	cr_expect_str_eq(text, expected, "found:\n%s\nexpected:\n%s", text, expected);
	free(text);
}

Test(program, imports_are_relative_to_their_file_and_read_once)
{
	static const struct file files[] = {
		{"net.dnn", "import \"parts/a.dnn\"\nimport \"parts/../parts/b.dnn\"\n"
			    "network n(x: f32[2]) { return b(a(x)) }\n"},
		{"parts/a.dnn", "import \"b.dnn\"\nop a(X[n]) { return b(X) }\n"},
		{"parts/b.dnn", "op b(X[n]) { return X }\n"},
	};
	struct scene scene;
	open_scene(&scene, files, 3);
	program_read(scene.program, "net.dnn");
	program_check_names(scene.program);
	expect_findings(&scene, "");
	cr_assert_eq(scene.program->file_count, 3, "each file once");
	cr_expect_str_eq(scene.program->file[0], "net.dnn");
	cr_expect_str_eq(scene.program->file[1], "parts/a.dnn");
	cr_expect_str_eq(scene.program->file[2], "parts/b.dnn");
	const struct tree_item *found = program_find(scene.program, ITEM_OP, "b");
	cr_assert_not_null(found);
	cr_expect_str_eq(found->name_span.source->name, "parts/b.dnn");
	cr_expect_null(program_find(scene.program, ITEM_NETWORK, "b"), "b is an operator");
	close_scene(&scene);
}

Test(program, a_cycle_is_told_step_by_step)
{
	static const struct file files[] = {
		{"net.dnn", "import \"parts/a.dnn\"\n"},
		{"parts/a.dnn", "import \"b.dnn\"\n"},
		{"parts/b.dnn", "\nimport \"a.dnn\"\n"},
	};
	struct scene scene;
	open_scene(&scene, files, 3);
	program_read(scene.program, "net.dnn");
	expect_findings(
		&scene,
		"parts/b.dnn:2:8: error: this import closes a cycle: 'parts/a.dnn' is being "
		"read already\n"
		"    2 | import \"a.dnn\"\n"
		"      |        ^~~~~~~ move what both files need into a third\n"
		"parts/a.dnn:1:8: note: 'parts/a.dnn' imports 'b.dnn' here\n"
		"    1 | import \"b.dnn\"\n"
		"      |        ^~~~~~~\n");
	close_scene(&scene);
}

Test(program, a_file_that_imports_itself)
{
	static const struct file files[] = {{"net.dnn", "import \"./net.dnn\"\n"}};
	struct scene scene;
	open_scene(&scene, files, 1);
	program_read(scene.program, "net.dnn");
	cr_expect_eq(scene.diag.errors, 1);
	cr_expect_str_eq(scene.diag.finding[0].code, "import-cycle");
	close_scene(&scene);
}

Test(program, files_that_cannot_be_read)
{
	static const struct file files[] = {{"net.dnn", "import \"none.dnn\"\nimport \"parts\"\n"}};
	struct scene scene;
	open_scene(&scene, files, 1);
	program_read(scene.program, "net.dnn");
	program_read(scene.program, "other.dnn");
	expect_findings(
		&scene,
		"net.dnn:1:8: error: none.dnn: cannot be opened: No such file or directory\n"
		"    1 | import \"none.dnn\"\n"
		"      |        ^~~~~~~~~~\n"
		"net.dnn:2:8: error: parts: is a directory, where a file is wanted\n"
		"    2 | import \"parts\"\n"
		"      |        ^~~~~~~\n"
		"error: other.dnn: cannot be opened: No such file or directory\n");
	close_scene(&scene);
}

/* A chain of 300 files is no program of a person, and must not end in a full stack. */
Test(program, imports_nest_to_a_limit)
{
	struct scene scene;
	open_scene(&scene, NULL, 0);
	for (int i = 0; i < 300; i++) {
		char path[32];
		snprintf(path, sizeof path, "f%d.dnn", i);
		FILE *out = fopen(path, "w");
		fprintf(out, "import \"f%d.dnn\"\n", i + 1);
		fclose(out);
	}
	program_read(scene.program, "f0.dnn");
	cr_assert_eq(scene.diag.errors, 1);
	cr_expect_str_eq(scene.diag.finding[0].code, "import-depth");
	cr_expect_eq(scene.program->file_count, 200);
	close_scene(&scene);
}

Test(program, names_are_defined_once)
{
	static const char text[] = "op a(X[n]) { return X }\n"
				   "network b(x: f32[2]) { return x }\n"
				   "op relu(X[n]) { return X }\n"
				   "network a(x: f32[2]) { return x }\n"
				   "cpu b { native }\n"
				   "op a(X[n]) { return X }\n";
	struct scene scene;
	open_scene(&scene, NULL, 0);
	program_add(scene.program, "text.dnn", text, strlen(text));
	program_check_names(scene.program);
	expect_findings(&scene, "text.dnn:4:9: error: redefinition of network 'a'\n"
				"    4 | network a(x: f32[2]) { return x }\n"
				"      |         ^\n"
				"text.dnn:1:4: note: previous definition is here\n"
				"    1 | op a(X[n]) { return X }\n"
				"      |    ^\n"
				"text.dnn:6:4: error: redefinition of operator 'a'\n"
				"    6 | op a(X[n]) { return X }\n"
				"      |    ^\n"
				"text.dnn:1:4: note: previous definition is here\n"
				"    1 | op a(X[n]) { return X }\n"
				"      |    ^\n");
	const struct tree_item *relu = program_find(scene.program, ITEM_OP, "relu");
	cr_expect_str_eq(relu->span.source->name, "text.dnn",
			 "the user's come before the library's");
	close_scene(&scene);
}
