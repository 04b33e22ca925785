/* options_test.c -- command lines that are understood, and what is said of those that are not. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/command/options.h"

enum { MAX_WORDS = 16 };

/* Parses a command line of words separated by blanks. The words live in text. */
static char *parse(struct options *options, const char *line, char text[256])
{
	char *argv[MAX_WORDS + 2] = {"dnnc"}, *rest = text;
	int argc = 1;
	*options = (struct options){0};
	cr_assert_lt(strlen(line), 256);
	strcpy(text, line);
	while (argc <= MAX_WORDS && (argv[argc] = strsep(&rest, " ")))
		argc++;
	return options_parse(options, argc, argv);
}

Test(options, all_of_them)
{
	struct options options;
	char text[256];
	char *error =
		parse(&options, "net.dnn -run a.npy b.npy -hw m.hw -o out -dim N=4 -dim T=7", text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.run && options.input_count == 2);
	cr_expect_str_eq(options.network_file, "net.dnn");
	cr_expect_str_eq(options.input[1], "b.npy");
	cr_expect(options.machine_count == 1);
	cr_expect_str_eq(options.machine_file[0], "m.hw");
	cr_expect_str_eq(options.out, "out");
	cr_expect(options.dim_count == 2 && options.dim[1].extent == 7);
	cr_expect_str_eq(options.dim[0].name, "N");

	error = parse(&options, "-dump=tree,asm -diagnostics=json -color never -w -Werror m.onnx",
		      text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.dump[DUMP_TREE] && options.dump[DUMP_ASM] && !options.dump[DUMP_IR]);
	cr_expect(options.form == DIAG_JSON && options.colour == COLOUR_NEVER);
	cr_expect(options.warnings_are_errors && options.warnings_are_hidden);

	error = parse(&options, "-seed 18446744073709551615 -weights=w -network n -summary x.dnn",
		      text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.seed == UINT64_MAX && options.summary);
	cr_expect_str_eq(options.weights_file, "w");
	cr_expect_str_eq(options.network, "n");

	error = parse(&options, "-quantise fixed16 -calibrate a.npy -calibrate=b.npy x.dnn", text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.is_quantised && options.number == NUMBER_FIXED16);
	cr_expect_eq(options.sample_count, 2);
	cr_expect_str_eq(options.sample[1], "b.npy");
	cr_expect_null(parse(&options, "-quantise none x.dnn", text));
	cr_expect(options.is_quantised && options.number == NUMBER_F32);

	error = parse(&options, "-mcpu=a72 -mtriple aarch64-linux-gnu x.dnn", text);
	cr_expect_null(error, "%s", error);
	cr_expect_str_eq(options.cpu, "a72");
	cr_expect_str_eq(options.triple, "aarch64-linux-gnu");
	cr_expect_null(parse(&options, "-help", text), "needs no network");
	cr_expect_null(parse(&options, "-h", text), "means -help and not -hw");
	cr_expect(options.help);
	cr_expect_null(parse(&options, "-version", text), "needs no network");
}

Test(options, of_the_mapper)
{
	struct options options;
	char text[256];
	char *error = parse(&options,
			    "x.dnn -hw a.hw -hw b.hw -map m.map -objective edp -all -o x.json "
			    "-threads 3",
			    text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.machine_count == 2 && options.goal == GOAL_EDP && options.all);
	cr_expect_str_eq(options.machine_file[1], "b.hw");
	cr_expect_str_eq(options.map_file, "m.map");
	cr_expect(options.threads == 3 && !options.pareto && !options.imperfect);
	error = parse(&options, "x.dnn -pareto -explain -imperfect -budget 1.5min -dump=mapping",
		      text);
	cr_expect_null(error, "%s", error);
	cr_expect(options.pareto && options.explain && options.imperfect);
	cr_expect(options.dump[DUMP_MAPPING] && options.budget_seconds == 90);
	cr_expect_null(parse(&options, "x.dnn -budget 200ms", text));
	cr_expect(options.budget_seconds == 0.2 && options.budget_evaluations == 0);
	cr_expect_null(parse(&options, "x.dnn -budget 5s -budget 100000", text));
	cr_expect(options.budget_seconds == 0 && options.budget_evaluations == 100000);
}

#define WANTS_A_BUDGET                                                                             \
	"-budget wants a time (ms, s, min, h), as in -budget 10s, or without a unit a number of "  \
	"partial mappings, not "

