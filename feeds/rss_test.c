/* rss_test - feeds as they come, and as somebody means no good. */
#include "base/buf.h"
#include "base/err.h"
#include "feeds/rss.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEEP_MAX 8
#define T0       INT64_C(1767623400000000000) /* 2026-01-05T14:30:00Z */

static const char *const names[] = {"AAPL", "MSFT"};

static struct {
	struct hist_article article[KEEP_MAX];
	uint64_t line[KEEP_MAX];
	size_t n;
	char bad[KEEP_MAX][160];
	size_t n_bad;
	int stop; /* what the sink says */
} got;

static int on_article(void *arg, uint64_t line, const struct hist_article *a)
{
	(void)arg;
	if (got.n < KEEP_MAX) {
		got.article[got.n] = *a;
		got.line[got.n] = line;
	}
	got.n++;
	return got.stop;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	(void)arg;
	if (got.n_bad < KEEP_MAX)
		(void)snprintf(got.bad[got.n_bad], sizeof(got.bad[0]), "%llu: %s",
			       (unsigned long long)line, why);
	got.n_bad++;
}

static struct rss_counts counts;

/* In pieces of @piece bytes; 0: all at once. */
static int read_as(const struct rss_params *p, const char *text, size_t len,
		   size_t piece)
{
	const struct rss_sink sink = {NULL, on_article, on_bad};
	struct rss *r = NULL;
	int rc;

	memset(&got.article, 0, sizeof(got.article));
	got.n = got.n_bad = 0;
	assert_int_equal(rss_new(p, &sink, &r), 0);
	if (piece == 0)
		piece = len;
	do {
		size_t n = len < piece ? len : piece;

		rc = rss_parse(r, text, n, n == len);
		text += n;
		len -= n;
	} while (rc == 0 && len > 0);
	counts = rss_counts(r);
	rss_free(r);
	return rc;
}

static int read_text(const char *text)
{
	const struct rss_params p = {.known = {names, 2}};

	return read_as(&p, text, strlen(text), 0);
}

#define ITEM(inside)                                                                   \
	"<rss "                                                                        \
	"version='2.0'><channel><title>c</title><link>https://c.example/n/</link>"     \
	"<item>" inside "</item></channel></rss>"
#define DATE "<pubDate>Mon, 05 Jan 2026 14:30:00 GMT</pubDate>"

static const char rss2[] =
	"<?xml version='1.0'?>\n<rss version='2.0' xmlns:media='urn:m'>\n<channel>"
	"<title>Wire</title><link>https://wire.example/</link>"
	"<pubDate>Tue, 06 Jan 2026 00:00:00 GMT</pubDate>\n"
	"<item><media:title>not this</media:title><title><![CDATA[AT&amp;T "
	"<b>beats</b> "
	"&#8220;all&#8221;]]></title><link>/a?x=1&amp;y=2</link>"
	"<guid isPermaLink='false'>id-1</guid>" DATE
	"<source url='https://r.example'>Re&amp;uters</source>"
	"<category>Tech</category></item>\n"
	"<item><title>Caf&amp;eacute; &amp;amp;lt; &#x20ac;5</title>"
	"<guid>https://wire.example/an-id-that-is-longer-than-the-63-bytes-which-an-"
	"article-has-room-for</guid>" DATE "</item>\n</channel></rss>";

