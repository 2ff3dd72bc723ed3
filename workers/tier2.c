/*
 * tier2 - see tier2.h.
 *
 * One queue per worker; `safe` is the smallest progress of all.  The next position is
 * the smallest at the heads of the queues, if it is safe; everything of that position
 * is taken together and sorted by (bar_end, symbol, arrival).  A symbol lives in one
 * worker, so that order does not depend on how the workers' items came in.
 *
 *     worker 0   | 7 7 9 12 | progress 12
 *     worker 1   | 7 8      | progress 10      safe = 10: apply 7, 8, 9
 */
#include "workers/tier2.h"
#include "base/err.h"
#include "workers/universe.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct queue {
	struct cut_item *items; /* owned; ring of cap */
	size_t cap, head, n;    /* cap: 0 or a power of two */
	uint64_t progress;
};

struct picked {
	struct cut_item item;
	size_t arrival;
};

struct tier2 {
	const struct params *params;
	const struct symtab *symbols;
	uint32_t n_queues, symbols_max;
	struct queue *queues; /* owned */
	struct picked *batch; /* owned; room for everything held */
	size_t batch_max, n_batch, held;
	uint64_t done;              /* every position up to it is applied */
	uint8_t *known;             /* owned; by symbol id: its name was looked at */
	struct universe *universes; /* owned */
	size_t n_universes;
	struct workshop shop;
	bool is_saved;      /* `saved` waits to be taken */
	uint64_t saved_pos; /* of the snapshot in `saved` */
	struct buf saved;   /* owned; sections that nobody has taken yet */
};

size_t tier2_bytes_max(const struct params *p)
{
	size_t most = 0;

	for (size_t i = 0; i < p->n_universes; i++) {
		size_t rows = universe_rows_max(&p->universes[i]);
		size_t bytes = sizeof(struct event_tier2) +
			       rows * sizeof(struct tier2_member) +
			       rows * (rows + 1) / 2 * sizeof(double);

		most = bytes > most ? bytes : most;
	}
	return most;
}

/* ---- life ---- */

static int open_shop(struct tier2 *t)
{
	uint32_t rows = 1, window = 1;
	int rc;

	for (size_t i = 0; i < t->params->n_universes; i++) {
		const struct universe_params *up = &t->params->universes[i];

		rows = universe_rows_max(up) > rows ? universe_rows_max(up) : rows;
		window = up->window > window ? up->window : window;
	}
	t->shop.out = calloc(rows, sizeof(*t->shop.out));
	t->shop.row_of = calloc(rows, sizeof(*t->shop.row_of));
	t->shop.triangle =
		calloc((size_t)rows * ((size_t)rows + 1) / 2, sizeof(double));
	if (!t->shop.out || !t->shop.row_of || !t->shop.triangle)
		return err_set(-ENOMEM, "out of memory for matrices of %u symbols",
			       rows);
	if (rows > TIER2_REPAIR_ROWS) {
		t->shop.spare =
			calloc((size_t)rows * ((size_t)rows + 1) / 2, sizeof(double));
		if (t->shop.spare == NULL)
			return err_set(-ENOMEM,
				       "out of memory for matrices of %u symbols",
				       rows);
	}
	rc = corr_new(rows, window, &t->shop.corr);
	return rc < 0 ? rc : eigen_new(rows, &t->shop.eigen);
}

static int open_universes(struct tier2 *t)
{
	for (size_t i = 0; i < t->params->n_universes; i++) {
		int rc = universe_init(&t->universes[i], t->params,
				       &t->params->universes[i], t->symbols_max);

		if (rc < 0)
			return rc;
		t->n_universes++;
	}
	return 0;
}

int tier2_new(const struct tier2_env *env, const struct tier2_sink *sink,
	      struct tier2 **out)
{
	struct tier2 *t = calloc(1, sizeof(*t));
	int rc = -ENOMEM;

	if (t == NULL)
		goto fail;
	t->params = env->params;
	t->symbols = env->symbols;
	t->n_queues = env->n_workers;
	t->symbols_max = env->symbols_max;
	t->shop.sink = *sink;
	t->queues = calloc(env->n_workers, sizeof(*t->queues));
	t->known = calloc((size_t)env->symbols_max + 1, 1);
	t->universes = calloc(env->params->n_universes + 1, sizeof(*t->universes));
	if (!t->queues || !t->known || !t->universes)
		goto fail;
	rc = open_shop(t);
	if (rc == 0)
		rc = open_universes(t);
	if (rc < 0) {
		tier2_free(t);
		return rc;
	}
	*out = t;
	return 0;
fail:
	tier2_free(t);
	return err_set(rc, "out of memory for tier 2");
}

void tier2_free(struct tier2 *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_universes; i++)
		universe_deinit(&t->universes[i]);
	for (uint32_t w = 0; t->queues != NULL && w < t->n_queues; w++)
		free(t->queues[w].items);
	corr_free(t->shop.corr);
	eigen_free(t->shop.eigen);
	free(t->shop.out);
	free(t->shop.row_of);
	free(t->shop.triangle);
	free(t->shop.spare);
	free(t->queues);
	free(t->batch);
	free(t->known);
	free(t->universes);
	buf_free(&t->saved);
	free(t);
}

