/* route.c -- from the loops in space over an array to the mode of its network. */
#include "runtime/simulator/route.h"

/* Along which axes do units share, and do any of the units differ in what they need? */
enum route_mode route_mode(const struct sim_layer *l, int level, int operand)
{
	const struct level *at = &l->machine->level[level];
	const struct layer_operand *o = &l->operand[operand];
	unsigned merges = o->class == CLASS_O ? at->reduce : at->multicast;
	bool shares[MAX_AXES] = {false}, differ = false;

	for (int i = 0; i < l->loops; i++) {
		const struct layer_loop *loop = &l->loop[i];
		if (!loop->in_space || loop->level != level)
			continue;
		if (o->relevant >> loop->dim & 1)
			differ = true;
		else
			shares[loop->axis] |= (merges >> o->class & 1) &&
					      !(at->apart[o->class] >> loop->axis & 1);
	}
	if (!shares[0] && !shares[1])
		return ROUTE_UNICAST;
	if (shares[0] && shares[1])
		return differ ? ROUTE_GROUP : ROUTE_BROADCAST;
	/* Units of one row differ along the second axis. */
	return differ ? (shares[1] ? ROUTE_ROW : ROUTE_COLUMN) : ROUTE_BROADCAST;
}
