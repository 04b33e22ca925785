/* jit.c -- a network as code in this process: an object without weights, linked in memory, and
 * the weights in memory shared with the process that made the object. */
#include "backend/cpu/apart.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/emission.h"
#include "backend/cpu/target.h"
#include "runtime/sentence.h"

#include <llvm-c/LLJIT.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct shape {
	enum type type;
	int rank;
	int64_t extent[MAX_RANK];
	char *name;
};

typedef void run_function(void *const *inputs, void *const *outputs, void *scratch);

struct cpu_program {
	LLVMOrcLLJITRef jit;
	run_function *run;
	struct pool pool;
	int64_t scratch;
	int inputs, outputs;
	struct shape *shape; /* of the inputs, then of the outputs */
};

/* ---- Preparation ---------------------------------------------------------------------------- */

/* Upper bound: each statement has panels of its own of all constants that it reads. */
static void count_reads(const struct scalar *s, size_t *bytes)
{
	if (s->kind == SCALAR_READ) {
		const struct tensor *t = nest_storage(s->access->tensor);
		if (t->data)
			*bytes += (size_t)array_bytes(t->data) + 64;
	}
	for (int i = 0; s->kind == SCALAR_APPLY && i < scalar_fn_info(s->fn)->arity; i++)
		count_reads(s->arg[i], bytes);
}

static bool make_pool(const struct network *net, struct pool *pool)
{
	size_t bytes = 64;
	for (int i = 0; i < net->statement_count; i++)
		count_reads(net->statement[i]->value, &bytes);
	for (int i = 0; i < net->tensor_count; i++)
		if (net->tensor[i]->data)
			bytes += (size_t)array_bytes(net->tensor[i]->data) + 64;
	pool->base = apart_share(bytes);
	pool->size = bytes;
	return pool->base != NULL;
}

static bool copy_shape(struct shape *to, const struct tensor *t, const char *name)
{
	to->type = t->type;
	to->rank = t->rank;
	memcpy(to->extent, t->extent, sizeof to->extent);
	to->name = strdup(name);
	return to->name;
}

static bool copy_shapes(struct cpu_program *p, const struct network *net)
{
	p->shape = calloc((size_t)(net->input_count + net->output_count) + 1, sizeof *p->shape);
	if (!p->shape)
		return false;
	for (int i = 0; i < net->input_count; i++)
		if (!copy_shape(&p->shape[p->inputs++], net->input[i], net->input[i]->name))
			return false;
	for (int i = 0; i < net->output_count; i++)
		if (!copy_shape(&p->shape[p->inputs + p->outputs++], net->output[i],
				net->output_name[i]))
			return false;
	return true;
}

/* ---- Linking -------------------------------------------------------------------------------- */

/* What went wrong comes back from the calls too. */
static void ignore(void *context, LLVMErrorRef error)
{
	(void)context;
	LLVMConsumeError(error);
}

static char *translate(LLVMErrorRef error)
{
	char *message = LLVMGetErrorMessage(error);
	char *text = sentence("the code cannot be linked in memory: %s", message);
	LLVMDisposeErrorMessage(message);
	return text;
}

static char *link_program(struct cpu_program *p, const char *object, size_t size)
{
	LLVMOrcExecutorAddress address;
	LLVMOrcDefinitionGeneratorRef process;
	target_register_host();
	LLVMErrorRef error = LLVMOrcCreateLLJIT(&p->jit, NULL);
	if (error)
		return translate(error);
	LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(p->jit), ignore,
						NULL);
	LLVMOrcJITDylibRef library = LLVMOrcLLJITGetMainJITDylib(p->jit);
	error = LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(
		&process, LLVMOrcLLJITGetGlobalPrefix(p->jit), NULL, NULL);
	if (error)
		return translate(error);
	LLVMOrcJITDylibAddGenerator(library, process);
	LLVMMemoryBufferRef code =
		LLVMCreateMemoryBufferWithMemoryRangeCopy(object, size, "network");
	error = LLVMOrcLLJITAddObjectFile(p->jit, library, code);
	if (!error)
		error = LLVMOrcLLJITLookup(p->jit, &address, EMIT_POOL_SYMBOL);
	if (error)
		return translate(error);
	p->run = (run_function *)(uintptr_t)address;
	return NULL;
}

/* Code for another processor would end this process by a signal. *level becomes the processor for which code is made
 * where that is not the host as a whole. */
