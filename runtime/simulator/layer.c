/* layer.c -- a layer from its instructions, each checked against what came before it, then all of them together. */
#include "runtime/simulator/layer.h"
#include "runtime/sentence.h"
#include "runtime/simulator/route.h"

#include <stdlib.h>
#include <string.h>

/* Of one memory. */
static const int64_t MOST_WORDS = (int64_t)1 << 32;

struct reader {
	struct sim_layer *layer;
	const struct code *code;
	const struct tensors *tensors;
	int place; /* of the instruction at hand */
	int axes;  /* of the last operand, so far */
	bool routed[MAX_LEVELS][LAYER_OPERANDS];
	char *error;
};

static bool fail(struct reader *r, char *why)
{
	const char *word = isa_info(r->code->at[r->place].op)->word;
	r->error = sentence("instruction %d (%s): %s", r->place, word, why ? why : "no memory");
	free(why);
	return false;
}

/* Is the number below the limit? */
static bool below(struct reader *r, const char *what, int64_t number, int64_t limit)
{
	return number < limit || fail(r, sentence("%s %lld is not there, of %lld", what,
						  (long long)number, (long long)limit));
}

static bool room(struct reader *r, const char *what, int count, int most)
{
	return count < most || fail(r, sentence("more than %d %s in one layer", most, what));
}

static struct layer_operand *last_operand(struct reader *r)
{
	struct sim_layer *l = r->layer;
	if (l->operands == 0)
		fail(r, sentence("it belongs to an operand, and none came before"));
	return l->operands > 0 ? &l->operand[l->operands - 1] : NULL;
}

/* ---- The nest -------------------------------------------------------------------------------------------------------- */

static bool read_dim(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!room(r, "dimensions", l->dims, LAYER_DIMS))
		return false;
	if (f[DIM_EXTENT].whole < 2)
		return fail(r, sentence("an extent is at least 2"));
	l->dim[l->dims] = f[DIM_NAME].text;
	l->extent[l->dims++] = f[DIM_EXTENT].whole;
	return true;
}

/* What the loops so far leave of a dimension. */
static int64_t left_of(const struct sim_layer *l, int dim)
{
	int64_t left = l->extent[dim];
	for (int i = 0; i < l->loops; i++)
		if (l->loop[i].dim == dim)
			left = l->loop[i].tile;
	return left;
}

static bool is_before(const struct layer_loop *a, const struct layer_loop *b)
{
	return a->level != b->level ? a->level < b->level : !a->in_space || b->in_space;
}

static bool read_loop(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	struct layer_loop loop = {f[LOOP_KIND].whole == 1, (int)f[LOOP_LEVEL].whole,
				  (int)f[LOOP_AXIS].whole, (int)f[LOOP_DIM].whole,
				  f[LOOP_TILE].whole};
	if (!room(r, "loops", l->loops, LAYER_LOOPS) ||
	    !below(r, "level", f[LOOP_LEVEL].whole, l->machine->levels) ||
	    !below(r, "dimension", f[LOOP_DIM].whole, l->dims) ||
	    !below(r, "axis", f[LOOP_AXIS].whole,
		   loop.in_space ? l->machine->level[loop.level].axes : 1))
		return false;
	if (l->loops > 0 && !is_before(&l->loop[l->loops - 1], &loop))
		return fail(r, sentence("loops stand from the outermost level inward, at each "
					"level those in time first"));
	int64_t left = left_of(l, loop.dim);
	if (loop.tile < 1 || loop.tile >= left)
		return fail(r, sentence("a tile of %lld, where %lld are left", (long long)loop.tile,
					(long long)left));
	int64_t steps = l->steps[l->loops] = (left + loop.tile - 1) / loop.tile;
	l->is_whole &= left % loop.tile == 0;
	if (loop.in_space) {
		int64_t *used = &l->used[loop.level][loop.axis];
		int64_t fanout = l->machine->level[loop.level].fanout[loop.axis];
		if (steps > fanout / *used)
			return fail(r, sentence("more steps than the %lld units of the axis",
						(long long)fanout));
		*used *= steps;
	} else {
		l->time[l->depths++] = l->loops;
	}
	l->loop[l->loops++] = loop;
	return true;
}

