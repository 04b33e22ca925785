/* machine.c -- one field of an instruction for each of the hierarchy's. */
#include "runtime/simulator/machine.h"
#include "runtime/sentence.h"

#include <math.h>

/* ---- To instructions -------------------------------------------------------------------------------------------------------- */

static bool name(struct code *code, union field *f, const char *text)
{
	f->text = code_text(code, text ? text : "");
	return f->text != NULL;
}

static bool write_machine(struct code *code, const struct hierarchy *h)
{
	union field *f = code_add(code, OP_MACHINE);
	if (!f || !name(code, &f[MACHINE_NAME], h->name))
		return false;
	f[MACHINE_CLOCK].real = h->clock;
	f[MACHINE_UNIT].whole = h->is_in_joules;
	f[MACHINE_OVERLAP].whole = h->is_buffered;
	f[MACHINE_MAC_COST].real = h->mac_cost;
	f[MACHINE_MAC_LEAKAGE].real = h->mac_leakage;
	f[MACHINE_MAC_LATENCY].real = h->mac_latency;
	f[MACHINE_LEAKAGE].real = h->leakage;
	return true;
}

static bool write_level(struct code *code, const struct level *l)
{
	union field *f = code_add(code, OP_LEVEL);
	if (!f || !name(code, &f[LEVEL_NAME], l->name))
		return false;
	f[LEVEL_KIND].whole = !l->is_memory;
	f[LEVEL_SIZE].whole = l->words;
	f[LEVEL_MAY].whole = l->may_keep;
	f[LEVEL_MUST].whole = l->must_keep;
	f[LEVEL_BUFFERS].whole = l->buffers;
	f[LEVEL_HALO].whole = l->halo;
	f[LEVEL_BITS].whole = l->word;
	f[LEVEL_WIDTH].whole = l->width;
	f[LEVEL_LEAKAGE].real = l->leakage;
	f[LEVEL_READ_RATE].real = l->read_bandwidth;
	f[LEVEL_WRITE_RATE].real = l->write_bandwidth;
	f[LEVEL_SHARED_RATE].real = l->shared_bandwidth;
	f[LEVEL_LATENCY].real = l->latency;
	for (int k = 0; k < ACCESS_KINDS; k++)
		f[LEVEL_READ + k].real = l->cost[k];
	for (int c = 0; c < CLASSES; c++) {
		f[LEVEL_SIZE_I + c].whole = l->class_words[c];
		f[LEVEL_RATE_I + c].real = l->class_bandwidth[c];
	}
	return true;
}

static bool write_network(struct code *code, const struct level *l, int class)
{
	union field *f = code_add(code, OP_NETWORK);
	unsigned merges = class == CLASS_O ? l->reduce : l->multicast;
	if (!f)
		return false;
	f[NETWORK_CLASS].whole = class;
	f[NETWORK_MERGES].whole = merges >> class & 1;
	f[NETWORK_APART].whole = l->apart[class];
	f[NETWORK_LINKED].whole = l->linked[class];
	f[NETWORK_TOPOLOGY].whole = l->topology[class];
	return true;
}

static bool write_array(struct code *code, const struct level *l)
{
	union field *f = code_add(code, OP_ARRAY);
	if (!f || !name(code, &f[ARRAY_NAME], l->array) ||
	    !name(code, &f[ARRAY_FIRST], l->axis[0]) || !name(code, &f[ARRAY_SECOND], l->axis[1]))
		return false;
	f[ARRAY_AXES].whole = l->axes;
	f[ARRAY_ROWS].whole = l->fanout[0];
	f[ARRAY_COLUMNS].whole = l->fanout[1];
	f[ARRAY_HOP].real = l->hop_cost;
	f[ARRAY_RATE].real = l->network_bandwidth;
	f[ARRAY_LATENCY].real = l->network_latency;
	for (int c = 0; c < CLASSES; c++)
		if (!write_network(code, l, c))
			return false;
	return true;
}

