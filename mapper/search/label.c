/* label.c -- what labels cost so far, what they must still cost, and which of them need not be looked at again. */
#include "mapper/search/label.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Sums of doubles in another order differ by less than this part (docs/mapper.md section 1). */
static const double rounding = 1e-12;

/* ---- Memory ---------------------------------------------------------------------------------------------------- */

enum { CHUNK = 1 << 20 };

struct chunk {
	struct chunk *next;
	size_t used;
	char bytes[];
};

static void *allocate(struct engine *e, size_t size)
{
	struct chunk *c = e->chunks;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->used + size > CHUNK) {
		c = malloc(sizeof *c + CHUNK + 16);
		if (!c) {
			e->no_memory = true;
			return NULL;
		}
		c->next = e->chunks;
		c->used = 0;
		e->chunks = c;
	}
	c->used += size;
	return c->bytes + (c->used - size);
}

void labels_free(struct engine *e)
{
	while (e->chunks) {
		struct chunk *next = e->chunks->next;
		free(e->chunks);
		e->chunks = next;
	}
}

void scratch_copy(const struct engine *e, struct scratch *s, const struct label *l)
{
	s->label = *l;
	s->label.link = s->link;
	s->label.port = s->port;
	s->label.outputs = s->outputs;
	s->label.instances = s->instances;
	memcpy(s->link, l->link, (size_t)l->links * sizeof *s->link);
	if (e->counts_words) {
		memcpy(s->port, l->port, (size_t)e->t->tallies * sizeof *s->port);
		memcpy(s->outputs, l->outputs, (size_t)e->t->levels * sizeof *s->outputs);
		memcpy(s->instances, l->instances, (size_t)e->t->levels * sizeof *s->instances);
	}
}

struct label *label_store(struct engine *e, const struct scratch *s)
{
	size_t links = (size_t)s->label.links * sizeof *s->link;
	size_t ports = e->counts_words ? (size_t)e->t->tallies * sizeof *s->port : 0;
	size_t outputs = e->counts_words ? (size_t)e->t->levels * sizeof *s->outputs : 0;
	struct label *l = allocate(e, sizeof *l + links + ports + 2 * outputs);

	if (!l)
		return NULL;
	*l = s->label;
	l->link = (struct link *)(l + 1);
	l->port = (double *)(void *)((char *)l->link + links);
	l->outputs = (double *)(void *)((char *)l->port + ports);
	memcpy(l->link, s->link, links);
	memcpy(l->port, s->port, ports);
	memcpy(l->outputs, s->outputs, outputs);
	l->instances = (double *)(void *)((char *)l->outputs + outputs);
	memcpy(l->instances, s->instances, outputs);
	e->evaluations++;
	return l;
}

bool engine_is_stopped(struct engine *e)
{
	if (e->is_cut || e->no_memory)
		return true;
	if (e->stop && *e->stop)
		e->is_cut = true;
	if (e->most_evaluations > 0 && e->evaluations >= e->most_evaluations)
		e->is_cut = true;
	if (e->most_looked > 0 && *e->looked >= e->most_looked)
		e->is_cut = true;
	if (e->deadline > 0 && e->evaluations % 64 == 0) {
		struct timespec now;
		clock_gettime(CLOCK_MONOTONIC, &now);
		e->is_cut |= (double)now.tv_sec + (double)now.tv_nsec * 1e-9 > e->deadline;
	}
	return e->is_cut;
}

/* ---- Links ------------------------------------------------------------------------------------------------------ */

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
static const struct label *last_network(const struct engine *e, const struct label *l,
					const struct link *k)
{
	for (; l && (k->child == NO_LEVEL || l->level < k->child); l = l->inner)
		if (l->spread && l->level >= k->parent && (e->t->networks >> l->level & 1))
			return l;
	return NULL;
}

