/* calibrate.h -- the ranges of a network's tensors, from files of samples. */
#ifndef FRONTEND_CALIBRATE_H
#define FRONTEND_CALIBRATE_H

#include "frontend/network/ranges.h"

/* A .npy file for each input, in their order: one sample has the input's shape, more of them follow each other along
 * the first dimension. What is wrong is in diag, and the result false. */
bool calibrate(struct network *, const char *const path[], int count, const struct executor *,
	       struct ranges *, struct diag *);
/* From one sample of normal random numbers, the same ones for the same seed. */
bool calibrate_random(struct network *, uint64_t seed, const struct executor *, struct ranges *,
		      struct diag *);

#endif
