/* cpu_random_test.c -- statements made at random, native against interpreted, bit for bit. A
 * seed names a network; DNNC_FIRST_SEED and DNNC_SEEDS choose others than the first few. */
#include "backend/cpu/cpu.h"
#include "frontend/network/interpret.h"
#include "frontend/network/quantise.h"
#include "test/guarded.h"
#include "test/network_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

TestSuite(cpu_random, .timeout = 280);

enum { SEEDS = 150, MOST_POINTS = 30000, MOST_OUTSIDE = 4 };

static uint64_t state;

static int below(int limit)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (int)((state >> 33) % (uint64_t)limit);
}

static bool chance(int in)
{
	return below(in) == 0;
}

static const enum type types[] = {TYPE_F32, TYPE_F32, TYPE_F32, TYPE_F64,
				  TYPE_I8,  TYPE_I16, TYPE_I32, TYPE_I64};

static enum type any_type(void)
{
	return types[below(sizeof types / sizeof *types)];
}

/* A few values that are not usual, many that are. */
static double any_value(enum type type)
{
	static const double odd[] = {0,    -0.0,   INFINITY, -INFINITY,    NAN,
				     1e30, -1e-30, 0.5,      2147483648.0, -129};
	double unit = (double)below(1 << 24) / (1 << 23) - 1;
	if (chance(40))
		return odd[below(sizeof odd / sizeof *odd)];
	return type_info(type)->is_float ? unit * 3 : unit * (chance(10) ? 1e10 : 50);
}

static void randomise(struct array *a)
{
	for (int64_t i = 0; i < array_count(a); i++)
		array_set(a, i, any_value(a->type));
}

/* ---- Accesses ------------------------------------------------------------------------------- */

/* A tensor that fits the subscript, or one that the subscript leaves. */
static void fit(struct statement *s, struct access *a, int dim)
{
	int64_t least, greatest;
	struct subscript *sub = &a->subscript[dim];
	subscript_range(s, sub, &least, &greatest);
	sub->offset -= least * sub->divisor;
	a->tensor->extent[dim] = greatest - least + 1;
	if (a->outside != OUTSIDE_ERROR) {
		int64_t cut = below(MOST_OUTSIDE);
		sub->offset -= below(MOST_OUTSIDE);
		if (a->tensor->extent[dim] > cut)
			a->tensor->extent[dim] -= cut;
	}
}

static struct scalar *random_read(struct network *net, struct statement *s)
{
	static const enum outside outside_of[] = {OUTSIDE_ERROR, OUTSIDE_ERROR, OUTSIDE_VALUE,
						  OUTSIDE_CLAMP};
	int rank = below(4);
	bool is_constant = chance(3);
	const char *name = arena_printf(net->arena, "t%d", net->tensor_count);
	struct tensor *t =
		tensor(net, name, any_type(), is_constant ? ROLE_CONSTANT : ROLE_INPUT, 0);
	struct scalar *e = scalar(net, SCALAR_READ, t->type);
	struct access *a = ARENA_NEW(net->arena, struct access);
	*a = (struct access){.tensor = t, .outside = outside_of[below(4)]};
	a->value = any_value(t->type);
	a->subscript = ARENA_ARRAY(net->arena, MAX_RANK, struct subscript);
	t->rank = rank;
	for (int d = 0; d < rank; d++) {
		int terms = 1 + chance(3);
		a->subscript[d].divisor = chance(6) ? 1 + below(5) : 1;
		t->dim[d] = "d";
		for (int i = 0; i < terms && s->loops > 0; i++)
			a->subscript[d].coef[below(s->loops)] = chance(3) ? below(6) - 2 : 1;
		fit(s, a, d);
	}
	if (is_constant) {
		t->data = array_new(t->type, rank, t->extent);
		randomise(t->data);
	}
	e->access = a;
	return e;
}

/* ---- Expressions ---------------------------------------------------------------------------- */

static struct scalar *random_scalar(struct network *net, struct statement *s, int depth);

static enum type type_of_apply(const struct scalar *e, const struct scalar_fn_info *info)
{
	enum type type = e->arg[info->arity - 1]->type;
	if (info->is_comparison)
		return TYPE_I32;
	for (int i = e->fn == FN_SELECT; i < info->arity; i++)
		type = type_common(type, e->arg[i]->type);
	type = type_common(type, type);
	return info->is_float && !type_info(type)->is_float ? TYPE_F32 : type;
}

static struct scalar *random_apply(struct network *net, struct statement *s, int depth)
{
	struct scalar *e = scalar(net, SCALAR_APPLY, TYPE_F32);
	e->fn = chance(2) ? FN_MUL : (enum scalar_fn)below(FN_COUNT);
	const struct scalar_fn_info *info = scalar_fn_info(e->fn);
	for (int i = 0; i < info->arity; i++)
		e->arg[i] = random_scalar(net, s, depth - 1);
	e->type = type_of_apply(e, info);
	return e;
}

