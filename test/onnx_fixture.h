/* onnx_fixture.h -- writes small ONNX models byte by byte, imports them and runs them.
 *
 *     struct model m = model_new(13);
 *     model_input(&m, "x", FLOAT, "1,2,4");
 *     model_integers(&m, "shape", "2", (int64_t[]){2, 4});
 *     model_node(&m, "Reshape", "x shape", "y", "allowzero:i=0");
 *     model_output(&m, "y");
 *     struct import i = import_model(&m, "");          -- or "x.2=4 N=3": what -dim gives
 *     ... i.network, i.text (all that was said), AT(&i, "y", k) after run(&i)
 *     import_free(&i);
 *
 * Written for the wire format alone (developers.google.com/protocol-buffers/docs/encoding), without the packer of
 * the library that the importer unpacks with. The numbers are the fields of onnx.proto. */
#ifndef TEST_ONNX_FIXTURE_H
#define TEST_ONNX_FIXTURE_H

#include "frontend/network/interpret.h"
#include "frontend/onnx/onnx.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FLOAT = 1,
	UINT8 = 2,
	INT8 = 3,
	INT32 = 6,
	INT64 = 7,
	STRING = 8,
	BOOL = 9,
	FLOAT16 = 10,
	DOUBLE = 11
};
enum { WIRE_VARINT, WIRE_64, WIRE_LENGTH, WIRE_START, WIRE_END, WIRE_32 };

struct bytes {
	uint8_t *data;
	size_t size, room;
};

static inline void put_raw(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->room) {
		b->room = 2 * (b->size + size) + 64;
		b->data = realloc(b->data, b->room);
	}
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
}

static inline void put_varint(struct bytes *b, uint64_t value)
{
	do {
		uint8_t byte = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		put_raw(b, &byte, 1);
		value >>= 7;
	} while (value);
}

static inline void put_key(struct bytes *b, int field, int wire)
{
	put_varint(b, (uint64_t)field << 3 | (uint64_t)wire);
}

static inline void put_integer(struct bytes *b, int field, int64_t value)
{
	put_key(b, field, WIRE_VARINT);
	put_varint(b, (uint64_t)value);
}

static inline void put_float(struct bytes *b, int field, float value)
{
	put_key(b, field, WIRE_32);
	put_raw(b, &value, 4);
}

static inline void put_block(struct bytes *b, int field, const void *data, size_t size)
{
	put_key(b, field, WIRE_LENGTH);
	put_varint(b, size);
	put_raw(b, data, size);
}

static inline void put_text(struct bytes *b, int field, const char *text)
{
	put_block(b, field, text, strlen(text));
}

/* The inner message is done with. */
static inline void put_message(struct bytes *b, int field, struct bytes *inner)
{
	put_block(b, field, inner->data, inner->size);
	free(inner->data);
	*inner = (struct bytes){0};
}

/* ---- Models -------------------------------------------------------------------------------------------- */

struct model {
	int opset;
	struct bytes graph;
};

static inline struct model model_new(int opset)
{
	return (struct model){.opset = opset};
}

/* A name with type and dimensions "N,3,?": a name, an extent, or nothing known. */
static inline struct bytes value_info(const char *name, int type, const char *dims)
{
	struct bytes shape = {0}, tensor = {0}, wrapped = {0}, info = {0};
	char copy[200], *rest = copy;
	snprintf(copy, sizeof copy, "%s", dims);
	for (char *d; *copy && (d = strsep(&rest, ","));) {
		struct bytes dim = {0};
		if (strchr("-0123456789", *d))
			put_integer(&dim, 1, strtoll(d, NULL, 10));
		else if (*d != '?')
			put_text(&dim, 2, d);
		put_message(&shape, 1, &dim);
	}
	put_integer(&tensor, 1, type);
	put_message(&tensor, 2, &shape);
	put_message(&wrapped, 1, &tensor);
	put_text(&info, 1, name);
	put_message(&info, 2, &wrapped);
	return info;
}

