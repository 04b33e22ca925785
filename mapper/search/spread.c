/* spread.c -- every way to spread the dimensions of a problem over the array inside a level.
 *
 * Only the units of each dimension matter, not the axis that carries them, unless the network tells the axes apart: it
 * serves one axis as it does not serve the other, is a mesh, or passes words on along links. */
#include "mapper/search/route.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units of the largest mesh along whose axes loops stand in several orders: docs/mapper.md, section 1. */
enum { MOST_ORDERED_UNITS = 256 };

struct maker {
	struct terms *t;
	int level, count, room;
	struct spread now, *list;
	bool is_axis_told;
	enum terms_status status;
};

/* Dimensions of the spread that share a rank of the operand. */
static bool slides(const struct terms *t, const struct spread *s, int operand)
{
	const struct operand *o = &t->problem->operand[operand];

	for (int r = 0; r < o->ranks; r++) {
		int moving = 0;
		for (int i = 0; i < s->count; i++)
			moving += o->coef[r][s->over[i].dim] != 0;
		if (moving > 1)
			return true;
	}
	return false;
}

/* Sums of one multiple of each of some steps take at least so many values as all multiples have steps, and one. */
static double least_ratio(const struct terms *t, const struct spread *s, int operand, double ratio)
{
	const struct operand *o = &t->problem->operand[operand];

	for (int r = 0; r < o->ranks && (s->slides >> operand & 1); r++) {
		double places = 1, units = 1;
		for (int i = 0; i < s->count; i++)
			if (o->coef[r][s->over[i].dim] != 0) {
				places += (double)(s->over[i].units - 1);
				units *= (double)s->over[i].units;
			}
		ratio *= places / units;
	}
	return ratio;
}

static bool moves_tangled(const struct terms *t, const struct spread *s, int operand)
{
	for (int i = 0; i < s->count; i++)
		if (t->tangled[operand] >> s->over[i].dim & 1)
			return true;
	return false;
}

static bool has_array_inside(const struct terms *t, int level)
{
	for (int l = level + 1; l < t->levels; l++)
		if (t->machine->level[l].axes > 0)
			return true;
	return false;
}

static void finish(const struct terms *t, int level, struct spread *s)
{
	s->units = 1;
	s->slides = 0;
	for (int i = 0; i < s->count; i++)
		s->units *= (double)s->over[i].units;
	for (int o = 0; o < t->operands; o++) {
		s->ratio[o] = s->least[o].units = 1;
		for (int i = 0; i < s->count; i++)
			if (!(t->problem->operand[o].relevant >> s->over[i].dim & 1)) {
				if (share_is_merged(t, level, o, s->over[i].axis))
					s->ratio[o] /= (double)s->over[i].units;
				s->least[o].units *= (double)s->over[i].units;
			}
		if (slides(t, s, o))
			s->slides |= 1u << o;
		s->least[o].ratio = has_array_inside(t, level) && moves_tangled(t, s, o)
					    ? 1 / s->units
					    : least_ratio(t, s, o, s->ratio[o]);
		s->least[o].both = s->least[o].units * s->least[o].ratio;
	}
	s->route = NULL;
	if ((t->meshed[level] | t->linked[level]) == 0)
		return;
	s->route = arena_array(t->arena, MAX_OPERANDS, sizeof *s->route);
	for (int o = 0; o < t->operands; o++) {
		route_plain(t, level, s, o, &s->route[o]);
		if (s->slides >> o & 1 & t->meshed[level] >> o)
			s->route[o].hops = route_least(t, level, s, o);
	}
}

static void keep_order(struct maker *m)
{
	if (m->count == m->room) {
		int room = m->room ? 2 * m->room : 256;
		struct spread *list = arena_array(m->t->arena, (size_t)room, sizeof *list);
		if (m->count)
			memcpy(list, m->list, (size_t)m->count * sizeof *list);
		m->list = list;
		m->room = room;
	}
	m->list[m->count] = m->now;
	finish(m->t, m->level, &m->list[m->count++]);
}

/* Is one order of the loops along each axis no worse than another, for every operand? Of the same spread but for its order. */
static bool serves(const struct terms *t, int level, const struct spread *a, const struct spread *b)
{
	for (int o = 0; o < t->operands; o++)
		if ((t->meshed[level] >> o & 1) && a->route[o].hops > b->route[o].hops)
			return false;
	return true;
}

/* Of the orders from `first` on, those that no other serves for; of equal ones the first. */
static void drop_orders(struct maker *m, int first)
{
	int kept = first;

	for (int i = first; i < m->count; i++) {
		bool is_needed = true;
		for (int k = first; k < m->count && is_needed; k++)
			is_needed = k == i || !serves(m->t, m->level, &m->list[k], &m->list[i]) ||
				    (k > i && serves(m->t, m->level, &m->list[i], &m->list[k]));
		if (is_needed)
			m->list[kept++] = m->list[i];
	}
	m->count = kept;
}

