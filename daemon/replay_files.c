/* replay_files - see replay_files.h. */
#include "daemon/replay_files.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/jsonw.h"
#include "base/sha256.h"
#include "daemon/heads.h"
#include "daemon/rerun.h"
#include "proto/event_json.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_BYTES ((size_t)1 << 20) /* handed to the file at once */

static const struct {
	enum event_kind kind;
	const char *name;
} files[REPLAY_FILES] = {{EVENT_BAR, "bars"},
			 {EVENT_TIER1, "tier1"},
			 {EVENT_TIER2, "tier2"},
			 {EVENT_NEWS, "news"},
			 {EVENT_STATUS, "status"}};

/* One of the files: bytes gather in `out`, events of a frame in `frame_data`. */
struct sink {
	struct replay_file *file; /* its figures */
	FILE *stream;             /* owned */
	struct buf out;           /* owned */
	struct sha256 hash;
	struct frame frame;
	uint8_t *frame_data; /* owned */
	size_t frame_cap;
	bool is_open; /* a frame is being filled */
	enum event_kind kind;
};

struct replay {
	const struct replay_env *env;
	struct replay_result *out;
	struct sink sinks[REPLAY_FILES];
	struct sink *by_kind[EVENT_KINDS];
	struct heads *heads; /* owned */
	uint64_t epoch;
};

/* ---- bytes into a file ---- */

static int file_failed(const struct replay *r, const char *name)
{
	int rc = errno != 0 ? -errno : -EIO;

	return err_set(rc, "%s/%s: %s", r->env->dir, name, strerror(-rc));
}

static int open_file(const struct replay *r, const char *name, FILE **out)
{
	char path[4096];

	if (snprintf(path, sizeof(path), "%s/%s", r->env->dir, name) >=
	    (int)sizeof(path))
		return err_set(-ENAMETOOLONG, "%s: the path is too long", r->env->dir);
	*out = fopen(path, "we");
	return *out == NULL ? file_failed(r, name) : 0;
}

static int write_out(const struct replay *r, struct sink *s)
{
	if (s->out.len == 0)
		return 0;
	sha256_add(&s->hash, s->out.data, s->out.len);
	s->file->bytes += s->out.len;
	if (fwrite(s->out.data, 1, s->out.len, s->stream) != s->out.len)
		return file_failed(r, s->file->name);
	s->out.len = 0;
	return 0;
}

/* ---- events into bytes ---- */

static void seal(struct sink *s)
{
	uint32_t len;

	if (!s->is_open)
		return;
	len = (uint32_t)frame_seal(&s->frame, 0, 0);
	buf_add(&s->out, &len, sizeof(len));
	buf_add(&s->out, s->frame_data, len);
	s->is_open = false;
}

/* A matrix fills a frame that must be large enough for it. */
static int begin_frame(struct replay *r, struct sink *s, size_t event_len)
{
	size_t need =
		s->kind == EVENT_TIER2 ? event_len + 256 : frame_size_max(s->kind);

	if (need > s->frame_cap) {
		free(s->frame_data);
		s->frame_data = malloc(need);
		s->frame_cap = s->frame_data != NULL ? need : 0;
		if (s->frame_data == NULL)
			return err_set(-ENOMEM, "out of memory for a frame");
	}
	frame_begin(&s->frame, s->frame_data, s->frame_cap, s->kind, r->epoch);
	s->is_open = true;
	return 0;
}

static int add_sbe(struct replay *r, struct sink *s, const void *event, size_t len)
{
	int rc = s->is_open ? 0 : begin_frame(r, s, len);

	if (rc < 0)
		return rc;
	(void)frame_add(&s->frame, event);
	if (s->kind == EVENT_TIER2 || s->frame.n == FRAME_EVENTS_MAX)
		seal(s);
	return 0;
}

static void add_json(struct replay *r, struct sink *s, const void *event)
{
	struct event_json_ctx ctx = {.epoch = r->epoch, .publish_ns = VALUE_NULL};
	const struct event_tier2 *m = event;
	const struct tier2_member *members = (const void *)(m + 1);

	if (s->kind == EVENT_TIER2) {
		event_json_tier2(&s->out, m, members,
				 (const double *)(members + m->n_members), &ctx);
	} else {
		char *line = (char *)buf_reserve(&s->out, EVENT_JSON_MAX);
		const char *source = "";

		if (s->kind == EVENT_NEWS)
			source = symtab_name(
				r->env->sources,
				((const struct event_news *)event)->source_id);
		else if (s->kind == EVENT_STATUS)
			source = symtab_name(
				r->env->sources,
				((const struct event_status *)event)->source_id);
		ctx.source = source[0] != '\0' ? source : NULL;
		s->out.len += event_json_any(line, s->kind, event, &ctx);
	}
	buf_add(&s->out, "\n", 1);
}

static int on_event(void *arg, enum event_kind kind, const void *event, size_t len)
{
	struct replay *r = arg;
	struct sink *s = r->by_kind[kind];
	int rc = 0;

	heads_note(r->heads, kind, event);
	s->file->events++;
	if (r->env->format == REPLAY_SBE)
		rc = add_sbe(r, s, event, len);
	else
		add_json(r, s, event);
	return rc == 0 && s->out.len >= WRITE_BYTES ? write_out(r, s) : rc;
}

/* ---- the log ---- */

