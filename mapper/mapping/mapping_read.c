/* mapping_read.c -- the clauses of a mapping go in, its loops come out, each against what the loops before it leave.
 *
 * `for k in 96 step 16` at a memory walks the 96 that are left of k and leaves 16 to what is inside; without `step` it
 * leaves one. `parallel k over row in 3` parts what is left of k among three units. What a memory keeps is what `keep`
 * lists, or without `keep` what it may and `bypass` does not list. */
#include "mapper/mapping/mapping_print.h"

#include <inttypes.h>
#include <string.h>

#include "mapper/mapping/clause.h"
#include "mapper/mapping/fit.h"
#include "mapper/mapping/tile.h"

struct reader {
	struct scope scope;
	struct diag *diag;
	const struct tree_item *item;
	const struct problem *problem;
	const struct hierarchy *machine;
	struct mapping *mapping;
	int64_t left[MAX_DIMS];
	const struct tree_clause *clause[MAX_MAPPED_LOOPS]; /* that each loop is from */
	const struct tree_clause *last;                     /* the loop before, or NULL */
	const struct tree_clause *keep[MAX_LEVELS];         /* the clause that lists what is kept */
	unsigned kept[MAX_LEVELS], bypassed[MAX_LEVELS];    /* bit per operand, by clauses */
};

/* A number of a loop: at least 1, and at most what is left of its dimension. */
static bool take_number(struct reader *r, const struct tree_expr *expr, const char *dim,
			int64_t left, int64_t *value)
{
	if (!clause_number(&r->scope, expr, value))
		return false;
	if (*value <= left)
		return true;
	diag_error(r->diag, "out-of-range", expr->span,
		   "%" PRId64 " is more than the %" PRId64 " that are left of %s here", *value,
		   left, dim);
	return false;
}

/* ---- Loops ---------------------------------------------------------------------------------------------------- */

/* Loops are written from the outermost inward, at one level those in time before those in space. */
static bool check_place(struct reader *r, const struct tree_clause *clause, int level)
{
	const struct mapping *m = r->mapping;
	const struct mapped_loop *before = m->loops ? &m->loop[m->loops - 1] : NULL;
	enum loop_kind kind = clause->kind == CLAUSE_FOR ? LOOP_TIME : LOOP_SPACE;

	if (m->loops == MAX_MAPPED_LOOPS) {
		diag_error(r->diag, "bad-mapping", clause->span, "a mapping has at most %d loops",
			   MAX_MAPPED_LOOPS);
		return false;
	}
	if (!before || before->level < level || (before->level == level && before->kind <= kind))
		return true;
	diag_error(
		r->diag, "bad-mapping", clause->level_span,
		"'%s' lies outside of '%s', whose loop stands before: loops are written from the "
		"outermost inward",
		clause->level, r->last->level);
	diag_note(r->diag, r->last->span, "it is here");
	return false;
}

static void add_loop(struct reader *r, const struct tree_clause *clause, struct mapped_loop loop)
{
	r->clause[r->mapping->loops] = r->last = clause;
	r->mapping->loop[r->mapping->loops++] = loop;
	r->left[loop.dim] = loop.tile;
}

static void take_time(struct reader *r, const struct tree_clause *clause, int level, int dim)
{
	const char *name = r->problem->dim[dim];
	int64_t left = r->left[dim], extent = left, tile = 1;

	if (clause->extent && !take_number(r, clause->extent, name, left, &extent))
		return;
	if (clause->step && !take_number(r, clause->step, name, left, &tile))
		return;
	if (extent != left) {
		diag_error(r->diag, "bad-mapping", clause->extent->span,
			   "this loop walks %" PRId64 " of %s, and %" PRId64 " are left of it here",
			   extent, name, left);
		diag_label(r->diag, "in %" PRId64, left);
		return;
	}
	add_loop(r, clause, (struct mapped_loop){LOOP_TIME, level, 0, dim, tile});
}

