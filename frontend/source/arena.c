/* arena.c -- memory with one lifetime, and the strings interned in it.
 *
 * Small pieces are cut from chunks in order; a piece larger than a chunk gets one of its own. Nothing is
 * freed alone. Under AddressSanitizer every piece is followed by a poisoned gap, so that a step past its
 * end is found as it would be with malloc. */
#include "frontend/source/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address))
enum { GAP = 0 };
#endif

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = alignof(max_align_t), FIRST_SLOTS = 256 };

struct chunk {
	struct chunk *next;
	alignas(max_align_t) char bytes[];
};

/* An interned string; the table holds pointers to these. */
struct interned {
	size_t length;
	uint64_t hash;
	char text[];
};

struct arena {
	struct chunk *chunk;    /* all of them, the newest first */
	char *free;             /* where the next small piece is cut */
	size_t left;            /* bytes after free in its chunk */
	struct interned **slot; /* open addressing; slots is a power of two, or 0 */
	size_t slots, used;
	void (*on_failure)(void *context);
	void *context;
};

struct arena *arena_new(void (*on_failure)(void *context), void *context)
{
	struct arena *arena = calloc(1, sizeof *arena);
	if (!arena)
		return NULL;
	arena->on_failure = on_failure;
	arena->context = context;
	return arena;
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunk, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

_Noreturn void arena_fail(struct arena *arena)
{
	arena->on_failure(arena->context);
	__builtin_trap(); /* the handler broke its promise not to return */
}

/* A new chunk with room for so many bytes, all zero and, under the sanitizer, all poisoned. */
static char *add_chunk(struct arena *arena, size_t bytes)
{
	struct chunk *chunk = calloc(1, sizeof *chunk + bytes);
	if (!chunk)
		arena_fail(arena);
	chunk->next = arena->chunk;
	arena->chunk = chunk;
	ASAN_POISON_MEMORY_REGION(chunk->bytes, bytes);
	return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		arena_fail(arena);
	size_t step = (size + (size == 0) + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	char *piece;
	if (step > CHUNK_BYTES / 4) {
		piece = add_chunk(arena, step);
	} else {
		if (step > arena->left) {
			arena->free = add_chunk(arena, CHUNK_BYTES);
			arena->left = CHUNK_BYTES;
		}
		piece = arena->free;
		arena->free += step;
		arena->left -= step;
	}
	ASAN_UNPOISON_MEMORY_REGION(piece, size);
	return piece;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		arena_fail(arena);
	return arena_alloc(arena, count * size);
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	if (length == SIZE_MAX)
		arena_fail(arena);
	char *copy = arena_alloc(arena, length + 1);
	if (length)
		memcpy(copy, text, length);
	return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments)
{
	char brief[256];
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(brief, sizeof brief, format, again);
	va_end(again);
	if (length < 0)
		arena_fail(arena);
	char *text = arena_alloc(arena, (size_t)length + 1);
	if ((size_t)length < sizeof brief)
		memcpy(text, brief, (size_t)length);
	else
		vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text = arena_vprintf(arena, format, arguments);
	va_end(arguments);
	return text;
}

void *arena_room(struct arena *arena, void *items, size_t count, size_t size)
{
	bool is_full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
	if (!is_full)
		return items;
	if (count > SIZE_MAX / 2)
		arena_fail(arena);
	void *wider = arena_array(arena, count ? 2 * count : 4, size);
	if (count)
		memcpy(wider, items, count * size);
	return wider;
}

/* FNV-1a, 64 bit. */
static uint64_t hash_of(const char *text, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash;
}

/* The slot that holds this string, or the empty one where it belongs. */
static size_t slot_of(const struct arena *arena, const char *text, size_t length, uint64_t hash)
{
	size_t mask = arena->slots - 1, i = (size_t)hash & mask;
	for (; arena->slot[i]; i = (i + 1) & mask) {
		const struct interned *there = arena->slot[i];
		if (there->hash == hash && there->length == length &&
		    memcmp(there->text, text, length) == 0)
			break;
	}
	return i;
}

/* Keeps the table at most half full. */
static void widen_table(struct arena *arena)
{
	struct interned **old = arena->slot;
	size_t old_slots = arena->slots;
	size_t slots = old_slots ? 2 * old_slots : FIRST_SLOTS;
	arena->slot = ARENA_ARRAY(arena, slots, struct interned *);
	arena->slots = slots;
	for (size_t i = 0; i < old_slots; i++)
		if (old[i])
			arena->slot[slot_of(arena, old[i]->text, old[i]->length, old[i]->hash)] =
				old[i];
}

const char *arena_intern(struct arena *arena, const char *text, size_t length)
{
	if (2 * (arena->used + 1) > arena->slots)
		widen_table(arena);
	uint64_t hash = hash_of(text, length);
	struct interned **slot = &arena->slot[slot_of(arena, text, length, hash)];
	if (!*slot) {
		if (length > SIZE_MAX / 2)
			arena_fail(arena);
		struct interned *fresh = arena_alloc(arena, sizeof *fresh + length + 1);
		fresh->length = length;
		fresh->hash = hash;
		if (length)
			memcpy(fresh->text, text, length);
		*slot = fresh;
		arena->used++;
	}
	return (*slot)->text;
}

const char *arena_intern_string(struct arena *arena, const char *text)
{
	return arena_intern(arena, text, strlen(text));
}
