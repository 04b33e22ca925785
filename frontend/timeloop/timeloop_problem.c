/* timeloop_problem.c -- a problem goes in, a network of one layer comes out: an operator with the indices and the one
 * statement of the problem's shape, and a call of it.
 *
 * Of the data spaces that are read, one called after weights or filters is a parameter; else the first is the input and those behind
 * it are parameters. The one that is read and written is the output. */
#include "frontend/timeloop/timeloop_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/network/network.h"

enum { MAX_EXTENT = 1 << 30 };

struct term {
	int dim;
	int64_t coef;
};

struct rank {
	int terms;
	struct term term[MAX_LOOPS];
};

struct space {
	const char *name;
	const struct yaml *at;
	bool is_written;
	int ranks;
	struct rank rank[MAX_RANK];
};

struct shape {
	struct timeloop *t;
	const struct yaml *problem, *shape, *instance;
	const char *name;
	int dims;
	const char *dim[MAX_LOOPS], *yaml_dim[MAX_LOOPS];
	int64_t extent[MAX_LOOPS];
	int spaces;
	struct space space[TIMELOOP_MAX_SPACES];
};

/* The layer that Timeloop knows by name, and takes where no shape is said: problem-shapes/cnn_layer.yaml. */
static const char usual_shape[] =
	"name: cnn_layer\n"
	"dimensions: [C, M, R, S, N, P, Q]\n"
	"coefficients:\n"
	"- {name: Wstride, default: 1}\n"
	"- {name: Hstride, default: 1}\n"
	"- {name: Wdilation, default: 1}\n"
	"- {name: Hdilation, default: 1}\n"
	"data_spaces:\n"
	"- {name: Weights, projection: [[[C]], [[M]], [[R]], [[S]]]}\n"
	"- {name: Inputs, projection: [[[N]], [[C]], [[R, Wdilation], [P, Wstride]], [[S, "
	"Hdilation], [Q, Hstride]]]}\n"
	"- {name: Outputs, projection: [[[N]], [[M]], [[Q]], [[P]]], read_write: true}\n";

/* ---- Names ---------------------------------------------------------------------------------------------------- */

static bool is_list(struct shape *s, const struct yaml *y, const struct yaml *in, const char *what)
{
	if (y && y->kind == YAML_LIST && y->first)
		return true;
	diag_error(s->t->diag, "timeloop", y ? y->span : in->span,
		   y ? "'%s' is a list" : "a shape needs a list '%s'", what);
	return false;
}

static const char *text_of(struct shape *s, const struct yaml *y, const char *what)
{
	if (y && y->kind == YAML_SCALAR && *y->text)
		return y->text;
	if (y)
		diag_error(s->t->diag, "timeloop", y->span, "%s is a name", what);
	return NULL;
}

/* Names of ours are told apart by one more `_`. */
static const char *own_name(struct shape *s, const char *text)
{
	const char *name = timeloop_name(s->t->arena, text);
	bool is_taken;

	do {
		is_taken = false;
		for (int d = 0; d < s->dims; d++)
			is_taken |= strcmp(name, s->dim[d]) == 0;
		for (int i = 0; i < s->spaces; i++)
			is_taken |= strcmp(name, s->space[i].name) == 0;
		if (is_taken)
			name = arena_printf(s->t->arena, "%s_", name);
	} while (is_taken);
	return name;
}

/* The dimension of this name, or -1. */
static int dim_of(const struct shape *s, const char *name)
{
	for (int d = 0; d < s->dims; d++)
		if (strcmp(s->yaml_dim[d], name) == 0)
			return d;
	return -1;
}

static void take_dims(struct shape *s)
{
	const struct yaml *list = yaml_find(s->shape, "dimensions");

	if (!is_list(s, list, s->shape, "dimensions"))
		return;
	for (const struct yaml *y = list->first; y; y = y->next) {
		const char *name = text_of(s, y, "a dimension");
		const struct yaml *extent = name ? yaml_find(s->instance, name) : NULL;
		if (!name)
			continue;
		if (s->dims == MAX_LOOPS) {
			diag_error(s->t->diag, "timeloop-unsupported", y->span,
				   "this is one dimension more than the %d that are read",
				   MAX_LOOPS);
			return;
		}
		if (dim_of(s, name) >= 0) {
			diag_error(s->t->diag, "repeated-name", y->span, "'%s' is named twice",
				   name);
			continue;
		}
		s->extent[s->dims] = 1;
		if (!extent)
			diag_error(s->t->diag, "timeloop", s->instance->span,
				   "the problem does not say how long dimension '%s' is", name);
		else
			timeloop_whole(s->t->diag, extent, 1, MAX_EXTENT, &s->extent[s->dims]);
		s->dim[s->dims] = own_name(s, name);
		s->yaml_dim[s->dims++] = name;
	}
}

