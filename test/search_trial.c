/* search_trial.c -- from a number, a problem, a machine and a constraint; see search_trial.h. */
#include "search_trial.h"
#include "nest_fixture.h"
#include "runtime/random.h"

#include <inttypes.h>
#include <stdlib.h>

const int64_t trial_most[TRIAL_SIZES] = {1000, 4000, 16000, 64000};

/* With imperfect factors mappings are walked to be costed, which is slow. */
enum { MOST_IMPERFECT = 2000 };

int64_t draw(struct trial *trial, int64_t bound)
{
	uint32_t words[4];
	random_words(2, trial->number, trial->draws++, words);
	return words[0] % bound;
}

static bool one_in(struct trial *trial, int64_t n)
{
	return draw(trial, n) == 0;
}

/* The problem. */

static const char *const statement[TRIAL_STATEMENTS] = {
	"n c pr qs|k c r s|n k p q", /* convolution */
	"c pr qs|k c r s|k p q",
	"c pr|k c r|k p",       /* of one direction */
	"g c pr|g k c r|g k p", /* in groups */
	"c pr qs|c r s|c p q",  /* depthwise */
	"c pr qs|c p q",        /* pooling: two operands */
	"n c pr|n c p",
	"a|b|a",       /* a sum, scaled: no operand is indexed by both */
	"m k|k n|m n", /* matmul */
	"b m k|b k n|b m n",
	"a b|b|a b", /* elementwise, one broadcast */
	"a b c|a c|a b c",
	"i|j|i j k",         /* outer product: k is irrelevant to both inputs */
	"i k l|j k|l j|i j", /* four operands */
	"m k|k n|n|m n",
	"c pr ps|c r s|c p", /* a window that moves along two ranks */
};

static int64_t draw_extent(struct trial *trial)
{
	static const int64_t perfect[] = {1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 6, 8, 9, 12};
	static const int64_t imperfect[] = {1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7, 10};
	if (trial->imperfect)
		return imperfect[draw(trial, sizeof imperfect / sizeof *imperfect)];
	return perfect[draw(trial, sizeof perfect / sizeof *perfect)];
}

static void draw_problem(struct trial *trial)
{
	const char *notation = trial->notation;
	struct shape shape;
	int64_t points, most = trial->imperfect ? 150 : 2000;
	do {
		points = 1;
		for (int c = 0; c < LETTERS; c++)
			shape.extent[c] = 0;
		for (const char *at = notation; *at; at++)
			if (*at != ' ' && *at != '|' && shape.extent[(int)*at] == 0)
				points *= shape.extent[(int)*at] = draw_extent(trial);
	} while (points == 1 || points > most);
	shape.stride = 1 + draw(trial, 3); /* often more than the kernel */
	shape.dilation = 1 + draw(trial, 2);
	if (one_in(trial, 16))
		shape.dilation = -shape.dilation;
	note_problem(&trial->problem, notation, &shape);
}

static int64_t tensor_words(const struct problem *problem, int operand)
{
	int64_t words = 1;
	for (int r = 0; r < problem->operand[operand].ranks; r++) {
		int64_t length = 1;
		for (int d = 0; d < problem->dims; d++)
			length += llabs(problem->operand[operand].coef[r][d]) *
				  (problem->extent[d] - 1);
		words *= length;
	}
	return words;
}

/* The machine. */

static double draw_cost(struct trial *trial)
{
	double cost = (double)draw(trial, 100);
	for (int64_t zeros = draw(trial, 4); zeros > 0; zeros--)
		cost *= 10;
	return cost / 100;
}

static double draw_bandwidth(struct trial *trial)
{
	static const double bandwidths[] = {0.1, 0.5, 1, 1.2, 2, 3, 4, 8, 64};
	return one_in(trial, 2) ? 0
				: bandwidths[draw(trial, sizeof bandwidths / sizeof *bandwidths)];
}

static int64_t draw_words(struct trial *trial)
{
	int operand = (int)draw(trial, trial->problem.operands);
	int64_t words = tensor_words(&trial->problem, operand), all = 0;
	for (int o = 0; o < trial->problem.operands; o++)
		all += tensor_words(&trial->problem, o);
	switch (draw(trial, 6)) {
	case 0:
		return 0; /* without end */
	case 1:
		return 1 + draw(trial, 4); /* a register or a few */
	case 2:
		return words + draw(trial, 4); /* one tensor and hardly more */
	case 3:
		return all - draw(trial, 3); /* nearly everything */
	default:
		return 1 + draw(trial, 1 + all / (1 + draw(trial, 8)));
	}
}

