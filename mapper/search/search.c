/* search.c -- passes over labels, from the MACs outward, under a threshold that rises until a mapping is found: then
 * it is the best, because nothing under the threshold was left out. docs/mapper.md section 3. */
#include "mapper/search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/cost/sums.h"
#include "mapper/search/label.h"
#include "mapper/search/rest.h"
#include "mapper/search/why.h"
#include "runtime/clock.h"

/* Looks at what labels can become, after which the first search gives way to the other. */
enum { MOST_FIRST = 6000000 };

/* How far beyond the bound the first passes look. */
static const double inflation[] = {1.05, 1.15, 1.4, 2, 4, 16, INFINITY};
enum { INFLATIONS = sizeof inflation / sizeof *inflation };

/* ---- One pass --------------------------------------------------------------------------------------------------- */

/* MACs read each operand, and update the output, once. */
static struct label *first_label(struct engine *e)
{
	const struct terms *t = e->t;
	struct scratch s = {0};

	s.label.link = s.link;
	s.label.port = s.port;
	s.label.outputs = s.outputs;
	s.label.instances = s.instances;
	s.label.level = t->levels;
	s.label.energy = t->macs * t->machine->mac_cost;
	s.label.units = 1;
	for (int l = 0; l < t->levels; l++)
		s.outputs[l] = t->outputs, s.instances[l] = 1;
	for (int o = 0; o < t->operands; o++)
		s.link[s.label.links++] = (struct link){.words = t->macs,
							.ratio = 1,
							.halo = 1,
							.operand = (signed char)o,
							.child = NO_LEVEL,
							.parent = UNKNOWN_PARENT};
	return label_store(e, &s);
}

/* All that is better than the best comes of one of these labels. */
static void prove(struct engine *e, const struct label *labels)
{
	double least = e->best_first;

	for (const struct label *l = labels; l; l = l->next)
		least = l->promise < least ? l->promise : least;
	least *= 1 - 1e-12; /* docs/mapper.md section 1 */
	if (e->beam == 0 && least < INFINITY && least > e->proven && !engine_is_stopped(e))
		e->proven = least;
}

static void pass(struct engine *e)
{
	struct label *now = first_label(e);

	for (int level = e->t->levels - 1; level >= 0 && now && !engine_is_stopped(e); level--) {
		struct label *spread = NULL, *next = NULL;
		labels_crowd(e, e->beam);
		grow_space(e, now, level, &spread);
		if (e->beam > 0)
			labels_trim(e, &spread);
		labels_crowd(e, level > 0 ? 4 * e->beam : 0);
		if (level == 0)
			for (const struct label *l = spread; l && !engine_is_stopped(e);
			     l = l->next)
				finish_block(e, l);
		for (int m = 0; level > 0 && m < e->b->masks[level]; m++)
			grow_block(e, spread, level, m, &next);
		if (e->beam > 0)
			labels_trim(e, &next);
		now = next;
		prove(e, now);
	}
	labels_free(e);
	finish_cost(e);
}

/* ---- Bounds of the whole --------------------------------------------------------------------------------------- */

/* Words of an operand that any mapping must move: of each rank the places that are touched. */
static double distinct_words(const struct problem *p, int operand)
{
	const struct operand *o = &p->operand[operand];
	double words = 1;

	for (int r = 0; r < o->ranks; r++) {
		struct shift shift[MAX_DIMS];
		int count = 0;
		for (int d = 0; d < p->dims; d++)
			if (o->coef[r][d])
				shift[count++] = (struct shift){llabs(o->coef[r][d]), p->extent[d]};
		int64_t places = sums_distinct(count, shift);
		words *= places < 1 ? 1 : (double)places;
	}
	return words;
}

/* One rank that a dimension shares with another rank counts twice what is touched along a diagonal. */
static bool is_product(const struct problem *p, int operand)
{
	const struct operand *o = &p->operand[operand];

	for (int d = 0; d < p->dims; d++) {
		int ranks = 0;
		for (int r = 0; r < o->ranks; r++)
			ranks += o->coef[r][d] != 0;
		if (ranks > 1)
			return false;
	}
	return true;
}

