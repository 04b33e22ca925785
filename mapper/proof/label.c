/* label.c -- what loops and memories do to a label, and what it can come to at least. */
#include "mapper/proof/label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Storage --------------------------------------------------------------------------------------------------- */

/* A goal far above the optimum lets nearly all labels live: those of 2 GiB, and the proof is cut. */
enum { MOST_CHUNKS = 1 << 15 };

struct chunk {
	struct chunk *below;
	size_t used;
	_Alignas(max_align_t) char bytes[1 << 16];
};

static void *take(struct prover *p, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (!p->chunk || p->chunk->used + size > sizeof p->chunk->bytes) {
		struct chunk *more = malloc(sizeof *more);
		p->is_cut |= ++p->chunks > MOST_CHUNKS;
		if (!more) {
			p->no_memory = true;
			return NULL;
		}
		more->below = p->chunk;
		more->used = 0;
		p->chunk = more;
	}
	p->chunk->used += size;
	return p->chunk->bytes + p->chunk->used - size;
}

struct mark prover_mark(const struct prover *p)
{
	return (struct mark){p->chunk, p->chunk ? p->chunk->used : 0};
}

void prover_release(struct prover *p, struct mark mark)
{
	while (p->chunk != mark.chunk) {
		struct chunk *below = p->chunk->below;
		p->chunks--;
		free(p->chunk);
		p->chunk = below;
	}
	if (p->chunk)
		p->chunk->used = mark.used;
}

void prover_free(struct prover *p)
{
	prover_release(p, (struct mark){NULL, 0});
	free(p->shelf.list);
	free(p->shelf.touched);
	free(p->free.list);
	free(p->free.touched);
}

double prover_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool prover_is_stopped(struct prover *p)
{
	if ((p->limits->looked > 0 && p->looked >= p->limits->looked) ||
	    (p->limits->stop && *p->limits->stop) ||
	    (p->deadline > 0 && prover_now() >= p->deadline))
		p->is_cut = true;
	return p->is_cut || p->no_memory;
}

static void point_into(struct draft *d)
{
	d->label.link = d->link;
	d->label.sum = d->sum;
	d->label.first = d->first;
}

void draft_copy(const struct prover *p, struct draft *d, const struct label *l)
{
	size_t quantities = (size_t)p->f->quantities;

	d->label = *l;
	memcpy(d->link, l->link, (size_t)l->links * sizeof *l->link);
	memcpy(d->sum, l->sum, quantities * sizeof *l->sum);
	memcpy(d->first, l->first, quantities * sizeof *l->first);
	point_into(d);
}

struct label *draft_store(struct prover *p, const struct draft *d)
{
	size_t links = (size_t)d->label.links * sizeof(struct link);
	size_t quantities = (size_t)p->f->quantities * sizeof(double);
	struct label *l = take(p, sizeof *l + links + 2 * quantities);

	if (!l)
		return NULL;
	*l = d->label;
	l->link = (struct link *)(l + 1);
	l->sum = (double *)(l->link + l->links);
	l->first = l->sum + p->f->quantities;
	memcpy(l->link, d->link, links);
	memcpy(l->sum, d->sum, quantities);
	memcpy(l->first, d->first, quantities);
	return l;
}

/* ---- Links ------------------------------------------------------------------------------------------------------- */

/* What a link's words add to a quantity: of a port, at the busiest instance, whose steps are all whole. */
static double child_part(const struct quantity *q, const struct link *l, double words)
{
	if (l->child == NO_CHILD)
		return 0;
	words *= q->rate[l->child][l->operand].fill;
	return q->is_energy ? words * l->excess : words / l->child_copies;
}

static double parent_part(const struct quantity *q, const struct link *l, double words)
{
	const struct rate *r = &q->rate[l->parent][l->operand];
	double excess = l->crossings == 0 ? l->excess : 1;

	if (!q->is_energy)
		return words * l->share * r->serve / l->parent_copies;
	return words * (l->share * excess * r->serve + l->excess * r->hop);
}

static void charge_child(const struct prover *p, struct draft *d, const struct link *l)
{
	for (int i = 0; i < p->f->quantities; i++)
		d->sum[i] += child_part(&p->f->quantity[i], l, l->words);
}

static void charge_parent(const struct prover *p, struct draft *d, const struct link *l)
{
	for (int i = 0; i < p->f->quantities; i++)
		d->sum[i] += parent_part(&p->f->quantity[i], l, l->words);
}

static void remove_link(struct draft *d, int i)
{
	d->label.links--;
	memmove(d->link + i, d->link + i + 1, (size_t)(d->label.links - i) * sizeof *d->link);
}

