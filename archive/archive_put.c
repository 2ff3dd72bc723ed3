/*
 * archive_put - read, merge, de-duplicate, write beside, replace.
 */
#include "archive/archive_own.h"
#include "archive/partfile.h"
#include "base/err.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The columns of a file, of staged cells. */
static void values_sql(struct buf *sql, const struct kind *k)
{
	for (size_t i = 0; i < k->n_columns; i++) {
		const struct kind_column *c = &k->columns[i];

		if (strcmp(c->type, "TIMESTAMP_NS") == 0)
			buf_printf(sql, "%smake_timestamp_ns(%s) AS %s", i ? ", " : "",
				   c->name, c->name);
		else
			buf_printf(sql, "%s%s::%s AS %s", i ? ", " : "", c->name,
				   c->type, c->name);
	}
}

/* Among rows with the same key the last word counts: what is staged after what the file
   holds, and of that the later row.  By name: a file of an older version lacks columns.
 */
static void merge_sql(struct buf *sql, const struct kind *k, size_t part,
		      const char *old, const char *tmp)
{
	buf_printf(sql, "COPY (SELECT ");
	partfile_names_sql(sql, k);
	buf_printf(sql, " FROM (SELECT idx AS word, ");
	values_sql(sql, k);
	buf_printf(sql, " FROM staged_%s WHERE part = %zu", k->name, part);
	if (old) {
		buf_printf(
			sql,
			" UNION ALL BY NAME SELECT -1 AS word, * FROM read_parquet(");
		duck_quote(sql, old, strlen(old));
		buf_printf(sql, ", hive_partitioning=false)");
	}
	buf_printf(sql,
		   ") QUALIFY row_number() OVER (PARTITION BY %s ORDER BY word DESC) = "
		   "1 ORDER BY %s",
		   k->key, k->key);
	partfile_to_sql(sql, tmp);
}

/*
 * A new file of rows that are sorted and have no doubles: the same rows without the
 * work of merging, and the same bytes as long as they make one row group (where groups
 * end depends on the way).
 */
static void plain_sql(struct buf *sql, const struct kind *k, size_t part,
		      const char *tmp)
{
	buf_printf(sql, "COPY (SELECT ");
	values_sql(sql, k);
	buf_printf(sql, " FROM staged_%s WHERE part = %zu", k->name, part);
	partfile_to_sql(sql, tmp);
}

static int write_part(struct archive *a, struct duck *d, size_t i,
		      struct archive_put *sum)
{
	const struct part *p = &a->parts[i];
	const struct kind *k = &kinds_table[p->key.kind];
	struct layout_manifest m = {.version = k->version};
	struct buf dir = {0};
	struct buf file = {0};
	struct buf tmp = {0};
	struct buf sql = {0};
	uint64_t version = 0;
	int there;
	int rc = layout_path(&dir, a->dir, &p->key);

	buf_printf(&file, "%s/data.parquet", buf_text(&dir));
	archive_tmp(a, &tmp, ".parquet");
	there = rc < 0 ? rc
		       : partfile_present(d, k, buf_text(&dir), buf_text(&file),
					  &m.before, &version);
	rc = there < 0 ? there : 0;
	if (there == 1 && p->is_plain && p->rows <= PARTFILE_ROW_GROUP)
		plain_sql(&sql, k, i, buf_text(&tmp));
	else
		merge_sql(&sql, k, i, there == 0 ? buf_text(&file) : NULL,
			  buf_text(&tmp));
	if (rc == 0)
		rc = duck_run(d, buf_text(&sql), NULL);
	if (rc == 0)
		rc = partfile_describe(d, k, buf_text(&tmp), &m.now);
	if (rc == 0 && m.now.rows < m.before.rows)
		rc = err_set(-EIO, "%llu rows would replace %llu: refused",
			     (unsigned long long)m.now.rows,
			     (unsigned long long)m.before.rows);
	if (rc == 0 && version == k->version &&
	    strcmp(m.now.sha256, m.before.sha256) == 0)
		sum->unchanged++;
	else if (rc == 0)
		rc = layout_replace(buf_text(&dir), buf_text(&tmp), &m);
	unlink(buf_text(&tmp));
	if (rc == 0) {
		sum->files++;
		sum->added += m.now.rows - m.before.rows;
	} else {
		err_prefix(rc, "%s", buf_text(&file));
	}
	buf_free(&dir);
	buf_free(&file);
	buf_free(&tmp);
	buf_free(&sql);
	return rc;
}

