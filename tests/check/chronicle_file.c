/* chronicle_file - see chronicle_file.h. */
#include "tests/check/chronicle_file.h"
#include "base/clock.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16u

struct line {
	char *word[WORDS_MAX];
	unsigned n;
	struct buf bytes; /* of the last word, decoded on demand */
};

static void split(struct line *l, char *text)
{
	l->n = 0;
	while (l->n < WORDS_MAX) {
		text += strspn(text, " \t\n");
		if (*text == '\0')
			return;
		l->word[l->n++] = text;
		text += strcspn(text, " \t\n");
		if (*text != '\0')
			*text++ = '\0';
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex(struct line *l, unsigned i)
{
	const char *s = l->word[i];
	size_t n = strlen(s);

	l->bytes.len = 0;
	if (n % 2 != 0)
		return false;
	for (size_t k = 0; k < n; k += 2) {
		int hi = digit(s[k]), lo = digit(s[k + 1]);
		uint8_t byte = (uint8_t)(hi << 4 | lo);

		if (hi < 0 || lo < 0)
			return false;
		buf_add(&l->bytes, &byte, 1);
	}
	return true;
}

static uint64_t number(const struct line *l, unsigned i)
{
	return strtoull(l->word[i], NULL, 10);
}

static int64_t ms(const struct line *l, unsigned i)
{
	return (int64_t)number(l, i) * NS_PER_MS;
}

static bool take_durability(struct chronicle *c, struct line *l)
{
	c->config.is_normal = strcmp(l->word[1], "normal") == 0;
	c->config.sync_interval_ns = ms(l, 2);
	return c->config.is_normal || strcmp(l->word[1], "full") == 0;
}

static bool take_bars(struct chronicle *c, struct line *l)
{
	c->config.grace_ns = ms(l, 1);
	c->config.revision_window_ns = ms(l, 2);
	for (unsigned i = 3; i < l->n && i - 3 < CHRONICLE_FRAMES_MAX; i++)
		c->config.timeframes_s[c->config.n_timeframes++] =
			(uint32_t)number(l, i);
	return true;
}

static bool take_universe(struct chronicle *c, struct line *l)
{
	c->config.universe_timeframe_s = (uint32_t)number(l, 1);
	c->config.universe_window = (uint32_t)number(l, 2);
	c->config.universe_min_obs = (uint32_t)number(l, 3);
	return true;
}

static bool take_start(struct chronicle *c, struct line *l)
{
	const struct chronicle_life life = {.start_ns = ms(l, 1),
					    .epoch = number(l, 2),
					    .last_pos = number(l, 3),
					    .lost_first = number(l, 4),
					    .lost_last = number(l, 5)};

	chronicle_started(c, &life);
	return true;
}

static const char *const ends[] = {"runs", "stopped", "killed", "power"};

static bool take_end(struct chronicle *c, struct line *l)
{
	for (int i = CHRONICLE_STOPPED; i <= CHRONICLE_POWER; i++) {
		if (strcmp(l->word[2], ends[i]) != 0)
			continue;
		chronicle_ended(c, (enum chronicle_end)i, ms(l, 1));
		return true;
	}
	return false;
}

static bool take_request(struct chronicle *c, struct line *l)
{
	if (!hex(l, 3))
		return false;
	(void)chronicle_request(c, chronicle_producer(c, l->word[1]), ms(l, 2),
				l->bytes.data, l->bytes.len);
	return true;
}

static bool take_reply(struct chronicle *c, struct line *l)
{
	uint32_t producer = chronicle_producer(c, l->word[1]);
	size_t i = c->n_calls;

	while (i > 0 && c->calls[i - 1].producer != producer)
		i--;
	if (i == 0 || !hex(l, 3))
		return false;
	chronicle_reply(c, i - 1, ms(l, 2), l->bytes.data, l->bytes.len);
	return true;
}

static bool take_frame(struct chronicle *c, struct line *l)
{
	unsigned how = l->word[0][0] == 'g'   ? CHRONICLE_GIVEN
		       : l->word[0][0] == 'l' ? CHRONICLE_LIVE
					      : CHRONICLE_SEEN;

	return hex(l, 2) && chronicle_frame(c, chronicle_subscriber(c, l->word[1]), how,
					    l->bytes.data, l->bytes.len);
}

static bool take_complete(struct chronicle *c, struct line *l)
{
	c->subscribers[chronicle_subscriber(c, l->word[1])].is_complete = true;
	return true;
}

static bool take_record(struct chronicle *c, struct line *l)
{
	struct chronicle_record r = {
		.pos = number(l, 1), .producer = CHRONICLE_DAEMON, .seq = number(l, 3)};

	if (strcmp(l->word[2], "-") != 0)
		r.producer = chronicle_producer(c, l->word[2]);
	if (!hex(l, 4) || l->bytes.len != sizeof(r.rec))
		return false;
	memcpy(&r.rec, l->bytes.data, sizeof(r.rec));
	chronicle_record(c, &r);
	return true;
}

static bool take_symbol(struct chronicle *c, struct line *l)
{
	chronicle_symbol(c, (uint32_t)number(l, 1), l->word[2]);
	return true;
}

static bool take_source(struct chronicle *c, struct line *l)
{
	chronicle_source(c, (uint32_t)number(l, 1), l->word[2]);
	return true;
}

static const struct {
	const char *word;
	unsigned n; /* words, at least */
	bool (*take)(struct chronicle *c, struct line *l);
} kinds[] = {
	{"durability", 3, take_durability},
	{"bars", 4, take_bars},
	{"universe", 4, take_universe},
	{"start", 6, take_start},
	{"end", 3, take_end},
	{"request", 4, take_request},
	{"reply", 4, take_reply},
	{"seen", 3, take_frame},
	{"given", 3, take_frame},
	{"live", 3, take_frame},
	{"complete", 2, take_complete},
	{"record", 5, take_record},
	{"symbol", 3, take_symbol},
	{"source", 3, take_source},
};

static bool take(struct chronicle *c, struct line *l)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(l->word[0], kinds[i].word) == 0)
			return l->n >= kinds[i].n && kinds[i].take(c, l);
	return false;
}

