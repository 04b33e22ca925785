/* nest_choice.c -- lanes, registers and an order for a nest, by trying all and keeping the
 * cheapest.
 *
 * The estimate counts, for one block of vectors by one tile, what the innermost iteration costs
 * in cycles of a core with two arithmetic and two memory pipes: arithmetic for each result, a
 * load for each operand that the results do not share, and never less than the latency of the
 * addition that the next one waits for. Loading and storing the results is spread over the
 * iterations of the reduction. */
#include "mapper/nest/nest_choice.h"

#include <math.h>

/* Cycles, and memory operations as parts of one: a gather is a load and an insertion for each
 * lane. */
static const double LATENCY = 4, OVERHEAD = 1, GATHER = 1.25, SCATTER = 1, GUARD = 2, CALL = 20,
		    FAR = 1, LINE = 64;

static const double NEAREST_CACHE = 24 * 1024, NEAR_CACHE = 384 * 1024; /* bytes for one operand */

struct shape {
	int vector_loop, lanes, vectors, tile_loop, tile;
};

/* ---- Panels --------------------------------------------------------------------------------- */

bool nest_is_inside(const struct nest *n, int loop)
{
	if (loop >= n->free)
		return true;
	for (int i = n->free - 1; i >= 0 && n->order[i] != n->vector_loop; i--)
		if (n->order[i] == loop)
			return true;
	return false;
}

/* Place of a loop in the order of execution. */
static int depth_of(const struct nest *n, int loop)
{
	if (loop >= n->free)
		return loop;
	int depth = 0;
	while (n->order[depth] != loop)
		depth++;
	return depth;
}

int64_t nest_panel_count(const struct nest *n, const struct nest_access *a)
{
	int64_t count = 1;
	for (int l = 0; l < n->loops; l++)
		if (a->coef[l] != 0 && __builtin_mul_overflow(count, n->loop[l].extent, &count))
			return INT64_MAX;
	return count;
}

int64_t nest_panel_coef(const struct nest *n, const struct nest_access *a, int loop, int64_t block)
{
	int64_t coef = 1;
	int depth = depth_of(n, loop);
	if (a->coef[loop] == 0)
		return 0;
	for (int l = 0; l < n->loops; l++)
		if (a->coef[l] != 0 && l != n->vector_loop && depth_of(n, l) > depth)
			coef *= n->loop[l].extent;
	if (loop == n->vector_loop)
		return coef;
	return coef * (nest_is_inside(n, loop) ? block : n->loop[n->vector_loop].extent);
}

static bool can_be_panel(const struct nest *n, const struct nest_access *a)
{
	const struct tensor *t = nest_storage(a->access->tensor);
	bool is_known = t->role == ROLE_PARAM || t->role == ROLE_STATE || t->role == ROLE_CONSTANT;
	return is_known && t->data && a->form == NEST_DIRECT && a->specials == 0 &&
	       nest_panel_count(n, a) <= tensor_count(t) && n->bound < n->loops;
}

/* ---- The estimate --------------------------------------------------------------------------- */

static bool depends(const struct nest_access *a, int loop)
{
	if (loop < 0)
		return false;
	bool does = a->coef[loop] != 0;
	for (int i = 0; i < a->specials; i++)
		does |= a->special[i].subscript.coef[loop] != 0;
	return does;
}

static bool is_special(const struct nest_access *a, int loop)
{
	for (int i = 0; loop >= 0 && i < a->specials; i++)
		if (a->special[i].subscript.coef[loop] != 0)
			return true;
	return false;
}

/* Memory operations, halves of a cycle, of one load of a vector. */
static double load_cost(const struct nest *n, const struct nest_access *a, const struct shape *s)
{
	double guard = a->specials ? GUARD * a->specials : 0;
	if (!depends(a, s->vector_loop) || s->lanes == 1)
		return 1 + guard;
	int64_t step = a->coef[s->vector_loop];
	if (is_special(a, s->vector_loop))
		return (step == 0 ? 3 : 4 * s->lanes) + guard;
	if (step == 1 || can_be_panel(n, a))
		return 1 + guard;
	return (step == 2 ? 4 : 2 * GATHER * s->lanes) + guard;
}

