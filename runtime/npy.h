/* npy.h -- NumPy's .npy files (format versions 1 and 2), one array each.
 * Source: NumPy enhancement proposal NEP 1, "A Simple File Format for NumPy Arrays".
 * Errors come back as a sentence (malloc'd, freed by the caller) or NULL for success. */
#ifndef RUNTIME_NPY_H
#define RUNTIME_NPY_H

#include "array.h"

/* name is used in messages alone. Big-endian, Fortran order and types outside type.def are refused. */
char *npy_parse(const char *name, const void *data, size_t size, struct array **);
char *npy_read(const char *path, struct array **);
char *npy_write(const char *path, const struct array *);

#endif
