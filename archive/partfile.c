/* partfile - the file of a partition: how it is written, and what state it is in. */
#include "archive/partfile.h"
#include "archive/archive_own.h"
#include "base/err.h"
#include <errno.h>
#include <string.h>

void partfile_to_sql(struct buf *sql, const char *tmp)
{
	buf_printf(sql, ") TO ");
	duck_quote(sql, tmp, strlen(tmp));
	buf_printf(sql,
		   " (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, "
		   "ROW_GROUP_SIZE %d)",
		   PARTFILE_ROW_GROUP);
}

void partfile_names_sql(struct buf *sql, const struct kind *k)
{
	for (size_t i = 0; i < k->n_columns; i++)
		buf_printf(sql, "%s%s", i ? ", " : "", k->columns[i].name);
}

int partfile_describe(struct duck *d, const struct kind *k, const char *path,
		      struct layout_state *out)
{
	struct buf sql = {0};
	int64_t v[3];
	int rc;

	buf_printf(&sql,
		   "SELECT count(*), epoch_ns(min(%s)), epoch_ns(max(%s)) FROM "
		   "read_parquet(",
		   k->time, k->time);
	duck_quote(&sql, path, strlen(path));
	buf_printf(&sql, ", hive_partitioning=false)");
	rc = duck_row_i64(d, buf_text(&sql), 0, v, 3);
	buf_free(&sql);
	if (rc < 0)
		return rc;
	*out = (struct layout_state){
		.rows = (uint64_t)v[0], .first_ns = v[1], .last_ns = v[2]};
	return layout_hash(path, out->sha256);
}

int partfile_present(struct duck *d, const struct kind *k, const char *dir,
		     const char *file, struct layout_state *out, uint64_t *out_version)
{
	struct layout_manifest m;
	char sum[65];
	int there = layout_hash(file, sum);
	int known = there < 0 ? there : layout_read(dir, &m);

	*out = (struct layout_state){0};
	*out_version = known == 0 ? m.version : 0;
	if (known < 0)
		return known;
	if (there == 1 && known == 1)
		return 1;
	if (known == 0 && m.version > k->version)
		return err_set(-EBADMSG,
			       "of version %llu; this program knows %llu: a newer "
			       "tickbus-archive is needed",
			       (unsigned long long)m.version,
			       (unsigned long long)k->version);
	if (there == 1)
		return err_set(-EBADMSG,
			       "gone; its manifest knows %llu rows: restore "
			       "it, or remove its folder and ingest the month again",
			       (unsigned long long)m.now.rows);
	if (known == 1)
		return partfile_describe(d, k, file, out);
	if (strcmp(sum, m.now.sha256) == 0) {
		*out = m.now;
		return 0;
	}
	if (strcmp(sum, m.before.sha256) != 0)
		return err_set(-EBADMSG,
			       "not what its manifest says: restore it, or "
			       "remove its folder and ingest the month again");
	/* A replacement that was cut off: whatever is put now is written anew. */
	*out = m.before;
	*out_version = 0;
	return 0;
}