/* ---- Operands --------------------------------------------------------------------------------------------------------- */

static bool read_operand(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!room(r, "operands", l->operands, LAYER_OPERANDS) ||
	    !below(r, "tensor", f[OPERAND_TENSOR].whole, r->tensors->count))
		return false;
	l->operand[l->operands++] = (struct layer_operand){
		.tensor = (int)f[OPERAND_TENSOR].whole,
		.class = (enum tensor_class)f[OPERAND_CLASS].whole,
		.is_zero_outside = f[OPERAND_OUTSIDE].whole == 1,
		.links = 1,
	};
	r->axes = 0;
	return true;
}

static bool read_axis(struct reader *r, const union field *f)
{
	struct layer_operand *o = last_operand(r);
	if (!o || !below(r, "dimension", r->axes, r->tensors->tensor[o->tensor].rank))
		return false;
	o->offset[r->axes++] = f[AXIS_OFFSET].whole;
	return true;
}

static bool read_rank(struct reader *r, const union field *f)
{
	struct layer_operand *o = last_operand(r);
	if (!o || !room(r, "ranks of an operand", o->ranks, MAX_RANK) ||
	    !below(r, "axis", f[RANK_AXIS].whole, r->axes))
		return false;
	o->rank[o->ranks++] = (struct layer_rank){
		.axis = (int)f[RANK_AXIS].whole, .scale = f[RANK_SCALE].whole, .length = 1};
	return true;
}

/* The least and the greatest coordinate of the whole nest. */
static bool reach(struct reader *r, struct layer_rank *rank, int64_t coef, int64_t extent)
{
	int64_t far;
	if (__builtin_mul_overflow(coef, extent - 1, &far) || far == INT64_MIN ||
	    (far < 0 && __builtin_add_overflow(rank->least, far, &rank->least)) ||
	    __builtin_add_overflow(rank->length, far < 0 ? -far : far, &rank->length))
		return fail(r, sentence("the coordinates are more than can be counted"));
	return true;
}

static bool read_index(struct reader *r, const union field *f)
{
	struct layer_operand *o = last_operand(r);
	if (!o || !below(r, "dimension", f[INDEX_DIM].whole, r->layer->dims))
		return false;
	if (o->ranks == 0)
		return fail(r, sentence("it belongs to a rank, and none came before"));
	struct layer_rank *rank = &o->rank[o->ranks - 1];
	int dim = (int)f[INDEX_DIM].whole;
	if (rank->coef[dim] != 0 || f[INDEX_COEF].whole == 0)
		return fail(
			r,
			sentence("a dimension moves a rank once, by a coefficient that is not 0"));
	rank->coef[dim] = f[INDEX_COEF].whole;
	o->relevant |= 1u << dim;
	return reach(r, rank, rank->coef[dim], r->layer->extent[dim]);
}

/* ---- Places and routes -------------------------------------------------------------------------------------------------- */

static bool read_keep(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!below(r, "level", f[KEEP_LEVEL].whole, l->machine->levels) ||
	    !below(r, "operand", f[KEEP_OPERAND].whole, l->operands))
		return false;
	int level = (int)f[KEEP_LEVEL].whole;
	struct layer_operand *o = &l->operand[f[KEEP_OPERAND].whole];
	if (level <= o->chain[o->links - 1])
		return fail(r, sentence("the levels that keep an operand stand from the outermost "
					"inward"));
	if (!l->machine->level[level].is_memory)
		return fail(r, sentence("'%s' is no memory", l->machine->level[level].name));
	if (f[KEEP_BUFFERS].whole < 1 || f[KEEP_BUFFERS].whole > l->machine->level[level].buffers)
		return fail(r, sentence("'%s' has room for %d tiles of an operand at once",
					l->machine->level[level].name,
					l->machine->level[level].buffers));
	o->chain[o->links++] = level;
	o->keep[level] = (struct layer_keep){f[KEEP_BASE].whole,
					     f[KEEP_WORDS].whole,
					     (int)f[KEEP_BUFFERS].whole,
					     (enum halo)f[KEEP_HALO].whole,
					     0,
					     {0}};
	return true;
}

