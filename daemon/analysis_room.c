/* analysis_room - see analysis_room.h; the folder is analysis_files.c, what is stored
 * analysis_store.c, a process analysis_child.c. */
#include "daemon/analysis_room.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/analysis_parts.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROGRESS_NS (250 * NS_PER_MS)
#define ROWS_HELD   1000 /* ... or as soon as so many wait */
#define AGAIN_NS    NS_PER_S
#define CORES_MAX   4 /* threads of a job, unless the configuration says */

/* ---- its order ---- */

/* What the daemon's configuration says, on this machine and now. */
static void add_words(struct analysis_slot *s)
{
	const struct config *c = s->room->config;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long threads = cores < 1 ? 1 : cores > CORES_MAX ? CORES_MAX : cores;
	bool is_report = s->job.what == JOB_REPORT;

	if (c->analysis.threads != 0)
		threads = c->analysis.threads;
	if (s->blame.is_alone)
		threads = 1;
	buf_printf(&s->order, "--%s=%ld\n", is_report ? "workers" : "threads", threads);
	if (is_report && c->news_vader[0] != '\0')
		buf_printf(&s->order, "--vader=%s\n", c->news_vader);
}

/* Whom it is to do without, the words, the symbols, holdings. */
static void write_order(struct analysis_slot *s)
{
	const struct analysis_aside *a = s->blame.aside;

	s->order.len = 0;
	for (size_t i = 0; i < s->blame.n_aside; i++)
		buf_printf(&s->order, "aside %u %s\n", a[i].row, a[i].reason);
	buf_add(&s->order, s->words.data, s->words.len);
	add_words(s);
	buf_printf(&s->order, "--symbols=");
	buf_add(&s->order, s->symbols.data, s->symbols.len);
	buf_printf(&s->order, "\n\n");
	buf_add(&s->order, s->holdings.data, s->holdings.len);
}

/* ---- one process ---- */

static int on_line(void *arg, const struct analysis_line *line)
{
	struct analysis_slot *s = arg;
	struct analysis_row row = {.n = line->row,
				   .has_failed = line->word == ROW_FAILED};
	int rc = analysis_blame_line(&s->blame, line);

	if (rc < 0 || line->word == ROW_BEGIN || line->word == ROW_LEAVE)
		return rc;
	stats_add(STAT_ANALYSIS_ROWS, 1);
	memcpy(row.reason, line->reason, sizeof(row.reason));
	buf_add(&s->rows, &row, sizeof(row));
	return 0;
}

/* A write that fails is said by HISTORY, and tried again with the next. */
static void on_idle(void *arg)
{
	struct analysis_slot *s = arg;

	if (clock_mono_ns() - s->stored_ns >= PROGRESS_NS ||
	    s->rows.len >= ROWS_HELD * sizeof(struct analysis_row))
		(void)analysis_store_rows(s);
}

static void forget_rows(struct analysis_slot *s)
{
	s->rows.len = 0;
	analysis_blame_process(&s->blame);
	s->stored_ns = clock_mono_ns();
}

/* ANALYSIS_x, with a sentence in stands.why when it is not the whole result. */
static int compute(struct analysis_slot *s, int fd)
{
	struct analysis_room *r = s->room;
	const struct config_analysis *c = &r->config->analysis;
	const struct analysis_child child = {.program = c->program,
					     .admin = r->admin,
					     .memory_bytes = c->memory_bytes,
					     .result_bytes = c->result_bytes,
					     .nice = c->nice,
					     .limit_ns = c->limit_ns,
					     .result_fd = fd,
					     .order = &s->order,
					     .stop = &r->stop,
					     .stop2 = &s->is_ended,
					     .line = on_line,
					     .idle = on_idle,
					     .arg = s};
	int rc;

	forget_rows(s);
	write_order(s);
	rc = analysis_child_run(&child, s->stands.why);
	if (rc == ANALYSIS_ENDED && s->blame.told != s->job.items) {
		(void)snprintf(s->stands.why, sizeof(s->stands.why),
			       "it told of %u of %u symbols", s->blame.told,
			       s->job.items);
		return ANALYSIS_DIED;
	}
	return rc;
}

