/* calibrate.c -- samples are cut from their files one after the other; the network is executed on each. */
#include "frontend/network/calibrate.h"
#include "frontend/network/run_files.h"

#include <math.h>
#include <string.h>
#include "runtime/array_print.h"
#include "runtime/random.h"
#include "runtime/sentence.h"

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static bool error_shape(const struct tensor *wanted, const struct array *array, const char *path,
			struct diag *diag)
{
	const char *more =
		wanted->rank > 0 ? ", or several of these along its first dimension" : "";
	return diag_fail(
		diag, "bad-input",
		sentence("%s: is %s, and a sample of input '%s' is %s%s", path,
			 shape_text(array->type, array->rank, array->extent).text, wanted->name,
			 shape_text(wanted->type, wanted->rank, wanted->extent).text, more));
}

/* How many samples of the input the array holds; 0: it holds none. */
static int64_t samples_in(const struct tensor *wanted, const struct array *array)
{
	if (array->rank == 0)
		return tensor_takes(wanted, array);
	struct array first = *array;
	if (wanted->rank == 0 || array->extent[0] % wanted->extent[0] != 0)
		return 0;
	first.extent[0] = wanted->extent[0];
	return tensor_takes(wanted, &first) ? array->extent[0] / wanted->extent[0] : 0;
}

static bool check_finite(const struct array *array, const char *path, struct diag *diag)
{
	for (int64_t i = 0, count = array_count(array); i < count; i++) {
		double value = array_get(array, i);
		if (isfinite(value))
			continue;
		int64_t inside = array->rank > 0 ? count / array->extent[0] : 1;
		return diag_fail(diag, "bad-input",
				 sentence("%s: a sample to find ranges with is finite, and this "
					  "holds %s at [%lld%s]",
					  path, isnan(value) ? "NaN" : "infinity",
					  (long long)(i / inside), array->rank > 1 ? ", ..." : ""));
	}
	return true;
}

static bool read_samples(const struct network *net, const char *const path[], struct array *file[],
			 int64_t *samples, struct diag *diag)
{
	for (int i = 0; i < net->input_count; i++) {
		if (!array_read(path[i], &file[i], diag))
			return false;
		int64_t count = samples_in(net->input[i], file[i]);
		if (count == 0)
			return error_shape(net->input[i], file[i], path[i], diag);
		if (i > 0 && count != *samples)
			return diag_fail(diag, "bad-input",
					 sentence("%s: holds %lld sample%s, and %s holds %lld",
						  path[i], (long long)count, count == 1 ? "" : "s",
						  path[0], (long long)*samples));
		if (!check_finite(file[i], path[i], diag))
			return false;
		*samples = count;
	}
	return true;
}

/* ---- Samples ----------------------------------------------------------------------------------------------------- */

/* An array for each input. */
static struct array **inputs_new(const struct network *net)
{
	struct array **input =
		ARENA_ARRAY(net->arena, (size_t)net->input_count + 1, struct array *);
	for (int i = 0; i < net->input_count; i++) {
		const struct tensor *t = net->input[i];
		if (!(input[i] = array_new(t->type, t->rank, t->extent)))
			arena_fail(net->arena);
	}
	return input;
}

static void inputs_free(const struct network *net, struct array *input[])
{
	for (int i = 0; i < net->input_count; i++)
		array_free(input[i]);
}

static bool widen(struct network *net, struct array *const input[], const struct executor *by,
		  struct ranges *ranges, struct diag *diag)
{
	char *error = ranges_widen(ranges, net, input, by);
	return !error || diag_fail(diag, "execution", error);
}

static bool widen_by_each(struct network *net, struct array *const file[], int64_t samples,
			  const struct executor *by, struct ranges *ranges, struct diag *diag)
{
	struct array **input = inputs_new(net);
	bool is_done = true;
	for (int64_t n = 0; is_done && n < samples; n++) {
		for (int i = 0; i < net->input_count; i++) {
			size_t bytes = (size_t)array_bytes(input[i]);
			memcpy(input[i]->data, (char *)file[i]->data + (size_t)n * bytes, bytes);
		}
		is_done = widen(net, input, by, ranges, diag);
	}
	inputs_free(net, input);
	return is_done;
}

bool calibrate(struct network *net, const char *const path[], int count, const struct executor *by,
	       struct ranges *ranges, struct diag *diag)
{
	if (count != net->input_count)
		return diag_fail(diag, "input-count",
				 sentence("network '%s' has %d input%s, and -calibrate gives %d "
					  "file%s",
					  net->name, net->input_count,
					  net->input_count == 1 ? "" : "s", count,
					  count == 1 ? "" : "s"));
	struct array **file = ARENA_ARRAY(net->arena, (size_t)count + 1, struct array *);
	int64_t samples = 1;
	bool is_done = read_samples(net, path, file, &samples, diag) &&
		       widen_by_each(net, file, samples, by, ranges, diag);
	inputs_free(net, file);
	return is_done;
}

bool calibrate_random(struct network *net, uint64_t seed, const struct executor *by,
		      struct ranges *ranges, struct diag *diag)
{
	struct array **input = inputs_new(net);
	for (int i = 0; i < net->input_count; i++) {
		const char *name = net->input[i]->name;
		uint64_t stream = random_stream(name, strlen(name));
		for (int64_t e = 0, count = array_count(input[i]); e < count; e++)
			array_set(input[i], e, random_normal(seed, stream, (uint64_t)e));
	}
	bool is_done = widen(net, input, by, ranges, diag);
	inputs_free(net, input);
	return is_done;
}
