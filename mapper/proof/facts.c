/* facts.c -- boxes, sets and rates; docs/cost-model.md has the rules. */
#include "mapper/proof/facts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Boxes ---------------------------------------------------------------------------------------------------- */

static double length_of(const struct operand *o, int rank, int dims, const int64_t length[])
{
	double sum = 1;

	for (int d = 0; d < dims; d++)
		sum += (double)llabs(o->coef[rank][d]) * (double)(length[d] - 1);
	return sum;
}

static double words_of(const struct operand *o, int dims, const int64_t length[])
{
	double words = 1;

	for (int r = 0; r < o->ranks; r++)
		words *= length_of(o, r, dims, length);
	return words;
}

static bool measure_boxes(struct facts *f)
{
	size_t count = (size_t)f->boxes.count;
	const struct problem *p = f->problem;

	f->steps = calloc(count, sizeof(double));
	for (int o = 0; o < f->operands; o++) {
		f->words[o] = calloc(count, sizeof(double));
		f->again[o] = calloc(count, sizeof(double));
		if (!f->words[o] || !f->again[o] || !f->steps)
			return false;
	}
	for (int32_t box = 0; box < f->boxes.count; box++) {
		int64_t length[MAX_DIMS];
		double again[MAX_OPERANDS] = {1, 1, 1, 1}, steps = 1;
		box_lengths(&f->boxes, box, length);
		for (int d = 0; d < p->dims; d++) {
			double left = (double)p->extent[d] / (double)length[d];
			steps *= left;
			for (int o = 0; o < f->operands; o++)
				if (!(p->operand[o].relevant >> d & 1))
					again[o] *= left;
		}
		f->steps[box] = steps;
		for (int o = 0; o < f->operands; o++) {
			f->words[o][box] = words_of(&p->operand[o], p->dims, length);
			f->again[o][box] = again[o];
		}
	}
	return true;
}

bool box_fits(const struct facts *f, int level, unsigned kept, int32_t box)
{
	const struct level *l = &f->machine->level[level];
	double sum = 0, class[CLASSES] = {0};

	for (int o = 0; o < f->operands; o++)
		if (kept >> o & 1) {
			sum += f->words[o][box];
			class[f->problem->operand[o].class] += f->words[o][box];
		}
	if (l->words > 0 && sum > (double)(l->words / l->buffers))
		return false;
	for (int c = 0; c < CLASSES; c++)
		if (l->class_words[c] > 0 && class[c] > (double)(l->class_words[c] / l->buffers))
			return false;
	return true;
}

double uneven_part(const struct facts *f, int operand, int32_t box)
{
	const struct operand *o = &f->problem->operand[operand];
	double part = 1;

	for (int r = 0; r < o->ranks && !f->is_exact; r++)
		for (int d = 0; d < f->problem->dims; d++) {
			const struct part *uneven = &f->boxes.side[d].part;
			double step = (double)llabs(o->coef[r][d]);
			if (uneven->units && step > 1 &&
			    box_length(&f->boxes, box, d) <= uneven->tile)
				part *= fmax(0, 1 - (step - 1) / (double)uneven->left);
		}
	return part;
}

/* ---- Halos (rule 2) ---------------------------------------------------------------------------------------------- */

double halo_part(const struct facts *f, int child, int operand, int32_t box, int dim, int64_t shift,
		 int64_t steps)
{
	const struct operand *o = &f->problem->operand[operand];
	int64_t length[MAX_DIMS];
	double stays = 1, words = f->words[operand][box];
	int moved = 0;

	if (f->machine->level[child].halo != HALO_DELTA)
		return 1;
	box_lengths(&f->boxes, box, length);
	for (int r = 0; r < o->ranks; r++) {
		double by = (double)llabs(o->coef[r][dim]) * (double)shift;
		double rank = length_of(o, r, f->problem->dims, length);
		moved += by > 0;
		stays *= rank > by ? rank - by : 0;
	}
	if (moved != 1)
		return 1;
	return (words + (double)(steps - 1) * (words - stays)) / ((double)steps * words);
}

