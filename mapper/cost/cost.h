/* cost.h -- what a mapping costs: every access of every memory, energy and cycles, in closed form.
 * The rules are those of docs/cost-model.md; each function names the one that it follows. */
#ifndef MAPPER_COST_H
#define MAPPER_COST_H

#include "mapper/mapping/mapping.h"

/* Words that one operand moves at one level, all instances together. */
struct traffic {
	int64_t count[ACCESS_KINDS];
	int64_t per_instance[ACCESS_KINDS]; /* of the busiest instance */
	int64_t accesses[ACCESS_KINDS];     /* of all instances; each moves `width` words of one */
	int64_t tile;                       /* words held by one instance; 0 where it is not kept */
	int64_t deliveries; /* words handed to units inside, one for each receiver */
	int64_t hops;       /* that the operand's words make in the arrays inside this level */
	int64_t network;    /* words at the outer end of the array inside one instance, the busiest for this operand */
};

/* NETWORK: of the array inside the level. */
enum bound_kind { BOUND_COMPUTE, BOUND_READ, BOUND_WRITE, BOUND_SHARED, BOUND_CLASS, BOUND_NETWORK };

struct cost {
	struct traffic traffic[MAX_LEVELS][MAX_OPERANDS]; /* of the levels and operands that there are */
	int64_t instances[MAX_LEVELS]; /* used */
	int64_t network_words[MAX_LEVELS]; /* at the outer end of the array inside the level, the busiest one */
	int64_t macs, units;           /* points of the nest; MAC units used */
	int64_t steps;                 /* cycles of the arithmetic alone */
	int64_t cycles;                /* overlap perfect: the greatest of all resources */
	enum bound_kind bound;         /* which, */
	int bound_level;               /* and where; */
	enum tensor_class bound_class; /* CLASS: of which port */
	double energy;
	double energy_mac, energy_network, energy_level[MAX_LEVELS], energy_leakage;
};

/* Capacity and fan-out hold? If not, *why is a sentence in the arena. */
bool mapping_fits(struct arena *, const struct mapping *, const char **why);
/* Whether it fits is not asked. False where memory is out, and then the counts are not to be used. */
bool mapping_cost(const struct mapping *, struct cost *);

#endif
