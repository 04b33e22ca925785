/* cpu_test.c -- native code against the reference interpreter, bit for bit; names, targets and
 * scratch. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/scratch.h"
#include "test/guarded.h"
#include "test/ops_fixture.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(cpu, .timeout = 240);

static bool is_nan_at(const struct array *a, int64_t i)
{
	return type_info(a->type)->is_float && isnan(array_get(a, i));
}

/* The same bits; a NaN is a NaN. */
static bool same_element(const struct array *a, const struct array *b, int64_t i)
{
	size_t bytes = (size_t)type_info(a->type)->bytes;
	const char *x = a->data, *y = b->data;
	return memcmp(x + (size_t)i * bytes, y + (size_t)i * bytes, bytes) == 0 ||
	       (is_nan_at(a, i) && is_nan_at(b, i));
}

/* Values with all bits of the mantissa in use, so that another order of summation shows. */
static void fill_random(struct array *a, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + 1;
	for (int64_t i = 0; i < array_count(a); i++) {
		state = state * 1664525u + 1013904223u;
		double unit = (double)(state >> 8) / (1 << 24) * 2 - 1;
		array_set(a, i, type_info(a->type)->is_float ? unit : unit * 100);
	}
}

static void expect_same_values(struct run *run, const char *text)
{
	struct array *found[RUN_MAX_TENSORS] = {NULL};
	struct cpu_program *program;
	char *error = cpu_compile(run->network, NULL, &program);
	cr_assert_null(error, "%s: %s", text, error);
	error = cpu_run(program, run->input, found);
	cr_assert_null(error, "%s: %s", text, error);
	for (int o = 0; o < run->network->output_count; o++) {
		const struct array *wanted = run->output[o];
		for (int64_t i = 0; i < array_count(wanted); i++)
			cr_assert(same_element(wanted, found[o], i),
				  "%s: output %d, element %lld is %.9g, not %.9g", text, o,
				  (long long)i, array_get(found[o], i), array_get(wanted, i));
		array_free(found[o]);
	}
	cpu_program_free(program);
}

/* Interprets; random inputs and weights. */
static void interpret_text(struct run *run, const char *text)
{
	run_elaborate(run, text);
	if (!run->network)
		diag_print_text(&run->diag, stderr, false);
	cr_assert_not_null(run->network, "no network from: %s", text);
	fill_parameters(run->network);
	for (int i = 0; i < run->network->tensor_count; i++)
		if (run->network->tensor[i]->role == ROLE_PARAM)
			fill_random(run->network->tensor[i]->data, (uint32_t)i + 7);
	for (int i = 0; i < run->network->input_count; i++) {
		const struct tensor *t = run->network->input[i];
		run->input[i] = array_new(t->type, t->rank, t->extent);
		fill_random(run->input[i], (uint32_t)i + 1);
	}
	char *error = interpret(run->network, run->input, run->output);
	cr_assert_null(error, "%s: %s", text, error);
}

