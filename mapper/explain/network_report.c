/* network_report.c -- a mapped network goes in, tables for people come out. Numbers are short here; exact ones are in the
 * report that backend/report writes. */
#include "mapper/explain/network_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "mapper/explain/cells.h"
#include "mapper/mapping/mapping_print.h"

/* 724,406,816 */
static const char *grouped(struct arena *arena, int64_t number)
{
	const char *text = arena_printf(arena, "%" PRId64, number % 1000);

	for (int64_t rest = number / 1000; rest > 0; rest /= 1000, number /= 1000)
		text = arena_printf(arena, "%" PRId64 ",%0*" PRId64 "%s", rest % 1000, 3,
				    number % 1000, strchr(text, ',') ? strchr(text, ',') : "");
	return text;
}

/* ---- Totals ---------------------------------------------------------------------------------------------------- */

int64_t level_accesses(const struct cost *cost, const struct problem *p, int level)
{
	int64_t accesses = 0;

	for (int o = 0; o < p->operands; o++)
		for (int k = 0; k < ACCESS_KINDS; k++)
			accesses += cost->traffic[level][o].count[k];
	return accesses;
}

/* A point reads its operands and writes its output; a sum or maximum reads the output as well. */
static int64_t accesses_without_reuse(const struct layer *layer, int64_t points)
{
	bool is_reduction = layer->statement->reduce != REDUCE_NONE;

	return points * (layer->problem->operands + is_reduction);
}

struct network_totals network_totals(const struct network_mapping *n)
{
	struct network_totals t = {0};

	for (int i = 0; i < n->workload->layers; i++) {
		const struct search_result *r = &n->layer[i].found;
		t.unmapped += !r->has_mapping;
		if (!r->has_mapping)
			continue;
		t.mapped++;
		t.proven += !n->layer[i].layer->given && search_gap(r) == 0;
		t.macs += r->cost.macs;
		t.steps += r->cost.steps;
		t.cycles += r->cost.cycles;
		t.energy += r->cost.energy;
		t.without_reuse += accesses_without_reuse(n->layer[i].layer, r->cost.macs);
		for (int level = 0; level < n->workload->machine->levels; level++)
			t.accesses[level] +=
				level_accesses(&r->cost, n->layer[i].layer->problem, level);
	}
	return t;
}

/* ---- Cells ------------------------------------------------------------------------------------------------------- */

double report_utilisation(const struct hierarchy *h, int64_t macs, int64_t steps)
{
	return 100 * (double)macs / (double)steps / (double)hierarchy_units(h);
}

const char *report_bound(struct arena *arena, const struct hierarchy *h, const struct cost *cost)
{
	static const char *const word[] = {[BOUND_READ] = "read",
					   [BOUND_WRITE] = "write",
					   [BOUND_SHARED] = "port",
					   [BOUND_NETWORK] = "network"};

	static const char *const class[] = {[CLASS_I] = "I", [CLASS_W] = "W", [CLASS_O] = "O"};

	if (cost->bound == BOUND_COMPUTE)
		return "compute";
	if (cost->bound == BOUND_CLASS)
		return arena_printf(arena, "%s port %s", h->level[cost->bound_level].name,
				    class[cost->bound_class]);
	return arena_printf(arena, "%s %s", h->level[cost->bound_level].name, word[cost->bound]);
}

static const char *proof_text(struct arena *arena, const struct layer_mapping *l)
{
	double gap = search_gap(&l->found);

	if (l->layer->given)
		return "given";
	if (!l->found.has_mapping)
		return l->found.status == SEARCH_INFEASIBLE ? "none is possible" : "none found yet";
	if (gap == 0)
		return l->found.status == SEARCH_PROVEN ? "proven" : "proven, ties open";
	return isinf(gap) ? "no bound"
			  : arena_printf(arena, gap < 9.995 ? "gap %.3g %%" : "gap %.0f %%",
					 100 * gap);
}

const char *report_unit(const struct hierarchy *h)
{
	return h->is_in_joules ? "J" : "";
}

/* Dashes where nothing is mapped. */
static void add_costs(struct columns *c, const struct hierarchy *h, int64_t macs, int64_t steps,
		      double energy, int64_t cycles)
{
	const char *unit = report_unit(h);

	for (int i = 0; i < 6 && macs == 0; i++)
		columns_add(c, "-");
	if (macs == 0)
		return;
	columns_add(c, "%s", short_number((double)macs, "").text);
	columns_add(c, "%.3g %%", report_utilisation(h, macs, steps));
	columns_add(c, "%s", short_number(energy, unit).text);
	columns_add(c, "%s", short_number(energy / (double)macs, unit).text);
	columns_add(c, "%s", short_number((double)cycles, "").text);
	columns_add(c, "%s", short_number((double)cycles / h->clock, "s").text);
}

/* ---- One machine ------------------------------------------------------------------------------------------------- */

void report_heading(struct columns *c, const char *const word[], int count)
{
	for (int i = 0; i < count; i++)
		columns_add(c, "%s", word[i]);
	columns_end_row(c);
}

static void print_title(const struct network_mapping *n, FILE *out)
{
	const struct hierarchy *h = n->workload->machine;

	fprintf(out, "%s on %s: %" PRId64 " units at %s, least %s%s\n", n->workload->network->name,
		h->name, hierarchy_units(h), short_number(h->clock, "Hz").text,
		objective_name[n->options.objective],
		h->is_in_joules ? "" : "; energy in the machine's own unit");
}

bool report_is_empty(const struct network_mapping *n, FILE *out)
{
	if (n->workload->layers == 0)
		fputs("no layer of this network multiplies and accumulates\n", out);
	return n->workload->layers == 0;
}

