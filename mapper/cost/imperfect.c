/* imperfect.c -- the counts of a mapping whose steps need not be whole, without walking the nest.
 *
 * A loop leaves its tile to the inside, and in its last step what is left; so however many steps it has, the loops of a
 * dimension leave few different extents, at most one more for each loop. We carry those and how often each occurs from
 * loop to loop, dimension by dimension, and multiply where dimensions meet in a rank of an operand.
 *
 * selection  which steps are looked at: of each loop all or one
 * part       an extent of one dimension that these steps leave to the tile, and how often
 * group      dimensions that index ranks together; what different groups do is independent
 * run        steps of a loop, one after the other, in which all that is inside does alike
 *
 * A unit in space has a run of steps for each loop in space outside of it. Units of the same runs do alike, and one of
 * them is looked at. */
#include "mapper/cost/count.h"
#include "mapper/cost/sums.h"

#include <stdlib.h>
#include <string.h>

enum {
	ALL = -1,
	NO_LOOP = -1,
	MOST_PARTS = 4 * MAX_MAPPED_LOOPS,
	MOST_RUNS = 8 * MAX_MAPPED_LOOPS
};

struct selection {
	const struct outline *outline;
	const struct mapping *m;
	const struct view *view; /* of an operand, where words are asked for */
	int to;                  /* the tile is what the loops from here on walk */
	int inner; /* the loop whose steps bring only what is new (rule 2); NO_LOOP: all bring the tile */
	int64_t step[MAX_MAPPED_LOOPS]; /* of each loop outside of the tile, or ALL */
};

struct part {
	int64_t extent;
	int64_t before; /* extent of the tile that the unit held one step of the inner loop before; 0: none */
	int64_t times;
};

struct parts {
	int count;
	struct part part[MOST_PARTS]; /* all different, none empty */
};

/* ---- What is left of a dimension ------------------------------------------------------------------------------------ */

static int64_t left_to(int64_t extent, int64_t step, int64_t tile)
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
		add_part(parts, rest, left_to(p.before, whole, tile), p.times);
	} else if (whole == 0) {
		add_part(parts, rest, 0, p.times);
	} else {
		add_part(parts, tile, 0, p.times);
		add_part(parts, tile, tile, p.times * (whole - 1));
		add_part(parts, rest, tile, p.times);
	}
}

/* What the selected steps of the loops before `to` leave of a dimension. */
static void parts_of(const struct selection *s, int dim, int to, struct parts *parts)
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
				add_part(parts, left_to(p.extent, step, tile),
					 left_to(p.before, step, tile), p.times);
		}
	}
}