static bool read_route(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!below(r, "level", f[ROUTE_LEVEL].whole, l->machine->levels) ||
	    !below(r, "operand", f[ROUTE_OPERAND].whole, l->operands))
		return false;
	int level = (int)f[ROUTE_LEVEL].whole, operand = (int)f[ROUTE_OPERAND].whole;
	if (l->machine->level[level].axes == 0)
		return fail(r, sentence("inside '%s' is no array", l->machine->level[level].name));
	if (f[ROUTE_MODE].whole != (int64_t)route_mode(l, level, operand))
		return fail(r, sentence("the network does not bring operand %d to its units so",
					operand));
	r->routed[level][operand] = true;
	return true;
}

/* ---- Sequencers --------------------------------------------------------------------------------------------------------- */

static bool read_semaphore(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!room(r, "semaphores", l->semaphores, LAYER_SEMAPHORES))
		return false;
	l->tokens[l->semaphores++] = f[SEMAPHORE_TOKENS].whole;
	return true;
}

static bool read_sequence(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	struct sequencer s = {.task = (enum task)f[SEQUENCE_TASK].whole, .place = r->place};
	if (!room(r, "sequencers", l->sequencers, LAYER_SEQUENCERS) ||
	    !below(r, "level", f[SEQUENCE_LEVEL].whole, l->machine->levels + 1) ||
	    !below(r, "operand", f[SEQUENCE_OPERAND].whole, l->operands) ||
	    !below(r, "depth", f[SEQUENCE_DEPTH].whole, l->depths + 1))
		return false;
	s.level = (int)f[SEQUENCE_LEVEL].whole;
	s.operand = (int)f[SEQUENCE_OPERAND].whole;
	s.depth = (int)f[SEQUENCE_DEPTH].whole;
	if (s.task == TASK_DRAIN && s.operand != l->operands - 1)
		return fail(r, sentence("only what is written is drained"));
	if ((s.task == TASK_COMPUTE) != (s.level == l->machine->levels))
		return fail(r, sentence("MACs compute, and memories are filled and drained"));
	for (int i = 0; i < l->sequencers; i++)
		if (l->sequencer[i].task == s.task && l->sequencer[i].level == s.level &&
		    l->sequencer[i].operand == s.operand)
			return fail(r, sentence("two sequencers for one task"));
	l->sequencer[l->sequencers++] = s;
	return true;
}

static struct sequencer *last_sequencer(struct reader *r)
{
	struct sim_layer *l = r->layer;
	if (l->sequencers == 0)
		fail(r, sentence("it belongs to a sequencer, and none came before"));
	return l->sequencers > 0 ? &l->sequencer[l->sequencers - 1] : NULL;
}

/* Keeps the meetings in the order of their depth. */
static bool add_meeting(struct reader *r, const struct sequencer *s, struct meeting meeting[],
			int *count, int64_t semaphore, int64_t depth)
{
	struct sim_layer *l = r->layer;
	if (!room(r, "meetings of a sequencer", *count, SEQUENCER_MEETINGS) ||
	    !below(r, "semaphore", semaphore, l->semaphores) ||
	    !below(r, "depth", depth, s->depth + 1))
		return false;
	if (*count > 0 && meeting[*count - 1].depth > depth)
		return fail(r, sentence("the meetings of a sequencer stand by their depth"));
	meeting[(*count)++] = (struct meeting){(int)semaphore, (int)depth};
	return true;
}

