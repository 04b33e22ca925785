/* onnx_input.c -- the inputs of the graph as inputs of the network.
 * Every extent must be known. The model gives it, or a name for it, or nothing; -dim gives it by the model's name
 * or as INPUT.AXIS. The first dimension of an input is the batch and 1 when nobody says more. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

static const struct dim_binding *binding(const struct onnx *o, const char *name)
{
	for (int i = 0; o->options && i < o->options->dim_count; i++)
		if (!strcmp(o->options->dim[i].name, name))
			return &o->options->dim[i];
	return NULL;
}

/* A name of the language as far as possible, for people. */
static const char *dim_name(struct onnx *o, const Onnx__TensorShapeProto__Dimension *d)
{
	bool is_named = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	return is_named && d->dim_param && *d->dim_param
		       ? arena_copy(o->arena, d->dim_param, strlen(d->dim_param))
		       : NULL;
}

struct input_dim {         /* a dimension of an input */
	const char *name;  /* the model's, or NULL */
	const char *alias; /* "x.2" */
	int64_t fixed;     /* the model's extent; 0: it leaves the dimension open */
};

/* Does -dim agree with an extent that the model gives? */
static void check_fixed(struct onnx *o, const char *input, int axis, const struct input_dim *dim)
{
	const struct dim_binding *given = binding(o, dim->alias);
	if (given && given->extent != dim->fixed)
		onnx_error(o, NULL, "dimension %d of input '%s' is %lld in the model", axis,
			   onnx_shown(o->arena, input), (long long)dim->fixed);
}

/* The extent of dimension axis of an input, 0 after an error. Notes what the model says of it. */
static int64_t extent_of(struct onnx *o, const char *input, int axis,
			 const Onnx__TensorShapeProto__Dimension *d, struct input_dim *open)
{
	bool has_value = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
	open->name = dim_name(o, d);
	open->alias = arena_printf(o->arena, "%s.%d", input, axis);
	if (has_value && d->dim_value >= 1) {
		open->fixed = d->dim_value;
		check_fixed(o, input, axis, open);
		return d->dim_value;
	}
	const struct dim_binding *given = binding(o, open->alias);
	if (!given && open->name)
		given = binding(o, open->name);
	if (given && given->extent >= 1)
		return given->extent;
	if (has_value && d->dim_value < -1) {
		onnx_error(o, NULL, "dimension %d of input '%s' has %lld elements", axis,
			   onnx_shown(o->arena, input), (long long)d->dim_value);
		return 0;
	}
	if (axis == 0)
		return 1;
	const char *option = open->name ? open->name : open->alias;
	onnx_error(
		o, NULL,
		"dimension %d of input '%s' is open in the model; give its extent: -dim %s=EXTENT",
		axis, onnx_shown(o->arena, input), onnx_shown(o->arena, option));
	return 0;
}

struct input_dims {
	struct input_dim *item;
	int count;
};

/* The tensor type of an input, with elements that inputs may have and not too many dimensions; or NULL. */
static const Onnx__TypeProto__Tensor *input_type(struct onnx *o, const struct onnx_value *v,
						 enum type *element)
{
	const Onnx__TypeProto *type = v->input->type;
	const char *shown = onnx_shown(o->arena, v->name);
	if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
	    !type->tensor_type) {
		onnx_unsupported(o, NULL, "input '%s' is no tensor", shown);
		return NULL;
	}
	const Onnx__TypeProto__Tensor *tensor = type->tensor_type;
	if (!onnx_type_is_native(tensor->elem_type, element)) {
		onnx_unsupported(o, NULL,
				 "input '%s' has elements of type %s; inputs may be float, double, "
				 "int8, int16, int32 or int64",
				 shown, onnx_type_name(tensor->elem_type));
		return NULL;
	}
	if (!tensor->shape || tensor->shape->n_dim > MAX_RANK) {
		onnx_error(o, NULL,
			   tensor->shape
				   ? "input '%s' has more than %d dimensions"
				   : "input '%s' has no shape, which has at most %d dimensions",
			   shown, MAX_RANK);
		return NULL;
	}
	return tensor;
}

static bool open_input(struct onnx *o, struct onnx_value *v, struct input_dims *dims)
{
	enum type element;
	const Onnx__TypeProto__Tensor *type = input_type(o, v, &element);
	int64_t extent[MAX_RANK], count;
	const char *name[MAX_RANK];
	bool known = type != NULL;
	int rank = known ? (int)type->shape->n_dim : 0;
	for (int i = 0; i < rank; i++) {
		struct input_dim dim = {0};
		extent[i] = extent_of(o, v->name, i, type->shape->dim[i], &dim);
		name[i] = dim.name;
		known &= extent[i] > 0;
		ARENA_APPEND(o->arena, dims->item, dims->count, dim);
	}
	if (known && !shape_count(rank, extent, &count)) {
		onnx_error(o, NULL, "the size of input '%s' does not fit 64 bits",
			   onnx_shown(o->arena, v->name));
		known = false;
	}
	if (known)
		v->tensor = build_input(o->build, v->name, element, rank, extent, name);
	return known && v->tensor;
}

/* Is this the name by place of a dimension that the model gives? check_fixed has looked at its extent. */
static bool is_fixed(const struct input_dims *dims, const char *given)
{
	for (int i = 0; i < dims->count; i++)
		if (dims->item[i].fixed && !strcmp(dims->item[i].alias, given))
			return true;
	return false;
}

/* A -dim that names nothing is a mistake of the user. */
static void check_bindings(struct onnx *o, const struct input_dims *dims)
{
	const char **candidate = ARENA_ARRAY(o->arena, 2 * (size_t)dims->count + 1, const char *);
	int count = 0;
	for (int i = 0; i < dims->count; i++) {
		if (dims->item[i].fixed)
			continue;
		if (dims->item[i].name)
			candidate[count++] = dims->item[i].name;
		candidate[count++] = dims->item[i].alias;
	}
	for (int i = 0; o->options && i < o->options->dim_count; i++) {
		const char *given = o->options->dim[i].name;
		bool found = is_fixed(dims, given);
		for (int k = 0; k < count && !found; k++)
			found = !strcmp(candidate[k], given);
		const char *near = found ? NULL : diag_nearest(given, candidate, count);
		if (!found)
			onnx_error(o, NULL, "no open dimension is called '%s'%s%s", given,
				   near    ? "; did you mean "
				   : count ? "; open is "
					   : "; the model leaves none open",
				   near    ? near
				   : count ? candidate[0]
					   : "");
	}
}

bool onnx_inputs_open(struct onnx *o)
{
	struct input_dims dims = {0};
	bool opened = true;
	for (size_t i = 0; i < o->graph->n_input; i++) {
		const char *name = o->graph->input[i]->name;
		struct onnx_value *v = name && *name ? onnx_value_find(o, name) : NULL;
		if (!v) {
			onnx_error(o, NULL, "input %zu of the graph has no name", i);
			opened = false;
		} else if (!v->initializer) {
			opened &= open_input(o, v, &dims);
		}
	}
	check_bindings(o, &dims);
	return opened;
}
