/* layout.c -- from line ends and brackets to the shape of the text: tokens of the scanner ->
 * tokens of the grammar, with an END after each statement.
 *
 * A statement ends at the end of its line, at `;`, before `}`, after `}` and at the end of the
 * file. A line goes on inside ( and [ and after what cannot end a statement. The layout also mends
 * brackets, so that one that is missing costs one message: in an open ( the text ends at a line
 * that is indented no deeper than its statement; an open { ends where an item begins in the first
 * column. */
#include <string.h>

#include "frontend/syntax/tree_build.h"
#include "parser.h"

struct token {
	int kind;
	PARSER_STYPE value;
	struct span span;
	bool newline;    /* stands first on its line */
	uint32_t column; /* from 0 */
};

int parser_lex(PARSER_STYPE *, PARSER_LTYPE *, struct parse *);

static void read_token(struct parse *parse, struct token *token)
{
	struct token *held = parse->held;
	if (held && held->kind) {
		*token = *held;
		held->kind = 0;
		return;
	}
	memset(token, 0, sizeof *token);
	parse->newline = false;
	int kind = lexer_scan(&token->value, &token->span, parse->lexer);
	token->column = token->span.begin - parse->line_begin;
	token->newline = parse->newline || kind == T_END_OF_FILE;
	token->kind = kind == T_END_OF_FILE ? -1 : kind; /* 0 is "none held" */
}

static void hold(struct parse *parse, const struct token *token)
{
	if (!parse->held)
		parse->held = ARENA_NEW(parse->arena, struct token);
	*parse->held = *token;
}

static bool is_end_of_file(const struct token *token)
{
	return token->kind == -1;
}

/* After this token a statement cannot be over. */
static bool continues(int kind)
{
	static const int going_on[] = {'+',  '-',  '*',          '/',          '%',   '^',
				       '?',  ':',  '=',          '<',          '>',   ',',
				       '@',  '.',  T_ADD_ASSIGN, T_MAX_ASSIGN, T_EQ,  T_NE,
				       T_LE, T_GE, T_AND,        T_OR,         T_NOT, T_RANGE};
	for (size_t i = 0; i < sizeof going_on / sizeof going_on[0]; i++)
		if (going_on[i] == kind)
			return true;
	return false;
}

static bool ends_operand(int kind)
{
	return kind == T_NAME || kind == T_NUMBER || kind == T_STRING || kind == T_QUANTITY ||
	       kind == ')' || kind == ']';
}

static bool starts_operand(int kind)
{
	return kind == T_NAME || kind == T_NUMBER || kind == T_STRING || kind == T_QUANTITY ||
	       kind == T_WORD;
}

/* These words begin a statement and stand nowhere else, but for the `for` of a mapping. */
static bool starts_statement(const struct parse *parse, int kind)
{
	static const int words[] = {T_PARAM,   T_STATE, T_TENSOR, T_INDEX,
				    T_REQUIRE, T_IF,    T_FOR,    T_RETURN};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i] == kind)
			return parse->mode == MODE_CODE;
	return false;
}

static bool starts_item(int kind)
{
	return kind == T_IMPORT || kind == T_OP || kind == T_NETWORK || kind == T_TRAIN ||
	       kind == T_MACHINE || kind == T_CPU || kind == T_CLUSTER || kind == T_DATAFLOW ||
	       kind == T_MAP;
}

/* No statement is begun: at the start of the file, after END, in a new body. */
static bool between_statements(const struct parse *parse)
{
	return parse->previous == 0 || parse->previous == T_END || parse->previous == '{';
}

/* `name =` cannot go on with an expression, but for arguments by name. */
static bool starts_binding(const struct parse *parse, const struct token *token)
{
	if (token->kind != T_NAME || parse->mode != MODE_CODE || parse->previous == '(' ||
	    parse->previous == ',')
		return false;
	const char *text = parse->source->text + token->span.end;
	text += strspn(text, " \t");
	return text[0] == '=' && text[1] != '=';
}

