/* rest.c -- spaces in which labels grow as for a proof (mapper/proof), the units of the innermost array first: that is quick where the
 * first search is slow, as with arrays in arrays.
 *
 * For each choice of what is parted unevenly, at which array, among how many units, the space that is left has perfect factors
 * in a sense: inside of the array they part the first unit's tile. What labels count there may be less than what a mapping
 * costs, where an uneven dimension moves a rank which another moves, too. So mappings are costed exactly, and the proof
 * stays one, for counts that are less bound from below. Nothing uneven is one choice among the others. */
#include "mapper/search/rest.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/proof/facts.h"
#include "runtime/clock.h"

enum { MOST_CHOICES = 1 << 20, MOST_LOOKED_AGAIN = 1 << 21 };

/* One way to part dimensions unevenly, and the least that its mappings can have of what is sought. */
struct choice {
	double least;
	int number; /* ties: as they were made */
	int uneven; /* dimensions */
	bool is_done;
	struct part part[MAX_DIMS];
};

struct rest {
	struct arena *arena;
	const struct problem *problem;
	const struct hierarchy *machine;
	const struct search_options *options;
	const struct constraint *constraint;
	bool is_perfect_left;   /* perfect factors are not proven, */
	double least_perfect;   /* but have at least so much of what is sought */
	struct facts perfect;   /* whose tables bound what lies outside of an array */
	struct proof_goal goal; /* its value: of the best so far */
	int choices;
	size_t room;
	struct choice *choice;
	bool has_best;
	struct mapping mapping;
	struct cost cost;
	double deadline;
	int64_t looked;
	double root; /* the least that any choice can have */
	double open; /* the least value that choices which were not searched to their end may have */
	bool is_cut, no_memory;
};

/* ---- Choices ---------------------------------------------------------------------------------------------------- */

static double most_units(const struct level *l)
{
	double units = 1;

	for (int a = 0; a < l->axes; a++)
		units *= (double)l->fanout[a];
	return units;
}

/* What the MACs' own words of an operand cost at least, if all units between them and their memory share. */
static double least_at_macs(const struct rest *u, int operand)
{
	const struct facts *f = &u->perfect;
	double least = INFINITY, words = f->points;

	for (int l = f->levels - 1; l >= 0; l--) {
		const struct rate *r = &f->quantity[0].rate[l][operand];
		bool is_memory = u->machine->level[l].is_memory;
		words /= most_units(&u->machine->level[l]);
		if (is_memory && (l == 0 || (u->constraint->may_keep[l] >> operand & 1)))
			least = fmin(least,
				     (r->serve - r->first_serve) * words + r->hop * f->points);
		if (is_memory && (u->constraint->must_keep[l] >> operand & 1))
			break;
	}
	return least;
}

/* The least energy of all that the uneven tiles leave to be moved: the MACs' own words, and what lies outside of boxes that hold as
 * much as the arrays part. */
static double least_energy(const struct rest *u, const struct part part[])
{
	const struct facts *f = &u->perfect;
	const struct quantity *q = &f->quantity[0];
	double energy = f->points * u->machine->mac_cost;
	int32_t box = 0;
	int level = f->levels - 1;

	for (int o = 0; o < f->operands; o++)
		energy += least_at_macs(u, o);
	for (int d = 0; d < u->problem->dims; d++) {
		if (!part[d].units)
			continue;
		for (int k = 0; k < f->boxes.side[d].count; k++)
			if (f->boxes.side[d].length[k] == part[d].left)
				box += k * f->boxes.side[d].stride;
		level = part[d].level < level ? part[d].level : level;
	}
	return energy + q->outside_any[level][box];
}

static double least_cycles(const struct rest *u, const struct part part[])
{
	double growth = 1;

	for (int l = 0; l < u->machine->levels; l++) {
		double units = most_units(&u->machine->level[l]);
		for (int d = 0; d < u->problem->dims; d++)
			if (part[d].units && part[d].level == l) {
				units /= (double)part[d].units;
				growth *= (double)part[d].left / (double)part[d].tile;
			}
		growth *= units;
	}
	return u->perfect.points / growth;
}

