/* dnnc.c -- from a network file to a program: the table of contents of the compiler.
 *
 * `compile` lists the chapters. Each returns whether the next may begin. What is wrong is collected in diag and
 * shown together at the end; the exit code follows from it. */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/cpu/files.h"
#include "frontend/elaborate/elaborate.h"
#include "frontend/command/exit_code.h"
#include "frontend/network/interpret.h"
#include "frontend/machine/machine.h"
#include "frontend/network/memory.h"
#include "frontend/onnx/onnx.h"
#include "frontend/command/options.h"
#include "frontend/network/run_files.h"
#include "frontend/network/summary.h"
#include "frontend/syntax/train.h"
#include "frontend/timeloop/timeloop.h"
#include "frontend/network/weights.h"
#include "runtime/file.h"
#include "runtime/sentence.h"

struct job {
	struct options options;
	jmp_buf out_of_memory;
	struct arena *arena;
	struct diag diag;
	struct program *program;
	const struct machine *machine; /* NULL: none is described */
	struct network *network;
	struct array_set weights;
	struct array *input[MAX_INPUT_FILES];
	struct array **output;
};

static bool read_files(struct job *);
static bool check(struct job *);
static bool lower(struct job *);
static bool load(struct job *);
static bool explain(struct job *);
static bool run(struct job *);
static bool emit(struct job *);

static bool compile(struct job *job)
{
	return read_files(job) /* .dnn and .hw files into syntax trees */
	       && check(job)   /* names and machines */
	       && lower(job)   /* operators into tensor statements */
	       && load(job)    /* values for the parameters */
	       && explain(job) /* the summary table */
	       && run(job)     /* with -run: on arrays */
	       && emit(job);   /* with -o: native code */
}

/* Says what the user may want to know but need not change. */
static void remark(const struct job *job, const char *text)
{
	if (text && job->options.form == DIAG_TEXT)
		fprintf(stderr, "note: %s\n", text);
}

/* ---- Read -------------------------------------------------------------------------------------------- */

static bool is_model(const struct options *options)
{
	return file_has_ending(options->network_file, ".onnx");
}

static bool read_files(struct job *job)
{
	const struct options *options = &job->options;
	bool is_yaml = timeloop_is_file(options->network_file);
	bool has_yaml_machine = timeloop_is_file(options->machine_file);
	job->program = program_new(job->arena, &job->diag);
	if (is_yaml || has_yaml_machine)
		timeloop_read(job->program, is_yaml ? options->network_file : NULL,
			      has_yaml_machine ? options->machine_file : NULL);
	if (!is_model(options) && !is_yaml)
		program_read(job->program, options->network_file);
	if (options->machine_file && !has_yaml_machine)
		program_read(job->program, options->machine_file);
	for (int i = 1; options->dump[DUMP_TREE] && i < job->program->tree_count; i++)
		tree_print(job->program->tree[i], stdout);
	return exit_code_of(&job->diag) <= EXIT_WRONG_INPUT;
}

/* ---- Check ------------------------------------------------------------------------------------------- */

/* Does the work end in code? With -run it may, and the interpreter serves where no machine is given. */
static bool wants_code(const struct options *options)
{
	return (options->out && !options->run) || options->dump[DUMP_IR] || options->dump[DUMP_ASM];
}

static bool needs_values(const struct options *options)
{
	return options->run || wants_code(options);
}

/* Code is made for cpu machines; said before any work is done for another. */
static bool check_kind(struct job *job)
{
	if (!job->machine && wants_code(&job->options))
		return diag_fail(&job->diag, "no-machine",
				 sentence("native code needs a machine: -hw FILE"));
	if (needs_values(&job->options) && job->machine && job->machine->kind != MACHINE_CPU)
		return diag_fail(&job->diag, "machine-kind",
				 sentence("machine '%s' is no cpu, and code is made for cpu "
					  "machines only so far",
					  job->machine->name));
	return true;
}

/* Goes on after errors, to find the next. */
static bool check(struct job *job)
{
	program_check_names(job->program);
	train_check(job->program);
	if (program_has(job->program, ITEM_BLOCK))
		job->machine = machine_check(job->program, NULL);
	else if (job->options.machine_file && job->diag.errors == 0)
		return diag_fail(&job->diag, "unknown-machine",
				 sentence("%s: describes no machine, cpu or cluster",
					  job->options.machine_file));
	if (job->machine && job->options.dump[DUMP_MACHINE])
		machine_print(job->machine, stdout);
	if (job->machine && job->options.dump[DUMP_MACHINE] && job->machine->native &&
	    !cpu_print_host(stdout, &job->diag))
		return false;
	return job->diag.errors > 0 || check_kind(job);
}

