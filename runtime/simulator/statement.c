/* statement.c -- executes a statement in blocks of points: each step of its code is done for a whole block, then the values are
 * combined into the target one after the other. */
#include "runtime/simulator/statement.h"
#include "runtime/lanes.h"
#include "runtime/sentence.h"
#include "runtime/simulator/statement_code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOWHERE = -1 };

/* Consecutive points of the nest. */
struct block {
	int count;
	int64_t position[STATEMENT_LOOPS][LANES];
};

struct execution {
	const struct statement_code *s;
	const struct tensors *tensors;
	int64_t next[STATEMENT_LOOPS]; /* the first point of the block to come */
	bool is_done;
	struct block block;
	int64_t element[LANES];
	union lanes stack[STATEMENT_DEPTH + 1]; /* the last one: the result of a function */
	enum type type[STATEMENT_DEPTH];
};

static void next_block(struct execution *e)
{
	const struct statement_code *s = e->s;
	for (e->block.count = 0; e->block.count < LANES && !e->is_done; e->block.count++) {
		int i = s->loops - 1;
		for (int k = 0; k < s->loops; k++)
			e->block.position[k][e->block.count] = e->next[k];
		for (; i >= 0 && ++e->next[i] == s->extent[i]; i--)
			e->next[i] = 0;
		e->is_done = i < 0;
	}
}

/* ---- Where an access points ---------------------------------------------------------------------------------------------------- */

/* The subscript at every point of the block. */
static void evaluate_affine(const struct execution *e, const struct affine *a, int64_t at[LANES])
{
	for (int p = 0; p < e->block.count; p++)
		at[p] = a->offset;
	for (int i = 0; i < e->s->loops; i++)
		for (int p = 0; a->coef[i] != 0 && p < e->block.count; p++)
			at[p] += a->coef[i] * e->block.position[i][p];
	for (int p = 0; a->divisor != 1 && p < e->block.count; p++)
		at[p] = affine_divide(at[p], a->divisor);
}

/* Fills `element`. */
static void locate(struct execution *e, const struct statement_access *a)
{
	const struct sim_tensor *t = &e->tensors->tensor[a->tensor];
	int64_t at[LANES];
	memset(e->element, 0, sizeof e->element);
	for (int axis = 0; axis < a->axes; axis++) {
		int64_t last = t->extent[axis] - 1;
		evaluate_affine(e, &a->axis[axis], at);
		for (int p = 0; p < e->block.count; p++) {
			bool is_outside = at[p] < 0 || at[p] > last;
			if (is_outside && a->beyond == BEYOND_CLAMP)
				at[p] = at[p] < 0 ? 0 : last;
			else if (is_outside || e->element[p] == NOWHERE)
				at[p] = e->element[p] = NOWHERE;
			if (e->element[p] != NOWHERE)
				e->element[p] = e->element[p] * t->extent[axis] + at[p];
		}
	}
}

/* ---- Values -------------------------------------------------------------------------------------------------------------------- */

/* The member of union lanes for each type. */
#define LANES_F32 f32
#define LANES_F64 f64
#define LANES_I8 integer
#define LANES_I16 integer
#define LANES_I32 integer
#define LANES_I64 integer

