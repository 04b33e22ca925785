/* run_files.c -- the .npy files of a run: each input held against the tensor that it is for, each output under a
 * name of its own. */
#include "frontend/network/run_files.h"

#include <stdlib.h>
#include <string.h>
#include "frontend/source/file_name.h"
#include "runtime/array_print.h"
#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/sentence.h"

/* ---- Inputs ------------------------------------------------------------------------------------------ */

static bool error_shape(const struct network *network, const struct tensor *wanted,
			const struct array *array, const char *path, struct diag *diag)
{
	const char *remedy = "";
	if (array->type != wanted->type)
		remedy = "; NumPy's .astype() converts types";
	else if (wanted->rank == array->rank)
		remedy = "; -dim gives the extents that the network leaves open";
	return diag_fail(diag, "bad-input",
			 sentence("%s: is %s, and input '%s' of network '%s' is %s%s", path,
				  shape_text(array->type, array->rank, array->extent).text,
				  wanted->name, network->name,
				  shape_text(wanted->type, wanted->rank, wanted->extent).text,
				  remedy));
}

bool array_read(const char *path, struct array **array, struct diag *diag)
{
	char *data;
	size_t size;
	char *error = file_read(path, &data, &size);
	if (error)
		return diag_fail(diag, "unreadable-file", error);
	error = npy_parse(path, data, size, array);
	free(data);
	return !error || diag_fail(diag, "bad-input", error);
}

static bool read_input(const struct network *network, const struct tensor *wanted, const char *path,
		       struct array **array, struct diag *diag)
{
	return array_read(path, array, diag) &&
	       (tensor_takes(wanted, *array) || error_shape(network, wanted, *array, path, diag));
}

static bool error_count(const struct network *network, int given, struct diag *diag)
{
	const char *names = "";
	for (int i = 0; i < network->input_count; i++)
		names = arena_printf(diag->arena, "%s%s%s", names, i ? ", " : "",
				     network->input[i]->name);
	return diag_fail(diag, "input-count",
			 sentence("network '%s' has %d input%s (%s), and %d .npy file%s given",
				  network->name, network->input_count,
				  network->input_count == 1 ? "" : "s", names, given,
				  given == 1 ? " is" : "s are"));
}

bool inputs_read(const struct network *network, const char *const path[], int count,
		 struct array *input[], struct diag *diag)
{
	if (count != network->input_count)
		return error_count(network, count, diag);
	for (int i = 0; i < count; i++)
		if (!read_input(network, network->input[i], path[i], &input[i], diag))
			return false;
	return true;
}

/* ---- Outputs ----------------------------------------------------------------------------------------- */

static bool write_output(const char *path, const struct array *output, struct diag *diag)
{
	char *error = npy_write(path, output);
	return !error || diag_fail(diag, "unwritable-file", error);
}

bool outputs_write(const struct network *network, struct array *const output[], const char *path,
		   struct diag *diag)
{
	if (file_has_ending(path, ".npy"))
		return write_output(path, output[0], diag);
	char *error = file_make_folder(path);
	if (error)
		return diag_fail(diag, "unwritable-file", error);
	const char **name = file_names(diag->arena, network->output_name, network->output_count);
	for (int i = 0; i < network->output_count; i++)
		if (!write_output(arena_printf(diag->arena, "%s/%s.npy", path, name[i]), output[i],
				  diag))
			return false;
	return true;
}

void outputs_print(const struct network *network, struct array *const output[], FILE *out)
{
	for (int i = 0; i < network->output_count; i++) {
		const struct array *array = output[i];
		fprintf(out, "%s: %s\n", network->output_name[i],
			shape_text(array->type, array->rank, array->extent).text);
		array_print(out, array);
	}
}
