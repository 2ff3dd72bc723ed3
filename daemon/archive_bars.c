/*
 * archive_bars - what vendors sent, from history.db to the archive (archive_parts.h): a
 * series is looked at again when its number of bars or its newest fetch differ from
 * what was told last, and of it the months are told that changed (archive_told.h).
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "bus/stats.h"
#include "daemon/archive_parts.h"
#include "daemon/archive_told.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES   160
#define SIGN_BYTES  72
#define SLICE_BARS  ((size_t)200000) /* of one frame */
#define INDICES_MAX 256u

struct seen_row {
	char key[KEY_BYTES];
	char sign[SIGN_BYTES];
};

struct archive_seen {
	struct seen_row *rows; /* owned; by key */
	size_t n;
	size_t cap;
	/* what the history has at present, and how far we are in it */
	struct buf now; /* struct candidate */
	size_t at;
	bool is_listed;
};

struct candidate {
	struct seen_row row;
	struct hist_series series;
	char index[64]; /* an index, not a series */
};

int archive_seen_new(struct archive_seen **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : err_set(-ENOMEM, "out of memory for the archive");
}

void archive_seen_free(struct archive_seen *s)
{
	if (s == NULL)
		return;
	buf_free(&s->now);
	free(s->rows);
	free(s);
}

