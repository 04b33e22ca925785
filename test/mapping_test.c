/* mapping_test.c -- docs/language.md 5: what is printed of a mapping is read back, and what does not fit is told. */
#include <criterion/criterion.h>

#include "mapper/cost/cost.h"
#include "mapper/mapping/fit.h"
#include "mapper/mapping/tile.h"
#include "mapping_fixture.h"

static struct mapping *read(struct desk *d, const char *text, const struct problem *p)
{
	const struct tree_item *item;

	program_add(d->program, "test.map", text, strlen(text));
	item = d->program->tree[d->program->tree_count - 1]->item;
	cr_assert(item && item->kind == ITEM_MAPPING, "no mapping:\n%s", text);
	return mapping_read(d->program, item, p, d->machine);
}

/* ---- Print, read, print ---------------------------------------------------------------------------------------- */

/* Room for any mapping: arrays of one axis and two, an array in an array, lanes, memories of all kinds. */
static const char roomy[] =
	"machine roomy {\n clock 1 GHz\n memory dram { }\n"
	" memory glb { size 9 GiB  keeps I, O  buffers 2 }\n"
	" array pe[4, 7] {\n"
	"  array part[3] {\n"
	"   memory rf { size I 9 Mwords  size W 9 Mwords  size O 9 Mwords  holds W }\n"
	"   memory acc { size 9 Mwords  keeps O }\n"
	"   mac { lanes 5 }\n"
	"  }\n }\n}\n";

static void add_random_loops(struct mapping *m, int level, enum loop_kind kind, int64_t left[],
			     uint64_t *random)
{
	const struct level *l = &m->machine->level[level];
	int64_t room[MAX_AXES] = {l->fanout[0], l->fanout[1]};
	int64_t loops = below(random, 4);

	for (int64_t i = 0; i < loops; i++) {
		int d = (int)below(random, m->problem->dims);
		int axis = kind == LOOP_SPACE ? (int)below(random, l->axes) : 0;
		int64_t tile = 1 + below(random, left[d]);
		int64_t steps = (left[d] + tile - 1) / tile;
		if (kind == LOOP_SPACE && steps > room[axis])
			continue;
		if (kind == LOOP_SPACE)
			room[axis] /= steps;
		m->loop[m->loops++] = (struct mapped_loop){kind, level, axis, d, tile};
		left[d] = tile;
	}
}

static void make_random(struct mapping *m, uint64_t *random)
{
	int64_t left[MAX_DIMS];
	int last = m->machine->levels - 1;

	memcpy(left, m->problem->extent, sizeof left);
	for (int level = 0; level <= last; level++) {
		const struct level *l = &m->machine->level[level];
		for (int o = 0; o < m->problem->operands; o++) {
			enum tensor_class class = m->problem->operand[o].class;
			bool is_kept = (l->must_keep >> class & 1) || below(random, 2);
			m->keep[level] |= is_kept && (l->may_keep >> class & 1) ? 1u << o : 0;
		}
		if (l->is_memory)
			add_random_loops(m, level, LOOP_TIME, left, random);
		for (int d = 0; level == last && d < m->problem->dims; d++)
			if (left[d] > 1)
				m->loop[m->loops++] =
					(struct mapped_loop){LOOP_TIME, level, 0, d, 1};
		if (l->array && level < last)
			add_random_loops(m, level, LOOP_SPACE, left, random);
	}
}

static bool is_same(const struct mapping *a, const struct mapping *b)
{
	if (memcmp(a->keep, b->keep, sizeof a->keep) != 0 || a->loops != b->loops)
		return false;
	for (int i = 0; i < a->loops; i++)
		if (a->loop[i].kind != b->loop[i].kind || a->loop[i].level != b->loop[i].level ||
		    a->loop[i].axis != b->loop[i].axis || a->loop[i].dim != b->loop[i].dim ||
		    a->loop[i].tile != b->loop[i].tile)
			return false;
	return true;
}

