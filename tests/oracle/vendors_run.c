/*
 * vendors_run - the adapters and sessions of vendors on files, printed as lines of
 * integers for vendors_oracle.py.
 *
 *	vendors_run ask     VENDOR WHAT SYMBOLS START END STEP ADJUST LIMIT FEED NEXT
 *	vendors_run parse   VENDOR WHAT SYMBOLS START END STEP ADJUST NEXT < BODY
 *	vendors_run problem VENDOR STATUS < BODY
 *	vendors_run stream  VENDOR SYMBOLS CHANNELS < MESSAGES, one a line
 *
 * The keys are "KEY" and "SECRET".  Texts are printed in hexadecimal.
 */
#include "base/err.h"
#include "feeds/stream.h"
#include "feeds/vendor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 64

static struct vendor_settings settings;
static char *names[SYMBOLS_MAX];
static size_t n_names;

static _Noreturn void die(const char *why)
{
	(void)fprintf(stderr, "vendors_run: %s\n", why);
	exit(2);
}

static void split(char *list)
{
	for (char *p = list; p && n_names < SYMBOLS_MAX;) {
		names[n_names++] = p;
		p = strchr(p, ',');
		if (p)
			*p++ = '\0';
	}
}

static void hex(const char *text)
{
	putchar(' ');
	if (*text == '\0')
		putchar('-');
	for (; *text; text++)
		printf("%02x", (unsigned char)*text);
}

static void print_tick(const struct feed_tick *t)
{
	const struct record *r = &t->rec;
	char cond[9] = "";

	memcpy(cond, r->cond, 8);
	printf("tick %.32s %lld %lld %lld %lld %lld %lld %lld %llu %llu %d %u",
	       t->symbol, (long long)r->event_ns, (long long)r->price_e9,
	       (long long)r->size_e8, (long long)r->bid_e9, (long long)r->ask_e9,
	       (long long)r->bid_size_e8, (long long)r->ask_size_e8,
	       (unsigned long long)r->source_seq, (unsigned long long)r->ref_seq,
	       record_action(r), record_flags(r));
	hex(cond);
	putchar('\n');
}

static void print_article(const struct hist_article *a)
{
	printf("article %lld %lld", (long long)a->created_ns, (long long)a->updated_ns);
	hex(a->id);
	hex(a->headline);
	hex(a->url);
	hex(a->publisher);
	for (uint32_t i = 0; i < a->n_symbols; i++)
		printf("%c%.32s", i ? ',' : ' ', a->symbols[i]);
	putchar('\n');
}

static void print_page(const struct vendor_page *p)
{
	const struct vendor_bar *b = (const struct vendor_bar *)p->bars.data;
	const struct hist_action *x = (const struct hist_action *)p->actions.data;
	const struct hist_article *n = (const struct hist_article *)p->articles.data;
	const struct feed_tick *t = (const struct feed_tick *)p->ticks.data;

	for (size_t i = 0; i < p->bars.len / sizeof(*b); i++)
		printf("bar %s %lld %lld %lld %lld %lld %lld %lld %lld\n",
		       names[b[i].symbol], (long long)b[i].bar.start_ns,
		       (long long)b[i].bar.open_e9, (long long)b[i].bar.high_e9,
		       (long long)b[i].bar.low_e9, (long long)b[i].bar.close_e9,
		       (long long)b[i].bar.volume_e8, (long long)b[i].bar.vwap_e9,
		       (long long)b[i].bar.trades);
	for (size_t i = 0; i < p->ticks.len / sizeof(*t); i++)
		print_tick(&t[i]);
	for (size_t i = 0; i < p->articles.len / sizeof(*n); i++)
		print_article(&n[i]);
	for (size_t i = 0; i < p->actions.len / sizeof(*x); i++)
		printf("action %s %u %d %lld %lld %lld\n", x[i].symbol, x[i].kind,
		       x[i].ex_date, (long long)x[i].numerator_e9,
		       (long long)x[i].denominator_e9, (long long)x[i].amount_e9);
	printf("skipped %llu\ncurrency", (unsigned long long)p->skipped);
	hex(p->currency);
	printf("\nnext");
	hex(p->next);
	putchar('\n');
}

static void read_all(struct buf *b)
{
	size_t n;

	do {
		n = fread(buf_reserve(b, 65536), 1, 65536, stdin);
		b->len += n;
	} while (n > 0);
}

static struct vendor_ask ask_of(char **arg)
{
	split(arg[1]);
	return (struct vendor_ask){.what = (enum vendor_what)atoi(arg[0]),
				   .symbols = (const char *const *)names,
				   .n_symbols = n_names,
				   .start_ns = strtoll(arg[2], NULL, 10),
				   .end_ns = strtoll(arg[3], NULL, 10),
				   .step_s = (uint32_t)atoi(arg[4]),
				   .adjust = (uint8_t)atoi(arg[5])};
}

