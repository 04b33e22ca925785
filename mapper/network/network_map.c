/* network_map.c -- a workload goes in, the best mapping of every layer comes out. A crew of threads takes the layers to
 * search in their order; what each may spend is settled before it begins, and by nothing that another thread finds.
 *
 * A part of a budget is divided evenly among the layers to search: evaluations beforehand, seconds when a layer begins,
 * so that what one leaves others have. The rest goes to those whose search was cut, in further rounds. The last search of a layer without a mapping begins with some mapping. */
#include "mapper/network/network_map.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <time.h>

#include "mapper/network/first_mapping.h"
#include "runtime/clock.h"

/* Doubles are the same to 1 part in 10^12 (docs/mapper.md section 1), and bounds are lowered by as much. */
static const double ROUNDING = 2e-12;

double search_gap(const struct search_result *r)
{
	double gap = r->has_mapping && r->bound > 0 ? r->value / r->bound - 1 : INFINITY;

	return r->status == SEARCH_PROVEN || gap <= ROUNDING ? 0 : gap;
}

/* ---- What one layer may spend ---------------------------------------------------------------------------------- */

/* A layer to search, and what came of it. */
struct task {
	struct layer_mapping *result;
	struct arena *arena; /* of what the search says; NULL where memory was out */
	double seconds;      /* 0: as long as it takes */
	int64_t evaluations; /* 0: as many as it takes */
	int64_t round_spent; /* evaluations of this round */
	bool is_done;        /* under the lock */
};

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct map_options *options;
	const struct hierarchy *machine;
	double start, deadline; /* of clock_seconds(); 0: there is none */
	int64_t evaluations;    /* left; 0: there is no such budget */
	int threads;
	int tasks, open; /* of this round, the first of those that are open */
	struct task *task;
	int next, finished; /* under the lock, with running */
	const char *running;
	bool is_perfect; /* perfect factors alone are searched in this round */
	bool is_trial; /* the first round: most layers need little, and the others get what is left */
};

/* So much of a budget is kept for the rounds after the first. */
static const double KEPT = 0.75;
/* The part of what a layer may spend that a first mapping may. */
enum { FIRST_PART = 2 };

static bool keeps_time(const struct crew *crew)
{
	return crew->is_trial && crew->tasks > crew->threads;
}

static bool keeps_evaluations(const struct crew *crew)
{
	return crew->is_trial && crew->tasks > 1;
}

/* An even share of the time that is left, for a task that the crew begins or, all at once, for any of a round. Something
 * is left, be it little: 0 would be no limit. */
static double share_of_time(const struct crew *crew)
{
	int left = crew->tasks - crew->next;
	int at_once = crew->threads < left ? crew->threads : left;
	double time = crew->deadline - clock_seconds();

	if (crew->deadline == 0)
		return 0;
	if (keeps_time(crew))
		time -= KEPT * (crew->deadline - crew->start);
	return fmax(time * at_once / left, 1e-6);
}

/* Those of the first tasks are greater by one where the parts are not even. */
static void part_evaluations(struct crew *crew, int64_t evaluations)
{
	if (keeps_evaluations(crew))
		evaluations -= (int64_t)(KEPT * (double)evaluations);
	for (int i = 0; i < crew->tasks && evaluations > 0; i++) {
		int64_t share = evaluations / crew->tasks + (i < evaluations % crew->tasks);
		crew->task[i].evaluations = share > 0 ? share : 1;
	}
}

/* ---- One layer -------------------------------------------------------------------------------------------------- */

/* Lowers what is left by what a search took; false when nothing is, or somebody says stop. */
static bool spend(struct search_options *o, const struct search_result *r, double end)
{
	if ((o->stop && *o->stop) ||
	    (o->evaluations > 0 && (o->evaluations -= r->evaluations) <= 0))
		return false;
	return end == 0 || (o->seconds = end - clock_seconds()) > 0;
}