Test(mapping, what_is_printed_is_read_back)
{
	enum { TRIALS = 5000 };
	struct desk d = desk_with(roomy);
	uint64_t random = 20260101;
	int parts = 0;

	for (int trial = 0; trial < TRIALS; trial++) {
		struct problem p = convolution(2 + below(&random, 40), 2 + below(&random, 20),
					       2 + below(&random, 15), 2 + below(&random, 15),
					       2 + below(&random, 5));
		struct mapping m = {.problem = &p, .machine = d.machine}, *again;
		const char *text, *why;
		make_random(&m, &random);
		text = print(&d, &m);
		again = read(&d, text, &p);
		cr_assert_not_null(again, "trial %d: %s\n%s", trial, d.diag->finding[0].message,
				   text);
		cr_assert(is_same(&m, again), "trial %d is another mapping:\n%s", trial, text);
		cr_assert_str_eq(print(&d, again), text);
		cr_assert(mapping_fits(d.arena, &m, &why), "trial %d: %s", trial, why);
		for (int i = 0; i < m.loops; i++)
			parts += tile_left(&m, i) % m.loop[i].tile != 0;
	}
	cr_expect_gt(parts, TRIALS / 10, "steps that are parts: %d", parts);
	arena_free(d.arena);
}

static const char small[] =
	"machine small {\n clock 1 GHz\n memory dram { }\n memory glb { size 400 words  keeps I, O "
	"}\n"
	" array pe[3, 4] { memory spad { size W 30 words  size O 4 words }\n mac { } }\n}\n";

/* As a person writes it, and as it is printed. */
Test(mapping, a_mapping_is_printed_with_how_full_each_memory_is)
{
	static const char printed[] = "map c1 on small {\n"
				      "\tdram: keep I, W, O  // 525 + 120 + 392 words\n"
				      "\tdram: for k in 8 step 2\n"
				      "\tglb: keep O  // 98 of 400 words\n"
				      "\tglb: bypass I\n"
				      "\tglb: for p in 7 step 4\n"
				      "\tpe: parallel r over row in 3\n"
				      "\tpe: parallel p over column in 2\n"
				      "\tspad: keep W  // W 10 of 30 words\n"
				      "\tspad: bypass O\n"
				      "\tspad: for c in 5\n"
				      "\tspad: for q in 7\n"
				      "\tspad: for p in 2\n"
				      "\tspad: for k in 2\n"
				      "}\n";
	struct desk d = desk_with(small);
	struct problem p = convolution(8, 5, 7, 7, 3);
	struct mapping *m;

	m = read(&d,
		 "map c1 on small {\n dram: for n\n dram: for k in 2 * 4 step 2\n glb: bypass I\n"
		 " glb: for p step 4\n glb: order p\n pe: parallel r over row\n"
		 " pe: parallel p over column in 2\n spad: bypass O\n"
		 " spad: for c in 5; spad: for q; spad: for p; spad: for k\n}\n",
		 &p);
	cr_assert_not_null(m, "%s", d.diag->count ? d.diag->finding[0].message : "");
	cr_expect_str_eq(print(&d, m), printed);
	arena_free(d.arena);
}

/* ---- What is wrong ------------------------------------------------------------------------------------------------ */

#define MAP(clauses) "map c1 on small {\n" clauses "\n}\n"
/* All that a whole mapping needs behind a first clause. */
#define REST                                                                                       \
	"\n spad: bypass O\n spad: for k\n spad: for c\n spad: for p\n spad: for q\n spad: for r"
#define GLB "\n glb: bypass I\n spad: bypass W, O"

