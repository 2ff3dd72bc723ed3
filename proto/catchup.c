/*
 * catchup - requests in both forms; pages are in catchup_page.c, and pages as
 * JSON in catchup_json.c.
 */
#include "proto/catchup.h"
#include "base/err.h"
#include "base/json.h"
#include "base/timetext.h"
#include "proto/timeframe.h"
#include <assert.h>
#include <stdlib.h>

static int bad(const char *what)
{
	return err_set(CATCHUP_MALFORMED, "catch-up: %s", what);
}

void catchup_request_deinit(struct catchup_request *req)
{
	free(req->streams);
	req->streams = NULL;
	req->n_streams = 0;
}

/* Names of streams come from strangers: a symbol, or a universe (same size). */
static bool name_valid(const char name[SYMBOL_MAX])
{
	size_t len = symbol_field_len(name, SYMBOL_MAX);

	if (len == 0)
		return false;
	for (size_t i = 0; i < SYMBOL_MAX; i++)
		if (i < len ? name[i] <= 0x20 || name[i] > 0x7e || name[i] == '|'
			    : name[i] != '\0')
			return false;
	return true;
}

static int check_stream(const struct catchup_request *req,
			const struct catchup_stream *s)
{
	if (!name_valid(s->symbol))
		return bad("the name of a stream is malformed");
	if (s->kind != CATCHUP_ANY_KIND &&
	    event_block_size((enum event_kind)s->kind) == 0)
		return bad("a stream of a kind that is not kept");
	if (s->to_seq && s->to_seq < s->from_seq)
		return bad("a stream ends before it begins");
	if (req->root.from_type != CATCHUP_FROM_SEQ)
		return 0;
	if (s->from_seq == 0 || s->kind == CATCHUP_ANY_KIND)
		return bad("by sequence, each stream names its kind and from_seq >= 1");
	if (s->kind == EVENT_TIER2 && s->timeframe_s == 0)
		return bad("by sequence, a matrix stream names its timeframe");
	return 0;
}

static int check_request(const struct catchup_request *req)
{
	int rc = 0;

	if (req->what == CATCHUP_DICT)
		return req->dict.which <= CATCHUP_SYMBOLS ? 0
							  : bad("no such dictionary");
	if (req->root.from_type >= CATCHUP_FROM_N)
		return bad("it begins nowhere we know");
	if (req->root.kinds >> EVENT_KINDS)
		return bad("unknown kinds");
	if (req->root.limit > CATCHUP_EVENTS_MAX)
		return bad("limit is above 65536");
	if (req->root.from_type == CATCHUP_FROM_SEQ && req->n_streams == 0)
		return bad("by sequence, it has to name its streams");
	for (uint32_t i = 0; i < req->n_streams && rc == 0; i++)
		rc = check_stream(req, &req->streams[i]);
	return rc;
}

static int make_streams(struct catchup_request *req, size_t n)
{
	if (n > CATCHUP_STREAMS_MAX)
		return bad("it names more than 1024 streams");
	if (n == 0)
		return 0;
	req->streams = calloc(n, sizeof(*req->streams));
	if (req->streams == NULL)
		return bad("out of memory");
	req->n_streams = (uint32_t)n;
	return 0;
}

static int read_sbe_streams(struct sbe_cursor *c, struct catchup_request *out)
{
	struct sbe_group g;
	int rc;

	if (sbe_group_read(c, &g))
		return bad("the request is cut short");
	if (g.n > 0 && (g.block_length < sizeof(struct catchup_stream) ||
			sbe_left(c) < (size_t)g.block_length * g.n))
		return bad("a stream is cut short");
	rc = make_streams(out, g.n);
	for (uint32_t i = 0; i < out->n_streams && rc == 0; i++)
		(void)sbe_block_read(c, g.block_length, &out->streams[i],
				     sizeof(out->streams[i]));
	return rc;
}

/* What the first version did not know stays 0. */
static int read_sbe_root(struct sbe_cursor *c, size_t block, struct catchup_root *out)
{
	size_t known = block < sizeof(*out) ? CATCHUP_ROOT_V1 : sizeof(*out);

	return sbe_block_read(c, block, out, known);
}

static int read_sbe(struct sbe_cursor *c, const struct sbe_head *h,
		    struct catchup_request *out)
{
	switch (h->template_id) {
	case SBE_CATCHUP_REQUEST:
		out->what = CATCHUP_EVENTS;
		if (read_sbe_root(c, h->block_length, &out->root))
			return bad("the request is cut short");
		return read_sbe_streams(c, out);
	case SBE_DICT_REQUEST:
		out->what = CATCHUP_DICT;
		if (sbe_block_read(c, h->block_length, &out->dict, sizeof(out->dict)))
			return bad("the request is cut short");
		return 0;
	default:
		return bad("not a request");
	}
}

