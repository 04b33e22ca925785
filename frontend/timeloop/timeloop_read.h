/* timeloop_read.h -- what the parts of the importer share: timeloop.c loads files and reads scalars, timeloop_problem.c
 * makes a network, timeloop_parts.c puts the components of an architecture in line, timeloop_machine.c makes a machine of them. */
#ifndef FRONTEND_TIMELOOP_READ_H
#define FRONTEND_TIMELOOP_READ_H

#include "frontend/timeloop/timeloop.h"

enum { TIMELOOP_MAX_SPACES = 16, TIMELOOP_MAX_PARTS = 64 };

/* Which of I, W and O a data space is: bits in the order of the letters. */
enum { CALLED_I = 1, CALLED_W = 2, CALLED_O = 4, CALLED_ALL = 7 };

struct timeloop {
	struct program *program;
	struct arena *arena;
	struct diag *diag;
	int spaces; /* data spaces of the problem; 0: there is none, and Inputs, Weights, Outputs are meant */
	const char *space[TIMELOOP_MAX_SPACES];
	unsigned called[TIMELOOP_MAX_SPACES];
};

/* A component of the line, outermost first. */
struct timeloop_part {
	enum { PART_STORAGE, PART_NOTHING, PART_MAC } kind;
	const char *name;                   /* of ours */
	const char *yaml_name;              /* as it is called there, without range */
	const struct yaml *at;              /* the component */
	const struct yaml *attributes;      /* or itself, in the older formats */
	const char *array;                  /* of the units that it is one of, or NULL */
	bool is_container;                  /* of timeloopfe: what it says of a network is of the one around it */
	int64_t x, y;                       /* units along each axis, of the whole machine */
	unsigned bypassed, held;            /* CALLED_... : by constraints */
	unsigned apart;                     /* not shared by the network below */
};

struct timeloop_parts {
	const char *name;      /* of the machine */
	double cycle;          /* seconds; 0: not said */
	int count;
	struct timeloop_part part[TIMELOOP_MAX_PARTS];
};

void timeloop_problem(struct timeloop *, const struct yaml *problem);
/* The parts of the architecture at `root`, by whichever of its formats; false after errors. */
bool timeloop_parts(struct timeloop *, const struct yaml *root, struct timeloop_parts *);
void timeloop_machine(struct timeloop *, const struct yaml *root);

/* The text becomes a source of the program: for the place of what is wrong in it, called after the file. */
void timeloop_add(struct timeloop *, const struct yaml *from, const char *ending, const char *text, size_t size);

/* The bits of a data space's name; 0 after an error. */
unsigned timeloop_space(struct timeloop *, const struct yaml *name);
/* The same of a list of names, or of one. */
unsigned timeloop_spaces(struct timeloop *, const struct yaml *names);
bool timeloop_number(struct timeloop *, const struct yaml *, double *);
/* Is a switch on? "true", "yes", 1. */
bool timeloop_is_on(const struct yaml *);

#endif