static const struct {
	const char *text, *code, *message;
	const char *at;    /* the text that the error marks */
	const char *label; /* or NULL */
} wrong[] = {
	/* names */
	{MAP("dran: for k" REST), "unknown-name", "no memory of machine 'small' called 'dran'; did",
	 "dran", NULL},
	{MAP("pee: parallel k over row in 3" REST), "unknown-name", "did you mean 'pe'", "pee",
	 NULL},
	{MAP("pe: for k" REST), "bad-mapping", "'pe' is an array", "pe", NULL},
	{MAP("glb: parallel k over row" REST), "bad-mapping", "'glb' is a memory", "glb", NULL},
	{MAP("dram: for kk in 8" REST), "unknown-name", "no loop of 'c1' called 'kk'; did you",
	 "kk", NULL},
	{MAP("dram: for z in 8" REST), "unknown-name", "no loop of 'c1' called 'z'", "z", NULL},
	{MAP("glb: keep I, X" REST), "unknown-name", "no tensor of 'c1' called 'X'", "X", NULL},
	{MAP("pe: parallel k over raw in 3" REST), "unknown-name", "did you mean 'row'", "raw",
	 NULL},
	{"map c1 on tiny {" REST "\n}\n", "bad-mapping", "onto 'tiny', and the machine is 'small'",
	 "tiny", NULL},
	/* numbers */
	{MAP("dram: for k in 9" REST), "out-of-range", "9 is more than the 8 that are left of k",
	 "9", NULL},
	{MAP("dram: for k in 4" REST), "bad-mapping", "walks 4 of k, and 8 are left", "4", "in 8"},
	{MAP("dram: for k in 8 step 9" REST), "out-of-range", "9 is more than the 8", "9", NULL},
	{MAP("dram: for k in 8 step 0" REST), "out-of-range", "from 1", "0", NULL},
	{MAP("dram: for k in 8 step -1" REST), "out-of-range", "from 1", "-1", NULL},
	{MAP("dram: for k in 2.5" REST), "not-an-integer", "whole numbers", "2.5", NULL},
	{MAP("dram: for k in 9 / 2" REST), "not-an-integer", "whole numbers", "9 / 2", NULL},
	{MAP("dram: for k in 2 * 9007199254740991 * 9007199254740991" REST), "not-an-integer",
	 "whole numbers", "2 * 9007199254740991 * 9007199254740991", NULL},
	{MAP("dram: for n in 2" REST), "out-of-range", "2 is more than the 1 that are left of n",
	 "2", NULL},
	{MAP("dram: for k in 8 step 4\n glb: for k in 8" REST), "out-of-range", "more than the 4",
	 "8", NULL},
	{MAP("pe: parallel k over row in 3 step 2" REST), "bad-mapping",
	 "8 of k in shares of 2 are for 4 units, and not for 3", "3", NULL},
	/* places */
	{MAP("glb: for k step 4\n dram: for k" REST), "bad-mapping", "'dram' lies outside of 'glb'",
	 "dram", NULL},
	{MAP("pe: parallel k over row in 2\n glb: for k" REST), "bad-mapping",
	 "'glb' lies outside of 'pe'", "glb", NULL},
	{MAP("pe: parallel k in 2" REST), "bad-mapping", "has two axes: say 'over row' or",
	 "pe: parallel k in 2", NULL},
	{MAP("dram: for k step 4\n spad: bypass O\n spad: for c\n spad: for p\n spad: for q\n"
	     " spad: for r"),
	 "bad-mapping", "what this one leaves of k, 4", "dram: for k step 4", NULL},
	{MAP("spad: bypass O\n spad: for k\n spad: for c\n spad: for p\n spad: for q"),
	 "bad-mapping", "no loop walks r, which is 3", "c1", NULL},
	{MAP("spad: for c step 2" REST "\n spad: order p, c"), "bad-mapping",
	 "c stands inside of p here, and the loops stand the other way", "c", NULL},
	{MAP("dram: for k, c" REST), "bad-mapping", "a line of a whole mapping is one loop", "c",
	 NULL},
	{MAP("spad: stationary W" REST), "bad-mapping", "'stationary' is for dataflows",
	 "spad: stationary W", NULL},
	/* what is kept */
	{MAP("glb: keep I, W" REST), "bad-mapping", "memory 'glb' does not keep W", "W", NULL},
	{MAP("glb: keep I\n glb: bypass I" REST), "repeated-name", "already", "I", NULL},
	{MAP("dram: bypass I" REST), "bad-mapping", "the outermost keeps all", "I", NULL},
	{MAP("dram: keep I, O" REST), "bad-mapping", "memory 'dram' holds W", "dram: keep I, O",
	 NULL},
	/* room: 8 x 7 x 7 outputs are 392 words; 5 x 15 x 7 inputs 525 */
	{MAP("glb: keep I\n spad: bypass W, O\n glb: for k; glb: for c in 5; spad: for p; spad: "
	     "for q; "
	     "spad: for r"),
	 "does-not-fit", "a tile of 5x15x7 = 525 words of I does not fit memory 'glb' (400 words)",
	 "p", "the largest that fits is p = 5"},
	{MAP("dram: for c step 4\n glb: keep I, O\n glb: for k in 8; spad: bypass W, O; spad: for "
	     "p\n"
	     " spad: for q\n spad: for r\n spad: for c in 4"),
	 "does-not-fit",
	 "tiles of 4x15x7 = 420 words of I, 8x7x7 = 392 words of O, 812 in all, do not fit memory "
	 "'glb' (400 words)",
	 "p", "the largest that fits is p = 3"},
	{MAP("glb: bypass I, O\n spad: keep W\n spad: for k in 8; spad: for c; spad: for p; spad: "
	     "for q; "
	     "spad: for r"),
	 "does-not-fit", "a tile of 8x5x3 = 120 words of W does not fit memory 'spad' (30 words)",
	 "k in 8", "the largest that fits is k = 2"},
	/* fan-out */
	{MAP("glb: bypass I, O\n pe: parallel k over row in 4\n spad: bypass W, O\n spad: for k in "
	     "2\n"
	     " spad: for c; spad: for p; spad: for q; spad: for r"),
	 "does-not-fit", "4 units over row do not fit array 'pe', which has 3", "k over row in 4",
	 "the largest that fits is k = 3"},
	{MAP("glb: bypass I, O\n pe: parallel k over row in 2\n pe: parallel c over row in 3\n"
	     " spad: bypass W, O\n spad: for c in 2; spad: for k in 4; spad: for p; spad: for q; "
	     "spad: for r"),
	 "does-not-fit", "6 units over row do not fit array 'pe', which has 3", "c over row in 3",
	 "the largest that fits is c = 1"},
};

