/* tree_print.c -- a syntax tree as source text that parses to the same tree again.
 * Brackets stand where the grammar needs them; numbers have as few digits as read back to the same value. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/syntax/parse.h"
#include "frontend/syntax/unit.h"

/* How tightly an expression holds together; an operand that holds less stands in brackets. */
enum level {
	LEVEL_TERNARY,
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_NOT,
	LEVEL_COMPARE,
	LEVEL_ADD,
	LEVEL_MULTIPLY,
	LEVEL_NEGATE,
	LEVEL_POWER,
	LEVEL_ATOM
};

static const struct {
	const char *text;
	enum level level, left,
		right; /* of the operator, and what its operands must have at least */
} operators[] = {
	[OP_ADD] = {" + ", LEVEL_ADD, LEVEL_ADD, LEVEL_MULTIPLY},
	[OP_SUB] = {" - ", LEVEL_ADD, LEVEL_ADD, LEVEL_MULTIPLY},
	[OP_MUL] = {" * ", LEVEL_MULTIPLY, LEVEL_MULTIPLY, LEVEL_NEGATE},
	[OP_DIV] = {" / ", LEVEL_MULTIPLY, LEVEL_MULTIPLY, LEVEL_NEGATE},
	[OP_MOD] = {" % ", LEVEL_MULTIPLY, LEVEL_MULTIPLY, LEVEL_NEGATE},
	[OP_POW] = {" ^ ", LEVEL_POWER, LEVEL_ATOM, LEVEL_POWER},
	[OP_EQ] = {" == ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_NE] = {" != ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_LT] = {" < ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_LE] = {" <= ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_GT] = {" > ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_GE] = {" >= ", LEVEL_COMPARE, LEVEL_ADD, LEVEL_ADD},
	[OP_AND] = {" and ", LEVEL_AND, LEVEL_AND, LEVEL_NOT},
	[OP_OR] = {" or ", LEVEL_OR, LEVEL_OR, LEVEL_AND},
	[OP_NEG] = {"-", LEVEL_NEGATE, LEVEL_ATOM, LEVEL_NEGATE},
	[OP_NOT] = {"not ", LEVEL_NOT, LEVEL_ATOM, LEVEL_NOT},
};

static void print_expr(const struct tree_expr *, enum level, FILE *);

static void print_list(struct tree_expr *const *items, int count, FILE *file)
{
	for (int i = 0; i < count; i++) {
		if (i)
			fputs(", ", file);
		print_expr(items[i], LEVEL_TERNARY, file);
	}
}

static void print_string(const char *text, FILE *file)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", file);
		else if (*text == '\t')
			fputs("\\t", file);
		else
			fprintf(file, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	}
	fputc('"', file);
}

enum { NUMBER_ROOM = 40 };

/* The fewest digits that, times the factor, give the value again; false if these digits cannot. */
static bool write_digits(char text[NUMBER_ROOM], double digits, double factor, double value)
{
	if (digits == floor(digits) && digits < 1e15 && digits * factor == value) {
		snprintf(text, NUMBER_ROOM, "%.0f", digits);
		return true;
	}
	for (int precision = 1; precision <= 17; precision++) {
		snprintf(text, NUMBER_ROOM, "%.*g", precision, digits);
		if (strtod(text, NULL) * factor == value)
			return true;
	}
	return false;
}

/* A quotient may be off by one in its last place: its neighbours are tried, too. */
static void print_number(const struct tree_expr *expr, FILE *file)
{
	char text[NUMBER_ROOM];
	double factor = expr->kind == EXPR_QUANTITY ? expr->unit->factor : 1;
	double digits = expr->number / factor;
	if (!write_digits(text, digits, factor, expr->number) &&
	    !write_digits(text, nextafter(digits, INFINITY), factor, expr->number))
		write_digits(text, nextafter(digits, 0), factor, expr->number);
	if (expr->is_integer)
		snprintf(text, sizeof text, "%.0f", expr->number);
	fputs(text, file);
	if (expr->kind == EXPR_NUMBER && !expr->is_integer && !strpbrk(text, ".e"))
		fputs(".0", file);
	if (expr->kind == EXPR_QUANTITY)
		fprintf(file, " %s", expr->name);
}

