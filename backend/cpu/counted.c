/* counted.c -- a block, a phi for the index and one for each carried value, and a test. */
#include "backend/cpu/counted.h"

void counted_begin(struct emitter *e, struct counted *loop, const char *name, LLVMValueRef value[],
		   int count)
{
	LLVMTypeRef i64 = LLVMInt64TypeInContext(e->context);
	loop->before = LLVMGetInsertBlock(e->builder);
	LLVMValueRef function = LLVMGetBasicBlockParent(loop->before);
	loop->body = LLVMAppendBasicBlockInContext(e->context, function, name);
	loop->count = count;
	LLVMBuildBr(e->builder, loop->body);
	LLVMPositionBuilderAtEnd(e->builder, loop->body);
	loop->index = LLVMBuildPhi(e->builder, i64, name);
	for (int i = 0; i < count; i++) {
		loop->carried[i] = LLVMBuildPhi(e->builder, LLVMTypeOf(value[i]), "");
		LLVMAddIncoming(loop->carried[i], &value[i], &loop->before, 1);
		value[i] = loop->carried[i];
	}
}

void counted_end(struct emitter *e, struct counted *loop, int64_t step, int64_t end,
		 LLVMValueRef value[])
{
	LLVMBasicBlockRef latch = LLVMGetInsertBlock(e->builder);
	LLVMValueRef function = LLVMGetBasicBlockParent(latch), zero = emit_integer(e, 0);
	LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(e->context, function, "");
	LLVMValueRef next = LLVMBuildNSWAdd(e->builder, loop->index, emit_integer(e, step), "");
	LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, next, emit_integer(e, end), "");
	LLVMBuildCondBr(e->builder, more, loop->body, after);
	LLVMAddIncoming(loop->index, &zero, &loop->before, 1);
	LLVMAddIncoming(loop->index, &next, &latch, 1);
	for (int i = 0; i < loop->count; i++)
		LLVMAddIncoming(loop->carried[i], &value[i], &latch, 1);
	LLVMPositionBuilderAtEnd(e->builder, after);
}
