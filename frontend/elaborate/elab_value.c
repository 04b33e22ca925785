/* elab_value.c -- compile-time expressions: numbers, lists, strings and tensors.
 * An expression goes in with the frame whose names it uses, a value comes out. What is wrong is reported once
 * and becomes poison, which everything accepts in silence. */
#include <math.h>
#include <string.h>
#include "frontend/elaborate/elab.h"

struct value value_number(double number)
{
	return (struct value){.kind = VALUE_NUMBER, .number = number};
}

struct value value_tensor(struct tensor *tensor)
{
	return (struct value){.kind = VALUE_TENSOR, .tensor = tensor};
}

struct value value_integers(struct arena *arena, int count, const int64_t *integer)
{
	struct value list = {.kind = VALUE_LIST, .count = count};

	list.item = ARENA_ARRAY(arena, count ? count : 1, struct value);
	for (int i = 0; i < count; i++)
		list.item[i] = value_number((double)integer[i]);
	return list;
}

struct value elab_poison(void)
{
	return (struct value){.kind = VALUE_POISON};
}

bool elab_is_integer(double number)
{
	return number == floor(number) && fabs(number) <= 9007199254740992.0;
}

const char *elab_value_text(struct elaborator *e, struct value value)
{
	static const char *const kind[] = {"nothing", "a number", "a string",
					   "a list",  "a tensor", "an error"};

	if (value.kind == VALUE_NUMBER)
		return arena_printf(e->arena, "%.15g", value.number);
	if (value.kind == VALUE_STRING)
		return arena_printf(e->arena, "\"%s\"", value.string);
	if (value.kind == VALUE_TENSOR)
		return arena_printf(e->arena, "tensor '%s'", value.tensor->name);
	return kind[value.kind];
}

bool elab_integer(struct elaborator *e, struct frame *frame, const struct tree_expr *expr,
		  const char *what, int64_t least, int64_t most, int64_t *out)
{
	struct value value = elab_eval(e, frame, expr);

	if (value.kind == VALUE_POISON)
		return false;
	if (value.kind != VALUE_NUMBER || !elab_is_integer(value.number)) {
		elab_error(e, frame, "not-an-integer", expr->span,
			   "%s must be an integer, and this is %s", what,
			   elab_value_text(e, value));
		return false;
	}
	if (value.number < (double)least || value.number > (double)most) {
		if (most == INT64_MAX || most > (INT64_C(1) << 52))
			elab_error(e, frame, "out-of-range", expr->span,
				   "%s must be at least %lld, and this is %.15g", what,
				   (long long)least, value.number);
		else
			elab_error(e, frame, "out-of-range", expr->span,
				   "%s must lie between %lld and %lld, and this is %.15g", what,
				   (long long)least, (long long)most, value.number);
		return false;
	}
	*out = (int64_t)value.number;
	return true;
}

bool elab_condition(struct elaborator *e, struct frame *frame, const struct tree_expr *expr,
		    bool *truth)
{
	struct value value = elab_eval(e, frame, expr);

	if (value.kind != VALUE_NUMBER && value.kind != VALUE_POISON)
		elab_error(e, frame, "not-a-condition", expr->span,
			   "a condition is a number or a comparison, and this is %s",
			   elab_value_text(e, value));
	*truth = value.number != 0;
	return value.kind == VALUE_NUMBER;
}

/* ---- Functions of numbers ------------------------------------------------------------------------- */

static double add(double a, double b)
{
	return a + b;
}
static double smaller(double a, double b)
{
	return a < b ? a : b;
}
static double greater(double a, double b)
{
	return a > b ? a : b;
}
static double round_even(double a)
{
	return nearbyint(a);
}
static double times(double a, double b)
{
	return a * b;
}

/* Functions of one or two numbers; with a tensor as argument the name means the operator of the library. */
static const struct {
	const char *name;
	double (*one)(double);
	double (*two)(double, double);
} number_function[] = {
	{"floor", floor, NULL}, {"ceil", ceil, NULL}, {"round", round_even, NULL},
	{"abs", fabs, NULL},    {"sqrt", sqrt, NULL}, {"exp", exp, NULL},
	{"log", log, NULL},     {"pow", NULL, pow},   {"min", NULL, smaller},
	{"max", NULL, greater}, {"tanh", tanh, NULL}, {"erf", erf, NULL},
	{"sin", sin, NULL},     {"cos", cos, NULL},
};

