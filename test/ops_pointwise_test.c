/* ops_pointwise_test.c -- activations, arithmetic, normalisation, softmax and losses of the operator library, run by
 * the interpreter, against the C library and the textbook's definitions in double. */
#include "ops_fixture.h"

/* ---- One tensor ------------------------------------------------------------------------------------------ */

static double relu(double x)
{
	return x > 0 ? x : 0;
}
static double leaky(double x)
{
	return x > 0 ? x : 0.25 * x;
}
static double elu(double x)
{
	return x > 0 ? x : 2 * (exp(x) - 1);
}
static double clip(double x)
{
	return x < -0.5 ? -0.5 : x > 1.25 ? 1.25 : x;
}
static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}
static double hard_sigmoid(double x)
{
	return fmin(1, fmax(0, 0.2 * x + 0.5));
}
static double hard_sigmoid_pytorch(double x)
{
	return fmin(6, fmax(0, x + 3)) / 6;
}
static double hard_swish(double x)
{
	return x * fmin(6, fmax(0, x + 3)) / 6;
}
static double silu(double x)
{
	return x * sigmoid(x);
}
static double softplus(double x)
{
	return x > 30 ? x : log1p(exp(x));
}
static double gelu(double x)
{
	return x * 0.5 * erfc(-x / sqrt(2));
}
static double gelu_tanh(double x)
{
	return 0.5 * x * (1 + tanh(sqrt(2 / 3.141592653589793) * (x + 0.044715 * pow(x, 3))));
}
static double negative(double x)
{
	return -x;
}
static double reciprocal(double x)
{
	return 1 / x;
}
static double triple(double x)
{
	return 3 * x;
}

static const struct {
	const char *call;
	double (*reference)(double);
} unary_row[] = {
	{"relu(x)", relu},
	{"leaky_relu(x, slope = 0.25)", leaky},
	{"elu(x, alpha = 2)", elu},
	{"clip(x, low = -0.5, high = 1.25)", clip},
	{"clip(x, low = 0)", relu},
	{"sigmoid(x)", sigmoid},
	{"hard_sigmoid(x)", hard_sigmoid},
	{"hard_sigmoid(x, alpha = 1 / 6, beta = 0.5)", hard_sigmoid_pytorch},
	{"hard_swish(x)", hard_swish},
	{"silu(x)", silu},
	{"softplus(x)", softplus},
	{"tanh(x)", tanh},
	{"gelu(x)", gelu},
	{"gelu(x, approximate = \"tanh\")", gelu_tanh},
	{"erf(x)", erf},
	{"exp(x)", exp},
	{"log(x)", log},
	{"sqrt(x)", sqrt},
	{"sin(x)", sin},
	{"cos(x)", cos},
	{"neg(x)", negative},
	{"-x", negative},
	{"abs(x)", fabs},
	{"floor(x)", floor},
	{"ceil(x)", ceil},
	{"round(x)", nearbyint},
	{"reciprocal(x)", reciprocal},
	{"scale(x, 3)", triple},
	{"3 * x", triple},
};

Test(ops_pointwise, one_tensor)
{
	for (size_t row = 0; row < sizeof unary_row / sizeof *unary_row; row++) {
		struct run run = {0};
		run.input[0] = VALUES(-80, -3.5, -2.5, -1, -0.125, 0, 0.5, 1, 1.5, 2.5, 80, 7);
		run_network(&run, "network t(x: f32[12]) {\n return %s\n}", unary_row[row].call);
		for (int i = 0; i < 12; i++) {
			double x = array_get(run.input[0], i), wanted = unary_row[row].reference(x);
			double found = array_get(run.output[0], i);
			if (fabs(wanted) > 1e38)
				wanted = wanted > 0 ? INFINITY : -INFINITY;
			cr_expect((isnan(wanted) && isnan(found)) || is_near(found, wanted, 2e-6),
				  "%s at %g: %g, not %g", unary_row[row].call, x, found, wanted);
		}
		run_free(&run);
	}
}

Test(ops_pointwise, prelu_has_a_slope_for_each_channel)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[2, 3, 4]) {\n y = prelu(x)\n return y\n}");
	for (int i = 0; i < 24; i++) {
		double x = array_get(run.input[0], i),
		       slope = AT(param(&run, "y.slope"), i / 4 % 3);
		cr_expect_eq(array_get(run.output[0], i), x < 0 ? slope * x : x, "at %d", i);
	}
	run_free(&run);
}

/* ---- Two tensors: [2, 1, 3] and [4, 1] broadcast to [2, 4, 3] ------------------------------------------------- */

static double add(double a, double b)
{
	return a + b;
}
static double sub(double a, double b)
{
	return a - b;
}
static double mul(double a, double b)
{
	return a * b;
}
static double quotient(double a, double b)
{
	return a / b;
}

