/*
 * daemon - start, run, drain, stop (daemon.h); the parts are opened and closed by
 * daemon_parts.c, what happens on a timer is in daemon_timers.c.
 *
 * Order of the start: state directory and log -> workers and tier 2 -> sockets ->
 * threads -> replay of the log -> READY, ingest.  Order of the end: no new
 * requests -> everything accepted is answered, dispatched, derived, published
 * and stored -> threads, top of the stream first -> checkpoint -> exit.
 */
#include "daemon/daemon.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/backup_job.h"
#include "daemon/daemon_live.h"
#include "daemon/daemon_parts.h"
#include "daemon/daemon_rss.h"
#include "daemon/exitcode.h"
#include "daemon/kill_switch.h"
#include "daemon/notify.h"
#include "daemon/restore.h"
#include "daemon/verify_job.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLISH_BUDGET 4096
#define CLOSE_MAX_S    3

const char *daemon_state_name(enum daemon_state s)
{
	static const char *const name[] = {"starting", "replaying", "ready",
					   "draining"};

	return name[s];
}

void daemon_bell(void *arg)
{
	struct daemon *d = arg;

	(void)uv_async_send(&d->bell);
}

/* ---- asking the store thread ---- */

void daemon_answered(struct daemon_question *q)
{
	/* As many slots as questions can be open: this post does not fail. */
	while (mailbox_post(q->d->answers, &q) == MAILBOX_FULL)
		daemon_bell(q->d);
}

static void asked(struct store_thread *st, void *arg)
{
	struct daemon_question *q = arg;

	role_assert_store();
	q->ask(st, q->arg);
	daemon_answered(q);
}

int daemon_ask(struct daemon *d, daemon_ask_fn ask, daemon_answer_fn answer, void *arg)
{
	struct daemon_question *q = malloc(sizeof(*q));
	int rc;

	if (q == NULL)
		return MAILBOX_FULL;
	*q = (struct daemon_question){d, ask, answer, arg};
	rc = store_post(d->store, asked, q);
	if (rc != 0)
		free(q);
	return rc;
}

ON_LOOP static void take_answers(struct daemon *d)
{
	struct daemon_question *q;

	while (mailbox_take(d->answers, &q) == 0) {
		q->answer(d, q->arg);
		free(q);
	}
}

/* ---- the loop ---- */

ON_LOOP static void become_ready(struct daemon *d)
{
	int rc;

	if (d->state != DAEMON_REPLAYING ||
	    store_dispatched(d->store) <= d->replay_end ||
	    !publisher_reached(d->publisher, d->replay_end))
		return;
	rc = daemon_open_ingest(d);
	if (rc == 0)
		rc = daemon_open_live(d);
	if (rc == 0)
		rc = daemon_open_rss(d);
	if (rc == 0)
		rc = daemon_start_analysis(d);
	if (rc < 0) {
		log_err("start", "%s", err_text());
		d->exit_code = exitcode_of(rc);
		uv_stop(&d->loop);
		return;
	}
	d->state = DAEMON_READY;
	if (d->config.chaos)
		log_warn("chaos",
			 "chaos.enabled is true: whoever may use the admin socket can "
			 "kill, stall, poison and fill this daemon");
	log_info("start", "ready after %lld ms; %llu records replayed",
		 (long long)((clock_mono_ns() - d->started_ns) / NS_PER_MS),
		 (unsigned long long)(d->replay_end - d->restored_pos));
	notify_ready();
}

#define PASSES 2 /* what lay before the first in the mailbox is committed by then */

static void nothing(struct store_thread *st, void *arg)
{
	(void)st;
	(void)arg;
}

static void on_passed(struct daemon *d, void *arg)
{
	(void)arg;
	d->n_passed++;
	d->is_asking = false;
}

/* Letters of a producer that is gone may still lie in the store's mailbox. */
ON_LOOP static void pass_mailbox(struct daemon *d)
{
	if (d->n_passed < PASSES && !d->is_asking)
		d->is_asking = daemon_ask(d, nothing, on_passed, NULL) == 0;
}

/* Has everything that was accepted left the house? */
ON_LOOP static bool is_drained(const struct daemon *d)
{
	uint64_t last = store_committed(d->store);

	if (d->n_passed < PASSES)
		return false;
	if (d->ingest != NULL && ingest_server_open_calls(d->ingest) > 0)
		return false;
	return store_dispatched(d->store) > last &&
	       publisher_reached(d->publisher, last);
}

