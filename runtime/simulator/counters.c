/* counters.c -- what is sent becomes words of instances, deliveries and hops; those become accesses and cycles in the end. */
#include "runtime/simulator/counters.h"
#include "runtime/simulator/came.h"
#include "runtime/simulator/links.h"

#include <math.h>
#include <stdlib.h>

/* ---- Room ------------------------------------------------------------------------------------------------------------------ */

static const struct layer_operand *output_of(const struct sim_layer *l)
{
	return &l->operand[l->operands - 1];
}

static bool is_limited(const struct sim_layer *l, int level)
{
	return l->machine->level[level].network_bandwidth > 0;
}

/* Sets are wanted of the parent, of the child if it is a memory, and where a limited network lies between. */
static bool make_came(struct counters *c, bool are_marked)
{
	const struct sim_layer *l = c->layer;
	const struct layer_operand *o = output_of(l);
	for (int i = 0; i < o->links; i++) {
		int parent = o->chain[i];
		int child = i + 1 < o->links ? o->chain[i + 1] : l->machine->levels;
		unsigned levels = 1u << parent;
		if (child < l->machine->levels)
			levels |= 1u << child;
		for (int level = parent; level < child; level++)
			if (is_limited(l, level))
				levels |= 1u << level;
		if (!came_make(&c->came[parent], l, levels, are_marked) ||
		    (!are_marked && !came_tell(&c->came[parent], l, child)))
			return false;
	}
	return true;
}

static bool make_level(struct counters *c, int level)
{
	size_t instances = (size_t)c->layer->instances[level];
	for (int i = 0; i < c->layer->operands; i++) {
		for (int k = 0; k < ACCESS_KINDS; k++) {
			c->words[level][i][k] = calloc(instances, sizeof(int64_t));
			if (!c->words[level][i][k])
				return false;
		}
		c->network[level][i] = calloc(instances, sizeof(int64_t));
		if (!c->network[level][i])
			return false;
	}
	return true;
}

struct counters *counters_new(const struct sim_layer *l, bool are_marked)
{
	struct counters *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	c->layer = l;
	for (int i = 0; i < l->operands; i++) {
		c->tile[0][i] = 1;
		for (int r = 0; r < l->operand[i].ranks; r++)
			c->tile[0][i] *= l->operand[i].rank[r].length;
	}
	c->worked = calloc((size_t)l->instances[l->machine->levels], sizeof *c->worked);
	c->came = calloc(MAX_LEVELS, sizeof *c->came);
	c->sender = sender_new();
	bool is_made = c->worked && c->came && c->sender && make_came(c, are_marked);
	for (int level = 0; level < l->machine->levels && is_made; level++)
		is_made = make_level(c, level);
	if (is_made)
		return c;
	counters_free(c);
	return NULL;
}

void counters_free(struct counters *c)
{
	if (!c)
		return;
	for (int level = 0; level < MAX_LEVELS; level++)
		for (int i = 0; i < LAYER_OPERANDS; i++) {
			for (int k = 0; k < ACCESS_KINDS; k++)
				free(c->words[level][i][k]);
			free(c->network[level][i]);
		}
	for (int level = 0; level < MAX_LEVELS && c->came; level++)
		came_free(&c->came[level]);
	sender_free(c->sender);
	free(c->came);
	free(c->worked);
	free(c);
}

/* ---- What is sent ------------------------------------------------------------------------------------------------------------- */

struct step {
	struct counters *counters;
	int operand, parent, child;
	const struct box *sent;
	int64_t times;
};

/* The memory that is read for the next unit: the first inside of this one that needs the box. */
static void pass_on(void *context, const struct sending *s, int64_t unit)
{
	const struct step *t = context;
	const struct sim_layer *l = t->counters->layer;
	int64_t units = l->used[s->level][0] * l->used[s->level][1];
	int64_t inside = l->instances[t->child] / l->instances[s->level + 1];
	int64_t i = (s->instance * units + unit) * inside;
	while (!box_equal(&t->sent[i], s->box))
		i++;
	t->counters->words[t->child][t->operand][ACCESS_READ][i] += box_words(s->box) * t->times;
}

static void send(void *context, const struct sending *s)
{
	const struct step *t = context;
	const struct sim_layer *l = t->counters->layer;
	const struct level *at = &l->machine->level[s->level];
	enum tensor_class class = l->operand[t->operand].class;
	if (at->axes == 0)
		return;
	if (at->topology[class] != TOPOLOGY_BUS)
		t->counters->hops[s->level][t->operand] +=
			box_words(s->box) * t->times * links_taken(l, at->topology[class], s);
	if (class != CLASS_O && t->child < l->machine->levels && at->linked[class])
		links_pass_on(l, at->linked[class], s, pass_on, context);
}

