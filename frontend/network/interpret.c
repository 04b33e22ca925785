/* interpret.c -- runs a network as it is written: the statements in order, the points of each
 * nest in order, loop[0] outermost.
 *
 * Points are taken in blocks of up to LANES consecutive ones, so that the expression is walked
 * once a block and not once a point: the value of a point never depends on the target
 * (network_check), and the values of a block are combined into the target one after the other. A
 * block is the innermost loops whole and a chunk of the loop around them, the split loop:
 *
 *     for n  for k  for p  for q | for c in chunks | for c in chunk  for r  for s
 *
 * How each access moves within a block is the same in every block, and computed once. */
#include "frontend/network/interpret.h"
#include "runtime/lanes.h"
#include "runtime/sentence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The nest -------------------------------------------------------------------------------- */

struct nest {
	int loops, split; /* loops 0 .. split-1 advance by 1, split by chunk */
	int64_t extent[MAX_LOOPS];
	int64_t chunk;                  /* iterations of the split loop in a block */
	int64_t inside;                 /* points of one iteration of the split loop */
	int64_t index[MAX_LOOPS];       /* first point of the block; 0 inside the split loop */
	int64_t step[MAX_LOOPS][LANES]; /* what is added to index at each point of the block */
	int count;                      /* points of this block */
};

/* A statement without loops is a loop of one iteration. */
static void nest_begin(struct nest *nest, const struct statement *s)
{
	memset(nest, 0, sizeof *nest);
	nest->loops = s->loops > 0 ? s->loops : 1;
	nest->extent[0] = 1;
	for (int i = 0; i < s->loops; i++)
		nest->extent[i] = s->loop[i].extent;
	nest->inside = 1;
	nest->split = nest->loops - 1;
	while (nest->split > 0 && nest->extent[nest->split] <= LANES / nest->inside)
		nest->inside *= nest->extent[nest->split--];
	nest->chunk = LANES / nest->inside;
	if (nest->chunk > nest->extent[nest->split])
		nest->chunk = nest->extent[nest->split];
	for (int64_t point = 0; point < nest->chunk * nest->inside; point++) {
		int64_t rest = point;
		for (int i = nest->loops - 1; i > nest->split; i--) {
			nest->step[i][point] = rest % nest->extent[i];
			rest /= nest->extent[i];
		}
		nest->step[nest->split][point] = rest;
	}
}

/* The last chunk may be smaller: its points are the first ones of a whole chunk. */
static void nest_count(struct nest *nest)
{
	int64_t left = nest->extent[nest->split] - nest->index[nest->split];
	nest->count = (int)((left < nest->chunk ? left : nest->chunk) * nest->inside);
}

static bool nest_next(struct nest *nest)
{
	int i = nest->split;
	nest->index[i] += nest->chunk;
	while (i > 0 && nest->index[i] >= nest->extent[i]) {
		nest->index[i--] = 0;
		nest->index[i]++;
	}
	return nest->index[i] < nest->extent[i];
}

/* ---- Where an access points ------------------------------------------------------------------ */

enum { NOWHERE = -1 };

struct place {
	const struct access *access;
	void *data;               /* of the tensor or of the one it is a view of */
	int64_t stride[MAX_RANK]; /* elements */
	bool is_divided;          /* some subscript has a divisor */
	/* What each subscript gains, before division, at each point; the extremes up to that point. */
	int64_t step[MAX_RANK][LANES], least[MAX_RANK][LANES], greatest[MAX_RANK][LANES];
	int64_t jump[LANES]; /* elements that all subscripts gain together; wraps where unused */
	/* Where the points of the block are: */
	bool is_inside; /* point i is at data[first + jump[i]] */
	int64_t first;
	int64_t element[LANES]; /* else it is at data[element[i]] or NOWHERE */
};

static void place_begin(struct place *place, const struct access *access, void *data,
			const struct nest *nest)
{
	const struct tensor *t = access->tensor;
	int64_t stride = 1;
	place->access = access;
	place->data = data;
	for (int dim = t->rank - 1; dim >= 0; dim--) {
		const struct subscript *sub = &access->subscript[dim];
		place->stride[dim] = stride;
		stride *= t->extent[dim];
		place->is_divided |= sub->divisor != 1;
		int64_t least = 0, greatest = 0; /* the first point's step is 0 */
		for (int64_t point = 0; point < nest->chunk * nest->inside; point++) {
			int64_t step = 0;
			for (int i = nest->split; i < nest->loops; i++)
				step += sub->coef[i] * nest->step[i][point];
			place->step[dim][point] = step;
			uint64_t jump = (uint64_t)step * (uint64_t)place->stride[dim];
			place->jump[point] = (int64_t)((uint64_t)place->jump[point] + jump);
			least = step < least ? step : least;
			greatest = step > greatest ? step : greatest;
			place->least[dim][point] = least;
			place->greatest[dim][point] = greatest;
		}
	}
}

