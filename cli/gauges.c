/* gauges - see gauges.h. */
#include "cli/gauges.h"
#include "base/err.h"
#include "cli/query.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH  40
#define DEPTH_MAX   4
#define BUSIEST_MAX 10

static const char *const titles[] = {[GAUGE_LOSS] = "LOST, LATE, REFUSED",
				     [GAUGE_FLOW] = "FLOW",
				     [GAUGE_LATENCY] = "LATENCY",
				     [GAUGE_STATE] = "LAG AND BUFFERS",
				     [GAUGE_SYMBOL] = "BUSIEST SYMBOLS"};

int gauges_init(struct gauges *g)
{
	*g = (struct gauges){.at = calloc(GAUGES_MAX, sizeof(*g->at))};
	return g->at == NULL ? err_set(-ENOMEM, "no memory for metrics") : 0;
}

void gauges_deinit(struct gauges *g)
{
	free(g->at);
	*g = (struct gauges){0};
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n >= m && strcmp(text + n - m, with) == 0;
}

/* A counter's kind by the words in its name. */
static bool is_loss(const char *name)
{
	static const char *const words[] = {
		"dropped",  "lapped", "lost",   "reject", "refused",  "full",
		"gone",     "busy",   "late_",  "error",  "flooded",  "skipped",
		"misses",   "fault",  "stalls", "bad_",   "no_space", "blocked",
		"restarts", "waits",  "losses"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(name, words[i]) != NULL)
			return true;
	return false;
}

static void classify(struct gauge *e)
{
	size_t bare = strcspn(e->name, "{");
	bool total = bare > 6 && memcmp(e->name + bare - 6, "_total", 6) == 0;

	e->is_counter = total;
	if (begins(e->name, "symbols.")) {
		e->section = ends(e->name, "_seq") ? GAUGE_SYMBOL : GAUGE_HIDDEN;
		e->is_counter = true;
	} else if (begins(e->name, "threads.")) {
		/* Seconds a second: how busy a thread is. */
		e->section = GAUGE_FLOW;
		e->is_counter = true;
	} else if (begins(e->name, "latency.")) {
		e->section = GAUGE_LATENCY;
	} else if (begins(e->name, "published.") ||
		   strcmp(e->name, "sampled_ns") == 0 ||
		   (begins(e->name, "drops.") &&
		    !ends(e->name, ".ticks_rejected_total")) ||
		   (begins(e->name, "counters.") && strstr(e->name, "nanoseconds"))) {
		e->section = GAUGE_HIDDEN; /* the counters say the same */
	} else if (begins(e->name, "workers.") && !ends(e->name, "_items") &&
		   !ends(e->name, "_bytes")) {
		e->section = GAUGE_HIDDEN;
	} else if (total) {
		e->section = is_loss(e->name) ? GAUGE_LOSS : GAUGE_FLOW;
	} else {
		e->section = GAUGE_STATE;
	}
}

static void add(struct gauges *g, const char *name, double value)
{
	struct gauge *e;

	if (g->n == GAUGES_MAX) {
		g->dropped++;
		return;
	}
	e = &g->at[g->n++];
	(void)snprintf(e->name, sizeof(e->name), "%s", name);
	e->value = value;
	classify(e);
}

/* What an element of an array is called: its symbol, or its number. */
static void element_name(const struct json_token *element, unsigned i, char *out,
			 size_t cap)
{
	struct json_token symbol;

	if (element->type == JSON_OBJECT && query_member(element, "symbol", &symbol))
		(void)query_text(&symbol, out, cap);
	else
		(void)snprintf(out, cap, "%u", i);
}

struct level {
	struct query_walk walk;
	size_t prefix;
	unsigned i;
};

void gauges_read(struct gauges *g, const struct json_token *answer)
{
	struct level level[DEPTH_MAX];
	char name[GAUGES_NAME_MAX * 2];
	struct json_token key, value;
	size_t depth = 1;

	g->n = 0;
	g->dropped = 0;
	level[0] = (struct level){0};
	if (!query_walk(&level[0].walk, answer))
		return;
	while (depth > 0) {
		struct level *l = &level[depth - 1];
		size_t room = sizeof(name) - l->prefix, len;

		if (!query_next(&l->walk, &key, &value)) {
			depth--;
			continue;
		}
		if (room > GAUGES_NAME_MAX)
			room = GAUGES_NAME_MAX;
		if (l->walk.is_object)
			(void)query_text(&key, name + l->prefix, room);
		else
			element_name(&value, l->i++, name + l->prefix, room);
		len = strlen(name);
		if (value.type == JSON_NUMBER) {
			add(g, name, query_number(&value, 0.0));
		} else if ((value.type == JSON_OBJECT || value.type == JSON_ARRAY) &&
			   depth < DEPTH_MAX && len + 2 < sizeof(name)) {
			level[depth] = (struct level){.prefix = len + 1};
			(void)query_walk(&level[depth++].walk, &value);
			name[len] = '.';
		}
	}
}

double gauges_value(const struct gauges *g, const char *name, double otherwise)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->at[i].name, name) == 0)
			return g->at[i].value;
	return otherwise;
}

