/* onnx_ops_test.c -- ONNX operators against values worked out by hand: attributes and inputs as the operator sets
 * have them, pads, windows, shape arithmetic, normalisations folded into the layer before. */
#include "onnx_fixture.h"

#include <math.h>

enum { MAX_VALUES = 16 };

/* One node on an input x of elements 0, 1, 2, ...; i and j are constant integers, w and b constant floats. */
struct row {
	const char *what;
	int opset;
	const char *x;
	const char *op, *inputs, *attributes;
	const char *i_dims;
	int64_t i[8];
	const char *j_dims;
	int64_t j[8];
	const char *w_dims;
	float w[8];
	const char *b_dims;
	float b[8];
	const char *shape; /* of the first output */
	double value[MAX_VALUES];
};

#define LAST INT64_MAX

static const struct row rows[] = {
	{"Softmax before 13 joins the axes from its own on", 11, "1,2,2", "Softmax", "x",
	 "axis:i=1", .shape = "1x2x2", .value = {0.0320586, 0.0871443, 0.2368828, 0.6439143}},
	{"Softmax since 13 takes one axis", 13, "1,2,2", "Softmax", "x", "axis:i=1",
	 .shape = "1x2x2", .value = {0.1192029, 0.1192029, 0.8807971, 0.8807971}},
	{"Squeeze by attribute", 11, "1,2,1", "Squeeze", "x", "axes:I=0", .shape = "2x1",
	 .value = {0, 1}},
	{"Squeeze by input",
	 13,
	 "1,2,1",
	 "Squeeze",
	 "x i",
	 "",
	 "1",
	 {-1},
	 .shape = "1x2",
	 .value = {0, 1}},
	{"Squeeze of all ones", 13, "1,2,1", "Squeeze", "x", "", .shape = "2", .value = {0, 1}},
	{"Unsqueeze by attribute", 11, "2", "Unsqueeze", "x", "axes:I=0,2", .shape = "1x2x1",
	 .value = {0, 1}},
	{"Unsqueeze by input",
	 13,
	 "2",
	 "Unsqueeze",
	 "x i",
	 "",
	 "1",
	 {-1},
	 .shape = "2x1",
	 .value = {0, 1}},
	{"Clip by attributes", 6, "4", "Clip", "x", "min:f=1 max:f=2", .shape = "4",
	 .value = {1, 1, 2, 2}},
	{"Clip by inputs", 11, "4", "Clip", "x w b", "", .w_dims = "", .w = {1}, .b_dims = "",
	 .b = {2}, .shape = "4", .value = {1, 1, 2, 2}},
	{"Clip above alone", 11, "4", "Clip", "x - b", "", .b_dims = "", .b = {2}, .shape = "4",
	 .value = {0, 1, 2, 2}},
	{"Slice by attributes", 9, "4", "Slice", "x", "starts:I=1 ends:I=-1", .shape = "2",
	 .value = {1, 2}},
	{"Slice by inputs, to the end",
	 10,
	 "4",
	 "Slice",
	 "x i j",
	 "",
	 "1",
	 {2},
	 "1",
	 {LAST},
	 .shape = "2",
	 .value = {2, 3}},
	{"Split by attribute", 11, "4", "Split", "x", "split:I=1,3 axis:i=0", .shape = "1",
	 .value = {0}},
	{"Split by number", 18, "5", "Split", "x", "num_outputs:i=2", .shape = "3",
	 .value = {0, 1, 2}},
	{"Pad by attribute", 10, "2", "Pad", "x", "pads:I=1,2 value:f=9", .shape = "5",
	 .value = {9, 0, 1, 9, 9}},
	{"Pad by input, mirrored",
	 11,
	 "3",
	 "Pad",
	 "x i",
	 "mode:s=reflect",
	 "2",
	 {2, 1},
	 .shape = "6",
	 .value = {2, 1, 0, 1, 2, 1}},
	{"Pad of some axes",
	 18,
	 "1,2",
	 "Pad",
	 "x i - j",
	 "mode:s=edge",
	 "2",
	 {1, 0},
	 "1",
	 {1},
	 .shape = "1x3",
	 .value = {0, 0, 1}},
	{"Upsample", 9, "1,1,1,2", "Upsample", "x w", "mode:s=nearest", .w_dims = "4",
	 .w = {1, 1, 1, 2}, .shape = "1x1x1x4", .value = {0, 0, 1, 1}},
	{"Resize by half pixels", 11, "1,1,1,2", "Resize", "x - w", "mode:s=linear", .w_dims = "4",
	 .w = {1, 1, 1, 2}, .shape = "1x1x1x4", .value = {0, 0.25, 0.75, 1}},
	{"Resize by sizes",
	 13,
	 "1,1,1,2",
	 "Resize",
	 "x - - i",
	 "mode:s=linear coordinate_transformation_mode:s=align_corners",
	 "4",
	 {1, 1, 1, 3},
	 .shape = "1x1x1x3",
	 .value = {0, 0.5, 1}},
	{"Resize by a scale that gives no whole extent", 13, "1,1,1,4", "Resize", "x - w",
	 "mode:s=linear", .w_dims = "4", .w = {1, 1, 1, 0.6F}, .shape = "1x1x1x2",
	 .value = {1.0 / 3, 2}},
	{"ReduceSum by attribute, axes apart", 11, "2,2,2", "ReduceSum", "x",
	 "axes:I=0,2 keepdims:i=0", .shape = "2", .value = {10, 18}},
	{"ReduceSum by input",
	 13,
	 "2,2",
	 "ReduceSum",
	 "x i",
	 "",
	 "1",
	 {-1},
	 .shape = "2x1",
	 .value = {1, 5}},
	{"ReduceMean of all", 11, "2,2", "ReduceMean", "x", "keepdims:i=0", .shape = "",
	 .value = {1.5}},
	{"Gather of one",
	 13,
	 "3,2",
	 "Gather",
	 "x i",
	 "axis:i=0",
	 "",
	 {-1},
	 .shape = "2",
	 .value = {4, 5}},
	{"Gather of a list",
	 13,
	 "3",
	 "Gather",
	 "x i",
	 "",
	 "4",
	 {2, 0, 0, 1},
	 .shape = "4",
	 .value = {2, 0, 0, 1}},
	{"Transpose the other way round", 13, "2,3", "Transpose", "x", "", .shape = "3x2",
	 .value = {0, 3, 1, 4, 2, 5}},
	{"Expand",
	 13,
	 "2,1",
	 "Expand",
	 "x i",
	 "",
	 "3",
	 {2, 1, 2},
	 .shape = "2x2x2",
	 .value = {0, 0, 1, 1, 0, 0, 1, 1}},
	{"Tile",
	 13,
	 "1,2",
	 "Tile",
	 "x i",
	 "",
	 "2",
	 {2, 2},
	 .shape = "2x4",
	 .value = {0, 1, 0, 1, 0, 1, 0, 1}},
	{"Flatten", 13, "2,1,2", "Flatten", "x", "axis:i=-1", .shape = "2x2",
	 .value = {0, 1, 2, 3}},
	{"Reshape keeps at 0 and fills at -1",
	 13,
	 "2,4",
	 "Reshape",
	 "x i",
	 "",
	 "3",
	 {0, -1, 2},
	 .shape = "2x2x2",
	 .value = {0, 1, 2, 3, 4, 5, 6, 7}},
	{"Gemm as written", 13, "1,2", "Gemm", "x w b", "alpha:f=2 beta:f=0.5", .w_dims = "2,2",
	 .w = {1, 2, 3, 4}, .b_dims = "2", .b = {10, 20}, .shape = "1x2", .value = {11, 18}},
	{"Gemm as a dense layer", 13, "1,2", "Gemm", "x w b", "transB:i=1", .w_dims = "2,2",
	 .w = {1, 2, 3, 4}, .b_dims = "2", .b = {10, 20}, .shape = "1x2", .value = {12, 24}},
	{"Gemm as a dense layer, its weight turned", 13, "1,2", "Gemm", "x w b", "",
	 .w_dims = "2,2", .w = {1, 2, 3, 4}, .b_dims = "1,2", .b = {10, 20}, .shape = "1x2",
	 .value = {13, 24}},
	{"MatMul of a vector", 13, "2", "MatMul", "x w", "", .w_dims = "2,2", .w = {1, 2, 3, 4},
	 .shape = "2", .value = {3, 4}},
	{"Conv pads the end first", 13, "1,1,4", "Conv", "x w", "auto_pad:s=SAME_UPPER",
	 .w_dims = "1,1,2", .w = {1, 10}, .shape = "1x1x4", .value = {10, 21, 32, 3}},
	{"Conv pads the beginning first", 13, "1,1,4", "Conv", "x w", "auto_pad:s=SAME_LOWER",
	 .w_dims = "1,1,2", .w = {1, 10}, .shape = "1x1x4", .value = {0, 10, 21, 32}},
	{"Conv in groups", 13, "1,2,1,2", "Conv", "x w b", "group:i=2 strides:I=1,2",
	 .w_dims = "2,1,1,2", .w = {1, 10, 1, 100}, .b_dims = "2", .b = {1000, 2000},
	 .shape = "1x2x1x1", .value = {1010, 2302}},
	{"ConvTranspose to a shape", 13, "1,1,1,2", "ConvTranspose", "x w",
	 "strides:I=1,2 output_shape:I=1,4", .w_dims = "1,1,1,3", .w = {1, 2, 3},
	 .shape = "1x1x1x4", .value = {0, 1, 2, 3}},
	{"MaxPool keeps a part of a window", 12, "1,1,1,3", "MaxPool", "x",
	 "kernel_shape:I=1,2 strides:I=1,2 ceil_mode:i=1", .shape = "1x1x1x2", .value = {1, 2}},
	{"AveragePool without the pad", 11, "1,1,1,2", "AveragePool", "x",
	 "kernel_shape:I=1,2 pads:I=0,1,0,1", .shape = "1x1x1x3", .value = {0, 0.5, 1}},
	{"AveragePool with the pad", 11, "1,1,1,2", "AveragePool", "x",
	 "kernel_shape:I=1,2 pads:I=0,1,0,1 count_include_pad:i=1", .shape = "1x1x1x3",
	 .value = {0, 0.5, 0.5}},
	{"GlobalAveragePool", 13, "1,2,1,2", "GlobalAveragePool", "x", "", .shape = "1x2x1x1",
	 .value = {0.5, 2.5}},
	{"Add from an axis on, as before 7", 6, "2,2", "Add", "x b", "axis:i=0 broadcast:i=1",
	 .b_dims = "2", .b = {10, 20}, .shape = "2x2", .value = {10, 11, 22, 23}},
	{"Sub broadcasts", 7, "2,2", "Sub", "x b", "", .b_dims = "2,1", .b = {1, 2}, .shape = "2x2",
	 .value = {-1, 0, 0, 1}},
	{"Pow of two", 13, "3", "Pow", "x b", "", .b_dims = "", .b = {2}, .shape = "3",
	 .value = {0, 1, 4}},
	{"Pow of a half", 13, "3", "Pow", "x b", "", .b_dims = "", .b = {0.5}, .shape = "3",
	 .value = {0, 1, 1.4142136}},
	{"Resize before 11 takes the element above where it shrinks", 10, "1,1,1,4", "Resize",
	 "x w", "", .w_dims = "4", .w = {1, 1, 1, 0.6F}, .shape = "1x1x1x2", .value = {0, 2}},
	{"Resize before 11 takes the element below where it grows", 10, "1,1,1,2", "Resize", "x w",
	 "", .w_dims = "4", .w = {1, 1, 1, 1.5F}, .shape = "1x1x1x3", .value = {0, 0, 1}},
	{"Resize, 3.5 / 0.7 - 0.5 in single precision is 4.5", 13, "1,1,1,8", "Resize", "x - w", "",
	 .w_dims = "4", .w = {1, 1, 1, 0.7F}, .shape = "1x1x1x5", .value = {0, 2, 3, 4, 6}},
	{"Mean", 13, "2", "Mean", "x b", "", .b_dims = "2", .b = {10, 20}, .shape = "2",
	 .value = {5, 10.5}},
	{"Max of one", 13, "2", "Max", "x", "", .shape = "2", .value = {0, 1}},
	{"Less", 13, "3", "Less", "x b", "", .b_dims = "", .b = {1}, .shape = "3",
	 .value = {1, 0, 0}},
	{"Cast drops the fraction", 13, "3", "Cast", "x", "to:i=6", .shape = "3",
	 .value = {0, 1, 2}},
	{"Dropout does nothing", 13, "2", "Dropout", "x", "", .shape = "2", .value = {0, 1}},
	{"HardSigmoid", 6, "3", "HardSigmoid", "x", "alpha:f=0.25 beta:f=0.5", .shape = "3",
	 .value = {0.5, 0.75, 1}},
	{"LeakyRelu", 6, "2", "LeakyRelu", "x", "", .shape = "2", .value = {0, 1}},
	{"PRelu", 9, "2", "PRelu", "x b", "", .b_dims = "1", .b = {0.5}, .shape = "2",
	 .value = {0, 1}},
	{"BatchNormalization on its own", 9, "1,2,1", "BatchNormalization", "x w w b w",
	 "epsilon:f=0", .w_dims = "2", .w = {4, 1}, .b_dims = "2", .b = {1, 1}, .shape = "1x2x1",
	 .value = {2, 1}},
	{"LayerNormalization", 17, "1,2", "LayerNormalization", "x w", "epsilon:f=0", .w_dims = "2",
	 .w = {1, 3}, .shape = "1x2", .value = {-1, 3}},
	{"Sign", 13, "2", "Sign", "x", "", .shape = "2", .value = {0, 1}},
	{"Where", 13, "2", "Where", "x w b", "", .w_dims = "2", .w = {5, 6}, .b_dims = "", .b = {7},
	 .shape = "2", .value = {7, 6}},
	{"LRN", 13, "1,1,2", "LRN", "x", "size:i=1 alpha:f=3 beta:f=0.5", .shape = "1x1x2",
	 .value = {0, 0.5}},
};

