/* bad_input_test.c -- thousands of networks, machines and models with something wrong in them, all in one process: each
 * is accepted, and then keeps what network.h promises and runs, or is refused with an error that has a place.
 *
 * The texts are examples, the operators of the library and a network that calls most of them, with words exchanged:
 * most of them parse, and break further in. The models are graphs of operators and attributes drawn at random.
 * Every case follows from its number; BAD_INPUT_TIMES=20 makes twenty times as many, BAD_INPUT_CASE=1234 that
 * one alone, and prints it. */
#include <ctype.h>
#include <glob.h>
#include <signal.h>
#include <unistd.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "onnx_fixture.h"
#include "frontend/machine/machine.h"
#include "frontend/network/summary.h"
#include "frontend/syntax/train.h"

enum { MOST_TEXTS = 200, ROOM = 1 << 16, SECONDS = 20 };

/* ---- Chance ---------------------------------------------------------------------------------------- */

static uint64_t state;

static int below(int bound)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (int)((state >> 33) % (uint64_t)bound);
}

#define ONE_OF(list) ((list)[below((int)(sizeof(list) / sizeof *(list)))])

static int at_case, accepted; /* networks that were right after all */

/* Which case it was that ended the process. */
static void tell_case(void)
{
	char text[40];
	int length = snprintf(text, sizeof text, "at case %d\n", at_case);
	(void)!write(STDERR_FILENO, text, (size_t)length);
}

static void on_signal(int number)
{
	tell_case();
	signal(number, SIG_DFL);
	raise(number);
}

static void watch(void)
{
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_set_death_callback(tell_case);
#else
	signal(SIGSEGV, on_signal);
	signal(SIGFPE, on_signal);
#endif
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
}

/* Calls test(number) for so many cases, each with a chance of its own and a time that it must not exceed. */
static void for_cases(int count, void (*test)(int number, bool is_shown))
{
	const char *times = getenv("BAD_INPUT_TIMES"), *one = getenv("BAD_INPUT_CASE");
#ifdef __SANITIZE_ADDRESS__
	count /= 3; /* each takes as much longer */
#endif
	int first = one ? atoi(one) : 0, last = one ? first + 1 : count * (times ? atoi(times) : 1);
	watch();
	for (int number = first; number < last; number++) {
		at_case = number;
		state = (uint64_t)number * 0x9e3779b97f4a7c15u + 1;
		below(2);
		alarm(SECONDS);
		test(number, one != NULL);
	}
	alarm(0);
	cr_log_info("%d cases, %d of them accepted", last - first, accepted);
	cr_expect(one || (accepted > 50 && accepted < last / 2), "%d accepted", accepted);
}

/* ---- What every input must end in --------------------------------------------------------------------- */

/* An error that a person can use: a place, unless it is about a whole file, and something said. */
static void expect_placed(const struct diag *diag, int number)
{
	for (int i = 0; i < diag->count; i++) {
		const struct finding *f = &diag->finding[i];
		const struct source *source = f->span.source;
		cr_assert(f->message && f->message[0], "case %d: an error without words", number);
		cr_assert(!source || (f->span.begin <= f->span.end && f->span.end <= source->size),
			  "case %d: a place outside of the text: %s", number, f->message);
		bool is_note = f->severity == SEVERITY_NOTE;
		if (!is_note && strcmp(f->code, "no-network") == 0)
			continue; /* is about the file, and this text has none */
		cr_assert(is_note || source || f->place, "case %d: no place: %s", number,
			  f->message);
		cr_assert(is_note || !source || !source->is_library,
			  "case %d: a place that the user has not written: %s", number, f->message);
	}
}

static bool is_small(const struct network *net)
{
	double points = 0;
	for (int i = 0; i < net->statement_count; i++)
		points += (double)statement_points(net->statement[i]);
	for (int i = 0; i < net->tensor_count; i++)
		points += (double)tensor_count(net->tensor[i]);
	return points < 100000 && net->input_count <= 8 && net->output_count <= 8;
}

