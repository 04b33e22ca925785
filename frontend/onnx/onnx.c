/* onnx.c -- from an ONNX file to a network.
 * In: a path. Out: the network that calling the library's operators gives, one ONNX node after the other, or
 * errors. The chapters: decode the bytes, read the graph, open the inputs, import the nodes, name the outputs. */
#include "frontend/onnx/onnx_import.h"

#include <stdlib.h>
#include <string.h>
#include "runtime/file.h"

/* ---- Errors ------------------------------------------------------------------------------------------ */

static void say(struct onnx *o, const struct onnx_node *n, const char *code, const char *format,
		va_list arguments)
{
	diag_error(o->diag, code, (struct span){0}, "%s",
		   arena_vprintf(o->arena, format, arguments));
	diag_place(o->diag, "%s", n ? n->place : o->path);
}

void onnx_error(struct onnx *o, const struct onnx_node *n, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(o, n, "onnx-model", format, arguments);
	va_end(arguments);
}

void onnx_unsupported(struct onnx *o, const struct onnx_node *n, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	say(o, n, "onnx-unsupported", format, arguments);
	va_end(arguments);
}

const char *onnx_shown(struct arena *arena, const char *name)
{
	enum { MOST = 120 };
	if (!name)
		return "";
	if (strnlen(name, MOST + 1) <= MOST)
		return name;
	return arena_printf(arena, "%.*s...", MOST, name);
}

void onnx_file_read(struct program *program, const char *path)
{
	for (int i = 0; i < program->file_count; i++)
		if (!strcmp(program->file[i], path))
			return;
	ARENA_APPEND(program->arena, program->file, program->file_count, path);
}

/* ---- Decoding ---------------------------------------------------------------------------------------- */

/* What keeps the bytes from being a model, or NULL. */
static const char *decode(struct onnx *o, const uint8_t *bytes, size_t size)
{
	const ProtobufCMessageDescriptor *type = &onnx__model_proto__descriptor;
	const char *wrong = size ? onnx_wire_check(o->arena, type, bytes, size) : "it is empty";
	if (wrong)
		return wrong;
	o->model = onnx__model_proto__unpack(NULL, size, bytes);
	if (!o->model)
		return "its bytes cannot be unpacked";
	o->graph = o->model->graph;
	return o->graph ? NULL : "it has no graph";
}

static bool load(struct onnx *o)
{
	char *bytes;
	size_t size;
	char *wrong = file_read(o->path, &bytes, &size);
	if (wrong) {
		size_t length =
			strlen(o->path); /* the sentence begins with the path, as the place does */
		bool repeats =
			!strncmp(wrong, o->path, length) && !strncmp(wrong + length, ": ", 2);
		diag_error(o->diag, "unreadable-file", (struct span){0}, "%s",
			   repeats ? wrong + length + 2 : wrong);
		diag_place(o->diag, "%s", o->path);
		free(wrong);
		return false;
	}
	o->file_size = (int64_t)size;
	onnx_file_read(o->program, o->path);
	const char *reason = decode(o, (const uint8_t *)bytes, size);
	free(bytes);
	if (reason)
		onnx_error(o, NULL, "this is not an ONNX model: %s", reason);
	return !reason;
}

/* The version of the default operator set; models of the first year do not say and mean 1. */
static bool read_opset(struct onnx *o)
{
	int64_t version = 0;
	for (size_t i = 0; i < o->model->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *set = o->model->opset_import[i];
		if (!set->domain || !*set->domain || !strcmp(set->domain, "ai.onnx"))
			version = set->version;
	}
	if (!o->model->n_opset_import)
		version = ONNX_FIRST_OPSET;
	if (version < ONNX_FIRST_OPSET || version > INT32_MAX) {
		onnx_error(o, NULL, "the model names no version of the operator set ai.onnx");
		return false;
	}
	o->opset = (int)version;
	if (version > ONNX_LAST_OPSET) {
		diag_warning(o->diag, "onnx-version", (struct span){0},
			     "operator set %d is newer than %d, the latest that is known here; its "
			     "operators are read as those of %d",
			     o->opset, ONNX_LAST_OPSET, ONNX_LAST_OPSET);
		diag_place(o->diag, "%s", o->path);
		o->opset = ONNX_LAST_OPSET;
	}
	return true;
}

