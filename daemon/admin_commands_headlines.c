/*
 * admin_commands_headlines - the newest of the NEWS_SENTIMENT events that are stored
 * and given out, newest first; of one symbol, or of all.
 *
 * Rows are read from their end backwards, a bounded number of bytes.  Of a symbol the
 * walk begins at the row with its newest, so that this one is found however long ago.
 */
#include "daemon/admin_commands_parts.h"
#include "daemon/events_page.h"
#include "daemon/row_walk.h"
#include "daemon/serve_catchup.h"
#include "proto/event_json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADLINES_MAX 200u
#define BYTES_MAX     ((size_t)4 << 20) /* of rows, in one question */

struct lookup {
	struct question q; /* first; q.n events at most */
	bool is_any;       /* else of q.symbol_id alone */
	uint64_t complete[EVENT_KINDS];
	uint64_t n_found;
};

/* The newest q.n - n_found of a row that match, in a ring. */
struct kept {
	struct event_news *event; /* owned; @max of them */
	size_t max, n;            /* n: how many there were */
};

static int on_row(void *arg, const struct store_batch *b)
{
	buf_add(arg, b->data, b->len);
	return 0;
}

static bool wanted(const struct lookup *l, const struct event_news *e)
{
	return (l->is_any || e->symbol_id == l->q.symbol_id) &&
	       e->head.pos <= l->complete[EVENT_NEWS] &&
	       !gate_holds(l->q.d->gate, EVENT_NEWS, e->symbol_id, e->head.pos);
}

static int walk_row(const struct lookup *l, const struct buf *row, struct kept *out)
{
	struct row_walk walk = {0};
	int rc;

	out->n = 0;
	row_walk_begin(&walk, EVENT_NEWS, row->data, row->len);
	while ((rc = row_walk_next(&walk)) == 0) {
		struct event_news e;

		memcpy(&e, walk.event, sizeof(e));
		if (wanted(l, &e))
			out->event[out->n++ % out->max] = e;
	}
	row_walk_deinit(&walk);
	return rc < 0 ? rc : 0;
}

static void put_newest_first(struct lookup *l, const struct kept *k, struct jsonw *w)
{
	char line[EVENT_JSON_MAX];

	for (size_t i = 0; i < k->n && i < k->max && l->n_found < l->q.n; i++) {
		const struct event_news *e = &k->event[(k->n - 1 - i) % k->max];
		const char *source = symtab_name(l->q.d->sources, e->source_id);
		const struct event_json_ctx ctx = {.epoch = l->q.d->epoch,
						   .publish_ns = VALUE_NULL,
						   .source = source[0] != '\0' ? source
									       : NULL};

		jsonw_raw(w, NULL, line, event_json_news(line, e, &ctx));
		l->n_found++;
	}
}

static bool is_symbol(const void *arg, enum event_kind kind,
		      const struct newest_place *place)
{
	const uint32_t *id = arg;

	(void)kind;
	return place->symbol_id == *id;
}

/* Rows from the newest that can have one down to @*out_first. */
ON_STORE static uint64_t begin_at(struct tickstore *ts, const struct lookup *l,
				  uint64_t *out_first)
{
	uint64_t next, row;

	tickstore_derived_range(ts, EVENT_NEWS, out_first, &next);
	if (l->is_any || l->q.d->newest == NULL)
		return next;
	row = newest_row(l->q.d->newest, EVENT_NEWS, *out_first, is_symbol,
			 &l->q.symbol_id);
	return row < next ? row + 1 : next;
}

ON_STORE static int look_back(struct tickstore *ts, struct lookup *l, struct jsonw *w)
{
	struct kept kept = {.max = l->q.n,
			    .event = calloc(l->q.n, sizeof(*kept.event))};
	struct buf row = {0};
	size_t bytes = 0;
	uint64_t first, id = begin_at(ts, l, &first);
	int rc = kept.event == NULL ? err_set(-ENOMEM, "out of memory for headlines")
				    : 0;

	while (rc == 0 && id > first && l->n_found < l->q.n && bytes < BYTES_MAX) {
		row.len = 0;
		rc = tickstore_derived_read(ts, EVENT_NEWS, --id, 1, on_row, &row,
					    NULL);
		if (rc != 0)
			break; /* STORE_GONE: there is no older one */
		bytes += row.len;
		rc = walk_row(l, &row, &kept);
		if (rc == 0)
			put_newest_first(l, &kept, w);
	}
	l->q.is_done = id <= first || rc == STORE_GONE;
	buf_free(&row);
	free(kept.event);
	return rc < 0 ? rc : 0;
}

static void ask(struct store_thread *st, void *arg)
{
	struct lookup *l = arg;
	struct jsonw w;
	int rc;

	role_assert_store();
	if (derived_rows_behind(l->q.d->derived_rows))
		memset(l->complete, 0, sizeof(l->complete));
	jsonw_init(&w, &l->q.rows);
	jsonw_array(&w, NULL);
	rc = look_back(store_log(st), l, &w);
	jsonw_end(&w);
	if (rc < 0)
		question_fail(&l->q, rc);
}

static void answer(struct daemon *d, void *arg)
{
	struct lookup *l = arg;

	(void)d;
	role_assert_loop();
	if (question_has_result(&l->q)) {
		struct jsonw *w = admin_result(l->q.call);

		jsonw_raw(w, "headlines", (const char *)l->q.rows.data, l->q.rows.len);
		jsonw_bool(w, "is_all", l->q.is_done && l->n_found < l->q.n);
		admin_done(l->q.call);
	}
	question_free(&l->q);
}

void admin_headlines(struct daemon *d, const struct json *request,
		     struct admin_call *call)
{
	const char *symbol = json_str(json_get(request, "symbol"), NULL);
	uint32_t id = 0;
	struct lookup *l;
	uint64_t n;

	if (!admin_number(request, "n", 50, call, &n))
		return;
	if (events_page_may(d) < 0) {
		admin_fail(call, "busy", err_text());
		return;
	}
	if (symbol != NULL &&
	    symtab_find(d->symbols, symbol, strlen(symbol), &id) != 0) {
		admin_fail(call, "not_found", "there is no such symbol");
		return;
	}
	l = question_new_in(d, call, sizeof(*l));
	if (l == NULL)
		return;
	l->q.symbol_id = id;
	l->q.n = n < 1 ? 1 : n < HEADLINES_MAX ? n : HEADLINES_MAX;
	l->is_any = symbol == NULL;
	catchup_complete(d, l->complete);
	question_ask(d, &l->q, ask, answer);
}
