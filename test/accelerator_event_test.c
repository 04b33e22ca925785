/* accelerator_event_test.c -- layers in time: docs/accelerator.md, section 6. */
#include "accelerator_sample.h"
#include "nest_fixture.h"
#include "runtime/simulator/event.h"

enum { TRIALS = 400 };

static struct event_result run(struct sample *p, uint64_t number)
{
	struct sim_layer layer;
	struct event_result result;
	int place = 0;
	char *error = layer_read(&layer, &p->code, &place, &p->machine, &p->tensors);
	cr_assert_null(error, "trial %" PRIu64 ": %s", number, error);
	error = event_run(&layer, &p->tensors, &(struct event_options){0}, &result);
	cr_assert_null(error, "trial %" PRIu64 ": %s", number, error);
	layer_free(&layer);
	return result;
}

static int64_t stalls(const struct event_result *r)
{
	int64_t sum = 0;
	for (int i = 0; i < STALLS; i++) {
		cr_assert_geq(r->stall[i], 0);
		sum += r->stall[i];
	}
	return sum;
}

static void unlimit(struct hierarchy *h)
{
	for (int i = 0; i < h->levels; i++) {
		struct level *l = &h->level[i];
		l->read_bandwidth = l->write_bandwidth = l->shared_bandwidth =
			l->network_bandwidth = 0;
		memset(l->class_bandwidth, 0, sizeof l->class_bandwidth);
	}
}

/* Cycles are those of the arithmetic and the stalls, each of which has one cause; without limits there are none; and no layer is faster than
 * each of its ports and networks for all that it moves, which is what the mapper counts (overlap perfect). */
Test(accelerator_event, cycles_are_arithmetic_and_stalls)
{
	int slower = 0;
	for (uint64_t number = 0; number < TRIALS; number++) {
		struct sample p;
		make_sample(&p, number, NOTHING);
		struct event_result limited = run(&p, number);
		cr_expect_eq(limited.busy, p.cost.steps, "trial %" PRIu64, number);
		cr_expect_eq(limited.cycles, limited.busy + stalls(&limited), "trial %" PRIu64,
			     number);
		cr_expect_geq(limited.cycles, p.cost.cycles,
			      "trial %" PRIu64 ": %" PRId64 " cycles, overlap perfect %" PRId64,
			      number, limited.cycles, p.cost.cycles);
		slower += limited.cycles > p.cost.cycles;
		unlimit(&p.machine);
		struct event_result unlimited = run(&p, number);
		cr_expect_eq(unlimited.cycles, p.cost.steps, "trial %" PRIu64, number);
		free_sample(&p);
	}
	cr_assert_gt(slower, TRIALS / 4, "%d layers wait", slower);
}

/* O[m, n] += I[m, k] * W[k, n], 2 x 2 x 2; a register keeps a row of I, and only I has a port in the outermost memory, of a word a cycle. A row
 * comes in 2 cycles and is used in 4. With one buffer: 0 2 6 8 12. With two the second row comes meanwhile: 0 2 6 10. With a latency of 3
 * cycles each row is there 3 cycles later: 0 5 9 14 18; and with two buffers 0 5 9 13, for the second row is there at 7. */
Test(accelerator_event, two_rows_by_hand)
{
	static const struct {
		int buffers;
		double latency;
		int64_t cycles, tile;
	} row[] = {{1, 0, 12, 4}, {2, 0, 10, 2}, {1, 3, 18, 10}, {2, 3, 13, 5}};
	enum { K, M, N };
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct sample p = {0};
		struct shape shape = {.stride = 1, .dilation = 1};
		struct mapping *m = &p.trial.mapping;
		struct hierarchy *h = &p.trial.machine;
		shape.extent['m'] = shape.extent['k'] = shape.extent['n'] = 2;
		note_problem(&p.trial.problem, "m k|k n|m n", &shape);
		*h = (struct hierarchy){.name = "hand", .levels = 2, .clock = 1e9};
		for (int l = 0; l < 2; l++)
			h->level[l] = (struct level){.name = "memory",
						     .is_memory = true,
						     .may_keep = 7,
						     .buffers = 1,
						     .width = 1,
						     .word = 8,
						     .fanout = {1, 1}};
		h->level[0].class_bandwidth[CLASS_I] = 1;
		h->level[0].latency = row[i].latency;
		h->level[1].buffers = row[i].buffers;
		*m = (struct mapping){&p.trial.problem,
				      h,
				      {7, 1},
				      3,
				      {{LOOP_TIME, 0, 0, M, 1},
				       {LOOP_TIME, 1, 0, K, 1},
				       {LOOP_TIME, 1, 0, N, 1}}};
		build_sample(&p);
		struct event_result r = run(&p, 0);
		cr_expect_eq(r.cycles, row[i].cycles, "%d buffers, latency %g: %" PRId64,
			     row[i].buffers, row[i].latency, r.cycles);
		cr_expect_eq(r.tile[0], row[i].tile, "%d buffers, latency %g: %" PRId64,
			     row[i].buffers, row[i].latency, r.tile[0]);
		free_sample(&p);
	}
}
