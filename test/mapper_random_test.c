/* mapper_random_test.c -- the cost model against the executor, on random problems, machines and
 * mappings.
 *
 * A trial is all of them, drawn from its number alone; every counter of the closed form must be
 * that of the walk. Of the trials that disagree the smallest is shown. */
#include "frontend/source/arena.h"
#include "mapper/cost/count.h"
#include "nest_executor.h"
#include "mapping_trial.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum { TRIALS = 2000 };

/* 1, and a line, if the closed form and the walk do not agree on a counter. */
static int differ(FILE *file, int level, const char *operand, const char *counter, double model,
		  double walk)
{
	if (model == walk)
		return 0;
	fprintf(file, "  level %d, %s %s: closed form %.17g, walk %.17g\n", level, operand, counter,
		model, walk);
	return 1;
}

static int compare_traffic(FILE *file, int l, const char *name, const struct traffic *model,
			   const struct traffic *walk, const int64_t accesses[ACCESS_KINDS],
			   int64_t hops)
{
	static const char *const counts[] = {"reads", "fills", "updates"};
	static const char *const moved[] = {"accesses that read", "accesses that fill",
					    "accesses that update"};
	static const char *const busiest[] = {"reads of an instance", "fills of an instance",
					      "updates of an instance"};
	int n = 0;
	for (int k = 0; k < ACCESS_KINDS; k++) {
		n += differ(file, l, name, counts[k], (double)model->count[k],
			    (double)walk->count[k]);
		n += differ(file, l, name, busiest[k], (double)model->per_instance[k],
			    (double)walk->per_instance[k]);
		n += differ(file, l, name, moved[k], (double)model->accesses[k],
			    (double)accesses[k]);
	}
	n += differ(file, l, name, "tile", (double)model->tile, (double)walk->tile);
	n += differ(file, l, name, "deliveries", (double)model->deliveries,
		    (double)walk->deliveries);
	n += differ(file, l, name, "hops", (double)model->hops, (double)hops);
	return n;
}

static int compare(FILE *file, const struct trial *trial, const struct cost *model,
		   const struct cost *walk, const struct executed *executed)
{
	int n = 0;
	for (int l = 0; l < trial->machine.levels; l++) {
		for (int o = 0; o < trial->problem.operands; o++)
			n += compare_traffic(file, l, trial->problem.operand[o].name,
					     &model->traffic[l][o], &walk->traffic[l][o],
					     executed->accesses[l][o], executed->hops[l][o]);
		n += differ(file, l, "all", "instances", (double)model->instances[l],
			    (double)walk->instances[l]);
		n += differ(file, l, "all", "energy", model->energy_level[l],
			    walk->energy_level[l]);
		if (trial->machine.level[l].network_bandwidth > 0)
			n += differ(file, l, "all", "words of the network",
				    (double)model->network_words[l],
				    (double)executed->network_words[l]);
	}
	const struct {
		const char *counter;
		double model, walk;
	} totals[] = {
		{"MACs", (double)model->macs, (double)walk->macs},
		{"units", (double)model->units, (double)walk->units},
		{"steps", (double)model->steps, (double)walk->steps},
		{"cycles", (double)model->cycles, (double)walk->cycles},
		{"energy", model->energy, walk->energy},
		{"energy of MACs", model->energy_mac, walk->energy_mac},
		{"energy of networks", model->energy_network, walk->energy_network},
		{"bound", model->bound, walk->bound},
	};
	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
		n += differ(file, 0, "all", totals[i].counter, totals[i].model, totals[i].walk);
	if (walk->bound != BOUND_COMPUTE)
		n += differ(file, 0, "all", "level of the bound", model->bound_level,
			    walk->bound_level);
	return n;
}

/* What makes a disagreement hard to see. */
static int64_t size_of(const struct trial *trial)
{
	int64_t points = 1, loops = 0;
	for (int d = 0; d < trial->problem.dims; d++)
		points *= trial->problem.extent[d];
	for (int i = 0; i < trial->mapping.loops; i++)
		loops += trial->machine.levels;
	return points * (1 + loops);
}

