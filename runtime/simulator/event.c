/* event.c -- the earliest job that can start does, until all have ended. */
#include "runtime/simulator/event.h"
#include "runtime/sentence.h"
#include "runtime/simulator/came.h"
#include "runtime/simulator/move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum resource {
	PORT_READ,
	PORT_WRITE,
	PORT_SHARED,
	PORT_CLASS,
	NETWORK = PORT_CLASS + CLASSES,
	RESOURCES
};
enum { MOST_TOKENS = 16 };

/* What a job moves through each resource of each level, at the busiest instance. */
struct load {
	bool is_any;
	int64_t words[MAX_LEVELS][RESOURCES];
};

/* When the tokens of a semaphore were given, the oldest first. */
struct queue {
	int count;
	int64_t time[MOST_TOKENS];
	int giver[MOST_TOKENS]; /* sequencer; -1: there in the beginning */
};

struct runner {
	const struct sequencer *sequencer;
	int depth, waited;
	int64_t step[LAYER_LOOPS];
	int moved;
	bool has_ended, is_pending;
	int64_t free;   /* when its last job ended */
	int64_t ready;  /* when the next one may begin, for all that it knows */
	int waited_for; /* semaphore of the token that came last; -1: none came later than `free` */
	/* Of a transfer: a step that moves a whole tile, or a part. Of the arithmetic, for all steps of a job: with the sums read that it adds
	 * to, or (part) without those that begin. */
	struct load whole, part, first_whole,
		first_part; /* the first ones: of a fill of sums that begin */
	double latency;
};

struct simulation {
	const struct sim_layer *layer;
	const struct event_options *options;
	struct event_result *result;
	struct queue queue[LAYER_SEMAPHORES];
	struct runner runner[LAYER_SEQUENCERS];
	int64_t taken[MAX_LEVELS][RESOURCES]; /* until when */
	int inner_depth; /* loops in time inside of this depth are one job of the arithmetic, */
	int64_t inner;   /* of so many steps */
	bool is_overfull;
};

/* ---- What a job moves ----------------------------------------------------------------------------------------------------------- */

static double rate_of(const struct level *l, int resource)
{
	switch (resource) {
	case PORT_READ:
		return l->read_bandwidth;
	case PORT_WRITE:
		return l->write_bandwidth;
	case PORT_SHARED:
		return l->shared_bandwidth;
	case NETWORK:
		return l->network_bandwidth;
	default:
		return l->class_bandwidth[resource - PORT_CLASS];
	}
}

/* Through the ports of a level: that of the class, or the common ones. */
static void put_load(const struct simulation *s, struct load *load, int level,
		     enum tensor_class class, bool is_read, int64_t words)
{
	int64_t *port = load->words[level];
	load->is_any |= words > 0;
	if (s->layer->machine->level[level].class_bandwidth[class] > 0) {
		port[PORT_CLASS + (int)class] += words;
		return;
	}
	port[is_read ? PORT_READ : PORT_WRITE] += words;
	port[PORT_SHARED] += words;
}

static int64_t busiest(const int64_t *words, int64_t instances)
{
	int64_t most = 0;
	for (int64_t i = 0; i < instances; i++)
		most = words[i] > most ? words[i] : most;
	return most;
}

static int64_t counted(const struct simulation *s, const struct counters *c, int level, int operand,
		       int kind)
{
	return busiest(c->words[level][operand][kind], s->layer->instances[level]);
}

/* Of one step that has been counted alone. */
static void take_load(const struct simulation *s, const struct counters *c, int operand, int child,
		      enum task task, struct load *load)
{
	const struct sim_layer *l = s->layer;
	const struct layer_operand *o = &l->operand[operand];
	int parent = layer_parent(o, child);
	bool is_output = o->class == CLASS_O, is_mac = child == l->machine->levels;
	int64_t outer = counted(s, c, parent, operand, is_output ? ACCESS_UPDATE : ACCESS_READ);
	put_load(s, load, parent, o->class, task != TASK_DRAIN && !(is_output && is_mac), outer);
	if (!is_mac)
		put_load(s, load, child, o->class, task == TASK_DRAIN,
			 counted(s, c, child, operand, ACCESS_FILL));
	for (int level = parent; level < child; level++)
		load->words[level][NETWORK] +=
			busiest(c->network[level][operand], l->instances[level]);
}

