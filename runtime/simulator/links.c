/* links.c -- routes go from the corner along the first row, then along a column; on a torus the shorter way round each. */
#include "runtime/simulator/links.h"

/* How far routes along one axis have come, to either side of where they begin. */
struct way {
	int64_t up, down;
};

static void go_to(struct way *w, int64_t place, int64_t length, enum topology topology)
{
	bool is_back = topology == TOPOLOGY_TORUS && 2 * place > length;
	int64_t *far = is_back ? &w->down : &w->up, links = is_back ? length - place : place;
	if (*far < links)
		*far = links;
}

int64_t links_taken(const struct sim_layer *l, enum topology topology, const struct sending *s)
{
	const struct level *at = &l->machine->level[s->level];
	int64_t columns = l->used[s->level][1], links = 1;
	struct way along_row = {0, 0};
	for (int64_t column = 0; column < columns; column++) {
		struct way along_column = {0, 0};
		bool is_met = false;
		for (int i = 0; i < s->count; i++) {
			if (s->unit[i] % columns != column)
				continue;
			go_to(&along_column, s->unit[i] / columns, at->fanout[0], topology);
			is_met = true;
		}
		if (is_met)
			go_to(&along_row, column, at->fanout[1], topology);
		links += along_column.up + along_column.down;
	}
	return links + along_row.up + along_row.down;
}

/* The unit of the sending that this one gets it from, by its place in the list; -1: the network. */
static int before(const struct sim_layer *l, unsigned linked, const struct sending *s, int at)
{
	int64_t columns = l->used[s->level][1];
	int64_t row = s->unit[at] / columns, column = s->unit[at] % columns;
	int found = -1;
	for (int i = 0; i < at; i++) {
		bool same_row = s->unit[i] / columns == row,
		     same_column = s->unit[i] % columns == column;
		if (linked == 3 ? same_row : linked == 2 ? same_row : same_column)
			found = i;
	}
	if (found >= 0 || linked != 3 || at == 0)
		return found;
	/* The first of the row before. */
	int64_t row_before = s->unit[at - 1] / columns;
	for (found = at - 1; found > 0 && s->unit[found - 1] / columns == row_before; found--)
		;
	return found;
}

void links_pass_on(const struct sim_layer *l, unsigned linked, const struct sending *s,
		   void (*pass)(void *, const struct sending *, int64_t), void *context)
{
	for (int i = 0; i < s->count; i++) {
		int from = before(l, linked, s, i);
		if (from >= 0)
			pass(context, s, s->unit[from]);
	}
}
