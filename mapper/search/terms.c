/* terms.c -- tables of words and costs, one entry a state or level. */
#include "mapper/search/terms.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mapper/mapping/tile.h"
#include "mapper/search/route.h"

/* ---- Of each state --------------------------------------------------------------------------------------------- */

/* In a rank of several dimensions, units along all of them need at least one place more than there are steps. */
static double overlap_of(const struct problem *p, int operand, const int64_t extent[])
{
	const struct operand *o = &p->operand[operand];
	double overlap = 1;

	for (int r = 0; r < o->ranks; r++) {
		double units = 1, places = 1;
		for (int d = 0; d < p->dims; d++)
			if (o->coef[r][d] != 0) {
				units *= (double)(p->extent[d] / extent[d]);
				places += (double)(p->extent[d] / extent[d] - 1);
			}
		overlap *= units / places;
	}
	return overlap;
}

static void fill_state(struct terms *t, int32_t state)
{
	const struct problem *p = t->problem;
	struct tile_terms *tile = &t->tile[state];
	int64_t extent[MAX_DIMS], point[MAX_DIMS];

	lattice_box(&t->lattice, state, extent);
	for (int d = 0; d < p->dims; d++)
		point[d] = 1; /* units of arrays further inside may overlap with those to come */
	tile->visits = 1;
	for (int d = 0; d < p->dims; d++)
		tile->visits *= (double)(p->extent[d] / extent[d]);
	for (int o = 0; o < p->operands; o++) {
		double reuse = 1;
		for (int d = 0; d < p->dims; d++)
			if (!(p->operand[o].relevant >> d & 1))
				reuse *= (double)(p->extent[d] / extent[d]);
		tile->left[o] = 1 / reuse;
		tile->apart[o] = 1 / overlap_of(p, o, t->arrays > 1 ? point : extent);
		tile->words[o] = (double)tile_words(&p->operand[o], p->dims, extent);
	}
}

static bool fill_states(struct terms *t)
{
	t->tile = malloc((size_t)t->lattice.states * sizeof *t->tile);
	for (int32_t s = 0; t->tile && s < t->lattice.states; s++)
		fill_state(t, s);
	return t->tile != NULL;
}

/* ---- Of each level --------------------------------------------------------------------------------------------- */

static void fill_costs(struct terms *t)
{
	t->fanout[0] = 1;
	for (int l = 0; l < t->levels; l++) {
		const struct level *level = &t->machine->level[l];
		double width = level->width > 1 ? (double)level->width : 1;
		for (int o = 0; o < t->operands; o++) {
			t->cost[l][o] = (struct word_cost){
				.fill = level->cost[ACCESS_FILL] / width,
				.read = level->cost[ACCESS_READ] / width,
				.update = o == t->output ? level->cost[ACCESS_UPDATE] / width : 0,
				.hop = route_is_meshed(t, l, o) ? 0 : level->hop_cost,
				.link = route_is_meshed(t, l, o) ? level->hop_cost : 0};
		}
		t->fanout[l + 1] = t->fanout[l];
		for (int a = 0; a < level->axes; a++)
			t->fanout[l + 1] *= (double)level->fanout[a];
	}
}

/* What arrays cost beside the bus of a parent. */
static void fill_routes(struct terms *t)
{
	for (int l = 0; l < t->levels; l++) {
		t->linked_outside[l + 1] = t->linked_outside[l];
		for (int o = 0; o < t->operands; o++) {
			bool linked = route_is_linked(t, l, o);
			t->meshed[l] |= route_is_meshed(t, l, o) ? 1u << o : 0;
			t->linked[l] |= linked ? 1u << o : 0;
			t->linked_outside[l + 1] |= linked ? 1u << o : 0;
			t->links += linked;
			for (int p = 0; p <= l; p++)
				t->route[l + 1][p][o] = terms_route(t, t->cost, l + 1, p, o);
		}
		t->has_meshes |= t->meshed[l] != 0;
	}
}

double terms_route(const struct terms *t, const struct word_cost cost[][MAX_OPERANDS], int array,
		   int parent, int operand)
{
	double sum = 0;

	for (int l = parent; l < array; l++)
		sum += cost[l][operand].link * t->fanout[l + 1] / t->fanout[array];
	return sum;
}