static double most_units(const struct terms *t)
{
	double units = 1;

	for (int l = 0; l < t->levels; l++) {
		double most = 1;
		for (int i = 0; i < t->spreads[l]; i++)
			most = t->spread[l][i].units > most ? t->spread[l][i].units : most;
		units *= most;
	}
	return units;
}

/* Words that every mapping moves through a port of the outermost memory, or the network of the array inside. */
static double words_through(const struct terms *t, const struct port *p)
{
	double words = 0;

	for (int o = 0; p->level == 0 && o < t->operands; o++)
		if ((p->is_network || (o == t->output ? p->updates : p->reads)) &&
		    (p->operands >> o & 1))
			words += is_product(t->problem, o) ? distinct_words(t->problem, o) : 1;
	return words;
}

static double least_cycles(const struct terms *t)
{
	double least = ceil(t->macs / most_units(t));

	for (int i = 0; i < t->ports; i++) {
		double time = words_through(t, &t->port[i]) / t->port[i].bandwidth;
		least = time > least ? time : least;
	}
	return least;
}

/* The least energy of anything: the first label's, with the bound's part outside of all loops. */
static double root_energy(struct engine *e)
{
	const struct terms *t = e->t;
	struct label *l = first_label(e);
	double least = 0;

	e->first = OBJECTIVE_ENERGY;
	e->best_first = INFINITY;
	if (l && !label_is_lost_before(e, l, t->levels, t->levels - 1))
		least = l->promise;
	labels_free(e);
	return least + t->leakage * e->least_cycles;
}

/* ---- Passes ---------------------------------------------------------------------------------------------------- */

/* Finds the best under the threshold, if there is any. */
static void seek(struct engine *e, enum objective first, enum objective second, double threshold)
{
	e->first = first;
	e->second = second;
	e->counts_energy = first != OBJECTIVE_CYCLES || second != OBJECTIVE_CYCLES ||
			   e->energy_limit < INFINITY;
	e->counts_cycles = first != OBJECTIVE_ENERGY || second != OBJECTIVE_ENERGY ||
			   e->cycles_limit < INFINITY || e->t->leakage > 0;
	e->counts_words = e->counts_cycles || (e->counts_energy && e->t->wide);
	e->best_first = threshold;
	e->best_second = -INFINITY;
	pass(e);
}

/* A good mapping, under a threshold that rises until there is one; then the best, under its value. */
static void search_first(struct engine *e, enum objective first, enum objective second, double root)
{
	e->proven = 0;
	e->beam = 24;
	for (int i = 0; i < INFLATIONS && !e->found && !engine_is_stopped(e); i++)
		seek(e, first, second, root * inflation[i]);
	for (e->beam = 96; e->found && e->beam <= 384 && !engine_is_stopped(e); e->beam *= 4)
		pass(e);
	e->beam = 0;
	if (e->found)
		pass(e);
	else
		seek(e, first, second, INFINITY);
}

/* Least energy, and of such mappings the one of fewest cycles. */
static void search_energy(struct engine *e, struct search_result *r)
{
	r->root = r->bound = root_energy(e);
	search_first(e, OBJECTIVE_ENERGY, OBJECTIVE_ENERGY, r->root);
	r->bound = fmax(r->bound, e->proven);
	if (!e->found || engine_is_stopped(e))
		return;
	e->energy_limit = e->cost.energy * (1 + 1e-12);
	seek(e, OBJECTIVE_CYCLES, OBJECTIVE_ENERGY, (double)e->cost.cycles);
}

