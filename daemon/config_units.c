/*
 * config_units - sizes and durations, which never go without their unit: "64" might
 * be bytes or mebibytes, and a factor of a million is not a typing error one sees.
 */
#include "daemon/config_units.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/timetext.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define WHY CONFIG_WHY

static int bad(char *why, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, WHY, fmt, ap);
	va_end(ap);
	return 1;
}

static const struct {
	const char *unit;
	int64_t bytes;
} byte_units[] = {
	{"TiB", INT64_C(1) << 40},
	{"GiB", INT64_C(1) << 30},
	{"MiB", INT64_C(1) << 20},
	{"KiB", INT64_C(1) << 10},
	{"B", 1},
};

#define BYTE_UNITS (sizeof(byte_units) / sizeof(byte_units[0]))

void config_bytes_print(uint64_t v, char out[CONFIG_UNIT_TEXT])
{
	size_t i = 0;

	while (i + 1 < BYTE_UNITS && (v == 0 || v % (uint64_t)byte_units[i].bytes != 0))
		i++;
	(void)snprintf(out, CONFIG_UNIT_TEXT, "%llu%s",
		       (unsigned long long)(v / (uint64_t)byte_units[i].bytes),
		       byte_units[i].unit);
}

int config_bytes_parse(const char *s, int64_t min, int64_t max, int64_t *out,
		       char why[WHY])
{
	size_t n = strspn(s, "0123456789");
	char low[CONFIG_UNIT_TEXT], high[CONFIG_UNIT_TEXT];

	if (strcmp(s, "off") == 0 && min == 0) {
		*out = 0;
		return 0;
	}
	if (n > 0 && s[n] == 0)
		return bad(why, "%.40s needs a unit (B, KiB, MiB, GiB, TiB): %.40sMiB?",
			   s, s);
	for (size_t i = 0; i < BYTE_UNITS; i++) {
		if (n == 0 || strcmp(s + n, byte_units[i].unit) != 0)
			continue;
		if (decimal_parse(s, n, 0, out) != 0 ||
		    __builtin_mul_overflow(*out, byte_units[i].bytes, out))
			break;
		if (*out >= min && *out <= max)
			return 0;
		config_bytes_print((uint64_t)min, low);
		config_bytes_print((uint64_t)max, high);
		return bad(why, "%.40s is not between %s and %s", s, low, high);
	}
	return bad(why, "'%.60s' is not a size like 64MiB", s);
}

static const struct {
	const char *unit;
	int64_t ns;
} time_units[] = {
	{"d", 86400 * NS_PER_S},
	{"h", 3600 * NS_PER_S},
	{"m", 60 * NS_PER_S},
	{"s", NS_PER_S},
	{"ms", NS_PER_MS},
	{"us", NS_PER_US},
	{"ns", 1},
};

void config_duration_print(int64_t ns, char out[CONFIG_UNIT_TEXT])
{
	size_t i = 0;

	while (time_units[i].ns > 1 && (ns == 0 || ns % time_units[i].ns != 0))
		i++;
	if (ns == 0)
		i = 3;
	(void)snprintf(out, CONFIG_UNIT_TEXT, "%lld%s",
		       (long long)(ns / time_units[i].ns), time_units[i].unit);
}

int config_duration_parse(const char *s, int64_t min, int64_t max, int64_t *out,
			  char why[WHY])
{
	char low[CONFIG_UNIT_TEXT], high[CONFIG_UNIT_TEXT];

	if (strcmp(s, "off") == 0 && min == 0) {
		*out = 0;
		return 0;
	}
	if (*s && s[strspn(s, "0123456789")] == 0)
		return bad(why, "%.40s needs a unit (ns, us, ms, s, m, h, d): %.40ss?",
			   s, s);
	if (timetext_duration(s, strlen(s), out) != 0)
		return bad(why, "'%.60s' is not a duration like 250ms", s);
	if (*out >= min && *out <= max)
		return 0;
	config_duration_print(min, low);
	config_duration_print(max, high);
	return bad(why, "%.40s is not between %s and %s", s, low, high);
}