size_t chronicle_read(FILE *in, struct chronicle *out, const char **why)
{
	struct line l = {0};
	char *text = NULL;
	size_t cap = 0, n = 0;
	bool fine = true;

	while (fine && getline(&text, &cap, in) > 0) {
		n++;
		split(&l, text);
		if (n == 1) {
			fine = l.n == 2 &&
			       strcmp(l.word[0], "tickbus-chronicle") == 0 &&
			       strcmp(l.word[1], "1") == 0;
			*why = "a chronicle begins with 'tickbus-chronicle 1'";
			continue;
		}
		if (l.n > 0) {
			fine = take(out, &l);
			*why = "no such line, a word is missing, or its bytes are bad";
		}
	}
	buf_free(&l.bytes);
	free(text);
	if (n == 0)
		*why = "the file is empty";
	return fine && n > 0 ? 0 : n > 0 ? n : 1;
}

/* ---- writing ---- */

static void put_hex(FILE *out, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", p[i]);
	(void)fputc('\n', out);
}

static void write_call(const struct chronicle *c, const struct chronicle_call *x,
		       FILE *out)
{
	const char *name = c->producers[x->producer].name;

	fprintf(out, "request %s %" PRId64 " ", name, x->sent_ns / NS_PER_MS);
	put_hex(out, chronicle_at(c, x->request_at), x->request_len);
	if (!x->answered)
		return;
	fprintf(out, "reply %s %" PRId64 " ", name, x->answered_ns / NS_PER_MS);
	put_hex(out, chronicle_at(c, x->reply_at), x->reply_len);
}

static void write_event(const struct chronicle *c, const struct chronicle_event *e,
			FILE *out)
{
	size_t cap = e->len + 1024;
	void *data = malloc(cap);
	struct frame f;

	if (data == NULL)
		abort();
	frame_begin(&f, data, cap, (enum event_kind)e->kind, e->epoch);
	(void)frame_add(&f, chronicle_at(c, e->at));
	fprintf(out, "%s %s ",
		e->how & CHRONICLE_GIVEN  ? "given"
		: e->how & CHRONICLE_LIVE ? "live"
					  : "seen",
		c->subscribers[e->subscriber].name);
	put_hex(out, data, frame_seal(&f, 0, 0));
	free(data);
}

