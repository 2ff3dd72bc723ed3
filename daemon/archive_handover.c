/* archive_handover - see archive_handover.h. */
#include "daemon/archive_handover.h"
#include "archive/layout.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "bus/stats.h"
#include "daemon/archive_care.h"
#include "daemon/archive_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ROWS_BYTES   ((size_t)16 << 20)
#define LIVE_WAIT_NS (5 * NS_PER_S)
#define DAY_NS       (86400 * NS_PER_S)
#define CURSOR_BYTES ((size_t)64 << 20)
#define CURSOR_HEAD  "tickbus-archive-cursor 2"
#define CURSOR_OLD   "tickbus-archive-cursor 1 "

enum stage { STAGE_ROWS, STAGE_BARS, STAGE_CARE, STAGE_LIVE };

struct handover {
	struct daemon *d;          /* borrowed */
	const char *dir;           /* borrowed */
	struct archive_seen *seen; /* owned */
	struct archive_care *care; /* owned */
	enum stage stage;
	bool is_loaded;
	uint64_t rows_pos;  /* the next one of which the archive has no rows */
	int64_t rows_day;   /* the UTC day that was open at the last rows */
	uint64_t group_pos; /* where the next piece of a group begins; 0: a new group */
	int64_t group_day;
	uint64_t group_end;    /* where the log was when the day was seen to be over */
	int64_t clock_ns;      /* the highest log time seen; INT64_MIN */
	uint64_t live_pos;     /* what is live must reach this position ... */
	int64_t live_until_ns; /* ... or this moment of the monotonic clock */
	struct archive_range read; /* reused */
	_Atomic uint64_t reached;
};

int handover_new(struct daemon *d, const char *dir, struct handover **out)
{
	struct handover *h = calloc(1, sizeof(*h));
	int rc;

	if (h == NULL)
		return err_set(-ENOMEM, "out of memory for the hand-over");
	h->d = d;
	h->dir = dir;
	h->rows_pos = 1;
	h->rows_day = INT64_MIN;
	h->clock_ns = INT64_MIN;
	rc = archive_seen_new(&h->seen);
	if (rc == 0)
		rc = archive_care_new(&h->care);
	if (rc < 0) {
		handover_free(h);
		return rc;
	}
	*out = h;
	return 0;
}

void handover_free(struct handover *h)
{
	if (h == NULL)
		return;
	archive_seen_free(h->seen);
	archive_care_free(h->care);
	buf_free(&h->read.frames);
	free(h);
}

uint64_t handover_reached(const struct handover *h)
{
	return atomic_load(&h->reached);
}

struct archive_care *handover_care(const struct handover *h)
{
	return h->care;
}

/* ---- the cursor ---- */

static int cursor_path(const struct handover *h, const char *suffix, char out[4096])
{
	return snprintf(out, 4096, "%s/.cursor%s", h->dir, suffix) < 4096
		       ? 0
		       : err_set(-ENAMETOOLONG, "%s is too long", h->dir);
}

static int save(struct handover *h)
{
	char path[4096], tmp[4096];
	struct buf text = {0};
	int rc = cursor_path(h, "", path);

	if (rc == 0)
		rc = cursor_path(h, ".new", tmp);
	if (rc < 0)
		return rc;
	buf_printf(&text, CURSOR_HEAD " %llu %lld\n", (unsigned long long)h->rows_pos,
		   (long long)h->rows_day);
	archive_seen_write(h->seen, &text);
	rc = layout_write(path, tmp, text.data, text.len);
	buf_free(&text);
	if (rc == 0)
		atomic_store(&h->reached, h->rows_pos);
	return rc;
}

/* What cannot be read means from the beginning: that costs time and no row. */
static int parse(struct handover *h, char *text)
{
	char *rest = NULL;
	char *line = strtok_r(text, "\n", &rest);
	unsigned long long pos;
	long long day;

	if (line != NULL && strncmp(line, CURSOR_OLD, strlen(CURSOR_OLD)) == 0)
		return -ESTALE;
	if (line == NULL || sscanf(line, CURSOR_HEAD " %llu %lld", &pos, &day) != 2)
		return -EBADMSG;
	h->rows_pos = pos;
	h->rows_day = day;
	while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
		int rc = archive_seen_add(h->seen, line);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int load(struct handover *h)
{
	char path[4096];
	struct buf text = {0};
	int rc = cursor_path(h, "", path);
	FILE *f = rc < 0 ? NULL : fopen(path, "re");
	size_t n;

	if (f == NULL)
		return rc;
	do {
		n = fread(buf_reserve(&text, 65536), 1, 65536, f);
		text.len += n;
	} while (n > 0 && text.len < CURSOR_BYTES);
	(void)fclose(f);
	rc = parse(h, buf_text(&text));
	buf_free(&text);
	if (rc == -EBADMSG) {
		log_warn("archive", "%s is damaged: everything is handed over again",
			 path);
		rc = 0;
	} else if (rc == -ESTALE) {
		log_info("archive",
			 "%s is of before news were kept: everything is "
			 "handed over again",
			 path);
		rc = 0;
	}
	return rc;
}

/* ---- what is told ---- */

static void put_sources(const struct handover *h, struct jsonw *w)
{
	char id[16];

	jsonw_object(w, "sources");
	for (uint32_t i = 1; i < symtab_count(h->d->sources); i++) {
		const char *name = symtab_name(h->d->sources, i);

		(void)snprintf(id, sizeof(id), "%u", i);
		jsonw_strn(w, id, name, strnlen(name, SYMTAB_NAME_MAX));
	}
	jsonw_end(w);
}

/* From the first piece of a group to the last it is one whole. */
ON_ARCHIVE static int tell_frames(struct handover *h, const char *what, bool is_last)
{
	struct buf doc = {0};
	struct jsonw w;
	uint64_t n = 0;
	int rc;

	jsonw_init(&w, &doc);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "do", what);
	jsonw_bool(&w, "first", h->group_pos == 0);
	jsonw_bool(&w, "last", is_last);
	put_sources(h, &w);
	jsonw_end(&w);
	rc = archive_tell(h->d, &doc, &h->read.frames, &n);
	buf_free(&doc);
	if (rc < 0)
		return rc;
	stats_add(STAT_ARCHIVE_ROWS, n);
	return 0;
}

