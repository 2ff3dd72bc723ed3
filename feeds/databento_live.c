/*
 * databento_live - Databento's live gateway: lines of text over TCP, then DBN.
 *
 *	OPEN ──cram──> AUTH ──success=1──> SUBSCRIBING ──metadata──> LIVE
 *
 * The key never goes over the line: it is hashed with the gateway's challenge, and of
 * itself only its last five characters say which key it is.  All subscriptions and the
 * start are sent at once; from then on every byte that comes is DBN.
 */
#include "base/err.h"
#include "base/sha256.h"
#include "feeds/dbn.h"
#include "feeds/stream_parts.h"
#include "feeds/vendor_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024
#define SYMBOLS_MAX    500 /* of one line */
#define BUCKET_CHARS   5
/* Shorter than any time after which we think a connection mute. */
#define HEARTBEAT_S 10

/* Codes of error records. */
enum {
	ERROR_AUTH = 1,
	ERROR_DEACTIVATED,
	ERROR_CONNECTIONS,
	ERROR_SYMBOLS,
	ERROR_SUBSCRIPTION,
	ERROR_INTERNAL,
	ERROR_SKIPPED,
};

struct session {
	struct stream st; /* first: a stream is its session */
	struct dbn *dbn;  /* owned */
	char dataset[HIST_FEED_MAX + 1];
	struct buf subscriptions; /* what will be sent once we are let in */
	char line[LINE_MAX_BYTES];
	size_t line_len;
	uint64_t lines;
};

static bool is_dataset(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.") == len;
}

static void subscribe(struct buf *out, const char *schema, const struct stream_want *w)
{
	size_t i = 0;

	while (i < w->n_symbols) {
		size_t first = i;

		buf_printf(out, "schema=%s|stype_in=raw_symbol|symbols=", schema);
		for (; i < w->n_symbols && i - first < SYMBOLS_MAX; i++)
			buf_printf(out, "%s%.*s", i > first ? "," : "", SYMBOL_MAX,
				   w->symbols[i]);
		buf_printf(out, "|snapshot=0|is_last=%d\n", i == w->n_symbols);
	}
}

static void close_session(struct stream *st)
{
	struct session *s = (void *)st;

	if (!st)
		return;
	dbn_free(s->dbn);
	buf_free(&s->subscriptions);
	stream_deinit(st);
	free(s);
}

static int check(const struct vendor_settings *s, const struct stream_want *w)
{
	if (w->news)
		return err_set(-EINVAL, "Databento has no news");
	if (!w->trades && !w->quotes)
		return err_set(-EINVAL, "Databento's stream is asked for nothing");
	if (!is_dataset(s->dataset))
		return err_set(-EINVAL,
			       "'%s' is no dataset of Databento like XNAS.ITCH",
			       s->dataset);
	if (s->key && secret_len(s->key) <= BUCKET_CHARS)
		return err_set(-EINVAL,
			       "Databento's key is shorter than any of theirs");
	return 0;
}

static int open_session(const struct vendor_settings *settings,
			const struct stream_want *w, const struct stream_sink *sink,
			struct stream **out)
{
	struct dbn_params p = {.take = (w->trades ? DBN_TRADES : 0u) |
				       (w->quotes ? DBN_QUOTES : 0u)};
	struct session *s;
	int rc = check(settings, w);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(-ENOMEM, "no memory for a stream");
	rc = stream_init(&s->st, &databento_live_ops, settings, w, sink);
	if (rc == 0)
		rc = dbn_new(&p, &s->dbn);
	if (rc < 0) {
		close_session(&s->st);
		return rc;
	}
	memcpy(s->dataset, settings->dataset, strlen(settings->dataset));
	if (w->trades)
		subscribe(&s->subscriptions, "trades", w);
	if (w->quotes)
		subscribe(&s->subscriptions, "mbp-1", w);
	*out = &s->st;
	return 0;
}

/* "CHALLENGE|KEY" hashed, and which key it was. */
static void send_auth(struct session *s, const char *challenge, struct buf *out)
{
	struct buf clear = {0};
	struct sha256 sha;
	uint8_t hash[32];

	(void)buf_reserve(&clear, 2048);
	secret_add(s->st.key, &clear);
	sha256_init(&sha);
	sha256_add(&sha, challenge, strlen(challenge));
	sha256_add(&sha, "|", 1);
	sha256_add(&sha, clear.data, clear.len);
	sha256_done(&sha, hash);

	buf_printf(out, "auth=");
	for (size_t i = 0; i < sizeof(hash); i++)
		buf_printf(out, "%02x", hash[i]);
	buf_printf(out,
		   "-%.*s|dataset=%s|encoding=dbn|compression=none|ts_out=0|"
		   "client=tickbus|heartbeat_interval_s=%d\n",
		   BUCKET_CHARS, (const char *)clear.data + clear.len - BUCKET_CHARS,
		   s->dataset, HEARTBEAT_S);
	secret_wipe(&clear);
	explicit_bzero(&sha, sizeof(sha));
	s->st.state = STREAM_AUTH;
}

/* The value of @name among "a=b|c=d", NUL-terminated in place of what follows. */
static const char *value_of(char *line, const char *name)
{
	size_t len = strlen(name);

	for (char *at = line; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			at[len + 1 + strcspn(at + len + 1, "|")] = '\0';
			return at + len + 1;
		}
	}
	return NULL;
}

