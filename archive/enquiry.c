/* enquiry - keys and their texts become a question. */
#include "archive/enquiry.h"
#include "archive/kinds.h"
#include "base/err.h"
#include "base/timetext.h"
#include "base/tz.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMN(name, type) {#name, type},
static const struct {
	const char *name;
	const char *type;
} columns[] = {KINDS_BAR_COLUMNS(COLUMN)};

/* The first column is the key of alignment, so it is no field. */
const char *enquiry_field_name(unsigned field)
{
	return field + 1 < sizeof(columns) / sizeof(columns[0])
		       ? columns[field + 1].name
		       : NULL;
}

const char *enquiry_field_type(unsigned field)
{
	return enquiry_field_name(field) ? columns[field + 1].type : NULL;
}

void enquiry_init(struct enquiry *q)
{
	*q = (struct enquiry){.n_fields = 1,
			      .as_of_ns = INT64_MAX,
			      .step_s = 60,
			      .start_ns = -9000000000 * INT64_C(1000000000),
			      .end_ns = 9000000000 * INT64_C(1000000000),
			      .tolerance_ns = INT64_MAX,
			      .max_rows = 100000,
			      .limit_ms = 60000};
	while (strcmp(enquiry_field_name(q->fields[0]), "close") != 0)
		q->fields[0]++;
}

static int bad(const char *key, const char *value, const char *want)
{
	return err_set(-EINVAL, "%s '%.64s': %s", key, value, want);
}

/* Calls @add for each piece between commas. */
static int split(struct enquiry *q, const char *text,
		 int (*add)(struct enquiry *q, const char *s, size_t len))
{
	int rc = 0;

	for (; rc == 0; text += strcspn(text, ",") + 1) {
		rc = add(q, text, strcspn(text, ","));
		if (!text[strcspn(text, ",")])
			break;
	}
	return rc;
}

static int add_symbol(struct enquiry *q, const char *s, size_t len)
{
	if (!symbol_valid(s, len))
		return err_set(-EINVAL, "'%.*s' is no symbol", (int)len, s);
	if (q->n_symbols == ENQUIRY_SYMBOLS_MAX)
		return err_set(-EINVAL, "more than %d symbols", ENQUIRY_SYMBOLS_MAX);
	for (size_t i = 0; i < q->n_symbols; i++)
		if (strlen(q->symbols[i]) == len && memcmp(q->symbols[i], s, len) == 0)
			return err_set(-EINVAL, "%s is asked for twice", q->symbols[i]);
	memcpy(q->symbols[q->n_symbols++], s, len);
	return 0;
}

static int add_field(struct enquiry *q, const char *s, size_t len)
{
	unsigned f = 0;

	while (enquiry_field_name(f) && (strlen(enquiry_field_name(f)) != len ||
					 memcmp(enquiry_field_name(f), s, len) != 0))
		f++;
	if (!enquiry_field_name(f))
		return err_set(-EINVAL, "'%.*s' is no column of a bar", (int)len, s);
	if (q->n_fields == ENQUIRY_FIELDS_MAX)
		return err_set(-EINVAL, "more than %d fields", ENQUIRY_FIELDS_MAX);
	for (size_t i = 0; i < q->n_fields; i++)
		if (q->fields[i] == f)
			return err_set(-EINVAL, "%s is asked for twice",
				       enquiry_field_name(f));
	q->fields[q->n_fields++] = f;
	return 0;
}

static int set_time(const char *key, const char *value, int64_t *out)
{
	struct buf text = {0};
	int rc;

	buf_printf(&text, strlen(value) == 10 ? "%sT00:00:00Z" : "%s", value);
	rc = timetext_parse(buf_text(&text), text.len, out);
	buf_free(&text);
	return rc == 0 ? 0
		       : bad(key, value, "a time like 2024-01-02T14:30:00Z, or a date");
}

static int set_word(const char *key, const char *value, const char *const *words,
		    const char *want, unsigned *out)
{
	for (*out = 0; words[*out]; ++*out)
		if (strcmp(words[*out], value) == 0)
			return 0;
	return bad(key, value, want);
}

static int set_count(const char *key, const char *value, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 10);
	if (errno || *end || !*value || *value == '-' || *out == 0 || *out > max)
		return bad(key, value, "a number from 1");
	return 0;
}

