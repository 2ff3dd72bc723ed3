/* onesymbol - files, maker, revisions, then adjusting (adjust.c), then resampling. */
#include "archive/layout.h"
#include "archive/onesymbol_own.h"
#include "base/err.h"
#include "proto/timeframe.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const uint32_t steps[] = {86400, 14400, 7200, 3600, 1800, 900, 600, 300,
				 120,   60,    30,   15,   10,   5,   1};

/* "ROOT/equities_1min/symbol=BRK%2FB" */
static int folder_of(const struct series *s, const char *root, uint32_t step_s,
		     struct buf *out)
{
	struct layout_part part = {.step_s = step_s};
	int rc;

	snprintf(part.symbol, sizeof(part.symbol), "%s", s->symbol);
	rc = layout_path(out, root, &part);
	if (rc == 0)
		out->len =
			(size_t)(strstr(buf_text(out), "/year=") - (char *)out->data);
	return rc;
}

/* Closed bars, and those that are not yet. */
static const char *root_of(const struct series *s, size_t i)
{
	return i == 0 ? s->a->dir : s->q->live;
}

static bool has_bars(const struct series *s, uint32_t step_s)
{
	bool yes = false;

	for (size_t i = 0; i < 2 && root_of(s, i); i++) {
		struct buf path = {0};

		yes |= folder_of(s, root_of(s, i), step_s, &path) == 0 &&
		       access(buf_text(&path), F_OK) == 0;
		buf_free(&path);
	}
	return yes;
}

/* The bars that were asked for; when there are none, the longest that make them. */
static int choose_step(struct series *s)
{
	s->from_s = s->q->step_s;
	s->to_s = s->q->resample_s ? s->q->resample_s : s->q->step_s;
	for (size_t i = 0; !s->q->resample_s && !has_bars(s, s->from_s); i++) {
		if (i == sizeof(steps) / sizeof(steps[0]))
			return err_set(-ENOENT,
				       "the archive has no bars of %s over %s, nor "
				       "any to make them of",
				       s->symbol, timeframe_name(s->to_s));
		if (steps[i] < s->to_s && s->to_s % steps[i] == 0)
			s->from_s = steps[i];
	}
	if (s->to_s % s->from_s != 0 || s->to_s < s->from_s)
		return err_set(-EINVAL, "bars over %s cannot be made of those over %s",
			       timeframe_name(s->to_s), timeframe_name(s->from_s));
	return 0;
}

static int64_t up_to(int64_t ns, int64_t step)
{
	int64_t rest = (ns % step + step) % step;

	return rest ? ns + step - rest : ns;
}

/* Of ".../year=2024/month=01/data.parquet". */
int32_t onesymbol_month(const char *path)
{
	const char *at = strstr(path, "/year=");
	unsigned month = 0;
	int year = 0;

	for (const char *next = at; next; next = strstr(at + 1, "/year="))
		at = next;
	if (!at || sscanf(at, "/year=%5d/month=%2u/", &year, &month) != 2)
		return 0;
	return year * 100 + (int32_t)month;
}

static int find_files(struct series *s)
{
	size_t closed = 0;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2 && root_of(s, i); i++) {
		struct buf pattern = {0};

		closed = s->files.gl_pathc;
		rc = folder_of(s, root_of(s, i), s->from_s, &pattern);
		buf_printf(&pattern, "/year=*/month=*/data.parquet");
		if (rc == 0)
			(void)glob(buf_text(&pattern), i ? GLOB_APPEND : 0, NULL,
				   &s->files);
		buf_free(&pattern);
		if (i == 1)
			s->has_doubles = s->files.gl_pathc > closed;
	}
	if (rc == 0 && s->files.gl_pathc == 0)
		rc = err_set(-ENOENT, "the archive has no bars of %s over %s",
			     s->symbol, timeframe_name(s->from_s));
	return rc;
}

/* read_parquet([...]) of the months of the range; 1: there are none. */
static int files_sql(const struct series *s, struct buf *sql)
{
	int32_t first = layout_month(s->start_ns);
	int32_t last = layout_month(s->end_ns - 1);
	size_t n = 0;

	for (size_t i = 0; i < s->files.gl_pathc; i++) {
		const char *path = s->files.gl_pathv[i];
		int32_t month = onesymbol_month(path);

		if (month < first || month > last)
			continue;
		buf_printf(sql, n++ == 0 ? "read_parquet([" : ", ");
		duck_quote(sql, path, strlen(path));
	}
	if (n > 0)
		buf_printf(sql, "], hive_partitioning=false)");
	return n > 0 ? 0 : 1;
}

static void equals_sql(struct buf *sql, const char *column, const char *value)
{
	if (!value[0])
		return;
	buf_printf(sql, " AND %s = ", column);
	duck_quote(sql, value, strlen(value));
}

static void range_sql(const struct series *s, struct buf *sql)
{
	buf_printf(sql,
		   " WHERE bar_start >= make_timestamp_ns(%" PRId64 ") AND "
		   "bar_start < make_timestamp_ns(%" PRId64 ")",
		   s->start_ns, s->end_ns);
}

