/* quantise.c -- each contraction T += A * B in f32 becomes, in its place,
 *
 *     A_q = min(max(A * (1 / sA), -M), M)     and B_q, unless there already
 *     T_acc = 0
 *     T_acc += A_q * B_q                      the loops and subscripts of the contraction
 *     T += T_acc * sA * sB
 *
 * What has data is quantised here, with a scale for each channel where it can be: an index of its first dimension that
 * is an index of the target, too. What is read through a view is quantised once, in its storage, and read through a
 * view of that. */
#include "frontend/network/quantise.h"
#include "frontend/source/name_index.h"

#include <math.h>
#include <string.h>

const char *const number_name[NUMBERS] = {"none", "i8", "i16", "fixed16"};

static const struct {
	enum type type, accumulator;
	float most;
	bool is_power; /* scales are powers of two */
} numbers[NUMBERS] = {
	[NUMBER_I8] = {TYPE_I8, TYPE_I32, 127, false},
	[NUMBER_I16] = {TYPE_I16, TYPE_I64, 32767, false},
	[NUMBER_FIXED16] = {TYPE_I16, TYPE_I64, 32767, true},
};

enum number number_of_word(int bits)
{
	return bits <= 8 ? NUMBER_I8 : NUMBER_I16;
}

/* A tensor in integers. */
struct quantised {
	struct tensor *tensor; /* NULL: not made yet */
	float scale;           /* of all of it */
	struct tensor *scales; /* else one for each index of its first dimension */
};

enum { WHOLE, BY_CHANNEL, MANNERS };

struct quantiser {
	struct network *net;
	enum number number;
	const struct ranges *ranges;
	int *last_write;                    /* of each tensor: the last statement that writes it */
	struct quantised *storage[MANNERS]; /* of each tensor that is no view */
	struct tensor **view[MANNERS];      /* of each view: the same of the integers */
	struct name_index taken;
	struct tensor **tensor; /* grows from the network's */
	int tensors;
	struct statement **statement;
	int statements;
};

/* ---- Which statements -------------------------------------------------------------------------------------------- */

bool statement_is_contraction(const struct statement *s)
{
	return statement_macs(s) > 0 && s->value->type == TYPE_F32 &&
	       s->target.tensor->type == TYPE_F32 && s->value->arg[0]->type == TYPE_F32 &&
	       s->value->arg[1]->type == TYPE_F32;
}

static bool has_values(const struct tensor *storage)
{
	return storage->role != ROLE_INPUT && storage->role != ROLE_LOCAL;
}

static bool is_finite(const struct quantiser *z, const struct tensor *storage)
{
	if (!has_values(storage))
		return isfinite(z->ranges->greatest[storage->id]);
	const float *value = storage->data->data;
	for (int64_t i = 0, count = tensor_count(storage); i < count; i++)
		if (!isfinite(value[i]))
			return false;
	return true;
}

/* What is against integers in place of what the access reads, or NULL. */
static const char *obstacle(const struct quantiser *z, const struct statement *s,
			    const struct access *a)
{
	const struct tensor *storage = tensor_storage(a->tensor);
	if (a->outside == OUTSIDE_VALUE && a->value != 0)
		return "is not 0 outside of its extents";
	if (z->last_write[storage->id] > s->id)
		return "is written again afterwards";
	if (!is_finite(z, storage))
		return "has values that are not finite";
	return NULL;
}

static bool may_be_integers(const struct quantiser *z, const struct statement *s, struct diag *diag)
{
	for (int i = 0; i < 2; i++) {
		const struct access *a = s->value->arg[i]->access;
		const char *why = obstacle(z, s, a);
		if (!why)
			continue;
		diag_warning(diag, "not-quantised", s->call,
			     "'%s' stays in f32: it reads '%s', which %s",
			     *s->layer ? s->layer : s->target.tensor->name, a->tensor->name, why);
		return false;
	}
	return true;
}

/* ---- New tensors and statements ---------------------------------------------------------------------------------- */

static const char *untaken(struct quantiser *z, const char *name, const char *suffix)
{
	struct arena *arena = z->net->arena;
	const char *tried = arena_printf(arena, "%s_%s", name, suffix);
	tried = arena_intern_string(arena, tried);
	for (int number = 2; *name_index_at(arena, &z->taken, tried); number++)
		tried = arena_intern_string(arena,
					    arena_printf(arena, "%s_%s%d", name, suffix, number));
	*name_index_at(arena, &z->taken, tried) = 1;
	return tried;
}

