/* syntax.c -- what is said about text that the grammar cannot take: the token found, and in at
 * most four phrases what would do.
 *
 * The grammar knows every token it could take next, a dozen or two. The table of groups turns
 * them into the words of a person: "an expression" for all tokens that begin one. Tokens that
 * would only lengthen what stands there already (operators, brackets of an access) are named when
 * nothing else would do. */
#include <string.h>

#include "frontend/syntax/tree_build.h"

enum { PHRASES_MAX = 4, EXCERPT_MAX = 40 };

struct group {
	const char *phrase;
	const char *sign;        /* the group is expected where this token is */
	bool is_weak;            /* named when nothing else is */
	const char *members[20]; /* tokens that it stands for */
};

static const struct group groups[] = {
	{"an item such as 'op', 'network' or 'machine'",
	 "'import'",
	 false,
	 {"'import'", "'op'", "'network'", "'train'", "'machine'", "'cpu'", "'cluster'",
	  "'dataflow'", "'map'"}},
	{"a statement",
	 "'return'",
	 false,
	 {"'return'", "'param'", "'state'", "'tensor'", "'index'", "'require'", "'if'", "'for'",
	  "a name"}},
	{"'for', 'parallel', 'keep', 'bypass', 'order' or 'stationary'",
	 "'keep'",
	 false,
	 {"'for'", "'parallel'", "'keep'", "'bypass'", "'order'", "'stationary'"}},
	{"'=', '+=' or 'max='", "'max='", false, {"'='", "'+='", "'max='", "'else'"}},
	{"an expression",
	 "'not'",
	 false,
	 {"'not'", "a name", "a number", "a quantity", "a string", "'('", "'-'"}},
	{"a value", "a quantity", false, {"a quantity", "a number", "a string", "a name", "'-'"}},
	{"a property", "a property", false, {"a property", "a name", "'}'", "the end of the line"}},
	{"an operator",
	 "'*'",
	 true,
	 {"'*'", "'+'", "'-'", "'/'", "'%'", "'^'", "'=='", "'!='", "'<'", "'<='", "'>'", "'>='",
	  "'and'", "'or'", "'?'", "'['", "'('", "'else'", "'...'"}},
	{"'['", "'['", true, {"'['", "'('", "'else'", "'@'", "'..'", "'.'"}},
};

enum { GROUPS = sizeof groups / sizeof groups[0] };

static const struct {
	const char *name;
	enum { BLOCK = 1, PROPERTY = 2, EITHER = 3 } class;
} words[] = {
#define WORD(id, name, class, ...) {name, class},
#include "frontend/syntax/machine.def"
#undef WORD
};

enum { WORDS = sizeof words / sizeof words[0] };

static const char *const statement_words[] = {"param", "state", "tensor", "index", "require",
					      "if",    "for",   "return", "else"};
static const char *const item_words[] = {"import", "op",      "network",  "train", "machine",
					 "cpu",    "cluster", "dataflow", "map"};
static const char *const clause_words[] = {"for",    "parallel", "keep",
					   "bypass", "order",    "stationary"};

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

bool syntax_is_word(const char *text, size_t length)
{
	for (int i = 0; i < WORDS; i++)
		if (strncmp(words[i].name, text, length) == 0 && !words[i].name[length])
			return true;
	return false;
}

const char *syntax_excerpt(struct parse *parse, struct span span)
{
	const char *text = parse->source->text + span.begin;
	uint32_t length = span.end - span.begin;
	if (length <= EXCERPT_MAX)
		return arena_printf(parse->arena, "%.*s", (int)length, text);
	length = EXCERPT_MAX;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return arena_printf(parse->arena, "%.*s...", (int)length, text);
}