static int read_u32(const struct json *obj, const char *key, uint32_t *out)
{
	const struct json *v = json_get(obj, key);
	uint64_t n = 0;

	if (v == NULL)
		return 0;
	if (json_u64(v, &n) || n > UINT32_MAX)
		return err_set(CATCHUP_MALFORMED,
			       "catch-up: %s is not a number below 2^32", key);
	*out = (uint32_t)n;
	return 0;
}

static int read_kind(const struct json *v, uint8_t *out)
{
	const char *word = json_str(v, "");
	enum event_kind kind = event_kind_parse(word, strlen(word));

	if (kind == EVENT_KINDS)
		return bad("an unknown kind");
	*out = (uint8_t)kind;
	return 0;
}

static int read_kinds(const struct json *list, uint32_t *out)
{
	uint8_t kind = 0;

	if (list == NULL)
		return 0;
	if (!json_is_array(list))
		return bad("kinds is not a list");
	for (size_t i = 0; i < json_len(list); i++) {
		if (read_kind(json_at(list, i), &kind))
			return CATCHUP_MALFORMED;
		*out |= 1u << kind;
	}
	return 0;
}

static const struct {
	const char *name;
	enum catchup_from type;
} from_words[] = {{"oldest", CATCHUP_FROM_OLDEST},
		  {"now", CATCHUP_FROM_NOW},
		  {"seq", CATCHUP_FROM_SEQ},
		  {"snapshot", CATCHUP_FROM_SNAPSHOT}};

static int read_from_word(const char *word, struct catchup_root *out)
{
	for (size_t i = 0; i < sizeof(from_words) / sizeof(*from_words); i++) {
		if (strcmp(word, from_words[i].name) == 0) {
			out->from_type = (uint8_t)from_words[i].type;
			return 0;
		}
	}
	return bad("from is none of snapshot, now, oldest, seq, {pos}, {time}, "
		   "{snapshot}");
}

/* A word, {"pos":n,"skip":n}, {"snapshot":n,"skip":n} or {"time":"..."}. */
static int read_from(const struct json *from, struct catchup_root *out)
{
	const struct json *pos = json_get(from, "pos"), *time = json_get(from, "time");
	const struct json *snapshot = json_get(from, "snapshot");
	const char *text = json_str(time, NULL);
	int64_t ns = 0;

	if (pos || snapshot) {
		out->from_type = pos ? CATCHUP_FROM_POS : CATCHUP_FROM_SNAPSHOT;
		if (json_u64(pos ? pos : snapshot, &out->from) ||
		    read_u32(from, "skip", &out->skip))
			return bad("from.pos, from.snapshot or from.skip is not a "
				   "number");
		return 0;
	}
	if (!time)
		return read_from_word(from ? json_str(from, "") : "oldest", out);
	out->from_type = CATCHUP_FROM_TIME;
	if (text && timetext_parse(text, strlen(text), &ns) == 0)
		out->from = (uint64_t)ns;
	else if (json_u64(time, &out->from) || out->from > INT64_MAX)
		return bad("from.time is neither RFC 3339 nor nanoseconds");
	return 0;
}

/* "count" and "hash" of the page before: a number and 16 hex digits. */
static int read_sum(const struct json *obj, struct catchup_root *out)
{
	const struct json *count = json_get(obj, "count"),
			  *hash = json_get(obj, "hash");
	const char *text = json_str(hash, "");

	if (count && json_u64(count, &out->count))
		return bad("count is not a number");
	if (!hash)
		return 0;
	out->hash = strtoull(text, NULL, 16);
	if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return bad("hash is not 16 hex digits");
	return 0;
}

static int read_stream(const struct json *v, struct catchup_stream *out)
{
	const struct json *from_seq = json_get(v, "from_seq"),
			  *to_seq = json_get(v, "to_seq");
	const char *name = json_str(json_is_string(v) ? v : json_get(v, "symbol"), "");
	const char *timeframe = json_str(json_get(v, "timeframe"), NULL);
	size_t len = strlen(name);

	if (len == 0 || len > SYMBOL_MAX)
		return bad("a stream without a name");
	memcpy(out->symbol, name, len);
	out->kind = CATCHUP_ANY_KIND;
	if (json_get(v, "kind") && read_kind(json_get(v, "kind"), &out->kind))
		return CATCHUP_MALFORMED;
	if (timeframe) {
		out->timeframe_s = timeframe_parse(timeframe, strlen(timeframe));
		if (out->timeframe_s == 0)
			return bad("an unknown timeframe");
	}
	if ((from_seq && json_u64(from_seq, &out->from_seq)) ||
	    (to_seq && json_u64(to_seq, &out->to_seq)))
		return bad("from_seq or to_seq is not a number");
	return 0;
}

