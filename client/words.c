/* words - the small calls: names, times, decimals, errors. */
#include "base/decimal.h"
#include "base/err.h"
#include "base/timetext.h"
#include "client/tickbus.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <string.h>

_Static_assert(TICKBUS_TIME_MAX == TIMETEXT_MAX, "the public name of the same size");

const char *tickbus_error(void)
{
	return err_text();
}

const char *tickbus_version(void)
{
	return TICKBUS_VERSION;
}

const char *tickbus_kind_name(enum event_kind kind)
{
	return event_kind_name(kind);
}

const char *tickbus_kind_word(enum event_kind kind)
{
	return event_kind_word(kind);
}

enum event_kind tickbus_kind_parse(const char *name)
{
	return event_kind_parse(name, strlen(name));
}

const char *tickbus_reason_name(unsigned reason)
{
	return reject_name((enum reject_reason)reason);
}

const char *tickbus_timeframe_name(uint32_t seconds)
{
	return timeframe_name(seconds);
}

const char *tickbus_value_name(unsigned tier1_value)
{
	return tier1_name((enum tier1_value)tier1_value);
}

int tickbus_time_parse(const char *text, int64_t *out_ns)
{
	if (timetext_parse(text, strlen(text), out_ns) == 0)
		return 0;
	return err_set(-EINVAL, "'%.40s' is no RFC 3339 time", text);
}

void tickbus_time_print(char out[TICKBUS_TIME_MAX], int64_t ns)
{
	out[timetext_print(out, ns)] = '\0';
}

int tickbus_decimal_parse(const char *text, unsigned decimals, int64_t *out)
{
	switch (decimal_parse_exp(text, strlen(text), decimals, out)) {
	case 0:
		return 0;
	case DECIMAL_SYNTAX:
		return err_set(-EINVAL, "'%.40s' is not a number", text);
	default:
		return err_set(-ERANGE, "'%.40s' does not fit %u decimals", text,
			       decimals);
	}
}