static inline void model_input(struct model *m, const char *name, int type, const char *dims)
{
	struct bytes info = value_info(name, type, dims);
	put_message(&m->graph, 11, &info);
}

static inline void model_output(struct model *m, const char *name)
{
	struct bytes info = value_info(name, FLOAT, "?");
	put_message(&m->graph, 12, &info);
}

/* A tensor without its data; *count is how many elements the dimensions say. */
static inline struct bytes tensor_head(const char *name, int type, const char *dims, size_t *count)
{
	struct bytes tensor = {0};
	char copy[200], *rest = copy;
	snprintf(copy, sizeof copy, "%s", dims);
	*count = 1;
	for (char *d; *copy && (d = strsep(&rest, ","));) {
		put_integer(&tensor, 1, strtoll(d, NULL, 10));
		*count *= (size_t)strtoll(d, NULL, 10);
	}
	put_integer(&tensor, 2, type);
	put_text(&tensor, 8, name);
	return tensor;
}

/* An initializer of these bytes. */
static inline void model_data(struct model *m, const char *name, int type, const char *dims,
			      const void *data, size_t size)
{
	size_t count;
	struct bytes tensor = tensor_head(name, type, dims, &count);
	put_block(&tensor, 9, data, size);
	put_message(&m->graph, 5, &tensor);
}

static inline void model_floats(struct model *m, const char *name, const char *dims,
				const float value[])
{
	size_t count;
	struct bytes tensor = tensor_head(name, FLOAT, dims, &count);
	put_block(&tensor, 4, value, 4 * count);
	put_message(&m->graph, 5, &tensor);
}

static inline void model_integers(struct model *m, const char *name, const char *dims,
				  const int64_t value[])
{
	size_t count;
	struct bytes tensor = tensor_head(name, INT64, dims, &count);
	for (size_t i = 0; i < count; i++)
		put_integer(&tensor, 7, value[i]);
	put_message(&m->graph, 5, &tensor);
}

/* An attribute "name:kind=value,value", kinds i f s I F as in onnx_ops.def. */
static inline struct bytes attribute(char *text)
{
	struct bytes a = {0};
	char *value = strchr(text, '='), kind = value[-1], *rest = value + 1;
	value[-2] = 0;
	put_text(&a, 1, text);
	put_integer(&a, 20,
		    kind == 'i'   ? 2
		    : kind == 'f' ? 1
		    : kind == 's' ? 3
		    : kind == 'I' ? 7
				  : 6);
	for (char *v; *rest && (v = strsep(&rest, ","));) {
		if (kind == 'i' || kind == 'I')
			put_integer(&a, kind == 'i' ? 3 : 8, strtoll(v, NULL, 10));
		else if (kind == 's')
			put_text(&a, 4, v);
		else
			put_float(&a, kind == 'f' ? 2 : 7, strtof(v, NULL));
		if (!rest)
			break;
	}
	return a;
}

/* Inputs, outputs and attributes are separated by spaces; - leaves one out. */
static inline void model_node(struct model *m, const char *op, const char *inputs,
			      const char *outputs, const char *attributes)
{
	struct bytes node = {0};
	const char *list[3] = {inputs, outputs, attributes};
	for (int k = 0; k < 3; k++) {
		char copy[1000], *rest = copy;
		snprintf(copy, sizeof copy, "%s", list[k]);
		for (char *word; *copy && (word = strsep(&rest, " "));) {
			struct bytes a = k == 2 ? attribute(word) : (struct bytes){0};
			if (k == 2)
				put_message(&node, 5, &a);
			else
				put_text(&node, 1 + k, strcmp(word, "-") ? word : "");
		}
	}
	put_text(&node, 4, op);
	put_message(&m->graph, 1, &node);
}

