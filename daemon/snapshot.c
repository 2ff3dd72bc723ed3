/* snapshot - see snapshot.h. */
#include "daemon/snapshot.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/state.h"
#include "bus/stats.h"
#include "workers/section.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS (60 * NS_PER_S)
#define WAIT_PART   8 /* of `every`: so long a clock record is waited for */

struct part {
	struct part *next;
	void *data; /* owned */
	size_t len;
};

struct snapshot {
	struct snapshot_env env;
	bool is_running;
	uint64_t pos;         /* of the one that is being taken */
	uint64_t due_pos;     /* take one when this has been dispatched */
	uint64_t sealed_pos;  /* of the newest */
	uint32_t n_whole;     /* takers that have handed over their last part */
	uint32_t n_parts;     /* written */
	uint64_t bytes;       /* of them */
	int64_t begun_ns;     /* monotonic */
	struct part *waiting; /* owned; oldest first */
	struct part **end;
};

int snapshot_new(const struct snapshot_env *env, struct snapshot **out)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_set(-ENOMEM, "out of memory for the snapshots");
	s->env = *env;
	s->end = &s->waiting;
	s->due_pos = env->every;
	*out = s;
	return 0;
}

static void drop_waiting(struct snapshot *s)
{
	while (s->waiting != NULL) {
		struct part *p = s->waiting;

		s->waiting = p->next;
		free(p->data);
		free(p);
	}
	s->end = &s->waiting;
}

void snapshot_free(struct snapshot *s)
{
	if (s == NULL)
		return;
	drop_waiting(s);
	free(s);
}

void snapshot_note(struct snapshot *s, uint64_t pos)
{
	s->sealed_pos = pos;
	s->due_pos = pos + s->env.every;
}

/* ---- parts ---- */

void snapshot_head_state(struct state *st, struct snapshot_head *h)
{
	state_u64(st, &h->config_hash);
	state_u64(st, &h->pos);
}

ON_STORE static void append(struct snapshot *s, void *data, size_t len)
{
	struct part *p = malloc(sizeof(*p));

	if (p == NULL)
		abort(); /* a few bytes: the machine is out */
	*p = (struct part){.data = data, .len = len};
	*s->end = p;
	s->end = &p->next;
}

void snapshot_part(struct snapshot *s, uint64_t pos, void *data, size_t len,
		   bool is_last)
{
	if (!s->is_running || pos != s->pos) {
		free(data); /* of one that was given up */
		return;
	}
	s->n_whole += is_last;
	if (len > 0)
		append(s, data, len);
	else
		free(data);
}

/* Our own sections: what it was made under, and the dispatcher's. */
ON_STORE static void append_own(struct snapshot *s)
{
	struct snapshot_head h = {.config_hash = s->env.config_hash, .pos = s->pos};
	struct buf b = {0};
	struct state st = state_saving(&b);
	size_t at = section_begin(&b, SECTION_HEAD, 0);

	snapshot_head_state(&st, &h);
	section_end(&b, at);
	at = section_begin(&b, SECTION_DISPATCH, 0);
	dispatch_state(&st, s->env.dispatch);
	section_end(&b, at);
	newsroom_save(dispatch_news(s->env.dispatch), &b);
	if (s->env.index != NULL) {
		at = section_begin(&b, SECTION_INDEX, 0);
		tick_index_state(&st, s->env.index);
		section_end(&b, at);
	}
	append(s, b.data, b.len);
}

ON_STORE static void begin(struct snapshot *s, uint64_t pos)
{
	s->is_running = true;
	s->pos = pos;
	s->n_whole = s->n_parts = 0;
	s->bytes = 0;
	s->begun_ns = clock_mono_ns();
	append_own(s);
}

