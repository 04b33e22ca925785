/* spread.c -- every way to run dimensions over the units of an array, and which words its network then shares. */
#include "mapper/cost/sums.h"
#include "mapper/proof/facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Enumeration -------------------------------------------------------------------------------------------------- */

struct listing {
	struct facts *f;
	int level;
	bool axes_differ;   /* it matters along which axis a dimension runs, */
	bool orders_differ; /* and in which order */
	int64_t free_units[MAX_AXES];
	struct spread now;
	struct spreads *into;
	size_t room;
	bool no_memory;
};

bool spread_merges(const struct facts *f, int level, const struct spread *s, int operand, int dim)
{
	const struct level *l = &f->machine->level[level];
	enum tensor_class class = f->problem->operand[operand].class;
	unsigned merging = operand == f->output ? l->reduce : l->multicast;

	return (merging >> class & 1) && !(l->apart[class] >> s->axis[dim] & 1);
}

static void store_one(struct listing *l)
{
	struct spreads *into = l->into;

	if ((size_t)into->count == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct spread *more = realloc(into->spread, room * sizeof *more);
		if (!more) {
			l->no_memory = true;
			return;
		}
		into->spread = more;
		l->room = room;
	}
	into->spread[into->count++] = l->now;
}

static bool index_alike(const struct facts *f, int a, int b)
{
	for (int o = 0; o < f->operands; o++)
		if ((f->problem->operand[o].relevant >> a ^ f->problem->operand[o].relevant >> b) &
		    1)
			return false;
	return true;
}

/* Does a index all operands that b indexes, and others? */
static bool indexes_more(const struct facts *f, int a, int b)
{
	for (int o = 0; o < f->operands; o++)
		if ((f->problem->operand[o].relevant >> b & 1) &&
		    !(f->problem->operand[o].relevant >> a & 1))
			return false;
	return !index_alike(f, a, b);
}

/* All orders of the loops along each axis, from place i of the turns on: a run of those that index the same operands at a time. */
static void store_orders(struct listing *l, int i, int count)
{
	const struct spread before = l->now;
	int end = i;

	if (i == count) {
		store_one(l);
		return;
	}
	while (end < count &&
	       before.axis[(int)before.turn[end]] == before.axis[(int)before.turn[i]])
		end++;
	for (int k = i; k < end; k++) {
		int run = i, rest;
		bool is_first = true;
		for (int n = i; n < end; n++)
			is_first &= !(n < k && index_alike(l->f, before.turn[n], before.turn[k])) &&
				    !indexes_more(l->f, before.turn[n], before.turn[k]);
		if (!is_first)
			continue;
		for (int n = i; n < end; n++)
			if (index_alike(l->f, before.turn[n], before.turn[k]))
				l->now.turn[run++] = before.turn[n];
		rest = run;
		for (int n = i; n < end; n++)
			if (!index_alike(l->f, before.turn[n], before.turn[k]))
				l->now.turn[rest++] = before.turn[n];
		store_orders(l, run, count);
		l->now = before;
	}
}

/* Do two dimensions of the spread move one rank of an operand that takes the links of a mesh? Then there is one order. */
static bool slides_on_mesh(const struct listing *l)
{
	const struct facts *f = l->f;

	for (int o = 0; o < f->operands; o++)
		for (int r = 0; r < f->problem->operand[o].ranks && f->mesh_hop[l->level][o] > 0;
		     r++) {
			int moves = 0;
			for (int d = 0; d < f->problem->dims; d++)
				moves += l->now.factor[d] > 0 &&
					 f->problem->operand[o].coef[r][d] != 0;
			if (moves > 1)
				return true;
		}
	return false;
}

/* With the dimensions that have units first, axis by axis. */
static void store(struct listing *l)
{
	int dims = l->f->problem->dims, count = 0, rest;

	for (int axis = 0; axis < MAX_AXES; axis++)
		for (int d = 0; d < dims; d++)
			if (l->now.factor[d] > 0 && l->now.axis[d] == axis)
				l->now.turn[count++] = (signed char)d;
	rest = count;
	for (int d = 0; d < dims; d++)
		if (l->now.factor[d] == 0)
			l->now.turn[rest++] = (signed char)d;
	if (l->orders_differ && !slides_on_mesh(l))
		store_orders(l, 0, count);
	else
		store_one(l);
}

/* What the constraint says of a dimension along an axis: so many units exactly, or 0: any. */
static int64_t fixed_units(const struct listing *l, int axis, int dim)
{
	return l->f->constraint->space[l->level][axis][dim];
}

