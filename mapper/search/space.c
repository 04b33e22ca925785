/* space.c -- labels grow outward by the units of one array. */
#include "mapper/search/label.h"

#include <math.h>
#include <string.h>

#include "mapper/search/route.h"

static int add_units(const struct engine *e, const struct link *k, const struct label *inside,
		     const struct spread *spread, int level, int count, struct unit_loop loop[])
{
	for (int i = 0; i < spread->count; i++) {
		int dim = spread->over[i].dim;
		loop[count++] = (struct unit_loop){
			level,
			dim,
			spread->over[i].units,
			lattice_extent(&e->t->lattice, inside->state, dim),
			share_is_merged(e->t, level, k->operand, spread->over[i].axis),
			spread->over[i].axis};
	}
	return count;
}

/* All units between the child and this level, the innermost array first. */
static int find_units(const struct engine *e, const struct link *k, const struct label *inside,
		      const struct spread *spread, int level, struct unit_loop loop[])
{
	const struct label *grown[MAX_LEVELS];
	int arrays = 0, count = 0;

	for (const struct label *l = inside; l; l = l->inner)
		if (l->spread && (k->child == NO_LEVEL || l->level < k->child))
			grown[arrays++] = l;
	while (arrays > 0) {
		const struct label *l = grown[--arrays];
		count = add_units(e, k, l->inner, l->spread, l->level, count, loop);
	}
	return add_units(e, k, inside, spread, level, count, loop);
}

static double ratio_of(struct engine *e, const struct link *k, const struct label *inside,
		       const struct spread *spread, int level)
{
	struct unit_loop loop[MAX_MAPPED_LOOPS];
	int count = find_units(e, k, inside, spread, level, loop);
	double ratio = share_ratio(&e->t->problem->operand[k->operand], count, loop);

	e->no_memory |= ratio < 0;
	return ratio;
}

/* Is the sharing of an operand no product over the dimensions? It is one unless units differ in two dimensions of a rank,
 * those of arrays further inside included. */
static bool is_entangled(const struct engine *e, const struct link *k, const struct label *inside,
			 const struct spread *spread)
{
	unsigned tangled = e->t->tangled[k->operand];
	bool slides_here = false, slid_inside = false;

	if (spread->slides >> k->operand & 1)
		return true;
	for (int i = 0; i < spread->count; i++)
		slides_here |= tangled >> spread->over[i].dim & 1;
	for (const struct label *l = inside; l && slides_here; l = l->inner)
		if (l->spread && (k->child == NO_LEVEL || l->level < k->child))
			for (int i = 0; i < l->spread->count; i++)
				slid_inside |= tangled >> l->spread->over[i].dim & 1;
	return slid_inside;
}

/* What each operand's units share in truth, of links whose parent is unknown. True where it may be more than the least. */
static bool find_shares(struct engine *e, const struct label *inside, const struct spread *spread,
			int level, struct share share[])
{
	bool more = false;

	memcpy(share, spread->least, sizeof spread->least);
	for (int i = 0; i < inside->links; i++) {
		const struct link *k = &inside->link[i];
		struct share *own = &share[k->operand];
		if (k->parent != UNKNOWN_PARENT)
			continue;
		if (is_entangled(e, k, inside, spread))
			own->ratio = ratio_of(e, k, inside, spread, level) / k->ratio;
		else
			own->ratio = spread->ratio[k->operand];
		own->both = own->ratio * own->units;
		more |= own->ratio > spread->least[k->operand].ratio;
	}
	return more;
}

static bool has_units_inside(const struct link *k, const struct label *inside)
{
	for (const struct label *l = inside; l; l = l->inner)
		if (l->spread && l->spread->count > 0 &&
		    (k->child == NO_LEVEL || l->level < k->child))
			return true;
	return false;
}

static int64_t common_factor(int64_t a, int64_t b)
{
	return b == 0 ? a : common_factor(b, a % b);
}

