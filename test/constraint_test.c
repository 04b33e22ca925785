/* constraint_test.c -- docs/language.md 5.2 and 5.3: what dataflows and partial mappings leave open, and what cannot hold
 * together. */
#include "mapper/cost/cost.h"
#include "mapper/mapping/constraint.h"
#include "mapper/mapping/tile.h"
#include "mapping_fixture.h"
#include "nest_fixture.h"

/* ---- Reading ------------------------------------------------------------------------------------------------- */

struct said {
	bool is_read;
	struct constraint c;
	struct constraint_origin origin;
};

/* The constraint of the machine's dataflow and of a map, which may be NULL. */
static struct said constrain(struct desk *d, const char *map, const struct problem *p,
			     bool imperfect)
{
	const struct tree_item *item = NULL;
	struct said s = {0};

	if (map) {
		program_add(d->program, "test.map", map, strlen(map));
		item = d->program->tree[d->program->tree_count - 1]->item;
		cr_assert(item && item->kind == ITEM_MAPPING, "no mapping:\n%s", map);
	}
	s.is_read = constraint_read(d->program, d->block, item, p, d->machine, imperfect, &s.c,
				    &s.origin);
	return s;
}

/* A machine with this dataflow: `dram`, `glb` without W, an array of 3 x 4 of `spad` for W, O and `reg` for I. */
#define SMALL(property)                                                                            \
	"machine small {\n clock 1 GHz\n" property " memory dram { }\n"                            \
	" memory glb { size 400 words  keeps I, O  holds O }\n"                                    \
	" array pe[3, 4] {\n  memory spad { size W 30 words  size O 4 words }\n"                   \
	"  memory reg { size 8 words  keeps I }\n  mac { } }\n}\n"
#define OWN(clauses) SMALL(" dataflow own\n") "dataflow own {\n" clauses "\n}\n"
#define NAMED(name) SMALL(" dataflow " name "\n")
#define MAP(clauses) "map c1 on small {\n" clauses "\n}\n"

enum { DRAM, GLB, SPAD, REG };

/* ---- What is wrong ------------------------------------------------------------------------------------------------ */

