/* grow.c -- blocks of loops. While a link is open, which loop stands next matters; once none is, the other loops stand outside
 * in any order and cost nothing, and the tile may be any box that contains what is there. */
#include "mapper/proof/grow.h"

/* The level whose loops are made. */
struct block {
	struct prover *p;
	int level, set;
	bool is_ordered; /* the constraint says something of the order */
};

/* ---- What the constraint allows ----------------------------------------------------------------------------------- */

/* Dimensions that may have no loop around one over `dim`: those that would have to stand inside of it. */
static unsigned barred_by(const struct block *b, int dim)
{
	const struct constraint *c = b->p->f->constraint;
	int stationary = c->stationary[b->level], first = 0;
	unsigned barred = 0;

	for (int i = 0; i < c->order_count[b->level]; i++)
		if (c->order[b->level][i] == dim)
			first = i + 1;
	for (int i = first; i < c->order_count[b->level]; i++)
		barred |= 1u << c->order[b->level][i];
	if (stationary >= 0 && (b->p->f->problem->operand[stationary].relevant >> dim & 1))
		barred |= ~b->p->f->problem->operand[stationary].relevant;
	return barred;
}

/* The number of the factor that a loop must have; 0: there is none; or: */
enum { ANY_FACTOR = -1, IMPOSSIBLE_FACTOR = -2 };

static int fixed_factor(const struct block *b, const struct draft *d, int dim)
{
	const struct side *s = &b->p->f->boxes.side[dim];
	int64_t fixed = b->p->f->constraint->time[b->level][dim];

	if (b->level == 0) {
		int64_t left =
			s->length[s->count - 1] / box_length(&b->p->f->boxes, d->label.box, dim);
		fixed = fixed > 0 && fixed != left ? 1 : left;
	}
	if (fixed <= 0)
		return ANY_FACTOR;
	for (int i = 0; i < s->factors; i++)
		if (s->factor[i] == fixed && i != s->uneven)
			return i;
	return IMPOSSIBLE_FACTOR;
}

