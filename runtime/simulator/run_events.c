/* run_events.c -- the layers of a program in time: a table, and a trace with a thread for each sequencer. */
#include "runtime/sentence.h"
#include "runtime/simulator/run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* More than a viewer shows. */
enum { MOST_EVENTS = 1000000 };

struct tracer {
	const struct sim_layer *layer;
	const struct event_window *window;
	FILE *file;
	int number; /* of the layer */
	int64_t events;
};

/* A text in JSON's quotes; it has no control characters. */
static void print_text(const char *text, FILE *file)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		putc(*text, file);
	}
}

static void print_name(const struct tracer *t, const struct sequencer *q)
{
	static const char *const task[] = {"fill", "drain", "compute"};
	static const char *const class[] = {"I", "W", "O"};
	if (q->task == TASK_COMPUTE) {
		fputs("compute", t->file);
		return;
	}
	fprintf(t->file, "%s %s ", task[q->task], class[t->layer->operand[q->operand].class]);
	print_text(t->layer->machine->level[q->level].name, t->file);
}

static void print_names(struct tracer *t)
{
	fprintf(t->file,
		"%s{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%d,\"args\":{\"name\":\"",
		t->number > 0 ? ",\n" : "", t->number);
	print_text(t->layer->name, t->file);
	fputs("\"}}", t->file);
	for (int i = 0; i < t->layer->sequencers; i++) {
		fprintf(t->file,
			",\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%d,\"tid\":%d,\"args\":{"
			"\"name\":\"",
			t->number, i);
		print_name(t, &t->layer->sequencer[i]);
		fputs("\"}}", t->file);
	}
}

/* A cycle is a microsecond of the viewer. */
static void print_event(void *context, const struct event *e)
{
	struct tracer *t = context;
	if (e->start > t->window->to || e->start + e->cycles < t->window->from)
		return;
	if (t->events++ >= MOST_EVENTS)
		return;
	fprintf(t->file, ",\n{\"ph\":\"X\",\"name\":\"");
	print_name(t, &t->layer->sequencer[e->sequencer]);
	fprintf(t->file, "\",\"pid\":%d,\"tid\":%d,\"ts\":%" PRId64 ",\"dur\":%" PRId64 "}",
		t->number, e->sequencer, e->start, e->cycles);
}

static void print_row(const struct sim_layer *l, const struct event_result *r, FILE *table)
{
	fprintf(table, "%-16s %14" PRId64 " %14" PRId64, l->name, r->cycles, r->busy);
	for (int i = 0; i < LAYER_OPERANDS; i++)
		if (i < 3)
			fprintf(table, " %12" PRId64, i < l->operands ? r->tile[i] : 0);
	fprintf(table, " %12" PRId64 " %12" PRId64 " %12" PRId64 "\n", r->stall[STALL_PORT],
		r->stall[STALL_RATE], r->stall[STALL_END]);
}

static char *print_layer(const struct run *r, struct tracer *t, int *place, FILE *table)
{
	struct sim_layer layer;
	struct event_result result;
	char *error =
		layer_read(&layer, &r->dnx.code[SECTION_PROGRAM], place, &r->machine, &r->tensors);
	const char *wanted = t->window->layer;
	bool is_wanted = !error && (!wanted || strcmp(wanted, layer.name) == 0);
	struct event_options options = {t->file ? print_event : NULL, t};
	t->layer = &layer;
	t->events = 0;
	if (is_wanted && t->file)
		print_names(t);
	if (is_wanted)
		error = event_run(&layer, &r->tensors, &options, &result);
	if (is_wanted && !error)
		print_row(&layer, &result, table);
	if (is_wanted && t->events > MOST_EVENTS)
		fprintf(table, "  the trace has the first %d of %" PRId64 " events of this layer\n",
			MOST_EVENTS, t->events);
	t->number += is_wanted;
	layer_free(&layer);
	return error;
}

char *run_print_events(const struct run *r, const struct event_window *window, FILE *table,
		       FILE *trace)
{
	const struct code *program = &r->dnx.code[SECTION_PROGRAM];
	struct tracer t = {.window = window, .file = trace};
	char *error = NULL;
	fprintf(table, "%-16s %14s %14s %12s %12s %12s %12s %12s %12s\n", "layer", "cycles",
		"arithmetic", "wait for #0", "wait for #1", "wait for #2", "for a port",
		"at a port", "last sums");
	if (trace)
		fputs("{\"traceEvents\":[\n", trace);
	for (int place = 0; place < program->count && !error;) {
		if (program->at[place].op == OP_LAYER)
			error = print_layer(r, &t, &place, table);
		else
			place++;
	}
	if (trace)
		fputs("\n]}\n", trace);
	if (!error && window->layer && t.number == 0)
		error = sentence("the program has no layer '%s'", window->layer);
	return error;
}
