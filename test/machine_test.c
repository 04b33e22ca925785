/* machine_test.c -- docs/language.md 4: what a machine, cpu or cluster may be, each rule of machine.def broken once. */
#include "frontend/machine/machine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct check {
	struct arena *arena;
	struct diag diag;
	struct machine *machine;
};

static struct check check(const char *text, const char *name)
{
	struct check c = {.arena = arena_new(out_of_memory, NULL)};
	struct diag *diag = arena_alloc(c.arena, sizeof *diag);
	diag->arena = c.arena;
	struct program *program = program_new(c.arena, diag);
	program_add(program, "test.hw", text, strlen(text));
	c.machine = machine_check(program, name);
	c.diag = *diag;
	return c;
}

/* The smallest accelerator, with room for one more line in the machine, its memory and its array. */
#define MACHINE(machine, memory, array)                                                            \
	"machine m {\n clock 1 GHz\n " machine                                                     \
	"\n memory dram { cost 200 }\n memory buf {\n " memory "\n }\n array pe[2, 3] {\n " array  \
	"\n mac { cost 1 }\n }\n}\n"
#define BUF "size 1 KiB"

/* ---- Wrong ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *text, *code, *message;
	const char *at;   /* the text that the error marks */
	const char *note; /* part of a note, or NULL */
} wrong[] = {
	/* words */
	{MACHINE("", BUF "\n sise 2 KiB", ""), "unknown-word", "did you mean 'size'", "sise", NULL},
	{MACHINE("memmory x { }", BUF, ""), "unknown-word", "did you mean 'memory'", "memmory",
	 NULL},
	{MACHINE("size 1 KiB", BUF, ""), "misplaced-word", "'size' has no place in a machine",
	 "size", "may hold clock"},
	{MACHINE("", BUF "\n mac { }", ""), "misplaced-word", "'mac' has no place in a memory",
	 "mac", NULL},
	{MACHINE("", BUF, "size 1 KiB"), "misplaced-word", "'size' has no place in an array",
	 "size", "an array may hold"},
	{MACHINE("node n { machine m }", BUF, ""), "misplaced-word", "'node' has no place", "node",
	 NULL},
	/* repetition */
	{MACHINE("clock 2 GHz", BUF, ""), "repeated-property", "'clock' is given twice", "clock",
	 "first is here"},
	{MACHINE("", BUF "\n port I 1 word\n port I 2 words", ""), "repeated-property", "same",
	 "port", "first"},
	{MACHINE("", BUF "\n keeps I, W, I", ""), "repeated-name", "'I' is named twice", "I",
	 "first is here"},
	{MACHINE("", BUF, "memory buf { size 2 KiB }"), "redefinition", "'buf' is already", "buf",
	 "previous"},
	/* units */
	{MACHINE("", "size 200 MHz", ""), "wrong-unit",
	 "a size, as in 108 KiB or 224 words, and this is a frequency", "200 MHz", NULL},
	{MACHINE("", "size 200", ""), "wrong-unit", "a number without a unit", "200", NULL},
	{MACHINE("word 2 us", BUF, ""), "wrong-unit", "'word' is an amount of data", "2 us", NULL},
	{MACHINE("", BUF "\n bandwidth 3 us", ""), "wrong-unit", "data per time", "3 us", NULL},
	{MACHINE("", BUF "\n bandwidth 8 B @ 2 us", ""), "wrong-unit", "frequency", "2 us", NULL},
	{MACHINE("", BUF "\n cost 2 KiB", ""), "wrong-unit", "an energy, as in 6 or 2 pJ", "2 KiB",
	 NULL},
	{MACHINE("", BUF "\n latency 2 MHz", ""), "wrong-unit", "a time, as in", "2 MHz", NULL},
	{MACHINE("", BUF "\n port O 4 us", ""), "wrong-unit", "'port' is a size", "4 us", NULL},
	{MACHINE("", BUF "\n buffers 2 KiB", ""), "wrong-unit", "a whole number", "2 KiB", NULL},
	/* ranges of values */
	{MACHINE("", "size 0 KiB", ""), "out-of-range", "must be greater than 0", "0 KiB", NULL},
	{MACHINE("", "size 0.5 bit", ""), "out-of-range", "a whole number of bits", "0.5 bit",
	 NULL},
	{MACHINE("", BUF "\n buffers 0", ""), "out-of-range", "greater than 0", "0", NULL},
	{MACHINE("", "size 64 KiB .. 32 KiB", ""), "bad-range", "ends below its beginning",
	 "64 KiB .. 32 KiB", NULL},
	{MACHINE("", "size 1 KiB .. 8 KiB step x1", ""), "bad-range", "greater than 1", NULL, NULL},
	{MACHINE("", "size 1 KiB .. 8 KiB step 0 KiB", ""), "bad-range", "greater than 0", "0 KiB",
	 NULL},
	{MACHINE("", "size 1 KiB .. 8 KiB step 2 MHz", ""), "wrong-unit", "an amount of data",
	 "2 MHz", NULL},
	{MACHINE("", "size 1 KiB .. 8 words", ""), "wrong-unit", "one measure", "8 words", NULL},
	/* values that are words */
	{MACHINE("dataflow row_stationery", BUF, ""), "unknown-name",
	 "did you mean 'row_stationary'", "row_stationery", NULL},
	{MACHINE("dataflow 3", BUF, ""), "bad-value", "the name of a dataflow", "3", NULL},
	{MACHINE("overlap perfekt", BUF, ""), "unknown-name", "did you mean 'perfect'", "perfekt",
	 NULL},
	{MACHINE("", BUF "\n halo delty", ""), "unknown-name", "did you mean 'delta'", "delty",
	 NULL},
	{MACHINE("", BUF, "network multicats(row)"), "unknown-name", "did you mean 'multicast'",
	 "multicats", NULL},
	{MACHINE("", BUF, "network multicast(row, raw)"), "unknown-name", "did you mean 'row'",
	 "raw", NULL},
	{MACHINE("", BUF, "network multicast(row, row)"), "repeated-name", "'row' is named twice",
	 "row", NULL},
	{MACHINE("", BUF, "link O sideways"), "unknown-name", "horizontal, vertical or both",
	 "sideways", NULL},
	{MACHINE("", BUF, "link O"), "bad-value", "as in link O vertical", NULL, NULL},
	{MACHINE("", BUF "\n port O", ""), "bad-value", "as in port O 4 words", NULL, NULL},
	{MACHINE("", BUF "\n port 3 4 words", ""), "bad-value", "such as I, W or O", "3", NULL},
	{MACHINE("", "size 1 KiB 2 KiB", ""), "bad-value", "this is a second", "2 KiB", NULL},
	{MACHINE("", "size \"big\"", ""), "bad-value", "a size, as in", "\"big\"", NULL},
	{"cpu c { native 3 }", "bad-value", "stands alone", NULL, NULL},
	{"cpu c { cpu skylake }", "bad-value", "in double quotes", "skylake", NULL},
	/* what is missing */
	{"machine m {\n memory d { }\n mac { }\n}", "missing-property",
	 "needs the property 'clock'", "m", NULL},
	{"machine m {\n clock 1 GHz\n mac { }\n}", "missing-block", "'memory'", "m", NULL},
	{"machine m {\n clock 1 GHz\n memory d { }\n}", "missing-block", "'mac'", "m", NULL},
	{MACHINE("", "cost 1", ""), "missing-property", "only the outermost", "buf", NULL},
	{MACHINE("", BUF, "array q[2000, 2000] { }"), "bad-shape", "more than 16777216 units",
	 "2000", NULL},
	{MACHINE("", BUF, "array q { mac { } }"), "bad-shape", "needs a shape", "q", NULL},
	{MACHINE("", BUF, "array q[0] { mac { } }"), "out-of-range", "greater than 0", "0", NULL},
	{MACHINE("", BUF, "array q[2.5] { mac { } }"), "out-of-range", "whole number", "2.5", NULL},
	{MACHINE("", BUF, "array q[100000, 100000] { mac { } }"), "bad-shape", "more than", NULL,
	 NULL},
	{MACHINE("", BUF, "memory q[2] { size 2 words }"), "bad-shape", "has no shape", "2", NULL},
	{"cluster c { network ring { latency 2 us } }", "missing-block", "'node'", "c", NULL},
	{"cluster c { node w { role worker } }", "missing-property", "'machine'", "w", NULL},
	{"cpu host { native }\ncluster c { node w { machine hots } }", "unknown-name",
	 "did you mean 'host'", "hots", NULL},
	{"cluster c { node w { machine c } }", "bad-value", "is a cluster", "c", "described here"},
	{"cpu host { native }\ncluster c { node w { machine host  role server } }", "unknown-name",
	 "worker", "server", NULL},
	{"cpu host { cores 0 }\ncluster c { node w { machine host } }", "out-of-range", "'cores'",
	 "0", NULL},
};

