/* names.h -- names of networks and tensors, which may hold any bytes, as identifiers of C and
 * C++. */
#ifndef BACKEND_CPU_NAMES_H
#define BACKEND_CPU_NAMES_H

#include "frontend/network/network.h"

/* Letters, digits and '_' stay; all else becomes '_'. Not a keyword, not empty, not beginning
 * with a digit. */
char *names_identifier(struct arena *, const char *name);
/* The network's name as a prefix of others. */
const char *names_network(struct arena *, const struct network *);
/* One identifier for each name, all different. */
const char **names_unique(struct arena *, const char *const name[], int count);
/* In capitals. */
char *names_capital(struct arena *, const char *identifier);

#endif
