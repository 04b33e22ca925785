/* move.c -- the work of the sequencers, word by word, in every instance that has something left; or, without words, only what
 * they would move. */
#include "runtime/simulator/multiply.h"
#include "runtime/simulator/place.h"

#include <stdlib.h>
#include <string.h>

/* ---- Memories ------------------------------------------------------------------------------------------------------------ */

static bool make_level(struct memories *m, int level, bool has_words)
{
	const struct sim_layer *l = m->layer;
	size_t instances = (size_t)l->instances[level];
	for (int i = 0; i < l->operands; i++) {
		const struct layer_keep *keep = &l->operand[i].keep[level];
		int64_t end = keep->base + keep->words * keep->buffers;
		if (keep->words == 0)
			continue;
		if (end > m->room[level])
			m->room[level] = end;
		m->held[level][i] = calloc(instances, sizeof(struct box));
		if (!m->held[level][i])
			return false;
	}
	int64_t words;
	if (!has_words)
		return true;
	if (__builtin_mul_overflow(m->room[level], l->instances[level], &words))
		return false;
	m->word[level] = calloc((size_t)words + 1, sizeof(int64_t));
	return m->word[level] != NULL;
}

bool memories_make(struct memories *m, const struct sim_layer *l, const struct tensors *tensors,
		   struct counters *counters, bool have_words)
{
	int64_t most = 1;
	*m = (struct memories){
		.layer = l, .tensors = tensors, .counters = counters, .have_words = have_words};
	for (int level = 1; level < l->machine->levels; level++)
		if (!make_level(m, level, have_words))
			return false;
	for (int level = 0; level <= l->machine->levels; level++)
		if (l->instances[level] > most)
			most = l->instances[level];
	m->sent = calloc((size_t)most, sizeof *m->sent);
	m->next = calloc((size_t)most, sizeof *m->next);
	bool is_fast = have_words && multiplier_serves(l);
	m->multiplier = is_fast ? multiplier_new(m) : NULL;
	return m->sent && m->next && (m->multiplier || !is_fast);
}

void memories_free(struct memories *m)
{
	for (int level = 0; level < MAX_LEVELS; level++) {
		free(m->word[level]);
		for (int i = 0; i < LAYER_OPERANDS; i++)
			free(m->held[level][i]);
	}
	multiplier_free(m->multiplier);
	free(m->sent);
	free(m->next);
}

/* ---- Words --------------------------------------------------------------------------------------------------------------- */

/* One end of a transfer: the tile of an operand in an instance of a memory, or the tensor. */
struct end {
	const struct memories *memories;
	const struct layer_operand *operand;
	int level, buffer;
	int64_t instance;
};

static struct end end_of(const struct memories *m, int operand, int level, int64_t instance,
			 const struct place_of_loops *at)
{
	const struct layer_operand *o = &m->layer->operand[operand];
	const struct layer_keep *keep = &o->keep[level];
	int64_t visit = level > 0 ? at->visit[keep->depth] - 1 : 0;
	return (struct end){m, o, level, level > 0 ? (int)(visit % keep->buffers) : 0, instance};
}

static int64_t *word_at(const struct end *e, const int64_t coordinate[])
{
	return e->memories->word[e->level] + e->instance * e->memories->room[e->level] +
	       place_in_memory(e->operand, e->level, e->buffer, coordinate);
}

/* Outside of its tensor an operand is 0. */
static int64_t get(const struct end *e, const int64_t coordinate[])
{
	if (e->level > 0)
		return *word_at(e, coordinate);
	const struct sim_tensor *t = &e->memories->tensors->tensor[e->operand->tensor];
	int64_t element = place_in_tensor(e->operand, t, coordinate);
	return element < 0 ? 0 : tensor_word(e->memories->tensors, t, element);
}

static void put(const struct end *e, const int64_t coordinate[], int64_t value)
{
	if (e->level > 0) {
		*word_at(e, coordinate) = value;
		return;
	}
	const struct sim_tensor *t = &e->memories->tensors->tensor[e->operand->tensor];
	int64_t element = place_in_tensor(e->operand, t, coordinate);
	if (element >= 0)
		tensor_set_word(e->memories->tensors, t, element, value);
}

/* Sums wrap round as those of the reference do. */
static int64_t sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void copy(const struct end *from, const struct end *to, const int64_t coordinate[])
{
	put(to, coordinate, get(from, coordinate));
}

static void carry_down(const struct end *from, const struct end *to, const int64_t coordinate[])
{
	copy(from, to, coordinate);
	put(from, coordinate, 0);
}

static void carry_up(const struct end *from, const struct end *to, const int64_t coordinate[])
{
	put(to, coordinate, sum(get(to, coordinate), get(from, coordinate)));
}

