/* onnx_test.c -- what the importer makes of a model as a whole: its bytes, names and order, open dimensions, element
 * types, and data in other files. Whatever is wrong is said with its place, and no network comes out. */
#include "onnx_fixture.h"

#include <math.h>
#include <sys/stat.h>

/* Imports and expects no network, and this among what is said. */
static void expect_error(struct import i, const char *what, const char *text)
{
	cr_expect(!i.network, "%s: a network came out", what);
	cr_expect(i.diag.errors > 0, "%s: no error", what);
	cr_expect(strstr(i.text, text), "%s: said was\n%snot\n%s", what, i.text, text);
	import_free(&i);
}

static struct model relu_model(void)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "2");
	model_node(&m, "Relu", "x", "y", "");
	model_output(&m, "y");
	return m;
}

/* ---- Bytes ----------------------------------------------------------------------------------------------- */

Test(onnx, every_beginning_of_a_model_is_an_error)
{
	struct model m = relu_model();
	struct bytes b = model_bytes(&m);
	for (size_t size = 0; size < b.size; size++) {
		struct bytes part = {b.data, size, size};
		expect_error(import_bytes(&part, ""), "a part", "this is not an ONNX model");
	}
	struct import whole = import_bytes(&b, "");
	cr_expect(whole.network, "the whole: %s", whole.text);
	import_free(&whole);
	free(b.data);
}

/* Any byte changed: a network or an error, never both and never neither. */
Test(onnx, every_byte_changed)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "1,2,3,3");
	model_floats(&m, "w", "2,1,2,2", (float[]){1, 2, 3, 4, 5, 6, 7, 8});
	model_integers(&m, "s", "2", (int64_t[]){1, -1});
	model_node(&m, "Conv", "x w", "c", "group:i=2 pads:I=0,0,1,1");
	model_node(&m, "Reshape", "c s", "y", "");
	model_output(&m, "y");
	struct bytes b = model_bytes(&m);
	static const uint8_t change[] = {0x01, 0x02, 0x08, 0x40, 0x80, 0xff};
	for (size_t at = 0; at < b.size; at++)
		for (size_t k = 0; k < sizeof change; k++) {
			b.data[at] ^= change[k];
			struct import i = import_bytes(&b, "");
			cr_expect((i.network != NULL) == (i.diag.errors == 0), "byte %zu: %s", at,
				  i.text);
			import_free(&i);
			b.data[at] ^= change[k];
		}
	free(b.data);
}

/* A graph in an attribute of a node in a graph, far deeper than the C stack would bear. */
Test(onnx, graphs_nested_without_end)
{
	struct bytes inner = {0};
	for (int depth = 0; depth < 2000; depth++) {
		struct bytes attribute = {0}, node = {0}, graph = {0};
		put_text(&attribute, 1, "body");
		put_message(&attribute, 6, &inner);
		put_message(&node, 5, &attribute);
		put_message(&graph, 1, &node);
		inner = graph;
	}
	struct bytes whole = {0};
	put_message(&whole, 7, &inner);
	expect_error(import_bytes(&whole, ""), "nesting", "nested too deep");
	free(whole.data);
}

Test(onnx, wire_format)
{
	struct bytes twice = {0}, graph = {0}, wrong_kind = {0}, group = {0}, zero = {0},
		     none = {0};
	put_message(&twice, 7, &graph);
	put_message(&twice, 7, &graph);
	expect_error(import_bytes(&twice, ""), "two graphs", "a second 'graph'");
	put_integer(&wrong_kind, 7, 1);
	expect_error(import_bytes(&wrong_kind, ""), "a number for a graph",
		     "field 'graph' of the wrong kind");
	put_key(&group, 99, WIRE_START);
	expect_error(import_bytes(&group, ""), "a group", "a field of no known kind");
	put_key(&zero, 0, WIRE_VARINT);
	expect_error(import_bytes(&zero, ""), "field 0", "a broken field number");
	put_integer(&none, 1, 8);
	expect_error(import_bytes(&none, ""), "no graph", "it has no graph");
	expect_error(import_file("no/such.onnx", ""), "no file", "No such file");
	free(twice.data);
	free(wrong_kind.data);
	free(group.data);
	free(zero.data);
	free(none.data);
}