/* Of each network that is small enough, all is printed, and it runs. */
static void expect_sound(struct network *net, FILE *sink, int number)
{
	const char *broken = network_check(net);
	accepted++;
	cr_assert_null(broken, "case %d: %s", number, broken);
	summary_print(net, sink);
	if (!is_small(net))
		return;
	network_print(net, sink);
	struct array *input[8], *output[8] = {NULL};
	cr_assert(network_initialise(net, 0), "case %d: no memory", number);
	for (int i = 0; i < net->input_count; i++) {
		const struct tensor *t = net->input[i];
		input[i] = array_new(t->type, t->rank, t->extent);
		for (int64_t e = 0; e < array_count(input[i]); e++)
			array_set(input[i], e, (double)(e % 7) - 3);
	}
	char *wrong = interpret(net, input, output);
	cr_assert_null(wrong, "case %d: %s", number, wrong);
	for (int i = 0; i < net->input_count; i++)
		array_free(input[i]);
	for (int i = 0; i < net->output_count; i++)
		array_free(output[i]);
}

static FILE *open_sink(void)
{
	FILE *sink = fopen("/dev/null", "w");
	cr_assert(sink);
	return sink;
}

/* ---- Texts ----------------------------------------------------------------------------------------------- */

static const char calls[] =
	"network net(x: f32[N, 4, 6, 6], s: f32[N, 6], i: i8[N, 6]) {\n"
	"\ta = relu(conv(x, filters = 4, kernel = 3, pad = 1, group = 2))\n"
	"\tb = maxpool(a, kernel = (2, 3), stride = 2, pad = (0, 1), ceil_mode = 1)\n"
	"\tc = concat(avgpool(b, kernel = 1), conv(b, 3, 1, dilation = 2), axis = 1)\n"
	"\td = conv_transpose(c, filters = 2, kernel = 2, stride = 2, output_pad = 1)\n"
	"\te = batch_norm(lrn(d, size = 3, alpha = 0.1)) * 2 + 1\n"
	"\tf = resize_nearest(pad(e, axis = 2, before = 1, after = 2, mode = \"reflect\"), (3, "
	"4))\n"
	"\tg = transpose(slice(f, axis = -1, start = 1, count = 2), (0, 2, 3, 1))\n"
	"\th = softmax(reshape(g, (1, -1, 4)), axis = 1) ^ 2\n"
	"\tk = layer_norm(linear(h, 4)) - multi_head_attention(linear(h, 4), heads = 2)\n"
	"\tm = expand(squeeze(reduce_mean(k, axis = 1, keep = 1), 1), (3, 4))\n"
	"\tn = where(greater(m, 0), gelu(m), clip(m, low = -1, high = exp(1)))\n"
	"\to = dense(s, 4)\n"
	"\tp = matmul(reshape(o, (1, 1, 4)), transpose(k, (0, 2, 1)))\n"
	"\tq = cast_i32(i) + 3\n"
	"\treturn (n, p, q, flatten(global_avgpool(f)))\n"
	"}\n";
static const char own[] =
	"op own(X[n, c], Y[c, k] each; taps[2] = (1, 2), low = -1, mode = \"sum\") {\n"
	"\trequire low < 0 and taps[1] % taps[0] == 0, \"low must be negative\"\n"
	"\tparam W[c, taps[1]]: f32, B[c] = constant(0.5)\n"
	"\tindex p < ceil((c - taps[0]) / 2) + 1\n"
	"\tT[n, p] = 0\n"
	"\tT[n, p] += X[n, 2*p + t - 1] * W[p, t] else 0\n"
	"\tM[n] max= X[n, c] > low ? X[n, c] : B[c]\n"
	"\tS[n, c] = (X[n, c] else clamp) - M[n] * c / floor(n + 1)\n"
	"\tif mode == \"sum\" { S[n, c] += T[n, floor(c / 2)] else 0 }\n"
	"\tlist = (1, 2) + range(0, 2)\n"
	"\tfor k in 0 .. len(list) - 2 { S[n, c] += list[k] * X[n, c - k] else drop }\n"
	"\treturn (view(S, (-1, size(S, 1))), T)\n"
	"}\n"
	"network net(x: f32[3, 5]) {\n"
	"\tlast = x\n"
	"\tfor i in 0 .. 3 { last = relu(last) + i }\n"
	"\treturn own(last, x, low = -2)\n"
	"}\n";

