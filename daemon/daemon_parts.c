/* daemon_parts - see daemon_parts.h. */
#include "daemon/daemon_parts.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/kill_triggers.h"
#include "daemon/restore.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAILBOX_SLOTS 4096
#define CUT_SLOTS     16384
#define QUESTIONS_MAX 1024
#define HISTORY       128u /* items kept per symbol: 18 KiB, 184 MB for 10,000 symbols */
#define TURN_MAX      64u  /* items of a symbol before its neighbours have their turn */

/* ---- the store ---- */

static void store_failed(void *arg)
{
	daemon_bell(arg);
}

void daemon_derived_limits(const struct config *c,
			   struct derived_limit out[STORE_KINDS])
{
	for (int k = 0; k < STORE_KINDS; k++)
		out[k] = (struct derived_limit){.bytes = c->derived.retain_bytes,
						.ns = c->derived.retain_ns};
}

static struct store_params store_params(const struct config *c)
{
	struct store_params p = {
		.dir = c->store.dir,
		.durability = c->store.durability == CONFIG_FULL ? DURABILITY_FULL
								 : DURABILITY_NORMAL,
		.sync_interval_ns = c->store.sync_interval_ns,
		.segment_max = c->store.segment_max,
		.retain_ns = c->store.retain_ns,
		.retain_bytes = c->store.retain_bytes,
		.symbols_max = c->limits.symbols_max,
		.sources_max = c->limits.sources_max,
		.producers_max = c->limits.producers_max,
		.wal_bytes_max = c->store.wal_bytes_max,
		.ballast_bytes = c->store.ballast_bytes,
		.quarantine_max = c->limits.quarantine_max,
	};

	daemon_derived_limits(c, p.derived);
	return p;
}

static int open_log(struct daemon *d, struct tickstore **out)
{
	const struct store_params p = store_params(&d->config);
	const struct store_names symbols = {d->symbols, symtab_add, symtab_name,
					    symtab_count, 0};
	const struct store_names sources = {d->sources, symtab_add, symtab_name,
					    symtab_count, 1};
	const char *sim = sim_thread_producer(&d->config);
	struct store_status status;
	uint32_t producer;
	int rc;

	role_assert_store(); /* before its thread exists, the log is ours */
	rc = tickstore_open(&p, &symbols, &sources, clock_wall_ns(), out);
	if (rc < 0)
		return rc;
	tickstore_status(*out, &status);
	if (status.alarm[0] != '\0')
		log_err("store", "%s", status.alarm);
	if (status.warning[0] != '\0')
		log_warn("store", "%s", status.warning);
	if (status.lost_first != 0)
		stats_add(STAT_LOG_LOSSES, 1);
	if (d->config.simulator.enabled &&
	    tickstore_producer(*out, sim, strlen(sim), &producer) == 0)
		d->sim_last_seq = tickstore_seq_last(*out, producer);
	d->epoch = status.epoch;
	d->replay_end = status.last_pos;
	return 0;
}

/* The log says from where on which configuration made what is derived. */
static int note_config(struct daemon *d, struct tickstore *ts, struct intake *in)
{
	uint64_t hash = params_hash(&d->config.derive), old;
	struct record r = {.type = RECORD_CONTROL,
			   .event_ns = clock_wall_ns(),
			   .recv_ns = clock_wall_ns(),
			   RECORD_NO_VALUES,
			   .source_seq = hash,
			   .ref_seq = CONTROL_CONFIG};
	struct buf text = {0};
	const void *was;
	size_t len;
	int rc;

	role_assert_store();
	if (tickstore_meta_get(ts, "config.hash", &was, &len) == 0) {
		if (len == sizeof(hash) && memcmp(was, &hash, len) == 0)
			return 0;
		old = params_hash_before_news(&d->config.derive);
		d->config_changed = d->replay_end > 0 && !(len == sizeof(old) &&
							   memcmp(was, &old, len) == 0);
		if (d->config_changed)
			log_warn("start",
				 "the configuration of derived values has changed: it "
				 "holds from here on, what was published stays, "
				 "sequences go on");
	}
	rc = intake_record(in, &r);
	if (rc == 0)
		rc = intake_commit(in);
	config_print(&d->config, &text);
	if (rc == 0)
		rc = tickstore_meta_put(ts, "config.text", text.data, text.len);
	if (rc == 0)
		rc = tickstore_meta_put(ts, "config.hash", &hash, sizeof(hash));
	buf_free(&text);
	return rc;
}

static int open_intake(struct daemon *d, struct tickstore *ts, struct intake **out)
{
	const struct intake_env env = {
		.store = ts,
		.symbols = d->symbols,
		.sources = d->sources,
		.window = &d->window,
		.clock_wall = d->config.live.clock == CONFIG_WALL,
		.durability_full = d->config.store.durability == CONFIG_FULL,
	};
	int rc = intake_new(&env, out);

	return rc < 0 ? rc : note_config(d, ts, *out);
}

