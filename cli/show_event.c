/* show_event - see show_event.h. */
#include "cli/show_event.h"
#include "base/decimal.h"
#include "base/jsonw.h"
#include <math.h>
#include <string.h>

static void put(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text));
}

/* A padded field.  What a producer wrote in it must not move the cursor, nor end a
 * cell. */
static void put_field(struct buf *out, const char *field, size_t max)
{
	size_t len = symbol_field_len(field, max);

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)field[i];
		char shown =
			c < ' ' || c == 0x7f || c == ',' || c == '"' ? '?' : (char)c;

		buf_add(out, &shown, 1);
	}
}

static void put_decimal(struct buf *out, int64_t v, unsigned scale)
{
	char text[DECIMAL_TEXT_MAX];

	if (v != VALUE_NULL)
		buf_add(out, text, decimal_print(text, v, scale));
}

static void put_time(struct buf *out, int64_t ns)
{
	char text[TICKBUS_TIME_MAX];

	if (ns == VALUE_NULL)
		return;
	tickbus_time_print(text, ns);
	put(out, text);
}

static void put_f64(struct buf *out, double v)
{
	char text[32];

	if (!isnan(v))
		buf_add(out, text, jsonw_print_f64(text, v));
}

static __int128 volume_of(const struct event_bar *b)
{
	return (__int128)b->volume_hi << 64 | b->volume_lo;
}

static void put_volume(struct buf *out, const struct event_bar *b)
{
	char text[DECIMAL_TEXT_MAX];

	buf_add(out, text, decimal_print128(text, volume_of(b), 8));
}

/* ---- pretty ------------------------------------------------------------- */

/* "14:30:00.500": for the eye; the date is known or in the other formats. */
static void put_clock(struct buf *out, int64_t ns)
{
	char text[TICKBUS_TIME_MAX];
	const char *t;

	tickbus_time_print(text, ns);
	t = strchr(text, 'T');
	if (t == NULL || strlen(t) < 9)
		return;
	buf_printf(out, "%.8s.%03d  ", t + 1, (int)((uint64_t)ns / 1000000 % 1000));
}

static void put_symbol(struct buf *out, const char *field)
{
	size_t begin = out->len;

	put_field(out, field, SYMBOL_MAX);
	while (out->len - begin < 8)
		buf_add(out, " ", 1);
}

static void pair(struct buf *out, const char *name, int64_t v, unsigned scale)
{
	if (v == VALUE_NULL)
		return;
	buf_printf(out, "  %s ", name);
	put_decimal(out, v, scale);
}

static void pretty_tick(struct buf *out, const struct event_tick *t)
{
	put_clock(out, t->head.event_ns);
	put(out, "tick    ");
	put_symbol(out, t->symbol);
	pair(out, "last", t->price_e9, 9);
	pair(out, "x", t->size_e8, 8);
	pair(out, "bid", t->bid_e9, 9);
	pair(out, "x", t->bid_size_e8, 8);
	pair(out, "ask", t->ask_e9, 9);
	pair(out, "x", t->ask_size_e8, 8);
	if (t->action != TICK_NEW)
		buf_printf(out, "  %s of %llu", tick_action_name(t->action),
			   (unsigned long long)t->ref_seq);
	if (t->flags & TICK_HALT)
		put(out, "  halted");
	if (t->flags & TICK_RESUMED)
		put(out, "  resumed");
}

static void pretty_bar(struct buf *out, const struct event_bar *b)
{
	put_clock(out, b->head.event_ns);
	buf_printf(out, "bar %-4s", tickbus_timeframe_name(b->timeframe_s));
	put_symbol(out, b->symbol);
	if (b->flags & BAR_IS_MISSING)
		buf_printf(out, "  %s", bar_state_name(b->state));
	pair(out, "o", b->open_e9, 9);
	pair(out, "h", b->high_e9, 9);
	pair(out, "l", b->low_e9, 9);
	pair(out, "c", b->close_e9, 9);
	if (!(b->flags & BAR_IS_MISSING)) {
		put(out, "  v ");
		put_volume(out, b);
	}
	if (!isnan(b->log_return_1))
		buf_printf(out, "  r %+.6f", b->log_return_1);
	if (b->revision > 0 && b->cause != CAUSE_FINAL)
		buf_printf(out, "  revision %u %s", b->revision,
			   bar_cause_name(b->cause));
	if (b->flags & BAR_IS_OUTLIER)
		put(out, "  outlier");
	if (b->flags & BAR_FINAL)
		put(out, "  final");
}

