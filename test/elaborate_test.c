/* elaborate_test.c -- docs/language.md, sections 3.1 to 3.4: what operator text means, and what is said where it is
 * wrong. Each row of a table is the smallest text that shows one rule. */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <string.h>

#include "frontend/elaborate/elaborate.h"
#include "frontend/network/interpret.h"

static jmp_buf out_of_memory;

static void on_failure(void *context)
{
	(void)context;
	longjmp(out_of_memory, 1);
}

struct bench {
	struct arena *arena;
	struct diag diag;
	struct network *network;
};

static struct bench compile_with(const char *text, const struct elaborate_options *options)
{
	struct bench b = {.arena = arena_new(on_failure, NULL)};
	struct program *program;

	b.diag.arena = b.arena;
	program = program_new(b.arena, &b.diag);
	program_add(program, "t.dnn", text, strlen(text));
	b.network = b.diag.errors ? NULL : elaborate(program, NULL, options);
	return b;
}

static struct bench compile(const char *text)
{
	return compile_with(text, NULL);
}

static void finish(struct bench *b)
{
	network_free(b->network);
	arena_free(b->arena);
}

static const char *first_message(const struct bench *b)
{
	return b->diag.count ? b->diag.finding[0].message : "(nothing)";
}

/* ---- What is wrong ----------------------------------------------------------------------------------- */

