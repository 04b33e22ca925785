/* brute_mapper_test.c -- the oracle of the search, itself held to numbers found by hand, to closed
 * formulas for the size of simple spaces, and to an enumeration that tries everything that can be
 * written down. Sections and rules are those of docs/mapper.md. */
#include "frontend/source/arena.h"
#include "nest_fixture.h"
#include "search_trial.h"

#include <criterion/criterion.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>

/* Spaces of a known size. */

static void must_not_happen(void *context)
{
	(void)context;
	abort();
}

enum { LARGE = 1000 };

/* Memories in line without end that keep anything; each access costs 1, those of level 0 10. */
static void make_line(struct hierarchy *machine, int levels)
{
	*machine = (struct hierarchy){.name = "line", .levels = levels, .mac_cost = 1};
	for (int l = 0; l < levels; l++) {
		struct level *level = &machine->level[l];
		*level = (struct level){.name = "m", .is_memory = true, .may_keep = 7};
		level->buffers = 1;
		for (int k = 0; k < ACCESS_KINDS; k++)
			level->cost[k] = l == 0 ? 10 : 1;
		level->multicast = level->reduce = 7;
		level->fanout[0] = level->fanout[1] = 1;
	}
	machine->level[0].must_keep = 7;
}

static void make_array(struct hierarchy *machine, int level, int axes, int64_t row, int64_t column)
{
	machine->level[level].axes = axes;
	machine->level[level].fanout[0] = row;
	machine->level[level].fanout[1] = column;
}

/* Matrices of m x k and k x n. */
static void make_matmul(struct problem *problem, int64_t m, int64_t k, int64_t n)
{
	struct shape shape = {.stride = 1, .dilation = 1};
	shape.extent['m'] = m;
	shape.extent['k'] = k;
	shape.extent['n'] = n;
	note_problem(problem, "m k|k n|m n", &shape);
}

static struct brute_result answer(const struct problem *problem, const struct hierarchy *machine,
				  const struct search_options *options)
{
	struct brute_result result = {.every_order = true};
	brute_search(problem, machine, options, &result);
	cr_expect_eq(result.miscounted, 0, "the closed form is not what the walk says");
	brute_release(&result);
	return result;
}

static void expect_mappings(const struct problem *problem, const struct hierarchy *machine,
			    bool imperfect, int64_t mappings, const char *what)
{
	struct search_options options = {.imperfect = imperfect};
	struct brute_result result = answer(problem, machine, &options);
	cr_expect_eq(result.mappings, mappings, "%s: %" PRId64 " mappings, not %" PRId64, what,
		     result.mappings, mappings);
}

/* Each dimension is prime: it runs whole in one of the ordered lists of loops in time, or along one
 * of the axes. So D of them stand in L lists in L (L + 1) ... (L + D - 1) ways, and each level but
 * the first keeps one of 8 sets. */
Test(brute_mapper, primes_are_counted)
{
	struct problem problem;
	make_matmul(&problem, 2, 3, 5);
	for (int64_t levels = 1; levels <= 4; levels++)
		for (int axes = 0; axes <= 2; axes++) {
			struct hierarchy machine;
			int64_t L = levels, A = axes;
			int64_t mappings = L * (L + 1) * (L + 2) + 3 * A * L * (L + 1) +
					   3 * A * A * L + A * A * A;
			make_line(&machine, (int)levels);
			make_array(&machine, (int)levels - 1, axes, LARGE, LARGE);
			for (int l = 1; l < levels; l++)
				mappings *= 8;
			expect_mappings(&problem, &machine, false, mappings, "primes");
		}
}

/* One dimension has no order: 2^k in L loops in time is k things in L boxes, C(k + L - 1, L - 1). */
Test(brute_mapper, powers_are_counted)
{
	static const int64_t boxes[4][5] = {
		{0}, {1, 1, 1, 1, 1}, {1, 2, 3, 4, 5}, {1, 3, 6, 10, 15}};
	for (int k = 1; k <= 4; k++)
		for (int levels = 1; levels <= 3; levels++) {
			struct problem problem;
			struct hierarchy machine;
			int64_t keeps = levels == 1 ? 1 : levels == 2 ? 8 : 64;
			make_matmul(&problem, (int64_t)1 << k, 1, 1);
			make_line(&machine, levels);
			expect_mappings(&problem, &machine, false, keeps * boxes[levels][k],
					"powers in time");
			/* An array of two axes, 4 and 2: a loop of 2 along either, of 4 along the
			 * first. */
			int64_t mappings = boxes[levels][k] + 2 * boxes[levels][k - 1];
			if (k >= 2)
				mappings += boxes[levels][k - 2];
			make_array(&machine, 0, 2, 4, 2);
			expect_mappings(&problem, &machine, false, keeps * mappings,
					"powers in time and space");
		}
}