/* Words of the output that come to the busiest instance of the parent in the step, each once. */
static int64_t distinct(const struct simulation *s, const struct counters *c, int parent)
{
	return busiest(c->came[parent].count[parent], s->layer->instances[parent]);
}

/* Sums that the arithmetic of a job adds to are read, but for those that begin in it. */
static void read_sums(const struct simulation *s, const struct counters *c, bool begin,
		      struct load *load)
{
	const struct sim_layer *l = s->layer;
	const struct layer_operand *o = &l->operand[l->operands - 1];
	int parent = layer_parent(o, l->machine->levels);
	int64_t words = counted(s, c, parent, l->operands - 1, ACCESS_UPDATE), places = 1;
	for (int k = s->inner_depth; k < l->depths; k++)
		if (o->relevant >> l->loop[l->time[k]].dim & 1)
			places *= l->steps[l->time[k]];
	put_load(s, load, parent, o->class, true,
		 begin ? words - distinct(s, c, parent) * places : words);
}

/* Sums that begin are not brought to a tile; but where several units have sums of one place that no network adds up, the parent reads for
 * all but the first. */
static void take_beginning(const struct simulation *s, const struct counters *c, int child,
			   struct load *load)
{
	const struct sim_layer *l = s->layer;
	const struct layer_operand *o = &l->operand[l->operands - 1];
	int parent = layer_parent(o, child);
	memset(load, 0, sizeof *load);
	put_load(s, load, parent, o->class, true,
		 counted(s, c, parent, l->operands - 1, ACCESS_UPDATE) - distinct(s, c, parent));
}

/* The step that is whole, or that which moves a part, counted alone. */
static bool load_step(struct simulation *s, const struct tensors *tensors, struct runner *r,
		      bool is_part, struct load *load)
{
	const struct sequencer *q = r->sequencer;
	struct place_of_loops at = {.moved = 0};
	struct counters *c = counters_new(s->layer, true);
	struct memories *m = calloc(1, sizeof *m);
	bool ok = c && m && memories_make(m, s->layer, tensors, c, false);
	for (int k = 0; k <= s->layer->depths; k++)
		at.visit[k] = 1;
	memset(load, 0, sizeof *load);
	if (ok && q->task == TASK_COMPUTE) {
		move_compute(m, &at, s->inner);
		for (int i = 0; i < s->layer->operands; i++)
			take_load(s, c, i, q->level, q->task, load);
		read_sums(s, c, is_part, load);
	} else if (ok) {
		/* sums are brought as they are sent */
		bool is_sent = s->layer->operand[q->operand].class == CLASS_O;
		if (is_sent && q->depth > 0 && !is_part)
			at.step[q->depth - 1] = s->layer->steps[s->layer->time[q->depth - 1]] - 1;
		if (is_sent) {
			move_drain(m, q, &at, 1);
		} else {
			move_fill(m, q, &at, !is_part);
			at.moved = q->depth;
			if (is_part)
				at.step[q->depth - 1] = 1;
			if (is_part)
				move_fill(m, q, &at, 1);
		}
		take_load(s, c, q->operand, q->level, q->task, load);
		if (is_sent && q->task == TASK_FILL)
			take_beginning(s, c, q->level, is_part ? &r->first_part : &r->first_whole);
	}
	if (m)
		memories_free(m);
	free(m);
	counters_free(c);
	return ok;
}

static bool make_loads(struct simulation *s, const struct tensors *tensors)
{
	for (int i = 0; i < s->layer->sequencers; i++) {
		struct runner *r = &s->runner[i];
		const struct sequencer *q = r->sequencer;
		int parent = q->task == TASK_COMPUTE
				     ? -1
				     : layer_parent(&s->layer->operand[q->operand], q->level);
		if (!load_step(s, tensors, r, false, &r->whole) ||
		    ((q->task == TASK_COMPUTE || q->depth > 0) &&
		     !load_step(s, tensors, r, true, &r->part)))
			return false;
		for (int level = parent; level >= 0 && level < q->level; level++)
			r->latency +=
				s->layer->machine->level[level].network_latency +
				(level == parent ? s->layer->machine->level[level].latency : 0);
	}
	return true;
}

/* ---- Tokens --------------------------------------------------------------------------------------------------------------------- */

static void give(struct simulation *s, int semaphore, int64_t time, int giver)
{
	struct queue *q = &s->queue[semaphore];
	if (q->count == MOST_TOKENS) {
		s->is_overfull = true;
		return;
	}
	q->time[q->count] = time;
	q->giver[q->count++] = giver;
}

