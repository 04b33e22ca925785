/* eyexam_test.c -- seven bounds, none above the one before: an example by hand, the best folding by brute force, and
 * random problems, machines, dataflows and mappings. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "mapper/explain/eyexam.h"
#include "nest_fixture.h"

static void add_array(struct hierarchy *h, int level, int64_t rows, int64_t columns)
{
	struct level *l = &h->level[level];

	l->array = "pe";
	l->axes = columns ? 2 : 1;
	l->fanout[0] = rows;
	l->fanout[1] = columns ? columns : 1;
	l->multicast = l->reduce = 7;
}

/* O[k, p] += I[c, p] * W[k, c] with k = 5, p = 7, c = 4 on 4 x 3 units; c runs in time.
 *
 * 1. 140 MACs. 2. k and p at once: 35. 3. 35 in 3 rounds of 12 units: 11 2/3. 4. k over 3 takes 2 rounds and p over 4
 * takes 2, in all 4: 8 3/4. 5. No divisor of 5 or 7 fits an axis: 1 unit. 6. O moves 140 updates and 105 reads, at
 * 1.4 words a cycle 175 cycles: 0.8. 7. With 140 words each of I and W 525 words, 375 cycles. */
Test(eyexam, by_hand)
{
	static const double rate[EYEXAM_STEPS] = {140, 35, 35. / 3, 35. / 4, 1, 0.8, 140. / 375};
	struct shape shape = {.extent = {['k'] = 5, ['p'] = 7, ['c'] = 4}, .stride = 1};
	struct hierarchy h = {.levels = 1};
	struct problem p;
	struct constraint constraint;
	struct cost cost;
	struct eyexam e;

	note_problem(&p, "c p|k c|k p", &shape); /* dimensions c, k, p */
	add_array(&h, 0, 4, 3);
	h.level[0].shared_bandwidth = 1.4;
	constraint_free(&constraint, &p, &h);
	constraint.space[0][0][0] = constraint.space[0][1][0] = 1;
	struct mapping m = {.problem = &p,
			    .machine = &h,
			    .keep = {7},
			    .loops = 3,
			    .loop = {{LOOP_TIME, 0, 0, 1, 1},
				     {LOOP_TIME, 0, 0, 2, 1},
				     {LOOP_TIME, 0, 0, 0, 1}}};
	cr_assert(mapping_cost(&m, &cost));
	eyexam(&m, &cost, &constraint, &e);
	cr_expect_eq(hierarchy_units(&h), 12);
	for (int i = 0; i < EYEXAM_STEPS; i++)
		cr_expect_eq(e.rate[i], rate[i], "%s: %.17g", eyexam_name[i], e.rate[i]);
}

/* The same, where sums have a port of their own: their 245 words pass it at 0.7 a cycle, in 350 cycles, and the 280 of the
 * others the shared one, of which neither has more than 140 words, in 100. */
Test(eyexam, a_port_of_one_class_takes_its_words_from_the_others)
{
	struct shape shape = {.extent = {['k'] = 5, ['p'] = 7, ['c'] = 4}, .stride = 1};
	struct hierarchy h = {.levels = 1};
	struct problem p;
	struct cost cost;
	struct eyexam e;

	note_problem(&p, "c p|k c|k p", &shape);
	h.level[0].shared_bandwidth = 1.4;
	h.level[0].class_bandwidth[CLASS_O] = 0.7;
	struct mapping m = {.problem = &p,
			    .machine = &h,
			    .keep = {7},
			    .loops = 3,
			    .loop = {{LOOP_TIME, 0, 0, 1, 1},
				     {LOOP_TIME, 0, 0, 2, 1},
				     {LOOP_TIME, 0, 0, 0, 1}}};
	cr_assert(mapping_cost(&m, &cost));
	eyexam(&m, &cost, NULL, &e);
	cr_expect_eq(e.rate[EYEXAM_STORAGE], 1);
	cr_expect_eq(e.rate[EYEXAM_BANDWIDTH], 140. * 0.7 / 245);
	cr_expect(e.port == BOUND_CLASS && e.level == 0 && e.operand == p.operands - 1);
	cr_expect_eq(e.rate[EYEXAM_CYCLES], 140. / 350);
	/* wide, it holds nothing back, and the sums are not in the way of the others: 280 words in 200 cycles */
	h.level[0].class_bandwidth[CLASS_O] = 100;
	cr_assert(mapping_cost(&m, &cost));
	eyexam(&m, &cost, NULL, &e);
	cr_expect_eq(e.port, BOUND_COMPUTE);
	cr_expect_eq(e.rate[EYEXAM_BANDWIDTH], 1);
	cr_expect_eq(e.rate[EYEXAM_CYCLES], 140. / 200);
}

