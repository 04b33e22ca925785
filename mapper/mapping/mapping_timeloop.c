/* mapping_timeloop.c -- the directives of a Timeloop mapping go in, in any order; loops come out, outermost first.
 *
 * As src/mapping/parser.cpp of timeloop-model reads them (commit 4cf6d4c): factors are steps, a second number those of the very last run; a
 * permutation begins with the innermost loop; of a spatial one the first `split` run along X; what is not said of a tensor is that it is kept. */
#include "mapper/mapping/mapping_timeloop.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/timeloop/timeloop.h"
#include "mapper/mapping/fit.h"
#include "mapper/mapping/tile.h"

struct nest {
	int64_t steps[MAX_DIMS], last[MAX_DIMS]; /* 0: not said, which is 1 */
	int order[MAX_DIMS];                     /* innermost first */
	int order_count;
	int split; /* so many of the order, those of one step as well, run along X */
	const struct yaml *at;
};

struct reader {
	struct program *program;
	struct diag *diag;
	const struct problem *problem;
	const struct hierarchy *machine;
	const struct yaml *root;
	struct nest nest[MAX_LEVELS][2]; /* by enum loop_kind */
	unsigned kept[MAX_LEVELS], bypassed[MAX_LEVELS];
	const struct yaml *at[MAX_LEVELS]; /* a directive of the level */
	struct mapping *mapping;
};

enum { DIM_ONE = -1, DIM_UNKNOWN = -2 };

/* ---- Names -------------------------------------------------------------------------------------------------- */

static int level_of(struct reader *r, const char *name)
{
	const char *own = timeloop_name(r->program->arena, name);

	for (int i = 0; i < r->machine->levels; i++)
		if (strcmp(r->machine->level[i].name, own) == 0 ||
		    strcmp(r->machine->level[i].name, name) == 0)
			return i;
	return -1;
}

/* A dimension of one step is none of the problem's, and it may be called anything. */
static int dim_of(struct reader *r, const char *name, size_t length)
{
	const struct problem *p = r->problem;

	for (int d = 0; d < p->dims; d++)
		if (strlen(p->dim[d]) == length && memcmp(p->dim[d], name, length) == 0)
			return d;
	for (int d = 0; d < p->ones; d++)
		if (strlen(p->one[d]) == length && memcmp(p->one[d], name, length) == 0)
			return DIM_ONE;
	return DIM_UNKNOWN;
}

static void error_dim(struct reader *r, const struct yaml *y, const char *name, size_t length)
{
	const char *text = arena_copy(r->program->arena, name, length < 40 ? length : 40);

	diag_error(r->diag, "unknown-name", y->span, "there is no loop of '%s' called '%s'%s",
		   r->problem->name, text,
		   diag_suggestion(r->diag, text, r->problem->dim, r->problem->dims));
}

/* The operand that a data space is: by the tensor's own name, or as the writer calls it. */
static int operand_of(struct reader *r, const struct yaml *y)
{
	static const char *const usual[CLASSES] = {"Inputs", "Weights", "Outputs"};
	const char *text = y->kind == YAML_SCALAR ? y->text : "";

	for (int o = 0; o < r->problem->operands; o++) {
		const struct operand *own = &r->problem->operand[o];
		const char *name = own->name ? own->name : "", *point = strrchr(name, '.');
		const char *suffix = operand_name(r->problem, o) + 1;
		size_t length = strlen(usual[own->class]);
		if (strcmp(point ? point + 1 : name, text) == 0 ||
		    (strncmp(text, usual[own->class], length) == 0 &&
		     strcmp(text + length, suffix) == 0))
			return o;
	}
	diag_error(r->diag, "unknown-name", y->span,
		   "there is no tensor '%s' in layer '%s'; what is written is called Outputs", text,
		   r->problem->name);
	return -1;
}

/* ---- Directives ------------------------------------------------------------------------------------------------ */