/* Of units that no others lie inside of, as found before. */
static struct route route_once(struct engine *e, int operand, const struct spread *spread,
			       int level, int count, struct unit_loop loop[])
{
	struct memo now = {.spread = spread, .operand = operand}, *memo;
	uint64_t hash = (uint64_t)(uintptr_t)spread + (uint64_t)operand;
	int64_t factor = 0;

	for (int i = 0; i < count; i++)
		if (e->t->tangled[operand] >> loop[i].dim & 1)
			factor = common_factor(factor, now.tile[i] = loop[i].tile);
	for (int i = 0; i < count; i++) {
		now.tile[i] /= factor > 0 ? factor : 1;
		hash = (hash ^ (uint64_t)now.tile[i]) * 0x9e3779b97f4a7c15u;
	}
	memo = &e->memo[hash >> 32 & (MEMOS - 1)];
	if (memo->spread == spread && memo->operand == operand &&
	    memcmp(memo->tile, now.tile, sizeof now.tile) == 0)
		return memo->route;
	if (route_units(e->t, level, operand, count, loop, &now.route))
		*memo = now;
	else
		e->no_memory = true;
	return now.route;
}

/* Operands that a child passes on, each array that is linked counted once. */
static int passers(const struct terms *t, int child)
{
	int count = 0;

	for (int l = 0; l < child; l++)
		count += __builtin_popcount(t->linked[l] & t->constraint.may_keep[child]);
	return count;
}

static bool has_read_port(const struct terms *t, int level, int operand)
{
	bool has = false;

	for (int i = 0; i < t->ports; i++)
		has |= t->port[i].level == level && t->port[i].reads &&
		       (t->port[i].operands >> operand & 1);
	return has;
}

static bool must_be_listed(const struct engine *e, const struct link *k, const struct label *inside,
			   const struct spread *spread, int level)
{
	const struct terms *t = e->t;
	bool is_linked = (t->linked[level] >> k->operand & 1) && k->child != NO_LEVEL;

	return ((t->meshed[level] >> k->operand & 1) || is_linked) &&
	       (is_entangled(e, k, inside, spread) || (is_linked && has_units_inside(k, inside)));
}

/* What the array makes of a link; if its units are to be listed, no more than that. */
static struct route least_route(const struct engine *e, const struct link *k,
				const struct label *inside, const struct spread *spread, int level)
{
	struct route route = spread->route[k->operand];

	if (!must_be_listed(e, k, inside, spread, level))
		return route;
	route.passes = route.gives = 0;
	if (has_units_inside(k, inside))
		route.hops = 1;
	return route;
}

/* What the array makes of a link. Where units pass words on and slide, or do so in several arrays, the busiest of all
 * instances need not be the first one. */
static struct route route_of(struct engine *e, const struct link *k, const struct label *inside,
			     const struct spread *spread, int level)
{
	const struct terms *t = e->t;
	struct route route = spread->route[k->operand];
	struct unit_loop loop[MAX_MAPPED_LOOPS];
	int count;

	if (!must_be_listed(e, k, inside, spread, level))
		return route;
	bool is_linked = (t->linked[level] >> k->operand & 1) && k->child != NO_LEVEL;
	if (has_units_inside(k, inside)) {
		count = find_units(e, k, inside, spread, level, loop);
		e->no_memory |= !route_units(t, level, k->operand, count, loop, &route);
	} else {
		count = add_units(e, k, inside, spread, level, 0, loop);
		route = route_once(e, k->operand, spread, level, count, loop);
	}
	if (is_linked && passers(t, k->child) == 1)
		route.gives = route.most;
	else if (is_linked && route.gives < route.most)
		e->is_rough |= e->counts_cycles && has_read_port(t, k->child, k->operand);
	return route;
}

