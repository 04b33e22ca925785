/* constraint_read.c -- the clauses of a dataflow and of a map go in, one after the other, and narrow what the machine
 * allows; two that cannot both hold are told, each at its place.
 *
 * Where clauses name loops that may stand at a place (the loops in time of a memory, those over an axis of an array), no
 * others of that item do; `in 1` says of a loop that it does not stand there. */
#include "mapper/mapping/constraint.h"

#include <string.h>

#include "mapper/mapping/constraint_make.h"
#include "mapper/mapping/dataflow.h"
#include "mapper/mapping/tile.h"

/* ---- Places and names ------------------------------------------------------------------------------------- */

bool is_later(const struct maker *m, struct span span, struct span than)
{
	if (span.source != than.source)
		return span.source == m->scope.item->span.source;
	return span.begin > than.begin;
}

static const struct tree_block *find_block(const struct tree_block *block, const char *name)
{
	for (; block; block = block->next) {
		const struct tree_block *inner = find_block(block->block, name);
		if (inner || (block->name && strcmp(block->name, name) == 0))
			return inner ? inner : block;
	}
	return NULL;
}

void note_machine(const struct maker *m, const char *name, const char *property)
{
	const struct tree_block *block = find_block(m->machine->block->block, name);
	struct span span = block ? span_join(block->kind_span, block->name_span)
				 : m->machine->block->name_span;

	for (const struct tree_property *p = block ? block->property : NULL; p; p = p->next)
		if (property && strcmp(p->name, property) == 0)
			span = p->span;
	diag_note(m->scope.program->diag, span, "this is the machine's");
}

static enum place place_of(const struct reading *r, const struct tree_clause *c)
{
	return r->is_dataflow ? dataflow_place(r->m->scope.machine, c->level) : PLACE_NONE;
}

/* A word is for memories or for the array, and `innermost` for tensors. */
static bool check_place(struct reading *r, const struct tree_clause *c, enum place place)
{
	bool is_loop = c->kind == CLAUSE_FOR || c->kind == CLAUSE_ORDER;

	if ((c->kind == CLAUSE_PARALLEL) == (place == PLACE_ARRAY) &&
	    !(is_loop && place == PLACE_INNERMOST))
		return true;
	scope_error(&r->m->scope, "bad-mapping", c->level_span,
		    place == PLACE_ARRAY ? "'%s' is the array: its loops are parallel"
		    : c->kind == CLAUSE_PARALLEL
			    ? "'%s' is a memory: loops run in parallel over 'array'"
			    : "'%s' is a memory for each tensor, and loops have none",
		    c->level);
	return false;
}

static bool check_level(struct reading *r, const struct tree_clause *c)
{
	enum place place = place_of(r, c);

	return place == PLACE_NONE ? clause_level(&r->m->scope, c) >= 0 : check_place(r, c, place);
}

unsigned reading_levels(struct reading *r, const struct tree_clause *c, const struct operand *o)
{
	enum place place = place_of(r, c);

	return place == PLACE_NONE ? 1u << clause_level(&r->m->scope, c)
				   : dataflow_levels(r->m->scope.machine, place, o);
}

/* A dataflow speaks of many layers: what this one does not have is no error. */
int reading_dim(struct reading *r, const struct tree_clause *c, int i)
{
	return r->is_dataflow ? problem_dim(r->m->scope.problem, c->name[i])
			      : clause_dim(&r->m->scope, c, i);
}

/* I, W, O and their like, W2. */
static bool is_tensor_name(const char *name)
{
	return name[0] && strchr("IWO", name[0]) &&
	       (!name[1] || (strchr("234", name[1]) && !name[2]));
}

static int operand_of(struct reading *r, const struct tree_clause *c, int i)
{
	return r->is_dataflow && is_tensor_name(c->name[i])
		       ? problem_operand(r->m->scope.problem, c->name[i])
		       : clause_operand(&r->m->scope, c, i);
}

/* ---- What is kept ----------------------------------------------------------------------------------------------- */

static void keep_conflict(struct reading *r, struct span span, int level, int o, bool is_kept)
{
	const struct level *l = &r->m->scope.machine->level[level];
	struct span other = r->m->origin->keep[level][o];

	scope_error(&r->m->scope, "bad-mapping", span,
		    is_kept      ? "%s is not kept by memory '%s'"
		    : level == 0 ? "%s cannot bypass memory '%s': the outermost keeps all"
				 : "%s cannot bypass memory '%s', which keeps it",
		    operand_name(r->m->scope.problem, o), l->name);
	if (other.source)
		scope_note_line(&r->m->scope, other, OTHERWISE);
	else if (level > 0)
		note_machine(r->m, l->name, is_kept ? "keeps" : "holds");
}

