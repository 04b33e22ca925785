/* emission.c -- target, module, checks and code generation, in a process of their own. */
#include "backend/cpu/emission.h"
#include "backend/cpu/apart.h"
#include "backend/cpu/target.h"
#include "runtime/sentence.h"

#include <llvm-c/Analysis.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_NO_MEMORY = 3 };

struct job {
	const struct network *net;
	const struct cpu_target *asked;
	enum cpu_form form;
	struct pool *pool;
	struct emission_report *report;
	int fd;
};

static _Noreturn void out_of_memory(void *context)
{
	struct job *job = context;
	strcpy(job->report->error,
	       "there is no memory to make the code; weights of several GB need as much "
	       "memory three times");
	apart_end(STATUS_NO_MEMORY);
}

/* Says why and ends this process. */
static _Noreturn void give_up(struct job *job, char *error)
{
	strncpy(job->report->error, error ? error : "out of memory", sizeof job->report->error - 1);
	apart_end(1);
}

/* The result lies in a file in memory, for which the limits of files hold. */
static _Noreturn void not_written(struct job *job)
{
	if (errno == EFBIG)
		give_up(job, sentence("the code is larger than a file may be here; raise the limit "
				      "(ulimit -f)"));
	out_of_memory(job);
}

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *context)
{
	if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
		return;
	char *text = LLVMGetDiagInfoDescription(info);
	give_up(context, sentence("LLVM makes no code for this network: %s", text));
}

static void write_note(struct job *job, const struct target *t)
{
	char *note = NULL;
	if (t->fell_back)
		note = sentence("the code is for any processor of %s, which is slower; name yours "
				"with -mcpu",
				t->triple);
	else if (t->rounds_late)
		note = sentence("processor %s computes with more digits than f32 has: the last "
				"bits of values may differ from the interpreter's",
				t->cpu);
	else if (!t->has_fma)
		note = sentence("processor %s has no fused multiply-add, so that each is a slow "
				"call of fmaf()",
				t->cpu);
	if (note)
		strncpy(job->report->note, note, sizeof job->report->note - 1);
	free(note);
}

static void begin_module(struct emitter *e, const struct target *t)
{
	LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(t->machine);
	e->module = LLVMModuleCreateWithNameInContext(e->net->name, e->context);
	e->builder = LLVMCreateBuilderInContext(e->context);
	LLVMSetTarget(e->module, t->triple);
	LLVMSetModuleDataLayout(e->module, layout);
	LLVMDisposeTargetData(layout);
}

static void check_module(struct job *job, struct emitter *e)
{
	char *message = NULL;
	if (LLVMVerifyModule(e->module, LLVMReturnStatusAction, &message))
		give_up(job, sentence("our own fault: the code is malformed: %s", message));
	LLVMDisposeMessage(message);
}

static void write_text(struct job *job, LLVMModuleRef module)
{
	char *text = LLVMPrintModuleToString(module);
	if (!apart_write(job->fd, text, strlen(text)))
		not_written(job);
}

static void write_code(struct job *job, struct emitter *e, const struct target *t)
{
	char *message = NULL;
	LLVMMemoryBufferRef code;
	LLVMCodeGenFileType type = job->form == CPU_OBJECT ? LLVMObjectFile : LLVMAssemblyFile;
	if (LLVMTargetMachineEmitToMemoryBuffer(t->machine, e->module, type, &message, &code))
		give_up(job, sentence("LLVM makes no code for this network: %s", message));
	if (!apart_write(job->fd, LLVMGetBufferStart(code), LLVMGetBufferSize(code)))
		not_written(job);
}

static int64_t weight_bytes(const struct network *net)
{
	int64_t bytes = 0;
	for (int i = 0; i < net->tensor_count; i++)
		if (net->tensor[i]->data)
			bytes += array_bytes(net->tensor[i]->data);
	return bytes;
}

