/*
 * databento - how Databento's history is asked, and what its errors mean.
 *
 * One POST gives everything of a range in one stream, selected and ordered by ts_recv;
 * the end is exclusive.  Our pages are made with `limit`: what is full is followed by a
 * question that begins at its last instant (databento_rows.c).  Ticks happened a little
 * before they were received: we ask for a second more and keep what happened in time.
 */
#include "feeds/databento.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DAY_S   86400
#define DAY_NS  (DAY_S * NS_PER_S)
#define LATE_NS NS_PER_S

static const struct {
	uint32_t step_s;
	const char *schema;
} bars[] = {{1, "ohlcv-1s"}, {60, "ohlcv-1m"}, {3600, "ohlcv-1h"}, {DAY_S, "ohlcv-1d"}};

/* The first day that begins at @ns or later. */
static int day_from(bool is_newyork, int64_t ns, int64_t *out)
{
	int64_t of_day_ns = ns % DAY_NS;
	int rc = 0;

	/* Beyond what a zone is asked for, New York is UTC as well. */
	if (!is_newyork || ns < 0 || ns > INT64_MAX - DAY_NS) {
		of_day_ns += of_day_ns < 0 ? DAY_NS : 0;
		*out = (ns - of_day_ns) / DAY_NS;
	} else {
		rc = vendor_newyork(ns, out, &of_day_ns);
	}
	*out += of_day_ns > 0;
	return rc;
}

int databento_days(const struct vendor_settings *s, const struct vendor_ask *a,
		   int64_t *out_first, int64_t *out_after)
{
	bool is_newyork = databento_is_newyork(s->dataset);
	int rc;

	*out_first = *out_after = 0;
	rc = day_from(is_newyork, a->start_ns, out_first);
	if (rc == 0)
		rc = day_from(is_newyork, a->end_ns, out_after);
	/* What is asked for must not be empty, nor lie in the future. */
	if (rc == 0 && *out_first >= *out_after) {
		*out_after = *out_first;
		(*out_first)--;
	}
	return rc;
}

static const char *schema_of(const struct vendor_ask *a)
{
	if (a->what == VENDOR_TRADES)
		return "trades";
	if (a->what == VENDOR_QUOTES)
		return "mbp-1";
	for (size_t i = 0; i < sizeof(bars) / sizeof(*bars); i++)
		if (bars[i].step_s == a->step_s)
			return bars[i].schema;
	return NULL;
}

static int check_ask(const struct vendor_settings *s, const struct vendor_ask *a)
{
	int rc = vendor_check(&databento_ops, a);

	if (rc < 0)
		return rc;
	if (s->dataset[0] == '\0')
		return err_set(-EINVAL, "Databento is asked for a dataset like "
					"XNAS.ITCH, and none is configured");
	if (a->what != VENDOR_BARS)
		return 0;
	if (a->adjust != HIST_RAW)
		return err_set(-EINVAL, "Databento adjusts nothing: ask for raw");
	if (!schema_of(a))
		return err_set(
			-EINVAL,
			"Databento has bars of 1 s, 1 min, 1 h and 1 day, not of "
			"%u s",
			a->step_s);
	return 0;
}

static void field(struct buf *form, const char *name, const char *value)
{
	buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
	vendor_escape(form, value, strlen(value));
}

/* An instant, unless it is one of those that mean "all there is". */
static void field_time(struct buf *form, const char *name, int64_t ns)
{
	char text[TIMETEXT_MAX];

	if (ns == INT64_MAX)
		return;
	timetext_print(text, ns < 0 ? 0 : ns);
	field(form, name, text);
}

static void field_date(struct buf *form, const char *name, int64_t days)
{
	struct buf text = {0};

	if (days < INT64_MAX / DAY_NS) {
		vendor_date(&text, "", days < 0 ? 0 : days);
		field(form, name, buf_text(&text));
	}
	buf_free(&text);
}

static int range(const struct vendor_settings *s, const struct vendor_ask *a,
		 const char *next, struct buf *form)
{
	bool is_bars = a->what == VENDOR_BARS;
	int64_t end_ns = a->end_ns, first, after;
	int rc;

	if (is_bars && a->step_s == DAY_S) {
		rc = databento_days(s, a, &first, &after);
		if (rc < 0)
			return rc;
		if (next[0] == '\0')
			field_date(form, "start", first);
		else
			field(form, "start", next);
		field_date(form, "end", after);
		return 0;
	}
	if (!is_bars && __builtin_add_overflow(end_ns, LATE_NS, &end_ns))
		end_ns = INT64_MAX;
	if (next[0] == '\0')
		field_time(form, "start", a->start_ns);
	else
		field(form, "start", next);
	field_time(form, "end", end_ns);
	return 0;
}