static void fix_kept(struct reading *r, struct span span, int level, int o, bool is_kept)
{
	struct constraint *c = r->m->c;
	unsigned bit = 1u << o;

	if (is_kept ? !(c->may_keep[level] & bit) : c->must_keep[level] & bit) {
		keep_conflict(r, span, level, o, is_kept);
		return;
	}
	if (is_kept)
		c->must_keep[level] |= bit;
	else
		c->may_keep[level] &= ~bit;
	if (!r->m->origin->keep[level][o].source)
		r->m->origin->keep[level][o] = span;
}

static void take_kept(struct reading *r, const struct tree_clause *c, int i)
{
	bool is_kept = c->kind == CLAUSE_KEEP, is_word = place_of(r, c) != PLACE_NONE;
	const struct problem *p = r->m->scope.problem;
	int o = operand_of(r, c, i);
	unsigned levels = o < 0 ? 0 : reading_levels(r, c, &p->operand[o]);

	for (int l = 0; levels >> l; l++) {
		unsigned *said = is_kept ? &r->kept[l] : &r->bypassed[l];
		bool may = r->m->scope.machine->level[l].may_keep >> p->operand[o].class & 1;
		if (!(levels >> l & 1) || (is_word && !may))
			continue;
		if (*said >> o & 1)
			scope_error(&r->m->scope, "repeated-name", c->name_spans[i],
				    "'%s' is %s at '%s' already", c->name[i],
				    is_kept ? "kept" : "bypassed",
				    r->m->scope.machine->level[l].name);
		else
			fix_kept(r, is_word ? c->span : c->name_spans[i], l, o, is_kept);
		*said |= 1u << o;
	}
}

/* ---- What is stationary ----------------------------------------------------------------------------------------- */

/* No loop here, for it would move what is stationary on. */
static void forbid_moving(struct reading *r, const struct tree_clause *c, struct slot s, int o)
{
	struct maker *m = r->m;
	const struct tree_clause *named = *naming_at(r, s);
	int64_t steps = *steps_at(m, s);

	if (steps == 1 || (steps == 0 && !named)) {
		fix_steps(m, s, 1, c->span);
		return;
	}
	scope_error(&m->scope, "bad-mapping", c->span,
		    "%s does not stay while a loop over %s stands %s",
		    operand_name(m->scope.problem, o), m->scope.problem->dim[s.dim],
		    slot_name(m, s));
	scope_note_line(&m->scope, named ? named->span : *origin_at(m, s),
			"this line has the loop");
}

/* The operand stays in this memory, once there, until all its uses are done: of the loops in time outside of its unit
 * those that do not index it stand at the memory around the unit, inside of those that do; and while they
 * run, nothing between that memory and this one moves it on. */
static void make_stationary(struct reading *r, const struct tree_clause *c, int level, int o)
{
	struct maker *m = r->m;
	const struct hierarchy *h = m->scope.machine;
	unsigned relevant = m->scope.problem->operand[o].relevant;
	int array = dataflow_array(h, level);
	int around = dataflow_memory(h, array >= 0 ? array : level - 1);

	fix_kept(r, c->span, level, o, true);
	for (int l = 0; l < level; l++)
		for (int d = 0; d < m->scope.problem->dims; d++) {
			bool indexes = relevant >> d & 1;
			if (l != around && h->level[l].is_memory && indexes != (l < around))
				forbid_moving(r, c, (struct slot){LOOP_TIME, l, 0, d}, o);
		}
	if (m->c->stationary[around] >= 0 && m->c->stationary[around] != o) {
		scope_error(&m->scope, "bad-mapping", c->span,
			    "of the loops at memory '%s' those of one tensor can stand outermost",
			    h->level[around].name);
		scope_note_line(&m->scope, m->origin->stationary[around], OTHERWISE);
		return;
	}
	m->c->stationary[around] = o;
	m->stay[around] = level;
	m->origin->stationary[around] = c->span;
}

