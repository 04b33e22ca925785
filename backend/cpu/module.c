/* module.c -- a network in, one module out: a kernel for each statement and the function that
 * calls them in order. The names of its arguments and structures are what header.c tells the C
 * compiler. */
#include "backend/cpu/describe.h"
#include "backend/cpu/emit.h"
#include "backend/cpu/names.h"
#include "backend/cpu/scratch.h"

#include <string.h>

struct module {
	struct emitter *e;
	struct nest **nest;    /* of each statement */
	struct buffer *buffer; /* in scratch */
	int buffers;
	int *buffer_of; /* of each tensor, or -1 */
	int *output_of; /* of each tensor, the output into which it is written directly, or -1 */
	int **padded;   /* of each statement and read, the buffer of the padded copy, or -1 */
	LLVMValueRef function;
	LLVMValueRef *base; /* of each tensor that is no view; NULL: not known yet */
};

/* ---- Scratch -------------------------------------------------------------------------------- */

/* The first output that is a local tensor's is its memory, too. */
static void find_outputs(struct module *m)
{
	const struct network *net = m->e->net;
	m->output_of = ARENA_ARRAY(m->e->arena, net->tensor_count + 1, int);
	for (int i = 0; i < net->tensor_count; i++)
		m->output_of[i] = -1;
	for (int i = net->output_count - 1; i >= 0; i--) {
		const struct tensor *t = nest_storage(net->output[i]);
		if (t->role == ROLE_LOCAL)
			m->output_of[t->id] = i;
	}
}

static int add_buffer(struct module *m, int64_t bytes, int statement)
{
	struct buffer b = {.bytes = bytes, .first = statement, .last = statement};
	ARENA_APPEND(m->e->arena, m->buffer, m->buffers, b);
	return m->buffers - 1;
}

/* The tensor is needed in this statement. */
static void touch(struct module *m, const struct tensor *t, int statement)
{
	const struct tensor *s = nest_storage(t);
	if (s->role != ROLE_LOCAL || m->output_of[s->id] >= 0)
		return;
	if (m->buffer_of[s->id] < 0)
		m->buffer_of[s->id] =
			add_buffer(m, tensor_count(s) * type_info(s->type)->bytes, statement);
	m->buffer[m->buffer_of[s->id]].last = statement;
}

static int64_t plan_scratch(struct module *m)
{
	const struct network *net = m->e->net;
	struct arena *arena = m->e->arena;
	m->buffer_of = ARENA_ARRAY(arena, net->tensor_count + 1, int);
	m->padded = ARENA_ARRAY(arena, net->statement_count + 1, int *);
	for (int i = 0; i < net->tensor_count; i++)
		m->buffer_of[i] = -1;
	for (int i = 0; i < net->statement_count; i++) {
		const struct nest *n = m->nest[i];
		m->padded[i] = ARENA_ARRAY(arena, n->reads + 1, int);
		touch(m, n->target.access->tensor, i);
		for (int r = 0; r < n->reads; r++) {
			const struct tensor *t = n->read[r].access->tensor;
			int64_t bytes = type_info(t->type)->bytes;
			touch(m, t, i);
			m->padded[i][r] = -1;
			if (n->read[r].form == NEST_PADDED)
				m->padded[i][r] =
					add_buffer(m, nest_padded_count(&n->read[r]) * bytes, i);
		}
	}
	return scratch_plan(arena, m->buffer, m->buffers);
}

/* ---- Where tensors are ---------------------------------------------------------------------- */

static LLVMTypeRef pointer_type(struct module *m)
{
	return LLVMPointerTypeInContext(m->e->context, 0);
}

/* Field number i of the structure of pointers that is the function's argument number `argument`. */
static LLVMValueRef field(struct module *m, unsigned argument, int i)
{
	LLVMValueRef at = emit_integer(m->e, i), structure = LLVMGetParam(m->function, argument);
	LLVMValueRef to = LLVMBuildGEP2(m->e->builder, pointer_type(m), structure, &at, 1, "");
	return LLVMBuildLoad2(m->e->builder, pointer_type(m), to, "");
}