static struct scalar *random_scalar(struct network *net, struct statement *s, int depth)
{
	if (depth > 0 && !chance(5))
		return random_apply(net, s, depth);
	if (chance(8) && s->loops > 0)
		return position(net, chance(2) ? TYPE_I64 : TYPE_F32, below(s->loops));
	if (chance(8)) {
		enum type type = any_type();
		return constant(net, type, any_value(type));
	}
	return net->tensor_count < FIXTURE_TENSORS - 2 ? random_read(net, s)
						       : constant(net, TYPE_F32, 1.5);
}

/* ---- Statements ----------------------------------------------------------------------------- */

static void random_loops(struct statement *s)
{
	static const int extents[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33, 50, 130};
	static const char *const names[] = {"i", "j", "k", "l", "m"};
	int64_t points = 1;
	s->loops = 0;
	for (int i = below(6); i > 0; i--) {
		int extent = extents[below(sizeof extents / sizeof *extents)];
		if (points * extent > MOST_POINTS)
			continue;
		points *= extent;
		s->loop[s->loops] = (struct loop){names[s->loops], extent};
		s->loops++;
	}
	s->outer = s->loops ? below(s->loops + 1) : 0;
	if (s->reduce == REDUCE_NONE)
		s->outer = s->loops;
}

/* One dimension for each outer loop, but now and then two loops in one: as digits, or meeting
 * each other. */
static void random_target(struct network *net, struct statement *s, struct tensor *t)
{
	struct access *a = &s->target;
	*a = (struct access){.tensor = t};
	a->subscript = ARENA_ARRAY(net->arena, MAX_RANK, struct subscript);
	a->outside = s->reduce != REDUCE_NONE && chance(4) ? OUTSIDE_DROP : OUTSIDE_ERROR;
	t->rank = 0;
	for (int l = 0; l < s->outer; l++) {
		struct subscript *sub = &a->subscript[t->rank];
		sub->divisor = 1;
		sub->coef[l] = chance(5) ? 2 : 1;
		if (l + 1 < s->outer && chance(3)) {
			bool as_digits = s->reduce == REDUCE_NONE || chance(2);
			sub->coef[l] = as_digits ? s->loop[l + 1].extent : 1 + below(3);
			sub->coef[++l] = 1;
		}
		t->dim[t->rank] = "d";
		fit(s, a, t->rank++);
	}
}

/* target[...] = constant for all elements. */
static void random_first(struct network *net, struct tensor *t)
{
	struct statement *s = statement(net, REDUCE_NONE, 0, 0);
	s->loops = s->outer = t->rank;
	s->target = (struct access){.tensor = t};
	s->target.subscript = ARENA_ARRAY(net->arena, MAX_RANK, struct subscript);
	for (int d = 0; d < t->rank; d++) {
		s->loop[d] = (struct loop){"d", t->extent[d]};
		s->target.subscript[d].coef[d] = s->target.subscript[d].divisor = 1;
	}
	s->value = constant(net, t->type, any_value(t->type));
}

static struct network *random_network(int seed)
{
	struct network *net = fixture("random");
	state = (uint64_t)seed * 77777 + 1;
	for (int i = 0; i < 10; i++)
		below(2);
	struct tensor *y = tensor(net, "y", any_type(), ROLE_LOCAL, 0);
	struct statement *s = ARENA_NEW(net->arena, struct statement);
	*s = (struct statement){.op = "random", .layer = "layer", .reduce = (enum reduce)below(3)};
	random_loops(s);
	random_target(net, s, y);
	random_first(net, y);
	s->id = net->statement_count;
	net->statement[net->statement_count++] = s;
	s->value = random_scalar(net, s, 3);
	output(net, y);
	return net;
}

/* A read of floats that are numbers, and of 0 outside. */
static struct scalar *random_factor(struct network *net, struct statement *s)
{
	struct scalar *e = random_read(net, s);
	struct tensor *t = e->access->tensor;
	e->type = t->type = TYPE_F32;
	e->access->value = 0;
	if (!t->data)
		return e;
	array_free(t->data);
	t->data = array_new(t->type, t->rank, t->extent);
	for (int64_t i = 0; i < array_count(t->data); i++)
		array_set(t->data, i, below(1000) / 500.0 - 1);
	return e;
}

