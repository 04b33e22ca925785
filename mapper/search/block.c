/* block.c -- labels grow outward by one block of loops in time.
 *
 * Of a block only the innermost loops matter, until each open link has met a loop that indexes its operand: these, the
 * run, are tried one by one. What stands outside of them costs nothing, so the tile then grows over the lattice prime by
 * prime, and labels that meet in one tile compare. */
#include "mapper/search/label.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- In time ------------------------------------------------------------------------------------------------ */

struct block {
	struct engine *e;
	const struct label *inside;
	int level, mask;
	unsigned kept;
	unsigned dims;     /* that may loop here */
	unsigned ordered;  /* of them those that the constraint orders */
	unsigned unmoved;  /* does not index the stationary operand */
	unsigned demanded; /* dims whose steps are given */
	unsigned
		outward; /* dims whose loop, were it the outermost of the block, would do as well further out */
};

/* How far the run has come. */
struct progress {
	unsigned used;
	int last; /* of the loops since a link was closed: those that close none stand in ascending order */
	int orders_left; /* of the ordered dims so many may still come */
	bool is_ordered_over, is_moved;
};

static int64_t demand(const struct block *b, int dim)
{
	return b->e->t->constraint.time[b->level][dim];
}

static bool is_relevant(const struct terms *t, const struct link *k, int dim)
{
	return t->problem->operand[k->operand].relevant >> dim & 1;
}

/* The tile is the level's: what it keeps, it keeps from here on. */
static void end_block(struct block *b, struct scratch *s, unsigned used)
{
	struct engine *e = b->e;
	struct scratch end;

	if ((b->demanded & ~used) || !terms_fit(e->t, b->level, b->kept, s->label.state))
		return;
	scratch_copy(e, &end, &s->label);
	end.label.grows = 0;
	end.label.must_grow = false;
	links_begin(e, &end, b->level, b->kept);
	if (!label_is_lost_before(e, &end.label, b->level, b->level - 1))
		label_end(e, &end);
}

/* Can nothing better come of a label in the block? */
static bool is_spent(const struct block *b, const struct label *l)
{
	struct engine *e = b->e;

	return !(bounds_any(e->b, b->level, l->state)[b->mask] < INFINITY) ||
	       label_is_lost_within(e, l, b->level, b->mask);
}

/* Would a loop that is still demanded stand outside of one that it must stand inside of? */
static bool breaks_order(const struct block *b, const struct progress *p)
{
	const struct constraint *c = &b->e->t->constraint;
	unsigned missing = b->demanded & b->ordered & ~p->used;

	for (int i = 0; i < p->orders_left && !p->is_ordered_over; i++)
		missing &= ~(1u << c->order[b->level][i]);
	return missing != 0;
}

/* Dims whose steps are given and that do not stand in the run stand outside of it. */
static bool take_demanded(struct block *b, struct scratch *s, unsigned *used)
{
	const struct terms *t = b->e->t;

	for (int d = 0; d < t->problem->dims; d++) {
		if (!((b->demanded & ~*used) >> d & 1))
			continue;
		int place = lattice_find(&t->lattice, d, demand(b, d));
		if (place < 0 || !lattice_grow(&t->lattice, &s->label.state, d, place))
			return false;
		*used |= 1u << d;
	}
	return true;
}

/* No link is open: the tile may grow. */
static void set_free(struct block *b, const struct scratch *from, struct progress p, bool must_grow)
{
	struct engine *e = b->e;
	struct scratch s;

	scratch_copy(e, &s, &from->label);
	s.label.grows = b->dims & ~b->demanded & ~b->ordered & ~b->outward;
	if (p.is_moved)
		s.label.grows &= ~b->unmoved;
	if ((b->demanded & ~p.used) != 0)
		must_grow = false;
	if (p.is_moved && (b->demanded & ~p.used & b->unmoved))
		return;
	if (breaks_order(b, &p) || !take_demanded(b, &s, &p.used))
		return;
	s.label.must_grow = must_grow;
	if (is_spent(b, &s.label))
		return;
	if (b->level == 1 && e->t->is_tail_exact && (!e->counts_cycles || e->beam > 0))
		finish_free(e, &s, b->mask);
	else
		label_keep(e, &e->free[s.label.state], &s);
}