/* Runs apart: what it holds goes with its process. */
static void emit_apart(void *context, int fd)
{
	struct job *job = context;
	struct target t;
	job->fd = fd;
	char *error = target_open(job->asked, job->pool ? 0 : weight_bytes(job->net), &t);
	if (error)
		give_up(job, error);
	struct emitter e = {.arena = arena_new(out_of_memory, job),
			    .net = job->net,
			    .machine = t.shape,
			    .cpu = t.cpu,
			    .features = t.features,
			    .swaps_bytes = t.swaps_bytes,
			    .pool = job->pool,
			    .context = LLVMContextCreate()};
	if (!e.arena)
		out_of_memory(job);
	LLVMContextSetDiagnosticHandler(e.context, on_diagnostic, job);
	begin_module(&e, &t);
	emit_network(&e, &job->report->scratch);
	check_module(job, &e);
	if (job->form == CPU_IR)
		write_text(job, e.module);
	else
		write_code(job, &e, &t);
	write_note(job, &t);
	job->report->is_done = true;
}

/* ---- What LLVM printed ---------------------------------------------------------------------- */

static const struct {
	const char *words, *remedy;
} complaints_known[] = {
	{"is not a recognized feature",
	 "features are to be those of the target; llc -mattr=help lists them"},
	{"how to soften", "name a processor with floating-point instructions by -mcpu"},
	{"64-bit code requested", "name a processor with 64 bits"},
	{"", "choose another -mcpu or -mtriple"},
};

static char *unknown_processor(const struct cpu_target *asked)
{
	const char *from = asked->cpu_from ? asked->cpu_from : "-mcpu";
	if (target_is_foreign(asked))
		return sentence("LLVM knows no processor '%s' of %s, as %s has it; llc -mtriple=%s "
				"-mcpu=help lists them, and 'generic' is all of them",
				asked->cpu, asked->triple, from, asked->triple);
	return sentence("LLVM knows no processor '%s', as %s has it; 'native' is this machine's, "
			"and llc -mcpu=help lists others",
			asked->cpu, from);
}

/* The first line of what LLVM said is the cause. */
static char *translate(char *said, const struct cpu_target *asked)
{
	size_t i = 0;
	if (asked && asked->cpu && strstr(said, "is not a recognized processor"))
		return unknown_processor(asked);
	said[strcspn(said, "\n")] = '\0';
	while (!strstr(said, complaints_known[i].words))
		i++;
	return sentence("LLVM makes no code for this target: %s; %s", said,
			complaints_known[i].remedy);
}

/* Every constant that a statement reads has a value. */
static char *check_weights(const struct network *net)
{
	for (int i = 0; i < net->tensor_count; i++) {
		const struct tensor *t = net->tensor[i];
		bool is_constant = t->role != ROLE_INPUT && t->role != ROLE_LOCAL;
		if (is_constant && !t->view_of && !t->data)
			return sentence(
				"parameter %s has no values; load weights or initialise them",
				t->name);
	}
	return NULL;
}

char *emission_run(const struct network *net, const struct cpu_target *asked, enum cpu_form form,
		   struct pool *pool, char **data, size_t *size, struct emission_report *report)
{
	struct emission_report *shared = apart_share(sizeof *shared);
	struct job job = {net, asked, form, pool, shared, -1};
	char *said = NULL;
	*report = (struct emission_report){0};
	*data = NULL;
	char *error = check_weights(net);
	if (error || !shared) {
		apart_release(shared, sizeof *shared);
		return error ? error : sentence("there is no memory to make the code");
	}
	target_register_host();
	error = apart_run(emit_apart, &job, data, size, &said);
	*report = *shared;
	apart_release(shared, sizeof *shared);
	if (report->error[0]) {
		free(error);
		error = sentence("%s", report->error);
	} else if (said && said[0]) {
		free(error);
		error = translate(said, asked);
	} else if (!error && !report->is_done) {
		error = sentence("the code generator ended early");
	}
	free(said);
	if (error) {
		free(*data);
		*data = NULL;
	}
	return error;
}
