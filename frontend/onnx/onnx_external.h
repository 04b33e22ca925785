/* onnx_external.h -- tensor data kept in files beside a model.
 * A model may come from anywhere, so it may name only files in its own folder. */
#ifndef FRONTEND_ONNX_EXTERNAL_H
#define FRONTEND_ONNX_EXTERNAL_H

#include "frontend/source/arena.h"
#include "onnx/onnx.pb-c.h"

/* Reads size bytes of the tensor's external data into *bytes; *path is the file, in the arena. Returns what is
 * wrong as a sentence in the arena, or NULL. */
const char *onnx_external_read(struct arena *, const char *model_path, const Onnx__TensorProto *,
			       int64_t size, uint8_t **bytes, const char **path);
void onnx_external_free(uint8_t *bytes);

#endif