/* Each word of a box. */
static void transfer(const struct end *from, const struct end *to, const struct box *box,
		     void (*carry)(const struct end *, const struct end *, const int64_t[]))
{
	int64_t coordinate[MAX_RANK];
	if (!from->memories->have_words || box_words(box) == 0)
		return;
	memcpy(coordinate, box->first, sizeof coordinate);
	do
		carry(from, to, coordinate);
	while (box_next(box, coordinate));
}

/* ---- Tiles that move ------------------------------------------------------------------------------------------------------ */

/* The rank along which the loop at this depth moves the tile, if that is the only one; else -1. */
static int moved_rank(const struct sim_layer *l, const struct layer_operand *o, int depth)
{
	int dim = l->loop[l->time[depth - 1]].dim, rank = -1;
	for (int r = 0; r < o->ranks; r++)
		if (o->rank[r].coef[dim] != 0) {
			if (rank >= 0)
				return -1;
			rank = r;
		}
	return rank;
}

/* What of a box is not in another, which differs from it along one rank alone and reaches over one of its ends. */
static struct box without(struct box box, const struct box *other, int rank)
{
	int64_t end = box.first[rank] + box.extent[rank];
	int64_t other_end = other->first[rank] + other->extent[rank];
	if (box_words(other) == 0 || other_end <= box.first[rank] || other->first[rank] >= end)
		return box;
	if (other->first[rank] <= box.first[rank]) {
		box.first[rank] = other_end < end ? other_end : end;
		box.extent[rank] = end - box.first[rank];
	} else {
		box.extent[rank] = other->first[rank] - box.first[rank];
	}
	return box;
}

static void no_boxes(struct box *box, int64_t count)
{
	memset(box, 0, (size_t)count * sizeof *box);
}

/* One step of a fill or drain. */
struct exchange {
	struct memories *memories;
	const struct sequencer *sequencer;
	const struct place_of_loops *at;
	int parent;
	int64_t units; /* instances of the level for one of the parent */
	int rank; /* along which the tile moves, from the one before or to the next; -1: it comes and goes as a whole */
};

static struct exchange exchange_of(struct memories *m, const struct sequencer *q,
				   const struct place_of_loops *at)
{
	const struct layer_operand *o = &m->layer->operand[q->operand];
	struct exchange e = {.memories = m, .sequencer = q, .at = at, .rank = -1};
	for (int i = 0; i + 1 < o->links; i++)
		if (o->chain[i + 1] == q->level)
			e.parent = o->chain[i];
	e.units = m->layer->instances[q->level] / m->layer->instances[e.parent];
	if (q->depth > 0 && o->keep[q->level].halo == HALO_DELTA)
		e.rank = moved_rank(m->layer, o, q->depth);
	return e;
}

static void fill(void *context, int64_t instance, const struct part *part)
{
	const struct exchange *e = context;
	struct memories *m = e->memories;
	int level = e->sequencer->level, operand = e->sequencer->operand;
	const struct layer_keep *keep = &m->layer->operand[operand].keep[level];
	struct box *held = &m->held[level][operand][instance];
	struct box tile = nest_box(m->layer, operand, part), brought = tile;
	struct end to = end_of(m, operand, level, instance, e->at);
	struct end from = end_of(m, operand, e->parent, instance / e->units, e->at);
	if (e->rank >= 0) {
		struct end before = to;
		brought = without(tile, held, e->rank);
		before.buffer = (to.buffer + 1) % keep->buffers;
		if (keep->buffers > 1)
			transfer(&before, &to, &tile, copy);
	}
	transfer(&from, &to, &brought,
		 m->layer->operand[operand].class == CLASS_O ? carry_down : copy);
	*held = tile;
	m->sent[instance] = brought;
	int64_t words = box_words(&tile), *most = &m->counters->tile[level][operand];
	*most = words > *most ? words : *most;
}

void move_fill(struct memories *m, const struct sequencer *q, const struct place_of_loops *at,
	       int64_t times)
{
	struct exchange e = exchange_of(m, q, at);
	no_boxes(m->sent, m->layer->instances[q->level]);
	if (at->moved < q->depth)
		e.rank = -1;
	nest_each(m->layer, q->level, at->step, fill, &e);
	if (m->layer->operand[q->operand].class != CLASS_O)
		counters_send(m->counters, q->operand, q->level, m->sent, times);
}

static void note_next(void *context, int64_t instance, const struct part *part)
{
	const struct exchange *e = context;
	e->memories->next[instance] = nest_box(e->memories->layer, e->sequencer->operand, part);
}