/* Functions of lists of numbers. */
static const struct {
	const char *name;
	double start;
	double (*fold)(double, double);
} list_function[] = {
	{"sum", 0, add},
	{"product", 1, times},
	{"min", INFINITY, smaller},
	{"max", -INFINITY, greater},
};

/* Functions that look at a tensor or a list and give a number. */
static const char *const look_function[] = {"size", "rank", "len"};

bool elab_gives_number(const char *name)
{
	for (size_t i = 0; i < sizeof number_function / sizeof *number_function; i++)
		if (strcmp(name, number_function[i].name) == 0)
			return true;
	for (size_t i = 0; i < sizeof list_function / sizeof *list_function; i++)
		if (strcmp(name, list_function[i].name) == 0)
			return true;
	for (size_t i = 0; i < sizeof look_function / sizeof *look_function; i++)
		if (strcmp(name, look_function[i]) == 0)
			return true;
	return false;
}

static bool any_tensor(const struct value *arg, int count)
{
	for (int i = 0; i < count; i++)
		if (arg[i].kind == VALUE_TENSOR)
			return true;
	return false;
}

static bool all_numbers(const struct value *arg, int count)
{
	for (int i = 0; i < count; i++)
		if (arg[i].kind != VALUE_NUMBER)
			return false;
	return true;
}

/* A function of numbers or of one list of numbers; false when no such function takes these arguments. */
static bool apply_number_function(const char *name, const struct value *arg, int count,
				  struct value *out)
{
	if (count == 1 && arg[0].kind == VALUE_LIST && all_numbers(arg[0].item, arg[0].count)) {
		for (size_t i = 0; i < sizeof list_function / sizeof *list_function; i++) {
			if (strcmp(name, list_function[i].name) != 0)
				continue;
			double sum = list_function[i].start;
			for (int k = 0; k < arg[0].count; k++)
				sum = list_function[i].fold(sum, arg[0].item[k].number);
			*out = value_number(sum);
			return true;
		}
		return false;
	}
	if (!all_numbers(arg, count))
		return false;
	for (size_t i = 0; i < sizeof number_function / sizeof *number_function; i++) {
		if (strcmp(name, number_function[i].name) != 0)
			continue;
		if (count == 1 && number_function[i].one)
			*out = value_number(number_function[i].one(arg[0].number));
		else if (count == 2 && number_function[i].two)
			*out = value_number(number_function[i].two(arg[0].number, arg[1].number));
		else
			return false;
		return true;
	}
	return false;
}

/* ---- Functions that look at tensors and lists ------------------------------------------------------ */

static struct value shape_of(struct elaborator *e, const struct tensor *tensor)
{
	return value_integers(e->arena, tensor->rank, tensor->extent);
}

static struct value range_of(struct elaborator *e, struct frame *frame, double first, double last,
			     struct span span)
{
	struct value list = {.kind = VALUE_LIST};

	if (!elab_is_integer(first) || !elab_is_integer(last) || last - first > MAX_RANGE) {
		elab_error(e, frame, "bad-range", span,
			   "a range needs two integers at most %d apart, and these are %.15g and "
			   "%.15g",
			   MAX_RANGE, first, last);
		return elab_poison();
	}
	list.count = last > first ? (int)(last - first) : 0;
	if (!elab_step(e, frame, span, list.count))
		return elab_poison();
	list.item = ARENA_ARRAY(e->arena, list.count + 1, struct value);
	for (int i = 0; i < list.count; i++)
		list.item[i] = value_number(first + i);
	return list;
}

static struct value size_of(struct elaborator *e, struct frame *frame, const struct tensor *tensor,
			    double axis, struct span span)
{
	double wanted = axis < 0 ? axis + tensor->rank : axis;

	if (!elab_is_integer(axis) || wanted < 0 || wanted >= tensor->rank) {
		elab_error(e, frame, "bad-axis", span, "'%s' is %s and has no axis %.15g",
			   tensor->name, elab_shape_text(e, tensor), axis);
		return elab_poison();
	}
	return value_number((double)tensor->extent[(int)wanted]);
}

