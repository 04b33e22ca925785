/* hierarchy_test.c -- docs/language.md 4.4: the levels that the mapper makes of the blocks of a machine. */
#include "mapper/machine/hierarchy.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct made {
	struct arena *arena;
	struct diag *diag;
	struct hierarchy *machine;
	int word;
};

static struct made make(const char *text, const char *file)
{
	struct made m = {.arena = arena_new(out_of_memory, NULL)};
	struct program *program;
	struct machine *machine;

	m.diag = ARENA_NEW(m.arena, struct diag);
	m.diag->arena = m.arena;
	program = program_new(m.arena, m.diag);
	if (file)
		program_read(program, arena_printf(m.arena, "%s/examples/%s", SOURCE_DIR, file));
	else
		program_add(program, "test.hw", text, strlen(text));
	machine = machine_check(program, NULL);
	cr_assert_not_null(machine, "%s\n%s", m.diag->count ? m.diag->finding[0].message : "",
			   text ? text : file);
	m.machine = hierarchy_of(program, machine);
	m.word = m.machine ? machine_word(program, machine) : 0;
	return m;
}

enum { I = 1 << CLASS_I, W = 1 << CLASS_W, O = 1 << CLASS_O };

Test(hierarchy, eyeriss_is_five_memories_with_an_array_below_the_second)
{
	static const char *const name[] = {"dram", "glb", "ispad", "wspad", "pspad"};
	static const int64_t words[] = {0, 108 * 1024 / 2, 12, 224, 24};
	static const double cost[] = {200, 6, 1, 1, 1};
	static const unsigned keeps[] = {I | W | O, I | O, I, W, O};
	struct made m = make(NULL, "eyeriss.hw");
	const struct hierarchy *h = m.machine;

	cr_assert_not_null(h);
	cr_assert_eq(h->levels, 5);
	for (int i = 0; i < 5; i++) {
		const struct level *l = &h->level[i];
		cr_expect_str_eq(l->name, name[i]);
		cr_expect(l->is_memory, "%s", name[i]);
		cr_expect_eq(l->words, words[i], "%s: %lld words", name[i], (long long)l->words);
		cr_expect_eq(l->may_keep, keeps[i], "%s", name[i]);
		cr_expect_eq(l->axes, i == 1 ? 2 : 0, "%s", name[i]);
		for (int k = 0; k < ACCESS_KINDS; k++)
			cr_expect_eq(l->cost[k], cost[i], "%s", name[i]);
	}
	cr_expect_eq(h->level[0].must_keep, I | W | O);
	/* 8 B are 4 words, at 60 of 200 MHz */
	cr_expect_eq(h->level[0].shared_bandwidth, 1.2, "%.17g", h->level[0].shared_bandwidth);
	cr_expect_eq(h->level[1].class_bandwidth[CLASS_O], 4);
	cr_expect_eq(h->level[1].class_bandwidth[CLASS_I], 1);
	cr_expect_eq(h->level[1].class_bandwidth[CLASS_W], 0);
	cr_expect_str_eq(h->level[1].array, "pe");
	cr_expect_eq(h->level[1].fanout[0], 12);
	cr_expect_eq(h->level[1].fanout[1], 14);
	cr_expect_eq(h->level[1].multicast, I | W);
	cr_expect_eq(h->level[1].reduce, O);
	cr_expect_eq(h->level[1].apart[CLASS_I], 0);
	cr_expect_eq(h->level[1].apart[CLASS_O], 2, "sums go down the columns alone");
	cr_expect_eq(h->level[1].hop_cost, 2);
	cr_expect_eq(h->mac_cost, 1);
	cr_expect_eq(h->clock, 200e6);
	cr_expect_str_eq(h->dataflow, "row_stationary");
	arena_free(m.arena);
}

Test(hierarchy, of_a_systolic_array_each_tensor_goes_as_its_link_says)
{
	struct made m = make(NULL, "tpu.hw");
	const struct level *l;

	cr_assert_not_null(m.machine);
	l = &m.machine->level[2];
	cr_assert_str_eq(l->name, "accumulator");
	cr_expect_eq(l->multicast, I);
	cr_expect_eq(l->apart[CLASS_I], 1, "along the rows of the array alone");
	cr_expect_eq(l->apart[CLASS_W], 3);
	cr_expect_eq(l->reduce, O);
	cr_expect_eq(l->linked[CLASS_I], 2, "passed on from column to column");
	cr_expect_eq(l->linked[CLASS_W], 0);
	cr_expect_eq(l->linked[CLASS_O], 1);
	arena_free(m.arena);
	m = make(NULL, "shidiannao.hw");
	cr_assert_not_null(m.machine);
	cr_expect_eq(m.machine->level[1].linked[CLASS_I], 3, "in both directions");
	cr_expect_eq(m.machine->level[1].linked[CLASS_W], 0, "by broadcast");
	arena_free(m.arena);
}

