/* lattice.c -- a problem goes in, its tiles come out, numbered. */
#include "mapper/search/lattice.h"

#include <stdlib.h>
#include <string.h>

static bool find_divisors(struct axis_of_lattice *a)
{
	int64_t high[MAX_DIVISORS];
	int highs = 0;

	a->count = 0;
	for (int64_t i = 1; i <= a->extent / i; i++) {
		if (a->extent % i != 0)
			continue;
		if (a->count + highs + 2 > MAX_DIVISORS || i > 1 << 22)
			return false;
		a->divisor[a->count++] = i;
		if (a->extent / i != i)
			high[highs++] = a->extent / i;
	}
	while (highs > 0)
		a->divisor[a->count++] = high[--highs];
	return true;
}

static bool is_prime(int64_t number)
{
	for (int64_t i = 2; i <= number / i; i++)
		if (number % i == 0)
			return false;
	return number > 1;
}

static bool find_steps(struct axis_of_lattice *a)
{
	bool prime[MAX_DIVISORS];

	for (int i = 0; i < a->count; i++)
		prime[i] = is_prime(a->divisor[i]);
	for (int i = 0; i < a->count; i++)
		for (int k = i + 1; k < a->count; k++) {
			int64_t factor = a->divisor[k] / a->divisor[i];
			if (a->divisor[k] % a->divisor[i] != 0)
				continue;
			int at = 0;
			while (a->divisor[at] < factor)
				at++;
			if (a->divisor[at] != factor || !prime[at])
				continue;
			if (a->steps[i] == MAX_PRIMES)
				return false;
			a->step[i][a->steps[i]++] = (unsigned char)k;
		}
	return true;
}

static bool find_products(struct axis_of_lattice *a, const struct lattice *l, int dim)
{
	a->product = malloc((size_t)(a->count * a->count) * sizeof *a->product);
	for (int i = 0; a->product && i < a->count; i++)
		for (int k = 0; k < a->count; k++)
			a->product[i * a->count + k] =
				a->extent / a->divisor[i] % a->divisor[k] == 0
					? (short)lattice_find(l, dim, a->divisor[i] * a->divisor[k])
					: (short)-1;
	return a->product != NULL;
}

enum lattice_status lattice_make(struct lattice *l, const struct problem *p)
{
	int64_t states = 1;

	memset(l, 0, sizeof *l);
	l->dims = p->dims;
	for (int d = 0; d < p->dims; d++) {
		struct axis_of_lattice *a = &l->dim[d];
		a->extent = p->extent[d];
		if (a->extent > (int64_t)1 << 40 || !find_divisors(a) || !find_steps(a))
			return LATTICE_TOO_MANY;
		a->stride = (int32_t)states;
		states *= a->count;
		if (states > MAX_STATES)
			return LATTICE_TOO_MANY;
		if (!find_products(a, l, d))
			return LATTICE_NO_MEMORY;
	}
	l->states = (int32_t)states;
	return LATTICE_DONE;
}

void lattice_box(const struct lattice *l, int32_t state, int64_t extent[MAX_DIMS])
{
	for (int d = 0; d < l->dims; d++)
		extent[d] = lattice_extent(l, state, d);
}

int lattice_find(const struct lattice *l, int dim, int64_t divisor)
{
	for (int i = 0; i < l->dim[dim].count; i++)
		if (l->dim[dim].divisor[i] == divisor)
			return i;
	return -1;
}

void lattice_free(struct lattice *l)
{
	for (int d = 0; d < l->dims; d++)
		free(l->dim[d].product);
}
