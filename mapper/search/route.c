/* route.c -- an array's units and an operand go in; how many links each word takes, and how often units pass it on, come out.
 *
 * group    units that one sending is for
 * reach    the farthest that a group's routes go along an axis */
#include "mapper/search/route.h"

#include <stdlib.h>

#include "mapper/cost/reach.h"

enum { ROW, COLUMN };

bool route_is_meshed(const struct terms *t, int level, int operand)
{
	const struct level *l = &t->machine->level[level];

	return l->topology[t->problem->operand[operand].class] != TOPOLOGY_BUS && l->hop_cost > 0;
}

static unsigned linked_axes(const struct terms *t, int level, int operand)
{
	const struct level *l = &t->machine->level[level];

	return operand == t->output
		       ? 0
		       : l->linked[t->problem->operand[operand].class] & ((1u << l->axes) - 1);
}

bool route_is_linked(const struct terms *t, int level, int operand)
{
	return linked_axes(t, level, operand) != 0;
}

/* ---- Units that do not slide -------------------------------------------------------------------------------------- */

/* The units along one axis. */
struct line {
	int64_t units, groups;
	double reach; /* of all groups together */
};

/* Where the number of a group, or of a unit in its group, stands: its digits are the steps of those loops. */
static int64_t place_of(int count, const int64_t units[], const int64_t size[], int64_t number)
{
	int64_t place = 0;

	for (int i = 0; i < count; i++) {
		place += number % units[i] * size[i];
		number /= units[i];
	}
	return place;
}

/* Units stand in one group if they differ only in steps of loops that do not index the operand, and are merged. */
static struct line line_of(const struct terms *t, int level, const struct spread *s, int operand,
			   int axis, enum topology topology)
{
	const struct operand *o = &t->problem->operand[operand];
	int64_t units[2][MAX_DIMS], size[2][MAX_DIMS], length;
	struct line line = {1, 1, 0};
	int count[2] = {0, 0};

	for (int i = s->count - 1; i >= 0; i--) {
		if (s->over[i].axis != axis)
			continue;
		bool together = !(o->relevant >> s->over[i].dim & 1) &&
				share_is_merged(t, level, operand, axis);
		units[together][count[together]] = s->over[i].units;
		size[together][count[together]++] = line.units;
		line.units *= s->over[i].units;
		line.groups *= together ? 1 : s->over[i].units;
	}
	length = t->machine->level[level].fanout[axis];
	for (int64_t g = 0; g < line.groups; g++) {
		struct reach reach = {0, 0};
		int64_t first = place_of(count[0], units[0], size[0], g);
		for (int64_t k = 0; k < line.units / line.groups; k++)
			reach_to(&reach, first + place_of(count[1], units[1], size[1], k), length,
				 topology);
		line.reach += (double)(reach.up + reach.down);
	}
	return line;
}

void route_plain(const struct terms *t, int level, const struct spread *s, int operand,
		 struct route *route)
{
	enum topology topology =
		t->machine->level[level].topology[t->problem->operand[operand].class];
	struct line row = line_of(t, level, s, operand, ROW, topology);
	struct line column = line_of(t, level, s, operand, COLUMN, topology);
	double rows = (double)row.groups, columns = (double)column.groups;
	double in_row = (double)(column.units / column.groups);
	double in_column = (double)(row.units / row.groups);
	unsigned linked = linked_axes(t, level, operand);
	double chains = in_row * in_column;

	*route = (struct route){0};
	if (route_is_meshed(t, level, operand))
		route->hops =
			(rows * columns + rows * column.reach + (double)column.units * row.reach) /
			s->units;
	chains /= linked >> COLUMN & 1 ? in_row : 1;
	chains /= linked >> ROW & 1 ? in_column : 1;
	route->passes = 1 - chains / (in_row * in_column);
	route->gives = (linked >> COLUMN & 1 && in_row > 1) + (linked >> ROW & 1 && in_column > 1);
	route->most = route->gives;
}

/* ---- Units that slide, at least ------------------------------------------------------------------------------------------ */

