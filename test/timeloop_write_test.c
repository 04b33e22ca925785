/* timeloop_write_test.c -- docs/timeloop.md: what is written for timeloop-model is read back as the same problem, machine and
 * mapping, and what it would count in another way is refused. */
#include "backend/timeloop/write.h"
#include "timeloop_desk.h"
#include "timeloop_golden.h"

#include "mapper/mapping/mapping_print.h"
#include "runtime/file.h"

/* ---- The golden mappings, there and back ---------------------------------------------------------------------- */

static char *written(const struct mapping *m, struct arena *arena, struct diag *diag)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	bool is_done = timeloop_write(&m, 1, file, arena, diag);

	fclose(file);
	if (!is_done) {
		free(text);
		return NULL;
	}
	return text;
}

static void expect_same_level(const struct level *a, const struct level *b)
{
	cr_expect_str_eq(a->name, b->name);
	cr_expect_eq(a->is_memory, b->is_memory, "%s", a->name);
	cr_expect_eq(a->words, b->words, "%s: %lld words", a->name, (long long)b->words);
	cr_expect_eq(a->may_keep, b->may_keep, "%s: may keep %x", a->name, b->may_keep);
	cr_expect_eq(a->must_keep, b->must_keep, "%s: must keep %x", a->name, b->must_keep);
	cr_expect_eq(a->buffers, b->buffers, "%s: %d buffers", a->name, b->buffers);
	if (a->is_memory)
		cr_expect_eq(a->word, b->word, "%s", a->name);
	cr_expect_eq(a->width, b->width, "%s: width %lld", a->name, (long long)b->width);
	for (int k = 0; k < ACCESS_KINDS; k++)
		cr_expect_eq(a->cost[k], b->cost[k], "%s: cost %g", a->name, b->cost[k]);
	cr_expect_eq(a->read_bandwidth, b->read_bandwidth, "%s", a->name);
	cr_expect_eq(a->write_bandwidth, b->write_bandwidth, "%s", a->name);
	cr_expect_eq(a->shared_bandwidth, b->shared_bandwidth, "%s", a->name);
	cr_expect_eq(!a->array, !b->array, "%s", a->name);
	if (a->array)
		cr_expect_str_eq(a->array, b->array);
	cr_expect_eq(a->axes, b->axes, "%s: %d axes", a->name, b->axes);
	for (int i = 0; i < a->axes; i++)
		cr_expect_eq(a->fanout[i], b->fanout[i], "%s: %lld", a->name,
			     (long long)b->fanout[i]);
	cr_expect_eq(a->multicast, b->multicast, "%s: multicast %x", a->name, b->multicast);
	cr_expect_eq(a->reduce, b->reduce, "%s: reduce %x", a->name, b->reduce);
}

static void expect_same_machine(const struct hierarchy *a, const struct hierarchy *b)
{
	cr_assert_eq(a->levels, b->levels, "%d levels", b->levels);
	cr_expect_str_eq(a->name, b->name);
	cr_expect_eq(a->clock, b->clock, "%.17g", b->clock);
	cr_expect_eq(a->mac_cost, b->mac_cost, "%g", b->mac_cost);
	for (int i = 0; i < a->levels; i++)
		expect_same_level(&a->level[i], &b->level[i]);
}

static int find_dim(const struct problem *p, const char *name)
{
	for (int d = 0; d < p->dims; d++)
		if (strcmp(p->dim[d], name) == 0)
			return d;
	return -1;
}

/* Is there a rank of `b` that `a`'s rank is, by the names of dimensions? */
static bool has_rank(const struct problem *pa, const struct operand *a, int rank,
		     const struct problem *pb, const struct operand *b)
{
	for (int r = 0; r < b->ranks; r++) {
		bool is_same = true;
		for (int d = 0; d < pa->dims; d++) {
			int other = find_dim(pb, pa->dim[d]);
			if (pa->extent[d] > 1)
				is_same &= a->coef[rank][d] == b->coef[r][other];
		}
		if (is_same)
			return true;
	}
	return false;
}

