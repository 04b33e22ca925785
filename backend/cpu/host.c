/* host.c -- what `native` means here: the triple, the processor and the vectors for which code is made when nobody names
 * others. */
#include "backend/cpu/apart.h"
#include "backend/cpu/files.h"
#include "backend/cpu/target.h"
#include "runtime/sentence.h"

#include <stdlib.h>
#include <string.h>

/* Runs apart: what it holds goes with its process. */
static void describe_apart(void *context, int fd)
{
	struct target t;
	(void)context;
	char *error = target_open(NULL, 0, &t);
	char *text = error ? sentence("// native: %s", error)
			   : sentence("// native: triple %s, cpu %s, vectors of %d bits", t.triple,
				      t.cpu, 8 * t.shape.vector_bytes);
	if (!text || !apart_write(fd, text, strlen(text)))
		apart_end(1);
}

bool cpu_print_host(FILE *out, struct diag *diag)
{
	char *text = NULL, *said = NULL;
	size_t size = 0;
	char *error = apart_run(describe_apart, NULL, &text, &size, &said);
	free(said);
	if (error)
		return diag_fail(diag, "code-generation", error);
	fwrite(text, 1, size, out);
	fputc('\n', out);
	free(text);
	return true;
}
