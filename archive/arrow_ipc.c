/*
 * arrow_ipc - the numbers of fields, types and versions are those of Arrow's
 * Schema.fbs, Message.fbs and File.fbs.
 */
#include "archive/arrow_ipc.h"
#include "archive/flat.h"
#include "base/err.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_5     4
#define BATCH_ROWS    61440
#define BATCH_TEXT    (UINT32_C(1) << 30) /* bytes of a column's texts */
#define HEADER_SCHEMA 1
#define HEADER_BATCH  3

static const uint8_t message_fields[] = {2, 1, 4, 8};
static const uint8_t schema_fields[] = {2, 4};
static const uint8_t field_fields[] = {4, 1, 1, 4, 0, 4};
static const uint8_t batch_fields[] = {8, 4, 4};
static const uint8_t footer_fields[] = {2, 4, 4, 4};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct cells {
	struct buf valid; /* a byte per row until it is written */
	struct buf fixed; /* values; of text, int32 ends */
	struct buf text;
	uint64_t nulls;
};

struct block { /* of the footer; a flatbuffer struct */
	int64_t offset;
	int32_t metadata_len;
	int32_t pad;
	int64_t body_len;
};

struct arrow {
	FILE *f;
	uint64_t at; /* bytes written */
	struct duck_rows *rows;
	const struct duck_column *columns;
	size_t n;
	struct cells *cells;
	uint64_t held; /* rows in cells */
	struct buf flat;
	struct buf blocks; /* struct block */
	struct buf bits;
};

/* ---- metadata ---- */

static void type_flat(struct buf *b, enum duck_kind kind, size_t type_at, size_t at)
{
	/* Number of the type in Arrow's union, its fields, and what they are. */
	static const struct {
		uint8_t type;
		uint8_t n;
		uint8_t sizes[2];
		uint8_t values[2];
	} kinds[] = {
		[DUCK_BOOL] = {6, 0, {0}, {0}},
		[DUCK_I32] = {2, 2, {4, 1}, {32, 1}},
		[DUCK_I64] = {2, 2, {4, 1}, {64, 1}},
		[DUCK_F64] = {3, 1, {2}, {2}},
		[DUCK_TIME] = {10, 2, {2, 4}, {3, 0}},
		[DUCK_DATE] = {8, 1, {2}, {0}},
		[DUCK_TEXT] = {5, 0, {0}, {0}},
	};
	size_t out[2];

	flat_set(b, type_at, kinds[kind].type, 1);
	flat_table(b, at, kinds[kind].sizes, kinds[kind].n, out);
	for (size_t i = 0; i < kinds[kind].n; i++)
		flat_set(b, out[i], kinds[kind].values[i], kinds[kind].sizes[i]);
	if (kind == DUCK_TIME)
		flat_text(b, out[1], "UTC");
}

/* The two fields of a schema are at @schema. */
static void schema_flat(struct arrow *a, const size_t *schema)
{
	struct buf *b = &a->flat;
	size_t list = flat_offsets(b, schema[1], a->n);

	for (size_t i = 0; i < a->n; i++) {
		size_t field[COUNT(field_fields)];

		flat_table(b, list + 4 * i, field_fields, COUNT(field_fields), field);
		flat_set(b, field[1], 1, 1);
		flat_text(b, field[0], a->columns[i].name);
		type_flat(b, a->columns[i].kind, field[2], field[3]);
		(void)flat_offsets(b, field[5], 0);
	}
}

static void message_flat(struct arrow *a, int header, size_t *out, int64_t body_len)
{
	flat_root(&a->flat, message_fields, COUNT(message_fields), out);
	flat_set(&a->flat, out[0], VERSION_5, 2);
	flat_set(&a->flat, out[1], header, 1);
	flat_set(&a->flat, out[3], body_len, 8);
}

static int put(struct arrow *a, const void *data, size_t len)
{
	if (len > 0 && fwrite(data, 1, len, a->f) != len)
		return err_set(-EIO, "writing Arrow: %s", strerror(errno));
	a->at += len;
	return 0;
}

static int put_padded(struct arrow *a, const void *data, size_t len)
{
	static const uint8_t zeros[8];
	int rc = put(a, data, len);

	return rc == 0 ? put(a, zeros, (8 - len % 8) % 8) : rc;
}