ON_LOOP static void check_failure(struct daemon *d)
{
	if (store_failure(d->store) == NULL || d->exit_code != 0)
		return;
	log_err("daemon", "the log failed: %s; stopping", store_failure(d->store));
	d->exit_code =
		store_failure_code(d->store) == -EBADMSG ? EXITCODE_DATA : EXITCODE_IO;
	uv_stop(&d->loop);
}

void daemon_turn(struct daemon *d)
{
	size_t n = publisher_step(d->publisher, PUBLISH_BUDGET);

	trace_book_step(d->trace_book, d->config.trace.slow_ns);

	/*
	 * Somebody waits for the stream to run dry: do not leave it to the timer.
	 * After a turn that found something the next one comes at once, or the last
	 * frame of a replay would wait for the quarter of a second.
	 */
	if (d->state != DAEMON_READY) {
		if (n == 0)
			publisher_flush(d->publisher);
		else
			daemon_bell(d);
	}
	take_answers(d);
	become_ready(d);
	check_failure(d);
	if (d->state == DAEMON_DRAINING)
		pass_mailbox(d);
	if (d->state == DAEMON_DRAINING && is_drained(d))
		uv_stop(&d->loop);
	if (n >= PUBLISH_BUDGET)
		daemon_bell(d); /* more is there: after the sockets had their turn */
}

static void on_bell(uv_async_t *a)
{
	role_assert_loop();
	daemon_turn(a->data);
}

void daemon_stop(struct daemon *d)
{
	if (d->state == DAEMON_DRAINING)
		return;
	log_info("stop", "draining");
	d->state = DAEMON_DRAINING;
	d->drain_ns = clock_mono_ns();
	notify_stopping();
	live_thread_stop(d->live);
	rss_thread_stop(d->rss);
	sim_thread_stop(d->sim);
	if (d->ingest != NULL)
		ingest_server_quiesce(d->ingest);
	daemon_bell(d);
}

static void on_signal(uv_signal_t *s, int signum)
{
	struct daemon *d = s->data;

	role_assert_loop();
	if (signum != SIGHUP) {
		daemon_stop(d);
		return;
	}
	notify_reloading();
	if (daemon_reload(d) < 0)
		log_err("reload", "%s; the old configuration stays", err_text());
	notify_ready();
}

int daemon_reload(struct daemon *d)
{
	struct config_errors *errs;
	struct config_change change[32];
	struct config fresh;
	size_t n;
	int rc;

	if (d->config_path == NULL)
		return err_set(-EINVAL,
			       "the configuration is built in: nothing to reload");
	errs = calloc(1, sizeof(*errs));
	if (errs == NULL)
		return err_set(-ENOMEM, "out of memory for the configuration");
	rc = config_load(d->config_path, true, &fresh, errs);
	free(errs);
	if (rc < 0) {
		stats_add(STAT_CONFIG_REFUSED, 1);
		return rc;
	}
	n = config_diff(&d->config, &fresh, change, 32);
	for (size_t i = 0; i < n && i < 32; i++)
		log_info("reload", "%s: %s -> %s%s", change[i].key, change[i].was,
			 change[i].is,
			 change[i].is_reloadable ? ""
						 : " (needs a restart; not changed)");
	config_reload(&d->config, &fresh);
	config_deinit(&fresh);
	daemon_apply_reloadable(d);
	stats_add(STAT_CONFIG_RELOADS, 1);
	return 0;
}

/*
 * Held while nobody could act on them: on the way up until everything stands, on the
 * way down from the end of the loop on.  Threads inherit the mask, so those that are
 * started meanwhile never take one; a signal that came early is acted on when it is
 * let through, one that comes late does not change the exit code.
 */
static void hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static int start_signals(struct daemon *d)
{
	const struct {
		uv_signal_t *handle;
		int signum;
	} all[] = {{&d->sigterm, SIGTERM}, {&d->sigint, SIGINT}, {&d->sighup, SIGHUP}};

	for (size_t i = 0; i < 3; i++) {
		int rc = uv_signal_init(&d->loop, all[i].handle);

		if (rc == 0)
			rc = uv_signal_start(all[i].handle, on_signal, all[i].signum);
		if (rc < 0)
			return err_set(rc, "cannot catch signals: %s", uv_strerror(rc));
		all[i].handle->data = d;
	}
	return 0;
}

