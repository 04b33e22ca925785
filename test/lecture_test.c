/* lecture_test.c -- docs/cost-model.md section 5: the textbook's table of a 1-D convolution that is output, weight or
 * input stationary, test/golden/oned_conv.csv, out of the cost model.
 *
 * The machine is a memory whose accesses are counted and a register of one word that keeps the stationary tensor; the
 * others are read from the memory. A column of the table is a statement, a tensor that stays, and an order of
 * two loops. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/cost/cost.h"
#include "mapper/mapping/mapping_print.h"
#include "mapper/network/workload.h"

static const int64_t outputs[] = {1, 2, 5, 8, 12, 100}, taps[] = {1, 2, 3, 5, 11};

enum { COUNTED };
enum { SIZES = 6, KERNELS = 5 };

enum counter { MACS, WEIGHT_READS, INPUT_READS, OUTPUT_READS, OUTPUT_WRITES, COUNTERS };
static const char *const counter_name[COUNTERS] = {"macs", "weight reads", "input reads",
						   "output reads", "output writes"};

struct counts {
	int64_t of[COUNTERS];
};

/* ---- The model ------------------------------------------------------------------------------------------------ */

/* A loop for each output: E of them, E + R - 1 inputs. */
static const char gather[] = "network oned(I: f32[%d]) {\n"
			     "	param W[%d]\n"
			     "	index e < %d\n"
			     "	O[e] += I[e + r] * W[r]\n"
			     "	return O\n}\n";
/* A loop for each input: E of them, E + R - 1 outputs, every product goes to one. */
static const char scatter[] = "network oned(I: f32[%d]) {\n"
			      "	param W[%d]\n"
			      "	tensor O[%d]\n"
			      "	O[h - r + %d] += I[h] * W[r]\n"
			      "	return O\n}\n";
/* The same for E + R - 1 inputs: what goes outside of the E outputs is dropped. */
static const char drop[] = "network oned(I: f32[%d]) {\n"
			   "	param W[%d]\n"
			   "	tensor O[%d]\n"
			   "	O[h - r] else drop += I[h] * W[r]\n"
			   "	return O\n}\n";

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct desk {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	struct hierarchy *machine;
};

/* With a register of one word for each tensor that is kept. */
static struct desk desk_of(const char *kept)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};
	int words = strchr(kept, ',') ? 3 : 1;
	char text[256];

	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	snprintf(text, sizeof text,
		 "machine one {\n clock 1 GHz\n memory counted { }\n"
		 " memory register { size %d word  keeps %s }\n mac { }\n}\n",
		 words, kept);
	program_add(d.program, "test.hw", text, strlen(text));
	d.machine = hierarchy_of(d.program, machine_check(d.program, NULL));
	cr_assert(d.machine, "%s", d.diag->count ? d.diag->finding[0].message : "");
	return d;
}

/* The mapping `map O on one { keep; for OUTER; for INNER }` of the network's convolution. */
static struct mapping *mapping_of(struct desk *d, const char *network, const char *kept,
				  const char *outer, const char *inner)
{
	char text[256];
	struct network *n;
	struct workload *w;
	const struct problem *p;
	const struct tree_item *item;
	struct mapping *m;

	program_add(d->program, "test.dnn", network, strlen(network));
	n = elaborate(d->program, NULL, &(struct elaborate_options){0});
	cr_assert(n, "%s", d->diag->count ? d->diag->finding[0].message : "");
	w = workload_of(d->arena, n, d->machine, false);
	cr_assert_eq(w->layers, 1);
	p = problem_of(d->arena, w->layer[0].statement); /* of one step, too, which is no layer */
	snprintf(text, sizeof text,
		 "map O on one {\n counted: keep I, W, O\n counted: for %s\n counted: for %s\n"
		 " register: keep %s\n}\n",
		 outer, inner, kept);
	program_add(d->program, "test.map", text, strlen(text));
	item = d->program->tree[d->program->tree_count - 1]->item;
	m = mapping_read(d->program, item, p, d->machine);
	cr_assert(m, "%s\n%s", d->diag->count ? d->diag->finding[0].message : "", text);
	return m;
}

static int operand_of(const struct problem *p, enum tensor_class class)
{
	int o = 0;

	while (p->operand[o].class != class)
		o++;
	return o;
}

/* What the closed form counts at the counted memory; *words: of the output. */
static struct counts count(const char *network, const char *kept, const char *outer,
			   const char *inner, int64_t *words)
{
	struct desk d = desk_of(kept);
	struct mapping *m = mapping_of(&d, network, kept, outer, inner);
	const struct traffic *t;
	struct cost cost;
	struct counts counts;

	cr_assert(mapping_cost(m, &cost));
	t = cost.traffic[COUNTED];
	counts.of[MACS] = cost.macs;
	counts.of[WEIGHT_READS] = t[operand_of(m->problem, CLASS_W)].count[ACCESS_READ];
	counts.of[INPUT_READS] = t[operand_of(m->problem, CLASS_I)].count[ACCESS_READ];
	counts.of[OUTPUT_READS] = t[operand_of(m->problem, CLASS_O)].count[ACCESS_READ];
	counts.of[OUTPUT_WRITES] = t[operand_of(m->problem, CLASS_O)].count[ACCESS_UPDATE];
	*words = t[operand_of(m->problem, CLASS_O)].tile;
	arena_free(d.arena);
	return counts;
}