/* y += a * b in integers, of ranges that some inputs leave; NULL where it is no network, or none of integers. */
static struct network *random_integers(int seed)
{
	const struct ranges ranges = {(float[]){2, 2, 2, 2}}; /* of y and two factors */
	struct network *net = fixture("integers");
	struct diag diag = {.arena = net->arena};
	state = (uint64_t)seed * 99999 + 1;
	for (int i = 0; i < 10; i++)
		below(2);
	struct tensor *y = tensor(net, "y", TYPE_F32, ROLE_LOCAL, 0);
	struct statement *s = ARENA_NEW(net->arena, struct statement);
	*s = (struct statement){.op = "random", .layer = "layer", .reduce = REDUCE_SUM};
	random_loops(s);
	random_target(net, s, y);
	random_first(net, y);
	s->id = net->statement_count;
	net->statement[net->statement_count++] = s;
	s->value = apply(net, FN_MUL, TYPE_F32, random_factor(net, s), random_factor(net, s), NULL);
	output(net, y);
	int before = net->statement_count;
	bool is_valid = network_check(net) == NULL;
	if (is_valid)
		network_quantise(net, (enum number)(NUMBER_I8 + below(NUMBERS - 1)), &ranges,
				 &diag);
	if (is_valid && net->statement_count > before)
		return net;
	cr_assert(!is_valid, "seed %d: stays in f32", seed);
	fixture_free(net);
	return NULL;
}

/* ---- Comparison ----------------------------------------------------------------------------- */

static void expect_equal(const struct array *wanted, const struct array *found, int seed)
{
	size_t bytes = (size_t)type_info(wanted->type)->bytes;
	for (int64_t i = 0; i < array_count(wanted); i++) {
		const char *x = (const char *)wanted->data + (size_t)i * bytes;
		const char *y = (const char *)found->data + (size_t)i * bytes;
		double a = array_get(wanted, i), b = array_get(found, i);
		bool both_nan = type_info(wanted->type)->is_float && isnan(a) && isnan(b);
		cr_assert(both_nan || memcmp(x, y, bytes) == 0,
			  "seed %d: element %" PRId64 " is %.17g, not %.17g", seed, i, b, a);
	}
}

/* The inputs between guards, before every other seed's or behind them. */
static void run_native(const struct network *net, struct array *input[], struct array *found[],
		       int seed)
{
	struct guarded memory[FIXTURE_TENSORS];
	void *data[FIXTURE_TENSORS];
	struct cpu_program *program = NULL;
	char *error = cpu_compile(net, NULL, &program);
	cr_assert_null(error, "seed %d: %s", seed, error);
	for (int i = 0; i < net->input_count; i++) {
		memory[i] = guard_array(input[i], seed % 2 == 0);
		data[i] = input[i]->data;
		input[i]->data = memory[i].at;
	}
	error = cpu_run(program, input, found);
	cr_assert_null(error, "seed %d: %s", seed, error);
	for (int i = 0; i < net->input_count; i++) {
		input[i]->data = data[i];
		unguard(memory[i]);
	}
	cpu_program_free(program);
}

/* Frees the network. False: the checker does not take it. */
static bool is_equal(struct network *net, int seed)
{
	struct array *input[FIXTURE_TENSORS], *wanted[1], *found[1];
	bool is_valid = network_check(net) == NULL;
	for (int i = 0; is_valid && i < net->input_count; i++) {
		input[i] =
			array_new(net->input[i]->type, net->input[i]->rank, net->input[i]->extent);
		randomise(input[i]);
	}
	if (is_valid) {
		char *error = interpret(net, input, wanted);
		cr_assert_null(error, "seed %d: %s", seed, error);
		run_native(net, input, found, seed);
		expect_equal(wanted[0], found[0], seed);
		array_free(wanted[0]);
		array_free(found[0]);
		for (int i = 0; i < net->input_count; i++)
			array_free(input[i]);
	}
	fixture_free(net);
	return is_valid;
}

Test(cpu_random, integers_equal_the_interpreter)
{
	int valid = 0;
	for (int seed = 0; seed < SEEDS; seed++) {
		struct network *net = random_integers(seed);
		valid += net != NULL;
		cr_assert(!net || is_equal(net, seed), "seed %d: no network of integers", seed);
	}
	cr_assert(2 * valid >= SEEDS, "only %d of %d seeds made a network", valid, SEEDS);
}

Test(cpu_random, statements_equal_the_interpreter)
{
	const char *first = getenv("DNNC_FIRST_SEED"), *count = getenv("DNNC_SEEDS");
	int from = first ? atoi(first) : 0, seeds = count ? atoi(count) : SEEDS, valid = 0;
	for (int seed = from; seed < from + seeds; seed++)
		valid += is_equal(random_network(seed), seed);
	cr_assert(2 * valid >= seeds, "only %d of %d seeds made a network", valid, seeds);
}
