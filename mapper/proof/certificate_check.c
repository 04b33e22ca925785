/* certificate_check.c -- reads claims and believes none: the mapping is counted, the space is proven empty of better ones, and
 * what that gives is held against every line. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/mapping/mapping_print.h"
#include "mapper/mapping/tile.h"
#include "mapper/proof/certificate.h"
#include "mapper/proof/fingerprint.h"
#include "runtime/file.h"

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

struct reader {
	struct diag *diag;
	const struct source *source;
	uint32_t at;  /* of the line */
	uint32_t end; /* of the line, without its end */
	bool is_wrong;
};

static struct span line_span(const struct reader *r)
{
	return (struct span){r->source, r->at, r->end > r->at ? r->end : r->at + 1};
}

static bool is_at_end(const struct reader *r)
{
	return r->at >= r->source->size;
}

static void find_end(struct reader *r)
{
	const char *text = r->source->text + r->at;

	r->end = r->at + (uint32_t)strcspn(text, "\n");
}

static void next_line(struct reader *r)
{
	r->at = r->end < r->source->size ? r->end + 1 : r->source->size;
	find_end(r);
}

static void skip_empty(struct reader *r)
{
	while (!is_at_end(r) && r->end == r->at)
		next_line(r);
}

/* The line without its first words, which are these; NULL where it begins otherwise. In the arena. */
static const char *line_after(const struct reader *r, const char *words)
{
	size_t length = strlen(words);

	if (r->end - r->at < length || strncmp(r->source->text + r->at, words, length) != 0)
		return NULL;
	return arena_copy(r->diag->arena, r->source->text + r->at + length,
			  r->end - r->at - length);
}

/* Is the line these words, and nothing more? */
static bool is_line(const struct reader *r, const char *words)
{
	const char *rest = line_after(r, words);

	return rest && *rest == '\0';
}

/* Of what is wrong with the form only the first is told. */
static void complain(struct reader *r, struct span span, const char *what)
{
	if (!r->is_wrong)
		diag_error(r->diag, "false-certificate", span, "%s", what);
	r->is_wrong = true;
}

/* The rest of a line that must begin with these words, and goes on; "" after an error. */
static const char *take(struct reader *r, const char *words)
{
	const char *rest = r->is_wrong ? NULL : line_after(r, words);

	if (!rest) {
		complain(r, line_span(r),
			 arena_printf(r->diag->arena, "expected a line '%s...' here", words));
		return "";
	}
	next_line(r);
	return rest;
}

/* ---- A claim as it stands --------------------------------------------------------------------------------------------- */

struct stated {
	struct span span; /* of its first line */
	const char *layer, *machine;
	uint64_t machine_print, problem_print, constraint_print;
	struct span print_span[3];
	struct proof_goal goal;
	struct span least_span;
	bool has_mapping;
	const char *map; /* text */
	size_t map_size;
	struct span subspaces_span;
	int subspaces;
	struct span *line; /* of each subspace: its text is compared with ours */
};

static bool read_number(const char *text, const char **rest, double *value)
{
	char *end;

	*value = strtod(text, &end);
	*rest = end;
	return isalnum((unsigned char)*text) && end != text && !isnan(*value);
}

static bool read_count(const char *text, int64_t least, int64_t *value)
{
	char *end;

	*value = strtoll(text, &end, 10);
	return isdigit((unsigned char)*text) && end != text && *end == '\0' && *value >= least;
}

static uint64_t take_print(struct reader *r, const char *word, struct span *span, const char **rest)
{
	const char *text;
	char *end;
	uint64_t print;

	*span = line_span(r);
	text = take(r, word);
	print = strtoull(text, &end, 16);
	if (strspn(text, "0123456789abcdef") != 16 && !r->is_wrong)
		complain(r, *span, "a fingerprint is 16 hexadecimal digits");
	*rest = *end == ' ' ? end + 1 : end;
	return print;
}