/* Rule 3, by hand; between two memories stands an axis of so many units. Of an extent of 6: L = 6
 * parts among 1, 2, 3 units (4 give tiles of 2, as 3 do), L = 3 among 1, 2 (unevenly), 3, L = 2
 * among 1, 2, and L = 1. */
Test(brute_mapper, imperfect_factors_are_counted)
{
	static const struct {
		int64_t extent, units, perfect, imperfect;
	} rows[] = {
		{5, 1, 2, 2}, {5, 2, 2, 3}, {5, 3, 2, 4},   {5, 4, 2, 4},
		{5, 5, 3, 5}, {6, 4, 8, 9}, {7, 4, 2, 5},   /* tiles 7, 4, 3, 2 */
		{7, 6, 2, 5}, {7, 7, 3, 6}, {10, 4, 6, 10}, /* 10 5 4 3; 5 3 2; 2 1; 1 */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct problem problem;
		struct hierarchy machine;
		char what[64];
		make_matmul(&problem, rows[i].extent, 1, 1);
		make_line(&machine, 2);
		make_array(&machine, 0, 1, rows[i].units, 1);
		machine.level[1].must_keep = 7;
		sprintf(what, "%d among %d", (int)rows[i].extent, (int)rows[i].units);
		expect_mappings(&problem, &machine, false, rows[i].perfect, what);
		expect_mappings(&problem, &machine, true, rows[i].imperfect, what);
	}
}

/* At most one loop in space of a dimension is imperfect: 5 among 3 leaves tiles of 2, which 2 units
 * of an inner array may part, and 5 among 2 tiles of 3, which they may not. */
Test(brute_mapper, only_one_factor_is_imperfect)
{
	struct problem problem;
	struct hierarchy machine;
	make_matmul(&problem, 5, 1, 1);
	make_line(&machine, 1);
	make_array(&machine, 0, 1, 3, 1);
	machine.levels = 3;
	for (int l = 1; l < 3; l++) {
		machine.level[l] = machine.level[0];
		machine.level[l].must_keep = machine.level[l].may_keep = 0;
	}
	machine.level[1].is_memory = false;
	make_array(&machine, 1, 1, 2, 1);
	make_array(&machine, 2, 0, 1, 1);
	/* 5 at level 0; then 5 = 3 + 2 or 2 + 2 + 1 over the outer array, the last of which the inner
	 * one parts or not; then 5 = 3 + 2 over the inner array alone; or 5 at level 2. */
	expect_mappings(&problem, &machine, true, 6, "5 over two arrays");
	expect_mappings(&problem, &machine, false, 2, "5, perfect");
}

/* Costs found by hand. */

/* 2 x 2 x 2, where level 1 has room for one word of each: all loops run at level 0, in 6 orders.
 * With k innermost I and W come 8 times, O goes 4 times: 20 accesses of level 0; inside 16 fills, 16
 * reads, 8 updates and, but for the first visit of each word, 4 reads: 8 + 200 + 44 = 252.
 * With another innermost O goes and comes too: 24 accesses of level 0, inside 4 fills of O more and
 * 4 of an input less, 292. */
