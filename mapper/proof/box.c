/* box.c -- lengths in mixed radix. */
#include "mapper/proof/box.h"

/* Divisors in ascending order, each times `by`; how many, or -1: too many. */
static int list_divisors(int64_t n, int64_t by, int64_t list[])
{
	int64_t high[MAX_LENGTHS];
	int lows = 0, highs = 0;

	for (int64_t i = 1; i <= n / i; i++) {
		if (n % i != 0)
			continue;
		if (lows + highs + 2 > MAX_LENGTHS / 2)
			return -1;
		list[lows++] = i * by;
		if (n / i != i)
			high[highs++] = n / i * by;
	}
	while (highs > 0)
		list[lows++] = high[--highs];
	return lows;
}

static int place_of(int count, const int64_t list[], int64_t value)
{
	for (int i = 0; i < count; i++)
		if (list[i] == value)
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

/* Lengths inside of an uneven loop, and outside of it; without one all. */
static bool list_lengths(struct side *s, struct arena *arena, int64_t extent)
{
	int64_t list[2 * MAX_LENGTHS];
	int inner = list_divisors(s->part.units ? s->part.tile : extent, 1, list), outer = 0;

	if (inner >= 0 && s->part.units)
		outer = list_divisors(extent / s->part.left, s->part.left, list + inner);
	if (inner < 0 || outer < 0)
		return false;
	s->count = inner + outer;
	s->length = ARENA_ARRAY(arena, (size_t)s->count, int64_t);
	for (int i = 0; i < s->count; i++)
		s->length[i] = list[i];
	return true;
}

/* Whatever makes one length another, inside or outside of an uneven loop; then that loop. */
static void list_factors(struct side *s, struct arena *arena)
{
	s->factor = ARENA_ARRAY(arena, (size_t)s->count * 2 + 1, int64_t);
	for (int64_t last = 0;; last = s->factor[s->factors - 1]) {
		int64_t next = INT64_MAX;
		for (int i = 0; i < s->count; i++) {
			bool is_outside = s->part.units && s->length[i] > s->part.tile;
			int64_t f = is_outside ? s->length[i] / s->part.left : s->length[i];
			if (f > last && f < next)
				next = f;
		}
		if (next == INT64_MAX)
			break;
		s->factor[s->factors++] = next;
	}
	s->uneven = NO_FACTOR;
	if (s->part.units) {
		s->uneven = s->factors;
		s->factor[s->factors++] = s->part.units;
	}
	s->growth = ARENA_ARRAY(arena, (size_t)s->factors, double);
	for (int k = 0; k < s->factors; k++)
		s->growth[k] = k == s->uneven ? (double)s->part.left / (double)s->part.tile
					      : (double)s->factor[k];
}

/* No loop but the uneven one leads from the inside of it to the outside. */
static int64_t length_times(const struct side *s, int64_t length, int k)
{
	bool is_inside = s->part.units && length <= s->part.tile;
	int64_t most = is_inside ? s->part.tile : s->length[s->count - 1];

	if (k == s->uneven)
		return is_inside && length == s->part.tile ? s->part.left : -1;
	return length <= most / s->factor[k] ? length * s->factor[k] : -1;
}

static bool side_make(struct side *s, struct arena *arena, int64_t extent, const struct part *part)
{
	if (part)
		s->part = *part;
	if (!list_lengths(s, arena, extent))
		return false;
	list_factors(s, arena);
	for (int k = 0; k < s->factors; k++)
		if (k != s->uneven && is_prime(s->factor[k]) && s->primes < MAX_PRIME_FACTORS)
			s->prime[s->primes++] = (short)k;
	s->times = ARENA_ARRAY(arena, (size_t)s->count * (size_t)s->factors, short);
	for (int i = 0; i < s->count; i++)
		for (int k = 0; k < s->factors; k++)
			s->times[i * s->factors + k] = (short)place_of(
				s->count, s->length, length_times(s, s->length[i], k));
	return true;
}

bool boxes_make(struct boxes *b, struct arena *arena, const struct problem *p,
		const struct part part[])
{
	int64_t count = 1;

	b->dims = p->dims;
	for (int d = 0; d < p->dims; d++) {
		b->side[d] = (struct side){.stride = (int32_t)count};
		if (!side_make(&b->side[d], arena, p->extent[d], part ? &part[d] : NULL))
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

double side_excess(const struct side *s, int64_t length)
{
	int64_t last = s->part.left - (s->part.units - 1) * s->part.tile, steps;

	if (!s->part.units || length > s->part.tile)
		return 1;
	steps = (s->part.units - 1) * (s->part.tile / length) + (last + length - 1) / length;
	return (double)steps * (double)length / (double)s->part.left;
}
