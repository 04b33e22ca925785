/* space.c -- labels grow outward by the units of one array. */
#include "mapper/search/label.h"

#include <math.h>
#include <stdlib.h>

#include "mapper/search/share.h"

static bool is_merged(const struct terms *t, int level, int operand, int axis)
{
	const struct level *l = &t->machine->level[level];
	enum tensor_class class = t->problem->operand[operand].class;
	unsigned merging = operand == t->output ? l->reduce : l->multicast;

	return (merging >> class & 1) && !(l->apart[class] >> axis & 1);
}

static int add_units(const struct engine *e, const struct link *k, const struct label *inside,
		     const struct spread *spread, int level, int count, struct unit_loop loop[])
{
	for (int i = 0; i < spread->count; i++) {
		int dim = spread->over[i].dim;
		loop[count++] = (struct unit_loop){
			level, dim, spread->over[i].units,
			lattice_extent(&e->t->lattice, inside->state, dim),
			is_merged(e->t, level, k->operand, spread->over[i].axis)};
	}
	return count;
}

/* All units between the child and this level, the innermost array first. */
static double ratio_of(struct engine *e, const struct link *k, const struct label *inside,
		       const struct spread *spread, int level)
{
	struct unit_loop loop[MAX_MAPPED_LOOPS];
	const struct label *grown[MAX_LEVELS];
	int arrays = 0, count = 0;
	double ratio;

	for (const struct label *l = inside; l; l = l->inner)
		if (l->spread && (k->child == NO_LEVEL || l->level < k->child))
			grown[arrays++] = l;
	while (arrays > 0) {
		const struct label *l = grown[--arrays];
		count = add_units(e, k, l->inner, l->spread, l->level, count, loop);
	}
	count = add_units(e, k, inside, spread, level, count, loop);
	ratio = share_ratio(&e->t->problem->operand[k->operand], count, loop);
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

/* What the units change: ratios of links at first as the least that they can be. */
static void spread_label(struct engine *e, struct scratch *s, const struct spread *spread,
			 int level)
{
	const struct terms *t = e->t;
	double relevant = spread->units / spread->irrelevant;

	for (int i = 0; i < s->label.links; i++)
		if (s->link[i].parent == UNKNOWN_PARENT)
			s->link[i].ratio *= spread->least[s->link[i].operand];
	s->label.units *= spread->units;
	s->label.first *= spread->irrelevant;
	for (int i = 0; e->counts_cycles && i < t->ports; i++)
		if (t->port[i].level > level)
			s->port[i] /= spread->units;
	for (int l = level + 1; e->counts_cycles && l < t->levels; l++) {
		s->outputs[l] /= relevant;
		s->instances[l] *= spread->units;
	}
}

/* True where a ratio was not what it was taken for. */
static bool find_ratios(struct engine *e, struct scratch *s, const struct label *inside,
			const struct spread *spread, int level)
{
	bool changed = false;

	for (int i = 0; i < s->label.links; i++) {
		struct link *k = &s->link[i];
		double taken = k->ratio;
		if (k->parent != UNKNOWN_PARENT)
			continue;
		k->ratio = is_entangled(e, k, inside, spread)
				   ? ratio_of(e, k, inside, spread, level)
				   : inside->link[i].ratio * spread->ratio[k->operand];
		changed |= k->ratio > taken;
	}
	return changed;
}

/* What a label costs at least without what lies outside: in all, and apart from what closed links ask of their parents,
 * which comes to `served` of each operand where an array shares nothing. */
struct start {
	const struct label *label;
	double least, base, served[MAX_OPERANDS];
};

static double least_served(const struct terms *t, const struct link *k, int level)
{
	double least = INFINITY;

	for (int p = level; p >= 0; p--) {
		const struct word_cost *c = &t->cost[p][k->operand];
		if (!(t->constraint.may_keep[p] >> k->operand & 1))
			continue;
		least = c->read + c->update < least ? c->read + c->update : least;
		if (t->constraint.must_keep[p] >> k->operand & 1)
			break;
	}
	return k->words * k->ratio * least;
}

static void start_make(const struct engine *e, struct start *start, const struct label *l,
		       int level)
{
	const struct terms *t = e->t;
	struct scratch rest;
	double first = 0;

	*start = (struct start){.label = l, .least = label_least_inside(e, l, level + 1, level)};
	scratch_copy(e, &rest, l);
	rest.label.links = 0;
	for (int i = 0; i < l->links; i++) {
		const struct link *k = &l->link[i];
		if (k->is_open) {
			rest.link[rest.label.links++] = *k;
			continue;
		}
		start->served[k->operand] = least_served(t, k, level);
		for (int p = level; p >= 0 && k->operand == t->output; p--)
			if (t->outputs * t->fanout[p] * t->cost[p][k->operand].read > first)
				first = t->outputs * t->fanout[p] * t->cost[p][k->operand].read;
	}
	start->base = label_least_inside(e, &rest.label, level + 1, level) - first;
}

static void spread_one(struct engine *e, const struct start *from, const struct spread *spread,
		       int level, int32_t state, double outside)
{
	const struct label *inside = from->label;
	const struct terms *t = e->t;
	double copies = t->fanout[level + 1] - spread->irrelevant * t->fanout[level];
	double least = from->base + inside->first * copies + outside, cycles = 0;
	struct scratch s;

	for (int o = 0; o < t->operands; o++)
		least += from->served[o] * spread->least[o] / t->fanout[level];
	if (e->counts_cycles)
		cycles = t->macs / (inside->units * spread->units * t->fanout[level]);
	if (is_hopeless(e, least, cycles))
		return;
	scratch_copy(e, &s, inside);
	s.label.inner = inside;
	s.label.spread = spread;
	s.label.state = state;
	s.label.level = level;
	s.label.runs = 0;
	spread_label(e, &s, spread, level);
	if (label_is_lost_before(e, &s.label, level, level))
		return;
	if (find_ratios(e, &s, inside, spread, level) &&
	    label_is_lost_before(e, &s.label, level, level))
		return;
	label_keep(e, &e->terminal[state], &s);
}

static int by_least(const void *a, const void *b)
{
	double x = ((const struct start *)a)->least, y = ((const struct start *)b)->least;

	return (x > y) - (x < y);
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

/* Labels of one tile; the cheapest first, so that with the first that is too dear all others are. */
static void spread_tile(struct engine *e, const struct start start[], int count, int level)
{
	const struct terms *t = e->t;
	int32_t tile = start[0].label->state;
	int place[MAX_DIMS];

	for (int d = 0; d < t->lattice.dims; d++)
		place[d] = lattice_place(&t->lattice, tile, d);
	for (int i = 0; i < t->spreads[level] && !engine_is_stopped(e); i++) {
		const struct spread *spread = &t->spread[level][i];
		int32_t state = spread_state(&t->lattice, spread, tile, place);
		double outside = state < 0 ? INFINITY : level == 0 ? 0 : e->b->least[level][state];
		for (int k = 0; k < count && !is_hopeless(e, start[k].least + outside, 0); k++)
			spread_one(e, &start[k], spread, level, state, outside);
	}
}

void grow_space(struct engine *e, const struct label *inside, int level, struct label **out)
{
	struct start *start;
	int count = 0, first = 0;

	for (const struct label *l = inside; l; l = l->next)
		count++;
	start = malloc((size_t)(count + 1) * sizeof *start);
	if (!start) {
		e->no_memory = true;
		return;
	}
	count = 0;
	for (const struct label *l = inside; l; l = l->next)
		start_make(e, &start[count++], l, level);
	/* labels of one tile stand together in the list */
	for (int last; first < count; first = last) {
		for (last = first + 1; last < count; last++)
			if (start[last].label->state != start[first].label->state)
				break;
		qsort(start + first, (size_t)(last - first), sizeof *start, by_least);
		spread_tile(e, start + first, last - first, level);
	}
	free(start);
	labels_take(e, out);
}