/* Fewest cycles, whatever the energy; then of such mappings the one of least energy. */
static void search_cycles(struct engine *e, struct search_result *r)
{
	r->root = r->bound = e->least_cycles;
	if (r->root > e->cycles_limit)
		return;
	search_first(e, OBJECTIVE_CYCLES, OBJECTIVE_CYCLES, e->least_cycles);
	r->bound = fmax(r->bound, e->proven);
	if (!e->found || engine_is_stopped(e))
		return;
	r->bound = e->cycles_limit = (double)e->cost.cycles;
	e->found = false;
	search_first(e, OBJECTIVE_ENERGY, OBJECTIVE_CYCLES, root_energy(e));
}

static void run(struct engine *e, const struct search_options *o, struct search_result *r)
{
	r->status = SEARCH_INFEASIBLE;
	if (!terms_fit(e->t, 0, e->t->all, e->t->lattice.states - 1))
		return;
	switch (o->objective) {
	case OBJECTIVE_CYCLES:
		search_cycles(e, r);
		break;
	case OBJECTIVE_EDP:
		r->root = r->bound = root_energy(e) * e->least_cycles;
		search_first(e, OBJECTIVE_EDP, OBJECTIVE_ENERGY, r->root);
		r->bound = fmax(r->bound, e->proven);
		break;
	default:
		search_energy(e, r);
	}
	r->has_mapping = e->has_mapping;
	if (e->has_mapping) {
		r->value = objective_value(o->objective, &e->cost);
		if (!e->is_cut && !e->no_memory)
			r->bound = r->value;
	}
	if (e->is_rough) /* and what was compared may not be the best */
		r->bound = r->root;
	r->evaluations = e->evaluations;
	r->status = e->no_memory     ? SEARCH_NO_MEMORY
		    : e->is_cut      ? SEARCH_CUT
		    : e->is_rough    ? SEARCH_CUT
		    : e->has_mapping ? SEARCH_PROVEN
				     : SEARCH_INFEASIBLE;
	if (r->has_mapping) {
		r->mapping = e->mapping;
		r->cost = e->cost;
	}
}

/* Ports of the outermost memory, and the network of its array, that may take longer than the arithmetic have a bound of their own: what words they pass
 * at least. */
struct narrow {
	struct word_cost cost[MAX_LEVELS][MAX_OPERANDS];
	struct bounds bounds;
};

static bool make_narrows(struct engine *e, struct narrow narrow[])
{
	const struct terms *t = e->t;
	double steps = t->macs / most_units(t);

	for (int i = 0; i < t->ports && e->narrows < MAX_NARROWS; i++) {
		const struct port *p = &t->port[i];
		struct narrow *n = &narrow[e->narrows];
		if (p->level > 0 || words_through(t, p) / p->bandwidth < steps / 4)
			continue;
		for (int o = 0; o < t->operands; o++)
			if (p->operands >> o & 1) {
				n->cost[0][o].read = p->reads || p->is_network;
				n->cost[0][o].update =
					(p->updates || p->is_network) && o == t->output;
			}
		if (!bounds_make(&n->bounds, t, n->cost))
			return false;
		e->narrow[e->narrows++] = (struct measure){n->cost, &n->bounds, p->bandwidth};
	}
	return true;
}

static bool has_routes(const struct terms *t)
{
	return t->has_meshes || t->links > 0;
}

static void search_perfect(struct arena *arena, const struct problem *p, const struct hierarchy *h,
			   const struct search_options *o, int64_t most_looked,
			   struct search_result *r)
{
	int64_t looked = 0;
	struct terms terms;
	struct bounds bounds = {0};
	struct narrow *narrow = calloc(MAX_NARROWS, sizeof *narrow);
	struct engine e = {.t = &terms,
			   .b = &bounds,
			   .stop = o->stop,
			   .looked = &looked,
			   .most_looked = most_looked};
	enum terms_status status = terms_make(&terms, arena, p, h, o->constraint);

