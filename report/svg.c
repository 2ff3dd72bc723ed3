/* svg - see svg.h. */
#include "report/svg.h"
#include "report/markup.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

double panel_x(const struct panel *p, double bar)
{
	return p->x + p->w * (bar + 0.5) / (double)p->n;
}

double panel_y(const struct panel *p, double value)
{
	double range = p->high - p->low;

	return range > 0 ? p->y + p->h * (p->high - value) / range : p->y + p->h / 2;
}

void panel_reach(struct panel *p, const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(v[i]))
			continue;
		if (!(p->low <= v[i]))
			p->low = v[i];
		if (!(p->high >= v[i]))
			p->high = v[i];
	}
}

/* Bars between two points of a line: a point for each half unit of width is enough. */
static size_t stride_of(const struct panel *p)
{
	return p->w > 0 ? 1 + (size_t)((double)p->n / (2 * p->w)) : 1;
}

void panel_line(const struct panel *p, const char *class, const double *v)
{
	size_t stride = stride_of(p);
	bool down = false;

	buf_printf(p->out, "<path class=\"%s\" d=\"", class);
	for (size_t i = (p->n - 1) % stride; i < p->n; i += stride) {
		if (isfinite(v[i]))
			buf_printf(p->out, "%c%.1f %.1f", down ? 'L' : 'M',
				   panel_x(p, (double)i), panel_y(p, v[i]));
		down = isfinite(v[i]);
	}
	buf_printf(p->out, "\"/>");
}

void panel_band(const struct panel *p, const char *class, const double *upper,
		const double *lower)
{
	size_t stride = stride_of(p), from = (p->n - 1) % stride;
	bool down = false;

	while (from < p->n && !(isfinite(upper[from]) && isfinite(lower[from])))
		from += stride;
	if (from >= p->n)
		return;
	buf_printf(p->out, "<path class=\"%s\" d=\"", class);
	for (size_t i = from; i < p->n; i += stride) {
		if (isfinite(upper[i]))
			buf_printf(p->out, "%c%.1f %.1f", down ? 'L' : 'M',
				   panel_x(p, (double)i), panel_y(p, upper[i]));
		down = true;
	}
	for (size_t i = p->n; i-- > from;)
		if ((p->n - 1 - i) % stride == 0 && isfinite(lower[i]))
			buf_printf(p->out, "L%.1f %.1f", panel_x(p, (double)i),
				   panel_y(p, lower[i]));
	buf_printf(p->out, "Z\"/>");
}

void panel_column(const struct panel *p, const char *class, double bar, double width,
		  double base, double value)
{
	double from = isfinite(base) ? panel_y(p, base) : p->y + p->h;
	double to = panel_y(p, value), x = panel_x(p, bar);

	buf_printf(p->out, "<path class=\"%s\" d=\"M%.1f %.1fV%.1fh%.1fV%.1fZ\"/>",
		   class, x - width / 2, from, to, width, from);
}

void svg_label(struct buf *out, double x, double y, const char *anchor,
	       const char *text)
{
	buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y,
		   anchor);
	markup_text(out, text);
	buf_printf(out, "</text>");
}

#define SYMBOL_SHOWN 10

void svg_symbol(struct buf *out, double x, double y, const char *anchor,
		const char *symbol)
{
	char text[SYMBOL_SHOWN + 4];

	if (strlen(symbol) <= SYMBOL_SHOWN)
		(void)snprintf(text, sizeof(text), "%s", symbol);
	else
		(void)snprintf(text, sizeof(text), "%.*s\xe2\x80\xa6", SYMBOL_SHOWN - 1,
			       symbol);
	svg_label(out, x, y, anchor, text);
}

void panel_rule(const struct panel *p, double value, const char *label)
{
	double y = panel_y(p, value);

	buf_printf(p->out, "<path class=\"rule\" d=\"M%.1f %.1fh%.1f\"/>", p->x, y,
		   p->w);
	svg_label(p->out, p->x - 5, y + 3.5, "end", label);
}

/* The round number (1, 2 or 5 times a power of ten) that is not below @step. */
static double round_step(double step)
{
	double power = pow(10, floor(log10(step)));
	double rest = step / power;

	return power * (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10);
}

void panel_rules(const struct panel *p, unsigned n)
{
	double range = p->high - p->low, step;

	if (!(range > 0) || !isfinite(range))
		return;
	step = round_step(range / n);
	for (double at = ceil(p->low / step); at * step <= p->high; at++) {
		struct buf label = {0};

		markup_number(&label, at * step,
			      step >= 1      ? 0
			      : step >= 0.01 ? 2
					     : 6,
			      false);
		panel_rule(p, at * step, buf_text(&label));
		buf_free(&label);
	}
}
