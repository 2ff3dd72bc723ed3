/* restore - see restore.h. */
#include "daemon/restore.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/state.h"
#include "bus/stats.h"
#include "daemon/daemon_parts.h"
#include "daemon/renumber.h"
#include "daemon/row_walk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MATRIX_BATCHES 64u /* stored rows looked at for the newest matrices */

/* Outcomes of loading one snapshot, beside 0 and negated errnos. */
enum {
	LOADED_NOT = 1, /* it cannot be used: try the one before */
	LOADED_OTHER,   /* it is of another configuration: what is before it, too */
};

struct loader {
	struct daemon *d;
	struct restored *restored;
	uint64_t pos;
	bool has_head;
	size_t room; /* in restored->symbols */
};

void restored_free(struct restored *r)
{
	if (r == NULL)
		return;
	free(r->symbols);
	free(r);
}

static int remember(struct loader *l, const struct shard_streams *s)
{
	struct restored *r = l->restored;

	if (r->n_symbols == l->room) {
		size_t room = l->room > 0 ? 2 * l->room : 64;
		struct shard_streams *grown =
			realloc(r->symbols, room * sizeof(*grown));

		if (grown == NULL)
			return err_set(-ENOMEM, "out of memory for %zu streams", room);
		r->symbols = grown;
		l->room = room;
	}
	r->symbols[r->n_symbols++] = *s;
	return 0;
}

static int load_head(struct loader *l, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);
	struct snapshot_head h = {0};

	snapshot_head_state(&st, &h);
	state_end(&st);
	if (state_bad(&st) || h.pos != l->pos)
		return err_set(-EBADMSG, "its head is not the one of position %llu",
			       (unsigned long long)l->pos);
	if (h.config_hash != params_hash(&l->d->config.derive))
		return err_set(LOADED_OTHER,
			       "it was made under another configuration of what is "
			       "derived");
	l->has_head = true;
	return 0;
}

ON_STORE static int load_dispatch(struct loader *l, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);

	dispatch_state(&st, store_dispatch(l->d->store));
	state_end(&st);
	return state_bad(&st)
		       ? err_set(-EBADMSG, "its part of the dispatcher cannot be read")
		       : 0;
}

static int load_lane(struct loader *l, const struct section *sec)
{
	struct shard_streams streams = {0};
	struct worker *w = l->d->workers[sec->id % l->d->n_workers];
	int rc = shard_load(worker_shard(w), sec, &streams);

	return rc < 0 || l->restored == NULL ? rc : remember(l, &streams);
}

static int load_sources(struct loader *l, const struct section *sec)
{
	int rc = 0;

	for (uint32_t w = 0; w < l->d->n_workers && rc == 0; w++)
		rc = shard_load(worker_shard(l->d->workers[w]), sec, NULL);
	return rc;
}

/* Without it ticks are counted from further back, and nothing else changes. */
ON_STORE static void load_index(struct loader *l, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);

	tick_index_state(&st, l->d->tick_index);
}

ON_STORE static int load_section(struct loader *l, const struct section *sec)
{
	if (sec->kind != SECTION_HEAD && !l->has_head)
		return err_set(-EBADMSG, "it does not begin with its head");
	switch ((enum section_kind)sec->kind) {
	case SECTION_HEAD:
		return load_head(l, sec);
	case SECTION_DISPATCH:
		return load_dispatch(l, sec);
	case SECTION_SOURCES:
		return load_sources(l, sec);
	case SECTION_LANE:
		return load_lane(l, sec);
	case SECTION_UNIVERSE:
		return tier2_load(tier2_worker_tier2(l->d->tier2), sec);
	case SECTION_INDEX:
		load_index(l, sec);
		return 0;
	case SECTION_NEWS:
	case SECTION_HOLDS:
		return newsroom_load(dispatch_news(store_dispatch(l->d->store)), sec);
	}
	return err_set(-EBADMSG, "it has a section of the unknown kind %u", sec->kind);
}

