/* mapper_executor_test.c -- the executor that judges the cost model, itself held to counts made by
 * hand: each section of docs/cost-model.md on the smallest nest that shows it. */
#include "nest_executor.h"
#include "nest_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>

/* Dimensions are numbered in the order of the alphabet: in matmul "m k|k n|m n" k, m, n; in a
 * convolution "pr|r|p" p, r. */
#define TIME(level, dim, tile) {LOOP_TIME, level, 0, dim, tile}
#define SPACE(level, axis, dim, tile) {LOOP_SPACE, level, axis, dim, tile}

static struct hierarchy line(int levels)
{
	struct hierarchy machine = {.name = "line", .levels = levels, .mac_cost = 1};
	for (int l = 0; l < levels; l++) {
		machine.level[l].is_memory = true;
		machine.level[l].may_keep = 7;
		machine.level[l].buffers = 1;
		machine.level[l].axes = MAX_AXES;
		machine.level[l].fanout[0] = machine.level[l].fanout[1] = 100;
	}
	return machine;
}

static struct mapping nest(const struct problem *problem, const struct hierarchy *machine,
			   int loops, const struct mapped_loop *loop)
{
	struct mapping mapping = {.problem = problem, .machine = machine, .loops = loops};
	for (int l = 0; l < machine->levels; l++)
		mapping.keep[l] = (1u << problem->operands) - 1;
	memcpy(mapping.loop, loop, (size_t)loops * sizeof *loop);
	return mapping;
}

#define NEST(problem, machine, ...)                                                                \
	nest(problem, machine,                                                                     \
	     sizeof((struct mapped_loop[]){__VA_ARGS__}) / sizeof(struct mapped_loop),             \
	     (struct mapped_loop[]){__VA_ARGS__})

static void expect(const struct cost *cost, int level, int operand, int64_t reads, int64_t fills,
		   int64_t updates, int64_t deliveries)
{
	const struct traffic *traffic = &cost->traffic[level][operand];
	cr_expect_eq(traffic->count[ACCESS_READ], reads, "level %d, operand %d: %" PRId64 " reads",
		     level, operand, traffic->count[ACCESS_READ]);
	cr_expect_eq(traffic->count[ACCESS_FILL], fills, "level %d, operand %d: %" PRId64 " fills",
		     level, operand, traffic->count[ACCESS_FILL]);
	cr_expect_eq(traffic->count[ACCESS_UPDATE], updates,
		     "level %d, operand %d: %" PRId64 " updates", level, operand,
		     traffic->count[ACCESS_UPDATE]);
	cr_expect_eq(traffic->deliveries, deliveries,
		     "level %d, operand %d: %" PRId64 " deliveries", level, operand,
		     traffic->deliveries);
}