static void print_call(const struct tree_expr *expr, FILE *file)
{
	fprintf(file, "%s(", expr->name);
	print_list(expr->arg, expr->arg_count, file);
	for (const struct tree_named *arg = expr->named; arg; arg = arg->next) {
		fprintf(file, "%s%s = ", arg != expr->named || expr->arg_count ? ", " : "",
			arg->name);
		print_expr(arg->value, LEVEL_TERNARY, file);
	}
	fputc(')', file);
}

static bool is_small(const struct tree_expr *expr)
{
	if (expr->kind == EXPR_UNARY && expr->op == OP_NEG)
		expr = expr->arg[0];
	return expr->kind == EXPR_NUMBER || expr->kind == EXPR_NAME;
}

static void print_outside(const struct tree_expr *expr, FILE *file)
{
	if (expr->outside == OUTSIDE_ERROR)
		return;
	fputs(" else ", file);
	if (expr->outside == OUTSIDE_CLAMP)
		fputs("clamp", file);
	else if (expr->outside == OUTSIDE_DROP)
		fputs("drop", file);
	else if (is_small(expr->outside_value))
		print_expr(expr->outside_value, LEVEL_TERNARY, file);
	else {
		fputc('(', file);
		print_expr(expr->outside_value, LEVEL_TERNARY, file);
		fputc(')', file);
	}
}

/* `inner... by perm` among subscripts, `outer... : axis` among dimensions. */
static void print_ellipsis(const struct tree_expr *expr, const char *separator, FILE *file)
{
	fprintf(file, "%s...", expr->name ? expr->name : "");
	if (expr->arg_count) {
		fputs(separator, file);
		print_expr(expr->arg[0], LEVEL_TERNARY, file);
	}
}

static void print_range(const struct tree_expr *expr, FILE *file)
{
	print_expr(expr->arg[0], LEVEL_TERNARY, file);
	fputs(" .. ", file);
	print_expr(expr->arg[1], LEVEL_TERNARY, file);
	if (!expr->arg[2])
		return;
	fputs(expr->step_multiplies ? " step x" : " step ", file);
	print_expr(expr->arg[2], LEVEL_TERNARY, file);
}

static void print_operator(const struct tree_expr *expr, FILE *file)
{
	if (expr->kind == EXPR_BINARY)
		print_expr(expr->arg[0], operators[expr->op].left, file);
	fputs(operators[expr->op].text, file);
	print_expr(expr->arg[expr->arg_count - 1], operators[expr->op].right, file);
}

static void print_ternary(const struct tree_expr *expr, FILE *file)
{
	print_expr(expr->arg[0], LEVEL_OR, file);
	fputs(" ? ", file);
	print_expr(expr->arg[1], LEVEL_TERNARY, file);
	fputs(" : ", file);
	print_expr(expr->arg[2], LEVEL_TERNARY, file);
}

static enum level level_of(const struct tree_expr *expr)
{
	if (expr->kind == EXPR_TERNARY || expr->kind == EXPR_RANGE)
		return LEVEL_TERNARY;
	return expr->kind == EXPR_UNARY || expr->kind == EXPR_BINARY ? operators[expr->op].level
								     : LEVEL_ATOM;
}

