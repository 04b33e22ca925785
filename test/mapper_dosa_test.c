/* mapper_dosa_test.c -- docs/cost-model.md section 4: the closed form on the 300 rows of test/golden/dosa_mappings.csv.
 *
 * The arrays are Gemmini's: weights in a register of each PE, sums in an accumulator of each column, weights and inputs in
 * one scratchpad. What the data counts otherwise than we do is named where it is compared. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/cost/cost.h"
#include "mapper/mapping/fit.h"

enum { DRAM, SCRATCHPAD, ACCUMULATOR, REGISTER, LEVELS };
enum { I, W, O, OPERANDS };
enum { N, K, C, P, Q, R, S, DIMS };
static const char dim_letter[] = "NKCPQRS";
static const char *const dim_name[] = {"n", "k", "c", "p", "q", "r", "s"};
enum { MOST_COLUMNS = 48, MOST_LINE = 1024, ROWS = 300 };

struct row {
	char text[MOST_LINE];
	const char *field[MOST_COLUMNS];
};

struct table {
	FILE *file;
	struct row head, now;
};

static int split(struct row *row)
{
	int count = 0;

	row->text[strcspn(row->text, "\r\n")] = '\0';
	for (char *at = row->text; at && count < MOST_COLUMNS;) {
		row->field[count++] = at;
		at = strchr(at, ',');
		if (at)
			*at++ = '\0';
	}
	return count;
}

static bool next_row(struct table *t)
{
	return fgets(t->now.text, sizeof t->now.text, t->file) && split(&t->now) > 1;
}

static const char *field(const struct table *t, const char *name)
{
	int i = 0;

	while (t->head.field[i] && strcmp(t->head.field[i], name) != 0)
		i++;
	cr_assert(t->head.field[i], "there is no column '%s'", name);
	return t->now.field[i];
}

static int64_t number(const struct table *t, const char *name)
{
	return strtoll(field(t, name), NULL, 10);
}

/* ---- Problem, machine, mapping ---------------------------------------------------------------------------------- */

static void index_by(struct operand *o, int rank, int dim, int64_t coef)
{
	o->coef[rank][dim] = coef;
	o->relevant |= 1u << dim;
	o->ranks = rank + 1;
}

static void make_problem(struct problem *p, const struct table *t)
{
	static const int input[] = {N, C, P, Q}, weight[] = {K, C, R, S}, output[] = {N, K, P, Q};

	*p = (struct problem){.name = "dosa", .dims = DIMS, .operands = OPERANDS};
	for (int d = 0; d < DIMS; d++) {
		const char letter[] = {dim_letter[d], '\0'};
		p->dim[d] = dim_name[d];
		p->extent[d] = number(t, letter);
	}
	for (int o = 0; o < OPERANDS; o++)
		p->operand[o].class = (enum tensor_class)o;
	for (int r = 0; r < 4; r++) {
		index_by(&p->operand[I], r, input[r], r < 2 ? 1 : number(t, "stride"));
		index_by(&p->operand[W], r, weight[r], 1);
		index_by(&p->operand[O], r, output[r], 1);
	}
	index_by(&p->operand[I], 2, R, 1);
	index_by(&p->operand[I], 3, S, 1);
	p->operand[I].ranks = 4;
}

static void make_machine(struct hierarchy *h, const struct table *t)
{
	static const unsigned keeps[] = {1 << W | 1 << I | 1 << O, 1 << W | 1 << I, 1 << O, 1 << W};
	const double bandwidth[] = {(double)number(t, "dram_bw"), (double)number(t, "sp_bw"),
				    (double)number(t, "acc_bw"), 0};

	*h = (struct hierarchy){.name = "gemmini", .levels = LEVELS};
	for (int l = 0; l < LEVELS; l++) {
		struct level *level = &h->level[l];
		*level = (struct level){.name = "memory",
					.is_memory = true,
					.may_keep = keeps[l],
					.buffers = 1,
					.width = 1,
					.shared_bandwidth = bandwidth[l],
					.multicast = 7,
					.reduce = 7,
					.fanout = {1, 1}};
	}
	h->level[SCRATCHPAD].axes = h->level[ACCUMULATOR].axes = 1;
	h->level[SCRATCHPAD].fanout[0] = number(t, "columns");
	h->level[ACCUMULATOR].fanout[0] = number(t, "rows");
	h->level[SCRATCHPAD].words = number(t, "sp_words");
	h->level[ACCUMULATOR].words = number(t, "acc_words");
	h->level[REGISTER].words = 1;
}

