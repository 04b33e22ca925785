/* accelerator.c -- the program in memory, then its file or its execution. */
#include "backend/accelerator/accelerator.h"
#include "backend/accelerator/program.h"
#include "frontend/source/file_name.h"
#include "runtime/file.h"
#include "runtime/sentence.h"
#include "runtime/simulator/machine.h"
#include "runtime/simulator/run_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *count_parts(struct arena *arena, struct program_parts parts)
{
	return arena_printf(
		arena,
		"%d layer%s on the array; %d other statements are done by the host, in the "
		"order of the network",
		parts.layers, parts.layers == 1 ? "" : "s", parts.statements);
}

/* The bytes of the file (malloc'd); NULL after an error. */
static uint8_t *encode(const struct accelerator_job *job, struct diag *diag, size_t *size,
		       const char **note)
{
	const char *slash = strrchr(job->source, '/');
	struct program_parts parts;
	struct dnx dnx = {0};
	uint8_t *file = NULL;
	if (program_write(&dnx, job->network, job->mapped, slash ? slash + 1 : job->source, &parts))
		file = dnx_encode(&dnx, size);
	dnx_free(&dnx);
	*note = count_parts(diag->arena, parts);
	if (!file)
		diag_fail(diag, "execution",
			  sentence("no memory for the program of '%s'", job->network->name));
	return file;
}

bool accelerator_write(const char *path, const struct accelerator_job *job, struct diag *diag,
		       const char **note)
{
	size_t size;
	uint8_t *file = encode(job, diag, &size, note);
	if (!file)
		return false;
	if (!file_has_ending(path, ".dnx"))
		path = arena_printf(diag->arena, "%s/%s.dnx", path,
				    file_name(diag->arena, job->network->name));
	char *error = file_write(path, file, size);
	free(file);
	return !error || diag_fail(diag, "unwritable-file", error);
}

/* A table in the arena. */
static const char *differences(const struct run *r, struct arena *arena)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	if (!file)
		return "";
	run_print_differences(r, file);
	fclose(file);
	const char *table = arena_copy(arena, text, size);
	free(text);
	return table;
}

static bool execute(struct run *r, struct array *const input[], struct array *output[],
		    struct diag *diag)
{
	const struct simulation_options functional = {.is_stepped = false};
	char *error = run_execute(r, input, output, &functional);
	if (error)
		return diag_fail(diag, "program", error);
	if (run_differences(r) > 0)
		return diag_fail(diag, "counters",
				 sentence("%" PRId64
					  " counters of the execution are not those of the "
					  "model:\n%s",
					  run_differences(r), differences(r, diag->arena)));
	return true;
}

bool accelerator_run(const struct accelerator_job *job, struct array *const input[],
		     struct array *output[], struct diag *diag, const char **note)
{
	size_t size;
	struct run *r = calloc(1, sizeof *r);
	uint8_t *file = r ? encode(job, diag, &size, note) : NULL;
	char *error = file ? run_open(r, file, size) : NULL;
	bool is_done = error ? diag_fail(diag, "internal", error)
			     : file && execute(r, input, output, diag);
	if (r)
		run_close(r);
	else
		diag_fail(diag, "execution", sentence("no memory to simulate the machine"));
	free(file);
	free(r);
	return is_done;
}

/* ---- A file ----------------------------------------------------------------------------------------------------------------------- */

/* Is the program for this machine, whatever it is called? */
static bool is_for(const struct run *r, const struct hierarchy *machine)
{
	struct code code = {0};
	uint64_t hash = machine_write(&code, machine) ? dnx_machine_hash(&code) : 0;
	code_free(&code);
	return hash != 0 && hash == dnx_machine_hash(&r->dnx.code[SECTION_MACHINE]);
}

static bool run_files(struct run *r, const char *const path[], int inputs, const char *out,
		      FILE *file, struct diag *diag)
{
	struct array **input = ARENA_ARRAY(diag->arena, inputs + 1, struct array *);
	struct array **output = ARENA_ARRAY(diag->arena, r->tensors.outputs + 1, struct array *);
	char *error = out ? run_may_write(r, out) : NULL;
	bool is_done = !error || diag_fail(diag, "unwritable-file", error);
	error = is_done ? run_read_inputs(r, path, inputs, input) : NULL;
	is_done = is_done && (!error || diag_fail(diag, "program", error)) &&
		  execute(r, input, output, diag);
	error = is_done && out ? run_write_outputs(r, output, out) : NULL;
	is_done = is_done && (!error || diag_fail(diag, "unwritable-file", error));
	if (is_done && !out)
		run_print_outputs(r, output, file);
	for (int i = 0; i < inputs; i++)
		array_free(input[i]);
	for (int i = 0; i < r->tensors.outputs; i++)
		array_free(output[i]);
	return is_done;
}

bool accelerator_run_file(const char *path, const struct hierarchy *machine,
			  const char *const input[], int inputs, const char *out, FILE *file,
			  struct diag *diag)
{
	struct run *r = calloc(1, sizeof *r);
	char *bytes = NULL;
	size_t size;
	char *error = r ? file_read(path, &bytes, &size) : sentence("no memory for %s", path);
	bool is_done = !error || diag_fail(diag, "unreadable-file", error);
	error = is_done ? run_open(r, (const uint8_t *)bytes, size) : NULL;
	if (error) {
		is_done = diag_fail(diag, "program", sentence("%s: %s", path, error));
		free(error);
	}
	if (is_done && machine && !is_for(r, machine))
		is_done = diag_fail(
			diag, "program",
			sentence("%s is a program for machine '%s', and not for '%s' as it is "
				 "described: make it anew with -hw",
				 path, r->machine.name, machine->name));
	is_done = is_done && run_files(r, input, inputs, out, file, diag);
	if (r)
		run_close(r);
	free(bytes);
	free(r);
	return is_done;
}
