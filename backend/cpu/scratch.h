/* scratch.h -- one piece of memory for all values between statements: each buffer gets an offset
 * such that no two that are needed at the same time overlap. */
#ifndef BACKEND_CPU_SCRATCH_H
#define BACKEND_CPU_SCRATCH_H

#include <stdint.h>

struct arena;

enum { SCRATCH_ALIGNMENT = 64 };

struct buffer {
	int64_t bytes;   /* > 0 */
	int first, last; /* statements between which the bytes are needed, both included */
	int64_t offset;  /* the result; a multiple of SCRATCH_ALIGNMENT */
};

/* Fills the offsets and returns the bytes of the whole, or -1 when they do not fit 63 bits. */
int64_t scratch_plan(struct arena *, struct buffer[], int count);

#endif