static void rss2_is_read(void **state)
{
	const struct hist_article *a = got.article;

	(void)state;
	assert_int_equal(read_text(rss2), 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(a->headline, "AT&T beats \xe2\x80\x9c"
					 "all\xe2\x80\x9d");
	assert_string_equal(a->url, "https://wire.example/a?x=1&y=2");
	assert_string_equal(a->id, "id-1");
	assert_string_equal(a->publisher, "Re&uters");
	assert_true(a->created_ns == T0 && a->updated_ns == T0);
	assert_int_equal(a->n_symbols, 2);
	assert_int_equal(got.line[0], 4);
	assert_string_equal(a[1].headline, "Caf\xc3\xa9 < \xe2\x82\xac"
					   "5");
	assert_int_equal(strlen(a[1].id), 32);
	assert_string_equal(a[1].url, "");
	assert_int_equal(counts.items, 2);
}

static void rdf_is_read(void **state)
{
	(void)state;
	assert_int_equal(
		read_text(
			"<rdf:RDF "
			"xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
			"xmlns='http://purl.org/rss/1.0/' "
			"xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>c"
			"</title></channel><item rdf:about='urn:1'><title>One</title>"
			"<link>http://r.example/1</link>"
			"<dc:date>2026-01-05T09:30-05:00</dc:date>"
			"<dc:publisher>P</dc:publisher></item></rdf:RDF>"),
		0);
	assert_int_equal(got.n, 1);
	assert_string_equal(got.article[0].id, "urn:1");
	assert_string_equal(got.article[0].headline, "One");
	assert_string_equal(got.article[0].url, "http://r.example/1");
	assert_string_equal(got.article[0].publisher, "P");
	assert_true(got.article[0].created_ns == T0);
}

static const char atom[] =
	"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://a.example/x/'>"
	"<title>f</title><updated>2026-01-06T00:00:00Z</updated><id>urn:f</id>"
	"<entry xml:base='y/'><title type='xhtml'><div "
	"xmlns='http://www.w3.org/1999/xhtml'>Less: <em>&lt;5</em>"
	"</div></title><link rel='self' href='no'/><link href='z' xml:base='../'/>"
	"<link rel='alternate' href='second'/><id>urn:e</id>"
	"<published>2026-01-05T14:30:00Z</published>"
	"<updated>2026-01-05T15:30:00+00:00</updated><category term='MSFT'/>"
	"<source><id>urn:other</id><title>Other</title></source></entry>"
	"<entry><title type='html'>&lt;p&gt;a &amp;mdash; b&lt;/p&gt;</title>"
	"<id>urn:e2</id><updated>2026-01-05T14:30:00Z</updated></entry></feed>";

static void atom_is_read(void **state)
{
	const struct hist_article *a = got.article;

	(void)state;
	assert_int_equal(read_text(atom), 0);
	assert_int_equal(got.n, 2);
	assert_string_equal(a->headline, "Less: <5");
	assert_string_equal(a->url, "https://a.example/x/z");
	assert_string_equal(a->id, "urn:e");
	assert_string_equal(a->publisher, "Other");
	assert_true(a->created_ns == T0 && a->updated_ns == T0 + 3600000000000);
	assert_string_equal(a[1].headline, "a \xe2\x80\x94 b");
	assert_true(a[1].created_ns == T0 && a[1].updated_ns == T0);
}

static void symbols_are_those_that_are_named_if_asked_to_look(void **state)
{
	struct rss_params p = {.known = {names, 2}, .match = RSS_CATEGORY};

	(void)state;
	assert_int_equal(read_as(&p, atom, strlen(atom), 0), 0);
	assert_int_equal(got.n, 1);
	assert_int_equal(got.article[0].n_symbols, 1);
	assert_string_equal(got.article[0].symbols[0], "MSFT");
	assert_int_equal(counts.unmatched, 1);
	assert_int_equal(counts.items, 2);
	p.match = RSS_TITLE | RSS_CATEGORY;
	assert_int_equal(
		read_as(&p, ITEM("<title>$MSFT</title><category>AAPL</category>" DATE),
			strlen(ITEM(
				"<title>$MSFT</title><category>AAPL</category>" DATE)),
			0),
		0);
	assert_int_equal(got.article[0].n_symbols, 2);
}

static void an_item_without_time_or_title_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_text(ITEM("<title>x</title>")), 0);
	assert_int_equal(got.n + 10 * got.n_bad, 10);
	assert_string_equal(got.bad[0], "1: the item has no date");
	assert_int_equal(read_text(ITEM("<title>x</title><pubDate>soon</pubDate>")), 0);
	assert_non_null(strstr(got.bad[0], "'soon'"));
	assert_int_equal(read_text(ITEM("<title> </title>" DATE)), 0);
	assert_string_equal(got.bad[0], "1: the item has no title");
	assert_int_equal(counts.bad, 1);
}

