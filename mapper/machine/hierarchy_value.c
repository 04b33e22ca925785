/* hierarchy_value.c -- quantities of a machine, checked by the frontend, in the units that the mapper counts in.
 * Products are made before the one division, so that what is a whole number of words comes out whole. */
#include "mapper/machine/hierarchy_make.h"

#include <math.h>
#include <string.h>

#include "frontend/syntax/unit.h"

const struct tree_property *make_property(const struct tree_block *block, const char *word)
{
	const struct tree_property *p = block->property;

	while (p && strcmp(p->name, word) != 0)
		p = p->next;
	return p;
}

static enum measure measure_of(const struct tree_expr *expr)
{
	return expr->kind == EXPR_QUANTITY ? expr->unit->measure : MEASURE_NONE;
}

/* The number of a literal in its unit's base; a range is an error, and its beginning is taken. */
double make_number(struct maker *make, const struct tree_expr *expr)
{
	if (expr->kind != EXPR_RANGE)
		return expr->number;
	diag_error(make->program->diag, "not-mapped", expr->span,
		   "a range stands for several machines, and networks are mapped onto one");
	return make_number(make, expr->arg[0]);
}

static const struct tree_expr *first_of(const struct tree_expr *expr)
{
	return expr->kind == EXPR_RANGE ? expr->arg[0] : expr;
}

int64_t make_words(struct maker *make, const struct tree_expr *expr, int word)
{
	double number = make_number(make, expr);
	bool is_data = measure_of(first_of(expr)) == MEASURE_DATA;

	if (is_data && number < word) {
		diag_error(make->program->diag, "out-of-range", expr->span,
			   "this is less than one word of %d bits", word);
		return 1;
	}
	return (int64_t)(is_data ? floor(number / word) : number);
}

/* 8 B @ 60 MHz is so many bits at so many ticks; B/s are bits at one second; words and data are of each cycle. */
double make_rate(struct maker *make, const struct tree_expr *expr, int word)
{
	bool has_ticks = expr->kind == EXPR_BINARY;
	const struct tree_expr *data = has_ticks ? expr->arg[0] : expr;
	enum measure measure = measure_of(first_of(data));
	double number = make_number(make, data), per = measure == MEASURE_WORDS ? 1 : word;

	if (has_ticks)
		number *= make_number(make, expr->arg[1]);
	if (has_ticks || measure == MEASURE_RATE)
		per *= make->machine->clock;
	return number / per;
}

/* 3 ns is no binary number: what is a whole number of cycles but for that is one. */
double make_cycles(struct maker *make, const struct tree_expr *expr)
{
	double number = make_number(make, expr);

	if (measure_of(first_of(expr)) != MEASURE_TIME)
		return number;
	number *= make->machine->clock;
	return fabs(number - nearbyint(number)) <= 0x1p-48 * number ? nearbyint(number) : number;
}

/* Plain numbers and joules cannot be added; 0 is 0 in both. */
static double same_unit(struct maker *make, const struct tree_expr *expr, double number)
{
	bool is_plain = measure_of(first_of(expr)) == MEASURE_NONE;

	if (number == 0)
		return 0;
	if (!make->energy) {
		make->energy = expr;
		make->machine->is_in_joules = !is_plain;
	} else if (is_plain == make->machine->is_in_joules) {
		diag_error(make->program->diag, "wrong-unit", expr->span,
			   "this is %s, and other costs of the machine are %s",
			   is_plain ? "a number without a unit" : "in joules",
			   is_plain ? "in joules" : "numbers without a unit");
		diag_note(make->program->diag, make->energy->span, "one is here");
	}
	return number;
}

double make_energy(struct maker *make, const struct tree_expr *expr)
{
	return same_unit(make, expr, make_number(make, expr));
}

double make_leakage(struct maker *make, const struct tree_expr *expr)
{
	double number = make_number(make, expr);

	if (measure_of(first_of(expr)) == MEASURE_POWER)
		number /= make->machine->clock;
	return same_unit(make, expr, number);
}
