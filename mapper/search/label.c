/* label.c -- links between memories, and what they and the words through ports have cost so far. */
#include "mapper/search/label.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool takes(const struct port *p, enum access_kind kind)
{
	return kind == ACCESS_READ ? p->reads : kind == ACCESS_FILL ? p->fills : p->updates;
}

static void add_words(const struct engine *e, struct label *l, int level, int operand,
		      enum access_kind kind, double words)
{
	if (!e->counts_words)
		return;
	for (int i = 0; i < e->t->tallies; i++) {
		const struct port *p = &e->t->port[i];
		if (p->level == level && (p->operands >> operand & 1) && takes(p, kind))
			l->port[i] += words / l->instances[level];
	}
}

/* Words moved at a level that cost so much each; `first` of them, which are none, are taken off as labels take them off. */
static void charge(const struct engine *e, struct label *l, int level, int operand,
		   enum access_kind kind, double words, double first, double cost)
{
	if (e->t->rounded >> level & 1) {
		double width = (double)e->t->machine->level[level].width;
		double whole = nearbyint(words - first); /* but for the rounding of doubles */
		l->energy += cost * (width * ceil(whole / width) + first);
	} else {
		l->energy += cost * words;
	}
	add_words(e, l, level, operand, kind, words);
}

/* Words of the child, at the outer end of the array inside a level; sums go in as well. */
static void add_network_words(const struct engine *e, struct label *l, int level,
			      const struct link *k, double ratio)
{
	double words = k->words * ratio / l->instances[level];
	bool is_output = k->operand == e->t->output;

	for (int i = 0; i < e->t->ports; i++)
		if (e->t->port[i].level == level && e->t->port[i].is_network)
			l->port[i] += is_output ? 2 * words : words;
	if (is_output)
		l->passes_back |= 1u << level;
}

/* The next label inward, or this one, that was spread over an array with a limited network, which the link passes. */
const struct label *label_last_network(const struct engine *e, const struct label *l,
				       const struct link *k)
{
	for (; l && (k->child == NO_LEVEL || l->level < k->child); l = l->inner)
		if (l->spread && l->level >= k->parent && (e->t->networks >> l->level & 1))
			return l;
	return NULL;
}

/* The ratio that an operand's link had behind the array that a label was spread over. */
double label_ratio_behind(const struct label *l, int operand)
{
	int i = 0;

	while (l->link[i].operand != operand || l->link[i].parent != UNKNOWN_PARENT)
		i++;
	return l->link[i].ratio;
}

/* A link that closes has passed these networks while it was open. */
static void charge_networks(const struct engine *e, struct label *l, const struct link *k)
{
	const struct label *n = l;

	if (!e->counts_words || !e->t->networks)
		return;
	while ((n = label_last_network(e, n, k))) {
		add_network_words(e, l, n->level, k, label_ratio_behind(n, k->operand));
		n = n->inner;
	}
}

/* Words that the busiest instance of the child reads for its neighbours. */
static void charge_gives(const struct engine *e, struct label *l, const struct link *k,
			 double gives)
{
	if (!e->counts_words || gives == 0)
		return;
	for (int i = 0; i < e->t->ports; i++) {
		const struct port *p = &e->t->port[i];
		if (p->level == k->child && (p->operands >> k->operand & 1) && p->reads)
			l->port[i] += gives * k->words / l->instances[k->child];
	}
}

void link_cross(const struct engine *e, struct label *l, struct link *k, const struct route *route,
		double before)
{
	double each = 0, gives = 0;

	if (route && (e->t->meshed[l->level] >> k->operand & 1))
		each = route->hops * e->t->cost[l->level][k->operand].link;
	if (route && (e->t->linked[l->level] >> k->operand & 1) && k->child != NO_LEVEL) {
		each += route->passes * e->t->cost[k->child][k->operand].read;
		gives = route->gives;
	}
	if (k->is_open) {
		k->route += before * each;
		k->gives += gives;
		return;
	}
	l->energy += k->words * before * each;
	charge_gives(e, l, k, gives);
	if (e->counts_words && (e->t->networks >> l->level & 1))
		add_network_words(e, l, l->level, k, k->ratio);
}

/* Of one instance that holds all of the output. */
static double first_visits(const struct engine *e, const struct link *k)
{
	return k->operand == e->t->output ? e->t->outputs : 0;
}

static void charge_child(const struct engine *e, struct label *l, const struct link *k)
{
	if (k->child == NO_LEVEL)
		return;
	charge(e, l, k->child, k->operand, ACCESS_FILL, k->words, first_visits(e, k),
	       e->t->cost[k->child][k->operand].fill);
	if (k->operand == e->t->output)
		l->fills_back |= 1u << k->child;
}

