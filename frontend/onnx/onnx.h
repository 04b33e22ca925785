/* onnx.h -- reads a trained network from an ONNX file. */
#ifndef FRONTEND_ONNX_H
#define FRONTEND_ONNX_H

#include "frontend/elaborate/elaborate.h"

/* The network of the model at path, built from operators of the library; NULL after errors in
 * program->diag. Dimensions the model leaves open come from options->dim, by the model's name for
 * them or as INPUT.AXIS ("x.2"); an open first dimension of an input is 1 otherwise. */
struct network *onnx_import(struct program *, const char *path, const struct elaborate_options *);

#endif