static int on_part(void *arg, const void *data, size_t len)
{
	struct loader *l = arg;
	const uint8_t *at = data, *end = at + len;
	struct section sec;
	int rc;

	role_assert_store(); /* its thread has not begun */
	while ((rc = section_next(&at, end, &sec)) == 0) {
		rc = load_section(l, &sec);
		if (rc != 0)
			return rc;
	}
	return rc == SECTION_NONE ? 0 : rc;
}

/* What was loaded so far is thrown away: everybody begins with nothing again. */
ON_STORE static int start_over(struct loader *l)
{
	role_assert_loop(); /* no thread has begun: every role is ours */
	dispatch_reset(store_dispatch(l->d->store));
	tick_index_reset(l->d->tick_index);
	l->restored->n_symbols = 0;
	return daemon_renew_pipeline(l->d);
}

/* 0, LOADED_NOT with a sentence, or an error that is not the snapshot's. */
ON_STORE static int load(struct loader *l, const struct store_snapshot *s)
{
	int rc;

	l->pos = s->pos;
	l->has_head = false;
	if (s->version != SNAPSHOT_VERSION)
		return err_set(LOADED_NOT,
			       "it has layout %u, this tickbusd reads layout %d",
			       s->version, SNAPSHOT_VERSION);
	rc = tickstore_snapshot_read(store_log(l->d->store), s, on_part, l);
	if (rc == STORE_NONE || rc == -EBADMSG)
		rc = LOADED_NOT;
	if (rc == 0 && !l->has_head)
		rc = err_set(LOADED_NOT, "it is empty");
	return rc;
}

/* From the newest to the oldest until one loads. */
ON_STORE static int load_any(struct loader *l)
{
	struct tickstore *ts = store_log(l->d->store);
	struct store_snapshot s = {.pos = UINT64_MAX};
	uint64_t max_pos = l->d->replay_end;
	int rc, why;

	while ((rc = tickstore_snapshot_find(ts, max_pos, &s)) == 0) {
		rc = load(l, &s);
		if (rc == 0)
			return 0;
		if (rc < 0)
			return rc;
		log_warn("restore",
			 "the state snapshot at position %llu cannot be used: "
			 "%s",
			 (unsigned long long)s.pos, err_text());
		stats_add(STAT_SNAPSHOTS_UNUSABLE, 1);
		why = rc;
		rc = start_over(l);
		if (rc < 0 || s.pos == 0 || why == LOADED_OTHER)
			return rc < 0 ? rc : why;
		max_pos = s.pos - 1;
	}
	return rc == STORE_NONE ? LOADED_NOT : rc;
}

/* The state stands at @pos: the log goes on from behind it. */
ON_STORE static void stand_at(struct daemon *d, uint64_t pos, struct restored *r,
			      int64_t begin_ns)
{
	d->restored = r;
	d->restored_pos = pos;
	dispatch_seek(store_dispatch(d->store), pos);
	stats_set(STAT_SNAPSHOT_POSITION, pos);
	log_info("restore",
		 "state of position %llu loaded in %lld ms; %llu records to read",
		 (unsigned long long)pos,
		 (long long)((clock_mono_ns() - begin_ns) / NS_PER_MS),
		 (unsigned long long)(d->replay_end - pos));
}

/* No snapshot of this configuration: what now depends on why, and on the log. */
ON_STORE static int without_snapshot(struct daemon *d, bool is_changed,
				     int64_t begin_ns)
{
	struct store_status status;
	struct restored *r;
	int rc;

	role_assert_loop(); /* no thread has begun: every role is ours */
	tickstore_status(store_log(d->store), &status);
	if (d->replay_end == 0)
		return 0;
	/* What was lost is lost to everybody; what was retired lives in a snapshot. */
	if (!is_changed && status.begin_pos <= 1) {
		log_info("restore",
			 "no state snapshot: reading the whole log, %llu "
			 "records",
			 (unsigned long long)d->replay_end);
		return 0;
	}
	rc = renumber_state(d, &r);
	if (rc < 0)
		return rc;
	stand_at(d, d->replay_end, r, begin_ns);
	daemon_snapshot_now(d);
	return 0;
}

