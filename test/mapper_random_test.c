/* mapper_random_test.c -- the cost model against the executor, on random problems, machines and
 * mappings.
 *
 * A trial is all of them, drawn from its number alone; every counter of the closed form must be
 * that of the walk. Of the trials that disagree the smallest is shown. */
#include "frontend/source/arena.h"
#include "mapper/cost/count.h"
#include "nest_executor.h"
#include "nest_fixture.h"
#include "runtime/random.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum { TRIALS = 2000, MOST_POINTS = 1000 };

/* What trials may have beyond whole steps, networks that are one and outputs of plain indices. */
enum beyond {
	NOTHING = 0,
	IMPERFECT = 1, /* factors */
	NETWORKS = 2,  /* one after the other between two memories, that merge or not */
	SCATTER = 4,   /* outputs indexed by sums */
	WIDTHS = 8,    /* of accesses; the closed form has none yet */
	LIMITS = 16,   /* of networks; nor these */
	MESHES = 32,   /* nor these */
	LINKS = 64,    /* nor these */
	SLIDES = 128   /* windows over the same words in time and, in two ways, in space */
};

struct trial {
	uint64_t number, draws;
	enum beyond beyond;
	struct problem problem;
	struct hierarchy machine;
	struct mapping mapping;
};

/* 0 .. bound - 1 */
static int64_t draw(struct trial *trial, int64_t bound)
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
	trial->mapping = (struct mapping){.problem = &trial->problem,
					  .machine = &trial->machine,
					  .keep = {7, 7},
					  .loops = sizeof loops / sizeof *loops};
	memcpy(trial->mapping.loop, loops, sizeof loops);
	draw_tiles(trial);
}

static void draw_trial(struct trial *trial, uint64_t number, enum beyond beyond)
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

/* The problem, and a line for each level: what it keeps, its loops, its network. */
static void print_trial(FILE *file, const struct trial *trial)
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

/* 1, and a line, if the closed form and the walk do not agree on a counter. */
static int differ(FILE *file, int level, const char *operand, const char *counter, double model,
		  double walk)
{
	if (model == walk)
		return 0;
	fprintf(file, "  level %d, %s %s: closed form %.17g, walk %.17g\n", level, operand, counter,
		model, walk);
	return 1;
}

static int compare_traffic(FILE *file, int l, const char *name, const struct traffic *model,
			   const struct traffic *walk, const int64_t accesses[ACCESS_KINDS],
			   int64_t hops)
{
	static const char *const counts[] = {"reads", "fills", "updates"};
	static const char *const moved[] = {"accesses that read", "accesses that fill",
					    "accesses that update"};
	static const char *const busiest[] = {"reads of an instance", "fills of an instance",
					      "updates of an instance"};
	int n = 0;
	for (int k = 0; k < ACCESS_KINDS; k++) {
		n += differ(file, l, name, counts[k], (double)model->count[k],
			    (double)walk->count[k]);
		n += differ(file, l, name, busiest[k], (double)model->per_instance[k],
			    (double)walk->per_instance[k]);
		n += differ(file, l, name, moved[k], (double)model->accesses[k],
			    (double)accesses[k]);
	}
	n += differ(file, l, name, "tile", (double)model->tile, (double)walk->tile);
	n += differ(file, l, name, "deliveries", (double)model->deliveries,
		    (double)walk->deliveries);
	n += differ(file, l, name, "hops", (double)model->hops, (double)hops);
	return n;
}

static int compare(FILE *file, const struct trial *trial, const struct cost *model,
		   const struct cost *walk, const struct executed *executed)
{
	int n = 0;
	for (int l = 0; l < trial->machine.levels; l++) {
		for (int o = 0; o < trial->problem.operands; o++)
			n += compare_traffic(file, l, trial->problem.operand[o].name,
					     &model->traffic[l][o], &walk->traffic[l][o],
					     executed->accesses[l][o], executed->hops[l][o]);
		n += differ(file, l, "all", "instances", (double)model->instances[l],
			    (double)walk->instances[l]);
		n += differ(file, l, "all", "energy", model->energy_level[l],
			    walk->energy_level[l]);
		if (trial->machine.level[l].network_bandwidth > 0)
			n += differ(file, l, "all", "words of the network",
				    (double)model->network_words[l],
				    (double)executed->network_words[l]);
	}
	const struct {
		const char *counter;
		double model, walk;
	} totals[] = {
		{"MACs", (double)model->macs, (double)walk->macs},
		{"units", (double)model->units, (double)walk->units},
		{"steps", (double)model->steps, (double)walk->steps},
		{"cycles", (double)model->cycles, (double)walk->cycles},
		{"energy", model->energy, walk->energy},
		{"energy of MACs", model->energy_mac, walk->energy_mac},
		{"energy of networks", model->energy_network, walk->energy_network},
		{"bound", model->bound, walk->bound},
	};
	for (size_t i = 0; i < sizeof totals / sizeof *totals; i++)
		n += differ(file, 0, "all", totals[i].counter, totals[i].model, totals[i].walk);
	if (walk->bound != BOUND_COMPUTE)
		n += differ(file, 0, "all", "level of the bound", model->bound_level,
			    walk->bound_level);
	return n;
}

/* What makes a disagreement hard to see. */
static int64_t size_of(const struct trial *trial)
{
	int64_t points = 1, loops = 0;
	for (int d = 0; d < trial->problem.dims; d++)
		points *= trial->problem.extent[d];
	for (int i = 0; i < trial->mapping.loops; i++)
		loops += trial->machine.levels;
	return points * (1 + loops);
}

