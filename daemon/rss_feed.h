/* rss_feed - one feed of headlines: for rss_thread.c alone, whose thread it is of. */
#pragma once
#include "daemon/news_batch.h"
#include "daemon/rss_thread.h"
#include "feeds/http_head.h"
#include "feeds/mention.h"
#include "feeds/poll.h"
#include "feeds/ratelimit.h"
#include "feeds/webref.h"

/** A server is asked so often at most, whoever asks. */
struct rss_host {
	char name[160]; /* "https://feeds.example:8443" */
	struct ratelimit limit;
	struct rng chance;
};

struct rss_feed {
	const struct config_rss *config;
	struct http_pool *http; /* borrowed */
	struct rss_host *host;  /* borrowed */
	const char **symbols;   /* owned; names borrowed, ascending */
	struct news_producer producer;
	struct poll poll;
	struct http_transfer *transfer; /* NULL: nothing is on its way */
	uint64_t ticket;                /* of the host's limit */
	char url[WEBREF_MAX];           /* of the configuration, or where it moved to */
	char hop[WEBREF_MAX];           /* what is asked now */
	bool is_permanent;              /* all redirects so far were */
	int64_t next_ns;                /* monotonic */
	bool is_storing;  /* articles of the newest answer wait for the log */
	uint64_t refused; /* ... how many were refused before it */
	char tag[2][HTTP_VALUE_MAX]; /* ETag and Last-Modified of what is in the log */
	char new_tag[2][HTTP_VALUE_MAX]; /* ... of what waits */
	struct news_batch batch;         /* of the answer being read */
	struct rss_status status;
};

int rss_feed_init(struct rss_feed *f, const struct config *c, size_t i,
		  struct http_pool *http, struct rss_host *host,
		  struct store_thread *store);
void rss_feed_deinit(struct rss_feed *f);
/** Do what is due; when to come back (monotonic). */
int64_t rss_feed_step(struct rss_feed *f, int64_t now_ns);
/** "https://HOST[:PORT]" of @url, and how long that is. */
size_t rss_feed_host(const char *url, char out[160]);