static bool read_wait(struct reader *r, const union field *f)
{
	struct sequencer *s = last_sequencer(r);
	return s &&
	       add_meeting(r, s, s->wait, &s->waits, f[WAIT_SEMAPHORE].whole, f[WAIT_DEPTH].whole);
}

static bool read_signal(struct reader *r, const union field *f)
{
	struct sequencer *s = last_sequencer(r);
	return s && add_meeting(r, s, s->signal, &s->signals, f[SIGNAL_SEMAPHORE].whole,
				f[SIGNAL_DEPTH].whole);
}

static bool read_expect(struct reader *r, const union field *f)
{
	struct sim_layer *l = r->layer;
	if (!below(r, "level", f[EXPECT_LEVEL].whole, l->machine->levels) ||
	    !below(r, "operand", f[EXPECT_OPERAND].whole, l->operands))
		return false;
	struct layer_expectation *grown =
		realloc(l->expectation, sizeof *grown * ((size_t)l->expectations + 1));
	if (!grown)
		return fail(r, NULL);
	l->expectation = grown;
	l->expectation[l->expectations++] =
		(struct layer_expectation){(int)f[EXPECT_COUNTER].whole, (int)f[EXPECT_LEVEL].whole,
					   (int)f[EXPECT_OPERAND].whole, f[EXPECT_VALUE].whole};
	return true;
}

/* ---- Together ------------------------------------------------------------------------------------------------------------ */

/* Every dimension is walked to its single positions, and every operand has an index for each dimension of its tensor. */
static bool check_nest(struct reader *r)
{
	struct sim_layer *l = r->layer;
	if (l->operands < 2 || l->operand[l->operands - 1].class != CLASS_O)
		return fail(r, sentence("a layer reads operands and writes the last of them"));
	for (int d = 0; d < l->dims; d++)
		if (left_of(l, d) != 1)
			return fail(r, sentence("the loops leave %lld of dimension '%s' undone",
						(long long)left_of(l, d), l->dim[d]));
	for (int i = 0; i <= l->machine->levels; i++) {
		l->instances[i] = 1;
		for (int outside = 0; outside < i; outside++)
			l->instances[i] *= l->used[outside][0] * l->used[outside][1];
	}
	return true;
}

/* Along an axis of its tensor, where does the operand reach? */
static bool check_axis(struct reader *r, const struct layer_operand *o, int axis, int64_t extent)
{
	int64_t least = o->offset[axis], greatest = least;
	for (int i = 0; i < o->ranks; i++) {
		const struct layer_rank *rank = &o->rank[i];
		int64_t near, far;
		if (rank->axis != axis)
			continue;
		if (__builtin_mul_overflow(rank->scale, rank->least, &near) ||
		    __builtin_mul_overflow(rank->scale, rank->least + rank->length - 1, &far) ||
		    __builtin_add_overflow(least, near < far ? near : far, &least) ||
		    __builtin_add_overflow(greatest, near < far ? far : near, &greatest))
			return fail(r, sentence("places are more than can be counted"));
	}
	return (o->is_zero_outside) || (least >= 0 && greatest < extent) ||
	       fail(r, sentence("operand %d reaches %lld to %lld along axis %d of %lld elements",
				(int)(o - r->layer->operand), (long long)least, (long long)greatest,
				axis, (long long)extent));
}

/* So that the words of the output are a product over its ranks. */
static bool check_output(struct reader *r, const struct layer_operand *o)
{
	for (int d = 0; d < r->layer->dims; d++) {
		int ranks = 0;
		for (int k = 0; k < o->ranks; k++)
			ranks += o->rank[k].coef[d] != 0;
		if (ranks > 1)
			return fail(r, sentence("dimension '%s' moves two ranks of the output",
						r->layer->dim[d]));
	}
	return true;
}