static void compare_trials(uint64_t trials, enum beyond beyond)
{
	uint64_t disagree = 0;
	int64_t least = INT64_MAX;
	char *smallest = NULL;
	for (uint64_t number = 0; number < trials; number++) {
		struct trial trial;
		struct cost model, walk;
		struct executed executed;
		char *text;
		size_t length;
		draw_trial(&trial, number, beyond);
		mapping_cost(&trial.mapping, &model);
		execute_and_count(&trial.mapping, &walk, &executed);
		FILE *file = open_memstream(&text, &length);
		print_trial(file, &trial);
		int differences = compare(file, &trial, &model, &walk, &executed);
		fclose(file);
		disagree += differences > 0;
		if (differences > 0 && size_of(&trial) < least) {
			least = size_of(&trial);
			free(smallest);
			smallest = text;
		} else {
			free(text);
		}
	}
	cr_expect_eq(disagree, 0, "%" PRIu64 " of %" PRIu64 " trials disagree, such as\n%s",
		     disagree, trials, smallest);
	free(smallest);
}

Test(mapper_random, perfect_factors_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NOTHING);
}

Test(mapper_random, networks_that_differ_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS);
}

Test(mapper_random, outputs_indexed_by_sums_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, SCATTER);
}

Test(mapper_random, imperfect_factors_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT);
}

Test(mapper_random, imperfect_factors_behind_networks_that_differ_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT | NETWORKS);
}

Test(mapper_random, imperfect_factors_of_outputs_indexed_by_sums_cost_what_the_walk_counts)
{
	compare_trials(2 * TRIALS, IMPERFECT | NETWORKS | SCATTER);
}

Test(mapper_random, accesses_of_several_words_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | WIDTHS);
	compare_trials(TRIALS, NETWORKS | WIDTHS | IMPERFECT);
}

Test(mapper_random, networks_of_so_many_words_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | LIMITS);
	compare_trials(TRIALS, NETWORKS | LIMITS | IMPERFECT);
}

Test(mapper_random, meshes_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | MESHES);
	compare_trials(TRIALS, NETWORKS | MESHES | IMPERFECT);
}

Test(mapper_random, imperfect_factors_of_windows_that_slide_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, IMPERFECT | SLIDES);
}

Test(mapper_random, links_cost_what_the_walk_counts)
{
	compare_trials(TRIALS, NETWORKS | LINKS);
	compare_trials(TRIALS, NETWORKS | LINKS | IMPERFECT);
}

/* Steps that are whole are a case of those that need not be. */
Test(mapper_random, both_ways_count_whole_steps_alike)
{
	for (uint64_t number = 0; number < TRIALS; number++) {
		struct load load[MAX_LEVELS] = {0};
		struct cost model, again = {0};
		struct view view[MAX_OPERANDS];
		struct outline outline;
		struct trial trial;
		draw_trial(&trial, number, NETWORKS | (number % 2 ? SCATTER : 0));
		cr_assert(mapping_cost(&trial.mapping, &model));
		cr_assert(outline_of(&trial.mapping, &outline), "whole steps");
		for (int o = 0; o < trial.problem.operands; o++)
			view_of(&outline, o, &view[o]);
		cr_assert(imperfect_count(&outline, view, &(struct passed){0}, &again, load));
		for (int l = 0; l < trial.machine.levels; l++)
			for (int o = 0; o < trial.problem.operands; o++) {
				const struct traffic *left = &model.traffic[l][o];
				struct traffic *right = &again.traffic[l][o];
				right->tile = left->tile; /* not counted there, */
				right->hops = left->hops; /* nor these */
				cr_assert(memcmp(left, right, sizeof *left) == 0,
					  "trial %" PRIu64 ", level %d, operand %d", number, l, o);
			}
		cr_assert(memcmp(model.instances, again.instances, sizeof model.instances) == 0);
		cr_assert(model.units == again.units && model.steps == again.steps);
	}
}

static void must_not_happen(void *context)
{
	(void)context;
	abort();
}

/* Rule 8: the tiles that the walk has seen are room enough for one level, and one word less is not. */
Test(mapper_random, what_fits_is_what_the_walk_holds)
{
	struct arena *arena = arena_new(must_not_happen, NULL);
	int full = 0;
	for (uint64_t number = 0; number < TRIALS / 4; number++) {
		struct trial trial;
		struct cost walk;
		const char *why = NULL;
		draw_trial(&trial, number, NOTHING);
		execute_mapping(&trial.mapping, &walk);
		cr_assert(mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", all memories without end: %s", number, why);
		struct level *level = &trial.machine.level[draw(&trial, trial.machine.levels)];
		int64_t words = 0;
		for (int o = 0; o < trial.problem.operands; o++)
			words += walk.traffic[level - trial.machine.level][o].tile;
		level->words = words * level->buffers;
		cr_assert(mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", %" PRId64 " words: %s", number, level->words, why);
		if (--level->words <= 0)
			continue; /* 0 is without end */
		full++;
		cr_assert(!mapping_fits(arena, &trial.mapping, &why),
			  "trial %" PRIu64 ", %" PRId64 " words", number, level->words);
		cr_assert_not_null(why, "trial %" PRIu64 ": no reason", number);
	}
	cr_assert_gt(full, 100, "%d memories were full", full);
	arena_free(arena);
}
