/* run.c -- a program from beginning to end. */
#include "runtime/simulator/run.h"
#include "runtime/sentence.h"
#include "runtime/simulator/machine.h"
#include "runtime/simulator/statement.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

char *run_open(struct run *r, const uint8_t *bytes, size_t size)
{
	*r = (struct run){0};
	char *error = dnx_decode(&r->dnx, bytes, size);
	if (!error)
		error = machine_read(&r->dnx.code[SECTION_MACHINE], &r->machine);
	if (!error)
		error = tensors_read(&r->tensors, &r->dnx.code[SECTION_TENSORS], r->dnx.constants,
				     r->dnx.constant_bytes);
	return error;
}

void run_close(struct run *r)
{
	free(r->counted);
	tensors_free(&r->tensors);
	dnx_free(&r->dnx);
	*r = (struct run){0};
}

/* ---- Inputs and outputs ---------------------------------------------------------------------------------------------------- */

bool run_takes(const struct sim_tensor *t, const struct array *a)
{
	return a->type == t->type && a->rank == t->rank &&
	       memcmp(a->extent, t->extent, sizeof *a->extent * (size_t)a->rank) == 0;
}

static char *take_input(struct run *r, const struct sim_tensor *t, const struct array *a)
{
	if (!run_takes(t, a))
		return sentence("the array for input '%s' has another type or shape", t->name);
	memcpy(r->tensors.image + t->address, a->data, (size_t)array_bytes(a));
	return NULL;
}

static struct array *give_output(const struct run *r, const struct sim_tensor *t)
{
	struct array *a = array_new(t->type, t->rank, t->extent);
	if (a)
		memcpy(a->data, r->tensors.image + t->address, (size_t)array_bytes(a));
	return a;
}

/* ---- The program ------------------------------------------------------------------------------------------------------------ */

/* The line of the source that an instruction comes from, as " (lenet.dnn:4:7)", or nothing. */
static void origin(const struct run *r, int place, char text[], size_t size)
{
	const struct code *debug = &r->dnx.code[SECTION_DEBUG];
	const char *file = "";
	text[0] = '\0';
	for (int i = 0; i < debug->count; i++) {
		const union field *f = debug->at[i].field;
		if (debug->at[i].op == OP_FILE)
			file = f[FILE_NAME].text;
		else if (f[LINE_INSTRUCTION].whole == place)
			snprintf(text, size, " (%s:%" PRId64 ":%" PRId64 ")", file,
				 f[LINE_NUMBER].whole, f[LINE_COLUMN].whole);
	}
}

/* The counter that has neither level nor operand, or no operand, is looked at once. */
static bool has(const struct sim_layer *l, enum counter counter, int level, int operand)
{
	return counter <= COUNTER_CYCLES      ? level == 0 && operand == 0
	       : counter == COUNTER_INSTANCES ? level < l->machine->levels && operand == 0
					      : level < l->machine->levels && operand < l->operands;
}

static void take_counts(struct layer_counts *counts, const struct sim_layer *l,
			const struct counters *c)
{
	counts->layer = l->name;
	for (int k = 0; k < COUNTERS; k++)
		for (int level = 0; level < MAX_LEVELS; level++)
			for (int o = 0; o < LAYER_OPERANDS; o++)
				if (has(l, (enum counter)k, level, o))
					counts->found[k][level][o] =
						counters_value(c, (enum counter)k, level, o);
	for (int i = 0; i < l->expectations; i++) {
		const struct layer_expectation *e = &l->expectation[i];
		counts->expected[e->counter][e->level][e->operand] = e->value;
	}
}

static char *count_layer(struct layer_counts *counts, const struct sim_layer *l,
			 const struct tensors *tensors, const struct simulation_options *options)
{
	struct counters *c = simulate_counters(l, options);
	char *error = c ? simulate_layer(l, tensors, options, c)
			: sentence("no memory for the counters of layer '%s'", l->name);
	if (!error && c->is_out_of_memory)
		error = sentence("no memory to count layer '%s'", l->name);
	if (!error)
		take_counts(counts, l, c);
	counters_free(c);
	return error;
}

static char *run_layer(struct run *r, int *place, const struct simulation_options *options)
{
	struct layer_counts *grown = realloc(r->counted, sizeof *grown * ((size_t)r->layers + 1));
	struct sim_layer layer;
	if (!grown)
		return sentence("no memory for the counters of a layer");
	r->counted = grown;
	memset(&grown[r->layers], 0, sizeof *grown);
	char *error =
		layer_read(&layer, &r->dnx.code[SECTION_PROGRAM], place, &r->machine, &r->tensors);
	if (!error)
		error = count_layer(&grown[r->layers], &layer, &r->tensors, options);
	if (!error)
		r->layers++;
	layer_free(&layer);
	return error;
}

