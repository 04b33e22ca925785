/* mapping_print.c -- a mapping as the loop nest that a person would write, one line a loop, the outermost first.
 * At each memory stands what it keeps, and how full that makes it. */
#include "mapper/mapping/mapping_print.h"

#include <inttypes.h>

#include "frontend/syntax/parse.h"
#include "mapper/mapping/tile.h"

/* ---- Names ------------------------------------------------------------------------------------------------- */

static void print_string(const char *text, FILE *file)
{
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', file);
		if (*text == '\n')
			fputs("\\n", file);
		else if (*text == '\t')
			fputs("\\t", file);
		else
			putc(*text, file);
	}
	putc('"', file);
}

static void print_layer(const char *name, FILE *file)
{
	if (scan_is_plain_path(name))
		fputs(name, file);
	else
		print_string(name, file);
}

/* ---- What a memory keeps ------------------------------------------------------------------------------------ */

static void print_operands(const struct mapping *m, unsigned operands, FILE *file)
{
	bool is_first = true;

	for (int o = 0; o < m->problem->operands; o++) {
		if (!(operands >> o & 1))
			continue;
		fprintf(file, "%s %s", is_first ? "" : ",", operand_name(m->problem, o));
		is_first = false;
	}
}

/* "16 + 8 = 24 of 224 words"; where tensors have rooms of their own, "I 16 of 24, O 8 of 12 words". */
static void print_occupancy(const struct mapping *m, int level, FILE *file)
{
	const struct level *l = &m->machine->level[level];
	int64_t extent[MAX_DIMS], sum = 0;
	int kept = 0;

	tile_box(m, tile_first_loop(m, level), extent);
	fputs("  //", file);
	for (int o = 0; o < m->problem->operands; o++) {
		int64_t words, room = l->class_words[m->problem->operand[o].class] / l->buffers;
		if (!(m->keep[level] >> o & 1))
			continue;
		words = tile_words(&m->problem->operand[o], m->problem->dims, extent);
		if (__builtin_add_overflow(sum, words, &sum))
			sum = INT64_MAX;
		if (room > 0)
			fprintf(file, "%s %s %" PRId64 " of %" PRId64, kept++ ? "," : "",
				operand_name(m->problem, o), words, room);
		else
			fprintf(file, "%s %" PRId64, kept++ ? " +" : "", words);
	}
	if (kept > 1 && l->words > 0)
		fprintf(file, " = %" PRId64, sum);
	if (l->words > 0)
		fprintf(file, " of %" PRId64, l->words / l->buffers);
	fprintf(file, " words%s\n", l->buffers > 1 ? " in each of two buffers" : "");
}

static void print_keep(const struct mapping *m, int level, FILE *file)
{
	const struct level *l = &m->machine->level[level];
	unsigned bypassed = 0;

	for (int o = 0; o < m->problem->operands; o++)
		if (!(m->keep[level] >> o & 1) && (l->may_keep >> m->problem->operand[o].class & 1))
			bypassed |= 1u << o;
	if (m->keep[level]) {
		fprintf(file, "\t%s: keep", l->name);
		print_operands(m, m->keep[level], file);
		print_occupancy(m, level, file);
	}
	if (bypassed) {
		fprintf(file, "\t%s: bypass", l->name);
		print_operands(m, bypassed, file);
		putc('\n', file);
	}
}

/* ---- Loops --------------------------------------------------------------------------------------------------- */

/* `for k in 96 step 16`: 96 are left outside, 16 stay inside. A step of 1 is not said. */
static void print_time(const struct mapping *m, int i, FILE *file)
{
	const struct mapped_loop *l = &m->loop[i];

	fprintf(file, "\t%s: for %s in %" PRId64, m->machine->level[l->level].name,
		m->problem->dim[l->dim], tile_left(m, i));
	if (l->tile > 1)
		fprintf(file, " step %" PRId64, l->tile);
	putc('\n', file);
}

/* `parallel r over row in 3`: three units. A step is said where even shares would be smaller. */
static void print_space(const struct mapping *m, int i, FILE *file)
{
	const struct mapped_loop *l = &m->loop[i];
	const struct level *level = &m->machine->level[l->level];
	int64_t steps = tile_steps(m, i), left = tile_left(m, i);

	fprintf(file, "\t%s: parallel %s", level->array, m->problem->dim[l->dim]);
	if (level->axes > 1)
		fprintf(file, " over %s", level->axis[l->axis]);
	fprintf(file, " in %" PRId64, steps);
	if (l->tile != left / steps + (left % steps > 0))
		fprintf(file, " step %" PRId64, l->tile);
	putc('\n', file);
}

void mapping_print(const struct mapping *m, FILE *file)
{
	int i = 0;

	fputs("map ", file);
	print_layer(m->problem->name, file);
	fprintf(file, " on %s {\n", m->machine->name);
	for (int level = 0; level < m->machine->levels; level++) {
		print_keep(m, level, file);
		for (; i < m->loops && m->loop[i].level == level; i++) {
			if (m->loop[i].kind == LOOP_TIME)
				print_time(m, i, file);
			else
				print_space(m, i, file);
		}
	}
	fputs("}\n", file);
}