/* Dimensions of one step are none, and ranks that only they index neither. */
static void expect_same_problem(const struct problem *a, const struct problem *b)
{
	int dims = 0;

	for (int d = 0; d < a->dims; d++) {
		int other = find_dim(b, a->dim[d]);
		if (a->extent[d] == 1)
			continue;
		dims++;
		cr_assert_geq(other, 0, "%s", a->dim[d]);
		cr_expect_eq(a->extent[d], b->extent[other], "%s", a->dim[d]);
	}
	cr_expect_eq(dims, b->dims);
	cr_assert_eq(a->operands, b->operands);
	for (int o = 0; o < a->operands; o++) {
		int ranks = 0;
		cr_expect_eq(a->operand[o].class, b->operand[o].class);
		for (int r = 0; r < a->operand[o].ranks; r++) {
			bool moves = false;
			for (int d = 0; d < a->dims; d++)
				moves |= a->extent[d] > 1 && a->operand[o].coef[r][d] != 0;
			ranks += moves;
			cr_expect(!moves || has_rank(a, &a->operand[o], r, b, &b->operand[o]),
				  "rank %d of operand %d", r, o);
		}
		cr_expect_eq(ranks, b->operand[o].ranks);
	}
}

static void expect_same_cost(const struct cost *a, const struct cost *b, int levels, int operands)
{
	for (int l = 0; l < levels; l++)
		for (int o = 0; o < operands; o++)
			cr_expect_eq(memcmp(&a->traffic[l][o], &b->traffic[l][o],
					    sizeof a->traffic[l][o]),
				     0, "operand %d at level %d", o, l);
	cr_expect_eq(a->cycles, b->cycles, "%lld cycles", (long long)b->cycles);
	cr_expect_eq(a->units, b->units);
}

/* Writes a mapping, reads all three parts of the file, and holds them against it; its cost, for more of that. */
static void round_trip(const struct mapping *m, struct arena *arena, struct diag *diag,
		       struct cost *again)
{
	char *text = written(m, arena, diag);
	struct cost cost;

	cr_assert_not_null(text, "%s", diag->count ? diag->finding[0].message : "");
	const char *path = file_of(arena, text, strlen(text));
	struct desk d = read_files(path, path);
	cr_assert(d.problem && d.machine, "%s\n%s", first_message(&d), text);
	expect_same_problem(m->problem, d.problem);
	expect_same_machine(m->machine, d.machine);
	struct mapping *read =
		mapping_timeloop(d.program, timeloop_load(d.program, path), d.problem, d.machine);
	cr_assert_not_null(read, "%s\n%s", first_message(&d), text);
	cr_expect_eq(memcmp(m->keep, read->keep, sizeof read->keep), 0, "what is kept");
	cr_assert(mapping_cost(m, &cost) && mapping_cost(read, again));
	expect_same_cost(&cost, again, d.machine->levels, d.problem->operands);
	unlink(path);
	free(text);
	arena_free(d.arena);
}

Test(timeloop_write, the_golden_mappings_come_back_with_the_counts_of_timeloop)
{
	json_t *rows = json_load_file(SOURCE_DIR "/test/golden/timeloop_mappings.json", 0, NULL),
	       *row;
	struct arena *arena = arena_new(out_of_memory, NULL);
	struct diag diag = {.arena = arena};
	struct hierarchy machine;
	size_t i;

	cr_assert_not_null(rows);
	make_machine(&machine);
	json_array_foreach(rows, i, row)
	{
		struct problem problem;
		struct mapping m;
		struct cost cost;

		make_mapping(&m, &problem, &machine, row);
		round_trip(&m, arena, &diag, &cost);
		cr_expect_eq(compare_counts(row, &cost), 24, "row %zu has all its counts", i);
	}
	cr_expect_eq(json_array_size(rows), 35);
	cr_expect_eq(diag.count, 0, "%s", diag.count ? diag.finding[0].message : "");
	json_decref(rows);
	arena_free(arena);
}

/* ---- Machines and mappings in our own languages ------------------------------------------------------------------ */

static const char matrices[] =
	"network product(x: f32[12, 32]) { c1 = dense(x, 24, bias = 0)\n return c1 }";

