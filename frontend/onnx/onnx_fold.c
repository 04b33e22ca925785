/* onnx_fold.c -- element by element arithmetic on constants, as shape computations need it.
 * Integers are computed in 64 bits, wrapping; floats in double and rounded once to their own type. */
#include "frontend/onnx/onnx_import.h"

#include <math.h>
#include <string.h>

/* ---- One operand ------------------------------------------------------------------------------------- */

static double negative(double x)
{
	return -x;
}
static double reciprocal(double x)
{
	return 1 / x;
}
static double relu(double x)
{
	return x < 0 ? 0 : x;
}
static double sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}
static double sign(double x)
{
	return x > 0 ? 1 : x < 0 ? -1 : x;
}
static double not(double x)
{
	return x == 0;
}

static const struct {
	const char *op;
	double (*compute)(double);
	bool keeps_integers; /* exact in a double as far as the operand is, and an integer again */
} unaries[] = {
	{"Abs", fabs, true},         {"Ceil", ceil, false},
	{"Cos", cos, false},         {"Erf", erf, false},
	{"Exp", exp, false},         {"Floor", floor, false},
	{"Log", log, false},         {"Neg", negative, true},
	{"Not", not, true},          {"Reciprocal", reciprocal, false},
	{"Relu", relu, true},        {"Round", nearbyint, false},
	{"Sigmoid", sigmoid, false}, {"Sign", sign, true},
	{"Sin", sin, false},         {"Sqrt", sqrt, false},
	{"Tanh", tanh, false},
};

struct constant *fold_unary(struct onnx *o, struct onnx_node *n)
{
	const struct constant *x = onnx_constant(o, n, 0);
	for (size_t i = 0; i < sizeof unaries / sizeof unaries[0]; i++) {
		if (strcmp(unaries[i].op, n->op->name) != 0)
			continue;
		if (constant_is_integer(x) && !unaries[i].keeps_integers)
			return NULL;
		struct constant *y = constant_made(o, n, x->onnx_type, x->rank, x->extent);
		for (int64_t k = 0; y && k < y->count; k++)
			constant_set_number(y, k, unaries[i].compute(constant_number(x, k)));
		return y;
	}
	return NULL;
}

/* ---- Two operands ------------------------------------------------------------------------------------ */

typedef double number_fn(double, double);
typedef int64_t integer_fn(int64_t, int64_t);

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
static double least(double a, double b)
{
	return isnan(a) || a < b ? a : b;
}
static double greatest(double a, double b)
{
	return isnan(a) || a > b ? a : b;
}
static double equal(double a, double b)
{
	return a == b;
}
static double less(double a, double b)
{
	return a < b;
}
static double less_equal(double a, double b)
{
	return a <= b;
}
static double greater(double a, double b)
{
	return a > b;
}
static double greater_equal(double a, double b)
{
	return a >= b;
}
static double and (double a, double b)
{
	return a != 0 && b != 0;
}
static double or (double a, double b)
{
	return a != 0 || b != 0;
}

