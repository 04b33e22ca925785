/* dnnc.c -- from a network file to a program: the table of contents of the compiler.
 *
 * `compile` lists the chapters. Each returns whether the next may begin. What is wrong with the input is
 * collected and shown together at the end; what the system refuses ends the work with a sentence. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/cpu/cpu.h"
#include "frontend/elaborate.h"
#include "frontend/interpret.h"
#include "frontend/machine.h"
#include "frontend/onnx.h"
#include "frontend/options.h"
#include "frontend/summary.h"
#include "frontend/train.h"
#include "frontend/weights.h"
#include "runtime/array_print.h"
#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/sentence.h"

enum status { DONE = 0, WRONG_INPUT = 1, WRONG_USAGE = 2, SYSTEM_REFUSED = 5, OUR_FAULT = 70 };

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
	enum status status; /* of what is no fault in a source text */
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

/* ---- Words to the user ----------------------------------------------------------------------------- */

/* Ends the work for a reason that is no fault in a source text. Frees the sentence; false, to return. */
static bool fail(struct job *job, enum status status, const char *code, char *reason)
{
	if (!reason)
		arena_fail(job->arena);
	job->status = status;
	diag_error(&job->diag, code, (struct span){0}, "%s", reason);
	free(reason);
	return false;
}

/* Says what the user may want to know but need not change. */
static void remark(const struct job *job, const char *text)
{
	if (job->options.form == DIAG_TEXT)
		fprintf(stderr, "note: %s\n", text);
}

static bool wants_colour(const struct job *job)
{
	const char *no_colour = getenv("NO_COLOR");
	if (job->options.colour != COLOUR_AUTO)
		return job->options.colour == COLOUR_ALWAYS;
	return isatty(STDERR_FILENO) && !(no_colour && *no_colour);
}

static void print_totals(const struct diag *diag)
{
	if (diag->errors > 0)
		fprintf(stderr, "%d error%s", diag->errors, diag->errors == 1 ? "" : "s");
	if (diag->errors > 0 && diag->warnings > 0)
		fputs(" and ", stderr);
	if (diag->warnings > 0)
		fprintf(stderr, "%d warning%s", diag->warnings, diag->warnings == 1 ? "" : "s");
	if (diag->errors + diag->warnings > 0)
		fputc('\n', stderr);
}

/* ---- Read -------------------------------------------------------------------------------------------- */

/* A file that the command line names could not be read: that is the system's doing, not a wrong input. */
static bool was_refused(const struct diag *diag)
{
	for (int i = 0; i < diag->count; i++) {
		const struct finding *finding = &diag->finding[i];
		if (finding->severity == SEVERITY_ERROR && !finding->span.source &&
		    strcmp(finding->code, "unreadable-file") == 0)
			return true;
	}
	return false;
}

static bool read_files(struct job *job)
{
	const struct options *options = &job->options;
	job->program = program_new(job->arena, &job->diag);
	if (!ends_with(options->network_file, ".onnx"))
		program_read(job->program, options->network_file);
	if (options->machine_file)
		program_read(job->program, options->machine_file);
	for (int i = 1; options->dump[DUMP_TREE] && i < job->program->tree_count; i++)
		tree_print(job->program->tree[i], stdout);
	if (was_refused(&job->diag))
		job->status = SYSTEM_REFUSED;
	return job->status == DONE;
}

/* ---- Check ------------------------------------------------------------------------------------------- */

