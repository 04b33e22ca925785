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

#include "backend/accelerator/accelerator.h"
#include "backend/cpu/files.h"
#include "backend/report/report.h"
#include "frontend/elaborate/elaborate.h"
#include "frontend/command/exit_code.h"
#include "frontend/network/calibrate.h"
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
#include "mapper/explain/network_report.h"
#include "mapper/proof/certificate.h"
#include "runtime/file.h"
#include "runtime/sentence.h"

/* A machine to compile for. Each file of -hw is a program of its own: two may call their machines alike. */
struct target {
	const char *file;
	struct program *program;
	const struct machine *machine;
};

struct job {
	struct options options;
	jmp_buf out_of_memory;
	struct arena *arena;
	struct diag diag;
	struct program *program; /* of the network */
	struct program *maps;    /* of -map, or NULL; Timeloop's are read when layers are known */
	int targets;
	struct target target[MAX_MACHINES];
	struct mapped_machine
		mapped[MAX_MACHINES];  /* of accelerators; mapped is NULL: not asked for */
	const struct machine *machine; /* the first target's; NULL: none is described */
	struct network *network;
	struct array_set weights;
	struct array *input[MAX_INPUT_FILES];
	struct array **output;
};

static struct program *read_program(struct job *, const char *file, bool is_machine);
static bool check_machine(struct job *, struct target *);
static bool read_files(struct job *);
static bool check(struct job *);
static bool lower(struct job *);
static bool load(struct job *);
static bool quantise(struct job *);
static bool map(struct job *);
static bool explain(struct job *);
static bool run(struct job *);
static bool emit(struct job *);

static bool is_program(const struct options *options)
{
	return file_has_ending(options->network_file, ".dnx");
}

/* What is compiled already is only executed. */
static bool run_program(struct job *job)
{
	const struct options *options = &job->options;
	const struct hierarchy *machine = NULL;
	if (!options->run)
		return diag_fail(&job->diag, "no-machine",
				 sentence("%s is compiled already; -run executes it",
					  options->network_file));
	if (options->machine_count > 0) {
		job->target[0].file = options->machine_file[0];
		job->target[0].program = read_program(job, options->machine_file[0], true);
		program_check_names(job->target[0].program);
		if (!check_machine(job, &job->target[0]) || !job->target[0].machine)
			return false;
		machine = hierarchy_of(job->target[0].program, job->target[0].machine);
		if (!machine)
			return false;
	}
	return accelerator_run_file(options->network_file, machine, options->input,
				    options->input_count, options->out, stdout, &job->diag);
}

