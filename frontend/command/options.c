/* options.c -- the command line of dnnc, as argp reads it; from one table come parsing, help and guesses. */
#include "frontend/command/options.h"

#include <ctype.h>
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "runtime/file.h"
#include "runtime/sentence.h"

enum key {
	KEY_HW = 256,
	KEY_RUN,
	KEY_WEIGHTS,
	KEY_SEED,
	KEY_QUANTISE,
	KEY_CALIBRATE,
	KEY_DIM,
	KEY_NETWORK,
	KEY_SUMMARY,
	KEY_OBJECTIVE,
	KEY_ALL,
	KEY_IMPERFECT,
	KEY_PARETO,
	KEY_EXPLAIN,
	KEY_MAP,
	KEY_CERTIFICATE,
	KEY_CHECK,
	KEY_BUDGET,
	KEY_THREADS,
	KEY_DUMP,
	KEY_MCPU,
	KEY_MTRIPLE,
	KEY_DIAGNOSTICS,
	KEY_COLOR,
	KEY_WERROR,
	KEY_VERSION,
	KEY_HELP,
	KEY_SHORT_HELP = 'h', /* not for -hw */
	KEY_OUT = 'o',
	KEY_QUIET = 'w'
};

/* clang-format off */
static const struct argp_option table[] = {
	{"hw", KEY_HW, "FILE", 0, "the machine to compile for; several accelerators are compared", 0},
	{0, KEY_OUT, "PATH", 0, ".o, .ll, .s, .dnx, .map, .json, .certificate, .timeloop.yaml; else a folder", 0},
	{"run", KEY_RUN, 0, 0, "execute on .npy files, one per input; -o OUT.npy keeps the result", 0},
	{"weights", KEY_WEIGHTS, "FILE", 0, "values of the parameters, .safetensors", 0},
	{"seed", KEY_SEED, "N", 0, "of random values for parameters that no file gives (0)", 0},
	{"quantise", KEY_QUANTISE, "WHAT", 0, "compute contractions in i8, i16, fixed16 or, with none, f32", 0},
	{"calibrate", KEY_CALIBRATE, "FILE", 0, "samples to find the ranges of integers with, .npy, one for each input", 0},
	{"dim", KEY_DIM, "NAME=N", 0, "an extent that the network leaves open (1)", 0},
	{"network", KEY_NETWORK, "NAME", 0, "which network, of several in the file (the last)", 0},
	{"summary", KEY_SUMMARY, 0, 0, "print layers, shapes, multiply-accumulates, parameters", 0},
	{"dump", KEY_DUMP, "WHAT,...", 0, "print a stage: tree, network, machine, mapping, ir, asm", 0},
	{"objective", KEY_OBJECTIVE, "WHAT", 0, "map for the least energy, edp or cycles (energy)", 0},
	{"all", KEY_ALL, 0, 0, "map statements that multiply and accumulate nothing as well", 0},
	{"imperfect", KEY_IMPERFECT, 0, 0, "let the last unit of an array have less to do than others", 0},
	{"pareto", KEY_PARETO, 0, 0, "print which energies go with which cycles, layer by layer", 0},
	{"explain", KEY_EXPLAIN, 0, 0, "print what holds each layer back, in seven steps", 0},
	{"map", KEY_MAP, "FILE", 0, "mappings to keep to, .map, whole or in part, or .yaml", 0},
	{"certificate", KEY_CERTIFICATE, 0, 0, "write the proof of each optimum beside the mappings, too", 0},
	{"check-certificate", KEY_CHECK, "FILE", 0, "check such proofs, without a search", 0},
	{"budget", KEY_BUDGET, "BUDGET", 0, "end the search after so long, as in 10s; without unit: so many partial mappings", 0},
	{"threads", KEY_THREADS, "N", 0, "search with so many threads (one for each processor)", 0},
	{"mcpu", KEY_MCPU, "CPU", 0, "compile for this processor, by LLVM's name for it", 0},
	{"mtriple", KEY_MTRIPLE, "TRIPLE", 0, "compile for this system, as in aarch64-linux-gnu", 0},
	{"diagnostics", KEY_DIAGNOSTICS, "FORM", 0, "errors and warnings as text or json (text)", 0},
	{"color", KEY_COLOR, "WHEN", 0, "auto, always or never (auto)", 0},
	{"Werror", KEY_WERROR, 0, 0, "treat warnings as errors", 0},
	{0, KEY_QUIET, 0, 0, "show no warnings", 0},
	{"version", KEY_VERSION, 0, 0, "print the version", 0},
	{"help", KEY_HELP, 0, 0, "print this text", 0},
	{0, KEY_SHORT_HELP, 0, OPTION_HIDDEN, 0, 0},
	{0},
};

