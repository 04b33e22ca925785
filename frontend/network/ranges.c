/* ranges.c -- the tensors that contractions read are made the outputs of the network for one run of it. */
#include "frontend/network/ranges.h"

#include <math.h>

struct ranges ranges_new(const struct network *net)
{
	return (struct ranges){ARENA_ARRAY(net->arena, (size_t)net->tensor_count + 1, float)};
}

/* What is no number stays once it is there. */
static void widen(float *greatest, const struct array *a)
{
	for (int64_t i = 0, count = array_count(a); i < count; i++) {
		float magnitude = fabsf((float)array_get(a, i));
		if (isnan(magnitude) || magnitude > *greatest)
			*greatest = magnitude;
	}
}

/* Makes outputs of the network the tensors that are computed and that contractions read. */
static void watch(struct network *watched)
{
	bool *is_watched = ARENA_ARRAY(watched->arena, (size_t)watched->tensor_count + 1, bool);
	watched->output = NULL;
	watched->output_name = NULL;
	watched->output_count = 0;
	for (int i = 0; i < watched->statement_count; i++) {
		const struct statement *s = watched->statement[i];
		for (int arg = 0; statement_is_contraction(s) && arg < 2; arg++) {
			struct tensor *t = tensor_storage(s->value->arg[arg]->access->tensor);
			if (t->role != ROLE_LOCAL || is_watched[t->id])
				continue;
			int names = watched->output_count;
			is_watched[t->id] = true;
			ARENA_APPEND(watched->arena, watched->output_name, names, t->name);
			ARENA_APPEND(watched->arena, watched->output, watched->output_count, t);
		}
	}
}

/* Marks the tensors as outputs for as long as the network runs. */
static char *run_watched(const struct network *watched, struct array *const input[],
			 struct array *output[], const struct executor *by)
{
	bool *was = ARENA_ARRAY(watched->arena, (size_t)watched->output_count + 1, bool);
	for (int i = 0; i < watched->output_count; i++) {
		was[i] = watched->output[i]->is_output;
		watched->output[i]->is_output = true;
	}
	char *error = by->run(by->context, watched, input, output);
	for (int i = 0; i < watched->output_count; i++)
		watched->output[i]->is_output = was[i];
	return error;
}

char *ranges_widen(struct ranges *ranges, struct network *net, struct array *const input[],
		   const struct executor *by)
{
	struct network watched = *net;
	watch(&watched);
	for (int i = 0; i < net->input_count; i++)
		widen(&ranges->greatest[net->input[i]->id], input[i]);
	if (watched.output_count == 0)
		return NULL;
	struct array **output =
		ARENA_ARRAY(net->arena, (size_t)watched.output_count, struct array *);
	char *error = run_watched(&watched, input, output, by);
	for (int i = 0; i < watched.output_count; i++) {
		if (!error)
			widen(&ranges->greatest[watched.output[i]->id], output[i]);
		array_free(output[i]);
	}
	return error;
}
