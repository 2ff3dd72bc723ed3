/*
 * cmd_chaos - has the daemon suffer a fault, waits until that is over, and ends with a
 * verification of everything that was derived: its exit code is the verdict.
 */
#include "base/clock.h"
#include "base/jsonw.h"
#include "cli/why.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS 200
#define BATCH   100u

enum { OPT_SECONDS = 1, OPT_TICKS, OPT_WAIT };

static const struct option longs[] = {{"seconds", required_argument, NULL, OPT_SECONDS},
				      {"ticks", required_argument, NULL, OPT_TICKS},
				      {"wait", required_argument, NULL, OPT_WAIT},
				      {0}};

/* What can be done, and what its argument is called; NULL: it has none. */
static const struct deed {
	const char *name, *key;
	bool lasts; /* --seconds */
} deeds[] = {{"kill", NULL, false},
	     {"stall-worker", "worker", true},
	     {"poison", "symbol", false},
	     {"drop-feed", "feed", false},
	     {"fill-quota", NULL, true}};

struct chaos {
	const struct deed *deed;
	const char *arg;
	uint64_t seconds, ticks, wait_s;
};

static int read_options(struct cli *c, int argc, char **argv, struct chaos *o)
{
	int option, n;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		uint64_t *to = option == OPT_SECONDS ? &o->seconds
			       : option == OPT_TICKS ? &o->ticks
						     : &o->wait_s;
		uint64_t max = option == OPT_TICKS ? 1000000 : 3600;

		if (!cli_number(optarg, 1, max, to))
			return cli_usage_error(c, "'%s' is not in 1..%llu", optarg,
					       (unsigned long long)max);
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
	for (size_t i = 0; optind < argc && i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(argv[optind], deeds[i].name) == 0)
			o->deed = &deeds[i];
	if (o->deed == NULL)
		return cli_usage_error(c,
				       "say kill, stall-worker, poison, drop-feed or "
				       "fill-quota");
	n = argc - optind - 1;
	if (n != (o->deed->key != NULL))
		return cli_usage_error(c, "%s takes %s%s", o->deed->name,
				       o->deed->key != NULL ? "a " : "no argument",
				       o->deed->key != NULL ? o->deed->key : "");
	o->arg = o->deed->key != NULL ? argv[optind + 1] : NULL;
	return CLI_OK;
}

static int ask(struct cli *c, const struct chaos *o, struct query *q)
{
	struct buf request = {0};
	struct jsonw w;
	int rc;

	jsonw_init(&w, &request);
	jsonw_object(&w, NULL);
	jsonw_str(&w, "cmd", "chaos");
	jsonw_str(&w, "what", o->deed->name);
	if (o->arg != NULL)
		jsonw_str(&w, o->deed->key, o->arg);
	jsonw_u64(&w, "seconds", o->seconds);
	jsonw_end(&w);
	rc = query_run(c, buf_text(&request), q);
	buf_free(&request);
	return rc;
}

/* ---- after it ---- */

/* Is it another process, and ready?  Says nothing while it does not answer. */
static bool is_back(struct cli *c, uint64_t pid)
{
	struct json_token status, result, state = {.type = JSON_NULL};
	struct json_scan scan;
	bool back = false;
	char *text;

	if (tickbus_ask(&c->options, "{\"cmd\":\"status\"}", &text) < 0)
		return false;
	scan = (struct json_scan){.at = text, .end = text + strlen(text)};
	if (json_scan_value(&scan, &status) && query_member(&status, "result", &result))
		back = query_member(&result, "state", &state) &&
		       json_scan_is(&state, "ready") &&
		       why_number(&result, "pid") != pid;
	tickbus_free(text);
	return back;
}

static int wait_back(struct cli *c, uint64_t pid, uint64_t wait_s)
{
	int64_t end = clock_mono_ns() + (int64_t)wait_s * NS_PER_S;

	printf("killed: process %llu; waiting for the next\n", (unsigned long long)pid);
	(void)fflush(stdout);
	while (!is_back(c, pid)) {
		if (clock_mono_ns() > end || cli_stopped(c, LOOK_MS))
			return cli_error(CLI_UNFINISHED,
					 "no daemon was ready within %llu s: does a "
					 "service manager start it again?",
					 (unsigned long long)wait_s);
	}
	return CLI_OK;
}

/* Until what waited in the daemon for room is stored. */
static int wait_settled(struct cli *c, uint64_t wait_s)
{
	int64_t end = clock_mono_ns() + (int64_t)wait_s * NS_PER_S;
	bool is_settled = false;

	while (!is_settled) {
		struct json_token settled;
		struct query q;
		int rc = query_run(c, "{\"cmd\":\"chaos\",\"what\":\"settled\"}", &q);

		if (rc != CLI_OK)
			return rc;
		is_settled = query_member(&q.result, "settled", &settled) &&
			     settled.type == JSON_TRUE;
		query_free(&q);
		if (!is_settled && (clock_mono_ns() > end || cli_stopped(c, LOOK_MS)))
			return cli_error(CLI_UNFINISHED,
					 "derived events wait still: no verdict");
	}
	return CLI_OK;
}