static void an_article_without_any_id_has_the_same_one_each_time(void **state)
{
	char id[64];

	(void)state;
	assert_int_equal(read_text(ITEM("<title>x</title>" DATE)), 0);
	(void)snprintf(id, sizeof(id), "%s", got.article[0].id);
	assert_int_equal(strlen(id), 32);
	assert_int_equal(read_text(ITEM(DATE "<title>x</title>")), 0);
	assert_string_equal(got.article[0].id, id);
	assert_int_equal(read_text(ITEM(DATE "<title>y</title>")), 0);
	assert_string_not_equal(got.article[0].id, id);
	assert_int_equal(read_text(ITEM("<title>x</title><link>b</link>" DATE)), 0);
	assert_string_equal(got.article[0].id, "b");
	assert_string_equal(got.article[0].url, "https://c.example/n/b");
}

static void any_pieces_give_the_same(void **state)
{
	const struct rss_params p = {.known = {names, 2}};
	const char *const all[] = {rss2, atom};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hist_article whole[2];

		assert_int_equal(read_text(all[i]), 0);
		memcpy(whole, got.article, sizeof(whole));
		for (size_t piece = 1; piece < 90; piece++) {
			assert_int_equal(read_as(&p, all[i], strlen(all[i]), piece), 0);
			assert_memory_equal(got.article, whole, sizeof(whole));
		}
	}
}

/* ---- encodings ---- */

static void encodings_are_those_of_the_declaration_or_the_transport(void **state)
{
	static const char latin[] = "<?xml version='1.0' encoding='ISO-8859-1'?>" ITEM(
		"<title>\xd6rebro</title>" DATE);
	static const char windows[] =
		"<?xml version='1.0' encoding='Windows-1252'?>" ITEM(
			"<title>\x80 5 \x96 \x93up\x94</title>" DATE);
	static const char bare[] = ITEM("<title>\x80 \xd6</title>" DATE);
	struct rss_params p = {.known = {names, 2}, .charset = "windows-1252"};
	struct buf wide = {0};

	(void)state;
	assert_int_equal(read_text(latin), 0);
	assert_string_equal(got.article[0].headline, "\xc3\x96rebro");
	assert_int_equal(read_text(windows), 0);
	assert_string_equal(got.article[0].headline,
			    "\xe2\x82\xac 5 \xe2\x80\x93 \xe2\x80\x9cup\xe2\x80\x9d");
	assert_int_equal(read_as(&p, bare, strlen(bare), 0), 0);
	assert_string_equal(got.article[0].headline, "\xe2\x82\xac \xc3\x96");
	assert_int_equal(read_text(bare), -EBADMSG);
	buf_add(&wide, "\xff\xfe", 2);
	for (const char *c = atom; *c != '\0'; c++) {
		buf_add(&wide, c, 1);
		buf_add(&wide, "", 1);
	}
	p.charset = NULL;
	assert_int_equal(read_as(&p, (const char *)wide.data, wide.len, 0), 0);
	assert_int_equal(got.n, 2);
	buf_free(&wide);
	assert_int_equal(read_text("<?xml version='1.0' encoding='EBCDIC'?><rss/>"),
			 -EBADMSG);
}

/* ---- malice ---- */

static void nothing_external_is_read(void **state)
{
	(void)state;
	assert_int_equal(
		read_text(
			"<!DOCTYPE rss [<!ENTITY f SYSTEM 'file:///etc/passwd'>"
			"<!ENTITY % d SYSTEM 'http://x.example/d'> %d;"
			"<!ENTITY own 'ours'>]>" ITEM(
				"<title>[&f;]&own;&nbsp;&eacute;&what;</title>" DATE)),
		0);
	assert_string_equal(got.article[0].headline, "[]&own; \xc3\xa9&what;");
	assert_int_equal(read_text("<!DOCTYPE rss [<!ENTITY own 'ours'>]>" ITEM(
				 "<title>&own;</title>" DATE)),
			 0);
	assert_string_equal(got.article[0].headline, "ours");
}

