/* sums.c -- sums of multiples, counted without listing them where they fill an interval or never meet, else one by
 * one. */
#include "mapper/cost/sums.h"

#include <stdlib.h>

/* By insertion: there are few. */
static void sort_shifts(int count, struct shift shift[])
{
	for (int i = 1; i < count; i++) {
		struct shift s = shift[i];
		int k = i;
		for (; k > 0 && shift[k - 1].step > s.step; k--)
			shift[k] = shift[k - 1];
		shift[k] = s;
	}
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Sorts and drops what stands twice; how many are left. */
static int64_t unique(int64_t *value, int64_t count)
{
	int64_t kept = 0;

	qsort(value, (size_t)count, sizeof *value, by_value);
	for (int64_t i = 0; i < count; i++)
		if (kept == 0 || value[kept - 1] != value[i])
			value[kept++] = value[i];
	return kept;
}

/* All different sums, sorted; NULL without memory. */
static int64_t *list_sums(int count, const struct shift shift[], int64_t *sums)
{
	int64_t *value = calloc(1, sizeof *value);

	*sums = 1;
	for (int i = 0; i < count && value; i++) {
		int64_t before = *sums, *more;

		if (before > INT64_MAX / 16 / shift[i].bound ||
		    !(more = realloc(value, (size_t)(before * shift[i].bound) * sizeof *value))) {
			free(value);
			return NULL;
		}
		value = more;
		for (int64_t k = 1; k < shift[i].bound; k++)
			for (int64_t j = 0; j < before; j++)
				value[(*sums)++] = value[j] + k * shift[i].step;
		*sums = unique(value, *sums);
	}
	return value;
}

/* From the smallest step on: while the intervals fill one, a step within it lengthens it; a step beyond all that the
 * smaller ones reach repeats what there is. Otherwise the sums are listed. */
int64_t sums_cover(int count, struct shift shift[], int64_t length)
{
	int64_t covered = length, reach = length, sums, *value;
	int i = 0;

	sort_shifts(count, shift);
	for (; i < count; i++) {
		int64_t way = shift[i].step * (shift[i].bound - 1);
		if (shift[i].step >= reach)
			covered *= shift[i].bound;
		else if (covered == reach)
			covered += way;
		else
			break;
		reach += way;
	}
	if (i == count)
		return covered;
	value = list_sums(count, shift, &sums);
	if (!value)
		return -1;
	covered = length;
	for (int64_t k = 1; k < sums; k++) {
		int64_t gap = value[k] - value[k - 1];
		covered += gap < length ? gap : length;
	}
	free(value);
	return covered;
}

int64_t sums_distinct(int count, struct shift shift[])
{
	return sums_cover(count, shift, 1);
}

/* ---- Multisets ---------------------------------------------------------------------------------------------- */

int places_start(struct places *p)
{
	p->at = calloc(1, sizeof *p->at);
	p->count = 1;
	if (p->at)
		p->at[0].times = 1;
	return p->at != NULL;
}

void places_free(struct places *p)
{
	free(p->at);
	*p = (struct places){0};
}

int64_t places_total(const struct places *p)
{
	int64_t total = 0;

	for (int64_t i = 0; i < p->count; i++)
		total += p->at[i].times;
	return total;
}

/* The places of `a`, and those of `b` moved by `offset`, into room for both; how many. */
static int64_t join(const struct places *a, const struct places *b, int64_t offset, int is_merged,
		    struct places *out)
{
	int64_t i = 0, k = 0, count = 0;

	while (i < a->count || k < b->count) {
		int64_t x = i < a->count ? a->at[i].place : INT64_MAX;
		int64_t y = k < b->count ? b->at[k].place + offset : INT64_MAX;
		int64_t times = x <= y ? a->at[i].times : 0, more = y <= x ? b->at[k].times : 0;

		out->at[count].place = x < y ? x : y;
		out->at[count++].times = !is_merged ? times + more : times > more ? times : more;
		i += x <= y;
		k += y <= x;
	}
	return count;
}

int places_spread(struct places *p, struct shift shift, int is_merged)
{
	struct places one = *p, all = *p;

	for (int64_t k = 1; k < shift.bound; k++) {
		struct places sum = {0};
		sum.at = malloc((size_t)(all.count + one.count) * sizeof *sum.at);
		if (sum.at)
			sum.count = join(&all, &one, k * shift.step, is_merged, &sum);
		if (all.at != one.at)
			places_free(&all);
		if (!sum.at) {
			places_free(p);
			return 0;
		}
		all = sum;
	}
	if (all.at != one.at)
		places_free(p);
	*p = all;
	return 1;
}

/* ---- Sets --------------------------------------------------------------------------------------------------- */

int intervals_add(struct intervals *s, int64_t first, int64_t last)
{
	if (s->count == s->room) {
		int64_t room = s->room ? 2 * s->room : 16;
		struct interval *more = realloc(s->at, (size_t)room * sizeof *more);
		if (!more)
			return 0;
		s->at = more;
		s->room = room;
	}
	s->at[s->count++] = (struct interval){first, last};
	return 1;
}

static int by_first(const void *a, const void *b)
{
	int64_t x = ((const struct interval *)a)->first, y = ((const struct interval *)b)->first;

	return (x > y) - (x < y);
}

/* Sorts, and joins what overlaps or touches. */
static void join_intervals(struct intervals *s)
{
	int64_t kept = 0;

	qsort(s->at, (size_t)s->count, sizeof *s->at, by_first);
	for (int64_t i = 0; i < s->count; i++) {
		struct interval *last = s->at + kept - 1;
		if (kept == 0 || last->last + 1 < s->at[i].first)
			s->at[kept++] = s->at[i];
		else if (last->last < s->at[i].last)
			last->last = s->at[i].last;
	}
	s->count = kept;
}

int intervals_sum(struct intervals *a, const struct intervals *b)
{
	struct intervals sum = {0};
	int ok = 1;

	for (int64_t i = 0; i < a->count; i++)
		for (int64_t k = 0; k < b->count && ok; k++)
			ok = intervals_add(&sum, a->at[i].first + b->at[k].first,
					   a->at[i].last + b->at[k].last);
	if (ok)
		join_intervals(&sum);
	intervals_free(a);
	*a = sum;
	return ok;
}

int64_t intervals_total(const struct intervals *s)
{
	int64_t total = 0;

	for (int64_t i = 0; i < s->count; i++)
		total += s->at[i].last - s->at[i].first + 1;
	return total;
}

int64_t intervals_least(const struct intervals *s)
{
	int64_t least = INT64_MAX;

	for (int64_t i = 0; i < s->count; i++) {
		int64_t length = s->at[i].last - s->at[i].first + 1;
		least = length < least ? length : least;
	}
	return least;
}

void intervals_free(struct intervals *s)
{
	free(s->at);
	*s = (struct intervals){0};
}
