/* certificate.h -- what a proof leaves behind, as text, and the check of such a text. docs/mapper.md section 5 has the form.
 * The check shares nothing with the search: it reads the mapping, counts what it costs, and makes the proof again. */
#ifndef MAPPER_CERTIFICATE_H
#define MAPPER_CERTIFICATE_H

#include <stdio.h>

#include "mapper/network/workload.h"
#include "mapper/proof/prove.h"

/* A claim: this mapping is one of the space, and none is better; or, without a mapping, the space is empty. */
struct claim {
	const struct problem *problem; /* called as the layer */
	const struct hierarchy *machine;
	const struct constraint *constraint;
	struct proof_goal goal; /* value: that of the mapping; INFINITY without one */
	const struct mapping *mapping;
	const struct proof *proof;
};

/* How many claims and open layers follow. */
void certificate_print_title(int claims, int open, FILE *);
void certificate_print_claim(const struct claim *, FILE *);
/* A layer whose optimum is not proven. */
void certificate_print_open(const char *layer, const char *machine, FILE *);

/* What a check has seen. */
struct certificate_summary {
	int claims, open, subspaces;
	unsigned objectives; /* bit per objective that is claimed */
	int64_t looked;
};

/* Checks a certificate of these layers on these machines. What does not hold is an error at its line; false then. Claims are
 * checked `threads` at a time. */
bool certificate_check(const char *path, int machines, const struct workload *const[], int threads,
		       const struct proof_limits *, struct diag *, struct certificate_summary *);

#endif
