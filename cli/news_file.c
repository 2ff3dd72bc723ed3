/* news_file - see news_file.h. */
#include "cli/news_file.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/timetext.h"
#include "cli/symbol_file.h"
#include "feeds/lines.h"
#include "feeds/rss.h"
#include "proto/article.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES (256u << 10)
#define COLUMNS_MAX    64
#define LOOK_BYTES     256
#define KNOWN_MAX      10000

enum column { ID = 1, TIME, UPDATED, HEADLINE, SYMBOLS, URL, PUBLISHER, SUMMARY };

static const struct {
	const char *name;
	enum column column;
} names[] = {{"id", ID},          {"time", TIME},           {"date", TIME},
	     {"published", TIME}, {"updated", UPDATED},     {"headline", HEADLINE},
	     {"title", HEADLINE}, {"symbols", SYMBOLS},     {"symbol", SYMBOLS},
	     {"stock", SYMBOLS},  {"ticker", SYMBOLS},      {"url", URL},
	     {"link", URL},       {"publisher", PUBLISHER}, {"summary", SUMMARY}};

struct reader {
	const struct news_file_sink *sink;
	struct news_file_options *options;
	bool has_head, is_csv;
	enum column columns[COLUMNS_MAX];
	size_t n_columns;
	struct buf field;
};

int news_file_symbols(struct hist_article *a, const char *list)
{
	static const char between[] = " ,;";
	const size_t max = sizeof(a->symbols) / SYMBOL_MAX;

	for (list += strspn(list, between); *list != '\0';
	     list += strspn(list, between)) {
		size_t len = strcspn(list, between);

		if (!symbol_valid(list, len))
			return err_set(-EINVAL, "'%.*s' is no symbol",
				       (int)(len < 40 ? len : 40), list);
		if (a->n_symbols == max)
			return err_set(-EINVAL, "more than %zu symbols", max);
		memcpy(a->symbols[a->n_symbols++], list, len);
		list += len;
	}
	return 0;
}

/* The same article has the same id whenever it is read. */
static void make_id(struct hist_article *a)
{
	struct buf text = {0};

	buf_printf(&text, "%lld %s", (long long)a->created_ns, a->headline);
	for (uint32_t i = 0; i < a->n_symbols; i++)
		buf_printf(&text, " %.*s", SYMBOL_MAX, a->symbols[i]);
	(void)snprintf(a->id, sizeof(a->id), "%016llx",
		       (unsigned long long)article_key("file", buf_text(&text)));
	buf_free(&text);
}

static int deliver(struct reader *r, uint64_t line, struct hist_article *a)
{
	if (a->n_symbols == 0 && news_file_symbols(a, r->options->symbols) < 0) {
		r->sink->bad(r->sink->arg, line, err_text());
		return 0;
	}
	if (a->updated_ns == VALUE_NULL)
		a->updated_ns = a->created_ns;
	if (a->id[0] == '\0')
		make_id(a);
	return r->sink->article(r->sink->arg, line, a);
}

static int read_json(struct reader *r, const struct line *line)
{
	struct hist_article a;
	char why[ARTICLE_REASON_MAX];

	if (article_read(line->text, line->len, &a, why) == REJECT_NONE)
		return deliver(r, line->number, &a);
	r->sink->bad(r->sink->arg, line->number, why);
	return 0;
}

/* ---- CSV ---- */

static int read_head(struct reader *r, const struct line *line)
{
	const char *at = line->text, *end = line->text + line->len;
	bool has[SUMMARY + 1] = {false};

	while (symbol_file_field(&at, end, &r->field)) {
		const char *name = buf_text(&r->field);
		enum column c = 0;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (strcasecmp(name, names[i].name) == 0)
				c = names[i].column;
		if (r->n_columns == COLUMNS_MAX)
			return err_set(-EINVAL, "more than %d columns", COLUMNS_MAX);
		r->columns[r->n_columns++] = has[c] ? 0 : c;
		has[c] = c != 0;
	}
	if (!has[TIME] || !has[HEADLINE])
		return err_set(-EINVAL, "its header has no column of times (time, "
					"date, published) or of headlines (headline, "
					"title)");
	return 0;
}

static bool take_text(char *out, size_t cap, const struct buf *field)
{
	if (field->len >= cap)
		return false;
	memcpy(out, field->data, field->len);
	out[field->len] = '\0';
	return memchr(out, '\0', field->len) == NULL;
}

static bool take_time(int64_t *out, const struct buf *field)
{
	return timetext_parse((const char *)field->data, field->len, out) == 0;
}

static bool take_field(enum column c, struct buf *field, struct hist_article *a)
{
	(void)buf_text(field);
	if (field->len == 0)
		return true;
	switch (c) {
	case ID:
		return take_text(a->id, sizeof(a->id), field);
	case TIME:
		return take_time(&a->created_ns, field);
	case UPDATED:
		return take_time(&a->updated_ns, field);
	case HEADLINE:
		return take_text(a->headline, sizeof(a->headline), field);
	case SYMBOLS:
		return news_file_symbols(a, buf_text(field)) == 0;
	case URL:
		return take_text(a->url, sizeof(a->url), field);
	case PUBLISHER:
		return take_text(a->publisher, sizeof(a->publisher), field);
	case SUMMARY:
		break;
	}
	return true;
}

