/* framerow - an event's cells, in the order of kinds_table[].columns. */
#include "archive/framerow.h"
#include "archive/archive_own.h"
#include "archive/barrow.h"
#include "base/err.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ctx {
	struct archive *a;
	const struct json *sources;
	uint16_t source_id; /* of the tick before */
	const char *source; /* its name */
	struct framerow_sum *sum;
};

/* A field of the wire as a text; what is no name then is refused by layout_at(). */
static char *text_of(const char *field, size_t size, char *out)
{
	size_t n = symbol_field_len(field, size);

	memcpy(out, field, n);
	out[n] = '\0';
	return out;
}

static void stage_count(struct stage_row *row, uint64_t v)
{
	stage_i64(row, (int64_t)v);
}

static const char *source_name(struct ctx *c, uint16_t id)
{
	char key[8];

	if (!c->sources || (c->source && id == c->source_id))
		return c->source;
	(void)snprintf(key, sizeof(key), "%u", id);
	c->source_id = id;
	c->source = json_str(json_get(c->sources, key), "");
	return c->source;
}

static int put_tick(struct ctx *c, const struct event_tick *e)
{
	struct stage_order order = {.at = (int64_t)e->head.pos, .rest = ""};
	char symbol[SYMBOL_MAX + 1];
	char cond[sizeof(e->cond) + 1];
	const char *source = source_name(c, e->source_id);
	struct layout_part part;
	struct stage_row row;
	int rc = layout_at(KIND_TICKS, 0, text_of(e->symbol, SYMBOL_MAX, symbol),
			   e->head.event_ns, &part);

	if (rc == 0 && e->action > TICK_CORRECT)
		rc = err_set(-EINVAL, "a tick of %s whose action is none", symbol);
	if (rc == 0)
		rc = stage_row(c->a, &part, &order, &row);
	if (rc < 0)
		return rc;
	stage_i64(&row, e->head.event_ns);
	stage_i64(&row, e->head.recv_ns);
	stage_count(&row, e->head.pos);
	stage_count(&row, e->head.seq);
	stage_scaled(&row, e->price_e9, 1e9);
	stage_scaled(&row, e->size_e8, 1e8);
	stage_scaled(&row, e->bid_e9, 1e9);
	stage_scaled(&row, e->ask_e9, 1e9);
	stage_scaled(&row, e->bid_size_e8, 1e8);
	stage_scaled(&row, e->ask_size_e8, 1e8);
	stage_text(&row, tick_action_name(e->action));
	stage_i64(&row, e->flags);
	stage_ascii(&row, text_of(e->cond, sizeof(e->cond), cond));
	if (source && source_valid(source, strlen(source)))
		stage_text(&row, source);
	else
		stage_null(&row);
	stage_i64(&row, e->source_id);
	stage_count(&row, e->source_seq);
	stage_count(&row, e->ref_seq);
	return stage_end(&row);
}

static int put_bar(struct ctx *c, const struct event_bar *e)
{
	struct barrow bar;
	int rc = barrow_of_event(e, &bar);

	return rc < 0 ? rc : archive_put_row(c->a, &bar);
}

static void stage_tier1(struct stage_row *row, const struct event_tier1 *e)
{
	stage_i64(row, e->head.event_ns);
	stage_i64(row, e->head.event_ns - e->timeframe_s * INT64_C(1000000000));
	stage_i64(row, e->timeframe_s);
	stage_text(row, price_type_name(e->price_type));
	stage_i64(row, e->bar_revision);
	stage_count(row, e->head.pos);
	stage_count(row, e->head.seq);
	stage_count(row, e->bar_seq);
	stage_hex(row, e->feature_version);
	stage_count(row, e->bars_seen);
	stage_count(row, e->warm);
	stage_i64(row, (e->flags & TIER1_ML_READY) != 0);
	stage_i64(row, (e->flags & TIER1_NORM_ROBUST) != 0);
	for (size_t i = 0; i < TIER1_N; i++)
		stage_f64(row, e->value[i]);
	for (size_t i = 0; i < TIER1_ML_N; i++)
		stage_f64(row, e->norm[i]);
}

static int put_tier1(struct ctx *c, const struct event_tier1 *e)
{
	struct {
		uint32_t revision;
		uint32_t price_type;
	} rest = {e->bar_revision, e->price_type};
	struct stage_order order = {
		.at = e->head.event_ns, .rest = &rest, .rest_len = sizeof(rest)};
	char symbol[SYMBOL_MAX + 1];
	struct layout_part part;
	struct stage_row row;
	int64_t start_ns;
	int rc;

	if (event_tier1_part(e) > 0)
		return 0; /* indicators: whole in events/, no row of features */
	if (__builtin_sub_overflow(e->head.event_ns,
				   e->timeframe_s * INT64_C(1000000000), &start_ns))
		start_ns = INT64_MIN;
	rc = layout_at(KIND_FEATURES, e->timeframe_s,
		       text_of(e->symbol, SYMBOL_MAX, symbol), start_ns, &part);
	if (rc == 0 && e->price_type > PRICE_ASK)
		rc = err_set(-EINVAL, "features of %s whose price type is none",
			     symbol);
	if (rc == 0)
		rc = stage_row(c->a, &part, &order, &row);
	if (rc < 0)
		return rc;
	stage_tier1(&row, e);
	return stage_end(&row);
}

