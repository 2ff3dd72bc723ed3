/*
 * serve_catchup_take - a request's way from its socket to the store thread and back.
 *
 * The marks are read before the post: what they promise was posted by the loop
 * earlier, so it is in the store when the request's turn comes.
 */
#include "base/err.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/daemon.h"
#include "daemon/serve_catchup.h"
#include <stdlib.h>

#define BUSY_PAGE_BYTES ((size_t)256 << 10)

struct request {
	struct daemon *d;
	struct rep_call *call;
	uint64_t complete[EVENT_KINDS];
};

/*
 * A page is made between two commits: while ticks come in it may cost them no more
 * than a fraction of a commit.
 */
ON_STORE static size_t page_bytes(const struct store_thread *st, const struct daemon *d)
{
	size_t most = d->config.limits.catchup_bytes_max;

	return most > BUSY_PAGE_BYTES && store_is_busy(st) ? BUSY_PAGE_BYTES : most;
}

void catchup_complete(const struct daemon *d, uint64_t complete[EVENT_KINDS])
{
	for (unsigned k = 0; k < EVENT_KINDS; k++)
		complete[k] = derived_complete(d->derived, (enum event_kind)k);
}

int catchup_page(struct store_thread *st, const struct daemon *d,
		 const uint64_t complete[EVENT_KINDS], const void *req, size_t len,
		 struct buf *out)
{
	struct catchup_env env = {
		.store = store_log(st),
		.symbols = d->symbols,
		.sources = d->sources,
		.ticks = d->tick_index,
		.symbols_max = d->config.limits.symbols_max,
		.epoch = d->epoch,
		.page_bytes_max = page_bytes(st, d),
	};

	env.newest = d->newest;
	env.ticks_reached = dispatch_pos(store_dispatch(st)) - 1;
	dispatch_newest(store_dispatch(st), &env.tick_pos, &env.tick_seq);
	/* While a row waits for room the marks promise what the store does not hold. */
	for (unsigned k = 0; k < EVENT_KINDS && !derived_rows_behind(d->derived_rows);
	     k++)
		env.complete[k] = complete[k];
	return catchup_answer(&env, req, len, out);
}

ON_STORE static void serve(struct store_thread *st, void *arg)
{
	struct request *r = arg;
	struct buf out = {0};
	size_t len;
	const void *req = rep_request(r->call, &len);

	if (catchup_page(st, r->d, r->complete, req, len, &out) < 0)
		log_err("catchup", "%s; the request is refused", err_text());
	rep_reply(r->call, out.data, out.len);
	buf_free(&out);
	free(r);
}

static void on_job(struct store_thread *st, void *arg)
{
	role_assert_store();
	serve(st, arg);
}

static void turn_away(struct daemon *d, struct rep_call *call)
{
	struct buf out = {0};
	size_t len;
	const void *req = rep_request(call, &len);

	stats_add(STAT_CATCHUP_BUSY, 1);
	catchup_turn_away(req, len, d->epoch, CATCHUP_BUSY, "busy; ask again", &out);
	rep_reply(call, out.data, out.len);
	buf_free(&out);
}

/* On an nng thread: hand over and leave. */
FOREIGN void catchup_take(void *arg, struct rep_call *call)
{
	struct daemon *d = arg;
	struct request *r = malloc(sizeof(*r));

	if (r == NULL) {
		turn_away(d, call);
		return;
	}
	r->d = d;
	r->call = call;
	catchup_complete(d, r->complete);
	if (store_post(d->store, on_job, r) != 0) {
		free(r);
		turn_away(d, call);
	}
}
