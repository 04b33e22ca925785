/* box.h -- the tiles of a problem with perfect factors, numbered: of each dimension one divisor of its extent.
 * A box that contains another has the greater number; box 0 is a single point, the last one the whole problem. */
#ifndef MAPPER_BOX_H
#define MAPPER_BOX_H

#include "mapper/mapping/mapping.h"

enum { MAX_SIDES = 512, MAX_BOXES = 1 << 23, MAX_PRIME_FACTORS = 16 };

struct side {
	int count;       /* divisors of the extent */
	int64_t *length; /* ascending */
	int32_t stride;  /* in the box's number */
	short *times;    /* [i * count + k]: the place of length i times length k, or -1 */
	int primes;
	short prime[MAX_PRIME_FACTORS]; /* their places */
};

struct boxes {
	int dims;
	int32_t count;
	struct side side[MAX_DIMS];
};

/* In the arena. False: they are more than MAX_BOXES. */
bool boxes_make(struct boxes *, struct arena *, const struct problem *);

static inline int box_place(const struct boxes *b, int32_t box, int dim)
{
	return box / b->side[dim].stride % b->side[dim].count;
}

static inline int64_t box_length(const struct boxes *b, int32_t box, int dim)
{
	return b->side[dim].length[box_place(b, box, dim)];
}

/* The box with one side multiplied by the length at a place, or -1. */
static inline int32_t box_times(const struct boxes *b, int32_t box, int dim, int place)
{
	const struct side *s = &b->side[dim];
	int now = box / s->stride % s->count, then = s->times[now * s->count + place];

	return then < 0 ? -1 : box + (then - now) * s->stride;
}

void box_lengths(const struct boxes *, int32_t box, int64_t length[MAX_DIMS]);

#endif
