/* route.c -- what the network of an array does with words on their way in: the links of a mesh that they take, and what units pass on
 * from one to the next.
 *
 * sending   what leaves the network's port once, for all units that share it
 * place     of a tile: where its words lie in the operand; units at one place need the same words
 * digits    of a unit along an axis: the steps of the loops in space over it, of those that stand further inside faster
 *
 * Where each rank is moved by one dimension at most, the units of a sending are all rows of some set by all columns of another, and
 * sums over either are enough. Else units are gone through one by one. */
#include "mapper/proof/facts.h"

#include <stdlib.h>

enum { ROW, COLUMN };

static bool is_along(const struct spread *s, int dim, int axis)
{
	return s->factor[dim] > 0 && s->axis[dim] == axis;
}

static int64_t units_of(const struct facts *f, const struct spread *s, int dim)
{
	const struct side *side = &f->boxes.side[dim];

	return side->factor[s->factor[dim]];
}

static int64_t units_along(const struct facts *f, const struct spread *s, int axis)
{
	int64_t units = 1;

	for (int d = 0; d < f->problem->dims; d++)
		if (is_along(s, d, axis))
			units *= units_of(f, s, d);
	return units;
}

/* ---- Rows by columns ------------------------------------------------------------------------------------------------ */

/* Of one axis, the sets of units that sendings are for: how many sets, the units in all of them, the links to the furthest of
 * each, and how many of the others have one before them. */
struct sets {
	double sets, units, far;
	bool is_first_followed; /* the unit in the corner shares with others */
};

/* Links from the port to a place along an axis, up or (on a torus) down. */
static int64_t links_up(int64_t place, int64_t length, enum topology topology)
{
	return topology == TOPOLOGY_TORUS && 2 * place > length ? 0 : place;
}

static int64_t links_down(int64_t place, int64_t length, enum topology topology)
{
	return topology == TOPOLOGY_TORUS && 2 * place > length ? length - place : 0;
}

/* The unit's digits along dimensions that part sendings, or those that do not, as a place along the axis. */
static int64_t part_of_place(const struct facts *f, const struct spread *s, int axis, unsigned dims,
			     int64_t index)
{
	int64_t place = 0, size = 1;

	for (int i = f->problem->dims - 1; i >= 0; i--) {
		int d = s->turn[i];
		int64_t units;
		if (!is_along(s, d, axis))
			continue;
		units = units_of(f, s, d);
		if (dims >> d & 1) {
			place += index % units * size;
			index /= units;
		}
		size *= units;
	}
	return place;
}

static void sets_along(const struct facts *f, int level, const struct spread *s, int operand,
		       int axis, struct sets *sets)
{
	const struct level *l = &f->machine->level[level];
	enum topology topology = l->topology[f->problem->operand[operand].class];
	unsigned parting = 0;
	int64_t parts = 1, together;

	for (int d = 0; d < f->problem->dims; d++)
		if (is_along(s, d, axis) && ((f->problem->operand[operand].relevant >> d & 1) ||
					     !spread_merges(f, level, s, operand, d))) {
			parting |= 1u << d;
			parts *= units_of(f, s, d);
		}
	together = units_along(f, s, axis) / parts;
	*sets = (struct sets){(double)parts, (double)(parts * together), 0, together > 1};
	for (int64_t i = 0; i < parts; i++) {
		int64_t up = 0, down = 0;
		for (int64_t k = 0; k < together; k++) {
			int64_t place = part_of_place(f, s, axis, parting, i) +
					part_of_place(f, s, axis, ~parting, k);
			int64_t u = links_up(place, l->fanout[axis], topology);
			int64_t d = links_down(place, l->fanout[axis], topology);
			up = u > up ? u : up;
			down = d > down ? d : down;
		}
		sets->far += (double)(up + down);
	}
}

/* Units but for the first of each chain, and what the unit in the corner hands on of each word. */
static double passed_on(unsigned linked, const struct sets *rows, const struct sets *columns,
			double *handed)
{
	bool down = linked >> ROW & 1, along = linked >> COLUMN & 1;
	double units = rows->units * columns->units;

	*handed = (down && rows->is_first_followed) + (along && columns->is_first_followed);
	if (down && along)
		return units - rows->sets * columns->sets;
	return down ? units - columns->units * rows->sets : units - rows->units * columns->sets;
}

