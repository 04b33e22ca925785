/* yaml.c -- libfyaml's nodes become ours, so that it stays behind this file. */
#include "frontend/timeloop/yaml.h"

#include <libfyaml.h>
#include <string.h>

struct maker {
	struct arena *arena;
	struct diag *diag;
	const struct source *source;
	struct fy_document *document;
};

/* ---- Places ------------------------------------------------------------------------------------------------- */

static uint32_t within(const struct maker *m, size_t at)
{
	return at < m->source->size ? (uint32_t)at : m->source->size;
}

static struct span span_of_token(const struct maker *m, struct fy_token *token)
{
	const struct fy_mark *begin = token ? fy_token_start_mark(token) : NULL;
	const struct fy_mark *end = token ? fy_token_end_mark(token) : NULL;
	struct span span = {0};

	if (!begin || !end)
		return span;
	span.source = m->source;
	span.begin = within(m, begin->input_pos);
	span.end = within(m, end->input_pos);
	if (span.end < span.begin)
		span.end = span.begin;
	return span;
}

/* Where a line begins, from 1, and so many bytes on; within the text. */
static uint32_t offset_of(const struct maker *m, int line, int column)
{
	const char *at = m->source->text, *end = at + m->source->size;

	for (int i = 1; i < line; i++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			break;
		at = newline + 1;
	}
	return within(m, (size_t)(at - m->source->text) + (size_t)(column > 1 ? column - 1 : 0));
}

/* What libfyaml says of a text that is no YAML: its first word on it, at its place. */
static void report(const struct maker *m, struct fy_diag *said)
{
	void *iterator = NULL;
	const struct fy_diag_error *error = fy_diag_errors_iterate(said, &iterator);
	struct span span = {.source = m->source};

	if (error && error->fyt)
		span = span_of_token(m, error->fyt);
	if (error && !span.source)
		span.source = m->source;
	if (error && span.end == 0)
		span.begin = span.end = offset_of(m, error->line, error->column);
	diag_error(m->diag, "yaml", span, "this is no YAML: %s",
		   error && error->msg ? error->msg : "it cannot be parsed");
	if (memmem(m->source->text, m->source->size, "{{", 2) ||
	    memmem(m->source->text, m->source->size, "{%", 2))
		diag_note(m->diag, span,
			  "templates in braces are for timeloopfe, which writes the YAML without "
			  "them as parsed-processed-input.yaml");
}

/* ---- Nodes -------------------------------------------------------------------------------------------------- */

static struct yaml *make(struct maker *, struct fy_node *);

static void append(struct yaml *parent, struct yaml **last, struct yaml *child)
{
	if (*last)
		(*last)->next = child;
	else
		parent->first = child;
	*last = child;
	if (!child->span.source)
		child->span = parent->span;
	if (!parent->span.source)
		parent->span = child->key ? child->key_span : child->span;
}

static void make_list(struct maker *m, struct fy_node *node, struct yaml *list)
{
	void *iterator = NULL;
	struct fy_node *item;
	struct yaml *last = NULL;

	while ((item = fy_node_sequence_iterate(node, &iterator))) {
		struct yaml *child = make(m, item);
		if (child)
			append(list, &last, child);
	}
}

/* The entries of a map that `<<` names, but for those that are there. */
static void merge(struct maker *m, struct yaml *map, struct yaml **last, const struct yaml *from)
{
	if (from->kind != YAML_MAP) {
		diag_error(m->diag, "yaml", from->span, "'<<' merges a map, and this is none");
		return;
	}
	for (const struct yaml *entry = from->first; entry; entry = entry->next) {
		if (yaml_find(map, entry->key))
			continue;
		struct yaml *copy = ARENA_NEW(m->arena, struct yaml);
		*copy = *entry;
		copy->next = NULL;
		append(map, last, copy);
	}
}

static void make_map(struct maker *m, struct fy_node *node, struct yaml *map)
{
	void *iterator = NULL;
	struct fy_node_pair *pair;
	struct yaml *last = NULL, *merged = NULL;

	while ((pair = fy_node_mapping_iterate(node, &iterator))) {
		struct yaml *key = make(m, fy_node_pair_key(pair));
		struct yaml *value = make(m, fy_node_pair_value(pair));
		if (!key || !value)
			continue;
		if (key->kind != YAML_SCALAR) {
			diag_error(m->diag, "yaml", key->span, "a key is a word");
			continue;
		}
		value->key = key->text;
		value->key_span = key->span;
		if (!value->span.source || value->kind != YAML_SCALAR)
			value->span = key->span;
		if (strcmp(key->text, "<<") == 0)
			merged = value;
		else
			append(map, &last, value);
	}
	if (merged)
		merge(m, map, &last, merged);
}