static void print_layers(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	static const char *const heading[] = {"layer",  "MACs", "active",   "energy", "per MAC",
					      "cycles", "time", "bound by", "search"};
	const struct hierarchy *h = n->workload->machine;
	struct network_totals t = network_totals(n);
	struct columns c = columns_new(arena, "lrrrrrrll");

	if (report_is_empty(n, out))
		return;
	report_heading(&c, heading, 9);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		const struct cost *cost = &l->found.cost;
		if (l->layer->why)
			continue;
		columns_add(&c, "%s", l->layer->name);
		add_costs(&c, h, cost->macs, cost->steps, cost->energy, cost->cycles);
		columns_add(&c, "%s", l->found.has_mapping ? report_bound(arena, h, cost) : "-");
		columns_add(&c, "%s", proof_text(arena, l));
	}
	columns_add(&c, t.unmapped ? "total of %d" : "total", t.mapped);
	add_costs(&c, h, t.macs, t.steps, t.energy, t.cycles);
	columns_add(&c, "%s", "");
	columns_add(&c, "%d of %d proven", t.proven, t.mapped + t.unmapped);
	columns_print(&c, out);
}

/* No nest leaves points out, so that what is dropped has its share of every number. */
static void print_dropped(const struct layer *layer, FILE *out)
{
	if (layer->dropped == 0)
		return;
	fprintf(out, "counted whole: %s, though ", layer->name);
	if (layer->dropped > 0)
		fprintf(out, "%" PRId64 " of its %" PRId64 " points are", layer->dropped,
			statement_points(layer->statement));
	else
		fputs("some of its points are", out);
	fputs(" outside, and dropped\n", out);
}

void report_left_out(const struct network_mapping *n, FILE *out)
{
	const struct workload *w = n->workload;

	for (int i = 0; i < w->layers; i++)
		if (w->layer[i].why)
			fprintf(out, "not mapped: %s, for %s\n", w->layer[i].name, w->layer[i].why);
	for (int i = 0; i < w->layers; i++)
		print_dropped(&w->layer[i], out);
	if (w->others > 0)
		fprintf(out,
			"not mapped: %d statement%s that multipl%s and accumulate%s nothing (-all "
			"maps %s)\n",
			w->others, w->others == 1 ? "" : "s", w->others == 1 ? "ies" : "y",
			w->others == 1 ? "s" : "", w->others == 1 ? "it" : "them");
}

void report_accesses(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	const struct hierarchy *h = n->workload->machine;
	struct network_totals t = network_totals(n);
	const char *of = "";

	if (t.macs == 0)
		return;
	for (int level = 0; level < h->levels; level++)
		if (h->level[level].is_memory)
			of = arena_printf(arena, "%s%s %s %s", of, *of ? "," : "",
					  h->level[level].name,
					  short_number((double)t.accesses[level], "").text);
	fprintf(out, "accesses: %s of %s without reuse%s; as mapped:%s\n",
		grouped(arena, t.without_reuse), h->level[0].name,
		t.without_reuse == 4 * t.macs ? ", 4 a MAC" : "", of);
}

/* Where a budget was too small for any. */
static void print_not_found(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	for (int i = 0; i < n->workload->layers; i++) {
		const struct search_result *r = &n->layer[i].found;
		if (n->workload->layer[i].first == i && r->status == SEARCH_CUT && !r->has_mapping)
			fprintf(out,
				"no mapping yet: %s, of which %s partial mappings were looked at; "
				"a larger -budget goes on\n",
				n->workload->layer[i].name, grouped(arena, r->evaluations));
	}
}

void network_report(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	print_title(n, out);
	print_layers(arena, n, out);
	print_not_found(arena, n, out);
	report_left_out(n, out);
	report_accesses(arena, n, out);
}

/* ---- Sets and mappings ------------------------------------------------------------------------------------------- */

/* Digits of energies that tell those of the set apart. */
static int digits_of(const struct layer_mapping *l)
{
	int digits = 3;

	for (int k = 1; k < l->points; k++)
		while (digits < 15 && strcmp(long_number(l->point[k - 1].energy, "", digits).text,
					     long_number(l->point[k].energy, "", digits).text) == 0)
			digits++;
	return digits;
}

/* A set begins with the least energy, and ends where a search is cut. */
static void add_open(struct columns *c, const char *layer)
{
	columns_add(c, "%s", layer);
	for (int i = 0; i < 3; i++)
		columns_add(c, "-");
	columns_add(c, "open: the search for its least energy was cut");
}

void network_print_pareto(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	const struct hierarchy *h = n->workload->machine;
	struct columns c = columns_new(arena, "lrrrl");

	if (n->workload->layers == 0)
		return;
	fprintf(out,
		"\nenergy-latency sets on %s: no mapping has both less energy and fewer cycles\n",
		h->name);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		if (l->points == 0 && l->found.status == SEARCH_CUT && !l->layer->given &&
		    !l->layer->why)
			add_open(&c, l->layer->name);
		for (int k = 0; k < l->points; k++) {
			const struct pareto_point *p = &l->point[k];
			columns_add(&c, "%s", k ? "" : l->layer->name);
			columns_add(&c, "%s",
				    long_number(p->energy, report_unit(h), digits_of(l)).text);
			columns_add(&c, "%" PRId64 " cycles", p->cycles);
			columns_add(&c, "%s", short_number((double)p->cycles / h->clock, "s").text);
			columns_add(&c, "%s",
				    k + 1 < l->points || l->is_set_whole
					    ? ""
					    : "and perhaps faster ones");
		}
	}
	columns_print(&c, out);
}

void network_print_mappings(const struct network_mapping *n, FILE *out)
{
	for (int i = 0; i < n->workload->layers; i++)
		if (n->layer[i].found.has_mapping)
			mapping_print(&n->layer[i].found.mapping, out);
}