static void list_from(struct listing *l, int dim);

static void list_units(struct listing *l, int axis, int dim, int factor)
{
	const struct side *side = &l->f->boxes.side[dim];
	const struct spread before = l->now;
	int64_t free_units = l->free_units[axis], fixed = fixed_units(l, axis, dim);

	if (side->factor[factor] > free_units || (fixed > 0 && side->factor[factor] != fixed))
		return;
	l->free_units[axis] /= side->factor[factor];
	l->now.factor[dim] = (short)factor;
	l->now.axis[dim] = (signed char)axis;
	l->now.dims |= 1u << dim;
	l->now.units *= side->growth[factor];
	if (!(l->f->problem->operand[l->f->output].relevant >> dim & 1)) {
		l->now.irrelevant *= (double)side->factor[factor];
		l->now.alike *= side->growth[factor];
	}
	list_from(l, dim + 1);
	l->now = before;
	l->free_units[axis] = free_units;
}

static void list_along(struct listing *l, int axis, int dim)
{
	const struct side *side = &l->f->boxes.side[dim];

	if (side->part.units && side->part.level == l->level)
		list_units(l, axis, dim, side->uneven);
	else
		for (int k = 1; k < side->factors && side->factor[k] <= l->free_units[axis]; k++)
			if (k != side->uneven)
				list_units(l, axis, dim, k);
}

static void list_from(struct listing *l, int dim)
{
	const struct level *level = &l->f->machine->level[l->level];
	bool may_stay = true;

	if (l->no_memory)
		return;
	if (dim == l->f->problem->dims) {
		store(l);
		return;
	}
	may_stay =
		!l->f->boxes.side[dim].part.units || l->f->boxes.side[dim].part.level != l->level;
	for (int a = 0; a < level->axes; a++)
		may_stay &= fixed_units(l, a, dim) <= 1;
	if (may_stay)
		list_from(l, dim + 1);
	for (int a = 0; a < level->axes; a++) {
		/* A dimension runs along one axis: what is fixed along another is not met. */
		bool is_other = false;
		for (int b = 0; b < level->axes; b++)
			is_other |= b != a && fixed_units(l, b, dim) > 1;
		if (!is_other)
			list_along(l, a, dim);
	}
}

static int compare(const void *left, const void *right)
{
	const struct spread *a = left, *b = right;
	int factors = memcmp(a->factor, b->factor, sizeof a->factor);
	int axes = memcmp(a->axis, b->axis, sizeof a->axis);

	if (a->dims != b->dims)
		return a->dims < b->dims ? -1 : 1;
	return factors ? factors : axes ? axes : memcmp(a->turn, b->turn, sizeof a->turn);
}

/* Sorts them, and leaves one of those that differ in their axes alone, where these make no difference. */
static void sort_out(struct spreads *s, bool axes_differ)
{
	int kept = 0;

	if (s->count == 0)
		return;
	qsort(s->spread, (size_t)s->count, sizeof *s->spread, compare);
	for (int i = 0; i < s->count; i++) {
		const struct spread *last = kept ? &s->spread[kept - 1] : NULL;
		bool is_same = last && last->dims == s->spread[i].dims &&
			       memcmp(last->factor, s->spread[i].factor, sizeof last->factor) == 0;
		if (!is_same || axes_differ)
			s->spread[kept++] = s->spread[i];
	}
	s->count = kept;
}

/* ---- Who shares (rule 4) --------------------------------------------------------------------------------------------- */

static int64_t divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Different sums a i + b k for i below n, k below m. */
static double sums_of_two(int64_t a, int64_t n, int64_t b, int64_t m)
{
	int64_t g = divisor(a, b), by_i = b / g, by_k = a / g;
	double twice = n > by_i && m > by_k ? (double)(n - by_i) * (double)(m - by_k) : 0;

	return (double)n * (double)m - twice;
}

struct move {
	int dim;
	int64_t units;
};

/* Units along a dimension of one array, as a shift of the place of what they need. */
struct unit_move {
	struct shift shift;
	int dim;
	int64_t length; /* that a unit's box has along it */
	bool is_merged;
};

/* Places of a tile that moves along these dimensions, no rank of which but those of two is moved by more than one of them;
 * -1 where that is not so. */