static const char *const networks[] = {
	"network t(x: f32[2, 3, 9, 11]) { y = conv(x, 5, kernel = 3, pad = 1); return y }",
	"network t(x: f32[1, 8, 14, 14]) { y = conv(x, 40, kernel = 3, pad = 1); return y }",
	"network t(x: f32[1, 8, 15, 15]) { y = conv(x, 33, kernel = 3, stride = 2, pad = 1); "
	"return y }",
	"network t(x: f32[1, 8, 7, 7]) { y = conv(x, 24, kernel = 1); return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 16, kernel = 3, pad = 1, group = 16); return "
	"y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 16, kernel = 3, pad = 1, group = 16, stride "
	"= 2); return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 8, kernel = 3, group = 4, dilation = 2); "
	"return y }",
	"network t(x: f32[1, 16, 9, 9]) { y = conv(x, 64, kernel = (5, 1), pad = (2, 0, 2, 0), "
	"group = 2); return y }",
	"network t(x: f32[1, 4, 5, 6]) { y = conv_transpose(x, 19, kernel = 3, stride = 2, pad = "
	"1); return y }",
	"network t(x: f32[1, 4, 5, 6]) { y = conv_transpose(x, 4, kernel = 4, stride = 2, pad = 1, "
	"group = 2); return y }",
	"network t(x: f32[1, 30]) { y = dense(x, 101); return y }",
	"network t(x: f32[5, 30]) { y = dense(x, 7); return softmax(y) }",
	"network t(x: f32[1, 3, 13, 17]) { y = maxpool(x, kernel = 3, stride = 2, pad = 1); return "
	"y }",
	"network t(x: f32[1, 3, 33, 35]) { y = maxpool(x, kernel = 2, stride = 2); return y }",
	"network t(x: f32[1, 20, 9, 9]) { y = lrn(x, size = 5); return y }",
	"network t(x: f32[3, 20, 9]) { y = layer_norm(x); return gelu(y) }",
	"network t(x: f32[2, 6, 32]) { y = multi_head_attention(x, heads = 4, causal = 1); return "
	"y }",
	"network t(x: f32[1, 3, 5, 7]) { y = resize_nearest(x, size = (11, 13)); return y }",
	"network t(x: f32[1, 3, 5, 7]) { y = resize_bilinear(x, size = (11, 13)); return y }",
	"network t(x: f32[1, 3, 5, 37]) { y = pad(x, axis = 3, before = 3, after = 5, value = "
	"2.5); return y }",
	"network t(x: f32[1, 3, 5, 37]) { y = pad(x, axis = 2, before = 3, after = 5, mode = "
	"\"edge\"); return y }",
	"network t(x: f32[2, 3, 19], z: f32[3, 1]) { return (x * z, transpose(x, (2, 0, 1)), x / "
	"z) }",
	"network t(x: f32[2, 3, 19]) { return (x, x, relu(x), reshape(x, (6, 19)), "
	"flatten(relu(x))) }",
	"network t(x: f32[40]) { return (exp(x), log(x), sqrt(x), tanh(x), erf(x), sin(x), cos(x), "
	"abs(x)) }",
	"network t(x: i8[1, 4, 9, 9]) { y = conv(x, 20, kernel = 3, pad = 1); return y }",
	"op far(x[n, m]; a) { index i < 4; index j < 3\n"
	"Y[i] += (x[j*a + 1, i*a + j] else 0) * x[j, j]; return Y }\n"
	"network t(x: f32[4, 4]) { return far(x, a = 3000000000000000) }",
};

Test(cpu, operators_equal_the_interpreter)
{
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
		struct run run = {0};
		interpret_text(&run, networks[i]);
		expect_same_values(&run, networks[i]);
		run_free(&run);
	}
}