Test(executor, rule_1_and_3_loops_that_stand_innermost_are_free_and_sums_return)
{
	enum { K, M, N };
	struct shape shape = {{['k'] = 2, ['m'] = 3, ['n'] = 5}, 1, 1};
	struct problem matmul;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&matmul, "m k|k n|m n", &shape);

	/* m, n, k: the output stays while k runs; nothing else does. */
	struct mapping mapping =
		NEST(&matmul, &machine, TIME(0, M, 1), TIME(0, N, 1), TIME(0, K, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 30, 0, 0, 30);
	expect(&cost, 0, 2, 0, 0, 15, 15);
	expect(&cost, 1, 0, 30, 30, 0, 30);
	expect(&cost, 1, 2, 15, 0, 30, 30);

	/* k, m, n: m x k stays while n runs; each sum leaves twice and returns once. */
	mapping = NEST(&matmul, &machine, TIME(0, K, 1), TIME(0, M, 1), TIME(0, N, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 6, 0, 0, 6);
	expect(&cost, 0, 2, 15, 0, 30, 30);
	expect(&cost, 1, 2, 15, 15, 30, 30);
	cr_expect_eq(cost.macs, 30, "%" PRId64 " MACs", cost.macs);
	cr_expect_eq(cost.steps, 30, "%" PRId64 " steps", cost.steps);
}

Test(executor, rule_2_a_step_of_the_innermost_relevant_loop_brings_the_new_part)
{
	enum { C, P, R };
	struct shape shape = {{['c'] = 2, ['p'] = 4, ['r'] = 3}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&conv, "c pr|c r|c p", &shape);

	/* for each of 2 channels 3 words, then 1 for each of 3 steps: 2 * (3 + 3) */
	struct mapping mapping = NEST(&conv, &machine, TIME(0, C, 1), TIME(0, P, 1), TIME(1, R, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 12, 0, 0, 12);
	cr_expect_eq(cost.traffic[1][0].tile, 3, "a window of 3");
	cr_expect_eq(cost.traffic[0][0].tile, 12, "2 channels of 4 + 3 - 1");
	machine.level[1].halo = HALO_FULL;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 24, 0, 0, 24);

	/* p outside of c: every step brings whole windows, though they overlap. */
	machine.level[1].halo = HALO_DELTA;
	mapping = NEST(&conv, &machine, TIME(0, P, 1), TIME(0, C, 1), TIME(1, R, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 24, 0, 0, 24);

	/* a stride of 4 leaves nothing to keep; a window that moves along two ranks is brought
	 * whole */
	shape.stride = 4;
	note_problem(&conv, "c pr|c r|c p", &shape);
	mapping.problem = &conv;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 24, 0, 0, 24);
	cr_expect_eq(cost.traffic[0][0].tile, 30, "2 channels of 4 * 3 + 3, holes included");
	shape = (struct shape){{['p'] = 4, ['r'] = 3}, 1, 1};
	note_problem(&conv, "pr pr|r|p", &shape);
	mapping = NEST(&conv, &machine, TIME(0, 0, 1), TIME(1, 1, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 36, 0, 0, 36);
}

Test(executor, rule_4_units_at_one_place_share)
{
	enum { P, R };
	struct shape shape = {{['p'] = 2, ['r'] = 2}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&conv, "pr|r|p", &shape);
	struct mapping mapping = NEST(&conv, &machine, SPACE(0, 0, P, 1), SPACE(0, 1, R, 1));

	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 4, 0, 0, 4);
	expect(&cost, 0, 1, 4, 0, 0, 4);
	expect(&cost, 0, 2, 2, 0, 4, 4); /* 4 sums for 2 words */
	expect(&cost, 1, 2, 0, 0, 4, 4);
	cr_expect_eq(cost.steps, 1, "all in one step");
	cr_expect_eq(cost.instances[1], 4, "4 units");
	cr_expect_eq(cost.traffic[1][0].per_instance[ACCESS_FILL], 1, "a word each");

	machine.level[0].multicast = 1u << CLASS_I | 1u << CLASS_W;
	machine.level[0].reduce = 1u << CLASS_O;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 3, 0, 0, 4); /* p + r is 0, 1, 1, 2 */
	expect(&cost, 0, 1, 2, 0, 0, 4);
	expect(&cost, 0, 2, 0, 0, 2, 4);

	/* rules 5 and 6: the same array over MACs that read level 0 themselves */
	mapping.keep[1] = 0;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 3, 0, 0, 4);
	expect(&cost, 0, 2, 0, 0, 2, 4);
	expect(&cost, 1, 0, 0, 0, 0, 0);
	cr_expect_eq(cost.traffic[1][0].tile, 0, "not kept");
}

Test(executor, rule_4_and_5_each_array_merges_by_its_own_network)
{
	enum { P, R };
	struct shape shape = {{['p'] = 2, ['r'] = 2}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&conv, "pr|r|p", &shape);

	/* p over the array in level 0, r over that in level 1, which keeps nothing. The units of p take
	 * words 0 1 and 1 2. */
	struct mapping mapping = NEST(&conv, &machine, SPACE(0, 0, P, 1), SPACE(1, 0, R, 1));
	mapping.keep[1] = 0;
	machine.level[0].multicast = machine.level[0].reduce = 7;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 3, 0, 0, 4);
	expect(&cost, 0, 1, 2, 0, 0, 4);
	expect(&cost, 0, 2, 2, 0, 4, 4);
	machine.level[0].multicast = machine.level[0].reduce = 0;
	machine.level[1].multicast = machine.level[1].reduce = 7;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 4, 0, 0, 4);
	expect(&cost, 0, 1, 4, 0, 0, 4);
	expect(&cost, 0, 2, 0, 0, 2, 4);

	/* in one array, p over rows: apart, each row reads the weights for itself */
	mapping = NEST(&conv, &machine, SPACE(1, 0, P, 1), SPACE(1, 1, R, 1));
	machine.level[1].apart[CLASS_W] = 1u << 1;
	execute_mapping(&mapping, &cost);
	expect(&cost, 1, 1, 2, 2, 0, 4);
	machine.level[1].apart[CLASS_W] = 1u << 0;
	execute_mapping(&mapping, &cost);
	expect(&cost, 1, 1, 4, 2, 0, 4);
}

