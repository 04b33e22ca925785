/* unit.h -- units of quantities in .hw files, from the table unit.def.
 * A quantity is a number times a unit's factor, in the base of the unit's measure. */
#ifndef FRONTEND_UNIT_H
#define FRONTEND_UNIT_H

#include <stddef.h>

enum measure {
	MEASURE_NONE,       /* a plain number */
	MEASURE_DATA,       /* bits */
	MEASURE_WORDS,      /* machine words */
	MEASURE_FREQUENCY,  /* Hz */
	MEASURE_TIME,       /* seconds */
	MEASURE_RATE,       /* bits per second */
	MEASURE_ENERGY,     /* joules */
	MEASURE_POWER,      /* watts */
	MEASURE_AREA,       /* square metres */
	MEASURE_COUNT       /* cycles, hops */
};

struct unit {
	const char *name;     /* "KiB" */
	enum measure measure;
	double factor;        /* 8192 (bits) */
};

/* NULL when no unit has this name. */
const struct unit *unit_find(const char *name, size_t length);
/* The unit's name that is nearest to what was written, upper and lower case aside, or NULL. */
const char *unit_nearest(const char *written);
/* The measure in words, with an example: "a frequency, as in 200 MHz". */
const char *unit_measure_name(enum measure);

#endif
