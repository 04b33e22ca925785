/* random.h -- counter-based random numbers: the value depends on (seed, stream, counter) alone, so that any
 * thread or node may draw any part of a sequence. Philox 4x32-10 (Salmon et al., SC 2011). */
#ifndef RUNTIME_RANDOM_H
#define RUNTIME_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Four independent 32-bit words. */
void random_words(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* Uniform in [0, 1): the top 24 bits of word 0, exact in a float. */
float random_uniform(uint64_t seed, uint64_t stream, uint64_t counter);

/* Normal with mean 0 and variance 1: Box and Muller's transform of two uniform numbers. */
double random_normal(uint64_t seed, uint64_t stream, uint64_t counter);

/* A stream number from a name (64-bit FNV-1a). */
uint64_t random_stream(const char *name, size_t length);

#endif
