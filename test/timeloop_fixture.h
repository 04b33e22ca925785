/* timeloop_fixture.h -- the layers and the machine of test/golden/timeloop_mappings.json. */
#ifndef TEST_TIMELOOP_FIXTURE_H
#define TEST_TIMELOOP_FIXTURE_H

#include <jansson.h>
#include <string.h>

#include "mapper/machine/hierarchy.h"
#include "mapper/mapping/mapping.h"

enum { TIMELOOP_LEVELS = 5, TIMELOOP_DIMS = 8 };

/* The line of memories of test/golden/README.md; a 14 x 12 array below the second. What the second may keep is a choice. */
static inline void timeloop_machine(struct hierarchy *h, unsigned glb_may, unsigned glb_must)
{
	static const char *const name[] = {"dram", "glb", "ispad", "wspad", "pspad"};
	static const double cost[] = {200, 6, 1, 1, 1}, bandwidth[] = {4, 16, 2, 2, 2};
	static const int64_t words[] = {0, 55296, 12, 224, 24};
	static const unsigned keep[] = {7, 0, 1 << CLASS_I, 1 << CLASS_W, 1 << CLASS_O};

	*h = (struct hierarchy){.name = "timeloop", .levels = TIMELOOP_LEVELS, .mac_cost = 1};
	for (int i = 0; i < TIMELOOP_LEVELS; i++) {
		struct level *l = &h->level[i];
		l->name = name[i];
		l->is_memory = true;
		l->words = words[i];
		l->may_keep = i == 1 ? glb_may : keep[i];
		l->must_keep = i == 1 ? glb_must : keep[i];
		l->buffers = 1;
		l->width = 1;
		l->word = 16;
		for (int k = 0; k < ACCESS_KINDS; k++)
			l->cost[k] = cost[i];
		l->read_bandwidth = l->write_bandwidth = bandwidth[i];
		l->multicast = l->reduce = 7;
		l->fanout[0] = l->fanout[1] = 1;
	}
	h->level[1].array = "pe";
	h->level[1].axes = 2;
	h->level[1].fanout[0] = 14;
	h->level[1].fanout[1] = 12;
	h->level[1].axis[0] = "row";
	h->level[1].axis[1] = "column";
}

/* A convolution; ranks of the input: N, G, C, P * W + R, Q * H + S. Dimensions of 1 are none. */
static inline void timeloop_problem(struct problem *p, const char *name, const json_t *shape)
{
	static const char *const dim[TIMELOOP_DIMS] = {"N", "G", "M", "C", "P", "Q", "R", "S"};
	static const char *const rank[3][5] = {
		{"N", "G", "C", "PR", "QS"}, {"G", "M", "C", "R", "S"}, {"N", "G", "M", "P", "Q"}};
	static const char *const tensor[] = {"Inputs", "Weights", "Outputs"};
	const json_t *w = json_object_get(shape, "Wstride"), *h = json_object_get(shape, "Hstride");

	*p = (struct problem){.name = name, .operands = 3};
	for (int d = 0; d < TIMELOOP_DIMS; d++) {
		const json_t *extent = json_object_get(shape, dim[d]);
		if (!extent || json_integer_value(extent) == 1)
			continue;
		p->dim[p->dims] = dim[d];
		p->extent[p->dims++] = json_integer_value(extent);
	}
	for (int o = 0; o < 3; o++) {
		struct operand *operand = &p->operand[o];
		*operand = (struct operand){
			.name = tensor[o], .class = (enum tensor_class)o, .ranks = 5};
		for (int r = 0; r < 5; r++)
			for (int d = 0; d < p->dims; d++) {
				if (!strchr(rank[o][r], *p->dim[d]))
					continue;
				operand->coef[r][d] = o > 0		  ? 1
						      : *p->dim[d] == 'P' ? json_integer_value(w)
						      : *p->dim[d] == 'Q' ? json_integer_value(h)
									  : 1;
				operand->relevant |= 1u << d;
			}
	}
}

#endif