static void take_goal(struct reader *r, struct stated *s)
{
	const char *text, *rest;

	s->least_span = line_span(r);
	if (line_after(r, "cycles at most ") &&
	    !read_count(take(r, "cycles at most "), 1, &s->goal.most_cycles))
		complain(r, s->least_span, "a limit of cycles is a whole number above 0");
	s->least_span = line_span(r);
	text = take(r, "least ");
	for (int o = 0; o < OBJECTIVES; o++) {
		size_t length = strlen(objective_name[o]);
		if (strncmp(text, objective_name[o], length) != 0 || text[length] != ' ')
			continue;
		s->goal.objective = (enum objective)o;
		if (read_number(text + length + 1, &rest, &s->goal.value) && *rest == '\0')
			return;
	}
	complain(r, s->least_span, "expected an objective and its value: 'least energy 1.5e9'");
}

static void take_map(struct reader *r, struct stated *s)
{
	uint32_t begin;

	s->has_mapping = is_line(r, "mapping");
	if (!s->has_mapping)
		return;
	next_line(r);
	begin = r->at;
	while (!is_at_end(r) && !is_line(r, "end"))
		next_line(r);
	s->map = arena_copy(r->diag->arena, r->source->text + begin, r->at - begin);
	s->map_size = r->at - begin;
	take(r, "end");
}

static void take_subspaces(struct reader *r, struct stated *s)
{
	int64_t count = 0;

	s->subspaces_span = line_span(r);
	if (!read_count(take(r, "subspaces "), 0, &count) || count > r->source->size)
		complain(r, s->subspaces_span, "expected how many subspaces follow");
	if (r->is_wrong)
		return;
	s->subspaces = (int)count;
	s->line = ARENA_ARRAY(r->diag->arena, (size_t)count + 1, struct span);
	for (int i = 0; i < s->subspaces && !r->is_wrong; i++) {
		s->line[i] = line_span(r);
		take(r, "subspace ");
	}
}

static void take_claim(struct reader *r, struct stated *s)
{
	const char *rest;

	s->span = line_span(r);
	s->layer = take(r, "claim ");
	s->machine_print = take_print(r, "machine ", &s->print_span[0], &s->machine);
	s->problem_print = take_print(r, "problem ", &s->print_span[1], &rest);
	s->constraint_print = take_print(r, "constraint ", &s->print_span[2], &rest);
	take_goal(r, s);
	take_map(r, s);
	take_subspaces(r, s);
}

/* ---- What it speaks of -------------------------------------------------------------------------------------------------- */

struct check {
	struct stated stated;
	const struct workload *workload;
	const struct layer *layer;
	const struct mapping *mapping;
	int64_t cycles;      /* of the mapping */
	struct arena *arena; /* of the proof */
	struct proof proof;
};

struct session {
	struct diag *diag;
	int machines;
	const struct workload *const *workload;
	const struct proof_limits *limits;
	struct certificate_summary *summary;
	int checks;
	struct check *check;
	pthread_mutex_t lock;
	int next;
};