Test(brute_mapper, a_matmul_is_costed_by_hand)
{
	struct problem problem;
	struct hierarchy machine;
	struct search_options options = {0};
	make_matmul(&problem, 2, 2, 2);
	make_line(&machine, 2);
	machine.level[1].words = 3;
	machine.level[1].must_keep = 7;
	struct brute_result result = answer(&problem, &machine, &options);
	cr_expect_eq(result.mappings, 6, "%" PRId64, result.mappings);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 252, "%g", result.best[0].value);
	cr_expect_eq(result.best[OBJECTIVE_EDP].value, 252 * 8);
	cr_expect_eq(result.best[OBJECTIVE_CYCLES].value, 8);
	cr_expect_eq(result.best[OBJECTIVE_CYCLES].tie, 252, "energy breaks ties of cycles");
	cr_expect_eq(result.points, 1);

	/* O stationary: k is innermost, m and n stand in either order. I stationary: n is. */
	struct constraint constraint;
	constraint_free(&constraint, &problem, &machine);
	options.constraint = &constraint;
	constraint.stationary[0] = 2;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.mappings, 2, "%" PRId64, result.mappings);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 252);
	constraint.stationary[0] = 0;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.mappings, 2, "%" PRId64, result.mappings);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 292, "%g", result.best[0].value);

	/* m innermost, then n inside of m: k stands outside. (Dimensions are sorted: k, m, n.) */
	constraint.stationary[0] = -1;
	constraint.order_count[0] = 1;
	constraint.order[0][0] = 1;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.mappings, 2, "%" PRId64, result.mappings);
	constraint.order_count[0] = 2;
	constraint.order[0][1] = 2;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.mappings, 1, "%" PRId64, result.mappings);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].mapping.loop[1].dim, 1);

	/* One word less, and nothing fits; with two buffers, 6 words are needed. */
	options.constraint = NULL;
	machine.level[1].words = 2;
	cr_expect_eq(answer(&problem, &machine, &options).mappings, 0);
	machine.level[1].words = 5;
	machine.level[1].buffers = 2;
	cr_expect_eq(answer(&problem, &machine, &options).mappings, 0);
	machine.level[1].words = 6;
	cr_expect_eq(answer(&problem, &machine, &options).mappings, 6);
}

/* The same with room for everything, 12 words, and 2 units. With k in space the two products are
 * added on their way, so that O needs no place inside: 8 reads and 4 updates of level 0, 8 fills and
 * 16 reads inside, 8 + 120 + 24 = 152. Where nothing is added or shared O is kept: 8 updates and 4
 * reads more, 164, whatever runs in space. */
Test(brute_mapper, units_and_ports_are_costed_by_hand)
{
	struct problem problem;
	struct hierarchy machine;
	struct search_options options = {0};
	make_matmul(&problem, 2, 2, 2);
	make_line(&machine, 2);
	machine.level[1].words = 12;
	make_array(&machine, 1, 1, 2, 1);
	struct brute_result result = answer(&problem, &machine, &options);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 152, "%g", result.best[0].value);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].tie, 4, "cycles break ties of energy");
	machine.level[1].reduce = machine.level[1].multicast = 0;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 164, "%g", result.best[0].value);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].tie, 4);
	/* One word read in a cycle: the 20 reads inside take 20 cycles. In 4 cycles only O may be
	 * read there: 16 reads and 4 updates of level 0, 8 updates and 4 reads inside. */
	machine.level[1].read_bandwidth = 1;
	result = answer(&problem, &machine, &options);
	cr_expect_eq(result.best[OBJECTIVE_ENERGY].tie, 20, "%g", result.best[0].tie);
	cr_expect_eq(result.best[OBJECTIVE_CYCLES].value, 4);
	cr_expect_eq(result.best[OBJECTIVE_CYCLES].tie, 8 + 200 + 12, "%g",
		     result.best[OBJECTIVE_CYCLES].tie);
}

/* Networks and widths, found by hand. */

/* Two memories whose accesses and MACs cost nothing; what costs is said by the test. */
static void make_free(struct hierarchy *machine, int levels)
{
	make_line(machine, levels);
	machine->mac_cost = 0;
	for (int l = 0; l < levels; l++)
		memset(machine->level[l].cost, 0, sizeof machine->level[l].cost);
}

static void set_topology(struct hierarchy *machine, enum topology topology)
{
	for (int c = 0; c < CLASSES; c++)
		machine->level[0].topology[c] = topology;
}

static void note(struct problem *problem, const char *notation, int64_t m, int64_t n)
{
	struct shape shape = {.extent = {['m'] = m, ['n'] = n}, .stride = 1, .dilation = 1};
	note_problem(problem, notation, &shape);
}