static void stage_article(struct stage_row *row, struct ctx *c,
			  const struct event_news *e)
{
	const char *source = source_name(c, e->source_id);
	char text[sizeof(e->headline) + 1];

	if (source && source_valid(source, strlen(source)))
		stage_text(row, source);
	else
		stage_null(row);
	stage_i64(row, e->source_id);
	stage_hex(row, e->article);
	stage_utf8(row, text_of(e->id, sizeof(e->id), text));
	stage_i64(row, e->edition);
	stage_i64(row, (e->flags & NEWS_UPDATE) != 0);
	stage_i64(row, (e->flags & NEWS_REPEAT) != 0);
	stage_i64(row, (e->flags & NEWS_LATE) != 0);
	stage_i64(row, (e->flags & NEWS_CUT) != 0);
	stage_utf8(row, text_of(e->headline, sizeof(e->headline), text));
	stage_utf8(row, text_of(e->url, sizeof(e->url), text));
	stage_utf8(row, text_of(e->publisher, sizeof(e->publisher), text));
	stage_i64(row, e->n_symbols);
}

static void stage_scores(struct stage_row *row, const struct event_news *e)
{
	char lexicon[sizeof(e->lexicon) + 1];

	stage_f64(row, e->compound);
	stage_f64(row, e->pos_share);
	stage_f64(row, e->neu_share);
	stage_f64(row, e->neg_share);
	stage_utf8(row, text_of(e->lexicon, sizeof(e->lexicon), lexicon));
	stage_i64(row, e->window_s);
	stage_i64(row, e->half_life_s);
	stage_count(row, e->articles);
	stage_f64(row, e->average);
	stage_f64(row, e->weighted);
	stage_f64(row, e->positive);
	stage_f64(row, e->negative);
	stage_hex(row, e->chain);
}

static int put_news(struct ctx *c, const struct event_news *e)
{
	static const struct stage_order order = {.rest = NULL};
	char symbol[SYMBOL_MAX + 1];
	struct layout_part part;
	struct stage_row row;
	int rc = layout_at(KIND_NEWS, 0, text_of(e->symbol, SYMBOL_MAX, symbol),
			   e->head.event_ns, &part);

	if (rc == 0)
		rc = stage_row(c->a, &part, &order, &row);
	if (rc < 0)
		return rc;
	stage_i64(&row, e->head.event_ns);
	stage_i64(&row, e->head.recv_ns);
	stage_i64(&row, e->published_ns);
	stage_count(&row, e->head.pos);
	stage_count(&row, e->head.seq);
	stage_article(&row, c, e);
	stage_scores(&row, e);
	return stage_end(&row);
}

static void stage_matrix(struct stage_row *row, const struct event_tier2 *e)
{
	stage_text(row, corr_method_name(e->method));
	stage_text(row, tier2_status_name(e->status));
	stage_text(row, price_type_name(e->price_type));
	stage_text(row, bar_cause_name(e->cause));
	stage_i64(row, e->window);
	stage_i64(row, e->n_members);
	stage_i64(row, e->n_included);
	stage_count(row, e->supersedes);
	stage_count(row, e->head.pos);
	stage_f64(row, e->eigen_min);
	stage_f64(row, e->frobenius_shift);
	stage_i64(row, e->psd_repaired != 0);
	stage_f64(row, e->lambda);
	stage_hex(row, e->universe_hash);
	stage_hex(row, e->content_hash);
}

/* A cell of the matrix; @cell is NaN where there is none. */
static int put_cell(struct ctx *c, const struct frame_view *v,
		    const struct layout_part *part, const struct tier2_member *a,
		    const struct tier2_member *b, double cell)
{
	static const struct stage_order order = {.rest = NULL};
	const struct event_tier2 *e = &v->matrix;
	char name[SYMBOL_MAX + 1];
	struct stage_row row;
	int rc = stage_row(c->a, part, &order, &row);

	if (rc < 0)
		return rc;
	stage_i64(&row, e->head.event_ns);
	stage_i64(&row, e->timeframe_s);
	stage_count(&row, e->head.seq);
	stage_text(&row, text_of(a->symbol, SYMBOL_MAX, name));
	stage_text(&row, text_of(b->symbol, SYMBOL_MAX, name));
	stage_f64(&row, cell);
	stage_i64(&row, a->n_obs);
	stage_i64(&row, b->n_obs);
	stage_text(&row, tier2_reason_name(a->reason));
	stage_matrix(&row, e);
	return stage_end(&row);
}

