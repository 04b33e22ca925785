/* network_report.h -- the mapping of a network in words: per layer what it costs and what bounds it, one machine by itself
 * or several side by side. */
#ifndef MAPPER_NETWORK_REPORT_H
#define MAPPER_NETWORK_REPORT_H

#include "mapper/network/network_map.h"

/* Sums over the layers that have a mapping. */
struct network_totals {
	int mapped, proven, unmapped; /* layers; a given mapping is not proven */
	int64_t macs, steps, cycles;  /* macs: points of the layers */
	double energy;
	int64_t accesses[MAX_LEVELS]; /* reads, fills and updates of all instances */
	int64_t without_reuse;        /* words read and written where each point reads and writes its own: 4 of a MAC */
};
struct network_totals network_totals(const struct network_mapping *);
int64_t level_accesses(const struct cost *, const struct problem *, int level);

/* A row a layer, the totals, and what the reuse of the mapping saves: the accesses. */
void network_report(struct arena *, const struct network_mapping *, FILE *);

struct mapped_machine {
	const char *file; /* that describes it */
	const struct network_mapping *mapped;
};
/* Several machines: a row for each layer and machine, and how each does beside the first. Machines whose names are the
 * same are told apart by their files. */
void network_compare(struct arena *, int machines, const struct mapped_machine[], FILE *);
/* The bounds of Eyexam, and what each step loses. */
void network_explain(struct arena *, const struct network_mapping *, FILE *);
/* The energy-latency sets. */
void network_print_pareto(struct arena *, const struct network_mapping *, FILE *);
/* All mappings, as text that -map reads. */
void network_print_mappings(const struct network_mapping *, FILE *);

#endif