static void draw_memory(struct trial *trial, struct level *level)
{
	level->words = draw_words(trial);
	if (one_in(trial, 6))
		for (int c = 0; c < CLASSES; c++)
			level->class_words[c] = draw_words(trial);
	level->buffers = one_in(trial, 3) ? 2 : 1;
	level->halo = one_in(trial, 3) ? HALO_FULL : HALO_DELTA;
	for (int k = 0; k < ACCESS_KINDS; k++)
		level->cost[k] = draw_cost(trial);
	if (one_in(trial, 2)) /* as of most memories */
		level->cost[ACCESS_FILL] = level->cost[ACCESS_UPDATE] = level->cost[ACCESS_READ];
	level->read_bandwidth = draw_bandwidth(trial);
	level->write_bandwidth = draw_bandwidth(trial);
	level->shared_bandwidth = draw_bandwidth(trial);
	for (int c = 0; c < CLASSES; c++)
		level->class_bandwidth[c] = one_in(trial, 6) ? draw_bandwidth(trial) : 0;
	level->leakage = one_in(trial, 6) ? draw_cost(trial) / 8 : 0;
}

static void draw_array(struct trial *trial, struct level *level)
{
	static const int64_t fanouts[] = {2, 2, 3, 4, 4, 5, 6, 8, 16};
	level->axes = 1 + (int)draw(trial, 2);
	level->array = "array";
	for (int a = 0; a < level->axes; a++)
		level->fanout[a] = fanouts[draw(trial, sizeof fanouts / sizeof *fanouts)];
	level->hop_cost = one_in(trial, 3) ? 0 : draw_cost(trial);
	level->multicast = (unsigned)(draw(trial, 8) | draw(trial, 8));
	level->reduce = one_in(trial, 2) ? 1u << CLASS_O : 0;
	for (int c = 0; c < CLASSES; c++)
		level->apart[c] = one_in(trial, 4) ? (unsigned)draw(trial, 4) : 0;
}

/* What a level may keep: anything, some classes, or (in line) one class each. */
static void draw_keeps(struct trial *trial)
{
	static const unsigned line[] = {7, 1 << CLASS_I | 1 << CLASS_O, 1 << CLASS_I, 1 << CLASS_W,
					1 << CLASS_O};
	struct hierarchy *machine = &trial->machine;
	int64_t style = machine->levels == 5 ? 2 : draw(trial, 2);
	for (int l = 1; l < machine->levels; l++) {
		struct level *level = &machine->level[l];
		level->may_keep = 7;
		if (style == 1) {
			level->may_keep = (unsigned)(draw(trial, 8) | draw(trial, 8));
			level->must_keep = (unsigned)draw(trial, 8) & (unsigned)draw(trial, 8) &
					   level->may_keep;
		}
		if (style == 2)
			level->may_keep = line[l];
		if (style == 2 && l > 1 && !one_in(trial, 4))
			level->must_keep = line[l];
	}
}

/* Outer memories cost more, as a rule. */
static void sort_costs(struct hierarchy *machine)
{
	for (int k = 0; k < ACCESS_KINDS; k++)
		for (int a = 0; a < machine->levels; a++)
			for (int b = a + 1; b < machine->levels; b++) {
				double *outer = &machine->level[a].cost[k];
				double *inner = &machine->level[b].cost[k], cost = *outer;
				if (*inner > *outer) {
					*outer = *inner;
					*inner = cost;
				}
			}
}

static void draw_machine(struct trial *trial, int levels)
{
	static const char *const names[] = {"m0", "m1", "m2", "m3", "m4"};
	struct hierarchy *machine = &trial->machine;
	*machine = (struct hierarchy){.name = "random", .clock = 1e9};
	machine->levels = levels;
	machine->mac_cost = draw_cost(trial);
	for (int l = 0; l < machine->levels; l++) {
		struct level *level = &machine->level[l];
		*level =
			(struct level){.name = names[l], .is_memory = true, .width = 1, .word = 16};
		level->fanout[0] = level->fanout[1] = 1;
		level->axis[0] = "row";
		level->axis[1] = "column";
		draw_memory(trial, level);
	}
	draw_keeps(trial);
	int most_arrays = trial->imperfect ? 2 : 3; /* imperfect factors want one */
	for (int arrays = (int)draw(trial, most_arrays) + 3 - most_arrays; arrays > 0; arrays--)
		draw_array(trial, &machine->level[draw(trial, machine->levels)]);
	struct level *outermost = &machine->level[0];
	if (!one_in(trial, 16)) { /* else, it may be that nothing fits */
		outermost->words = 0;
		memset(outermost->class_words, 0, sizeof outermost->class_words);
	}
	outermost->may_keep = outermost->must_keep = 7;
	if (!one_in(trial, 3))
		sort_costs(machine);
	for (int l = 1; l < machine->levels; l++)
		if (machine->level[l - 1].axes > 0 && one_in(trial, 6)) { /* an array in an array */
			struct level *level = &machine->level[l];
			draw_array(trial, level);
			level->is_memory = false;
			level->may_keep = level->must_keep = 0;
		}
}

