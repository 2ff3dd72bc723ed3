/* live_make - a live feed's beginning and end (live_parts.h). */
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "daemon/live_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int take_symbols(struct live_feed *f)
{
	const struct params *p = &f->thread->env.config->derive;
	const struct config_feed *c = f->config;

	f->n_symbols = c->all ? p->n_symbols : c->n_symbols;
	f->symbols = calloc(f->n_symbols + 1, sizeof(*f->symbols));
	f->sessions = calloc(f->n_symbols + 1, sizeof(*f->sessions));
	if (f->symbols == NULL || f->sessions == NULL)
		return err_set(-ENOMEM, "out of memory for the symbols of feed %s",
			       c->name);
	for (size_t i = 0; i < f->n_symbols; i++) {
		f->symbols[i] = c->all ? p->symbols[i].symbol : c->symbols[i];
		session_init(&f->sessions[i], params_symbol(p, f->symbols[i]));
	}
	return 0;
}

static int check_vendor(struct live_feed *f)
{
	const struct live_env *env = &f->thread->env;
	const struct config_feed *c = f->config;
	int rc = env->vendor(env->arg, c->vendor, c->news, &f->vendor);

	if (rc < 0)
		return err_prefix(rc, "feeds.%s", c->name);
	f->history = f->vendor.history;
	if (c->is_polled &&
	    (f->history == NULL || !(f->history->can & 1u << VENDOR_NEWS)))
		return err_set(-EINVAL, "feeds.%s: %s has no news", c->name,
			       f->vendor.settings.name);
	if (c->is_polled)
		return 0;
	f->ops = f->vendor.stream;
	if (f->ops == NULL)
		return err_set(-EINVAL, "feeds.%s: %s has no stream", c->name,
			       f->vendor.settings.name);
	(void)snprintf(f->url, sizeof(f->url), "%s%s", f->vendor.stream_url,
		       f->ops->path != NULL ? f->ops->path : "");
	if (f->ops->is_websocket == (strncmp(f->url, "tcp://", 6) == 0))
		return err_set(-EINVAL, "feeds.%s: %s speaks %s, not what %s says",
			       c->name, f->vendor.settings.name,
			       f->ops->is_websocket ? "WebSocket (wss://)"
						    : "plain TCP (tcp://)",
			       f->url);
	rc = ws_check_url(f->url, f->vendor.plain_allowed);
	return rc < 0 ? err_prefix(rc, "feeds.%s", c->name) : 0;
}

int live_feed_init(struct live_feed *f, struct live_thread *t, size_t index)
{
	const struct config_feed *c = &t->env.config->feeds[index];
	const struct link_params lp = {
		.mute_ns = c->mute_ns,
		.wait_max_ns = c->redial_max_ns,
		.seed = hash_bytes(HASH_SEED, c->name, strlen(c->name)) ^
			(uint64_t)clock_wall_ns()};
	int64_t now = clock_mono_ns();
	int rc;

	f->thread = t;
	f->index = index;
	f->config = c;
	f->since_wall_ns = clock_wall_ns();
	f->saved_good_ns = f->blurred_ns = f->article_ns = INT64_MIN;
	rc = take_symbols(f);
	if (rc == 0)
		rc = check_vendor(f);
	if (rc == 0)
		rc = known_new(LIVE_KNOWN_MAX, &f->known);
	if (rc == 0)
		rc = ledger_new(f->symbols, f->n_symbols, &f->ledger);
	if (rc < 0)
		return rc;
	livelink_init(&f->link, &lp, now);
	live_past_init(f);
	live_producer_init(&f->live, t->env.store, f->past.producer[0], c->source,
			   false);
	live_producer_init(&f->refilled, t->env.store, f->past.producer[1], c->source,
			   true);
	news_producer_init(&f->articles, t->env.store, f->past.producer[0], c->source);
	f->live.sender.wake = f->refilled.sender.wake = f->articles.sender.wake =
		live_wake;
	f->live.sender.wake_arg = f->refilled.sender.wake_arg =
		f->articles.sender.wake_arg = t;
	rc = live_poll_init(f);
	return rc < 0 ? rc : live_refill_init(f);
}

void live_feed_deinit(struct live_feed *f)
{
	if (f->stream != NULL)
		f->ops->close(f->stream);
	f->stream = NULL;
	live_refill_deinit(f);
	live_poll_deinit(f);
	live_past_deinit(f);
	live_producer_deinit(&f->live);
	live_producer_deinit(&f->refilled);
	news_producer_deinit(&f->articles);
	known_free(f->known);
	ledger_free(f->ledger);
	live_feed_wipe(f);
	buf_free(&f->out);
	free(f->symbols);
	free(f->sessions);
}
