/* options.h -- the command line of dnnc, from the table in options.c. */
#ifndef FRONTEND_OPTIONS_H
#define FRONTEND_OPTIONS_H

#include "frontend/elaborate/elaborate.h"
#include "frontend/network/quantise.h"

enum { MAX_DIM_OPTIONS = 64, MAX_INPUT_FILES = 64, MAX_MACHINES = 16 };
enum dump { DUMP_TREE, DUMP_NETWORK, DUMP_MACHINE, DUMP_MAPPING, DUMP_IR, DUMP_ASM, DUMP_COUNT };
enum goal { GOAL_ENERGY, GOAL_EDP, GOAL_CYCLES, GOAL_COUNT }; /* what the mapper makes least */
enum diag_form { DIAG_TEXT, DIAG_JSON, DIAG_FORM_COUNT };
enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER, COLOUR_COUNT };

/* Strings point into argv; what was not given is NULL, 0 or false. */
struct options {
	const char *network_file, *weights_file, *map_file, *certificate_file; /* the last: to be checked */
	const char *machine_file[MAX_MACHINES]; /* -hw, in its order */
	int machine_count;
	const char *network; /* -network: which of several */
	const char *out;
	const char *cpu, *triple;
	const char *input[MAX_INPUT_FILES]; /* .npy files for -run, in the order of the inputs */
	int input_count;
	const char *sample[MAX_INPUT_FILES]; /* .npy files of -calibrate, in the order of the inputs */
	int sample_count;
	bool is_quantised;   /* -quantise is given: */
	enum number number;
	struct dim_binding dim[MAX_DIM_OPTIONS];
	int dim_count;
	uint64_t seed;
	bool dump[DUMP_COUNT];
	bool run, summary, help, version;
	bool all, imperfect, pareto, explain, certificate; /* of the mapper */
	enum goal goal;
	double budget_seconds;      /* -budget 10s */
	int64_t budget_evaluations; /* -budget 100000 */
	int threads;                /* 0: as many as there are processors */
	bool warnings_are_errors, warnings_are_hidden;
	enum diag_form form;
	enum colour colour;
};

/* Fills options, which was all zero. NULL, or a sentence that says what is wrong with the command line (malloc'd,
 * freed by the caller). Cuts the texts of -dim and -dump in argv. */
char *options_parse(struct options *, int argc, char **argv);
void options_print_help(FILE *);

#endif