static void fill_parents(struct terms *t)
{
	for (int l = 0; l <= t->levels; l++)
		for (int p = 0; p < t->levels; p++)
			t->unit[l][p] = p < l ? t->fanout[p] / t->fanout[l] : 1;
	for (int l = 0; l < t->levels; l++) {
		t->first[l][t->output] = t->outputs * t->fanout[l];
		for (int o = 0; o < t->operands; o++) {
			if (l > 0 && !(t->constraint.must_keep[l] >> o & 1))
				t->parents[l][o] = t->parents[l - 1][o];
			if (t->constraint.may_keep[l] >> o & 1)
				t->parents[l][o] |= 1u << l;
		}
	}
}

static void add_port(struct terms *t, struct port port)
{
	if (port.bandwidth > 0 && port.operands)
		t->port[t->tallies++] = port;
}

/* Operands of a class, or (class < 0) those whose class has no port of its own. */
static unsigned operands_of(const struct terms *t, const struct level *level, int class)
{
	unsigned operands = 0;

	for (int o = 0; o < t->operands; o++) {
		int own = (int)t->problem->operand[o].class;
		if (level->class_bandwidth[own] > 0 ? own == class : class < 0)
			operands |= 1u << o;
	}
	return operands;
}

static void fill_ports(struct terms *t)
{
	double copies = 1;

	t->leakage = t->machine->leakage;
	for (int l = 0; l < t->levels; l++) {
		const struct level *level = &t->machine->level[l];
		unsigned operands = operands_of(t, level, -1);
		struct port all = {l, operands, true, true, true, false, level->shared_bandwidth,
				   0};
		struct port read = all, write = all, network = {.level = l, .operands = t->all};
		read.bandwidth = level->read_bandwidth;
		read.fills = read.updates = false;
		write.bandwidth = level->write_bandwidth;
		write.reads = false;
		network.bandwidth = level->network_bandwidth;
		network.is_network = true;
		t->networks |= network.bandwidth > 0 ? 1u << l : 0;
		add_port(t, read);
		add_port(t, write);
		add_port(t, all);
		for (int c = 0; c < CLASSES; c++) {
			all.operands = operands_of(t, level, c);
			all.bandwidth = level->class_bandwidth[c];
			add_port(t, all);
		}
		add_port(t, network);
		t->leakage += level->leakage * copies;
		for (int a = 0; a < level->axes; a++)
			copies *= (double)level->fanout[a];
	}
	t->leakage += t->machine->mac_leakage * copies;
	t->ports = t->tallies;
}

/* What the instances of a level move of an operand, where the last access of each may be of fewer words than others. */
static void add_tallies(struct terms *t, int level, int operand)
{
	const struct word_cost *c = &t->cost[level][operand];
	double width = (double)t->machine->level[level].width;
	struct port tally = {.level = level, .operands = 1u << operand, .bandwidth = INFINITY};
	struct port read = tally, fill = tally, update = tally;

	read.reads = fill.fills = update.updates = true;
	read.cost = c->read;
	fill.cost = c->fill;
	update.cost = c->update;
	add_port(t, read);
	add_port(t, fill);
	if (operand == t->output)
		add_port(t, update);
	t->slack += t->fanout[level] * (c->read + c->fill + c->update) * (width - 1);
}

static void fill_widths(struct terms *t)
{
	for (int l = 0; l < t->levels; l++) {
		if (t->machine->level[l].width <= 1)
			continue;
		if (t->fanout[l] == 1) {
			t->rounded |= 1u << l;
			continue;
		}
		t->wide |= 1u << l;
		for (int o = 0; o < t->operands; o++)
			if (t->constraint.may_keep[l] >> o & 1)
				add_tallies(t, l, o);
	}
}

/* ---- Of each operand ------------------------------------------------------------------------------------------ */

static void fill_patterns(struct terms *t)
{
	t->patterns = 0;
	for (int d = 0; d < t->problem->dims; d++) {
		unsigned pattern = 0;
		int i = 0;
		for (int o = 0; o < t->operands; o++)
			if (!(t->problem->operand[o].relevant >> d & 1))
				pattern |= 1u << o;
		while (i < t->patterns && t->pattern[i] != pattern)
			i++;
		if (i == t->patterns)
			t->pattern[t->patterns++] = pattern;
	}
	if (t->patterns == 0)
		t->pattern[t->patterns++] = 0;
}