static void take_space(struct reader *r, const struct tree_clause *clause, int level, int dim)
{
	const char *name = r->problem->dim[dim];
	int64_t left = r->left[dim], units = left, tile;
	int axis = clause_axis(&r->scope, clause, level);

	if (axis < 0)
		return;
	if (clause->extent && !take_number(r, clause->extent, name, left, &units))
		return;
	tile = left / units + (left % units > 0);
	if (clause->step && !take_number(r, clause->step, name, left, &tile))
		return;
	if (left / tile + (left % tile > 0) != units && clause->extent) {
		diag_error(r->diag, "bad-mapping", clause->extent->span,
			   "%" PRId64 " of %s in shares of %" PRId64 " are for %" PRId64
			   " units, and not for %" PRId64,
			   left, name, tile, left / tile + (left % tile > 0), units);
		return;
	}
	add_loop(r, clause, (struct mapped_loop){LOOP_SPACE, level, axis, dim, tile});
}

/* A loop of one step stands for nothing. */
static void take_one(struct reader *r, const struct tree_clause *clause)
{
	int64_t value;

	if (clause->extent)
		take_number(r, clause->extent, clause->name[0], 1, &value);
	if (clause->step)
		take_number(r, clause->step, clause->name[0], 1, &value);
}

static void take_loop(struct reader *r, const struct tree_clause *clause)
{
	int level = clause_level(&r->scope, clause), dim = clause_dim(&r->scope, clause, 0);

	if (clause->name_count > 1) {
		diag_error(r->diag, "bad-mapping", clause->name_spans[1],
			   "a line of a whole mapping is one loop");
		return;
	}
	if (level < 0 || dim == DIM_UNKNOWN || !check_place(r, clause, level))
		return;
	if (dim == DIM_ONE)
		take_one(r, clause);
	else if (clause->kind == CLAUSE_FOR)
		take_time(r, clause, level, dim);
	else
		take_space(r, clause, level, dim);
}

/* ---- What is kept, and in which order ------------------------------------------------------------------------- */

static void take_kept(struct reader *r, const struct tree_clause *clause)
{
	bool is_kept = clause->kind == CLAUSE_KEEP;
	int level = clause_level(&r->scope, clause);
	const struct level *l = &r->machine->level[level < 0 ? 0 : level];

	for (int i = 0; level >= 0 && i < clause->name_count; i++) {
		int o = clause_operand(&r->scope, clause, i);
		const char *name = clause->name[i];
		struct span span = clause->name_spans[i];
		unsigned said = r->kept[level] | r->bypassed[level];

		if (o < 0)
			continue;
		if (said >> o & 1)
			diag_error(r->diag, "repeated-name", span,
				   "'%s' is kept or bypassed at '%s' already", name, l->name);
		else if (is_kept && !(l->may_keep >> r->problem->operand[o].class & 1))
			diag_error(r->diag, "bad-mapping", span, "memory '%s' does not keep %s",
				   l->name, name);
		else if (!is_kept && (l->must_keep >> r->problem->operand[o].class & 1))
			diag_error(r->diag, "bad-mapping", span,
				   level == 0
					   ? "%s cannot bypass memory '%s': the outermost keeps all"
					   : "%s cannot bypass memory '%s', which holds it",
				   name, l->name);
		*(is_kept ? &r->kept[level] : &r->bypassed[level]) |= 1u << o;
	}
	if (level >= 0 && is_kept)
		r->keep[level] = clause;
}

/* `spad: order s, c` says again how the loops of a memory stand. */
static void check_order(struct reader *r, const struct tree_clause *clause)
{
	const struct mapping *m = r->mapping;
	int level = clause_level(&r->scope, clause), previous = -1;
	const char *outer = "";

	for (int i = 0; level >= 0 && i < clause->name_count; i++) {
		int dim = clause_dim(&r->scope, clause, i), at = 0;
		while (at < m->loops && (m->loop[at].level != level || m->loop[at].dim != dim ||
					 m->loop[at].kind != LOOP_TIME))
			at++;
		if (dim < 0 || at == m->loops)
			continue;
		if (at < previous) {
			diag_error(r->diag, "bad-mapping", clause->name_spans[i],
				   "%s stands inside of %s here, and the loops stand the other way",
				   clause->name[i], outer);
			diag_note(r->diag, r->clause[at]->span, "this is the loop");
		}
		previous = at;
		outer = clause->name[i];
	}
}

