/* eyexam.h -- why a layer does not run faster on a machine: seven bounds in multiply-accumulates a cycle, none above the
 * one before, so that each difference is the price of one thing. The method is Eyexam's (Chen, Yang, Emer, Sze,
 * "Eyeriss v2", JETCAS 2019, section III); docs/mapping-a-network.md says what each step counts here. */
#ifndef MAPPER_EYEXAM_H
#define MAPPER_EYEXAM_H

#include "mapper/cost/cost.h"
#include "mapper/mapping/constraint.h"

enum eyexam_step {
	EYEXAM_SHAPE,     /* every multiply-accumulate at once */
	EYEXAM_DATAFLOW,  /* loops that may run in parallel do, the others one step at a time */
	EYEXAM_UNITS,     /* on as many units as there are */
	EYEXAM_ARRAY,     /* along the axes that they stand in, each loop folded by itself */
	EYEXAM_STORAGE,   /* in the mapping found, whose tiles fit: the units that work, on average */
	EYEXAM_BANDWIDTH, /* when each tensor has each port to itself */
	EYEXAM_CYCLES,    /* when tensors share the ports: MACs by cycles, overlap perfect, until they are simulated */
	EYEXAM_STEPS
};
extern const char *const eyexam_name[EYEXAM_STEPS];

struct eyexam {
	double rate[EYEXAM_STEPS]; /* multiply-accumulates a cycle */
	/* What holds back EYEXAM_BANDWIDTH: port (BOUND_COMPUTE: none), level and operand. */
	enum bound_kind port;
	int level, operand;
};

/* The constraint is the one under which the mapping was found; NULL: what the machine allows. */
void eyexam(const struct mapping *, const struct cost *, const struct constraint *, struct eyexam *);

/* May a loop run over some array? */
bool eyexam_is_parallel(const struct hierarchy *, const struct constraint *, int dim);
/* Greatest rate of a problem whose loops run over the axes of all arrays, within the constraint: EYEXAM_ARRAY. */
double eyexam_folding(const struct problem *, const struct hierarchy *, const struct constraint *);

#endif