static LLVMValueRef in_scratch(struct module *m, int buffer)
{
	LLVMTypeRef byte = LLVMInt8TypeInContext(m->e->context);
	LLVMValueRef at = emit_integer(m->e, m->buffer[buffer].offset);
	return LLVMBuildGEP2(m->e->builder, byte, LLVMGetParam(m->function, 2), &at, 1, "");
}

/* All inputs and outputs are loaded at the function's begin. */
static void load_fields(struct module *m)
{
	const struct network *net = m->e->net;
	for (int i = 0; i < net->input_count; i++)
		m->base[net->input[i]->id] = field(m, 0, i);
	for (int i = 0; i < net->output_count; i++) {
		const struct tensor *t = nest_storage(net->output[i]);
		if (m->output_of[t->id] == i)
			m->base[t->id] = field(m, 1, i);
	}
}

static LLVMValueRef base_of(struct module *m, const struct tensor *t)
{
	const struct tensor *s = nest_storage(t);
	LLVMValueRef *base = &m->base[s->id];
	if (!*base && s->role == ROLE_LOCAL)
		*base = in_scratch(m, m->buffer_of[s->id]);
	else if (!*base)
		*base = emit_tensor_data(m->e, s);
	return *base;
}

/* ---- Statements ----------------------------------------------------------------------------- */

static LLVMValueRef kernel_of(struct emitter *e, const struct nest *n)
{
	size_t length;
	const char *key = describe_nest(e->arena, n, &length);
	LLVMValueRef there = cached_find(e->kernel, key, length);
	if (there)
		return there;
	LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
	LLVMValueRef made = emit_kernel(e, n);
	LLVMPositionBuilderAtEnd(e->builder, before);
	cached_add(e->arena, &e->kernel, key, length, made);
	return made;
}

static void call(struct module *m, const struct nest *n, LLVMValueRef base[])
{
	LLVMValueRef kernel = kernel_of(m->e, n);
	LLVMBuildCall2(m->e->builder, LLVMGlobalGetValueType(kernel), kernel, base,
		       1 + (unsigned)n->reads, "");
}

/* The statement copy[i, j] = tensor[i + low, j + low] else value. */
static struct statement *padding(struct arena *arena, const struct nest_access *a)
{
	struct tensor *copy = ARENA_NEW(arena, struct tensor);
	struct statement *s = ARENA_NEW(arena, struct statement);
	struct access *read = ARENA_NEW(arena, struct access);
	struct scalar *value = ARENA_NEW(arena, struct scalar);
	int rank = a->access->tensor->rank;
	*copy = (struct tensor){
		.name = "padded", .type = a->access->tensor->type, .role = ROLE_LOCAL};
	*read = *a->access;
	read->subscript = ARENA_ARRAY(arena, rank, struct subscript);
	s->target.subscript = ARENA_ARRAY(arena, rank, struct subscript);
	for (int d = 0; d < rank; d++) {
		copy->extent[d] = a->extent[d];
		s->loop[d] = (struct loop){a->access->tensor->dim[d], a->extent[d]};
		s->target.subscript[d].divisor = read->subscript[d].divisor = 1;
		s->target.subscript[d].coef[d] = read->subscript[d].coef[d] = 1;
		read->subscript[d].offset = a->low[d];
	}
	copy->rank = s->loops = s->outer = rank;
	*value = (struct scalar){.kind = SCALAR_READ, .type = copy->type, .access = read};
	s->target.tensor = copy;
	s->value = value;
	s->op = "pad";
	return s;
}

static LLVMValueRef padded_copy(struct module *m, const struct nest_access *a, int buffer)
{
	struct arena *arena = m->e->arena;
	LLVMValueRef base[] = {in_scratch(m, buffer), base_of(m, a->access->tensor)};
	call(m, nest_choose(arena, padding(arena, a), &m->e->machine), base);
	return base[0];
}

