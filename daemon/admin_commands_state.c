/* admin_commands_state - commands that the loop can answer by itself. */
#include "base/clock.h"
#include "bus/stats.h"
#include "daemon/admin_commands_parts.h"
#include "daemon/daemon_rss.h"
#include "daemon/metrics.h"
#include "daemon/thread_time.h"
#include "proto/event_json.h"
#include "proto/timeframe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const enum event_kind symbol_kinds[] = {EVENT_TICK, EVENT_BAR, EVENT_TIER1,
					       EVENT_NEWS, EVENT_STATUS};
#define SYMBOL_KINDS (sizeof(symbol_kinds) / sizeof(symbol_kinds[0]))

/* ---- status ---- */

static void put_store(struct daemon *d, struct jsonw *w)
{
	struct store_status s;

	store_status_copy(d->store, &s);
	jsonw_object(w, "store");
	jsonw_str(w, "durability", s.durability == DURABILITY_FULL ? "full" : "normal");
	jsonw_u64(w, "first_pos", s.first_pos);
	jsonw_u64(w, "last_pos", s.last_pos);
	jsonw_u64(w, "durable_pos", s.durable_pos);
	jsonw_str(w, "alarm", s.alarm);
	jsonw_str(w, "warning", s.warning);
	jsonw_u64(w, "lost_first", s.lost_first);
	jsonw_u64(w, "lost_last", s.lost_last);
	jsonw_bool(w, "unclean_start", s.unclean);
	jsonw_bool(w, "disk_full", s.disk_full);
	jsonw_bool(w, "dead", s.dead);
	jsonw_u64(w, "commits", s.commits);
	jsonw_u64(w, "producers", s.producers);
	jsonw_u64(w, "gaps", s.gaps);
	jsonw_u64(w, "gap_sequences", s.gap_seqs);
	jsonw_u64(w, "wal_bytes", s.wal_bytes);
	jsonw_u64(w, "database_bytes", s.db_bytes);
	jsonw_end(w);
}

ON_LOOP static void put_subscribers(struct daemon *d, struct jsonw *w)
{
	jsonw_object(w, "subscribers");
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		uint64_t n = 0;

		if (d->sbe[k] == NULL && d->json[k] == NULL)
			continue;
		if (d->sbe[k] != NULL)
			n += pub_subscribers(d->sbe[k]);
		if (d->json[k] != NULL)
			n += pub_subscribers(d->json[k]);
		jsonw_u64(w, event_kind_word((enum event_kind)k), n);
	}
	jsonw_end(w);
}

ON_LOOP static void put_published(struct daemon *d, struct jsonw *w)
{
	jsonw_object(w, "published");
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		if (d->broadcasts[k] != NULL)
			jsonw_u64(w, event_kind_word((enum event_kind)k),
				  publisher_count(d->publisher, (enum event_kind)k));
	jsonw_end(w);
}

static uint64_t rejected(void)
{
	uint64_t n = 0;

	for (unsigned r = REJECT_NONE + 1; r < REJECT_N; r++)
		n += stats_get((enum stat_id)((unsigned)STAT_REJECT_NONE + r));
	return n;
}

void admin_status(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct jsonw *w = admin_result(call);

	(void)request;
	jsonw_str(w, "state", daemon_state_name(d->state));
	jsonw_str(w, "version", TICKBUS_VERSION);
	jsonw_i64(w, "pid", getpid());
	jsonw_u64(w, "uptime_s",
		  (uint64_t)((clock_mono_ns() - d->started_ns) / NS_PER_S));
	jsonw_str(w, "config", d->config_path != NULL ? d->config_path : "(built in)");
	jsonw_str(w, "clock", d->config.live.clock == CONFIG_WALL ? "wall" : "feed");
	jsonw_u64(w, "epoch", d->epoch);
	jsonw_u64(w, "position", store_committed(d->store));
	jsonw_u64(w, "dispatched", store_dispatched(d->store));
	jsonw_u64(w, "replay_end", d->replay_end);
	jsonw_u64(w, "workers", d->n_workers);
	jsonw_u64(w, "symbols", symtab_count(d->symbols));
	jsonw_u64(w, "sources", symtab_count(d->sources) - 1);
	jsonw_bool(w, "simulator", d->sim != NULL);
	jsonw_u64(w, "ticks_accepted", stats_get(STAT_TICKS_ACCEPTED));
	jsonw_u64(w, "ticks_duplicate", stats_get(STAT_TICKS_DUPLICATE));
	jsonw_u64(w, "ticks_rejected", rejected());
	put_published(d, w);
	put_subscribers(d, w);
	put_store(d, w);
	admin_done(call);
}

/* ---- top ---- */

