/* timeframe - the closed list of bar steps. */
#include "proto/timeframe.h"
#include <stdio.h>
#include <string.h>

static const struct {
	uint32_t seconds;
	const char *name;
} frames[] = {
	{1, "1s"},     {5, "5s"},    {10, "10s"},  {15, "15s"},   {30, "30s"},
	{60, "1m"},    {120, "2m"},  {300, "5m"},  {600, "10m"},  {900, "15m"},
	{1800, "30m"}, {3600, "1h"}, {7200, "2h"}, {14400, "4h"}, {86400, "1d"},
};

uint32_t timeframe_parse(const char *s, size_t len)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++)
		if (strlen(frames[i].name) == len &&
		    memcmp(frames[i].name, s, len) == 0)
			return frames[i].seconds;
	return 0;
}

uint32_t timeframe_parse_any(const char *s, size_t len)
{
	static const char *const words[] = {"min", "hour", "day"};
	size_t n = 0;
	char text[8];

	while (n < len && s[n] >= '0' && s[n] <= '9')
		n++;
	for (size_t i = 0; i < 3 && n > 0 && n < 4; i++) {
		if (len - n != strlen(words[i]) ||
		    memcmp(s + n, words[i], len - n) != 0)
			continue;
		(void)snprintf(text, sizeof(text), "%.*s%c", (int)n, s, words[i][0]);
		return timeframe_parse(text, n + 1);
	}
	return timeframe_parse(s, len);
}

const char *timeframe_name(uint32_t seconds)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++)
		if (frames[i].seconds == seconds)
			return frames[i].name;
	return "?";
}