/* Options that only set a member: where it is. Of text and flag one is 0, where no option's member lies. */
static const struct {
	enum key key;
	size_t text, flag;
} plain[] = {
	{KEY_MAP, offsetof(struct options, map_file), 0},
	{KEY_CHECK, offsetof(struct options, certificate_file), 0},
	{KEY_OUT, offsetof(struct options, out), 0},
	{KEY_WEIGHTS, offsetof(struct options, weights_file), 0},
	{KEY_NETWORK, offsetof(struct options, network), 0},
	{KEY_MCPU, offsetof(struct options, cpu), 0},
	{KEY_MTRIPLE, offsetof(struct options, triple), 0},
	{KEY_RUN, 0, offsetof(struct options, run)},
	{KEY_SUMMARY, 0, offsetof(struct options, summary)},
	{KEY_ALL, 0, offsetof(struct options, all)},
	{KEY_IMPERFECT, 0, offsetof(struct options, imperfect)},
	{KEY_PARETO, 0, offsetof(struct options, pareto)},
	{KEY_CERTIFICATE, 0, offsetof(struct options, certificate)},
	{KEY_EXPLAIN, 0, offsetof(struct options, explain)},
	{KEY_WERROR, 0, offsetof(struct options, warnings_are_errors)},
	{KEY_QUIET, 0, offsetof(struct options, warnings_are_hidden)},
	{KEY_VERSION, 0, offsetof(struct options, version)},
	{KEY_HELP, 0, offsetof(struct options, help)},
	{KEY_SHORT_HELP, 0, offsetof(struct options, help)},
};
/* clang-format on */

/* What argp hands from option to option. */
struct parsing {
	struct options *options;
	char *error; /* the first */
};

static bool parse_plain(struct options *options, int key, char *text)
{
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if ((int)plain[i].key != key)
			continue;
		if (plain[i].text)
			*(const char **)((char *)options + plain[i].text) = text;
		else
			*(bool *)((char *)options + plain[i].flag) = true;
		return true;
	}
	return false;
}

/* Compile-time numbers are doubles. */
static const uint64_t MOST_EXTENT = UINT64_C(1) << 53;

/* Digits and nothing else. */
static bool parse_count(const char *text, uint64_t *count)
{
	char *end;
	errno = 0;
	*count = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static char *parse_seed(struct options *options, const char *text)
{
	if (parse_count(text, &options->seed))
		return NULL;
	return sentence("-seed wants a number from 0 to 2^64-1, not '%s'", text);
}

/* N=4; the text is cut at the `=` and the name stays in it. */
static char *parse_dim(struct options *options, char *text)
{
	char *equals = strchr(text, '=');
	uint64_t extent;
	bool is_pair = equals && equals != text && parse_count(equals + 1, &extent);
	if (!is_pair || extent < 1 || extent > MOST_EXTENT)
		return sentence("-dim wants NAME=N, as in -dim N=4, not '%s'", text);
	if (options->dim_count == MAX_DIM_OPTIONS)
		return sentence("-dim may be given %d times, not more", MAX_DIM_OPTIONS);
	*equals = '\0';
	for (int i = 0; i < options->dim_count; i++)
		if (strcmp(options->dim[i].name, text) == 0)
			return sentence("-dim gives '%s' twice", text);
	options->dim[options->dim_count++] = (struct dim_binding){text, (int64_t)extent};
	return NULL;
}

/* Stores the position of the word among those that the option takes. */
static char *parse_word(const char *option, const char *text, const char *const words[], int count,
			int *position)
{
	for (*position = 0; *position < count; ++*position)
		if (strcmp(text, words[*position]) == 0)
			return NULL;
	char known[100] = "";
	for (int i = 0; i < count; i++) {
		strcat(known, i == 0 ? "" : i == count - 1 ? " or " : ", ");
		strcat(known, words[i]);
	}
	return sentence("%s wants %s, not '%s'", option, known, text);
}

static char *parse_dump(struct options *options, char *text)
{
	static const char *const names[] = {"tree", "network", "machine", "mapping", "ir", "asm"};
	char *error = NULL, *word;
	int stage;
	while (!error && (word = strsep(&text, ",")))
		if (!(error = parse_word("-dump", word, names, DUMP_COUNT, &stage)))
			options->dump[stage] = true;
	return error;
}

static char *parse_machine(struct options *options, const char *path)
{
	if (options->machine_count == MAX_MACHINES)
		return sentence("-hw may be given %d times, not more", MAX_MACHINES);
	options->machine_file[options->machine_count++] = path;
	return NULL;
}

static char *parse_number(struct options *options, const char *text)
{
	int number;
	char *error = parse_word("-quantise", text, number_name, NUMBERS, &number);
	options->number = error ? NUMBER_F32 : (enum number)number;
	options->is_quantised = true;
	return error;
}

static char *parse_sample(struct options *options, const char *path)
{
	if (options->sample_count == MAX_INPUT_FILES)
		return sentence("-calibrate may be given %d times, not more", MAX_INPUT_FILES);
	options->sample[options->sample_count++] = path;
	return NULL;
}

static char *parse_goal(struct options *options, const char *text)
{
	static const char *const names[] = {"energy", "edp", "cycles"};
	int goal;
	char *error = parse_word("-objective", text, names, GOAL_COUNT, &goal);
	options->goal = error ? GOAL_ENERGY : (enum goal)goal;
	return error;
}

/* 90s, 1.5 min, 200ms; without a unit it counts partial mappings. */
static char *parse_budget(struct options *options, const char *text)
{
	static const struct {
		const char *name;
		double seconds;
	} unit[] = {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}};
	uint64_t count;
	double value, divisor = 1;
	const char *end = text + strspn(text, "0123456789");
	size_t digits = (size_t)(end - text);
	options->budget_seconds = 0;
	options->budget_evaluations = 0;
	if (parse_count(text, &count) && count > 0 && count <= INT64_MAX) {
		options->budget_evaluations = (int64_t)count;
		return NULL;
	}
	/* By hand, for strtod has the locale's decimal point. */
	value = digits > 0 && digits <= 15 ? (double)strtoull(text, NULL, 10) : -1;
	if (*end == '.')
		for (end++; *end >= '0' && *end <= '9'; end++)
			value += (*end - '0') / (divisor *= 10);
	end += strspn(end, " ");
	for (size_t i = 0; i < sizeof unit / sizeof unit[0] && value > 0; i++)
		if (strcmp(end, unit[i].name) == 0)
			options->budget_seconds = value * unit[i].seconds;
	if (options->budget_seconds > 0)
		return NULL;
	return sentence(
		"-budget wants a time (ms, s, min, h), as in -budget 10s, or without a unit a "
		"number of partial mappings, not '%s'",
		text);
}

