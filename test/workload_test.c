/* workload_test.c -- which statements of a network are mapped, what they are called, and which are the same work. */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/mapping/tile.h"
#include "mapper/network/workload.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

struct desk {
	struct arena *arena;
	struct diag *diag;
	struct program *program;
	const struct machine *described;
	struct hierarchy *machine;
};

static const char *const machine_text = "machine m { clock 1 GHz  memory dram { }\n"
					"memory buf { size 64 words  keeps I, O }\n"
					"array pe[4, 2] { memory r { size 8 words  keeps W } "
					"mac { } } }";

static struct desk desk_new(void)
{
	struct desk d = {.arena = arena_new(out_of_memory, NULL)};

	d.diag = ARENA_NEW(d.arena, struct diag);
	d.diag->arena = d.arena;
	d.program = program_new(d.arena, d.diag);
	program_add(d.program, "test.hw", machine_text, strlen(machine_text));
	d.described = machine_check(d.program, NULL);
	d.machine = hierarchy_of(d.program, d.described);
	cr_assert_not_null(d.machine);
	return d;
}

static struct workload *workload_from(struct desk *d, bool all)
{
	struct network *n = elaborate(d->program, NULL, &(struct elaborate_options){0});

	cr_assert(n && d->diag->errors == 0, "%s",
		  d->diag->count ? d->diag->finding[0].message : "");
	return workload_of(d->arena, n, d->machine, all);
}

static struct workload *workload_for(struct desk *d, const char *network, bool all)
{
	program_add(d->program, "test.dnn", network, strlen(network));
	return workload_from(d, all);
}

Test(workload, layers_alike_are_searched_once)
{
	static const struct {
		const char *name;
		int first;
		int64_t macs;
	} row[] = {
		{"a", 0, 2 * 8 * 8 * 2 * 9},
		{"b", 0, 2 * 8 * 8 * 2 * 9}, /* the same, of other tensors */
		{"c", 2, 2 * 4 * 4 * 2 * 9},
		{"d", 3, 2 * 4 * 4 * 2 * 9}, /* other loops; another stride */
		{"e", 0, 2 * 8 * 8 * 2 * 9}, /* not neighbours */
		{"f", 5, 4 * 4},
		{"g", 6, 4 * 4}, /* loops of other names: a dataflow may tell them apart */
	};
	struct desk d = desk_new();
	const struct workload *w =
		workload_for(&d,
			     "op mine(X[n, c]) {\n	param W[4, c]\n	Y[n, j] += X[n, i] * W[j, "
			     "i]\n	return Y\n}\n"
			     "network net(x: f32[1, 2, 8, 8], y: f32[1, 2, 4, 4], z: f32[1, 4]) {\n"
			     "	a = conv(x, filters = 2, kernel = 3, pad = 1)\n"
			     "	b = relu(conv(a, filters = 2, kernel = 3, pad = 1, bias = 0))\n"
			     "	c = conv(y, filters = 2, kernel = 3, pad = 1)\n"
			     "	d = conv(b, filters = 2, kernel = 3, pad = 1, stride = 2)\n"
			     "	e = conv(b, filters = 2, kernel = 3, pad = 1)\n"
			     "	f = dense(z, 4)\n"
			     "	g = mine(f)\n"
			     "	return c, d, e, g\n"
			     "}\n",
			     false);

	cr_assert_eq(w->layers, 7);
	for (int i = 0; i < w->layers; i++) {
		const struct layer *l = &w->layer[i];
		cr_expect_str_eq(l->name, row[i].name);
		cr_expect_eq(l->first, row[i].first, "%s: %d", l->name, l->first);
		cr_expect_eq(l->macs, row[i].macs, "%s", l->name);
		cr_expect_str_eq(l->problem->name, l->name);
	}
	cr_expect_eq(w->distinct, 5, "%d", w->distinct);
	cr_expect_gt(w->others, 0, "the values that sums begin with, and relu");
	arena_free(d.arena);
}

Test(workload, another_constraint_is_other_work)
{
	struct desk d = desk_new();
	struct workload *w =
		workload_for(&d,
			     "network net(z: f32[1, 4]) {\n"
			     "	a = dense(z, 4)\n	b = dense(a, 4)\n	c = dense(b, 4)\n"
			     "	return c\n}\n",
			     false);
	struct constraint narrow = *w->layer[1].constraint;

	cr_assert(w->distinct == 1 && w->layer[2].first == 0);
	narrow.space[1][0][0] = 1;
	w->layer[1].constraint = &narrow;
	workload_compare(w);
	cr_expect_eq(w->distinct, 2);
	cr_expect_eq(w->layer[1].first, 1);
	cr_expect_eq(w->layer[2].first, 0);
	arena_free(d.arena);
}

