/* machine.c -- is this a machine? Walks the blocks of a machine, cpu or cluster and holds each against the table
 * machine.def: which block may stand in which, which properties it has, and how often. */
#include "frontend/machine/machine.h"

#include <string.h>

#include "frontend/machine/machine_check.h"
#include "frontend/source/name_index.h"

enum shape_rule { NO, MAY, MUST };
enum name_rule { NAMED, UNNAMED };
enum times { ONE, ANY, MANY };

enum { MAX_UNITS = 1 << 24 }; /* processing elements or nodes of one machine */

static const struct {
	const char *outer, *inner;
	enum shape_rule shape;
	enum name_rule named;
} nest_rule[] = {
#define NEST(outer, inner, shape, named) {outer, inner, shape, named},
#include "frontend/syntax/machine.def"
};

static const struct {
	const char *block, *word;
	enum form form;
	enum times times;
} property_rule[] = {
#define RULE(block, word, form, times) {block, word, FORM_##form, times},
#include "frontend/syntax/machine.def"
};

enum { NEST_RULES = sizeof nest_rule / sizeof *nest_rule };
enum { PROPERTY_RULES = sizeof property_rule / sizeof *property_rule };

/* ---- Words in the wrong place ------------------------------------------------------------------------- */

static bool is_block_word(const char *word)
{
	for (int i = 0; i < NEST_RULES; i++)
		if (strcmp(nest_rule[i].inner, word) == 0)
			return true;
	return false;
}

static bool is_property_word(const char *word)
{
	for (int i = 0; i < PROPERTY_RULES; i++)
		if (strcmp(property_rule[i].word, word) == 0)
			return true;
	return false;
}

/* What may stand in a block of this kind: its properties, then its blocks. */
static int words_of(struct program *program, const char *kind, const char ***words)
{
	int count = 0;
	*words = NULL;
	for (int i = 0; i < PROPERTY_RULES; i++)
		if (strcmp(property_rule[i].block, kind) == 0)
			ARENA_APPEND(program->arena, *words, count, property_rule[i].word);
	for (int i = 0; i < NEST_RULES; i++)
		if (strcmp(nest_rule[i].outer, kind) == 0)
			ARENA_APPEND(program->arena, *words, count, nest_rule[i].inner);
	return count;
}

/* "a memory", "an array" */
static const char *with_article(struct program *program, const char *kind)
{
	return arena_printf(program->arena, "%s %s", strchr("aeiou", kind[0]) ? "an" : "a", kind);
}

/* A word that has no place in a block of this kind. */
static void error_place(struct program *program, const char *word, struct span span,
			const char *kind, bool is_known)
{
	const char **words;
	int count = words_of(program, kind, &words);
	const char *nearest = is_known ? NULL : diag_nearest(word, words, count);
	const char *list = "", *block = with_article(program, kind);
	if (nearest) {
		diag_error(program->diag, "unknown-word", span,
			   "'%s' means nothing in %s; did you mean '%s'?", word, block, nearest);
		return;
	}
	diag_error(program->diag, is_known ? "misplaced-word" : "unknown-word", span,
		   is_known ? "'%s' has no place in %s" : "'%s' means nothing in %s", word, block);
	for (int i = 0; i < count; i++)
		list = arena_printf(program->arena, "%s%s%s", list, i ? ", " : "", words[i]);
	if (count > 0)
		diag_note(program->diag, span, "%s may hold %s", block, list);
}

/* ---- Properties ----------------------------------------------------------------------------------------- */

static const char *first_name(const struct tree_property *property)
{
	return property->value_count > 0 && property->value[0]->kind == EXPR_NAME
		       ? property->value[0]->name
		       : "";
}

static bool is_call(const struct tree_property *property)
{
	return property->value_count > 0 && property->value[0]->kind == EXPR_CALL;
}

