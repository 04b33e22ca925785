/* promise.c -- what a label can become at best: what its links will cost at least, with the bound of what lies outside. */
#include "mapper/search/label.h"

#include <math.h>
#include <string.h>

bool is_hopeless(const struct engine *e, double moving, double cycles)
{
	double energy = moving + e->t->leakage * cycles;
	double first = objective_from(e->first, energy, cycles);

	if (!(energy < INFINITY) || energy > e->energy_limit || cycles > e->cycles_limit ||
	    energy * cycles > e->edp_limit)
		return true;
	if (first < e->best_first * (1 - ROUNDING))
		return false;
	return first > e->best_first * (1 + ROUNDING) ||
	       objective_from(e->second, energy, cycles) >= e->best_second * (1 - ROUNDING);
}

bool is_lost(const struct engine *e, double moving, double cycles)
{
	return is_hopeless(e, moving, cycles) ||
	       (e->room > 0 && e->crowded == e->room &&
		objective_from(e->first, moving + e->t->leakage * cycles, cycles) >= e->crowd[0]);
}

/* ---- Bounds ----------------------------------------------------------------------------------------------------- */

/* A label whose loops in time at a level are still to come. */
struct prospect {
	const struct engine *e;
	const struct label *label;
	int arrays; /* those inside of levels outside of this one are still to come */
	int level;
	int32_t state;
};

/* What each word of a link costs beside its parent. */
static double own_cost(const struct engine *e, const struct measure *m, const struct link *k)
{
	double own = k->is_open && m == &e->energy ? k->route : 0;

	return k->child == NO_LEVEL ? own : own + m->cost[k->child][k->operand].fill;
}

/* What links of arrays that are still to come cost at least, each word that is needed inside of them. */
static double links_to_come(const struct engine *e, const struct measure *m, int arrays, int parent,
			    int operand)
{
	return m == &e->energy && e->t->has_meshes ? e->t->route[arrays][parent][operand] : 0;
}

/* What a link costs at a parent that serves at least a part of what its units need. */
static double parent_cost(const struct terms *t, const struct measure *m, int operand, int parent,
			  double words, double served)
{
	const struct word_cost *c = &m->cost[parent][operand];
	double first = t->first[parent][operand];

	return words * c->hop + served * c->update +
	       (served > first ? (served - first) * c->read : 0);
}

/* What a link of unknown parent will cost at least whose child needs so many words, `apart` of which at least no units
 * share: [1] with the level as its parent, [0] with one outside of it. */
static void link_least(const struct prospect *f, const struct measure *m, const struct link *k,
		       double words, double apart, double least[2])
{
	const struct terms *t = f->e->t;
	double served = words * k->ratio, own = 0;

	if (k->is_open)
		own = words * own_cost(f->e, m, k);
	least[0] = least[1] = INFINITY;
	for (unsigned left = t->parents[f->level][k->operand]; left; left &= left - 1) {
		int p = __builtin_ctz(left);
		double unit = t->unit[f->arrays][p];
		double cost = own + parent_cost(t, m, k->operand, p, words,
						served * (unit > apart ? unit : apart));
		cost += served * links_to_come(f->e, m, f->arrays, p, k->operand);
		if (p < f->level)
			cost += bounds_alone(m->b, p, k->operand, f->state);
		if (cost < least[p == f->level])
			least[p == f->level] = cost;
	}
}

/* The same of any link, with its run (as long as all loops outside allow) or without. */
static void link_cost(const struct prospect *f, const struct measure *m, const struct link *k,
		      bool runs, double least[2])
{
	const struct tile_terms *tile = &f->e->t->tile[f->state];
	double left = tile->left[k->operand], apart = tile->apart[k->operand];
	double words = (k->is_open ? k->words * k->halo : k->words) * (runs ? left : 1);

	if (k->parent != UNKNOWN_PARENT) {
		const struct word_cost *c = &m->cost[k->parent][k->operand];
		double own = own_cost(f->e, m, k);
		least[0] = words * (own + c->hop + k->ratio * (c->read + c->update));
		least[1] = least[0];
	} else { /* what repeats for the run cannot be shared as well */
		link_least(f, m, k, words, runs ? apart : apart * left, least);
	}
}

