/* simulate.c -- the sequencers of a layer take turns until all have ended, or none can go on. */
#include "runtime/simulator/simulate.h"
#include "runtime/random.h"
#include "runtime/sentence.h"
#include "runtime/simulator/kernel.h"
#include "runtime/simulator/move.h"

#include <stdlib.h>
#include <string.h>

struct runner {
	const struct sequencer *sequencer;
	struct place_of_loops at;
	int depth;  /* of the loops that it walks */
	int waited; /* of its waits, so many are done for the step that comes */
	bool has_ended;
	int64_t acted; /* steps done: visits filled, of a fill */
	int64_t whole,
		part; /* of them, those that move whole tiles, and those that move what is new (or old) */
};

struct simulation {
	const struct sim_layer *layer;
	const struct simulation_options *options;
	struct memories memories;
	int64_t tokens[LAYER_SEMAPHORES];
	struct runner runner[LAYER_SEQUENCERS];
	uint64_t draws;
	char *error;
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
	for (int k = depth; k <= r->depth; k++)
		r->at.visit[k]++;
	r->waited = 0;
	while (r->waited < q->waits && q->wait[r->waited].depth < depth)
		r->waited++;
}

/* Ends the step and begins the next, if there is one. */
static void advance(struct simulation *s, struct runner *r)
{
	int depth = r->depth;
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

/* Where all runs are alike there are two kinds of steps, and it is enough to know how many of each. */
static bool is_tallied(const struct simulation *s)
{
	return s->layer->is_whole && !s->options->is_stepped;
}

static void tally(const struct simulation *s, struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	bool is_last = q->depth > 0 &&
		       r->at.step[q->depth - 1] == nest_steps(s->layer, q->depth, r->at.step) - 1;
	bool is_whole = q->depth == 0 || (q->task == TASK_DRAIN ? is_last : r->at.moved < q->depth);
	r->whole += is_whole;
	r->part += !is_whole;
}

static void act(struct simulation *s, struct runner *r)
{
	r->acted++;
	if (is_tallied(s))
		tally(s, r);
	else if (r->sequencer->task == TASK_FILL)
		move_fill(&s->memories, r->sequencer, &r->at, 1);
	else if (r->sequencer->task == TASK_DRAIN)
		move_drain(&s->memories, r->sequencer, &r->at, 1);
	else
		move_compute(&s->memories, &r->at, 1);
}

/* The counts of what was tallied: one step of each kind, so many times. */
static void count_tally(struct simulation *s, const struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	struct place_of_loops first = {.moved = 0}, other = {.moved = q->depth};
	int64_t turns = 1;
	for (int k = 0; k <= s->layer->depths; k++)
		first.visit[k] = other.visit[k] = 1;
	for (int k = 0; k < s->layer->depths; k++)
		turns *= s->layer->steps[s->layer->time[k]];
	switch (q->task) {
	case TASK_COMPUTE:
		move_compute(&s->memories, &first, turns);
		return;
	case TASK_FILL:
		move_fill(&s->memories, q, &first, r->whole);
		if (q->depth == 0)
			return;
		other.step[q->depth - 1] = 1;
		move_fill(&s->memories, q, &other, r->part);
		return;
	case TASK_DRAIN:
		if (q->depth > 0) {
			other.step[q->depth - 1] = nest_steps(s->layer, q->depth, other.step) - 1;
			move_drain(&s->memories, q, &first, r->part);
		}
		move_drain(&s->memories, q, &other, r->whole);
		return;
	}
}

/* ---- Tiles that are there ------------------------------------------------------------------------------------------------------ */

static const struct runner *runner_for(const struct simulation *s, enum task task, int level,
				       int operand)
{
	for (int i = 0; i < s->layer->sequencers; i++) {
		const struct sequencer *q = &s->layer->sequencer[i];
		if (q->task == task && q->level == level &&
		    (q->operand == operand || task == TASK_COMPUTE))
			return &s->runner[i];
	}
	return NULL;
}

/* The level inside of this one that keeps the operand; of the MACs, the number of levels. */
static int child_of(const struct sim_layer *l, int operand, int level)
{
	const struct layer_operand *o = &l->operand[operand];
	for (int i = 0; i + 1 < o->links; i++)
		if (o->chain[i] == level)
			return o->chain[i + 1];
	return l->machine->levels;
}

/* Is the sequencer done with the visit of a tile that moves with the loop at this depth? */
static bool is_done_with(const struct runner *r, int depth, int64_t visit)
{
	return r->has_ended || r->at.visit[depth] - 1 > visit;
}

static bool fail(struct simulation *s, const struct runner *r, const char *what, int operand,
		 int level)
{
	if (!s->error)
		s->error =
			sentence("layer '%s': instruction %d: a tile of operand %d in '%s' is %s",
				 s->layer->name, r->sequencer->place, operand,
				 s->layer->machine->level[level].name, what);
	return false;
}

/* Who uses tiles of the operand at this level next. */
static const struct runner *consumer_of(const struct simulation *s, int operand, int level)
{
	int child = child_of(s->layer, operand, level);
	enum task task = child == s->layer->machine->levels ? TASK_COMPUTE : TASK_FILL;
	return runner_for(s, task, child, operand);
}

/* Of the output, the sums have been sent back as well. */
static const struct runner *returner_of(const struct simulation *s, int operand, int level)
{
	int child = child_of(s->layer, operand, level);
	bool is_compute = child == s->layer->machine->levels;
	return runner_for(s, is_compute ? TASK_COMPUTE : TASK_DRAIN, child, operand);
}

/* A new tile takes the place of one that nobody uses any more. */
static bool may_fill(struct simulation *s, const struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	const struct layer_operand *o = &s->layer->operand[q->operand];
	const struct layer_keep *keep = &o->keep[q->level];
	int64_t replaced = r->at.visit[q->depth] - 1 - keep->buffers;
	if (replaced < 0)
		return true;
	bool is_free = is_done_with(consumer_of(s, q->operand, q->level), keep->depth, replaced);
	if (o->class == CLASS_O)
		is_free &= runner_for(s, TASK_DRAIN, q->level, q->operand)->acted > replaced;
	return is_free || fail(s, r, "overwritten while it is used", q->operand, q->level);
}

/* The tile that the sequencer needs at its place of the loops has been filled. */
static bool is_there(struct simulation *s, const struct runner *r, int operand, int level)
{
	if (level == 0)
		return true;
	const struct layer_keep *keep = &s->layer->operand[operand].keep[level];
	int64_t visit = r->at.visit[keep->depth] - 1;
	return runner_for(s, TASK_FILL, level, operand)->acted > visit ||
	       fail(s, r, "used before it is filled", operand, level);
}

/* What is sent has been summed up. */
static bool may_drain(struct simulation *s, const struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	int64_t visit = r->at.visit[q->depth] - 1;
	return is_done_with(returner_of(s, q->operand, q->level), q->depth, visit) ||
	       fail(s, r, "sent before its sums are whole", q->operand, q->level);
}

static bool may_act(struct simulation *s, const struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	const struct sim_layer *l = s->layer;
	bool may = true;
	if (q->task != TASK_COMPUTE) {
		may = is_there(s, r, q->operand, layer_parent(&l->operand[q->operand], q->level));
		return may && (q->task == TASK_FILL ? may_fill(s, r) : may_drain(s, r));
	}
	for (int i = 0; i < l->operands && may; i++)
		may = is_there(s, r, i, layer_parent(&l->operand[i], l->machine->levels));
	return may;
}

/* ---- Turns --------------------------------------------------------------------------------------------------------------------- */

/* Did it do a step? */
static bool take_turn(struct simulation *s, struct runner *r)
{
	if (s->error || r->has_ended || !take_tokens(s, r) || !may_act(s, r))
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

/* ---- A layer --------------------------------------------------------------------------------------------------------------------- */

/* Loops of the arithmetic that no token belongs to need not be walked where steps are only tallied. */
static int depth_of(const struct simulation *s, const struct sequencer *q)
{
	return q->task == TASK_COMPUTE && is_tallied(s) ? layer_meets(q) : q->depth;
}

static void begin(struct simulation *s)
{
	memcpy(s->tokens, s->layer->tokens, sizeof s->tokens);
	for (int i = 0; i < s->layer->sequencers; i++) {
		s->runner[i].sequencer = &s->layer->sequencer[i];
		s->runner[i].depth = depth_of(s, &s->layer->sequencer[i]);
		enter(&s->runner[i], 0);
	}
}

/* Once all have ended well. */
static void finish(struct simulation *s)
{
	for (int i = 0; i < s->layer->sequencers && is_tallied(s); i++)
		count_tally(s, &s->runner[i]);
	move_end(&s->memories);
	if (!s->options->is_stepped && !kernel_run(s->layer, s->memories.tensors))
		s->error = sentence("no memory for the values of layer '%s'", s->layer->name);
}

struct counters *simulate_counters(const struct sim_layer *l,
				   const struct simulation_options *options)
{
	return counters_new(l, options->is_stepped || !l->is_whole);
}

char *simulate_layer(const struct sim_layer *layer, const struct tensors *tensors,
		     const struct simulation_options *options, struct counters *counters)
{
	struct simulation *s = calloc(1, sizeof *s);
	char *error = NULL;
	if (!s || !memories_make(&s->memories, layer, tensors, counters, options->is_stepped)) {
		error = sentence("no memory to simulate layer '%s'", layer->name);
	} else {
		s->layer = layer;
		s->options = options;
		begin(s);
		while (run_round(s))
			;
		if (!s->error && !have_ended(s))
			s->error = tell_deadlock(s);
		if (!s->error)
			finish(s);
		error = s->error;
	}
	if (s)
		memories_free(&s->memories);
	free(s);
	return error;
}
