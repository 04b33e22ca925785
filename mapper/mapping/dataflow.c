/* dataflow.c -- dataflows by name, and the places that they speak of on any machine. */
#include "mapper/mapping/dataflow.h"

#include <string.h>

extern const char dataflows_text[];
extern const unsigned dataflows_text_size;

const struct tree_item *dataflow_find(struct program *program, const char *name)
{
	const struct tree_item *item = program_find(program, ITEM_DATAFLOW, name);
	struct source *source;

	if (item)
		return item;
	source = ARENA_NEW(program->arena, struct source);
	*source = (struct source){"dataflows.hw", dataflows_text, dataflows_text_size, true};
	item = tree_parse(program->arena, program->diag, source)->item;
	while (item && strcmp(item->name, name) != 0)
		item = item->next;
	return item;
}

/* ---- Places ------------------------------------------------------------------------------------------------- */

int dataflow_array(const struct hierarchy *h, int inside_of)
{
	for (int l = inside_of - 1; l >= 0; l--)
		if (h->level[l].array && strcmp(h->level[l].axis[0], "lane") != 0)
			return l;
	return -1;
}

int dataflow_memory(const struct hierarchy *h, int level)
{
	while (!h->level[level].is_memory)
		level--;
	return level;
}

enum place dataflow_place(const struct hierarchy *h, const char *word)
{
	static const char *const words[] = {
		[PLACE_ARRAY] = "array",         [PLACE_INSIDE] = "inside",
		[PLACE_OUTSIDE] = "outside",     [PLACE_AROUND] = "around",
		[PLACE_INNERMOST] = "innermost",
	};

	for (int l = 0; l < h->levels; l++)
		if (strcmp(h->level[l].name, word) == 0 ||
		    (h->level[l].array && strcmp(h->level[l].array, word) == 0))
			return PLACE_NONE;
	for (int i = PLACE_ARRAY; i <= PLACE_INNERMOST; i++)
		if (strcmp(words[i], word) == 0)
			return (enum place)i;
	return PLACE_NONE;
}

static unsigned memories(const struct hierarchy *h, int first, int end)
{
	unsigned levels = 0;

	for (int l = first; l < end; l++)
		levels |= h->level[l].is_memory ? 1u << l : 0;
	return levels;
}

unsigned dataflow_levels(const struct hierarchy *h, enum place place, const struct operand *operand)
{
	int array = dataflow_array(h, h->levels);
	int innermost = h->levels - 1;
	/* on a machine without an array all memories are outside */
	int around = array < 0 ? h->levels - 1 : array;

	switch (place) {
	case PLACE_ARRAY:
		return array < 0 ? 0 : 1u << array;
	case PLACE_INSIDE:
		return memories(h, around + 1, h->levels);
	case PLACE_OUTSIDE:
		return memories(h, 0, around + 1);
	case PLACE_AROUND:
		return 1u << dataflow_memory(h, around);
	case PLACE_INNERMOST:
		while (innermost > 0 && !(h->level[innermost].may_keep >> operand->class & 1))
			innermost--;
		return 1u << innermost;
	default:
		return 0;
	}
}