static void field_symbols(struct buf *form, const struct vendor_ask *a)
{
	buf_printf(form, "&symbols=");
	for (size_t i = 0; i < a->n_symbols; i++) {
		if (i > 0)
			buf_add(form, ",", 1);
		vendor_escape(form, a->symbols[i], strlen(a->symbols[i]));
	}
}

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void add_base64(struct buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)data[i] << 16;
		char four[4] = {'=', '=', '=', '='};

		if (n > 1)
			v |= (uint32_t)data[i + 1] << 8;
		if (n > 2)
			v |= data[i + 2];
		for (size_t k = 0; k <= n; k++)
			four[k] = alphabet[v >> (18 - 6 * k) & 63];
		buf_add(out, four, 4);
	}
}

static void authorize(struct buf *headers, const struct secret *key)
{
	struct buf clear = {0};

	if (!key)
		return;
	/* Growing would leave the key behind in freed memory. */
	(void)buf_reserve(&clear, 2048);
	if (headers->cap == 0)
		(void)buf_reserve(headers, 4096);
	secret_add(key, &clear);
	buf_add(&clear, ":", 1);
	buf_printf(headers, "Authorization: Basic ");
	add_base64(headers, clear.data, clear.len);
	buf_add(headers, "", 1);
	secret_wipe(&clear);
}

static int ask_request(const struct vendor_settings *s, const struct vendor_ask *a,
		       const char *next, struct vendor_request *out)
{
	struct buf *form = &out->form;
	char limit[16];
	int rc = check_ask(s, a);

	if (rc < 0)
		return rc;
	out->is_post = true;
	buf_printf(&out->target, "/v0/timeseries.get_range");
	field(form, "dataset", s->dataset);
	field(form, "schema", schema_of(a));
	field_symbols(form, a);
	field(form, "stype_in", "raw_symbol");
	field(form, "stype_out", "instrument_id");
	rc = range(s, a, next, form);
	(void)snprintf(limit, sizeof(limit), "%u",
		       vendor_limit(databento_ops.rows_max[a->what], a));
	field(form, "limit", limit);
	field(form, "encoding", "dbn");
	field(form, "compression", "zstd");
	authorize(&out->headers, s->key);
	return rc;
}

int databento_resolve_request(const struct vendor_settings *s,
			      const struct vendor_ask *a, struct vendor_request *out)
{
	struct buf *form = &out->form;
	int64_t first, after;
	int rc = databento_days(s, a, &first, &after);

	if (rc < 0)
		return rc;
	out->is_post = true;
	buf_printf(&out->target, "/v0/symbology.resolve");
	field(form, "dataset", s->dataset);
	field_symbols(form, a);
	field(form, "stype_in", "raw_symbol");
	field(form, "stype_out", "instrument_id");
	/* The day that the range begins in counts as well. */
	field_date(form, "start_date", first - 1);
	field_date(form, "end_date", after);
	authorize(&out->headers, s->key);
	return 0;
}

static bool says(const char *message, const char *part)
{
	return strcasestr(message, part) != NULL;
}

/* "data_end_after_available_end": history is some time behind what happens. */
static bool is_too_new(const char *message, const char *body, size_t len)
{
	static const char part[] = "after_available_end";

	return says(message, "after the available") ||
	       (len > 0 && memmem(body, len, part, strlen(part)) != NULL);
}

/* 206 is a success of which some symbols are missing. */
static void problem(const struct vendor_settings *s, long status,
		    const char *content_type, const char *body, size_t len,
		    struct vendor_problem *out)
{
	bool is_success = status == 200 || status == 206;
	char message[VENDOR_WHY_MAX] = "";

	(void)content_type;
	/* The body of a success is rows, which say nothing that could be shown. */
	if (!is_success || (len > 0 && (body[0] == '<' || body[0] == '{')))
		vendor_message(body, len, message);
	vendor_problem_write(s, "databento", is_success ? 200 : status, message, out);
	if (is_success &&
	    strncmp(err_text(), DATABENTO_UNKNOWN, strlen(DATABENTO_UNKNOWN)) == 0)
		out->verdict = VENDOR_UNKNOWN;
	else if (out->verdict == VENDOR_REFUSED &&
		 (says(message, "could be resolved") ||
		  says(message, "invalid symbol") || says(message, "symbol not found")))
		out->verdict = VENDOR_UNKNOWN;
	else if (out->verdict == VENDOR_REFUSED && is_too_new(message, body, len))
		out->verdict = VENDOR_FORBIDDEN; /* not wrong, only not yet covered */
}

const struct vendor_ops databento_ops = {
	.name = "databento",
	.can = 1u << VENDOR_BARS | 1u << VENDOR_TRADES | 1u << VENDOR_QUOTES,
	.rows_max = {[VENDOR_BARS] = DATABENTO_BARS_MAX,
		     [VENDOR_TRADES] = DATABENTO_TICKS_MAX,
		     [VENDOR_QUOTES] = DATABENTO_TICKS_MAX},
	.symbols_max = 2000,
	.has_pages = true,
	.check = check_ask,
	.request = ask_request,
	.parse = databento_parse,
	.problem = problem,
};