/* The body of `op t(X[n, c])` with X = f32[2, 3]: the code of the first error, its line in the body, its column. */
static const struct {
	const char *body, *code;
	int line, column;
	const char *message;
} wrong[] = {
	{"Y[n, i] += X[n, c]", "unknown-range", 1, 6, "range of index 'i'"},
	{"Y[n] = X[n, c]", "not-in-target", 1, 13, "index 'c'"},
	{"Y[n, c] = X[n, c + 1]", "outside", 1, 11, "reaches 1 .. 3, and the dimension is 0 .. 2"},
	{"Y[n, c] = X[n - 1, c]", "outside", 1, 11, "reaches -1 .. 0"},
	{"param W[c]\nY[n] += X[n, c] * W[n]", "shape", 2, 21,
	 "runs over 2 in 'x', but dimension 0 of 't.W' is 3"},
	{"X[n, c] = 1", "not-writable", 1, 1, "'X' is complete"},
	{"Y[n, c] = exq(X[n, c])", "unknown-function", 1, 11, "did you mean 'exp'"},
	{"Y[n, c] = relu(X[n, c])", "unknown-function", 1, 11, "operator on whole tensors"},
	{"Y[n, c] = X[n, c] * Q[n]", "not-a-tensor", 1, 21, "no tensor is called 'Q'"},
	{"Y[..., ...] = X[...]", "two-ellipses", 1, 8, "one ellipsis without a name"},
	{"Y[n, c] = X", "no-subscripts", 1, 11, "needs its 2 subscripts"},
	{"Y[n, c] = X[n]", "rank", 1, 11, "takes 2 subscripts"},
	{"Y[n, c] = X[n, c, n]", "rank", 1, 11, "takes 2 subscripts"},
	{"Y[n - 1] += X[n, c]", "outside", 1, 1, "reaches -1, below 0"},
	{"Y[c*n] += X[n, c]", "not-affine", 1, 3, "sum of integer multiples"},
	{"Y[n, c] = X[n, X]", "tensor-subscript", 1, 16, "'X' is a tensor"},
	{"Y[n + c] = X[n, c]", "written-twice", 1, 1, "more than once"},
	{"Y[n + 0*c] += X[n, c]", "not-in-target", 1, 9, "'c' is multiplied by 0"},
	{"Y[n] += X[n, c*4503599627370496*1024] else 0", "too-large", 1, 9, "does not fit"},
	{"Y[n*4503599627370496*1024] += X[n, c]", "too-large", 1, 1, "2^63 bytes"},
	{"tensor Y[n, c]\nY[n, c] = Y[n, c]", "reads-target", 2, 11,
	 "cannot read the tensor that it writes"},
	{"Y[n, c] = X[n, c] else drop", "bad-else", 1, 11, "only a write can be dropped"},
	{"k = 1.5\nY[n, k*c] = X[n, c]", "not-an-integer", 2, 6, "this is 1.5"},
	{"index i < 0\nY[i] = 1", "out-of-range", 1, 11, "at least 1, and this is 0"},
	{"index i < 5\nY[n, i] = X[n, i]", "outside", 2, 11, "reaches 0 .. 4"},
	{"Y = dense(X)", "missing-argument", 1, 5, "needs the attribute 'units'"},
	{"Y = dense(X, 4, 1, 5)", "too-many-arguments", 1, 20, "no further argument"},
	{"Y = dense(X, units = 4, units = 5)", "repeated-argument", 1, 33, "given twice"},
	{"Y = concat(X, X, X = (X, X, X, X, X))", "too-many-arguments", 1, 15, "no further"},
	{"Y = dense(X, unit = 4)", "unknown-argument", 1, 14, "did you mean 'units'"},
	{"Y = dense(X, 4, bias = 0, B = X)", "unused-parameter", 1, 31, "switch it off"},
	{"Y = dense(X, 4, W = X)", "shape", 1, 21,
	 "parameter 'W' of 'dense' is f32[4, 3] here, and 'x' is f32[2, 3]"},
	{"Y = dens(X, 4)", "unknown-operator", 1, 5, "did you mean 'dense'"},
	{"Y = conv(X, 4, 3)", "rank", 1, 10, "takes 4 dimensions as 'I', and 'x' has 2"},
	{"Y = matmul(X, X)", "shape", 1, 15, "needs one extent 'k': it is 3 in 'x'"},
	{"Z[n] += X[n, c]\nY = X + Z", "shape", 2, 5, "3 and 2 do not broadcast"},
	{"Y = view(X, (4, -1))", "shape", 1, 5, "does not fit"},
	{"Y = view(X, (-1, -1))", "bad-shape-list", 1, 5, "one may be -1"},
	{"Y = softmax(X, axis = 2)", "bad-axis", 1, 13, "has no axis 2"},
	{"Y = transpose(X, (0, 0))", "not-a-permutation", 1, 5, "in some order"},
	{"Y = 1 / 0", "division-by-zero", 1, 9, "division by zero"},
	{"Y = X % 2", "bad-operands", 1, 5, "does not take"},
	{"Y = Z", "unknown-name", 1, 5, "nothing is called 'Z'"},
	{"Y = relu(X)\nY = relu(X)", "redefinition", 2, 1, "already defined"},
	{"param W[c]\nparam W[c]", "redefinition", 2, 7, "already defined"},
	{"param W[c] = hee()", "bad-initialiser", 1, 14, "did you mean 'he'"},
	{"param W[c / 2]", "not-an-integer", 1, 9, "this is 1.5"},
	{"param W[3000000000, 3000000000]", "too-large", 1, 1, "2^63"},
	{"param W[1,1,1,1,1,1,1,1,1]", "rank", 1, 1, "at most 8 dimensions"},
	{"require c == 4, \"c must be 4\"", "requirement", 0, 0, "c must be 4"},
	{"if X { }", "not-a-condition", 1, 4, "a condition is"},
	{"a = X ? 1 : 2", "not-a-condition", 1, 5, "this is tensor 'x'"},
	{"require \"yes\"", "not-a-condition", 1, 9, "this is \"yes\""},
	{"a = (1, 2)\nY[n, c] = a ? X[n, c] : 0", "not-a-condition", 2, 11, "this is a list"},
	{"for i in 5 { }", "not-a-list", 1, 10, "a list or a range"},
	{"for i in 0 .. 2000000 { }", "bad-range", 1, 10, "at most"},
	{"for i in 0 .. 1000 { for j in 0 .. 1000 { for k in 0 .. 1000 { a = 1 } } }", "too-long",
	 1, 52, "steps"},
	{"a = (1,)\nfor i in 0 .. 100 { a = a + a }", "too-long", 2, 25, "steps"},
	{"for i in 0 .. 100000 { Y = relu(X) }", "too-long", 1, 28, "50000 tensors"},
	{"a = (1, 2)\nb = a[2]", "out-of-range", 2, 7, "between -2 and 1"},
	{"a = X[0]", "not-a-list", 1, 5, "read in a tensor statement"},
	{"Y = t(X)", "too-deep", 1, 5, "more than 64 deep"},
};