void spread_routes(const struct facts *f, int level, struct spread *s)
{
	for (int o = 0; o < f->operands; o++) {
		struct route *r = &s->route[o];
		struct sets rows, columns;
		double units;
		if (f->mesh_hop[level][o] == 0 && !f->is_linked[level][o])
			continue;
		sets_along(f, level, s, o, ROW, &rows);
		sets_along(f, level, s, o, COLUMN, &columns);
		units = rows.units * columns.units;
		r->links = (rows.sets * columns.sets + rows.sets * columns.far +
			    columns.units * rows.far) /
			   units;
		if (f->is_linked[level][o])
			r->passed = passed_on(f->machine->level[level]
						      .linked[f->problem->operand[o].class],
					      &rows, &columns, &r->handed) /
				    units;
	}
}

/* ---- Unit by unit --------------------------------------------------------------------------------------------------- */

/* A unit of the array needs what lies at a place so many times; the first child behind it that does. */
struct need {
	int64_t place, lane, times;
	int32_t unit, holder;
	int32_t at[MAX_AXES];
};

struct tour {
	const struct facts *f;
	int operand;
	const struct crossing *crossing; /* the array that is looked at */
	int64_t needs;
	struct need *need;
	int64_t *row, *up, *down; /* by column: 1 + the last row there; the links in it */
	int32_t *last;            /* by column: the holder of the last unit there */
	double *handed;           /* by child */
	double links, passed;
};

static int by_sending(const void *left, const void *right)
{
	const struct need *a = left, *b = right;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	return (a->unit > b->unit) - (a->unit < b->unit);
}

/* Links of all routes to the units of one sending: along the first row, and down each column. */
static int64_t links_of(struct tour *t, int64_t count, const struct need need[], int64_t time)
{
	const struct level *l = &t->f->machine->level[t->crossing->level];
	enum topology topology = l->topology[t->f->problem->operand[t->operand].class];
	int64_t up = 0, down = 0, links = 1;

	for (int64_t i = 0; i < count; i++) {
		int64_t row = need[i].at[ROW], column = need[i].at[COLUMN];
		int64_t here_up = links_up(row, l->fanout[ROW], topology);
		int64_t here_down = links_down(row, l->fanout[ROW], topology);
		int64_t far_up = links_up(column, l->fanout[COLUMN], topology);
		int64_t far_down = links_down(column, l->fanout[COLUMN], topology);
		if (need[i].times < time)
			continue;
		up = far_up > up ? far_up : up;
		down = far_down > down ? far_down : down;
		links += here_up > t->up[column] ? here_up - t->up[column] : 0;
		links += here_down > t->down[column] ? here_down - t->down[column] : 0;
		t->up[column] = here_up > t->up[column] ? here_up : t->up[column];
		t->down[column] = here_down > t->down[column] ? here_down : t->down[column];
	}
	for (int64_t i = 0; i < count; i++)
		t->up[need[i].at[COLUMN]] = t->down[need[i].at[COLUMN]] = 0;
	return links + up + down;
}

/* Along the chains of one sending each unit but the first has the word from another one. Units come row by row. */
static void pass_on(struct tour *t, int64_t count, const struct need need[], int64_t time)
{
	const struct level *l = &t->f->machine->level[t->crossing->level];
	unsigned linked = l->linked[t->f->problem->operand[t->operand].class];
	int32_t row = -1, first = -1, before = -1, giver;

	for (int64_t i = 0; i < count; i++) {
		const struct need *n = &need[i];
		if (n->times < time)
			continue;
		giver = -1;
		if (linked >> COLUMN & 1 && row == n->at[ROW])
			giver = before;
		else if (linked >> COLUMN & 1 && linked >> ROW & 1)
			giver = first;
		else if (linked >> ROW & 1 && t->row[n->at[COLUMN]] > 0)
			giver = t->last[n->at[COLUMN]];
		if (row != n->at[ROW])
			first = n->holder;
		row = n->at[ROW];
		before = t->last[n->at[COLUMN]] = n->holder;
		t->row[n->at[COLUMN]] = row + 1;
		if (giver >= 0) {
			t->passed++;
			t->handed[giver]++;
		}
	}
	for (int64_t i = 0; i < count; i++)
		t->row[need[i].at[COLUMN]] = 0;
}