static char *parse_threads(struct options *options, const char *text)
{
	enum { MOST = 1024 };
	uint64_t count;
	if (!parse_count(text, &count) || count < 1 || count > MOST)
		return sentence("-threads wants a number from 1 to %d, not '%s'", MOST, text);
	options->threads = (int)count;
	return NULL;
}

static char *parse_form(struct options *options, const char *text)
{
	static const char *const names[] = {"text", "json"};
	int form;
	char *error = parse_word("-diagnostics", text, names, DIAG_FORM_COUNT, &form);
	options->form = error ? DIAG_TEXT : (enum diag_form)form;
	return error;
}

static char *parse_colour(struct options *options, const char *text)
{
	static const char *const names[] = {"auto", "always", "never"};
	int colour;
	char *error = parse_word("-color", text, names, COLOUR_COUNT, &colour);
	options->colour = error ? COLOUR_AUTO : (enum colour)colour;
	return error;
}

static char *parse_file(struct options *options, const char *path)
{
	if (file_has_ending(path, ".npz"))
		return sentence("'%s': .npz files are not read; store each array by itself with "
				"numpy.save, as .npy",
				path);
	if (!file_has_ending(path, ".npy")) {
		if (options->network_file && file_has_ending(path, ".hw"))
			return sentence("a machine is given with -hw: -hw %s", path);
		if (options->network_file)
			return sentence("one network at a time: '%s' or '%s'",
					options->network_file, path);
		options->network_file = path;
		return NULL;
	}
	if (options->input_count == MAX_INPUT_FILES)
		return sentence("there may be %d inputs, not more", MAX_INPUT_FILES);
	options->input[options->input_count++] = path;
	return NULL;
}

/* What a name ends in after its last point, if those are letters alone; NULL: nothing that says what kind of file is meant. */
static const char *ending_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *point = strrchr(name, '.'), *at = point;
	if (!point || point == name)
		return NULL;
	while (isalpha((unsigned char)*++at))
		;
	return *at || at == point + 1 ? NULL : point;
}

/* A path that -o would make a folder of, though its ending says that a file is meant. */
static char *check_out(const struct options *options)
{
	static const char *const code[] = {".o",   ".ll",   ".s",           ".dnx",
					   ".map", ".json", ".certificate", ".timeloop.yaml"};
	const char *out = options->out, *ending = out ? ending_of(out) : NULL;
	bool is_known = !ending || (options->run && strcmp(ending, ".npy") == 0);
	for (size_t i = 0; ending && i < sizeof code / sizeof code[0]; i++) {
		if (!file_has_ending(out, code[i]))
			continue;
		if (options->run)
			return sentence("with -run, -o names a .npy file or a folder, not '%s'",
					out);
		is_known = true;
	}
	if (!is_known)
		return sentence("'%s': no %s files are written; -o takes %s (called so: '%s/')",
				out, ending,
				options->run ? "a .npy file or a folder"
					     : ".o (with its .h), .ll, .s, .dnx, .map, .json, "
					       ".certificate, .timeloop.yaml or a folder",
				out);
	return NULL;
}

