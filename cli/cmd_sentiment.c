/*
 * cmd_sentiment - how headlines score, without a daemon: those of the command line, or
 * of standard input, one a line.
 */
#include "base/err.h"
#include "base/jsonw.h"
#include "cli/cli.h"
#include "cli/scorer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FLAVOUR = 1, OPT_VADER, OPT_JSON };

static const struct option longs[] = {{"flavour", required_argument, NULL, OPT_FLAVOUR},
				      {"vader", required_argument, NULL, OPT_VADER},
				      {"json", no_argument, NULL, OPT_JSON},
				      {0}};

struct view {
	struct sentiment *scorer; /* owned */
	enum sentiment_flavour flavour;
	const char *path; /* --vader; NULL: where tools/setup-news puts it */
	bool json;
};

static void show_json(const struct view *v, const char *text, size_t len,
		      const struct sentiment_score *score)
{
	struct buf out = {0};
	struct jsonw w;

	jsonw_init(&w, &out);
	jsonw_object(&w, NULL);
	jsonw_strn(&w, "headline", text, len);
	jsonw_f64(&w, "compound", score->compound);
	jsonw_f64(&w, "pos", score->pos);
	jsonw_f64(&w, "neu", score->neu);
	jsonw_f64(&w, "neg", score->neg);
	jsonw_str(&w, "label", sentiment_label(score->compound));
	jsonw_str(&w, "flavour", sentiment_flavour_name(v->flavour));
	jsonw_str(&w, "lexicon_version", sentiment_lexicon_version(v->scorer));
	jsonw_end(&w);
	printf("%s\n", buf_text(&out));
	buf_free(&out);
}

static int show(const struct view *v, const char *text, size_t len)
{
	struct sentiment_score score;

	if (sentiment_score(v->scorer, text, len, &score) < 0)
		return cli_error(CLI_NEGATIVE, "%s", err_text());
	if (v->json)
		show_json(v, text, len, &score);
	else
		printf("%+.4f  %-8s  %.*s\n", score.compound,
		       sentiment_label(score.compound), (int)len, text);
	return CLI_OK;
}

static int show_lines(const struct view *v)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int code = CLI_OK;

	while ((n = getline(&line, &size, stdin)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		if (show(v, line, (size_t)n) != CLI_OK)
			code = CLI_NEGATIVE;
	}
	free(line);
	return code;
}

int cmd_sentiment(struct cli *c, int argc, char **argv)
{
	struct view v = {0};
	int option, code;

	while ((option = cli_option(c, argc, argv, longs)) > 0) {
		if (option == OPT_JSON)
			v.json = true;
		else if (option == OPT_VADER)
			v.path = optarg;
		else
			v.flavour = sentiment_flavour_parse(optarg);
		if (v.flavour == SENTIMENT_FLAVOURS)
			return cli_usage_error(c,
					       "the flavour '%s' is none of finance, "
					       "vader, vader-py",
					       optarg);
	}
	if (option != CLI_OPTION_END)
		return option == CLI_OPTION_HELP ? CLI_OK : CLI_USAGE;
	if (optind == argc)
		return cli_usage_error(c, "no headline; - reads standard input");
	code = scorer_open(v.flavour, v.path, &v.scorer);
	if (code == CLI_OK && argc - optind == 1 && strcmp(argv[optind], "-") == 0)
		code = show_lines(&v);
	else
		for (int i = optind; i < argc && code == CLI_OK; i++)
			code = show(&v, argv[i], strlen(argv[i]));
	sentiment_free(v.scorer);
	return code;
}
