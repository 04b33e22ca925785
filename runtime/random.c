/* random.c -- Philox 4x32-10: ten rounds of multiplication and exclusive or, keyed by the seed.
 * Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011. */
#include "random.h"

#include <math.h>

enum { ROUNDS = 10 };
static const uint32_t M0 = 0xD2511F53, M1 = 0xCD9E8D57; /* multipliers */
static const uint32_t W0 = 0x9E3779B9, W1 = 0xBB67AE85; /* what a round adds to the key */

void random_words(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
	uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
	uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t p0 = (uint64_t)M0 * x0, p1 = (uint64_t)M1 * x2;
		x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
		x1 = (uint32_t)p1;
		x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
		x3 = (uint32_t)p0;
		k0 += W0;
		k1 += W1;
	}
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

float random_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
	uint32_t words[4];
	random_words(seed, stream, counter, words);
	return (float)(words[0] >> 8) * 0x1p-24f;
}

double random_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
	static const double two_pi = 6.283185307179586476925;
	uint32_t words[4];
	random_words(seed, stream, counter, words);
	double radius = ((double)words[0] + 1) * 0x1p-32; /* in (0, 1]: has a logarithm */
	double angle = (double)words[1] * 0x1p-32;
	return sqrt(-2 * log(radius)) * cos(two_pi * angle);
}

uint64_t random_stream(const char *name, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
	return hash;
}
