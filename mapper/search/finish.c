/* finish.c -- the outermost block ends a mapping: all loops that are left stand there, and only their order is open. */
#include "mapper/search/label.h"

#include <assert.h>
#include <string.h>

/* ---- From labels to a mapping ----------------------------------------------------------------------------------- */

struct builder {
	const struct engine *e;
	struct mapping *m;
	int64_t left[MAX_DIMS];
};

static void add_loop(struct builder *b, struct mapped_loop loop, int64_t steps)
{
	loop.tile = b->left[loop.dim] / steps;
	b->left[loop.dim] = loop.tile;
	if (b->m->loops < MAX_MAPPED_LOOPS)
		b->m->loop[b->m->loops++] = loop;
}

/* Where a loop that is no part of the run stands: the smaller, the further inside. */
static int rank_of(const struct constraint *c, const struct problem *p, int level, int dim)
{
	int stationary = c->stationary[level];

	for (int i = 0; i < c->order_count[level]; i++)
		if (c->order[level][i] == dim)
			return -i - 1;
	return stationary >= 0 && (p->operand[stationary].relevant >> dim & 1) ? 1 : 0;
}

/* The loops of a block from the inside outward: the run, then the others. */
static int order_loops(const struct engine *e, const struct label *l, const int64_t steps[],
		       int dim[])
{
	const struct problem *p = e->t->problem;
	unsigned placed = 0;
	int count = 0;

	for (int i = 0; i < l->runs; i++) {
		placed |= 1u << l->run[i].dim;
		dim[count++] = l->run[i].dim;
	}
	for (int rank = -MAX_DIMS; rank <= 1; rank++)
		for (int d = 0; d < p->dims; d++)
			if (steps[d] > 1 && !(placed >> d & 1) &&
			    rank_of(&e->t->constraint, p, l->level, d) == rank)
				dim[count++] = d;
	return count;
}

static void add_block(struct builder *b, const struct label *l)
{
	const struct lattice *lattice = &b->e->t->lattice;
	int64_t steps[MAX_DIMS];
	int dim[MAX_DIMS], count;

	for (int d = 0; d < lattice->dims; d++)
		steps[d] = lattice_extent(lattice, l->state, d) /
			   lattice_extent(lattice, l->inner->state, d);
	count = order_loops(b->e, l, steps, dim);
	while (count-- > 0)
		add_loop(b, (struct mapped_loop){LOOP_TIME, l->level, 0, dim[count], 0},
			 steps[dim[count]]);
}

static void add_units(struct builder *b, const struct label *l)
{
	for (int axis = 0; axis < MAX_AXES; axis++)
		for (int i = 0; i < l->spread->count; i++)
			if (l->spread->over[i].axis == axis)
				add_loop(b,
					 (struct mapped_loop){LOOP_SPACE, l->level, axis,
							      l->spread->over[i].dim, 0},
					 l->spread->over[i].units);
}

void label_mapping(const struct engine *e, const struct label *l, struct mapping *m)
{
	struct builder b = {.e = e, .m = m};

	memset(m, 0, sizeof *m);
	m->problem = e->t->problem;
	m->machine = e->t->machine;
	memcpy(b.left, e->t->problem->extent, sizeof b.left);
	for (; l->inner; l = l->inner) {
		if (l->spread) {
			add_units(&b, l);
		} else {
			add_block(&b, l);
			m->keep[l->level] = l->kept;
		}
	}
}

/* ---- The best ------------------------------------------------------------------------------------------------ */

static double value_of(enum objective o, double energy, double cycles)
{
	return objective_from(o, energy, cycles);
}

/* A label counts no less than its mapping costs, but for parts of accesses. (It counts more where it closed a link without halo
 * before it had to, for another does not.) First visits are too many where outputs are indexed by sums. */
static void assert_enough(const struct engine *e, const struct cost *cost, double energy,
			  double cycles)
{
	double moving = (cost->energy - cost->energy_leakage) * (1 - 1e-9);
	bool enough = !e->counts_energy || energy + e->t->slack >= moving;

	if (e->counts_cycles && !e->is_rough)
		enough &= cycles > ((double)cost->cycles - 1) * (1 - 1e-9);
	enough |= e->t->tangled[e->t->output] != 0;
	assert(enough);
	(void)enough;
}

static void take(struct engine *e, const struct mapping *mapping, double energy, double cycles)
{
	e->best_first = value_of(e->first, energy, cycles);
	e->best_second = value_of(e->second, energy, cycles);
	e->mapping = *mapping;
	e->found = e->has_mapping = true;
}

/* Is what labels count what mappings cost, and quicker? That of a mesh or of links is found unit by unit. */
static bool labels_suffice(const struct engine *e)
{
	return e->memo && !e->is_rough && !e->t->wide && !e->t->tangled[e->t->output];
}

static void offer(struct engine *e, const struct label *l)
{
	double energy = l->energy - l->first, cycles = label_cycles(e, l, 0);
	struct mapping mapping;
	struct cost cost;

	if (is_hopeless(e, energy, cycles))
		return;
	label_mapping(e, l, &mapping);
	if (labels_suffice(e)) {
		double whole = label_whole_cycles(e, l);
		if (is_hopeless(e, energy, whole))
			return;
		take(e, &mapping, energy + e->t->leakage * whole, whole);
		e->counted_energy = energy;
		e->counted_cycles = cycles;
		e->is_uncosted = true;
		return;
	}
	if (!mapping_cost(&mapping, &cost)) {
		e->no_memory = true;
		return;
	}
	assert_enough(e, &cost, energy, cycles);
	if (is_hopeless(e, cost.energy - cost.energy_leakage, (double)cost.cycles))
		return;
	take(e, &mapping, cost.energy, (double)cost.cycles);
	e->cost = cost;
}