/* The members that have a row in the triangle, in its order. */
static int included_of(const struct frame_view *v, struct tier2_member *out)
{
	char name[SYMBOL_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < v->matrix.n_members; i++) {
		struct tier2_member m;

		frame_member(v, i, &m);
		text_of(m.symbol, SYMBOL_MAX, name);
		if (!symbol_valid(name, strlen(name)))
			return err_set(-EINVAL, "a matrix with a member that is no "
						"symbol");
		if (m.reason != TIER2_INCLUDED)
			continue;
		if (n < v->matrix.n_included)
			out[n] = m;
		n++;
	}
	return n == v->matrix.n_included
		       ? 0
		       : err_set(-EINVAL, "a matrix of %u rows names %zu",
				 v->matrix.n_included, n);
}

static int put_matrix(struct ctx *c, const struct frame_view *v)
{
	const struct event_tier2 *e = &v->matrix;
	struct tier2_member *in = calloc(e->n_included + 1, sizeof(*in));
	char universe[UNIVERSE_MAX + 1];
	struct layout_part part;
	int rc;

	if (!in)
		abort();
	rc = layout_at(KIND_MATRICES, e->timeframe_s,
		       text_of(e->universe, UNIVERSE_MAX, universe), e->head.event_ns,
		       &part);
	if (rc == 0 && (e->method > CORR_SPEARMAN || e->status > TIER2_PROVISIONAL ||
			e->price_type > PRICE_AUTO || e->cause > CAUSE_FINAL))
		rc = err_set(-EINVAL,
			     "a matrix of %s whose method, status, price type or cause "
			     "is none",
			     universe);
	if (rc == 0)
		rc = included_of(v, in);
	for (size_t i = 0; rc == 0 && i < e->n_included; i++)
		for (size_t j = 0; rc == 0 && j <= i; j++)
			rc = put_cell(c, v, &part, &in[i], &in[j], frame_cell(v, i, j));
	for (size_t i = 0; rc == 0 && i < e->n_members; i++) {
		struct tier2_member m;

		frame_member(v, i, &m);
		if (m.reason > TIER2_KILLED)
			rc = err_set(-EINVAL, "a member of %s whose reason is none",
				     universe);
		else if (m.reason != TIER2_INCLUDED)
			rc = put_cell(c, v, &part, &m, &m, __builtin_nan(""));
	}
	free(in);
	return rc;
}

/* Matrices apart, which are not of a fixed size. */
static bool is_kept(enum event_kind kind)
{
	return kind == EVENT_TICK || kind == EVENT_BAR || kind == EVENT_TIER1 ||
	       kind == EVENT_NEWS;
}

static int put_frame(struct ctx *c, struct frame_view *v)
{
	union {
		struct event_tick tick;
		struct event_bar bar;
		struct event_tier1 tier1;
		struct event_news news;
	} e;
	int rc = 0;

	if (v->kind == EVENT_TIER2) {
		c->sum->events++;
		return put_matrix(c, v);
	}
	if (!is_kept(v->kind)) {
		c->sum->skipped += v->n;
		return 0;
	}
	while (rc == 0 && frame_next(v, &e) == 0) {
		c->sum->events++;
		if (v->kind == EVENT_TICK)
			rc = put_tick(c, &e.tick);
		else if (v->kind == EVENT_BAR)
			rc = put_bar(c, &e.bar);
		else if (v->kind == EVENT_TIER1)
			rc = put_tier1(c, &e.tier1);
		else
			rc = put_news(c, &e.news);
	}
	return rc;
}

int framerow_stage(struct archive *a, const uint8_t *data, size_t len,
		   const struct json *sources, struct framerow_sum *out)
{
	struct ctx c = {.a = a, .sources = sources, .sum = out};
	size_t at = 0;
	int rc = 0;

	*out = (struct framerow_sum){0};
	while (rc == 0 && at < len) {
		struct frame_view v;
		uint32_t n;

		if (len - at < sizeof(n))
			return err_set(-EINVAL, "%zu bytes behind the last frame",
				       len - at);
		memcpy(&n, data + at, sizeof(n));
		at += sizeof(n);
		if (n > len - at)
			return err_set(-EINVAL,
				       "a frame of %u bytes, of which %zu are here", n,
				       len - at);
		rc = frame_open(data + at, n, &v);
		if (rc == FRAME_BAD)
			return err_set(-EINVAL, "frame %llu of the put is no frame",
				       (unsigned long long)out->frames);
		if (rc == 0)
			rc = put_frame(&c, &v);
		else
			rc = 0, out->skipped++; /* of a template unknown here */
		at += n;
		out->frames++;
	}
	return rc;
}