static void read_lanes(struct execution *e, const struct statement_access *a, union lanes *to)
{
	const struct sim_tensor *t = &e->tensors->tensor[a->tensor];
	locate(e, a);
	lanes_fill(to, t->type, a->value, e->block.count);
	switch (t->type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id: {                                                                          \
		const ctype *data = (const ctype *)(e->tensors->image + t->address);               \
		for (int p = 0; p < e->block.count; p++)                                           \
			if (e->element[p] != NOWHERE)                                              \
				to->LANES_##id[p] = data[e->element[p]];                           \
		break;                                                                             \
	}
#include "runtime/type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
}

static void read_positions(const struct execution *e, const struct statement_step *step,
			   union lanes *to)
{
	for (int p = 0; p < e->block.count; p++)
		to->integer[p] = e->block.position[step->index][p];
	lanes_convert(to, TYPE_I64, step->type, e->block.count);
}

/* One step of the code; the stack has so many values before, the result is how many after. */
static int execute_step(struct execution *e, const struct statement_step *step, int depth)
{
	union lanes *top = &e->stack[depth];
	int arity;
	switch (step->op) {
	case OP_CONSTANT:
		lanes_fill(top, step->type, step->value, e->block.count);
		break;
	case OP_POSITION:
		read_positions(e, step, top);
		break;
	case OP_READ:
		read_lanes(e, &e->s->access[step->index], top);
		break;
	default:
		arity = scalar_fn_info(step->fn)->arity;
		depth -= arity;
		lanes_apply(step->fn, step->type, &e->stack[STATEMENT_DEPTH], &e->stack[depth],
			    &e->type[depth], e->block.count);
		e->stack[depth] = e->stack[STATEMENT_DEPTH];
		break;
	}
	e->type[depth] = step->type;
	return depth + 1;
}

/* ---- Into the target ------------------------------------------------------------------------------------------------------------- */

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

static void combine(struct execution *e, const union lanes *value)
{
	const struct sim_tensor *t = &e->tensors->tensor[e->s->access[0].tensor];
	locate(e, &e->s->access[0]);
	switch (t->type) {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	case TYPE_##id:                                                                            \
		for (int p = 0; p < e->block.count; p++) {                                         \
			if (e->element[p] == NOWHERE)                                              \
				continue;                                                          \
			ctype *to = (ctype *)(e->tensors->image + t->address) + e->element[p];     \
			ctype v = (ctype)value->LANES_##id[p];                                     \
			if (e->s->reduction == REDUCTION_SUM)                                      \
				*to = SUM_##id(*to, v);                                            \
			else                                                                       \
				*to = e->s->reduction == REDUCTION_MAX ? MAX_##id(*to, v) : v;     \
		}                                                                                  \
		break;
#include "runtime/type.def"
#undef TYPE
	case TYPE_COUNT:
		break;
	}
}

/* `+=` of a product in a float target of the same type: one rounding. */
static void combine_product(struct execution *e, const union lanes *a, const union lanes *b)
{
	const struct sim_tensor *t = &e->tensors->tensor[e->s->access[0].tensor];
	uint8_t *data = e->tensors->image + t->address;
	locate(e, &e->s->access[0]);
	for (int p = 0; p < e->block.count; p++) {
		if (e->element[p] == NOWHERE)
			continue;
		float *f = (float *)data + e->element[p];
		double *d = (double *)data + e->element[p];
		if (t->type == TYPE_F32)
			*f = fmaf(a->f32[p], b->f32[p], *f);
		else
			*d = fma(a->f64[p], b->f64[p], *d);
	}
}

static bool is_product(const struct execution *e)
{
	const struct statement_code *s = e->s;
	const struct statement_step *last = &s->step[s->steps - 1];
	return s->reduction == REDUCTION_SUM && last->op == OP_APPLY && last->fn == FN_MUL &&
	       type_info(last->type)->is_float &&
	       last->type == e->tensors->tensor[s->access[0].tensor].type;
}

static void run_block(struct execution *e)
{
	const struct statement_code *s = e->s;
	enum type type = e->tensors->tensor[s->access[0].tensor].type;
	bool is_fused = is_product(e);
	int depth = 0;
	for (int i = 0; i < s->steps - is_fused; i++)
		depth = execute_step(e, &s->step[i], depth);
	for (int i = 0; i < depth; i++)
		lanes_convert(&e->stack[i], e->type[i], type, e->block.count);
	if (is_fused)
		combine_product(e, &e->stack[0], &e->stack[1]);
	else
		combine(e, &e->stack[0]);
}

char *statement_run(const struct code *code, int *place, const struct tensors *tensors)
{
	struct statement_code *s = malloc(sizeof *s);
	struct execution *e = calloc(1, sizeof *e);
	char *error = s && e ? statement_read(s, code, place, tensors)
			     : sentence("no memory for a statement");
	if (!error) {
		e->s = s;
		e->tensors = tensors;
		do {
			next_block(e);
			run_block(e);
		} while (!e->is_done);
	}
	free(e);
	free(s);
	return error;
}
