/* dnnrun.c -- executes a .dnx file: on the machine that it holds, with every access counted, and knows no compiler.
 *
 * dnnrun NET.dnx -in X.npy -out Y.npy */
#include <argp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/file.h"
#include "runtime/sentence.h"
#include "runtime/simulator/run_files.h"

enum { MOST_INPUTS = 64 };

/* Those of dnnc. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_WRONG_INPUT = 1,
	EXIT_WRONG_USAGE = 2,
	EXIT_CHECK_FAILED = 4,
	EXIT_SYSTEM_REFUSED = 5
};

struct options {
	const char *program, *out;
	const char *input[MOST_INPUTS];
	int inputs;
	bool counters, events, list;
	const char *trace;
	struct event_window window;
	struct simulation_options simulation;
};

enum key {
	KEY_IN = 256,
	KEY_OUT,
	KEY_COUNTERS,
	KEY_LIST,
	KEY_EVENTS,
	KEY_TRACE,
	KEY_LAYER,
	KEY_WINDOW,
	KEY_STEP,
	KEY_SHUFFLE
};

/* clang-format off */
static const struct argp_option table[] = {
	{"in", KEY_IN, "FILE", 0, "an input, .npy; one for each, in their order", 0},
	{"out", KEY_OUT, "PATH", 0, "the output: a .npy file, or a folder where there are several; else they are printed", 0},
	{"counters", KEY_COUNTERS, 0, 0, "print every counter of every layer", 0},
	{"list", KEY_LIST, 0, 0, "print the machine, where tensors and tiles lie, and the program, an instruction a line; needs no -in", 0},
	{"events", KEY_EVENTS, 0, 0, "print in which cycles of each layer no arithmetic is done, and why; needs no -in", 0},
	{"trace", KEY_TRACE, "FILE", 0, "with -events: a .json for Perfetto or chrome://tracing, a thread for each sequencer", 0},
	{"layer", KEY_LAYER, "NAME", 0, "with -events: of this layer alone", 0},
	{"window", KEY_WINDOW, "FROM:TO", 0, "with -trace: of these cycles alone", 0},
	{"step", KEY_STEP, 0, 0, "move every word and make every product one by one: slow, and the same", 0},
	{"shuffle", KEY_SHUFFLE, "SEED", 0, "let sequencers take their turns in a random order, which changes nothing", 0},
	{0},
};
/* clang-format on */

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct options *o = state->input;
	char *end, rest;
	switch (key) {
	case KEY_IN:
		if (o->inputs == MOST_INPUTS)
			argp_error(state, "more than %d inputs", MOST_INPUTS);
		o->input[o->inputs++] = text;
		return 0;
	case KEY_OUT:
		o->out = text;
		return 0;
	case KEY_COUNTERS:
		o->counters = true;
		return 0;
	case KEY_LIST:
		o->list = true;
		return 0;
	case KEY_EVENTS:
		o->events = true;
		return 0;
	case KEY_TRACE:
		o->trace = text;
		return 0;
	case KEY_LAYER:
		o->window.layer = text;
		return 0;
	case KEY_WINDOW:
		if (sscanf(text, "%" SCNd64 ":%" SCNd64 "%c", &o->window.from, &o->window.to,
			   &rest) != 2 ||
		    o->window.from < 0 || o->window.to < o->window.from)
			argp_error(state, "-window needs two cycles, as in 1000:2000, not '%s'",
				   text);
		return 0;
	case KEY_STEP:
		o->simulation.is_stepped = true;
		return 0;
	case KEY_SHUFFLE:
		o->simulation.is_shuffled = true;
		o->simulation.seed = strtoull(text, &end, 10);
		if (*text < '0' || *text > '9' || *end)
			argp_error(state, "-shuffle needs a number, not '%s'", text);
		return 0;
	case ARGP_KEY_ARG:
		if (o->program)
			argp_error(state, "one program at a time: '%s' or '%s'", o->program, text);
		o->program = text;
		return 0;
	case ARGP_KEY_END:
		if (!o->program)
			argp_error(state, "which program? Give a .dnx file");
		if ((o->trace || o->window.layer || o->window.to != INT64_MAX) && !o->events)
			argp_error(state, "-trace, -layer and -window belong to -events");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- What happens ------------------------------------------------------------------------------------------------------------- */

struct job {
	struct options options;
	char *file;
	struct run run;
	struct array *input[MOST_INPUTS];
	struct array **output;
};

/* Frees the sentence. */
static enum exit_code refuse(enum exit_code code, const char *about, char *error)
{
	fprintf(stderr, "error: %s%s%s\n", about ? about : "", about ? ": " : "", error);
	free(error);
	return code;
}

static enum exit_code open_program(struct job *job)
{
	size_t size;
	char *error = file_read(job->options.program, &job->file, &size);
	if (error)
		return refuse(EXIT_SYSTEM_REFUSED, NULL, error);
	error = run_open(&job->run, (const uint8_t *)job->file, size);
	return error ? refuse(EXIT_WRONG_INPUT, job->options.program, error) : EXIT_DONE;
}

/* What cannot be written is told before the work. */
static enum exit_code check_out(struct job *job)
{
	const char *out = job->options.out;
	char *error = out ? run_may_write(&job->run, out) : NULL;
	bool is_usage = error && file_has_ending(out, ".npy") && job->run.tensors.outputs != 1;
	return error ? refuse(is_usage ? EXIT_WRONG_USAGE : EXIT_SYSTEM_REFUSED, NULL, error)
		     : EXIT_DONE;
}

static enum exit_code read_inputs(struct job *job)
{
	char *error =
		run_read_inputs(&job->run, job->options.input, job->options.inputs, job->input);
	return error ? refuse(EXIT_WRONG_INPUT, NULL, error) : EXIT_DONE;
}

static enum exit_code execute(struct job *job)
{
	job->output = calloc((size_t)job->run.tensors.outputs + 1, sizeof(struct array *));
	if (!job->output)
		return refuse(EXIT_SYSTEM_REFUSED, NULL, sentence("no memory for the outputs"));
	char *error = run_execute(&job->run, job->input, job->output, &job->options.simulation);
	return error ? refuse(EXIT_WRONG_INPUT, job->options.program, error) : EXIT_DONE;
}

static enum exit_code write_outputs(struct job *job)
{
	const char *out = job->options.out;
	if (!out) {
		run_print_outputs(&job->run, job->output, stdout);
		return EXIT_DONE;
	}
	char *error = run_write_outputs(&job->run, job->output, out);
	return error ? refuse(EXIT_SYSTEM_REFUSED, NULL, error) : EXIT_DONE;
}

/* Are the counts those of the compiler? */
static enum exit_code check_counters(const struct job *job)
{
	int64_t differences = run_differences(&job->run);
	if (job->options.counters)
		run_print_counters(&job->run, stdout);
	if (differences == 0) {
		fprintf(stderr,
			"note: %d layers on the array, %d statements; all counters are those of "
			"the "
			"model\n",
			job->run.layers, job->run.statements);
		return EXIT_DONE;
	}
	run_print_differences(&job->run, stderr);
	return refuse(EXIT_CHECK_FAILED, job->options.program,
		      sentence("%" PRId64 " counters are not those that the program expects",
			       differences));
}

/* The trace is written whole, or not at all. */
static enum exit_code print_events(struct job *job)
{
	const struct options *o = &job->options;
	char *text = NULL, *error = o->trace ? file_may_write(o->trace) : NULL;
	size_t size;
	if (error)
		return refuse(EXIT_SYSTEM_REFUSED, NULL, error);
	FILE *trace = o->trace ? open_memstream(&text, &size) : NULL;
	if (o->trace && !trace)
		return refuse(EXIT_SYSTEM_REFUSED, NULL, sentence("no memory for the trace"));
	error = run_print_events(&job->run, &o->window, stdout, trace);
	if (trace && fclose(trace) != 0 && !error)
		error = sentence("no memory for the trace");
	if (error) {
		free(text);
		return refuse(EXIT_WRONG_INPUT, o->program, error);
	}
	error = o->trace ? file_write(o->trace, text, size) : NULL;
	free(text);
	return error ? refuse(EXIT_SYSTEM_REFUSED, NULL, error) : EXIT_DONE;
}

static enum exit_code work(struct job *job)
{
	enum exit_code code = open_program(job);
	for (int i = 0; i < ISA_SECTIONS && !code && job->options.list; i++)
		code_print(&job->run.dnx.code[i], stdout);
	if (code || job->options.list)
		return code;
	if (job->options.events)
		return print_events(job);
	if (!code)
		code = check_out(job);
	if (!code)
		code = read_inputs(job);
	if (!code)
		code = execute(job);
	if (!code)
		code = check_counters(job);
	return code ? code : write_outputs(job);
}

static void release(struct job *job)
{
	for (int i = 0; i < job->options.inputs; i++)
		array_free(job->input[i]);
	for (int i = 0; job->output && i < job->run.tensors.outputs; i++)
		array_free(job->output[i]);
	free(job->output);
	run_close(&job->run);
	free(job->file);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		table,     parse,
		"NET.dnx", "Executes a program for an accelerator on the machine that it holds.",
		0,         0,
		0};
	struct job job = {.options.window.to = INT64_MAX};
	file_occupy_standard();
	argp_err_exit_status = EXIT_WRONG_USAGE;
	argp_parse(&argp, argc, argv, ARGP_LONG_ONLY, NULL, &job.options);
	enum exit_code code = work(&job);
	char *error = file_flush(stdout, "standard output");
	if (error)
		code = refuse(code ? code : EXIT_SYSTEM_REFUSED, NULL, error);
	release(&job);
	return code;
}
