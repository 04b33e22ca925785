/* report.h -- the files that a mapped network becomes: mappings (.map) and report data (.json). What is wrong is in diag, and
 * the result false. docs/mapping-a-network.md describes the JSON. */
#ifndef BACKEND_REPORT_H
#define BACKEND_REPORT_H

#include "mapper/explain/network_report.h"

/* Machines stand in the order of the command line. The same mapping gives the same bytes. The text is malloc'd; NULL: no memory. */
char *report_json(int machines, const struct mapped_machine[]);
/* All mappings, machine by machine; NULL: no memory. */
char *report_maps(int machines, const struct mapped_machine[], size_t *size);
/* The proofs of all mappings, which were certified; NULL: no memory. */
char *report_certificate(int machines, const struct mapped_machine machine[], size_t *size);
/* Writes what the ending of the path asks for, .map, .json, .certificate or .timeloop.yaml; another path is a folder, into which
 * all but the last go under the network's name, a certificate if there are proofs. */
bool report_write(const char *path, int machines, const struct mapped_machine[], struct diag *);

#endif