/* What can only be the next statement, whatever stands before it. */
static bool begins_anew(const struct parse *parse, const struct token *token)
{
	return starts_statement(parse, token->kind) || starts_item(token->kind) ||
	       starts_binding(parse, token);
}

/* Does the line end before this token, inside ( or [, end the statement all the same? It does where an operand
 * follows an operand, or the text is wrong already, and the line is indented no deeper than the statement. */
static bool breaks_off(const struct parse *parse, const struct token *token)
{
	if (token->column > parse->statement_column)
		return false;
	if (begins_anew(parse, token))
		return true;
	return (parse->quiet || ends_operand(parse->previous)) && starts_operand(token->kind);
}

/* Why a statement ends before this token, in words for a message; NULL: it goes on. */
static const char *end_before(const struct parse *parse, const struct token *token)
{
	if (between_statements(parse))
		return NULL;
	if (is_end_of_file(token))
		return "the end of the file";
	if (parse->previous == '}')
		return token->kind == T_ELSE && !token->newline ? NULL : "'}'";
	if (token->kind == '}')
		return token->newline ? "the end of the line" : "'}'";
	if (token->kind == ';' && parse->parens == 0)
		return "';'";
	if (!token->newline)
		return NULL;
	bool ends = parse->parens > 0 ? breaks_off(parse, token)
				      : !continues(parse->previous) || begins_anew(parse, token);
	return ends ? "the end of the line" : NULL;
}

static void close_parens(struct parse *parse)
{
	parse->depth -= parse->parens;
	parse->parens = 0;
}

static void open_bracket(struct parse *parse, int kind, struct span span)
{
	if (kind == '{')
		close_parens(parse);
	if (parse->depth == TREE_MAX_DEPTH) {
		syntax_too_deep(parse, span, "brackets nest");
		return;
	}
	parse->open[parse->depth++] = (struct open_bracket){(char)kind, span};
	if (kind != '{')
		parse->parens++;
}

static void close_bracket(struct parse *parse, int kind)
{
	if (kind != '}') {
		if (parse->parens > 0) {
			parse->parens--;
			parse->depth--;
		}
		return;
	}
	close_parens(parse);
	if (parse->depth > 0)
		parse->depth--;
	if (parse->depth == 0)
		lexer_set_mode(parse, MODE_CODE);
}

static enum parse_mode mode_of_item(int kind)
{
	if (kind == T_MACHINE || kind == T_CPU || kind == T_CLUSTER)
		return MODE_MACHINE;
	return kind == T_DATAFLOW || kind == T_MAP ? MODE_MAPPING : MODE_CODE;
}

/* Keeps the books for a token that the grammar gets. */
static int emit(struct parse *parse, const struct token *token, PARSER_STYPE *value,
		PARSER_LTYPE *span)
{
	bool starts = between_statements(parse);
	int kind = is_end_of_file(token) ? T_END_OF_FILE : token->kind;
	*value = token->value;
	*span = token->span;
	if (starts && kind != T_END) {
		parse->statement_column = token->column;
		parse->statement_begin = kind;
		parse->statement_span = token->span;
		parse->statement_tokens = 0;
	}
	parse->statement_tokens++;
	if (kind == T_PARSER_error)
		scan_bad(parse, token->span);
	if (kind == T_NAME && token->span.end - token->span.begin > PARSE_MAX_NAME)
		parse->quiet = true; /* reported: more about this statement would name it again */
	if (starts && parse->depth == 0 && starts_item(kind))
		lexer_set_mode(parse, mode_of_item(kind));
	if (kind == '(' || kind == '[' || kind == '{')
		open_bracket(parse, kind, token->span);
	if (kind == ')' || kind == ']' || kind == '}')
		close_bracket(parse, kind);
	parse->previous = kind == T_END_OF_FILE ? T_END : kind;
	parse->previous_span = token->span;
	return parse->stopped ? T_END_OF_FILE : kind;
}

static struct span after_previous(const struct parse *parse)
{
	return (struct span){parse->source, parse->previous_span.end, parse->previous_span.end};
}

