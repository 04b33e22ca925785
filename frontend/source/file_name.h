/* file_name.h -- names from a source text or a model as names of files. */
#ifndef FRONTEND_FILE_NAME_H
#define FRONTEND_FILE_NAME_H

#include "frontend/source/arena.h"

/* Nothing but letters, digits, _ - and dots, no dot or - at the beginning, at most 100 bytes, at least one. */
const char *file_name(struct arena *, const char *name);
/* The same for each of several, with a number behind it where two would be one. */
const char **file_names(struct arena *, const char *const name[], int count);

#endif