/* ---- Objects -------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fwrite(data, 1, size, file), size, "%s", path);
	cr_assert_eq(fclose(file), 0, "%s", path);
}

/* This processor, and others with other vectors whose code it can run. */
static bool can_run(const char *cpu)
{
	if (strcmp(cpu, "native") == 0)
		return true;
#if defined __x86_64__
	return strcmp(cpu, "haswell") != 0 ||
	       (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
#else
	return false;
#endif
}

typedef void run_function(void **inputs, void **outputs, void *scratch);

/* Emits for the processor and links; the library at path. */
static void link_library(const struct network *net, const char *cpu, const char *path,
			 const char *text)
{
	struct cpu_target target = {.cpu = strcmp(cpu, "native") == 0 ? NULL : cpu};
	char object[80], command[300], *data;
	size_t size;
	sprintf(object, "%s.o", path);
	sprintf(command, "cc -shared -o %s %s -lm", path, object);
	char *error = cpu_emit(net, &target, CPU_OBJECT, &data, &size, NULL);
	cr_assert_null(error, "%s for %s: %s", text, cpu, error);
	write_file(object, data, size);
	cr_assert_eq(system(command), 0, "%s for %s does not link", text, cpu);
	unlink(object);
	free(data);
}

/* What the header says. */
static size_t scratch_bytes(const struct network *net)
{
	char *header;
	size_t size;
	int bytes = -1;
	char *error = cpu_header(net, "net", &header, &size);
	cr_assert_null(error, "%s", error);
	sscanf(strstr(header, "SCRATCH_BYTES "), "SCRATCH_BYTES %d", &bytes);
	cr_assert_geq(bytes, 0, "%s", header);
	free(header);
	return (size_t)bytes;
}

/* As run_function wants it: inputs, outputs, scratch. */
static void run_guarded(struct run *run, run_function *function, bool at_end, struct array *found[])
{
	const struct network *net = run->network;
	struct guarded memory[2 * RUN_MAX_TENSORS + 1];
	void *pointer[2 * RUN_MAX_TENSORS];
	int inputs = net->input_count, count = inputs + net->output_count;
	for (int i = 0; i < count; i++) {
		memory[i] = guard_array(i < inputs ? run->input[i] : found[i - inputs], at_end);
		pointer[i] = memory[i].at;
	}
	memory[count] = guard(scratch_bytes(net), at_end);
	function(pointer, pointer + inputs, memory[count].at);
	for (int i = inputs; i < count; i++)
		memcpy(found[i - inputs]->data, pointer[i], guarded_bytes(found[i - inputs]));
	for (int i = 0; i <= count; i++)
		unguard(memory[i]);
}

static void run_library(struct run *run, const char *path, bool at_end, struct array *found[])
{
	const struct network *net = run->network;
	void *handle = dlopen(path, RTLD_NOW);
	cr_assert_not_null(handle, "%s", dlerror());
	run_function *function = (run_function *)dlsym(handle, "t_run");
	cr_assert_not_null(function, "no function in %s", path);
	for (int i = 0; i < net->output_count; i++)
		found[i] = array_new(net->output[i]->type, net->output[i]->rank,
				     net->output[i]->extent);
	run_guarded(run, function, at_end, found);
	dlclose(handle);
}

static void expect_same_library(struct run *run, const char *cpu, const char *text)
{
	char folder[] = "/tmp/dnnc-object-XXXXXX", path[64];
	struct array *found[RUN_MAX_TENSORS];
	cr_assert_not_null(mkdtemp(folder), "no folder");
	sprintf(path, "%s/net.so", folder);
	link_library(run->network, cpu, path, text);
	for (int at_end = 0; at_end < 2; at_end++) {
		run_library(run, path, at_end, found);
		for (int i = 0; i < run->network->output_count; i++) {
			for (int64_t j = 0; j < array_count(found[i]); j++)
				cr_assert(same_element(run->output[i], found[i], j),
					  "%s for %s: output %d, element %lld", text, cpu, i,
					  (long long)j);
			array_free(found[i]);
		}
	}
	unlink(path);
	rmdir(folder);
}

/* Libraries of one name would be taken for one another: each lies in a folder of its own. */
Test(cpu, objects_for_other_vectors_equal_the_interpreter)
{
	static const char *const cpus[] = {"native", "haswell", "x86-64"};
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
		struct run run = {0};
		interpret_text(&run, networks[i]);
		for (int c = 0; c < 3; c++)
			if (can_run(cpus[c]))
				expect_same_library(&run, cpus[c], networks[i]);
		run_free(&run);
	}
}

/* ---- Files ---------------------------------------------------------------------------------- */

static void begin_network(struct run *run, const char *text)
{
	run_elaborate(run, text);
	cr_assert_not_null(run->network, "no network from: %s", text);
	fill_parameters(run->network);
}

static const char small[] =
	"network t(x: f32[1, 3, 9, 9]) { y = softmax(dense(flatten(relu(conv(x, 20, "
	"kernel = 3, pad = 1))), 10)); return y }";

static const enum cpu_form forms[] = {CPU_OBJECT, CPU_ASSEMBLY, CPU_IR};