/* How far a block of a panel comes from, as a part of a line from afar: it is read in order,
 * again for each tile, from the cache that holds it. */
static double panel_distance(const struct nest *n, const struct nest_access *a, double lanes)
{
	double bytes = lanes * type_info(a->access->tensor->type)->bytes;
	for (int l = n->free; l < n->loops; l++)
		if (a->coef[l] != 0)
			bytes *= (double)n->loop[l].extent;
	return bytes <= NEAREST_CACHE ? 0.25 : bytes <= NEAR_CACHE ? 0.5 : 1;
}

/* Cache lines that the loads of a block by a tile touch: each may have to come from afar. Those
 * of a panel are read in order, which hides most of the way. */
static double lines_touched(const struct nest *n, const struct nest_access *a,
			    const struct shape *s, int vectors, int tile)
{
	double bytes = type_info(a->access->tensor->type)->bytes, along = 1, across = 1;
	bool is_panel = depends(a, s->vector_loop) && can_be_panel(n, a);
	if (depends(a, s->vector_loop)) {
		double step = is_panel ? 1 : fabs((double)a->coef[s->vector_loop]);
		double line = step * bytes < LINE ? step * bytes / LINE : 1;
		along = s->lanes * vectors * line + (is_panel ? 0 : 0.5);
	}
	if (depends(a, s->tile_loop)) {
		double step = fabs((double)a->coef[s->tile_loop]) * bytes;
		across = step < LINE ? 1 + (tile - 1) * step / LINE : tile;
	}
	return along * across * (is_panel ? panel_distance(n, a, s->lanes * vectors) : 1);
}

static double operations(const struct scalar *e, int lanes)
{
	double sum = 0;
	if (e->kind != SCALAR_APPLY)
		return 0;
	for (int i = 0; i < scalar_fn_info(e->fn)->arity; i++)
		sum += operations(e->arg[i], lanes);
	bool is_call = scalar_fn_info(e->fn)->is_float && e->fn != FN_SQRT && e->fn != FN_FLOOR &&
		       e->fn != FN_CEIL && e->fn != FN_ROUND;
	return sum + (is_call ? CALL * lanes : 1);
}

/* Cycles of all iterations of the reduction for a block of so many vectors by so many tile
 * iterations. */
static double block_cost(const struct nest *n, const struct shape *s, int vectors, int tile,
			 double points)
{
	double loads = 0, ends = 0;
	bool reduces = n->statement->reduce != REDUCE_NONE;
	for (int i = 0; i < n->reads; i++) {
		const struct nest_access *a = &n->read[i];
		loads += load_cost(n, a, s) * (depends(a, s->tile_loop) ? tile : 1) *
			 (depends(a, s->vector_loop) ? vectors : 1);
		loads += lines_touched(n, a, s, vectors, tile) * FAR;
	}
	double work = (operations(n->statement->value, s->lanes) + 0.01) * vectors * tile;
	double cycles = (work > loads ? work + loads / 4 : loads + work / 4) / 2;
	if (reduces && cycles < LATENCY)
		cycles = LATENCY;
	int64_t step = s->vector_loop < 0 ? 1 : n->target.coef[s->vector_loop];
	ends = (step == 1 || s->lanes == 1 ? 1 : SCATTER * s->lanes) * vectors * tile;
	return (cycles + OVERHEAD) * points + (reduces ? 2 : 1) * ends;
}

