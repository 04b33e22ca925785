/* counted.h -- counted loops of emitted code: at least one iteration, the test at the end,
 * values carried from one iteration to the next. */
#ifndef BACKEND_CPU_COUNTED_H
#define BACKEND_CPU_COUNTED_H

#include "backend/cpu/emit.h"

enum { COUNTED_MAX_CARRIED = NEST_MAX_TILE * NEST_MAX_VECTORS };

struct counted {
	LLVMBasicBlockRef before, body;
	LLVMValueRef index; /* i64 */
	LLVMValueRef carried[COUNTED_MAX_CARRIED];
	int count; /* of carried values */
};

/* The builder goes into the body; value[] become what an iteration begins with. */
void counted_begin(struct emitter *, struct counted *, const char *name, LLVMValueRef value[],
		   int count);
/* index advances by step from 0 to end; value[] are what the iteration leaves. The builder goes
 * behind. */
void counted_end(struct emitter *, struct counted *, int64_t step, int64_t end,
		 LLVMValueRef value[]);

#endif