/* The whole front, whose points are energy and cycles. */
static void expect_front(const struct problem *problem, const struct hierarchy *machine, int points,
			 const double point[][2], const char *what)
{
	struct search_options options = {0};
	struct brute_result result = {0};
	brute_search(problem, machine, &options, &result);
	cr_expect_eq(result.points, points, "%s: %d points", what, result.points);
	for (int i = 0; i < points && i < result.points; i++)
		cr_expect(result.point[i].energy == point[i][0] &&
				  (double)result.point[i].cycles == point[i][1],
			  "%s: point %d is %g in %" PRId64 " cycles", what, i,
			  result.point[i].energy, result.point[i].cycles);
	brute_release(&result);
}

/* O[m, n] = I[m] * W[n], 2 x 3, on 2 x 3 units. One unit, at the port, takes a link a word: 6 * 3. Along m, on either
 * axis, 3 times: 1 + 2 for two words of I, 2 for one of W, 1 + 2 for two sums. Along n, twice: 3 for I, 1 + 2 + 3 for W
 * and for O. Along both, I[m] takes 3 + 3 m, W[n] n + 2 and a sum m + n + 1. */
Test(brute_mapper, a_mesh_is_costed_by_hand)
{
	static const double mesh[][2] = {{18, 6}, {3 * 8, 3}, {2 * 15, 2}, {9 + 9 + 15, 1}};
	static const double torus[][2] = {{18, 6}, {3 * 8, 3}, {2 * 13, 2}, {9 + 8 + 13, 1}};
	static const double bus[][2] = {{18, 1}};
	struct problem problem;
	struct hierarchy machine;
	make_free(&machine, 1);
	make_array(&machine, 0, 2, 2, 3);
	machine.level[0].hop_cost = 1;
	note(&problem, "m|n|m n", 2, 3);
	expect_mappings(&problem, &machine, false, 2 + 2 + 1 + 1, "a mesh");
	expect_front(&problem, &machine, 1, bus, "bus");
	set_topology(&machine, TOPOLOGY_MESH);
	expect_front(&problem, &machine, 4, mesh, "mesh");
	/* column 2 is next to the port */
	set_topology(&machine, TOPOLOGY_TORUS);
	expect_front(&problem, &machine, 4, torus, "torus");
}

/* On 3 x 2 units I[m] goes down a column, 3 + m links, W[n] to a row, 2 + 2 n. On a line of 6 the unit may be 3 m + n: then I[m]
 * takes 3 m + 3, W[n] 4 + n and the sums 1 to 6, which is 45. As 2 n + m it takes 5 + m, 2 n + 2 and the same: one less. */
Test(brute_mapper, axes_and_orders_along_them_are_told_apart)
{
	static const struct {
		int64_t rows, columns;
		double hops;
	} row[] = {{2, 3, 9 + 9 + 15}, {3, 2, 7 + 12 + 15}, {6, 1, 11 + 12 + 21}, {1, 6, 44}};
	struct problem problem;
	struct hierarchy machine;
	make_free(&machine, 1);
	machine.level[0].hop_cost = 1;
	set_topology(&machine, TOPOLOGY_MESH);
	note(&problem, "m|n|m n", 2, 3);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct search_options options = {0};
		make_array(&machine, 0, 2, row[i].rows, row[i].columns);
		struct brute_result result = answer(&problem, &machine, &options);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].value, 1);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].tie, row[i].hops,
			     "%d x %d: %g hops, not %g", (int)row[i].rows, (int)row[i].columns,
			     result.best[OBJECTIVE_CYCLES].tie, row[i].hops);
	}
}

/* Four units of a ring, which may be longer; one word for all of them, and a word for and a sum of each. In a ring of 4
 * they are 0, 1, 2 and 1 away, of 5 0, 1, 2 and 2, round by the unit that is idle; of 6 both ways are as long. */
Test(brute_mapper, a_ring_is_as_long_as_it_is_in_the_machine)
{
	static const struct {
		int64_t length;
		double hops;
	} row[] = {{4, 4 + 8 + 8}, {5, 5 + 9 + 9}, {6, 4 + 10 + 10}, {7, 24}, {16, 24}};
	struct problem problem;
	struct hierarchy machine;
	make_free(&machine, 1);
	machine.level[0].hop_cost = 1;
	set_topology(&machine, TOPOLOGY_TORUS);
	note(&problem, "|n|n", 1, 4);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct search_options options = {0};
		make_array(&machine, 0, 1, row[i].length, 1);
		struct brute_result result = answer(&problem, &machine, &options);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].value, 1);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].tie, row[i].hops,
			     "a ring of %d: %g hops", (int)row[i].length,
			     result.best[OBJECTIVE_CYCLES].tie);
	}
}

