/* view.c -- a mapping and its operands as the counts see them: what many of them ask for, found once. */
#include "mapper/cost/count.h"

#include <stdlib.h>
#include <string.h>

bool outline_of(const struct mapping *m, struct outline *n)
{
	int64_t left[MAX_DIMS], turns = 1;
	bool is_perfect = true;
	int level = 0;

	n->m = m;
	memcpy(left, m->problem->extent, sizeof left);
	for (int i = 0; i < m->loops; i++) {
		const struct mapped_loop *l = &m->loop[i];
		int64_t *extent = &left[l->dim], whole = *extent / l->tile,
			rest = *extent % l->tile;

		for (; level <= l->level; level++) {
			n->first[level] = i;
			memcpy(n->box[level], left, sizeof left);
		}
		n->turns[i] = turns;
		n->steps[i] = whole + (rest > 0);
		if (l->kind == LOOP_TIME)
			turns *= n->steps[i];
		is_perfect &= rest == 0;
		*extent = l->tile;
	}
	n->turns[m->loops] = turns;
	for (; level <= m->machine->levels; level++) {
		n->first[level] = m->loops;
		memcpy(n->box[level], left, sizeof left);
	}
	return is_perfect;
}

void view_of(const struct outline *n, int operand, struct view *v)
{
	const struct operand *o = &n->m->problem->operand[operand];

	v->outline = n;
	v->operand = o;
	v->number = operand;
	v->is_plain = true;
	for (int r = 0; r < o->ranks; r++) {
		struct rank *rank = &v->rank[r];
		rank->dims = 0;
		rank->terms = 0;
		for (unsigned open = o->relevant; open; open &= open - 1) {
			int d = __builtin_ctz(open);
			if (o->coef[r][d] == 0)
				continue;
			rank->dims |= 1u << d;
			rank->term[rank->terms++] = (struct term){d, llabs(o->coef[r][d])};
		}
		v->is_plain &= rank->terms <= 1;
	}
}

int64_t view_length(const struct view *v, int rank, const int64_t extent[MAX_DIMS])
{
	const struct rank *r = &v->rank[rank];
	int64_t length = 1;

	for (int t = 0; t < r->terms; t++)
		length += r->term[t].coef * (extent[r->term[t].dim] - 1);
	return length;
}

int64_t view_words(const struct view *v, const int64_t extent[MAX_DIMS])
{
	int64_t words = 1;

	for (int r = 0; r < v->operand->ranks; r++)
		words *= view_length(v, r, extent);
	return words;
}

bool view_meets(const struct view *v, unsigned dims)
{
	for (int r = 0; r < v->operand->ranks; r++) {
		unsigned met = v->rank[r].dims & dims;
		if (met & (met - 1))
			return true;
	}
	return false;
}

bool view_merges(const struct view *v, int loop)
{
	const struct mapped_loop *l = &v->outline->m->loop[loop];
	const struct level *level = &v->outline->m->machine->level[l->level];
	enum tensor_class class = v->operand->class;
	unsigned merging = class == CLASS_O ? level->reduce : level->multicast;

	return (merging >> class & 1) && !(level->apart[class] >> l->axis & 1);
}
