/* diag.h -- source texts, places in them, and what is said about them.
 *
 * A place is two byte offsets into a source (struct span); lines and columns are computed when a diagnostic
 * is shown. Diagnostics are collected, never printed: the caller renders them, as text with the source line
 * and a caret, or as JSON. A finding is an error, a warning, or a note that belongs to the one before it. */
#ifndef FRONTEND_DIAG_H
#define FRONTEND_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "frontend/source/arena.h"

struct source {
	const char *name;    /* path as the user gave it; "ops.dnn" for the embedded library */
	const char *text;    /* size bytes and one NUL */
	uint32_t size;       /* at most 1 GiB */
	bool is_library;     /* embedded in the compiler: findings inside it are shown at the caller's place */
};

/* Bytes begin .. end-1 of a source. A span whose source is NULL has no place (a file as a whole, ONNX). */
struct span {
	const struct source *source;
	uint32_t begin, end;
};

struct span span_join(struct span first, struct span last);

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_NOTE };

struct finding {
	enum severity severity;
	const char *code;    /* stable short name, "unknown-name"; NULL for notes */
	struct span span;
	const char *place;   /* instead of a span: "model.onnx: node 'Conv_3'"; else NULL */
	const char *message; /* one sentence, no full stop */
	const char *label;   /* short text beside the caret, or NULL */
};

struct diag {
	struct arena *arena;       /* where findings live; not owned */
	struct finding *finding;
	int count, errors, warnings;
	int limit;                 /* errors kept, and as many warnings; more are counted, not kept; 0 = 100 */
	bool warnings_are_errors;
	bool warnings_are_hidden;
	bool is_dropping;          /* the latest finding was not kept: its notes and label are not either */
};

/* code is a string literal from the list in diag.def. */
void diag_error(struct diag *, const char *code, struct span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void diag_error_list(struct diag *, const char *code, struct span, const char *format, va_list)
	__attribute__((format(printf, 4, 0)));
/* An error without a place, said by a sentence (runtime/sentence.h) that it frees; NULL: memory is out. Always false. */
bool diag_fail(struct diag *, const char *code, char *sentence);
void diag_warning(struct diag *, const char *code, struct span, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Belongs to the finding before it; dropped when that one was dropped. */
void diag_note(struct diag *, struct span, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds the short text beside the caret of the latest finding. */
void diag_label(struct diag *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Gives the latest finding a place in words, for inputs that are not text. */
void diag_place(struct diag *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The name among the candidates that is nearest to what was written, or NULL when none is near. */
const char *diag_nearest(const char *written, const char *const candidates[], int count);
/* The same as the end of a message, "; did you mean 'conv'?", or "". Not looked for when the error would be dropped. */
const char *diag_suggestion(const struct diag *, const char *written, const char *const candidates[],
			    int count);

/* Line and column, both from 1; a column counts bytes. */
void source_position(const struct source *, uint32_t offset, int *line, int *column);

/* The line that holds a byte: its bytes without line end, byte-order mark and the \r before \n. */
struct source_line {
	const char *text;
	uint32_t begin, size;      /* begin: offset in the source */
	int number;                /* from 1 */
};
struct source_line source_line(const struct source *, uint32_t offset);

/* What diag.def says of a code, or NULL. */
const char *diag_explanation(const char *code);
int diag_limit(const struct diag *);

void diag_print_text(const struct diag *, FILE *, bool colour);
/* "2 errors and 1 warning", or nothing. */
void diag_print_totals(const struct diag *, FILE *);
void diag_print_json(const struct diag *, FILE *);

#endif