static void set_topology(struct level *level, enum topology topology)
{
	for (int c = 0; c < CLASSES; c++)
		level->topology[c] = topology;
}

static void expect_hops(const struct mapping *mapping, int level, int64_t i, int64_t w, int64_t o)
{
	const int64_t hops[] = {i, w, o};
	struct cost cost;
	struct executed executed;
	execute_and_count(mapping, &cost, &executed);
	for (int operand = 0; operand < 3; operand++)
		cr_expect_eq(executed.hops[level][operand], hops[operand],
			     "level %d, operand %d: %" PRId64 " hops, not %" PRId64, level, operand,
			     executed.hops[level][operand], hops[operand]);
}

Test(executor, rule_4_a_mesh_takes_the_links_of_all_routes_together)
{
	enum { M, N };
	struct shape shape = {{['k'] = 1, ['m'] = 2, ['n'] = 5}, 1, 1};
	struct problem product;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&product, "m k|k n|m n", &shape); /* O[m, n] = I[m] * W[n] */
	struct mapping mapping = NEST(&product, &machine, SPACE(0, 0, M, 1), SPACE(0, 1, N, 1));
	struct level *array = &machine.level[0];
	array->multicast = array->reduce = 7;
	array->fanout[0] = 2;
	array->fanout[1] = 5;
	array->hop_cost = 0.5;
	expect_hops(&mapping, 0, 10, 10, 10);

	/* Row 0 is 5 links, row 1 those and one down each column. Column n is n + 1 links and one
	 * down. A unit alone is 1 + n + m links. */
	set_topology(array, TOPOLOGY_MESH);
	expect_hops(&mapping, 0, 5 + 10, 2 + 3 + 4 + 5 + 6, 15 + 20);
	execute_mapping(&mapping, &cost);
	cr_expect_eq(cost.energy_network, 0.5 * (15 + 20 + 35), "%g", cost.energy_network);
	expect(&cost, 0, 0, 2, 0, 0, 10); /* deliveries are as before */
	array->multicast = 0;
	expect_hops(&mapping, 0, 35, 35, 35);
	array->multicast = 7;
	array->apart[CLASS_I] = 1u << 1; /* columns */
	array->apart[CLASS_W] = 1u << 1;
	expect_hops(&mapping, 0, 35, 20, 35);

	/* The shorter way round, columns 3 and 4 are 2 and 1 from the port. */
	array->apart[CLASS_I] = array->apart[CLASS_W] = 0;
	set_topology(array, TOPOLOGY_TORUS);
	expect_hops(&mapping, 0, 5 + 10, 2 + 3 + 4 + 4 + 3, 11 + 16);

	/* Both over rows, unit 5 m + n: row 5 m + 4 is as far as I[m] goes, 5 + n as far as W[n]. */
	mapping = NEST(&product, &machine, SPACE(0, 0, M, 1), SPACE(0, 0, N, 1));
	set_topology(array, TOPOLOGY_MESH);
	array->fanout[0] = 10;
	expect_hops(&mapping, 0, 5 + 10, 6 + 7 + 8 + 9 + 10, 55);
	mapping = NEST(&product, &machine, SPACE(0, 0, N, 1), SPACE(0, 0, M, 1)); /* 2 n + m */
	expect_hops(&mapping, 0, 9 + 10, 2 + 4 + 6 + 8 + 10, 55);
}