void onesymbol_maker_sql(const struct series *s, struct buf *sql)
{
	static const char *const columns[] = {"source", "feed", "adjust", "price_type"};

	for (size_t i = 0; i < 4; i++) {
		buf_printf(sql, " AND %s = ", columns[i]);
		duck_quote(sql, s->maker[i], strlen(s->maker[i]));
	}
}

/* The texts and the flags stand in one text, between separators that none has. */
static int another_maker(void *arg, const char *text)
{
	struct series *s = arg;
	char part[5][40] = {{0}};

	for (size_t i = 0; i < 5; i++) {
		size_t len = strcspn(text, "\x1f");

		snprintf(part[i], sizeof(part[i]), "%.*s", (int)len, text);
		text += len + (text[len] != '\0');
	}
	if (s->makers++ > 0)
		return err_set(-EINVAL,
			       "%s has bars of %s %s %s %s and of %s %s %s %s in "
			       "this range: say which with source, feed and adjust",
			       s->symbol, s->maker[0], s->maker[1], s->maker[2],
			       s->maker[3], part[0], part[1], part[2], part[3]);
	memcpy(s->maker, part, sizeof(s->maker));
	s->has_doubles |= strcmp(part[4], "true") == 0;
	return 0;
}

/* Bars of two makers side by side would be two values for one cell. */
static int find_maker(struct series *s, const char *files, const char *adjust)
{
	struct buf sql = {0};
	struct duck *d;
	int rc = archive_reader(s->a, &d);

	buf_printf(&sql,
		   "SELECT concat_ws(chr(31), " KINDS_MAKER ", max(revision) > 0 OR "
		   "bool_or(coalesce(is_missing, false))) FROM %s",
		   files);
	range_sql(s, &sql);
	equals_sql(&sql, "source", s->q->source);
	equals_sql(&sql, "feed", s->q->feed);
	equals_sql(&sql, "adjust", adjust);
	buf_printf(&sql, " GROUP BY " KINDS_MAKER " ORDER BY 1 LIMIT 2");
	s->makers = 0;
	if (rc == 0)
		rc = duck_each_text(d, buf_text(&sql), another_maker, s);
	buf_free(&sql);
	return rc;
}

/* Raw bars are adjusted here; where a symbol has none, those that its vendor adjusted
   in the same way will do. */
static int settle_maker(struct series *s, const char *files)
{
	const char *adjust = s->q->adjust;
	bool asks = adjust[0] && strcmp(adjust, "raw") != 0;
	int rc = find_maker(s, files, asks ? "raw" : adjust);

	s->is_adjusted = rc == 0 && asks && s->makers > 0;
	if (rc == 0 && asks && s->makers == 0)
		rc = find_maker(s, files, adjust);
	return rc == 0 && s->makers == 0 ? 1 : rc;
}

/* ---- resampling ---- */

/* What a coarser bar has of the bars that it is made of.  Sums are of integers, as
   exact as the files, or in the order of time: the same whatever thread adds. */
static const char *const coarser[][2] = {
	{"open", "arg_min(open, bar_start)"},
	{"high", "max(high)"},
	{"low", "min(low)"},
	{"close", "arg_max(close, bar_start)"},
	{"volume", "sum(round(volume * 1e8)::HUGEINT)::DOUBLE / 1e8"},
	{"trade_count", "sum(trade_count::HUGEINT)::DOUBLE"},
	{"vwap", "sum(vwap * volume ORDER BY bar_start) / nullif(sum(volume ORDER BY "
		 "bar_start) FILTER (vwap IS NOT NULL), 0)"},
	{"bar_start", "make_timestamp_ns(b)"},
	{"revision", "max(revision)"},
	{"final", "bool_and(final)"},
	{"state", "min(state)"},
	{"source", "min(source)"},
	{"feed", "min(feed)"},
	{"adjust", "min(adjust)"},
	{"price_type", "min(price_type)"},
	{"is_missing", "bool_or(coalesce(is_missing, false))"},
	{"is_outlier", "bool_or(is_outlier)"},
	{"valid_bar", "bool_and(valid_bar)"},
};

static int coarser_sql(const struct series *s, struct buf *sql)
{
	buf_printf(sql, "SELECT make_timestamp_ns(b + %" PRId64 ") AS timestamp",
		   s->to_s * ONE);
	for (size_t f = 0; f < s->q->n_fields; f++) {
		const char *name = enquiry_field_name(s->q->fields[f]);
		size_t i = 0;
		size_t n = sizeof(coarser) / sizeof(coarser[0]);

		while (i < n && strcmp(coarser[i][0], name) != 0)
			i++;
		if (i == n)
			return err_set(-EINVAL,
				       "%s of a bar over %s cannot be made of bars "
				       "over %s: leave it out",
				       name, timeframe_name(s->to_s),
				       timeframe_name(s->from_s));
		buf_printf(sql, ", %s AS %s", coarser[i][1], name);
	}
	buf_printf(sql,
		   " FROM (SELECT *, epoch_ns(bar_start) - (epoch_ns(bar_start) %% "
		   "%" PRId64 " + %" PRId64 ") %% %" PRId64 " AS b FROM (",
		   s->to_s * ONE, s->to_s * ONE, s->to_s * ONE);
	return 0;
}

