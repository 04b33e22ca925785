/* run_files.c -- arrays of a program from files and into them. */
#include "runtime/simulator/run_files.h"
#include "runtime/array_print.h"
#include "runtime/file.h"
#include "runtime/npy.h"
#include "runtime/sentence.h"

#include <stdlib.h>

char *run_read_inputs(const struct run *r, const char *const path[], int count,
		      struct array *input[])
{
	if (count != r->tensors.inputs)
		return sentence("the program has %d input%s, and %d %s given", r->tensors.inputs,
				r->tensors.inputs == 1 ? "" : "s", count,
				count == 1 ? "is" : "are");
	for (int i = 0; i < count; i++) {
		const struct sim_tensor *t = &r->tensors.tensor[r->tensors.input[i].tensor];
		char *error = npy_read(path[i], &input[i]);
		if (error)
			return error;
		const struct array *a = input[i];
		if (!run_takes(t, a))
			return sentence("%s: the array is %s, and input '%s' of the program is %s",
					path[i], shape_text(a->type, a->rank, a->extent).text,
					r->tensors.input[i].name,
					shape_text(t->type, t->rank, t->extent).text);
	}
	return NULL;
}

char *run_may_write(const struct run *r, const char *path)
{
	if (!file_has_ending(path, ".npy"))
		return file_may_make_folder(path);
	if (r->tensors.outputs != 1)
		return sentence("the program has %d outputs, and '%s' is one file: give a folder",
				r->tensors.outputs, path);
	return file_may_write(path);
}

char *run_write_outputs(const struct run *r, struct array *const output[], const char *path)
{
	if (file_has_ending(path, ".npy"))
		return npy_write(path, output[0]);
	char *error = file_make_folder(path);
	for (int i = 0; i < r->tensors.outputs && !error; i++) {
		char *file = sentence("%s/%s.npy", path, r->tensors.output[i].name);
		error = file ? npy_write(file, output[i]) : sentence("no memory");
		free(file);
	}
	return error;
}

void run_print_outputs(const struct run *r, struct array *const output[], FILE *file)
{
	for (int i = 0; i < r->tensors.outputs; i++) {
		const struct array *a = output[i];
		fprintf(file, "%s: %s\n", r->tensors.output[i].name,
			shape_text(a->type, a->rank, a->extent).text);
		array_print(file, a);
	}
}
