/* certificate_print.c -- a proof as lines, each a word and what belongs to it. */
#include <inttypes.h>

#include "mapper/mapping/mapping_print.h"
#include "mapper/proof/certificate.h"
#include "mapper/proof/fingerprint.h"

void certificate_print_title(int claims, int open, FILE *file)
{
	fprintf(file, "dnnc certificate 1\nclaims %d\nopen %d\n", claims, open);
}

static void print_subspace(const struct problem *p, const struct subspace *s, FILE *file)
{
	fprintf(file, "subspace bound %.17g spreads %" PRId64 " over", s->bound, s->spreads);
	for (int d = 0; d < p->dims; d++)
		if (s->dims >> d & 1)
			fprintf(file, " %s", p->dim[d]);
	fputs(s->dims ? "\n" : " nothing\n", file);
}

void certificate_print_claim(const struct claim *c, FILE *file)
{
	fprintf(file, "\nclaim %s\n", c->problem->name);
	fprintf(file, "machine %016" PRIx64 " %s\n", fingerprint_machine(c->machine),
		c->machine->name);
	fprintf(file, "problem %016" PRIx64 "\n", fingerprint_problem(c->problem));
	fprintf(file, "constraint %016" PRIx64 "\n",
		fingerprint_constraint(c->constraint, c->problem, c->machine));
	if (c->goal.most_cycles > 0)
		fprintf(file, "cycles at most %" PRId64 "\n", c->goal.most_cycles);
	fprintf(file, "least %s %.17g\n", objective_name[c->goal.objective], c->goal.value);
	if (c->mapping) {
		fputs("mapping\n", file);
		mapping_print(c->mapping, file);
		fputs("end\n", file);
	}
	fprintf(file, "subspaces %d\n", c->proof->subspaces);
	for (int i = 0; i < c->proof->subspaces; i++)
		print_subspace(c->problem, &c->proof->subspace[i], file);
}

void certificate_print_open(const char *layer, const char *machine, FILE *file)
{
	fprintf(file, "\nopen %s\nmachine %s\n", layer, machine);
}
