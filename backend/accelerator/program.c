/* program.c -- places for the tensors, then statement by statement a layer on the array or code for the unit behind it. */
#include "backend/accelerator/program.h"
#include "backend/accelerator/layer.h"
#include "backend/accelerator/statement.h"
#include "frontend/source/diag.h"
#include "frontend/source/file_name.h"
#include "mapper/cost/cost.h"
#include "runtime/simulator/machine.h"
#include "runtime/simulator/tensors.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static enum sim_role role_of(const struct tensor *t)
{
	if (t->view_of)
		return SIM_VIEW;
	return t->data ? SIM_CONSTANT : SIM_LOCAL;
}

static size_t bytes_of(const struct tensor *t)
{
	return (size_t)tensor_count(t) * (size_t)type_info(t->type)->bytes;
}

/* ---- Tensors ------------------------------------------------------------------------------------------------------------- */

static size_t place(size_t *end, const struct tensor *t)
{
	size_t address = *end;
	*end += (bytes_of(t) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return address;
}

/* Constants first. */
static void place_tensors(const struct network *n, size_t address[], size_t *constants)
{
	size_t end = 0;
	for (int i = 0; i < n->tensor_count; i++)
		if (role_of(n->tensor[i]) == SIM_CONSTANT)
			address[i] = place(&end, n->tensor[i]);
	*constants = end;
	for (int i = 0; i < n->tensor_count; i++)
		if (role_of(n->tensor[i]) != SIM_CONSTANT && !n->tensor[i]->view_of)
			address[i] = place(&end, n->tensor[i]);
	for (int i = 0; i < n->tensor_count; i++)
		if (n->tensor[i]->view_of)
			address[i] = address[n->tensor[i]->view_of->id];
}

static bool write_tensor(struct code *code, const struct tensor *t, size_t address)
{
	union field *f = code_add(code, OP_TENSOR);
	if (!f || !(f[TENSOR_NAME].text = code_text(code, t->name)))
		return false;
	f[TENSOR_TYPE].whole = t->type;
	f[TENSOR_ROLE].whole = role_of(t);
	f[TENSOR_ADDRESS].whole = (int64_t)address;
	for (int r = 0; r < t->rank; r++) {
		f = code_add(code, OP_EXTENT);
		if (!f)
			return false;
		f[EXTENT_COUNT].whole = t->extent[r];
	}
	return true;
}

static bool write_port(struct code *code, enum opcode op, const char *name, const struct tensor *t)
{
	union field *f = code_add(code, op);
	_Static_assert((int)INPUT_NAME == (int)OUTPUT_NAME &&
			       (int)INPUT_TENSOR == (int)OUTPUT_TENSOR,
		       "both ports are written alike");
	if (!f || !(f[INPUT_NAME].text = code_text(code, name)))
		return false;
	f[INPUT_TENSOR].whole = t->id;
	return true;
}

static bool write_ports(struct code *code, const struct network *n)
{
	const char **name = file_names(n->arena, n->output_name, n->output_count);
	bool ok = true;
	for (int i = 0; i < n->input_count && ok; i++)
		ok = write_port(code, OP_INPUT, n->input[i]->name, n->input[i]);
	for (int i = 0; i < n->output_count && ok; i++)
		ok = write_port(code, OP_OUTPUT, name[i], n->output[i]);
	return ok;
}

static bool write_tensors(struct dnx *dnx, const struct network *n)
{
	size_t *address = calloc((size_t)n->tensor_count + 1, sizeof *address);
	bool is_done = address != NULL;
	if (!address)
		return false;
	place_tensors(n, address, &dnx->constant_bytes);
	dnx->constants = aligned_alloc(ALIGNMENT, dnx->constant_bytes + ALIGNMENT);
	is_done = dnx->constants != NULL;
	if (is_done)
		memset(dnx->constants, 0, dnx->constant_bytes);
	for (int i = 0; i < n->tensor_count && is_done; i++) {
		const struct tensor *t = n->tensor[i];
		is_done = write_tensor(&dnx->code[SECTION_TENSORS], t, address[i]);
		if (role_of(t) == SIM_CONSTANT)
			memcpy(dnx->constants + address[i], t->data->data, bytes_of(t));
	}
	free(address);
	return is_done && write_ports(&dnx->code[SECTION_TENSORS], n);
}

/* ---- The program ------------------------------------------------------------------------------------------------------------ */

/* The mapping of the statement, where the array can do it. */
static const struct layer_mapping *mapping_of(const struct network_mapping *mapped,
					      const struct statement *s)
{
	if (layer_obstacle(s))
		return NULL;
	for (int i = 0; i < mapped->workload->layers; i++)
		if (mapped->workload->layer[i].statement == s && mapped->layer[i].found.has_mapping)
			return &mapped->layer[i];
	return NULL;
}

static bool write_layer(struct code *code, const struct layer_mapping *l)
{
	struct layer_tensor tensor[MAX_OPERANDS];
	struct cost *cost = malloc(sizeof *cost);
	layer_tensors_of(l->layer->statement, tensor);
	bool is_done = cost && mapping_cost(&l->found.mapping, cost) &&
		       layer_write(code, l->layer->name, &l->found.mapping, tensor, cost);
	free(cost);
	return is_done;
}

static bool write_origin(struct code *debug, const struct statement *s, int64_t instruction)
{
	if (!s->call.source)
		return true;
	union field *f = code_add(debug, OP_LINE);
	int line, column;
	if (!f)
		return false;
	source_position(s->call.source, s->call.begin, &line, &column);
	f[LINE_INSTRUCTION].whole = instruction;
	f[LINE_NUMBER].whole = line;
	f[LINE_COLUMN].whole = column;
	return true;
}

bool program_write(struct dnx *dnx, const struct network *n, const struct network_mapping *mapped,
		   const char *file, struct program_parts *parts)
{
	struct code *program = &dnx->code[SECTION_PROGRAM], *debug = &dnx->code[SECTION_DEBUG];
	union field *f = code_add(debug, OP_FILE);
	*parts = (struct program_parts){0};
	if (!f || !(f[FILE_NAME].text = code_text(debug, file)) ||
	    !machine_write(&dnx->code[SECTION_MACHINE], mapped->workload->machine) ||
	    !write_tensors(dnx, n))
		return false;
	for (int i = 0; i < n->statement_count; i++) {
		const struct statement *s = n->statement[i];
		const struct layer_mapping *l = mapping_of(mapped, s);
		if (!write_origin(debug, s, program->count) ||
		    !(l ? write_layer(program, l) : statement_write(program, s)))
			return false;
		parts->layers += l != NULL;
		parts->statements += l == NULL;
	}
	return true;
}