static bool has(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* ---- What was expected ---------------------------------------------------------------------------- */

struct phrases {
	const char *phrase[PHRASES_MAX];
	int count;
};

static void add_phrase(struct phrases *phrases, const char *phrase)
{
	if (phrases->count < PHRASES_MAX)
		phrases->phrase[phrases->count++] = phrase;
}

/* Tokens of groups leave the list, and their phrase comes in; what is left speaks for itself. */
static struct phrases phrase_expected(const char *const expected[], int count, bool weak)
{
	struct phrases phrases = {0};
	const char *left[128];
	if (count > 128)
		count = 128;
	memcpy(left, expected, (size_t)count * sizeof *left);
	const char *of_groups[GROUPS];
	int group_count = 0;
	for (int i = 0; i < GROUPS; i++) {
		const struct group *group = &groups[i];
		if (!has(left, count, group->sign))
			continue;
		for (int j = 0; j < count; j++)
			if (left[j] && has(group->members, COUNT(group->members), left[j]))
				left[j] = NULL;
		if (!group->is_weak || weak)
			of_groups[group_count++] = group->phrase;
	}
	for (int i = 0; i < group_count; i++)
		add_phrase(&phrases, of_groups[i]);
	for (int i = count - 1; i >= 0; i--)
		if (left[i])
			add_phrase(&phrases, left[i]);
	return phrases;
}

static const char *join(struct parse *parse, struct phrases phrases)
{
	const char *text = phrases.count ? phrases.phrase[0] : "something else";
	for (int i = 1; i < phrases.count; i++)
		text = arena_printf(parse->arena, "%s%s%s", text,
				    i + 1 == phrases.count ? " or " : ", ", phrases.phrase[i]);
	return text;
}

/* ---- What was found ------------------------------------------------------------------------------- */

static const char *describe(struct parse *parse, const char *found, struct span span)
{
	if (strcmp(found, "the end of the line") == 0)
		return parse->end_cause;
	if (strcmp(found, "the end of the file") == 0 || strcmp(found, "a string") == 0 ||
	    found[0] == '\'')
		return found;
	const char *kind = strncmp(found, "a ", 2) == 0 ? found + 2 : found;
	return arena_printf(parse->arena, "%s '%s'", kind, syntax_excerpt(parse, span));
}

static bool is_reserved_word(const char *found)
{
	return found[0] == '\'' && found[1] >= 'a' && found[1] <= 'z' && !strchr(found, '=');
}

/* ---- What is said of mistakes that people make often ---------------------------------------------- */

/* A word misspelled, among those that begin what is expected here. */
static bool suggest_of(struct parse *parse, struct span span, const char *const known[], int count)
{
	const char *written = syntax_excerpt(parse, span);
	const char *nearest = diag_nearest(written, known, count);
	if (!nearest)
		return false;
	diag_error(parse->diag, "syntax", span, "unknown word '%s'; did you mean '%s'?", written,
		   nearest);
	return true;
}

static bool suggest(struct parse *parse, const char *found, struct span span,
		    const char *const expected[], int count)
{
	bool is_name = strcmp(found, "a name") == 0;
	if (is_name && has(expected, count, "'import'"))
		return suggest_of(parse, span, item_words, COUNT(item_words));
	if (is_name && has(expected, count, "'keep'"))
		return suggest_of(parse, span, clause_words, COUNT(clause_words));
	/* `parm W[c]`: the word before was taken for the name of a binding. */
	if (parse->mode == MODE_CODE && parse->statement_tokens == 2 &&
	    has(expected, count, "'='") &&
	    (is_name || strcmp(found, "a string") == 0 || strcmp(found, "a number") == 0))
		return suggest_of(parse, parse->statement_span, statement_words,
				  COUNT(statement_words));
	return false;
}

/* Found where this is expected and that is not: the advice. The first that fits is given. */
static const struct {
	const char *found, *expected, *absent;
	int tokens; /* the place of the token in its statement; 0 = any */
	const char *advice;
} advices[] = {
	{"'else'", "'return'", NULL, 1, "'else' stands on the line of the '}' before it"},
	{"'}'", "'import'", NULL, 1, "this '}' closes nothing"},
	{"'['", "'not'", NULL, 0, "expected an expression, found '[': a list stands in ( )"},
	{"'('", "'='", NULL, 2, "a call is no statement: bind its result, as in y = f(x)"},
	{"'-'", "'max='", NULL, 0, "no statement subtracts: add the negative, as in O[i] += -x"},
	{"'='", "'=='", NULL, 0,
	 "'=' binds a name at the start of a statement; to compare, write '=='"},
	{"'<'", "'and'", "'=='", 0, "comparisons do not chain: write a < b and b < c"},
	{"'<='", "'and'", "'=='", 0, "comparisons do not chain: write a <= b and b <= c"},
	{"'>'", "'and'", "'=='", 0, "comparisons do not chain: write a > b and b > c"},
	{"'>='", "'and'", "'=='", 0, "comparisons do not chain: write a >= b and b >= c"},
	{"'=='", "'and'", "'=='", 0, "comparisons do not chain: write a == b and b == c"},
	{"'!='", "'and'", "'=='", 0, "comparisons do not chain: write a != b and b != c"},
};

static bool advise(struct parse *parse, const char *found, struct span span,
		   const char *const expected[], int count)
{
	for (int i = 0; i < COUNT(advices); i++) {
		if (strcmp(advices[i].found, found) != 0 ||
		    !has(expected, count, advices[i].expected))
			continue;
		if (advices[i].absent && has(expected, count, advices[i].absent))
			continue;
		if (advices[i].tokens && advices[i].tokens != parse->statement_tokens)
			continue;
		diag_error(parse->diag, "syntax", span, "%s", advices[i].advice);
		return true;
	}
	return false;
}

/* A reserved word stands where a name is wanted, or is bound like one. */
static bool tell_reserved(struct parse *parse, const char *found, struct span span,
			  const char *const expected[], int count)
{
	if (is_reserved_word(found) && has(expected, count, "a name") &&
	    !has(expected, count, "'return'") && !has(expected, count, "'import'")) {
		const char *wanted = has(expected, count, "'not'") ? "an expression" : "a name";
		diag_error(parse->diag, "syntax", span, "expected %s, but %s is a reserved word",
			   wanted, found);
		return true;
	}
	if (strcmp(found, "'='") == 0 && parse->statement_tokens == 2 && parse->mode == MODE_CODE &&
	    has(expected, count, "a name")) {
		diag_error(parse->diag, "syntax", parse->statement_span,
			   "'%s' is a reserved word and cannot be bound",
			   syntax_excerpt(parse, parse->statement_span));
		return true;
	}
	return false;
}

/* Where a bracket is open and the text ends, shows the bracket. */
static void note_open_bracket(struct parse *parse, const struct phrases *phrases)
{
	for (int i = 0; i < phrases->count; i++) {
		bool is_paren = strcmp(phrases->phrase[i], "')'") == 0;
		bool is_square = strcmp(phrases->phrase[i], "']'") == 0;
		if (!is_paren && !is_square)
			continue;
		if (parse->unclosed.kind == (is_paren ? '(' : '['))
			diag_note(parse->diag, parse->unclosed.span, "to match this '%c'",
				  parse->unclosed.kind);
		return;
	}
}

void syntax_unexpected(struct parse *parse, const char *found, struct span span,
		       const char *const expected[], int count)
{
	if (parse->quiet || parse->stopped)
		return;
	parse->quiet = true;
	if (suggest(parse, found, span, expected, count) ||
	    advise(parse, found, span, expected, count) ||
	    tell_reserved(parse, found, span, expected, count))
		return;
	struct phrases phrases = phrase_expected(expected, count, false);
	if (phrases.count == 0)
		phrases = phrase_expected(expected, count, true);
	diag_error(parse->diag, "syntax", span, "expected %s, found %s", join(parse, phrases),
		   describe(parse, found, span));
	if (strcmp(found, "the end of the line") == 0)
		note_open_bracket(parse, &phrases);
}

void syntax_too_deep(struct parse *parse, struct span span, const char *what)
{
	if (!parse->stopped)
		diag_error(parse->diag, "too-nested", span,
			   "%s deeper than %d levels; nothing behind this is read", what,
			   TREE_MAX_DEPTH);
	parse->stopped = true;
}

/* ---- Words of machines ---------------------------------------------------------------------------- */

void syntax_unknown_word(struct parse *parse, const char *word, struct span span)
{
	const char *names[WORDS];
	for (int i = 0; i < WORDS; i++)
		names[i] = words[i].name;
	diag_error(parse->diag, "unknown-word", span,
		   "'%s' is no property and no block of a machine%s", syntax_excerpt(parse, span),
		   diag_suggestion(parse->diag, word, names, WORDS));
}

void syntax_check_entry(struct parse *parse, const char *word, struct span span, bool has_body)
{
	for (int i = 0; i < WORDS; i++) {
		if (strcmp(words[i].name, word) != 0)
			continue;
		if (has_body && !(words[i].class & BLOCK))
			diag_error(parse->diag, "syntax", span,
				   "'%s' is a property: it has values and no '{'", word);
		if (!has_body && !(words[i].class & PROPERTY))
			diag_error(parse->diag, "syntax", span,
				   "'%s' is a block: expected '{' behind it", word);
	}
}
