/* parser.y -- the grammar of .dnn, .hw and .map files: tokens with END after each statement ->
 * syntax tree.
 *
 * Items first, then bodies of operators, expressions, machines, mappings. After an error the
 * text up to END is passed over (`broken`); bodies in braces are read all the same, so that each
 * error in them is found. */

%code requires {
#include "frontend/syntax/tree_build.h"
}
%code provides {
int parser_lex(PARSER_STYPE *, PARSER_LTYPE *, struct parse *);
}
%code {
static void parser_error(PARSER_LTYPE *, struct parse *, const char *message);

/* Reports again from here on, in the grammar and in the layout. */
static void recover(struct parse *parse, int *error_status)
{
	*error_status = 0;
	layout_recovered(parse);
}

#define YYLLOC_DEFAULT(all, part, count)                                                           \
	((all) = (count) ? span_join(YYRHSLOC(part, 1), YYRHSLOC(part, count))                     \
			 : (struct span){YYRHSLOC(part, 0).source, YYRHSLOC(part, 0).end,          \
					 YYRHSLOC(part, 0).end})
}

%define api.pure full
%define api.prefix {parser_}
%define api.token.prefix {T_}
%define api.value.type union
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%param {struct parse *parse}
%expect 0
%initial-action { @$ = (struct span){parse->source, 0, 0}; }

%token END_OF_FILE 0 "the end of the file"
%token END "the end of the line"
%token <struct word> NAME "a name" WORD "a property"
%token <struct tree_expr *> NUMBER "a number" QUANTITY "a quantity" STRING "a string"
%token IMPORT "'import'" OP "'op'" NETWORK "'network'" TRAIN "'train'" MACHINE "'machine'" CPU "'cpu'"
%token CLUSTER "'cluster'" DATAFLOW "'dataflow'" MAP "'map'" ON "'on'"
%token PARAM "'param'" STATE "'state'" TENSOR "'tensor'" INDEX "'index'" REQUIRE "'require'"
%token IF "'if'" ELSE "'else'" FOR "'for'" IN "'in'" RETURN "'return'" EACH "'each'" BY "'by'"
%token KEEP "'keep'" BYPASS "'bypass'" PARALLEL "'parallel'" ORDER "'order'"
%token STATIONARY "'stationary'" OVER "'over'" STEP "'step'"
%token ADD_ASSIGN "'+='" MAX_ASSIGN "'max='" RANGE "'..'" ELLIPSIS "'...'"
%token AND "'and'" OR "'or'" NOT "'not'" EQ "'=='" NE "'!='" LE "'<='" GE "'>='"

%right '?' ':'
%left OR
%left AND
%precedence NOT
%nonassoc EQ NE '<' '>' LE GE
%left '+' '-'
%left '*' '/' '%'
%precedence NEGATE
%right '^'

%nterm <struct tree_item *> item
%nterm <struct word> layer kind axis
%nterm <struct stmt_list> block statements statement declaration declarations index_ranges index_range
%nterm <struct stmt_list> conditional
%nterm <enum item_kind> operator
%nterm <enum declare> declare
%nterm <enum reduce> assign
%nterm <struct formal_list> formals tensors attributes
%nterm <struct tree_formal *> tensor attribute
%nterm <struct tree_type> type typed
%nterm <struct tree_expr *> expr access target fallback fallback_atom initial iterated message subscript dim
%nterm <struct tree_expr *> value scalar atom extent tile length
%nterm <struct expr_list> exprs list_rest subscripts subscript_list dims dim_list values
%nterm <struct arg_list> args arg_list
%nterm <bool> each
%nterm <struct entry_list> machine_body entries line entry
%nterm <struct clause_list> mapping_body clauses
%nterm <struct tree_clause *> clause
%nterm <struct name_list> names

%%

/* ---- Items ---------------------------------------------------------------------------------------- */

file: %empty
    | file item END             { append_item(parse, $item); recover(parse, &yyerrstatus); }
    | file broken END           { recover(parse, &yyerrstatus); }
    | file broken '{'           { layout_skip_block(parse); }
      '}' END                   { recover(parse, &yyerrstatus); }
    ;