/* Takes tokens as far as there are; are all taken? */
static bool take_tokens(struct simulation *s, struct runner *r)
{
	for (; r->waited < r->sequencer->waits; r->waited++) {
		int semaphore = r->sequencer->wait[r->waited].semaphore;
		struct queue *q = &s->queue[semaphore];
		if (q->count == 0)
			return false;
		if (q->time[0] > r->ready) {
			r->ready = q->time[0];
			r->waited_for = semaphore;
		}
		q->count--;
		memmove(q->time, q->time + 1, (size_t)q->count * sizeof *q->time);
		memmove(q->giver, q->giver + 1, (size_t)q->count * sizeof *q->giver);
	}
	return true;
}

static void enter(struct runner *r, int depth)
{
	r->moved = depth;
	r->waited = 0;
	r->ready = r->free;
	r->waited_for = -1;
	while (r->waited < r->sequencer->waits && r->sequencer->wait[r->waited].depth < depth)
		r->waited++;
}

static void give_tokens(struct simulation *s, const struct runner *r, int depth, int64_t time)
{
	const struct sequencer *q = r->sequencer;
	for (int i = 0; i < q->signals; i++)
		if (q->signal[i].depth == depth)
			give(s, q->signal[i].semaphore, time, (int)(r - s->runner));
}

static void advance(struct simulation *s, struct runner *r, int64_t given)
{
	for (int depth = r->depth; depth > 0; depth--) {
		give_tokens(s, r, depth, given);
		if (++r->step[depth - 1] < s->layer->steps[s->layer->time[depth - 1]]) {
			enter(r, depth);
			return;
		}
		r->step[depth - 1] = 0;
	}
	give_tokens(s, r, 0, given);
	r->has_ended = true;
}

/* ---- Jobs ----------------------------------------------------------------------------------------------------------------------- */

/* Do the loops around the output's tile that do not index it stand at their first step? Then no sums are there yet. */
static bool is_first(const struct simulation *s, const struct runner *r)
{
	const struct sim_layer *l = s->layer;
	for (int k = 0; k < r->depth; k++)
		if (r->step[k] > 0 &&
		    !(l->operand[l->operands - 1].relevant >> l->loop[l->time[k]].dim & 1))
			return false;
	return true;
}

/* What this turn moves. */
static const struct load *load_of(const struct simulation *s, const struct runner *r)
{
	const struct sequencer *q = r->sequencer;
	if (q->task == TASK_COMPUTE)
		return is_first(s, r) ? &r->part : &r->whole;
	bool begins = s->layer->operand[q->operand].class == CLASS_O && q->task == TASK_FILL &&
		      is_first(s, r);
	if (q->depth == 0)
		return begins ? &r->first_whole : &r->whole;
	bool is_last = r->step[q->depth - 1] == s->layer->steps[s->layer->time[q->depth - 1]] - 1;
	bool is_whole = q->task == TASK_DRAIN ? is_last : r->moved < q->depth;
	return begins     ? (is_whole ? &r->first_whole : &r->first_part)
	       : is_whole ? &r->whole
			  : &r->part;
}

/* How long it has each resource, the longest; and when it can have all. */
static int64_t duration(const struct simulation *s, const struct load *load, int64_t *start)
{
	int64_t longest = 0;
	for (int level = 0; level < s->layer->machine->levels; level++)
		for (int k = 0; k < RESOURCES; k++) {
			double rate = rate_of(&s->layer->machine->level[level], k);
			if (rate <= 0 || load->words[level][k] == 0)
				continue;
			int64_t cycles = (int64_t)ceil((double)load->words[level][k] / rate);
			longest = cycles > longest ? cycles : longest;
			if (s->taken[level][k] > *start)
				*start = s->taken[level][k];
		}
	return longest;
}

static void take(struct simulation *s, const struct load *load, int64_t until)
{
	for (int level = 0; level < s->layer->machine->levels; level++)
		for (int k = 0; k < RESOURCES; k++)
			if (rate_of(&s->layer->machine->level[level], k) > 0 &&
			    load->words[level][k] > 0)
				s->taken[level][k] = until;
}

/* The operand whose tile the semaphore tells of. */
static int operand_of(const struct simulation *s, int semaphore)
{
	for (int i = 0; i < s->layer->sequencers; i++)
		for (int k = 0; k < s->layer->sequencer[i].signals; k++)
			if (s->layer->sequencer[i].signal[k].semaphore == semaphore)
				return s->layer->sequencer[i].operand;
	return 0;
}

