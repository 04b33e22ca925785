/* value.c -- the arithmetic of docs/language.md 3.3 as LLVM instructions, for scalars and
 * vectors alike.
 *
 * Integers wrap, division by zero is 0, a float becomes an integer by rounding to even and
 * saturating, NaN becoming 0; the least and the greatest propagate NaN. No instruction carries a
 * fast-math flag: every operation is rounded where the interpreter rounds it. */
#include "backend/cpu/emit.h"

#include <math.h>
#include <string.h>

/* ---- Types, constants, lanes ---------------------------------------------------------------- */

LLVMTypeRef emit_type(struct emitter *e, enum type type, int width)
{
	const struct type_info *info = type_info(type);
	LLVMTypeRef element;
	if (info->is_float)
		element = type == TYPE_F32 ? LLVMFloatTypeInContext(e->context)
					   : LLVMDoubleTypeInContext(e->context);
	else
		element = LLVMIntTypeInContext(e->context, 8 * (unsigned)info->bytes);
	return width == 1 ? element : LLVMVectorType(element, (unsigned)width);
}

LLVMValueRef emit_integer(struct emitter *e, int64_t value)
{
	return LLVMConstInt(LLVMInt64TypeInContext(e->context), (uint64_t)value, true);
}

LLVMValueRef emit_splat(struct emitter *e, LLVMValueRef scalar, int width)
{
	if (width == 1)
		return scalar;
	LLVMTypeRef i32 = LLVMInt32TypeInContext(e->context);
	LLVMTypeRef vector = LLVMVectorType(LLVMTypeOf(scalar), (unsigned)width);
	LLVMValueRef first = LLVMBuildInsertElement(e->builder, LLVMGetPoison(vector), scalar,
						    LLVMConstNull(i32), "");
	LLVMValueRef zeros = LLVMConstNull(LLVMVectorType(i32, (unsigned)width));
	return LLVMBuildShuffleVector(e->builder, first, LLVMGetPoison(vector), zeros, "");
}

LLVMValueRef emit_lane(struct emitter *e, LLVMValueRef value, int lane, int width)
{
	return width == 1 ? value
			  : LLVMBuildExtractElement(e->builder, value, emit_integer(e, lane), "");
}

LLVMValueRef emit_with_lane(struct emitter *e, LLVMValueRef value, LLVMValueRef element, int lane,
			    int width)
{
	return width == 1 ? element
			  : LLVMBuildInsertElement(e->builder, value, element,
						   emit_integer(e, lane), "");
}

/* To nearest even, saturating, NaN to 0. The limits are powers of two, exact in a double. */
static int64_t nearest_integer(double value, enum type type)
{
	int bits = 8 * type_info(type)->bytes;
	double limit = ldexp(1, bits - 1), nearest = nearbyint(value);
	if (isnan(value))
		return 0;
	if (nearest >= limit)
		return INT64_MAX >> (64 - bits);
	return nearest < -limit ? INT64_MIN >> (64 - bits) : (int64_t)nearest;
}

LLVMValueRef emit_constant(struct emitter *e, enum type type, double value, int width)
{
	LLVMTypeRef element = emit_type(e, type, 1);
	LLVMValueRef scalar;
	if (type == TYPE_F32)
		scalar = LLVMConstReal(element, (double)(float)value);
	else if (type == TYPE_F64)
		scalar = LLVMConstReal(element, value);
	else
		scalar = LLVMConstInt(element, (uint64_t)nearest_integer(value, type), true);
	return emit_splat(e, scalar, width);
}

LLVMValueRef emit_intrinsic(struct emitter *e, const char *name, LLVMTypeRef overloaded[],
			    int types, LLVMValueRef argument[], int arguments)
{
	unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
	LLVMValueRef fn = LLVMGetIntrinsicDeclaration(e->module, id, overloaded, (size_t)types);
	LLVMTypeRef type = LLVMIntrinsicGetType(e->context, id, overloaded, (size_t)types);
	return LLVMBuildCall2(e->builder, type, fn, argument, (unsigned)arguments, "");
}

/* An intrinsic overloaded on the type of its operands alone. */
static LLVMValueRef unary(struct emitter *e, const char *name, LLVMValueRef x)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	return emit_intrinsic(e, name, &type, 1, &x, 1);
}

static LLVMValueRef binary(struct emitter *e, const char *name, LLVMValueRef x, LLVMValueRef y)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	return emit_intrinsic(e, name, &type, 1, (LLVMValueRef[]){x, y}, 2);
}

LLVMValueRef emit_fma(struct emitter *e, LLVMValueRef x, LLVMValueRef y, LLVMValueRef z)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	return emit_intrinsic(e, "llvm.fma", &type, 1, (LLVMValueRef[]){x, y, z}, 3);
}

/* ---- Conversions ---------------------------------------------------------------------------- */

