/* onnx_graph.c -- the names of a graph and who writes and reads them.
 * In: the decoded graph. Out: a table of values sorted by name and a list of nodes that points into it.
 * Checked here: every name is given once, every node reads what stands before it (so that there are no
 * cycles), and which nodes the outputs need at all. */
#include "frontend/onnx/onnx_import.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct onnx_value *)a)->name, ((const struct onnx_value *)b)->name);
}

struct onnx_value *onnx_value_find(const struct onnx *o, const char *name)
{
	struct onnx_value key = {.name = name};
	return bsearch(&key, o->value, (size_t)o->value_count, sizeof key, by_name);
}

static bool is_named(const char *name)
{
	return name && *name;
}

/* Names outlive the model: the network has them. */
static const char *keep(struct onnx *o, const char *name)
{
	return arena_copy(o->arena, name, strlen(name));
}

/* ---- Values ------------------------------------------------------------------------------------------ */

/* Every initializer, input and node output, unsorted; an initializer may also stand among the inputs, as old
 * models have it. */
static void collect(struct onnx *o)
{
	const Onnx__GraphProto *g = o->graph;
	size_t most = g->n_initializer + g->n_input;
	for (size_t i = 0; i < g->n_node; i++)
		most += g->node[i]->n_output;
	struct onnx_value *v = o->value = ARENA_ARRAY(o->arena, most ? most : 1, struct onnx_value);
	for (size_t i = 0; i < g->n_initializer; i++)
		if (is_named(g->initializer[i]->name))
			*v++ = (struct onnx_value){.name = keep(o, g->initializer[i]->name),
						   .initializer = g->initializer[i]};
	for (size_t i = 0; i < g->n_input; i++)
		if (is_named(g->input[i]->name))
			*v++ = (struct onnx_value){.name = keep(o, g->input[i]->name),
						   .input = g->input[i]};
	for (size_t i = 0; i < g->n_node; i++)
		for (size_t k = 0; k < g->node[i]->n_output; k++)
			if (is_named(g->node[i]->output[k]))
				*v++ = (struct onnx_value){.name = keep(o, g->node[i]->output[k]),
							   .writer = &o->node[i]};
	o->value_count = (int)(v - o->value);
	qsort(o->value, (size_t)o->value_count, sizeof *o->value, by_name);
}

static const char *source_of(const struct onnx *o, const struct onnx_value *v)
{
	if (v->writer)
		return arena_printf(o->arena, "an output of %s", v->writer->place);
	return v->initializer ? "an initializer" : "an input of the graph";
}

/* Joins an input and the initializer that gives its value; anything else given twice is an error. */
static void join(struct onnx *o)
{
	int kept = 0;
	for (int i = 0; i < o->value_count; i++) {
		struct onnx_value *next = &o->value[i];
		struct onnx_value *last = kept ? &o->value[kept - 1] : NULL;
		if (!last || strcmp(last->name, next->name) != 0) {
			o->value[kept++] = *next;
			continue;
		}
		bool overrides = !last->writer && !next->writer && !last->input != !next->input &&
				 !last->initializer != !next->initializer;
		if (!overrides)
			onnx_error(o, NULL, "the name '%s' is given twice, as %s and as %s",
				   onnx_shown(o->arena, next->name), source_of(o, last),
				   source_of(o, next));
		if (overrides && next->input)
			last->input = next->input;
		if (overrides && next->initializer)
			last->initializer = next->initializer;
	}
	o->value_count = kept;
}

/* ---- Nodes ------------------------------------------------------------------------------------------- */

static bool is_default_domain(const char *domain)
{
	return !is_named(domain) || !strcmp(domain, "ai.onnx");
}

static void name_node(struct onnx *o, struct onnx_node *n, int index)
{
	const Onnx__NodeProto *p = o->graph->node[index];
	const char *type = is_named(p->op_type) ? p->op_type : "no operator";
	n->proto = p;
	n->index = index;
	n->op_name = onnx_shown(o->arena, type);
	if (is_default_domain(p->domain))
		n->op = onnx_op_find(type);
	else
		n->op_name = arena_printf(o->arena, "%s.%s", onnx_shown(o->arena, p->domain),
					  n->op_name);
	const char *result = p->n_output ? p->output[0] : NULL;
	n->layer = keep(o, is_named(p->name) ? p->name : is_named(result) ? result : n->op_name);
	n->place = is_named(p->name)
			   ? arena_printf(o->arena, "%s: node '%s' (%s)", o->path,
					  onnx_shown(o->arena, p->name), n->op_name)
			   : arena_printf(o->arena, "%s: node %d (%s)", o->path, index, n->op_name);
}