/* Before there are gates the restart says the same once more (restore_gates()). */
static void hold_news(void *arg, uint32_t symbol_id, uint64_t pos)
{
	struct daemon *d = arg;

	role_assert_store();
	if (d->gate != NULL)
		gate_news(d->gate, symbol_id, pos);
}

static int open_dispatch(struct daemon *d, struct tickstore *ts, struct dispatch **out)
{
	const struct newsroom_env news = {.params = &d->config.derive,
					  .symbols = d->symbols,
					  .symbols_max = d->config.limits.symbols_max};
	struct dispatch_env env = {
		.store = ts,
		.symbols = d->symbols,
		.bus = d->bus,
		.ticks = d->tick_outbox,
		.index = d->tick_index,
		.trace = d->trace,
		.bell = daemon_bell,
		.held = hold_news,
		.arg = d,
		.symbols_max = d->config.limits.symbols_max,
		.from_pos = 1,
		.replay_end = d->replay_end,
	};

	int rc = newsroom_new(&news, &env.news);

	if (rc == 0)
		rc = dispatch_new(&env, out);
	if (rc < 0)
		newsroom_free(env.news);
	return rc;
}

static int open_snapshot(struct daemon *d, const struct store_env *se,
			 struct snapshot **out)
{
	const struct snapshot_env env = {
		.store = se->store,
		.dispatch = se->dispatch,
		.index = d->tick_index,
		.every = d->config.store.snapshot_every,
		.config_hash = params_hash(&d->config.derive),
		.n_takers = d->n_workers + 1,
		.is_stored = daemon_derived_stored,
		.arg = d,
	};

	return snapshot_new(&env, out);
}

static int open_bus(struct daemon *d)
{
	const struct config *c = &d->config;
	const struct bus_params p = {
		.shards = d->n_workers,
		.symbols_max = c->limits.symbols_max,
		.event_bytes = sizeof(struct item),
		.ring_slots = c->limits.ring_slots,
		.history = HISTORY,
		.inflight_max = c->limits.inflight_max,
		.turn_max = TURN_MAX,
	};
	int rc = bus_new(&p, &d->bus);

	if (rc == 0)
		bus_start(d->bus);
	return rc;
}

static int open_rings(struct daemon *d)
{
	const struct config *c = &d->config;
	int rc = open_bus(d);

	if (rc == 0)
		rc = outbox_new(c->limits.outbox_bytes, &d->tick_outbox);

	for (uint32_t w = 0; w < d->n_workers && rc == 0; w++) {
		rc = ring_new(CUT_SLOTS, sizeof(struct cut_item), &d->cuts[w]);
		if (rc == 0)
			rc = outbox_new(c->limits.outbox_bytes, &d->outboxes[w]);
	}
	return rc;
}

static void store_care(void *arg)
{
	struct daemon *d = arg;

	role_assert_store();
	derived_rows_step(d->derived_rows);
	daemon_archive_care(d);
}

static int open_traces(struct daemon *d)
{
	uint32_t steps = d->config.trace.steps;
	int rc = steps == 0 ? 0
			    : trace_new(steps < 2 ? 2 : steps, d->n_workers, &d->trace);

	return rc < 0 ? rc : trace_book_new(d->trace, &d->trace_book);
}

int daemon_open_store(struct daemon *d)
{
	const struct config *c = &d->config;
	struct store_env env = {.mailbox_slots = MAILBOX_SLOTS,
				.spin_ns = c->workers.spin_ns,
				.failed = store_failed,
				.care = store_care,
				.left = daemon_snapshot_left,
				.arg = d};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	d->n_workers = c->workers.threads != 0 ? c->workers.threads
					       : (uint32_t)(cores < 1 ? 1 : cores);
	if (d->n_workers > WORKERS_MAX)
		d->n_workers = WORKERS_MAX;
	daemon_apply_reloadable(d);
	rc = mailbox_new(QUESTIONS_MAX, sizeof(void *), daemon_bell, d, &d->answers);
	if (rc == 0)
		rc = symtab_new(c->limits.symbols_max, 0, &d->symbols);
	if (rc == 0)
		rc = symtab_new(c->limits.sources_max, 1, &d->sources);
	if (rc == 0)
		rc = tick_index_new(c->limits.symbols_max, &d->tick_index);
	if (rc == 0)
		rc = newest_new(&d->newest);
	if (rc == 0)
		rc = open_rings(d);
	if (rc == 0)
		rc = open_traces(d);
	env.trace = d->trace;
	if (rc == 0)
		rc = open_log(d, &env.store);
	if (rc == 0)
		rc = derived_rows_new(env.store, d->newest, &d->derived_rows);
	if (rc == 0)
		rc = open_intake(d, env.store, &env.intake);
	if (rc == 0)
		rc = open_dispatch(d, env.store, &env.dispatch);
	if (rc == 0)
		rc = open_snapshot(d, &env, &env.snapshot);
	if (rc == 0)
		rc = store_thread_new(&env, &d->store);
	if (rc < 0 && d->store == NULL) {
		role_assert_store(); /* its thread has not begun */
		intake_free(env.intake);
		dispatch_free(env.dispatch);
		snapshot_free(env.snapshot);
		(void)tickstore_close(env.store);
	}
	return rc;
}

