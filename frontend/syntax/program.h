/* program.h -- source files read and parsed, with what they import, and their items found by name. */
#ifndef FRONTEND_PROGRAM_H
#define FRONTEND_PROGRAM_H

#include "frontend/syntax/tree.h"

struct program {
	struct arena *arena;       /* not owned */
	struct diag *diag;         /* not owned */
	struct tree **tree;        /* in the order read; the library ops.dnn is tree[0] */
	int tree_count;
	const char **file;         /* the files read, for dependency lists; the library is not among them */
	int file_count;
	const char **real_path;    /* of each file, interned: a file is read once; NULL = it has none */
	struct program_step *step; /* the chain of files whose imports are being followed */
};

/* An empty program that knows the operator library. */
struct program *program_new(struct arena *, struct diag *);
/* Reads and parses a file and what it imports; what is wrong is in diag. */
void program_read(struct program *, const char *path);
/* The same for a text in memory. The text must outlive the program. */
void program_add(struct program *, const char *name, const char *text, size_t size);

/* The item of this kind and name: the user's before the library's; NULL if there is none. */
const struct tree_item *program_find(const struct program *, enum item_kind, const char *name);
/* Does a file of the user's hold such an item? */
bool program_has(const struct program *, enum item_kind);
/* Reports two items of one kind with the same name in the user's files. */
void program_check_names(struct program *);

#endif