/* Sorted by operand, a later child behind earlier ones. */
static void insert_link(struct draft *d, const struct link *l)
{
	int at = d->label.links;

	while (at > 0 && d->link[at - 1].operand > l->operand)
		at--;
	memmove(d->link + at + 1, d->link + at, (size_t)(d->label.links - at) * sizeof *d->link);
	d->link[at] = *l;
	d->label.links++;
}

void draft_begin_link(const struct prover *p, struct draft *d, int operand, int child)
{
	const struct facts *f = p->f;
	struct link l = {.operand = (signed char)operand,
			 .child = (signed char)child,
			 .parent = NO_PARENT,
			 .box = d->label.box,
			 .share = 1,
			 .excess = 1,
			 .inner = d->label.box,
			 .child_copies = 1,
			 .parent_copies = 1};

	if (child == NO_CHILD) {
		l.words = f->points;
		insert_link(d, &l);
		return;
	}
	l.words = f->words[operand][l.box] * f->steps[l.box] * uneven_part(f, operand, l.box);
	l.halo = halo_least(f, child, operand, l.box);
	l.sliding = box_sliding(f, operand, l.box);
	l.is_open = true;
	for (int i = 0; i < f->quantities; i++)
		d->first[i] += f->quantity[i].rate[child][operand].first_fill *
			       outputs_of(f, child, l.box);
	insert_link(d, &l);
}

void draft_reach(const struct prover *p, struct draft *d, int level, unsigned kept)
{
	const struct facts *f = p->f;

	for (int i = 0; i < d->label.links;) {
		struct link *l = &d->link[i];
		if (l->parent != NO_PARENT || !(kept >> l->operand & 1)) {
			i++;
			continue;
		}
		l->parent = (signed char)level;
		for (int q = 0; q < f->quantities; q++)
			d->first[q] += f->quantity[q].rate[level][l->operand].first_serve *
				       outputs_of(f, level, l->box);
		if (l->is_open) {
			i++;
			continue;
		}
		charge_parent(p, d, l);
		remove_link(d, i);
	}
}

/* The steps of all units that repeat the words, around this box; of uneven loops of one array, or of all (level < 0). Where an
 * array inside has some of the dimension, too, not all of its units are at work: then no more than the even part is counted. */
static double excess_of(const struct facts *f, const struct link *l, int32_t box, int level)
{
	unsigned relevant = f->problem->operand[l->operand].relevant;
	double excess = 1;

	for (int d = 0; d < f->problem->dims; d++) {
		const struct side *s = &f->boxes.side[d];
		if (s->part.units && !(relevant >> d & 1) && !(l->spread >> d & 1) &&
		    (level < 0 || s->part.level == level))
			excess *= side_excess(s, box_length(&f->boxes, box, d));
	}
	return excess;
}

void draft_copies(const struct prover *p, struct draft *d, int level, const struct spread *s)
{
	d->label.units *= s->units;
	for (int i = 0; i < d->label.links; i++) {
		d->link[i].child_copies *= s->units;
		if (d->link[i].is_open)
			d->link[i].excess *= excess_of(p->f, &d->link[i], d->label.box, level);
		d->link[i].spread |= s->dims;
		if (d->link[i].parent != NO_PARENT)
			d->link[i].parent_copies *= s->units;
	}
	for (int i = 0; i < p->f->quantities; i++) {
		const struct quantity *q = &p->f->quantity[i];
		bool is_inside = !q->is_energy && q->level > level;
		d->sum[i] /= is_inside ? s->units : 1;
		d->first[i] *= is_inside ? s->alike / s->units : s->irrelevant;
	}
}

/* True where the link is removed. */
static bool close_link(const struct prover *p, struct draft *d, int i)
{
	struct link *l = &d->link[i];

	l->is_open = false;
	l->inner = d->label.box;
	l->excess *= excess_of(p->f, l, d->label.box, -1);
	charge_child(p, d, l);
	if (l->parent == NO_PARENT)
		return false;
	charge_parent(p, d, l);
	remove_link(d, i);
	return true;
}

bool draft_step(const struct prover *p, struct draft *d, int dim, int place)
{
	const struct boxes *b = &p->f->boxes;
	int64_t steps = b->side[dim].factor[place], shift = box_length(b, d->label.box, dim);
	bool has_closed = false;

	for (int i = 0; i < d->label.links;) {
		struct link *l = &d->link[i];
		bool is_relevant = p->f->problem->operand[l->operand].relevant >> dim & 1;
		if (l->is_open && !is_relevant)
			l->words /= (double)steps;
		if (!l->is_open || !is_relevant) {
			i++;
			continue;
		}
		l->words *= halo_part(p->f, l->child, l->operand, l->box, dim, shift, steps);
		has_closed = true;
		if (!close_link(p, d, i))
			i++;
	}
	d->label.box = box_times(b, d->label.box, dim, place);
	return has_closed;
}