/* "L3[WIO] P28 R7 - L2[WI] N1 K4X - L1[O] K2 C3X - L0[W] P2": the outermost first; X is in space. */
static void make_mapping(struct mapping *m, const struct problem *p, const struct hierarchy *h,
			 const char *text)
{
	int64_t left[MAX_DIMS];
	int level = -1;

	*m = (struct mapping){.problem = p, .machine = h};
	memcpy(left, p->extent, sizeof left);
	for (int l = 0; l < LEVELS; l++)
		m->keep[l] = h->level[l].may_keep;
	while (*text) {
		size_t length = strcspn(text, " ");
		if (*text == 'L') {
			level = '3' - text[1];
		} else if (*text != '-') {
			int dim = (int)(strchr(dim_letter, *text) - dim_letter);
			int64_t steps = strtoll(text + 1, NULL, 10);
			left[dim] /= steps;
			if (steps > 1)
				m->loop[m->loops++] = (struct mapped_loop){
					text[length - 1] == 'X' ? LOOP_SPACE : LOOP_TIME, level, 0,
					dim, left[dim]};
		}
		text += length + (text[length] == ' ');
	}
	for (int d = 0; d < DIMS; d++)
		cr_assert_eq(left[d], 1, "the factors of %s multiply to its extent", dim_name[d]);
}

/* ---- Comparison ------------------------------------------------------------------------------------------------ */

static int differ(const struct table *t, const char *name, int64_t ours, int64_t theirs)
{
	if (ours != theirs)
		cr_log_error("row %s: %s is %" PRId64 ", in the data %" PRId64, field(t, "id"),
			     name, ours, theirs);
	return ours != theirs;
}

static int compare(const struct table *t, const struct cost *cost)
{
	static const struct {
		const char *column;
		int level, operand;
		enum access_kind kind;
	} count[] = {
		{"reg_w_fills", REGISTER, W, ACCESS_FILL},
		{"acc_o_updates", ACCUMULATOR, O, ACCESS_UPDATE},
		{"acc_o_reads", ACCUMULATOR, O, ACCESS_READ},
		{"sp_w_reads", SCRATCHPAD, W, ACCESS_READ},
		{"sp_w_fills", SCRATCHPAD, W, ACCESS_FILL},
		{"sp_w_fills", DRAM, W, ACCESS_READ},
		{"sp_i_reads", SCRATCHPAD, I, ACCESS_READ},
		{"sp_i_fills_closed", SCRATCHPAD, I, ACCESS_FILL},
		{"sp_i_fills_closed", DRAM, I, ACCESS_READ},
		{"dram_o_reads", DRAM, O, ACCESS_READ},
		{"dram_o_updates", DRAM, O, ACCESS_UPDATE},
		{"steps", REGISTER, W, ACCESS_READ},
	};
	int64_t first = number(t, "N") * number(t, "K") * number(t, "P") * number(t, "Q") /
			number(t, "used_columns");
	int wrong = 0;

	for (size_t i = 0; i < sizeof count / sizeof *count; i++)
		wrong += differ(
			t, count[i].column,
			cost->traffic[count[i].level][count[i].operand].per_instance[count[i].kind],
			number(t, count[i].column));
	/* the data counts the first visits of sums as fills */
	wrong += differ(t, "acc_o_fills",
			cost->traffic[ACCUMULATOR][O].per_instance[ACCESS_FILL] + first,
			number(t, "acc_o_fills"));
	wrong += differ(t, "acc_tile", cost->traffic[ACCUMULATOR][O].tile, number(t, "acc_tile"));
	wrong += differ(t, "sp_tile",
			cost->traffic[SCRATCHPAD][W].tile + cost->traffic[SCRATCHPAD][I].tile,
			number(t, "sp_tile"));
	wrong += differ(t, "used_columns", cost->instances[ACCUMULATOR], number(t, "used_columns"));
	wrong +=
		differ(t, "units", cost->units, number(t, "used_columns") * number(t, "used_rows"));
	wrong += differ(t, "cycles_elided", cost->cycles, number(t, "cycles_elided"));
	wrong += differ(t, "steps", cost->steps, number(t, "steps"));
	return wrong;
}