static struct model row_model(const struct row *row)
{
	struct model m = model_new(row->opset);
	const char *dims[2] = {row->i_dims, row->j_dims};
	const int64_t *integers[2] = {row->i, row->j};
	model_input(&m, "x", FLOAT, row->x);
	for (int k = 0; k < 2; k++)
		if (dims[k])
			model_integers(&m, k ? "j" : "i", dims[k], integers[k]);
	if (row->w_dims)
		model_floats(&m, "w", row->w_dims, row->w);
	if (row->b_dims)
		model_floats(&m, "b", row->b_dims, row->b);
	model_node(&m, row->op, row->inputs, strcmp(row->op, "Split") ? "y" : "y z",
		   row->attributes);
	model_output(&m, "y");
	return m;
}

static void check_output(struct import *i, const char *what, const char *shape,
			 const double value[])
{
	run(i);
	cr_expect_str_eq(shape_text(i->output[0]), shape, "%s: the shape is %s", what,
			 shape_text(i->output[0]));
	for (int64_t k = 0; k < array_count(i->output[0]) && k < MAX_VALUES; k++)
		cr_expect(fabs(array_get(i->output[0], k) - value[k]) <=
				  1e-6 * (1 + fabs(value[k])),
			  "%s: element %lld is %.9g, not %.9g", what, (long long)k,
			  array_get(i->output[0], k), value[k]);
}