/* What the links of one operand cost at least, as above, and so much less with the longest run. */
struct asked {
	double still[2], saved[2];
	bool is_open;
};

static void link_ask(const struct prospect *f, const struct measure *m, const struct link *k,
		     struct asked *asked)
{
	double still[2], run[2];

	link_cost(f, m, k, false, still);
	for (int in = 0; in < 2; in++)
		asked->still[in] += still[in];
	if (!k->is_open)
		return;
	asked->is_open = true;
	link_cost(f, m, k, true, run);
	for (int in = 0; in < 2; in++)
		asked->saved[in] += still[in] - run[in];
}

/* For each set that the level may keep, and each pattern of the innermost loop outside, the links' least, plus what
 * `outside` says of the rest; the least of all. */
static double least_of_sets(const struct prospect *f, const struct asked asked[], int sets,
			    const double *outside)
{
	const struct terms *t = f->e->t;
	double best = INFINITY, cost[MAX_OPERANDS][2];
	unsigned open = 0;

	for (int o = 0; o < t->operands; o++)
		open |= asked[o].is_open ? 1u << o : 0;
	for (int g = 0; g < t->patterns; g++) {
		unsigned runs = t->pattern[g] & open;
		if (g > 0 && !runs)
			continue;
		for (int o = 0; o < t->operands; o++)
			for (int in = 0; in < 2; in++)
				cost[o][in] = asked[o].still[in] -
					      (runs >> o & 1 ? asked[o].saved[in] : 0);
		double least = bounds_least(f->e->b, f->level, sets, t->operands, cost, outside);
		best = least < best ? least : best;
	}
	return best;
}

/* `whole`: the least of what is outside, where no link cares for the set. */
static double least_of(const struct prospect *f, const struct measure *m, const double *outside,
		       double whole)
{
	const struct terms *t = f->e->t;
	struct asked asked[MAX_OPERANDS] = {0};
	double base = 0;
	bool cares = false;

	if (m == &f->e->energy)
		base = f->label->energy - f->label->first * t->fanout[f->arrays];
	for (int i = 0; i < f->label->links; i++) {
		const struct link *k = &f->label->link[i];
		cares |= k->parent == UNKNOWN_PARENT;
		link_ask(f, m, k, &asked[k->operand]);
	}
	if (cares)
		return base + least_of_sets(f, asked, f->e->b->masks[f->level], outside);
	return base + whole + least_of_sets(f, asked, 1, NULL);
}

/* ---- The next array, for all operands -------------------------------------------------------------------------------- */

/* What a link costs at least at parents inside of the array; and at those outside, where it is `fixed` and so much for
 * each part of its words that the array does not share. */
struct bid {
	double inside, fixed, unshared;
};

static void bid_of(const struct prospect *f, const struct link *k, int array, bool is_parent,
		   struct bid *bid)
{
	const struct engine *e = f->e;
	const struct terms *t = e->t;
	int level = f->level;
	double words = k->is_open ? k->words * k->halo : k->words, own = 0, rate = INFINITY;
	double hop = INFINITY, first = 0, alone = INFINITY;

	if (k->is_open)
		own = words * own_cost(e, &e->energy, k);
	bid->inside = INFINITY;
	for (int p = is_parent ? level : level - 1; p >= 0; p--) {
		const struct word_cost *c = &t->cost[p][k->operand];
		double next = p < level ? bounds_alone(e->b, p, k->operand, f->state) : 0;
		if (!(t->constraint.may_keep[p] >> k->operand & 1))
			continue;
		if (p > array) {
			double cost =
				own + next +
				parent_cost(t, &e->energy, k->operand, p, words, words * k->ratio);
			bid->inside = cost < bid->inside ? cost : bid->inside;
		} else {
			/* arrays further out may share as well */
			double own_rate = (c->read + c->update) * t->fanout[p] / t->fanout[array] +
					  links_to_come(e, &e->energy, array, p, k->operand);
			double own_first = t->outputs * t->fanout[p] * c->read;
			alone = next < alone ? next : alone;
			rate = own_rate < rate ? own_rate : rate;
			hop = c->hop < hop ? c->hop : hop;
			if (k->operand == t->output && own_first > first)
				first = own_first;
		}
		if (is_parent || (t->constraint.must_keep[p] >> k->operand & 1))
			break;
	}
	bid->fixed = own + words * hop - first + alone +
		     words * k->ratio * t->cost[array][k->operand].link;
	bid->unshared = words * k->ratio * rate;
}