static void drain(void *context, int64_t instance, const struct part *part)
{
	const struct exchange *e = context;
	struct memories *m = e->memories;
	int level = e->sequencer->level, operand = e->sequencer->operand;
	struct box sent = nest_box(m->layer, operand, part);
	struct end from = end_of(m, operand, level, instance, e->at);
	struct end to = end_of(m, operand, e->parent, instance / e->units, e->at);
	if (e->rank >= 0)
		sent = without(sent, &m->next[instance], e->rank);
	transfer(&from, &to, &sent, carry_up);
	m->sent[instance] = sent;
}

/* Words that the next tile still has stay. */
void move_drain(struct memories *m, const struct sequencer *q, const struct place_of_loops *at,
		int64_t times)
{
	struct exchange e = exchange_of(m, q, at);
	int64_t instances = m->layer->instances[q->level];
	no_boxes(m->sent, instances);
	no_boxes(m->next, instances);
	if (e.rank >= 0) {
		int64_t next[LAYER_LOOPS];
		memcpy(next, at->step, sizeof next);
		if (++next[q->depth - 1] < nest_steps(m->layer, q->depth, at->step))
			nest_each(m->layer, q->level, next, note_next, &e);
	}
	nest_each(m->layer, q->level, at->step, drain, &e);
	counters_send(m->counters, q->operand, q->level, m->sent, times);
	counters_mark(m->counters, q->level, m->sent);
}

/* ---- Arithmetic ----------------------------------------------------------------------------------------------------------- */

struct multiplication {
	struct memories *memories;
	const struct place_of_loops *at;
	int64_t times;
};

static void multiply(void *context, int64_t instance, const struct part *part)
{
	const struct multiplication *p = context;
	struct memories *m = p->memories;
	const struct sim_layer *l = m->layer;
	int64_t product = 1;
	m->counters->macs += p->times;
	m->counters->worked[instance] = true;
	if (!m->have_words)
		return;
	for (int i = 0; i < l->operands; i++) {
		const struct layer_operand *o = &l->operand[i];
		int level = o->chain[o->links - 1];
		int64_t units = l->instances[l->machine->levels] / l->instances[level];
		struct box word = nest_box(l, i, part);
		struct end end = end_of(m, i, level, instance / units, p->at);
		if (i < l->operands - 1)
			product = (int64_t)((uint64_t)product * (uint64_t)get(&end, word.first));
		else
			put(&end, word.first, sum(get(&end, word.first), product));
	}
}

static void note_word(void *context, int64_t instance, const struct part *part)
{
	const struct exchange *e = context;
	e->memories->sent[instance] = nest_box(e->memories->layer, e->sequencer->operand, part);
}

/* Have the loops in time that do not index the output made no step? Else its words have come before. */
static bool are_first(const struct memories *m, const struct place_of_loops *at)
{
	const struct sim_layer *l = m->layer;
	for (int k = 0; k < l->depths; k++)
		if (at->step[k] > 0 &&
		    !(l->operand[l->operands - 1].relevant >> l->loop[l->time[k]].dim & 1))
			return false;
	return true;
}

/* The word of an operand that each unit needs. */
static void note_words(struct memories *m, int operand, const struct place_of_loops *at)
{
	int level = m->layer->machine->levels;
	struct sequencer q = {.operand = operand};
	struct exchange e = {.memories = m, .sequencer = &q};
	no_boxes(m->sent, m->layer->instances[level]);
	nest_each(m->layer, level, at->step, note_word, &e);
}

void move_compute(struct memories *m, const struct place_of_loops *at, int64_t times)
{
	int level = m->layer->machine->levels, output = m->layer->operands - 1;
	struct multiplication p = {m, at, times};
	if (m->multiplier) {
		multiplier_step(m->multiplier, at);
		if (are_first(m, at)) {
			note_words(m, output, at);
			counters_mark(m->counters, level, m->sent);
		}
		return;
	}
	nest_each(m->layer, level, at->step, multiply, &p);
	for (int i = 0; i <= output; i++) {
		note_words(m, i, at);
		counters_send(m->counters, i, level, m->sent, times);
		if (i == output)
			counters_mark(m->counters, level, m->sent);
	}
	m->counters->steps += times;
}

void move_end(struct memories *m)
{
	const struct place_of_loops first = {.moved = 0};
	int level = m->layer->machine->levels;
	if (!m->multiplier)
		return;
	memset(m->counters->worked, 1,
	       (size_t)m->layer->instances[level] * sizeof *m->counters->worked);
	for (int i = 0; i < m->layer->operands; i++) {
		if (counters_are_single(m->counters, i)) {
			counters_deliver(m->counters, i, m->counters->macs);
			continue;
		}
		note_words(m, i, &first);
		counters_send(m->counters, i, level, m->sent, m->counters->steps);
	}
}
