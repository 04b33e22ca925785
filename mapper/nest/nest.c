/* nest.c -- a statement in, the loops of its nest out: which are free, which can be one, and
 * where every access lies as a linear function of them.
 *
 * Loops of one iteration vanish. Two neighbouring loops that every access walks as if they were
 * one become one, so that a pointwise statement is a single long loop whatever the rank of its
 * tensors. The choice among the nests that are left is nest_choice.c's. */
#include "mapper/nest/nest_choice.h"

#include <stdlib.h>
#include <string.h>

/* A padded copy may be this many times its tensor, and a little more. */
enum { PADDING_GROWTH = 4, PADDING_FREE = 4096 };

struct tensor *nest_storage(const struct tensor *t)
{
	return t->view_of ? t->view_of : (struct tensor *)t;
}

/* ---- Accesses as linear functions of the statement's loops ---------------------------------- */

/* Divides out a divisor that divides every part of the sum. */
static struct subscript reduced(const struct statement *s, const struct subscript *from)
{
	struct subscript sub = *from;
	for (int i = s->loops; i < MAX_LOOPS; i++)
		sub.coef[i] = 0;
	bool divides = sub.offset % sub.divisor == 0;
	for (int i = 0; i < s->loops; i++) {
		if (s->loop[i].extent == 1)
			sub.coef[i] = 0;
		divides = divides && sub.coef[i] % sub.divisor == 0;
	}
	for (int i = 0; divides && i < s->loops; i++)
		sub.coef[i] /= sub.divisor;
	if (divides) {
		sub.offset /= sub.divisor;
		sub.divisor = 1;
	}
	return sub;
}

/* Adds one dimension to an access: to its linear part where it is plain, else as a special
 * dimension. */
static void add_dimension(const struct statement *s, struct nest_access *a,
			  const struct subscript *from, int64_t stride, int64_t extent)
{
	int64_t least, greatest;
	struct subscript sub = reduced(s, from);
	subscript_range(s, &sub, &least, &greatest);
	bool inside = least >= 0 && greatest < extent;
	bool guarded = !inside && a->access->outside != OUTSIDE_ERROR;
	if (!guarded && least == greatest) {
		a->offset += least * stride;
	} else if (!guarded && sub.divisor == 1) {
		for (int i = 0; i < s->loops; i++)
			a->coef[i] += sub.coef[i] * stride;
		a->offset += sub.offset * stride;
	} else {
		a->special[a->specials++] = (struct nest_special){
			.subscript = sub, .stride = stride, .extent = extent, .guarded = guarded};
	}
}

static void linearise(const struct statement *s, const struct access *access, struct nest_access *a)
{
	*a = (struct nest_access){.access = access};
	int64_t stride = 1;
	for (int d = access->tensor->rank - 1; d >= 0; d--) {
		add_dimension(s, a, &access->subscript[d], stride, access->tensor->extent[d]);
		stride *= access->tensor->extent[d];
	}
}

/* Iterations of the loops that the access depends on say how often an element is read. */
static bool is_worth_padding(const struct statement *s, const struct nest_access *a, int64_t count)
{
	int64_t tensor = tensor_count(a->access->tensor);
	return s->outer < s->loops && count / PADDING_GROWTH <= tensor + PADDING_FREE &&
	       statement_points(s) / 2 >= count;
}

/* A read with guards and no division is of a copy with its halo, where that pays. */
static void pad(const struct statement *s, struct nest_access *a)
{
	const struct access *access = a->access;
	struct nest_access padded = {.access = access, .form = NEST_PADDED};
	int64_t count = 1;
	if (a->specials == 0 || access->outside != OUTSIDE_VALUE)
		return;
	for (int d = access->tensor->rank - 1; d >= 0; d--) {
		struct subscript sub = reduced(s, &access->subscript[d]);
		int64_t least, greatest, span;
		if (sub.divisor != 1)
			return;
		subscript_range(s, &sub, &least, &greatest);
		if (__builtin_sub_overflow(greatest, least, &span) ||
		    span >= INT64_MAX / 16 / count)
			return;
		padded.low[d] = least;
		padded.extent[d] = span + 1;
		for (int i = 0; i < s->loops; i++)
			padded.coef[i] += sub.coef[i] * count; /* each less than the extent */
		padded.offset += (sub.offset - least) * count;
		count *= padded.extent[d];
	}
	if (is_worth_padding(s, a, count))
		*a = padded;
}

int64_t nest_padded_count(const struct nest_access *a)
{
	int64_t count = 1;
	for (int d = 0; d < a->access->tensor->rank; d++)
		count *= a->extent[d];
	return count;
}

static int count_reads(const struct scalar *e)
{
	int reads = e->kind == SCALAR_READ;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		reads += count_reads(e->arg[i]);
	return reads;
}

static void collect_reads(struct nest *n, const struct scalar *e)
{
	if (e->kind == SCALAR_READ) {
		struct nest_access *a = &n->read[n->reads++];
		linearise(n->statement, e->access, a);
		pad(n->statement, a);
	}
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		collect_reads(n, e->arg[i]);
}

/* ---- Which loops are free ------------------------------------------------------------------- */

/* Do distinct values of the loops of a subscript always give distinct positions? They do when
 * each step is longer than all smaller steps together: the digits of a number in mixed radix. */
static bool is_injective(const struct statement *s, const struct subscript *sub)
{
	bool taken[MAX_LOOPS] = {false};
	int64_t reach = 0;
	for (;;) {
		int next = -1;
		for (int i = 0; i < s->loops; i++)
			if (sub->coef[i] != 0 && !taken[i] &&
			    (next < 0 || llabs(sub->coef[i]) < llabs(sub->coef[next])))
				next = i;
		if (next < 0)
			return true;
		if (llabs(sub->coef[next]) <= reach)
			return false;
		reach += llabs(sub->coef[next]) * (s->loop[next].extent - 1);
		taken[next] = true;
	}
}