Test(onnx_ops, one_node)
{
	for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
		struct model m = row_model(&rows[k]);
		struct import i = import_model(&m, "");
		cr_expect(i.network, "%s: %s", rows[k].what, i.text);
		if (i.network)
			check_output(&i, rows[k].what, rows[k].shape, rows[k].value);
		import_free(&i);
	}
}

/* Each comparison of x = 0, 1, 2 with 1, as 0 or 1. */
Test(onnx_ops, comparisons)
{
	static const struct {
		const char *op;
		double value[MAX_VALUES];
	} comparison[] = {
		{"Equal", {0, 1, 0}},   {"Less", {1, 0, 0}},           {"LessOrEqual", {1, 1, 0}},
		{"Greater", {0, 0, 1}}, {"GreaterOrEqual", {0, 1, 1}}, {"And", {0, 1, 1}},
		{"Or", {1, 1, 1}},
	};
	for (size_t k = 0; k < sizeof comparison / sizeof comparison[0]; k++) {
		struct model m = model_new(13);
		model_input(&m, "x", FLOAT, "3");
		model_floats(&m, "one", "", (float[]){1});
		model_node(&m, comparison[k].op, "x one", "c", "");
		model_node(&m, "Not", "c", "not", "");
		model_node(&m, "Not", "not", "y", "");
		model_output(&m, "y");
		struct import i = import_model(&m, "");
		check_output(&i, comparison[k].op, "3", comparison[k].value);
		import_free(&i);
	}
}