static struct counts count_gather(int64_t e, int64_t r, const char *kept, const char *outer,
				  const char *inner, int64_t *words)
{
	char text[256];

	snprintf(text, sizeof text, gather, (int)(e + r - 1), (int)r, (int)e);
	return count(text, kept, outer, inner, words);
}

static struct counts count_scatter(int64_t e, int64_t r, const char *kept, int64_t *words)
{
	char text[256];

	snprintf(text, sizeof text, scatter, (int)e, (int)r, (int)(e + r - 1), (int)(r - 1));
	return count(text, kept, "h", "r", words);
}

/* ---- The columns ----------------------------------------------------------------------------------------------- */

static struct counts output_stationary(int64_t e, int64_t r)
{
	int64_t words;

	return count_gather(e, r, "O", "e", "r", &words);
}

static struct counts weight_stationary(int64_t e, int64_t r)
{
	int64_t words;

	return count_gather(e, r, "W", "r", "e", &words);
}

/* The lecture reads a sum in the memory before each product is added to it; the model does not where the sum is
 * still zero, once for each word. */
static struct counts with_first_reads(struct counts c, int64_t words)
{
	c.of[OUTPUT_READS] += words;
	return c;
}

static struct counts lecture_weight_stationary(int64_t e, int64_t r)
{
	int64_t words;
	struct counts c = count_gather(e, r, "W", "r", "e", &words);

	return with_first_reads(c, words);
}

/* The lecture's E inputs with R products each: none falls outside. */
static struct counts lecture_input_stationary(int64_t e, int64_t r)
{
	int64_t words;
	struct counts c = count_scatter(e, r, "I", &words);

	return with_first_reads(c, words);
}

/* Of H = E + R - 1 inputs those at the ends meet fewer taps. A loop nest has no such corners; each input by itself is one:
 * a scatter of one input by the taps that it meets. The words of the output that several inputs meet are read again
 * (rule 3: reads are updates less distinct words). */
static struct counts exact_input_stationary(int64_t e, int64_t r)
{
	struct counts sum = {0};
	bool *seen = calloc((size_t)e, sizeof *seen);

	cr_assert(seen);
	for (int64_t h = 0; h < e + r - 1; h++) {
		int64_t first = h < r ? 0 : h - r + 1, last = h < e ? h : e - 1, words;
		struct counts one = count_scatter(1, last - first + 1, "I", &words);

		for (int i = 0; i < COUNTERS; i++)
			sum.of[i] += one.of[i];
		for (int64_t o = first; o <= last; o++) {
			sum.of[OUTPUT_READS] += seen[o];
			seen[o] = true;
		}
	}
	free(seen);
	return sum;
}

static const struct {
	const char *name;
	struct counts (*count)(int64_t e, int64_t r);
} column[] = {
	{"OS", output_stationary},        {"WS", lecture_weight_stationary},
	{"IS", lecture_input_stationary}, {"OS_exact", output_stationary},
	{"WS_exact", weight_stationary},  {"IS_exact", exact_input_stationary},
};

enum { COLUMNS = sizeof column / sizeof *column };

/* ---- The table ------------------------------------------------------------------------------------------------- */

struct formula {
	const char *at;
	int64_t e, r;
};

static int64_t sum_in(struct formula *f);

static int64_t factor_in(struct formula *f)
{
	int64_t value = 0;

	if (isdigit((unsigned char)*f->at)) {
		while (isdigit((unsigned char)*f->at))
			value = 10 * value + (*f->at++ - '0');
		return value;
	}
	cr_assert(*f->at && strchr("ER(", *f->at), "no formula: '%s'", f->at);
	if (*f->at != '(')
		return *f->at++ == 'E' ? f->e : f->r;
	f->at++;
	value = sum_in(f);
	cr_assert_eq(*f->at, ')');
	f->at++;
	return value;
}

static int64_t product_in(struct formula *f)
{
	int64_t value = factor_in(f);

	while (*f->at == '*') {
		f->at++;
		value *= factor_in(f);
	}
	return value;
}

static int64_t sum_in(struct formula *f)
{
	int64_t value = product_in(f);

	while (*f->at == '+' || *f->at == '-') {
		bool is_sum = *f->at++ == '+';
		int64_t part = product_in(f);
		value += is_sum ? part : -part;
	}
	return value;
}