/* ---- Names and order ------------------------------------------------------------------------------------- */

Test(onnx, graph)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "2");
	expect_error(import_model(&m, ""), "empty", "the graph has no output");

	m = model_new(13);
	model_node(&m, "Relu", "missing", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "missing",
		     "node 0 (Relu): error: input 'missing' is no input, initializer or result of "
		     "the graph");

	m = model_new(13);
	model_input(&m, "image", FLOAT, "2");
	model_node(&m, "Relu", "imag", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "near", "did you mean 'image'?");

	m = model_new(13);
	model_input(&m, "x", FLOAT, "2");
	model_node(&m, "Add", "x b", "a", "");
	model_node(&m, "Relu", "a", "b", "");
	model_output(&m, "b");
	expect_error(import_model(&m, ""), "cycle", "it reads 'b', which only a later node writes");

	m = model_new(13);
	model_node(&m, "Relu", "y", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "own", "it reads its own result 'y'");

	m = relu_model();
	model_node(&m, "Relu", "x", "y", "");
	expect_error(import_model(&m, ""), "twice", "the name 'y' is given twice");

	m = model_new(13);
	model_input(&m, "x", FLOAT, "2");
	model_output(&m, "z");
	expect_error(import_model(&m, ""), "output",
		     "output 'z' of the graph is written by no node");
}

/* One error for each operator, with the first node and how many there are; what no output needs is left alone. */
Test(onnx, unknown_operators)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "2");
	model_node(&m, "Fancy", "x", "a", "");
	model_node(&m, "Plain", "a", "b", "");
	model_node(&m, "Fancy", "b", "y", "");
	model_node(&m, "Unused", "b", "z", "");
	model_output(&m, "y");
	struct import i = import_model(&m, "");
	cr_expect_eq(i.diag.errors, 2, "%d errors: %s", i.diag.errors, i.text);
	expect_error(i, "unknown",
		     "node 0 (Fancy): error: operator Fancy is not supported (2 nodes use it)");

	m = model_new(13);
	model_input(&m, "x0", FLOAT, "2");
	for (int k = 0; k < 150; k++) {
		char op[20], from[20], to[20];
		snprintf(op, sizeof op, "Op%d", k);
		snprintf(from, sizeof from, "x%d", k);
		snprintf(to, sizeof to, "x%d", k + 1);
		model_node(&m, op, from, to, "");
	}
	model_output(&m, "x150");
	expect_error(import_model(&m, ""), "more than are shown", "node 99 (Op99): error");

	m = model_new(6);
	model_input(&m, "x", FLOAT, "1,1,2,2");
	model_node(&m, "Upsample", "x", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "version",
		     "operator Upsample is supported in operator sets 7 to 9");

	m = relu_model();
	m.opset = 99;
	struct import newer = import_model(&m, "");
	cr_expect(newer.network, "%s", newer.text);
	cr_expect(strstr(newer.text, "warning: operator set 99 is newer"), "%s", newer.text);
	import_free(&newer);
}

/* ---- Nodes ----------------------------------------------------------------------------------------------- */