/* O[m, n] = I[m] * W[n], 2 x 3, on 3 units that keep I: a read there costs 5, one outside 1. MACs read I 6 times, which
 * is 30. With n in space 2 words of I go to 3 units, and 6 of W: 38 in 2 cycles; linked, each is passed on twice more: 58.
 * With m in space 2 words of I go to one unit each, and 3 of W to both: 35 in 3 cycles, with links or without. */
Test(brute_mapper, a_link_is_costed_by_hand)
{
	static const double multicast[][2] = {{35, 3}, {38, 2}}, linked[][2] = {{35, 3}, {58, 2}};
	struct problem problem;
	struct hierarchy machine;
	struct search_options options = {0};
	make_free(&machine, 2);
	make_array(&machine, 0, 1, 3, 1);
	machine.level[0].cost[ACCESS_READ] = 1;
	machine.level[1].cost[ACCESS_READ] = 5;
	machine.level[1].must_keep = machine.level[1].may_keep = 1u << CLASS_I;
	note(&problem, "m|n|m n", 2, 3);
	expect_front(&problem, &machine, 2, multicast, "multicast");
	cr_expect_eq(answer(&problem, &machine, &options).best[OBJECTIVE_EDP].value, 38 * 2);
	machine.level[0].linked[CLASS_I] = 1;
	expect_front(&problem, &machine, 2, linked, "linked");
	cr_expect_eq(answer(&problem, &machine, &options).best[OBJECTIVE_EDP].value, 35 * 3);
	/* what the units do not keep they do not pass on: it is sent to all, and sums are added */
	machine.level[0].linked[CLASS_I] = 0;
	machine.level[0].linked[CLASS_W] = machine.level[0].linked[CLASS_O] = 1;
	expect_front(&problem, &machine, 2, multicast, "links of what is not kept");
}

/* 2 x 2 x 2 on 2 units that have room for everything: 4 words of each tensor cross, 12 accesses of 10. With k in space
 * a unit is filled with 2 words of I and of W and reads 4 of each; accesses of 3 words are 1 + 1 + 2 + 2 in each of two
 * units. (Of both together they would be 2 + 2 + 3 + 3.) One unit is filled with 4 and 4, reads 8 and 8, updates 8 sums
 * and reads 4 again: by 3 words 2 + 2 + 3 + 3 + 3 + 2, and by 8 one each: less than two units need. */
Test(brute_mapper, a_width_is_costed_by_hand)
{
	static const struct {
		int64_t width;
		double inside, cycles;
	} row[] = {{1, 24, 4}, {2, 12, 4}, {3, 12, 4}, {4, 8, 4}, {8, 6, 8}};
	struct problem problem;
	struct hierarchy machine;
	struct search_options options = {0};
	make_matmul(&problem, 2, 2, 2);
	make_line(&machine, 2);
	make_array(&machine, 0, 1, 2, 1);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		machine.level[1].width = row[i].width;
		struct brute_result result = answer(&problem, &machine, &options);
		cr_expect_eq(result.best[OBJECTIVE_ENERGY].value, 8 + 120 + row[i].inside,
			     "by %d words: %g", (int)row[i].width,
			     result.best[OBJECTIVE_ENERGY].value);
		cr_expect_eq(result.best[OBJECTIVE_ENERGY].tie, row[i].cycles, "by %d words",
			     (int)row[i].width);
	}
	/* Outside, 4 words are one access of 4, and 8 are two: an input that MACs read there 8 times costs 20, and one that
	 * is kept 10 + 4 + 8. With k in space 8 sums arrive as 4. By 3 words it is 30 against 20 + 12, and 20 for sums. */
	machine.level[1].width = 1;
	machine.level[0].width = 4;
	cr_expect_eq(answer(&problem, &machine, &options).best[0].value, 8 + 20 + 20 + 10);
	machine.level[0].width = 3;
	cr_expect_eq(answer(&problem, &machine, &options).best[0].value, 8 + 30 + 30 + 20);
}

/* The same where nothing is shared or added. Two units take 4 words of one input, 4 twice of the other and send 4 sums:
 * 16 words, of which MACs may take 8 as they come: 8 + 160 + 24 in 4 cycles. One unit takes and sends 12: 8 + 120 + 36
 * in 8. A slow network makes one unit the faster. */
