/*
 * tz - TZif files (RFC 8536) and the POSIX rule in their footer.
 *
 * A file is two copies of the same data: one with 32-bit times, which is
 * skipped, and one with 64-bit times.  What is kept is a sorted array of
 * instants with the offset that begins at each, and the rule for the time
 * after the last.
 */
#include "base/tz.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_DIR       "/usr/share/zoneinfo/"
#define NAME_MAX_BYTES 64
#define FILE_MAX_BYTES (1 << 18)
#define HEADER_BYTES   44
#define DAY_S          86400
#define OFFSET_MAX_S   (26 * 3600)
/* Callers' times are clamped to about +-35 million years, so sums cannot overflow. */
#define TIME_MAX_S (INT64_C(1) << 50)

enum rule_kind { RULE_MONTH, RULE_JULIAN, RULE_DAY };

/* One change of a POSIX rule: "M3.2.0/2", "J60" or "59". */
struct rule_day {
	enum rule_kind kind;
	unsigned month, week, day;
	int32_t time_s; /* local, may be negative or beyond a day */
};

struct rule {
	bool is_set;
	bool has_dst;
	int32_t std_s, dst_s; /* east of UTC */
	struct rule_day start, end;
};

struct tz {
	size_t n;
	int64_t *at;     /* owned */
	int32_t *offset; /* owned; in force from at[i] on */
	int32_t first_s; /* before at[0] */
	struct rule rule;
};

struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* ---- the footer ---- */

static bool skip_name(const char **s)
{
	const char *p = *s;
	size_t n;

	if (*p == '<') {
		p++;
		while (*p && *p != '>')
			p++;
		if (*p != '>')
			return false;
		*s = p + 1;
		return true;
	}
	n = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
	*s = p + n;
	return n >= 3;
}

