/* timeloop_machine.c -- components in line go in, a machine in our own language comes out.
 *
 * Words, bandwidths and energies follow BufferLevel::ParseSpecs and Topology::Specs::ParseAccelergyERT of timeloop-model
 * (src/model/buffer.cpp and topology.cpp, commit 4cf6d4c). */
#include "frontend/timeloop/timeloop_read.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t most_words = INT64_C(1) << 40;
enum { DEFAULT_WORD = 16, MOST_BITS = 1 << 16 };

struct printer {
	struct timeloop *t;
	const struct yaml *tables; /* of the energy table, or NULL */
	FILE *file;
	int depth;
	int arrays; /* without a name, so far */
	bool lacks_energy;
	const struct timeloop_parts *parts;
};

/* ---- Attributes ---------------------------------------------------------------------------------------------- */

/* Those that would change counts, cycles or energies and that we do not count, with the value that changes nothing. */
static const struct {
	const char *key, *neutral, *why;
	bool is_lost; /* told, and gone on without */
} special[] = {
	{"reduction_supported", "true", "memories that cannot add are not counted", false},
	{"allow_overbooking", "false", "tiles larger than their memory are not counted", false},
	{"min_utilization", "0", "a least filling is no rule of our mappings", false},
	{"cluster_size", "1", "energies of clusters of memories are not counted", false},
	{"network_read", "", "networks by name are not counted", false},
	{"network_fill", "", "networks by name are not counted", false},
	{"network_drain", "", "networks by name are not counted", false},
	{"network_update", "", "networks by name are not counted", false},
	{"metadata_datawidth", "0", "sparse tensors are not counted", false},
	{"metadata_storage_width", "0", "sparse tensors are not counted", false},
	{"wire_energy", "0", "the energy of wires is not counted", true},
	{"router_energy", "0", "the energy of routers is not counted", true},
	{"energy_per_hop", "0", "the energy of hops is not counted", true},
	{"network_fill_latency", "0", "the latency of networks is not counted", true},
	{"network_drain_latency", "0", "the latency of networks is not counted", true},
	{"addr_gen_energy", "0", "the energy of address generation is not counted", true},
};

/* The attributes that are read: what is near to one of them is likely to mean it. */
static const char *const known[] = {"entries",         "depth",
				    "memory_depth",    "data_storage_depth",
				    "sizeKB",          "width",
				    "memory_width",    "data_storage_width",
				    "block_size",      "n_words",
				    "word_bits",       "word_width",
				    "datawidth",       "read_bandwidth",
				    "write_bandwidth", "shared_bandwidth",
				    "bandwidth",       "multiple_buffering",
				    "instances",       "meshX",
				    "meshY",           "cluster_size"};
static const char *const harmless[] = {"n_banks", "num_banks", "num_ports", "n_ports", "type",
				       "width_a", "width_b",   "latency",   "area"};

static bool is_neutral(const struct yaml *y, const char *neutral)
{
	if (y->kind != YAML_SCALAR)
		return !y->first;
	if (!*y->text || strcmp(y->text, "null") == 0 || strcmp(y->text, neutral) == 0)
		return true;
	if (strcmp(neutral, "true") == 0 || strcmp(neutral, "false") == 0)
		return timeloop_is_on(y) == (*neutral == 't');
	return *neutral && strtod(y->text, NULL) == strtod(neutral, NULL) &&
	       strspn(y->text, "+-.0123456789eE") == strlen(y->text);
}

static bool is_among(const char *key, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (yaml_same_key(key, words[i]))
			return true;
	return false;
}

static void check_attribute(struct printer *p, const struct yaml *y)
{
	const char *nearest;

	for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
		if (!yaml_same_key(y->key, special[i].key) || is_neutral(y, special[i].neutral))
			continue;
		if (special[i].is_lost)
			diag_warning(p->t->diag, "timeloop-lost", y->key_span, "%s",
				     special[i].why);
		else
			diag_error(p->t->diag, "timeloop-unsupported", y->key_span,
				   "%s: without '%s' this can be read", special[i].why, y->key);
		return;
	}
	if (is_among(y->key, known, sizeof known / sizeof *known) ||
	    is_among(y->key, harmless, sizeof harmless / sizeof *harmless))
		return;
	nearest = diag_nearest(y->key, known, sizeof known / sizeof *known);
	if (nearest)
		diag_warning(p->t->diag, "timeloop-lost", y->key_span,
			     "'%s' is no attribute that Timeloop counts by; did you mean '%s'?",
			     y->key, nearest);
}