/* Does a file of the user hold such an item? */
static bool has_item(const struct program *program, enum item_kind kind)
{
	for (int i = 1; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (item->kind == kind)
				return true;
	return false;
}

static void dump_machine(const struct machine *machine)
{
	static const char *const kind[] = {"cpu", "accelerator", "cluster"};
	struct tree_block block = *machine->block;
	struct tree_item item = {.kind = ITEM_BLOCK, .name = block.name, .block = &block};
	block.next = NULL;
	printf("// %s: %s%s\n", machine->name, kind[machine->kind],
	       machine->native ? ", completed from this host" : "");
	tree_print(&(struct tree){.item = &item}, stdout);
}

/* Does the work end in code? With -run it may, and the interpreter serves where no machine is given. */
static bool wants_code(const struct options *options)
{
	return (options->out && !options->run) || options->dump[DUMP_IR] || options->dump[DUMP_ASM];
}

/* Code is made for cpu machines; said before any work is done for another. */
static bool check_kind(struct job *job)
{
	if (!job->machine && wants_code(&job->options))
		return fail(job, WRONG_USAGE, "no-machine",
			    sentence("native code needs a machine: -hw FILE"));
	bool runs = job->options.run || wants_code(&job->options);
	if (runs && job->machine && job->machine->kind != MACHINE_CPU)
		return fail(
			job, WRONG_USAGE, "machine-kind",
			sentence("machine '%s' is no cpu, and code is made for cpu machines only "
				 "so far",
				 job->machine->name));
	return true;
}

/* Goes on after errors, to find the next. */
static bool check(struct job *job)
{
	program_check_names(job->program);
	train_check(job->program);
	if (has_item(job->program, ITEM_BLOCK))
		job->machine = machine_check(job->program, NULL);
	else if (job->options.machine_file && job->diag.errors == 0)
		return fail(job, WRONG_INPUT, "no-machine",
			    sentence("%s: describes no machine, cpu or cluster",
				     job->options.machine_file));
	if (job->machine && job->options.dump[DUMP_MACHINE])
		dump_machine(job->machine);
	return job->diag.errors > 0 || check_kind(job);
}

/* ---- Lower ------------------------------------------------------------------------------------------- */

/* A file without a network is in order where checking a machine is all that is asked; and where the network
 * could not be parsed, nothing is gained by saying that it is missing. */
static bool does_without_network(const struct job *job)
{
	const struct options *options = &job->options;
	if (ends_with(options->network_file, ".onnx") || has_item(job->program, ITEM_NETWORK))
		return false;
	bool is_machine_alone =
		has_item(job->program, ITEM_BLOCK) && !options->run && !options->out;
	return is_machine_alone || job->diag.errors > 0;
}

static bool lower(struct job *job)
{
	const struct options *options = &job->options;
	struct elaborate_options how = {.dim = options->dim, .dim_count = options->dim_count};
	if (does_without_network(job))
		return false;
	job->network = ends_with(options->network_file, ".onnx")
			       ? onnx_import(job->program, options->network_file, &how)
			       : elaborate(job->program, options->network, &how);
	if (was_refused(&job->diag))
		job->status = SYSTEM_REFUSED;
	if (!job->network || job->diag.errors > 0)
		return false;
	const char *broken = network_check(job->network);
	if (broken)
		return fail(job, OUR_FAULT, "internal",
			    sentence("the compiler made a wrong network, which is its fault and "
				     "not yours; please report it: %s",
				     broken));
	if (options->dump[DUMP_NETWORK])
		network_print(job->network, stdout);
	return true;
}

/* ---- Load -------------------------------------------------------------------------------------------- */

static int parameters_without_values(const struct network *network)
{
	int count = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		const struct tensor *tensor = network->tensor[i];
		count += tensor_takes_weights(tensor) && !tensor->data;
	}
	return count;
}

static bool needs_values(const struct options *options)
{
	return options->run || wants_code(options);
}

/* What will be touched, against what this machine has: a system that lends out more memory than there is ends
 * the process that then uses it, without a word. */
