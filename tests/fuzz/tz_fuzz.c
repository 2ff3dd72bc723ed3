/* tz_fuzz - a damaged TZif file is refused or gives offsets within 26 hours. */
#include "base/tz.h"
#include <stdlib.h>

#define DAY_S INT64_C(86400)

static void ask(const struct tz *tz, int64_t s)
{
	int32_t offset = tz_offset_s(tz, s);
	int64_t back = tz_to_utc_s(tz, s);

	if (offset < -26 * 3600 || offset > 26 * 3600)
		abort();
	if (s > -(INT64_C(1) << 49) && s < (INT64_C(1) << 49) &&
	    (back - s > 27 * 3600 || s - back > 27 * 3600))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tz *tz;

	if (tz_parse(data, size, &tz) != 0)
		return 0;
	for (int64_t year = -100; year < 200; year += 7)
		ask(tz, year * 365 * DAY_S + year * 3571);
	ask(tz, INT64_MIN);
	ask(tz, INT64_MAX);
	tz_free(tz);
	return 0;
}