/* Of a convolution with k = 8, c = 5, p = 6, q = 7, r = 3. */
static const struct {
	const char *machine, *map, *code, *message;
	const char *at,
		*note; /* the texts that the error and its first note mark; NULL: there is no note */
} wrong[] = {
	/* kept and bypassed */
	{OWN("glb: keep I\n glb: bypass I"), NULL, "bad-mapping",
	 "I cannot bypass memory 'glb', which keeps it", "I", "I"},
	{OWN("glb: keep I"), MAP("glb: bypass I"), "bad-mapping", "I cannot bypass", "I", "I"},
	{OWN("glb: bypass I"), MAP("glb: keep I"), "bad-mapping", "I is not kept by memory 'glb'",
	 "I", "I"},
	{OWN("glb: keep W"), NULL, "bad-mapping", "W is not kept by memory 'glb'", "W",
	 "keeps I, O"},
	{SMALL(), MAP("glb: bypass O"), "bad-mapping", "O cannot bypass memory 'glb'", "O",
	 "holds O"},
	{SMALL(), MAP("dram: bypass W"), "bad-mapping", "the outermost keeps all", "W", NULL},
	{SMALL(), MAP("glb: keep I, I"), "repeated-name", "already", "I", NULL},
	{NAMED("no_local_reuse"), MAP("spad: keep W"), "bad-mapping", "W is not kept by", "W",
	 "dataflow no_local_reuse"},
	{NAMED("weight_stationary"), MAP("spad: bypass W"), "bad-mapping", "which keeps it", "W",
	 "dataflow weight_stationary"},
	/* names */
	{SMALL(), MAP("glb: keep X"), "unknown-name", "no tensor of 'c1' called 'X'", "X", "X"},
	{OWN("glb: keep X"), NULL, "unknown-name", "no tensor of 'c1' called 'X'", "X", "X"},
	{SMALL(), MAP("glb: for z"), "unknown-name", "no loop of 'c1' called 'z'", "z", "z"},
	{OWN("gbl: keep I, O"), NULL, "unknown-name", "did you mean 'glb'", "gbl", NULL},
	{OWN("pe: for k"), NULL, "bad-mapping", "'pe' is an array", "pe", NULL},
	{OWN("glb: parallel k"), NULL, "bad-mapping", "'glb' is a memory", "glb", NULL},
	{OWN("array: for k"), NULL, "bad-mapping", "'array' is the array", "array", NULL},
	{OWN("inside: parallel k"), NULL, "bad-mapping", "'inside' is a memory", "inside", NULL},
	{OWN("innermost: order k"), NULL, "bad-mapping", "for each tensor", "innermost", NULL},
	{SMALL(), MAP("inside: keep W"), "unknown-name", "no memory of machine 'small'", "inside",
	 "inside"},
	{OWN("pe: parallel k over raw"), NULL, "unknown-name", "did you mean 'row'", "raw", NULL},
	{OWN("pe: parallel k in 3"), NULL, "bad-mapping", "has two axes", "pe: parallel k in 3",
	 NULL},
	{SMALL(), "map c1 on tiny { }", "bad-mapping", "onto 'tiny'", "tiny", NULL},
	/* numbers */
	{OWN("pe: parallel k over column in 8"), NULL, "does-not-fit",
	 "8 units over column do not fit array 'pe', which has 4", "8", "array pe"},
	{OWN("pe: parallel k over column in 2\n pe: parallel c over column in 5"), NULL,
	 "does-not-fit", "5 units over column", "5", "array pe"},
	{OWN("pe: parallel k over column in 2\n pe: parallel p over column in 3"), NULL,
	 "does-not-fit", "6 units over column do not fit array 'pe', which has 4",
	 "pe: parallel p over column in 3", "pe: parallel k over column in 2"},
	{OWN("pe: parallel k over column in 2\n pe: parallel k over row in 2"), NULL, "bad-mapping",
	 "along one axis of array 'pe'", "pe: parallel k over row in 2",
	 "pe: parallel k over column in 2"},
	{OWN("spad: for k in 16"), NULL, "out-of-range", "16 is more than k has: 8", "16", NULL},
	{OWN("spad: for k in 3"), NULL, "bad-mapping", "3 steps do not divide what k has, 8",
	 "spad: for k in 3", NULL},
	{OWN("glb: for k in 4\n spad: for k in 4"), NULL, "bad-mapping",
	 "4 steps do not divide what k has, 8", "spad: for k in 4", "glb: for k in 4"},
	{OWN("glb: for k in 4"), MAP("glb: for k in 2"), "bad-mapping",
	 "a loop over k at memory 'glb' cannot have 4 steps and 2", "glb: for k in 2",
	 "glb: for k in 4"},
	{OWN("glb: for k in 4\n glb: for k in 4"), NULL, "repeated-name",
	 "k is named at memory 'glb' already", "k", "glb: for k in 4"},
	{OWN("pe: parallel k\n pe: parallel k over row in 2"), NULL, "repeated-name",
	 "k is named over row of array 'pe' already", "k", "pe: parallel k"},
	{SMALL(), MAP("glb: for k step 2"), "bad-mapping", "how much is left of k here is not said",
	 "2", NULL},
	{SMALL(), MAP("dram: for k step 3"), "bad-mapping", "8 of k in steps of 3 are not whole",
	 "3", NULL},
	{SMALL(), MAP("dram: for k in 8 step 2\n glb: for k in 8 step 2"), "bad-mapping",
	 "walks 8 of k, and 2 are left", "8", NULL},
	{SMALL(), MAP("dram: for k in 4 step 2"), "bad-mapping", "8 are left", "4", NULL},
	{SMALL(), MAP("dram: for n in 2"), "out-of-range", "n of this layer is 1", "2", NULL},
	{SMALL(), MAP("dram: for k, c in 2"), "bad-mapping", "a line with numbers is of one loop",
	 "dram: for k, c in 2", NULL},
	{SMALL(), MAP("dram: for k in 0"), "out-of-range", "from 1", "0", NULL},
	{SMALL(), MAP("dram: for k in 2.5"), "not-an-integer", "whole numbers", "2.5", NULL},
	/* loops that may not stand where they are said */
	{OWN("pe: parallel r over row"), MAP("pe: parallel k over row in 2"), "bad-mapping",
	 "no loop over k may stand over row of array 'pe'", "pe: parallel k over row in 2",
	 "pe: parallel r over row"},
	{OWN("spad: for k in 2\n spad: for c"), MAP("spad: for c"), "bad-mapping",
	 "this leaves no loop over k at memory 'spad', which has 2 steps", "spad: for c",
	 "spad: for k in 2"},
	{NAMED("row_stationary"), MAP("pe: parallel q over column in 7"), "does-not-fit",
	 "7 units over column", "7", "array pe"},
	{NAMED("row_stationary"), MAP("pe: parallel p over row"), "bad-mapping",
	 "no loop over p may stand over row of array 'pe'", "pe: parallel p over row",
	 "dataflow row_stationary"},
	{OWN("dram: for c, k, p, r; glb: for c, k, p, r; spad: for c, k, p, r; reg: for c, k, p, "
	     "r\n"
	     "pe: parallel k"),
	 NULL, "bad-mapping", "no place for a loop over the last 7 of q", "pe: parallel k",
	 "dram: for c, k, p, r"},
	{SMALL(),
	 MAP("dram: for p in 3\n glb: for k, c, r, q\n spad: for k\n reg: for k\n"
	     " pe: parallel k"),
	 "bad-mapping", "no place for a loop over the last 2 of p", "dram: for p in 3",
	 "glb: for k, c, r, q"},
	/* orders */
	{OWN("spad: order c, k\n spad: order k, c"), NULL, "bad-mapping",
	 "the loops over k and c at memory 'spad' cannot stand", "spad: order k, c",
	 "spad: order c, k"},
	{OWN("spad: order c\n spad: order k"), NULL, "bad-mapping", "cannot stand", "spad: order k",
	 "spad: order c"},
	{OWN("spad: order c, c"), NULL, "repeated-name", "stands twice", "c", NULL},
	{OWN("spad: for k\n spad: for c"), MAP("spad: order c, k"), "bad-mapping", "cannot stand",
	 "spad: order c, k", "spad: for c"},
	{OWN("spad: for k\n spad: for c, p"), NULL, "bad-mapping",
	 "the line of several is the first", "spad: for c, p", NULL},
	/* three lines in a circle */
	{OWN("glb: order k, c"), MAP("glb: for c; glb: for p; glb: for k"), "bad-mapping",
	 "cannot stand", "glb: for k", "glb: order k, c"},
	/* what stays */
	{OWN("dram: for q\n spad: stationary W"), NULL, "bad-mapping",
	 "W does not stay while a loop over q stands at memory 'dram'", "spad: stationary W",
	 "dram: for q"},
	{NAMED("weight_stationary"), MAP("dram: for q"), "bad-mapping",
	 "no loop over q may stand at memory 'dram'", "dram: for q", "dataflow weight_stationary"},
	{OWN("spad: stationary W, O"), NULL, "bad-mapping", "those of one tensor",
	 "spad: stationary W, O", "spad: stationary W, O"},
	{OWN("spad: stationary W\n glb: order k"), NULL, "bad-mapping", "cannot stand",
	 "glb: order k", "spad: stationary W"},
	{OWN("reg: stationary W"), NULL, "bad-mapping", "W is not kept by memory 'reg'",
	 "reg: stationary W", "keeps I"},
	{"machine small { clock 1 GHz; memory dram { }; mac { }; dataflow weight_stationary }",
	 NULL, "bad-mapping", "no memory inside of 'dram' is said to keep W",
	 "dataflow weight_stationary", NULL},
	{"machine small { clock 1 GHz; memory dram { }; array cell[4] { mac { } }; dataflow "
	 "row_stationary }",
	 NULL, "unknown-name", "no axis of array 'cell' called 'column'", "dataflow row_stationary",
	 NULL},
};

