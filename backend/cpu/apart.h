/* apart.h -- work in a process of its own.
 *
 * LLVM ends the process where it gives up and prints what it thinks of a processor's name. Here
 * it ends a copy of the process, and what it prints comes back as text. The copy sees all memory
 * as it was; what it leaves goes through a file in memory (large results) and a shared structure
 * (small ones). */
#ifndef BACKEND_CPU_APART_H
#define BACKEND_CPU_APART_H

#include <stdbool.h>
#include <stddef.h>

/* Memory that the copies of the process share, zeroed, released with apart_release; NULL when
 * there is none. */
void *apart_share(size_t);
void apart_release(void *, size_t);

/* Calls work(context, fd), which writes its result to fd, in a copy of the process. *data
 * (malloc'd) is that result, *complaints (malloc'd) what was printed to standard error. NULL:
 * the work returned; else a sentence (malloc'd), and no result. */
char *apart_run(void (*work)(void *context, int fd), void *context, char **data, size_t *size,
		char **complaints);

/* False: the system refused. */
bool apart_write(int fd, const void *data, size_t size);
/* Ends the copy at once; for use inside of work. */
_Noreturn void apart_end(int status);

#endif
