/* names.c -- identifiers: every byte that C does not take becomes '_', what clashes gets a
 * number. */
#include "backend/cpu/names.h"

#include <string.h>
#include <strings.h>

/* Of C23 and C++23, and macros of <stddef.h>. */
static const char *const keywords[] = {
	"alignas",     "alignof",
	"and",         "and_eq",
	"asm",         "auto",
	"bitand",      "bitor",
	"bool",        "break",
	"case",        "catch",
	"char",        "char16_t",
	"char32_t",    "char8_t",
	"class",       "co_await",
	"co_return",   "co_yield",
	"compl",       "concept",
	"const",       "const_cast",
	"consteval",   "constexpr",
	"constinit",   "continue",
	"decltype",    "default",
	"delete",      "do",
	"double",      "dynamic_cast",
	"else",        "enum",
	"explicit",    "export",
	"extern",      "false",
	"float",       "for",
	"friend",      "goto",
	"if",          "inline",
	"int",         "linux",
	"long",        "mutable",
	"namespace",   "new",
	"noexcept",    "not",
	"not_eq",      "nullptr",
	"operator",    "or",
	"or_eq",       "private",
	"protected",   "public",
	"register",    "reinterpret_cast",
	"requires",    "restrict",
	"return",      "short",
	"signed",      "sizeof",
	"static",      "static_assert",
	"static_cast", "struct",
	"switch",      "template",
	"this",        "thread_local",
	"throw",       "true",
	"try",         "typedef",
	"typeid",      "typename",
	"typeof",      "typeof_unqual",
	"union",       "unix",
	"unsigned",    "using",
	"virtual",     "void",
	"volatile",    "wchar_t",
	"while",       "xor",
	"xor_eq",      "NULL",
	"offsetof",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

static bool is_keyword(const char *name)
{
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (strcmp(keywords[i], name) == 0)
			return true;
	return false;
}

/* Names that begin with '_' belong to the C library in part. */
char *names_identifier(struct arena *arena, const char *name)
{
	bool needs_letter = name[0] == '\0' || !is_plain(name[0]) || is_digit(name[0]);
	char *made = arena_printf(arena, "%s%s", needs_letter ? "x" : "", name);
	for (char *c = made; *c; c++)
		if (!is_plain(*c))
			*c = '_';
	return is_keyword(made) ? arena_printf(arena, "%s_", made) : made;
}

const char *names_network(struct arena *arena, const struct network *net)
{
	return names_identifier(arena, net->name);
}

/* Without regard to case: the names of sizes are in capitals. */
static bool is_taken(const char *const taken[], int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcasecmp(taken[i], name) == 0)
			return true;
	return false;
}

const char **names_unique(struct arena *arena, const char *const name[], int count)
{
	const char **made = ARENA_ARRAY(arena, count + 1, const char *);
	for (int i = 0; i < count; i++) {
		const char *plain = names_identifier(arena, name[i]);
		made[i] = plain;
		for (int number = 2; is_taken(made, i, made[i]); number++)
			made[i] = arena_printf(arena, "%s_%d", plain, number);
	}
	return made;
}

char *names_capital(struct arena *arena, const char *identifier)
{
	char *made = arena_copy(arena, identifier, strlen(identifier));
	for (char *c = made; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	return made;
}
