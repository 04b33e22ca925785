/* timeloop_read_test.c -- docs/timeloop.md: architectures and problems in the forms that are published, what is refused of them
 * and where, and that no text makes the reader fall. TIMELOOP_TIMES=20 damages twenty times as many. */
#include "timeloop_desk.h"

#include "runtime/file.h"

#define FILES SOURCE_DIR "/test/timeloop/"

enum { I = 1 << CLASS_I, W = 1 << CLASS_W, O = 1 << CLASS_O };

/* ---- Forms ------------------------------------------------------------------------------------------------------ */

static const struct level *level(const struct desk *d, int i, const char *name)
{
	cr_assert_lt(i, d->machine->levels);
	cr_expect_str_eq(d->machine->level[i].name, name);
	return &d->machine->level[i];
}

Test(timeloop_read, a_tree_is_a_machine_with_energies_of_accesses)
{
	struct desk d = read_files(FILES "problem.yaml", FILES "tree.yaml");
	const struct level *l;

	cr_assert(d.machine && d.problem, "%s", first_message(&d));
	cr_expect_eq(d.diag->count, 0, "%s", first_message(&d));
	cr_expect_str_eq(d.machine->name, "chip");
	cr_expect_eq(d.machine->clock, 200e6);
	cr_expect_eq(d.machine->levels, 4);
	cr_expect_eq(d.machine->mac_cost, 2.25);
	/* for a block of four words; there is no action for updates but write */
	l = level(&d, 0, "DRAM");
	cr_expect(l->words == 0 && l->width == 4 && l->cost[ACCESS_READ] == 512 &&
		  l->cost[ACCESS_FILL] == 640 && l->cost[ACCESS_UPDATE] == 640);
	cr_expect(l->read_bandwidth == 4 && l->write_bandwidth == 2 && l->fanout[0] == 2);
	/* the greatest energy of an action counts */
	l = level(&d, 1, "shared_glb");
	cr_expect(l->words == 2048 * 4 && l->buffers == 2 && l->leakage == 0.25);
	cr_expect(l->width == 4 && l->cost[ACCESS_READ] == 24 && l->cost[ACCESS_FILL] == 32 &&
		  l->cost[ACCESS_UPDATE] == 36);
	cr_expect(l->may_keep == (I | O) && l->must_keep == I);
	/* two buffers of 2 x 1 have 32 PEs of 8 x 4, so each 4 columns and 4 rows */
	cr_expect(l->axes == 2 && l->fanout[0] == 4 && l->fanout[1] == 4, "%lld x %lld",
		  (long long)l->fanout[0], (long long)l->fanout[1]);
	cr_expect_str_eq(l->array, "PE");
	l = level(&d, 2, "weights_spad");
	cr_expect(l->words == 48 && l->may_keep == W && l->must_keep == W && l->axes == 0);
	l = level(&d, 3, "psum_spad");
	cr_expect(l->words == 8 && l->may_keep == O && l->must_keep == 0 &&
		  l->shared_bandwidth == 3 && l->cost[ACCESS_FILL] == 0.75);
	arena_free(d.arena);
}

Test(timeloop_read, nodes_are_a_machine_with_an_array_for_each_container)
{
	struct desk d = read_files(NULL, FILES "nodes.yaml");
	const struct level *l;

	cr_assert_not_null(d.machine, "%s", first_message(&d));
	cr_expect_eq(d.diag->count, 1, "no energies");
	cr_expect_eq(d.diag->warnings, 1);
	cr_expect_eq(d.machine->levels, 5);
	cr_expect_eq(level(&d, 0, "main")->word, 8);
	l = level(&d, 1, "buffer");
	cr_expect(l->words == 4096 && l->may_keep == (I | O) && l->must_keep == (I | O));
	cr_expect_str_eq(l->array, "column");
	cr_expect(l->axes == 1 && l->fanout[0] == 4 && l->multicast == W && l->reduce == O);
	l = level(&d, 2, "column");
	cr_expect(!l->is_memory && l->fanout[0] == 3 && l->fanout[1] == 1 &&
		  l->multicast == (I | W));
	l = level(&d, 3, "in_reg");
	cr_expect(l->words == 16 && l->may_keep == I && l->read_bandwidth == 8);
	cr_expect_eq(level(&d, 4, "w_reg")->may_keep, W);
	arena_free(d.arena);
}

