/* files.c -- the files of a mapped network, each written whole or not at all. */
#include "backend/report/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/timeloop/write.h"
#include "frontend/source/file_name.h"
#include "mapper/explain/network_report.h"
#include "mapper/proof/certificate.h"
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

/* The claims of a certificate, with how many they are. */
struct claims {
	FILE *file;
	int proven, open;
};

static void print_claim(const struct network_mapping *n, const struct layer *layer,
			struct proof_goal goal, const struct mapping *mapping,
			const struct proof *proof, struct claims *claims)
{
	struct claim claim = {
		layer->problem, n->workload->machine, layer->constraint, goal, mapping, proof};

	if (proof && proof->status == PROOF_DONE) {
		certificate_print_claim(&claim, claims->file);
		claims->proven++;
	} else {
		certificate_print_open(layer->name, n->workload->machine->name, claims->file);
		claims->open++;
	}
}

/* The energy-latency set: each point is the least energy of mappings faster than the one before, and none is faster than the
 * last. The first is the optimum itself where that is of energy. */
static void print_set(const struct network_mapping *n, const struct layer_mapping *l,
		      struct claims *claims)
{
	int first = n->options.objective == OBJECTIVE_ENERGY;
	int64_t fastest = l->points > 0 ? l->point[l->points - 1].cycles : 0;

	for (int i = first; i < l->points; i++) {
		const struct pareto_point *point = &l->point[i];
		struct proof_goal goal = {.objective = OBJECTIVE_ENERGY,
					  .value = point->energy,
					  .most_cycles = point->most_cycles};
		print_claim(n, l->layer, goal, point->mapping, point->proof, claims);
	}
	if (l->end) {
		struct proof_goal goal = {.objective = OBJECTIVE_ENERGY,
					  .value = INFINITY,
					  .most_cycles = fastest - 1};
		print_claim(n, l->layer, goal, NULL, l->end, claims);
	}
}

/* Layers alike once; what has no proof stays open. */
static void print_claims(const struct network_mapping *n, struct claims *claims)
{
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		struct proof_goal goal = {.objective = n->options.objective,
					  .value = l->found.value};
		if (l->layer->first != i)
			continue;
		print_claim(n, l->layer, goal, &l->found.mapping, l->proof, claims);
		print_set(n, l, claims);
	}
}

/* The claims first, then what stands above them. */
char *report_certificate(int machines, const struct mapped_machine machine[], size_t *size)
{
	char *body = NULL, *text = NULL;
	size_t length = 0;
	struct claims claims = {.file = open_memstream(&body, &length)};
	FILE *file = open_memstream(&text, size);
	bool is_whole = claims.file && file;

	for (int i = 0; i < machines && is_whole; i++)
		print_claims(machine[i].mapped, &claims);
	if (claims.file)
		is_whole &= fclose(claims.file) == 0;
	if (is_whole) {
		certificate_print_title(claims.proven, claims.open, file);
		fputs(body, file);
	}
	if (file)
		is_whole &= fclose(file) == 0;
	free(body);
	if (is_whole)
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

static bool write_certificate(const char *path, int machines, const struct mapped_machine machine[],
			      struct diag *diag)
{
	size_t size = 0;
	char *text = report_certificate(machines, machine, &size);

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
	if (file_has_ending(path, ".certificate"))
		return write_certificate(path, machines, machine, diag);
	if (file_has_ending(path, ".timeloop.yaml"))
		return write_timeloop(path, machines, machine, diag);
	error = file_make_folder(path);
	if (error)
		return diag_fail(diag, "unwritable-file", error);
	name = arena_printf(diag->arena, "%s/%s", path,
			    file_name(diag->arena, machine[0].mapped->workload->network->name));
	return write_maps(arena_printf(diag->arena, "%s.map", name), machines, machine, diag) &&
	       write_json(arena_printf(diag->arena, "%s.json", name), machines, machine, diag) &&
	       (!machine[0].mapped->options.certify ||
		write_certificate(arena_printf(diag->arena, "%s.certificate", name), machines,
				  machine, diag));
}