/* Runs over the ordered dims that are left, then lets the tile grow. */
static void free_ordered(struct block *b, const struct scratch *s, struct progress p,
			 bool must_grow)
{
	const struct terms *t = b->e->t;
	const struct constraint *c = &t->constraint;

	set_free(b, s, p, must_grow);
	for (int i = p.orders_left - 1; i >= 0 && !p.is_ordered_over; i--) {
		int d = c->order[b->level][i];
		struct progress next = p;
		if (!(b->dims >> d & 1) || (p.used >> d & 1))
			continue;
		next.used |= 1u << d;
		next.orders_left = i;
		for (int place = 1; place < t->lattice.dim[d].count; place++) {
			struct scratch grown;
			int64_t steps = t->lattice.dim[d].divisor[place];
			scratch_copy(b->e, &grown, &s->label);
			if ((demand(b, d) && demand(b, d) != steps) ||
			    !lattice_grow(&t->lattice, &grown.label.state, d, place))
				continue;
			grown.label.run[grown.label.runs++] =
				(struct run_loop){(unsigned char)d, (unsigned char)place};
			free_ordered(b, &grown, next, false);
		}
	}
}

/* May the loop stand here, outside of those before it? */
static bool may_follow(const struct block *b, const struct progress *p, int d,
		       struct progress *next)
{
	const struct constraint *c = &b->e->t->constraint;

	*next = *p;
	next->used |= 1u << d;
	if (!(b->dims >> d & 1) || (p->used >> d & 1) || (p->is_moved && (b->unmoved >> d & 1)))
		return false;
	next->is_moved |= b->unmoved != 0 && !(b->unmoved >> d & 1);
	if (!(b->ordered >> d & 1)) {
		next->is_ordered_over = true;
		return true;
	}
	if (p->is_ordered_over)
		return false;
	for (int i = 0; i < p->orders_left; i++)
		if (c->order[b->level][i] == d) {
			next->orders_left = i;
			return true;
		}
	return false;
}

static void run(struct block *, struct scratch *, struct progress);

/* One loop more, of so many steps; `closes` bit per link. */
static void run_loop(struct block *b, const struct scratch *before, struct progress next, int d,
		     int place, uint64_t closes)
{
	const struct terms *t = b->e->t;
	int64_t step = lattice_extent(&t->lattice, before->label.state, d);
	double steps = (double)t->lattice.dim[d].divisor[place];
	struct scratch s;

	scratch_copy(b->e, &s, &before->label);
	if (!lattice_grow(&t->lattice, &s.label.state, d, place))
		return;
	s.label.run[s.label.runs++] = (struct run_loop){(unsigned char)d, (unsigned char)place};
	for (int i = s.label.links - 1; i >= 0; i--) {
		struct link *k = &s.link[i];
		if (!k->is_open)
			continue;
		if (closes >> i & 1)
			link_close(b->e, &s, i,
				   terms_halo(t, k->child, k->operand, k->tile, d, step, steps));
		else
			k->words /= steps;
	}
	if (links_open(&s.label) == 0) {
		free_ordered(b, &s, next, b->outward >> d & 1);
		return;
	}
	if (is_spent(b, &s.label))
		return;
	if (!(b->outward >> d & 1))
		end_block(b, &s, next.used);
	run(b, &s, next);
}

/* All ways to go on while links are open. */
static void run(struct block *b, struct scratch *s, struct progress p)
{
	const struct terms *t = b->e->t;
	int open = links_open(&s->label);
	struct scratch closed;

	if (engine_is_stopped(b->e))
		return;
	scratch_copy(b->e, &closed, &s->label);
	for (int i = closed.label.links - 1; i >= 0; i--)
		if (closed.link[i].is_open)
			link_close(b->e, &closed, i, 1);
	free_ordered(b, &closed, p, true);
	for (int d = 0; d < t->problem->dims; d++) {
		struct progress next;
		uint64_t closes = 0;
		bool gains = false;
		if (!may_follow(b, &p, d, &next))
			continue;
		for (int i = 0; i < s->label.links; i++)
			if (s->link[i].is_open && is_relevant(t, &s->link[i], d)) {
				closes |= (uint64_t)1 << i;
				gains |= t->sliding[s->link[i].operand] >> d & 1;
			}
		if (closes == 0 && d < p.last && !b->ordered && !b->unmoved)
			continue; /* as well the other way round */
		if (__builtin_popcountll(closes) == open && !gains)
			continue; /* as if closed before */
		next.last = closes == 0 || !gains ? d : -1;
		for (int place = 1; place < t->lattice.dim[d].count; place++) {
			int64_t steps = t->lattice.dim[d].divisor[place];
			if (demand(b, d) == 0 || demand(b, d) == steps)
				run_loop(b, s, next, d, place, closes);
		}
	}
}

/* ---- Growth of free labels --------------------------------------------------------------------------------------- */

