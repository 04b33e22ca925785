/* utf8.h -- characters of UTF-8 text whose bytes nobody vouches for. */
#ifndef FRONTEND_UTF8_H
#define FRONTEND_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the character at text, 1 .. 4, and the character itself; 0 where none begins there: a stray
 * or missing continuation, an overlong form, a surrogate, a value past U+10FFFF, or nothing left. */
int utf8_decode(const char *text, size_t left, uint32_t *character);

/* False for what a terminal would obey instead of show, or not show at all: controls, marks that change the
 * direction of writing, characters without width. */
bool utf8_is_shown(uint32_t character);

#endif
