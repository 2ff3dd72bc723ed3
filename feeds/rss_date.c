/* rss_date - see rss_date.h. */
#include "feeds/rss_date.h"
#include "base/timetext.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\r\n";

static const struct {
	const char *name;
	const char *offset;
} zones[] = {{"Z", "Z"},        {"UT", "Z"},       {"UTC", "Z"},
	     {"GMT", "Z"},      {"EST", "-05:00"}, {"EDT", "-04:00"},
	     {"CST", "-06:00"}, {"CDT", "-05:00"}, {"MST", "-07:00"},
	     {"MDT", "-06:00"}, {"PST", "-08:00"}, {"PDT", "-07:00"}};

static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";

/* At least @min digits, at most @max; -1: not so many, or others behind them. */
static int number(const char **at, size_t min, size_t max)
{
	int v = 0;
	size_t n = 0;

	for (; isdigit((unsigned char)**at); n++, (*at)++) {
		if (n == max)
			return -1;
		v = v * 10 + (**at - '0');
	}
	return n >= min ? v : -1;
}

static void skip_blanks(const char **at)
{
	*at += strspn(*at, blanks);
}

/* "Mon," or "Monday,": who cares which. */
static void skip_weekday(const char **at)
{
	const char *c = *at;

	while (isalpha((unsigned char)*c))
		c++;
	if (c == *at)
		return;
	c += *c == '.';
	c += *c == ',';
	*at = c;
	skip_blanks(at);
}

static int month(const char **at)
{
	size_t n = 0;

	while (isalpha((unsigned char)(*at)[n]))
		n++;
	if (n < 3)
		return -1;
	for (int m = 0; m < 12; m++) {
		if (strncasecmp(months + m * 3, *at, 3) != 0)
			continue;
		*at += n;
		*at += **at == '.';
		return m + 1;
	}
	return -1;
}

static int year(const char **at)
{
	const char *from = *at;
	int y = number(at, 2, 4);

	if (y < 0 || *at - from == 4)
		return y;
	if (*at - from == 3)
		return y + 1900;
	return y + (y < 50 ? 2000 : 1900);
}

/* The zone as RFC 3339 writes it, or NULL. */
static const char *zone(const char *at, char out[8])
{
	size_t len = strcspn(at, " \t\r\n(");
	const char *rest = at + len + strspn(at + len, blanks);

	if (*rest != '\0' && *rest != '(')
		return NULL;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (strlen(zones[i].name) == len &&
		    strncasecmp(zones[i].name, at, len) == 0)
			return zones[i].offset;
	if ((*at != '+' && *at != '-') || (len != 5 && !(len == 6 && at[3] == ':')))
		return NULL;
	(void)snprintf(out, 8, "%.3s:%.2s", at, at + len - 2);
	return out;
}

static int parse_822(const char *at, int64_t *out_ns)
{
	int d, mon, y, h, min, s = 0;
	char text[64], offset[8];
	const char *z;

	skip_weekday(&at);
	d = number(&at, 1, 2);
	skip_blanks(&at);
	at += *at == '-';
	mon = month(&at);
	skip_blanks(&at);
	at += *at == '-';
	y = year(&at);
	skip_blanks(&at);
	h = number(&at, 1, 2);
	if (d < 0 || mon < 0 || y < 0 || h < 0 || *at++ != ':')
		return 1;
	min = number(&at, 2, 2);
	if (*at == ':') {
		at++;
		s = number(&at, 2, 2);
	}
	skip_blanks(&at);
	z = zone(at, offset);
	if (min < 0 || s < 0 || z == NULL)
		return 1;
	(void)snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%s", y, mon, d,
		       h, min, s, z);
	return timetext_parse(text, strlen(text), out_ns);
}

/* "2026-01-05T14:30+02:00" lacks what timetext wants. */
static int parse_3339(const char *text, size_t len, int64_t *out_ns)
{
	char whole[64];

	if (len == 10) {
		(void)snprintf(whole, sizeof(whole), "%.10s", text);
		return timetext_parse_day(whole, out_ns);
	}
	if (len > 16 && len < 32 && text[13] == ':' && text[16] != ':') {
		(void)snprintf(whole, sizeof(whole), "%.16s:00%.*s", text,
			       (int)(len - 16), text + 16);
		return timetext_parse(whole, strlen(whole), out_ns);
	}
	return timetext_parse(text, len, out_ns);
}

int rss_date_parse(const char *text, int64_t *out_ns)
{
	size_t len;
	bool is_3339;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	is_3339 = len >= 10 && isdigit((unsigned char)text[0]) &&
		  isdigit((unsigned char)text[3]) && text[4] == '-';
	return is_3339 ? parse_3339(text, len, out_ns) : parse_822(text, out_ns);
}