static bool fits_memory(struct job *job)
{
	const struct network *network = job->network;
	double have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE), need = 0;
	for (int i = 0; i < network->tensor_count; i++) {
		const struct tensor *tensor = network->tensor[i];
		bool is_value = tensor->role == ROLE_LOCAL || tensor->role == ROLE_INPUT;
		int copies = tensor->is_output && !job->machine ? 2 : 1; /* of the interpreter */
		if (!tensor->view_of && (job->options.run || !is_value))
			need += (double)tensor_count(tensor) * type_info(tensor->type)->bytes *
				copies;
	}
	if (have <= 0 || need <= have)
		return true;
	return fail(job, SYSTEM_REFUSED, "too-little-memory",
		    sentence("the tensors of network '%s' need %.3g GB of memory, and this machine "
			     "has %.3g GB",
			     network->name, need * 1e-9, have * 1e-9));
}

static bool load_file(struct job *job, const char *path)
{
	char *data;
	size_t size;
	char *error = file_read(path, &data, &size);
	if (error)
		return fail(job, SYSTEM_REFUSED, "unreadable-file", error);
	error = safetensors_parse(path, data, size, &job->weights);
	free(data);
	if (error)
		return fail(job, WRONG_INPUT, "bad-weights", error);
	weights_load(job->network, &job->weights, path, &job->diag);
	return job->diag.errors == 0;
}

static bool load(struct job *job)
{
	const struct options *options = &job->options;
	if (needs_values(options) && !fits_memory(job))
		return false;
	if (options->weights_file && !load_file(job, options->weights_file))
		return false;
	int missing = needs_values(options) ? parameters_without_values(job->network) : 0;
	if (missing == 0)
		return true;
	remark(job,
	       arena_printf(job->arena,
			    "%d parameter%s of network '%s' without weights (-weights FILE): "
			    "random values from seed %" PRIu64,
			    missing, missing == 1 ? "" : "s", job->network->name, options->seed));
	if (!network_initialise(job->network, options->seed))
		arena_fail(job->arena);
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
	return (struct cpu_target){.triple = triple, .cpu = cpu};
}

static bool read_input(struct job *job, int i)
{
	const char *path = job->options.input[i];
	const struct tensor *wanted = job->network->input[i];
	char *data;
	size_t size;
	char *error = file_read(path, &data, &size);
	if (error)
		return fail(job, SYSTEM_REFUSED, "unreadable-file", error);
	error = npy_parse(path, data, size, &job->input[i]);
	free(data);
	if (error)
		return fail(job, WRONG_INPUT, "bad-input", error);
	const struct array *array = job->input[i];
	struct shape_text given = shape_text(array->type, array->rank, array->extent);
	struct shape_text needed = shape_text(wanted->type, wanted->rank, wanted->extent);
	if (strcmp(given.text, needed.text) == 0)
		return true;
	const char *remedy = "";
	if (array->type != wanted->type)
		remedy = "; NumPy's .astype() converts types";
	else if (wanted->rank == array->rank)
		remedy = "; -dim gives the extents that the network leaves open";
	return fail(job, WRONG_INPUT, "bad-input",
		    sentence("%s: is %s, and input '%s' of network '%s' is %s%s", path, given.text,
			     wanted->name, job->network->name, needed.text, remedy));
}

static bool read_inputs(struct job *job)
{
	const struct network *network = job->network;
	int given = job->options.input_count;
	if (given != network->input_count) {
		const char *names = "";
		for (int i = 0; i < network->input_count; i++)
			names = arena_printf(job->arena, "%s%s%s", names, i ? ", " : "",
					     network->input[i]->name);
		return fail(job, WRONG_USAGE, "input-count",
			    sentence("network '%s' has %d input%s (%s), and %d .npy file%s given",
				     network->name, network->input_count,
				     network->input_count == 1 ? "" : "s", names, given,
				     given == 1 ? " is" : "s are"));
	}
	for (int i = 0; i < given; i++)
		if (!read_input(job, i))
			return false;
	return true;
}