static int run_ask(const struct vendor_ops *ops, char **arg)
{
	struct vendor_ask a = ask_of(arg);
	struct vendor_request r = {0};
	const char *p;

	a.limit = (uint32_t)atoi(arg[6]);
	(void)snprintf(settings.feed, sizeof(settings.feed), "%s", arg[7]);
	if (ops->request(&settings, &a, arg[8], &r) < 0) {
		printf("refused %s\n", err_text());
		return 0;
	}
	printf("target %s\n", buf_text(&r.target));
	p = (const char *)r.headers.data;
	for (size_t at = 0; at < r.headers.len; at += strlen(p + at) + 1)
		printf("header %s\n", p + at);
	vendor_request_free(&r);
	return 0;
}

static void print_problem(const struct vendor_ops *ops, long status,
			  const struct buf *b)
{
	struct vendor_problem p = {0};

	ops->problem(&settings, status, "", (const char *)b->data, b->len, &p);
	printf("problem %d %s\n", p.verdict, p.why);
}

static int run_parse(const struct vendor_ops *ops, char **arg)
{
	struct vendor_ask a = ask_of(arg);
	struct vendor_page p = {0};
	struct buf body = {0};

	read_all(&body);
	if (ops->parse(&settings, &a, arg[6], (const char *)body.data, body.len, &p) ==
	    0)
		print_page(&p);
	else
		print_problem(ops, 200, &body);
	vendor_page_free(&p);
	buf_free(&body);
	return 0;
}

static int on_tick(void *arg, const struct feed_tick *t)
{
	(void)arg;
	print_tick(t);
	return 0;
}

static void on_article(void *arg, const struct hist_article *a)
{
	(void)arg;
	print_article(a);
}

static void on_bad(void *arg, const char *why)
{
	(void)arg;
	printf("bad %s\n", why);
}

static void print_end(const struct stream_ops *ops, const struct stream *st)
{
	struct stream_counts c;
	struct vendor_problem p;

	ops->counts(st, &c);
	ops->problem(st, &p);
	printf("state %d ticks %llu bad %llu ignored %llu\n", ops->state(st),
	       (unsigned long long)c.ticks, (unsigned long long)c.bad,
	       (unsigned long long)c.ignored);
	if (ops->state(st) == STREAM_ENDED)
		printf("problem %d %s\n", p.verdict, p.why);
}

static int run_stream(const struct stream_ops *ops, char **arg)
{
	struct stream_sink sink = {NULL, on_tick, on_article, on_bad};
	struct stream_want w = {.symbols = (const char *const *)names};
	struct stream *st = NULL;
	struct buf out = {0};
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	split(arg[0]);
	w.n_symbols = n_names;
	w.trades = strchr(arg[1], 't') != NULL;
	w.quotes = strchr(arg[1], 'q') != NULL;
	w.news = strchr(arg[1], 'n') != NULL;
	if (ops->open(&settings, &w, &sink, &st) < 0)
		die(err_text());
	while ((len = getline(&line, &cap, stdin)) > 0) {
		out.len = 0;
		(void)ops->input(st, line, (size_t)len - 1, &out);
		for (size_t at = 0; at < out.len;
		     at += strlen((const char *)out.data + at) + 1)
			printf("say %s\n", (const char *)out.data + at);
	}
	print_end(ops, st);
	ops->close(st);
	free(line);
	buf_free(&out);
	return 0;
}

int main(int argc, char **argv)
{
	struct secret *key = NULL, *key_secret = NULL;
	struct buf body = {0};
	int rc = 2;

	if (argc < 4 || secret_new("KEY", 3, &key) < 0 ||
	    secret_new("SECRET", 6, &key_secret) < 0)
		die("see the head of vendors_run.c");
	settings.key = key;
	settings.key_secret = key_secret;
	if (strcmp(argv[1], "stream") == 0) {
		const struct stream_ops *ops = stream_find(argv[2]);

		if (ops && argc == 5)
			rc = run_stream(ops, argv + 3);
	} else {
		const struct vendor_ops *ops = vendor_find(argv[2]);

		if (ops && strcmp(argv[1], "ask") == 0 && argc == 12)
			rc = run_ask(ops, argv + 3);
		else if (ops && strcmp(argv[1], "parse") == 0 && argc == 10)
			rc = run_parse(ops, argv + 3);
		else if (ops && strcmp(argv[1], "problem") == 0 && argc == 4) {
			read_all(&body);
			print_problem(ops, atol(argv[3]), &body);
			buf_free(&body);
			rc = 0;
		}
	}
	secret_free(key);
	secret_free(key_secret);
	return rc;
}