/* A proof that a certificate can hold, without the search; NULL where none is asked for. `end`: of the time there is, or 0. */
static const struct proof *certify(const struct crew *crew, const struct task *task,
				   enum objective objective, double value, int64_t most_cycles,
				   double end)
{
	const struct layer *layer = task->result->layer;
	struct proof_goal goal = {
		.objective = objective, .value = value, .most_cycles = most_cycles};
	struct proof_limits limits = {.stop = crew->options->stop};
	struct proof *proof;

	if (!crew->options->certify || crew->options->imperfect) /* proofs are of perfect factors */
		return NULL;
	if (end > 0)
		limits.seconds = fmax(end - clock_seconds(), 1e-3);
	proof = ARENA_NEW(task->arena, struct proof);
	prove(task->arena, layer->problem, crew->machine, layer->constraint, &goal, &limits, proof);
	return proof;
}

static void add_point(const struct crew *crew, struct task *task, const struct search_result *r,
		      int64_t most_cycles, double end)
{
	struct layer_mapping *result = task->result;
	struct mapping *mapping = ARENA_NEW(task->arena, struct mapping);
	struct pareto_point point = {r->cost.energy, r->cost.cycles, most_cycles, mapping, NULL};

	*mapping = r->mapping;
	point.proof = certify(crew, task, OBJECTIVE_ENERGY, r->cost.energy, most_cycles, end);
	ARENA_APPEND(task->arena, result->point, result->points, point);
}

/* From the least energy to ever fewer cycles, until there are none: docs/mapper.md section 1. */
static void grow_set(const struct crew *crew, struct task *task, struct search_options o,
		     double end)
{
	struct layer_mapping *result = task->result;
	struct search_result *r = ARENA_NEW(task->arena, struct search_result);

	*r = result->found;
	if (o.objective != OBJECTIVE_ENERGY) {
		if (!spend(&o, r, end))
			return;
		o.objective = OBJECTIVE_ENERGY;
		search(task->arena, result->layer->problem, crew->machine, &o, r);
		task->round_spent += r->evaluations;
	}
	while (r->status == SEARCH_PROVEN) {
		add_point(crew, task, r, o.most_cycles, end);
		o.most_cycles = r->cost.cycles - 1;
		if (o.most_cycles > 0 && !spend(&o, r, end))
			return;
		r->status = SEARCH_INFEASIBLE;
		if (o.most_cycles == 0)
			break;
		search(task->arena, result->layer->problem, crew->machine, &o, r);
		task->round_spent += r->evaluations;
	}
	result->is_set_whole = r->status == SEARCH_INFEASIBLE;
	if (result->is_set_whole && o.most_cycles > 0)
		result->end = certify(crew, task, OBJECTIVE_ENERGY, INFINITY, o.most_cycles, end);
}

/* A set that a round before has left open is begun anew; in time, unlike in evaluations, it may not come as far. */
static void find_set(const struct crew *crew, struct task *task, const struct search_options *o,
		     double end)
{
	struct layer_mapping *result = task->result;
	struct pareto_point *point = result->point;
	int points = result->points;

	result->point = NULL;
	result->points = 0;
	grow_set(crew, task, *o, end);
	if (!result->is_set_whole && result->points < points) {
		result->point = point;
		result->points = points;
	}
}

/* The better mapping and the higher bound of two searches of one layer. */
static void take_better(struct search_result *r, const struct search_result *before)
{
	double bound = fmax(r->bound, before->bound), root = r->root;

	if (r->status != SEARCH_CUT)
		return;
	if (before->has_mapping && before->status == SEARCH_PROVEN) {
		*r = *before;
		return;
	}
	if (before->has_mapping && (!r->has_mapping || before->value < r->value))
		*r = *before;
	r->bound = bound;
	r->root = root;
}

/* Of a layer without any mapping a search that may be cut in this round, and in no other, begins with some. */
static bool is_in_want(const struct crew *crew, const struct task *task)
{
	return !task->result->found.has_mapping &&
	       ((task->seconds > 0 && !keeps_time(crew)) ||
		(task->evaluations > 0 && !keeps_evaluations(crew)));
}

/* Takes what it spends from the options. */
static void find_first(const struct crew *crew, struct task *task, struct search_options *o,
		       double end, struct search_result *best)
{
	struct search_result *r = ARENA_NEW(task->arena, struct search_result);
	struct search_options part = *o;

	part.seconds /= FIRST_PART;
	part.evaluations = (part.evaluations + FIRST_PART - 1) / FIRST_PART;
	first_mapping(task->arena, task->result->layer->problem, crew->machine, &part, r);
	task->round_spent += r->evaluations;
	if (o->evaluations > 0) /* 0 would be no limit */
		o->evaluations =
			o->evaluations > r->evaluations ? o->evaluations - r->evaluations : 1;
	if (end > 0)
		o->seconds = fmax(end - clock_seconds(), 1e-6);
	r->evaluations += best->evaluations;
	r->bound = best->bound;
	*best = *r;
}