/* "rsi(14) 51.2  bbands(20,2).upper 101.3" */
static void pretty_indicators(struct buf *out, const struct event_tier1 *e)
{
	struct event_indicators block;
	struct indicator_value v;
	uint32_t at = 0;

	memcpy(&block, e, sizeof(block));
	put_clock(out, e->head.event_ns);
	buf_printf(out, "ind %-4s", tickbus_timeframe_name(e->timeframe_s));
	put_symbol(out, e->symbol);
	buf_printf(out, "  bar %llu", (unsigned long long)e->bars_seen);
	while (event_indicator_next(&block, &at, &v))
		if (!isnan(v.value))
			buf_printf(out, "  %.*s%s%.*s %.6g", (int)v.spec_len, v.spec,
				   v.output != NULL ? "." : "", (int)v.output_len,
				   v.output != NULL ? v.output : "", v.value);
}

static void pretty_tier1(struct buf *out, const struct event_tier1 *v)
{
	static const enum tier1_value shown[] = {TIER1_ROLLING_RETURN_12,
						 TIER1_MOMENTUM_SCORE,
						 TIER1_VOL_24,
						 TIER1_RSI_14,
						 TIER1_MACD_HIST,
						 TIER1_ATR_14};

	if (event_tier1_part(v) > 0) {
		pretty_indicators(out, v);
		return;
	}
	put_clock(out, v->head.event_ns);
	buf_printf(out, "t1  %-4s", tickbus_timeframe_name(v->timeframe_s));
	put_symbol(out, v->symbol);
	buf_printf(out, "  bar %llu%s", (unsigned long long)v->bars_seen,
		   v->flags & TIER1_ML_READY ? " ready" : "");
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (!isnan(v->value[shown[i]]))
			buf_printf(out, "  %s %.6g", tickbus_value_name(shown[i]),
				   v->value[shown[i]]);
}

/* The mean off the diagonal and the strongest pair: the rest is for `matrix`. */
static void pretty_tier2(struct buf *out, const struct tickbus_event *e)
{
	const struct event_tier2 *m = e->tier2;
	double sum = 0.0;
	uint64_t n = 0;
	const double *cell = e->triangle;

	for (uint32_t row = 0; row < m->n_included; row++, cell++) {
		for (uint32_t column = 0; column < row; column++, cell++) {
			sum += isnan(*cell) ? 0.0 : *cell;
			n += isnan(*cell) ? 0 : 1;
		}
	}
	put_clock(out, m->head.event_ns);
	buf_printf(out, "t2  %-4s", tickbus_timeframe_name(m->timeframe_s));
	put_field(out, m->universe, UNIVERSE_MAX);
	buf_printf(out, "  version %llu  %s  %u of %u symbols  %s",
		   (unsigned long long)m->head.seq, tier2_status_name(m->status),
		   m->n_included, m->n_members, corr_method_name(m->method));
	if (n > 0)
		buf_printf(out, "  mean %.4f", sum / (double)n);
	if (m->supersedes > 0)
		buf_printf(out, "  supersedes %llu", (unsigned long long)m->supersedes);
	if (m->psd_repaired)
		put(out, "  repaired");
}

static void pretty_status(struct buf *out, const struct event_status *s)
{
	put_clock(out, s->head.event_ns);
	put(out, "status  ");
	put_symbol(out, s->symbol);
	buf_printf(out, "  %s  ", symbol_state_name(s->state));
	put_field(out, s->text, sizeof(s->text));
}

static void pretty_news(struct buf *out, const struct event_news *n)
{
	put_clock(out, n->head.event_ns);
	put(out, "news  ");
	put_symbol(out, n->symbol);
	buf_printf(out, "  %+.4f  ", n->compound);
	put_field(out, n->headline, sizeof(n->headline));
	buf_printf(out, "  (edition %u; %llu articles, average %+.4f)%s", n->edition,
		   (unsigned long long)n->articles, n->average,
		   n->flags & (NEWS_REPEAT | NEWS_LATE) ? "  not counted" : "");
}

void show_event_pretty(struct buf *out, const struct tickbus_event *e)
{
	switch (e->kind) {
	case EVENT_TICK:
		pretty_tick(out, e->tick);
		break;
	case EVENT_BAR:
		pretty_bar(out, e->bar);
		break;
	case EVENT_TIER1:
		pretty_tier1(out, e->tier1);
		break;
	case EVENT_TIER2:
		pretty_tier2(out, e);
		break;
	case EVENT_NEWS:
		pretty_news(out, e->news);
		break;
	case EVENT_STATUS:
		pretty_status(out, e->status);
		break;
	default:
		return;
	}
	put(out, e->is_filled ? "  (filled)\n" : "\n");
}