	r->status = SEARCH_NO_MEMORY;
	e.energy_limit = e.edp_limit = e.cycles_limit = INFINITY;
	if (o->most_cycles > 0)
		e.cycles_limit = (double)o->most_cycles;
	e.most_evaluations = o->evaluations;
	e.deadline = o->seconds > 0 ? clock_seconds() + o->seconds : 0;
	if (narrow && status == TERMS_DONE && bounds_make(&bounds, &terms, terms.cost)) {
		size_t states = (size_t)terms.lattice.states;
		e.energy = (struct measure){terms.cost, &bounds, 0};
		e.least_cycles = least_cycles(&terms);
		e.terminal = calloc(states, sizeof(struct label *));
		e.free = calloc(states, sizeof(struct label *));
		e.memo = has_routes(&terms) ? calloc(MEMOS, sizeof *e.memo) : NULL;
		bool has_room = e.terminal && e.free && (e.memo || !has_routes(&terms));
		/* cycles that only break ties need none */
		bool is_slow =
			o->objective != OBJECTIVE_ENERGY || o->most_cycles > 0 || terms.leakage > 0;
		if (has_room && (!is_slow || make_narrows(&e, narrow)))
			run(&e, o, r);
		if (r->status == SEARCH_INFEASIBLE)
			r->why = why_infeasible(&terms, o->most_cycles, e.least_cycles);
	}
	if (status == TERMS_TOO_MANY) {
		r->status = SEARCH_INFEASIBLE;
		r->why = "the tiles of this statement are too many to be searched";
	}
	free(e.terminal);
	free(e.free);
	free(e.memo);
	for (int i = 0; narrow && i < MAX_NARROWS; i++)
		bounds_free(&narrow[i].bounds);
	free(narrow);
	bounds_free(&bounds);
	terms_free(&terms);
}

static void explain_infeasible(struct arena *arena, const struct problem *p,
			       const struct hierarchy *h, const struct search_options *o,
			       struct search_result *r)
{
	struct terms terms;
	enum terms_status status = terms_make(&terms, arena, p, h, o->constraint);

	if (status == TERMS_DONE)
		r->why = why_infeasible(&terms, o->most_cycles, least_cycles(&terms));
	else
		r->status = SEARCH_NO_MEMORY; /* too many tiles were told before */
	terms_free(&terms);
}

/* Is there something left of what the caller grants? */
static bool may_go_on(const struct search_options *o, const struct search_result *r, double end)
{
	return !(o->stop && *o->stop) && (o->evaluations == 0 || r->evaluations < o->evaluations) &&
	       (end == 0 || clock_seconds() < end);
}

/* Is a rank of the output indexed by a sum? Then its tiles may have holes, and what labels count as first visits is too much. */
static bool is_scattered(const struct problem *p)
{
	const struct operand *o = &p->operand[p->operands - 1];

	for (int r = 0; r < o->ranks; r++) {
		int movers = 0;
		for (int d = 0; d < p->dims; d++)
			movers += o->coef[r][d] != 0;
		if (movers > 1)
			return true;
	}
	return false;
}

/* The labels of all spreads together first: where they are many, the rest is done spread by spread. */
void search(struct arena *arena, const struct problem *p, const struct hierarchy *h,
	    const struct search_options *o, struct search_result *r)
{
	struct search_options rest = *o;
	double end = o->seconds > 0 ? clock_seconds() + o->seconds : 0;
	bool is_left;

	memset(r, 0, sizeof *r);
	search_perfect(arena, p, h, o, MOST_FIRST, r);
	if (r->status == SEARCH_PROVEN && is_scattered(p)) {
		r->status = SEARCH_CUT;
		r->root = r->bound = 0;
	}
	is_left = r->status == SEARCH_CUT && may_go_on(o, r, end);
	if (r->status == SEARCH_NO_MEMORY || !(is_left || o->imperfect))
		return;
	if (end > 0)
		rest.seconds = fmax(end - clock_seconds(), 1e-3);
	search_rest(arena, p, h, &rest, is_left, r);
	if (r->status == SEARCH_INFEASIBLE && !r->why)
		explain_infeasible(arena, p, h, o, r);
}
