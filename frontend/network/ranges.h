/* ranges.h -- how large the values are that a network computes, found by executing it on samples.
 *
 * Of all that is computed only what contractions read is looked at: it is what network_quantise asks for. */
#ifndef FRONTEND_RANGES_H
#define FRONTEND_RANGES_H

#include "frontend/network/quantise.h"

/* Who executes a network; `interpret` is one. NULL or a sentence (malloc'd, freed by the caller). */
struct executor {
	char *(*run)(void *context, const struct network *, struct array *const input[], struct array *output[]);
	void *context;
};

/* All 0; in the network's arena. */
struct ranges ranges_new(const struct network *);
/* Widens the ranges to what is computed from one sample. Parameters have data. As executor.run. */
char *ranges_widen(struct ranges *, struct network *, struct array *const input[], const struct executor *);

#endif
