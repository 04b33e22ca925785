/* lattice.h -- the tiles of a problem as states: one divisor of its extent for each dimension.
 *
 * state    a tile, numbered in mixed radix over the divisors of each dimension, which stand in ascending order: a
 *          tile that contains another has the greater number
 * step     from a tile to the next larger one along one dimension, by a prime factor */
#ifndef MAPPER_LATTICE_H
#define MAPPER_LATTICE_H

#include "mapper/mapping/mapping.h"

enum { MAX_DIVISORS = 256, MAX_PRIMES = 12 };

struct axis_of_lattice {
	int64_t extent;
	int count;                    /* of divisors */
	int64_t divisor[MAX_DIVISORS]; /* ascending; the first is 1, the last the extent */
	int32_t stride;               /* of the state's number */
	int steps[MAX_DIVISORS];      /* from each divisor */
	unsigned char step[MAX_DIVISORS][MAX_PRIMES]; /* to the divisor at this place */
	short *product; /* [i * count + k]: the place of divisor i times divisor k, or -1 */
};

struct lattice {
	int dims;
	int32_t states;
	struct axis_of_lattice dim[MAX_DIMS];
};

enum { MAX_STATES = 1 << 23 };

enum lattice_status { LATTICE_DONE, LATTICE_TOO_MANY, LATTICE_NO_MEMORY };

/* TOO_MANY: the tiles are more than MAX_STATES, or a dimension has more divisors than can be counted. */
enum lattice_status lattice_make(struct lattice *, const struct problem *);
void lattice_free(struct lattice *);

/* Place of the divisor of a dimension in a state. */
static inline int lattice_place(const struct lattice *l, int32_t state, int dim)
{
	return state / l->dim[dim].stride % l->dim[dim].count;
}

static inline int64_t lattice_extent(const struct lattice *l, int32_t state, int dim)
{
	return l->dim[dim].divisor[lattice_place(l, state, dim)];
}

/* Multiplies one extent of a tile by the divisor at a place; false, and nothing happens, where that is too much. */
static inline bool lattice_grow(const struct lattice *l, int32_t *state, int dim, int place)
{
	const struct axis_of_lattice *a = &l->dim[dim];
	int now = *state / a->stride % a->count, then = a->product[now * a->count + place];

	if (then < 0)
		return false;
	*state += (then - now) * a->stride;
	return true;
}

/* Extents of all dimensions. */
void lattice_box(const struct lattice *, int32_t state, int64_t extent[MAX_DIMS]);
/* The place of a number among the divisors of a dimension, or -1. */
int lattice_find(const struct lattice *, int dim, int64_t divisor);

#endif