static const struct {
	const char *what, *x, *op, *inputs, *attributes, *text;
} nodes[] = {
	{"inputs", "2", "Relu", "x x", "", "2 inputs; Relu takes 1 to 1"},
	{"left out", "2", "Add", "- x", "", "input 0 is left out"},
	{"left out of a list", "2", "Max", "two -", "", "input 1 is left out"},
	{"required", "2", "LRN", "x", "", "attribute 'size' is missing"},
	{"unknown attribute", "2", "Relu", "x", "slope:f=1",
	 "attribute 'slope' is not known to Relu"},
	{"kind", "1,2", "Softmax", "x", "axis:f=1", "attribute 'axis' must be an integer"},
	{"twice", "1,2", "Softmax", "x", "axis:i=1 axis:i=1", "attribute 'axis' is given twice"},
	{"axis", "1,2", "Softmax", "x", "axis:i=2", "axis 2 of a tensor of 2 dimensions"},
	{"stride", "1,1,2,2", "MaxPool", "x", "kernel_shape:I=1,1 strides:I=-1,1", "holds -1"},
	{"dilation", "1,1,2,2", "MaxPool", "x", "kernel_shape:I=1,1 dilations:I=1,0", "holds 0"},
	{"kernel", "1,1,2,2", "MaxPool", "x", "", "attribute 'kernel_shape' is missing"},
	{"large kernel", "1,1,2,2", "MaxPool", "x", "kernel_shape:I=3,3", "(MaxPool): error"},
	{"pads", "1,1,2,2", "MaxPool", "x", "kernel_shape:I=1,1 pads:I=1,1",
	 "has 2 numbers; 4 are needed"},
	{"auto_pad", "1,1,2,2", "MaxPool", "x", "kernel_shape:I=1,1 auto_pad:s=MAYBE",
	 "auto_pad is 'MAYBE'"},
	{"rank", "1,1,2,2,2", "MaxPool", "x", "kernel_shape:I=1,1,1", "a tensor of 5 dimensions"},
	{"weight", "1,3,2,2", "Conv", "x w", "",
	 "does not fit an input of 4 dimensions with 3 channels"},
	{"shapes", "3", "Add", "x b", "", "node 0 (Add): error"},
	{"reshape", "3", "Reshape", "x two", "", "3 elements do not fit"},
	{"reshape by values", "2", "Reshape", "x x", "", "must be known while compiling"},
	{"permutation", "1,2", "Transpose", "x", "perm:I=0,0", "axis 0 is given twice"},
	{"squeeze", "2", "Squeeze", "x two", "", "axis 2 of a tensor of 1 dimensions"},
	{"cast", "2", "Cast", "x", "to:i=8", "a cast to string is not supported"},
	{"expand", "3", "Expand", "x two", "", "cannot be expanded"},
	{"split", "3", "Split", "x two", "", "3 elements cannot be split in 1"},
	{"parts", "3", "Split", "x", "num_outputs:i=9223372036854775807",
	 "3 elements cannot be split in 1"},
	{"gather", "2", "Gather", "x two", "", "an index outside 2 elements"},
	{"training", "2", "BatchNormalization", "x b b b b", "training_mode:i=1",
	 "export the model for inference"},
};

Test(onnx, nodes)
{
	for (size_t k = 0; k < sizeof nodes / sizeof nodes[0]; k++) {
		struct model m = model_new(13);
		model_input(&m, "x", FLOAT, nodes[k].x);
		model_floats(&m, "w", "4,2,1,1", (float[8]){0});
		model_floats(&m, "b", "2", (float[2]){0});
		model_integers(&m, "two", "1", (int64_t[]){2});
		model_node(&m, nodes[k].op, nodes[k].inputs, "y", nodes[k].attributes);
		model_output(&m, "y");
		expect_error(import_model(&m, ""), nodes[k].what, nodes[k].text);
	}
}

/* A few bytes that ask for more memory than there is, by one node or by many that each double. */
Test(onnx, folding_is_bounded)
{
	struct model m = model_new(13);
	model_integers(&m, "huge", "2", (int64_t[]){INT64_C(1) << 20, INT64_C(1) << 20});
	model_node(&m, "ConstantOfShape", "huge", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "huge", "takes too many elements");

	m = model_new(13);
	model_floats(&m, "c0", "1024", (float[1024]){0});
	for (int k = 0; k < 40; k++) {
		char from[30], to[10];
		snprintf(from, sizeof from, "c%d c%d", k, k);
		snprintf(to, sizeof to, "c%d", k + 1);
		model_node(&m, "Concat", from, to, "axis:i=0");
	}
	model_output(&m, "c40");
	expect_error(import_model(&m, ""), "doubling", "takes too many elements");
}

