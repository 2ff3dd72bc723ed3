/* renumber - see renumber.h. */
#include "daemon/renumber.h"
#include "base/err.h"
#include "base/log.h"
#include "base/state.h"
#include "daemon/daemon_parts.h"
#include "daemon/rerun.h"
#include "daemon/restore.h"
#include "daemon/row_walk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 65536u /* of the log, at a time */
#define ROWS    256u   /* of derived events, at a time */
#define STREAMS UNIVERSES_MAX

/* Where every stream stood. */
struct numbers {
	struct daemon *d;
	struct shard_streams *symbols; /* owned; by symbol id */
	struct stream_mark *news;      /* owned; by symbol id */
	struct tier2_stream universes[STREAMS];
	size_t n_universes;
	uint64_t pos; /* of the snapshot they come from; 0: none */
	bool has_dispatch;
	enum event_kind kind; /* of the rows that are being read */
};

/* ---- where they stood ---- */

static void note_universe(struct numbers *n, const struct tier2_stream *s)
{
	for (size_t i = 0; i < n->n_universes; i++) {
		struct tier2_stream *u = &n->universes[i];

		if (u->timeframe_s == s->timeframe_s &&
		    memcmp(u->universe, s->universe, UNIVERSE_MAX) == 0) {
			*u = *s;
			return;
		}
	}
	if (n->n_universes < STREAMS)
		n->universes[n->n_universes++] = *s;
}

ON_STORE static int note_section(struct numbers *n, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);
	struct tier2_stream universe;
	int rc;

	if (sec->kind == SECTION_LANE || sec->kind == SECTION_NEWS) {
		if (sec->id >= symtab_count(n->d->symbols))
			return err_set(-EBADMSG, "the snapshot has a symbol %u",
				       sec->id);
		return sec->kind == SECTION_LANE
			       ? shard_peek(sec, &n->symbols[sec->id])
			       : newsroom_peek(sec, &n->news[sec->id]);
	}
	if (sec->kind == SECTION_UNIVERSE) {
		rc = tier2_peek(sec, &universe);
		if (rc == 0)
			note_universe(n, &universe);
		return rc;
	}
	if (sec->kind == SECTION_DISPATCH) {
		dispatch_state(&st, store_dispatch(n->d->store));
		n->has_dispatch = !state_bad(&st);
	}
	return 0;
}

static int on_part(void *arg, const void *data, size_t len)
{
	const uint8_t *at = data, *end = at + len;
	struct section sec;
	int rc;

	role_assert_store(); /* its thread has not begun */
	while ((rc = section_next(&at, end, &sec)) == 0) {
		rc = note_section(arg, &sec);
		if (rc != 0)
			return rc;
	}
	return rc == SECTION_NONE ? 0 : rc;
}

/* The newest snapshot that can be read, whatever it was made under. */
ON_STORE static int from_snapshot(struct numbers *n)
{
	struct tickstore *ts = store_log(n->d->store);
	struct store_snapshot s;
	uint64_t max_pos = n->d->replay_end;
	int rc;

	while ((rc = tickstore_snapshot_find(ts, max_pos, &s)) == 0) {
		rc = s.version != SNAPSHOT_VERSION
			     ? STORE_NONE
			     : tickstore_snapshot_read(ts, &s, on_part, n);
		if (rc == 0) {
			n->pos = s.pos;
			return 0;
		}
		if (rc < 0 && rc != -EBADMSG)
			return rc;
		memset(n->symbols, 0,
		       n->d->config.limits.symbols_max * sizeof(*n->symbols));
		memset(n->news, 0, n->d->config.limits.symbols_max * sizeof(*n->news));
		n->n_universes = 0;
		n->has_dispatch = false;
		dispatch_reset(store_dispatch(n->d->store));
		if (s.pos == 0)
			return 0;
		max_pos = s.pos - 1;
	}
	return rc == STORE_NONE ? 0 : rc;
}

static struct stream_mark *stream_of(struct numbers *n, enum event_kind kind,
				     const void *event)
{
	uint32_t id = event_symbol_id(kind, event);

	if (id >= n->d->config.limits.symbols_max)
		return NULL;
	return kind == EVENT_BAR     ? &n->symbols[id].bar
	       : kind == EVENT_TIER1 ? &n->symbols[id].tier1
	       : kind == EVENT_NEWS  ? &n->news[id]
				     : &n->symbols[id].status;
}

