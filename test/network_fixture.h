/* network_fixture.h -- small networks built by hand, for tests of what works on networks.
 *
 *     struct network *net = fixture("name");
 *     struct tensor *x = tensor(net, "x", TYPE_F32, ROLE_INPUT, 1, 4), *y = ...;
 *     struct statement *s = statement(net, REDUCE_NONE, 1, 1, 4);        // loop[0] of 4, outer
 *     s->target = ACCESS(net, y, SUB(0, [0] = 1));                       // y[i]
 *     s->value = read(net, ACCESS(net, x, SUB(0, [0] = 1)));
 */
#ifndef TEST_NETWORK_FIXTURE_H
#define TEST_NETWORK_FIXTURE_H

#include "frontend/network/network.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_TENSORS = 16, FIXTURE_STATEMENTS = 16 };

static inline void out_of_memory(void *context)
{
	(void)context;
	abort();
}

static inline struct network *fixture(const char *name)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	struct network *net = ARENA_NEW(arena, struct network);
	net->name = name;
	net->arena = arena;
	net->tensor = ARENA_ARRAY(arena, FIXTURE_TENSORS, struct tensor *);
	net->statement = ARENA_ARRAY(arena, FIXTURE_STATEMENTS, struct statement *);
	net->input = ARENA_ARRAY(arena, FIXTURE_TENSORS, struct tensor *);
	net->output = ARENA_ARRAY(arena, FIXTURE_TENSORS, struct tensor *);
	net->output_name = ARENA_ARRAY(arena, FIXTURE_TENSORS, const char *);
	return net;
}

static inline void fixture_free(struct network *net)
{
	network_free(net);
	arena_free(net->arena);
}

/* The extents follow as ints. */
static inline struct tensor *tensor(struct network *net, const char *name, enum type type,
				    enum role role, int rank, ...)
{
	static const char *const dim[MAX_RANK] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	struct tensor *t = ARENA_NEW(net->arena, struct tensor);
	va_list extents;
	va_start(extents, rank);
	for (int i = 0; i < rank; i++) {
		t->extent[i] = va_arg(extents, int);
		t->dim[i] = dim[i];
	}
	va_end(extents);
	t->name = name;
	t->layer = name;
	t->type = type;
	t->role = role;
	t->rank = rank;
	t->id = net->tensor_count;
	net->tensor[net->tensor_count++] = t;
	if (role == ROLE_INPUT)
		net->input[net->input_count++] = t;
	return t;
}

static inline void output(struct network *net, struct tensor *t)
{
	t->is_output = true;
	net->output_name[net->output_count] = t->name;
	net->output[net->output_count++] = t;
}

/* The loops' extents follow as ints; they are called i, j, k, l, m, n, o, p. */
static inline struct statement *statement(struct network *net, enum reduce reduce, int loops,
					  int outer, ...)
{
	static const char *const name[] = {"i", "j", "k", "l", "m", "n", "o", "p"};
	struct statement *s = ARENA_NEW(net->arena, struct statement);
	va_list extents;
	va_start(extents, outer);
	for (int i = 0; i < loops; i++)
		s->loop[i] = (struct loop){name[i], va_arg(extents, int)};
	va_end(extents);
	s->reduce = reduce;
	s->loops = loops;
	s->outer = outer;
	s->op = "test";
	s->layer = "layer";
	s->id = net->statement_count;
	net->statement[net->statement_count++] = s;
	return s;
}

#define SUB(offset_, ...)                                                                          \
	((struct subscript){.coef = {__VA_ARGS__}, .offset = (offset_), .divisor = 1})
#define SUB_DIV(divisor_, offset_, ...)                                                            \
	((struct subscript){.coef = {__VA_ARGS__}, .offset = (offset_), .divisor = (divisor_)})

static inline struct access access_of(struct network *net, struct tensor *t,
				      const struct subscript sub[])
{
	struct access a = {.tensor = t};
	a.subscript = ARENA_ARRAY(net->arena, t->rank + 1, struct subscript);
	for (int i = 0; i < t->rank; i++)
		a.subscript[i] = sub[i];
	return a;
}

#define ACCESS(net, t, ...) access_of(net, t, (const struct subscript[]){__VA_ARGS__})
#define SCALAR_ACCESS(net, t) access_of(net, t, NULL)

static inline struct access outside(struct access a, enum outside rule, double value)
{
	a.outside = rule;
	a.value = value;
	return a;
}

static inline struct scalar *scalar(struct network *net, enum scalar_kind kind, enum type type)
{
	struct scalar *e = ARENA_NEW(net->arena, struct scalar);
	e->kind = kind;
	e->type = type;
	return e;
}

static inline struct scalar *constant(struct network *net, enum type type, double value)
{
	struct scalar *e = scalar(net, SCALAR_CONSTANT, type);
	e->constant = value;
	return e;
}

static inline struct scalar *position(struct network *net, enum type type, int loop)
{
	struct scalar *e = scalar(net, SCALAR_POSITION, type);
	e->loop = loop;
	return e;
}

static inline struct scalar *read_of(struct network *net, struct access a)
{
	struct scalar *e = scalar(net, SCALAR_READ, a.tensor->type);
	e->access = ARENA_NEW(net->arena, struct access);
	*e->access = a;
	return e;
}

/* Operands that the function lacks are NULL. */
static inline struct scalar *apply(struct network *net, enum scalar_fn fn, enum type type,
				   struct scalar *a, struct scalar *b, struct scalar *c)
{
	struct scalar *e = scalar(net, SCALAR_APPLY, type);
	e->fn = fn;
	e->arg[0] = a;
	e->arg[1] = b;
	e->arg[2] = c;
	return e;
}

/* target[...] = value for every element: the initial statement of a reduction. */
static inline struct statement *fill(struct network *net, struct tensor *t, double value)
{
	struct statement *s = statement(net, REDUCE_NONE, 0, 0);
	s->loops = s->outer = t->rank;
	s->target.tensor = t;
	s->target.subscript = ARENA_ARRAY(net->arena, t->rank + 1, struct subscript);
	for (int i = 0; i < t->rank; i++) {
		s->loop[i] = (struct loop){t->dim[i], t->extent[i]};
		s->target.subscript[i] = SUB(0);
		s->target.subscript[i].coef[i] = 1;
	}
	s->value = constant(net, type_info(t->type)->is_float ? t->type : TYPE_F64, value);
	return s;
}

/* An array with these values in row-major order. */
static inline struct array *array_of(const struct tensor *t, const double values[])
{
	struct array *a = array_new(t->type, t->rank, t->extent);
	for (int64_t i = 0; i < array_count(a); i++)
		array_set(a, i, values[i]);
	return a;
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

#endif