static void emit_statement(struct module *m, int i)
{
	const struct nest *n = m->nest[i];
	LLVMValueRef *base = ARENA_ARRAY(m->e->arena, 1 + n->reads, LLVMValueRef);
	base[0] = base_of(m, n->target.access->tensor);
	for (int r = 0; r < n->reads; r++) {
		const struct nest_access *a = &n->read[r];
		if (a->form == NEST_PADDED)
			base[1 + r] = padded_copy(m, a, m->padded[i][r]);
		else if (a->form == NEST_PANEL)
			base[1 + r] = emit_weights(m->e, n, a);
		else
			base[1 + r] = base_of(m, a->access->tensor);
	}
	call(m, n, base);
}

/* ---- The function --------------------------------------------------------------------------- */

/* Outputs that are no local tensor's own memory. */
static void copy_outputs(struct module *m)
{
	const struct network *net = m->e->net;
	for (int i = 0; i < net->output_count; i++) {
		const struct tensor *t = nest_storage(net->output[i]);
		int64_t bytes = tensor_count(t) * type_info(t->type)->bytes;
		if (m->output_of[t->id] == i)
			continue;
		unsigned alignment = (unsigned)type_info(t->type)->bytes;
		LLVMBuildMemCpy(m->e->builder, field(m, 1, i), alignment, base_of(m, t), alignment,
				emit_integer(m->e, bytes));
	}
}

static void begin_function(struct module *m)
{
	struct emitter *e = m->e;
	LLVMTypeRef pointer = pointer_type(m), argument[] = {pointer, pointer, pointer};
	LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(e->context), argument, 3, false);
	const char *name = EMIT_POOL_SYMBOL;
	if (!e->pool)
		name = arena_printf(e->arena, "%s_run", names_network(e->arena, e->net));
	static const char *const names[] = {"inputs", "outputs", "scratch"};
	m->function = LLVMAddFunction(e->module, name, type);
	for (unsigned i = 0; i < 3; i++)
		LLVMSetValueName2(LLVMGetParam(m->function, i), names[i], strlen(names[i]));
	unsigned nounwind = LLVMGetEnumAttributeKindForName("nounwind", strlen("nounwind"));
	LLVMAddAttributeAtIndex(m->function, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(e->context, nounwind, 0));
	LLVMPositionBuilderAtEnd(e->builder,
				 LLVMAppendBasicBlockInContext(e->context, m->function, ""));
}

/* Whoever compiles the text of the module does so for the same machine. */
static void name_target(struct emitter *e)
{
	const char *const attribute[][2] = {{"target-cpu", e->cpu},
					    {"target-features", e->features}};
	for (LLVMValueRef f = LLVMGetFirstFunction(e->module); f; f = LLVMGetNextFunction(f))
		for (int i = 0; i < 2; i++)
			if (attribute[i][1] && attribute[i][1][0] && !LLVMIsDeclaration(f))
				LLVMAddTargetDependentFunctionAttr(f, attribute[i][0],
								   attribute[i][1]);
}

/* Nests and their scratch. */
static int64_t prepare(struct module *m)
{
	struct emitter *e = m->e;
	m->nest = ARENA_ARRAY(e->arena, e->net->statement_count + 1, struct nest *);
	m->base = ARENA_ARRAY(e->arena, e->net->tensor_count + 1, LLVMValueRef);
	for (int i = 0; i < e->net->statement_count; i++)
		m->nest[i] = nest_choose(e->arena, e->net->statement[i], &e->machine);
	find_outputs(m);
	return plan_scratch(m);
}

int64_t emit_scratch(struct arena *arena, const struct network *net)
{
	struct emitter e = {.arena = arena, .net = net, .machine = {16, 16}};
	struct module m = {.e = &e};
	return prepare(&m);
}

void emit_network(struct emitter *e, int64_t *scratch)
{
	struct module m = {.e = e};
	const struct network *net = e->net;
	*scratch = prepare(&m);
	if (*scratch < 0)
		arena_fail(e->arena);
	begin_function(&m);
	load_fields(&m);
	for (int i = 0; i < net->statement_count; i++)
		emit_statement(&m, i);
	copy_outputs(&m);
	LLVMBuildRetVoid(e->builder);
	name_target(e);
}