static int64_t evaluate(const char *text, int64_t e, int64_t r)
{
	struct formula f = {text, e, r};
	int64_t value = sum_in(&f);

	cr_assert_eq(*f.at, '\0', "what is '%s' in '%s'?", f.at, text);
	return value;
}

Test(lecture, formulas_are_evaluated)
{
	cr_expect_eq(evaluate("0", 7, 3), 0);
	cr_expect_eq(evaluate("E*R", 7, 3), 21);
	cr_expect_eq(evaluate("E+R-1", 7, 3), 9);
	cr_expect_eq(evaluate("E*(R-1)", 7, 3), 14);
	cr_expect_eq(evaluate("E-R-12+2*E*R", 7, 3), 34);
}

struct table {
	char cell[COUNTERS][COLUMNS][16];
};

static void read_table(struct table *t)
{
	char line[256], *rest, *part;
	int row = -1;
	FILE *file = fopen(SOURCE_DIR "/test/golden/oned_conv.csv", "r");

	cr_assert(file);
	while (fgets(line, sizeof line, file)) {
		if (*line == '#')
			continue;
		rest = line;
		part = strsep(&rest, ",\n");
		cr_assert_lt(row, COUNTERS);
		cr_assert_str_eq(part, row < 0 ? "counter" : counter_name[row]);
		for (int c = 0; c < COLUMNS; c++) {
			part = strsep(&rest, ",\n");
			cr_assert(part && strlen(part) < sizeof t->cell[0][0]);
			if (row < 0)
				cr_assert_str_eq(part, column[c].name);
			else
				strcpy(t->cell[row][c], part);
		}
		row++;
	}
	fclose(file);
	cr_assert_eq(row, COUNTERS);
}

Test(lecture, every_cell_of_the_table_is_the_models_count)
{
	struct table t;
	int cells = 0;

	read_table(&t);
	for (int c = 0; c < COLUMNS; c++)
		for (int i = 0; i < SIZES * KERNELS; i++) {
			int64_t e = outputs[i / KERNELS], r = taps[i % KERNELS];
			struct counts found = column[c].count(e, r);
			for (int k = 0; k < COUNTERS; k++, cells++)
				cr_expect_eq(found.of[k], evaluate(t.cell[k][c], e, r),
					     "%s, E = %d, R = %d: %s are %lld, not %s",
					     column[c].name, (int)e, (int)r, counter_name[k],
					     (long long)found.of[k], t.cell[k][c]);
		}
	cr_expect_eq(cells, 6 * 5 * 30);
}

/* ---- What else could have been meant ----------------------------------------------------------------------------- */

/* A register for each tensor gives the same counts where both loops exist; a loop of one step leaves what the other
 * does not move where it is: of one tap, OS reads the weight once. */
Test(lecture, registers_for_all_tensors_give_the_same_table)
{
	static const char all[] = "I, W, O";
	int64_t words;

	for (int i = 0; i < SIZES * KERNELS; i++) {
		int64_t e = outputs[i / KERNELS], r = taps[i % KERNELS];
		struct counts os = output_stationary(e, r), ws = weight_stationary(e, r);
		struct counts is, c;
		if (e == 1 || r == 1)
			continue;
		c = count_gather(e, r, all, "e", "r", &words);
		cr_expect_arr_eq(c.of, os.of, sizeof c.of, "OS, E = %d, R = %d", (int)e, (int)r);
		c = count_gather(e, r, all, "r", "e", &words);
		cr_expect_arr_eq(c.of, ws.of, sizeof c.of, "WS, E = %d, R = %d", (int)e, (int)r);
		c = count_scatter(e, r, all, &words);
		c = with_first_reads(c, words);
		is = lecture_input_stationary(e, r);
		cr_expect_arr_eq(c.of, is.of, sizeof c.of, "IS, E = %d, R = %d", (int)e, (int)r);
	}
	cr_expect_eq(count_gather(8, 1, all, "e", "r", &words).of[WEIGHT_READS], 1);
	cr_expect_eq(output_stationary(8, 1).of[WEIGHT_READS], 8);
}

/* The closed form counts each point of a nest, those that `else drop` drops as well: only the inputs are the exact
 * column's. */
Test(lecture, what_is_dropped_is_counted)
{
	enum { SUMS = 12, TAPS = 5, INPUTS = SUMS + TAPS - 1, POINTS = INPUTS * TAPS };
	char text[256];
	int64_t words;
	struct counts c;

	snprintf(text, sizeof text, drop, INPUTS, TAPS, SUMS);
	c = count(text, "I", "h", "r", &words);
	cr_expect_eq(c.of[MACS], POINTS);
	cr_expect_eq(c.of[WEIGHT_READS], POINTS);
	cr_expect_eq(c.of[INPUT_READS], INPUTS);
	cr_expect_eq(words, INPUTS + TAPS - 1);
	cr_expect_eq(c.of[OUTPUT_WRITES], POINTS);
	cr_expect_eq(c.of[OUTPUT_READS], POINTS - words);
}