/* ---- Open dimensions --------------------------------------------------------------------------------------- */

static struct import import_open(const char *dims, const char *given)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, dims);
	model_node(&m, "Relu", "x", "y", "");
	model_output(&m, "y");
	return import_model(&m, given);
}

Test(onnx, open_dimensions)
{
	struct import i = import_open("N,3", "");
	cr_assert(i.network, "the batch is 1: %s", i.text);
	cr_expect_eq(i.network->input[0]->extent[0], 1, "the batch is 1");
	cr_expect_str_eq(i.network->output_name[0], "y", "the output keeps its name");
	import_free(&i);
	i = import_open("N,W", "N=2 W=5");
	cr_assert(i.network, "by name: %s", i.text);
	cr_expect_eq(i.network->input[0]->extent[0] * i.network->input[0]->extent[1], 10,
		     "by name");
	import_free(&i);
	i = import_open("?,?", "x.1=5");
	cr_assert(i.network, "by place: %s", i.text);
	cr_expect_eq(i.network->input[0]->extent[1], 5, "by place");
	import_free(&i);

	i = import_open("2,3", "x.1=3");
	cr_assert(i.network, "as the model has it: %s", i.text);
	import_free(&i);

	expect_error(import_open("N,W", ""), "open",
		     "dimension 1 of input 'x' is open in the model; give its "
		     "extent: -dim W=EXTENT");
	expect_error(import_open("2,?", ""), "unnamed", "-dim x.1=EXTENT");
	expect_error(import_open("N,3", "M=2"), "no such", "no open dimension is called 'M'");
	expect_error(import_open("2,3", "M=4"), "none", "the model leaves none open");
	expect_error(import_open("2,3", "x.0=4"), "fixed",
		     "dimension 0 of input 'x' is 2 in the model");
	expect_error(import_open("2,-5", ""), "negative",
		     "dimension 1 of input 'x' has -5 elements");
	expect_error(import_open("4611686018427387904,16", ""), "huge", "does not fit 64 bits");
	expect_error(import_open("1,1,1,1,1,1,1,1,1", ""), "rank", "more than 8 dimensions");
}

/* ---- Element types and data -------------------------------------------------------------------------------- */

/* An initializer of raw bytes, cast to float. */
static struct import import_data(int type, const char *dims, const void *data, size_t size)
{
	struct model m = model_new(13);
	model_data(&m, "w", type, dims, data, size);
	model_node(&m, "Cast", "w", "y", "to:i=1");
	model_output(&m, "y");
	return import_model(&m, "");
}

Test(onnx, element_types)
{
	static const struct {
		int type;
		uint8_t data[16];
		size_t size;
		double value[2];
	} type[] = {
		{UINT8, {0xff, 1}, 2, {255, 1}},
		{INT8, {0xff, 1}, 2, {-1, 1}},
		{BOOL, {1, 0}, 2, {1, 0}},
		{FLOAT16, {0x00, 0x3c, 0x01, 0x80}, 4, {1, -0x1p-24}},
		{INT32, {0xfe, 0xff, 0xff, 0xff, 2}, 8, {-2, 2}},
		{INT64, {0, 0, 0, 0, 1, 0, 0, 0, 3}, 16, {4294967296.0, 3}},
		{DOUBLE, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 16, {1.5, 0}},
	};
	for (size_t k = 0; k < sizeof type / sizeof type[0]; k++) {
		struct import i = import_data(type[k].type, "2", type[k].data, type[k].size);
		run(&i);
		for (int e = 0; e < 2; e++)
			cr_expect_eq(array_get(i.output[0], e), type[k].value[e],
				     "type %d element %d is %g", type[k].type, e,
				     array_get(i.output[0], e));
		import_free(&i);
	}
	expect_error(import_data(STRING, "2", "ab", 2), "string", "elements of type string");
	expect_error(import_data(77, "2", "ab", 2), "unknown", "elements of type unknown");
	expect_error(import_data(FLOAT, "2", "abcdefg", 7), "short",
		     "needs 8 bytes of data, the model has 7");
	expect_error(import_data(FLOAT, "-2", "", 0), "negative", "not a size");
	expect_error(import_data(FLOAT, "9223372036854775807,4", "", 0), "huge", "not a size");
	expect_error(import_data(FLOAT, "0", "", 0), "empty", "'y' has no elements");

	struct model m = model_new(13);
	model_input(&m, "x", STRING, "2");
	model_node(&m, "Identity", "x", "y", "");
	model_output(&m, "y");
	expect_error(import_model(&m, ""), "input", "input 'x' has elements of type string");
}