Test(elaborate, every_wrong_text_is_told_where_and_why)
{
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char text[1024];
		int line = 0, column = 0;
		bool at_body = wrong[i].line > 0;

		snprintf(text, sizeof text,
			 "op t(X[n, c]) {\n%s\nreturn X\n}\nnetwork net(x: f32[2, 3]) {\nreturn "
			 "t(x)\n}\n",
			 wrong[i].body);
		struct bench b = compile(text);
		cr_assert_null(b.network, "%s: accepted", wrong[i].body);
		cr_assert_gt(b.diag.errors, 0, "%s: no error", wrong[i].body);
		const struct finding *f = &b.diag.finding[0];
		cr_expect_str_eq(f->code, wrong[i].code, "%s: %s (%s)", wrong[i].body, f->code,
				 f->message);
		cr_expect(strstr(f->message, wrong[i].message), "%s: \"%s\"", wrong[i].body,
			  f->message);
		cr_assert_not_null(f->span.source, "%s: no place", wrong[i].body);
		source_position(f->span.source, f->span.begin, &line, &column);
		if (at_body)
			cr_expect(line == wrong[i].line + 1 && column == wrong[i].column,
				  "%s: at %d:%d", wrong[i].body, line - 1, column);
		finish(&b);
	}
}

Test(elaborate, independent_errors_of_one_file_are_all_told)
{
	char text[4096] = "network net(x: f32[2, 3]) {\n";

	for (int i = 0; i < 25; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "y%d = dense(x, %d, bais = 1)\n", i, i + 1);
	strcat(text, "return x\n}\n");
	struct bench b = compile(text);
	cr_expect_eq(b.diag.errors, 25, "%d errors", b.diag.errors);
	finish(&b);
}

Test(elaborate, one_error_does_not_raise_others)
{
	struct bench b = compile("network net(x: f32[2, 3]) {\n y = dens(x, 4)\n z = relu(y)\n w = "
				 "y + z\n return conv(w, 3, 3)\n}");

	cr_expect_eq(b.diag.errors, 1, "%d errors", b.diag.errors);
	finish(&b);
}

Test(elaborate, an_error_said_before_gives_its_notes_to_no_other)
{
	struct bench b = compile("network net(x: f32[2, 3], y: f32[4, 5]) {\n for i in 0 .. 2 {\n"
				 "  a = matmul(x, y)\n  b = nothing\n }\n return x\n}");

	cr_assert_eq(b.diag.errors, 2, "%d errors", b.diag.errors);
	cr_assert_eq(b.diag.count, 4, "%d findings", b.diag.count);
	cr_expect_str_eq(b.diag.finding[3].code, "unknown-name", "nothing behind the second error");
	finish(&b);
}

Test(elaborate, a_shape_error_shows_both_shapes_and_their_origins)
{
	struct bench b =
		compile("network net(x: f32[2, 3], y: f32[4, 5]) {\n return matmul(x, y)\n}");

	cr_assert_eq(b.diag.count, 3, "%d findings", b.diag.count);
	cr_expect(strstr(b.diag.finding[0].message, "f32[2, 3]") &&
			  strstr(b.diag.finding[0].message, "f32[4, 5]"),
		  "%s", b.diag.finding[0].message);
	for (int i = 1; i < 3; i++) {
		int line, column;
		cr_expect_eq(b.diag.finding[i].severity, SEVERITY_NOTE);
		source_position(b.diag.finding[i].span.source, b.diag.finding[i].span.begin, &line,
				&column);
		cr_expect(line == 1 && column == (i == 1 ? 13 : 27), "note %d at %d:%d", i, line,
			  column);
	}
	finish(&b);
}

