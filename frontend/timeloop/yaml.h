/* yaml.h -- a YAML text as a tree of scalars, lists and maps, each with its place. libfyaml parses; nobody else sees it.
 *
 * Aliases are replaced by what they stand for, and `<<` by the entries that it merges. The nodes below an alias are shared, not copied: who
 * walks a whole tree counts its steps. */
#ifndef FRONTEND_YAML_H
#define FRONTEND_YAML_H

#include "frontend/source/diag.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml {
	enum yaml_kind kind;
	const char *text;     /* SCALAR */
	const char *tag;      /* "!Component", or NULL */
	struct span span;     /* of a list or map: its first scalar, or where it is an entry the key */
	const char *key;      /* in a map */
	struct span key_span;
	struct yaml *first;   /* LIST, MAP: what it holds, */
	struct yaml *next;    /* linked so */
};

/* The first document; NULL after errors, which are in diag, and where there is none. */
struct yaml *yaml_parse(struct arena *, struct diag *, const struct source *);

/* The entry with this key, hyphens and underscores being one; NULL where there is none, or no map. */
const struct yaml *yaml_find(const struct yaml *, const char *key);
bool yaml_same_key(const char *, const char *);

#endif
