/* layer.c -- a mapping becomes a nest, places in the memories, and sequencers that meet by semaphores: docs/accelerator.md
 * sections 2 to 4. */
#include "backend/accelerator/layer.h"
#include "backend/accelerator/writer.h"
#include "runtime/simulator/route.h"
#include "runtime/simulator/counters.h"

#include <stdlib.h>

/* ---- What is written and how it is read -------------------------------------------------------------------------------- */

static bool is_integer(enum type type)
{
	return !type_info(type)->is_float;
}

static const char *access_obstacle(const struct access *a)
{
	if (!is_integer(a->tensor->type))
		return "it computes in floating point";
	if (a->outside == OUTSIDE_CLAMP || (a->outside == OUTSIDE_VALUE && a->value != 0))
		return "what it reads outside of a tensor is not 0";
	return NULL;
}

static const char *product_obstacle(const struct scalar *e)
{
	if (e->kind == SCALAR_READ)
		return access_obstacle(e->access);
	if (e->kind != SCALAR_APPLY || e->fn != FN_MUL)
		return "it does not multiply what it reads";
	const char *why = product_obstacle(e->arg[0]);
	return why ? why : product_obstacle(e->arg[1]);
}

const char *layer_obstacle(const struct statement *s)
{
	if (statement_macs(s) == 0 || s->reduce != REDUCE_SUM)
		return "it multiplies and accumulates nothing";
	const char *why = access_obstacle(&s->target);
	return why ? why : product_obstacle(s->value);
}

static void take_tensor(struct layer_tensor **next, const struct access *a)
{
	struct layer_tensor *t = (*next)++;
	*t = (struct layer_tensor){.number = a->tensor->id,
				   .is_zero_outside = a->outside != OUTSIDE_ERROR,
				   .axes = a->tensor->rank};
	for (int r = 0; r < a->tensor->rank; r++)
		t->offset[r] = a->subscript[r].offset;
}

static void take_reads(struct layer_tensor **next, const struct scalar *e)
{
	if (e->kind == SCALAR_READ)
		take_tensor(next, e->access);
	for (int i = 0; e->kind == SCALAR_APPLY && i < scalar_fn_info(e->fn)->arity; i++)
		take_reads(next, e->arg[i]);
}

void layer_tensors_of(const struct statement *s, struct layer_tensor tensor[MAX_OPERANDS])
{
	struct layer_tensor *next = tensor;
	take_reads(&next, s->value);
	take_tensor(&next, &s->target);
}

/* ---- The writer -------------------------------------------------------------------------------------------------------- */

struct writer {
	struct code_writer to;
	const struct mapping *mapping;
	struct sim_layer layer; /* as far as it is written: its loops and operands */
	int semaphores;
};

#define ADD(w, op, ...) add_fields(w, OP_##op, op##_FIELDS, (const int64_t[]){__VA_ARGS__})

/* An instruction of whole numbers alone. */
static void add_fields(struct writer *w, enum opcode op, int fields, const int64_t value[])
{
	union field *f = writer_add(&w->to, op);
	for (int i = 0; i < fields; i++)
		f[i].whole = value[i];
}

/* ---- The nest ------------------------------------------------------------------------------------------------------------ */

static void write_dims(struct writer *w)
{
	const struct problem *p = w->mapping->problem;
	for (int d = 0; d < p->dims; d++) {
		union field *f = writer_add(&w->to, OP_DIM);
		writer_name(&w->to, &f[DIM_NAME], p->dim[d]);
		f[DIM_EXTENT].whole = w->layer.extent[d] = p->extent[d];
	}
	w->layer.dims = p->dims;
}

/* Loops of one step do not exist. */
static void write_loops(struct writer *w)
{
	const struct mapping *m = w->mapping;
	struct sim_layer *l = &w->layer;
	int64_t left[MAX_DIMS];
	for (int d = 0; d < m->problem->dims; d++)
		left[d] = m->problem->extent[d];
	for (int i = 0; i < m->loops; i++) {
		const struct mapped_loop *loop = &m->loop[i];
		bool in_space = loop->kind == LOOP_SPACE;
		if (loop->tile >= left[loop->dim])
			continue;
		ADD(w, LOOP, in_space, loop->level, in_space ? loop->axis : 0, loop->dim,
		    loop->tile);
		left[loop->dim] = loop->tile;
		if (!in_space)
			l->time[l->depths++] = l->loops;
		l->loop[l->loops++] = (struct layer_loop){
			in_space, loop->level, in_space ? loop->axis : 0, loop->dim, loop->tile};
	}
}