/* ---- Nodes ------------------------------------------------------------------------------------------- */

static bool is_known(const struct onnx *o, const struct onnx_node *n)
{
	return n->op && n->op->first <= o->opset && o->opset <= n->op->last;
}

/* How many needed nodes use the operator of this one, which are marked as reported. */
static int count_uses(struct onnx *o, const struct onnx_node *n)
{
	int uses = 0;
	for (int i = n->index; i < o->node_count; i++)
		if (o->node[i].needed && !strcmp(o->node[i].op_name, n->op_name)) {
			o->node[i].reported = true;
			uses++;
		}
	return uses;
}

/* Operators that the table lacks, or has for other versions: one error for each, as many as are shown. */
static void report_unknown(struct onnx *o)
{
	int left = diag_limit(o->diag);
	for (int i = 0; i < o->node_count && left > 0; i++) {
		const struct onnx_node *n = &o->node[i];
		if (!n->needed || n->reported || is_known(o, n))
			continue;
		left--;
		int uses = count_uses(o, n);
		const char *nodes =
			uses > 1 ? arena_printf(o->arena, " (%d nodes use it)", uses) : "";
		if (n->op)
			onnx_unsupported(
				o, n,
				"operator %s is supported in operator sets %d to %d, the model "
				"uses %d%s; convert the model to one of those",
				n->op_name, n->op->first, n->op->last, o->opset, nodes);
		else
			onnx_unsupported(
				o, n,
				"operator %s is not supported%s; export the model without it: "
				"docs/onnx.md lists the operators to use",
				n->op_name, nodes);
	}
}

bool onnx_node_check(struct onnx *o, const struct onnx_node *n)
{
	int before = o->diag->errors;
	int given = n->input_count;
	while (given && !n->input[given - 1])
		given--;
	if (given < n->op->least || given > n->op->most)
		onnx_error(o, n, "%d inputs; %s takes %d to %d", given, n->op_name, n->op->least,
			   n->op->most);
	int needed = n->op->least < given ? n->op->least : given;
	if (n->op->most == MANY) /* no element of a list can be left out */
		needed = n->input_count;
	for (int i = 0; i < needed; i++)
		if (!n->input[i])
			onnx_error(o, n, "input %d is left out; %s needs it", i, n->op_name);
	for (int i = n->op->outputs; i < n->output_count; i++)
		if (n->output[i] && n->output[i]->reads)
			onnx_unsupported(o, n, "output %d ('%s') of %s is not supported", i,
					 onnx_shown(o->arena, n->output[i]->name), n->op_name);
	onnx_attributes_check(o, n);
	return o->diag->errors == before;
}

static bool reads_poison(const struct onnx_node *n)
{
	for (int i = 0; i < n->input_count; i++)
		if (n->input[i] && n->input[i]->poison)
			return true;
	return false;
}

static bool all_constant(struct onnx *o, const struct onnx_node *n)
{
	for (int i = 0; i < n->input_count; i++)
		if (n->input[i] && !onnx_constant(o, n, i))
			return false;
	return true;
}

static void poison_outputs(struct onnx_node *n)
{
	for (int i = 0; i < n->output_count; i++)
		if (n->output[i])
			n->output[i]->poison = true;
}

static void take_outputs(struct onnx *o, struct onnx_node *n, struct value value)
{
	if (value.kind == VALUE_NONE)
		return;
	int count = value.kind == VALUE_LIST ? value.count : 1;
	for (int i = 0; i < n->output_count && i < n->op->outputs; i++) {
		const struct value *item =
			value.kind == VALUE_LIST && i < count ? &value.item[i] : &value;
		if (!n->output[i])
			continue;
		if (item->kind == VALUE_TENSOR && i < count)
			n->output[i]->tensor = item->tensor;
		else if (item->kind == VALUE_POISON)
			n->output[i]->poison = true;
		else if (n->output[i]->reads)
			onnx_error(o, n, "it has no output %d", i);
	}
}