Test(elaborate, an_error_in_the_library_is_told_at_the_call)
{
	struct bench b = compile(
		"network net(x: f32[1, 3, 8, 8]) {\n return conv(x, 4, 3, dilation = 0)\n}");
	int line, column;

	cr_assert_eq(b.diag.errors, 1);
	source_position(b.diag.finding[0].span.source, b.diag.finding[0].span.begin, &line,
			&column);
	cr_expect(!b.diag.finding[0].span.source->is_library && line == 2 && column == 9,
		  "at %d:%d", line, column);
	cr_expect(strstr(b.diag.finding[0].message, "dilation of at least 1"), "%s",
		  b.diag.finding[0].message);
	cr_expect(b.diag.finding[1].span.source->is_library, "the note is in the library");
	finish(&b);
}

Test(elaborate, a_name_among_thousands_is_found_at_once, .timeout = 60)
{
	enum { NAMES = 20000 };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("network net(x: f32[2, 3]) {\n", out);
	for (int i = 0; i < NAMES; i++)
		fprintf(out, "a%d = %d\n", i, i);
	fputs("for i in 0 .. 300000 { b = a0 }\nreturn x + b + a19999\n}\n", out);
	fclose(out);
	struct bench b = compile(text);
	cr_expect_not_null(b.network, "%s", first_message(&b));
	finish(&b);
	free(text);
}

/* Does a note hold these words? */
static bool has_note(const struct bench *b, const char *words)
{
	for (int i = 0; i < b->diag.count; i++)
		if (b->diag.finding[i].severity == SEVERITY_NOTE &&
		    strstr(b->diag.finding[i].message, words))
			return true;
	return false;
}

Test(elaborate, notes_say_what_the_writer_may_have_missed)
{
	struct bench b = compile(
		"op my(X[n, c]; k) {\n param W[k, c]\n Y[n, k] += X[n, c] * W[k, c]\n return Y\n}\n"
		"network net(x: f32[N, 4], y: f32[1, H]) {\n return my(x, 4)\n}");

	cr_expect(has_note(&b, "'k' is the number 4 here"),
		  "an attribute that was meant as an index");
	cr_expect(has_note(&b, "'H' is 1, since -dim H=EXTENT is not given"), "an open extent");
	finish(&b);
	b = compile("network net(x: f32[1, 3, 8, 8]) {\n return conv(x, 4, kernel_size = 3)\n}");
	cr_expect(strstr(first_message(&b), "did you mean 'kernel'"), "%s", first_message(&b));
	cr_expect(has_note(&b, "'conv' is described here"), "the operator's line");
	finish(&b);
}

Test(elaborate, a_result_that_no_output_needs_is_a_warning)
{
	struct bench b =
		compile("network net(x: f32[2, 3]) {\n y = dense(x, 4)\n return relu(x)\n}");

	cr_assert_not_null(b.network, "%s", first_message(&b));
	cr_expect_eq(b.diag.warnings, 1);
	cr_expect_str_eq(b.diag.finding[0].code, "unused-result");
	for (int i = 0; i < b.network->tensor_count; i++)
		cr_expect_neq(b.network->tensor[i]->role, ROLE_PARAM,
			      "the parameters of y are left out");
	finish(&b);
}

/* ---- What is right: values ------------------------------------------------------------------------------ */