Test(machine, each_rule_is_told)
{
	for (size_t row = 0; row < sizeof wrong / sizeof *wrong; row++) {
		struct check c = check(wrong[row].text, NULL);
		bool is_found = false, has_note = !wrong[row].note;
		cr_expect(!c.machine || strcmp(wrong[row].code, "unknown-word") == 0,
			  "row %zu is accepted:\n%s", row, wrong[row].text);
		for (int i = 0; i < c.diag.count; i++) {
			const struct finding *f = &c.diag.finding[i];
			has_note |= f->severity == SEVERITY_NOTE && wrong[row].note &&
				    strstr(f->message, wrong[row].note);
			if (f->severity != SEVERITY_ERROR ||
			    strcmp(f->code, wrong[row].code) != 0 ||
			    !strstr(f->message, wrong[row].message))
				continue;
			is_found = !wrong[row].at ||
				   (f->span.source &&
				    f->span.end - f->span.begin == strlen(wrong[row].at) &&
				    strncmp(f->span.source->text + f->span.begin, wrong[row].at,
					    strlen(wrong[row].at)) == 0);
		}
		cr_expect(is_found,
			  "row %zu: no %s '%s' at '%s'; %d findings, the first %s '%s'\n%s", row,
			  wrong[row].code, wrong[row].message,
			  wrong[row].at ? wrong[row].at : "anywhere", c.diag.count,
			  c.diag.count && c.diag.finding[0].code ? c.diag.finding[0].code : "",
			  c.diag.count ? c.diag.finding[0].message : "", wrong[row].text);
		cr_expect(has_note, "row %zu: no note '%s'", row, wrong[row].note);
		cr_expect_eq(c.diag.errors, 1, "row %zu: %d errors\n%s", row, c.diag.errors,
			     wrong[row].text);
		arena_free(c.arena);
	}
}