static void pass(void *context, int level, int64_t instance, int64_t words)
{
	const struct step *t = context;
	struct counters *c = t->counters;
	enum tensor_class class = c->layer->operand[t->operand].class;
	if (level == t->parent)
		c->words[level][t->operand][class == CLASS_O ? ACCESS_UPDATE : ACCESS_READ]
			[instance] += words * t->times;
	if (is_limited(c->layer, level))
		c->network[level][t->operand][instance] += words * t->times;
}

/* Each instance gets its words for itself, and of the output gives them. */
static void deliver(const struct step *t)
{
	struct counters *c = t->counters;
	const struct sim_layer *l = c->layer;
	const struct level *at = &l->machine->level[t->parent];
	enum tensor_class class = l->operand[t->operand].class;
	int64_t delivered = 0;
	for (int64_t i = 0; i < l->instances[t->child]; i++) {
		int64_t words = box_words(&t->sent[i]) * t->times;
		delivered += words;
		if (t->child < l->machine->levels)
			c->words[t->child][t->operand][ACCESS_FILL][i] += words;
	}
	c->deliveries[t->parent][t->operand] += delivered;
	if (at->topology[class] == TOPOLOGY_BUS)
		c->hops[t->parent][t->operand] += delivered;
}

void counters_send(struct counters *c, int operand, int child, const struct box sent[],
		   int64_t times)
{
	struct step t = {c,     operand, layer_parent(&c->layer->operand[operand], child),
			 child, sent,    times};
	struct sender_events events = {&t, send, pass};
	deliver(&t);
	c->is_out_of_memory |=
		!sender_run(c->sender, c->layer, operand, t.parent, child, sent, &events);
}

bool counters_are_single(const struct counters *c, int operand)
{
	const struct sim_layer *l = c->layer;
	int parent = layer_parent(&l->operand[operand], l->machine->levels);
	for (int level = parent; level < l->machine->levels; level++)
		if (l->machine->level[level].axes > 0)
			return false;
	return true;
}

void counters_deliver(struct counters *c, int operand, int64_t accesses)
{
	const struct sim_layer *l = c->layer;
	int parent = layer_parent(&l->operand[operand], l->machine->levels);
	c->deliveries[parent][operand] += accesses;
	if (l->machine->level[parent].topology[l->operand[operand].class] == TOPOLOGY_BUS)
		c->hops[parent][operand] += accesses;
}

void counters_mark(struct counters *c, int child, const struct box sent[])
{
	const struct sim_layer *l = c->layer;
	int parent = layer_parent(output_of(l), child);
	for (int64_t i = 0; i < l->instances[child]; i++)
		for (int level = parent; level <= child; level++)
			came_add(&c->came[parent], l, level,
				 i / (l->instances[child] / l->instances[level]), &sent[i]);
}

/* ---- In the end ---------------------------------------------------------------------------------------------------------------- */

/* What has come for the first time, between this level and the child of its boundary. */
static int64_t first_visits(const struct counters *c, int parent, int level, int64_t instance)
{
	const int64_t *count = c->came[parent].count[level];
	return count ? count[instance] : 0;
}

static bool is_kept(const struct layer_operand *o, int level)
{
	for (int i = 0; i < o->links; i++)
		if (o->chain[i] == level)
			return true;
	return false;
}

/* Of one instance in the whole run. Of the output, all that comes to it but for the first time has been sent down before. */
static int64_t words_of(const struct counters *c, int level, int operand, int kind, int64_t i)
{
	const struct layer_operand *o = &c->layer->operand[operand];
	int64_t words = c->words[level][operand][kind][i];
	if (o->class != CLASS_O || !is_kept(o, level))
		return words;
	if (kind == ACCESS_READ)
		return c->words[level][operand][ACCESS_UPDATE][i] -
		       first_visits(c, level, level, i);
	if (kind == ACCESS_FILL && level > 0)
		return words - first_visits(c, layer_parent(o, level), level, i);
	return words;
}

/* At the outer end of the array inside one instance, to both sides. */
static int64_t network_of(const struct counters *c, int level, int operand, int64_t i)
{
	const struct layer_operand *o = &c->layer->operand[operand];
	int64_t words = c->network[level][operand][i];
	if (o->class != CLASS_O || words == 0)
		return words;
	return 2 * words - first_visits(c, layer_parent(o, level + 1), level, i);
}

