/* multiply.c -- operand by operand, the words of all units: those of inputs become products, those of the output take them. */
#include "runtime/simulator/multiply.h"

#include <stdlib.h>
#include <string.h>

/* How one rank adds to the address. */
struct rank_table {
	int64_t *word; /* for each coordinate, counted from the least */
	int32_t *
		at; /* of each unit: its coordinate, less that of the first; NULL: all stand alike */
};

struct source {
	const struct layer_operand *operand;
	const struct layer_keep *keep;
	int64_t *data;  /* of all instances */
	int64_t *first; /* of each unit: where its instance begins, with the place of the tiles */
	struct rank_table rank[MAX_RANK];
	int64_t *counter; /* of the accesses of each unit's own memory; NULL: counted otherwise */
};

struct multiplier {
	struct memories *memories;
	int64_t units;
	struct source source[LAYER_OPERANDS];
	int64_t *product;
};

static int innermost(const struct layer_operand *o)
{
	return o->chain[o->links - 1];
}

bool multiplier_serves(const struct sim_layer *l)
{
	bool serves = l->is_whole;
	for (int i = 0; i < l->operands; i++)
		serves &= innermost(&l->operand[i]) > 0;
	return serves;
}

/* ---- Tables --------------------------------------------------------------------------------------------------------------------- */

static bool make_table(struct source *s, int r)
{
	const struct layer_operand *o = s->operand;
	const struct layer_rank *rank = &o->rank[r];
	int64_t stride = 1;
	for (int k = r + 1; k < o->ranks; k++)
		stride *= s->keep->length[k];
	s->rank[r].word = malloc((size_t)rank->length * sizeof(int64_t));
	for (int64_t c = 0; c < rank->length && s->rank[r].word; c++) {
		int64_t place = (rank->least + c) % s->keep->length[r];
		s->rank[r].word[c] = (place < 0 ? place + s->keep->length[r] : place) * stride;
	}
	return s->rank[r].word != NULL;
}

struct standing {
	const struct memories *memories;
	struct source *source;
	int operand, level;
};

/* At the first step, positions are where units stand. */
static void stand(void *context, int64_t unit, const struct part *part)
{
	const struct standing *t = context;
	const struct sim_layer *l = t->memories->layer;
	struct source *s = t->source;
	int64_t instance = unit / (l->instances[l->machine->levels] / l->instances[t->level]);
	s->first[unit] = instance * t->memories->room[t->level] + s->keep->base;
	for (int r = 0; r < s->operand->ranks; r++)
		for (int d = 0; d < l->dims; d++)
			s->rank[r].at[unit] +=
				(int32_t)(s->operand->rank[r].coef[d] * part->first[d]);
}

/* Ranks along which all units stand alike are added once for all. */
static void drop_still_ranks(struct source *s, int64_t units)
{
	for (int r = 0; r < s->operand->ranks; r++) {
		bool is_still = true;
		for (int64_t u = 0; u < units && is_still; u++)
			is_still = s->rank[r].at[u] == 0;
		if (!is_still)
			continue;
		free(s->rank[r].at);
		s->rank[r].at = NULL;
	}
}

static bool make_source(struct multiplier *m, int operand)
{
	static const int64_t nowhere[LAYER_LOOPS];
	const struct sim_layer *l = m->memories->layer;
	struct source *s = &m->source[operand];
	int level = innermost(&l->operand[operand]);
	size_t units = (size_t)m->units;
	bool ok = true;
	s->operand = &l->operand[operand];
	s->keep = &s->operand->keep[level];
	s->data = m->memories->word[level];
	s->first = calloc(units, sizeof *s->first);
	if (counters_are_single(m->memories->counters, operand))
		s->counter =
			m->memories->counters
				->words[level][operand]
				       [s->operand->class == CLASS_O ? ACCESS_UPDATE : ACCESS_READ];
	for (int r = 0; r < s->operand->ranks; r++) {
		s->rank[r].at = calloc(units, sizeof(int32_t));
		ok &= make_table(s, r) && s->rank[r].at;
	}
	if (!ok || !s->first)
		return false;
	nest_each(l, l->machine->levels, nowhere, stand,
		  &(struct standing){m->memories, s, operand, level});
	drop_still_ranks(s, m->units);
	return true;
}