/* Of the shape of another. */
static struct tensor *add_tensor(struct quantiser *z, const struct tensor *like, const char *suffix,
				 enum type type, enum role role)
{
	struct tensor *t = ARENA_NEW(z->net->arena, struct tensor);
	*t = *like;
	t->name = untaken(z, like->name, suffix);
	t->id = z->tensors;
	t->type = type;
	t->role = role;
	t->in_place_of = like;
	t->view_of = NULL;
	t->data = NULL;
	t->is_output = false;
	ARENA_APPEND(z->net->arena, z->tensor, z->tensors, t);
	return t;
}

static void give_data(struct quantiser *z, struct tensor *t)
{
	t->data = array_new(t->type, t->rank, t->extent);
	if (!t->data)
		arena_fail(z->net->arena);
}

static void append(struct quantiser *z, struct statement *s)
{
	s->id = z->statements;
	ARENA_APPEND(z->net->arena, z->statement, z->statements, s);
}

static struct subscript loop_alone(int loop)
{
	struct subscript sub = {.divisor = 1};
	sub.coef[loop] = 1;
	return sub;
}

/* The element of the tensor that the loops over all elements are at. */
static struct access element_of(struct quantiser *z, struct tensor *t)
{
	struct access a = {.tensor = t};
	a.subscript = ARENA_ARRAY(z->net->arena, (size_t)t->rank + 1, struct subscript);
	for (int i = 0; i < t->rank; i++)
		a.subscript[i] = loop_alone(i);
	return a;
}

/* A dimension's name, with its position where another before it has the same. */
static const char *dimension_name(struct quantiser *z, const struct tensor *t, int dim)
{
	for (int i = 0; i < dim; i++)
		if (strcmp(t->dim[i], t->dim[dim]) == 0)
			return arena_printf(z->net->arena, "%s%d", t->dim[dim], dim);
	return t->dim[dim];
}

/* Combines a value into every element of a tensor, on behalf of a contraction. */
static void add_statement(struct quantiser *z, const struct statement *on_behalf,
			  struct tensor *target, enum reduce reduce, struct scalar *value)
{
	struct statement *s = ARENA_NEW(z->net->arena, struct statement);
	s->op = on_behalf->op;
	s->layer = on_behalf->layer;
	s->span = on_behalf->span;
	s->call = on_behalf->call;
	s->loops = s->outer = target->rank;
	for (int i = 0; i < target->rank; i++)
		s->loop[i] = (struct loop){dimension_name(z, target, i), target->extent[i]};
	s->target = element_of(z, target);
	s->reduce = reduce;
	s->value = value;
	append(z, s);
}

static struct scalar *constant(struct quantiser *z, enum type type, double value)
{
	struct scalar *e = ARENA_NEW(z->net->arena, struct scalar);
	*e = (struct scalar){.kind = SCALAR_CONSTANT, .type = type, .constant = value};
	return e;
}

static struct scalar *read(struct quantiser *z, struct access a)
{
	struct scalar *e = ARENA_NEW(z->net->arena, struct scalar);
	*e = (struct scalar){.kind = SCALAR_READ, .type = a.tensor->type};
	e->access = ARENA_NEW(z->net->arena, struct access);
	*e->access = a;
	return e;
}

static struct scalar *apply(struct quantiser *z, enum scalar_fn fn, enum type type,
			    struct scalar *a, struct scalar *b)
{
	struct scalar *e = ARENA_NEW(z->net->arena, struct scalar);
	*e = (struct scalar){.kind = SCALAR_APPLY, .type = type, .fn = fn, .arg = {a, b}};
	return e;
}

/* ---- Numbers ----------------------------------------------------------------------------------------------------- */

static float scale_of(enum number number, float greatest)
{
	float scale = greatest / numbers[number].most;
	int exponent;
	if (numbers[number].is_power)
		scale = frexpf(scale, &exponent) == 0.5f ? scale : ldexpf(1, exponent);
	return isfinite(1 / scale) ? scale : 1;
}

/* Quantises values with one scale, which it returns. */
static float convert(enum number number, const float value[], struct array *to, int64_t first,
		     int64_t count)
{
	float greatest = 0, most = numbers[number].most;
	for (int64_t i = 0; i < count; i++)
		greatest = fmaxf(greatest, fabsf(value[first + i]));
	float scale = scale_of(number, greatest), inverse = 1 / scale;
	for (int64_t i = 0; i < count; i++) {
		float scaled = value[first + i] * inverse;
		array_set(to, first + i, fminf(fmaxf(scaled, -most), most));
	}
	return scale;
}

/* ---- Operands ---------------------------------------------------------------------------------------------------- */