static void cross_array(struct engine *e, struct scratch *s, const struct label *inside,
			const struct share share[], bool is_listed)
{
	const struct spread *spread = s->label.spread;

	for (int i = 0; i < s->label.links; i++) {
		struct link *k = &s->link[i];
		double before = k->ratio;
		struct route route;
		if (k->parent != UNKNOWN_PARENT)
			continue;
		k->ratio *= share[k->operand].ratio;
		if (spread->route && is_listed)
			route = route_of(e, k, inside, spread, s->label.level);
		else if (spread->route)
			route = least_route(e, k, inside, spread, s->label.level);
		link_cross(e, &s->label, k, spread->route ? &route : NULL, before);
	}
}

/* Is the label lost already by the least that its units take? To list them takes long. */
static bool is_lost_unlisted(struct engine *e, const struct scratch *s, const struct label *inside,
			     const struct share share[])
{
	struct scratch least;
	bool is_less = false;

	for (int i = 0; i < inside->links && s->label.spread->route; i++)
		is_less |= inside->link[i].parent == UNKNOWN_PARENT &&
			   must_be_listed(e, &inside->link[i], inside, s->label.spread,
					  s->label.level);
	if (!is_less)
		return false;
	scratch_copy(e, &least, &s->label);
	cross_array(e, &least, inside, share, false);
	return label_is_lost_before(e, &least.label, s->label.level, s->label.level);
}

static void spread_one(struct engine *e, const struct label *inside, const struct spread *spread,
		       const struct share share[], int level, int32_t state)
{
	const struct terms *t = e->t;
	double sums = spread->least[t->output].units, relevant = spread->units / sums;
	struct scratch s;

	scratch_copy(e, &s, inside);
	s.label.inner = inside;
	s.label.spread = spread;
	s.label.state = state;
	s.label.level = level;
	s.label.runs = 0;
	s.label.units *= spread->units;
	s.label.first *= sums;
	for (int i = 0; e->counts_words && i < t->tallies; i++)
		if (t->port[i].level > level)
			s.port[i] /= spread->units;
	for (int l = level + 1; e->counts_words && l < t->levels; l++) {
		s.outputs[l] /= relevant;
		s.instances[l] *= spread->units;
	}
	if (is_lost_unlisted(e, &s, inside, share))
		return;
	cross_array(e, &s, inside, share, true);
	if (!label_is_lost_before(e, &s.label, level, level))
		label_end(e, &s);
}

/* The tile that the units make of one; -1: they are more than what is left of a dimension. */
static int32_t spread_state(const struct lattice *l, const struct spread *spread, int32_t state,
			    const int place[])
{
	for (int i = 0; i < spread->count; i++) {
		int d = spread->over[i].dim;
		const struct axis_of_lattice *a = &l->dim[d];
		int then = a->product[place[d] * a->count + spread->over[i].place];
		if (then < 0)
			return -1;
		state += (then - place[d]) * a->stride;
	}
	return state;
}

/* A label under a level that is to be spread. */
struct start {
	const struct label *label;
	int level;
	struct outlook energy, narrow[MAX_NARROWS];
};

/* What units share, how many they are, and how many hold partial sums of the same outputs. */
struct way {
	const struct share *share;
	double units, sums;
	const struct route *route; /* NULL where words only pass */
};

static double price(const struct offer *o, const struct share *s, double hops)
{
	return o->fixed + o->rate.ratio * s->ratio + o->rate.units * s->units +
	       o->rate.both * s->both + hops * (o->links + o->links_apart * s->units);
}

/* What each operand's links come to: [1] with the level as the parent, [0] with one outside of it. */
static void price_all(const struct engine *e, const struct outlook *o, int at,
		      const struct way *way, double least[][2])
{
	for (int i = 0; i < e->t->operands; i++) {
		const struct share *share = &way->share[i];
		double hops = way->route ? way->route[i].hops : 0;
		least[i][1] = price(&o->of[at].inside[i], share, hops);
		least[i][0] = o->of[at].outer[i] > 0 ? INFINITY : 0;
		for (int k = 0; k < o->of[at].outer[i]; k++) {
			double own = price(&o->of[at].outside[i][k], share, hops);
			least[i][0] = own < least[i][0] ? own : least[i][0];
		}
	}
}