int restore_state(struct daemon *d)
{
	int64_t begin_ns = clock_mono_ns();
	struct loader l = {.d = d, .restored = calloc(1, sizeof(*l.restored))};
	int rc;

	role_assert_store(); /* its thread has not begun */
	if (l.restored == NULL)
		return err_set(-ENOMEM, "out of memory for the restored streams");
	rc = load_any(&l);
	if (rc == 0) {
		stand_at(d, l.pos, l.restored, begin_ns);
		snapshot_note(store_snapshot(d->store), l.pos);
		return 0;
	}
	restored_free(l.restored);
	if (rc < 0)
		return rc;
	return without_snapshot(d, d->config_changed || rc == LOADED_OTHER, begin_ns);
}

int restore_section(struct daemon *d, const struct section *sec)
{
	struct loader l = {.d = d, .has_head = true};

	role_assert_store(); /* its thread has not begun */
	return load_section(&l, sec);
}

/* ---- streams ---- */

/* The newest matrices are in the store: in its last rows, or not worth looking for. */
static int on_matrices(void *arg, const struct store_batch *b)
{
	struct daemon *d = arg;
	struct row_walk w = {0};

	role_assert_loop();
	row_walk_begin(&w, EVENT_TIER2, b->data, b->len);
	/* A row that is no frames: who asks for it is told that it is damaged. */
	while (row_walk_next(&w) == 0)
		publisher_seed_matrix(d->publisher, w.event, w.len);
	row_walk_deinit(&w);
	return 0;
}

ON_LOOP static void restore_matrices(struct daemon *d)
{
	uint64_t first, next, from;

	role_assert_store(); /* its thread has not begun */
	tickstore_derived_range(store_log(d->store), EVENT_TIER2, &first, &next);
	from = next > MATRIX_BATCHES && next - MATRIX_BATCHES > first
		       ? next - MATRIX_BATCHES
		       : first;
	if (tickstore_derived_read(store_log(d->store), EVENT_TIER2, from,
				   MATRIX_BATCHES, on_matrices, d, NULL) < 0)
		log_warn("restore",
			 "%s; the newest matrices are shown when their next "
			 "version comes",
			 err_text());
}

/* Before the streams are told of: what is held is not told of. */
ON_LOOP static void restore_gates(struct daemon *d)
{
	role_assert_store(); /* its thread has not begun */
	for (uint32_t id = 0; id < symtab_count(d->symbols); id++) {
		gate_symbol(
			d->gate, id,
			shard_frozen(worker_shard(d->workers[id % d->n_workers]), id));
		gate_news(d->gate, id,
			  newsroom_held(dispatch_news(store_dispatch(d->store)), id));
	}
}

ON_LOOP static void restore_news(struct daemon *d)
{
	const struct newsroom *news;

	role_assert_store(); /* its thread has not begun */
	news = dispatch_news(store_dispatch(d->store));
	for (uint32_t id = 0; id < symtab_count(d->symbols); id++) {
		struct stream_mark m = newsroom_stream(news, id);

		publisher_seed(d->publisher, EVENT_NEWS, id, m.seq, m.pos);
	}
}

void restore_streams(struct daemon *d)
{
	const struct restored *r = d->restored;

	if (r == NULL)
		return;
	restore_gates(d);
	for (size_t i = 0; i < r->n_symbols; i++) {
		const struct shard_streams *s = &r->symbols[i];

		publisher_seed(d->publisher, EVENT_BAR, s->symbol_id, s->bar.seq,
			       s->bar.pos);
		publisher_seed(d->publisher, EVENT_TIER1, s->symbol_id, s->tier1.seq,
			       s->tier1.pos);
		publisher_seed(d->publisher, EVENT_STATUS, s->symbol_id, s->status.seq,
			       s->status.pos);
	}
	restore_news(d);
	restore_matrices(d);
	restored_free(d->restored);
	d->restored = NULL;
}
