/* route.c -- what arrays make of the words that pass them: hops on a mesh or torus, and words that units pass on to their
 * neighbours along links. docs/cost-model.md section 2, rule 4.
 *
 * need     a box of words that an instance needs (of the output: gives) in a step, and how often
 * sending  of one box, once, to all units that need it so often
 * stop     one of those units: where it stands, and which instance of the child behind it has the words
 *
 * A step stands for its run (steps.h). In each, the instances of the child are listed, and array by array, from the inside
 * out, those with the same box become one. */
#include "mapper/cost/reach.h"
#include "mapper/cost/steps.h"

#include <stdlib.h>
#include <string.h>

enum { ROW, COLUMN };

struct need {
	int64_t instance, lane; /* a lane is one way of all that are served together */
	int64_t first[MAX_RANK], extent[MAX_RANK];
	int64_t unit, times, holder; /* unit: of the array in hand */
};

struct stop {
	int64_t place[MAX_AXES], holder;
};

struct router {
	const struct view *view;
	struct selection s;
	int parent, child;
	struct cost *cost;
	int64_t *passed; /* by instance of the child; NULL: nothing is passed on */
	struct need *need;
	struct stop *stop;
};

/* ---- Routes and chains of one sending --------------------------------------------------------------------------------- */

/* By column, then by row. */
static int by_column(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;
	int axis = x->place[COLUMN] != y->place[COLUMN] ? COLUMN : ROW;

	return (x->place[axis] > y->place[axis]) - (x->place[axis] < y->place[axis]);
}

static int by_row(const void *a, const void *b)
{
	const struct stop *x = a, *y = b;
	int axis = x->place[ROW] != y->place[ROW] ? ROW : COLUMN;

	return (x->place[axis] > y->place[axis]) - (x->place[axis] < y->place[axis]);
}

/* Of all routes together: into the corner, along the first row to the columns, along each column to the rows. */
static int64_t links_of(const struct level *array, enum topology topology, struct stop stop[],
			int64_t stops)
{
	struct reach across = {0}, along = {0};
	int64_t links = 1;

	qsort(stop, (size_t)stops, sizeof *stop, by_column);
	for (int64_t i = 0; i < stops; i++) {
		reach_to(&across, stop[i].place[COLUMN], array->fanout[COLUMN], topology);
		reach_to(&along, stop[i].place[ROW], array->fanout[ROW], topology);
		if (i + 1 == stops || stop[i + 1].place[COLUMN] != stop[i].place[COLUMN]) {
			links += along.up + along.down;
			along = (struct reach){0};
		}
	}
	return links + across.up + across.down;
}

/* Each stop of a chain but the last reads the words for the next one. Where both axes are linked, the first of a row reads
 * them for the first of the next row as well. */
static void pass_on(const struct router *r, unsigned linked, struct stop stop[], int64_t stops,
		    int64_t words)
{
	bool in_rows = linked >> COLUMN & 1;
	int axis = in_rows ? ROW : COLUMN; /* of the chain all stand at one place of it */

	qsort(stop, (size_t)stops, sizeof *stop, in_rows ? by_row : by_column);
	for (int64_t i = 0, begin = 0; i + 1 < stops; i++) {
		int64_t *passed = r->passed;
		if (stop[i + 1].place[axis] == stop[i].place[axis]) {
			passed[stop[i].holder] += words;
			continue;
		}
		if (in_rows && (linked >> ROW & 1))
			passed[stop[begin].holder] += words;
		begin = i + 1;
	}
}

/* Where a unit stands along the axes of its array: the innermost loop is fastest. */
static void place_of(const struct router *r, int level, int64_t unit, int64_t place[MAX_AXES])
{
	const struct outline *n = r->s.outline;
	int64_t size[MAX_AXES] = {1, 1};

	place[ROW] = place[COLUMN] = 0;
	for (int i = n->first[level + 1] - 1; i >= n->first[level]; i--) {
		const struct mapped_loop *l = &n->m->loop[i];
		if (l->kind == LOOP_TIME)
			continue;
		place[l->axis] += unit % n->steps[i] * size[l->axis];
		size[l->axis] *= n->steps[i];
		unit /= n->steps[i];
	}
}

/* A box to all units that need it, one after the other in `need`. What is needed several times is sent so often, the i-th time to
 * those that need it i times or more. */
