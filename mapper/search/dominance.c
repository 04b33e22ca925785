/* dominance.c -- which of two labels need not be looked at again, because the other is as good in all that still matters. */
#include "mapper/search/label.h"

#include <math.h>
#include <stdlib.h>

/* Where arrays are still to come, what they share may depend on how units inside lie. */
static bool is_of_one_history(const struct label *a, const struct label *b)
{
	a = label_last_units(a);
	b = label_last_units(b);
	while (a && b && a->spread == b->spread && a->inner->state == b->inner->state) {
		a = label_last_units(a->inner);
		b = label_last_units(b->inner);
	}
	return !a && !b;
}

static bool is_comparable(const struct engine *e, const struct label *a, const struct label *b)
{
	if (a->links != b->links || (a->must_grow && !b->must_grow) || (b->grows & ~a->grows))
		return false;
	for (int i = 0; i < a->links; i++) {
		const struct link *x = &a->link[i], *y = &b->link[i];
		bool same_tile = x->tile == y->tile || e->t->sliding[x->operand] == 0;
		if (x->parent == UNKNOWN_PARENT && e->t->tangled[x->operand] &&
		    e->t->fanout[a->level] > 1 && !is_of_one_history(a, b))
			return false;
		if (x->operand != y->operand || x->parent != y->parent || x->is_open != y->is_open)
			return false;
		if (x->is_open && (x->child != y->child || !same_tile))
			return false;
		if (x->parent == UNKNOWN_PARENT &&
		    (e->t->linked_outside[a->level] >> x->operand & 1) &&
		    (x->child != y->child || (x->child != NO_LEVEL && !is_of_one_history(a, b))))
			return false;
	}
	return true;
}

/* Will an open link bring more words to one of the networks that it has passed? */
static bool passes_more(const struct engine *e, const struct label *a, const struct link *x,
			const struct label *b, const struct link *y)
{
	const struct label *m = a, *n = b;

	while ((m = label_last_network(e, m, x)) && (n = label_last_network(e, n, y))) {
		if (x->words * label_ratio_behind(m, x->operand) / a->instances[m->level] >
		    y->words * label_ratio_behind(n, y->operand) / b->instances[n->level])
			return true;
		m = m->inner;
		n = n->inner;
	}
	return false;
}

/* Will an open link bring more words to one instance of its ends? */
static bool is_busier(const struct engine *e, const struct label *a, const struct link *x,
		      const struct label *b, const struct link *y)
{
	if (x->is_open && e->t->networks && passes_more(e, a, x, b, y))
		return true;
	if (x->is_open && x->child != NO_LEVEL &&
	    (x->words / a->instances[x->child] > y->words / b->instances[y->child] ||
	     x->words * x->gives / a->instances[x->child] >
		     y->words * y->gives / b->instances[y->child]))
		return true;
	return x->is_open && x->parent != UNKNOWN_PARENT &&
	       x->words * x->ratio / a->instances[x->parent] >
		       y->words * y->ratio / b->instances[y->parent];
}

static bool has_no_more_words(const struct engine *e, const struct label *a, const struct label *b,
			      int first_port, int last_port)
{
	double copies = e->t->fanout[a->level];

	for (int i = first_port; i < last_port; i++)
		if (label_port_words(e, a, i, 1) > label_port_words(e, b, i, 1) ||
		    label_port_words(e, a, i, copies) > label_port_words(e, b, i, copies))
			return false;
	return true;
}

/* Will an open link bring sums to the level, or take some from it? */
static bool waits_for_sums(const struct engine *e, const struct label *l, int level)
{
	for (int i = 0; i < l->links; i++) {
		const struct link *k = &l->link[i];
		if (k->operand == e->t->output && k->is_open &&
		    (k->child == level || k->parent == level))
			return true;
	}
	return false;
}

/* Are the memories that round for themselves as many, with as many first visits to come? */
static bool rounds_alike(const struct engine *e, const struct label *a, const struct label *b)
{
	for (int l = 0; l < e->t->levels; l++)
		if ((e->t->wide >> l & 1) &&
		    (a->instances[l] != b->instances[l] ||
		     (a->outputs[l] != b->outputs[l] && waits_for_sums(e, a, l)) ||
		     (e->t->linked_outside[l] && !is_of_one_history(a, b))))
			return false;
	return true;
}

