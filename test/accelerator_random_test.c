/* accelerator_random_test.c -- random mappings become instructions, which are executed: the values are those of plain loops, and
 * all counters those of the closed form, in whatever order the sequencers take their turns. */
#include "accelerator_sample.h"

/* Of one trial in ten the sequencers take their turns in many orders. */
enum { TRIALS = 300, SHUFFLES = 2, MANY_SHUFFLES = 32 };

static const char *differs(const struct sample *p, const struct sim_layer *l,
			   const struct counters *c, const int64_t *sum, char text[256])
{
	static const char *const words = "macs units steps cycles instances tile reads fills "
					 "updates read_accesses fill_accesses "
					 "update_accesses deliveries hops network";
	const struct sim_tensor *output = &p->tensors.tensor[p->tensors.count - 1];
	for (int64_t k = 0; k < output->count; k++)
		if (tensor_word(&p->tensors, output, k) != (int32_t)sum[k]) {
			snprintf(text, 256, "element %" PRId64 " is %" PRId64 ", not %" PRId64, k,
				 tensor_word(&p->tensors, output, k), sum[k]);
			return text;
		}
	for (int i = 0; i < l->expectations; i++) {
		const struct layer_expectation *e = &l->expectation[i];
		int64_t value = counters_value(c, (enum counter)e->counter, e->level, e->operand);
		size_t length;
		const char *word = isa_word(words, e->counter, &length);
		if (value != e->value) {
			snprintf(text, 256,
				 "%.*s of level %d, operand %d: %" PRId64 ", closed form %" PRId64,
				 (int)length, word, e->level, e->operand, value, e->value);
			return text;
		}
	}
	return NULL;
}

static const char *execute(const struct sample *p, const int64_t *sum,
			   struct simulation_options options, char text[256])
{
	struct sim_layer layer;
	int place = 0;
	char *error = layer_read(&layer, &p->code, &place, &p->machine, &p->tensors);
	const char *difference = NULL;
	fill_inputs(p);
	if (!error) {
		struct counters *counters = simulate_counters(&layer, &options);
		error = simulate_layer(&layer, &p->tensors, &options, counters);
		if (!error)
			difference = differs(p, &layer, counters, sum, text);
		counters_free(counters);
	}
	if (error) {
		snprintf(text, 256, "%s", error);
		difference = text;
	}
	free(error);
	layer_free(&layer);
	return difference;
}

static void execute_trials(enum beyond beyond)
{
	const char *times = getenv("ACCELERATOR_RANDOM_TIMES");
	const char *only = getenv("ACCELERATOR_RANDOM_TRIAL");
	uint64_t first = only ? strtoull(only, NULL, 10) : 0;
	uint64_t end =
		only ? first + 1 : (uint64_t)TRIALS * (times ? strtoull(times, NULL, 10) : 1);
	int wrong = 0;
	for (uint64_t number = first; number < end; number++) {
		struct sample p;
		char text[256];
		make_sample(&p, number, beyond);
		fill_inputs(&p);
		int64_t *sum = compute(&p);
		const char *difference =
			execute(&p, sum, (struct simulation_options){.is_stepped = false}, text);
		if (!difference)
			difference = execute(&p, sum,
					     (struct simulation_options){.is_stepped = true}, text);
		uint64_t shuffles = number % 10 == 0 ? MANY_SHUFFLES : SHUFFLES;
		for (uint64_t seed = 0; seed < shuffles && !difference; seed++)
			difference = execute(&p, sum, (struct simulation_options){true, true, seed},
					     text);
		if (difference && wrong++ < 3) {
			print_trial(stderr, &p.trial);
			fprintf(stderr, "  %s\n", difference);
		}
		free(sum);
		free_sample(&p);
	}
	cr_assert_eq(wrong, 0, "%d of %" PRIu64 " trials differ", wrong, end - first);
}

Test(accelerator_random, whole_steps)
{
	execute_trials(NOTHING);
}

Test(accelerator_random, imperfect_factors)
{
	execute_trials(IMPERFECT);
}

Test(accelerator_random, networks)
{
	execute_trials(NETWORKS | IMPERFECT);
}

Test(accelerator_random, scattered_outputs)
{
	execute_trials(SCATTER);
}

Test(accelerator_random, scattered_outputs_imperfect)
{
	execute_trials(SCATTER | IMPERFECT);
}

Test(accelerator_random, meshes_links_widths_and_limits)
{
	execute_trials(NETWORKS | WIDTHS | LIMITS | MESHES | LINKS);
}

Test(accelerator_random, all_together)
{
	execute_trials(IMPERFECT | NETWORKS | WIDTHS | LIMITS | MESHES | LINKS);
}

Test(accelerator_random, units_that_slide)
{
	execute_trials(SLIDES | NETWORKS | IMPERFECT);
}
