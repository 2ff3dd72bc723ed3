/* stage - finds a row's file, and keeps an appender per kind. */
#include "archive/stage.h"
#include "archive/archive_own.h"
#include "base/err.h"
#include "base/utf8.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CELL 2 /* behind the row's number and its file's */

static int open_writer(struct archive *a)
{
	struct duck_options o = {a->memory_bytes, 1, a->tmp, NULL};

	if (!a->is_writer)
		return err_set(-EROFS, "%s: opened for reading alone", a->dir);
	return a->writer ? 0 : duck_open(&o, &a->writer);
}

int archive_writer(struct archive *a, struct duck **out)
{
	int rc = open_writer(a);

	*out = a->writer;
	return rc;
}

static const char *staged_type(char letter)
{
	return letter == 'i' ? "BIGINT" : letter == 'd' ? "DOUBLE" : "VARCHAR";
}

static int begin(struct archive *a, enum kinds kind)
{
	const struct kind *k = &kinds_table[kind];
	char letters[KINDS_COLUMNS_MAX + 1] = "ii";
	struct buf sql = {0};
	int rc = open_writer(a);

	buf_printf(&sql, "CREATE OR REPLACE TABLE staged_%s (idx BIGINT, part BIGINT",
		   k->name);
	for (size_t i = 0; i < k->n_columns; i++) {
		letters[FIRST_CELL + i] = kinds_letter(&k->columns[i]);
		buf_printf(&sql, ", %s %s", k->columns[i].name,
			   staged_type(letters[FIRST_CELL + i]));
	}
	buf_printf(&sql, ")");
	if (rc == 0)
		rc = duck_run(a->writer, buf_text(&sql), NULL);
	sql.len = 0;
	buf_printf(&sql, "staged_%s", k->name);
	if (rc == 0)
		rc = duck_bulk_open(a->writer, buf_text(&sql), letters,
				    &a->stages[kind].bulk);
	buf_free(&sql);
	return rc;
}

static bool same_part(const struct layout_part *a, const struct layout_part *b)
{
	return a->kind == b->kind && a->year == b->year && a->month == b->month &&
	       a->day == b->day && a->step_s == b->step_s &&
	       strcmp(a->symbol, b->symbol) == 0;
}

static uint64_t hash_part(const struct layout_part *p)
{
	uint64_t h = ((uint64_t)p->kind << 56) ^ ((uint64_t)p->step_s << 24) ^
		     ((uint64_t)p->year * 512 + p->month * 32 + p->day);

	for (const char *s = p->symbol; *s; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001B3);
	return h ^ h >> 32;
}

/* Open addressing, at most half full; a slot holds a number of parts, plus 1. */
static void grow_index(struct archive *a)
{
	size_t cap = a->index_cap ? a->index_cap * 2 : 64;

	free(a->index);
	a->index = calloc(cap, sizeof(*a->index));
	if (!a->index)
		abort();
	a->index_cap = cap;
	for (size_t i = 0; i < a->n_parts; i++) {
		size_t at = hash_part(&a->parts[i].key) & (cap - 1);

		while (a->index[at])
			at = (at + 1) & (cap - 1);
		a->index[at] = (uint32_t)i + 1;
	}
}

/* Rows come in runs of one file, so the file of the row before is tried first. */
static size_t part_of(struct archive *a, const struct layout_part *key)
{
	size_t at;

	if (a->n_parts > 0 && same_part(&a->parts[a->at_part].key, key))
		return a->at_part;
	if (2 * (a->n_parts + 1) > a->index_cap)
		grow_index(a);
	at = hash_part(key) & (a->index_cap - 1);
	for (; a->index[at]; at = (at + 1) & (a->index_cap - 1))
		if (same_part(&a->parts[a->index[at] - 1].key, key))
			return a->index[at] - 1;
	a->parts = realloc(a->parts, (a->n_parts + 1) * sizeof(*a->parts));
	if (!a->parts)
		abort();
	a->parts[a->n_parts] = (struct part){.key = *key};
	a->index[at] = (uint32_t)a->n_parts + 1;
	return a->n_parts++;
}

static void note_order(struct part *p, const struct stage_order *o)
{
	if (p->rows++ == 0) {
		p->is_plain = o->rest != NULL;
		p->rest_len = (uint8_t)o->rest_len;
		if (o->rest)
			memcpy(p->rest, o->rest, o->rest_len);
	} else if (!o->rest || o->at <= p->last_at || o->rest_len != p->rest_len ||
		   memcmp(o->rest, p->rest, o->rest_len) != 0) {
		p->is_plain = false;
	}
	p->last_at = o->at;
}

int stage_row(struct archive *a, const struct layout_part *part,
	      const struct stage_order *order, struct stage_row *out)
{
	struct stage *s = &a->stages[part->kind];
	int rc = s->bulk ? 0 : begin(a, (enum kinds)part->kind);

	if (rc < 0)
		return rc;
	a->at_part = part_of(a, part);
	note_order(&a->parts[a->at_part], order);
	a->staged++;
	*out = (struct stage_row){.bulk = s->bulk, .at = FIRST_CELL};
	duck_bulk_i64(s->bulk, 0, (int64_t)s->rows++);
	duck_bulk_i64(s->bulk, 1, (int64_t)a->at_part);
	return 0;
}

int stage_end(struct stage_row *r)
{
	return duck_bulk_next(r->bulk);
}

void stage_text(struct stage_row *r, const char *s)
{
	duck_bulk_text(r->bulk, r->at++, s, strlen(s));
}

void stage_ascii(struct stage_row *r, char *s)
{
	for (char *at = s; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	stage_text(r, s);
}

void stage_utf8(struct stage_row *r, char *s)
{
	size_t left = strlen(s);

	for (char *at = s; left > 0;) {
		size_t n = utf8_len(at, left);

		if (n == 0)
			*at = '?';
		at += n ? n : 1;
		left -= n ? n : 1;
	}
	stage_text(r, s);
}

void stage_hex(struct stage_row *r, uint64_t v)
{
	char text[17];

	(void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)v);
	stage_text(r, text);
}

void stage_scaled(struct stage_row *r, int64_t v, double unit)
{
	if (v == VALUE_NULL)
		stage_null(r);
	else
		stage_f64(r, (double)v / unit);
}

int stage_flush(struct archive *a)
{
	int rc = 0;

	for (size_t i = 0; i < KINDS; i++) {
		struct stage *s = &a->stages[i];
		int closed = s->bulk ? duck_bulk_close(s->bulk, rc == 0) : 0;

		if (rc == 0)
			rc = closed;
		s->bulk = NULL;
	}
	return rc;
}

void stage_drop(struct archive *a)
{
	char sql[64];

	for (size_t i = 0; i < KINDS; i++) {
		struct stage *s = &a->stages[i];

		if (s->bulk)
			duck_bulk_close(s->bulk, false);
		(void)snprintf(sql, sizeof(sql), "DROP TABLE IF EXISTS staged_%s",
			       kinds_table[i].name);
		if (s->rows > 0)
			(void)duck_run(a->writer, sql, NULL);
		*s = (struct stage){0};
	}
	free(a->parts);
	free(a->index);
	a->parts = NULL;
	a->index = NULL;
	a->n_parts = a->index_cap = a->at_part = 0;
	a->staged = 0;
}
