/* trace.c -- a whole label, from the outermost level inward, as the mapping that it is. */
#include "mapper/proof/label.h"

struct trace {
	const struct prover *p;
	struct mapping *m;
	int64_t left[MAX_DIMS]; /* of each dimension */
};

static void add_loop(struct trace *t, enum loop_kind kind, int level, int axis, int dim,
		     int64_t tile)
{
	struct mapped_loop loop = {kind, level, axis, dim, tile};

	t->m->loop[t->m->loops++] = loop;
	t->left[dim] = tile;
}

/* Which loops that stand in any order have to stand outside of others: those that index what is stationary, those that the
 * constraint's order does not name, then the earlier named. */
static int place_in_order(const struct constraint *c, const struct problem *p, int level, int dim)
{
	int stationary = c->stationary[level], place = 0;

	if (stationary >= 0 && !(p->operand[stationary].relevant >> dim & 1))
		place += 2 * MAX_DIMS;
	for (int i = 0; i < c->order_count[level]; i++)
		if (c->order[level][i] == dim)
			place += 1 + i;
	return place;
}

/* The loops of a level around a box, that its runs have made from another. */
static void add_block(struct trace *t, const struct label *l)
{
	const struct facts *f = t->p->f;
	const struct growth *g = &l->growth;
	const struct boxes *b = &f->boxes;
	int32_t box = g->inside->box;

	t->m->keep[g->level] = f->set[g->level][g->set];
	for (int i = 0; i < g->runs; i++)
		box = box_times(b, box, g->run[i].dim, g->run[i].factor);
	for (int place = 0; place < 4 * MAX_DIMS; place++)
		for (int d = 0; d < b->dims; d++)
			if (box_length(b, box, d) != box_length(b, l->box, d) &&
			    place_in_order(f->constraint, f->problem, g->level, d) == place)
				add_loop(t, LOOP_TIME, g->level, 0, d, box_length(b, box, d));
	for (int i = g->runs - 1; i >= 0; i--) {
		int d = g->run[i].dim;
		add_loop(t, LOOP_TIME, g->level, 0, d,
			 t->left[d] / b->side[d].factor[g->run[i].factor]);
	}
}

/* The loops in space stand by axis, then as the spread has them. */
static void add_array(struct trace *t, const struct label *l)
{
	const struct growth *g = &l->growth;
	const struct boxes *b = &t->p->f->boxes;

	for (int axis = 0; axis < MAX_AXES; axis++)
		for (int i = 0; i < b->dims; i++) {
			int d = g->spread->turn[i];
			if (g->spread->factor[d] > 0 && g->spread->axis[d] == axis)
				add_loop(t, LOOP_SPACE, g->level, axis, d,
					 box_length(b, g->inside->box, d));
		}
}

void label_trace(const struct prover *p, const struct label *l, struct mapping *m)
{
	struct trace t = {.p = p, .m = m};

	*m = (struct mapping){.problem = p->f->problem, .machine = p->f->machine};
	for (int d = 0; d < p->f->problem->dims; d++)
		t.left[d] = p->f->problem->extent[d];
	for (; l->growth.inside; l = l->growth.inside)
		if (l->growth.spread)
			add_array(&t, l);
		else
			add_block(&t, l);
}