double halo_least(const struct facts *f, int child, int operand, int32_t box)
{
	double least = 1;

	for (int d = 0; d < f->problem->dims; d++) {
		int64_t length = box_length(&f->boxes, box, d);
		int64_t steps = (f->problem->extent[d] + length - 1) / length;
		double part;
		if (steps == 1 || !(f->problem->operand[operand].relevant >> d & 1))
			continue;
		part = halo_part(f, child, operand, box, d, length, steps);
		least = part < least ? part : least;
	}
	return least;
}

int32_t box_sliding(const struct facts *f, int operand, int32_t box)
{
	int32_t sliding = 0;

	for (int d = 0; d < f->problem->dims; d++)
		if (f->tangled[operand] >> d & 1)
			sliding += box_place(&f->boxes, box, d) * f->boxes.side[d].stride;
	return sliding;
}

static void find_scattered(struct facts *f)
{
	const struct operand *o = &f->problem->operand[f->output];

	for (int r = 0; r < o->ranks; r++) {
		int64_t moves = 0;
		for (int d = 0; d < f->problem->dims; d++)
			moves += llabs(o->coef[r][d]);
		f->is_scattered |= moves > 1;
	}
}

static void find_tangled(struct facts *f)
{
	find_scattered(f);
	f->is_exact = !f->is_scattered;
	for (int o = 0; o < f->operands; o++)
		for (int r = 0; r < f->problem->operand[o].ranks; r++) {
			unsigned moves = 0;
			for (int d = 0; d < f->problem->dims; d++)
				if (f->problem->operand[o].coef[r][d])
					moves |= 1u << d;
			if (moves & (moves - 1))
				f->tangled[o] |= moves;
		}
	for (int o = 0; o < f->operands; o++)
		for (int d = 0; d < f->problem->dims; d++)
			f->is_exact &= !(f->tangled[o] >> d & 1) || !f->boxes.side[d].part.units;
	for (int o = 0; o < f->operands; o++)
		for (int r = 0; r < f->problem->operand[o].ranks; r++)
			for (int d = 0; d < f->problem->dims; d++)
				f->is_exact &= !f->boxes.side[d].part.units ||
					       llabs(f->problem->operand[o].coef[r][d]) <= 1;
	for (int d = 0; d < f->problem->dims; d++)
		for (int l = f->boxes.side[d].part.level + 1; l < f->levels; l++)
			f->is_exact &= !f->boxes.side[d].part.units || !f->machine->level[l].array;
}

/* ---- Sets and patterns --------------------------------------------------------------------------------------------- */

static void list_sets(struct facts *f)
{
	unsigned all = (1u << f->operands) - 1;

	for (int l = 0; l < f->levels; l++) {
		unsigned must = f->constraint->must_keep[l], may = f->constraint->may_keep[l];
		if (l == 0)
			must = may = all;
		if (!f->machine->level[l].is_memory)
			must = may = 0;
		for (unsigned set = 0; set <= all; set++)
			if ((set & must) == must && (set & ~may) == 0)
				f->set[l][f->sets[l]++] = set;
	}
}

static void list_patterns(struct facts *f)
{
	for (int d = 0; d < f->problem->dims; d++) {
		unsigned pattern = 0;
		int i = 0;
		for (int o = 0; o < f->operands; o++)
			if (!(f->problem->operand[o].relevant >> d & 1))
				pattern |= 1u << o;
		while (i < f->patterns && f->pattern[i] != pattern)
			i++;
		if (i == f->patterns)
			f->pattern[f->patterns++] = pattern;
		f->pattern_of[d] = i;
	}
}