static bool refute(struct session *s, struct span span, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool refute(struct session *s, struct span span, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	diag_error_list(s->diag, "false-certificate", span, format, list);
	va_end(list);
	return false;
}

static void find_machine(const struct session *s, struct check *c)
{
	for (int i = 0; i < s->machines && !c->workload; i++)
		if (strcmp(s->workload[i]->machine->name, c->stated.machine) == 0)
			c->workload = s->workload[i];
}

/* All claims are of machines that are given; told once for each that is not. */
static bool find_machines(struct session *s)
{
	const struct check *last = NULL;
	bool all = true;

	for (int i = 0; i < s->checks; i++) {
		struct check *c = &s->check[i];
		find_machine(s, c);
		bool is_there = c->workload && fingerprint_machine(c->workload->machine) ==
						       c->stated.machine_print;
		bool is_told = last && strcmp(last->stated.machine, c->stated.machine) == 0 &&
			       last->stated.machine_print == c->stated.machine_print;
		if (!is_there && !is_told)
			all = c->workload
				      ? refute(s, c->stated.print_span[0],
					       "this was proven of another machine '%s': its "
					       "fingerprint is not that of the one given; the "
					       "machine has changed since, or -hw names another "
					       "file",
					       c->stated.machine)
				      : refute(s, c->stated.print_span[0],
					       "machine '%s' is none of those given; -hw names the "
					       "file of the machine that this was proven of",
					       c->stated.machine);
		last = c;
	}
	return all;
}

static bool find_layer(struct session *s, struct check *c)
{
	const struct workload *w = c->workload;

	for (int i = 0; i < w->layers && !c->layer; i++)
		if (strcmp(w->layer[i].name, c->stated.layer) == 0)
			c->layer = &w->layer[i];
	if (!c->layer || !c->layer->problem)
		return refute(s, c->stated.span, "no mapped layer of network '%s' is called '%s'",
			      w->network->name, c->stated.layer);
	if (!c->layer->constraint)
		return refute(s, c->stated.span, "the mapping of '%s' is given, and none is best",
			      c->stated.layer);
	if (fingerprint_problem(c->layer->problem) != c->stated.problem_print)
		return refute(
			s, c->stated.print_span[1],
			"this was proven of another layer '%s': its fingerprint is not that of "
			"the one given",
			c->stated.layer);
	if (fingerprint_constraint(c->layer->constraint, c->layer->problem, w->machine) !=
	    c->stated.constraint_print)
		return refute(s, c->stated.print_span[2],
			      "this was proven under another dataflow or -map than those given");
	return true;
}

/* ---- The mapping -------------------------------------------------------------------------------------------------------- */

static bool read_mapping(struct session *s, struct check *c)
{
	const struct stated *st = &c->stated;
	struct program *program = program_new(s->diag->arena, s->diag);
	const char *name = arena_printf(s->diag->arena, "the mapping of %s", st->layer);
	int errors = s->diag->errors;

	program_add(program, name, st->map, st->map_size);
	for (int i = 1; i < program->tree_count && s->diag->errors == errors; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_MAPPING && !c->mapping)
				c->mapping = mapping_read(program, item, c->layer->problem,
							  c->workload->machine);
	if (!c->mapping && s->diag->errors == errors)
		refute(s, st->span, "there is no map in the mapping of '%s'", st->layer);
	return c->mapping;
}

static bool is_near(double a, double b)
{
	return a == b || fabs(a - b) <= 1e-9 * fabs(b);
}

/* The mapping is one of the space, and what is said of its cost is so. */
static bool check_mapping(struct session *s, struct check *c)
{
	const struct stated *st = &c->stated;
	struct cost cost;
	const char *why;
	double value;

	if (!st->has_mapping && st->goal.value != INFINITY)
		return refute(s, st->least_span, "a least value without a mapping that has it");
	if (!st->has_mapping)
		return true;
	if (!read_mapping(s, c))
		return false;
	if (!constraint_allows(s->diag->arena, c->layer->constraint, c->mapping, &why))
		return refute(s, st->span, "the mapping of '%s' is none of the space: %s",
			      st->layer, why);
	for (int i = 0; i < c->mapping->loops; i++)
		if (tile_left(c->mapping, i) % c->mapping->loop[i].tile != 0)
			return refute(s, st->span,
				      "the mapping of '%s' is none of the space: not every step is "
				      "whole",
				      st->layer);
	if (!mapping_cost(c->mapping, &cost))
		arena_fail(s->diag->arena);
	value = objective_value(st->goal.objective, &cost);
	c->cycles = cost.cycles;
	if (fabs(value - st->goal.value) > PROOF_ROUNDING * value)
		return refute(s, st->least_span, "the mapping of '%s' has %s %.17g", st->layer,
			      objective_name[st->goal.objective], value);
	if (st->goal.most_cycles > 0 && cost.cycles > st->goal.most_cycles)
		return refute(s, st->span, "the mapping of '%s' takes %" PRId64 " cycles",
			      st->layer, cost.cycles);
	return true;
}

/* The points of an energy-latency set: each begins where the one before ends. */
static bool check_chain(struct session *s, const struct check *before, const struct check *c)
{
	bool follows = before && strcmp(before->stated.layer, c->stated.layer) == 0 &&
		       before->cycles - 1 == c->stated.goal.most_cycles;

	return c->stated.goal.most_cycles == 0 || follows ||
	       refute(s, c->stated.span,
		      "the claim before this one of '%s' is not of %" PRId64 " cycles",
		      c->stated.layer, c->stated.goal.most_cycles + 1);
}

/* A point of such a set is followed by the next, or by the claim that there is none; where proofs were cut, a layer is open. */
static bool check_end(struct session *s, const struct check *c, const struct check *after)
{
	bool is_last = c->stated.goal.most_cycles == 0 || !c->stated.has_mapping || c->cycles <= 1;
	bool follows = after && strcmp(after->stated.layer, c->stated.layer) == 0 &&
		       after->stated.goal.most_cycles > 0;

	return is_last || follows || s->summary->open > 0 ||
	       refute(s, c->stated.span, "no claim says what is faster than this one of '%s'",
		      c->stated.layer);
}

/* ---- The proof ------------------------------------------------------------------------------------------------------------ */

static void leave_for_lack_of_memory(void *context)
{
	longjmp(*(jmp_buf *)context, 1);
}

static void prove_check(const struct session *s, struct check *c)
{
	jmp_buf no_memory;

	c->proof.status = PROOF_NO_MEMORY;
	if (setjmp(no_memory) != 0)
		return;
	c->arena = arena_new(leave_for_lack_of_memory, &no_memory);
	if (c->arena)
		prove(c->arena, c->layer->problem, c->workload->machine, c->layer->constraint,
		      &c->stated.goal, s->limits, &c->proof);
}

static void *prove_all(void *context)
{
	struct session *s = context;

	for (;;) {
		struct check *c;
		pthread_mutex_lock(&s->lock);
		c = s->next < s->checks ? &s->check[s->next++] : NULL;
		pthread_mutex_unlock(&s->lock);
		if (!c)
			return NULL;
		prove_check(s, c);
	}
}

static void prove_at_once(struct session *s, int threads)
{
	pthread_t thread[64];
	int started = 0;

	threads = threads > 64 ? 64 : threads;
	pthread_mutex_init(&s->lock, NULL);
	while (started < threads - 1 && started < s->checks - 1 &&
	       pthread_create(&thread[started], NULL, prove_all, s) == 0)
		started++;
	prove_all(s);
	while (started > 0)
		pthread_join(thread[--started], NULL);
	pthread_mutex_destroy(&s->lock);
}

/* A line against the subspace that it must state: dimensions and number as text, the bound as a number. */
static bool check_subspace(struct session *s, const struct check *c, int i)
{
	const struct subspace *ours = &c->proof.subspace[i];
	struct span span = c->stated.line[i];
	const char *prefix = "subspace bound ", *rest;
	struct problem *p = (struct problem *)c->layer->problem;
	char *expected = arena_printf(s->diag->arena, " spreads %" PRId64 " over%s", ours->spreads,
				      ours->dims ? "" : " nothing");
	const char *text =
		arena_copy(s->diag->arena, span.source->text + span.begin, span.end - span.begin);
	double bound;

	for (int d = 0; d < p->dims; d++)
		if (ours->dims >> d & 1)
			expected = arena_printf(s->diag->arena, "%s %s", expected, p->dim[d]);
	if (strncmp(text, prefix, strlen(prefix)) != 0 ||
	    !read_number(text + strlen(prefix), &rest, &bound))
		return refute(s, span, "expected a subspace with its bound");
	if (strcmp(rest, expected) != 0)
		return refute(s, span, "the subspace here is '%s'", expected + 1);
	if (!is_near(bound, ours->bound))
		return refute(s, span, "the bound of this subspace is %.17g", ours->bound);
	return true;
}

static bool check_proof(struct session *s, const struct check *c)
{
	const struct stated *st = &c->stated;
	bool is_right = true;

	switch (c->proof.status) {
	case PROOF_CUT:
		return refute(s, st->span, "the check of '%s' was ended before its end", st->layer);
	case PROOF_NO_MEMORY:
		arena_fail(s->diag->arena);
	case PROOF_TOO_MANY:
		return refute(s, st->span, "'%s' has too many tiles to be checked", st->layer);
	case PROOF_FAILED:
		return refute(s, st->least_span,
			      "mappings of '%s' below this value are not ruled out: the bound is "
			      "%.17g",
			      st->layer, c->proof.bound);
	case PROOF_DONE:
		break;
	}
	if (c->proof.subspaces != st->subspaces)
		return refute(s, st->subspaces_span, "there are %d subspaces, and %d are stated",
			      c->proof.subspaces, st->subspaces);
	for (int i = 0; i < st->subspaces && is_right; i++)
		is_right = check_subspace(s, c, i);
	return is_right;
}

/* ---- Together ------------------------------------------------------------------------------------------------------------- */

static bool open_source(struct reader *r, const char *path)
{
	struct source *source = ARENA_NEW(r->diag->arena, struct source);
	char *data = NULL, *error;
	size_t size = 0;

	error = file_read(path, &data, &size);
	if (error)
		return diag_fail(r->diag, "unreadable-file", error);
	*source = (struct source){.name = path,
				  .text = arena_copy(r->diag->arena, data, size),
				  .size = (uint32_t)strlen(data)};
	free(data);
	r->source = source;
	find_end(r);
	return true;
}

/* Nothing may be left out: each layer that is searched has a claim, or is said to be open. */
static void check_cover(struct session *s, const struct reader *r, int opens,
			const char *const open[])
{
	for (int m = 0; m < s->machines; m++)
		for (int i = 0; i < s->workload[m]->layers; i++) {
			const struct layer *layer = &s->workload[m]->layer[i];
			const char *machine = s->workload[m]->machine->name;
			bool is_there = layer->first != i;
			for (int k = 0; k < s->checks; k++)
				is_there |= strcmp(s->check[k].stated.layer, layer->name) == 0 &&
					    strcmp(s->check[k].stated.machine, machine) == 0;
			for (int k = 0; k < opens; k++)
				is_there |= strcmp(open[2 * k], layer->name) == 0 &&
					    strcmp(open[2 * k + 1], machine) == 0;
			if (!is_there)
				refute(s, line_span(r), "nothing is claimed of '%s' on '%s'",
				       layer->name, machine);
		}
}

static void read_claims(struct session *s, struct reader *r)
{
	const char **open = NULL;
	int opens = 0;
	int64_t claimed = 0, left_open = 0;
	struct span head;

	head = line_span(r);
	if (strcmp(take(r, "dnnc certificate "), "1") != 0)
		complain(r, head,
			 "this is no certificate of a form that is known: 'dnnc certificate 1'");
	head = line_span(r);
	if (!read_count(take(r, "claims "), 0, &claimed) ||
	    !read_count(take(r, "open "), 0, &left_open))
		complain(r, head, "expected how many claims follow, and how many layers are open");
	for (skip_empty(r); !is_at_end(r) && !r->is_wrong; skip_empty(r)) {
		struct check c = {.arena = NULL};
		if (line_after(r, "open ")) {
			const char *layer = take(r, "open "), *machine = take(r, "machine ");
			ARENA_APPEND(s->diag->arena, open, opens, layer);
			ARENA_APPEND(s->diag->arena, open, opens, machine);
			s->summary->open++;
			continue;
		}
		take_claim(r, &c.stated);
		if (!r->is_wrong)
			ARENA_APPEND(s->diag->arena, s->check, s->checks, c);
	}
	if (!r->is_wrong && (s->checks != claimed || opens / 2 != left_open))
		refute(s, head, "%d claims and %d open layers follow", s->checks, opens / 2);
	if (!r->is_wrong && find_machines(s))
		check_cover(s, r, opens / 2, open);
	else
		s->checks = 0;
}

bool certificate_check(const char *path, int machines, const struct workload *const workload[],
		       int threads, const struct proof_limits *limits, struct diag *diag,
		       struct certificate_summary *summary)
{
	struct session s = {.diag = diag,
			    .machines = machines,
			    .workload = workload,
			    .limits = limits,
			    .summary = summary};
	struct reader r = {.diag = diag};
	int errors = diag->errors, whole = 0;

	*summary = (struct certificate_summary){0};
	if (!open_source(&r, path))
		return false;
	read_claims(&s, &r);
	for (int i = 0; i < s.checks && !r.is_wrong; i++) {
		struct check *c = &s.check[i];
		if (find_layer(&s, c) && check_mapping(&s, c) &&
		    check_chain(&s, i > 0 ? c - 1 : NULL, c) &&
		    check_end(&s, c, i + 1 < s.checks ? c + 1 : NULL))
			s.check[whole++] = *c;
	}
	s.checks = whole;
	prove_at_once(&s, threads);
	for (int i = 0; i < s.checks; i++) {
		if (check_proof(&s, &s.check[i]))
			summary->claims++;
		summary->objectives |= 1u << s.check[i].stated.goal.objective;
		summary->subspaces += s.check[i].proof.subspaces;
		summary->looked += s.check[i].proof.looked;
		if (s.check[i].arena)
			arena_free(s.check[i].arena);
	}
	return diag->errors == errors;
}
