/* archive_verify - every file against its manifest. */
#include "archive/archive_own.h"
#include "archive/layout.h"
#include "archive/past.h"
#include "base/err.h"
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int each_of(const struct archive *a, enum kinds kind,
		   int (*fn)(void *arg, const char *part_dir), void *arg)
{
	struct buf pattern = {0};
	glob_t g = {0};
	int rc;

	layout_pattern(&pattern, a->dir, kind);
	rc = glob(buf_text(&pattern), 0, NULL, &g);
	buf_free(&pattern);
	if (rc != 0 && rc != GLOB_NOMATCH)
		return err_set(-EIO, "%s: cannot be listed", a->dir);
	rc = 0;
	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++)
		rc = fn(arg, g.gl_pathv[i]);
	globfree(&g);
	return rc;
}

int archive_each(const struct archive *a, int (*fn)(void *arg, const char *part_dir),
		 void *arg)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < KINDS; i++)
		rc = each_of(a, (enum kinds)i, fn, arg);
	return rc;
}

struct check {
	struct archive_check *sum;
	bool deep;
};

static void bad(struct archive_check *sum, const char *path, const char *why)
{
	if (sum->bad++ == 0)
		snprintf(sum->first_bad, sizeof(sum->first_bad), "%s: %s", path, why);
}

static void count(struct archive_check *sum, unsigned kind, struct archive_sum one)
{
	struct archive_sum *k = &sum->kinds[kind];

	k->files += one.files;
	k->rows += one.rows;
	k->bytes += one.bytes;
	sum->files += one.files;
	sum->rows += one.rows;
	sum->bytes += one.bytes;
}

static int check_part(void *arg, const char *part_dir)
{
	struct check *c = arg;
	struct archive_check *sum = c->sum;
	struct layout_part part = {0};
	struct layout_manifest m;
	struct buf file = {0};
	struct stat st;
	char hash[65];
	int known = layout_read(part_dir, &m);
	int there;

	buf_printf(&file, "%s/data.parquet", part_dir);
	there = stat(buf_text(&file), &st) == 0 ? 0 : 1;
	if (there == 0 && c->deep)
		there = layout_hash(buf_text(&file), hash);
	if (known < 0 || there < 0)
		bad(sum, buf_text(&file), err_text());
	else if (there == 1 && known == 0)
		bad(sum, buf_text(&file), "gone, its manifest is there");
	else if (there == 0 && known == 1)
		sum->interrupted++;
	else if (there == 0 && c->deep && strcmp(hash, m.before.sha256) == 0)
		sum->interrupted++;
	else if (there == 0 && c->deep && strcmp(hash, m.now.sha256) != 0)
		bad(sum, buf_text(&file), "not what its manifest says");
	if (there == 0 && layout_unpath(part_dir, &part) == 0)
		count(sum, part.kind,
		      (struct archive_sum){1, known == 0 ? m.now.rows : 0,
					   (uint64_t)st.st_size});
	buf_free(&file);
	return 0;
}

/* Whole events: a chunk is a file, an event a row. */
static int check_past(struct archive *a, bool deep, struct archive_check *sum)
{
	struct past_check check = {0};
	struct past_status s;
	struct past *p;
	int rc = archive_past(a, &p);

	if (rc == 0 && !deep) {
		rc = past_status(p, &s);
		if (rc == -EBADMSG) { /* one of many things to tell */
			bad(sum, a->dir, err_text());
			return 0;
		}
		check = (struct past_check){s.chunks, s.events, s.bytes, 0, ""};
	} else if (rc == 0) {
		rc = past_verify(p, &check);
	}
	if (rc < 0)
		return rc;
	count(sum, KINDS,
	      (struct archive_sum){check.chunks, check.events, check.bytes});
	if (check.bad > 0 && sum->bad == 0)
		memcpy(sum->first_bad, check.first_bad, sizeof(sum->first_bad));
	sum->bad += check.bad;
	return 0;
}

int archive_verify(struct archive *a, bool deep, struct archive_check *out)
{
	struct check c = {out, deep};
	int rc;

	*out = (struct archive_check){0};
	rc = archive_each(a, check_part, &c);
	return rc == 0 ? check_past(a, deep, out) : rc;
}