/* Functions whose argument is a tensor or a list as such: true when this is one, right or wrong. */
static bool apply_look(struct elaborator *e, struct frame *frame, const struct tree_expr *call,
		       const struct value *arg, int count, struct value *out)
{
	const char *name = call->name;
	struct tensor *tensor = count > 0 && arg[0].kind == VALUE_TENSOR ? arg[0].tensor : NULL;

	*out = elab_poison();
	if (strcmp(name, "size") == 0 && tensor && count == 2 && arg[1].kind == VALUE_NUMBER)
		*out = size_of(e, frame, tensor, arg[1].number, call->span);
	else if (strcmp(name, "rank") == 0 && tensor && count == 1)
		*out = value_number(tensor->rank);
	else if (strcmp(name, "shape") == 0 && tensor && count == 1)
		*out = shape_of(e, tensor);
	else if (strcmp(name, "view") == 0 && tensor && count == 2)
		*out = elab_view(e, frame, tensor, arg[1], call->span);
	else if (strcmp(name, "len") == 0 && count == 1 && arg[0].kind == VALUE_LIST)
		*out = value_number(arg[0].count);
	else if (strcmp(name, "range") == 0 && count == 2 && all_numbers(arg, 2))
		*out = range_of(e, frame, arg[0].number, arg[1].number, call->span);
	else
		return false;
	return true;
}

static struct value call(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct argument *arg;
	struct value *positional = ARENA_ARRAY(e->arena, expr->arg_count + 1, struct value);
	struct value result;
	int count = 0;
	bool poisoned = false;

	for (const struct tree_named *n = expr->named; n; n = n->next)
		count++;
	arg = ARENA_ARRAY(e->arena, expr->arg_count + count + 1, struct argument);
	count = 0;
	for (int i = 0; i < expr->arg_count; i++) {
		positional[i] = elab_eval(e, frame, expr->arg[i]);
		positional[i].span = expr->arg[i]->span;
		poisoned |= positional[i].kind == VALUE_POISON;
		arg[count++].value = positional[i];
	}
	for (const struct tree_named *n = expr->named; n; n = n->next) {
		arg[count].name = n->name;
		arg[count].name_span = n->name_span;
		arg[count].value = elab_eval(e, frame, n->value);
		arg[count].value.span = n->value->span;
		poisoned |= arg[count++].value.kind == VALUE_POISON;
	}
	if (poisoned)
		return elab_poison();
	if (!expr->named) {
		if (apply_look(e, frame, expr, positional, expr->arg_count, &result))
			return result;
		if (!any_tensor(positional, expr->arg_count) &&
		    apply_number_function(expr->name, positional, expr->arg_count, &result))
			return result;
	}
	return elab_call(e, frame, expr->name, expr->span, expr->name_span, NULL, arg, count);
}

/* ---- Operators -------------------------------------------------------------------------------------- */

static const char *const tensor_operator[] = {
	[OP_ADD] = "add", [OP_SUB] = "sub", [OP_MUL] = "mul", [OP_DIV] = "div", [OP_POW] = "pow"};

/* Numbers alone. Division by zero is the caller's to refuse. */
static double number_operator(enum expr_op op, double a, double b)
{
	switch (op) {
	case OP_ADD:
		return a + b;
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_DIV:
		return a / b;
	case OP_MOD:
		return a - b * floor(a / b);
	case OP_POW:
		return pow(a, b);
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	case OP_AND:
		return a != 0 && b != 0;
	case OP_OR:
		return a != 0 || b != 0;
	case OP_NEG:
		return -a;
	case OP_NOT:
		return a == 0;
	}
	return 0;
}

/* (a, b) + (c) */
static struct value joined(struct elaborator *e, struct frame *frame, struct value a,
			   struct value b, struct span span)
{
	struct value list = {.kind = VALUE_LIST, .count = a.count + b.count};