const struct tier2_counts *tier2_counts(const struct tier2 *t)
{
	return &t->shop.counts;
}

uint64_t tier2_done(const struct tier2 *t)
{
	return t->done;
}

size_t tier2_held(const struct tier2 *t)
{
	return t->held;
}

/* ---- taking items in ---- */

static int make_room(struct tier2 *t, struct queue *q, size_t n)
{
	size_t cap = q->cap > 0 ? q->cap : 256;
	struct cut_item *items;

	while (cap < q->n + n)
		cap *= 2;
	if (cap > q->cap) {
		items = malloc(cap * sizeof(*items));
		if (items == NULL)
			return err_set(-ENOMEM, "out of memory for %zu cut items", cap);
		for (size_t i = 0; i < q->n; i++)
			items[i] = q->items[(q->head + i) & (q->cap - 1)];
		free(q->items);
		*q = (struct queue){items, cap, 0, q->n, q->progress};
	}
	if (t->held + n > t->batch_max) {
		size_t max = 2 * (t->held + n);
		struct picked *batch = realloc(t->batch, max * sizeof(*batch));

		if (batch == NULL)
			return err_set(-ENOMEM, "out of memory for %zu cut items", max);
		t->batch = batch;
		t->batch_max = max;
	}
	return 0;
}

int tier2_feed(struct tier2 *t, uint32_t worker, const struct cut_item *items, size_t n)
{
	struct queue *q = &t->queues[worker];
	int rc = make_room(t, q, n);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (items[i].type == CUT_PROGRESS) {
			if (items[i].pos > q->progress)
				q->progress = items[i].pos;
			continue;
		}
		q->items[(q->head + q->n) & (q->cap - 1)] = items[i];
		q->n++;
		t->held++;
	}
	return 0;
}

/* ---- one position ---- */

static int by_time_symbol_arrival(const void *a, const void *b)
{
	const struct picked *x = a, *y = b;

	if (x->item.time_ns != y->item.time_ns)
		return x->item.time_ns < y->item.time_ns ? -1 : 1;
	if (x->item.symbol_id != y->item.symbol_id)
		return x->item.symbol_id < y->item.symbol_id ? -1 : 1;
	return x->arrival < y->arrival ? -1 : x->arrival > y->arrival;
}

/* Take everything at the next safe position; false when there is none. */
static bool pick(struct tier2 *t)
{
	uint64_t safe = UINT64_MAX, pos = UINT64_MAX;

	for (uint32_t w = 0; w < t->n_queues; w++) {
		const struct queue *q = &t->queues[w];

		safe = q->progress < safe ? q->progress : safe;
		if (q->n > 0 && q->items[q->head].pos < pos)
			pos = q->items[q->head].pos;
	}
	if (pos > safe || pos == UINT64_MAX) {
		t->done = t->n_queues > 0 ? safe : 0;
		return false;
	}
	t->done = pos - 1;
	t->n_batch = 0;
	for (uint32_t w = 0; w < t->n_queues; w++) {
		struct queue *q = &t->queues[w];

		for (; q->n > 0 && q->items[q->head].pos == pos; q->n--) {
			t->batch[t->n_batch] =
				(struct picked){q->items[q->head], t->n_batch};
			t->n_batch++;
			q->head = (q->head + 1) & (q->cap - 1);
		}
	}
	t->held -= t->n_batch;
	if (t->n_batch > 1)
		qsort(t->batch, t->n_batch, sizeof(*t->batch), by_time_symbol_arrival);
	return true;
}

static void meet(struct tier2 *t, uint32_t symbol_id)
{
	if (t->known[symbol_id])
		return;
	t->known[symbol_id] = 1;
	for (size_t i = 0; i < t->n_universes; i++)
		universe_meet(&t->universes[i], symbol_id,
			      symtab_name(t->symbols, symbol_id));
}

/* What the position says of time and of symbols, before any of its bars. */
static void announce(struct tier2 *t, const struct cut_item *c)
{
	if (c->type != CUT_TIME)
		meet(t, c->symbol_id);
	for (size_t i = 0; i < t->n_universes; i++) {
		struct universe *u = &t->universes[i];

		if (c->type == CUT_TIME)
			universe_time(u, c->time_ns);
		else if (c->type == CUT_SYMBOL)
			universe_state(u, c->symbol_id, (enum symbol_state)c->state);
		else if (universe_takes(u, c, symtab_name(t->symbols, c->symbol_id),
					&t->shop.counts))
			universe_time(u, c->time_ns + t->params->bars.grace_ns);
	}
}

