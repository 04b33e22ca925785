/* came.c -- one bit for each word and instance; or the same from the loops, where every run is as the first. */
#include "runtime/simulator/came.h"

#include <stdlib.h>

static const struct layer_operand *output_of(const struct sim_layer *l)
{
	return &l->operand[l->operands - 1];
}

bool came_make(struct came *c, const struct sim_layer *l, unsigned levels, bool are_marked)
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
		c->bit[level] = are_marked ? calloc((size_t)all, sizeof(uint64_t)) : NULL;
		if (!c->count[level] || (are_marked && !c->bit[level]))
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

void came_add(struct came *c, const struct sim_layer *l, int level, int64_t instance,
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

/* ---- From the loops ------------------------------------------------------------------------------------------------------------ */

/* Is the loop one whose steps bring other words to an instance of this level, by tiles of the child? */
static bool brings(const struct layer_loop *loop, int level, int child)
{
	return loop->level < child && (!loop->in_space || loop->level >= level);
}

/* Each coordinate that is reached is, after the loop, in each of its steps; `before` is room for as many. */
static void spread(char is_reached[], char before[], int64_t length, int64_t shift, int64_t steps)
{
	memcpy(before, is_reached, (size_t)length);
	for (int64_t step = 1; step < steps; step++)
		for (int64_t k = 0; k < length; k++)
			is_reached[k + step * shift] |= before[k];
}

/* Coordinates of a rank, counted from its least, that one instance of the level is brought. -1: no memory. */
static int64_t reached(const struct sim_layer *l, int rank, int level, int child)
{
	const struct layer_rank *of = &output_of(l)->rank[rank];
	int64_t tile[LAYER_DIMS], length = 1, count = 0;
	char *is_reached = calloc(2, (size_t)of->length);
	if (!is_reached)
		return -1;
	memcpy(tile, l->extent, sizeof tile);
	for (int i = 0; i < l->loops && l->loop[i].level < child; i++)
		tile[l->loop[i].dim] = l->loop[i].tile;
	for (int d = 0; d < l->dims; d++)
		length += llabs(of->coef[d]) * (tile[d] - 1);
	memset(is_reached, 1, (size_t)length);
	for (int i = 0; i < l->loops; i++) {
		int64_t shift = llabs(of->coef[l->loop[i].dim]) * l->loop[i].tile;
		if (shift == 0 || !brings(&l->loop[i], level, child))
			continue;
		spread(is_reached, is_reached + of->length, length, shift, l->steps[i]);
		length += shift * (l->steps[i] - 1);
	}
	for (int64_t k = 0; k < length; k++)
		count += is_reached[k];
	free(is_reached);
	return count;
}

bool came_tell(struct came *c, const struct sim_layer *l, int child)
{
	for (int level = 0; level <= child; level++) {
		int64_t words = 1;
		if (!c->count[level])
			continue;
		for (int r = 0; r < output_of(l)->ranks && words > 0; r++) {
			int64_t along = reached(l, r, level, child);
			words = along < 0 ? -1 : words * along;
		}
		if (words < 0)
			return false;
		for (int64_t i = 0; i < l->instances[level]; i++)
			c->count[level][i] = words;
	}
	return true;
}
