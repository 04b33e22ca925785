/* lanes.h -- scalar functions over a block of points at once, as docs/language.md 3.3 says.
 *
 * lane   the value of one node at one point
 * lanes  its values at up to LANES consecutive points
 *
 * An f32 is held as float, an f64 as double, an integer of any width as int64_t within its
 * type's range. */
#ifndef RUNTIME_LANES_H
#define RUNTIME_LANES_H

#include "runtime/scalar.h"
#include "runtime/type.h"

enum { LANES = 256 };

union lanes {
	float f32[LANES];
	double f64[LANES];
	int64_t integer[LANES];
};

/* The same value everywhere, converted as a store does. */
void lanes_fill(union lanes *, enum type, double value, int count);

/* In place. To a float: C's conversion. To an integer: to nearest even, saturating, NaN to 0. */
void lanes_convert(union lanes *, enum type from, enum type to, int count);

/* result = fn(operand[0], ...), computed in `type`; the operands hold `of[i]` and are converted
 * in place where the function needs it. The result is none of the operands. */
void lanes_apply(enum scalar_fn, enum type, union lanes *result, union lanes operand[],
		 const enum type of[], int count);

/* The combinations of `max=`, NaN if either is. */
float max_f32(float, float);
double max_f64(double, double);

/* The nearest integer within the type's range. */
int64_t saturate_integer(int64_t value, enum type);

#endif
