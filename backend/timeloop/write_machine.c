/* write_machine.c -- a hierarchy as an architecture of timeloop-model and its energy reference table. */
#include "backend/timeloop/writer.h"

#include <inttypes.h>
#include <string.h>

#include "frontend/timeloop/timeloop.h"

/* ---- Architecture -------------------------------------------------------------------------------------------------- */

static void indent(struct writer *w, int depth)
{
	fprintf(w->file, "%*s", 2 + 2 * depth, "");
}

/* Words of one instance for what it may keep: 0 = unlimited. */
static int64_t size_of(const struct level *l)
{
	int64_t words = 0;

	if (l->words > 0)
		return l->words;
	for (int c = 0; c < CLASSES; c++)
		if (__builtin_add_overflow(words, l->class_words[c], &words))
			return INT64_MAX;
	return words;
}

static void print_rate(struct writer *w, const char *key, double rate)
{
	if (rate <= 0)
		return;
	fprintf(w->file, ", %s: ", key);
	writer_number(w, rate);
}

static void print_level(struct writer *w, int level, int depth, bool is_inside)
{
	const struct level *l = &w->h->level[level];
	int64_t size = size_of(l);

	indent(w, depth);
	if (!l->is_memory) {
		fprintf(w->file,
			"- {name: \"%s\", class: dummy_storage, attributes: {width: 1, depth: 1, "
			"datawidth: "
			"1",
			timeloop_name(w->arena, l->name));
	} else {
		fprintf(w->file, "- {name: \"%s\", class: %s, attributes: {",
			timeloop_name(w->arena, l->name),
			level == 0  ? "DRAM"
			: is_inside ? "regfile"
				    : "SRAM");
		if (size > 0)
			fprintf(w->file, "depth: %" PRId64 ", ", size / l->width);
		fprintf(w->file, "width: %" PRId64 ", datawidth: %d, block_size: %" PRId64,
			l->word * l->width, l->word, l->width);
		if (l->buffers > 1)
			fprintf(w->file, ", multiple_buffering: %d", l->buffers);
		print_rate(w, "read_bandwidth", l->read_bandwidth);
		print_rate(w, "write_bandwidth", l->write_bandwidth);
		print_rate(w, "shared_bandwidth", l->shared_bandwidth);
	}
	/* No wires: timeloop-model takes hops of its own where nothing is said. */
	fprintf(w->file, ", energy_per_hop: 0, meshX: %" PRId64 ", meshY: %" PRId64 "}}\n",
		w->mesh[level][AXIS_X], w->mesh[level][AXIS_Y]);
}

/* The MAC has no name in a hierarchy; Timeloop's must be no memory's. */
static const char *mac_name(const struct writer *w)
{
	const char *name = "mac_";

	for (int i = 0; i < w->h->levels; i++)
		if (strcmp(timeloop_name(w->arena, w->h->level[i].name), name) == 0) {
			name = arena_printf(w->arena, "%s_", name);
			i = -1;
		}
	return name;
}

/* Levels of an instance stand in one list; an array is a subtree whose name says the units. */
static void print_architecture(struct writer *w)
{
	int depth = 1;

	fprintf(w->file, "architecture:\n  version: 0.4\n  subtree:\n  - name: \"%s\"\n",
		timeloop_name(w->arena, w->h->name ? w->h->name : "machine"));
	if (w->h->clock > 0) {
		fputs("    attributes: {global_cycle_seconds: ", w->file);
		writer_number(w, 1 / w->h->clock);
		fputs("}\n", w->file);
	}
	fputs("    local:\n", w->file);
	for (int i = 0; i < w->h->levels; i++) {
		const struct level *l = &w->h->level[i];
		print_level(w, i, depth, depth > 1);
		if (writer_fanout(w, i) == 1)
			continue;
		indent(w, depth);
		fputs("subtree:\n", w->file);
		indent(w, depth);
		fprintf(w->file, "- name: \"%s[1..%" PRId64 "]\"\n",
			timeloop_name(w->arena, l->array ? l->array : "pe"), writer_fanout(w, i));
		indent(w, ++depth);
		fputs("local:\n", w->file);
	}
	indent(w, depth);
	fprintf(w->file,
		"- {name: \"%s\", class: intmac, attributes: {datawidth: %d, meshX: %" PRId64
		", meshY: %" PRId64 "}}\n",
		mac_name(w), w->h->level[0].word, w->mesh[w->h->levels][AXIS_X],
		w->mesh[w->h->levels][AXIS_Y]);
}

static unsigned operands_of(const struct writer *w, unsigned classes)
{
	unsigned operands = 0;

	for (int o = 0; o < w->p->operands; o++)
		if (classes >> w->p->operand[o].class & 1)
			operands |= 1u << o;
	return operands;
}

/* What each memory may not keep and must: for whoever reads this as a machine. */
static void print_constraints(struct writer *w)
{
	unsigned all = (1u << w->p->operands) - 1;
	bool is_first = true;

	for (int i = 1; i < w->h->levels; i++) {
		const struct level *l = &w->h->level[i];
		unsigned bypassed = all & ~operands_of(w, l->may_keep);
		unsigned held = operands_of(w, l->must_keep);
		if (!l->is_memory || (!bypassed && !held))
			continue;
		fputs(is_first ? "architecture_constraints:\n  targets:\n" : "", w->file);
		is_first = false;
		fprintf(w->file, "  - {target: \"%s\", type: bypass",
			timeloop_name(w->arena, l->name));
		writer_list(w, "bypass", bypassed);
		writer_list(w, "keep", held);
		fputs("}\n", w->file);
	}
}

/* ---- Energy table -------------------------------------------------------------------------------------------------- */

static void print_action(struct writer *w, const char *name, double energy)
{
	fprintf(w->file, "    - {name: %s, arguments: {}, energy: ", name);
	writer_number(w, energy * w->unit);
	fputs("}\n", w->file);
}

/* The names of actions are those that Timeloop looks for first. */
static void print_energies(struct writer *w)
{
	static const char *const action[ACCESS_KINDS] = {[ACCESS_READ] = "random_read",
							 [ACCESS_FILL] = "random_fill",
							 [ACCESS_UPDATE] = "random_update"};
	const char *path = timeloop_name(w->arena, w->h->name ? w->h->name : "machine");

	fputs("ERT:\n  version: 0.4\n  tables:\n", w->file);
	for (int i = 0; i < w->h->levels; i++) {
		const struct level *l = &w->h->level[i];
		fprintf(w->file, "  - name: \"%s.%s\"\n    actions:\n", path,
			timeloop_name(w->arena, l->name));
		for (int k = 0; k < ACCESS_KINDS; k++)
			print_action(w, action[k], l->is_memory ? l->cost[k] : 0);
		if (writer_fanout(w, i) > 1)
			path = arena_printf(w->arena, "%s.%s[1..%" PRId64 "]", path,
					    timeloop_name(w->arena, l->array ? l->array : "pe"),
					    writer_fanout(w, i));
	}
	fprintf(w->file, "  - name: \"%s.%s\"\n    actions:\n", path, mac_name(w));
	print_action(w, "mac_random", w->h->mac_cost);
}

void writer_machine(struct writer *w)
{
	print_architecture(w);
	print_constraints(w);
	print_energies(w);
}
