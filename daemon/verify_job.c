/* verify_job - see verify_job.h. */
#include "daemon/verify_job.h"
#include "base/err.h"
#include "daemon/daemon.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define NICE 10 /* its threads give way to the live ones */

struct verify_job {
	struct daemon *d;
	uint64_t id;
	uint64_t wanted_to;
	struct verify_env env;
	struct verify_progress progress;
	struct verify_result result; /* the thread's until is_done */
	atomic_bool is_done;
	atomic_bool is_broken; /* derived events are missing in the store: the disk is
				  full */
	pthread_t thread;
};

static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2, EVENT_NEWS,
					EVENT_STATUS};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void on_piece(struct store_thread *st, void *arg)
{
	struct store_piece *p = arg;
	struct verify_job *j = p->access->to;

	role_assert_store();
	if (derived_rows_behind(j->d->derived_rows))
		atomic_store(&j->is_broken, true);
	store_piece_run(p, store_log(st));
}

static bool post(void *to, struct store_piece *p)
{
	struct verify_job *j = to;

	return store_post(j->d->store, on_piece, p) == 0;
}

/*
 * Up to where everything has been handed to the store thread, which then stands before
 * our questions in its mailbox.
 */
ON_LOOP static void find_end(struct verify_job *j)
{
	uint64_t end = j->wanted_to;

	for (size_t i = 0; i < N_KINDS; i++) {
		uint64_t done = derived_complete(j->d->derived, kinds[i]);

		j->env.stored_to[kinds[i]] = done;
		end = done < end ? done : end;
	}
	j->env.to = end;
}

static void *body(void *arg)
{
	struct verify_job *j = arg;

	(void)setpriority(PRIO_PROCESS, 0, NICE); /* of this thread, on Linux */
	verify_run(&j->env, &j->result);
	if (atomic_load(&j->is_broken))
		(void)snprintf(j->result.note, sizeof(j->result.note),
			       "a write failed and derived events are not stored until "
			       "the next start: what is missing may be those");
	atomic_store(&j->is_done, true);
	daemon_bell(j->d);
	return NULL;
}

static int start(struct verify_job *j)
{
	int rc = pthread_create(&j->thread, NULL, body, j);

	if (rc != 0)
		return err_set(-rc, "cannot start the verification: %s", strerror(rc));
	(void)pthread_setname_np(j->thread, "verify");
	return 0;
}

int verify_job_start(struct daemon *d, uint64_t from, uint64_t to, uint32_t n_workers)
{
	uint64_t id = d->verify != NULL ? d->verify->id : 0;
	struct verify_job *j;
	int rc;

	if (d->verify != NULL && !atomic_load(&d->verify->is_done))
		return err_set(-EBUSY, "verification %llu is still running",
			       (unsigned long long)id);
	verify_job_end(d);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return err_set(-ENOMEM, "out of memory for a verification");
	j->d = d;
	j->id = id + 1;
	j->wanted_to = to;
	j->env = (struct verify_env){.params = &d->config.derive,
				     .symbols = d->symbols,
				     .sources = d->sources,
				     .symbols_max = d->config.limits.symbols_max,
				     .n_workers = n_workers,
				     .access = {.post = post, .to = j},
				     .from = from,
				     .progress = &j->progress};
	find_end(j);
	rc = start(j);
	if (rc < 0) {
		free(j);
		return rc;
	}
	d->verify = j;
	return 0;
}

void verify_job_end(struct daemon *d)
{
	struct verify_job *j = d->verify;

	if (j == NULL)
		return;
	atomic_store(&j->progress.cancel, true);
	(void)pthread_join(j->thread, NULL);
	verify_result_free(&j->result);
	free(j);
	d->verify = NULL;
}

uint64_t verify_job_id(const struct verify_job *j)
{
	return j->id;
}

struct verify_progress *verify_job_progress(struct verify_job *j)
{
	return &j->progress;
}

const struct verify_result *verify_job_result(struct verify_job *j)
{
	return atomic_load(&j->is_done) ? &j->result : NULL;
}
