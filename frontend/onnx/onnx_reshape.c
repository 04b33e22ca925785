/* onnx_reshape.c -- operators that give the same elements another shape or another name, and those whose result
 * is known from shapes alone. Reshape, Flatten, Squeeze and Unsqueeze differ only in how the new shape is
 * found; the result is a view. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

struct shape {
	int rank;
	int64_t extent[MAX_RANK];
};

/* The list of a node: an attribute in older operator sets, an input in newer ones. */
bool onnx_list(struct onnx *o, const struct onnx_node *n, const char *name, int input,
	       struct integers *list)
{
	*list = onnx_integers(n, name);
	if (list->count >= 0 || !onnx_given(n, input))
		return true;
	return onnx_known(o, n, input, name, list);
}

bool onnx_marked_axes(struct onnx *o, const struct onnx_node *n, struct integers axes, int rank,
		      bool marked[MAX_RANK])
{
	memset(marked, 0, MAX_RANK * sizeof *marked);
	for (int i = 0; i < axes.count; i++) {
		int axis = onnx_axis(o, n, axes.item[i], rank);
		if (axis < 0)
			return false;
		if (marked[axis]) {
			onnx_error(o, n, "axis %d is given twice", axis);
			return false;
		}
		marked[axis] = true;
	}
	return true;
}

/* ---- New shapes -------------------------------------------------------------------------------------- */

static bool flattened(struct onnx *o, const struct onnx_node *n, struct shape from,
		      struct shape *to)
{
	int64_t axis = onnx_integer(n, "axis", 1);
	if (axis < -from.rank || axis > from.rank) {
		onnx_error(o, n, "axis %lld of a tensor of %d dimensions", (long long)axis,
			   from.rank);
		return false;
	}
	axis += axis < 0 ? from.rank : 0;
	*to = (struct shape){2, {1, 1}};
	for (int i = 0; i < from.rank; i++)
		to->extent[i >= axis] *= from.extent[i];
	return true;
}

/* Entry 0 keeps the extent at its place; one entry -1 takes what is left. */
static bool given_shape(struct onnx *o, const struct onnx_node *n, struct shape from,
			struct shape *to)
{
	struct integers list;
	bool zero_is_zero = onnx_integer(n, "allowzero", 0);
	int64_t whole = 1, part = 1;
	int open = -1;
	if (!onnx_list(o, n, "shape", 1, &list))
		return false;
	if (list.count < 0 || list.count > MAX_RANK) {
		onnx_error(o, n,
			   list.count < 0 ? "it has no shape"
					  : "a shape of more than %d dimensions",
			   MAX_RANK);
		return false;
	}
	to->rank = list.count;
	for (int i = 0; i < from.rank; i++)
		whole *= from.extent[i];
	for (int i = 0; i < list.count; i++) {
		int64_t extent = list.item[i];
		if (extent == 0 && !zero_is_zero && i < from.rank)
			extent = from.extent[i];
		if (extent == -1 && open < 0) {
			open = i;
			continue;
		}
		if (extent < 0 || (extent == 0 && i >= from.rank && !zero_is_zero) ||
		    __builtin_mul_overflow(part, extent, &part)) {
			onnx_error(o, n, "extent %d of its shape is %lld", i,
				   (long long)list.item[i]);
			return false;
		}
		to->extent[i] = extent;
	}
	if (open >= 0 && part > 0 && whole % part == 0) {
		to->extent[open] = whole / part;
		return true;
	}
	if (open >= 0 || part != whole) {
		onnx_error(o, n, "%lld elements do not fit a shape of %s%lld elements",
			   (long long)whole, open >= 0 ? "a multiple of " : "", (long long)part);
		return false;
	}
	return true;
}

static bool squeezed(struct onnx *o, const struct onnx_node *n, struct shape from, struct shape *to)
{
	struct integers axes;
	bool marked[MAX_RANK];
	if (!onnx_list(o, n, "axes", 1, &axes) || !onnx_marked_axes(o, n, axes, from.rank, marked))
		return false;
	to->rank = 0;
	for (int i = 0; i < from.rank; i++) {
		bool drop = axes.count < 0 ? from.extent[i] == 1 : marked[i];
		if (drop && from.extent[i] != 1) {
			onnx_error(o, n, "axis %d has %lld elements; only one can be squeezed away",
				   i, (long long)from.extent[i]);
			return false;
		}
		if (!drop)
			to->extent[to->rank++] = from.extent[i];
	}
	return true;
}

static bool unsqueezed(struct onnx *o, const struct onnx_node *n, struct shape from,
		       struct shape *to)
{
	struct integers axes;
	bool marked[MAX_RANK];
	if (!onnx_list(o, n, "axes", 1, &axes))
		return false;
	if (axes.count < 0 || axes.count > MAX_RANK - from.rank) {
		onnx_error(o, n,
			   axes.count < 0 ? "it has no axes" : "it makes more than %d dimensions",
			   MAX_RANK);
		return false;
	}
	to->rank = from.rank + axes.count;
	if (!onnx_marked_axes(o, n, axes, to->rank, marked))
		return false;
	for (int i = 0, k = 0; i < to->rank; i++)
		to->extent[i] = marked[i] ? 1 : from.extent[k++];
	return true;
}