/* -299.5, -99.5, 100.5 and 300.5 in every type: toward zero, then saturated. */
Test(onnx_ops, casts)
{
	static const struct {
		int type;
		double value[MAX_VALUES];
	} cast[] = {
		{INT8, {-128, -99, 100, 127}},           {5 /* int16 */, {-299, -99, 100, 300}},
		{INT32, {-299, -99, 100, 300}},          {INT64, {-299, -99, 100, 300}},
		{DOUBLE, {-299.5, -99.5, 100.5, 300.5}}, {BOOL, {1, 1, 1, 1}},
	};
	for (size_t k = 0; k < sizeof cast / sizeof cast[0]; k++) {
		char to[20];
		struct model m = model_new(13);
		snprintf(to, sizeof to, "to:i=%d", cast[k].type);
		model_input(&m, "x", FLOAT, "4");
		model_floats(&m, "middle", "", (float[]){1.5F});
		model_floats(&m, "factor", "", (float[]){200});
		model_floats(&m, "half", "", (float[]){0.5F});
		model_node(&m, "Sub", "x middle", "d", "");
		model_node(&m, "Mul", "d factor", "f", "");
		model_node(&m, "Add", "f half", "s", "");
		model_node(&m, "Cast", "s", "c", to);
		model_node(&m, "Identity", "c", "y", "");
		model_output(&m, "y");
		struct import i = import_model(&m, "");
		check_output(&i, to, "4", cast[k].value);
		import_free(&i);
	}
}

