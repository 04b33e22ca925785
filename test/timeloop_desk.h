/* timeloop_desk.h -- texts of Timeloop read as a user's files are: problem, machine, mapping. */
#ifndef TEST_TIMELOOP_DESK_H
#define TEST_TIMELOOP_DESK_H

#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/elaborate/elaborate.h"
#include "frontend/timeloop/timeloop.h"
#include "mapper/mapping/mapping_timeloop.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct desk {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	const struct problem *problem;  /* or NULL, after errors */
	const struct hierarchy *machine;
};

/* A file with this text, for as long as the arena is used. */
static const char *file_of(struct arena *arena, const char *text, size_t size)
{
	char *path = arena_printf(arena, "/tmp/dnnc-timeloop-XXXXXX.yaml");
	int file = mkstemps(path, 5);

	cr_assert(file >= 0 && write(file, text, size) == (ssize_t)size && close(file) == 0);
	return path;
}

/* The problem of the network's first statement that reads two tensors or more. */
static const struct problem *problem_in(struct arena *arena, const struct network *network)
{
	for (int i = 0; network && i < network->statement_count; i++) {
		const struct problem *p = problem_of(arena, network->statement[i]);
		if (p && p->operands > 2)
			return p;
	}
	return NULL;
}

/* Reads both; what lacks stays NULL, and diag says why. */
static struct desk read_files(const char *problem, const char *architecture)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};
	const struct machine *machine = NULL;

	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	timeloop_read(d.program, problem, architecture);
	if (d.diag->errors == 0 && program_has(d.program, ITEM_BLOCK))
		machine = machine_check(d.program, NULL);
	if (machine)
		d.machine = hierarchy_of(d.program, machine);
	if (d.diag->errors == 0 && program_has(d.program, ITEM_NETWORK)) {
		struct elaborate_options how = {0};
		d.problem = problem_in(d.arena, elaborate(d.program, NULL, &how));
	}
	return d;
}

static const char *first_message(const struct desk *d)
{
	return d->diag->count ? d->diag->finding[0].message : "";
}

#endif
