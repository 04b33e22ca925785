/* statement_read.c -- a statement from its instructions: every number is checked, every place proven to be inside of its tensor. */
#include "runtime/sentence.h"
#include "runtime/simulator/statement_code.h"

#include <stdlib.h>

struct reader {
	struct statement_code *s;
	const struct code *code;
	const struct tensors *tensors;
	int place, depth;
	enum type stack[STATEMENT_DEPTH];
	char *error;
};

static bool fail(struct reader *r, char *why)
{
	r->error = sentence("instruction %d (%s): %s", r->place,
			    isa_info(r->code->at[r->place].op)->word, why ? why : "no memory");
	free(why);
	return false;
}

static bool below(struct reader *r, const char *what, int64_t number, int64_t limit)
{
	return number < limit || fail(r, sentence("%s %lld is not there, of %lld", what,
						  (long long)number, (long long)limit));
}

static bool room(struct reader *r, const char *what, int count, int most)
{
	return count < most || fail(r, sentence("more than %d %s in one statement", most, what));
}

static bool push(struct reader *r, struct statement_step step)
{
	if (!room(r, "steps", r->s->steps, STATEMENT_STEPS) ||
	    !room(r, "values at once", r->depth, STATEMENT_DEPTH))
		return false;
	r->s->step[r->s->steps++] = step;
	r->stack[r->depth++] = step.type;
	return true;
}

static bool read_for(struct reader *r, const union field *f)
{
	if (!room(r, "loops", r->s->loops, STATEMENT_LOOPS))
		return false;
	if (f[FOR_EXTENT].whole < 1)
		return fail(r, sentence("an extent is at least 1"));
	r->s->extent[r->s->loops++] = f[FOR_EXTENT].whole;
	return true;
}

static bool read_access(struct reader *r, const union field *f)
{
	if (!room(r, "accesses", r->s->accesses, STATEMENT_ACCESSES) ||
	    !below(r, "tensor", f[ACCESS_TENSOR].whole, r->tensors->count))
		return false;
	r->s->access[r->s->accesses++] = (struct statement_access){
		.tensor = (int)f[ACCESS_TENSOR].whole,
		.beyond = (enum beyond_tensor)f[ACCESS_OUTSIDE].whole,
		.value = f[ACCESS_VALUE].real,
	};
	return true;
}

static struct statement_access *last_access(struct reader *r)
{
	if (r->s->accesses == 0)
		fail(r, sentence("it belongs to an access, and none came before"));
	return r->s->accesses > 0 ? &r->s->access[r->s->accesses - 1] : NULL;
}

static bool read_subscript(struct reader *r, const union field *f)
{
	struct statement_access *a = last_access(r);
	if (!a || !below(r, "dimension", a->axes, r->tensors->tensor[a->tensor].rank))
		return false;
	if (f[SUBSCRIPT_DIVISOR].whole < 1)
		return fail(r, sentence("a divisor is at least 1"));
	a->axis[a->axes++] =
		(struct affine){f[SUBSCRIPT_OFFSET].whole, f[SUBSCRIPT_DIVISOR].whole, {0}};
	return true;
}

static bool read_step(struct reader *r, const union field *f)
{
	struct statement_access *a = last_access(r);
	if (!a || !below(r, "loop", f[STEP_LOOP].whole, r->s->loops))
		return false;
	if (a->axes == 0)
		return fail(r, sentence("it belongs to a subscript, and none came before"));
	int64_t *coef = &a->axis[a->axes - 1].coef[f[STEP_LOOP].whole];
	if (*coef != 0 || f[STEP_COEF].whole == 0)
		return fail(r, sentence("a loop is one term of a subscript, by a coefficient that "
					"is not 0"));
	*coef = f[STEP_COEF].whole;
	return true;
}

static bool read_constant(struct reader *r, const union field *f)
{
	return push(r, (struct statement_step){.op = OP_CONSTANT,
					       .type = (enum type)f[CONSTANT_TYPE].whole,
					       .value = f[CONSTANT_VALUE].real});
}

static bool read_position(struct reader *r, const union field *f)
{
	return below(r, "loop", f[POSITION_LOOP].whole, r->s->loops) &&
	       push(r, (struct statement_step){.op = OP_POSITION,
					       .type = (enum type)f[POSITION_TYPE].whole,
					       .index = (int)f[POSITION_LOOP].whole});
}

static bool read_read(struct reader *r, const union field *f)
{
	if (!below(r, "access", f[READ_ACCESS].whole, r->s->accesses))
		return false;
	int access = (int)f[READ_ACCESS].whole;
	if (access == 0)
		return fail(r, sentence("the target is not read"));
	return push(r, (struct statement_step){
			       .op = OP_READ,
			       .type = r->tensors->tensor[r->s->access[access].tensor].type,
			       .index = access});
}

