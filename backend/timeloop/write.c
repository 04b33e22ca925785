/* write.c -- a mapping goes in; what timeloop-model needs to evaluate the same comes out.
 *
 * The keys are those that timeloop-model reads (src/workload/shape-models/problem-shape.cpp, src/model/topology.cpp and
 * buffer.cpp, src/mapping/parser.cpp; commit 4cf6d4c). Its dimensions have names of one letter, its arrays axes X and Y (ours: columns and
 * rows), its permutations begin with the innermost loop, and the first `split` of a spatial one run along X. */
#include "backend/timeloop/write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backend/timeloop/writer.h"
#include "frontend/timeloop/timeloop.h"
#include "mapper/mapping/tile.h"
#include "runtime/file.h"

/* ---- Names and numbers --------------------------------------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A name of one letter is kept; the others get the first that is free. */
static void name_dims(struct writer *w)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (int d = 0; d < w->p->dims; d++)
		if (is_letter(w->p->dim[d][0]) && !w->p->dim[d][1] &&
		    !memchr(w->letter, w->p->dim[d][0], MAX_DIMS))
			w->letter[d] = w->p->dim[d][0];
	for (int d = 0; d <= w->p->dims; d++)
		for (const char *c = letters; !w->letter[d]; c++)
			if (!memchr(w->letter, *c, sizeof w->letter))
				w->letter[d] = *c;
}

static void name_spaces(struct writer *w)
{
	static const char *const name[CLASSES] = {"Inputs", "Weights", "Outputs"};

	for (int o = 0; o < w->p->operands; o++) {
		const char *own = operand_name(w->p, o);
		w->space[o] = arena_printf(w->arena, "%s%s", name[w->p->operand[o].class], own + 1);
		w->has_one |= w->p->operand[o].ranks == 0;
	}
	w->has_one |= w->p->dims == 0;
}

/* The fewest digits that are read back as the same. */
void writer_number(struct writer *w, double number)
{
	char text[40];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	fputs(text, w->file);
}

/* Behind a `#` nothing but what is seen. */
static void print_comment(struct writer *w, const char *text)
{
	for (; *text; text++)
		putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, w->file);
}

static int dims_of(const struct writer *w)
{
	return w->p->dims + w->has_one;
}

/* The axis of Timeloop that an axis of ours is. */
int writer_axis(const struct level *l, int axis)
{
	return l->axes == 2 && axis == 0 ? AXIS_Y : AXIS_X;
}

static void take_mesh(struct writer *w)
{
	w->mesh[0][AXIS_X] = w->mesh[0][AXIS_Y] = 1;
	for (int i = 0; i < w->h->levels; i++) {
		const struct level *l = &w->h->level[i];
		for (int a = 0; a < 2; a++)
			w->mesh[i + 1][a] = w->mesh[i][a];
		for (int a = 0; a < l->axes; a++)
			w->mesh[i + 1][writer_axis(l, a)] *= l->fanout[a];
	}
}

int64_t writer_fanout(const struct writer *w, int level)
{
	return w->mesh[level + 1][0] * w->mesh[level + 1][1] /
	       (w->mesh[level][0] * w->mesh[level][1]);
}

/* ---- Problem ------------------------------------------------------------------------------------------------------- */

static bool is_coef_first(const struct writer *w, int operand, int rank, int dim)
{
	int64_t coef = llabs(w->p->operand[operand].coef[rank][dim]);

	for (int o = 0; o <= operand; o++)
		for (int r = 0; r < (o < operand ? w->p->operand[o].ranks : rank + 1); r++)
			for (int d = 0; d < w->p->dims; d++) {
				if (o == operand && r == rank && d == dim)
					return true;
				if (llabs(w->p->operand[o].coef[r][d]) == coef)
					return false;
			}
	return true;
}

/* A coefficient is called after its value, and that is its default. */
static void print_coefficients(struct writer *w)
{
	bool is_first = true;

	for (int o = 0; o < w->p->operands; o++)
		for (int r = 0; r < w->p->operand[o].ranks; r++)
			for (int d = 0; d < w->p->dims; d++) {
				int64_t coef = llabs(w->p->operand[o].coef[r][d]);
				if (coef <= 1 || !is_coef_first(w, o, r, d))
					continue;
				fputs(is_first ? "    coefficients:\n" : "", w->file);
				fprintf(w->file,
					"    - {name: times%" PRId64 ", default: %" PRId64 "}\n",
					coef, coef);
				is_first = false;
			}
}