static void write_operands(struct writer *w, const struct layer_tensor tensor[])
{
	const struct problem *p = w->mapping->problem;
	struct sim_layer *l = &w->layer;
	for (int i = 0; i < p->operands; i++) {
		const struct operand *o = &p->operand[i];
		ADD(w, OPERAND, tensor[i].number, o->class, tensor[i].is_zero_outside);
		for (int a = 0; a < tensor[i].axes; a++)
			ADD(w, AXIS, tensor[i].offset[a]);
		for (int r = 0; r < o->ranks; r++) {
			ADD(w, RANK, o->axis[r], o->scale[r]);
			for (int d = 0; d < p->dims; d++)
				if (o->coef[r][d] != 0)
					ADD(w, INDEX, d, o->coef[r][d]);
		}
		l->operand[i] = (struct layer_operand){.class = o->class, .relevant = o->relevant};
	}
	l->operands = p->operands;
}

/* ---- Places and routes ----------------------------------------------------------------------------------------------------- */

static bool is_kept(const struct mapping *m, int level, int operand)
{
	return level > 0 && (m->keep[level] >> operand & 1);
}

/* Words of the largest tile, that of the first run. */
static int64_t tile_words(const struct mapping *m, int level, int operand)
{
	const struct problem *p = m->problem;
	const struct operand *o = &p->operand[operand];
	int64_t extent[MAX_DIMS], words = 1;
	for (int d = 0; d < p->dims; d++)
		extent[d] = p->extent[d];
	for (int i = 0; i < m->loops && m->loop[i].level < level; i++)
		if (m->loop[i].tile < extent[m->loop[i].dim])
			extent[m->loop[i].dim] = m->loop[i].tile;
	for (int r = 0; r < o->ranks; r++) {
		int64_t length = 1;
		for (int d = 0; d < p->dims; d++)
			length += llabs(o->coef[r][d]) * (extent[d] - 1);
		words *= length;
	}
	return words;
}

/* One behind the other, in the order of the operands. */
static void write_places(struct writer *w)
{
	const struct mapping *m = w->mapping;
	for (int level = 1; level < m->machine->levels; level++) {
		const struct level *memory = &m->machine->level[level];
		int64_t base = 0;
		for (int i = 0; i < m->problem->operands; i++) {
			if (!is_kept(m, level, i))
				continue;
			int64_t words = tile_words(m, level, i);
			int buffers = memory->buffers > 1 ? memory->buffers : 1;
			ADD(w, KEEP, level, i, base, words, buffers, memory->halo);
			base += words * buffers;
		}
	}
}

static void write_routes(struct writer *w)
{
	const struct mapping *m = w->mapping;
	for (int level = 0; level < m->machine->levels; level++)
		for (int i = 0; i < m->problem->operands && m->machine->level[level].axes > 0; i++)
			ADD(w, ROUTE, level, i, route_mode(&w->layer, level, i));
}

/* ---- Sequencers ------------------------------------------------------------------------------------------------------------ */

/* Between a memory and its parent, for one operand. */
struct boundary {
	int level, depth;     /* of the memory */
	int free, full, done; /* semaphores; done: of the output */
};

/* How many loops in time stand outside of the level, up to the innermost that is relevant. */
static int depth_of(const struct writer *w, int level, int operand)
{
	const struct sim_layer *l = &w->layer;
	int depth = 0;
	for (int k = 0; k < l->depths; k++) {
		const struct layer_loop *loop = &l->loop[l->time[k]];
		if (loop->level < level && (l->operand[operand].relevant >> loop->dim & 1))
			depth = k + 1;
	}
	return depth;
}

/* Does a word of the output belong to several tiles? Then one tile is sent before the next one comes. */
static bool tiles_overlap(const struct operand *o)
{
	for (int r = 0; r < o->ranks; r++) {
		int dims = 0;
		for (int d = 0; d < MAX_DIMS; d++)
			dims += o->coef[r][d] != 0;
		if (dims > 1)
			return true;
	}
	return false;
}

static int add_semaphore(struct writer *w, int64_t tokens)
{
	ADD(w, SEMAPHORE, tokens);
	return w->semaphores++;
}

/* The boundaries of an operand, outermost first; how many. */
static int write_boundaries(struct writer *w, int operand, struct boundary boundary[])
{
	const struct mapping *m = w->mapping;
	const struct operand *o = &m->problem->operand[operand];
	int count = 0;
	for (int level = 1; level < m->machine->levels; level++) {
		if (!is_kept(m, level, operand))
			continue;
		bool is_output = o->class == CLASS_O;
		int64_t tokens = m->machine->level[level].buffers;
		if (tokens < 1 || (is_output && tiles_overlap(o)))
			tokens = 1;
		struct boundary *b = &boundary[count++];
		b->level = level;
		b->depth = depth_of(w, level, operand);
		b->free = add_semaphore(w, tokens);
		b->full = add_semaphore(w, 0);
		b->done = is_output ? add_semaphore(w, 0) : -1;
	}
	return count;
}

