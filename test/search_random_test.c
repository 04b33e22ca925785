/* search_random_test.c -- the search with proof against brute force, on random problems, machines
 * and constraints.
 *
 * A trial follows from its number alone. For each objective the search must find what brute force
 * finds, show a mapping of the space that costs it, and say infeasible exactly where no mapping is;
 * cut short, it may not claim more than brute force found. Of the trials that disagree the one with
 * the fewest mappings is shown. SEARCH_RANDOM_TIMES makes it so many times as many trials,
 * SEARCH_RANDOM_TRIAL=N runs trial N alone. */
#include "frontend/source/arena.h"
#include "mapper/mapping/mapping_print.h"
#include "mapper/search/rest.h"
#include "search_trial.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TRIALS = 240, IMPERFECT_TRIALS = 120 };

static void must_not_happen(void *context)
{
	(void)context;
	abort();
}

static const char *status_name(enum search_status status)
{
	static const char *const names[] = {
		[SEARCH_PROVEN] = "proven",
		[SEARCH_CUT] = "cut",
		[SEARCH_INFEASIBLE] = "infeasible",
		[SEARCH_NO_MEMORY] = "no memory",
	};
	return names[status];
}

/* The search, or (rest_alone) what follows it where it takes too long, from nothing. */
static bool rest_alone;
static double known_bound; /* that it is told of */

static void run_search(struct arena *arena, const struct trial *trial,
		       const struct search_options *options, struct search_result *result)
{
	if (!rest_alone) {
		search(arena, &trial->problem, &trial->machine, options, result);
		return;
	}
	*result = (struct search_result){
		.status = SEARCH_CUT, .root = known_bound, .bound = known_bound};
	search_rest(arena, &trial->problem, &trial->machine, options, true, result);
	if (result->status == SEARCH_INFEASIBLE)
		result->why = "no label is left";
}

/* 1, and a line, if two numbers are not the same. */
static int differ(FILE *file, const char *what, double search_says, double brute_says)
{
	if (brute_same(search_says, brute_says))
		return 0;
	fprintf(file, "  %s: search %.17g, brute force %.17g\n", what, search_says, brute_says);
	return 1;
}

/* In all that a walk counts, too. */
static bool is_same_traffic(const struct trial *trial, const struct cost *a, const struct cost *b)
{
	bool same = true;
	for (int l = 0; l < trial->machine.levels; l++)
		for (int o = 0; o < trial->problem.operands; o++) {
			const struct traffic *x = &a->traffic[l][o], *y = &b->traffic[l][o];
			same &= memcmp(x->count, y->count, sizeof x->count) == 0 &&
				memcmp(x->per_instance, y->per_instance, sizeof x->per_instance) ==
					0 &&
				x->tile == y->tile && x->deliveries == y->deliveries;
		}
	return same;
}

/* The mapping is one of the space, and what is said of its cost is so. */
static int check_mapping(FILE *file, const struct trial *trial,
			 const struct search_options *options, const struct search_result *result)
{
	struct cost cost;
	const char *why;
	int n = 0;
	if (result->mapping.problem != &trial->problem ||
	    result->mapping.machine != &trial->machine) {
		fprintf(file, "  the mapping is one of another problem or machine\n");
		return 1;
	}
	if (!brute_legal(&result->mapping, options, &why)) {
		fprintf(file, "  the mapping is none of the space: %s\n", why);
		return 1;
	}
	brute_cost(&result->mapping, &cost);
	n += differ(file, "energy of the mapping", result->cost.energy, cost.energy);
	n += differ(file, "cycles of the mapping", (double)result->cost.cycles,
		    (double)cost.cycles);
	n += differ(file, "value of the mapping", result->value,
		    brute_value(options->objective, &cost));
	n += differ(file, "objective_value", objective_value(options->objective, &result->cost),
		    brute_value(options->objective, &cost));
	if (!is_same_traffic(trial, &result->cost, &cost))
		n += fprintf(file, "  the traffic is not that of the mapping\n") > 0;
	if (options->most_cycles && cost.cycles > options->most_cycles)
		n += fprintf(file, "  more cycles than the limit\n") > 0;
	return n;
}