Test(timeloop_read, the_oldest_lists_have_the_innermost_first)
{
	struct desk d = read_files(NULL, FILES "lists.yaml");
	const struct level *l;

	cr_assert_not_null(d.machine, "%s", first_message(&d));
	cr_expect_eq(d.machine->levels, 3);
	cr_expect_eq(level(&d, 0, "dram")->cost[ACCESS_READ], 100);
	l = level(&d, 1, "ram");
	cr_expect(l->words == 2048 && l->read_bandwidth == 8 && l->write_bandwidth == 8 &&
		  l->fanout[0] == 2 && l->fanout[1] == 4);
	cr_expect_eq(level(&d, 2, "regs")->words, 4);
	arena_free(d.arena);
}

Test(timeloop_read, a_problem_is_a_layer_with_its_loops_and_subscripts)
{
	struct desk d = read_files(FILES "problem.yaml", NULL);
	const struct problem *p = d.problem;
	static const char *const dim[] = {"M", "Q", "P", "C", "R", "S"};
	static const int64_t extent[] = {16, 6, 8, 3, 3, 3};

	cr_assert_not_null(p, "%s", first_message(&d));
	cr_expect_str_eq(p->name, "strided");
	cr_assert_eq(p->dims, 6);
	for (int i = 0; i < 6; i++) {
		cr_expect_str_eq(p->dim[i], dim[i]);
		cr_expect_eq(p->extent[i], extent[i]);
	}
	cr_assert_eq(p->operands, 3);
	cr_expect(p->operand[0].class == CLASS_I && p->operand[0].ranks == 3);
	cr_expect(p->operand[0].coef[1][2] == 2 && p->operand[0].coef[1][4] == 1, "2 P + R");
	cr_expect(p->operand[0].coef[2][1] == 1 && p->operand[0].coef[2][5] == 1, "Q + S");
	cr_expect_eq(p->operand[1].class, CLASS_W);
	cr_expect_eq(p->operand[2].class, CLASS_O);
	arena_free(d.arena);
}

/* ---- Problems and architectures that are refused ------------------------------------------------------------------- */

#define SHAPE                                                                                      \
	"problem:\n  shape:\n    dimensions: [M, N, K]\n    data_spaces:\n"                        \
	"    - {name: A, projection: [M, K]}\n    - {name: B, projection: [K, N]}\n"
#define MATRICES SHAPE "    - {name: Z, projection: [M, N], read_write: true}\n"
#define ARCH "architecture:\n  version: 0.3\n  subtree:\n  - name: chip\n    local:\n"
#define DRAM "    - {name: dram, class: DRAM}\n"
#define MAC "    - {name: alu, class: intmac}\n"
#define GLB(attributes) "    - {name: glb, class: SRAM, attributes: {" attributes "}}\n"

