/* arena.h -- memory with one lifetime, and the strings interned in it.
 * Everything allocated from an arena is zeroed, aligned for any type, and freed with the arena at once.
 * Interned strings are equal if and only if their pointers are.
 * When the system has no memory left, the handler given to arena_new is called: it must not return. */
#ifndef FRONTEND_ARENA_H
#define FRONTEND_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* on_failure(context) is called when memory is out; it leaves by longjmp. NULL on failure here. */
struct arena *arena_new(void (*on_failure)(void *context), void *context);
void arena_free(struct arena *);
/* Calls the handler: for those whose own allocation, of arrays or by a library, failed. */
_Noreturn void arena_fail(struct arena *);

void *arena_alloc(struct arena *, size_t size);
void *arena_array(struct arena *, size_t count, size_t size);  /* checked product */
char *arena_copy(struct arena *, const char *text, size_t length);  /* NUL-terminated */
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *, const char *format, va_list) __attribute__((format(printf, 2, 0)));
const char *arena_intern(struct arena *, const char *text, size_t length);
const char *arena_intern_string(struct arena *, const char *text);

#define ARENA_NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array(arena, count, sizeof(type)))

/* Appends an element to a growing array kept in an arena: `type *items; int count;` grow by doubling. */
#define ARENA_APPEND(arena, items, count, value)                                                   \
	((items) = arena_room(arena, items, (size_t)(count), sizeof *(items)),                     \
	 (items)[(count)++] = (value))
void *arena_room(struct arena *, void *items, size_t count, size_t size);

#endif