Test(options, wrong_ones)
{
	static const struct {
		const char *line, *error;
	} row[] = {
		{"-summary", "no network is given"},
		{"a.dnn b.dnn", "one network at a time: 'a.dnn' or 'b.dnn'"},
		{"a.dnn b.hw", "a machine is given with -hw: -hw b.hw"},
		{"a.dnn -sumary", "there is no option '-sumary'; is it -summary that is meant?"},
		{"a.dnn -xyzzy", "there is no option '-xyzzy'"},
		{"a.dnn -hw", "-hw wants a value: -hw FILE"},
		{"a.dnn -o", "-o wants a value: -o PATH"},
		{"a.dnn -run=3", "-run takes no value"},
		{"a.dnn -dim N=0", "-dim wants NAME=N, as in -dim N=4, not 'N=0'"},
		{"a.dnn -dim N=4x", "-dim wants NAME=N, as in -dim N=4, not 'N=4x'"},
		{"a.dnn -dim N=9007199254740993",
		 "-dim wants NAME=N, as in -dim N=4, not 'N=9007199254740993'"},
		{"a.dnn -dim =4", "-dim wants NAME=N, as in -dim N=4, not '=4'"},
		{"a.dnn -dim N=4 -dim N=5", "-dim gives 'N' twice"},
		{"a.dnn -seed -1", "-seed wants a number from 0 to 2^64-1, not '-1'"},
		{"a.dnn -seed 18446744073709551616",
		 "-seed wants a number from 0 to 2^64-1, not '18446744073709551616'"},
		{"a.dnn -dump=tree,leaf",
		 "-dump wants tree, network, machine, mapping, ir or asm, not 'leaf'"},
		{"a.dnn -quantise i4", "-quantise wants none, i8, i16 or fixed16, not 'i4'"},
		{"a.dnn -diagnostics=xml", "-diagnostics wants text or json, not 'xml'"},
		{"a.dnn -color=red", "-color wants auto, always or never, not 'red'"},
		{"a.dnn x.npy", "'x.npy' is an input, and without -run nothing is executed"},
		{"a.dnn -o y.npy",
		 "'y.npy' is for an output, and without -run nothing is executed"},
		{"a.dnn -run x.npz", "'x.npz': .npz files are not read; store each array by itself "
				     "with numpy.save, as .npy"},
		{"a.dnn -o u.so",
		 "'u.so': no .so files are written; -o takes .o (with its .h), "
		 ".ll, .s, .dnx, .map, .json, .certificate, .timeloop.yaml or a folder "
		 "(called so: 'u.so/')"},
		{"a.dnn -o out/u.mpa",
		 "'out/u.mpa': no .mpa files are written; -o takes .o (with its .h), .ll, .s, "
		 ".dnx, .map, .json, .certificate, .timeloop.yaml or a folder (called so: "
		 "'out/u.mpa/')"},
		{"a.dnn -run -o u.csv", "'u.csv': no .csv files are written; -o takes a .npy file "
					"or a folder (called so: 'u.csv/')"},
		{"a.dnn -run x.npy -o y.json",
		 "with -run, -o names a .npy file or a folder, not 'y.json'"},
		{"a.dnn -run x.npy -o y.certificate",
		 "with -run, -o names a .npy file or a folder, not 'y.certificate'"},
		{"a.dnn -objective area", "-objective wants energy, edp or cycles, not 'area'"},
		{"a.dnn -threads 0", "-threads wants a number from 1 to 1024, not '0'"},
		{"a.dnn -budget 0", WANTS_A_BUDGET "'0'"},
		{"a.dnn -budget 0s", WANTS_A_BUDGET "'0s'"},
		{"a.dnn -budget .s", WANTS_A_BUDGET "'.s'"},
		{"a.dnn -budget 3days", WANTS_A_BUDGET "'3days'"},
		{"a.dnn -run x.npy -o y.npz",
		 "'y.npz': no .npz files are written; -o takes a .npy file or a folder "
		 "(called so: 'y.npz/')"},
		{"a.dnn -run x.npy -o y.o",
		 "with -run, -o names a .npy file or a folder, not 'y.o'"},
	};
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct options options;
		char text[256];
		char *error = parse(&options, row[i].line, text);
		cr_expect(error && strcmp(error, row[i].error) == 0, "%s: %s", row[i].line,
			  error ? error : "accepted");
		free(error);
	}
}

/* The help fits a terminal of 40 lines and 100 columns. */
Test(options, help_fits_one_screen)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	options_print_help(out);
	fclose(out);
	int lines = 0;
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, lines++)
		cr_expect_leq(end - line, 100, "%.*s", (int)(end - line), line);
	cr_expect_leq(lines, 40);
	cr_expect_not_null(strstr(text, "  -hw FILE"));
	cr_expect_not_null(strstr(text, ".timeloop.yaml"), "-o names what it writes");
	free(text);
}