/* A write that killed the store is found by its next commit; space may come back. */
ON_STORE static void give_up(struct snapshot *s)
{
	log_warn("snapshot",
		 "%s; the snapshot at position %llu is given up, the one before stays",
		 err_text(), (unsigned long long)s->pos);
	stats_add(STAT_SNAPSHOTS_FAILED, 1);
	drop_waiting(s);
	(void)tickstore_snapshot_abandon(s->env.store);
	s->is_running = false;
	s->due_pos = s->pos + s->env.every;
}

ON_STORE static int write_part(struct snapshot *s)
{
	struct part *p = s->waiting;
	int rc = tickstore_snapshot_part(s->env.store, s->pos, s->n_parts, p->data,
					 p->len);

	if (rc < 0)
		return rc;
	s->n_parts++;
	s->bytes += p->len;
	s->waiting = p->next;
	if (s->waiting == NULL)
		s->end = &s->waiting;
	free(p->data);
	free(p);
	return 0;
}

ON_STORE static int seal(struct snapshot *s)
{
	int rc = tickstore_snapshot_seal(s->env.store, s->pos, SNAPSHOT_VERSION,
					 s->n_parts);
	int64_t took_ms = (clock_mono_ns() - s->begun_ns) / NS_PER_MS;

	if (rc < 0)
		return rc;
	log_debug("snapshot", "position %llu: %llu bytes in %u parts, %lld ms",
		  (unsigned long long)s->pos, (unsigned long long)s->bytes, s->n_parts,
		  (long long)took_ms);
	stats_add(STAT_SNAPSHOTS, 1);
	stats_set(STAT_SNAPSHOT_POSITION, s->pos);
	stats_set(STAT_SNAPSHOT_BYTES, s->bytes);
	s->is_running = false;
	snapshot_note(s, s->pos);
	return 0;
}

ON_STORE static bool is_whole(const struct snapshot *s)
{
	return s->n_whole == s->env.n_takers && s->waiting == NULL;
}

/*
 * Best right behind a clock record: a clock record changes most symbols, which must be
 * saved first when they are not yet; so the time up to the next one is wanted for that.
 */
ON_STORE static bool is_due(const struct snapshot *s, uint64_t next)
{
	bool is_late = next > s->due_pos + s->env.every / WAIT_PART;
	bool is_wanted = s->env.every > 0 && next > s->due_pos;
	bool is_at_clock =
		dispatch_stop_at_clock(s->env.dispatch, is_wanted && !is_late);

	return is_wanted && (is_at_clock || is_late);
}

unsigned snapshot_step(struct snapshot *s)
{
	uint64_t next = dispatch_pos(s->env.dispatch);
	int rc = 0;

	if (!s->is_running) {
		if (!is_due(s, next) || !dispatch_snapshot(s->env.dispatch))
			return 0;
		begin(s, next - 1);
		return 1;
	}
	if (s->waiting != NULL)
		rc = write_part(s);
	else if (is_whole(s) && s->env.is_stored(s->env.arg, s->pos))
		rc = seal(s);
	else if (clock_mono_ns() - s->begun_ns > PATIENCE_NS)
		rc = err_set(
			-ETIMEDOUT,
			"%u of %u parts of the state came within a minute, or what "
			"was derived is not stored",
			s->n_whole, s->env.n_takers);
	else
		return 0;
	if (rc < 0)
		give_up(s);
	return 1;
}

int snapshot_last(struct snapshot *s, void (*hand_over)(void *arg, uint64_t pos))
{
	uint64_t pos = dispatch_pos(s->env.dispatch) - 1;
	int rc = 0;

	if (s->env.every == 0 || pos == s->sealed_pos)
		return 0;
	drop_waiting(s);
	(void)tickstore_snapshot_abandon(s->env.store);
	begin(s, pos);
	hand_over(s->env.arg, pos);
	while (rc == 0 && s->waiting != NULL)
		rc = write_part(s);
	if (rc == 0 && !is_whole(s))
		rc = err_set(-EPROTO, "%u of %u parts of the state were handed over",
			     s->n_whole, s->env.n_takers);
	if (rc == 0)
		rc = seal(s);
	if (rc < 0)
		give_up(s);
	return rc;
}
