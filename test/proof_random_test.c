/* proof_random_test.c -- docs/mapper.md section 5: what the search calls optimal is proven without it, on random problems,
 * machines and constraints.
 *
 * The value of the optimum must be proven; a value a little above it must not be, and the bound that is given then is the
 * optimum. PROOF_RANDOM_TIMES makes it so many times as many trials, PROOF_RANDOM_TRIAL=N runs trial N alone. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "frontend/source/arena.h"
#include "mapper/proof/box.h"
#include "mapper/proof/prove.h"
#include "mapper/search/search.h"
#include "nest_fixture.h"
#include "search_trial.h"

enum { TRIALS = 240 };

static void must_not_happen(void *context)
{
	(void)context;
	abort();
}

static void run(struct arena *arena, const struct trial *trial, enum objective objective,
		double value, int64_t most_cycles, struct proof *proof)
{
	struct constraint free;
	const struct constraint *constraint = trial->options.constraint;
	struct proof_goal goal = {
		.objective = objective, .value = value, .most_cycles = most_cycles};
	struct proof_limits limits = {0};

	if (!constraint) {
		constraint_free(&free, &trial->problem, &trial->machine);
		constraint = &free;
	}
	prove(arena, &trial->problem, &trial->machine, constraint, &goal, &limits, proof);
}

/* Mappings that the proof meets cost what it says, and the best of them is the optimum. Where it is not exact they may cost more. */
struct met {
	const struct trial *trial;
	enum objective objective;
	double best;
	int wrong, too_high, too_low;
};

static void take(void *context, const struct mapping *mapping, double value)
{
	struct met *met = context;
	struct cost cost;
	const char *why;

	if (!brute_legal(mapping, &met->trial->options, &why) || !mapping_cost(mapping, &cost)) {
		fprintf(stderr, "no mapping of the space: %s\n", why);
		met->wrong++;
		return;
	}
	met->too_high += value > objective_value(met->objective, &cost) * (1 + 1e-11);
	met->too_low += value < objective_value(met->objective, &cost) * (1 - 1e-11);
	met->best = fmin(met->best, objective_value(met->objective, &cost));
}

static int check_met(struct arena *arena, const struct trial *trial, enum objective objective,
		     double optimum)
{
	struct met met = {.trial = trial, .objective = objective, .best = INFINITY};
	struct proof_space space = {.take = take, .context = &met};
	struct proof_goal goal = {.objective = objective,
				  .value = optimum * 1.5,
				  .most_cycles = trial->options.most_cycles};
	struct constraint free;
	const struct constraint *constraint = trial->options.constraint;
	struct proof proof;

	if (!constraint) {
		constraint_free(&free, &trial->problem, &trial->machine);
		constraint = &free;
	}
	prove_space(arena, &trial->problem, &trial->machine, constraint, &space, &goal,
		    &(struct proof_limits){0}, &proof);
	return met.wrong > 0 || met.too_high > 0 ||
	       (proof.is_exact && (met.too_low > 0 || fabs(met.best - optimum) > 1e-11 * optimum));
}

static bool is_near(double a, double b)
{
	return a == b || fabs(a - b) <= 1e-11 * fabs(b);
}

static int check_objective(const struct trial *trial, enum objective objective)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	struct search_options options = trial->options;
	struct search_result found;
	struct proof proof;
	int wrong = 0;

	options.objective = objective;
	search(arena, &trial->problem, &trial->machine, &options, &found);
	if (found.status == SEARCH_INFEASIBLE) {
		run(arena, trial, objective, INFINITY, options.most_cycles, &proof);
		wrong = proof.status != PROOF_DONE || proof.bound != INFINITY;
	} else {
		run(arena, trial, objective, found.value, options.most_cycles, &proof);
		wrong = proof.status != PROOF_DONE || !is_near(proof.bound, found.value);
		if (wrong == 0 && found.value > 0)
			wrong = check_met(arena, trial, objective, found.value);
		/* else all mappings below that would be met one by one */
		if (wrong == 0 && found.value > 0 && proof.is_exact) {
			run(arena, trial, objective, found.value * 1.5, options.most_cycles,
			    &proof);
			wrong = proof.status != PROOF_FAILED || !is_near(proof.bound, found.value);
		}
	}
	if (wrong)
		fprintf(stderr,
			"trial %" PRIu64 ", %s: proof status %d, bound %.17g, search %.17g\n",
			trial->number, objective_name[objective], (int)proof.status, proof.bound,
			found.status == SEARCH_INFEASIBLE ? INFINITY : found.value);
	arena_free(arena);
	return wrong;
}

