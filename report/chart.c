/* chart - see chart.h: the symbol's panels share one axis of bars. */
#include "report/chart.h"
#include "report/compute.h"
#include "report/markup.h"
#include "report/svg.h"
#include <stdlib.h>

#define WIDTH  640.0
#define LEFT   52.0
#define RIGHT  8.0
#define HEIGHT 372.0
#define SPARK  60 /* bars of the small line */

static void legend(struct buf *out, double y, const char *text)
{
	buf_printf(out, "<text class=\"legend\" x=\"%.1f\" y=\"%.1f\">%s</text>", LEFT,
		   y, text);
}

static void draw_price(struct panel p, const struct report_symbol *s,
		       const double *close)
{
	const double *upper = report_column_all(s, REPORT_BAND_UPPER);
	const double *lower = report_column_all(s, REPORT_BAND_LOWER);

	p.low = p.high = NAN;
	panel_reach(&p, close, s->n);
	if (upper != NULL) {
		panel_reach(&p, upper, s->n);
		panel_reach(&p, lower, s->n);
	}
	panel_rules(&p, 4);
	if (upper != NULL) {
		panel_band(&p, "band", upper, lower);
		panel_line(&p, "middle", report_column_all(s, REPORT_BAND_MIDDLE));
	}
	panel_line(&p, "close", close);
}

static void draw_volume(struct panel p, const struct report_symbol *s)
{
	struct buf label = {0};
	double width = p.w / (double)s->n * 0.7;

	p.low = 0;
	p.high = 0;
	for (size_t i = 0; i < s->n; i++)
		panel_reach(&p, &s->bars[i].volume, 1);
	if (!(p.high > 0))
		return;
	markup_amount(&label, p.high);
	panel_rule(&p, p.high, buf_text(&label));
	buf_free(&label);
	for (size_t i = 0; i < s->n; i++) {
		const struct report_bar *b = &s->bars[i];

		if (b->volume > 0)
			panel_column(&p, b->close >= b->open ? "up" : "down", (double)i,
				     width, NAN, b->volume);
	}
}

static void draw_rsi(struct panel p, const struct report_symbol *s)
{
	if (s->columns == NULL)
		return;
	p.low = 0;
	p.high = 100;
	panel_rule(&p, 30, "30");
	panel_rule(&p, 70, "70");
	panel_line(&p, "rsi", report_column_all(s, REPORT_RSI_14));
}

/* Where on the axis of bars a time lies: on the newest bar that is not after it. */
static double bar_of(const struct report_symbol *s, int64_t ns)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->bars[middle].time_ns <= ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? (double)(low - 1) : 0;
}

static void draw_sentiment(struct panel p, const struct report_symbol *s)
{
	size_t n;
	const struct report_article *a = report_articles(s, &n);

	p.low = -1;
	p.high = 1;
	panel_rule(&p, 0, "0");
	for (size_t i = 0; i < n; i++) {
		double x, y;

		if (a[i].is_repeat || s->bars[0].time_ns > a[i].time_ns)
			continue;
		x = panel_x(&p, bar_of(s, a[i].time_ns));
		y = panel_y(&p, a[i].compound);
		buf_printf(p.out,
			   "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\"/>",
			   a[i].compound >= SENTIMENT_THRESHOLD    ? "up"
			   : a[i].compound <= -SENTIMENT_THRESHOLD ? "down"
								   : "flat",
			   x, y);
	}
}

static void draw_times(const struct panel *p, const struct report *r,
		       const struct report_symbol *s)
{
	size_t steps = s->n > 5 ? 5 : s->n;

	for (size_t i = 0; i < steps; i++) {
		size_t bar = steps > 1 ? i * (s->n - 1) / (steps - 1) : 0;
		struct buf text = {0};

		markup_date(&text, s->bars[bar].time_ns, r->step_s < 86400);
		svg_label(p->out, panel_x(p, (double)bar), p->y,
			  i == 0           ? "start"
			  : i + 1 == steps ? "end"
					   : "middle",
			  buf_text(&text));
		buf_free(&text);
	}
}

