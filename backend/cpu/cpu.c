/* cpu.c -- the files of the CPU backend: object, assembly or LLVM's text. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/emission.h"
#include "runtime/sentence.h"

#include <stdlib.h>

/* Every constant that a statement reads has a value. */
static char *check_weights(const struct network *net)
{
	for (int i = 0; i < net->tensor_count; i++) {
		const struct tensor *t = net->tensor[i];
		bool is_constant = t->role != ROLE_INPUT && t->role != ROLE_LOCAL;
		if (is_constant && !t->view_of && !t->data)
			return sentence(
				"parameter %s has no values; load weights or initialise them",
				t->name);
	}
	return NULL;
}

char *cpu_emit(const struct network *net, const struct cpu_target *target, enum cpu_form form,
	       char **data, size_t *size, char **note)
{
	struct emission_report report;
	*data = NULL;
	*size = 0;
	if (note)
		*note = NULL;
	char *error = check_weights(net);
	if (error)
		return error;
	error = emission_run(net, target, form, NULL, data, size, &report);
	if (!error && note && report.note[0])
		*note = sentence("%s", report.note);
	return error;
}
