/* report_test.c -- docs/mapping-a-network.md section 5: the report holds the very counts of the cost model, and reads as
 * JSON. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "backend/report/report.h"
#include "frontend/elaborate/elaborate.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

static const char *const text =
	"machine m { clock 1 GHz  memory dram { bandwidth 8 B @ 500 MHz }\n"
	"	memory buf { size 64 words  keeps I, O }\n"
	"	array pe[4, 2] { memory r { size 8 words  keeps W } mac { } } }\n"
	"network net(x: f32[1, 2, 6, 6]) {\n"
	"	a = conv(x, filters = 2, kernel = 3, pad = 1)\n"
	"	b = conv(a, filters = 2, kernel = 3, pad = 1)\n"
	"	c = dense(flatten(b), 6)\n"
	"	return c\n"
	"}\n";

static const struct network_mapping *map(struct arena *arena)
{
	struct diag *diag = ARENA_NEW(arena, struct diag);
	struct program *program;
	struct network *n;
	struct hierarchy *h;

	diag->arena = arena;
	program = program_new(arena, diag);
	program_add(program, "test.dnn", text, strlen(text));
	n = elaborate(program, NULL, &(struct elaborate_options){0});
	h = hierarchy_of(program, machine_check(program, NULL));
	cr_assert(n && h && diag->errors == 0);
	return network_map(arena, workload_of(arena, n, h, false),
			   &(struct map_options){.threads = 2, .pareto = true});
}

/* The member at a path of keys and indices, "layers/0/energy"; it must be there. */
static json_t *at(json_t *value, const char *path)
{
	char copy[100], *rest = copy, *key;

	cr_assert_lt(strlen(path), sizeof copy);
	strcpy(copy, path);
	while (value && (key = strsep(&rest, "/")))
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key))
					     : json_object_get(value, key);
	cr_assert_not_null(value, "no member %s", path);
	return value;
}

static void expect_counts(json_t *layer, const struct layer_mapping *l)
{
	static const char *const kind[ACCESS_KINDS] = {"reads", "fills", "updates"};
	const struct mapping *m = &l->found.mapping;

	for (int level = 0; level < m->machine->levels; level++) {
		json_t *accesses = json_array_get(at(layer, "accesses"), (size_t)level);
		cr_expect_eq(json_integer_value(at(accesses, "instances")),
			     l->found.cost.instances[level]);
		for (int o = 0; o < m->problem->operands; o++) {
			const struct traffic *t = &l->found.cost.traffic[level][o];
			static const char *const name[CLASSES] = {"I", "W", "O"};
			json_t *counts =
				at(at(accesses, "operands"), name[m->problem->operand[o].class]);
			for (int k = 0; k < ACCESS_KINDS; k++) {
				cr_expect_eq(json_integer_value(at(counts, kind[k])), t->count[k]);
				cr_expect_eq(
					json_integer_value(at(at(counts, "perInstance"), kind[k])),
					t->per_instance[k]);
			}
			cr_expect_eq(json_integer_value(at(counts, "tile")), t->tile);
			cr_expect_eq(json_integer_value(at(counts, "deliveries")), t->deliveries);
			cr_expect_eq(json_integer_value(at(counts, "hops")),
				     m->machine->level[level].axes > 0 ? t->hops : 0);
		}
	}
}

Test(report, holds_what_the_cost_model_counts)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct mapped_machine machine = {"test.hw", map(arena)};
	char *string = report_json(1, &machine), *again = report_json(1, &machine);
	json_t *report = json_loads(string, JSON_REJECT_DUPLICATES, NULL), *mapped;

	cr_assert_not_null(report, "%s", string);
	cr_expect_str_eq(string, again);
	mapped = at(report, "machines/0");
	cr_expect_eq(json_array_size(at(mapped, "layers")), 3);
	for (int i = 0; i < 3; i++) {
		const struct layer_mapping *l = &machine.mapped->layer[i];
		json_t *layer = json_array_get(at(mapped, "layers"), (size_t)i);
		double energy = json_number_value(at(layer, "energy/mac")) +
				json_number_value(at(layer, "energy/network"));
		const char *key;
		json_t *value;
		json_object_foreach(at(layer, "energy/levels"), key, value)
		{
			energy += json_number_value(value);
		}
		expect_counts(layer, l);
		cr_expect_str_eq(json_string_value(at(layer, "name")), l->layer->name);
		cr_expect_eq(json_number_value(at(layer, "energy/total")), l->found.cost.energy);
		cr_expect_eq(energy, l->found.cost.energy, "whole numbers here: the parts sum up");
		cr_expect_eq(json_integer_value(at(layer, "cycles/total")), l->found.cost.cycles);
		cr_expect_eq(json_number_value(at(layer, "search/bound")), l->found.bound);
		cr_expect_str_eq(json_string_value(at(layer, "search/status")), "proven");
		cr_expect_eq(json_number_value(at(layer, "eyexam/cycles")),
			     l->eyexam.rate[EYEXAM_CYCLES]);
		cr_expect_eq(json_array_size(at(layer, "pareto/points")), (size_t)l->points);
	}
	cr_expect_str_eq(json_string_value(at(mapped, "layers/1/search/sameAs")), "a");
	cr_expect(json_is_null(at(mapped, "layers/0/search/sameAs")));
	/* No port takes longer than all cycles, and the one that bounds them takes as long, but for the rounding. */
	json_t *cycles = at(mapped, "layers/2/cycles");
	cr_expect_str_eq(json_string_value(at(cycles, "boundLevel")), "dram");
	double port = json_number_value(at(cycles, "ports/0/shared"));
	double all = json_number_value(at(cycles, "total"));
	cr_expect(port <= all && port > all - 1, "%g of %g", port, all);
	json_decref(report);
	free(string);
	free(again);
	arena_free(arena);
}