/* Networks of x = [[1, 2, 3], [4, 5, 6]] and what they compute, row-major. */
static const struct {
	const char *text;
	int count;
	double value[12];
	const char *shape;
} right[] = {
	/* section 3.2: compile-time expressions */
	{"return x * (7 / 2)", 6, {3.5, 7, 10.5, 14, 17.5, 21}, "f32[2, 3]"},
	{"return x * floor(-7 / 2)", 6, {-4, -8, -12, -16, -20, -24}, "f32[2, 3]"},
	{"return x * (2 ^ 3 - 7 % 4)", 6, {5, 10, 15, 20, 25, 30}, "f32[2, 3]"},
	{"return x * (not 0 and 1 < 2 ? sum((1, 2)) : 0)", 6, {3, 6, 9, 12, 15, 18}, "f32[2, 3]"},
	{"return x * (1, 2, 4)[1]", 0, {0}, NULL},
	{"a = (1, 2) + (4,)\nreturn x * a[-1] * len(a)", 6, {12, 24, 36, 48, 60, 72}, "f32[2, 3]"},
	{"return view(x, (3, -1))", 6, {1, 2, 3, 4, 5, 6}, "f32[3, 2]"},
	{"return -x + size(x, 1) * rank(x)", 6, {5, 4, 3, 2, 1, 0}, "f32[2, 3]"},
	{"y = x\nfor i in 0 .. 3 {\n y = y + i\n}\nreturn y", 6, {4, 5, 6, 7, 8, 9}, "f32[2, 3]"},
	{"if training {\n return x\n} else {\n return x + 1\n}",
	 6,
	 {2, 3, 4, 5, 6, 7},
	 "f32[2, 3]"},
	/* section 3.3: tensor statements */
	{"index i < 2\nindex j < 3\ny[j, i] = x[i, j]\nreturn y",
	 6,
	 {1, 4, 2, 5, 3, 6},
	 "f32[3, 2]"},
	{"y[i] += x[i, j]\nreturn y", 2, {6, 15}, "f32[2]"},
	{"y[j] max= -x[i, j]\nreturn y", 3, {-1, -2, -3}, "f32[3]"},
	{"index j < 5\ny[i, j] = x[i, j - 1] else 9\nreturn y",
	 10,
	 {9, 1, 2, 3, 9, 9, 4, 5, 6, 9},
	 "f32[2, 5]"},
	{"index j < 5\ny[i, j] = x[i, j - 1] else clamp\nreturn y",
	 10,
	 {1, 1, 2, 3, 3, 4, 4, 5, 6, 6},
	 "f32[2, 5]"},
	{"index j < 6\ny[i, j] = x[i, floor(j / 2)]\nreturn y",
	 12,
	 {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6},
	 "f32[2, 6]"},
	{"tensor y[2, 2]\ny[i, j - 1] else drop += x[i, j]\nreturn y",
	 4,
	 {2, 3, 5, 6},
	 "f32[2, 2]"},
	{"y[3*i + j] = x[i, j]\nreturn y", 6, {1, 2, 3, 4, 5, 6}, "f32[6]"},
	{"y[2*j] += x[i, j]\nreturn y", 5, {5, 0, 7, 0, 9}, "f32[5]"},
	{"index i < 2\ny[i, j] = x[i, j] + 10 * i\nreturn y",
	 6,
	 {1, 2, 3, 14, 15, 16},
	 "f32[2, 3]"},
	{"y[i, j] = x[i, j] > 3 ? 1 : 0\nreturn y", 6, {0, 0, 0, 1, 1, 1}, "f32[2, 3]"},
	{"y: i8[i, j] = x[i, j] * 50\nreturn y", 6, {50, 100, 127, 127, 127, 127}, "i8[2, 3]"},
	{"y: i8[i, j] = x[i, j]\nz[i] += y[i, j]\nreturn z", 2, {6, 15}, "i32[2]"},
	{"y: i8[i, j] = x[i, j]\nz[i, j] = y[i, j] * 25 + 1\nreturn z",
	 6,
	 {26, 51, 76, 101, 126, 127},
	 "i8[2, 3]"},
	{"y: i8[i, j] = x[i, j]\nz[i, j] = y[i, j] * 0.5\nreturn z",
	 6,
	 {0.5, 1, 1.5, 2, 2.5, 3},
	 "f32[2, 3]"},
	{"y: i8[i, j] = x[i, j]\nreturn sqrt(y * y)", 6, {1, 2, 3, 4, 5, 6}, "f32[2, 3]"},
	{"y: i8[i, j] = x[i, j] * -10\nreturn y + 300",
	 6,
	 {290, 280, 270, 260, 250, 240},
	 "i32[2, 3]"},
	{"y: i8[i, j] = x[i, j]\nreturn y + 122", 6, {123, 124, 125, 126, 127, 127}, "i8[2, 3]"},
	{"y: i8[i, j] = x[i, j]\nreturn halves(y)", 2, {0.5, 0.5}, "f32[2]"},
	{"return greater(x, 3)", 6, {0, 0, 0, 1, 1, 1}, "i32[2, 3]"},
	{"y[i] += x[i, j] > 1 ? 1 : 0\nreturn y", 2, {2, 3}, "f32[2]"},
	{"y[... by (1, 0)] = x[...]\nreturn y", 6, {1, 4, 2, 5, 3, 6}, "f32[3, 2]"},
	{"m[j] max= x[i, j]\ny[...] = x[...] - m[...]\nreturn y",
	 6,
	 {-3, -3, -3, 0, 0, 0},
	 "f32[2, 3]"},
	{"s += x[i, j]\nreturn s", 0, {0}, NULL},
	{"s[] += x[i, j]\nreturn s", 1, {21}, "f32[]"},
	{"return concat(x, x + 10, axis = 0)",
	 12,
	 {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16},
	 "f32[4, 3]"},
};