static double places_simple(const struct facts *f, int operand, int32_t box, int moves,
			    const struct move move[])
{
	const struct operand *o = &f->problem->operand[operand];
	double places = 1;
	bool is_done[MAX_DIMS] = {false};

	for (int r = 0; r < o->ranks; r++) {
		int first = -1, second = -1;
		for (int i = 0; i < moves; i++)
			if (o->coef[r][move[i].dim]) {
				if (second >= 0)
					return -1;
				if (first >= 0)
					second = i;
				else
					first = i;
			}
		if (second < 0)
			continue;
		if (is_done[first] || is_done[second])
			return -1;
		is_done[first] = is_done[second] = true;
		places *= sums_of_two(llabs(o->coef[r][move[first].dim]) *
					      box_length(&f->boxes, box, move[first].dim),
				      move[first].units,
				      llabs(o->coef[r][move[second].dim]) *
					      box_length(&f->boxes, box, move[second].dim),
				      move[second].units);
	}
	/* A dimension that moves another rank, too, tells places apart by itself. */
	for (int i = 0; i < moves; i++) {
		int ranks = 0;
		for (int r = 0; r < o->ranks; r++)
			ranks += o->coef[r][move[i].dim] != 0;
		if (is_done[i] && ranks > 1)
			return -1;
		if (!is_done[i] && ranks > 0)
			places *= (double)move[i].units;
	}
	return places;
}

/* Where a dimension is parted unevenly and another moves the same rank, the last unit's words may be others': it is left out,
 * which is no more than there are. */
static int64_t units_that_count(const struct facts *f, const struct spread *s, int operand, int dim)
{
	const struct side *side = &f->boxes.side[dim];
	int64_t units = side->factor[s->factor[dim]];

	return s->factor[dim] == side->uneven && (f->tangled[operand] >> dim & 1) ? units - 1
										  : units;
}

/* The moves of one array's units, those that its network merges first. */
static int list_moves(const struct facts *f, const struct crossing *c, int operand,
		      struct unit_move move[])
{
	int moves = 0;

	for (int merged = 1; merged >= 0; merged--)
		for (int d = 0; d < f->problem->dims; d++) {
			int64_t units = units_that_count(f, c->spread, operand, d);
			if (units == 1 ||
			    spread_merges(f, c->level, c->spread, operand, d) != merged)
				continue;
			move[moves++] = (struct unit_move){
				{.bound = units}, d, box_length(&f->boxes, c->box, d), merged};
		}
	return moves;
}

/* By how much all that the units along a dimension get together is more than the even part of one unit's, in which groups are
 * counted. */
static double units_in_groups(const struct facts *f, const struct crossing *c, int operand, int dim)
{
	const struct side *side = &f->boxes.side[dim];
	int factor = c->spread->factor[dim];
	bool is_relevant = f->problem->operand[operand].relevant >> dim & 1;
	bool is_counted_whole = is_relevant ? !(f->tangled[operand] >> dim & 1)
					    : !spread_merges(f, c->level, c->spread, operand, dim);

	return is_counted_whole ? (double)side->factor[factor] : side->growth[factor];
}

/* Irrelevant units that are served one by one ask as often as all their steps together. */
static double excess_apart(const struct facts *f, const struct crossing *c, int operand, int dim,
			   int32_t inner)
{
	const struct side *side = &f->boxes.side[dim];

	if (c->spread->factor[dim] != side->uneven ||
	    (f->problem->operand[operand].relevant >> dim & 1) ||
	    spread_merges(f, c->level, c->spread, operand, dim))
		return 1;
	return side_excess(side, box_length(&f->boxes, inner, dim));
}

/* Places one by one: ranks are digits of a number, so far apart that no sum carries. Where there is no memory 1, which is no more
 * than there are. */
static double groups_one_by_one(const struct facts *f, int operand, int moves,
				struct unit_move move[])
{
	const struct operand *o = &f->problem->operand[operand];
	struct places places;
	int64_t digit = 1, total;

	for (int r = 0; r < o->ranks; r++) {
		int64_t reach = 0;
		for (int i = 0; i < moves; i++) {
			int64_t by = llabs(o->coef[r][move[i].dim]) * move[i].length;
			move[i].shift.step += by * digit;
			reach += by * (move[i].shift.bound - 1);
		}
		digit *= reach + 1;
	}
	if (!places_start(&places))
		return 1;
	for (int i = 0; i < moves; i++)
		if (!places_spread(&places, move[i].shift, move[i].is_merged))
			return 1;
	total = places_total(&places);
	places_free(&places);
	return (double)total;
}