/* The element of one point whose subscripts must be looked at one by one. */
static int64_t locate_point(const struct place *place, const int64_t start[], int point)
{
	const struct tensor *t = place->access->tensor;
	int64_t element = 0;
	for (int dim = 0; dim < t->rank; dim++) {
		int64_t at = start[dim] + place->step[dim][point], last = t->extent[dim] - 1;
		int64_t divisor = place->access->subscript[dim].divisor;
		if (divisor != 1)
			at = subscript_divide(at, divisor);
		if (at < 0 || at > last) {
			if (place->access->outside != OUTSIDE_CLAMP)
				return NOWHERE;
			at = at < 0 ? 0 : last;
		}
		element += at * place->stride[dim];
	}
	return element;
}

/* Fills first and is_inside for the nest's block, and element where a point may be outside. */
static void locate(struct place *place, const struct nest *nest)
{
	const struct tensor *t = place->access->tensor;
	int64_t start[MAX_RANK];
	int last = nest->count - 1;
	place->first = 0;
	place->is_inside = !place->is_divided;
	for (int dim = 0; dim < t->rank; dim++) {
		const struct subscript *sub = &place->access->subscript[dim];
		start[dim] = sub->offset;
		for (int i = 0; i <= nest->split; i++)
			start[dim] += sub->coef[i] * nest->index[i];
		if (start[dim] + place->least[dim][last] < 0 ||
		    start[dim] + place->greatest[dim][last] >= t->extent[dim])
			place->is_inside = false;
		if (place->is_inside)
			place->first += start[dim] * place->stride[dim];
	}
	for (int point = 0; !place->is_inside && point < nest->count; point++)
		place->element[point] = locate_point(place, start, point);
}

/* ---- Reading and writing --------------------------------------------------------------------- */

/* The member of union lanes for each type. */
#define LANES_F32 f32
#define LANES_F64 f64
#define LANES_I8 integer
#define LANES_I16 integer
#define LANES_I32 integer
#define LANES_I64 integer

