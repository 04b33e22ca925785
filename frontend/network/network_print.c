/* network_print.c -- a network as a person would write it: its tensors with type, shape and
 * role, then its statements, each with its loops in order. The same network always gives the
 * same text.
 *
 *     c1: for n in 1, k in 6, p in 28, q in 28, c in 1, r in 5, s in 5:
 *         c1[n, k, p, q] += image[n, c, p + r - 2, q + s - 2] else 0 * c1.W[k, c, r, s]
 */
#include "frontend/network/network.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- Numbers and subscripts ------------------------------------------------------------------ */

/* The shortest text that reads back as the same number. */
static void print_number(double value, FILE *out)
{
	char text[40];
	if (isnan(value) || isinf(value)) {
		fputs(isnan(value) ? "nan" : value < 0 ? "-infinity" : "infinity", out);
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, out);
}

/* The magnitude of a term or offset behind its sign; the first term's plus is not written. */
static uint64_t print_sign(int64_t value, bool is_first, FILE *out)
{
	if (is_first)
		fputs(value < 0 ? "-" : "", out);
	else
		fputs(value < 0 ? " - " : " + ", out);
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static void print_sum(const struct statement *s, const struct subscript *sub, FILE *out)
{
	bool is_first = true;
	for (int i = 0; i < s->loops; i++) {
		if (sub->coef[i] == 0)
			continue;
		uint64_t factor = print_sign(sub->coef[i], is_first, out);
		if (factor != 1)
			fprintf(out, "%" PRIu64 "*", factor);
		fputs(s->loop[i].name, out);
		is_first = false;
	}
	if (sub->offset != 0 || is_first)
		fprintf(out, "%" PRIu64, print_sign(sub->offset, is_first, out));
}

static void print_access(const struct statement *s, const struct access *a, FILE *out)
{
	fprintf(out, "%s[", a->tensor->name);
	for (int i = 0; i < a->tensor->rank; i++) {
		const struct subscript *sub = &a->subscript[i];
		fputs(i > 0 ? ", " : "", out);
		if (sub->divisor == 1) {
			print_sum(s, sub, out);
			continue;
		}
		fputs("floor((", out);
		print_sum(s, sub, out);
		fprintf(out, ") / %" PRId64 ")", sub->divisor);
	}
	fputs("]", out);
	if (a->outside == OUTSIDE_VALUE) {
		fputs(" else ", out);
		print_number(a->value, out);
	}
	if (a->outside == OUTSIDE_CLAMP || a->outside == OUTSIDE_DROP)
		fputs(a->outside == OUTSIDE_CLAMP ? " else clamp" : " else drop", out);
}

/* ---- Expressions ----------------------------------------------------------------------------- */

/* How tightly an operator binds its operands; CALL is written as name(...), which never needs
 * brackets. */
enum binding {
	BIND_SELECT,
	BIND_OR,
	BIND_AND,
	BIND_NOT,
	BIND_COMPARE,
	BIND_ADD,
	BIND_MULTIPLY,
	BIND_NEGATE,
	BIND_CALL
};

static const enum binding bindings[FN_COUNT] = {
	[FN_ADD] = BIND_ADD,       [FN_SUB] = BIND_ADD,    [FN_MUL] = BIND_MULTIPLY,
	[FN_DIV] = BIND_MULTIPLY,  [FN_NEG] = BIND_NEGATE, [FN_MIN] = BIND_CALL,
	[FN_MAX] = BIND_CALL,      [FN_ABS] = BIND_CALL,   [FN_EQ] = BIND_COMPARE,
	[FN_NE] = BIND_COMPARE,    [FN_LT] = BIND_COMPARE, [FN_LE] = BIND_COMPARE,
	[FN_AND] = BIND_AND,       [FN_OR] = BIND_OR,      [FN_NOT] = BIND_NOT,
	[FN_SELECT] = BIND_SELECT, [FN_EXP] = BIND_CALL,   [FN_LOG] = BIND_CALL,
	[FN_SQRT] = BIND_CALL,     [FN_POW] = BIND_CALL,   [FN_TANH] = BIND_CALL,
	[FN_ERF] = BIND_CALL,      [FN_SIN] = BIND_CALL,   [FN_COS] = BIND_CALL,
	[FN_FLOOR] = BIND_CALL,    [FN_CEIL] = BIND_CALL,  [FN_ROUND] = BIND_CALL,
	[FN_UNIFORM] = BIND_CALL,
};

/* Prints e so that it may stand beside an operator that binds as `beside`. */
static void print_scalar(const struct statement *, const struct scalar *e, enum binding beside,
			 FILE *);

static void print_call(const struct statement *s, const struct scalar *e, FILE *out)
{
	const struct scalar_fn_info *info = scalar_fn_info(e->fn);
	fprintf(out, "%s(", info->name);
	for (int i = 0; i < info->arity; i++) {
		fputs(i > 0 ? ", " : "", out);
		print_scalar(s, e->arg[i], BIND_SELECT, out);
	}
	fputs(")", out);
}

/* Operators group from the left: what stands at the right must bind more tightly. */
static void print_operator(const struct statement *s, const struct scalar *e, FILE *out)
{
	const struct scalar_fn_info *info = scalar_fn_info(e->fn);
	enum binding binding = bindings[e->fn];
	if (e->fn == FN_SELECT) {
		print_scalar(s, e->arg[0], BIND_OR, out);
		fputs(" ? ", out);
		print_scalar(s, e->arg[1], BIND_OR, out);
		fputs(" : ", out);
		print_scalar(s, e->arg[2], BIND_OR, out);
	} else if (info->arity == 1) {
		fputs(e->fn == FN_NEG ? "-" : "not ", out);
		print_scalar(s, e->arg[0], binding + 1, out);
	} else {
		enum binding left = binding == BIND_COMPARE ? BIND_ADD : binding;
		print_scalar(s, e->arg[0], left, out);
		fprintf(out, " %s ", info->name);
		print_scalar(s, e->arg[1], binding + 1, out);
	}
}

static void print_apply(const struct statement *s, const struct scalar *e, enum binding beside,
			FILE *out)
{
	bool needs_brackets = bindings[e->fn] < beside;
	if (bindings[e->fn] == BIND_CALL) {
		print_call(s, e, out);
		return;
	}
	fputs(needs_brackets ? "(" : "", out);
	print_operator(s, e, out);
	fputs(needs_brackets ? ")" : "", out);
}

static void print_scalar(const struct statement *s, const struct scalar *e, enum binding beside,
			 FILE *out)
{
	switch (e->kind) {
	case SCALAR_CONSTANT:
		print_number(e->constant, out);
		break;
	case SCALAR_POSITION:
		fputs(s->loop[e->loop].name, out);
		break;
	case SCALAR_READ:
		print_access(s, e->access, out);
		break;
	case SCALAR_APPLY:
		print_apply(s, e, beside, out);
		break;
	}
}

/* ---- Statements and tensors ------------------------------------------------------------------ */

static void print_statement(const struct statement *s, FILE *out)
{
	static const char *const combine[] = {
		[REDUCE_NONE] = "=", [REDUCE_SUM] = "+=", [REDUCE_MAX] = "max="};
	fprintf(out, "%s:", s->layer[0] ? s->layer : s->op);
	for (int i = 0; i < s->loops; i++)
		fprintf(out, "%s%s in %" PRId64, i > 0 ? ", " : " for ", s->loop[i].name,
			s->loop[i].extent);
	fputs(s->loops > 0 ? ":\n    " : "\n    ", out);
	print_access(s, &s->target, out);
	fprintf(out, " %s ", combine[s->reduce]);
	print_scalar(s, s->value, BIND_SELECT, out);
	fputs("\n", out);
}

static void print_init(const struct init *init, FILE *out)
{
	static const char *const name[] = {[INIT_HE] = "he",
					   [INIT_GLOROT] = "glorot",
					   [INIT_CONSTANT] = "constant",
					   [INIT_UNIFORM] = "uniform"};
	fprintf(out, " = %s(", name[init->kind]);
	if (init->kind == INIT_CONSTANT || init->kind == INIT_UNIFORM)
		print_number(init->value, out);
	fputs(")", out);
}

static void print_tensor(const struct tensor *t, FILE *out)
{
	static const char *const role[] = {[ROLE_INPUT] = "input",
					   [ROLE_PARAM] = "param",
					   [ROLE_STATE] = "state",
					   [ROLE_CONSTANT] = "constant",
					   [ROLE_LOCAL] = "local"};
	bool has_init = t->role == ROLE_PARAM || t->role == ROLE_STATE;
	fprintf(out, "%s %s: %s[", t->view_of ? "view" : role[t->role], t->name,
		type_info(t->type)->name);
	for (int i = 0; i < t->rank; i++)
		fprintf(out, "%s%s %" PRId64, i > 0 ? ", " : "", t->dim[i], t->extent[i]);
	fputs("]", out);
	if (t->view_of)
		fprintf(out, " of %s", t->view_of->name);
	else if (has_init && !t->data)
		print_init(&t->init, out);
	fputs(t->is_output ? ", output\n" : "\n", out);
}

void network_print(const struct network *net, FILE *out)
{
	fprintf(out, "network %s(", net->name);
	for (int i = 0; i < net->input_count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", net->input[i]->name);
	fputs(") -> (", out);
	for (int i = 0; i < net->output_count; i++)
		fprintf(out, "%s%s: %s", i > 0 ? ", " : "", net->output_name[i],
			net->output[i]->name);
	fputs(")\n\n", out);
	for (int i = 0; i < net->tensor_count; i++)
		print_tensor(net->tensor[i], out);
	for (int i = 0; i < net->statement_count; i++) {
		fputs("\n", out);
		print_statement(net->statement[i], out);
	}
}
