/* quantise.h -- contractions in f32 become contractions of integers, as ordinary tensor statements.
 *
 * contraction  a statement that multiplies two tensors and sums, T += A * B
 * number       what its operands become: integers of so many bits, times a scale
 * scale        what the integer 1 stands for: (greatest magnitude) / (greatest integer)
 *
 * docs/accelerator.md, section 1, says what is computed, bit for bit. */
#ifndef FRONTEND_QUANTISE_H
#define FRONTEND_QUANTISE_H

#include "frontend/network/network.h"

enum number { NUMBER_F32, NUMBER_I8, NUMBER_I16, NUMBER_FIXED16, NUMBERS };
extern const char *const number_name[NUMBERS]; /* as -quantise takes them: "none", "i8", ... */

/* The integers of a machine whose word has so many bits. */
enum number number_of_word(int bits);

/* The greatest magnitude of each input and each tensor that is computed, by its id; not finite where one of its values
 * is not. */
struct ranges {
	float *greatest;
};

/* Is it a contraction in f32? */
bool statement_is_contraction(const struct statement *);

/* Contractions that a number cannot serve stay as they are, with a warning each. All parameters have data; those that
 * nothing reads any more are dropped, and tensors and statements have other ids than before. */
void network_quantise(struct network *, enum number, const struct ranges *, struct diag *);

#endif