/* ---- CSV ---------------------------------------------------------------- */

static void header_tier1(struct buf *out)
{
	put(out, "time,symbol,timeframe,bar_seq,bar_revision,bars_seen,ml_ready,"
		 "feature_version,price_type");
	for (unsigned i = 0; i < TIER1_N; i++)
		buf_printf(out, ",%s", tickbus_value_name(i));
	for (unsigned i = 0; i < TIER1_ML_N; i++)
		buf_printf(out, ",%s_norm", tickbus_value_name(i));
	put(out, ",seq,pos\n");
}

void show_event_csv_header(struct buf *out, enum event_kind kind)
{
	switch (kind) {
	case EVENT_TICK:
		put(out,
		    "time,symbol,price,size,bid,ask,bid_size,ask_size,seq,ref,cond,"
		    "action,flags,stream_seq,pos,recv_time\n");
		break;
	case EVENT_BAR:
		put(out, "timestamp_utc,symbol,timeframe,open,high,low,close,volume,"
			 "log_return_1,spread_estimate,is_missing,is_outlier,valid_bar,"
			 "source_id,schema_version,bar_start,revision,final,state,vwap,"
			 "trade_count,spread_method,outlier_reason,price_type,cause,"
			 "seq,pos\n");
		break;
	case EVENT_TIER1:
		header_tier1(out);
		break;
	case EVENT_TIER2:
		put(out, "as_of,universe,timeframe,version,status,symbol_a,symbol_b,"
			 "correlation,pos\n");
		break;
	case EVENT_NEWS:
		put(out, "time,symbol,compound,pos_share,neu_share,neg_share,articles,"
			 "average,weighted,positive,negative,edition,flags,id,headline,"
			 "url,lexicon,seq,pos\n");
		break;
	case EVENT_STATUS:
		put(out, "time,symbol,state,detail,text,seq,pos\n");
		break;
	default:
		break;
	}
}

static void comma_decimal(struct buf *out, int64_t v, unsigned scale)
{
	put(out, ",");
	put_decimal(out, v, scale);
}

static void comma_f64(struct buf *out, double v)
{
	put(out, ",");
	put_f64(out, v);
}

static void comma_u64(struct buf *out, uint64_t v)
{
	buf_printf(out, ",%llu", (unsigned long long)v);
}

static void begin_row(struct buf *out, int64_t time_ns, const char *name, size_t max)
{
	put_time(out, time_ns);
	put(out, ",");
	put_field(out, name, max);
}

static void end_row(struct buf *out, const struct event_head *h)
{
	comma_u64(out, h->seq);
	comma_u64(out, h->pos);
	put(out, "\n");
}

static void csv_tick(struct buf *out, const struct event_tick *t)
{
	begin_row(out, t->head.event_ns, t->symbol, SYMBOL_MAX);
	comma_decimal(out, t->price_e9, 9);
	comma_decimal(out, t->size_e8, 8);
	comma_decimal(out, t->bid_e9, 9);
	comma_decimal(out, t->ask_e9, 9);
	comma_decimal(out, t->bid_size_e8, 8);
	comma_decimal(out, t->ask_size_e8, 8);
	comma_u64(out, t->source_seq);
	comma_u64(out, t->ref_seq);
	put(out, ",");
	put_field(out, t->cond, sizeof(t->cond));
	buf_printf(out, ",%s,%u", tick_action_name(t->action), t->flags);
	comma_u64(out, t->head.seq);
	comma_u64(out, t->head.pos);
	put(out, ",");
	put_time(out, t->head.recv_ns);
	put(out, "\n");
}

static void csv_bar(struct buf *out, const struct event_bar *b)
{
	begin_row(out, b->head.event_ns, b->symbol, SYMBOL_MAX);
	buf_printf(out, ",%s", tickbus_timeframe_name(b->timeframe_s));
	comma_decimal(out, b->open_e9, 9);
	comma_decimal(out, b->high_e9, 9);
	comma_decimal(out, b->low_e9, 9);
	comma_decimal(out, b->close_e9, 9);
	put(out, ",");
	put_volume(out, b);
	comma_f64(out, b->log_return_1);
	comma_f64(out, b->spread_estimate);
	buf_printf(out, ",%d,%d,%d,", (b->flags & BAR_IS_MISSING) != 0,
		   (b->flags & BAR_IS_OUTLIER) != 0, (b->flags & BAR_VALID) != 0);
	put_field(out, b->source, SOURCE_MAX);
	buf_printf(out, ",%u,", b->schema_version);
	put_time(out, b->bar_start_ns);
	buf_printf(out, ",%u,%d,%s", b->revision, (b->flags & BAR_FINAL) != 0,
		   bar_state_name(b->state));
	comma_f64(out, b->vwap);
	comma_u64(out, b->trade_count);
	buf_printf(out, ",%s,%u,%s,%s", spread_method_name(b->spread_method),
		   b->outlier_reason, price_type_name(b->price_type),
		   bar_cause_name(b->cause));
	end_row(out, &b->head);
}

