/* steps.c -- which steps loops make, and what they leave. We carry extents, and how often each occurs, from loop to loop,
 * dimension by dimension. */
#include "mapper/cost/steps.h"

#include <stdlib.h>
#include <string.h>

/* ---- What is left of a dimension ------------------------------------------------------------------------------------ */

int64_t steps_left(int64_t extent, int64_t step, int64_t tile)
{
	int64_t rest = extent - step * tile;

	return rest < 0 ? 0 : rest < tile ? rest : tile;
}

static void add_part(struct parts *parts, int64_t extent, int64_t before, int64_t times)
{
	struct part *p = parts->part, *end = p + parts->count;

	if (extent == 0 || times == 0)
		return;
	while (p < end && (p->extent != extent || p->before != before))
		p++;
	if (p == end) {
		*p = (struct part){extent, before, 0};
		parts->count++;
	}
	p->times += times;
}

/* All steps of a loop: whole ones, and a last one of what is left. */
static void add_steps(struct parts *parts, struct part p, int64_t tile, bool is_inner)
{
	int64_t whole = p.extent / tile, rest = p.extent % tile;

	if (!is_inner) {
		add_part(parts, tile, p.before ? tile : 0, p.times * whole);
		add_part(parts, rest, steps_left(p.before, whole, tile), p.times);
	} else if (whole == 0) {
		add_part(parts, rest, 0, p.times);
	} else {
		add_part(parts, tile, 0, p.times);
		add_part(parts, tile, tile, p.times * (whole - 1));
		add_part(parts, rest, tile, p.times);
	}
}

/* What the selected steps of the loops before `to` leave of a dimension. */
void steps_parts(const struct selection *s, int dim, int to, struct parts *parts)
{
	struct parts before;

	parts->count = 0;
	add_part(parts, s->m->problem->extent[dim], 0, 1);
	for (int i = 0; i < to; i++) {
		int64_t tile = s->m->loop[i].tile, step = s->step[i];
		if (s->m->loop[i].dim != dim)
			continue;
		before.count = parts->count;
		memcpy(before.part, parts->part, (size_t)before.count * sizeof *before.part);
		parts->count = 0;
		for (int k = 0; k < before.count; k++) {
			struct part p = before.part[k];
			if (step == ALL)
				add_steps(parts, p, tile, i == s->inner);
			else
				add_part(parts, steps_left(p.extent, step, tile),
					 steps_left(p.before, step, tile), p.times);
		}
	}
}

