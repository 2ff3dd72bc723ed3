/*
 * heat - chart_correlation(): a square of cells.
 *
 * The scale runs from orange over white to blue, which readers of every kind of colour
 * vision tell apart (ColorBrewer's PuOr and RdBu, their outer ends), is even in
 * lightness on both sides, and has the number in every cell besides.
 */
#include "report/chart.h"
#include "report/markup.h"
#include "report/svg.h"
#include <math.h>
#include <stdlib.h>

#define CELL 34.0
#define SIDE 76.0 /* names on the left; above they stand upright in as much */

struct colour {
	double r, g, b;
};

static struct colour mix(struct colour a, struct colour b, double t)
{
	return (struct colour){a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t,
			       a.b + (b.b - a.b) * t};
}

static struct colour colour_of(double v)
{
	static const struct colour stops[] = {{179, 88, 6},
					      {241, 163, 64},
					      {247, 247, 247},
					      {103, 169, 207},
					      {33, 102, 172}};
	double at;
	unsigned i;

	if (isnan(v))
		return (struct colour){200, 200, 200};
	at = (fmin(1, fmax(-1, v)) + 1) * 2;
	i = at >= 4 ? 3 : (unsigned)at;
	return mix(stops[i], stops[i + 1], at - i);
}

/* WCAG's relative luminance of an sRGB colour. */
static double luminance(struct colour c)
{
	const double weight[] = {0.2126, 0.7152, 0.0722}, v[] = {c.r, c.g, c.b};
	double sum = 0;

	for (unsigned i = 0; i < 3; i++) {
		double x = v[i] / 255;

		sum += weight[i] *
		       (x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4));
	}
	return sum;
}

/* Black and white have the same contrast with a colour of this luminance. */
#define MIDDLE 0.179

static void draw_cell(struct buf *out, double x, double y, double v)
{
	struct colour c = colour_of(v);

	buf_printf(out,
		   "<rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" "
		   "fill=\"#%02x%02x%02x\"/>"
		   "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\" fill=\"%s\">",
		   x, y, CELL, CELL, (unsigned)lround(c.r), (unsigned)lround(c.g),
		   (unsigned)lround(c.b), x + CELL / 2, y + CELL / 2 + 4,
		   luminance(c) > MIDDLE ? "#000" : "#fff");
	markup_number(out, v, 2, false);
	buf_printf(out, "</text>");
}

void chart_correlation(struct buf *out, const struct report_correlation *c)
{
	double size = SIDE + CELL * (double)c->n;

	/* As large as it is drawn, so that few symbols do not fill the page. */
	buf_printf(out,
		   "<svg class=\"heat\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
		   "role=\"img\" aria-label=\"Correlation of returns of %zu symbols\">",
		   size, size, size, c->n);
	for (size_t i = 0; i < c->n; i++) {
		double at = SIDE + CELL * ((double)i + 0.5);

		svg_symbol(out, SIDE - 6, at + 4, "end", c->row[i]->symbol);
		buf_printf(out, "<g transform=\"translate(%.1f %.1f) rotate(-90)\">",
			   at + 4, SIDE - 6);
		svg_symbol(out, 0, 0, "start", c->row[i]->symbol);
		buf_printf(out, "</g>");
	}
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->n; k++)
			draw_cell(out, SIDE + CELL * (double)k, SIDE + CELL * (double)i,
				  c->value[i][k]);
	buf_printf(out, "</svg>");
}