static const char *const two_layers =
	"network net(z: f32[1, 4]) {\n"
	"	a = dense(z, 4)\n	b = dense(a, 4)\n	return b\n}\n";

Test(workload, a_given_mapping_is_not_searched)
{
	static const char *const text = "map a on m { dram: for k\n dram: for c }\n"
					"map b on other { dram: for nothing }\n";
	struct desk d = desk_new();
	struct workload *w = workload_for(&d, two_layers, false);

	program_add(d.program, "test.map", text, strlen(text));
	cr_expect(workload_constrain(w, d.program, d.described, d.program, false));
	cr_expect(w->layer[0].given && w->layer[0].first == -1);
	cr_expect(!w->layer[1].given, "that is for another machine");
	cr_expect(w->distinct == 1 && w->layer[1].first == 1, "and none is alike a given one");
	arena_free(d.arena);
}

Test(workload, a_given_mapping_may_have_steps_that_are_not_whole)
{
	static const char *const text =
		"map a on m { dram: for k in 4 step 3\n dram: for c\n dram: for k in 3 }\n";
	struct desk d = desk_new();
	struct workload *w = workload_for(&d, two_layers, false);

	program_add(d.program, "test.map", text, strlen(text));
	cr_expect(workload_constrain(w, d.program, d.described, d.program, false));
	cr_expect_not_null(w->layer[0].given);
	arena_free(d.arena);
}

Test(workload, a_mapping_of_no_layer_is_told)
{
	static const char *const text = "map a1 on m { dram: for k }\n";
	struct desk d = desk_new();
	struct workload *w = workload_for(&d, two_layers, false);

	program_add(d.program, "test.map", text, strlen(text));
	cr_expect_not(workload_constrain(w, d.program, d.described, d.program, false));
	cr_assert_eq(d.diag->errors, 1);
	cr_expect_str_eq(d.diag->finding[0].code, "unknown-name");
	cr_expect_not_null(strstr(d.diag->finding[0].message, "did you mean 'a'?"), "%s",
			   d.diag->finding[0].message);
	arena_free(d.arena);
}

Test(workload, what_cannot_be_mapped_says_why)
{
	static const char *const why[] = {
		"subscript is divided", "indexes its output twice", "more than three tensors",
		"no loop of more than one step", "forward along one rank and back along another"};
	struct desk d = desk_new();
	const struct workload *w = workload_for(
		&d,
		"op halves(X[n], V[m]) {\n	index i < n\n	Y[i] = X[floor(i / 2)] * V[i]\n	"
		"return Y\n}\n"
		"op square(X[n], V[m]) {\n	tensor Y[n, n]\n	index i < n\n"
		"	Y[i, i] += X[i] * V[i]\n	return Y\n}\n"
		"op four(A[n], B[m]) {\n	Y[i] = A[i] + B[i] + A[i] * B[i]\n	return "
		"Y\n}\n"
		"op one(A[n], B[m]) {\n	index i < 1\n	Y[i] = A[i] * B[i]\n	return Y\n}\n"
		"op turn(A[n], B[m]) {\n	tensor C[n, n]\n	index i < n, j < n\n	"
		"C[i, j] = A[i]\n"
		"	Y[i] += C[i, 3 - i] * B[i]\n	return Y\n}\n"
		"network net(x: f32[4], y: f32[4]) {\n"
		"	a = halves(x, y)\n	b = square(x, y)\n	c = four(x, y)\n	d "
		"= one(x, y)\n"
		"	e = turn(x, y)\n	return a, b, c, d, e\n}\n",
		true);
	int met = 0;

	for (int i = 0; i < w->layers; i++) {
		cr_expect_eq(w->layer[i].why == NULL, w->layer[i].problem != NULL);
		if (w->layer[i].why && met < 5 && strstr(w->layer[i].why, why[met]))
			met++;
	}
	cr_expect_eq(met, 5, "'%s' is not among the reasons, in order", met < 5 ? why[met] : "");
	arena_free(d.arena);
}

/* Every statement of every example is there under a name of its own; without -all those that multiply and accumulate
 * have the same names. */
