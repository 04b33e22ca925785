/* workload.c -- a network goes in, the layers that are mapped come out, each under a name of its own. */
#include "mapper/network/workload.h"

#include <inttypes.h>
#include <string.h>

#include "frontend/source/name_index.h"

/* ---- Names --------------------------------------------------------------------------------------------------- */

/* A statement may be called by its layer, by what it writes without the operator's own part (attn.query of
 * attn.query.linear.O), or by all of that: the first of these that it shares with no other. */
enum { NAMINGS = 3 };

/* The name of what it writes, which the integers in its place do not change. */
static const char *written(const struct statement *s)
{
	const struct tensor *t = s->target.tensor;

	return (t->in_place_of ? t->in_place_of : t)->name;
}

static const char *without_operator(struct arena *arena, const struct statement *s)
{
	const char *name = written(s);
	const char *tail = s->op ? arena_printf(arena, ".%s.", s->op) : NULL;
	const char *at = tail ? strstr(name, tail) : NULL;

	if (!at || at == name || strchr(at + strlen(tail), '.'))
		return name;
	return arena_copy(arena, name, (size_t)(at - name));
}

static const char *naming(struct arena *arena, const struct statement *s, int how)
{
	const char *name = how == 0 ? s->layer : how == 1 ? without_operator(arena, s) : written(s);

	return arena_intern_string(arena, name && *name ? name : written(s));
}

/* The name, or where it is taken the name with the first number behind it that is not. */
static const char *untaken(struct arena *arena, struct name_index *taken, const char *name)
{
	const char *tried = arena_intern_string(arena, name);

	for (int number = 2; *name_index_at(arena, taken, tried); number++)
		tried = arena_intern_string(arena, arena_printf(arena, "%s.%d", name, number));
	*name_index_at(arena, taken, tried) = 1;
	return tried;
}

/* Layers that multiply and accumulate have their names first, whatever else is mapped. */
static void name_layers(struct arena *arena, struct workload *w)
{
	struct name_index shared[NAMINGS] = {{0}}, taken = {0};

	for (int i = 0; i < w->layers; i++)
		for (int how = 0; how < NAMINGS && w->layer[i].macs > 0; how++)
			++*name_index_at(arena, &shared[how],
					 naming(arena, w->layer[i].statement, how));
	for (int i = 0; i < w->layers; i++) {
		const struct statement *s = w->layer[i].statement;
		int how = 0;
		if (w->layer[i].macs == 0)
			continue;
		while (how < NAMINGS - 1 &&
		       *name_index_at(arena, &shared[how], naming(arena, s, how)) > 1)
			how++;
		w->layer[i].name = untaken(arena, &taken, naming(arena, s, how));
	}
	for (int i = 0; i < w->layers; i++) {
		const struct statement *s = w->layer[i].statement;
		if (w->layer[i].macs == 0)
			w->layer[i].name =
				untaken(arena, &taken,
					s->op ? arena_printf(arena, "%s.%s", s->layer, s->op)
					      : naming(arena, s, 0));
	}
}

/* ---- Layers -------------------------------------------------------------------------------------------------- */

/* Accesses of a layer are counted in 63 bits: a few of each point at each level, and the links of each on a mesh. */
static const int64_t MOST_POINTS = INT64_MAX >> 10;
/* Positions along one rank that are tried one by one. */
static const int64_t MOST_LOOKED_AT = 10000000;

/* The longest way through an array. */
static int64_t most_links(const struct hierarchy *machine)
{
	int64_t most = 1;

	for (int l = 0; l < machine->levels; l++) {
		int64_t links = machine->level[l].fanout[0] + machine->level[l].fanout[1];
		most = links > most ? links : most;
	}
	return most;
}

static const char *obstacle(const struct statement *s, const struct hierarchy *machine)
{
	const char *why = problem_obstacle(s);

	if (!why && statement_points(s) == 1)
		return "it has no loop of more than one step";
	if (!why && statement_points(s) > MOST_POINTS / most_links(machine))
		return "its accesses are too many to be counted in 63 bits";
	return why;
}