/* What is sought has at least this value; infinite where a limit is broken. */
static double least_value(const struct rest *u, const struct part part[])
{
	double cycles = least_cycles(u, part);
	double energy = least_energy(u, part) + u->perfect.leakage * cycles;
	const struct proof_goal *g = &u->goal;

	if ((g->most_cycles > 0 && cycles > (double)g->most_cycles) ||
	    (g->most_energy > 0 && energy > g->most_energy) ||
	    (g->most_edp > 0 && energy * cycles > g->most_edp))
		return INFINITY;
	return objective_from(g->objective, energy, cycles);
}

static void add_choice(struct rest *u, const struct part part[], double least)
{
	struct choice *c;

	if (least >= u->goal.value * (1 - PROOF_ROUNDING))
		return;
	if (u->choices == MOST_CHOICES) {
		u->open = fmin(u->open, least);
		u->is_cut = true;
		return;
	}
	if ((size_t)u->choices == u->room) {
		size_t room = u->room ? 2 * u->room : 64;
		struct choice *more = realloc(u->choice, room * sizeof *more);
		if (!more) {
			u->no_memory = true;
			return;
		}
		u->choice = more;
		u->room = room;
	}
	c = &u->choice[u->choices];
	c->least = least;
	c->number = u->choices++;
	memcpy(c->part, part, sizeof c->part);
	c->uneven = 0;
	c->is_done = false;
	for (int d = 0; d < u->problem->dims; d++)
		c->uneven += part[d].units > 0;
}

static int64_t longest_axis(const struct level *l)
{
	int64_t longest = 1;

	for (int a = 0; a < l->axes; a++)
		longest = l->fanout[a] > longest ? l->fanout[a] : longest;
	return longest;
}

/* Do the units that are chosen so far, with these, go into the array? */
static bool have_room(const struct rest *u, const struct part part[], int dim, int level,
		      int64_t units)
{
	double room = most_units(&u->machine->level[level]) / (double)units;

	for (int d = 0; d < dim; d++)
		if (part[d].units && part[d].level == level)
			room /= (double)part[d].units;
	return room >= 1;
}

/* Has the array an axis along which the constraint lets so many units have the dimension? */
static bool may_run(const struct rest *u, int dim, int level, int64_t units)
{
	const struct level *l = &u->machine->level[level];

	for (int a = 0; a < l->axes; a++) {
		int64_t fixed = u->constraint->space[level][a][dim];
		if (l->fanout[a] >= units && (fixed == 0 || fixed == units))
			return true;
	}
	return false;
}

static void choose_from(struct rest *u, struct part part[], int dim, bool is_uneven);

/* All ways to part `left` of a dimension unevenly at an array. */
static void choose_units(struct rest *u, struct part part[], int dim, int level, int64_t left)
{
	int64_t most = longest_axis(&u->machine->level[level]);

	for (int64_t units = 2; units <= most && units < left; units++) {
		int64_t tile = (left + units - 1) / units;
		bool are_all_busy = (left + tile - 1) / tile == units;
		if (left % units == 0 || !are_all_busy || !may_run(u, dim, level, units) ||
		    !have_room(u, part, dim, level, units))
			continue;
		part[dim] = (struct part){level, left, units, tile};
		choose_from(u, part, dim + 1, true);
	}
	part[dim] = (struct part){0};
}

static void choose_from(struct rest *u, struct part part[], int dim, bool is_uneven)
{
	const struct side *side = &u->perfect.boxes.side[dim];

	if (u->no_memory)
		return;
	if (dim == u->problem->dims) {
		if (is_uneven)
			add_choice(u, part, least_value(u, part));
		return;
	}
	part[dim] = (struct part){0};
	choose_from(u, part, dim + 1, is_uneven);
	for (int level = 0; level < u->machine->levels; level++)
		for (int k = 0; u->machine->level[level].array && k < side->count; k++)
			choose_units(u, part, dim, level, side->length[k]);
}