/* 1234567 as "1,234,567"; fractions with four digits. */
static void print_value(char out[32], double v)
{
	char digits[32];
	size_t at = 0;
	int len;

	if (v != floor(v) || fabs(v) >= 1e15) {
		(void)snprintf(out, 32, "%.4g", v);
		return;
	}
	len = snprintf(digits, sizeof(digits), "%.0f", v);
	for (int i = 0; i < len && at < 30; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

/* "counters.published_total{kind="bar"}" as "published kind=bar". */
static void print_name(char out[GAUGES_NAME_MAX], const struct gauge *e)
{
	const char *name = e->name;
	size_t n = 0, bare, cut;

	if (begins(name, "counters.") || begins(name, "drops."))
		name = strchr(name, '.') + 1;
	bare = strcspn(name, "{");
	cut = bare > 6 && memcmp(name + bare - 6, "_total", 6) == 0 ? bare - 6 : bare;
	for (size_t i = 0; name[i]; i++) {
		char c = name[i];

		if (i >= cut && i < bare)
			continue;
		if (c == '{' || c == ',' || c == '.' || c == '_')
			c = ' ';
		if (c != '}' && c != '"')
			out[n++] = c;
	}
	out[n] = '\0';
}

/* Shares of a short page, in sixteenths; what one leaves free goes to the next. */
static const unsigned shares[] = {
	[GAUGE_LOSS] = 3, [GAUGE_FLOW] = 5, [GAUGE_LATENCY] = 3, [GAUGE_STATE] = 2};

/* The page being written. */
struct page {
	struct buf *out;
	const struct gauges *before;
	const struct gauges_view *view;
	double seconds;
	unsigned rows;
	unsigned rows_max; /* so far; 0: no bound */
	unsigned hidden;
};

/* Begin a line; false when the page is full. */
static bool begin_line(struct page *p)
{
	if (p->rows_max > 0 && p->rows + 1 >= p->rows_max) {
		p->hidden++;
		return false;
	}
	p->rows++;
	return true;
}

static void end_line(struct page *p)
{
	buf_printf(p->out, p->view->ansi ? "\033[K\n" : "\n");
}

static double rate_of(const struct page *p, const struct gauge *e)
{
	double then = gauges_value(p->before, e->name, NAN);

	if (!e->is_counter || isnan(then) || p->seconds <= 0.0 || e->value < then)
		return NAN;
	return (e->value - then) / p->seconds;
}

static void show_one(struct page *p, const struct gauge *e)
{
	char name[GAUGES_NAME_MAX], value[32], rate[32];
	double per_s = rate_of(p, e);

	print_name(name, e);
	print_value(value, e->value);
	buf_printf(p->out, "  %-*.*s %16s", NAME_WIDTH, NAME_WIDTH, name, value);
	if (!isnan(per_s)) {
		print_value(rate, round(per_s));
		buf_printf(p->out, " %14s/s", rate);
	}
	end_line(p);
}

/* Not worth a line of a short page: what stands still, and what is 0. */
static bool is_idle(const struct page *p, const struct gauge *e)
{
	if (p->view->all)
		return false;
	if (e->is_counter && e->value == 0.0)
		return true;
	if (p->view->rows == 0)
		return false;
	if (e->section == GAUGE_FLOW)
		return rate_of(p, e) == 0.0;
	return e->value == 0.0;
}

static void show_section(struct page *p, const struct gauges *now, enum gauge_section s)
{
	bool titled = false;

	for (size_t i = 0; i < now->n; i++) {
		const struct gauge *e = &now->at[i];

		if (e->section != s || is_idle(p, e))
			continue;
		if (!titled && begin_line(p)) {
			buf_printf(p->out, "%s", titles[s]);
			end_line(p);
			titled = true;
		}
		if (begin_line(p))
			show_one(p, e);
	}
}

/* A few with the highest rate of ticks, by insertion: there are only ten to keep. */
static size_t busiest(struct page *p, const struct gauges *now,
		      const struct gauge *best[BUSIEST_MAX])
{
	double rates[BUSIEST_MAX];
	size_t n = 0;

	for (size_t i = 0; i < now->n; i++) {
		const struct gauge *e = &now->at[i];
		double rate = rate_of(p, e);
		size_t at = n;

		if (e->section != GAUGE_SYMBOL || !ends(e->name, ".tick_seq") ||
		    !(rate > 0.0))
			continue;
		while (at > 0 && rates[at - 1] < rate)
			at--;
		if (at == BUSIEST_MAX)
			continue;
		n += n < BUSIEST_MAX;
		memmove(rates + at + 1, rates + at, (n - at - 1) * sizeof(*rates));
		memmove(best + at + 1, best + at, (n - at - 1) * sizeof(*best));
		rates[at] = rate;
		best[at] = e;
	}
	return n;
}

static void show_symbols(struct page *p, const struct gauges *now)
{
	const struct gauge *best[BUSIEST_MAX];
	size_t n = busiest(p, now, best);

	if (n > 0 && begin_line(p)) {
		buf_printf(p->out, "%s", titles[GAUGE_SYMBOL]);
		end_line(p);
	}
	for (size_t i = 0; i < n; i++) {
		const char *symbol = best[i]->name + strlen("symbols.");
		char rate[32], total[32];

		if (!begin_line(p))
			continue;
		print_value(rate, round(rate_of(p, best[i])));
		print_value(total, best[i]->value);
		buf_printf(p->out, "  %-*.*s %16s %14s/s", NAME_WIDTH,
			   (int)(strlen(symbol) - strlen(".tick_seq")), symbol, total,
			   rate);
		end_line(p);
	}
}

void gauges_show(struct buf *out, const struct gauges *before, const struct gauges *now,
		 double seconds, const struct gauges_view *view)
{
	struct page p = {
		.out = out, .before = before, .view = view, .seconds = seconds};

	/* What needs someone comes first: a short terminal cuts the end. */
	for (int s = GAUGE_LOSS; s <= GAUGE_STATE; s++) {
		p.rows_max += (view->rows * shares[s] + 8) / 16;
		show_section(&p, now, (enum gauge_section)s);
	}
	p.rows_max = view->rows;
	show_symbols(&p, now);
	if (p.hidden > 0) {
		buf_printf(out, "  %u more lines do not fit", p.hidden);
		end_line(&p);
	}
}