void draft_close_all(const struct prover *p, struct draft *d)
{
	for (int i = 0; i < d->label.links;)
		if (!d->link[i].is_open || !close_link(p, d, i))
			i++;
}

/* ---- What it can come to ------------------------------------------------------------------------------------------ */

/* What the arrays inside levels p .. q - 1 leave of the words of a link at least. */
static double share_least(const struct facts *f, const struct link *l, int p, int q)
{
	return f->least_share[l->crossings > 0][p][q][(int)l->operand];
}

/* A link's part of a quantity that is not in the sum yet, for either run of open links: with the parent in the set that the
 * level keeps, and with one outside of it. */
struct rest {
	unsigned operand; /* bit */
	bool is_open, has_parent;
	double next[2], beyond[2];
};

static void rest_of(const struct prover *p, const struct quantity *q, const struct draft *d,
		    const struct link *l, struct stage at, bool is_chosen, struct rest *r)
{
	const struct facts *f = p->f;
	int o = l->operand, runs = l->is_open ? 2 : 1;

	*r = (struct rest){1u << o, l->is_open, l->parent != NO_PARENT, {0}, {0}};
	for (int run = 0; run < runs; run++) {
		double words = l->words * (l->is_open ? l->halo : 1), fill, served;
		if (l->is_open && run == 0)
			words /= f->again[o][d->label.box];
		fill = l->is_open ? child_part(q, l, words) : 0;
		served = words * l->share;
		if (r->has_parent) {
			r->next[run] = r->beyond[run] = fill + parent_part(q, l, words);
			continue;
		}
		if (!is_chosen) {
			const struct rate *rate = &q->rate[at.level][o];
			double there = served * share_least(f, l, at.level, at.top);
			double all = rate->serve * there -
				     rate->first_serve * outputs_most(f, at.level, l->box);
			r->next[run] = fill + rate->hop * words +
				       fmax(all, (rate->serve - rate->first_serve) * there);
		}
		r->beyond[run] = fill;
		if (at.level > 0)
			r->beyond[run] += parent_least(f, q, o, l->box, at.level - 1, at.top, words,
						       served, l->crossings > 0);
		else
			r->beyond[run] = INFINITY;
	}
}

/* Of all links together, if the level keeps a set: the best first loop outside. */
static double rests_least(const struct facts *f, int rests, const struct rest rest[], unsigned kept,
			  unsigned left)
{
	double least = INFINITY;

	for (int i = 0; i < f->patterns || (i == 0 && left == 0); i++) {
		double sum = 0;
		if (left && !(left >> i & 1))
			continue;
		for (int k = 0; k < rests; k++) {
			const struct rest *r = &rest[k];
			int run = r->is_open && left && !(f->pattern[i] & r->operand);
			sum += kept & r->operand ? r->next[run] : r->beyond[run];
		}
		least = fmin(least, sum);
	}
	return least;
}

static double quantity_least(const struct prover *p, const struct quantity *q,
			     const struct draft *d, struct stage at)
{
	const struct facts *f = p->f;
	int i = (int)(q - f->quantity);
	double sum = d->sum[i] - d->first[i] * f->most_irrelevant[at.top], least = INFINITY;
	struct rest rest[MOST_LINKS];
	bool has_open = false;
	unsigned left;

	for (int k = 0; k < d->label.links; k++) {
		rest_of(p, q, d, &d->link[k], at, at.set >= 0, &rest[k]);
		has_open |= d->link[k].is_open;
	}
	left = has_open ? patterns_left(f, d->label.box) : 0;
	for (int s = at.set < 0 ? 0 : at.set; s <= (at.set < 0 ? f->sets[at.level] - 1 : at.set);
	     s++) {
		double beyond = q->outside[at.level] ? q->outside[at.level][s][d->label.box] : 0;
		if (beyond == INFINITY)
			continue;
		least = fmin(least,
			     beyond + rests_least(f, d->label.links, rest,
						  at.set < 0 ? f->set[at.level][s] : 0, left));
	}
	return sum + least;
}

static double steps_least(const struct prover *p, const struct draft *d, int top)
{
	return ceil(p->f->points / (d->label.units * p->f->most_units[top]) * (1 - PROOF_ROUNDING));
}

static double cycles_through(const struct prover *p, const struct quantity *q, double words,
			     int top)
{
	double instances = p->f->most_units[q->level < top ? q->level : top];

	return ceil(words / instances / q->bandwidth * (1 - PROOF_ROUNDING));
}