/* ---- Right ------------------------------------------------------------------------------------------------ */

static const char *const right[] = {
	/* `word` is a unit, but begins a property where a number follows it */
	"cpu c { cores 4 lanes 8 word 32 bit }",
	MACHINE("", BUF, ""),
	MACHINE("word 8 bit\n overlap buffered",
		BUF "\n keeps I, O\n port O 4 words, port W 1 word", ""),
	MACHINE("dataflow weight_stationary",
		"size 64 KiB .. 512 KiB step x2\n halo walk\n buffers 2", ""),
	MACHINE("", "size 64 words .. 512 words step 64 words\n cost 2 pJ\n latency 3 cycles", ""),
	MACHINE("", BUF "\n bandwidth 8 B @ 60 MHz",
		"network multicast(row)  cost 2\n link O vertical\n link I both"),
	MACHINE("", BUF "\n bandwidth 4 words\n latency 0 us",
		"network bus\n memory w { size 2 words }"),
	MACHINE("dataflow own", BUF, "") "dataflow own {\n buf: keep I\n}\n",
	"cpu c { native }",
	"cpu c {\n cpu \"skylake\"\n triple \"x86_64-linux-gnu\"\n cores 4\n cache l1 { size 32 "
	"KiB  line 64 B }\n"
	" vector { lanes 8 }\n}",
	"cpu host { native }\ncluster c { node w[4] { machine host  role worker }\n"
	" network ring { bandwidth 10 Gbit/s  latency 20 us } }",
};

