/* daemon_rss - see daemon_rss.h. */
#include "daemon/daemon_rss.h"
#include <string.h>

int daemon_open_rss(struct daemon *d)
{
	const struct rss_env env = {.config = &d->config, .store = d->store};
	int rc;

	if (d->config.n_rss == 0)
		return 0;
	rc = rss_thread_new(&env, &d->rss);
	return rc < 0 ? rc : rss_thread_start(d->rss);
}

static void put_feed(struct jsonw *w, const struct rss_status *s)
{
	jsonw_str(w, "feed", s->name);
	jsonw_str(w, "vendor", "rss");
	jsonw_str(w, "state", rss_state_name(s->state));
	jsonw_time(w, "since", s->since_ns);
	jsonw_bool(w, "blind", s->state == RSS_FAILING || s->state == RSS_GONE);
	jsonw_u64(w, "symbols", s->symbols);
	jsonw_u64(w, "accepted", s->log.accepted);
	jsonw_u64(w, "doubles", s->log.duplicate);
	jsonw_u64(w, "refused", s->log.refused);
	jsonw_u64(w, "waiting", s->waiting);
	jsonw_u64(w, "items", s->items);
	jsonw_u64(w, "bad", s->bad);
	jsonw_u64(w, "unmatched", s->unmatched);
	jsonw_u64(w, "polls", s->polls);
	jsonw_u64(w, "unchanged", s->unchanged);
	jsonw_u64(w, "failures", s->failures);
	jsonw_u64(w, "redirects", s->redirects);
	jsonw_i64(w, "status", s->status);
	if (s->next_ns == 0)
		jsonw_null(w, "next");
	else
		jsonw_time(w, "next", s->next_ns);
	jsonw_str(w, "url", s->url);
	jsonw_str(w, "why", s->why);
}

void daemon_rss_source(struct daemon *d, struct jsonw *w, const char *source)
{
	for (size_t i = 0; i < rss_thread_count(d->rss); i++) {
		struct rss_status s;

		rss_thread_status(d->rss, i, &s);
		if (strcmp(s.name, source) == 0)
			put_feed(w, &s);
	}
}

void daemon_rss_unseen(struct daemon *d, struct jsonw *w)
{
	uint32_t id;

	for (size_t i = 0; i < rss_thread_count(d->rss); i++) {
		struct rss_status s;

		rss_thread_status(d->rss, i, &s);
		if (symtab_find(d->sources, s.name, strlen(s.name), &id) == 0)
			continue;
		jsonw_object(w, NULL);
		jsonw_str(w, "source", s.name);
		put_feed(w, &s);
		jsonw_end(w);
	}
}
