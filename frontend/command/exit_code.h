/* exit_code.h -- how the command ends, from what was found. docs/command.md lists the codes. */
#ifndef FRONTEND_EXIT_CODE_H
#define FRONTEND_EXIT_CODE_H

#include "frontend/source/diag.h"

enum exit_code {
	EXIT_DONE = 0,
	EXIT_WRONG_INPUT = 1,
	EXIT_WRONG_USAGE = 2,
	EXIT_NO_MAPPING = 3,
	EXIT_CHECK_FAILED = 4,
	EXIT_SYSTEM_REFUSED = 5,
	EXIT_OUR_FAULT = 70
};

/* That of the worst error. */
enum exit_code exit_code_of(const struct diag *);

#endif