Test(executor, rule_4_a_mesh_brings_to_an_array_what_is_needed_inside)
{
	enum { P, R };
	struct shape shape = {{['p'] = 2, ['r'] = 2}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(2);
	note_problem(&conv, "pr|r|p", &shape);
	for (int l = 0; l < 2; l++)
		machine.level[l].multicast = machine.level[l].reduce = 7;
	set_topology(&machine.level[0], TOPOLOGY_MESH);

	/* Word 1 at (0, 1) and (1, 0), word 2 at (1, 1): 1 + 3 + 3 links. The sums of row 0 leave
	 * over 2, those of row 1 over 4. */
	struct mapping mapping = NEST(&conv, &machine, SPACE(0, 0, P, 1), SPACE(0, 1, R, 1));
	expect_hops(&mapping, 0, 7, 2 + 3, 2 + 4);

	/* r inside: words 0 1 and 1 2 go to arrays that are 1 and 2 links away. */
	mapping = NEST(&conv, &machine, SPACE(0, 0, P, 1), SPACE(1, 0, R, 1));
	mapping.keep[1] = 0;
	expect_hops(&mapping, 0, 1 + 2 + 2, 2 + 2, 1 + 2);
	expect_hops(&mapping, 1, 0, 0, 0); /* a bus on the way */
	machine.level[1].reduce = 0;
	expect_hops(&mapping, 0, 1 + 2 + 2, 2 + 2, 2 * 1 + 2 * 2);
	set_topology(&machine.level[1], TOPOLOGY_MESH);
	expect_hops(&mapping, 1, 2 * (1 + 2), 2 * (1 + 2), 2 * (1 + 2));

	/* Two of p and 3 of r inside, where nothing is merged. The first array needs words 0 1 2 3
	 * 1, 2, 2 and 1 times, the second words 2 3 4 5. Word 2 goes out twice, to both and to the
	 * first, word 3 to both and to the second. */
	shape = (struct shape){{['p'] = 4, ['r'] = 3}, 1, 1};
	note_problem(&conv, "pr|r|p", &shape);
	mapping = NEST(&conv, &machine, SPACE(0, 0, P, 2), SPACE(1, 0, P, 1), SPACE(1, 1, R, 1));
	mapping.keep[1] = 0;
	machine.level[1].multicast = 0;
	expect_hops(&mapping, 0, 1 + 2 + (2 + 1) + (2 + 2) + 2 * 2 + 2, 3 * 2 * 2, 6 * 1 + 6 * 2);
}

/* 8 units in a line: what they need in common is the mapping's choice, which each operand makes for itself. */
Test(executor, rule_4_modes_follow_from_the_loops)
{
	enum { M, N };
	static const struct {
		const char *notation;
		bool n_outside;
		int64_t reads, hops;
		const char *mode;
	} row[] = {
		{"|m n|m n", false, 1, 8, "broadcast"},
		{"m|m n|m n", false, 2, 4 + 8, "grouped multicast"},
		{"m|m n|m n", true, 2, 7 + 8, "interleaved multicast"},
		{"m n|m n|m n", false, 8, 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8, "unicast"},
	};
	struct shape shape = {{['m'] = 2, ['n'] = 4}, 1, 1};
	struct hierarchy machine = line(2);
	machine.level[0].multicast = 7;
	set_topology(&machine.level[0], TOPOLOGY_MESH);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct problem problem;
		struct cost cost;
		struct executed executed;
		note_problem(&problem, row[i].notation, &shape);
		struct mapping mapping =
			NEST(&problem, &machine, SPACE(0, 0, row[i].n_outside ? N : M, 1),
			     SPACE(0, 0, row[i].n_outside ? M : N, 1));
		execute_and_count(&mapping, &cost, &executed);
		cr_expect_eq(cost.traffic[0][0].count[ACCESS_READ], row[i].reads, "%s",
			     row[i].mode);
		cr_expect_eq(executed.hops[0][0], row[i].hops, "%s: %" PRId64, row[i].mode,
			     executed.hops[0][0]);
	}
}

