/*
 * rss_fuzz - any bytes as a feed, in pieces whose size the first byte says.  What comes
 * out is an article by the rules that the log applies, but for characters that the log
 * refuses; and a date, a link and a title alone are read as well.
 */
#include "base/utf8.h"
#include "feeds/rss.h"
#include "feeds/webref.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"AAPL", "BRK.B", "MSFT"};

static void check_text(const char *text, size_t cap)
{
	size_t len = strnlen(text, cap);

	if (len == cap)
		abort();
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n == 0)
			abort();
	}
}

static int on_article(void *arg, uint64_t line, const struct hist_article *a)
{
	(void)arg;
	check_text(a->id, sizeof(a->id));
	check_text(a->headline, sizeof(a->headline));
	check_text(a->publisher, sizeof(a->publisher));
	if (line == 0 || a->id[0] == '\0' || a->headline[0] == '\0' ||
	    a->created_ns == VALUE_NULL || a->updated_ns < a->created_ns ||
	    (a->url[0] != '\0' && !webref_is_url(a->url)) || a->n_symbols == 0 ||
	    a->n_symbols > 3)
		abort();
	return 0;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	(void)arg;
	if (line == 0 || why[0] == '\0')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rss_sink sink = {NULL, on_article, on_bad};
	struct rss_params p = {.url = "https://f.example/a/b", .known = {names, 3}};
	size_t piece;
	struct rss *r;
	int rc = 0;

	if (size < 2)
		return 0;
	p.match = data[0] & 3;
	p.charset = data[0] & 64 ? "windows-1252" : NULL;
	piece = data[0] & 4 ? 1u + (data[0] >> 3 & 7) * 5 : size;
	data++, size--;
	if (rss_new(&p, &sink, &r) != 0)
		return 0;
	do {
		size_t n = size < piece ? size : piece;

		rc = rss_parse(r, (const char *)data, n, n == size);
		data += n;
		size -= n;
	} while (rc == 0 && size > 0);
	rss_free(r);
	return 0;
}
