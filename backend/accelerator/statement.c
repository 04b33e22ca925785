/* statement.c -- loops, accesses, and the expression as code for a stack: operands first. */
#include "backend/accelerator/statement.h"
#include "backend/accelerator/writer.h"

struct writer {
	struct code_writer to;
	int accesses;
};

static void write_subscript(struct writer *w, const struct statement *s,
			    const struct subscript *sub)
{
	union field *f = writer_add(&w->to, OP_SUBSCRIPT);
	f[SUBSCRIPT_OFFSET].whole = sub->offset;
	f[SUBSCRIPT_DIVISOR].whole = sub->divisor;
	for (int i = 0; i < s->loops; i++) {
		if (sub->coef[i] == 0)
			continue;
		f = writer_add(&w->to, OP_STEP);
		f[STEP_LOOP].whole = i;
		f[STEP_COEF].whole = sub->coef[i];
	}
}

/* The words of isa.def for what lies outside of a tensor. */
static int64_t outside_of(const struct access *a)
{
	static const int64_t word[] = {
		[OUTSIDE_ERROR] = 0, [OUTSIDE_VALUE] = 1, [OUTSIDE_CLAMP] = 2, [OUTSIDE_DROP] = 3};
	return word[a->outside];
}

/* Its number. */
static int write_access(struct writer *w, const struct statement *s, const struct access *a)
{
	union field *f = writer_add(&w->to, OP_ACCESS);
	f[ACCESS_TENSOR].whole = a->tensor->id;
	f[ACCESS_OUTSIDE].whole = outside_of(a);
	f[ACCESS_VALUE].real = a->outside == OUTSIDE_VALUE ? a->value : 0;
	for (int r = 0; r < a->tensor->rank; r++)
		write_subscript(w, s, &a->subscript[r]);
	return w->accesses++;
}

static void write_scalar(struct writer *w, const struct statement *s, const struct scalar *e)
{
	union field *f;
	int access;
	switch (e->kind) {
	case SCALAR_CONSTANT:
		f = writer_add(&w->to, OP_CONSTANT);
		f[CONSTANT_TYPE].whole = e->type;
		f[CONSTANT_VALUE].real = e->constant;
		break;
	case SCALAR_POSITION:
		f = writer_add(&w->to, OP_POSITION);
		f[POSITION_TYPE].whole = e->type;
		f[POSITION_LOOP].whole = e->loop;
		break;
	case SCALAR_READ:
		access = write_access(w, s, e->access);
		writer_add(&w->to, OP_READ)[READ_ACCESS].whole = access;
		break;
	case SCALAR_APPLY:
		for (int i = 0; i < scalar_fn_info(e->fn)->arity; i++)
			write_scalar(w, s, e->arg[i]);
		f = writer_add(&w->to, OP_APPLY);
		f[APPLY_TYPE].whole = e->type;
		f[APPLY_FUNCTION].whole = e->fn;
		break;
	}
}

bool statement_write(struct code *code, const struct statement *s)
{
	struct writer w = {.to = {.code = code}};
	union field *f = writer_add(&w.to, OP_STATEMENT);
	writer_name(&w.to, &f[STATEMENT_NAME], s->layer ? s->layer : "");
	f[STATEMENT_REDUCE].whole = s->reduce;
	for (int i = 0; i < s->loops; i++)
		writer_add(&w.to, OP_FOR)[FOR_EXTENT].whole = s->loop[i].extent;
	write_access(&w, s, &s->target);
	write_scalar(&w, s, s->value);
	return !w.to.is_out_of_memory;
}