static const char *shape_of(struct arena *arena, const struct tensor *t)
{
	const char *text = arena_printf(arena, "%s[", type_info(t->type)->name);

	for (int i = 0; i < t->rank; i++)
		text = arena_printf(arena, "%s%s%lld", text, i ? ", " : "",
				    (long long)t->extent[i]);
	return arena_printf(arena, "%s]", text);
}

Test(elaborate, text_means_what_the_language_says)
{
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		char text[512];
		struct array *output = NULL, *input = array_new(TYPE_F32, 2, (int64_t[]){2, 3});

		for (int k = 0; k < 6; k++)
			array_set(input, k, k + 1);
		snprintf(text, sizeof text,
			 "op halves(X[n, c]) {\nindex i < n\nH[i] = 0.5\nreturn H\n}\n"
			 "network net(x: f32[2, 3]) {\n%s\n}\n",
			 right[i].text);
		struct bench b = compile(text);
		if (!right[i].shape) {
			cr_expect_null(b.network, "%s: accepted", right[i].text);
			array_free(input);
			finish(&b);
			continue;
		}
		cr_assert_not_null(b.network, "%s: %s", right[i].text, first_message(&b));
		const char *broken = network_check(b.network);
		cr_assert_null(broken, "%s: %s", right[i].text, broken);
		char *error = interpret(b.network, &input, &output);
		cr_assert_null(error, "%s: %s", right[i].text, error);
		cr_expect_str_eq(shape_of(b.arena, b.network->output[0]), right[i].shape, "%s",
				 right[i].text);
		cr_assert_eq(array_count(output), right[i].count, "%s", right[i].text);
		for (int k = 0; k < right[i].count; k++)
			cr_expect_eq(array_get(output, k), right[i].value[k], "%s: [%d] is %g",
				     right[i].text, k, array_get(output, k));
		array_free(input);
		array_free(output);
		finish(&b);
	}
}

