/* files.c -- the files of a mapped network, each written whole or not at all. */
#include "backend/report/report.h"

#include <stdlib.h>
#include <string.h>

#include "backend/timeloop/write.h"
#include "frontend/source/file_name.h"
#include "mapper/explain/network_report.h"
#include "runtime/file.h"

char *report_maps(int machines, const struct mapped_machine machine[], size_t *size)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, size);

	if (!file)
		return NULL;
	for (int i = 0; i < machines; i++)
		network_print_mappings(machine[i].mapped, file);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

/* Frees the text. */
static bool write_text(const char *path, char *text, size_t size, struct diag *diag)
{
	char *error;

	if (!text)
		arena_fail(diag->arena);
	error = file_write(path, text, size);
	free(text);
	return !error || diag_fail(diag, "unwritable-file", error);
}

static bool write_maps(const char *path, int machines, const struct mapped_machine machine[],
		       struct diag *diag)
{
	size_t size = 0;
	char *text = report_maps(machines, machine, &size);

	return write_text(path, text, size, diag);
}

static bool write_json(const char *path, int machines, const struct mapped_machine machine[],
		       struct diag *diag)
{
	char *text = report_json(machines, machine);

	return write_text(path, text, text ? strlen(text) : 0, diag);
}

/* A YAML document for each mapping that was found, layers alike once. */
static bool write_timeloop(const char *path, int machines, const struct mapped_machine machine[],
			   struct diag *diag)
{
	const struct mapping **map = NULL;
	int count = 0;

	for (int i = 0; i < machines; i++)
		for (int k = 0; k < machine[i].mapped->workload->layers; k++) {
			const struct layer_mapping *l = &machine[i].mapped->layer[k];
			bool is_first = l->layer->given || l->layer->first == k;
			if (is_first && l->found.has_mapping)
				ARENA_APPEND(diag->arena, map, count, &l->found.mapping);
		}
	return timeloop_write_file(map, count, path, diag->arena, diag);
}

bool report_write(const char *path, int machines, const struct mapped_machine machine[],
		  struct diag *diag)
{
	const char *name;
	char *error;

	if (file_has_ending(path, ".map"))
		return write_maps(path, machines, machine, diag);
	if (file_has_ending(path, ".json"))
		return write_json(path, machines, machine, diag);
	if (file_has_ending(path, ".timeloop.yaml"))
		return write_timeloop(path, machines, machine, diag);
	error = file_make_folder(path);
	if (error)
		return diag_fail(diag, "unwritable-file", error);
	name = arena_printf(diag->arena, "%s/%s", path,
			    file_name(diag->arena, machine[0].mapped->workload->network->name));
	return write_maps(arena_printf(diag->arena, "%s.map", name), machines, machine, diag) &&
	       write_json(arena_printf(diag->arena, "%s.json", name), machines, machine, diag);
}