static int set_text(const char *key, const char *value, char *out, size_t size)
{
	size_t len = strlen(value);

	if (len >= size)
		return bad(key, value, "too long");
	memcpy(out, value, len + 1);
	return 0;
}

static int set_zone(const char *key, const char *value, char *out)
{
	struct tz *tz;

	if (tz_load(value, &tz) < 0)
		return bad(key, value, "an IANA name like America/New_York");
	tz_free(tz);
	return set_text(key, value, out, ENQUIRY_NAME_MAX + 1);
}

static int set_step(const char *key, const char *value, uint32_t *out)
{
	*out = timeframe_parse_any(value, strlen(value));
	return *out ? 0 : bad(key, value, "one like 1m, 5m, 1h, 1d");
}

static int set_shape(struct enquiry *q, const char *key, const char *value)
{
	static const char *const aligns[] = {"outer", "inner", "ffill", NULL};
	static const char *const adjusts[] = {"raw", "split", "all", NULL};
	static const char *const bools[] = {"false", "true", NULL};
	static const char *const formats[] = {"csv",   "json",  "parquet", "arrow",
					      "table", "jsonl", NULL};
	unsigned w = 0;
	int rc;

	if (strcmp(key, "align") == 0) {
		rc = set_word(key, value, aligns, "outer, inner or ffill", &w);
		q->align = (enum enquiry_align)w;
	} else if (strcmp(key, "format") == 0) {
		rc = set_word(key, value, formats,
			      "csv, json, jsonl, parquet, arrow or table", &w);
		q->format = (enum enquiry_format)w;
	} else if (strcmp(key, "zone") == 0) {
		rc = set_zone(key, value, q->zone);
	} else if (strcmp(key, "adjust") == 0) {
		rc = set_word(key, value, adjusts, "raw, split or all", &w);
		if (rc == 0)
			rc = set_text(key, value, q->adjust, sizeof(q->adjust));
	} else if (strcmp(key, "age") == 0) {
		rc = set_word(key, value, bools, "true or false", &w);
		q->age = w == 1;
	} else if (strcmp(key, "long") == 0) {
		rc = set_word(key, value, bools, "true or false", &w);
		if (w == 1)
			q->align = ENQUIRY_LONG;
	} else {
		rc = err_set(-EINVAL, "'%.64s' is no key of a question", key);
	}
	return rc;
}

int enquiry_set(struct enquiry *q, const char *key, const char *value)
{
	int64_t ns;

	if (strcmp(key, "symbols") == 0)
		return q->n_symbols = 0, split(q, value, add_symbol);
	if (strcmp(key, "fields") == 0)
		return q->n_fields = 0, split(q, value, add_field);
	if (strcmp(key, "start") == 0)
		return set_time(key, value, &q->start_ns);
	if (strcmp(key, "end") == 0)
		return set_time(key, value, &q->end_ns);
	if (strcmp(key, "as-of") == 0)
		return set_time(key, value, &q->as_of_ns);
	if (strcmp(key, "timeframe") == 0)
		return set_step(key, value, &q->step_s);
	if (strcmp(key, "resample") == 0)
		return set_step(key, value, &q->resample_s);
	if (strcmp(key, "tolerance") == 0 || strcmp(key, "limit") == 0) {
		if (timetext_duration(value, strlen(value), &ns) != 0 || ns < 0)
			return bad(key, value, "a duration like 90s, 5m, 1d");
		if (key[0] == 't')
			q->tolerance_ns = ns;
		else
			q->limit_ms = (uint64_t)ns / 1000000;
		return 0;
	}
	if (strcmp(key, "rows") == 0)
		return set_count(key, value, 1000000000, &q->max_rows);
	if (strcmp(key, "source") == 0)
		return set_text(key, value, q->source, sizeof(q->source));
	if (strcmp(key, "feed") == 0)
		return set_text(key, value, q->feed, sizeof(q->feed));
	if (strcmp(key, "index") == 0)
		return set_text(key, value, q->index, sizeof(q->index));
	if (strcmp(key, "out") == 0)
		return q->out = value, 0;
	if (strcmp(key, "sql") == 0)
		return q->sql = value, 0;
	return set_shape(q, key, value);
}