Test(elaborate, parameters_are_named_after_their_binding)
{
	struct bench b = compile("op block(x[n, c]) {\n left = dense(x, 4)\n return left + "
				 "dense(dense(x, 4), 4)\n}\n"
				 "network net(x: f32[2, 3]) {\n a = dense(x, 3)\n b = block(a)\n "
				 "return dense(b, 2)\n}");
	static const char *const wanted[] = {"a.W", "a.B",   "b.left.W", "b.left.B", "b.W",
					     "b.B", "b.2.W", "b.2.B",    "dense.W",  "dense.B"};
	int found = 0;

	cr_assert_not_null(b.network, "%s", first_message(&b));
	for (int i = 0; i < b.network->tensor_count; i++)
		if (b.network->tensor[i]->role == ROLE_PARAM) {
			cr_assert_lt(found, 10);
			cr_expect_str_eq(b.network->tensor[i]->name, wanted[found], "%s, not %s",
					 b.network->tensor[i]->name, wanted[found]);
			found++;
		}
	cr_expect_eq(found, 10, "%d parameters", found);
	finish(&b);
}

Test(elaborate, symbolic_extents_come_from_options)
{
	static const char text[] =
		"network net(x: f32[N, C], y: f32[N, 2]) {\n return concat(x, y)\n}";
	struct dim_binding dims[] = {{"N", 7}, {"C", 5}}, unknown[] = {{"M", 3}};
	struct elaborate_options options = {.dim = dims, .dim_count = 2};
	struct bench b = compile_with(text, &options);

	cr_assert_not_null(b.network, "%s", first_message(&b));
	cr_expect_str_eq(shape_of(b.arena, b.network->output[0]), "f32[7, 7]");
	finish(&b);
	options = (struct elaborate_options){.dim = unknown, .dim_count = 1};
	b = compile_with(text, &options);
	cr_expect_null(b.network);
	cr_expect_str_eq(b.diag.finding[0].code, "unknown-dim");
	finish(&b);
}

/* The names of outputs: of a tensor statement's target, of a declaration, of a binding; else "output". */
static const struct {
	const char *body, *name;
} outputs[] = {
	{"y[n, c] = x[n, c]\nreturn y", "y"}, {"tensor y[2]\ny[n] += x[n, c]\nreturn y", "y"},
	{"y = relu(x)\nreturn y", "y"},       {"y[n, c] = x[n, c]\nz = y\nreturn z", "y"},
	{"return relu(x)", "output"},         {"return x", "x"},
};

Test(elaborate, an_output_has_the_name_that_the_network_gave_it)
{
	for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
		char text[256];

		snprintf(text, sizeof text, "network net(x: f32[2, 3]) {\n%s\n}\n",
			 outputs[i].body);
		struct bench b = compile(text);
		cr_assert_not_null(b.network, "%s: %s", outputs[i].body, first_message(&b));
		cr_expect_str_eq(b.network->output_name[0], outputs[i].name, "%s", outputs[i].body);
		finish(&b);
	}
}

/* Without B, its default; a default may use attributes, and must fit the pattern. */
Test(elaborate, a_tensor_with_a_default_may_be_left_out)
{
	struct bench b = compile("op f(X[n], B[...] = shift; shift = 2) {\n Y[...] = X[...] + "
				 "B[...]\n return Y\n}\nnetwork net(x: f32[2]) {\n return f(x)\n}");

	cr_assert_not_null(b.network, "%s", first_message(&b));
	cr_expect_eq(b.network->statement_count, 1);
	finish(&b);
	b = compile("op f(X[n], B[n] = 0) {\n return X\n}\nnetwork net(x: f32[2]) {\n return "
		    "f(x)\n}");
	cr_assert_null(b.network);
	cr_expect_str_eq(b.diag.finding[0].code, "rank", "%s", first_message(&b));
	finish(&b);
}

Test(elaborate, a_given_parameter_is_shared)
{
	struct bench b = compile(
		"network net(x: f32[2, 3]) {\n param S[3, 3]\n a = dense(x, 3, bias = 0, W = S)\n"
		" return dense(a, 3, bias = 0, W = S)\n}");
	int parameters = 0;

	cr_assert_not_null(b.network, "%s", first_message(&b));
	for (int i = 0; i < b.network->tensor_count; i++)
		parameters += b.network->tensor[i]->role == ROLE_PARAM;
	cr_expect_eq(parameters, 1, "%d parameters", parameters);
	finish(&b);
}