static bool marks(struct span span, const char *text)
{
	size_t length = strlen(text);

	return span.source && span.end - span.begin == length &&
	       strncmp(span.source->text + span.begin, text, length) == 0;
}

Test(constraint, what_cannot_hold_together_is_told_at_both_places)
{
	struct problem p = convolution(8, 5, 6, 7, 3);

	for (size_t row = 0; row < sizeof wrong / sizeof *wrong; row++) {
		struct desk d = desk_with(wrong[row].machine);
		const struct finding *f;
		struct said s = constrain(&d, wrong[row].map, &p, false);
		cr_expect_not(s.is_read, "row %zu is accepted", row);
		cr_assert_geq(d.diag->count, 1, "row %zu says nothing", row);
		f = &d.diag->finding[0];
		cr_expect_str_eq(f->code, wrong[row].code, "row %zu: %s: %s", row, f->code,
				 f->message);
		cr_expect(strstr(f->message, wrong[row].message), "row %zu: %s", row, f->message);
		cr_expect(marks(f->span, wrong[row].at), "row %zu: at '%.*s'", row,
			  (int)(f->span.end - f->span.begin), f->span.source->text + f->span.begin);
		cr_expect_eq(d.diag->errors, 1, "row %zu: %d errors, %s", row, d.diag->errors,
			     d.diag->finding[d.diag->count - 1].message);
		if (wrong[row].note && d.diag->count > 1)
			cr_expect(
				d.diag->finding[1].severity == SEVERITY_NOTE &&
					marks(d.diag->finding[1].span, wrong[row].note),
				"row %zu: the note is at '%.*s'", row,
				(int)(d.diag->finding[1].span.end - d.diag->finding[1].span.begin),
				d.diag->finding[1].span.source->text +
					d.diag->finding[1].span.begin);
		cr_expect_eq(d.diag->count > 1, wrong[row].note != NULL, "row %zu: %d findings",
			     row, d.diag->count);
		arena_free(d.arena);
	}
}

/* ---- Which line is in the way --------------------------------------------------------------------------------------- */

