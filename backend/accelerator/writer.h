/* writer.h -- appends instructions; that memory is out is asked once, in the end. */
#ifndef BACKEND_ACCELERATOR_WRITER_H
#define BACKEND_ACCELERATOR_WRITER_H

#include "runtime/isa.h"

struct code_writer {
	struct code *code;
	bool is_out_of_memory;
	union field nowhere[ISA_MAX_FIELDS]; /* takes the fields, where memory is out */
};

/* The fields of a new instruction. */
static inline union field *writer_add(struct code_writer *w, enum opcode op)
{
	union field *f = w->is_out_of_memory ? NULL : code_add(w->code, op);
	w->is_out_of_memory |= !f;
	return f ? f : w->nowhere;
}

static inline void writer_name(struct code_writer *w, union field *f, const char *text)
{
	f->text = w->is_out_of_memory ? NULL : code_text(w->code, text);
	w->is_out_of_memory |= !f->text;
}

#endif
