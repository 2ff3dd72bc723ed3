/*
 * asker NAME=VALUE ... < QUESTIONS
 *
 *	vendor=alpaca base=http://127.0.0.1:8080 [feed= dataset= ca=FILE]
 *	[attempts= backoff_ms= wait_max_ms= in_flight= requests= per_ms= seed=]
 *	[stall_ms= total_ms= body_max= strict=1 pages= quiet=1 resolve=1 target= form=]
 *
 * A line of input is a question: WHAT SYMBOL,SYMBOL START_NS END_NS STEP_S ADJUST
 *LIMIT. All are asked at once.  With target= (and form=) the first request of each is
 *that one with the adapter's headers, and only its reading is the adapter's: for
 *questions that tickbus never asks.  Keys: ASK_KEY and ASK_SECRET in the environment.
 * strict=1: neither http:// nor private addresses.
 */
#include "asker.h"
#include "base/clock.h"
#include "base/err.h"
#include "feeds/vendor_parts.h"
#include <stdlib.h>
#include <string.h>

#define QUESTIONS_MAX 2000
#define SYMBOLS_MAX   200

struct question_line {
	struct asker *asker;
	size_t index;
	struct vendor_ask ask;
	const char *symbols[SYMBOLS_MAX];
	char text[4096];
	bool is_over;
	int64_t began_ns;
};

static struct asker asker; /* of its one thread; vendor_ops carry no argument */

static int check(const struct vendor_settings *s, const struct vendor_ask *a)
{
	(void)s;
	(void)a;
	return 0;
}

/* The given target; the adapter's headers; behind the first page what it would add. */
static int request(const struct vendor_settings *s, const struct vendor_ask *a,
		   const char *next, struct vendor_request *out)
{
	bool is_alpaca = strcmp(asker.vendor->name, "alpaca") == 0;
	int rc;

	if (next[0] != '\0' && !is_alpaca)
		return asker.vendor->request(s, a, next, out);
	rc = asker.vendor->request(s, a, next, out);
	if (rc < 0)
		return rc;
	out->target.len = 0;
	buf_printf(&out->target, "%s", asker.target);
	if (next[0] != '\0')
		vendor_param(&out->target, "page_token", next);
	if (asker.form) {
		out->is_post = true;
		out->form.len = 0;
		buf_printf(&out->form, "%s", asker.form);
	}
	return 0;
}

static int on_news(void *arg, const struct fetch_news *n)
{
	struct question_line *q = arg;
	struct asker *a = q->asker;
	int64_t took_ns = clock_mono_ns() - q->began_ns;

	if (n->state == FETCH_PAGE) {
		asker_print_page(a, q->index, n);
		if (a->pages == 0 || n->pages < a->pages)
			return 0;
	}
	q->is_over = true;
	asker_print_end(a, q->index, n,
			n->state == FETCH_DONE     ? "done"
			: n->state == FETCH_FAILED ? "failed"
						   : "stopped",
			took_ns);
	return 1;
}

static int option_number(struct asker *a, const char *name, int64_t v)
{
	struct fetcher_params *f = &a->fetch;

	if (strcmp(name, "attempts") == 0)
		f->attempts = (uint32_t)v;
	else if (strcmp(name, "backoff_ms") == 0)
		f->backoff_ns = v * NS_PER_MS;
	else if (strcmp(name, "wait_max_ms") == 0)
		f->wait_max_ns = v * NS_PER_MS;
	else if (strcmp(name, "in_flight") == 0)
		f->in_flight = (uint32_t)v;
	else if (strcmp(name, "requests") == 0)
		f->requests = (uint32_t)v;
	else if (strcmp(name, "per_ms") == 0)
		f->per_ns = v * NS_PER_MS;
	else if (strcmp(name, "seed") == 0)
		f->seed = (uint64_t)v;
	else if (strcmp(name, "stall_ms") == 0)
		a->http.stall_ns = v * NS_PER_MS;
	else if (strcmp(name, "total_ms") == 0)
		a->http.total_ns = v * NS_PER_MS;
	else if (strcmp(name, "body_max") == 0)
		a->http.body_max = (uint64_t)v;
	else if (strcmp(name, "pages") == 0)
		a->pages = (uint32_t)v;
	else if (strcmp(name, "quiet") == 0)
		a->is_quiet = v != 0;
	else if (strcmp(name, "resolve") == 0)
		a->is_resolving = v != 0;
	else if (strcmp(name, "strict") == 0)
		a->http.plain_allowed = a->http.private_allowed = v == 0;
	else
		return 1;
	return 0;
}