static void send(const struct router *r, int level, const struct need need[], int64_t needs,
		 int64_t words)
{
	const struct level *array = &r->s.m->machine->level[level];
	enum tensor_class class = r->view->operand->class;
	int64_t sent = 0, stops;

	do {
		int64_t times = INT64_MAX;
		stops = 0;
		for (int64_t i = 0; i < needs; i++) {
			if (need[i].times <= sent)
				continue;
			if (need[i].times < times)
				times = need[i].times;
			place_of(r, level, need[i].unit, r->stop[stops].place);
			r->stop[stops++].holder = need[i].holder;
		}
		if (stops == 0)
			break;
		int64_t moved = words * (times - sent);
		if (array->topology[class] != TOPOLOGY_BUS)
			r->cost->traffic[level][r->view->number].hops +=
				moved * links_of(array, array->topology[class], r->stop, stops);
		if (r->passed && array->linked[class])
			pass_on(r, array->linked[class], r->stop, stops, moved);
		sent = times;
	} while (stops > 0);
}

/* ---- From the child outward --------------------------------------------------------------------------------------------- */

static bool is_same(const struct need *a, const struct need *b)
{
	return memcmp(a, b, offsetof(struct need, unit)) == 0;
}

/* The same box of one lane stands together, unit by unit. */
static int by_need(const void *a, const void *b)
{
	const struct need *x = a, *y = b;
	int order = memcmp(a, b, offsetof(struct need, unit));

	return order ? order : (x->unit > y->unit) - (x->unit < y->unit);
}

/* A unit's number among those of its array, and which of them are served together. */
static void enter_array(const struct router *r, int level, struct need need[], int64_t needs)
{
	const struct outline *n = r->s.outline;

	for (int64_t k = 0; k < needs; k++) {
		int64_t place = 1;
		need[k].unit = need[k].lane = 0;
		for (int i = n->first[level + 1] - 1; i >= n->first[level]; i--) {
			int64_t steps = n->steps[i], step = need[k].instance % steps;
			if (n->m->loop[i].kind == LOOP_TIME)
				continue;
			need[k].unit += step * place;
			if (!view_merges(r->view, i))
				need[k].lane += step * place;
			need[k].instance /= steps;
			place *= steps;
		}
	}
}

static int64_t words_of(const struct router *r, const struct need *need)
{
	int64_t words = 1;

	for (int k = 0; k < r->view->operand->ranks; k++)
		words *= need->extent[k];
	return words;
}

/* Serves what the units need, and leaves in its place what the array needs; how many needs those are. */
static int64_t leave_array(const struct router *r, int level, struct need need[], int64_t needs,
			   int64_t weight)
{
	bool is_array = r->s.m->machine->level[level].axes > 0;
	int64_t kept = 0;

	qsort(need, (size_t)needs, sizeof *need, by_need);
	for (int64_t i = 0, end; i < needs; i = end) {
		struct need all = need[i];
		for (end = i; end < needs && is_same(&need[end], &need[i]); end++)
			if (all.times < need[end].times)
				all.times = need[end].times;
		if (is_array)
			send(r, level, need + i, end - i, weight * words_of(r, &all));
		need[kept++] = all;
	}
	for (int64_t i = 0; i < kept; i++)
		need[i].lane = 0; /* from here on there is one */
	qsort(need, (size_t)kept, sizeof *need, by_need);
	needs = kept;
	kept = 0;
	for (int64_t i = 0; i < needs; i++) {
		struct need *last = need + kept - 1;
		if (kept == 0 || !is_same(last, &need[i])) {
			need[kept++] = need[i];
			continue;
		}
		last->times += need[i].times;
		if (need[i].holder < last->holder)
			last->holder = need[i].holder;
	}
	return kept;
}

/* All instances of the child, at the selected steps in time, which stand for so many. */
static void route_step(struct router *r, int64_t weight)
{
	struct selection *s = &r->s;
	const struct outline *n = s->outline;
	unsigned dims = (1u << n->m->problem->dims) - 1;
	int64_t instances = 1, needs = 0;

	for (int i = 0; i < s->to; i++)
		if (n->m->loop[i].kind == LOOP_SPACE)
			instances *= n->steps[i];
	for (int64_t instance = 0; instance < instances; instance++) {
		struct need *need = &r->need[needs];
		struct sent box;
		int64_t left = instance;
		for (int i = s->to - 1; i >= 0; i--)
			if (n->m->loop[i].kind == LOOP_SPACE) {
				s->step[i] = left % n->steps[i];
				left /= n->steps[i];
			}
		if (!steps_sent(s, dims, &box))
			continue;
		memset(need, 0, sizeof *need);
		memcpy(need->first, box.first, sizeof need->first);
		memcpy(need->extent, box.extent, sizeof need->extent);
		need->instance = need->holder = instance;
		need->times = 1;
		needs += words_of(r, need) > 0;
	}
	for (int i = 0; i < s->to; i++)
		if (n->m->loop[i].kind == LOOP_SPACE)
			s->step[i] = ALL;
	for (int level = r->child - 1; level >= r->parent; level--) {
		enter_array(r, level, r->need, needs);
		needs = leave_array(r, level, r->need, needs, weight);
	}
}