Test(cpu, same_network_same_bytes)
{
	struct run run = {0};
	begin_network(&run, small);
	for (int i = 0; i < 3; i++) {
		char *first, *second;
		size_t first_size, second_size;
		char *error = cpu_emit(run.network, NULL, forms[i], &first, &first_size, NULL);
		cr_assert_null(error, "form %d: %s", i, error);
		error = cpu_emit(run.network, NULL, forms[i], &second, &second_size, NULL);
		cr_assert_null(error, "form %d: %s", i, error);
		cr_assert_eq(first_size, second_size, "form %d differs in size", i);
		cr_assert_arr_eq(first, second, first_size, "form %d differs", i);
		free(first);
		free(second);
	}
	run_free(&run);
}

/* What is asked for; a word of the error, or NULL: it is emitted; a word of the note. */
static const struct {
	const char *triple, *cpu, *features, *error, *note;
} targets[] = {
	{"aarch64-linux-gnu", NULL, NULL, NULL, "-mcpu"},
	{"aarch64-linux-gnu", "cortex-a72", NULL, NULL, NULL},
	{"riscv64-linux-gnu", NULL, NULL, NULL, "-mcpu"},
	{"s390x-linux-gnu", "z15", NULL, NULL, NULL},
	{"i686-linux-gnu", NULL, NULL, NULL, "-mcpu"},
	{"i686-linux-gnu", "pentium4", NULL, NULL, "fmaf"},
	{"i686-linux-gnu", "pentium", NULL, NULL, "last bits"},
	{"x86_64-linux-gnu", "haswell", NULL, NULL, NULL},
	{"x86_64-linux-gnu", "x86-64", NULL, NULL, "fmaf"},
	{"x86_64-linux-gnu", "i386", NULL, "64 bits", NULL},
	{"x86_64-linux-gnu", "nonesuch", NULL, "LLVM knows no processor 'nonesuch'", NULL},
	{"aarch64-linux-gnu", "nonesuch", NULL, "as -mcpu has it", NULL},
	{"x86_64-linux-gnu", "haswell", "+nonesuch", "nonesuch", NULL},
	{"nonesuch-linux-gnu", NULL, NULL, "nonesuch", NULL},
	{"", NULL, NULL, "-mtriple", NULL},
	{"avr", NULL, NULL, "floating-point", NULL},
	{"nvptx64", NULL, NULL, "object files", NULL},
};

static void expect_target(const struct network *net, size_t row)
{
	struct cpu_target target = {.triple = targets[row].triple,
				    .cpu = targets[row].cpu,
				    .features = targets[row].features};
	char *data, *note;
	size_t size;
	char *error = cpu_emit(net, &target, CPU_OBJECT, &data, &size, &note);
	if (targets[row].error) {
		cr_assert_not_null(error, "row %zu: no error", row);
		cr_assert_not_null(strstr(error, targets[row].error), "row %zu: %s", row, error);
		cr_assert_null(data, "row %zu: data with an error", row);
	} else {
		cr_assert_null(error, "row %zu: %s", row, error);
		cr_assert_gt(size, 1000, "row %zu: %zu bytes", row, size);
	}
	if (targets[row].note)
		cr_assert(note && strstr(note, targets[row].note), "row %zu: note is %s", row,
			  note);
	else
		cr_assert_null(note, "row %zu: note is %s", row, note);
	free(error);
	free(note);
	free(data);
}

Test(cpu, every_target_is_an_object_or_a_sentence)
{
	struct run run = {0};
	begin_network(&run, small);
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		expect_target(run.network, i);
	run_free(&run);
}

Test(cpu, code_for_another_processor_is_not_run_here)
{
	static const struct cpu_target foreign[] = {{.triple = "s390x-linux-gnu"},
						    {.cpu = "i386", .cpu_from = "the test"}};
	static const char *const message[] = {"by -mtriple", "the test asks for i386"};
	struct run run = {0};
	begin_network(&run, small);
	for (int i = 0; i < 2; i++) {
		struct cpu_program *program;
		char *error = cpu_compile(run.network, &foreign[i], &program);
		cr_assert_not_null(error, "row %d: no error", i);
		cr_assert_not_null(strstr(error, message[i]), "row %d: %s", i, error);
		cr_assert_null(program, "row %d: a program", i);
		free(error);
	}
	run_free(&run);
}