static void note_event(struct numbers *n, enum event_kind kind, const void *event)
{
	const struct event_head *head = event;
	const struct event_tier2 *matrix = event;
	struct tier2_stream universe = {0};
	struct stream_mark *m;

	if (kind != EVENT_TIER2) {
		m = stream_of(n, kind, event);
		if (m != NULL && head->seq > m->seq)
			*m = (struct stream_mark){head->seq, head->pos,
						  event_chain_of(kind, event)};
		return;
	}
	memcpy(universe.universe, matrix->universe, UNIVERSE_MAX);
	universe.timeframe_s = matrix->timeframe_s;
	universe.version = head->seq;
	universe.chain = matrix->chain;
	note_universe(n, &universe);
}

static int on_row(void *arg, const struct store_batch *b)
{
	struct numbers *n = arg;
	struct row_walk w = {0};
	int rc;

	row_walk_begin(&w, n->kind, b->data, b->len);
	while ((rc = row_walk_next(&w)) == 0)
		note_event(n, n->kind, w.event);
	row_walk_deinit(&w);
	return rc == ROW_WALK_END ? 0 : rc;
}

/* What was stored behind the snapshot was published too. */
ON_STORE static int from_rows(struct numbers *n, enum event_kind kind)
{
	struct tickstore *ts = store_log(n->d->store);
	uint64_t id, first, next;
	int rc = tickstore_derived_find(ts, kind, n->pos + 1, &id);

	if (rc != 0)
		return rc == STORE_END ? 0 : rc;
	tickstore_derived_range(ts, kind, &first, &next);
	n->kind = kind;
	while (id < next && rc == 0)
		rc = tickstore_derived_read(ts, kind, id, ROWS, on_row, n, &id);
	return rc;
}

