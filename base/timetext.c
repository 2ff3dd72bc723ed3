/*
 * timetext - civil dates by Hinnant's algorithms, text by position.
 */
#include "base/timetext.h"
#include "base/clock.h"
#include "base/decimal.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_S INT64_C(86400)

/*
 * Years begin in March here, so that the leap day is the last of its year; an
 * era is the 400 years (146097 days) after which the calendar repeats.
 */
int64_t timetext_days(int year, unsigned month, unsigned day)
{
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 +
		      (int64_t)day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

void timetext_civil(int64_t days, int *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
	*month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	*year = (int)(yoe + era * 400 + (*month <= 2));
}

static char *put(char *p, uint64_t v, unsigned width, char after)
{
	for (unsigned i = width; i > 0; i--) {
		p[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}
	p[width] = after;
	return p + width + 1;
}

size_t timetext_print(char *buf, int64_t ns)
{
	int64_t s = ns / NS_PER_S, frac = ns % NS_PER_S, days, tod;
	unsigned month, day;
	char *p = buf;
	int year;

	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	days = s / DAY_S;
	tod = s % DAY_S;
	if (tod < 0) {
		tod += DAY_S;
		days--;
	}
	/* An int64 of nanoseconds ends in 1677 and 2262: four digits always. */
	timetext_civil(days, &year, &month, &day);
	p = put(p, (uint64_t)year, 4, '-');
	p = put(p, month, 2, '-');
	p = put(p, day, 2, 'T');
	p = put(p, (uint64_t)(tod / 3600), 2, ':');
	p = put(p, (uint64_t)(tod / 60 % 60), 2, ':');
	p = put(p, (uint64_t)(tod % 60), 2, frac ? '.' : 'Z');
	if (frac)
		p = put(p, (uint64_t)frac, 9, 'Z');
	*p = 0;
	return (size_t)(p - buf);
}

struct scan {
	const char *at, *end;
};

/* Exactly @width digits. */
static bool number(struct scan *s, unsigned width, unsigned *out)
{
	unsigned v = 0;

	if (s->end - s->at < (ptrdiff_t)width)
		return false;
	for (unsigned i = 0; i < width; i++) {
		unsigned digit = (unsigned char)(s->at[i] - '0');

		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	s->at += width;
	*out = v;
	return true;
}

static bool letter(struct scan *s, char a, char b)
{
	if (s->at == s->end || (*s->at != a && *s->at != b))
		return false;
	s->at++;
	return true;
}

static bool fraction(struct scan *s, int64_t *out_ns)
{
	int64_t unit = NS_PER_S;
	const char *from = s->at;

	*out_ns = 0;
	while (s->at < s->end && (unsigned char)(*s->at - '0') <= 9) {
		unit /= 10;
		if (unit == 0)
			return false;
		*out_ns += unit * (*s->at++ - '0');
	}
	return s->at > from;
}

/* "Z", "+hh:mm" or "+hhmm". */
static bool zone(struct scan *s, int64_t *east_s)
{
	unsigned h, m;
	bool is_west;

	*east_s = 0;
	if (letter(s, 'Z', 'z'))
		return true;
	is_west = s->at < s->end && *s->at == '-';
	if (!letter(s, '+', '-') || !number(s, 2, &h))
		return false;
	(void)letter(s, ':', ':');
	if (!number(s, 2, &m) || h > 23 || m > 59)
		return false;
	*east_s = (int64_t)h * 3600 + (int64_t)m * 60;
	if (is_west)
		*east_s = -*east_s;
	return true;
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30,
					 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool date(struct scan *s, int64_t *out_days)
{
	unsigned year, month, day;

	if (!number(s, 4, &year) || !letter(s, '-', '-') || !number(s, 2, &month) ||
	    !letter(s, '-', '-') || !number(s, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	*out_days = timetext_days((int)year, month, day);
	return true;
}

static bool clock_time(struct scan *s, int64_t *out_s)
{
	unsigned hour, minute, second;

	if (!number(s, 2, &hour) || !letter(s, ':', ':') || !number(s, 2, &minute) ||
	    !letter(s, ':', ':') || !number(s, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*out_s = (int64_t)hour * 3600 + (int64_t)minute * 60 + second;
	return true;
}

int timetext_parse(const char *text, size_t len, int64_t *out_ns)
{
	struct scan s = {text, text + len};
	int64_t days, tod, frac = 0, east_s;
	__int128 ns;

	if (!date(&s, &days))
		return 1;
	if (!letter(&s, 'T', ' ') || !clock_time(&s, &tod))
		return 1;
	if (letter(&s, '.', '.') && !fraction(&s, &frac))
		return 1;
	if (!zone(&s, &east_s) || s.at != s.end)
		return 1;

	ns = (__int128)(days * DAY_S + tod - east_s) * NS_PER_S + frac;
	if (ns < INT64_MIN || ns > INT64_MAX)
		return 1;
	*out_ns = (int64_t)ns;
	return 0;
}

int timetext_parse_day(const char *text, int64_t *out_ns)
{
	char whole[TIMETEXT_MAX];

	if (strlen(text) != 10)
		return timetext_parse(text, strlen(text), out_ns);
	(void)snprintf(whole, sizeof(whole), "%sT00:00:00Z", text);
	return timetext_parse(whole, strlen(whole), out_ns);
}

int timetext_duration(const char *s, size_t len, int64_t *out_ns)
{
	static const struct {
		char unit[3];
		int64_t ns;
	} units[] = {
		{"ns", 1},
		{"us", NS_PER_US},
		{"ms", NS_PER_MS},
		{"s", NS_PER_S},
		{"m", 60 * NS_PER_S},
		{"h", 3600 * NS_PER_S},
		{"d", DAY_S * NS_PER_S},
	};
	size_t digits = 0;
	int64_t n, ns;

	while (digits < len && (unsigned char)(s[digits] - '0') <= 9)
		digits++;
	if (decimal_parse(s, digits, 0, &n) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n_unit = strlen(units[i].unit);

		if (len - digits != n_unit ||
		    memcmp(s + digits, units[i].unit, n_unit) != 0)
			continue;
		if (__builtin_mul_overflow(n, units[i].ns, &ns))
			return 1;
		*out_ns = ns;
		return 0;
	}
	return 1;
}