/* Bars of one bar_end are applied together, then everything up to it is decided. */
static void apply_bars(struct tier2 *t, const struct moment *now)
{
	struct tier2_counts ignored = {0};

	for (size_t i = 0; i < t->n_batch; i++) {
		const struct cut_item *c = &t->batch[i].item;
		bool last = i + 1 == t->n_batch ||
			    t->batch[i + 1].item.time_ns != c->time_ns;

		for (size_t k = 0; k < t->n_universes; k++) {
			struct universe *u = &t->universes[k];

			if (c->type == CUT_BAR &&
			    universe_takes(u, c, symtab_name(t->symbols, c->symbol_id),
					   &ignored))
				universe_bar(u, c, &t->shop.counts);
			if (last)
				universe_decide(u, c->time_ns, now, &t->shop);
		}
	}
}

/* An item of a symbol that cannot be: a worker's fault, and no reason to die. */
static void drop_strangers(struct tier2 *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_batch; i++) {
		if (t->batch[i].item.symbol_id < t->symbols_max)
			t->batch[kept++] = t->batch[i];
		else
			t->shop.counts.refused++;
	}
	t->n_batch = kept;
}

/*
 * Takes the requests out of the batch; true if there was one.  Every worker sends it,
 * and where a mark had been before they come one by one: the first one counts.
 */
static bool take_snapshot_items(struct tier2 *t, uint64_t pos)
{
	size_t kept = 0, n = t->n_batch;

	for (size_t i = 0; i < n; i++)
		if (t->batch[i].item.type != CUT_SNAPSHOT)
			t->batch[kept++] = t->batch[i];
	t->n_batch = kept;
	return kept < n && pos != t->saved_pos;
}

void tier2_save_begin(struct tier2 *t, uint64_t pos)
{
	struct state st = state_saving(&t->saved);

	t->saved_pos = pos;
	if (t->shop.sink.snapshot == NULL)
		return;
	t->saved.len = 0; /* one that was not taken is given up */
	for (size_t i = 0; i < t->n_universes; i++) {
		size_t at = section_begin(&t->saved, SECTION_UNIVERSE, (uint32_t)i);

		universe_save(&st, &t->universes[i], t->symbols_max);
		section_end(&t->saved, at);
	}
	t->is_saved = true;
	(void)tier2_save_step(t);
}

bool tier2_save_step(struct tier2 *t)
{
	if (t->is_saved &&
	    t->shop.sink.snapshot(t->shop.sink.arg, t->saved_pos, &t->saved, true) == 0)
		t->is_saved = false;
	return t->is_saved;
}

int tier2_load(struct tier2 *t, const struct section *sec)
{
	struct state st = state_loading(sec->data, sec->len);

	if (sec->id >= t->n_universes)
		return err_set(-EBADMSG,
			       "the snapshot has a universe %u, the configuration "
			       "has %zu of them",
			       sec->id, t->n_universes);
	universe_save(&st, &t->universes[sec->id], t->symbols_max);
	state_end(&st);
	if (state_bad(&st))
		return err_set(-EBADMSG,
			       "universe %u of the snapshot is not the one of the "
			       "configuration",
			       sec->id);
	return 0;
}

int tier2_peek(const struct section *sec, struct tier2_stream *out)
{
	struct state st = state_loading(sec->data, sec->len);
	uint64_t timeframe_s = 0;

	*out = (struct tier2_stream){0};
	state_bytes(&st, out->universe, sizeof(out->universe));
	state_u64(&st, &timeframe_s);
	state_u64(&st, &out->version);
	state_u64(&st, &out->chain);
	out->timeframe_s = (uint32_t)timeframe_s;
	return state_bad(&st)
		       ? err_set(-EBADMSG, "a universe of the snapshot is cut short")
		       : 0;
}

void tier2_renumber(struct tier2 *t, const struct tier2_stream *stream)
{
	for (size_t i = 0; i < t->n_universes; i++) {
		struct universe *u = &t->universes[i];

		if (u->up->timeframe_s != stream->timeframe_s ||
		    memcmp(u->up->name, stream->universe, UNIVERSE_MAX) != 0)
			continue;
		u->version = stream->version;
		u->chain = stream->chain;
		u->as_of_version = 0; /* what it was is not to be superseded */
	}
}

static void apply(struct tier2 *t)
{
	uint64_t pos = t->batch[0].item.pos;
	bool is_snapshot = take_snapshot_items(t, pos);
	const struct cut_item *first = &t->batch[0].item; /* knows its record */
	struct moment now = {pos, first->recv_ns, first->replay != 0};

	if (t->n_batch == 0) {
		if (is_snapshot)
			tier2_save_begin(t, pos);
		return;
	}
	t->shop.counts.items += t->n_batch;
	drop_strangers(t);
	for (size_t i = 0; i < t->n_batch; i++)
		announce(t, &t->batch[i].item);
	apply_bars(t, &now);
	for (size_t i = 0; i < t->n_universes; i++) {
		universe_decide(&t->universes[i], INT64_MAX, &now, &t->shop);
		universe_revise(&t->universes[i], &now, &t->shop);
	}
	if (is_snapshot)
		tier2_save_begin(t, now.pos);
}

size_t tier2_step(struct tier2 *t, size_t budget)
{
	size_t done = 0;

	for (; done < budget && pick(t); done++)
		apply(t);
	return done;
}
