/* tree.c -- makes the expressions of the syntax tree, and what they stand in; parses a source.
 * How deep an expression is stands in the expression: nothing deeper than TREE_MAX_DEPTH is ever linked. */
#include <string.h>

#include "frontend/syntax/tree_build.h"
#include "parser.h"

struct tree_expr *build_expr(struct parse *parse, enum expr_kind kind, struct span span)
{
	struct tree_expr *expr = ARENA_NEW(parse->arena, struct tree_expr);
	expr->kind = kind;
	expr->span = span;
	expr->depth = 1;
	return expr;
}

/* Counts a child into the depth of its parent; a parent too deep lets go of all that it holds. */
static void deepen(struct parse *parse, struct tree_expr *expr, const struct tree_expr *child)
{
	if (!child || child->depth < expr->depth)
		return;
	expr->depth = child->depth + 1;
	if (expr->depth <= TREE_MAX_DEPTH)
		return;
	syntax_too_deep(parse, expr->span, "the operations of this expression nest");
	*expr = (struct tree_expr){.kind = EXPR_ERROR, .span = expr->span, .depth = 1};
}

static struct tree_expr *build_of(struct parse *parse, enum expr_kind kind, struct expr_list args,
				  struct span span)
{
	struct tree_expr *expr = build_expr(parse, kind, span);
	expr->arg = args.item;
	expr->arg_count = args.count;
	for (int i = 0; i < args.count; i++)
		deepen(parse, expr, args.item[i]);
	return expr;
}

/* Names a node, unless it has become an error. */
static struct tree_expr *named(struct tree_expr *expr, struct word word)
{
	if (expr->kind == EXPR_ERROR)
		return expr;
	expr->name = word.name;
	expr->name_span = word.span;
	return expr;
}

struct tree_expr *build_name(struct parse *parse, struct word word, struct span span)
{
	return named(build_expr(parse, EXPR_NAME, span), word);
}

static struct tree_expr *build_with(struct parse *parse, enum expr_kind kind, int count,
				    struct tree_expr *const children[], struct span span)
{
	struct expr_list args = {ARENA_ARRAY(parse->arena, (size_t)count, struct tree_expr *),
				 count};
	memcpy(args.item, children, (size_t)count * sizeof *children);
	return build_of(parse, kind, args, span);
}

struct tree_expr *build_unary(struct parse *parse, enum expr_op op, struct tree_expr *a,
			      struct span span)
{
	struct tree_expr *expr = build_with(parse, EXPR_UNARY, 1, (struct tree_expr *[]){a}, span);
	expr->op = op;
	return expr;
}

struct tree_expr *build_binary(struct parse *parse, enum expr_op op, struct tree_expr *a,
			       struct tree_expr *b, struct span span)
{
	struct tree_expr *expr =
		build_with(parse, EXPR_BINARY, 2, (struct tree_expr *[]){a, b}, span);
	expr->op = op;
	return expr;
}

struct tree_expr *build_ternary(struct parse *parse, struct tree_expr *condition,
				struct tree_expr *yes, struct tree_expr *no, struct span span)
{
	return build_with(parse, EXPR_TERNARY, 3, (struct tree_expr *[]){condition, yes, no}, span);
}

struct tree_expr *build_list(struct parse *parse, struct expr_list items, struct span span)
{
	return build_of(parse, EXPR_LIST, items, span);
}

struct tree_expr *build_call_of(struct parse *parse, struct word word, struct arg_list args,
				struct span span)
{
	struct tree_expr *expr = named(build_of(parse, EXPR_CALL, args.by_position, span), word);
	expr->named = args.named;
	for (struct tree_named *arg = args.named; arg && expr->kind == EXPR_CALL; arg = arg->next)
		deepen(parse, expr, arg->value);
	return expr;
}

struct tree_expr *build_index(struct parse *parse, struct word word, struct expr_list subscripts,
			      struct span span)
{
	return named(build_of(parse, EXPR_INDEX, subscripts, span), word);
}

struct tree_expr *build_ellipsis(struct parse *parse, struct word word, struct tree_expr *inner,
				 struct span span)
{
	if (!inner)
		return named(build_expr(parse, EXPR_ELLIPSIS, span), word);
	return named(build_with(parse, EXPR_ELLIPSIS, 1, &inner, span), word);
}

/* The factor of a step written x2, or 0. */
static double step_factor(const struct tree_expr *step)
{
	if (step->kind != EXPR_NAME || step->name[0] != 'x' || !step->name[1] ||
	    strlen(step->name) > 10)
		return 0;
	double factor = 0;
	for (const char *digit = step->name + 1; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return 0;
		factor = factor * 10 + (*digit - '0');
	}
	return factor;
}

struct tree_expr *build_range(struct parse *parse, struct tree_expr *first, struct tree_expr *last,
			      struct tree_expr *step, struct span span)
{
	double factor = step ? step_factor(step) : 0;
	if (factor > 0) {
		struct span digits = step->span;
		digits.begin++;
		step = build_expr(parse, EXPR_NUMBER, digits);
		step->number = factor;
		step->is_integer = true;
	} else if (step && step->kind == EXPR_NAME) {
		diag_error(parse->diag, "syntax", step->span,
			   "expected a step such as 'x2' or a quantity, found '%s'",
			   syntax_excerpt(parse, step->span));
		step = build_expr(parse, EXPR_ERROR, step->span);
	}
	struct tree_expr *expr =
		build_with(parse, EXPR_RANGE, 3, (struct tree_expr *[]){first, last, step}, span);
	expr->step_multiplies = factor > 0;
	return expr;
}