unsigned patterns_left(const struct facts *f, int32_t box)
{
	unsigned left = 0;

	for (int d = 0; d < f->problem->dims; d++)
		if (box_place(&f->boxes, box, d) < f->boxes.side[d].count - 1)
			left |= 1u << f->pattern_of[d];
	return left;
}

/* ---- Quantities ------------------------------------------------------------------------------------------------------ */

static struct quantity *add_quantity(struct facts *f)
{
	struct quantity *q = &f->quantity[f->quantities++];

	memset(q, 0, sizeof *q);
	return q;
}

static void add_energy(struct facts *f)
{
	struct quantity *q = add_quantity(f);

	q->is_energy = true;
	for (int l = 0; l < f->levels; l++)
		for (int o = 0; o < f->operands; o++) {
			const struct level *level = &f->machine->level[l];
			struct rate *r = &q->rate[l][o];
			double width = level->width > 1 ? (double)level->width : 1;
			r->fill = level->cost[ACCESS_FILL] / width;
			r->serve = level->cost[ACCESS_READ] / width;
			r->hop = f->mesh_hop[l][o] > 0 ? 0 : level->hop_cost;
			if (o != f->output)
				continue;
			r->first_fill = r->fill;
			r->first_serve = r->serve;
			r->serve += level->cost[ACCESS_UPDATE] / width;
		}
}

/* A port through which words go inward (reads), come in (fills, updates), or both. */
static void add_port(struct facts *f, int level, unsigned operands, bool reads, bool writes,
		     double bandwidth)
{
	struct quantity *q;

	if (bandwidth <= 0 || operands == 0)
		return;
	q = add_quantity(f);
	q->level = level;
	q->bandwidth = bandwidth;
	for (int o = 0; o < f->operands; o++) {
		struct rate *r = &q->rate[level][o];
		if (!(operands >> o & 1))
			continue;
		r->fill = writes;
		r->serve = reads;
		if (o != f->output)
			continue;
		r->first_fill = writes;
		r->first_serve = reads;
		r->serve += writes;
	}
}

static void add_ports(struct facts *f, int level)
{
	const struct level *l = &f->machine->level[level];
	unsigned of_class[CLASSES] = {0}, common = 0;

	for (int o = 0; o < f->operands; o++) {
		enum tensor_class class = f->problem->operand[o].class;
		if (l->class_bandwidth[class] > 0)
			of_class[class] |= 1u << o;
		else
			common |= 1u << o;
	}
	add_port(f, level, common, true, false, l->read_bandwidth);
	add_port(f, level, common, false, true, l->write_bandwidth);
	add_port(f, level, common, true, true, l->shared_bandwidth);
	for (int c = 0; c < CLASSES; c++)
		add_port(f, level, of_class[c], true, true, l->class_bandwidth[c]);
}

/* Of an array that is not the outermost what passes counts, whether its level is the parent or not. */
static void add_network(struct facts *f, int level)
{
	double bandwidth = f->machine->level[level].network_bandwidth;

	if (f->machine->level[level].axes == 0 || bandwidth <= 0)
		return;
	if (level == 0) {
		add_port(f, 0, (1u << f->operands) - 1, true, true, bandwidth);
		return;
	}
	*add_quantity(f) =
		(struct quantity){.is_network = true, .level = level, .bandwidth = bandwidth};
	f->has_routes = true;
}

static double leakage_of(const struct hierarchy *h)
{
	double copies = 1, sum = h->leakage;

	for (int l = 0; l < h->levels; l++) {
		sum += h->level[l].leakage * copies;
		for (int a = 0; a < h->level[l].axes; a++)
			copies *= (double)h->level[l].fanout[a];
	}
	return sum + h->mac_leakage * copies;
}

