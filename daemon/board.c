/* board - see board.h. */
#include "daemon/board.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_BACK 8u /* ticks in which a trade and a quote are looked for */
#define DAY_NS    (86400 * NS_PER_S)

struct row {
	uint64_t handled;  /* by the bus, as last written */
	uint64_t tick_seq; /* published, as last written */
	uint64_t bar_seq;
	int64_t last_e9; /* VALUE_NULL: none yet */
	int64_t bid_e9;
	int64_t ask_e9;
	int64_t first_e9; /* of the day */
	int64_t day;
	int64_t event_ns;
	int64_t bar_end_ns;
	uint32_t bar_revision;
	uint32_t timeframe_s; /* 0: no bar yet */
	uint16_t source_id;
	uint8_t bar_state;
	bool bar_final;
};

struct board {
	struct board_env env;
	struct row *rows; /* owned; by symbol id */
	int64_t newest_ns;
};

int board_new(const struct board_env *env, struct board **out)
{
	struct board *b = calloc(1, sizeof(*b));

	if (b != NULL)
		b->rows = calloc(env->symbols_max, sizeof(*b->rows));
	if (b == NULL || b->rows == NULL) {
		free(b);
		return err_set(-ENOMEM, "out of memory for the board");
	}
	b->env = *env;
	for (uint32_t i = 0; i < env->symbols_max; i++)
		b->rows[i] = (struct row){.last_e9 = VALUE_NULL,
					  .bid_e9 = VALUE_NULL,
					  .ask_e9 = VALUE_NULL,
					  .first_e9 = VALUE_NULL};
	*out = b;
	return 0;
}

void board_free(struct board *b)
{
	if (b == NULL)
		return;
	free(b->rows);
	free(b);
}

void board_bar(struct board *b, const struct event_bar *bar)
{
	struct row *r;

	if (bar->symbol_id >= b->env.symbols_max)
		return;
	r = &b->rows[bar->symbol_id];
	if (r->timeframe_s != 0 &&
	    (bar->timeframe_s > r->timeframe_s || bar->head.event_ns < r->bar_end_ns))
		return;
	if (r->day != bar->bar_start_ns / DAY_NS && bar->open_e9 != VALUE_NULL &&
	    bar->state == BAR_TRADED) {
		r->day = bar->bar_start_ns / DAY_NS;
		r->first_e9 = bar->open_e9;
	}
	r->timeframe_s = bar->timeframe_s;
	r->bar_end_ns = bar->head.event_ns;
	r->bar_revision = bar->revision;
	r->bar_state = bar->state;
	r->bar_final = (bar->flags & BAR_FINAL) != 0;
}

static void see_tick(struct row *r, const struct record *rec)
{
	if (rec->price_e9 != VALUE_NULL && record_action(rec) == TICK_NEW &&
	    (record_flags(rec) & TICK_NO_LAST) == 0)
		r->last_e9 = rec->price_e9;
	if (rec->bid_e9 != VALUE_NULL)
		r->bid_e9 = rec->bid_e9;
	if (rec->ask_e9 != VALUE_NULL)
		r->ask_e9 = rec->ask_e9;
	if (rec->event_ns > r->event_ns)
		r->event_ns = rec->event_ns;
	r->source_id = rec->source_id;
}

/* The newest ticks of the buffer, oldest first, so that the newest word counts. */
static void refresh(struct board *b, uint32_t id)
{
	struct symbuf_event recent[LOOK_BACK];
	struct row *r = &b->rows[id];
	size_t n = bus_symbol_recent(b->env.bus, id, LOOK_BACK, recent);

	for (size_t i = 0; i < n; i++) {
		struct item it;

		memcpy(&it, recent[i].data, sizeof(it));
		if (it.rec.type == RECORD_TICK)
			see_tick(r, &it.rec);
	}
	if (r->event_ns > b->newest_ns)
		b->newest_ns = r->event_ns;
}

static void put_price(struct jsonw *w, int64_t e9)
{
	char text[DECIMAL_TEXT_MAX];

	if (e9 == VALUE_NULL)
		jsonw_null(w, NULL);
	else
		jsonw_raw(w, NULL, text, decimal_print(text, e9, 9));
}

static const char *bar_word(const struct row *r)
{
	static const char *const words[] = {"traded", "quiet", "blind"};

	return r->timeframe_s == 0 || r->bar_state > BAR_BLIND ? ""
							       : words[r->bar_state];
}

ON_LOOP static void put_row(const struct board *b, struct jsonw *w, uint32_t id,
			    const struct bus_symbol_counts *c, int64_t now_ns)
{
	const struct row *r = &b->rows[id];
	bool has_change = r->first_e9 != VALUE_NULL && r->first_e9 != 0 &&
			  r->last_e9 != VALUE_NULL;
	int64_t against = b->env.wall ? now_ns : b->newest_ns;
	const char *name = symtab_name(b->env.symbols, id);
	const char *source = symtab_name(b->env.sources, r->source_id);

	jsonw_array(w, NULL);
	jsonw_u64(w, NULL, id);
	jsonw_strn(w, NULL, name, strnlen(name, SYMTAB_NAME_MAX));
	put_price(w, r->last_e9);
	if (!has_change)
		jsonw_null(w, NULL);
	else
		jsonw_f64(w, NULL,
			  100 * ((double)r->last_e9 / (double)r->first_e9 - 1));
	put_price(w, r->bid_e9);
	put_price(w, r->ask_e9);
	jsonw_str(w, NULL, bar_word(r));
	jsonw_i64(w, NULL, r->bar_end_ns / NS_PER_S);
	jsonw_u64(w, NULL, r->bar_revision);
	jsonw_u64(w, NULL, c->depth);
	jsonw_u64(w, NULL, c->dropped);
	jsonw_i64(w, NULL,
		  r->event_ns == 0        ? -1
		  : against > r->event_ns ? (against - r->event_ns) / NS_PER_MS
					  : 0);
	jsonw_u64(w, NULL, publisher_last_seq(b->env.publisher, EVENT_TICK, id));
	jsonw_u64(w, NULL, publisher_last_seq(b->env.publisher, EVENT_BAR, id));
	jsonw_strn(w, NULL, source, strnlen(source, SYMTAB_NAME_MAX));
	jsonw_end(w);
}

void board_rows(struct board *b, struct jsonw *w, bool full, int64_t now_ns)
{
	uint32_t n = symtab_count(b->env.symbols);

	jsonw_array(w, "rows");
	for (uint32_t id = 0; id < n && id < b->env.symbols_max; id++) {
		struct row *r = &b->rows[id];
		uint64_t ticks = publisher_last_seq(b->env.publisher, EVENT_TICK, id);
		uint64_t bars = publisher_last_seq(b->env.publisher, EVENT_BAR, id);
		struct bus_symbol_counts c;

		/* What is published and what the buffer has: either may be first. */
		bus_symbol_counts(b->env.bus, id, &c);
		if (!full && c.dispatched == r->handled && ticks == r->tick_seq &&
		    bars == r->bar_seq)
			continue;
		if (c.dispatched != r->handled || r->event_ns == 0)
			refresh(b, id);
		/* A full frame is one reader's: the others still get the change. */
		if (!full) {
			r->handled = c.dispatched;
			r->tick_seq = ticks;
			r->bar_seq = bars;
		}
		put_row(b, w, id, &c, now_ns);
	}
	jsonw_end(w);
}
