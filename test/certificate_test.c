/* certificate_test.c -- docs/mapper.md section 5: certificates that hold are accepted; a worse mapping is refused by the proof, and
 * so is every certificate whose bytes were altered where they say something. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frontend/elaborate/elaborate.h"
#include "mapper/network/network_map.h"
#include "mapper/proof/certificate.h"
#include "runtime/file.h"
#include "runtime/random.h"

static void out_of_memory(void *context)
{
	(void)context;
	abort();
}

static const char *const text =
	"machine m { clock 1 GHz  memory dram { }\n"
	"	memory buf { size 64 words  keeps I, O }\n"
	"	array pe[4, 2] { memory r { size 8 words  keeps W } mac { } } }\n"
	"network net(x: f32[1, 2, 6, 6]) {\n"
	"	a = conv(x, filters = 2, kernel = 3, pad = 1)\n"
	"	c = conv(a, filters = 4, kernel = 3, stride = 2)\n"
	"	d = dense(flatten(c), 6)\n"
	"	return d\n"
	"}\n";

static struct workload *workload_new(struct arena *arena)
{
	struct diag *diag = ARENA_NEW(arena, struct diag);
	struct program *program;
	struct network *n;

	diag->arena = arena;
	program = program_new(arena, diag);
	program_add(program, "test.dnn", text, strlen(text));
	n = elaborate(program, NULL, &(struct elaborate_options){0});
	cr_assert(n && diag->errors == 0);
	return workload_of(arena, n, hierarchy_of(program, machine_check(program, NULL)), false);
}

/* The claims of all layers, each with the mapping that `of` found. malloc'd. */
static char *certificate_of(const struct network_mapping *n, const struct network_mapping *of,
			    size_t *size)
{
	char *string;
	FILE *out = open_memstream(&string, size);

	certificate_print_title(n->workload->layers, 0, out);
	for (int i = 0; i < n->workload->layers; i++) {
		const struct layer_mapping *l = &n->layer[i];
		double value = objective_value(n->options.objective, &of->layer[i].found.cost);
		struct claim claim = {l->layer->problem,
				      n->workload->machine,
				      l->layer->constraint,
				      {.objective = n->options.objective, .value = value},
				      &of->layer[i].found.mapping,
				      l->proof};
		certificate_print_claim(&claim, out);
	}
	cr_assert_eq(fclose(out), 0);
	return string;
}

/* Is a text accepted? What is said of it at first is in `said`. */
static bool is_accepted(struct arena *arena, const struct workload *w, const char *certificate,
			size_t size, struct certificate_summary *summary, const char **said)
{
	struct diag diag = {.arena = arena};
	const char *path = arena_printf(arena, "/tmp/dnnc_%d.certificate", (int)getpid());
	char *error = file_write(path, certificate, size);
	bool holds;

	cr_assert(!error, "%s", error);
	holds = certificate_check(path, 1, &w, 2, &(struct proof_limits){0}, &diag, summary);
	unlink(path);
	cr_assert_eq(holds, diag.errors == 0);
	*said = diag.count ? diag.finding[0].message : "";
	return holds;
}

Test(certificate, holds_for_the_optimum_and_not_for_a_worse_mapping)
{
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);
	struct map_options how = {.threads = 1, .certify = true, .objective = OBJECTIVE_ENERGY};
	const struct network_mapping *least = network_map(arena, w, &how), *fast;
	struct certificate_summary summary;
	const char *said;
	size_t size;
	char *certificate = certificate_of(least, least, &size);

	cr_expect(is_accepted(arena, w, certificate, size, &summary, &said), "%s", said);
	cr_expect(summary.claims == w->layers && summary.open == 0 && summary.subspaces > 3 &&
		  summary.looked > 0);
	free(certificate);
	how.objective = OBJECTIVE_CYCLES;
	fast = network_map(arena, w, &how);
	cr_assert(fast->layer[0].found.cost.energy > least->layer[0].found.cost.energy);
	certificate = certificate_of(least, fast, &size);
	cr_expect(!is_accepted(arena, w, certificate, size, &summary, &said));
	cr_expect(strstr(said, "below this value are not ruled out"), "%s", said);
	free(certificate);
	arena_free(arena);
}

/* Does the byte say something? Not in a mapping, whose comments and clauses may be written in several ways, nor in the digits of a
 * bound that lie below its tolerance, nor where a line is empty. */
static bool says_something(const char *certificate, size_t at)
{
	size_t begin = at, word = strlen("subspace bound ");

	while (begin > 0 && certificate[begin - 1] != '\n')
		begin--;
	if (certificate[at] == '\n')
		return false;
	if (strncmp(certificate + begin, "subspace", 8) == 0 && at >= begin + word + 3 &&
	    at < begin + word + strcspn(certificate + begin + word, " "))
		return false;
	for (size_t i = begin; i > 0; i--) {
		if (strncmp(certificate + i, "\nend\n", 5) == 0)
			return true;
		if (strncmp(certificate + i, "\nmapping\n", 9) == 0)
			return false;
	}
	return true;
}

Test(certificate, is_refused_when_altered)
{
	static const char letters[] = "0123456789 -xyz\n#{";
	struct arena *arena = arena_new(out_of_memory, NULL);
	const struct workload *w = workload_new(arena);
	struct map_options how = {.threads = 1, .certify = true};
	const struct network_mapping *n = network_map(arena, w, &how);
	struct certificate_summary summary;
	size_t size;
	char *certificate = certificate_of(n, n, &size);
	int told = 0;

	for (uint32_t trial = 0; trial < 600; trial++) {
		uint32_t drawn[4];
		char *altered = strdup(certificate), letter;
		const char *said;
		size_t at;
		bool must_be_refused, holds;
		random_words(7, 0, trial, drawn);
		at = drawn[0] % size;
		letter = letters[drawn[1] % (sizeof letters - 1)];
		must_be_refused = letter != certificate[at] && says_something(certificate, at);
		altered[at] = letter;
		holds = is_accepted(arena, w, altered, size, &summary, &said);
		cr_expect(!must_be_refused || !holds, "byte %zu: '%c' for '%c'", at, letter,
			  certificate[at]);
		told += must_be_refused;
		free(altered);
	}
	cr_expect(told > 100, "%d bytes that say something", told);
	free(certificate);
	arena_free(arena);
}
