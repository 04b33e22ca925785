/* parse.h -- what the scanner (lexer.l), the layout (layout.c) and the grammar (parser.y) share
 * while one file is parsed.
 *
 * text -> lexer: tokens -> layout: line ends that end a statement become END, missing braces are
 * closed -> grammar: tree. Each part reports what it alone can see; `quiet` keeps the others
 * silent until the statement with the error is over. */
#ifndef FRONTEND_PARSE_H
#define FRONTEND_PARSE_H

#include "frontend/syntax/tree.h"

enum {
	PARSE_MAX_NAME = 255,    /* bytes of a name */
	PARSE_MAX_NUMBER = 255,  /* bytes of a number as written */
	PARSE_MAX_SIZE = 1 << 30 /* bytes of a file */
};

/* What the item at hand is made of: it decides which words are reserved and whether numbers have units. */
enum parse_mode { MODE_CODE, MODE_MACHINE, MODE_MAPPING };

/* A bracket that is open. */
struct open_bracket {
	char kind; /* '(', '[' or '{' */
	struct span span;
};

struct parse {
	struct arena *arena;
	struct diag *diag;
	const struct source *source;
	struct tree *tree;
	struct tree_item **last_item; /* where the next item goes */
	void *lexer;
	const char *text;   /* the scanner's own copy of the source's text */
	struct token *held; /* a token read ahead by the layout */
	enum parse_mode mode;
	struct open_bracket open[TREE_MAX_DEPTH];
	int depth;    /* brackets open */
	int parens;   /* of these, ( and [ inside the innermost { */
	int previous; /* token given to the grammar last; 0 at the start */
	struct span previous_span;
	int statement_tokens;         /* given to the grammar of the statement at hand */
	int statement_begin;          /* its first token ... */
	struct span statement_span;   /* ... and where that stands */
	uint32_t statement_column;    /* of the first token of the statement at hand, from 0 */
	const char *end_cause;        /* what the latest END was in the text: "end of line" */
	struct span comment;          /* where the comment at hand begins */
	int comment_state;            /* the scanner's state outside of it */
	bool newline;                 /* the scanner has passed a line end since the last token */
	uint32_t line_begin;          /* where the scanner's line begins */
	struct open_bracket unclosed; /* the ( or [ that was open at the latest END, or nothing */
	struct diag unheard;          /* takes what is found in text that is skipped */
	int skip_depth;               /* > 0: skip to the brace that closes this depth */
	bool quiet;   /* an error of this statement is reported: the rest of it says nothing */
	bool stopped; /* too deep: no more tokens */
	bool brace_reported, return_reported; /* said once a file */
};

/* ---- lexer.l: what the layout asks of it ---------------------------------------------------------- */

union PARSER_STYPE;

void lexer_open(struct parse *);
void lexer_close(struct parse *);
int lexer_scan(union PARSER_STYPE *, struct span *, void *lexer);
/* In machine descriptions a number may be followed by a unit. */
void lexer_set_mode(struct parse *, enum parse_mode);

/* ---- scan.c: the values of tokens ----------------------------------------------------------------- */

int scan_name(struct parse *, union PARSER_STYPE *, const char *text, size_t length, struct span);
int scan_number(struct parse *, union PARSER_STYPE *, const char *text, size_t length, struct span);
int scan_string(struct parse *, union PARSER_STYPE *, const char *text, size_t length, struct span);
/* A number, blanks and letters: sets how much of it is the token. */
int scan_quantity(struct parse *, union PARSER_STYPE *, const char *text, size_t *length,
		  struct span);
/* Can this be written as names joined by points, the later ones also numbers? */
bool scan_is_plain_path(const char *);
/* How many bytes are one character that begins no token; and the report of it. */
size_t scan_bad_length(const char *text, size_t length);
void scan_bad(struct parse *, struct span);
/* Reports a way of writing that other languages have: "&&". */
void scan_foreign(struct parse *, struct span, const char *instead);

/* ---- layout.c ------------------------------------------------------------------------------------- */

/* The grammar shifts the rest of the body of an item it does not know. */
void layout_skip_block(struct parse *);
/* The grammar is past a statement with an error. */
void layout_recovered(struct parse *);

/* ---- syntax.c: what is said ------------------------------------------------------------------------ */

/* The grammar met `found` where it could take one of `expected`; names as in parser.y. */
void syntax_unexpected(struct parse *, const char *found, struct span, const char *const expected[],
		       int count);
/* Ends the parse. what: "brackets nest". */
void syntax_too_deep(struct parse *, struct span, const char *what);
void syntax_unknown_word(struct parse *, const char *word, struct span);
/* A word of machine.def stands with a body where it has none, or without. */
void syntax_check_entry(struct parse *, const char *word, struct span, bool has_body);
/* The text of a span for a message: one line, shortened in the middle of nothing. */
const char *syntax_excerpt(struct parse *, struct span);
/* Is this a word of machine.def? */
bool syntax_is_word(const char *text, size_t length);

#endif