/* `what` the machines have: bits of draw_networks. */
static void compare_trials(uint64_t trials, unsigned what)
{
	const char *times = getenv("PROOF_RANDOM_TIMES"), *one = getenv("PROOF_RANDOM_TRIAL");
	uint64_t first = one ? strtoull(one, NULL, 10) : 0;
	uint64_t count = one ? 1 : trials * (times ? strtoull(times, NULL, 10) : 1);
	int wrong = 0;

	for (uint64_t n = first; n < first + count; n++) {
		struct trial trial;
		draw_trial(&trial, n, false);
		draw_networks(&trial, what);
		for (int o = 0; o < OBJECTIVES; o++)
			wrong += check_objective(&trial, (enum objective)o);
		if (one)
			print_trial(stderr, &trial);
	}
	cr_assert_eq(wrong, 0, "%d of %" PRIu64 " proofs are not as the search says", wrong,
		     3 * count);
}

Test(proof_random, agrees_with_the_search)
{
	compare_trials(TRIALS, 0);
}

Test(proof_random, agrees_with_the_search_on_accesses_of_several_words)
{
	compare_trials(TRIALS / 4, TRIAL_WIDTHS);
}

Test(proof_random, agrees_with_the_search_on_networks_of_so_many_words)
{
	compare_trials(TRIALS / 4, TRIAL_LIMITS);
}

Test(proof_random, agrees_with_the_search_on_meshes)
{
	compare_trials(TRIALS / 4, TRIAL_MESHES);
}

Test(proof_random, agrees_with_the_search_on_links)
{
	compare_trials(TRIALS / 4, TRIAL_LINKS);
}

Test(proof_random, agrees_with_the_search_on_all_of_these)
{
	compare_trials(TRIALS / 4, TRIAL_NETWORKS);
}

/* Outputs of which tiles overlap or have holes: transposed convolutions. */
static const char *const scattered[] = {"c p|k c r|k pr", "p|r|pr", "c pr|c|pr", "p q|r s|pr qs"};

static int check_scattered(struct arena *arena, const struct trial *trial)
{
	struct brute_result brute = {0};
	int wrong = 0;

	brute_search(&trial->problem, &trial->machine, &trial->options, &brute);
	for (int o = 0; o < OBJECTIVES && brute.mappings > 0; o++) {
		double best = brute.best[o].value;
		struct proof proof;
		run(arena, trial, (enum objective)o, 1.5 * best, trial->options.most_cycles,
		    &proof);
		if (proof.bound <= best * (1 + 1e-11))
			continue;
		fprintf(stderr, "%s, trial %" PRIu64 ", %s: bound %.17g, optimum %.17g\n",
			trial->notation, trial->number, objective_name[o], proof.bound, best);
		wrong++;
	}
	brute_release(&brute);
	return wrong;
}

Test(proof_random, bounds_nothing_too_high_where_the_output_is_scattered)
{
	enum { STATEMENTS = sizeof scattered / sizeof *scattered, TIMES = 60 };
	int wrong = 0;

	for (uint64_t n = 0; n < STATEMENTS * TIMES; n++) {
		struct arena *arena = arena_new(must_not_happen, NULL);
		struct trial trial;
		draw_trial_of(&trial, n, scattered[n % STATEMENTS]);
		wrong += check_scattered(arena, &trial);
		arena_free(arena);
	}
	cr_assert_eq(wrong, 0, "%d of %d bounds are above the optimum", wrong,
		     3 * STATEMENTS * TIMES);
}

