/* machine_value.c -- the values of a property of a machine: each form says which measures it takes, whether the
 * value may be zero, and how a person would write it. A range is checked at both ends and its step. */
#include <math.h>
#include <string.h>

#include "frontend/machine/machine_check.h"
#include "frontend/source/name_index.h"
#include "frontend/syntax/unit.h"

#define TAKES(measure) (1u << MEASURE_##measure)

/* Forms whose value is one quantity. */
static const struct {
	unsigned measures;
	bool may_be_zero, is_whole;
	const char *example;
} quantity_form[FORM_COUNT] = {
	[FORM_WHOLE] = {TAKES(NONE), false, true, "a whole number, as in 8"},
	[FORM_FREQUENCY] = {TAKES(FREQUENCY), false, false, "a frequency, as in 200 MHz"},
	[FORM_BITS] = {TAKES(DATA), false, true, "an amount of data, as in 16 bit"},
	[FORM_BYTES] = {TAKES(DATA), false, true, "an amount of data, as in 64 B"},
	[FORM_SIZE] = {TAKES(DATA) | TAKES(WORDS), false, true,
		       "a size, as in 108 KiB or 224 words"},
	[FORM_TIME] = {TAKES(TIME) | TAKES(COUNT), true, false, "a time, as in 2 us or 10 cycles"},
	[FORM_COST] = {TAKES(NONE) | TAKES(ENERGY), true, false, "an energy, as in 6 or 2 pJ"},
	[FORM_LEAKAGE] = {TAKES(NONE) | TAKES(ENERGY) | TAKES(POWER), true, false,
			  "an energy a cycle or a power, as in 0.1 or 2 mW"},
	[FORM_RATE] = {TAKES(RATE) | TAKES(WORDS) | TAKES(DATA), false, false,
		       "data per time, as in 8 B @ 60 MHz, 10 GB/s or 4 words a cycle"},
};

/* Forms whose value is one of a few words. */
static const char *const halo_words[] = {"delta", "full", "walk", "share", NULL};
static const char *const overlap_words[] = {"perfect", "buffered", NULL};
static const char *const role_words[] = {"worker", "parameter_server", NULL};
static const char *const network_words[] = {
	"bus",       "multicast",  "unicast",  "mesh",      "tree",
	"ring",      "torus",      "fat_tree", "star",      "crossbar",
	"broadcast", "all_to_all", "chain",    "reduction", "hierarchical_mesh",
	NULL};
/* Whom a network serves: units along an axis, tensors of a class. */
static const char *const served_words[] = {"row", "column", "I", "W", "O", NULL};
static const char *const cost_words[] = {"read", "write", "fill", "update", NULL};
static const char *const rate_words[] = {"read", "write", NULL};
static const char *const direction_words[] = {"horizontal", "vertical", "both", NULL};
static const char *const dataflow_words[] = {"weight_stationary", "output_stationary",
					     "input_stationary",  "row_stationary",
					     "no_local_reuse",    NULL};
static const char *const *const word_form[FORM_COUNT] = {
	[FORM_HALO] = halo_words,
	[FORM_OVERLAP] = overlap_words,
	[FORM_ROLE] = role_words,
};

static int length_of(const char *const words[])
{
	int count = 0;
	while (words[count])
		count++;
	return count;
}