static bool read_uint(const char **s, unsigned max, unsigned *out)
{
	unsigned v = 0;
	const char *p = *s;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (unsigned)(*p - '0');
		if (v > max)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*out = v;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_hms(const char **s, int32_t *out_s)
{
	unsigned h = 0, m = 0, sec = 0;
	bool is_negative = **s == '-';

	if (**s == '-' || **s == '+')
		++*s;
	if (!read_uint(s, 167, &h))
		return false;
	if (**s == ':') {
		++*s;
		if (!read_uint(s, 59, &m))
			return false;
	}
	if (**s == ':') {
		++*s;
		if (!read_uint(s, 59, &sec))
			return false;
	}
	*out_s = (int32_t)(h * 3600 + m * 60 + sec);
	if (is_negative)
		*out_s = -*out_s;
	return true;
}

static bool read_rule_day(const char **s, struct rule_day *d)
{
	*d = (struct rule_day){.time_s = 2 * 3600};
	if (*(*s)++ != ',')
		return false;
	if (**s == 'M') {
		d->kind = RULE_MONTH;
		++*s;
		if (!read_uint(s, 12, &d->month) || *(*s)++ != '.' ||
		    !read_uint(s, 5, &d->week) || *(*s)++ != '.' ||
		    !read_uint(s, 6, &d->day) || d->month < 1 || d->week < 1)
			return false;
	} else if (**s == 'J') {
		d->kind = RULE_JULIAN;
		++*s;
		if (!read_uint(s, 365, &d->day) || d->day < 1)
			return false;
	} else {
		d->kind = RULE_DAY;
		if (!read_uint(s, 365, &d->day))
			return false;
	}
	if (**s != '/')
		return true;
	++*s;
	return read_hms(s, &d->time_s);
}

static bool read_rule(const char *s, struct rule *r)
{
	*r = (struct rule){.is_set = true};
	if (!skip_name(&s) || !read_hms(&s, &r->std_s))
		return false;
	r->std_s = -r->std_s; /* POSIX counts westwards */
	if (*s == 0)
		return r->std_s >= -OFFSET_MAX_S && r->std_s <= OFFSET_MAX_S;

	r->has_dst = true;
	r->dst_s = r->std_s + 3600;
	if (!skip_name(&s))
		return false;
	if (*s != ',') {
		if (!read_hms(&s, &r->dst_s))
			return false;
		r->dst_s = -r->dst_s;
	}
	if (abs(r->std_s) > OFFSET_MAX_S || abs(r->dst_s) > OFFSET_MAX_S)
		return false;
	return read_rule_day(&s, &r->start) && read_rule_day(&s, &r->end) && *s == 0;
}

static int64_t rule_local_day(const struct rule_day *d, int year)
{
	int64_t first = timetext_days(year, 1, 1);
	bool is_leap = timetext_days(year, 3, 1) - timetext_days(year, 2, 1) == 29;
	int64_t day, next_month, weekday;

	if (d->kind == RULE_DAY)
		return first + d->day;
	if (d->kind == RULE_JULIAN)
		return first + d->day - 1 + (is_leap && d->day >= 60);

	first = timetext_days(year, d->month, 1);
	next_month = d->month == 12 ? timetext_days(year + 1, 1, 1)
				    : timetext_days(year, d->month + 1, 1);
	weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	day = first + (d->day + 7 - weekday) % 7 + ((int64_t)d->week - 1) * 7;
	while (day >= next_month)
		day -= 7;
	return day;
}

/* UTC of a change in @year; @before_s is the offset in force until then. */
static int64_t rule_change(const struct rule_day *d, int year, int32_t before_s)
{
	return rule_local_day(d, year) * DAY_S + d->time_s - before_s;
}

/* Summer is [start, the next end), and may reach into the following year. */
static int32_t rule_offset(const struct rule *r, int64_t utc_s)
{
	int64_t local = utc_s + r->std_s;
	int64_t days = local / DAY_S - (local % DAY_S < 0);
	unsigned month, day;
	int year;

	if (!r->has_dst)
		return r->std_s;
	timetext_civil(days, &year, &month, &day);
	for (int y = year - 1; y <= year + 1; y++) {
		int64_t start = rule_change(&r->start, y, r->std_s);
		int64_t end = rule_change(&r->end, y, r->dst_s);

		if (end <= start)
			end = rule_change(&r->end, y + 1, r->dst_s);
		if (utc_s >= start && utc_s < end)
			return r->dst_s;
	}
	return r->std_s;
}

/* ---- the file ---- */

static bool read_counts(const uint8_t *p, size_t len, struct counts *c)
{
	if (len < HEADER_BYTES || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	*c = (struct counts){be32(p + 20), be32(p + 24), be32(p + 28),
			     be32(p + 32), be32(p + 36), be32(p + 40)};
	return true;
}

static uint64_t block_bytes(const struct counts *c, unsigned time_size)
{
	return (uint64_t)c->time * (time_size + 1) + (uint64_t)c->type * 6 + c->chars +
	       (uint64_t)c->leap * (time_size + 4) + c->isstd + c->isut;
}

/* The arrays of a 64-bit block that is known to lie inside the file. */
static int read_block(struct tz *tz, const uint8_t *p, const struct counts *c)
{
	const uint8_t *index = p + (size_t)c->time * 8;
	const uint8_t *types = index + c->time;

	tz->n = c->time;
	tz->at = calloc(tz->n + 1, sizeof(*tz->at));
	tz->offset = calloc(tz->n + 1, sizeof(*tz->offset));
	if (!tz->at || !tz->offset)
		return err_set(-ENOMEM, "no memory for a time zone");

	for (uint32_t i = 0; i < c->type; i++) {
		int32_t s = (int32_t)be32(types + (size_t)i * 6);

		if (s < -OFFSET_MAX_S || s > OFFSET_MAX_S)
			return err_set(-EINVAL, "an offset of %d s is no time zone's",
				       s);
	}
	tz->first_s = (int32_t)be32(types);
	for (size_t i = 0; i < tz->n; i++) {
		tz->at[i] = be64(p + i * 8);
		if (i > 0 && tz->at[i] <= tz->at[i - 1])
			return err_set(-EINVAL, "its changes are not in order");
		if (index[i] >= c->type)
			return err_set(-EINVAL, "a change to type %u of %u", index[i],
				       c->type);
		tz->offset[i] = (int32_t)be32(types + (size_t)index[i] * 6);
	}
	return 0;
}

static int read_footer(struct tz *tz, const uint8_t *p, size_t len)
{
	char text[128];
	const uint8_t *end;
	size_t n;

	if (len < 2 || p[0] != '\n')
		return err_set(-EINVAL, "the footer is missing");
	end = memchr(p + 1, '\n', len - 1);
	if (!end)
		return err_set(-EINVAL, "the footer does not end");
	n = (size_t)(end - p) - 1;
	if (n == 0)
		return 0;
	if (n >= sizeof(text) || memchr(p + 1, 0, n))
		return err_set(-EINVAL, "the footer is no rule");
	memcpy(text, p + 1, n);
	text[n] = 0;
	if (!read_rule(text, &tz->rule))
		return err_set(-EINVAL, "the footer '%s' is no rule", text);
	return 0;
}

static int read_image(struct tz *tz, const uint8_t *p, size_t len)
{
	struct counts c;
	uint64_t skip;
	int rc;

	if (!read_counts(p, len, &c))
		return err_set(-EINVAL, "not a TZif file of version 2 or later");
	skip = HEADER_BYTES + block_bytes(&c, 4);
	if (skip > len || !read_counts(p + skip, len - skip, &c))
		return err_set(-EINVAL, "its 64-bit part is missing");
	p += skip + HEADER_BYTES;
	len -= skip + HEADER_BYTES;

	if (c.leap != 0)
		return err_set(-EINVAL, "it counts leap seconds; UTC does not");
	if (c.type < 1 || c.type > 256 || block_bytes(&c, 8) > len)
		return err_set(-EINVAL, "its counts do not fit the file");
	rc = read_block(tz, p, &c);
	if (rc < 0)
		return rc;
	skip = block_bytes(&c, 8);
	return read_footer(tz, p + skip, len - skip);
}

int tz_parse(const void *image, size_t len, struct tz **out)
{
	struct tz *tz = calloc(1, sizeof(*tz));
	int rc;

	*out = NULL;
	if (!tz)
		return err_set(-ENOMEM, "no memory for a time zone");
	rc = read_image(tz, image, len);
	if (rc < 0) {
		tz_free(tz);
		return rc;
	}
	*out = tz;
	return 0;
}

static bool is_zone_name(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MAX_BYTES || name[0] == '/' || name[n - 1] == '/')
		return false;
	if (strstr(name, "..") || strstr(name, "//"))
		return false;
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			    "0123456789_+-./") == n;
}