/* How often the selected steps leave something. */
static int64_t times_of(const struct selection *s)
{
	int64_t product = 1;

	for (int d = 0; d < s->m->problem->dims; d++) {
		struct parts parts;
		int64_t times = 0;
		parts_of(s, d, s->to, &parts);
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

struct run {
	int64_t first, count;
};

/* The runs of a loop's steps, the loops outside of it as selected. A step is whole, the last or too many for each extent
 * that the loop may meet; that of the inner loop has to do with the one before and the one after, too. */
static int runs_of(const struct selection *s, int loop, struct run run[MOST_RUNS])
{
	int64_t mark[MOST_RUNS], tile = s->m->loop[loop].tile, steps = s->outline->steps[loop];
	int marks = 0, runs = 0, reach = loop == s->inner;
	struct parts parts;

	parts_of(s, s->m->loop[loop].dim, loop, &parts);
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

/* ---- Words ---------------------------------------------------------------------------------------------------------- */

/* A dimension and those that index ranks with it, or with one of those. */
static unsigned group_of(const struct view *v, int dim)
{
	unsigned group = 1u << dim, before;

	do {
		before = group;
		for (int r = 0; r < v->operand->ranks; r++)
			if (v->rank[r].dims & group)
				group |= v->rank[r].dims;
	} while (group != before);
	return group;
}

/* Words in the ranks of a group, of a tile or of what is new in it. */
static int64_t words_in(const struct selection *s, unsigned group, const int64_t extent[MAX_DIMS],
			int64_t before)
{
	int64_t words = 1;

	for (int r = 0; r < s->view->operand->ranks; r++) {
		if (!(s->view->rank[r].dims & group))
			continue;
		int64_t length = view_length(s->view, r, extent);
		if (before > 0) {
			const struct mapped_loop *inner = &s->m->loop[s->inner];
			int64_t coef = llabs(s->view->operand->coef[r][inner->dim]);
			int64_t fresh = coef * (inner->tile - (before - extent[inner->dim]));
			if (coef > 0 && fresh < length)
				length = fresh;
		}
		words *= length;
	}
	return words;
}

/* Sum over the parts of all dimensions in `open`, those of the others in the group taken. */
static int64_t sum_words(const struct selection *s, unsigned group, unsigned open,
			 int64_t extent[MAX_DIMS], int64_t before)
{
	struct parts parts;
	int64_t sum = 0;
	int d = __builtin_ctz(open | 1u << MAX_DIMS);

	if (!open)
		return words_in(s, group, extent, before);
	parts_of(s, d, s->to, &parts);
	for (int k = 0; k < parts.count; k++) {
		struct part p = parts.part[k];
		extent[d] = p.extent;
		sum += p.times *
		       sum_words(s, group, open & (open - 1), extent, p.before ? p.before : before);
	}
	return sum;
}

static int64_t words_of_group(const struct selection *s, unsigned group)
{
	int64_t extent[MAX_DIMS];

	for (int d = 0; d < MAX_DIMS; d++)
		extent[d] = 1;
	return sum_words(s, group, group, extent, 0);
}

/* ---- Who shares ----------------------------------------------------------------------------------------------------- */

/* A box of words that a unit takes or gives in a step, in the ranks of one group. */
struct sent {
	int64_t unit; /* those that remain to be told apart */
	int64_t first[MAX_RANK], extent[MAX_RANK];
	int64_t times;
};

/* Units that may take the same words though dimensions that index the operand part them, as those that slide over an
 * image in two ways. They are looked at one by one. */
struct crowd {
	struct selection s;
	unsigned group;
	int loops;
	int loop[MAX_MAPPED_LOOPS]; /* in space between parent and child, those that merge first inside out */
	struct sent *sent;
};

static int by_box(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct sent, times));
}

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
		extent[l->dim] = left_to(extent[l->dim], s->step[i], l->tile);
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
static bool box_sent(struct selection *s, unsigned group, struct sent *box)
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

/* Those with the same box on the way out of one array become one. */
static int64_t join(struct sent *sent, int64_t count, bool merged)
{
	int64_t kept = 0;

	qsort(sent, (size_t)count, sizeof *sent, by_box);
	for (int64_t i = 0; i < count; i++) {
		struct sent *last = sent + kept - 1;
		if (kept == 0 || by_box(last, &sent[i]) != 0)
			sent[kept++] = sent[i];
		else if (!merged)
			last->times += sent[i].times;
		else if (last->times < sent[i].times)
			last->times = sent[i].times;
	}
	return kept;
}

/* Words that the parent sends to all units in a step, or gets from them. */
static int64_t crowd_words(struct crowd *c)
{
	struct selection *s = &c->s;
	int64_t steps[MAX_MAPPED_LOOPS], units = 1, count = 0, words = 0;

	for (int k = 0; k < c->loops; k++)
		units *= steps[k] = s->outline->steps[c->loop[k]];
	for (int64_t unit = 0; unit < units; unit++) {
		int64_t rest = unit;
		for (int k = 0; k < c->loops; rest /= steps[k++])
			s->step[c->loop[k]] = rest % steps[k];
		if (!box_sent(s, c->group, &c->sent[count]))
			continue;
		c->sent[count].unit = unit;
		c->sent[count++].times = 1;
	}
	for (int k = 0; k < c->loops; k++) {
		for (int64_t i = 0; i < count; i++)
			c->sent[i].unit /= steps[k];
		count = join(c->sent, count, view_merges(s->view, c->loop[k]));
	}
	for (int64_t i = 0; i < count; i++) {
		int64_t volume = c->sent[i].times;
		for (int r = 0; r < s->view->operand->ranks; r++)
			volume *= c->sent[i].extent[r];
		words += volume;
	}
	for (int k = 0; k < c->loops; k++)
		s->step[c->loop[k]] = ALL;
	return words;
}

/* All steps in time, run by run. */
static int64_t crowd_run(struct crowd *c, int loop)
{
	struct selection *s = &c->s;
	struct run run[MOST_RUNS];
	int64_t words = 0;

	while (loop < s->to && (s->m->loop[loop].kind == LOOP_SPACE || s->step[loop] != ALL ||
				!(c->group >> s->m->loop[loop].dim & 1)))
		loop++;
	if (loop == s->to)
		return crowd_words(c);
	for (int k = 0, runs = runs_of(s, loop, run); k < runs; k++) {
		s->step[loop] = run[k].first;
		words += run[k].count * crowd_run(c, loop + 1);
		s->step[loop] = ALL;
	}
	return words;
}

/* Is there a rank along which several dimensions of a group move the tiles of units, and an array that merges? */
static bool is_crowded(const struct selection *s, unsigned group, int from)
{
	unsigned moving = 0;
	bool merges = false;

	if ((group & (group - 1)) == 0)
		return false;
	for (int i = from; i < s->to; i++) {
		const struct mapped_loop *l = &s->m->loop[i];
		if (l->kind == LOOP_TIME || !(group >> l->dim & 1) || s->outline->steps[i] == 1)
			continue;
		moving |= 1u << l->dim;
		merges |= view_merges(s->view, i);
	}
	return merges && view_meets(s->view, moving);
}

/* The loops in space between parent and child over a group, an array after the other from the inside out, in each those
 * that merge first. */
static int crowd_loops(const struct selection *s, unsigned group, int from, int loop[])
{
	int loops = 0;

	for (int level = s->m->machine->levels - 1; level >= 0; level--)
		for (int merged = 1; merged >= 0; merged--)
			for (int i = from; i < s->to; i++) {
				const struct mapped_loop *l = &s->m->loop[i];
				if (l->kind == LOOP_SPACE && l->level == level &&
				    (group >> l->dim & 1) && view_merges(s->view, i) == merged)
					loop[loops++] = i;
			}
	return loops;
}

static int64_t crowd_served(const struct selection *s, unsigned group, int from)
{
	struct crowd c = {.group = group};
	int64_t units = 1, words;

	c.s = *s;
	c.loops = crowd_loops(s, group, from, c.loop);
	for (int k = 0; k < c.loops; k++)
		units *= s->outline->steps[c.loop[k]];
	c.sent = calloc((size_t)units, sizeof *c.sent);
	if (!c.sent)
		return -1;
	words = crowd_run(&c, 0);
	free(c.sent);
	return words;
}

/* Words that an instance whose loops begin at `from` sends to its units, or gets from them; where none share (from the
 * tile on there are no units) those of all units. -1: no memory. */
static int64_t served(const struct selection *s, int from)
{
	int dims = s->m->problem->dims;
	int64_t product = 1;

	for (int d = 0; d < dims; d++) {
		unsigned group = group_of(s->view, d);
		if (group & ((1u << d) - 1))
			continue; /* had with an earlier one */
		int64_t words = is_crowded(s, group, from) ? crowd_served(s, group, from)
							   : words_of_group(s, group);
		if (words < 0)
			return -1;
		product *= words;
	}
	return product;
}

/* ---- Distinct words (rule 3) ------------------------------------------------------------------------------------------ */

/* The positions of a dimension's tiles, from a loop on, as intervals of a rank. As one, where all steps of all loops are
 * selected and what lies between neighbours is nothing, or filled by intervals of `fill` integers to which these are added. */
static bool list_tiles(const struct selection *s, int dim, int64_t coef, int64_t fill, int loop,
		       int64_t first, int64_t extent, struct intervals *tiles)
{
	bool is_dense = llabs(coef) <= fill, ok = true;
	int next = s->to;

	for (int i = s->to - 1; i >= loop; i--)
		if (s->m->loop[i].dim == dim) {
			is_dense &= s->step[i] == ALL || s->outline->steps[i] == 1;
			next = i;
		}
	if (extent == 0)
		return true;
	if (next == s->to || is_dense) {
		int64_t a = coef * first, b = coef * (first + extent - 1);
		return intervals_add(tiles, a < b ? a : b, a < b ? b : a);
	}
	int64_t tile = s->m->loop[next].tile, step = s->step[next];
	int64_t last = step == ALL ? (extent - 1) / tile : step;
	for (step = step == ALL ? 0 : step; step <= last && ok; step++)
		ok = list_tiles(s, dim, coef, fill, next + 1, first + step * tile,
				left_to(extent, step, tile), tiles);
	return ok;
}

/* Of a rank that several dimensions index, those of small coefficients first: -1 without memory. */
static int64_t distinct_sums(const struct selection *s, int rank, unsigned set)
{
	const int64_t *coef = s->view->operand->coef[rank];
	struct intervals all = {0}, one = {0};
	bool ok = intervals_add(&all, 0, 0);
	int64_t words;

	while (set && ok) {
		int dim = __builtin_ctz(set);
		for (int d = dim; d < s->m->problem->dims; d++)
			if ((set >> d & 1) && llabs(coef[d]) < llabs(coef[dim]))
				dim = d;
		set &= ~(1u << dim);
		one.count = 0;
		ok = list_tiles(s, dim, coef[dim], intervals_least(&all), 0, 0,
				s->m->problem->extent[dim], &one) &&
		     intervals_sum(&all, &one);
	}
	words = ok ? intervals_total(&all) : -1;
	intervals_free(&all);
	intervals_free(&one);
	return words;
}

/* Words of the output in all tiles together. Those of one dimension never overlap. -1: no memory. */
static int64_t distinct(const struct selection *s)
{
	int64_t product = 1;

	for (int r = 0; r < s->view->operand->ranks; r++) {
		unsigned set = s->view->rank[r].dims;
		int64_t words = set == 0;
		if (set & (set - 1)) {
			words = distinct_sums(s, r, set);
		} else if (set) {
			struct parts parts;
			int d = __builtin_ctz(set);
			parts_of(s, d, s->to, &parts);
			for (int k = 0; k < parts.count; k++)
				words += parts.part[k].times *
					 (1 + llabs(s->view->operand->coef[r][d]) *
						      (parts.part[k].extent - 1));
		}
		if (words < 0)
			return -1;
		product *= words;
	}
	return product;
}

/* ---- Counts ---------------------------------------------------------------------------------------------------------- */

struct count {
	const struct mapping *m;
	const struct view *view; /* of each operand */
	struct cost *cost;
	struct load *load;
	struct selection alike; /* in space: which units; in time: all steps */
};

/* What an operand moves between its child, at a level or (machine->levels) the MACs, and units around it as selected;
 * the loops in space from `from` on lie between the two. */
static struct selection movement(const struct selection *units, const struct view *view, int from,
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

static int child_of(const struct mapping *m, int operand, int level)
{
	do
		level++;
	while (level < m->machine->levels && !(m->keep[level] >> operand & 1));
	return level;
}

/* What one of the units alike moves of one operand. */
static bool count_operand(const struct count *c, int level, int operand,
			  int64_t words[ACCESS_KINDS])
{
	const struct mapping *m = c->m;
	bool is_output = m->problem->operand[operand].class == CLASS_O;
	int from = c->alike.outline->first[level];
	struct selection s =
		movement(&c->alike, &c->view[operand], from, child_of(m, operand, level));
	int64_t sent = served(&s, from), first_visits = is_output ? distinct(&s) : 0, arrived = 0;

	words[ACCESS_READ] = sent - first_visits;
	words[ACCESS_UPDATE] = is_output ? sent : 0;
	if (level > 0) {
		s = movement(&c->alike, &c->view[operand], from, level);
		arrived = is_output ? distinct(&s) : 0;
		words[ACCESS_FILL] = served(&s, from) - arrived;
	}
	return sent >= 0 && first_visits >= 0 && arrived >= 0;
}

static bool count_instances(const struct count *c, int level, int64_t instances)
{
	struct traffic one[MAX_OPERANDS] = {0};
	bool ok = true;

	for (int o = 0; o < c->m->problem->operands; o++) {
		struct traffic *all = &c->cost->traffic[level][o];
		if (!(c->m->keep[level] >> o & 1))
			continue;
		ok &= count_operand(c, level, o, one[o].per_instance);
		for (int k = 0; k < ACCESS_KINDS; k++) {
			int64_t words = one[o].per_instance[k];
			all->count[k] += words * instances;
			if (all->per_instance[k] < words)
				all->per_instance[k] = words;
		}
	}
	load_take(&c->load[level], c->m, level, one);
	return ok;
}

/* The instances of a level, those alike together: the loops in space before this one have their run. */
static bool count_level(struct count *c, int level, int loop, int64_t instances)
{
	const struct mapping *m = c->m;
	int first = c->alike.outline->first[level];
	struct run run[MOST_RUNS];
	struct parts parts;
	bool ok = true;

	while (loop < first && m->loop[loop].kind == LOOP_TIME)
		loop++;
	if (loop == first)
		return count_instances(c, level, instances);
	for (int k = 0, runs = runs_of(&c->alike, loop, run); k < runs && ok; k++) {
		c->alike.step[loop] = run[k].first;
		parts_of(&c->alike, m->loop[loop].dim, loop + 1, &parts);
		if (parts.count > 0) /* are they ever busy? */
			ok = count_level(c, level, loop + 1, instances * run[k].count);
	}
	c->alike.step[loop] = ALL;
	return ok;
}

/* One step or all of the loops in time, and of those in space, as far as a tile. */
static struct selection select_steps(const struct outline *n, int64_t time, int64_t space, int to)
{
	struct selection s = {.outline = n, .m = n->m, .to = to, .inner = NO_LOOP};

	for (int i = 0; i < n->m->loops; i++)
		s.step[i] = n->m->loop[i].kind == LOOP_TIME ? time : space;
	return s;
}

static void count_deliveries(const struct view *v, struct cost *cost)
{
	const struct mapping *m = v->outline->m;
	struct selection everyone = select_steps(v->outline, ALL, ALL, m->loops);

	for (int level = 0, child; level < m->machine->levels; level = child) {
		child = child_of(m, v->number, level);
		struct selection s = movement(&everyone, v, m->loops, child);
		cost->traffic[level][v->number].deliveries = served(&s, m->loops);
	}
}

bool imperfect_count(const struct outline *n, const struct view view[], struct cost *cost,
		     struct load load[MAX_LEVELS])
{
	int loops = n->m->loops, levels = n->m->machine->levels;
	struct count c = {n->m, view, cost, load, select_steps(n, ALL, ALL, loops)};
	struct selection first_unit = select_steps(n, ALL, 0, loops);
	bool ok = true;

	cost->steps = times_of(&first_unit);
	for (int level = 0; level <= levels; level++) {
		struct selection units = select_steps(n, 0, ALL, n->first[level]);
		*(level < levels ? &cost->instances[level] : &cost->units) = times_of(&units);
	}
	for (int o = 0; o < n->m->problem->operands; o++)
		count_deliveries(&view[o], cost);
	for (int level = 0; level < levels && ok; level++)
		ok = count_level(&c, level, 0, 1);
	return ok;
}