/* Energy without leakage, and cycles, into the value of the goal. */
static double value_of(const struct prover *p, double energy, double cycles)
{
	if (p->goal->most_cycles > 0 && cycles > (double)p->goal->most_cycles)
		return INFINITY;
	energy += p->f->leakage * cycles;
	if ((p->goal->most_energy > 0 && energy > p->goal->most_energy) ||
	    (p->goal->most_edp > 0 && energy * cycles > p->goal->most_edp))
		return INFINITY;
	return objective_from(p->goal->objective, energy, cycles);
}

static bool is_below(const struct prover *p, double value)
{
	return value < p->goal->value * (1 - PROOF_ROUNDING);
}

bool draft_is_lost(struct prover *p, const struct draft *d, struct stage at)
{
	const struct facts *f = p->f;
	double energy = 0, cycles = steps_least(p, d, at.top), value;

	p->looked++;
	if (!f->counts_energy && !is_below(p, value = value_of(p, 0, cycles))) {
		p->bound = fmin(p->bound, value);
		return true;
	}
	for (int i = 0; i < f->quantities; i++) {
		const struct quantity *q = &f->quantity[i];
		double least = quantity_least(p, q, d, at);
		if (least == INFINITY)
			return true; /* nothing fits */
		if (q->is_energy)
			energy = least + f->points * f->machine->mac_cost;
		else
			cycles = fmax(cycles, cycles_through(p, q, least, at.top));
		value = value_of(p, energy, cycles);
		if (!is_below(p, value)) {
			p->bound = fmin(p->bound, value);
			return true;
		}
	}
	return false;
}

bool label_is_lost_across(struct prover *p, const struct label *l, int level,
			  const struct spread *s, int32_t box)
{
	const struct facts *f = p->f;
	const struct quantity *q = &f->quantity[0];
	double energy = 0, value;

	if (q->is_energy) {
		energy = l->sum[0] - l->first[0] * s->irrelevant * f->most_irrelevant[level] +
			 q->outside_any[level][box] + f->points * f->machine->mac_cost;
		for (int i = 0; i < l->links; i++) {
			const struct link *link = &l->link[i];
			int o = link->operand;
			double words = link->words;
			if (link->is_open)
				words *= link->halo / f->again[o][box];
			energy += link->is_open ? child_part(q, link, words) : 0;
			if (link->parent != NO_PARENT)
				energy += parent_part(q, link, words);
			else
				energy += words * q->least_hop[level][o] +
					  (link->crossings ? 0
							   : words * s->share[o] *
								     q->least_serve[level][o]);
		}
	}
	value = value_of(p, energy,
			 ceil(f->points / (l->units * s->units * f->most_units[level]) *
			      (1 - PROOF_ROUNDING)));
	if (is_below(p, value))
		return false;
	p->bound = fmin(p->bound, value);
	return true;
}

void draft_conclude(struct prover *p, const struct draft *d)
{
	const struct facts *f = p->f;
	double energy = 0, cycles = steps_least(p, d, 0), value;

	for (int i = 0; i < f->quantities; i++) {
		double words = d->sum[i] - d->first[i];
		if (f->quantity[i].is_energy)
			energy = words + f->points * f->machine->mac_cost;
		else
			cycles = fmax(cycles, cycles_through(p, &f->quantity[i], words, 0));
	}
	value = value_of(p, energy, cycles);
	p->bound = fmin(p->bound, value);
	if (p->take && is_below(p, value)) {
		struct mapping mapping;
		label_trace(p, &d->label, &mapping);
		p->take(p->context, &mapping, value);
	}
}

/* ---- Which are needed ---------------------------------------------------------------------------------------------- */

/* What an outer array shares depends on where the inner ones have put the tiles. */
static bool are_placed_alike(const struct link *a, const struct link *b)
{
	if (a->crossings != b->crossings)
		return false;
	for (int i = 0; i < a->crossings; i++)
		if (a->crossing[i].box != b->crossing[i].box)
			return false;
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
		     !are_placed_alike(&a->link[i], &b->link[i])))
			return false;
	return true;
}

static bool is_no_more(double a, double b)
{
	return a <= b + fabs(b) * 1e-14;
}

/* Is a no worse than b, whatever comes? They are alike. First visits count as often as copies come to lie outside. */
static bool serves_for(const struct prover *p, const struct label *a, const struct label *b,
		       int level)
{
	double most = p->f->most_irrelevant[level];

	for (int i = 0; i < p->f->quantities; i++)
		if (!is_no_more(a->sum[i] - a->first[i], b->sum[i] - b->first[i]) ||
		    !is_no_more(a->sum[i] - most * a->first[i], b->sum[i] - most * b->first[i]))
			return false;
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