static char *run_program(struct run *r, const struct simulation_options *options)
{
	const struct code *program = &r->dnx.code[SECTION_PROGRAM];
	char *error = NULL, place_text[256];
	for (int place = 0; place < program->count && !error;) {
		int begin = place;
		if (program->at[place].op == OP_LAYER)
			error = run_layer(r, &place, options);
		else if (program->at[place].op == OP_STATEMENT)
			error = statement_run(program, &place, &r->tensors);
		else
			error = sentence("instruction %d is of no layer or statement", place);
		r->statements += program->at[begin].op == OP_STATEMENT;
		origin(r, begin, place_text, sizeof place_text);
		if (error && *place_text) {
			char *text = sentence("%s%s", error, place_text);
			free(error);
			error = text;
		}
	}
	return error;
}

char *run_execute(struct run *r, struct array *const input[], struct array *output[],
		  const struct simulation_options *options)
{
	char *error = NULL;
	for (int i = 0; i < r->tensors.inputs && !error; i++)
		error = take_input(r, &r->tensors.tensor[r->tensors.input[i].tensor], input[i]);
	if (!error)
		error = run_program(r, options);
	for (int i = 0; i < r->tensors.outputs && !error; i++) {
		output[i] = give_output(r, &r->tensors.tensor[r->tensors.output[i].tensor]);
		if (!output[i])
			error = sentence("no memory for an output");
	}
	return error;
}

/* ---- Tables ------------------------------------------------------------------------------------------------------------------- */

static const char *const counter_name[COUNTERS] = {"MACs",
						   "MAC units",
						   "steps",
						   "cycles",
						   "instances",
						   "words of a tile",
						   "reads",
						   "fills",
						   "updates",
						   "accesses that read",
						   "accesses that fill",
						   "accesses that update",
						   "deliveries",
						   "hops",
						   "words of a network"};

/* Calls `visit` for every counter of every layer. */
static void each_counter(const struct run *r,
			 void (*visit)(const struct run *, const struct layer_counts *, int counter,
				       int level, int operand, void *),
			 void *context)
{
	for (int i = 0; i < r->layers; i++)
		for (int k = 0; k < COUNTERS; k++)
			for (int level = 0; level < MAX_LEVELS; level++)
				for (int o = 0; o < LAYER_OPERANDS; o++)
					visit(r, &r->counted[i], k, level, o, context);
}

static void count_difference(const struct run *r, const struct layer_counts *c, int counter,
			     int level, int operand, void *context)
{
	(void)r;
	*(int64_t *)context +=
		c->found[counter][level][operand] != c->expected[counter][level][operand];
}

int64_t run_differences(const struct run *r)
{
	int64_t count = 0;
	each_counter(r, count_difference, &count);
	return count;
}

static void print_name(const struct run *r, const struct layer_counts *c, int counter, int level,
		       int operand, FILE *file)
{
	fprintf(file, "%-16s %-12s ", c->layer,
		counter >= COUNTER_INSTANCES ? r->machine.level[level].name : "");
	if (counter > COUNTER_INSTANCES)
		fprintf(file, "operand %d ", operand);
	else
		fprintf(file, "%10s", "");
	fprintf(file, "%-20s", counter_name[counter]);
}

static void print_difference(const struct run *r, const struct layer_counts *c, int counter,
			     int level, int operand, void *context)
{
	int64_t found = c->found[counter][level][operand];
	int64_t expected = c->expected[counter][level][operand];
	if (found == expected)
		return;
	print_name(r, c, counter, level, operand, context);
	fprintf(context, " %16" PRId64 " %16" PRId64 "\n", found, expected);
}

void run_print_differences(const struct run *r, FILE *file)
{
	fprintf(file, "%-16s %-12s %-30s %16s %16s\n", "layer", "memory", "", "counted",
		"expected");
	each_counter(r, print_difference, file);
}

static void print_counter(const struct run *r, const struct layer_counts *c, int counter, int level,
			  int operand, void *context)
{
	if (c->found[counter][level][operand] == 0)
		return;
	print_name(r, c, counter, level, operand, context);
	fprintf(context, " %16" PRId64 "\n", c->found[counter][level][operand]);
}

void run_print_counters(const struct run *r, FILE *file)
{
	fprintf(file, "%-16s %-12s %-30s %16s\n", "layer", "memory", "", "counted");
	each_counter(r, print_counter, file);
}
