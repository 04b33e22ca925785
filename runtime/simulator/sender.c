/* sender.c -- level by level outward, the needs of the units of one array become those of the instance around it.
 *
 * lane   units of an array that its network can serve together: those that differ only along axes where it merges */
#include "runtime/simulator/sender.h"

#include <stdlib.h>

/* One unit's need of a box, beside the others of its array. */
struct entry {
	int64_t lane, unit, times;
	const struct box *box;
};

/* Needs of all instances of a level, one after the other. */
struct needs {
	struct need *need;
	size_t room;
	size_t *first; /* of each instance; and behind the last */
	size_t instance_room;
};

struct sender {
	struct needs now, outside;
	struct entry *entry;
	int64_t *unit;
	size_t entry_room, unit_room;
};

struct sender *sender_new(void)
{
	return calloc(1, sizeof(struct sender));
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	free(s->now.need);
	free(s->now.first);
	free(s->outside.need);
	free(s->outside.first);
	free(s->entry);
	free(s->unit);
	free(s);
}

static bool grow(void **list, size_t element, size_t needed, size_t *room)
{
	if (needed <= *room)
		return true;
	size_t more = 2 * needed;
	void *grown = realloc(*list, element * more);
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

static bool needs_grow(struct needs *n, size_t needs, size_t instances)
{
	return grow((void **)&n->need, sizeof *n->need, needs, &n->room) &&
	       grow((void **)&n->first, sizeof *n->first, instances + 1, &n->instance_room);
}

/* ---- One array ---------------------------------------------------------------------------------------------------------------- */

static int compare_boxes(const struct box *a, const struct box *b)
{
	return memcmp(a, b, sizeof *a);
}

/* By lane, then box, then unit. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	int order = compare_boxes(x->box, y->box);
	return order ? order : (x->unit > y->unit) - (x->unit < y->unit);
}

static int compare_needs(const void *a, const void *b)
{
	return compare_boxes(((const struct need *)a)->box, ((const struct need *)b)->box);
}

static int64_t lane_of(const struct sim_layer *l, int level, enum tensor_class class, int64_t unit)
{
	const struct level *at = &l->machine->level[level];
	unsigned merges = class == CLASS_O ? at->reduce : at->multicast;
	int64_t row = unit / l->used[level][1], column = unit % l->used[level][1];
	unsigned apart = merges >> class & 1 ? at->apart[class] : 3;
	return (apart & 1 ? row : 0) * l->used[level][1] + (apart & 2 ? column : 0);
}

/* Entries of one lane and one box: how many. */
static size_t group_length(const struct entry *e, size_t left)
{
	size_t n = 1;
	while (n < left && e[n].lane == e->lane && box_equal(e[n].box, e->box))
		n++;
	return n;
}

/* The i-th sending is for the units that need it i times or more; how many sendings. */
static int64_t send_group(struct sender *s, struct sending *sending, const struct entry *e,
			  size_t count, const struct sender_events *events)
{
	int64_t most = 0;
	for (size_t i = 0; i < count; i++)
		if (e[i].times > most)
			most = e[i].times;
	sending->box = e->box;
	sending->unit = s->unit;
	for (int64_t turn = 1; turn <= most; turn++) {
		sending->count = 0;
		for (size_t i = 0; i < count; i++)
			if (e[i].times >= turn)
				s->unit[sending->count++] = e[i].unit;
		events->send(events->context, sending);
	}
	return most;
}

/* Adds up needs of one box, which several lanes may have. */
static size_t add_up(struct need need[], size_t count)
{
	size_t sums = 0;
	qsort(need, count, sizeof *need, compare_needs);
	for (size_t i = 0; i < count; i++) {
		if (sums > 0 && box_equal(need[sums - 1].box, need[i].box))
			need[sums - 1].times += need[i].times;
		else
			need[sums++] = need[i];
	}
	return sums;
}

/* What the array in one instance of a level needs, at the end of `outside`, which has so many needs. */
static size_t merge(struct sender *s, const struct sim_layer *l, int level, enum tensor_class class,
		    int64_t instance, size_t begin, const struct sender_events *events)
{
	int64_t units = l->used[level][0] * l->used[level][1];
	struct sending sending = {.level = level, .instance = instance};
	size_t entries = 0, count = 0;
	for (int64_t u = 0; u < units; u++) {
		const size_t *first = &s->now.first[instance * units + u];
		for (size_t i = first[0]; i < first[1]; i++)
			s->entry[entries++] =
				(struct entry){lane_of(l, level, class, u), u, s->now.need[i].times,
					       s->now.need[i].box};
	}
	qsort(s->entry, entries, sizeof *s->entry, compare_entries);
	for (size_t i = 0; i < entries;) {
		size_t length = group_length(&s->entry[i], entries - i);
		int64_t times = send_group(s, &sending, &s->entry[i], length, events);
		s->outside.need[begin + count++] = (struct need){s->entry[i].box, times};
		i += length;
	}
	return add_up(&s->outside.need[begin], count);
}

/* ---- All arrays between parent and child -------------------------------------------------------------------------------------- */

static bool begin(struct sender *s, const struct box sent[], int64_t instances)
{
	size_t count = 0;
	if (!needs_grow(&s->now, (size_t)instances, (size_t)instances))
		return false;
	for (int64_t i = 0; i < instances; i++) {
		s->now.first[i] = count;
		if (box_words(&sent[i]) > 0)
			s->now.need[count++] = (struct need){&sent[i], 1};
	}
	s->now.first[instances] = count;
	return true;
}

/* From the needs of the level inside to those of this one. */
static bool go_outward(struct sender *s, const struct sim_layer *l, int level,
		       enum tensor_class class, const struct sender_events *events)
{
	int64_t instances = l->instances[level], inside = l->instances[level + 1];
	size_t needs = s->now.first[inside], count = 0;
	if (!needs_grow(&s->outside, needs, (size_t)instances) ||
	    !grow((void **)&s->entry, sizeof *s->entry, needs, &s->entry_room) ||
	    !grow((void **)&s->unit, sizeof *s->unit, needs, &s->unit_room))
		return false;
	for (int64_t i = 0; i < instances; i++) {
		int64_t words = 0;
		size_t own = merge(s, l, level, class, i, count, events);
		s->outside.first[i] = count;
		for (size_t k = count; k < count + own; k++)
			words += s->outside.need[k].times * box_words(s->outside.need[k].box);
		count += own;
		events->pass(events->context, level, i, words);
	}
	s->outside.first[instances] = count;
	struct needs swap = s->now;
	s->now = s->outside;
	s->outside = swap;
	return true;
}

bool sender_run(struct sender *s, const struct sim_layer *l, int operand, int parent, int child,
		const struct box sent[], const struct sender_events *events)
{
	enum tensor_class class = l->operand[operand].class;
	bool ok = begin(s, sent, l->instances[child]);
	for (int level = child - 1; level >= parent && ok; level--)
		ok = go_outward(s, l, level, class, events);
	return ok;
}
