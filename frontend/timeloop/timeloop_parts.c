/* timeloop_parts.c -- an architecture goes in, its components in line come out, from the outermost memory to the MAC, each with the
 * units that the whole machine has of it along the axes X and Y.
 *
 * Three ways of writing it are known: a tree of `subtree` and `local` with ranges in names (versions 0.2 to 0.4 of timeloop-model),
 * `nodes` with tags (version 0.4 of timeloopfe), and lists `storage` and `arithmetic` with the innermost first (the oldest). */
#include "frontend/timeloop/timeloop_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_UNITS = 1 << 24, MAX_NODES = 1000 };

struct walk {
	struct timeloop *t;
	struct timeloop_parts *parts;
	int64_t units;     /* of a tree: those that the names around multiply to */
	int64_t x, y;      /* of nodes */
	const char *array; /* the latest node around of several units */
	int nodes;         /* met, to stop where aliases multiply them */
};

/* ---- Classes, as Timeloop tells them: by a part of their name ------------------------------------------------ */

static bool holds_one_of(const char *text, const char *const words[], int count)
{
	for (int i = 0; i < count; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static const char *const storage_class[] = {"DRAM", "SRAM", "regfile", "smartbuffer", "storage"};
static const char *const mac_class[] = {"mac", "compute"};
static const char *const network_class[] = {"XY_NoC", "Legacy", "ReductionTree", "SimpleMulticast"};

static bool is_storage(const char *text)
{
	return holds_one_of(text, storage_class, 5);
}

static bool is_mac(const char *text)
{
	return holds_one_of(text, mac_class, 2);
}

/* ---- Parts ------------------------------------------------------------------------------------------------------ */

static const char *text_at(const struct yaml *map, const char *key)
{
	const struct yaml *y = yaml_find(map, key);

	return y && y->kind == YAML_SCALAR ? y->text : "";
}

/* A name of ours that no part has. */
static const char *own_name(struct walk *w, const char *text)
{
	const char *name = timeloop_name(w->t->arena, text);

	for (int i = 0; i < w->parts->count; i++) {
		const struct timeloop_part *p = &w->parts->part[i];
		if (strcmp(p->name, name) != 0 && (!p->array || strcmp(p->array, name) != 0))
			continue;
		name = arena_printf(w->t->arena, "%s_", name);
		i = -1;
	}
	return name;
}

static struct timeloop_part *add_part(struct walk *w, const struct yaml *at, const char *name)
{
	struct timeloop_part *part;

	if (w->parts->count == TIMELOOP_MAX_PARTS) {
		diag_error(w->t->diag, "timeloop-unsupported", at->span,
			   "this is one component more than the %d that are read",
			   TIMELOOP_MAX_PARTS);
		return NULL;
	}
	part = &w->parts->part[w->parts->count];
	*part = (struct timeloop_part){.at = at, .yaml_name = name, .x = 1, .y = 1};
	part->attributes = yaml_find(at, "attributes");
	part->attributes = part->attributes ? part->attributes : at;
	part->name = own_name(w, name);
	w->parts->count++;
	return part;
}

/* How a component is called, before its range, and how many units the range says: PE[0..167]. */
static const char *split_name(struct walk *w, const struct yaml *at, int64_t *units)
{
	const struct yaml *y = yaml_find(at, "name");
	const char *text = text_at(at, "name"), *bracket = strchr(text, '[');
	long long first, last;
	int end = 0;

	*units = 1;
	if (!*text) {
		diag_error(w->t->diag, "timeloop", y ? y->span : at->span,
			   "this needs a name: name: glb");
		return NULL;
	}
	if (!bracket)
		return text;
	if (sscanf(bracket, "[%9lld..%9lld]%n", &first, &last, &end) != 2 || end == 0 ||
	    bracket[end] || last < first || first < 0 || last - first >= MOST_UNITS)
		diag_error(w->t->diag, "timeloop", y->span,
			   "the range of a name is [0..167], and this is '%.40s'", bracket);
	else
		*units = last - first + 1;
	return arena_copy(w->t->arena, text, (size_t)(bracket - text));
}

static bool multiply(struct walk *w, const struct yaml *at, int64_t a, int64_t b, int64_t *product)
{
	if (a <= MOST_UNITS && b <= MOST_UNITS && a * b <= MOST_UNITS) {
		*product = a * b;
		return true;
	}
	diag_error(w->t->diag, "out-of-range", at->span, "these are more than %d units",
		   MOST_UNITS);
	return false;
}

/* meshX, meshY and instances say each other. `units` is what the names say, 0 where they do not. */
static bool take_mesh(struct walk *w, struct timeloop_part *part, int64_t units)
{
	const struct yaml *x = yaml_find(part->attributes, "meshX");
	const struct yaml *y = yaml_find(part->attributes, "meshY");
	const struct yaml *all = yaml_find(part->attributes, "instances");
	struct diag *diag = w->t->diag;
	int64_t product;

	if ((x && !timeloop_whole(diag, x, 1, MOST_UNITS, &part->x)) ||
	    (y && !timeloop_whole(diag, y, 1, MOST_UNITS, &part->y)) ||
	    (all && !timeloop_whole(diag, all, 1, MOST_UNITS, &units)))
		return false;
	if (!units && x && y)
		return multiply(w, x, part->x, part->y, &units);
	if (!units) {
		diag_error(diag, "timeloop", part->at->span,
			   "'%s' does not say how many there are: 'instances', or 'meshX' and "
			   "'meshY'",
			   part->yaml_name);
		return false;
	}
	if (!x && !y)
		part->x = units;
	else if (!x && units % part->y == 0)
		part->x = units / part->y;
	else if (!y && units % part->x == 0)
		part->y = units / part->x;
	if (__builtin_mul_overflow(part->x, part->y, &product) || product != units) {
		diag_error(diag, "timeloop", (x ? x : y)->span,
			   "'%s' has %" PRId64 " units, which is not meshX * meshY = %" PRId64
			   " * %" PRId64,
			   part->yaml_name, units, part->x, part->y);
		return false;
	}
	return true;
}

/* The kind of a component; false where it is none of the line. */
static bool take_class(struct walk *w, struct timeloop_part *part, const char *class)
{
	part->kind = strstr(class, "dummy") ? PART_NOTHING
		     : is_storage(class)    ? PART_STORAGE
					    : PART_MAC;
	if (is_storage(class) || is_mac(class))
		return true;
	if (holds_one_of(class, network_class, 4))
		diag_warning(w->t->diag, "timeloop-lost", part->at->span,
			     "the energy of network '%s' is not counted", part->yaml_name);
	else
		diag_warning(w->t->diag, "timeloop-lost", part->at->span,
			     "'%s' is no memory and no compute unit for Timeloop, and is left out: "
			     "its class '%.40s' names neither of DRAM, SRAM, regfile, smartbuffer, "
			     "storage, mac, "
			     "compute",
			     part->yaml_name, class);
	return false;
}

static void take_cycle(struct walk *w, const struct yaml *attributes)
{
	const struct yaml *y = yaml_find(attributes, "global_cycle_seconds");
	double seconds;

	if (!y || !timeloop_number(w->t, y, &seconds))
		return;
	if (seconds > 1e-15 && seconds < 1e6)
		w->parts->cycle = seconds;
	else
		diag_error(w->t->diag, "out-of-range", y->span, "this is no length of a cycle");
}

/* ---- Trees ------------------------------------------------------------------------------------------------------ */

static void take_local(struct walk *w, const struct yaml *y)
{
	int64_t units;
	const char *name = split_name(w, y, &units);
	struct timeloop_part *part = name ? add_part(w, y, name) : NULL;

	if (!part)
		return;
	part->array = w->array;
	if (!multiply(w, y, units, w->units, &units) || !take_class(w, part, text_at(y, "class")) ||
	    !take_mesh(w, part, units))
		w->parts->count--;
}

static void take_tree(struct walk *w, const struct yaml *tree)
{
	const struct yaml *list = yaml_find(tree, "subtree"), *local;

	while (list && ++w->nodes < MAX_NODES) {
		const struct yaml *node = list->kind == YAML_LIST ? list->first : NULL;
		int64_t units;
		const char *name;
		if (!node || node->next) {
			diag_error(w->t->diag, "timeloop-unsupported",
				   node ? node->next->span : list->span,
				   "'subtree' is a list of one: memories are in line");
			return;
		}
		name = split_name(w, node, &units);
		if (!name || !multiply(w, node, units, w->units, &w->units))
			return;
		if (!w->parts->name)
			w->parts->name = timeloop_name(w->t->arena, name);
		if (units > 1)
			w->array = name;
		take_cycle(w, yaml_find(node, "attributes"));
		local = yaml_find(node, "local");
		for (const struct yaml *y = local ? local->first : NULL; y; y = y->next)
			take_local(w, y);
		list = yaml_find(node, "subtree");
	}
}

/* ---- The oldest: lists ------------------------------------------------------------------------------------------- */

/* The innermost storage stands first; Timeloop names what has no name so. */
static void take_storage(struct walk *w, const struct yaml *y, int index)
{
	const char *name = text_at(y, "name");
	struct timeloop_part *part;

	if (y->next)
		take_storage(w, y->next, index + 1);
	if (w->parts->count >= TIMELOOP_MAX_PARTS)
		return;
	part = add_part(w, y, *name ? name : arena_printf(w->t->arena, "storage%d", index));
	take_mesh(w, part, 0);
}

static void take_lists(struct walk *w, const struct yaml *arch)
{
	const struct yaml *storage = yaml_find(arch, "storage"),
			  *mac = yaml_find(arch, "arithmetic");
	struct timeloop_part *part;
	int count = 0;

	for (const struct yaml *y = storage ? storage->first : NULL; y; y = y->next)
		count++;
	if (!storage || storage->kind != YAML_LIST || !storage->first || !mac ||
	    count > TIMELOOP_MAX_PARTS) {
		diag_error(
			w->t->diag, "timeloop", arch->span,
			"an architecture needs 'subtree', 'nodes', or 'storage' and 'arithmetic'");
		return;
	}
	take_storage(w, storage->first, 0);
	part = add_part(w, mac, *text_at(mac, "name") ? text_at(mac, "name") : "mac");
	if (part) {
		part->kind = PART_MAC;
		take_mesh(w, part, 0);
	}
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

static void take_nodes(struct walk *, const struct yaml *list, bool is_parallel);

/* What a node of timeloopfe says besides its component. */
static void take_node_constraints(struct walk *w, struct timeloop_part *part,
				  const struct yaml *node)
{
	const struct yaml *all = yaml_find(node, "constraints"), *only;
	const struct yaml *space = yaml_find(all, "dataspace"), *over = yaml_find(all, "spatial");
	static const char *const refused[] = {"no_reuse", "no_temporal_reuse", "rmw_first_update"};

	part->bypassed |= timeloop_spaces(w->t, yaml_find(space, "bypass"));
	part->held |= timeloop_spaces(w->t, yaml_find(space, "keep"));
	only = yaml_find(space, "keep_only");
	if (only) {
		part->held |= timeloop_spaces(w->t, only);
		part->bypassed |= CALLED_ALL & ~part->held;
	}
	part->apart |= timeloop_spaces(w->t, yaml_find(over, "no_reuse"));
	for (int i = 0; i < 3; i++) {
		const struct yaml *y = yaml_find(yaml_find(all, "temporal"), refused[i]);
		if (y)
			diag_error(w->t->diag, "timeloop-unsupported", y->span,
				   "'%s' in time is not counted", refused[i]);
	}
}

/* A container or component of several units is one of an array. */
static bool take_spatial(struct walk *w, const struct yaml *node)
{
	const struct yaml *spatial = yaml_find(node, "spatial");
	const struct yaml *x = yaml_find(spatial, "meshX"), *y = yaml_find(spatial, "meshY");
	int64_t units_x = 1, units_y = 1;

	if ((x && !timeloop_whole(w->t->diag, x, 1, MOST_UNITS, &units_x)) ||
	    (y && !timeloop_whole(w->t->diag, y, 1, MOST_UNITS, &units_y)))
		return false;
	return multiply(w, node, w->x, units_x, &w->x) && multiply(w, node, w->y, units_y, &w->y) &&
	       multiply(w, node, w->x, w->y, &units_x);
}

static void take_container(struct walk *w, const struct yaml *node)
{
	int64_t units, before = w->x * w->y;
	const char *name = split_name(w, node, &units);
	struct timeloop_part *part;

	if (!name || !take_spatial(w, node))
		return;
	take_cycle(w, yaml_find(node, "attributes"));
	if (!w->parts->name)
		w->parts->name = timeloop_name(w->t->arena, name);
	if (w->x * w->y == before || !(part = add_part(w, node, name)))
		return;
	part->kind = PART_NOTHING;
	part->is_container = true;
	part->array = name;
	part->x = w->x;
	part->y = w->y;
	take_node_constraints(w, part, node);
}

static void take_component(struct walk *w, const struct yaml *node, bool is_parallel)
{
	int64_t units, x = w->x, y = w->y;
	const char *name = split_name(w, node, &units);
	const struct yaml *enabled = yaml_find(node, "enabled");
	struct timeloop_part *part;

	if (!name || !take_spatial(w, node) || (enabled && !timeloop_is_on(enabled)) ||
	    !(part = add_part(w, node, name)))
		return;
	part->x = w->x;
	part->y = w->y;
	if (w->x * w->y > x * y)
		part->array = arena_printf(w->t->arena, "%s_array", name);
	if (is_parallel && w->x * w->y > x * y)
		diag_error(w->t->diag, "timeloop-unsupported", node->span,
			   "memories in parallel, each of several units, are not in line");
	if (yaml_find(node, "sparse_optimizations"))
		diag_error(w->t->diag, "timeloop-unsupported",
			   yaml_find(node, "sparse_optimizations")->span,
			   "sparse tensors are not counted");
	if (!take_class(w, part, text_at(node, "class")))
		w->parts->count--;
	else
		take_node_constraints(w, part, node);
}

static void take_node(struct walk *w, const struct yaml *node, bool is_parallel)
{
	const char *tag = node->tag ? node->tag : "";
	const struct yaml *inner = yaml_find(node, "nodes");

	if (strcmp(tag, "!Nothing") == 0)
		return;
	if (strcmp(tag, "!Pipelined") == 0 || node->kind != YAML_MAP ||
	    (is_parallel && strcmp(tag, "!Container") == 0))
		diag_error(w->t->diag, "timeloop-unsupported", node->span,
			   "memories are in line: no pipelines, no containers in parallel");
	else if (inner)
		take_nodes(w, inner, strcmp(tag, "!Parallel") == 0);
	else if (strcmp(tag, "!Container") == 0 || (!node->tag && !yaml_find(node, "class")))
		take_container(w, node);
	else
		take_component(w, node, is_parallel);
}

static void take_nodes(struct walk *w, const struct yaml *list, bool is_parallel)
{
	if (list->kind != YAML_LIST)
		diag_error(w->t->diag, "timeloop", list->span, "'nodes' is a list");
	for (const struct yaml *y = list->kind == YAML_LIST ? list->first : NULL; y; y = y->next) {
		if (++w->nodes > MAX_NODES) {
			diag_error(w->t->diag, "timeloop-unsupported", y->span,
				   "these are more than %d nodes", MAX_NODES);
			return;
		}
		take_node(w, y, is_parallel);
	}
}

/* ---- Constraints beside the architecture -------------------------------------------------------------------------- */

static struct timeloop_part *target_of(struct walk *w, const struct yaml *y)
{
	const struct yaml *target = yaml_find(y, "target");

	target = target ? target : yaml_find(y, "name");
	for (int i = 0; target && target->kind == YAML_SCALAR && i < w->parts->count; i++)
		if (strcmp(w->parts->part[i].yaml_name, target->text) == 0)
			return &w->parts->part[i];
	diag_error(w->t->diag, "unknown-name", target ? target->span : y->span,
		   "there is no component '%s' in the architecture",
		   target && target->kind == YAML_SCALAR ? target->text : "");
	return NULL;
}

/* Directives of constraints, and those of a mapping that speak of networks. */
static void take_directives(struct walk *w, const struct yaml *list, bool is_mapping)
{
	bool has_loops = false;

	for (const struct yaml *y = list && list->kind == YAML_LIST ? list->first : NULL; y;
	     y = y->next) {
		const char *type = text_at(y, "type");
		bool keeps = !is_mapping &&
			     (strcmp(type, "bypass") == 0 || strcmp(type, "datatype") == 0);
		const struct yaml *apart = yaml_find(y, "no_multicast_no_reduction");
		struct timeloop_part *part = keeps || apart ? target_of(w, y) : NULL;
		has_loops |= !keeps && (yaml_find(y, "factors") || yaml_find(y, "permutation"));
		if (part && keeps) {
			part->bypassed |= timeloop_spaces(w->t, yaml_find(y, "bypass"));
			part->held |= timeloop_spaces(w->t, yaml_find(y, "keep"));
		}
		if (part)
			part->apart |= timeloop_spaces(w->t, apart);
	}
	if (has_loops && !is_mapping)
		diag_warning(
			w->t->diag, "timeloop-lost", list->span,
			"factors and permutations of constraints are not read: what holds loops "
			"is a dataflow or a mapping");
}

static void take_constraints(struct walk *w, const struct yaml *root, const struct yaml *arch)
{
	static const char *const key[] = {"architecture_constraints", "arch_constraints"};
	const struct yaml *all = yaml_find(arch, "constraints");

	for (int i = 0; !all && i < 2; i++)
		all = yaml_find(root, key[i]);
	if (all && all->kind == YAML_MAP)
		all = yaml_find(all, "targets");
	take_directives(w, all, false);
	take_directives(w, yaml_find(root, "mapping"), true);
}

/* ---- The line ------------------------------------------------------------------------------------------------------ */

/* The MAC stands innermost, wherever it is written. */
static void sort_mac(struct walk *w, const struct yaml *arch)
{
	struct timeloop_parts *p = w->parts;
	int mac = -1, storages = 0;

	for (int i = 0; i < p->count; i++) {
		storages += p->part[i].kind == PART_STORAGE;
		if (p->part[i].kind != PART_MAC)
			continue;
		if (mac >= 0)
			diag_error(w->t->diag, "timeloop-unsupported", p->part[i].at->span,
				   "one component computes, and '%s' is a second",
				   p->part[i].yaml_name);
		mac = i;
	}
	if (mac < 0 || storages == 0) {
		diag_error(
			w->t->diag, "timeloop", arch->span,
			mac < 0 ? "this architecture has no compute unit: a component of class "
				  "'intmac', 'fpmac' or 'compute'"
				: "this architecture has no memory: a component of class 'DRAM', "
				  "'SRAM' or 'regfile'");
		return;
	}
	struct timeloop_part last = p->part[mac];
	memmove(&p->part[mac], &p->part[mac + 1], (size_t)(p->count - 1 - mac) * sizeof last);
	p->part[p->count - 1] = last;
}

bool timeloop_parts(struct timeloop *t, const struct yaml *root, struct timeloop_parts *parts)
{
	struct walk w = {.t = t, .parts = parts, .units = 1, .x = 1, .y = 1};
	const struct yaml *arch = yaml_find(root, "architecture");
	int errors = t->diag->errors;

	arch = arch ? arch : yaml_find(root, "arch");
	*parts = (struct timeloop_parts){0};
	if (yaml_find(arch, "nodes"))
		take_nodes(&w, yaml_find(arch, "nodes"), false);
	else if (yaml_find(arch, "subtree"))
		take_tree(&w, arch);
	else
		take_lists(&w, arch);
	if (t->diag->errors == errors)
		sort_mac(&w, arch);
	if (t->diag->errors == errors)
		take_constraints(&w, root, arch);
	if (!parts->name)
		parts->name = "timeloop";
	return t->diag->errors == errors;
}