Test(brute_mapper, a_slow_network_is_costed_by_hand)
{
	static const struct {
		double words, cycles, energy;
	} row[] = {{0, 4, 192}, {8, 4, 192},  {4, 4, 192},   {3, 6, 192},
		   {2, 8, 164}, {1, 12, 164}, {0.5, 24, 164}};
	struct problem problem;
	struct hierarchy machine;
	struct search_options options = {0};
	make_matmul(&problem, 2, 2, 2);
	make_line(&machine, 2);
	make_array(&machine, 0, 1, 2, 1);
	machine.level[0].multicast = machine.level[0].reduce = 0;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		machine.level[0].network_bandwidth = row[i].words;
		struct brute_result result = answer(&problem, &machine, &options);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].value, row[i].cycles,
			     "%g words: %g cycles", row[i].words,
			     result.best[OBJECTIVE_CYCLES].value);
		cr_expect_eq(result.best[OBJECTIVE_CYCLES].tie, row[i].energy, "%g words: %g",
			     row[i].words, result.best[OBJECTIVE_CYCLES].tie);
	}
}

/* Everything that can be written down. */

/* Sums of up to 10^5 numbers that agree but for the rounding of each. */
static bool is_sum(double a, double b)
{
	return fabs(a - b) <= 1e5 * DBL_EPSILON * fabs(b);
}

struct writer {
	const struct trial *trial;
	struct arena *arena;
	struct mapping mapping;
	int64_t left[MAX_DIMS];
	int64_t legal;
	double energy; /* of all that are legal */
};

static void try_keeps(struct writer *writer, int level)
{
	const char *why;
	struct cost cost;
	if (level < writer->trial->machine.levels) {
		for (unsigned keep = 0; keep < 1u << writer->trial->problem.operands; keep++) {
			writer->mapping.keep[level] = keep;
			try_keeps(writer, level + 1);
		}
		return;
	}
	bool legal = brute_legal(&writer->mapping, &writer->trial->options, &why), fits = legal;
	if (legal || strcmp(why, "tiles that do not fit") == 0)
		fits = mapping_fits(writer->arena, &writer->mapping, &why);
	cr_assert_eq(legal, fits, "trial %" PRIu64 ": rule 8 is read in two ways",
		     writer->trial->number);
	if (!legal)
		return;
	brute_cost(&writer->mapping, &cost);
	writer->legal++;
	writer->energy += cost.energy;
}

/* Any loop after any loop, as long as each leaves less than there is. Before the sets kept are
 * tried, those that the machine demands must make a mapping: what is kept more takes room. */
static void write_loops(struct writer *writer)
{
	const struct problem *problem = &writer->trial->problem;
	struct mapping *mapping = &writer->mapping;
	bool done = true;
	for (int d = 0; d < problem->dims; d++)
		done &= writer->left[d] == 1;
	if (done) {
		const char *why;
		for (int l = 0; l < writer->trial->machine.levels; l++)
			mapping->keep[l] = writer->trial->constraint.must_keep[l];
		if (brute_legal(mapping, &writer->trial->options, &why))
			try_keeps(writer, 0);
		return;
	}
	struct mapped_loop *loop = &mapping->loop[mapping->loops++];
	for (loop->level = 0; loop->level < writer->trial->machine.levels; loop->level++)
		for (int way = 0; way < 1 + MAX_AXES; way++)
			for (loop->dim = 0; loop->dim < problem->dims; loop->dim++) {
				int64_t left = writer->left[loop->dim];
				loop->kind = way == 0 ? LOOP_TIME : LOOP_SPACE;
				loop->axis = way == 0 ? 0 : way - 1;
				if (mapping->loops > 1 && loop[-1].level > loop->level)
					continue; /* or it would take for ever */
				for (loop->tile = 1; loop->tile < left; loop->tile++) {
					writer->left[loop->dim] = loop->tile;
					write_loops(writer);
				}
				writer->left[loop->dim] = left;
			}
	mapping->loops--;
}

