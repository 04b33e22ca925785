/* dnx.h -- the container of a program for an accelerator: what the machine is, which tensors lie where in its outermost
 * memory, the constants among them, the program with the counters it must end with, and where it comes from.
 *
 * In the file, all numbers the lowest byte first:
 *   8 bytes   "dnnc.dnx"
 *   u32 u32   version 1; how many sections
 *   for each  u32 kind, u32 0, u64 bytes from the beginning of the file, a multiple of 64, u64 size, u64 XXH3 of its bytes
 *   u64       XXH3 of all bytes before it
 *   then the sections in the order of their kinds (enum isa_section, then the constants), gaps filled with zeros.
 * Equal contents give equal bytes. Nothing else is accepted: no unknown kind, no overlap, no byte that is not accounted for. */
#ifndef RUNTIME_DNX_H
#define RUNTIME_DNX_H

#include "runtime/isa.h"

enum { DNX_CONSTANTS = ISA_SECTIONS, DNX_SECTIONS };

struct dnx {
	struct code code[ISA_SECTIONS];
	uint8_t *constants; /* what lies in the outermost memory from address 0 on, 64-byte aligned; owned */
	size_t constant_bytes;
};

/* Of the machine's instructions, by which two files are for the same machine; 0 when memory is out. */
uint64_t dnx_machine_hash(const struct code *machine);

/* malloc'd, the caller frees them; NULL when memory is out. */
uint8_t *dnx_encode(const struct dnx *, size_t *size);
/* Survives any bytes. NULL, or a sentence (malloc'd); what was read so far is the caller's to free, also after an error. */
char *dnx_decode(struct dnx *, const uint8_t *, size_t);
void dnx_free(struct dnx *);

#endif
