/* summary.c -- a network in one table: per layer its operators, output, work and parameters.
 *
 * A layer is what a person bound to one name: all statements of `c1 = relu(conv(x, ...))` are one row. Its
 * parameters are those that its statements are the first to read; MACs are counted as network.h defines them. */
#include "frontend/network/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "frontend/source/name_index.h"
#include "runtime/array_print.h"

struct row {
	const char *layer;
	const char *ops;             /* "conv, relu" */
	const struct tensor *output; /* what the last statement writes */
	int64_t macs, parameters;
};

struct summary {
	struct arena *arena;
	struct row *row;
	int row_count;
	struct name_index of_layer; /* 1 + the row of a layer */
	bool *is_counted;           /* by tensor id: this parameter is in a row */
	int64_t macs, parameters;
};

static int64_t saturating_add(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static struct row *row_of(struct summary *summary, const char *layer)
{
	struct row fresh = {.layer = arena_intern_string(summary->arena, layer), .ops = ""};
	int *number = name_index_at(summary->arena, &summary->of_layer, fresh.layer);
	if (*number == 0) {
		ARENA_APPEND(summary->arena, summary->row, summary->row_count, fresh);
		*number = summary->row_count;
	}
	return &summary->row[*number - 1];
}

static bool names_op(const char *ops, const char *op)
{
	size_t length = strlen(op);
	for (const char *at = ops; (at = strstr(at, op)); at += length) {
		bool begins = at == ops || at[-1] == ' ';
		if (begins && (at[length] == '\0' || at[length] == ','))
			return true;
	}
	return false;
}

static void count_parameter(struct summary *summary, struct row *row, const struct tensor *tensor)
{
	tensor = tensor_storage(tensor);
	if (tensor->role != ROLE_PARAM || summary->is_counted[tensor->id])
		return;
	summary->is_counted[tensor->id] = true;
	row->parameters = saturating_add(row->parameters, tensor_count(tensor));
}

static void count_reads(struct summary *summary, struct row *row, const struct scalar *scalar)
{
	if (scalar->kind == SCALAR_READ)
		count_parameter(summary, row, scalar->access->tensor);
	if (scalar->kind != SCALAR_APPLY)
		return;
	for (int i = 0; i < scalar_fn_info(scalar->fn)->arity; i++)
		count_reads(summary, row, scalar->arg[i]);
}

static void count_statement(struct summary *summary, const struct statement *statement)
{
	struct row *row = row_of(summary, statement->layer ? statement->layer : "");
	const char *op = statement->op ? statement->op : "";
	if (*op && !names_op(row->ops, op))
		row->ops =
			arena_printf(summary->arena, "%s%s%s", row->ops, *row->ops ? ", " : "", op);
	row->output = statement->target.tensor;
	row->macs = saturating_add(row->macs, statement_macs(statement));
	count_reads(summary, row, statement->value);
}

/* 724,406,816 */
static const char *grouped(struct arena *arena, int64_t number)
{
	char *digits = arena_printf(arena, "%" PRId64, number);
	size_t count = strlen(digits), used = 0;
	char *text = arena_alloc(arena, 2 * count);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	return text;
}

enum { WIDEST_NAME = 40 };

/* The width of a column: that of its widest cell, within reason. */
static int widen(int width, const char *cell)
{
	size_t length = strlen(cell);
	length = length < WIDEST_NAME ? length : WIDEST_NAME;
	return (int)length > width ? (int)length : width;
}

static void print_rows(const struct summary *summary, FILE *out)
{
	int layer = widen(0, "layer"), ops = widen(0, "operators"), shape = widen(0, "output");
	for (int i = 0; i < summary->row_count; i++) {
		const struct row *row = &summary->row[i];
		const struct tensor *output = row->output;
		layer = widen(layer, row->layer);
		ops = widen(ops, row->ops);
		shape = widen(shape, shape_text(output->type, output->rank, output->extent).text);
	}
	fprintf(out, "%-*s  %-*s  %-*s  %15s  %13s\n", layer, "layer", ops, "operators", shape,
		"output", "MACs", "parameters");
	for (int i = 0; i < summary->row_count; i++) {
		const struct row *row = &summary->row[i];
		const struct tensor *output = row->output;
		fprintf(out, "%-*.*s  %-*.*s  %-*s  %15s  %13s\n", layer, WIDEST_NAME, row->layer,
			ops, WIDEST_NAME, row->ops, shape,
			shape_text(output->type, output->rank, output->extent).text,
			grouped(summary->arena, row->macs),
			grouped(summary->arena, row->parameters));
	}
	fprintf(out, "%-*s  %-*s  %-*s  %15s  %13s\n", layer, "total", ops, "", shape, "",
		grouped(summary->arena, summary->macs),
		grouped(summary->arena, summary->parameters));
}

void summary_print(const struct network *network, FILE *out)
{
	struct summary summary = {.arena = network->arena};
	summary.is_counted = ARENA_ARRAY(network->arena, (size_t)network->tensor_count, bool);
	for (int i = 0; i < network->statement_count; i++)
		count_statement(&summary, network->statement[i]);
	for (int i = 0; i < summary.row_count; i++)
		summary.macs = saturating_add(summary.macs, summary.row[i].macs);
	for (int i = 0; i < network->tensor_count; i++) {
		const struct tensor *tensor = network->tensor[i];
		if (tensor->role == ROLE_PARAM && !tensor->view_of)
			summary.parameters =
				saturating_add(summary.parameters, tensor_count(tensor));
	}
	print_rows(&summary, out);
}