/* A property that stands once; one that stands often names another tensor each time, or says for whom it is. */
static void check_repeated(struct program *program, struct name_places *given,
			   const struct tree_property *property, enum times times)
{
	const char *key = property->name;
	if (times == MANY && is_call(property))
		return;
	if (times == MANY)
		key = arena_intern_string(program->arena, arena_printf(program->arena, "%s %s", key,
								       first_name(property)));
	const struct span *first = name_stood(program->arena, given, key, property->name_span);
	if (!first)
		return;
	diag_error(program->diag, "repeated-property", property->name_span,
		   times == MANY ? "'%s' is given twice for the same" : "'%s' is given twice",
		   property->name);
	diag_note(program->diag, *first, "the first is here");
}

static void check_property(struct program *program, const struct tree_block *block,
			   struct name_places *given, const struct tree_property *property)
{
	int rule = 0;
	while (rule < PROPERTY_RULES && (strcmp(property_rule[rule].block, block->kind) != 0 ||
					 strcmp(property_rule[rule].word, property->name) != 0))
		rule++;
	if (rule == PROPERTY_RULES) {
		error_place(program, property->name, property->name_span, block->kind,
			    is_property_word(property->name) || is_block_word(property->name));
		return;
	}
	check_repeated(program, given, property, property_rule[rule].times);
	machine_value_check(program, property, property_rule[rule].form);
}

static void check_required(struct program *program, const struct tree_block *block)
{
	for (int i = 0; i < PROPERTY_RULES; i++) {
		const struct tree_property *p = block->property;
		if (property_rule[i].times != ONE ||
		    strcmp(property_rule[i].block, block->kind) != 0)
			continue;
		while (p && strcmp(p->name, property_rule[i].word) != 0)
			p = p->next;
		if (!p)
			diag_error(program->diag, "missing-property",
				   block->name ? block->name_span : block->kind_span,
				   "this %s needs the property '%s'", block->kind,
				   property_rule[i].word);
	}
}

/* ---- Blocks ----------------------------------------------------------------------------------------------- */

/* array pe[12, 14]: positive whole numbers. */
static void check_shape(struct program *program, const struct tree_block *block,
			enum shape_rule rule)
{
	if (block->shape_count > 0 && rule == NO) {
		diag_error(program->diag, "bad-shape", block->shape[0]->span, "a %s has no shape",
			   block->kind);
		return;
	}
	if (block->shape_count == 0 && rule == MUST)
		diag_error(program->diag, "bad-shape",
			   block->name ? block->name_span : block->kind_span,
			   "this %s needs a shape, as in %s %s[12, 14]", block->kind, block->kind,
			   block->name ? block->name : "pe");
	if (block->shape_count > 3)
		diag_error(program->diag, "bad-shape", block->shape[3]->span,
			   "%s has at most three dimensions", with_article(program, block->kind));
	for (int i = 0; i < block->shape_count; i++) {
		const struct tree_expr *extent = block->shape[i];
		struct tree_property property = {
			.name = "shape", .span = extent->span, .value_count = 1};
		property.value = &block->shape[i];
		machine_value_check(program, &property, FORM_WHOLE);
	}
}

static void check_block(struct program *, const struct tree_block *, const char *outer);

/* Properties and inner blocks in the order in which they are written. */
static void check_contents(struct program *program, const struct tree_block *block)
{
	const struct tree_property *p = block->property;
	const struct tree_block *b = block->block;
	struct name_places given = {0};
	while (p || b) {
		if (p && (!b || p->span.begin < b->span.begin)) {
			check_property(program, block, &given, p);
			p = p->next;
		} else {
			check_block(program, b, block->kind);
			b = b->next;
		}
	}
}

static void check_block(struct program *program, const struct tree_block *block, const char *outer)
{
	int rule = 0;
	while (rule < NEST_RULES && (strcmp(nest_rule[rule].outer, outer) != 0 ||
				     strcmp(nest_rule[rule].inner, block->kind) != 0))
		rule++;
	if (rule == NEST_RULES) {
		error_place(program, block->kind, block->kind_span, outer,
			    is_block_word(block->kind) || is_property_word(block->kind));
		return;
	}
	if (nest_rule[rule].named == NAMED && !block->name)
		diag_error(program->diag, "missing-name", block->kind_span, "this %s needs a name",
			   block->kind);
	check_shape(program, block, nest_rule[rule].shape);
	check_required(program, block);
	check_contents(program, block);
}