/* A state stays one: what the mapper takes for weights stays the same. */
static void quantise_values(struct quantiser *z, const struct tensor *from, int manner,
			    struct quantised *q)
{
	enum role role = from->role == ROLE_STATE ? ROLE_STATE : ROLE_CONSTANT;
	int64_t count = tensor_count(from), channels = manner == BY_CHANNEL ? from->extent[0] : 1;
	q->tensor = add_tensor(z, from, "q", numbers[z->number].type, role);
	give_data(z, q->tensor);
	if (manner == BY_CHANNEL) {
		q->scales = add_tensor(z, from, "s", TYPE_F32, ROLE_CONSTANT);
		q->scales->rank = 1;
		give_data(z, q->scales);
	}
	for (int64_t c = 0; c < channels; c++) {
		q->scale = convert(z->number, from->data->data, q->tensor->data,
				   c * (count / channels), count / channels);
		if (q->scales)
			((float *)q->scales->data->data)[c] = q->scale;
	}
}

static void quantise_computed(struct quantiser *z, const struct statement *s, struct tensor *from,
			      struct quantised *q)
{
	float most = numbers[z->number].most;
	q->scale = scale_of(z->number, z->ranges->greatest[from->id]);
	q->tensor = add_tensor(z, from, "q", numbers[z->number].type, ROLE_LOCAL);
	struct scalar *value = apply(z, FN_MUL, TYPE_F32, read(z, element_of(z, from)),
				     constant(z, TYPE_F32, 1 / q->scale));
	value = apply(z, FN_MAX, TYPE_F32, value, constant(z, TYPE_F32, -most));
	value = apply(z, FN_MIN, TYPE_F32, value, constant(z, TYPE_F32, most));
	add_statement(z, s, q->tensor, REDUCE_NONE, value);
}

static bool is_same_subscript(const struct subscript *a, const struct subscript *b, int loops)
{
	return memcmp(a->coef, b->coef, (size_t)loops * sizeof a->coef[0]) == 0 &&
	       a->offset == b->offset && a->divisor == b->divisor;
}

enum { NO_CHANNEL = -1 };

/* The dimension of the target whose index is that of the first dimension of values that are known. */
static int channel_of(const struct statement *s, const struct access *a)
{
	const struct tensor *t = a->tensor, *storage = tensor_storage(t),
			    *target = s->target.tensor;
	if (!has_values(storage) || t->rank == 0 || storage->rank == 0 ||
	    t->extent[0] != storage->extent[0])
		return NO_CHANNEL;
	for (int dim = 0; dim < target->rank; dim++)
		if (target->extent[dim] <= t->extent[0] &&
		    is_same_subscript(&a->subscript[0], &s->target.subscript[dim], s->loops))
			return dim;
	return NO_CHANNEL;
}

/* What an access reads, in integers. */
static const struct quantised *quantise_storage(struct quantiser *z, const struct statement *s,
						const struct access *a)
{
	struct tensor *from = tensor_storage(a->tensor);
	int manner = channel_of(s, a) == NO_CHANNEL ? WHOLE : BY_CHANNEL;
	struct quantised *q = &z->storage[manner][from->id];
	if (!q->tensor && has_values(from))
		quantise_values(z, from, manner, q);
	else if (!q->tensor)
		quantise_computed(z, s, from, q);
	return q;
}

static struct scalar *read_integers(struct quantiser *z, const struct statement *s,
				    const struct access *a)
{
	const struct quantised *q = quantise_storage(z, s, a);
	struct access integers = *a;
	integers.tensor = q->tensor;
	if (a->tensor->view_of) {
		struct tensor **view = &z->view[channel_of(s, a) == NO_CHANNEL ? WHOLE : BY_CHANNEL]
					       [a->tensor->id];
		if (!*view) {
			*view = add_tensor(z, a->tensor, "q", q->tensor->type, q->tensor->role);
			(*view)->view_of = q->tensor;
		}
		integers.tensor = *view;
	}
	return read(z, integers);
}

/* ---- Contractions ------------------------------------------------------------------------------------------------ */

/* No more products than this are summed in one element of the target: one loop of each of its dimensions follows from
 * the element and the other loops. */
static int64_t most_products(const struct statement *s)
{
	int64_t products = statement_points(s);
	for (int dim = 0; dim < s->target.tensor->rank; dim++) {
		int64_t longest = 1;
		for (int i = 0; i < s->loops && s->target.subscript[dim].divisor == 1; i++) {
			bool is_here_alone = s->target.subscript[dim].coef[i] != 0;
			for (int other = 0; other < s->target.tensor->rank; other++)
				if (other != dim && s->target.subscript[other].coef[i] != 0)
					is_here_alone = false;
			if (is_here_alone && s->loop[i].extent > longest)
				longest = s->loop[i].extent;
		}
		products /= longest;
	}
	return products;
}