static const struct {
	const char *text, *code;
	int line, column;
	const char *said;
} bad[] = {
	/* no YAML, or none of Timeloop's */
	{"problem: [1, 2\n", "yaml", 2, 1, "no YAML"},
	{"problem: {a: 1, a: 2}\n", "yaml", 1, 17, "duplicate"},
	{"problem: *other\n", "yaml", 1, 10, "anchor"},
	{"a: &a\n  b: *a\n", "yaml", 2, 6, "anchor"},
	{"a:\n  <<: 3\n", "yaml", 2, 7, "merges a map"},
	{"{{include('x')}}\nproblem: 3\n", "yaml", 1, 3, "key"},
	{"- problem\n", "timeloop", 1, 1, "holds no map"},
	{"", "timeloop", 1, 1, "holds no map"},
	{"architecture: 3\n", "timeloop", 1, 1, "no 'problem'"},
	/* problems */
	{"problem: 3\n", "timeloop", 1, 10, "is a map"},
	{MATRICES "  instance: {M: 4, N: 8}\n", "timeloop", 8, 3, "how long dimension 'K'"},
	{MATRICES "  instance: {M: 4, N: 0, K: 2}\n", "out-of-range", 8, 23, "from 1"},
	{MATRICES "  instance: {M: 4, N: 2*3, K: 2}\n", "not-an-integer", 8, 23, "'2*3'"},
	{MATRICES "  instance: {M: 4, N: [1], K: 2}\n", "not-an-integer", 8, 20, "a list"},
	{MATRICES "  instance: {M: 4, N: 99999999999999999999, K: 2}\n", "out-of-range", 8, 23,
	 "from 1"},
	{MATRICES "  instance: {M: 4, N: 1, K: 2, densities: {A: 0.5}}\n", "timeloop-unsupported",
	 8, 47, "sparse"},
	{SHAPE "  instance: {M: 4, N: 1, K: 2}\n", "timeloop", 2, 3, "one data space is written"},
	{SHAPE
	 "    - {name: Z, projection: [M, L], read_write: true}\n  instance: {M: 4, N: 1, K: 2}\n",
	 "unknown-name", 7, 33, "no dimension 'L'"},
	{SHAPE "    - {name: Z, projection: [[[M], [N]]], read_write: true}\n  instance: {M: 4, N: "
	       "2, K: 2}\n",
	 "timeloop-unsupported", 7, 14, "rank 0 of 'Z'"},
	{SHAPE "    - {name: Z, projection: [[[M, s]]], read_write: true}\n  instance: {M: 4, N: "
	       "2, K: 2}\n",
	 "unknown-name", 7, 35, "no coefficient 's'"},
	{SHAPE "    - {projection: [M]}\n  instance: {M: 4, N: 2, K: 2}\n", "timeloop", 7, 8,
	 "needs a 'name'"},
	{"problem:\n  shape: gemm\n", "timeloop-unsupported", 2, 10, "only 'cnn_layer'"},
	{"problem:\n  shape: {dimensions: [M, M]}\n  M: 3\n", "repeated-name", 2, 27, "twice"},
	/* architectures */
	{"arch: {}\n", "timeloop", 1, 1, "'subtree', 'nodes'"},
	{ARCH DRAM, "timeloop", 1, 1, "no compute unit"},
	{ARCH MAC, "timeloop", 1, 1, "no memory"},
	{ARCH DRAM MAC MAC, "timeloop-unsupported", 8, 8, "a second"},
	{ARCH DRAM GLB("width: 16") MAC, "timeloop", 7, 8, "how many words"},
	{ARCH DRAM GLB("depth: many") MAC, "not-an-integer", 7, 52, "'many'"},
	{ARCH DRAM GLB("depth: 0") MAC, "timeloop-unsupported", 7, 52, "dummy_storage"},
	{ARCH DRAM GLB("depth: 8, width: 24, datawidth: 16") MAC, "timeloop", 7, 62,
	 "no whole number of words"},
	{ARCH DRAM GLB("depth: 8, multiple_buffering: 1.5") MAC, "timeloop-unsupported", 7, 75,
	 "one buffer or two"},
	{ARCH DRAM GLB("depth: 8, read_bandwidth: -1") MAC, "out-of-range", 7, 71,
	 "greater than 0"},
	{ARCH DRAM GLB("depth: 8, read_bandwidth: 1, shared_bandwidth: 2") MAC,
	 "timeloop-unsupported", 7, 92, "one shared port"},
	{ARCH DRAM GLB("depth: 8, network_read: noc") MAC, "timeloop-unsupported", 7, 55,
	 "by name"},
	{ARCH DRAM GLB("depth: 8, reduction_supported: false") MAC, "timeloop-unsupported", 7, 55,
	 "cannot add"},
	{ARCH DRAM GLB("depth: 8, meshX: 2") MAC, "timeloop", 7, 62, "which is not meshX"},
	{ARCH DRAM GLB("depth: 8, network-type: M:N") MAC, "timeloop-unsupported", 7, 69,
	 "distributed"},
	{ARCH DRAM "    - {class: SRAM}\n" MAC, "timeloop", 7, 8, "needs a name"},
	{ARCH DRAM "    - {name: 'glb[3..1]', class: SRAM}\n" MAC, "timeloop", 7, 15,
	 "range of a name"},
	{ARCH DRAM "    - {name: 'glb[0..3]', class: SRAM, attributes: {depth: 4}}\n    - {name: "
		   "'alu[0..5]', class: mac}\n",
	 "timeloop", 8, 8, "no multiple"},
	{"architecture:\n  subtree:\n  - name: a\n  - name: b\n", "timeloop-unsupported", 4, 5,
	 "list of one"},
	{"architecture:\n  nodes:\n  - !Pipelined\n    nodes: []\n", "timeloop-unsupported", 4, 5,
	 "in line"},
	{"architecture:\n  nodes:\n  - !Component {name: d, class: DRAM, attributes: {}, "
	 "sparse_optimizations: {a: 1}}\n",
	 "timeloop-unsupported", 3, 55, "sparse"},
	{"architecture:\n  nodes:\n  - !Container {name: a, spatial: {meshX: 99999999}}\n",
	 "out-of-range", 3, 43, "from 1"},
	{"architecture:\n  nodes:\n  - !Component {name: d, class: DRAM, constraints: {dataspace: "
	 "{keep: [A]}}}\n",
	 "unknown-name", 3, 72, "no data space 'A'"},
	{ARCH DRAM GLB("depth: 8") MAC "architecture_constraints:\n  targets:\n  - {target: rf, "
				       "type: bypass, bypass: [Inputs]}\n",
	 "unknown-name", 11, 14, "no component 'rf'"},
	{ARCH DRAM GLB("depth: 8") MAC "architecture_constraints:\n  targets:\n  - {target: glb, "
				       "type: bypass, bypass: [Input]}\n",
	 "unknown-name", 11, 42, "did you mean 'Inputs'"},
	{ARCH DRAM GLB("depth: 8") MAC "sparse_optimizations:\n  targets: []\n",
	 "timeloop-unsupported", 9, 1, "sparse"},
	/* warnings */
	{ARCH DRAM GLB("depth: 8, read_bandwith: 2") MAC, "timeloop-lost", 7, 55,
	 "did you mean 'read_bandwidth'"},
	{ARCH DRAM GLB("depth: 8, wire_energy: 2") MAC, "timeloop-lost", 7, 55, "wires"},
	{ARCH DRAM GLB("depth: 8") "    - {name: noc, class: XY_NoC}\n" MAC, "timeloop-lost", 8, 8,
	 "network 'noc'"},
	{ARCH DRAM GLB("depth: 8") "    - {name: odd, class: adder}\n" MAC, "timeloop-lost", 8, 8,
	 "left out"},
	{ARCH DRAM GLB("depth: 8") MAC, "timeloop-lost", 1, 1, "Eyeriss"},
};