Test(cpu, parameters_need_values_and_inputs_their_shape)
{
	struct run run = {0};
	struct array *output[RUN_MAX_TENSORS], *wrong;
	struct cpu_program *program;
	run_elaborate(&run, small);
	char *error = cpu_compile(run.network, NULL, &program);
	cr_assert(error && strstr(error, "has no values"), "%s", error);
	free(error);
	fill_parameters(run.network);
	error = cpu_compile(run.network, NULL, &program);
	cr_assert_null(error, "%s", error);
	wrong = array_new(TYPE_F32, 4, (const int64_t[]){1, 3, 9, 8});
	error = cpu_run(program, &wrong, output);
	cr_assert(error && strstr(error, "input x"), "%s", error);
	free(error);
	array_free(wrong);
	cpu_program_free(program);
	run_free(&run);
}

Test(cpu, emission_needs_neither_standard_streams_nor_news_of_children)
{
	struct run run = {0};
	char *data;
	size_t size;
	begin_network(&run, small);
	signal(SIGCHLD, SIG_IGN);
	int kept[3];
	for (int fd = 0; fd < 3; fd++) {
		kept[fd] = fcntl(fd, F_DUPFD, 10);
		close(fd);
	}
	char *error = cpu_emit(run.network, NULL, CPU_OBJECT, &data, &size, NULL);
	for (int fd = 0; fd < 3; fd++)
		dup2(kept[fd], fd);
	signal(SIGCHLD, SIG_DFL);
	cr_assert_null(error, "%s", error);
	cr_assert_arr_eq(data,
			 "\x7f"
			 "ELF",
			 4, "no object");
	free(data);
	run_free(&run);
}

Test(cpu, a_limit_of_file_sizes_is_named)
{
	struct run run = {0};
	struct rlimit limit, low;
	char *data;
	size_t size;
	begin_network(&run, small);
	getrlimit(RLIMIT_FSIZE, &limit);
	low = (struct rlimit){1000, limit.rlim_max};
	setrlimit(RLIMIT_FSIZE, &low);
	char *error = cpu_emit(run.network, NULL, CPU_OBJECT, &data, &size, NULL);
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert(error && strstr(error, "ulimit -f"), "%s", error);
	cr_assert_null(data, "data with an error");
	free(error);
	run_free(&run);
}

/* ---- Headers -------------------------------------------------------------------------------- */

/* Names that C does not take, or takes for something else. */
static const char *const odd_names[] = {"int",   "x",      "x y",      "x.y",   "",      "9",
					"class", "_t",     "\xc3\xa9", "x_y_2", "x/y*/", "NULL_",
					"none",  "inputs", "X",        "int8_t"};

static struct network *oddly_named(struct run *run)
{
	char text[600] = "network t(", *at = text + strlen(text);
	int count = sizeof odd_names / sizeof *odd_names;
	for (int i = 0; i < count; i++)
		at += sprintf(at, "%si%d: f32[%d]", i ? ", " : "", i, i + 1);
	at += sprintf(at, ") { return (");
	for (int i = 0; i < count; i++)
		at += sprintf(at, "%srelu(i%d)", i ? ", " : "", i);
	sprintf(at, ") }");
	begin_network(run, text);
	for (int i = 0; i < count; i++) {
		run->network->input[i]->name = odd_names[i];
		run->network->output_name[i] = odd_names[count - 1 - i];
	}
	run->network->name = "while 1 */";
	return run->network;
}