/* Sums of bytes fit 32 bits, but for very long ones. */
static enum type accumulator_of(enum number number, const struct statement *s)
{
	double most = numbers[number].most;
	if ((double)most_products(s) * most * most > INT32_MAX)
		return TYPE_I64;
	return numbers[number].accumulator;
}

static struct scalar *scale_by(struct quantiser *z, const struct statement *s,
			       const struct access *a, struct scalar *value)
{
	const struct quantised *q = quantise_storage(z, s, a);
	struct scalar *scale = NULL;
	if (q->scales) {
		struct access of_channel = element_of(z, q->scales);
		of_channel.subscript[0] = loop_alone(channel_of(s, a));
		scale = read(z, of_channel);
	} else {
		scale = constant(z, TYPE_F32, q->scale);
	}
	return apply(z, FN_MUL, TYPE_F32, value, scale);
}

static void quantise_contraction(struct quantiser *z, const struct statement *s)
{
	const struct access *a = s->value->arg[0]->access, *b = s->value->arg[1]->access;
	struct tensor *target = s->target.tensor;
	struct statement *in_integers = ARENA_NEW(z->net->arena, struct statement);
	struct tensor *sum = add_tensor(z, target, "acc", accumulator_of(z->number, s), ROLE_LOCAL);
	struct scalar *x = read_integers(z, s, a), *y = read_integers(z, s, b);

	add_statement(z, s, sum, REDUCE_NONE, constant(z, sum->type, 0));
	*in_integers = *s;
	in_integers->target.tensor = sum;
	in_integers->value = apply(z, FN_MUL, TYPE_I32, x, y);
	append(z, in_integers);
	add_statement(z, s, target, REDUCE_SUM,
		      scale_by(z, s, b, scale_by(z, s, a, read(z, element_of(z, sum)))));
}

/* ---- What nothing reads ------------------------------------------------------------------------------------------ */

static void mark(const struct tensor *t, bool *is_used)
{
	is_used[t->id] = is_used[tensor_storage(t)->id] = true;
}

static void mark_reads(const struct scalar *e, bool *is_used)
{
	if (e->kind == SCALAR_READ)
		mark(e->access->tensor, is_used);
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		mark_reads(e->arg[i], is_used);
}

static void drop_unused(struct network *net)
{
	bool *is_used = ARENA_ARRAY(net->arena, (size_t)net->tensor_count + 1, bool);
	int count = 0;
	for (int i = 0; i < net->statement_count; i++) {
		mark(net->statement[i]->target.tensor, is_used);
		mark_reads(net->statement[i]->value, is_used);
	}
	for (int i = 0; i < net->input_count; i++)
		mark(net->input[i], is_used);
	for (int i = 0; i < net->output_count; i++)
		mark(net->output[i], is_used);
	for (int i = 0; i < net->tensor_count; i++) {
		struct tensor *t = net->tensor[i];
		if (!is_used[i]) {
			array_free(t->data);
			t->data = NULL;
			continue;
		}
		net->tensor[count] = t;
		t->id = count++;
	}
	net->tensor_count = count;
}

/* ---- The network ------------------------------------------------------------------------------------------------- */

static struct quantiser begin(struct network *net, enum number number, const struct ranges *ranges)
{
	struct quantiser z = {.net = net, .number = number, .ranges = ranges};
	size_t count = (size_t)net->tensor_count + 1;
	z.last_write = ARENA_ARRAY(net->arena, count, int);
	for (int i = 0; i < MANNERS; i++) {
		z.storage[i] = ARENA_ARRAY(net->arena, count, struct quantised);
		z.view[i] = ARENA_ARRAY(net->arena, count, struct tensor *);
	}
	for (int i = 0; i < net->statement_count; i++)
		z.last_write[net->statement[i]->target.tensor->id] = i;
	for (int i = 0; i < net->tensor_count; i++) {
		struct tensor *t = net->tensor[i];
		ARENA_APPEND(net->arena, z.tensor, z.tensors, t);
		*name_index_at(net->arena, &z.taken, arena_intern_string(net->arena, t->name)) = 1;
	}
	return z;
}

void network_quantise(struct network *net, enum number number, const struct ranges *ranges,
		      struct diag *diag)
{
	if (number == NUMBER_F32)
		return;
	struct quantiser z = begin(net, number, ranges);
	for (int i = 0; i < net->statement_count; i++) {
		struct statement *s = net->statement[i];
		if (statement_is_contraction(s) && may_be_integers(&z, s, diag))
			quantise_contraction(&z, s);
		else
			append(&z, s);
	}
	net->tensor = z.tensor;
	net->tensor_count = z.tensors;
	net->statement = z.statement;
	net->statement_count = z.statements;
	drop_unused(net);
}