Test(workload, names_are_each_one_layers)
{
	glob_t files;

	cr_assert_eq(glob(SOURCE_DIR "/examples/*.dnn", 0, NULL, &files), 0);
	for (size_t f = 0; f < files.gl_pathc; f++) {
		struct desk d = desk_new();
		program_read(d.program, files.gl_pathv[f]);
		const struct workload *all = workload_from(&d, true), *few;
		int at = 0;
		few = workload_of(d.arena, all->network, d.machine, false);
		cr_expect_eq(all->layers, all->network->statement_count);
		cr_expect_eq(few->layers + few->others, all->layers);
		for (int i = 0; i < all->layers; i++) {
			for (int k = 0; k < i; k++)
				cr_expect_str_neq(all->layer[i].name, all->layer[k].name);
			if (all->layer[i].macs > 0)
				cr_expect_str_eq(all->layer[i].name, few->layer[at++].name);
		}
		cr_expect_eq(at, few->layers);
		arena_free(d.arena);
	}
	cr_expect_gt(files.gl_pathc, 9);
	globfree(&files);
}

Test(workload, layers_of_several_products_are_called_by_what_they_write)
{
	static const char *const name[] = {"attn.query",
					   "attn.key",
					   "attn.value",
					   "attn.mixed.attention.S",
					   "attn.mixed.attention.O",
					   "attn",
					   "up",
					   "down"};
	struct desk d = desk_new();

	program_read(d.program, SOURCE_DIR "/examples/transformer.dnn");
	const struct workload *w = workload_from(&d, false);
	int at = 0;
	for (int i = 0; i < w->layers && at < 8; i++)
		at += strcmp(w->layer[i].name, name[at]) == 0;
	cr_expect_eq(at, 8, "no layer '%s', in order", at < 8 ? name[at] : "");
	arena_free(d.arena);
}

/* Steps of g that share words of X. */
Test(workload, what_overlaps_is_no_group)
{
	struct desk d = desk_new();
	const struct workload *w =
		workload_for(&d,
			     "op lap(X[n]) {\n	index g < 2\n	index m < 4\n"
			     "	Y[4*g + m] = X[2*g + m]\n	return Y\n}\n"
			     "network net(x: f32[6]) {\n	return lap(x)\n}\n",
			     true);

	cr_assert(w->layers > 0 && w->layer[0].problem);
	for (int o = 0; o < 2; o++)
		cr_expect_eq(w->layer[0].problem->operand[o].ranks, 1);
	arena_free(d.arena);
}

/* 2 * 3 channels in, 2 * 4 out: the group is a rank of its own, so that a tile of 1 filter in both groups is 2 words of a
 * rank and not the 5 from the first to the last. */
Test(workload, groups_are_a_rank_of_their_own)
{
	static const int64_t words[] = {8 * 3 * 3 * 3, 6 * 5 * 5, 8 * 3 * 3}; /* W, I, O */
	struct desk d = desk_new();
	const struct workload *w =
		workload_for(&d,
			     "network net(x: f32[1, 6, 5, 5]) {\n"
			     "	a = conv(x, filters = 8, kernel = 3, group = 2)\n"
			     "	b = conv(x, filters = 8, kernel = 3)\n"
			     "	return a, b\n}\n",
			     false);
	const struct problem *p = w->layer[0].problem;
	int64_t extent[MAX_DIMS];

	cr_assert(p->operands == 3 && strcmp(p->dim[0], "g") == 0 && p->extent[0] == 2);
	for (int o = 0; o < p->operands; o++) {
		const struct operand *operand = &p->operand[o];
		int alone = 0;
		for (int r = 0; r < operand->ranks; r++)
			for (int dim = 1; operand->coef[r][0] && dim < p->dims; dim++)
				alone += operand->coef[r][dim] != 0;
		cr_expect_eq(alone, 0, "%s", operand->name);
		cr_expect(operand->relevant & 1, "%s", operand->name);
		cr_expect_eq(tile_words(operand, p->dims, p->extent), words[o], "%s",
			     operand->name);
		for (int dim = 0; dim < p->dims; dim++)
			extent[dim] = dim == 0 ? 2 : 1;
		cr_expect_eq(tile_words(operand, p->dims, extent), 2, "%s", operand->name);
	}
	/* Without groups: k, c p+r q+s as they are. */
	cr_expect_eq(w->layer[1].problem->operand[1].ranks, 3);
	arena_free(d.arena);
}