/* What is live has no manifest and is not synced: nothing is lost with it. */
static int write_live(struct archive *a, struct duck *d, size_t i,
		      struct archive_put *sum)
{
	const struct part *p = &a->parts[i];
	const struct kind *k = &kinds_table[p->key.kind];
	struct buf dir = {0};
	struct buf file = {0};
	struct buf tmp = {0};
	struct buf sql = {0};
	bool there;
	int rc = layout_path(&dir, a->live_new, &p->key);

	buf_printf(&file, "%s/data.parquet", buf_text(&dir));
	archive_tmp(a, &tmp, ".parquet");
	there = access(buf_text(&file), F_OK) == 0;
	if (!there && p->is_plain && p->rows <= PARTFILE_ROW_GROUP)
		plain_sql(&sql, k, i, buf_text(&tmp));
	else
		merge_sql(&sql, k, i, there ? (char *)file.data : NULL, buf_text(&tmp));
	if (rc == 0)
		rc = duck_run(d, buf_text(&sql), NULL);
	if (rc == 0)
		rc = layout_place((char *)dir.data, (char *)tmp.data);
	if (rc < 0) {
		unlink((char *)tmp.data);
		err_prefix(rc, "%s", (char *)file.data);
	}
	sum->files++;
	buf_free(&dir);
	buf_free(&file);
	buf_free(&tmp);
	buf_free(&sql);
	return rc;
}

/*
 * Files are independent of each other, and each is written by one thread alone, so its
 * bytes do not depend on how many there are; but while one waits for the disk, another
 * packs.
 */
struct crew {
	struct archive *a;
	int (*write)(struct archive *, struct duck *, size_t, struct archive_put *);
	pthread_mutex_t lock;
	size_t next; /* below: under the lock */
	struct archive_put sum;
	int rc; /* of the first that failed; nobody begins another file then */
	char why[256];
};

static bool take(struct crew *c, size_t *out)
{
	bool is_there;

	pthread_mutex_lock(&c->lock);
	is_there = c->rc == 0 && c->next < c->a->n_parts;
	*out = c->next;
	c->next += is_there;
	pthread_mutex_unlock(&c->lock);
	return is_there;
}

static void *work(void *arg)
{
	struct crew *c = arg;
	struct archive_put sum = {0};
	struct duck *d = NULL;
	int rc = duck_share(c->a->writer, &d);
	size_t i;

	while (rc == 0 && take(c, &i))
		rc = c->write(c->a, d, i, &sum);
	duck_close(d);
	pthread_mutex_lock(&c->lock);
	c->sum.added += sum.added;
	c->sum.files += sum.files;
	c->sum.unchanged += sum.unchanged;
	if (rc < 0 && c->rc == 0) {
		c->rc = rc;
		(void)snprintf(c->why, sizeof(c->why), "%s", err_text());
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

#define CREW_MAX 8

static int write_all(struct crew *c)
{
	size_t n = c->a->n_parts < c->a->threads ? c->a->n_parts : c->a->threads;
	pthread_t threads[CREW_MAX];
	size_t started = 0;

	/* Who cannot be had is not waited for: this thread alone is enough. */
	while (started + 1 < n && started < CREW_MAX &&
	       pthread_create(&threads[started], NULL, work, c) == 0)
		started++;
	work(c);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	return c->rc < 0 ? err_set(c->rc, "%s", c->why) : 0;
}

static int finish(struct archive *a, struct archive_put *out,
		  int (*write)(struct archive *, struct duck *, size_t,
			       struct archive_put *))
{
	struct crew c = {.a = a, .write = write, .lock = PTHREAD_MUTEX_INITIALIZER};
	int rc;

	c.sum.rows = a->staged;
	rc = stage_flush(a);
	if (rc == 0 && a->n_parts > 0)
		rc = write_all(&c);
	pthread_mutex_destroy(&c.lock);
	*out = c.sum;
	archive_put_drop(a);
	return rc;
}

int archive_put_done(struct archive *a, struct archive_put *out)
{
	return finish(a, out, write_part);
}

int archive_live_put(struct archive *a, struct archive_put *out)
{
	if (a->live_new)
		return finish(a, out, write_live);
	archive_put_drop(a);
	return err_set(-EINVAL, "no live put was begun: \"first\" begins one");
}

void archive_put_drop(struct archive *a)
{
	stage_drop(a);
}