/* x is 0, 1, 2, 3, times 2^32 + 200; as a constant, too: the lowest bits stay. */
Test(onnx_ops, casts_to_narrower_integers)
{
	enum { INT16 = 5 };
	static const struct {
		int type;
		double value[MAX_VALUES];
	} cast[] = {{INT8, {0, -56, -112, 88}},
		    {INT16, {0, 200, 400, 600}},
		    {INT32, {0, 200, 400, 600}}};
	for (size_t k = 0; k < 2 * sizeof cast / sizeof cast[0]; k++) {
		char to[20];
		struct model m = model_new(13);
		snprintf(to, sizeof to, "to:i=%d", cast[k / 2].type);
		model_input(&m, "x", INT64, "4");
		model_integers(&m, "factor", "", (int64_t[]){(INT64_C(1) << 32) + 200});
		model_integers(&m, "known", "4", (int64_t[]){0, 1, 2, 3});
		model_node(&m, "Mul", k % 2 ? "known factor" : "x factor", "product", "");
		model_node(&m, "Cast", "product", "y", to);
		model_output(&m, "y");
		struct import i = import_model(&m, "");
		check_output(&i, to, "4", cast[k / 2].value);
		import_free(&i);
	}
}

/* 0, 1, 2, 3 to the power of 2.5, as a constant, too: the type is the base's. */
Test(onnx_ops, powers_of_integers)
{
	for (int known = 0; known < 2; known++) {
		struct model m = model_new(13);
		model_input(&m, "x", INT64, "4");
		model_floats(&m, "power", "", (float[]){2.5F});
		model_integers(&m, "known", "4", (int64_t[]){0, 1, 2, 3});
		model_node(&m, "Pow", known ? "known power" : "x power", "y", "");
		model_output(&m, "y");
		struct import i = import_model(&m, "");
		check_output(&i, "a power", "4", (double[MAX_VALUES]){0, 1, 5, 15});
		cr_expect_eq(i.output[0]->type, TYPE_I64, "known %d: the type", known);
		import_free(&i);
	}
}

