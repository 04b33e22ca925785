/* accelerator_sample.h -- a random mapping as a layer of a program, with tensors as large as the words of its operands. */
#ifndef TEST_ACCELERATOR_SAMPLE_H
#define TEST_ACCELERATOR_SAMPLE_H

#include "backend/accelerator/layer.h"
#include "mapping_trial.h"
#include "runtime/random.h"
#include "runtime/simulator/machine.h"
#include "runtime/simulator/simulate.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum { ALIGNMENT = 64 };

/* A trial as a layer: each operand is a tensor as large as its words. */
struct sample {
	struct trial trial;
	struct cost cost;
	struct code machine_code, tensor_code, code;
	struct hierarchy machine;
	struct tensors tensors;
	struct layer_tensor place[MAX_OPERANDS];
};

/* Coordinates of the whole problem along a rank. */
static void measure(const struct problem *p, const struct operand *o, int r, int64_t *least,
		    int64_t *length)
{
	*least = 0;
	*length = 1;
	for (int d = 0; d < p->dims; d++) {
		int64_t far = o->coef[r][d] * (p->extent[d] - 1);
		*least += far < 0 ? far : 0;
		*length += llabs(far);
	}
}

static void write_tensor(struct sample *p, int operand, int64_t *address)
{
	struct operand *o = &p->trial.problem.operand[operand];
	union field *f = code_add(&p->tensor_code, OP_TENSOR);
	bool is_output = operand == p->trial.problem.operands - 1;
	int64_t words = 1;
	f[TENSOR_NAME].text = code_text(&p->tensor_code, o->name);
	f[TENSOR_TYPE].whole = is_output ? TYPE_I32 : TYPE_I8;
	f[TENSOR_ROLE].whole = SIM_LOCAL;
	f[TENSOR_ADDRESS].whole = *address;
	p->place[operand] = (struct layer_tensor){.number = operand, .axes = o->ranks};
	for (int r = 0; r < o->ranks; r++) {
		int64_t least, length;
		measure(&p->trial.problem, o, r, &least, &length);
		code_add(&p->tensor_code, OP_EXTENT)[EXTENT_COUNT].whole = length;
		p->place[operand].offset[r] = -least;
		o->axis[r] = r;
		o->scale[r] = 1;
		words *= length;
	}
	*address += (4 * words + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Of its trial. */
static inline void build_sample(struct sample *p)
{
	uint64_t number = p->trial.number;
	int64_t address = 0;
	cr_assert(mapping_cost(&p->trial.mapping, &p->cost));
	for (int i = 0; i < p->trial.problem.operands; i++)
		write_tensor(p, i, &address);
	cr_assert(machine_write(&p->machine_code, &p->trial.machine));
	cr_assert(layer_write(&p->code, "layer", &p->trial.mapping, p->place, &p->cost));
	char *error = machine_read(&p->machine_code, &p->machine);
	cr_assert_null(error, "trial %" PRIu64 ": %s", number, error);
	error = tensors_read(&p->tensors, &p->tensor_code, NULL, 0);
	cr_assert_null(error, "trial %" PRIu64 ": %s", number, error);
}

static inline void make_sample(struct sample *p, uint64_t number, enum beyond beyond)
{
	memset(p, 0, sizeof *p);
	draw_trial(&p->trial, number, beyond);
	build_sample(p);
}

static void free_sample(struct sample *p)
{
	code_free(&p->machine_code);
	code_free(&p->tensor_code);
	code_free(&p->code);
	tensors_free(&p->tensors);
}

static inline void fill_inputs(const struct sample *p)
{
	for (int i = 0; i < p->tensors.count; i++)
		for (int64_t k = 0; k < p->tensors.tensor[i].count; k++) {
			uint32_t words[4];
			random_words(p->trial.number, (uint64_t)i, (uint64_t)k, words);
			tensor_set_word(&p->tensors, &p->tensors.tensor[i], k,
					i < p->tensors.count - 1 ? words[0] % 255 - 127 : 0);
		}
}

/* The element of an operand at a point of the nest. */
static inline int64_t element_at(const struct sample *p, int operand, const int64_t position[])
{
	const struct problem *problem = &p->trial.problem;
	int64_t element = 0;
	for (int r = 0; r < problem->operand[operand].ranks; r++) {
		int64_t index = p->place[operand].offset[r];
		for (int d = 0; d < problem->dims; d++)
			index += problem->operand[operand].coef[r][d] * position[d];
		element = element * p->tensors.tensor[operand].extent[r] + index;
	}
	return element;
}

/* Plain loops. */
static inline int64_t *compute(const struct sample *p)
{
	const struct problem *problem = &p->trial.problem;
	int last = problem->operands - 1, d;
	int64_t position[MAX_DIMS] = {0};
	int64_t *sum = calloc((size_t)p->tensors.tensor[last].count, sizeof *sum);
	do {
		int64_t product = 1;
		for (int i = 0; i < last; i++)
			product *= tensor_word(&p->tensors, &p->tensors.tensor[i],
					       element_at(p, i, position));
		sum[element_at(p, last, position)] += product;
		for (d = problem->dims - 1; d >= 0 && ++position[d] == problem->extent[d]; d--)
			position[d] = 0;
	} while (d >= 0);
	return sum;
}

#endif
