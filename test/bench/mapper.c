/* mapper.c -- how long a proven optimum takes: every distinct multiply-accumulate layer of the given networks, on two
 * machines, by energy and by EDP, one after the other on one core. Before them, how many mappings the closed form counts.
 *
 *     mapper [-v] NETWORK.dnn ...
 *
 * The machines are those of docs/mapper.md section 4: Eyeriss-like, whose buffer may keep or pass by any tensor, and
 * TPU-like, all of whose memories may. With -v a line for each layer. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/cost/cost.h"
#include "mapper/search/search.h"
#include "runtime/random.h"
#include "timeloop_fixture.h"

enum { MOST_LAYERS = 512, MOST_NETWORKS = 64 };

static bool is_verbose;

static void fail(void *context)
{
	(void)context;
	fputs("mapper: out of memory\n", stderr);
	exit(5);
}

static void eyeriss_like(struct hierarchy *h)
{
	timeloop_machine(h, 7, 0);
	h->name = "Eyeriss-like";
}

static void tpu_like(struct hierarchy *h)
{
	static const double cost[] = {200, 20, 4, 0.03};
	static const int64_t words[] = {0, 8 << 20, 32 << 10, 3};

	*h = (struct hierarchy){.name = "TPU-like", .levels = 4, .mac_cost = 1};
	for (int i = 0; i < h->levels; i++) {
		struct level *l = &h->level[i];
		*l = (struct level){.name = "memory",
				    .is_memory = true,
				    .words = words[i],
				    .may_keep = 7,
				    .must_keep = i == 0 ? 7 : 0,
				    .buffers = 1,
				    .width = 1,
				    .word = 8,
				    .multicast = 7,
				    .reduce = 7,
				    .fanout = {1, 1}};
		for (int k = 0; k < ACCESS_KINDS; k++)
			l->cost[k] = cost[i];
	}
	h->level[0].shared_bandwidth = 64;
	h->level[2].array = "pe";
	h->level[2].axes = 2;
	h->level[2].fanout[0] = h->level[2].fanout[1] = 128;
	h->level[2].axis[0] = "row";
	h->level[2].axis[1] = "column";
	h->level[2].hop_cost = 0.5;
}

/* ---- The closed form ------------------------------------------------------------------------------------------ */

/* A 3 x 3 convolution of seven dimensions on three memories, an array inside of the second. */
enum { COUNTED = 256, COUNTED_LEVELS = 3, N = 0, K, C, P, Q, R, S, CONV_DIMS };

static void conv(struct problem *p)
{
	static const char *const dim[] = {"n", "k", "c", "p", "q", "r", "s"};
	static const int64_t extent[] = {4, 64, 64, 56, 56, 3, 3};
	static const int index[3][4][2] = {{{N, N}, {C, C}, {P, R}, {Q, S}},
					   {{K, K}, {C, C}, {R, R}, {S, S}},
					   {{N, N}, {K, K}, {P, P}, {Q, Q}}};

	*p = (struct problem){.name = "conv", .dims = CONV_DIMS, .operands = 3};
	memcpy(p->dim, dim, sizeof dim);
	memcpy(p->extent, extent, sizeof extent);
	for (int o = 0; o < 3; o++) {
		p->operand[o] = (struct operand){
			.name = "tensor", .class = (enum tensor_class)o, .ranks = 4};
		for (int r = 0; r < 4; r++)
			for (int k = 0; k < 2; k++) {
				p->operand[o].coef[r][index[o][r][k]] = 1;
				p->operand[o].relevant |= 1u << index[o][r][k];
			}
	}
}

static int64_t draw(uint64_t mapping, uint64_t *draws, int64_t bound)
{
	uint32_t words[4];

	random_words(1, mapping, (*draws)++, words);
	return words[0] % bound;
}

static void add_loop(struct mapping *m, uint64_t number, uint64_t *draws, int64_t left[],
		     struct mapped_loop loop, bool is_perfect)
{
	int64_t *extent = &left[loop.dim];
	int64_t least = loop.kind == LOOP_SPACE ? (*extent + 13) / 14 : 1;

	if (loop.level == COUNTED_LEVELS - 1)
		loop.tile = 1;
	else
		do
			loop.tile = least + draw(number, draws, *extent - least + 1);
		while (is_perfect && *extent % loop.tile != 0);
	if (loop.tile < *extent)
		m->loop[m->loops++] = loop;
	*extent = loop.tile;
}

/* At each level the loops in time in any order; in the array k over rows, p or r over columns. */
static void draw_mapping(struct mapping *m, uint64_t number, const struct problem *p,
			 const struct hierarchy *h, bool is_perfect)
{
	int64_t left[CONV_DIMS];
	uint64_t draws = 0;

	*m = (struct mapping){.problem = p, .machine = h, .keep = {7, 7, 7}};
	memcpy(left, p->extent, sizeof left);
	for (int level = 0; level < COUNTED_LEVELS; level++) {
		unsigned open = (1u << CONV_DIMS) - 1;
		while (open) {
			struct mapped_loop l = {.level = level,
						.dim = (int)draw(number, &draws, CONV_DIMS)};
			if (open >> l.dim & 1)
				add_loop(m, number, &draws, left, l, is_perfect);
			open &= ~(1u << l.dim);
		}
		for (int axis = 0; axis < 2 && level == 1; axis++)
			add_loop(m, number, &draws, left,
				 (struct mapped_loop){.kind = LOOP_SPACE,
						      .level = level,
						      .axis = axis,
						      .dim = axis == 0    ? K
							     : number % 2 ? P
									  : R},
				 is_perfect);
	}
}

