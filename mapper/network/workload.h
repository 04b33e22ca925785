/* workload.h -- the layers of a network as the mapper takes them: which statements are mapped onto a machine, under which
 * names, and which of them are the same work.
 *
 * layer   a statement as a piece of work; a network's `c1 = relu(conv(x))` is several, of which by default the one that
 *         multiplies and accumulates is mapped
 * given   a whole mapping of a layer, which a file brings and which is evaluated as it stands
 * alike   two layers whose best mapping is the same: equal problems under equal constraints */
#ifndef MAPPER_WORKLOAD_H
#define MAPPER_WORKLOAD_H

#include "mapper/mapping/constraint.h"

struct layer {
	const char *name; /* no other layer's: `map NAME on MACHINE` */
	const struct statement *statement;
	const struct problem *problem; /* called as the layer; NULL: why */
	const char *why;               /* it cannot be mapped, as half a sentence; or NULL */
	int64_t macs;                  /* 0: it multiplies and accumulates nothing */
	int64_t dropped; /* points that `else drop` leaves out, and a nest counts; -1: some, too many to be looked at */
	const struct constraint *constraint;
	const struct tree_item *map; /* what a file says of its mapping, or NULL */
	const struct mapping *given; /* where that says all; or NULL */
	int first;                   /* the first layer alike, often itself; -1: none, it cannot be mapped or is given */
};

struct workload {
	const struct network *network;
	const struct hierarchy *machine;
	int layers;
	struct layer *layer; /* in the order of the network */
	int distinct;        /* how many are to be searched */
	int others;          /* statements that were not asked for */
};

/* The statements that multiply and accumulate, or all. What the machine allows is their constraint. */
struct workload *workload_of(struct arena *, const struct network *, const struct hierarchy *, bool all);
/* Narrows the constraint of each layer by the dataflow of the machine, which is of this program, and takes the maps onto
 * the machine that a file holds (NULL: none): whole ones are given, others narrow the constraint further. What is wrong
 * is in diag, and the result false. `imperfect` as the search will have it. */
bool workload_constrain(struct workload *, struct program *, const struct machine *, struct program *maps,
			bool imperfect);
/* Before that: a mapping in Timeloop's YAML is given. It is the only layer's that multiplies and accumulates, or that of the
 * layer whose name the problem beside it has. Errors are in the program's diag, and the result false. */
bool workload_take_timeloop(struct workload *, struct program *, const char *path);
/* Says which layers are alike, once constraints and mappings are given. */
void workload_compare(struct workload *);

#endif