/* Units that need one place, at most: in each rank the steps over one dimension follow from those over the others. */
static double most_together(const struct terms *t, int level, const struct spread *s, int operand)
{
	const struct operand *o = &t->problem->operand[operand];
	unsigned seen = 0, follows = 0;
	double most = 1;

	for (int r = 0; r < o->ranks; r++) {
		unsigned dims = 0;
		int longest = -1;
		for (int i = 0; i < s->count; i++)
			if (o->coef[r][s->over[i].dim] != 0) {
				dims |= 1u << i;
				if (longest < 0 || s->over[i].units > s->over[longest].units)
					longest = i;
			}
		if (longest >= 0 && !(dims & seen))
			follows |= 1u << longest;
		seen |= dims;
	}
	for (int i = 0; i < s->count; i++)
		if (!(follows >> i & 1) && share_is_merged(t, level, operand, s->over[i].axis))
			most *= (double)s->over[i].units;
	return most;
}

/* How far the units stand from the first along an axis, on average. */
static double mean_distance(const struct level *l, enum topology topology, const struct spread *s,
			    int axis)
{
	int64_t units = 1, sum = 0;

	for (int i = 0; i < s->count; i++)
		units *= s->over[i].axis == axis ? s->over[i].units : 1;
	for (int64_t u = 0; u < units; u++) {
		struct reach reach = {0, 0};
		reach_to(&reach, u, l->fanout[axis], topology);
		sum += reach.up + reach.down;
	}
	return (double)sum / (double)units;
}

/* Links are as many as the farthest unit of a group is away, so no fewer than the mean of the group. */
double route_least(const struct terms *t, int level, const struct spread *s, int operand)
{
	const struct level *l = &t->machine->level[level];
	enum topology topology = l->topology[t->problem->operand[operand].class];
	double far = 1 + mean_distance(l, topology, s, ROW) + mean_distance(l, topology, s, COLUMN);
	double least = far / most_together(t, level, s, operand);

	return least > 1 ? least * (1 - 1e-9) : 1;
}

/* ---- Unit by unit -------------------------------------------------------------------------------------------------- */

/* A place whose words a unit needs so often. */
struct stop {
	int64_t lane, place, times; /* units of one lane are merged */
	int64_t at[MAX_AXES];
	double passed;
};

struct router {
	const struct level *array;
	enum topology topology;
	bool is_meshed;
	unsigned linked;
	double hops, passed;
	struct stop **sent; /* room for the stops of one sending */
};

static int compare(int64_t x, int64_t y)
{
	return (x > y) - (x < y);
}

static int by_group(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;
	int order = compare(x->lane, y->lane);

	return order ? order : compare(x->place, y->place);
}

static int by_axis(const struct stop *x, const struct stop *y, int axis)
{
	int order = compare(x->at[axis], y->at[axis]);

	return order ? order : compare(x->at[1 - axis], y->at[1 - axis]);
}

static int by_row(const void *a, const void *b)
{
	return by_axis(*(struct stop *const *)a, *(struct stop *const *)b, ROW);
}

static int by_column(const void *a, const void *b)
{
	return by_axis(*(struct stop *const *)a, *(struct stop *const *)b, COLUMN);
}

/* Into the corner, along the first row to the columns, along each column to the rows. */
static int64_t links_of(const struct router *r, int64_t stops)
{
	struct reach across = {0, 0}, along = {0, 0};
	int64_t links = 1;

	qsort(r->sent, (size_t)stops, sizeof(struct stop *), by_column);
	for (int64_t i = 0; i < stops; i++) {
		const int64_t *at = r->sent[i]->at;
		reach_to(&across, at[COLUMN], r->array->fanout[COLUMN], r->topology);
		reach_to(&along, at[ROW], r->array->fanout[ROW], r->topology);
		if (i + 1 == stops || r->sent[i + 1]->at[COLUMN] != at[COLUMN]) {
			links += along.up + along.down;
			along = (struct reach){0, 0};
		}
	}
	return links + across.up + across.down;
}

/* Each stop of a chain but the last reads the words for the next one; where both axes are linked, the first of a row reads
 * them for the first of the next row as well. */
static void pass_on(struct router *r, int64_t stops, double times)
{
	bool in_rows = r->linked >> COLUMN & 1;
	int axis = in_rows ? ROW : COLUMN;

	qsort(r->sent, (size_t)stops, sizeof(struct stop *), in_rows ? by_row : by_column);
	for (int64_t i = 0, begin = 0; i + 1 < stops; i++) {
		bool goes_on = r->sent[i + 1]->at[axis] == r->sent[i]->at[axis];
		if (goes_on || (in_rows && (r->linked >> ROW & 1))) {
			r->sent[goes_on ? i : begin]->passed += times;
			r->passed += times;
		}
		begin = goes_on ? begin : i + 1;
	}
}