/* ---- the stages ---- */

static int64_t open_day(const struct handover *h)
{
	int64_t ns = h->clock_ns - h->d->config.archive.after_ns;

	return ns / DAY_NS - (ns % DAY_NS < 0);
}

/* A day is over: everything up to here, in one group, so that files merge once. */
ON_ARCHIVE static int rows(struct handover *h)
{
	uint64_t from = h->group_pos != 0 ? h->group_pos : h->rows_pos;
	int rc = h->group_pos != 0 ? 0
				   : archive_clock(h->d, &h->clock_ns, &h->group_end);

	if (rc < 0 || h->clock_ns == INT64_MIN ||
	    (h->group_pos == 0 && open_day(h) <= h->rows_day))
		return rc;
	if (h->group_pos == 0)
		h->group_day = open_day(h);
	rc = archive_read(h->d, from, ROWS_BYTES, &h->read);
	if (rc == 0)
		rc = tell_frames(h, "put_frames", h->read.is_end);
	if (rc < 0)
		return rc;
	h->group_pos = h->read.to_pos + 1;
	if (!h->read.is_end)
		return 1;
	h->rows_pos = h->group_pos;
	/* What is derived of the last ticks may not be stored yet: then next time. */
	if (h->rows_pos > h->group_end)
		h->rows_day = h->group_day;
	return save(h);
}

/*
 * Everything committed when it began, with what is derived of it, which comes a moment
 * later.  With a bus that stands it does not come: then what there is.
 */
ON_ARCHIVE static int live(struct handover *h)
{
	bool is_first = h->group_pos == 0, is_behind, is_last;
	int rc;

	if (is_first) {
		h->live_pos = store_committed(h->d->store);
		h->live_until_ns = clock_mono_ns() + LIVE_WAIT_NS;
	}
	rc = archive_read(h->d, is_first ? h->rows_pos : h->group_pos, ROWS_BYTES,
			  &h->read);
	if (rc < 0)
		return rc;
	is_behind = h->read.is_end && h->read.to_pos < h->live_pos;
	is_last = h->read.is_end && (!is_behind || clock_mono_ns() >= h->live_until_ns);
	if (is_first || is_last || h->read.frames.len > 0)
		rc = tell_frames(h, "live_frames", is_last);
	if (rc < 0)
		return rc;
	h->group_pos = h->read.to_pos + 1;
	if (!is_last)
		return is_behind ? ARCHIVE_SOON : ARCHIVE_MORE;
	return is_behind ? err_set(-ETIMEDOUT,
				   "what is derived of position %llu is not there yet",
				   (unsigned long long)h->group_pos)
			 : 0;
}

ON_ARCHIVE static int care(struct handover *h)
{
	int rc = 0;

	if (h->rows_day != INT64_MIN && h->clock_ns != INT64_MIN)
		rc = archive_care_retain(h->care, h->d, h->clock_ns, h->rows_day,
					 h->rows_pos);
	return rc < 0 ? rc : archive_care_count(h->care, h->d);
}

ON_ARCHIVE static int run_stage(struct handover *h, bool all)
{
	int rc;

	switch (h->stage) {
	case STAGE_ROWS:
		return rows(h);
	case STAGE_BARS:
		rc = archive_bars_step(h->d, h->seen,
				       archive_care_from(h->care, KIND_BARS));
		return rc == 1 && save(h) < 0 ? -EIO : rc;
	case STAGE_CARE:
		return care(h);
	default:
		return all ? live(h) : 0;
	}
}

ON_ARCHIVE static int begin(struct handover *h)
{
	int rc;

	if (mkdir(h->dir, 0700) < 0 && errno != EEXIST)
		return err_set(-errno, "%s cannot be made: %s", h->dir,
			       strerror(errno));
	rc = load(h);
	if (rc < 0)
		return rc;
	h->is_loaded = true;
	atomic_store(&h->reached, h->rows_pos);
	return 0;
}

int handover_step(void *handover, bool all)
{
	struct handover *h = handover;
	int rc;

	role_assert_archive();
	rc = h->is_loaded ? 0 : begin(h);
	if (rc < 0)
		return rc;
	rc = run_stage(h, all);
	if (rc > 0)
		return rc;
	/* A group that broke off begins again; what is told twice is merged. */
	h->group_pos = 0;
	if (rc < 0) {
		h->stage = STAGE_ROWS;
		return rc;
	}
	h->stage = h->stage == STAGE_LIVE ? STAGE_ROWS : h->stage + 1;
	return h->stage == STAGE_ROWS ? 0 : 1;
}