/* The same convolution: no mapping obeys, and these lines are to be relaxed. */
static const struct {
	const char *machine, *map;
	const char *note[4]; /* what the notes mark */
	const char *first;   /* what the first one says, in part */
} relaxed[] = {
	/* 40 of W for 30: each of three lines makes it so many, another does not */
	{OWN("spad: keep W\n spad: for k in 8\n spad: for c in 5\n glb: keep I"),
	 NULL,
	 {"spad: keep W", "spad: for k in 8", "spad: for c in 5"},
	 "without this line there is a mapping"},
	{OWN("spad: keep W"),
	 MAP("spad: for k in 8\n spad: for c in 5\n dram: for p"),
	 {"spad: keep W", "spad: for k in 8", "spad: for c in 5"},
	 "without this line there is a mapping"},
	/* loops that may not stand outside stand inside */
	{OWN("spad: keep O\n dram: for c, p, q, r, s\n glb: for c, p, q, r, s\n pe: parallel c"),
	 NULL,
	 {"spad: keep O", "dram: for c, p, q, r, s", "glb: for c, p, q, r, s", "pe: parallel c"},
	 "without this line there is a mapping"},
	/* two memories are too small */
	{OWN("spad: keep O\n spad: for k in 8\n reg: keep I\n reg: for c in 5\n reg: for r in 3"),
	 NULL,
	 {"spad: keep O", "reg: keep I"},
	 "there is a mapping without 2 lines together, this line"},
	/* a dataflow of the library is one line */
	{NAMED("output_stationary"),
	 MAP("spad: for k in 8"),
	 {"dataflow output_stationary", "spad: for k in 8"},
	 "without this dataflow there is a mapping"},
	/* without this one, the other would have an error of its own */
	{OWN("dram: for k in 1\n spad: keep O"),
	 MAP("glb: for k in 8 step 8\n spad: for k in 8"),
	 {"spad: keep O", "spad: for k in 8"},
	 "without this line there is a mapping"},
	/* a machine that is too small in any case */
	{"machine small { clock 1 GHz; memory dram { }; memory r { size 2 words holds I, W, O }\n"
	 "mac { }; dataflow own }\ndataflow own { dram: for k }",
	 NULL,
	 {NULL},
	 NULL},
	/* what has a mapping has no line in the way */
	{OWN("spad: keep W"), NULL, {NULL}, NULL},
};

Test(constraint, lines_without_which_there_is_a_mapping_are_told)
{
	struct problem p = convolution(8, 5, 6, 7, 3);

	for (size_t row = 0; row < sizeof relaxed / sizeof *relaxed; row++) {
		struct desk d = desk_with(relaxed[row].machine);
		struct said s = constrain(&d, relaxed[row].map, &p, false);
		const struct tree_item *map =
			relaxed[row].map ? d.program->tree[d.program->tree_count - 1]->item : NULL;
		int notes = 0;
		cr_assert(s.is_read, "row %zu: %s", row, d.diag->finding[0].message);
		diag_error(d.diag, "no-mapping", (struct span){0}, "of the layer");
		constraint_note_relaxed(d.program, d.block, map, &p, d.machine);
		while (notes < 4 && relaxed[row].note[notes])
			notes++;
		cr_expect_eq(d.diag->count, 1 + notes, "row %zu: %d findings", row, d.diag->count);
		cr_expect_eq(d.diag->errors, 1, "row %zu: %d errors", row, d.diag->errors);
		for (int i = 0; i < notes && i + 1 < d.diag->count; i++)
			cr_expect(marks(d.diag->finding[i + 1].span, relaxed[row].note[i]),
				  "row %zu: note %d marks '%.*s'", row, i,
				  (int)(d.diag->finding[i + 1].span.end -
					d.diag->finding[i + 1].span.begin),
				  d.diag->finding[i + 1].span.source->text +
					  d.diag->finding[i + 1].span.begin);
		if (notes > 0 && d.diag->count > 1)
			cr_expect(strstr(d.diag->finding[1].message, relaxed[row].first),
				  "row %zu: %s", row, d.diag->finding[1].message);
		arena_free(d.arena);
	}
}

/* ---- What clauses mean ----------------------------------------------------------------------------------------------- */

Test(constraint, loops_that_are_named_at_a_place_are_the_only_ones_there)
{
	struct desk d = desk_with(OWN("pe: parallel k over column\n pe: parallel r over row in 3\n"
				      "spad: for s, c\n spad: for q in 7\n spad: for p in 1\n"
				      "spad: keep W\n glb: bypass I"));
	struct problem p = convolution(8, 5, 7, 7, 3);
	struct said s = constrain(&d, NULL, &p, false);

	cr_assert(s.is_read, "%s", d.diag->finding[0].message);
	for (int dim = 0; dim < DIMS; dim++) {
		cr_expect_eq(s.c.space[GLB][0][dim], dim == R ? 3 : 1, "row, %s", p.dim[dim]);
		/* r is over the rows, so never over the columns */
		cr_expect_eq(s.c.space[GLB][1][dim], dim == K ? 0 : 1, "column, %s", p.dim[dim]);
		cr_expect_eq(s.c.time[SPAD][dim],
			     dim == C   ? 0
			     : dim == Q ? 7
					: 1,
			     "%s", p.dim[dim]);
		/* what is said of r and q is all that there is of them */
		cr_expect_eq(s.c.time[GLB][dim], dim == R || dim == Q ? 1 : 0, "%s", p.dim[dim]);
	}
	cr_expect_eq(s.c.order_count[SPAD], 1);
	cr_expect_eq(s.c.order[SPAD][0], Q, "q stands inside of c");
	cr_expect_eq(s.c.order_count[GLB], 0);
	cr_expect_eq(s.c.must_keep[SPAD], 1u << CLASS_W);
	cr_expect_eq(s.c.may_keep[SPAD], 1u << CLASS_W | 1u << CLASS_O);
	cr_expect_eq(s.c.may_keep[GLB], 1u << CLASS_O);
	cr_expect(marks(s.origin.time[SPAD][Q], "spad: for q in 7"));
	cr_expect(marks(s.origin.time[SPAD][K], "spad: for s, c"));
	cr_expect(marks(s.origin.space[GLB][0][K], "pe: parallel r over row in 3"));
	cr_expect(marks(s.origin.order[SPAD], "spad: for q in 7"));
	cr_expect(marks(s.origin.keep[SPAD][CLASS_W], "W"));
	cr_expect_null(s.origin.keep[SPAD][CLASS_O].source);
	cr_expect_null(s.origin.time[DRAM][K].source);
	arena_free(d.arena);
}

