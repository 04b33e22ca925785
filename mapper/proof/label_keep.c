/* label_keep.c -- which of the labels at one box are needed. */
#include "mapper/proof/label.h"

#include <math.h>

/* Do two arrays move the operand's tiles alike along ranks which several dimensions move? */
static bool move_alike(const struct facts *f, int operand, const struct crossing *a,
		       const struct crossing *b)
{
	for (int d = 0; d < f->problem->dims; d++) {
		if (!(f->tangled[operand] >> d & 1))
			continue;
		if (a->spread->factor[d] != b->spread->factor[d])
			return false;
		if (a->spread->factor[d] > 0 &&
		    spread_merges(f, a->level, a->spread, operand, d) !=
			    spread_merges(f, b->level, b->spread, operand, d))
			return false;
	}
	return true;
}

/* What an outer array shares depends on where the inner ones have put the tiles; what its routes cost, sometimes on all that they
 * have done. */
static bool are_placed_alike(const struct facts *f, int level, const struct link *a,
			     const struct link *b)
{
	bool asks_where = f->asks_where[level][(int)a->operand];

	if (a->crossings != b->crossings)
		return false;
	for (int i = 0; i < a->crossings; i++) {
		const struct crossing *x = &a->crossing[i], *y = &b->crossing[i];
		if (x->box != y->box || (asks_where && x->spread != y->spread) ||
		    !move_alike(f, a->operand, x, y))
			return false;
	}
	return true;
}

static bool is_alike(const struct prover *p, const struct label *a, const struct label *b,
		     int level)
{
	if (a->links != b->links)
		return false;
	for (int i = 0; i < a->links; i++)
		if (a->link[i].operand != b->link[i].operand ||
		    a->link[i].child != b->link[i].child ||
		    a->link[i].parent != b->link[i].parent ||
		    a->link[i].is_open != b->link[i].is_open ||
		    (a->link[i].is_open && a->link[i].sliding != b->link[i].sliding) ||
		    (p->f->has_array_outside[level] && a->link[i].parent == NO_PARENT &&
		     !are_placed_alike(p->f, level, &a->link[i], &b->link[i])))
			return false;
	return true;
}

static bool is_no_more(double a, double b)
{
	return a <= b + fabs(b) * 1e-14;
}

/* Of what arrays inside cost, once the link closes. */
static bool owes_no_more(const struct prover *p, const struct link *a, const struct link *b)
{
	for (int i = 0; i < p->f->quantities; i++) {
		const struct quantity *q = &p->f->quantity[i];
		if (!is_no_more(link_at_child(q, a, a->words), link_at_child(q, b, b->words)))
			return false;
	}
	return true;
}

/* What dimensions that are parted unevenly will yet make of the words: more of them where they have not run over arrays around the child,
 * and repeated ones by the box around which the loops stand. */
static bool are_parted_alike(const struct facts *f, const struct link *a, const struct link *b)
{
	for (int d = 0; d < f->problem->dims; d++)
		if (f->boxes.side[d].part.units > 0 &&
		    (((a->spread ^ b->spread) >> d & 1) ||
		     (!a->is_open &&
		      box_place(&f->boxes, a->inner, d) != box_place(&f->boxes, b->inner, d))))
			return false;
	return true;
}

/* Is a no worse than b, whatever comes? They are alike. First visits count as often as copies come to lie outside. */
static bool serves_for(const struct prover *p, const struct label *a, const struct label *b,
		       int level)
{
	double most = p->f->most_irrelevant[level];

	for (int i = 0; i < p->f->quantities; i++) {
		double more = p->f->has_rounded && p->f->quantity[i].is_energy
				      ? rounding_excess(p, a, b, level)
				      : 0;
		double x = a->sum[i] + more, y = b->sum[i];
		if (!is_no_more(x - a->first[i], y - b->first[i]) ||
		    !is_no_more(x - most * a->first[i], y - most * b->first[i]))
			return false;
	}
	if (p->f->counts_cycles && a->units < b->units)
		return false;
	for (int i = 0; i < a->links; i++) {
		const struct link *x = &a->link[i], *y = &b->link[i];
		if (x->operand == p->f->output && x->parent == NO_PARENT &&
		    outputs_of(p->f, level, x->box) < outputs_of(p->f, level, y->box))
			return false; /* the parent reads less */
		if (!is_no_more(x->words, y->words) ||
		    !is_no_more(x->words * x->share, y->words * y->share))
			return false;
		if (p->f->is_uneven && (!are_parted_alike(p->f, x, y) ||
					!is_no_more(x->words * x->excess, y->words * y->excess)))
			return false;
		if (p->f->has_routes && x->is_open && !owes_no_more(p, x, y))
			return false;
		if (p->f->counts_cycles &&
		    (x->child_copies < y->child_copies || x->parent_copies < y->parent_copies))
			return false;
	}
	return true;
}

void draft_keep(struct prover *p, const struct draft *d, struct shelf *shelf, int level)
{
	struct label **list = &shelf->list[d->label.box], *l;

	if (!*list)
		shelf->touched[shelf->touches++] = d->label.box;
	for (struct label **at = list; *at;) {
		const struct label *b = *at;
		if (!p->keeps_all && is_alike(p, b, &d->label, level)) {
			if ((b->grows | d->label.grows) == b->grows &&
			    serves_for(p, b, &d->label, level))
				return;
			if ((b->grows | d->label.grows) == d->label.grows &&
			    serves_for(p, &d->label, b, level)) {
				*at = (*at)->next;
				continue;
			}
		}
		at = &(*at)->next;
	}
	l = draft_store(p, d);
	if (!l)
		return;
	l->next = *list;
	*list = l;
}

struct label *shelf_take(struct shelf *shelf)
{
	struct label *all = NULL;

	for (int32_t i = 0; i < shelf->touches; i++) {
		struct label **list = &shelf->list[shelf->touched[i]], *next;
		for (struct label *l = *list; l; l = next) {
			next = l->next;
			l->next = all;
			all = l;
		}
		*list = NULL;
	}
	shelf->touches = 0;
	return all;
}