static void expect_reads(const struct mapping *mapping, int64_t parent, int64_t child,
			 int64_t busiest, const char *what)
{
	struct cost cost;
	execute_mapping(mapping, &cost);
	const struct traffic *inside = &cost.traffic[1][0];
	cr_expect_eq(cost.traffic[0][0].count[ACCESS_READ], parent, "%s: parent %" PRId64, what,
		     cost.traffic[0][0].count[ACCESS_READ]);
	cr_expect_eq(inside->count[ACCESS_READ], child, "%s: child %" PRId64, what,
		     inside->count[ACCESS_READ]);
	cr_expect_eq(inside->per_instance[ACCESS_READ], busiest, "%s: busiest %" PRId64, what,
		     inside->per_instance[ACCESS_READ]);
	cr_expect_eq(inside->count[ACCESS_FILL], 30 * 4, "%s: fills stay", what);
	cr_expect_eq(cost.traffic[0][0].deliveries, 30 * 4, "%s: deliveries stay", what);
}

/* In each of 5 steps 2 x 3 units take the same 4 words of I, of which each MAC reads one in each step of k. */
Test(executor, rule_4_links_pass_on_what_a_neighbour_holds)
{
	enum { J, K, M, N };
	struct shape shape = {{['j'] = 4, ['k'] = 5, ['m'] = 2, ['n'] = 3}, 1, 1};
	struct problem problem;
	struct hierarchy machine = line(2);
	note_problem(&problem, "j k|m n|j k m n", &shape);
	struct mapping mapping = NEST(&problem, &machine, TIME(0, K, 1), SPACE(0, 0, M, 1),
				      SPACE(0, 1, N, 1), TIME(1, J, 1));
	struct level *array = &machine.level[0];
	enum { ROWS = 1, COLUMNS = 2 };
	expect_reads(&mapping, 120, 120, 20, "unicast");
	array->multicast = 1u << CLASS_I;
	expect_reads(&mapping, 20, 120, 20, "multicast");

	array->linked[CLASS_I] = COLUMNS;
	array->apart[CLASS_I] = ROWS;
	expect_reads(&mapping, 2 * 20, 120 + 20 * (6 - 2), 40, "along rows");
	array->apart[CLASS_I] = 0;
	expect_reads(&mapping, 20, 120 + 20 * (6 - 2), 40, "and multicast to their first");
	array->linked[CLASS_I] = ROWS;
	expect_reads(&mapping, 20, 120 + 20 * (6 - 3), 40, "along columns");
	array->linked[CLASS_I] = ROWS | COLUMNS;
	expect_reads(&mapping, 20, 120 + 20 * (6 - 1), 60, "both: the first gives to two");

	/* MACs that read level 0 themselves have nothing to pass on. */
	mapping.keep[1] = 0;
	struct cost cost;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 20, 0, 0, 120);
	expect(&cost, 1, 0, 0, 0, 0, 0);
}

Test(executor, rule_4_links_of_sums_are_a_reduction)
{
	enum { M, R };
	struct shape shape = {{['m'] = 2, ['r'] = 3}, 1, 1};
	struct problem problem;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&problem, "m r|r|m", &shape);
	struct mapping mapping = NEST(&problem, &machine, TIME(0, M, 1), SPACE(0, 0, R, 1));
	machine.level[0].reduce = 1u << CLASS_O;
	machine.level[0].linked[CLASS_O] = 1;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 2, 0, 0, 2, 6);
	expect(&cost, 1, 2, 0, 0, 6, 6);
}