static void check_attributes(struct printer *p, const struct timeloop_part *part)
{
	for (const struct yaml *y = part->attributes->first; y; y = y->next) {
		if (part->kind == PART_STORAGE)
			check_attribute(p, y);
		if (yaml_same_key(y->key, "network_type") && y->kind == YAML_SCALAR &&
		    strcmp(y->text, "M:N") == 0)
			diag_error(p->t->diag, "timeloop-unsupported", y->span,
				   "a distributed multicast is not counted");
	}
}

/* The first of the keys that the component has, as a whole number; what it was before where there is none. */
static const struct yaml *take_first(struct printer *p, const struct timeloop_part *part,
				     const char *const keys[], int64_t most, int64_t *value)
{
	const struct yaml *y = NULL;

	for (; *keys && !y; keys++)
		y = yaml_find(part->attributes, *keys);
	if (y && !timeloop_whole(p->t->diag, y, 0, most, value))
		*value = 1;
	return y;
}

/* Bits of a word, and words of a block, which one access moves. */
static void take_word(struct printer *p, const struct timeloop_part *part, int64_t *word,
		      int64_t *block)
{
	static const char *const words[] = {"word_bits", "word_width", "datawidth", NULL};
	static const char *const blocks[] = {"block_size", "n_words", NULL};
	static const char *const widths[] = {"width", "memory_width", "data_storage_width", NULL};
	const struct yaml *y, *own;
	int64_t width = 0;

	*word = DEFAULT_WORD;
	*block = 1;
	y = take_first(p, part, words, MOST_BITS, word);
	if (*word < 1) {
		diag_error(p->t->diag, "out-of-range", y->span, "a word has at least one bit");
		*word = 1;
	}
	own = take_first(p, part, blocks, most_words, block);
	y = take_first(p, part, widths, most_words, &width);
	if (own && *block < 1) {
		diag_error(p->t->diag, "out-of-range", own->span, "a block has at least one word");
		*block = 1;
	}
	if (own || !y || width == 0)
		return;
	if (width % *word)
		diag_error(p->t->diag, "timeloop", y->span,
			   "a width of %" PRId64 " bits holds no whole number of words of %" PRId64
			   " bits",
			   width, *word);
	*block = width / *word ? width / *word : 1;
}

/* Words of one instance; false where they are not limited. */
static bool take_size(struct printer *p, const struct timeloop_part *part, int64_t word,
		      int64_t block, int64_t *size)
{
	static const char *const entries[] = {"entries", NULL};
	static const char *const depth[] = {"depth", "memory_depth", "data_storage_depth", NULL};
	static const char *const kilobytes[] = {"sizeKB", NULL};
	const struct yaml *y = take_first(p, part, entries, most_words, size);

	if (!y && (y = take_first(p, part, depth, most_words, size)) &&
	    (__builtin_mul_overflow(*size, block, size) || *size > most_words)) {
		diag_error(p->t->diag, "out-of-range", y->span, "these are too many words");
		*size = 1;
	}
	if (!y && (y = take_first(p, part, kilobytes, most_words >> 13, size)))
		*size = *size * 1024 * 8 / word;
	if (y && *size == 0)
		diag_error(p->t->diag, "timeloop-unsupported", y->span,
			   "a memory has words; what only parts units is of class dummy_storage");
	return y;
}

/* ---- Energy --------------------------------------------------------------------------------------------------- */

/* "system.pe[0..167].glb", "system.glb[1..1]" and "glb" speak of glb. */
static bool speaks_of(const char *path, const char *name)
{
	const char *point = path, *bracket;
	size_t length;

	for (const char *at = path; *at; at++)
		if (*at == '.' && at[1] != '.' && (at == path || at[-1] != '.'))
			point = at + 1;
	bracket = strchr(point, '[');
	length = bracket ? (size_t)(bracket - point) : strlen(point);
	return length == strlen(name) && memcmp(point, name, length) == 0;
}