/* A space is what is legal of all that can be written down: nothing is forgotten, nothing more. */
static void compare_written(struct arena *arena, const struct trial *trial)
{
	struct writer writer = {.trial = trial, .arena = arena};
	writer.mapping.problem = &trial->problem;
	writer.mapping.machine = &trial->machine;
	memcpy(writer.left, trial->problem.extent, sizeof writer.left);
	write_loops(&writer);
	struct brute_result result = answer(&trial->problem, &trial->machine, &trial->options);
	cr_expect_eq(writer.legal, result.mappings,
		     "trial %" PRIu64 ": %" PRId64 " written, %" PRId64 " walked", trial->number,
		     writer.legal, result.mappings);
	cr_expect(is_sum(writer.energy, result.energy),
		  "trial %" PRIu64 ": %.17g written, %.17g walked", trial->number, writer.energy,
		  result.energy);
}

/* On the first spaces that are small enough; `what` as of draw_networks. */
static void compare_spaces(int spaces, bool imperfect, unsigned what)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	for (uint64_t number = 0; spaces > 0; number++) {
		struct trial trial;
		int64_t size = 0, points = 1;
		if (number / TRIAL_STATEMENTS % TRIAL_SIZES != 0)
			continue; /* mostly too large */
		draw_trial(&trial, number, imperfect);
		draw_networks(&trial, what);
		trial.options.most_cycles = 0;
		for (int d = 0; d < trial.problem.dims; d++) {
			size += trial.problem.extent[d] * trial.machine.levels;
			points *= trial.problem.extent[d];
		}
		if (trial.evaluations > 400 || trial.evaluations == 0 || size > 26 || points > 20)
			continue;
		compare_written(arena, &trial);
		spaces--;
	}
	arena_free(arena);
}

Test(brute_mapper, all_perfect_mappings_are_walked)
{
	compare_spaces(20, false, 0);
}

/* Where a unit stands counts here: every axis, and on meshes every order along it. */
Test(brute_mapper, all_mappings_onto_networks_are_walked)
{
	compare_spaces(20, false, TRIAL_NETWORKS);
}

Test(brute_mapper, all_imperfect_mappings_are_walked)
{
	compare_spaces(12, true, 0);
}

/* What must hold of any answer. */

enum { TRIALS = 48 };

static struct brute_result answer_trial(const struct trial *trial, bool every_order)
{
	struct brute_result result = {.every_order = every_order};
	brute_search(&trial->problem, &trial->machine, &trial->options, &result);
	cr_expect_eq(result.miscounted, 0, "trial %" PRIu64 ": %" PRId64 " are walked otherwise",
		     trial->number, result.miscounted);
	return result;
}

/* Orders of one class cost the same: with one of each, nothing is lost. */
static void compare_orders(uint64_t trials, unsigned what)
{
	int64_t skipped = 0;
	for (uint64_t number = 0; number < trials; number++) {
		struct trial trial;
		draw_trial(&trial, number, false);
		draw_networks(&trial, what);
		struct brute_result one = answer_trial(&trial, false);
		struct brute_result every = answer_trial(&trial, true);
		cr_expect_eq(one.mappings, every.mappings, "trial %" PRIu64, number);
		cr_expect_eq(one.points, every.points, "trial %" PRIu64, number);
		/* a mesh has orders in space, which were not known when the trial was drawn */
		cr_expect(what & TRIAL_MESHES ? one.evaluations >= trial.evaluations
					      : one.evaluations == trial.evaluations,
			  "trial %" PRIu64, number);
		skipped += every.evaluations - one.evaluations;
		cr_expect(is_sum(one.energy, every.energy) && is_sum(one.cycles, every.cycles),
			  "trial %" PRIu64 ": all together %.17g, %.17g", number, one.energy,
			  every.energy);
		for (int i = 0; i < OBJECTIVES && one.mappings > 0; i++)
			cr_expect(brute_same(one.best[i].value, every.best[i].value) &&
					  brute_same(one.best[i].tie, every.best[i].tie),
				  "trial %" PRIu64 ": %.17g, %.17g", number, one.best[i].value,
				  every.best[i].value);
		for (int i = 0; i < one.points && i < every.points; i++)
			cr_expect(one.point[i].cycles == every.point[i].cycles &&
					  brute_same(one.point[i].energy, every.point[i].energy),
				  "trial %" PRIu64, number);
		brute_release(&one);
		brute_release(&every);
	}
	cr_expect_gt(skipped, 10000, "%" PRId64 " mappings were skipped", skipped);
}

