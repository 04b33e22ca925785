/* onnx_attribute.c -- the attributes of a node, held to the list that its row in onnx_ops.def gives.
 * A row says "axis:i kernel_shape!:I": names with the kind of their values, ! where one must be given.
 * Kinds: i integer, f number, s string, t tensor, I integers, F numbers, S strings, g graph. */
#include "frontend/onnx/onnx_import.h"

#include <string.h>

#define KIND(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name
static const struct {
	char letter;
	Onnx__AttributeProto__AttributeType type;
	const char *name;
} kinds[] = {
	{'i', KIND(INT), "an integer"},  {'f', KIND(FLOAT), "a number"},
	{'s', KIND(STRING), "a string"}, {'t', KIND(TENSOR), "a tensor"},
	{'I', KIND(INTS), "integers"},   {'F', KIND(FLOATS), "numbers"},
	{'S', KIND(STRINGS), "strings"}, {'g', KIND(GRAPH), "a graph"},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The text after "name" in a row's list: ":i ..." or "!:i ..."; NULL if the operator has no such attribute. */
static const char *listed(const char *list, const char *name)
{
	size_t length = strlen(name);
	while (*list) {
		size_t word = strcspn(list, " ");
		if (word > length && !strncmp(list, name, length) &&
		    (list[length] == ':' || list[length] == '!'))
			return list + length;
		list += word + strspn(list + word, " ");
	}
	return NULL;
}

static int kind_of(const char *after_name)
{
	char letter = after_name[after_name[0] == '!' ? 2 : 1];
	for (int i = 0; i < KINDS; i++)
		if (kinds[i].letter == letter)
			return i;
	return -1;
}

/* Whether the value that this type announces is there. */
static bool has_value(const Onnx__AttributeProto *a)
{
	switch (a->type) {
	case KIND(STRING):
		return a->has_s;
	case KIND(TENSOR):
		return a->t;
	case KIND(GRAPH):
		return a->g;
	default:
		return true; /* a number left out is 0, a list left out is empty */
	}
}

static void check(struct onnx *o, const struct onnx_node *n, size_t index)
{
	const Onnx__AttributeProto *a = n->proto->attribute[index];
	const char *name = a->name ? a->name : "";
	const char *shown = onnx_shown(o->arena, name);
	const char *found = listed(n->op->attributes, name);
	if (!found) {
		onnx_unsupported(o, n, "attribute '%s' is not known to %s", shown, n->op_name);
		return;
	}
	for (size_t i = 0; i < index; i++)
		if (n->proto->attribute[i]->name && !strcmp(n->proto->attribute[i]->name, name)) {
			onnx_error(o, n, "attribute '%s' is given twice", shown);
			return;
		}
	int kind = kind_of(found);
	if (a->ref_attr_name && *a->ref_attr_name)
		onnx_error(o, n, "attribute '%s' refers to a function's attribute outside of one",
			   shown);
	else if (a->has_type && a->type != KIND(UNDEFINED) && (int)a->type != (int)kinds[kind].type)
		onnx_error(o, n, "attribute '%s' must be %s", shown, kinds[kind].name);
	else if (a->has_type && !has_value(a))
		onnx_error(o, n, "attribute '%s' has no value", shown);
}

static void check_required(struct onnx *o, const struct onnx_node *n)
{
	const char *list = n->op->attributes;
	while (*list) {
		size_t word = strcspn(list, " ");
		const char *mark = memchr(list, '!', word);
		if (mark) {
			char *name = arena_copy(o->arena, list, (size_t)(mark - list));
			if (!onnx_attribute(n, name))
				onnx_error(o, n, "attribute '%s' is missing", name);
		}
		list += word + strspn(list + word, " ");
	}
}

bool onnx_attributes_check(struct onnx *o, const struct onnx_node *n)
{
	enum { MOST = 100 }; /* no operator has nearly as many */
	int before = o->diag->errors;
	if (n->proto->n_attribute > MOST) {
		onnx_error(o, n, "%zu attributes", n->proto->n_attribute);
		return false;
	}
	for (size_t i = 0; i < n->proto->n_attribute; i++)
		check(o, n, i);
	check_required(o, n);
	return o->diag->errors == before;
}

const Onnx__AttributeProto *onnx_attribute(const struct onnx_node *n, const char *name)
{
	for (size_t i = 0; i < n->proto->n_attribute; i++) {
		const Onnx__AttributeProto *a = n->proto->attribute[i];
		if (a->name && !strcmp(a->name, name))
			return a;
	}
	return NULL;
}

int64_t onnx_integer(const struct onnx_node *n, const char *name, int64_t otherwise)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, name);
	return a ? a->i : otherwise;
}

double onnx_number(const struct onnx_node *n, const char *name, double otherwise)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, name);
	return a ? (double)a->f : otherwise;
}

const char *onnx_string(struct onnx *o, const struct onnx_node *n, const char *name,
			const char *otherwise)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, name);
	return a ? arena_copy(o->arena, (const char *)a->s.data, a->s.len) : otherwise;
}

struct integers onnx_integers(const struct onnx_node *n, const char *name)
{
	const Onnx__AttributeProto *a = onnx_attribute(n, name);
	return a ? (struct integers){(int)a->n_ints, a->ints} : (struct integers){-1, NULL};
}

int onnx_axis(struct onnx *o, const struct onnx_node *n, int64_t axis, int rank)
{
	if (axis < -rank || axis >= rank) {
		onnx_error(o, n, "axis %lld of a tensor of %d dimensions", (long long)axis, rank);
		return -1;
	}
	return (int)(axis < 0 ? axis + rank : axis);
}