/* ---- Lower ------------------------------------------------------------------------------------------- */

/* A file without a network is in order where checking a machine is all that is asked; and where the network
 * could not be parsed, nothing is gained by saying that it is missing. */
static bool does_without_network(const struct job *job)
{
	const struct options *options = &job->options;
	if (is_model(options) || program_has(job->program, ITEM_NETWORK))
		return false;
	bool is_machine_alone =
		program_has(job->program, ITEM_BLOCK) && !options->run && !options->out;
	return is_machine_alone || job->diag.errors > 0;
}

static bool lower(struct job *job)
{
	const struct options *options = &job->options;
	struct elaborate_options how = {.dim = options->dim, .dim_count = options->dim_count};
	if (does_without_network(job))
		return false;
	job->network = is_model(options) ? onnx_import(job->program, options->network_file, &how)
					 : elaborate(job->program, options->network, &how);
	if (!job->network || job->diag.errors > 0)
		return false;
	const char *broken = network_check(job->network);
	if (broken)
		return diag_fail(&job->diag, "internal",
				 sentence("the compiler made a wrong network, which is its fault "
					  "and not yours; please report it: %s",
					  broken));
	if (options->dump[DUMP_NETWORK])
		network_print(job->network, stdout);
	return true;
}

/* ---- Load -------------------------------------------------------------------------------------------- */

/* Parameters that no file gives get random values, said once. */
static void initialise(struct job *job)
{
	int missing = network_missing(job->network);
	if (missing == 0)
		return;
	remark(job, arena_printf(job->arena,
				 "%d parameter%s of network '%s' without weights (-weights FILE): "
				 "random values from seed %" PRIu64,
				 missing, missing == 1 ? "" : "s", job->network->name,
				 job->options.seed));
	if (!network_initialise(job->network, job->options.seed))
		arena_fail(job->arena);
}

static bool load(struct job *job)
{
	const struct options *options = &job->options;
	enum memory_use use = !options->run  ? MEMORY_COMPILE
			      : job->machine ? MEMORY_RUN
					     : MEMORY_INTERPRET;
	if (needs_values(options) && !memory_check(job->network, use, &job->diag))
		return false;
	if (options->weights_file &&
	    !weights_read(job->network, options->weights_file, &job->weights, &job->diag))
		return false;
	if (needs_values(options))
		initialise(job);
	return true;
}

/* ---- Explain ----------------------------------------------------------------------------------------- */

/* The table, where it is asked for or nothing else is. */
static bool explain(struct job *job)
{
	const struct options *options = &job->options;
	bool is_quiet = options->run || options->out;
	for (int i = 0; i < DUMP_COUNT; i++)
		is_quiet |= options->dump[i];
	if (options->summary || !is_quiet)
		summary_print(job->network, stdout);
	return true;
}

/* ---- Run --------------------------------------------------------------------------------------------- */

/* What the options and the machine say together; the options win. */
static struct cpu_target target_of(const struct job *job)
{
	const struct options *options = &job->options;
	const struct machine *machine = job->machine;
	const char *cpu = options->cpu ? options->cpu : machine ? machine->cpu : NULL;
	const char *triple = options->triple ? options->triple : machine ? machine->triple : NULL;
	if (cpu && strcmp(cpu, "native") == 0)
		cpu = NULL;
	struct cpu_target target = {.triple = triple, .cpu = cpu};
	if (machine && !options->cpu)
		target.cpu_from = arena_printf(job->arena, "'cpu' of machine '%s'", machine->name);
	if (machine && !options->triple)
		target.triple_from =
			arena_printf(job->arena, "'triple' of machine '%s'", machine->name);
	return target;
}

/* Natively where a cpu is described, else by the reference interpreter. */
static bool execute(struct job *job)
{
	job->output = ARENA_ARRAY(job->arena, (size_t)job->network->output_count, struct array *);
	if (!job->machine) {
		char *error = interpret(job->network, job->input, job->output);
		return !error || diag_fail(&job->diag, "execution", error);
	}
	struct cpu_target target = target_of(job);
	struct cpu_program *program = NULL;
	char *error = cpu_compile(job->network, &target, &program);
	if (error)
		return diag_fail(&job->diag, "code-generation", error);
	error = cpu_run(program, job->input, job->output);
	cpu_program_free(program);
	return !error || diag_fail(&job->diag, "execution", error);
}