static bool is_among(const char *word, const char *const words[])
{
	for (; *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

/* ---- Quantities -------------------------------------------------------------------------------------- */

/* The number of a literal; false where the expression is none. */
static bool literal(const struct tree_expr *expr, double *number, enum measure *measure)
{
	double sign = 1;
	while (expr->kind == EXPR_UNARY && expr->op == OP_NEG) {
		sign = -sign;
		expr = expr->arg[0];
	}
	if (expr->kind != EXPR_NUMBER && expr->kind != EXPR_QUANTITY)
		return false;
	*number = sign * expr->number;
	*measure = expr->kind == EXPR_QUANTITY && expr->unit ? expr->unit->measure : MEASURE_NONE;
	return true;
}

/* What was written, in words: "a frequency, as in 200 MHz" without its example. */
static const char *measure_words(struct program *program, enum measure measure)
{
	const char *name =
		measure == MEASURE_NONE ? "a number without a unit" : unit_measure_name(measure);
	const char *comma = strchr(name, ',');
	return comma ? arena_printf(program->arena, "%.*s", (int)(comma - name), name) : name;
}

static bool check_number(struct program *program, const struct tree_property *property,
			 const struct tree_expr *expr, enum form form, enum measure *measure,
			 double *number)
{
	const char *example = quantity_form[form].example;
	if (!literal(expr, number, measure)) {
		diag_error(program->diag, "bad-value", expr->span, "'%s' is %s", property->name,
			   example);
		return false;
	}
	if (!(quantity_form[form].measures & (1u << *measure))) {
		diag_error(program->diag, "wrong-unit", expr->span, "'%s' is %s, and this is %s",
			   property->name, example, measure_words(program, *measure));
		return false;
	}
	if (!isfinite(*number) || *number < 0 ||
	    (*number == 0 && !quantity_form[form].may_be_zero)) {
		diag_error(program->diag, "out-of-range", expr->span, "'%s' must be %s",
			   property->name,
			   quantity_form[form].may_be_zero ? "at least 0" : "greater than 0");
		return false;
	}
	if (quantity_form[form].is_whole && (*number != floor(*number) || *number > 0x1p53)) {
		diag_error(program->diag, "out-of-range", expr->span,
			   "'%s' must be a whole number of %s", property->name,
			   *measure == MEASURE_DATA    ? "bits"
			   : *measure == MEASURE_WORDS ? "words"
						       : "units, at most 2^53");
		return false;
	}
	return true;
}

/* 64 KiB .. 512 KiB step x2 */
static void check_range(struct program *program, const struct tree_property *property,
			const struct tree_expr *range, enum form form)
{
	const struct tree_expr *step_expr = range->arg_count > 2 ? range->arg[2] : NULL;
	enum measure first_measure, last_measure, step_measure;
	double first, last, step;
	if (!check_number(program, property, range->arg[0], form, &first_measure, &first) ||
	    !check_number(program, property, range->arg[1], form, &last_measure, &last))
		return;
	if (first_measure != last_measure)
		diag_error(program->diag, "wrong-unit", range->arg[1]->span,
			   "both ends of a range have one measure; this is %s, and the first is %s",
			   measure_words(program, last_measure),
			   measure_words(program, first_measure));
	else if (first > last)
		diag_error(program->diag, "bad-range", range->span,
			   "the range of '%s' ends below its beginning", property->name);
	if (!step_expr || step_expr->kind == EXPR_ERROR)
		return;
	if (!literal(step_expr, &step, &step_measure))
		diag_error(program->diag, "bad-range", step_expr->span,
			   "a step is a factor, as in step x2, or a quantity, as in step 64 KiB");
	else if (range->step_multiplies && !(step > 1 && isfinite(step)))
		diag_error(program->diag, "bad-range", step_expr->span,
			   "the factor of a step must be greater than 1");
	else if (!range->step_multiplies && step_measure != first_measure)
		diag_error(program->diag, "wrong-unit", step_expr->span,
			   "the step is of the measure of its range, %s, and this is %s",
			   measure_words(program, first_measure),
			   measure_words(program, step_measure));
	else if (!range->step_multiplies && !(step > 0 && isfinite(step)))
		diag_error(program->diag, "bad-range", step_expr->span,
			   "a step must be greater than 0");
}

/* 8 B @ 60 MHz */
static void check_ticks(struct program *program, const struct tree_property *property,
			const struct tree_expr *expr)
{
	static const struct tree_property at = {.name = "@"};
	const struct tree_expr *data = expr->arg[0], *clock = expr->arg[1];
	enum measure measure;
	double number;
	if (data->kind == EXPR_RANGE)
		check_range(program, property, data, FORM_SIZE);
	else
		check_number(program, property, data, FORM_SIZE, &measure, &number);
	if (clock->kind == EXPR_RANGE)
		check_range(program, &at, clock, FORM_FREQUENCY);
	else
		check_number(program, &at, clock, FORM_FREQUENCY, &measure, &number);
}

static void check_quantity(struct program *program, const struct tree_property *property,
			   const struct tree_expr *expr, enum form form)
{
	enum measure measure;
	double number;
	if (expr->kind == EXPR_ERROR)
		return;
	if (expr->kind == EXPR_RANGE)
		check_range(program, property, expr, form);
	else if (form == FORM_RATE && expr->kind == EXPR_BINARY && expr->op == OP_MUL)
		check_ticks(program, property, expr);
	else
		check_number(program, property, expr, form, &measure, &number);
}

/* ---- Words ---------------------------------------------------------------------------------------------- */

static const char *joined(struct program *program, const char *const words[])
{
	const char *text = words[0];
	for (int i = 1; words[i]; i++)
		text = arena_printf(program->arena, "%s%s%s", text, words[i + 1] ? ", " : " or ",
				    words[i]);
	return text;
}

static void check_word(struct program *program, const char *what, const struct tree_expr *expr,
		       const char *const words[])
{
	bool has_name = expr->kind == EXPR_NAME || expr->kind == EXPR_CALL;
	const char *nearest;
	if (expr->kind == EXPR_ERROR || (has_name && is_among(expr->name, words)))
		return;
	if (!has_name) {
		diag_error(program->diag, "bad-value", expr->span, "'%s' is %s", what,
			   joined(program, words));
		return;
	}
	nearest = diag_nearest(expr->name, words, length_of(words));
	if (nearest)
		diag_error(program->diag, "unknown-name", expr->name_span,
			   "'%s' is not known as a value of '%s'; did you mean '%s'?", expr->name,
			   what, nearest);
	else
		diag_error(program->diag, "unknown-name", expr->name_span,
			   "'%s' is not known as a value of '%s', which is %s", expr->name, what,
			   joined(program, words));
}

/* A name that stood before among the same. */
static void check_once(struct program *program, struct name_places *seen,
		       const struct tree_expr *expr)
{
	if (expr->kind != EXPR_NAME)
		return;
	const struct span *first = name_stood(program->arena, seen, expr->name, expr->span);
	if (!first)
		return;
	diag_error(program->diag, "repeated-name", expr->span, "'%s' is named twice", expr->name);
	diag_note(program->diag, *first, "the first is here");
}

/* multicast(row, column, I): the axes along which one send reaches all, and the tensors that are sent so. */
static void check_network(struct program *program, const struct tree_property *property,
			  const struct tree_expr *expr)
{
	check_word(program, property->name, expr, network_words);
	if (expr->kind != EXPR_CALL)
		return;
	if (expr->named)
		diag_error(program->diag, "bad-value", expr->span,
			   "a network takes axes and tensors, as in multicast(row, I)");
	struct name_places seen = {0};
	for (int i = 0; i < expr->arg_count; i++) {
		check_word(program, expr->name, expr->arg[i], served_words);
		check_once(program, &seen, expr->arg[i]);
	}
}

static bool check_tensor(struct program *program, const struct tree_property *property,
			 const struct tree_expr *expr)
{
	if (expr->kind == EXPR_NAME)
		return true;
	if (expr->kind != EXPR_ERROR)
		diag_error(program->diag, "bad-value", expr->span,
			   "'%s' needs the name of a tensor here, such as I, W or O",
			   property->name);
	return false;
}

static void check_tensors(struct program *program, const struct tree_property *property)
{
	struct name_places seen = {0};
	for (int i = 0; i < property->value_count; i++)
		if (check_tensor(program, property, property->value[i]))
			check_once(program, &seen, property->value[i]);
}

static void check_text(struct program *program, const struct tree_property *property)
{
	const struct tree_expr *text = property->value[0];
	if (text->kind != EXPR_STRING && text->kind != EXPR_ERROR)
		diag_error(program->diag, "bad-value", text->span,
			   "'%s' is a text in double quotes", property->name);
}

/* read 6 write 7: a word before each quantity; one quantity alone stands for all. */
static void check_each(struct program *program, const struct tree_property *property,
		       const char *const words[], enum form form)
{
	if (property->value_count == 1 && property->value[0]->kind != EXPR_NAME) {
		check_quantity(program, property, property->value[0], form);
		return;
	}
	struct name_places seen = {0};
	for (int i = 0; i < property->value_count; i += 2) {
		const struct tree_expr *word = property->value[i];
		check_word(program, property->name, word, words);
		if (i + 1 == property->value_count) {
			if (word->kind == EXPR_NAME)
				diag_error(program->diag, "bad-value", word->span,
					   "'%s' needs a value behind it", word->name);
			return;
		}
		check_quantity(program, property, property->value[i + 1], form);
		check_once(program, &seen, word);
	}
}

/* ---- Names of other items ------------------------------------------------------------------------------- */

static void check_dataflow(struct program *program, const struct tree_expr *expr)
{
	const char **candidate = NULL;
	int count = 0;
	if (expr->kind == EXPR_ERROR)
		return;
	if (expr->kind != EXPR_NAME) {
		diag_error(program->diag, "bad-value", expr->span,
			   "'dataflow' is the name of a dataflow, such as row_stationary");
		return;
	}
	if (is_among(expr->name, dataflow_words) ||
	    program_find(program, ITEM_DATAFLOW, expr->name))
		return;
	for (int i = 0; dataflow_words[i]; i++)
		ARENA_APPEND(program->arena, candidate, count, dataflow_words[i]);
	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (item->kind == ITEM_DATAFLOW && item->name)
				ARENA_APPEND(program->arena, candidate, count, item->name);
	diag_error(program->diag, "unknown-name", expr->span, "there is no dataflow '%s'%s",
		   expr->name, diag_suggestion(program->diag, expr->name, candidate, count));
}

static void check_machine(struct program *program, const struct tree_expr *expr)
{
	const char **candidate;
	const struct tree_item *item;
	if (expr->kind == EXPR_ERROR)
		return;
	if (expr->kind != EXPR_NAME) {
		diag_error(program->diag, "bad-value", expr->span,
			   "'machine' is the name of a machine or cpu of these files");
		return;
	}
	item = machine_find(program, expr->name);
	if (item && strcmp(item->block->kind, "cluster") == 0) {
		diag_error(program->diag, "bad-value", expr->span,
			   "a node is a machine or a cpu, and '%s' is a cluster", expr->name);
		diag_note(program->diag, item->name_span, "it is described here");
	}
	if (item)
		return;
	int count = machine_names(program, &candidate);
	diag_error(program->diag, "unknown-name", expr->span, "there is no machine '%s'%s",
		   expr->name, diag_suggestion(program->diag, expr->name, candidate, count));
}

/* ---- One property ------------------------------------------------------------------------------------------ */

/* The number of values that a form takes; false after an error. */
static bool check_count(struct program *program, const struct tree_property *property,
			enum form form)
{
	bool is_each = (form == FORM_COSTS || form == FORM_RATES) && property->value_count > 0 &&
		       property->value[0]->kind == EXPR_NAME;
	bool is_pair = form == FORM_PORT || form == FORM_LINK ||
		       (form == FORM_SIZES && property->value_count > 0 &&
			property->value[0]->kind == EXPR_NAME);
	int least = form == FORM_FLAG ? 0 : is_pair ? 2 : 1;
	int most = form == FORM_TENSORS || is_each ? property->value_count : least;
	if (property->value_count >= least && property->value_count <= most)
		return true;
	if (most == 0)
		diag_error(program->diag, "bad-value", property->span,
			   "'%s' stands alone, without a value", property->name);
	else if (form == FORM_PORT || (form == FORM_SIZES && is_pair))
		diag_error(program->diag, "bad-value", property->span,
			   "'%s' is a tensor and a size, as in %s O 4 words", property->name,
			   property->name);
	else if (form == FORM_LINK)
		diag_error(program->diag, "bad-value", property->span,
			   "'%s' is a tensor and a direction, as in link O vertical",
			   property->name);
	else if (property->value_count == 0)
		diag_error(program->diag, "bad-value", property->span, "'%s' needs a value",
			   property->name);
	else
		diag_error(program->diag, "bad-value", property->value[1]->span,
			   "'%s' has one value, and this is a second", property->name);
	return false;
}

void machine_value_check(struct program *program, const struct tree_property *property,
			 enum form form)
{
	struct tree_expr *const *value = property->value;
	if (!check_count(program, property, form))
		return;
	if (quantity_form[form].measures)
		check_quantity(program, property, value[0], form);
	if (word_form[form])
		check_word(program, property->name, value[0], word_form[form]);
	switch (form) {
	case FORM_SIZES:
	case FORM_PORT:
		if (property->value_count == 1)
			check_quantity(program, property, value[0], FORM_SIZE);
		else if (check_tensor(program, property, value[0]))
			check_quantity(program, property, value[1], FORM_SIZE);
		break;
	case FORM_COSTS:
		check_each(program, property, cost_words, FORM_COST);
		break;
	case FORM_RATES:
		check_each(program, property, rate_words, FORM_RATE);
		break;
	case FORM_TEXT:
		check_text(program, property);
		break;
	case FORM_TENSORS:
		check_tensors(program, property);
		break;
	case FORM_LINK:
		if (check_tensor(program, property, value[0]))
			check_word(program, property->name, value[1], direction_words);
		break;
	case FORM_NETWORK:
		check_network(program, property, value[0]);
		break;
	case FORM_DATAFLOW:
		check_dataflow(program, value[0]);
		break;
	case FORM_MACHINE:
		check_machine(program, value[0]);
		break;
	default: /* in one of the tables, or a flag */
		break;
	}
}