static void print_bare(const struct tree_expr *expr, FILE *file)
{
	switch (expr->kind) {
	case EXPR_NUMBER:
	case EXPR_QUANTITY:
		print_number(expr, file);
		break;
	case EXPR_STRING:
		print_string(expr->name, file);
		break;
	case EXPR_NAME:
		fputs(expr->name, file);
		break;
	case EXPR_LIST:
		fputc('(', file);
		print_list(expr->arg, expr->arg_count, file);
		fputs(expr->arg_count == 1 ? ",)" : ")", file);
		break;
	case EXPR_CALL:
		print_call(expr, file);
		break;
	case EXPR_INDEX:
		fprintf(file, "%s[", expr->name);
		print_list(expr->arg, expr->arg_count, file);
		fputc(']', file);
		print_outside(expr, file);
		break;
	case EXPR_ELLIPSIS:
		print_ellipsis(expr, " by ", file);
		break;
	case EXPR_UNARY:
	case EXPR_BINARY:
		print_operator(expr, file);
		break;
	case EXPR_TERNARY:
		print_ternary(expr, file);
		break;
	case EXPR_RANGE:
		print_range(expr, file);
		break;
	case EXPR_ERROR:
		fputs("<error>", file);
		break;
	}
}

static void print_expr(const struct tree_expr *expr, enum level least, FILE *file)
{
	bool needs_brackets = level_of(expr) < least;
	if (needs_brackets)
		fputc('(', file);
	print_bare(expr, file);
	if (needs_brackets)
		fputc(')', file);
}

void tree_print_expr(const struct tree_expr *expr, FILE *file)
{
	print_expr(expr, LEVEL_TERNARY, file);
}

/* ---- Bodies --------------------------------------------------------------------------------------- */

static void indent(int depth, FILE *file)
{
	for (int i = 0; i < depth; i++)
		fputc('\t', file);
}

static void print_type(const struct tree_type *type, FILE *file)
{
	if (type->form == TYPE_NAMED)
		fprintf(file, ": %s", type_info(type->type)->name);
	else if (type->form == TYPE_OF)
		fprintf(file, ": type(%s)", type->name);
	else if (type->form == TYPE_ACCUMULATOR)
		fprintf(file, ": accumulator(%s)", type->name);
}

static void print_dims(const char *name, struct tree_expr *const *dims, int count, FILE *file)
{
	fprintf(file, "%s[", name);
	for (int i = 0; i < count; i++) {
		if (i)
			fputs(", ", file);
		if (dims[i]->kind == EXPR_ELLIPSIS)
			print_ellipsis(dims[i], " : ", file);
		else
			print_expr(dims[i], LEVEL_TERNARY, file);
	}
	fputc(']', file);
}

static void print_initial(const struct tree_expr *value, FILE *file)
{
	if (!value)
		return;
	fputs(" = ", file);
	print_expr(value, LEVEL_TERNARY, file);
}

static void print_stmts(const struct tree_stmt *, int depth, FILE *);

static void print_tensor(const struct tree_stmt *stmt, FILE *file)
{
	static const char *const assigns[] = {
		[REDUCE_NONE] = " = ", [REDUCE_SUM] = " += ", [REDUCE_MAX] = " max= "};
	if (stmt->type.form == TYPE_UNSAID) {
		print_expr(stmt->target, LEVEL_TERNARY, file);
	} else {
		fputs(stmt->target->name, file);
		print_type(&stmt->type, file);
		fputc('[', file);
		print_list(stmt->target->arg, stmt->target->arg_count, file);
		fputc(']', file);
	}
	fputs(assigns[stmt->reduce], file);
	print_expr(stmt->value, LEVEL_TERNARY, file);
}

static void print_declaration(const struct tree_stmt *stmt, FILE *file)
{
	static const char *const declares[] = {
		[DECLARE_PARAM] = "param", [DECLARE_STATE] = "state", [DECLARE_TENSOR] = "tensor"};
	fprintf(file, "%s %s", declares[stmt->declare], stmt->name);
	print_type(&stmt->type, file);
	if (stmt->extent_count) {
		fputc('[', file);
		print_list(stmt->extent, stmt->extent_count, file);
		fputc(']', file);
	}
	print_initial(stmt->init, file);
}