/* Points of the loops that index a rank of what is written, from one of these loops on, that lie inside of it. */
static int64_t points_inside(const struct statement *s, int rank, int loop, int64_t at)
{
	const struct subscript *sub = &s->target.subscript[rank];
	int64_t points = 0;

	while (loop < s->loops && sub->coef[loop] == 0)
		loop++;
	if (loop == s->loops)
		return at >= 0 && at < s->target.tensor->extent[rank];
	for (int64_t i = 0; i < s->loop[loop].extent; i++)
		points += points_inside(s, rank, loop + 1, at + i * sub->coef[loop]);
	return points;
}

/* No loop of more than one step indexes two ranks, or there is an obstacle: so ranks are independent. */
static int64_t dropped_points(const struct statement *s)
{
	int64_t inside = statement_points(s), of_rank;

	if (s->target.outside != OUTSIDE_DROP)
		return 0;
	for (int r = 0; r < s->target.tensor->rank; r++) {
		of_rank = 1;
		for (int i = 0; i < s->loops; i++)
			if (s->target.subscript[r].coef[i] != 0 &&
			    (__builtin_mul_overflow(of_rank, s->loop[i].extent, &of_rank) ||
			     of_rank > MOST_LOOKED_AT))
				return -1;
		inside = inside / of_rank * points_inside(s, r, 0, s->target.subscript[r].offset);
	}
	return statement_points(s) - inside;
}

static void take_layer(struct arena *arena, struct workload *w, struct layer *layer)
{
	const struct statement *s = layer->statement;
	struct problem *problem;
	struct constraint *constraint;

	layer->why = obstacle(s, w->machine);
	layer->first = -1;
	if (layer->why)
		return;
	problem = problem_of(arena, s);
	problem->name = layer->name;
	constraint = ARENA_NEW(arena, struct constraint);
	constraint_free(constraint, problem, w->machine);
	layer->problem = problem;
	layer->constraint = constraint;
	layer->dropped = dropped_points(s);
}

static bool reads_made(const struct scalar *e)
{
	bool reads = e->kind == SCALAR_READ && e->access->tensor->in_place_of;

	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		reads |= reads_made(e->arg[i]);
	return reads;
}

/* Is it around a product of integers, and no statement of the network itself? */
static bool is_made(const struct statement *s)
{
	return statement_macs(s) == 0 && (s->target.tensor->in_place_of || reads_made(s->value));
}

struct workload *workload_of(struct arena *arena, const struct network *network,
			     const struct hierarchy *machine, bool all)
{
	struct workload *w = ARENA_NEW(arena, struct workload);

	w->network = network;
	w->machine = machine;
	for (int i = 0; i < network->statement_count; i++) {
		const struct statement *s = network->statement[i];
		struct layer layer = {.statement = s, .macs = statement_macs(s)};
		if (is_made(s))
			continue;
		if (layer.macs > 0 || all)
			ARENA_APPEND(arena, w->layer, w->layers, layer);
		else
			w->others++;
	}
	name_layers(arena, w);
	for (int i = 0; i < w->layers; i++)
		take_layer(arena, w, &w->layer[i]);
	workload_compare(w);
	return w;
}

/* ---- Alike ----------------------------------------------------------------------------------------------------- */

static bool is_alike(const struct layer *a, const struct layer *b)
{
	return a->first >= 0 && problem_equal(a->problem, b->problem) &&
	       memcmp(a->constraint, b->constraint, sizeof *a->constraint) == 0;
}

void workload_compare(struct workload *w)
{
	w->distinct = 0;
	for (int i = 0; i < w->layers; i++) {
		struct layer *layer = &w->layer[i];
		layer->first = -1;
		if (!layer->problem || layer->given)
			continue;
		int k = 0;
		while (k < i && (w->layer[k].first != k || !is_alike(&w->layer[k], layer)))
			k++;
		layer->first = k;
		w->distinct += k == i;
	}
}
