/* network_compare.c -- one network on several machines, side by side. */
#include "mapper/explain/cells.h"

#include <inttypes.h>
#include <string.h>

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
	/* sums over other layers tell nothing */
	bool is_same = first->is_there && first->macs == now->macs;
	bool is_like = b->same_unit && is_same;

	columns_add(c, "%s", label_of(c->arena, b, machine));
	if (!now->is_there) {
		columns_add(c, "none");
		columns_end_row(c);
		return;
	}
	columns_add(c, "%.3g %%", report_utilisation(h, now->macs, now->steps));
	add_beside(c, now->energy / (double)now->macs, report_unit(h),
		   first->is_there ? first->energy / (double)first->macs : 0, is_like);
	add_beside(c, (double)now->cycles, "", (double)first->cycles, is_same);
	add_beside(c, (double)now->cycles / h->clock, "s", (double)first->cycles / clock, is_same);
	add_beside(c, now->energy * (double)now->cycles / h->clock,
		   h->is_in_joules ? "Js" : "unit s", first->energy * (double)first->cycles / clock,
		   is_like);
	columns_add(c, "%s", now->bound);
}

static struct priced price_layer(struct arena *arena, const struct network_mapping *n, int i)
{
	const struct search_result *r = &n->layer[i].found;

	if (!r->has_mapping)
		return (struct priced){0};
	return (struct priced){true,           r->cost.macs,
			       r->cost.steps,  r->cost.cycles,
			       r->cost.energy, report_bound(arena, n->workload->machine, &r->cost)};
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
		"machine's it is%s\n",
		w->network->name, machines, objective_name[machine[0].mapped->options.objective],
		b.same_unit && machine_of(&b, 0)->is_in_joules
			? ""
			: "; energy in a machine's own unit where it is not in J");
	if (report_is_empty(machine[0].mapped, out)) {
		report_left_out(machine[0].mapped, out);
		return;
	}
	report_heading(&c, heading, 12);
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
	report_left_out(machine[0].mapped, out);
	for (int k = 0; k < machines; k++) {
		if (network_totals(machine[k].mapped).mapped == 0)
			continue;
		fprintf(out, "%s: ", label_of(arena, &b, k));
		report_accesses(arena, machine[k].mapped, out);
	}
}