/* Where @key is, or would be. */
static size_t place(const struct archive_seen *s, const char *key)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (strcmp(s->rows[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_known(const struct archive_seen *s, const struct seen_row *row)
{
	size_t i = place(s, row->key);

	return i < s->n && strcmp(s->rows[i].key, row->key) == 0 &&
	       strcmp(s->rows[i].sign, row->sign) == 0;
}

static int remember(struct archive_seen *s, const struct seen_row *row)
{
	size_t i = place(s, row->key);

	if (i < s->n && strcmp(s->rows[i].key, row->key) == 0) {
		s->rows[i] = *row;
		return 0;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
		struct seen_row *rows = realloc(s->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return err_set(-ENOMEM, "out of memory for the archive");
		s->rows = rows;
		s->cap = cap;
	}
	memmove(&s->rows[i + 1], &s->rows[i], (s->n - i) * sizeof(*s->rows));
	s->rows[i] = *row;
	s->n++;
	return 0;
}

static struct seen_row row_of(const char *key, const char *sign)
{
	struct seen_row row = {0};

	(void)snprintf(row.key, sizeof(row.key), "%s", key);
	(void)snprintf(row.sign, sizeof(row.sign), "%s", sign);
	return row;
}

bool archive_seen_has(const struct archive_seen *s, const char *key, const char *sign)
{
	const struct seen_row row = row_of(key, sign);

	return is_known(s, &row);
}

int archive_seen_note(struct archive_seen *s, const char *key, const char *sign)
{
	const struct seen_row row = row_of(key, sign);

	return remember(s, &row);
}

int archive_seen_add(struct archive_seen *s, const char *line)
{
	struct seen_row row = {0};
	const char *space = strchr(line, ' ');
	size_t len = space == NULL ? 0 : (size_t)(space - line);

	if (len == 0 || len >= sizeof(row.key) || strlen(space + 1) >= sizeof(row.sign))
		return -EBADMSG;
	memcpy(row.key, line, len);
	memcpy(row.sign, space + 1, strlen(space + 1));
	return remember(s, &row);
}

void archive_seen_write(const struct archive_seen *s, struct buf *out)
{
	for (size_t i = 0; i < s->n; i++)
		buf_printf(out, "%s %s\n", s->rows[i].key, s->rows[i].sign);
}

/* ---- to the history's thread and back ---- */

struct past_job {
	int (*fn)(struct histstore *store, void *arg);
	void *arg;
	int rc;
	char text[ERR_TEXT_MAX];
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool is_done;
};

static int run_job(struct history_thread *t, void *arg)
{
	struct past_job *j = arg;

	role_assert_history();
	j->rc = j->fn(history_store(t), j->arg);
	if (j->rc < 0)
		(void)snprintf(j->text, sizeof(j->text), "%s", err_text());
	return 0; /* it only reads: nobody's transaction fails for it */
}

static void job_done(void *arg, int rc)
{
	struct past_job *j = arg;

	(void)pthread_mutex_lock(&j->lock);
	if (rc < 0 && j->rc >= 0) {
		j->rc = rc;
		(void)snprintf(j->text, sizeof(j->text), "the history did not answer");
	}
	j->is_done = true;
	(void)pthread_cond_signal(&j->cond);
	(void)pthread_mutex_unlock(&j->lock);
}

int archive_ask_history(struct daemon *d, int (*fn)(struct histstore *store, void *arg),
			void *arg)
{
	struct past_job j = {.fn = fn, .arg = arg};
	int rc;

	(void)pthread_mutex_init(&j.lock, NULL);
	(void)pthread_cond_init(&j.cond, NULL);
	rc = history_ask(d->history, run_job, job_done, &j);
	if (rc != 0) {
		rc = err_set(-EAGAIN, "the history is too busy for the archive");
	} else {
		(void)pthread_mutex_lock(&j.lock);
		while (!j.is_done)
			(void)pthread_cond_wait(&j.cond, &j.lock);
		(void)pthread_mutex_unlock(&j.lock);
		rc = j.rc < 0 ? err_set(j.rc, "%s", j.text) : 0;
	}
	(void)pthread_cond_destroy(&j.cond);
	(void)pthread_mutex_destroy(&j.lock);
	return rc;
}

/* ---- what there is ---- */

static int list_series(void *arg, const struct hist_summary *s)
{
	struct candidate c = {.series = s->series};

	if (s->bars == 0)
		return 0;
	(void)snprintf(c.row.key, sizeof(c.row.key), "bars|%s|%s|%s|%u|%u",
		       s->series.source, s->series.feed, s->series.symbol,
		       s->series.step_s, s->series.adjust);
	(void)snprintf(c.row.sign, sizeof(c.row.sign), "%llu:%lld:%lld",
		       (unsigned long long)s->bars, (long long)s->last_ns,
		       (long long)s->fetched_ns);
	buf_add(arg, &c, sizeof(c));
	return 0;
}

ON_HISTORY static int list(struct histstore *store, void *arg)
{
	struct buf indices = {0};
	int rc = histstore_each(store, NULL, list_series, arg);

	if (rc == 0)
		rc = histstore_index_list(store, INDICES_MAX, &indices);
	for (size_t i = 0; rc == 0 && i < indices.len / sizeof(struct hist_index);
	     i++) {
		const struct hist_index *x = (const void *)indices.data;
		struct candidate c = {0};

		(void)snprintf(c.index, sizeof(c.index), "%s", x[i].name);
		(void)snprintf(c.row.key, sizeof(c.row.key), "index|%s", x[i].name);
		(void)snprintf(c.row.sign, sizeof(c.row.sign), "%llu:%lld",
			       (unsigned long long)x[i].members,
			       (long long)x[i].since_ns);
		buf_add(arg, &c, sizeof(c));
	}
	buf_free(&indices);
	return rc;
}

/* ---- a series ---- */

struct slice {
	const struct candidate *c;
	struct hist_range range;
	struct buf bars;
};

ON_HISTORY static int read_slice(struct histstore *store, void *arg)
{
	struct slice *s = arg;

	return histstore_get_bars(store, &s->c->series, &s->range, SLICE_BARS,
				  &s->bars);
}

ON_ARCHIVE static int tell_slice(struct daemon *d, const struct slice *s)
{
	const struct hist_series *x = &s->c->series;
	static const char *const adjusts[] = {"raw", "split", "all"};
	struct buf doc = {0};
	struct jsonw w;
	uint64_t n = 0;
	int rc;

	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "put_bars");
	jsonw_str(&w, "source", x->source);
	jsonw_str(&w, "feed", x->feed);
	jsonw_str(&w, "symbol", x->symbol);
	jsonw_str(&w, "adjust", adjusts[x->adjust < 3 ? x->adjust : 0]);
	jsonw_u64(&w, "step_s", x->step_s);
	jsonw_end(&w);
	rc = archive_tell(d, &doc, &s->bars, &n);
	buf_free(&doc);
	stats_add(STAT_ARCHIVE_ROWS, n);
	stats_add(STAT_ARCHIVE_TOLD_BARS, s->bars.len / sizeof(struct hist_bar));
	return rc;
}

ON_ARCHIVE static int tell_range(struct daemon *d, struct slice *s)
{
	size_t n = SLICE_BARS;
	int rc = 0;

	while (rc == 0 && n == SLICE_BARS &&
	       !archive_thread_stopping(d->archive_thread)) {
		const struct hist_bar *bars;

		s->bars.len = 0;
		rc = archive_ask_history(d, read_slice, s);
		n = s->bars.len / sizeof(*bars);
		bars = (const void *)s->bars.data;
		if (rc == 0 && n > 0) {
			s->range.from_ns = bars[n - 1].start_ns + 1;
			rc = tell_slice(d, s);
		}
	}
	return rc == 0 && archive_thread_stopping(d->archive_thread)
		       ? err_set(-ECANCELED, "the daemon is stopping")
		       : rc;
}

struct chunks {
	const struct candidate *c;
	struct buf months;
};

static int add_chunk(void *arg, const struct hist_range *r, uint32_t sum)
{
	archive_told_add(arg, r->from_ns, r->to_ns, sum);
	return 0;
}

ON_HISTORY static int list_chunks(struct histstore *store, void *arg)
{
	struct chunks *x = arg;

	return histstore_each_chunk(store, &x->c->series, add_chunk, &x->months);
}

ON_ARCHIVE static int tell_series(struct daemon *d, const struct candidate *c,
				  int64_t from_ns)
{
	const char *dir = d->config.archive.dir;
	struct chunks now = {.c = c};
	struct slice s = {.c = c};
	struct buf then = {0};
	size_t at = 0;
	int rc = archive_ask_history(d, list_chunks, &now);

	archive_told_read(dir, c->row.key, &then);
	while (rc == 0 && archive_told_next(&now.months, &then, &at, &s.range.from_ns,
					    &s.range.to_ns) == 0) {
		if (s.range.from_ns < from_ns)
			s.range.from_ns = from_ns;
		if (s.range.from_ns < s.range.to_ns)
			rc = tell_range(d, &s);
	}
	if (rc == 0)
		rc = archive_told_write(dir, c->row.key, &now.months);
	buf_free(&now.months);
	buf_free(&then);
	buf_free(&s.bars);
	return rc;
}

/* ---- an index ---- */

struct members {
	const char *name;
	struct buf list;
};

ON_HISTORY static int read_members(struct histstore *store, void *arg)
{
	struct members *m = arg;

	return histstore_index_get(store, m->name, &m->list);
}

ON_ARCHIVE static int tell_index(struct daemon *d, const struct candidate *c)
{
	struct members m = {.name = c->index};
	struct buf doc = {0};
	struct jsonw w;
	int rc = archive_ask_history(d, read_members, &m);

	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", "put_index");
	jsonw_str(&w, "name", c->index);
	jsonw_object(&w, "members");
	for (size_t i = 0; rc == 0 && i < m.list.len / sizeof(struct hist_member);
	     i++) {
		const struct hist_member *x = (const void *)m.list.data;
		char text[TIMETEXT_MAX];

		jsonw_strn(&w, x[i].symbol, text, timetext_print(text, x[i].added_ns));
	}
	jsonw_end(&w);
	jsonw_end(&w);
	if (rc == 0)
		rc = archive_tell(d, &doc, NULL, NULL);
	buf_free(&doc);
	buf_free(&m.list);
	return rc;
}

/* ---- the step ---- */

int archive_bars_step(struct daemon *d, struct archive_seen *seen, int64_t from_ns)
{
	const struct candidate *all;
	int rc = 0;

	if (d->history == NULL)
		return archive_meta_step(d, seen);
	if (!seen->is_listed) {
		seen->now.len = 0;
		seen->at = 0;
		rc = archive_ask_history(d, list, &seen->now);
		if (rc < 0)
			return rc;
		seen->is_listed = true;
	}
	all = (const void *)seen->now.data;
	while (seen->at < seen->now.len / sizeof(*all)) {
		const struct candidate *c = &all[seen->at++];

		if (is_known(seen, &c->row))
			continue;
		rc = c->index[0] != '\0' ? tell_index(d, c)
					 : tell_series(d, c, from_ns);
		if (rc == 0)
			rc = remember(seen, &c->row);
		if (rc < 0)
			seen->is_listed = false;
		return rc < 0 ? rc : 1;
	}
	seen->is_listed = false;
	return archive_meta_step(d, seen);
}