static void read_lanes(union lanes *to, struct place *place, const struct nest *nest)
{
	enum type type = place->access->tensor->type;
	locate(place, nest);
	if (!place->is_inside)
		lanes_fill(to, type, place->access->value, nest->count);
	switch (type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id: {                                                                          \
		const ctype *data = place->data;                                                   \
		for (int i = 0; place->is_inside && i < nest->count; i++)                          \
			to->LANES_##id[i] = data[place->first + place->jump[i]];                   \
		for (int i = 0; !place->is_inside && i < nest->count; i++)                         \
			if (place->element[i] != NOWHERE)                                          \
				to->LANES_##id[i] = data[place->element[i]];                       \
		break;                                                                             \
	}
#include "runtime/type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
}

/* Sums in the target's type. In floats and wide integers one operation; narrow integers
 * saturate, as their stores do. */
#define SUM_F32(a, b) ((a) + (b))
#define SUM_F64(a, b) ((a) + (b))
#define SUM_I8(a, b) (int8_t)saturate_integer((a) + (b), TYPE_I8)
#define SUM_I16(a, b) (int16_t)saturate_integer((a) + (b), TYPE_I16)
#define SUM_I32(a, b) (int32_t)((uint32_t)(a) + (uint32_t)(b))
#define SUM_I64(a, b) (int64_t)((uint64_t)(a) + (uint64_t)(b))
#define MAX_F32(a, b) max_f32(a, b)
#define MAX_F64(a, b) max_f64(a, b)
#define MAX_I8(a, b) ((a) > (b) ? (a) : (b))
#define MAX_I16 MAX_I8
#define MAX_I32 MAX_I8
#define MAX_I64 MAX_I8

/* The target's elements, for points inside as well. */
static const int64_t *locate_target(struct place *place, const struct nest *nest)
{
	locate(place, nest);
	for (int i = 0; place->is_inside && i < nest->count; i++)
		place->element[i] = place->first + place->jump[i];
	return place->element;
}

static void combine(struct place *place, const struct nest *nest, enum reduce reduce,
		    const union lanes *value)
{
	const int64_t *element = locate_target(place, nest);
	switch (place->access->tensor->type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id:                                                                            \
		for (int i = 0; i < nest->count; i++) {                                            \
			if (element[i] == NOWHERE)                                                 \
				continue;                                                          \
			ctype *to = (ctype *)place->data + element[i];                             \
			ctype v = (ctype)value->LANES_##id[i];                                     \
			if (reduce == REDUCE_SUM)                                                  \
				*to = SUM_##id(*to, v);                                            \
			else                                                                       \
				*to = reduce == REDUCE_MAX ? MAX_##id(*to, v) : v;                 \
		}                                                                                  \
		break;
#include "runtime/type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
}

/* `+=` of a product in a float target of the same type: one rounding. Consecutive points of one
 * element, a whole block of a long reduction, are summed in a register. */
#define COMBINE_PRODUCT(name, ctype, member, fused)                                                \
	static void name(struct place *place, const struct nest *nest, const union lanes *a,       \
			 const union lanes *b)                                                     \
	{                                                                                          \
		const int64_t *element = locate_target(place, nest);                               \
		for (int i = 0, end; i < nest->count; i = end) {                                   \
			bool is_dropped = element[i] == NOWHERE;                                   \
			ctype *to = (ctype *)place->data + (is_dropped ? 0 : element[i]);          \
			ctype sum = *to;                                                           \
			for (end = i; end < nest->count && element[end] == element[i]; end++)      \
				sum = fused(a->member[end], b->member[end], sum);                  \
			if (!is_dropped)                                                           \
				*to = sum;                                                         \
		}                                                                                  \
	}
COMBINE_PRODUCT(combine_product_f32, float, f32, fmaf)
COMBINE_PRODUCT(combine_product_f64, double, f64, fma)

/* ---- Statements ------------------------------------------------------------------------------ */

/* One statement being run. The expression's places are in the order in which its reads are met. */
struct run {
	const struct statement *statement;
	struct nest nest;
	struct place target;
	struct place *place;
	int next_place;
	union lanes *lanes; /* a node at depth d leaves its value in lanes[d] */
};

static bool is_fused(const struct statement *s)
{
	const struct scalar *e = s->value;
	return s->reduce == REDUCE_SUM && e->kind == SCALAR_APPLY && e->fn == FN_MUL &&
	       type_info(e->type)->is_float && e->type == s->target.tensor->type;
}

static void evaluate(struct run *, const struct scalar *, union lanes *to);

/* The operands go to the lanes behind the result's, each with room for its own operands behind
 * it. */
static void evaluate_operands(struct run *run, const struct scalar *e, union lanes *operand,
			      enum type of[])
{
	for (int i = 0; i < scalar_fn_info(e->fn)->arity; i++) {
		evaluate(run, e->arg[i], &operand[i]);
		of[i] = e->arg[i]->type;
	}
}

static void evaluate(struct run *run, const struct scalar *e, union lanes *to)
{
	const struct nest *nest = &run->nest;
	enum type of[3];
	switch (e->kind) {
	case SCALAR_CONSTANT:
		lanes_fill(to, e->type, e->constant, nest->count);
		break;
	case SCALAR_POSITION:
		for (int i = 0; i < nest->count; i++)
			to->integer[i] = nest->index[e->loop] + nest->step[e->loop][i];
		lanes_convert(to, TYPE_I64, e->type, nest->count);
		break;
	case SCALAR_READ:
		read_lanes(to, &run->place[run->next_place++], nest);
		break;
	case SCALAR_APPLY:
		evaluate_operands(run, e, to + 1, of);
		lanes_apply(e->fn, e->type, to, to + 1, of, nest->count);
		break;
	}
}

static void run_block(struct run *run)
{
	const struct statement *s = run->statement;
	enum type type = s->target.tensor->type, of[3];
	union lanes *value = run->lanes;
	run->next_place = 0;
	if (is_fused(s)) {
		evaluate_operands(run, s->value, value, of);
		for (int i = 0; i < 2; i++)
			lanes_convert(&value[i], of[i], type, run->nest.count);
		(type == TYPE_F32 ? combine_product_f32 : combine_product_f64)(
			&run->target, &run->nest, &value[0], &value[1]);
		return;
	}
	evaluate(run, s->value, value);
	lanes_convert(value, s->value->type, type, run->nest.count);
	combine(&run->target, &run->nest, s->reduce, value);
}

/* How many reads an expression has, and how many lanes its evaluation takes. */
static void measure(const struct scalar *e, int *reads, int *lanes)
{
	int arity = e->kind == SCALAR_APPLY ? scalar_fn_info(e->fn)->arity : 0;
	*reads += e->kind == SCALAR_READ;
	*lanes = 1;
	for (int i = 0; i < arity; i++) {
		int needed;
		measure(e->arg[i], reads, &needed);
		if (needed + 1 + i > *lanes)
			*lanes = needed + 1 + i;
	}
}

static void *data_of(struct array *const value[], const struct tensor *t)
{
	return value[tensor_storage(t)->id]->data;
}

static void begin_places(struct run *run, const struct scalar *e, struct array *const value[])
{
	int arity = e->kind == SCALAR_APPLY ? scalar_fn_info(e->fn)->arity : 0;
	if (e->kind == SCALAR_READ)
		place_begin(&run->place[run->next_place++], e->access,
			    data_of(value, e->access->tensor), &run->nest);
	for (int i = 0; i < arity; i++)
		begin_places(run, e->arg[i], value);
}

/* value[id] holds each tensor that is no view. False when memory is out. */
static bool run_statement(const struct statement *s, struct array *const value[])
{
	int reads = 0, lanes;
	measure(s->value, &reads, &lanes);
	struct run *run = calloc(1, sizeof *run);
	struct place *place = calloc((size_t)reads + 1, sizeof *place);
	union lanes *stack = malloc((size_t)lanes * sizeof *stack);
	bool has_memory = run && place && stack;
	if (has_memory) {
		run->statement = s;
		run->place = place;
		run->lanes = stack;
		nest_begin(&run->nest, s);
		place_begin(&run->target, &s->target, data_of(value, s->target.tensor), &run->nest);
		begin_places(run, s->value, value);
		do {
			nest_count(&run->nest);
			run_block(run);
		} while (nest_next(&run->nest));
	}
	free(stack);
	free(place);
	free(run);
	return has_memory;
}

/* ---- Networks -------------------------------------------------------------------------------- */

/* The array of every tensor that is no view: the caller's, the network's, or a new one in owned. */
static char *place_values(const struct network *net, struct array *const input[],
			  struct array *value[], struct array *owned[])
{
	for (int i = 0; i < net->input_count; i++) {
		const struct tensor *t = net->input[i];
		if (!input[i] || !tensor_takes(t, input[i]))
			return sentence("input %s has not the type and shape it needs", t->name);
		value[t->id] = input[i];
	}
	for (int i = 0; i < net->tensor_count; i++) {
		const struct tensor *t = net->tensor[i];
		if (t->view_of || t->role == ROLE_INPUT)
			continue;
		if (t->role == ROLE_LOCAL)
			owned[i] = array_new(t->type, t->rank, t->extent);
		value[i] = t->role == ROLE_LOCAL ? owned[i] : t->data;
		if (!value[i] && t->role == ROLE_LOCAL)
			return sentence("no memory for tensor %s", t->name);
		if (!value[i])
			return sentence("parameter %s has no values", t->name);
	}
	return NULL;
}

static char *copy_outputs(const struct network *net, struct array *const value[],
			  struct array *output[])
{
	for (int i = 0; i < net->output_count; i++) {
		const struct tensor *t = net->output[i];
		output[i] = array_new(t->type, t->rank, t->extent);
		if (!output[i])
			return sentence("no memory for output %s", t->name);
		memcpy(output[i]->data, data_of(value, t), (size_t)array_bytes(output[i]));
	}
	return NULL;
}

static char *run_network(const struct network *net, struct array *const input[],
			 struct array *output[], struct array *value[], struct array *owned[])
{
	char *error = place_values(net, input, value, owned);
	for (int i = 0; !error && i < net->statement_count; i++)
		if (!run_statement(net->statement[i], value))
			error = sentence("no memory to run a statement of %s",
					 net->statement[i]->layer);
	return error ? error : copy_outputs(net, value, output);
}

char *interpret(const struct network *net, struct array *const input[], struct array *output[])
{
	const char *broken = network_check(net);
	if (broken)
		return sentence("network %s: %s", net->name ? net->name : "?", broken);
	size_t count = (size_t)net->tensor_count + 1;
	struct array **value = calloc(count, sizeof(struct array *));
	struct array **owned = calloc(count, sizeof(struct array *));
	for (int i = 0; i < net->output_count; i++)
		output[i] = NULL;
	char *error = value && owned ? run_network(net, input, output, value, owned)
				     : sentence("no memory for the tensors");
	for (int i = 0; owned && i < net->tensor_count; i++)
		array_free(owned[i]);
	for (int i = 0; error && i < net->output_count; i++) {
		array_free(output[i]);
		output[i] = NULL;
	}
	free(owned);
	free(value);
	return error;
}
