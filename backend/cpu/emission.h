/* emission.h -- one emission from beginning to end, run apart: used for files and for code that
 * runs here. */
#ifndef BACKEND_CPU_EMISSION_H
#define BACKEND_CPU_EMISSION_H

#include "backend/cpu/cpu.h"
#include "backend/cpu/emit.h"

/* What comes back besides the bytes. Lies in memory shared with the process that emits. */
struct emission_report {
	bool is_done;
	int64_t scratch;  /* bytes */
	char error[2048]; /* a sentence, or "" */
	char note[2048];  /* likewise */
};

/* pool: where the weights go, in memory from apart_share; NULL: into the object.
 * report is filled in any case. Returns NULL or a sentence (malloc'd). */
char *emission_run(const struct network *, const struct cpu_target *, enum cpu_form, struct pool *,
		   char **data, size_t *size, struct emission_report *report);

#endif