/* An item's word in the first column, inside braces: a brace before it is missing. Words that machines have
 * too begin an item there only when their line ends with a brace. */
static bool begins_item_inside(const struct parse *parse, struct token *token)
{
	if (parse->depth == 0 || !token->newline || token->column != 0 || is_end_of_file(token))
		return false;
	if (token->kind != T_WORD)
		return starts_item(token->kind);
	const char *name = token->value.T_NAME.name;
	static const struct {
		const char *name;
		int kind;
	} items[] = {{"network", T_NETWORK},
		     {"machine", T_MACHINE},
		     {"cpu", T_CPU},
		     {"dataflow", T_DATAFLOW}};
	const char *line = parse->source->text + token->span.begin;
	size_t length = strcspn(line, "\r\n");
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	if (length == 0 || line[length - 1] != '{')
		return false;
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
		if (strcmp(items[i].name, name) == 0) {
			token->kind = items[i].kind;
			return true;
		}
	return false;
}

static void report_open_brace(struct parse *parse, const struct token *token)
{
	if (parse->brace_reported)
		return;
	parse->brace_reported = true;
	const struct open_bracket *open = &parse->open[parse->depth - 1];
	diag_error(parse->diag, "syntax", token->span, "expected '}' before %s",
		   is_end_of_file(token) ? "the end of the file" : "the next item");
	diag_note(parse->diag, open->span, "to match this '{'");
}

/* Gives the grammar the brace that the text lacks before this token. */
static int close_for(struct parse *parse, const struct token *token, PARSER_STYPE *value,
		     PARSER_LTYPE *span)
{
	close_parens(parse);
	report_open_brace(parse, token);
	hold(parse, token);
	struct token brace = {.kind = '}', .span = after_previous(parse)};
	parse->skip_depth = 0;
	return emit(parse, &brace, value, span);
}

static int end_statement(struct parse *parse, const struct token *token, const char *cause,
			 PARSER_STYPE *value, PARSER_LTYPE *span)
{
	parse->unclosed =
		parse->parens > 0 ? parse->open[parse->depth - 1] : (struct open_bracket){0};
	close_parens(parse);
	if (token->kind != ';')
		hold(parse, token);
	parse->end_cause = cause;
	bool is_here = token->kind == ';' || (token->kind == '}' && !token->newline);
	struct token end = {.kind = T_END, .span = is_here ? token->span : after_previous(parse)};
	return emit(parse, &end, value, span);
}

/* Inside a body that nobody reads: only its brackets count. */
static bool is_skipped(struct parse *parse, const struct token *token)
{
	if (parse->skip_depth == 0)
		return false;
	if (is_end_of_file(token) || (token->kind == '}' && parse->depth == parse->skip_depth)) {
		parse->skip_depth = 0;
		return false;
	}
	if (token->kind == '{')
		open_bracket(parse, '{', token->span);
	if (token->kind == '}')
		close_bracket(parse, '}');
	return true;
}

int parser_lex(PARSER_STYPE *value, PARSER_LTYPE *span, struct parse *parse)
{
	for (;;) {
		struct token token;
		if (parse->stopped) {
			memset(value, 0, sizeof *value);
			*span = after_previous(parse);
			return T_END_OF_FILE;
		}
		read_token(parse, &token);
		if (is_skipped(parse, &token))
			continue;
		const char *cause = end_before(parse, &token);
		if (cause)
			return end_statement(parse, &token, cause, value, span);
		bool is_missing = is_end_of_file(&token) ? parse->depth > 0
							 : begins_item_inside(parse, &token);
		if (is_missing && between_statements(parse))
			return close_for(parse, &token, value, span);
		if (token.kind == ';' && parse->parens == 0)
			continue;
		return emit(parse, &token, value, span);
	}
}

void layout_skip_block(struct parse *parse)
{
	parse->skip_depth = parse->depth;
}

void layout_recovered(struct parse *parse)
{
	parse->quiet = false;
}