item: IMPORT STRING             { $$ = build_item(parse, ITEM_IMPORT, (struct word){$2->name, @2}, @$); }
    | operator NAME formals block { $$ = build_op(parse, $1, $2, $3, $4, @$); }
    | operator broken_code      { $$ = NULL; }
    | TRAIN NAME block          { $$ = build_op(parse, ITEM_TRAIN, $2, (struct formal_list){0}, $3, @$); }
    | TRAIN broken_code         { $$ = NULL; }
    | kind NAME machine_body    { $$ = build_machine(parse, $1, $2, $3, @$); }
    | kind broken_machine       { $$ = NULL; }
    | DATAFLOW NAME mapping_body { $$ = build_mapping(parse, $2, (struct word){0}, $3, @$); }
    | DATAFLOW broken_mapping   { $$ = NULL; }
    | MAP layer ON NAME mapping_body { $$ = build_mapping(parse, $2, $4, $5, @$); }
    | MAP broken_mapping        { $$ = NULL; }
    ;

operator: OP                    { $$ = ITEM_OP; }
    | NETWORK                   { $$ = ITEM_NETWORK; }
    ;

kind: MACHINE                   { $$ = (struct word){"machine", @1}; }
    | CPU                       { $$ = (struct word){"cpu", @1}; }
    | CLUSTER                   { $$ = (struct word){"cluster", @1}; }
    ;

layer: NAME
    | STRING                    { $$ = (struct word){$1->name, @1}; }
    | layer '.' NAME            { $$ = build_dotted(parse, $1, @3, @$); }
    | layer '.' NUMBER          { $$ = build_dotted(parse, $1, @3, @$); }
    ;

/* What the parser passes over after an error, and a body that it reads again behind it. */
broken: error                   { parse->quiet = true; };
reopened: '{'                   { recover(parse, &yyerrstatus); };
broken_code: broken             | broken reopened statements '}';
broken_machine: broken          | broken reopened entries '}';
broken_mapping: broken          | broken reopened clauses '}';

/* ---- Formals -------------------------------------------------------------------------------------- */

formals: '(' tensors ')'        { $$ = $tensors; }
    | '(' tensors ';' attributes ')' { $$ = join_formals($tensors, $attributes); }
    | '(' ')'                   { $$ = (struct formal_list){0}; }
    | '(' ';' attributes ')'    { $$ = $attributes; }
    ;

tensors: tensor                 { $$ = append_formal((struct formal_list){0}, $1); }
    | tensors ',' tensor        { $$ = append_formal($1, $3); }
    ;

tensor: NAME typed dims each initial {
		$$ = build_formal(parse, $NAME, true, @$);
		$$->type = $typed;
		$$->dim = $dims.item;
		$$->dim_count = $dims.count;
		$$->is_each = $each;
		$$->value = $initial;
	}
    | NAME typed {
		diag_error(parse->diag, "syntax", @$, "the tensor '%s' needs its dimensions, as in %s[n, c]",
			   $NAME.name, $NAME.name);
		diag_note(parse->diag, @$, "attributes stand after a ';'");
		$$ = build_formal(parse, $NAME, true, @$);
		$$->type = $typed;
	}
    ;

each: %empty                    { $$ = false; }
    | EACH                      { $$ = true; }
    ;

attributes: %empty              { $$ = (struct formal_list){0}; }
    | attribute                 { $$ = append_formal((struct formal_list){0}, $1); }
    | attributes ',' attribute  { $$ = append_formal($1, $3); }
    ;

attribute: NAME length initial  {
		$$ = build_formal(parse, $NAME, false, @$);
		$$->length = $length;
		$$->value = $initial;
	}
    ;

length: %empty                  { $$ = NULL; }
    | '[' expr ']'              { $$ = $expr; }
    ;

initial: %empty                 { $$ = NULL; }
    | '=' expr                  { $$ = $expr; }
    ;

typed: %empty                   { $$ = (struct tree_type){.span = @$}; }
    | ':' type                  { $$ = $type; }
    ;

type: NAME                      { $$ = build_type(parse, $1); }
    | NAME '(' NAME ')'         { $$ = build_type_of(parse, $1, $3, @$); }
    ;

dims: '[' ']'                   { $$ = (struct expr_list){0}; }
    | '[' dim_list ']'          { $$ = $2; }
    ;

dim_list: dim                   { $$ = append_expr(parse, (struct expr_list){0}, $1); }
    | dim_list ',' dim          { $$ = append_expr(parse, $1, $3); }
    ;

dim: NAME                       { $$ = build_name(parse, $1, @$); }
    | NUMBER
    | ELLIPSIS                  { $$ = build_ellipsis(parse, (struct word){0}, NULL, @$); }
    | ELLIPSIS ':' expr         { $$ = build_ellipsis(parse, (struct word){0}, $3, @$); }
    | NAME ELLIPSIS             { $$ = build_ellipsis(parse, $1, NULL, @$); }
    | NAME ELLIPSIS ':' expr    { $$ = build_ellipsis(parse, $1, $4, @$); }
    ;