/* One "K=16,3" of a text; where it ends, or NULL after an error. */
static const char *take_factor(struct reader *r, struct nest *nest, const struct yaml *y,
			       const char *at)
{
	size_t length = 0;
	int64_t number[2];
	int count = 0, dim;
	char *end;

	while (isalpha((unsigned char)at[length]) || at[length] == '_')
		length++;
	dim = dim_of(r, at, length);
	const char *name = at;
	at += length + strspn(at + length, " =");
	do {
		number[count] = isdigit((unsigned char)*at) ? strtoll(at, &end, 10) : 0;
		if (number[count] < 1) {
			diag_error(
				r->diag, "timeloop", y->span,
				"factors are written K=16, or K=16,3 with those of the last run, "
				"from 1; this is '%.40s'",
				y->text);
			return NULL;
		}
		at = end;
	} while (++count < 2 && *at == ',' && isdigit((unsigned char)at[1]) && at++);
	number[1] = count == 2 ? number[1] : number[0];
	if (dim == DIM_UNKNOWN && number[0] > 1)
		return error_dim(r, y, name, length), NULL;
	if (dim == DIM_ONE && number[0] > 1)
		diag_error(r->diag, "bad-mapping", y->span, "%.*s is 1, and this walks %" PRId64,
			   (int)length, name, number[0]);
	if (dim >= 0) {
		nest->steps[dim] = number[0];
		nest->last[dim] = number[1];
	}
	return at;
}

static void take_factors(struct reader *r, struct nest *nest, const struct yaml *y)
{
	const struct yaml *item = y->kind == YAML_LIST ? y->first : y;

	for (; item; item = item == y ? NULL : item->next) {
		const char *at = item->kind == YAML_SCALAR ? item->text : "?";
		while (at && *(at += strspn(at, " \t\r\n,")) && *at != '#')
			at = take_factor(r, nest, item, at);
	}
}

static void take_order(struct reader *r, struct nest *nest, const struct yaml *y, const char *name,
		       size_t length)
{
	int dim = dim_of(r, name, length);

	for (int i = 0; i < nest->order_count; i++)
		if (dim >= 0 && nest->order[i] == dim) {
			diag_error(r->diag, "repeated-name", y->span, "'%.*s' stands twice",
				   (int)length, name);
			return;
		}
	if (nest->order_count == MAX_DIMS)
		diag_error(r->diag, "timeloop", y->span, "a permutation has at most %d dimensions",
			   MAX_DIMS);
	else
		nest->order[nest->order_count++] = dim;
}

/* A text is names of one letter. */
static void take_permutation(struct reader *r, struct nest *nest, const struct yaml *y)
{
	for (const struct yaml *item = y->kind == YAML_LIST ? y->first : NULL; item;
	     item = item->next)
		if (item->kind == YAML_SCALAR)
			take_order(r, nest, item, item->text, strlen(item->text));
	for (const char *at = y->kind == YAML_SCALAR ? y->text : ""; *at; at++)
		if (isalpha((unsigned char)*at))
			take_order(r, nest, y, at, 1);
}

static void take_loops(struct reader *r, int level, enum loop_kind kind, const struct yaml *y)
{
	struct nest *nest = &r->nest[level][kind];
	const struct yaml *factors = yaml_find(y, "factors"), *order = yaml_find(y, "permutation");
	const struct yaml *split = yaml_find(y, "split");
	int64_t number;

	*nest = (struct nest){.at = y, .split = MAX_DIMS};
	if (factors)
		take_factors(r, nest, factors);
	if (order)
		take_permutation(r, nest, order);
	if (split && timeloop_whole(r->diag, split, 0, INT32_MAX, &number))
		nest->split = number < MAX_DIMS ? (int)number : MAX_DIMS;
}

static void take_kept(struct reader *r, int level, const struct yaml *y)
{
	static const char *const key[] = {"keep", "bypass"};
	unsigned *const into[] = {&r->kept[level], &r->bypassed[level]};

	for (int i = 0; i < 2; i++) {
		const struct yaml *list = yaml_find(y, key[i]);
		for (const struct yaml *item = list ? list->first : NULL; item; item = item->next) {
			int operand = operand_of(r, item);
			if (operand >= 0)
				*into[i] |= 1u << operand;
		}
	}
}

/* Reuse that a directive switches off is counted by no rule of ours. */
static void check_directive(struct reader *r, const struct yaml *y)
{
	static const char *const refused[] = {"no_temporal_reuse", "rmw_on_first_writeback",
					      "passthrough"};

	for (int i = 0; i < 3; i++) {
		const struct yaml *own = yaml_find(y, refused[i]);
		if (own && own->first)
			diag_error(r->diag, "timeloop-unsupported", own->span,
				   "'%s' is not counted", refused[i]);
	}
}