/* The level of the innermost array outside of a level, or -1. */
static int next_array(const struct terms *t, int level)
{
	do
		level--;
	while (level >= 0 && t->machine->level[level].axes == 0);
	return level;
}

/* What a link asks at least if the array shares so much of its words. */
static void bid_ask(const struct link *k, const struct bid bid[2], const double run[2],
		    double share, struct asked *asked)
{
	for (int in = 0; in < 2; in++) {
		double outer = bid[in].fixed + bid[in].unshared * share;
		double still = outer < bid[in].inside ? outer : bid[in].inside;
		asked->still[in] += still;
		if (k->is_open && run[in] < still)
			asked->saved[in] += still - run[in];
	}
	asked->is_open |= k->is_open;
}

/* As least_of, for links whose words an array will share: the units that serve one operand do not serve another. What is
 * not too much is not made less, where no promise is asked for. */
static double least_together(const struct prospect *f, const double *outside, double cycles)
{
	const struct engine *e = f->e;
	const struct terms *t = e->t;
	const struct label *l = f->label;
	double base = l->energy - l->first * t->fanout[f->arrays], best = INFINITY;
	struct bid bid[MAX_LINKS][2];
	double run[MAX_LINKS][2];
	int array = next_array(t, f->arrays);

	for (int i = 0; i < l->links; i++) {
		const struct link *k = &l->link[i];
		link_cost(f, &e->energy, k, k->is_open, run[i]);
		for (int in = 0; in < 2 && k->parent == UNKNOWN_PARENT; in++)
			bid_of(f, k, array, in, &bid[i][in]);
		if (k->parent != UNKNOWN_PARENT) {
			double still[2];
			link_cost(f, &e->energy, k, false, still);
			for (int in = 0; in < 2; in++)
				bid[i][in] = (struct bid){still[in], INFINITY, 0};
		}
	}
	for (int v = 0; v < t->sharings[array]; v++) {
		struct asked asked[MAX_OPERANDS] = {0};
		for (int i = 0; i < l->links; i++) {
			int o = l->link[i].operand;
			bid_ask(&l->link[i], bid[i], run[i], t->sharing[array][v][o], &asked[o]);
		}
		double least = base + least_of_sets(f, asked, e->b->masks[f->level], outside);
		best = least < best ? least : best;
		if (e->room == 0 && !is_lost(e, best, cycles))
			break;
	}
	return best;
}

/* Is an array still to come? */
static bool shares_later(const struct prospect *f)
{
	bool waits = false;

	for (int i = 0; i < f->label->links; i++)
		waits |= f->label->link[i].parent == UNKNOWN_PARENT;
	return waits && next_array(f->e->t, f->arrays) >= 0;
}

/* Outside of the outermost level is nothing. */
static double least_before(const struct prospect *f, const struct measure *m)
{
	if (f->level == 0)
		return least_of(f, m, NULL, 0);
	return least_of(f, m, bounds_any(m->b, f->level, f->state),
			m->b->least[f->level][f->state]);
}

static double least_within(const struct prospect *f, const struct measure *m, int mask)
{
	int level = f->level + 1;

	return least_of(f, m, bounds_above(m->b, level, mask, f->state),
			bounds_any(m->b, level, f->state)[mask]);
}

/* Of a run units along dims that do not index the operand leave less to be saved. */
static struct offer offer_of(const struct prospect *f, const struct measure *m,
			     const struct link *k, bool runs, int parent)
{
	const struct terms *t = f->e->t;
	const struct word_cost *c = &m->cost[parent][k->operand];
	const struct tile_terms *tile = &t->tile[f->state];
	double left = tile->left[k->operand], unit = t->unit[f->arrays][parent];
	double apart = tile->apart[k->operand] * (runs ? 1 : left);
	double words = k->is_open ? k->words * k->halo : k->words, each, served, links;
	double own = k->is_open ? own_cost(f->e, m, k) : 0;
	struct offer o = {0};

	words *= runs ? left : 1;
	links = words * k->ratio * m->cost[f->level][k->operand].link;
	each = words * (own + c->hop);
	served = (unit > apart ? unit : apart) * (c->read + c->update);
	served =
		words * k->ratio * (served + links_to_come(f->e, m, f->arrays, parent, k->operand));
	if (t->tangled[k->operand] &&
	    label_last_units(f->label)) { /* what a spread takes is said of it alone */
		each += links;
		links = 0;
	}
	if (runs)
		o = (struct offer){.rate = {.units = each, .both = served}, .links_apart = links};
	else
		o = (struct offer){.fixed = each, .rate.ratio = served, .links = links};
	o.fixed -= t->first[parent][k->operand] * c->read;
	if (parent < f->level)
		o.fixed += bounds_alone(m->b, parent, k->operand, f->state);
	return o;
}