Test(constraint, a_map_is_on_top_of_the_dataflow)
{
	struct desk d = desk_with(OWN("pe: parallel k, c over column\n glb: order q"));
	struct problem p = convolution(8, 5, 7, 7, 3);
	struct said s = constrain(&d,
				  MAP("pe: parallel k over column in 4\n dram: for k step 4\n"
				      "dram: for c\n glb: order p, q"),
				  &p, false);

	cr_assert(s.is_read, "%s", d.diag->finding[0].message);
	cr_expect_eq(s.c.space[GLB][1][K], 4);
	cr_expect_eq(s.c.space[GLB][1][C], 1);
	cr_expect_eq(s.c.time[DRAM][K], 2);
	cr_expect_eq(s.c.time[DRAM][C], 0);
	cr_expect_eq(s.c.time[DRAM][P], 1);
	cr_expect_eq(s.c.time[SPAD][K], 1, "2 and 4 are all of k");
	cr_expect_eq(s.c.order_count[GLB], 2);
	cr_expect_eq(s.c.order[GLB][0], P);
	cr_expect_eq(s.c.order[GLB][1], Q);
	arena_free(d.arena);
}

/* ---- The named dataflows --------------------------------------------------------------------------------------------- */

static const char *const named[] = {"weight_stationary", "output_stationary", "input_stationary",
				    "row_stationary", "no_local_reuse"};

static const char *const layers[] = {
	"n c pr qs|k c r s|n k p q",       /* convolution */
	"n g c pr qs|g k c r s|n g k p q", /* in groups */
	"n g pr qs|g r s|n g p q",         /* depthwise */
	"n c|k c|n k",                     /* dense */
	"b m k|b k n|b m n",               /* matmul */
	"n c pr qs|n c p q",               /* pooling */
};

static struct problem layer_of(const char *notation)
{
	struct shape shape = {.stride = 1, .dilation = 1};
	struct problem p;

	for (int c = 0; c < LETTERS; c++)
		shape.extent[c] = c == 'r' || c == 's' ? 3 : 4;
	note_problem(&p, notation, &shape);
	return p;
}

static int dim_called(const struct problem *p, const char *name)
{
	for (int d = 0; d < p->dims; d++)
		if (strcmp(p->dim[d], name) == 0)
			return d;
	return -1;
}

/* Eyeriss as in examples/eyeriss.hw, with a dataflow. */
static struct desk eyeriss_with(const char *dataflow)
{
	static char text[1000];

	snprintf(text, sizeof text,
		 "machine eyeriss {\n clock 200 MHz  dataflow %s\n memory dram { }\n"
		 " memory glb { size 108 KiB  keeps I, O }\n array pe[12, 14] {\n"
		 "  memory ispad { size 12 words  keeps I }\n"
		 "  memory wspad { size 224 words  keeps W }\n"
		 "  memory pspad { size 24 words  keeps O }\n  mac { cost 1 } }\n}\n",
		 dataflow);
	return desk_with(text);
}

enum { ISPAD = 2, WSPAD, PSPAD };

/* The loops that do not index the tensor: at glb alone, inside; the others not in the spads outside of its own. */
static void expect_stationary(const struct said *s, const struct problem *p,
			      enum tensor_class class, int memory)
{
	int o = 0;

	while (o < p->operands && p->operand[o].class != class)
		o++;
	cr_expect_eq(s->c.stationary[GLB], o < p->operands ? o : -1, "%s", p->name);
	cr_expect_eq(s->c.stationary[DRAM], -1);
	for (int d = 0; o < p->operands && d < p->dims; d++) {
		bool indexes = p->operand[o].relevant >> d & 1;
		cr_expect_eq(s->c.time[DRAM][d], indexes ? 0 : 1, "%s %s", p->name, p->dim[d]);
		cr_expect_eq(s->c.time[GLB][d], 0, "%s %s", p->name, p->dim[d]);
		for (int l = ISPAD; l <= PSPAD; l++)
			cr_expect_eq(s->c.time[l][d], indexes && l < memory ? 1 : 0, "%s %s",
				     p->name, p->dim[d]);
		cr_expect_eq(s->c.space[GLB][0][d], 0);
	}
	if (o < p->operands)
		cr_expect_eq(s->c.must_keep[memory], 1u << o, "%s", p->name);
}

