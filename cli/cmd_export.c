/* cmd_export - export, query: options become a question to the archive. */
#include "cli/archive_run.h"
#include <string.h>

/* Their texts are judged by tickbus-archive alone (archive/enquiry.h). */
static const struct option export_longs[] = {{"symbols", required_argument, NULL, 1},
					     {"index", required_argument, NULL, 2},
					     {"as-of", required_argument, NULL, 3},
					     {"fields", required_argument, NULL, 4},
					     {"start", required_argument, NULL, 5},
					     {"end", required_argument, NULL, 6},
					     {"timeframe", required_argument, NULL, 7},
					     {"resample", required_argument, NULL, 8},
					     {"align", required_argument, NULL, 9},
					     {"tolerance", required_argument, NULL, 10},
					     {"age", no_argument, NULL, 11},
					     {"long", no_argument, NULL, 12},
					     {"source", required_argument, NULL, 13},
					     {"feed", required_argument, NULL, 14},
					     {"adjust", required_argument, NULL, 15},
					     {"zone", required_argument, NULL, 16},
					     {"format", required_argument, NULL, 17},
					     {"limit", required_argument, NULL, 18},
					     {"out", required_argument, NULL, 19},
					     ARCHIVE_RUN_OPTIONS,
					     {0}};

static const struct option query_longs[] = {{"format", required_argument, NULL, 1},
					    {"rows", required_argument, NULL, 2},
					    {"limit", required_argument, NULL, 3},
					    {"out", required_argument, NULL, 4},
					    ARCHIVE_RUN_OPTIONS,
					    {0}};

/* Every option goes on as it is, by its long name. */
static int read_line(struct cli *c, int argc, char **argv, const struct option *longs,
		     struct archive_run *r)
{
	int rc = archive_run_add(r, c->command->name);
	int option;

	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = (char *)"--out";
	while (rc == CLI_OK && (option = cli_option(c, argc, argv, longs)) > 0) {
		const struct option *o = longs;

		if (archive_run_take(r, option))
			continue;
		while (o->val != option)
			o++;
		rc = archive_run_option(r, o->name, optarg);
	}
	if (rc != CLI_OK || option == CLI_OPTION_END)
		return rc;
	return option == CLI_OPTION_HELP ? CLI_OPTION_HELP : CLI_USAGE;
}

int cmd_export(struct cli *c, int argc, char **argv)
{
	struct archive_run r = {.dir = NULL};
	int rc = read_line(c, argc, argv, export_longs, &r);

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind != argc)
		return cli_usage_error(c, "unexpected argument '%s'", argv[optind]);
	return archive_run_exec(c, &r);
}

/* A person reads a table; a file or a pipe gets what programs read. */
int cmd_query(struct cli *c, int argc, char **argv)
{
	struct archive_run r = {.dir = NULL};
	int rc = read_line(c, argc, argv, query_longs, &r);
	bool has_format = false;

	if (rc != CLI_OK)
		return rc == CLI_OPTION_HELP ? CLI_OK : rc;
	if (optind + 1 != argc)
		return cli_usage_error(c, "it takes one SELECT, in quotes");
	for (size_t i = 0; i < r.n_args; i++)
		has_format |= strcmp(r.args[i], "--format") == 0;
	if (!has_format && c->is_terminal)
		rc = archive_run_option(&r, "format", "table");
	if (rc == CLI_OK)
		rc = archive_run_add(&r, argv[optind]);
	return rc == CLI_OK ? archive_run_exec(c, &r) : rc;
}
