/*
 * daemon_timers - what happens by the clock: heartbeats, guards, the watchdog,
 * and in wall-clock mode the clock records of the log.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/daemon_parts.h"
#include "daemon/kill_switch.h"
#include "daemon/notify.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define QUARTER_MS   250
#define DRAIN_MAX_NS (30 * NS_PER_S)
#define CLOCK_MIN_MS 5
#define OFFSETS_MAX  (UNIVERSES_MAX + 2)

struct limits {
	int64_t retain_ns;
	uint64_t retain_bytes;
	struct derived_limit derived[STORE_KINDS];
};

static void set_limits(struct store_thread *st, void *arg)
{
	struct limits *l = arg;

	role_assert_store();
	tickstore_limits_set(store_log(st), l->retain_ns, l->retain_bytes, l->derived);
	free(l);
}

/* To those who have started with the old values. */
ON_LOOP static void tell(struct daemon *d)
{
	struct limits *l = calloc(1, sizeof(*l));

	publisher_set_batch(d->publisher, d->config.publisher.batch_ns);
	uv_timer_set_repeat(&d->second,
			    (uint64_t)(d->config.publisher.heartbeat_ns / NS_PER_MS));
	(void)uv_timer_again(&d->second);
	if (l == NULL) {
		log_err("reload", "out of memory for the limits; reload again");
		return;
	}
	l->retain_ns = d->config.store.retain_ns;
	l->retain_bytes = d->config.store.retain_bytes;
	daemon_derived_limits(&d->config, l->derived);
	if (store_post(d->store, set_limits, l) != 0) {
		log_warn("reload", "the log is too busy to hear of its limits; reload "
				   "again");
		free(l);
	}
}

void daemon_apply_reloadable(struct daemon *d)
{
	if (d->publisher != NULL)
		tell(d);
	atomic_store(&d->window.too_old_ns, d->config.live.too_old_ns);
	atomic_store(&d->window.future_ns, d->config.live.future_ns);
	log_level_set((enum log_level)d->config.log_level);
	log_journal_set(d->config.log_journal);
}

/* ---- the watchdog ---- */

/* The counts by which threads show that they move, and whose they are. */
struct pulse {
	uint64_t count[WORKERS_MAX + 6];
	const char *name[WORKERS_MAX + 6];
	uint32_t n;
};

static void feel(struct pulse *p, const char *name, uint64_t count)
{
	p->name[p->n] = name;
	p->count[p->n++] = count;
}

/* Has every thread moved since it was last seen to?  If not, d->still is one. */
static bool all_moved(struct daemon *d)
{
	struct pulse now = {.n = 0};
	bool moved = true;

	for (uint32_t w = 0; w < d->n_workers; w++)
		feel(&now, "worker", worker_moved(d->workers[w]));
	feel(&now, "store", store_moved(d->store));
	feel(&now, "tier2", tier2_worker_moved(d->tier2));
	if (d->feed != NULL)
		feel(&now, "feed", feed_thread_moved(d->feed));
	if (d->history != NULL)
		feel(&now, "history", history_moved(d->history));
	/* The last: they begin later than the others, and end when draining begins. */
	if (d->live != NULL && d->state != DAEMON_DRAINING)
		feel(&now, "live", live_thread_moved(d->live));
	if (d->rss != NULL && d->state != DAEMON_DRAINING)
		feel(&now, "rss", rss_thread_moved(d->rss));
	for (uint32_t i = 0; i < now.n; i++) {
		if (now.count[i] != d->moved[i])
			continue;
		moved = false;
		d->still = now.name[i];
	}
	if (moved)
		memcpy(d->moved, now.count, now.n * sizeof(now.count[0]));
	return moved;
}

static void watch(struct daemon *d)
{
	int64_t now = clock_mono_ns();
	int64_t since_ns = now - d->watched_ns;
	uint64_t feed_ms = notify_watchdog_ms();

	/*
	 * Time in which this thread did not look either (a machine that was paused)
	 * is no evidence against the others.
	 */
	if (since_ns > 2 * QUARTER_MS * NS_PER_MS)
		since_ns = 2 * QUARTER_MS * NS_PER_MS;
	if (d->watched_ns == 0 || all_moved(d)) {
		d->still_ns = 0;
	} else {
		d->still_ns += since_ns;
		stats_add(STAT_WATCHDOG_MISSES, 1);
	}
	d->watched_ns = now;
	if (d->config.watchdog_ns > 0 && d->still_ns > d->config.watchdog_ns) {
		log_err("watchdog",
			"the thread of %s has not moved for %lld ms; ending the "
			"process, the log has everything",
			d->still, (long long)(d->still_ns / NS_PER_MS));
		abort();
	}
	if (feed_ms > 0 && d->still_ns == 0 &&
	    now - d->fed_ns >= (int64_t)feed_ms * NS_PER_MS / 2) {
		d->fed_ns = now;
		notify_watchdog();
	}
}