/* The operands that a dimension indexes. */
static unsigned indexed_by(const struct terms *t, int dim)
{
	unsigned operands = 0;

	for (int o = 0; o < t->operands; o++)
		operands |= (t->problem->operand[o].relevant >> dim & 1) << o;
	return operands;
}

/* May the dimension at place k stand at place i? Those that index the same operands stand beside each other, in their order; one that
 * indexes more of them than another stands outside of it. */
static bool may_follow(const struct terms *t, const struct spread *s, int i, int k)
{
	unsigned own = indexed_by(t, s->over[k].dim);
	bool begins = i == 0 || s->over[i - 1].axis != s->over[i].axis;
	unsigned before = begins ? 0 : indexed_by(t, s->over[i - 1].dim);

	for (int n = i; n < s->count && s->over[n].axis == s->over[i].axis; n++) {
		unsigned other = indexed_by(t, s->over[n].dim);
		if ((n < k && other == own) || (!begins && other == before && own != before) ||
		    (other != own && (other & own) == own))
			return false;
	}
	return true;
}

/* requires the dimensions of one axis beside each other: all orders from place i on, along each axis, that the space has. */
static void keep_orders(struct maker *m, int i)
{
	const struct spread before = m->now;

	if (i == before.count) {
		keep_order(m);
		return;
	}
	for (int k = i; k < before.count && before.over[k].axis == before.over[i].axis; k++) {
		if (!may_follow(m->t, &before, i, k))
			continue;
		m->now.over[i] = before.over[k];
		for (int n = i; n < k; n++)
			m->now.over[n + 1] = before.over[n];
		keep_orders(m, i + 1);
		m->now = before;
	}
}

static bool has_orders(const struct maker *m)
{
	const struct level *l = &m->t->machine->level[m->level];
	unsigned meshed = m->t->meshed[m->level];
	bool slide = l->fanout[0] * l->fanout[1] > MOST_ORDERED_UNITS;

	for (int o = 0; o < m->t->operands; o++)
		slide |= (meshed >> o & 1) && slides(m->t, &m->now, o);
	return meshed != 0 && !slide;
}

/* A mesh makes the order of the loops along each axis matter. */
static void keep(struct maker *m)
{
	const struct spread before = m->now;
	int first = m->count, count = 0;

	if (!has_orders(m)) {
		keep_order(m);
		return;
	}
	for (int axis = 0; axis < MAX_AXES; axis++)
		for (int i = 0; i < before.count; i++)
			if (before.over[i].axis == axis)
				m->now.over[count++] = before.over[i];
	keep_orders(m, 0);
	m->now = before;
	drop_orders(m, first);
}

/* Units that the constraint demands of a dimension along an axis: 0 free, 1 none. */
static int64_t demanded(const struct maker *m, int dim, int axis)
{
	return m->t->constraint.space[m->level][axis][dim];
}

/* May the dimension have so many units along the axis? Not if it must have some along another. */
static bool may_lie(const struct maker *m, int dim, int axis, int64_t units)
{
	for (int a = 0; a < m->t->machine->level[m->level].axes; a++)
		if (a != axis && demanded(m, dim, a) > 1)
			return false;
	return demanded(m, dim, axis) == 0 || demanded(m, dim, axis) == units;
}

/* Gives each dimension an axis; stops at the first way where the axes are alike. */
static bool place(struct maker *m, int i, int64_t room[])
{
	const struct level *l = &m->t->machine->level[m->level];
	bool found = false;

	if (i == m->now.count) {
		keep(m);
		return true;
	}
	for (int a = 0; a < l->axes && !(found && !m->is_axis_told); a++) {
		int64_t units = m->now.over[i].units;
		if (units > room[a] || !may_lie(m, m->now.over[i].dim, a, units))
			continue;
		m->now.over[i].axis = a;
		room[a] /= units;
		found |= place(m, i + 1, room);
		room[a] = l->fanout[a];
		for (int k = 0; k < i; k++)
			if (m->now.over[k].axis == a)
				room[a] /= m->now.over[k].units;
	}
	return found;
}

/* A dimension that must have units has them. */
static bool is_demand_met(const struct maker *m, int dim, int64_t units)
{
	for (int a = 0; a < m->t->machine->level[m->level].axes; a++)
		if (demanded(m, dim, a) > 1 && demanded(m, dim, a) != units)
			return false;
	return true;
}

static void choose(struct maker *m, int dim, int64_t room)
{
	const struct terms *t = m->t;
	const struct level *l = &t->machine->level[m->level];

	if (dim == t->problem->dims) {
		int64_t axes[MAX_AXES];
		memcpy(axes, l->fanout, sizeof axes);
		place(m, 0, axes);
		return;
	}
	for (int i = 0; i < t->lattice.dim[dim].count; i++) {
		int64_t units = t->lattice.dim[dim].divisor[i];
		if (units > room)
			break;
		if (!is_demand_met(m, dim, units))
			continue;
		if (units > 1) {
			m->now.over[m->now.count].dim = dim;
			m->now.over[m->now.count].place = i;
			m->now.over[m->now.count++].units = units;
		}
		choose(m, dim + 1, room / units);
		m->now.count -= units > 1;
	}
}