static int option(struct asker *a, char *text)
{
	struct vendor_settings *s = &a->fetch.settings;
	char *value = strchr(text, '=');

	if (!value)
		return 1;
	*value++ = '\0';
	if (strcmp(text, "vendor") == 0) {
		a->vendor = vendor_find(value);
		(void)snprintf(s->name, sizeof(s->name), "%s", value);
		return a->vendor ? 0 : 1;
	}
	if (strcmp(text, "base") == 0)
		(void)snprintf(s->base_url, sizeof(s->base_url), "%s", value);
	else if (strcmp(text, "feed") == 0)
		(void)snprintf(s->feed, sizeof(s->feed), "%s", value);
	else if (strcmp(text, "dataset") == 0)
		(void)snprintf(s->dataset, sizeof(s->dataset), "%s", value);
	else if (strcmp(text, "ca") == 0)
		a->http.ca_file = value;
	else if (strcmp(text, "target") == 0)
		a->target = value;
	else if (strcmp(text, "form") == 0)
		a->form = value;
	else
		return option_number(a, text, strtoll(value, NULL, 10));
	return 0;
}

static int key(const char *name, const struct secret **out)
{
	const char *text = getenv(name);
	struct secret *s;
	int rc;

	if (!text)
		return 0;
	rc = secret_new(text, strlen(text), &s);
	if (rc == 0)
		*out = s;
	return rc;
}

/* The next word of a question; "" at its end. */
static char *word(char **at)
{
	char *w = strsep(at, " \n");

	return w ? w : "";
}

static int read_question(struct question_line *q)
{
	static const char *const whats[] = {"bars", "trades", "quotes", "news",
					    "actions"};
	char *at = q->text, *what = word(&at), *symbols = word(&at), *one;

	while (q->ask.what < VENDOR_WHATS && strcmp(what, whats[q->ask.what]) != 0)
		q->ask.what++;
	if (q->ask.what == VENDOR_WHATS)
		return err_set(-1, "'%s' is nothing to ask for", what);
	while ((one = strsep(&symbols, ",")) != NULL && q->ask.n_symbols < SYMBOLS_MAX)
		q->symbols[q->ask.n_symbols++] = one;
	q->ask.symbols = q->symbols;
	q->ask.start_ns = strtoll(word(&at), NULL, 10);
	q->ask.end_ns = strtoll(word(&at), NULL, 10);
	q->ask.step_s = (uint32_t)strtoul(word(&at), NULL, 10);
	q->ask.adjust = (uint8_t)strtoul(word(&at), NULL, 10);
	q->ask.limit = (uint32_t)strtoul(word(&at), NULL, 10);
	return 0;
}

static int ask_all(struct asker *a, struct fetcher *f, struct question_line *lines)
{
	size_t n = 0;

	while (n < QUESTIONS_MAX &&
	       fgets(lines[n].text, sizeof(lines[n].text), stdin)) {
		struct question_line *q = &lines[n];
		int rc;

		q->asker = a;
		q->index = n++;
		q->began_ns = clock_mono_ns();
		rc = read_question(q);
		if (rc == 0)
			rc = fetcher_ask(f, &q->ask, on_news, q, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int run(struct asker *a, struct http_pool *http, struct fetcher *f)
{
	int64_t began_ns = clock_mono_ns();
	struct fetch_counts counts;
	int rc = 0;

	while (rc >= 0 && fetcher_open(f) > 0) {
		int64_t wait_ns = fetcher_step(f, clock_mono_ns());

		if (wait_ns < 0 || wait_ns > NS_PER_S)
			wait_ns = NS_PER_S;
		rc = http_step(http, wait_ns);
	}
	fetcher_counts(f, &counts);
	asker_print_counts(a, &counts, clock_mono_ns() - began_ns);
	return rc;
}

int main(int argc, char **argv)
{
	struct question_line *lines = calloc(QUESTIONS_MAX, sizeof(*lines));
	struct vendor_settings *s = &asker.fetch.settings;
	struct http_pool *http = NULL;
	struct fetcher *f = NULL;
	int rc = lines ? 0 : -1;

	asker.http.plain_allowed = asker.http.private_allowed = true;
	for (int i = 1; i < argc && rc == 0; i++)
		if (option(&asker, argv[i]) != 0)
			rc = err_set(-1, "what is %s?", argv[i]);
	if (rc == 0 && !asker.vendor)
		rc = err_set(-1, "which vendor?");
	if (rc == 0)
		rc = key("ASK_KEY", &s->key);
	if (rc == 0)
		rc = key("ASK_SECRET", &s->key_secret);
	if (rc == 0) {
		asker.ops = *asker.vendor;
		if (asker.target) {
			asker.ops.check = check;
			asker.ops.request = request;
		}
		if (asker.is_resolving)
			asker_resolve(&asker.ops);
		asker.fetch.ops = &asker.ops;
		rc = http_pool_new(&asker.http, &http);
	}
	if (rc == 0)
		rc = fetcher_new(http, &asker.fetch, &f);
	if (rc == 0)
		rc = ask_all(&asker, f, lines);
	if (rc == 0)
		rc = run(&asker, http, f);
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err_text());
	fetcher_free(f);
	http_pool_free(http);
	secret_free((struct secret *)s->key);
	secret_free((struct secret *)s->key_secret);
	buf_free(&asker.line);
	free(lines);
	return rc < 0;
}