/* The ratio that an operand's link had behind the array that a label was spread over. */
static double ratio_behind(const struct label *l, int operand)
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
	while ((n = last_network(e, n, k))) {
		add_network_words(e, l, n->level, k, ratio_behind(n, k->operand));
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

/* The next label inward, or this one, that has units of an array. */
static const struct label *last_units(const struct label *l)
{
	while (l && (!l->spread || l->spread->count == 0))
		l = l->inner;
	return l;
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
	    last_units(f->label)) { /* what a spread takes is said of it alone */
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

static double value_of(enum objective o, double energy, double cycles)
{
	return o == OBJECTIVE_ENERGY ? energy : o == OBJECTIVE_EDP ? energy * cycles : cycles;
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
	l->promise = value_of(e->first, energy + e->t->leakage * cycles, cycles);
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

/* Without first visits, of which there are so many copies. */
static double port_words(const struct engine *e, const struct label *l, int i, double copies)
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
		double words = port_words(e, l, i, fanout);
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
		double words = nearbyint(port_words(e, l, i, 1));
		double time = ceil(words / e->t->port[i].bandwidth);
		cycles = time > cycles ? time : cycles;
	}
	return cycles;
}

bool is_hopeless(const struct engine *e, double moving, double cycles)
{
	double energy = moving + e->t->leakage * cycles;
	double first = value_of(e->first, energy, cycles);

	if (!(energy < INFINITY) || energy > e->energy_limit || cycles > e->cycles_limit ||
	    energy * cycles > e->edp_limit)
		return true;
	if (first < e->best_first * (1 - rounding))
		return false;
	return first > e->best_first * (1 + rounding) ||
	       value_of(e->second, energy, cycles) >= e->best_second * (1 - rounding);
}

bool is_lost(const struct engine *e, double moving, double cycles)
{
	return is_hopeless(e, moving, cycles) ||
	       (e->room > 0 && e->crowded == e->room &&
		value_of(e->first, moving + e->t->leakage * cycles, cycles) >= e->crowd[0]);
}

/* ---- Dominance -------------------------------------------------------------------------------------------------- */

/* Where arrays are still to come, what they share may depend on how units inside lie. */
static bool is_of_one_history(const struct label *a, const struct label *b)
{
	a = last_units(a);
	b = last_units(b);
	while (a && b && a->spread == b->spread && a->inner->state == b->inner->state) {
		a = last_units(a->inner);
		b = last_units(b->inner);
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

	while ((m = last_network(e, m, x)) && (n = last_network(e, n, y))) {
		if (x->words * ratio_behind(m, x->operand) / a->instances[m->level] >
		    y->words * ratio_behind(n, y->operand) / b->instances[n->level])
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
		if (port_words(e, a, i, 1) > port_words(e, b, i, 1) ||
		    port_words(e, a, i, copies) > port_words(e, b, i, copies))
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
			double more = port_words(e, b, i, copies[k]);
			double less = more - port_words(e, a, i, copies[k]);
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
	double copies = e->t->fanout[a->level], most[2], hair = rounding * b->energy;
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

void labels_take(struct engine *e, struct label **out)
{
	for (int32_t state = 0; state < e->t->lattice.states; state++) {
		struct label *next;
		for (struct label *l = e->terminal[state]; l; l = next) {
			next = l->next;
			l->next = *out;
			*out = l;
		}
		e->terminal[state] = NULL;
	}
}

/* ---- The most promising --------------------------------------------------------------------------------------- */

void labels_crowd(struct engine *e, int room)
{
	e->room = room < MAX_CROWD ? room : MAX_CROWD;
	e->crowded = 0;
}

/* The promise takes its place in the heap, that of the worst where there is no room. */
static void crowd_in(struct engine *e, double promise)
{
	double *crowd = e->crowd;
	int at;

	if (e->crowded < e->room) {
		for (at = e->crowded++; at > 0 && crowd[(at - 1) / 2] < promise; at = (at - 1) / 2)
			crowd[at] = crowd[(at - 1) / 2];
		crowd[at] = promise;
		return;
	}
	if (promise >= crowd[0])
		return;
	for (at = 0; 2 * at + 1 < e->crowded;) {
		int child = 2 * at + 1;
		if (child + 1 < e->crowded && crowd[child + 1] > crowd[child])
			child++;
		if (crowd[child] <= promise)
			break;
		crowd[at] = crowd[child];
		at = child;
	}
	crowd[at] = promise;
}

void label_end(struct engine *e, const struct scratch *s)
{
	if (label_keep(e, &e->terminal[s->label.state], s) && e->room > 0)
		crowd_in(e, s->label.promise);
}

static int by_promise(const void *a, const void *b)
{
	double x = (*(struct label *const *)a)->promise, y = (*(struct label *const *)b)->promise;

	return (x > y) - (x < y);
}

void labels_trim(struct engine *e, struct label **list)
{
	struct label **label;
	int all = 0, i = 0;

	for (const struct label *l = *list; l; l = l->next)
		all++;
	label = malloc((size_t)(all + 1) * sizeof(struct label *));
	if (!label) {
		e->no_memory = true;
		return;
	}
	for (struct label *l = *list; l; l = l->next)
		label[i++] = l;
	qsort(label, (size_t)all, sizeof *label, by_promise);
	*list = NULL;
	for (i = (all < e->room ? all : e->room) - 1; i >= 0; i--) {
		label[i]->next = *list;
		*list = label[i];
	}
	free(label);
}