/* ---- Projections ------------------------------------------------------------------------------------------- */

/* The value of a coefficient: of the instance, else its default. */
static bool find_coef(struct shape *s, const struct yaml *name, int64_t *value)
{
	const struct yaml *list = yaml_find(s->shape, "coefficients"), *set;
	const char *text = text_of(s, name, "a coefficient");

	for (const struct yaml *y = list ? list->first : NULL; text && y; y = y->next) {
		const struct yaml *own = yaml_find(y, "name");
		if (!own || own->kind != YAML_SCALAR || strcmp(own->text, text) != 0)
			continue;
		set = yaml_find(s->instance, text);
		set = set ? set : yaml_find(y, "default");
		if (set)
			return timeloop_whole(s->t->diag, set, 1, MAX_EXTENT, value);
	}
	if (text)
		diag_error(s->t->diag, "unknown-name", name->span,
			   "there is no coefficient '%s' with a value", text);
	return false;
}

static void take_term(struct shape *s, struct rank *rank, const struct yaml *y)
{
	const struct yaml *dim = y->kind == YAML_LIST ? y->first : y;
	const struct yaml *coef = dim && y->kind == YAML_LIST ? dim->next : NULL;
	const char *name = dim ? text_of(s, dim, "a dimension") : NULL;
	struct term term = {.coef = 1};

	if (!name || (coef && coef->next) || rank->terms == MAX_LOOPS) {
		diag_error(s->t->diag, "timeloop", y->span,
			   "a term of a projection is a dimension, and perhaps a coefficient: [P, "
			   "Wstride]");
		return;
	}
	term.dim = dim_of(s, name);
	if (term.dim < 0)
		diag_error(s->t->diag, "unknown-name", dim->span, "there is no dimension '%s'%s",
			   name, diag_suggestion(s->t->diag, name, s->yaml_dim, s->dims));
	else if (!coef || find_coef(s, coef, &term.coef))
		rank->term[rank->terms++] = term;
}

/* Either a list of dimensions, one a rank, or a list of ranks, each a list of terms. */
static void take_projection(struct shape *s, struct space *space, const struct yaml *list)
{
	if (!is_list(s, list, space->at, "projection"))
		return;
	for (const struct yaml *y = list->first; y; y = y->next) {
		if (space->ranks == MAX_RANK) {
			diag_error(s->t->diag, "timeloop-unsupported", y->span,
				   "this is one rank more than the %d that are read", MAX_RANK);
			return;
		}
		struct rank *rank = &space->rank[space->ranks++];
		if (y->kind != YAML_LIST)
			take_term(s, rank, y);
		for (const struct yaml *term = y->first; y->kind == YAML_LIST && term;
		     term = term->next)
			take_term(s, rank, term);
	}
}

static void take_spaces(struct shape *s)
{
	const struct yaml *list = yaml_find(s->shape, "data_spaces");

	if (!is_list(s, list, s->shape, "data_spaces"))
		return;
	for (const struct yaml *y = list->first; y; y = y->next) {
		const struct yaml *name = yaml_find(y, "name");
		const char *text = text_of(s, name, "'name'");
		if (!text || s->spaces == TIMELOOP_MAX_SPACES) {
			diag_error(s->t->diag, "timeloop", y->span,
				   text ? "these are too many data spaces"
					: "a data space needs a 'name'");
			return;
		}
		struct space *space = &s->space[s->spaces];
		space->at = name;
		space->name = own_name(s, text);
		s->t->space[s->spaces++] = text;
		space->is_written = timeloop_is_on(yaml_find(y, "read_write"));
		take_projection(s, space, yaml_find(y, "projection"));
	}
}

/* ---- What can be no statement --------------------------------------------------------------------------------- */

