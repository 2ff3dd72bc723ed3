/*
 * tickstore_meta - keyed values and the quarantine of refused ticks.
 */
#include "base/clock.h"
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/tickstore_impl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- meta ---- */

static uint32_t meta_crc(const struct tickstore *ts, const char *key, const void *data,
			 size_t len)
{
	/* The identity's own row cannot be checked with the identity. */
	uint64_t id = strcmp(key, "store.id") == 0 ? 0 : ts->store_id;
	uint32_t crc = rowcrc_begin(id, 'M');

	return rowcrc_bytes(rowcrc_bytes(crc, key, strlen(key)), data, len);
}

int tickstore_meta_write(struct tickstore *ts, const char *key, const void *data,
			 size_t len)
{
	sq_bind_text(ts->meta_put, 1, key, strlen(key));
	sq_bind_blob(ts->meta_put, 2, data, len);
	sq_bind_int(ts->meta_put, 3, meta_crc(ts, key, data, len));
	return sq_run(ts->meta_put);
}

/* Keep a copy that lives until the next call. */
static int keep_blob(struct tickstore *ts, const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return err_set(-ENOMEM, "the store: no memory for %zu bytes", len);
	memcpy(copy, data, len);
	free(ts->blob);
	ts->blob = copy;
	return 0;
}

int tickstore_meta_read(struct tickstore *ts, const char *key, const void **out_data,
			size_t *out_len)
{
	const void *data;
	size_t len = 0;
	int rc;

	sq_bind_text(ts->meta_get, 1, key, strlen(key));
	rc = sq_step(ts->meta_get);
	if (rc != SQ_ROW)
		return rc < 0 ? rc : STORE_NONE;
	data = sq_blob(ts->meta_get, 0, &len);
	if (sq_u64(ts->meta_get, 1) != meta_crc(ts, key, data, len))
		rc = err_set(-EBADMSG, "%s is damaged: the value of '%s'", ts->path,
			     key);
	else
		rc = keep_blob(ts, data, len);
	sq_reset(ts->meta_get);
	if (rc == 0) {
		*out_data = ts->blob;
		*out_len = len;
	}
	return rc;
}

int tickstore_meta_put(struct tickstore *ts, const char *key, const void *data,
		       size_t len)
{
	int rc = tickstore_alive(ts);

	if (rc < 0)
		return rc;
	if (strncmp(key, "store.", 6) == 0)
		return err_set(-EINVAL,
			       "meta: '%s': keys in store. are the store's own", key);
	rc = sq_begin(ts->db, true);
	if (rc < 0)
		return tickstore_failed(ts, rc);
	rc = tickstore_meta_write(ts, key, data, len);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	return tickstore_failed(ts, rc);
}

int tickstore_meta_get(struct tickstore *ts, const char *key, const void **out_data,
		       size_t *out_len)
{
	return tickstore_meta_read(ts, key, out_data, out_len);
}

/* ---- quarantine ---- */

int tickstore_quarantine_add(struct tickstore *ts, int64_t recv_ns, uint32_t reason,
			     uint32_t producer, const void *text, size_t len)
{
	int64_t second = recv_ns / NS_PER_S;
	struct store_refusal *r;

	if (second != ts->refusal_second) {
		ts->refusal_second = second;
		ts->refusals_in_second = 0;
	}
	if (ts->refusals_in_second >= ts->params.quarantine_rate ||
	    ts->n_refusals >= ts->params.quarantine_rate) {
		ts->status.quarantine_suppressed++;
		return STORE_LIMITED;
	}
	ts->refusals_in_second++;
	r = &ts->refusals[ts->n_refusals++];
	*r = (struct store_refusal){
		.recv_ns = recv_ns,
		.reason = reason,
		.producer = producer,
		.len = (uint32_t)(len < sizeof(r->text) ? len : sizeof(r->text)),
	};
	memcpy(r->text, text, r->len);
	ts->status.quarantined++;
	return 0;
}

static uint32_t refusal_crc(const struct tickstore *ts, const struct store_refusal *r)
{
	uint32_t crc = rowcrc_begin(ts->store_id, 'Q');

	crc = rowcrc_u64(crc, r->id);
	crc = rowcrc_u64(crc, (uint64_t)r->recv_ns);
	crc = rowcrc_u64(crc, (uint64_t)r->reason << 32 | r->producer);
	return rowcrc_bytes(crc, r->text, r->len);
}

int tickstore_quarantine_load(struct tickstore *ts)
{
	int64_t last = 0;
	int rc = sq_query_int(ts->db, "SELECT max(id) FROM quarantine", &last);

	ts->next_refusal = (uint64_t)last + 1;
	return rc;
}

static int put_refusals(struct tickstore *ts)
{
	struct sq_stmt *st = ts->refusal_put;

	for (uint32_t i = 0; i < ts->n_refusals; i++) {
		struct store_refusal *r = &ts->refusals[i];
		int rc;

		r->id = ts->next_refusal + i;
		sq_bind_u64(st, 1, r->id % ts->params.quarantine_max);
		sq_bind_u64(st, 2, r->id);
		sq_bind_int(st, 3, r->recv_ns);
		sq_bind_int(st, 4, r->reason);
		sq_bind_int(st, 5, r->producer);
		sq_bind_int(st, 6, refusal_crc(ts, r));
		sq_bind_blob(st, 7, r->text, r->len);
		rc = sq_run(st);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int tickstore_quarantine_flush(struct tickstore *ts)
{
	int rc;

	if (ts->n_refusals == 0)
		return 0;
	rc = sq_begin(ts->db, false);
	if (rc < 0)
		return rc;
	rc = put_refusals(ts);
	if (rc < 0)
		sq_rollback(ts->db);
	else
		rc = sq_commit(ts->db);
	/* With a full disk they wait, and what comes on top is counted only. */
	if (rc == -ENOSPC)
		return 0;
	if (rc < 0)
		return rc;
	ts->next_refusal += ts->n_refusals;
	ts->n_refusals = 0;
	return 0;
}

int tickstore_quarantine_list(struct tickstore *ts, uint64_t after_id, uint32_t max,
			      struct store_refusal *out, uint32_t *out_n)
{
	struct sq_stmt *st = ts->refusal_list;
	uint32_t n = 0;
	int rc = 0;

	sq_bind_u64(st, 1, after_id);
	sq_bind_int(st, 2, max);
	while (n < max && (rc = sq_step(st)) == SQ_ROW) {
		struct store_refusal *r = &out[n];
		size_t len = 0;
		const void *text = sq_blob(st, 5, &len);

		*r = (struct store_refusal){
			.id = sq_u64(st, 0),
			.recv_ns = sq_int(st, 1),
			.reason = (uint32_t)sq_u64(st, 2),
			.producer = (uint32_t)sq_u64(st, 3),
			.len = (uint32_t)(len < sizeof(r->text) ? len
								: sizeof(r->text)),
		};
		memcpy(r->text, text, r->len);
		/* A damaged one is passed over: it was refused anyway. */
		if (sq_u64(st, 4) == refusal_crc(ts, r))
			n++;
	}
	sq_reset(st);
	if (rc < 0)
		return rc;
	*out_n = n;
	return 0;
}