/* What a word costs at most: one that fills an instance may be passed on in each linked array outside. */
static double tally_cost(const struct terms *t, const struct port *p)
{
	int operand = __builtin_ctz(p->operands);
	double cost = p->cost;

	for (int l = 0; p->fills && l < p->level; l++)
		if (t->linked[l] >> operand & 1)
			cost += t->cost[p->level][operand].read;
	return cost;
}

/* How much more energy whole accesses may add to `a` than to `b`: with the copies of first visits at hand, and with those of all
 * arrays to come. Where as many instances move no more words either way, they may take away what `a` has less for parts of
 * accesses. */
static void most_rounding(const struct engine *e, const struct label *a, const struct label *b,
			  double most[2])
{
	const struct terms *t = e->t;
	double copies[2] = {1, t->fanout[a->level]}, saved[2] = {0, 0};

	most[0] = most[1] = t->slack;
	if (!rounds_alike(e, a, b))
		return;
	for (int i = t->ports; i < t->tallies; i++)
		for (int k = 0; k < 2; k++) {
			const struct port *p = &t->port[i];
			double more = label_port_words(e, b, i, copies[k]);
			double less = more - label_port_words(e, a, i, copies[k]);
			if (less < 0)
				return;
			saved[k] += less * a->instances[p->level] * tally_cost(t, p);
		}
	for (int k = 0; k < 2; k++)
		most[k] = fmin(saved[k], t->slack);
}

/* Whatever lies outside, the energy of `a` is no more, once accesses are whole. */
static bool has_no_more_energy(const struct engine *e, const struct label *a, const struct label *b)
{
	double copies = e->t->fanout[a->level], most[2], hair = ROUNDING * b->energy;
	double inside = (b->energy - b->first) - (a->energy - a->first);
	double outside = (b->energy - b->first * copies) - (a->energy - a->first * copies);

	if (inside < 0 || outside < 0)
		return false;
	if (!e->t->wide)
		return true;
	most_rounding(e, a, b, most);
	return inside >= most[0] - hair && outside >= most[1] - hair;
}

/* Whatever lies outside, `a` costs no more than `b`. */
static bool is_no_worse(const struct engine *e, const struct label *a, const struct label *b)
{
	if (e->counts_energy && !has_no_more_energy(e, a, b))
		return false;
	for (int i = 0; i < a->links; i++)
		if (a->link[i].words > b->link[i].words ||
		    a->link[i].words * a->link[i].ratio > b->link[i].words * b->link[i].ratio ||
		    (a->link[i].is_open &&
		     a->link[i].words * a->link[i].route > b->link[i].words * b->link[i].route))
			return false;
	if (!e->counts_cycles)
		return true;
	if (a->units < b->units)
		return false;
	for (int i = 0; i < a->links; i++)
		if (is_busier(e, a, &a->link[i], b, &b->link[i]))
			return false;
	return has_no_more_words(e, a, b, 0, e->t->ports);
}

/* Is `a` as good as `b` in all respects? The energy tells most of them apart. */
static bool covers(const struct engine *e, const struct label *a, const struct label *b)
{
	return (!e->counts_energy || a->energy - a->first <= b->energy - b->first) &&
	       is_comparable(e, a, b) && is_no_worse(e, a, b);
}

/* So many comparisons take as long as a look at what a label can become. */
enum { COMPARED_AS_LOOKED = 8 };

bool label_keep(struct engine *e, struct label **list, const struct scratch *s)
{
	struct label **at = list, *l;
	int compared = 0;

	for (; (l = *at); at = &l->next, compared++)
		if (covers(e, l, &s->label))
			return false;
	*e->looked += compared / COMPARED_AS_LOOKED;
	for (at = list; (l = *at);)
		if (covers(e, &s->label, l))
			*at = l->next;
		else
			at = &l->next;
	l = label_store(e, s);
	if (!l)
		return false;
	l->next = *list;
	*list = l;
	return true;
}