static void expect_rows(const struct said *s, const struct problem *p)
{
	for (int d = 0; d < p->dims; d++) {
		char name = p->dim[d][0];
		cr_expect_eq(s->c.space[GLB][0][d], strchr("qsp", name) ? 1 : 0, "%s %c", p->name,
			     name);
		cr_expect_eq(s->c.space[GLB][1][d], strchr("qsr", name) ? 1 : 0, "%s %c", p->name,
			     name);
		cr_expect_eq(s->c.time[DRAM][d], name == 's' ? 1 : 0, "%s %c", p->name, name);
		cr_expect_eq(s->c.time[GLB][d], name == 's' ? 1 : 0, "%s %c", p->name, name);
		for (int l = ISPAD; l <= PSPAD; l++)
			cr_expect_eq(s->c.time[l][d], 0, "%s %c", p->name, name);
	}
	cr_expect_eq(s->c.order_count[GLB], dim_called(p, "q") >= 0, "%s", p->name);
	if (dim_called(p, "q") >= 0)
		cr_expect_eq(s->c.order[GLB][0], dim_called(p, "q"), "%s", p->name);
	for (int o = 0; o < p->operands; o++)
		cr_expect_eq(s->c.must_keep[ISPAD + (int)p->operand[o].class], 1u << o, "%s",
			     p->name);
}

Test(constraint, each_named_dataflow_is_said_of_each_kind_of_layer)
{
	for (int f = 0; f < 5; f++)
		for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
			struct desk d = eyeriss_with(named[f]);
			struct problem p = layer_of(layers[i]);
			struct said s = constrain(&d, NULL, &p, false);
			cr_assert(s.is_read, "%s of %s: %s", named[f], layers[i],
				  d.diag->count ? d.diag->finding[0].message : "");
			if (f == 0)
				expect_stationary(&s, &p, CLASS_W, WSPAD);
			else if (f == 1)
				expect_stationary(&s, &p, CLASS_O, PSPAD);
			else if (f == 2)
				expect_stationary(&s, &p, CLASS_I, ISPAD);
			else if (f == 3)
				expect_rows(&s, &p);
			for (int l = ISPAD; f == 4 && l <= PSPAD; l++)
				cr_expect_eq(s.c.may_keep[l], 0);
			if (f == 4)
				cr_expect_neq(s.c.may_keep[GLB], 0);
			arena_free(d.arena);
		}
}

/* No layer contradicts the dataflow of a machine of the lectures. */
Test(constraint, the_dataflows_of_the_examples_are_said_of_each_kind_of_layer)
{
	static const char *const files[] = {"eyeriss.hw",  "tpu.hw",     "shidiannao.hw",
					    "envision.hw", "neuflow.hw", "nvdla.hw",
					    "scnn.hw",     "eyeriss2.hw"};

	for (size_t f = 0; f < sizeof files / sizeof *files; f++)
		for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
			struct arena *arena = arena_new(out_of_memory, NULL);
			char *text = arena_printf(arena, "import \"%s/examples/%s\"\n", SOURCE_DIR,
						  files[f]);
			struct desk d = desk_with(text);
			struct problem p = layer_of(layers[i]);
			struct said s = constrain(&d, NULL, &p, false);
			struct constraint all;
			constraint_free(&all, &p, d.machine);
			cr_expect(s.is_read, "%s of %s: %s", files[f], layers[i],
				  d.diag->count ? d.diag->finding[0].message : "");
			cr_expect(strcmp(layers[i], layers[0]) != 0 ||
					  memcmp(&all, &s.c, sizeof all) != 0,
				  "%s: its dataflow says nothing of a convolution", files[f]);
			arena_free(d.arena);
			arena_free(arena);
		}
}

/* ---- Mappings of the space ---------------------------------------------------------------------------------------------- */

/* A mapping of docs/mapper.md section 1, by its steps. */
struct draft {
	const struct problem *problem;
	const struct hierarchy *machine;
	unsigned keep[MAX_LEVELS];
	int64_t time[MAX_LEVELS][MAX_DIMS], space[MAX_LEVELS][MAX_DIMS];
	int axis[MAX_LEVELS][MAX_DIMS];
	int order[MAX_LEVELS][MAX_DIMS]; /* of the loops in time, the outer first */
};

static void add_loop(struct mapping *m, int64_t left[], struct mapped_loop loop, int64_t steps)
{
	loop.tile = left[loop.dim] / steps + (left[loop.dim] % steps > 0);
	if (steps > 1)
		m->loop[m->loops++] = loop;
	left[loop.dim] = loop.tile;
}

/* False where steps are not whole, in space more than once, or do not come to one. */
static bool make(const struct draft *t, struct mapping *m)
{
	int64_t left[MAX_DIMS];
	bool is_whole = true;
	int parts[MAX_DIMS] = {0};

	*m = (struct mapping){.problem = t->problem, .machine = t->machine};
	memcpy(left, t->problem->extent, sizeof left);
	memcpy(m->keep, t->keep, sizeof m->keep);
	for (int l = 0; l < t->machine->levels; l++) {
		for (int i = 0; i < t->problem->dims; i++) {
			int d = t->order[l][i];
			is_whole = is_whole && left[d] % t->time[l][d] == 0;
			add_loop(m, left, (struct mapped_loop){LOOP_TIME, l, 0, d, 0},
				 t->time[l][d]);
		}
		for (int a = 0; a < MAX_AXES; a++)
			for (int d = 0; d < t->problem->dims; d++) {
				int64_t before = left[d], units = t->space[l][d];
				if (t->axis[l][d] != a || units == 1)
					continue;
				add_loop(m, left, (struct mapped_loop){LOOP_SPACE, l, a, d, 0},
					 units);
				parts[d] += before % units != 0;
				is_whole = is_whole && (before + left[d] - 1) / left[d] == units;
			}
	}
	for (int d = 0; d < t->problem->dims; d++)
		is_whole = is_whole && left[d] == 1 && parts[d] <= 1;
	return is_whole;
}