/* Natively where a cpu is described, else by the reference interpreter. */
static bool execute(struct job *job)
{
	job->output = ARENA_ARRAY(job->arena, (size_t)job->network->output_count, struct array *);
	if (!job->machine) {
		char *error = interpret(job->network, job->input, job->output);
		return error ? fail(job, SYSTEM_REFUSED, "execution", error) : true;
	}
	struct cpu_target target = target_of(job);
	struct cpu_program *program = NULL;
	char *error = cpu_compile(job->network, &target, &program);
	if (error)
		return fail(job, WRONG_INPUT, "code-generation", error);
	error = cpu_run(program, job->input, job->output);
	cpu_program_free(program);
	return error ? fail(job, SYSTEM_REFUSED, "execution", error) : true;
}

static void print_outputs(const struct job *job)
{
	for (int i = 0; i < job->network->output_count; i++) {
		const struct array *array = job->output[i];
		printf("%s: %s\n", job->network->output_name[i],
		       shape_text(array->type, array->rank, array->extent).text);
		array_print(stdout, array);
	}
}

static bool make_folder(struct job *job, const char *path)
{
	struct stat there;
	if (mkdir(path, 0777) == 0 || (stat(path, &there) == 0 && S_ISDIR(there.st_mode)))
		return true;
	return fail(job, SYSTEM_REFUSED, "unwritable-file",
		    sentence("%s: no folder can be made there: %s", path, strerrordesc_np(errno)));
}

/* A name from a source text or a model as the name of a file: nothing but letters, digits, _ - and dots. */
static const char *file_name(struct arena *arena, const char *name)
{
	char *file = arena_copy(arena, *name ? name : "_", *name ? strlen(name) : 1);
	for (char *c = file; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
			    *c))
			*c = '_';
	if (file[0] == '.' || file[0] == '-')
		file[0] = '_';
	if (strlen(file) > 100)
		file[100] = '\0';
	return file;
}

