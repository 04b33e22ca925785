/* train.h -- the check of `train` blocks: which keys there are, what their values may be.
 * What a training step computes comes with autodiff; here a block is held against its grammar of keys. */
#ifndef FRONTEND_TRAIN_H
#define FRONTEND_TRAIN_H

#include "frontend/syntax/program.h"

/* Reports what is wrong with the train blocks of the user's files. */
void train_check(struct program *);

#endif