/* ---- Statements ----------------------------------------------------------------------------------- */

block: '{' statements '}'       { $$ = $2; };

statements: %empty              { $$ = (struct stmt_list){0}; }
    | statements statement END  { $$ = append_stmts($1, $2); recover(parse, &yyerrstatus); }
    | statements skipped END    { $$ = append_stmts($1, build_skipped(parse, @2)); recover(parse, &yyerrstatus); }
    ;

skipped: broken
    | skipped reopened statements '}'
    | skipped ELSE
    ;

statement: NAME '=' expr        { $$ = build_bind(parse, $1, $3, @$); }
    | target assign expr {
		struct tree_type unsaid = {.span = @1};
		$$ = build_tensor(parse, $1, unsaid, $2, $3, @$);
	}
    | NAME ':' type subscripts assign expr {
		struct tree_expr *target = build_index(parse, $1, $4, @$);
		$$ = build_tensor(parse, target, $3, $5, $6, @$);
	}
    | declare declarations      { $$ = declare_all($2, $1, @$); }
    | INDEX index_ranges        { $$ = $2; }
    | REQUIRE expr message      { $$ = build_require(parse, $2, $3, @$); }
    | conditional
    | FOR NAME IN iterated block { $$ = build_for(parse, $2, NULL, $4, $5, @$); }
    | FOR NAME dims IN iterated block {
		struct tree_expr *pattern = build_index(parse, $2, $3, span_join(@2, @3));
		$$ = build_for(parse, $2, pattern, $5, $6, @$);
	}
    | RETURN exprs              { $$ = build_return(parse, $2, @2, @$); }
    ;

target: access
    | access ELSE fallback      { $$ = build_outside(parse, $1, $3, @$); }
    ;

assign: '='                     { $$ = REDUCE_NONE; }
    | ADD_ASSIGN                { $$ = REDUCE_SUM; }
    | MAX_ASSIGN                { $$ = REDUCE_MAX; }
    ;

declare: PARAM                  { $$ = DECLARE_PARAM; }
    | STATE                     { $$ = DECLARE_STATE; }
    | TENSOR                    { $$ = DECLARE_TENSOR; }
    ;

declarations: declaration
    | declarations ',' declaration { $$ = append_stmts($1, $3); }
    ;

declaration: NAME typed initial { $$ = build_declaration(parse, $1, $2, (struct expr_list){0}, $3, @$); }
    | NAME typed subscripts initial { $$ = build_declaration(parse, $1, $2, $3, $4, @$); }
    ;

index_ranges: index_range
    | index_ranges ',' index_range { $$ = append_stmts($1, $3); }
    ;

index_range: NAME '<' expr      { $$ = build_index_range(parse, $1, $3, @$); };

message: %empty                 { $$ = NULL; }
    | ',' STRING                { $$ = $2; }
    ;

conditional: IF expr block      { $$ = build_if(parse, $2, $3, (struct stmt_list){0}, @$); }
    | IF expr block ELSE block  { $$ = build_if(parse, $2, $3, $5, @$); }
    | IF expr block ELSE conditional { $$ = build_if(parse, $2, $3, $5, @$); }
    ;

iterated: expr
    | expr RANGE expr           { $$ = build_range(parse, $1, $3, NULL, @$); }
    ;

/* ---- Expressions ---------------------------------------------------------------------------------- */