static void print_if(const struct tree_stmt *stmt, int depth, FILE *file)
{
	for (;;) {
		fputs("if ", file);
		print_expr(stmt->value, LEVEL_TERNARY, file);
		fputs(" {\n", file);
		print_stmts(stmt->body, depth + 1, file);
		indent(depth, file);
		fputc('}', file);
		stmt = stmt->orelse;
		if (!stmt)
			return;
		fputs(" else ", file);
		if (stmt->kind != STMT_IF || stmt->next)
			break;
	}
	fputs("{\n", file);
	print_stmts(stmt, depth + 1, file);
	indent(depth, file);
	fputc('}', file);
}

static void print_for(const struct tree_stmt *stmt, int depth, FILE *file)
{
	fputs("for ", file);
	if (stmt->target && stmt->target->kind == EXPR_INDEX)
		print_dims(stmt->name, stmt->target->arg, stmt->target->arg_count, file);
	else
		fputs(stmt->name, file);
	fputs(" in ", file);
	print_expr(stmt->value, LEVEL_TERNARY, file);
	fputs(" {\n", file);
	print_stmts(stmt->body, depth + 1, file);
	indent(depth, file);
	fputc('}', file);
}

static void print_stmt(const struct tree_stmt *stmt, int depth, FILE *file)
{
	switch (stmt->kind) {
	case STMT_BIND:
		fputs(stmt->name, file);
		print_initial(stmt->value, file);
		break;
	case STMT_TENSOR:
		print_tensor(stmt, file);
		break;
	case STMT_DECLARE:
		print_declaration(stmt, file);
		break;
	case STMT_RANGE:
		fprintf(file, "index %s < ", stmt->name);
		print_expr(stmt->value, LEVEL_TERNARY, file);
		break;
	case STMT_REQUIRE:
		fputs("require ", file);
		print_expr(stmt->value, LEVEL_TERNARY, file);
		if (stmt->init) {
			fputs(", ", file);
			print_expr(stmt->init, LEVEL_TERNARY, file);
		}
		break;
	case STMT_IF:
		print_if(stmt, depth, file);
		break;
	case STMT_FOR:
		print_for(stmt, depth, file);
		break;
	case STMT_RETURN:
		fputs("return ", file);
		print_expr(stmt->value, LEVEL_TERNARY, file);
		break;
	case STMT_ERROR:
		fputs("<error>", file);
		break;
	}
}

static void print_stmts(const struct tree_stmt *stmt, int depth, FILE *file)
{
	for (; stmt; stmt = stmt->next) {
		indent(depth, file);
		print_stmt(stmt, depth, file);
		fputc('\n', file);
	}
}

static void print_formals(const struct tree_formal *formal, FILE *file)
{
	const char *separator = formal && !formal->is_tensor ? "; " : "";
	fputc('(', file);
	for (; formal; formal = formal->next) {
		fputs(separator, file);
		if (formal->is_tensor) {
			fputs(formal->name, file);
			print_type(&formal->type, file);
			print_dims("", formal->dim, formal->dim_count, file);
			fputs(formal->is_each ? " each" : "", file);
		} else if (formal->length) {
			print_dims(formal->name, &formal->length, 1, file);
		} else {
			fputs(formal->name, file);
		}
		print_initial(formal->value, file);
		separator =
			formal->next && formal->is_tensor != formal->next->is_tensor ? "; " : ", ";
	}
	fputc(')', file);
}

/* ---- Machines and mappings ------------------------------------------------------------------------ */

/* In a row of values a product is a rate: 8 B @ 60 MHz. */
static void print_value(const struct tree_expr *expr, FILE *file)
{
	if (expr->kind == EXPR_RANGE) {
		print_value(expr->arg[0], file);
		fputs(" .. ", file);
		print_value(expr->arg[1], file);
		if (expr->arg[2]) {
			fputs(expr->step_multiplies ? " step x" : " step ", file);
			print_value(expr->arg[2], file);
		}
	} else if (expr->kind == EXPR_BINARY) {
		print_value(expr->arg[0], file);
		fputs(" @ ", file);
		print_value(expr->arg[1], file);
	} else {
		print_expr(expr, LEVEL_TERNARY, file);
	}
}