/* ---- Against brute force ------------------------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 33;
}

static int64_t draw(uint64_t *state, int64_t least, int64_t most)
{
	return least + (int64_t)(next_random(state) % (uint64_t)(most - least + 1));
}

/* A convolution of small extents; machines of three levels with an array below the first and the second. */
static void draw_problem(uint64_t *state, struct problem *p, struct shape *shape, int64_t most)
{
	*shape = (struct shape){.stride = draw(state, 1, 2), .dilation = 1};
	for (const char *at = "kcpqr"; *at; at++)
		shape->extent[(int)*at] = draw(state, 1, most);
	note_problem(p, "c pr q|k c r|k p q", shape);
}

static void draw_machine(uint64_t *state, struct hierarchy *h, int64_t most)
{
	*h = (struct hierarchy){.levels = 3};
	for (int i = 0; i < 3; i++) {
		h->level[i].multicast = h->level[i].reduce = 7;
		h->level[i].read_bandwidth = (double)draw(state, 0, 6) / 2;
		h->level[i].write_bandwidth = (double)draw(state, 0, 6) / 2;
		h->level[i].shared_bandwidth = (double)draw(state, 0, 6) / 2;
		for (int c = 0; c < CLASSES; c++)
			if (draw(state, 0, 3) == 0)
				h->level[i].class_bandwidth[c] = (double)draw(state, 1, 6) / 2;
	}
	add_array(h, 0, draw(state, 1, most), 0);
	add_array(h, 1, draw(state, 1, most), draw(state, 1, most));
}

/* Some loops may not run along some axes, some run along one in so many steps. */
static void draw_constraint(uint64_t *state, struct constraint *c, const struct problem *p,
			    const struct hierarchy *h, bool is_exact)
{
	constraint_free(c, p, h);
	for (int level = 0; level < h->levels; level++)
		for (int a = 0; a < h->level[level].axes; a++)
			for (int d = 0; d < p->dims; d++)
				if (draw(state, 0, 2) == 0)
					c->space[level][a][d] = draw(state, 1, is_exact ? 2 : 1);
}

/* The least steps in time over all units of all loops along all axes: nothing is left out, and nothing is clever. */
static int64_t least_steps(const struct problem *p, const struct hierarchy *h,
			   const struct constraint *c, int slot, int64_t room, int64_t left[])
{
	static const int level[] = {0, 1, 1}, axis[] = {0, 0, 1};
	int64_t least = INT64_MAX, steps = 1;

	if (slot == 3 * p->dims) {
		for (int d = 0; d < p->dims; d++)
			steps *= left[d];
		return steps;
	}
	int at = slot / p->dims, d = slot % p->dims;
	int64_t exact = c->space[level[at]][axis[at]][d], whole = left[d];
	if (d == 0)
		room = h->level[level[at]].fanout[axis[at]];
	for (int64_t units = 1; units <= room; units++) {
		if (exact > 0 && units != exact)
			continue;
		left[d] = (whole + units - 1) / units;
		steps = least_steps(p, h, c, slot + 1, room / units, left);
		least = steps < least ? steps : least;
	}
	left[d] = whole;
	return least;
}