/* The words of I shared by a row of arrays are read where they are kept first, inside of each. */
Test(executor, rule_4_links_between_arrays)
{
	enum { M, N };
	struct shape shape = {{['m'] = 2, ['n'] = 3}, 1, 1};
	struct problem problem;
	struct hierarchy machine = line(3);
	struct cost cost;
	note_problem(&problem, "m|n|m n", &shape);
	struct mapping mapping = NEST(&problem, &machine, SPACE(0, 0, N, 1), SPACE(1, 0, M, 1));
	mapping.keep[1] = 0;
	machine.level[0].multicast = 1u << CLASS_I;
	machine.level[0].linked[CLASS_I] = 1;
	execute_mapping(&mapping, &cost);
	/* m in 2 units of each array: 2 words go to 3 arrays, 2 are passed on twice */
	expect(&cost, 0, 0, 2, 0, 0, 6);
	expect(&cost, 2, 0, 6 + 2 * 2, 6, 0, 6);
	cr_expect_eq(cost.traffic[2][0].per_instance[ACCESS_READ], 2, "one for its MAC, one on");

	/* One word for 3 units of each of 2 arrays, inside of which nothing is merged: the second
	 * array is passed it 3 times, each time out of the first unit of the first array. */
	note_problem(&problem, "|m n|m n", &shape);
	mapping = NEST(&problem, &machine, SPACE(0, 0, M, 1), SPACE(1, 0, N, 1));
	mapping.keep[1] = 0;
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 3, 0, 0, 6);
	expect(&cost, 2, 0, 6 + 3, 6, 0, 6);
	cr_expect_eq(cost.traffic[2][0].per_instance[ACCESS_READ], 1 + 3, "%" PRId64,
		     cost.traffic[2][0].per_instance[ACCESS_READ]);
}

Test(executor, rule_3_distinct_words_are_those_that_came)
{
	enum { P };
	struct shape shape = {{['p'] = 2, ['r'] = 1}, 2, 1};
	struct problem spread;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&spread, "p|pr", &shape); /* O[2 p] */

	/* The tile of level 1 is a box of 3 words, of which MACs write two, each once. */
	struct mapping mapping = NEST(&spread, &machine, TIME(1, P, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 1, 0, 0, 3, 3);
	expect(&cost, 1, 1, 0, 0, 2, 2);
}