static int compare_objective(FILE *file, const struct trial *trial, enum objective objective,
			     const struct brute_result *brute)
{
	const struct brute_best *best = &brute->best[objective];
	struct arena *arena = arena_new(must_not_happen, NULL);
	struct search_options options = trial->options;
	struct search_result result;
	enum search_status status = brute->mappings ? SEARCH_PROVEN : SEARCH_INFEASIBLE;
	int n = 0;
	options.objective = objective;
	run_search(arena, trial, &options, &result);
	if (result.status != status) {
		fprintf(file, "  status: search %s, brute force %s\n", status_name(result.status),
			status_name(status));
		n++;
	} else if (status == SEARCH_INFEASIBLE) {
		if (result.has_mapping || !result.why || !*result.why)
			n += fprintf(file, "  infeasible with a mapping or without reason\n") > 0;
	} else {
		n += check_mapping(file, trial, &options, &result);
		n += differ(file, "value", result.value, best->value);
		n += differ(file, "breaks ties", brute_tie(objective, &result.cost), best->tie);
		n += differ(file, "bound", result.bound, best->value);
		if (!result.has_mapping)
			n += fprintf(file, "  proven without a mapping\n") > 0;
		if (result.root > best->value && !brute_same(result.root, best->value))
			n += differ(file, "bound at the root", result.root, best->value);
	}
	if (n > 0)
		fprintf(file, "of the %s\n", objective_name[objective]);
	if (n > 0 && status == SEARCH_PROVEN && result.status == status) {
		fprintf(file, "search: ");
		mapping_print(&result.mapping, file);
		fprintf(file, "brute force: ");
		mapping_print(&best->mapping, file);
	}
	arena_free(arena);
	return n;
}

/* The Pareto set as a chain: the least energy, then the least in fewer cycles, until there is none. */
static int compare_front(FILE *file, const struct trial *trial, const struct brute_result *brute)
{
	struct search_options options = trial->options;
	int n = 0, points = 0;
	options.objective = OBJECTIVE_ENERGY;
	for (;; points++) {
		struct arena *arena = arena_new(must_not_happen, NULL);
		struct search_result result;
		run_search(arena, trial, &options, &result);
		arena_free(arena);
		if (result.status != SEARCH_PROVEN || n > 0 || points == brute->points) {
			if (result.status != SEARCH_INFEASIBLE || points != brute->points)
				n += fprintf(file, "  Pareto: %d points, then %s; brute force %d\n",
					     points, status_name(result.status), brute->points) > 0;
			return n;
		}
		n += check_mapping(file, trial, &options, &result);
		n += differ(file, "Pareto energy", result.cost.energy, brute->point[points].energy);
		n += differ(file, "Pareto cycles", (double)result.cost.cycles,
			    (double)brute->point[points].cycles);
		options.most_cycles = result.cost.cycles - 1;
		if (options.most_cycles > 0)
			continue;
		if (points + 1 != brute->points) /* 0 would be no limit */
			n += fprintf(file,
				     "  Pareto: ends in one cycle, %d points before brute force\n",
				     brute->points - points - 1) > 0;
		return n;
	}
}

/* With a budget: what is claimed holds. */
static int compare_cut(FILE *file, struct trial *trial, const struct brute_result *brute)
{
	enum objective objective = (enum objective)draw(trial, OBJECTIVES);
	const struct brute_best *best = &brute->best[objective];
	struct arena *arena = arena_new(must_not_happen, NULL);
	struct search_options options = trial->options;
	struct search_result result;
	int n = 0;
	options.objective = objective;
	options.evaluations = 1 + draw(trial, 1 + trial->evaluations / (1 + draw(trial, 64)));
	known_bound = brute->mappings > 0 ? best->value / 2 : 0;
	run_search(arena, trial, &options, &result);
	if (rest_alone && result.has_mapping && result.bound < known_bound)
		n += fprintf(file, "  with a budget: a bound that was known is lost\n") > 0;
	known_bound = 0;
	if (result.status == SEARCH_NO_MEMORY ||
	    (result.status == SEARCH_INFEASIBLE && brute->mappings > 0))
		n += fprintf(file, "  with a budget: %s\n", status_name(result.status)) > 0;
	else if (brute->mappings == 0 && result.has_mapping)
		n += fprintf(file, "  with a budget: a mapping where none is\n") > 0;
	else if (brute->mappings > 0) {
		if (result.bound > best->value && !brute_same(result.bound, best->value))
			n += differ(file, "bound with a budget", result.bound, best->value);
		if (result.has_mapping)
			n += check_mapping(file, trial, &options, &result);
		if (result.status == SEARCH_PROVEN)
			n += differ(file, "proven with a budget", result.value, best->value);
	}
	if (n > 0)
		fprintf(file, "of the %s, %" PRId64 " evaluations\n", objective_name[objective],
			options.evaluations);
	arena_free(arena);
	return n;
}