/* All units of one place and lane: the i-th sending is for those that need it i times or more. How often it is sent. */
static int64_t send(struct tour *t, int64_t count, const struct need need[], bool is_last)
{
	int64_t times = 0;

	for (int64_t i = 0; i < count; i++)
		times = need[i].times > times ? need[i].times : times;
	for (int64_t time = 1; time <= times && is_last; time++) {
		t->links += (double)links_of(t, count, need, time);
		if (t->f->is_linked[t->crossing->level][t->operand])
			pass_on(t, count, need, time);
	}
	return times;
}

/* What the units need is what the network's outer end does: lanes join. */
static void send_all(struct tour *t, bool is_last)
{
	int64_t joined = 0;

	qsort(t->need, (size_t)t->needs, sizeof *t->need, by_sending);
	for (int64_t first = 0, last; first < t->needs; first = last) {
		struct need all = t->need[first],
			    *before = joined > 0 ? &t->need[joined - 1] : NULL;
		for (last = first; last < t->needs && t->need[last].place == all.place &&
				   t->need[last].lane == all.lane;)
			last++;
		all.times = send(t, last - first, t->need + first, is_last);
		if (!before || before->place != all.place) {
			t->need[joined++] = all;
			continue;
		}
		before->times += all.times;
		if (all.unit < before->unit) {
			before->unit = all.unit;
			before->holder = all.holder;
		}
	}
	t->needs = joined;
}

/* How far a step along a dimension moves a tile: ranks are digits of a number, so far apart that no sum carries. */
static void moves_of(const struct facts *f, int operand, int arrays,
		     const struct crossing crossing[], int64_t move[][MAX_DIMS])
{
	const struct operand *o = &f->problem->operand[operand];
	int64_t digit = 1;

	for (int r = 0; r < o->ranks; r++) {
		int64_t reach = 0;
		for (int i = 0; i < arrays; i++)
			for (int d = 0; d < f->problem->dims; d++) {
				int64_t by =
					o->coef[r][d] * box_length(&f->boxes, crossing[i].box, d);
				move[i][d] += by * digit;
				reach += llabs(by) * (units_of(f, crossing[i].spread, d) - 1);
			}
		digit *= 2 * reach + 1;
	}
}

/* The digits of a unit: where it stands, on which lane it is served, and how far its tile is moved. */
static void stand(const struct tour *t, int64_t unit, const int64_t move[MAX_DIMS], struct need *n)
{
	const struct facts *f = t->f;
	const struct spread *s = t->crossing->spread;
	const struct level *l = &f->machine->level[t->crossing->level];
	enum tensor_class class = f->problem->operand[t->operand].class;
	unsigned merging = t->operand == f->output ? l->reduce : l->multicast;

	*n = (struct need){.unit = (int32_t)unit};
	for (int axis = MAX_AXES - 1; axis >= 0; axis--) {
		int64_t size = 1;
		for (int i = f->problem->dims - 1; i >= 0; i--) {
			int d = s->turn[i];
			int64_t units = units_of(f, s, d);
			if (!is_along(s, d, axis))
				continue;
			n->at[axis] += (int32_t)(unit % units * size);
			n->place += unit % units * move[d];
			unit /= units;
			size *= units;
		}
		if (merging >> class & 1 && l->apart[class] >> axis & 1)
			n->lane += (int64_t)n->at[axis] << 31 * axis;
	}
	if (!(merging >> class & 1))
		n->lane = n->unit;
}

/* The units of one more array, each with what those inside need. */
static bool surround(struct tour *t, int64_t children, const int64_t move[MAX_DIMS])
{
	const struct spread *s = t->crossing->spread;
	int64_t units = units_along(t->f, s, ROW) * units_along(t->f, s, COLUMN), count = 0;
	struct need *need;

	if (t->needs > MOST_NEEDS / units)
		return false;
	need = malloc((size_t)(t->needs * units) * sizeof *need);
	if (!need)
		return false;
	for (int64_t u = 0; u < units; u++) {
		struct need unit;
		stand(t, u, move, &unit);
		for (int64_t i = 0; i < t->needs; i++) {
			need[count] = unit;
			need[count].place += t->need[i].place;
			need[count].times = t->need[i].times;
			need[count++].holder = (int32_t)(u * children + t->need[i].holder);
		}
	}
	free(t->need);
	t->need = need;
	t->needs = count;
	return true;
}

