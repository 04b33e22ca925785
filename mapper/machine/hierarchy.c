/* hierarchy.c -- the blocks of an accelerator go in, its levels come out.
 *
 * Blocks are in line: each memory lies inside of those before it, an array is the fan-out of the memory before it,
 * and the mac stands innermost. An array directly inside another, and the lanes of a mac inside an array, have no
 * memory before them: they get a level that keeps nothing. */
#include "mapper/machine/hierarchy.h"

#include <string.h>

#include "mapper/machine/hierarchy_make.h"

/* Energy where the machine does not say: of one word against one MAC of 16 bits, in 65 nm.
 * Chen, Emer, Sze, "Eyeriss: a spatial architecture for energy-efficient dataflow", ISCA 2016, table IV. */
static const double dram_cost = 200, buffer_cost = 6, register_cost = 1, array_cost = 2,
		    mac_cost = 1;

enum { DEFAULT_WORD = 16 }; /* bits */

/* What is not said, until all is read. */
static const double unsaid = -1;

/* ---- Classes and axes ------------------------------------------------------------------------------------- */

static const char *const class_name[CLASSES] = {"I", "W", "O"};
static const char *const axis_name[MAX_AXES] = {"row", "column"};
enum { ALL_CLASSES = (1 << CLASSES) - 1, ALL_AXES = (1 << MAX_AXES) - 1 };
enum { INPUTS = 1 << CLASS_I | 1 << CLASS_W, OUTPUT = 1 << CLASS_O };

