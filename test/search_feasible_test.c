/* search_feasible_test.c -- whether there is a mapping at all, and the smallest tiles, against brute force. */
#include "mapper/mapping/feasible.h"
#include "mapper/mapping/tile.h"
#include "search_trial.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum { TRIALS = 600 };

/* A trial, but memories are smaller and fewer loops are free: as often as not nothing fits. */
static void draw_tight(struct trial *trial, uint64_t number)
{
	draw_trial(trial, number, false);
	if (!trial->constrained)
		trial->options.constraint = &trial->constraint;
	trial->constrained = true;
	trial->options.most_cycles = 0;
	for (int l = 1; l < trial->machine.levels; l++) {
		if (trial->machine.level[l].is_memory && draw(trial, 2))
			trial->machine.level[l].words = 1 + draw(trial, 8);
	}
	for (int64_t i = draw(trial, 4 * trial->problem.dims); i > 0; i--) {
		int d = (int)draw(trial, trial->problem.dims);
		int l = (int)draw(trial, trial->machine.levels);
		trial->constraint.time[l][d] = 1;
	}
}

static void expect_no_less(const struct trial *trial, const struct mapping *m)
{
	for (int l = 0; l < trial->machine.levels; l++) {
		int64_t least[MAX_DIMS], extent[MAX_DIMS];
		feasible_least(&trial->constraint, &trial->problem, &trial->machine, l, least);
		tile_box(m, tile_first_loop(m, l), extent);
		for (int d = 0; d < trial->problem.dims; d++)
			cr_expect_leq(least[d], extent[d],
				      "trial %" PRIu64 ": at level %d %s has %" PRId64
				      ", and at least %" PRId64 " is said",
				      trial->number, l, trial->problem.dim[d], extent[d], least[d]);
	}
}

Test(search_feasible, is_what_brute_force_finds)
{
	int mapped = 0;

	for (uint64_t number = 0; number < TRIALS; number++) {
		struct trial trial;
		struct brute_result brute = {.every_order = false};
		draw_tight(&trial, number);
		brute_search(&trial.problem, &trial.machine, &trial.options, &brute);
		bool found = feasible(&trial.constraint, &trial.problem, &trial.machine);
		if (found != (brute.mappings > 0))
			print_trial(stderr, &trial);
		cr_expect_eq(found, brute.mappings > 0,
			     "trial %" PRIu64 ": %" PRId64 " mappings, and it says %d", number,
			     (int64_t)brute.mappings, found);
		for (int i = 0; brute.mappings > 0 && i < OBJECTIVES; i++)
			expect_no_less(&trial, &brute.best[i].mapping);
		mapped += brute.mappings > 0;
		brute_release(&brute);
	}
	/* both answers are asked for often */
	cr_expect(mapped > TRIALS / 4 && mapped < TRIALS * 3 / 4, "%d of %d have a mapping", mapped,
		  TRIALS);
}
