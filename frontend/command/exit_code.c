/* exit_code.c -- the errors that are no fault of the input, and whose they are. */
#include "frontend/command/exit_code.h"

#include <string.h>

static const struct {
	const char *error;
	enum exit_code code;
} others[] = {
	{"no-machine", EXIT_WRONG_USAGE},         {"machine-kind", EXIT_WRONG_USAGE},
	{"input-count", EXIT_WRONG_USAGE},        {"unreadable-file", EXIT_SYSTEM_REFUSED},
	{"unwritable-file", EXIT_SYSTEM_REFUSED}, {"too-little-memory", EXIT_SYSTEM_REFUSED},
	{"execution", EXIT_SYSTEM_REFUSED},       {"internal", EXIT_OUR_FAULT},
	{"counters", EXIT_CHECK_FAILED},          {"nothing-proven", EXIT_CHECK_FAILED},
};

/* A file that a source text names and that cannot be read is a wrong text. A layer that no mapping serves has a place in
 * the text, and no fault of it. */
static enum exit_code code_of(const struct finding *finding)
{
	if (finding->severity != SEVERITY_ERROR)
		return EXIT_DONE;
	if (strcmp(finding->code, "no-mapping") == 0)
		return EXIT_NO_MAPPING;
	for (size_t i = 0; i < sizeof others / sizeof others[0] && !finding->span.source; i++)
		if (strcmp(others[i].error, finding->code) == 0)
			return others[i].code;
	return EXIT_WRONG_INPUT;
}

enum exit_code exit_code_of(const struct diag *diag)
{
	enum exit_code worst = diag->errors > 0 ? EXIT_WRONG_INPUT : EXIT_DONE;
	for (int i = 0; i < diag->count; i++)
		if (code_of(&diag->finding[i]) > worst)
			worst = code_of(&diag->finding[i]);
	return worst;
}
