/* backup_job - see backup_job.h. */
#include "daemon/backup_job.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/parker.h"
#include "daemon/backup_manifest.h"
#include "daemon/daemon.h"
#include "store/backup.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NICE       10
#define STEP_PAGES 64          /* 1 MiB: about a millisecond of the owner's time */
#define ROOM_MIN   (64u << 20) /* left for the log when the copy is made */
#define LOOK_NS    (50 * NS_PER_MS)
#define FOLDER     "backup"

struct backup_job {
	struct daemon *d;
	struct backup_state state; /* the thread's until is_done */
	atomic_bool is_done, cancel;
	_Atomic uint64_t pages, pages_all;
	pthread_t thread;
	struct parker parker;
	struct buf config; /* owned; as it was at the beginning */

	/* One call at a time to the thread that owns a database. */
	int (*step)(struct backup_job *j);
	struct sq_copy *copy; /* owned; its thread's */
	struct tickstore *log;
	struct histstore *history;
	int rc;
	char text[ERR_TEXT_MAX];
	atomic_bool has_answer;
};

static void path_of(const struct backup_job *j, const char *name, char path[4200])
{
	(void)snprintf(path, 4200, "%s/%s", j->state.dir, name);
}

/* ---- on the thread that owns the database ---- */

static void progress(struct backup_job *j)
{
	uint64_t done, all;

	sq_copy_progress(j->copy, &done, &all);
	atomic_store(&j->pages, done);
	atomic_store(&j->pages_all, all);
}

static int step_end(struct backup_job *j)
{
	sq_copy_end(j->copy);
	j->copy = NULL;
	return 0;
}

static int step_log(struct backup_job *j)
{
	char path[4200];
	int rc = 0;

	role_assert_store();
	path_of(j, BACKUP_DB, path);
	if (j->copy == NULL)
		rc = backup_log(j->log, path, &j->copy);
	if (rc == 0)
		rc = sq_copy_step(j->copy, STEP_PAGES);
	if (rc >= 0)
		progress(j);
	if (rc != 0)
		return rc;
	/* In the same turn: nothing is committed between the copy and its mark. */
	rc = step_end(j);
	return rc < 0 ? rc
		      : backup_mark(j->log, j->state.dir, &j->state.position,
				    &j->state.epoch);
}

static int step_history(struct backup_job *j)
{
	char path[4200];
	int rc = 0;

	role_assert_history();
	path_of(j, BACKUP_HISTORY, path);
	if (j->copy == NULL)
		rc = histstore_copy(j->history, path, &j->copy);
	if (rc == 0)
		rc = sq_copy_step(j->copy, STEP_PAGES);
	return rc == 0 ? step_end(j) : rc;
}

static void answer(struct backup_job *j, int rc)
{
	j->rc = rc;
	if (rc < 0)
		(void)snprintf(j->text, sizeof(j->text), "%s", err_text());
	atomic_store(&j->has_answer, true);
	parker_wake(&j->parker);
}

static void on_store(struct store_thread *st, void *arg)
{
	struct backup_job *j = arg;

	role_assert_store();
	j->log = store_log(st);
	answer(j, j->step(j));
}

static void after_commit(struct history_thread *t, void *arg)
{
	struct backup_job *j = arg;

	role_assert_history();
	j->history = history_store(t);
	j->rc = j->step(j);
	if (j->rc < 0)
		(void)snprintf(j->text, sizeof(j->text), "%s", err_text());
}

static int on_history(struct history_thread *t, void *arg)
{
	role_assert_history();
	history_after(t, after_commit, arg);
	return 0;
}

static void history_answered(void *arg, int rc)
{
	struct backup_job *j = arg;

	answer(j, rc < 0 ? rc : j->rc);
}

/* ---- on ours ---- */

static void wait_a_little(struct backup_job *j)
{
	parker_prepare(&j->parker);
	if (atomic_load(&j->has_answer))
		parker_cancel(&j->parker);
	else
		parker_wait(&j->parker, LOOK_NS);
}

/* Run @step over there and wait for what it returns. */
static int call(struct backup_job *j, int (*step)(struct backup_job *), bool history)
{
	j->step = step;
	atomic_store(&j->has_answer, false);
	while ((history ? history_ask(j->d->history, on_history, history_answered, j)
			: store_post(j->d->store, on_store, j)) != 0)
		wait_a_little(j); /* its mailbox is full */
	while (!atomic_load(&j->has_answer))
		wait_a_little(j);
	return j->rc < 0 ? err_set(j->rc, "%s", j->text) : j->rc;
}

static int copy(struct backup_job *j, int (*step)(struct backup_job *), bool history)
{
	char why[ERR_TEXT_MAX];
	int rc;

	do {
		rc = call(j, step, history);
		if (rc >= 0 && atomic_load(&j->cancel))
			rc = err_set(-ECANCELED, "cancelled");
	} while (rc > 0);
	if (rc < 0 && j->copy != NULL) {
		(void)snprintf(why, sizeof(why), "%s", err_text());
		(void)call(j, step_end, history);
		return err_set(rc, "%s", why);
	}
	return rc;
}