static void write_beat(const struct chronicle *c, const struct chronicle_beat *b,
		       FILE *out)
{
	uint8_t data[1024];
	struct frame f;

	frame_heartbeat_begin(&f, data, sizeof(data), (enum event_kind)b->kind,
			      b->epoch, b->beat.pos);
	(void)frame_heartbeat_add(&f, &b->beat);
	fprintf(out, "live %s ", c->subscribers[b->subscriber].name);
	put_hex(out, data, frame_heartbeat_seal(&f, 0, 0));
}

static void write_life(const struct chronicle *c, size_t i, FILE *out)
{
	const struct chronicle_life *l = &c->lives[i];

	if (i > 0 && l[-1].end != CHRONICLE_RUNS)
		fprintf(out, "end %" PRId64 " %s\n", l[-1].end_ns / NS_PER_MS,
			ends[l[-1].end]);
	fprintf(out,
		"start %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		l->start_ns / NS_PER_MS, l->epoch, l->last_pos, l->lost_first,
		l->lost_last);
}

static void write_head(const struct chronicle *c, FILE *out)
{
	const struct chronicle_config *g = &c->config;

	fprintf(out, "tickbus-chronicle 1\ndurability %s %" PRId64 "\n",
		g->is_normal ? "normal" : "full", g->sync_interval_ns / NS_PER_MS);
	if (g->n_timeframes > 0) {
		fprintf(out, "bars %" PRId64 " %" PRId64, g->grace_ns / NS_PER_MS,
			g->revision_window_ns / NS_PER_MS);
		for (uint32_t i = 0; i < g->n_timeframes; i++)
			fprintf(out, " %u", g->timeframes_s[i]);
		(void)fputc('\n', out);
	}
	if (g->universe_window > 0)
		fprintf(out, "universe %u %u %u\n", g->universe_timeframe_s,
			g->universe_window, g->universe_min_obs);
}

static void write_log(const struct chronicle *c, FILE *out)
{
	for (size_t i = 0; i < c->n_symbols; i++)
		fprintf(out, "symbol %zu %.32s\n", i, c->symbols[i]);
	for (size_t i = 1; i < c->n_sources; i++)
		fprintf(out, "source %zu %.32s\n", i, c->sources[i]);
	for (size_t i = 0; i < c->n_records; i++) {
		const struct chronicle_record *r = &c->records[i];

		fprintf(out, "record %" PRIu64 " %s %" PRIu64 " ", r->pos,
			r->producer == CHRONICLE_DAEMON
				? "-"
				: c->producers[r->producer].name,
			r->seq);
		put_hex(out, &r->rec, sizeof(r->rec));
	}
}

/* A reply is written behind its request: happenings between the two go before both. */
void chronicle_write(const struct chronicle *c, FILE *out)
{
	size_t life = 0, call = 0, event = 0, beat = 0;

	write_head(c, out);
	for (uint64_t order = 1; order <= c->order; order++) {
		if (life < c->n_lives && c->lives[life].order == order)
			write_life(c, life++, out);
		else if (call < c->n_calls && c->calls[call].order == order)
			write_call(c, &c->calls[call++], out);
		else if (event < c->n_events && c->events[event].order == order)
			write_event(c, &c->events[event++], out);
		else if (beat < c->n_beats && c->beats[beat].order == order)
			write_beat(c, &c->beats[beat++], out);
	}
	if (life > 0 && c->lives[life - 1].end != CHRONICLE_RUNS)
		fprintf(out, "end %" PRId64 " %s\n",
			c->lives[life - 1].end_ns / NS_PER_MS,
			ends[c->lives[life - 1].end]);
	for (uint32_t i = 0; i < c->n_subscribers; i++)
		if (c->subscribers[i].is_complete)
			fprintf(out, "complete %s\n", c->subscribers[i].name);
	write_log(c, out);
}