	if (!elab_step(e, frame, span, list.count))
		return elab_poison();
	list.item = ARENA_ARRAY(e->arena, list.count + 1, struct value);
	for (int i = 0; i < list.count; i++)
		list.item[i] = i < a.count ? a.item[i] : b.item[i - a.count];
	return list;
}

static struct value binary(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct value a = elab_eval(e, frame, expr->arg[0]), b;

	if (a.kind == VALUE_NUMBER &&
	    ((expr->op == OP_AND && a.number == 0) || (expr->op == OP_OR && a.number != 0)))
		return value_number(a.number != 0);
	b = elab_eval(e, frame, expr->arg[1]);
	if (a.kind == VALUE_POISON || b.kind == VALUE_POISON)
		return elab_poison();
	if (a.kind == VALUE_NUMBER && b.kind == VALUE_NUMBER) {
		if ((expr->op == OP_DIV || expr->op == OP_MOD) && b.number == 0) {
			elab_error(e, frame, "division-by-zero", expr->arg[1]->span,
				   "division by zero");
			return elab_poison();
		}
		return value_number(number_operator(expr->op, a.number, b.number));
	}
	if (a.kind == VALUE_STRING && b.kind == VALUE_STRING &&
	    (expr->op == OP_EQ || expr->op == OP_NE))
		return value_number((strcmp(a.string, b.string) == 0) == (expr->op == OP_EQ));
	if (a.kind == VALUE_LIST && b.kind == VALUE_LIST && expr->op == OP_ADD)
		return joined(e, frame, a, b, expr->span);
	if ((a.kind == VALUE_TENSOR || b.kind == VALUE_TENSOR) &&
	    (a.kind == VALUE_TENSOR || a.kind == VALUE_NUMBER) &&
	    (b.kind == VALUE_TENSOR || b.kind == VALUE_NUMBER) && expr->op <= OP_POW &&
	    tensor_operator[expr->op]) {
		struct argument arg[2] = {{.value = a}, {.value = b}};
		arg[0].value.span = expr->arg[0]->span;
		arg[1].value.span = expr->arg[1]->span;
		return elab_call(e, frame, tensor_operator[expr->op], expr->span, expr->span, NULL,
				 arg, 2);
	}
	elab_error(e, frame, "bad-operands", expr->span, "this operator does not take %s and %s",
		   elab_value_text(e, a), elab_value_text(e, b));
	return elab_poison();
}

static struct value unary(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct value a = elab_eval(e, frame, expr->arg[0]);

	if (a.kind == VALUE_POISON)
		return a;
	if (a.kind == VALUE_NUMBER)
		return value_number(number_operator(expr->op, a.number, 0));
	if (a.kind == VALUE_TENSOR && expr->op == OP_NEG) {
		struct argument arg = {.value = a};
		return elab_call(e, frame, "neg", expr->span, expr->span, NULL, &arg, 1);
	}
	elab_error(e, frame, "bad-operands", expr->span,
		   "this operator takes a number, and this is %s", elab_value_text(e, a));
	return elab_poison();
}

/* stride[0], xs[-1] */
static struct value element(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct binding *bound = elab_find(frame, expr->name);
	int64_t i;

	if (bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_POISON)
		return elab_poison();
	if (!bound || bound->kind != BIND_VALUE || bound->value.kind != VALUE_LIST) {
		elab_error(e, frame, "not-a-list", expr->name_span, "'%s' is not a list; %s",
			   expr->name,
			   bound && bound->kind == BIND_VALUE && bound->value.kind == VALUE_TENSOR
				   ? "an element of a tensor is read in a tensor statement, as in "
				     "y[i] = x[i]"
				   : "only lists have elements here");
		return elab_poison();
	}
	if (expr->arg_count != 1) {
		elab_error(e, frame, "bad-index", expr->span, "an element of a list has one index");
		return elab_poison();
	}
	if (!elab_integer(e, frame, expr->arg[0], "the index of an element",
			  -(int64_t)bound->value.count, bound->value.count - 1, &i))
		return elab_poison();
	return bound->value.item[i < 0 ? i + bound->value.count : i];
}

