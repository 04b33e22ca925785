/* network_report.c -- a mapped network goes in, tables for people come out. Numbers are short here; exact ones are in the
 * report that backend/report writes. */
#include "mapper/explain/network_report.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "mapper/explain/columns.h"
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

/* Part of the units that work, on average over the steps of the arithmetic. */
static double utilisation(const struct hierarchy *h, int64_t macs, int64_t steps)
{
	return 100 * (double)macs / (double)steps / (double)hierarchy_units(h);
}

static const char *bound_text(struct arena *arena, const struct hierarchy *h,
			      const struct cost *cost)
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
		return "proven";
	return isinf(gap) ? "no bound" : arena_printf(arena, "gap %.3g %%", 100 * gap);
}

static const char *unit_of(const struct hierarchy *h)
{
	return h->is_in_joules ? "J" : "";
}

/* Dashes where nothing is mapped. */
static void add_costs(struct columns *c, const struct hierarchy *h, int64_t macs, int64_t steps,
		      double energy, int64_t cycles)
{
	const char *unit = unit_of(h);

	for (int i = 0; i < 6 && macs == 0; i++)
		columns_add(c, "-");
	if (macs == 0)
		return;
	columns_add(c, "%s", short_number((double)macs, "").text);
	columns_add(c, "%.3g %%", utilisation(h, macs, steps));
	columns_add(c, "%s", short_number(energy, unit).text);
	columns_add(c, "%s", short_number(energy / (double)macs, unit).text);
	columns_add(c, "%s", short_number((double)cycles, "").text);
	columns_add(c, "%s", short_number((double)cycles / h->clock, "s").text);
}

/* ---- One machine ------------------------------------------------------------------------------------------------- */

static void add_heading(struct columns *c, const char *const word[], int count)
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

