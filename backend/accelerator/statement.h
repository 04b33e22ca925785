/* statement.h -- from a tensor statement to the instructions of the unit behind the array, or of the host. */
#ifndef BACKEND_ACCELERATOR_STATEMENT_H
#define BACKEND_ACCELERATOR_STATEMENT_H

#include "frontend/network/network.h"
#include "runtime/isa.h"

/* Tensors are numbered by their id. False when memory is out. */
bool statement_write(struct code *, const struct statement *);

#endif
