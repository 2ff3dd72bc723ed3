/*
 * cmd_why - where a derived event comes from, down to the ticks:
 *
 *	matrix -> its bars -> log positions -> source, producer and their sequences
 *
 * Put together here from bounded answers of the daemon (`why` of the admin protocol).
 */
#include "base/buf.h"
#include "base/jsonw.h"
#include "base/timetext.h"
#include "cli/why.h"
#include "proto/timeframe.h"
#include <stdio.h>
#include <string.h>

enum { OPT_ALL = 1, OPT_JSON, OPT_TIMEFRAME };

static const struct option longs[] = {
	{"all", no_argument, NULL, OPT_ALL},
	{"json", no_argument, NULL, OPT_JSON},
	{"timeframe", required_argument, NULL, OPT_TIMEFRAME},
	{0}};

/* ---- questions ---- */

static int ask(struct cli *c, const struct why_query *w, uint64_t from, struct query *q)
{
	struct buf request = {0};
	struct jsonw j;
	char text[24];
	int rc;

	jsonw_init(&j, &request);
	jsonw_object(&j, NULL);
	jsonw_str(&j, "cmd", "why");
	jsonw_str(&j, "kind", w->kind);
	jsonw_str(&j, "name", w->name);
	if (w->timeframe != NULL)
		jsonw_str(&j, "timeframe", w->timeframe);
	jsonw_u64(&j, "seq", w->seq);
	jsonw_u64(&j, "from", from);
	if (w->to_pos != 0)
		jsonw_u64(&j, "to", w->to_pos);
	(void)snprintf(text, sizeof(text), "%lld", (long long)w->begin_ns);
	if (w->begin_ns > 0)
		jsonw_str(&j, "begin_ns", text);
	(void)snprintf(text, sizeof(text), "%lld", (long long)w->end_ns);
	if (w->end_ns > 0)
		jsonw_str(&j, "end_ns", text);
	jsonw_end(&j);
	rc = query_run(c, buf_text(&request), q);
	buf_free(&request);
	return rc;
}

uint64_t why_number(const struct json_token *object, const char *key)
{
	struct json_token t;
	uint64_t n = 0;

	if (query_member(object, key, &t))
		(void)json_scan_u64(&t, &n);
	return n;
}

int why_each(struct cli *c, const struct why_query *w, why_found_fn fn, void *arg,
	     bool *out_retired)
{
	uint64_t from = w->from;
	bool more = true;

	while (more) {
		struct json_token rows, key, row, done, retired;
		struct query_walk walk;
		struct query q;
		uint64_t next;
		int rc = ask(c, w, from, &q);

		if (rc != CLI_OK)
			return rc;
		if (query_member(&q.result, "found", &rows) && query_walk(&walk, &rows))
			while (more && query_next(&walk, &key, &row))
				more = fn(arg, &row);
		if (out_retired != NULL && query_member(&q.result, "retired", &retired))
			*out_retired = *out_retired || retired.type == JSON_TRUE;
		next = why_number(&q.result, "next");
		more = more && query_member(&q.result, "done", &done) &&
		       done.type == JSON_FALSE && next > from;
		from = next;
		query_free(&q);
	}
	return CLI_OK;
}

/* ---- keeping what was found ---- */

static void keep_text(struct why_event *e, const struct json_token *t)
{
	e->text.len = 0;
	buf_add(&e->text, t->text, t->len);
	e->token = (struct json_token){
		.type = JSON_OBJECT, .text = buf_text(&e->text), .len = t->len};
	e->is_found = true;
}

static const char *const groups[] = {"values", "norms", "indicators"};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

/* Vectors and blocks of indicators share a stream: is it the one with @feature? */
static bool is_wanted(const struct json_token *row, const char *feature)
{
	struct json_token group, value;

	for (size_t i = 0; i < GROUPS; i++)
		if (query_member(row, groups[i], &group) &&
		    query_member(&group, feature, &value))
			return true;
	return false;
}

/* The newest revision: a final one is the last. */
static bool on_newest(void *arg, const struct json_token *row)
{
	struct why_event *e = arg;
	struct json_token final;

	if (e->query->member != NULL && !is_wanted(row, e->query->member))
		return true;
	keep_text(e, row);
	return !query_member(row, "final", &final) || final.type != JSON_TRUE;
}

static bool on_first(void *arg, const struct json_token *row)
{
	keep_text(arg, row);
	return false;
}

