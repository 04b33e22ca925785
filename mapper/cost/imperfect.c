/* imperfect.c -- the counts of a mapping whose steps need not be whole, without walking the nest: extents and how often
 * each occurs (steps.h), multiplied where dimensions meet in a rank of an operand.
 *
 * group      dimensions that index ranks together; what different groups do is independent
 *
 * A unit in space has a run of steps for each loop in space outside of it. Units of the same runs do alike, and one of
 * them is looked at. */
#include "mapper/cost/steps.h"
#include "mapper/cost/sums.h"

#include <stdlib.h>
#include <string.h>

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
	steps_parts(s, d, s->to, &parts);
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
		if (!steps_sent(s, c->group, &c->sent[count]))
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
	for (int k = 0, runs = steps_runs(s, loop, run); k < runs; k++) {
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
				steps_left(extent, step, tile), tiles);
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
			steps_parts(s, d, s->to, &parts);
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
	const struct passed *passed;
	struct cost *cost;
	struct load *load;
	struct selection alike;           /* in space: which units; in time: all steps */
	struct run run[MAX_MAPPED_LOOPS]; /* of loops in space: steps of units that do alike */
};

/* Words of one operand that one of the units alike sends to those inside of it, or gets from them, and of these the first
 * visits. */
static bool count_inward(const struct count *c, int level, int operand, int64_t *sent,
			 int64_t *first_visits)
{
	const struct mapping *m = c->m;
	int from = c->alike.outline->first[level];
	struct selection s =
		steps_of_link(&c->alike, &c->view[operand], from, steps_child(m, operand, level));

	*sent = served(&s, from);
	*first_visits = m->problem->operand[operand].class == CLASS_O ? distinct(&s) : 0;
	return *sent >= 0 && *first_visits >= 0;
}

/* What it moves of the operand. */
static bool count_operand(const struct count *c, int level, int operand, struct moved *one)
{
	const struct mapping *m = c->m;
	bool is_output = m->problem->operand[operand].class == CLASS_O;
	bool is_kept = m->keep[level] >> operand & 1;
	bool is_limited = m->machine->level[level].network_bandwidth > 0, ok = true;
	int64_t sent = 0, first_visits = 0, *words = one->words;

	if (is_kept || is_limited)
		ok = count_inward(c, level, operand, &sent, &first_visits);
	if (is_limited)
		one->network = is_output ? 2 * sent - first_visits : sent;
	if (!is_kept)
		return ok;
	words[ACCESS_READ] = sent - first_visits;
	words[ACCESS_UPDATE] = is_output ? sent : 0;
	if (level > 0) {
		int from = c->alike.outline->first[level];
		struct selection s = steps_of_link(&c->alike, &c->view[operand], from, level);
		int64_t arrived = is_output ? distinct(&s) : 0;
		words[ACCESS_FILL] = served(&s, from) - arrived;
		ok &= arrived >= 0;
	}
	return ok;
}

/* The units alike one by one, the loops in space before this one as far as the unit's number says. */
static void take_each(const struct count *c, int level, int loop, int64_t number,
		      const struct moved one[MAX_OPERANDS])
{
	const struct outline *n = c->alike.outline;

	while (loop < n->first[level] && c->m->loop[loop].kind == LOOP_TIME)
		loop++;
	if (loop == n->first[level]) {
		take_instance(c->m, level, one, c->passed, number, c->cost, &c->load[level]);
		return;
	}
	for (int64_t i = 0; i < c->run[loop].count; i++)
		take_each(c, level, loop + 1, number * n->steps[loop] + c->run[loop].first + i,
			  one);
}

static bool count_instances(const struct count *c, int level, int64_t instances)
{
	struct moved one[MAX_OPERANDS] = {0};
	bool ok = true;

	for (int o = 0; o < c->m->problem->operands; o++)
		ok &= count_operand(c, level, o, &one[o]);
	if (c->passed->any[level])
		take_each(c, level, 0, 0, one);
	else
		take_instances(c->m, level, one, instances, c->cost, &c->load[level]);
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
	for (int k = 0, runs = steps_runs(&c->alike, loop, run); k < runs && ok; k++) {
		c->alike.step[loop] = run[k].first;
		c->run[loop] = run[k];
		steps_parts(&c->alike, m->loop[loop].dim, loop + 1, &parts);
		if (parts.count > 0) /* are they ever busy? */
			ok = count_level(c, level, loop + 1, instances * run[k].count);
	}
	c->alike.step[loop] = ALL;
	return ok;
}

static void count_deliveries(const struct view *v, struct cost *cost)
{
	const struct mapping *m = v->outline->m;
	struct selection everyone = steps_select(v->outline, ALL, ALL, m->loops);

	for (int level = 0, child; level < m->machine->levels; level = child) {
		child = steps_child(m, v->number, level);
		struct selection s = steps_of_link(&everyone, v, m->loops, child);
		cost->traffic[level][v->number].deliveries = served(&s, m->loops);
	}
}

bool imperfect_count(const struct outline *n, const struct view view[], const struct passed *passed,
		     struct cost *cost, struct load load[MAX_LEVELS])
{
	int loops = n->m->loops, levels = n->m->machine->levels;
	struct count c = {.m = n->m, .view = view, .passed = passed, .cost = cost, .load = load};
	struct selection first_unit = steps_select(n, ALL, 0, loops);
	bool ok = true;

	c.alike = steps_select(n, ALL, ALL, loops);
	cost->steps = steps_times(&first_unit);
	for (int level = 0; level <= levels; level++) {
		struct selection units = steps_select(n, 0, ALL, n->first[level]);
		*(level < levels ? &cost->instances[level] : &cost->units) = steps_times(&units);
	}
	for (int o = 0; o < n->m->problem->operands; o++)
		count_deliveries(&view[o], cost);
	for (int level = 0; level < levels && ok; level++)
		ok = count_level(&c, level, 0, 1);
	return ok;
}