static void take_stationary(struct reading *r, const struct tree_clause *c, int i)
{
	const struct problem *p = r->m->scope.problem;
	int o = operand_of(r, c, i);
	unsigned levels = o < 0 ? 0 : reading_levels(r, c, &p->operand[o]);

	for (int l = 0; levels >> l; l++) {
		if (!(levels >> l & 1))
			continue;
		if (l > 0)
			make_stationary(r, c, l, o);
		else
			scope_error(&r->m->scope, "bad-mapping", c->span,
				    "no memory inside of '%s' is said to keep %s, and in the "
				    "outermost all "
				    "tensors stay",
				    r->m->scope.machine->level[0].name, c->name[i]);
	}
}

/* ---- The whole ---------------------------------------------------------------------------------------------------- */

static void take_clause(struct reading *r, const struct tree_clause *c)
{
	if (!check_level(r, c))
		return;
	if (c->kind == CLAUSE_FOR || c->kind == CLAUSE_PARALLEL)
		take_loops(r, c);
	else if (c->kind == CLAUSE_ORDER)
		take_orders(r, c);
	for (int i = 0; i < c->name_count; i++) {
		if (c->kind == CLAUSE_KEEP || c->kind == CLAUSE_BYPASS)
			take_kept(r, c, i);
		else if (c->kind == CLAUSE_STATIONARY)
			take_stationary(r, c, i);
	}
}

/* What is stationary is said of all loops, and so comes after them. */
static void take_item(struct maker *m, const struct tree_item *item)
{
	struct reading r = {.m = m, .is_dataflow = item->kind == ITEM_DATAFLOW};

	int errors = m->scope.program->diag->errors;

	m->scope.item = item;
	scope_check_machine(&m->scope);
	for (const struct tree_clause *c = item->clause; c; c = c->next)
		if (c->kind != CLAUSE_STATIONARY)
			take_clause(&r, c);
	for (const struct tree_clause *c = item->clause; c; c = c->next)
		if (c->kind == CLAUSE_STATIONARY)
			take_clause(&r, c);
	for (int level = 0;
	     m->scope.program->diag->errors == errors && level < m->scope.machine->levels; level++)
		close_places(&r, level);
}

const struct tree_item *constraint_dataflow(struct program *program, const struct machine *machine,
					    struct span *caller)
{
	const struct tree_property *p = machine->block->property;

	while (p && strcmp(p->name, "dataflow") != 0)
		p = p->next;
	if (!p)
		return NULL;
	*caller = p->span;
	return dataflow_find(program, p->value[0]->name);
}

static void move_out(const struct scope *s, struct span *span, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span[i].source && span[i].source->is_library)
			span[i] = s->caller;
}

bool constraint_read_items(struct program *program, const struct machine *machine,
			   const struct tree_item *dataflow, const struct tree_item *map,
			   const struct problem *problem, const struct hierarchy *hierarchy,
			   bool imperfect, struct constraint *c, struct constraint_origin *origin)
{
	struct maker m = {.scope = {.program = program, .problem = problem, .machine = hierarchy},
			  .machine = machine,
			  .imperfect = imperfect,
			  .c = c,
			  .origin = origin};
	int errors = program->diag->errors;

	constraint_dataflow(program, machine, &m.scope.caller);
	constraint_free(c, problem, hierarchy);
	memset(origin, 0, sizeof *origin);
	m.standing = ARENA_ARRAY(program->arena, MAX_LEVELS, struct standing);
	if (dataflow)
		take_item(&m, dataflow);
	if (map)
		take_item(&m, map);
	if (program->diag->errors == errors) {
		check_axes(&m);
		check_dims(&m);
		make_orders(&m);
	}
	for (int l = 0; l < hierarchy->levels && program->diag->errors == errors; l++)
		if (c->stationary[l] >= 0)
			check_stay(&m, m.stay[l], c->stationary[l], origin->stationary[l]);
	move_out(&m.scope, (struct span *)origin, sizeof *origin / sizeof(struct span));
	return program->diag->errors == errors;
}

bool constraint_read(struct program *program, const struct machine *machine,
		     const struct tree_item *map, const struct problem *problem,
		     const struct hierarchy *hierarchy, bool imperfect, struct constraint *c,
		     struct constraint_origin *origin)
{
	struct span caller;
	const struct tree_item *dataflow = constraint_dataflow(program, machine, &caller);

	return constraint_read_items(program, machine, dataflow, map, problem, hierarchy, imperfect,
				     c, origin);
}
