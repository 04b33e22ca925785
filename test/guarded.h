/* guarded.h -- memory between two pages that nobody may touch, so that code which reads or writes
 * past its tensors ends by a signal. It begins behind the first page, or ends before the second
 * and is then aligned to its elements alone. */
#ifndef TEST_GUARDED_H
#define TEST_GUARDED_H

#include "runtime/array.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
	char *map, *at;
	size_t whole;
};

static inline struct guarded guard(size_t bytes, bool at_end)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = {.whole = (bytes + page - 1) / page * page + 2 * page};
	g.map = mmap(NULL, g.whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(g.map, MAP_FAILED, "no memory");
	cr_assert_eq(mprotect(g.map + page, g.whole - 2 * page, PROT_READ | PROT_WRITE), 0,
		     "no memory");
	g.at = at_end ? g.map + g.whole - page - bytes : g.map + page;
	return g;
}

static inline size_t guarded_bytes(const struct array *a)
{
	return (size_t)(array_count(a) * type_info(a->type)->bytes);
}

/* A copy of the array's elements. */
static inline struct guarded guard_array(const struct array *a, bool at_end)
{
	struct guarded g = guard(guarded_bytes(a), at_end);
	memcpy(g.at, a->data, guarded_bytes(a));
	return g;
}

static inline void unguard(struct guarded g)
{
	munmap(g.map, g.whole);
}

#endif
