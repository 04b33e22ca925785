/* sums.h -- where tiles lie: loops move a tile by a step for each of their positions, so its places are the sums of one
 * multiple of each step. How many places there are, and how much the tiles cover together. */
#ifndef MAPPER_SUMS_H
#define MAPPER_SUMS_H

#include <stdint.h>

/* One loop: `bound` positions, `step` apart; step >= 0, bound >= 1. */
struct shift {
	int64_t step, bound;
};

/* Different sums of the shifts; sorts them. -1 where there is no memory. */
int64_t sums_distinct(int count, struct shift[]);

/* Integers that intervals of so many, one at each sum, cover together; sorts the shifts. -1: no memory. */
int64_t sums_cover(int count, struct shift[], int64_t length);

/* A multiset of places: sorted, each with how often it is asked for. */
struct places {
	int64_t count;
	struct { int64_t place, times; } *at;   /* malloc'd */
};

/* One place, asked for once; false without memory. */
int places_start(struct places *);
/* Units along a loop ask for the places moved by its steps. Merged, a place that several ask for is served once (as
 * often as the one asks who asks most); apart, for each by itself. False without memory, and then nothing is held. */
int places_spread(struct places *, struct shift, int is_merged);
int64_t places_total(const struct places *);
void places_free(struct places *);

/* A set of integers as intervals, both ends within; sorted and apart once they were summed, as all but adding wants them. */
struct intervals {
	int64_t count, room;
	struct interval { int64_t first, last; } *at; /* malloc'd */
};

/* One more interval; false without memory. */
int intervals_add(struct intervals *, int64_t first, int64_t last);
/* All sums of an integer of the one and one of the other set, which may be in any order. False without memory. */
int intervals_sum(struct intervals *, const struct intervals *);
int64_t intervals_total(const struct intervals *); /* integers */
int64_t intervals_least(const struct intervals *); /* length of the shortest */
void intervals_free(struct intervals *);

#endif
