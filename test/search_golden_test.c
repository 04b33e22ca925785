/* search_golden_test.c -- docs/mapper.md section 3: the optima of test/golden/timeloop_optima.csv, proven by another program
 * in the same space (bypass fixed, perfect factors, a dimension on one axis), are found and proven here. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "frontend/source/arena.h"
#include "mapper/search/search.h"
#include "timeloop_fixture.h"

static void fail(void *context)
{
	(void)context;
	abort();
}

/* The shape of the first mapping of the layer. */
static const json_t *shape_of(const json_t *rows, const char *layer)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (strcmp(json_string_value(json_object_get(row, "layer")), layer) == 0)
			return json_object_get(row, "problem");
	}
	return NULL;
}

struct optimum {
	char layer[32], objective[16];
	double energy;
	int64_t cycles;
};

static enum objective objective_of(const char *name)
{
	int o = 0;

	while (strcmp(objective_name[o], name) != 0)
		o++;
	return (enum objective)o;
}

static void check(const json_t *rows, const struct optimum *known)
{
	struct search_options options = {.objective = objective_of(known->objective)};
	struct arena *arena = arena_new(fail, NULL);
	struct search_result result;
	struct hierarchy machine;
	struct problem problem;
	const json_t *shape = shape_of(rows, known->layer);

	cr_assert(shape, "%s has no shape", known->layer);
	timeloop_machine(&machine, 1 << CLASS_I | 1 << CLASS_O, 1 << CLASS_I | 1 << CLASS_O);
	timeloop_problem(&problem, known->layer, shape);
	search(arena, &problem, &machine, &options, &result);
	cr_assert_eq(result.status, SEARCH_PROVEN, "%s, %s: not proven", known->layer,
		     known->objective);
	cr_expect_eq(result.cost.energy, known->energy, "%s, %s: energy %.0f, known %.0f",
		     known->layer, known->objective, result.cost.energy, known->energy);
	cr_expect_eq(result.cost.cycles, known->cycles,
		     "%s, %s: %" PRId64 " cycles, known %" PRId64, known->layer, known->objective,
		     result.cost.cycles, known->cycles);
	arena_free(arena);
}

/* All rows of one objective. */
static void check_all(const char *objective)
{
	json_t *rows = json_load_file(SOURCE_DIR "/test/golden/timeloop_mappings.json", 0, NULL);
	FILE *file = fopen(SOURCE_DIR "/test/golden/timeloop_optima.csv", "r");
	char line[256];
	int checked = 0;

	cr_assert(rows && file, "the golden files are there");
	while (fgets(line, sizeof line, file)) {
		struct optimum known = {.energy = 0};
		if (sscanf(line, "%31[^,],%15[^,],%lf,%" SCNd64, known.layer, known.objective,
			   &known.energy, &known.cycles) != 4 ||
		    strcmp(known.objective, objective) != 0)
			continue;
		check(rows, &known);
		checked++;
	}
	cr_expect(checked == 12, "only %d optima of %s were checked", checked, objective);
	fclose(file);
	json_decref(rows);
}

Test(search_golden, timeloop_optima_by_energy)
{
	check_all("energy");
}

Test(search_golden, timeloop_optima_by_edp)
{
	check_all("edp");
}

Test(search_golden, timeloop_optima_by_cycles)
{
	check_all("cycles");
}
