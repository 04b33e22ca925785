/* type.h -- element types, from the table type.def. */
#ifndef RUNTIME_TYPE_H
#define RUNTIME_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator) TYPE_##id,
#include "type.def"
#undef TYPE
	TYPE_COUNT
};

struct type_info {
	const char *name;       /* as written in .dnn: "f32" */
	const char *c_name;     /* as written in C: "float" */
	const char *npy;        /* descriptor in a .npy header: "<f4" */
	int bytes;
	bool is_float;
	enum type accumulator;  /* type that holds a sum of this type */
};

/* Never NULL for a valid type. */
const struct type_info *type_info(enum type);

/* Returns TYPE_COUNT when no type has this name. */
enum type type_of_name(const char *name, size_t length);

/* The type in which an expression of both is computed: floats win over integers, the wider wins,
 * integers are computed in i32 at least. */
enum type type_common(enum type, enum type);

#endif
