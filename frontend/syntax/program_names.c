/* program_names.c -- no two definitions of one name. Operators and networks share their names, since both are
 * called alike; machines, dataflows, train blocks and mappings (of a layer on a machine) have theirs. */
#include "frontend/source/name_index.h"
#include "frontend/syntax/program.h"

/* How people call each kind of item, and the items that share its names; imports have none. */
static const struct {
	const char *word;
	int group;
} naming[] = {
	[ITEM_OP] = {"operator", 1},       [ITEM_NETWORK] = {"network", 1},
	[ITEM_TRAIN] = {"train", 2},       [ITEM_BLOCK] = {"machine", 3},
	[ITEM_DATAFLOW] = {"dataflow", 4}, [ITEM_MAPPING] = {"map", 5},
	[ITEM_IMPORT] = {NULL, 0},
};

/* All that tells an item from others, as one name. */
static const char *key_of(struct arena *arena, const struct tree_item *item)
{
	const char *key = arena_printf(arena, "%d %s on %s", naming[item->kind].group, item->name,
				       item->machine ? item->machine : "");
	return arena_intern_string(arena, key);
}

static void check_item(struct program *program, struct name_places *places,
		       const struct tree_item *item)
{
	if (!naming[item->kind].group || !item->name)
		return;
	const struct span *first =
		name_stood(program->arena, places, key_of(program->arena, item), item->name_span);
	if (!first)
		return;
	diag_error(program->diag, "redefinition", item->name_span, "redefinition of %s '%s'",
		   naming[item->kind].word, item->name);
	diag_note(program->diag, *first, "previous definition is here");
}

void program_check_names(struct program *program)
{
	struct name_places places = {0};
	for (int i = 1; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			check_item(program, &places, item);
}
