/* objective.h -- what a best mapping is best in. Ties are broken as docs/mapper.md section 1 says. */
#ifndef MAPPER_OBJECTIVE_H
#define MAPPER_OBJECTIVE_H

#include "mapper/cost/cost.h"

enum objective { OBJECTIVE_ENERGY, OBJECTIVE_EDP, OBJECTIVE_CYCLES, OBJECTIVES };
extern const char *const objective_name[OBJECTIVES]; /* "energy", "edp", "cycles" */

/* What the objective makes of energy and cycles, and of a cost. */
double objective_from(enum objective, double energy, double cycles);
double objective_value(enum objective, const struct cost *);

#endif
