/* constraint_relax.c -- which line is in the way: the constraint is read again, each time without one of its clauses, and
 * looked at whether there is a mapping then. Where no clause alone is, all are left out, and those that change nothing
 * come back one after the other. A dataflow of the library is one line, for nobody can alter a clause of it. */
#include "mapper/mapping/constraint_make.h"
#include "mapper/mapping/feasible.h"

struct line {
	struct span span;
	const struct tree_clause *clause; /* NULL: all of the dataflow */
	bool is_left_out;
};

struct relaxing {
	struct program reader; /* what it says of the rest is no one's concern */
	const struct machine *machine;
	const struct tree_item *dataflow, *map; /* or NULL */
	const struct problem *problem;
	const struct hierarchy *hierarchy;
	int lines;
	struct line *line; /* in the arena */
};

static void add_clauses(struct relaxing *r, const struct tree_item *item)
{
	for (const struct tree_clause *c = item ? item->clause : NULL; c; c = c->next)
		ARENA_APPEND(r->reader.arena, r->line, r->lines,
			     ((struct line){c->span, c, false}));
}

static bool is_left_out(const struct relaxing *r, const struct tree_clause *clause)
{
	for (int i = 0; i < r->lines; i++)
		if (r->line[i].is_left_out && r->line[i].clause == clause)
			return true;
	return false;
}

/* The item without the clauses that are left out. */
static const struct tree_item *rest_of(const struct relaxing *r, const struct tree_item *item)
{
	struct tree_item *rest;
	struct tree_clause **end;

	if (!item || (item == r->dataflow && is_left_out(r, NULL)))
		return NULL;
	rest = ARENA_NEW(r->reader.arena, struct tree_item);
	*rest = *item;
	end = &rest->clause;
	for (const struct tree_clause *c = item->clause; c; c = c->next) {
		if (is_left_out(r, c))
			continue;
		*end = ARENA_NEW(r->reader.arena, struct tree_clause);
		**end = *c;
		end = &(*end)->next;
	}
	*end = NULL;
	return rest;
}

/* Is there a mapping without the lines that are left out? */
static bool has_mapping(struct relaxing *r)
{
	struct constraint *c = ARENA_NEW(r->reader.arena, struct constraint);
	struct constraint_origin *origin = ARENA_NEW(r->reader.arena, struct constraint_origin);
	struct diag trial = {.arena = r->reader.arena};

	r->reader.diag = &trial;
	return constraint_read_items(&r->reader, r->machine, rest_of(r, r->dataflow),
				     rest_of(r, r->map), r->problem, r->hierarchy, false, c,
				     origin) &&
	       feasible(c, r->problem, r->hierarchy);
}

static const char *what(const struct line *line)
{
	return line->clause ? "line" : "dataflow";
}

static bool note_single(struct relaxing *r, struct diag *diag)
{
	bool found = false;

	for (int i = 0; i < r->lines; i++) {
		struct line *line = &r->line[i];
		line->is_left_out = true;
		if (has_mapping(r)) {
			diag_note(diag, line->span, "without this %s there is a mapping",
				  what(line));
			found = true;
		}
		line->is_left_out = false;
	}
	return found;
}

static void note_set(struct relaxing *r, struct diag *diag)
{
	int count = r->lines, told = 0;

	for (int i = 0; i < r->lines; i++)
		r->line[i].is_left_out = true;
	if (!has_mapping(r))
		return;
	for (int i = r->lines - 1; i >= 0; i--) {
		r->line[i].is_left_out = false;
		r->line[i].is_left_out = !has_mapping(r);
		count -= !r->line[i].is_left_out;
	}
	for (int i = 0; i < r->lines; i++)
		if (r->line[i].is_left_out && told++ == 0)
			diag_note(diag, r->line[i].span,
				  "there is a mapping without %d lines together, this %s", count,
				  what(&r->line[i]));
		else if (r->line[i].is_left_out)
			diag_note(diag, r->line[i].span, "and this %s", what(&r->line[i]));
}

void constraint_note_relaxed(struct program *program, const struct machine *machine,
			     const struct tree_item *map, const struct problem *problem,
			     const struct hierarchy *hierarchy)
{
	struct relaxing r = {.reader = *program,
			     .machine = machine,
			     .map = map,
			     .problem = problem,
			     .hierarchy = hierarchy};
	struct span caller = {0};

	r.dataflow = constraint_dataflow(program, machine, &caller);
	if (r.dataflow && r.dataflow->span.source->is_library)
		ARENA_APPEND(program->arena, r.line, r.lines, ((struct line){.span = caller}));
	else
		add_clauses(&r, r.dataflow);
	add_clauses(&r, map);
	/* what is told may have another cause, as tiles too many to be searched */
	if (!has_mapping(&r) && !note_single(&r, program->diag))
		note_set(&r, program->diag);
}
