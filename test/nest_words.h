/* nest_words.h -- what the executor of mappings counts: words, in boxes.
 *
 * box      per rank of an operand the first coordinate and the extent
 * word set which words of the output have been seen
 * crate    the boxes that units need in one step, how many of each, and where */
#ifndef TEST_NEST_WORDS_H
#define TEST_NEST_WORDS_H

#include "runtime/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Ranks that the operand does not have are 0, 1; of an empty box every extent is 0. */
struct box {
	int64_t first[MAX_RANK], extent[MAX_RANK];
};

/* One byte for each word of `whole`. */
struct word_set {
	struct box whole;
	unsigned char *seen;
};

/* A lane is one of the ways on which a box is sent once for all units that need it. */
struct crate {
	int64_t entries;
	struct entry {
		struct box box;
		int64_t lane, times, holder;
	} *entry;
	/* One for each unit and box: so many times the unit needs what the entry holds. What is behind
	 * the unit and needs it, the first of all, is the holder. */
	int64_t stops;
	struct stop {
		int64_t unit, times, holder, entry;
	} *stop;
};

static void *new_array(int64_t count, size_t size)
{
	void *memory = calloc((size_t)count + 1, size);
	if (!memory)
		abort();
	return memory;
}

static int64_t volume(const struct box *box)
{
	int64_t words = 1;
	for (int r = 0; r < MAX_RANK; r++)
		words *= box->extent[r];
	return words;
}

/* a without b, which differs from it along one rank at most and does not lie inside of it. */
static struct box without(struct box a, const struct box *b, int rank)
{
	int64_t a_end = a.first[rank] + a.extent[rank], b_end = b->first[rank] + b->extent[rank];
	if (volume(&a) == 0 || volume(b) == 0 || b_end <= a.first[rank] || a_end <= b->first[rank])
		return a;
	assert(b->first[rank] <= a.first[rank] || a_end <= b_end);
	int64_t first = b->first[rank] <= a.first[rank] ? b_end : a.first[rank];
	int64_t end = b->first[rank] <= a.first[rank] ? a_end : b->first[rank];
	if (end <= first)
		return (struct box){0};
	a.first[rank] = first;
	a.extent[rank] = end - first;
	return a;
}

static int64_t see_rank(struct word_set *set, const struct box *box, int rank, int64_t place)
{
	if (rank == MAX_RANK) {
		bool is_new = !set->seen[place];
		set->seen[place] = 1;
		return is_new;
	}
	int64_t words = 0;
	for (int64_t x = 0; x < box->extent[rank]; x++) {
		int64_t coordinate = box->first[rank] + x - set->whole.first[rank];
		words += see_rank(set, box, rank + 1, place * set->whole.extent[rank] + coordinate);
	}
	return words;
}

/* Adds the words of a box; how many are seen for the first time. */
static int64_t see(struct word_set *set, const struct box *box)
{
	return see_rank(set, box, 0, 0);
}

static struct word_set *new_sets(int64_t count, const struct box *whole)
{
	struct word_set *set = new_array(count, sizeof *set);
	for (int64_t i = 0; i < count; i++) {
		set[i].whole = *whole;
		set[i].seen = new_array(volume(whole), 1);
	}
	return set;
}

static void release_sets(struct word_set *set, int64_t count)
{
	for (int64_t i = 0; set && i < count; i++)
		free(set[i].seen);
	free(set);
}

/* A unit on the lane needs the box: what another needs serves it too. */
static void put(struct crate *crate, const struct box *box, int64_t lane, struct stop stop)
{
	struct entry *entry = crate->entry, *end = entry + crate->entries;
	while (entry < end && (entry->lane != lane || memcmp(&entry->box, box, sizeof *box) != 0))
		entry++;
	if (entry == end) {
		*entry = (struct entry){*box, lane, stop.times, stop.holder};
		crate->entries++;
	} else if (entry->times < stop.times) {
		entry->times = stop.times;
	}
	stop.entry = entry - crate->entry;
	crate->stop[crate->stops++] = stop;
}

/* All lanes become one: a box is needed as often as on all of them together. */
static void join_lanes(struct crate *crate)
{
	int64_t joined = 0;
	for (int64_t i = 0; i < crate->entries; i++) {
		struct entry entry = crate->entry[i];
		int64_t k = 0;
		while (k < joined &&
		       memcmp(&crate->entry[k].box, &entry.box, sizeof entry.box) != 0)
			k++;
		if (k == joined)
			crate->entry[joined++] = (struct entry){entry.box, 0, 0, entry.holder};
		crate->entry[k].times += entry.times;
	}
	crate->entries = joined;
}

#endif
