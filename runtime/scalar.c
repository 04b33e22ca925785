/* scalar.c -- what a scalar function is called, and how many operands it has. */
#include "runtime/scalar.h"

#include <assert.h>

static const struct scalar_fn_info functions[] = {
#define SCALAR(id, name, arity, is_comparison, is_float)                                           \
	[FN_##id] = {name, arity, is_comparison, is_float},
#include "runtime/scalar.def"
#undef SCALAR
};

const struct scalar_fn_info *scalar_fn_info(enum scalar_fn fn)
{
	assert((unsigned)fn < FN_COUNT);
	return &functions[fn];
}
