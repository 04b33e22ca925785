/* tensors.c -- tensors from their instructions, and the memory that they lie in. */
#include "runtime/simulator/tensors.h"
#include "runtime/sentence.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };
static const int64_t MOST_BYTES = (int64_t)1 << 40;

static int64_t bytes_of(const struct sim_tensor *t)
{
	return t->count * type_info(t->type)->bytes;
}

/* ---- From instructions ------------------------------------------------------------------------------------------------------- */

static char *read_tensor(struct tensors *t, const union field *f)
{
	struct sim_tensor *grown = realloc(t->tensor, sizeof *grown * ((size_t)t->count + 1));
	if (!grown)
		return sentence("no memory");
	t->tensor = grown;
	t->tensor[t->count++] = (struct sim_tensor){
		.name = f[TENSOR_NAME].text,
		.type = (enum type)f[TENSOR_TYPE].whole,
		.role = (enum sim_role)f[TENSOR_ROLE].whole,
		.address = f[TENSOR_ADDRESS].whole,
		.count = 1,
	};
	return f[TENSOR_ADDRESS].whole % ALIGNMENT
		       ? sentence("an address is a multiple of %d", ALIGNMENT)
		       : NULL;
}

static char *read_extent(struct tensors *t, const union field *f)
{
	if (t->count == 0)
		return sentence("it belongs to a tensor, and none came before");
	struct sim_tensor *last = &t->tensor[t->count - 1];
	if (last->rank == MAX_RANK)
		return sentence("a tensor has at most %d dimensions", MAX_RANK);
	if (f[EXTENT_COUNT].whole < 1)
		return sentence("an extent is at least 1");
	last->extent[last->rank++] = f[EXTENT_COUNT].whole;
	if (__builtin_mul_overflow(last->count, f[EXTENT_COUNT].whole, &last->count) ||
	    last->count > MOST_BYTES)
		return sentence("more elements than can be simulated");
	return NULL;
}

/* Names of outputs become those of files. */
static bool is_file_name(const char *name)
{
	return *name && *name != '.' && *name != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
		       strlen(name);
}

static char *read_port(const struct tensors *t, struct sim_port port[], int *count,
		       const char *name, int64_t tensor)
{
	if (*count == SIM_PORTS)
		return sentence("a program has at most %d inputs, and as many outputs", SIM_PORTS);
	if (port == t->output && !is_file_name(name))
		return sentence("'%s' is no name for an output", name);
	if (tensor >= t->count)
		return sentence("there is no tensor %lld before it", (long long)tensor);
	port[(*count)++] = (struct sim_port){name, (int)tensor};
	return NULL;
}

static char *read_instruction(struct tensors *t, const struct instruction *at)
{
	const union field *f = at->field;
	switch (at->op) {
	case OP_TENSOR:
		return read_tensor(t, f);
	case OP_EXTENT:
		return read_extent(t, f);
	case OP_INPUT:
		return read_port(t, t->input, &t->inputs, f[INPUT_NAME].text,
				 f[INPUT_TENSOR].whole);
	case OP_OUTPUT:
		return read_port(t, t->output, &t->outputs, f[OUTPUT_NAME].text,
				 f[OUTPUT_TENSOR].whole);
	default:
		return sentence("it has no place among tensors");
	}
}

static char *read_all(struct tensors *t, const struct code *code)
{
	for (int i = 0; i < code->count; i++) {
		const struct instruction *at = &code->at[i];
		char *error = read_instruction(t, at);
		if (!error)
			continue;
		char *text = sentence("tensors: instruction %d (%s): %s", i, isa_info(at->op)->word,
				      error);
		free(error);
		return text;
	}
	return NULL;
}

/* ---- Places ------------------------------------------------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	const struct sim_tensor *s = *(const struct sim_tensor *const *)a;
	const struct sim_tensor *t = *(const struct sim_tensor *const *)b;
	if (s->address != t->address)
		return s->address < t->address ? -1 : 1;
	return (s->role == SIM_VIEW) - (t->role == SIM_VIEW);
}

/* Of tensors by their address, those at one address the ones first that are no views. */
static char *check_places(const struct sim_tensor *const sorted[], int count, size_t constants)
{
	const struct sim_tensor *before = NULL;
	for (int i = 0; i < count; i++) {
		const struct sim_tensor *t = sorted[i];
		if (t->address > MOST_BYTES || t->address + bytes_of(t) > MOST_BYTES)
			return sentence("tensor '%s' lies beyond what can be simulated", t->name);
		if (t->role == SIM_CONSTANT && (size_t)(t->address + bytes_of(t)) > constants)
			return sentence("constant '%s' is not in the file", t->name);
		if (t->role == SIM_VIEW) {
			if (!before || before->address != t->address ||
			    bytes_of(before) != bytes_of(t) || before->type != t->type)
				return sentence("view '%s' has the place of no tensor", t->name);
			continue;
		}
		if (before && before->address + bytes_of(before) > t->address)
			return sentence("tensors '%s' and '%s' overlap", before->name, t->name);
		if (t->role != SIM_CONSTANT && (size_t)t->address < constants)
			return sentence("tensor '%s' lies among the constants", t->name);
		before = t;
	}
	return NULL;
}

static char *place_all(struct tensors *t, size_t constants)
{
	const struct sim_tensor **sorted = calloc((size_t)t->count + 1, sizeof *sorted);
	if (!sorted)
		return sentence("no memory");
	for (int i = 0; i < t->count; i++)
		sorted[i] = &t->tensor[i];
	qsort(sorted, (size_t)t->count, sizeof *sorted, compare_places);
	char *error = check_places(sorted, t->count, constants);
	free(sorted);
	return error;
}

char *tensors_read(struct tensors *t, const struct code *code, const uint8_t *constants,
		   size_t size)
{
	*t = (struct tensors){.bytes = size};
	char *error = read_all(t, code);
	if (!error)
		error = place_all(t, size);
	if (error)
		return error;
	for (int i = 0; i < t->count; i++) {
		size_t end = (size_t)(t->tensor[i].address + bytes_of(&t->tensor[i]));
		if (end > t->bytes)
			t->bytes = end;
	}
	t->bytes = (t->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
	t->image = aligned_alloc(ALIGNMENT, t->bytes);
	if (!t->image)
		return sentence("no memory for tensors of %zu bytes", t->bytes);
	memset(t->image, 0, t->bytes);
	if (size > 0)
		memcpy(t->image, constants, size);
	return NULL;
}

void tensors_free(struct tensors *t)
{
	free(t->tensor);
	free(t->image);
	*t = (struct tensors){0};
}

/* ---- Elements ------------------------------------------------------------------------------------------------------------------ */

int64_t tensor_word(const struct tensors *t, const struct sim_tensor *of, int64_t element)
{
	const uint8_t *base = t->image + of->address;
	switch (of->type) {
	case TYPE_I8:
		return ((const int8_t *)base)[element];
	case TYPE_I16:
		return ((const int16_t *)base)[element];
	case TYPE_I32:
		return ((const int32_t *)base)[element];
	default:
		return ((const int64_t *)base)[element];
	}
}

void tensor_set_word(const struct tensors *t, const struct sim_tensor *of, int64_t element,
		     int64_t value)
{
	uint8_t *base = t->image + of->address;
	switch (of->type) {
	case TYPE_I8:
		((int8_t *)base)[element] = (int8_t)value;
		break;
	case TYPE_I16:
		((int16_t *)base)[element] = (int16_t)value;
		break;
	case TYPE_I32:
		((int32_t *)base)[element] = (int32_t)value;
		break;
	default:
		((int64_t *)base)[element] = value;
		break;
	}
}