/* ---- rubbish ---- */

/* The @i-th: half of the sorts must be refused, the others are only wild. */
static int make_rubbish(struct tickbus_tick *t, const char *symbol, uint64_t i,
			int64_t newest_ns)
{
	const int64_t day = 86400 * NS_PER_S, some = NS_PER_S * (int64_t)(i % 97 + 1);
	int rc = tickbus_tick_init(t, symbol, newest_ns + (int64_t)i);

	if (rc < 0)
		return rc;
	t->price_e9 = some;
	t->size_e8 = 100000000;
	t->source_seq = i + 1;
	switch (i % 8) {
	case 0:
		t->price_e9 = -some;
		break;
	case 1:
		t->price_e9 = 0;
		break;
	case 2:
		t->event_ns += 3650 * day;
		break;
	case 3:
		t->event_ns = 1;
		break;
	case 4:
		t->price_e9 = some * 1000000;
		break;
	case 5:
		t->price_e9 = 1;
		break;
	case 6: /* a trade that never was is withdrawn */
		t->action = TICK_CANCEL;
		t->ref_seq = i + 1000000;
		break;
	default: /* bid above ask */
		t->price_e9 = t->size_e8 = VALUE_NULL;
		t->bid_e9 = some * 2;
		t->ask_e9 = some;
	}
	return 0;
}

/* Without clock records, unlike `feed`: the log's time is not to be poisoned. */
static int send_rubbish(struct tickbus_pub *pub, const struct chaos *o,
			int64_t newest_ns)
{
	uint64_t taken = 0, refused = 0;
	int rc = 0;

	for (uint64_t i = 0; rc == 0 && i < o->ticks; i++) {
		struct tickbus_ack ack;
		struct tickbus_tick t;

		rc = make_rubbish(&t, o->arg, i, newest_ns);
		if (rc == 0)
			rc = tickbus_pub_add(pub, &t);
		if (rc != 0 || ((i + 1) % BATCH != 0 && i + 1 != o->ticks))
			continue;
		rc = tickbus_pub_flush(pub, &ack);
		taken += rc == 0 ? ack.accepted : 0;
		refused += rc == 0 ? ack.rejected : 0;
	}
	if (rc == 0)
		printf("poisoned: %s, %llu ticks taken, %llu refused\n", o->arg,
		       (unsigned long long)taken, (unsigned long long)refused);
	return rc;
}

static int poison(struct cli *c, const struct chaos *o, int64_t newest_ns)
{
	struct tickbus_pub *pub;
	int rc = tickbus_pub_open(&c->options, NULL, "chaos", 1, &pub);

	if (rc == 0) {
		rc = send_rubbish(pub, o, newest_ns);
		tickbus_pub_close(pub);
	}
	return rc == 0 ? CLI_OK : cli_error(CLI_UNAVAILABLE, "%s", tickbus_error());
}

/* ---- one after the other ---- */

static int carry_out(struct cli *c, const struct chaos *o)
{
	struct query q = {0};
	uint64_t pid = 0, newest_ns;
	int rc = CLI_OK;

	if (strcmp(o->deed->name, "kill") == 0) {
		rc = query_ask(c, "status", NULL, NULL, &q);
		pid = rc == CLI_OK ? why_number(&q.result, "pid") : 0;
		query_free(&q);
	}
	if (rc == CLI_OK)
		rc = ask(c, o, &q);
	if (rc != CLI_OK)
		return rc;
	newest_ns = why_number(&q.result, "newest_ns");
	query_free(&q);
	if (pid != 0)
		return wait_back(c, pid, o->wait_s);
	if (strcmp(o->deed->name, "poison") == 0)
		return poison(c, o, (int64_t)newest_ns);
	printf("%s%s%s for %llu s\n", o->deed->name, o->arg != NULL ? " " : "",
	       o->arg != NULL ? o->arg : "", (unsigned long long)o->seconds);
	(void)fflush(stdout);
	(void)cli_stopped(c, (int)o->seconds * 1000);
	return CLI_OK;
}

int cmd_chaos(struct cli *c, int argc, char **argv)
{
	struct chaos o = {.seconds = 5, .ticks = 1000, .wait_s = 60};
	char *verify[] = {(char *)(uintptr_t) "verify", NULL};
	int rc = read_options(c, argc, argv, &o);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (cli_catch_stop(c) < 0)
		return cli_error(CLI_INTERNAL, "cannot catch signals");
	rc = carry_out(c, &o);
	if (rc == CLI_OK)
		rc = wait_settled(c, o.wait_s);
	if (rc != CLI_OK)
		return rc;
	optind = 0; /* glibc: begin anew */
	return cmd_verify(c, 1, verify);
}