static void close_handle(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

ON_LOOP static int start(struct daemon *d)
{
	int rc = daemon_open_store(d);

	if (rc < 0)
		return rc;
	rc = daemon_open_pipeline(d);
	if (rc < 0)
		return rc;
	rc = daemon_open_history(d);
	if (rc < 0)
		return rc;
	rc = daemon_open_analysis(d);
	if (rc < 0)
		return rc;
	rc = restore_state(d);
	if (rc < 0)
		return rc;
	rc = daemon_open_archive(d);
	if (rc < 0)
		return rc;
	rc = daemon_open_sockets(d);
	if (rc < 0)
		return rc;
	restore_streams(d);
	rc = kill_switch_open_triggers(d);
	if (rc < 0)
		return rc;
	rc = start_signals(d);
	if (rc < 0)
		return rc;
	daemon_start_timers(d);
	rc = daemon_start_threads(d);
	if (rc == 0)
		rc = daemon_start_otlp(d);
	if (rc == 0)
		rc = daemon_start_archive(d);
	return rc < 0 ? rc : daemon_start_history(d);
}

static void *give_up(void *arg)
{
	struct daemon *d = arg;

	parker_prepare(&d->closed);
	if (!atomic_load(&d->has_closed))
		parker_wait(&d->closed, CLOSE_MAX_S * NS_PER_S);
	if (atomic_load(&d->has_closed))
		return NULL;
	log_warn("stop", "a socket of nng did not close within %d s; leaving it",
		 CLOSE_MAX_S);
	_exit(d->exit_code);
}

/*
 * nng_close() of 1.5.2 can hang (#1543).  The log is closed by now and nothing is
 * left to lose: after a while the process ends without it.
 */
ON_LOOP static void close_with_limit(struct daemon *d)
{
	pthread_t t;

	parker_init(&d->closed);
	if (pthread_create(&t, NULL, give_up, d) != 0) {
		daemon_close_sockets(d);
		return;
	}
	daemon_close_sockets(d);
	atomic_store(&d->has_closed, true);
	parker_wake(&d->closed);
	(void)pthread_join(t, NULL);
}

/* The stream's top first: nobody writes to what is already gone. */
ON_LOOP static void stop(struct daemon *d)
{
	if (d->exit_code == EXITCODE_IO ||
	    (d->store != NULL && store_failure(d->store) != NULL)) {
		/* The disk cannot be trusted, or the log is damaged: no checkpoint,
		 * no goodbye.  What was acknowledged is in the log; the next start
		 * reads it. */
		_exit(d->exit_code);
	}
	live_thread_stop(d->live);
	rss_thread_stop(d->rss);
	sim_thread_stop(d->sim);
	verify_job_end(d);               /* it asks the store thread */
	backup_job_end(d);               /* ... as this does, and the history thread */
	analysis_room_stop(d->analysis); /* as does this */
	daemon_stop_history(d);
	daemon_stop_archive(d);
	if (d->ingest != NULL)
		ingest_server_quiesce(d->ingest);
	store_thread_stop(d->store);
	daemon_stop_pipeline(d);
	if (d->state == DAEMON_DRAINING && is_drained(d))
		daemon_last_snapshot(d);
	otlp_thread_stop(d->otlp);
	ingest_server_halt(d->ingest);
	rep_halt(d->catchup);
	daemon_close_store(d);
	close_with_limit(d);
	metrics_share_deinit(&d->metrics);
	uv_walk(&d->loop, close_handle, NULL);
	while (uv_run(&d->loop, UV_RUN_NOWAIT) != 0)
		;
	(void)uv_loop_close(&d->loop);
	analysis_room_free(d->analysis);
	job_progress_board_free(d->progress);
	daemon_close_history(d);
	daemon_close_archive(d);
	live_thread_free(d->live);
	rss_thread_free(d->rss);
	daemon_close_parts(d);
}

int daemon_run(struct config *config, const char *config_path)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int rc;

	if (d == NULL)
		return EXITCODE_INTERNAL;
	d->config = *config;
	d->config_path = config_path;
	d->started_ns = clock_mono_ns();
	d->started_wall_ns = clock_wall_ns();
	role_assert_loop(); /* one thread until the others are started: every role */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is a full disk: an error */
	hold_signals(true);
	if (uv_loop_init(&d->loop) < 0) {
		free(d);
		return EXITCODE_INTERNAL;
	}
	d->bell.data = d;
	(void)uv_async_init(&d->loop, &d->bell, on_bell);
	rc = start(d);
	if (rc < 0) {
		log_err("start", "%s", err_text());
		d->exit_code = exitcode_of(rc);
	} else {
		d->state = DAEMON_REPLAYING;
		role_self = &role_loop;
		daemon_bell(d);
		hold_signals(false);
		(void)uv_run(&d->loop, UV_RUN_DEFAULT);
		hold_signals(true);
		role_self = NULL;
	}
	stop(d);
	rc = d->exit_code;
	config_deinit(&d->config);
	free(d);
	return rc;
}
