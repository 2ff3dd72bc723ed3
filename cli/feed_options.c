/* feed_options - see feed_options.h. */
#include "cli/feed_options.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/timetext.h"
#include "feeds/pace.h"
#include "proto/ingest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_NS (60 * NS_PER_S)
#define SETTLE_NS   (120 * NS_PER_S)

enum {
	OPT_MAP = 1,
	OPT_SYMBOL,
	OPT_SOURCE,
	OPT_TIME,
	OPT_DATE,
	OPT_ZONE,
	OPT_FORMAT,
	OPT_DELIMITER,
	OPT_SPEED,
	OPT_BATCH,
	OPT_PRODUCER,
	OPT_SETTLE,
	OPT_QUIET,
};

static const struct option longs[] = {
	{"map", required_argument, NULL, OPT_MAP},
	{"symbol", required_argument, NULL, OPT_SYMBOL},
	{"source", required_argument, NULL, OPT_SOURCE},
	{"time", required_argument, NULL, OPT_TIME},
	{"date", required_argument, NULL, OPT_DATE},
	{"zone", required_argument, NULL, OPT_ZONE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"delimiter", required_argument, NULL, OPT_DELIMITER},
	{"speed", required_argument, NULL, OPT_SPEED},
	{"batch", required_argument, NULL, OPT_BATCH},
	{"producer", required_argument, NULL, OPT_PRODUCER},
	{"settle", required_argument, NULL, OPT_SETTLE},
	{"quiet", no_argument, NULL, OPT_QUIET},
	{0}};

static int parse_speed(const char *text, uint64_t *out_milli)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || (*end != '\0' && strcmp(end, "x") != 0) ||
	    !(x >= 0.001 && x <= 1e6))
		return -1;
	*out_milli = (uint64_t)(x * PACE_NORMAL + 0.5);
	return 0;
}

static int take_format(struct cli *c, struct feed_options *o)
{
	if (strcmp(optarg, "csv") == 0)
		o->format = FORMAT_CSV;
	else if (strcmp(optarg, "jsonl") == 0 || strcmp(optarg, "json") == 0)
		o->format = FORMAT_JSONL;
	else if (strcmp(optarg, "dbn") == 0)
		o->format = FORMAT_DBN;
	else
		return cli_usage_error(c, "--format: '%s' is not csv, jsonl or dbn",
				       optarg);
	return CLI_OK;
}

/* Options with a value to check: CLI_OK or CLI_USAGE. */
static int take_checked(struct cli *c, struct feed_options *o, int option)
{
	uint64_t n;

	switch (option) {
	case OPT_FORMAT:
		return take_format(c, o);
	case OPT_DELIMITER:
		if (strlen(optarg) != 1 && strcmp(optarg, "\\t") != 0)
			return cli_usage_error(c, "--delimiter is one character");
		o->delimiter = strcmp(optarg, "\\t") == 0 ? '\t' : (char)*optarg;
		return CLI_OK;
	case OPT_SPEED:
		if (parse_speed(optarg, &o->speed_milli) < 0)
			return cli_usage_error(
				c, "--speed: '%s' is not in 0.001..1000000", optarg);
		return CLI_OK;
	case OPT_BATCH:
		if (!cli_number(optarg, 1, INGEST_TICKS_MAX, &n))
			return cli_usage_error(c, "--batch: '%s' is not in 1..%u",
					       optarg, INGEST_TICKS_MAX);
		o->feeder.batch_max = (uint32_t)n;
		return CLI_OK;
	default: /* OPT_SETTLE */
		if (timetext_duration(optarg, strlen(optarg), &o->settle_ns) != 0)
			return cli_usage_error(
				c, "--settle: '%s' is no duration like 2m", optarg);
		return CLI_OK;
	}
}