/* The machines of the lectures: how many multipliers their papers count, and the levels of the files. */
Test(hierarchy, the_examples_have_the_multipliers_of_their_papers)
{
	static const struct {
		const char *file;
		int levels;
		int64_t units;
	} example[] = {{"eyeriss.hw", 5, 168},  {"tpu.hw", 4, 65536},   {"shidiannao.hw", 3, 64},
		       {"envision.hw", 3, 256}, {"neuflow.hw", 3, 400}, {"nvdla.hw", 5, 2048},
		       {"scnn.hw", 6, 1024},    {"eyeriss2.hw", 6, 384}};

	for (size_t i = 0; i < sizeof example / sizeof *example; i++) {
		struct made m = make(NULL, example[i].file);
		int64_t units = 1;
		cr_assert_not_null(m.machine, "%s: %s", example[i].file,
				   m.diag->count ? m.diag->finding[0].message : "");
		for (int l = 0; l < m.machine->levels; l++)
			units *= m.machine->level[l].fanout[0] * m.machine->level[l].fanout[1];
		cr_expect_eq(units, example[i].units, "%s: %lld", example[i].file,
			     (long long)units);
		cr_expect_eq(m.machine->levels, example[i].levels, "%s: %d", example[i].file,
			     m.machine->levels);
		cr_expect_not_null(m.machine->dataflow, "%s", example[i].file);
		arena_free(m.arena);
	}
}

/* Every property, once. */
static const char all[] =
	"machine m {\n"
	" clock 1 GHz  word 8 bit  overlap buffered  leakage 0.5\n"
	" memory dram { bandwidth 1 GB/s  latency 3 ns }\n"
	" memory buf { size 1 KiB  word 16 bit  cost read 3 write 4  bandwidth read 4 words write "
	"32 bit\n"
	"  width 64 bit  halo full  buffers 2  keeps I, W  holds W  leakage 0.25 }\n"
	" array outer[2] { cost 3  bandwidth 16 bit  latency 2 cycles\n"
	"  array inner[3, 4] { network unicast(O)  network multicast(row, I)\n"
	"   memory spad { size I 3 words  size O 4 words  cost fill 9 }\n"
	"   mac { lanes 5  latency 7 cycles  leakage 0.125 }\n"
	"  }\n"
	" }\n"
	"}\n";

static void check_dram_and_buffer(const struct hierarchy *h)
{
	const struct level *dram = &h->level[0], *buf = &h->level[1];

	cr_expect_eq(dram->cost[ACCESS_UPDATE], 200, "ISCA 2016, table IV");
	cr_expect_eq(dram->word, 8);
	cr_expect_eq(dram->shared_bandwidth, 1);
	cr_expect_eq(dram->latency, 3);
	cr_expect_eq(buf->words, 512);
	cr_expect_eq(buf->cost[ACCESS_READ], 3);
	cr_expect_eq(buf->cost[ACCESS_FILL], 4);
	cr_expect_eq(buf->cost[ACCESS_UPDATE], 4);
	cr_expect_eq(buf->read_bandwidth, 4);
	cr_expect_eq(buf->write_bandwidth, 2);
	cr_expect_eq(buf->shared_bandwidth, 0);
	cr_expect_eq(buf->width, 4);
	cr_expect_eq(buf->halo, HALO_FULL);
	cr_expect_eq(buf->buffers, 2);
	cr_expect_eq(buf->may_keep, I | W);
	cr_expect_eq(buf->must_keep, W);
	cr_expect_eq(buf->leakage, 0.25);
	cr_expect_str_eq(buf->array, "outer");
	cr_expect_eq(buf->axes, 1);
	cr_expect_eq(buf->hop_cost, 3);
	cr_expect_eq(buf->network_bandwidth, 1);
	cr_expect_eq(buf->network_latency, 2);
	cr_expect_eq(buf->multicast, I | W, "what is not said is multicast");
	cr_expect_eq(buf->reduce, O);
}

