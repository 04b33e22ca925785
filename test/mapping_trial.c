/* mapping_trial.c -- draws from the number of a trial; machines are drawn around their mappings. */
#include "mapping_trial.h"
#include "nest_fixture.h"
#include "runtime/random.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MOST_POINTS = 1000 };

int64_t draw(struct trial *trial, int64_t bound)
{
	uint32_t words[4];
	random_words(1, trial->number, trial->draws++, words);
	return words[0] % bound;
}

static const char *draw_notation(struct trial *trial)
{
	static const char *const gather[] = {
		"n c pr qs|k c r s|n k p q",       /* convolution */
		"n g c pr qs|g k c r s|n g k p q", /* in groups */
		"n c pr qs|c r s|n c p q",         /* depthwise */
		"n c pr qs|n c p q",               /* pooling */
		"n c pr|k c r|n k p",
		"m k|k n|m n",
		"b m k|b k n|b m n",
		"i k l|j k|l j|i j", /* four operands */
		"c pr ps|c r s|c p", /* a window that moves along two ranks */
		"a b|b|a b",
		"a b|",
	};
	static const char *const scatter[] = {
		"n c p q|c k r s|n k pr qs", /* transposed convolution */
		"c p|c k r|k pr",
		"p|pr",
	};
	if (trial->beyond & SCATTER)
		return scatter[draw(trial, sizeof scatter / sizeof *scatter)];
	return gather[draw(trial, sizeof gather / sizeof *gather)];
}

static void draw_problem(struct trial *trial)
{
	static const int64_t extents[] = {1, 2, 2, 3, 3, 4, 4, 5, 6, 8, 9, 12};
	struct shape shape;
	int64_t points;
	const char *notation = draw_notation(trial);
	do {
		points = 1;
		for (int c = 0; c < LETTERS; c++)
			shape.extent[c] = 1;
		for (const char *at = notation; *at; at++)
			if (shape.extent[(int)*at] == 1 && *at != ' ' && *at != '|') {
				int64_t extent =
					extents[draw(trial, sizeof extents / sizeof *extents)];
				shape.extent[(int)*at] = extent;
				points *= extent;
			}
	} while (points > MOST_POINTS);
	shape.stride = 1 + draw(trial, 3);
	shape.dilation = 1 + draw(trial, 2);
	if (draw(trial, 8) == 0)
		shape.dilation = -shape.dilation;
	note_problem(&trial->problem, notation, &shape);
}

/* Capacities and fan-outs come with the mapping. Costs and bandwidths are such that sums of them
 * are exact. */
static void draw_machine(struct trial *trial)
{
	static const double bandwidths[] = {0, 0, 0, 0.5, 1, 2, 3, 8};
	struct hierarchy *machine = &trial->machine;
	*machine = (struct hierarchy){.name = "random", .clock = 1e9};
	machine->levels = 2 + (int)draw(trial, 4);
	machine->mac_cost = (double)draw(trial, 9) / 4;
	machine->mac_leakage = (double)draw(trial, 3) / 8;
	machine->leakage = (double)draw(trial, 3) / 2;
	for (int l = 0; l < machine->levels; l++) {
		struct level *level = &machine->level[l];
		level->name = "memory";
		level->is_memory = l == 0 || draw(trial, 10) > 0;
		level->may_keep = level->is_memory ? 7 : 0;
		level->buffers = 1 + (int)draw(trial, 2);
		level->halo = draw(trial, 3) ? HALO_DELTA : HALO_FULL;
		for (int k = 0; k < ACCESS_KINDS; k++)
			level->cost[k] = (double)draw(trial, 17) / 4;
		level->hop_cost = (double)draw(trial, 9) / 8;
		level->read_bandwidth = bandwidths[draw(trial, 8)];
		level->write_bandwidth = bandwidths[draw(trial, 8)];
		level->shared_bandwidth = bandwidths[draw(trial, 8)];
		for (int c = 0; c < CLASSES; c++)
			level->class_bandwidth[c] = draw(trial, 4) ? 0 : bandwidths[draw(trial, 8)];
		level->leakage = (double)draw(trial, 5) / 4;
		level->multicast = (unsigned)draw(trial, 8);
		level->reduce = (unsigned)draw(trial, 8);
		level->width = 1;
		level->word = 16;
		for (int a = 0; a < MAX_AXES; a++)
			level->fanout[a] = 1;
	}
	for (int arrays = (int)draw(trial, 3); arrays > 0; arrays--)
		machine->level[draw(trial, machine->levels)].axes = 1 + (int)draw(trial, 2);
}

