/* lanes.c -- one row for each scalar function: how it is computed in f32, in f64 and in integers.
 * Every operation is rounded once, to the type it is computed in; libm's functions are used in that
 * type's width, as compiled code does. Integers wrap in 64 bits and then in their own width. */
#include "runtime/lanes.h"
#include "runtime/random.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "float arithmetic must be rounded to float at each operation");

/* ---- One lane -------------------------------------------------------------------------------- */

#define MIN_MAX(ctype, suffix)                                                                     \
	static ctype min_##suffix(ctype x, ctype y)                                                \
	{                                                                                          \
		if (isnan(x) || isnan(y))                                                          \
			return x + y;                                                              \
		if (x == y)                                                                        \
			return signbit(x) ? x : y;                                                 \
		return x < y ? x : y;                                                              \
	}                                                                                          \
	ctype max_##suffix(ctype x, ctype y)                                                       \
	{                                                                                          \
		if (isnan(x) || isnan(y))                                                          \
			return x + y;                                                              \
		if (x == y)                                                                        \
			return signbit(x) ? y : x;                                                 \
		return x > y ? x : y;                                                              \
	}
MIN_MAX(float, f32)
MIN_MAX(double, f64)

static int64_t add(int64_t x, int64_t y)
{
	return (int64_t)((uint64_t)x + (uint64_t)y);
}

static int64_t subtract(int64_t x, int64_t y)
{
	return (int64_t)((uint64_t)x - (uint64_t)y);
}

static int64_t multiply(int64_t x, int64_t y)
{
	return (int64_t)((uint64_t)x * (uint64_t)y);
}

/* Toward zero; by zero 0. By -1 it is a negation, which wraps. */
static int64_t divide(int64_t x, int64_t y)
{
	if (y == 0)
		return 0;
	return y == -1 ? subtract(0, x) : x / y;
}

static float uniform(int64_t position)
{
	return random_uniform(0, 0, (uint64_t)position);
}

int64_t saturate_integer(int64_t value, enum type type)
{
	int unused = 64 - 8 * type_info(type)->bytes;
	int64_t greatest = INT64_MAX >> unused, least = -greatest - 1;
	if (value > greatest)
		return greatest;
	return value < least ? least : value;
}

/* The limits of i64 are powers of two: exact in a double where its greatest value is not. */
static int64_t round_to_integer(double value, enum type type)
{
	if (isnan(value))
		return 0;
	double nearest = nearbyint(value);
	if (nearest >= 0x1p63)
		return saturate_integer(INT64_MAX, type);
	if (nearest < -0x1p63)
		return saturate_integer(INT64_MIN, type);
	return saturate_integer((int64_t)nearest, type);
}

/* ---- The functions --------------------------------------------------------------------------- */

/* id; in f32; in f64; in integers. x and y are the operands. */
#define ARITHMETIC                                                                                 \
	ROW(ADD, x + y, x + y, add(x, y))                                                          \
	ROW(SUB, x - y, x - y, subtract(x, y))                                                     \
	ROW(MUL, (x * y), (x * y), multiply(x, y))                                                 \
	ROW(DIV, x / y, x / y, divide(x, y))                                                       \
	ROW(NEG, -x, -x, subtract(0, x))                                                           \
	ROW(MIN, min_f32(x, y), min_f64(x, y), x < y ? x : y)                                      \
	ROW(MAX, max_f32(x, y), max_f64(x, y), x > y ? x : y)                                      \
	ROW(ABS, fabsf(x), fabs(x), x < 0 ? subtract(0, x) : x)

/* id; in f32; in f64. */
#define FLOATING                                                                                   \
	ROW(EXP, expf(x), exp(x))                                                                  \
	ROW(LOG, logf(x), log(x))                                                                  \
	ROW(SQRT, sqrtf(x), sqrt(x))                                                               \
	ROW(POW, powf(x, y), pow(x, y))                                                            \
	ROW(TANH, tanhf(x), tanh(x))                                                               \
	ROW(ERF, erff(x), erf(x))                                                                  \
	ROW(SIN, sinf(x), sin(x))                                                                  \
	ROW(COS, cosf(x), cos(x))                                                                  \
	ROW(FLOOR, floorf(x), floor(x))                                                            \
	ROW(CEIL, ceilf(x), ceil(x))                                                               \
	ROW(ROUND, rintf(x), rint(x))

/* id; 0 or 1, the same words in every type. */
#define COMPARISONS                                                                                \
	ROW(EQ, x == y)                                                                            \
	ROW(NE, x != y)                                                                            \
	ROW(LT, x < y)                                                                             \
	ROW(LE, x <= y)                                                                            \
	ROW(AND, x != 0 && y != 0)                                                                 \
	ROW(OR, x != 0 || y != 0)                                                                  \
	ROW(NOT, x == 0)

/* b is a where the function has one operand. */
typedef void kernel(union lanes *result, const union lanes *a, const union lanes *b, int count);

#define KERNEL(name, ctype, from, to, expression)                                                  \
	static void name(union lanes *result, const union lanes *a, const union lanes *b,          \
			 int count)                                                                \
	{                                                                                          \
		for (int i = 0; i < count; i++) {                                                  \
			ctype x = a->from[i], y = b->from[i];                                      \
			(void)y;                                                                   \
			result->to[i] = expression;                                                \
		}                                                                                  \
	}