/* Functions of narrow integers are computed in i32 at least. */
static bool read_apply(struct reader *r, const union field *f)
{
	struct statement_step step = {.op = OP_APPLY,
				      .type = (enum type)f[APPLY_TYPE].whole,
				      .fn = (enum scalar_fn)f[APPLY_FUNCTION].whole};
	const struct scalar_fn_info *info = scalar_fn_info(step.fn);
	if (step.type == TYPE_I8 || step.type == TYPE_I16 ||
	    (info->is_comparison && step.type != TYPE_I32) ||
	    (info->is_float && !type_info(step.type)->is_float))
		return fail(r, sentence("'%s' is not computed in %s", info->name,
					type_info(step.type)->name));
	if (r->depth < info->arity)
		return fail(r, sentence("'%s' has %d operands, and the stack %d values", info->name,
					info->arity, r->depth));
	r->depth -= info->arity;
	return push(r, step);
}

/* ---- Together ---------------------------------------------------------------------------------------------------------------- */

/* The least and greatest value, before it is divided. */
static bool reach(const struct statement_code *s, const struct affine *a, int64_t *least,
		  int64_t *greatest)
{
	*least = *greatest = a->offset;
	for (int i = 0; i < s->loops; i++) {
		int64_t far;
		if (__builtin_mul_overflow(a->coef[i], s->extent[i] - 1, &far) ||
		    __builtin_add_overflow(far < 0 ? *least : *greatest, far,
					   far < 0 ? least : greatest))
			return false;
	}
	return true;
}

static bool check_access(struct reader *r, int number)
{
	const struct statement_access *a = &r->s->access[number];
	const struct sim_tensor *t = &r->tensors->tensor[a->tensor];
	if (a->axes != t->rank)
		return fail(r, sentence("'%s' has %d dimensions, and access %d %d subscripts",
					t->name, t->rank, number, a->axes));
	if (number == 0 ? a->beyond != BEYOND_NONE && a->beyond != BEYOND_DROP
			: a->beyond == BEYOND_DROP)
		return fail(
			r, sentence("what lies outside of a tensor is dropped where it is written, "
				    "and only there"));
	if (number == 0 && t->role == SIM_CONSTANT)
		return fail(r, sentence("constant '%s' is not written", t->name));
	for (int i = 0; i < a->axes; i++) {
		int64_t least, greatest;
		if (!reach(r->s, &a->axis[i], &least, &greatest))
			return fail(r, sentence("places are more than can be counted"));
		if (a->beyond == BEYOND_NONE &&
		    (affine_divide(least, a->axis[i].divisor) < 0 ||
		     affine_divide(greatest, a->axis[i].divisor) >= t->extent[i]))
			return fail(r, sentence("access %d leaves '%s'", number, t->name));
	}
	return true;
}

static bool check(struct reader *r)
{
	int64_t points = 1;
	if (r->s->accesses == 0)
		return fail(r, sentence("it has no target"));
	if (r->depth != 1)
		return fail(r, sentence("its code leaves %d values, not one", r->depth));
	r->s->type = r->stack[0];
	for (int i = 0; i < r->s->loops; i++)
		if (__builtin_mul_overflow(points, r->s->extent[i], &points))
			return fail(r, sentence("its points are more than can be counted"));
	for (int i = 0; i < r->s->accesses; i++)
		if (!check_access(r, i))
			return false;
	return true;
}

static bool read_instruction(struct reader *r)
{
	static bool (*const reader_of[OP_COUNT])(struct reader *, const union field *) = {
		[OP_FOR] = read_for,
		[OP_ACCESS] = read_access,
		[OP_SUBSCRIPT] = read_subscript,
		[OP_STEP] = read_step,
		[OP_CONSTANT] = read_constant,
		[OP_POSITION] = read_position,
		[OP_READ] = read_read,
		[OP_APPLY] = read_apply,
	};
	const struct instruction *at = &r->code->at[r->place];
	return reader_of[at->op] ? reader_of[at->op](r, at->field)
				 : fail(r, sentence("it has no place in a statement"));
}

char *statement_read(struct statement_code *s, const struct code *code, int *place,
		     const struct tensors *tensors)
{
	struct reader r = {.s = s, .code = code, .tensors = tensors, .place = *place};
	*s = (struct statement_code){
		.reduction = (enum reduction)code->at[*place].field[STATEMENT_REDUCE].whole};
	for (r.place++; r.place < code->count; r.place++) {
		enum opcode op = code->at[r.place].op;
		if (op == OP_LAYER || op == OP_STATEMENT)
			break;
		if (!read_instruction(&r))
			return r.error;
	}
	int end = r.place;
	r.place = *place;
	*place = end;
	check(&r);
	return r.error;
}
