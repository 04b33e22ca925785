/* mapping_fixture.h -- a machine from text, a small convolution, mappings as text, and random numbers: for the tests of
 * mappings and constraints. */
#ifndef TEST_MAPPING_FIXTURE_H
#define TEST_MAPPING_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/mapping/mapping_print.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct desk {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	const struct machine *block; /* the machine as it is written */
	struct hierarchy *machine;   /* and as it is mapped onto */
};

static struct desk desk_with(const char *machine)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};

	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	program_add(d.program, "test.hw", machine, strlen(machine));
	d.block = machine_check(d.program, NULL);
	cr_assert_not_null(d.block, "%s", d.diag->count ? d.diag->finding[0].message : "");
	d.machine = hierarchy_of(d.program, d.block);
	cr_assert_not_null(d.machine, "%s", d.diag->count ? d.diag->finding[0].message : "");
	return d;
}

__attribute__((unused)) static char *print(struct desk *d, const struct mapping *m)
{
	char *text = NULL, *copy;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	mapping_print(m, file);
	fclose(file);
	copy = arena_copy(d->arena, text, size);
	free(text);
	return copy;
}

/* ---- Problems ------------------------------------------------------------------------------------------------ */

static void index_by(struct operand *o, int rank, int dim, int64_t coef)
{
	o->coef[rank][dim] = coef;
	o->relevant |= 1u << dim;
	if (o->ranks <= rank)
		o->ranks = rank + 1;
}

enum { K, C, P, Q, R, DIMS };

/* O[k, p, q] += I[c, p * stride + r, q] * W[k, c, r], with n of one step. */
__attribute__((unused)) static struct problem convolution(int64_t k, int64_t c, int64_t p, int64_t q, int64_t r)
{
	static const char *const dim[] = {"k", "c", "p", "q", "r"};
	static const int output[] = {K, P, Q}, weight[] = {K, C, R};
	int64_t extent[] = {k, c, p, q, r};
	struct problem problem = {.name = "c1", .dims = DIMS, .operands = 3};

	for (int d = 0; d < DIMS; d++) {
		problem.dim[d] = dim[d];
		problem.extent[d] = extent[d];
	}
	problem.one[problem.ones++] = "n";
	for (int o = 0; o < 3; o++)
		problem.operand[o].class = (enum tensor_class)o;
	index_by(&problem.operand[CLASS_I], 0, C, 1);
	index_by(&problem.operand[CLASS_I], 1, P, 2);
	index_by(&problem.operand[CLASS_I], 1, R, 1);
	index_by(&problem.operand[CLASS_I], 2, Q, 1);
	for (int i = 0; i < 3; i++) {
		index_by(&problem.operand[CLASS_O], i, output[i], 1);
		index_by(&problem.operand[CLASS_W], i, weight[i], 1);
	}
	return problem;
}

/* Numbers below a limit, by xorshift. */
__attribute__((unused)) static int64_t below(uint64_t *state, int64_t limit)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (int64_t)(*state % (uint64_t)limit);
}

#endif
