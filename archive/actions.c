/* actions - a small file, read, merged and replaced as a whole. */
#include "archive/actions.h"
#include "archive/layout.h"
#include "archive/metalines.h"
#include "base/decimal.h"
#include "base/err.h"
#include "base/timetext.h"
#include "base/tz.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "ex_date,kind,value,zone"
#define ONE    INT64_C(1000000000)

static const char *const kinds[] = {[ACTION_SPLIT] = "split",
				    [ACTION_DIVIDEND] = "dividend",
				    [ACTION_SPIN_OFF] = "spin_off"};

static int bad(const char *what, const char *text, const char *want)
{
	return err_set(-EINVAL, "%s '%.40s': %s", what, text, want);
}

static int parse_date(const char *text, int32_t *out)
{
	char whole[24];
	int64_t ns;
	unsigned month;
	unsigned day;
	int year;

	snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
	if (strlen(text) != 10 || timetext_parse(whole, strlen(whole), &ns) != 0)
		return bad("ex_date", text, "a date like 2014-06-09 is needed");
	timetext_civil(ns / 86400 / ONE, &year, &month, &day);
	*out = year * 10000 + (int32_t)(month * 100 + day);
	return 0;
}

static int parse_value(const char *text, struct action *out)
{
	size_t len = strcspn(text, "/");
	const char *divisor = text[len] ? text + len + 1 : "1";

	if (decimal_parse(text, len, 9, &out->value_e9) != 0 ||
	    decimal_parse(divisor, strlen(divisor), 9, &out->divisor_e9) != 0 ||
	    out->value_e9 <= 0 || out->divisor_e9 <= 0)
		return bad("value", text, "a number above 0 is needed");
	if (out->kind != ACTION_SPLIT && text[len])
		return bad("value", text, "a ratio is for splits");
	return 0;
}

int actions_parse(const char *ex_date, const char *kind, const char *value,
		  const char *zone, struct action *out)
{
	struct tz *tz;
	int rc;

	*out = (struct action){.kind = ACTION_SPLIT};
	while (out->kind <= ACTION_SPIN_OFF && strcmp(kinds[out->kind], kind) != 0)
		out->kind++;
	if (out->kind > ACTION_SPIN_OFF)
		return bad("kind", kind, "split, dividend or spin_off");
	rc = parse_date(ex_date, &out->ex_date);
	if (rc == 0)
		rc = parse_value(value, out);
	if (rc < 0)
		return rc;
	if (!*zone)
		zone = "UTC";
	if (strlen(zone) > ACTIONS_ZONE_MAX || tz_load(zone, &tz) < 0)
		return bad("zone", zone, "an IANA name like America/New_York");
	tz_free(tz);
	memcpy(out->zone, zone, strlen(zone) + 1);
	return 0;
}

int actions_ex_ns(const struct action *a, uint32_t step_s, int64_t *out)
{
	int64_t day =
		timetext_days(a->ex_date / 10000, (unsigned)(a->ex_date / 100 % 100),
			      (unsigned)(a->ex_date % 100));
	struct tz *tz;
	int rc;

	if (step_s >= 86400) {
		*out = (day * 86400 - 43200) * ONE;
		return 0;
	}
	rc = tz_load(a->zone, &tz);
	if (rc < 0)
		return rc;
	*out = tz_to_utc_s(tz, day * 86400) * ONE;
	tz_free(tz);
	return 0;
}

static int path_of(struct buf *out, const char *dir, const char *symbol)
{
	char name[3 * SYMBOL_MAX + 1];

	if (!symbol_valid(symbol, strlen(symbol)))
		return err_set(-EINVAL, "'%.40s' is no symbol", symbol);
	symbol_path(symbol, strlen(symbol), name);
	buf_printf(out, "%s/metadata/actions/%s.csv", dir, name);
	buf_text(out);
	return 0;
}

/* Four fields; the line is cut at its commas. */
static int read_line(char *line, void *out)
{
	char *field[4];

	line[strcspn(line, "\r\n")] = '\0';
	for (size_t i = 0; i < 4; i++) {
		field[i] = line;
		line += strcspn(line, ",");
		if ((*line == ',') != (i < 3))
			return -EBADMSG;
		if (*line)
			*line++ = '\0';
	}
	return actions_parse(field[0], field[1], field[2], field[3], out);
}

int actions_read_file(const char *path, struct buf *out)
{
	static const struct metalines_shape shape = {HEADER, "corporate action",
						     sizeof(struct action), read_line};

	return metalines_read(path, &shape, out);
}

int actions_read(const char *dir, const char *symbol, struct buf *out)
{
	struct buf path = {0};
	int rc = path_of(&path, dir, symbol);

	if (rc == 0)
		rc = actions_read_file(buf_text(&path), out);
	buf_free(&path);
	return rc;
}

static int order(const void *x, const void *y)
{
	const struct action *a = x;
	const struct action *b = y;

	if (a->ex_date != b->ex_date)
		return a->ex_date < b->ex_date ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (a->value_e9 > b->value_e9) - (a->value_e9 < b->value_e9);
}

static int write_file(const char *path, const char *tmp, const struct action *a,
		      size_t n)
{
	char value[DECIMAL_TEXT_MAX];
	char divisor[DECIMAL_TEXT_MAX];
	struct buf up = {0};
	struct buf text = {0};
	int rc;

	buf_printf(&text, HEADER "\n");
	for (size_t i = 0; i < n; i++) {
		int len = (int)decimal_print(value, a[i].value_e9, 9);
		int dlen = (int)decimal_print(divisor, a[i].divisor_e9, 9);
		bool is_ratio = a[i].divisor_e9 != ONE;

		buf_printf(&text, "%04d-%02d-%02d,%s,%.*s%s%.*s,%s\n",
			   a[i].ex_date / 10000, a[i].ex_date / 100 % 100,
			   a[i].ex_date % 100, kinds[a[i].kind], len, value,
			   is_ratio ? "/" : "", is_ratio ? dlen : 0, divisor,
			   a[i].zone);
	}
	buf_add(&up, path, (size_t)(strrchr(path, '/') - path));
	rc = layout_mkdirs(buf_text(&up));
	if (rc == 0)
		rc = layout_write(path, tmp, text.data, text.len);
	buf_free(&text);
	buf_free(&up);
	return rc;
}

static bool has_date(const struct action *a, size_t n, int32_t date)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].ex_date == date)
			return true;
	return false;
}

int actions_put(const char *dir, const char *symbol, const char *tmp,
		const struct action *actions, size_t n, size_t *out_total)
{
	struct buf path = {0};
	struct buf old = {0};
	struct buf all = {0};
	const struct action *a;
	int rc = path_of(&path, dir, symbol);

	if (rc == 0)
		rc = actions_read(dir, symbol, &old);
	if (rc >= 0) {
		a = (const void *)old.data;
		for (size_t i = 0; i < old.len / sizeof(*a); i++)
			if (!has_date(actions, n, a[i].ex_date))
				buf_add(&all, &a[i], sizeof(*a));
		buf_add(&all, actions, n * sizeof(*a));
		*out_total = all.len / sizeof(*a);
		if (*out_total > 0)
			qsort(all.data, *out_total, sizeof(*a), order);
		rc = write_file(buf_text(&path), tmp, (void *)all.data, *out_total);
	}
	buf_free(&path);
	buf_free(&old);
	buf_free(&all);
	return rc;
}