/* What an alias stands for: the node itself is shared, the entry is its own. */
static struct yaml *follow(struct maker *m, struct fy_node *node)
{
	size_t length = 0;
	const char *name = fy_node_get_scalar(node, &length);
	struct fy_anchor *anchor =
		name ? fy_document_lookup_anchor(m->document, name, length) : NULL;
	struct fy_node *target = anchor ? fy_anchor_node(anchor) : NULL;
	struct yaml *made = target ? fy_node_get_meta(target) : NULL, *copy;
	struct span span = span_of_token(m, fy_node_get_scalar_token(node));

	if (span.begin > 0 && span.source->text[span.begin - 1] == '*')
		span.begin--;

	if (!made) {
		diag_error(m->diag, "yaml", span, "no anchor '&%.*s' stands before",
			   (int)(length < 80 ? length : 80), name ? name : "");
		return NULL;
	}
	copy = ARENA_NEW(m->arena, struct yaml);
	*copy = *made;
	copy->key = NULL;
	copy->next = NULL;
	copy->span = span;
	return copy;
}

static struct yaml *make(struct maker *m, struct fy_node *node)
{
	struct yaml *made;
	size_t length = 0;
	const char *text;

	if (node && fy_node_is_alias(node))
		return follow(m, node);
	made = ARENA_NEW(m->arena, struct yaml);
	made->text = "";
	if (!node)
		return made;
	text = fy_node_get_tag(node, &length);
	if (text && length > 0)
		made->tag = arena_copy(m->arena, text, length);
	if (fy_node_is_sequence(node)) {
		made->kind = YAML_LIST;
		make_list(m, node, made);
	} else if (fy_node_is_mapping(node)) {
		made->kind = YAML_MAP;
		make_map(m, node, made);
	} else {
		text = fy_node_get_scalar(node, &length);
		if (text)
			made->text = arena_copy(m->arena, text, length);
		made->span = span_of_token(m, fy_node_get_scalar_token(node));
	}
	/* Known to aliases from here on: one that stands inside of what it names finds nothing. */
	if (fy_node_get_anchor(node))
		fy_node_set_meta(node, made);
	return made;
}

/* ---- The whole ----------------------------------------------------------------------------------------------- */

static struct yaml *read_documents(struct maker *m, struct fy_parser *parser, struct fy_diag *said)
{
	struct yaml *root = NULL;
	struct fy_document *second;
	int errors = m->diag->errors;

	m->document = fy_parse_load_document(parser);
	if (!m->document) {
		if (fy_parser_get_stream_error(parser))
			report(m, said);
		return NULL;
	}
	if (fy_document_root(m->document))
		root = make(m, fy_document_root(m->document));
	fy_parse_document_destroy(parser, m->document);
	second = fy_parse_load_document(parser);
	if (second) {
		diag_warning(m->diag, "timeloop-lost", (struct span){.source = m->source},
			     "only the first of several documents is read");
		fy_parse_document_destroy(parser, second);
	} else if (fy_parser_get_stream_error(parser)) {
		report(m, said);
	}
	return m->diag->errors == errors ? root : NULL;
}

struct yaml *yaml_parse(struct arena *arena, struct diag *diag, const struct source *source)
{
	struct maker m = {.arena = arena, .diag = diag, .source = source};
	struct fy_diag_cfg quiet = {.level = FYET_ERROR, .module_mask = ~0u};
	struct fy_diag *said = fy_diag_create(&quiet);
	struct fy_parse_cfg how = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG, .diag = said};
	struct fy_parser *parser;
	struct yaml *root = NULL;

	if (!said)
		arena_fail(arena);
	fy_diag_set_collect_errors(said, true);
	parser = fy_parser_create(&how);
	if (!parser)
		arena_fail(arena);
	if (fy_parser_set_string(parser, source->text, source->size) == 0)
		root = read_documents(&m, parser, said);
	else
		report(&m, said);
	fy_parser_destroy(parser);
	fy_diag_destroy(said);
	return root;
}

bool yaml_same_key(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !((*a == '-' || *a == '_') && (*b == '-' || *b == '_')))
			return false;
	return *a == *b;
}

const struct yaml *yaml_find(const struct yaml *map, const char *key)
{
	const struct yaml *entry = map && map->kind == YAML_MAP ? map->first : NULL;

	while (entry && !yaml_same_key(entry->key, key))
		entry = entry->next;
	return entry;
}