/* The model's bytes; the model is done with. */
static inline struct bytes model_bytes(struct model *m)
{
	struct bytes whole = {0}, opset = {0};
	put_integer(&whole, 1, 8);
	put_integer(&opset, 2, m->opset);
	put_message(&whole, 8, &opset);
	put_message(&whole, 7, &m->graph);
	return whole;
}

/* ---- Imports ------------------------------------------------------------------------------------------- */

struct import {
	struct arena *arena;
	struct diag diag;
	struct network *network;
	char *text;        /* what was said */
	const char *files; /* read, for dependency lists */
	struct array *output[8];
};

static inline void import_out_of_memory(void *context)
{
	(void)context;
	abort();
}

static inline struct import import_file(const char *path, const char *dims)
{
	struct import i = {.arena = arena_new(import_out_of_memory, NULL)};
	struct dim_binding dim[8];
	struct elaborate_options options = {.dim = dim};
	char copy[200], *rest = copy;
	size_t size;
	snprintf(copy, sizeof copy, "%s", dims);
	for (char *d; *copy && (d = strsep(&rest, " "));) {
		char *equals = strchr(d, '=');
		*equals = 0;
		dim[options.dim_count++] = (struct dim_binding){arena_copy(i.arena, d, strlen(d)),
								strtoll(equals + 1, NULL, 10)};
	}
	i.diag.arena = i.arena;
	struct program *program = program_new(i.arena, &i.diag);
	i.network = onnx_import(program, path, &options);
	i.files = "";
	for (int k = 0; k < program->file_count; k++)
		i.files = arena_printf(i.arena, "%s%s%s", i.files, k ? " " : "", program->file[k]);
	FILE *memory = open_memstream(&i.text, &size);
	diag_print_text(&i.diag, memory, false);
	fclose(memory);
	return i;
}

/* Not file_write: that waits for the disk. */
static inline void write_bytes(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	cr_assert(file, "%s cannot be written", path);
	size_t written = fwrite(data, 1, size, file);
	cr_assert(fclose(file) == 0 && written == size, "%s cannot be written", path);
}

/* The file is written and removed again. */
static inline struct import import_bytes(const struct bytes *b, const char *dims)
{
	char path[100];
	snprintf(path, sizeof path, "onnx_test_%d.onnx", (int)getpid());
	write_bytes(path, b->data, b->size);
	struct import i = import_file(path, dims);
	unlink(path);
	return i;
}

static inline struct import import_model(struct model *m, const char *dims)
{
	struct bytes b = model_bytes(m);
	struct import i = import_bytes(&b, dims);
	free(b.data);
	return i;
}

static inline void import_free(struct import *i)
{
	for (int k = 0; i->network && k < i->network->output_count; k++)
		array_free(i->output[k]);
	if (i->network)
		network_free(i->network);
	free(i->text);
	arena_free(i->arena);
}

/* Runs the network on inputs whose element k is k (of all inputs, counting on). */
static inline void run(struct import *i)
{
	struct array *input[8];
	double next = 0;
	cr_assert(i->network, "not imported: %s", i->text);
	const char *broken = network_check(i->network);
	cr_assert(!broken, "%s", broken);
	for (int k = 0; k < i->network->input_count; k++) {
		const struct tensor *t = i->network->input[k];
		input[k] = array_new(t->type, t->rank, t->extent);
		for (int64_t e = 0; e < array_count(input[k]); e++)
			array_set(input[k], e, next++);
	}
	char *wrong = interpret(i->network, input, i->output);
	cr_assert(!wrong, "%s", wrong);
	for (int k = 0; k < i->network->input_count; k++)
		array_free(input[k]);
}

/* "2x3" */
static inline const char *shape_text(const struct array *a)
{
	static char text[200];
	size_t at = 0;
	text[0] = 0;
	for (int k = 0; k < a->rank; k++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", k ? "x" : "",
				       (long long)a->extent[k]);
	return text;
}

#endif
