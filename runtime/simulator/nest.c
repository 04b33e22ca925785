/* nest.c -- from the steps of the loops to the positions that are left to each instance. */
#include "runtime/simulator/nest.h"

#include <string.h>

struct visit {
	const struct sim_layer *layer;
	const int64_t *step;
	int end; /* the loops before it stand outside of the level */
	int64_t weight
		[LAYER_LOOPS]; /* that a step of a loop in space has in the number of an instance */
	void (*each)(void *context, int64_t instance, const struct part *);
	void *context;
};

static int loops_outside(const struct sim_layer *l, int level)
{
	int i = 0;
	while (i < l->loops && l->loop[i].level < level)
		i++;
	return i;
}

static void weigh(struct visit *v, int level)
{
	const struct sim_layer *l = v->layer;
	for (int i = 0; i < v->end; i++) {
		const struct layer_loop *loop = &l->loop[i];
		v->weight[i] = 1;
		for (int j = i + 1; j < v->end; j++)
			if (l->loop[j].in_space && l->loop[j].level == loop->level &&
			    l->loop[j].axis == loop->axis)
				v->weight[i] *= l->steps[j];
		for (int axis = loop->axis + 1; axis < MAX_AXES; axis++)
			v->weight[i] *= l->used[loop->level][axis];
		for (int inside = loop->level + 1; inside < level; inside++)
			v->weight[i] *= l->used[inside][0] * l->used[inside][1];
	}
}

/* requires the part that the loops before this one leave, and leaves it so */
static void visit(const struct visit *v, int loop, int depth, int64_t instance, struct part *part)
{
	if (loop == v->end) {
		v->each(v->context, instance, part);
		return;
	}
	const struct layer_loop *at = &v->layer->loop[loop];
	int64_t *first = &part->first[at->dim], *extent = &part->extent[at->dim];
	int64_t first_before = *first, extent_before = *extent;
	int64_t step = at->in_space ? 0 : v->step[depth];
	do {
		int64_t left = extent_before - step * at->tile;
		if (left <= 0)
			break;
		*first = first_before + step * at->tile;
		*extent = left < at->tile ? left : at->tile;
		visit(v, loop + 1, depth + !at->in_space,
		      instance + (at->in_space ? step * v->weight[loop] : 0), part);
		step++;
	} while (at->in_space);
	*first = first_before;
	*extent = extent_before;
}

static struct part whole(const struct sim_layer *l)
{
	struct part part = {0};
	memcpy(part.extent, l->extent, sizeof part.extent);
	return part;
}

void nest_each(const struct sim_layer *l, int level, const int64_t step[],
	       void (*each)(void *, int64_t, const struct part *), void *context)
{
	struct visit v = {.layer = l,
			  .step = step,
			  .end = loops_outside(l, level),
			  .each = each,
			  .context = context};
	struct part part = whole(l);
	weigh(&v, level);
	visit(&v, 0, 0, 0, &part);
}

int64_t nest_steps(const struct sim_layer *l, int depth, const int64_t step[])
{
	const struct layer_loop *at = &l->loop[l->time[depth - 1]];
	int64_t extent = l->extent[at->dim];
	int walked = 0;
	if (l->is_whole)
		return l->steps[l->time[depth - 1]];
	for (int i = 0; i < l->time[depth - 1]; i++) {
		const struct layer_loop *outer = &l->loop[i];
		int64_t s = outer->in_space ? 0 : step[walked++];
		if (outer->dim != at->dim)
			continue;
		extent -= s * outer->tile;
		if (extent > outer->tile)
			extent = outer->tile;
	}
	return extent > 0 ? (extent + at->tile - 1) / at->tile : 0;
}

struct box nest_box(const struct sim_layer *l, int operand, const struct part *part)
{
	const struct layer_operand *o = &l->operand[operand];
	struct box box = {0};
	for (int r = 0; r < MAX_RANK; r++) {
		box.extent[r] = 1;
		for (int d = 0; r < o->ranks && d < l->dims; d++) {
			int64_t coef = o->rank[r].coef[d];
			int64_t reach = coef * (part->extent[d] - 1);
			box.first[r] += coef * part->first[d] + (reach < 0 ? reach : 0);
			box.extent[r] += reach < 0 ? -reach : reach;
		}
	}
	return box;
}