Test(mapping, what_is_wrong_is_told_where_it_stands)
{
	struct desk d = desk_with(small);
	struct problem p = convolution(8, 5, 7, 7, 3);

	for (size_t row = 0; row < sizeof wrong / sizeof *wrong; row++) {
		struct mapping *m;
		const struct finding *f;
		d.diag->count = d.diag->errors = 0;
		m = read(&d, wrong[row].text, &p);
		cr_expect_null(m, "row %zu is accepted", row);
		cr_assert_geq(d.diag->count, 1, "row %zu says nothing", row);
		f = &d.diag->finding[0];
		cr_expect_str_eq(f->code, wrong[row].code, "row %zu: %s: %s", row, f->code,
				 f->message);
		cr_expect(strstr(f->message, wrong[row].message), "row %zu: %s", row, f->message);
		cr_expect(f->span.end - f->span.begin == strlen(wrong[row].at) &&
				  strncmp(f->span.source->text + f->span.begin, wrong[row].at,
					  strlen(wrong[row].at)) == 0,
			  "row %zu: at '%.*s'", row, (int)(f->span.end - f->span.begin),
			  f->span.source->text + f->span.begin);
		cr_expect_eq(d.diag->errors, 1, "row %zu: %d errors", row, d.diag->errors);
		cr_expect(wrong[row].label ? f->label && strcmp(f->label, wrong[row].label) == 0
					   : !f->label,
			  "row %zu: label '%s'", row, f->label ? f->label : "");
	}
	arena_free(d.arena);
}

/* STYLE: a layer of 96 channels of 27 x 27 on the buffer of Eyeriss. */
Test(mapping, a_tile_that_does_not_fit_says_how_much_would)
{
	struct desk d = desk_with("machine m {\n clock 1 GHz\n memory dram { }\n"
				  " memory glb { size 108 KiB  keeps I, O }\n mac { }\n}\n");
	struct problem p = convolution(96, 2, 27, 27, 2);
	struct mapping m = {.problem = &p, .machine = d.machine, .keep = {7, 1 << CLASS_O}};
	const char *why = NULL;

	for (int dim = 0; dim < DIMS; dim++)
		m.loop[m.loops++] = (struct mapped_loop){LOOP_TIME, 1, 0, dim, 1};
	cr_expect_not(mapping_fits(d.arena, &m, &why));
	cr_expect_str_eq(why,
			 "a tile of 96x27x27 = 69984 words of O does not fit memory 'glb' (55296 "
			 "words); the largest that fits is k = 75");
	p = convolution(75, 2, 27, 27, 2);
	cr_expect(mapping_fits(d.arena, &m, &why), "%s", why);
	d.machine->level[1].buffers = 2;
	cr_expect_not(mapping_fits(d.arena, &m, &why));
	cr_expect_str_eq(
		why, "a tile of 75x27x27 = 54675 words of O does not fit memory 'glb' (27648 words "
		     "in each of two buffers); the largest that fits is k = 37");
	/* no extent of one dimension is enough */
	d.machine->level[1].words = 40;
	cr_expect_not(mapping_fits(d.arena, &m, &why));
	cr_expect(!strstr(why, "largest"), "%s", why);
	arena_free(d.arena);
}
