/* scalar.h -- functions and operators of scalar expressions, from the table scalar.def. */
#ifndef RUNTIME_SCALAR_H
#define RUNTIME_SCALAR_H

#include <stdbool.h>

enum scalar_fn {
#define SCALAR(id, name, arity, ...) FN_##id,
#include "runtime/scalar.def"
#undef SCALAR
	FN_COUNT
};

struct scalar_fn_info {
	const char *name;
	int arity;
	bool is_comparison;        /* result is i32, 0 or 1 */
	bool is_float;             /* computed in floating point whatever the operands are */
};
const struct scalar_fn_info *scalar_fn_info(enum scalar_fn);

#endif
