/* workload_maps.c -- what a machine's dataflow and a file of mappings say of the layers of a workload. A map that says all
 * is given; one that leaves something open narrows, as the dataflow does, what is searched. */
#include "mapper/network/workload.h"

#include <string.h>

#include "frontend/source/name_index.h"
#include "frontend/timeloop/timeloop.h"
#include "mapper/mapping/mapping_print.h"
#include "mapper/mapping/mapping_timeloop.h"

/* ---- Which map is whose -------------------------------------------------------------------------------------- */

static struct layer *layer_called(struct workload *w, struct program *maps,
				  const struct tree_item *item)
{
	const char **name = ARENA_ARRAY(maps->arena, (size_t)w->layers, const char *);

	for (int i = 0; i < w->layers; i++) {
		name[i] = w->layer[i].name;
		if (strcmp(name[i], item->name) == 0)
			return &w->layer[i];
	}
	diag_error(maps->diag, "unknown-name", item->name_span,
		   "no mapped layer of network '%s' is called '%s'%s", w->network->name, item->name,
		   diag_suggestion(maps->diag, item->name, name, w->layers));
	return NULL;
}

static void find_map(struct workload *w, struct program *maps, const struct tree_item *item)
{
	struct layer *layer = layer_called(w, maps, item);

	if (layer && layer->why)
		diag_error(maps->diag, "bad-mapping", item->name_span, "'%s' cannot be mapped: %s",
			   layer->name, layer->why);
	else if (layer)
		layer->map = item;
}

static void find_maps(struct workload *w, struct program *maps)
{
	for (int i = 1; i < maps->tree_count; i++)
		for (const struct tree_item *item = maps->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_MAPPING && item->name && item->machine &&
			    strcmp(item->machine, w->machine->name) == 0)
				find_map(w, maps, item);
}

/* ---- What a map says ------------------------------------------------------------------------------------------- */

/* Does it leave nothing open? One whose tiles are too large leaves nothing open, either. */
static bool is_whole(const struct program *maps, const struct layer *layer,
		     const struct hierarchy *machine)
{
	struct diag trial = {.arena = maps->arena};
	struct program reader = *maps;

	reader.diag = &trial;
	return mapping_read(&reader, layer->map, layer->problem, machine) ||
	       (trial.count > 0 && strcmp(trial.finding[0].code, "does-not-fit") == 0);
}

static void take_constraint(struct program *program, const struct machine *machine,
			    struct layer *layer, const struct hierarchy *h, bool imperfect)
{
	struct constraint *c = ARENA_NEW(program->arena, struct constraint);
	struct constraint_origin *origin = ARENA_NEW(program->arena, struct constraint_origin);

	if (constraint_read(program, machine, layer->map, layer->problem, h, imperfect, c, origin))
		layer->constraint = c;
}

bool workload_constrain(struct workload *w, struct program *program, const struct machine *machine,
			struct program *maps, bool imperfect)
{
	const struct diag *diag = program->diag;
	int errors = diag->errors;

	if (maps)
		find_maps(w, maps);
	/* What is wrong with a dataflow is wrong for layer after layer, and told once. */
	for (int i = 0; i < w->layers && diag->errors == errors; i++) {
		struct layer *layer = &w->layer[i];
		if (layer->why || layer->given)
			continue;
		if (layer->map && is_whole(maps, layer, w->machine))
			layer->given = mapping_read(maps, layer->map, layer->problem, w->machine);
		else
			take_constraint(program, machine, layer, w->machine, imperfect);
	}
	workload_compare(w);
	return diag->errors == errors;
}

/* ---- Mappings in Timeloop's YAML ------------------------------------------------------------------------------ */

/* What the problem of a document is called, or NULL. */
static const struct yaml *problem_name(const struct yaml *document)
{
	const struct yaml *name =
		yaml_find(yaml_find(yaml_find(document, "problem"), "shape"), "name");

	return name && name->kind == YAML_SCALAR ? name : NULL;
}

static struct layer *layer_of_document(struct workload *w, struct program *program,
				       const struct yaml *document)
{
	const struct yaml *name = problem_name(document);
	struct layer *only = NULL;
	const char *list = "";
	int count = 0;

	for (int i = 0; i < w->layers; i++) {
		struct layer *layer = &w->layer[i];
		if (layer->macs == 0 || layer->why)
			continue;
		if (name && strcmp(timeloop_name(program->arena, layer->name), name->text) == 0)
			return layer;
		list = arena_printf(program->arena, "%s%s%s", list, count ? ", " : "", layer->name);
		only = layer;
		count++;
	}
	if (count == 1)
		return only;
	diag_error(program->diag, "unknown-name",
		   name ? name->span : yaml_find(document, "mapping")->span,
		   name ? "no mapped layer of network '%s' is called so"
			: "this mapping does not say which layer of network '%s' it is of",
		   w->network->name);
	diag_note(program->diag, name ? name->span : yaml_find(document, "mapping")->span,
		  "a 'problem' beside the mapping, with the name of its 'shape', says which; there "
		  "%s",
		  count ? arena_printf(program->arena, "are %s", list) : "is none");
	return NULL;
}

bool workload_take_timeloop(struct workload *w, struct program *program, const char *path)
{
	int errors = program->diag->errors;
	const struct yaml *document = timeloop_load(program, path);
	const struct yaml *list = yaml_find(document, "mapping");
	struct layer *layer = NULL;

	if (document && !list)
		diag_error(program->diag, "timeloop",
			   (struct span){.source = document->span.source},
			   "this file has no list 'mapping'");
	else if (document)
		layer = layer_of_document(w, program, document);
	if (layer)
		layer->given = mapping_timeloop(program, document, layer->problem, w->machine);
	return program->diag->errors == errors;
}
