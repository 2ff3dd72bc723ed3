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
#include <assert.h>
#include <stdlib.h>

#define BUSY_PAGE_BYTES ((size_t)256 << 10)

#define ROUNDS_MAX 16 /* questions to the archive, for one page */

struct request {
	struct daemon *d;
	struct rep_call *call;
	uint64_t complete[EVENT_KINDS];
	struct catchup_past past;
	unsigned rounds;
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

void catchup_env_of(struct store_thread *st, const struct daemon *d,
		    const uint64_t complete[EVENT_KINDS], struct catchup_env *out)
{
	*out = (struct catchup_env){
		.store = store_log(st),
		.symbols = d->symbols,
		.sources = d->sources,
		.ticks = d->tick_index,
		.symbols_max = d->config.limits.symbols_max,
		.epoch = d->epoch,
		.page_bytes_max = page_bytes(st, d),
	};
	out->newest = d->newest;
	out->ticks_reached = dispatch_pos(store_dispatch(st)) - 1;
	dispatch_newest(store_dispatch(st), &out->tick_pos, &out->tick_seq);
	/* While a row waits for room the marks promise what the store does not hold. */
	for (unsigned k = 0; k < EVENT_KINDS && !derived_rows_behind(d->derived_rows);
	     k++)
		out->complete[k] = complete[k];
}

int catchup_page(struct store_thread *st, const struct daemon *d,
		 const uint64_t complete[EVENT_KINDS], const void *req, size_t len,
		 struct buf *out)
{
	struct catchup_env env;

	catchup_env_of(st, d, complete, &env);
	env.gate = d->gate;
	return catchup_answer(&env, req, len, out);
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

static void drop(struct request *r)
{
	catchup_past_deinit(&r->past);
	free(r);
}

static void on_job(struct store_thread *st, void *arg);

/* On the archive's thread: what was asked is there, so the request runs again. */
static void on_archive(void *arg, const struct json *doc, const void *bulk,
		       size_t bulk_len)
{
	struct request *r = arg;
	int rc = catchup_past_take(&r->past, doc, bulk, bulk_len);

	if (rc < 0)
		log_warn("catchup", "the archive: %s", err_text());
	if (rc == 0 && store_post(r->d->store, on_job, r) == 0)
		return;
	turn_away(r->d, r->call);
	drop(r);
}

/* The request waits, and nobody with it. */
static void ask_archive(struct request *r)
{
	const struct archive_asker *a = &r->d->archive;
	const struct buf *doc = &r->past.doc;

	assert(a->ask != NULL); /* who has no archive is never sent to it */
	if (++r->rounds <= ROUNDS_MAX && a->ask(a->to, (const char *)doc->data,
						doc->len, NULL, 0, on_archive, r) == 0)
		return;
	turn_away(r->d, r->call);
	drop(r);
}

ON_STORE static void serve(struct store_thread *st, void *arg)
{
	struct past_handover_status s;
	struct request *r = arg;
	struct catchup_env env;
	struct buf out = {0};
	size_t len;
	const void *req = rep_request(r->call, &len);
	int rc;

	catchup_env_of(st, r->d, r->complete, &env);
	env.gate = r->d->gate;
	if (r->d->archive.ask != NULL) {
		past_handover_status(r->d->handover, &s);
		if (s.bounds.is_known)
			r->past.bounds = s.bounds;
		env.past = &r->past;
	}
	rc = catchup_answer(&env, req, len, &out);
	if (rc == CATCHUP_WAITS) {
		ask_archive(r);
		return;
	}
	if (rc < 0)
		log_err("catchup", "%s; the request is refused", err_text());
	rep_reply(r->call, out.data, out.len);
	buf_free(&out);
	drop(r);
}

static void on_job(struct store_thread *st, void *arg)
{
	role_assert_store();
	serve(st, arg);
}

/* On an nng thread: hand over and leave. */
FOREIGN void catchup_take(void *arg, struct rep_call *call)
{
	struct daemon *d = arg;
	struct request *r = calloc(1, sizeof(*r));

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
