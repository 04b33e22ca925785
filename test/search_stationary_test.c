/* search_stationary_test.c -- docs/language.md 5.2: a warning says that a tensor cannot stay exactly where the best of all
 * mappings under the constraint brings some of its words twice. */
#include "mapper/cost/sums.h"
#include "mapper/mapping/tile.h"
#include "mapper/search/search.h"
#include "mapping_fixture.h"
#include "nest_fixture.h"

#include <inttypes.h>

/* Words that a register for inputs must get; each needs to come once. */
static int64_t words_of_inputs(const struct problem *p)
{
	int64_t words = 1;

	for (int r = 0; r < p->operand[0].ranks; r++) {
		struct shift shift[MAX_DIMS];
		int count = 0;
		for (int d = 0; d < p->dims; d++)
			if (p->operand[0].coef[r][d])
				shift[count++] =
					(struct shift){p->operand[0].coef[r][d], p->extent[d]};
		words *= sums_distinct(count, shift);
	}
	return words;
}

/* Fills of the innermost memory, the least that a mapping has; -1: there is none. */
static int64_t least_fills(struct desk *d, const struct problem *p, const struct constraint *c)
{
	struct hierarchy h = *d->machine;
	struct search_options options = {.constraint = c};
	struct search_result result;

	for (int l = 0; l < h.levels; l++) {
		memset(h.level[l].cost, 0, sizeof h.level[l].cost);
		h.level[l].hop_cost = 0;
	}
	h.mac_cost = 0;
	h.level[h.levels - 1].cost[ACCESS_FILL] = 1;
	search(d->arena, p, &h, &options, &result);
	cr_assert(result.status == SEARCH_PROVEN || result.status == SEARCH_INFEASIBLE);
	return result.status == SEARCH_PROVEN ? (int64_t)result.cost.energy : -1;
}

/* 1: told that inputs cannot stay, 0: not told. */
static int is_told(const char *machine, const struct problem *p, const char *name)
{
	struct desk d = desk_with(machine);
	struct constraint c;
	struct constraint_origin origin;
	int64_t once = words_of_inputs(p), least;
	int told;

	cr_assert(constraint_read(d.program, d.block, NULL, p, d.machine, false, &c, &origin), "%s",
		  d.diag->finding[0].message);
	told = d.diag->warnings;
	least = least_fills(&d, p, &c);
	if (least >= 0)
		cr_expect_eq(told, least > once,
			     "%s on %s: %d warnings, %" PRId64 " words, and %" PRId64 " come", name,
			     machine, told, once, least);
	cr_expect(told == 0 || (strcmp(d.diag->finding[0].code, "not-stationary") == 0 &&
				d.diag->finding[1].severity == SEVERITY_NOTE));
	arena_free(d.arena);
	return told;
}

static const char *const machines[] = {
	"machine m { clock 1 GHz; memory dram { }; memory r { size %d words keeps I }\n"
	"mac { }; dataflow input_stationary }",
	"machine m { clock 1 GHz; memory dram { }; memory r { size %d words keeps I; halo full }\n"
	"mac { }; dataflow input_stationary }",
	"machine m { clock 1 GHz; memory dram { }; memory b { size 24 words keeps I, O holds I }\n"
	"memory r { size %d words keeps I }; mac { }; dataflow input_stationary }",
	"machine m { clock 1 GHz; memory dram { }; memory r { size %d words keeps I }; mac { }\n"
	"dataflow own }\ndataflow own { r: stationary I\n dram: for p, q, c, s\n dram: for r }",
	"machine m { clock 1 GHz; memory dram { }; memory r { size %d words keeps I }; mac { }\n"
	"dataflow own }\ndataflow own { r: stationary I\n dram: for p, q, c, r, s }",
};

static const struct {
	const char *notation;
	int64_t p, r, stride, dilation;
} problems[] = {
	{"pr|r|p", 12, 5, 1, 1},        {"c pr|c r k|p k", 6, 3, 1, 1},
	{"c pr|c r k|p k", 4, 3, 2, 1}, {"pr|r|p", 6, 2, 3, 1},
	{"pr|r|p", 4, 3, 1, 2},         {"pr qs|r s k|k p q", 4, 3, 1, 1},
	{"c k|k p|c p", 4, 3, 1, 1},
};

Test(search_stationary, what_cannot_stay_is_told_and_nothing_else)
{
	int told = 0, tried = 0;

	for (size_t m = 0; m < sizeof machines / sizeof *machines; m++)
		for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
			for (int words = 1; words <= 24; words += words < 8 ? 1 : 4) {
				struct shape shape = {.stride = problems[i].stride,
						      .dilation = problems[i].dilation};
				struct problem p;
				char machine[400];
				shape.extent['p'] = shape.extent['q'] = problems[i].p;
				shape.extent['r'] = shape.extent['s'] = problems[i].r;
				shape.extent['c'] = shape.extent['k'] = 2;
				note_problem(&p, problems[i].notation, &shape);
				snprintf(machine, sizeof machine, machines[m], words);
				told += is_told(machine, &p, problems[i].notation);
				tried++;
			}
	cr_expect(told > tried / 5 && told < tried * 4 / 5, "%d of %d are told", told, tried);
}

/* Units side by side each have a tap of the kernel, and meet each of their inputs once; 4 units have 3 of p each. */
Test(search_stationary, loops_over_units_bring_no_word_again)
{
	struct shape shape = {.stride = 1, .dilation = 1};
	struct problem p;

	shape.extent['p'] = 12;
	shape.extent['r'] = 5;
	note_problem(&p, "pr|r|p", &shape);
	for (int units = 4; units <= 5; units++) {
		struct desk d;
		struct constraint c;
		struct constraint_origin origin;
		char machine[300];
		snprintf(machine, sizeof machine,
			 "machine m { clock 1 GHz; memory dram { }; array pe[%d] { memory r { size "
			 "1 word keeps I }\nmac { } }; dataflow input_stationary }",
			 units);
		d = desk_with(machine);
		cr_assert(constraint_read(d.program, d.block, NULL, &p, d.machine, false, &c,
					  &origin));
		cr_expect_eq(d.diag->warnings, units < 5, "%d units", units);
		cr_assert(constraint_read(d.program, d.block, NULL, &p, d.machine, true, &c,
					  &origin));
		cr_expect_eq(d.diag->count, 2 * (units < 5),
			     "what uneven factors allow is not looked at");
		if (units < 5)
			cr_expect(strstr(d.diag->finding[0].message, "p and r index it") &&
					  strstr(d.diag->finding[1].message, "for 3 words of I"),
				  "%s; %s", d.diag->finding[0].message, d.diag->finding[1].message);
		arena_free(d.arena);
	}
}
