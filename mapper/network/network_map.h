/* network_map.h -- every layer of a workload onto its machine: layers alike are searched once, several at a time, within
 * one budget. The number of threads changes no result. */
#ifndef MAPPER_NETWORK_MAP_H
#define MAPPER_NETWORK_MAP_H

#include <stdio.h>

#include "mapper/explain/eyexam.h"
#include "mapper/network/workload.h"
#include "mapper/proof/prove.h"
#include "mapper/search/search.h"

struct map_options {
	enum objective objective;
	bool imperfect;              /* imperfect spatial factors as well */
	bool pareto;                 /* find the energy-latency set of each layer, too */
	bool certify;                /* prove each optimum once more, without the search, for a certificate */
	int threads;                 /* >= 1 */
	double seconds;              /* budget of the whole network; 0: none */
	int64_t evaluations;         /* the same in partial mappings looked at; 0: none */
	volatile sig_atomic_t *stop; /* not 0: stop soon; or NULL */
	FILE *progress;              /* a line that is written over and erased in the end; or NULL */
};

/* A mapping such that none has both less energy and fewer cycles. */
struct pareto_point {
	double energy;
	int64_t cycles;
	int64_t most_cycles;        /* it is the least energy of all that take so many; 0: of all */
	const struct mapping *mapping;
	const struct proof *proof;  /* where it was asked for, else NULL */
};

struct layer_mapping {
	const struct layer *layer;
	struct search_result found; /* of a given mapping: PROVEN is not said, bound is 0 */
	struct eyexam eyexam;       /* where found.has_mapping */
	const struct proof *proof;  /* where it was asked for and the search proved an optimum; else NULL */
	int points;                 /* of the energy-latency set, the least energy first */
	struct pareto_point *point;
	bool is_set_whole; /* the set is proven and nothing of it is missing */
	const struct proof *end; /* that no mapping takes fewer cycles than the last point, where asked for and not plain */
};

struct network_mapping {
	const struct workload *workload;
	struct map_options options;
	struct layer_mapping *layer; /* workload->layers of them; those that cannot be mapped have no mapping */
};

/* What share of its bound a value may be above the optimum: 0 proven, INFINITY where nothing is known. */
double search_gap(const struct search_result *);

struct network_mapping *network_map(struct arena *, const struct workload *, const struct map_options *);

#endif
