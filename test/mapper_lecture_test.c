/* mapper_lecture_test.c -- test/golden/oned_conv.csv, the lecture's table of a convolution of one dimension, E outputs and R
 * taps: what output, weight and input stationary read and write of the memory outside of one-word registers.
 *
 * Of input stationary, `O[h - r] += I[h] * W[r]`, the reads of inputs are compared alone: the closed form counts the whole
 * nest, also the points that lie outside of O and do not exist. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/cost/cost.h"

enum { I, W, O, OPERANDS };
enum { OS, WS, IS, DATAFLOWS };
static const int sizes[] = {1, 2, 5, 8, 12, 100}, taps[] = {1, 2, 3, 5, 11};

/* Dimension 0 is e, or h where inputs are stationary; dimension 1 is r. */
static void make_problem(struct problem *p, int dataflow, int64_t e, int64_t r)
{
	static const int64_t out_of[DATAFLOWS][OPERANDS][2] = {
		[OS] = {{1, 1}, {0, 1}, {1, 0}},
		[WS] = {{1, 1}, {0, 1}, {1, 0}},
		[IS] = {{1, 0}, {0, 1}, {1, -1}},
	};

	*p = (struct problem){.name = "conv1d",
			      .dims = 2,
			      .dim = {dataflow == IS ? "h" : "e", "r"},
			      .extent = {dataflow == IS ? e + r - 1 : e, r},
			      .operands = OPERANDS};
	for (int o = 0; o < OPERANDS; o++) {
		p->operand[o] = (struct operand){.class = (enum tensor_class)o, .ranks = 1};
		for (int d = 0; d < 2; d++) {
			p->operand[o].coef[0][d] = out_of[dataflow][o][d];
			p->operand[o].relevant |= out_of[dataflow][o][d] ? 1u << d : 0;
		}
	}
}

/* The counted memory, and inside of it a register of one word for each tensor. */
static void make_machine(struct hierarchy *h)
{
	*h = (struct hierarchy){.name = "lecture", .levels = 1 + OPERANDS};
	for (int l = 0; l < h->levels; l++)
		h->level[l] = (struct level){.name = l ? "register" : "memory",
					     .is_memory = true,
					     .words = l > 0,
					     .may_keep = l ? 1u << (l - 1) : 7,
					     .buffers = 1,
					     .width = 1,
					     .fanout = {1, 1}};
}

/* What is stationary stays while the innermost loop runs: r for outputs and inputs, e for weights. */
static void make_mapping(struct mapping *m, const struct problem *p, const struct hierarchy *h,
			 int dataflow)
{
	*m = (struct mapping){.problem = p, .machine = h};
	for (int l = 0; l < h->levels; l++)
		m->keep[l] = h->level[l].may_keep;
	for (int i = 0; i < 2; i++) {
		int dim = dataflow == WS ? 1 - i : i;
		if (p->extent[dim] > 1)
			m->loop[m->loops++] = (struct mapped_loop){LOOP_TIME, 0, 0, dim, 1};
	}
}

/* ---- Formulas of the table: sums and differences of products of E, R, numbers and sums in brackets -------------------- */

static int64_t sum(const char **at, int64_t e, int64_t r);

static int64_t factor(const char **at, int64_t e, int64_t r)
{
	int64_t value;

	if (**at == '(') {
		++*at;
		value = sum(at, e, r);
		++*at;
	} else if (**at == 'E' || **at == 'R') {
		value = *(*at)++ == 'E' ? e : r;
	} else {
		char *end;
		value = strtoll(*at, &end, 10);
		cr_assert(end > *at, "a formula goes on '%s'", *at);
		*at = end;
	}
	return value;
}

static int64_t product(const char **at, int64_t e, int64_t r)
{
	int64_t value = factor(at, e, r);

	while (**at == '*') {
		++*at;
		value *= factor(at, e, r);
	}
	return value;
}