/* How often the selected steps leave something. */
int64_t steps_times(const struct selection *s)
{
	int64_t product = 1;

	for (int d = 0; d < s->m->problem->dims; d++) {
		struct parts parts;
		int64_t times = 0;
		steps_parts(s, d, s->to, &parts);
		for (int k = 0; k < parts.count; k++)
			times += parts.part[k].times;
		product *= times;
	}
	return product;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The runs of a loop's steps, the loops outside of it as selected. A step is whole, the last or too many for each extent
 * that the loop may meet; that of the inner loop has to do with the one before and the one after, too. */
int steps_runs(const struct selection *s, int loop, struct run run[MOST_RUNS])
{
	int64_t mark[MOST_RUNS], tile = s->m->loop[loop].tile, steps = s->outline->steps[loop];
	int marks = 0, runs = 0, reach = loop == s->inner;
	struct parts parts;

	steps_parts(s, s->m->loop[loop].dim, loop, &parts);
	mark[marks++] = reach;
	mark[marks++] = steps;
	for (int k = 0; k < parts.count; k++)
		for (int by = -reach; by <= reach; by++) {
			mark[marks++] = parts.part[k].extent / tile + by;
			mark[marks++] = (parts.part[k].extent + tile - 1) / tile + by;
		}
	qsort(mark, (size_t)marks, sizeof *mark, by_value);
	for (int64_t k = 0, first = 0; k < marks; k++)
		if (mark[k] > first && mark[k] <= steps) {
			run[runs++] = (struct run){first, mark[k] - first};
			first = mark[k];
		}
	return runs;
}

/* ---- Boxes ----------------------------------------------------------------------------------------------------- */

/* The words of `a` without those of `b`, along a rank on which neither lies inside the other. */
static void cut(struct sent *a, const struct sent *b, int rank)
{
	int64_t end = a->first[rank] + a->extent[rank], b_end = b->first[rank] + b->extent[rank];

	if (b->first[rank] <= a->first[rank])
		a->first[rank] = a->first[rank] < b_end ? b_end : a->first[rank];
	else
		end = end < b->first[rank] ? end : b->first[rank];
	a->extent[rank] = end > a->first[rank] ? end - a->first[rank] : 0;
}

/* The box at the selected steps, of all loops one; false where it is empty. */
static bool box_at(const struct selection *s, unsigned group, struct sent *box)
{
	const struct problem *p = s->m->problem;
	int64_t first[MAX_DIMS] = {0}, extent[MAX_DIMS];

	memset(box, 0, sizeof *box);
	memcpy(extent, p->extent, sizeof extent);
	for (int i = 0; i < s->to; i++) {
		const struct mapped_loop *l = &s->m->loop[i];
		if (!(group >> l->dim & 1))
			continue;
		extent[l->dim] = steps_left(extent[l->dim], s->step[i], l->tile);
		first[l->dim] += s->step[i] * l->tile;
		if (extent[l->dim] == 0)
			return false;
	}
	for (int r = 0; r < s->view->operand->ranks; r++) {
		box->extent[r] = 1;
		for (int d = 0; d < p->dims; d++) {
			int64_t coef = group >> d & 1 ? s->view->operand->coef[r][d] : 0;
			int64_t length = coef * (extent[d] - 1);
			box->first[r] += coef * first[d] + (length < 0 ? length : 0);
			box->extent[r] += llabs(length);
		}
	}
	return true;
}

/* What a unit takes in the step or, of the output, gives after it. */
bool steps_sent(struct selection *s, unsigned group, struct sent *box)
{
	int by = s->view->operand->class == CLASS_O ? 1 : -1;
	struct sent other;

	if (!box_at(s, group, box))
		return false;
	if (s->inner == NO_LOOP || !(group >> s->m->loop[s->inner].dim & 1) ||
	    s->step[s->inner] + by < 0)
		return true;
	s->step[s->inner] += by;
	if (box_at(s, group, &other))
		for (int r = 0; r < s->view->operand->ranks; r++)
			if (s->view->operand->coef[r][s->m->loop[s->inner].dim])
				cut(box, &other, r);
	s->step[s->inner] -= by;
	return true;
}

/* ---- Selections -------------------------------------------------------------------------------------------------- */

/* One step or all of the loops in time, and of those in space, as far as a tile. */
struct selection steps_select(const struct outline *n, int64_t time, int64_t space, int to)
{
	struct selection s = {.outline = n, .m = n->m, .to = to, .inner = NO_LOOP};

	for (int i = 0; i < n->m->loops; i++)
		s.step[i] = n->m->loop[i].kind == LOOP_TIME ? time : space;
	return s;
}

/* What an operand moves between its child, at a level or (machine->levels) the MACs, and units around it as selected;
 * the loops in space from `from` on lie between the two. */
struct selection steps_of_link(const struct selection *units, const struct view *view, int from,
			       int child)
{
	const struct mapping *m = units->m;
	const struct operand *o = view->operand;
	struct selection s = *units;
	int last = m->loops - 1, ranks = 0;

	s.view = view;
	s.to = m->loops;
	if (child < m->machine->levels) {
		s.to = units->outline->first[child];
		for (last = s.to - 1; last >= 0; last--)
			if (m->loop[last].kind == LOOP_TIME && units->outline->steps[last] > 1 &&
			    (o->relevant >> m->loop[last].dim & 1))
				break;
		for (int r = 0; r < o->ranks && last >= 0; r++)
			ranks += o->coef[r][m->loop[last].dim] != 0;
		if (ranks == 1 && m->machine->level[child].halo == HALO_DELTA)
			s.inner = last;
	}
	for (int i = 0; i < s.to; i++)
		if (m->loop[i].kind == LOOP_TIME)
			s.step[i] = i <= last ? ALL : 0; /* stationary: rule 1 */
		else if (i >= from) /* the first unit has all that others need */
			s.step[i] = o->relevant >> m->loop[i].dim & 1 || !view_merges(view, i) ? ALL
											       : 0;
	return s;
}

int steps_child(const struct mapping *m, int operand, int level)
{
	do
		level++;
	while (level < m->machine->levels && !(m->keep[level] >> operand & 1));
	return level;
}
