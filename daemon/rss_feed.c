/* rss_feed - see rss_feed.h. */
#include "daemon/rss_feed.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/log.h"
#include "feeds/rss.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SPREAD_NS (NS_PER_S) /* the first questions are apart by chance within this */

enum { ETAG, MODIFIED };

size_t rss_feed_host(const char *url, char out[160])
{
	const char *colon = strstr(url, "://");
	size_t len = colon != NULL ? (size_t)(colon - url) + 3 : 0;

	len += strcspn(url + len, "/?");
	(void)snprintf(out, 160, "%.*s", (int)len, url);
	return len;
}

static void set_state(struct rss_feed *f, enum rss_state s, const char *why)
{
	struct rss_status *st = &f->status;

	if (s == RSS_FAILING && (st->state != s || strcmp(st->why, why) != 0))
		log_warn("rss", "%s: %s", f->config->name, why);
	else if (s == RSS_GONE)
		log_err("rss", "%s: %s", f->config->name, why);
	else if (s == RSS_LIVE && st->state != s)
		log_info("rss", "%s: live, %llu items", f->config->name,
			 (unsigned long long)st->items);
	if (st->state != s)
		st->since_ns = clock_wall_ns();
	st->state = s;
	(void)snprintf(st->why, sizeof(st->why), "%s", why);
}

static void sleep_for(struct rss_feed *f, int64_t wait_ns)
{
	f->next_ns = clock_mono_ns() + wait_ns;
	f->status.next_ns = clock_wall_ns() + wait_ns;
}

/* ---- reading ---- */

static int on_article(void *arg, uint64_t line, const struct hist_article *a)
{
	struct rss_feed *f = arg;

	(void)line;
	news_batch_add(&f->batch, a);
	return 0;
}

static void on_bad(void *arg, uint64_t line, const char *why)
{
	struct rss_feed *f = arg;

	if (f->status.bad++ == 0)
		log_warn("rss", "%s: line %llu: %s: refused, as all like it will be",
			 f->config->name, (unsigned long long)line, why);
}

static void hand_over(struct rss_feed *f)
{
	news_batch_give(&f->batch, &f->producer, BATCH_AS_ADDED);
	f->is_storing = true;
	f->refused = f->producer.counts.refused;
}

/* What stands behind "charset=", or nothing. */
static void charset_of(const char *type, char out[40])
{
	const char *at = strcasestr(type, "charset=");
	size_t n = 0;

	out[0] = '\0';
	if (at == NULL)
		return;
	at += 8;
	at += *at == '"' || *at == '\'';
	while (n < 39 && (isalnum((unsigned char)at[n]) ||
			  (at[n] != '\0' && strchr("-_.:", at[n]) != NULL)))
		n++;
	(void)snprintf(out, 40, "%.*s", (int)n, at);
}

static int read_answer(struct rss_feed *f, const struct http_answer *a)
{
	const struct config_rss *c = f->config;
	const struct rss_sink sink = {f, on_article, on_bad};
	char charset[40];
	struct rss_params p = {.url = f->hop,
			       .charset = charset,
			       .known = {f->symbols, f->status.symbols},
			       .match = (c->match_title ? RSS_TITLE : 0u) |
					(c->match_category ? RSS_CATEGORY : 0u),
			       .bytes_max = c->bytes_max};
	struct rss *r;
	int rc;

	charset_of(a->content_type, charset);
	rc = rss_new(&p, &sink, &r);
	if (rc < 0)
		return rc;
	rc = rss_parse(r, a->body, a->len, true);
	f->status.items += rss_counts(r).items;
	f->status.unmatched += rss_counts(r).unmatched;
	rss_free(r);
	return rc;
}

/* ---- asking ---- */

static void follow(struct rss_feed *f, const struct http_answer *a);

static void fail(struct rss_feed *f, const char *why, int64_t wait_ns)
{
	f->status.failures++;
	set_state(f, RSS_FAILING, why);
	sleep_for(f, wait_ns);
}