static void csv_tier1(struct buf *out, const struct event_tier1 *v)
{
	if (event_tier1_part(v) > 0)
		return; /* other columns */
	begin_row(out, v->head.event_ns, v->symbol, SYMBOL_MAX);
	buf_printf(out, ",%s,%llu,%u,%llu,%d,%016llx,%s",
		   tickbus_timeframe_name(v->timeframe_s),
		   (unsigned long long)v->bar_seq, v->bar_revision,
		   (unsigned long long)v->bars_seen, (v->flags & TIER1_ML_READY) != 0,
		   (unsigned long long)v->feature_version,
		   price_type_name(v->price_type));
	for (unsigned i = 0; i < TIER1_N; i++)
		comma_f64(out, v->value[i]);
	for (unsigned i = 0; i < TIER1_ML_N; i++)
		comma_f64(out, v->norm[i]);
	end_row(out, &v->head);
}

/* Row and column of the triangle are the included members, in order. */
static uint32_t next_included(const struct tickbus_event *e, uint32_t i)
{
	while (i < e->tier2->n_members && e->members[i].reason != TIER2_INCLUDED)
		i++;
	return i;
}

static void csv_tier2(struct buf *out, const struct tickbus_event *e)
{
	const struct event_tier2 *m = e->tier2;
	const double *cell = e->triangle;
	uint32_t n = m->n_members;

	for (uint32_t a = next_included(e, 0); a < n; a = next_included(e, a + 1)) {
		for (uint32_t b = next_included(e, 0); b <= a;
		     b = next_included(e, b + 1)) {
			begin_row(out, m->head.event_ns, m->universe, UNIVERSE_MAX);
			buf_printf(out, ",%s,%llu,%s,",
				   tickbus_timeframe_name(m->timeframe_s),
				   (unsigned long long)m->head.seq,
				   tier2_status_name(m->status));
			put_field(out, e->members[a].symbol, SYMBOL_MAX);
			put(out, ",");
			put_field(out, e->members[b].symbol, SYMBOL_MAX);
			comma_f64(out, *cell++);
			comma_u64(out, m->head.pos);
			put(out, "\n");
		}
	}
}

static void csv_status(struct buf *out, const struct event_status *s)
{
	begin_row(out, s->head.event_ns, s->symbol, SYMBOL_MAX);
	buf_printf(out, ",%s,%llu,", symbol_state_name(s->state),
		   (unsigned long long)s->detail);
	put_field(out, s->text, sizeof(s->text));
	end_row(out, &s->head);
}

static void csv_news(struct buf *out, const struct event_news *n)
{
	const double values[] = {n->compound, n->pos_share, n->neu_share, n->neg_share,
				 n->average,  n->weighted,  n->positive,  n->negative};
	const struct {
		const char *field;
		size_t max;
	} texts[] = {{n->id, sizeof(n->id)},
		     {n->headline, sizeof(n->headline)},
		     {n->url, sizeof(n->url)},
		     {n->lexicon, sizeof(n->lexicon)}};

	begin_row(out, n->head.event_ns, n->symbol, SYMBOL_MAX);
	for (size_t i = 0; i < 8; i++) {
		if (i == 4)
			comma_u64(out, n->articles);
		comma_f64(out, values[i]);
	}
	buf_printf(out, ",%u,%u", n->edition, n->flags);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(out, ",");
		put_field(out, texts[i].field, texts[i].max);
	}
	end_row(out, &n->head);
}

void show_event_csv(struct buf *out, const struct tickbus_event *e)
{
	switch (e->kind) {
	case EVENT_TICK:
		csv_tick(out, e->tick);
		break;
	case EVENT_BAR:
		csv_bar(out, e->bar);
		break;
	case EVENT_TIER1:
		csv_tier1(out, e->tier1);
		break;
	case EVENT_TIER2:
		csv_tier2(out, e);
		break;
	case EVENT_NEWS:
		csv_news(out, e->news);
		break;
	case EVENT_STATUS:
		csv_status(out, e->status);
		break;
	default:
		break;
	}
}