bool machine_write(struct code *code, const struct hierarchy *h)
{
	if (!write_machine(code, h))
		return false;
	for (int i = 0; i < h->levels; i++)
		if (!write_level(code, &h->level[i]) ||
		    (h->level[i].axes > 0 && !write_array(code, &h->level[i])))
			return false;
	return true;
}

/* ---- From instructions ------------------------------------------------------------------------------------------------------- */

enum { MOST_UNITS = 1 << 24 };

struct reader {
	struct hierarchy *machine;
	const struct instruction *at;
	const char *wrong;
};

static bool fail(struct reader *r, const char *wrong)
{
	r->wrong = wrong;
	return false;
}

/* Costs, rates and times. */
static bool are_amounts(struct reader *r, int first, int count)
{
	for (int i = first; i < first + count; i++)
		if (!(r->at->field[i].real >= 0) || isinf(r->at->field[i].real))
			return fail(r, "a cost, a rate or a time is not a number of at least 0");
	return true;
}

static bool read_machine(struct reader *r)
{
	const union field *f = r->at->field;
	struct hierarchy *h = r->machine;
	if (h->name)
		return fail(r, "a second machine");
	if (!are_amounts(r, MACHINE_CLOCK, 1) || !are_amounts(r, MACHINE_MAC_COST, 4))
		return false;
	h->name = f[MACHINE_NAME].text;
	h->clock = f[MACHINE_CLOCK].real;
	h->is_in_joules = f[MACHINE_UNIT].whole == 1;
	h->is_buffered = f[MACHINE_OVERLAP].whole == 1;
	h->mac_cost = f[MACHINE_MAC_COST].real;
	h->mac_leakage = f[MACHINE_MAC_LEAKAGE].real;
	h->mac_latency = f[MACHINE_MAC_LATENCY].real;
	h->leakage = f[MACHINE_LEAKAGE].real;
	return true;
}

static bool read_level(struct reader *r)
{
	const union field *f = r->at->field;
	struct hierarchy *h = r->machine;
	if (!h->name)
		return fail(r, "the machine comes first");
	if (h->levels == MAX_LEVELS)
		return fail(r, "more levels than a machine has");
	if (f[LEVEL_MAY].whole >> CLASSES || f[LEVEL_MUST].whole >> CLASSES)
		return fail(r, "there are three classes of tensors");
	if (f[LEVEL_BUFFERS].whole > 2 || f[LEVEL_BITS].whole > 4096)
		return fail(r, "a memory has one buffer or two, and words of at most 4096 bits");
	if (h->levels == 0 && f[LEVEL_KIND].whole != 0)
		return fail(r, "the outermost level is a memory");
	if (!are_amounts(r, LEVEL_READ, LEVEL_LATENCY + 1 - LEVEL_READ))
		return false;
	struct level *l = &h->level[h->levels++];
	*l = (struct level){
		.name = f[LEVEL_NAME].text,
		.is_memory = f[LEVEL_KIND].whole == 0,
		.words = f[LEVEL_SIZE].whole,
		.may_keep = (unsigned)f[LEVEL_MAY].whole,
		.must_keep = (unsigned)f[LEVEL_MUST].whole,
		.buffers = (int)f[LEVEL_BUFFERS].whole,
		.halo = (enum halo)f[LEVEL_HALO].whole,
		.word = (int)f[LEVEL_BITS].whole,
		.width = f[LEVEL_WIDTH].whole,
		.leakage = f[LEVEL_LEAKAGE].real,
		.read_bandwidth = f[LEVEL_READ_RATE].real,
		.write_bandwidth = f[LEVEL_WRITE_RATE].real,
		.shared_bandwidth = f[LEVEL_SHARED_RATE].real,
		.latency = f[LEVEL_LATENCY].real,
		.fanout = {1, 1},
	};
	for (int k = 0; k < ACCESS_KINDS; k++)
		l->cost[k] = f[LEVEL_READ + k].real;
	for (int c = 0; c < CLASSES; c++) {
		l->class_words[c] = f[LEVEL_SIZE_I + c].whole;
		l->class_bandwidth[c] = f[LEVEL_RATE_I + c].real;
	}
	return true;
}