/* The actions of a component: those of a list of tables, or of a map of them. */
static const struct yaml *actions_of(const struct printer *p, const char *name)
{
	for (const struct yaml *y = p->tables ? p->tables->first : NULL; y; y = y->next) {
		const struct yaml *own = yaml_find(y, "name");
		if (p->tables->kind == YAML_MAP && speaks_of(y->key, name))
			return y;
		if (p->tables->kind == YAML_LIST && own && own->kind == YAML_SCALAR &&
		    speaks_of(own->text, name))
			return yaml_find(y, "actions");
	}
	return NULL;
}

/* The greatest energy of this map or of those in the list. */
static bool take_energies(struct printer *p, const struct yaml *y, double *energy)
{
	const struct yaml *own = yaml_find(y, "energy");
	double value;
	bool is_found = own && timeloop_number(p->t, own, &value);

	if (is_found)
		*energy = fmax(*energy, value);
	for (const struct yaml *item = y->kind == YAML_LIST ? y->first : NULL; item;
	     item = item->next)
		if ((own = yaml_find(item, "energy")) && timeloop_number(p->t, own, &value)) {
			*energy = fmax(*energy, value);
			is_found = true;
		}
	return is_found;
}

/* The greatest energy of the first action of the names that is there. */
static bool find_energy(struct printer *p, const struct yaml *actions, const char *const names[],
			double *energy)
{
	for (*energy = 0; actions && *names; names++) {
		bool is_found = false;
		for (const struct yaml *y = actions->first; y; y = y->next) {
			const struct yaml *own = yaml_find(y, "name");
			const char *name = actions->kind == YAML_MAP         ? y->key
					   : own && own->kind == YAML_SCALAR ? own->text
									     : "";
			if (strcmp(name, *names) == 0)
				is_found |= take_energies(p, y, energy);
		}
		if (is_found)
			return true;
	}
	return false;
}