/* ---- Energy ----------------------------------------------------------------------------------------------------- */

/* Of one access to a row of so many units of 32 bits in a memory so deep: a fit to the data, pJ (its README). */
static double sram(double width, double depth)
{
	return 1.94974879 * width + 0.000392587939 * width * width * depth;
}

/* The data's formula on our counts; first visits are fills there, and are given back. */
static double energy_of(const struct table *t, const struct cost *cost)
{
	const double mac = 0.5608, reg = 0.48746172, block = 64, dram = 6400;
	double columns = (double)number(t, "columns"), used = (double)number(t, "used_columns");
	double first = (double)(number(t, "N") * number(t, "K") * number(t, "P") * number(t, "Q"));
	const struct traffic *sum = &cost->traffic[ACCUMULATOR][O];
	double depth = (double)number(t, "sp_words") / columns, scratchpad = 0, sums = 0,
	       outside = 0;

	for (int k = 0; k < ACCESS_KINDS; k++)
		sums += (double)sum->per_instance[k] * used;
	for (int o = I; o <= W; o++) {
		const int64_t *own = cost->traffic[SCRATCHPAD][o].per_instance;
		scratchpad += ceil((double)own[ACCESS_READ] / columns) +
			      ceil((double)own[ACCESS_FILL] / columns);
		outside += ceil((double)own[ACCESS_FILL] / block);
	}
	for (int k = ACCESS_READ; k < ACCESS_KINDS; k++)
		outside += ceil((double)cost->traffic[DRAM][O].per_instance[k] / block);
	return (double)cost->macs * (mac + reg) +
	       (double)cost->traffic[REGISTER][W].per_instance[ACCESS_FILL] * (double)cost->units *
		       reg +
	       (sums + first) * sram(1, (double)number(t, "acc_words")) +
	       scratchpad * sram(columns / 4, depth) + dram * outside;
}

static void open_table(struct table *t)
{
	memset(t, 0, sizeof *t);
	t->file = fopen(SOURCE_DIR "/test/golden/dosa_mappings.csv", "r");
	cr_assert(t->file && fgets(t->head.text, sizeof t->head.text, t->file),
		  "the golden file is there");
	split(&t->head);
}

static void cost_row(const struct table *t, struct problem *p, struct hierarchy *h,
		     struct mapping *m, struct cost *cost)
{
	make_problem(p, t);
	make_machine(h, t);
	make_mapping(m, p, h, field(t, "mapping"));
	for (int l = 0; l < LEVELS; l++) {
		struct misfit misfit;
		cr_expect(!level_misfit(m, l, &misfit), "row %s fits level %d", field(t, "id"), l);
	}
	cr_assert(mapping_cost(m, cost));
}

Test(mapper_dosa, counts_and_cycles_of_every_row)
{
	struct table t;
	struct problem p;
	struct hierarchy h;
	struct mapping m;
	struct cost cost;
	int rows = 0, wrong = 0;

	for (open_table(&t); next_row(&t); rows++) {
		cost_row(&t, &p, &h, &m, &cost);
		wrong += compare(&t, &cost);
	}
	fclose(t.file);
	cr_expect_eq(rows, ROWS);
	cr_expect_eq(wrong, 0, "%d counts differ", wrong);
}

/* Where the data's input fills are not the closed form (45 rows: its README, halo `broken`), its energy is that of other
 * counts; of all others it is ours to its six digits. */
Test(mapper_dosa, energy_where_the_input_fills_are_the_closed_form)
{
	struct table t;
	struct problem p;
	struct hierarchy h;
	struct mapping m;
	struct cost cost;
	int rows = 0;

	for (open_table(&t); next_row(&t);) {
		double known = strtod(field(&t, "energy_uj"), NULL) * 1e6, ours;
		if (number(&t, "sp_i_fills") != number(&t, "sp_i_fills_closed"))
			continue;
		cost_row(&t, &p, &h, &m, &cost);
		ours = energy_of(&t, &cost);
		cr_expect(fabs(ours - known) <= 1e-5 * known, "row %s: %.10g pJ, in the data %.10g",
			  field(&t, "id"), ours, known);
		rows++;
	}
	fclose(t.file);
	cr_expect_eq(rows, ROWS - 45);
}