/* What a backup may have left; anything else that lies there stays, and is told of. */
static void remove_files(const struct backup_job *j)
{
	static const char *const names[] = {
		BACKUP_MANIFEST,       BACKUP_DB,        BACKUP_HISTORY,
		BACKUP_CONFIG,         BACKUP_HIGHWATER, BACKUP_HIGHWATER ".tmp",
		BACKUP_MANIFEST ".new"};
	char path[4200];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(j, names[i], path);
		(void)unlink(path);
	}
	if (rmdir(j->state.dir) < 0 && errno != ENOENT)
		log_warn("backup", "%s: %s", j->state.dir, strerrordesc_np(errno));
}

static int make(struct backup_job *j)
{
	bool history = j->d->history != NULL;
	int rc;

	remove_files(j);
	if (mkdir(j->state.dir, 0700) < 0)
		return err_set(-errno, "%s: %s", j->state.dir, strerrordesc_np(errno));
	rc = copy(j, step_log, false);
	if (rc == 0 && history)
		rc = copy(j, step_history, true);
	return rc < 0 ? rc
		      : backup_manifest(j->state.dir, &j->config, j->state.position,
					j->state.epoch, history, &j->cancel);
}

static void *body(void *arg)
{
	struct backup_job *j = arg;
	int64_t begin_ns = clock_mono_ns();
	int rc;

	(void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread, on Linux */
	rc = make(j);
	j->state.rc = rc;
	if (rc < 0) {
		(void)snprintf(j->state.text, sizeof(j->state.text), "%s", err_text());
		log_warn("backup", "given up: %s", j->state.text);
		remove_files(j);
	} else {
		log_info("backup", "%llu pages at position %llu in %lld ms",
			 (unsigned long long)atomic_load(&j->pages_all),
			 (unsigned long long)j->state.position,
			 (long long)((clock_mono_ns() - begin_ns) / NS_PER_MS));
	}
	atomic_store(&j->is_done, true);
	return NULL;
}

/* ---- on the loop ---- */

static int check_room(const struct backup_job *j)
{
	const struct daemon *d = j->d;
	struct store_status s;
	struct statvfs fs;
	uint64_t room, need;

	store_status_copy(d->store, &s);
	need = s.db_bytes + s.wal_bytes + ROOM_MIN;
	if (statvfs(d->config.store.dir, &fs) < 0)
		return 0;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= need)
		return 0;
	return err_set(
		-ENOSPC,
		"%s has %llu MiB left, and a copy needs %llu: make room, or copy "
		"the state directory of the stopped daemon",
		d->config.store.dir, (unsigned long long)(room >> 20),
		(unsigned long long)(need >> 20));
}

int backup_job_start(struct daemon *d)
{
	uint64_t id = d->backup == NULL ? 0 : d->backup->state.id;
	struct backup_job *j;
	int rc;

	if (d->backup != NULL && !atomic_load(&d->backup->is_done))
		return err_set(-EBUSY, "backup %llu is still being made",
			       (unsigned long long)id);
	backup_job_end(d);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return err_set(-ENOMEM, "out of memory for a backup");
	j->d = d;
	j->state.id = id + 1;
	parker_init(&j->parker);
	(void)snprintf(j->state.dir, sizeof(j->state.dir), "%s/" FOLDER,
		       d->config.store.dir);
	config_print(&d->config, &j->config);
	rc = check_room(j);
	if (rc == 0) {
		rc = -pthread_create(&j->thread, NULL, body, j);
		if (rc < 0)
			(void)err_set(rc, "cannot start a thread for the backup: %s",
				      strerrordesc_np(-rc));
	}
	if (rc < 0) {
		buf_free(&j->config);
		free(j);
		return rc;
	}
	(void)pthread_setname_np(j->thread, "backup");
	d->backup = j;
	return 0;
}

bool backup_job_state(struct daemon *d, struct backup_state *out)
{
	struct backup_job *j = d->backup;

	if (j == NULL)
		return false;
	if (atomic_load(&j->is_done)) {
		*out = j->state;
	} else {
		*out = (struct backup_state){.id = j->state.id};
		memcpy(out->dir, j->state.dir, sizeof(out->dir));
	}
	out->is_done = atomic_load(&j->is_done);
	out->pages = atomic_load(&j->pages);
	out->pages_all = atomic_load(&j->pages_all);
	return true;
}

void backup_job_end(struct daemon *d)
{
	struct backup_job *j = d->backup;

	if (j == NULL)
		return;
	atomic_store(&j->cancel, true);
	(void)pthread_join(j->thread, NULL);
	remove_files(j);
	buf_free(&j->config);
	free(j);
	d->backup = NULL;
}
