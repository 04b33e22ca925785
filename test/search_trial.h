/* search_trial.h -- small problems, machines and constraints for searches, drawn from a number.
 *
 * A trial has so few mappings that all of them can be costed. Its machine is drawn around its problem: capacities are
 * near the sizes of its tensors or far from them, costs and bandwidths differ by orders of magnitude. Costs are whole
 * hundredths, so that two energies are the same or differ by far more than the rounding of a sum. */
#ifndef TEST_SEARCH_TRIAL_H
#define TEST_SEARCH_TRIAL_H

#include "brute_mapper.h"

#include <stdio.h>

/* Trial number N has statement N % TRIAL_STATEMENTS, and with perfect factors at most
 * trial_most[N / TRIAL_STATEMENTS % TRIAL_SIZES] mappings to cost. */
enum { TRIAL_STATEMENTS = 16, TRIAL_SIZES = 4 };
extern const int64_t trial_most[TRIAL_SIZES];

struct trial {
	uint64_t number, draws;
	const char *notation; /* of its statement; nest_fixture.h */
	bool imperfect;
	int64_t evaluations; /* mappings that brute force costs */
	struct problem problem;
	struct hierarchy machine;
	bool constrained;
	struct constraint constraint;
	struct search_options options;
};

/* A constraint of the trial lies in it: it may not be copied as it is. */
void draw_trial(struct trial *, uint64_t number, bool imperfect);
/* The same with perfect factors, of this statement. */
void draw_trial_of(struct trial *, uint64_t number, const char *notation);
/* Gives the machine what a bit says: accesses of several words, networks of a limited bandwidth, meshes and tori, links. What was
 * drawn before stays. */
enum { TRIAL_WIDTHS = 1, TRIAL_LIMITS = 2, TRIAL_MESHES = 4, TRIAL_LINKS = 8, TRIAL_NETWORKS = 15 };
void draw_networks(struct trial *, unsigned what);
/* 0 .. bound - 1: the next number of the trial. */
int64_t draw(struct trial *, int64_t bound);
/* The problem, the machine and what is asked, in lines. Sets are bits: of classes, in the constraint of operands. */
void print_trial(FILE *, const struct trial *);

#endif
