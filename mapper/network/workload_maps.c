/* workload_maps.c -- what a file says of the mappings of a workload: which layer each speaks of, and whether it says all
 * or leaves something to be found. */
#include "mapper/network/workload.h"

#include <string.h>

#include "frontend/source/name_index.h"
#include "mapper/mapping/mapping_print.h"
#include "mapper/mapping/tile.h"

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

/* docs/cost-model.md, rule 7: the closed form counts whole steps. */
static bool has_whole_steps(const struct mapping *m)
{
	for (int i = 0; i < m->loops; i++)
		if (tile_left(m, i) % m->loop[i].tile != 0)
			return false;
	return true;
}

static bool take_map(struct workload *w, struct program *maps, const struct tree_item *item)
{
	struct layer *layer = layer_called(w, maps, item);

	if (!layer)
		return false;
	if (layer->why) {
		diag_error(maps->diag, "bad-mapping", item->name_span, "'%s' cannot be mapped: %s",
			   layer->name, layer->why);
		return false;
	}
	layer->given = mapping_read(maps, item, layer->problem, w->machine);
	if (!layer->given || has_whole_steps(layer->given))
		return layer->given != NULL;
	diag_error(
		maps->diag, "bad-mapping", item->name_span,
		"a step of this mapping is not whole, and what such steps cost is not counted yet");
	return false;
}

bool workload_take_maps(struct workload *w, struct program *maps)
{
	bool ok = true;

	for (int i = 1; i < maps->tree_count; i++)
		for (const struct tree_item *item = maps->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_MAPPING && item->name && item->machine &&
			    strcmp(item->machine, w->machine->name) == 0)
				ok &= take_map(w, maps, item);
	workload_compare(w);
	return ok;
}