static void same_sql(const struct series *s, struct buf *sql)
{
	buf_printf(sql, "SELECT timestamp");
	for (size_t f = 0; f < s->q->n_fields; f++)
		buf_printf(sql, ", %s", enquiry_field_name(s->q->fields[f]));
	buf_printf(sql, " FROM ((");
}

static int select_sql(struct series *s, const char *files, struct buf *sql,
		      bool *out_is_raw)
{
	bool is_coarser = s->to_s != s->from_s;
	int rc = 0;

	if (is_coarser)
		rc = coarser_sql(s, sql);
	else
		same_sql(s, sql);
	buf_printf(sql, "SELECT ");
	if (rc == 0)
		rc = onesymbol_adjust_sql(s, sql, out_is_raw);
	buf_printf(sql, " FROM (SELECT * FROM %s", files);
	range_sql(s, sql);
	onesymbol_maker_sql(s, sql);
	/* A sort of all that there is, for the few series that need one. */
	if (s->has_doubles)
		buf_printf(sql, " QUALIFY row_number() OVER (PARTITION BY bar_start "
				"ORDER BY revision DESC, final DESC) = 1");
	buf_printf(sql, ")%s))%s",
		   s->has_doubles ? " WHERE NOT coalesce(is_missing, false)" : "",
		   is_coarser ? " GROUP BY b" : "");
	return rc;
}

/* What joins makers into one series: semantics are in enquiry.h. */
static void joined_sql(const struct series *s, const char *files, struct buf *sql)
{
	static const char *const numbers[][2] = {
		{"open", "open"},         {"high", "high"},     {"low", "low"},
		{"close", "close"},       {"volume", "volume"}, {"vwap", "vwap"},
		{"trades", "trade_count"}};

	buf_printf(sql,
		   "SELECT strftime(bar_start, '%%Y-%%m-%%dT%%H:%%M:%%SZ') AS time");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		buf_printf(sql, ", regexp_replace(%s::VARCHAR, '\\.0$', '') AS %s",
			   numbers[i][1], numbers[i][0]);
	buf_printf(sql, ", source, feed, revision, final FROM %s", files);
	range_sql(s, sql);
	buf_printf(sql, " AND adjust = 'raw'");
	equals_sql(sql, "source", s->q->source);
	equals_sql(sql, "feed", s->q->feed);
	buf_printf(sql, " AND NOT coalesce(is_missing, false) QUALIFY row_number() "
			"OVER (PARTITION BY bar_start ORDER BY feed = "
			"'" BARROW_OWN "' DESC, source, feed, price_type, revision "
			"DESC, final DESC) = 1 ORDER BY bar_start");
}

int onesymbol_joined_sql(struct archive *a, const struct enquiry *q, struct buf *sql)
{
	struct series s = {.a = a,
			   .q = q,
			   .symbol = q->symbols[0],
			   .from_s = q->step_s,
			   .start_ns = q->start_ns,
			   .end_ns = q->end_ns};
	struct buf files = {0};
	int rc = find_files(&s);

	if (rc == 0)
		rc = files_sql(&s, &files);
	if (rc == 1)
		rc = err_set(-ENOENT,
			     "the archive has no bars of %s over %s in this "
			     "range",
			     s.symbol, timeframe_name(s.from_s));
	if (rc == 0)
		joined_sql(&s, buf_text(&files), sql);
	globfree(&s.files);
	buf_free(&files);
	return rc;
}

static int check_fields(const struct series *s)
{
	for (size_t f = 0; s->is_adjusted && f < s->q->n_fields; f++)
		if (strcmp(enquiry_field_name(s->q->fields[f]), "log_return_1") == 0)
			return err_set(-EINVAL,
				       "log_return_1 is of raw closes: leave it out, "
				       "or export with adjust raw");
	return 0;
}

int onesymbol_sql(struct archive *a, const struct enquiry *q, const char *symbol,
		  struct buf *sql, bool *out_is_raw)
{
	struct series s = {.a = a, .q = q, .symbol = symbol};
	struct buf files = {0};
	int rc = choose_step(&s);

	*out_is_raw = false;
	s.start_ns =
		s.to_s == s.from_s ? q->start_ns : up_to(q->start_ns, s.to_s * ONE);
	s.end_ns = s.to_s == s.from_s ? q->end_ns : up_to(q->end_ns, s.to_s * ONE);
	if (rc == 0)
		rc = find_files(&s);
	if (rc == 0)
		rc = files_sql(&s, &files);
	if (rc == 0)
		rc = settle_maker(&s, buf_text(&files));
	if (rc == 0)
		rc = check_fields(&s);
	if (rc == 0)
		rc = select_sql(&s, buf_text(&files), sql, out_is_raw);
	globfree(&s.files);
	buf_free(&files);
	return rc;
}