/* The constraint. */

/* Steps that a loop could have: 1, as often as not. */
static int64_t draw_steps(struct trial *trial, int dim)
{
	int64_t extent = trial->problem.extent[dim], steps = 1;
	if (one_in(trial, 2))
		return 1;
	do
		steps = 1 + draw(trial, extent);
	while (extent % steps != 0 && !trial->imperfect);
	return steps;
}

static void constrain_loop(struct trial *trial)
{
	int l = (int)draw(trial, trial->machine.levels), d = (int)draw(trial, trial->problem.dims);
	int axes = trial->machine.level[l].axes;
	if (axes > 0 && one_in(trial, 2))
		trial->constraint.space[l][draw(trial, axes)][d] = draw_steps(trial, d);
	else if (trial->machine.level[l].is_memory)
		trial->constraint.time[l][d] = draw_steps(trial, d);
}

static void constrain_order(struct trial *trial)
{
	int l = (int)draw(trial, trial->machine.levels);
	struct constraint *constraint = &trial->constraint;
	if (!trial->machine.level[l].is_memory)
		return;
	constraint->order_count[l] = 0;
	constraint->stationary[l] = -1;
	if (one_in(trial, 2)) {
		constraint->stationary[l] = (int)draw(trial, trial->problem.operands);
		return;
	}
	unsigned named = 0;
	for (int64_t i = 1 + draw(trial, trial->problem.dims); i > 0; i--) {
		int d = (int)draw(trial, trial->problem.dims);
		if (!(named >> d & 1))
			constraint->order[l][constraint->order_count[l]++] = d;
		named |= 1u << d;
	}
}

static void constrain_keep(struct trial *trial)
{
	int l = 1 + (int)draw(trial, trial->machine.levels - 1);
	unsigned operand = 1u << draw(trial, trial->problem.operands);
	struct constraint *constraint = &trial->constraint;
	if (!(constraint->may_keep[l] & operand) || (constraint->must_keep[l] & operand))
		return;
	if (one_in(trial, 2))
		constraint->must_keep[l] |= operand;
	else
		constraint->may_keep[l] &= ~operand;
}

static void draw_constraint(struct trial *trial)
{
	constraint_free(&trial->constraint, &trial->problem, &trial->machine);
	trial->constrained = one_in(trial, 4);
	if (!trial->constrained)
		return;
	for (int64_t i = draw(trial, 4); i > 0; i--)
		constrain_loop(trial);
	for (int64_t i = draw(trial, 3); i > 0; i--)
		constrain_order(trial);
	for (int64_t i = draw(trial, 3); i > 0; i--)
		constrain_keep(trial);
}

/* The trial. */

/* Few mappings enough for brute force, and not too few for the search to prune; now and then, none
 * at all. */
static void draw_all(struct trial *trial, uint64_t number, bool imperfect, const char *notation)
{
	static const int level_counts[] = {2, 3, 3, 3, 3, 4, 4, 4, 5, 5};
	int64_t most =
		imperfect ? MOST_IMPERFECT : trial_most[number / TRIAL_STATEMENTS % TRIAL_SIZES];
	*trial = (struct trial){.number = number, .notation = notation, .imperfect = imperfect};
	int64_t least = most >> (1 + 2 * draw(trial, 6));
	bool infeasible = one_in(trial, 16);
	int levels = level_counts[draw(trial, sizeof level_counts / sizeof *level_counts)];
	do {
		draw_problem(trial);
		draw_machine(trial, levels);
		draw_constraint(trial);
		trial->options = (struct search_options){.imperfect = imperfect};
		if (trial->constrained)
			trial->options.constraint = &trial->constraint;
		trial->evaluations =
			brute_evaluations(&trial->problem, &trial->machine, &trial->options, most);
	} while (trial->evaluations > most ||
		 (trial->evaluations < least && !(infeasible && trial->evaluations == 0)));
	if (one_in(trial, 6)) {
		int64_t macs = 1;
		for (int d = 0; d < trial->problem.dims; d++)
			macs *= trial->problem.extent[d];
		trial->options.most_cycles = 1 + draw(trial, macs << draw(trial, 6));
	}
}

void draw_trial(struct trial *trial, uint64_t number, bool imperfect)
{
	draw_all(trial, number, imperfect, statement[number % TRIAL_STATEMENTS]);
}

void draw_trial_of(struct trial *trial, uint64_t number, const char *notation)
{
	draw_all(trial, number, false, notation);
}

/* Along an axis that is linked, units are served together. */
static void draw_links(struct trial *trial, struct level *level)
{
	for (int c = 0; c < CLASSES; c++) {
		level->linked[c] = (unsigned)draw(trial, 1 << level->axes);
		level->apart[c] &= ~level->linked[c];
		if (level->linked[c])
			level->multicast |= 1u << c;
	}
}

