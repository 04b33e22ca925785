/* nest_fixture.h -- problems from a short notation.
 *
 * "n c pr qs|k c r s|n k p q" is a convolution: operands between bars, the output last; ranks
 * between blanks; a letter is a dimension, and of two letters the second slides over the first:
 * stride * p + dilation * r. */
#ifndef TEST_NEST_FIXTURE_H
#define TEST_NEST_FIXTURE_H

#include "mapper/mapping/mapping.h"

#include <string.h>

enum { LETTERS = 128 };

struct shape {
	int64_t extent[LETTERS]; /* of each dimension; those of extent 1 are left out */
	int64_t stride, dilation;
};

static void note_index(struct operand *operand, const int *dim, char letter, int64_t coef)
{
	int d = dim[(int)letter];
	if (d < 0)
		return;
	operand->coef[operand->ranks][d] += coef;
	operand->relevant |= 1u << d;
}

static void note_problem(struct problem *problem, const char *notation, const struct shape *shape)
{
	static const char *const names[] = {"I", "W", "V"};
	static const char *const letters[LETTERS] = {
		['a'] = "a", ['b'] = "b", ['c'] = "c", ['g'] = "g", ['i'] = "i",
		['j'] = "j", ['k'] = "k", ['l'] = "l", ['m'] = "m", ['n'] = "n",
		['p'] = "p", ['q'] = "q", ['r'] = "r", ['s'] = "s"};
	int dim[LETTERS];
	*problem = (struct problem){.name = notation, .operands = 1};
	for (int c = 0; c < LETTERS; c++) {
		dim[c] = -1;
		if (letters[c] && strchr(notation, c) && shape->extent[c] > 1) {
			dim[c] = problem->dims;
			problem->dim[problem->dims] = letters[c];
			problem->extent[problem->dims++] = shape->extent[c];
		}
	}
	struct operand *operand = problem->operand;
	for (const char *at = notation; *at; at++) {
		bool slides = at[0] != ' ' && at[0] != '|' && at[1] && at[1] != ' ' && at[1] != '|';
		if (*at == '|') {
			operand = &problem->operand[problem->operands++];
			continue;
		}
		if (*at == ' ')
			continue;
		note_index(operand, dim, at[0], slides ? shape->stride : 1);
		if (slides)
			note_index(operand, dim, *++at, shape->dilation);
		operand->ranks++;
	}
	for (int o = 0; o < problem->operands; o++) {
		bool last = o == problem->operands - 1;
		problem->operand[o].name = last ? "O" : names[o];
		problem->operand[o].class = last ? CLASS_O : o == 0 ? CLASS_I : CLASS_W;
	}
}

#endif
