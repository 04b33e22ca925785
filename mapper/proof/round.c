/* round.c -- accesses that move several words: of one instance, operand and kind there are as many as it takes, rounded up once.
 *
 * How many words an instance has is known when its array lies around it. Until then what was charged waits; of two labels one
 * serves for the other only if that cannot turn what they have. */
#include "mapper/proof/label.h"

#include <math.h>

double label_irrelevant(const struct label *l, int level)
{
	double irrelevant = 1;

	for (; l; l = l->growth.inside)
		if (l->growth.spread && l->growth.level < level)
			irrelevant *= l->growth.spread->irrelevant;
	return irrelevant;
}

static double cost_of(const struct prover *p, int level, int kind)
{
	return p->f->machine->level[level].cost[kind];
}

/* What whole accesses cost more than parts of them. */
static double excess_of(const struct prover *p, const struct rounding *r)
{
	double width = (double)p->f->machine->level[r->level].width;
	double accesses = (r->words - r->first) / r->copies / width;
	double whole = ceil(accesses - PROOF_ROUNDING * (1 + r->words / r->copies));

	return cost_of(p, r->level, r->kind) * r->copies * fmax(0, whole - accesses);
}

static void add(const struct prover *p, struct draft *d, struct rounding r)
{
	if (!p->f->is_rounded[(int)r.level][(int)r.operand][(int)r.kind])
		return;
	if (p->f->has_array_outside[d->label.growth.level])
		d->rounding[d->label.roundings++] = r;
	else
		d->sum[0] += excess_of(p, &r);
}

/* First visits of all instances of a level that are there. */
static double first_at(const struct prover *p, const struct draft *d, const struct link *l,
		       int level)
{
	if (l->operand != p->f->output)
		return 0;
	return outputs_of(p->f, level, l->box) * label_irrelevant(&d->label, level);
}

void draft_round_child(const struct prover *p, struct draft *d, const struct link *l)
{
	if (l->child != NO_CHILD)
		add(p, d,
		    (struct rounding){l->child, l->operand, ACCESS_FILL, l->words,
				      first_at(p, d, l, l->child), l->child_copies});
}

void draft_round_parent(const struct prover *p, struct draft *d, const struct link *l)
{
	double words = l->words * l->share;

	add(p, d,
	    (struct rounding){l->parent, l->operand, ACCESS_READ, words,
			      first_at(p, d, l, l->parent), l->parent_copies});
	if (l->operand == p->f->output)
		add(p, d,
		    (struct rounding){l->parent, l->operand, ACCESS_UPDATE, words, 0,
				      l->parent_copies});
}

void draft_round_across(const struct prover *p, struct draft *d, int level, const struct spread *s)
{
	for (int i = 0; i < d->label.roundings; i++) {
		struct rounding *r = &d->rounding[i];
		r->copies *= s->units;
		r->first *= s->irrelevant;
		if (!p->f->has_array_outside[level])
			d->sum[0] += excess_of(p, r);
	}
	if (!p->f->has_array_outside[level])
		d->label.roundings = 0;
}

/* ---- Of two labels ----------------------------------------------------------------------------------------------- */

/* However many instances outer arrays make, each has less than one access more. */
static double excess_most(const struct prover *p, int level, int operand, int kind, double copies,
			  int outside)
{
	double width = (double)p->f->machine->level[level].width;

	if (!p->f->is_rounded[level][operand][kind])
		return 0;
	return cost_of(p, level, kind) * copies * p->f->most_units[outside] * (width - 1) / width;
}

static bool are_same(const struct rounding *a, const struct rounding *b)
{
	return a->level == b->level && a->operand == b->operand && a->kind == b->kind &&
	       fabs(a->words - b->words) <= 1e-14 * b->words && a->first == b->first &&
	       a->copies == b->copies;
}

/* Of what waits, but for what waits in both. */
static double excess_waiting(const struct prover *p, const struct label *a, const struct label *b,
			     int outside)
{
	double sum = 0;

	for (int i = 0; i < a->roundings; i++) {
		const struct rounding *r = &a->rounding[i];
		bool is_in_both = false;
		for (int k = 0; k < b->roundings && !is_in_both; k++)
			is_in_both = are_same(r, &b->rounding[k]);
		if (!is_in_both)
			sum += excess_most(p, r->level, r->operand, r->kind, r->copies, outside);
	}
	return sum;
}

/* Of a link at one of its ends: fewer words in as many instances, of which no fewer are first visits, are no more accesses. */
static double excess_at(const struct prover *p, const struct label *a, const struct label *b,
			const struct link *x, const struct link *y, int level, double x_copies,
			double y_copies)
{
	double x_first = 0, y_first = 0;

	if (x->operand == p->f->output) {
		x_first = outputs_of(p->f, level, x->box) * label_irrelevant(a, level);
		y_first = outputs_of(p->f, level, y->box) * label_irrelevant(b, level);
	}
	return x_copies == y_copies && x_first >= y_first ? 0 : x_copies;
}

double rounding_excess(const struct prover *p, const struct label *a, const struct label *b,
		       int outside)
{
	double sum = excess_waiting(p, a, b, outside);

	for (int i = 0; i < a->links; i++) {
		const struct link *x = &a->link[i], *y = &b->link[i];
		int o = x->operand;
		double copies;
		if (x->is_open) {
			copies = excess_at(p, a, b, x, y, x->child, x->child_copies,
					   y->child_copies);
			sum += excess_most(p, x->child, o, ACCESS_FILL, copies, outside);
		}
		if (x->parent != NO_PARENT) {
			copies = excess_at(p, a, b, x, y, x->parent, x->parent_copies,
					   y->parent_copies);
			sum += excess_most(p, x->parent, o, ACCESS_READ, copies, outside);
			if (o == p->f->output)
				sum += excess_most(p, x->parent, o, ACCESS_UPDATE, copies, outside);
		}
	}
	return sum;
}
