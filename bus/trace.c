/* trace - see trace.h. */
#include "bus/trace.h"
#include "base/clock.h"
#include "base/err.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define COMMITS 1024u /* that the dispatcher has not come to */

/* A slot is a row of cells: these, then a time per stage. */
enum { FIRST, LAST, LAST_TICK, RECV, WALL, AT };

struct cursor {
	_Alignas(64) _Atomic uint64_t next; /* step; one writer */
};

struct commit {
	uint64_t first_pos, last_pos;
	int64_t at_ns;
};

struct trace {
	uint32_t n_slots, n_stages;
	_Atomic int64_t *cells; /* owned; n_slots rows */
	struct cursor *stages;  /* owned; by stage */
	struct cursor kept;     /* the loop: steps below may be overwritten */
	struct cursor opened;   /* the store thread: how many steps there are */
	/* the store thread's */
	struct commit commits[COMMITS];
	uint64_t n_commits, first_commit;
	uint64_t committed;
	struct trace_step held; /* steps that found no slot; first_pos 0: none */
	uint64_t least;         /* no cursor is below this step */
};

int trace_new(uint32_t n_steps, uint32_t n_workers, struct trace **out)
{
	uint32_t n_stages = TRACE_WORKER + n_workers;
	struct trace *t = aligned_alloc(64, sizeof(*t));

	if (t == NULL)
		return err_set(-ENOMEM, "out of memory for the traces");
	*t = (struct trace){.n_slots = n_steps, .n_stages = n_stages};
	t->cells = calloc((size_t)n_steps * (AT + n_stages), sizeof(*t->cells));
	t->stages = aligned_alloc(64, n_stages * sizeof(*t->stages));
	if (t->cells == NULL || t->stages == NULL) {
		trace_free(t);
		return err_set(-ENOMEM, "out of memory for %u steps of traces",
			       n_steps);
	}
	for (uint32_t i = 0; i < n_stages; i++)
		t->stages[i] = (struct cursor){.next = 0};
	*out = t;
	return 0;
}

void trace_free(struct trace *t)
{
	if (t == NULL)
		return;
	free(t->cells);
	free(t->stages);
	free(t);
}

static _Atomic int64_t *cell(const struct trace *t, uint64_t step, unsigned which)
{
	return &t->cells[step % t->n_slots * (AT + t->n_stages) + which];
}

static int64_t peek(const struct trace *t, uint64_t step, unsigned which)
{
	return atomic_load_explicit(cell(t, step, which), memory_order_relaxed);
}

static void put(struct trace *t, uint64_t step, unsigned which, int64_t value)
{
	atomic_store_explicit(cell(t, step, which), value, memory_order_relaxed);
}

static uint64_t next_of(const struct cursor *c)
{
	return atomic_load_explicit(&c->next, memory_order_acquire);
}

static void move(struct cursor *c, uint64_t next)
{
	atomic_store_explicit(&c->next, next, memory_order_release);
}

/* ---- the store thread ---- */

void trace_committed(struct trace *t, uint64_t pos, int64_t now_ns)
{
	if (t == NULL || pos <= t->committed)
		return;
	/* Without room this one is forgotten: the older ones are needed first. */
	if (t->n_commits - t->first_commit < COMMITS)
		t->commits[t->n_commits++ % COMMITS] =
			(struct commit){t->committed + 1, pos, now_ns};
	t->committed = pos;
}

/* When @pos was committed; 0: not known.  Rising positions. */
static int64_t commit_of(struct trace *t, uint64_t pos)
{
	const struct commit *c;

	while (t->first_commit < t->n_commits) {
		c = &t->commits[t->first_commit % COMMITS];
		if (c->last_pos >= pos)
			return c->first_pos <= pos ? c->at_ns : 0;
		t->first_commit++;
	}
	return 0;
}

/* Stages without a cursor stay at 0 and are not asked. */
static uint64_t through_all(const struct trace *t)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = TRACE_TICK; i < t->n_stages; i++) {
		uint64_t next = next_of(&t->stages[i]);

		least = next < least ? next : least;
	}
	return least;
}

static bool has_slot(struct trace *t, uint64_t n)
{
	uint64_t kept;

	if (n - t->least < t->n_slots)
		return true;
	kept = next_of(&t->kept);
	t->least = through_all(t);
	t->least = kept < t->least ? kept : t->least;
	return n - t->least < t->n_slots;
}

void trace_dispatched(struct trace *t, const struct trace_step *s)
{
	uint64_t n;

	if (t == NULL)
		return;
	if (t->held.first_pos == 0)
		t->held = *s;
	t->held.last_pos = s->last_pos;
	if (s->last_tick != 0)
		t->held.last_tick = s->last_tick;
	n = atomic_load_explicit(&t->opened.next, memory_order_relaxed);
	if (!has_slot(t, n))
		return;
	put(t, n, FIRST, (int64_t)t->held.first_pos);
	put(t, n, LAST, (int64_t)t->held.last_pos);
	put(t, n, LAST_TICK, (int64_t)t->held.last_tick);
	put(t, n, RECV, t->held.recv_ns);
	put(t, n, WALL, clock_wall_ns());
	for (uint32_t i = 0; i < t->n_stages; i++)
		put(t, n, AT + i, 0);
	put(t, n, AT + TRACE_COMMIT, commit_of(t, t->held.first_pos));
	put(t, n, AT + TRACE_DISPATCH, clock_mono_ns());
	t->held.first_pos = 0;
	move(&t->opened, n + 1);
}

/* ---- the stages ---- */

void trace_reached(struct trace *t, unsigned stage, uint64_t pos, int64_t now_ns)
{
	unsigned against = stage == TRACE_TICK ? LAST_TICK : LAST;
	uint64_t next, n;

	if (t == NULL)
		return;
	next = atomic_load_explicit(&t->stages[stage].next, memory_order_relaxed);
	n = next_of(&t->opened);
	while (next < n && (uint64_t)peek(t, next, against) <= pos)
		put(t, next++, AT + stage, now_ns);
	move(&t->stages[stage], next);
}

/* ---- the loop ---- */

uint64_t trace_oldest(const struct trace *t)
{
	return t == NULL ? 0 : next_of(&t->kept);
}

uint64_t trace_finished(const struct trace *t)
{
	return t == NULL ? 0 : through_all(t);
}

uint64_t trace_count(const struct trace *t)
{
	return t == NULL ? 0 : next_of(&t->opened);
}

void trace_get(const struct trace *t, uint64_t i, struct trace_step *out)
{
	*out = (struct trace_step){.first_pos = (uint64_t)peek(t, i, FIRST),
				   .last_pos = (uint64_t)peek(t, i, LAST),
				   .last_tick = (uint64_t)peek(t, i, LAST_TICK),
				   .recv_ns = peek(t, i, RECV),
				   .wall_ns = peek(t, i, WALL),
				   .n_workers = t->n_stages - TRACE_WORKER};
	for (uint32_t k = 0; k < t->n_stages; k++)
		out->at_ns[k] = peek(t, i, AT + k);
}

bool trace_find(const struct trace *t, uint64_t pos, struct trace_step *out)
{
	uint64_t low = trace_oldest(t), high = trace_count(t), end = high;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if ((uint64_t)peek(t, mid, LAST) < pos)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == end || (uint64_t)peek(t, low, FIRST) > pos)
		return false;
	trace_get(t, low, out);
	return true;
}

void trace_done(struct trace *t, uint64_t i)
{
	uint64_t half = t == NULL ? 0 : t->n_slots / 2;

	if (t != NULL && i > half)
		move(&t->kept, i - half);
}