/* Tiles overlap along a dimension that shares a rank with another and moves that rank alone. */
static void fill_sliding(struct terms *t)
{
	for (int o = 0; o < t->operands; o++) {
		const struct operand *operand = &t->problem->operand[o];
		t->sliding[o] = t->tangled[o] = 0;
		for (int d = 0; d < t->problem->dims; d++) {
			int moved = 0, others = 0;
			for (int r = 0; r < operand->ranks; r++) {
				if (operand->coef[r][d] == 0)
					continue;
				moved++;
				for (int e = 0; e < t->problem->dims; e++)
					others += e != d && operand->coef[r][e] != 0;
			}
			if (moved == 1 && others > 0)
				t->sliding[o] |= 1u << d;
			if (others > 0)
				t->tangled[o] |= 1u << d;
		}
	}
}

double terms_halo(const struct terms *t, int child, int operand, int32_t tile, int dim,
		  int64_t step, double steps)
{
	const struct operand *o = &t->problem->operand[operand];
	int64_t extent[MAX_DIMS];
	double kept = 1, words = t->tile[tile].words[operand];

	if (child < 0 || !(t->sliding[operand] >> dim & 1) ||
	    t->machine->level[child].halo != HALO_DELTA)
		return 1;
	lattice_box(&t->lattice, tile, extent);
	for (int r = 0; r < o->ranks; r++) {
		int64_t length = tile_length(o, r, t->problem->dims, extent);
		int64_t shift = llabs(o->coef[r][dim]) * step;
		if (length <= shift)
			return 1;
		kept *= (double)(length - shift);
	}
	return (words + (steps - 1) * (words - kept)) / (steps * words);
}

/* ---- The whole -------------------------------------------------------------------------------------------------- */

bool terms_fit(const struct terms *t, int level, unsigned kept, int32_t state)
{
	const struct level *l = &t->machine->level[level];
	double sum = 0, of_class[CLASSES] = {0};

	for (int o = 0; o < t->operands; o++)
		if (kept >> o & 1) {
			sum += t->tile[state].words[o];
			of_class[t->problem->operand[o].class] += t->tile[state].words[o];
		}
	for (int c = 0; c < CLASSES; c++)
		if (l->class_words[c] > 0 && of_class[c] > (double)(l->class_words[c] / l->buffers))
			return false;
	return l->words == 0 || sum <= (double)(l->words / l->buffers);
}

/* At the outermost level the bound takes the best single run for what is open. That is what it costs if each
 * dimension is irrelevant to one operand at most, no array hangs there, accesses are of single words, and nothing is said of
 * it or the next level. */
static bool is_tail_exact(const struct terms *t)
{
	bool exact = t->machine->level[0].axes == 0;

	for (int i = 0; i < t->patterns; i++)
		exact &= __builtin_popcount(t->pattern[i]) <= 1;
	for (int l = 0; l < 2 && l < t->levels; l++) {
		exact &= t->machine->level[l].width <= 1;
		exact &= t->constraint.order_count[l] == 0 && t->constraint.stationary[l] < 0;
		for (int d = 0; d < t->problem->dims; d++)
			exact &= t->constraint.time[l][d] == 0;
	}
	return exact;
}

enum terms_status terms_make(struct terms *t, struct arena *arena, const struct problem *p,
			     const struct hierarchy *h, const struct constraint *constraint)
{
	memset(t, 0, sizeof *t);
	t->arena = arena;
	t->problem = p;
	t->machine = h;
	t->levels = h->levels;
	t->operands = p->operands;
	t->output = p->operands - 1;
	for (int l = 0; l < h->levels; l++)
		t->arrays += h->level[l].axes > 0;
	t->all = (1u << p->operands) - 1;
	if (constraint)
		t->constraint = *constraint;
	else
		constraint_free(&t->constraint, p, h);
	switch (lattice_make(&t->lattice, p)) {
	case LATTICE_TOO_MANY:
		return TERMS_TOO_MANY;
	case LATTICE_NO_MEMORY:
		return TERMS_NO_MEMORY;
	case LATTICE_DONE:
		break;
	}
	if (!fill_states(t))
		return TERMS_NO_MEMORY;
	t->macs = t->tile[0].visits;
	t->outputs = t->tile[t->lattice.states - 1].words[t->output];
	fill_costs(t);
	fill_routes(t);
	fill_parents(t);
	fill_ports(t);
	fill_widths(t);
	fill_patterns(t);
	fill_sliding(t);
	t->is_tail_exact = is_tail_exact(t);
	return spread_make(t);
}

void terms_free(struct terms *t)
{
	free(t->tile);
	lattice_free(&t->lattice);
}
