/* box.h -- the tiles of a problem, numbered: of each dimension one of the lengths that loops can leave of it.
 * A box that contains another has the greater number; box 0 is a single point, the last one the whole problem.
 *
 * side     the lengths of one dimension. With perfect factors they are the divisors of its extent. Where a loop in space parts
 *          what is left of it unevenly, they are the divisors of its first unit's tile, which the loops inside part, and the multiples of
 *          what is left that divide the extent, which the loops outside part
 * factor   steps of a loop that make one length another */
#ifndef MAPPER_BOX_H
#define MAPPER_BOX_H

#include "mapper/mapping/mapping.h"

enum { MAX_LENGTHS = 512, MAX_BOXES = 1 << 23, MAX_PRIME_FACTORS = 32, NO_FACTOR = -1 };

/* A loop in space that does not part evenly: of `left` that there are of the dimension each of `units` gets `tile`, the last one
 * less. units = 0: there is none. */
struct part {
	int level; /* of the array */
	int64_t left, units, tile;
};

struct side {
	int count;
	int64_t *length; /* ascending */
	int32_t stride;  /* in the box's number */
	int factors;
	int64_t *factor; /* ascending, but for the uneven one, which is the last; the first is 1 */
	double *growth;  /* by which each makes a length longer: the factor, but for the uneven one */
	short *times;    /* [i * factors + k]: the place of length i times factor k, or -1 */
	int uneven;      /* number of that factor, or NO_FACTOR */
	int primes;
	short prime[MAX_PRIME_FACTORS]; /* numbers of prime factors */
	struct part part;
};

struct boxes {
	int dims;
	int32_t count;
	struct side side[MAX_DIMS];
};

/* In the arena; `part` of each dimension, or NULL: all factors are perfect. False: they are more than MAX_BOXES. */
bool boxes_make(struct boxes *, struct arena *, const struct problem *, const struct part part[]);

static inline int box_place(const struct boxes *b, int32_t box, int dim)
{
	return box / b->side[dim].stride % b->side[dim].count;
}

static inline int64_t box_length(const struct boxes *b, int32_t box, int dim)
{
	return b->side[dim].length[box_place(b, box, dim)];
}

/* The box with one side multiplied by a factor, or -1. */
static inline int32_t box_times(const struct boxes *b, int32_t box, int dim, int factor)
{
	const struct side *s = &b->side[dim];
	int now = box / s->stride % s->count, then = s->times[now * s->factors + factor];

	return then < 0 ? -1 : box + (then - now) * s->stride;
}

void box_lengths(const struct boxes *, int32_t box, int64_t length[MAX_DIMS]);
/* How much more often all units together make a step of the loops around a length than the even part of it would: where what the
 * last unit has is no multiple of the length, its last step is a part. 1 with perfect factors. */
double side_excess(const struct side *, int64_t length);

#endif