static void list_quantities(struct facts *f, const struct proof_goal *goal)
{
	f->leakage = leakage_of(f->machine);
	f->quantity = ARENA_ARRAY(f->arena, MAX_QUANTITIES, struct quantity);
	f->counts_energy =
		goal->objective != OBJECTIVE_CYCLES || goal->most_energy > 0 || goal->most_edp > 0;
	if (f->counts_energy)
		add_energy(f);
	f->counts_cycles = goal->objective != OBJECTIVE_ENERGY || f->leakage > 0 ||
			   goal->most_cycles > 0 || goal->most_edp > 0;
	for (int l = 0; l < f->levels && f->counts_cycles; l++) {
		add_ports(f, l);
		add_network(f, l);
	}
}

/* ---- Networks -------------------------------------------------------------------------------------------------- */

/* Words are passed on by memories: without one inside that may keep the operand, a link is nothing. */
static bool may_pass_on(const struct facts *f, int level, int operand)
{
	unsigned linked = f->machine->level[level].linked[f->problem->operand[operand].class];
	bool may = false;

	for (int l = level + 1; l < f->levels; l++)
		may |= f->constraint->may_keep[l] >> operand & 1;
	return may && linked != 0 && operand != f->output;
}

/* Beyond so many arrays, or units where their tiles slide, labels count the least that networks can cost. */
static void find_too_much(struct facts *f)
{
	double units = 1;
	int arrays = 0, tangled = 0;

	for (int l = 0; l < f->levels; l++) {
		const struct level *level = &f->machine->level[l];
		arrays += level->axes > 0;
		for (int a = 0; a < level->axes; a++)
			units *= (double)level->fanout[a];
	}
	for (int o = 0; o < f->operands; o++)
		tangled |= f->tangled[o] != 0;
	f->is_exact &= arrays <= MOST_CROSSINGS;
	f->is_exact &= !(f->has_routes && tangled && units > MOST_NEEDS);
}

static void find_routes(struct facts *f)
{
	for (int l = 0; l < f->levels; l++)
		for (int o = 0; o < f->operands && f->machine->level[l].axes > 0; o++) {
			const struct level *level = &f->machine->level[l];
			enum tensor_class class = f->problem->operand[o].class;
			if (level->topology[class] != TOPOLOGY_BUS)
				f->mesh_hop[l][o] = level->hop_cost;
			f->is_linked[l][o] = may_pass_on(f, l, o);
			f->links += f->is_linked[l][o];
			f->has_routes |= f->mesh_hop[l][o] > 0 || f->is_linked[l][o];
			for (int inside = l + 1; inside < f->levels; inside++)
				f->asks_where[inside][o] |=
					f->is_linked[l][o] ||
					(f->mesh_hop[l][o] > 0 && f->tangled[o] != 0);
		}
	for (int d = 0; d < f->problem->dims; d++)
		f->is_uneven |= f->boxes.side[d].part.units > 0;
	f->is_exact &= !f->is_uneven || !f->has_routes;
	/* Who hands on most of several operands is not known where units are not in rows by columns. */
	for (int l = 0; l < f->levels; l++)
		for (int o = 0; o < f->operands && f->links > 1; o++)
			f->is_exact &= !f->is_linked[l][o] || f->tangled[o] == 0;
}

/* What units read for others is not alike in all of them, nor is anything where a dimension is parted unevenly. */
static void find_rounded(struct facts *f)
{
	for (int l = 0; l < f->levels; l++)
		for (int o = 0; o < f->operands; o++)
			for (int k = 0; k < ACCESS_KINDS; k++) {
				const struct level *level = &f->machine->level[l];
				bool is_passed_on = false, rounds;
				for (int out = 0; out < l && k == ACCESS_READ; out++)
					is_passed_on |= f->is_linked[out][o];
				rounds = f->counts_energy && level->is_memory && level->width > 1 &&
					 level->cost[k] > 0;
				f->is_exact &= !rounds || !(is_passed_on || f->is_uneven);
				f->is_rounded[l][o][k] = rounds && !is_passed_on && !f->is_uneven;
				f->has_rounded |= f->is_rounded[l][o][k];
			}
}

/* ---- Arrays ------------------------------------------------------------------------------------------------------------ */