static bool check_operands(struct reader *r)
{
	struct sim_layer *l = r->layer;
	if (!check_output(r, &l->operand[l->operands - 1]))
		return false;
	for (int i = 0; i < l->operands; i++) {
		const struct layer_operand *o = &l->operand[i];
		const struct sim_tensor *t = &r->tensors->tensor[o->tensor];
		if (i < l->operands - 1 && o->class == CLASS_O)
			return fail(r, sentence("only the last operand is written"));
		for (int axis = 0; axis < t->rank; axis++)
			if (!check_axis(r, o, axis, t->extent[axis]))
				return false;
	}
	return true;
}

/* Tiles are largest in the first run, that of the first unit. */
static void measure_tile(const struct sim_layer *l, struct layer_operand *o, int level)
{
	struct layer_keep *keep = &o->keep[level];
	int64_t extent[LAYER_DIMS];
	int depth = 0;
	memcpy(extent, l->extent, sizeof extent);
	for (int i = 0; i < l->loops && l->loop[i].level < level; i++) {
		extent[l->loop[i].dim] = l->loop[i].tile;
		depth += !l->loop[i].in_space;
		if (!l->loop[i].in_space && o->relevant >> l->loop[i].dim & 1)
			keep->depth = depth;
	}
	for (int r = 0; r < o->ranks; r++) {
		keep->length[r] = 1;
		for (int d = 0; d < l->dims; d++)
			keep->length[r] += llabs(o->rank[r].coef[d]) * (extent[d] - 1);
	}
}

static bool check_tile(struct reader *r, struct layer_operand *o, int level)
{
	const struct level *memory = &r->layer->machine->level[level];
	struct layer_keep *keep = &o->keep[level];
	int64_t words = 1, end, room_words = memory->class_words[o->class];
	measure_tile(r->layer, o, level);
	for (int i = 0; i < o->ranks; i++)
		if (__builtin_mul_overflow(words, keep->length[i], &words))
			return fail(r, sentence("a tile has more words than can be counted"));
	if (keep->words < words)
		return fail(r, sentence("a tile of %lld words has %lld in '%s'", (long long)words,
					(long long)keep->words, memory->name));
	if (keep->words > MOST_WORDS || keep->base > MOST_WORDS)
		return fail(r, sentence("places are more than can be simulated"));
	if (__builtin_mul_overflow(keep->words, keep->buffers, &end) ||
	    (room_words > 0 && end > room_words) || __builtin_add_overflow(end, keep->base, &end) ||
	    (memory->words > 0 && end > memory->words))
		return fail(r, sentence("tiles of operand %d do not fit '%s'",
					(int)(o - r->layer->operand), memory->name));
	return true;
}

static bool overlap(const struct layer_keep *a, const struct layer_keep *b)
{
	return a->words > 0 && b->words > 0 && a->base < b->base + b->words * b->buffers &&
	       b->base < a->base + a->words * a->buffers;
}

static bool check_places(struct reader *r)
{
	struct sim_layer *l = r->layer;
	for (int i = 0; i < l->operands; i++)
		for (int k = 1; k < l->operand[i].links; k++)
			if (!check_tile(r, &l->operand[i], l->operand[i].chain[k]))
				return false;
	for (int level = 1; level < l->machine->levels; level++)
		for (int i = 0; i < l->operands; i++)
			for (int j = 0; j < i; j++)
				if (overlap(&l->operand[i].keep[level], &l->operand[j].keep[level]))
					return fail(r,
						    sentence("operands %d and %d overlap in '%s'",
							     j, i, l->machine->level[level].name));
	for (int level = 0; level < l->machine->levels; level++)
		for (int i = 0; i < l->operands; i++)
			if (l->machine->level[level].axes > 0 && !r->routed[level][i])
				return fail(r,
					    sentence("no route for operand %d to the units of '%s'",
						     i, l->machine->level[level].array));
	return true;
}

static const struct sequencer *sequencer_for(const struct sim_layer *l, enum task task, int level,
					     int operand)
{
	for (int i = 0; i < l->sequencers; i++)
		if (l->sequencer[i].task == task && l->sequencer[i].level == level &&
		    (task == TASK_COMPUTE || l->sequencer[i].operand == operand))
			return &l->sequencer[i];
	return NULL;
}