static bool new_shape(struct onnx *o, const struct onnx_node *n, struct shape *to)
{
	static const struct {
		const char *op;
		bool (*find)(struct onnx *, const struct onnx_node *, struct shape, struct shape *);
	} rule[] = {
		{"Flatten", flattened},
		{"Reshape", given_shape},
		{"Squeeze", squeezed},
		{"Unsqueeze", unsqueezed},
	};
	struct shape from;
	if (!onnx_shape(o, n, 0, &from.rank, from.extent))
		return false;
	for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++)
		if (!strcmp(rule[i].op, n->op->name))
			return rule[i].find(o, n, from, to);
	return false;
}

struct value import_reshape(struct onnx *o, struct onnx_node *n)
{
	struct shape to;
	if (!new_shape(o, n, &to))
		return value_poison();
	return value_of(onnx_view(o, n, onnx_tensor(o, n, 0, ROLE_CONSTANT), to.rank, to.extent));
}

struct constant *fold_reshape(struct onnx *o, struct onnx_node *n)
{
	struct shape to;
	const struct constant *from = onnx_constant(o, n, 0);
	if (!new_shape(o, n, &to))
		return NULL;
	struct constant *c = constant_made(o, n, from->onnx_type, to.rank, to.extent);
	if (c && c->count)
		memcpy(c->array->data, from->array->data, (size_t)array_bytes(c->array));
	return c;
}

/* ---- Known without elements -------------------------------------------------------------------------- */

/* Shape and Size: the extents of input 0, or their product. */
struct value import_shape(struct onnx *o, struct onnx_node *n)
{
	struct shape from;
	if (!onnx_shape(o, n, 0, &from.rank, from.extent))
		return value_poison();
	bool is_size = !strcmp(n->op->name, "Size");
	int64_t start = onnx_integer(n, "start", 0), end = onnx_integer(n, "end", from.rank);
	start = start < -from.rank ? 0 : start < 0 ? start + from.rank : start;
	end = end > from.rank ? from.rank : end < 0 ? end + from.rank : end;
	int64_t count = end > start ? end - start : 0;
	struct constant *c =
		constant_made(o, n, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, is_size ? 0 : 1, &count);
	int64_t size = 1;
	for (int i = 0; c && i < from.rank; i++) {
		size *= from.extent[i];
		if (!is_size && i >= start && i < end)
			constant_set_integer(c, i - start, from.extent[i]);
	}
	if (c && is_size)
		constant_set_integer(c, 0, size);
	if (c && n->output_count && n->output[0])
		n->output[0]->constant = c;
	return (struct value){.kind = VALUE_NONE};
}

static struct constant *constant_of_list(struct onnx *o, const struct onnx_node *n,
					 const Onnx__AttributeProto *a)
{
	bool is_float = !strncmp(a->name, "value_float", 11);
	bool is_list = a->name[strlen(a->name) - 1] == 's';
	int64_t count = !is_list ? 1 : (int64_t)(is_float ? a->n_floats : a->n_ints);
	struct constant *c = constant_made(o, n,
					   is_float ? ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
						    : ONNX__TENSOR_PROTO__DATA_TYPE__INT64,
					   is_list ? 1 : 0, &count);
	for (int64_t i = 0; c && i < count; i++)
		if (is_float)
			constant_set_number(c, i, is_list ? (double)a->floats[i] : (double)a->f);
		else
			constant_set_integer(c, i, is_list ? a->ints[i] : a->i);
	return c;
}

struct value import_constant(struct onnx *o, struct onnx_node *n)
{
	const Onnx__AttributeProto *a = n->proto->n_attribute == 1 ? n->proto->attribute[0] : NULL;
	struct constant *c = NULL;
	if (!a)
		onnx_error(o, n, "it has %zu values; a constant has one", n->proto->n_attribute);
	else if (a->t)
		c = onnx_tensor_decode(o, n, a->t);
	else if (!strncmp(a->name, "value_float", 11) || !strncmp(a->name, "value_int", 9))
		c = constant_of_list(o, n, a);
	else
		onnx_unsupported(o, n,
				 "a constant of strings, or without its value, is not supported");
	if (c && n->output_count && n->output[0])
		n->output[0]->constant = c;
	return (struct value){.kind = VALUE_NONE};
}

/* Identity, and Dropout, which does nothing outside of training. */
struct value import_identity(struct onnx *o, struct onnx_node *n)
{
	struct constant *c = onnx_constant(o, n, 0);
	const struct constant *trains = onnx_constant(o, n, 2);
	if (onnx_given(n, 2) &&
	    (!trains || trains->count != 1 || constant_number(trains, 0) != 0)) {
		onnx_unsupported(o, n,
				 "training_mode must be known and false; export the model "
				 "for inference");
		return value_poison();
	}
	if (!n->output_count || !n->output[0])
		return (struct value){.kind = VALUE_NONE};
	n->output[0]->constant = c;
	n->output[0]->tensor = n->input[0]->tensor;
	return (struct value){.kind = VALUE_NONE};
}

/* Operators that are supported where they can be folded. */
struct value import_not_known(struct onnx *o, struct onnx_node *n)
{
	onnx_unsupported(
		o, n,
		"%s of values that are computed from inputs is not supported: they must be "
		"known while compiling",
		n->op_name);
	return value_poison();
}

struct constant *fold_none(struct onnx *o, struct onnx_node *n)
{
	(void)o, (void)n;
	return NULL;
}
