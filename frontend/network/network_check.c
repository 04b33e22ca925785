/* network_check.c -- proves every promise of network.h, so that what follows may rely on them.
 *
 * Accesses are proven inside by interval arithmetic: a subscript is a sum of terms coef * loop
 * with independent loops, so its least and greatest value are exact before the division and the
 * floor keeps their order. A `=` is proven to write no element twice by mixed radix: sort the
 * terms of a subscript by |coef|; when each is greater than all smaller terms together can
 * reach, the subscript's value determines every loop in it. Loops found so in one dimension are
 * known constants in the next, until nothing new is found. A tensor is wholly written when `=`
 * have filled disjoint boxes of it with as many elements as it has. The proofs are sufficient,
 * not necessary: they cover what the operators of the library write. */
#include "frontend/network/network.h"

#include <stdlib.h>
#include <string.h>

/* Deeper expressions than the parser lets through come from nowhere. */
enum { MAX_DEPTH = 1000 };

/* What a `=` has written of a tensor. */
struct part {
	struct index_box box;
	struct part *next;
};

struct check {
	const struct network *net;
	const struct statement *statement; /* being checked, or NULL */
	bool *is_written;                  /* for each tensor: every element has a value */
	int64_t *boxed;                    /* for each tensor: elements in disjoint boxes so far */
	struct part **part;                /* for each tensor: these boxes */
	const char *broken;                /* the first broken promise */
};

