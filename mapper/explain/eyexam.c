/* eyexam.c -- a mapping and its cost go in, seven bounds come out. The first four know the shape, the dataflow and the array
 * alone; the last three look at the mapping that was found. */
#include "mapper/explain/eyexam.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mapper/mapping/tile.h"

const char *const eyexam_name[EYEXAM_STEPS] = {"shape",   "dataflow",  "units", "array",
					       "storage", "bandwidth", "cycles"};

/* ---- What may run in parallel --------------------------------------------------------------------------------- */

/* Steps that a constraint lets a loop take along an axis: exactly so many, 1 none, 0 any. */
static int64_t allowed(const struct constraint *c, int level, int axis, int dim)
{
	return c ? c->space[level][axis][dim] : 0;
}

bool eyexam_is_parallel(const struct hierarchy *h, const struct constraint *c, int dim)
{
	for (int level = 0; level < h->levels; level++)
		for (int a = 0; a < h->level[level].axes; a++)
			if (allowed(c, level, a, dim) != 1)
				return true;
	return false;
}

/* Points that may be computed at once. */
static int64_t parallel_points(const struct problem *p, const struct hierarchy *h,
			       const struct constraint *c)
{
	int64_t points = 1;

	for (int d = 0; d < p->dims; d++)
		points *= eyexam_is_parallel(h, c, d) ? p->extent[d] : 1;
	return points;
}

static int64_t ceil_divide(int64_t a, int64_t b)
{
	return a / b + (a % b > 0);
}

/* ---- Folding ------------------------------------------------------------------------------------------------------ */

/* Every way to part the loops among the axes, in search of the least steps in time: the product over the loops of
 * ceil(extent / its units). Axes stand from the outermost inward. A search that takes too long is given up, and then
 * the bound of EYEXAM_UNITS is all that is known. */
enum { MAX_FOLD_AXES = MAX_LEVELS * MAX_AXES, MOST_FOLDS = 1000000 };

struct folding {
	int dims, axes;
	const struct constraint *constraint;
	int level[MAX_FOLD_AXES], axis[MAX_FOLD_AXES];
	int64_t size[MAX_FOLD_AXES];
	int64_t units_left[MAX_FOLD_AXES + 1]; /* of this axis and those inside */
	int64_t left[MAX_DIMS];                /* of each loop that may be parallel; else 1 */
	int64_t least, floor;                  /* steps found; none can be fewer */
	int folds;
};

static int64_t product(int count, const int64_t factor[])
{
	int64_t p = 1;

	for (int i = 0; i < count; i++)
		p *= factor[i];
	return p;
}

/* Loops from `dim` on may share what is left of this axis: `room` units. */
static void fold(struct folding *f, int axis, int dim, int64_t room)
{
	int64_t steps = product(f->dims, f->left), whole, exact;

	if (f->least == f->floor || f->folds++ > MOST_FOLDS)
		return;
	if (dim == f->dims) {
		axis++;
		dim = 0;
		room = axis < f->axes ? f->size[axis] : 1;
	}
	if (axis == f->axes) {
		f->least = steps < f->least ? steps : f->least;
		return;
	}
	if (ceil_divide(steps, room * f->units_left[axis + 1]) >= f->least)
		return;
	whole = f->left[dim];
	exact = allowed(f->constraint, f->level[axis], f->axis[axis], dim);
	for (int64_t units = exact ? exact : room < whole ? room : whole; units >= 1;) {
		/* As few units as bring the same steps; what they leave goes to other loops. */
		int64_t left = ceil_divide(whole, units),
			needed = exact ? exact : ceil_divide(whole, left);
		if (needed <= room) {
			f->left[dim] = left;
			fold(f, axis, dim + 1, room / needed);
			f->left[dim] = whole;
		}
		units = exact ? 0 : needed - 1;
	}
}

double eyexam_folding(const struct problem *p, const struct hierarchy *h,
		      const struct constraint *c)
{
	struct folding f = {.dims = p->dims, .constraint = c};
	int64_t points = parallel_points(p, h, c);

	for (int level = 0; level < h->levels; level++)
		for (int a = 0; a < h->level[level].axes; a++) {
			f.level[f.axes] = level;
			f.axis[f.axes] = a;
			f.size[f.axes++] = h->level[level].fanout[a];
		}
	f.units_left[f.axes] = 1;
	for (int i = f.axes; i-- > 0;)
		f.units_left[i] = f.units_left[i + 1] * f.size[i];
	for (int d = 0; d < p->dims; d++)
		f.left[d] = eyexam_is_parallel(h, c, d) ? p->extent[d] : 1;
	f.floor = ceil_divide(points, f.units_left[0]);
	f.least = points;
	fold(&f, 0, 0, f.axes ? f.size[0] : 1);
	if (f.folds > MOST_FOLDS)
		f.least = f.floor;
	return (double)points / (double)f.least;
}

/* ---- Ports ------------------------------------------------------------------------------------------------------- */

/* Words of one operand through one port of the busiest instance. */
static void look_at(struct eyexam *e, const struct cost *cost, int level, int operand,
		    enum bound_kind port, int64_t words, double bandwidth)
{
	double rate = (double)cost->macs * bandwidth / (double)words;

	if (words == 0 || bandwidth <= 0 || rate >= e->rate[EYEXAM_BANDWIDTH])
		return;
	e->rate[EYEXAM_BANDWIDTH] = rate;
	e->port = port;
	e->level = level;
	e->operand = operand;
}

/* Through a port of its class go all words of an operand, and none of them through the others. */
static void look_at_ports(struct eyexam *e, const struct mapping *m, const struct cost *cost)
{
	for (int level = 0; level < m->machine->levels; level++)
		for (int o = 0; o < m->problem->operands; o++) {
			const struct level *l = &m->machine->level[level];
			const int64_t *count = cost->traffic[level][o].per_instance;
			int64_t reads = count[ACCESS_READ];
			int64_t writes = count[ACCESS_FILL] + count[ACCESS_UPDATE];
			double own = l->class_bandwidth[m->problem->operand[o].class];
			look_at(e, cost, level, o, BOUND_NETWORK, cost->traffic[level][o].network,
				l->network_bandwidth);
			if (own > 0) {
				look_at(e, cost, level, o, BOUND_CLASS, reads + writes, own);
				continue;
			}
			look_at(e, cost, level, o, BOUND_READ, reads, l->read_bandwidth);
			look_at(e, cost, level, o, BOUND_WRITE, writes, l->write_bandwidth);
			look_at(e, cost, level, o, BOUND_SHARED, reads + writes,
				l->shared_bandwidth);
		}
}

void eyexam(const struct mapping *m, const struct cost *cost, const struct constraint *c,
	    struct eyexam *e)
{
	int64_t points = parallel_points(m->problem, m->machine, c);

	*e = (struct eyexam){.port = BOUND_COMPUTE};
	e->rate[EYEXAM_SHAPE] = (double)cost->macs;
	e->rate[EYEXAM_DATAFLOW] = (double)points;
	e->rate[EYEXAM_UNITS] =
		(double)points / (double)ceil_divide(points, hierarchy_units(m->machine));
	e->rate[EYEXAM_ARRAY] = eyexam_folding(m->problem, m->machine, c);
	e->rate[EYEXAM_STORAGE] = (double)cost->macs / (double)cost->steps;
	e->rate[EYEXAM_BANDWIDTH] = e->rate[EYEXAM_STORAGE];
	look_at_ports(e, m, cost);
	e->rate[EYEXAM_CYCLES] = (double)cost->macs / (double)cost->cycles;
}