void draw_networks(struct trial *trial, unsigned what)
{
	for (int l = 0; l < trial->machine.levels; l++) {
		struct level *level = &trial->machine.level[l];
		if (what & TRIAL_WIDTHS && level->is_memory)
			level->width = 1 + draw(trial, 4);
		if (level->axes == 0)
			continue;
		if (what & TRIAL_LIMITS)
			level->network_bandwidth = draw_bandwidth(trial);
		if (what & TRIAL_MESHES && level->hop_cost == 0)
			level->hop_cost = draw_cost(trial);
		for (int c = 0; what & TRIAL_MESHES && c < CLASSES; c++)
			level->topology[c] = (enum topology)draw(trial, TOPOLOGY_TORUS + 1);
		if (what & TRIAL_LINKS)
			draw_links(trial, level);
	}
}

static void print_operands(FILE *file, const struct problem *problem)
{
	fprintf(file, "%s, where", problem->name);
	for (int d = 0; d < problem->dims; d++)
		fprintf(file, " %s = %" PRId64, problem->dim[d], problem->extent[d]);
	for (int o = 0; o < problem->operands; o++) {
		fprintf(file, "\n  %s[", problem->operand[o].name);
		for (int r = 0; r < problem->operand[o].ranks; r++) {
			for (int d = 0; d < problem->dims; d++)
				if (problem->operand[o].coef[r][d])
					fprintf(file, " %+" PRId64 "%s",
						problem->operand[o].coef[r][d], problem->dim[d]);
			fprintf(file, r + 1 < problem->operand[o].ranks ? "," : " ");
		}
		fprintf(file, "] of %" PRId64 " words", tensor_words(problem, o));
	}
}

static void print_level(FILE *file, const struct level *level)
{
	fprintf(file,
		"\n  %s%s: words %" PRId64 " (%" PRId64 " %" PRId64 " %" PRId64
		") / %d, keeps %x .. %x",
		level->name, level->is_memory ? "" : " (array)", level->words,
		level->class_words[0], level->class_words[1], level->class_words[2], level->buffers,
		level->must_keep, level->may_keep);
	fprintf(file, ", halo %s, cost %g %g %g, bandwidth %g %g %g",
		level->halo == HALO_FULL ? "full" : "delta", level->cost[0], level->cost[1],
		level->cost[2], level->read_bandwidth, level->write_bandwidth,
		level->shared_bandwidth);
	if (level->axes > 0)
		fprintf(file,
			"; array %" PRId64 " x %" PRId64
			", hop %g, multicast %x, reduce %x, apart %x %x %x",
			level->fanout[0], level->axes > 1 ? level->fanout[1] : 0, level->hop_cost,
			level->multicast, level->reduce, level->apart[0], level->apart[1],
			level->apart[2]);
	if (level->width > 1)
		fprintf(file, ", width %" PRId64, level->width);
	if (level->axes > 0)
		fprintf(file, ", network %g, topology %d %d %d, linked %x %x %x",
			level->network_bandwidth, (int)level->topology[0], (int)level->topology[1],
			(int)level->topology[2], level->linked[0], level->linked[1],
			level->linked[2]);
}

static void print_constraint(FILE *file, const struct trial *trial)
{
	const struct constraint *c = &trial->constraint;
	for (int l = 0; l < trial->machine.levels; l++) {
		fprintf(file, "\n  %s shall keep %x .. %x", trial->machine.level[l].name,
			c->must_keep[l], c->may_keep[l]);
		for (int d = 0; d < trial->problem.dims; d++)
			fprintf(file, ", %s %" PRId64 " (%" PRId64 " %" PRId64 ")",
				trial->problem.dim[d], c->time[l][d], c->space[l][0][d],
				c->space[l][1][d]);
		if (c->stationary[l] >= 0)
			fprintf(file, ", stationary %d", c->stationary[l]);
		for (int i = 0; i < c->order_count[l]; i++)
			fprintf(file, "%s%s", i == 0 ? ", order " : " ",
				trial->problem.dim[c->order[l][i]]);
	}
}

void print_trial(FILE *file, const struct trial *trial)
{
	fprintf(file,
		"trial %" PRIu64 " (%s factors, %" PRId64 " mappings to cost): ", trial->number,
		trial->imperfect ? "imperfect" : "perfect", trial->evaluations);
	print_operands(file, &trial->problem);
	fprintf(file, "\n  mac %g", trial->machine.mac_cost);
	for (int l = 0; l < trial->machine.levels; l++)
		print_level(file, &trial->machine.level[l]);
	if (trial->constrained)
		print_constraint(file, trial);
	if (trial->options.most_cycles)
		fprintf(file, "\n  in at most %" PRId64 " cycles", trial->options.most_cycles);
	fprintf(file, "\n");
}
