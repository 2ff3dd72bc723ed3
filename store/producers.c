/*
 * producers - a dense table, a hash of the names, and the list of those whose
 * row must be written with the next commit.
 */
#include "store/producers.h"
#include "base/err.h"
#include "base/hash.h"
#include "store/rowcrc.h"
#include "store/sqlite.h"
#include "store/tickstore.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct producer {
	char name[STORE_PRODUCER_MAX + 1];
	uint8_t len;
	bool dirty;
	uint64_t last;   /* committed */
	uint64_t staged; /* >= last */
};

struct producers {
	struct sq_stmt *put; /* owned */
	struct sq *db;
	uint64_t store_id;
	uint32_t max;
	uint32_t n;
	uint32_t n_saved; /* rows that stand in the table */
	uint32_t n_dirty;
	uint32_t mask;
	struct producer *list; /* owned */
	uint32_t *dirty;       /* owned */
	uint32_t *slots;       /* owned; id + 1, 0 is free */
};

int producers_new(struct sq *db, uint32_t max, struct producers **out)
{
	struct producers *p = calloc(1, sizeof(*p));
	uint32_t size = 16;
	int rc;

	if (!p)
		return err_set(-ENOMEM, "producers: no memory");
	while (size < 2 * max)
		size *= 2;
	p->db = db;
	p->max = max;
	p->mask = size - 1;
	p->list = calloc(max, sizeof(*p->list));
	p->dirty = calloc(max, sizeof(*p->dirty));
	p->slots = calloc(size, sizeof(*p->slots));
	rc = p->list && p->dirty && p->slots ? 0
					     : err_set(-ENOMEM, "producers: no memory");
	if (rc == 0)
		rc = sq_prepare(db,
				"INSERT OR REPLACE INTO producer VALUES (?, ?, ?, ?)",
				&p->put);
	if (rc < 0) {
		producers_free(p);
		return rc;
	}
	*out = p;
	return 0;
}

void producers_free(struct producers *p)
{
	if (!p)
		return;
	sq_finish(p->put);
	free(p->list);
	free(p->dirty);
	free(p->slots);
	free(p);
}

uint32_t producers_crc(uint64_t store_id, uint32_t id, const char *name, size_t len,
		       uint64_t last)
{
	uint32_t crc = rowcrc_begin(store_id, 'P');

	crc = rowcrc_u64(crc, id);
	crc = rowcrc_bytes(crc, name, len);
	return rowcrc_u64(crc, last);
}

static int load_row(struct producers *p, struct sq_stmt *st)
{
	uint64_t id = sq_u64(st, 0);
	uint64_t last = sq_u64(st, 2);
	uint32_t got = 0;
	size_t len = 0;
	const char *name = sq_blob(st, 1, &len);

	if (id != p->n || len == 0 || len > STORE_PRODUCER_MAX ||
	    sq_u64(st, 3) != producers_crc(p->store_id, p->n, name, len, last))
		return err_set(-EBADMSG, "the table of producers is damaged at row %u",
			       p->n);
	if (producers_add(p, name, len, &got) != 0)
		return err_set(
			-EINVAL,
			"the database has more than producers_max = %u producers",
			p->max);
	if (got != id)
		return err_set(-EBADMSG, "the table of producers has '%.*s' twice",
			       (int)len, name);
	p->list[got].last = p->list[got].staged = last;
	return 0;
}

int producers_load(struct producers *p, uint64_t store_id, uint64_t count)
{
	struct sq_stmt *st = NULL;
	int rc;

	p->store_id = store_id;
	rc = sq_prepare(
		p->db, "SELECT id, name, last_seq, crc FROM producer ORDER BY id", &st);
	if (rc < 0)
		return rc;
	while ((rc = sq_step(st)) == SQ_ROW) {
		rc = load_row(p, st);
		if (rc < 0)
			break;
	}
	sq_finish(st);
	if (rc < 0)
		return rc;
	if (p->n != count)
		return err_set(
			-EBADMSG,
			"the table of producers is damaged: %u rows, %llu expected",
			p->n, (unsigned long long)count);
	p->n_saved = p->n;
	p->n_dirty = 0;
	for (uint32_t i = 0; i < p->n; i++)
		p->list[i].dirty = false;
	return 0;
}

static void mark_dirty(struct producers *p, uint32_t id)
{
	if (p->list[id].dirty)
		return;
	p->list[id].dirty = true;
	p->dirty[p->n_dirty++] = id;
}

int producers_add(struct producers *p, const char *name, size_t len, uint32_t *out_id)
{
	uint64_t at = hash_bytes(HASH_SEED, name, len);
	struct producer *x;

	assert(len > 0);
	assert(len <= STORE_PRODUCER_MAX);
	for (;; at++) {
		uint32_t slot = p->slots[at & p->mask];

		if (slot == 0)
			break;
		x = &p->list[slot - 1];
		if (x->len == len && memcmp(x->name, name, len) == 0) {
			*out_id = slot - 1;
			return 0;
		}
	}
	if (p->n == p->max)
		return STORE_FULL;
	x = &p->list[p->n];
	memcpy(x->name, name, len);
	x->len = (uint8_t)len;
	p->slots[at & p->mask] = p->n + 1;
	*out_id = p->n++;
	mark_dirty(p, *out_id);
	return 0;
}

uint32_t producers_count(const struct producers *p)
{
	return p->n;
}

const char *producers_name(const struct producers *p, uint32_t id)
{
	return id < p->n ? p->list[id].name : "";
}

uint64_t producers_last(const struct producers *p, uint32_t id)
{
	assert(id < p->n);
	return p->list[id].staged;
}

void producers_stage(struct producers *p, uint32_t id, uint64_t seq)
{
	assert(id < p->n);
	assert(seq > p->list[id].staged);
	p->list[id].staged = seq;
	mark_dirty(p, id);
}

bool producers_is_dirty(const struct producers *p)
{
	return p->n_dirty > 0;
}

bool producers_has_new(const struct producers *p)
{
	return p->n != p->n_saved;
}

int producers_save(struct producers *p)
{
	for (uint32_t i = 0; i < p->n_dirty; i++) {
		uint32_t id = p->dirty[i];
		const struct producer *x = &p->list[id];
		int rc;

		sq_bind_int(p->put, 1, id);
		sq_bind_text(p->put, 2, x->name, x->len);
		sq_bind_u64(p->put, 3, x->staged);
		sq_bind_int(p->put, 4,
			    producers_crc(p->store_id, id, x->name, x->len, x->staged));
		rc = sq_run(p->put);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void producers_committed(struct producers *p)
{
	for (uint32_t i = 0; i < p->n_dirty; i++) {
		struct producer *x = &p->list[p->dirty[i]];

		x->last = x->staged;
		x->dirty = false;
	}
	p->n_dirty = 0;
	p->n_saved = p->n;
}

void producers_abort(struct producers *p)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < p->n_dirty; i++) {
		uint32_t id = p->dirty[i];

		p->list[id].staged = p->list[id].last;
		/* A new name keeps its id and waits for the next commit. */
		p->list[id].dirty = id >= p->n_saved;
		if (p->list[id].dirty)
			p->dirty[kept++] = id;
	}
	p->n_dirty = kept;
}
