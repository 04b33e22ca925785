/* onnx_table.c -- the rows of onnx_ops.def as a table, found by name. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

static const struct onnx_op table[] = {
#define ONNX_OP(name, first, last, least, most, outputs, attributes, library, import, fold)        \
	{#name,   first,      last,    least,           most,                                      \
	 outputs, attributes, library, import_##import, fold_##fold},
#include "frontend/onnx/onnx_ops.def"
#undef ONNX_OP
};

const struct onnx_op *onnx_op_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