/* Remembers the first broken promise; always false. */
static bool fail(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(struct check *c, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	const struct statement *s = c->statement;
	if (!c->broken && s)
		c->broken = arena_printf(c->net->arena, "statement %d (%s): %s", s->id,
					 s->layer ? s->layer : "?", text);
	else if (!c->broken)
		c->broken = arena_copy(c->net->arena, text, strlen(text));
	return false;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

static bool is_member(const struct check *c, const struct tensor *t)
{
	return t && t->id >= 0 && t->id < c->net->tensor_count && c->net->tensor[t->id] == t;
}

static bool check_view(struct check *c, const struct tensor *t)
{
	const struct tensor *base = t->view_of;
	if (!base)
		return true;
	if (!is_member(c, base) || base->view_of)
		return fail(c, "tensor %s is a view of no tensor of the network, or of a view",
			    t->name);
	if (base->type != t->type || tensor_count(base) != tensor_count(t))
		return fail(c, "tensor %s is a view of %s but differs in type or count", t->name,
			    base->name);
	if (t->data)
		return fail(c, "tensor %s is a view and has data of its own", t->name);
	return true;
}

static bool check_tensor(struct check *c, int id)
{
	const struct tensor *t = c->net->tensor[id];
	int64_t count;
	if (!t || t->id != id || !t->name || !t->layer)
		return fail(c, "tensor %d has no name or layer, or not its own position", id);
	if ((unsigned)t->type >= TYPE_COUNT || (unsigned)t->role > ROLE_LOCAL)
		return fail(c, "tensor %s has no valid type or role", t->name);
	if (!shape_count(t->rank, t->extent, &count))
		return fail(c, "tensor %s has a bad rank or extent, or too many elements", t->name);
	for (int i = 0; i < t->rank; i++)
		if (!t->dim[i])
			return fail(c, "dimension %d of tensor %s has no name", i, t->name);
	if (t->data && (t->role == ROLE_INPUT || t->role == ROLE_LOCAL))
		return fail(c, "tensor %s has data but is no parameter or constant", t->name);
	if (t->role == ROLE_CONSTANT && !t->data && !t->view_of)
		return fail(c, "constant %s has no data", t->name);
	if (t->data && !tensor_takes(t, t->data))
		return fail(c, "the data of tensor %s has another type or shape", t->name);
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct tensor *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static bool check_tensors(struct check *c)
{
	int count = c->net->tensor_count;
	for (int i = 0; i < count; i++)
		if (!check_tensor(c, i))
			return false;
	for (int i = 0; i < count; i++)
		if (!check_view(c, c->net->tensor[i]))
			return false;
	if (count < 2)
		return true;
	const struct tensor **sorted = ARENA_ARRAY(c->net->arena, count, const struct tensor *);
	memcpy(sorted, c->net->tensor, (size_t)count * sizeof(*sorted));
	qsort(sorted, (size_t)count, sizeof *sorted, by_name);
	for (int i = 1; i < count; i++)
		if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0)
			return fail(c, "two tensors have the name %s", sorted[i]->name);
	return true;
}

static bool check_interface(struct check *c)
{
	const struct network *net = c->net;
	int inputs = 0;
	for (int i = 0; i < net->input_count; i++)
		if (!is_member(c, net->input[i]) || net->input[i]->role != ROLE_INPUT ||
		    net->input[i]->view_of)
			return fail(c, "input %d is no input tensor of the network", i);
	for (int i = 0; i < net->tensor_count; i++)
		inputs += net->tensor[i]->role == ROLE_INPUT && !net->tensor[i]->view_of;
	if (inputs != net->input_count)
		return fail(c, "%d tensors are inputs but %d are listed", inputs, net->input_count);
	for (int i = 0; i < net->output_count; i++)
		if (!is_member(c, net->output[i]) || !net->output[i]->is_output ||
		    !net->output_name[i])
			return fail(c, "output %d is no output tensor of the network, or unnamed",
				    i);
	return true;
}

/* ---- Accesses -------------------------------------------------------------------------------- */

static bool check_subscript(struct check *c, const struct access *a, int dim)
{
	const struct subscript *sub = &a->subscript[dim];
	const struct tensor *t = a->tensor;
	int64_t least, greatest;
	if (sub->divisor < 1)
		return fail(c, "a subscript of %s divides by %lld", t->name,
			    (long long)sub->divisor);
	if (!subscript_fits(c->statement, sub))
		return fail(c, "subscript %d of %s does not fit 63 bits", dim, t->name);
	subscript_range(c->statement, sub, &least, &greatest);
	if (a->outside == OUTSIDE_ERROR && (least < 0 || greatest >= t->extent[dim]))
		return fail(c, "subscript %d of %s reaches %lld .. %lld but the extent is %lld",
			    dim, t->name, (long long)least, (long long)greatest,
			    (long long)t->extent[dim]);
	return true;
}

static bool check_access(struct check *c, const struct access *a)
{
	if (!a || !is_member(c, a->tensor))
		return fail(c, "an access has no tensor of the network");
	for (int i = 0; i < a->tensor->rank; i++)
		if (!a->subscript || !check_subscript(c, a, i))
			return fail(c, "an access of %s lacks subscripts", a->tensor->name);
	return true;
}

static bool check_read(struct check *c, const struct access *a)
{
	if (!check_access(c, a))
		return false;
	const struct tensor *t = a->tensor, *target = c->statement->target.tensor;
	if (a->outside != OUTSIDE_ERROR && a->outside != OUTSIDE_VALUE &&
	    a->outside != OUTSIDE_CLAMP)
		return fail(c, "a read of %s has no rule for outside", t->name);
	if (tensor_storage(t) == tensor_storage(target))
		return fail(c, "reads %s, which it writes", t->name);
	if (!c->is_written[tensor_storage(t)->id])
		return fail(c, "reads %s before all its elements are written", t->name);
	return true;
}

/* ---- Expressions ----------------------------------------------------------------------------- */

/* May a node of this type take the operand as it is or convert it without loss of range? */
static bool takes(enum type node, enum type operand)
{
	return type_common(node, operand) == node;
}

static bool check_scalar(struct check *c, const struct scalar *e, int depth);

static bool check_apply(struct check *c, const struct scalar *e, int depth)
{
	if ((unsigned)e->fn >= FN_COUNT)
		return fail(c, "an expression applies no known function");
	const struct scalar_fn_info *info = scalar_fn_info(e->fn);
	for (int i = 0; i < info->arity; i++)
		if (!check_scalar(c, e->arg[i], depth + 1))
			return false;
	if (e->type == TYPE_I8 || e->type == TYPE_I16)
		return fail(c, "%s is computed in %s", info->name, type_info(e->type)->name);
	if (info->is_comparison && e->type != TYPE_I32)
		return fail(c, "%s gives %s, not i32", info->name, type_info(e->type)->name);
	if (info->is_float && !type_info(e->type)->is_float)
		return fail(c, "%s is computed in %s", info->name, type_info(e->type)->name);
	for (int i = e->fn == FN_SELECT; i < info->arity && !info->is_comparison; i++)
		if (e->fn != FN_UNIFORM && !takes(e->type, e->arg[i]->type))
			return fail(c, "%s in %s has an operand in %s", info->name,
				    type_info(e->type)->name, type_info(e->arg[i]->type)->name);
	return true;
}

static bool check_scalar(struct check *c, const struct scalar *e, int depth)
{
	if (!e || (unsigned)e->type >= TYPE_COUNT || depth > MAX_DEPTH)
		return fail(c, "an expression is missing, untyped or too deep");
	switch (e->kind) {
	case SCALAR_CONSTANT:
		return true;
	case SCALAR_POSITION:
		if (e->loop < 0 || e->loop >= c->statement->loops)
			return fail(c, "an expression uses loop %d of %d", e->loop,
				    c->statement->loops);
		return true;
	case SCALAR_READ:
		if (!check_read(c, e->access))
			return false;
		if (e->type != e->access->tensor->type)
			return fail(c, "a read of %s has another type", e->access->tensor->name);
		return true;
	case SCALAR_APPLY:
		return check_apply(c, e, depth);
	}
	return fail(c, "an expression is of no known kind");
}

/* ---- Targets --------------------------------------------------------------------------------- */

/* Does the subscript's value determine the loops in it that are not known yet? Takes the terms from
 * the smallest |coef| up; reach is how far all terms taken so far go together. */
static bool is_mixed_radix(const struct statement *s, const struct subscript *sub, uint32_t known)
{
	uint64_t reach = 0;
	uint32_t taken = known;
	if (sub->divisor != 1)
		return false;
	for (;;) {
		int next = -1;
		for (int i = 0; i < s->loops; i++)
			if (!(taken >> i & 1) && sub->coef[i] != 0 &&
			    (next < 0 || llabs(sub->coef[i]) < llabs(sub->coef[next])))
				next = i;
		if (next < 0)
			return true;
		uint64_t step = (uint64_t)llabs(sub->coef[next]);
		if (step <= reach)
			return false;
		reach += step * (uint64_t)(s->loop[next].extent - 1);
		taken |= 1u << next;
	}
}

bool statement_is_injective(const struct statement *s)
{
	uint32_t known = 0, before, all = (1u << s->loops) - 1;
	for (int i = 0; i < s->loops; i++)
		if (s->loop[i].extent == 1)
			known |= 1u << i;
	do {
		before = known;
		for (int dim = 0; dim < s->target.tensor->rank; dim++) {
			const struct subscript *sub = &s->target.subscript[dim];
			if (!is_mixed_radix(s, sub, known))
				continue;
			for (int i = 0; i < s->loops; i++)
				if (sub->coef[i] != 0)
					known |= 1u << i;
		}
	} while (known != before);
	return known == all;
}

/* Does the target use this loop? */
static bool indexes_target(const struct statement *s, int loop)
{
	for (int dim = 0; dim < s->target.tensor->rank; dim++)
		if (s->target.subscript[dim].coef[loop] != 0)
			return true;
	return false;
}

static bool check_target(struct check *c)
{
	const struct statement *s = c->statement;
	const struct access *a = &s->target;
	if (!check_access(c, a))
		return false;
	const struct tensor *t = a->tensor;
	if (a->outside != OUTSIDE_ERROR && a->outside != OUTSIDE_DROP)
		return fail(c, "the target %s has no rule for outside", t->name);
	if (t->view_of || t->role != ROLE_LOCAL)
		return fail(c, "writes %s, which is a view or no local tensor", t->name);
	for (int i = 0; i < s->loops; i++)
		if (indexes_target(s, i) != (i < s->outer) && s->loop[i].extent > 1)
			return fail(c, "loop %s does not stand on its side of the first %d",
				    s->loop[i].name, s->outer);
	return true;
}

bool statement_box(const struct statement *s, struct index_box *box)
{
	int64_t extent[MAX_RANK], count;
	if (s->reduce != REDUCE_NONE || s->target.outside != OUTSIDE_ERROR ||
	    !statement_is_injective(s))
		return false;
	for (int i = 0; i < s->target.tensor->rank; i++) {
		subscript_range(s, &s->target.subscript[i], &box->least[i], &box->greatest[i]);
		extent[i] = box->greatest[i] - box->least[i] + 1;
	}
	return shape_count(s->target.tensor->rank, extent, &count) && count == statement_points(s);
}

bool boxes_meet(const struct index_box *a, const struct index_box *b, int rank)
{
	for (int i = 0; i < rank; i++)
		if (a->greatest[i] < b->least[i] || b->greatest[i] < a->least[i])
			return false;
	return true;
}

/* One more box of a tensor that is not wholly written; false when it is none or meets another. */
static bool add_box(struct check *c)
{
	const struct statement *s = c->statement;
	const struct tensor *t = s->target.tensor;
	struct part *part = ARENA_NEW(c->net->arena, struct part), **others = &c->part[t->id];
	if (!statement_box(s, &part->box))
		return false;
	for (const struct part *p = *others; p; p = p->next)
		if (boxes_meet(&p->box, &part->box, t->rank))
			return false;
	part->next = *others;
	*others = part;
	c->boxed[t->id] += statement_points(s);
	return true;
}

/* After the target and the value were checked: marks the target as written when disjoint boxes
 * fill it. */
static bool check_coverage(struct check *c)
{
	const struct statement *s = c->statement;
	const struct tensor *t = s->target.tensor;
	if (s->reduce == REDUCE_NONE && !statement_is_injective(s))
		return fail(c, "`=` may write an element of %s twice", t->name);
	if (c->is_written[t->id])
		return true;
	if (!add_box(c))
		return fail(c, "the first writes to %s do not give every element a value", t->name);
	c->is_written[t->id] = c->boxed[t->id] == tensor_count(t);
	return true;
}

/* ---- Statements ------------------------------------------------------------------------------ */

static bool check_loops(struct check *c)
{
	const struct statement *s = c->statement;
	if (s->loops < 0 || s->loops > MAX_LOOPS || s->outer < 0 || s->outer > s->loops)
		return fail(c, "has %d loops, %d of them outer", s->loops, s->outer);
	for (int i = 0; i < s->loops; i++)
		if (s->loop[i].extent < 1 || !s->loop[i].name)
			return fail(c, "loop %d has no name or an extent below 1", i);
	if (statement_points(s) == INT64_MAX)
		return fail(c, "has more points than 64 bits can count");
	return true;
}

static bool check_statement(struct check *c, int id)
{
	const struct statement *s = c->net->statement[id];
	if (!s || s->id != id)
		return fail(c, "statement %d is missing or has not its own position", id);
	c->statement = s;
	if (!s->op || !s->layer || (unsigned)s->reduce > REDUCE_MAX)
		return fail(c, "has no operator, no layer or no way to combine");
	bool holds = check_loops(c) && check_target(c) && check_scalar(c, s->value, 0) &&
		     check_coverage(c);
	c->statement = NULL;
	return holds;
}

const char *network_check(const struct network *net)
{
	struct check c = {.net = net};
	if (!net->name)
		return "the network has no name";
	if (!check_tensors(&c) || !check_interface(&c))
		return c.broken;
	c.is_written = ARENA_ARRAY(net->arena, net->tensor_count + 1, bool);
	c.boxed = ARENA_ARRAY(net->arena, net->tensor_count + 1, int64_t);
	c.part = ARENA_ARRAY(net->arena, net->tensor_count + 1, struct part *);
	for (int i = 0; i < net->tensor_count; i++)
		c.is_written[i] = net->tensor[i]->role != ROLE_LOCAL;
	for (int i = 0; i < net->statement_count; i++)
		if (!check_statement(&c, i))
			return c.broken;
	for (int i = 0; i < net->output_count; i++)
		if (!c.is_written[tensor_storage(net->output[i])->id])
			return fail(&c, "output %s is never written", net->output[i]->name),
			       c.broken;
	return NULL;
}
