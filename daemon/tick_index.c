/* tick_index - see tick_index.h. */
#include "daemon/tick_index.h"
#include "base/err.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Symbols at or beyond n_symbols had no tick yet. */
struct mark {
	uint64_t pos;
	uint64_t used;      /* bookmarks: when last */
	uint64_t *tick_seq; /* owned; NULL: n_symbols is 0 */
	uint32_t n_symbols;
	bool is_set;
};

#define PIN    TICK_INDEX_BOOKMARKS /* its place behind the bookmarks */
#define PLACES (PIN + 1)

struct tick_index {
	struct mark marks[TICK_INDEX_MARKS + 1]; /* ascending; one more, then thinned */
	uint32_t n_marks;
	struct mark bookmarks[PLACES];
	uint64_t uses;
	uint64_t spacing;
	uint32_t symbols_max;
	bool noted; /* the dispatcher was heard once */
};

int tick_index_new(uint32_t symbols_max, struct tick_index **out)
{
	struct tick_index *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return err_set(-ENOMEM, "out of memory for the tick index");
	x->symbols_max = symbols_max;
	x->spacing = TICK_INDEX_SPACING;
	x->n_marks = 1;
	x->marks[0].is_set = true;
	*out = x;
	return 0;
}

static void clear(struct mark *m)
{
	free(m->tick_seq);
	*m = (struct mark){0};
}

void tick_index_free(struct tick_index *x)
{
	if (x == NULL)
		return;
	for (uint32_t i = 0; i < x->n_marks; i++)
		clear(&x->marks[i]);
	for (uint32_t i = 0; i < PLACES; i++)
		clear(&x->bookmarks[i]);
	free(x);
}

void tick_index_reset(struct tick_index *x)
{
	for (uint32_t i = 0; i < x->n_marks; i++)
		clear(&x->marks[i]);
	x->n_marks = 1;
	x->marks[0].is_set = true;
	x->spacing = TICK_INDEX_SPACING;
	x->noted = false;
}

/* False: no memory.  Then there is one copy less, and counting takes longer. */
static bool set(struct mark *m, uint64_t pos, const uint64_t *tick_seq,
		uint32_t n_symbols)
{
	uint64_t *copy = NULL;

	if (n_symbols > 0) {
		copy = malloc(n_symbols * sizeof(*copy));
		if (copy == NULL)
			return false;
		memcpy(copy, tick_seq, n_symbols * sizeof(*copy));
	}
	clear(m);
	m->pos = pos;
	m->tick_seq = copy;
	m->n_symbols = n_symbols;
	m->is_set = true;
	return true;
}

static uint64_t count_of(const struct mark *m, uint32_t symbol_id)
{
	return symbol_id < m->n_symbols ? m->tick_seq[symbol_id] : 0;
}

/* Keep the first and every other one behind it. */
static void thin(struct tick_index *x)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < x->n_marks; i++) {
		if (i % 2 == 0)
			x->marks[kept++] = x->marks[i];
		else
			clear(&x->marks[i]);
	}
	for (uint32_t i = kept; i < x->n_marks; i++)
		x->marks[i] = (struct mark){0};
	x->n_marks = kept;
	x->spacing *= 2;
}

void tick_index_note(struct tick_index *x, uint64_t pos, const uint64_t *tick_seq,
		     uint32_t n_symbols)
{
	uint64_t newest = x->n_marks > 0 ? x->marks[x->n_marks - 1].pos : 0;

	if (pos == 0 || (x->noted && x->n_marks > 0 && pos < newest + x->spacing))
		return;
	if (x->n_marks > 0 && pos <= newest)
		return;
	if (n_symbols > x->symbols_max)
		n_symbols = x->symbols_max;
	if (!set(&x->marks[x->n_marks], pos, tick_seq, n_symbols))
		return;
	x->n_marks++;
	x->noted = true;
	if (x->n_marks > TICK_INDEX_MARKS)
		thin(x);
}

void tick_index_bookmark(struct tick_index *x, uint64_t pos, const uint64_t *tick_seq,
			 uint32_t n_symbols)
{
	struct mark *place = &x->bookmarks[0];

	if (n_symbols > x->symbols_max)
		n_symbols = x->symbols_max;
	for (uint32_t i = 0; i < TICK_INDEX_BOOKMARKS; i++) {
		struct mark *m = &x->bookmarks[i];

		if (m->is_set && m->pos == pos)
			return;
		if (m->used < place->used)
			place = m;
	}
	if (set(place, pos, tick_seq, n_symbols))
		place->used = ++x->uses;
}

void tick_index_pin(struct tick_index *x, uint64_t pos, const uint64_t *tick_seq,
		    uint32_t n_symbols)
{
	if (n_symbols > x->symbols_max)
		n_symbols = x->symbols_max;
	(void)set(&x->bookmarks[PIN], pos, tick_seq, n_symbols);
}

