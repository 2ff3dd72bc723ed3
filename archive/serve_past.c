/* serve_past - see serve_past.h. */
#include "archive/serve_past.h"
#include "archive/past.h"
#include "base/err.h"
#include "base/timetext.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_DEFAULT (1u << 20)
#define BYTES_MAX     (16u << 20)

static int number(const struct json *doc, const char *key, uint64_t *out)
{
	if (json_u64(json_get(doc, key), out) < 0)
		return err_set(-EINVAL, "%s is missing or no number", key);
	return 0;
}

static int kind_of(const struct json *v, enum event_kind *out)
{
	const char *word = json_str(v, "");

	*out = event_kind_parse(word, strlen(word));
	if (*out == EVENT_KINDS || event_block_size(*out) == 0)
		return err_set(-EINVAL, "'%.32s' is no kind of events that is kept",
			       word);
	return 0;
}

static int name_of(const struct json *v, char out[SYMBOL_MAX])
{
	const char *name = json_str(v, "");

	if (name[0] == '\0' || strlen(name) > SYMBOL_MAX)
		return err_set(-EINVAL, "'%.64s' is no name of a symbol or a universe",
			       name);
	memset(out, 0, SYMBOL_MAX);
	memcpy(out, name, strlen(name));
	return 0;
}

int serve_put_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		   struct buf *bulk)
{
	struct past_range range;
	struct past_sum sum = {0};
	struct past *p;
	int rc = archive_past(a, &p);

	(void)bulk;
	if (rc == 0)
		rc = number(f->doc, "log", &range.log);
	if (rc == 0)
		rc = number(f->doc, "epoch", &range.epoch);
	if (rc == 0)
		rc = number(f->doc, "from_pos", &range.from_pos);
	if (rc == 0)
		rc = number(f->doc, "to_pos", &range.to_pos);
	if (rc == 0)
		rc = past_put(p, &range, f->bulk, f->bulk_len, &sum);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "events", sum.events);
	jsonw_u64(w, "added", sum.added);
	return serve_past_status(a, NULL, w, bulk);
}

static int names_of(const struct json *list, struct buf *out)
{
	int rc = 0;

	if (json_len(list) > PAST_NAMES_MAX)
		return err_set(-EINVAL, "more than %u names", PAST_NAMES_MAX);
	for (size_t i = 0; i < json_len(list) && rc == 0; i++) {
		char name[SYMBOL_MAX];

		rc = name_of(json_at(list, i), name);
		if (rc == 0)
			buf_add(out, name, sizeof(name));
	}
	return rc;
}

int serve_read_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		    struct buf *bulk)
{
	uint64_t bytes = BYTES_DEFAULT, to_pos = 0;
	struct past_ask ask = {0};
	struct buf names = {0};
	struct past_status s = {0};
	struct past *p;
	int rc = archive_past(a, &p);

	if (rc == 0)
		rc = kind_of(json_get(f->doc, "kind"), &ask.kind);
	if (rc == 0)
		rc = number(f->doc, "from_pos", &ask.from_pos);
	if (rc == 0 && json_get(f->doc, "max_bytes"))
		rc = number(f->doc, "max_bytes", &bytes);
	if (rc == 0)
		rc = names_of(json_get(f->doc, "names"), &names);
	if (rc == 0) {
		ask.max_bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX;
		ask.names = (const void *)names.data;
		ask.n_names = names.len / SYMBOL_MAX;
		rc = past_read(p, &ask, bulk, &to_pos);
	}
	buf_free(&names);
	if (rc < 0)
		return rc;
	jsonw_bool(w, "ok", true);
	jsonw_u64(w, "to_pos", to_pos);
	rc = past_status(p, &s);
	jsonw_u64(w, "first_pos", s.first_pos);
	return rc;
}

static int wants_of(const struct json *list, struct buf *out)
{
	if (json_len(list) > PAST_NAMES_MAX)
		return err_set(-EINVAL, "more than %u streams", PAST_NAMES_MAX);
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *one = json_at(list, i);
		struct past_want want = {0};
		uint64_t timeframe = 0;
		int rc = kind_of(json_get(one, "kind"), &want.kind);

		if (rc == 0)
			rc = name_of(json_get(one, "name"), want.stream.name);
		if (rc == 0)
			rc = number(one, "seq", &want.stream.seq);
		if (rc == 0 && json_get(one, "timeframe_s"))
			rc = number(one, "timeframe_s", &timeframe);
		if (rc < 0)
			return rc;
		if (want.kind == EVENT_TIER2)
			want.stream.timeframe_s = (uint32_t)timeframe;
		buf_add(out, &want, sizeof(want));
	}
	return 0;
}

static int find_time(struct past *p, const struct json *doc, uint64_t *pos)
{
	const char *text = json_str(json_get(doc, "time"), "");
	const struct json *kinds = json_get(doc, "kinds");
	uint32_t bits = 0;
	int64_t ns;

	if (timetext_parse(text, strlen(text), &ns) != 0)
		return err_set(-EINVAL, "time '%.40s' is no time", text);
	for (size_t i = 0; i < json_len(kinds); i++) {
		enum event_kind kind;
		int rc = kind_of(json_at(kinds, i), &kind);

		if (rc < 0)
			return rc;
		bits |= 1u << kind;
	}
	return past_find_time(p, bits, ns, pos);
}

int serve_find_past(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		    struct buf *bulk)
{
	struct buf wants = {0};
	struct past_want *want;
	uint64_t pos = 0;
	struct past *p;
	int rc = archive_past(a, &p);
	size_t n;

	(void)bulk;
	if (rc == 0)
		rc = wants_of(json_get(f->doc, "streams"), &wants);
	want = (void *)wants.data;
	n = wants.len / sizeof(*want);
	if (rc == 0)
		rc = n > 0 ? past_find_seqs(p, want, n, &pos)
			   : find_time(p, f->doc, &pos);
	if (rc >= 0) {
		jsonw_bool(w, "ok", true);
		jsonw_u64(w, "pos", rc == 0 ? pos : 0);
		jsonw_array(w, "held");
		for (size_t i = 0; i < n; i++)
			jsonw_u64(w, NULL, want[i].held);
		jsonw_end(w);
	}
	buf_free(&wants);
	return rc < 0 ? rc : 0;
}

int serve_past_status(struct archive *a, const struct pipeframe *f, struct jsonw *w,
		      struct buf *bulk)
{
	struct past_status s = {0};
	struct past *p;
	int rc = archive_past(a, &p);

	(void)bulk;
	if (rc == 0)
		rc = past_status(p, &s);
	if (rc < 0)
		return rc;
	if (f)
		jsonw_bool(w, "ok", true);
	past_print_log(w, s.log);
	jsonw_u64(w, "epoch", s.epoch);
	jsonw_u64(w, "first_pos", s.first_pos);
	jsonw_u64(w, "complete_pos", s.complete_pos);
	jsonw_u64(w, "stretches", s.stretches);
	jsonw_u64(w, "chunks", s.chunks);
	jsonw_u64(w, "stored_events", s.events);
	jsonw_u64(w, "bytes", s.bytes);
	return 0;
}