/* Marks the loops of the target's loops whose value an element of the target tells. */
static void find_free(const struct statement *s, const struct nest_access *target, bool is_free[])
{
	bool is_bound[MAX_LOOPS] = {false};
	for (int i = 0; i < target->specials; i++)
		for (int l = 0; l < s->loops; l++)
			is_bound[l] |= target->special[i].subscript.coef[l] != 0;
	for (int d = 0; d < target->access->tensor->rank; d++) {
		struct subscript sub = reduced(s, &target->access->subscript[d]);
		if (sub.divisor == 1 && is_injective(s, &sub))
			for (int l = 0; l < s->outer; l++)
				is_free[l] |= sub.coef[l] != 0;
	}
	for (int l = 0; l < s->outer; l++)
		is_free[l] = is_free[l] && !is_bound[l];
}

/* ---- The loops of the nest ------------------------------------------------------------------ */

static void renumber(struct nest *n, struct nest_access *a)
{
	int64_t coef[MAX_LOOPS] = {0};
	for (int l = 0; l < n->statement->loops; l++)
		if (n->position[l] >= 0)
			coef[n->position[l]] = a->coef[l];
	memcpy(a->coef, coef, sizeof coef);
	for (int i = 0; i < a->specials; i++) {
		struct subscript *sub = &a->special[i].subscript;
		memset(coef, 0, sizeof coef);
		for (int l = 0; l < n->statement->loops; l++)
			if (n->position[l] >= 0)
				coef[n->position[l]] = sub->coef[l];
		memcpy(sub->coef, coef, sizeof coef);
	}
}

/* Numbers the loops: free ones, bound ones, reduced ones; those of one iteration vanish. */
static void number_loops(struct nest *n)
{
	const struct statement *s = n->statement;
	bool is_free[MAX_LOOPS] = {false};
	find_free(s, &n->target, is_free);
	for (int class = 0; class < 3; class ++) {
		for (int l = 0; l < s->loops; l++) {
			int own = l >= s->outer ? 2 : is_free[l] ? 0 : 1;
			if (s->loop[l].extent == 1)
				n->position[l] = -1;
			if (s->loop[l].extent == 1 || own != class)
				continue;
			n->loop[n->loops] = (struct nest_loop){s->loop[l].name, s->loop[l].extent};
			n->position[l] = n->loops++;
		}
		if (class == 0)
			n->free = n->loops;
		if (class <= 1)
			n->bound = n->loops;
	}
}

static void find_positions(const struct nest *n, const struct scalar *e, bool used[])
{
	if (e->kind == SCALAR_POSITION && n->position[e->loop] >= 0)
		used[n->position[e->loop]] = true;
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		find_positions(n, e->arg[i], used);
}

static bool walks_as_one(const struct nest *n, const struct nest_access *a, int outer)
{
	for (int i = 0; i < a->specials; i++)
		if (a->special[i].subscript.coef[outer] || a->special[i].subscript.coef[outer + 1])
			return false;
	int64_t whole;
	return !__builtin_mul_overflow(a->coef[outer + 1], n->loop[outer + 1].extent, &whole) &&
	       a->coef[outer] == whole;
}

static bool can_merge(const struct nest *n, int outer)
{
	bool used[MAX_LOOPS] = {false};
	bool is_bound = outer + 1 >= n->free && outer < n->bound;
	find_positions(n, n->statement->value, used);
	if (is_bound || used[outer] || used[outer + 1] || !walks_as_one(n, &n->target, outer))
		return false;
	for (int i = 0; i < n->reads; i++)
		if (!walks_as_one(n, &n->read[i], outer))
			return false;
	return true;
}

static void drop_coef(struct nest *n, struct nest_access *a, int loop)
{
	size_t rest = (size_t)(n->loops - loop - 1);
	memmove(&a->coef[loop], &a->coef[loop + 1], rest * sizeof a->coef[0]);
	for (int i = 0; i < a->specials; i++) {
		int64_t *coef = a->special[i].subscript.coef;
		memmove(&coef[loop], &coef[loop + 1], rest * sizeof coef[0]);
	}
}

/* Makes the loop and the one inside it one. */
static void merge(struct nest *n, int outer)
{
	n->loop[outer + 1].extent *= n->loop[outer].extent;
	drop_coef(n, &n->target, outer);
	for (int i = 0; i < n->reads; i++)
		drop_coef(n, &n->read[i], outer);
	size_t rest = (size_t)(n->loops - outer - 1);
	memmove(&n->loop[outer], &n->loop[outer + 1], rest * sizeof n->loop[0]);
	for (int l = 0; l < n->statement->loops; l++) {
		if (n->position[l] == outer)
			n->position[l] = -1;
		if (n->position[l] > outer)
			n->position[l]--;
	}
	n->free -= outer < n->free;
	n->bound -= outer < n->bound;
	n->loops--;
}

static void merge_loops(struct nest *n)
{
	for (int l = 0; l + 1 < n->loops;)
		if (can_merge(n, l))
			merge(n, l);
		else
			l++;
}

struct nest *nest_choose(struct arena *arena, const struct statement *s,
			 const struct nest_machine *m)
{
	struct nest *n = ARENA_NEW(arena, struct nest);
	n->statement = s;
	n->read = ARENA_ARRAY(arena, count_reads(s->value), struct nest_access);
	linearise(s, &s->target, &n->target);
	collect_reads(n, s->value);
	number_loops(n);
	renumber(n, &n->target);
	for (int i = 0; i < n->reads; i++)
		renumber(n, &n->read[i]);
	merge_loops(n);
	nest_choice(n, m);
	return n;
}
