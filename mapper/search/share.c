/* share.c -- how many words a parent serves for those that units receive, where tiles of one operand lie at the same
 * place though they differ in two dimensions: p and r of a convolution. docs/cost-model.md section 2, rule 4. */
#include "mapper/search/share.h"

#include <stdlib.h>

bool share_is_merged(const struct terms *t, int level, int operand, int axis)
{
	const struct level *l = &t->machine->level[level];
	enum tensor_class class = t->problem->operand[operand].class;
	unsigned merging = operand == t->output ? l->reduce : l->multicast;

	return (merging >> class & 1) && !(l->apart[class] >> axis & 1);
}

/* Places as one number: ranks are digits, so far apart that no sum carries. */
void share_places(const struct operand *o, int count, const struct unit_loop loop[],
		  struct shift shift[])
{
	int64_t digit = 1;

	for (int i = 0; i < count; i++)
		shift[i] = (struct shift){0, loop[i].units};
	for (int r = 0; r < o->ranks; r++) {
		int64_t reach = 0;
		for (int i = 0; i < count; i++) {
			int64_t step = llabs(o->coef[r][loop[i].dim]) * loop[i].tile;
			shift[i].step += step * digit;
			reach += step * (shift[i].bound - 1);
		}
		digit *= reach + 1;
	}
}

static int64_t gcd(int64_t a, int64_t b)
{
	return b == 0 ? a : gcd(b, a % b);
}

/* Different sums of a multiple of one step and a multiple of another: of all pairs those to which no equal pair with a
 * smaller first multiple stands in the ranges. */
static int64_t sums_of_two(struct shift a, struct shift b)
{
	int64_t common = gcd(a.step, b.step), x = a.bound - b.step / common;
	int64_t y = b.bound - a.step / common;

	return a.bound * b.bound - (x > 0 && y > 0 ? x * y : 0);
}

/* All units served together: the product over the ranks of the places in each. 0 where a rank has more than two
 * dimensions, or a dimension has two ranks. */
static int64_t places_of_ranks(const struct operand *o, int count, const struct unit_loop loop[])
{
	int64_t places = 1;
	unsigned seen = 0;

	for (int r = 0; r < o->ranks; r++) {
		struct shift shift[2];
		int moving = 0;
		for (int i = 0; i < count; i++) {
			int64_t coef = llabs(o->coef[r][loop[i].dim]);
			if (coef == 0)
				continue;
			if (moving == 2 || (seen >> i & 1))
				return 0;
			seen |= 1u << i;
			shift[moving++] = (struct shift){coef * loop[i].tile, loop[i].units};
		}
		places *= moving == 2   ? sums_of_two(shift[0], shift[1])
			  : moving == 1 ? shift[0].bound
					: 1;
	}
	return places;
}

/* Leaves out the units that are outside of all that merge, and do not: each needs its words for itself. */
static int leave_apart(int count, struct unit_loop loop[])
{
	int outermost = MAX_LEVELS, kept = 0;

	for (int i = 0; i < count; i++)
		if (loop[i].is_merged && loop[i].level < outermost)
			outermost = loop[i].level;
	for (int i = 0; i < count; i++)
		if (loop[i].is_merged || loop[i].level > outermost)
			loop[kept++] = loop[i];
	return kept;
}

/* In one array what merges lies inside of what does not. */
bool share_inside(int count, const struct unit_loop loop[], const struct shift shift[],
		  struct places *places)
{
	if (!places_start(places))
		return false;
	for (int first = 0, last; first < count; first = last) {
		last = first;
		while (last < count && loop[last].level == loop[first].level)
			last++;
		for (int merged = 1; merged >= 0; merged--)
			for (int i = first; i < last; i++)
				if (loop[i].is_merged == merged &&
				    !places_spread(places, shift[i], merged))
					return false;
	}
	return true;
}

double share_ratio(const struct operand *o, int count, struct unit_loop loop[])
{
	struct shift shift[MAX_MAPPED_LOOPS];
	struct places places;
	int64_t units = 1, total;
	int merged_loops = 0;

	count = leave_apart(count, loop);
	for (int i = 0; i < count; i++) {
		units *= loop[i].units;
		merged_loops += loop[i].is_merged;
	}
	if (merged_loops == count && (total = places_of_ranks(o, count, loop)) > 0)
		return (double)total / (double)units;
	share_places(o, count, loop, shift);
	if (merged_loops == count) {
		total = sums_distinct(count, shift);
		return total < 0 ? -1 : (double)total / (double)units;
	}
	if (!share_inside(count, loop, shift, &places))
		return -1;
	total = places_total(&places);
	places_free(&places);
	return (double)total / (double)units;
}