/* The mapping of the .map text, for the network and the machine of theirs. */
static struct desk own_desk(const char *network, const char *machine, const char *map,
			    struct mapping **m)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};
	struct elaborate_options how = {0};

	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	program_add(d.program, "test.dnn", network, strlen(network));
	program_add(d.program, "test.hw", machine, strlen(machine));
	program_add(d.program, "test.map", map, strlen(map));
	d.machine = hierarchy_of(d.program, machine_check(d.program, NULL));
	d.problem = problem_in(d.arena, elaborate(d.program, NULL, &how));
	cr_assert(d.machine && d.problem, "%s", first_message(&d));
	*m = mapping_read(d.program, d.program->tree[d.program->tree_count - 1]->item, d.problem,
			  d.machine);
	cr_assert_not_null(*m, "%s", first_message(&d));
	return d;
}

static const char deep[] =
	"machine deep { clock 200 MHz  word 8 bit\n"
	"memory dram { cost read 200 write 210  bandwidth 4 words  width 64 bit }\n"
	"memory glb { size 1200 words  width 2 words  cost read 6 fill 7 update 8  buffers 2  "
	"bandwidth "
	"read 2.5 words write 1 word }\n"
	"array tile[2] { network multicast(I)  cost 0\n"
	"array pe[2, 4] { network reduction(O)  cost 0\n"
	"memory rf { size 24 words  cost 1  keeps I, O  holds O  word 16 bit }\n"
	"mac alu { cost 0.1  lanes 4 } } } }";
static const char deep_map[] = "map c1 on deep {\n"
			       "dram: for c in 32 step 16\n"
			       "glb: keep I, W\n"
			       "glb: for k in 24 step 12\n"
			       "tile: parallel n in 2 step 6\n"
			       "pe: parallel k over row in 2 step 6\n"
			       "pe: parallel n over column in 3 step 2\n"
			       "rf: keep O\n"
			       "rf: for k in 6\n"
			       "rf: for n in 2\n"
			       "rf: for c in 16 step 4\n"
			       "alu: parallel c in 4\n"
			       "}";

Test(timeloop_write, arrays_in_arrays_lanes_buffers_and_networks_come_back)
{
	struct mapping *m;
	struct cost cost;
	struct desk d = own_desk(matrices, deep, deep_map, &m);

	round_trip(m, d.arena, d.diag, &cost);
	cr_expect_eq(d.diag->count, 0, "%s", first_message(&d));
	arena_free(d.arena);
}

/* The text itself, held against timeloop-model's sources once and for all; UPDATE=1 writes it anew. */
Test(timeloop_write, the_text_is_that_of_mapped_yaml)
{
	struct mapping *m;
	struct desk d = own_desk(matrices, deep, deep_map, &m);
	char *text = written(m, d.arena, d.diag), *expected;
	char *error = NULL;
	size_t size;

	cr_assert_not_null(text, "%s", first_message(&d));
	if (getenv("UPDATE"))
		error = file_write(SOURCE_DIR "/test/timeloop/mapped.yaml", text, strlen(text));
	cr_assert_null(error, "%s", error);
	error = file_read(SOURCE_DIR "/test/timeloop/mapped.yaml", &expected, &size);
	cr_assert_null(error, "%s", error);
	cr_expect_str_eq(text, expected);
	free(text);
	free(expected);
	arena_free(d.arena);
}

/* ---- What Timeloop counts in another way ----------------------------------------------------------------------------- */

static const char flat[] =
	"memory dram { cost 1 } memory glb { size 9999 words  cost 1 %s } "
	"array pe[4, 4] { %s memory rf { size 999 words  cost 1 %s } mac { cost 1 } } }";

