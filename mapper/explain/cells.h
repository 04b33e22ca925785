/* cells.h -- what the tables of a mapped network have in common. */
#ifndef MAPPER_CELLS_H
#define MAPPER_CELLS_H

#include "mapper/explain/columns.h"
#include "mapper/explain/network_report.h"

/* Part of the units that work, in percent, on average over the steps of the arithmetic. */
double report_utilisation(const struct hierarchy *, int64_t macs, int64_t steps);
/* "compute", "dram read", "buffer port I", "buffer network". */
const char *report_bound(struct arena *, const struct hierarchy *, const struct cost *);
/* Of energies: "J", or "" where it is the machine's own. */
const char *report_unit(const struct hierarchy *);
/* Says where there is nothing to map. */
bool report_is_empty(const struct network_mapping *, FILE *);
void report_heading(struct columns *, const char *const word[], int count);
/* What is not in the table, and why; and what in it is more than is done. */
void report_left_out(const struct network_mapping *, FILE *);
/* What reuse saves. */
void report_accesses(struct arena *, const struct network_mapping *, FILE *);

#endif