/* Of one access, which moves a block of words. */
static void print_costs(struct printer *p, const struct timeloop_part *part)
{
	static const char *const read[] = {"random_read", "read", NULL};
	static const char *const fill[] = {"random_fill", "random_write", "fill", "write", NULL};
	static const char *const update[] = {"random_update", "random_write", "update", "write",
					     NULL};
	static const char *const leak[] = {"leak", NULL};
	const struct yaml *actions = actions_of(p, part->yaml_name);
	const struct yaml *y = yaml_find(part->attributes, "vector_access_energy");
	double energy[3], each;
	bool is_found = true;

	is_found &= find_energy(p, actions, read, &energy[0]);
	is_found &= find_energy(p, actions, fill, &energy[1]);
	is_found &= find_energy(p, actions, update, &energy[2]);
	if (!is_found && y && timeloop_number(p->t, y, &each)) {
		energy[0] = energy[1] = energy[2] = fmax(each, 0);
		is_found = true;
	}
	p->lacks_energy |= !is_found;
	if (is_found)
		fprintf(p->file, "  cost read %.17g fill %.17g update %.17g", energy[0], energy[1],
			energy[2]);
	if (find_energy(p, actions, leak, &each) && each > 0)
		fprintf(p->file, "  leakage %.17g", each);
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

static void indent(struct printer *p)
{
	for (int i = 0; i <= p->depth; i++)
		putc('\t', p->file);
}

static void print_tensors(struct printer *p, const char *word, unsigned called)
{
	const char *comma = "";

	fprintf(p->file, "  %s", word);
	for (int i = 0; i < 3; i++)
		if (called >> i & 1) {
			fprintf(p->file, "%s %c", comma, "IWO"[i]);
			comma = ",";
		}
}

static bool take_rate(struct printer *p, const struct timeloop_part *part, const char *key,
		      double *rate)
{
	const struct yaml *y = yaml_find(part->attributes, key);

	if (!y || !timeloop_number(p->t, y, rate))
		return false;
	if (*rate > 0)
		return true;
	diag_error(p->t->diag, "out-of-range", y->span, "a bandwidth is greater than 0");
	return false;
}

static void print_bandwidth(struct printer *p, const struct timeloop_part *part)
{
	double both, read, write, shared;
	bool has_both = take_rate(p, part, "bandwidth", &both);
	bool has_read = take_rate(p, part, "read_bandwidth", &read);
	bool has_write = take_rate(p, part, "write_bandwidth", &write);

	if (has_both && !has_read)
		read = both / 2;
	if (has_both && !has_write)
		write = both / 2;
	if (take_rate(p, part, "shared_bandwidth", &shared)) {
		if (has_both || has_read || has_write)
			diag_error(
				p->t->diag, "timeloop-unsupported",
				yaml_find(part->attributes, "shared_bandwidth")->span,
				"a memory has either one shared port or one for reads and one for "
				"writes");
		fprintf(p->file, "  bandwidth %.17g words", shared);
		return;
	}
	if (has_both || has_read || has_write)
		fputs("  bandwidth", p->file);
	if (has_both || has_read)
		fprintf(p->file, " read %.17g words", read);
	if (has_both || has_write)
		fprintf(p->file, " write %.17g words", write);
}

static void print_buffers(struct printer *p, const struct timeloop_part *part)
{
	const struct yaml *y = yaml_find(part->attributes, "multiple_buffering");
	double buffers;

	if (!y || !timeloop_number(p->t, y, &buffers) || buffers == 1)
		return;
	if (buffers == 2)
		fputs("  buffers 2", p->file);
	else
		diag_error(p->t->diag, "timeloop-unsupported", y->span,
			   "a memory has one buffer or two");
}

static void print_memory(struct printer *p, const struct timeloop_part *part, bool is_first)
{
	int64_t word, block, size = 0;

	take_word(p, part, &word, &block);
	bool is_limited = take_size(p, part, word, block, &size);
	if (!is_limited && !is_first)
		diag_error(p->t->diag, "timeloop", part->at->span,
			   "'%s' does not say how many words it has: 'depth' and 'width', "
			   "'entries' or "
			   "'sizeKB'",
			   part->yaml_name);
	indent(p);
	fprintf(p->file, "memory %s { word %" PRId64 " bit", part->name, word);
	if (is_limited)
		fprintf(p->file, "  size %" PRId64 " words", size);
	if (block > 1)
		fprintf(p->file, "  width %" PRId64 " words", block);
	print_costs(p, part);
	print_bandwidth(p, part);
	print_buffers(p, part);
	if (part->bypassed && !is_first)
		print_tensors(p, "keeps", CALLED_ALL & ~part->bypassed);
	if (part->held && !is_first)
		print_tensors(p, "holds", part->held);
	if ((part->bypassed & part->held) || (is_first && part->bypassed) ||
	    part->bypassed == CALLED_ALL)
		diag_error(p->t->diag, "timeloop-unsupported", part->at->span,
			   is_first ? "the outermost memory keeps every tensor"
			   : part->bypassed == CALLED_ALL
				   ? "memory '%s' keeps nothing: one of class dummy_storage may"
				   : "memory '%s' keeps and bypasses the same",
			   part->yaml_name);
	fputs(" }\n", p->file);
}

static void print_networks(struct printer *p, unsigned apart)
{
	unsigned shared = CALLED_ALL & ~apart, inputs = shared & (CALLED_I | CALLED_W);

	if (!apart)
		return;
	if (!shared)
		fputs("  network unicast", p->file);
	if (inputs)
		fprintf(p->file, "  network multicast(%s)",
			inputs == CALLED_I   ? "I"
			: inputs == CALLED_W ? "W"
					     : "I, W");
	if (shared & CALLED_O)
		fputs("  network reduction(O)", p->file);
}

static const char *array_name(struct printer *p, const struct timeloop_part *inner)
{
	const char *name = timeloop_name(p->t->arena, inner->array ? inner->array : "pe");
	bool is_taken;

	/* Parts that are memories have their names; those that are nothing give them to their arrays. */
	do {
		is_taken = false;
		for (int i = 0; i < p->parts->count; i++)
			is_taken |= p->parts->part[i].kind != PART_NOTHING &&
				    strcmp(p->parts->part[i].name, name) == 0;
		if (is_taken || (!inner->array && p->arrays > 0))
			name = arena_printf(p->t->arena, "%s%d", name, p->arrays + 1);
	} while (is_taken);
	p->arrays++;
	return name;
}

/* What lies between two neighbours of the line: an array, or nothing. */
static void open_array(struct printer *p, const struct timeloop_part *outer,
		       const struct timeloop_part *inner, unsigned apart)
{
	int64_t x = inner->x / outer->x, y = inner->y / outer->y;

	if (inner->x % outer->x || inner->y % outer->y) {
		diag_error(p->t->diag, "timeloop", inner->at->span,
			   "'%s' has %" PRId64 " x %" PRId64
			   " units, which are no multiple of the %" PRId64 " x %" PRId64
			   " of '%s' around it",
			   inner->yaml_name, inner->x, inner->y, outer->x, outer->y,
			   outer->yaml_name);
		return;
	}
	if (x * y == 1)
		return;
	indent(p);
	fprintf(p->file, "array %s[", array_name(p, inner));
	if (y > 1)
		fprintf(p->file, "%" PRId64 ", ", y);
	fprintf(p->file, "%" PRId64 "] { cost 0", x);
	print_networks(p, apart);
	putc('\n', p->file);
	p->depth++;
}

static void print_mac(struct printer *p, const struct timeloop_part *part)
{
	static const char *const compute[] = {"mac_random", "mult_random", "mac",
					      "mult",       "compute",     NULL};
	const struct yaml *actions = actions_of(p, part->yaml_name);
	const struct yaml *y = yaml_find(part->attributes, "energy");
	double energy;
	bool is_found = find_energy(p, actions, compute, &energy) ||
			(y && timeloop_number(p->t, y, &energy));

	indent(p);
	fprintf(p->file, "mac %s {", part->name);
	if (is_found)
		fprintf(p->file, " cost %.17g", energy);
	fputs(" }\n", p->file);
	p->lacks_energy |= !is_found;
}

static void print_line(struct printer *p)
{
	const struct timeloop_part one = {.name = "", .yaml_name = "the machine", .x = 1, .y = 1};
	const struct timeloop_part *outer = &one;
	bool has_memory = false;
	unsigned apart = 0;

	for (int i = 0; i < p->parts->count; i++) {
		const struct timeloop_part *part = &p->parts->part[i];
		check_attributes(p, part);
		open_array(p, outer, part, part->is_container ? part->apart : apart);
		if (part->kind == PART_STORAGE)
			print_memory(p, part, !has_memory);
		else if (part->kind == PART_MAC)
			print_mac(p, part);
		has_memory |= part->kind == PART_STORAGE;
		apart = part->is_container ? 0 : part->apart;
		outer = part;
	}
	while (p->depth-- > 0) {
		indent(p);
		fputs("}\n", p->file);
	}
}

/* A cycle of 5e-9 s is 200 MHz, and no more than that. */
static double clock_of(double cycle)
{
	double clock = cycle > 0 ? 1 / cycle : 1e9, whole = nearbyint(clock);

	return fabs(clock - whole) <= 0x1p-48 * clock ? whole : clock;
}

static void print_machine(struct printer *p)
{
	fprintf(p->file, "machine %s {\n\tclock %.17g Hz\n", p->parts->name,
		clock_of(p->parts->cycle));
	print_line(p);
	fputs("}\n", p->file);
}

void timeloop_machine(struct timeloop *t, const struct yaml *root)
{
	struct timeloop_parts *parts = ARENA_NEW(t->arena, struct timeloop_parts);
	struct printer p = {.t = t, .parts = parts};
	const struct yaml *sparse = yaml_find(root, "sparse_optimizations");
	char *text = NULL;
	size_t size = 0;
	int errors = t->diag->errors;

	if (sparse)
		diag_error(t->diag, "timeloop-unsupported", sparse->span,
			   "sparse tensors are not counted");
	if (!timeloop_parts(t, root, parts))
		return;
	p.tables = yaml_find(yaml_find(root, "ERT"), "tables");
	p.file = open_memstream(&text, &size);
	if (!p.file)
		arena_fail(t->arena);
	print_machine(&p);
	if (fclose(p.file) != 0) {
		free(text);
		arena_fail(t->arena);
	}
	if (p.lacks_energy && t->diag->errors == errors)
		diag_warning(
			t->diag, "timeloop-lost", root->span,
			"without energies of all components in an ERT, those that lack are of the "
			"Eyeriss paper, as multiples of a MAC's");
	if (t->diag->errors == errors)
		timeloop_add(t, root, ".hw", text, size);
	free(text);
}
