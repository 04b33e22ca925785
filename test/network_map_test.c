/* network_map_test.c -- a network mapped: the same result whatever the threads, one search for layers alike, what a
 * budget and a stop leave, and tables whose numbers are the sums that they say. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/explain/columns.h"
#include "mapper/explain/network_report.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

static const char *const text =
	"machine m { clock 1 GHz  memory dram { }\n"
	"	memory buf { size 64 words  keeps I, O }\n"
	"	array pe[4, 2] { memory r { size 8 words  keeps W } mac { } } }\n"
	"network net(x: f32[1, 2, 6, 6]) {\n"
	"	a = conv(x, filters = 2, kernel = 3, pad = 1)\n"
	"	b = relu(conv(a, filters = 2, kernel = 3, pad = 1))\n"
	"	c = conv(b, filters = 4, kernel = 3, stride = 2)\n"
	"	d = dense(flatten(c), 6)\n"
	"	e = conv(b, filters = 2, kernel = 3, pad = 1)\n"
	"	return d, e\n"
	"}\n";

static const char *const six =
	"machine m { clock 1 GHz  memory dram { }\n"
	"	memory buf { size 64 words  keeps I, O }\n"
	"	array pe[4, 2] { memory r { size 8 words  keeps W } mac { } } }\n"
	"network six(x: f32[1, 4, 12, 12]) {\n"
	"	a = conv(x, filters = 2, kernel = 3)\n"
	"	b = conv(a, filters = 4, kernel = 3)\n"
	"	c = conv(b, filters = 6, kernel = 3)\n"
	"	d = conv(c, filters = 8, kernel = 3)\n"
	"	e = conv(d, filters = 10, kernel = 3)\n"
	"	return conv(e, filters = 12, kernel = 1)\n"
	"}\n";

static struct workload *workload_of_text(struct arena *arena, const char *string)
{
	struct diag *diag = ARENA_NEW(arena, struct diag);
	struct program *program;
	struct network *n;

	diag->arena = arena;
	program = program_new(arena, diag);
	program_add(program, "test.dnn", string, strlen(string));
	n = elaborate(program, NULL, &(struct elaborate_options){0});
	cr_assert(n && diag->errors == 0);
	return workload_of(arena, n, hierarchy_of(program, machine_check(program, NULL)), false);
}

static struct workload *workload_new(struct arena *arena)
{
	return workload_of_text(arena, text);
}

/* All that is said of it, exactly: mappings, and the tables. */
static char *told(struct arena *arena, const struct network_mapping *n)
{
	char *string;
	size_t size;
	FILE *out = open_memstream(&string, &size);

	network_print_mappings(n, out);
	network_report(arena, n, out);
	network_explain(arena, n, out);
	network_print_pareto(arena, n, out);
	for (int i = 0; i < n->workload->layers; i++)
		fprintf(out, "%.17g %.17g\n", n->layer[i].found.value, n->layer[i].found.bound);
	fclose(out);
	return string;
}

Test(network_map, threads_change_nothing)
{
	static const int64_t budget[] = {0, 1, 3000};
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);

	for (int b = 0; b < 3; b++) {
		struct map_options how = {.threads = 1, .evaluations = budget[b], .pareto = b == 0};
		char *one = told(arena, network_map(arena, w, &how));
		for (how.threads = 2; how.threads < 9; how.threads += 3) {
			char *many = told(arena, network_map(arena, w, &how));
			cr_expect_str_eq(one, many);
			free(many);
		}
		free(one);
	}
	arena_free(arena);
}

/* What is left is less than 5/4 of what any cut layer had: not worth a search that begins anew. Returns whether one is cut. */
static bool is_spent(struct arena *arena, const struct workload *w, int64_t budget)
{
	struct map_options how = {.threads = 2, .evaluations = budget};
	const struct network_mapping *n = network_map(arena, w, &how);
	int64_t spent = 0, of_cut = INT64_MAX;

	for (int i = 0; i < w->layers; i++) {
		const struct search_result *r = &n->layer[i].found;
		if (w->layer[i].first != i)
			continue;
		spent += r->evaluations;
		if (r->status == SEARCH_CUT && r->evaluations < of_cut)
			of_cut = r->evaluations;
	}
	cr_expect_leq(budget - spent, of_cut == INT64_MAX ? budget : of_cut + of_cut / 4,
		      "of %lld %lld were spent", (long long)budget, (long long)spent);
	return of_cut < INT64_MAX;
}

/* Layers that need little leave their share to the others: where one is cut, little is left. */
Test(network_map, a_budget_is_spent_before_a_layer_is_cut)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena), *of_six = workload_of_text(arena, six);
	int cut_budgets = 0;

	for (int64_t budget = 100; budget <= 51200; budget *= 2)
		cut_budgets += is_spent(arena, w, budget);
	cr_expect(cut_budgets >= 2, "%d budgets cut something", cut_budgets);
	cut_budgets = 0;
	for (int64_t budget = 18000; budget <= 32000; budget += 1000)
		cut_budgets += is_spent(arena, of_six, budget);
	cr_expect(cut_budgets >= 2, "%d budgets cut something", cut_budgets);
	arena_free(arena);
}