static int take(struct cli *c, struct feed_options *o, int option)
{
	switch (option) {
	case OPT_MAP:
		o->map = optarg;
		return CLI_OK;
	case OPT_SYMBOL:
		o->symbol = optarg;
		return CLI_OK;
	case OPT_SOURCE:
		o->feeder.source = optarg;
		return CLI_OK;
	case OPT_TIME:
		o->time = optarg;
		return CLI_OK;
	case OPT_DATE:
		o->date = optarg;
		return CLI_OK;
	case OPT_ZONE:
		o->zone = optarg;
		return CLI_OK;
	case OPT_PRODUCER:
		o->feeder.producer = optarg;
		return CLI_OK;
	case OPT_QUIET:
		o->quiet = true;
		return CLI_OK;
	default:
		return take_checked(c, o, option);
	}
}

enum feed_format feed_options_format(const struct feed_options *o, const char *name)
{
	static const struct {
		const char *end;
		enum feed_format format;
	} ends[] = {{".jsonl", FORMAT_JSONL},
		    {".ndjson", FORMAT_JSONL},
		    {".json", FORMAT_JSONL},
		    {".dbn", FORMAT_DBN},
		    {".dbn.zst", FORMAT_DBN}};
	size_t len = strlen(name);

	if (o->format != FORMAT_BY_NAME)
		return o->format;
	if (len > 3 && strcmp(name + len - 3, ".gz") == 0)
		len -= 3;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t n = strlen(ends[i].end);

		if (len > n && memcmp(name + len - n, ends[i].end, n) == 0)
			return ends[i].format;
	}
	return FORMAT_CSV;
}

/* --time, or what --date and --zone mean without it. */
static int map_time(const struct feed_options *o, struct mapping *m)
{
	char spec[160];

	if (o->time != NULL && (o->date != NULL || o->zone != NULL))
		return err_set(-EINVAL,
			       "--time says it all: no --date, no --zone then");
	if (o->time != NULL)
		return mapping_time(m, o->time);
	if (o->date != NULL)
		(void)snprintf(spec, sizeof(spec), "ms@%s%s%s", o->date,
			       o->zone ? "@" : "", o->zone ? o->zone : "");
	else if (o->zone != NULL)
		(void)snprintf(spec, sizeof(spec), "local@%s", o->zone);
	else
		return 0;
	return mapping_time(m, spec);
}

int feed_options_mapping(const struct feed_options *o, struct mapping *m)
{
	char constant[MAPPING_VALUE_MAX + 8];
	int rc = 0;

	mapping_init(m);
	if (o->delimiter != '\0')
		m->delimiter = o->delimiter;
	if (o->map != NULL)
		rc = mapping_columns(m, o->map);
	if (rc == 0 && o->symbol != NULL) {
		if (!symbol_valid(o->symbol, strlen(o->symbol)))
			rc = err_set(-EINVAL,
				     "'%s' is no symbol: up to %d of A-Z 0-9 . _ : / -",
				     o->symbol, SYMBOL_MAX);
		else
			(void)snprintf(constant, sizeof(constant), "symbol=%s",
				       o->symbol);
		if (rc == 0)
			rc = mapping_constants(m, constant);
	}
	return rc < 0 ? rc : map_time(o, m);
}

int feed_options_parse(struct feed_options *o, struct cli *c, int argc, char **argv)
{
	struct mapping m;
	int option, rc;

	*o = (struct feed_options){.settle_ns = SETTLE_NS,
				   .feeder = {.source = "file",
					      .batch_max = 1000,
					      .patience_ns = PATIENCE_NS}};
	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		rc = take(c, o, option);
		if (rc != CLI_OK)
			return rc;
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(c, "name a file, or - for standard input");
	if (argc - optind > FEED_FILES_MAX)
		return cli_usage_error(c, "%d files at a time are the most",
				       FEED_FILES_MAX);
	/* Mistakes of the command line are told before anything is opened. */
	rc = feed_options_mapping(o, &m);
	mapping_deinit(&m);
	return rc < 0 ? cli_usage_error(c, "%s", err_text()) : -1;
}