static void take_directive(struct reader *r, const struct yaml *y)
{
	const struct yaml *type = yaml_find(y, "type"), *target = yaml_find(y, "target");
	const char *text = type && type->kind == YAML_SCALAR ? type->text : "";
	const char *name = target && target->kind == YAML_SCALAR ? target->text : "";
	int level = level_of(r, name);

	check_directive(r, y);
	if (level < 0) {
		diag_error(r->diag, "unknown-name", target ? target->span : y->span,
			   "there is no memory '%s' in machine '%s'", name, r->machine->name);
		return;
	}
	r->at[level] = y;
	if (strcmp(text, "temporal") == 0)
		take_loops(r, level, LOOP_TIME, y);
	else if (strcmp(text, "spatial") == 0)
		take_loops(r, level, LOOP_SPACE, y);
	else if (strcmp(text, "bypass") == 0 || strcmp(text, "datatype") == 0)
		take_kept(r, level, y);
	else
		diag_error(r->diag, "timeloop-unsupported", type ? type->span : y->span,
			   "a directive is temporal, spatial, datatype or bypass, and this is '%s'",
			   text);
}

/* ---- Loops ---------------------------------------------------------------------------------------------------------- */

/* What all loops inside of these leave of a dimension: the product of their steps. */
static bool tile_inside(struct reader *r, int level, enum loop_kind kind, int dim, int64_t *tile)
{
	*tile = 1;
	for (int i = r->machine->levels - 1; i >= level; i--)
		for (int k = LOOP_SPACE; k >= (i == level ? (int)kind + 1 : LOOP_TIME); k--) {
			int64_t steps = r->nest[i][k].steps[dim];
			if (__builtin_mul_overflow(*tile, steps ? steps : 1, tile))
				return false;
		}
	return true;
}

static int axis_of(struct reader *r, int level, int position)
{
	const struct nest *nest = &r->nest[level][LOOP_SPACE];
	const struct level *l = &r->machine->level[level];
	bool is_y = position >= nest->split;

	if (l->axes == 2)
		return is_y ? 0 : 1;
	if (l->axes == 1 && !is_y)
		return 0;
	diag_error(r->diag, "bad-mapping", nest->at->span,
		   l->axes ? "the units inside of '%s' lie along X alone, and 'split' puts a loop "
			     "along Y"
			   : "there are no units inside of '%s' for a spatial loop",
		   l->name);
	return -1;
}

static int compare_axes(const void *a, const void *b)
{
	const struct mapped_loop *x = a, *y = b;

	return x->axis != y->axis ? x->axis - y->axis : x->dim - y->dim;
}

static void add_nest(struct reader *r, int level, enum loop_kind kind)
{
	const struct nest *nest = &r->nest[level][kind];
	struct mapping *m = r->mapping;
	int first = m->loops;

	for (int i = nest->order_count - 1; i >= 0; i--) {
		struct mapped_loop loop = {.kind = kind, .level = level, .dim = nest->order[i]};
		if (loop.dim < 0 || nest->steps[loop.dim] <= 1)
			continue;
		if (kind == LOOP_SPACE && (loop.axis = axis_of(r, level, i)) < 0)
			return;
		if (kind == LOOP_TIME && !r->machine->level[level].is_memory)
			diag_error(r->diag, "bad-mapping", nest->at->span,
				   "'%s' is no memory, and has no loops in time",
				   r->machine->level[level].name);
		if (!tile_inside(r, level, kind, loop.dim, &loop.tile) ||
		    m->loops == MAX_MAPPED_LOOPS) {
			diag_error(r->diag, "bad-mapping", nest->at->span,
				   "these are too many steps or loops");
			return;
		}
		m->loop[m->loops++] = loop;
	}
	if (kind == LOOP_SPACE)
		qsort(&m->loop[first], (size_t)(m->loops - first), sizeof *m->loop, compare_axes);
}

static void check_order(struct reader *r, const struct nest *nest)
{
	for (int d = 0; d < r->problem->dims; d++) {
		bool is_there = nest->steps[d] <= 1;
		for (int i = 0; i < nest->order_count; i++)
			is_there |= nest->order[i] == d;
		if (!is_there)
			diag_error(r->diag, "bad-mapping", nest->at->span,
				   "the permutation does not say where the loop over %s stands",
				   r->problem->dim[d]);
	}
}

/* Timeloop's own check: the steps of a dimension, those of the last runs, walk it from end to end. */
static void check_walked(struct reader *r)
{
	for (int d = 0; d < r->problem->dims; d++) {
		int64_t position = 0;
		bool is_over = false;
		for (int i = 0; i < r->machine->levels; i++)
			for (int k = LOOP_TIME; k <= LOOP_SPACE; k++) {
				const struct nest *nest = &r->nest[i][k];
				int64_t steps = nest->steps[d] ? nest->steps[d] : 1;
				int64_t last = nest->steps[d] ? nest->last[d] : 1;
				is_over |= __builtin_mul_overflow(position, steps, &position) ||
					   __builtin_add_overflow(position, last - 1, &position) ||
					   last > steps;
			}
		if (is_over || position + 1 != r->problem->extent[d])
			diag_error(r->diag, "bad-mapping", r->root->span,
				   "the factors of %s walk %" PRId64 ", and it is %" PRId64,
				   r->problem->dim[d], is_over ? -1 : position + 1,
				   r->problem->extent[d]);
	}
}

