/* simulate.c -- the sequencers of a layer take turns until all have ended, or none can go on. */
#include "runtime/simulator/simulate.h"
#include "runtime/random.h"
#include "runtime/sentence.h"
#include "runtime/simulator/move.h"

#include <stdlib.h>
#include <string.h>

struct runner {
	const struct sequencer *sequencer;
	struct place_of_loops at;
	int waited; /* of its waits, so many are done for the step that comes */
	bool has_ended;
};

struct simulation {
	const struct layer *layer;
	const struct simulation_options *options;
	struct memories memories;
	int64_t tokens[LAYER_SEMAPHORES];
	struct runner runner[LAYER_SEQUENCERS];
	uint64_t draws;
};

/* ---- One sequencer ------------------------------------------------------------------------------------------------------ */

/* Takes tokens as far as there are; are all taken? */
static bool take_tokens(struct simulation *s, struct runner *r)
{
	for (; r->waited < r->sequencer->waits; r->waited++) {
		int64_t *tokens = &s->tokens[r->sequencer->wait[r->waited].semaphore];
		if (*tokens == 0)
			return false;
		--*tokens;
	}
	return true;
}

/* At this depth, which has ended a step. */
static void give_tokens(struct simulation *s, const struct sequencer *q, int depth)
{
	for (int i = 0; i < q->signals; i++)
		if (q->signal[i].depth == depth)
			s->tokens[q->signal[i].semaphore]++;
}

static void enter(struct runner *r, int depth)
{
	const struct sequencer *q = r->sequencer;
	r->at.moved = depth;
	for (int k = depth; k <= q->depth; k++)
		r->at.visit[k]++;
	r->waited = 0;
	while (r->waited < q->waits && q->wait[r->waited].depth < depth)
		r->waited++;
}

/* Ends the step and begins the next, if there is one. */
static void advance(struct simulation *s, struct runner *r)
{
	int depth = r->sequencer->depth;
	for (; depth > 0; depth--) {
		give_tokens(s, r->sequencer, depth);
		if (++r->at.step[depth - 1] < nest_steps(s->layer, depth, r->at.step)) {
			enter(r, depth);
			return;
		}
		r->at.step[depth - 1] = 0;
	}
	give_tokens(s, r->sequencer, 0);
	r->has_ended = true;
}

static void act(struct simulation *s, struct runner *r)
{
	switch (r->sequencer->task) {
	case TASK_FILL:
		move_fill(&s->memories, r->sequencer, &r->at);
		break;
	case TASK_DRAIN:
		move_drain(&s->memories, r->sequencer, &r->at);
		break;
	case TASK_COMPUTE:
		move_compute(&s->memories, &r->at);
		break;
	}
}

/* Did it do a step? */
static bool take_turn(struct simulation *s, struct runner *r)
{
	if (r->has_ended || !take_tokens(s, r))
		return false;
	act(s, r);
	advance(s, r);
	return true;
}

/* ---- All of them -------------------------------------------------------------------------------------------------------- */

/* As far as it can; or, shuffled, one step. */
static bool go_on(struct simulation *s, int i)
{
	bool moved = take_turn(s, &s->runner[i]);
	while (moved && !s->options->is_shuffled && take_turn(s, &s->runner[i]))
		;
	return moved;
}

static bool run_round(struct simulation *s)
{
	bool moved = false;
	int count = s->layer->sequencers, first = 0;
	if (s->options->is_shuffled) {
		uint32_t words[4];
		random_words(s->options->seed, 0, s->draws++, words);
		first = (int)(words[0] % (uint32_t)count);
	}
	for (int i = 0; i < count && !(moved && s->options->is_shuffled); i++)
		moved |= go_on(s, (first + i) % count);
	return moved;
}

static bool have_ended(const struct simulation *s)
{
	for (int i = 0; i < s->layer->sequencers; i++)
		if (!s->runner[i].has_ended)
			return false;
	return true;
}

/* ---- Deadlock ------------------------------------------------------------------------------------------------------------ */

/* A sequencer that could still give the token that this one waits for, or -1. */
static int giver(const struct simulation *s, int waiting)
{
	const struct sequencer *q = s->runner[waiting].sequencer;
	int semaphore = q->wait[s->runner[waiting].waited].semaphore;
	for (int i = 0; i < s->layer->sequencers; i++)
		for (int k = 0; !s->runner[i].has_ended && k < s->layer->sequencer[i].signals; k++)
			if (s->layer->sequencer[i].signal[k].semaphore == semaphore)
				return i;
	return -1;
}

static char *name_of(const struct simulation *s, int i)
{
	static const char *const task[] = {"fill", "drain", "compute"};
	const struct sequencer *q = &s->layer->sequencer[i];
	return q->task == TASK_COMPUTE
		       ? sentence("compute")
		       : sentence("%s of operand %d in '%s'", task[q->task], q->operand,
				  s->layer->machine->level[q->level].name);
}

/* `text`, then what this one waits for; frees the text. */
static char *append_wait(const struct simulation *s, char *text, int waiting)
{
	const struct runner *r = &s->runner[waiting];
	char *name = name_of(s, waiting);
	char *grown = sentence("%s%s%s (instruction %d) waits for semaphore %d", text ? text : "",
			       text ? ", " : "", name ? name : "", r->sequencer->place,
			       r->sequencer->wait[r->waited].semaphore);
	free(name);
	free(text);
	return grown;
}

static char *tell_deadlock(const struct simulation *s)
{
	int first = 0, seen[LAYER_SEQUENCERS] = {0};
	char *text = NULL;
	while (s->runner[first].has_ended)
		first++;
	int i = first;
	/* To a sequencer of the circle, or to the one that nobody can help. */
	while (!seen[i] && giver(s, i) >= 0) {
		seen[i] = 1;
		i = giver(s, i);
	}
	first = i;
	do {
		text = append_wait(s, text, i);
		i = giver(s, i);
	} while (i >= 0 && i != first);
	char *all = sentence("layer '%s' is deadlocked: %s%s", s->layer->name, text ? text : "",
			     i < 0 ? ", which nobody gives any more" : " and so on in a circle");
	free(text);
	return all;
}

char *simulate_layer(const struct layer *layer, const struct tensors *tensors,
		     const struct simulation_options *options, struct counters *counters)
{
	struct simulation *s = calloc(1, sizeof *s);
	char *error = NULL;
	if (!s || !memories_make(&s->memories, layer, tensors, counters)) {
		error = sentence("no memory to simulate layer '%s'", layer->name);
	} else {
		s->layer = layer;
		s->options = options;
		memcpy(s->tokens, layer->tokens, sizeof s->tokens);
		for (int i = 0; i < layer->sequencers; i++) {
			s->runner[i].sequencer = &layer->sequencer[i];
			enter(&s->runner[i], 0);
		}
		while (run_round(s))
			;
		if (!have_ended(s))
			error = tell_deadlock(s);
	}
	if (s)
		memories_free(&s->memories);
	free(s);
	return error;
}