static void set_keep(struct reader *r, int level)
{
	const struct level *l = &r->machine->level[level];

	for (int o = 0; o < r->problem->operands; o++) {
		enum tensor_class class = r->problem->operand[o].class;
		bool must = l->must_keep >> class & 1, may = l->may_keep >> class & 1;
		bool is_kept = r->keep[level] ? r->kept[level] >> o & 1
					      : may && !(r->bypassed[level] >> o & 1);
		if (r->keep[level] && must && !is_kept)
			diag_error(r->diag, "bad-mapping", r->keep[level]->span,
				   "memory '%s' holds %s, which is not among what it keeps here",
				   l->name, operand_name(r->problem, o));
		r->mapping->keep[level] |= is_kept ? 1u << o : 0;
	}
}

/* ---- The whole ------------------------------------------------------------------------------------------------- */

/* The innermost loop of each dimension leaves one. */
static void check_walked(struct reader *r)
{
	for (int d = 0; d < r->problem->dims; d++) {
		const struct mapping *m = r->mapping;
		int last = m->loops - 1;
		if (r->left[d] == 1)
			continue;
		while (last >= 0 && m->loop[last].dim != d)
			last--;
		diag_error(r->diag, "bad-mapping",
			   last < 0 ? r->item->name_span : r->clause[last]->span,
			   last < 0 ? "no loop walks %s, which is %" PRId64
				    : "no loop inside walks what this one leaves of %s, %" PRId64,
			   r->problem->dim[d], r->left[d]);
	}
}

/* The loop at the memory or inside of it that makes the tile as long as it is. */
static int loop_to_blame(const struct mapping *m, const struct misfit *f)
{
	int i = tile_first_loop(m, f->level);

	if (f->kind == MISFIT_FANOUT)
		return f->loop;
	while (i < m->loops && (m->loop[i].dim != f->dim || tile_left(m, i) == 1))
		i++;
	return i;
}

static void check_fit(struct reader *r, int level)
{
	const struct mapping *m = r->mapping;
	struct arena *arena = r->scope.program->arena;
	struct misfit f;
	struct span span = r->item->name_span;
	const char *remedy;
	int loop;

	if (!level_misfit(m, level, &f))
		return;
	loop = loop_to_blame(m, &f);
	if (loop < m->loops) {
		const struct tree_clause *clause = r->clause[loop];
		span = clause->name_spans[0];
		if (clause->extent)
			span = span_join(span, clause->extent->span);
	} else if (r->keep[level]) {
		span = r->keep[level]->span;
	}
	diag_error(r->diag, "does-not-fit", span, "%s", misfit_sentence(arena, m, &f));
	remedy = misfit_remedy(arena, m, &f);
	if (remedy)
		diag_label(r->diag, "%s", remedy);
}

struct mapping *mapping_read(struct program *program, const struct tree_item *item,
			     const struct problem *problem, const struct hierarchy *machine)
{
	struct reader r = {.scope = {program, item, problem, machine, item->span},
			   .diag = program->diag,
			   .item = item,
			   .problem = problem,
			   .machine = machine};
	int errors = program->diag->errors;

	r.mapping = ARENA_NEW(program->arena, struct mapping);
	r.mapping->problem = problem;
	r.mapping->machine = machine;
	memcpy(r.left, problem->extent, sizeof r.left);
	scope_check_machine(&r.scope);
	for (const struct tree_clause *c = item->clause; c; c = c->next) {
		if (c->kind == CLAUSE_FOR || c->kind == CLAUSE_PARALLEL)
			take_loop(&r, c);
		else if (c->kind == CLAUSE_STATIONARY)
			diag_error(r.diag, "bad-mapping", c->span,
				   "'stationary' is for dataflows: a whole mapping says its loops");
		else if (c->kind != CLAUSE_ORDER)
			take_kept(&r, c);
	}
	for (const struct tree_clause *c = item->clause; c; c = c->next)
		if (c->kind == CLAUSE_ORDER)
			check_order(&r, c);
	for (int level = 0; level < machine->levels; level++)
		set_keep(&r, level);
	if (program->diag->errors == errors)
		check_walked(&r);
	bool is_whole = program->diag->errors == errors;
	for (int level = 0; is_whole && level < machine->levels; level++)
		check_fit(&r, level);
	return program->diag->errors == errors ? r.mapping : NULL;
}
