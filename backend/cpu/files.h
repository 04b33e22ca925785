/* files.h -- the files of native code. What is wrong is in diag, and the result false. *note becomes what cpu_emit has to
 * remark (malloc'd), or NULL. */
#ifndef BACKEND_CPU_FILES_H
#define BACKEND_CPU_FILES_H

#include "backend/cpu/cpu.h"

/* Writes what the ending of the path asks for: .ll, .s, or .o with its header beside it; another path is a folder,
 * into which the object of the network's name goes, with its header. */
bool cpu_write(const struct network *, const struct cpu_target *, const char *path, struct diag *,
	       char **note);
/* Prints a form that is text. */
bool cpu_print(const struct network *, const struct cpu_target *, enum cpu_form, FILE *,
	       struct diag *, char **note);
/* Prints as comments for which triple, processor and vectors code is made when nobody names others. */
bool cpu_print_host(FILE *, struct diag *);

#endif