Test(cpu, header_is_c_and_cpp_whatever_the_names_are)
{
	static const char *const compilers[] = {"cc -std=c11 -x c", "c++ -std=c++11 -x c++"};
	struct run run = {0};
	char folder[] = "/tmp/dnnc-header-XXXXXX", path[64], command[300], *data;
	size_t size;
	cr_assert_not_null(mkdtemp(folder), "no folder");
	char *error = cpu_header(oddly_named(&run), "null_", &data, &size);
	cr_assert_null(error, "%s", error);
	cr_assert(strstr(data, "void while_1____run("), "%s", data);
	cr_assert(strstr(data, "const float *x_y_2_2; /* f32[10]"), "%s", data);
	sprintf(path, "%s/net.h", folder);
	write_file(path, data, size);
	for (int i = 0; i < 2; i++) {
		sprintf(command, "%s -fsyntax-only -Wall -Wextra -pedantic -Werror -include %s %s",
			compilers[i], path, path);
		cr_assert_eq(system(command), 0, "%s:\n%s", command, data);
	}
	unlink(path);
	rmdir(folder);
	free(data);
	run_free(&run);
}

/* Twenty thousand names that are one in C: each number is tried once. */
Test(cpu, header_of_many_equal_names)
{
	enum { MANY = 20000 };
	struct run run = {0};
	char *data;
	size_t size;
	begin_network(&run, "network t(x: f32[2]) { return relu(x) }");
	struct network *net = run.network;
	struct tensor *only = net->output[0];
	net->output_count = MANY;
	net->output = ARENA_ARRAY(net->arena, MANY, struct tensor *);
	net->output_name = ARENA_ARRAY(net->arena, MANY, const char *);
	for (int i = 0; i < MANY; i++) {
		net->output[i] = only;
		net->output_name[i] = i == 3 ? "X_5" : i % 2 ? "X" : "x";
	}
	char *error = cpu_header(net, "many", &data, &size);
	cr_assert_null(error, "%s", error);
	cr_assert(strstr(data, "float *X_5; "), "the name that needs no number");
	cr_assert_null(strstr(data, "float *x_5; "), "the same name in another case");
	cr_assert(strstr(data, "float *X_6; "), "the name after the number that is taken");
	cr_assert(strstr(data, "float *X_20000; "), "the last name");
	free(data);
	run_free(&run);
}

/* ---- Scratch -------------------------------------------------------------------------------- */

Test(cpu, scratch_holds_contemporaries_apart_and_reuses_the_rest)
{
	static const struct buffer chain[] = {
		{100, 0, 1, 0}, {200, 1, 2, 0}, {100, 2, 3, 0}, {64, 3, 3, 0}};
	struct buffer buffer[40];
	struct arena *arena = arena_new(run_out_of_memory, NULL);
	memcpy(buffer, chain, sizeof chain);
	/* 256 bytes for the largest, its neighbours in time share 128 beside it, the last lies
	 * over it. */
	cr_assert_eq(scratch_plan(arena, buffer, 4), 384);
	cr_assert_eq(buffer[0].offset, 256);
	cr_assert_eq(buffer[1].offset, 0);
	cr_assert_eq(buffer[2].offset, 256);
	cr_assert_eq(buffer[3].offset, 0);
	for (uint32_t seed = 1, i = 0; i < 40; i++) {
		seed = seed * 1664525u + 1013904223u;
		int first = (int)(seed >> 28);
		buffer[i] = (struct buffer){1 + (seed >> 8) % 1000, first,
					    first + (int)(seed >> 5) % 6, -1};
	}
	int64_t total = scratch_plan(arena, buffer, 40);
	for (int i = 0; i < 40; i++) {
		const struct buffer *a = &buffer[i];
		cr_assert(a->offset >= 0 && a->offset % 64 == 0 && a->offset + a->bytes <= total,
			  "buffer %d", i);
		for (int j = 0; j < i; j++) {
			const struct buffer *b = &buffer[j];
			bool meet = a->first <= b->last && b->first <= a->last;
			bool overlap = a->offset < b->offset + b->bytes &&
				       b->offset < a->offset + a->bytes;
			cr_assert(!(meet && overlap), "buffers %d and %d overlap", i, j);
		}
	}
	arena_free(arena);
}
