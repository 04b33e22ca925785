/* tile.c -- how much of each operand lies at each level. */
#include "mapper/mapping/tile.h"

#include <stdlib.h>
#include <string.h>

int64_t tile_left(const struct mapping *m, int loop)
{
	int64_t left = m->problem->extent[m->loop[loop].dim];

	for (int i = 0; i < loop; i++)
		if (m->loop[i].dim == m->loop[loop].dim)
			left = m->loop[i].tile;
	return left;
}

int64_t tile_steps(const struct mapping *m, int loop)
{
	int64_t left = tile_left(m, loop), tile = m->loop[loop].tile;

	return left / tile + (left % tile > 0);
}

int tile_first_loop(const struct mapping *m, int level)
{
	int i = 0;

	while (i < m->loops && m->loop[i].level < level)
		i++;
	return i;
}

void tile_box(const struct mapping *m, int first, int64_t extent[MAX_DIMS])
{
	memcpy(extent, m->problem->extent, sizeof m->problem->extent);
	for (int i = 0; i < first; i++)
		extent[m->loop[i].dim] = m->loop[i].tile;
}

int64_t tile_length(const struct operand *o, int rank, int dims, const int64_t extent[MAX_DIMS])
{
	int64_t length = 1, part;

	for (int d = 0; d < dims; d++)
		if (__builtin_mul_overflow(llabs(o->coef[rank][d]), extent[d] - 1, &part) ||
		    __builtin_add_overflow(length, part, &length))
			return INT64_MAX;
	return length;
}

int64_t tile_words(const struct operand *o, int dims, const int64_t extent[MAX_DIMS])
{
	int64_t words = 1;

	for (int r = 0; r < o->ranks; r++)
		if (__builtin_mul_overflow(words, tile_length(o, r, dims, extent), &words))
			return INT64_MAX;
	return words;
}

const char *operand_name(const struct problem *p, int operand)
{
	static const char *const name[CLASSES][MAX_OPERANDS] = {
		[CLASS_I] = {"I", "I2", "I3", "I4"},
		[CLASS_W] = {"W", "W2", "W3", "W4"},
		[CLASS_O] = {"O", "O2", "O3", "O4"}};
	enum tensor_class class = p->operand[operand].class;
	int before = 0;

	for (int o = 0; o < operand; o++)
		before += p->operand[o].class == class;
	return name[class][before];
}