static void explain(const struct rss_feed *f, const struct http_answer *a, char *out,
		    size_t cap)
{
	if (a->error != 0)
		(void)snprintf(out, cap, "%s", a->why);
	else if (a->location[0] != '\0' && a->status < 400)
		(void)snprintf(out, cap, "%ld: redirected more than %d times",
			       a->status, POLL_HOPS_MAX);
	else
		(void)snprintf(out, cap, "%s answers %ld", f->host->name, a->status);
}

/* A part of a feed that is broken is taken; the whole will be asked for again. */
static void take_answer(struct rss_feed *f, const struct http_answer *a,
			int64_t wait_ns)
{
	int rc = read_answer(f, a);

	hand_over(f);
	f->new_tag[ETAG][0] = f->new_tag[MODIFIED][0] = '\0';
	if (rc < 0) {
		fail(f, err_text(), poll_garbled(&f->poll, clock_wall_ns()));
		return;
	}
	(void)snprintf(f->new_tag[ETAG], HTTP_VALUE_MAX, "%s", a->etag);
	(void)snprintf(f->new_tag[MODIFIED], HTTP_VALUE_MAX, "%s", a->last_modified);
	set_state(f, RSS_LIVE, "");
	sleep_for(f, wait_ns);
}

static void on_done(void *arg, const struct http_answer *a)
{
	struct rss_feed *f = arg;
	int64_t wait, now = clock_mono_ns();
	char why[RSS_WHY_BYTES];
	enum poll_outcome o = poll_answer(&f->poll, a, clock_wall_ns(), &wait);

	f->transfer = NULL;
	ratelimit_there(&f->host->limit, f->ticket, now);
	f->status.status = a->error == 0 ? a->status : 0;
	f->status.bytes += a->len;
	if (o == POLL_FOLLOW) {
		f->status.redirects++;
		follow(f, a);
		return;
	}
	f->status.polls++;
	if (f->is_permanent && (o == POLL_READ || o == POLL_SAME) &&
	    strcmp(f->url, f->hop) != 0) {
		log_warn("rss",
			 "%s: it has moved for good, to %s: change the "
			 "configuration",
			 f->config->name, f->hop);
		(void)snprintf(f->url, sizeof(f->url), "%s", f->hop);
	}
	switch (o) {
	case POLL_READ:
		take_answer(f, a, wait);
		break;
	case POLL_SAME:
		f->status.unchanged++;
		set_state(f, RSS_LIVE, "");
		sleep_for(f, wait);
		break;
	case POLL_GONE:
		set_state(f, RSS_GONE, "410: it is gone, and not asked for any more");
		f->status.next_ns = 0;
		break;
	default:
		if (a->error == 0 && a->status == 429)
			ratelimit_hold(&f->host->limit, now, now + wait,
				       &f->host->chance);
		explain(f, a, why, sizeof(why));
		fail(f, why, wait);
	}
}

static void add_header(struct buf *b, const char *name, const char *value)
{
	if (value[0] == '\0')
		return;
	buf_printf(b, "%s: %s", name, value);
	buf_add(b, "", 1);
}

static void ask(struct rss_feed *f)
{
	char base[160];
	struct buf headers = {0}, target = {0};
	size_t host = rss_feed_host(f->hop, base);
	int rc;

	/* A fragment is not sent. */
	buf_printf(&target, "%s%.*s", f->hop[host] == '/' ? "" : "/",
		   (int)strcspn(f->hop + host, "#"), f->hop + host);
	add_header(&headers, "Accept",
		   "application/atom+xml, application/rss+xml, application/rdf+xml, "
		   "application/xml;q=0.9, text/xml;q=0.8");
	add_header(&headers, "If-None-Match", f->tag[ETAG]);
	add_header(&headers, "If-Modified-Since", f->tag[MODIFIED]);
	f->ticket = ratelimit_take(&f->host->limit, clock_mono_ns(), &f->host->chance);
	f->status.next_ns = 0;
	rc = http_send(f->http,
		       &(struct http_request){.base_url = base,
					      .target = buf_text(&target),
					      .headers = (const char *)headers.data,
					      .headers_len = headers.len,
					      .body_max = f->config->bytes_max},
		       on_done, f, &f->transfer);
	buf_free(&headers);
	buf_free(&target);
	if (rc == 0)
		return;
	f->transfer = NULL;
	f->status.polls++;
	ratelimit_there(&f->host->limit, f->ticket, clock_mono_ns());
	fail(f, err_text(), poll_garbled(&f->poll, clock_wall_ns()));
}