static void search_layer(const struct crew *crew, struct task *task)
{
	const struct map_options *options = crew->options;
	struct layer_mapping *result = task->result;
	struct search_options o = {
		.objective = options->objective,
		.imperfect = options->imperfect && !crew->is_perfect,
		.constraint = result->layer->constraint,
		.seconds = task->seconds,
		.evaluations = task->evaluations,
		.stop = options->stop,
	};
	double end = task->seconds > 0 ? clock_seconds() + task->seconds : 0;
	struct search_result *before = ARENA_NEW(task->arena, struct search_result);
	int64_t spent;

	*before = result->found;
	if (is_in_want(crew, task))
		find_first(crew, task, &o, end, before);
	search(task->arena, result->layer->problem, crew->machine, &o, &result->found);
	spent = result->found.evaluations;
	task->round_spent += spent;
	take_better(&result->found, before);
	result->found.evaluations = before->evaluations + spent;
	if (options->pareto && result->found.status == SEARCH_PROVEN)
		find_set(crew, task, &o, end);
	if (result->found.status == SEARCH_PROVEN)
		result->proof = certify(crew, task, o.objective, result->found.value, 0, end);
}

static void leave_for_lack_of_memory(void *context)
{
	longjmp(*(jmp_buf *)context, 1);
}

/* Each layer has an arena of its own, for an arena is no place where threads meet. */
static void work_on(const struct crew *crew, struct task *task)
{
	jmp_buf no_memory;

	if (setjmp(no_memory) == 0) {
		task->arena = arena_new(leave_for_lack_of_memory, &no_memory);
		if (task->arena) {
			search_layer(crew, task);
			return;
		}
	}
	task->result->found.status = SEARCH_NO_MEMORY;
}

/* ---- The crew ---------------------------------------------------------------------------------------------------- */

static void *work(void *context)
{
	struct crew *crew = context;

	pthread_mutex_lock(&crew->lock);
	while (crew->next < crew->tasks) {
		struct task *task = &crew->task[crew->next];
		task->seconds = share_of_time(crew);
		crew->next++;
		crew->running = task->result->layer->name;
		pthread_mutex_unlock(&crew->lock);
		work_on(crew, task);
		pthread_mutex_lock(&crew->lock);
		task->is_done = true;
		crew->finished++;
		pthread_cond_signal(&crew->changed);
	}
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* "layer 7 of 12 (conv4), 3.2 s; found so far: 1.2e+09, gap 0 %", written over the one before. */
static void show_progress(const struct crew *crew, FILE *out)
{
	double value = 0, bound = 0;

	for (int i = 0; i < crew->tasks; i++) {
		const struct search_result *r = &crew->task[i].result->found;
		if (!crew->task[i].is_done || !r->has_mapping)
			continue;
		value += r->value;
		bound += r->bound;
	}
	fprintf(out, "\r\033[Klayer %d of %d (%.40s), %.1f s", crew->finished + 1, crew->tasks,
		crew->running ? crew->running : "", clock_seconds() - crew->start);
	if (bound > 0)
		fprintf(out, "; %s so far %.4g, gap %.2g %%",
			objective_name[crew->options->objective], value, 100 * (value / bound - 1));
	fflush(out);
}

/* Waits for the crew; several times a second it says how far things are. */
static void watch(struct crew *crew)
{
	FILE *out = crew->options->progress;

	pthread_mutex_lock(&crew->lock);
	while (out && crew->finished < crew->tasks) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 200 * 1000 * 1000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_cond_timedwait(&crew->changed, &crew->lock, &until) == ETIMEDOUT)
			show_progress(crew, out);
	}
	pthread_mutex_unlock(&crew->lock);
	if (out)
		fputs("\r\033[K", out);
}