Test(executor, rule_7_ten_by_seven_by_three)
{
	enum { P, R };
	struct shape shape = {{['p'] = 10, ['r'] = 3}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(3);
	struct cost cost;
	note_problem(&conv, "pr|r|p", &shape);

	/* Level 1 holds [0, 9), then [7, 12): 9 + 3. Level 2 holds [0, 5), [3, 8), [6, 9), and
	 * after a step of the outer loop [7, 12): 5 + 3 + 1 + 5. */
	struct mapping mapping =
		NEST(&conv, &machine, TIME(0, P, 7), TIME(1, P, 3), TIME(2, P, 1), TIME(2, R, 1));
	execute_mapping(&mapping, &cost);
	expect(&cost, 0, 0, 12, 0, 0, 12);
	expect(&cost, 1, 0, 14, 12, 0, 14);
	expect(&cost, 2, 0, 30, 14, 0, 30);
	expect(&cost, 1, 2, 0, 0, 10, 10);
	expect(&cost, 0, 2, 0, 0, 10, 10);
	cr_expect_eq(cost.steps, 30, "%" PRId64 " steps", cost.steps);
	cr_expect_eq(cost.traffic[1][0].tile, 9, "the largest tile");

	/* The same over units: level 1 in 3 + 3 + 1 units, then 3 in one; the windows of units
	 * overlap but none is another's. Units step 3 times in the first step of 7 and 3 times in
	 * the second. */
	machine.level[0].multicast = machine.level[1].multicast = 7;
	mapping = NEST(&conv, &machine, TIME(0, P, 7), SPACE(1, 0, P, 3), TIME(2, P, 1),
		       TIME(2, R, 1));
	execute_mapping(&mapping, &cost);
	/* [0, 5) [3, 8) [6, 9), then of [7, 12) all is new to the first unit */
	expect(&cost, 1, 0, 5 + 5 + 3 + 5, 12, 0, 5 + 5 + 3 + 5);
	expect(&cost, 1, 1, 3, 3, 0, 9); /* weights come once, to three units */
	expect(&cost, 2, 0, 30, 18, 0, 30);
	cr_expect_eq(cost.instances[2], 3, "%" PRId64 " units", cost.instances[2]);
	cr_expect_eq(cost.steps, 18, "%" PRId64 " steps", cost.steps);
	cr_expect_eq(cost.macs, 30, "%" PRId64 " MACs", cost.macs);
	cr_expect_eq(cost.traffic[2][0].per_instance[ACCESS_READ], 18, "the first unit is busiest");
}

Test(executor, section_3_energy_and_bound)
{
	enum { K, M, N };
	struct shape shape = {{['k'] = 2, ['m'] = 3, ['n'] = 5}, 1, 1};
	struct problem matmul;
	struct hierarchy machine = line(2);
	struct cost cost;
	note_problem(&matmul, "m k|k n|m n", &shape);
	struct mapping mapping =
		NEST(&matmul, &machine, TIME(0, K, 1), TIME(0, M, 1), SPACE(0, 0, N, 1));
	machine.level[0].hop_cost = 0.5;
	machine.level[0].cost[ACCESS_READ] = 2;
	machine.level[0].cost[ACCESS_UPDATE] = 4;
	machine.level[0].read_bandwidth = 8;
	execute_mapping(&mapping, &cost);
	/* In each of 6 steps 5 units take a word of m k each; k n comes to them twice; 5 sums
	 * leave, and for the second k return. */
	expect(&cost, 0, 0, 30, 0, 0, 30);
	expect(&cost, 0, 1, 10, 0, 0, 10);
	expect(&cost, 0, 2, 15, 0, 30, 30);
	cr_expect_eq(cost.energy, 30 + 2 * 55 + 4 * 30 + 0.5 * 70, "energy %g", cost.energy);
	cr_expect_eq(cost.cycles, 7, "55 words by 8: %" PRId64, cost.cycles);
	cr_expect(cost.bound == BOUND_READ && cost.bound_level == 0, "the read port of level 0");
	machine.level[0].shared_bandwidth = 5;
	execute_mapping(&mapping, &cost);
	cr_expect_eq(cost.cycles, 17, "85 words by 5: %" PRId64, cost.cycles);
	cr_expect_eq(cost.bound, BOUND_SHARED, "the shared port");
}

Test(executor, section_3_an_access_moves_a_width_of_words)
{
	enum { K, M, N };
	struct shape shape = {{['k'] = 2, ['m'] = 3, ['n'] = 5}, 1, 1};
	struct problem matmul;
	struct hierarchy machine = line(2);
	struct cost cost;
	struct executed executed;
	note_problem(&matmul, "m k|k n|m n", &shape);
	struct mapping mapping =
		NEST(&matmul, &machine, TIME(0, K, 1), TIME(0, M, 1), SPACE(0, 0, N, 1));
	machine.level[0].width = 4;
	machine.level[1].width = 4;
	machine.level[0].cost[ACCESS_READ] = 2;
	machine.level[0].cost[ACCESS_UPDATE] = 4;
	machine.level[1].cost[ACCESS_FILL] = 0.5;
	execute_and_count(&mapping, &cost, &executed);
	/* 30, 10 and 15 words are read, 30 updated: rounded for each operand and kind */
	expect(&cost, 0, 0, 30, 0, 0, 30);
	expect(&cost, 0, 1, 10, 0, 0, 10);
	expect(&cost, 0, 2, 15, 0, 30, 30);
	cr_expect_eq(executed.accesses[0][0][ACCESS_READ], 8);
	cr_expect_eq(executed.accesses[0][1][ACCESS_READ], 3);
	cr_expect_eq(executed.accesses[0][2][ACCESS_READ], 4);
	cr_expect_eq(executed.accesses[0][2][ACCESS_UPDATE], 8);
	/* and for each instance: 5 units are filled with 6 words of m k, 2 of k n, 3 of m n */
	cr_expect_eq(executed.accesses[1][0][ACCESS_FILL], 5 * 2, "not 30 / 4");
	cr_expect_eq(executed.accesses[1][1][ACCESS_FILL], 5 * 1);
	cr_expect_eq(executed.accesses[1][2][ACCESS_FILL], 5 * 1);
	cr_expect_eq(cost.energy_level[0], 2 * 15 + 4 * 8, "%g", cost.energy_level[0]);
	cr_expect_eq(cost.energy_level[1], 0.5 * 20, "%g", cost.energy_level[1]);

	/* ports still carry words */
	machine.level[0].read_bandwidth = 1;
	execute_mapping(&mapping, &cost);
	cr_expect_eq(cost.cycles, 55, "%" PRId64, cost.cycles);
}

Test(executor, section_3_a_network_carries_what_passes_its_outer_end)
{
	enum { K, M, N };
	struct shape shape = {{['k'] = 2, ['m'] = 3, ['n'] = 5}, 1, 1};
	struct problem matmul;
	struct hierarchy machine = line(2);
	struct cost cost;
	struct executed executed;
	note_problem(&matmul, "m k|k n|m n", &shape);
	struct mapping mapping =
		NEST(&matmul, &machine, TIME(0, K, 1), TIME(0, M, 1), SPACE(0, 0, N, 1));
	machine.level[0].network_bandwidth = 5;
	execute_and_count(&mapping, &cost, &executed);
	/* what level 0 reads and is updated with: 30, 10, 15 and 30 */
	cr_expect_eq(executed.network_words[0], 85, "%" PRId64, executed.network_words[0]);
	cr_expect_eq(cost.cycles, 17, "%" PRId64, cost.cycles);
	cr_expect(cost.bound == BOUND_NETWORK && cost.bound_level == 0);
	machine.level[0].shared_bandwidth = 5;
	execute_mapping(&mapping, &cost);
	cr_expect_eq(cost.bound, BOUND_SHARED, "of equal bounds the port is first");
	machine.level[0].shared_bandwidth = 0;
	machine.level[0].multicast = 1u << CLASS_I;
	execute_and_count(&mapping, &cost, &executed);
	cr_expect_eq(executed.network_words[0], 6 + 10 + 15 + 30, "m k is sent once to all");
	cr_expect_eq(cost.cycles, 13, "%" PRId64, cost.cycles);
}

Test(executor, section_3_of_arrays_in_arrays_each_network_carries_its_own)
{
	enum { P, R };
	struct shape shape = {{['p'] = 2, ['r'] = 2}, 1, 1};
	struct problem conv;
	struct hierarchy machine = line(2);
	struct cost cost;
	struct executed executed;
	note_problem(&conv, "pr|r|p", &shape);
	struct mapping mapping = NEST(&conv, &machine, SPACE(0, 0, P, 1), SPACE(1, 0, R, 1));
	mapping.keep[1] = 0;

	/* The arrays of level 1 take 2 words of I and 2 of W and give one sum; that of level 0 takes
	 * words 0, 1 and 2 of I, 2 of W, and gives two sums. */
	machine.level[0].multicast = machine.level[0].reduce = 7;
	machine.level[1].multicast = machine.level[1].reduce = 7;
	machine.level[1].network_bandwidth = 2;
	execute_and_count(&mapping, &cost, &executed);
	cr_expect_eq(executed.network_words[0], 3 + 2 + 2);
	cr_expect_eq(executed.network_words[1], 2 + 2 + 1);
	cr_expect_eq(cost.cycles, 3, "5 words by 2: %" PRId64, cost.cycles);
	cr_expect(cost.bound == BOUND_NETWORK && cost.bound_level == 1);

	/* Each MAC's sum comes out by itself; the second for a word needs the first back. */
	machine.level[1].reduce = 0;
	execute_and_count(&mapping, &cost, &executed);
	cr_expect_eq(executed.network_words[0], 3 + 2 + 4 + 2);
	cr_expect_eq(executed.network_words[1], 2 + 2 + 2 + 1);

	/* Two steps of r, each with two MACs at work on it: the MACs of one array take different
	 * words of I and the same of W. */
	shape.extent['r'] = 2;
	shape.extent['p'] = 4;
	note_problem(&conv, "pr|r|p", &shape);
	mapping = NEST(&conv, &machine, TIME(0, R, 1), SPACE(0, 0, P, 2), SPACE(1, 0, P, 1));
	mapping.keep[1] = 0;
	execute_and_count(&mapping, &cost, &executed);
	cr_expect_eq(executed.network_words[1], 2 * (2 + 1 + 2) + 2, "%" PRId64,
		     executed.network_words[1]);
	cr_expect_eq(executed.network_words[0], 2 * (4 + 1 + 4) + 4, "%" PRId64,
		     executed.network_words[0]);
	machine.level[0].multicast = 0;
	execute_and_count(&mapping, &cost, &executed);
	cr_expect_eq(executed.network_words[0], 2 * (4 + 2 + 4) + 4,
		     "a word for each array: %" PRId64, executed.network_words[0]);
}