ON_LOOP static void put_workers(struct daemon *d, struct jsonw *w)
{
	jsonw_array(w, "workers");
	for (uint32_t i = 0; i < d->n_workers; i++) {
		struct shard_counts c;

		worker_counts(d->workers[i], &c);
		jsonw_object(w, NULL);
		jsonw_u64(w, "worker", i);
		jsonw_u64(w, "ring_items", bus_shard_depth(d->bus, i));
		jsonw_u64(w, "cut_items", ring_depth(d->cuts[i]));
		jsonw_u64(w, "outbox_bytes", outbox_depth(d->outboxes[i]));
		jsonw_u64(w, "ticks", c.ticks);
		jsonw_u64(w, "bars",
			  c.bars[BAR_TRADED] + c.bars[BAR_QUIET] + c.bars[BAR_BLIND]);
		jsonw_u64(w, "vectors", c.vectors);
		jsonw_u64(w, "symbols", c.lanes);
		jsonw_end(w);
	}
	jsonw_end(w);
}

ON_LOOP static void put_latencies(struct daemon *d, struct jsonw *w)
{
	struct histogram *all = calloc(1, sizeof(*all));

	jsonw_object(w, "latency");
	if (all != NULL) {
		for (uint32_t i = 0; i < d->n_workers; i++)
			histogram_merge(all, worker_latency(d->workers[i]));
		metrics_latency_json(w, "commit_to_bar", all);
		free(all);
	}
	metrics_latency_json(w, "accept_to_publish", publisher_latency(d->publisher));
	metrics_latency_json(w, "matrix", tier2_worker_latency(d->tier2));
	jsonw_end(w);
}

static void put_drops(struct jsonw *w)
{
	static const enum stat_id drops[] = {
		STAT_PUBLISH_DROPPED, STAT_JSON_DROPPED,   STAT_RING_LAPPED,
		STAT_TICKS_TOO_LATE,  STAT_CANCELS_LOST,   STAT_QUARANTINE_LOST,
		STAT_MAILBOX_FULL,    STAT_INGEST_BUSY,    STAT_CATCHUP_BUSY,
		STAT_BUS_DROPPED,     STAT_FAULTED_TICKS,  STAT_BACKPRESSURE,
		STAT_NO_SPACE,        STAT_DISPATCH_STALLS};

	jsonw_object(w, "drops");
	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
		jsonw_u64(w, stats_info(drops[i])->name, stats_get(drops[i]));
	jsonw_u64(w, "ticks_rejected_total", rejected());
	jsonw_end(w);
}

ON_LOOP static void put_symbol(struct daemon *d, struct jsonw *w, uint32_t id)
{
	char key[32];

	jsonw_object(w, NULL);
	jsonw_u64(w, "id", id);
	admin_name(w, "symbol", symtab_name(d->symbols, id), SYMTAB_NAME_MAX);
	for (size_t i = 0; i < SYMBOL_KINDS; i++) {
		(void)snprintf(key, sizeof(key), "%s_seq",
			       event_kind_word(symbol_kinds[i]));
		jsonw_u64(w, key,
			  publisher_last_seq(d->publisher, symbol_kinds[i], id));
	}
	jsonw_end(w);
}

/* Rows of @n symbols from @from on; returns the next id. */
ON_LOOP static uint32_t put_symbols(struct daemon *d, struct jsonw *w, uint64_t from,
				    uint64_t n)
{
	uint32_t end = symtab_count(d->symbols);
	uint32_t id = from < end ? (uint32_t)from : end;

	if (n > ADMIN_ROWS_MAX)
		n = ADMIN_ROWS_MAX;
	jsonw_array(w, "symbols");
	for (; id < end && n > 0; id++, n--)
		put_symbol(d, w, id);
	jsonw_end(w);
	return id;
}

/* What stands still between two samples: rates are the asker's to compute. */
void admin_top(struct daemon *d, const struct json *request, struct admin_call *call)
{
	struct jsonw *w = admin_result(call);
	uint64_t committed = store_committed(d->store);
	uint64_t dispatched = store_dispatched(d->store); /* the next one */
	uint64_t n;

	if (!admin_number(request, "n", 100, call, &n))
		return;
	jsonw_str(w, "state", daemon_state_name(d->state));
	jsonw_i64(w, "sampled_ns", clock_mono_ns());
	jsonw_u64(w, "position", committed);
	jsonw_u64(w, "dispatch_lag",
		  committed + 1 > dispatched ? committed + 1 - dispatched : 0);
	jsonw_u64(w, "derived_pending", derived_pending(d->derived));
	jsonw_object(w, "lag"); /* records that catch-up cannot give yet, by kind */
	for (unsigned k = EVENT_BAR; k <= EVENT_STATUS; k++) {
		uint64_t done = derived_complete(d->derived, (enum event_kind)k);

		jsonw_u64(w, event_kind_word((enum event_kind)k),
			  committed > done ? committed - done : 0);
	}
	jsonw_end(w);
	jsonw_u64(w, "tick_outbox_bytes", outbox_depth(d->tick_outbox));
	jsonw_u64(w, "tier2_outbox_bytes", outbox_depth(d->tier2_outbox));
	put_published(d, w);
	put_subscribers(d, w);
	put_latencies(d, w);
	put_drops(w);
	jsonw_object(w, "counters");
	metrics_json(d, w);
	jsonw_end(w);
	put_workers(d, w);
	thread_times_json(w);
	(void)put_symbols(d, w, 0, n);
	admin_done(call);
}