/* ---- Data in other files ----------------------------------------------------------------------------------- */

/* A weight of two floats whose data are elsewhere; entries are "key value key value". */
static struct import import_external(const char *entries)
{
	struct model m = model_new(13);
	size_t count;
	struct bytes tensor = tensor_head("w", FLOAT, "2", &count);
	char copy[300], *rest = copy;
	snprintf(copy, sizeof copy, "%s", entries);
	for (char *key; *copy && (key = strsep(&rest, " "));) {
		struct bytes entry = {0};
		put_text(&entry, 1, key);
		put_text(&entry, 2, strsep(&rest, " "));
		put_message(&tensor, 13, &entry);
	}
	put_integer(&tensor, 14, 1);
	put_message(&m.graph, 5, &tensor);
	model_node(&m, "Identity", "w", "y", "");
	model_output(&m, "y");
	struct bytes b = model_bytes(&m);
	write_bytes("inner/model.onnx", b.data, b.size);
	free(b.data);
	return import_file("inner/model.onnx", "");
}

Test(onnx, external_data)
{
	static const struct {
		const char *entries, *text;
	} wrong[] = {
		{"location ../outside.bin", "is not a path inside the model's folder"},
		{"location a/../../outside.bin", "is not a path inside the model's folder"},
		{"location /etc/passwd", "is not a path inside the model's folder"},
		{"location link.bin", "leads outside the model's folder"},
		{"location folder/passwd", "leads outside the model's folder"},
		{"location none.bin", "No such file"},
		{"location .", "is not a regular file"},
		{"location data.bin offset 12", "has 16 bytes, but 8 are needed at offset 12"},
		{"location data.bin offset 9223372036854775807", "bytes, but 8 are needed"},
		{"location data.bin offset -4", "is no offset"},
		{"location data.bin length 4", "its shape needs 8 bytes"},
		{"offset 0", "which the model does not name"},
	};
	char folder[] = "/tmp/onnx_test_XXXXXX";
	cr_assert(mkdtemp(folder) && !chdir(folder) && !mkdir("inner", 0700),
		  "a folder to work in");
	write_bytes("outside.bin", (float[]){1, 2}, 8);
	write_bytes("inner/data.bin", (float[]){1, 2, 3, 4}, 16);
	cr_assert(!symlink("../outside.bin", "inner/link.bin") && !symlink("/etc", "inner/folder"),
		  "links");
	struct import i = import_external("location data.bin offset 8 length 8");
	cr_expect_str_eq(i.files, "inner/model.onnx inner/data.bin", "files: %s", i.files);
	run(&i);
	cr_expect_eq(array_get(i.output[0], 0), 3, "the third number: %g",
		     array_get(i.output[0], 0));
	import_free(&i);
	for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++)
		expect_error(import_external(wrong[k].entries), wrong[k].entries, wrong[k].text);
	static const char *const made[] = {"inner/link.bin", "inner/folder", "inner/data.bin",
					   "inner/model.onnx", "outside.bin"};
	for (size_t k = 0; k < sizeof made / sizeof made[0]; k++)
		unlink(made[k]);
	cr_expect(!rmdir("inner") && !chdir("/") && !rmdir(folder), "nothing is left behind");
}