static int64_t accesses_of(const struct counters *c, int level, int operand, int kind)
{
	int64_t width = c->layer->machine->level[level].width, sum = 0;
	for (int64_t i = 0; i < c->layer->instances[level]; i++) {
		int64_t words = words_of(c, level, operand, kind, i);
		sum += width > 1 ? (words + width - 1) / width : words;
	}
	return sum;
}

static int64_t sum_of(const struct counters *c, int level, int operand, int kind)
{
	int64_t sum = 0;
	for (int64_t i = 0; i < c->layer->instances[level]; i++)
		sum += words_of(c, level, operand, kind, i);
	return sum;
}

static int64_t busiest_network(const struct counters *c, int level, int operand)
{
	int64_t most = 0;
	for (int64_t i = 0; i < c->layer->instances[level]; i++) {
		int64_t words = network_of(c, level, operand, i);
		most = words > most ? words : most;
	}
	return most;
}

static int64_t worked_of(const struct counters *c, int level)
{
	const struct sim_layer *l = c->layer;
	int64_t inside = l->instances[l->machine->levels] / l->instances[level], count = 0;
	for (int64_t i = 0; i < l->instances[level]; i++) {
		bool worked = false;
		for (int64_t k = i * inside; k < (i + 1) * inside && !worked; k++)
			worked = c->worked[k];
		count += worked;
	}
	return count;
}

/* ---- Cycles --------------------------------------------------------------------------------------------------------------------- */

static void take_time(int64_t *cycles, int64_t words, double rate)
{
	int64_t own = rate > 0 ? (int64_t)ceil((double)words / rate) : 0;
	if (own > *cycles)
		*cycles = own;
}

/* Of the ports of one instance, and of the network inside. */
static void take_instance(const struct counters *c, int level, int64_t i, int64_t *cycles)
{
	const struct level *at = &c->layer->machine->level[level];
	int64_t read = 0, write = 0, own[CLASSES] = {0}, network = 0;
	for (int o = 0; o < c->layer->operands; o++) {
		enum tensor_class class = c->layer->operand[o].class;
		int64_t out = words_of(c, level, o, ACCESS_READ, i);
		int64_t in = words_of(c, level, o, ACCESS_FILL, i) +
			     words_of(c, level, o, ACCESS_UPDATE, i);
		network += network_of(c, level, o, i);
		if (at->class_bandwidth[class] > 0) {
			own[class] += in + out;
		} else {
			read += out;
			write += in;
		}
	}
	take_time(cycles, read, at->read_bandwidth);
	take_time(cycles, write, at->write_bandwidth);
	take_time(cycles, read + write, at->shared_bandwidth);
	take_time(cycles, network, at->network_bandwidth);
	for (int class = 0; class < CLASSES; class ++)
		take_time(cycles, own[class], at->class_bandwidth[class]);
}

static int64_t cycles_of(const struct counters *c)
{
	int64_t cycles = c->steps;
	for (int level = 0; level < c->layer->machine->levels; level++)
		for (int64_t i = 0; i < c->layer->instances[level]; i++)
			take_instance(c, level, i, &cycles);
	return cycles;
}

int64_t counters_value(const struct counters *c, enum counter counter, int level, int operand)
{
	switch (counter) {
	case COUNTER_MACS:
		return c->macs;
	case COUNTER_UNITS:
		return worked_of(c, c->layer->machine->levels);
	case COUNTER_STEPS:
		return c->steps;
	case COUNTER_CYCLES:
		return cycles_of(c);
	case COUNTER_INSTANCES:
		return worked_of(c, level);
	case COUNTER_TILE:
		return c->tile[level][operand];
	case COUNTER_READS:
	case COUNTER_FILLS:
	case COUNTER_UPDATES:
		return sum_of(c, level, operand, (int)counter - COUNTER_READS);
	case COUNTER_READ_ACCESSES:
	case COUNTER_FILL_ACCESSES:
	case COUNTER_UPDATE_ACCESSES:
		return accesses_of(c, level, operand, (int)counter - COUNTER_READ_ACCESSES);
	case COUNTER_DELIVERIES:
		return c->deliveries[level][operand];
	case COUNTER_HOPS:
		return c->hops[level][operand];
	case COUNTER_NETWORK:
		return busiest_network(c, level, operand);
	case COUNTERS:
		break;
	}
	return 0;
}
