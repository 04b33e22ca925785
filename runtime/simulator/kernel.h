/* kernel.h -- the values of a layer: for each point of its nest, output += product of inputs. Which loop runs where changes no sum of
 * integers, so that points are taken in the order that suits this computer. */
#ifndef RUNTIME_SIMULATOR_KERNEL_H
#define RUNTIME_SIMULATOR_KERNEL_H

#include "runtime/simulator/layer.h"

/* False when memory is out; then nothing is written. */
bool kernel_run(const struct sim_layer *, const struct tensors *);

#endif