ON_STORE static int collect(struct numbers *n)
{
	static const enum event_kind kinds[] = {EVENT_BAR, EVENT_TIER1, EVENT_TIER2,
						EVENT_NEWS, EVENT_STATUS};
	int rc;

	n->symbols = calloc(n->d->config.limits.symbols_max, sizeof(*n->symbols));
	n->news = calloc(n->d->config.limits.symbols_max, sizeof(*n->news));
	if (n->symbols == NULL || n->news == NULL)
		return err_set(-ENOMEM, "out of memory for the streams' numbers");
	rc = from_snapshot(n);
	for (size_t i = 0; rc == 0 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		rc = from_rows(n, kinds[i]);
	return rc;
}

/* ---- the state ---- */

static int ignore(void *arg, enum event_kind kind, const void *event, size_t len)
{
	(void)arg;
	(void)kind;
	(void)event;
	(void)len;
	return 0;
}

/* Every record of [@pos, replay_end] to the re-run, or past the dispatcher alone. */
ON_STORE static int walk(struct daemon *d, uint64_t pos, struct rerun *r)
{
	struct tickstore *ts = store_log(d->store);

	while (pos <= d->replay_end) {
		const struct record *recs;
		uint32_t n;
		int rc = tickstore_peek(ts, pos, &pos, &recs, &n);

		if (rc == STORE_END)
			break;
		if (rc != 0)
			return rc < 0 ? rc
				      : err_set(-EBADMSG,
						"the log has lost its records "
						"at position %llu",
						(unsigned long long)pos);
		if (pos + n > d->replay_end + 1)
			n = (uint32_t)(d->replay_end + 1 - pos);
		rc = r != NULL ? rerun_feed(r, pos, recs, n)
			       : dispatch_pass(store_dispatch(d->store), pos, recs, n);
		if (rc != 0)
			return rc;
		pos += n;
	}
	return 0;
}

/* Sections of the re-run on their way into the daemon's workers. */
struct transfer {
	struct daemon *d;
	int rc;
};

static void transfer_part(void *arg, const void *data, size_t len)
{
	struct transfer *t = arg;
	const uint8_t *at = data, *end = at + len;
	struct section sec;

	role_assert_loop(); /* no thread has begun: every role is ours */
	while (t->rc == 0 && (t->rc = section_next(&at, end, &sec)) == 0)
		t->rc = restore_section(t->d, &sec);
	if (t->rc == SECTION_NONE)
		t->rc = 0;
}

/* Derive the whole log anew, silently. */
ON_STORE static int derive_all(struct daemon *d)
{
	const struct store_access access = {.store = store_log(d->store)};
	const struct rerun_env env = {.params = &d->config.derive,
				      .symbols = d->symbols,
				      .access = &access,
				      .sources = d->sources,
				      .symbols_max = d->config.limits.symbols_max,
				      .n_workers = d->n_workers < RERUN_WORKERS_MAX
							   ? d->n_workers
							   : RERUN_WORKERS_MAX};
	struct transfer t = {.d = d};
	struct rerun *r = NULL;
	int rc = rerun_new(&env, ignore, NULL, &r);

	dispatch_reset(store_dispatch(d->store));
	if (rc == 0)
		rc = walk(d, 1, r);
	if (rc == 0)
		rc = rerun_sync(r);
	if (rc == 0) {
		rerun_save(r, d->replay_end, symtab_count(d->symbols), transfer_part,
			   &t);
		rc = t.rc;
	}
	rerun_free(r);
	return rc;
}

ON_STORE static int begin_cold(struct numbers *n, uint64_t first_pos)
{
	struct daemon *d = n->d;

	if (!n->has_dispatch)
		return err_set(-EBADMSG,
			       "the log begins at position %llu and there is no state "
			       "snapshot that can be read: sequences cannot go on. "
			       "tickbusd --repair begins a new epoch; or move the "
			       "state directory away",
			       (unsigned long long)first_pos);
	log_warn("restore",
		 "the log begins at position %llu: what is derived begins anew, "
		 "windows fill again from here",
		 (unsigned long long)first_pos);
	return walk(d, n->pos + 1, NULL);
}

/* ---- together ---- */

ON_STORE static int apply(struct numbers *n, struct restored *out)
{
	struct daemon *d = n->d;
	uint32_t n_symbols = symtab_count(d->symbols);

	for (uint32_t id = 0; id < n_symbols; id++) {
		int rc = n->news[id].seq == 0
				 ? 0
				 : newsroom_renumber(
					   dispatch_news(store_dispatch(d->store)), id,
					   &n->news[id]);

		if (rc < 0)
			return rc;
	}
	out->symbols = calloc(n_symbols + 1, sizeof(*out->symbols));
	if (out->symbols == NULL)
		return err_set(-ENOMEM, "out of memory for %u streams", n_symbols);
	for (uint32_t id = 0; id < n_symbols; id++) {
		const struct shard_streams *s = &n->symbols[id];
		int rc;

		if (s->bar.seq == 0 && s->tier1.seq == 0 && s->status.seq == 0)
			continue;
		n->symbols[id].symbol_id = id;
		rc = shard_renumber(worker_shard(d->workers[id % d->n_workers]), s);
		if (rc < 0)
			return rc;
		out->symbols[out->n_symbols++] = *s;
	}
	for (size_t i = 0; i < n->n_universes; i++)
		tier2_renumber(tier2_worker_tier2(d->tier2), &n->universes[i]);
	return 0;
}

int renumber_state(struct daemon *d, struct restored **out)
{
	struct numbers *n = calloc(1, sizeof(*n));
	struct restored *r = calloc(1, sizeof(*r));
	struct store_status status;
	int rc = -ENOMEM;

	role_assert_store(); /* its thread has not begun */
	if (n == NULL || r == NULL) {
		rc = err_set(rc, "out of memory for the streams' numbers");
		goto fail;
	}
	n->d = d;
	tickstore_status(store_log(d->store), &status);
	rc = collect(n);
	if (rc == 0)
		rc = status.first_pos <= 1 ? derive_all(d)
					   : begin_cold(n, status.first_pos);
	if (rc == 0)
		rc = apply(n, r);
	if (rc < 0)
		goto fail;
	free(n->symbols);
	free(n->news);
	free(n);
	*out = r;
	return 0;
fail:
	if (n != NULL) {
		free(n->symbols);
		free(n->news);
	}
	free(n);
	restored_free(r);
	return rc;
}