static int64_t sum(const char **at, int64_t e, int64_t r)
{
	int64_t value = product(at, e, r);

	while (**at == '+' || **at == '-') {
		int sign = *(*at)++ == '+' ? 1 : -1;
		value += sign * product(at, e, r);
	}
	return value;
}

/* ---- The table -------------------------------------------------------------------------------------------------- */

enum { COUNTERS = 5, COLUMNS = 7 };
static const char *const counter_name[COUNTERS] = {"macs", "weight reads", "input reads",
						   "output reads", "output writes"};

struct formulas {
	char text[COUNTERS][256];
	const char *of[COUNTERS][2 * DATAFLOWS]; /* the lecture's, then the exact ones */
};

static void read_formulas(struct formulas *f)
{
	FILE *file = fopen(SOURCE_DIR "/test/golden/oned_conv.csv", "r");
	char head[256];
	int rows = 0;

	cr_assert(file, "the golden file is there");
	do
		cr_assert(fgets(head, sizeof head, file));
	while (*head == '#');
	while (rows < COUNTERS && fgets(f->text[rows], sizeof *f->text, file)) {
		char *rest = f->text[rows];
		cr_assert_str_eq(strtok_r(rest, ",\r\n", &rest), counter_name[rows]);
		for (int c = 0; c < 2 * DATAFLOWS; c++)
			cr_assert(f->of[rows][c] = strtok_r(rest, ",\r\n", &rest));
		rows++;
	}
	cr_assert_eq(rows, COUNTERS);
	fclose(file);
}

/* The lecture reads every sum that is added to, the first time as well; and its input is no longer than its output. */
static void count(int dataflow, int64_t e, int64_t r, bool is_lecture, int64_t counted[COUNTERS])
{
	struct problem problem;
	struct hierarchy machine;
	struct mapping mapping;
	struct cost cost;
	int64_t first = 0;

	make_problem(&problem, dataflow, e, r);
	make_machine(&machine);
	make_mapping(&mapping, &problem, &machine, dataflow);
	cr_assert(mapping_cost(&mapping, &cost));
	if (is_lecture && dataflow == WS)
		first = e;
	counted[0] = cost.macs;
	counted[1] = cost.traffic[0][W].count[ACCESS_READ];
	counted[2] = cost.traffic[0][I].count[ACCESS_READ];
	counted[3] = cost.traffic[0][O].count[ACCESS_READ] + first;
	counted[4] = cost.traffic[0][O].count[ACCESS_UPDATE];
}

static void compare(const struct formulas *f, int dataflow, int64_t e, int64_t r, bool is_lecture,
		    int counter)
{
	int64_t counted[COUNTERS];
	const char *formula = f->of[counter][dataflow + (is_lecture ? 0 : DATAFLOWS)],
		   *at = formula;

	count(dataflow, e, r, is_lecture, counted);
	cr_expect_eq(counted[counter], sum(&at, e, r),
		     "dataflow %d, E %" PRId64 ", R %" PRId64 ": %s are %" PRId64 ", and not %s",
		     dataflow, e, r, counter_name[counter], counted[counter], formula);
}

/* Of loops of one step there are none, and then the innermost is another: the table is of both longer than one. */
Test(mapper_lecture, one_dimension_by_output_and_weight_stationary)
{
	struct formulas f;

	read_formulas(&f);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t k = 0; k < sizeof taps / sizeof *taps; k++)
			for (int counter = 0; counter < COUNTERS && sizes[i] > 1 && taps[k] > 1;
			     counter++)
				for (int lecture = 0; lecture < 2; lecture++) {
					compare(&f, OS, sizes[i], taps[k], lecture, counter);
					compare(&f, WS, sizes[i], taps[k], lecture, counter);
				}
}

Test(mapper_lecture, inputs_of_input_stationary)
{
	struct formulas f;

	read_formulas(&f);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t k = 0; k < sizeof taps / sizeof *taps; k++)
			compare(&f, IS, sizes[i], taps[k], false, 2);
}