static bool tour_make(struct tour *t, int64_t columns, int64_t children)
{
	t->need = calloc(1, sizeof *t->need);
	t->row = calloc((size_t)(3 * columns), sizeof *t->row);
	t->last = calloc((size_t)columns, sizeof *t->last);
	t->handed = calloc((size_t)children, sizeof *t->handed);
	if (!t->need || !t->row || !t->last || !t->handed)
		return false;
	t->up = t->row + columns;
	t->down = t->up + columns;
	t->needs = 1;
	t->need[0].times = 1;
	return true;
}

/* False where that is too much. */
static bool route_one_by_one(const struct facts *f, int operand, int arrays,
			     const struct crossing crossing[], struct route *r)
{
	const struct crossing *outer = &crossing[arrays - 1];
	int64_t move[MAX_LEVELS][MAX_DIMS] = {{0}}, children = 1, inside = 1;
	struct tour t = {.f = f, .operand = operand};
	bool is_done;

	for (int i = 0; i < arrays && children <= MOST_NEEDS; i++)
		children *= units_along(f, crossing[i].spread, ROW) *
			    units_along(f, crossing[i].spread, COLUMN);
	is_done = children <= MOST_NEEDS &&
		  tour_make(&t, f->machine->level[outer->level].fanout[COLUMN], children);
	moves_of(f, operand, arrays, crossing, move);
	for (int i = 0; i < arrays && is_done; i++) {
		t.crossing = &crossing[i];
		is_done = surround(&t, inside, move[i]);
		inside *= units_along(f, crossing[i].spread, ROW) *
			  units_along(f, crossing[i].spread, COLUMN);
		if (is_done)
			send_all(&t, i == arrays - 1);
	}
	if (is_done) {
		*r = (struct route){t.links / (double)children, t.passed / (double)children,
				    t.handed[0]};
		for (int64_t i = 0; i < children && f->links == 1; i++)
			r->handed = t.handed[i] > r->handed ? t.handed[i] : r->handed;
	}
	free(t.need);
	free(t.row);
	free(t.last);
	free(t.handed);
	return is_done;
}

/* ---- Together ------------------------------------------------------------------------------------------------------- */

/* Is each rank moved by one at most of the dimensions that run over the arrays? */
static bool is_simple(const struct facts *f, int operand, int arrays,
		      const struct crossing crossing[])
{
	const struct operand *o = &f->problem->operand[operand];
	unsigned dims = 0;

	for (int i = 0; i < arrays; i++)
		dims |= crossing[i].spread->dims;
	if (!(dims & f->tangled[operand]))
		return true;
	for (int r = 0; r < o->ranks; r++) {
		int moves = 0;
		for (int d = 0; d < f->problem->dims; d++)
			moves += o->coef[r][d] != 0 && dims >> d & 1;
		if (moves > 1)
			return false;
	}
	return true;
}

/* How often the first child's words are asked for, behind one unit of the outer array. */
static double times_inside(const struct facts *f, int operand, int arrays,
			   const struct crossing crossing[])
{
	double times = 1;

	for (int i = 0; i < arrays - 1; i++)
		for (int d = 0; d < f->problem->dims; d++)
			if (!(f->problem->operand[operand].relevant >> d & 1) &&
			    !spread_merges(f, crossing[i].level, crossing[i].spread, operand, d))
				times *= (double)units_of(f, crossing[i].spread, d);
	return times;
}

void route_across(const struct facts *f, int operand, int arrays, const struct crossing crossing[],
		  double share, struct route *r)
{
	const struct spread *s = crossing[arrays - 1].spread;

	if (f->is_uneven)
		*r = (struct route){share, 0, 0};
	else if (is_simple(f, operand, arrays, crossing)) {
		*r = s->route[operand];
		r->links *= share;
		r->passed *= share;
		r->handed *= times_inside(f, operand, arrays, crossing);
	} else if (!route_one_by_one(f, operand, arrays, crossing, r))
		*r = (struct route){share, 0, 0};
}
