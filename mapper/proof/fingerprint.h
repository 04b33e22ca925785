/* fingerprint.h -- a number that tells one piece of work from another: 64 bits of everything that the best mapping depends on.
 * The same on every machine. */
#ifndef MAPPER_FINGERPRINT_H
#define MAPPER_FINGERPRINT_H

#include "mapper/mapping/constraint.h"

/* The loops and how they index the operands, with their names. Not the name of the layer. */
uint64_t fingerprint_problem(const struct problem *);
/* Memories, arrays, networks and costs, with the names of memories and axes. Not the name of the machine. */
uint64_t fingerprint_machine(const struct hierarchy *);
uint64_t fingerprint_constraint(const struct constraint *, const struct problem *, const struct hierarchy *);

#endif