static int64_t add_integers(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t sub_integers(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t mul_integers(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}
static int64_t div_integers(int64_t a, int64_t b)
{
	return b == 0 ? 0 : b == -1 ? sub_integers(0, a) : a / b;
}
static int64_t min_integers(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static int64_t max_integers(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static const struct {
	const char *op;
	number_fn *compute;
	integer_fn *compute_integers; /* NULL: by way of doubles */
	bool is_comparison;
} binaries[] = {
	{"Add", add, add_integers, false},
	{"Sub", sub, sub_integers, false},
	{"Mul", mul, mul_integers, false},
	{"Div", quotient, div_integers, false},
	{"Pow", pow, NULL, false},
	{"Min", least, min_integers, false},
	{"Max", greatest, max_integers, false},
	{"Equal", equal, NULL, true},
	{"Less", less, NULL, true},
	{"LessOrEqual", less_equal, NULL, true},
	{"Greater", greater, NULL, true},
	{"GreaterOrEqual", greater_equal, NULL, true},
	{"And", and, NULL, true},
	{"Or", or, NULL, true},
};

/* The shape to which both broadcast, NumPy's way; false where they do not. */
bool shape_broadcast(int *rank, int64_t extent[], int other_rank, const int64_t other[])
{
	int wide = *rank > other_rank ? *rank : other_rank;
	int64_t result[MAX_RANK];
	for (int i = 1; i <= wide; i++) {
		int64_t a = i <= *rank ? extent[*rank - i] : 1;
		int64_t b = i <= other_rank ? other[other_rank - i] : 1;
		if (a != b && a != 1 && b != 1)
			return false;
		result[wide - i] = a == 1 ? b : a;
	}
	*rank = wide;
	memcpy(extent, result, (size_t)wide * sizeof *extent);
	return true;
}

/* Which element of c stands at place `at` of the broadcast shape. */
static int64_t element_at(const struct constant *c, int rank, const int64_t extent[], int64_t at)
{
	int64_t element = 0, stride = 1;
	for (int i = 1; i <= rank; i++) {
		int64_t position = at % extent[rank - i];
		at /= extent[rank - i];
		if (i > c->rank)
			break;
		if (c->extent[c->rank - i] != 1)
			element += position * stride;
		stride *= c->extent[c->rank - i];
	}
	return element;
}

/* The result of broadcasting `count` inputs; NULL after an error. */
static struct constant *broadcast_result(struct onnx *o, struct onnx_node *n, int count,
					 int32_t onnx_type)
{
	int rank = 0;
	int64_t extent[MAX_RANK];
	for (int i = 0; i < count; i++) {
		const struct constant *c = onnx_constant(o, n, i);
		if (!shape_broadcast(&rank, extent, c->rank, c->extent)) {
			onnx_error(o, n, "the shapes of its inputs do not fit each other");
			return NULL;
		}
	}
	return constant_made(o, n, onnx_type, rank, extent);
}

struct constant *fold_binary(struct onnx *o, struct onnx_node *n)
{
	size_t i = 0;
	while (i < sizeof binaries / sizeof binaries[0] && strcmp(binaries[i].op, n->op->name) != 0)
		i++;
	if (i == sizeof binaries / sizeof binaries[0] || n->input_count != 2 ||
	    onnx_attribute(n, "axis"))
		return NULL;
	const struct constant *a = onnx_constant(o, n, 0), *b = onnx_constant(o, n, 1);
	struct constant *c = broadcast_result(
		o, n, 2,
		binaries[i].is_comparison ? ONNX__TENSOR_PROTO__DATA_TYPE__BOOL : a->onnx_type);
	bool integers = constant_is_integer(a) && constant_is_integer(b);
	for (int64_t k = 0; c && k < c->count; k++) {
		int64_t left = element_at(a, c->rank, c->extent, k);
		int64_t right = element_at(b, c->rank, c->extent, k);
		if (integers && binaries[i].compute_integers)
			constant_set_integer(
				c, k,
				binaries[i].compute_integers(constant_integer(a, left),
							     constant_integer(b, right)));
		else {
			double value = binaries[i].compute(constant_number(a, left),
							   constant_number(b, right));
			constant_set_number(c, k, constant_is_integer(c) ? trunc(value) : value);
		}
	}
	return c;
}

/* ---- Choice and conversion --------------------------------------------------------------------------- */

void constant_copy(struct constant *to, int64_t i, const struct constant *from, int64_t k)
{
	if (constant_is_integer(to) && constant_is_integer(from))
		constant_set_integer(to, i, constant_integer(from, k));
	else
		constant_set_number(to, i, constant_number(from, k));
}

struct constant *fold_where(struct onnx *o, struct onnx_node *n)
{
	const struct constant *condition = onnx_constant(o, n, 0);
	const struct constant *a = onnx_constant(o, n, 1), *b = onnx_constant(o, n, 2);
	struct constant *c = broadcast_result(o, n, 3, a->onnx_type);
	for (int64_t i = 0; c && i < c->count; i++) {
		int64_t k = element_at(condition, c->rank, c->extent, i);
		const struct constant *from = constant_number(condition, k) != 0 ? a : b;
		constant_copy(c, i, from, element_at(from, c->rank, c->extent, i));
	}
	return c;
}

struct constant *fold_expand(struct onnx *o, struct onnx_node *n)
{
	const struct constant *from = onnx_constant(o, n, 0);
	struct integers shape;
	int rank = from->rank;
	int64_t extent[MAX_RANK];
	memcpy(extent, from->extent, sizeof extent);
	if (!onnx_known(o, n, 1, "shape", &shape))
		return NULL;
	if (shape.count > MAX_RANK || !shape_broadcast(&rank, extent, shape.count, shape.item)) {
		onnx_error(o, n, "its input cannot be expanded to its shape");
		return NULL;
	}
	struct constant *c = constant_made(o, n, from->onnx_type, rank, extent);
	for (int64_t i = 0; c && i < c->count; i++)
		constant_copy(c, i, from, element_at(from, c->rank, c->extent, i));
	return c;
}

/* From float to integer the fraction is dropped, from integer to integer the highest bits; anything but 0 is true. */
struct constant *fold_cast(struct onnx *o, struct onnx_node *n)
{
	const struct constant *from = onnx_constant(o, n, 0);
	int64_t to = onnx_integer(n, "to", 0);
	struct constant *c = constant_made(o, n, to >= 0 && to < 100 ? (int32_t)to : 0, from->rank,
					   from->extent);
	for (int64_t i = 0; c && i < c->count; i++) {
		if (c->onnx_type == ONNX__TENSOR_PROTO__DATA_TYPE__BOOL)
			constant_set_integer(c, i, constant_number(from, i) != 0);
		else if (constant_is_integer(c) && !constant_is_integer(from))
			constant_set_number(c, i, trunc(constant_number(from, i)));
		else if (constant_is_integer(c))
			constant_set_bits(c, i, (uint64_t)constant_integer(from, i));
		else
			constant_copy(c, i, from, i);
	}
	return c;
}