static bool write_outputs(struct job *job)
{
	const char *out = job->options.out;
	bool is_file = ends_with(out, ".npy");
	int count = is_file ? 1 : job->network->output_count;
	if (!is_file && !make_folder(job, out))
		return false;
	for (int i = 0; i < count; i++) {
		const char *name = file_name(job->arena, job->network->output_name[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(name, file_name(job->arena, job->network->output_name[j])) == 0)
				name = arena_printf(job->arena, "%s.%d", name, i);
		const char *path = is_file ? out : arena_printf(job->arena, "%s/%s.npy", out, name);
		char *error = npy_write(path, job->output[i]);
		if (error)
			return fail(job, SYSTEM_REFUSED, "unwritable-file", error);
	}
	return true;
}

static bool run(struct job *job)
{
	if (!job->options.run)
		return true;
	if (!read_inputs(job) || !execute(job))
		return false;
	if (job->options.out)
		return write_outputs(job);
	print_outputs(job);
	return true;
}

/* ---- Emit -------------------------------------------------------------------------------------------- */

/* Takes what cpu_emit or cpu_header gave and writes it to path. */
static bool write_code(struct job *job, char *error, const char *path, char *data, size_t size)
{
	if (error)
		return fail(job, WRONG_INPUT, "code-generation", error);
	error = file_write(path, data, size);
	free(data);
	return error ? fail(job, SYSTEM_REFUSED, "unwritable-file", error) : true;
}

/* The file's bytes in *data, to be freed; tells what the emitter has to remark. */
static char *make_form(struct job *job, enum cpu_form form, char **data, size_t *size)
{
	struct cpu_target target = target_of(job);
	char *note = NULL;
	char *error = cpu_emit(job->network, &target, form, data, size, &note);
	if (note)
		remark(job, note);
	free(note);
	return error;
}

static bool write_form(struct job *job, enum cpu_form form, const char *path)
{
	char *data = NULL;
	size_t size = 0;
	char *error = make_form(job, form, &data, &size);
	return write_code(job, error, path, data, size);
}

static bool dump_form(struct job *job, enum cpu_form form)
{
	char *data = NULL;
	size_t size = 0;
	char *error = make_form(job, form, &data, &size);
	if (error)
		return fail(job, WRONG_INPUT, "code-generation", error);
	fwrite(data, 1, size, stdout);
	free(data);
	return true;
}

/* stem.o and stem.h beside it. */
static bool write_object(struct job *job, const char *stem)
{
	const char *slash = strrchr(stem, '/');
	char *data = NULL;
	size_t size = 0;
	if (!write_form(job, CPU_OBJECT, arena_printf(job->arena, "%s.o", stem)))
		return false;
	char *error = cpu_header(job->network, slash ? slash + 1 : stem, &data, &size);
	return write_code(job, error, arena_printf(job->arena, "%s.h", stem), data, size);
}

static bool emit(struct job *job)
{
	const struct options *options = &job->options;
	const char *out = options->out;
	if (options->dump[DUMP_IR] && !dump_form(job, CPU_IR))
		return false;
	if (options->dump[DUMP_ASM] && !dump_form(job, CPU_ASSEMBLY))
		return false;
	if (!out || options->run)
		return true;
	if (ends_with(out, ".ll"))
		return write_form(job, CPU_IR, out);
	if (ends_with(out, ".s"))
		return write_form(job, CPU_ASSEMBLY, out);
	if (ends_with(out, ".o"))
		return write_object(job,
				    arena_printf(job->arena, "%.*s", (int)strlen(out) - 2, out));
	return make_folder(job, out) &&
	       write_object(job, arena_printf(job->arena, "%s/%s", out,
					      file_name(job->arena, job->network->name)));
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

/* Says what was found; the exit code that goes with it. */
static enum status report(const struct job *job)
{
	const struct diag *diag = &job->diag;
	if (job->options.form == DIAG_JSON) {
		diag_print_json(diag, stderr);
	} else {
		diag_print_text(diag, stderr, wants_colour(job));
		print_totals(diag);
	}
	return job->status ? job->status : diag->errors > 0 ? WRONG_INPUT : DONE;
}

static enum status work(struct job *job)
{
	job->arena = arena_new(leave_for_lack_of_memory, job);
	if (job->arena && setjmp(job->out_of_memory) == 0) {
		job->diag.arena = job->arena;
		job->diag.warnings_are_errors = job->options.warnings_are_errors;
		job->diag.warnings_are_hidden = job->options.warnings_are_hidden;
		compile(job);
		return report(job);
	}
	fputs("error: out of memory\n", stderr);
	return SYSTEM_REFUSED;
}

/* Where the caller closed one of the three standard streams, a file of ours would be opened in its place, and what
 * is meant for the stream would go there. A descriptor that cannot be written is put there instead. */
static void occupy_closed_streams(void)
{
	int fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = open("/dev/null", O_RDONLY);
	close(fd);
}

/* Exit code 0 means that all that was printed has arrived. */
static enum status finish(enum status status)
{
	bool is_lost = ferror(stdout); /* by an earlier write, whose cause is not known any more */
	bool is_flushed = fflush(stdout) == 0;
	if (is_flushed && !is_lost)
		return status;
	fprintf(stderr, "error: standard output cannot be written%s%s\n", is_flushed ? "" : ": ",
		is_flushed ? "" : strerrordesc_np(errno));
	return status ? status : SYSTEM_REFUSED;
}

/* A command line that is no use to begin with. Frees the sentence. */
static enum status refuse(char *reason)
{
	fprintf(stderr, "dnnc: %s\nTry 'dnnc -help'.\n", reason);
	free(reason);
	return WRONG_USAGE;
}

int main(int argc, char **argv)
{
	struct job job = {0};
	enum status status = DONE;
	occupy_closed_streams();
	/* A file larger than the limit is an error of write, as others are. */
	signal(SIGXFSZ, SIG_IGN);
	char *wrong = options_parse(&job.options, argc, argv);
	if (wrong)
		status = refuse(wrong);
	else if (job.options.help)
		options_print_help(stdout);
	else if (job.options.version)
		puts("dnnc " DNNC_VERSION);
	else
		status = work(&job);
	release(&job);
	return finish(status);
}
