/* program_names.c -- no two definitions of one name. Operators and networks share their names, since both are
 * called alike; machines, dataflows, train blocks and mappings (of a layer on a machine) have theirs. */
#include "frontend/program.h"

#include <stdlib.h>
#include <string.h>

/* How people call each kind of item, and the items that share its names; imports have none. */
static const struct {
	const char *word;
	int group;
} naming[] = {
	[ITEM_OP] = {"operator", 1},       [ITEM_NETWORK] = {"network", 1},
	[ITEM_TRAIN] = {"train", 2},       [ITEM_BLOCK] = {"machine", 3},
	[ITEM_DATAFLOW] = {"dataflow", 4}, [ITEM_MAPPING] = {"map", 5},
};

struct definition {
	const struct tree_item *item, *previous;
	int order; /* as read */
};

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_names(const struct tree_item *a, const struct tree_item *b)
{
	int groups = naming[a->kind].group - naming[b->kind].group;
	int names = groups ? groups : compare_text(a->name, b->name);
	return names ? names : compare_text(a->machine, b->machine);
}

static int by_name(const void *a, const void *b)
{
	const struct definition *first = a, *second = b;
	int names = compare_names(first->item, second->item);
	return names ? names : first->order - second->order;
}

static int by_order(const void *a, const void *b)
{
	return ((const struct definition *)a)->order - ((const struct definition *)b)->order;
}

static struct definition *collect(const struct program *program, int *count)
{
	struct definition *definition = NULL;
	for (int i = 1; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item;
		     item = item->next) {
			struct definition fresh = {.item = item, .order = *count};
			if (naming[item->kind].group && item->name)
				ARENA_APPEND(program->arena, definition, *count, fresh);
		}
	return definition;
}

void program_check_names(struct program *program)
{
	int count = 0;
	struct definition *definition = collect(program, &count);
	if (count < 2)
		return;
	qsort(definition, (size_t)count, sizeof *definition, by_name);
	const struct tree_item *first = definition[0].item;
	for (int i = 1; i < count; i++)
		if (compare_names(first, definition[i].item) == 0)
			definition[i].previous = first;
		else
			first = definition[i].item;
	qsort(definition, (size_t)count, sizeof *definition, by_order);
	for (int i = 0; i < count; i++) {
		const struct tree_item *item = definition[i].item;
		if (!definition[i].previous)
			continue;
		diag_error(program->diag, "redefinition", item->name_span,
			   "redefinition of %s '%s'", naming[item->kind].word, item->name);
		diag_note(program->diag, definition[i].previous->name_span,
			  "previous definition is here");
	}
}
