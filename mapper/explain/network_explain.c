/* network_explain.c -- the bounds of Eyexam as a table, with what each step loses. */
#include "mapper/explain/cells.h"

#include <inttypes.h>
#include <math.h>

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

/* Through a shared port go words of both kinds, or of one. */
static enum bound_kind words_of(const struct eyexam *e, const struct cost *cost)
{
	const int64_t *count = cost->traffic[e->level][e->operand].per_instance;
	int64_t writes = count[ACCESS_FILL] + count[ACCESS_UPDATE];

	if (e->port != BOUND_SHARED || (count[ACCESS_READ] > 0 && writes > 0))
		return e->port;
	return writes > 0 ? BOUND_WRITE : BOUND_READ;
}

static const char *port_text(struct arena *arena, const struct mapping *m, const struct eyexam *e,
			     const struct cost *cost)
{
	static const char *const word[] = {[BOUND_READ] = "reads",
					   [BOUND_WRITE] = "writes",
					   [BOUND_SHARED] = "reads and writes",
					   [BOUND_CLASS] = "own port",
					   [BOUND_NETWORK] = "network"};

	if (e->port == BOUND_COMPUTE)
		return "no port of a single tensor is narrower";
	return arena_printf(arena, "%s of %s at %s", word[words_of(e, cost)],
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
		return port_text(arena, m, e, &l->found.cost);
	default:
		return arena_printf(arena, "tensors share ports: %s",
				    report_bound(arena, m->machine, &l->found.cost));
	}
}

void network_explain(struct arena *arena, const struct network_mapping *n, FILE *out)
{
	struct columns c = columns_new(arena, "llrrl");

	if (n->workload->layers == 0)
		return;
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