void finish_cost(struct engine *e)
{
	if (!e->is_uncosted)
		return;
	e->is_uncosted = false;
	if (!mapping_cost(&e->mapping, &e->cost)) {
		e->no_memory = true;
		e->has_mapping = false;
		return;
	}
	assert_enough(e, &e->cost, e->counted_energy, e->counted_cycles);
	e->best_first = value_of(e->first, e->cost.energy, (double)e->cost.cycles);
	e->best_second = value_of(e->second, e->cost.energy, (double)e->cost.cycles);
}

/* ---- The outermost block --------------------------------------------------------------------------------------- */

struct finish {
	struct engine *e;
	const struct label *inside;
	int64_t steps[MAX_DIMS];
	unsigned unmoved, ordered;
	bool is_said; /* the constraint says something of the order */
};

static void take_loop(struct finish *f, struct scratch *s, int d)
{
	const struct terms *t = f->e->t;

	for (int i = s->label.links - 1; i >= 0; i--) {
		struct link *k = &s->link[i];
		if (!k->is_open)
			continue;
		if (t->problem->operand[k->operand].relevant >> d & 1)
			link_close(f->e, s, i,
				   terms_halo(t, k->child, k->operand, k->tile, d,
					      lattice_extent(&t->lattice, f->inside->state, d),
					      (double)f->steps[d]));
		else
			k->words /= (double)f->steps[d];
	}
	s->label.run[s->label.runs++].dim = (unsigned char)d;
}

static bool closes_none(const struct finish *f, const struct scratch *s, int d)
{
	for (int i = 0; i < s->label.links; i++)
		if (s->link[i].is_open &&
		    (f->e->t->problem->operand[s->link[i].operand].relevant >> d & 1))
			return false;
	return true;
}

/* May the loop be the next one outward of the run? */
static bool may_follow(const struct finish *f, const struct scratch *s, int d)
{
	const struct constraint *c = &f->e->t->constraint;
	int own = rank_of(c, f->e->t->problem, 0, d);

	for (int i = 0; i < s->label.runs; i++)
		if (rank_of(c, f->e->t->problem, 0, s->label.run[i].dim) > own)
			return false;
	return true;
}

static void finish_run(struct finish *f, struct scratch *s, unsigned left)
{
	const struct terms *t = f->e->t;
	struct scratch next;

	for (int d = 0; d < t->problem->dims && !f->is_said; d++)
		if ((left >> d & 1) && closes_none(f, s, d)) {
			take_loop(f, s, d);
			left &= ~(1u << d);
		}
	if (left == 0)
		for (int i = s->label.links - 1; i >= 0; i--)
			link_close(f->e, s, i, 1);
	if (links_open(&s->label) == 0) {
		for (int d = 0; d < t->problem->dims; d++)
			if ((left >> d & 1) && !may_follow(f, s, d))
				return;
		offer(f->e, &s->label);
		return;
	}
	for (int d = 0; d < t->problem->dims; d++) {
		if (!(left >> d & 1) || !may_follow(f, s, d))
			continue;
		scratch_copy(f->e, &next, &s->label);
		take_loop(f, &next, d);
		finish_run(f, &next, left & ~(1u << d));
	}
}

void finish_block(struct engine *e, const struct label *inside)
{
	const struct terms *t = e->t;
	const struct constraint *c = &t->constraint;
	struct finish f = {.e = e, .inside = inside};
	struct scratch s;
	unsigned left = 0;

	f.is_said = c->order_count[0] > 0 || c->stationary[0] >= 0;
	for (int d = 0; d < t->problem->dims; d++) {
		f.steps[d] = t->problem->extent[d] / lattice_extent(&t->lattice, inside->state, d);
		if (c->time[0][d] != 0 && c->time[0][d] != f.steps[d])
			return;
		left |= f.steps[d] > 1 ? 1u << d : 0;
	}
	scratch_copy(e, &s, inside);
	s.label.inner = inside;
	s.label.spread = NULL;
	s.label.state = t->lattice.states - 1;
	s.label.level = 0;
	s.label.kept = t->all;
	s.label.runs = 0;
	links_reach(e, &s, 0, t->all);
	finish_run(&f, &s, left);
}

/* ---- A free label of level 1 ------------------------------------------------------------------------------------ */

/* Follows the bound to the tile that it was taken from. */
static int32_t best_tile(const struct engine *e, int mask, int32_t state)
{
	const struct lattice *l = &e->t->lattice;
	const struct bounds *b = e->b;
	double least = bounds_any(b, 1, state)[mask];

	while (b->at[(size_t)state * (size_t)b->masks[1] + (size_t)mask] > least) {
		int32_t next = state;
		for (int d = 0; d < l->dims && next == state; d++) {
			const struct axis_of_lattice *a = &l->dim[d];
			int place = state / a->stride % a->count;
			for (int i = 0; i < a->steps[place] && next == state; i++) {
				int32_t other = state + (a->step[place][i] - place) * a->stride;
				if (bounds_any(b, 1, other)[mask] == least)
					next = other;
			}
		}
		if (next == state)
			break;
		state = next;
	}
	return state;
}

void finish_free(struct engine *e, const struct scratch *from, int mask)
{
	struct scratch s;
	const struct label *l;

	scratch_copy(e, &s, &from->label);
	s.label.state = best_tile(e, mask, s.label.state);
	links_begin(e, &s, 1, e->b->mask[1][mask]);
	l = label_store(e, &s);
	if (l)
		finish_block(e, l);
}