Test(timeloop_read, what_is_wrong_is_told_at_its_place)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena *arena = arena_new(out_of_memory, NULL);
		const char *path = file_of(arena, bad[i].text, strlen(bad[i].text));
		bool is_arch = strstr(bad[i].text, "arch") &&
			       strcmp(bad[i].text, "architecture: 3\n") != 0;
		struct desk d = read_files(is_arch ? NULL : path, is_arch ? path : NULL);
		int line = 1, column = 1;
		unlink(path);
		cr_assert_gt(d.diag->count, 0, "row %zu: nothing is said of\n%s", i, bad[i].text);
		const struct finding *f = &d.diag->finding[0];
		if (f->span.source)
			source_position(f->span.source, f->span.begin, &line, &column);
		cr_expect_str_eq(f->code, bad[i].code, "row %zu: %s: %s", i, f->code, f->message);
		cr_expect(line == bad[i].line && column == bad[i].column, "row %zu: %d:%d: %s", i,
			  line, column, f->message);
		cr_expect(strstr(f->message, bad[i].said), "row %zu: %s", i, f->message);
		cr_expect_eq(d.diag->errors == 0, strcmp(bad[i].code, "timeloop-lost") == 0,
			     "row %zu", i);
		arena_free(d.arena);
		arena_free(arena);
	}
}

/* ---- Mappings ---------------------------------------------------------------------------------------------------------- */

#define SPATIAL                                                                                    \
	"- {target: shared-glb, type: spatial, factors: P=4 M4, permutation: PMCRSNQ, split: 1}\n"
#define INNER                                                                                      \
	"- {target: weights_spad, type: temporal, factors: C=3 R=3, permutation: CRMSNPQ}\n"       \
	"- {target: psum_spad, type: temporal, factors: [M=4, P=1], permutation: [M, C, R, S, N, " \
	"P, Q]}\n"
#define OUTER                                                                                      \
	"mapping:\n- {target: DRAM, type: temporal, factors: Q=6 P=2, permutation: QPCMRSN}\n"     \
	"- {target: DRAM, type: spatial, factors: '', permutation: '', split: 0}\n"

static struct mapping *read_mapping(struct desk *d, const char *text)
{
	const char *path = file_of(d->arena, text, strlen(text));
	struct mapping *m = mapping_timeloop(d->program, timeloop_load(d->program, path),
					     d->problem, d->machine);

	unlink(path);
	return m;
}

