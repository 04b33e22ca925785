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
	unsigned sliding = e->t->sliding[k->operand];
	bool slides_here = false, slid_inside = false;

	if (spread->slides >> k->operand & 1)
		return true;
	for (int i = 0; i < spread->count; i++)
		slides_here |= sliding >> spread->over[i].dim & 1;
	for (const struct label *l = inside; l && slides_here; l = l->inner)
		if (l->spread && (k->child == NO_LEVEL || l->level < k->child))
			for (int i = 0; i < l->spread->count; i++)
				slid_inside |= sliding >> l->spread->over[i].dim & 1;
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
			s->link[i].ratio *= spread->ratio[s->link[i].operand];
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
		if (k->parent != UNKNOWN_PARENT || !is_entangled(e, k, inside, spread))
			continue;
		k->ratio = ratio_of(e, k, inside, spread, level);
		changed = true;
	}
	return changed;
}

static bool is_spread_hopeless(const struct engine *e, const struct scratch *s, int level,
			       double outside)
{
	return is_hopeless(e, label_least(e, &s->label, level, level + 1, outside),
			   label_cycles(e, &s->label, level));
}

/* What a label costs without what lies outside and with the best that this array could do for it. */
struct start {
	const struct label *label;
	double least;
};

static void spread_one(struct engine *e, const struct start *from, const struct spread *spread,
		       int level, int32_t state, double outside)
{
	const struct label *inside = from->label;
	const struct terms *t = e->t;
	double copies = t->fanout[level + 1] - spread->irrelevant * t->fanout[level];
	struct scratch s;

	if (is_hopeless(e, from->least + inside->first * copies + outside,
			e->counts_cycles
				? t->macs / (inside->units * spread->units * t->fanout[level])
				: 0))
		return;
	scratch_copy(e, &s, inside);
	s.label.inner = inside;
	s.label.spread = spread;
	s.label.state = state;
	s.label.level = level;
	s.label.runs = 0;
	spread_label(e, &s, spread, level);
	if (is_spread_hopeless(e, &s, level, outside))
		return;
	if (find_ratios(e, &s, inside, spread, level) && is_spread_hopeless(e, &s, level, outside))
		return;
	label_keep(e, &e->terminal[state], &s);
}

static int by_least(const void *a, const void *b)
{
	double x = ((const struct start *)a)->least, y = ((const struct start *)b)->least;

	return (x > y) - (x < y);
}

/* Labels of one tile; the cheapest first, so that with the first that is too dear all others are. */
static void spread_tile(struct engine *e, const struct start start[], int count, int level)
{
	const struct terms *t = e->t;

	for (int i = 0; i < t->spreads[level] && !engine_is_stopped(e); i++) {
		const struct spread *spread = &t->spread[level][i];
		int32_t state = start[0].label->state;
		bool fits = true;
		for (int k = 0; k < spread->count && fits; k++)
			fits = lattice_grow(&t->lattice, &state, spread->over[k].dim,
					    spread->over[k].place);
		if (!fits || (level > 0 && !(e->b->least[level][state] < INFINITY)))
			continue;
		for (int k = 0; k < count; k++)
			spread_one(e, &start[k], spread, level, state,
				   level > 0 ? e->b->least[level][state] : 0);
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
		start[count++] = (struct start){l, label_least(e, l, level + 1, level + 1, 0)};
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
