/*
 * daemon_snapshots - the way of a snapshot's parts from whoever saves to the store
 * thread, and the last snapshot of a life (daemon_parts.h).
 */
#include "base/err.h"
#include "base/log.h"
#include "daemon/daemon_parts.h"
#include <errno.h>
#include <stdlib.h>

/* One part on its way. */
struct letter {
	struct daemon *d;
	uint64_t pos;
	void *data; /* owned */
	size_t len;
	bool is_last;
};

static void on_part(struct store_thread *st, void *arg)
{
	struct letter *l = arg;

	role_assert_store();
	snapshot_part(store_snapshot(st), l->pos, l->data, l->len, l->is_last);
	free(l);
}

int daemon_snapshot_part(void *arg, uint64_t pos, struct buf *part, bool is_last)
{
	struct daemon *d = arg;
	struct letter *l = malloc(sizeof(*l));

	if (l == NULL)
		return -ENOMEM;
	*l = (struct letter){d, pos, part->data, part->len, is_last};
	if (d->is_threadless)
		on_part(d->store, l);
	else if (store_post(d->store, on_part, l) != 0) {
		free(l);
		return 1;
	}
	*part = (struct buf){0};
	return 0;
}

/* ---- when may it be sealed ---- */

static const enum event_kind derived_kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2,
						EVENT_NEWS, EVENT_STATUS};

struct fence {
	struct daemon *d;
	uint64_t pos;
};

static void on_fence(struct store_thread *st, void *arg)
{
	struct fence *f = arg;

	(void)st;
	atomic_store(&f->d->fenced_pos, f->pos);
	free(f);
}

/*
 * What the loop says it has posted is in our mailbox, perhaps not yet read: a letter
 * to ourselves comes out behind it.
 */
bool daemon_derived_stored(void *arg, uint64_t pos)
{
	struct daemon *d = arg;
	struct fence *f;

	role_assert_store();
	if (d->is_threadless)
		return true;
	if (derived_rows_behind(d->derived_rows))
		return false;
	if (atomic_load(&d->fenced_pos) >= pos)
		return true;
	for (size_t i = 0; i < sizeof(derived_kinds) / sizeof(derived_kinds[0]); i++)
		if (derived_complete(d->derived, derived_kinds[i]) < pos)
			return false;
	f = malloc(sizeof(*f));
	if (f == NULL)
		return false;
	*f = (struct fence){d, pos};
	if (store_post(d->store, on_fence, f) != 0)
		free(f);
	return false;
}

void daemon_snapshot_left(store_job_fn fn, void *job_arg)
{
	if (fn == on_part)
		free(((struct letter *)job_arg)->data);
	if (fn == on_part || fn == on_fence)
		free(job_arg);
}

/* ---- the last one ---- */

static void hand_over(void *arg, uint64_t pos)
{
	struct daemon *d = arg;

	for (uint32_t w = 0; w < d->n_workers; w++) {
		struct shard *s = worker_shard(d->workers[w]);

		shard_save_begin(s, pos);
		while (shard_save_step(s, UINT32_MAX))
			;
	}
	tier2_save_begin(tier2_worker_tier2(d->tier2), pos);
}

void daemon_snapshot_now(struct daemon *d)
{
	role_assert_store(); /* no thread runs */
	d->is_threadless = true;
	if (snapshot_last(store_snapshot(d->store), hand_over) < 0)
		log_warn("snapshot", "%s; the next start reads more of the log",
			 err_text());
	d->is_threadless = false;
}

void daemon_last_snapshot(struct daemon *d)
{
	role_assert_store(); /* no thread runs any more */
	if (d->store == NULL || store_failure(d->store) != NULL)
		return;
	derived_rows_step(d->derived_rows);
	if (!derived_rows_behind(d->derived_rows))
		daemon_snapshot_now(d);
}