/* ---- Shapes computed by the model ---------------------------------------------------------------------- */

/* x.view(x.size(0), -1), as PyTorch writes it. */
Test(onnx_ops, reshape_by_the_batch)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "N,2,2");
	model_integers(&m, "zero", "", (int64_t[]){0});
	model_integers(&m, "axes", "1", (int64_t[]){0});
	model_integers(&m, "rest", "1", (int64_t[]){-1});
	model_node(&m, "Shape", "x", "s", "");
	model_node(&m, "Gather", "s zero", "n", "axis:i=0");
	model_node(&m, "Unsqueeze", "n axes", "n1", "");
	model_node(&m, "Concat", "n1 rest", "to", "axis:i=0");
	model_node(&m, "Reshape", "x to", "y", "");
	model_output(&m, "y");
	struct import i = import_model(&m, "N=3");
	check_output(&i, "reshape", "3x4",
		     (double[MAX_VALUES]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
	cr_expect_eq(i.network->statement_count, 1, "only the copy to the output is computed: %d",
		     i.network->statement_count);
	import_free(&i);
}

/* interpolate(scale_factor = 1.5): the size is the floor of a product in floats. */
Test(onnx_ops, resize_to_a_computed_size)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "1,1,2,3");
	model_integers(&m, "two", "1", (int64_t[]){2});
	model_integers(&m, "four", "1", (int64_t[]){4});
	model_floats(&m, "factor", "", (float[]){1.5F});
	model_node(&m, "Shape", "x", "s", "");
	model_node(&m, "Slice", "s two four", "hw", "");
	model_node(&m, "Cast", "hw", "f", "to:i=1");
	model_node(&m, "Mul", "f factor", "wide", "");
	model_node(&m, "Floor", "wide", "whole", "");
	model_node(&m, "Cast", "whole", "size", "to:i=7");
	model_node(&m, "Shape", "x", "s2", "end:i=2");
	model_node(&m, "Concat", "s2 size", "to", "axis:i=0");
	model_node(&m, "Resize", "x - - to", "y",
		   "mode:s=nearest coordinate_transformation_mode:s=asymmetric "
		   "nearest_mode:s=floor");
	model_output(&m, "y");
	struct import i = import_model(&m, "");
	check_output(&i, "resize", "1x1x3x4",
		     (double[MAX_VALUES]){0, 0, 1, 2, 0, 0, 1, 2, 3, 3, 4, 5});
	import_free(&i);
}

/* Arithmetic on integers is exact, divides toward zero, and may stand before the constants it needs. */
Test(onnx_ops, integer_arithmetic)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "1");
	model_integers(&m, "a", "2", (int64_t[]){INT64_C(9007199254740993), -7});
	model_integers(&m, "b", "", (int64_t[]){2});
	model_integers(&m, "large", "2", (int64_t[]){INT64_C(9007199254740990), 0});
	model_node(&m, "Sub", "a large", "small", "");
	model_node(&m, "Div", "small b", "half", "");
	model_node(&m, "Cast", "half", "y", "to:i=1");
	model_output(&m, "y");
	struct import i = import_model(&m, "");
	check_output(&i, "integers", "2", (double[MAX_VALUES]){1, -3});
	import_free(&i);
}

/* Initializers of equal values are written once by PyTorch, with an Identity for each further name. */
Test(onnx_ops, constant_of_several_names)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "1,2");
	model_floats(&m, "first", "2", (float[]){1, 10});
	model_node(&m, "Identity", "first", "second", "");
	model_node(&m, "Add", "x first", "s", "");
	model_node(&m, "Mul", "s second", "y", "");
	model_output(&m, "y");
	struct import i = import_model(&m, "");
	check_output(&i, "two names", "1x2", (double[MAX_VALUES]){1, 110});
	int held = 0;
	for (int k = 0; k < i.network->tensor_count; k++)
		held += i.network->tensor[k]->data != NULL;
	cr_expect_eq(held, 1, "the array is held by %d tensors", held);
	import_free(&i);
}