static void print_rank(struct writer *w, const struct operand *o, int rank)
{
	const char *comma = "";

	putc('[', w->file);
	for (int d = 0; d < w->p->dims; d++) {
		int64_t coef = llabs(o->coef[rank][d]);
		if (coef == 0)
			continue;
		fprintf(w->file, "%s[%c", comma, w->letter[d]);
		if (coef != 1)
			fprintf(w->file, ", times%" PRId64, coef);
		putc(']', w->file);
		comma = ", ";
	}
	putc(']', w->file);
}

static void print_spaces(struct writer *w)
{
	fputs("    data_spaces:\n", w->file);
	for (int o = 0; o < w->p->operands; o++) {
		const struct operand *operand = &w->p->operand[o];
		fprintf(w->file, "    - name: %s\n      projection: [", w->space[o]);
		for (int r = 0; r < operand->ranks; r++) {
			fputs(r ? ", " : "", w->file);
			print_rank(w, operand, r);
		}
		if (operand->ranks == 0)
			fprintf(w->file, "[[%c]]", w->letter[w->p->dims]);
		fprintf(w->file, "]\n%s",
			operand->class == CLASS_O ? "      read_write: true\n" : "");
	}
}

static void print_problem(struct writer *w)
{
	fputs("problem:\n  version: 0.4\n  shape:\n", w->file);
	fprintf(w->file, "    name: \"%s\"\n    dimensions: [",
		timeloop_name(w->arena, w->p->name ? w->p->name : "layer"));
	for (int d = 0; d < dims_of(w); d++)
		fprintf(w->file, "%s%c", d ? ", " : "", w->letter[d]);
	fputs("]\n", w->file);
	print_coefficients(w);
	print_spaces(w);
	fputs("  instance:\n", w->file);
	for (int d = 0; d < dims_of(w); d++) {
		fprintf(w->file, "    %c: %" PRId64, w->letter[d],
			d < w->p->dims ? w->p->extent[d] : 1);
		if (d < w->p->dims && (w->p->dim[d][0] != w->letter[d] || w->p->dim[d][1])) {
			fputs(" # ", w->file);
			print_comment(w, w->p->dim[d]);
		}
		putc('\n', w->file);
	}
}

/* ---- Mapping ------------------------------------------------------------------------------------------------------- */
void writer_list(struct writer *w, const char *key, unsigned operands)
{
	const char *comma = "";

	if (!operands)
		return;
	fprintf(w->file, ", %s: [", key);
	for (int o = 0; o < w->p->operands; o++)
		if (operands >> o & 1) {
			fprintf(w->file, "%s%s", comma, w->space[o]);
			comma = ", ";
		}
	putc(']', w->file);
}

/* The loop of a dimension at a level, in time or space; -1 where there is none. */
static int loop_at(const struct writer *w, int level, enum loop_kind kind, int dim)
{
	for (int i = 0; i < w->m->loops; i++) {
		const struct mapped_loop *l = &w->m->loop[i];
		if (l->level == level && l->kind == kind && l->dim == dim)
			return i;
	}
	return -1;
}

/* Steps of the last run of a loop: what remains of its dimension when all loops around it are in their last step. */
static int64_t last_steps(const struct writer *w, int loop)
{
	int64_t rest = w->p->extent[w->m->loop[loop].dim], steps = 1;

	for (int i = 0; i <= loop; i++) {
		const struct mapped_loop *l = &w->m->loop[i];
		if (l->dim != w->m->loop[loop].dim)
			continue;
		steps = rest / l->tile + (rest % l->tile > 0);
		rest -= (steps - 1) * l->tile;
	}
	return steps;
}

/* "K=16 C=3,2": full steps, and those of the last run where they are fewer. */
static void print_factors(struct writer *w, int level, enum loop_kind kind)
{
	fputs(", factors: \"", w->file);
	for (int d = 0; d < dims_of(w); d++) {
		int loop = d < w->p->dims ? loop_at(w, level, kind, d) : -1;
		fprintf(w->file, "%s%c=%" PRId64, d ? " " : "", w->letter[d],
			loop < 0 ? 1 : tile_steps(w->m, loop));
		if (loop >= 0 && last_steps(w, loop) != tile_steps(w->m, loop))
			fprintf(w->file, ",%" PRId64, last_steps(w, loop));
	}
	putc('"', w->file);
}

/* The dimensions of the loops along an axis, or in time, the innermost first. */
static int print_loops(struct writer *w, int level, enum loop_kind kind, int axis)
{
	int count = 0;

	for (int i = w->m->loops - 1; i >= 0; i--) {
		const struct mapped_loop *l = &w->m->loop[i];
		if (l->level != level || l->kind != kind ||
		    (kind == LOOP_SPACE && writer_axis(&w->h->level[level], l->axis) != axis))
			continue;
		putc(w->letter[l->dim], w->file);
		count++;
	}
	return count;
}