/* Has every loop been made that must be? */
static bool is_complete(const struct block *b, const struct draft *d, unsigned used)
{
	const struct facts *f = b->p->f;

	if (b->level == 0 && d->label.box != f->boxes.count - 1)
		return false;
	for (int dim = 0; dim < f->problem->dims; dim++)
		if (f->constraint->time[b->level][dim] > 1 && !(used >> dim & 1))
			return false;
	return true;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

static bool has_open(const struct draft *d)
{
	for (int i = 0; i < d->label.links; i++)
		if (d->link[i].is_open)
			return true;
	return false;
}

/* The tile is the level's. */
static void finish(const struct block *b, const struct draft *d, unsigned used)
{
	struct prover *p = b->p;
	struct draft done;

	if (!is_complete(b, d, used) ||
	    !box_fits(p->f, b->level, p->f->set[b->level][b->set], d->label.box))
		return;
	draft_copy(p, &done, &d->label);
	done.label.grows = 0; /* that was of this block */
	if (b->level == 0) {
		draft_close_all(p, &done);
		draft_conclude(p, &done);
		return;
	}
	for (int o = 0; o < p->f->operands; o++)
		if (p->f->set[b->level][b->set] >> o & 1)
			draft_begin_link(p, &done, o, b->level);
	if (!draft_is_lost(p, &done, (struct stage){b->level - 1, b->level, -1}))
		draft_keep(p, &done, &p->shelf, b->level);
}

static bool is_lost(const struct block *b, const struct draft *d)
{
	const struct facts *f = b->p->f;

	return !box_fits(f, b->level, f->set[b->level][b->set], d->label.box) ||
	       draft_is_lost(b->p, d, (struct stage){b->level, b->level, b->set});
}

/* The outermost level takes all loops that are left. */
static void finish_outermost(const struct block *b, const struct draft *d, unsigned used,
			     unsigned barred)
{
	const struct boxes *boxes = &b->p->f->boxes;
	struct draft whole;

	draft_copy(b->p, &whole, &d->label);
	for (int dim = 0; dim < boxes->dims; dim++) {
		if (box_place(boxes, d->label.box, dim) == boxes->side[dim].count - 1)
			continue;
		if ((used | barred) >> dim & 1 || fixed_factor(b, d, dim) <= 0)
			return;
		used |= 1u << dim;
	}
	whole.label.box = boxes->count - 1;
	finish(b, &whole, used);
}

/* Loops that the constraint demands and that are not there stand outside of the others; false where they cannot. */
static bool add_fixed(const struct block *b, struct draft *d, unsigned *used, unsigned barred)
{
	const struct boxes *boxes = &b->p->f->boxes;

	for (int dim = 0; dim < boxes->dims; dim++) {
		int fixed = fixed_factor(b, d, dim);
		if (*used >> dim & 1 || fixed == 0 || fixed == ANY_FACTOR)
			continue;
		if (fixed == IMPOSSIBLE_FACTOR)
			return false;
		if (barred >> dim & 1 || box_times(boxes, d->label.box, dim, fixed) < 0)
			return false;
		d->label.box = box_times(boxes, d->label.box, dim, fixed);
		*used |= 1u << dim;
	}
	return true;
}

/* No link is open any more: the label is free, and grows with all that are. */
static void set_free(const struct block *b, const struct draft *d, unsigned used, unsigned barred)
{
	const struct boxes *boxes = &b->p->f->boxes;
	struct draft free;

	if (b->level == 0) {
		finish_outermost(b, d, used, barred);
		return;
	}
	draft_copy(b->p, &free, &d->label);
	if (!add_fixed(b, &free, &used, barred) || is_lost(b, &free))
		return;
	free.label.grows = 0;
	for (int dim = 0; dim < boxes->dims; dim++)
		if (!((used | barred) >> dim & 1) && fixed_factor(b, &free, dim) == ANY_FACTOR)
			free.label.grows |= 1u << dim;
	draft_keep(b->p, &free, &b->p->free, b->level);
}

/* All larger boxes of a free label, one prime factor more along one side. */
static void grow_free(const struct block *b, const struct label *l)
{
	const struct boxes *boxes = &b->p->f->boxes;

	for (int dim = 0; dim < boxes->dims; dim++)
		for (int i = 0; i < boxes->side[dim].primes && l->grows >> dim & 1; i++) {
			struct draft next;
			int32_t box = box_times(boxes, l->box, dim, boxes->side[dim].prime[i]);
			if (box < 0)
				continue;
			draft_copy(b->p, &next, l);
			next.label.box = box;
			if (!is_lost(b, &next))
				draft_keep(b->p, &next, &b->p->free, b->level);
		}
}

/* From small boxes to large ones: when a box's turn comes, all its labels are there. */
static void grow_all_free(const struct block *b)
{
	struct shelf *shelf = &b->p->free;
	int32_t boxes = b->p->f->boxes.count;

	for (int32_t box = 0; box < boxes && shelf->touches > 0 && !prover_is_stopped(b->p); box++)
		for (const struct label *l = shelf->list[box]; l; l = l->next) {
			struct draft d;
			draft_copy(b->p, &d, l);
			finish(b, &d, ~0u);
			grow_free(b, l);
		}
	shelf_take(shelf);
}

/* Links are open. `idle`: the loop that stands innermost so far, where it closed none, or -1: two of those may change places,
 * and one order is enough. */
static void grow_run(const struct block *b, const struct draft *d, unsigned used, unsigned barred,
		     int idle)
{
	const struct boxes *boxes = &b->p->f->boxes;

	if (!has_open(d)) {
		set_free(b, d, used, barred);
		return;
	}
	if (prover_is_stopped(b->p))
		return;
	finish(b, d, used);
	for (int dim = 0; dim < boxes->dims; dim++) {
		int fixed = fixed_factor(b, d, dim);
		if ((used | barred) >> dim & 1)
			continue;
		for (int place = 1; place < boxes->side[dim].factors; place++) {
			struct draft next;
			bool has_closed;
			if (place == boxes->side[dim].uneven ||
			    (fixed != ANY_FACTOR && place != fixed) ||
			    box_times(boxes, d->label.box, dim, place) < 0)
				continue;
			draft_copy(b->p, &next, &d->label);
			has_closed = draft_step(b->p, &next, dim, place);
			next.label.growth.run[next.label.growth.runs].dim = (signed char)dim;
			next.label.growth.run[next.label.growth.runs++].factor = (short)place;
			if (!has_closed && !b->is_ordered && dim < idle)
				break;
			if (!is_lost(b, &next))
				grow_run(b, &next, used | 1u << dim, barred | barred_by(b, dim),
					 has_closed ? -1 : dim);
		}
	}
}

/* ---- Levels --------------------------------------------------------------------------------------------------------- */

void grow_begin(const struct prover *p, struct draft *d)
{
	struct label none = {.units = 1,
			     .link = d->link,
			     .rounding = d->rounding,
			     .sum = d->sum,
			     .first = d->first};

	d->label = none;
	for (int i = 0; i < p->f->quantities; i++)
		d->sum[i] = d->first[i] = 0;
	for (int o = 0; o < p->f->operands; o++)
		draft_begin_link(p, d, o, NO_CHILD);
}

void grow_spread(struct prover *p, const struct label *l, int level, const struct spread *s)
{
	const struct facts *f = p->f;
	int32_t box = l->box;
	struct draft d;

	for (int dim = 0; dim < f->problem->dims && box >= 0; dim++)
		if (s->factor[dim] > 0)
			box = box_times(&f->boxes, box, dim, s->factor[dim]);
	if (box < 0 || label_is_lost_across(p, l, level, s, box))
		return;
	draft_copy(p, &d, l);
	draft_cross(p, &d, level, s);
	d.label.box = box;
	d.label.growth = (struct growth){.inside = l, .spread = s, .level = level};
	if (!draft_is_lost(p, &d, (struct stage){level, level, -1}))
		draft_keep(p, &d, &p->shelf, level);
}

/* One set that the level keeps. */
static void grow_set(struct prover *p, const struct label *inside, int level, int set)
{
	const struct facts *f = p->f;
	struct block b = {p, level, set, false};

	b.is_ordered =
		f->constraint->order_count[level] > 0 || f->constraint->stationary[level] >= 0;
	for (; inside; inside = inside->next) {
		struct draft d;
		draft_copy(p, &d, inside);
		d.label.growth = (struct growth){.inside = inside, .level = level, .set = set};
		draft_reach(p, &d, level, f->set[level][set]);
		if (is_lost(&b, &d))
			continue;
		if (f->machine->level[level].is_memory)
			grow_run(&b, &d, 0, 0, -1);
		else
			finish(&b, &d, 0);
	}
	grow_all_free(&b);
}

void grow_level(struct prover *p, const struct label *inside, int level)
{
	for (int s = 0; s < p->f->sets[level]; s++)
		grow_set(p, inside, level, s);
}