static void check_output(struct shape *s, const struct space *o)
{
	unsigned seen = 0;

	for (int r = 0; r < o->ranks; r++) {
		const struct rank *rank = &o->rank[r];
		bool is_plain = rank->terms == 1 && rank->term[0].coef == 1;
		if (!is_plain || (seen >> rank->term[0].dim & 1)) {
			diag_error(
				s->t->diag, "timeloop-unsupported", o->at->span,
				"each rank of what is written is one dimension that stands in no "
				"other rank, and rank %d of '%s' is not",
				r, o->name);
			return;
		}
		seen |= 1u << rank->term[0].dim;
	}
}

static void check_dims(struct shape *s)
{
	for (int d = 0; d < s->dims; d++) {
		bool is_used = s->extent[d] == 1;
		for (int i = 0; i < s->spaces; i++)
			for (int r = 0; r < s->space[i].ranks; r++)
				for (int k = 0; k < s->space[i].rank[r].terms; k++)
					is_used |= s->space[i].rank[r].term[k].dim == d;
		if (!is_used)
			diag_error(
				s->t->diag, "timeloop-unsupported", s->shape->span,
				"dimension '%s' indexes no data space: its loop would do the same "
				"again",
				s->yaml_dim[d]);
	}
}

/* Densities other than 1 make counts that are none of a dense tensor's. */
static void check_dense(struct shape *s)
{
	static const char *const key[] = {"densities", "commonDensity"};

	for (int i = 0; i < 2; i++) {
		const struct yaml *y = yaml_find(s->instance, key[i]);
		const struct yaml *from = y && y->kind == YAML_MAP ? y->first : y;
		for (; from; from = from == y ? NULL : from->next)
			if (from->kind != YAML_SCALAR ||
			    (*from->text && strtod(from->text, NULL) != 1))
				diag_error(s->t->diag, "timeloop-unsupported", from->span,
					   "sparse tensors are not counted: a density here is 1");
	}
}

static void check_spaces(struct shape *s)
{
	int written = 0;
	const struct space *o = NULL;

	for (int i = 0; i < s->spaces; i++)
		if (s->space[i].is_written && ++written == 1)
			o = &s->space[i];
	if (written != 1)
		diag_error(s->t->diag, "timeloop", s->shape->span,
			   "one data space is written, 'read_write: true', and here %d are",
			   written);
	else if (s->spaces < 2)
		diag_error(s->t->diag, "timeloop", s->shape->span,
			   "no data space is read: a layer computes from something");
	else
		check_output(s, o);
	check_dims(s);
	check_dense(s);
}

/* ---- The text --------------------------------------------------------------------------------------------------- */

static bool sounds_like_weights(const char *name)
{
	return strcasestr(name, "weight") || strcasestr(name, "filter") ||
	       strcasestr(name, "kernel");
}

/* Which data space is the input; those that are not it are parameters. */
static int find_input(struct shape *s)
{
	int first = -1;

	for (int i = 0; i < s->spaces; i++) {
		if (s->space[i].is_written)
			continue;
		if (!sounds_like_weights(s->space[i].name))
			return i;
		first = first < 0 ? i : first;
	}
	return first;
}

/* Long enough for all that the terms index; 0 where that is too much. */
static int64_t length_of(const struct shape *s, const struct rank *rank)
{
	int64_t length = 1, part;

	for (int k = 0; k < rank->terms; k++)
		if (__builtin_mul_overflow(rank->term[k].coef, s->extent[rank->term[k].dim] - 1,
					   &part) ||
		    __builtin_add_overflow(length, part, &length) || length > INT64_C(1) << 53)
			return 0;
	return length;
}

static void print_extents(struct shape *s, const struct space *space, FILE *file)
{
	for (int r = 0; r < space->ranks; r++) {
		int64_t length = length_of(s, &space->rank[r]);
		if (length == 0)
			diag_error(s->t->diag, "too-large", space->at->span,
				   "rank %d of '%s' is longer than 2^53", r, space->name);
		fprintf(file, "%s%" PRId64, r ? ", " : "[", length ? length : 1);
	}
	fputs("]", file);
}

static void print_access(const struct shape *s, const struct space *space, FILE *file)
{
	fputs(space->name, file);
	for (int r = 0; r < space->ranks; r++) {
		const struct rank *rank = &space->rank[r];
		fputs(r ? ", " : "[", file);
		for (int k = 0; k < rank->terms; k++) {
			const struct term *term = &rank->term[k];
			fputs(k ? " + " : "", file);
			if (term->coef != 1)
				fprintf(file, "%" PRId64 "*", term->coef);
			fputs(s->dim[term->dim], file);
		}
		if (rank->terms == 0)
			putc('0', file);
	}
	putc(']', file);
}