/* The i-th sending is for the units that need the place i times or more. */
static void send(struct router *r, struct stop stop[], int64_t stops)
{
	for (int64_t sent = 0;;) {
		int64_t least = INT64_MAX, left = 0;
		for (int64_t i = 0; i < stops; i++) {
			if (stop[i].times <= sent)
				continue;
			least = stop[i].times < least ? stop[i].times : least;
			r->sent[left++] = &stop[i];
		}
		if (left == 0)
			return;
		if (r->is_meshed)
			r->hops += (double)(least - sent) * (double)links_of(r, left);
		if (r->linked)
			pass_on(r, left, (double)(least - sent));
		sent = least;
	}
}

/* Loops that move a tile back: as if they ran the other way, but for where each unit stands. */
static bool runs_back(const struct operand *o, const struct unit_loop *loop)
{
	for (int r = 0; r < o->ranks; r++)
		if (o->coef[r][loop->dim] != 0)
			return o->coef[r][loop->dim] < 0;
	return false;
}

/* The place of the first child of all that lie inside of a unit. */
static int64_t first_place(const struct operand *o, int count, const struct unit_loop loop[],
			   const struct shift shift[])
{
	int64_t place = 0;

	for (int i = 0; i < count; i++)
		if (runs_back(o, &loop[i]))
			place += (loop[i].units - 1) * shift[i].step;
	return place;
}

/* Where the unit of this number stands, and its lane and shift; its digits are the steps of the loops, the innermost fastest. */
static struct stop stop_of(const struct operand *o, int count, const struct unit_loop loop[],
			   const struct shift shift[], int64_t unit)
{
	struct stop stop = {0};
	int64_t size[MAX_AXES] = {1, 1}, lanes = 1;

	for (int i = count - 1; i >= 0; i--) {
		int64_t step = unit % loop[i].units;
		unit /= loop[i].units;
		stop.place += (runs_back(o, &loop[i]) ? -step : step) * shift[i].step;
		stop.at[loop[i].axis] += step * size[loop[i].axis];
		size[loop[i].axis] *= loop[i].units;
		if (!loop[i].is_merged) {
			stop.lane += step * lanes;
			lanes *= loop[i].units;
		}
	}
	return stop;
}

/* ---- Units that need each place once, on a mesh ------------------------------------------------------------------------ */

/* Units that need one place, as far as they have been met: column by column. */
struct group {
	int64_t lane, place;
	int64_t column; /* the last one; -1: none yet */
	struct reach across, along;
	int64_t links;
};

/* What the steps over one axis add to a unit's lane and place. */
static void fill_line(const struct operand *o, int count, const struct unit_loop loop[],
		      const struct shift shift[], int axis, int64_t units, struct stop line[])
{
	for (int64_t u = 0; u < units; u++) {
		int64_t left = u, lanes = 1;
		line[u] = (struct stop){0};
		for (int i = count - 1; i >= 0; i--) {
			bool is_own = loop[i].axis == axis;
			int64_t step = is_own ? left % loop[i].units : 0;
			left /= is_own ? loop[i].units : 1;
			line[u].place += (runs_back(o, &loop[i]) ? -step : step) * shift[i].step;
			line[u].lane += loop[i].is_merged ? 0 : step * lanes;
			lanes *= loop[i].is_merged ? 1 : loop[i].units;
		}
	}
}

static struct group *find_group(struct group group[], uint64_t mask, int64_t lane, int64_t place)
{
	uint64_t at =
		((uint64_t)lane * 0x9e3779b97f4a7c15u + (uint64_t)place) * 0x9e3779b97f4a7c15u;

	for (at = at >> 32 & mask; group[at].column >= 0; at = (at + 1) & mask)
		if (group[at].lane == lane && group[at].place == place)
			break;
	return &group[at];
}

/* The links that a group takes more when one more of its units is met. */
static void take_stop(const struct router *r, struct group *g, int64_t row, int64_t column)
{
	int64_t before = g->across.up + g->across.down + g->along.up + g->along.down;

	if (g->column < 0)
		g->links = 1;
	if (g->column != column) {
		before -= g->along.up + g->along.down;
		g->along = (struct reach){0, 0};
		g->column = column;
	}
	reach_to(&g->across, column, r->array->fanout[COLUMN], r->topology);
	reach_to(&g->along, row, r->array->fanout[ROW], r->topology);
	g->links += g->across.up + g->across.down + g->along.up + g->along.down - before;
}