static void compare_trials(uint64_t trials, enum beyond beyond)
{
	uint64_t disagree = 0;
	int64_t least = INT64_MAX;
	char *smallest = NULL;
	for (uint64_t number = 0; number < trials; number++) {
		struct trial trial;
		struct cost model, walk;
		struct executed executed;
		char *text;
		size_t length;
		draw_trial(&trial, number, beyond);
		mapping_cost(&trial.mapping, &model);
		execute_and_count(&trial.mapping, &walk, &executed);
		FILE *file = open_memstream(&text, &length);
		print_trial(file, &trial);
		int differences = compare(file, &trial, &model, &walk, &executed);
		fclose(file);
		disagree += differences > 0;
		if (differences > 0 && size_of(&trial) < least) {
			least = size_of(&trial);
			free(smallest);
			smallest = text;
		} else {
			free(text);
		}
	}
	cr_expect_eq(disagree, 0, "%" PRIu64 " of %" PRIu64 " trials disagree, such as\n%s",
		     disagree, trials, smallest);
	free(smallest);
}

Test(mapper_random, perfect_factors_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NOTHING);
}

Test(mapper_random, networks_that_differ_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS);
}

Test(mapper_random, outputs_indexed_by_sums_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, SCATTER);
}

Test(mapper_random, imperfect_factors_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT);
}

Test(mapper_random, imperfect_factors_behind_networks_that_differ_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT | NETWORKS);
}

Test(mapper_random, imperfect_factors_of_outputs_indexed_by_sums_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT | NETWORKS | SCATTER);
}

Test(mapper_random, accesses_of_several_words_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | WIDTHS);
	compare_trials(TRIALS, NETWORKS | WIDTHS | IMPERFECT);
}

Test(mapper_random, networks_of_so_many_words_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | LIMITS);
	compare_trials(TRIALS, NETWORKS | LIMITS | IMPERFECT);
}

Test(mapper_random, meshes_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | MESHES);
	compare_trials(TRIALS, NETWORKS | MESHES | IMPERFECT);
}

Test(mapper_random, imperfect_factors_of_windows_that_slide_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, IMPERFECT | SLIDES);
}

Test(mapper_random, links_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | LINKS);
	compare_trials(TRIALS, NETWORKS | LINKS | IMPERFECT);
}

/* Steps that are whole are a case of those that need not be. */
Test(mapper_random, both_ways_count_whole_steps_alike)
{
	for (uint64_t number = 0; number < TRIALS; number++) {
		struct load load[MAX_LEVELS] = {0};
		struct cost model, again = {0};
		struct view view[MAX_OPERANDS];
		struct outline outline;
		struct trial trial;
		draw_trial(&trial, number, NETWORKS | (number % 2 ? SCATTER : 0));
		cr_assert(mapping_cost(&trial.mapping, &model));
		cr_assert(outline_of(&trial.mapping, &outline), "whole steps");
		for (int o = 0; o < trial.problem.operands; o++)
			view_of(&outline, o, &view[o]);
		cr_assert(imperfect_count(&outline, view, &(struct passed){0}, &again, load));
		for (int l = 0; l < trial.machine.levels; l++)
			for (int o = 0; o < trial.problem.operands; o++) {
				const struct traffic *left = &model.traffic[l][o];
				struct traffic *right = &again.traffic[l][o];
				right->tile = left->tile; /* not counted there, */
				right->hops = left->hops; /* nor these */
				cr_assert(memcmp(left, right, sizeof *left) == 0,
					  "trial %" PRIu64 ", level %d, operand %d", number, l, o);
			}
		cr_assert(memcmp(model.instances, again.instances, sizeof model.instances) == 0);
		cr_assert(model.units == again.units && model.steps == again.steps);
	}
}

static void must_not_happen(void *context)
{
	(void)context;
	abort();
}

/* Rule 8: the tiles that the walk has seen are room enough for one level, and one word less is not. */
Test(mapper_random, what_fits_is_what_the_walk_holds)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	int full = 0;
	for (uint64_t number = 0; number < TRIALS / 4; number++) {
		struct trial trial;
		struct cost walk;
		const char *why = NULL;
		draw_trial(&trial, number, NOTHING);
		execute_mapping(&trial.mapping, &walk);
		cr_assert(mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", all memories without end: %s", number, why);
		struct level *level = &trial.machine.level[draw(&trial, trial.machine.levels)];
		int64_t words = 0;
		for (int o = 0; o < trial.problem.operands; o++)
			words += walk.traffic[level - trial.machine.level][o].tile;
		level->words = words * level->buffers;
		cr_assert(mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", %" PRId64 " words: %s", number, level->words, why);
		if (--level->words <= 0)
			continue; /* 0 is without end */
		full++;
		cr_assert(!mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", %" PRId64 " words", number, level->words);
		cr_assert_not_null(why, "trial %" PRIu64 ": no reason", number);
	}
	cr_assert_gt(full, 100, "%d memories were full", full);
	arena_free(arena);
}