static struct mapped_loop draw_loop(struct trial *trial, int dim)
{
	struct mapped_loop loop = {.kind = LOOP_TIME, .dim = dim};
	loop.level = (int)draw(trial, trial->machine.levels);
	if (draw(trial, 4) == 0)
		for (int l = 0; l < trial->machine.levels; l++)
			if (trial->machine.level[l].axes)
				loop.level = l;
	int axes = trial->machine.level[loop.level].axes;
	if (axes > 0 && draw(trial, 2)) {
		loop.kind = LOOP_SPACE;
		loop.axis = (int)draw(trial, axes);
	}
	return loop;
}

static int outer_first(const void *left, const void *right)
{
	const struct mapped_loop *a = left, *b = right;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind == LOOP_TIME ? -1 : 1;
	return a->tile < b->tile ? -1 : a->tile > b->tile; /* so far, a random number */
}

/* What each loop leaves inside, outermost first, and the fan-out that its steps take. */
static void draw_tiles(struct trial *trial)
{
	struct mapping *mapping = &trial->mapping;
	int64_t left[MAX_DIMS];
	int loops_left[MAX_DIMS] = {0};
	memcpy(left, trial->problem.extent, sizeof left);
	for (int i = 0; i < mapping->loops; i++)
		loops_left[mapping->loop[i].dim]++;
	for (int i = 0; i < mapping->loops; i++) {
		struct mapped_loop *loop = &mapping->loop[i];
		int64_t *extent = &left[loop->dim];
		if (--loops_left[loop->dim] == 0)
			loop->tile = 1;
		else
			do
				loop->tile = 1 + draw(trial, *extent);
			while (!(trial->beyond & IMPERFECT) && *extent % loop->tile != 0);
		int64_t steps = (*extent + loop->tile - 1) / loop->tile;
		if (loop->kind == LOOP_SPACE)
			trial->machine.level[loop->level].fanout[loop->axis] *= steps;
		*extent = loop->tile;
	}
}

static void draw_mapping(struct trial *trial)
{
	struct mapping *mapping = &trial->mapping;
	*mapping = (struct mapping){.problem = &trial->problem, .machine = &trial->machine};
	for (int d = 0; d < trial->problem.dims; d++)
		for (int64_t loops = 1 + draw(trial, 3); loops > 0; loops--) {
			mapping->loop[mapping->loops] = draw_loop(trial, d);
			/* distinct, so that no two loops are equal to the sort */
			mapping->loop[mapping->loops].tile =
				draw(trial, 1000) * MAX_MAPPED_LOOPS + mapping->loops;
			mapping->loops++;
		}
	qsort(mapping->loop, (size_t)mapping->loops, sizeof *mapping->loop, outer_first);
	draw_tiles(trial);
	unsigned all = (1u << trial->problem.operands) - 1;
	for (int l = 0; l < trial->machine.levels; l++) {
		unsigned keep = (unsigned)(draw(trial, 16) | draw(trial, 16)) & all;
		mapping->keep[l] = l == 0 ? all : trial->machine.level[l].is_memory ? keep : 0;
	}
}

/* All arrays between two memories have the same network: every level's is that of level 0, or every
 * level with an array keeps everything. */
static void make_networks_one(struct trial *trial)
{
	for (int l = 0; l < trial->machine.levels; l++) {
		struct level *level = &trial->machine.level[l];
		if (trial->number % 2) {
			level->multicast = trial->machine.level[0].multicast;
			level->reduce = trial->machine.level[0].reduce;
		} else if (level->axes) {
			level->is_memory = true;
			level->may_keep = 7;
			trial->mapping.keep[l] = trial->mapping.keep[0];
		}
	}
}

/* Units, parted along p and along s or r, whose windows move over each other step by step of r. Mappings drawn at random
 * hardly ever come to that. */
