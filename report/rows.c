/* rows - see report.h: rows, what is loaded into them, why parts of them fail. */
#include "base/err.h"
#include "report/report.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t parts;
} flows[FLOWS] = {
	[FLOW_TECHNICAL] = {"technical", REPORT_PRICING | REPORT_TECHNICAL},
	[FLOW_NEWS] = {"news", REPORT_NEWS},
	[FLOW_PRICING] = {"pricing", REPORT_PRICING},
	[FLOW_COMPREHENSIVE] = {"comprehensive",
				REPORT_PRICING | REPORT_TECHNICAL | REPORT_NEWS},
	[FLOW_COMBINED] = {"combined", REPORT_PRICING | REPORT_TECHNICAL | REPORT_NEWS},
};

enum report_flow report_flow_parse(const char *name)
{
	enum report_flow f = 0;

	while (f < FLOWS && strcmp(flows[f].name, name) != 0)
		f++;
	return f;
}

const char *report_flow_name(enum report_flow f)
{
	return flows[f].name;
}

uint32_t report_flow_parts(enum report_flow f)
{
	return flows[f].parts;
}

/* ---- rows ---- */

static int more_rows(struct report *r)
{
	size_t room = r->room > 0 ? 2 * r->room : 16;
	struct report_symbol *rows;

	if (r->n < r->room)
		return 0;
	if (r->n >= REPORT_SYMBOLS_MAX)
		return err_set(-E2BIG, "there are more than %d symbols: split the list",
			       REPORT_SYMBOLS_MAX);
	rows = realloc(r->rows, room * sizeof(*rows));
	if (rows == NULL)
		return err_set(-ENOMEM, "no memory for %zu symbols", room);
	r->rows = rows;
	r->room = room;
	return 0;
}

int report_add(struct report *r, const char *symbol)
{
	int rc;

	if (!symbol_valid(symbol, strlen(symbol)))
		return err_set(-EINVAL,
			       "'%.40s' is not a symbol [A-Z0-9._:/=%%-]{1,32}",
			       symbol);
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->rows[i].symbol, symbol) == 0)
			return 0;
	rc = more_rows(r);
	if (rc < 0)
		return rc;
	r->rows[r->n] = (struct report_symbol){.best = -1};
	(void)snprintf(r->rows[r->n].symbol, sizeof(r->rows->symbol), "%s", symbol);
	r->n++;
	return 0;
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct report_symbol *s = &r->rows[i];

		for (size_t k = 0; k < s->n_series; k++)
			buf_free(&s->series[k].bars);
		for (size_t k = 0; k < REPORT_LISTS; k++)
			buf_free(&s->json[k]);
		buf_free(&s->articles);
		buf_free(&s->text);
		free(s->columns);
	}
	free(r->rows);
	r->rows = NULL;
	r->n = r->room = 0;
}

static size_t place_of(uint32_t part)
{
	return part == REPORT_PRICING ? 0 : part == REPORT_TECHNICAL ? 1 : 2;
}

void report_fail(struct report_symbol *s, uint32_t part, const char *fmt, ...)
{
	char *reason = s->failed[place_of(part)];
	va_list ap;

	if (reason[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(reason, REPORT_REASON_MAX, fmt, ap);
	va_end(ap);
}

const char *report_failed(const struct report_symbol *s, uint32_t part)
{
	const char *reason = s->failed[place_of(part)];

	return reason[0] != '\0' ? reason : NULL;
}

/* ---- what is loaded ---- */

struct report_series *report_series_add(struct report_symbol *s, const char *source)
{
	struct report_series *x = &s->series[s->n_series];

	if (s->n_series == REPORT_SOURCES_MAX)
		return NULL;
	*x = (struct report_series){.rank = 0};
	(void)snprintf(x->source, sizeof(x->source), "%s", source);
	s->n_series++;
	return x;
}

const struct report_bar *report_series_bars(const struct report_series *x,
					    size_t *out_n)
{
	*out_n = x->bars.len / sizeof(struct report_bar);
	return (const struct report_bar *)(const void *)x->bars.data;
}

/* NaN fails every comparison. */
static bool can_be(const struct report_bar *b)
{
	return b->low > 0 && isfinite(b->high) && b->open >= b->low &&
	       b->open <= b->high && b->close >= b->low && b->close <= b->high &&
	       !(b->volume < 0) && !isinf(b->volume);
}

void report_series_push(struct report_series *x, const struct report_bar *bar)
{
	size_t n;
	const struct report_bar *bars = report_series_bars(x, &n);

	if (!can_be(bar) || (n > 0 && bars[n - 1].time_ns >= bar->time_ns))
		x->refused++;
	else
		buf_add(&x->bars, bar, sizeof(*bar));
}

/* How many of @x begin before @time_ns; nearly all, mostly. */
static size_t bars_before(const struct report_series *x, int64_t time_ns)
{
	size_t n;
	const struct report_bar *bars = report_series_bars(x, &n);

	while (n > 0 && bars[n - 1].time_ns >= time_ns)
		n--;
	return n;
}

void report_series_put(struct report_series *x, const struct report_bar *bar,
		       bool is_valid)
{
	size_t at = bars_before(x, bar->time_ns), n;
	const struct report_bar *bars = report_series_bars(x, &n);
	bool is_there = at < n && bars[at].time_ns == bar->time_ns;
	bool is_good = is_valid && can_be(bar);
	uint8_t *place;

	x->refused += is_valid && !is_good;
	if (!is_there && !is_good)
		return;
	if (!is_there)
		buf_add(&x->bars, bar, sizeof(*bar));
	place = x->bars.data + at * sizeof(*bar);
	if (!is_good) {
		memmove(place, place + sizeof(*bar), (n - at - 1) * sizeof(*bar));
		x->bars.len -= sizeof(*bar);
		return;
	}
	if (!is_there)
		memmove(place + sizeof(*bar), place, (n - at) * sizeof(*bar));
	memcpy(place, bar, sizeof(*bar));
}

void report_series_trim(struct report_series *x, size_t n)
{
	size_t len = n * sizeof(struct report_bar);

	if (x->bars.len <= len)
		return;
	memmove(x->bars.data, x->bars.data + x->bars.len - len, len);
	x->bars.len = len;
}

void report_series_drop(struct report_symbol *s)
{
	buf_free(&s->series[--s->n_series].bars);
}

static uint32_t keep_text(struct report_symbol *s, const char *text)
{
	uint32_t at = (uint32_t)s->text.len;

	buf_add(&s->text, text, strlen(text) + 1);
	return at;
}

void report_article_push(struct report_symbol *s, int64_t time_ns, const char *headline,
			 const char *source, const char *url)
{
	struct report_article a = {.time_ns = time_ns};

	a.headline = keep_text(s, headline);
	a.source = keep_text(s, source);
	a.url = keep_text(s, url);
	buf_add(&s->articles, &a, sizeof(a));
}

const struct report_article *report_articles(const struct report_symbol *s,
					     size_t *out_n)
{
	*out_n = s->articles.len / sizeof(struct report_article);
	return (const struct report_article *)(const void *)s->articles.data;
}

const char *report_text(const struct report_symbol *s, uint32_t at)
{
	return (const char *)s->text.data + at;
}
