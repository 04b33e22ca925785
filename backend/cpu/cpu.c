/* cpu.c -- the files of the CPU backend: object, assembly or LLVM's text. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/emission.h"
#include "runtime/sentence.h"

char *cpu_emit(const struct network *net, const struct cpu_target *target, enum cpu_form form,
	       char **data, size_t *size, char **note)
{
	struct emission_report report;
	*data = NULL;
	*size = 0;
	if (note)
		*note = NULL;
	char *error = emission_run(net, target, form, NULL, data, size, &report);
	if (!error && note && report.note[0])
		*note = sentence("%s", report.note);
	return error;
}