static LLVMValueRef float_to_integer(struct emitter *e, LLVMValueRef value, enum type to, int width)
{
	LLVMValueRef nearest = unary(e, "llvm.roundeven", value);
	LLVMTypeRef types[] = {emit_type(e, to, width), LLVMTypeOf(value)};
	return emit_intrinsic(e, "llvm.fptosi.sat", types, 2, &nearest, 1);
}

static LLVMValueRef integer_to_integer(struct emitter *e, LLVMValueRef value, enum type from,
				       enum type to, int width)
{
	int bits = 8 * type_info(to)->bytes;
	LLVMTypeRef type = emit_type(e, to, width);
	if (type_info(from)->bytes <= type_info(to)->bytes)
		return LLVMBuildSExt(e->builder, value, type, "");
	LLVMTypeRef wide = emit_type(e, from, 1);
	LLVMValueRef most = LLVMConstInt(wide, (uint64_t)(INT64_MAX >> (64 - bits)), true);
	LLVMValueRef least = LLVMConstInt(wide, (uint64_t)(INT64_MIN >> (64 - bits)), true);
	value = binary(e, "llvm.smin", value, emit_splat(e, most, width));
	value = binary(e, "llvm.smax", value, emit_splat(e, least, width));
	return LLVMBuildTrunc(e->builder, value, type, "");
}

LLVMValueRef emit_convert(struct emitter *e, LLVMValueRef value, enum type from, enum type to,
			  int width)
{
	LLVMTypeRef type = emit_type(e, to, width);
	bool from_float = type_info(from)->is_float, to_float = type_info(to)->is_float;
	if (from == to)
		return value;
	if (from_float && to_float)
		return to == TYPE_F64 ? LLVMBuildFPExt(e->builder, value, type, "")
				      : LLVMBuildFPTrunc(e->builder, value, type, "");
	if (to_float)
		return LLVMBuildSIToFP(e->builder, value, type, "");
	return from_float ? float_to_integer(e, value, to, width)
			  : integer_to_integer(e, value, from, to, width);
}

/* ---- Functions ------------------------------------------------------------------------------ */

/* Toward zero, by zero 0, by -1 a negation that wraps. */
static LLVMValueRef integer_division(struct emitter *e, LLVMValueRef x, LLVMValueRef y)
{
	LLVMBuilderRef b = e->builder;
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef zero = LLVMConstNull(type), minus = LLVMConstAllOnes(type);
	LLVMValueRef by_zero = LLVMBuildICmp(b, LLVMIntEQ, y, zero, "");
	LLVMValueRef by_minus = LLVMBuildICmp(b, LLVMIntEQ, y, minus, "");
	LLVMValueRef one = LLVMBuildNeg(b, minus, "");
	LLVMValueRef unsafe = LLVMBuildOr(b, by_zero, by_minus, "");
	LLVMValueRef divisor = LLVMBuildSelect(b, unsafe, one, y, "");
	LLVMValueRef quotient = LLVMBuildSDiv(b, x, divisor, "");
	quotient = LLVMBuildSelect(b, by_minus, LLVMBuildNeg(b, x, ""), quotient, "");
	return LLVMBuildSelect(b, by_zero, zero, quotient, "");
}

static LLVMValueRef integer_arithmetic(struct emitter *e, enum scalar_fn fn, LLVMValueRef x,
				       LLVMValueRef y)
{
	LLVMTypeRef type = LLVMTypeOf(x);
	LLVMValueRef wraps = LLVMConstNull(LLVMInt1TypeInContext(e->context));
	switch (fn) {
	case FN_ADD:
		return LLVMBuildAdd(e->builder, x, y, "");
	case FN_SUB:
		return LLVMBuildSub(e->builder, x, y, "");
	case FN_MUL:
		return LLVMBuildMul(e->builder, x, y, "");
	case FN_DIV:
		return integer_division(e, x, y);
	case FN_NEG:
		return LLVMBuildNeg(e->builder, x, "");
	case FN_MIN:
		return binary(e, "llvm.smin", x, y);
	case FN_MAX:
		return binary(e, "llvm.smax", x, y);
	default:
		return emit_intrinsic(e, "llvm.abs", &type, 1, (LLVMValueRef[]){x, wraps}, 2);
	}
}