/* ---- one job ---- */

/* The result has its name before the job is called done. */
static int keep(struct analysis_slot *s, int fd)
{
	int rc = analysis_files_keep(s->room, s->job.id, s->stands.format, fd,
				     &s->stands.bytes);

	if (rc == 0)
		return ANALYSIS_ENDED;
	(void)snprintf(s->stands.why, sizeof(s->stands.why), "%s", err_text());
	return ANALYSIS_REFUSED;
}

static int try_once(struct analysis_slot *s)
{
	int fd = analysis_files_begin(s->room, s->job.id), rc;

	if (fd >= 0) {
		rc = compute(s, fd);
		if (rc == ANALYSIS_ENDED)
			rc = keep(s, fd);
		analysis_files_end(fd);
	} else {
		rc = fd;
	}
	if (rc < 0) {
		(void)snprintf(s->stands.why, sizeof(s->stands.why), "%s", err_text());
		rc = ANALYSIS_REFUSED;
	}
	if (rc != ANALYSIS_ENDED)
		analysis_files_drop(s->room, s->job.id);
	return rc;
}

/* The newest that is set aside, by its name. */
static void say_aside(const struct analysis_slot *s)
{
	const struct analysis_aside *a = &s->blame.aside[s->blame.n_aside - 1];
	const char *at = (const char *)s->symbols.data, *end = at + s->symbols.len;
	const char *comma;

	for (uint32_t i = 1;
	     i < a->row && (comma = memchr(at, ',', (size_t)(end - at))) != NULL; i++)
		at = comma + 1;
	comma = memchr(at, ',', (size_t)(end - at));
	stats_add(STAT_ANALYSIS_ASIDE, 1);
	log_warn("analysis", "job %llu: %.*s is %s", (unsigned long long)s->job.id,
		 (int)((comma != NULL ? comma : end) - at), at, a->reason);
}

static const char *what_next(const struct analysis_slot *s, enum analysis_next next)
{
	if (next == ANALYSIS_OVER)
		return "";
	if (next == ANALYSIS_WITHOUT)
		return "; it begins again without that symbol";
	return s->blame.is_alone ? "; it begins again with one thread"
				 : "; it begins again";
}

/* A process that died may have had bad luck, or a symbol that it cannot compute. */
static int try_some(struct analysis_slot *s)
{
	int rc;

	analysis_blame_job(&s->blame, s->job.items);
	while ((rc = try_once(s)) == ANALYSIS_DIED) {
		enum analysis_next next =
			analysis_blame_death(&s->blame, s->stands.why);

		stats_add(STAT_ANALYSIS_DEATHS, 1);
		log_warn("analysis", "job %llu: %s%s", (unsigned long long)s->job.id,
			 s->stands.why, what_next(s, next));
		if (next == ANALYSIS_OVER)
			break;
		if (next == ANALYSIS_WITHOUT)
			say_aside(s);
		if (analysis_pause(s->room, AGAIN_NS))
			return ANALYSIS_STOPPED;
		s->stands.tries++;
	}
	return rc;
}

static void do_job(struct analysis_slot *s)
{
	unsigned long long id = s->job.id;
	int rc, stored;

	log_info("analysis", "job %llu begins: %u symbols", id, s->job.items);
	rc = try_some(s);
	if (rc == ANALYSIS_STOPPED) {
		log_info("analysis", "job %llu is %s", id,
			 atomic_load(&s->is_ended)
				 ? "cancelled"
				 : "cut off, and begins again with the next start");
		return;
	}
	if (rc == ANALYSIS_ENDED)
		s->stands.why[0] = '\0';
	stored = analysis_store_finish(s, rc == ANALYSIS_ENDED ? JOB_DONE : JOB_FAILED);
	if (stored == 1)
		analysis_files_remove(s->room, s->job.id, s->stands.format);
	if (stored != 0)
		return;
	stats_add(rc == ANALYSIS_ENDED ? STAT_ANALYSIS_DONE : STAT_ANALYSIS_FAILED, 1);
	if (rc == ANALYSIS_ENDED)
		log_info("analysis", "job %llu is done: %llu bytes", id,
			 (unsigned long long)s->stands.bytes);
	else
		log_warn("analysis", "job %llu has failed: %s", id, s->stands.why);
}

