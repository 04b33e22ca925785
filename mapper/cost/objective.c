/* objective.c -- energy, energy times cycles, or cycles. */
#include "mapper/cost/objective.h"

const char *const objective_name[OBJECTIVES] = {"energy", "edp", "cycles"};

double objective_from(enum objective objective, double energy, double cycles)
{
	switch (objective) {
	case OBJECTIVE_EDP:
		return energy * cycles;
	case OBJECTIVE_CYCLES:
		return cycles;
	default:
		return energy;
	}
}

double objective_value(enum objective objective, const struct cost *cost)
{
	return objective_from(objective, cost->energy, (double)cost->cycles);
}