static void follow(struct rss_feed *f, const struct http_answer *a)
{
	char to[WEBREF_MAX], why[RSS_WHY_BYTES];

	f->is_permanent = f->is_permanent && poll_is_permanent(a->status);
	if (!webref_resolve(f->hop, a->location, to, sizeof(to))) {
		(void)snprintf(why, sizeof(why),
			       "it redirects to '%.100s', no web address", a->location);
		f->status.polls++;
		fail(f, why, poll_garbled(&f->poll, clock_wall_ns()));
		return;
	}
	(void)snprintf(f->hop, sizeof(f->hop), "%s", to);
	f->next_ns = 0; /* in the next turn, when the host's limit lets it */
}

/* ---- what time brings ---- */

/* All of the newest answer is in the log: from now on only what changed is wanted.
   What the log refused may be taken later (a time of the future), so it is asked for
   again. */
static void settle(struct rss_feed *f)
{
	f->is_storing = false;
	if (f->producer.counts.refused > f->refused) {
		(void)snprintf(
			f->status.why, sizeof(f->status.why),
			"the log refused %llu articles: %s",
			(unsigned long long)(f->producer.counts.refused - f->refused),
			f->producer.why);
		memset(f->tag, 0, sizeof(f->tag));
	} else {
		memcpy(f->tag, f->new_tag, sizeof(f->tag));
	}
}

int64_t rss_feed_step(struct rss_feed *f, int64_t now_ns)
{
	int64_t due = news_producer_step(&f->producer, now_ns), at;

	f->status.waiting = news_producer_waiting(&f->producer);
	f->status.log = f->producer.counts;
	if (f->is_storing && f->status.waiting == 0)
		settle(f);
	if (f->transfer != NULL || f->is_storing || f->status.state == RSS_GONE)
		return due;
	at = ratelimit_next_ns(&f->host->limit, now_ns);
	at = at > f->next_ns ? at : f->next_ns;
	if (now_ns < at)
		return at < due ? at : due;
	if (f->poll.hops == 0) {
		(void)snprintf(f->hop, sizeof(f->hop), "%s", f->url);
		f->is_permanent = true;
	}
	ask(f);
	return due;
}

/* ---- making it ---- */

int rss_feed_init(struct rss_feed *f, const struct config *c, size_t i,
		  struct http_pool *http, struct rss_host *host,
		  struct store_thread *store)
{
	const struct config_rss *r = &c->rss[i];
	size_t n = r->all ? c->derive.n_symbols : r->n_symbols;
	uint64_t seed = hash_bytes(HASH_SEED, r->name, strlen(r->name)) ^
			(uint64_t)clock_wall_ns();

	*f = (struct rss_feed){.config = r, .http = http, .host = host};
	f->symbols = calloc(n + 1, sizeof(*f->symbols));
	if (f->symbols == NULL)
		return err_set(-ENOMEM, "out of memory for the symbols of rss.%s",
			       r->name);
	for (size_t k = 0; k < n; k++)
		f->symbols[k] = r->all ? c->derive.symbols[k].symbol : r->symbols[k];
	f->status.symbols = n;
	f->status.since_ns = clock_wall_ns();
	(void)snprintf(f->status.name, sizeof(f->status.name), "%s", r->name);
	(void)snprintf(f->status.url, sizeof(f->status.url), "%s", r->url);
	(void)snprintf(f->url, sizeof(f->url), "%s", r->url);
	news_producer_init(&f->producer, store, r->name, r->name);
	poll_init(&f->poll, r->every_ns, seed);
	sleep_for(f, rng_below64(&f->poll.rng, SPREAD_NS));
	return 0;
}

void rss_feed_deinit(struct rss_feed *f)
{
	news_producer_deinit(&f->producer);
	news_batch_deinit(&f->batch);
	free(f->symbols);
}