/* Few uneven dimensions first: they are few choices, and their mappings leave little to the others. */
static int by_least(const void *left, const void *right)
{
	const struct choice *a = left, *b = right;

	if (a->uneven != b->uneven)
		return a->uneven - b->uneven;
	if (a->least != b->least)
		return a->least < b->least ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

/* ---- One choice --------------------------------------------------------------------------------------------------- */

static bool is_within(const struct proof_goal *g, const struct cost *c)
{
	return (g->most_cycles == 0 || c->cycles <= g->most_cycles) &&
	       (g->most_energy == 0 || c->energy <= g->most_energy) &&
	       (g->most_edp == 0 || objective_value(OBJECTIVE_EDP, c) <= g->most_edp);
}

static void take(void *context, const struct mapping *mapping, double value)
{
	struct rest *u = context;
	struct cost cost;
	double is;

	(void)value;
	if (!mapping_cost(mapping, &cost)) {
		u->no_memory = true;
		return;
	}
	is = objective_value(u->goal.objective, &cost);
	if (is >= u->goal.value * (1 - PROOF_ROUNDING) || !is_within(&u->goal, &cost))
		return;
	u->goal.value = is;
	u->mapping = *mapping;
	u->cost = cost;
	u->has_best = true;
}

/* What is left of the budget; false where that is nothing. */
static bool limits_of(struct rest *u, struct proof_limits *limits)
{
	const struct search_options *o = u->options;

	*limits = (struct proof_limits){.stop = o->stop};
	if (o->evaluations > 0)
		limits->looked = o->evaluations - u->looked;
	if (u->deadline > 0)
		limits->seconds = u->deadline - clock_seconds();
	return !(o->stop && *o->stop) && (o->evaluations == 0 || limits->looked > 0) &&
	       (u->deadline == 0 || limits->seconds > 0);
}

static bool run(struct rest *u, const struct choice *c, bool keeps_all, struct proof *proof)
{
	struct proof_space space = {c->part, keeps_all, take, u};
	struct proof_limits limits;

	*proof = (struct proof){.status = PROOF_CUT, .bound = -INFINITY};
	if (!limits_of(u, &limits))
		return false;
	if (keeps_all && (limits.looked == 0 || limits.looked > MOST_LOOKED_AGAIN))
		limits.looked = MOST_LOOKED_AGAIN;
	prove_space(u->arena, u->problem, u->machine, u->constraint, &space, &u->goal, &limits,
		    proof);
	u->looked += proof->looked;
	u->no_memory |= proof->status == PROOF_NO_MEMORY;
	return proof->status == PROOF_DONE || proof->status == PROOF_FAILED;
}

static bool is_closed(const struct rest *u, const struct proof *proof)
{
	return proof->is_exact || proof->bound >= u->goal.value * (1 - PROOF_ROUNDING);
}

/* What is proven of the choice raises its least; it is done where nothing of it is below the best. */
static void search_choice(struct rest *u, struct choice *c)
{
	struct proof proof;

	c->is_done = run(u, c, false, &proof) && is_closed(u, &proof);
	if (proof.status == PROOF_FAILED || proof.status == PROOF_DONE)
		c->least = fmax(c->least, proof.bound);
}

/* Where counts may be too low, those that are below the best do not say which mapping is: then all are met. */
static void search_again(struct rest *u, struct choice *c)
{
	struct proof proof;

	c->is_done = run(u, c, true, &proof);
	if (c->is_done)
		return;
	u->is_cut = true;
	u->open = fmin(u->open, c->least);
}

static bool may_be_better(const struct rest *u, const struct choice *c)
{
	return !c->is_done && c->least < u->goal.value * (1 - PROOF_ROUNDING);
}

static void search_choices(struct rest *u)
{
	struct part part[MAX_DIMS] = {{0}};

	u->choices = 0;
	if (u->is_perfect_left)
		add_choice(u, part, u->least_perfect);
	if (u->options->imperfect)
		choose_from(u, part, 0, false);
	for (int i = 0; i < u->choices; i++)
		if (u->choice[i].uneven > 0)
			u->root = fmin(u->root, u->choice[i].least);
	if (u->choices > 1)
		qsort(u->choice, (size_t)u->choices, sizeof *u->choice, by_least);
	for (int i = 0; i < u->choices && !u->no_memory; i++)
		if (may_be_better(u, &u->choice[i]))
			search_choice(u, &u->choice[i]);
	for (int i = 0; i < u->choices && !u->no_memory; i++)
		if (may_be_better(u, &u->choice[i]))
			search_again(u, &u->choice[i]);
}

/* ---- Together -------------------------------------------------------------------------------------------------------- */

/* A limit that lets pass what has no more than this, which may be nothing: a limit of 0 would be none. */
static double limit_at(double value)
{
	return fmax(value * (1 + PROOF_ROUNDING), DBL_MIN);
}

/* Among those as good in the first the best in what breaks ties. */
static void break_ties(struct rest *u, enum objective objective)
{
	double value = u->goal.value, open = u->open;

	if (!u->has_best || u->is_cut || u->no_memory)
		return;
	switch (objective) {
	case OBJECTIVE_ENERGY:
		u->goal.most_energy = limit_at(value);
		u->goal.objective = OBJECTIVE_CYCLES;
		break;
	case OBJECTIVE_EDP:
		u->goal.most_edp = limit_at(value);
		u->goal.objective = OBJECTIVE_ENERGY;
		break;
	default:
		u->goal.most_cycles = u->cost.cycles;
		u->goal.objective = OBJECTIVE_ENERGY;
	}
	u->goal.value = objective_value(u->goal.objective, &u->cost);
	u->least_perfect = -INFINITY; /* of what breaks ties nothing is known */
	search_choices(u);
	u->open = open; /* of what is sought first */
}

static void report(struct rest *u, struct search_result *r)
{
	r->evaluations = u->looked;
	if (u->has_best) {
		r->has_mapping = true;
		r->mapping = u->mapping;
		r->cost = u->cost;
		r->value = objective_value(u->options->objective, &u->cost);
	}
	if (u->no_memory)
		r->status = SEARCH_NO_MEMORY;
	else if (u->is_cut || (r->status == SEARCH_CUT && !u->is_perfect_left))
		r->status = SEARCH_CUT;
	else
		r->status = r->has_mapping ? SEARCH_PROVEN : SEARCH_INFEASIBLE;
	r->bound = r->status == SEARCH_PROVEN ? r->value : fmin(u->open, fmin(r->bound, r->value));
}

void search_rest(struct arena *arena, const struct problem *p, const struct hierarchy *h,
		 const struct search_options *o, bool perfect, struct search_result *r)
{
	struct constraint all;
	struct rest u = {.arena = arena,
			 .problem = p,
			 .machine = h,
			 .options = o,
			 .constraint = o->constraint,
			 .is_perfect_left = perfect,
			 .least_perfect = r->bound > 0 ? r->bound : -INFINITY,
			 .root = r->root > 0 ? r->root : INFINITY,
			 .open = INFINITY,
			 .looked = r->evaluations};
	enum proof_status status = PROOF_DONE;

	if (!u.constraint) {
		constraint_free(&all, p, h);
		u.constraint = &all;
	}
	u.deadline = o->seconds > 0 ? clock_seconds() + o->seconds : 0;
	u.goal = (struct proof_goal){.objective = o->objective,
				     .value = r->has_mapping ? r->value : INFINITY,
				     .most_cycles = o->most_cycles,
				     .most_energy =
					     INFINITY}; /* so that the tables have the energy */
	u.has_best = r->has_mapping;
	u.mapping = r->mapping;
	u.cost = r->cost;
	if (o->imperfect)
		status = facts_make(&u.perfect, arena, p, h, u.constraint, NULL, &u.goal);
	u.goal.most_energy = 0;
	if (status == PROOF_DONE) {
		search_choices(&u);
		r->root = u.root < INFINITY ? u.root : r->root;
		break_ties(&u, o->objective);
	}
	u.no_memory |= status == PROOF_NO_MEMORY;
	u.is_cut |= status == PROOF_TOO_MANY;
	if (o->imperfect)
		facts_free(&u.perfect);
	free(u.choice);
	report(&u, r);
}