static void grow_free(struct block *b, const struct label *l)
{
	const struct terms *t = b->e->t;
	struct scratch s;

	scratch_copy(b->e, &s, l);
	s.label.next = NULL;
	if (!l->must_grow)
		end_block(b, &s, ~0u);
	for (int d = 0; d < t->lattice.dims; d++) {
		const struct axis_of_lattice *a = &t->lattice.dim[d];
		int place = l->state / a->stride % a->count;
		for (int i = 0; (l->grows >> d & 1) && i < a->steps[place]; i++) {
			s.label.state = l->state + (a->step[place][i] - place) * a->stride;
			s.label.must_grow = false;
			if (!is_spent(b, &s.label))
				label_keep(b->e, &b->e->free[s.label.state], &s);
		}
	}
}

static void grow_all(struct block *b)
{
	struct engine *e = b->e;

	for (int32_t state = 0; state < e->t->lattice.states; state++) {
		for (const struct label *l = e->free[state]; l; l = l->next)
			if (!engine_is_stopped(e))
				grow_free(b, l);
		e->free[state] = NULL;
	}
}

/* ---- Which loops make sense --------------------------------------------------------------------------------------- */

static bool is_unsaid(const struct constraint *c, int level, int dim)
{
	return c->time[level][dim] == 0 && c->order_count[level] == 0 && c->stationary[level] < 0;
}

/* Would the loop, as the outermost of its block, do as well as the innermost of the next memory's? It would if nothing
 * that this level keeps is indexed by it, and no array between could see the difference. */
static bool is_outward(const struct block *b, int dim)
{
	const struct terms *t = b->e->t;
	int outer = b->level - 1;
	bool slides = false;

	if (outer < 0 || !t->machine->level[outer].is_memory ||
	    !is_unsaid(&t->constraint, b->level, dim) || !is_unsaid(&t->constraint, outer, dim))
		return false;
	for (int o = 0; o < t->operands; o++) {
		slides |= t->tangled[o] >> dim & 1;
		if ((b->kept >> o & 1) && (t->problem->operand[o].relevant >> dim & 1))
			return false;
	}
	return !slides || t->machine->level[outer].axes == 0;
}

/* Is it of no use further inside of the block either? It closes all that is kept further inside, without halo. */
static bool closes_all(const struct block *b, int dim)
{
	const struct terms *t = b->e->t;

	for (int o = 0; o < t->operands; o++)
		if ((b->inside->kept_inside >> o & 1) &&
		    (!(t->problem->operand[o].relevant >> dim & 1) || (t->sliding[o] >> dim & 1)))
			return false;
	return true;
}

static void find_dims(struct block *b)
{
	const struct terms *t = b->e->t;
	const struct constraint *c = &t->constraint;
	int stationary = c->stationary[b->level];

	for (int d = 0; d < t->problem->dims; d++) {
		b->outward |= is_outward(b, d) ? 1u << d : 0;
		if (demand(b, d) != 1 && !((b->outward >> d & 1) && closes_all(b, d)))
			b->dims |= 1u << d;
	}
	for (int d = 0; d < t->problem->dims; d++)
		if (demand(b, d) > 1)
			b->demanded |= 1u << d;
	for (int i = 0; i < c->order_count[b->level]; i++)
		b->ordered |= 1u << c->order[b->level][i];
	if (stationary >= 0)
		b->unmoved =
			~t->problem->operand[stationary].relevant & ((1u << t->problem->dims) - 1);
}

void grow_block(struct engine *e, const struct label *inside, int level, int mask,
		struct label **out)
{
	struct block b = {.e = e,
			  .inside = inside,
			  .level = level,
			  .mask = mask,
			  .kept = e->b->mask[level][mask]};

	for (; inside && !engine_is_stopped(e); inside = inside->next) {
		struct progress p = {.orders_left = e->t->constraint.order_count[level]};
		struct scratch s;
		b.inside = inside;
		b.dims = b.ordered = b.unmoved = b.demanded = b.outward = 0;
		scratch_copy(e, &s, inside);
		s.label.inner = inside;
		s.label.spread = NULL;
		s.label.level = level;
		s.label.kept = b.kept;
		s.label.runs = 0;
		links_reach(e, &s, level, b.kept);
		if (e->t->machine->level[level].is_memory)
			find_dims(&b);
		if (is_spent(&b, &s.label))
			continue;
		if (links_open(&s.label) == 0) {
			free_ordered(&b, &s, p, false);
		} else {
			end_block(&b, &s, 0);
			run(&b, &s, p);
		}
	}
	grow_all(&b);
	labels_take(e, out);
}
