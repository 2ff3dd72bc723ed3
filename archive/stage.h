/*
 * stage - rows on their way into files: each is put into its kind's table in the
 * writing engine, with the number of the file that it belongs to.
 *
 *	stage_row(a, &part, &order, &row);      where it lies
 *	stage_i64(&row, ...); stage_f64(...)    its cells, in the order of
 *kinds_table[].columns stage_end(&row);
 *
 * archive_put_done() and archive_put_drop() end what was begun here.
 */
#pragma once
#include "archive/archive.h"
#include "archive/layout.h"

#define STAGE_REST_MAX 64

/* Rows of a file that come with rising @at and the same @rest are sorted and have no
   doubles: then nothing need be sorted.  @rest == NULL: they may be anything. */
struct stage_order {
	int64_t at;
	const void *rest;
	size_t rest_len; /* up to STAGE_REST_MAX */
};

struct stage_row {
	struct duck_bulk *bulk;
	unsigned at;
};

int stage_row(struct archive *a, const struct layout_part *part,
	      const struct stage_order *order, struct stage_row *out);
int stage_end(struct stage_row *r);

static inline void stage_null(struct stage_row *r)
{
	r->at++;
}

static inline void stage_i64(struct stage_row *r, int64_t v)
{
	duck_bulk_i64(r->bulk, r->at++, v);
}

static inline void stage_f64(struct stage_row *r, double v)
{
	duck_bulk_f64(r->bulk, r->at++, v);
}

void stage_text(struct stage_row *r, const char *s);
/** A text of foreign bytes: those that are not printable ASCII become '?'. */
void stage_ascii(struct stage_row *r, char *s);
/** The same, but UTF-8 stays: what is none becomes '?'. */
void stage_utf8(struct stage_row *r, char *s);
/** 16 hex digits. */
void stage_hex(struct stage_row *r, uint64_t v);
/** A value in units of 1 / @unit; VALUE_NULL is NULL. */
void stage_scaled(struct stage_row *r, int64_t v, double unit);

/** Everything staged is in the tables: 0, or the error of the engine. */
int stage_flush(struct archive *a);
void stage_drop(struct archive *a);
