/* timeloop.h -- Timeloop's YAML as a network and a machine: docs/timeloop.md.
 *
 * Formats: of timeloop-model (versions 0.2, 0.3, 0.4 with `subtree`, and the older one with `storage`) and of timeloopfe
 * (version 0.4 with `nodes`). What is read becomes text in our own languages, added to the program, so that nothing
 * behind knows of Timeloop. */
#ifndef FRONTEND_TIMELOOP_H
#define FRONTEND_TIMELOOP_H

#include "frontend/syntax/program.h"
#include "frontend/timeloop/yaml.h"

/* Does the path end in .yaml or .yml? */
bool timeloop_is_file(const char *path);

/* Adds the network of the problem in one file and the machine of the architecture in another; either may be NULL, both
 * the same. Where there is no file for the machine, that of the problem's file is taken if it has one. What is wrong is in diag. */
void timeloop_read(struct program *, const char *problem, const char *architecture);

/* The first document of a file; NULL after errors. */
const struct yaml *timeloop_load(struct program *, const char *path);

/* A name of Timeloop's as one of ours: what can be no part of a name becomes `_`, and so does one more behind a reserved word. */
const char *timeloop_name(struct arena *, const char *);

/* The whole number that a scalar is, from least to most; an error otherwise. */
bool timeloop_whole(struct diag *, const struct yaml *, int64_t least, int64_t most, int64_t *);

#endif