static struct value name(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	static const struct {
		const char *name;
		double number;
	} constant[] = {
		{"pi", 3.14159265358979323846}, {"infinity", INFINITY}, {"true", 1}, {"false", 0}};
	struct binding *bound = elab_find(frame, expr->name);

	if (bound && (bound->kind == BIND_DIM || bound->kind == BIND_INDEX)) {
		if (bound->kind == BIND_DIM)
			return value_number((double)bound->extent);
		elab_error(e, frame, "index-outside", expr->span,
			   "index '%s' has a value only in a tensor statement", expr->name);
		return elab_poison();
	}
	if (bound && bound->kind == BIND_VALUE)
		return bound->value;
	if (bound) {
		struct value extents = {.kind = VALUE_LIST, .count = bound->dim_count};
		extents.item = ARENA_ARRAY(e->arena, bound->dim_count + 1, struct value);
		for (int i = 0; i < bound->dim_count; i++)
			extents.item[i] = value_number((double)bound->dim[i].extent);
		return extents;
	}
	if (strcmp(expr->name, "training") == 0)
		return value_number(e->options && e->options->training);
	for (size_t i = 0; i < sizeof constant / sizeof *constant; i++)
		if (strcmp(expr->name, constant[i].name) == 0)
			return value_number(constant[i].number);
	if (frame->skipped)
		return elab_poison();
	elab_error(e, frame, "unknown-name", expr->span, "nothing is called '%s' here%s",
		   expr->name, elab_suggestion(e, frame, expr->name));
	return elab_poison();
}

static struct value list(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct value value = {.kind = VALUE_LIST, .count = expr->arg_count};

	value.item = ARENA_ARRAY(e->arena, expr->arg_count + 1, struct value);
	for (int i = 0; i < expr->arg_count; i++) {
		value.item[i] = elab_eval(e, frame, expr->arg[i]);
		value.item[i].span = expr->arg[i]->span;
		if (value.item[i].kind == VALUE_POISON)
			return elab_poison();
	}
	return value;
}

static struct value range(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct value first = elab_eval(e, frame, expr->arg[0]),
		     last = elab_eval(e, frame, expr->arg[1]);

	if (first.kind == VALUE_POISON || last.kind == VALUE_POISON)
		return elab_poison();
	if (first.kind != VALUE_NUMBER || last.kind != VALUE_NUMBER) {
		elab_error(e, frame, "bad-range", expr->span, "a range needs two integers");
		return elab_poison();
	}
	return range_of(e, frame, first.number, last.number, expr->span);
}

static struct value evaluate(struct elaborator *e, struct frame *frame,
			     const struct tree_expr *expr)
{
	bool truth;

	switch (expr->kind) {
	case EXPR_NUMBER:
		return value_number(expr->number);
	case EXPR_STRING:
		return (struct value){
			.kind = VALUE_STRING, .string = expr->name, .span = expr->span};
	case EXPR_NAME:
		return name(e, frame, expr);
	case EXPR_LIST:
		return list(e, frame, expr);
	case EXPR_CALL:
		return call(e, frame, expr);
	case EXPR_INDEX:
		return element(e, frame, expr);
	case EXPR_UNARY:
		return unary(e, frame, expr);
	case EXPR_BINARY:
		return binary(e, frame, expr);
	case EXPR_RANGE:
		return range(e, frame, expr);
	case EXPR_TERNARY:
		return elab_condition(e, frame, expr->arg[0], &truth)
			       ? elab_eval(e, frame, expr->arg[truth ? 1 : 2])
			       : elab_poison();
	case EXPR_QUANTITY:
	case EXPR_ELLIPSIS:
		elab_error(e, frame, "misplaced", expr->span, "this has no meaning in a network");
		return elab_poison();
	case EXPR_ERROR:
		break;
	}
	return elab_poison();
}

struct value elab_eval(struct elaborator *e, struct frame *frame, const struct tree_expr *expr)
{
	struct value value;

	if (!elab_step(e, frame, expr->span, 1) || !elab_enter(e, frame, expr->span))
		return elab_poison();
	value = evaluate(e, frame, expr);
	e->nesting--;
	return value;
}
