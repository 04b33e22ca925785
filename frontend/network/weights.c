/* weights.c -- arrays by name, parameters by name, and a helpful word where the two do not meet. */
#include "frontend/network/weights.h"

#include <stdlib.h>
#include "runtime/array_print.h"
#include "runtime/file.h"

/* A set, and which of its arrays are a parameter's. */
struct claims {
	const struct array_set *set;
	bool *used;
};

static struct claims claims_of(const struct network *network, const struct array_set *set,
			       struct arena *arena)
{
	struct claims claims = {set, ARENA_ARRAY(arena, set->count, bool)};
	for (int i = 0; i < network->tensor_count; i++) {
		const struct tensor *tensor = network->tensor[i];
		const struct named_array *item =
			tensor_takes_weights(tensor) ? array_set_item(set, tensor->name) : NULL;
		if (item)
			claims.used[item - set->item] = true;
	}
	return claims;
}

/* Which array may be meant for a parameter that has none, as the end of a message: one of a name like its own,
 * else one that fits; never one that another parameter takes. */
static const char *suggestion(const struct tensor *tensor, const struct claims *claims,
			      struct diag *diag)
{
	const char **name = NULL, *fitting = NULL;
	int count = 0, others = -1;
	for (size_t i = 0; i < claims->set->count && diag->errors < diag_limit(diag); i++) {
		const struct named_array *item = &claims->set->item[i];
		if (claims->used[i])
			continue;
		ARENA_APPEND(diag->arena, name, count, item->name);
		if (!item->array || !tensor_takes(tensor, item->array))
			continue;
		fitting = fitting ? fitting : item->name;
		others++;
	}
	const char *near = diag_suggestion(diag, tensor->name, name, count);
	if (*near || !fitting)
		return near;
	const char *more = others ? arena_printf(diag->arena, " and %d more", others) : "";
	return arena_printf(diag->arena, "; the file has '%s'%s of that shape", fitting, more);
}

static void report_missing(const struct tensor *tensor, const struct claims *claims,
			   const char *file, struct diag *diag)
{
	diag_error(diag, "missing-weights", (struct span){0}, "no array for parameter '%s' (%s)%s",
		   tensor->name, shape_text(tensor->type, tensor->rank, tensor->extent).text,
		   suggestion(tensor, claims, diag));
	diag_place(diag, "%s", file);
}

static void report_mismatch(const struct tensor *tensor, const struct array *array,
			    const char *file, struct diag *diag)
{
	const char *code = tensor->type == array->type ? "weights-shape" : "weights-type";
	diag_error(diag, code, (struct span){0}, "array '%s' is %s, and the parameter is %s",
		   tensor->name, shape_text(array->type, array->rank, array->extent).text,
		   shape_text(tensor->type, tensor->rank, tensor->extent).text);
	diag_place(diag, "%s", file);
	if (tensor->origin.source && !tensor->origin.source->is_library)
		diag_note(diag, tensor->origin, "the parameter's shape comes from here");
}

/* Gives the parameter the array of its name, if that fits. */
static void take(struct tensor *tensor, struct named_array *item, const char *file,
		 struct diag *diag)
{
	if (!item->array) /* an earlier call took it */
		return;
	if (!tensor_takes(tensor, item->array)) {
		report_mismatch(tensor, item->array, file, diag);
		return;
	}
	array_free(tensor->data);
	tensor->data = item->array;
	item->array = NULL;
}

void weights_load(struct network *network, struct array_set *set, const char *file,
		  struct diag *diag)
{
	struct claims claims = claims_of(network, set, diag->arena);
	for (int i = 0; i < network->tensor_count; i++) {
		struct tensor *tensor = network->tensor[i];
		if (!tensor_takes_weights(tensor))
			continue;
		struct named_array *item = array_set_item(set, tensor->name);
		if (item)
			take(tensor, item, file, diag);
		else if (!tensor->data)
			report_missing(tensor, &claims, file, diag);
	}
	for (size_t i = 0; i < set->count; i++) {
		if (claims.used[i])
			continue;
		diag_warning(diag, "unused-weights", (struct span){0},
			     "array '%s' belongs to no parameter of network '%s'",
			     set->item[i].name, network->name);
		diag_place(diag, "%s", file);
	}
}

bool weights_read(struct network *network, const char *path, struct array_set *set,
		  struct diag *diag)
{
	char *data;
	size_t size;
	int errors = diag->errors;
	char *error = file_read(path, &data, &size);
	if (error)
		return diag_fail(diag, "unreadable-file", error);
	error = safetensors_parse(path, data, size, set);
	free(data);
	if (error)
		return diag_fail(diag, "bad-weights", error);
	weights_load(network, set, path, diag);
	return diag->errors == errors;
}