Test(hierarchy, every_property_is_taken_and_what_is_not_said_is_technology)
{
	struct made m = make(all, NULL);
	const struct hierarchy *h = m.machine;
	const struct level *outer, *spad;

	cr_assert_not_null(h, "%s", m.diag->count ? m.diag->finding[0].message : "");
	cr_assert_eq(h->levels, 4);
	cr_expect(h->is_buffered);
	cr_expect_not(h->is_in_joules);
	cr_expect_eq(h->leakage, 0.5);
	cr_expect_eq(h->mac_cost, 1);
	cr_expect_eq(h->mac_latency, 7);
	cr_expect_eq(h->mac_leakage, 0.125);
	cr_expect_eq(m.word, 8, "not that of a memory that has another");
	check_dram_and_buffer(h);
	outer = &h->level[2];
	cr_expect_str_eq(outer->name, "outer");
	cr_expect_not(outer->is_memory);
	cr_expect_eq(outer->may_keep, 0);
	cr_expect_eq(outer->cost[ACCESS_READ], 0);
	cr_expect_str_eq(outer->array, "inner");
	cr_expect_eq(outer->hop_cost, 2, "ISCA 2016, table IV");
	cr_expect_eq(outer->multicast, I);
	cr_expect_eq(outer->apart[CLASS_I], 2);
	cr_expect_eq(outer->reduce, 0);
	spad = &h->level[3];
	cr_expect_eq(spad->words, 0);
	cr_expect_eq(spad->class_words[CLASS_I], 3);
	cr_expect_eq(spad->may_keep, I | O, "there is no room for W");
	cr_expect_eq(spad->cost[ACCESS_READ], 1, "ISCA 2016, table IV");
	cr_expect_eq(spad->cost[ACCESS_FILL], 9);
	cr_expect_str_eq(spad->array, "mac");
	cr_expect_eq(spad->fanout[0], 5);
	cr_expect_str_eq(spad->axis[0], "lane");
	cr_expect_eq(spad->hop_cost, 0);
	arena_free(m.arena);
}

Test(hierarchy, costs_in_joules_make_those_left_out_multiples_of_the_mac)
{
	struct made m = make("machine m {\n clock 1 GHz\n leakage 2 mW\n memory dram { }\n"
			     " mac { cost 2 pJ }\n}\n",
			     NULL);

	cr_assert_not_null(m.machine);
	cr_expect(m.machine->is_in_joules);
	cr_expect_float_eq(m.machine->level[0].cost[ACCESS_READ], 400e-12, 1e-24);
	cr_expect_float_eq(m.machine->leakage, 2e-12, 1e-24);
	arena_free(m.arena);
}

/* What is said last of a tensor holds. */
Test(hierarchy, hops_are_those_of_the_network_that_brings_the_tensor)
{
	static const struct {
		const char *network;
		enum topology topology[CLASSES];
	} row[] = {
		{"", {TOPOLOGY_BUS, TOPOLOGY_BUS, TOPOLOGY_BUS}},
		{"network tree", {TOPOLOGY_BUS, TOPOLOGY_BUS, TOPOLOGY_BUS}},
		{"network mesh", {TOPOLOGY_MESH, TOPOLOGY_MESH, TOPOLOGY_MESH}},
		{"network hierarchical_mesh", {TOPOLOGY_MESH, TOPOLOGY_MESH, TOPOLOGY_MESH}},
		{"network torus", {TOPOLOGY_TORUS, TOPOLOGY_TORUS, TOPOLOGY_TORUS}},
		{"network ring(O)", {TOPOLOGY_BUS, TOPOLOGY_BUS, TOPOLOGY_TORUS}},
		{"network mesh  network multicast(row, I)",
		 {TOPOLOGY_BUS, TOPOLOGY_MESH, TOPOLOGY_MESH}},
	};

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		char text[200];
		snprintf(text, sizeof text,
			 "machine m {\n clock 1 GHz\n memory dram { }\n"
			 " array a[2, 2] { %s mac { } }\n}\n",
			 row[i].network);
		struct made m = make(text, NULL);
		cr_assert_not_null(m.machine, "%s", row[i].network);
		for (int c = 0; c < CLASSES; c++)
			cr_expect_eq(m.machine->level[0].topology[c], row[i].topology[c],
				     "'%s', class %d: %d", row[i].network, c,
				     m.machine->level[0].topology[c]);
		arena_free(m.arena);
	}
}

/* A machine with one more thing in its buffer, and behind it. */
#define MACHINE(buffer, inside)                                                                    \
	"machine m {\n clock 1 GHz\n memory dram { }\n memory buf { size 1 KiB " buffer            \
	" }\n " inside "\n}\n"
#define MAC "mac { }"