static void *body(void *arg)
{
	struct analysis_slot *s = arg;
	struct analysis_room *r = s->room;
	uint64_t wakes;

	while (!atomic_load(&r->stop)) {
		int rc;

		pthread_mutex_lock(&r->lock);
		wakes = r->wakes;
		pthread_mutex_unlock(&r->lock);
		atomic_store(&s->is_ended, false);
		rc = analysis_store_take(s);
		if (rc == 0) {
			do_job(s);
			atomic_store(&s->id, 0);
			continue;
		}
		if (rc < 0) {
			(void)analysis_pause(r, AGAIN_NS);
			continue;
		}
		pthread_mutex_lock(&r->lock);
		while (r->wakes == wakes && !atomic_load(&r->stop))
			pthread_cond_wait(&r->bell, &r->lock);
		pthread_mutex_unlock(&r->lock);
	}
	return NULL;
}

/* ---- from outside ---- */

int analysis_room_new(const struct config *config, struct history_thread *history,
		      struct analysis_room **out)
{
	struct analysis_room *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	int rc;

	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for analysis");
	r->config = config;
	r->history = history;
	r->dir_fd = -1;
	r->n_slots = config->analysis.jobs;
	(void)snprintf(r->admin, sizeof(r->admin), "%s", config->listen.admin);
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->bell, &attr);
	pthread_condattr_destroy(&attr);
	for (uint32_t i = 0; i < r->n_slots; i++)
		r->slots[i].room = r;
	rc = analysis_files_open(r);
	if (rc < 0) {
		analysis_room_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

int analysis_room_start(struct analysis_room *r)
{
	for (uint32_t i = 0; i < r->n_slots; i++) {
		struct analysis_slot *s = &r->slots[i];
		int rc = pthread_create(&s->thread, NULL, body, s);

		if (rc != 0)
			return err_set(-rc, "no thread for analysis: %s",
				       strerrordesc_np(rc));
		(void)pthread_setname_np(s->thread, "analysis");
		s->has_thread = true;
	}
	return 0;
}

void analysis_room_stop(struct analysis_room *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->stop, true);
	pthread_cond_broadcast(&r->bell);
	pthread_mutex_unlock(&r->lock);
	for (uint32_t i = 0; i < r->n_slots; i++) {
		if (r->slots[i].has_thread)
			(void)pthread_join(r->slots[i].thread, NULL);
		r->slots[i].has_thread = false;
	}
}

void analysis_room_free(struct analysis_room *r)
{
	if (r == NULL)
		return;
	analysis_room_stop(r);
	for (uint32_t i = 0; i < r->n_slots; i++) {
		buf_free(&r->slots[i].words);
		buf_free(&r->slots[i].symbols);
		buf_free(&r->slots[i].holdings);
		buf_free(&r->slots[i].order);
		buf_free(&r->slots[i].rows);
		analysis_blame_free(&r->slots[i].blame);
	}
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	pthread_cond_destroy(&r->bell);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void analysis_room_wake(struct analysis_room *r)
{
	pthread_mutex_lock(&r->lock);
	r->wakes++;
	pthread_cond_broadcast(&r->bell);
	pthread_mutex_unlock(&r->lock);
}

void analysis_room_cancel(struct analysis_room *r, uint64_t id)
{
	for (uint32_t i = 0; i < r->n_slots; i++)
		if (atomic_load(&r->slots[i].id) == id)
			atomic_store(&r->slots[i].is_ended, true);
}

uint32_t analysis_room_running(struct analysis_room *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_slots; i++)
		n += atomic_load(&r->slots[i].id) != 0;
	return n;
}