static int read_json_events(const struct json *obj, struct catchup_request *out)
{
	const struct json *symbols = json_get(obj, "symbols");
	int rc;

	out->what = CATCHUP_EVENTS;
	rc = read_kinds(json_get(obj, "kinds"), &out->root.kinds);
	if (rc == 0)
		rc = read_from(json_get(obj, "from"), &out->root);
	if (rc == 0)
		rc = read_u32(obj, "limit", &out->root.limit);
	if (rc == 0)
		rc = read_sum(obj, &out->root);
	if (rc == 0 && symbols && !json_is_array(symbols))
		rc = bad("symbols is not a list");
	if (rc == 0 && symbols)
		rc = make_streams(out, json_len(symbols));
	for (uint32_t i = 0; i < out->n_streams && rc == 0; i++)
		rc = read_stream(json_at(symbols, i), &out->streams[i]);
	return rc;
}

static int read_json_dict(const struct json *obj, struct catchup_request *out)
{
	const char *which = json_str(json_get(obj, "dictionary"), "");

	out->what = CATCHUP_DICT;
	if (strcmp(which, "sources") == 0)
		out->dict.which = CATCHUP_SOURCES;
	else if (strcmp(which, "symbols") == 0)
		out->dict.which = CATCHUP_SYMBOLS;
	else
		return bad("dictionary is neither sources nor symbols");
	if (read_u32(obj, "from_id", &out->dict.from_id))
		return CATCHUP_MALFORMED;
	return read_u32(obj, "limit", &out->dict.limit);
}

/* A key that we do not know may be a misspelt one that we do. */
static int check_keys(const struct json *obj)
{
	static const char *const known[] = {"catchup", "kinds",      "from",
					    "symbols", "limit",      "count",
					    "hash",    "dictionary", "from_id"};
	const struct json *at = NULL;
	const char *key;

	while ((at = json_next(obj, at, &key))) {
		size_t i = 0;

		while (i < sizeof(known) / sizeof(*known) && strcmp(known[i], key) != 0)
			i++;
		if (i == sizeof(known) / sizeof(*known))
			return err_set(CATCHUP_MALFORMED,
				       "catch-up: unknown key '%.32s'", key);
	}
	return 0;
}

static int read_json(const char *text, size_t len, struct catchup_request *out)
{
	struct json *root = NULL;
	int rc;

	if (json_parse(text, len, &root) || !json_is_object(root)) {
		json_free(root);
		return bad("neither SBE nor a JSON object");
	}
	rc = check_keys(root);
	if (rc == 0 && json_get(root, "dictionary"))
		rc = read_json_dict(root, out);
	else if (rc == 0)
		rc = read_json_events(root, out);
	json_free(root);
	return rc;
}

int catchup_request_read(const void *data, size_t len, struct catchup_request *out)
{
	struct sbe_cursor c = {data, (const uint8_t *)data + len};
	struct sbe_head h;
	int rc;

	*out = (struct catchup_request){0};
	if (sbe_head_read(&c, &h) == 0) {
		rc = len > CATCHUP_BYTES_MAX ? bad("the request is too large")
					     : read_sbe(&c, &h, out);
	} else {
		out->is_json = true;
		rc = len > CATCHUP_BYTES_MAX ? bad("the request is too large")
					     : read_json(data, len, out);
	}
	if (rc == 0)
		rc = check_request(out);
	if (rc)
		catchup_request_deinit(out);
	return rc;
}

void catchup_request_write(const struct catchup_request *req, struct buf *out)
{
	assert(req->n_streams <= CATCHUP_STREAMS_MAX);
	if (req->what == CATCHUP_DICT) {
		sbe_head_add(out, SBE_DICT_REQUEST, &req->dict, sizeof(req->dict));
		return;
	}
	sbe_head_add(out, SBE_CATCHUP_REQUEST, &req->root, sizeof(req->root));
	sbe_group_add(out, sizeof(struct catchup_stream), req->n_streams);
	buf_add(out, req->streams, req->n_streams * sizeof(struct catchup_stream));
}

bool catchup_wants(const struct catchup_request *req, enum event_kind kind,
		   const char symbol[SYMBOL_MAX], uint32_t timeframe_s)
{
	if (req->root.kinds && !(req->root.kinds >> kind & 1))
		return false;
	for (uint32_t i = 0; i < req->n_streams; i++) {
		const struct catchup_stream *s = &req->streams[i];

		if ((s->kind == CATCHUP_ANY_KIND || s->kind == kind) &&
		    (s->timeframe_s == 0 || s->timeframe_s == timeframe_s) &&
		    memcmp(s->symbol, symbol, SYMBOL_MAX) == 0)
			return true;
	}
	return req->n_streams == 0;
}
