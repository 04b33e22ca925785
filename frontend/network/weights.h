/* weights.h -- gives the parameters of a network the values of a weights file. */
#ifndef FRONTEND_WEIGHTS_H
#define FRONTEND_WEIGHTS_H

#include "frontend/network/network.h"
#include "runtime/safetensors.h"

/* Parameter `c1.W` takes the array of that name, which leaves the set: its place there becomes NULL. An array
 * that does not fit, or is missing for a parameter that has no values yet, is an error in diag; one that no
 * parameter wants is a warning. file is named in messages. */
void weights_load(struct network *, struct array_set *, const char *file, struct diag *);
/* The same from a .safetensors file. The arrays that no parameter took are the caller's to free, after an error too.
 * False after errors. */
bool weights_read(struct network *, const char *path, struct array_set *, struct diag *);

#endif