Test(timeloop_read, a_mapping_is_loops_and_what_is_kept)
{
	struct desk d = read_files(FILES "problem.yaml", FILES "tree.yaml");
	struct mapping *m = read_mapping(
		&d,
		OUTER "- {target: shared-glb, type: temporal, factors: S=3, permutation: SCMRNPQ}\n"
		      "- {target: shared-glb, type: bypass, keep: [Inputs], bypass: [Weights, "
		      "Outputs]}\n" SPATIAL INNER);
	/* outermost first: P over Q at the DRAM; P along columns, M along rows */
	static const struct {
		const char *dim;
		enum loop_kind kind;
		int level, axis;
		int64_t tile;
	} loop[] = {{"P", LOOP_TIME, 0, 0, 4},  {"Q", LOOP_TIME, 0, 0, 1},
		    {"S", LOOP_TIME, 1, 0, 1},  {"M", LOOP_SPACE, 1, 0, 4},
		    {"P", LOOP_SPACE, 1, 1, 1}, {"R", LOOP_TIME, 2, 0, 1},
		    {"C", LOOP_TIME, 2, 0, 1},  {"M", LOOP_TIME, 3, 0, 1}};

	cr_assert_not_null(m, "%s", first_message(&d));
	cr_assert_eq(m->loops, 8);
	for (int i = 0; i < 8; i++) {
		const struct mapped_loop *l = &m->loop[i];
		cr_expect_str_eq(d.problem->dim[l->dim], loop[i].dim, "loop %d", i);
		cr_expect(l->kind == loop[i].kind && l->level == loop[i].level &&
				  l->axis == loop[i].axis && l->tile == loop[i].tile,
			  "loop %d: tile %lld", i, (long long)l->tile);
	}
	cr_expect(m->keep[0] == 7 && m->keep[1] == 1 && m->keep[2] == 2 && m->keep[3] == 4);
	arena_free(d.arena);
}

#define GLB_TIME "- {target: shared-glb, type: temporal, factors: S=3, permutation: SCMRNPQ}\n"

static const struct {
	const char *text, *code, *said;
} bad_mapping[] = {
	{"mapping: 3\n", "timeloop", "no list 'mapping'"},
	{OUTER GLB_TIME SPATIAL, "bad-mapping", "the factors of M walk 4, and it is 16"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: rf, type: temporal}\n", "unknown-name",
	 "no memory 'rf'"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: DRAM, type: skew}\n", "timeloop-unsupported",
	 "'skew'"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: DRAM, type: temporal, factors: Z=3}\n",
	 "unknown-name", "'Z'"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: DRAM, type: temporal, factors: Q=0}\n",
	 "timeloop", "from 1"},
	{OUTER GLB_TIME SPATIAL INNER
	 "- {target: DRAM, type: temporal, factors: Q=6 P=2, permutation: QCC}\n",
	 "repeated-name", "twice"},
	{OUTER GLB_TIME SPATIAL INNER
	 "- {target: DRAM, type: temporal, factors: Q=6 P=2, permutation: Q}\n",
	 "bad-mapping", "where the loop over P"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: psum_spad, type: bypass, keep: [Inputs]}\n",
	 "bad-mapping", "is not kept by"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: weights_spad, type: bypass, bypass: [Weights]}\n",
	 "bad-mapping", "which holds it"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: DRAM, type: bypass, keep: [Sums]}\n",
	 "unknown-name", "'Sums'"},
	{OUTER GLB_TIME SPATIAL INNER "- {target: weights_spad, type: temporal, factors: C=3 R=3, "
				      "permutation: CR, no_temporal_reuse: [Weights]}\n",
	 "timeloop-unsupported", "no_temporal_reuse"},
	{OUTER GLB_TIME
	 "- {target: shared-glb, type: spatial, factors: P=4 M4, permutation: PMCRSNQ}\n" INNER,
	 "does-not-fit", "units"},
	{OUTER GLB_TIME
	 "- {target: weights_spad, type: spatial, factors: P=4 M4, permutation: PMCRSNQ}\n" INNER,
	 "bad-mapping", "no units inside"},
	{OUTER GLB_TIME SPATIAL
	 "- {target: psum_spad, type: temporal, factors: M=4 C=3 R=3, permutation: CRM}\n"
	 "- {target: weights_spad, type: temporal, factors: 'C=1,2', permutation: C}\n",
	 "bad-mapping", "walk"},
};