static int put_message(struct arrow *a)
{
	uint32_t head[2] = {UINT32_MAX, 0};
	int rc;

	flat_pad(&a->flat, 8);
	head[1] = (uint32_t)a->flat.len;
	rc = put(a, head, sizeof(head));
	return rc == 0 ? put(a, a->flat.data, a->flat.len) : rc;
}

static int put_schema(struct arrow *a)
{
	size_t message[COUNT(message_fields)];
	size_t schema[COUNT(schema_fields)];

	message_flat(a, HEADER_SCHEMA, message, 0);
	flat_table(&a->flat, message[2], schema_fields, COUNT(schema_fields), schema);
	schema_flat(a, schema);
	return put_message(a);
}

/* ---- values ---- */

static size_t padded(size_t len)
{
	return (len + 7) / 8 * 8;
}

/* Validity and booleans are a bit per row, the first row the lowest bit. */
static void pack(struct buf *bits, const uint8_t *bytes, size_t n)
{
	uint8_t byte = 0;

	bits->len = 0;
	for (size_t i = 0; i < n; i++) {
		byte |= (uint8_t)((bytes[i] != 0) << i % 8);
		if (i % 8 == 7 || i + 1 == n) {
			buf_add(bits, &byte, 1);
			byte = 0;
		}
	}
}

static size_t value_size(enum duck_kind kind)
{
	switch (kind) {
	case DUCK_BOOL:
		return 1;
	case DUCK_I32:
	case DUCK_DATE:
	case DUCK_TEXT:
		return 4;
	default:
		return 8;
	}
}

static void hold_texts(struct arrow *a, size_t column, size_t rows)
{
	struct cells *c = &a->cells[column];
	int32_t end = (int32_t)c->text.len;

	if (c->fixed.len == 0)
		buf_add(&c->fixed, &end, sizeof(end));
	for (size_t i = 0; i < rows; i++) {
		size_t len;

		if (!duck_rows_is_null(&a->columns[column], i)) {
			const char *text = duck_rows_text(a->rows, column, i, &len);

			buf_add(&c->text, text, len);
		}
		end = (int32_t)c->text.len;
		buf_add(&c->fixed, &end, sizeof(end));
	}
}

static bool hold(struct arrow *a, size_t rows)
{
	bool is_full = false;

	for (size_t i = 0; i < a->n; i++) {
		const struct duck_column *column = &a->columns[i];
		struct cells *c = &a->cells[i];

		for (size_t r = 0; r < rows; r++) {
			uint8_t valid = !duck_rows_is_null(column, r);

			buf_add(&c->valid, &valid, 1);
			c->nulls += !valid;
		}
		if (column->kind == DUCK_TEXT)
			hold_texts(a, i, rows);
		else
			buf_add(&c->fixed, column->data,
				rows * value_size(column->kind));
		is_full |= c->text.len >= BATCH_TEXT;
	}
	a->held += rows;
	return is_full || a->held >= BATCH_ROWS;
}

/* Bytes of buffer @i of a column: validity, values, text. */
static size_t buffer_len(const struct arrow *a, size_t column, size_t i)
{
	const struct cells *c = &a->cells[column];

	if (i == 0 || (i == 1 && a->columns[column].kind == DUCK_BOOL))
		return (a->held + 7) / 8;
	return i == 1 ? c->fixed.len : c->text.len;
}

static size_t n_buffers(const struct arrow *a, size_t column)
{
	return a->columns[column].kind == DUCK_TEXT ? 3 : 2;
}

/* Where everything of the batch will be; returns the length of its body. */
static int64_t batch_flat(struct arrow *a)
{
	size_t message[COUNT(message_fields)];
	size_t batch[COUNT(batch_fields)];
	struct buf *b = &a->flat;
	size_t nodes;
	size_t buffers;
	size_t total = 0;
	int64_t body = 0;

	for (size_t i = 0; i < a->n; i++)
		total += n_buffers(a, i);
	message_flat(a, HEADER_BATCH, message, 0);
	flat_table(b, message[2], batch_fields, COUNT(batch_fields), batch);
	flat_set(b, batch[0], (int64_t)a->held, 8);
	nodes = flat_structs(b, batch[1], a->n, 16);
	buffers = flat_structs(b, batch[2], total, 16);
	for (size_t i = 0; i < a->n; i++) {
		flat_set(b, nodes + 16 * i, (int64_t)a->held, 8);
		flat_set(b, nodes + 16 * i + 8, (int64_t)a->cells[i].nulls, 8);
		for (size_t k = 0; k < n_buffers(a, i); k++, buffers += 16) {
			size_t len = buffer_len(a, i, k);

			flat_set(b, buffers, body, 8);
			flat_set(b, buffers + 8, (int64_t)len, 8);
			body += (int64_t)padded(len);
		}
	}
	flat_set(b, message[3], body, 8);
	return body;
}

