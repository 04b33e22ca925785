/* fingerprint.c -- fields one after the other, as little-endian numbers, into XXH3. Structs are not hashed whole: what lies between
 * their fields is nobody's. */
#include "mapper/proof/fingerprint.h"

#include <string.h>
#include <xxhash.h>

/* Each field's hash is the seed of the next. */
struct print {
	uint64_t hash;
};

static void add_bytes(struct print *p, uint64_t value)
{
	unsigned char byte[8];

	for (int i = 0; i < 8; i++)
		byte[i] = (unsigned char)(value >> 8 * i);
	p->hash = XXH3_64bits_withSeed(byte, sizeof byte, p->hash);
}

static void add(struct print *p, int64_t value)
{
	add_bytes(p, (uint64_t)value);
}

static void add_real(struct print *p, double value)
{
	uint64_t bits;

	value = value == 0 ? 0 : value; /* -0 */
	memcpy(&bits, &value, sizeof bits);
	add_bytes(p, bits);
}

/* With its length, so that two names do not run into each other. */
static void add_name(struct print *p, const char *name)
{
	size_t length = name ? strlen(name) : 0;

	add(p, (int64_t)length);
	if (length > 0)
		p->hash = XXH3_64bits_withSeed(name, length, p->hash);
}

uint64_t fingerprint_problem(const struct problem *problem)
{
	struct print p = {0};

	add(&p, problem->dims);
	for (int d = 0; d < problem->dims; d++) {
		add_name(&p, problem->dim[d]);
		add(&p, problem->extent[d]);
	}
	add(&p, problem->operands);
	for (int o = 0; o < problem->operands; o++) {
		const struct operand *operand = &problem->operand[o];
		add(&p, operand->class);
		add(&p, operand->ranks);
		for (int r = 0; r < operand->ranks; r++)
			for (int d = 0; d < problem->dims; d++)
				add(&p, operand->coef[r][d]);
	}
	return p.hash;
}

static void add_memory(struct print *p, const struct level *l)
{
	add_name(p, l->name);
	add(p, l->is_memory);
	add(p, l->words);
	add(p, l->may_keep);
	add(p, l->must_keep);
	add(p, l->buffers);
	add(p, l->halo);
	add(p, l->width);
	add_real(p, l->leakage);
	add_real(p, l->read_bandwidth);
	add_real(p, l->write_bandwidth);
	add_real(p, l->shared_bandwidth);
	for (int k = 0; k < ACCESS_KINDS; k++)
		add_real(p, l->cost[k]);
	for (int c = 0; c < CLASSES; c++) {
		add(p, l->class_words[c]);
		add_real(p, l->class_bandwidth[c]);
	}
}

static void add_array(struct print *p, const struct level *l)
{
	add(p, l->axes);
	for (int a = 0; a < l->axes; a++) {
		add(p, l->fanout[a]);
		add_name(p, l->axis[a]);
	}
	add(p, l->multicast);
	add(p, l->reduce);
	for (int c = 0; c < CLASSES; c++) {
		add(p, l->apart[c]);
		add(p, l->linked[c]);
		add(p, l->topology[c]);
	}
	add_real(p, l->hop_cost);
	add_real(p, l->network_bandwidth);
}

uint64_t fingerprint_machine(const struct hierarchy *h)
{
	struct print p = {0};

	add(&p, h->levels);
	for (int l = 0; l < h->levels; l++) {
		add_memory(&p, &h->level[l]);
		add_array(&p, &h->level[l]);
	}
	add_real(&p, h->mac_cost);
	add_real(&p, h->mac_leakage);
	add_real(&p, h->leakage);
	return p.hash;
}

uint64_t fingerprint_constraint(const struct constraint *c, const struct problem *problem,
				const struct hierarchy *h)
{
	struct print p = {0};

	for (int l = 0; l < h->levels; l++) {
		add(&p, c->must_keep[l]);
		add(&p, c->may_keep[l]);
		for (int d = 0; d < problem->dims; d++) {
			add(&p, c->time[l][d]);
			for (int a = 0; a < MAX_AXES; a++)
				add(&p, c->space[l][a][d]);
		}
		add(&p, c->order_count[l]);
		for (int i = 0; i < c->order_count[l]; i++)
			add(&p, c->order[l][i]);
		add(&p, c->stationary[l]);
	}
	return p.hash;
}
