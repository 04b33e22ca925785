/* unit.c -- units by name: the table unit.def and the words for its measures. */
#include <string.h>

#include "frontend/source/diag.h"
#include "frontend/syntax/unit.h"

static const struct unit units[] = {
#define UNIT(name, measure, factor) {name, MEASURE_##measure, factor},
#include "frontend/syntax/unit.def"
#undef UNIT
};

enum { UNIT_COUNT = sizeof units / sizeof units[0] };

static const char *const measure_names[] = {
	[MEASURE_NONE] = "a number without a unit",
	[MEASURE_DATA] = "an amount of data, as in 64 KiB",
	[MEASURE_WORDS] = "a number of words, as in 12 words",
	[MEASURE_FREQUENCY] = "a frequency, as in 200 MHz",
	[MEASURE_TIME] = "a time, as in 5 us",
	[MEASURE_RATE] = "a data rate, as in 12 GB/s",
	[MEASURE_ENERGY] = "an energy, as in 2 pJ",
	[MEASURE_POWER] = "a power, as in 278 mW",
	[MEASURE_AREA] = "an area, as in 12 mm2",
	[MEASURE_COUNT] = "a count, as in 3 cycles",
};

const struct unit *unit_find(const char *name, size_t length)
{
	for (int i = 0; i < UNIT_COUNT; i++)
		if (strlen(units[i].name) == length && memcmp(units[i].name, name, length) == 0)
			return &units[i];
	return NULL;
}

const char *unit_nearest(const char *written)
{
	const char *names[UNIT_COUNT];
	for (int i = 0; i < UNIT_COUNT; i++) {
		names[i] = units[i].name;
		if (strcasecmp(written, names[i]) == 0)
			return names[i];
	}
	return diag_nearest(written, names, UNIT_COUNT);
}

const char *unit_measure_name(enum measure measure)
{
	return measure_names[measure];
}