static const struct {
	const char *call;
	double (*reference)(double, double);
} binary_row[] = {
	{"add(a, b)", add},  {"a + b", add},      {"sub(a, b)", sub},      {"a - b", sub},
	{"mul(a, b)", mul},  {"a * b", mul},      {"div(a, b)", quotient}, {"a / b", quotient},
	{"min(a, b)", fmin}, {"max(a, b)", fmax}, {"pow(a, b)", pow},
};

Test(ops_pointwise, two_tensors_broadcast)
{
	for (size_t row = 0; row < sizeof binary_row / sizeof *binary_row; row++) {
		struct run run = {0};
		run_network(&run, "network t(a: f32[2, 1, 3], b: f32[4, 1]) {\n return %s\n}",
			    binary_row[row].call);
		EXPECT_SHAPE(run.output[0], (int)row, 2, 4, 3);
		for (int i = 0; i < 24; i++) {
			double wanted = binary_row[row].reference(
				AT(run.input[0], i / 12, 0, i % 3), AT(run.input[1], i / 3 % 4, 0));
			double found = array_get(run.output[0], i);
			cr_expect((isnan(wanted) && isnan(found)) || is_near(found, wanted, 1e-6),
				  "%s at %d: %g, not %g", binary_row[row].call, i, found, wanted);
		}
		run_free(&run);
	}
}

Test(ops_pointwise, where_chooses)
{
	struct run run = {0};
	run_network(
		&run,
		"network t(c: i32[2, 1], a: f32[3], b: f32[2, 3]) {\n return where(c, a, b)\n}");
	for (int i = 0; i < 6; i++)
		cr_expect_eq(array_get(run.output[0], i),
			     AT(run.input[0], i / 3, 0) != 0 ? AT(run.input[1], i % 3)
							     : AT(run.input[2], i / 3, i % 3),
			     "at %d", i);
	run_free(&run);
}

/* ---- Normalisation -------------------------------------------------------------------------------------------- */

/* ONNX LRN: channels from c - floor((size-1)/2) to c + ceil((size-1)/2). */
Test(ops_pointwise, lrn)
{
	for (int size = 1; size <= 6; size++) {
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[2, 7, 2, 3]) {\n"
			    " return lrn(x, size = %d, alpha = 0.5, beta = 0.75, bias = 2)\n}",
			    size);
		for (int i = 0; i < 84; i++) {
			int n = i / 42, c = i / 6 % 7, h = i / 3 % 2, w = i % 3;
			double sum = 0, wanted;
			for (int j = c - (size - 1) / 2; j <= c + size / 2; j++)
				sum += pow(AT_OR(run.input[0], 0, n, j, h, w), 2);
			wanted = AT(run.input[0], n, c, h, w) / pow(2 + 0.5 / size * sum, 0.75);
			cr_expect(is_near(array_get(run.output[0], i), wanted, 1e-6),
				  "size %d at %d", size, i);
		}
		run_free(&run);
	}
}

Test(ops_pointwise, batch_norm_with_running_statistics)
{
	struct run run = {0};
	run_network(&run, "network t(x: f32[2, 3, 2, 2]) {\n y = batch_norm(x, epsilon = 0.125)\n "
			  "return y\n}");
	for (int i = 0; i < 24; i++) {
		int c = i / 4 % 3;
		double wanted = (array_get(run.input[0], i) - AT(param(&run, "y.mean"), c)) /
					sqrt(AT(param(&run, "y.var"), c) + 0.125) *
					AT(param(&run, "y.scale"), c) +
				AT(param(&run, "y.bias"), c);
		cr_expect(is_near(array_get(run.output[0], i), wanted, 1e-6), "at %d", i);
	}
	run_free(&run);
}

/* (x - mean) / sqrt(variance + epsilon) * scale + bias over the elements whose group is that of element i. */
static double normalised(const struct run *run, int i, int (*group)(int), int scale_at)
{
	double mean = 0, variance = 0, count = 0, x = array_get(run->input[0], i);
	int total = (int)array_count(run->input[0]);
	for (int j = 0; j < total; j++)
		if (group(j) == group(i)) {
			mean += array_get(run->input[0], j);
			count++;
		}
	mean /= count;
	for (int j = 0; j < total; j++)
		if (group(j) == group(i))
			variance += pow(array_get(run->input[0], j) - mean, 2) / count;
	return (x - mean) / sqrt(variance + 1e-5) * array_get(param(run, "y.scale"), scale_at) +
	       array_get(param(run, "y.bias"), scale_at);
}

/* Inputs are [2, 3, 2, 2]: n of 12, c of 4, h of 2, w of 1. */
static int by_channel(int i)
{
	return i / 4 % 3;
}
static int by_image_and_channel(int i)
{
	return i / 4;
}
static int by_row(int i)
{
	return i / 2;
}