static void entities_do_not_explode(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_printf(&b, "<!DOCTYPE rss [<!ENTITY a0 'lollollollol'>");
	for (int i = 1; i < 12; i++) {
		buf_printf(&b, "<!ENTITY a%d '", i);
		for (int k = 0; k < 10; k++)
			buf_printf(&b, "&a%d;", i - 1);
		buf_printf(&b, "'>");
	}
	buf_printf(&b, "]>%s", ITEM("<title>&a11;</title>" DATE));
	assert_int_equal(read_text(buf_text(&b)), -EBADMSG);
	assert_non_null(strstr(err_text(), "amplification"));
	b.len = 0;
	buf_printf(&b, "<!DOCTYPE rss [");
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "<!ENTITY b%d 'x'>", i);
	buf_printf(&b, "]><rss/>");
	assert_int_equal(read_text(buf_text(&b)), -EBADMSG);
	assert_non_null(strstr(err_text(), "more entities"));
	buf_free(&b);
}

static void depth_tokens_and_size_are_bounded(void **state)
{
	struct rss_params p = {.known = {names, 2}, .bytes_max = 200};
	struct buf b = {0};

	(void)state;
	buf_printf(&b, "<rss>");
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "<a>");
	assert_int_equal(read_text(buf_text(&b)), -EBADMSG);
	assert_non_null(strstr(err_text(), "64 deep"));
	assert_int_equal(read_as(&p, rss2, strlen(rss2), 0), -EBADMSG);
	assert_non_null(strstr(err_text(), "larger than 200"));
	b.len = 0;
	buf_printf(&b, "<rss><!--");
	(void)memset(buf_reserve(&b, 3 << 20), 'x', 3 << 20);
	b.len += 3 << 20;
	p.bytes_max = 0;
	assert_int_equal(read_as(&p, (char *)b.data, b.len, 0), -EBADMSG);
	assert_non_null(strstr(err_text(), "longer than 1 MiB"));
	b.len = 0;
	buf_printf(&b, "<rss><channel><item><title>");
	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "\xc3\xa4");
	buf_printf(&b, "</title>%s</item></channel></rss>", DATE);
	assert_int_equal(read_text(buf_text(&b)), 0);
	assert_int_equal(strlen(got.article[0].headline), 510);
	buf_free(&b);
}

static void what_is_no_feed_is_said(void **state)
{
	(void)state;
	assert_int_equal(read_text("<html><body/></html>"), -EBADMSG);
	assert_non_null(strstr(err_text(), "no RSS, RDF or Atom"));
	assert_int_equal(read_text(""), -EBADMSG);
	assert_int_equal(read_text("hello"), -EBADMSG);
	assert_int_equal(read_text(ITEM(DATE "<title>one</title>") "<x/>"), -EBADMSG);
	assert_int_equal(got.n, 1);
	got.stop = 7;
	assert_int_equal(read_text(rss2), 7);
	got.stop = 0;
	assert_int_equal(got.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rss2_is_read),
		cmocka_unit_test(rdf_is_read),
		cmocka_unit_test(atom_is_read),
		cmocka_unit_test(symbols_are_those_that_are_named_if_asked_to_look),
		cmocka_unit_test(an_item_without_time_or_title_is_refused),
		cmocka_unit_test(an_article_without_any_id_has_the_same_one_each_time),
		cmocka_unit_test(any_pieces_give_the_same),
		cmocka_unit_test(
			encodings_are_those_of_the_declaration_or_the_transport),
		cmocka_unit_test(nothing_external_is_read),
		cmocka_unit_test(entities_do_not_explode),
		cmocka_unit_test(depth_tokens_and_size_are_bounded),
		cmocka_unit_test(what_is_no_feed_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