static char *check_target(const struct cpu_target *target, const char **level)
{
	*level = NULL;
	if (target_is_foreign(target))
		return sentence("-run executes on this machine, where code for %s (by %s) cannot "
				"run; -o writes an object for it",
				target->triple,
				target->triple_from ? target->triple_from : "-mtriple");
	if (!target || (!target->cpu && !target->features))
		return NULL;
	if (target->cpu && !target->features && target_is_level_of_host(target->cpu)) {
		*level = target->cpu;
		return NULL;
	}
	char *host = LLVMGetHostCPUName();
	bool is_host = !target->features && strcmp(host, target->cpu) == 0;
	char *error =
		is_host ? NULL
			: sentence("-run executes on this machine's processor, %s, and %s "
				   "asks for %s; 'native' is this machine's, and -o writes an "
				   "object for another",
				   host, target->cpu_from ? target->cpu_from : "-mcpu",
				   target->cpu ? target->cpu : target->features);
	LLVMDisposeMessage(host);
	return error;
}

static char *build(struct cpu_program *p, const struct network *net, const char *level)
{
	struct cpu_target target = {.cpu = level};
	struct emission_report report;
	char *object = NULL;
	size_t size = 0;
	if (!make_pool(net, &p->pool) || !copy_shapes(p, net))
		return sentence("there is no memory for the program");
	char *error = emission_run(net, &target, CPU_OBJECT, &p->pool, &object, &size, &report);
	p->scratch = report.scratch;
	if (!error)
		error = link_program(p, object, size);
	free(object);
	return error;
}

char *cpu_compile(const struct network *net, const struct cpu_target *target,
		  struct cpu_program **program)
{
	*program = NULL;
	const char *level;
	char *error = check_target(target, &level);
	if (error)
		return error;
	struct cpu_program *p = calloc(1, sizeof *p);
	error = p ? build(p, net, level) : sentence("there is no memory for the program");
	if (error)
		cpu_program_free(p);
	else
		*program = p;
	return error;
}

/* ---- Running -------------------------------------------------------------------------------- */

static bool has_shape(const struct array *a, const struct shape *s)
{
	bool fits = a && a->type == s->type && a->rank == s->rank;
	for (int i = 0; fits && i < s->rank; i++)
		fits = a->extent[i] == s->extent[i];
	return fits;
}

static char *run_with(const struct cpu_program *p, void **pointer, struct array *const input[],
		      struct array *output[])
{
	size_t bytes = ((size_t)p->scratch + 63) / 64 * 64;
	for (int i = 0; i < p->inputs; i++) {
		if (!has_shape(input[i], &p->shape[i]))
			return sentence("input %s has not the type and shape it needs",
					p->shape[i].name);
		pointer[i] = input[i]->data;
	}
	for (int i = 0; i < p->outputs; i++) {
		const struct shape *s = &p->shape[p->inputs + i];
		output[i] = array_new(s->type, s->rank, s->extent);
		if (!output[i])
			return sentence("there is no memory for output %s", s->name);
		pointer[p->inputs + i] = output[i]->data;
	}
	void *scratch = bytes ? aligned_alloc(64, bytes) : NULL;
	if (bytes && !scratch)
		return sentence("there is no memory for %zu bytes between the layers", bytes);
	p->run(pointer, pointer + p->inputs, scratch);
	free(scratch);
	return NULL;
}

char *cpu_run(const struct cpu_program *p, struct array *const input[], struct array *output[])
{
	void **pointer = calloc((size_t)(p->inputs + p->outputs) + 1, sizeof *pointer);
	for (int i = 0; i < p->outputs; i++)
		output[i] = NULL;
	char *error = pointer ? run_with(p, pointer, input, output)
			      : sentence("there is no memory to run the program");
	free(pointer);
	for (int i = 0; error && i < p->outputs; i++) {
		array_free(output[i]);
		output[i] = NULL;
	}
	return error;
}

void cpu_program_free(struct cpu_program *p)
{
	if (!p)
		return;
	if (p->jit)
		LLVMConsumeError(LLVMOrcDisposeLLJIT(p->jit));
	apart_release(p->pool.base, p->pool.size);
	for (int i = 0; p->shape && i < p->inputs + p->outputs; i++)
		free(p->shape[i].name);
	free(p->shape);
	free(p);
}