/* Where no thread can be had, this one does the work. */
static void run(struct crew *crew)
{
	pthread_t *thread = calloc((size_t)crew->threads, sizeof *thread);
	int started = 0;

	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->changed, NULL);
	while (thread && started < crew->threads &&
	       pthread_create(&thread[started], NULL, work, crew) == 0)
		started++;
	if (started == 0)
		work(crew);
	watch(crew);
	while (started > 0)
		pthread_join(thread[--started], NULL);
	pthread_cond_destroy(&crew->changed);
	pthread_mutex_destroy(&crew->lock);
	free(thread);
}

/* ---- Results ----------------------------------------------------------------------------------------------------- */

static const struct proof *keep_proof(struct arena *arena, const struct proof *proof)
{
	struct proof *kept;

	if (!proof)
		return NULL;
	kept = ARENA_NEW(arena, struct proof);
	*kept = *proof;
	kept->subspace = ARENA_ARRAY(arena, (size_t)proof->subspaces + 1, struct subspace);
	for (int i = 0; i < proof->subspaces; i++)
		kept->subspace[i] = proof->subspace[i];
	return kept;
}

static struct pareto_point keep_point(struct arena *arena, const struct pareto_point *point)
{
	struct pareto_point kept = *point;
	struct mapping *mapping = ARENA_NEW(arena, struct mapping);

	*mapping = *point->mapping;
	kept.mapping = mapping;
	kept.proof = keep_proof(arena, point->proof);
	return kept;
}

/* What the search said, into the arena that stays; false where memory was out. */
static bool keep_result(struct arena *arena, struct task *task)
{
	struct layer_mapping *result = task->result;
	bool has_memory = result->found.status != SEARCH_NO_MEMORY;

	if (has_memory && result->found.why)
		result->found.why = arena_intern_string(arena, result->found.why);
	if (has_memory && result->points > 0) {
		struct pareto_point *point =
			ARENA_ARRAY(arena, (size_t)result->points, struct pareto_point);
		for (int i = 0; i < result->points; i++)
			point[i] = keep_point(arena, &result->point[i]);
		result->point = point;
	}
	if (has_memory) {
		result->proof = keep_proof(arena, result->proof);
		result->end = keep_proof(arena, result->end);
	}
	arena_free(task->arena);
	return has_memory;
}

/* A mapping that a file gives is no one's optimum. */
static bool evaluate_given(const struct map_options *options, struct layer_mapping *result)
{
	struct search_result *found = &result->found;

	found->mapping = *result->layer->given;
	found->has_mapping = true;
	found->status = SEARCH_CUT;
	if (!mapping_cost(&found->mapping, &found->cost))
		return false;
	found->value = objective_value(options->objective, &found->cost);
	return true;
}

/* What is the same work has the same mapping, of a problem of its own name. */
static void share_results(struct network_mapping *n)
{
	for (int i = 0; i < n->workload->layers; i++) {
		struct layer_mapping *result = &n->layer[i];
		const struct layer *layer = result->layer;
		if (layer->first >= 0 && layer->first != i) {
			*result = n->layer[layer->first];
			result->layer = layer;
			result->found.mapping.problem = layer->problem;
		}
		if (result->found.has_mapping)
			eyexam(&result->found.mapping, &result->found.cost,
			       layer->given ? NULL : layer->constraint, &result->eyexam);
	}
}

/* Perfect factors were searched first, of all layers: each has a mapping to begin with, before any takes its time with others.
 * Nothing is proven yet of the whole space. */
static void begin_imperfect(struct crew *crew)
{
	crew->is_perfect = false;
	crew->next = crew->finished = 0;
	for (int i = 0; i < crew->tasks; i++) {
		struct search_result *r = &crew->task[i].result->found;
		crew->evaluations -= crew->task[i].round_spent;
		crew->task[i].round_spent = 0;
		crew->task[i].is_done = false;
		crew->task[i].result->points = 0;
		crew->task[i].result->is_set_whole = false;
		r->status = SEARCH_CUT;
		r->bound = 0;
	}
	if ((crew->options->stop && *crew->options->stop) ||
	    (crew->options->evaluations > 0 && crew->evaluations <= 0) ||
	    (crew->deadline > 0 && clock_seconds() >= crew->deadline))
		crew->tasks = crew->open = 0;
	part_evaluations(crew, crew->evaluations);
}