static void import_node(struct onnx *o, struct onnx_node *n)
{
	build_place(o->build, n->place);
	int before = o->diag->errors;
	if (!is_known(o, n)) {
		poison_outputs(n);
		return;
	}
	bool is_constant = !reads_poison(n) && onnx_node_check(o, n) && all_constant(o, n);
	if (o->diag->errors != before || reads_poison(n)) {
		poison_outputs(n);
		return;
	}
	struct constant *folded = is_constant ? n->op->fold(o, n) : NULL;
	if (folded && n->output_count && n->output[0])
		n->output[0]->constant = folded;
	else if (o->diag->errors == before)
		take_outputs(o, n, n->op->import(o, n));
	if (o->diag->errors != before)
		poison_outputs(n);
}

/* Constants first, wherever they stand: folding a normalisation needs them at the convolution before it. */
static void import_nodes(struct onnx *o)
{
	for (int i = 0; i < o->node_count; i++) {
		struct onnx_node *n = &o->node[i];
		if (n->needed && !n->done && !n->input_count) {
			import_node(o, n);
			n->done = true;
		}
	}
	for (int i = 0; i < o->node_count; i++)
		if (o->node[i].needed && !o->node[i].done)
			import_node(o, &o->node[i]);
}

/* ---- Outputs ----------------------------------------------------------------------------------------- */

/* A network's output is something that it computes: an input or a constant is passed through a copy. */
static struct tensor *computed(struct onnx *o, struct onnx_value *v)
{
	struct onnx_node copy = {.place = o->path, .layer = v->name, .op_name = "output"};
	copy.input_count = 1;
	copy.input = &v;
	struct tensor *tensor = onnx_tensor(o, &copy, 0, ROLE_CONSTANT);
	const struct tensor *holder = tensor && tensor->view_of ? tensor->view_of : tensor;
	if (!holder || holder->role == ROLE_LOCAL)
		return tensor;
	struct onnx_call call = onnx_call(o, &copy);
	call_tensor(&call, NULL, tensor);
	return call_result(&call, "copy");
}

static void give_outputs(struct onnx *o)
{
	build_place(o->build, o->path);
	for (size_t i = 0; i < o->graph->n_output; i++) {
		struct onnx_value *v = onnx_value_find(o, o->graph->output[i]->name);
		struct tensor *tensor = v->poison ? NULL : computed(o, v);
		if (tensor)
			build_output(o->build, v->name, tensor);
	}
}

/* ---- The whole --------------------------------------------------------------------------------------- */

static const char *network_name(struct onnx *o)
{
	const char *slash = strrchr(o->path, '/');
	const char *file = slash ? slash + 1 : o->path;
	const char *dot = strrchr(file, '.');
	size_t length = dot && dot > file ? (size_t)(dot - file) : strlen(file);
	char *name = arena_copy(o->arena, file, length ? length : 0);
	for (char *c = name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *c))
			*c = '_';
	if (*name >= '0' && *name <= '9')
		name = arena_printf(o->arena, "_%s", name);
	return *name ? name : "model";
}

static struct network *import(struct onnx *o)
{
	int before = o->diag->errors;
	if (!load(o) || !read_opset(o) || !onnx_graph_read(o))
		return NULL;
	report_unknown(o);
	o->build = build_new(o->program, network_name(o), o->options);
	build_place(o->build, o->path);
	if (onnx_inputs_open(o)) {
		import_nodes(o);
		give_outputs(o);
	}
	struct network *network = build_end(o->build);
	if (network && o->diag->errors != before) {
		network_free(network);
		network = NULL;
	}
	return network;
}

struct network *onnx_import(struct program *program, const char *path,
			    const struct elaborate_options *options)
{
	struct onnx o = {.program = program,
			 .arena = program->arena,
			 .diag = program->diag,
			 .options = options,
			 .path = path};
	struct network *network = import(&o);
	for (struct constant *c = o.constant; c; c = c->next)
		if (!c->tensor)
			array_free(c->array);
	if (o.model)
		onnx__model_proto__free_unpacked(o.model, NULL);
	return network;
}