int why_find(struct cli *c, const struct why_query *w, struct why_event *e)
{
	bool retired = false;
	int rc;

	e->query = w;
	rc = why_each(c, w, w->seq != 0 ? on_first : on_newest, e, &retired);

	if (rc != CLI_OK || e->is_found)
		return rc;
	return cli_error(CLI_NEGATIVE, "there is no such %s%s%s%s of %s%s", w->kind,
			 w->member != NULL ? " with a '" : "",
			 w->member != NULL ? w->member : "",
			 w->member != NULL ? "'" : "", w->name,
			 retired ? " any more: the oldest stored ones were retired"
				 : " in the store");
}

/* ---- bars ---- */

const char *why_text(const struct json_token *object, const char *key, char *buf,
		     size_t cap)
{
	struct json_token t = {.type = JSON_NULL};

	(void)query_member(object, key, &t);
	return query_text(&t, buf, cap);
}

static void print_keys(const struct json_token *object, const char *const *keys)
{
	char text[80];

	for (; *keys != NULL; keys++)
		printf(" %s %s", *keys, why_text(object, *keys, text, sizeof(text)));
	printf("\n");
}

struct ticks {
	bool all, json;
	uint64_t n;
	struct buf last[WHY_TICKS]; /* owned; the newest, when not all are shown */
};

static void put_tick(struct buf *out, const struct json_token *row)
{
	static const char *const keys[] = {"time", "price",  "size",       "bid",
					   "ask",  "action", "source_seq", "source"};
	struct json_token tick = {.type = JSON_NULL}, value;
	char text[96];

	(void)query_member(row, "tick", &tick);
	buf_printf(out, "  position %s:", why_text(&tick, "pos", text, sizeof(text)));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (query_member(&tick, keys[i], &value) && value.type != JSON_NULL)
			buf_printf(out, " %s %s", keys[i],
				   query_text(&value, text, sizeof(text)));
	buf_printf(out, " producer %s", why_text(row, "producer", text, sizeof(text)));
	buf_printf(out, " sequence %s\n",
		   why_text(row, "producer_seq", text, sizeof(text)));
}

static bool on_tick(void *arg, const struct json_token *row)
{
	struct ticks *t = arg;
	struct buf *line = &t->last[t->n % WHY_TICKS];

	line->len = 0;
	if (t->json)
		buf_printf(line, "%s%.*s", t->n > 0 ? "," : "", (int)row->len,
			   row->text);
	else
		put_tick(line, row);
	if (t->json || t->all || t->n < WHY_TICKS)
		printf("%s", buf_text(line));
	t->n++;
	return true;
}

/* Those in the middle are only counted. */
static void print_last(struct ticks *t)
{
	uint64_t left = t->n > WHY_TICKS ? t->n - WHY_TICKS : 0;
	uint64_t shown = left < WHY_TICKS ? left : WHY_TICKS;

	if (!t->all && left > shown)
		printf("  ... %llu more; --all shows them\n",
		       (unsigned long long)(left - shown));
	for (uint64_t i = t->n - shown; !t->all && i < t->n; i++)
		printf("%s", buf_text(&t->last[i % WHY_TICKS]));
}

int why_ticks(struct cli *c, const struct json_token *bar, bool all, bool json)
{
	struct ticks t = {.all = all, .json = json};
	struct why_query w = {.kind = "tick"};
	char name[SYMBOL_MAX + 1], text[TIMETEXT_MAX];
	bool retired = false;
	int rc;

	w.name = why_text(bar, "symbol", name, sizeof(name));
	w.from = why_number(bar, "first_pos");
	w.to_pos = why_number(bar, "last_pos");
	(void)why_text(bar, "bar_start", text, sizeof(text));
	(void)timetext_parse(text, strlen(text), &w.begin_ns);
	(void)why_text(bar, "timestamp_utc", text, sizeof(text));
	(void)timetext_parse(text, strlen(text), &w.end_ns);
	if (json)
		printf(",\"ticks\":[");
	rc = w.to_pos == 0 ? CLI_OK : why_each(c, &w, on_tick, &t, &retired);
	if (json)
		printf("]");
	else
		print_last(&t);
	if (!json && w.to_pos == 0)
		printf("  no tick: what it says follows from the bars before it\n");
	else if (!json)
		printf("  %llu ticks between positions %llu and %llu%s\n",
		       (unsigned long long)t.n, (unsigned long long)w.from,
		       (unsigned long long)w.to_pos,
		       retired ? "; the log's beginning was retired, there may have "
				 "been more"
			       : "");
	for (size_t i = 0; i < WHY_TICKS; i++)
		buf_free(&t.last[i]);
	return rc;
}

void why_print_bar(const struct json_token *bar)
{
	static const char *const keys[] = {"symbol",    "timeframe", "timestamp_utc",
					   "seq",       "revision",  "state",
					   "close",     "chain",     "pos",
					   "first_pos", "last_pos",  NULL};

	printf("bar:");
	print_keys(bar, keys);
}

