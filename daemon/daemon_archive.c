/*
 * daemon_archive - the helper process, and what is on its way to it: whole events
 * (past_handover.h) and rows (archive_handover.h).  Without
 * `archive:` in the configuration there is neither.
 */
#include "base/clock.h"
#include "base/err.h"
#include "daemon/daemon_parts.h"

/* On the store thread, behind what had been promised when it was posted. */
static void on_work(struct store_thread *st, void *arg)
{
	struct daemon *d = arg;

	(void)st;
	role_assert_store();
	past_handover_work(d->handover, clock_mono_ns());
}

static bool post_work(void *arg)
{
	struct daemon *d = arg;

	catchup_complete(d, d->handover_marks);
	return store_post(d->store, on_work, d) == 0;
}

static int make_page(void *arg, const struct catchup_request *req, uint64_t until,
		     struct buf *out)
{
	struct daemon *d = arg;
	struct catchup_env env;
	struct buf in = {0};
	int rc;

	role_assert_store();
	catchup_env_of(d->store, d, d->handover_marks, &env);
	env.until_pos = until;
	catchup_request_write(req, &in);
	rc = catchup_answer(&env, in.data, in.len, out);
	buf_free(&in);
	return rc;
}

static int open_rows(struct daemon *d)
{
	struct archive_env env = {.every_ns = d->config.archive.every_ns,
				  .step = handover_step};
	int rc = handover_new(d, d->config.archive.dir, &d->rows);

	env.arg = d->rows;
	return rc < 0 ? rc : archive_thread_new(&env, &d->archive_thread);
}

int daemon_open_archive(struct daemon *d)
{
	const struct config_archive *c = &d->config.archive;
	const struct archive_carrier_options o = {.program = c->program,
						  .dir = c->dir,
						  .memory_bytes = c->memory_bytes,
						  .threads = c->threads,
						  .answer_ns = c->limit_ns};
	struct past_handover_env env = {.ticks = d->tick_index,
					.symbols_max = d->config.limits.symbols_max,
					.epoch = d->epoch,
					.page = make_page,
					.post = post_work,
					.arg = d};
	int rc;

	if (c->dir[0] == '\0')
		return 0;
	role_assert_store(); /* its thread has not begun */
	rc = archive_carrier_new(&o, &d->carrier);
	if (rc < 0)
		return rc;
	d->archive = (struct archive_asker){archive_carrier_ask, d->carrier};
	rc = open_rows(d);
	if (rc < 0)
		return rc;
	env.asker = d->archive;
	env.store = store_log(d->store);
	return past_handover_new(&env, &d->handover);
}

int daemon_start_archive(struct daemon *d)
{
	int rc = d->carrier == NULL ? 0 : archive_carrier_start(d->carrier);

	return rc < 0 || d->carrier == NULL ? rc
					    : archive_thread_start(d->archive_thread);
}

void daemon_stop_archive(struct daemon *d)
{
	archive_thread_quiesce(d->archive_thread);
	archive_carrier_stop(d->carrier); /* whoever waits for it goes on */
	archive_thread_stop(d->archive_thread);
}

void daemon_close_archive(struct daemon *d)
{
	past_handover_free(d->handover);
	d->handover = NULL;
	archive_thread_free(d->archive_thread);
	d->archive_thread = NULL;
	handover_free(d->rows);
	d->rows = NULL;
	archive_carrier_free(d->carrier);
	d->carrier = NULL;
}

void daemon_archive_care(struct daemon *d)
{
	if (d->handover != NULL)
		past_handover_step(d->handover, clock_mono_ns());
}