/* Is there a loop that the output does not know? */
static bool has_sum(const struct shape *s, const struct space *o)
{
	unsigned known = 0;

	for (int r = 0; r < o->ranks; r++)
		known |= 1u << o->rank[r].term[0].dim;
	return known != (1u << s->dims) - 1;
}

static void print_operator(struct shape *s, int input, FILE *file)
{
	const struct space *o = NULL;

	fprintf(file, "op timeloop_layer(%s[", s->space[input].name);
	for (int r = 0; r < s->space[input].ranks; r++)
		fprintf(file, "%srank%d", r ? ", " : "", r);
	fputs("]) {\n", file);
	for (int d = 0; d < s->dims; d++)
		fprintf(file, "\tindex %s < %" PRId64 "\n", s->dim[d], s->extent[d]);
	for (int i = 0; i < s->spaces; i++) {
		if (s->space[i].is_written)
			o = &s->space[i];
		if (s->space[i].is_written || i == input)
			continue;
		fprintf(file, "\tparam %s", s->space[i].name);
		print_extents(s, &s->space[i], file);
		putc('\n', file);
	}
	putc('\t', file);
	print_access(s, o, file);
	fputs(has_sum(s, o) ? " += " : " = ", file);
	print_access(s, &s->space[input], file);
	for (int i = 0; i < s->spaces; i++)
		if (!s->space[i].is_written && i != input) {
			fputs(" * ", file);
			print_access(s, &s->space[i], file);
		}
	fprintf(file, "\n\treturn %s\n}\n", o->name);
}

static void print(struct shape *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int input = find_input(s), errors = s->t->diag->errors;

	if (!file)
		arena_fail(s->t->arena);
	print_operator(s, input, file);
	fprintf(file, "network %s(%s: f32", s->name, s->space[input].name);
	print_extents(s, &s->space[input], file);
	fprintf(file, ") {\n\t%s = timeloop_layer(%s)\n\treturn %s\n}\n", s->name,
		s->space[input].name, s->name);
	if (fclose(file) != 0) {
		free(text);
		arena_fail(s->t->arena);
	}
	if (s->t->diag->errors == errors)
		timeloop_add(s->t, s->problem, ".dnn", text, size);
	free(text);
	for (int i = 0; i < s->spaces; i++)
		s->t->called[i] = s->space[i].is_written ? CALLED_O
				  : i == input           ? CALLED_I
							 : CALLED_W;
}

/* ---- The whole --------------------------------------------------------------------------------------------------- */

/* The shape of the file, or the one known by name. */
static const struct yaml *shape_of(struct timeloop *t, const struct yaml *problem)
{
	const struct yaml *shape = yaml_find(problem, "shape");
	struct source *source;

	if (shape && shape->kind == YAML_MAP)
		return shape;
	if (shape && (shape->kind != YAML_SCALAR || !yaml_same_key(shape->text, "cnn_layer"))) {
		diag_error(t->diag, "timeloop-unsupported", shape->span,
			   "of the shapes that Timeloop keeps in files only 'cnn_layer' is known; "
			   "write the shape here, with its dimensions and data_spaces");
		return NULL;
	}
	source = ARENA_NEW(t->arena, struct source);
	*source = (struct source){"cnn_layer", usual_shape, sizeof usual_shape - 1, true};
	return yaml_parse(t->arena, t->diag, source);
}

void timeloop_problem(struct timeloop *t, const struct yaml *problem)
{
	struct shape *s = ARENA_NEW(t->arena, struct shape);
	const struct yaml *instance = yaml_find(problem, "instance"), *name;
	int errors = t->diag->errors;

	if (problem->kind != YAML_MAP) {
		diag_error(t->diag, "timeloop", problem->span, "'problem' is a map");
		return;
	}
	*s = (struct shape){.t = t, .problem = problem, .shape = shape_of(t, problem)};
	s->instance = instance ? instance : problem;
	if (!s->shape)
		return;
	name = yaml_find(s->shape, "name");
	take_dims(s);
	take_spaces(s);
	if (t->diag->errors == errors)
		check_spaces(s);
	t->spaces = s->spaces;
	if (t->diag->errors > errors)
		return;
	s->name = own_name(s, name && name->kind == YAML_SCALAR ? name->text : "layer");
	print(s);
}