Test(machine, what_is_right_is_accepted)
{
	for (size_t row = 0; row < sizeof right / sizeof *right; row++) {
		struct check c = check(right[row], NULL);
		cr_expect_not_null(c.machine, "row %zu: %s\n%s", row,
				   c.diag.count ? c.diag.finding[0].message : "", right[row]);
		arena_free(c.arena);
	}
}

Test(machine, a_machine_is_chosen_by_name_or_is_part_of_no_other)
{
	static const char text[] = "cluster c { node w { machine b } }\ncpu a { native }\n"
				   "cpu b { cpu \"generic\"  triple \"aarch64-linux-gnu\" }\n";
	struct check c = check(text, "b");
	cr_assert_not_null(c.machine);
	cr_expect_str_eq(c.machine->name, "b");
	cr_expect_eq(c.machine->kind, MACHINE_CPU);
	cr_expect_not(c.machine->native);
	cr_expect_str_eq(c.machine->cpu, "generic");
	cr_expect_str_eq(c.machine->triple, "aarch64-linux-gnu");
	arena_free(c.arena);
	c = check(text, NULL);
	cr_assert_not_null(c.machine);
	cr_expect_str_eq(c.machine->name, "a");
	cr_expect(c.machine->native);
	arena_free(c.arena);
	c = check("cluster c { node w { machine b } }\ncpu b { native }", NULL);
	cr_assert_not_null(c.machine);
	cr_expect_str_eq(c.machine->name, "c");
	cr_expect_eq(c.machine->kind, MACHINE_CLUSTER);
	arena_free(c.arena);
	c = check(text, "bb");
	cr_expect_null(c.machine);
	cr_expect(strstr(c.diag.finding[0].message, "did you mean 'b'"), "%s",
		  c.diag.finding[0].message);
	arena_free(c.arena);
	c = check("", NULL);
	cr_expect_null(c.machine);
	cr_expect_str_eq(c.diag.finding[0].code, "unknown-machine");
	arena_free(c.arena);
}

/* A machine of so many parts that comparing each with each would take minutes. */
Test(machine, many_parts_take_no_time, .timeout = 60)
{
	enum { PARTS = 100000 };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	fputs("machine m {\nclock 1 GHz\n", out);
	for (int i = 0; i < PARTS; i++)
		fprintf(out, "memory m%d { size 1 KiB }\n", i);
	fputs("memory last { size 1 KiB keeps t0", out);
	for (int i = 1; i < PARTS; i++)
		fprintf(out, ", t%d", i);
	fputs("\n", out);
	for (int i = 0; i < PARTS; i++)
		fprintf(out, "port t%d 1 word\n", i);
	fputs("}\nmac { }\n}\n", out);
	fclose(out);
	struct check c = check(text, NULL);
	cr_expect(c.machine, "%s", c.diag.count ? c.diag.finding[0].message : "no machine");
	arena_free(c.arena);
	free(text);
}

Test(machine, the_examples_are_machines)
{
	static const struct {
		const char *file;
		enum machine_kind kind;
	} example[] = {{"host", MACHINE_CPU},
		       {"eyeriss", MACHINE_ACCELERATOR},
		       {"tpu", MACHINE_ACCELERATOR},
		       {"shidiannao", MACHINE_ACCELERATOR},
		       {"envision", MACHINE_ACCELERATOR},
		       {"neuflow", MACHINE_ACCELERATOR},
		       {"nvdla", MACHINE_ACCELERATOR},
		       {"scnn", MACHINE_ACCELERATOR},
		       {"eyeriss2", MACHINE_ACCELERATOR},
		       {"cluster", MACHINE_CLUSTER}};
	for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
		struct arena *arena = arena_new(out_of_memory, NULL);
		struct diag diag = {.arena = arena};
		struct program *program = program_new(arena, &diag);
		program_read(program,
			     arena_printf(arena, "%s/examples/%s.hw", SOURCE_DIR, example[i].file));
		struct machine *machine = machine_check(program, NULL);
		cr_assert_not_null(machine, "%s: %s", example[i].file,
				   diag.count ? diag.finding[0].message : "");
		cr_expect_eq(machine->kind, example[i].kind, "%s", example[i].file);
		arena_free(arena);
	}
}