static void write_fill(struct writer *w, int operand, const struct boundary *own,
		       const struct boundary *parent)
{
	ADD(w, SEQUENCE, TASK_FILL, own->level, operand, own->depth);
	if (parent)
		ADD(w, WAIT, parent->full, parent->depth);
	ADD(w, WAIT, own->free, own->depth);
	if (parent && parent->done < 0)
		ADD(w, SIGNAL, parent->free, parent->depth);
	ADD(w, SIGNAL, own->full, own->depth);
}

static void write_drain(struct writer *w, int operand, const struct boundary *own,
			const struct boundary *parent)
{
	ADD(w, SEQUENCE, TASK_DRAIN, own->level, operand, own->depth);
	ADD(w, WAIT, own->done, own->depth);
	if (parent)
		ADD(w, SIGNAL, parent->done, parent->depth);
	ADD(w, SIGNAL, own->free, own->depth);
}

/* requires the innermost boundary of each operand that has one; those outermost meet first. */
static void write_compute(struct writer *w, const struct boundary *const inner[MAX_OPERANDS])
{
	ADD(w, SEQUENCE, TASK_COMPUTE, w->mapping->machine->levels, 0, w->layer.depths);
	for (int depth = 0; depth <= w->layer.depths; depth++)
		for (int i = 0; i < w->layer.operands; i++)
			if (inner[i] && inner[i]->depth == depth)
				ADD(w, WAIT, inner[i]->full, depth);
	for (int depth = 0; depth <= w->layer.depths; depth++)
		for (int i = 0; i < w->layer.operands; i++)
			if (inner[i] && inner[i]->depth == depth)
				ADD(w, SIGNAL, inner[i]->done < 0 ? inner[i]->free : inner[i]->done,
				    depth);
}

static void write_sequencers(struct writer *w)
{
	struct boundary boundary[MAX_OPERANDS][MAX_LEVELS];
	const struct boundary *inner[MAX_OPERANDS] = {NULL};
	int count[MAX_OPERANDS];
	for (int i = 0; i < w->layer.operands; i++) {
		count[i] = write_boundaries(w, i, boundary[i]);
		if (count[i] > 0)
			inner[i] = &boundary[i][count[i] - 1];
	}
	for (int i = 0; i < w->layer.operands; i++)
		for (int b = 0; b < count[i]; b++) {
			const struct boundary *parent = b > 0 ? &boundary[i][b - 1] : NULL;
			write_fill(w, i, &boundary[i][b], parent);
			if (boundary[i][b].done >= 0)
				write_drain(w, i, &boundary[i][b], parent);
		}
	write_compute(w, inner);
}

/* ---- What the layer must end with ------------------------------------------------------------------------------------------- */

/* Counters of 0 are not written: what is not there is expected to be 0. */
static void expect(struct writer *w, enum counter counter, int level, int operand, int64_t value)
{
	if (value != 0)
		ADD(w, EXPECT, counter, level, operand, value);
}

static void write_expectations(struct writer *w, const struct cost *cost)
{
	expect(w, COUNTER_MACS, 0, 0, cost->macs);
	expect(w, COUNTER_UNITS, 0, 0, cost->units);
	expect(w, COUNTER_STEPS, 0, 0, cost->steps);
	expect(w, COUNTER_CYCLES, 0, 0, cost->cycles);
	for (int l = 0; l < w->mapping->machine->levels; l++) {
		expect(w, COUNTER_INSTANCES, l, 0, cost->instances[l]);
		for (int i = 0; i < w->layer.operands; i++) {
			const struct traffic *t = &cost->traffic[l][i];
			expect(w, COUNTER_TILE, l, i, t->tile);
			for (int k = 0; k < ACCESS_KINDS; k++) {
				expect(w, COUNTER_READS + k, l, i, t->count[k]);
				expect(w, COUNTER_READ_ACCESSES + k, l, i, t->accesses[k]);
			}
			expect(w, COUNTER_DELIVERIES, l, i, t->deliveries);
			expect(w, COUNTER_HOPS, l, i, t->hops);
			expect(w, COUNTER_NETWORK, l, i, t->network);
		}
	}
}

/* ---- Together ---------------------------------------------------------------------------------------------------------------- */

bool layer_write(struct code *code, const char *layer, const struct mapping *m,
		 const struct layer_tensor tensor[], const struct cost *cost)
{
	struct writer *w = calloc(1, sizeof *w);
	if (!w)
		return false;
	*w = (struct writer){.to = {.code = code}, .mapping = m, .layer = {.machine = m->machine}};
	writer_name(&w->to, &writer_add(&w->to, OP_LAYER)[LAYER_NAME], layer);
	write_dims(w);
	write_loops(w);
	write_operands(w, tensor);
	write_places(w);
	write_routes(w);
	write_sequencers(w);
	if (cost)
		write_expectations(w, cost);
	bool is_done = !w->to.is_out_of_memory;
	free(w);
	return is_done;
}
