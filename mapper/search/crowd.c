/* crowd.c -- lists of labels by state, and the most promising of a level: those that go on in a narrow pass. */
#include "mapper/search/label.h"

#include <stdlib.h>

void labels_take(struct engine *e, struct label **out)
{
	for (int32_t state = 0; state < e->t->lattice.states; state++) {
		struct label *next;
		for (struct label *l = e->terminal[state]; l; l = next) {
			next = l->next;
			l->next = *out;
			*out = l;
		}
		e->terminal[state] = NULL;
	}
}

void labels_crowd(struct engine *e, int room)
{
	e->room = room < MAX_CROWD ? room : MAX_CROWD;
	e->crowded = 0;
}

/* The promise takes its place in the heap, that of the worst where there is no room. */
static void crowd_in(struct engine *e, double promise)
{
	double *crowd = e->crowd;
	int at;

	if (e->crowded < e->room) {
		for (at = e->crowded++; at > 0 && crowd[(at - 1) / 2] < promise; at = (at - 1) / 2)
			crowd[at] = crowd[(at - 1) / 2];
		crowd[at] = promise;
		return;
	}
	if (promise >= crowd[0])
		return;
	for (at = 0; 2 * at + 1 < e->crowded;) {
		int child = 2 * at + 1;
		if (child + 1 < e->crowded && crowd[child + 1] > crowd[child])
			child++;
		if (crowd[child] <= promise)
			break;
		crowd[at] = crowd[child];
		at = child;
	}
	crowd[at] = promise;
}

void label_end(struct engine *e, const struct scratch *s)
{
	if (label_keep(e, &e->terminal[s->label.state], s) && e->room > 0)
		crowd_in(e, s->label.promise);
}

static int by_promise(const void *a, const void *b)
{
	double x = (*(struct label *const *)a)->promise, y = (*(struct label *const *)b)->promise;

	return (x > y) - (x < y);
}

void labels_trim(struct engine *e, struct label **list)
{
	struct label **label;
	int all = 0, i = 0;

	for (const struct label *l = *list; l; l = l->next)
		all++;
	label = malloc((size_t)(all + 1) * sizeof(struct label *));
	if (!label) {
		e->no_memory = true;
		return;
	}
	for (struct label *l = *list; l; l = l->next)
		label[i++] = l;
	qsort(label, (size_t)all, sizeof *label, by_promise);
	*list = NULL;
	for (i = (all < e->room ? all : e->room) - 1; i >= 0; i--) {
		label[i]->next = *list;
		*list = label[i];
	}
	free(label);
}