/* ---- workers and tier 2 ---- */

static void wake_tier2(void *arg)
{
	struct daemon *d = arg;

	parker_wake(&d->tier2_parker);
}

static int open_worker(struct daemon *d, uint32_t w)
{
	const struct worker_env env = {
		.shard = {.params = &d->config.derive,
			  .symbols = d->symbols,
			  .sources = d->sources,
			  .index = w,
			  .n_shards = d->n_workers,
			  .symbols_max = d->config.limits.symbols_max},
		.bus = d->bus,
		.out = d->outboxes[w],
		.cut = d->cuts[w],

		.bell = daemon_bell,
		.cut_bell = wake_tier2,
		.snapshot = daemon_snapshot_part,
		.arg = d,
		.spin_ns = d->config.workers.spin_ns,
		.trace = d->trace,
	};

	return worker_new(&env, &d->workers[w]);
}

static int open_tier2(struct daemon *d)
{
	struct tier2_worker_env env = {
		.tier2 = {.params = &d->config.derive,
			  .symbols = d->symbols,
			  .n_workers = d->n_workers,
			  .symbols_max = d->config.limits.symbols_max},
		.cuts = d->cuts,
		.parker = &d->tier2_parker,
		.bell = daemon_bell,
		.snapshot = daemon_snapshot_part,
		.arg = d,
		.trace = d->trace,
	};
	size_t bytes = 8 * tier2_bytes_max(&d->config.derive);
	int rc;

	parker_init(&d->tier2_parker);
	rc = outbox_new(bytes < d->config.limits.outbox_bytes
				? d->config.limits.outbox_bytes
				: bytes,
			&d->tier2_outbox);
	if (rc < 0)
		return rc;
	env.out = d->tier2_outbox;
	return tier2_worker_new(&env, &d->tier2);
}

int daemon_open_pipeline(struct daemon *d)
{
	for (uint32_t w = 0; w < d->n_workers; w++) {
		int rc = open_worker(d, w);

		if (rc < 0)
			return rc;
	}
	return open_tier2(d);
}

int daemon_renew_pipeline(struct daemon *d)
{
	tier2_worker_free(d->tier2);
	d->tier2 = NULL;
	outbox_free(d->tier2_outbox);
	d->tier2_outbox = NULL;
	for (uint32_t w = 0; w < d->n_workers; w++) {
		worker_free(d->workers[w]);
		d->workers[w] = NULL;
	}
	return daemon_open_pipeline(d);
}

int daemon_start_threads(struct daemon *d)
{
	int rc = tier2_worker_start(d->tier2);

	for (uint32_t w = 0; w < d->n_workers && rc == 0; w++)
		rc = worker_start(d->workers[w]);
	return rc < 0 ? rc : store_thread_start(d->store);
}

void daemon_stop_pipeline(struct daemon *d)
{
	for (uint32_t w = 0; w < d->n_workers; w++)
		worker_stop(d->workers[w]);
	tier2_worker_stop(d->tier2);
}

/* ---- the end ---- */

void daemon_close_store(struct daemon *d)
{
	role_assert_store(); /* its thread has ended */
	if (d->store != NULL && newest_save(d->newest, store_log(d->store)) < 0)
		log_warn("stop", "%s; the next start reads the stored events again",
			 err_text());
	if (store_thread_free(d->store) < 0)
		log_err("stop", "%s; the next start will recover", err_text());
	d->store = NULL;
}

void daemon_close_parts(struct daemon *d)
{
	publisher_free(d->publisher);
	derived_free(d->derived);
	gate_free(d->gate);
	kill_triggers_free(d->triggers);
	free(d->freezes);
	restored_free(d->restored);
	sim_thread_free(d->sim);
	tier2_worker_free(d->tier2);
	for (uint32_t w = 0; w < d->n_workers; w++) {
		worker_free(d->workers[w]);
		ring_free(d->cuts[w]);
		outbox_free(d->outboxes[w]);
	}
	bus_free(d->bus);
	outbox_free(d->tick_outbox);
	outbox_free(d->tier2_outbox);
	for (int k = 0; k < PUBLISHED_KINDS; k++)
		broadcast_free(d->broadcasts[k]);
	otlp_thread_free(d->otlp);
	trace_book_free(d->trace_book);
	trace_free(d->trace);
	tick_index_free(d->tick_index);
	derived_rows_free(d->derived_rows);
	newest_free(d->newest);
	mailbox_free(d->answers);
	symtab_free(d->symbols);
	symtab_free(d->sources);
}
