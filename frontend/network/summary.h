/* summary.h -- a network in one table: per layer its operators, output, work and parameters. */
#ifndef FRONTEND_SUMMARY_H
#define FRONTEND_SUMMARY_H

#include "frontend/network/network.h"

void summary_print(const struct network *, FILE *);

#endif