static void draw_slides(struct trial *trial)
{
	enum { C, P, R, S };
	const int second = trial->number % 2 ? S : R;
	const struct mapped_loop loops[] = {{LOOP_TIME, 0, 0, R, 0},       {LOOP_SPACE, 0, 0, P, 0},
					    {LOOP_SPACE, 0, 1, second, 0}, {LOOP_TIME, 1, 0, P, 0},
					    {LOOP_TIME, 1, 0, R, 0},       {LOOP_TIME, 1, 0, S, 0},
					    {LOOP_TIME, 1, 0, C, 0}};
	struct shape shape = {.stride = 1 + draw(trial, 2), .dilation = 1 + draw(trial, 2)};

	shape.extent['c'] = 2;
	shape.extent['p'] = 4 + draw(trial, 9);
	shape.extent['r'] = 3 + draw(trial, 5);
	shape.extent['s'] = 2 + draw(trial, 3);
	note_problem(&trial->problem, "c pr ps|c r s|c p", &shape);
	draw_machine(trial);
	trial->machine.levels = 2;
	trial->machine.level[0].axes = MAX_AXES;
	trial->machine.level[1].is_memory = true;
	trial->mapping = (struct mapping){.problem = &trial->problem,
					  .machine = &trial->machine,
					  .keep = {7, 7},
					  .loops = sizeof loops / sizeof *loops};
	memcpy(trial->mapping.loop, loops, sizeof loops);
	draw_tiles(trial);
}

void draw_trial(struct trial *trial, uint64_t number, enum beyond beyond)
{
	*trial = (struct trial){.number = number, .beyond = beyond};
	if (beyond & SLIDES) {
		draw_slides(trial);
		return;
	}
	draw_problem(trial);
	draw_machine(trial);
	draw_mapping(trial);
	if (beyond & NETWORKS)
		for (int l = 0; l < trial->machine.levels; l++)
			for (int c = 0; c < CLASSES; c++)
				trial->machine.level[l].apart[c] = (unsigned)draw(trial, 4);
	else
		make_networks_one(trial);
	for (int l = 0; beyond >= WIDTHS && l < trial->machine.levels; l++) {
		struct level *level = &trial->machine.level[l];
		level->width = beyond & WIDTHS ? 1 + draw(trial, 4) : 1;
		if (level->axes == 0)
			continue;
		level->network_bandwidth = beyond & LIMITS ? (double)draw(trial, 8) / 2 : 0;
		for (int c = 0; beyond & MESHES && c < CLASSES; c++)
			level->topology[c] = (enum topology)draw(trial, TOPOLOGY_TORUS + 1);
		for (int c = 0; beyond & LINKS && c < CLASSES; c++)
			level->linked[c] = (unsigned)draw(trial, 4) & ~level->apart[c];
	}
}

static void print_index(FILE *file, const struct problem *problem, const int64_t *coef)
{
	for (int d = 0; d < problem->dims; d++)
		if (coef[d])
			fprintf(file, " %+" PRId64 "%s", coef[d], problem->dim[d]);
	fprintf(file, ",");
}

void print_trial(FILE *file, const struct trial *trial)
{
	static const char *const spaces[MAX_AXES] = {"row ", "column "};
	const struct problem *problem = &trial->problem;
	fprintf(file, "trial %" PRIu64 ": %s, where I is", trial->number, problem->name);
	for (int r = 0; r < problem->operand[0].ranks; r++)
		print_index(file, problem, problem->operand[0].coef[r]);
	for (int d = 0; d < problem->dims; d++)
		fprintf(file, " %s = %" PRId64, problem->dim[d], problem->extent[d]);
	for (int l = 0; l < trial->machine.levels; l++) {
		const struct level *level = &trial->machine.level[l];
		fprintf(file, "\n  level %d%s%s, keep", l, level->is_memory ? "" : " (array)",
			level->halo == HALO_FULL ? " (halo full)" : "");
		for (int o = 0; o < problem->operands; o++)
			if (trial->mapping.keep[l] >> o & 1)
				fprintf(file, " %s", problem->operand[o].name);
		if (level->axes > 0)
			fprintf(file, ", multicast %x, reduce %x, apart %x %x %x", level->multicast,
				level->reduce, level->apart[CLASS_I], level->apart[CLASS_W],
				level->apart[CLASS_O]);
		fprintf(file, ":");
		for (int i = 0; i < trial->mapping.loops; i++) {
			const struct mapped_loop *loop = &trial->mapping.loop[i];
			if (loop->level == l)
				fprintf(file, " %s%s by %" PRId64 ";",
					loop->kind == LOOP_TIME ? "" : spaces[loop->axis],
					problem->dim[loop->dim], loop->tile);
		}
	}
	fprintf(file, "\n");
}