static bool compile(struct job *job)
{
	if (is_program(&job->options))
		return run_program(job);
	return read_files(job)  /* .dnn and .hw files into syntax trees */
	       && check(job)    /* names and machines */
	       && lower(job)    /* operators into tensor statements */
	       && load(job)     /* values for the parameters */
	       && quantise(job) /* contractions into those of integers, where asked to */
	       && map(job)      /* layers onto accelerators */
	       && explain(job)  /* the tables */
	       && run(job)      /* with -run: on arrays */
	       && emit(job);    /* with -o: native code, or mappings */
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

/* The program of a file and what it imports; without a file an empty one. A YAML file is one of Timeloop's. */
static struct program *read_program(struct job *job, const char *file, bool is_machine)
{
	struct program *program = program_new(job->arena, &job->diag);
	if (file && timeloop_is_file(file))
		timeloop_read(program, is_machine ? NULL : file, is_machine ? file : NULL);
	else if (file)
		program_read(program, file);
	for (int i = 1; job->options.dump[DUMP_TREE] && i < program->tree_count; i++)
		tree_print(program->tree[i], stdout);
	return program;
}

static bool read_files(struct job *job)
{
	const struct options *options = &job->options;
	job->program = read_program(job, is_model(options) ? NULL : options->network_file, false);
	for (int i = 0; i < options->machine_count; i++)
		job->target[job->targets++] = (struct target){
			.file = options->machine_file[i],
			.program = read_program(job, options->machine_file[i], true),
		};
	if (options->machine_count == 0 && program_has(job->program, ITEM_BLOCK))
		job->target[job->targets++] =
			(struct target){.file = options->network_file, .program = job->program};
	if (options->map_file && !timeloop_is_file(options->map_file))
		job->maps = read_program(job, options->map_file, false);
	return exit_code_of(&job->diag) <= EXIT_WRONG_INPUT;
}

/* ---- Check ------------------------------------------------------------------------------------------- */

static bool is_accelerator(const struct machine *machine)
{
	return machine && machine->kind == MACHINE_ACCELERATOR;
}

/* Does -o name a file that only native code, or only a mapping becomes? */
static bool is_code_file(const char *out)
{
	return out && (file_has_ending(out, ".o") || file_has_ending(out, ".ll") ||
		       file_has_ending(out, ".s"));
}

static bool is_mapping_file(const char *out)
{
	return out &&
	       (file_has_ending(out, ".map") || file_has_ending(out, ".json") ||
		file_has_ending(out, ".certificate") || file_has_ending(out, ".timeloop.yaml"));
}

/* Does the work end in code? With -run it may, and the interpreter serves where no machine is given. */
static bool wants_code(const struct job *job)
{
	const struct options *options = &job->options;
	bool is_for_code = is_code_file(options->out) ||
			   (!is_mapping_file(options->out) && !is_accelerator(job->machine));
	return (options->out && !options->run && is_for_code) || options->dump[DUMP_IR] ||
	       options->dump[DUMP_ASM];
}

/* Options that only a mapping answers. */
static bool wants_mapping(const struct options *options)
{
	return (is_mapping_file(options->out) && !options->run) || options->dump[DUMP_MAPPING] ||
	       options->explain || options->pareto || options->map_file || options->certificate ||
	       options->certificate_file || options->machine_count > 1;
}

/* Does the work end in a program for an accelerator, executed or written? */
static bool wants_program(const struct job *job)
{
	const struct options *options = &job->options;
	bool is_for_program = options->run || (options->out && !is_code_file(options->out) &&
					       !is_mapping_file(options->out));
	return is_for_program && is_accelerator(job->machine) && job->targets == 1 &&
	       !options->certificate_file;
}

/* The integers that the network is computed in: what -quantise says, else those of the accelerator that a program is
 * made for. */
static enum number number_of(const struct job *job)
{
	if (job->options.is_quantised || !wants_program(job))
		return job->options.number;
	return number_of_word(machine_word(job->target[0].program, job->machine));
}

static bool needs_values(const struct job *job)
{
	return job->options.run || wants_code(job) || wants_program(job) ||
	       job->options.number != NUMBER_F32;
}

/* Code is made for cpu machines, mappings for accelerators; said before any work is done for another. */
static bool check_kinds(struct job *job)
{
	if (!job->machine && wants_code(job))
		return diag_fail(&job->diag, "no-machine",
				 sentence("native code needs a machine: -hw FILE"));
	if (!job->machine && wants_mapping(&job->options))
		return diag_fail(&job->diag, "no-machine",
				 sentence("a mapping needs a machine: -hw FILE"));
	bool is_executed = job->options.run || wants_code(job);
	if (is_executed && job->machine && job->machine->kind != MACHINE_CPU && !wants_program(job))
		return diag_fail(&job->diag, "machine-kind",
				 sentence("machine '%s' is no cpu, and code is made for cpu "
					  "machines only so far",
					  job->machine->name));
	for (int i = 0; i < job->targets && wants_mapping(&job->options); i++)
		if (!is_accelerator(job->target[i].machine))
			return diag_fail(&job->diag, "machine-kind",
					 sentence("'%s' is no accelerator, and networks are mapped "
						  "onto accelerators only so far",
						  job->target[i].machine->name));
	return true;
}

/* What cannot be written is told before any work is done for it. */
static bool check_out(struct job *job)
{
	const struct options *options = &job->options;
	const char *out = options->out;
	if (!out)
		return true;
	bool is_file = options->run ? file_has_ending(out, ".npy")
				    : is_code_file(out) || is_mapping_file(out) ||
					      file_has_ending(out, ".dnx");
	char *error = is_file ? file_may_write(out) : file_may_make_folder(out);
	return !error || diag_fail(&job->diag, "unwritable-file", error);
}

/* Prints, where asked to, the machine as it was understood. */
static bool check_machine(struct job *job, struct target *target)
{
	if (program_has(target->program, ITEM_BLOCK))
		target->machine = machine_check(target->program, NULL);
	else if (job->diag.errors == 0)
		return diag_fail(
			&job->diag, "unknown-machine",
			sentence("%s: describes no machine, cpu or cluster", target->file));
	if (!target->machine || !job->options.dump[DUMP_MACHINE])
		return true;
	machine_print(target->machine, stdout);
	return !target->machine->native || cpu_print_host(stdout, &job->diag);
}

/* Goes on after errors, to find the next. */
static bool check(struct job *job)
{
	program_check_names(job->program);
	train_check(job->program);
	if (job->options.machine_count > 0 && program_has(job->program, ITEM_BLOCK))
		machine_check(job->program, NULL);
	if (job->maps)
		program_check_names(job->maps);
	for (int i = 0; i < job->targets; i++) {
		if (job->target[i].program != job->program)
			program_check_names(job->target[i].program);
		if (!check_machine(job, &job->target[i]))
			return false;
	}
	job->machine = job->target[0].machine;
	return job->diag.errors > 0 || (check_kinds(job) && check_out(job));
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
		job->targets > 0 && !options->run && !options->out && !wants_mapping(options);
	return is_machine_alone || job->diag.errors > 0;
}

static bool check_network(struct job *job)
{
	const char *broken = network_check(job->network);
	return !broken ||
	       diag_fail(&job->diag, "internal",
			 sentence("the compiler made a wrong network, which is its fault "
				  "and not yours; please report it: %s",
				  broken));
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
	if (!check_network(job))
		return false;
	if (options->dump[DUMP_NETWORK] && options->number == NUMBER_F32)
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
	bool is_interpreted = (options->run && !job->machine) || number_of(job) != NUMBER_F32;
	enum memory_use use = is_interpreted ? MEMORY_INTERPRET
			      : options->run ? MEMORY_RUN
					     : MEMORY_COMPILE;
	if (needs_values(job) && !memory_check(job->network, use, &job->diag))
		return false;
	if (options->weights_file &&
	    !weights_read(job->network, options->weights_file, &job->weights, &job->diag))
		return false;
	if (needs_values(job))
		initialise(job);
	return true;
}

/* ---- Quantise ---------------------------------------------------------------------------------------- */

/* Much work is compiled for this computer first: the values are the same. */
static char *run_float(void *context, const struct network *network, struct array *const input[],
		       struct array *output[])
{
	static const int64_t MUCH_WORK = 100000000;
	const struct cpu_target this_computer = {0};
	struct cpu_program *program = NULL;
	int64_t macs = 0;
	(void)context;
	for (int i = 0; i < network->statement_count; i++)
		macs += statement_macs(network->statement[i]);
	char *error = macs > MUCH_WORK ? cpu_compile(network, &this_computer, &program) : NULL;
	free(error);
	if (!program)
		return interpret(network, input, output);
	error = cpu_run(program, input, output);
	cpu_program_free(program);
	return error;
}

/* How large what is computed becomes: on samples, else on noise, which is said. */
static bool find_ranges(struct job *job, struct ranges *ranges)
{
	const struct options *options = &job->options;
	const struct executor floats = {run_float, NULL};
	*ranges = ranges_new(job->network);
	if (options->sample_count > 0)
		return calibrate(job->network, options->sample, options->sample_count, &floats,
				 ranges, &job->diag);
	remark(job,
	       arena_printf(job->arena,
			    "ranges of network '%s' without samples (-calibrate FILE): those of "
			    "one random input from seed %" PRIu64,
			    job->network->name, options->seed));
	return calibrate_random(job->network, options->seed, &floats, ranges, &job->diag);
}

static bool quantise(struct job *job)
{
	enum number number = number_of(job);
	struct ranges ranges;
	if (number == NUMBER_F32 && job->options.sample_count > 0)
		remark(job, "-calibrate finds ranges for -quantise, and nothing is quantised here");
	if (number == NUMBER_F32)
		return job->diag.errors == 0;
	if (!find_ranges(job, &ranges))
		return false;
	network_quantise(job->network, number, &ranges, &job->diag);
	if (!check_network(job))
		return false;
	if (job->options.dump[DUMP_NETWORK] && job->options.number != NUMBER_F32)
		network_print(job->network, stdout);
	return job->diag.errors == 0;
}

/* ---- Map --------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

/* The first Ctrl-C ends the search with what it has found, the second ends dnnc. */
static void listen_to_interrupts(void)
{
	struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
	struct sigaction before;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

static bool is_dump(const struct options *options)
{
	bool dumps = false;
	for (int i = 0; i < DUMP_COUNT; i++)
		dumps |= options->dump[i];
	return dumps;
}

/* Is something asked for that makes the tables unwelcome, but for those that are asked for, too? */
static bool is_quiet(const struct options *options)
{
	return options->run || options->out || options->certificate_file || is_dump(options);
}

static struct map_options map_options_of(const struct options *options)
{
	_Static_assert((int)GOAL_CYCLES == (int)OBJECTIVE_CYCLES, "goals are objectives");
	bool is_watched = options->form == DIAG_TEXT && isatty(STDERR_FILENO);
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return (struct map_options){
		.objective = (enum objective)options->goal,
		.imperfect = options->imperfect,
		.pareto = options->pareto,
		.certify = options->certificate ||
			   (options->out && file_has_ending(options->out, ".certificate")),
		.threads = options->threads ? options->threads
			   : processors > 0 ? (int)processors
					    : 1,
		.seconds = options->budget_seconds,
		.evaluations = options->budget_evaluations,
		.stop = &is_interrupted,
		.progress = is_watched ? stderr : NULL,
	};
}

/* What no mapping serves is told at the call that led to it, once for layers that are alike, with the lines to relax. */
static void tell_infeasible(struct job *job, const struct target *target,
			    const struct network_mapping *mapped)
{
	for (int i = 0; i < mapped->workload->layers; i++) {
		const struct layer_mapping *l = &mapped->layer[i];
		if (l->layer->first != i || l->found.status != SEARCH_INFEASIBLE)
			continue;
		diag_error(&job->diag, "no-mapping", l->layer->statement->call,
			   "'%s' has no mapping onto '%s': %s", l->layer->name,
			   mapped->workload->machine->name, l->found.why);
		constraint_note_relaxed(target->program, target->machine, l->layer->map,
					l->layer->problem, mapped->workload->machine);
	}
}

/* Search and proof are two programs: where they disagree one of them is wrong. */
static void tell_unproven(struct job *job, const struct network_mapping *mapped)
{
	for (int i = 0; i < mapped->workload->layers; i++) {
		const struct layer_mapping *l = &mapped->layer[i];
		if (l->layer->first == i && l->proof && l->proof->status == PROOF_FAILED)
			diag_fail(
				&job->diag, "internal",
				sentence("the optimum of '%s' has %s %.17g, and its proof ends at "
					 "%.17g, which is the compiler's fault and not yours; "
					 "please "
					 "report it",
					 l->layer->name, objective_name[mapped->options.objective],
					 l->found.value, l->proof->bound));
	}
}

/* Mappings onto machines of other names are left alone; where all are, a name may be wrong. */
static void remark_on_maps(const struct job *job, const struct workload *w)
{
	bool has_map = !job->maps;
	for (int i = 0; i < w->layers; i++)
		has_map |= w->layer[i].map != NULL;
	if (!has_map)
		remark(job, arena_printf(job->arena, "%s has no mapping onto '%s'",
					 job->options.map_file, w->machine->name));
}

static struct workload *workload_onto(struct job *job, const struct target *target)
{
	const struct options *options = &job->options;
	struct hierarchy *machine = hierarchy_of(target->program, target->machine);
	if (!machine)
		return NULL;
	struct workload *w = workload_of(job->arena, job->network, machine, options->all);
	if (options->map_file && timeloop_is_file(options->map_file) &&
	    !workload_take_timeloop(w, target->program, options->map_file))
		return NULL;
	if (!workload_constrain(w, target->program, target->machine, job->maps, options->imperfect))
		return NULL;
	remark_on_maps(job, w);
	return w;
}

static bool map_onto(struct job *job, const struct target *target, struct mapped_machine *mapped)
{
	struct map_options how = map_options_of(&job->options);
	const struct workload *w = workload_onto(job, target);
	if (!w)
		return false;
	*mapped = (struct mapped_machine){target->file, network_map(job->arena, w, &how)};
	tell_infeasible(job, target, mapped->mapped);
	tell_unproven(job, mapped->mapped);
	return true;
}

/* Says what holds; what does not is in diag. */
static bool check_certificate(struct job *job)
{
	const struct options *options = &job->options;
	const struct workload *w[MAX_MACHINES];
	struct proof_limits limits = {.looked = options->budget_evaluations,
				      .seconds = options->budget_seconds,
				      .stop = &is_interrupted};
	struct certificate_summary summary;
	for (int i = 0; i < job->targets; i++)
		if (!(w[i] = workload_onto(job, &job->target[i])))
			return false;
	if (!certificate_check(options->certificate_file, job->targets, w,
			       map_options_of(options).threads, &limits, &job->diag, &summary))
		return false;
	if (summary.claims == 0)
		return diag_fail(&job->diag, "nothing-proven",
				 sentence("%s claims nothing: all %d layers are open",
					  options->certificate_file, summary.open));
	const char *of = "";
	for (int o = 0; o < OBJECTIVES; o++)
		if (summary.objectives >> o & 1)
			of = arena_printf(job->arena, "%s%s%s", of, *of ? ", " : "",
					  objective_name[o]);
	printf("%s holds: %d optim%s (%s) proven in %d subspaces, %" PRId64
	       " partial mappings looked at; %d layer%s open\n",
	       options->certificate_file, summary.claims, summary.claims == 1 ? "um" : "a", of,
	       summary.subspaces, summary.looked, summary.open, summary.open == 1 ? "" : "s");
	return true;
}

/* A number without a unit that may have been meant as seconds. */
static void remark_on_budget(const struct job *job)
{
	enum { MOST_SECONDS = 10000 };
	int64_t budget = job->options.budget_evaluations;
	if (budget > 0 && budget < MOST_SECONDS)
		remark(job, arena_printf(job->arena,
					 "-budget %" PRId64 " is so many partial mappings; so many "
					 "seconds are -budget %" PRId64 "s",
					 budget, budget));
}

static void remark_on_certificate(const struct job *job)
{
	struct map_options how = map_options_of(&job->options);
	if (how.certify && how.imperfect)
		remark(job, "certificates are of perfect factors only: with -imperfect they claim "
			    "nothing");
}

static bool map(struct job *job)
{
	const struct options *options = &job->options;
	bool is_asked_for =
		wants_mapping(options) || wants_program(job) || options->out || !is_quiet(options);
	if (!is_accelerator(job->machine) || !is_asked_for)
		return true;
	remark_on_budget(job);
	remark_on_certificate(job);
	listen_to_interrupts();
	bool is_done = true;
	if (options->certificate_file)
		is_done = check_certificate(job);
	for (int i = 0; i < job->targets && !options->certificate_file; i++)
		is_done &= map_onto(job, &job->target[i], &job->mapped[i]);
	signal(SIGINT, SIG_DFL);
	return is_done;
}

/* ---- Explain ----------------------------------------------------------------------------------------- */

static void remark_on_cluster(const struct job *job)
{
	if (job->machine && job->machine->kind == MACHINE_CLUSTER)
		remark(job, arena_printf(job->arena,
					 "'%s' is a cluster, which is checked and no more so far: "
					 "this is of the network alone",
					 job->machine->name));
}

static void explain_mappings(struct job *job)
{
	const struct options *options = &job->options;
	for (int i = 0; options->dump[DUMP_MAPPING] && i < job->targets; i++)
		network_print_mappings(job->mapped[i].mapped, stdout);
	if (!is_dump(options) && job->targets == 1)
		network_report(job->arena, job->mapped[0].mapped, stdout);
	else if (!is_dump(options))
		network_compare(job->arena, job->targets, job->mapped, stdout);
	for (int i = 0; options->pareto && i < job->targets; i++)
		network_print_pareto(job->arena, job->mapped[i].mapped, stdout);
	for (int i = 0; options->explain && i < job->targets; i++)
		network_explain(job->arena, job->mapped[i].mapped, stdout);
}

/* The tables, where they are asked for or nothing else is. */
static bool explain(struct job *job)
{
	const struct options *options = &job->options;
	bool is_mapped = job->mapped[0].mapped;
	remark_on_cluster(job);
	if (options->summary || (!is_quiet(options) && !is_mapped))
		summary_print(job->network, stdout);
	if (is_mapped)
		explain_mappings(job);
	return job->diag.errors == 0;
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

static struct accelerator_job accelerator_job_of(const struct job *job)
{
	return (struct accelerator_job){job->network, job->mapped[0].mapped,
					job->options.network_file};
}

/* On the simulated machine, or natively where a cpu is described, else by the reference interpreter. */
static bool execute(struct job *job)
{
	struct accelerator_job accelerator = accelerator_job_of(job);
	const char *note = NULL;
	job->output = ARENA_ARRAY(job->arena, (size_t)job->network->output_count, struct array *);
	if (!job->machine) {
		char *error = interpret(job->network, job->input, job->output);
		return !error || diag_fail(&job->diag, "execution", error);
	}
	if (wants_program(job)) {
		bool is_done =
			accelerator_run(&accelerator, job->input, job->output, &job->diag, &note);
		remark(job, note);
		return is_done;
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

static bool write_program(struct job *job)
{
	struct accelerator_job accelerator = accelerator_job_of(job);
	const char *note = NULL;
	bool is_done = accelerator_write(job->options.out, &accelerator, &job->diag, &note);
	remark(job, note);
	return is_done;
}

static bool emit(struct job *job)
{
	const struct options *options = &job->options;
	if (options->dump[DUMP_IR] && !print_code(job, CPU_IR))
		return false;
	if (options->dump[DUMP_ASM] && !print_code(job, CPU_ASSEMBLY))
		return false;
	if (!options->out || options->run)
		return true;
	if (!job->mapped[0].mapped)
		return write_code(job);
	return (file_has_ending(options->out, ".dnx") ||
		report_write(options->out, job->targets, job->mapped, &job->diag)) &&
	       (!wants_program(job) || write_program(job));
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