static const struct {
	const char *glb, *pe, *rf, *map;
	enum severity severity;
	const char *said;
} other[] = {
	{"", "cost 0", "halo full",
	 "dram: for k\nglb: for p\nglb: for c\nrf: for q\nrf: for r\nrf: for s", SEVERITY_ERROR,
	 "halo full"},
	{"", "cost 0  network multicast(row)  link O both", "",
	 "dram: for k\nglb: for p step 4\npe: parallel p over row in 4\npe: parallel c over column "
	 "in 2\nrf: for q\nrf: for r\nrf: for s",
	 SEVERITY_ERROR, "along one axis alone"},
	{"", "cost 0", "",
	 "dram: for k step 2\nglb: for p\nglb: for k\nglb: for c\nrf: for q\nrf: for r\nrf: for s",
	 SEVERITY_NOTE, NULL},
	{"", "cost 0", "",
	 "dram: for k step 4\nglb: for k step 3\nglb: for p\nglb: for c\nrf: for k\nrf: for q\nrf: "
	 "for r\nrf: for s",
	 SEVERITY_ERROR, "with a rest in each run"},
	{"", "cost 0", "",
	 "dram: for k step 2\ndram: for k\nglb: for p\nglb: for c\nrf: for q\nrf: for r\nrf: for s",
	 SEVERITY_ERROR, "has two loops over k"},
	{"", "cost 2", "", "dram: for k\nglb: for p\nglb: for c\nrf: for q\nrf: for r\nrf: for s",
	 SEVERITY_WARNING, "delivers"},
	{"leakage 0.5", "cost 0", "",
	 "dram: for k\nglb: for p\nglb: for c\nrf: for q\nrf: for r\nrf: for s", SEVERITY_WARNING,
	 "leakage of machine 'flat'"},
	{"port O 4 words", "cost 0", "",
	 "dram: for k\nglb: for p\nglb: for c\nrf: for q\nrf: for r\nrf: for s", SEVERITY_WARNING,
	 "ports"},
};

Test(timeloop_write, what_timeloop_counts_in_another_way_is_told)
{
	static const char network[] = "network n(x: f32[1, 2, 18, 8]) { c1 = conv(x, filters = 8, "
				      "kernel = 3, bias = 0)\n return c1 }";

	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct arena *arena = arena_new(out_of_memory, NULL);
		struct mapping *m;
		char *body = arena_printf(arena, flat, other[i].glb, other[i].pe, other[i].rf);
		struct desk d = own_desk(
			network, arena_printf(arena, "machine flat { clock 1 GHz\n%s", body),
			arena_printf(arena, "map c1 on flat {\n%s\n}", other[i].map), &m);
		char *text = written(m, d.arena, d.diag);
		cr_expect_eq(!text, other[i].severity == SEVERITY_ERROR, "row %zu: %s", i,
			     first_message(&d));
		if (!other[i].said)
			cr_expect_eq(d.diag->count, 0, "row %zu: %s", i, first_message(&d));
		else
			cr_expect(d.diag->count > 0 &&
					  d.diag->finding[0].severity == other[i].severity &&
					  strstr(first_message(&d), other[i].said),
				  "row %zu: %s", i, first_message(&d));
		free(text);
		arena_free(d.arena);
		arena_free(arena);
	}
}

/* A rest at the outermost loop of a dimension is the last of all runs, which Timeloop writes behind a comma. */
Test(timeloop_write, a_rest_of_the_outermost_loop_is_written_and_read)
{
	static const char machine[] =
		"machine flat { clock 1 GHz  memory dram { cost 1 } memory rf { size "
		"999 words  cost 1 } mac { cost 1 } }";
	static const char map[] =
		"map c1 on flat {\ndram: for k in 24 step 10\ndram: for n\nrf: for "
		"k in 10\nrf: for c\n}";
	struct mapping *m;
	struct desk d = own_desk(matrices, machine, map, &m);
	char *text = written(m, d.arena, d.diag);

	cr_assert_not_null(text, "%s", first_message(&d));
	cr_expect(strstr(text, "k=3"), "%s", text);
	cr_expect(strstr(text, "k=10,4"), "%s", text);
	const char *path = file_of(d.arena, text, strlen(text));
	struct mapping *again =
		mapping_timeloop(d.program, timeloop_load(d.program, path), d.problem, d.machine);
	cr_assert_not_null(again, "%s", first_message(&d));
	cr_expect_eq(again->loops, m->loops);
	for (int i = 0; i < m->loops; i++)
		cr_expect(again->loop[i].tile == m->loop[i].tile &&
				  again->loop[i].dim == m->loop[i].dim,
			  "loop %d", i);
	unlink(path);
	free(text);
	arena_free(d.arena);
}