expr: NUMBER
    | QUANTITY
    | STRING
    | NAME                      { $$ = build_name(parse, $1, @$); }
    | NAME '(' args ')'         { $$ = build_call_of(parse, $1, $3, @$); }
    | access
    | access ELSE fallback      { $$ = build_outside(parse, $1, $3, @$); }
    | '(' expr ')'              { $$ = $2; }
    | '(' ')'                   { $$ = build_list(parse, (struct expr_list){0}, @$); }
    | '(' expr ',' list_rest ')' { $$ = build_list(parse, prepend_expr(parse, $2, $4), @$); }
    | '-' expr %prec NEGATE     { $$ = build_unary(parse, OP_NEG, $2, @$); }
    | NOT expr                  { $$ = build_unary(parse, OP_NOT, $2, @$); }
    | expr '+' expr             { $$ = build_binary(parse, OP_ADD, $1, $3, @$); }
    | expr '-' expr             { $$ = build_binary(parse, OP_SUB, $1, $3, @$); }
    | expr '*' expr             { $$ = build_binary(parse, OP_MUL, $1, $3, @$); }
    | expr '/' expr             { $$ = build_binary(parse, OP_DIV, $1, $3, @$); }
    | expr '%' expr             { $$ = build_binary(parse, OP_MOD, $1, $3, @$); }
    | expr '^' expr             { $$ = build_binary(parse, OP_POW, $1, $3, @$); }
    | expr EQ expr              { $$ = build_binary(parse, OP_EQ, $1, $3, @$); }
    | expr NE expr              { $$ = build_binary(parse, OP_NE, $1, $3, @$); }
    | expr '<' expr             { $$ = build_binary(parse, OP_LT, $1, $3, @$); }
    | expr LE expr              { $$ = build_binary(parse, OP_LE, $1, $3, @$); }
    | expr '>' expr             { $$ = build_binary(parse, OP_GT, $1, $3, @$); }
    | expr GE expr              { $$ = build_binary(parse, OP_GE, $1, $3, @$); }
    | expr AND expr             { $$ = build_binary(parse, OP_AND, $1, $3, @$); }
    | expr OR expr              { $$ = build_binary(parse, OP_OR, $1, $3, @$); }
    | expr '?' expr ':' expr    { $$ = build_ternary(parse, $1, $3, $5, @$); }
    ;

access: NAME subscripts         { $$ = build_index(parse, $1, $2, @$); };

/* What an access outside of its tensor gives: a small value, so that `I[p] else 0 + 1` is a sum. */
fallback: fallback_atom
    | '-' fallback_atom         { $$ = build_unary(parse, OP_NEG, $2, @$); }
    | '(' expr ')'              { $$ = $2; }
    ;

fallback_atom: NUMBER
    | NAME                      { $$ = build_name(parse, $1, @$); }
    ;

exprs: expr                     { $$ = append_expr(parse, (struct expr_list){0}, $1); }
    | exprs ',' expr            { $$ = append_expr(parse, $1, $3); }
    ;

list_rest: %empty               { $$ = (struct expr_list){0}; }
    | exprs
    | exprs ','
    ;

args: %empty                    { $$ = (struct arg_list){0}; }
    | arg_list
    | arg_list ','
    ;

arg_list: expr                  { $$ = append_arg(parse, (struct arg_list){0}, $1); }
    | NAME '=' expr             { $$ = append_named(parse, (struct arg_list){0}, $1, $3); }
    | arg_list ',' expr         { $$ = append_arg(parse, $1, $3); }
    | arg_list ',' NAME '=' expr { $$ = append_named(parse, $1, $3, $5); }
    ;

subscripts: '[' ']'             { $$ = (struct expr_list){0}; }
    | '[' subscript_list ']'    { $$ = $2; }
    ;

subscript_list: subscript       { $$ = append_expr(parse, (struct expr_list){0}, $1); }
    | subscript_list ',' subscript { $$ = append_expr(parse, $1, $3); }
    ;

subscript: expr
    | ELLIPSIS                  { $$ = build_ellipsis(parse, (struct word){0}, NULL, @$); }
    | ELLIPSIS BY expr          { $$ = build_ellipsis(parse, (struct word){0}, $3, @$); }
    | NAME ELLIPSIS             { $$ = build_ellipsis(parse, $1, NULL, @$); }
    | NAME ELLIPSIS BY expr     { $$ = build_ellipsis(parse, $1, $4, @$); }
    ;

/* ---- Machines ------------------------------------------------------------------------------------- */

machine_body: '{' entries '}'   { $$ = $2; };

/* Several entries may share a line; a name that is no word is told at the start of a line only. */
entries: %empty                 { $$ = (struct entry_list){0}; }
    | entries line END          { $$ = append_entries($1, $2); recover(parse, &yyerrstatus); }
    | entries skipped_entry END { $$ = $1; recover(parse, &yyerrstatus); }
    ;

skipped_entry: broken
    | skipped_entry reopened entries '}'
    ;

line: entry
    | unknown_entry             { $$ = (struct entry_list){0}; }
    | line entry                { $$ = append_entries($1, $2); }
    ;

entry: WORD                     { $$ = build_property(parse, $1, (struct expr_list){0}, @$); }
    | WORD values               { $$ = build_property(parse, $1, $2, @$); }
    | WORD values ','           { $$ = build_property(parse, $1, $2, @$); }
    | WORD machine_body         { $$ = build_block(parse, $1, (struct expr_list){0}, $2, @$); }
    | WORD values machine_body  { $$ = build_block(parse, $1, $2, $3, @$); }
    ;