static void note_stall(struct simulation *s, const struct runner *r, int64_t start, int64_t cycles)
{
	struct event_result *result = s->result;
	int64_t waited = r->ready - r->free;
	result->stall[STALL_TILE] += waited;
	if (waited > 0)
		result->tile[operand_of(s, r->waited_for)] += waited;
	result->stall[STALL_PORT] += start - r->ready;
	result->stall[STALL_RATE] += cycles - s->inner;
	result->busy += s->inner;
}

static void do_job(struct simulation *s, struct runner *r)
{
	bool is_compute = r->sequencer->task == TASK_COMPUTE;
	const struct load *load = load_of(s, r);
	int64_t start = r->ready, cycles = duration(s, load, &start);
	struct event event = {(int)(r - s->runner), start, cycles};
	if (is_compute && cycles < s->inner)
		cycles = event.cycles = s->inner;
	if (is_compute)
		note_stall(s, r, start, cycles);
	take(s, load, start + cycles);
	if (s->options->tell && cycles > 0)
		s->options->tell(s->options->context, &event);
	r->free = start + cycles;
	int64_t end = r->free + (load->is_any ? (int64_t)ceil(r->latency) : 0);
	if (end > s->result->cycles)
		s->result->cycles = end;
	r->is_pending = false;
	advance(s, r, end);
}

/* The job that can start first; of several the one that was ready first, then the outermost, then the first operand's. */
static struct runner *next_runner(struct simulation *s)
{
	struct runner *best = NULL;
	int64_t best_start = 0;
	for (int i = 0; i < s->layer->sequencers; i++) {
		struct runner *r = &s->runner[i];
		if (!r->has_ended && !r->is_pending)
			r->is_pending = take_tokens(s, r);
		if (!r->is_pending || r->has_ended)
			continue;
		int64_t start = r->ready;
		duration(s, load_of(s, r), &start);
		bool is_before =
			!best || start < best_start ||
			(start == best_start && (r->ready < best->ready ||
						 (r->ready == best->ready &&
						  r->sequencer->level < best->sequencer->level)));
		if (is_before) {
			best = r;
			best_start = start;
		}
	}
	return best;
}

/* Loops that no token belongs to are one job. */
static int depth_of(const struct sequencer *q)
{
	return q->task == TASK_COMPUTE ? layer_meets(q) : q->depth;
}

static void begin(struct simulation *s)
{
	const struct sim_layer *l = s->layer;
	for (int i = 0; i < l->semaphores; i++)
		for (int64_t k = 0; k < l->tokens[i]; k++)
			give(s, i, 0, -1);
	s->inner = 1;
	for (int i = 0; i < l->sequencers; i++) {
		struct runner *r = &s->runner[i];
		r->sequencer = &l->sequencer[i];
		r->depth = depth_of(r->sequencer);
		if (r->sequencer->task == TASK_COMPUTE)
			s->inner_depth = r->depth;
		enter(r, 0);
	}
	for (int k = s->inner_depth; k < l->depths; k++)
		s->inner *= l->steps[l->time[k]];
}

char *event_run(const struct sim_layer *l, const struct tensors *tensors,
		const struct event_options *options, struct event_result *result)
{
	struct simulation *s = calloc(1, sizeof *s);
	struct runner *r;
	char *error = NULL;
	*result = (struct event_result){0};
	if (!l->is_whole) {
		free(s);
		return sentence("layer '%s' has steps that are not whole, and events are of whole "
				"steps so far",
				l->name);
	}
	if (!s)
		return sentence("no memory for the events of layer '%s'", l->name);
	*s = (struct simulation){.layer = l, .options = options, .result = result};
	begin(s);
	if (!make_loads(s, tensors))
		error = sentence("no memory for the events of layer '%s'", l->name);
	while (!error && (r = next_runner(s)) != NULL)
		do_job(s, r);
	for (int i = 0; i < l->sequencers && !error; i++)
		if (!s->runner[i].has_ended || s->is_overfull)
			error = sentence(
				"layer '%s' is deadlocked, or a semaphore has too many tokens",
				l->name);
	int64_t sum = result->busy;
	for (int i = 0; i < STALL_END; i++)
		sum += result->stall[i];
	result->stall[STALL_END] = result->cycles - sum;
	free(s);
	return error;
}
