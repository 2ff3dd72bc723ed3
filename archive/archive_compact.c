/*
 * archive_compact - files are made anew: those of an older version, those whose row
 * groups are small (another writer's), and those that a crash left without a manifest.
 * The new file has the same rows, and that is proven before it replaces the old one.
 */
#include "archive/archive_own.h"
#include "archive/partfile.h"
#include "base/err.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
	struct archive *a;
	struct duck *d;
	const struct kind *k;
	const char *dir;
	struct buf file;
	struct buf tmp;
	struct archive_compacted *sum;
};

/* The rows of the file that is there, with every column of today's: one that it lacks
   is NULL. */
static void old_sql(const struct job *j, struct buf *sql)
{
	buf_printf(sql, "SELECT ");
	partfile_names_sql(sql, j->k);
	buf_printf(sql, " FROM (SELECT ");
	for (size_t i = 0; i < j->k->n_columns; i++)
		buf_printf(sql, "%sNULL::%s AS %s", i ? ", " : "",
			   j->k->columns[i].type, j->k->columns[i].name);
	buf_printf(sql, " WHERE false UNION ALL BY NAME SELECT * FROM read_parquet(");
	duck_quote(sql, (const char *)j->file.data, j->file.len);
	buf_printf(sql, ", hive_partitioning=false))");
}

static int rewrite(const struct job *j)
{
	struct buf sql = {0};
	int rc;

	buf_printf(&sql, "COPY (");
	old_sql(j, &sql);
	buf_printf(&sql, " ORDER BY %s", j->k->key);
	partfile_to_sql(&sql, (const char *)j->tmp.data);
	rc = duck_run(j->d, buf_text(&sql), NULL);
	buf_free(&sql);
	return rc;
}

/* As many rows, and none of the old ones is missing: then they are the same. */
static int prove(const struct job *j, uint64_t before, uint64_t after)
{
	struct buf sql = {0};
	int64_t missing = -1;
	int rc;

	buf_printf(&sql, "SELECT count(*) FROM (");
	old_sql(j, &sql);
	buf_printf(&sql, " EXCEPT ALL SELECT ");
	partfile_names_sql(&sql, j->k);
	buf_printf(&sql, " FROM read_parquet(");
	duck_quote(&sql, (const char *)j->tmp.data, j->tmp.len);
	buf_printf(&sql, ", hive_partitioning=false))");
	rc = duck_row_i64(j->d, buf_text(&sql), -1, &missing, 1);
	buf_free(&sql);
	if (rc == 0 && (missing != 0 || before != after))
		rc = err_set(-EIO,
			     "made anew, %lld of %llu rows were others: the old file "
			     "stays",
			     (long long)missing, (unsigned long long)before);
	return rc;
}

/* 1: it is as it would be written today. */
static int judge(const struct job *j, uint64_t version, uint64_t rows)
{
	uint64_t wanted = rows / PARTFILE_ROW_GROUP + 1;
	struct buf sql = {0};
	int64_t groups = 0;
	int rc;

	if (version != j->k->version)
		return 0;
	buf_printf(&sql, "SELECT count(DISTINCT row_group_id) FROM parquet_metadata(");
	duck_quote(&sql, (const char *)j->file.data, j->file.len);
	buf_printf(&sql, ")");
	rc = duck_row_i64(j->d, buf_text(&sql), 0, &groups, 1);
	buf_free(&sql);
	return rc < 0 ? rc : (uint64_t)groups <= wanted;
}

static uint64_t size_of(const struct buf *path)
{
	struct stat st;

	return stat((const char *)path->data, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int compact_file(const struct job *j)
{
	struct layout_manifest m = {.version = j->k->version};
	uint64_t version = 0;
	uint64_t bytes;
	int rc = partfile_present(j->d, j->k, j->dir, (const char *)j->file.data,
				  &m.before, &version);

	if (rc != 0) /* 1: a folder without a file is none of ours */
		return rc < 0 ? rc : 0;
	j->sum->files++;
	rc = judge(j, version, m.before.rows);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	bytes = size_of(&j->file);
	rc = rewrite(j);
	if (rc == 0)
		rc = partfile_describe(j->d, j->k, (const char *)j->tmp.data, &m.now);
	if (rc == 0)
		rc = prove(j, m.before.rows, m.now.rows);
	if (rc == 0)
		rc = layout_replace(j->dir, (const char *)j->tmp.data, &m);
	unlink((const char *)j->tmp.data);
	if (rc == 0) {
		j->sum->rewritten++;
		j->sum->rows += m.now.rows;
		j->sum->bytes_before += bytes;
		j->sum->bytes_after += size_of(&j->file);
	}
	return rc;
}

static int compact_part(void *arg, const char *part_dir)
{
	struct job j = *(struct job *)arg;
	struct layout_part part;
	int rc = layout_unpath(part_dir, &part);

	if (rc < 0)
		return 0; /* somebody else's */
	j.k = &kinds_table[part.kind];
	j.dir = part_dir;
	buf_printf(&j.file, "%s/data.parquet", part_dir);
	archive_tmp(j.a, &j.tmp, ".parquet");
	buf_text(&j.file);
	buf_text(&j.tmp);
	rc = compact_file(&j);
	if (rc < 0)
		err_prefix(rc, "%s", (char *)j.file.data);
	buf_free(&j.file);
	buf_free(&j.tmp);
	return rc;
}

int archive_compact(struct archive *a, struct archive_compacted *out)
{
	struct job j = {.a = a, .sum = out};
	int rc = archive_writer(a, &j.d);

	*out = (struct archive_compacted){0};
	return rc < 0 ? rc : archive_each(a, compact_part, &j);
}
