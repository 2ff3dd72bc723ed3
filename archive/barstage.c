/* barstage - the cells of a bar, in the order of KINDS_BAR_COLUMNS. */
#include "archive/archive_own.h"
#include <string.h>

/* What makes bars of one time different ones: of one maker and revision is mostly all
   that comes, and then nothing need be sorted. */
struct rest {
	uint32_t revision;
	uint8_t price_type;
	char adjust[8];
	char source[SOURCE_MAX + 1];
	char feed[HIST_FEED_MAX + 1];
};
_Static_assert(sizeof(struct rest) <= STAGE_REST_MAX, "raise STAGE_REST_MAX");

static void stage_judged(struct stage_row *row, const struct barrow *r)
{
	if (!r->judged)
		return;
	stage_i64(row, (r->flags & BAR_IS_MISSING) != 0);
	stage_i64(row, (r->flags & BAR_IS_OUTLIER) != 0);
	stage_i64(row, (r->flags & BAR_VALID) != 0);
	stage_text(row, spread_method_name(r->spread_method));
	stage_i64(row, r->outlier_reason);
}

static void stage_cells(struct stage_row *row, const struct barrow *r)
{
	stage_i64(row, r->start_ns + r->step_s * INT64_C(1000000000));
	stage_f64(row, r->open);
	stage_f64(row, r->high);
	stage_f64(row, r->low);
	stage_f64(row, r->close);
	stage_f64(row, r->volume);
	stage_f64(row, r->trade_count);
	stage_f64(row, r->vwap);
	stage_i64(row, r->start_ns);
	stage_i64(row, r->revision);
	stage_i64(row, r->final);
	stage_text(row, bar_state_name(r->state));
	stage_text(row, r->source);
	stage_text(row, r->feed);
	stage_text(row, r->adjust);
	stage_text(row, price_type_name(r->price_type));
	stage_f64(row, r->log_return_1);
	stage_f64(row, r->spread_estimate);
	stage_judged(row, r);
}

int archive_put_row(struct archive *a, const struct barrow *r)
{
	struct stage_order order = {.at = r->start_ns, .rest_len = sizeof(struct rest)};
	struct layout_part part;
	struct stage_row row;
	struct rest rest;
	int rc = layout_at(KIND_BARS, r->step_s, r->symbol, r->start_ns, &part);

	memset(&rest, 0, sizeof(rest)); /* compared as bytes, padding as well */
	rest.revision = r->revision;
	rest.price_type = r->price_type;
	memcpy(rest.adjust, r->adjust, strnlen(r->adjust, sizeof(rest.adjust)));
	memcpy(rest.source, r->source, strnlen(r->source, sizeof(rest.source)));
	memcpy(rest.feed, r->feed, strnlen(r->feed, sizeof(rest.feed)));
	order.rest = &rest;
	if (rc == 0)
		rc = stage_row(a, &part, &order, &row);
	if (rc < 0)
		return rc;
	stage_cells(&row, r);
	return stage_end(&row);
}