/* Dimensions without a loop here stand outside of those in time, and between those along X and Y. */
static void print_permutation(struct writer *w, int level, enum loop_kind kind)
{
	int split;

	fputs(", permutation: \"", w->file);
	split = print_loops(w, level, kind, AXIS_X);
	for (int d = 0; d < dims_of(w); d++)
		if (d == w->p->dims || loop_at(w, level, kind, d) < 0) {
			putc(w->letter[d], w->file);
			split++;
		}
	if (kind == LOOP_SPACE)
		print_loops(w, level, kind, AXIS_Y);
	putc('"', w->file);
	if (kind == LOOP_SPACE)
		fprintf(w->file, ", split: %d", split);
}

static void print_target(struct writer *w, int level, const char *type)
{
	fprintf(w->file, "- {target: \"%s\", type: %s",
		timeloop_name(w->arena, w->h->level[level].name), type);
}

/* Operands that the network below a level does not share among the units of the mapping. */
static unsigned unshared(const struct writer *w, int level)
{
	const struct level *l = &w->h->level[level];
	unsigned used = 0, operands = 0;

	for (int i = 0; i < w->m->loops; i++)
		if (w->m->loop[i].level == level && w->m->loop[i].kind == LOOP_SPACE)
			used |= 1u << w->m->loop[i].axis;
	for (int o = 0; o < w->p->operands; o++) {
		enum tensor_class class = w->p->operand[o].class;
		unsigned shares = class == CLASS_O ? l->reduce : l->multicast;
		if (!(shares >> class & 1) || (used && (l->apart[class] & used) == used))
			operands |= 1u << o;
	}
	return operands;
}

static void print_mapping(struct writer *w)
{
	unsigned all = (1u << w->p->operands) - 1;

	fputs("mapping:\n", w->file);
	for (int i = 0; i < w->h->levels; i++) {
		print_target(w, i, "bypass");
		writer_list(w, "keep", w->m->keep[i]);
		writer_list(w, "bypass", all & ~w->m->keep[i]);
		fputs("}\n", w->file);
		print_target(w, i, "temporal");
		print_factors(w, i, LOOP_TIME);
		print_permutation(w, i, LOOP_TIME);
		fputs("}\n", w->file);
		if (writer_fanout(w, i) == 1)
			continue;
		print_target(w, i, "spatial");
		print_factors(w, i, LOOP_SPACE);
		print_permutation(w, i, LOOP_SPACE);
		writer_list(w, "no_link_transfer", all);
		writer_list(w, "no_multicast_no_reduction", unshared(w, i));
		fputs("}\n", w->file);
	}
}

/* ---- The whole ----------------------------------------------------------------------------------------------------- */

static bool is_mirrored(const struct problem *p)
{
	for (int o = 0; o < p->operands; o++)
		for (int r = 0; r < p->operand[o].ranks; r++)
			for (int d = 0; d < p->dims; d++)
				if (p->operand[o].coef[r][d] < 0)
					return true;
	return false;
}

static void write_one(struct writer *w)
{
	fputs("# layer ", w->file);
	print_comment(w, w->p->name ? w->p->name : "layer");
	fprintf(w->file, ", energy in %s\n",
		w->h->is_in_joules ? "pJ" : "units of the machine's own, which Timeloop calls pJ");
	if (is_mirrored(w->p))
		fputs("# A subscript falls with its index; here it rises: the counts are the "
		      "same.\n",
		      w->file);
	print_problem(w);
	writer_machine(w);
	print_mapping(w);
}

bool timeloop_write(const struct mapping *const maps[], int count, FILE *file, struct arena *arena,
		    struct diag *diag)
{
	int errors = diag->errors;

	for (int i = 0; i < count; i++) {
		struct writer w = {.m = maps[i],
				   .p = maps[i]->problem,
				   .h = maps[i]->machine,
				   .file = file,
				   .arena = arena,
				   .diag = diag,
				   .unit = maps[i]->machine->is_in_joules ? 1e12 : 1};
		fputs(count > 1 ? "---\n" : "", file);
		name_dims(&w);
		name_spaces(&w);
		take_mesh(&w);
		if (i == 0 || maps[i]->machine != maps[i - 1]->machine)
			writer_check_machine(&w);
		writer_check_mapping(&w);
		write_one(&w);
	}
	return diag->errors == errors;
}

bool timeloop_write_file(const struct mapping *const maps[], int count, const char *path,
			 struct arena *arena, struct diag *diag)
{
	char *text = NULL, *error = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		arena_fail(arena);
	bool is_done = timeloop_write(maps, count, file, arena, diag);
	if (fclose(file) != 0) {
		free(text);
		arena_fail(arena);
	}
	if (is_done)
		error = file_write(path, text, size);
	free(text);
	return is_done && (!error || diag_fail(diag, "unwritable-file", error));
}