Test(eyexam, folding_is_the_best_there_is)
{
	uint64_t state = 1;
	int compared = 0;

	for (int trial = 0; trial < 400; trial++) {
		struct shape shape;
		struct problem p;
		struct hierarchy h;
		struct constraint c;
		int64_t left[MAX_DIMS], points = 1, steps;
		draw_problem(&state, &p, &shape, 7);
		draw_machine(&state, &h, 5);
		draw_constraint(&state, &c, &p, &h, trial % 2);
		for (int d = 0; d < p.dims; d++) {
			left[d] = eyexam_is_parallel(&h, &c, d) ? p.extent[d] : 1;
			points *= left[d];
		}
		steps = least_steps(&p, &h, &c, 0, 0, left);
		if (steps == INT64_MAX) /* what must run in parallel does not fit */
			continue;
		compared++;
		cr_expect_eq(eyexam_folding(&p, &h, &c), (double)points / (double)steps,
			     "trial %d: %g, and %lld points in %lld steps", trial,
			     eyexam_folding(&p, &h, &c), (long long)points, (long long)steps);
	}
	cr_expect_gt(compared, 300, "%d", compared);
}

/* ---- No bound above the one before ------------------------------------------------------------------------------------ */

static int64_t draw_divisor(uint64_t *state, int64_t of, int64_t most)
{
	int64_t divisor;

	do
		divisor = draw(state, 1, of < most ? of : most);
	while (of % divisor != 0);
	return divisor;
}

static void draw_mapping(uint64_t *state, struct mapping *m, const struct constraint *c)
{
	const struct problem *p = m->problem;
	int64_t left[MAX_DIMS];

	for (int d = 0; d < p->dims; d++)
		left[d] = p->extent[d];
	for (int level = 0; level < 3; level++) {
		const struct level *l = &m->machine->level[level];
		m->keep[level] = level ? (unsigned)draw(state, 0, 7) : 7;
		for (int k = 0, first = (int)draw(state, 0, 9); k < p->dims; k++) {
			int d = (first + k) % p->dims;
			left[d] /= level == 2 ? left[d] : draw_divisor(state, left[d], left[d]);
			m->loop[m->loops++] = (struct mapped_loop){LOOP_TIME, level, 0, d, left[d]};
		}
		for (int a = 0; a < l->axes; a++) {
			int64_t room = l->fanout[a];
			for (int d = 0; d < p->dims; d++) {
				int64_t units = c->space[level][a][d] == 1
							? 1
							: draw_divisor(state, left[d], room);
				left[d] /= units;
				room /= units;
				m->loop[m->loops++] =
					(struct mapped_loop){LOOP_SPACE, level, a, d, left[d]};
			}
		}
	}
}

Test(eyexam, no_bound_is_above_the_one_before)
{
	uint64_t state = 7;
	int lost[EYEXAM_STEPS] = {0};

	for (int trial = 0; trial < 3000; trial++) {
		struct shape shape;
		struct problem p;
		struct hierarchy h;
		struct constraint c;
		struct mapping m = {.problem = &p, .machine = &h};
		struct cost cost;
		struct eyexam e;
		draw_problem(&state, &p, &shape, 12);
		draw_machine(&state, &h, 6);
		draw_constraint(&state, &c, &p, &h, false);
		if (p.dims == 0)
			continue;
		draw_mapping(&state, &m, &c);
		cr_assert(mapping_cost(&m, &cost));
		eyexam(&m, &cost, &c, &e);
		for (int i = 1; i < EYEXAM_STEPS; i++) {
			cr_expect_leq(e.rate[i], e.rate[i - 1], "trial %d: %s %.17g after %.17g",
				      trial, eyexam_name[i], e.rate[i], e.rate[i - 1]);
			lost[i] += e.rate[i] < e.rate[i - 1];
		}
	}
	for (int i = 1; i < EYEXAM_STEPS; i++)
		cr_expect_gt(lost[i], 100, "%s lost something in %d trials only", eyexam_name[i],
			     lost[i]);
}