struct tree_expr *build_outside(struct parse *parse, struct tree_expr *access,
				struct tree_expr *fallback, struct span span)
{
	if (access->kind == EXPR_ERROR)
		return access;
	access->span = span;
	if (fallback->kind == EXPR_NAME && strcmp(fallback->name, "clamp") == 0) {
		access->outside = OUTSIDE_CLAMP;
	} else if (fallback->kind == EXPR_NAME && strcmp(fallback->name, "drop") == 0) {
		access->outside = OUTSIDE_DROP;
	} else {
		access->outside = OUTSIDE_VALUE;
		access->outside_value = fallback;
		deepen(parse, access, fallback);
	}
	return access;
}

struct expr_list append_expr(struct parse *parse, struct expr_list list, struct tree_expr *expr)
{
	ARENA_APPEND(parse->arena, list.item, list.count, expr);
	return list;
}

struct expr_list prepend_expr(struct parse *parse, struct tree_expr *expr, struct expr_list list)
{
	struct expr_list all = {
		ARENA_ARRAY(parse->arena, (size_t)list.count + 1, struct tree_expr *),
		list.count + 1};
	all.item[0] = expr;
	if (list.count)
		memcpy(all.item + 1, list.item, (size_t)list.count * sizeof *list.item);
	return all;
}

struct arg_list append_arg(struct parse *parse, struct arg_list list, struct tree_expr *expr)
{
	if (list.named)
		diag_error(parse->diag, "syntax", expr->span,
			   "an argument without a name stands behind one with a name");
	list.by_position = append_expr(parse, list.by_position, expr);
	return list;
}

struct arg_list append_named(struct parse *parse, struct arg_list list, struct word word,
			     struct tree_expr *value)
{
	struct tree_named *arg = ARENA_NEW(parse->arena, struct tree_named);
	arg->name = word.name;
	arg->name_span = word.span;
	arg->value = value;
	if (list.last_named)
		list.last_named->next = arg;
	else
		list.named = arg;
	list.last_named = arg;
	return list;
}

struct name_list append_name(struct parse *parse, struct name_list list, struct word word)
{
	ARENA_APPEND(parse->arena, list.name, list.count, word.name);
	ARENA_APPEND(parse->arena, list.span, list.span_count, word.span);
	return list;
}

struct tree_type build_type(struct parse *parse, struct word word)
{
	enum type type = type_of_name(word.name, strlen(word.name));
	if (type != TYPE_COUNT)
		return (struct tree_type){TYPE_NAMED, type, NULL, word.span};
	const char *names[TYPE_COUNT];
	for (int i = 0; i < TYPE_COUNT; i++)
		names[i] = type_info((enum type)i)->name;
	const char *near = diag_suggestion(parse->diag, word.name, names, TYPE_COUNT);
	diag_error(parse->diag, "unknown-type", word.span, "'%s' is no element type%s",
		   syntax_excerpt(parse, word.span),
		   *near ? near : ": they are f32, f64, i8, i16, i32 and i64");
	return (struct tree_type){.span = word.span};
}

struct tree_type build_type_of(struct parse *parse, struct word form, struct word of,
			       struct span span)
{
	if (strcmp(form.name, "type") == 0)
		return (struct tree_type){TYPE_OF, 0, of.name, span};
	if (strcmp(form.name, "accumulator") == 0)
		return (struct tree_type){TYPE_ACCUMULATOR, 0, of.name, span};
	diag_error(parse->diag, "unknown-type", form.span,
		   "expected 'type(%.40s)' or 'accumulator(%.40s)', found '%s'", of.name, of.name,
		   syntax_excerpt(parse, form.span));
	return (struct tree_type){.span = span};
}

struct tree *tree_parse(struct arena *arena, struct diag *diag, const struct source *source)
{
	struct parse *parse = ARENA_NEW(arena, struct parse);
	struct tree *tree = ARENA_NEW(arena, struct tree);
	tree->source = source;
	*parse = (struct parse){.arena = arena, .diag = diag, .source = source, .tree = tree};
	parse->unheard.arena = arena;
	parse->last_item = &tree->item;
	struct span whole = {source, 0, 0};
	if (source->size > PARSE_MAX_SIZE) {
		diag_error(diag, "file-too-large", whole, "a file has at most 1 GiB");
		return tree;
	}
	const char *nul = memchr(source->text, '\0', source->size);
	if (nul) {
		uint32_t at = (uint32_t)(nul - source->text);
		diag_error(diag, "bad-character", (struct span){source, at, at + 1},
			   "a NUL byte: this is not a text file; networks are read from .dnn texts "
			   "and .onnx models");
		return tree;
	}
	lexer_open(parse);
	parser_parse(parse);
	lexer_close(parse);
	return tree;
}