static int compare_trial(FILE *file, struct trial *trial)
{
	struct brute_result brute = {.every_order = false};
	int n = 0;
	brute_search(&trial->problem, &trial->machine, &trial->options, &brute);
	if (brute.miscounted > 0)
		n += fprintf(file,
			     "  %" PRId64 " mappings cost something else as they are walked\n",
			     brute.miscounted) > 0;
	for (int i = 0; i < OBJECTIVES; i++)
		n += compare_objective(file, trial, (enum objective)i, &brute);
	n += compare_front(file, trial, &brute);
	n += compare_cut(file, trial, &brute);
	brute_release(&brute);
	return n;
}

/* `what` the machines have: bits of draw_networks. */
static void compare_range(uint64_t first, uint64_t end, bool imperfect, unsigned what)
{
	uint64_t disagree = 0;
	int64_t least = INT64_MAX;
	char *smallest = NULL;
	for (uint64_t number = first; number < end; number++) {
		struct trial trial;
		char *text;
		size_t length;
		draw_trial(&trial, number, imperfect);
		draw_networks(&trial, what);
		FILE *file = open_memstream(&text, &length);
		print_trial(file, &trial);
		int differences = compare_trial(file, &trial);
		fclose(file);
		disagree += differences > 0;
		if (differences > 0 && trial.evaluations < least) {
			least = trial.evaluations;
			free(smallest);
			smallest = text;
		} else {
			free(text);
		}
	}
	cr_expect_eq(disagree, 0, "%" PRIu64 " of %" PRIu64 " trials disagree, such as\n%s",
		     disagree, end - first, smallest);
	free(smallest);
}

static void compare_trials(uint64_t trials, bool imperfect, unsigned what)
{
	const char *times = getenv("SEARCH_RANDOM_TIMES"), *one = getenv("SEARCH_RANDOM_TRIAL");
	uint64_t first = one ? strtoull(one, NULL, 10) : 0;
	uint64_t end = one ? first + 1 : trials * (times ? strtoull(times, NULL, 10) : 1);
	compare_range(first, end, imperfect, what);
}

Test(search_random, perfect_factors_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS, false, 0);
}

Test(search_random, imperfect_factors_are_searched_as_by_brute_force)
{
	compare_trials(IMPERFECT_TRIALS, true, 0);
}

Test(search_random, what_is_left_is_searched_as_by_brute_force)
{
	rest_alone = true;
	compare_trials(TRIALS / 2, false, 0);
}

Test(search_random, accesses_of_several_words_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS / 4, false, TRIAL_WIDTHS);
}

Test(search_random, networks_of_so_many_words_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS / 4, false, TRIAL_LIMITS);
}

Test(search_random, meshes_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS / 4, false, TRIAL_MESHES);
}

Test(search_random, links_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS / 4, false, TRIAL_LINKS);
}

Test(search_random, all_of_these_are_searched_as_by_brute_force)
{
	compare_trials(TRIALS / 4, false, TRIAL_NETWORKS);
}

/* The tile moves back along r and s, not along p: which units share follows from the signs of all three. */
Test(search_random, a_tile_that_moves_back_is_routed_as_it_moves)
{
	compare_range(959, 960, false, TRIAL_NETWORKS);
}

Test(search_random, all_of_these_with_imperfect_factors_are_searched_as_by_brute_force)
{
	compare_trials(IMPERFECT_TRIALS / 4, true, TRIAL_NETWORKS);
}
