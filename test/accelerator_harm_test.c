/* accelerator_harm_test.c -- layers with one number changed: refused by the loader, stopped on the way, or seen in the counters or the
 * output; never a crash, and what makes a difference is never missed. docs/accelerator.md, section 4. */
#include "accelerator_sample.h"
#include "runtime/simulator/statement.h"

enum { TRIALS = 20 };

enum outcome { REFUSED, STOPPED, COUNTED, COMPUTED, UNNOTICED, OUTCOMES };

static enum outcome outcome_of(const struct sample *p, const struct code *code, const int64_t *sum,
			       bool is_stepped)
{
	struct simulation_options options = {.is_stepped = is_stepped};
	struct sim_layer layer;
	int place = 0;
	enum outcome outcome = UNNOTICED;
	char *error = layer_read(&layer, code, &place, &p->machine, &p->tensors);
	fill_inputs(p);
	if (error) {
		outcome = REFUSED;
	} else {
		struct counters *c = simulate_counters(&layer, &options);
		const struct sim_tensor *output = &p->tensors.tensor[p->tensors.count - 1];
		error = simulate_layer(&layer, &p->tensors, &options, c);
		for (int i = 0; i < layer.expectations && !error; i++) {
			const struct layer_expectation *e = &layer.expectation[i];
			if (counters_value(c, (enum counter)e->counter, e->level, e->operand) !=
			    e->value)
				outcome = COUNTED;
		}
		for (int64_t k = 0; k < output->count && outcome == UNNOTICED && !error; k++)
			if (tensor_word(&p->tensors, output, k) != (int32_t)sum[k])
				outcome = COMPUTED;
		outcome = error ? STOPPED : outcome;
		counters_free(c);
	}
	free(error);
	layer_free(&layer);
	return outcome;
}

/* Fields of which every other value is another nest or another expectation. The tile of a loop is none: two loops of one dimension beside
 * each other may share its steps in several ways that move the same words. */
static bool matters(enum opcode op, int field)
{
	return (op == OP_DIM && field == DIM_EXTENT) || (op == OP_INDEX && field == INDEX_COEF) ||
	       (op == OP_AXIS && field == AXIS_OFFSET) ||
	       (op == OP_EXPECT && field == EXPECT_VALUE) ||
	       (op == OP_SEQUENCE && field == SEQUENCE_DEPTH) ||
	       (op == OP_ROUTE && field == ROUTE_MODE);
}

static void harm_field(const struct sample *p, const int64_t *sum, int place, int k, int64_t value,
		       int64_t outcomes[OUTCOMES])
{
	struct instruction *at = &p->code.at[place];
	const struct field_info *info = &isa_info(at->op)->field[k];
	int64_t before = at->field[k].whole;
	/* What the decoder would not let through. */
	if ((info->form == FORM_WORDS && value >= isa_words(info->words)) ||
	    (info->form != FORM_NUMBER && value < 0))
		return;
	at->field[k].whole = value;
	for (int stepped = 0; stepped < 2; stepped++) {
		enum outcome outcome = outcome_of(p, &p->code, sum, stepped);
		outcomes[outcome]++;
		cr_assert(outcome != UNNOTICED || !matters(at->op, k),
			  "trial %" PRIu64 ", instruction %d (%s): field %d is %" PRId64
			  " in place of %" PRId64 ", and nothing tells",
			  p->trial.number, place, isa_info(at->op)->word, k, value, before);
	}
	at->field[k].whole = before;
}

Test(accelerator_harm, one_number_that_is_wrong)
{
	int64_t outcomes[OUTCOMES] = {0};
	for (uint64_t number = 0; number < TRIALS; number++) {
		struct sample p;
		make_sample(&p, number, NETWORKS | (number % 2 ? IMPERFECT : 0));
		fill_inputs(&p);
		int64_t *sum = compute(&p);
		for (int i = 0; i < p.code.count; i++) {
			const struct instruction_info *info = isa_info(p.code.at[i].op);
			for (int k = 0; k < info->fields; k++) {
				int64_t value = p.code.at[i].field[k].whole;
				if (info->field[k].form == FORM_TEXT ||
				    info->field[k].form == FORM_REAL)
					continue;
				harm_field(&p, sum, i, k, value + 1, outcomes);
				harm_field(&p, sum, i, k, value - 1, outcomes);
				harm_field(&p, sum, i, k, value ^ 64, outcomes);
			}
		}
		free(sum);
		free_sample(&p);
	}
	for (int i = 0; i < UNNOTICED; i++)
		cr_assert_gt(outcomes[i], 10, "of outcome %d there are %" PRId64, i, outcomes[i]);
}