/* Cycles of the two loops that are blocked, with what is left over at their ends. */
static double shape_cost(const struct nest *n, const struct shape *s, double points)
{
	int64_t lanes = s->vector_loop < 0 ? 1 : n->loop[s->vector_loop].extent;
	int64_t rows = s->tile_loop < 0 ? 1 : n->loop[s->tile_loop].extent;
	int64_t block = (int64_t)s->lanes * s->vectors;
	int left = (int)((lanes % block + s->lanes - 1) / s->lanes), below = (int)(rows % s->tile);
	double blocks = (double)(lanes / block), tiles = (double)(rows / s->tile), sum = 0;
	if (blocks && tiles)
		sum += blocks * tiles * block_cost(n, s, s->vectors, s->tile, points);
	if (blocks && below)
		sum += blocks * block_cost(n, s, s->vectors, below, points);
	if (left && tiles)
		sum += tiles * block_cost(n, s, left, s->tile, points);
	if (left && below)
		sum += block_cost(n, s, left, below, points);
	return sum;
}

/* ---- The search ----------------------------------------------------------------------------- */

static int widest(const struct scalar *e)
{
	int bytes = type_info(e->type)->bytes;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++) {
		int inner = widest(e->arg[i]);
		bytes = inner > bytes ? inner : bytes;
	}
	return bytes;
}

static double outside_iterations(const struct nest *n, const struct shape *s)
{
	double count = 1;
	for (int l = 0; l < n->bound; l++)
		if (l != s->vector_loop && l != s->tile_loop)
			count *= (double)n->loop[l].extent;
	return count;
}

static void try_shape(const struct nest *n, struct shape s, double points, struct shape *best,
		      double *least)
{
	double cost = shape_cost(n, &s, points) * outside_iterations(n, &s);
	if (*least < 0 || cost < *least * 0.999) {
		*least = cost;
		*best = s;
	}
}

static struct shape search(const struct nest *n, const struct nest_machine *m)
{
	struct shape best = {-1, 1, 1, -1, 1};
	double least = -1, points = 1;
	bool reduces = n->bound < n->loops;
	int target = type_info(n->statement->target.tensor->type)->bytes;
	int bytes = widest(n->statement->value);
	int lanes = m->vector_bytes / (target > bytes ? target : bytes);
	int room = m->registers * 3 / 4; /* the rest holds operands */
	for (int l = n->bound; l < n->loops; l++)
		points *= (double)n->loop[l].extent;
	for (int v = -1; v < n->free; v++) {
		for (int t = -1; t < (reduces ? n->free : 0); t++) {
			int most_vectors = v < 0 ? 1 : reduces ? NEST_MAX_VECTORS : 1;
			int most_tile = t < 0 ? 1 : NEST_MAX_TILE;
			if (t == v && v >= 0)
				continue;
			for (int u = 1; u <= most_vectors; u++)
				for (int i = t < 0 ? 1 : 2; i <= most_tile && i * u <= room; i++)
					try_shape(n, (struct shape){v, v < 0 ? 1 : lanes, u, t, i},
						  points, &best, &least);
		}
	}
	return best;
}

/* The loops of the constant operands go outside: a panel stays in the cache while all that it
 * meets goes by. */
static void choose_order(struct nest *n)
{
	int count = 0;
	for (int constant = 1; constant >= 0; constant--) {
		for (int l = 0; l < n->free; l++) {
			bool is_constant = false;
			for (int i = 0; i < n->reads; i++)
				is_constant |=
					can_be_panel(n, &n->read[i]) && depends(&n->read[i], l);
			if (is_constant == (constant == 1))
				n->order[count++] = l;
		}
	}
}

void nest_choice(struct nest *n, const struct nest_machine *m)
{
	struct shape s = search(n, m);
	n->vector_loop = s.vector_loop;
	n->lanes = s.lanes;
	n->vectors = s.vectors;
	n->tile_loop = s.tile_loop;
	n->tile = s.tile;
	choose_order(n);
	for (int i = 0; i < n->reads; i++)
		if (s.vector_loop >= 0 && n->read[i].coef[s.vector_loop] != 0 &&
		    can_be_panel(n, &n->read[i]))
			n->read[i].form = NEST_PANEL;
}