static void print_layers(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	static const char *const heading[] = {"layer",  "MACs", "active",   "energy", "per MAC",
					      "cycles", "time", "bound by", "search"};
	const struct hierarchy *h = n->workload->machine;
	struct network_totals t = network_totals(n);
	struct columns c = columns_new(arena, "lrrrrrrll");

	if (t.mapped + t.unmapped == 0) {
		fputs("no layer of this network multiplies and accumulates\n", out);
		return;
	}
	add_heading(&c, heading, 9);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		const struct cost *cost = &l->found.cost;
		if (l->layer->why)
			continue;
		columns_add(&c, "%s", l->layer->name);
		add_costs(&c, h, cost->macs, cost->steps, cost->energy, cost->cycles);
		columns_add(&c, "%s", l->found.has_mapping ? bound_text(arena, h, cost) : "-");
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

/* What is not in the table, and why; and what in it is more than is done. */
static void print_left_out(const struct network_mapping *n, FILE *out)
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

/* What reuse saves. */
static void print_accesses(struct arena *arena, const struct network_mapping *n, FILE *out)
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

void network_report(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	print_title(n, out);
	print_layers(arena, n, out);
	print_left_out(n, out);
	print_accesses(arena, n, out);
}

/* ---- Several machines ---------------------------------------------------------------------------------------------- */

struct beside {
	int machines;
	const struct mapped_machine *machine;
	bool same_unit;
};

static const struct hierarchy *machine_of(const struct beside *b, int i)
{
	return b->machine[i].mapped->workload->machine;
}

static bool have_same_unit(const struct beside *b)
{
	for (int i = 1; i < b->machines; i++)
		if (machine_of(b, i)->is_in_joules != machine_of(b, 0)->is_in_joules)
			return false;
	return true;
}

static const char *label_of(struct arena *arena, const struct beside *b, int i)
{
	const char *name = machine_of(b, i)->name;
	bool is_alone = true;

	for (int k = 0; k < b->machines; k++)
		is_alone &= k == i || strcmp(machine_of(b, k)->name, name) != 0;
	return is_alone ? name : arena_printf(arena, "%s (%s)", name, b->machine[i].file);
}

/* A value and how often it holds the first machine's. */
static void add_beside(struct columns *c, double value, const char *unit, double first,
		       bool is_like)
{
	columns_add(c, "%s", short_number(value, unit).text);
	if (is_like && first > 0)
		columns_add(c, "%.3gx", value / first);
	else
		columns_add(c, "-");
}

/* What a layer, or all, costs on one machine. */
struct priced {
	bool is_there;
	int64_t macs, steps, cycles;
	double energy;
	const char *bound;
};

static void add_machine(struct columns *c, const struct beside *b, int machine,
			const struct priced *now, const struct priced *first)
{
	const struct hierarchy *h = machine_of(b, machine);
	double clock = machine_of(b, 0)->clock;
	bool is_like = b->same_unit && first->is_there;

	columns_add(c, "%s", label_of(c->arena, b, machine));
	if (!now->is_there) {
		columns_add(c, "none");
		columns_end_row(c);
		return;
	}
	columns_add(c, "%.3g %%", utilisation(h, now->macs, now->steps));
	add_beside(c, now->energy / (double)now->macs, unit_of(h),
		   first->is_there ? first->energy / (double)first->macs : 0, is_like);
	add_beside(c, (double)now->cycles, "", (double)first->cycles, first->is_there);
	add_beside(c, (double)now->cycles / h->clock, "s", (double)first->cycles / clock,
		   first->is_there);
	add_beside(c, now->energy * (double)now->cycles / h->clock, h->is_in_joules ? "Js" : "s",
		   first->energy * (double)first->cycles / clock, is_like);
	columns_add(c, "%s", now->bound);
}

static struct priced price_layer(struct arena *arena, const struct network_mapping *n, int i)
{
	const struct search_result *r = &n->layer[i].found;

	if (!r->has_mapping)
		return (struct priced){0};
	return (struct priced){true,           r->cost.macs,
			       r->cost.steps,  r->cost.cycles,
			       r->cost.energy, bound_text(arena, n->workload->machine, &r->cost)};
}

static struct priced price_all(struct arena *arena, const struct network_mapping *n)
{
	struct network_totals t = network_totals(n);

	return (struct priced){
		t.mapped > 0,
		t.macs,
		t.steps,
		t.cycles,
		t.energy,
		arena_printf(arena, "%d of %d proven", t.proven, t.mapped + t.unmapped)};
}

void network_compare(struct arena *arena, int machines, const struct mapped_machine machine[],
		     FILE *out)
{
	static const char *const heading[] = {"layer", "machine",       "active", "energy/MAC",
					      "",      "cycles",        "",       "time",
					      "",      "energy x time", "",       "bound by"};
	struct beside b = {machines, machine, true};
	const struct workload *w = machine[0].mapped->workload;
	struct columns c = columns_new(arena, "llrrrrrrrrrl");

	b.same_unit = have_same_unit(&b);
	fprintf(out,
		"%s on %d machines, least %s; beside each number, how many times the first "
		"machine's it is\n",
		w->network->name, machines, objective_name[machine[0].mapped->options.objective]);
	add_heading(&c, heading, 12);
	for (int i = 0; i <= w->layers; i++) {
		struct priced first = {0};
		if (i < w->layers && w->layer[i].why)
			continue;
		for (int k = 0; k < machines; k++) {
			struct priced now = i < w->layers ? price_layer(arena, machine[k].mapped, i)
							  : price_all(arena, machine[k].mapped);
			first = k == 0 ? now : first;
			columns_add(&c, "%s",
				    k > 0           ? ""
				    : i < w->layers ? w->layer[i].name
						    : "total");
			add_machine(&c, &b, k, &now, &first);
		}
	}
	columns_print(&c, out);
	print_left_out(machine[0].mapped, out);
	for (int k = 0; k < machines; k++) {
		fprintf(out, "%s: ", label_of(arena, &b, k));
		print_accesses(arena, machine[k].mapped, out);
	}
}

/* ---- Eyexam ------------------------------------------------------------------------------------------------------- */

/* Loops that may not run in parallel: what the second step loses. */
static const char *sequential_loops(struct arena *arena, const struct layer_mapping *l)
{
	const struct mapping *m = &l->found.mapping;
	const char *text = "";

	for (int d = 0; d < m->problem->dims; d++)
		if (!eyexam_is_parallel(m->machine, l->layer->given ? NULL : l->layer->constraint,
					d))
			text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "",
					    m->problem->dim[d]);
	return *text ? arena_printf(arena, "in time only: %s", text) : "";
}