/* The case of an innermost loop outside that these operands do not need. */
static void look_out(const struct prospect *f, const struct measure *m, unsigned runs,
		     struct outlook *out)
{
	const struct engine *e = f->e;
	const struct label *l = f->label;
	int now = out->cases++;

	out->of[now].known = m == &e->energy ? l->energy : 0;
	for (int o = 0; o < e->t->operands; o++) {
		out->of[now].outer[o] = 0;
		out->of[now].inside[o] = (struct offer){0};
	}
	for (int i = 0; i < l->links; i++) {
		const struct link *k = &l->link[i];
		bool runs_on = k->is_open && (runs >> k->operand & 1);
		unsigned parents = e->t->parents[f->level][k->operand];
		double known[2];
		if (k->parent != UNKNOWN_PARENT) {
			link_cost(f, m, k, runs_on, known);
			out->of[now].known += known[0];
			continue;
		}
		if (parents >> f->level & 1)
			out->of[now].inside[k->operand] = offer_of(f, m, k, runs_on, f->level);
		for (int p = 0; p < f->level; p++)
			if (parents >> p & 1)
				out->of[now].outside[k->operand][out->of[now].outer[k->operand]++] =
					offer_of(f, m, k, runs_on, p);
	}
}

void label_outlook(const struct engine *e, const struct measure *m, const struct label *l,
		   int level, struct outlook *o)
{
	struct prospect f = {e, l, level, level, l->state};

	o->cases = 0;
	o->first = m == &e->energy ? l->first * e->t->fanout[level] : 0;
	if (links_open(l) <= 1)
		look_out(&f, m, e->t->all, o);
	else
		for (int g = 0; g < e->t->patterns; g++)
			look_out(&f, m, e->t->pattern[g], o);
}

bool label_is_lost_before(const struct engine *e, struct label *l, int arrays, int level)
{
	struct prospect f = {e, l, arrays, level, l->state};
	double energy = least_before(&f, &e->energy), cycles = label_cycles(e, l, arrays);

	++*e->looked;
	if (is_lost(e, energy, cycles))
		return true;
	if (shares_later(&f)) {
		const double *outside = level > 0 ? bounds_any(e->b, level, l->state) : NULL;
		double together = least_together(&f, outside, cycles);
		if (is_lost(e, together, cycles))
			return true;
		if (e->room > 0 && together > energy)
			energy = together;
	}
	for (int i = 0; e->counts_cycles && i < e->narrows; i++) {
		double words = least_before(&f, &e->narrow[i]);
		double time = words / e->narrow[i].bandwidth;
		cycles = time > cycles ? time : cycles;
		if (is_lost(e, energy, cycles))
			return true;
	}
	l->promise = objective_from(e->first, energy + e->t->leakage * cycles, cycles);
	return false;
}

bool label_is_lost_within(const struct engine *e, const struct label *l, int level, int mask)
{
	struct prospect f = {e, l, level, level - 1, l->state};
	double energy = least_within(&f, &e->energy, mask), cycles = label_cycles(e, l, level);

	++*e->looked;
	if (is_lost(e, energy, cycles))
		return true;
	if (shares_later(&f) &&
	    is_lost(e, least_together(&f, bounds_above(e->b, level, mask, l->state), cycles),
		    cycles))
		return true;
	for (int i = 0; e->counts_cycles && i < e->narrows; i++) {
		double words = least_within(&f, &e->narrow[i], mask);
		if (is_lost(e, energy, words / e->narrow[i].bandwidth))
			return true;
	}
	return false;
}