/* Loops inside of one with a rest take what is left when it comes, at the end of each run, and so a rest may stand at the
 * outermost loop of a dimension alone: there the very last run is the only one. */
static void check_rests(struct reader *r)
{
	for (int i = 0; i < r->mapping->loops; i++) {
		const struct mapped_loop *l = &r->mapping->loop[i];
		const struct nest *nest = &r->nest[l->level][l->kind];
		int64_t rest = r->problem->extent[l->dim], steps = 1;
		for (int k = 0; k <= i; k++) {
			const struct mapped_loop *outer = &r->mapping->loop[k];
			if (outer->dim != l->dim)
				continue;
			steps = rest / outer->tile + (rest % outer->tile > 0);
			rest -= (steps - 1) * outer->tile;
		}
		if (steps != nest->last[l->dim])
			diag_error(r->diag, "timeloop-unsupported", nest->at->span,
				   "the last run of the loop over %s has %" PRId64
				   " steps here, and %" PRId64 " as we part what is left",
				   r->problem->dim[l->dim], nest->last[l->dim], steps);
	}
}

/* ---- The whole ------------------------------------------------------------------------------------------------------ */

static void set_keep(struct reader *r, int level)
{
	const struct level *l = &r->machine->level[level];

	for (int o = 0; o < r->problem->operands; o++) {
		enum tensor_class class = r->problem->operand[o].class;
		bool may = l->is_memory && (l->may_keep >> class & 1);
		bool must = l->must_keep >> class & 1, bypassed = r->bypassed[level] >> o & 1;
		if ((!may && (r->kept[level] >> o & 1)) || (must && bypassed))
			diag_error(r->diag, "bad-mapping", r->at[level]->span,
				   may ? "%s cannot bypass memory '%s', which holds it"
				       : "%s is not kept by '%s'",
				   operand_name(r->problem, o), l->name);
		if (may && !bypassed)
			r->mapping->keep[level] |= 1u << o;
	}
}

static void check_fit(struct reader *r, int level)
{
	struct misfit f;
	const struct yaml *at = r->at[level] ? r->at[level] : r->root;

	if (level_misfit(r->mapping, level, &f))
		diag_error(r->diag, "does-not-fit", at->span, "%s",
			   misfit_sentence(r->program->arena, r->mapping, &f));
}

static void make(struct reader *r)
{
	int errors = r->diag->errors;

	for (int i = 0; i < r->machine->levels; i++)
		for (int kind = LOOP_TIME; kind <= LOOP_SPACE; kind++) {
			if (r->nest[i][kind].at)
				check_order(r, &r->nest[i][kind]);
			add_nest(r, i, (enum loop_kind)kind);
		}
	check_walked(r);
	if (r->diag->errors == errors)
		check_rests(r);
	for (int i = 0; i < r->machine->levels; i++)
		set_keep(r, i);
	for (int i = 0; r->diag->errors == errors && i < r->machine->levels; i++)
		check_fit(r, i);
}

struct mapping *mapping_timeloop(struct program *program, const struct yaml *root,
				 const struct problem *problem, const struct hierarchy *machine)
{
	struct reader *r = ARENA_NEW(program->arena, struct reader);
	const struct yaml *list = yaml_find(root, "mapping");
	int errors = program->diag->errors;

	if (!root)
		return NULL;
	if (!list || list->kind != YAML_LIST) {
		diag_error(program->diag, "timeloop", list ? list->span : root->span,
			   "this file has no list 'mapping'");
		return NULL;
	}
	*r = (struct reader){.program = program,
			     .diag = program->diag,
			     .problem = problem,
			     .machine = machine,
			     .root = list,
			     .mapping = ARENA_NEW(program->arena, struct mapping)};
	r->mapping->problem = problem;
	r->mapping->machine = machine;
	for (const struct yaml *y = list->first; y; y = y->next)
		take_directive(r, y);
	if (program->diag->errors == errors)
		make(r);
	return program->diag->errors == errors ? r->mapping : NULL;
}