static void charge_parent(const struct engine *e, struct label *l, const struct link *k)
{
	const struct word_cost *c = &e->t->cost[k->parent][k->operand];
	double served = k->words * k->ratio;

	l->energy += k->words * c->hop;
	charge(e, l, k->parent, k->operand, ACCESS_READ, served, first_visits(e, k), c->read);
	if (k->operand == e->t->output) {
		charge(e, l, k->parent, k->operand, ACCESS_UPDATE, served, 0, c->update);
		l->reads_back |= 1u << k->parent;
	}
}

static void remove_link(struct scratch *s, int link)
{
	s->label.links--;
	for (int i = link; i < s->label.links; i++)
		s->link[i] = s->link[i + 1];
}

int links_open(const struct label *l)
{
	int open = 0;

	for (int i = 0; i < l->links; i++)
		open += l->link[i].is_open;
	return open;
}

bool link_close(const struct engine *e, struct scratch *s, int link, double part)
{
	struct link *k = &s->link[link];

	k->words *= part;
	k->is_open = false;
	charge_child(e, &s->label, k);
	charge_networks(e, &s->label, k);
	charge_gives(e, &s->label, k, k->gives);
	s->label.energy += k->words * k->route;
	if (k->parent == UNKNOWN_PARENT)
		return false;
	charge_parent(e, &s->label, k);
	remove_link(s, link);
	return true;
}

void links_reach(const struct engine *e, struct scratch *s, int level, unsigned kept)
{
	for (int i = 0; i < s->label.links; i++) {
		struct link *k = &s->link[i];
		if (k->parent != UNKNOWN_PARENT || !(kept >> k->operand & 1))
			continue;
		k->parent = (signed char)level;
		if (k->operand == e->t->output)
			s->label.first += e->t->outputs * e->t->cost[level][k->operand].read;
		if (k->is_open)
			continue;
		charge_parent(e, &s->label, k);
		remove_link(s, i--);
	}
}

/* The least part that any halo can leave of the words of a tile: the longest loop over one dimension, from the tile on. */
static double least_halo(const struct engine *e, int level, int operand, int32_t tile)
{
	const struct terms *t = e->t;
	double least = 1;

	for (int d = 0; t->sliding[operand] >> d; d++) {
		int64_t extent = lattice_extent(&t->lattice, tile, d);
		int64_t steps = t->problem->extent[d] / extent;
		if (steps > 1) {
			double part = terms_halo(t, level, operand, tile, d, extent, (double)steps);
			least = part < least ? part : least;
		}
	}
	return least;
}

void links_begin(const struct engine *e, struct scratch *s, int level, unsigned kept)
{
	const struct terms *t = e->t;
	int32_t state = s->label.state;

	for (int o = 0; o < t->operands; o++) {
		if (!(kept >> o & 1))
			continue;
		assert(s->label.links < MAX_LINKS);
		s->link[s->label.links++] =
			(struct link){.words = t->tile[state].visits * t->tile[state].words[o],
				      .ratio = 1,
				      .halo = least_halo(e, level, o, state),
				      .tile = state,
				      .operand = (signed char)o,
				      .child = (signed char)level,
				      .parent = UNKNOWN_PARENT,
				      .is_open = true};
		if (o == t->output)
			s->label.first += t->outputs * t->cost[level][o].fill;
	}
	s->label.kept_inside |= kept;
}

/* ---- Units and ports --------------------------------------------------------------------------------------------- */

/* The next label inward, or this one, that has units of an array. */
const struct label *label_last_units(const struct label *l)
{
	while (l && (!l->spread || l->spread->count == 0))
		l = l->inner;
	return l;
}

/* Without first visits, of which there are so many copies. */
double label_port_words(const struct engine *e, const struct label *l, int i, double copies)
{
	const struct port *p = &e->t->port[i];
	double words = l->port[i], first = l->outputs[p->level] * copies;

	if (!(p->operands >> e->t->output & 1))
		return words;
	if (p->reads && (l->reads_back >> p->level & 1))
		words -= first;
	if (p->fills && (l->fills_back >> p->level & 1))
		words -= first;
	if (p->is_network && (l->passes_back >> p->level & 1))
		words -= first;
	return words;
}

double label_cycles(const struct engine *e, const struct label *l, int level)
{
	double fanout = e->t->fanout[level], cycles = e->t->macs / (l->units * fanout);

	if (!e->counts_cycles)
		return 0;
	for (int i = 0; i < e->t->ports; i++) {
		double words = label_port_words(e, l, i, fanout);
		double time = words / e->t->port[i].bandwidth / fanout;
		cycles = time > cycles ? time : cycles;
	}
	return cycles > e->least_cycles ? cycles : e->least_cycles;
}

double label_whole_cycles(const struct engine *e, const struct label *l)
{
	double cycles = nearbyint(e->t->macs / l->units);

	if (!e->counts_cycles)
		return 0;
	for (int i = 0; i < e->t->ports; i++) {
		double words = nearbyint(label_port_words(e, l, i, 1));
		double time = ceil(words / e->t->port[i].bandwidth);
		cycles = time > cycles ? time : cycles;
	}
	return cycles;
}
