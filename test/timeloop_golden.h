/* timeloop_golden.h -- the rows of test/golden/timeloop_mappings.json as problems and mappings onto their machine. */
#ifndef TEST_TIMELOOP_GOLDEN_H
#define TEST_TIMELOOP_GOLDEN_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "mapper/cost/cost.h"

enum { LEVELS = 5, DIMS = 8, RANKS = 5 };

static const char *const level_name[LEVELS] = {"DRAM", "GLB", "ifmap_spad", "weights_spad",
					       "psum_spad"};
static const char *const dim_name[DIMS] = {"N", "G", "M", "C", "P", "Q", "R", "S"};
static const char *const operand_json[] = {"Inputs", "Weights", "Outputs"};
static const char *const count_name[] = {"reads", "fills", "updates"};
enum { N, G, M, C, P, Q, R, S };

static int64_t integer(const json_t *object, const char *key, int64_t missing)
{
	const json_t *value = json_object_get(object, key);

	return value ? json_integer_value(value) : missing;
}

/* The machine of the file, as test/golden/README.md gives it. */
static void make_machine(struct hierarchy *h)
{
	static const double cost[] = {200, 6, 1, 1, 1}, bandwidth[] = {4, 16, 2, 2, 2};
	static const int64_t words[] = {0, 55296, 12, 224, 24};
	static const unsigned keeps[] = {7, 5, 1, 2, 4};

	*h = (struct hierarchy){.name = "eyeriss", .levels = LEVELS, .mac_cost = 1, .clock = 1e9};
	for (int i = 0; i < LEVELS; i++) {
		struct level *l = &h->level[i];
		l->name = level_name[i];
		l->is_memory = true;
		l->words = words[i];
		l->may_keep = l->must_keep = keeps[i];
		l->buffers = 1;
		l->word = 16;
		l->width = 1;
		for (int k = 0; k < ACCESS_KINDS; k++)
			l->cost[k] = cost[i];
		l->read_bandwidth = l->write_bandwidth = bandwidth[i];
		l->fanout[0] = l->fanout[1] = 1;
	}
	h->level[1].array = "pe";
	h->level[1].axes = 2;
	h->level[1].fanout[0] = 12;
	h->level[1].fanout[1] = 14;
	h->level[1].axis[0] = "row";
	h->level[1].axis[1] = "column";
	h->level[1].multicast = 1 << CLASS_I | 1 << CLASS_W;
	h->level[1].reduce = 1 << CLASS_O;
}

static void index_by(struct operand *o, int rank, int dim, int64_t coef)
{
	o->coef[rank][dim] = coef;
	o->relevant |= 1u << dim;
}

/* A convolution; rank of the input: N, G, C, P * W + R, Q * H + S. */
static void make_problem(struct problem *p, const json_t *shape)
{
	static const int output[RANKS] = {N, G, M, P, Q}, weight[RANKS] = {G, M, C, R, S};

	*p = (struct problem){.name = "layer", .dims = DIMS, .operands = 3};
	for (int d = 0; d < DIMS; d++) {
		p->dim[d] = dim_name[d];
		p->extent[d] = integer(shape, dim_name[d], 1);
	}
	for (int o = 0; o < 3; o++) {
		p->operand[o].class = (enum tensor_class)o;
		p->operand[o].ranks = RANKS;
	}
	index_by(&p->operand[0], 0, N, 1);
	index_by(&p->operand[0], 1, G, 1);
	index_by(&p->operand[0], 2, C, 1);
	index_by(&p->operand[0], 3, P, integer(shape, "Wstride", 1));
	index_by(&p->operand[0], 3, R, 1);
	index_by(&p->operand[0], 4, Q, integer(shape, "Hstride", 1));
	index_by(&p->operand[0], 4, S, 1);
	for (int r = 0; r < RANKS; r++) {
		index_by(&p->operand[1], r, weight[r], 1);
		index_by(&p->operand[2], r, output[r], 1);
	}
}

/* Columns are X, rows are Y. */
static int axis_of(const json_t *block, const char *dim)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(block, "axis_y"), i, name)
	{
		if (strcmp(json_string_value(name), dim) == 0)
			return 0;
	}
	return 1;
}

/* The loops of the blocks of one level and kind, outermost first. */
static void add_loops(struct mapping *m, const json_t *blocks, int level, enum loop_kind kind,
		      int64_t left[])
{
	size_t i;
	json_t *block;

	json_array_foreach(blocks, i, block)
	{
		const json_t *loops = json_object_get(block, "loops_inner_to_outer");
		bool is_space =
			strcmp(json_string_value(json_object_get(block, "kind")), "spatial") == 0;

		if (strcmp(json_string_value(json_object_get(block, "level")), level_name[level]) !=
			    0 ||
		    is_space != (kind == LOOP_SPACE))
			continue;
		for (size_t k = json_array_size(loops); k-- > 0;) {
			const json_t *loop = json_array_get(loops, k);
			const char *name = json_string_value(json_array_get(loop, 0));
			int d = 0, axis = is_space ? axis_of(block, name) : 0;
			while (strcmp(dim_name[d], name) != 0)
				d++;
			left[d] /= json_integer_value(json_array_get(loop, 1));
			m->loop[m->loops++] = (struct mapped_loop){kind, level, axis, d, left[d]};
		}
	}
}

/* The mapping of a row onto the machine. */
static void make_mapping(struct mapping *m, struct problem *problem, const struct hierarchy *machine,
			 const json_t *row)
{
	int64_t left[DIMS];

	*m = (struct mapping){.problem = problem, .machine = machine, .keep = {7, 5, 1, 2, 4}};
	make_problem(problem, json_object_get(row, "problem"));
	memcpy(left, problem->extent, sizeof left);
	for (int level = 0; level < LEVELS; level++)
		for (int kind = LOOP_TIME; kind <= LOOP_SPACE; kind++)
			add_loops(m, json_object_get(row, "mapping"), level, (enum loop_kind)kind,
				  left);
}

static int compare_counts(const json_t *row, const struct cost *cost)
{
	const json_t *counts = json_object_get(row, "counts_per_instance");
	int compared = 0;

	for (int o = 0; o < 3; o++)
		for (int level = 0; level < LEVELS; level++) {
			const json_t *at = json_object_get(json_object_get(counts, operand_json[o]),
							   level_name[level]);
			for (int k = 0; at && k < ACCESS_KINDS; k++, compared++)
				cr_expect_eq(cost->traffic[level][o].per_instance[k],
					     integer(at, count_name[k], -1),
					     "%s: %s of %s at %s: %lld",
					     json_string_value(json_object_get(row, "layer")),
					     count_name[k], operand_json[o], level_name[level],
					     (long long)cost->traffic[level][o].per_instance[k]);
		}
	return compared;
}

#endif