static int read_file(int fd, uint8_t *data, size_t cap, size_t *len)
{
	*len = 0;
	while (*len < cap) {
		ssize_t n = read(fd, data + *len, cap - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*len += (size_t)n;
	}
	return -EFBIG;
}

static int load_file(const char *path, struct tz **out)
{
	struct stat st;
	uint8_t *data = NULL;
	size_t len;
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(-errno, "%s: %m", path);
	rc = -EINVAL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX_BYTES) {
		rc = err_set(rc, "%s is not a time zone file", path);
		goto out;
	}
	rc = -ENOMEM;
	data = malloc(FILE_MAX_BYTES + 1);
	if (data)
		rc = read_file(fd, data, FILE_MAX_BYTES + 1, &len);
	if (rc < 0) {
		rc = err_set(rc, "%s: %s", path, strerror(-rc));
		goto out;
	}
	rc = tz_parse(data, len, out);
	if (rc < 0)
		rc = err_prefix(rc, "%s", path);
out:
	free(data);
	(void)close(fd);
	return rc;
}

int tz_load(const char *name, struct tz **out)
{
	char path[sizeof(ZONE_DIR) + NAME_MAX_BYTES];

	*out = NULL;
	if (!is_zone_name(name))
		return err_set(-EINVAL, "'%.80s' is not the name of a time zone", name);
	/* A zeroed zone is UTC, and needs no file: machines without tzdata exist. */
	if (strcmp(name, "UTC") == 0) {
		*out = calloc(1, sizeof(**out));
		return *out ? 0 : err_set(-ENOMEM, "no memory for a time zone");
	}
	(void)snprintf(path, sizeof(path), "%s%s", ZONE_DIR, name);
	return load_file(path, out);
}

void tz_free(struct tz *tz)
{
	if (!tz)
		return;
	free(tz->at);
	free(tz->offset);
	free(tz);
}

static int64_t clamp_s(int64_t s)
{
	if (s > TIME_MAX_S)
		return TIME_MAX_S;
	return s < -TIME_MAX_S ? -TIME_MAX_S : s;
}

int32_t tz_offset_s(const struct tz *tz, int64_t utc_s)
{
	size_t low = 0, high = tz->n;

	utc_s = clamp_s(utc_s);
	if (tz->rule.is_set && (tz->n == 0 || utc_s >= tz->at[tz->n - 1]))
		return rule_offset(&tz->rule, utc_s);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (tz->at[mid] <= utc_s)
			low = mid + 1;
		else
			high = mid;
	}
	return low == 0 ? tz->first_s : tz->offset[low - 1];
}

/*
 * The two offsets that can matter are those in force well before and well
 * after; a local time is right for an offset if that offset is in force at the
 * instant it gives.  If neither is, the time fell into the gap of a change,
 * and the change lies between the two instants.
 */
int64_t tz_to_utc_s(const struct tz *tz, int64_t local_s)
{
	int32_t before, after;
	int64_t early, late;

	local_s = clamp_s(local_s);
	before = tz_offset_s(tz, local_s - OFFSET_MAX_S);
	after = tz_offset_s(tz, local_s + OFFSET_MAX_S);
	if (tz_offset_s(tz, local_s - before) == before)
		return local_s - before;
	if (tz_offset_s(tz, local_s - after) == after)
		return local_s - after;

	early = local_s - after;
	late = local_s - before;
	while (late - early > 1) {
		int64_t mid = early + (late - early) / 2;

		if (tz_offset_s(tz, mid) == before)
			early = mid;
		else
			late = mid;
	}
	return late;
}