/* ---- What a machine as a whole needs -------------------------------------------------------------------- */

/* Mappings speak of memories and arrays by name, so a name stands once in the whole machine. */
static void check_names(struct program *program, const struct tree_block *block,
			struct name_places *places)
{
	for (; block; block = block->next) {
		const struct span *first = NULL;
		if (block->name)
			first = name_stood(program->arena, places, block->name, block->name_span);
		if (first) {
			diag_error(program->diag, "redefinition", block->name_span,
				   "'%s' is already defined", block->name);
			diag_note(program->diag, *first, "the previous definition is here");
		}
		check_names(program, block->block, places);
	}
}

static const struct tree_block *find_block(const struct tree_block *block, const char *kind)
{
	for (; block; block = block->next) {
		const struct tree_block *inner = find_block(block->block, kind);
		if (strcmp(block->kind, kind) == 0)
			return block;
		if (inner)
			return inner;
	}
	return NULL;
}

static const struct tree_property *find_property(const struct tree_block *block, const char *word)
{
	const struct tree_property *p = block->property;
	while (p && strcmp(p->name, word) != 0)
		p = p->next;
	return p;
}

static void require_block(struct program *program, const struct tree_block *block, const char *kind,
			  const char *reason)
{
	if (!find_block(block->block, kind))
		diag_error(program->diag, "missing-block",
			   block->name ? block->name_span : block->kind_span,
			   "this %s needs a block '%s': %s", block->kind, kind, reason);
}

/* Arrays in arrays multiply: `outside` is how many there are of what holds these blocks. */
static void check_units(struct program *program, const struct tree_block *block, double outside)
{
	for (; block; block = block->next) {
		double units = outside;
		for (int i = 0; i < block->shape_count; i++)
			units *= block->shape[i]->number;
		if (units > MAX_UNITS)
			diag_error(program->diag, "bad-shape", block->shape[0]->span,
				   "these are more than %d units, the most that a machine may have",
				   MAX_UNITS);
		else
			check_units(program, block->block, units);
	}
}

/* Every memory but the outermost says how much it holds. */
static void check_sizes(struct program *program, const struct tree_block *block,
			const struct tree_block *outermost)
{
	for (const struct tree_block *b = block; b; b = b->next) {
		if (strcmp(b->kind, "memory") == 0 && b != outermost && !find_property(b, "size"))
			diag_error(program->diag, "missing-property",
				   b->name ? b->name_span : b->kind_span,
				   "this memory needs the property 'size'; only the outermost may "
				   "do without");
		check_sizes(program, b->block, outermost);
	}
}

static void check_whole(struct program *program, const struct tree_block *block,
			enum machine_kind kind)
{
	struct name_places named = {0};
	check_names(program, block->block, &named);
	check_units(program, block->block, 1);
	if (kind == MACHINE_ACCELERATOR) {
		require_block(program, block, "memory", "the first is where the tensors lie");
		require_block(program, block, "mac", "the unit that computes");
		check_sizes(program, block->block, find_block(block->block, "memory"));
	} else if (kind == MACHINE_CLUSTER) {
		require_block(program, block, "node", "a computer of the cluster");
	}
}

/* ---- The machine of a name -------------------------------------------------------------------------------- */

static bool is_machine(const struct tree_item *item)
{
	return item->kind == ITEM_BLOCK && item->block;
}

/* Is this machine what a node of a cluster is? */
static bool is_node(const struct program *program, const char *name)
{
	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item;
		     item = item->next) {
			if (!is_machine(item) || strcmp(item->block->kind, "cluster") != 0)
				continue;
			for (const struct tree_block *b = item->block->block; b; b = b->next) {
				const struct tree_property *p = find_property(b, "machine");
				if (p && strcmp(first_name(p), name) == 0)
					return true;
			}
		}
	return false;
}

