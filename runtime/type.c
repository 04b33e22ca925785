/* type.c -- what the table type.def says of each type, and how types meet in an expression. */
#include "type.h"

#include <assert.h>
#include <string.h>

static const struct type_info types[] = {
#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	[TYPE_##id] = {name, #ctype, npy, bytes, is_float, TYPE_##accumulator},
#include "type.def"
#undef TYPE
};

#define TYPE(id, name, ctype, npy, bytes, is_float, accumulator)                                   \
	_Static_assert(sizeof(ctype) == bytes, "type.def: the bytes of " name);
#include "type.def"
#undef TYPE

const struct type_info *type_info(enum type type)
{
	assert((unsigned)type < TYPE_COUNT);
	return &types[type];
}

enum type type_of_name(const char *name, size_t length)
{
	for (int i = 0; i < TYPE_COUNT; i++)
		if (strlen(types[i].name) == length && memcmp(types[i].name, name, length) == 0)
			return i;
	return TYPE_COUNT;
}

enum type type_common(enum type a, enum type b)
{
	const struct type_info *x = type_info(a), *y = type_info(b);
	if (x->is_float != y->is_float)
		return x->is_float ? a : b;
	enum type wider = x->bytes >= y->bytes ? a : b;
	bool narrow = !x->is_float && types[wider].bytes < types[TYPE_I32].bytes;
	return narrow ? TYPE_I32 : wider;
}
