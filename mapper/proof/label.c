/* label.c -- what loops, memories and arrays do to a label. */
#include "mapper/proof/label.h"

#include <string.h>

static double flow_through(const struct link *l, int level)
{
	for (int i = 0; i < l->flows; i++)
		if (l->flow_level[i] == level)
			return l->flow[i];
	return 0;
}

double link_at_child(const struct quantity *q, const struct link *l, double words)
{
	const struct rate *r;

	if (q->is_network)
		return words * flow_through(l, q->level);
	if (l->child == NO_CHILD)
		return 0;
	r = &q->rate[l->child][l->operand];
	return q->is_energy ? words * (r->fill * l->excess + l->route)
			    : words * (r->fill + r->serve * l->handing) / l->child_copies;
}

double link_at_parent(const struct quantity *q, const struct link *l, double words)
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
		d->sum[i] += link_at_child(&p->f->quantity[i], l, l->words);
	if (p->f->has_rounded)
		draft_round_child(p, d, l);
}

static void charge_parent(const struct prover *p, struct draft *d, const struct link *l)
{
	for (int i = 0; i < p->f->quantities; i++)
		d->sum[i] += link_at_parent(&p->f->quantity[i], l, l->words);
	if (p->f->has_rounded)
		draft_round_parent(p, d, l);
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

static void multiply(const struct prover *p, struct draft *d, int level, const struct spread *s)
{
	d->label.units *= s->units;
	for (int i = 0; i < d->label.links; i++) {
		d->link[i].child_copies *= s->units;
		if (d->link[i].is_open)
			d->link[i].excess *= excess_of(p->f, &d->link[i], d->label.box, level);
		d->link[i].spread |= s->dims;
		if (d->link[i].parent != NO_PARENT)
			d->link[i].parent_copies *= s->units;
		for (int k = 0; k < d->link[i].flows; k++)
			d->link[i].flow[k] /= s->units;
	}
	for (int i = 0; i < p->f->quantities; i++) {
		const struct quantity *q = &p->f->quantity[i];
		bool is_inside = !q->is_energy && q->level > level;
		d->sum[i] /= is_inside ? s->units : 1;
		d->first[i] *= is_inside ? s->alike / s->units : s->irrelevant;
	}
}

static void share_across(const struct prover *p, struct link *l, int level, const struct spread *s,
			 int32_t box)
{
	const struct facts *f = p->f;

	if (l->crossings == MOST_CROSSINGS) {
		l->share *= f->least_share[1][level][level + 1][(int)l->operand];
		return;
	}
	l->crossing[l->crossings++] = (struct crossing){s, box, level};
	l->share =
		spread_share(f, l->operand, l->crossings, l->crossing, l->is_open ? box : l->inner);
}

/* What the network inside a level costs the link, whose words into its units were `share` of its own. */
static void take_route(const struct prover *p, struct link *l, int level, const struct spread *s,
		       double share)
{
	const struct facts *f = p->f;
	int o = l->operand;
	struct route r = {share, 0, 0};

	if (f->mesh_hop[level][o] == 0 && !f->is_linked[level][o])
		return;
	if (s->units > 1 && l->crossings > 0 && l->crossing[l->crossings - 1].spread == s)
		route_across(f, o, l->crossings, l->crossing, share, &r);
	l->route = r.links * f->mesh_hop[level][o];
	if (l->child == NO_CHILD)
		return;
	l->handing = r.handed;
	if (f->counts_energy)
		l->route += r.passed * f->quantity[0].rate[(int)l->child][o].serve;
}

/* What is sent back in of the output is as much as comes out, but for first visits. */
static void take_flow(const struct prover *p, struct draft *d, struct link *l, int level)
{
	const struct facts *f = p->f;
	bool is_output = l->operand == f->output;

	l->flows = 0;
	for (int i = 0; i < f->quantities; i++) {
		const struct quantity *q = &f->quantity[i];
		if (!q->is_network || q->level != level)
			continue;
		l->flows = 1;
		l->flow_level[0] = (signed char)level;
		l->flow[0] = is_output ? 2 * l->share : l->share;
		if (is_output)
			d->first[i] += outputs_of(f, level, l->box);
	}
}

/* What a link that is closed has crossed is paid at once. */
static void charge_route(const struct prover *p, struct draft *d, const struct link *l)
{
	for (int i = 0; i < p->f->quantities; i++) {
		const struct quantity *q = &p->f->quantity[i];
		if (q->is_energy)
			d->sum[i] += l->words * l->route;
		else if (q->is_network)
			d->sum[i] += l->words * flow_through(l, q->level);
		else if (l->child != NO_CHILD)
			d->sum[i] += l->words * l->handing / l->child_copies *
				     q->rate[(int)l->child][(int)l->operand].serve;
	}
}

/* What the link owes for arrays inside, and for this one. */
static void add_dues(struct link *l, const struct link *inside)
{
	l->route += inside->route;
	l->handing += inside->handing;
	for (int i = 0; i < inside->flows && l->flows < MOST_CROSSINGS; i++) {
		l->flow_level[l->flows] = inside->flow_level[i];
		l->flow[l->flows++] = inside->flow[i];
	}
}

static void cross(const struct prover *p, struct draft *d, struct link *l, int level,
		  const struct spread *s)
{
	struct link inside = *l;

	if (s->units > 1)
		share_across(p, l, level, s, d->label.box);
	if (!p->f->has_routes)
		return;
	l->route = l->handing = 0;
	take_route(p, l, level, s, inside.share);
	take_flow(p, d, l, level);
	if (l->is_open) {
		add_dues(l, &inside);
		return;
	}
	charge_route(p, d, l);
	l->route = l->handing = l->flows = 0;
}

void draft_cross(const struct prover *p, struct draft *d, int level, const struct spread *s)
{
	multiply(p, d, level, s);
	if (d->label.roundings > 0)
		draft_round_across(p, d, level, s);
	for (int i = 0; i < d->label.links; i++)
		if (d->link[i].parent == NO_PARENT)
			cross(p, d, &d->link[i], level, s);
}

/* True where the link is removed. */
static bool close_link(const struct prover *p, struct draft *d, int i)
{
	struct link *l = &d->link[i];

	l->is_open = false;
	l->inner = d->label.box;
	l->excess *= excess_of(p->f, l, d->label.box, -1);
	charge_child(p, d, l);
	l->route = l->handing = l->flows = 0;
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