/* Was there a comma before this value? It means nothing to the tree, but something to the reader. */
static bool has_comma(const struct tree_property *property, int value)
{
	if (value == 0 || !property->span.source)
		return false;
	uint32_t begin = property->value[value - 1]->span.end,
		 end = property->value[value]->span.begin;
	return begin < end && memchr(property->span.source->text + begin, ',', end - begin);
}

static void print_block(const struct tree_block *block, int depth, FILE *file)
{
	indent(depth, file);
	fputs(block->kind, file);
	if (block->name)
		fprintf(file, " %s", block->name);
	if (block->shape_count) {
		fputc('[', file);
		print_list(block->shape, block->shape_count, file);
		fputc(']', file);
	}
	fputs(" {\n", file);
	for (const struct tree_property *property = block->property; property;
	     property = property->next) {
		indent(depth + 1, file);
		fputs(property->name, file);
		for (int i = 0; i < property->value_count; i++) {
			fputs(has_comma(property, i) ? ", " : " ", file);
			print_value(property->value[i], file);
		}
		fputc('\n', file);
	}
	for (const struct tree_block *inner = block->block; inner; inner = inner->next)
		print_block(inner, depth + 1, file);
	indent(depth, file);
	fputs("}\n", file);
}

static void print_clause(const struct tree_clause *clause, FILE *file)
{
	static const char *const words[] = {
		[CLAUSE_FOR] = "for",     [CLAUSE_PARALLEL] = "parallel",
		[CLAUSE_KEEP] = "keep",   [CLAUSE_BYPASS] = "bypass",
		[CLAUSE_ORDER] = "order", [CLAUSE_STATIONARY] = "stationary"};
	fprintf(file, "\t%s: %s", clause->level, words[clause->kind]);
	for (int i = 0; i < clause->name_count; i++)
		fprintf(file, "%s %s", i ? "," : "", clause->name[i]);
	if (clause->axis)
		fprintf(file, " over %s", clause->axis);
	if (clause->extent) {
		fputs(" in ", file);
		print_expr(clause->extent, LEVEL_TERNARY, file);
	}
	if (clause->step) {
		fputs(" step ", file);
		print_expr(clause->step, LEVEL_TERNARY, file);
	}
	fputc('\n', file);
}

/* A layer's name may be any text; what is no row of names stands in quotes. */
static void print_layer(const char *name, FILE *file)
{
	if (scan_is_plain_path(name))
		fputs(name, file);
	else
		print_string(name, file);
}

static void print_head(const struct tree_item *item, FILE *file)
{
	static const char *const words[] = {[ITEM_OP] = "op",
					    [ITEM_NETWORK] = "network",
					    [ITEM_TRAIN] = "train",
					    [ITEM_DATAFLOW] = "dataflow",
					    [ITEM_MAPPING] = "map"};
	fprintf(file, "%s ", words[item->kind]);
	print_layer(item->name, file);
	if (item->kind == ITEM_OP || item->kind == ITEM_NETWORK)
		print_formals(item->formal, file);
	if (item->kind == ITEM_MAPPING)
		fprintf(file, " on %s", item->machine);
	fputs(" {\n", file);
	print_stmts(item->body, 1, file);
	for (const struct tree_clause *clause = item->clause; clause; clause = clause->next)
		print_clause(clause, file);
	fputs("}\n", file);
}

void tree_print(const struct tree *tree, FILE *file)
{
	for (const struct tree_item *item = tree->item; item; item = item->next) {
		if (item != tree->item)
			fputc('\n', file);
		if (item->kind == ITEM_IMPORT) {
			fputs("import ", file);
			print_string(item->name, file);
			fputc('\n', file);
		} else if (item->kind == ITEM_BLOCK) {
			print_block(item->block, 0, file);
		} else {
			print_head(item, file);
		}
	}
}