/* Words of the last unit's smaller tile are fewer by whole strides: what lies outside of a level is no more than that. */
Test(proof_random, bounds_nothing_too_high_where_an_uneven_loop_has_a_stride)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	struct shape shape = {
		.extent = {['c'] = 2, ['k'] = 2, ['p'] = 7, ['q'] = 5, ['r'] = 1, ['s'] = 1},
		.stride = 3,
		.dilation = 1};
	enum { C, K, P, Q };
	struct level memory = {.is_memory = true,
			       .width = 1,
			       .buffers = 1,
			       .may_keep = 7,
			       .halo = HALO_FULL,
			       .cost = {1, 1, 1},
			       .fanout = {1, 1}};
	struct hierarchy machine = {.levels = 2, .level = {memory, memory}};
	struct mapping m = {.machine = &machine,
			    .keep = {7, 7},
			    .loops = 5,
			    .loop = {{LOOP_TIME, 0, 0, P, 1},
				     {LOOP_SPACE, 0, 0, Q, 2},
				     {LOOP_TIME, 1, 0, C, 1},
				     {LOOP_TIME, 1, 0, K, 1},
				     {LOOP_TIME, 1, 0, Q, 1}}};
	struct part part[MAX_DIMS] = {[Q] = {.level = 0, .left = 5, .units = 3, .tile = 2}};
	struct proof_space space = {.part = part};
	struct problem problem;
	struct constraint free;
	struct proof proof;
	struct cost cost;

	note_problem(&problem, "c pr qs|k c r s|k p q", &shape);
	m.problem = &problem;
	machine.level[0].array = "array";
	machine.level[0].axes = 1;
	machine.level[0].fanout[0] = 4;
	machine.level[0].hop_cost = 760;
	machine.level[0].multicast = 3;
	machine.level[0].cost[ACCESS_READ] = machine.level[0].cost[ACCESS_UPDATE] = 9;
	constraint_free(&free, &problem, &machine);
	free.must_keep[1] = 7;
	free.time[1][K] = 2;
	free.stationary[1] = 1;
	cr_assert(mapping_cost(&m, &cost));
	prove_space(arena, &problem, &machine, &free, &space,
		    &(struct proof_goal){.value = 1.01 * cost.energy}, &(struct proof_limits){0},
		    &proof);
	cr_expect(proof.bound <= cost.energy, "bound %g, a mapping has %g", proof.bound,
		  cost.energy);
	arena_free(arena);
}

/* Inside, 2 x 4 units of p and r need as many different words as 4 x 2 do, and cover as much with one loop in time more. What two
 * such groups need together, r apart, is less of the latter. */
Test(proof_random, of_two_ways_to_slide_inside_the_one_that_an_outer_array_shares_better_is_kept)
{
	enum { P, R };
	struct arena *arena = arena_new(must_not_happen, NULL);
	struct shape shape = {.extent = {['p'] = 8, ['r'] = 4}, .stride = 1, .dilation = 4};
	struct level memory = {
		.is_memory = true, .width = 1, .buffers = 1, .may_keep = 7, .fanout = {1, 1}};
	struct hierarchy machine = {.levels = 2, .level = {memory, memory}};
	struct search_options options = {.objective = OBJECTIVE_ENERGY};
	struct brute_result brute = {0};
	struct problem problem;
	struct constraint constraint;
	struct proof proof;

	note_problem(&problem, "pr|r|p", &shape);
	for (int l = 0; l < 2; l++) {
		machine.level[l].array = "array";
		machine.level[l].axes = 1;
		machine.level[l].fanout[0] = l == 0 ? 2 : 8;
		machine.level[l].multicast = 7;
	}
	machine.level[0].cost[ACCESS_READ] = 1;
	constraint_free(&constraint, &problem, &machine);
	constraint.must_keep[1] = constraint.may_keep[1] = 6;
	constraint.space[0][0][P] = 2;
	constraint.time[0][P] = constraint.time[0][R] = 1;
	options.constraint = &constraint;
	brute_search(&problem, &machine, &options, &brute);
	prove(arena, &problem, &machine, &constraint, &(struct proof_goal){.value = 1e9},
	      &(struct proof_limits){0}, &proof);
	cr_expect(is_near(proof.bound, brute.best[OBJECTIVE_ENERGY].value), "bound %g, optimum %g",
		  proof.bound, brute.best[OBJECTIVE_ENERGY].value);
	brute_release(&brute);
	arena_free(arena);
}