unknown_entry: NAME             { syntax_unknown_word(parse, $1.name, @1); }
    | NAME values               { syntax_unknown_word(parse, $1.name, @1); }
    | NAME values ','           { syntax_unknown_word(parse, $1.name, @1); }
    | NAME machine_body         { syntax_unknown_word(parse, $1.name, @1); }
    | NAME values machine_body  { syntax_unknown_word(parse, $1.name, @1); }
    ;

values: value                   { $$ = append_expr(parse, (struct expr_list){0}, $1); }
    | values value              { $$ = append_expr(parse, $1, $2); }
    | values ',' value          { $$ = append_expr(parse, $1, $3); }
    ;

value: scalar
    | scalar RANGE scalar       { $$ = build_range(parse, $1, $3, NULL, @$); }
    | scalar RANGE scalar STEP scalar { $$ = build_range(parse, $1, $3, $5, @$); }
    ;

scalar: atom
    | atom '@' atom             { $$ = build_binary(parse, OP_MUL, $1, $3, @$); }
    ;

atom: NUMBER
    | QUANTITY
    | STRING
    | NAME                      { $$ = build_name(parse, $1, @$); }
    | NAME '(' args ')'         { $$ = build_call_of(parse, $1, $3, @$); }
    | access
    | '-' NUMBER                { $$ = build_unary(parse, OP_NEG, $2, @$); }
    | '-' QUANTITY              { $$ = build_unary(parse, OP_NEG, $2, @$); }
    ;

/* ---- Mappings and dataflows ----------------------------------------------------------------------- */

mapping_body: '{' clauses '}'   { $$ = $2; };

clauses: %empty                 { $$ = (struct clause_list){0}; }
    | clauses clause END        { $$ = append_clause($1, $2); recover(parse, &yyerrstatus); }
    | clauses skipped_clause END { $$ = $1; recover(parse, &yyerrstatus); }
    ;

skipped_clause: broken
    | skipped_clause reopened clauses '}'
    ;

clause: NAME ':' FOR names extent tile {
		$$ = build_clause(parse, CLAUSE_FOR, $1, $4, @$);
		$$->extent = $extent;
		$$->step = $tile;
	}
    | NAME ':' PARALLEL names axis extent tile {
		$$ = build_clause(parse, CLAUSE_PARALLEL, $1, $4, @$);
		$$->axis = $axis.name;
		$$->axis_span = $axis.span;
		$$->extent = $extent;
		$$->step = $tile;
	}
    | NAME ':' KEEP names       { $$ = build_clause(parse, CLAUSE_KEEP, $1, $4, @$); }
    | NAME ':' BYPASS names     { $$ = build_clause(parse, CLAUSE_BYPASS, $1, $4, @$); }
    | NAME ':' ORDER names      { $$ = build_clause(parse, CLAUSE_ORDER, $1, $4, @$); }
    | NAME ':' STATIONARY names { $$ = build_clause(parse, CLAUSE_STATIONARY, $1, $4, @$); }
    ;

names: NAME                     { $$ = append_name(parse, (struct name_list){0}, $1); }
    | names ',' NAME            { $$ = append_name(parse, $1, $3); }
    ;

axis: %empty                    { $$ = (struct word){.span = @$}; }
    | OVER NAME                 { $$ = $2; }
    ;

extent: %empty                  { $$ = NULL; }
    | IN expr                   { $$ = $2; }
    ;

tile: %empty                    { $$ = NULL; }
    | STEP expr                 { $$ = $2; }
    ;

%%

enum { EXPECTED_MAX = 96 /* more than there are tokens */ };

/* Tells syntax.c what was found and everything that would do. */
static int yyreport_syntax_error(const yypcontext_t *context, struct parse *parse)
{
	yysymbol_kind_t kinds[EXPECTED_MAX];
	const char *names[EXPECTED_MAX];
	int count = yypcontext_expected_tokens(context, kinds, EXPECTED_MAX);
	for (int i = 0; i < count; i++)
		names[i] = yysymbol_name(kinds[i]);
	yysymbol_kind_t found = yypcontext_token(context);
	syntax_unexpected(parse, found == YYSYMBOL_YYEMPTY ? NULL : yysymbol_name(found),
			  *yypcontext_location(context), names, count);
	return 0;
}

/* Called by the skeleton when its stack is full: the text nests too deep. */
static void parser_error(PARSER_LTYPE *span, struct parse *parse, const char *message)
{
	(void)message;
	syntax_too_deep(parse, *span, "expressions and statements nest");
}