Test(ops_pointwise, normalisation_by_its_own_statistics)
{
	static const struct {
		const char *call;
		int (*group)(int);
		int scale_divisor, scale_modulus;
		bool training;
	} row[] = {
		{"batch_norm(x)", by_channel, 4, 3, true},
		{"instance_norm(x)", by_image_and_channel, 4, 3, false},
		{"layer_norm(x)", by_row, 1, 2, false},
		{"layer_norm(x, axis = 2)", by_image_and_channel, 1, 4, false},
	};
	for (size_t r = 0; r < sizeof row / sizeof *row; r++) {
		struct run run = {.training = row[r].training};
		run_network(&run, "network t(x: f32[2, 3, 2, 2]) {\n y = %s\n return y\n}",
			    row[r].call);
		for (int i = 0; i < 24; i++) {
			double wanted = normalised(&run, i, row[r].group,
						   i / row[r].scale_divisor % row[r].scale_modulus);
			cr_expect(is_near(array_get(run.output[0], i), wanted, 1e-5),
				  "%s at %d: %g, not %g", row[r].call, i,
				  array_get(run.output[0], i), wanted);
		}
		run_free(&run);
	}
}

/* ---- Softmax and losses ------------------------------------------------------------------------------------------ */

/* Values near 1000, where exp alone would overflow; x is [2, 3, 2], normalised over its axis 1 (or -2). */
Test(ops_pointwise, softmax_subtracts_the_maximum)
{
	for (int axis = -2; axis <= 1; axis += 3) {
		struct run run = {0};
		run_network(&run,
			    "network t(x: f32[2, 3, 2]) {\n y = 8 * x + 1000\n"
			    " return (softmax(y, axis = %d), log_softmax(y, axis = %d))\n}",
			    axis, axis);
		for (int i = 0; i < 12; i++) {
			double x = 8 * array_get(run.input[0], i), sum = 0;
			for (int j = 0; j < 3; j++)
				sum += exp(8 * AT(run.input[0], i / 6, j, i % 2) - x);
			cr_expect(is_near(array_get(run.output[0], i), 1 / sum, 2e-5),
				  "softmax at %d", i);
			cr_expect(is_near(array_get(run.output[1], i), -log(sum), 2e-5),
				  "log at %d", i);
		}
		run_free(&run);
	}
}

Test(ops_pointwise, cross_entropy_and_mse)
{
	struct run run = {0};
	double loss = 0, square = 0;
	run.input[1] =
		filled(array_new(TYPE_I32, 1, (const int64_t[]){3}), 3, (const double[]){2, 0, 3});
	run_network(&run, "network t(x: f32[3, 4], label: i32[3], y: f32[3, 4]) {\n"
			  " return (cross_entropy(x, label), mse(x, y))\n}");
	for (int n = 0; n < 3; n++) {
		double sum = 0, chosen = AT(run.input[0], n, (int64_t)AT(run.input[1], n));
		for (int k = 0; k < 4; k++) {
			sum += exp(AT(run.input[0], n, k));
			square += pow(AT(run.input[0], n, k) - AT(run.input[2], n, k), 2) / 12;
		}
		loss += (log(sum) - chosen) / 3;
	}
	cr_expect_eq(run.output[0]->rank, 0);
	cr_expect(is_near(array_get(run.output[0], 0), loss, 1e-6), "%g, not %g",
		  array_get(run.output[0], 0), loss);
	cr_expect_eq(run.output[1]->rank, 0);
	cr_expect(is_near(array_get(run.output[1], 0), square, 1e-6));
	run_free(&run);
}

/* Inference leaves the tensor as it is; training drops about a fifth and scales the rest by 5/4. */
Test(ops_pointwise, dropout)
{
	int dropped = 0;
	struct run run = {0}, step = {.training = true};
	run_network(&run, "network t(x: f32[20, 50]) {\n return dropout(x, rate = 0.2) + 0\n}");
	for (int i = 0; i < 1000; i++)
		cr_expect_eq(array_get(run.output[0], i), array_get(run.input[0], i));
	run_free(&run);
	run_network(&step, "network t(x: f32[20, 50]) {\n return dropout(x + 2, rate = 0.2)\n}");
	for (int i = 0; i < 1000; i++) {
		double x = array_get(step.input[0], i) + 2, y = array_get(step.output[0], i);
		dropped += y == 0;
		cr_expect(y == 0 || is_near(y, x * 1.25, 1e-6), "at %d: %g from %g", i, y, x);
	}
	cr_expect(dropped > 150 && dropped < 250, "%d of 1000 dropped", dropped);
	run_free(&step);
}
