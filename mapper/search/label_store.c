/* label_store.c -- where labels are kept while a pass lasts, and when it has to end. */
#include "mapper/search/label.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/clock.h"

enum { CHUNK = 1 << 20 };

struct chunk {
	struct chunk *next;
	size_t used;
	char bytes[];
};

static void *allocate(struct engine *e, size_t size)
{
	struct chunk *c = e->chunks;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->used + size > CHUNK) {
		c = malloc(sizeof *c + CHUNK + 16);
		if (!c) {
			e->no_memory = true;
			return NULL;
		}
		c->next = e->chunks;
		c->used = 0;
		e->chunks = c;
	}
	c->used += size;
	return c->bytes + (c->used - size);
}

void labels_free(struct engine *e)
{
	while (e->chunks) {
		struct chunk *next = e->chunks->next;
		free(e->chunks);
		e->chunks = next;
	}
}

void scratch_copy(const struct engine *e, struct scratch *s, const struct label *l)
{
	s->label = *l;
	s->label.link = s->link;
	s->label.port = s->port;
	s->label.outputs = s->outputs;
	s->label.instances = s->instances;
	memcpy(s->link, l->link, (size_t)l->links * sizeof *s->link);
	if (e->counts_words) {
		memcpy(s->port, l->port, (size_t)e->t->tallies * sizeof *s->port);
		memcpy(s->outputs, l->outputs, (size_t)e->t->levels * sizeof *s->outputs);
		memcpy(s->instances, l->instances, (size_t)e->t->levels * sizeof *s->instances);
	}
}

struct label *label_store(struct engine *e, const struct scratch *s)
{
	size_t links = (size_t)s->label.links * sizeof *s->link;
	size_t ports = e->counts_words ? (size_t)e->t->tallies * sizeof *s->port : 0;
	size_t outputs = e->counts_words ? (size_t)e->t->levels * sizeof *s->outputs : 0;
	struct label *l = allocate(e, sizeof *l + links + ports + 2 * outputs);

	if (!l)
		return NULL;
	*l = s->label;
	l->link = (struct link *)(l + 1);
	l->port = (double *)(void *)((char *)l->link + links);
	l->outputs = (double *)(void *)((char *)l->port + ports);
	memcpy(l->link, s->link, links);
	memcpy(l->port, s->port, ports);
	memcpy(l->outputs, s->outputs, outputs);
	l->instances = (double *)(void *)((char *)l->outputs + outputs);
	memcpy(l->instances, s->instances, outputs);
	e->evaluations++;
	return l;
}

bool engine_is_stopped(struct engine *e)
{
	if (e->is_cut || e->no_memory)
		return true;
	if (e->stop && *e->stop)
		e->is_cut = true;
	if (e->most_evaluations > 0 && e->evaluations >= e->most_evaluations)
		e->is_cut = true;
	if (e->most_looked > 0 && *e->looked >= e->most_looked)
		e->is_cut = true;
	if (e->deadline > 0 && e->evaluations % 64 == 0)
		e->is_cut |= clock_seconds() > e->deadline;
	return e->is_cut;
}