/* What the options must agree on. */
static char *check_agreement(const struct options *options)
{
	const char *out = options->out;
	if (options->help || options->version)
		return NULL;
	if (!options->network_file)
		return sentence("no network is given");
	if (options->input_count > 0 && !options->run)
		return sentence("'%s' is an input, and without -run nothing is executed",
				options->input[0]);
	if (out && !options->run && file_has_ending(out, ".npy"))
		return sentence("'%s' is for an output, and without -run nothing is executed", out);
	if (options->certificate && !out)
		return sentence(
			"-certificate writes a file: -o FOLDER, or -o NAME.certificate alone");
	if (options->certificate_file && (out || options->run || options->certificate))
		return sentence("-check-certificate goes with no -o, -run or -certificate: it only "
				"checks");
	return check_out(options);
}

/* Why argp refused this argument: no such option, or its value is missing or too much. */
static char *explain_refusal(const char *argument)
{
	const char *names[sizeof table / sizeof table[0]];
	int count = 0;
	size_t length = strcspn(argument, "=");
	size_t dashes = strspn(argument, "-");
	for (const struct argp_option *option = table; option->key; option++) {
		if (!option->name)
			continue;
		names[count++] = option->name;
		if (length - dashes != strlen(option->name) ||
		    strncmp(argument + dashes, option->name, length - dashes) != 0)
			continue;
		return option->arg ? sentence("-%s wants a value: -%s %s", option->name,
					      option->name, option->arg)
				   : sentence("-%s takes no value", option->name);
	}
	if (strcmp(argument, "-o") == 0)
		return sentence("-o wants a value: -o PATH");
	char written[64];
	snprintf(written, sizeof written, "%.*s", (int)(length - dashes), argument + dashes);
	const char *nearest = diag_nearest(written, names, count);
	return sentence("there is no option '%s'%s%s%s", argument, nearest ? "; is it -" : "",
			nearest ? nearest : "", nearest ? " that is meant?" : "");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct options *options = parsing->options;
	char *error = NULL;
	if (parse_plain(options, key, text))
		return 0;
	switch (key) {
	case KEY_SEED:
		error = parse_seed(options, text);
		break;
	case KEY_QUANTISE:
		error = parse_number(options, text);
		break;
	case KEY_CALIBRATE:
		error = parse_sample(options, text);
		break;
	case KEY_DIM:
		error = parse_dim(options, text);
		break;
	case KEY_DUMP:
		error = parse_dump(options, text);
		break;
	case KEY_HW:
		error = parse_machine(options, text);
		break;
	case KEY_OBJECTIVE:
		error = parse_goal(options, text);
		break;
	case KEY_BUDGET:
		error = parse_budget(options, text);
		break;
	case KEY_THREADS:
		error = parse_threads(options, text);
		break;
	case KEY_DIAGNOSTICS:
		error = parse_form(options, text);
		break;
	case KEY_COLOR:
		error = parse_colour(options, text);
		break;
	case ARGP_KEY_ARG:
		error = parse_file(options, text);
		break;
	case ARGP_KEY_END:
		error = check_agreement(options);
		break;
	case ARGP_KEY_ERROR:
		if (!parsing->error)
			parsing->error = explain_refusal(state->argv[state->next - 1]);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	parsing->error = error;
	return error ? EINVAL : 0;
}

char *options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp argp = {table, parse, 0, 0, 0, 0, 0};
	struct parsing parsing = {.options = options};
	error_t code = argp_parse(&argp, argc, argv, ARGP_LONG_ONLY | ARGP_NO_HELP | ARGP_NO_ERRS,
				  NULL, &parsing);
	if (code && !parsing.error)
		return sentence("the command line cannot be read: %s", strerrordesc_np(code));
	return parsing.error;
}

void options_print_help(FILE *out)
{
	fputs("usage: dnnc NETWORK.dnn|MODEL.onnx|PROBLEM.yaml [-hw MACHINE.hw|ARCH.yaml] [-o "
	      "PATH] [options]\n\n",
	      out);
	for (const struct argp_option *option = table; option->key; option++) {
		if (option->flags & OPTION_HIDDEN)
			continue;
		char letter[2] = {(char)option->key, '\0'}, name[40];
		snprintf(name, sizeof name, "-%s %s", option->name ? option->name : letter,
			 option->arg ? option->arg : "");
		fprintf(out, "  %-18s %s\n", name, option->doc);
	}
}