/* Groups of units of one array that are served together; -1 where that is not simple. */
static double groups_simple(const struct facts *f, int operand, int32_t box, int moves,
			    const struct unit_move move[])
{
	struct move merged[MAX_DIMS];
	double apart = 1, places;
	int count = 0;

	for (int i = 0; i < moves; i++)
		if (!move[i].is_merged)
			apart *= (double)move[i].shift.bound;
		else if (f->problem->operand[operand].relevant >> move[i].dim & 1)
			merged[count++] = (struct move){move[i].dim, move[i].shift.bound};
	places = places_simple(f, operand, box, count, merged);
	return places < 0 ? -1 : apart * places;
}

double spread_share(const struct facts *f, int operand, int arrays,
		    const struct crossing crossing[], int32_t inner)
{
	struct unit_move move[MAX_DIMS * MAX_LEVELS];
	double units = 1, excess = 1, groups = -1;
	unsigned inside = 0; /* dimensions that run over arrays inside */
	int moves = 0;

	for (int i = 0; i < arrays; i++) {
		for (int d = 0; d < f->problem->dims; d++) {
			units *= units_in_groups(f, &crossing[i], operand, d);
			if (!(inside >> d & 1))
				excess *= excess_apart(f, &crossing[i], operand, d, inner);
		}
		inside |= crossing[i].spread->dims;
		moves += list_moves(f, &crossing[i], operand, move + moves);
	}
	if (arrays == 1)
		groups = groups_simple(f, operand, crossing[0].box, moves, move);
	if (groups < 0)
		groups = groups_one_by_one(f, operand, moves, move);
	return groups / units * excess;
}

/* Does a rank tell all units along the dimension apart, whatever others do? `others`: dimensions that may move it, too. */
static bool is_alone(const struct facts *f, int operand, int dim, unsigned others)
{
	const struct operand *o = &f->problem->operand[operand];

	for (int r = 0; r < o->ranks; r++) {
		bool alone = o->coef[r][dim] != 0;
		for (int e = 0; e < f->problem->dims; e++)
			alone &= e == dim || !o->coef[r][e] || !(others >> e & 1);
		if (alone)
			return true;
	}
	return false;
}

/* The least that a share can come to, whatever the box: a rank moved by several dimensions has at least as many places as the
 * one alone that has most. Among other arrays even that may be places which those have. */
static double least_share(const struct facts *f, int level, const struct spread *s, int operand,
			  bool is_among)
{
	double groups = 1, most = 1, all = 1;

	for (int d = 0; d < f->problem->dims; d++) {
		double units = (double)units_that_count(f, s, operand, d);
		const struct crossing here = {s, 0, level};
		if (s->factor[d] == 0)
			continue;
		all *= units_in_groups(f, &here, operand, d);
		if (!spread_merges(f, level, s, operand, d) ||
		    is_alone(f, operand, d, is_among ? ~0u : s->dims))
			groups *= units;
		else if ((f->problem->operand[operand].relevant >> d & 1) && units > most)
			most = units;
	}
	return groups * (is_among ? 1 : most) / all;
}

/* ---- Together ----------------------------------------------------------------------------------------------------------- */

bool spreads_make(struct facts *f, int level)
{
	struct spreads *into = &f->spreads[level];
	const struct level *here = &f->machine->level[level];
	struct listing l = {.f = f, .level = level, .into = into, .free_units = {1, 1}};

	for (int a = 0; a < here->axes; a++)
		l.free_units[a] = here->fanout[a];
	for (int c = 0; c < CLASSES; c++)
		l.axes_differ |= here->apart[c] != 0;
	for (int o = 0; o < f->operands; o++) {
		l.axes_differ |= f->mesh_hop[level][o] > 0 || f->is_linked[level][o];
		l.orders_differ |=
			f->mesh_hop[level][o] > 0 && l.free_units[0] * l.free_units[1] <= 256;
	}
	l.now.units = l.now.irrelevant = l.now.alike = 1;
	list_from(&l, 0);
	if (l.no_memory)
		return false;
	sort_out(into, l.axes_differ);
	into->most = into->most_irrelevant = 1;
	for (int o = 0; o < f->operands; o++)
		into->least_share[0][o] = into->least_share[1][o] = 1;
	for (int i = 0; i < into->count; i++) {
		struct spread *s = &into->spread[i];
		into->most = s->units > into->most ? s->units : into->most;
		if (s->irrelevant > into->most_irrelevant)
			into->most_irrelevant = s->irrelevant;
		for (int o = 0; o < f->operands; o++)
			s->share[o] = least_share(f, level, s, o, false);
		spread_routes(f, level, s);
		for (int o = 0; o < f->operands; o++)
			for (int among = 0; among < 2; among++)
				into->least_share[among][o] =
					fmin(into->least_share[among][o],
					     least_share(f, level, s, o, among));
	}
	return true;
}