static int64_t units_along(int count, const struct unit_loop loop[], int axis)
{
	int64_t units = 1;

	for (int i = 0; i < count; i++)
		units *= loop[i].axis == axis ? loop[i].units : 1;
	return units;
}

/* Hops of each word; less than 0: no memory. */
static double hops_of_mesh(const struct router *r, const struct operand *o, int count,
			   const struct unit_loop loop[], const struct shift shift[])
{
	int64_t rows = units_along(count, loop, ROW), columns = units_along(count, loop, COLUMN);
	uint64_t room = 1;
	double links = 0;

	while (room < 2 * (uint64_t)(rows * columns))
		room *= 2;
	struct stop *line = malloc((size_t)(rows + columns) * sizeof *line);
	struct group *group = malloc(room * sizeof *group);
	if (line && group) {
		fill_line(o, count, loop, shift, ROW, rows, line);
		fill_line(o, count, loop, shift, COLUMN, columns, line + rows);
		for (uint64_t i = 0; i < room; i++)
			group[i] = (struct group){.column = -1};
		for (int64_t u = 0; u < rows * columns; u++) {
			const struct stop *row = line + u % rows, *column = line + rows + u / rows;
			int64_t lane = row->lane + column->lane, place = row->place + column->place;
			struct group *g = find_group(group, room - 1, lane, place);
			g->lane = lane;
			g->place = place;
			take_stop(r, g, u % rows, u / rows);
		}
		for (uint64_t i = 0; i < room; i++)
			links += (double)group[i].links;
	}
	bool ok = line && group;
	free(line);
	free(group);
	return ok ? links / (double)(rows * columns) : -1;
}

/* ---- Together ------------------------------------------------------------------------------------------------------------ */

static void send_all(struct router *r, struct stop stop[], int64_t stops, int64_t first,
		     struct route *route)
{
	double needed = 0;

	route->most = 0;
	for (int64_t i = 0; i < stops; i++)
		needed += (double)stop[i].times;
	qsort(stop, (size_t)stops, sizeof *stop, by_group);
	for (int64_t i = 0, end; i < stops; i = end) {
		for (end = i; end < stops && by_group(&stop[end], &stop[i]) == 0; end++)
			;
		send(r, stop + i, end - i);
	}
	route->hops = r->hops / needed;
	route->passes = r->passed / needed;
	for (int64_t i = 0; i < stops; i++) {
		bool is_first = stop[i].place == first && stop[i].at[ROW] + stop[i].at[COLUMN] == 0;
		route->gives = is_first ? stop[i].passed : route->gives;
		route->most = stop[i].passed > route->most ? stop[i].passed : route->most;
	}
}

bool route_units(const struct terms *t, int level, int operand, int count, struct unit_loop loop[],
		 struct route *route)
{
	const struct operand *o = &t->problem->operand[operand];
	enum tensor_class class = o->class;
	struct router r = {.array = &t->machine->level[level],
			   .topology = t->machine->level[level].topology[class],
			   .is_meshed = route_is_meshed(t, level, operand),
			   .linked = linked_axes(t, level, operand)};
	struct shift shift[MAX_MAPPED_LOOPS];
	struct places inside;
	int64_t units = 1, stops = 0;
	struct stop *stop;
	int first = 0;

	while (first < count && loop[first].level != level)
		first++;
	for (int i = first; i < count; i++)
		units *= loop[i].units;
	share_places(o, count, loop, shift);
	if (first == 0 && !r.linked) {
		*route = (struct route){.hops = hops_of_mesh(&r, o, count, loop, shift)};
		return route->hops >= 0;
	}
	if (!share_inside(first, loop, shift, &inside))
		return false;
	stop = malloc((size_t)(units * inside.count) * sizeof *stop);
	r.sent = malloc((size_t)(units * inside.count) * sizeof(struct stop *));
	for (int64_t u = 0; stop && u < units; u++) {
		struct stop unit = stop_of(o, count - first, loop + first, shift + first, u);
		for (int64_t i = 0; i < inside.count; i++) {
			stop[stops] = unit;
			stop[stops].place += inside.at[i].place;
			stop[stops++].times = inside.at[i].times;
		}
	}
	if (stop && r.sent)
		send_all(&r, stop, stops, first_place(o, first, loop, shift), route);
	bool ok = stop && r.sent;
	places_free(&inside);
	free(stop);
	free(r.sent);
	return ok;
}
