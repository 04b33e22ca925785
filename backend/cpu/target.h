/* target.h -- for which processor code is made, and what its vectors are. */
#ifndef BACKEND_CPU_TARGET_H
#define BACKEND_CPU_TARGET_H

#include "backend/cpu/cpu.h"
#include "mapper/nest/nest.h"

#include <llvm-c/TargetMachine.h>

struct target {
	LLVMTargetMachineRef machine;
	char *triple, *cpu, *features; /* by malloc, or NULL */
	struct nest_machine shape;
	bool fell_back;   /* to generic code, unasked */
	bool has_fma;     /* as instructions, not as calls */
	bool rounds_late; /* computes with more digits than a type has */
	bool swaps_bytes;
};

/* Makes this machine's processor known to LLVM, once in a process. To be called before the process
 * is copied: a copy made while another thread does this would wait for that thread, which it has
 * not, for ever. */
void target_register_host(void);

/* data: bytes that the object will hold besides code. Returns NULL or a sentence (malloc'd). To
 * be called apart: LLVM prints what it thinks of names. Not freed. */
char *target_open(const struct cpu_target *, int64_t data, struct target *);

/* Does the target ask for another architecture, system or calling convention than this machine's? How many words
 * say so does not matter: x86_64-linux-gnu is x86_64-pc-linux-gnu. */
bool target_is_foreign(const struct cpu_target *);
/* Is this the name of any processor of the architecture, or a level of it, that this machine has? */
bool target_is_level_of_host(const char *cpu);

#endif