static int read_row(struct reader *r, const struct line *line)
{
	const char *at = line->text, *end = line->text + line->len;
	struct hist_article a = {.created_ns = VALUE_NULL, .updated_ns = VALUE_NULL};

	for (size_t i = 0; symbol_file_field(&at, end, &r->field); i++) {
		if (i < r->n_columns && take_field(r->columns[i], &r->field, &a))
			continue;
		r->sink->bad(r->sink->arg, line->number,
			     i < r->n_columns ? "a field is too long, no time or no "
						"symbol"
					      : "more fields than the header has");
		return 0;
	}
	return deliver(r, line->number, &a);
}

/* ---- both ---- */

static int read_line(struct reader *r, const struct line *line)
{
	struct line l = *line;

	if (!r->has_head && l.len >= 3 && memcmp(l.text, "\xef\xbb\xbf", 3) == 0) {
		l.text += 3;
		l.len -= 3;
	}
	if (l.len == strspn(l.text, " \t\r") || l.len == 0)
		return 0;
	if (r->has_head)
		return r->is_csv ? read_row(r, &l) : read_json(r, &l);
	r->has_head = true;
	r->is_csv = l.text[strspn(l.text, " \t")] != '{';
	return r->is_csv ? read_head(r, &l) : read_json(r, &l);
}

static int read_lines(struct reader *r, struct lines *l)
{
	struct line line;
	int rc = 0;

	while (rc == 0 && (rc = lines_next(l, r->is_csv, ',', &line)) != LINES_END) {
		if (rc > 0) {
			r->sink->bad(r->sink->arg, line.number,
				     "is too long, or a quote is not closed");
			rc = 0;
		} else if (rc == 0) {
			rc = read_line(r, &line);
		}
	}
	return rc == LINES_END ? 0 : rc;
}

/* ---- feeds ---- */

static bool is_feed(const char *text, size_t len)
{
	if (len >= 2 && ((text[0] == '\xff' && text[1] == '\xfe') ||
			 (text[0] == '\xfe' && text[1] == '\xff') ||
			 (text[0] == '<' && text[1] == '\0') ||
			 (text[0] == '\0' && text[1] == '<')))
		return true; /* UTF-16 */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, len -= 3;
	while (len > 0 && strchr(" \t\r\n", *text) != NULL)
		text++, len--;
	return len > 0 && *text == '<';
}

static int on_article(void *arg, uint64_t line, const struct hist_article *a)
{
	struct hist_article own = *a;

	return deliver(arg, line, &own);
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	const struct reader *r = arg;

	r->sink->bad(r->sink->arg, line, why);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in the list: @out points into @text. */
static int take_known(const char *list, struct buf *text, struct buf *out)
{
	static const char between[] = " ,;";
	size_t n = 0;

	buf_add(text, list, strlen(list) + 1);
	for (char *at = (char *)text->data, *end; *at != '\0'; at = end) {
		at += strspn(at, between);
		end = at + strcspn(at, between);
		if (end == at)
			break;
		if (!symbol_valid(at, (size_t)(end - at)))
			return err_set(-EINVAL, "'%.40s' is no symbol", at);
		if (++n > KNOWN_MAX)
			return err_set(-EINVAL, "more than %d symbols", KNOWN_MAX);
		if (*end != '\0')
			*end++ = '\0';
		buf_add(out, &at, sizeof(at));
	}
	qsort(out->data, n, sizeof(char *), by_name);
	return 0;
}

static int read_feed(struct reader *r, struct lines *l)
{
	const struct rss_sink sink = {r, on_article, on_bad};
	struct buf text = {0}, known = {0};
	struct rss_params p = {.url = r->options->url, .match = r->options->match};
	struct rss *feed = NULL;
	const char *data;
	size_t n = 1;
	int rc = take_known(r->options->symbols, &text, &known);

	p.known = (struct mention_known){(const char *const *)(void *)known.data,
					 known.len / sizeof(char *)};
	if (rc == 0)
		rc = rss_new(&p, &sink, &feed);
	while (rc == 0 && n > 0) {
		rc = lines_bytes(l, 0, &data, &n);
		if (rc == 0)
			rc = rss_parse(feed, data, n, n == 0);
	}
	if (feed != NULL)
		r->options->unmatched += rss_counts(feed).unmatched;
	rss_free(feed);
	buf_free(&text);
	buf_free(&known);
	return rc;
}

int news_file_read(const char *path, struct news_file_options *o,
		   const struct news_file_sink *sink)
{
	struct reader r = {.sink = sink, .options = o};
	struct lines *l = NULL;
	const char *text;
	size_t len = 0;
	int rc = lines_open(path, LINE_MAX_BYTES, &l);

	if (rc == 0)
		rc = lines_bytes(l, LOOK_BYTES, &text, &len);
	if (rc == 0)
		rc = is_feed(text, len) ? read_feed(&r, l) : read_lines(&r, l);
	lines_close(l);
	buf_free(&r.field);
	return rc < 0 ? err_prefix(rc, "%s", path) : rc;
}
