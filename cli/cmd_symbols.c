/* cmd_symbols - every symbol, page by page until the daemon says done. */
#include "cli/query.h"
#include "cli/render.h"
#include <stdio.h>

enum { OPT_JSON = 1, OPT_CSV };

static const struct option longs[] = {{"json", no_argument, NULL, OPT_JSON},
				      {"csv", no_argument, NULL, OPT_CSV},
				      {0}};

/* Ids rise from page to page, so this ends. */
static bool next_page(const struct json_token *result, uint64_t *io_from)
{
	struct json_token done, next;
	uint64_t id;

	if (!query_member(result, "done", &done) || done.type != JSON_FALSE)
		return false;
	if (!query_member(result, "next_id", &next) || !json_scan_u64(&next, &id) ||
	    id <= *io_from)
		return false;
	*io_from = id;
	return true;
}

static void show_page(const struct json_token *result, bool json, bool csv,
		      bool is_first)
{
	struct json_token rows = query_rows(result);

	if (json)
		printf("%.*s\n", (int)result->len, result->text);
	else if (csv)
		(void)render_csv(stdout, &rows, is_first);
	else
		(void)render_table(stdout, &rows);
}

int cmd_symbols(struct cli *c, int argc, char **argv)
{
	bool json = false, csv = false, more;
	uint64_t from = 0;
	int option;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		json = json || option == OPT_JSON;
		csv = csv || option == OPT_CSV;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	do {
		char request[64];
		bool is_first = from == 0;
		struct query q;
		int rc;

		(void)snprintf(request, sizeof(request),
			       "{\"cmd\":\"symbols\",\"from_id\":%llu}",
			       (unsigned long long)from);
		rc = query_run(c, request, &q);
		if (rc != CLI_OK)
			return rc;
		show_page(&q.result, json, csv, is_first);
		more = next_page(&q.result, &from);
		query_free(&q);
	} while (more);
	return CLI_OK;
}
