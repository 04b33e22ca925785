/* library.c -- what emitted code calls: the C library's mathematical functions, once for each
 * lane, and Philox 4x32-10 as a function of its own, the same that runtime/random.c computes. */
#include "backend/cpu/emit.h"

#include <string.h>

LLVMValueRef cached_find(const struct cached *list, const char *key, size_t length)
{
	for (; list; list = list->next)
		if (list->length == length && memcmp(list->key, key, length) == 0)
			return list->value;
	return NULL;
}

void cached_add(struct arena *arena, struct cached **list, const char *key, size_t length,
		LLVMValueRef value)
{
	struct cached *c = ARENA_NEW(arena, struct cached);
	*c = (struct cached){key, length, value, *list};
	*list = c;
}

/* ---- libm ----------------------------------------------------------------------------------- */

static void add_attribute(struct emitter *e, LLVMValueRef call, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
	LLVMAddCallSiteAttribute(call, LLVMAttributeFunctionIndex,
				 LLVMCreateEnumAttribute(e->context, kind, 0));
}

/* The names are the language's own; in f32 with an f behind it, as in C. */
static LLVMValueRef declare(struct emitter *e, enum scalar_fn fn, enum type type)
{
	const struct scalar_fn_info *info = scalar_fn_info(fn);
	const char *name = arena_printf(e->arena, "%s%s", info->name, type == TYPE_F32 ? "f" : "");
	LLVMValueRef there = LLVMGetNamedFunction(e->module, name);
	LLVMTypeRef element = emit_type(e, type, 1), operand[] = {element, element};
	if (there)
		return there;
	return LLVMAddFunction(e->module, name,
			       LLVMFunctionType(element, operand, (unsigned)info->arity, false));
}

LLVMValueRef emit_call(struct emitter *e, enum scalar_fn fn, enum type type, LLVMValueRef operand[],
		       int width)
{
	LLVMValueRef function = declare(e, fn, type);
	LLVMValueRef result = LLVMGetPoison(emit_type(e, type, width));
	int arity = scalar_fn_info(fn)->arity;
	for (int i = 0; i < width; i++) {
		LLVMValueRef element[2];
		for (int j = 0; j < arity; j++)
			element[j] = emit_lane(e, operand[j], i, width);
		LLVMValueRef call = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(function),
						   function, element, (unsigned)arity, "");
		add_attribute(e, call, "nobuiltin"); /* the library's value, not LLVM's */
		add_attribute(e, call, "nounwind");
		result = emit_with_lane(e, result, call, i, width);
	}
	return result;
}

/* ---- Random numbers ------------------------------------------------------------------------- */

static LLVMValueRef word(struct emitter *e, uint32_t value)
{
	return LLVMConstInt(LLVMInt32TypeInContext(e->context), value, false);
}

/* The two halves of the 64-bit product. */
static void multiply(struct emitter *e, uint32_t factor, LLVMValueRef x, LLVMValueRef *high,
		     LLVMValueRef *low)
{
	LLVMTypeRef i32 = LLVMInt32TypeInContext(e->context),
		    i64 = LLVMInt64TypeInContext(e->context);
	LLVMValueRef wide = LLVMBuildZExt(e->builder, x, i64, "");
	LLVMValueRef product = LLVMBuildMul(e->builder, wide, LLVMConstInt(i64, factor, false), "");
	*low = LLVMBuildTrunc(e->builder, product, i32, "");
	*high = LLVMBuildTrunc(
		e->builder, LLVMBuildLShr(e->builder, product, emit_integer(e, 32), ""), i32, "");
}

/* Word 0 of the ten rounds; the constants are the paper's, as in runtime/random.c. */
static LLVMValueRef philox(struct emitter *e, LLVMValueRef position)
{
	LLVMTypeRef i32 = LLVMInt32TypeInContext(e->context);
	LLVMValueRef above = LLVMBuildLShr(e->builder, position, emit_integer(e, 32), "");
	LLVMValueRef x0 = LLVMBuildTrunc(e->builder, position, i32, "");
	LLVMValueRef x1 = LLVMBuildTrunc(e->builder, above, i32, "");
	LLVMValueRef x2 = word(e, 0), x3 = word(e, 0);
	uint32_t k0 = 0, k1 = 0;
	for (int round = 0; round < 10; round++) {
		LLVMValueRef h0, l0, h1, l1;
		multiply(e, 0xD2511F53, x0, &h0, &l0);
		multiply(e, 0xCD9E8D57, x2, &h1, &l1);
		x0 = LLVMBuildXor(e->builder, LLVMBuildXor(e->builder, h1, x1, ""), word(e, k0),
				  "");
		x2 = LLVMBuildXor(e->builder, LLVMBuildXor(e->builder, h0, x3, ""), word(e, k1),
				  "");
		x1 = l1;
		x3 = l0;
		k0 += 0x9E3779B9;
		k1 += 0xBB67AE85;
	}
	return x0;
}

/* The function is made when it is first called; the builder comes back to where it was. */
static LLVMValueRef uniform_function(struct emitter *e)
{
	LLVMValueRef there = LLVMGetNamedFunction(e->module, "random.uniform");
	LLVMTypeRef i64 = LLVMInt64TypeInContext(e->context),
		    f32 = LLVMFloatTypeInContext(e->context);
	if (there)
		return there;
	LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
	LLVMValueRef fn =
		LLVMAddFunction(e->module, "random.uniform", LLVMFunctionType(f32, &i64, 1, false));
	LLVMSetLinkage(fn, LLVMInternalLinkage);
	LLVMPositionBuilderAtEnd(e->builder, LLVMAppendBasicBlockInContext(e->context, fn, ""));
	LLVMValueRef top =
		LLVMBuildLShr(e->builder, philox(e, LLVMGetParam(fn, 0)), word(e, 8), "");
	LLVMValueRef scale = LLVMConstReal(f32, 0x1p-24);
	LLVMBuildRet(
		e->builder,
		LLVMBuildFMul(e->builder, LLVMBuildUIToFP(e->builder, top, f32, ""), scale, ""));
	LLVMPositionBuilderAtEnd(e->builder, before);
	return fn;
}

LLVMValueRef emit_uniform(struct emitter *e, LLVMValueRef position, int width)
{
	LLVMValueRef function = uniform_function(e);
	LLVMValueRef result = LLVMGetPoison(emit_type(e, TYPE_F32, width));
	for (int i = 0; i < width; i++) {
		LLVMValueRef element = emit_lane(e, position, i, width);
		LLVMValueRef call = LLVMBuildCall2(e->builder, LLVMGlobalGetValueType(function),
						   function, &element, 1, "");
		result = emit_with_lane(e, result, call, i, width);
	}
	return result;
}