static int64_t divisor(int64_t of, int64_t limit, uint64_t *random)
{
	int64_t count = 0, chosen = 1;

	for (int64_t i = 1; i <= of && i <= limit; i++)
		if (of % i == 0 && below(random, ++count) == 0)
			chosen = i;
	return chosen;
}

static void draw_steps(struct draft *t, int level, int64_t left[], bool imperfect, bool parted[],
		       uint64_t *random)
{
	const struct level *l = &t->machine->level[level];
	int64_t room[MAX_AXES] = {l->fanout[0], l->fanout[1]};

	for (int i = 0; i < t->problem->dims; i++) {
		int other = (int)below(random, i + 1);
		t->order[level][i] = t->order[level][other];
		t->order[level][other] = i;
	}
	for (int d = 0; d < t->problem->dims; d++) {
		t->time[level][d] = l->is_memory ? divisor(left[d], left[d], random) : 1;
		left[d] /= t->time[level][d];
		t->space[level][d] = 1;
		if (l->axes == 0)
			continue;
		int a = t->axis[level][d] = (int)below(random, l->axes);
		int64_t units = divisor(left[d], room[a], random);
		if (imperfect && !parted[d] && below(random, 2) && left[d] > 1) {
			int64_t wish = 1 + below(random, room[a] < left[d] ? room[a] : left[d]);
			int64_t tile = (left[d] + wish - 1) / wish;
			units = (left[d] + tile - 1) / tile;
		}
		parted[d] |= left[d] % units != 0;
		t->space[level][d] = units;
		left[d] = (left[d] + units - 1) / units;
		room[a] /= units;
	}
}

static void draw(struct draft *t, bool imperfect, uint64_t *random)
{
	int64_t left[MAX_DIMS];
	bool parted[MAX_DIMS] = {0};
	int last = t->machine->levels - 1;

	memcpy(left, t->problem->extent, sizeof left);
	for (int level = 0; level <= last; level++) {
		const struct level *l = &t->machine->level[level];
		t->keep[level] = 0;
		for (int o = 0; o < t->problem->operands; o++) {
			enum tensor_class class = t->problem->operand[o].class;
			bool must = level == 0 || (l->must_keep >> class & 1);
			bool may = level == 0 || (l->may_keep >> class & 1);
			t->keep[level] |= must || (may && below(random, 2)) ? 1u << o : 0;
		}
		draw_steps(t, level, left, imperfect, parted, random);
	}
	/* what is left goes to the outermost: whole steps there change nothing further in */
	for (int d = 0; d < t->problem->dims; d++)
		for (int level = last; left[d] > 1 && level >= 0; level--)
			if (t->machine->level[level].is_memory &&
			    t->machine->level[level].axes == 0) {
				t->time[level][d] *= left[d];
				left[d] = 1;
			}
}

/* Another mapping in one respect: two loops in time change places, a factor goes to another level or axis, a tensor is
 * kept or not. False where it came to nothing. */
static bool change(struct draft *t, uint64_t *random)
{
	int level = (int)below(random, t->machine->levels);
	const struct level *l = &t->machine->level[level];
	int dims = t->problem->dims, d = (int)below(random, dims);
	int other = (int)below(random, t->machine->levels), o = (int)below(random, 3);

	switch (below(random, 4)) {
	case 0:
		for (int i = 0; i + 1 < dims; i++) {
			int outer = t->order[level][i], inner = t->order[level][i + 1];
			if (t->time[level][outer] == 1 || t->time[level][inner] == 1)
				continue;
			t->order[level][i] = inner;
			t->order[level][i + 1] = outer;
			return true;
		}
		return false;
	case 1:
		if (other == level || t->time[level][d] == 1 || !t->machine->level[other].is_memory)
			return false;
		t->time[other][d] *= t->time[level][d];
		t->time[level][d] = 1;
		return true;
	case 2:
		if (l->axes < 2 || t->space[level][d] == 1)
			return false;
		t->axis[level][d] = 1 - t->axis[level][d];
		return true;
	default:
		if (level == 0 ||
		    !(l->may_keep & ~l->must_keep & 1u << t->problem->operand[o].class))
			return false;
		t->keep[level] ^= 1u << o;
		return true;
	}
}

