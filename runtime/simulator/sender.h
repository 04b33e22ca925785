/* sender.h -- merges what the units of an array need, from the innermost array outward, and tells each sending: docs/cost-model.md
 * section 2, rule 4. */
#ifndef RUNTIME_SIMULATOR_SENDER_H
#define RUNTIME_SIMULATOR_SENDER_H

#include "runtime/simulator/box.h"
#include "runtime/simulator/layer.h"

/* A box, and how many times it is needed. */
struct need {
	const struct box *box;
	int64_t times;
};

/* Of one array: a sending is for these units, numbered row by row, in their order. */
struct sending {
	int level;        /* of the array inside it */
	int64_t instance; /* of that level */
	const struct box *box;
	int count;
	const int64_t *unit;
};

struct sender_events {
	void *context;
	void (*send)(void *, const struct sending *);
	/* All that passes the outer end of the array inside this instance of a level; of the parent: what it reads or updates. */
	void (*pass)(void *, int level, int64_t instance, int64_t words);
};

struct sender *sender_new(void);
void sender_free(struct sender *);
/* sent[i] is what instance i of the child gets or gives. False when memory is out. */
bool sender_run(struct sender *, const struct sim_layer *, int operand, int parent, int child,
		const struct box sent[], const struct sender_events *);

#endif