struct multiplier *multiplier_new(struct memories *memories)
{
	struct multiplier *m = calloc(1, sizeof *m);
	const struct sim_layer *l = memories->layer;
	if (!m)
		return NULL;
	m->memories = memories;
	m->units = l->instances[l->machine->levels];
	m->product = calloc((size_t)m->units, sizeof *m->product);
	bool ok = m->product != NULL;
	for (int i = 0; i < l->operands && ok; i++)
		ok = make_source(m, i);
	if (ok)
		return m;
	multiplier_free(m);
	return NULL;
}

void multiplier_free(struct multiplier *m)
{
	if (!m)
		return;
	for (int i = 0; i < LAYER_OPERANDS; i++) {
		struct source *s = &m->source[i];
		for (int r = 0; r < MAX_RANK; r++) {
			free(s->rank[r].word);
			free(s->rank[r].at);
		}
		free(s->first);
	}
	free(m->product);
	free(m);
}

/* ---- A step --------------------------------------------------------------------------------------------------------------------- */

/* Where the loops in time are. */
static void position_of(const struct sim_layer *l, const int64_t step[],
			int64_t position[LAYER_DIMS])
{
	memset(position, 0, LAYER_DIMS * sizeof *position);
	for (int k = 0; k < l->depths; k++)
		position[l->loop[l->time[k]].dim] += step[k] * l->loop[l->time[k]].tile;
}

/* What the ranks add to the addresses of this step: a table for each along which units stand apart, how many; and for all units. */
static int find_tables(const struct multiplier *m, const struct source *s,
		       const struct place_of_loops *at, const int64_t position[],
		       const int64_t *word[MAX_RANK], const int32_t *stands[MAX_RANK], int64_t *all)
{
	const struct sim_layer *l = m->memories->layer;
	int64_t visit = at->visit[s->keep->depth] - 1;
	int count = 0;
	*all = visit % s->keep->buffers * s->keep->words;
	for (int r = 0; r < s->operand->ranks; r++) {
		int64_t coordinate = -s->operand->rank[r].least;
		for (int d = 0; d < l->dims; d++)
			coordinate += s->operand->rank[r].coef[d] * position[d];
		word[count] = s->rank[r].word + coordinate;
		stands[count] = s->rank[r].at;
		if (s->rank[r].at)
			count++;
		else
			*all += word[count][0];
	}
	return count;
}

/* Of one unit. */
static inline int64_t *word_of(const struct source *s, int count, const int64_t *const word[],
			       const int32_t *const stands[], int64_t all, int64_t unit)
{
	int64_t address = s->first[unit] + all;
	for (int r = 0; r < count; r++)
		address += word[r][stands[r][unit]];
	return s->data + address;
}

/* Each access is counted by itself. Units that add to one word do so one after the other. */
static inline void access_words(const struct multiplier *m, const struct source *s, int count,
				const int64_t *const word[], const int32_t *const stands[],
				int64_t all)
{
	bool is_output = s->operand->class == CLASS_O;
	for (int64_t u = 0; u < m->units; u++) {
		int64_t *at = word_of(s, count, word, stands, all, u);
		if (is_output)
			*at = (int64_t)((uint64_t)*at + (uint64_t)m->product[u]);
		else
			m->product[u] = (int64_t)((uint64_t)m->product[u] * (uint64_t)*at);
	}
	for (int64_t u = 0; s->counter && u < m->units; u++)
		s->counter[u]++;
}

/* Most operands stand apart along one rank or two. */
static void access_operand(const struct multiplier *m, const struct source *s,
			   const struct place_of_loops *at, const int64_t position[])
{
	const int64_t *word[MAX_RANK + 1];
	const int32_t *stands[MAX_RANK + 1];
	int64_t all;
	int count = find_tables(m, s, at, position, word, stands, &all);
	if (count == 0)
		access_words(m, s, 0, word, stands, all);
	else if (count == 1)
		access_words(m, s, 1, word, stands, all);
	else if (count == 2)
		access_words(m, s, 2, word, stands, all);
	else
		access_words(m, s, count, word, stands, all);
}

void multiplier_step(struct multiplier *m, const struct place_of_loops *at)
{
	const struct sim_layer *l = m->memories->layer;
	int64_t position[LAYER_DIMS];
	position_of(l, at->step, position);
	for (int64_t u = 0; u < m->units; u++)
		m->product[u] = 1;
	for (int i = 0; i < l->operands; i++)
		access_operand(m, &m->source[i], at, position);
	m->memories->counters->macs += m->units;
	m->memories->counters->steps++;
}