/* Would each of the first open tasks have so many times what it had, if they parted all that is left? */
static bool is_worth(struct crew *crew, int tasks, double times)
{
	crew->tasks = tasks;
	for (int i = 0; i < tasks; i++) {
		const struct task *task = &crew->task[i];
		if ((task->seconds > 0 && share_of_time(crew) < times * task->seconds) ||
		    (task->evaluations > 0 &&
		     (double)(crew->evaluations / tasks) < times * (double)task->evaluations))
			return false;
	}
	return true;
}

/* Those in want of a mapping first, then those that had least. */
static int by_want(const void *a, const void *b)
{
	const struct task *s = a, *t = b;

	if (s->result->found.has_mapping != t->result->found.has_mapping)
		return t->result->found.has_mapping ? -1 : 1;
	if (s->evaluations != t->evaluations)
		return s->evaluations < t->evaluations ? -1 : 1;
	if (s->seconds != t->seconds)
		return s->seconds < t->seconds ? -1 : 1;
	return s->result < t->result ? -1 : s->result > t->result;
}

/* All tasks whose search, or set, was cut, or as many as would have twice what they had: a search begins anew. Where none would,
 * somewhat more is better than nothing. */
static void choose_round(struct crew *crew)
{
	static const double times[] = {2, 1.25};

	qsort(crew->task, (size_t)crew->open, sizeof *crew->task, by_want);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		for (int tasks = crew->open; tasks > 0; tasks--)
			if (is_worth(crew, tasks, times[i]))
				return;
	crew->tasks = 0;
}

static bool is_open(const struct crew *crew, const struct layer_mapping *l)
{
	return l->found.status == SEARCH_CUT ||
	       (l->found.status == SEARCH_PROVEN && crew->options->pareto && !l->is_set_whole);
}

static void begin_round(struct crew *crew)
{
	bool is_stopped = crew->options->stop && *crew->options->stop;
	bool has_budget = crew->options->seconds > 0 || crew->options->evaluations > 0;
	int open = 0;

	for (int i = 0; i < crew->open; i++) {
		struct task *task = &crew->task[i];
		crew->evaluations -= task->round_spent;
		task->round_spent = 0;
		task->is_done = false;
		if (is_open(crew, task->result))
			crew->task[open++] = *task;
	}
	crew->open = open;
	crew->next = crew->finished = 0;
	crew->is_trial = false;
	/* without a budget a search is cut where more would not help */
	if (is_stopped || !has_budget)
		crew->tasks = 0;
	else
		choose_round(crew);
	part_evaluations(crew, crew->evaluations);
}

struct network_mapping *network_map(struct arena *arena, const struct workload *w,
				    const struct map_options *options)
{
	struct network_mapping *n = ARENA_NEW(arena, struct network_mapping);
	struct crew crew = {.options = options,
			    .machine = w->machine,
			    .start = clock_seconds(),
			    .is_perfect = options->imperfect,
			    .is_trial = !options->imperfect};
	bool has_memory = true;

	n->workload = w;
	n->options = *options;
	n->layer = ARENA_ARRAY(arena, (size_t)w->layers, struct layer_mapping);
	crew.task = ARENA_ARRAY(arena, (size_t)w->layers, struct task);
	for (int i = 0; i < w->layers; i++) {
		n->layer[i].layer = &w->layer[i];
		if (w->layer[i].given)
			has_memory &= evaluate_given(options, &n->layer[i]);
		else if (w->layer[i].first == i)
			crew.task[crew.tasks++].result = &n->layer[i];
	}
	crew.open = crew.tasks;
	crew.threads = options->threads < crew.tasks ? options->threads : crew.tasks;
	crew.deadline = options->seconds > 0 ? crew.start + options->seconds : 0;
	crew.evaluations = options->evaluations;
	part_evaluations(&crew, crew.evaluations);
	while (crew.tasks > 0) {
		run(&crew);
		for (int i = 0; i < crew.tasks; i++)
			has_memory &= keep_result(arena, &crew.task[i]);
		if (!has_memory)
			arena_fail(arena);
		if (crew.is_perfect)
			begin_imperfect(&crew);
		else
			begin_round(&crew);
	}
	share_results(n);
	return n;
}