/* Room for any mapping. */
static const char roomy[] =
	"machine roomy {\n clock 1 GHz\n memory dram { }\n"
	" memory glb { size 9 GiB  keeps I, O }\n"
	" array pe[14, 17] {\n"
	"  array part[3] {\n"
	"   memory rf { size I 9 Mwords  size W 9 Mwords  size O 9 Mwords  holds W }\n"
	"   memory acc { size 9 Mwords  keeps O }\n"
	"   mac { lanes 5 }\n"
	"  }\n }\n}\n";

static void try_mapping(struct desk *d, const struct draft *t, bool imperfect, uint64_t *random,
			int tried[2])
{
	struct mapping m, other;
	struct said s;
	const char *text, *why;

	cr_assert(make(t, &m));
	text = print(d, &m);
	s = constrain(d, text, t->problem, imperfect);
	cr_assert(s.is_read, "%s\n%s", d->diag->count ? d->diag->finding[0].message : "", text);
	cr_assert(constraint_allows(d->arena, &s.c, &m, &why), "%s\n%s", why, text);
	for (int change_of = 0; change_of < 16; change_of++) {
		struct draft changed = *t;
		if (!change(&changed, random) || !make(&changed, &other))
			continue;
		cr_assert_not(constraint_allows(d->arena, &s.c, &other, &why),
			      "this is not that:\n%s%s", print(d, &other), text);
		cr_assert_not_null(why);
		tried[1]++;
	}
	tried[0]++;
}

Test(constraint, a_whole_mapping_read_as_a_constraint_allows_it_and_no_other)
{
	enum { TRIALS = 2000 };
	struct desk d = desk_with(roomy);
	uint64_t random = 20260202;
	int tried[2] = {0, 0}, parts = 0;

	for (int trial = 0; tried[0] < TRIALS && trial < 3 * TRIALS; trial++) {
		struct problem p = convolution(2 + below(&random, 40), 2 + below(&random, 20),
					       2 + below(&random, 15), 2 + below(&random, 15),
					       2 + below(&random, 5));
		struct draft t = {.problem = &p, .machine = d.machine};
		struct mapping m;
		bool imperfect = trial % 2;
		draw(&t, imperfect, &random);
		if (!make(&t, &m))
			continue;
		for (int i = 0; i < m.loops; i++)
			parts += tile_left(&m, i) % m.loop[i].tile != 0;
		try_mapping(&d, &t, imperfect, &random, tried);
	}
	cr_expect_eq(tried[0], TRIALS, "%d mappings", tried[0]);
	cr_expect_gt(tried[1], 2 * TRIALS, "%d changes", tried[1]);
	cr_expect_gt(parts, TRIALS / 10, "steps that are parts: %d", parts);
	arena_free(d.arena);
}

/* ---- What stationary means, by what is counted ----------------------------------------------------------------------------- */

/* Words that one unit needs, if each comes once. */
static int64_t words_once(const struct mapping *m, int operand, int level)
{
	int64_t extent[MAX_DIMS], words;

	tile_box(m, tile_first_loop(m, level), extent);
	words = tile_words(&m->problem->operand[operand], m->problem->dims, extent);
	for (int i = 0; i < tile_first_loop(m, level); i++)
		if (m->loop[i].kind == LOOP_TIME &&
		    (m->problem->operand[operand].relevant >> m->loop[i].dim & 1))
			words *= tile_steps(m, i);
	return words;
}

/* Under weight_stationary each weight comes to a unit once; under output_stationary no sum comes back to it. Of the
 * mappings that are not allowed, some do as well (a loop of all steps further in), but most do not. */
Test(constraint, what_is_stationary_comes_once)
{
	enum { TRIALS = 4000 };
	static const enum tensor_class class[] = {CLASS_W, CLASS_O};
	uint64_t random = 20260303;

	for (int f = 0; f < 2; f++) {
		struct desk d = eyeriss_with(named[f]);
		struct problem p = convolution(6, 4, 4, 4, 3);
		struct said s = constrain(&d, NULL, &p, false);
		struct draft t = {.problem = &p, .machine = d.machine};
		int allowed = 0, others = 0, again = 0, level = f == 0 ? WSPAD : PSPAD;
		cr_assert(s.is_read);
		for (int trial = 0; trial < TRIALS; trial++) {
			struct mapping m;
			struct cost cost;
			const char *why;
			int64_t fills, once;
			bool obeys;
			draw(&t, false, &random);
			t.keep[level] |= 1u << class[f];
			if (!make(&t, &m))
				continue;
			cr_assert(mapping_cost(&m, &cost));
			obeys = constraint_allows(d.arena, &s.c, &m, &why);
			fills = cost.traffic[level][class[f]].per_instance[ACCESS_FILL];
			once = f == 0 ? words_once(&m, class[f], level) : 0;
			cr_assert(fills == once || !obeys, "%lld fills, %lld words\n%s",
				  (long long)fills, (long long)once, print(&d, &m));
			allowed += obeys;
			others += !obeys;
			again += fills > once;
		}
		cr_expect_gt(allowed, 20, "%s: %d allowed", named[f], allowed);
		cr_expect_gt(again, others / 2, "%s: of %d others %d come again", named[f], others,
			     again);
		arena_free(d.arena);
	}
}
