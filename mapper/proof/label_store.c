/* label_store.c -- where labels lie: a stack of them, and the clock by which it is cut. */
#include "mapper/proof/label.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/clock.h"

/* A goal far above the optimum lets nearly all labels live: those of 2 GiB, and the proof is cut. */
enum { MOST_CHUNKS = 1 << 15 };

struct chunk {
	struct chunk *below;
	size_t used;
	_Alignas(max_align_t) char bytes[1 << 16];
};

static void *take(struct prover *p, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	if (!p->chunk || p->chunk->used + size > sizeof p->chunk->bytes) {
		struct chunk *more = malloc(sizeof *more);
		p->is_cut |= ++p->chunks > MOST_CHUNKS;
		if (!more) {
			p->no_memory = true;
			return NULL;
		}
		more->below = p->chunk;
		more->used = 0;
		p->chunk = more;
	}
	p->chunk->used += size;
	return p->chunk->bytes + p->chunk->used - size;
}

struct mark prover_mark(const struct prover *p)
{
	return (struct mark){p->chunk, p->chunk ? p->chunk->used : 0};
}

void prover_release(struct prover *p, struct mark mark)
{
	while (p->chunk != mark.chunk) {
		struct chunk *below = p->chunk->below;
		p->chunks--;
		free(p->chunk);
		p->chunk = below;
	}
	if (p->chunk)
		p->chunk->used = mark.used;
}

void prover_free(struct prover *p)
{
	prover_release(p, (struct mark){NULL, 0});
	free(p->shelf.list);
	free(p->shelf.touched);
	free(p->free.list);
	free(p->free.touched);
}

bool prover_is_stopped(struct prover *p)
{
	if ((p->limits->looked > 0 && p->looked >= p->limits->looked) ||
	    (p->limits->stop && *p->limits->stop) ||
	    (p->deadline > 0 && clock_seconds() >= p->deadline))
		p->is_cut = true;
	return p->is_cut || p->no_memory;
}

static void point_into(struct draft *d)
{
	d->label.link = d->link;
	d->label.rounding = d->rounding;
	d->label.sum = d->sum;
	d->label.first = d->first;
}

void draft_copy(const struct prover *p, struct draft *d, const struct label *l)
{
	size_t quantities = (size_t)p->f->quantities;

	d->label = *l;
	memcpy(d->link, l->link, (size_t)l->links * sizeof *l->link);
	memcpy(d->rounding, l->rounding, (size_t)l->roundings * sizeof *l->rounding);
	memcpy(d->sum, l->sum, quantities * sizeof *l->sum);
	memcpy(d->first, l->first, quantities * sizeof *l->first);
	point_into(d);
}

struct label *draft_store(struct prover *p, const struct draft *d)
{
	size_t links = (size_t)d->label.links * sizeof(struct link);
	size_t quantities = (size_t)p->f->quantities * sizeof(double);
	size_t roundings = (size_t)d->label.roundings * sizeof(struct rounding);
	struct label *l = take(p, sizeof *l + links + 2 * quantities + roundings);

	if (!l)
		return NULL;
	*l = d->label;
	l->link = (struct link *)(l + 1);
	l->sum = (double *)(l->link + l->links);
	l->first = l->sum + p->f->quantities;
	l->rounding = (struct rounding *)(l->first + p->f->quantities);
	memcpy(l->link, d->link, links);
	memcpy(l->rounding, d->rounding, roundings);
	memcpy(l->sum, d->sum, quantities);
	memcpy(l->first, d->first, quantities);
	return l;
}