Test(timeloop_read, a_wrong_mapping_is_told)
{
	for (size_t i = 0; i < sizeof bad_mapping / sizeof *bad_mapping; i++) {
		struct desk d = read_files(FILES "problem.yaml", FILES "tree.yaml");
		cr_assert(d.problem && d.machine);
		cr_expect_null(read_mapping(&d, bad_mapping[i].text), "row %zu", i);
		cr_assert_gt(d.diag->count, 0, "row %zu", i);
		const struct finding *f = &d.diag->finding[0];
		cr_expect_str_eq(f->code, bad_mapping[i].code, "row %zu: %s", i, f->message);
		cr_expect(strstr(f->message, bad_mapping[i].said), "row %zu: %s", i, f->message);
		cr_expect_not_null(f->span.source, "row %zu has a place", i);
		arena_free(d.arena);
	}
}

/* ---- Damage --------------------------------------------------------------------------------------------------------- */

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	return *state ^= *state << 17;
}

/* A few places are overwritten, doubled, cut or filled with words that mean something here. */
static size_t damage(char *text, size_t size, size_t room, uint64_t *state)
{
	static const char *const word[] = {
		"&a ", "*a",        "[",          "]",           "{",     "}",    ": ",    "- ",
		"\n",  "<<: *sram", "!Parallel ", "99999999999", "-1",    "0",    "1e308", "null",
		"\"",  "|\n",       "\t",         "[0..999999]", "---\n", "\xff", "# "};
	for (int count = 1 + (int)(next(state) % 4); count > 0 && size > 0; count--) {
		size_t at = next(state) % size, length = 1 + next(state) % 24;
		const char *put = word[next(state) % (sizeof word / sizeof *word)];
		if (length > size - at)
			length = size - at;
		switch (next(state) % 4) {
		case 0:
			text[at] = (char)next(state);
			break;
		case 1:
			memmove(text + at, text + at + length, size - at - length);
			size -= length;
			break;
		case 2:
			if (size + length > room)
				break;
			memmove(text + at + length, text + at, size - at);
			size += length;
			break;
		default:
			length = strlen(put);
			if (size + length > room)
				break;
			memmove(text + at + length, text + at, size - at);
			memcpy(text + at, put, length);
			size += length;
		}
	}
	return size;
}

Test(timeloop_read, no_damaged_file_makes_it_fall, .timeout = 240)
{
	static const char *const file[] = {"tree.yaml", "nodes.yaml", "lists.yaml", "problem.yaml",
					   "mapped.yaml"};
	const char *times = getenv("TIMELOOP_TIMES");
	int cases = 600 * (times ? atoi(times) : 1), refused = 0;

	for (int f = 0; f < 5; f++) {
		struct arena *arena = arena_new(out_of_memory, NULL);
		char *text, *error = file_read(arena_printf(arena, FILES "%s", file[f]), &text,
					       &(size_t){0});
		cr_assert_null(error, "%s", error);
		size_t size = strlen(text), room = 2 * size;
		char *copy = arena_alloc(arena, room + 1);
		for (int i = 0; i < cases; i++) {
			uint64_t state =
				(uint64_t)(f * 1000003 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
			memcpy(copy, text, size);
			size_t damaged = damage(copy, size, room, &state);
			const char *path = file_of(arena, copy, damaged);
			struct desk d =
				read_files(f == 3 || f == 4 ? path : NULL, f == 3 ? NULL : path);
			if (d.problem && d.machine)
				mapping_timeloop(d.program, timeloop_load(d.program, path),
						 d.problem, d.machine);
			cr_expect(d.diag->count > 0 || d.problem || d.machine,
				  "%s, case %d: silence", file[f], i);
			refused += d.diag->errors > 0;
			unlink(path);
			arena_free(d.arena);
		}
		free(text);
		arena_free(arena);
	}
	cr_expect_gt(refused, cases, "%d of %d", refused, 5 * cases);
}

/* Each level of anchors names the one before twice: a walk of all of it would not end. */
Test(timeloop_read, aliases_of_aliases_end, .timeout = 20)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	char *text = arena_printf(
		arena, "architecture:\n  nodes:\n  - &n0 !Component {name: a, class: DRAM}\n");

	for (int i = 1; i < 40; i++)
		text = arena_printf(arena, "%s  - &n%d !Hierarchical {nodes: [*n%d, *n%d]}\n", text,
				    i, i - 1, i - 1);
	const char *path = file_of(arena, text, strlen(text));
	struct desk d = read_files(NULL, path);
	unlink(path);
	cr_expect_gt(d.diag->errors, 0);
	cr_expect_str_eq(d.diag->finding[0].code, "timeloop-unsupported", "%s", first_message(&d));
	arena_free(d.arena);
	arena_free(arena);
}