static const char *array_text(struct arena *arena, const struct hierarchy *h)
{
	const char *text = "";

	for (int i = 0; i < h->levels; i++)
		for (int a = 0; a < h->level[i].axes; a++)
			text = arena_printf(arena, "%s%s%" PRId64, text, *text ? " x " : "",
					    h->level[i].fanout[a]);
	return *text ? text : "one unit";
}

static const char *port_text(struct arena *arena, const struct mapping *m, const struct eyexam *e)
{
	static const char *const word[] = {[BOUND_READ] = "reads",
					   [BOUND_WRITE] = "writes",
					   [BOUND_SHARED] = "reads and writes",
					   [BOUND_CLASS] = "own port",
					   [BOUND_NETWORK] = "network"};

	if (e->port == BOUND_COMPUTE)
		return "no port of a single tensor is narrower";
	return arena_printf(arena, "%s of %s at %s", word[e->port],
			    m->problem->operand[e->operand].name, m->machine->level[e->level].name);
}

/* So many at once are too few for all that may run in parallel: it takes rounds, and the last may leave units idle. */
static const char *units_text(struct arena *arena, int64_t units, double points)
{
	double rounds = ceil(points / (double)units), idle = rounds * (double)units - points;
	const char *text = arena_printf(arena, "%" PRId64 " units in %.0f rounds", units, rounds);

	return idle == 0 ? text : arena_printf(arena, "%s, %.0f idle in the last", text, idle);
}

/* What makes a step's bound lower than that before it. */
static const char *loss_text(struct arena *arena, const struct layer_mapping *l, int step)
{
	const struct mapping *m = &l->found.mapping;
	const struct eyexam *e = &l->eyexam;

	switch ((enum eyexam_step)step) {
	case EYEXAM_SHAPE:
		return "every multiply-accumulate at once";
	case EYEXAM_DATAFLOW:
		return sequential_loops(arena, l);
	case EYEXAM_UNITS:
		return units_text(arena, hierarchy_units(m->machine), e->rate[EYEXAM_DATAFLOW]);
	case EYEXAM_ARRAY:
		return arena_printf(arena, "each loop folded along axes of %s",
				    array_text(arena, m->machine));
	case EYEXAM_STORAGE:
		return "the factors and tiles of this mapping";
	case EYEXAM_BANDWIDTH:
		return port_text(arena, m, e);
	default:
		return arena_printf(arena, "tensors share ports: %s",
				    bound_text(arena, m->machine, &l->found.cost));
	}
}

void network_explain(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	struct columns c = columns_new(arena, "llrrl");

	fputs("\nbounds in multiply-accumulates a cycle (Eyexam); the last is overlap perfect, not "
	      "simulated\n",
	      out);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		for (int k = 0; k < EYEXAM_STEPS && l->found.has_mapping; k++) {
			double rate = l->eyexam.rate[k], before = k ? l->eyexam.rate[k - 1] : rate;
			columns_add(&c, "%s", k ? "" : l->layer->name);
			columns_add(&c, "%d %s", k + 1, eyexam_name[k]);
			columns_add(&c, "%s", short_number(rate, "").text);
			if (rate < before)
				columns_add(&c, "-%.*f %%", rate < 0.1 * before ? 1 : 0,
					    fmin(99.9, 100 * (1 - rate / before)));
			else
				columns_add(&c, "%s", "");
			columns_add(&c, "%s", k && rate == before ? "" : loss_text(arena, l, k));
		}
	}
	columns_print(&c, out);
}

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

/* ---- Sets and mappings ---------------------------------------------------------------------------------------------- */

void network_print_pareto(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	const struct hierarchy *h = n->workload->machine;
	struct columns c = columns_new(arena, "lrrrl");

	fprintf(out,
		"\nenergy-latency sets on %s: no mapping has both less energy and fewer cycles\n",
		h->name);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		for (int k = 0; k < l->points; k++) {
			const struct pareto_point *p = &l->point[k];
			columns_add(&c, "%s", k ? "" : l->layer->name);
			columns_add(&c, "%s",
				    long_number(p->energy, unit_of(h), digits_of(l)).text);
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