/* Without a name, the last one that is no part of another. */
const struct tree_item *machine_find(const struct program *program, const char *name)
{
	const struct tree_item *found = NULL;
	bool is_part = true;
	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item;
		     item = item->next) {
			const char *own =
				is_machine(item) && item->block->name ? item->block->name : "";
			if (!is_machine(item) || (name && strcmp(own, name) != 0))
				continue;
			if (!name && found && !is_part && is_node(program, own))
				continue;
			found = item;
			is_part = !name && is_node(program, own);
		}
	return found;
}

int machine_names(const struct program *program, const char ***names)
{
	int count = 0;
	*names = NULL;
	for (int i = 0; i < program->tree_count; i++)
		for (const struct tree_item *item = program->tree[i]->item; item; item = item->next)
			if (is_machine(item) && item->block->name)
				ARENA_APPEND(program->arena, *names, count, item->block->name);
	return count;
}

/* The machines that the nodes of a cluster are, each once. */
static void check_nodes(struct program *program, const struct tree_block *cluster)
{
	struct name_index is_checked = {0};
	for (const struct tree_block *node = cluster->block; node; node = node->next) {
		const struct tree_property *p = find_property(node, "machine");
		const char *name = p && p->value_count == 1 ? first_name(p) : "";
		const struct tree_item *item = *name ? machine_find(program, name) : NULL;
		if (!item || strcmp(item->block->kind, "cluster") == 0)
			continue;
		int *checked = name_index_at(program->arena, &is_checked, name);
		if (!*checked)
			machine_check(program, name);
		*checked = true;
	}
}

static const char *text_of(const struct tree_block *block, const char *word)
{
	const struct tree_property *p = find_property(block, word);
	return p && p->value_count == 1 && p->value[0]->kind == EXPR_STRING ? p->value[0]->name
									    : NULL;
}

struct machine *machine_check(struct program *program, const char *name)
{
	const struct tree_item *item = machine_find(program, name);
	int errors = program->diag->errors;
	struct machine *machine;
	if (!item) {
		const char **candidate;
		int count = machine_names(program, &candidate);
		diag_error(program->diag, "unknown-machine", (struct span){0},
			   name ? "there is no machine '%s'%s" : "no file describes a machine",
			   name,
			   name ? diag_suggestion(program->diag, name, candidate, count) : "");
		return NULL;
	}
	machine = ARENA_NEW(program->arena, struct machine);
	machine->block = item->block;
	machine->name = item->block->name;
	machine->kind = strcmp(item->block->kind, "cpu") == 0       ? MACHINE_CPU
			: strcmp(item->block->kind, "cluster") == 0 ? MACHINE_CLUSTER
								    : MACHINE_ACCELERATOR;
	machine->native = machine->kind == MACHINE_CPU && find_property(item->block, "native");
	machine->cpu = text_of(item->block, "cpu");
	machine->triple = text_of(item->block, "triple");
	check_block(program, item->block, "");
	check_whole(program, item->block, machine->kind);
	if (machine->kind == MACHINE_CLUSTER)
		check_nodes(program, item->block);
	return program->diag->errors == errors ? machine : NULL;
}

void machine_print(const struct machine *machine, FILE *out)
{
	static const char *const kind[] = {[MACHINE_CPU] = "cpu",
					   [MACHINE_ACCELERATOR] = "accelerator",
					   [MACHINE_CLUSTER] = "cluster"};
	struct tree_block block = *machine->block;
	struct tree_item item = {.kind = ITEM_BLOCK, .name = block.name, .block = &block};
	fprintf(out, "// %s: %s%s\n", machine->name, kind[machine->kind],
		machine->native ? ", completed from this host" : "");
	tree_print(&(struct tree){.item = &item}, out);
}