void tick_index_trim(struct tick_index *x, uint64_t first_pos)
{
	uint32_t gone = 0;

	while (gone < x->n_marks && x->marks[gone].pos + 1 < first_pos)
		clear(&x->marks[gone++]);
	if (gone > 0)
		memmove(x->marks, x->marks + gone,
			(x->n_marks - gone) * sizeof(x->marks[0]));
	x->n_marks -= gone;
	for (uint32_t i = 0; i < gone; i++)
		x->marks[x->n_marks + i] = (struct mark){0};
	for (uint32_t i = 0; i < PLACES; i++)
		if (x->bookmarks[i].is_set && x->bookmarks[i].pos + 1 < first_pos)
			clear(&x->bookmarks[i]);
}

int tick_index_at(struct tick_index *x, uint64_t pos, uint64_t *tick_seq,
		  uint64_t *out_pos)
{
	struct mark *best = NULL;

	for (uint32_t i = 0; i < x->n_marks && x->marks[i].pos <= pos; i++)
		best = &x->marks[i];
	for (uint32_t i = 0; i < PLACES; i++) {
		struct mark *m = &x->bookmarks[i];

		if (m->is_set && m->pos <= pos && (best == NULL || m->pos > best->pos))
			best = m;
	}
	if (best == NULL)
		return TICK_INDEX_NONE;
	best->used = ++x->uses;
	if (best->n_symbols > 0)
		memcpy(tick_seq, best->tick_seq, best->n_symbols * sizeof(*tick_seq));
	memset(tick_seq + best->n_symbols, 0,
	       (x->symbols_max - best->n_symbols) * sizeof(*tick_seq));
	*out_pos = best->pos;
	return 0;
}

static const struct mark *oldest(const struct tick_index *x)
{
	const struct mark *best = x->n_marks > 0 ? &x->marks[0] : NULL;

	for (uint32_t i = 0; i < PLACES; i++) {
		const struct mark *m = &x->bookmarks[i];

		if (m->is_set && (best == NULL || m->pos < best->pos))
			best = m;
	}
	return best;
}

int tick_index_oldest(const struct tick_index *x, uint64_t *out_pos)
{
	const struct mark *m = oldest(x);

	if (m == NULL)
		return TICK_INDEX_NONE;
	*out_pos = m->pos;
	return 0;
}

uint64_t tick_index_oldest_seq(const struct tick_index *x, uint32_t symbol_id)
{
	const struct mark *m = oldest(x);

	return m == NULL ? 0 : count_of(m, symbol_id);
}

int tick_index_before(const struct tick_index *x, uint32_t symbol_id, uint64_t seq,
		      uint64_t *out_pos)
{
	const struct mark *best = NULL;

	for (uint32_t i = 0; i < x->n_marks; i++)
		if (count_of(&x->marks[i], symbol_id) < seq)
			best = &x->marks[i];
	for (uint32_t i = 0; i < PLACES; i++) {
		const struct mark *m = &x->bookmarks[i];

		if (m->is_set && count_of(m, symbol_id) < seq &&
		    (best == NULL || m->pos > best->pos))
			best = m;
	}
	if (best == NULL)
		return TICK_INDEX_NONE;
	*out_pos = best->pos;
	return 0;
}

uint32_t tick_index_marks(const struct tick_index *x)
{
	return x->n_marks;
}

/* ---- snapshots ---- */

static void load_mark(struct state *st, struct tick_index *x)
{
	struct mark *m = &x->marks[x->n_marks];
	uint64_t before = x->n_marks > 0 ? x->marks[x->n_marks - 1].pos : 0;

	state_u64(st, &m->pos);
	state_count(st, &m->n_symbols, x->symbols_max);
	if (state_bad(st) || m->pos <= before) {
		state_spoil(st);
		*m = (struct mark){0};
		return;
	}
	m->tick_seq = calloc(m->n_symbols + 1, sizeof(*m->tick_seq));
	if (m->tick_seq == NULL) {
		state_spoil(st);
		return;
	}
	state_bytes(st, m->tick_seq, m->n_symbols * sizeof(*m->tick_seq));
	m->is_set = true;
	x->n_marks++;
}

/* Every how many copies so that what is saved stays within its bound. */
static uint32_t saved_step(const struct tick_index *x)
{
	uint64_t bytes = 0;

	for (uint32_t i = 1; i < x->n_marks; i++)
		bytes += x->marks[i].n_symbols * sizeof(uint64_t);
	return 1 + (uint32_t)(bytes / TICK_INDEX_SAVED_BYTES);
}

void tick_index_state(struct state *st, struct tick_index *x)
{
	uint32_t step = saved_step(x), n = 0;

	/* The first copy, no ticks at position 0, is there anyway or trimmed away. */
	for (uint32_t i = 1; i < x->n_marks; i += step)
		n++;
	state_u64(st, &x->spacing);
	state_count(st, &n, TICK_INDEX_MARKS);
	if (!state_is_loading(st)) {
		for (uint32_t i = 1; i < x->n_marks; i += step) {
			struct mark *m = &x->marks[i];

			state_u64(st, &m->pos);
			state_u32(st, &m->n_symbols);
			state_bytes(st, m->tick_seq,
				    m->n_symbols * sizeof(*m->tick_seq));
		}
		return;
	}
	for (uint32_t i = 0; i < n && !state_bad(st); i++)
		load_mark(st, x);
	if (x->spacing < TICK_INDEX_SPACING)
		state_spoil(st);
	if (state_bad(st))
		tick_index_reset(x);
}
