/* hierarchy.h -- the machine as it is counted, by the closed form and by the simulator: memories in line, from the outermost
 * inward, with arrays of units between them.
 *
 * level      one memory of the line; level 0 is the outermost and keeps everything
 * instance   one of the copies of a level that the arrays outside of it make
 * fanout     how many instances of the next level (or of the MAC, below the last) hang on one instance
 * class      which tensors a property speaks of: I (what is read first), W (a parameter, or what is read second),
 *            O (what is written)
 *
 * Capacities are in words, bandwidths in words per cycle of one instance, costs in the machine's unit of energy.
 * Beside each field stands the property that it comes from; docs/language.md section 4.4 says how. */
#ifndef RUNTIME_SIMULATOR_HIERARCHY_H
#define RUNTIME_SIMULATOR_HIERARCHY_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_LEVELS = 10, MAX_AXES = 2 };

enum tensor_class { CLASS_I, CLASS_W, CLASS_O, CLASSES };

/* What a refill brings: COST_MODEL section 2, rule 2. */
enum halo { HALO_DELTA, HALO_FULL };

/* Counted accesses of a memory. */
enum access_kind { ACCESS_READ, ACCESS_FILL, ACCESS_UPDATE, ACCESS_KINDS };

/* How hops are counted: on a bus or tree one for each receiver; on a mesh the links of all routes together, from the
 * corner along the first row, then along a column; on a torus the shorter way round: network torus. */
enum topology { TOPOLOGY_BUS, TOPOLOGY_MESH, TOPOLOGY_TORUS };

struct level {
	/* Of the memory; where there is none, of the array that the level is one unit of. */
	const char *name;
	bool is_memory; /* false: an array directly inside another; it keeps nothing */

	int64_t words; /* of one instance for all tensors; 0 = unlimited: size 64 KiB */
	int64_t class_words[CLASSES]; /* for one class; 0 = no room of its own: size W 224 words */
	unsigned may_keep;            /* bit per class: keeps I, O */
	unsigned must_keep;           /* bit per class: holds W */
	int buffers;                  /* 1, or 2: one is filled while another is used: buffers 2 */
	enum halo halo;               /* halo full */
	int word;                     /* bits of a word: word 16 bit */
	int64_t width; /* words of one tensor that one access moves: width 4 words */

	double cost[ACCESS_KINDS]; /* energy of one access: cost read 6 write 7 */
	double leakage;            /* energy of one instance in one cycle: leakage 2 mW */
	/* Words per cycle, 0 = unlimited: bandwidth 4 words, bandwidth read 4 words write 2 words. */
	double read_bandwidth, write_bandwidth, shared_bandwidth;
	/* Words per cycle of one class, in and out, through a port of its own: port O 4 words. */
	double class_bandwidth[CLASSES];
	double latency; /* cycles until the first word: latency 2 us */

	const char *array;          /* inside this level: "pe"; NULL = a single unit */
	int axes;                   /* of the array; 0 = a single unit */
	int64_t fanout[MAX_AXES];   /* 1 where there is no axis: array pe[12, 14] */
	const char *axis[MAX_AXES]; /* "row", "column"; of the lanes of a mac "lane" */
	/* Bit per class: one read serves all units that need the same words; partial sums for one place are added on
	 * their way out. Not so between units along an axis whose bit is set in `apart`: network multicast(row). */
	unsigned multicast, reduce;
	unsigned apart[CLASSES];
	/* Bit per axis: of units that need the same words, the first gets them and each passes them on to the next:
	 * link I horizontal. Where it is set, `apart` is not. */
	unsigned linked[CLASSES];
	enum topology topology[CLASSES];
	double hop_cost;          /* energy of one word over one hop: cost of the array */
	double network_bandwidth; /* words per cycle into and out of one array; 0 = unlimited */
	double network_latency;   /* cycles until the first word */
};

struct hierarchy {
	const char *name;
	int levels;
	struct level level[MAX_LEVELS]; /* outermost first */
	double mac_cost;                /* energy of one multiply-accumulate */
	double mac_leakage;             /* energy of one MAC unit in one cycle */
	double mac_latency;             /* cycles */
	double leakage;                 /* energy of one cycle beside that of memories and MACs */
	double clock;                   /* Hz */
	bool is_in_joules;              /* costs are joules; else in units of the machine's own */
	bool is_buffered;               /* overlap buffered */
	const char *dataflow;           /* its name, or NULL */
};

#endif