static int find(const char *name, const char *const names[], int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

/* The class that a property names; -1 after an error. */
static int class_of(struct maker *make, const struct tree_expr *expr)
{
	int class = find(expr->name, class_name, CLASSES);

	if (class < 0)
		diag_error(make->program->diag, "unknown-name", expr->span,
			   "there is no tensor '%s' here; a machine knows I (what is read first), "
			   "W (weights) "
			   "and O (what is written)",
			   expr->name);
	return class;
}

static unsigned classes_of(struct maker *make, const struct tree_property *p)
{
	unsigned classes = 0;

	for (int i = 0; i < p->value_count; i++) {
		int class = class_of(make, p->value[i]);
		if (class >= 0)
			classes |= 1u << class;
	}
	return classes;
}

/* ---- Memories ------------------------------------------------------------------------------------------------ */

static void take_size(struct maker *make, struct level *l, const struct tree_property *p)
{
	int class;

	if (p->value_count == 1)
		l->words = make_words(make, p->value[0], l->word);
	else if ((class = class_of(make, p->value[0])) >= 0)
		l->class_words[class] = make_words(make, p->value[1], l->word);
}

static void take_cost(struct maker *make, struct level *l, const struct tree_property *p)
{
	/* the accesses that each word stands for */
	static const struct {
		const char *word;
		unsigned kinds;
	} rule[] = {
		{"read", 1u << ACCESS_READ},
		{"write", 1u << ACCESS_FILL | 1u << ACCESS_UPDATE},
		{"fill", 1u << ACCESS_FILL},
		{"update", 1u << ACCESS_UPDATE},
	};

	for (int i = 0; i < p->value_count; i += p->value_count == 1 ? 1 : 2) {
		double cost = make_energy(make, p->value[p->value_count == 1 ? 0 : i + 1]);
		for (size_t r = 0; r < sizeof rule / sizeof *rule; r++)
			for (int k = 0; k < ACCESS_KINDS; k++)
				if ((rule[r].kinds >> k & 1) &&
				    (p->value_count == 1 ||
				     strcmp(p->value[i]->name, rule[r].word) == 0))
					l->cost[k] = cost;
	}
}

static void take_bandwidth(struct maker *make, struct level *l, const struct tree_property *p)
{
	if (p->value_count == 1)
		l->shared_bandwidth = make_rate(make, p->value[0], l->word);
	for (int i = 0; i + 1 < p->value_count; i += 2) {
		double rate = make_rate(make, p->value[i + 1], l->word);
		if (strcmp(p->value[i]->name, "read") == 0)
			l->read_bandwidth = rate;
		else
			l->write_bandwidth = rate;
	}
}

static void take_port(struct maker *make, struct level *l, const struct tree_property *p)
{
	int class = class_of(make, p->value[0]);

	if (class >= 0)
		l->class_bandwidth[class] = make_rate(make, p->value[1], l->word);
}

static void take_halo(struct maker *make, struct level *l, const struct tree_property *p)
{
	const struct tree_expr *halo = p->value[0];

	l->halo = strcmp(halo->name, "full") == 0 ? HALO_FULL : HALO_DELTA;
	if (l->halo == HALO_DELTA && strcmp(halo->name, "delta") != 0)
		diag_error(make->program->diag, "not-mapped", halo->span,
			   "the mapper counts halo delta and halo full, and not '%s' yet",
			   halo->name);
}

static void take_keeps(struct maker *make, struct level *l, const struct tree_property *p)
{
	l->may_keep = classes_of(make, p);
}

static void take_holds(struct maker *make, struct level *l, const struct tree_property *p)
{
	l->must_keep = classes_of(make, p);
}

static void take_buffers(struct maker *make, struct level *l, const struct tree_property *p)
{
	double buffers = make_number(make, p->value[0]);

	if (buffers > 2)
		diag_error(make->program->diag, "not-mapped", p->value[0]->span,
			   "the mapper counts one buffer or two");
	l->buffers = buffers > 1 ? 2 : 1;
}

static void take_width(struct maker *make, struct level *l, const struct tree_property *p)
{
	l->width = make_words(make, p->value[0], l->word);
}

static void take_leakage(struct maker *make, struct level *l, const struct tree_property *p)
{
	l->leakage = make_leakage(make, p->value[0]);
}

/* It is there for those who simulate a machine. */
static void tell_uncounted(struct maker *make, const struct tree_property *p, const char *what)
{
	diag_warning(
		make->program->diag, "not-mapped", p->span,
		"%s is not counted: cycles are those of a steady state, in which transfers and "
		"work overlap",
		what);
}

static void take_latency(struct maker *make, struct level *l, const struct tree_property *p)
{
	l->latency = make_cycles(make, p->value[0]);
	if (l->latency > 0)
		tell_uncounted(make, p, "the latency of a memory");
}

static const struct {
	const char *word;
	void (*take)(struct maker *, struct level *, const struct tree_property *);
} memory_rule[] = {
	{"size", take_size},       {"cost", take_cost},       {"bandwidth", take_bandwidth},
	{"port", take_port},       {"halo", take_halo},       {"keeps", take_keeps},
	{"holds", take_holds},     {"buffers", take_buffers}, {"width", take_width},
	{"leakage", take_leakage}, {"latency", take_latency},
};

/* A memory that is divided among tensors keeps those that have a part; what it keeps or holds, it can. */
static void check_keeps(struct maker *make, struct level *l, const struct tree_block *block)
{
	const struct tree_property *keeps = make_property(block, "keeps");
	const struct tree_property *holds = make_property(block, "holds");
	unsigned room = 0;

	for (int c = 0; c < CLASSES; c++)
		if (l->words > 0 || l->class_words[c] > 0)
			room |= 1u << c;
	if (room == 0)
		room = ALL_CLASSES;
	if (keeps && (l->may_keep & ~room))
		diag_error(make->program->diag, "bad-value", keeps->span,
			   "this memory has no room for a tensor that it keeps: its sizes name "
			   "others");
	l->may_keep &= room;
	if (holds && (l->must_keep & ~l->may_keep))
		diag_error(make->program->diag, "bad-value", holds->span,
			   "this memory must hold a tensor that it does not keep");
	if (make->machine->levels == 1 && l->may_keep != ALL_CLASSES)
		diag_error(
			make->program->diag, "bad-value", keeps ? keeps->span : block->name_span,
			"the outermost memory keeps every tensor: they lie there before and after");
}

static struct level *add_level(struct maker *make, const char *name, struct span span)
{
	struct hierarchy *h = make->machine;
	struct level *l;

	if (h->levels == MAX_LEVELS) {
		diag_error(make->program->diag, "not-mapped", span,
			   "this is level %d of the machine, and the mapper counts %d",
			   h->levels + 1, MAX_LEVELS);
		return NULL;
	}
	l = &h->level[h->levels++];
	*l = (struct level){.name = name, .buffers = 1, .width = 1, .word = make->word};
	for (int a = 0; a < MAX_AXES; a++)
		l->fanout[a] = 1;
	for (int k = 0; k < ACCESS_KINDS; k++)
		l->cost[k] = unsaid;
	l->hop_cost = unsaid;
	return l;
}

static int bits_of(struct maker *make, const struct tree_block *block, int otherwise)
{
	const struct tree_property *p = make_property(block, "word");
	double bits = p ? make_number(make, p->value[0]) : otherwise;

	if (bits <= 1 << 16)
		return (int)bits;
	diag_error(make->program->diag, "out-of-range", p->value[0]->span,
		   "a word of the mapper has at most 65536 bits");
	return otherwise;
}

static void take_memory(struct maker *make, const struct tree_block *block)
{
	struct level *l = add_level(make, block->name, block->name_span);

	if (!l)
		return;
	l->is_memory = true;
	l->may_keep = ALL_CLASSES;
	l->word = bits_of(make, block, make->word);
	for (const struct tree_property *p = block->property; p; p = p->next)
		for (size_t r = 0; r < sizeof memory_rule / sizeof *memory_rule; r++)
			if (strcmp(p->name, memory_rule[r].word) == 0)
				memory_rule[r].take(make, l, p);
	if (make->machine->levels == 1)
		l->must_keep = ALL_CLASSES;
	check_keeps(make, l, block);
}

/* ---- Arrays -------------------------------------------------------------------------------------------------- */

/* What each network does for the units inside: serve many by one read, add what they send; and how hops go. */
static const struct {
	const char *word;
	bool multicasts, reduces;
	enum topology topology;
} network_rule[] = {
	{"unicast", false, false, TOPOLOGY_BUS},
	{"star", false, false, TOPOLOGY_BUS},
	{"bus", true, false, TOPOLOGY_BUS},
	{"broadcast", true, false, TOPOLOGY_BUS},
	{"multicast", true, false, TOPOLOGY_BUS},
	{"crossbar", true, false, TOPOLOGY_BUS},
	{"all_to_all", true, false, TOPOLOGY_BUS},
	{"fat_tree", true, false, TOPOLOGY_BUS},
	{"reduction", false, true, TOPOLOGY_BUS},
	{"chain", false, true, TOPOLOGY_BUS},
	{"tree", true, true, TOPOLOGY_BUS},
	{"ring", true, true, TOPOLOGY_TORUS},
	{"mesh", true, true, TOPOLOGY_MESH},
	{"torus", true, true, TOPOLOGY_TORUS},
	{"hierarchical_mesh", true, true, TOPOLOGY_MESH},
};

/* Classes share words along axes: read once for all, or for the output added to one. */
static void share(struct level *l, unsigned classes, unsigned axes)
{
	for (int c = 0; c < CLASSES; c++)
		if (classes >> c & 1)
			l->apart[c] &= ~axes;
	l->multicast |= classes & INPUTS;
	l->reduce |= classes & OUTPUT;
}

/* Hops go over one mesh, torus or ring: the first one said of each class. */
static bool is_other_topology(struct maker *make, const struct tree_property *p,
			      enum topology topology, unsigned classes,
			      const struct tree_property *said[CLASSES])
{
	for (int c = 0; c < CLASSES; c++) {
		if (!(classes >> c & 1) || topology == TOPOLOGY_BUS)
			continue;
		if (said[c] && strcmp(said[c]->value[0]->name, p->value[0]->name) != 0) {
			diag_error(make->program->diag, "bad-value", p->span,
				   "the network of %s is a %s already, and no %s", class_name[c],
				   said[c]->value[0]->name, p->value[0]->name);
			diag_note(make->program->diag, said[c]->span, "it is said here");
			return true;
		}
		said[c] = p;
	}
	return false;
}

/* network multicast(row, I): along all axes, or those that are named; for all tensors, or those that are named. */
static void take_network(struct maker *make, struct level *l, const struct tree_property *p,
			 const struct tree_property *said[CLASSES])
{
	const struct tree_expr *network = p->value[0];
	unsigned axes = 0, classes = 0;
	int rule = 0;

	while (strcmp(network_rule[rule].word, network->name) != 0)
		rule++;
	for (int i = 0; network->kind == EXPR_CALL && i < network->arg_count; i++) {
		int axis = find(network->arg[i]->name, axis_name, MAX_AXES);
		int class = find(network->arg[i]->name, class_name, CLASSES);
		axes |= axis >= 0 ? 1u << axis : 0;
		classes |= class >= 0 ? 1u << class : 0;
	}
	if (classes == 0)
		classes = ALL_CLASSES;
	if (is_other_topology(make, p, network_rule[rule].topology, classes, said))
		return;
	for (int c = 0; c < CLASSES; c++)
		if (classes >> c & 1)
			l->topology[c] = network_rule[rule].topology;
	classes &= (network_rule[rule].multicasts ? INPUTS : 0) |
		   (network_rule[rule].reduces ? OUTPUT : 0);
	share(l, classes, axes ? axes : ALL_AXES);
}

/* link O vertical: units of one column lie along the axis of rows. */
static void take_link(struct maker *make, struct level *l, const struct tree_property *p)
{
	const char *direction = p->value[1]->name;
	int class = class_of(make, p->value[0]);
	unsigned axes = strcmp(direction, "vertical") == 0     ? 1u << 0
			: strcmp(direction, "horizontal") == 0 ? 1u << 1
							       : ALL_AXES;

	if (class < 0)
		return;
	if (l->axes == 1)
		axes = ALL_AXES;
	share(l, 1u << class, axes);
	l->linked[class] |= axes;
}

/* An array that says neither network nor link serves as if everything were multicast and reduced. */
static void take_networks(struct maker *make, struct level *l, const struct tree_block *block)
{
	const struct tree_property *p, *said[CLASSES] = {NULL};

	if (!make_property(block, "network") && !make_property(block, "link")) {
		share(l, ALL_CLASSES, ALL_AXES);
		return;
	}
	for (int c = 0; c < CLASSES; c++)
		l->apart[c] = ALL_AXES;
	for (p = block->property; p; p = p->next) {
		if (strcmp(p->name, "network") == 0)
			take_network(make, l, p, said);
		else if (strcmp(p->name, "link") == 0)
			take_link(make, l, p);
	}
}

/* The level that the next array hangs on: the last memory, or a level without one where that has an array. */
static struct level *hanger(struct maker *make, const struct tree_block *block)
{
	struct hierarchy *h = make->machine;
	struct level *l = &h->level[h->levels - 1];

	if (l->array)
		l = add_level(make, l->array, block->kind_span);
	return l;
}

static void take_line(struct maker *, const struct tree_block *);

static void take_array(struct maker *make, const struct tree_block *block)
{
	const struct tree_property *p;
	struct level *l = hanger(make, block);

	if (!l)
		return;
	if (block->shape_count > MAX_AXES) {
		diag_error(make->program->diag, "not-mapped", block->shape[MAX_AXES]->span,
			   "the mapper knows arrays of one or two axes; a third may be an array "
			   "inside");
		return;
	}
	l->array = block->name;
	l->axes = block->shape_count;
	for (int a = 0; a < l->axes; a++) {
		l->fanout[a] = (int64_t)make_number(make, block->shape[a]);
		l->axis[a] = axis_name[a];
	}
	take_networks(make, l, block);
	if ((p = make_property(block, "cost")))
		l->hop_cost = make_energy(make, p->value[0]);
	if ((p = make_property(block, "bandwidth")))
		l->network_bandwidth = make_rate(make, p->value[0], l->word);
	if ((p = make_property(block, "latency"))) {
		l->network_latency = make_cycles(make, p->value[0]);
		tell_uncounted(make, p, "the latency of a network");
	}
	take_line(make, block);
}

/* ---- The MAC, and the line ------------------------------------------------------------------------------------ */

/* Lanes side by side are an array of their own, inside the last memory or array, fed without cost. */
static void take_lanes(struct maker *make, const struct tree_block *mac, int64_t lanes)
{
	struct level *l = hanger(make, mac);

	if (!l)
		return;
	l->array = mac->name ? mac->name : "mac";
	l->axes = 1;
	l->fanout[0] = lanes;
	l->axis[0] = "lane";
	l->hop_cost = 0;
	share(l, ALL_CLASSES, ALL_AXES);
}

static void take_mac(struct maker *make, const struct tree_block *block)
{
	const struct tree_property *p = make_property(block, "lanes");
	struct hierarchy *h = make->machine;
	double lanes = p ? make_number(make, p->value[0]) : 1;

	if ((p = make_property(block, "cost")))
		h->mac_cost = make_energy(make, p->value[0]);
	if ((p = make_property(block, "leakage")))
		h->mac_leakage = make_leakage(make, p->value[0]);
	if ((p = make_property(block, "latency"))) {
		h->mac_latency = make_cycles(make, p->value[0]);
		tell_uncounted(make, p, "the latency of a mac");
	}
	if (lanes > 1)
		take_lanes(make, block, (int64_t)lanes);
}

/* "memory 'glb'", "mac" */
static const char *called(struct maker *make, const struct tree_block *block)
{
	return block->name ? arena_printf(make->program->arena, "%s '%s'", block->kind, block->name)
			   : block->kind;
}

/* The blocks of a machine or array, each inside of those before it. */
static void take_line(struct maker *make, const struct tree_block *outer)
{
	for (const struct tree_block *b = outer->block; b; b = b->next) {
		if (make->last) {
			diag_error(
				make->program->diag, "not-mapped", b->kind_span,
				"%s stands behind %s, and memories are mapped in line, each inside "
				"of what is before it",
				called(make, b), called(make, make->last));
			return;
		}
		if (strcmp(b->kind, "memory") == 0) {
			take_memory(make, b);
			continue;
		}
		if (make->machine->levels == 0) {
			diag_error(make->program->diag, "not-mapped", b->kind_span,
				   "before %s there is no memory, and tensors lie in the outermost",
				   called(make, b));
			make->last = b;
			return;
		}
		if (strcmp(b->kind, "array") == 0)
			take_array(make, b);
		else
			take_mac(make, b);
		make->last = b;
	}
}

/* ---- What is not said -------------------------------------------------------------------------------------------- */

/* Technology's costs, in units of the mac's where the machine counts in joules. */
static void fill_costs(struct maker *make, const struct tree_block *block)
{
	struct hierarchy *h = make->machine;
	bool inside_array = false;
	double unit = h->is_in_joules ? h->mac_cost : 1;

	if (h->is_in_joules && h->mac_cost == unsaid)
		diag_error(make->program->diag, "missing-property", block->name_span,
			   "the mac of this machine needs the property 'cost', for other costs are "
			   "in joules");
	if (h->mac_cost == unsaid)
		h->mac_cost = mac_cost;
	for (int i = 0; i < h->levels; i++) {
		struct level *l = &h->level[i];
		double cost = !l->is_memory  ? 0
			      : i == 0       ? dram_cost
			      : inside_array ? register_cost
					     : buffer_cost;
		for (int k = 0; k < ACCESS_KINDS; k++)
			if (l->cost[k] == unsaid)
				l->cost[k] = cost * unit;
		if (l->hop_cost == unsaid)
			l->hop_cost = l->array ? array_cost * unit : 0;
		inside_array |= l->array != NULL;
	}
}

static void take_machine(struct maker *make, const struct machine *machine)
{
	const struct tree_block *block = machine->block;
	const struct tree_property *p;
	struct hierarchy *h = make->machine;

	h->name = machine->name;
	h->mac_cost = unsaid;
	h->clock = make_number(make, make_property(block, "clock")->value[0]);
	make->word = bits_of(make, block, DEFAULT_WORD);
	if ((p = make_property(block, "dataflow")))
		h->dataflow = p->value[0]->name;
	if ((p = make_property(block, "overlap")))
		h->is_buffered = strcmp(p->value[0]->name, "buffered") == 0;
	if (h->is_buffered)
		tell_uncounted(make, p, "what transfers wait for each other (overlap buffered)");
	if ((p = make_property(block, "leakage")))
		h->leakage = make_leakage(make, p->value[0]);
	take_line(make, block);
	fill_costs(make, block);
}

struct hierarchy *hierarchy_of(struct program *program, const struct machine *machine)
{
	struct maker make = {.program = program,
			     .machine = ARENA_NEW(program->arena, struct hierarchy)};

	if (program->diag->errors > 0)
		return NULL;
	if (machine->kind != MACHINE_ACCELERATOR) {
		diag_error(program->diag, "machine-kind", machine->block->name_span,
			   "'%s' is a %s, and the mapper knows machines", machine->name,
			   machine->block->kind);
		return NULL;
	}
	take_machine(&make, machine);
	return program->diag->errors == 0 ? make.machine : NULL;
}

int machine_word(struct program *program, const struct machine *machine)
{
	struct maker make = {.program = program};
	return bits_of(&make, machine->block, DEFAULT_WORD);
}

int64_t hierarchy_units(const struct hierarchy *h)
{
	int64_t units = 1;

	for (int level = 0; level < h->levels; level++)
		for (int a = 0; a < h->level[level].axes; a++)
			if (__builtin_mul_overflow(units, h->level[level].fanout[a], &units))
				return INT64_MAX;
	return units;
}
