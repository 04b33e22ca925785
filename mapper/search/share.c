/* share.c -- how many words a parent serves for those that units receive, where tiles of one operand lie at the same
 * place though they differ in two dimensions: p and r of a convolution. docs/cost-model.md section 2, rule 4. */
#include "mapper/search/share.h"

#include <stdlib.h>

#include "mapper/cost/sums.h"

/* Places as one number: ranks are digits, so far apart that no sum carries. */
static void place_units(const struct operand *o, int count, struct unit_loop loop[],
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

double share_ratio(const struct operand *o, int count, struct unit_loop loop[])
{
	struct shift shift[MAX_MAPPED_LOOPS];
	struct places places;
	int64_t units = 1, total;
	int merged_loops = 0;

	place_units(o, count, loop, shift);
	for (int i = 0; i < count; i++) {
		units *= loop[i].units;
		merged_loops += loop[i].is_merged;
	}
	if (merged_loops == count) {
		total = sums_distinct(count, shift);
		return total < 0 ? -1 : (double)total / (double)units;
	}
	if (!places_start(&places))
		return -1;
	/* from the innermost array outward; in one array what merges lies inside of what does not */
	for (int first = 0, last; first < count; first = last) {
		last = first;
		while (last < count && loop[last].level == loop[first].level)
			last++;
		for (int merged = 1; merged >= 0; merged--)
			for (int i = first; i < last; i++)
				if (loop[i].is_merged == merged &&
				    !places_spread(&places, shift[i], merged))
					return -1;
	}
	total = places_total(&places);
	places_free(&places);
	return (double)total / (double)units;
}