/* Where words cross several arrays, the units of one may need what those of another do. */
static void compose_shares(struct facts *f, int p, int q, int operand)
{
	double alone = 1, among = 1;
	int arrays = 0;

	for (int l = p; l < q; l++) {
		alone *= f->spreads[l].least_share[0][operand];
		among *= f->spreads[l].least_share[1][operand];
		arrays += f->spreads[l].most > 1;
	}
	f->least_share[0][p][q][operand] = arrays > 1 ? among : alone;
	f->least_share[1][p][q][operand] = among;
}

/* Each unit that a word comes to is entered by a link of its own. */
static void compose_routes(struct facts *f, int p, int q, int operand)
{
	for (int crossed = 0; crossed < 2; crossed++)
		for (int l = p; l < q; l++)
			f->least_route[crossed][p][q][operand] +=
				f->mesh_hop[l][operand] *
				f->least_share[crossed][l + 1][q][operand];
}

static void compose_arrays(struct facts *f)
{
	f->most_units[0] = f->most_irrelevant[0] = 1;
	for (int l = 0; l < f->levels; l++) {
		f->most_units[l + 1] = f->most_units[l] * f->spreads[l].most;
		f->most_irrelevant[l + 1] = f->most_irrelevant[l] * f->spreads[l].most_irrelevant;
		f->has_array_outside[l] = f->most_units[l] > 1;
	}
	for (int p = 0; p <= f->levels; p++)
		for (int q = p; q <= f->levels; q++)
			for (int o = 0; o < f->operands; o++)
				compose_shares(f, p, q, o);
	for (int p = 0; p <= f->levels; p++)
		for (int q = p; q <= f->levels && f->has_routes; q++)
			for (int o = 0; o < f->operands; o++)
				compose_routes(f, p, q, o);
}

/* ---- Together ---------------------------------------------------------------------------------------------------------- */

enum proof_status facts_make(struct facts *f, struct arena *arena, const struct problem *p,
			     const struct hierarchy *h, const struct constraint *c,
			     const struct part part[], const struct proof_goal *goal)
{
	*f = (struct facts){.arena = arena, .problem = p, .machine = h, .constraint = c};
	f->levels = h->levels;
	f->operands = p->operands;
	f->output = p->operands - 1;
	f->points = f->outputs = 1;
	if (!boxes_make(&f->boxes, arena, p, part))
		return PROOF_TOO_MANY;
	for (int d = 0; d < p->dims; d++) {
		f->points *= (double)p->extent[d];
		if (p->operand[f->output].relevant >> d & 1)
			f->outputs *= (double)p->extent[d];
	}
	if (!measure_boxes(f))
		return PROOF_NO_MEMORY;
	f->output_words = f->words[f->output][f->boxes.count - 1];
	find_tangled(f);
	list_sets(f);
	list_patterns(f);
	find_routes(f);
	list_quantities(f, goal);
	find_rounded(f);
	find_too_much(f);
	for (int l = 0; l < f->levels; l++)
		if (!spreads_make(f, l))
			return PROOF_NO_MEMORY;
	compose_arrays(f);
	return outside_make(f) ? PROOF_DONE : PROOF_NO_MEMORY;
}

void facts_free(struct facts *f)
{
	free(f->steps);
	for (int o = 0; o < MAX_OPERANDS; o++) {
		free(f->words[o]);
		free(f->again[o]);
	}
	for (int l = 0; l < f->levels; l++)
		free(f->spreads[l].spread);
	for (int i = 0; i < f->quantities; i++)
		for (int l = 0; l < f->levels; l++)
			for (int s = 0; f->quantity[i].outside[l] && s < f->sets[l]; s++)
				free(f->quantity[i].outside[l][s]);
	for (int i = 0; i < f->quantities; i++)
		for (int l = 0; l < f->levels; l++)
			free(f->quantity[i].outside_any[l]);
}