static bool check_sequencer(struct reader *r, enum task task, int level, int operand, int depth)
{
	const struct sequencer *s = sequencer_for(r->layer, task, level, operand);
	if (!s)
		return fail(r, sentence("nobody fills, drains or computes operand %d at level %d",
					operand, level));
	return s->depth == depth ||
	       fail(r, sentence("the sequencer of operand %d at level %d walks %d "
				"loops, and its tile moves with loop %d",
				operand, level, s->depth, depth));
}

static bool check_sequencers(struct reader *r)
{
	struct sim_layer *l = r->layer;
	int needed = 1;
	if (!check_sequencer(r, TASK_COMPUTE, l->machine->levels, 0, l->depths))
		return false;
	for (int i = 0; i < l->operands; i++)
		for (int k = 1; k < l->operand[i].links; k++) {
			int level = l->operand[i].chain[k], depth = l->operand[i].keep[level].depth;
			if (!check_sequencer(r, TASK_FILL, level, i, depth))
				return false;
			if (i == l->operands - 1 &&
			    !check_sequencer(r, TASK_DRAIN, level, i, depth))
				return false;
			needed += 1 + (i == l->operands - 1);
		}
	return l->sequencers == needed ||
	       fail(r, sentence("a sequencer moves what its memory does not keep"));
}

static bool read_instruction(struct reader *r)
{
	static bool (*const reader_of[OP_COUNT])(struct reader *, const union field *) = {
		[OP_DIM] = read_dim,
		[OP_LOOP] = read_loop,
		[OP_OPERAND] = read_operand,
		[OP_AXIS] = read_axis,
		[OP_RANK] = read_rank,
		[OP_INDEX] = read_index,
		[OP_KEEP] = read_keep,
		[OP_ROUTE] = read_route,
		[OP_SEMAPHORE] = read_semaphore,
		[OP_SEQUENCE] = read_sequence,
		[OP_WAIT] = read_wait,
		[OP_SIGNAL] = read_signal,
		[OP_EXPECT] = read_expect,
	};
	const struct instruction *at = &r->code->at[r->place];
	if (!reader_of[at->op])
		return fail(r, sentence("it has no place in a layer"));
	return reader_of[at->op](r, at->field);
}

static bool begins_another(enum opcode op)
{
	return op == OP_LAYER || op == OP_STATEMENT;
}

char *layer_read(struct sim_layer *l, const struct code *code, int *place,
		 const struct hierarchy *machine, const struct tensors *tensors)
{
	struct reader r = {.layer = l, .code = code, .tensors = tensors, .place = *place};
	*l = (struct sim_layer){.name = code->at[*place].field[LAYER_NAME].text,
				.machine = machine,
				.is_whole = true};
	for (int i = 0; i < MAX_LEVELS; i++)
		for (int axis = 0; axis < MAX_AXES; axis++)
			l->used[i][axis] = 1;
	for (r.place++; r.place < code->count && !begins_another(code->at[r.place].op); r.place++)
		if (!read_instruction(&r))
			return r.error;
	int end = r.place;
	r.place = *place;
	*place = end;
	if (check_nest(&r) && check_operands(&r) && check_places(&r))
		check_sequencers(&r);
	return r.error;
}

void layer_free(struct sim_layer *l)
{
	free(l->expectation);
	l->expectation = NULL;
}

int layer_parent(const struct layer_operand *o, int level)
{
	int parent = 0;
	for (int i = 0; i < o->links && o->chain[i] < level; i++)
		parent = o->chain[i];
	return parent;
}

int layer_meets(const struct sequencer *q)
{
	int depth = 0;
	for (int i = 0; i < q->waits; i++)
		depth = q->wait[i].depth > depth ? q->wait[i].depth : depth;
	for (int i = 0; i < q->signals; i++)
		depth = q->signal[i].depth > depth ? q->signal[i].depth : depth;
	return depth;
}