ON_STORE static int read_log(struct replay *r, struct rerun *rerun)
{
	struct store_status status;
	uint64_t pos;

	tickstore_status(r->env->store, &status);
	if (status.begin_pos > 1)
		return err_set(-ENOENT,
			       "the log before position %llu was retired: files can "
			       "only be made from its beginning",
			       (unsigned long long)status.begin_pos);
	for (pos = status.first_pos; pos != 0 && pos <= status.last_pos;) {
		const struct record *recs;
		uint32_t n;
		int rc = tickstore_peek(r->env->store, pos, &pos, &recs, &n);

		if (rc == STORE_END)
			break;
		if (rc == STORE_GONE)
			continue; /* @pos is the first one held */
		if (rc == 0)
			rc = rerun_feed(rerun, pos, recs, n);
		if (rc != 0)
			return rc;
		r->out->records += n;
		for (uint32_t i = 0; i < n; i++)
			r->out->ticks += recs[i].type == RECORD_TICK;
		pos += n;
	}
	return rerun_sync(rerun);
}

/* ---- summary.json ---- */

static void put_summary(const struct replay *r, struct jsonw *w)
{
	struct head *list;
	size_t n = heads_list(r->heads, &list);
	char hex[20];

	jsonw_object(w, NULL);
	(void)snprintf(hex, sizeof(hex), "%016llx",
		       (unsigned long long)params_hash(r->env->params));
	jsonw_str(w, "config_hash", hex);
	jsonw_u64(w, "epoch", r->epoch);
	jsonw_u64(w, "records", r->out->records);
	jsonw_u64(w, "ticks", r->out->ticks);
	jsonw_array(w, "files");
	for (size_t i = 0; i < REPLAY_FILES; i++) {
		const struct replay_file *f = &r->out->files[i];

		jsonw_object(w, NULL);
		jsonw_str(w, "name", f->name);
		jsonw_u64(w, "events", f->events);
		jsonw_u64(w, "bytes", f->bytes);
		jsonw_str(w, "sha256", f->sha256);
		jsonw_end(w);
	}
	jsonw_end(w);
	heads_json(w, list, n);
	jsonw_end(w);
	free(list);
}

static int write_summary(const struct replay *r)
{
	struct buf out = {0};
	struct jsonw w;
	FILE *stream;
	int rc = open_file(r, "summary.json", &stream);

	if (rc < 0)
		return rc;
	jsonw_init(&w, &out);
	put_summary(r, &w);
	buf_add(&out, "\n", 1);
	errno = 0;
	if (fwrite(out.data, 1, out.len, stream) != out.len)
		rc = file_failed(r, "summary.json");
	if (fclose(stream) != 0 && rc == 0)
		rc = file_failed(r, "summary.json");
	buf_free(&out);
	return rc;
}

/* ---- all of it ---- */

/* An old summary must not stand beside new files, whatever happens meanwhile. */
static int open_sinks(struct replay *r)
{
	char path[4096];
	int rc = 0;

	if (mkdir(r->env->dir, 0755) != 0 && errno != EEXIST)
		return err_set(-errno, "%s: %s", r->env->dir, strerror(errno));
	if (snprintf(path, sizeof(path), "%s/summary.json", r->env->dir) <
	    (int)sizeof(path))
		(void)unlink(path);
	for (size_t i = 0; i < REPLAY_FILES && rc == 0; i++) {
		struct sink *s = &r->sinks[i];

		s->kind = files[i].kind;
		s->file = &r->out->files[i];
		r->by_kind[s->kind] = s;
		sha256_init(&s->hash);
		(void)snprintf(s->file->name, sizeof(s->file->name), "%s.%s",
			       files[i].name,
			       r->env->format == REPLAY_SBE ? "sbe" : "jsonl");
		rc = open_file(r, s->file->name, &s->stream);
	}
	return rc;
}

/* Write what is left; close in any case. */
static int close_sinks(struct replay *r, int rc)
{
	for (size_t i = 0; i < REPLAY_FILES; i++) {
		struct sink *s = &r->sinks[i];
		uint8_t digest[32];

		if (rc == 0) {
			seal(s);
			rc = write_out(r, s);
		}
		errno = 0;
		if (s->stream != NULL && fclose(s->stream) != 0 && rc == 0)
			rc = file_failed(r, s->file->name);
		if (rc == 0) {
			sha256_done(&s->hash, digest);
			for (size_t k = 0; k < sizeof(digest); k++)
				(void)snprintf(s->file->sha256 + 2 * k, 3, "%02x",
					       digest[k]);
		}
		buf_free(&s->out);
		free(s->frame_data);
	}
	return rc;
}

int replay_run(const struct replay_env *env, struct replay_result *out)
{
	struct replay *r = calloc(1, sizeof(*r));
	const struct store_access access = {.store = env->store};
	const struct rerun_env re = {.access = &access,
				     .params = env->params,
				     .symbols = env->symbols,
				     .sources = env->sources,
				     .symbols_max = env->symbols_max,
				     .n_workers = env->n_workers};
	int64_t begin_ns = clock_mono_ns();
	struct rerun *rerun = NULL;
	struct store_status status;
	int rc;

	*out = (struct replay_result){0};
	if (r == NULL)
		return err_set(-ENOMEM, "out of memory for the replay");
	tickstore_status(env->store, &status);
	r->env = env;
	r->out = out;
	r->epoch = status.epoch;
	rc = open_sinks(r);
	if (rc == 0)
		rc = heads_new(env->params, env->symbols, env->symbols_max, &r->heads);
	if (rc == 0)
		rc = rerun_new(&re, on_event, r, &rerun);
	if (rc == 0)
		rc = read_log(r, rerun);
	rc = close_sinks(r, rc);
	if (rc == 0)
		rc = write_summary(r);
	out->elapsed_ns = clock_mono_ns() - begin_ns;
	rerun_free(rerun);
	heads_free(r->heads);
	free(r);
	return rc;
}
