/* weights.c -- arrays by name, parameters by name, and a helpful word where the two do not meet. */
#include "frontend/weights.h"

#include <string.h>
#include "runtime/array_print.h"

static bool takes_weights(const struct tensor *tensor)
{
	return (tensor->role == ROLE_PARAM || tensor->role == ROLE_STATE) && !tensor->view_of;
}

static struct named_array *find(struct array_set *set, const char *name)
{
	for (size_t low = 0, high = set->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, set->item[middle].name);
		if (order == 0)
			return &set->item[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static bool same_shape(const struct tensor *tensor, const struct array *array)
{
	if (tensor->rank != array->rank)
		return false;
	for (int i = 0; i < tensor->rank; i++)
		if (tensor->extent[i] != array->extent[i])
			return false;
	return true;
}

static void report_missing(const struct tensor *tensor, const struct array_set *set,
			   const char *file, struct diag *diag)
{
	const char **name = NULL;
	int count = 0;
	for (size_t i = 0; i < set->count && diag->errors < diag_limit(diag); i++)
		ARENA_APPEND(diag->arena, name, count, set->item[i].name);
	diag_error(diag, "missing-weights", (struct span){0}, "no array for parameter '%s' (%s)%s",
		   tensor->name, shape_text(tensor->type, tensor->rank, tensor->extent).text,
		   diag_suggestion(diag, tensor->name, name, count));
	diag_place(diag, "%s", file);
}

static void report_mismatch(const struct tensor *tensor, const struct array *array,
			    const char *code, const char *file, struct diag *diag)
{
	diag_error(diag, code, (struct span){0}, "array '%s' is %s, and the parameter is %s",
		   tensor->name, shape_text(array->type, array->rank, array->extent).text,
		   shape_text(tensor->type, tensor->rank, tensor->extent).text);
	diag_place(diag, "%s", file);
	if (tensor->origin.source && !tensor->origin.source->is_library)
		diag_note(diag, tensor->origin, "the parameter's shape comes from here");
}

/* The array for this parameter, or NULL after an error or where it has values already. */
static struct named_array *match(const struct tensor *tensor, struct array_set *set,
				 const char *file, struct diag *diag)
{
	struct named_array *item = find(set, tensor->name);
	if (!item && !tensor->data)
		report_missing(tensor, set, file, diag);
	if (!item || !item->array)
		return NULL;
	const char *wrong = !same_shape(tensor, item->array)    ? "weights-shape"
			    : tensor->type != item->array->type ? "weights-type"
								: NULL;
	if (wrong)
		report_mismatch(tensor, item->array, wrong, file, diag);
	return wrong ? NULL : item;
}

void weights_load(struct network *network, struct array_set *set, const char *file,
		  struct diag *diag)
{
	bool *used = ARENA_ARRAY(diag->arena, set->count, bool);
	for (int i = 0; i < network->tensor_count; i++) {
		struct tensor *tensor = network->tensor[i];
		if (!takes_weights(tensor))
			continue;
		struct named_array *named = find(set, tensor->name);
		if (named)
			used[named - set->item] = true;
		struct named_array *item = match(tensor, set, file, diag);
		if (!item)
			continue;
		array_free(tensor->data);
		tensor->data = item->array;
		item->array = NULL;
	}
	for (size_t i = 0; i < set->count; i++) {
		if (used[i])
			continue;
		diag_warning(diag, "unused-weights", (struct span){0},
			     "array '%s' belongs to no parameter of network '%s'",
			     set->item[i].name, network->name);
		diag_place(diag, "%s", file);
	}
}
