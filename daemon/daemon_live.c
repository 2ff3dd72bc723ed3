/* daemon_live - see daemon_live.h. */
#include "daemon/daemon_live.h"
#include "base/err.h"
#include "daemon/feed_thread.h"
#include "feeds/netaddr.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "XNAS.ITCH" is served by xnas-itch.lsg.databento.com. */
static void databento_url(const char *dataset, char out[VENDOR_URL_MAX])
{
	char host[HIST_FEED_MAX + 1] = {0};

	for (size_t i = 0; i < HIST_FEED_MAX && dataset[i] != '\0'; i++)
		host[i] = dataset[i] == '.' ? '-'
					    : (char)tolower((unsigned char)dataset[i]);
	(void)snprintf(out, VENDOR_URL_MAX, "tcp://%s.lsg.databento.com:13000", host);
}

/* Where the vendor's own stream is, when the configuration does not say. */
static void default_url(const struct vendor_settings *s, bool is_news,
			char out[VENDOR_URL_MAX])
{
	if (strcmp(s->name, "alpaca") == 0 && is_news)
		(void)snprintf(out, VENDOR_URL_MAX,
			       "wss://stream.data.alpaca.markets/v1beta1/news");
	else if (strcmp(s->name, "alpaca") == 0)
		(void)snprintf(out, VENDOR_URL_MAX,
			       "wss://stream.data.alpaca.markets/v2/%s",
			       s->feed[0] != '\0' ? s->feed : "iex");
	else if (strcmp(s->name, "polygon") == 0)
		(void)snprintf(out, VENDOR_URL_MAX, "wss://socket.polygon.io/stocks");
	else if (strcmp(s->name, "databento") == 0)
		databento_url(s->dataset, out);
}

static bool is_private(const struct sockaddr *to, size_t len)
{
	return !netaddr_public(to, len);
}

static int find_vendor(void *arg, const char *name, bool is_news,
		       struct live_vendor *out)
{
	struct daemon *d = arg;
	const struct feed_vendor *v = feed_thread_vendor(d->feed, name);
	const struct config_fetch *f = &d->config.fetch;

	if (v == NULL)
		return err_set(-ENOENT, "there is no vendor %s in the configuration",
			       name);
	*out = (struct live_vendor){.settings = v->settings,
				    .history = v->ops,
				    .stream = stream_find(v->settings.name),
				    .plain_allowed = f->plain_http,
				    .refuse = f->private_addresses ? NULL : is_private};
	(void)snprintf(out->ca_file, sizeof(out->ca_file), "%s", f->ca_file);
	(void)snprintf(out->why, sizeof(out->why), "%s", v->why);
	if (v->config->stream_url[0] != '\0')
		(void)snprintf(out->stream_url, sizeof(out->stream_url), "%s",
			       v->config->stream_url);
	else
		default_url(&v->settings, is_news, out->stream_url);
	return 0;
}

static int ask_history(void *arg, const char *vendor, const struct vendor_ask *ask,
		       fetch_fn fn, void *fn_arg)
{
	struct daemon *d = arg;
	uint64_t id;

	return feed_thread_ask(d->feed, vendor, ask, fn, fn_arg, &id);
}

int daemon_open_live(struct daemon *d)
{
	const struct live_env env = {.config = &d->config,
				     .store = d->store,
				     .symbols = d->symbols,
				     .sources = d->sources,
				     .vendor = find_vendor,
				     .ask = ask_history,
				     .arg = d};
	int rc;

	if (d->config.n_feeds == 0)
		return 0;
	rc = live_thread_new(&env, &d->live);
	return rc < 0 ? rc : live_thread_start(d->live);
}
