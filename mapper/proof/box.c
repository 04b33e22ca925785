/* box.c -- divisors in mixed radix. */
#include "mapper/proof/box.h"

static int place_of(const struct side *s, int64_t length)
{
	for (int i = 0; i < s->count; i++)
		if (s->length[i] == length)
			return i;
	return -1;
}

static bool is_prime(int64_t n)
{
	for (int64_t i = 2; i <= n / i; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

static bool side_make(struct side *s, struct arena *arena, int64_t extent)
{
	int64_t low[MAX_SIDES];
	int lows = 0;

	for (int64_t i = 1; i <= extent / i; i++)
		if (extent % i == 0) {
			if (lows == MAX_SIDES / 2)
				return false;
			low[lows++] = i;
		}
	s->length = ARENA_ARRAY(arena, 2 * (size_t)lows, int64_t);
	for (int i = 0; i < lows; i++)
		s->length[s->count++] = low[i];
	for (int i = lows - 1; i >= 0; i--)
		if (extent / low[i] != low[i])
			s->length[s->count++] = extent / low[i];
	for (int i = 0; i < s->count; i++)
		if (is_prime(s->length[i]))
			s->prime[s->primes++] = (short)i;
	s->times = ARENA_ARRAY(arena, (size_t)s->count * (size_t)s->count, short);
	for (int i = 0; i < s->count; i++)
		for (int k = 0; k < s->count; k++)
			s->times[i * s->count + k] =
				s->length[i] > extent / s->length[k]
					? -1
					: (short)place_of(s, s->length[i] * s->length[k]);
	return true;
}

bool boxes_make(struct boxes *b, struct arena *arena, const struct problem *p)
{
	int64_t count = 1;

	b->dims = p->dims;
	for (int d = 0; d < p->dims; d++) {
		b->side[d] = (struct side){.stride = (int32_t)count};
		if (!side_make(&b->side[d], arena, p->extent[d]))
			return false;
		count *= b->side[d].count;
		if (count > MAX_BOXES)
			return false;
	}
	b->count = (int32_t)count;
	return true;
}

void box_lengths(const struct boxes *b, int32_t box, int64_t length[MAX_DIMS])
{
	for (int d = 0; d < b->dims; d++)
		length[d] = box_length(b, box, d);
}
