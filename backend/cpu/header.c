/* header.c -- the C header of an object: what the function of module.c takes, for C and C++.
 *
 * The text is made in memory: every tensor's shape stands in a comment, every size is a
 * constant. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/emit.h"
#include "backend/cpu/names.h"
#include "runtime/sentence.h"

#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `f32[1, 28, 28]` */
static void print_shape(FILE *out, const struct tensor *t)
{
	fprintf(out, "%s[", type_info(t->type)->name);
	for (int i = 0; i < t->rank; i++)
		fprintf(out, "%s%" PRId64, i ? ", " : "", t->extent[i]);
	fprintf(out, "]");
}

/* Macros, since sizes are compared and added, and enumerations of two headers do not mix. */
static void print_size(FILE *out, const char *prefix, const char *name, int64_t value)
{
	if (value <= INT_MAX)
		fprintf(out, "#define %s_%s %" PRId64 "\n", prefix, name, value);
	else
		fprintf(out, "#define %s_%s ((size_t)%" PRId64 "u)\n", prefix, name, value);
}

/* One of the two structures; C wants at least one member. */
static void print_structure(FILE *out, const char *net, const char *what, const char *qualifier,
			    struct tensor *const tensor[], const char *const name[], int count)
{
	fprintf(out, "struct %s_%s {\n", net, what);
	for (int i = 0; i < count; i++) {
		fprintf(out, "\t%s%s *%s; /* ", qualifier, type_info(tensor[i]->type)->c_name,
			name[i]);
		print_shape(out, tensor[i]);
		fprintf(out, ", row-major */\n");
	}
	if (count == 0)
		fprintf(out, "\tconst void *none; /* not read */\n");
	fprintf(out, "};\n\n");
}

static void print_counts(FILE *out, struct arena *arena, const char *prefix, const char *what,
			 struct tensor *const tensor[], const char *const name[], int count)
{
	for (int i = 0; i < count; i++)
		print_size(out, prefix,
			   arena_printf(arena, "%s_%s_COUNT", what, names_capital(arena, name[i])),
			   tensor_count(tensor[i]));
}

static void print_header(FILE *out, struct arena *arena, const struct network *net,
			 const char *file, int64_t scratch)
{
	const char *plain = names_network(arena, net), *capital = names_capital(arena, plain);
	const char *guard =
		arena_printf(arena, "DNNC_%s_%s_H",
			     names_capital(arena, names_identifier(arena, file)), capital);
	const char **given = ARENA_ARRAY(arena, net->input_count + 1, const char *);
	for (int i = 0; i < net->input_count; i++)
		given[i] = net->input[i]->name;
	const char **input = names_unique(arena, given, net->input_count);
	const char **output = names_unique(arena, net->output_name, net->output_count);

	fprintf(out, "/* The network %s, compiled by dnnc. */\n", plain);
	fprintf(out, "#ifndef %s\n#define %s\n\n", guard, guard);
	fprintf(out, "#include <stddef.h>\n#include <stdint.h>\n\n");
	fprintf(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
	fprintf(out, "/* Bytes of scratch, and elements of each tensor. */\n");
	print_size(out, capital, "SCRATCH_BYTES", scratch);
	print_counts(out, arena, capital, "INPUT", net->input, input, net->input_count);
	print_counts(out, arena, capital, "OUTPUT", net->output, output, net->output_count);
	fprintf(out, "\n");
	print_structure(out, plain, "inputs", "const ", net->input, input, net->input_count);
	print_structure(out, plain, "outputs", "", net->output, output, net->output_count);
	fprintf(out,
		"/* Fills the outputs, which must not overlap each other or the inputs. scratch is "
		"aligned to 64\n"
		" * bytes and has %s_SCRATCH_BYTES of them; %s. Allocates nothing and keeps\n"
		" * nothing: threads may run it at once, each with scratch and outputs of its own. "
		"*/\n",
		capital, scratch ? "its contents do not matter" : "NULL will do");
	fprintf(out,
		"void %s_run(const struct %s_inputs *inputs, const struct %s_outputs *outputs, "
		"void *scratch);\n\n",
		plain, plain, plain);
	fprintf(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

static void out_of_memory(void *context)
{
	longjmp(*(jmp_buf *)context, 1);
}

char *cpu_header(const struct network *net, const char *name, char **data, size_t *size)
{
	jmp_buf failure;
	FILE *volatile out = NULL;
	*data = NULL;
	*size = 0;
	struct arena *arena = arena_new(out_of_memory, &failure);
	if (arena && setjmp(failure) == 0) {
		int64_t scratch = emit_scratch(arena, net);
		out = scratch < 0 ? NULL : open_memstream(data, size);
		if (out)
			print_header(out, arena, net, name, scratch);
	}
	bool is_whole = out && !ferror(out);
	if (out && fclose(out) != 0)
		is_whole = false;
	arena_free(arena);
	if (is_whole)
		return NULL;
	free(*data);
	*data = NULL;
	return sentence("there is no memory for the header");
}
