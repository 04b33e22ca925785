/* hierarchy.h -- the machine as the mapper counts it: memories in line, from the outermost inward, with arrays of
 * units between them.
 *
 * level      one memory of the line; level 0 is the outermost and keeps everything
 * instance   one of the copies of a level that the arrays outside of it make
 * fanout     how many instances of the next level (or of the MAC, below the last) hang on one instance
 * class      which tensors a property speaks of: I (what is read first), W (a parameter, or what is read second),
 *            O (what is written)
 *
 * Capacities are in words, bandwidths in words per cycle of one instance, costs in the machine's unit of energy. */
#ifndef MAPPER_HIERARCHY_H
#define MAPPER_HIERARCHY_H

#include "frontend/machine.h"

enum { MAX_LEVELS = 10, MAX_AXES = 2 };

enum tensor_class { CLASS_I, CLASS_W, CLASS_O, CLASSES };

/* What a refill brings: COST_MODEL section 2, rule 2. */
enum halo { HALO_DELTA, HALO_FULL };

/* Counted accesses of a memory. */
enum access_kind { ACCESS_READ, ACCESS_FILL, ACCESS_UPDATE, ACCESS_KINDS };

struct level {
	const char *name;
	bool is_memory; /* false: an array directly inside another; it keeps nothing */
	int64_t words;  /* capacity of one instance for all tensors together; 0 = unlimited */
	int64_t class_words
		[CLASSES]; /* capacity for one class where the memory is partitioned; 0 = not */
	unsigned may_keep; /* bit per class */
	int buffers;       /* 1, or 2: a tile is filled while another is used */
	enum halo halo;
	double cost[ACCESS_KINDS]; /* energy of one word */
	double read_bandwidth, write_bandwidth,
		shared_bandwidth;   /* words per cycle; 0 = unlimited */
	int axes;                   /* of the array inside this level; 0 = a single unit */
	int64_t fanout[MAX_AXES];   /* 1 where there is no axis */
	const char *axis[MAX_AXES]; /* "row", "column" */
	unsigned multicast; /* bit per class: one read serves all units that need the same words */
	unsigned reduce; /* bit per class: partial sums for one place are added on their way out */
	double hop_cost; /* energy of one word delivered to one unit */
};

struct hierarchy {
	const char *name;
	int levels;
	struct level level[MAX_LEVELS]; /* outermost first */
	double mac_cost;
	double clock; /* Hz */
};

/* The hierarchy of an accelerator; errors (too many levels) in diag, then NULL. */
struct hierarchy *hierarchy_of(struct program *, const struct machine *);

#endif
