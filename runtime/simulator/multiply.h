/* multiply.h -- the products of all MAC units in one step, where all runs are alike: each reads a word of each input at its address in the
 * memory, and adds to a word of the output.
 *
 * An address is a sum over the ranks of the operand: of what stands in a table for each coordinate, which the loops in time move for all
 * units together, and where a unit stands for itself. */
#ifndef RUNTIME_SIMULATOR_MULTIPLY_H
#define RUNTIME_SIMULATOR_MULTIPLY_H

#include "runtime/simulator/move.h"

struct multiplier;

/* For the memories, which are to outlive it. NULL where memory is out. */
struct multiplier *multiplier_new(struct memories *);
void multiplier_free(struct multiplier *);
/* Can it be used? All runs are alike, and every operand has a memory inside of the outermost. */
bool multiplier_serves(const struct sim_layer *);
void multiplier_step(struct multiplier *, const struct place_of_loops *);

#endif