static bool run(struct job *job)
{
	const struct options *options = &job->options;
	if (!options->run)
		return true;
	if (!inputs_read(job->network, options->input, options->input_count, job->input,
			 &job->diag) ||
	    !execute(job))
		return false;
	if (options->out)
		return outputs_write(job->network, job->output, options->out, &job->diag);
	outputs_print(job->network, job->output, stdout);
	return true;
}

/* ---- Emit -------------------------------------------------------------------------------------------- */

static bool print_code(struct job *job, enum cpu_form form)
{
	struct cpu_target target = target_of(job);
	char *note;
	bool is_done = cpu_print(job->network, &target, form, stdout, &job->diag, &note);
	remark(job, note);
	free(note);
	return is_done;
}

static bool write_code(struct job *job)
{
	struct cpu_target target = target_of(job);
	char *note;
	bool is_done = cpu_write(job->network, &target, job->options.out, &job->diag, &note);
	remark(job, note);
	free(note);
	return is_done;
}

static bool emit(struct job *job)
{
	const struct options *options = &job->options;
	if (options->dump[DUMP_IR] && !print_code(job, CPU_IR))
		return false;
	if (options->dump[DUMP_ASM] && !print_code(job, CPU_ASSEMBLY))
		return false;
	return !options->out || options->run || write_code(job);
}

/* ---- From beginning to end --------------------------------------------------------------------------- */

static void leave_for_lack_of_memory(void *context)
{
	longjmp(((struct job *)context)->out_of_memory, 1);
}

static void release(struct job *job)
{
	for (int i = 0; i < MAX_INPUT_FILES; i++)
		array_free(job->input[i]);
	for (int i = 0; job->output && i < job->network->output_count; i++)
		array_free(job->output[i]);
	array_set_free(&job->weights);
	if (job->network)
		network_free(job->network);
	arena_free(job->arena);
}

static bool wants_colour(const struct options *options)
{
	const char *no_colour = getenv("NO_COLOR");
	if (options->colour != COLOUR_AUTO)
		return options->colour == COLOUR_ALWAYS;
	return isatty(STDERR_FILENO) && !(no_colour && *no_colour);
}

/* Says what was found. */
static void report(const struct job *job)
{
	if (job->options.form == DIAG_JSON) {
		diag_print_json(&job->diag, stderr);
	} else {
		diag_print_text(&job->diag, stderr, wants_colour(&job->options));
		diag_print_totals(&job->diag, stderr);
	}
}

static enum exit_code work(struct job *job)
{
	job->arena = arena_new(leave_for_lack_of_memory, job);
	if (job->arena && setjmp(job->out_of_memory) == 0) {
		job->diag.arena = job->arena;
		job->diag.warnings_are_errors = job->options.warnings_are_errors;
		job->diag.warnings_are_hidden = job->options.warnings_are_hidden;
		compile(job);
		report(job);
		return exit_code_of(&job->diag);
	}
	fputs("error: out of memory\n", stderr);
	return EXIT_SYSTEM_REFUSED;
}

/* Exit code 0 means that all that was printed has arrived. */
static enum exit_code finish(enum exit_code code)
{
	char *error = file_flush(stdout, "standard output");
	if (!error)
		return code;
	fprintf(stderr, "error: %s\n", error);
	free(error);
	return code ? code : EXIT_SYSTEM_REFUSED;
}

/* A command line that is no use to begin with. Frees the sentence. */
static enum exit_code refuse(char *reason)
{
	fprintf(stderr, "dnnc: %s\nTry 'dnnc -help'.\n", reason);
	free(reason);
	return EXIT_WRONG_USAGE;
}

int main(int argc, char **argv)
{
	struct job job = {0};
	enum exit_code code = EXIT_DONE;
	file_occupy_standard();
	/* A file larger than the limit is an error of write, as others are. */
	signal(SIGXFSZ, SIG_IGN);
	char *wrong = options_parse(&job.options, argc, argv);
	if (wrong)
		code = refuse(wrong);
	else if (job.options.help)
		options_print_help(stdout);
	else if (job.options.version)
		puts("dnnc " DNNC_VERSION);
	else
		code = work(&job);
	release(&job);
	return finish(code);
}
