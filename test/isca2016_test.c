/* isca2016_test.c -- six dataflows of equal area against the paper that compared them: Chen, Emer, Sze, ISCA 2016, figure 12.
 *
 * The convolutions of AlexNet are mapped onto examples/isca2016/, each layer by its proven least energy. What is compared is
 * the energy per operation relative to row stationary with one image, with test/golden/isca2016_energy.csv. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/network/network_map.h"

enum { RS, WS, OSA, OSB, OSC, NLR, DATAFLOWS, BATCHES = 3 };

static const char *const dataflow[DATAFLOWS] = {"rs", "ws", "osa", "osb", "osc", "nlr"};
static const int64_t batch[BATCHES] = {1, 16, 64};

static const char convolutions[] =
	"network convolutions(a: f32[N, 3, 227, 227], b: f32[N, 96, 27, 27],\n"
	"		c: f32[N, 256, 13, 13], d: f32[N, 384, 13, 13]) {\n"
	"	conv1 = conv(a, filters = 96, kernel = 11, stride = 4)\n"
	"	conv2 = conv(b, filters = 256, kernel = 5, pad = 2, group = 2)\n"
	"	conv3 = conv(c, filters = 384, kernel = 3, pad = 1)\n"
	"	conv4 = conv(d, filters = 384, kernel = 3, pad = 1, group = 2)\n"
	"	conv5 = conv(d, filters = 256, kernel = 3, pad = 1, group = 2)\n"
	"	return conv1, conv2, conv3, conv4, conv5\n"
	"}\n";

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

static struct network_mapping *map(struct arena *arena, const char *machine, int64_t images)
{
	struct diag *diag = ARENA_NEW(arena, struct diag);
	struct program *program;
	struct dim_binding n = {"N", images};
	char path[512];

	diag->arena = arena;
	program = program_new(arena, diag);
	snprintf(path, sizeof path, SOURCE_DIR "/examples/isca2016/%s.hw", machine);
	program_read(program, path);
	program_add(program, "convolutions.dnn", convolutions, strlen(convolutions));
	struct network *network =
		elaborate(program, NULL, &(struct elaborate_options){&n, 1, false});
	const struct machine *block = machine_check(program, NULL);
	cr_assert(network && block && diag->errors == 0, "%s", path);
	struct workload *w = workload_of(arena, network, hierarchy_of(program, block), false);
	cr_assert(workload_constrain(w, program, block, NULL, false), "%s", path);
	cr_assert_eq(w->layers, 5);
	return network_map(arena, w, &(struct map_options){.threads = 1});
}

/* Energy per MAC over the five layers, and the part of it that is hops of weights; both INFINITY where a layer has no mapping. */
struct energy {
	double all, weight_hops;
};

static struct energy energy_of(const char *machine, int64_t images)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct network_mapping *n = map(arena, machine, images);
	struct energy e = {0, 0};
	double macs = 0;

	for (int i = 0; i < n->workload->layers; i++) {
		const struct search_result *found = &n->layer[i].found;
		const struct problem *p = n->workload->layer[i].problem;
		if (found->status == SEARCH_INFEASIBLE) {
			e.all = e.weight_hops = INFINITY;
			continue;
		}
		cr_assert_eq(found->status, SEARCH_PROVEN, "%s: %s", machine, p->name);
		e.all += found->cost.energy;
		macs += (double)found->cost.macs;
		for (int level = 0; level < n->workload->machine->levels; level++)
			for (int o = 0; o < p->operands; o++)
				if (p->operand[o].class == CLASS_W)
					e.weight_hops +=
						n->workload->machine->level[level].hop_cost *
						(double)found->cost.traffic[level][o].deliveries;
	}
	arena_free(arena);
	return (struct energy){e.all / macs, e.weight_hops / macs};
}

/* The rows of the paper for 256 elements; "infeasible" is INFINITY. */
static void read_paper(double paper[BATCHES][DATAFLOWS])
{
	FILE *file = fopen(SOURCE_DIR "/test/golden/isca2016_energy.csv", "r");
	char line[256];
	int rows = 0;

	cr_assert(file, "the golden file is there");
	while (fgets(line, sizeof line, file)) {
		char *at = line;
		if (strncmp(line, "256,", 4) != 0)
			continue;
		cr_assert(rows < BATCHES && strtol(line + 4, &at, 10) == batch[rows], "%s", line);
		for (int d = 0; d < DATAFLOWS; d++) {
			bool is_number = at[1] != 'i';
			paper[rows][d] = is_number ? strtod(at + 1, &at) : INFINITY;
			if (!is_number)
				at = strchr(at + 1, ',');
		}
		rows++;
	}
	cr_assert_eq(rows, BATCHES);
	fclose(file);
}

/* What comes out, to the last digit that the paper has: a change of these is a change of docs/machines.md. */
static const double measured[BATCHES][DATAFLOWS] = {
	{1.000, 1.870, 1.394, 1.492, 2.546, 2.455},
	{0.956, 1.766, 1.361, 1.382, 1.653, 2.375},
	{0.956, INFINITY, 1.358, 1.376, 1.647, 2.373},
};

/* 3 %: the greatest difference is 2.6 %. Ours has factors that divide, so 13 and 27 part otherwise; any order of loops that the
 * dataflow leaves open, where the paper fixes one; and the last update of each sum, which the paper does not count.
 *
 * Without local reuse each weight comes from the buffer to one element alone. The paper charges the array for words that
 * several elements take, so this hop of 2 is not in its number, and is taken off before the two are compared. */
static const double tolerance = 0.03;

Test(isca2016, figure_12)
{
	double paper[BATCHES][DATAFLOWS], base = energy_of("rs", 1).all;

	/* The paper's model has 6.39 to 6.42, as it counts the hops of sums once or twice when it searches. */
	cr_expect_float_eq(base, 6.371, 0.0005, "%.4f", base);
	read_paper(paper);
	for (int b = 0; b < BATCHES; b++)
		for (int d = 0; d < DATAFLOWS; d++) {
			struct energy e = energy_of(dataflow[d], batch[b]);
			double ratio = e.all / base, extra = d == NLR ? e.weight_hops / base : 0;
			if (isinf(paper[b][d])) {
				cr_expect(isinf(ratio), "%s has no mapping", dataflow[d]);
				continue;
			}
			cr_expect_float_eq(ratio, measured[b][d], 0.0006, "%s, N = %d: %.4f",
					   dataflow[d], (int)batch[b], ratio);
			cr_expect_float_eq((ratio - extra) / paper[b][d], 1, tolerance,
					   "%s, N = %d: %.3f, less %.3f; the paper has %.3f",
					   dataflow[d], (int)batch[b], ratio, extra, paper[b][d]);
		}
}

/* From the least energy to the most, as in the paper; what has no mapping comes last. */
Test(isca2016, order_of_dataflows)
{
	double paper[BATCHES][DATAFLOWS];

	read_paper(paper);
	for (int b = 0; b < BATCHES; b++) {
		double ours[DATAFLOWS];
		for (int d = 0; d < DATAFLOWS; d++)
			ours[d] = energy_of(dataflow[d], batch[b]).all;
		for (int d = 0; d < DATAFLOWS; d++)
			for (int other = 0; other < DATAFLOWS; other++)
				cr_expect_eq(ours[d] < ours[other], paper[b][d] < paper[b][other],
					     "N = %d: %s and %s", (int)batch[b], dataflow[d],
					     dataflow[other]);
	}
}