/* ---- tables ---- */

void admin_symbols(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	const char *symbol = json_str(json_get(request, "symbol"), NULL);
	uint64_t from, n;
	uint32_t next;

	if (symbol != NULL) {
		if (symtab_find(d->symbols, symbol, strlen(symbol), &next) != 0) {
			admin_fail(call, "not_found", "there is no such symbol");
			return;
		}
		(void)put_symbols(d, admin_result(call), next, 1);
		admin_symbol(d, request, next, call);
		return;
	}
	if (!admin_number(request, "from_id", 0, call, &from) ||
	    !admin_number(request, "n", ADMIN_ROWS_MAX, call, &n))
		return;
	next = put_symbols(d, admin_result(call), from, n);
	jsonw_u64(admin_result(call), "next_id", next);
	jsonw_bool(admin_result(call), "done", next >= symtab_count(d->symbols));
	admin_done(call);
}

void admin_sources(struct daemon *d, const struct json *request,
		   struct admin_call *call)
{
	struct jsonw *w = admin_result(call);

	(void)request;
	jsonw_array(w, "sources");
	for (uint32_t id = 1; id < symtab_count(d->sources); id++) {
		char name[SYMTAB_NAME_MAX + 1] = {0};

		memcpy(name, symtab_name(d->sources, id), SYMTAB_NAME_MAX);
		jsonw_object(w, NULL);
		jsonw_u64(w, "id", id);
		jsonw_str(w, "source", name);
		admin_live_source(d, w, name);
		daemon_rss_source(d, w, name);
		jsonw_end(w);
	}
	admin_live_unseen(d, w);
	daemon_rss_unseen(d, w);
	jsonw_end(w);
	admin_done(call);
}

ON_LOOP static void put_universe(struct daemon *d, struct jsonw *w,
				 const struct universe_params *u)
{
	const struct event_tier2 *e;
	char name[UNIVERSE_MAX + 1] = {0};

	memcpy(name, u->name, UNIVERSE_MAX);
	e = publisher_matrix(d->publisher, name, 0);
	jsonw_object(w, NULL);
	jsonw_str(w, "name", name);
	jsonw_str(w, "timeframe", timeframe_name(u->timeframe_s));
	jsonw_str(w, "method", corr_method_name(u->method));
	jsonw_u64(w, "window", u->window);
	jsonw_bool(w, "all", u->all);
	jsonw_u64(w, "members", u->all ? u->n_max : u->n_symbols);
	jsonw_u64(w, "version", e != NULL ? e->head.seq : 0);
	jsonw_u64(w, "included", e != NULL ? e->n_included : 0);
	jsonw_end(w);
}

void admin_universes(struct daemon *d, const struct json *request,
		     struct admin_call *call)
{
	struct jsonw *w = admin_result(call);

	(void)request;
	jsonw_array(w, "universes");
	for (size_t i = 0; i < d->config.derive.n_universes; i++)
		put_universe(d, w, &d->config.derive.universes[i]);
	jsonw_end(w);
	admin_done(call);
}

void admin_matrix(struct daemon *d, const struct json *request, struct admin_call *call)
{
	const char *name = json_str(json_get(request, "name"), "");
	const char *timeframe = json_str(json_get(request, "timeframe"), NULL);
	uint32_t timeframe_s =
		timeframe == NULL ? 0 : timeframe_parse(timeframe, strlen(timeframe));
	const struct event_json_ctx ctx = {.epoch = d->epoch};
	const struct tier2_member *members;
	const struct event_tier2 *e;
	struct buf line = {0};
	size_t i = 0;

	do {
		e = publisher_matrix(d->publisher, name, i++);
	} while (e != NULL && timeframe != NULL && e->timeframe_s != timeframe_s);
	if (e == NULL) {
		admin_fail(call, "not_found", "there is no such matrix, or none yet");
		return;
	}
	members = (const struct tier2_member *)(e + 1);
	event_json_tier2(&line, e, members, (const double *)(members + e->n_members),
			 &ctx);
	jsonw_raw(admin_result(call), "matrix", (const char *)line.data, line.len);
	buf_free(&line);
	admin_done(call);
}