static int put_column(struct arrow *a, size_t i)
{
	struct cells *c = &a->cells[i];
	int rc;

	pack(&a->bits, c->valid.data, a->held);
	rc = put_padded(a, a->bits.data, a->bits.len);
	if (a->columns[i].kind == DUCK_BOOL)
		pack(&a->bits, c->fixed.data, a->held);
	if (rc == 0 && a->columns[i].kind == DUCK_BOOL)
		rc = put_padded(a, a->bits.data, a->bits.len);
	else if (rc == 0)
		rc = put_padded(a, c->fixed.data, c->fixed.len);
	if (rc == 0 && a->columns[i].kind == DUCK_TEXT)
		rc = put_padded(a, c->text.data, c->text.len);
	c->valid.len = 0;
	c->fixed.len = 0;
	c->text.len = 0;
	c->nulls = 0;
	return rc;
}

static int put_batch(struct arrow *a)
{
	struct block block = {.offset = (int64_t)a->at};
	int rc;

	if (a->held == 0)
		return 0;
	block.body_len = batch_flat(a);
	rc = put_message(a);
	block.metadata_len = (int32_t)(a->at - (uint64_t)block.offset);
	buf_add(&a->blocks, &block, sizeof(block));
	for (size_t i = 0; rc == 0 && i < a->n; i++)
		rc = put_column(a, i);
	a->held = 0;
	return rc;
}

/* The end of the stream, then what a reader begins with. */
static int put_footer(struct arrow *a)
{
	static const uint32_t end[2] = {UINT32_MAX, 0};
	size_t footer[COUNT(footer_fields)];
	size_t schema[COUNT(schema_fields)];
	size_t n = a->blocks.len / sizeof(struct block);
	uint32_t len;
	size_t at;
	int rc = put(a, end, sizeof(end));

	flat_root(&a->flat, footer_fields, COUNT(footer_fields), footer);
	flat_set(&a->flat, footer[0], VERSION_5, 2);
	flat_table(&a->flat, footer[1], schema_fields, COUNT(schema_fields), schema);
	schema_flat(a, schema);
	(void)flat_structs(&a->flat, footer[2], 0, sizeof(struct block));
	at = flat_structs(&a->flat, footer[3], n, sizeof(struct block));
	if (n > 0)
		memcpy(a->flat.data + at, a->blocks.data, a->blocks.len);
	flat_pad(&a->flat, 8);
	len = (uint32_t)a->flat.len;
	if (rc == 0)
		rc = put(a, a->flat.data, a->flat.len);
	if (rc == 0)
		rc = put(a, &len, sizeof(len));
	return rc == 0 ? put(a, "ARROW1", 6) : rc;
}

static void drop(struct arrow *a)
{
	for (size_t i = 0; i < a->n; i++) {
		buf_free(&a->cells[i].valid);
		buf_free(&a->cells[i].fixed);
		buf_free(&a->cells[i].text);
	}
	free(a->cells);
	buf_free(&a->flat);
	buf_free(&a->blocks);
	buf_free(&a->bits);
}

int arrow_ipc_write(FILE *f, struct duck_rows *rows, uint64_t *out_rows)
{
	struct arrow a = {.f = f, .rows = rows};
	size_t n;
	int rc;

	*out_rows = 0;
	a.columns = duck_rows_columns(rows, &a.n);
	a.cells = calloc(a.n, sizeof(*a.cells));
	if (!a.cells)
		return err_set(-ENOMEM, "no memory for a batch");
	rc = put(&a, "ARROW1\0\0", 8);
	if (rc == 0)
		rc = put_schema(&a);
	while (rc == 0 && (rc = duck_rows_next(rows, &n)) == 0) {
		*out_rows += n;
		if (hold(&a, n))
			rc = put_batch(&a);
	}
	if (rc == 1)
		rc = put_batch(&a);
	if (rc == 0)
		rc = put_footer(&a);
	drop(&a);
	return rc;
}