/* What a way to share comes to at least, with what lies outside of a tile or of any that is larger. */
static double least_of(const struct engine *e, const struct measure *measure,
		       const struct outlook *o, int level, int32_t state, const struct way *way)
{
	const double *outside = level > 0 ? bounds_any(measure->b, level, state) : NULL;
	double least = INFINITY, own[MAX_OPERANDS][2];

	for (int at = 0; at < o->cases; at++) {
		price_all(e, o, at, way, own);
		double sum = o->of[at].known + bounds_least(e->b, level, e->b->masks[level],
							    e->t->operands, own, outside);
		least = sum < least ? sum : least;
	}
	least -= o->first * way->sums;
	return least > 0 ? least : 0;
}

static bool is_too_much(const struct engine *e, const struct start *start, int32_t state,
			const struct way *way)
{
	const struct terms *t = e->t;
	int level = start->level;
	double energy = least_of(e, &e->energy, &start->energy, level, state, way), cycles = 0;

	++*e->looked;
	if (e->counts_cycles)
		cycles = t->macs / (start->label->units * way->units * t->fanout[level]);
	if (is_lost(e, energy, cycles))
		return true;
	for (int i = 0; e->counts_cycles && i < e->narrows; i++) {
		const struct measure *m = &e->narrow[i];
		double words = least_of(e, m, &start->narrow[i], level, state, way);
		double time = words / m->bandwidth;
		cycles = time > cycles ? time : cycles;
		if (is_lost(e, energy, cycles))
			return true;
	}
	return false;
}

static void spread_over(struct engine *e, const struct start *start, const struct spread *s,
			int32_t state)
{
	struct share share[MAX_OPERANDS];
	struct way way = {s->least, s->units, s->least[e->t->output].units, s->route};

	if (is_too_much(e, start, state, &way))
		return;
	way.share = share;
	if (find_shares(e, start->label, s, start->level, share) &&
	    is_too_much(e, start, state, &way))
		return;
	spread_one(e, start->label, s, share, start->level, state);
}

/* Spreads that share alike are looked at only if the least that they can come to is not too much. */
static void spread_alike(struct engine *e, const struct start *start, const struct alike *alike,
			 const int place[])
{
	const struct terms *t = e->t;
	const struct label *l = start->label;
	struct way way = {alike->least, alike->units, alike->sums, alike->route};

	if (is_too_much(e, start, l->state, &way))
		return;
	for (int i = alike->first; i < alike->first + alike->count; i++) {
		const struct spread *s = &t->spread[start->level][i];
		int32_t state = spread_state(&t->lattice, s, l->state, place);
		if (state >= 0)
			spread_over(e, start, s, state);
	}
}

static void spread_all(struct engine *e, struct start *start)
{
	const struct lattice *lattice = &e->t->lattice;
	int place[MAX_DIMS], level = start->level;

	label_outlook(e, &e->energy, start->label, level, &start->energy);
	for (int i = 0; e->counts_cycles && i < e->narrows; i++)
		label_outlook(e, &e->narrow[i], start->label, level, &start->narrow[i]);
	for (int d = 0; d < lattice->dims; d++)
		place[d] = lattice_place(lattice, start->label->state, d);
	for (int i = 0; i < e->t->alikes[level] && !engine_is_stopped(e); i++)
		spread_alike(e, start, &e->t->alike[level][i], place);
}

void grow_space(struct engine *e, const struct label *inside, int level, struct label **out)
{
	struct start start = {.level = level};

	for (; inside; inside = inside->next) {
		start.label = inside;
		spread_all(e, &start);
	}
	labels_take(e, out);
}