static int refused(struct session *s, const char *why)
{
	bool is_full = strcasestr(why, "connection") || strcasestr(why, "session");

	return stream_end(&s->st, is_full ? VENDOR_RETRY : VENDOR_AUTH, why);
}

static int on_line(struct session *s, struct buf *out)
{
	char copy[LINE_MAX_BYTES];
	const char *value;

	s->lines++;
	memcpy(copy, s->line, s->line_len + 1);
	if (s->st.state == STREAM_OPEN) {
		value = value_of(s->line, "cram");
		if (value && *value)
			send_auth(s, value, out);
		else if (!value_of(copy, "lsg_version"))
			return stream_end(&s->st, VENDOR_GARBLED,
					  "the gateway does not greet as one of "
					  "Databento's");
		return 0;
	}
	value = value_of(s->line, "success");
	if (!value) {
		s->st.counts.ignored++;
		return 0;
	}
	if (strcmp(value, "1") != 0) {
		value = value_of(copy, "error");
		return refused(s, value ? value : "the login was refused");
	}
	buf_add(out, s->subscriptions.data, s->subscriptions.len);
	buf_printf(out, "start_session\n");
	s->st.state = STREAM_SUBSCRIBING;
	return 0;
}

/* The lines in front; what follows the last of them stays at *at. */
static int take_lines(struct session *s, const char *data, size_t len, size_t *at,
		      struct buf *out)
{
	while (*at < len && s->st.state < STREAM_SUBSCRIBING) {
		char c = data[(*at)++];
		int rc;

		if (c != '\n') {
			if (s->line_len == LINE_MAX_BYTES - 1 || c == '\0')
				return stream_end(
					&s->st, VENDOR_GARBLED,
					"a line of the gateway is too long or "
					"no text");
			s->line[s->line_len++] = c;
			continue;
		}
		if (s->line_len > 0 && s->line[s->line_len - 1] == '\r')
			s->line_len--;
		s->line[s->line_len] = '\0';
		rc = on_line(s, out);
		s->line_len = 0;
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	struct session *s = arg;
	struct feed_tick copy = *t;
	char symbol[SYMBOL_MAX + 1] = "";

	memcpy(symbol, t->symbol, SYMBOL_MAX);
	return stream_tick(&s->st, symbol, &copy);
}

static int on_bad(void *arg, uint64_t record, const char *why)
{
	struct session *s = arg;
	char text[FEED_WHY_MAX + 64];

	(void)snprintf(text, sizeof(text), "databento record %llu: %s",
		       (unsigned long long)record, why);
	stream_bad(&s->st, text);
	return 0;
}

/* What we were told to have missed is a hole: a new connection makes it known. */
static int on_error(struct session *s, uint8_t code, const char *why)
{
	switch (code) {
	case ERROR_AUTH:
	case ERROR_DEACTIVATED:
		return stream_end(&s->st, VENDOR_AUTH, why);
	case ERROR_CONNECTIONS:
	case ERROR_INTERNAL:
	case ERROR_SKIPPED:
		return stream_end(&s->st, VENDOR_RETRY, why);
	case ERROR_SUBSCRIPTION:
		return stream_end(&s->st, VENDOR_REFUSED, why);
	default: /* ERROR_SYMBOLS as well: the others go on */
		stream_bad(&s->st, why);
		return 0;
	}
}

static int on_message(void *arg, const struct dbn_message *m)
{
	struct session *s = arg;
	char why[DBN_TEXT_MAX];

	if (m->text[0] != '\0')
		memcpy(why, m->text, sizeof(why));
	else
		(void)snprintf(why, sizeof(why), "code %u, without a word", m->code);
	if (m->is_error)
		return on_error(s, m->code, why);
	if (m->code == DBN_SLOW_READER)
		stream_bad(&s->st, why);
	return 0;
}

static int take_records(struct session *s, const char *data, size_t len)
{
	const struct dbn_sink sink = {
		.arg = s, .tick = on_tick, .message = on_message, .bad = on_bad};
	const struct dbn_counts *c = dbn_counts(s->dbn);
	uint64_t before = c->skipped + c->empty;
	size_t used;
	int rc = dbn_read(s->dbn, &sink, data, len, &used);

	s->st.counts.ignored += c->skipped + c->empty - before;
	if (s->st.state == STREAM_SUBSCRIBING && dbn_metadata(s->dbn)->version != 0)
		s->st.state = STREAM_LIVE;
	/* Nothing behind broken bytes can be trusted. */
	return rc == -EBADMSG ? stream_end(&s->st, VENDOR_RETRY, err_text()) : rc;
}

static int input(struct stream *st, const char *data, size_t len, struct buf *out)
{
	struct session *s = (void *)st;
	size_t at = 0;
	int rc;

	if (st->state == STREAM_ENDED)
		return err_set(-EPROTO, "%s", st->problem.why);
	rc = take_lines(s, data, len, &at, out);
	if (rc == 0 && at < len)
		rc = take_records(s, data + at, len - at);
	st->counts.messages = s->lines + dbn_counts(s->dbn)->records;
	return rc;
}

const struct stream_ops databento_live_ops = {
	.name = "databento",
	.is_websocket = false,
	.open = open_session,
	.close = close_session,
	.input = input,
	.state = stream_state_of,
	.problem = stream_problem,
	.counts = stream_counts_of,
};
