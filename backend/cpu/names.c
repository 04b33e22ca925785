/* names.c -- identifiers: every byte that C does not take becomes '_', what clashes gets a
 * number. */
#include "backend/cpu/names.h"

#include <string.h>

/* Of C23 and C++23, macros of compilers and of <stddef.h>, and types that headers use. */
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
	"offsetof",    "i386",
	"int8_t",      "int16_t",
	"int32_t",     "int64_t",
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

/* ---- Unique names --------------------------------------------------------------------------- */

/* Names without regard to case, since those of sizes are in capitals: a hash table with room for
 * twice as many. */
struct taken {
	const char *name; /* NULL: a free place */
	int next;         /* the least number that may still be free behind this name */
};

struct set {
	struct taken *place;
	size_t mask; /* places - 1 */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_same(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b))
		a++, b++;
	return lower(*a) == lower(*b);
}

static struct set set_new(struct arena *arena, int names)
{
	size_t places = 4;
	while (places < 2 * (size_t)names)
		places *= 2;
	return (struct set){ARENA_ARRAY(arena, places, struct taken), places - 1};
}

/* Where the name is, or where it belongs. FNV-1a. */
static struct taken *find(const struct set *set, const char *name)
{
	uint64_t hash = 14695981039346656037u;
	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)lower(*c)) * 1099511628211u;
	size_t at = (size_t)hash & set->mask;
	while (set->place[at].name && !is_same(set->place[at].name, name))
		at = (at + 1) & set->mask;
	return &set->place[at];
}

const char **names_unique(struct arena *arena, const char *const name[], int count)
{
	const char **made = ARENA_ARRAY(arena, count + 1, const char *);
	struct set set = set_new(arena, count);
	for (int i = 0; i < count; i++) {
		const char *plain = made[i] = names_identifier(arena, name[i]);
		struct taken *first = find(&set, plain), *own = first;
		while (own->name) {
			made[i] = arena_printf(arena, "%s_%d", plain, first->next++);
			own = find(&set, made[i]);
		}
		*own = (struct taken){made[i], 2};
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
