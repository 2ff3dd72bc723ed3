/* job_progress_board - see job_progress_board.h. */
#include "daemon/job_progress_board.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/daemon_parts.h"
#include "proto/job_progress.h"
#include "proto/topic.h"
#include "store/histanalysis.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)JOB_IS_REPORT == JOB_REPORT, "the wire's words are the store's");
_Static_assert((int)JOB_IS_FAILED == JOB_FAILED, "the wire's words are the store's");

struct job_progress_board {
	struct daemon *d; /* borrowed */
	bool is_asking;   /* the rest is HISTORY's meanwhile */
	bool has_looked;  /* ... once: what had ended before the start is no news */
	uint64_t version; /* of the jobs, when they were looked at */
	uint64_t newest;  /* the newest job that was looked at */
	uint64_t frame_seq;
	bool is_known;         /* the loop's: what was looked at has come back */
	uint64_t changes, set; /* struct job_progress_running's */
	struct job_progress told[JOB_PROGRESS_MAX]; /* of those that ran */
	size_t n_told;
	struct job_progress now[JOB_PROGRESS_MAX];
	size_t n_now;
	int rc;
};

static struct job_progress *find(struct job_progress *list, size_t n, uint64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

/* ---- on HISTORY ---- */

ON_HISTORY static int read_one(struct histstore *h, const struct hist_job *j,
			       struct job_progress *out)
{
	struct hist_analysis a = {.job = 0};
	struct hist_totals sum;
	int rc = histjobs_totals(h, j->id, &sum);

	if (rc == 0 && j->what >= JOB_FEATURES)
		rc = histanalysis_get(h, j->id, &a);
	if (rc < 0)
		return rc;
	*out = (struct job_progress){.id = j->id,
				     .created_ns = j->created_ns,
				     .finished_ns = j->finished_ns != 0 ? j->finished_ns
									: VALUE_NULL,
				     .total = j->items,
				     .done = sum.done,
				     .failed = sum.failed,
				     .cancelled = sum.cancelled,
				     .what = (uint8_t)j->what,
				     .state = (uint8_t)j->state};
	memcpy(out->text, a.why, strnlen(a.why, sizeof(out->text) - 1));
	return 0;
}

ON_HISTORY static int look(struct history_thread *t, struct job_progress_board *b)
{
	struct histstore *h = history_store(t);
	const struct hist_job *job;
	struct buf list = {0};
	int rc;

	rc = histjobs_list(h, JOB_PROGRESS_MAX, &list);
	job = (const struct hist_job *)(void *)list.data;
	b->n_now = 0;
	for (size_t i = 0; rc == 0 && i < list.len / sizeof(*job); i++) {
		bool is_new = job[i].id > b->newest && b->has_looked;

		if (job[i].state == JOB_RUNNING || is_new ||
		    find(b->told, b->n_told, job[i].id) != NULL)
			rc = read_one(h, &job[i], &b->now[b->n_now++]);
	}
	if (rc == 0 && list.len > 0 && job[0].id > b->newest)
		b->newest = job[0].id;
	b->has_looked = b->has_looked || rc == 0;
	buf_free(&list);
	return rc;
}

/* ---- on the loop ---- */

ON_LOOP static void send_lines(struct daemon *d, const struct frame_root *root,
			       const struct job_progress *jobs, size_t n)
{
	struct pub *to = d->json[EVENT_STATUS];
	struct buf line = {0};
	char topic[TOPIC_MAX];

	if (to == NULL || pub_subscribers(to) == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		line.len = 0;
		job_progress_json(&jobs[i], root, &line);
		pub_send(to, topic, job_progress_topic(topic, jobs[i].id), line.data,
			 line.len);
	}
	buf_free(&line);
}

ON_LOOP static void publish(struct job_progress_board *b,
			    const struct job_progress *jobs, size_t n)
{
	const struct frame_root root = {.epoch = b->d->epoch,
					.publish_ns = clock_wall_ns(),
					.frame_seq = ++b->frame_seq};
	uint8_t frame[JOB_PROGRESS_SIZE];
	size_t len = job_progress_write(frame, &root, jobs, n);
	char topic[TOPIC_MAX];

	if (b->d->sbe[EVENT_STATUS] != NULL)
		pub_send(b->d->sbe[EVENT_STATUS], topic, topic_kind(topic, EVENT_JOB),
			 frame, len);
	send_lines(b->d, &root, jobs, n);
	stats_add_published(EVENT_JOB, n);
}

/* What was looked at is what is known now; what differs from before is told. */
static void looked(struct daemon *d, void *arg)
{
	struct job_progress_board *b = arg;
	struct job_progress fresh[JOB_PROGRESS_MAX];
	size_t n = 0, kept = 0;
	bool has_moved = false; /* one began or ended */

	role_assert_loop();
	(void)d;
	b->is_asking = false;
	if (b->rc < 0) {
		b->version = UINT64_MAX; /* look again */
		return;
	}
	for (size_t i = 0; i < b->n_now; i++) {
		const struct job_progress *was = find(b->told, b->n_told, b->now[i].id);

		if (was == NULL || memcmp(was, &b->now[i], sizeof(*was)) != 0)
			fresh[n++] = b->now[i];
		has_moved |= was == NULL || b->now[i].state != JOB_IS_RUNNING;
	}
	for (size_t i = 0; i < b->n_now; i++)
		if (b->now[i].state == JOB_IS_RUNNING)
			b->told[kept++] = b->now[i];
	b->n_told = kept;
	b->is_known = true;
	b->changes += n > 0;
	b->set += has_moved;
	if (n > 0)
		publish(b, fresh, n);
}

static void there_and_back(void *arg, int rc)
{
	struct daemon_question *q = arg;
	struct job_progress_board *b = q->arg;

	b->rc = rc;
	daemon_answered(q);
}

static int look_for(struct history_thread *t, void *arg)
{
	const struct daemon_question *q = arg;

	role_assert_history();
	return look(t, q->arg);
}

ON_LOOP static bool is_heard(const struct daemon *d)
{
	const struct pub *to[] = {d->sbe[EVENT_STATUS], d->json[EVENT_STATUS]};

	return (to[0] != NULL && pub_subscribers(to[0]) > 0) ||
	       (to[1] != NULL && pub_subscribers(to[1]) > 0) ||
	       page_live_readers(d->page_live) > 0;
}

void job_progress_board_step(struct job_progress_board *b)
{
	struct daemon *d = b->d;
	struct daemon_question *q;
	uint64_t version;

	if (b->is_asking || d->history == NULL || d->state != DAEMON_READY)
		return;
	version = history_jobs_version(d->history);
	if (b->has_looked && (version == b->version || !is_heard(d)))
		return;
	q = malloc(sizeof(*q));
	if (q == NULL)
		return;
	*q = (struct daemon_question){.d = d, .answer = looked, .arg = b};
	b->is_asking = true;
	b->version = version;
	if (history_ask(d->history, look_for, there_and_back, q) == 0)
		return;
	b->is_asking = false;
	b->version = UINT64_MAX;
	free(q);
}

/* What ran when the daemon ended runs again, and may be done before the first quarter
   of a second is over: all that is not old is news from the start on. */
ON_LOOP static void note_old(struct job_progress_board *b)
{
	role_assert_history(); /* its thread has not begun */
	if (look(b->d->history, b) < 0) {
		log_warn("jobs", "%s; the first look at them comes later", err_text());
		return;
	}
	for (size_t i = 0; i < b->n_now; i++)
		b->told[i] = (struct job_progress){.id = b->now[i].id};
	b->n_told = b->n_now;
}

bool job_progress_board_running(const struct job_progress_board *b,
				struct job_progress_running *out)
{
	if (b == NULL || !b->is_known)
		return false;
	*out = (struct job_progress_running){
		.changes = b->changes, .set = b->set, .jobs = b->told, .n = b->n_told};
	return true;
}

int job_progress_board_new(struct daemon *d, struct job_progress_board **out)
{
	struct job_progress_board *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_set(-ENOMEM, "out of memory for the progress of jobs");
	b->d = d;
	b->version = UINT64_MAX;
	if (d->history != NULL)
		note_old(b);
	*out = b;
	return 0;
}

void job_progress_board_free(struct job_progress_board *b)
{
	free(b);
}
