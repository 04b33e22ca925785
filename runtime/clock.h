/* clock.h -- how late it is, for budgets: a clock that nobody sets. */
#ifndef RUNTIME_CLOCK_H
#define RUNTIME_CLOCK_H

/* Seconds since some moment. */
double clock_seconds(void);

#endif
