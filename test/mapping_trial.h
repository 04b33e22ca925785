/* mapping_trial.h -- problems, machines and mappings drawn at random, for whatever counts what a mapping costs.
 *
 * A trial follows from its number alone. Whether its mapping fits is not asked: memories are unlimited, and arrays as large as the
 * mapping makes them. */
#ifndef TEST_MAPPING_TRIAL_H
#define TEST_MAPPING_TRIAL_H

#include "mapper/mapping/mapping.h"

#include <stdio.h>

/* What trials may have beyond whole steps, networks that are one and outputs of plain indices. */
enum beyond {
	NOTHING = 0,
	IMPERFECT = 1, /* factors */
	NETWORKS = 2,  /* one after the other between two memories, that merge or not */
	SCATTER = 4,   /* outputs indexed by sums */
	WIDTHS = 8,    /* of accesses; the closed form has none yet */
	LIMITS = 16,   /* of networks; nor these */
	MESHES = 32,   /* nor these */
	LINKS = 64,    /* nor these */
	SLIDES = 128   /* windows over the same words in time and, in two ways, in space */
};

struct trial {
	uint64_t number, draws;
	enum beyond beyond;
	struct problem problem;
	struct hierarchy machine;
	struct mapping mapping;
};

/* A trial may not be copied: its mapping points into it. */
void draw_trial(struct trial *, uint64_t number, enum beyond);
/* 0 .. bound - 1: the next number of the trial. */
int64_t draw(struct trial *, int64_t bound);
/* The problem, and a line for each level: what it keeps, its loops, its network. */
void print_trial(FILE *, const struct trial *);

#endif
