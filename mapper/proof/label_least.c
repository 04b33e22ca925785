/* label_least.c -- what a label can come to at least, and what a whole one has. */
#include "mapper/proof/label.h"

#include <math.h>

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
		fill = l->is_open ? link_at_child(q, l, words) : 0;
		served = words * l->share;
		if (r->has_parent) {
			r->next[run] = r->beyond[run] = fill + link_at_parent(q, l, words);
			continue;
		}
		if (!is_chosen)
			r->next[run] = fill + parent_cost(f, q, o, l->box, at.level, at.top, words,
							  served, l->crossings > 0);
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
			energy += link->is_open ? link_at_child(q, link, words) : 0;
			if (link->parent != NO_PARENT)
				energy += link_at_parent(q, link, words);
			else
				energy += words * (q->least_hop[level][o] +
						   link->share * f->mesh_hop[level][o]) +
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

/* Where what labels count may be too little, a mapping is costed by itself. */
static double value_in_full(struct prover *p, const struct mapping *mapping)
{
	struct cost cost;

	if (!mapping_cost(mapping, &cost)) {
		p->no_memory = true;
		return INFINITY;
	}
	return value_of(p, cost.energy - cost.energy_leakage, (double)cost.cycles);
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
	if (is_below(p, value) && (p->keeps_all || p->take)) {
		struct mapping mapping;
		label_trace(p, &d->label, &mapping);
		if (p->keeps_all)
			value = value_in_full(p, &mapping);
		if (p->take)
			p->take(p->context, &mapping, value);
	}
	p->bound = fmin(p->bound, value);
}
