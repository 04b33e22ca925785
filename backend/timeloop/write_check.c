/* write_check.c -- what of a mapping and its machine Timeloop would count in another way: an error; or does not know: a warning. */
#include "backend/timeloop/writer.h"

#include <inttypes.h>

#include "mapper/mapping/tile.h"

static const struct span nowhere;

static void check_network(struct writer *w, int level)
{
	const struct level *l = &w->h->level[level];
	unsigned used = 0;

	for (int i = 0; i < w->m->loops; i++)
		if (w->m->loop[i].level == level && w->m->loop[i].kind == LOOP_SPACE)
			used |= 1u << w->m->loop[i].axis;
	for (int o = 0; o < w->p->operands; o++) {
		enum tensor_class class = w->p->operand[o].class;
		unsigned shares = class == CLASS_O ? l->reduce : l->multicast;
		unsigned apart = l->apart[class] & used;
		if ((shares >> class & 1) && apart && apart != used)
			diag_error(w->diag, "timeloop-unsupported", nowhere,
				   "layer '%s': the network of array '%s' shares %s along one axis "
				   "alone; Timeloop "
				   "shares along both or none",
				   w->p->name, l->array, operand_name(w->p, o));
	}
}

/* A tile that slides brings what is new, for Timeloop always. */
static void check_halo(struct writer *w, int level)
{
	const struct level *l = &w->h->level[level];

	for (int o = 0; o < w->p->operands; o++)
		for (int r = 0; r < w->p->operand[o].ranks; r++) {
			int moving = 0;
			for (int d = 0; d < w->p->dims; d++)
				moving += w->p->operand[o].coef[r][d] != 0;
			if (l->halo != HALO_FULL || !(w->m->keep[level] >> o & 1) || moving < 2)
				continue;
			diag_error(w->diag, "timeloop-unsupported", nowhere,
				   "layer '%s': memory '%s' is refilled with whole tiles ('halo "
				   "full'), and "
				   "Timeloop counts what is new of a sliding tile",
				   w->p->name, l->name);
			return;
		}
}

static void check_level(struct writer *w, int level)
{
	const struct level *l = &w->h->level[level];
	int rooms = 0, ports = 0;

	for (int c = 0; c < CLASSES; c++) {
		rooms += l->class_words[c] > 0;
		ports += l->class_bandwidth[c] > 0;
	}
	if (rooms > 1 || (rooms > 0 && l->words > 0))
		diag_warning(w->diag, "timeloop-lost", nowhere,
			     "memory '%s' has rooms for single tensors; Timeloop sees their sum",
			     l->name);
	if (ports)
		diag_warning(w->diag, "timeloop-lost", nowhere,
			     "memory '%s' has ports for single tensors, which are left out",
			     l->name);
	if (l->shared_bandwidth > 0 && (l->read_bandwidth > 0 || l->write_bandwidth > 0))
		diag_warning(
			w->diag, "timeloop-lost", nowhere,
			"memory '%s' has shared ports and others; Timeloop may know only one kind",
			l->name);
	if (l->words % l->width)
		diag_warning(w->diag, "timeloop-lost", nowhere,
			     "memory '%s' holds no whole number of accesses; Timeloop sees "
			     "%" PRId64 " words of its %" PRId64,
			     l->name, l->words - l->words % l->width, l->words);
	if (l->network_bandwidth > 0)
		diag_warning(w->diag, "timeloop-lost", nowhere,
			     "the bandwidth of array '%s' is left out", l->array);
	for (int c = 0; c < CLASSES; c++)
		if (c != CLASS_O && l->linked[c]) {
			diag_warning(w->diag, "timeloop-lost", nowhere,
				     "what units of array '%s' read for their neighbours is left "
				     "out",
				     l->array);
			break;
		}
	if (l->hop_cost != 0 && writer_fanout(w, level) > 1)
		diag_warning(
			w->diag, "timeloop-lost", nowhere,
			"the cost of words that array '%s' delivers is left out: hops of Timeloop "
			"are others",
			l->array);
}

/* Timeloop's last steps come at the very end; ours at the end of each run. They are one where only the outermost loop of a
 * dimension has a rest. */
static void check_loop(struct writer *w, int loop)
{
	const struct mapped_loop *l = &w->m->loop[loop];
	int64_t left = tile_left(w->m, loop);
	bool is_outermost = true;

	for (int i = 0; i < loop; i++) {
		is_outermost &= w->m->loop[i].dim != l->dim;
		if (w->m->loop[i].dim == l->dim && w->m->loop[i].level == l->level &&
		    w->m->loop[i].kind == l->kind)
			diag_error(w->diag, "timeloop-unsupported", nowhere,
				   "layer '%s': '%s' has two loops over %s; Timeloop has one",
				   w->p->name, w->h->level[l->level].name, w->p->dim[l->dim]);
	}
	if (left % l->tile && !is_outermost)
		diag_error(w->diag, "timeloop-unsupported", nowhere,
			   "layer '%s': the loop over %s at '%s' parts %" PRId64 " by %" PRId64
			   " with a rest in each run; Timeloop knows a rest in the last run alone",
			   w->p->name, w->p->dim[l->dim], w->h->level[l->level].name, left,
			   l->tile);
}

static bool leaks(const struct hierarchy *h)
{
	bool leaks = h->leakage > 0 || h->mac_leakage > 0;

	for (int i = 0; i < h->levels; i++)
		leaks |= h->level[i].leakage > 0;
	return leaks;
}

void writer_check_machine(struct writer *w)
{
	if (leaks(w->h))
		diag_warning(
			w->diag, "timeloop-lost", nowhere,
			"the leakage of machine '%s' is left out: energies of Timeloop will be "
			"lower by it",
			w->h->name);
	for (int i = 0; i < w->h->levels; i++)
		check_level(w, i);
	if (w->h->is_buffered)
		diag_warning(w->diag, "timeloop-lost", nowhere,
			     "transfers of '%s' overlap with work as its buffers allow; those of "
			     "Timeloop always do",
			     w->h->name);
}

void writer_check_mapping(struct writer *w)
{
	for (int i = 0; i < w->h->levels; i++) {
		check_network(w, i);
		check_halo(w, i);
	}
	for (int i = 0; i < w->m->loops; i++)
		check_loop(w, i);
}
