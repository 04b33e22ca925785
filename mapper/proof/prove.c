/* prove.c -- every spread of the arrays, one after the other; for each all labels, level by level. docs/mapper.md section 5. */
#include "mapper/proof/prove.h"

#include <math.h>
#include <stdlib.h>

#include "mapper/proof/grow.h"
#include "runtime/clock.h"

/* All labels over all of these spreads of the array inside a level. */
static struct label *cross_array(struct prover *p, const struct label *labels, int level,
				 int spreads, const struct spread spread[])
{
	for (int i = 0; i < spreads; i++)
		for (const struct label *l = labels; l && !prover_is_stopped(p); l = l->next)
			grow_spread(p, l, level, &spread[i]);
	return shelf_take(&p->shelf);
}

/* From the array inside a level, which is spread in one of these ways, to the outermost memory. */
static void outward(struct prover *p, const struct label *inside, int level, int spreads,
		    const struct spread spread[])
{
	struct mark mark = prover_mark(p);

	for (int l = level; l >= 0 && !p->is_cut && !p->no_memory; l--) {
		const struct spreads *all = &p->f->spreads[l];
		inside = l == level ? cross_array(p, inside, l, spreads, spread)
				    : cross_array(p, inside, l, all->count, all->spread);
		grow_level(p, inside, l);
		inside = shelf_take(&p->shelf);
	}
	prover_release(p, mark);
}

/* ---- Subspaces ------------------------------------------------------------------------------------------------------ */

/* The innermost level with an array; 0 where there is none. */
static int innermost_array(const struct facts *f)
{
	int level = f->levels - 1;

	while (level > 0 && !f->machine->level[level].array)
		level--;
	return level;
}

/* All that stands inside of the innermost array: the same for each subspace. */
static const struct label *inside_of(struct prover *p, int level)
{
	const struct label *labels;
	struct draft d;

	grow_begin(p, &d);
	draft_keep(p, &d, &p->shelf, p->f->levels - 1);
	labels = shelf_take(&p->shelf);
	for (int l = p->f->levels - 1; l > level; l--) {
		grow_level(p, labels, l);
		labels = shelf_take(&p->shelf);
	}
	return labels;
}

static void prove_subspaces(struct prover *p, struct proof *proof)
{
	int level = innermost_array(p->f);
	const struct spreads *s = &p->f->spreads[level];
	const struct label *inside = inside_of(p, level);
	double inner = p->bound;

	for (int first = 0, last; first < s->count; first = last) {
		struct subspace *here = &proof->subspace[proof->subspaces++];
		p->bound = inner;
		for (last = first;
		     last < s->count && s->spread[last].dims == s->spread[first].dims;)
			last++;
		outward(p, inside, level, last - first, s->spread + first);
		*here = (struct subspace){s->spread[first].dims, last - first, p->bound};
		proof->bound = fmin(proof->bound, p->bound);
		if (p->is_cut || p->no_memory)
			return;
	}
}

static bool make_shelf(struct shelf *shelf, int32_t boxes)
{
	shelf->list = calloc((size_t)boxes, sizeof *shelf->list);
	shelf->touched = calloc((size_t)boxes, sizeof *shelf->touched);
	return shelf->list && shelf->touched;
}

static bool make_shelves(struct prover *p)
{
	return make_shelf(&p->shelf, p->f->boxes.count) && make_shelf(&p->free, p->f->boxes.count);
}

void prove_space(struct arena *arena, const struct problem *problem,
		 const struct hierarchy *machine, const struct constraint *constraint,
		 const struct proof_space *space, const struct proof_goal *goal,
		 const struct proof_limits *limits, struct proof *proof)
{
	struct facts f;
	struct prover p = {.f = &f,
			   .goal = goal,
			   .limits = limits,
			   .bound = INFINITY,
			   .keeps_all = space->keeps_all,
			   .take = space->take,
			   .context = space->context};

	if (limits->seconds > 0)
		p.deadline = clock_seconds() + limits->seconds;
	*proof = (struct proof){.bound = INFINITY};
	proof->status = facts_make(&f, arena, problem, machine, constraint, space->part, goal);
	proof->is_exact = f.is_exact;
	if (proof->status == PROOF_DONE && make_shelves(&p)) {
		int level = innermost_array(&f);
		proof->subspace =
			ARENA_ARRAY(arena, (size_t)f.spreads[level].count + 1, struct subspace);
		prove_subspaces(&p, proof);
		proof->looked = p.looked;
		if (p.is_cut)
			proof->status = PROOF_CUT;
		else if (proof->bound < goal->value * (1 - PROOF_ROUNDING))
			proof->status = PROOF_FAILED;
	} else if (proof->status == PROOF_DONE)
		proof->status = PROOF_NO_MEMORY;
	if (p.no_memory)
		proof->status = PROOF_NO_MEMORY;
	prover_free(&p);
	facts_free(&f);
}

/* Looks of a second time, at mappings one by one, before it is too much. */
enum { MOST_LOOKED_AGAIN = 1 << 21 };

void prove(struct arena *arena, const struct problem *problem, const struct hierarchy *machine,
	   const struct constraint *constraint, const struct proof_goal *goal,
	   const struct proof_limits *limits, struct proof *proof)
{
	struct proof_space space = {.part = NULL};
	struct proof_limits again = *limits;
	double start = clock_seconds();
	int64_t looked;

	prove_space(arena, problem, machine, constraint, &space, goal, limits, proof);
	if (proof->status != PROOF_FAILED || proof->is_exact)
		return;
	looked = proof->looked;
	again.looked = MOST_LOOKED_AGAIN;
	if (limits->looked > 0 && limits->looked - looked < again.looked)
		again.looked = limits->looked - looked;
	if (limits->seconds > 0)
		again.seconds = fmax(limits->seconds - (clock_seconds() - start), 1e-3);
	space.keeps_all = true;
	if (again.looked > 0)
		prove_space(arena, problem, machine, constraint, &space, goal, &again, proof);
	else
		proof->status = PROOF_CUT;
	proof->looked += looked;
}