static struct level *last_level(struct reader *r)
{
	struct hierarchy *h = r->machine;
	if (h->levels == 0)
		fail(r, "it belongs to a level, and none came before");
	return h->levels > 0 ? &h->level[h->levels - 1] : NULL;
}

/* Units of the machine, with those of the arrays so far. */
static int64_t units(const struct hierarchy *h)
{
	int64_t product = 1;
	for (int i = 0; i < h->levels; i++)
		product *= h->level[i].fanout[0] * h->level[i].fanout[1];
	return product;
}

static bool read_array(struct reader *r)
{
	const union field *f = r->at->field;
	struct level *l = last_level(r);
	if (!l)
		return false;
	if (l->axes > 0)
		return fail(r, "a second array inside of a level");
	int64_t rows = f[ARRAY_ROWS].whole, columns = f[ARRAY_COLUMNS].whole;
	if (f[ARRAY_AXES].whole < 1 || f[ARRAY_AXES].whole > MAX_AXES || rows < 1 || columns < 1 ||
	    (f[ARRAY_AXES].whole == 1 && columns != 1))
		return fail(r, "an array has one axis or two, of at least one unit each");
	if (rows > MOST_UNITS || columns > MOST_UNITS ||
	    rows * columns > MOST_UNITS / units(r->machine))
		return fail(r, "more units than can be simulated");
	if (!are_amounts(r, ARRAY_HOP, 3))
		return false;
	l->array = f[ARRAY_NAME].text;
	l->axes = (int)f[ARRAY_AXES].whole;
	l->fanout[0] = rows;
	l->fanout[1] = columns;
	l->axis[0] = f[ARRAY_FIRST].text;
	l->axis[1] = l->axes > 1 ? f[ARRAY_SECOND].text : NULL;
	l->hop_cost = f[ARRAY_HOP].real;
	l->network_bandwidth = f[ARRAY_RATE].real;
	l->network_latency = f[ARRAY_LATENCY].real;
	return true;
}

static bool read_network(struct reader *r)
{
	const union field *f = r->at->field;
	struct level *l = last_level(r);
	if (!l)
		return false;
	if (l->axes == 0)
		return fail(r, "it belongs to an array, and none came before");
	int class = (int)f[NETWORK_CLASS].whole;
	if (f[NETWORK_APART].whole >> MAX_AXES || f[NETWORK_LINKED].whole >> MAX_AXES)
		return fail(r, "an array has two axes at most");
	if (f[NETWORK_MERGES].whole)
		*(class == CLASS_O ? &l->reduce : &l->multicast) |= 1u << class;
	l->apart[class] = (unsigned)f[NETWORK_APART].whole;
	l->linked[class] = (unsigned)f[NETWORK_LINKED].whole;
	l->topology[class] = (enum topology)f[NETWORK_TOPOLOGY].whole;
	return true;
}

char *machine_read(const struct code *code, struct hierarchy *h)
{
	static bool (*const reader_of[OP_COUNT])(struct reader *) = {
		[OP_MACHINE] = read_machine,
		[OP_LEVEL] = read_level,
		[OP_ARRAY] = read_array,
		[OP_NETWORK] = read_network,
	};
	struct reader r = {.machine = h};
	*h = (struct hierarchy){0};
	for (int i = 0; i < code->count; i++) {
		r.at = &code->at[i];
		if (!reader_of[r.at->op] || !reader_of[r.at->op](&r))
			return sentence("machine: instruction %d (%s): %s", i,
					isa_info(r.at->op)->word,
					r.wrong ? r.wrong : "it is none of a machine");
	}
	return h->levels > 0 ? NULL : sentence("the file says nothing of its machine");
}
