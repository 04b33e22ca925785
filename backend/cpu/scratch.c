/* scratch.c -- the largest buffer is placed first, each at the smallest gap among its
 * contemporaries that holds it. Lower first among equals, so that the plan depends on the
 * buffers alone. */
#include "backend/cpu/scratch.h"

#include "frontend/source/arena.h"

#include <stdlib.h>

static int64_t rounded(int64_t bytes)
{
	return (bytes + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
}

/* Larger first, then in the order of the statements, then in memory order. */
static int by_size(const void *a, const void *b)
{
	const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int by_offset(const void *a, const void *b)
{
	const struct buffer *x = *(struct buffer *const *)a, *y = *(struct buffer *const *)b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The start of the smallest gap between the neighbours, sorted by offset, that holds so many
 * bytes. */
static int64_t best_gap(struct buffer *const neighbour[], int count, int64_t bytes)
{
	int64_t end = 0, best = -1, least = INT64_MAX;
	for (int i = 0; i < count; i++) {
		int64_t gap = neighbour[i]->offset - end;
		if (gap >= bytes && gap < least) {
			least = gap;
			best = end;
		}
		int64_t after = neighbour[i]->offset + rounded(neighbour[i]->bytes);
		end = after > end ? after : end;
	}
	return best >= 0 ? best : end;
}

int64_t scratch_plan(struct arena *arena, struct buffer buffer[], int count)
{
	struct buffer **sorted = ARENA_ARRAY(arena, count + 1, struct buffer *);
	struct buffer **neighbour = ARENA_ARRAY(arena, count + 1, struct buffer *);
	int64_t total = 0;
	for (int i = 0; i < count; i++)
		sorted[i] = &buffer[i];
	qsort(sorted, (size_t)count, sizeof *sorted, by_size);
	for (int i = 0; i < count; i++) {
		struct buffer *b = sorted[i];
		int neighbours = 0;
		if (b->bytes > INT64_MAX / 4 - total)
			return -1;
		for (int j = 0; j < i; j++)
			if (sorted[j]->first <= b->last && b->first <= sorted[j]->last)
				neighbour[neighbours++] = sorted[j];
		qsort(neighbour, (size_t)neighbours, sizeof *neighbour, by_offset);
		b->offset = best_gap(neighbour, neighbours, rounded(b->bytes));
		int64_t end = b->offset + rounded(b->bytes);
		total = end > total ? end : total;
	}
	return total;
}