#define ROW(id, in_f32, in_f64, in_integers)                                                       \
	KERNEL(id##_f32, float, f32, f32, in_f32)                                                  \
	KERNEL(id##_f64, double, f64, f64, in_f64)                                                 \
	KERNEL(id##_integer, int64_t, integer, integer, in_integers)
ARITHMETIC
#undef ROW
#define ROW(id, in_f32, in_f64)                                                                    \
	KERNEL(id##_f32, float, f32, f32, in_f32)                                                  \
	KERNEL(id##_f64, double, f64, f64, in_f64)
FLOATING
#undef ROW
#define ROW(id, truth)                                                                             \
	KERNEL(id##_f32, float, f32, integer, truth)                                               \
	KERNEL(id##_f64, double, f64, integer, truth)                                              \
	KERNEL(id##_integer, int64_t, integer, integer, truth)
COMPARISONS
#undef ROW

/* The operand of uniform is a position, whatever the type of the result. */
KERNEL(UNIFORM_f32, int64_t, integer, f32, uniform(x))
KERNEL(UNIFORM_f64, int64_t, integer, f64, uniform(x))

static const struct {
	kernel *f32, *f64, *integer;
} kernels[FN_COUNT] = {
#define ROW(id, ...) [FN_##id] = {id##_f32, id##_f64, id##_integer},
	ARITHMETIC COMPARISONS
#undef ROW
#define ROW(id, ...) [FN_##id] = {id##_f32, id##_f64, NULL},
		FLOATING ROW(UNIFORM)
#undef ROW
};

static kernel *find_kernel(enum scalar_fn fn, enum type type)
{
	if (type == TYPE_F32)
		return kernels[fn].f32;
	return type == TYPE_F64 ? kernels[fn].f64 : kernels[fn].integer;
}

static void select_lanes(union lanes *result, const union lanes *condition, const union lanes *a,
			 const union lanes *b, enum type type, int count)
{
	for (int i = 0; i < count; i++) {
		const union lanes *chosen = condition->integer[i] ? a : b;
		if (type == TYPE_F32)
			result->f32[i] = chosen->f32[i];
		else if (type == TYPE_F64)
			result->f64[i] = chosen->f64[i];
		else
			result->integer[i] = chosen->integer[i];
	}
}

/* Turns lanes of any type into 0 or 1: whether they are not zero. */
static void truth(union lanes *lanes, enum type type, int count)
{
	union lanes operand, zero;
	memcpy(&operand, lanes, sizeof operand);
	lanes_fill(&zero, type, 0, count);
	find_kernel(FN_NE, type)(lanes, &operand, &zero, count);
}

/* The type to which a function's operands are brought. */
static enum type operand_type(enum scalar_fn fn, enum type type, const enum type of[])
{
	const struct scalar_fn_info *info = scalar_fn_info(fn);
	if (fn == FN_UNIFORM)
		return TYPE_I64;
	if (!info->is_comparison)
		return type;
	return info->arity == 1 ? of[0] : type_common(of[0], of[1]);
}

void lanes_apply(enum scalar_fn fn, enum type type, union lanes *result, union lanes operand[],
		 const enum type of[], int count)
{
	const struct scalar_fn_info *info = scalar_fn_info(fn);
	enum type in = operand_type(fn, type, of);
	for (int i = fn == FN_SELECT; i < info->arity; i++)
		lanes_convert(&operand[i], of[i], in, count);
	if (fn == FN_SELECT) {
		truth(&operand[0], of[0], count);
		select_lanes(result, &operand[0], &operand[1], &operand[2], type, count);
		return;
	}
	kernel *compute = find_kernel(fn, fn == FN_UNIFORM ? type : in);
	assert(compute);
	compute(result, &operand[0], &operand[info->arity - 1], count);
	for (int i = 0; i < count && type == TYPE_I32; i++)
		result->integer[i] = (int32_t)result->integer[i];
}

/* ---- Conversions ----------------------------------------------------------------------------- */

void lanes_fill(union lanes *lanes, enum type type, double value, int count)
{
	for (int i = 0; i < count; i++)
		lanes->f64[i] = value;
	lanes_convert(lanes, TYPE_F64, type, count);
}

static void convert_to_integer(union lanes *to, const union lanes *from, enum type type,
			       enum type from_type, int count)
{
	for (int i = 0; i < count; i++)
		if (from_type == TYPE_F32)
			to->integer[i] = round_to_integer((double)from->f32[i], type);
		else if (from_type == TYPE_F64)
			to->integer[i] = round_to_integer(from->f64[i], type);
		else
			to->integer[i] = saturate_integer(from->integer[i], type);
}

void lanes_convert(union lanes *lanes, enum type from, enum type to, int count)
{
	if (from == to)
		return;
	bool from_f64 = from == TYPE_F64, from_f32 = from == TYPE_F32;
	union lanes old;
	memcpy(&old, lanes, (size_t)count * sizeof(old.integer[0]));
	if (!type_info(to)->is_float)
		convert_to_integer(lanes, &old, to, from, count);
	for (int i = 0; i < count && to == TYPE_F32; i++)
		lanes->f32[i] = from_f64 ? (float)old.f64[i] : (float)old.integer[i];
	for (int i = 0; i < count && to == TYPE_F64; i++)
		lanes->f64[i] = from_f32 ? (double)old.f32[i] : (double)old.integer[i];
}