/* Mappings counted in a second of this processor, for half a second. */
static double counted(bool is_perfect)
{
	static struct mapping mapping[COUNTED];
	struct hierarchy h = {.levels = COUNTED_LEVELS, .mac_cost = 1};
	struct problem p;
	struct cost cost;
	clock_t start, end;
	int64_t count = 0;

	conv(&p);
	for (int l = 0; l < COUNTED_LEVELS; l++)
		h.level[l] = (struct level){.name = "memory",
					    .cost = {1, 1, 1},
					    .read_bandwidth = 4,
					    .write_bandwidth = 4,
					    .multicast = 7,
					    .reduce = 7,
					    .fanout = {1, 1}};
	h.level[1].axes = 2;
	h.level[1].fanout[0] = h.level[1].fanout[1] = 14;
	for (uint64_t i = 0; i < COUNTED; i++)
		draw_mapping(&mapping[i], i, &p, &h, is_perfect);
	start = clock();
	do {
		for (int i = 0; i < COUNTED; i++)
			if (!mapping_cost(&mapping[i], &cost))
				fail(NULL);
		count += COUNTED;
		end = clock();
	} while (end < start + CLOCKS_PER_SEC / 2);
	return (double)count * CLOCKS_PER_SEC / (double)(end - start);
}

/* ---- The search ------------------------------------------------------------------------------------------------ */

struct layer {
	const struct problem *problem;
	int network;
};

/* The same problem by other names? */
static bool is_same(const struct problem *a, const struct problem *b)
{
	if (a->dims != b->dims || a->operands != b->operands ||
	    memcmp(a->extent, b->extent, (size_t)a->dims * sizeof *a->extent) != 0)
		return false;
	for (int o = 0; o < a->operands; o++)
		if (a->operand[o].ranks != b->operand[o].ranks ||
		    memcmp(a->operand[o].coef, b->operand[o].coef, sizeof a->operand[o].coef) != 0)
			return false;
	return true;
}

static int read_network(struct arena *arena, const char *path, int number, struct layer layer[],
			int count)
{
	struct diag diag = {.arena = arena};
	struct program *program = program_new(arena, &diag);
	struct elaborate_options options = {0};
	struct network *network;
	int first = count;

	program_read(program, path);
	network = diag.errors ? NULL : elaborate(program, NULL, &options);
	if (!network) {
		fprintf(stderr, "mapper: %s cannot be read\n", path);
		exit(1);
	}
	for (int i = 0; i < network->statement_count && count < MOST_LAYERS; i++) {
		const struct statement *s = network->statement[i];
		const struct problem *p = statement_macs(s) > 0 ? problem_of(arena, s) : NULL;
		bool is_known = !p;
		for (int k = first; k < count && p; k++)
			is_known |= is_same(layer[k].problem, p);
		if (!is_known)
			layer[count++] = (struct layer){p, number};
	}
	return count;
}

/* Of the processor: others on the machine count as little as they can. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_time(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct hierarchy *machine, enum objective objective,
		    const struct layer layer[], int count, int networks, char **name)
{
	double time[MOST_LAYERS], sum = 0, of_network[MOST_NETWORKS] = {0};
	int proven = 0, worst = 0;

	for (int i = 0; i < count; i++) {
		struct search_options options = {.objective = objective};
		struct search_result r;
		struct arena *arena = arena_new(fail, NULL);
		double start = seconds();
		search(arena, layer[i].problem, machine, &options, &r);
		time[i] = seconds() - start;
		proven += r.status == SEARCH_PROVEN;
		sum += time[i];
		of_network[layer[i].network] += time[i];
		worst = time[i] > time[worst] ? i : worst;
		if (is_verbose)
			printf("  %-24s %-8s %8.1f ms  root %.3f  %9ld labels  %.12g\n",
			       layer[i].problem->name, objective_name[objective], 1e3 * time[i],
			       r.root / r.value, (long)r.evaluations, r.value);
		fflush(stdout);
		arena_free(arena);
	}
	const char *slowest = layer[worst].problem->name;
	double longest = time[worst];
	qsort(time, (size_t)count, sizeof *time, by_time);
	printf("%-13s %-7s %3d of %3d proven, median %7.1f ms, worst %8.1f ms (%s), all %6.2f s\n",
	       machine->name, objective_name[objective], proven, count, 1e3 * time[count / 2],
	       1e3 * longest, slowest, sum);
	for (int n = 0; n < networks; n++)
		printf("    %-28s %6.2f s\n", name[n], of_network[n]);
}

int main(int argc, char **argv)
{
	static struct layer layer[MOST_LAYERS];
	struct arena *arena = arena_new(fail, NULL);
	struct hierarchy machine[2];
	struct rusage usage;
	int count = 0, first = 1;

	is_verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	first += is_verbose;
	for (int i = first; i < argc && i - first < MOST_NETWORKS; i++)
		count = read_network(arena, argv[i], i - first, layer, count);
	if (count == 0) {
		fputs("mapper: no layer to be mapped\n", stderr);
		return 2;
	}
	printf("closed form   %.2f million mappings/s, imperfect %.2f million/s\n",
	       1e-6 * counted(true), 1e-6 * counted(false));
	eyeriss_like(&machine[0]);
	tpu_like(&machine[1]);
	for (int m = 0; m < 2; m++)
		for (int o = 0; o < 2; o++)
			measure(&machine[m], (enum objective)o, layer, count, argc - first,
				argv + first);
	getrusage(RUSAGE_SELF, &usage);
	printf("peak memory %ld MB\n", usage.ru_maxrss / 1024);
	arena_free(arena);
	return 0;
}