static LLVMValueRef float_arithmetic(struct emitter *e, enum scalar_fn fn, enum type type,
				     LLVMValueRef operand[], int width)
{
	LLVMValueRef x = operand[0], y = operand[1];
	switch (fn) {
	case FN_ADD:
		return LLVMBuildFAdd(e->builder, x, y, "");
	case FN_SUB:
		return LLVMBuildFSub(e->builder, x, y, "");
	case FN_MUL:
		return LLVMBuildFMul(e->builder, x, y, "");
	case FN_DIV:
		return LLVMBuildFDiv(e->builder, x, y, "");
	case FN_NEG:
		return LLVMBuildFNeg(e->builder, x, "");
	case FN_MIN:
		return binary(e, "llvm.minimum", x, y);
	case FN_MAX:
		return binary(e, "llvm.maximum", x, y);
	case FN_ABS:
		return unary(e, "llvm.fabs", x);
	case FN_SQRT:
		return unary(e, "llvm.sqrt", x);
	case FN_FLOOR:
		return unary(e, "llvm.floor", x);
	case FN_CEIL:
		return unary(e, "llvm.ceil", x);
	case FN_ROUND:
		return unary(e, "llvm.roundeven", x);
	default:
		return emit_call(e, fn, type, operand, width);
	}
}

/* i1: is it not zero? NaN is not. */
static LLVMValueRef truth(struct emitter *e, LLVMValueRef x, enum type type)
{
	LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(x));
	if (type_info(type)->is_float)
		return LLVMBuildFCmp(e->builder, LLVMRealUNE, x, zero, "");
	return LLVMBuildICmp(e->builder, LLVMIntNE, x, zero, "");
}

static LLVMValueRef compare(struct emitter *e, enum scalar_fn fn, LLVMValueRef x, LLVMValueRef y,
			    enum type type)
{
	static const LLVMRealPredicate real[] = {[FN_EQ] = LLVMRealOEQ,
						 [FN_NE] = LLVMRealUNE,
						 [FN_LT] = LLVMRealOLT,
						 [FN_LE] = LLVMRealOLE};
	static const LLVMIntPredicate integer[] = {[FN_EQ] = LLVMIntEQ,
						   [FN_NE] = LLVMIntNE,
						   [FN_LT] = LLVMIntSLT,
						   [FN_LE] = LLVMIntSLE};
	if (type_info(type)->is_float)
		return LLVMBuildFCmp(e->builder, real[fn], x, y, "");
	return LLVMBuildICmp(e->builder, integer[fn], x, y, "");
}

static LLVMValueRef comparison(struct emitter *e, enum scalar_fn fn, LLVMValueRef operand[],
			       const enum type of[], int width)
{
	LLVMValueRef holds;
	if (fn == FN_AND || fn == FN_OR) {
		LLVMValueRef x = truth(e, operand[0], of[0]), y = truth(e, operand[1], of[1]);
		holds = fn == FN_AND ? LLVMBuildAnd(e->builder, x, y, "")
				     : LLVMBuildOr(e->builder, x, y, "");
	} else if (fn == FN_NOT) {
		holds = LLVMBuildNot(e->builder, truth(e, operand[0], of[0]), "");
	} else {
		enum type type = type_common(of[0], of[1]);
		LLVMValueRef x = emit_convert(e, operand[0], of[0], type, width);
		LLVMValueRef y = emit_convert(e, operand[1], of[1], type, width);
		holds = compare(e, fn, x, y, type);
	}
	return LLVMBuildZExt(e->builder, holds, emit_type(e, TYPE_I32, width), "");
}

LLVMValueRef emit_apply(struct emitter *e, enum scalar_fn fn, enum type type,
			LLVMValueRef operand[], const enum type of[], int width)
{
	const struct scalar_fn_info *info = scalar_fn_info(fn);
	LLVMValueRef in[3] = {NULL, NULL, NULL};
	if (info->is_comparison)
		return comparison(e, fn, operand, of, width);
	if (fn == FN_UNIFORM) {
		LLVMValueRef position = emit_convert(e, operand[0], of[0], TYPE_I64, width);
		return emit_convert(e, emit_uniform(e, position, width), TYPE_F32, type, width);
	}
	for (int i = fn == FN_SELECT; i < info->arity; i++)
		in[i] = emit_convert(e, operand[i], of[i], type, width);
	if (fn == FN_SELECT)
		return LLVMBuildSelect(e->builder, truth(e, operand[0], of[0]), in[1], in[2], "");
	return type_info(type)->is_float ? float_arithmetic(e, fn, type, in, width)
					 : integer_arithmetic(e, fn, in[0], in[1]);
}

LLVMValueRef emit_combine(struct emitter *e, enum reduce reduce, enum type type, LLVMValueRef held,
			  LLVMValueRef value, int width)
{
	LLVMValueRef operand[] = {held, value};
	bool is_narrow = !type_info(type)->is_float && type_info(type)->bytes < 4;
	if (reduce == REDUCE_NONE)
		return value;
	if (reduce == REDUCE_SUM && is_narrow)
		return binary(e, "llvm.sadd.sat", held, value);
	enum scalar_fn fn = reduce == REDUCE_SUM ? FN_ADD : FN_MAX;
	return type_info(type)->is_float ? float_arithmetic(e, fn, type, operand, width)
					 : integer_arithmetic(e, fn, held, value);
}
