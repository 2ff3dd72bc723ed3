/* archive_care - see archive_care.h. */
#include "daemon/archive_care.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/timetext.h"
#include "bus/stats.h"
#include "daemon/archive_parts.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS     (86400 * NS_PER_S)
#define COUNT_PART 20 /* of the time, at most one part is spent on counting */

struct archive_care {
	int64_t before_ns[ARCHIVE_COUNTED]; /* what ended then is gone; INT64_MIN */
	int64_t count_due_ns;               /* monotonic */
	uint64_t counted_rows; /* of STAT_ARCHIVE_ROWS, when counted last */
	bool is_counted;
	pthread_mutex_t lock; /* of what follows */
	struct archive_count counts[ARCHIVE_COUNTED];
};

int archive_care_new(struct archive_care **out)
{
	struct archive_care *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(-ENOMEM, "out of memory for the care of the archive");
	for (unsigned i = 0; i < ARCHIVE_COUNTED; i++)
		c->before_ns[i] = INT64_MIN;
	(void)pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return 0;
}

void archive_care_free(struct archive_care *c)
{
	if (c == NULL)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	free(c);
}

const char *archive_care_name(unsigned kind)
{
	return kind < KINDS ? kinds_table[kind].name : "events";
}

/* ---- retention ---- */

struct retired {
	uint64_t files, rows;
	bool is_cut;
};

static void take_retired(void *arg, const struct json *doc)
{
	struct retired *r = arg;

	(void)json_u64(json_get(doc, "files"), &r->files);
	(void)json_u64(json_get(doc, "rows"), &r->rows);
	r->is_cut = json_bool(json_get(doc, "cut"), false);
}

/* 0; 1: some that is old stays for now; < 0: not now. */
ON_ARCHIVE static int retain_kind(struct daemon *d, unsigned kind, int64_t before_ns,
				  uint64_t rows_pos)
{
	char before[TIMETEXT_MAX];
	struct retired gone = {0};
	struct buf doc = {0};
	struct jsonw w;
	int rc;

	timetext_print(before, before_ns);
	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "retain");
	jsonw_str(&w, "kind", archive_care_name(kind));
	jsonw_str(&w, "before", before);
	jsonw_u64(&w, "until_pos", rows_pos);
	jsonw_end(&w);
	rc = archive_ask(d, &doc, NULL, take_retired, &gone);
	buf_free(&doc);
	if (rc == 0 && gone.files > 0)
		log_info("archive", "%s before %s are retired: %llu files, %llu rows",
			 archive_care_name(kind), before,
			 (unsigned long long)gone.files, (unsigned long long)gone.rows);
	stats_add(STAT_ARCHIVE_RETIRED_ROWS, gone.rows);
	return rc < 0 ? rc : gone.is_cut;
}

int archive_care_retain(struct archive_care *c, struct daemon *d, int64_t clock_ns,
			int64_t open_day, uint64_t rows_pos)
{
	for (unsigned i = 0; i < ARCHIVE_COUNTED; i++) {
		int64_t keep_ns = d->config.archive.retain_ns[i];
		int64_t day, before_ns;
		int rc;

		if (keep_ns == 0 || clock_ns < keep_ns)
			continue;
		day = (clock_ns - keep_ns) / DAY_NS;
		before_ns = (day < open_day ? day : open_day) * DAY_NS;
		if (before_ns <= c->before_ns[i])
			continue;
		rc = retain_kind(d, i, before_ns, rows_pos);
		if (rc < 0)
			return rc;
		if (rc == 0)
			c->before_ns[i] = before_ns;
	}
	return 0;
}

int64_t archive_care_from(const struct archive_care *c, enum kinds kind)
{
	return c->before_ns[kind];
}

/* ---- counting ---- */

static void take_counts(void *arg, const struct json *doc)
{
	const struct json *kinds = json_get(doc, "kinds");
	struct archive_care *c = arg;

	(void)pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < ARCHIVE_COUNTED; i++) {
		const struct json *k = json_get(kinds, archive_care_name(i));

		(void)json_u64(json_get(k, "files"), &c->counts[i].files);
		(void)json_u64(json_get(k, "rows"), &c->counts[i].rows);
		(void)json_u64(json_get(k, "bytes"), &c->counts[i].bytes);
	}
	(void)pthread_mutex_unlock(&c->lock);
}

int archive_care_count(struct archive_care *c, struct daemon *d)
{
	uint64_t rows =
		stats_get(STAT_ARCHIVE_ROWS) + stats_get(STAT_ARCHIVE_RETIRED_ROWS);
	int64_t now = clock_mono_ns();
	struct buf doc = {0};
	int rc;

	if (now < c->count_due_ns || (c->is_counted && rows == c->counted_rows))
		return 0;
	buf_printf(&doc, "{\"do\":\"status\"}");
	rc = archive_ask(d, &doc, NULL, take_counts, c);
	buf_free(&doc);
	if (rc < 0)
		return rc;
	c->is_counted = true;
	c->counted_rows = rows;
	c->count_due_ns = now + COUNT_PART * (clock_mono_ns() - now);
	return 0;
}

void archive_care_counts(struct archive_care *c,
			 struct archive_count out[ARCHIVE_COUNTED])
{
	(void)pthread_mutex_lock(&c->lock);
	memcpy(out, c->counts, sizeof(c->counts));
	(void)pthread_mutex_unlock(&c->lock);
}