/* Equal, Where, ConstantOfShape, Range, Expand, Transpose and Tile of constants leave nothing to compute. */
Test(onnx_ops, folded_patterns)
{
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, "2,3");
	model_integers(&m, "from", "", (int64_t[]){0});
	model_integers(&m, "to", "", (int64_t[]){6});
	model_integers(&m, "step", "", (int64_t[]){2});
	model_integers(&m, "two", "1", (int64_t[]){2});
	model_integers(&m, "wide", "2", (int64_t[]){2, 3});
	model_node(&m, "Range", "from to step", "range", "");
	model_node(&m, "ConstantOfShape", "two", "zeros", "");
	model_node(&m, "Equal", "range two", "is_two", "");
	model_node(&m, "Where", "is_two step range", "chosen", "");
	model_node(&m, "Expand", "chosen wide", "rows", "");
	model_node(&m, "Cast", "rows", "floats", "to:i=1");
	model_node(&m, "Add", "x floats", "y", "");
	model_output(&m, "y");
	struct import i = import_model(&m, "");
	check_output(&i, "patterns", "2x3", (double[MAX_VALUES]){0, 3, 6, 3, 6, 9});
	cr_expect_eq(i.network->statement_count, 1, "all but the sum is folded: %d",
		     i.network->statement_count);
	import_free(&i);
}

/* ---- Normalisations folded into the layer before ------------------------------------------------------- */

static const struct {
	const char *op, *x, *w, *attributes;
} layers[] = {
	{"Conv", "1,2,2,2", "4,1,2,1", "group:i=2"},
	{"ConvTranspose", "1,4,1,2", "4,2,1,2", "group:i=2"},
	{"Gemm", "2,2", "2,4", ""},
	{"Gemm", "2,2", "4,2", "transB:i=1"},
};

static struct import import_layer(int k, bool with_bias, bool also_before)
{
	static const float w[16] = {1, -2, 3, -4, 5, -6, 7, -8, 2, 1, 0, -1, 3, -3, 4, 4};
	struct model m = model_new(13);
	model_input(&m, "x", FLOAT, layers[k].x);
	model_floats(&m, "w", layers[k].w, w);
	model_floats(&m, "b", "4", (float[]){1, 2, 3, 4});
	model_floats(&m, "scale", "4", (float[]){2, -1, 0.5F, 3});
	model_floats(&m, "bias", "4", (float[]){1, 0, -1, 2});
	model_floats(&m, "mean", "4", (float[]){3, 1, -2, 0.5F});
	model_floats(&m, "var", "4", (float[]){4, 0.25F, 1, 9});
	model_node(&m, layers[k].op, with_bias ? "x w b" : "x w", "c", layers[k].attributes);
	model_node(&m, "BatchNormalization", "c scale bias mean var", "y", "");
	model_output(&m, "y");
	if (also_before)
		model_output(&m, "c");
	return import_model(&m, "");
}

static bool has_op(const struct network *n, const char *op)
{
	for (int i = 0; i < n->statement_count; i++)
		if (!strcmp(n->statement[i]->op, op))
			return true;
	return false;
}

Test(onnx_ops, normalisation_is_folded)
{
	for (int k = 0; k < (int)(sizeof layers / sizeof layers[0]); k++)
		for (int with_bias = 0; with_bias < 2; with_bias++) {
			struct import folded = import_layer(k, with_bias, false);
			struct import plain = import_layer(k, with_bias, true);
			run(&folded);
			run(&plain);
			cr_expect(!has_op(folded.network, "batch_norm"), "%s: not folded",
				  layers[k].op);
			cr_expect(has_op(plain.network, "batch_norm"),
				  "%s: folded although its result is an output", layers[k].op);
			for (int64_t e = 0; e < array_count(folded.output[0]); e++) {
				double a = array_get(folded.output[0], e),
				       b = array_get(plain.output[0], e);
				cr_expect(fabs(a - b) <= 1e-5 * (1 + fabs(b)),
					  "%s: element %lld is %g, not %g", layers[k].op,
					  (long long)e, a, b);
			}
			import_free(&folded);
			import_free(&plain);
		}
}
