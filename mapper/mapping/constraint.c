/* constraint.c -- the constraint that leaves everything open. */
#include "mapper/mapping/constraint.h"

#include <string.h>

void constraint_free(struct constraint *c, const struct problem *p, const struct hierarchy *h)
{
	memset(c, 0, sizeof *c);
	for (int l = 0; l < h->levels; l++) {
		c->stationary[l] = -1;
		for (int o = 0; o < p->operands; o++) {
			enum tensor_class class = p->operand[o].class;
			if (l == 0 || (h->level[l].must_keep >> class & 1))
				c->must_keep[l] |= 1u << o;
			if (l == 0 || (h->level[l].may_keep >> class & 1))
				c->may_keep[l] |= 1u << o;
		}
	}
}