static const struct {
	const char *text, *code, *message;
	const char *at; /* the text that the error marks */
} wrong[] = {
	{MACHINE("", "array a[2] { mac { } }\n memory late { size 4 words }"), "not-mapped",
	 "memory 'late' stands behind array 'a'", "memory"},
	{MACHINE("", "array a[2] { memory x { size 4 words } }\n mac { }"), "not-mapped",
	 "mac stands behind array 'a'", "mac"},
	{MACHINE("", "array a[2, 2, 2] { mac { } }"), "not-mapped", "one or two axes", "2"},
	{"machine m {\n clock 1 GHz\n array a[2] { memory dram { }\n mac { } }\n}\n", "not-mapped",
	 "there is no memory", "array"},
	{MACHINE("halo walk", MAC), "not-mapped", "not 'walk' yet", "walk"},
	{MACHINE("buffers 3", MAC), "not-mapped", "one buffer or two", "3"},
	{MACHINE("keeps I, X", MAC), "unknown-name", "no tensor 'X'", "X"},
	{MACHINE("bandwidth 1 words .. 4 words", MAC), "not-mapped", "a range stands for several",
	 "1 words .. 4 words"},
	{MACHINE("width 1 bit", MAC), "out-of-range", "less than one word of 16 bits", "1 bit"},
	{MACHINE("keeps I  holds O", MAC), "bad-value", "does not keep", "holds O"},
	{MACHINE("cost 2 pJ", "mac { cost 1 }"), "wrong-unit", "of the machine are in joules", "1"},
	{MACHINE("cost 2 pJ", "mac { }"), "missing-property", "needs the property 'cost'", "m"},
	{"machine m {\n clock 1 GHz\n memory dram { keeps I }\n mac { }\n}\n", "bad-value",
	 "the outermost memory keeps every tensor", "keeps I"},
	{"machine m {\n clock 1 GHz\n memory d { }\n memory s { size I 4 words  keeps W }\n mac { "
	 "}\n}\n",
	 "bad-value", "no room for a tensor", "keeps W"},
	{MACHINE("word 100000 bit  size W 200000 bit", MAC), "out-of-range", "at most 65536 bits",
	 "100000 bit"},
	{MACHINE("",
		 "array a[2] { array b[2] { array c[2] { array d[2] { array e[2] { array f[2] {\n"
		 "array g[2] { array h[2] { array i[2] { array j[2] { mac { } } } } } } } } } } }"),
	 "not-mapped", "level 11 of the machine", "array"},
	{MACHINE("", "array a[2, 2] { network mesh  network torus(I)  mac { } }"), "bad-value",
	 "the network of I is a mesh already, and no torus", "network torus(I)"},
};

/* Read for those who simulate a machine, and said not to be counted. */
Test(hierarchy, what_is_read_and_not_counted_is_a_warning)
{
	static const struct {
		const char *text, *at;
	} row[] = {
		{MACHINE("latency 2 cycles", MAC), "latency 2 cycles"},
		{MACHINE("", "array a[2] { latency 2 cycles mac { } }"), "latency 2 cycles"},
		{MACHINE("", "mac { latency 2 cycles }"), "latency 2 cycles"},
		{MACHINE("", "overlap buffered\n " MAC), "overlap buffered"},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct made m = make(row[i].text, NULL);
		const struct finding *f = m.diag->finding;
		cr_assert_not_null(m.machine, "row %zu", i);
		cr_assert(m.diag->count == 1 && m.diag->errors == 0, "row %zu", i);
		cr_expect(f->severity == SEVERITY_WARNING && strstr(f->message, "is not counted"),
			  "row %zu: %s", i, f->message);
		cr_expect(strncmp(f->span.source->text + f->span.begin, row[i].at,
				  strlen(row[i].at)) == 0,
			  "row %zu: at '%.*s'", i, (int)(f->span.end - f->span.begin),
			  f->span.source->text + f->span.begin);
		arena_free(m.arena);
	}
}

Test(hierarchy, what_cannot_be_counted_is_told)
{
	for (size_t row = 0; row < sizeof wrong / sizeof *wrong; row++) {
		struct made m = make(wrong[row].text, NULL);
		const struct finding *f = m.diag->finding;

		cr_expect_null(m.machine, "row %zu is accepted", row);
		cr_assert_geq(m.diag->count, 1, "row %zu says nothing", row);
		cr_expect_eq(m.diag->errors, 1, "row %zu: %d errors", row, m.diag->errors);
		cr_expect_str_eq(f->code, wrong[row].code, "row %zu", row);
		cr_expect(strstr(f->message, wrong[row].message), "row %zu: %s", row, f->message);
		cr_expect(!wrong[row].at || (f->span.end - f->span.begin == strlen(wrong[row].at) &&
					     strncmp(f->span.source->text + f->span.begin,
						     wrong[row].at, strlen(wrong[row].at)) == 0),
			  "row %zu: at '%.*s'", row, (int)(f->span.end - f->span.begin),
			  f->span.source ? f->span.source->text + f->span.begin : "");
		arena_free(m.arena);
	}
	struct made m = make(
		"machine m {\n clock 1 GHz\n memory dram { bandwidth 3 GG }\n mac { }\n}\n", NULL);
	cr_expect_null(m.machine, "what is no value is taken");
	arena_free(m.arena);
	m = make("cpu c { native }", NULL);
	cr_expect_null(m.machine);
	cr_expect_str_eq(m.diag->finding[0].code, "machine-kind");
	arena_free(m.arena);
}
