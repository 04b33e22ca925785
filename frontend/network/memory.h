/* memory.h -- does a network fit the memory of this computer? */
#ifndef FRONTEND_MEMORY_H
#define FRONTEND_MEMORY_H

#include "frontend/network/network.h"

/* What is to be done with the network: a compiler touches its weights alone, a run what it computes, too; the
 * interpreter copies the outputs. */
enum memory_use { MEMORY_COMPILE, MEMORY_RUN, MEMORY_INTERPRET };

/* False where the tensors are larger than the memory, which is said in diag: a system that lends out more than
 * there is ends the process that then uses it, without a word. */
bool memory_check(const struct network *, enum memory_use, struct diag *);

#endif