/* Without an instruction that lets sequencers meet, they are deadlocked or come too early. */
Test(accelerator_harm, a_meeting_that_is_missing)
{
	int64_t outcomes[OUTCOMES] = {0};
	for (uint64_t number = 0; number < 2 * TRIALS; number++) {
		struct sample p;
		make_sample(&p, number, NETWORKS);
		fill_inputs(&p);
		int64_t *sum = compute(&p);
		for (int i = 0; i < p.code.count; i++) {
			struct code less = p.code;
			if (p.code.at[i].op != OP_WAIT && p.code.at[i].op != OP_SIGNAL)
				continue;
			less.at = malloc(sizeof *less.at * (size_t)p.code.count);
			memcpy(less.at, p.code.at, sizeof *less.at * (size_t)i);
			memcpy(less.at + i, p.code.at + i + 1,
			       sizeof *less.at * (size_t)(p.code.count - i - 1));
			less.count--;
			outcomes[outcome_of(&p, &less, sum, false)]++;
			free(less.at);
		}
		free(sum);
		free_sample(&p);
	}
	cr_assert_gt(outcomes[STOPPED], 150, "%" PRId64 " are stopped", outcomes[STOPPED]);
	cr_assert_eq(outcomes[COUNTED] + outcomes[COMPUTED], 0, "%" PRId64 " give another result",
		     outcomes[COUNTED] + outcomes[COMPUTED]);
}

Test(accelerator_harm, a_deadlock_names_who_waits_for_whom)
{
	struct sample p;
	struct sim_layer layer;
	const struct simulation_options options = {0};
	int place = 0;
	uint64_t number = 0;
	char *error = NULL;
	for (; !error; number++) {
		make_sample(&p, number, NOTHING);
		for (int i = 0; i < p.code.count; i++)
			if (p.code.at[i].op == OP_SEMAPHORE)
				p.code.at[i].field[SEMAPHORE_TOKENS].whole = 0;
		place = 0;
		cr_assert_null(layer_read(&layer, &p.code, &place, &p.machine, &p.tensors));
		struct counters *c = simulate_counters(&layer, &options);
		error = simulate_layer(&layer, &p.tensors, &options, c);
		counters_free(c);
		layer_free(&layer);
		free_sample(&p);
	}
	cr_assert(strstr(error, "is deadlocked: ") && strstr(error, "waits for semaphore"), "%s",
		  error);
	free(error);
}

/* y[i] max= (i < 3 ? x[i / 2 - 1] else 2 : exp(z[i])) + 1, and what is left of the row is as it was. */
static const char tensors_text[] =
	"tensor name=\"x\" type=f32 role=local address=0\nextent count=4\n"
	"tensor name=\"y\" type=i16 role=local address=64\nextent count=2\nextent count=6\n"
	"tensor name=\"z\" type=f64 role=local address=128\nextent count=6\n"
	"output name=\"y\" tensor=1\n";
static const char statement_text[] =
	"statement name=\"s\" unit=host reduce=max=\nfor extent=2\nfor extent=6\n"
	"access tensor=1 outside=none value=0\nsubscript offset=0 divisor=1\nstep loop=0 coef=1\n"
	"subscript offset=0 divisor=1\nstep loop=1 coef=1\n"
	"position type=i32 loop=1\nconstant type=i32 value=3\napply type=i32 function=<\n"
	"access tensor=0 outside=value value=2\nsubscript offset=-2 divisor=2\nstep loop=1 "
	"coef=1\nread access=1\n"
	"access tensor=2 outside=clamp value=0\nsubscript offset=1 divisor=1\nstep loop=1 "
	"coef=1\nread access=2\n"
	"apply type=f64 function=exp\napply type=f64 function=select\nconstant type=f32 value=1\n"
	"apply type=f64 function=+\n";

/* Whatever the numbers are, nothing outside of the tensors is touched: the address sanitizer sees the rest. */
Test(accelerator_harm, statements_with_one_wrong_number)
{
	struct code tensor_code = {0}, code = {0};
	struct tensors tensors;
	int refused = 0, executed = 0;
	cr_assert_null(code_parse(&tensor_code, tensors_text, strlen(tensors_text)));
	cr_assert_null(code_parse(&code, statement_text, strlen(statement_text)));
	cr_assert_null(tensors_read(&tensors, &tensor_code, NULL, 0));
	for (int i = 0; i < code.count; i++) {
		const struct instruction_info *info = isa_info(code.at[i].op);
		for (int k = 0; k < info->fields; k++) {
			const int64_t before = code.at[i].field[k].whole;
			const int64_t value[] = {before,      before + 1, before - 1,
						 before ^ 64, INT64_MAX,  INT64_MIN};
			for (size_t v = 0; v < sizeof value / sizeof *value; v++) {
				enum isa_form form = info->field[k].form;
				int place = 0;
				if (form == FORM_TEXT || form == FORM_REAL ||
				    (form != FORM_NUMBER && value[v] < 0) ||
				    (form == FORM_WORDS &&
				     value[v] >= isa_words(info->field[k].words)) ||
				    (code.at[i].op == OP_FOR && value[v] > 1000))
					continue;
				code.at[i].field[k].whole = value[v];
				char *error = statement_run(&code, &place, &tensors);
				refused += error != NULL;
				executed += error == NULL;
				cr_assert(v > 0 || !error, "%s", error);
				free(error);
			}
			code.at[i].field[k].whole = before;
		}
	}
	cr_assert(refused > 50 && executed > 50, "%d refused, %d executed", refused, executed);
	tensors_free(&tensors);
	code_free(&tensor_code);
	code_free(&code);
}