Test(network_map, layers_alike_share_their_mapping)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);
	const struct network_mapping *n =
		network_map(arena, w, &(struct map_options){.threads = 2});

	cr_assert(w->layers == 5 && w->distinct == 3);
	for (int i = 0; i < w->layers; i++) {
		const struct layer_mapping *l = &n->layer[i], *first = &n->layer[w->layer[i].first];
		cr_expect_eq(l->found.status, SEARCH_PROVEN, "%s", l->layer->name);
		cr_expect_eq(search_gap(&l->found), 0);
		cr_expect_eq(l->found.value, first->found.value);
		cr_expect_eq(l->found.mapping.problem, w->layer[i].problem, "of its own name");
		cr_expect_eq(l->eyexam.rate[EYEXAM_CYCLES], first->eyexam.rate[EYEXAM_CYCLES]);
	}
	struct network_totals t = network_totals(n);
	cr_expect_eq(t.macs, 3 * 2 * 2 * 36 * 9 + 4 * 2 * 4 * 9 + 6 * 16, "%lld",
		     (long long)t.macs);
	cr_expect_eq(t.without_reuse, 4 * t.macs,
		     "of a MAC two words are read, a sum is read and written");
	cr_expect(t.mapped == 5 && t.proven == 5 && t.unmapped == 0);
	arena_free(arena);
}

Test(network_map, a_stop_is_no_proof)
{
	volatile sig_atomic_t stop = 1;
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);
	const struct network_mapping *n =
		network_map(arena, w, &(struct map_options){.threads = 2, .stop = &stop});

	for (int i = 0; i < w->layers; i++) {
		const struct search_result *r = &n->layer[i].found;
		cr_expect_eq(r->status, SEARCH_CUT, "%s", w->layer[i].name);
		cr_expect_gt(search_gap(r), 0);
		if (r->has_mapping)
			cr_expect_leq(r->bound, r->value);
	}
	free(told(arena, n)); /* and it can be told */
	arena_free(arena);
}

/* What is proven but for the order of a sum has no gap, though its ties are open; what may be less has one. */
Test(network_map, a_gap_is_more_than_rounding)
{
	struct search_result r = {.status = SEARCH_CUT,
				  .has_mapping = true,
				  .value = 3e9,
				  .bound = 3e9 * (1 - 1e-12)};

	cr_expect_eq(search_gap(&r), 0);
	r.bound = 3e9 * (1 - 1e-9);
	cr_expect_float_eq(search_gap(&r), 1e-9, 1e-12);
	r.has_mapping = false;
	cr_expect(isinf(search_gap(&r)));
}

Test(network_map, a_set_goes_from_the_least_energy_to_the_fewest_cycles)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);
	const struct network_mapping *least[OBJECTIVES];

	for (int o = 0; o < OBJECTIVES; o++)
		least[o] = network_map(arena, w,
				       &(struct map_options){.objective = (enum objective)o,
							     .threads = 2,
							     .pareto = true});
	for (int i = 0; i < w->layers; i++) {
		const struct layer_mapping *l = &least[OBJECTIVE_ENERGY]->layer[i];
		cr_expect(l->is_set_whole && l->points > 0, "%s", w->layer[i].name);
		for (int k = 1; k < l->points; k++)
			cr_expect(l->point[k].energy > l->point[k - 1].energy &&
				  l->point[k].cycles < l->point[k - 1].cycles);
		cr_expect_eq(l->point[0].energy, l->found.value);
		cr_expect_eq(l->point[l->points - 1].cycles,
			     least[OBJECTIVE_CYCLES]->layer[i].found.cost.cycles);
		cr_expect_eq(least[OBJECTIVE_EDP]->layer[i].points, l->points,
			     "whatever else is least");
	}
	arena_free(arena);
}

Test(columns, numbers_have_three_digits)
{
	static const struct {
		double value;
		const char *unit, *text;
	} row[] = {
		{0, "", "0"},
		{0.6, "", "0.60"},
		{0.005, "", "5.00 m"},
		{1, "", "1"},
		{999.4, "", "999"},
		{999.5, "", "1.00 k"},
		{1810000000, "", "1.81 G"},
		{99.96, "", "100"},
		{724406816, "", "724 M"},
		{1.76, "s", "1.76 s"},
		{0.00585, "s", "5.85 ms"},
		{0.9996, "s", "1.00 s"},
		{2e-13, "J", "200 fJ"},
		{0, "J", "0 J"},
		{1e30, "", "1000000 Y"},
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		cr_expect_str_eq(short_number(row[i].value, row[i].unit).text, row[i].text);
}

Test(columns, lines_end_without_blanks)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	struct columns c = columns_new(arena, "lrl");
	char *string;
	size_t size;
	FILE *out = open_memstream(&string, &size);

	columns_add(&c, "layer");
	columns_add(&c, "n");
	columns_end_row(&c);
	columns_add(&c, "\xc3\xa9");
	columns_add(&c, "12");
	columns_add(&c, "end");
	columns_print(&c, out);
	fclose(out);
	cr_expect_str_eq(string, "layer   n\n\xc3\xa9      12  end\n");
	free(string);
	arena_free(arena);
}