static const char *missing(const struct onnx *o, const char *name)
{
	enum { MOST = 1000, MOST_ERRORS = 20 }; /* beyond, looking for neighbours takes too long */
	const char *candidate[MOST];
	if (o->diag->errors > MOST_ERRORS)
		return "";
	int count = o->value_count < MOST ? o->value_count : MOST;
	for (int i = 0; i < count; i++)
		candidate[i] = o->value[i].name;
	const char *near = diag_nearest(name, candidate, count);
	return near ? arena_printf(o->arena, "; did you mean '%s'?", onnx_shown(o->arena, near))
		    : "";
}

/* Finds what the node reads; all of it must be written by nodes before it. */
static void connect_inputs(struct onnx *o, struct onnx_node *n)
{
	n->input_count = (int)n->proto->n_input;
	n->input = ARENA_ARRAY(o->arena, (size_t)n->input_count + 1, struct onnx_value *);
	for (int i = 0; i < n->input_count; i++) {
		const char *name = n->proto->input[i];
		if (!is_named(name))
			continue;
		struct onnx_value *v = n->input[i] = onnx_value_find(o, name);
		if (!v)
			onnx_error(o, n,
				   "input '%s' is no input, initializer or result of the graph%s",
				   onnx_shown(o->arena, name), missing(o, name));
		else if (v->writer == n)
			onnx_error(o, n, "it reads its own result '%s'",
				   onnx_shown(o->arena, name));
		else if (v->writer && v->writer->index > n->index)
			onnx_error(o, n,
				   "it reads '%s', which only a later node writes: %s. "
				   "Nodes must stand in the order in which they run",
				   onnx_shown(o->arena, name), v->writer->place);
	}
}

static void connect_outputs(struct onnx *o, struct onnx_node *n)
{
	n->output_count = (int)n->proto->n_output;
	n->output = ARENA_ARRAY(o->arena, (size_t)n->output_count + 1, struct onnx_value *);
	for (int i = 0; i < n->output_count; i++)
		if (is_named(n->proto->output[i]))
			n->output[i] = onnx_value_find(o, n->proto->output[i]);
}

/* ---- What the outputs need --------------------------------------------------------------------------- */

static void need_outputs(struct onnx *o)
{
	const Onnx__GraphProto *g = o->graph;
	if (!g->n_output)
		onnx_error(o, NULL, "the graph has no output");
	for (size_t i = 0; i < g->n_output; i++) {
		const char *name = g->output[i]->name;
		struct onnx_value *v = is_named(name) ? onnx_value_find(o, name) : NULL;
		if (!v) {
			onnx_error(o, NULL, "output '%s' of the graph is written by no node%s",
				   onnx_shown(o->arena, name),
				   is_named(name) ? missing(o, name) : "");
			continue;
		}
		if (v->is_output)
			onnx_error(o, NULL, "output '%s' of the graph is given twice",
				   onnx_shown(o->arena, name));
		v->is_output = true;
		v->reads++;
		if (v->writer)
			v->writer->needed = true;
	}
}

/* From the last node to the first, since nodes read only what stands before them. */
static void need_inputs(struct onnx *o)
{
	for (int i = o->node_count - 1; i >= 0; i--) {
		struct onnx_node *n = &o->node[i];
		for (int k = 0; n->needed && k < n->input_count; k++) {
			if (!n->input[k])
				continue;
			n->input[k]->reads++;
			n->input[k]->reader = n;
			if (n->input[k]->writer)
				n->input[k]->writer->needed = true;
		}
	}
}

bool onnx_graph_read(struct onnx *o)
{
	int before = o->diag->errors;
	size_t nodes = o->graph->n_node;
	o->node = ARENA_ARRAY(o->arena, nodes ? nodes : 1, struct onnx_node);
	o->node_count = (int)nodes;
	for (int i = 0; i < o->node_count; i++)
		name_node(o, &o->node[i], i);
	collect(o);
	join(o);
	for (int i = 0; i < o->node_count; i++) {
		connect_inputs(o, &o->node[i]);
		connect_outputs(o, &o->node[i]);
	}
	need_outputs(o);
	need_inputs(o);
	return o->diag->errors == before;
}
