/* names - dense ids, one CRC per row. */
#include "store/names.h"
#include "base/err.h"
#include "store/rowcrc.h"
#include "store/sqlite.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

int names_open(struct names *n, struct sq *db, const char *what,
	       const struct store_names *table)
{
	char sql[64];

	*n = (struct names){.table = *table, .db = db, .what = what};
	n->saved = n->sent = table->first_id;
	(void)snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES (?, ?, ?)", what);
	return sq_prepare(db, sql, &n->put);
}

void names_close(struct names *n)
{
	sq_finish(n->put);
	n->put = NULL;
}

static uint32_t row_crc(const struct names *n, uint64_t id, const char *name,
			size_t len)
{
	uint32_t crc = rowcrc_begin(n->store_id, n->what[1]); /* 'y' or 'o' */

	return rowcrc_bytes(rowcrc_u64(crc, id), name, len);
}

static int load_row(struct names *n, struct sq_stmt *st)
{
	uint64_t id = sq_u64(st, 0);
	uint32_t got = 0;
	int is_new = 0;
	size_t len = 0;
	const char *name = sq_blob(st, 1, &len);

	if (id != n->saved || sq_u64(st, 2) != row_crc(n, id, name, len))
		return err_set(-EBADMSG, "the table of %ss is damaged at id %u",
			       n->what, n->saved);
	if (n->table.add(n->table.table, name, len, &got, &is_new) != 0)
		return err_set(-EINVAL, "the database has more %ss than %ss_max allows",
			       n->what, n->what);
	if (got != id)
		return err_set(-EBADMSG,
			       "%s '%.*s' has id %llu in the database, %u here",
			       n->what, (int)len, name, (unsigned long long)id, got);
	n->saved++;
	return 0;
}

int names_load(struct names *n, uint64_t store_id, uint64_t count)
{
	struct sq_stmt *st = NULL;
	char sql[80];
	int rc;

	n->store_id = store_id;
	(void)snprintf(sql, sizeof(sql), "SELECT id, name, crc FROM %s ORDER BY id",
		       n->what);
	rc = sq_prepare(n->db, sql, &st);
	if (rc < 0)
		return rc;
	while ((rc = sq_step(st)) == SQ_ROW) {
		rc = load_row(n, st);
		if (rc < 0)
			break;
	}
	sq_finish(st);
	if (rc < 0)
		return rc;
	n->sent = n->saved;
	if (names_rows(n) != count)
		return err_set(-EBADMSG,
			       "the table of %ss is damaged: %llu rows, %llu expected",
			       n->what, (unsigned long long)names_rows(n),
			       (unsigned long long)count);
	return 0;
}

bool names_has_new(const struct names *n)
{
	return n->table.count(n->table.table) > n->saved;
}

uint64_t names_rows(const struct names *n)
{
	return n->sent - n->table.first_id;
}

int names_save(struct names *n)
{
	uint32_t end = n->table.count(n->table.table);

	if (end < n->saved)
		end = n->saved;
	for (uint32_t id = n->saved; id < end; id++) {
		const char *name = n->table.name(n->table.table, id);
		size_t len = strnlen(name, 32); /* a full field has no NUL */
		int rc;

		sq_bind_int(n->put, 1, id);
		sq_bind_text(n->put, 2, name, len);
		sq_bind_int(n->put, 3, row_crc(n, id, name, len));
		rc = sq_run(n->put);
		if (rc < 0)
			return rc;
	}
	n->sent = end;
	return 0;
}

void names_committed(struct names *n)
{
	n->saved = n->sent;
}
