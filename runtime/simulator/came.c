/* came.c -- one bit for each word and instance. */
#include "runtime/simulator/came.h"

#include <stdlib.h>

static const struct layer_operand *output_of(const struct layer *l)
{
	return &l->operand[l->operands - 1];
}

bool came_make(struct came *c, const struct layer *l, unsigned levels)
{
	int64_t words = 1;
	*c = (struct came){0};
	for (int r = 0; r < output_of(l)->ranks; r++)
		if (__builtin_mul_overflow(words, output_of(l)->rank[r].length, &words))
			return false;
	c->words = (words + 63) / 64 * 64;
	for (int level = 0; level <= l->machine->levels; level++) {
		int64_t all;
		if (!(levels >> level & 1))
			continue;
		if (__builtin_mul_overflow(c->words / 64, l->instances[level], &all))
			return false;
		c->count[level] = calloc((size_t)l->instances[level], sizeof(int64_t));
		c->bit[level] = calloc((size_t)all, sizeof(uint64_t));
		if (!c->count[level] || !c->bit[level])
			return false;
	}
	return true;
}

void came_free(struct came *c)
{
	for (int level = 0; level <= MAX_LEVELS; level++) {
		free(c->count[level]);
		free(c->bit[level]);
	}
}

static int64_t number_of(const struct layer_operand *o, const int64_t coordinate[])
{
	int64_t number = 0;
	for (int r = 0; r < o->ranks; r++)
		number = number * o->rank[r].length + coordinate[r] - o->rank[r].least;
	return number;
}

void came_add(struct came *c, const struct layer *l, int level, int64_t instance,
	      const struct box *box)
{
	int64_t coordinate[MAX_RANK];
	if (!c->bit[level] || box_words(box) == 0)
		return;
	uint64_t *bit = c->bit[level] + instance * (c->words / 64);
	memcpy(coordinate, box->first, sizeof coordinate);
	do {
		int64_t number = number_of(output_of(l), coordinate);
		uint64_t mask = (uint64_t)1 << (number & 63);
		c->count[level][instance] += !(bit[number >> 6] & mask);
		bit[number >> 6] |= mask;
	} while (box_next(box, coordinate));
}