static bool tells_axes(const struct terms *t, int level)
{
	const struct level *l = &t->machine->level[level];
	unsigned axes = (1u << l->axes) - 1;

	if (t->meshed[level] | t->linked[level])
		return true;
	for (int o = 0; o < t->operands; o++) {
		enum tensor_class class = t->problem->operand[o].class;
		unsigned merging = o == t->output ? l->reduce : l->multicast;
		unsigned apart = l->apart[class] & axes;
		if ((merging >> class & 1) && apart != 0 && apart != axes)
			return true;
	}
	return false;
}

static bool is_below(const double a[], const double b[], int count)
{
	for (int o = 0; o < count; o++)
		if (a[o] > b[o])
			return false;
	return true;
}

/* The spreads whose ratios none other undercuts in all operands. */
static void find_sharings(struct terms *t, int level)
{
	double(*sharing)[MAX_OPERANDS] =
		arena_array(t->arena, (size_t)t->spreads[level] + 1, sizeof *sharing);
	int count = 0;

	for (int i = 0; i < t->spreads[level]; i++) {
		double own[MAX_OPERANDS] = {0};
		bool is_needed = true;
		for (int o = 0; o < t->operands; o++)
			own[o] = t->spread[level][i].least[o].ratio;
		for (int k = 0; k < count && is_needed; k++)
			is_needed = !is_below(sharing[k], own, t->operands);
		if (!is_needed)
			continue;
		for (int k = 0; k < count;)
			if (is_below(own, sharing[k], t->operands))
				memcpy(sharing[k], sharing[--count], sizeof *sharing);
			else
				k++;
		memcpy(sharing[count++], own, sizeof *sharing);
	}
	t->sharing[level] = sharing;
	t->sharings[level] = count;
}

static int compare_sharing(const struct spread *a, const struct spread *b)
{
	int order = 0;

	for (int o = 0; o < MAX_OPERANDS && order == 0; o++)
		order = ilogb(a->least[o].ratio) - ilogb(b->least[o].ratio);
	for (int o = 0; o < MAX_OPERANDS && order == 0 && a->route; o++)
		order = ilogb(a->route[o].hops + 1) - ilogb(b->route[o].hops + 1);
	return order;
}

static int by_sharing(const void *left, const void *right)
{
	const struct spread *a = left, *b = right;
	int order = compare_sharing(a, b);

	return order ? order : a->number - b->number;
}

static void take_least(double *least, double other)
{
	*least = other < *least ? other : *least;
}

static void join(const struct terms *t, struct alike *alike, const struct spread *s)
{
	double sums = s->least[t->output].units;

	alike->count++;
	alike->units = s->units > alike->units ? s->units : alike->units;
	alike->sums = sums > alike->sums ? sums : alike->sums;
	if (s->route && !alike->route) {
		alike->route = arena_array(t->arena, MAX_OPERANDS, sizeof *alike->route);
		memcpy(alike->route, s->route, MAX_OPERANDS * sizeof *alike->route);
	}
	for (int o = 0; o < t->operands; o++) {
		if (s->route)
			take_least(&alike->route[o].hops, s->route[o].hops);
		take_least(&alike->least[o].ratio, s->least[o].ratio);
		take_least(&alike->least[o].units, s->least[o].units);
		take_least(&alike->least[o].both, s->least[o].both);
	}
}

static void find_alikes(struct terms *t, int level)
{
	int spreads = t->spreads[level];
	struct spread *spread = t->spread[level];
	struct alike *alike = arena_array(t->arena, (size_t)spreads + 1, sizeof *alike);

	t->alike[level] = alike;
	for (int i = 0; i < spreads; i++)
		spread[i].number = i;
	if (spreads > 1)
		qsort(spread, (size_t)spreads, sizeof *spread, by_sharing);
	for (int i = 0; i < spreads; i++) {
		if (i > 0 && compare_sharing(&spread[i - 1], &spread[i]) != 0)
			alike++;
		if (alike->count == 0) {
			*alike = (struct alike){.first = i};
			memcpy(alike->least, spread[i].least, sizeof alike->least);
		}
		join(t, alike, &spread[i]);
	}
	t->alikes[level] = spreads == 0 ? 0 : (int)(alike - t->alike[level]) + 1;
}

enum terms_status spread_make(struct terms *t)
{
	for (int l = 0; l < t->levels; l++) {
		const struct level *level = &t->machine->level[l];
		struct maker m = {.t = t, .level = l, .is_axis_told = tells_axes(t, l)};
		int64_t room = 1;

		for (int a = 0; a < level->axes; a++)
			room *= level->fanout[a];
		choose(&m, 0, room);
		t->spreads[l] = m.count;
		t->spread[l] = m.list;
		for (int i = 0; i < m.count; i++)
			for (int k = 0; k < m.list[i].count; k++)
				t->spread_dims[l] |= 1u << m.list[i].over[k].dim;
		find_alikes(t, l);
	}
	for (int l = 0; l < t->levels; l++)
		if (t->machine->level[l].axes > 0)
			find_sharings(t, l);
	return TERMS_DONE;
}