Test(brute_mapper, orders_of_a_class_cost_the_same)
{
	compare_orders(TRIALS, 0);
}

Test(brute_mapper, orders_of_a_class_cost_the_same_on_networks)
{
	compare_orders(TRIALS / 2, TRIAL_NETWORKS);
}

/* The front begins with the least energy and ends with the least cycles; the least product lies on
 * it; and each point is the best in fewer cycles than the one before. */
static void check_front(const struct trial *trial, const struct brute_result *result)
{
	struct trial chain = *trial;
	double product = INFINITY;
	if (trial->constrained)
		chain.options.constraint = &chain.constraint;
	for (int i = 0; i < result->points; i++) {
		const struct brute_point *point = &result->point[i];
		struct brute_result next = answer_trial(&chain, false);
		cr_assert_gt(next.mappings, 0, "trial %" PRIu64, trial->number);
		cr_expect(brute_same(next.best[OBJECTIVE_ENERGY].value, point->energy) &&
				  next.best[OBJECTIVE_ENERGY].cost.cycles == point->cycles,
			  "trial %" PRIu64 ", point %d", trial->number, i);
		product = fmin(product, point->energy * (double)point->cycles);
		chain.options.most_cycles = point->cycles - 1;
		brute_release(&next);
	}
	struct brute_result none = answer_trial(&chain, false);
	cr_expect(none.mappings == 0 || chain.options.most_cycles == 0, "trial %" PRIu64,
		  trial->number);
	brute_release(&none);
	if (result->points == 0)
		return;
	cr_expect(brute_same(product, result->best[OBJECTIVE_EDP].value), "trial %" PRIu64,
		  trial->number);
	cr_expect_eq(result->point[result->points - 1].cycles,
		     result->best[OBJECTIVE_CYCLES].cost.cycles, "trial %" PRIu64, trial->number);
}

/* More room or units, less demanded or leaked, is never worse. */
static void check_larger(struct trial *trial, const struct brute_result *result)
{
	struct hierarchy *machine = &trial->machine;
	struct level *level = &machine->level[draw(trial, machine->levels)];
	level->words *= 2;
	for (int c = 0; c < CLASSES; c++)
		level->class_words[c] = 0;
	for (int l = 0; l < machine->levels; l++)
		machine->level[l].leakage = 0;
	if (level->axes > 0 && !trial->imperfect)
		level->fanout[0]++;
	trial->options.constraint = NULL;
	if (brute_evaluations(&trial->problem, machine, &trial->options, 200000) > 200000)
		return;
	struct brute_result larger = answer_trial(trial, false);
	cr_expect_geq(larger.mappings, result->mappings, "trial %" PRIu64, trial->number);
	for (int i = 0; i < OBJECTIVES && result->mappings > 0; i++)
		cr_expect(larger.best[i].value <= result->best[i].value ||
				  brute_same(larger.best[i].value, result->best[i].value),
			  "trial %" PRIu64 ": %.17g, with more room %.17g", trial->number,
			  result->best[i].value, larger.best[i].value);
	brute_release(&larger);
}

/* What is found is legal, by this file's rules and by rule 8 as the mapper reads it. */
static void check_legal(struct arena *arena, const struct trial *trial,
			const struct brute_result *result)
{
	const char *why;
	for (int i = 0; i < OBJECTIVES && result->mappings > 0; i++) {
		const struct mapping *mapping = &result->best[i].mapping;
		cr_expect(brute_legal(mapping, &trial->options, &why), "trial %" PRIu64 ": %s",
			  trial->number, why);
		cr_expect(mapping_fits(arena, mapping, &why), "trial %" PRIu64 ": %s",
			  trial->number, why);
	}
}

Test(brute_mapper, answers_are_consistent)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	int fronts = 0;
	for (int imperfect = 0; imperfect < 2; imperfect++)
		for (uint64_t number = 0; number < TRIALS / (imperfect ? 3 : 1); number++) {
			struct trial trial;
			draw_trial(&trial, number, imperfect);
			struct brute_result result = answer_trial(&trial, false);
			fronts += result.points > 1;
			check_front(&trial, &result);
			check_legal(arena, &trial, &result);
			check_larger(&trial, &result);
			brute_release(&result);
		}
	cr_expect_gt(fronts, 10, "%d fronts of more than one point", fronts);
	arena_free(arena);
}
