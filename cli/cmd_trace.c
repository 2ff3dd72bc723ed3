/* cmd_trace - the way of one record through the daemon, or the slowest and newest. */
#include "cli/why.h"
#include <stdio.h>
#include <string.h>

enum { OPT_JSON = 1 };

static void print_pairs(const struct json_token *object, const char *const *keys)
{
	struct json_token value;
	char text[96];

	for (; *keys != NULL; keys++)
		if (query_member(object, *keys, &value) && value.type != JSON_NULL)
			printf(" %s %s", *keys, query_text(&value, text, sizeof(text)));
	printf("\n");
}

static void print_record(const struct json_token *result)
{
	static const char *const keys[] = {
		"type",   "verb",       "symbol", "price", "size", "bid",   "ask",
		"action", "source_seq", "source", "seq",   "time", "value", NULL};
	static const char *const times[] = {"time", "recv_time", NULL};
	static const char *const origin[] = {"producer", "producer_seq", NULL};
	struct json_token record;

	if (!query_member(result, "record", &record) || record.type == JSON_NULL) {
		printf("record: not in the log; it holds");
		print_pairs(result,
			    (const char *const[]){"first_pos", "last_pos", NULL});
		return;
	}
	printf("record:");
	print_pairs(&record, keys);
	printf("times:");
	print_pairs(&record, times);
	printf("sent by:");
	print_pairs(result, origin);
}

static void print_events(const struct json_token *result)
{
	static const char *const keys[] = {"kind", "name", "timeframe",
					   "seq",  "time", NULL};
	struct json_token events, event;
	struct query_walk walk;
	uint64_t n = 0, all = why_number(result, "n_events");

	printf("brought about: %llu derived events\n", (unsigned long long)all);
	if (query_member(result, "events", &events) && query_walk(&walk, &events))
		for (; query_next(&walk, NULL, &event); n++) {
			printf(" ");
			print_pairs(&event, keys);
		}
	if (n < all)
		printf("  ... and %llu more\n", (unsigned long long)(all - n));
}

/* "what: KIND KIND"; nothing when the list is empty. */
static void print_kinds(const struct json_token *result, const char *key,
			const char *what)
{
	struct json_token list, kind;
	struct query_walk walk;
	bool any = false;
	char text[24];

	if (!query_member(result, key, &list) || !query_walk(&walk, &list))
		return;
	for (; query_next(&walk, NULL, &kind); any = true)
		printf("%s %s", any ? "" : what, query_text(&kind, text, sizeof(text)));
	if (any)
		printf("\n");
}

static void print_seconds(const struct json_token *object)
{
	struct json_token t;

	if (query_member(object, "seconds", &t))
		printf("%14.6f ms", query_number(&t, 0) * 1e3);
	else
		printf("%17s", "not finished");
}

static void print_step(const struct json_token *step)
{
	struct json_token stages, stage;
	struct query_walk walk;
	char text[48];

	printf("stages, of the step from %llu to %llu:\n",
	       (unsigned long long)why_number(step, "first_pos"),
	       (unsigned long long)why_number(step, "last_pos"));
	printf("  %-10s %17s  %s\n", "accepted", "",
	       why_text(step, "accepted", text, sizeof(text)));
	if (query_member(step, "stages", &stages) && query_walk(&walk, &stages))
		while (query_next(&walk, NULL, &stage)) {
			printf("  %-10s ",
			       why_text(&stage, "stage", text, sizeof(text)));
			print_seconds(&stage);
			printf("  %s\n", why_text(&stage, "time", text, sizeof(text)));
		}
	printf("  %-10s ", "total");
	print_seconds(step);
	printf("\n");
	if (query_member(step, "otlp_trace_id", &stage))
		printf("at the collector: trace %s\n",
		       query_text(&stage, text, sizeof(text)));
}

static void print_trace(const struct json_token *result)
{
	struct json_token step;
	char text[200];

	printf("trace %llu, epoch %llu\n",
	       (unsigned long long)why_number(result, "trace"),
	       (unsigned long long)why_number(result, "epoch"));
	print_record(result);
	print_events(result);
	print_kinds(result, "pending", "not stored yet:");
	print_kinds(result, "retired", "no longer known, retired from the store:");
	if (query_member(result, "step", &step))
		print_step(&step);
	else
		printf("stages: no longer known: %s\n",
		       why_text(result, "untimed", text, sizeof(text)));
}

static void print_list(const struct json_token *result, const char *key)
{
	struct json_token list, step;
	struct query_walk walk;
	char text[48];

	printf("%s:\n", key);
	if (!query_member(result, key, &list) || !query_walk(&walk, &list))
		return;
	while (query_next(&walk, NULL, &step)) {
		printf("  %12llu .. %-12llu ",
		       (unsigned long long)why_number(&step, "first_pos"),
		       (unsigned long long)why_number(&step, "last_pos"));
		print_seconds(&step);
		printf("  %s\n", why_text(&step, "accepted", text, sizeof(text)));
	}
}

int cmd_trace(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
					      {0}};
	bool is_json = false;
	uint64_t pos = 0;
	char request[64];
	struct query q;
	int option, rc;

	while ((option = cli_option(c, argc, argv, longs)) > 0)
		is_json = is_json || option == OPT_JSON;
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (argc - optind > 1)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind + 1]);
	if (optind < argc && !cli_number(argv[optind], 1, UINT64_MAX, &pos))
		return cli_usage_error(c, "'%s' is no log position, from 1",
				       argv[optind]);
	(void)snprintf(request, sizeof(request), "{\"cmd\":\"trace\",\"pos\":\"%llu\"}",
		       (unsigned long long)pos);
	rc = query_run(c, request, &q);
	if (rc != CLI_OK)
		return rc;
	if (is_json) {
		printf("%.*s\n", (int)q.result.len, q.result.text);
	} else if (pos != 0) {
		print_trace(&q.result);
	} else {
		print_list(&q.result, "slowest");
		print_list(&q.result, "newest");
	}
	query_free(&q);
	return CLI_OK;
}