static void on_quarter(uv_timer_t *t)
{
	struct daemon *d = t->data;

	role_assert_loop();
	if (d->is_doomed)
		(void)raise(SIGKILL);
	for (int k = 0; k < PUBLISHED_KINDS; k++) {
		if (d->sbe[k] != NULL)
			pub_guard(d->sbe[k]);
		if (d->json[k] != NULL)
			pub_guard(d->json[k]);
	}
	if (d->ingest != NULL)
		ingest_server_guard(d->ingest);
	if (d->catchup != NULL)
		rep_guard(d->catchup);
	publisher_flush(d->publisher);
	kill_switch_step(d);
	if (d->progress != NULL)
		job_progress_board_step(d->progress);
	daemon_turn(d);
	watch(d);
	if (d->state == DAEMON_DRAINING &&
	    clock_mono_ns() - d->drain_ns > DRAIN_MAX_NS) {
		log_err("stop",
			"not drained after 30 s; leaving the rest to the next start");
		_exit(0);
	}
}

static void on_second(uv_timer_t *t)
{
	struct daemon *d = t->data;
	char text[160];

	role_assert_loop();
	/* A heartbeat must not name events that wait in an unsealed frame. */
	publisher_flush(d->publisher);
	publisher_heartbeat(d->publisher);
	(void)snprintf(text, sizeof(text), "%s: position %llu, %u symbols, %llu bars",
		       daemon_state_name(d->state),
		       (unsigned long long)store_committed(d->store),
		       symtab_count(d->symbols),
		       (unsigned long long)publisher_count(d->publisher, EVENT_BAR));
	notify_status(text);
	stats_set(STAT_SYMBOLS, symtab_count(d->symbols));
	if (d->analysis != NULL)
		stats_set(STAT_ANALYSIS_RUNNING, analysis_room_running(d->analysis));
	stats_set(STAT_SOURCES, symtab_count(d->sources) - 1);
}

/* ---- clock records ---- */

static int64_t smallest_step_ns(const struct params *p)
{
	uint32_t step = p->defaults.timeframes_s[0];

	for (size_t i = 0; i < p->n_symbols; i++)
		if (p->symbols[i].timeframes_s[0] < step)
			step = p->symbols[i].timeframes_s[0];
	return (int64_t)step * NS_PER_S;
}

/*
 * The next moment at which something may be due: a boundary of the smallest
 * timeframe plus a grace (bars), plus a universe's grace (matrices), plus the
 * revision window (final bars).
 */
static int64_t next_due_ns(const struct params *p, int64_t now)
{
	int64_t step = smallest_step_ns(p), best = INT64_MAX;
	int64_t offset[OFFSETS_MAX];
	size_t n = 0;

	offset[n++] = p->bars.grace_ns;
	offset[n++] = p->bars.revision_window_ns;
	for (size_t i = 0; i < p->n_universes; i++)
		offset[n++] = p->bars.grace_ns + p->universes[i].grace_ns;
	for (size_t i = 0; i < n; i++) {
		int64_t due = ((now - offset[i]) / step + 1) * step + offset[i];

		if (due < best)
			best = due;
	}
	return best;
}

static void append_clock(struct store_thread *st, void *arg)
{
	const struct record r = {.type = RECORD_CLOCK,
				 .event_ns = clock_wall_ns(),
				 .recv_ns = clock_wall_ns(),
				 RECORD_NO_VALUES};

	role_assert_store();
	(void)arg;
	/* Without space there are no ticks either: the next record says the same. */
	if (intake_record(store_intake(st), &r) == 0)
		stats_add(STAT_CLOCK_RECORDS, 1);
}

static void on_clock(uv_timer_t *t);

static void arm_clock(struct daemon *d)
{
	int64_t now = clock_wall_ns();
	int64_t wait_ms = (next_due_ns(&d->config.derive, now) - now) / NS_PER_MS + 1;

	/* Look again each second at least: the wall may have been set. */
	if (wait_ms > 1000)
		wait_ms = 1000;
	(void)uv_timer_start(
		&d->clock, on_clock,
		(uint64_t)(wait_ms < CLOCK_MIN_MS ? CLOCK_MIN_MS : wait_ms), 0);
}

static void on_clock(uv_timer_t *t)
{
	struct daemon *d = t->data;
	int64_t now = clock_wall_ns();

	role_assert_loop();
	if (d->state == DAEMON_READY && now >= d->clock_due_ns) {
		(void)store_post(d->store, append_clock, NULL);
		d->clock_due_ns = next_due_ns(&d->config.derive, now);
	}
	arm_clock(d);
}

void daemon_start_timers(struct daemon *d)
{
	(void)uv_timer_init(&d->loop, &d->second);
	(void)uv_timer_init(&d->loop, &d->quarter);
	(void)uv_timer_init(&d->loop, &d->clock);
	d->second.data = d->quarter.data = d->clock.data = d;
	(void)uv_timer_start(&d->second, on_second, 1000,
			     (uint64_t)(d->config.publisher.heartbeat_ns / NS_PER_MS));
	(void)uv_timer_start(&d->quarter, on_quarter, QUARTER_MS, QUARTER_MS);
	if (d->config.live.clock == CONFIG_WALL) {
		d->clock_due_ns = next_due_ns(&d->config.derive, clock_wall_ns());
		arm_clock(d);
	}
}