static void route_runs(struct router *r, int loop, int64_t weight)
{
	struct selection *s = &r->s;
	struct run run[MOST_RUNS];

	while (loop < s->to && (s->m->loop[loop].kind == LOOP_SPACE || s->step[loop] != ALL))
		loop++;
	if (loop == s->to) {
		route_step(r, weight);
		return;
	}
	for (int k = 0, runs = steps_runs(s, loop, run); k < runs; k++) {
		s->step[loop] = run[k].first;
		route_runs(r, loop + 1, weight * run[k].count);
		s->step[loop] = ALL;
	}
}

/* ---- Links of an operand ------------------------------------------------------------------------------------------------- */

static int64_t instances_of(const struct outline *n, int level)
{
	int64_t instances = 1;

	for (int i = 0; i < n->first[level]; i++)
		if (n->m->loop[i].kind == LOOP_SPACE)
			instances *= n->steps[i];
	return instances;
}

/* Words that are read are passed on by memories, not by MACs. */
static bool is_linked(const struct view *v, int parent, int child)
{
	const struct hierarchy *h = v->outline->m->machine;
	bool linked = false;

	for (int l = parent; l < child; l++)
		linked |= h->level[l].linked[v->operand->class] != 0;
	return linked && child < h->levels && v->operand->class != CLASS_O;
}

static bool is_meshed(const struct view *v, int parent, int child)
{
	bool meshed = false;

	for (int l = parent; l < child; l++)
		meshed |= v->outline->m->machine->level[l].topology[v->operand->class] !=
			  TOPOLOGY_BUS;
	return meshed;
}

static bool route_link(const struct view *v, int parent, int child, bool linked, struct cost *cost,
		       int64_t **passed)
{
	const struct outline *n = v->outline;
	struct selection everyone = steps_select(n, ALL, ALL, n->m->loops);
	struct router r = {.view = v, .parent = parent, .child = child, .cost = cost};
	int64_t instances = instances_of(n, child);
	bool ok;

	if (linked)
		r.passed = *passed = calloc((size_t)instances, sizeof **passed);
	r.need = malloc((size_t)instances * sizeof *r.need);
	r.stop = malloc((size_t)instances * sizeof *r.stop);
	r.s = steps_of_link(&everyone, v, n->m->loops, child);
	ok = r.need && r.stop && (r.passed || !linked);
	if (ok)
		route_runs(&r, 0, 1);
	free(r.need);
	free(r.stop);
	return ok;
}

/* Most machines have neither, and their mappings are counted by the million. */
static bool has_routes(const struct hierarchy *h)
{
	unsigned any = 0;

	for (int l = 0; l < h->levels; l++)
		for (int c = 0; c < CLASSES; c++)
			any |= h->level[l].topology[c] | (c == CLASS_O ? 0 : h->level[l].linked[c]);
	return any != 0;
}

bool routes_count(const struct outline *n, const struct view view[], struct cost *cost,
		  struct passed *passed)
{
	const struct mapping *m = n->m;
	bool ok = true;

	if (!has_routes(m->machine))
		return true;
	for (int o = 0; o < m->problem->operands; o++)
		for (int parent = 0, child; parent < m->machine->levels && ok; parent = child) {
			child = steps_child(m, o, parent);
			bool linked = is_linked(&view[o], parent, child);
			passed->any[child] |= linked;
			if (linked || is_meshed(&view[o], parent, child))
				ok = route_link(&view[o], parent, child, linked, cost,
						&passed->words[child][o]);
		}
	return ok;
}

void passed_free(struct passed *passed)
{
	for (int level = 0; level <= MAX_LEVELS; level++)
		for (int o = 0; passed->any[level] && o < MAX_OPERANDS; o++)
			free(passed->words[level][o]);
}