static void say_chart(struct buf *out, const struct report *r,
		      const struct report_symbol *s)
{
	buf_printf(out,
		   "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		   "aria-label=\"",
		   WIDTH, HEIGHT);
	markup_text(out, s->symbol);
	buf_printf(out, " from ");
	markup_date(out, s->bars[0].time_ns, false);
	buf_printf(out, " to ");
	markup_date(out, s->bars[s->n - 1].time_ns, false);
	buf_printf(out, ": close %s, volume, RSI%s\">",
		   s->columns != NULL ? "with Bollinger bands" : "",
		   r->parts & REPORT_NEWS ? ", sentiment of articles" : "");
}

void chart_symbol(struct buf *out, const struct report *r,
		  const struct report_symbol *s)
{
	struct panel p = {.out = out, .x = LEFT, .w = WIDTH - LEFT - RIGHT, .n = s->n};
	double *close = calloc(s->n, sizeof(*close));

	if (close == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		close[i] = s->bars[i].close;
	say_chart(out, r, s);
	p.y = 16;
	p.h = 164;
	draw_price(p, s, close);
	legend(out, 11,
	       s->columns != NULL ? "close, SMA 20, Bollinger 20 \xc2\xb1 2\xcf\x83"
				  : "close");
	p.y = 198;
	p.h = 40;
	draw_volume(p, s);
	legend(out, 194, "volume");
	p.y = 256;
	p.h = 46;
	draw_rsi(p, s);
	legend(out, 252, s->columns != NULL ? "RSI 14" : "");
	p.y = 318;
	p.h = 34;
	if (r->parts & REPORT_NEWS) {
		draw_sentiment(p, s);
		legend(out, 314, "sentiment of articles");
	}
	p.y = HEIGHT - 4;
	draw_times(&p, r, s);
	buf_printf(out, "</svg>");
	free(close);
}

void chart_spark(struct buf *out, const struct report_symbol *s)
{
	double close[SPARK];
	size_t n = s->n < SPARK ? s->n : SPARK;
	struct panel p = {.out = out, .y = 2, .w = 100, .h = 20, .n = n};

	if (n < 2)
		return;
	p.low = p.high = NAN;
	for (size_t i = 0; i < n; i++)
		close[i] = s->bars[s->n - n + i].close;
	panel_reach(&p, close, n);
	buf_printf(out,
		   "<svg class=\"spark\" viewBox=\"0 0 100 24\" aria-hidden=\"true\">");
	panel_line(&p, close[n - 1] >= close[0] ? "rise" : "fall", close);
	buf_printf(out, "</svg>");
}

/* ---- all symbols ---- */

static void draw_average(struct buf *out, const struct report_symbol *s, double y)
{
	struct panel p = {.out = out, .x = 110, .w = 460, .y = y, .h = 14};
	double v = s->news.average, middle = p.x + p.w / 2;
	double x = middle + v * p.w / 2;
	struct buf text = {0};

	svg_symbol(out, p.x - 8, y + 11, "end", s->symbol);
	buf_printf(out, "<path class=\"%s\" d=\"M%.1f %.1fH%.1fv14H%.1fZ\"/>",
		   v >= SENTIMENT_THRESHOLD    ? "up"
		   : v <= -SENTIMENT_THRESHOLD ? "down"
					       : "flat",
		   middle, y, x, middle);
	markup_number(&text, v, 2, true);
	buf_printf(&text, " (%llu)", (unsigned long long)s->news.articles);
	svg_label(out, v < 0 ? x - 5 : x + 5, y + 11, v < 0 ? "end" : "start",
		  buf_text(&text));
	buf_free(&text);
}

void chart_sentiment(struct buf *out, const struct report *r, size_t max)
{
	size_t shown = 0;
	double height, y = 4;

	for (size_t i = 0; i < r->n; i++)
		shown += r->rows[i].news.articles > 0;
	if (shown > max)
		shown = max;
	if (shown == 0)
		return;
	height = 20 * (double)shown + 8;
	buf_printf(out,
		   "<svg class=\"chart\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		   "aria-label=\"Average sentiment by symbol, from -1 to 1\">"
		   "<path class=\"rule\" d=\"M340 0v%.0f\"/>",
		   WIDTH, height, height);
	for (size_t i = 0; i < r->n && shown > 0; i++) {
		if (r->rows[i].news.articles == 0)
			continue;
		draw_average(out, &r->rows[i], y);
		y += 20;
		shown--;
	}
	buf_printf(out, "</svg>");
}