static const char *text[MOST_TEXTS];
static int texts, operators; /* the operators of the library are the last so many */

static char *read_text(const char *path)
{
	char *data = calloc(1, ROOM);
	FILE *file = fopen(path, "r");
	cr_assert(file && data, "%s", path);
	cr_assert_gt(fread(data, 1, ROOM - 1, file), 0, "%s", path);
	fclose(file);
	return data;
}

static void collect_texts(void)
{
	glob_t found;
	text[texts++] = calls;
	text[texts++] = own;
	cr_assert_eq(glob(SOURCE_DIR "/examples/*.dnn", 0, NULL, &found), 0);
	glob(SOURCE_DIR "/examples/*.hw", GLOB_APPEND, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		text[texts++] = read_text(found.gl_pathv[i]);
	globfree(&found);
	char *op = strstr(read_text(SOURCE_DIR "/frontend/elaborate/ops.dnn"), "\nop ");
	for (char *next; op && texts < MOST_TEXTS; op = next) {
		next = strstr(op + 1, "\nop ");
		text[texts++] = next ? strndup(op, (size_t)(next - op)) : op;
		operators++;
	}
	cr_assert_gt(operators, 50, "the library's operators are there");
}

/* A word is a name, a number, a string, a line end or one other character; blanks before it belong to it. */
static int split(const char *from, const char *word[], int room)
{
	int words = 0;
	for (const char *at = from; *at && words < room - 1;) {
		word[words++] = at;
		at += strspn(at, " \t");
		if (isalnum((unsigned char)*at) || *at == '_')
			while (isalnum((unsigned char)*at) || *at == '_' || *at == '.')
				at++;
		else if (*at)
			at++;
		word[words] = at;
	}
	return words;
}

/* Copies the words of a text, and of some of them something else. */
static void exchange(char *to, const char *from, int rate)
{
	static const char *const odd[] = {
		"0",      "1",        "2",         "-1",          "1.5",      "1e300",
		"65536",  "1e-300",   "999999999", "infinity",    "-3",       "64",
		"()",     "(1,)",     "(1, 2)",    "x",           "X",        "n",
		"[",      "]",        "(",         ")",           "{",        "}",
		"\n",     ";",        ",",         "...",         "outer...", ":",
		"+",      "*",        "/",         "%",           "^",        "-",
		" else ", " max= ",   " += ",      " = ",         "==",       "..",
		"W",      "relu(x)",  "X[n]",      "x + x",       "\"a\"",    "not ",
		" and ",  " each",    " if ",      " for ",       " return ", " param ",
		"state ", " tensor ", " index ",   " require 1 ", "KiB",      "MHz",
		"@",      "dim",      "len(x)",    "size(x, 0)",  "f64",      "i16",
	};
	static const char *word[ROOM];
	int words = split(from, word, ROOM);
	char *end = to + ROOM - 200;
	for (int i = 0; i < words && to < end; i++) {
		int other = below(words), way = below(rate) ? 9 : below(6);
		size_t length = (size_t)(word[i + 1] - word[i]),
		       others = (size_t)(word[other + 1] - word[other]);
		if (way == 0) /* left out */
			continue;
		if (way <= 2) { /* another of the text */
			memcpy(to, word[other], others);
			to += others;
		} else if (way <= 4) {
			to = stpcpy(to, ONE_OF(odd));
		}
		if (way == 5 || way == 9) {
			memcpy(to, word[i], length);
			to += length;
		}
		if (way == 5) /* twice */
			i -= below(2) * 2 < i ? 1 : 0;
	}
	*to = '\0';
}

static bool holds_machine(const struct tree *tree)
{
	for (const struct tree_item *item = tree->item; item; item = item->next)
		if (item->kind == ITEM_BLOCK)
			return true;
	return false;
}

static void test_text(int number, bool is_shown)
{
	static char damaged[2 * ROOM];
	struct diag diag = {.arena = arena_new(import_out_of_memory, NULL)};
	struct elaborate_options options = {.training = below(4) == 0};
	int chosen = below(4) ? below(texts - operators) : below(2);
	exchange(damaged, text[chosen], 20 + below(200));
	if (below(3) == 0) /* an operator of the library, replaced by what was one */
		exchange(damaged + strlen(damaged), text[texts - 1 - below(operators)], 40);
	if (is_shown)
		fprintf(stderr, "%s\n", damaged);
	FILE *sink = open_sink();
	struct program *program = program_new(diag.arena, &diag);
	program_add(program, "damaged.dnn", damaged, strlen(damaged));
	program_check_names(program);
	train_check(program);
	int before = diag.errors;
	const struct machine *machine =
		holds_machine(program->tree[1]) ? machine_check(program, NULL) : NULL;
	cr_assert(!machine || diag.errors == before, "case %d: a machine with errors", number);
	before = diag.errors;
	struct network *net = elaborate(program, NULL, &options);
	cr_assert(net || diag.errors, "case %d: no network and no error", number);
	cr_assert(!net || diag.errors == before, "case %d: a network with errors", number);
	expect_placed(&diag, number);
	if (net)
		expect_sound(net, sink, number);
	diag_print_text(&diag, sink, false);
	diag_print_json(&diag, sink);
	if (is_shown)
		diag_print_text(&diag, stderr, false);
	network_free(net);
	fclose(sink);
	arena_free(diag.arena);
}

Test(bad_input, texts_with_words_exchanged, .timeout = 3600)
{
	collect_texts();
	for_cases(3000, test_text);
}

/* ---- Models ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *name, *attributes;
	int least, most;
} operators_of_onnx[] = {
#define ONNX_LAST 0
#define MANY 3
#define WINDOW "auto_pad:s kernel_shape:I pads:I strides:I "
#define ONNX_OP(name, first, last, least, most, outputs, attributes, library, import, fold)        \
	{#name, attributes, least, most},
#include "frontend/onnx/onnx_ops.def"
	{"Loop", "body:i", 1, 3},
};

static int64_t odd_integer(void)
{
	static const int64_t odd[] = {0,  1, 2, 3, 4,  5,         6,          7,         8,
				      -1, 1, 2, 3, -2, INT32_MAX, INT32_MIN,  INT64_MAX, INT64_MIN,
				      16, 1, 0, 2, 64, 100000,    3037000500, -3,        1LL << 31};
	return ONE_OF(odd);
}

/* Dimensions that mostly fit: "1,4,6". */
static const char *some_dims(char to[100])
{
	static const char *const odd[] = {
		"",        "1",   "4",       "6",          "0",
		"-1",      "N",   "?",       "3000000000", "2,3",
		"1,4,6",   "4,4", "1,4,6,6", "4,4,3,3",    "1,1,1,1,1,1,1,1",
		"1,4,6,6", "4",   "1,4,6,6", "2",          "1,1,1,1,1,1,1,1,1"};
	snprintf(to, 100, "%s", ONE_OF(odd));
	return to;
}

/* "name:kind=value,value", of a name and a kind that the operator mostly knows. */
static void some_attribute(char *to, size_t room, const char *name, char kind)
{
	static const char *const words[] = {
		"SAME_UPPER",    "VALID",  "NOTSET",     "constant",
		"reflect",       "linear", "nearest",    "half_pixel",
		"asymmetric",    "floor",  "edge",       "",
		"align_corners", "cubic",  "SAME_LOWER", "round_prefer_ceil"};
	size_t at = (size_t)snprintf(to, room, "%s:%c=", name, kind);
	int values = isupper((unsigned char)kind) ? below(9) : 1;
	for (int i = 0; i < values; i++)
		if (kind == 's')
			at += (size_t)snprintf(to + at, room - at, "%s", ONE_OF(words));
		else
			at += (size_t)snprintf(to + at, room - at, "%s%lld", i ? "," : "",
					       (long long)odd_integer());
}

static void add_node(struct model *m, const char *const value[], int values, int number)
{
	char inputs[200] = "", output[40], attributes[800] = "", copy[300], *rest = copy;
	int op = below((int)(sizeof operators_of_onnx / sizeof *operators_of_onnx));
	int least = operators_of_onnx[op].least, most = operators_of_onnx[op].most;
	for (int i = below(20) ? least + below(most - least + 1) : below(6); i > 0; i--) {
		strcat(inputs, below(15) ? value[below(values)] : "-");
		strcat(inputs, i > 1 ? " " : "");
	}
	snprintf(output, sizeof output, below(30) ? "v%d" : "v%d v%d", number, number + 1);
	snprintf(copy, sizeof copy, "%s", operators_of_onnx[op].attributes);
	for (char *word; *copy && (word = strsep(&rest, " "));) {
		char one[300], kind = below(20) ? word[strlen(word) - 1] : "ifsIF"[below(5)];
		if (!strchr("ifsIF", kind) || below(3))
			continue;
		word[strcspn(word, "!:")] = '\0';
		some_attribute(one, sizeof one, word, kind);
		if (strlen(attributes) + strlen(one) + 2 < sizeof attributes) {
			strcat(attributes, *attributes ? " " : "");
			strcat(attributes, one);
		}
	}
	model_node(m, operators_of_onnx[op].name, inputs, output, attributes);
}

static void add_constant(struct model *m, const char *name, int type)
{
	char dims[100];
	int64_t integer[8];
	float number[400];
	for (int i = 0; i < 8; i++)
		integer[i] = odd_integer();
	for (int i = 0; i < 400; i++)
		number[i] = (float)i;
	const char *chosen = some_dims(dims);
	bool is_small_shape =
		strlen(chosen) <= 1 && *chosen != '-' && *chosen != 'N' && *chosen != '?';
	if (type == INT64 && is_small_shape)
		model_integers(m, name, chosen, integer);
	else if (below(10) == 0)
		model_data(m, name, type, chosen, number, (size_t)below(400));
	else
		model_floats(m, name,
			     strchr(chosen, '0') || !isdigit((unsigned char)*chosen) ||
					     strlen(chosen) > 7
				     ? "4,4"
				     : chosen,
			     number);
}

static struct bytes some_model(void)
{
	static const char *const value[] = {"x",  "x",  "i",  "j",  "w",  "b",  "v0",
					    "v0", "v1", "v2", "v3", "v4", "v5", "missing"};
	struct model m = model_new(below(10) ? 7 + below(15) : (int)odd_integer());
	char dims[100];
	int nodes = 1 + below(5);
	model_input(&m, "x", below(5) ? FLOAT : below(17), below(3) ? "1,4,6,6" : some_dims(dims));
	add_constant(&m, "i", INT64);
	add_constant(&m, "j", INT64);
	add_constant(&m, "w", below(8) ? FLOAT : below(17));
	add_constant(&m, "b", FLOAT);
	for (int i = 0; i < nodes; i++) {
		int seen = below(10) ? 6 + (i ? 1 + i : 0) : 14; /* mostly what is before it */
		add_node(&m, value, seen, i);
	}
	for (int i = 0; i < nodes; i++)
		if (i == nodes - 1 || below(4) == 0) {
			char name[16];
			snprintf(name, sizeof name, "v%d", i);
			model_output(&m, name);
		}
	struct bytes bytes = model_bytes(&m);
	for (int i = below(5) ? 0 : 1 + below(4); i > 0; i--) {
		uint8_t *byte = &bytes.data[below((int)bytes.size)];
		*byte = below(2) ? (uint8_t)below(256) : (uint8_t)(*byte ^ (1 << below(8)));
	}
	return bytes;
}

static void test_model(int number, bool is_shown)
{
	struct bytes bytes = some_model();
	if (is_shown)
		write_bytes("bad_input.onnx", bytes.data, bytes.size);
	struct import i = import_bytes(&bytes, below(4) ? "" : "N=2");
	FILE *sink = open_sink();
	if (is_shown)
		fputs(i.text, stderr);
	cr_assert(!i.network == (i.diag.errors > 0), "case %d: %s", number, i.text);
	expect_placed(&i.diag, number);
	if (i.network)
		expect_sound(i.network, sink, number);
	diag_print_json(&i.diag, sink);
	fclose(sink);
	import_free(&i);
	free(bytes.data);
}

Test(bad_input, models_of_random_nodes, .timeout = 3600)
{
	for_cases(3000, test_model);
}
