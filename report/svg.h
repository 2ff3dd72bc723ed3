/*
 * svg - panels of a chart: a box on the page, a range of bars and a range of values.
 *
 * Colours are classes (share/report/report.css), so that a page can be dark and a print
 * white.  Coordinates are printed with one digit behind the point.
 */
#pragma once
#include "base/buf.h"
#include <stddef.h>
#include <stdint.h>

struct panel {
	struct buf *out;   /* borrowed */
	double x, y, w, h; /* the box */
	double low, high;  /* values at its lower and upper edge */
	size_t n;          /* bars side by side */
};

double panel_x(const struct panel *p, double bar);
double panel_y(const struct panel *p, double value);
/** Widen [low, high] to hold the finite ones of @v. */
void panel_reach(struct panel *p, const double *v, size_t n);
/** A line through the finite ones; gaps stay gaps.  Drawn by at most ~2 points a unit.
 */
void panel_line(const struct panel *p, const char *class, const double *v);
/** What lies between two lines, where both are finite. */
void panel_band(const struct panel *p, const char *class, const double *upper,
		const double *lower);
/** A bar from the lower edge (or from @base, when it is finite). */
void panel_column(const struct panel *p, const char *class, double bar, double width,
		  double base, double value);
/** A horizontal rule across the box at @value, with @label to its left. */
void panel_rule(const struct panel *p, double value, const char *label);
/** Rules at about @n round values. */
void panel_rules(const struct panel *p, unsigned n);
/** A symbol as a label; a long one is cut. */
void svg_symbol(struct buf *out, double x, double y, const char *anchor,
		const char *symbol);
/** Small text; @anchor is start, middle or end. */
void svg_label(struct buf *out, double x, double y, const char *anchor,
	       const char *text);