static int show_bar(struct cli *c, const struct why_event *e, bool all, bool json)
{
	int rc;

	if (json)
		printf("\"bar\":%.*s", (int)e->token.len, e->token.text);
	else
		why_print_bar(&e->token);
	rc = why_ticks(c, &e->token, all, json);
	return rc;
}

/* ---- features ---- */

static void print_values(const struct json_token *vector, const char *feature)
{
	struct json_token group, key, value;
	struct query_walk walk;
	char name[80], text[192];

	for (size_t i = 0; i < GROUPS; i++) {
		if (!query_member(vector, groups[i], &group) ||
		    !query_walk(&walk, &group))
			continue;
		while (query_next(&walk, &key, &value)) {
			(void)query_text(&key, name, sizeof(name));
			if (feature == NULL || strcmp(feature, name) == 0)
				printf("  %s %s\n", name,
				       query_text(&value, text, sizeof(text)));
		}
	}
}

static int show_vector(struct cli *c, const struct why_query *w, const char *feature,
		       const struct why_options *o)
{
	static const char *const keys[] = {"symbol", "timeframe", "time",
					   "seq",    "bar_seq",   "bars_seen",
					   "chain",  "pos",       NULL};
	struct why_event vector = {0}, bar = {0};
	struct why_query b = {.kind = "bar", .name = w->name, .begin_ns = w->begin_ns};
	int rc = why_find(c, w, &vector);

	if (rc == CLI_OK) {
		b.seq = why_number(&vector.token, "bar_seq");
		rc = why_find(c, &b, &bar);
	}
	if (rc == CLI_OK && o->json)
		printf("{\"vector\":%.*s,", (int)vector.token.len, vector.token.text);
	if (rc == CLI_OK && !o->json) {
		printf("vector:");
		print_keys(&vector.token, keys);
		print_values(&vector.token, feature);
		printf("made of bar %llu and the %llu valid bars of its series "
		       "before\n",
		       (unsigned long long)b.seq,
		       (unsigned long long)why_number(&vector.token, "bars_seen"));
	}
	if (rc == CLI_OK)
		rc = show_bar(c, &bar, o->all, o->json);
	if (rc == CLI_OK && o->json)
		printf("}\n");
	buf_free(&vector.text);
	buf_free(&bar.text);
	return rc;
}

/* ---- the command ---- */

/* bar SYMBOL TF TIME, feature SYMBOL TF TIME [FEATURE] */
static int why_series(struct cli *c, int n, char **args, const struct why_options *o)
{
	bool is_bar = strcmp(args[0], "bar") == 0;
	struct why_query w = {.kind = is_bar ? "bar" : "tier1"};
	struct why_event bar = {0};
	int rc;

	if (n < 4 || n > (is_bar ? 4 : 5))
		return cli_usage_error(c, "say %s SYMBOL TIMEFRAME TIME%s", args[0],
				       is_bar ? "" : " [FEATURE]");
	w.name = args[1];
	w.timeframe = args[2];
	if (timeframe_parse(args[2], strlen(args[2])) == 0)
		return cli_usage_error(c, "'%s' is no timeframe", args[2]);
	if (timetext_parse(args[3], strlen(args[3]), &w.begin_ns) != 0)
		return cli_usage_error(c, "'%s' is no RFC 3339 time", args[3]);
	w.end_ns = w.begin_ns;
	/* Without a name it is the vector: the one with what every vector has. */
	if (!is_bar)
		w.member = n == 5 ? args[4] : tickbus_value_name(0);
	if (!is_bar)
		return show_vector(c, &w, n == 5 ? args[4] : NULL, o);
	rc = why_find(c, &w, &bar);
	if (rc == CLI_OK && o->json)
		printf("{");
	if (rc == CLI_OK)
		rc = show_bar(c, &bar, o->all, o->json);
	if (rc == CLI_OK && o->json)
		printf("}\n");
	buf_free(&bar.text);
	return rc;
}

int cmd_why(struct cli *c, int argc, char **argv)
{
	struct why_options o = {0};
	int option, n;
	char **args;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		o.all = o.all || option == OPT_ALL;
		o.json = o.json || option == OPT_JSON;
		if (option == OPT_TIMEFRAME)
			o.timeframe = optarg;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	n = argc - optind;
	args = argv + optind;
	if (n > 0 && strcmp(args[0], "matrix") == 0)
		return why_matrix(c, n, args, &o);
	if (n > 0 && (strcmp(args[0], "bar") == 0 || strcmp(args[0], "feature") == 0))
		return why_series(c, n, args, &o);
	if (n > 0 && strcmp(args[0], "source") == 0)
		return why_source(c, n, args, &o);
	return cli_usage_error(c, "say matrix, bar, feature or source, and which");
}
