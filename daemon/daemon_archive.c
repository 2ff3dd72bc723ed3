/*
 * daemon_archive - the helper process, and whole events on their way to it.  Without
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

int daemon_open_archive(struct daemon *d)
{
	const struct config_archive *c = &d->config.archive;
	const struct archive_carrier_options o = {.program = c->program,
						  .dir = c->dir,
						  .memory_bytes = c->memory_bytes,
						  .threads = c->threads};
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
	env.asker = d->archive;
	env.store = store_log(d->store);
	return past_handover_new(&env, &d->handover);
}

int daemon_start_archive(struct daemon *d)
{
	return d->carrier == NULL ? 0 : archive_carrier_start(d->carrier);
}

void daemon_stop_archive(struct daemon *d)
{
	archive_carrier_stop(d->carrier);
}

void daemon_close_archive(struct daemon *d)
{
	past_handover_free(d->handover);
	d->handover = NULL;
	archive_carrier_free(d->carrier);
	d->carrier = NULL;
}

void daemon_archive_care(struct daemon *d)
{
	if (d->handover != NULL)
		past_handover_step(d->handover, clock_mono_ns());
}
