/* scorer - see scorer.h. */
#include "cli/scorer.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/cli.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define LEXICON_BYTES_MAX (8u << 20)

/* Where tools/setup-news puts the lexicon; false: there is no home. */
static bool usual_path(struct buf *out)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (data != NULL && *data != '\0')
		buf_printf(out, "%s", data);
	else if (home != NULL && *home != '\0')
		buf_printf(out, "%s/.local/share", home);
	else
		return false;
	buf_printf(out, "/tickbus/vader-1.1.3/vader_lexicon.txt");
	return true;
}

/* Without VADER's lexicon finance scores with our own words alone. */
int scorer_open_many(enum sentiment_flavour flavour, const char *path, size_t n,
		     struct sentiment **out)
{
	size_t made = 0;
	struct buf usual = {0}, text = {0};
	bool has = path != NULL || usual_path(&usual);
	int rc = 0;

	if (has)
		rc = buf_read_file(&text, path != NULL ? path : buf_text(&usual),
				   LEXICON_BYTES_MAX);
	if (path == NULL && (rc == -ENOENT || !has)) {
		has = false;
		rc = 0;
		if (flavour == SENTIMENT_FINANCE)
			(void)fprintf(stderr, "tickbusctl: VADER's lexicon is not "
					      "installed (tools/setup-news): "
					      "scoring with finance-1 alone\n");
	}
	while (rc == 0 && made < n) {
		rc = sentiment_new(flavour, has ? (const char *)text.data : NULL,
				   text.len, &out[made]);
		made += rc == 0;
	}
	if (rc < 0)
		(void)cli_error(CLI_IO, "%s", err_text());
	while (rc < 0 && made > 0) {
		sentiment_free(out[--made]);
		out[made] = NULL;
	}
	buf_free(&usual);
	buf_free(&text);
	return rc < 0 ? CLI_IO : CLI_OK;
}

int scorer_open(enum sentiment_flavour flavour, const char *path,
		struct sentiment **out)
{
	return scorer_open_many(flavour, path, 1, out);
}
